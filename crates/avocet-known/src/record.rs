//! A record as a format's reader hands it over, before anything is decided about it.

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

    /// Stable words for what is stated, in a fixed order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        [
            (Self::VICTIM, "victim-identified"),
            (Self::OFFENDER, "offender-identified"),
            (Self::DISTRIBUTED, "distributed"),
            (Self::SUSPECTED, "suspected"),
            (Self::SELF_GENERATED, "self-generated"),
        ]
        .into_iter()
        .filter(move |(flag, _)| self.has(*flag))
        .map(|(_, word)| word)
    }
}

/// A digest field as found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Field<T> {
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
pub(crate) enum RawId<'a> {
    /// None: the record is named by its place.
    #[default]
    None,
    Number(u64),
    Text(&'a str),
}

impl<'a> RawId<'a> {
    /// A number where the text is one in its shortest form, so that it is shown as it stood; else the text.
    pub fn of_text(text: &'a str) -> RawId<'a> {
        let shortest = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        match text.parse() {
            _ if text.is_empty() => RawId::None,
            Ok(number) if shortest => RawId::Number(number),
            _ => RawId::Text(text),
        }
    }
}

/// One record, borrowed from the reader's buffers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RawRecord<'a> {
    pub md5: Field<Md5>,
    pub sha1: Field<Sha1>,
    pub sha256: Field<Sha256>,
    /// Bytes.
    pub size: Field<u64>,
    /// Category code, never empty.
    pub category: Option<&'a str>,
    pub series: Option<&'a str>,
    pub flags: Flags,
    pub id: RawId<'a>,
    /// Line or running number in the file, from 1.
    pub place: u64,
    /// PDQ hash of the picture, where the set states one.
    pub pdq: Field<PdqHash>,
    /// PhotoDNA value as the set states it, decoded to bytes and otherwise opaque; empty where there is none.
    pub photodna: &'a [u8],
    /// Everything that the record states and no field above holds, as one JSON object with the set's own names, so that
    /// an export gives it back; empty where there is nothing.
    pub extra: &'a str,
    /// The record is a deletion: in a delta it takes away one earlier record that says the same.
    pub deletes: bool,
}

/// Reads a digest from hexadecimal text of either case; blank is absent.
pub(crate) fn digest_field<T: std::str::FromStr>(text: &[u8]) -> Field<T> {
    match text.trim_ascii() {
        b"" => Field::Absent,
        hex => std::str::from_utf8(hex).ok().and_then(|t| t.parse().ok()).map_or(Field::Bad, Field::Is),
    }
}

/// Reads a decimal number of bytes; blank is absent.
pub(crate) fn size_field(text: &[u8]) -> Field<u64> {
    match text.trim_ascii() {
        b"" => Field::Absent,
        digits => std::str::from_utf8(digits).ok().and_then(|t| t.parse().ok()).map_or(Field::Bad, Field::Is),
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
