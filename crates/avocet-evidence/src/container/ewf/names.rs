//! The names of an EWF image's segment files: `.E01` to `.E99`, then `.EAA` to `.EZZ`, `.FAA` and so on to `.ZZZ`.
//! SMART's begin with `S` in place of `E`. Source: the EWF specification of the libewf project, "Segment file extensions".

use std::path::{Path, PathBuf};

/// Segments with a digit name.
const NUMBERED: u32 = 99;
const LETTERS: u32 = 26;

/// The number of the segment that an extension names, from 1; `None` where it is no EWF-E01 extension.
pub(super) fn number(extension: &str) -> Option<u32> {
    let &[first, second, third] = extension.to_ascii_uppercase().as_bytes() else { return None };
    let digit = |b: u8| b.is_ascii_digit().then(|| u32::from(b.saturating_sub(b'0')));
    let letter = |b: u8| b.is_ascii_uppercase().then(|| u32::from(b.saturating_sub(b'A')));
    if let (b'E', Some(tens), Some(ones)) = (first, digit(second), digit(third)) {
        return Some(tens * 10 + ones).filter(|n| *n > 0);
    }
    let first = letter(first)?.checked_sub(u32::from(b'E' - b'A'))?;
    Some(NUMBERED + 1 + (first * LETTERS + letter(second)?) * LETTERS + letter(third)?)
}

/// The extension of a segment; `None` past `.ZZZ`.
pub(super) fn extension(number: u32, lower: bool) -> Option<String> {
    let text = if number <= NUMBERED {
        format!("E{number:02}")
    } else {
        let rest = number - NUMBERED - 1;
        let letter = |n: u32| u8::try_from(n).ok().map(char::from);
        let first = letter(u32::from(b'E') + rest / (LETTERS * LETTERS)).filter(char::is_ascii_uppercase)?;
        let second = letter(u32::from(b'A') + rest / LETTERS % LETTERS)?;
        let third = letter(u32::from(b'A') + rest % LETTERS)?;
        [first, second, third].iter().collect()
    };
    Some(if lower { text.to_lowercase() } else { text })
}

/// The number of the segment that an extension of SMART names: `.s01` and so on.
fn smart(extension: &str) -> Option<u32> {
    let rest = extension.strip_prefix(['s', 'S'])?;
    number(&format!("E{rest}")).filter(|n| *n <= NUMBERED + LETTERS * LETTERS)
}

/// Where the segments of the image lie that one file belongs to.
pub(super) struct Names {
    named: PathBuf,
    lower: bool,
    /// The names are those of SMART.
    smart: bool,
    /// The number by the name of the file that was given; `None` where its name says nothing.
    pub(super) number: Option<u32>,
}

impl Names {
    /// The names of the set that a file belongs to whose header gives it the segment number `header`. Three letters name
    /// a segment only if the header agrees: an image may as well be called `image.img` or `photo.jpg`.
    pub(super) fn of(path: &Path, header: Option<u16>) -> Self {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let lower = extension.starts_with(|c: char| c.is_ascii_lowercase());
        let fits = |n: &u32| *n <= NUMBERED || header.map(u32::from) == Some(*n);
        let (usual, of_smart) = (number(extension).filter(fits), smart(extension).filter(fits));
        Self { named: path.to_owned(), lower, smart: usual.is_none() && of_smart.is_some(), number: usual.or(of_smart) }
    }

    /// The names a segment may have, the likelier first.
    pub(super) fn candidates(&self, number: u32) -> Vec<PathBuf> {
        match self.number {
            Some(named) if named == number => vec![self.named.clone()],
            None if number == 1 => vec![self.named.clone()],
            _ => [self.lower, !self.lower]
                .into_iter()
                .filter_map(|lower| {
                    let name = extension(number, lower)?;
                    let first = if lower { "s" } else { "S" };
                    let name = if self.smart { format!("{first}{}", name.get(1..)?) } else { name };
                    Some(self.named.with_extension(name))
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_name_and_back() {
        for n in 1..=14_971 {
            for lower in [false, true] {
                assert_eq!(number(&extension(n, lower).unwrap()), Some(n));
            }
        }
        assert_eq!(extension(14_972, false), None);
        let names = [
            (1, "E01"),
            (99, "E99"),
            (100, "EAA"),
            (125, "EAZ"),
            (126, "EBA"),
            (775, "EZZ"),
            (776, "FAA"),
            (14_971, "ZZZ"),
        ];
        for (n, name) in names {
            assert_eq!(extension(n, false).unwrap(), name);
        }
        for other in ["", "E0", "E00", "E001", "DAA", "D01", "F01", "E1A", "dd"] {
            assert_eq!(number(other), None, "{other}");
        }
    }
}
