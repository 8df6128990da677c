//! What is recorded about one person.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::PersonId;
use crate::personal::Personal;

/// As what somebody belongs to an investigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonRole {
    /// Suspected; nothing more is said by it.
    Suspect,
    /// A child.
    Child,
    /// A parent, or who has a parent's place.
    Parent,
    /// A witness.
    Witness,
    /// Somebody else.
    Other,
}

impl fmt::Display for PersonRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PersonRole::Suspect => "suspect",
            PersonRole::Child => "child",
            PersonRole::Parent => "parent",
            PersonRole::Witness => "witness",
            PersonRole::Other => "other",
        })
    }
}

/// Yes, no, or asked and not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Yes {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not known.
    Unknown,
}

impl fmt::Display for Yes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Yes::Yes => "yes",
            Yes::No => "no",
            Yes::Unknown => "not known",
        })
    }
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// Works for an employer.
    Employment,
    /// Works for themselves.
    SelfEmployment,
    /// Does something unpaid.
    Volunteering,
    /// Studies or is being trained.
    Training,
}

impl fmt::Display for WorkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WorkKind::Employment => "employment",
            WorkKind::SelfEmployment => "self-employment",
            WorkKind::Volunteering => "volunteering",
            WorkKind::Training => "training",
        })
    }
}

/// What one person is to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// Lives in the same household.
    Household,
    /// Is a parent of, or has a parent's place.
    ParentOf,
    /// Is the partner of.
    PartnerOf,
    /// Is related to in another way.
    RelatedTo,
    /// Is with them regularly, without living there.
    RegularContact,
    /// Is with them only while somebody else is there.
    SupervisedContact,
    /// Is in touch over a network.
    OnlineContact,
    /// Knows them in another way.
    Knows,
}

impl LinkKind {
    /// Whether it means that the two are with one another or can be.
    #[must_use]
    pub fn is_contact(self) -> bool {
        !matches!(self, LinkKind::PartnerOf | LinkKind::RelatedTo | LinkKind::Knows)
    }
}

impl fmt::Display for LinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LinkKind::Household => "in one household with",
            LinkKind::ParentOf => "parent of",
            LinkKind::PartnerOf => "partner of",
            LinkKind::RelatedTo => "related to",
            LinkKind::RegularContact => "regularly with",
            LinkKind::SupervisedContact => "supervised contact with",
            LinkKind::OnlineContact => "in touch online with",
            LinkKind::Knows => "knows",
        })
    }
}

/// A fact about one person. Who recorded it and when stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum PersonFact {
    /// The person's record begins.
    Made {
        /// When the team first knew of them.
        known: At,
        /// As what.
        roles: BTreeSet<PersonRole>,
        /// Whether nobody can say who it is: seen in media or spoken of, and without a name.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unidentified: bool,
    },
    /// They are known to be something else too, or not.
    RolesStated {
        /// All their roles from now on.
        roles: BTreeSet<PersonRole>,
        /// Why; no person's name.
        reason: String,
    },
    /// What identifies them. What is given takes the place of what was given before; what is not given stays.
    Described {
        /// Their name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<Personal<String>>,
        /// When they were born, or about when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        born: Option<Personal<String>>,
        /// How they are reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<Personal<String>>,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// They live or stay somewhere, or did.
    Address {
        /// Number of the address among theirs, from 1; stated again it takes the earlier one's place.
        address: u32,
        /// The address.
        text: Personal<String>,
        /// The local authority whose area it is in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<String>,
        /// Until when, where that is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<At>,
    },
    /// What they are to another person of the record.
    Linked {
        /// The other.
        other: PersonId,
        /// What they are to them.
        link: LinkKind,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// That is over, or was never so.
    LinkEnded {
        /// The other.
        other: PersonId,
        /// What they were to them.
        link: LinkKind,
        /// Why; no person's name.
        reason: String,
    },
    /// What they do, paid or not.
    Work {
        /// Number of it among theirs, from 1; stated again it takes the earlier one's place.
        work: u32,
        /// How.
        kind: WorkKind,
        /// When the team first knew of it.
        known: At,
        /// Whether they work with children.
        with_children: Yes,
        /// Whether it is a position of trust.
        trust: Yes,
        /// The local authority in whose area they work: not where they live.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<String>,
        /// What and for whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<Personal<String>>,
    },
    /// They no longer do it.
    WorkEnded {
        /// Which.
        work: u32,
        /// Since when.
        when: At,
    },
    /// Another record is of the same person. Both stay as they are.
    SameAs {
        /// The other.
        other: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// Another record is not of the same person after all.
    NotSameAs {
        /// The other.
        other: PersonId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// An earlier fact is wrong. It stays visible and no longer counts.
    Corrected {
        /// Number of the wrong fact.
        wrong: u64,
        /// Why; no person's name.
        reason: String,
    },
}

impl PersonFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            PersonFact::Made { .. } => "person-made",
            PersonFact::RolesStated { .. } => "person-roles-stated",
            PersonFact::Described { .. } => "person-described",
            PersonFact::Address { .. } => "person-address-stated",
            PersonFact::Linked { .. } => "person-linked",
            PersonFact::LinkEnded { .. } => "person-link-ended",
            PersonFact::Work { .. } => "person-work-stated",
            PersonFact::WorkEnded { .. } => "person-work-ended",
            PersonFact::SameAs { .. } => "person-same-as",
            PersonFact::NotSameAs { .. } => "person-not-same-as",
            PersonFact::Corrected { .. } => "person-corrected",
        }
    }

    /// The other person that it is about.
    #[must_use]
    pub fn other(&self) -> Option<PersonId> {
        match self {
            PersonFact::Linked { other, .. }
            | PersonFact::LinkEnded { other, .. }
            | PersonFact::SameAs { other, .. }
            | PersonFact::NotSameAs { other, .. } => Some(*other),
            _ => None,
        }
    }
}
