//! Allocation groups: which blocks are free, and which inodes are in use.

use std::collections::BTreeSet;

use crate::bytes::{array, be_u16, be_u32, be_u64};
use crate::entry::Run;
use crate::error::ReadError;

use super::{Xfs, damaged};

/// Levels of a tree.
const LEVELS: usize = 16;
/// Inodes of a chunk.
const CHUNK: u64 = 64;

impl Xfs {
    /// How many groups begin before the end of the volume's bytes.
    pub(super) fn groups_there(&self) -> u64 {
        // Both were checked not to be zero.
        let bytes = self.sb.group_blocks.saturating_mul(self.sb.block).max(1);
        self.source.len().div_ceil(bytes).min(self.sb.groups)
    }

    fn group_start(&self, group: u64) -> u64 {
        group.saturating_mul(self.sb.group_blocks).saturating_mul(self.sb.block)
    }

    /// A block by its number within its group.
    fn group_block(&self, group: u64, number: u32) -> Result<Vec<u8>, ReadError> {
        self.block(group << self.sb.group_log | u64::from(number))
    }

    /// Takes the records of every leaf of a short tree, from the left.
    fn leaves(
        &self,
        group: u64,
        root: u32,
        magic: [[u8; 4]; 2],
        record: usize,
        take: &mut dyn FnMut(&[u8]),
    ) -> Result<(), ReadError> {
        let header = if self.sb.version5 { 56 } else { 16 };
        let mut number = root;
        let mut block = self.group_block(group, number)?;
        for level in 0..=LEVELS {
            if array::<4>(&block, 0).is_none_or(|m| !magic.contains(&m)) || level == LEVELS {
                return Err(damaged(u64::from(number), "a block of a group's tree is none"));
            }
            if be_u16(&block, 4) == Some(0) {
                break;
            }
            // Keys come first, as many as fit, then the numbers of the blocks below. A key of inodes has four bytes, one
            // of free space eight.
            let key = if record == 16 { 4 } else { 8 };
            let room = block.len().saturating_sub(header) / (key + 4);
            number = be_u32(&block, header + room * key).ok_or_else(|| damaged(u64::from(number), "a tree is cut"))?;
            block = self.group_block(group, number)?;
        }
        let mut seen = BTreeSet::new();
        loop {
            if !seen.insert(number) {
                return Err(damaged(u64::from(number), "the leaves of a group's tree lead to each other"));
            }
            let count = usize::from(be_u16(&block, 6).unwrap_or(0));
            let records = block.get(header..).unwrap_or_default().chunks_exact(record).take(count);
            records.for_each(&mut *take);
            match be_u32(&block, 12) {
                Some(next) if next != u32::MAX => number = next,
                _ => return Ok(()),
            }
            block = self.group_block(group, number)?;
            if array::<4>(&block, 0).is_none_or(|m| !magic.contains(&m)) {
                return Err(damaged(u64::from(number), "a leaf of a group's tree is none"));
            }
        }
    }

    /// The numbers of the inodes in use of a group, in order.
    pub(super) fn inodes(&self, group: u64) -> Result<Vec<u64>, ReadError> {
        let head = self.read(self.group_start(group).saturating_add(2 * self.sb.sector), 512)?;
        if array::<4>(&head, 0) != Some(*b"XAGI") {
            return Err(damaged(group, "the head of a group's inodes is none"));
        }
        let root = be_u32(&head, 20).unwrap_or(0);
        let base = group << (self.sb.group_log + self.sb.per_block_log);
        let mut out = vec![];
        self.leaves(group, root, [*b"IABT", *b"IAB3"], 16, &mut |record| {
            let (Some(first), Some(free)) = (be_u32(record, 0), be_u64(record, 8)) else { return };
            // Chunks may be sparse: parts of which there are no blocks count as free.
            let used = (0..CHUNK).filter(|bit| free >> bit & 1 == 0);
            out.extend(used.map(|bit| base | u64::from(first).saturating_add(bit)));
        })?;
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }
}

/// Free blocks of every group, as runs of bytes.
pub(super) fn free(fs: &Xfs) -> Result<Vec<Run>, ReadError> {
    let mut out = vec![];
    for group in 0..fs.groups_there() {
        let start = fs.group_start(group);
        let head = fs.read(start.saturating_add(fs.sb.sector), 512)?;
        if array::<4>(&head, 0) != Some(*b"XAGF") {
            return Err(damaged(group, "the head of a group's free space is none"));
        }
        let root = be_u32(&head, 16).unwrap_or(0);
        fs.leaves(group, root, [*b"ABTB", *b"AB3B"], 8, &mut |record| {
            let (Some(first), Some(count)) = (be_u32(record, 0), be_u32(record, 4)) else { return };
            let first = u64::from(first).min(fs.sb.group_blocks);
            let count = u64::from(count).min(fs.sb.group_blocks.saturating_sub(first));
            out.push(Run {
                start: start.saturating_add(first.saturating_mul(fs.sb.block)),
                length: count.saturating_mul(fs.sb.block),
            });
        })?;
    }
    Ok(crate::volume::union(out))
}
