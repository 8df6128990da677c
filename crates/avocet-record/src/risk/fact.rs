//! What is recorded about risk.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::level::LevelId;
use crate::at::At;
use crate::ids::{InvestigationId, UserId};
use crate::personal::Personal;

/// An assessment tool, as the officer names it: `KIRAT` and `2`. Avocet holds none of its questions or weights.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// An answer to a factor's question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// Yes.
    Yes {},
    /// No.
    No {},
    /// Asked, and not known.
    Unknown {},
    /// Not asked.
    NotAsked {},
    /// One of the tool's own answers, by its code: no free text.
    Choice {
        /// The code.
        code: String,
    },
    /// A number, such as how many convictions.
    Number {
        /// The number.
        value: i64,
    },
}

/// One factor of an assessment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The tool's own id of the question.
    pub question: String,
    /// The answer.
    pub answer: Answer,
    /// Who answered, where it was not who recorded the assessment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<UserId>,
    /// What the answer rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Personal<String>>,
}

/// Whether a child may be in danger now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Danger {
    /// A child may be in danger now.
    Yes,
    /// No child is thought to be in danger now.
    No,
    /// Somebody looked and cannot say.
    Unknown,
}

/// What was done to make a child safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeguardingAction {
    /// Children's social care was told.
    SocialCareTold,
    /// A strategy discussion was held.
    StrategyDiscussion,
    /// The designated officer for allegations was told.
    DesignatedOfficerTold,
    /// The child was seen and is safe.
    ChildSeen,
    /// The child was moved to safety.
    ChildMoved,
    /// The suspect was kept away from the child.
    SuspectKeptAway,
    /// Something else, in the note.
    Other,
}

impl SafeguardingAction {
    /// Whether it makes a child safe, rather than tells or asks somebody who may.
    #[must_use]
    pub fn protects(self) -> bool {
        match self {
            SafeguardingAction::ChildSeen | SafeguardingAction::ChildMoved | SafeguardingAction::SuspectKeptAway => {
                true
            }
            SafeguardingAction::SocialCareTold
            | SafeguardingAction::StrategyDiscussion
            | SafeguardingAction::DesignatedOfficerTold
            | SafeguardingAction::Other => false,
        }
    }
}

impl fmt::Display for SafeguardingAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SafeguardingAction::SocialCareTold => "children's social care told",
            SafeguardingAction::StrategyDiscussion => "strategy discussion held",
            SafeguardingAction::DesignatedOfficerTold => "designated officer told",
            SafeguardingAction::ChildSeen => "child seen and safe",
            SafeguardingAction::ChildMoved => "child moved to safety",
            SafeguardingAction::SuspectKeptAway => "suspect kept away",
            SafeguardingAction::Other => "other action",
        })
    }
}

/// A fact about the risk of an investigation. Who and when it was recorded stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum RiskFact {
    /// An assessment, the first or a later one.
    Assessed {
        /// Of what.
        investigation: InvestigationId,
        /// The tool used; none where the officer used none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<Tool>,
        /// The factors, as the tool orders them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        factors: Vec<Factor>,
        /// The officer's level.
        level: LevelId,
        /// Why; a re-assessment without one is a finding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// Another level than the assessment's was set.
    Overridden {
        /// Of what.
        investigation: InvestigationId,
        /// The level that now stands.
        level: LevelId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// Whether a child may be in danger now.
    DangerStated {
        /// Of what.
        investigation: InvestigationId,
        /// Whether.
        danger: Danger,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// Something was done to make a child safe.
    SafeguardingActed {
        /// Of what.
        investigation: InvestigationId,
        /// What.
        action: SafeguardingAction,
        /// When it was done.
        acted: At,
        /// Which body it was done with, such as a council's name; no person's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body: Option<String>,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
}

impl RiskFact {
    /// Which investigation it is about.
    #[must_use]
    pub fn investigation(&self) -> InvestigationId {
        match self {
            RiskFact::Assessed { investigation, .. }
            | RiskFact::Overridden { investigation, .. }
            | RiskFact::DangerStated { investigation, .. }
            | RiskFact::SafeguardingActed { investigation, .. } => *investigation,
        }
    }
}
