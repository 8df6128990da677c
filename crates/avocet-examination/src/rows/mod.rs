//! The rows of an examination, with plain texts and base types: what a reader of results needs, without the types of
//! the readers of evidence.
//!
//! Sizes, offsets and numbers are `u64` because evidence can claim any value. SQLite keeps 64-bit signed integers; a
//! value from 2^63 is stored as that value minus 2^64.

mod picture;

use avocet_base::{Md5, Sha1, Sha256};
use serde::Serialize;

pub use picture::{ChangeRow, FactRow, GroupRow, HashRow, ImageRow, NearRow, PictureRow, PictureView};

/// One piece of evidence: an image with its segments, a folder or an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct EvidenceRow {
    /// `ewf`, `raw`, `split raw`, `folder`, `zip`.
    pub kind: String,
    /// Bytes of the medium that the evidence holds.
    pub media_size: u64,
    /// The exhibit reference as on the label, where one was given.
    pub exhibit: Option<String>,
    /// Files that the evidence consists of.
    pub segments: u64,
    /// MD5 that the evidence itself records of its medium.
    pub stored_md5: Option<Md5>,
    /// SHA-1 that the evidence itself records of its medium.
    pub stored_sha1: Option<Sha1>,
    /// MD5 of the medium as computed in this examination; `None` where it was left out.
    pub md5: Option<Md5>,
    /// SHA-1 of the medium as computed in this examination.
    pub sha1: Option<Sha1>,
    /// SHA-256 of the medium as computed in this examination.
    pub sha256: Option<Sha256>,
    /// What comparing them says: `stored digest agrees`, `DIFFERS`, `not checked` and the like.
    pub verdict: String,
    /// What the evidence says of its acquisition, as key and value in the order found.
    pub facts: Vec<(String, String)>,
}

/// One known set that files were compared with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct KnownSetRow {
    /// Number within this examination, from 1.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// The set's version as its keeper numbers it; `""` where it has none. Not kept before schema version 2.
    pub version: String,
    /// `vics-2.0`, `hash list` and the like.
    pub format: String,
    /// SHA-256 of what the set was made from.
    pub source_sha256: Option<Sha256>,
    /// SHA-256 of the compiled set, which names the exact version. Not kept before schema version 2.
    pub set_sha256: Option<Sha256>,
    /// The category scheme in which its category numbers are read.
    pub scheme: String,
    /// Version of that scheme.
    pub scheme_version: String,
    /// SHA-256 over the scheme's definition.
    pub scheme_digest: Option<Sha256>,
    /// Records that can match.
    pub records_kept: u64,
    /// Records that could not be used.
    pub rejected: u64,
}

/// One volume, read or not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VolumeRow {
    /// Number within this examination.
    pub id: i64,
    /// Where it was found, such as `gpt:2`.
    pub label: String,
    /// Byte offset within the evidence.
    pub start: u64,
    /// Length in bytes.
    pub length: u64,
    /// `read`, `recognised`, `unknown` or `empty`.
    pub status: String,
    /// `ntfs`, `bitlocker` and the like, where known.
    pub kind: Option<String>,
    /// Escaped label of the file system.
    pub fs_label: Option<String>,
    /// Serial number or UUID as the field writes it.
    pub serial: Option<String>,
    /// Bytes of one cluster or block; 0 where there is none.
    pub cluster_size: u64,
    /// Which on-disk fields the times come from, in one sentence.
    pub time_source: Option<String>,
    /// What else is to be said, or `""`.
    pub detail: String,
}

/// A run of bytes that belongs to no file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct SpaceRow {
    /// The volume it lies in; `None` where it lies outside every volume.
    pub volume: Option<i64>,
    /// `unpartitioned`, `unallocated`, `partition-table` and the like.
    pub kind: String,
    /// Byte offset within the volume, or within the evidence where there is none.
    pub start: u64,
    /// Length in bytes.
    pub length: u64,
}

/// One file, directory or stream.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FileRow {
    /// Number within this examination, in canonical order.
    pub id: i64,
    /// The volume it lies on.
    pub volume: i64,
    /// Escaped path from the volume's root.
    pub path: String,
    /// Escaped name of an alternate stream; `None` for the main content.
    pub stream: Option<String>,
    /// `file`, `directory`, `link` or `special`.
    pub kind: String,
    /// `allocated`, `deleted`, `orphan`, `carved` or `embedded`.
    pub state: String,
    /// The file system's own number for it.
    pub number: u64,
    /// Size in bytes as the metadata gives it.
    pub size: u64,
    /// Created on this volume; this and all other times in nanoseconds since 1970-01-01, in the sense of `zone`.
    pub created: Option<i64>,
    /// Content last changed.
    pub modified: Option<i64>,
    /// Content last read.
    pub accessed: Option<i64>,
    /// Metadata last changed.
    pub changed: Option<i64>,
    /// Deleted.
    pub deleted: Option<i64>,
    /// NTFS `$FILE_NAME` created.
    pub name_created: Option<i64>,
    /// NTFS `$FILE_NAME` modified.
    pub name_modified: Option<i64>,
    /// NTFS `$FILE_NAME` accessed.
    pub name_accessed: Option<i64>,
    /// NTFS `$FILE_NAME` metadata changed.
    pub name_changed: Option<i64>,
    /// What the times say of their zone: `utc`, `local`, `utc+02:00`.
    pub zone: String,
    /// MD5 of the content; `None` where there is none or it cannot be read.
    pub md5: Option<Md5>,
    /// SHA-1 of the content.
    pub sha1: Option<Sha1>,
    /// SHA-256 of the content.
    pub sha256: Option<Sha256>,
    /// Why the content cannot be read, where it cannot.
    pub unreadable: Option<String>,
    /// `picture` or `video`, by content.
    pub media: Option<String>,
    /// The content's format, where recognised.
    pub format: Option<String>,
    /// What an examiner must know beside it, or `""`.
    pub note: String,
    /// The file that this one is embedded in.
    pub parent: Option<i64>,
}

impl FileRow {
    /// The path with the stream behind a colon, as every output writes it.
    pub fn full_path(&self) -> String {
        match &self.stream {
            Some(stream) => format!("{}:{stream}", self.path),
            None => self.path.clone(),
        }
    }
}

/// Where a piece of a file lies. Its file and place in the order are given by the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ExtentRow {
    /// Byte offset within the file.
    pub logical: u64,
    /// Length in bytes.
    pub length: u64,
    /// Byte offset within the volume; `None` where the bytes are stored nowhere and read as zero.
    pub start: Option<u64>,
}

/// What a recycle bin says of a deleted file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct OriginalRow {
    /// The file that holds the content.
    pub file_id: i64,
    /// Escaped path before deletion.
    pub original_path: String,
    /// When it was deleted, in nanoseconds since 1970-01-01 UTC.
    pub deleted_ns: Option<i64>,
    /// The file that says so.
    pub info_file_id: i64,
}

/// One agreement of a file with a record of a known set. The order of the fields after `file_id` is the order in which
/// the matches of one file are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct MatchRow {
    /// The file.
    pub file_id: i64,
    /// The set.
    pub set_id: i64,
    /// The record's own identifier in its set, or its line.
    pub record: String,
    /// What agreed: `sha256`, `sha1+size`, `sha1`, `md5 only`, `digest conflict`.
    pub basis: String,
    /// The category as the set writes it, in the set's scheme.
    pub category: Option<String>,
    /// What the scheme says this category means.
    pub meaning: Option<String>,
    /// Whether an officer must see it.
    pub alerts: bool,
    /// Whether the file never needs a look (known good).
    pub hides: bool,
    /// Series or victim series as the set writes it.
    pub series: Option<String>,
}

/// Something that could not be read, was capped or contradicted itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ProblemRow {
    /// Number within this examination, in canonical order.
    pub seq: i64,
    /// The volume concerned.
    pub volume: Option<i64>,
    /// The layer that reports, such as `fat`.
    pub layer: String,
    /// A stable short code, such as `directory-loop`.
    pub code: String,
    /// Byte offset within the layer's address space.
    pub offset: Option<u64>,
    /// Escaped path of the entry concerned.
    pub path: Option<String>,
    /// One sentence for the examiner.
    pub detail: String,
}

/// How much a line of the completeness statement matters, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The evidence itself is in doubt.
    Alarm,
    /// Something that should have been examined was not.
    Gap,
    /// A limit of what was done that an examiner must know.
    #[default]
    Note,
    /// What was done.
    Done,
}

impl Level {
    /// The word kept in the file: `alarm`, `gap`, `note`, `done`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Gap => "gap",
            Self::Note => "note",
            Self::Done => "done",
        }
    }

    /// The level of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Alarm, Self::Gap, Self::Note, Self::Done].into_iter().find(|level| level.as_str() == word)
    }
}

/// One line of the completeness statement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct CompletenessRow {
    /// Place in the statement.
    pub seq: i64,
    /// How much it matters.
    pub level: Level,
    /// A stable short code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// How many bytes, where that can be said.
    pub bytes: Option<u64>,
    /// The line as read by people.
    pub text: String,
}
