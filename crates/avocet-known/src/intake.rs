//! Takes a reader's records in: checks digests, applies the scheme, counts what is rejected and why.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::rc::Rc;
use std::sync::Mutex;

use avocet_base::{Md5, Sha1, Sha256};

use crate::compiled::{Blob, Most, Rec, Sorter};
use crate::error::{KnownError, shown};
use crate::record::{Field, RawId, RawRecord};
use crate::scheme::{Scheme, Unlisted, fold};
use crate::sets::{LoadProgress, Stage};

/// How many places of each kind of trouble are kept for the user to look at.
pub(crate) const FIRST_PLACES: usize = 5;
/// The reason under which records for the empty file are rejected.
pub(crate) const EMPTY_CONTENT: &str = "digest of empty content";
/// Most bytes of different series names, and most of them: names are kept in memory while a set is read.
const MAX_SERIES_BYTES: usize = 64 << 20;
const MAX_SERIES_COUNT: usize = 1 << 20;
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
}

/// Something that was counted, with the first places where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The source in which it happened: index into [`crate::SetInfo::sources`].
    pub source: u32,
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

    fn into_list(self, source: u32) -> Vec<Tally> {
        self.0.into_iter().map(|(reason, (count, first))| Tally { source, reason, count, first }).collect()
    }

    fn total(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }
}

/// Words that were read from compiled sets, kept for as long as the program runs: reasons and labels are few, and what
/// this version writes comes from its own code.
static WORDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The text as one that lives as long as the program. A set that was made to hold ever new ones fills no memory: after
/// 4,096 texts, or for one beyond 200 bytes, the answer is `other`.
pub(crate) fn word(text: &str) -> &'static str {
    const OTHER: &str = "other";
    let Ok(mut words) = WORDS.lock() else { return OTHER };
    match words.get(text) {
        Some(word) => word,
        None if words.len() >= 4096 || text.len() > 200 => OTHER,
        None => {
            let word: &'static str = Box::leak(text.into());
            words.insert(word);
            word
        }
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

/// Texts kept once each, numbered from 0.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    bytes: usize,
}

impl Interner {
    /// `None` where there is no room for another one.
    pub fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        if self.texts.len() >= MAX_SERIES_COUNT || self.bytes + text.len() > MAX_SERIES_BYTES {
            return None;
        }
        let number = self.texts.len() as u32;
        self.bytes += text.len();
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    pub fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        self.texts.iter().map(|t| &**t)
    }
}

/// What the sources of one set come to, whichever of them is read.
pub(crate) struct Gather {
    scheme: Scheme,
    pub sorter: Sorter,
    /// Categories by code, those of the scheme and those that are only kept.
    codes: HashMap<String, u16>,
    default_rule: u16,
    /// Codes that the scheme does not list, in the order of their numbers.
    pub kept_codes: Vec<String>,
    pub series: Interner,
    /// The source that is read, from 0.
    pub source: u32,
    pub most: Most,
    /// All bits of all records.
    pub bits: u16,
    pub deletions: u64,
}

impl Gather {
    /// Categories are numbered in the scheme's order, then records without one, then codes that are only kept.
    pub fn new(scheme: &Scheme, sorter: Sorter) -> Gather {
        let codes = (0u16..).zip(&scheme.categories).map(|(number, c)| (fold(&c.code), number)).collect();
        Gather {
            default_rule: u16::try_from(scheme.categories.len()).unwrap_or(u16::MAX),
            scheme: scheme.clone(),
            sorter,
            codes,
            kept_codes: vec![],
            series: Interner::default(),
            source: 0,
            most: Most::default(),
            bits: 0,
            deletions: 0,
        }
    }

    /// Takes over the codes that an earlier version has kept, under their numbers.
    pub fn kept_codes(&mut self, codes: &[String]) {
        for code in codes {
            let number = u16::try_from(self.categories()).unwrap_or(u16::MAX);
            self.codes.insert(fold(code), number);
            self.kept_codes.push(code.clone());
        }
    }

    /// Number of categories.
    pub fn categories(&self) -> usize {
        self.scheme.categories.len() + 1 + self.kept_codes.len()
    }

    /// The number of a code; `None` where the scheme refuses it. The error is a full table.
    pub fn category(&mut self, code: Option<&str>) -> Result<Option<u16>, &'static str> {
        let Some(code) = code else { return Ok(Some(self.default_rule)) };
        let folded = fold(code);
        if let Some(number) = self.codes.get(&folded) {
            return Ok(Some(*number));
        }
        if self.scheme.unlisted == Unlisted::Refuse {
            return Ok(None);
        }
        let number = u16::try_from(self.categories())
            .map_err(|_| "it states more than 65,535 different categories; is that column one of categories?")?;
        self.kept_codes.push(code.to_owned());
        self.codes.insert(folded, number);
        Ok(Some(number))
    }

    /// The number of a series, from 1.
    pub fn series(&mut self, series: &str) -> Result<u32, &'static str> {
        self.series
            .number(series)
            .map(|n| n + 1)
            .ok_or("it names more than 1,048,576 series, or more than 64 MiB of names; is that column one of series?")
    }

    /// Takes a record. Its category and series are numbers given here.
    pub fn push(&mut self, rec: Rec, blob: &Blob<'_>) -> std::io::Result<()> {
        self.bits |= rec.bits;
        let most = &mut self.most;
        most.category |= u64::from(rec.category);
        most.series |= u64::from(rec.series);
        most.size |= rec.size;
        most.source |= u64::from(rec.source);
        most.place |= rec.place;
        most.id |= rec.id;
        if !blob.is_empty() {
            // Three lengths of at most five bytes each stand before the parts.
            let bytes = blob.id.len() + blob.photodna.len() + blob.extra.len() + 15;
            most.details += bytes as u64;
            most.pdq += u64::from(blob.pdq.is_some());
        }
        if rec.has(Rec::DELETES) {
            self.deletions += 1;
        }
        self.sorter.push(rec, blob)
    }
}

/// Where progress goes, and about which of how many sets it is.
pub(crate) struct Reporter<'a> {
    pub set: usize,
    pub sets: usize,
    pub total_bytes: u64,
    pub to: &'a mut dyn FnMut(LoadProgress<'_>),
}

/// What is left when a source has been read.
pub(crate) struct Taken {
    pub read: u64,
    pub rejected: Vec<Tally>,
    pub notes: Vec<Tally>,
}

/// Takes one source's records.
pub(crate) struct Intake<'a> {
    path: &'a Path,
    scheme: &'a Scheme,
    /// Where finished sets are to go, for what cannot be written.
    out: &'a Path,
    /// `line` or `record`: what a place counts.
    place_label: &'static str,
    meter: Rc<Meter>,
    reporter: Reporter<'a>,
    gather: &'a mut Gather,
    /// The code and the series looked up last, and their numbers: sets come in long runs of one of each.
    last_code: (String, u16),
    last_series: (String, u32),
    read: u64,
    taken: u64,
    rejected: Tallies,
    notes: Tallies,
    /// Where records go instead of the table, for those who only read a set.
    tap: Option<&'a mut dyn FnMut(&RawRecord<'_>)>,
}

/// What was counted while a set was only read.
pub(crate) struct Counts {
    pub read: u64,
    pub rejected: Vec<Tally>,
    pub notes: Vec<Tally>,
}

impl<'a> Intake<'a> {
    /// Hands every record to `tap`, as its reader gives it, and keeps none.
    pub fn tapped(mut self, tap: &'a mut dyn FnMut(&RawRecord<'_>)) -> Intake<'a> {
        self.tap = Some(tap);
        self
    }

    /// What was counted; for an intake that keeps no records.
    pub fn counts(self) -> Counts {
        Counts { read: self.read, rejected: self.rejected.into_list(0), notes: self.notes.into_list(0) }
    }

    pub fn new(
        path: &'a Path,
        scheme: &'a Scheme,
        out: &'a Path,
        meter: Rc<Meter>,
        reporter: Reporter<'a>,
        gather: &'a mut Gather,
    ) -> Intake<'a> {
        Intake {
            path,
            scheme,
            out,
            place_label: "record",
            meter,
            reporter,
            last_code: (String::new(), gather.default_rule),
            last_series: (String::new(), 0),
            gather,
            read: 0,
            taken: 0,
            rejected: Tallies::default(),
            notes: Tallies::default(),
            tap: None,
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
        if self.read.is_multiple_of(PROGRESS_EVERY) {
            self.report(false);
        }
    }

    fn report(&mut self, done: bool) {
        (self.reporter.to)(LoadProgress {
            stage: Stage::Reading,
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
        if let Some(tap) = &mut self.tap {
            tap(record);
            self.step();
            return Ok(());
        }
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
        let pdq = match record.pdq {
            Field::Is(pdq) => Some(pdq),
            Field::Absent => None,
            Field::Bad => {
                self.note("PDQ hash that is not 64 hexadecimal digits", place);
                None
            }
        };
        let digests = md5.is_some() || sha1.is_some() || sha256.is_some();
        // Without a digest a picture can still be found by how it looks, but not where the record is of no content.
        let looks = !empty && (pdq.is_some() || !record.photodna.is_empty());
        if !digests && !looks {
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
        let category = self.category(record.category, place, record.offset)?;
        let series = self.series(record.series, place)?;
        let mut blob = Blob { pdq: pdq.as_ref().map(|p| &p.0), photodna: record.photodna, ..Blob::default() };
        blob.extra = record.extra.as_bytes();
        let (id, id_bits) = match record.id {
            RawId::Number(number) => (number, Rec::ID_NUMBER),
            RawId::None => (0, 0),
            RawId::Text(text) => {
                blob.id = text.as_bytes();
                (0, Rec::ID_TEXT)
            }
        };
        let bit = |on: bool, bit: u16| if on { bit } else { 0 };
        let rec = Rec {
            md5: md5.map_or([0; 16], |d| d.0),
            sha1: sha1.map_or([0; 20], |d| d.0),
            sha256: sha256.map_or([0; 32], |d| d.0),
            size: size.unwrap_or(0),
            id,
            place,
            count: 1,
            source: self.gather.source,
            series,
            category,
            bits: u16::from(record.flags.0) & Rec::FLAGS
                | id_bits
                | bit(size.is_some(), Rec::HAS_SIZE)
                | bit(md5.is_some(), Rec::HAS_MD5)
                | bit(sha1.is_some(), Rec::HAS_SHA1)
                | bit(sha256.is_some(), Rec::HAS_SHA256)
                | bit(record.deletes, Rec::DELETES),
            blob_len: 0,
            blob_at: 0,
        };
        self.gather
            .push(rec, &blob)
            .map_err(|e| KnownError::Write { path: self.out.to_owned(), reason: e.to_string() })?;
        self.taken += 1;
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

    fn category(&mut self, code: Option<&str>, place: u64, offset: u64) -> Result<u16, KnownError> {
        if let Some(code) = code
            && code == self.last_code.0
        {
            return Ok(self.last_code.1);
        }
        let number = self.gather.category(code).map_err(|reason| self.too_large(reason))?;
        match (number, code) {
            (Some(number), Some(code)) => {
                self.last_code = (code.to_owned(), number);
                Ok(number)
            }
            (Some(number), None) => Ok(number),
            (None, _) => Err(KnownError::Category {
                path: self.path.to_owned(),
                place: format!("{} {place}, byte {offset}, field category", self.place_label),
                code: shown(code.unwrap_or_default()),
                scheme: self.scheme.id.to_string(),
                advice: format!("(it has {}); {}", self.scheme.codes(), self.scheme.unlisted_advice()),
            }),
        }
    }

    fn series(&mut self, series: Option<&str>, place: u64) -> Result<u32, KnownError> {
        let Some(series) = series.map(str::trim).filter(|s| !s.is_empty()) else { return Ok(0) };
        let mut kept = series;
        if series.len() > MAX_SERIES {
            self.note("series longer than 1,024 bytes; its beginning is kept", place);
            kept = series.get(..series.floor_char_boundary(MAX_SERIES)).unwrap_or_default();
        }
        if kept != self.last_series.0 {
            let number = self.gather.series(kept).map_err(|reason| self.too_large(reason))?;
            self.last_series = (kept.to_owned(), number);
        }
        Ok(self.last_series.1)
    }

    fn too_large(&self, reason: &'static str) -> KnownError {
        KnownError::TooLarge { path: self.path.to_owned(), reason }
    }

    /// An error about the content.
    pub fn malformed(&self, format: &str, place: String, reason: String, advice: &'static str) -> KnownError {
        KnownError::Malformed { path: self.path.to_owned(), format: format.to_owned(), place, reason, advice }
    }

    /// Ends a source.
    ///
    /// # Errors
    /// [`KnownError::Empty`] where nothing usable was read.
    pub fn finish(mut self, format: &str) -> Result<Taken, KnownError> {
        self.report(true);
        if self.taken == 0 {
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
        let source = self.gather.source;
        Ok(Taken { read: self.read, rejected: self.rejected.into_list(source), notes: self.notes.into_list(source) })
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
