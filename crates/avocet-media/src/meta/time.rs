//! Times as cameras and programs write them.

use super::fact::{Key, Source};
use super::gather::Gather;

/// Two or four digits.
fn digits(text: &str, at: usize, len: usize) -> Option<u32> {
    let part = text.get(at..at.checked_add(len)?)?;
    part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
}

fn days_in(year: u32, month: u32) -> Option<u32> {
    Some(match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400) => 29,
        2 => 28,
        _ => return None,
    })
}

/// The zone at the end of a time, `Z`, `+02:00`; `None` where there is none.
pub(super) fn zone(text: &str) -> Option<&str> {
    let time = text.find(['T', ' ']).and_then(|n| text.get(n..))?;
    if time.ends_with('Z') {
        return time.get(time.len().checked_sub(1)?..);
    }
    let sign = time.rfind(['+', '-'])?;
    time.get(sign..).filter(|z| is_offset(z))
}

/// Whether this is `+hh:mm`, `-hh:mm` or `Z`.
pub(super) fn is_offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    text.starts_with(['+', '-'])
        && text.len() == 6
        && text.get(3..4) == Some(":")
        && digits(text, 1, 2).is_some_and(|h| h <= 15)
        && digits(text, 4, 2).is_some_and(|m| m < 60)
}

/// ISO 8601 of `YYYY:MM:DD hh:mm[:ss[.fff]]` or the same with `-` and `T`, with the zone the text ends in, else the one
/// given.
pub(super) fn iso(text: &str, offset: Option<&str>) -> Option<String> {
    let (year, month, day) = (digits(text, 0, 4)?, digits(text, 5, 2)?, digits(text, 8, 2)?);
    let (hour, minute) = (digits(text, 11, 2)?, digits(text, 14, 2)?);
    let [first, second, middle, third] = [4, 7, 10, 13].map(|n| text.as_bytes().get(n).copied().unwrap_or_default());
    let of_date = |b: u8| matches!(b, b':' | b'-' | b'/' | b'.');
    let good = of_date(first) && of_date(second) && matches!(middle, b' ' | b'T') && third == b':';
    if !good || day == 0 || day > days_in(year, month)? || hour > 23 || minute > 59 {
        return None;
    }
    let has_seconds = text.get(16..17) == Some(":");
    let second = if has_seconds { digits(text, 17, 2)? } else { 0 };
    if second > 60 {
        return None;
    }
    let mut out = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let tail = text.get(if has_seconds { 19 } else { 16 }..)?;
    let zone = zone(text);
    let tail = tail.strip_suffix(zone.unwrap_or_default())?;
    if let Some(fraction) = tail.strip_prefix('.').filter(|f| !f.is_empty()) {
        out.push('.');
        out.push_str(fraction.get(..fraction.len().min(9))?);
    }
    // Anything else behind the time makes it no time.
    if !tail.trim_start_matches('.').bytes().all(|b| b.is_ascii_digit()) || (!tail.is_empty() && !tail.starts_with('.'))
    {
        return None;
    }
    out.push_str(zone.or(offset.filter(|o| is_offset(o))).unwrap_or_default());
    Some(out)
}

/// Seconds since 1970 in EXIF's form, without a zone: cameras of that time had none.
pub(super) fn from_seconds(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400);
    let of_day = seconds.rem_euclid(86_400);
    // Days to civil date in the proleptic Gregorian calendar, years counted from March.
    let z = days.saturating_add(719_468);
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe.saturating_add(era.saturating_mul(400)).saturating_add(i64::from(month <= 2));
    format!("{year:04}:{month:02}:{day:02} {:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Whether a text states a time: cameras without a set clock write blanks and colons, or zeros. Zeros are kept as a
/// fact, blanks are none.
pub(super) fn is_set(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit() && b != b'0')
}

/// A time that may end in its zone: the text as stated, and the zone as a fact of its own.
pub(super) fn stated(out: &mut Gather, key: Key, source: Source, value: &str) {
    if !value.bytes().any(|b| b.is_ascii_alphanumeric()) {
        return;
    }
    let zone_key = match key {
        Key::Taken => Key::TakenOffset,
        Key::Digitised => Key::DigitisedOffset,
        _ => Key::ModifiedOffset,
    };
    if !out.has(key, source)
        && let Some(zone) = zone(value)
    {
        out.fact(zone_key, source, zone);
    }
    out.fact(key, source, value);
}
