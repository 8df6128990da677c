//! What the person who took the image wrote into it: the `header2` (UTF-16) and `header` (8-bit) sections.

use avocet_base::{escape_bytes, escape_utf16};
use flate2::{Decompress, FlushDecompress, Status};

use crate::bytes::utf16_le;

/// Longest text that is read; EnCase limits each value to 3,000 characters except one.
const TEXT_CAP: usize = 4 << 20;

/// Inflates a small zlib stream of unknown length; `None` where it is damaged or longer than the cap.
fn inflate(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(64 * 1024);
    let mut decoder = Decompress::new(true);
    loop {
        let at = usize::try_from(decoder.total_in()).ok()?;
        let before = (decoder.total_in(), decoder.total_out());
        let status = decoder.decompress_vec(data.get(at..)?, &mut out, FlushDecompress::None).ok()?;
        match status {
            Status::StreamEnd => return Some(out),
            _ if out.len() >= TEXT_CAP => return None,
            _ if out.len() == out.capacity() => out.reserve(64 * 1024),
            _ if (decoder.total_in(), decoder.total_out()) == before => return None,
            _ => {}
        }
    }
}

/// The name of a value by its identifier in the file.
fn name(identifier: &str, unix_times: bool) -> &str {
    match (identifier, unix_times) {
        ("c", _) => "case number",
        ("n", _) => "evidence number",
        ("a", _) => "description",
        ("e", _) => "examiner",
        ("t", _) => "notes",
        ("md", _) => "model",
        ("sn", _) => "serial number",
        ("l", _) => "device label",
        ("av", _) => "acquisition software version",
        ("ov", _) => "acquisition operating system",
        ("m", true) => "acquired (seconds since 1970 UTC)",
        ("u", true) => "system date (seconds since 1970 UTC)",
        ("m", false) => "acquired (local time, zone not recorded)",
        ("u", false) => "system date (local time, zone not recorded)",
        ("p", _) => "password hash",
        ("pid", _) => "process identifier",
        ("ext", _) => "process extents",
        ("r", _) => "compression",
        (other, _) => other,
    }
}

/// The values of the `main` category, those that are empty left out.
fn values<T: Clone + PartialEq + From<u8>>(
    text: &[T],
    unix_times: bool,
    escape: impl Fn(&[T]) -> String,
) -> Option<(String, Vec<(String, String)>)> {
    let [newline, tab, carriage_return, slash] = [b'\n', b'\t', b'\r', b'/'].map(T::from);
    // These are no path components: a slash stays one.
    let escape = |value: &[T]| value.split(|c| *c == slash).map(&escape).collect::<Vec<_>>().join("/");
    let mut lines =
        text.split(|c| *c == newline).map(|l| l.strip_suffix(std::slice::from_ref(&carriage_return)).unwrap_or(l));
    let categories = escape(lines.next()?);
    lines.by_ref().find(|line| escape(line) == "main")?;
    let (identifiers, line) = (lines.next()?, lines.next()?);
    let found = identifiers
        .split(|c| *c == tab)
        .zip(line.split(|c| *c == tab))
        .filter(|(_, value)| !value.is_empty())
        .map(|(identifier, value)| (name(&escape(identifier), unix_times).to_owned(), escape(value)))
        .collect();
    Some((categories, found))
}

/// The number of categories and the values of a `header2` body; `None` where it cannot be decoded.
pub(super) fn header2(body: &[u8]) -> Option<(String, Vec<(String, String)>)> {
    let text = inflate(body)?;
    let units = match text.strip_prefix(&[0xFE, 0xFF]) {
        Some(big) => big.chunks_exact(2).filter_map(|pair| crate::bytes::be_u16(pair, 0)).collect(),
        None => utf16_le(text.strip_prefix(&[0xFF, 0xFE]).unwrap_or(&text)),
    };
    values(&units, true, escape_utf16)
}

/// As [`header2`], of a `header` body.
pub(super) fn header(body: &[u8]) -> Option<(String, Vec<(String, String)>)> {
    values(&inflate(body)?, false, escape_bytes)
}
