//! Whole records, for export, comparison and whoever else wants everything that a set holds.

use avocet_base::{Md5, PdqHash, Sha1, Sha256};

use super::SetFile;
use crate::error::KnownError;
use crate::record::Flags;

/// What a set calls a record.
#[derive(Clone, PartialEq, Eq)]
pub enum RecordId {
    /// The set gives it no name: it is known by its place.
    None,
    /// A number.
    Number(u64),
    /// A text.
    Text(String),
}

/// Everything that a compiled set holds about one record.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Row in the file, from 0.
    pub row: u32,
    /// MD5 of the content.
    pub md5: Option<Md5>,
    /// SHA-1 of the content.
    pub sha1: Option<Sha1>,
    /// SHA-256 of the content.
    pub sha256: Option<Sha256>,
    /// Size of the content in bytes.
    pub size: Option<u64>,
    /// Category code as the scheme writes it; `None` where the record states none.
    pub category: Option<String>,
    /// Series.
    pub series: Option<String>,
    /// What else the set says.
    pub flags: Flags,
    /// The set's own name of the record.
    pub id: RecordId,
    /// Index into [`crate::SetInfo::sources`].
    pub source: u32,
    /// Line or running number in that source, from 1.
    pub place: u64,
    /// PDQ hash of the picture.
    pub pdq: Option<PdqHash>,
    /// PhotoDNA value, opaque.
    pub photodna: Option<Vec<u8>>,
    /// What the source states beside all this: the text of one JSON object.
    pub extra: Option<String>,
    /// How many records of the sources say exactly this, with the same details.
    pub count: u64,
    /// Whether an earlier row makes the same statement, so that look-ups do not show this one.
    pub repeats: bool,
}

/// Identifiers, series and extra text can be personal data and are left out.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record")
            .field("row", &self.row)
            .field("source", &self.source)
            .field("place", &self.place)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// The records of a compiled set in the order of its rows.
#[derive(Debug)]
pub struct Records<'a> {
    pub(super) set: &'a SetFile,
    pub(super) rows: std::ops::Range<u32>,
}

impl Iterator for Records<'_> {
    type Item = Result<Record, KnownError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next().map(|row| self.set.record(row))
    }
}
