//! The boot regions of exFAT (Microsoft exFAT specification, sections 3.1 to 3.4).

use std::sync::Arc;

use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at};
use crate::error::ReadError;
use crate::fs::fat::content::Geometry;
use crate::source::{Source, read_up_to};

/// Sectors of one boot region.
const SECTORS: u64 = 12;

/// What a boot sector says.
#[derive(Debug, Clone)]
pub(super) struct Boot {
    /// Byte offsets of the tables, the active one first.
    pub tables: Vec<u64>,
    /// Which allocation bitmap is active: 0, or 1 on TexFAT.
    pub active: u8,
    pub root: u32,
    pub geometry: Geometry,
    /// Clusters the volume declares, of which `geometry` may hold fewer.
    pub clusters: u64,
    pub serial: u32,
    /// Bytes the file system declares to span.
    pub size: u64,
}

/// A boot region as it was found.
pub(super) enum Region {
    /// Its checksum agrees.
    Sound(Boot),
    /// Its fields make sense and its checksum does not agree.
    Doubtful(Boot),
    /// It is no boot region: what contradicts the specification.
    Not(&'static str),
}

/// Reads the boot region that begins at byte `start`. `sector`: the sector size to expect, where known.
///
/// # Errors
/// [`ReadError`] where the first sector cannot be read.
pub(super) fn region(volume: &Arc<dyn Source>, start: u64, sector: Option<u64>) -> Result<Region, ReadError> {
    let first = read_up_to(volume, start, 512)?;
    let (size, boot) = match parse(&first, volume.len()) {
        Some(Ok(found)) => found,
        Some(Err(why)) => return Ok(Region::Not(why)),
        None => return Ok(Region::Not("the boot sector is shorter than 512 bytes")),
    };
    if sector.is_some_and(|s| s != size) {
        return Ok(Region::Not("the sector size is not that of its place"));
    }
    let length = usize::try_from(size.saturating_mul(SECTORS)).unwrap_or(0);
    let sound =
        read_up_to(volume, start, length).is_ok_and(|data| data.len() == length && checksum_agrees(&data, size));
    Ok(if sound { Region::Sound(boot) } else { Region::Doubtful(boot) })
}

/// Whether the twelfth sector repeats the checksum of the eleven before it (section 3.4).
fn checksum_agrees(data: &[u8], sector: u64) -> bool {
    let (covered, sums) = data.split_at(usize::try_from(sector.saturating_mul(11)).unwrap_or(0).min(data.len()));
    let mut sum = 0u32;
    for (at, byte) in covered.iter().enumerate() {
        // The volume's flags and the percentage in use change without a new checksum.
        if !matches!(at, 106 | 107 | 112) {
            sum = sum.rotate_right(1).wrapping_add(u32::from(*byte));
        }
    }
    !sums.is_empty() && sums.chunks_exact(4).all(|stored| le_u32(stored, 0) == Some(sum))
}

fn parse(data: &[u8], volume_length: u64) -> Option<Result<(u64, Boot), &'static str>> {
    if array(data, 3)? != *b"EXFAT   " {
        return Some(Err("the boot sector does not name EXFAT"));
    }
    if array(data, 510)? != [0x55, 0xaa] {
        return Some(Err("the boot sector does not end in 55 AA"));
    }
    let (sector_shift, cluster_shift) = (u8_at(data, 108)?, u8_at(data, 109)?);
    if !(9..=12).contains(&sector_shift) || cluster_shift > 25u8.saturating_sub(sector_shift) {
        return Some(Err("the sector or cluster size is not one of the specification"));
    }
    let sector = 1u64 << sector_shift;
    let bytes = |sectors: u64| sectors.saturating_mul(sector);
    let table_start = bytes(u64::from(le_u32(data, 80)?));
    let table_length = bytes(u64::from(le_u32(data, 84)?));
    let copies = u64::from(u8_at(data, 110)?);
    let clusters = u64::from(le_u32(data, 92)?);
    if !(1..=2).contains(&copies) || table_start < bytes(24) || table_length == 0 || clusters == 0 {
        return Some(Err("there is no allocation table or no cluster"));
    }
    let usable = table_length.min(volume_length.saturating_sub(table_start)) / 4;
    let last = u32::try_from(clusters.min(usable.saturating_sub(2)).min(0xffff_fff4).saturating_add(1)).ok()?;
    if last < 2 {
        return Some(Err("the volume ends before its allocation table"));
    }
    let active = u8::from(copies == 2 && le_u16(data, 106)? & 1 != 0);
    let mut tables: Vec<u64> =
        (0..copies).map(|n| table_start.saturating_add(n.saturating_mul(table_length))).collect();
    if active == 1 {
        tables.reverse();
    }
    Some(Ok((
        sector,
        Boot {
            tables,
            active,
            root: le_u32(data, 96)?,
            geometry: Geometry { heap: bytes(u64::from(le_u32(data, 88)?)), cluster: sector << cluster_shift, last },
            clusters,
            serial: le_u32(data, 100)?,
            size: bytes(le_u64(data, 72)?),
        },
    )))
}
