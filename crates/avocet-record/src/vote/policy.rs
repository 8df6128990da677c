//! How an investigation is graded: policy, scheme, local rule and the seed of its sample.

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use super::fact::SchemeRef;
use super::sample::Seed;
use crate::ids::InvestigationId;
use crate::law::{LawRow, Row, Table, WrongField, WrongTable};

/// The local rule, a row of the data file `grading`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradingRule {
    /// One line for lists.
    pub title: String,
    /// How many people must vote alike before votes decide, 1 to 9.
    pub graders: u32,
    /// How many in a thousand items are moderated, 0 to 1,000.
    pub moderation_per_1000: u32,
    /// Whether votes that differ need a second view before a moderator decides.
    pub second_view_on_disagreement: bool,
    /// Whether a request makes a second view necessary.
    pub second_view_on_request: bool,
    /// Whether a second view counts only where it was blind.
    pub second_view_blind: bool,
    /// Whether a trusted category decides an item on which nobody here has voted.
    pub trusted_decides: bool,
}

impl LawRow for GradingRule {
    const TABLE: &'static str = "grading";

    fn summary(&self) -> String {
        let need = |on: bool| if on { "yes" } else { "no" };
        format!(
            "{}: graders {}; moderated {} in 1,000; second view on disagreement {}, on request {}, blind {}; a \
             trusted category decides {}",
            self.title,
            self.graders,
            self.moderation_per_1000,
            need(self.second_view_on_disagreement),
            need(self.second_view_on_request),
            need(self.second_view_blind),
            need(self.trusted_decides)
        )
    }

    fn check(&self) -> Result<(), WrongField> {
        if !(1..=9).contains(&self.graders) {
            let what = format!("{} graders are not possible", self.graders);
            return Err(WrongField { field: "graders", what, next: "Use 1 to 9".to_owned() });
        }
        if self.moderation_per_1000 > 1000 {
            let what = format!("{} of 1,000 is more than all", self.moderation_per_1000);
            return Err(WrongField { field: "moderation_per_1000", what, next: "Use 0 to 1000".to_owned() });
        }
        Ok(())
    }

    fn check_table(rows: &[Row<Self>]) -> Result<(), WrongTable> {
        if rows.iter().any(|row| row.id == "default") {
            return Ok(());
        }
        let what = "there is no row `default`".to_owned();
        Err(WrongTable { what, next: "Add the rule that holds where nobody chose another".to_owned() })
    }
}

/// Which row of which file a rule was copied from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleRef {
    /// The row's id.
    pub row: String,
    /// The file's version.
    pub version: String,
    /// SHA-256 of the file.
    pub digest: Sha256,
}

/// What is graded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Policy {
    /// Every image and film of every device.
    EveryImage {},
    /// A part, chosen by criteria.
    Streamlined {
        /// The criteria, as the investigation agreed them.
        criteria: String,
    },
}

/// How one investigation is graded. The rule is copied, so that a changed data file never changes what was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradingPolicy {
    /// Of which investigation.
    pub investigation: InvestigationId,
    /// What is graded.
    pub policy: Policy,
    /// The scheme in which the investigation states its categories.
    pub scheme: SchemeRef,
    /// The local rule.
    pub rule: GradingRule,
    /// Where the rule was copied from.
    pub rule_from: RuleRef,
    /// Draws the moderation sample. Who knows it can tell which items are moderated: graders are not shown it.
    pub seed: Seed,
    /// Why this policy; nothing about a person.
    pub reason: String,
}

impl GradingPolicy {
    /// The reference to a row of a table.
    #[must_use]
    pub fn reference(table: &Table<GradingRule>, row: &Row<GradingRule>) -> RuleRef {
        RuleRef { row: row.id.clone(), version: table.version.clone(), digest: table.digest }
    }
}
