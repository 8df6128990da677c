//! What a compiled set says of itself.

use avocet_base::Sha256;

use crate::intake::Tally;
use crate::scheme::SchemeId;

/// How many kept records have a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCount {
    /// The code; `None` for records that state none.
    pub code: Option<String>,
    /// What the scheme says it means.
    pub meaning: Option<String>,
    /// Whether the scheme makes it an alert.
    pub alerts: bool,
    /// Kept records.
    pub records: u64,
}

/// One file that a set was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceInfo {
    /// The file's name, without its folders.
    pub name: String,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Bytes in the file.
    pub bytes: u64,
    /// What was read, such as `VICS 2.0 hash set`.
    pub format: String,
    /// Who published it, where the file says so.
    pub publisher: Option<String>,
    /// Records in it, deletions and what was rejected included.
    pub records: u64,
    /// What the places of its records count: `line` or `record`.
    pub place_label: &'static str,
    /// What it calls a record's own identifier.
    pub id_label: String,
    /// Dates and versions that the file states of itself, by what it calls them.
    pub stated: Vec<(String, String)>,
}

/// What was done to a set, and from which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEntry {
    /// What was done.
    pub action: HistoryAction,
    /// Digest of the version that this one was made from; `None` for an import.
    pub from: Option<Sha256>,
    /// The scheme from then on.
    pub scheme: SchemeId,
    /// That scheme's version.
    pub scheme_version: String,
    /// SHA-256 of that scheme's text.
    pub scheme_digest: Sha256,
    /// The user's remark.
    pub note: Option<String>,
}

/// What can be done to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryAction {
    /// Read from its sources.
    Import,
    /// Further sources were added to an earlier version, deletions included.
    Update,
    /// The categories were read by another scheme.
    Remap,
}

/// A set: where it came from, what was read and what was not.
///
/// Always `records_read` = `kept` + `duplicates` + `removed` + `deletions` + the sum of `rejected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetInfo {
    /// Index among the sets loaded together; 0 for a set by itself.
    pub id: usize,
    /// Its number in the store that it was opened from; `None` where it comes from none.
    pub version: Option<u32>,
    /// Name that the user gave, or that of the file without its extension.
    pub name: String,
    /// Who published it, as the user or the files say.
    pub publisher: Option<String>,
    /// What was read, such as `VICS 2.0 hash set`; several formats are joined by commas.
    pub format: String,
    /// SHA-256 of the source; of several, the SHA-256 over their digests in order.
    pub sha256: Sha256,
    /// Bytes in the sources.
    pub bytes: u64,
    /// Digest that names exactly this version of the compiled set: SHA-256 of its header, which holds the SHA-256 of
    /// every section.
    pub digest: Sha256,
    /// The scheme's name.
    pub scheme: SchemeId,
    /// The scheme's version.
    pub scheme_version: String,
    /// SHA-256 of the scheme's text.
    pub scheme_digest: Sha256,
    /// Records in the sources, deletions included.
    pub records_read: u64,
    /// Different statements that the set makes; a look-up can find each.
    pub kept: u64,
    /// Records that say the same as an earlier one: same digests, size, category, series and flags.
    pub duplicates: u64,
    /// Records that a later deletion took away.
    pub removed: u64,
    /// Deletions read, those that found nothing included.
    pub deletions: u64,
    /// Deletions that found no earlier record, with the first places.
    pub deletions_without_record: Tally,
    /// Records that cannot be used, by reason.
    pub rejected: Vec<Tally>,
    /// What the places in tallies count: `line` or `record`.
    pub place_label: &'static str,
    /// Sentences about what was read otherwise than it stands, or not at all.
    pub warnings: Vec<String>,
    /// Kept statements by category, in the scheme's order; codes that are only kept follow in the order of the file.
    pub categories: Vec<CategoryCount>,
    /// Rows in the file: every statement, and each further record that says the same with other details.
    pub rows: u64,
    /// Rows with a PDQ hash.
    pub pdq: u64,
    /// Rows with a PhotoDNA value.
    pub photodna: u64,
    /// The files that it was read from, in order, those of earlier versions first.
    pub sources: Vec<SourceInfo>,
    /// What was done to it, oldest first.
    pub history: Vec<HistoryEntry>,
    /// The program that wrote it.
    pub importer: String,
}
