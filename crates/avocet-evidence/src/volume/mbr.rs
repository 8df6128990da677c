//! MBR partition tables and the chain of extended boot records.
//!
//! The layout is that of the IBM PC: four entries of 16 bytes at offset 446 and the bytes 55 AA at 510. An entry of an
//! extended type holds a chain of records (EBR), each with one logical partition, placed relative to that record, and
//! a link to the next record, placed relative to the extended partition.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::recognise::{Recognised, recognise};
use super::{Claim, Table, types, window};
use crate::bytes::{le_u16, le_u32, u8_at};
use crate::entry::Run;
use crate::error::Problem;
use crate::source::{Source, read_up_to};

/// Logical partitions followed at most; no known tool makes nearly as many.
const MAX_LOGICAL: usize = 1024;

/// One entry of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record {
    /// Entry number from 1.
    pub(crate) number: usize,
    status: u8,
    pub(crate) kind: u8,
    /// First sector.
    pub(crate) first: u32,
    /// Number of sectors.
    pub(crate) count: u32,
}

impl Record {
    /// Whether the entry describes a partition.
    pub(crate) fn is_used(&self) -> bool {
        self.kind != 0 && self.count > 0
    }

    fn is_extended(&self) -> bool {
        matches!(self.kind, 0x05 | 0x0F | 0x85)
    }

    fn status_valid(&self) -> bool {
        self.status & 0x7F == 0
    }

    /// The byte after the last, at a sector size.
    pub(crate) fn last_byte(&self, sector_size: u64) -> Option<u64> {
        (u64::from(self.first) + u64::from(self.count)).checked_mul(sector_size)
    }

    fn claim(&self, name: String, start: u64, sector_size: u64) -> Claim {
        Claim {
            name,
            start,
            length: u64::from(self.count).saturating_mul(sector_size),
            type_name: types::mbr_type(self.kind),
            label: None,
            not_read: (self.kind == 0x42).then_some("Windows dynamic disk (LDM)"),
        }
    }
}

/// The four entries of a table sector.
pub(crate) fn entries(sector: &[u8]) -> Vec<Record> {
    let entry = |i: usize| {
        let at = 446 + i * 16;
        Some(Record {
            number: i + 1,
            status: u8_at(sector, at)?,
            kind: u8_at(sector, at + 4)?,
            first: le_u32(sector, at + 8)?,
            count: le_u32(sector, at + 12)?,
        })
    };
    (0..4).filter_map(entry).collect()
}

/// Whether any entry announces a GPT.
pub(crate) fn is_protective(record: &[Record]) -> bool {
    record.iter().any(|r| r.kind == 0xEE)
}

/// Whether any entry describes a partition other than the protective one.
pub(crate) fn any(record: &[Record]) -> bool {
    record.iter().any(|r| r.is_used() && r.kind != 0xEE)
}

/// Whether every status byte is one that a partition table can have; boot code in the same place seldom is.
pub(crate) fn all_status_valid(record: &[Record]) -> bool {
    record.iter().all(Record::status_valid)
}

/// Finds the sector size that the table counts in, 512 or 4096, as that under which more partitions begin with a
/// recognised content; and how many do.
pub(crate) fn sector_size(source: &Arc<dyn Source>, record: &[Record]) -> (u64, usize) {
    let recognised = |size: u64| {
        let holds = |r: &&Record| {
            let start = u64::from(r.first) * size;
            if !r.is_used() || start == 0 || start >= source.len() {
                return false;
            }
            if r.is_extended() {
                return read_up_to(&**source, start, 512).is_ok_and(|s| le_u16(&s, 510) == Some(0xAA55));
            }
            let found = recognise(&window(source, start, u64::from(r.count) * size));
            matches!(found, Recognised::FileSystem(_) | Recognised::NotRead { certain: true, .. })
        };
        record.iter().filter(holds).count()
    };
    let (small, large) = (recognised(512), recognised(4096));
    if large > small { (4096, large) } else { (512, small) }
}

/// Reads the whole table, logical partitions too.
pub(crate) fn read(source: &Arc<dyn Source>, record: &[Record], sector_size: u64) -> Table {
    let mut table = Table::default();
    table.tables.push(Run { start: 0, length: sector_size });
    let mut visited = BTreeSet::from([0]);
    for r in record {
        odd_entry(r, 0, &mut table.problems);
        let start = u64::from(r.first) * sector_size;
        if r.is_used() && r.kind != 0xEE && !r.is_extended() {
            table.claims.push(r.claim(format!("mbr:{}", r.number), start, sector_size));
        }
    }
    let mut number = 5;
    for r in record.iter().filter(|r| r.is_used() && r.is_extended()) {
        let base = u64::from(r.first) * sector_size;
        follow_chain(source, base, sector_size, &mut visited, &mut number, &mut table);
    }
    table
}

fn odd_entry(r: &Record, sector: u64, problems: &mut Vec<Problem>) {
    let mut problem = |code, detail| problems.push(Problem::new("mbr", code, Some(sector), detail));
    if r.kind == 0 && r.count > 0 && r.first > 0 {
        problem("partition-type-zero", format!("entry {} has type 0, but a place and a length", r.number));
    }
    if r.is_used() && !r.status_valid() {
        problem("mbr-status-invalid", format!("entry {} has the status byte {:02x}", r.number, r.status));
    }
}

fn follow_chain(
    source: &Arc<dyn Source>,
    base: u64,
    sector_size: u64,
    visited: &mut BTreeSet<u64>,
    number: &mut usize,
    table: &mut Table,
) {
    let mut next = Some(base);
    while let Some(at) = next.take() {
        let mut stop = |code, detail: &str| table.problems.push(Problem::new("mbr", code, Some(at), detail));
        if !visited.insert(at) {
            stop("ebr-loop", "the chain of extended boot records leads back to a record already read");
            return;
        }
        if visited.len() > MAX_LOGICAL {
            stop("ebr-capped", "the chain of extended boot records is longer than 1024 records");
            return;
        }
        let sector = match read_up_to(&**source, at, 512) {
            Ok(sector) => sector,
            Err(error) => {
                stop("ebr-unreadable", &error.detail);
                return;
            }
        };
        if le_u16(&sector, 510) != Some(0xAA55) {
            stop("ebr-broken", "an extended boot record lacks its signature or lies past the end of the source");
            return;
        }
        table.tables.push(Run { start: at, length: sector_size });
        for r in entries(&sector) {
            odd_entry(&r, at, &mut table.problems);
            let from_base = base.saturating_add(u64::from(r.first) * sector_size);
            if !r.is_used() {
                continue;
            }
            if !r.is_extended() {
                let start = at.saturating_add(u64::from(r.first) * sector_size);
                table.claims.push(r.claim(format!("mbr:{number}"), start, sector_size));
                *number = number.saturating_add(1);
            } else if next.is_none() {
                next = Some(from_base);
            } else {
                let detail = "an extended boot record has a second link, which was not followed";
                table.problems.push(Problem::new("mbr", "ebr-broken", Some(at), detail));
            }
        }
    }
}

/// Adds the entries of a hybrid MBR that the GPT does not cover.
pub(crate) fn add_hybrid(record: &[Record], table: &mut Table, sector_size: u64, total: u64) {
    let mut listed = 0usize;
    for r in record.iter().filter(|r| r.is_used() && r.kind != 0xEE) {
        listed = listed.saturating_add(1);
        let start = u64::from(r.first) * sector_size;
        let covered = table.claims.iter().any(|c| start >= c.start && start.saturating_sub(c.start) < c.length);
        if !covered && r.first > 0 && start < total && !r.is_extended() {
            table.claims.push(r.claim(format!("mbr:{}", r.number), start, sector_size));
        }
    }
    if listed > 0 {
        let detail = format!("the MBR beside the GPT lists {listed} partition(s) of its own; the GPT was followed");
        table.problems.push(Problem::new("mbr", "hybrid-mbr", Some(446), detail));
    }
}
