//! The journal (JBD2) as a store of older copies of metadata blocks.
//!
//! ext3 and ext4 wipe the block pointers of an inode when its file is deleted, so the inode itself no longer says where
//! the content was. But whole blocks of the inode table and of directories pass through the journal, and their copies
//! stay there until the journal comes round again. This module lists those copies; nothing is replayed. Layout: the
//! kernel's ext4 on-disk documentation ("Journal (jbd2)"); all its numbers are big-endian.

use std::collections::BTreeMap;

use crate::bytes::{array, be_u16, be_u32, u8_at};
use crate::checksum::crc32c;
use crate::entry::{Extent, Location};
use crate::source::{Source, read_exact_at, read_up_to};

const MAGIC: u32 = 0xc03b_3998;
const DESCRIPTOR: u32 = 1;
const SUPERBLOCK_V1: u32 = 3;
const SUPERBLOCK_V2: u32 = 4;
const INCOMPAT_64BIT: u32 = 0x2;
const INCOMPAT_CSUM_V2: u32 = 0x8;
const INCOMPAT_CSUM_V3: u32 = 0x10;
const TAG_ESCAPED: u32 = 1;
const TAG_SAME_UUID: u32 = 2;
const TAG_LAST: u32 = 8;

/// One older copy of a block of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Copy {
    /// Its place in time: transactions count up to the present, which is 0 or more.
    pub order: i32,
    /// Byte offset within the volume.
    offset: u64,
    escaped: bool,
    sequence: u32,
    checksum: Option<(u32, u32)>,
}

/// Copies by block, oldest first.
#[derive(Debug, Default)]
pub(super) struct Journal {
    copies: BTreeMap<u64, Vec<Copy>>,
    block_size: usize,
    seed: u32,
}

/// Where the journal's blocks lie.
struct Place<'a> {
    volume: &'a dyn Source,
    pieces: &'a [Extent],
    block_size: u64,
}

impl Place<'_> {
    /// Byte offset within the volume of a block of the journal.
    fn offset(&self, block: u64) -> Option<u64> {
        let at = block.checked_mul(self.block_size)?;
        let piece = self.pieces.partition_point(|p| p.logical <= at).checked_sub(1)?;
        let piece = self.pieces.get(piece)?;
        let within = at.checked_sub(piece.logical)?;
        match piece.location {
            Location::At(start) if within.checked_add(self.block_size)? <= piece.length => start.checked_add(within),
            _ => None,
        }
    }
}

struct Tag {
    block: u64,
    flags: u32,
    checksum: u32,
    /// Bytes it takes.
    length: usize,
}

fn tag(data: &[u8], at: usize, incompat: u32) -> Option<Tag> {
    let wide = incompat & INCOMPAT_64BIT != 0;
    let (flags, high, checksum, fixed) = if incompat & INCOMPAT_CSUM_V3 != 0 {
        (be_u32(data, at + 4)?, be_u32(data, at + 8)?, be_u32(data, at + 12)?, 16)
    } else {
        let high = if wide { be_u32(data, at + 8)? } else { 0 };
        let fixed = 8 + if wide { 4 } else { 0 } + if incompat & INCOMPAT_CSUM_V2 != 0 { 2 } else { 0 };
        (u32::from(be_u16(data, at + 6)?), high, u32::from(be_u16(data, at + 4)?), fixed)
    };
    let uuid = if flags & TAG_SAME_UUID == 0 { 16 } else { 0 };
    let high = if wide { high } else { 0 };
    Some(Tag { block: u64::from(high) << 32 | u64::from(be_u32(data, at)?), flags, checksum, length: fixed + uuid })
}

impl Journal {
    /// Lists the copies in a journal that lies in `pieces` of the volume. The text says why there are none to be had.
    pub fn read(volume: &dyn Source, pieces: &[Extent], fs_block_size: u64) -> Result<Self, &'static str> {
        let place = Place { volume, pieces, block_size: fs_block_size };
        let start = place.offset(0).ok_or("it has no first block")?;
        let head = read_up_to(volume, start, 1024).map_err(|_| "its superblock cannot be read")?;
        let field = |at| be_u32(&head, at).unwrap_or_default();
        if field(0) != MAGIC || !matches!(field(4), SUPERBLOCK_V1 | SUPERBLOCK_V2) {
            return Err("its superblock has no signature");
        }
        if u64::from(field(0xc)) != fs_block_size {
            return Err("its block size is not the volume's");
        }
        let incompat = if field(4) == SUPERBLOCK_V2 { field(0x28) } else { 0 };
        let (first, sequence) = (u64::from(field(0x14)), field(0x18));
        let held = pieces.last().map_or(0, |p| p.logical.saturating_add(p.length)) / fs_block_size;
        let last = u64::from(field(0x10)).min(held);
        let uuid: [u8; 16] = array(&head, 0x30).unwrap_or_default();
        let block_size = usize::try_from(fs_block_size).unwrap_or_default();
        let mut journal = Self { copies: BTreeMap::new(), block_size, seed: crc32c(!0, &uuid) };
        if first == 0 || first >= last {
            return Err("its first block is outside it");
        }
        // A journal that was only made and never used holds nothing (mke2fs starts at transaction 1).
        if sequence <= 1 && field(0x1c) == 0 {
            return Ok(journal);
        }
        journal.scan(&place, (first, last), incompat, sequence);
        Ok(journal)
    }

    /// Finds every descriptor block, whatever transaction it belongs to.
    fn scan(&mut self, place: &Place<'_>, (first, last): (u64, u64), incompat: u32, present: u32) {
        // For each block of the journal, the newest descriptor that claims it: an older one's copy was overwritten.
        let mut claims: BTreeMap<u64, (u64, Copy)> = BTreeMap::new();
        let mut data = vec![0; self.block_size];
        for block in first..last {
            let mut start = [0; 12];
            let Some(offset) = place.offset(block) else { continue };
            if read_exact_at(place.volume, "ext", offset, &mut start).is_err()
                || be_u32(&start, 0) != Some(MAGIC)
                || be_u32(&start, 4) != Some(DESCRIPTOR)
                || read_exact_at(place.volume, "ext", offset, &mut data).is_err()
            {
                continue;
            }
            let sequence = be_u32(&start, 8).unwrap_or_default();
            let order = sequence.wrapping_sub(present).cast_signed();
            let (mut at, mut copy) = (12, block);
            while let Some(tag) = tag(&data, at, incompat) {
                copy = if copy + 1 >= last { first } else { copy + 1 };
                if copy == block {
                    break; // all round
                }
                if let Some(offset) = place.offset(copy) {
                    let checksum = match incompat & (INCOMPAT_CSUM_V2 | INCOMPAT_CSUM_V3) {
                        0 => None,
                        INCOMPAT_CSUM_V2 => Some((tag.checksum, 0xffff)),
                        _ => Some((tag.checksum, !0)),
                    };
                    let escaped = tag.flags & TAG_ESCAPED != 0;
                    let found = Copy { order, offset, escaped, sequence, checksum };
                    claims
                        .entry(copy)
                        .and_modify(|c| {
                            if c.1.order < order {
                                *c = (tag.block, found)
                            }
                        })
                        .or_insert((tag.block, found));
                }
                if tag.flags & TAG_LAST != 0 {
                    break;
                }
                at += tag.length;
            }
        }
        for (block, copy) in claims.into_values() {
            self.copies.entry(block).or_default().push(copy);
        }
        self.copies.values_mut().for_each(|c| c.sort_unstable());
    }

    /// Blocks that have copies, in order.
    pub fn blocks(&self) -> impl Iterator<Item = u64> + '_ {
        self.copies.keys().copied()
    }

    /// The copies of a block, oldest first.
    pub fn copies(&self, block: u64) -> &[Copy] {
        self.copies.get(&block).map_or(&[], Vec::as_slice)
    }

    /// The bytes of a copy; `None` where they cannot be read, were overwritten, or fail their checksum.
    pub fn bytes(&self, volume: &dyn Source, copy: &Copy) -> Option<Vec<u8>> {
        let mut data = vec![0; self.block_size];
        read_exact_at(volume, "ext", copy.offset, &mut data).ok()?;
        // A block that looks like one of the journal's own is one: a copy that did would have been escaped.
        if be_u32(&data, 0) == Some(MAGIC) {
            return None;
        }
        if let Some((stored, mask)) = copy.checksum {
            let crc = crc32c(crc32c(self.seed, &copy.sequence.to_be_bytes()), &data);
            if crc & mask != stored & mask {
                return None;
            }
        }
        if copy.escaped {
            u8_at(&data, 0)?;
            data.splice(..4, MAGIC.to_be_bytes());
        }
        Some(data)
    }

    /// The newest copy of a block that is no newer than `order`.
    pub fn as_of(&self, volume: &dyn Source, block: u64, order: i32) -> Option<Vec<u8>> {
        self.copies(block).iter().rev().filter(|c| c.order <= order).find_map(|c| self.bytes(volume, c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    fn put(image: &mut [u8], block: usize, at: usize, value: u32) {
        image[block * 1024 + at..block * 1024 + at + 4].copy_from_slice(&value.to_be_bytes());
    }

    /// A journal of 8 blocks at block 10: transaction 5 logs blocks 70 and 71, transaction 6 logs block 70 again.
    fn image() -> Vec<u8> {
        let mut image = vec![0; 20 * 1024];
        for (at, v) in [(0, MAGIC), (4, 4), (0xc, 1024), (0x10, 8), (0x14, 1), (0x18, 7), (0x1c, 0)] {
            put(&mut image, 10, at, v);
        }
        for (block, sequence, tags) in [(1, 5, vec![(70, 0), (71, 2 | 1 | 8)]), (5, 6, vec![(70, 8)])] {
            for (at, v) in [(0, MAGIC), (4, 1), (8, sequence)] {
                put(&mut image, 10 + block, at, v);
            }
            let mut at = 12;
            for (number, flags) in tags {
                put(&mut image, 10 + block, at, number);
                put(&mut image, 10 + block, at + 4, flags);
                at += 8 + if flags & 2 == 0 { 16 } else { 0 };
            }
        }
        for (block, fill) in [(12, 1), (13, 2), (16, 3)] {
            image[block * 1024 + 4..(block + 1) * 1024].fill(fill);
        }
        image
    }

    fn pieces() -> Vec<Extent> {
        vec![Extent { logical: 0, length: 8192, location: Location::At(10240) }]
    }

    #[test]
    fn copies_are_listed_in_time_and_unescaped() {
        let volume = MemorySource(image());
        let journal = Journal::read(&volume, &pieces(), 1024).unwrap();
        assert_eq!(journal.blocks().collect::<Vec<_>>(), [70, 71]);
        let orders: Vec<i32> = journal.copies(70).iter().map(|c| c.order).collect();
        assert_eq!(orders, [-2, -1]);
        assert_eq!(journal.as_of(&volume, 70, -2).unwrap()[100], 1);
        assert_eq!(journal.as_of(&volume, 70, 0).unwrap()[100], 3);
        assert_eq!(journal.as_of(&volume, 70, -3), None);
        let escaped = journal.as_of(&volume, 71, 0).unwrap();
        assert_eq!((be_u32(&escaped, 0), escaped[4]), (Some(MAGIC), 2));
    }

    #[test]
    fn a_copy_overwritten_by_the_journal_itself_is_not_used() {
        let mut image = image();
        put(&mut image, 12, 0, MAGIC);
        let volume = MemorySource(image);
        let journal = Journal::read(&volume, &pieces(), 1024).unwrap();
        assert_eq!(journal.as_of(&volume, 70, -2), None);
    }

    #[test]
    fn broken_journals_say_why() {
        for (at, value) in [(0, 0), (4, 9), (0xc, 4096), (0x14, 0), (0x14, 900)] {
            let mut image = image();
            put(&mut image, 10, at, value);
            assert!(Journal::read(&MemorySource(image), &pieces(), 1024).is_err(), "{at:#x}");
        }
        assert!(Journal::read(&MemorySource(image()), &[], 1024).is_err());
    }
}
