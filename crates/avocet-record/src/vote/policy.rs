//! How an investigation is graded: policy, scheme, local rule and the seed of its sample.

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use super::fact::{Category, SchemeRef};
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
    /// How many in a thousand known items are looked at all the same, 0 to 1,000.
    #[serde(default = "usual_dip", skip_serializing_if = "is_usual_dip")]
    pub dip_per_1000: u32,
}

/// What holds where a rule was written before there was a dip sample, or says nothing of it.
const fn usual_dip() -> u32 {
    10
}

/// A rule of before is written as it was read.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_usual_dip(dip: &u32) -> bool {
    *dip == usual_dip()
}

impl LawRow for GradingRule {
    const TABLE: &'static str = "grading";

    fn summary(&self) -> String {
        let need = |on: bool| if on { "yes" } else { "no" };
        format!(
            "{}: graders {}; moderated {} in 1,000; second view on disagreement {}, on request {}, blind {}; a \
             trusted category decides {}; of known items {} in 1,000 are looked at",
            self.title,
            self.graders,
            self.moderation_per_1000,
            need(self.second_view_on_disagreement),
            need(self.second_view_on_request),
            need(self.second_view_blind),
            need(self.trusted_decides),
            self.dip_per_1000
        )
    }

    fn check(&self) -> Result<(), WrongField> {
        if !(1..=9).contains(&self.graders) {
            let what = format!("{} graders are not possible", self.graders);
            return Err(WrongField { field: "graders", what, next: "Use 1 to 9".to_owned() });
        }
        for (field, share) in [("moderation_per_1000", self.moderation_per_1000), ("dip_per_1000", self.dip_per_1000)] {
            if share > 1000 {
                let what = format!("{share} of 1,000 is more than all");
                return Err(WrongField { field, what, next: "Use 0 to 1000".to_owned() });
            }
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
    /// Every image and film of every device, whatever a set says of it.
    EveryImage {},
    /// What no set knows, in the queue's order; of what a set knows only conflicts and a dip sample.
    Unknown {},
    /// A part, chosen by criteria.
    Streamlined {
        /// The criteria, as the investigation agreed them.
        criteria: String,
        /// The part of them that a program can check: when nothing more is queued for grading.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop: Option<StopRule>,
    },
}

/// When a streamlined grading has seen enough. Every condition that is stated must be met.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRule {
    /// How many contents must be settled in each of these categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enough: Vec<Enough>,
    /// Whether first every unknown picture of a device's own camera must be graded.
    #[serde(default)]
    pub own_cameras_first: bool,
}

/// How many are enough of one category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enough {
    /// The category, in the scheme of the policy.
    pub category: Category,
    /// How many settled contents.
    pub count: u64,
}

impl StopRule {
    /// Whether it states a condition at all: without one nothing ever stops.
    #[must_use]
    pub fn says_something(&self) -> bool {
        !self.enough.is_empty() || self.own_cameras_first
    }

    /// Whether nothing more is to be graded. `settled` says how many contents are settled in a category, `own_cameras` how
    /// many unknown pictures of own cameras are still to be graded.
    #[must_use]
    pub fn met(&self, settled: impl Fn(&Category) -> u64, own_cameras: u64) -> bool {
        let enough = self.enough.iter().all(|wanted| settled(&wanted.category) >= wanted.count);
        self.says_something() && enough && (own_cameras == 0 || !self.own_cameras_first)
    }
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
    /// Draws the moderation sample and the dip sample. Who knows it can tell which items are moderated: graders are not shown it.
    pub seed: Seed,
    /// How many in a thousand known items are looked at all the same, where it is not what the rule says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dip_per_1000: Option<u32>,
    /// Why this policy; nothing about a person.
    pub reason: String,
}

impl GradingPolicy {
    /// How many in a thousand known items are looked at all the same.
    #[must_use]
    pub fn dip(&self) -> u32 {
        self.dip_per_1000.unwrap_or(self.rule.dip_per_1000)
    }

    /// The reference to a row of a table.
    #[must_use]
    pub fn reference(table: &Table<GradingRule>, row: &Row<GradingRule>) -> RuleRef {
        RuleRef { row: row.id.clone(), version: table.version.clone(), digest: table.digest }
    }
}
