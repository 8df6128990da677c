//! What is recorded about one line of safeguarding.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::PersonId;
use crate::personal::Personal;
use crate::risk::SafeguardingAction;

/// For whom, or because of what work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// For a child.
    Child {
        /// Who.
        child: PersonId,
    },
    /// Because of what somebody does, paid or not.
    Work {
        /// Who does it.
        person: PersonId,
        /// Number of it among theirs.
        work: u32,
    },
}

impl Subject {
    /// The person that it is about.
    #[must_use]
    pub fn person(&self) -> PersonId {
        match self {
            Subject::Child { child } => *child,
            Subject::Work { person, .. } => *person,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Child { child } => write!(f, "{child}"),
            Subject::Work { person, work } => write!(f, "{person} work {work}"),
        }
    }
}

/// Under what a child is protected at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protection {
    /// Police protection.
    Police,
    /// A court's emergency protection order.
    EmergencyOrder,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protection::Police => "police protection",
            Protection::EmergencyOrder => "emergency protection order",
        })
    }
}

/// What kind of body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Children's social care, or the hub through which it is told.
    SocialCare,
    /// The designated officer of the local authority in whose area somebody works.
    DesignatedOfficer,
    /// A school or nursery.
    School,
    /// A health service.
    Health,
    /// An employer, a regulator, a club.
    Employer,
    /// Another force or agency.
    Police,
    /// Another body.
    Other,
}

impl fmt::Display for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Body::SocialCare => "children's social care",
            Body::DesignatedOfficer => "designated officer",
            Body::School => "school",
            Body::Health => "health service",
            Body::Employer => "employer or club",
            Body::Police => "other force or agency",
            Body::Other => "other body",
        })
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SafeguardingOutcome {
    /// The child is safe by what was done.
    MadeSafe,
    /// The child was seen and is safe; nothing more was needed.
    FoundSafe,
    /// A plan stands.
    Plan,
    /// The work was ended or suspended.
    WorkStopped,
    /// Substantiated, in a matter of work.
    Substantiated,
    /// Not substantiated, or unfounded.
    NotSubstantiated,
    /// No further action by that body.
    NoFurtherAction,
    /// Something else, in the note.
    Other,
}

impl fmt::Display for SafeguardingOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SafeguardingOutcome::MadeSafe => "made safe",
            SafeguardingOutcome::FoundSafe => "seen and found safe",
            SafeguardingOutcome::Plan => "a plan stands",
            SafeguardingOutcome::WorkStopped => "work ended or suspended",
            SafeguardingOutcome::Substantiated => "substantiated",
            SafeguardingOutcome::NotSubstantiated => "not substantiated",
            SafeguardingOutcome::NoFurtherAction => "no further action by that body",
            SafeguardingOutcome::Other => "other outcome",
        })
    }
}

/// A fact about one line of safeguarding: one body told, or one power used. Who recorded it and when stand around it;
/// `when` is when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum SafeguardingFact {
    /// A child is protected at once.
    Protected {
        /// When that began.
        when: At,
        /// Under what.
        protection: Protection,
        /// Until when, where an order states it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<At>,
        /// Who decided or which court; no person's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authority: Option<String>,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// The protection ended.
    ProtectionEnded {
        /// When.
        when: At,
        /// How: released to whom, another order made; no person's name.
        how: String,
    },
    /// A body was told.
    Sent {
        /// When.
        when: At,
        /// What kind of body.
        to: Body,
        /// Its name, such as a council's; no person's name.
        body: String,
        /// The local authority whose area it is for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<String>,
        /// How: by telephone, by form.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<String>,
        /// What was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        what: Option<Personal<String>>,
    },
    /// It says that it has it.
    Acknowledged {
        /// When.
        when: At,
        /// Its reference.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// A strategy discussion was held.
    Discussed {
        /// When.
        when: At,
        /// The bodies that took part.
        bodies: Vec<String>,
        /// What was decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decision: Option<Personal<String>>,
    },
    /// Something was shared.
    Shared {
        /// When.
        when: At,
        /// With which body.
        with: String,
        /// Under what: a row of `sharing-powers.toml`.
        power: String,
        /// What.
        what: Personal<String>,
    },
    /// The child was seen, moved or kept away from somebody, without one of the powers above.
    Acted {
        /// When.
        when: At,
        /// What was done; no person's name.
        action: SafeguardingAction,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// It is to be done by then.
    TargetSet {
        /// When it is to be done.
        due: At,
    },
    /// It was looked at again.
    Reviewed {
        /// When.
        when: At,
        /// What was found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// Something came of it.
    Outcome {
        /// When.
        when: At,
        /// What.
        outcome: SafeguardingOutcome,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// Nothing more is to be done here.
    Closed {
        /// When.
        when: At,
        /// Why; no person's name.
        reason: String,
    },
    /// An earlier fact is wrong. It stays visible and no longer counts.
    Corrected {
        /// Number of the wrong fact.
        wrong: u64,
        /// Why; no person's name.
        reason: String,
    },
}

impl SafeguardingFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            SafeguardingFact::Protected { .. } => "child-protected",
            SafeguardingFact::ProtectionEnded { .. } => "child-protection-ended",
            SafeguardingFact::Sent { .. } => "safeguarding-sent",
            SafeguardingFact::Acknowledged { .. } => "safeguarding-acknowledged",
            SafeguardingFact::Discussed { .. } => "strategy-discussed",
            SafeguardingFact::Shared { .. } => "safeguarding-shared",
            SafeguardingFact::Acted { .. } => "child-made-safe",
            SafeguardingFact::TargetSet { .. } => "safeguarding-target-set",
            SafeguardingFact::Reviewed { .. } => "safeguarding-reviewed",
            SafeguardingFact::Outcome { .. } => "safeguarding-outcome",
            SafeguardingFact::Closed { .. } => "safeguarding-closed",
            SafeguardingFact::Corrected { .. } => "safeguarding-corrected",
        }
    }

    /// Whether anybody at work may record it at once, on the investigation or not: nothing delays protecting a child.
    #[must_use]
    pub fn is_urgent(&self) -> bool {
        !matches!(
            self,
            SafeguardingFact::TargetSet { .. }
                | SafeguardingFact::Reviewed { .. }
                | SafeguardingFact::Outcome { .. }
                | SafeguardingFact::Closed { .. }
                | SafeguardingFact::Corrected { .. }
        )
    }
}
