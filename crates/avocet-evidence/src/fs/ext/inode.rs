//! Inodes, by the kernel's ext4 on-disk documentation ("Index Nodes").

use avocet_base::Stamp;

use super::superblock::Superblock;
use crate::bytes::{array, le_u16, le_u32, u8_at};
use crate::checksum::crc32c;
use crate::entry::{EntryKind, Times};

pub(super) const FLAG_ENCRYPTED: u32 = 0x800;
pub(super) const FLAG_INDEXED: u32 = 0x1000;
const FLAG_HUGE_FILE: u32 = 0x4_0000;
pub(super) const FLAG_EXTENTS: u32 = 0x8_0000;
pub(super) const FLAG_EA_INODE: u32 = 0x20_0000;
pub(super) const FLAG_INLINE_DATA: u32 = 0x1000_0000;
pub(super) const FLAG_CASEFOLD: u32 = 0x4000_0000;

/// Where the fixed part of an inode ends.
const FIXED: usize = 128;

/// One inode.
#[derive(Debug, Clone)]
pub(super) struct Inode {
    pub number: u32,
    pub mode: u16,
    pub links: u16,
    pub size: u64,
    pub flags: u32,
    pub generation: u32,
    /// Blocks of the file system that it occupies, its own metadata blocks included; `None` where that is no whole
    /// number of them.
    pub blocks: Option<u64>,
    /// Whether a block of extended attributes is counted in `blocks`.
    pub has_attribute_block: bool,
    pub deleted_at: u32,
    pub times: Times,
    /// The 60 bytes that hold the block map, the root of the extent tree, or inline data.
    pub block: [u8; 60],
    /// Where inline data goes on: the value of the attribute `system.data`.
    pub inline_rest: Vec<u8>,
    pub checksum_ok: bool,
}

impl Inode {
    /// Reads one inode from its place in the table; `None` where the bytes end first.
    pub fn parse(raw: &[u8], number: u32, sb: &Superblock) -> Option<Self> {
        let raw = raw.get(..sb.inode_size)?;
        let mode = le_u16(raw, 0)?;
        let flags = le_u32(raw, 0x20)?;
        let generation = le_u32(raw, 0x64)?;
        let extra = if raw.len() > FIXED { usize::from(le_u16(raw, 0x80)?) } else { 0 };
        // A field beyond the fixed part is there only where `i_extra_isize` says that it is.
        let beyond = |offset: usize| {
            if offset + 4 <= (FIXED + extra).min(raw.len()) { le_u32(raw, offset) } else { None }
        };
        let time = |seconds: u32, more: Option<u32>| {
            let more = more.unwrap_or_default();
            let seconds = i64::from(seconds.cast_signed()) + (i64::from(more & 3) << 32);
            Stamp::from_unix(seconds, more >> 2)
        };
        let deleted_at = le_u32(raw, 0x14)?;
        let created = beyond(0x90).filter(|s| *s != 0 || beyond(0x94).is_some_and(|m| m != 0));
        let times = Times {
            created: created.and_then(|s| time(s, beyond(0x94))),
            modified: time(le_u32(raw, 0x10)?, beyond(0x88)),
            accessed: time(le_u32(raw, 0x8)?, beyond(0x8c)),
            changed: time(le_u32(raw, 0xc)?, beyond(0x84)),
            ..Times::default()
        };
        let regular = mode & 0xf000 == 0x8000;
        let directory = mode & 0xf000 == 0x4000;
        let has_high = (regular && sb.has_large_files()) || (directory && sb.has_large_dirs());
        let size_high = if has_high { le_u32(raw, 0x6c)? } else { 0 };
        let sectors = u64::from(le_u32(raw, 0x1c)?) | u64::from(le_u16(raw, 0x74)?) << 32;
        let per_block = if flags & FLAG_HUGE_FILE != 0 { 1 } else { sb.block_size / 512 };
        let block: [u8; 60] = array(raw, 0x28)?;
        let inline_rest = if flags & FLAG_INLINE_DATA != 0 { inline_value(raw, FIXED + extra) } else { None };
        Some(Self {
            number,
            mode,
            links: le_u16(raw, 0x1a)?,
            size: u64::from(le_u32(raw, 0x4)?) | u64::from(size_high) << 32,
            flags,
            generation,
            blocks: sectors.is_multiple_of(per_block).then(|| sectors / per_block),
            has_attribute_block: le_u32(raw, 0x68)? != 0 || le_u16(raw, 0x76)? != 0,
            deleted_at,
            times,
            block,
            inline_rest: inline_rest.unwrap_or_default(),
            checksum_ok: checksum_ok(raw, number, generation, extra, sb)?,
        })
    }

    pub fn kind(&self) -> EntryKind {
        match self.mode & 0xf000 {
            0x8000 => EntryKind::File,
            0x4000 => EntryKind::Directory,
            0xa000 => EntryKind::Link,
            _ => EntryKind::Special,
        }
    }

    pub fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The seed of the checksums of this inode's directory and extent blocks.
    pub fn seed(&self, sb: &Superblock) -> Option<u32> {
        let seed = crc32c(sb.metadata_seed()?, &self.number.to_le_bytes());
        Some(crc32c(seed, &self.generation.to_le_bytes()))
    }

    /// The times, with the time of deletion where the inode is free.
    pub fn times(&self, deleted: bool) -> Times {
        let stamp = Stamp::from_unix(i64::from(self.deleted_at), 0).filter(|_| deleted && self.deleted_at != 0);
        Times { deleted: stamp, ..self.times }
    }
}

/// Whether the inode's checksum agrees; true where there is none. Without the field for its high half only the low
/// 16 bits are kept.
fn checksum_ok(raw: &[u8], number: u32, generation: u32, extra: usize, sb: &Superblock) -> Option<bool> {
    let Some(seed) = sb.metadata_seed() else { return Some(true) };
    if raw.iter().all(|b| *b == 0) {
        return Some(true); // never used
    }
    let wide = raw.len() > FIXED && extra >= 4;
    let stored = u32::from(le_u16(raw, 0x7c)?) | if wide { u32::from(le_u16(raw, 0x82)?) << 16 } else { 0 };
    let number = number.to_le_bytes();
    let generation = generation.to_le_bytes();
    let mut parts: Vec<&[u8]> = vec![&number, &generation, raw.get(..0x7c)?, &[0, 0], raw.get(0x7e..FIXED)?];
    if wide {
        parts.extend([raw.get(FIXED..0x82)?, &[0, 0], raw.get(0x84..)?]);
    } else {
        parts.push(raw.get(FIXED..)?);
    }
    let crc = parts.into_iter().fold(seed, crc32c);
    Some(if wide { crc == stored } else { crc & 0xffff == stored })
}

/// The value of `system.data` among the attributes that stand in the inode itself.
fn inline_value(raw: &[u8], start: usize) -> Option<Vec<u8>> {
    const MAGIC: u32 = 0xea02_0000;
    const INDEX_SYSTEM: u8 = 7;
    if le_u32(raw, start)? != MAGIC {
        return None;
    }
    let first = start.checked_add(4)?;
    let mut at = first;
    loop {
        let name_length = usize::from(u8_at(raw, at)?);
        let index = u8_at(raw, at + 1)?;
        if name_length == 0 && index == 0 {
            return None;
        }
        let name = raw.get(at + 16..at + 16 + name_length)?;
        if index == INDEX_SYSTEM && name == b"data" {
            let from = first + usize::from(le_u16(raw, at + 2)?);
            let length = usize::try_from(le_u32(raw, at + 8)?).ok()?;
            return Some(raw.get(from..from.checked_add(length)?)?.to_vec());
        }
        at += 16 + name_length.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::super::superblock::{Superblock, tests::raw as superblock};
    use super::*;

    fn wide_superblock() -> Superblock {
        let mut raw = superblock();
        raw[0x58..0x5a].copy_from_slice(&256u16.to_le_bytes());
        Superblock::parse(&raw).unwrap()
    }

    #[test]
    fn times_reach_before_1970_and_past_2038() {
        let mut raw = vec![0; 256];
        raw[0..2].copy_from_slice(&0x81a4u16.to_le_bytes());
        raw[0x80..0x82].copy_from_slice(&32u16.to_le_bytes());
        raw[0x10..0x14].copy_from_slice(&(-1i32).to_le_bytes());
        raw[0x88..0x8c].copy_from_slice(&((500_000_000u32 << 2) | 1).to_le_bytes());
        raw[0x8..0xc].copy_from_slice(&(-1i32).to_le_bytes());
        let inode = Inode::parse(&raw, 12, &wide_superblock()).unwrap();
        // The epoch bits count 2^32 seconds each (kernel documentation, table of extra epoch bits).
        assert_eq!(inode.times.modified.unwrap().to_string(), "2106-02-07T06:28:15.5Z");
        assert_eq!(inode.times.accessed.unwrap().to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(inode.times.created, None);
        raw[0x80..0x82].copy_from_slice(&4u16.to_le_bytes());
        let short = Inode::parse(&raw, 12, &wide_superblock()).unwrap();
        assert_eq!(short.times.modified.unwrap().to_string(), "1969-12-31T23:59:59Z", "the extra field is not there");
    }

    #[test]
    fn inline_data_goes_on_in_the_attribute() {
        let mut raw = vec![0; 256];
        raw[0x20..0x24].copy_from_slice(&FLAG_INLINE_DATA.to_le_bytes());
        raw[0x80..0x82].copy_from_slice(&32u16.to_le_bytes());
        raw[160..164].copy_from_slice(&0xea02_0000u32.to_le_bytes());
        let entry = [4, 7, 80, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, b'd', b'a', b't', b'a'];
        raw[164..184].copy_from_slice(&entry);
        raw[244..247].copy_from_slice(b"xyz");
        assert_eq!(Inode::parse(&raw, 12, &wide_superblock()).unwrap().inline_rest, b"xyz");
        raw[172] = 200; // a length past the inode
        assert_eq!(Inode::parse(&raw, 12, &wide_superblock()).unwrap().inline_rest, b"");
    }
}
