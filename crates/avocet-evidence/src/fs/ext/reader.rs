//! Reads inodes, bitmaps and blocks for one walk, keeping the last few pieces of the volume in memory.

use super::Ext;
use super::groups::Group;
use super::inode::Inode;
use super::journal::Journal;
use super::map::{BlockMap, MapFault, map};
use super::recover::BlockVersions;
use crate::bytes::u8_at;
use crate::entry::{Extent, Location};
use crate::error::{Problem, ReadError, ReadFault};
use crate::source::{read_exact_at, read_up_to};

/// Bytes of one kept piece; a multiple of every block size.
const PIECE: u64 = 64 * 1024;
/// Pieces kept: 4 MiB.
const KEPT: usize = 64;

/// Counts one sort of finding, so that damage in ten thousand places is one problem.
#[derive(Debug, Default)]
pub(super) struct Tally {
    count: u64,
    first: Option<u64>,
}

impl Tally {
    pub fn add(&mut self, offset: u64) {
        self.count += 1;
        self.first = self.first.or(Some(offset));
    }

    pub fn problem(&self, code: &'static str, what: &str) -> Option<Problem> {
        (self.count > 0).then(|| Problem::new("ext", code, self.first, format!("{} {what}", self.count)))
    }
}

pub(super) struct Reader<'a> {
    pub fs: &'a Ext,
    pub journal: Journal,
    pieces: Vec<(u64, Vec<u8>)>,
    /// Versions of inodes that were read from the journal last.
    pub versions: Vec<BlockVersions>,
    /// Blocks of maps and directories that may still be read. A sound volume needs each about once.
    budget: u64,
    pub bad_inodes: Tally,
    pub bad_extents: Tally,
}

impl<'a> Reader<'a> {
    pub fn new(fs: &'a Ext) -> Self {
        let budget = (fs.volume.len() / fs.sb.block_size).saturating_mul(4).saturating_add(4096);
        let journal = Journal::default();
        Self {
            fs,
            journal,
            pieces: Vec::new(),
            versions: Vec::new(),
            budget,
            bad_inodes: Tally::default(),
            bad_extents: Tally::default(),
        }
    }

    /// Takes one block from the budget; false where it is used up.
    pub fn spend(&mut self) -> bool {
        self.budget = self.budget.saturating_sub(1);
        self.budget > 0
    }

    pub fn exhausted(&self) -> bool {
        self.budget == 0
    }

    /// `length` bytes at `offset`, which must not cross a multiple of 64 KiB.
    pub fn bytes(&mut self, offset: u64, length: usize) -> Result<&[u8], ReadError> {
        let start = offset / PIECE * PIECE;
        match self.pieces.iter().position(|(at, _)| *at == start) {
            Some(0) => {}
            Some(i) => self.pieces.get_mut(..=i).into_iter().for_each(|p| p.rotate_right(1)),
            None => {
                let piece = read_up_to(&self.fs.volume, start, usize::try_from(PIECE).unwrap_or_default())?;
                self.pieces.truncate(KEPT - 1);
                self.pieces.insert(0, (start, piece));
            }
        }
        let from = usize::try_from(offset - start).unwrap_or_default();
        let piece = self.pieces.first().map_or(&[][..], |(_, bytes)| bytes);
        piece.get(from..from.saturating_add(length)).ok_or_else(|| {
            ReadError::new(
                "ext",
                offset,
                ReadFault::Truncated,
                format!("{length} bytes lie past the end of the volume"),
            )
        })
    }

    pub fn group_of(&self, inode: u32) -> Option<(Group, u32)> {
        let index = inode.checked_sub(1)?;
        let number = usize::try_from(index / self.fs.sb.inodes_per_group).ok()?;
        let group = self.fs.groups.get(number).copied().flatten()?;
        Some((group, index % self.fs.sb.inodes_per_group))
    }

    /// Byte offset of an inode within the volume.
    pub fn inode_offset(&self, inode: u32) -> Option<u64> {
        if inode > self.fs.inodes {
            return None;
        }
        let (group, index) = self.group_of(inode)?;
        let within = u64::from(index).checked_mul(self.fs.sb.inode_size as u64)?;
        group.inode_table.checked_mul(self.fs.sb.block_size)?.checked_add(within)
    }

    /// The inode as the volume has it now; the text says why there is none.
    pub fn inode(&mut self, number: u32) -> Result<Inode, String> {
        let offset = self.inode_offset(number).ok_or("no group descriptor says where the inode is")?;
        let sb = &self.fs.sb;
        let raw = self.bytes(offset, sb.inode_size).map_err(|e| e.to_string())?;
        Inode::parse(raw, number, sb).ok_or_else(|| "the inode is cut off".to_owned())
    }

    /// Whether the bitmap says that an inode is in use; false where nothing says so.
    pub fn inode_used(&mut self, inode: u32) -> bool {
        let Some((group, index)) = self.group_of(inode) else { return false };
        !group.inodes_unused && self.bit(group.inode_bitmap, u64::from(index)).unwrap_or(false)
    }

    /// Whether the bitmap says that a block is in use; true where nothing says that it is free.
    pub fn block_used(&mut self, block: u64) -> bool {
        let sb = &self.fs.sb;
        let Some(index) = block.checked_sub(sb.first_data_block) else { return true };
        let number = usize::try_from(index / sb.blocks_per_group).ok();
        let Some(group) = number.and_then(|n| self.fs.groups.get(n)).copied().flatten() else { return true };
        if group.blocks_unwritten {
            return false;
        }
        self.bit(group.block_bitmap, index % sb.blocks_per_group / sb.cluster_blocks).unwrap_or(true)
    }

    fn bit(&mut self, bitmap: u64, bit: u64) -> Option<bool> {
        let offset = bitmap.checked_mul(self.fs.sb.block_size)?.checked_add(bit / 8)?;
        let byte = u8_at(self.bytes(offset, 1).ok()?, 0)?;
        Some(byte >> (bit % 8) & 1 == 1)
    }

    /// A block as the volume has it now.
    pub fn block(&self, block: u64) -> Result<Vec<u8>, ReadError> {
        let mut data = vec![0; usize::try_from(self.fs.sb.block_size).unwrap_or_default()];
        read_exact_at(&self.fs.volume, "ext", block.saturating_mul(self.fs.sb.block_size), &mut data)?;
        Ok(data)
    }

    /// The pieces of an inode; with `as_of`, the blocks of its map as the journal had them at that time.
    pub fn map(&mut self, inode: &Inode, as_of: Option<i32>) -> Result<BlockMap, MapFault> {
        let fs = self.fs;
        if inode.size > fs.volume.len().saturating_mul(4) {
            return Err(MapFault::Corrupt(format!(
                "the size of {} bytes is more than four times the volume; so large a file is not read",
                inode.size
            )));
        }
        let mut left = self.budget;
        let found = map(&fs.sb, inode, &mut |block| {
            left = left.saturating_sub(1);
            if left == 0 {
                return Err(ReadError::new("ext", 0, ReadFault::Unsupported, "too many blocks of file maps"));
            }
            match as_of.and_then(|order| self.journal.as_of(&fs.volume, block, order)) {
                Some(copy) => Ok(copy),
                None => self.block(block),
            }
        });
        self.budget = left;
        let found = found?;
        if found.bad_checksums > 0 && as_of.is_none() {
            self.bad_extents.add(self.inode_offset(inode.number).unwrap_or_default());
        }
        Ok(found)
    }

    /// Blocks among the pieces that belong to something now, and all of them.
    pub fn reused(&mut self, pieces: &[Extent]) -> (u64, u64) {
        let size = self.fs.sb.block_size;
        let (mut reused, mut all) = (0, 0);
        for piece in pieces {
            if let Location::At(start) = piece.location {
                for block in start / size..start.saturating_add(piece.length).div_ceil(size) {
                    all += 1;
                    reused += u64::from(self.block_used(block));
                }
            }
        }
        (reused, all)
    }
}
