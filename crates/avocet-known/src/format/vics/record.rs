//! One record of a VICS file: the fields that are modelled, and all others as they stand.

use std::borrow::Cow;

use avocet_base::{Md5, PdqHash, Sha1, Sha256};

use super::keys::{Key, is};
use crate::error::KnownError;
use crate::format::extra::{Extra, REPLACED};
use crate::format::json::{Cursor, Kind, Stop, Text, Value};
use crate::format::photodna;
use crate::intake::Intake;
use crate::record::{Field, Flags, Hex as _, RawId, RawRecord};

/// What is said where an object states a field twice.
pub(crate) const TWICE: &str = "a field stated twice with different values; the first is used, all are kept";
/// What is said where `AlternativeHashes` states another digest than the record.
pub(crate) const ALTERNATIVE_DIFFERS: &str =
    "an alternative hash that differs from the record's own; the own one is used, both are kept";

/// What is used again for every record.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub extra: Extra,
    photodna: Vec<u8>,
}

impl Scratch {
    pub fn clear(&mut self) {
        self.extra.clear();
        self.photodna.clear();
    }
}

/// Fields of an object while it is read.
#[derive(Default)]
pub(super) struct Fields<'a> {
    md5: Field<Md5>,
    sha1: Field<Sha1>,
    sha256: Field<Sha256>,
    size: Field<u64>,
    category: Option<Cow<'a, str>>,
    series: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    id_number: Option<u64>,
    flags: Flags,
    pdq: Field<PdqHash>,
    alternatives: Option<Value<'a>>,
    metadata: Option<Value<'a>>,
    notes: Notes,
}

#[derive(Default, Clone, Copy)]
struct Notes {
    odd_flag: bool,
    twice: bool,
    alternative_differs: bool,
    odd_photodna: bool,
    odd_pdq: bool,
}

/// Puts a value where there is none yet; a field that an object states twice keeps its first value. Whether the value is
/// in the slot now.
fn put<T: PartialEq>(slot: &mut Field<T>, value: Field<T>, differs: &mut bool) -> bool {
    if *slot == Field::Absent {
        let kept = value != Field::Bad;
        *slot = value;
        return kept;
    }
    let same = value == Field::Absent || *slot == value;
    *differs |= !same;
    same && value != Field::Bad
}

/// As [`put`], but a value that is one takes the place of one that is none.
fn fill<T: PartialEq>(slot: &mut Field<T>, value: Field<T>, differs: &mut bool) -> bool {
    if *slot == Field::Bad && matches!(value, Field::Is(_)) {
        *slot = value;
        *differs = true;
        return false;
    }
    put(slot, value, differs)
}

fn put_text<'a>(slot: &mut Option<Cow<'a, str>>, value: Option<Cow<'a, str>>, differs: &mut bool) -> bool {
    match (slot.as_ref(), value) {
        (_, None) => true,
        (None, value) => {
            *slot = value;
            true
        }
        (Some(old), Some(value)) => {
            let same = *old == value;
            *differs |= !same;
            same
        }
    }
}

/// Whether a code or name has kept all that its value said.
fn whole(value: &Value<'_>) -> bool {
    match value.kind {
        Kind::Array | Kind::Object => false,
        Kind::Text(text) => {
            std::str::from_utf8(text.raw).is_ok() && !value.text().unwrap_or_default().contains('\u{fffd}')
        }
        _ => true,
    }
}

impl<'a> Fields<'a> {
    /// Takes one field. What is not modelled, and what is not as its field should be, goes into `scratch.extra`.
    pub fn take(&mut self, key: Key, name: &Text<'_>, value: Value<'a>, scratch: &mut Scratch) {
        let notes = &mut self.notes;
        let modelled = match key {
            Key::Md5 => put(&mut self.md5, value.digest(), &mut notes.twice),
            Key::Sha1 => put(&mut self.sha1, value.digest(), &mut notes.twice),
            Key::Sha256 => put(&mut self.sha256, value.digest(), &mut notes.twice),
            Key::Size => put(&mut self.size, value.size(), &mut notes.twice),
            Key::Category => put_text(&mut self.category, value.code(), &mut notes.twice) && whole(&value),
            Key::Series => put_text(&mut self.series, value.code(), &mut notes.twice) && whole(&value),
            Key::MediaId => match (value.kind, value.size()) {
                (Kind::Number, Field::Is(number)) => {
                    let old = *self.id_number.get_or_insert(number);
                    notes.twice |= old != number;
                    old == number
                }
                _ => put_text(&mut self.id, value.code(), &mut notes.twice) && whole(&value),
            },
            Key::Flag(flag) => match value.flag() {
                Some(on) => {
                    self.flags.set(flag, on);
                    true
                }
                None => {
                    notes.odd_flag = true;
                    false
                }
            },
            Key::PhotoDna => {
                let good = value.is_nothing() || take_photodna(&value, scratch);
                notes.odd_photodna |= !good;
                good
            }
            Key::Pdq => {
                let good = put(&mut self.pdq, value.digest(), &mut notes.twice);
                notes.odd_pdq |= self.pdq == Field::Bad;
                good
            }
            // Both are looked into when the record is complete: their digests only fill what the record itself lacks.
            Key::AlternativeHashes if self.alternatives.is_none() => {
                self.alternatives = Some(value);
                return;
            }
            Key::MediaMetadata if self.metadata.is_none() => {
                self.metadata = Some(value);
                false
            }
            Key::AlternativeHashes | Key::MediaMetadata => {
                notes.twice = true;
                false
            }
            Key::Media | Key::Kept | Key::Unknown => false,
        };
        if !modelled {
            scratch.extra.raw(name.raw, value.raw);
        }
    }

    /// Whether it states a digest: then it is a record, whatever else it holds.
    pub fn has_digest(&self) -> bool {
        self.md5 != Field::Absent || self.sha1 != Field::Absent || self.sha256 != Field::Absent
    }

    /// Hands the complete record over. `case` is the text that says of which case it is, for case files.
    pub fn finish(
        mut self,
        scratch: &mut Scratch,
        case: Option<&[u8]>,
        (place, offset): (u64, u64),
        intake: &mut Intake<'_>,
    ) -> Result<(), KnownError> {
        if let Some(list) = self.alternatives {
            self.look_into_alternatives(&list, scratch);
        }
        if let Some(list) = self.metadata {
            self.look_into_metadata(&list);
        }
        if let Some(case) = case {
            scratch.extra.raw(CASE.as_bytes(), case);
        }
        let (extra, replaced) = scratch.extra.finish();
        let notes = [
            (self.notes.odd_flag, "a flag that is neither true nor false; taken as false, and kept as it stands"),
            (self.notes.twice, TWICE),
            (self.notes.alternative_differs, ALTERNATIVE_DIFFERS),
            (self.notes.odd_photodna, "a PhotoDNA value that is not of 144 bytes or several such; kept as it stands"),
            (self.notes.odd_pdq, "a PDQ value that is not 64 hexadecimal digits; kept as it stands"),
            (replaced, REPLACED),
        ];
        notes.into_iter().filter(|(on, _)| *on).for_each(|(_, note)| intake.note(note, place));
        intake.add(&RawRecord {
            md5: self.md5,
            sha1: self.sha1,
            sha256: self.sha256,
            size: self.size,
            category: self.category.as_deref(),
            series: self.series.as_deref(),
            flags: self.flags,
            id: match (self.id_number, self.id.as_deref()) {
                (Some(number), _) => RawId::Number(number),
                (None, Some(text)) => RawId::of_text(text),
                (None, None) => RawId::None,
            },
            place,
            offset,
            pdq: self.pdq,
            photodna: &scratch.photodna,
            extra,
            deletes: false,
        })
    }

    /// `AlternativeHashes` (1.3; seen since in 2.0 too): digests fill what the record lacks. The array is kept as it
    /// stands unless every entry is a name and a value that this crate models; kept twice rather than lost.
    fn look_into_alternatives(&mut self, list: &Value<'a>, scratch: &mut Scratch) {
        let mut own = Alternatives::default();
        let mut modelled = true;
        let walked = each_pair(list, "HashName", "HashValue", &mut |name, value, alone| {
            let held = own.take(&name, &value, scratch, &mut self.notes);
            modelled &= alone && held;
        });
        let notes = &mut self.notes;
        modelled &= fill(&mut self.md5, own.md5, &mut notes.alternative_differs);
        modelled &= fill(&mut self.sha1, own.sha1, &mut notes.alternative_differs);
        modelled &= fill(&mut self.sha256, own.sha256, &mut notes.alternative_differs);
        modelled &= fill(&mut self.pdq, own.pdq, &mut notes.alternative_differs);
        if !(list.is_nothing() || modelled && walked) {
            scratch.extra.raw(b"AlternativeHashes", list.raw);
        }
    }

    /// `MediaMetadata` (2.0) is kept as it stands; an entry named PDQ is also read.
    fn look_into_metadata(&mut self, list: &Value<'a>) {
        if !list.raw.windows(3).any(|w| w.eq_ignore_ascii_case(b"pdq")) {
            return;
        }
        each_pair(list, "PropertyName", "PropertyValue", &mut |name, value, _| {
            if is_name(&name, "pdq") {
                let read: Field<PdqHash> = value.digest();
                self.notes.odd_pdq |= read == Field::Bad;
                if read != Field::Bad {
                    put(&mut self.pdq, read, &mut self.notes.alternative_differs);
                }
            }
        });
    }
}

/// The name under which a record of a case file says which case it is of. A data model has no such name.
pub(super) const CASE: &str = "avocet:case";

fn take_photodna(value: &Value<'_>, scratch: &mut Scratch) -> bool {
    let Some(text) = value.text() else { return false };
    let before = scratch.photodna.len();
    if !photodna::decode(text.as_bytes(), &mut scratch.photodna) {
        return false;
    }
    // The same value in two fields is one value.
    let (old, new) = scratch.photodna.split_at_checked(before).unwrap_or_default();
    if !old.is_empty() && old == new {
        scratch.photodna.truncate(before);
    }
    true
}

/// Whether two names are the same but for case and punctuation, as in `SHA-256`.
fn is_name(name: &str, known: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_lowercase());
    letters.eq(known.bytes())
}

/// Digests among alternative hashes.
#[derive(Default)]
struct Alternatives {
    md5: Field<Md5>,
    sha1: Field<Sha1>,
    sha256: Field<Sha256>,
    pdq: Field<PdqHash>,
}

impl Alternatives {
    /// Whether the pair is held by a field now.
    fn take(&mut self, name: &str, value: &Value<'_>, scratch: &mut Scratch, notes: &mut Notes) -> bool {
        if is_name(name, "md5") {
            put(&mut self.md5, value.digest(), &mut notes.twice)
        } else if is_name(name, "sha1") {
            put(&mut self.sha1, value.digest(), &mut notes.twice)
        } else if is_name(name, "sha256") {
            put(&mut self.sha256, value.digest(), &mut notes.twice)
        } else if is_name(name, "pdq") {
            // A PDQ value is no digest of content, so an odd one is only said and kept.
            let text = value.text().unwrap_or_default();
            match PdqHash::of_hex(text.trim().as_bytes()) {
                Some(hash) => put(&mut self.pdq, Field::Is(hash), &mut notes.twice),
                None => {
                    notes.odd_pdq |= !value.is_nothing();
                    false
                }
            }
        } else if is_name(name, "photodna") {
            let good = value.is_nothing() || take_photodna(value, scratch);
            notes.odd_photodna |= !good;
            good && !value.is_nothing()
        } else {
            false
        }
    }
}

/// Visits the name and the value of every entry of an array, at any depth, and whether the entry holds nothing else.
/// False where an entry is not such a pair.
fn each_pair<'a>(
    list: &Value<'a>,
    name_key: &str,
    value_key: &str,
    visit: &mut dyn FnMut(Cow<'a, str>, Value<'a>, bool),
) -> bool {
    pairs(list, name_key, value_key, visit).unwrap_or(false)
}

fn pairs<'a>(
    list: &Value<'a>,
    name_key: &str,
    value_key: &str,
    visit: &mut dyn FnMut(Cow<'a, str>, Value<'a>, bool),
) -> Result<bool, Stop> {
    let mut cursor: Cursor<'a> = list.inside();
    let mut all = true;
    let mut first = true;
    match list.kind {
        Kind::Array => {
            while cursor.element(first)? {
                first = false;
                let entry = cursor.value()?;
                all &= pairs(&entry, name_key, value_key, visit)?;
            }
        }
        Kind::Object => {
            let (mut name, mut value, mut alone) = (None, None, true);
            while let Some(key) = cursor.name(first)? {
                first = false;
                let field = cursor.value()?;
                if name.is_none() && is(&key, name_key) {
                    name = Some(field.code().unwrap_or_default());
                } else if value.is_none() && is(&key, value_key) {
                    value = Some(field);
                } else {
                    alone = false;
                }
            }
            match (name, value) {
                (Some(name), Some(value)) => visit(name, value, alone),
                _ => all = false,
            }
        }
        _ => all = false,
    }
    Ok(all)
}
