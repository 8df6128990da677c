//! Serial numbers, lenses and owners out of makers' own blocks inside EXIF ("maker notes").
//!
//! Makers publish none of this; the layouts and tag numbers are the facts that the public tag tables (ExifTool's tag
//! name documentation, exiv2.org) agree on. A maker note whose layout is not known here is reported.

use super::directory::{self, Directory, Entry};
use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::view::{Order, find, index, rest, slice};
use super::{reconyx, text};

/// A maker note in its EXIF block.
pub(super) struct Note<'a> {
    /// The whole EXIF block: most offsets count from its beginning.
    pub data: &'a [u8],
    /// Where the note lies in it.
    pub at: usize,
    /// Bytes of the note.
    pub len: usize,
    /// Byte order of the EXIF block.
    pub order: Order,
    /// Camera as the main directory names it.
    pub make: &'a str,
    /// Its model.
    pub model: &'a str,
}

/// How a tag's value becomes text.
#[derive(Clone, Copy)]
enum Form {
    Text,
    /// Text that may follow `NO= ` (early Nikon).
    NikonNumber,
    /// A number as Canon prints it on the body.
    CanonNumber,
    /// A plain number.
    Number,
    /// Bytes as hexadecimal, nothing where all are 0.
    Hex,
    /// The first five bytes as hexadecimal, nothing where all are 0 (Canon's lens block).
    Hex5,
    /// Text where it is text, hexadecimal where it is not (Ricoh).
    TextElseHex,
    /// A directory of its own (Olympus).
    Equipment,
}

type Table = &'static [(u16, Key, Form)];

const CANON: Table = &[
    (0x0009, Key::OwnerName, Form::Text),
    (0x000c, Key::BodySerial, Form::CanonNumber),
    (0x0028, Key::UniqueId, Form::Hex),
    (0x0095, Key::LensModel, Form::Text),
    (0x0096, Key::InternalSerial, Form::Text),
    (0x4019, Key::LensSerial, Form::Hex5),
];
const NIKON: Table = &[(0x001d, Key::BodySerial, Form::NikonNumber), (0x00a0, Key::BodySerial, Form::NikonNumber)];
const OLYMPUS: Table = &[
    (0x0404, Key::BodySerial, Form::Text),
    (0x101a, Key::BodySerial, Form::Text),
    (0x2010, Key::BodySerial, Form::Equipment),
];
const OLYMPUS_EQUIPMENT: Table = &[
    (0x0101, Key::BodySerial, Form::Text),
    (0x0102, Key::InternalSerial, Form::Text),
    (0x0202, Key::LensSerial, Form::Text),
    (0x0203, Key::LensModel, Form::Text),
];
const PANASONIC: Table = &[
    (0x0025, Key::InternalSerial, Form::Text),
    (0x0051, Key::LensModel, Form::Text),
    (0x0052, Key::LensSerial, Form::Text),
];
const LEICA: Table = &[(0x0305, Key::BodySerial, Form::Number), (0x0500, Key::InternalSerial, Form::Text)];
const FUJI: Table = &[(0x0010, Key::InternalSerial, Form::Text)];
const PENTAX: Table = &[(0x0229, Key::BodySerial, Form::Text)];
const RICOH: Table = &[(0x0005, Key::InternalSerial, Form::TextElseHex)];
const SIGMA: Table = &[(0x0002, Key::BodySerial, Form::Text)];
const APPLE: Table = &[(0x0015, Key::UniqueId, Form::Text)];
const MOTOROLA: Table = &[(0x5501, Key::BodySerial, Form::Text)];
const SAMSUNG: Table = &[(0xa002, Key::BodySerial, Form::Text), (0xa005, Key::LensSerial, Form::Text)];

/// Where a note's directory begins (in the note), what its offsets count from, and its tags.
struct Layout {
    at: usize,
    /// Offsets count from the note and this many bytes; `None`: from the EXIF block.
    base: Option<i64>,
    order: Order,
    table: Table,
}

fn layout(note: &Note<'_>, bytes: &[u8]) -> Option<Layout> {
    let mark = |at: usize| Order::from_mark(bytes, at).unwrap_or(note.order);
    let starts = |text: &[u8]| bytes.starts_with(text);
    let layout = |at, base, order, table| Some(Layout { at, base, order, table });
    if starts(b"Apple iOS\0") {
        layout(14, Some(0), mark(12), APPLE)
    } else if starts(b"Nikon\0\x01") {
        layout(8, None, note.order, NIKON)
    } else if starts(b"Nikon\0") {
        // A TIFF header of its own follows.
        let order = Order::from_mark(bytes, 10)?;
        layout(index(order.u32(bytes, 14)?).checked_add(10)?, Some(10), order, NIKON)
    } else if starts(b"OLYMP\0") || starts(b"EPSON\0") || starts(b"MINOL\0") || starts(b"CAMER\0") {
        layout(8, None, note.order, OLYMPUS)
    } else if starts(b"OLYMPUS\0") {
        layout(12, Some(0), mark(8), OLYMPUS)
    } else if starts(b"OM SYSTEM\0") {
        layout(16, Some(0), mark(12), OLYMPUS)
    } else if starts(b"Panasonic\0") {
        layout(12, None, note.order, PANASONIC)
    } else if starts(b"LEICA CAMERA AG\0") {
        layout(18, None, note.order, PANASONIC)
    } else if starts(b"LEICA\0") {
        layout(8, None, note.order, if note.make == "LEICA" { PANASONIC } else { LEICA })
    } else if starts(b"FUJIFILM") || starts(b"GENERALE") {
        layout(index(Order::Little.u32(bytes, 8)?), Some(0), Order::Little, FUJI)
    } else if starts(b"AOC\0") {
        layout(6, None, mark(4), PENTAX)
    } else if starts(b"PENTAX \0") {
        layout(10, Some(0), mark(8), PENTAX)
    } else if starts(b"RICOH\0II") || starts(b"RICOH\0MM") {
        layout(8, Some(0), mark(6), PENTAX)
    } else if starts(b"Ricoh") || starts(b"RICOH") {
        layout(8, None, note.order, RICOH)
    } else if starts(b"SIGMA\0") || starts(b"FOVEON") {
        layout(10, None, note.order, SIGMA)
    } else if starts(b"MOT\0") {
        layout(8, Some(0), note.order, MOTOROLA)
    } else if note.make.starts_with("Canon") {
        layout(0, None, note.order, CANON)
    } else if note.make.get(..5).is_some_and(|m| m.eq_ignore_ascii_case("nikon")) {
        layout(0, None, note.order, NIKON)
    } else if note.make.get(..7).is_some_and(|m| m.eq_ignore_ascii_case("samsung")) {
        layout(0, None, note.order, SAMSUNG)
    } else {
        None
    }
}

/// Reads a maker note.
pub(super) fn read(note: &Note<'_>, out: &mut Gather) {
    let Some(bytes) = slice(note.data, note.at, note.len) else { return };
    if bytes.iter().all(|b| *b == 0) || reconyx::read(bytes, note.make, out) || hewlett_packard(note, bytes, out) {
        return;
    }
    let Some(layout) = layout(note, bytes) else {
        out.problem(ProblemCode::MakerNoteUnknown, note.at);
        return;
    };
    let from_note = i64::try_from(note.at).unwrap_or(i64::MAX);
    let mut bases = vec![layout.base.map_or(0, |b| from_note.saturating_add(b))];
    // Canon ends its notes with the place they were written at: moved notes give themselves away.
    if note.make.starts_with("Canon")
        && let Some(tail) = note.len.checked_sub(8).map(|n| rest(bytes, n))
        && let Some(order) = Order::from_mark(tail, 0).filter(|o| o.u16(tail, 2) == Some(42))
        && let Some(written) = order.u32(tail, 4).filter(|n| *n != 0)
    {
        bases.insert(0, from_note.saturating_sub(i64::from(written)));
    }
    bases.push(if layout.base.is_none() { from_note } else { 0 });
    let at = note.at.saturating_add(layout.at);
    let order = likely_order(note.data, at, layout.order);
    if let Some(directory) = directory::read_fitting(note.data, at, &bases, order, out) {
        tags(note.data, &directory, &bases, layout.table, note.model, out);
    }
}

/// A directory has more than 0 and fewer than 256 entries in the right byte order; programs that rewrite EXIF in the
/// other order leave the note as it is.
fn likely_order(data: &[u8], at: usize, order: Order) -> Order {
    let fits = |o: Order| o.u16(data, at).is_some_and(|n| (1..256).contains(&n));
    if !fits(order) && fits(order.other()) { order.other() } else { order }
}

/// Canon CR3 keeps the maker's tags in a TIFF structure of their own.
pub(super) fn canon_block(data: &[u8], at: usize, order: Order, out: &mut Gather) {
    if let Some(directory) = directory::read(data, at, 0, order, out) {
        tags(data, &directory, &[0], CANON, "", out);
    }
}

fn tags(data: &[u8], directory: &Directory<'_>, bases: &[i64], table: Table, model: &str, out: &mut Gather) {
    for e in &directory.entries {
        let Some((_, key, form)) = table.iter().find(|t| t.0 == e.tag) else { continue };
        if matches!(form, Form::Equipment) {
            // As a pointer in later cameras, as the directory itself in earlier ones.
            let base = bases.first().copied().unwrap_or_default();
            let at = match e.kind {
                4 | 13 => e.number().and_then(|n| usize::try_from(base.saturating_add(i64::from(n))).ok()),
                _ => Some(e.value_at),
            };
            if let Some(at) = at
                && let Some(inner) = directory::read_fitting(data, at, bases, e.order, out)
            {
                // One level only: the table of the inner directory has no directories.
                tags(data, &inner, bases, OLYMPUS_EQUIPMENT, model, out);
            }
            continue;
        }
        match e.value {
            Some(_) => out.fact(*key, Source::MakerNote, shaped(e, *form, model)),
            None => out.problem(ProblemCode::ValueOutside, e.value_at),
        }
    }
}

fn shaped(e: &Entry<'_>, form: Form, model: &str) -> String {
    let all = e.value.unwrap_or_default();
    let value = text::from_nul(all);
    let hex = |bytes: &[u8]| if bytes.iter().all(|b| *b == 0) { String::new() } else { text::hex(bytes) };
    // A serial number is printable; what is not is a value read from the wrong place.
    let plain = || if text::is_plain(value) { text::from_bytes(value) } else { String::new() };
    match form {
        Form::Text => match e.number().filter(|_| matches!(e.kind, 3 | 4 | 9)) {
            Some(n) => n.to_string(),
            None => plain(),
        },
        Form::NikonNumber => {
            let value = plain();
            let number = value.strip_prefix("NO=").or(value.strip_prefix("No="));
            number.unwrap_or(&value).trim().to_owned()
        }
        Form::CanonNumber => match e.number() {
            None | Some(0) => String::new(),
            Some(n) if model.contains("EOS D30") => format!("{:04x}{:05}", n >> 16, n & 0xffff),
            Some(n) if model.contains("EOS-1D") => format!("{n:06}"),
            Some(n) => format!("{n:010}"),
        },
        Form::Number => e.number().filter(|n| *n != 0).map(|n| n.to_string()).unwrap_or_default(),
        Form::Hex => hex(all.get(..64).unwrap_or(all)),
        Form::Hex5 => all.get(..5).map(hex).unwrap_or_default(),
        Form::TextElseHex if text::is_plain(value) => text::from_bytes(value),
        Form::TextElseHex => hex(all.get(..64).unwrap_or(all)),
        Form::Equipment => String::new(),
    }
}

/// Hewlett-Packard's note holds `SERIAL NUMBER:` in plain text. Whether it is such a note.
fn hewlett_packard(note: &Note<'_>, bytes: &[u8], out: &mut Gather) -> bool {
    if !note.make.starts_with("Hewlett-Packard") {
        return false;
    }
    const HEADING: &[u8] = b"SERIAL NUMBER:";
    let head = bytes.get(..4096).unwrap_or(bytes);
    let Some(at) = find(head, HEADING) else { return false };
    let value = rest(head, at.saturating_add(HEADING.len()));
    let value = value.get(..26).unwrap_or(value);
    if text::is_plain(value) {
        out.text(Key::BodySerial, Source::MakerNote, value);
    }
    true
}

/// The maker note that Adobe's DNG converter keeps in DNGPrivateData: `Adobe\0MakN`, size (big-endian), byte order,
/// the offset it stood at, the note (DNG 1.7, "DNGPrivateData" names the tag; the inner layout is the public one).
pub(super) fn adobe_private(value: &[u8], make: &str, model: &str, out: &mut Gather) {
    let Some(body) = value.strip_prefix(b"Adobe\0") else { return };
    if !body.starts_with(b"MakN") {
        return;
    }
    let fields = Order::Big.u32(body, 4).zip(Order::from_mark(body, 8)).zip(Order::Big.u32(body, 10));
    let Some(((size, order), written)) = fields else { return };
    let Some(bytes) = index(size).checked_sub(6).and_then(|len| slice(body, 14, len)) else {
        out.problem(ProblemCode::Truncated, 0);
        return;
    };
    let note = Note { data: bytes, at: 0, len: bytes.len(), order, make, model };
    let Some(layout) = layout(&note, bytes) else {
        out.problem(ProblemCode::MakerNoteUnknown, 0);
        return;
    };
    let bases = [layout.base.unwrap_or_else(|| i64::from(written).saturating_neg())];
    if let Some(directory) = directory::read_fitting(bytes, layout.at, &bases, layout.order, out) {
        tags(bytes, &directory, &bases, layout.table, model, out);
    }
}
