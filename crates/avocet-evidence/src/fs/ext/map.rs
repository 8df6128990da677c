//! From an inode to the pieces of its content: block maps (ext2, ext3) and extent trees (ext4).

use std::collections::BTreeSet;

use super::inode::{FLAG_EXTENTS, Inode};
use super::superblock::Superblock;
use crate::bytes::{le_u16, le_u32};
use crate::checksum::crc32c;
use crate::entry::{Extent, Location};
use crate::error::ReadError;

/// Most pieces kept of one file (128 MiB of memory).
const MAX_PIECES: usize = 4 << 20;
/// Depth that the kernel allows an extent tree.
const MAX_DEPTH: u16 = 5;
const EXTENT_MAGIC: u16 = 0xf30a;
/// An extent with a longer length is allocated but was never written.
const MAX_WRITTEN: u16 = 32768;

/// Why a map cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MapFault {
    Corrupt(String),
    Unsupported(&'static str),
    Read(ReadError),
}

impl From<ReadError> for MapFault {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

fn corrupt<T>(detail: impl Into<String>) -> Result<T, MapFault> {
    Err(MapFault::Corrupt(detail.into()))
}

/// The pieces of a file, in order and without gaps up to its size.
#[derive(Debug, Default)]
pub(super) struct BlockMap {
    pub pieces: Vec<Extent>,
    /// Blocks that hold content, those past the end of the file included.
    pub data_blocks: u64,
    /// Indirect blocks or blocks of the extent tree.
    pub metadata_blocks: u64,
    /// Some of the file has no block.
    pub has_holes: bool,
    /// Some blocks are allocated but were never written, and read as zero.
    pub has_unwritten: bool,
    /// Tree blocks whose checksum does not agree.
    pub bad_checksums: u64,
}

struct Builder<'a> {
    sb: &'a Superblock,
    inode: &'a Inode,
    read: &'a mut dyn FnMut(u64) -> Result<Vec<u8>, ReadError>,
    map: BlockMap,
    /// Next logical block to describe.
    next: u64,
    /// Logical blocks that the size needs.
    needed: u64,
    seen: BTreeSet<u64>,
}

/// The pieces of an inode that keeps its content in blocks. `read` gives a block by number.
pub(super) fn map(
    sb: &Superblock,
    inode: &Inode,
    read: &mut dyn FnMut(u64) -> Result<Vec<u8>, ReadError>,
) -> Result<BlockMap, MapFault> {
    let needed = inode.size.div_ceil(sb.block_size);
    let mut b = Builder { sb, inode, read, map: BlockMap::default(), next: 0, needed, seen: BTreeSet::new() };
    if inode.has(FLAG_EXTENTS) {
        if needed > 1 << 32 {
            return corrupt("the size is more than an extent tree can map");
        }
        b.extent_node(&inode.block, None)?;
    } else {
        b.block_map()?;
    }
    let rest = b.needed.saturating_sub(b.next);
    b.hole(rest)?;
    Ok(b.map)
}

impl Builder<'_> {
    fn push(&mut self, count: u64, location: Location) -> Result<(), MapFault> {
        let from = self.next.saturating_mul(self.sb.block_size);
        let length = count.saturating_mul(self.sb.block_size).min(self.inode.size.saturating_sub(from));
        self.next = self.next.saturating_add(count);
        if length == 0 {
            return Ok(());
        }
        if let Some(last) = self.map.pieces.last_mut() {
            let joins = match (last.location, location) {
                (Location::Zero, Location::Zero) => true,
                (Location::At(a), Location::At(b)) => a.checked_add(last.length) == Some(b),
                _ => false,
            };
            if joins {
                last.length = last.length.saturating_add(length);
                return Ok(());
            }
        }
        if self.map.pieces.len() >= MAX_PIECES {
            return Err(MapFault::Unsupported("a file in more than 4194304 pieces"));
        }
        self.map.pieces.push(Extent { logical: from, length, location });
        Ok(())
    }

    fn hole(&mut self, count: u64) -> Result<(), MapFault> {
        if count == 0 {
            return Ok(());
        }
        self.map.has_holes |= self.next < self.needed;
        self.push(count, Location::Zero)
    }

    fn data(&mut self, block: u64, count: u64) -> Result<(), MapFault> {
        let end = block.checked_add(count).filter(|end| block > 0 && *end <= self.sb.blocks);
        if end.is_none() {
            return corrupt(format!("{count} blocks from block {block} are outside the volume"));
        }
        self.map.data_blocks = self.map.data_blocks.saturating_add(count);
        if self.map.data_blocks > self.sb.blocks {
            return corrupt("more blocks than the volume has");
        }
        self.push(count, Location::At(block.saturating_mul(self.sb.block_size)))
    }

    /// Reads a block of the map itself. One that was read before is a loop.
    fn metadata(&mut self, block: u64) -> Result<Vec<u8>, MapFault> {
        if block == 0 || block >= self.sb.blocks {
            return corrupt(format!("block {block} of the map is outside the volume"));
        }
        if !self.seen.insert(block) {
            return corrupt(format!("block {block} of the map is used twice"));
        }
        self.map.metadata_blocks += 1;
        Ok((self.read)(block)?)
    }

    fn block_map(&mut self) -> Result<(), MapFault> {
        let block = self.inode.block;
        for i in 0..12 {
            self.pointer(le_u32(&block, i * 4).unwrap_or_default(), 0)?;
        }
        for level in 1..=3 {
            self.pointer(le_u32(&block, 44 + level * 4).unwrap_or_default(), level)?;
        }
        if self.next < self.needed { corrupt("the size is more than a block map can map") } else { Ok(()) }
    }

    /// Follows one pointer; `level` is 0 for a data block, else how many blocks of pointers lie between. Recursion ends
    /// at 3 levels.
    fn pointer(&mut self, block: u32, level: usize) -> Result<(), MapFault> {
        if self.next >= self.needed {
            return Ok(());
        }
        if block == 0 {
            let span = (0..level).fold(1u64, |n, _| n.saturating_mul(self.sb.block_size / 4));
            // The last hole must not reach past the size, or a triple hole would overstate what is mapped.
            return self.hole(span);
        }
        if level == 0 {
            return self.data(u64::from(block), 1);
        }
        let table = self.metadata(u64::from(block))?;
        for entry in table.chunks_exact(4) {
            self.pointer(le_u32(entry, 0).unwrap_or_default(), level - 1)?;
        }
        Ok(())
    }

    /// Reads one node of the extent tree; `expected` is the depth that its parent requires. Recursion ends at depth 5.
    fn extent_node(&mut self, node: &[u8], expected: Option<u16>) -> Result<(), MapFault> {
        let field = |at| le_u16(node, at).unwrap_or_default();
        let (entries, most, depth) = (field(2), field(4), field(6));
        if field(0) != EXTENT_MAGIC {
            return corrupt("an extent node without its signature");
        }
        let room = node.len().saturating_sub(12) / 12;
        if entries > most || usize::from(most) > room {
            return corrupt(format!("an extent node of {entries} entries in room for {room}"));
        }
        if depth > MAX_DEPTH || expected.is_some_and(|e| e != depth) {
            return corrupt(format!("an extent node of depth {depth} where another is due"));
        }
        if expected.is_some()
            && let Some(seed) = self.inode.seed(self.sb)
        {
            let end = 12 + usize::from(most) * 12;
            let agrees = node.get(..end).is_some_and(|n| le_u32(node, end) == Some(crc32c(seed, n)));
            self.map.bad_checksums += u64::from(!agrees);
        }
        for entry in node.get(12..).unwrap_or_default().chunks_exact(12).take(usize::from(entries)) {
            let logical = u64::from(le_u32(entry, 0).unwrap_or_default());
            if logical < self.next {
                return corrupt(format!("extents overlap or are out of order at block {logical} of the file"));
            }
            if depth > 0 {
                let low = u64::from(le_u32(entry, 4).unwrap_or_default());
                let high = u64::from(le_u16(entry, 8).unwrap_or_default());
                let child = self.metadata(high << 32 | low)?;
                self.extent_node(&child, Some(depth - 1))?;
                continue;
            }
            let length = le_u16(entry, 4).unwrap_or_default();
            let high = u64::from(le_u16(entry, 6).unwrap_or_default());
            let start = high << 32 | u64::from(le_u32(entry, 8).unwrap_or_default());
            self.hole(logical - self.next)?;
            if length == 0 {
                return corrupt("an extent of no blocks");
            }
            if length <= MAX_WRITTEN {
                self.data(start, u64::from(length))?;
            } else {
                let count = u64::from(length - MAX_WRITTEN);
                self.map.has_unwritten |= self.next < self.needed;
                self.map.data_blocks = self.map.data_blocks.saturating_add(count);
                self.push(count, Location::Zero)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::superblock::tests::raw as superblock;
    use super::*;

    fn sb() -> Superblock {
        Superblock::parse(&superblock()).unwrap()
    }

    fn inode(size: u64, flags: u32, block: &[u8]) -> Inode {
        let mut raw = vec![0; 128];
        raw[0..2].copy_from_slice(&0x81a4u16.to_le_bytes());
        raw[4..8].copy_from_slice(&u32::try_from(size & 0xffff_ffff).unwrap().to_le_bytes());
        raw[0x6c..0x70].copy_from_slice(&u32::try_from(size >> 32).unwrap().to_le_bytes());
        raw[0x20..0x24].copy_from_slice(&flags.to_le_bytes());
        raw[0x28..0x28 + block.len()].copy_from_slice(block);
        Inode::parse(&raw, 12, &sb()).unwrap()
    }

    fn at(logical: u64, length: u64, block: u64) -> Extent {
        Extent { logical, length, location: Location::At(block * 1024) }
    }

    fn zero(logical: u64, length: u64) -> Extent {
        Extent { logical, length, location: Location::Zero }
    }

    fn pointers(list: &[u32]) -> Vec<u8> {
        list.iter().flat_map(|p| p.to_le_bytes()).collect()
    }

    fn none(_: u64) -> Result<Vec<u8>, ReadError> {
        panic!("no block is to be read")
    }

    fn extents(depth: u16, list: &[(u32, u16, u32)]) -> Vec<u8> {
        let mut out = vec![0x0a, 0xf3];
        for v in [u16::try_from(list.len()).unwrap(), 4, depth, 0, 0] {
            out.extend(v.to_le_bytes());
        }
        for (logical, length, start) in list {
            out.extend(logical.to_le_bytes());
            if depth == 0 {
                out.extend(length.to_le_bytes());
                out.extend([0, 0]);
                out.extend(start.to_le_bytes());
            } else {
                out.extend(start.to_le_bytes());
                out.extend([0; 4]);
            }
        }
        out
    }

    #[test]
    fn direct_blocks_merge_and_holes_are_zero() {
        let i = inode(5000, 0, &pointers(&[100, 101, 0, 103, 104]));
        let map = map(&sb(), &i, &mut none).unwrap();
        assert_eq!(map.pieces, [at(0, 2048, 100), zero(2048, 1024), at(3072, 1928, 103)]);
        assert!(map.has_holes && map.data_blocks == 4);
    }

    #[test]
    fn single_double_and_triple_pointers_are_followed() {
        // Blocks of 1 KiB hold 256 pointers: the triple level begins at 12 + 256 + 65536.
        let size = (12 + 256 + 65536 + 1) * 1024;
        let mut list = [0; 15];
        (list[12], list[13], list[14]) = (200, 0, 300);
        let mut order = vec![];
        let map = map(&sb(), &inode(size, 0, &pointers(&list)), &mut |b| {
            order.push(b);
            Ok(match b {
                200 => pointers(&[[0; 255].as_slice(), &[500]].concat()),
                300 => pointers(&[[301].as_slice(), &[0; 255]].concat()),
                301 => pointers(&[[302].as_slice(), &[0; 255]].concat()),
                302 => pointers(&[[600].as_slice(), &[0; 255]].concat()),
                _ => panic!("block {b}"),
            })
        })
        .unwrap();
        assert_eq!(order, [200, 300, 301, 302]);
        let end = (12 + 256) * 1024;
        assert_eq!(
            map.pieces,
            [
                zero(0, end - 1024),
                at(end - 1024, 1024, 500),
                zero(end, 65536 * 1024),
                at(end + 65536 * 1024, 1024, 600)
            ]
        );
    }

    #[test]
    fn a_map_that_uses_a_block_twice_or_leaves_the_volume_is_corrupt() {
        let mut list = [0; 15];
        (list[12], list[13]) = (200, 200);
        let twice = inode(400 * 1024, 0, &pointers(&list));
        let fault = map(&sb(), &twice, &mut |_| Ok(vec![0; 1024])).unwrap_err();
        assert!(matches!(fault, MapFault::Corrupt(d) if d.contains("twice")));
        let outside = inode(10, 0, &pointers(&[16384]));
        assert!(map(&sb(), &outside, &mut none).is_err());
        let huge = inode(1 << 45, 0, &[]);
        assert!(map(&sb(), &huge, &mut none).is_err());
    }

    #[test]
    fn extents_holes_and_unwritten_ranges() {
        let node = extents(0, &[(0, 2, 100), (4, 32768 + 3, 200), (7, 1, 300)]);
        let map = map(&sb(), &inode(9 * 1024, FLAG_EXTENTS, &node), &mut none).unwrap();
        assert_eq!(map.pieces, [at(0, 2048, 100), zero(2048, 5 * 1024), at(7 * 1024, 1024, 300), zero(8 * 1024, 1024)]);
        assert!(map.has_holes && map.has_unwritten && map.data_blocks == 6);
    }

    #[test]
    fn extent_trees_are_followed_and_checked() {
        let root = extents(1, &[(0, 0, 50), (8, 0, 51)]);
        let i = inode(9 * 1024, FLAG_EXTENTS, &root);
        let leaf = |b: u64| {
            let mut n = extents(0, &if b == 50 { [(0, 8, 100)] } else { [(8, 1, 400)] });
            n.resize(1024, 0);
            Ok(n)
        };
        let found = map(&sb(), &i, &mut { leaf }).unwrap();
        assert_eq!(found.pieces, [at(0, 8192, 100), at(8192, 1024, 400)]);
        assert_eq!(found.metadata_blocks, 2);

        for (name, node) in [
            ("overlap", extents(0, &[(0, 2, 100), (1, 2, 200)])),
            ("outside", extents(0, &[(0, 2, 16383)])),
            ("empty", extents(0, &[(0, 0, 100)])),
            ("deep", extents(6, &[])),
            ("signature", vec![0; 12]),
            ("loop", extents(1, &[(0, 0, 50), (0, 0, 50)])),
        ] {
            let i = inode(9 * 1024, FLAG_EXTENTS, &node);
            let empty = |_| {
                let mut n = extents(0, &[]);
                n.resize(1024, 0);
                Ok(n)
            };
            assert!(matches!(map(&sb(), &i, &mut { empty }), Err(MapFault::Corrupt(_))), "{name}");
        }
        let wrong_depth = |_| {
            let mut n = extents(1, &[]);
            n.resize(1024, 0);
            Ok(n)
        };
        assert!(map(&sb(), &i, &mut { wrong_depth }).is_err());
    }
}
