//! Photoshop's image resources (Adobe Photoshop file format, "Image Resource Blocks") and IPTC-IIM 4.2 in them.

use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::view::{Order, index, rest, slice};
use super::{text, tiff, xmp};

/// A run of `8BIM` resources.
pub(super) fn resources(data: &[u8], out: &mut Gather) {
    let mut at = 0usize;
    while slice(data, at, 4).is_some_and(|m| m == b"8BIM" || m == b"PHUT" || m == b"MeSa") {
        let Some((id, name)) = Order::Big.u16(data, at.saturating_add(4)).zip(data.get(at.saturating_add(6))) else {
            break;
        };
        // A Pascal string and the data, each padded to an even length.
        let name = usize::from(*name).saturating_add(1).next_multiple_of(2);
        let size_at = at.saturating_add(6).saturating_add(name);
        let Some(size) = Order::Big.u32(data, size_at).map(index) else { break };
        let from = size_at.saturating_add(4);
        let Some(body) = slice(data, from, size) else {
            out.problem(ProblemCode::Truncated, at);
            return;
        };
        match id {
            0x0404 => records(body, out),
            0x0422 => tiff::exif(body, out),
            0x0424 => xmp::read(body, out),
            _ => {}
        }
        at = from.saturating_add(size.saturating_add(size % 2));
    }
    if rest(data, at).len() > 12 && rest(data, at).iter().any(|b| *b != 0) {
        out.problem(ProblemCode::Truncated, at);
    }
}

fn clean_digits(bytes: &[u8], from: usize, len: usize) -> Option<&str> {
    let part = std::str::from_utf8(slice(bytes, from, len)?).ok()?;
    part.bytes().all(|b| b.is_ascii_digit()).then_some(part)
}

/// `CCYYMMDD` with the colons of EXIF.
fn date(bytes: &[u8]) -> Option<String> {
    let [y, m, d] = [clean_digits(bytes, 0, 4)?, clean_digits(bytes, 4, 2)?, clean_digits(bytes, 6, 2)?];
    (y != "0000").then(|| format!("{y}:{m}:{d}"))
}

/// `HHMMSS±HHMM` with colons, and its zone.
fn time(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let [h, m, s] = [clean_digits(bytes, 0, 2)?, clean_digits(bytes, 2, 2)?, clean_digits(bytes, 4, 2)?];
    let sign = bytes.get(6).filter(|b| matches!(b, b'+' | b'-'));
    let zone = sign.and_then(|sign| {
        let [zh, zm] = [clean_digits(bytes, 7, 2)?, clean_digits(bytes, 9, 2)?];
        Some(format!("{}{zh}:{zm}", char::from(*sign)))
    });
    Some((format!("{h}:{m}:{s}{}", zone.as_deref().unwrap_or_default()), zone))
}

/// The data sets of IPTC-IIM: date and time of creation (2:55, 2:60), of digitising (2:62, 2:63), author (2:80).
pub(super) fn records(data: &[u8], out: &mut Gather) {
    if !out.may_read_block(0) || !out.may_read_text(data.len()) {
        return;
    }
    let (mut taken, mut digitised) = (Moment::default(), Moment::default());
    let mut at = 0usize;
    while data.get(at) == Some(&0x1c) {
        let Some((number, size)) = slice(data, at.saturating_add(1), 2).zip(Order::Big.u16(data, at.saturating_add(3)))
        else {
            break;
        };
        let mut from = at.saturating_add(5);
        let mut size = usize::from(size);
        // Extended data sets state the length of their length. None of those read here needs one.
        if size & 0x8000 != 0 {
            let width = size & 0x7fff;
            let Some(bytes) = slice(data, from, width).filter(|b| b.len() <= 4) else { break };
            size = bytes.iter().fold(0, |n: usize, b| n << 8 | usize::from(*b));
            from = from.saturating_add(width);
        }
        let Some(body) = slice(data, from, size) else {
            out.problem(ProblemCode::Truncated, at);
            break;
        };
        match number {
            [2, 55] => taken.date = date(body),
            [2, 60] => taken.time = time(body),
            [2, 62] => digitised.date = date(body),
            [2, 63] => digitised.time = time(body),
            [2, 80] => out.fact(Key::Artist, Source::Iptc, text::from_bytes(body)),
            _ => {}
        }
        at = from.saturating_add(size);
    }
    taken.emit(Key::Taken, Key::TakenOffset, out);
    digitised.emit(Key::Digitised, Key::DigitisedOffset, out);
}

#[derive(Default)]
struct Moment {
    date: Option<String>,
    time: Option<(String, Option<String>)>,
}

impl Moment {
    /// Date and time in EXIF's form, the digits as stated; a date alone is one too, a time alone is none.
    fn emit(self, key: Key, offset: Key, out: &mut Gather) {
        let Some(date) = self.date else { return };
        match self.time {
            Some((time, zone)) => {
                if !out.has(key, Source::Iptc) {
                    out.fact(offset, Source::Iptc, zone.unwrap_or_default());
                }
                out.fact(key, Source::Iptc, format!("{date} {time}"));
            }
            None => out.fact(key, Source::Iptc, date),
        }
    }
}
