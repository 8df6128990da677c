//! NTFS, read from its published structures: every name and stream of every file record, live and deleted.
//!
//! The master file table is read from beginning to end in large pieces, twice: first for the directories, which are
//! all that is kept, then for everything, each entry handed on as it is met. A table of at most 64 MiB is read once.
//!
//! # Problem codes
//! `backup-boot-sector`, `volume-truncated`, `mft-from-mirror`, `mft-incomplete`, `record-from-mirror`,
//! `record-fixup-mismatch`, `record-marked-bad`, `record-signature`, `record-unreadable`, `record-attributes-broken`,
//! `record-incomplete`, `extension-records-unclaimed`, `directory-loop`, `path-too-long`, `parent-not-found`,
//! `bitmap-unreadable`, `bad-clusters`, `recovered-bytes-capped`, `cross-linked-clusters`, `shadow-copies-not-read`,
//! and `more-of-the-same` where one code was reported too often to go on one by one.
//!
//! # What is not listed
//! Names that only remain in the slack of directory indexes; attributes other than `$DATA`; the target of links.

mod bitmap;
mod boot;
mod compressed;
mod content;
mod lznt1;
mod record;
mod runs;
mod shadow;
mod table;
mod tree;
mod value;
mod walk;

use std::sync::Arc;

use avocet_base::escape_utf16;

use crate::bytes::utf16_le;
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_up_to};
use boot::Boot;
use record::{Attribute, DATA, Header, VOLUME_NAME, attributes};
use runs::{Geometry, decode};
use table::{Allowance, Table};
use value::Value;

/// Record numbers of the system files that are read for themselves.
const VOLUME: u64 = 3;
const BITMAP: u64 = 6;

/// An NTFS volume.
pub struct Ntfs {
    source: Arc<dyn Source>,
    geometry: Geometry,
    table: Table,
    bitmap: Result<Value, &'static str>,
    facts: VolumeFacts,
    /// Found when it was opened, reported with each walk.
    problems: Vec<Problem>,
}

impl Ntfs {
    /// Opens a volume: `volume` begins at its boot sector and ends with the partition. Where the boot sector is
    /// damaged its backup is used, where the file table's first record is, its mirror.
    ///
    /// # Errors
    /// [`OpenError`] where neither boot sector nor a first record is usable.
    pub fn open(volume: Arc<dyn Source>) -> Result<Self, OpenError> {
        let mut problems = vec![];
        let first = read_up_to(&*volume, 0, 512)?;
        let (boot, table) = match Self::open_at(&volume, &first, &mut problems) {
            Ok(found) => found,
            Err(error) => {
                let found = backups(&*volume).into_iter().find_map(|(offset, sector)| {
                    let mut more = vec![Problem::new(
                        "ntfs",
                        "backup-boot-sector",
                        Some(offset),
                        "the boot sector is damaged; its backup was used",
                    )];
                    let found = Self::open_at(&volume, &sector, &mut more).ok()?;
                    problems = more;
                    Some(found)
                });
                found.ok_or(error)?
            }
        };
        let geometry = geometry(&boot, &*volume);
        if boot.size > volume.len() {
            problems.push(Problem::new(
                "ntfs",
                "volume-truncated",
                Some(volume.len()),
                format!("the volume declares {} bytes, {} are there", boot.size, volume.len()),
            ));
        }
        problems.extend(shadow::problems(&*volume));
        let bitmap = bitmap_value(&table, geometry);
        if let Err(why) = bitmap {
            problems.push(Problem::new(
                "ntfs",
                "bitmap-unreadable",
                table.offset(BITMAP),
                format!("the allocation map {why}; which clusters of deleted files were reused is not known"),
            ));
        }
        let facts = VolumeFacts {
            kind: "ntfs",
            label: label(&table),
            serial: Some(format!("{:016X}", boot.serial)),
            cluster_size: boot.cluster,
            size: boot.size,
            time_source: "created, modified, changed and accessed from $STANDARD_INFORMATION, the name times from the \
                          $FILE_NAME of that name; all UTC in steps of 100 ns",
        };
        Ok(Self { source: volume, geometry, table, bitmap, facts, problems })
    }

    fn open_at(
        volume: &Arc<dyn Source>,
        sector: &[u8],
        problems: &mut Vec<Problem>,
    ) -> Result<(Boot, Table), OpenError> {
        let boot = Boot::parse(sector).map_err(|detail| OpenError::malformed("ntfs", 0, detail))?;
        let geometry = geometry(&boot, &**volume);
        let table = Table::open(volume, &boot, geometry, problems)?;
        Ok((boot, table))
    }
}

fn geometry(boot: &Boot, volume: &dyn Source) -> Geometry {
    Geometry { cluster: boot.cluster, clusters: boot.clusters, present: boot.size.min(volume.len()) }
}

/// Sectors that may be the backup boot sector: the partition's last one, or (before Windows NT 4) its middle one.
fn backups(volume: &dyn Source) -> Vec<(u64, Vec<u8>)> {
    let last = [512u64, 1024, 2048, 4096].into_iter().filter_map(|n| volume.len().checked_sub(n));
    let middle = (volume.len() / 2) & !511;
    last.chain([middle])
        .filter_map(|offset| Some((offset, read_up_to(volume, offset, 512).ok()?)))
        .filter(|(offset, sector)| *offset > 0 && boot::is_named(sector))
        .collect()
}

/// Where the allocation map's own clusters are.
fn bitmap_value(table: &Table, geometry: Geometry) -> Result<Value, &'static str> {
    let base = table.record(BITMAP).map_err(|fault| fault.describe().1)?;
    let header = Header::read(&base).ok_or("has no header")?;
    let mut found: Vec<Attribute<'_>> = vec![];
    attributes(&base, &mut found);
    let extensions = table.extensions(BITMAP, &header, &found, &mut Allowance(table.records));
    extensions.records.iter().for_each(|r| {
        attributes(r, &mut found);
    });
    let mut pieces: Vec<_> = found
        .iter()
        .filter(|a| a.kind == DATA && a.name.is_empty())
        .filter_map(|a| match a.body {
            record::Body::Mapped(m) => Some(m),
            record::Body::Resident(_) => None,
        })
        .collect();
    pieces.sort_by_key(|m| m.lowest);
    let first = pieces.first().filter(|m| m.lowest == 0).ok_or("has no data")?;
    let (mut runs, mut end) = (vec![], 0);
    for piece in &pieces {
        if piece.lowest != end {
            return Err("is incomplete");
        }
        end = decode(piece.pairs, end, geometry, &mut runs)?;
    }
    // Only bytes that were written count, and only as many as exist: a boot sector may declare any size.
    let needed = geometry.clusters.div_ceil(8);
    if runs.iter().any(|r| r.lcn.is_none()) || first.size.min(first.initialised) < needed {
        return Err("is shorter than the volume");
    }
    if needed > geometry.present {
        return Err("would be longer than the image");
    }
    Value::new(&runs, geometry.cluster, first.size, first.initialised).ok_or("has contradictory runs")
}

/// The volume's label, from `$Volume`.
fn label(table: &Table) -> Option<String> {
    let record = table.record(VOLUME).ok()?;
    let mut found = vec![];
    attributes(&record, &mut found);
    let name = found.iter().find(|a| a.kind == VOLUME_NAME)?.resident()?;
    Some(escape_utf16(&utf16_le(name))).filter(|l| !l.is_empty())
}

impl FileSystem for Ntfs {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        walk::walk(self, visitor)
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        match &self.bitmap {
            Ok(value) => bitmap::free_runs(value, &*self.source, self.geometry.clusters, self.geometry.cluster),
            Err(why) => Err(ReadError::new("ntfs", 0, ReadFault::Damaged, format!("the allocation map {why}"))),
        }
    }
}
