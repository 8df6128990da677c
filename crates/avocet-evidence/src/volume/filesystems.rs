//! The first structures of the file systems that are read, each held to more than one field, and their backups.
//!
//! Sources of the layouts: Microsoft "FAT32 File System Specification" and "exFAT File System Specification"; the
//! NTFS boot sector as Microsoft's "NTFS Technical Reference" gives it; the Linux kernel's ext4 documentation.

use super::recognise::FsKind;
use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at};
use crate::source::{Source, read_up_to};

/// The file system whose first structure stands where it belongs.
pub(super) fn at_start(head: &[u8], length: u64) -> Option<FsKind> {
    let fat_table = |offset: u64| usize::try_from(offset).ok().and_then(|o| array::<4>(head, o));
    if ntfs(head).is_some() {
        Some(FsKind::Ntfs)
    } else if exfat(head) {
        Some(FsKind::ExFat)
    } else if fat(head, fat_table) {
        Some(FsKind::Fat)
    } else if ext(head.get(1024..)?, None, length) {
        Some(FsKind::Ext)
    } else if crate::fs::apfs::recognise(head) {
        Some(FsKind::Apfs)
    } else if crate::fs::xfs::recognise(head) {
        Some(FsKind::Xfs)
    } else if crate::fs::btrfs::recognise(head) {
        Some(FsKind::Btrfs)
    } else if crate::fs::f2fs::recognise(head) {
        Some(FsKind::F2fs)
    } else if crate::fs::hfs::recognise(head.get(1024..)?) {
        Some(FsKind::Hfs)
    } else {
        None
    }
}

/// The file system whose backup structure is sound where the first is not.
pub(super) fn by_backup(source: &dyn Source, head: &[u8]) -> Option<FsKind> {
    let length = source.len();
    let last = |size: u64| length.checked_sub(size).and_then(|at| read_up_to(source, at, 512).ok());
    for size in [512, 4096] {
        // The volume's own size says where its backup lies; another's backup does not fit.
        let fits = last(size).is_some_and(|sector| {
            ntfs(&sector).is_some_and(|(sectors, bytes)| {
                sectors.checked_add(1).and_then(|n| n.checked_mul(bytes)) == Some(length)
            })
        });
        if fits {
            return Some(FsKind::Ntfs);
        }
    }
    for sector_size in [512usize, 1024, 2048, 4096] {
        if head.get(sector_size * 12..).is_some_and(exfat) {
            return Some(FsKind::ExFat);
        }
        let table = |offset: u64| {
            let bytes = read_up_to(source, offset, 4).ok()?;
            array::<4>(&bytes, 0)
        };
        let is_fat32 = |s: &[u8]| le_u16(s, 22) == Some(0) && le_u16(s, 50) == Some(6) && fat(s, table);
        if head.get(sector_size * 6..).is_some_and(is_fat32) {
            return Some(FsKind::Fat);
        }
    }
    // The first backup superblock begins block group 1: 8 × block size blocks on, one more with blocks of 1024.
    for (log, offset) in [(0u32, 8193u64 * 1024), (1, 16384 * 2048), (2, 32768 * 4096), (6, 524_288 * 65536)] {
        let superblock = read_up_to(source, offset, 1024).unwrap_or_default();
        if ext(&superblock, Some(log), length) {
            return Some(FsKind::Ext);
        }
    }
    crate::fs::btrfs::by_copy(source).then_some(FsKind::Btrfs)
}

/// Sectors of the volume less one, and bytes per sector.
fn ntfs(sector: &[u8]) -> Option<(u64, u64)> {
    if array::<8>(sector, 3)? != *b"NTFS    " {
        return None;
    }
    let bytes = le_u16(sector, 11)?;
    let per_cluster = u8_at(sector, 13)?;
    let sectors = le_u64(sector, 0x28)?;
    let mft = le_u64(sector, 0x30)?;
    let geometry = bytes.is_power_of_two()
        && (256..=4096).contains(&bytes)
        && (per_cluster.is_power_of_two() || per_cluster >= 0xE0)
        && le_u16(sector, 14)? == 0
        && u8_at(sector, 16)? == 0
        && le_u16(sector, 17)? == 0
        && le_u16(sector, 22)? == 0;
    (geometry && sectors > 0 && mft > 0 && mft < sectors).then_some((sectors, u64::from(bytes)))
}

fn exfat(sector: &[u8]) -> bool {
    let check = || {
        let zero = sector.get(11..64)?.iter().all(|b| *b == 0);
        let (bytes, cluster, fats) = (u8_at(sector, 108)?, u8_at(sector, 109)?, u8_at(sector, 110)?);
        let geometry = (9..=12).contains(&bytes) && u32::from(cluster) + u32::from(bytes) <= 25 && fats <= 2;
        let root = le_u32(sector, 96)?;
        Some(
            array::<8>(sector, 3)? == *b"EXFAT   "
                && zero
                && geometry
                && root >= 2
                && le_u32(sector, 92)? > 0
                && le_u16(sector, 510)? == 0xAA55,
        )
    };
    check().unwrap_or(false)
}

/// Whether a sector is a FAT boot sector: the parameters fit each other, and either the first entry of the table
/// repeats the media byte, or both the type's name and the signature are there; all of it where the jump is missing.
fn fat(sector: &[u8], table_entry: impl Fn(u64) -> Option<[u8; 4]>) -> bool {
    let check = || {
        let jump = matches!(u8_at(sector, 0)?, 0xEB | 0xE9);
        let bytes = u64::from(le_u16(sector, 11)?);
        let per_cluster = u8_at(sector, 13)?;
        let reserved = u64::from(le_u16(sector, 14)?);
        let fats = u64::from(u8_at(sector, 16)?);
        let root_entries = u64::from(le_u16(sector, 17)?);
        let media = u8_at(sector, 21)?;
        let fat_size = match le_u16(sector, 22)? {
            0 => u64::from(le_u32(sector, 36)?),
            size => u64::from(size),
        };
        let total = match le_u16(sector, 19)? {
            0 => u64::from(le_u32(sector, 32)?),
            total => u64::from(total),
        };
        let plausible = matches!(bytes, 512 | 1024 | 2048 | 4096)
            && per_cluster.is_power_of_two()
            && reserved > 0
            && (1..=4).contains(&fats)
            && fat_size > 0
            && (media == 0xF0 || media >= 0xF8);
        if !plausible {
            return None;
        }
        let before_data = (root_entries * 32).div_ceil(bytes) + reserved + fats * fat_size;
        if before_data >= total {
            return None;
        }
        let first = table_entry(reserved * bytes).is_some_and(|[a, b, c, _]| a == media && b == 0xFF && c == 0xFF);
        let named =
            le_u16(sector, 510)? == 0xAA55 && (sector.get(54..57)? == b"FAT" || sector.get(82..87)? == b"FAT32");
        Some(if jump { first || named } else { first && named })
    };
    check().unwrap_or(false)
}

/// Whether a superblock is one of ext; `backup` is the logarithm of the block size that the place of a backup implies.
fn ext(superblock: &[u8], backup: Option<u32>, length: u64) -> bool {
    let check = || {
        let at = |offset| le_u32(superblock, offset);
        let log = at(24)?;
        if le_u16(superblock, 56)? != 0xEF53 || log > 6 {
            return None;
        }
        let block = 1024u64 << log;
        let per_group = u64::from(at(32)?);
        let fits = at(0)? > 0
            && at(4)? > 0
            && (1..=block * 8).contains(&per_group)
            && at(40)? > 0
            && u64::from(at(40)?) <= block * 8
            && u64::from(at(20)?) == u64::from(log == 0)
            && at(76)? <= 1;
        // A separate journal holds no files.
        let journal_only = at(76)? == 1 && at(96)? & 0x8 != 0;
        let in_place = match backup {
            None => true,
            Some(expected) => {
                log == expected && le_u16(superblock, 90)? == 1 && u64::from(at(4)?).saturating_mul(block) <= length
            }
        };
        Some(fits && !journal_only && in_place)
    };
    check().unwrap_or(false)
}
