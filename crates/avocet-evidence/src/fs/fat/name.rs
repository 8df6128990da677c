//! Short and long names (Microsoft FAT specification, "FAT Directory Structure" and "FAT Long Directory Entries").

use avocet_base::{escape_char, escape_utf16};

use super::scan::Slot;
use crate::bytes::{array, utf16_le};

/// Code page 437, bytes 80 to FF. The code page a device used is not recorded on it; 437 is the one most cameras and
/// systems format with, and it maps every byte to another character, so that no name is lost by a wrong guess.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Pieces of one long name at most: 255 units, 13 in each.
const MAX_PIECES: usize = 20;

fn cp437(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(high) => CP437.chars().nth(usize::from(high)).unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

/// Eight or three bytes without the blanks behind, in escaped form.
fn part(out: &mut String, bytes: &[u8], lower: bool) {
    let end = bytes.iter().rposition(|b| *b != b' ').map_or(0, |last| last.saturating_add(1));
    for byte in bytes.iter().take(end) {
        let byte = if lower { byte.to_ascii_lowercase() } else { *byte };
        escape_char(out, cp437(byte));
    }
}

/// The entry of a volume label as a name, in escaped form; `None` where it is blank or was deleted: then its first
/// character is lost as that of any short name.
pub(super) fn label_name(bytes: &[u8; 11], lost: bool) -> Option<String> {
    let mut out = String::new();
    part(&mut out, bytes, false);
    (!lost && !out.is_empty()).then_some(out)
}

/// A volume label in escaped form; `None` where it is blank.
pub(super) fn label(bytes: &[u8; 11]) -> Option<String> {
    let mut out = String::new();
    part(&mut out, bytes, false);
    (!out.is_empty() && out != "NO NAME").then_some(out)
}

/// The short name in escaped form. `case` is byte 12 of the entry, in which Windows keeps whether the two parts are in
/// lower case. The first byte of a deleted name is lost and becomes `_`; 05 stands for E5.
pub(super) fn short_name(raw: &[u8; 11], case: u8, first_lost: bool) -> String {
    let mut name = *raw;
    if let Some(first) = name.first_mut() {
        match *first {
            _ if first_lost => *first = b'_',
            0x05 => *first = 0xe5,
            _ => {}
        }
    }
    let mut out = String::new();
    let (base, extension) = name.split_at(8);
    part(&mut out, base, case & 0x08 != 0);
    if extension.iter().any(|b| *b != b' ') {
        out.push('.');
        part(&mut out, extension, case & 0x10 != 0);
    }
    out
}

/// The checksum of a short name that its long pieces carry.
pub(super) fn checksum(name: &[u8; 11]) -> u8 {
    name.iter().fold(0u8, |sum, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// The one first byte with which a short name has the checksum.
fn first_byte_for(name: &[u8; 11], wanted: u8) -> u8 {
    name.iter().skip(1).rev().fold(wanted, |sum, byte| sum.wrapping_sub(*byte).rotate_left(1))
}

/// Whether a byte may stand in a short name.
pub(super) fn legal(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7f && !br#""*+,./:;<=>?[\]|"#.contains(&byte)
}

struct Piece {
    ordinal: u8,
    checksum: u8,
    units: Vec<u16>,
    ends: bool,
}

/// The pieces of long names seen since the last short entry.
#[derive(Default)]
pub(super) struct LongPieces(Vec<Piece>);

/// What pieces say of the short entry behind them.
pub(super) struct Long {
    /// Escaped long name.
    pub name: Option<String>,
    /// Whether pieces that held the end of the name may be gone.
    pub end_uncertain: bool,
    /// Pieces that belong to no entry.
    pub orphaned: u64,
}

impl LongPieces {
    /// Takes a long-name slot. Pieces past any possible name push the oldest out; returns how many.
    pub fn push(&mut self, slot: &Slot) -> u64 {
        let mut units: Vec<u16> = vec![];
        for (start, length) in [(1usize, 10usize), (14, 12), (28, 4)] {
            let bytes = slot.get(start..start.saturating_add(length)).unwrap_or_default();
            units.extend(utf16_le(bytes));
        }
        let end = units.iter().position(|u| *u == 0);
        units.truncate(end.unwrap_or(usize::MAX));
        let [ordinal] = array(slot, 0).unwrap_or_default();
        let [checksum] = array(slot, 13).unwrap_or_default();
        self.0.push(Piece { ordinal, checksum, units, ends: end.is_some() });
        // A deleted name may stand behind the pieces of another deleted one, so more than one name's worth is kept.
        let excess = self.0.len().saturating_sub(MAX_PIECES.saturating_mul(2));
        self.0.drain(..excess);
        excess as u64
    }

    /// Forgets all pieces and says how many there were.
    pub fn clear(&mut self) -> u64 {
        std::mem::take(&mut self.0).len() as u64
    }

    /// The long name of the short entry that follows the pieces, checked by the short name's checksum.
    ///
    /// Deleting overwrites the first byte of the short name and of every piece. The checksum then determines what the
    /// first byte was; the pieces are the entry's own where that byte is legal and agrees with the long name.
    pub fn take(&mut self, short: &[u8; 11], first_lost: bool) -> Long {
        let pieces = std::mem::take(&mut self.0);
        let mut used: Vec<&Piece> = vec![];
        let mut complete = false;
        for (piece, number) in pieces.iter().rev().zip(1u8..).take(MAX_PIECES) {
            if first_lost {
                let same = used.first().is_none_or(|first| first.checksum == piece.checksum);
                if piece.ordinal != 0xe5 || !same || (piece.ends && number > 1 && piece.units.is_empty()) {
                    break;
                }
                used.push(piece);
                complete = true;
                if piece.ends {
                    break;
                }
            } else {
                if piece.ordinal & 0x3f != number || piece.checksum != checksum(short) {
                    break;
                }
                used.push(piece);
                if piece.ordinal & 0x40 != 0 {
                    complete = true;
                    break;
                }
            }
        }
        let units: Vec<u16> = used.iter().flat_map(|p| p.units.iter().copied()).collect();
        let verified = !first_lost || used.first().is_some_and(|p| agrees(first_byte_for(short, p.checksum), &units));
        if !complete || !verified || units.is_empty() {
            return Long { name: None, end_uncertain: false, orphaned: pieces.len() as u64 };
        }
        Long {
            name: Some(escape_utf16(&units)),
            end_uncertain: first_lost && used.last().is_some_and(|p| !p.ends),
            orphaned: pieces.len().saturating_sub(used.len()) as u64,
        }
    }
}

/// Whether a short name made from this long name could begin with `first`: systems take the first usable character in
/// upper case, and `_` for one that a short name cannot hold. For a character outside ASCII any legal byte will do.
fn agrees(first: u8, units: &[u16]) -> bool {
    if !legal(first) && first != 0x05 {
        return false;
    }
    let usable = units.iter().find(|u| **u != u16::from(b'.') && **u != u16::from(b' '));
    match usable.and_then(|u| u8::try_from(*u).ok()).filter(u8::is_ascii) {
        Some(c) if legal(c) => c.eq_ignore_ascii_case(&first),
        Some(_) => first == b'_',
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_437_maps_every_byte_to_its_own_character() {
        let mut all: Vec<char> = (0..=255).map(cp437).collect();
        assert_eq!((all[0x80], all[0x9b], all[0xe1], all[0xff]), ('Ç', '¢', 'ß', '\u{a0}'));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 256);
        assert!(!all.contains(&char::REPLACEMENT_CHARACTER));
    }

    #[test]
    fn short_names_with_flags_kanji_and_lost_letters() {
        assert_eq!(short_name(b"README  TXT", 0, false), "README.TXT");
        assert_eq!(short_name(b"README  TXT", 0x18, false), "readme.txt");
        assert_eq!(short_name(b"README  TXT", 0x10, false), "README.txt");
        assert_eq!(short_name(b"\x05AB        ", 0, false), "σAB");
        assert_eq!(short_name(b"\xe5MG_01  JPG", 0, true), "_MG_01.JPG");
        assert_eq!(short_name(b"A B\x01    \x9a  ", 0, false), "A B\\u{1}.Ü");
        assert_eq!(label(b"NO NAME    "), None);
        assert_eq!(label(b"CANON DC   "), Some("CANON DC".into()));
        assert_eq!(label_name(b"CFREDS001  ", false), Some("CFREDS001".into()));
        assert_eq!(label_name(b"NO NAME    ", false), Some("NO NAME".into()));
        assert_eq!(label_name(b"           ", false), None);
    }

    #[test]
    fn the_checksum_gives_the_lost_first_byte_back() {
        let name = *b"HOLIDA~1JPG";
        let sum = checksum(&name);
        for lost in 0..=255u8 {
            let mut damaged = name;
            damaged[0] = lost;
            assert_eq!(first_byte_for(&damaged, sum), b'H');
        }
        assert!(agrees(b'H', &"holiday".encode_utf16().collect::<Vec<_>>()));
        assert!(!agrees(b'I', &"holiday".encode_utf16().collect::<Vec<_>>()));
        assert!(agrees(b'T', &".Trashes".encode_utf16().collect::<Vec<_>>()));
    }
}
