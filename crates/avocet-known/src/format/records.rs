//! Reads a set's records one after the other and keeps none: for measuring, exporting and comparing.

use std::fs::File;
use std::path::Path;
use std::rc::Rc;

use avocet_base::Sha256;

use super::{Found, ListKind};
use crate::compiled::Sorter;
use crate::error::KnownError;
use crate::intake::{Gather, Intake, Meter, Reporter, Tally};
use crate::record::RawRecord;
use crate::scheme::Scheme;

/// What a set's file says and what of it could not be read, beside its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSet {
    /// What was read, such as `VICS 2.0 hash set`.
    pub format: String,
    /// Who published it, where the file says so.
    pub publisher: Option<String>,
    /// What the set calls a record's identifier.
    pub id_label: &'static str,
    /// Dates and versions that the file states of itself, by what it calls them.
    pub stated: Vec<(String, String)>,
    /// What the places of records and tallies count: `line` or `record`.
    pub place_label: &'static str,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Bytes in the file.
    pub bytes: u64,
    /// Records in the file, rejected ones included.
    pub records_read: u64,
    /// Records that are none, by reason. Whether a digest is usable is not looked at here.
    pub rejected: Vec<Tally>,
    /// Records in which something is odd, by what it is.
    pub notes: Vec<Tally>,
    /// Sentences about what was read otherwise than it stands, or not at all.
    pub warnings: Vec<String>,
}

/// Reads a set of any format to its end and hands every record to `each`, as it stands in the file and in its order.
/// Nothing is decided about a record: neither whether its digests can be used nor what its category means. The scheme is
/// needed because a VICS file of another region than the scheme's is refused.
///
/// `list` says what a list of 64 hexadecimal digits a line holds; without it the file's name or header must say so.
///
/// # Errors
/// The file cannot be opened or read, or its content is not a set, or is damaged in a way that would lose records.
pub fn read_records(
    path: &Path,
    scheme: &Scheme,
    list: Option<ListKind>,
    each: &mut dyn FnMut(&RawRecord<'_>),
) -> Result<ReadSet, KnownError> {
    let open = |e: std::io::Error| KnownError::Open { path: path.to_owned(), reason: e.to_string() };
    let file = File::open(path).map_err(open)?;
    let metadata = file.metadata().map_err(open)?;
    if metadata.is_dir() {
        return Err(KnownError::Open { path: path.to_owned(), reason: "it is a folder".to_owned() });
    }
    gathered(path, scheme, metadata.len(), each, |intake| super::read_as(file, intake, list))
}

/// As [`read_records`], of a VICS file that need not be a file. `label` is what an error calls it.
pub(crate) fn read_vics(
    reader: impl std::io::Read + Send + 'static,
    label: &Path,
    scheme: &Scheme,
    each: &mut dyn FnMut(&RawRecord<'_>),
) -> Result<ReadSet, KnownError> {
    gathered(label, scheme, 0, each, |intake| super::read_as_vics(reader, intake))
}

/// Reads a set's records without keeping any.
fn gathered(
    path: &Path,
    scheme: &Scheme,
    total_bytes: u64,
    each: &mut dyn FnMut(&RawRecord<'_>),
    read: impl FnOnce(&mut Intake<'_>) -> Result<Found, KnownError>,
) -> Result<ReadSet, KnownError> {
    let meter = Rc::new(Meter::default());
    let mut silent = |_: crate::LoadProgress<'_>| {};
    let reporter = Reporter { set: 0, sets: 1, total_bytes, to: &mut silent };
    // Nothing is sorted, so nothing is written to this folder.
    let nowhere = std::env::temp_dir();
    let mut gather = Gather::new(scheme, Sorter::new(0, &nowhere));
    let mut intake = Intake::new(path, scheme, &nowhere, Rc::clone(&meter), reporter, &mut gather).tapped(each);
    let found = read(&mut intake)?;
    let place_label = intake.place_label();
    let counts = intake.counts();
    Ok(ReadSet {
        format: found.format,
        publisher: found.publisher,
        id_label: found.id_label,
        stated: found.stated,
        place_label,
        sha256: found.sha256,
        bytes: meter.bytes.get(),
        records_read: counts.read,
        rejected: counts.rejected,
        notes: counts.notes,
        warnings: found.warnings,
    })
}
