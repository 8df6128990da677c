//! Times as somebody wrote them, and what instant they can mean. Nothing is guessed: a time without its zone waits for a
//! person, a time that the clocks had twice is both instants, and one that they jumped over is none.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::at::At;

/// What instant a text means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// This one.
    Exact(At),
    /// A date and time without offset or zone.
    NeedsZone,
    /// A day and a month that can be taken either way round, such as `03/04/2026`.
    DayOrMonth,
    /// The clocks showed this time twice; the person says which.
    Twice(At, At),
    /// The clocks jumped over this time: it never was, so time or zone is wrong.
    Never,
    /// It is not read as a date and time.
    Unreadable,
    /// The zone is not known.
    UnknownZone,
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reading::Exact(at) => write!(f, "{at}"),
            Reading::NeedsZone => f.write_str("the time has no zone: find it in the source and state it"),
            Reading::DayOrMonth => f.write_str("day and month can be taken either way round: state the time anew"),
            Reading::Twice(a, b) => {
                write!(f, "the clocks showed this time twice ({a} and {b}): state which offset is meant")
            }
            Reading::Never => f.write_str("the clocks jumped over this time: time or zone is wrong; ask the source"),
            Reading::Unreadable => f.write_str("the time cannot be read: state it anew from the source"),
            Reading::UnknownZone => {
                f.write_str("the zone is not known: give an offset such as +01:00 or Europe/London")
            }
        }
    }
}

/// Reads a time, with the zone that stands apart from it or that a person stated: an offset (`+01:00`, `Z`, `UTC`) or a
/// name (`Europe/London`). A zone within the text counts before one beside it. Abbreviations other than UTC and GMT are
/// no zones: `IST` is three.
#[must_use]
pub fn read(text: &str, zone: Option<&str>) -> Reading {
    let text = text.trim();
    let spelled = match text.strip_suffix(" UTC").or_else(|| text.strip_suffix(" GMT")) {
        Some(rest) => format!("{rest}Z"),
        None => text.to_owned(),
    };
    if let Some(at) = At::read(&spelled).or_else(|| At::read(&spelled.replacen(' ', "T", 1).replace(' ', ""))) {
        return Reading::Exact(at);
    }
    let civil = match civil(text) {
        Ok(civil) => civil,
        Err(reading) => return reading,
    };
    let Some(zone) = zone.map(str::trim).filter(|zone| !zone.is_empty()) else { return Reading::NeedsZone };
    let Some(zone) = zone_of(zone) else { return Reading::UnknownZone };
    let instant = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok().map(At::from);
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => instant(offset).map_or(Reading::Unreadable, Reading::Exact),
        AmbiguousOffset::Gap { .. } => Reading::Never,
        AmbiguousOffset::Fold { before, after } => match (instant(before), instant(after)) {
            (Some(before), Some(after)) => Reading::Twice(before, after),
            _ => Reading::Unreadable,
        },
    }
}

/// A date and time without a zone. Day, month and year with slashes only where no other order is possible.
fn civil(text: &str) -> Result<DateTime, Reading> {
    if let Ok(civil) = text.replacen(' ', "T", 1).parse() {
        return Ok(civil);
    }
    let (date, time) = text.split_once(' ').ok_or(Reading::Unreadable)?;
    let parts: Vec<i16> = date.split('/').map(str::parse).collect::<Result<_, _>>().map_err(|_| Reading::Unreadable)?;
    let [a, b, year] = parts.as_slice() else { return Err(Reading::Unreadable) };
    let read = |day: i16, month: i16| format!("{year:04}-{month:02}-{day:02}T{}", time.trim()).parse::<DateTime>().ok();
    match (read(*a, *b), read(*b, *a)) {
        (Some(one), Some(other)) if one != other => Err(Reading::DayOrMonth),
        (Some(civil), _) | (None, Some(civil)) => Ok(civil),
        (None, None) => Err(Reading::Unreadable),
    }
}

fn zone_of(text: &str) -> Option<TimeZone> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return Some(TimeZone::UTC);
    }
    if text.starts_with(['+', '-']) {
        // An instant with this offset tells what the offset is worth.
        let zoned: jiff::Timestamp = format!("1970-01-02T00:00:00{text}").parse().ok()?;
        let seconds = 86_400i64.checked_sub(zoned.as_second())?;
        return jiff::tz::Offset::from_seconds(i32::try_from(seconds).ok()?).ok().map(TimeZone::fixed);
    }
    TimeZone::get(text).ok().filter(|_| text.contains('/'))
}
