//! What is recorded about a suspect's own risk of death, and about what was given to the people around.

use std::fmt;

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::CustodyId;
use crate::personal::Personal;

/// When an assessment was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Before the police come or a voluntary interview.
    BeforeContact,
    /// When the contact ends.
    AfterContact,
    /// Within the first hours and days after it.
    FollowUp,
    /// At a date on which the risk rises.
    Trigger,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::BeforeContact => "before contact",
            Stage::AfterContact => "after contact",
            Stage::FollowUp => "follow-up",
            Stage::Trigger => "at a trigger date",
        })
    }
}

/// What makes a date one on which the risk rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// A charge.
    Charge,
    /// A court date.
    Court,
    /// Something else, such as a report in the press.
    Other,
}

impl fmt::Display for TriggerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TriggerKind::Charge => "charge",
            TriggerKind::Court => "court",
            TriggerKind::Other => "other date",
        })
    }
}

/// For whom a leaflet is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeafletFor {
    /// Somebody under investigation.
    Suspect,
    /// Their family.
    Family,
    /// The parent of a child.
    Parent,
    /// Those who do this work.
    Staff,
}

impl LeafletFor {
    /// Each, in a fixed order.
    pub const ALL: [Self; 4] = [Self::Suspect, Self::Family, Self::Parent, Self::Staff];
}

impl fmt::Display for LeafletFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeafletFor::Suspect => "suspect",
            LeafletFor::Family => "family",
            LeafletFor::Parent => "parent",
            LeafletFor::Staff => "staff",
        })
    }
}

/// A fact about a person's welfare. Who recorded it and when stand around it; `when` is when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum WelfareFact {
    /// The risk was assessed.
    Assessed {
        /// When.
        when: At,
        /// At which point.
        stage: Stage,
        /// The arrest or interview that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custody: Option<CustodyId>,
        /// The date that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trigger: Option<u32>,
        /// The result in the force's own words, such as `high`; nothing about the person.
        level: String,
        /// What it rests on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// A date on which the risk rises.
    TriggerSet {
        /// Number of the date among the person's, from 1; stated again it takes the earlier one's place.
        trigger: u32,
        /// What.
        kind: TriggerKind,
        /// When it is.
        date: At,
    },
    /// A leaflet was given.
    LeafletGiven {
        /// When.
        when: At,
        /// For whom it is written.
        leaflet: LeafletFor,
        /// SHA-256 of the file that was printed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<Sha256>,
        /// The arrest or interview at which it was given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custody: Option<CustodyId>,
    },
    /// Help was pointed out.
    SignPosted {
        /// When.
        when: At,
        /// Which: a row of `services.toml`.
        service: String,
    },
    /// A telephone was offered in place of the one taken, so that help can be called.
    PhoneOffered {
        /// When.
        when: At,
        /// Whether it was taken.
        taken: bool,
        /// The arrest or interview at which it was offered.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        custody: Option<CustodyId>,
    },
    /// Something is to be done, and shows until it is.
    ToDo {
        /// Number among the person's, from 1.
        item: u32,
        /// What.
        what: Personal<String>,
        /// By when.
        due: At,
    },
    /// It was done, or is no longer needed.
    ItemDone {
        /// Which.
        item: u32,
        /// When.
        when: At,
    },
    /// An earlier fact is wrong. It stays visible and no longer counts.
    Corrected {
        /// Number of the wrong fact.
        wrong: u64,
        /// Why; no person's name.
        reason: String,
    },
}

impl WelfareFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            WelfareFact::Assessed { .. } => "welfare-assessed",
            WelfareFact::TriggerSet { .. } => "welfare-trigger-set",
            WelfareFact::LeafletGiven { .. } => "leaflet-given",
            WelfareFact::SignPosted { .. } => "help-pointed-out",
            WelfareFact::PhoneOffered { .. } => "phone-offered",
            WelfareFact::ToDo { .. } => "welfare-to-do",
            WelfareFact::ItemDone { .. } => "welfare-done",
            WelfareFact::Corrected { .. } => "welfare-corrected",
        }
    }
}
