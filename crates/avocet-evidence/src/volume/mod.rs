//! Volume systems (MBR, GPT, Apple partition map), encrypted volumes (LUKS, BitLocker, TrueCrypt, VeraCrypt, CoreStorage), logical volumes (LVM2) and the recognition
//! of what lies in a volume.
//!
//! [`scan`] divides a source into volumes, the bytes that partition tables take, and what is left over. The three
//! together are the whole source: nothing between, before or after the partitions is passed over.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `partition-past-end` | a partition ends or begins past the end of the source; it was cut or left out |
//! | `partition-inverted` | a GPT partition that ends before it begins; left out |
//! | `partitions-overlap` | bytes belong to two partitions, or to a partition and a table |
//! | `partitions-capped` | overlapping partitions claim far more than the source holds; the rest is left out |
//! | `partition-type-zero` | an MBR entry of type 0 has a place and a length: a removed partition perhaps |
//! | `mbr-status-invalid` | an MBR entry's status byte is neither 00 nor 80 |
//! | `mbr-no-partitions` | the source has an MBR signature and an empty table |
//! | `ebr-broken`, `ebr-loop`, `ebr-capped`, `ebr-unreadable` | the chain of logical partitions was followed no further |
//! | `gpt-primary-broken`, `gpt-backup-broken`, `gpt-both-broken` | which of the two tables agree with their checksums |
//! | `gpt-entries-capped` | more entries declared than are read |
//! | `apm-broken`, `apm-entries-capped` | the Apple partition map was followed no further |
//! | `gpt-ignored` | a GPT, or the backup of one, on a source that is now partitioned or formatted otherwise |
//! | `hybrid-mbr` | the MBR beside a GPT lists partitions of its own |
//! | `signature-beside-table` | the whole source also carries a signature; the table was followed |
//! | `table-beside-signature` | the first sector also holds a partition table; the signature was followed |

use std::sync::Arc;

use crate::bytes::le_u16;
use crate::entry::Run;
use crate::error::{Problem, ReadError};
use crate::source::{Source, SubSource, read_up_to};

mod apm;
pub mod bitlocker;
pub mod corestorage;
mod filesystems;
pub mod gpt;
mod layout;
pub mod luks;
pub mod lvm;
pub mod mbr;
mod plain;
pub mod recognise;
pub(crate) mod sealed;
pub(crate) mod signatures;
pub mod tcrypt;
mod types;

pub(crate) use layout::{subtract, union};
pub use plain::Unlocked;
use recognise::{Found, look};
pub use recognise::{FsKind, Recognised, recognise};
pub(crate) use types::guid_text;

/// One volume: a partition, or the whole source where there is no partition table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSlot {
    /// `gpt:N` by entry number, `mbr:1` to `mbr:4`, `mbr:5` and up for logical partitions, `apm:N`, `disc` for a disc
    /// that also carries a map, or `whole`.
    pub name: String,
    /// Byte offset within the source.
    pub start: u64,
    /// Length in bytes, cut where the source ends.
    pub length: u64,
    /// What the table calls it: the known name of its MBR type or GPT type GUID, else the number itself. Empty for
    /// `whole`.
    pub type_name: String,
    /// The GPT partition name, escaped.
    pub label: Option<String>,
    /// What its content was recognised as.
    pub recognised: Recognised,
}

/// How a source is divided. Bytes of `volumes` (counted once where they overlap), `gaps` and `tables` are disjoint and
/// together the whole source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeScan {
    /// `gpt`, `mbr`, `apm` or `none`.
    pub scheme: &'static str,
    /// Bytes of a logical sector, as the table counts them.
    pub sector_size: u64,
    /// The volumes in the order of the table.
    pub volumes: Vec<VolumeSlot>,
    /// Unpartitioned bytes, in order.
    pub gaps: Vec<Run>,
    /// Bytes of partition tables and their headers outside any volume, in order.
    pub tables: Vec<Run>,
    /// Bytes counted in more than one volume. `volumes + gaps + tables - overlap` is the length of the source.
    pub overlap: u64,
    /// What was broken, cut or contradictory.
    pub problems: Vec<Problem>,
}

/// A partition as a table states it, before it is held against the source.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) start: u64,
    pub(crate) length: u64,
    pub(crate) type_name: String,
    pub(crate) label: Option<String>,
    /// Set where the type says that the content is part of something that is not read.
    pub(crate) not_read: Option<&'static str>,
}

/// What a partition table states.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) claims: Vec<Claim>,
    pub(crate) tables: Vec<Run>,
    pub(crate) problems: Vec<Problem>,
}

/// The window of a source that a claim covers.
pub(crate) fn window(source: &Arc<dyn Source>, start: u64, length: u64) -> SubSource {
    SubSource::new(Arc::clone(source), start, length)
}

/// Divides a source into volumes, tables and gaps, and recognises what lies in each volume.
///
/// # Errors
/// [`ReadError`] where the first sector cannot be read. Anything less is a [`Problem`].
pub fn scan(source: Arc<dyn Source>) -> Result<VolumeScan, ReadError> {
    let total = source.len();
    let sector0 = read_up_to(&*source, 0, 512)?;
    let whole = look(&*source);
    let marked = le_u16(&sector0, 510) == Some(0xAA55);
    let record = if marked { mbr::entries(&sector0) } else { vec![] };
    let (mbr_sector_size, inside) = mbr::sector_size(&source, &record);
    let mut problems = vec![];

    if let Some(found) = gpt::find(&source, mbr::is_protective(&record)) {
        let formatted = whole.at_start && matches!(whole.recognised, Recognised::FileSystem(_));
        // A table may be a leftover where the source has been partitioned or formatted anew since: Windows and Linux
        // follow an MBR that announces no GPT, and so does this where its partitions hold something.
        let current = if mbr::is_protective(&record) {
            true
        } else if found.primary_seen && found.sound {
            inside == 0
        } else {
            inside == 0 && !formatted && (found.primary_seen || !mbr::any(&record))
        };
        if current && (found.sound || !found.table.claims.is_empty()) {
            let mut table = found.table;
            mbr::add_hybrid(&record, &mut table, found.sector_size, total);
            beside_table(&whole, &mut table.problems);
            return Ok(layout::lay_out(&source, "gpt", found.sector_size, table));
        }
        problems.push(Problem::new(
            "gpt",
            if found.sound { "gpt-ignored" } else { "gpt-both-broken" },
            Some(found.offset),
            "a GUID partition table is present but was not followed: its checksums fail, or the source has been \
             partitioned or formatted otherwise since",
        ));
    } else if mbr::is_protective(&record) {
        let detail = "the MBR announces a GUID partition table, and neither its header nor its backup was found";
        problems.push(Problem::new("gpt", "gpt-both-broken", Some(512), detail));
    }

    if let Some((mut table, block)) = apm::find(&source) {
        table.problems.splice(0..0, problems);
        return Ok(layout::lay_out(&source, "apm", block, table));
    }
    if mbr::any(&record) {
        if follow_mbr(&record, &whole, mbr_sector_size, inside, total) {
            let mut table = mbr::read(&source, &record, mbr_sector_size);
            table.problems.splice(0..0, problems);
            beside_table(&whole, &mut table.problems);
            return Ok(layout::lay_out(&source, "mbr", mbr_sector_size, table));
        }
        if mbr::all_status_valid(&record) {
            problems.push(Problem::new(
                "mbr",
                "table-beside-signature",
                Some(446),
                "the first sector also reads as a partition table; the whole source was taken as one volume",
            ));
        }
    } else if marked && !mbr::is_protective(&record) && matches!(whole.recognised, Recognised::Unknown) {
        let detail = "the first sector is marked as a partition table or boot sector, and no partition is listed";
        problems.push(Problem::new("mbr", "mbr-no-partitions", Some(446), detail));
    }

    let volumes = if total == 0 {
        vec![]
    } else {
        vec![VolumeSlot {
            name: "whole".into(),
            start: 0,
            length: total,
            type_name: String::new(),
            label: None,
            recognised: whole.recognised,
        }]
    };
    Ok(VolumeScan { scheme: "none", sector_size: 512, volumes, gaps: vec![], tables: vec![], overlap: 0, problems })
}

/// Whether the MBR is a partition table and not a boot sector that ends in the same two bytes.
fn follow_mbr(record: &[mbr::Record], whole: &Found, sector_size: u64, inside: usize, total: u64) -> bool {
    let used: Vec<_> = record.iter().filter(|r| r.is_used()).collect();
    let from_zero = used.iter().any(|r| r.first == 0);
    let consistent = mbr::all_status_valid(record)
        && !from_zero
        && used.iter().all(|r| r.last_byte(sector_size).is_some_and(|end| end <= total));
    match &whole.recognised {
        // A boot sector of a file system in the same place: only a table that holds in every respect outweighs it.
        Recognised::FileSystem(FsKind::Ntfs | FsKind::Fat | FsKind::ExFat) if whole.at_start => {
            consistent && inside > 0
        }
        // An image of a hybrid disc: its table describes the disc itself.
        Recognised::FileSystem(FsKind::Iso) if from_zero && inside == 0 => false,
        Recognised::NotRead { certain: true, .. } if from_zero && inside == 0 => false,
        // BitLocker, LUKS and the like own the first sector.
        Recognised::NotRead { certain: true, .. } if whole.at_start => consistent && inside > 0,
        _ => mbr::all_status_valid(record) || inside > 0,
    }
}

fn beside_table(whole: &Found, problems: &mut Vec<Problem>) {
    let what = match &whole.recognised {
        Recognised::FileSystem(kind) => kind.as_str(),
        Recognised::NotRead { what, certain: true, .. } => what,
        _ => return,
    };
    problems.push(Problem::new(
        "volume",
        "signature-beside-table",
        None,
        format!("the source as a whole also carries the signature of {what}; the partition table was followed"),
    ));
}
