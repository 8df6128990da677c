//! Times as pages say them.

use avocet_record::{At, Day};

fn written(at: At, format: &str) -> String {
    match at.timestamp().in_tz(Day::ZONE) {
        Ok(zoned) => zoned.strftime(format).to_string(),
        Err(_) => at.to_string(),
    }
}

/// `23 Nov 2026, 14:05 (UK)`
pub fn uk(at: At) -> String {
    written(at, "%-d %b %Y, %H:%M (UK)")
}

/// `23 Nov 2026`
pub fn day(at: At) -> String {
    written(at, "%-d %b %Y")
}

/// As the field of a form holds it.
pub fn uk_input(at: At) -> String {
    written(at, "%Y-%m-%dT%H:%M")
}

/// `due in 3 h 20 min`, `2 days late`. Rounded down, so that there is never less time left than it says.
pub fn due(due: At, now: At) -> String {
    let left = i128::from(due.ns()) - i128::from(now.ns());
    let minutes = left.abs() / 60_000_000_000;
    let span = match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2880 if minutes % 60 == 0 => format!("{} h", minutes / 60),
        60..2880 => format!("{} h {} min", minutes / 60, minutes % 60),
        _ => format!("{} days", minutes / 1440),
    };
    if left < 0 { format!("{span} late") } else { format!("due in {span}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_people_here_say_it() {
        let at = |text: &str| At::read(text).unwrap();
        assert_eq!(uk(at("2026-11-23T14:05Z")), "23 Nov 2026, 14:05 (UK)");
        assert_eq!(uk(at("2026-07-01T23:30Z")), "2 Jul 2026, 00:30 (UK)");
        assert_eq!(uk_input(at("2026-07-01T08:30Z")), "2026-07-01T09:30");
        let now = at("2026-11-23T12:00Z");
        assert_eq!(due(at("2026-11-23T15:20:59Z"), now), "due in 3 h 20 min");
        assert_eq!(due(at("2026-11-21T11:59Z"), now), "2 days late");
        assert_eq!(due(at("2026-11-23T11:59:30Z"), now), "less than a minute late");
    }
}
