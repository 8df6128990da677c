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

/// As UTC in the form of ISO 8601; pages say "(UK)" times through their own formatter. `{:.0}` writes whole seconds.
impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

/// A date of the calendar, `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(jiff::civil::Date);

/// Why a text is no date.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no date; write it as YYYY-MM-DD")]
pub struct DayError(String);

impl Day {
    /// The zone whose midnights bound a day: that of the forces that the tables are written for.
    pub const ZONE: &'static str = "Europe/London";

    /// The first instant of the day in [`Day::ZONE`].
    #[must_use]
    pub fn begin(self) -> At {
        // Every date has a first instant in a zone that is built in.
        self.0.in_tz(Self::ZONE).map_or(At::from_ns(i64::MAX), |zoned| zoned.timestamp().into())
    }

    /// The day so many days later.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default()))
    }

    /// The day in which an instant lies in [`Day::ZONE`].
    #[must_use]
    pub fn of(at: At) -> Self {
        let zoned = at.timestamp().in_tz(Self::ZONE);
        Self(zoned.map_or_else(|_| at.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date(), |zoned| zoned.date()))
    }

    /// How many days lie between this day and a later one; negative where that is earlier.
    #[must_use]
    pub fn until(self, later: Self) -> i64 {
        self.0.until(later.0).map_or(0, |span| i64::from(span.get_days()))
    }

    /// As a page writes it: `1 June 2025`.
    #[must_use]
    pub fn in_words(self) -> String {
        self.0.strftime("%-d %B %Y").to_string()
    }
}

impl std::str::FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let read = Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
        read.map(Self).ok_or_else(|| DayError(text.to_owned()))
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
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

impl<F> Recorded<F> {
    /// The same envelope around something else.
    #[must_use]
    pub fn with<G>(&self, fact: G) -> Recorded<G> {
        Recorded { seq: self.seq, at: self.at, by: self.by, fact }
    }
}
