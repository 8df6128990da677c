//! Text as found, made safe to store: valid Unicode, nothing lost.

use avocet_base::escape_char;

/// Longest value kept, in bytes.
pub(super) const MAX_VALUE: usize = 1024;

/// The bytes before the first NUL.
pub(super) fn to_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|b| *b == 0).next().unwrap_or_default()
}

/// Whether these bytes are text with at most NULs and blanks after it, and not empty.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let text = to_nul(bytes);
    !text.is_empty() && text.iter().all(|b| (0x20..0x7f).contains(b))
}

/// Without the NULs before it: some notes state their values a few bytes too early.
pub(super) fn from_nul(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// Whether these bytes are one printable text between NULs and nothing else.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let bytes = from_nul(bytes);
    let text = to_nul(bytes);
    is_plain(text) && bytes.iter().skip(text.len()).all(|b| *b == 0)
}

fn push(out: &mut String, c: char) {
    // A slash is common in lens names and no separator here.
    if c == '/' {
        out.push(c);
    } else {
        escape_char(out, c);
    }
}

/// Text up to its first NUL, trimmed, in the escaped form that [`super::Fact`] describes.
pub(super) fn from_bytes(bytes: &[u8]) -> String {
    let text = to_nul(bytes).trim_ascii();
    // What is beyond the longest value is cut later anyhow; one escape makes at most ten bytes of one.
    let text = text.get(..MAX_VALUE * 2).unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| push(&mut out, c));
        for b in chunk.invalid() {
            out.push_str(&format!("\\x{b:02x}"));
        }
    }
    out
}

/// UTF-16, little-endian, up to its first NUL.
pub(super) fn from_utf16(units: impl Iterator<Item = u16>) -> String {
    let mut out = String::new();
    for decoded in char::decode_utf16(units.take_while(|u| *u != 0).take(MAX_VALUE)) {
        match decoded {
            Ok(c) => push(&mut out, c),
            Err(e) => out.push_str(&format!("\\u{{{:x}}}", e.unpaired_surrogate())),
        }
    }
    out.trim().to_owned()
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Cuts at the last character that ends within [`MAX_VALUE`] bytes; whether it had to.
pub(super) fn cut(value: &mut String) -> bool {
    if value.len() <= MAX_VALUE {
        return false;
    }
    let end = (0..=MAX_VALUE).rev().find(|n| value.is_char_boundary(*n)).unwrap_or(0);
    value.truncate(end);
    true
}
