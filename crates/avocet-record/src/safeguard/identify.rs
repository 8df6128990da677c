//! Finding out who a child is: from a picture to a safe child, each step with who, when and from what.

use std::fmt;

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::{InvestigationId, PersonId};
use crate::personal::Personal;

/// How far it is, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nobody knows who the child is.
    Unidentified,
    /// There is something to go by.
    Lead,
    /// It is known who the child is.
    Identified,
    /// It is known where the child is.
    Located,
    /// The child is safe.
    Safeguarded,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Unidentified => "unidentified",
            Step::Lead => "lead",
            Step::Identified => "identified",
            Step::Located => "located",
            Step::Safeguarded => "safeguarded",
        })
    }
}

/// What a lead goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadKind {
    /// Media that belong together.
    Series,
    /// A camera's or telephone's own number.
    CameraSerial,
    /// Something that shows where.
    Place,
    /// Something that shows when.
    Time,
    /// Seen in another case.
    SeenBefore,
    /// An account, an address, a name.
    Identifier,
    /// Something else, in the note.
    Other,
}

impl fmt::Display for LeadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeadKind::Series => "series",
            LeadKind::CameraSerial => "camera serial",
            LeadKind::Place => "place",
            LeadKind::Time => "time",
            LeadKind::SeenBefore => "seen before",
            LeadKind::Identifier => "identifier",
            LeadKind::Other => "other",
        })
    }
}

/// How far a lead carries. None of them is proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// Worth a look; often wrong.
    Weak,
    /// Fits, and something else would fit too.
    Moderate,
    /// Little else would fit; not proof.
    Strong,
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Strength::Weak => "weak lead",
            Strength::Moderate => "moderate lead",
            Strength::Strong => "strong lead, not proof",
        })
    }
}

/// How far a system reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// The country.
    National,
    /// Several countries.
    International,
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reach::National => "national",
            Reach::International => "international",
        })
    }
}

/// A fact about who a child is. Who recorded it and when stand around it; `when` is when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum IdentificationFact {
    /// The child is in these media.
    SeenIn {
        /// SHA-256 of each.
        media: Vec<Sha256>,
    },
    /// There is something to go by.
    Lead {
        /// Number of the lead among the child's, from 1; stated again it takes the earlier one's place.
        lead: u32,
        /// What it goes by.
        kind: LeadKind,
        /// How far it carries.
        strength: Strength,
        /// The medium that it comes from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media: Option<Sha256>,
        /// The investigation in which it was seen before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen_in: Option<InvestigationId>,
        /// What it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// A lead was followed to its end.
    LeadEnded {
        /// Which.
        lead: u32,
        /// Whether it led on.
        held: bool,
        /// What was found; no person's name.
        reason: String,
    },
    /// It is known now who the child is, where, or that the child is safe; or it is no longer.
    Reached {
        /// When.
        when: At,
        /// How far it is.
        step: Step,
        /// The media that it rests on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<Sha256>,
        /// The leads that it rests on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        leads: Vec<u32>,
        /// What it rests on besides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// What is known was given to a system that others search. Avocet does not send it.
    Uploaded {
        /// When.
        when: At,
        /// How far it reaches.
        reach: Reach,
        /// Its name.
        system: String,
        /// Its reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
        /// The media that were given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        media: Vec<Sha256>,
    },
    /// Work on it rests: the child is known elsewhere, or nothing is left to go by.
    Rested {
        /// When.
        when: At,
        /// Why; no person's name.
        reason: String,
        /// The record in which it goes on, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        see: Option<PersonId>,
    },
    /// An earlier fact is wrong. It stays visible and no longer counts.
    Corrected {
        /// Number of the wrong fact.
        wrong: u64,
        /// Why; no person's name.
        reason: String,
    },
}

impl IdentificationFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            IdentificationFact::SeenIn { .. } => "child-seen-in",
            IdentificationFact::Lead { .. } => "child-lead-stated",
            IdentificationFact::LeadEnded { .. } => "child-lead-ended",
            IdentificationFact::Reached { step, .. } => match step {
                Step::Unidentified => "child-unidentified",
                Step::Lead => "child-lead-reached",
                Step::Identified => "child-identified",
                Step::Located => "child-located",
                Step::Safeguarded => "child-safeguarded",
            },
            IdentificationFact::Uploaded { .. } => "child-uploaded",
            IdentificationFact::Rested { .. } => "child-identification-rests",
            IdentificationFact::Corrected { .. } => "child-identification-corrected",
        }
    }
}
