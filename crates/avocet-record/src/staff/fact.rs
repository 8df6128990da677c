//! What is recorded about limits.

use serde::{Deserialize, Serialize};

use super::limit::Bounds;
use crate::at::At;
use crate::personal::Personal;

/// A fact about limits of exposure: of one person, or of the team. Who and when stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum StaffFact {
    /// Other numbers hold than before.
    LimitSet {
        /// A row of `staff-care.toml`.
        limit: String,
        /// The numbers.
        bounds: Bounds,
        /// Why.
        reason: Personal<String>,
    },
    /// What was set no longer holds: a person's limit is the team's again, the team's that of the table.
    LimitReset {
        /// A row of `staff-care.toml`.
        limit: String,
        /// Why.
        reason: Personal<String>,
    },
    /// Until then nothing is held back for one person; breaks are still proposed.
    Lifted {
        /// Until when.
        until: At,
        /// Why.
        reason: Personal<String>,
    },
}

impl StaffFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::LimitSet { .. } => "care-limit-set",
            Self::LimitReset { .. } => "care-limit-reset",
            Self::Lifted { .. } => "care-limit-lifted",
        }
    }

    /// Why, sealed.
    #[must_use]
    pub fn reason(&self) -> &Personal<String> {
        match self {
            Self::LimitSet { reason, .. } | Self::LimitReset { reason, .. } | Self::Lifted { reason, .. } => reason,
        }
    }
}
