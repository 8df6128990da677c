//! GUID partition tables.
//!
//! The layout is that of the UEFI specification, section 5.3: a header in the second sector, a copy in the last, each
//! with a CRC-32 of itself and of the array of entries it points to.

use std::sync::Arc;

use avocet_base::escape_utf16;

use super::{Claim, Table, types};
use crate::bytes::{array, le_u32, le_u64, utf16_le};
use crate::entry::Run;
use crate::error::Problem;
use crate::source::{Source, read_up_to};

/// Bytes of the array of entries read at most: 65,536 entries of the usual size.
const MAX_ARRAY: u64 = 8 << 20;

/// A GPT as found.
pub(crate) struct FoundGpt {
    /// Whether a header stands at the beginning of the source, sound or not.
    pub(crate) primary_seen: bool,
    /// Whether one of the two tables agrees with all its checksums.
    pub(crate) sound: bool,
    /// Bytes per sector.
    pub(crate) sector_size: u64,
    /// Byte offset of the header that was followed.
    pub(crate) offset: u64,
    /// What it states.
    pub(crate) table: Table,
}

/// How far a table can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// The header's checksum fails.
    Signature,
    /// The header is sound; the array's checksum fails or the array is cut.
    Header,
    /// Both checksums agree.
    Sound,
}

struct Candidate {
    trust: Trust,
    offset: u64,
    sector_size: u64,
    alternate: u64,
    array_start: u64,
    entry_size: usize,
    declared_bytes: u64,
    array: Vec<u8>,
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let mut crc = flate2::Crc::new();
    parts.iter().for_each(|p| crc.update(p));
    crc.sum()
}

fn candidate(source: &dyn Source, offset: u64, sector_size: u64) -> Option<Candidate> {
    let sector = read_up_to(source, offset, usize::try_from(sector_size).ok()?).ok()?;
    if array::<8>(&sector, 0)? != *b"EFI PART" {
        return None;
    }
    let header_size = usize::try_from(le_u32(&sector, 12)?).ok()?;
    let stored = le_u32(&sector, 16)?;
    let header_sound = header_size >= 92
        && sector
            .get(..16)
            .zip(sector.get(20..header_size))
            .is_some_and(|(before, after)| crc32(&[before, &[0; 4], after]) == stored);
    // A header names its own place: one that lies elsewhere is a copy of another disk's.
    let in_place = le_u64(&sector, 24)?.checked_mul(sector_size) == Some(offset);
    let array_start = le_u64(&sector, 72)?.checked_mul(sector_size)?;
    let (count, entry_size) = (le_u32(&sector, 80)?, le_u32(&sector, 84)?);
    if !(128..=4096).contains(&entry_size) {
        return None;
    }
    let declared_bytes = u64::from(count) * u64::from(entry_size);
    let array = read_up_to(source, array_start, usize::try_from(declared_bytes.min(MAX_ARRAY)).ok()?).ok()?;
    let array_sound = array.len() as u64 == declared_bytes && crc32(&[&array]) == le_u32(&sector, 88)?;
    let trust = match (header_sound && in_place, array_sound) {
        (true, true) => Trust::Sound,
        (true, false) => Trust::Header,
        (false, _) => Trust::Signature,
    };
    Some(Candidate {
        trust,
        offset,
        sector_size,
        alternate: le_u64(&sector, 32)?.saturating_mul(sector_size),
        array_start,
        entry_size: usize::try_from(entry_size).ok()?,
        declared_bytes,
        array,
    })
}

/// Looks for a GPT at the beginning and the end of a source, with sectors of 512 and 4096 bytes. The better of the two
/// tables is followed.
pub(crate) fn find(source: &Arc<dyn Source>, protective: bool) -> Option<FoundGpt> {
    let source = &**source;
    let at_end = |size: u64| {
        let last = (source.len() / size).checked_sub(1)?.checked_mul(size)?;
        candidate(source, last, size)
    };
    let mut primary: Option<Candidate> = None;
    for size in [512, 4096] {
        let found = candidate(source, size, size);
        if found.as_ref().map(|c| c.trust) > primary.as_ref().map(|c| c.trust) {
            primary = found;
        }
    }
    let backup = match &primary {
        Some(p) => at_end(p.sector_size)
            .or_else(|| candidate(source, p.alternate, p.sector_size).filter(|_| p.alternate != p.offset)),
        None => at_end(512).or_else(|| at_end(4096)),
    };
    let (primary_seen, primary_trust) = (primary.is_some(), primary.as_ref().map(|c| c.trust));
    let backup_trust = backup.as_ref().map(|c| c.trust);
    let mut table = Table::default();
    let primary_sound = primary_trust == Some(Trust::Sound);
    let backup_sound = backup_trust == Some(Trust::Sound);
    let sector_size = primary.as_ref().or(backup.as_ref())?.sector_size;
    for c in [&primary, &backup].into_iter().flatten() {
        table.tables.push(Run { start: c.offset, length: c.sector_size });
        let rounded = (c.array.len() as u64).div_ceil(c.sector_size).saturating_mul(c.sector_size);
        table.tables.push(Run { start: c.array_start, length: rounded });
    }
    let mut problem = |code, offset, detail: &str| table.problems.push(Problem::new("gpt", code, offset, detail));
    let describe = |trust| match trust {
        None => "it is not there",
        Some(Trust::Signature) => "its header disagrees with its checksum or with its place",
        Some(_) => "its array of entries disagrees with its checksum",
    };
    if !primary_sound && !backup_sound {
        let detail = format!(
            "neither table of the GPT is sound: of the first, {}; of the backup, {}. What can be read was followed",
            describe(primary_trust),
            describe(backup_trust)
        );
        problem("gpt-both-broken", Some(sector_size), &detail);
    } else if !primary_sound {
        let detail = format!("the first GPT cannot be used: {}. The backup was followed", describe(primary_trust));
        problem("gpt-primary-broken", Some(sector_size), &detail);
    } else if !backup_sound {
        let detail = format!("the backup of the GPT cannot be used: {}", describe(backup_trust));
        problem("gpt-backup-broken", backup.as_ref().map(|c| c.offset), &detail);
    }
    // Without any trust in the headers, only an MBR that announces a GPT lets the entries be believed.
    let best = if backup_trust > primary_trust { backup? } else { primary? };
    let sound = best.trust == Trust::Sound;
    table.tables.push(Run { start: 0, length: sector_size });
    if best.trust > Trust::Signature || protective {
        read_entries(&best, &mut table);
    }
    Some(FoundGpt { primary_seen, sound, sector_size, offset: best.offset, table })
}

fn read_entries(c: &Candidate, table: &mut Table) {
    if c.declared_bytes > MAX_ARRAY {
        let detail = format!("the GPT declares {} bytes of entries, of which {MAX_ARRAY} are read", c.declared_bytes);
        table.problems.push(Problem::new("gpt", "gpt-entries-capped", Some(c.array_start), detail));
    }
    for (i, entry) in c.array.chunks_exact(c.entry_size).enumerate() {
        let Some(kind) = array::<16>(entry, 0).filter(|k| *k != [0; 16]) else { continue };
        let (Some(first), Some(last)) = (le_u64(entry, 32), le_u64(entry, 40)) else { continue };
        let number = i.saturating_add(1);
        let Some(sectors) = last.checked_sub(first).and_then(|n| n.checked_add(1)) else {
            table.problems.push(Problem::new(
                "gpt",
                "partition-inverted",
                Some(c.array_start.saturating_add((i as u64).saturating_mul(c.entry_size as u64))),
                format!("entry {number} ends before it begins"),
            ));
            continue;
        };
        let mut units = utf16_le(entry.get(56..128).unwrap_or_default());
        if let Some(end) = units.iter().position(|u| *u == 0) {
            units.truncate(end);
        }
        table.claims.push(Claim {
            name: format!("gpt:{number}"),
            start: first.saturating_mul(c.sector_size),
            length: sectors.saturating_mul(c.sector_size),
            type_name: types::gpt_type(&kind),
            label: (!units.is_empty()).then(|| escape_utf16(&units)),
            not_read: types::gpt_not_read(&kind),
        });
    }
}
