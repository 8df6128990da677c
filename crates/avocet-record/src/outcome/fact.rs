//! What is recorded about an outcome.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::{At, Day};
use crate::ids::{ExhibitId, PersonId};
use crate::personal::Personal;
use crate::vote::Category;

/// Whether pictures or videos are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Medium {
    /// Still pictures.
    Still,
    /// Videos.
    Moving,
}

impl fmt::Display for Medium {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Medium::Still => "still",
            Medium::Moving => "moving",
        })
    }
}

/// Whether the user of a device could get at the files as they lay there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accessible {
    /// Yes: without special means.
    Yes,
    /// No: deleted, or in places that only special means read.
    No,
    /// Nobody has said.
    NotStated,
}

impl fmt::Display for Accessible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Accessible::Yes => "accessible to the user",
            Accessible::No => "not accessible to the user",
            Accessible::NotStated => "accessibility not stated",
        })
    }
}

/// A line of the schedule to a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleLine {
    /// The category; none where the offence knows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Still or moving.
    pub medium: Medium,
    /// On which device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<ExhibitId>,
    /// The first day of the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Day>,
    /// The last day of the range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Day>,
    /// Whether the user could get at them.
    pub accessible: Accessible,
    /// How many.
    pub count: u64,
}

/// What is to happen to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceDecision {
    /// It is taken from its owner for good.
    Deprive,
    /// It is to be destroyed.
    Destroy,
    /// It is to be given back.
    Release,
}

impl fmt::Display for DeviceDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceDecision::Deprive => "deprivation",
            DeviceDecision::Destroy => "destruction",
            DeviceDecision::Release => "release",
        })
    }
}

/// A fact about the outcome for one suspect. Who recorded it and when stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum OutcomeFact {
    /// A charge was decided.
    Charged {
        /// When.
        when: At,
        /// Against whom, where they are on the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suspect: Option<PersonId>,
        /// Its number within this outcome, from 1.
        charge: u32,
        /// The offence: a row of `offences.toml`.
        offence: String,
        /// Who decided, such as the Crown Prosecution Service; no person's name.
        decided_by: String,
    },
    /// The counts of the schedule to a charge. A later statement takes the place of an earlier one.
    Scheduled {
        /// To which charge.
        charge: u32,
        /// The lines.
        lines: Vec<ScheduleLine>,
    },
    /// A charge is no longer pursued.
    ChargeEnded {
        /// When.
        when: At,
        /// Which.
        charge: u32,
        /// Why; no person's name.
        reason: String,
    },
    /// How it ended, for one charge or, without a number, as a whole.
    Disposed {
        /// When.
        when: At,
        /// For whom, where they are on the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        suspect: Option<PersonId>,
        /// For which charge.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        charge: Option<u32>,
        /// How: a row of `disposals.toml`.
        disposal: String,
        /// Which court or body.
        authority: String,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// What is to happen to a device was decided. A later decision takes the place of an earlier one.
    DeviceDecided {
        /// When.
        when: At,
        /// Which device.
        exhibit: ExhibitId,
        /// What.
        decision: DeviceDecision,
        /// By which court or under which authority.
        authority: String,
        /// Not before this instant, such as the end of the time to appeal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<At>,
    },
    /// An earlier fact is wrong: it stays visible and no longer counts.
    Corrected {
        /// Number of the fact.
        wrong: u64,
        /// Why.
        reason: String,
    },
}

impl OutcomeFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            OutcomeFact::Charged { .. } => "charged",
            OutcomeFact::Scheduled { .. } => "charge-scheduled",
            OutcomeFact::ChargeEnded { .. } => "charge-ended",
            OutcomeFact::Disposed { .. } => "disposed",
            OutcomeFact::DeviceDecided { .. } => "device-decided",
            OutcomeFact::Corrected { .. } => "outcome-corrected",
        }
    }
}
