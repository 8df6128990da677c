//! What is recorded about one exhibit.

use std::fmt;

use avocet_base::ExhibitRef;
use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::{ExhibitId, PersonId, UserId, WarrantId};
use crate::personal::Personal;

/// A number that a maker gave a thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// What it is, such as `serial`, `IMEI`, `ICCID`.
    pub kind: String,
    /// As it stands on the thing.
    pub value: String,
}

/// Who or what has an exhibit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Holder {
    /// An officer.
    Officer {
        /// Who.
        user: UserId,
    },
    /// A store, a shelf, a safe.
    Place {
        /// Its name.
        place: String,
    },
    /// A body outside the team, such as a laboratory; no person's name.
    Outside {
        /// Its name.
        body: String,
    },
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Holder::Officer { user } => write!(f, "{user}"),
            Holder::Place { place } => f.write_str(place),
            Holder::Outside { body } => write!(f, "{body} (outside)"),
        }
    }
}

/// Under what an exhibit was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PowerSource {
    /// A warrant.
    Warrant {
        /// Which.
        warrant: WarrantId,
    },
    /// A power of `powers.toml` without a warrant, such as a search after arrest.
    Power {
        /// The row's id.
        power: String,
    },
    /// Somebody agreed: the suspect, a volunteer, a victim or a witness. Examined only within what they agreed to.
    Agreement {
        /// As what they gave it: `suspect`, `volunteer`, `victim`, `witness`.
        giver: String,
        /// What they agreed to; nothing about a person.
        scope: String,
        /// When they want it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        return_by: Option<At>,
    },
    /// A part of an exhibit, under the power of the whole.
    OfParent {},
}

/// A fact about one exhibit. Who recorded it and when stand around it; `when` is when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum ExhibitFact {
    /// Seen at a scene and left there.
    Excluded {
        /// When.
        when: At,
        /// Who decided.
        officer: UserId,
        /// What it is.
        kind: String,
        /// What it looks like; no person's name.
        description: String,
        /// Where it was.
        place: String,
        /// Why it was left.
        reason: String,
    },
    /// Taken, or produced from another exhibit.
    Taken {
        /// When.
        when: At,
        /// Who produces it: the initials of its reference are theirs.
        officer: UserId,
        /// Its reference.
        reference: ExhibitRef,
        /// The exhibit that it is a part of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<ExhibitId>,
        /// What it is: phone, laptop, SIM, image file.
        kind: String,
        /// What it looks like; no person's name.
        description: String,
        /// Maker.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        make: Option<String>,
        /// Model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// Its numbers.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        serials: Vec<Serial>,
        /// Where it was found.
        place: String,
        /// Under what it was taken.
        source: PowerSource,
    },
    /// Put into a sealed bag.
    Sealed {
        /// When.
        when: At,
        /// Who.
        officer: UserId,
        /// The seal's number.
        seal: String,
    },
    /// The seal was broken.
    Opened {
        /// When.
        when: At,
        /// Who.
        officer: UserId,
        /// The seal that was found.
        seal: String,
        /// Why.
        reason: String,
    },
    /// Given on.
    HandedOver {
        /// When.
        when: At,
        /// From whom.
        from: Holder,
        /// To whom.
        to: Holder,
    },
    /// The other side of a hand-over: it was received.
    Received {
        /// When.
        when: At,
        /// Number of the hand-over's fact.
        handover: u64,
    },
    /// Worked on: examined, photographed, imaged.
    Examined {
        /// When.
        when: At,
        /// Who.
        officer: UserId,
        /// What was done.
        what: String,
        /// Whether it lies within what the giver agreed to, where it was given by agreement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within_scope: Option<bool>,
    },
    /// Whoever gave it by agreement no longer agrees.
    AgreementWithdrawn {
        /// When.
        when: At,
    },
    /// It is to be kept.
    Retained {
        /// When that was decided.
        when: At,
        /// Under what authority.
        authority: String,
        /// When the decision is to be looked at again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<At>,
    },
    /// Given back.
    Returned {
        /// When.
        when: At,
        /// To whom, where they are on the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<PersonId>,
        /// To whom, in words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
        /// Who gave it back.
        officer: UserId,
    },
    /// Destroyed.
    Destroyed {
        /// When.
        when: At,
        /// Under what authority.
        authority: String,
        /// How.
        method: String,
        /// Who watched; another person than who recorded it.
        witness: UserId,
    },
    /// An earlier fact is wrong: it stays visible and no longer counts.
    Corrected {
        /// Number of the fact.
        wrong: u64,
        /// Why.
        reason: String,
    },
}

impl ExhibitFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            ExhibitFact::Excluded { .. } => "exhibit-excluded",
            ExhibitFact::Taken { .. } => "exhibit-taken",
            ExhibitFact::Sealed { .. } => "exhibit-sealed",
            ExhibitFact::Opened { .. } => "exhibit-opened",
            ExhibitFact::HandedOver { .. } => "exhibit-handed-over",
            ExhibitFact::Received { .. } => "exhibit-received",
            ExhibitFact::Examined { .. } => "exhibit-examined",
            ExhibitFact::AgreementWithdrawn { .. } => "exhibit-agreement-withdrawn",
            ExhibitFact::Retained { .. } => "exhibit-retained",
            ExhibitFact::Returned { .. } => "exhibit-returned",
            ExhibitFact::Destroyed { .. } => "exhibit-destroyed",
            ExhibitFact::Corrected { .. } => "exhibit-corrected",
        }
    }

    /// When it happened; a correction happens when it is recorded.
    #[must_use]
    pub fn when(&self) -> Option<At> {
        match self {
            ExhibitFact::Excluded { when, .. }
            | ExhibitFact::Taken { when, .. }
            | ExhibitFact::Sealed { when, .. }
            | ExhibitFact::Opened { when, .. }
            | ExhibitFact::HandedOver { when, .. }
            | ExhibitFact::Received { when, .. }
            | ExhibitFact::Examined { when, .. }
            | ExhibitFact::AgreementWithdrawn { when }
            | ExhibitFact::Retained { when, .. }
            | ExhibitFact::Returned { when, .. }
            | ExhibitFact::Destroyed { when, .. } => Some(*when),
            ExhibitFact::Corrected { .. } => None,
        }
    }
}

/// As one line of a continuity statement.
impl fmt::Display for ExhibitFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExhibitFact::Excluded { officer, kind, place, reason, .. } => {
                write!(f, "{kind} seen at {place} and left by decision of {officer}: {reason}")
            }
            ExhibitFact::Taken { officer, reference, kind, place, .. } => {
                write!(f, "{kind} taken at {place} by {officer} as {reference}")
            }
            ExhibitFact::Sealed { officer, seal, .. } => write!(f, "sealed with {seal} by {officer}"),
            ExhibitFact::Opened { officer, seal, reason, .. } => {
                write!(f, "seal {seal} opened by {officer}: {reason}")
            }
            ExhibitFact::HandedOver { from, to, .. } => write!(f, "handed over from {from} to {to}"),
            ExhibitFact::Received { handover, .. } => write!(f, "hand-over of entry {handover} confirmed"),
            ExhibitFact::Examined { officer, what, .. } => write!(f, "examined by {officer}: {what}"),
            ExhibitFact::AgreementWithdrawn { .. } => f.write_str("the giver no longer agrees"),
            ExhibitFact::Retained { authority, .. } => write!(f, "to be kept: {authority}"),
            ExhibitFact::Returned { officer, .. } => write!(f, "given back by {officer}"),
            ExhibitFact::Destroyed { authority, method, witness, .. } => {
                write!(f, "destroyed ({method}) on {authority}, witness {witness}")
            }
            ExhibitFact::Corrected { wrong, reason } => write!(f, "entry {wrong} is wrong: {reason}"),
        }
    }
}
