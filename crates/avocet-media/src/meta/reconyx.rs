//! Maker notes of Reconyx trail cameras: fixed layouts without tags, little-endian.

use super::fact::{Key, Source};
use super::gather::Gather;
use super::view::{Order, slice};
use super::{text, time};

const LE: Order = Order::Little;

/// Reads the note if it is Reconyx's; whether it is.
pub(super) fn read(note: &[u8], make: &str, out: &mut Gather) -> bool {
    if note.starts_with(b"RECONYXH2\0") {
        // HyperFire 2: second, minute, hour, day, month, year; serial number in UTF-16.
        taken(words(note, 0x3e, [5, 4, 3, 2, 1, 0]), out);
        serial_utf16(note, 0x7e, out);
    } else if note.starts_with(b"RECONYXUF\0") {
        // UltraFire: the same in bytes, the year in two.
        let part = |n: usize| note.get(0x3b_usize.saturating_add(n)).map(|b| u16::from(*b));
        taken((|| Some([LE.u16(note, 0x40)?, part(4)?, part(3)?, part(2)?, part(1)?, part(0)?]))(), out);
        let serial = slice(note, 0x4b, 15).unwrap_or_default();
        if text::is_plain(serial) {
            out.text(Key::BodySerial, Source::MakerNote, serial);
        }
    } else if note.starts_with(&[0x01, 0xf1])
        && (matches!(note.get(2..4), Some([2 | 3, 0])) || make.eq_ignore_ascii_case("RECONYX"))
    {
        // HyperFire: words; the time runs second, minute, hour, month, day, year.
        taken(words(note, 0x16, [5, 3, 4, 2, 1, 0]), out);
        serial_utf16(note, 0x2a, out);
    } else {
        return false;
    }
    true
}

/// Six words from `at`, taken in the order year, month, day, hour, minute, second. Some firmware writes them
/// big-endian among little-endian ones.
fn words(note: &[u8], at: usize, order: [usize; 6]) -> Option<[u16; 6]> {
    let raw = slice(note, at, 12)?;
    let swapped = LE.u16(raw, 0).is_some_and(|n| n > 0xff && n & 0xff == 0);
    let byte_order = if swapped { Order::Big } else { LE };
    let mut out = [0; 6];
    for (to, n) in out.iter_mut().zip(order) {
        *to = byte_order.u16(raw, n.checked_mul(2)?)?;
    }
    Some(out)
}

fn taken(parts: Option<[u16; 6]>, out: &mut Gather) {
    if let Some([year, month, day, hour, minute, second]) = parts {
        let value = format!("{year:04}:{month:02}:{day:02} {hour:02}:{minute:02}:{second:02}");
        if time::iso(&value, None).is_some() {
            out.fact(Key::Taken, Source::MakerNote, value);
        }
    }
}

fn serial_utf16(note: &[u8], at: usize, out: &mut Gather) {
    let units = slice(note, at, 30).unwrap_or_default().chunks_exact(2).filter_map(|c| LE.u16(c, 0));
    let value = text::from_utf16(units);
    if value.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        out.fact(Key::BodySerial, Source::MakerNote, value);
    }
}
