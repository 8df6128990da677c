//! Takes a reader's records in: checks digests, applies the scheme, counts what is rejected and why.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::rc::Rc;

use avocet_base::{Md5, Sha1, Sha256};

use crate::error::{KnownError, shown};
use crate::record::{Field, RawId, RawRecord};
use crate::scheme::{Scheme, Unlisted, fold};
use crate::sets::{EMPTY_CONTENT, LoadProgress};
use crate::table::{Row, RowDigests, Table};

/// How many places of each kind of trouble are kept for the user to look at.
const FIRST_PLACES: usize = 5;
/// Longest series name kept, in bytes.
const MAX_SERIES: usize = 1024;
/// Records between two reports of progress.
const PROGRESS_EVERY: u64 = 16_384;

const EMPTY_MD5: Md5 =
    Md5([0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e]);
const EMPTY_SHA1: Sha1 = Sha1([
    0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55, 0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07,
    0x09,
]);
const EMPTY_SHA256: Sha256 = Sha256([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Bytes read so far, shared between the stream and those who report on it.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Bytes of the file read.
    pub bytes: Cell<u64>,
    /// Bytes read since the last record was complete.
    pub since_record: Cell<u64>,
    /// The stream refused to go on because one record is too long.
    pub too_long: Cell<bool>,
}

/// Something that was counted, with the first places where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// What happened, a clause.
    pub reason: &'static str,
    /// How often.
    pub count: u64,
    /// The first places, in order: lines or record numbers, as [`crate::SetInfo::place_label`] says.
    pub first: Vec<u64>,
}

#[derive(Debug, Default)]
pub(crate) struct Tallies(BTreeMap<&'static str, (u64, Vec<u64>)>);

impl Tallies {
    pub fn add(&mut self, reason: &'static str, place: u64) {
        let (count, first) = self.0.entry(reason).or_default();
        *count += 1;
        if first.len() < FIRST_PLACES {
            first.push(place);
        }
    }

    fn into_list(self) -> Vec<Tally> {
        self.0.into_iter().map(|(reason, (count, first))| Tally { reason, count, first }).collect()
    }

    fn total(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }
}

/// What a category number in the table stands for.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub code: Option<String>,
    pub meaning: Option<String>,
    pub alerts: bool,
    pub may_hide: bool,
}

/// Texts kept once each, numbered.
#[derive(Debug, Default)]
struct Interner {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl Interner {
    fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let number = u32::try_from(self.texts.len()).ok().filter(|n| *n < Row::NO_SERIES)?;
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        Some(number)
    }
}

/// Where progress goes, and about which of how many sets it is.
pub(crate) struct Reporter<'a> {
    pub set: usize,
    pub sets: usize,
    pub total_bytes: u64,
    pub to: &'a mut dyn FnMut(LoadProgress<'_>),
}

/// What is left when a set has been read.
pub(crate) struct Taken {
    pub table: Table,
    pub rules: Vec<Rule>,
    pub texts: Vec<Box<str>>,
    pub read: u64,
    pub duplicates: u64,
    pub rejected: Vec<Tally>,
    pub notes: Vec<Tally>,
}

pub(crate) struct Intake<'a> {
    path: &'a Path,
    scheme: &'a Scheme,
    /// `line` or `record`: what a place counts.
    place_label: &'static str,
    meter: Rc<Meter>,
    reporter: Reporter<'a>,
    table: Table,
    rules: Vec<Rule>,
    codes: HashMap<String, u16>,
    default_rule: u16,
    /// The code looked up last and its rule: sets come in long runs of one category.
    last_code: (String, u16),
    texts: Interner,
    read: u64,
    rejected: Tallies,
    notes: Tallies,
}

impl<'a> Intake<'a> {
    pub fn new(path: &'a Path, scheme: &'a Scheme, meter: Rc<Meter>, reporter: Reporter<'a>) -> Intake<'a> {
        let mut rules = vec![];
        let mut codes = HashMap::new();
        for (number, category) in scheme.categories.iter().enumerate().take(usize::from(u16::MAX)) {
            rules.push(Rule {
                code: Some(category.code.clone()),
                meaning: Some(category.meaning.clone()),
                alerts: category.alerts,
                may_hide: category.may_hide,
            });
            codes.insert(fold(&category.code), number as u16);
        }
        let default_rule = rules.len() as u16;
        rules.push(Rule {
            code: None,
            meaning: Some(scheme.default.meaning.clone()),
            alerts: scheme.default.alerts,
            may_hide: scheme.default.may_hide,
        });
        Intake {
            path,
            scheme,
            place_label: "record",
            meter,
            reporter,
            table: Table::default(),
            rules,
            codes,
            default_rule,
            last_code: (String::new(), default_rule),
            texts: Interner::default(),
            read: 0,
            rejected: Tallies::default(),
            notes: Tallies::default(),
        }
    }

    pub fn path(&self) -> &'a Path {
        self.path
    }

    pub fn scheme(&self) -> &'a Scheme {
        self.scheme
    }

    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    pub fn shared_meter(&self) -> Rc<Meter> {
        Rc::clone(&self.meter)
    }

    /// Something complete was read that is no record, such as a comment line.
    pub fn passed_over(&self) {
        self.meter.since_record.set(0);
    }

    /// Says what the reader counts: `line` or `record`.
    pub fn count_by(&mut self, label: &'static str) {
        self.place_label = label;
    }

    pub fn place_label(&self) -> &'static str {
        self.place_label
    }

    /// Counts something about a record that is kept all the same.
    pub fn note(&mut self, reason: &'static str, place: u64) {
        self.notes.add(reason, place);
    }

    /// Counts a record that cannot be used.
    pub fn reject(&mut self, reason: &'static str, place: u64) {
        self.rejected.add(reason, place);
        self.step();
    }

    fn step(&mut self) {
        self.read += 1;
        self.meter.since_record.set(0);
        if self.read.is_multiple_of(PROGRESS_EVERY) {
            self.report(false);
        }
    }

    fn report(&mut self, done: bool) {
        (self.reporter.to)(LoadProgress {
            set: self.reporter.set,
            sets: self.reporter.sets,
            path: self.path,
            bytes: self.meter.bytes.get(),
            total_bytes: self.reporter.total_bytes,
            records: self.read,
            done,
        });
    }

    /// Takes one record.
    ///
    /// # Errors
    /// A category that the scheme does not define, or a full table.
    pub fn add(&mut self, record: &RawRecord<'_>) -> Result<(), KnownError> {
        let place = record.place;
        let mut empty = false;
        let md5 = self.usable(
            record.md5,
            EMPTY_MD5,
            Md5([0; 16]),
            "MD5 that is not 32 hexadecimal digits",
            place,
            &mut empty,
        );
        let sha1 = self.usable(
            record.sha1,
            EMPTY_SHA1,
            Sha1([0; 20]),
            "SHA-1 that is not 40 hexadecimal digits",
            place,
            &mut empty,
        );
        let sha256 = self.usable(
            record.sha256,
            EMPTY_SHA256,
            Sha256([0; 32]),
            "SHA-256 that is not 64 hexadecimal digits",
            place,
            &mut empty,
        );
        let digests = RowDigests { md5: md5.map(|d| d.0), sha1: sha1.map(|d| d.0), sha256: sha256.map(|d| d.0) };
        let usable = digests.md5.is_some() || digests.sha1.is_some() || digests.sha256.is_some();
        if !usable {
            self.reject(if empty { EMPTY_CONTENT } else { "no usable digest" }, place);
            return Ok(());
        }
        if empty {
            self.note("digest of empty content beside another digest; the other one is used", place);
        }
        let size = match record.size {
            Field::Is(0) => {
                self.note("size 0 beside a digest of content that is not empty; taken as not stated", place);
                None
            }
            Field::Is(size) => Some(size),
            Field::Absent => None,
            Field::Bad => {
                self.note("size that is not a whole number of bytes; taken as not stated", place);
                None
            }
        };
        let category = self.category(record.category, place)?;
        let series = self.series(record.series, place)?;
        let (id, id_bits) = match record.id {
            RawId::Number(number) => (number, 0),
            RawId::None => (place, Row::ID_IS_PLACE),
            RawId::Text(text) => (u64::from(self.text(text)?), Row::ID_IS_TEXT),
        };
        if !self.table.push(Row::new(size, id, series, category, record.flags.0 | id_bits), &digests) {
            return Err(self.too_large("it holds more than 4,294,967,294 records"));
        }
        self.step();
        Ok(())
    }

    /// A digest that can be looked for. An all-zero digest stands for none in some exports and is no file's digest.
    fn usable<T: PartialEq + Copy>(
        &mut self,
        field: Field<T>,
        of_nothing: T,
        zero: T,
        bad: &'static str,
        place: u64,
        empty: &mut bool,
    ) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Bad => {
                self.note(bad, place);
                None
            }
            Field::Is(d) if d == zero => {
                self.note("digest of zeros only; taken as not stated", place);
                None
            }
            Field::Is(d) if d == of_nothing => {
                *empty = true;
                None
            }
            Field::Is(d) => Some(d),
        }
    }

    fn category(&mut self, code: Option<&str>, place: u64) -> Result<u16, KnownError> {
        let Some(code) = code else { return Ok(self.default_rule) };
        if code == self.last_code.0 {
            return Ok(self.last_code.1);
        }
        let folded = fold(code);
        let number = match self.codes.get(&folded) {
            Some(number) => *number,
            None if self.scheme.unlisted == Unlisted::Refuse => {
                return Err(KnownError::Category {
                    path: self.path.to_owned(),
                    place: format!("{} {place}", self.place_label),
                    code: shown(code),
                    scheme: self.scheme.id.to_string(),
                    advice: format!("(it has {}); {}", self.scheme.codes(), self.scheme.unlisted_advice()),
                });
            }
            None => {
                let number = u16::try_from(self.rules.len()).map_err(|_| {
                    self.too_large("it states more than 65,535 different categories; is that column one of categories?")
                })?;
                let default = &self.scheme.default;
                self.rules.push(Rule {
                    code: Some(code.to_owned()),
                    meaning: None,
                    alerts: default.alerts,
                    may_hide: default.may_hide,
                });
                self.codes.insert(folded, number);
                number
            }
        };
        self.last_code = (code.to_owned(), number);
        Ok(number)
    }

    fn series(&mut self, series: Option<&str>, place: u64) -> Result<u32, KnownError> {
        let Some(series) = series.map(str::trim).filter(|s| !s.is_empty()) else { return Ok(Row::NO_SERIES) };
        let mut kept = series;
        if series.len() > MAX_SERIES {
            self.note("series longer than 1,024 bytes; its beginning is kept", place);
            kept = series.get(..series.floor_char_boundary(MAX_SERIES)).unwrap_or_default();
        }
        self.text(kept)
    }

    fn text(&mut self, text: &str) -> Result<u32, KnownError> {
        self.texts.number(text).ok_or_else(|| self.too_large("it holds more than 4,294,967,294 different texts"))
    }

    fn too_large(&self, reason: &'static str) -> KnownError {
        KnownError::TooLarge { path: self.path.to_owned(), reason }
    }

    /// An error about the content.
    pub fn malformed(&self, format: &str, place: String, reason: String, advice: &'static str) -> KnownError {
        KnownError::Malformed { path: self.path.to_owned(), format: format.to_owned(), place, reason, advice }
    }

    /// Sorts what was taken.
    ///
    /// # Errors
    /// [`KnownError::Empty`] where nothing usable was read.
    pub fn finish(mut self, format: &str) -> Result<Taken, KnownError> {
        self.report(true);
        if self.table.rows().is_empty() {
            let rejected = if self.rejected.total() == 0 {
                String::new()
            } else {
                let reasons: Vec<_> =
                    self.rejected.0.iter().map(|(reason, (count, _))| format!("{count} with {reason}")).collect();
                format!(", rejected: {}", reasons.join(", "))
            };
            return Err(KnownError::Empty {
                path: self.path.to_owned(),
                format: format.to_owned(),
                read: self.read,
                rejected,
            });
        }
        drop(self.texts.numbers);
        let duplicates = self.table.finish();
        Ok(Taken {
            table: self.table,
            rules: self.rules,
            texts: self.texts.texts,
            read: self.read,
            duplicates,
            rejected: self.rejected.into_list(),
            notes: self.notes.into_list(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Digest as _;

    #[test]
    fn the_digests_of_nothing_are_those_of_nothing() {
        assert_eq!(EMPTY_SHA256.0[..], sha2::Sha256::digest(b"")[..]);
        // RFC 1321 and FIPS 180 give the other two.
        assert_eq!(EMPTY_MD5.to_string(), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(EMPTY_SHA1.to_string(), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    }
}
