//! The boot sector of FAT12, FAT16 and FAT32 (Microsoft FAT specification, "Boot Sector and BPB").

use super::content::Geometry;
use super::table::Width;
use crate::bytes::{array, le_u16, le_u32, u8_at};
use crate::entry::Run;

/// What a boot sector says.
#[derive(Debug, Clone)]
pub(super) struct Boot {
    pub sector: u64,
    pub width: Width,
    /// Byte offset of each copy of the table, the one to use first.
    pub copies: Vec<u64>,
    /// Whether the copies should be equal (FAT32 can switch that off).
    pub mirrored: bool,
    pub media: u8,
    /// The root directory of FAT12 and FAT16.
    pub root: Option<Run>,
    /// The first cluster of the root directory of FAT32.
    pub root_cluster: u32,
    pub geometry: Geometry,
    /// Bytes the file system declares to span.
    pub size: u64,
    pub serial: Option<u32>,
    pub label: Option<[u8; 11]>,
    /// Whether the sector ends in 55 AA.
    pub signed: bool,
    /// Whether the table has fewer entries than the volume has clusters.
    pub table_too_short: bool,
}

impl Boot {
    /// Reads a boot sector of at least 512 bytes; the text says what contradicts the specification.
    pub fn parse(data: &[u8], volume_length: u64) -> Result<Boot, &'static str> {
        Self::fields(data, volume_length).unwrap_or(Err("the boot sector is shorter than 512 bytes"))
    }

    fn fields(data: &[u8], volume_length: u64) -> Option<Result<Boot, &'static str>> {
        let sector = u64::from(le_u16(data, 11)?);
        if ![512, 1024, 2048, 4096].contains(&sector) {
            return Some(Err("bytes per sector are not 512, 1024, 2048 or 4096"));
        }
        let per_cluster = u64::from(u8_at(data, 13)?);
        if !per_cluster.is_power_of_two() {
            return Some(Err("sectors per cluster are not a power of two"));
        }
        let reserved = u64::from(le_u16(data, 14)?);
        let copies = u64::from(u8_at(data, 16)?);
        if reserved == 0 || !(1..=4).contains(&copies) {
            return Some(Err("there is no reserved sector or no allocation table"));
        }
        let root_entries = u64::from(le_u16(data, 17)?);
        let total = match le_u16(data, 19)? {
            0 => u64::from(le_u32(data, 32)?),
            small => u64::from(small),
        };
        let media = u8_at(data, 21)?;
        if media != 0xf0 && media < 0xf8 {
            return Some(Err("the media byte is none of the specification"));
        }
        // As other readers do, the field that holds the table's size tells FAT32: small FAT32 volumes, which the
        // specification's rule by cluster count would read wrongly, are common.
        let (large, table_sectors) = match le_u16(data, 22)? {
            0 => (true, u64::from(le_u32(data, 36)?)),
            small => (false, u64::from(small)),
        };
        if table_sectors == 0 || (!large && root_entries == 0) {
            return Some(Err("the allocation table or the root directory has no size"));
        }
        let root_bytes = root_entries.saturating_mul(32);
        let root_start = reserved.saturating_add(copies.saturating_mul(table_sectors));
        let heap = root_start.saturating_add(root_bytes.div_ceil(sector));
        let clusters = total.checked_sub(heap).map_or(0, |data_sectors| data_sectors / per_cluster.max(1));
        if clusters == 0 {
            return Some(Err("the volume has no clusters"));
        }
        let width = match clusters {
            _ if large => Width::TwentyEight,
            0..4085 => Width::Twelve,
            _ => Width::Sixteen,
        };
        // No more clusters than the table has entries, and no more entries than bytes exist.
        let table_start = reserved.saturating_mul(sector);
        let table_bytes = table_sectors.saturating_mul(sector).min(volume_length.saturating_sub(table_start));
        let usable = width.entries_in(table_bytes).saturating_sub(2).min(0x0fff_fff5);
        let last = u32::try_from(clusters.min(usable).saturating_add(1)).unwrap_or(u32::MAX);
        if last < 2 {
            return Some(Err("the volume ends before its allocation table"));
        }
        let mut offsets: Vec<u64> = (0..copies)
            .map(|n| n.saturating_mul(table_sectors).saturating_add(reserved).saturating_mul(sector))
            .collect();
        let flags = if large { le_u16(data, 40)? } else { 0 };
        let mirrored = flags & 0x80 == 0;
        if !mirrored {
            let active = usize::from(flags & 0xf);
            if active < offsets.len() {
                offsets.swap(0, active);
            }
        }
        let extended = if large { 66 } else { 38 };
        let has_serial = matches!(u8_at(data, extended)?, 0x28 | 0x29);
        let has_label = u8_at(data, extended)? == 0x29;
        Some(Ok(Boot {
            sector,
            width,
            copies: offsets,
            mirrored,
            media,
            root: (!large).then(|| Run { start: root_start.saturating_mul(sector), length: root_bytes }),
            root_cluster: if large { le_u32(data, 44)? & 0x0fff_ffff } else { 0 },
            geometry: Geometry { heap: heap.saturating_mul(sector), cluster: per_cluster.saturating_mul(sector), last },
            size: total.saturating_mul(sector),
            serial: if has_serial { le_u32(data, extended.checked_add(1)?) } else { None },
            label: if has_label { array(data, extended.checked_add(5)?) } else { None },
            signed: array(data, 510)? == [0x55, 0xaa],
            table_too_short: clusters > usable,
        }))
    }
}
