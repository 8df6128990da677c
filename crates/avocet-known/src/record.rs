//! A record as a format's reader hands it over, before anything is decided about it.

use std::fmt;

use avocet_base::{Md5, PdqHash, Sha1, Sha256};

/// What a set says of a record beside its category. Only what is stated as true is here: absent and false are the same,
/// as real files leave false flags out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Flags(pub(crate) u8);

impl Flags {
    pub(crate) const VICTIM: Flags = Flags(1);
    pub(crate) const OFFENDER: Flags = Flags(2);
    pub(crate) const DISTRIBUTED: Flags = Flags(4);
    pub(crate) const SUSPECTED: Flags = Flags(8);
    pub(crate) const SELF_GENERATED: Flags = Flags(16);

    pub(crate) fn set(&mut self, flag: Flags, on: bool) {
        if on {
            self.0 |= flag.0;
        }
    }

    fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    /// The set says that a victim has been identified.
    pub fn victim_identified(self) -> bool {
        self.has(Self::VICTIM)
    }

    /// The set says that an offender has been identified.
    pub fn offender_identified(self) -> bool {
        self.has(Self::OFFENDER)
    }

    /// The set says that the file is in circulation.
    pub fn distributed(self) -> bool {
        self.has(Self::DISTRIBUTED)
    }

    /// The set marks the file as suspected only.
    pub fn suspected(self) -> bool {
        self.has(Self::SUSPECTED)
    }

    /// The set says that the file was made by the person shown.
    pub fn self_generated(self) -> bool {
        self.has(Self::SELF_GENERATED)
    }

    const WORDS: [(Flags, &'static str); 5] = [
        (Self::VICTIM, "victim-identified"),
        (Self::OFFENDER, "offender-identified"),
        (Self::DISTRIBUTED, "distributed"),
        (Self::SUSPECTED, "suspected"),
        (Self::SELF_GENERATED, "self-generated"),
    ];

    /// Stable words for what is stated, in a fixed order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::WORDS.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, word)| word)
    }

    /// What [`Flags::words`] gave, with blanks between; `None` where there is another word among them.
    pub(crate) fn of_words(text: &[u8]) -> Option<Flags> {
        let mut flags = Flags::default();
        for word in text.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()) {
            flags.set(Self::WORDS.iter().find(|(_, known)| known.as_bytes() == word)?.0, true);
        }
        Some(flags)
    }
}

/// A digest field as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field<T> {
    /// Not there, null or empty.
    #[default]
    Absent,
    /// There, but not a value of its kind.
    Bad,
    /// The value.
    Is(T),
}

/// The set's own identifier of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RawId<'a> {
    /// None: the record is named by its place.
    #[default]
    None,
    /// A whole number that the set wrote in its shortest form.
    Number(u64),
    /// Anything else.
    Text(&'a str),
}

impl<'a> RawId<'a> {
    /// A number where the text is one in its shortest form, so that it is shown as it stood; else the text.
    pub(crate) fn of_text(text: &'a str) -> RawId<'a> {
        let shortest = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        match text.parse() {
            _ if text.is_empty() => RawId::None,
            Ok(number) if shortest => RawId::Number(number),
            _ => RawId::Text(text),
        }
    }
}

/// One record, borrowed from the reader's buffers.
#[derive(Clone, Copy, Default)]
pub struct RawRecord<'a> {
    /// MD5 of the content.
    pub md5: Field<Md5>,
    /// SHA-1 of the content.
    pub sha1: Field<Sha1>,
    /// SHA-256 of the content.
    pub sha256: Field<Sha256>,
    /// Bytes.
    pub size: Field<u64>,
    /// Category code, never empty.
    pub category: Option<&'a str>,
    /// Series that the file belongs to.
    pub series: Option<&'a str>,
    /// What the set states beside the category.
    pub flags: Flags,
    /// The set's own identifier of the record.
    pub id: RawId<'a>,
    /// Line or running number in the file, from 1.
    pub place: u64,
    /// Byte of the file at which the record begins; 0 where the format has no such thing (SQLite).
    pub offset: u64,
    /// PDQ hash of the picture, where the set states one.
    pub pdq: Field<PdqHash>,
    /// PhotoDNA value as the set states it, decoded to bytes and otherwise opaque: one or several values of 144 bytes;
    /// empty where there is none.
    pub photodna: &'a [u8],
    /// Everything that the record states and no field above holds, as one JSON object with the set's own names and, in
    /// JSON sets, the set's own text of the values, so that an export gives it back; empty where there is nothing.
    pub extra: &'a str,
    /// The record is a deletion: in a delta it takes away one earlier record that says the same.
    pub deletes: bool,
}

/// Texts of a set can be personal data and are left out of what is printed while looking for a mistake.
impl fmt::Debug for RawRecord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRecord")
            .field("place", &self.place)
            .field("offset", &self.offset)
            .field("md5", &self.md5)
            .field("sha1", &self.sha1)
            .field("sha256", &self.sha256)
            .field("size", &self.size)
            .field("deletes", &self.deletes)
            .finish_non_exhaustive()
    }
}

/// Values of hexadecimal digits; 0xff for what is none.
const DIGITS: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value = 0u8;
    while value < 16 {
        let upper = if value < 10 { b'0' + value } else { b'A' + value - 10 };
        #[allow(clippy::indexing_slicing, reason = "checked by the compiler, as the table is built there")]
        {
            table[upper as usize] = value;
            table[upper.to_ascii_lowercase() as usize] = value;
        }
        value += 1;
    }
    table
};

fn digit(byte: u8) -> u8 {
    DIGITS.get(usize::from(byte)).copied().unwrap_or(0xff)
}

/// Decodes exactly `N` bytes from hexadecimal digits of either case.
pub(crate) fn hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut out = [0u8; N];
    let mut odd = 0u8;
    for (to, pair) in out.iter_mut().zip(text.as_chunks::<2>().0) {
        let [high, low] = pair.map(digit);
        // A wrong digit is 0xff and leaves a bit in the upper half.
        odd |= high | low;
        *to = (high << 4) | (low & 0xf);
    }
    (odd < 16).then_some(out)
}

/// A value that is written as hexadecimal digits.
pub(crate) trait Hex: Sized {
    fn of_hex(text: &[u8]) -> Option<Self>;
}

macro_rules! hex_values {
    ($($name:ident $len:literal),*) => {$(
        impl Hex for $name {
            fn of_hex(text: &[u8]) -> Option<Self> {
                hex::<$len>(text).map($name)
            }
        }
    )*};
}
hex_values!(Md5 16, Sha1 20, Sha256 32, PdqHash 32);

/// Reads a digest from hexadecimal text of either case; blank is absent.
pub(crate) fn digest_field<T: Hex>(text: &[u8]) -> Field<T> {
    match text.trim_ascii() {
        b"" => Field::Absent,
        hex => T::of_hex(hex).map_or(Field::Bad, Field::Is),
    }
}

/// A whole number of decimal digits alone, up to 2^64 - 1.
pub(crate) fn decimal(text: &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    (!text.is_empty()).then_some(value)
}

/// Reads a decimal number of bytes; blank is absent.
pub(crate) fn size_field(text: &[u8]) -> Field<u64> {
    match text.trim_ascii() {
        b"" => Field::Absent,
        digits => decimal(digits.strip_prefix(b"+").unwrap_or(digits)).map_or(Field::Bad, Field::Is),
    }
}

/// Reads a yes-or-no text in the spellings that real files use; `None` where it is neither.
pub(crate) fn flag_text(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |words: &[&str]| words.iter().any(|w| text.eq_ignore_ascii_case(w));
    if is(&["true", "yes", "y", "1"]) {
        Some(true)
    } else if text.is_empty() || is(&["false", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_pair_is_decoded_as_the_standard_library_does() {
        for high in 0..=255u8 {
            for low in 0..=255u8 {
                let text = [high, low];
                let digits = text.iter().all(u8::is_ascii_hexdigit);
                let wanted = std::str::from_utf8(&text).ok().filter(|_| digits);
                let wanted = wanted.map(|t| [u8::from_str_radix(t, 16).unwrap()]);
                assert_eq!(hex::<1>(&text), wanted, "{text:?}");
            }
        }
        assert_eq!(hex::<2>(b"abc"), None);
        assert_eq!(hex::<0>(b""), Some([]));
    }

    #[test]
    fn numbers_end_at_the_largest() {
        assert_eq!(size_field(b" 18446744073709551615 "), Field::Is(u64::MAX));
        assert_eq!(size_field(b"+7"), Field::Is(7));
        for bad in ["18446744073709551616", "-1", "1.0", "++1", "+", "1 2", "0x1"] {
            assert_eq!(size_field(bad.as_bytes()), Field::Bad, "{bad}");
        }
        assert_eq!(size_field(b" "), Field::Absent);
    }

    #[test]
    fn what_is_printed_of_a_record_holds_none_of_its_texts() {
        let record = RawRecord { series: Some("secret"), extra: "{\"a\":\"secret\"}", ..RawRecord::default() };
        assert!(!format!("{record:?}").contains("secret"));
    }
}
