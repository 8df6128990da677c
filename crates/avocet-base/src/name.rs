//! Names and paths as found on a device, written without loss.
//!
//! A name on a device need not be Unicode, and may hold characters that would change how a line or a path reads. Avocet
//! writes every name in an *escaped form* that is always valid Unicode, shows what is there, and can be turned back
//! into the original bytes or UTF-16 units:
//!
//! | in the name | written as |
//! | --- | --- |
//! | a backslash | `\\` |
//! | `/`, a control character (U+0000–001F, 007F–009F), a line separator (U+2028, U+2029), a character that reverses or isolates the direction of text (U+200E, 200F, 202A–202E, 2066–2069) | `\u{2f}`, `\u{202e}` … |
//! | a UTF-16 unit that is half of a surrogate pair without its other half | `\u{d83d}` |
//! | a byte that is not part of valid UTF-8 | `\xff` |
//! | anything else | itself |
//!
//! Path components are joined by `/`, which therefore never occurs inside an escaped name.

use std::fmt::Write;

fn must_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '/' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends one character in escaped form.
pub fn escape_char(out: &mut String, c: char) {
    if c == '\\' {
        out.push_str("\\\\");
    } else if must_escape(c) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
    } else {
        out.push(c);
    }
}

/// Writes a UTF-16 name (NTFS, exFAT, FAT long names) in escaped form.
pub fn escape_utf16(units: &[u16]) -> String {
    let mut out = String::with_capacity(units.len());
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok(c) => escape_char(&mut out, c),
            Err(e) => {
                let _ = write!(out, "\\u{{{:x}}}", e.unpaired_surrogate());
            }
        }
    }
    out
}

/// Writes a name of bytes (ext, zip, a host folder), taken as UTF-8 where it is, in escaped form.
pub fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        chunk.valid().chars().for_each(|c| escape_char(&mut out, c));
        for b in chunk.invalid() {
            let _ = write!(out, "\\x{b:02x}");
        }
    }
    out
}

enum Piece {
    Char(char),
    Unit(u16),
    Byte(u8),
}

/// Splits an escaped name into what it stands for; `None` where it is not a well-formed escaped name.
fn pieces(escaped: &str) -> Option<Vec<Piece>> {
    let mut out = Vec::with_capacity(escaped.len());
    let mut rest = escaped.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(Piece::Char(c));
            continue;
        }
        match rest.next()? {
            '\\' => out.push(Piece::Char('\\')),
            'x' => {
                let hex: String = [rest.next()?, rest.next()?].into_iter().collect();
                out.push(Piece::Byte(u8::from_str_radix(&hex, 16).ok()?));
            }
            'u' => {
                if rest.next()? != '{' {
                    return None;
                }
                let hex: String = rest.by_ref().take_while(|c| *c != '}').collect();
                let value = u32::from_str_radix(&hex, 16).ok()?;
                out.push(match char::from_u32(value) {
                    Some(c) => Piece::Char(c),
                    None => Piece::Unit(u16::try_from(value).ok()?),
                });
            }
            _ => return None,
        }
    }
    Some(out)
}

/// Turns an escaped name back into the UTF-16 units it was written from; `None` where it was not written from UTF-16.
pub fn unescape_to_utf16(escaped: &str) -> Option<Vec<u16>> {
    let mut out = Vec::with_capacity(escaped.len());
    for piece in pieces(escaped)? {
        match piece {
            Piece::Char(c) => out.extend_from_slice(c.encode_utf16(&mut [0; 2])),
            Piece::Unit(u) => out.push(u),
            Piece::Byte(_) => return None,
        }
    }
    Some(out)
}

/// Turns an escaped name back into the bytes it was written from; `None` where it was not written from bytes.
pub fn unescape_to_bytes(escaped: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(escaped.len());
    for piece in pieces(escaped)? {
        match piece {
            Piece::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Byte(b) => out.push(b),
            Piece::Unit(_) => return None,
        }
    }
    Some(out)
}

/// Joins an escaped folder path (`""` for the root) and an escaped name: `/Users` + `a.jpg` = `/Users/a.jpg`.
pub fn join_path(folder: &str, name: &str) -> String {
    let mut out = String::with_capacity(folder.len() + 1 + name.len());
    out.push_str(folder.trim_end_matches('/'));
    out.push('/');
    out.push_str(name);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_single_unit_and_byte_survives() {
        for u in 0..=u16::MAX {
            let escaped = escape_utf16(&[u]);
            assert_eq!(unescape_to_utf16(&escaped), Some(vec![u]), "{escaped}");
            assert!(!escaped.contains('/') && !escaped.chars().any(char::is_control), "{escaped}");
        }
        for b in 0..=u8::MAX {
            assert_eq!(unescape_to_bytes(&escape_bytes(&[b])), Some(vec![b]));
        }
    }

    #[test]
    fn mixed_names_survive() {
        let units = [0xd83d, 0xde00, 0xde00, 0x41, 0xd83d, 0x5c, 0x202e, 0xe9];
        assert_eq!(escape_utf16(&units), "😀\\u{de00}A\\u{d83d}\\\\\\u{202e}é");
        assert_eq!(unescape_to_utf16(&escape_utf16(&units)).unwrap(), units);
        let bytes = b"a\xff\xc3\xa9\xc3/\\x41\n";
        assert_eq!(escape_bytes(bytes), "a\\xffé\\xc3\\u{2f}\\\\x41\\u{a}");
        assert_eq!(unescape_to_bytes(&escape_bytes(bytes)).unwrap(), bytes);
    }

    #[test]
    fn malformed_escapes_are_refused() {
        for text in ["\\", "\\q", "\\x4", "\\xzz", "\\u41", "\\u{110000}", "\\u{zz}"] {
            assert_eq!(unescape_to_bytes(text), None, "{text}");
        }
    }

    #[test]
    fn paths_join_with_one_slash() {
        assert_eq!(join_path("", "a"), "/a");
        assert_eq!(join_path("/", "a"), "/a");
        assert_eq!(join_path("/b", "a"), "/b/a");
    }
}
