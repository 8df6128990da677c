//! The master file table: found through its own first record, read by record number, extension records included.

use std::sync::Arc;

use super::boot::Boot;
use super::record::{ATTRIBUTE_LIST, Attribute, Body, DATA, Fault, Header, Reference, attributes, fix_up};
use super::runs::{DataRun, Geometry, decode};
use super::value::{Value, whole};
use crate::bytes::{le_u16, le_u64};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_exact_at};

/// Windows keeps attribute lists within 256 KiB.
const LIST_CAP: u64 = 1024 * 1024;
/// Records that the mirror repeats.
const MIRRORED: u64 = 4;

/// How many records a walk may still read out of turn. An honest volume has one base for each extension record; a
/// hostile one could point every record at every other.
#[derive(Debug)]
pub(super) struct Allowance(pub u64);

impl Allowance {
    pub fn take(&mut self, records: u64) -> bool {
        match self.0.checked_sub(records) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// Records that hold further attributes of a base record.
#[derive(Debug, Default)]
pub(super) struct Extensions {
    /// Fixed-up records in the order of the attribute list.
    pub records: Vec<Vec<u8>>,
    /// What is missing: a clause, where something is.
    pub missing: Option<&'static str>,
}

/// The master file table.
pub(super) struct Table {
    source: Arc<dyn Source>,
    geometry: Geometry,
    value: Value,
    mirror: u64,
    /// Bytes per record.
    pub record_size: usize,
    /// Records it holds.
    pub records: u64,
}

impl Table {
    /// Finds the table through its own record, or through the mirror's copy of it.
    pub fn open(
        source: &Arc<dyn Source>,
        boot: &Boot,
        geometry: Geometry,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, OpenError> {
        let load = |offset: u64| -> Result<Vec<u8>, Fault> {
            let mut record = vec![0; boot.record];
            read_exact_at(source, "ntfs", offset, &mut record).map_err(|_| Fault::Unreadable)?;
            fix_up(&mut record)?;
            Ok(record)
        };
        let from = |offset: u64| -> Result<(Value, bool), &'static str> {
            let record = load(offset).map_err(|fault| fault.describe().1)?;
            Self::own_value(source, boot, geometry, &record)
        };
        let (value, whole) = match from(boot.mft) {
            Ok(found) => found,
            Err(why) => {
                let found = from(boot.mirror).map_err(|also| {
                    OpenError::malformed(
                        "ntfs",
                        boot.mft,
                        format!("the file table's first record {why}; its copy {also}"),
                    )
                })?;
                problems.push(Problem::new(
                    "ntfs",
                    "mft-from-mirror",
                    Some(boot.mft),
                    format!("the file table's first record {why}; its copy was used"),
                ));
                found
            }
        };
        if !whole {
            problems.push(Problem::new(
                "ntfs",
                "mft-incomplete",
                Some(boot.mft),
                "part of the file table cannot be located; the records in it are not listed",
            ));
        }
        let records = value.size / boot.record as u64;
        Ok(Self { source: Arc::clone(source), geometry, value, mirror: boot.mirror, record_size: boot.record, records })
    }

    /// The table's value from its own record 0, and whether all of it was located.
    fn own_value(
        source: &Arc<dyn Source>,
        boot: &Boot,
        geometry: Geometry,
        record: &[u8],
    ) -> Result<(Value, bool), &'static str> {
        let mut found = vec![];
        attributes(record, &mut found);
        let mut runs: Vec<DataRun> = vec![];
        let unnamed = |a: &&Attribute<'_>| a.kind == DATA && a.name.is_empty();
        let first = found.iter().find(unnamed).ok_or("holds no data attribute")?;
        let Body::Mapped(mapping) = first.body else { return Err("holds its data in itself") };
        let mut end = decode(mapping.pairs, 0, geometry, &mut runs)?;
        let size = mapping.size.min(mapping.initialised);
        // More pieces are in records that the pieces before them locate.
        if let Some(list) = found.iter().find(|a| a.kind == ATTRIBUTE_LIST)
            && let Ok(list) = whole(list, geometry, &**source, LIST_CAP)
        {
            let mut pieces: Vec<ListEntry> =
                list_entries(&list).filter(|e| e.kind == DATA && !e.named && e.lowest > 0).collect();
            pieces.sort_by_key(|e| e.lowest);
            for piece in pieces {
                let so_far = end.saturating_mul(geometry.cluster);
                let Some(value) = Value::new(&runs, geometry.cluster, so_far, so_far) else { break };
                let Some(at) = piece.reference.record.checked_mul(boot.record as u64) else { break };
                let mut extension = vec![0; boot.record];
                if value.read_at(&**source, at, &mut extension).is_err() || fix_up(&mut extension).is_err() {
                    break;
                }
                let mut more = vec![];
                attributes(&extension, &mut more);
                let next = more.iter().filter(unnamed).find_map(|a| match a.body {
                    Body::Mapped(m) if m.lowest == end => Some(m),
                    _ => None,
                });
                let Some(next) = next else { break };
                let Ok(reached) = decode(next.pairs, end, geometry, &mut runs) else { break };
                end = reached;
            }
        }
        if let Some(hole) = runs.iter().position(|r| r.lcn.is_none()) {
            end = runs.get(hole).map_or(0, |r| r.vcn);
            runs.truncate(hole);
        }
        // A table cannot be longer than the source: runs may overlap in a hostile volume.
        let reach = end.saturating_mul(geometry.cluster).min(source.len());
        let located = size.min(reach);
        let value = Value::new(&runs, geometry.cluster, located, located).ok_or("has contradictory runs")?;
        if value.size < boot.record as u64 {
            return Err("locates less than one record");
        }
        Ok((value, located == size))
    }

    /// Byte offset of a record within the volume.
    pub fn offset(&self, number: u64) -> Option<u64> {
        self.value.place(number.checked_mul(self.record_size as u64)?)
    }

    /// Raw bytes of the table, before fix-ups, from record `number` on.
    pub fn read_raw(&self, number: u64, buf: &mut [u8]) -> Result<(), ReadError> {
        self.value.read_at(&*self.source, number.saturating_mul(self.record_size as u64), buf)
    }

    /// One record, fixed up; of the first four, the mirror's copy where the record itself is damaged.
    pub fn record(&self, number: u64) -> Result<Vec<u8>, Fault> {
        if number >= self.records {
            return Err(Fault::Unreadable);
        }
        let mut record = vec![0; self.record_size];
        let outcome = self.read_raw(number, &mut record).map_err(|_| Fault::Unreadable);
        match outcome.and_then(|()| fix_up(&mut record)) {
            Ok(()) => Ok(record),
            Err(fault) => self.mirrored(number).ok_or(fault),
        }
    }

    /// The mirror's copy of one of the first records.
    pub fn mirrored(&self, number: u64) -> Option<Vec<u8>> {
        if number >= MIRRORED || self.mirror == 0 {
            return None;
        }
        let mut record = vec![0; self.record_size];
        let at = self.mirror.checked_add(number * self.record_size as u64)?;
        read_exact_at(&self.source, "ntfs", at, &mut record).ok()?;
        fix_up(&mut record).ok()?;
        Some(record)
    }

    /// The extension records that a base record's attribute list names. A record that no longer extends this base
    /// (reused since the file was deleted) is missing, not used.
    pub fn extensions(
        &self,
        number: u64,
        header: &Header,
        base: &[Attribute<'_>],
        allowance: &mut Allowance,
    ) -> Extensions {
        let mut out = Extensions::default();
        let Some(list) = base.iter().find(|a| a.kind == ATTRIBUTE_LIST) else { return out };
        let cost = match list.body {
            Body::Resident(_) => 0,
            Body::Mapped(m) => m.size.min(LIST_CAP) / self.record_size as u64,
        };
        if !allowance.take(cost) {
            out.missing = Some("more extension records claimed than the volume has");
            return out;
        }
        let list = match whole(list, self.geometry, &*self.source, LIST_CAP) {
            Ok(list) => list,
            Err(_) => {
                out.missing = Some("the attribute list cannot be read");
                return out;
            }
        };
        let mut numbers: Vec<u64> = vec![];
        let mut seen = std::collections::HashSet::new();
        for entry in list_entries(&list) {
            if entry.reference.record != number && seen.insert(entry.reference.record) {
                numbers.push(entry.reference.record);
            }
        }
        for extension in numbers {
            if !allowance.take(1) {
                out.missing = Some("more extension records claimed than the volume has");
                break;
            }
            match self.record(extension) {
                Ok(record) if extends(&record, number, header) => out.records.push(record),
                Ok(_) => out.missing = Some("an extension record was reused since"),
                Err(_) => out.missing = Some("an extension record is damaged"),
            }
        }
        out
    }
}

/// Whether `record` extends the base: it names it with the sequence it has, or had before it was deleted.
fn extends(record: &[u8], base: u64, header: &Header) -> bool {
    let Some(own) = Header::read(record) else { return false };
    let sequence_fits = if header.in_use() {
        own.in_use() && own.base.sequence == header.sequence
    } else {
        own.base.sequence == header.sequence || next_sequence(own.base.sequence) == header.sequence
    };
    own.base.record == base && own.is_extension() && sequence_fits
}

/// The sequence a record gets when it is deleted: 0 is left out, for it means "unknown" in a reference.
pub(super) fn next_sequence(sequence: u16) -> u16 {
    sequence.checked_add(1).unwrap_or(1)
}

/// One line of an attribute list.
#[derive(Debug)]
struct ListEntry {
    kind: u32,
    named: bool,
    lowest: u64,
    reference: Reference,
}

/// The lines of an attribute list up to the first that is cut off.
fn list_entries(mut list: &[u8]) -> impl Iterator<Item = ListEntry> + '_ {
    std::iter::from_fn(move || {
        let length = usize::from(le_u16(list, 4)?);
        let (line, rest) = list.split_at_checked(length)?;
        let entry = ListEntry {
            kind: crate::bytes::le_u32(line, 0)?,
            named: crate::bytes::u8_at(line, 6)? > 0,
            lowest: le_u64(line, 8)?,
            reference: Reference::read(line, 16)?,
        };
        list = rest;
        Some(entry)
    })
}
