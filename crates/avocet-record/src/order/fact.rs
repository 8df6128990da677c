//! What is recorded about an order.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::ids::{ExaminationId, ExhibitId, PersonId, UserId};
use crate::personal::Personal;

/// A condition or requirement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    /// Its number within the order, from 1.
    pub line: u32,
    /// The row of `order-lines.toml` that it is an instance of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
    /// Its words, as the order has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Personal<String>>,
}

/// Whether a line was kept when it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// It was kept.
    Kept,
    /// It was not.
    Broken,
    /// It could not be told.
    Unclear,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Held::Kept => "kept",
            Held::Broken => "broken",
            Held::Unclear => "unclear",
        })
    }
}

/// What was found of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineCheck {
    /// Which.
    pub line: u32,
    /// Whether it was kept.
    pub held: Held,
}

/// Whether the person was seen on a visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Yes.
    Yes,
    /// Nobody was there.
    NotThere,
    /// The visit was refused.
    Refused,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Seen::Yes => "seen",
            Seen::NotThere => "not there",
            Seen::Refused => "refused",
        })
    }
}

/// A fact about one order. Who recorded it and when stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderFact {
    /// It was made.
    Made {
        /// When.
        when: At,
        /// What it is: a row of `orders.toml`.
        kind: String,
        /// Who is under it, where they are on the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<PersonId>,
        /// Which court, or for notification requirements what they follow from.
        court: String,
        /// When it ends; none until further order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<At>,
        /// Its conditions or requirements.
        lines: Vec<OrderLine>,
    },
    /// It is other than before: these lines and this end now stand.
    Varied {
        /// When.
        when: At,
        /// Which court.
        court: String,
        /// When it ends; none until further order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<At>,
        /// Its conditions or requirements. A line that stays keeps its number.
        lines: Vec<OrderLine>,
    },
    /// Who manages the person from now on.
    OfficerNamed {
        /// Who.
        officer: UserId,
    },
    /// How often the person is to be visited.
    LevelStated {
        /// The level: a row of `visits.toml`.
        level: String,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Personal<String>>,
    },
    /// A visit was made.
    Visited {
        /// When.
        when: At,
        /// Who went.
        officer: UserId,
        /// Whether it had been announced.
        announced: bool,
        /// Whether the person was seen.
        seen: Seen,
        /// What was found of each line that was looked at.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineCheck>,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// The person notified what a line requires.
    Notified {
        /// When.
        when: At,
        /// Which line.
        line: u32,
        /// When the change happened that was notified.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<At>,
    },
    /// A device was examined, and the examination compared with that of the last check.
    DeviceChecked {
        /// When.
        when: At,
        /// The device.
        exhibit: ExhibitId,
        /// The examination.
        examination: ExaminationId,
        /// The examination that it was compared with; none the first time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<ExaminationId>,
        /// Pictures and videos that were there both times.
        same: u64,
        /// Those that are new.
        new: u64,
        /// Those that are gone.
        gone: u64,
    },
    /// The order was broken.
    Breached {
        /// When.
        when: At,
        /// Which line.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        line: Option<u32>,
        /// What happened.
        what: Personal<String>,
        /// What was done about it; no person's name.
        action: String,
    },
    /// What came of a breach.
    BreachSettled {
        /// When.
        when: At,
        /// Number of the breach's fact.
        breach: u64,
        /// What; no person's name.
        result: String,
    },
    /// It ended.
    Ended {
        /// When.
        when: At,
        /// How: expired, discharged, the person died or moved to another force.
        reason: String,
    },
    /// An earlier fact is wrong: it stays visible and no longer counts.
    Corrected {
        /// Number of the fact.
        wrong: u64,
        /// Why.
        reason: String,
    },
}

impl OrderFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            OrderFact::Made { .. } => "order-made",
            OrderFact::Varied { .. } => "order-varied",
            OrderFact::OfficerNamed { .. } => "order-officer-named",
            OrderFact::LevelStated { .. } => "order-level-stated",
            OrderFact::Visited { .. } => "order-visited",
            OrderFact::Notified { .. } => "order-notified",
            OrderFact::DeviceChecked { .. } => "order-device-checked",
            OrderFact::Breached { .. } => "order-breached",
            OrderFact::BreachSettled { .. } => "order-breach-settled",
            OrderFact::Ended { .. } => "order-ended",
            OrderFact::Corrected { .. } => "order-corrected",
        }
    }
}
