//! The grades that a VICS file states, read to be recorded beside contents that somebody has: each record with a category in
//! the very scheme that is asked for, or nothing at all. A category is never translated.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use avocet_base::{Md5, Sha1, Sha256, plural};

use crate::error::{KnownError, shown};
use crate::format::{ALTERNATIVE_DIFFERS, BOM, TWICE, each_of, read_vics};
use crate::record::{Field, RawRecord};
use crate::scheme::{Scheme, Status, Unlisted};

/// Most records with a category that are taken from one file. It bounds memory.
pub const MAX_GRADES: usize = 2_000_000;
/// Most names of fields that are told apart where they are counted.
const MAX_NAMES: usize = 64;
/// The field in which `avocet grading export` says the scheme, `ID@VERSION`.
const SCHEME: &str = "avocet:scheme";
/// What the reader itself adds to a record of a case.
const CASE: &str = "avocet:case";
/// What `avocet grading export` writes of a content that somebody looked at and put into no category.
const NONE: &str = "none";

/// What one record states of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// Which record of the file, from 1.
    pub record: u64,
    /// The byte at which it begins.
    pub offset: u64,
    /// MD5, where stated.
    pub md5: Option<Md5>,
    /// SHA-1, where stated.
    pub sha1: Option<Sha1>,
    /// SHA-256, where stated.
    pub sha256: Option<Sha256>,
    /// Bytes, where stated.
    pub bytes: Option<u64>,
    /// The category as the scheme writes it.
    pub category: String,
}

/// What a file states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grades {
    /// What was read, such as `VICS 2.0 case`.
    pub format: String,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Records in it.
    pub records: u64,
    /// Those with a category, in their order.
    pub grades: Vec<Grade>,
    /// Records that are no grade, by reason.
    pub left_out: Vec<(&'static str, u64)>,
    /// Categories whose meaning the scheme itself has yet to have confirmed, with how many records state them.
    pub unconfirmed: BTreeMap<String, u64>,
    /// Fields that say nothing about the grade and were passed over, with how many records have them.
    pub ignored: BTreeMap<String, u64>,
    /// Further such fields, beyond the first 64 names.
    pub ignored_more: u64,
    /// Sentences about the file as a whole.
    pub warnings: Vec<String>,
}

impl Grades {
    /// What is no grade, a sentence for each reason.
    #[must_use]
    pub fn left_out_words(&self) -> Vec<String> {
        let said = |(why, n): &(&str, u64)| format!("{} left out: {why}.", plural(*n, "record", "records"));
        self.left_out.iter().map(said).collect()
    }

    /// What is to be known of the rest: codes of which the scheme says *to be confirmed*, what was passed over, and how many
    /// records have it.
    #[must_use]
    pub fn passed_over_words(&self) -> Vec<String> {
        let confirm = self.unconfirmed.iter().map(|(code, n)| {
            let records = plural(*n, "record", "records");
            format!("What category {code} means is to be confirmed in the scheme ({records}).")
        });
        let mut all: Vec<String> = confirm.collect();
        if !self.ignored.is_empty() {
            let each: Vec<String> = self.ignored.iter().map(|(name, n)| format!("{name} ({n})")).collect();
            let more = match self.ignored_more {
                0 => String::new(),
                n => format!(", other fields ({n})"),
            };
            all.push(format!("Fields that were passed over, and in how many records: {}{more}.", each.join(", ")));
        }
        all.extend(self.warnings.iter().map(|warning| format!("Of the file: {warning}.")));
        all
    }
}

/// Why nothing was taken: where in the file, what is wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}; nothing was recorded")]
pub struct GradesError(String);

/// Whether a file is meant as VICS JSON: it begins with a bracket, as no list does.
#[must_use]
pub fn looks_like_vics(head: &[u8]) -> bool {
    head.strip_prefix(BOM).unwrap_or(head).trim_ascii_start().starts_with(b"{")
}

/// Reads a VICS file, hash set or case. Its records' categories must be codes of `scheme`. Where a record does not say its
/// scheme itself, as those of `avocet grading export` do, `declared` says that whoever sent the file does.
///
/// # Errors
/// [`GradesError`] names record, byte and field: damaged JSON, a digest or size that is none, a field stated twice, a category
/// that the scheme does not have, another scheme or region, more than [`MAX_GRADES`] records.
pub fn read_grades(reader: impl Read + Send + 'static, scheme: &Scheme, declared: bool) -> Result<Grades, GradesError> {
    let mut taker = Taker {
        scheme,
        own: format!("{}@{}", scheme.id, scheme.version),
        declared,
        grades: vec![],
        without: 0,
        unconfirmed: BTreeMap::new(),
        ignored: BTreeMap::new(),
        ignored_more: 0,
        wrong: None,
    };
    let read = read_vics(reader, Path::new("file"), scheme, &mut |record| taker.take(record)).map_err(in_words)?;
    if let Some(wrong) = taker.wrong {
        return Err(GradesError(wrong));
    }
    // Elsewhere the first value is used; a grade is not guessed.
    if let Some(note) = read.notes.iter().find(|note| [TWICE, ALTERNATIVE_DIFFERS].contains(&note.reason)) {
        let at = note.first.first().copied().unwrap_or_default();
        let what = match note.reason {
            TWICE => "it states a field twice with different values",
            _ => "field AlternativeHashes: a digest differs from the record's own",
        };
        return Err(GradesError(format!("record {at}: {what}; ask whoever sent it which holds")));
    }
    let mut left_out: Vec<(&'static str, u64)> = read.rejected.iter().map(|t| (t.reason, t.count)).collect();
    if taker.without > 0 {
        left_out.push(("without a category", taker.without));
    }
    Ok(Grades {
        format: read.format,
        sha256: read.sha256,
        records: read.records_read,
        grades: taker.grades,
        left_out,
        unconfirmed: taker.unconfirmed,
        ignored: taker.ignored,
        ignored_more: taker.ignored_more,
        warnings: read.warnings,
    })
}

/// Where the error of a reader of sets says the file's path, this says what is wrong with it.
fn in_words(error: KnownError) -> GradesError {
    GradesError(match error {
        KnownError::Malformed { format, place, reason, advice, .. } => {
            format!("the file is damaged or not {format}: {place}: {reason}; {advice}")
        }
        KnownError::Region { region, scheme, fits, .. } => format!(
            "the file says that its categories are those of region {region}, and {scheme} is for {fits}: grades cannot be \
             translated"
        ),
        KnownError::Read { bytes, reason, .. } => format!("the file cannot be read after {bytes} bytes: {reason}"),
        other => other.to_string(),
    })
}

struct Taker<'s> {
    scheme: &'s Scheme,
    own: String,
    declared: bool,
    grades: Vec<Grade>,
    without: u64,
    unconfirmed: BTreeMap<String, u64>,
    ignored: BTreeMap<String, u64>,
    ignored_more: u64,
    /// What is wrong with the first record that has something wrong.
    wrong: Option<String>,
}

impl Taker<'_> {
    fn take(&mut self, record: &RawRecord<'_>) {
        if self.wrong.is_some() {
            return;
        }
        let says = self.pass_over(record);
        let Some(code) = record.category else {
            self.without = self.without.saturating_add(1);
            return;
        };
        match self.grade(record, code, says.as_deref()) {
            Ok(grade) => self.grades.push(grade),
            Err((field, why)) => {
                self.wrong = Some(format!("record {}, byte {}, field {field}: {why}", record.place, record.offset));
            }
        }
    }

    /// Counts the fields that say nothing here, and finds the scheme that the record says.
    fn pass_over(&mut self, record: &RawRecord<'_>) -> Option<String> {
        let mut says = None;
        let mut names: Vec<String> = vec![];
        each_of(record.extra.as_bytes(), &mut |name, value| {
            let name = name.decode();
            if name == SCHEME {
                says = Some(value.text().map(|t| t.into_owned()).unwrap_or_default());
            } else if ![CASE, "AlternativeHashes"].contains(&&*name) && !names.iter().any(|known| *known == name) {
                names.push(name.into_owned());
            }
        });
        names.extend(record.series.map(|_| "Series".to_owned()));
        names.extend((!record.photodna.is_empty()).then(|| "PhotoDNA".to_owned()));
        names.extend((record.pdq != Field::Absent).then(|| "PDQ".to_owned()));
        names.extend(record.flags.words().map(|word| format!("flag {word}")));
        for name in names {
            let name = shown(&name);
            if self.ignored.len() < MAX_NAMES || self.ignored.contains_key(&name) {
                let n = self.ignored.entry(name).or_default();
                *n = n.saturating_add(1);
            } else {
                self.ignored_more = self.ignored_more.saturating_add(1);
            }
        }
        says
    }

    fn grade(
        &mut self,
        record: &RawRecord<'_>,
        code: &str,
        says: Option<&str>,
    ) -> Result<Grade, (&'static str, String)> {
        let own = &self.own;
        match says {
            Some(says) if says == own => {}
            Some(says) => {
                let why =
                    format!("it is in {}, and the grading here in {own}: grades cannot be translated", shown(says));
                return Err((SCHEME, why));
            }
            None if self.declared => {}
            None => {
                let why = format!(
                    "the file does not say the scheme of its categories; if whoever sent it says that they are codes of {own}, \
                     state that, else ask"
                );
                return Err(("Category", why));
            }
        }
        let category = match self.scheme.category(code) {
            Some(row) => {
                if row.status == Status::ToBeConfirmed {
                    let n = self.unconfirmed.entry(row.code.clone()).or_default();
                    *n = n.saturating_add(1);
                }
                row.code.clone()
            }
            // In a foreign file the word may mean that nobody looked.
            None if says.is_some() && code.eq_ignore_ascii_case(NONE) => NONE.to_owned(),
            None if self.scheme.unlisted == Unlisted::Keep => code.to_owned(),
            None => {
                let (codes, advice) = (self.scheme.codes(), self.scheme.unlisted_advice());
                return Err((
                    "Category",
                    format!("{} is no category of {own} (it has {codes}); {advice}", shown(code)),
                ));
            }
        };
        let usable = |what: &'static str, digits: u32| (what, format!("it is not {digits} hexadecimal digits"));
        let grade = Grade {
            record: record.place,
            offset: record.offset,
            md5: stated(record.md5).ok_or_else(|| usable("MD5", 32))?.filter(|d| d.0 != [0; 16]),
            sha1: stated(record.sha1).ok_or_else(|| usable("SHA1", 40))?.filter(|d| d.0 != [0; 20]),
            sha256: stated(record.sha256).ok_or_else(|| usable("SHA256", 64))?.filter(|d| d.0 != [0; 32]),
            bytes: stated(record.size)
                .ok_or_else(|| ("MediaSize", "it is no number of bytes".to_owned()))?
                .filter(|bytes| *bytes > 0),
            category,
        };
        if self.grades.len() >= MAX_GRADES {
            return Err(("Category", format!("more than {MAX_GRADES} records have a category; split the file")));
        }
        Ok(grade)
    }
}

/// The value, or that there is none; `None` where there is something else.
fn stated<T>(field: Field<T>) -> Option<Option<T>> {
    match field {
        Field::Absent => Some(None),
        Field::Bad => None,
        Field::Is(value) => Some(Some(value)),
    }
}
