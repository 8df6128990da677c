//! What is recorded about one arrest or voluntary interview.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::{UserId, WarrantId};
use crate::personal::Personal;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustodyEnd {
    /// Charged.
    Charged,
    /// No further action.
    NoFurtherAction,
    /// Reported for a summons or requisition.
    Summons,
    /// Ended without a charge at court, such as a caution.
    OutOfCourt,
    /// Another way, in the reason.
    Other,
}

impl fmt::Display for CustodyEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CustodyEnd::Charged => "charged",
            CustodyEnd::NoFurtherAction => "no further action",
            CustodyEnd::Summons => "reported for summons",
            CustodyEnd::OutOfCourt => "ended out of court",
            CustodyEnd::Other => "ended",
        })
    }
}

/// A fact about one arrest or voluntary interview. Who recorded it and when stand around it; `when` is when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum CustodyFact {
    /// The suspect was arrested.
    Arrested {
        /// When.
        when: At,
        /// By whom.
        officer: UserId,
        /// The custody record's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// For what: rows or names of offences; no person's name.
        offences: Vec<String>,
        /// The warrant that was being executed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warrant: Option<WarrantId>,
    },
    /// The suspect came to a voluntary interview.
    Attended {
        /// When.
        when: At,
        /// Who interviewed.
        officer: UserId,
        /// Its reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// About what: rows or names of offences; no person's name.
        offences: Vec<String>,
    },
    /// The suspect arrived at the station: from here the time in custody counts.
    Arrived {
        /// When.
        when: At,
        /// Which station.
        place: String,
        /// The custody record's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// Detention without charge may last longer.
    Extended {
        /// Until when.
        until: At,
        /// Who authorised it: a rank or a court; no person's name.
        authority: String,
    },
    /// The suspect was interviewed.
    Interviewed {
        /// When.
        when: At,
        /// The recording's reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// Released on bail before charge, or the bail goes on.
    Bailed {
        /// When.
        when: At,
        /// Until when.
        until: At,
        /// Under what conditions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conditions: Option<Personal<String>>,
    },
    /// Released under investigation, without bail.
    UnderInvestigation {
        /// When.
        when: At,
    },
    /// It ended.
    Ended {
        /// When.
        when: At,
        /// How.
        how: CustodyEnd,
        /// Why, where that is not clear; no person's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// An earlier fact is wrong. It stays visible and no longer counts.
    Corrected {
        /// Number of the wrong fact.
        wrong: u64,
        /// Why; no person's name.
        reason: String,
    },
}

impl CustodyFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            CustodyFact::Arrested { .. } => "suspect-arrested",
            CustodyFact::Attended { .. } => "suspect-attended",
            CustodyFact::Arrived { .. } => "custody-arrived",
            CustodyFact::Extended { .. } => "custody-extended",
            CustodyFact::Interviewed { .. } => "suspect-interviewed",
            CustodyFact::Bailed { .. } => "suspect-bailed",
            CustodyFact::UnderInvestigation { .. } => "suspect-released-under-investigation",
            CustodyFact::Ended { .. } => "custody-ended",
            CustodyFact::Corrected { .. } => "custody-corrected",
        }
    }
}
