//! When something was recorded or happened, and the envelope of a recorded fact.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::UserId;

/// An instant: nanoseconds since 1970-01-01T00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct At(i64);

impl At {
    /// The instant that lies `ns` nanoseconds after 1970.
    #[must_use]
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since 1970 UTC.
    #[must_use]
    pub const fn ns(self) -> i64 {
        self.0
    }

    /// Now, by the system's clock.
    #[must_use]
    pub fn now() -> Self {
        jiff::Timestamp::now().into()
    }

    /// Reads date, time and offset or zone: `2026-11-20T09:30Z`, `2026-11-20T09:30[Europe/London]`. `None` for a time
    /// without either: it is not guessed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let instant = text.parse::<jiff::Timestamp>().ok();
        instant.or_else(|| text.parse::<jiff::Zoned>().ok().map(|zoned| zoned.timestamp())).map(Self::from)
    }

    /// The same instant for calendar arithmetic.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        // Every i64 of nanoseconds lies within the years that a timestamp can hold.
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl From<jiff::Timestamp> for At {
    /// Instants outside 1677 to 2262 are moved to the nearest end: no record of ours can mean them.
    fn from(timestamp: jiff::Timestamp) -> Self {
        let ns = timestamp.as_nanosecond();
        Self(i64::try_from(ns).unwrap_or(if ns < 0 { i64::MIN } else { i64::MAX }))
    }
}

/// As UTC in the form of ISO 8601; pages say "(UK)" times through their own formatter.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.timestamp())
    }
}

/// A fact as it stands on the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<F> {
    /// Its number on the ledger; later is larger.
    pub seq: u64,
    /// When it was recorded (not when it happened, which the fact itself states where it matters).
    pub at: At,
    /// Who recorded it.
    pub by: UserId,
    /// What was recorded.
    pub fact: F,
}
