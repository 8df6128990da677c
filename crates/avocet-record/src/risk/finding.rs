//! Gaps and contradictions in what was recorded about risk.

use std::fmt;

use super::level::LevelId;
use crate::ids::UserId;

/// Something to look at. Its text says what, what it means and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum RiskFinding {
    /// A level that the table does not have.
    LevelNotInTable {
        /// Number of the fact.
        seq: u64,
        /// The level.
        level: LevelId,
    },
    /// A level was overridden before there was an assessment.
    OverrideWithoutAssessment {
        /// Number of the fact.
        seq: u64,
    },
    /// The level was set again, or overridden, without a reason.
    ChangeWithoutReason {
        /// Number of the fact.
        seq: u64,
    },
    /// One assessment answers a question twice.
    AnsweredTwice {
        /// Number of the fact.
        seq: u64,
        /// The tool's id of the question.
        question: String,
    },
    /// A danger was stated to be over, or not to be known any more, without a reason.
    DangerEndedWithoutReason {
        /// Number of the fact.
        seq: u64,
    },
    /// A child may be in danger, and nothing that was done about it is recorded.
    DangerWithoutAction {
        /// Number of the latest statement.
        seq: u64,
        /// Who stated it.
        by: UserId,
    },
    /// Nobody has stated whether a child may be in danger now.
    DangerNotStated,
    /// There is no assessment.
    NotAssessed,
}

impl fmt::Display for RiskFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RiskFinding::LevelNotInTable { seq, level } => write!(
                f,
                "entry {seq} sets the level `{level}`, which the table of levels does not have; the investigation \
                 stands as if at the first level. Record the level again, or add it to risk-levels.toml"
            ),
            RiskFinding::OverrideWithoutAssessment { seq } => write!(
                f,
                "entry {seq} overrides a level before there is an assessment; there is nothing it can be compared \
                 with. Record the assessment"
            ),
            RiskFinding::ChangeWithoutReason { seq } => write!(
                f,
                "entry {seq} sets the level without a reason; the change cannot be followed later. Record the level \
                 again with the reason"
            ),
            RiskFinding::AnsweredTwice { seq, question } => write!(
                f,
                "entry {seq} answers the question `{question}` twice; it is not clear which answer counts. Record \
                 the assessment again"
            ),
            RiskFinding::DangerEndedWithoutReason { seq } => write!(
                f,
                "entry {seq} ends the statement that a child may be in danger, without a reason. Record why, or state \
                 the danger again"
            ),
            RiskFinding::DangerWithoutAction { seq, by } => write!(
                f,
                "a child may be in danger now (entry {seq}, by {by}), and no safeguarding action has been recorded \
                 since. Act, then record what was done"
            ),
            RiskFinding::DangerNotStated => f.write_str(
                "nobody has stated whether a child may be in danger now; the order of work cannot take it into \
                 account. Record yes, no or unknown",
            ),
            RiskFinding::NotAssessed => f.write_str(
                "there is no assessment; the investigation stands as if at the first level. Assess it and record the \
                 level",
            ),
        }
    }
}
