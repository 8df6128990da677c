//! The checkpoint, and what it makes valid: the table of nodes and the map of blocks in use, each of which has two places,
//! and small changes that lie in the checkpoint itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytes::{le_u16, le_u32, le_u64};
use crate::checksum::crc32;
use crate::entry::Run;
use crate::error::{OpenError, Problem, ReadError};
use crate::source::Source;
use crate::volume::union;

use super::{BLOCK, LAYER, MAGIC, Super, bit, block_at, damaged};

/// Entries of a block of each table, and their bytes.
const NODES: u64 = 455;
const NODE: usize = 9;
const SEGMENTS: u64 = 55;
const SEGMENT: usize = 74;
/// Where the changes begin in a block of summaries.
const CHANGES: usize = 3584;
/// Bytes of changes.
const CHANGES_LENGTH: usize = 507;
/// Flags of a checkpoint.
const UNMOUNTED: u32 = 1;
const COMPACT: u32 = 4;
const FAST: u32 = 0x20;
const LARGE_MAP: u32 = 0x400;
/// Where a checkpoint's own checksum lies, unless it says otherwise.
const SUM: usize = 4092;
/// Blocks of the map of a checkpoint that lie behind it.
const PAYLOAD: u32 = 1 << 10;

/// Where a node lies, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub owner: u32,
    pub block: u32,
}

pub(super) struct Tables {
    node_map: Vec<u8>,
    segment_map: Vec<u8>,
    nodes: BTreeMap<u32, Place>,
    segments: BTreeMap<u32, Vec<u8>>,
    /// Inodes that the checkpoint counts.
    pub inodes: u32,
}

/// One of the two checkpoints.
struct Pack {
    version: u64,
    start: u64,
    head: Vec<u8>,
}

/// The checksum of a block of a checkpoint agrees.
fn holds(block: &[u8]) -> Option<bool> {
    let at = usize::try_from(le_u32(block, 164)?).ok()?;
    let stored = le_u32(block, at)?;
    let mut sum = crc32(MAGIC, block.get(..at)?);
    if at < SUM {
        sum = crc32(sum, block.get(at.checked_add(4)?..)?);
    }
    Some(sum == stored)
}

fn pack(source: &Arc<dyn Source>, start: u64) -> Result<Pack, ReadError> {
    let head = block_at(source, start.saturating_mul(BLOCK))?;
    let count = u64::from(le_u32(&head, 136).unwrap_or(0));
    let bad = |detail| damaged(start.saturating_mul(BLOCK), detail);
    if holds(&head) != Some(true) || !(2..=512).contains(&count) {
        return Err(bad("the checksum of a checkpoint does not agree"));
    }
    let tail = block_at(source, start.saturating_add(count).saturating_sub(1).saturating_mul(BLOCK))?;
    let version = le_u64(&head, 0).unwrap_or(0);
    // Written first and last: where the two differ it was not finished.
    if holds(&tail) != Some(true) || le_u64(&tail, 0) != Some(version) {
        return Err(bad("a checkpoint was not finished"));
    }
    Ok(Pack { version, start, head })
}

impl Tables {
    pub fn open(source: &Arc<dyn Source>, sb: &Super, problems: &mut Vec<Problem>) -> Result<Tables, OpenError> {
        let start = u64::from(sb.checkpoint);
        let packs = [pack(source, start), pack(source, start.saturating_add(1 << sb.segment_log))];
        let broken = packs.iter().any(Result::is_err);
        // Of two with the same number the system takes the first.
        let newest = packs.into_iter().rev().flatten().max_by_key(|p| p.version);
        let pack =
            newest.ok_or_else(|| OpenError::malformed(LAYER, start * BLOCK, "neither of its checkpoints holds"))?;
        // The other may never have been written: a new volume has its first two.
        if broken {
            let detail =
                "one of the two checkpoints does not hold; the other was used: the last changes may be missing";
            problems.push(Problem::new(LAYER, "checkpoint-older-used", None, detail));
        }
        let head = &pack.head;
        let number = |at| le_u32(head, at).unwrap_or(0);
        let flags = number(132);
        if flags & UNMOUNTED == 0 {
            let detail = "the volume was not unmounted; what was written after its last checkpoint was not read";
            problems.push(Problem::new(LAYER, "not-closed-cleanly-f2fs", None, detail));
        }
        let size = |at| usize::try_from(number(at)).unwrap_or(usize::MAX);
        let (segment_bytes, node_bytes) = (size(156), size(160));
        let cut =
            || OpenError::malformed(LAYER, pack.start.saturating_mul(BLOCK), "the maps of its checkpoint are cut");
        let here = |at: usize, length: usize| {
            let end = at.checked_add(length)?;
            head.get(at..end).map(<[u8]>::to_vec)
        };
        let (node_map, segment_map) = if flags & LARGE_MAP != 0 {
            (here(196, node_bytes), here(196usize.saturating_add(node_bytes), segment_bytes))
        } else if sb.payload > 0 {
            let mut map = vec![];
            for n in 0..u64::from(sb.payload.min(PAYLOAD)) {
                map.extend(block_at(source, pack.start.saturating_add(1 + n).saturating_mul(BLOCK))?);
            }
            (here(192, node_bytes), map.get(..segment_bytes).map(<[u8]>::to_vec))
        } else {
            (here(192usize.saturating_add(segment_bytes), node_bytes), here(192, segment_bytes))
        };
        let (node_map, segment_map) = node_map.zip(segment_map).ok_or_else(cut)?;
        let inodes = number(148);
        let mut tables = Tables { node_map, segment_map, nodes: BTreeMap::new(), segments: BTreeMap::new(), inodes };
        let at = |block: u64| block_at(source, pack.start.saturating_add(block).saturating_mul(BLOCK));
        if flags & COMPACT != 0 {
            let block = at(u64::from(number(140)))?;
            tables.take_nodes(block.get(..CHANGES_LENGTH).unwrap_or_default());
            tables.take_segments(block.get(CHANGES_LENGTH..2 * CHANGES_LENGTH).unwrap_or_default());
        } else {
            // Summaries of the open segments stand before the last block: of data, and of nodes where there was time.
            let kinds = if flags & (UNMOUNTED | FAST) != 0 { 6 } else { 3 };
            let first = u64::from(number(136)).checked_sub(kinds + 1).ok_or_else(cut)?;
            tables.take_nodes(at(first)?.get(CHANGES..).unwrap_or_default());
            tables.take_segments(at(first + 2)?.get(CHANGES..).unwrap_or_default());
        }
        Ok(tables)
    }

    fn take_nodes(&mut self, changes: &[u8]) {
        let count = le_u16(changes, 0).map_or(0, usize::from);
        for entry in changes.get(2..).unwrap_or_default().chunks_exact(4 + NODE).take(count) {
            if let (Some(number), Some(place)) = (le_u32(entry, 0), place(entry.get(4..).unwrap_or_default())) {
                self.nodes.insert(number, place);
            }
        }
    }

    fn take_segments(&mut self, changes: &[u8]) {
        let count = le_u16(changes, 0).map_or(0, usize::from);
        for entry in changes.get(2..).unwrap_or_default().chunks_exact(4 + SEGMENT).take(count) {
            if let (Some(number), Some(map)) = (le_u32(entry, 0), entry.get(6..70)) {
                self.segments.insert(number, map.to_vec());
            }
        }
    }

    /// Blocks of the table of nodes.
    pub fn node_blocks(&self, sb: &Super) -> u64 {
        (u64::from(sb.segments_nat) / 2) << sb.segment_log
    }

    fn node_block(&self, source: &Arc<dyn Source>, sb: &Super, number: u64) -> Result<Vec<u8>, ReadError> {
        if number >= self.node_blocks(sb) {
            return Err(damaged(number, "a node's number is outside the table"));
        }
        let per_segment = 1 << sb.segment_log;
        // The two places of a segment of the table lie side by side.
        let other = if bit(&self.node_map, number) { per_segment } else { 0 };
        let block = u64::from(sb.nat) + (number / per_segment * 2 * per_segment) + number % per_segment + other;
        block_at(source, block.saturating_mul(BLOCK))
    }

    /// Where a node lies.
    pub fn node(&self, source: &Arc<dyn Source>, sb: &Super, number: u32) -> Result<Option<Place>, ReadError> {
        if let Some(place) = self.nodes.get(&number) {
            return Ok(Some(*place).filter(|p| p.block != 0));
        }
        let block = self.node_block(source, sb, u64::from(number) / NODES)?;
        let at = usize::try_from(u64::from(number) % NODES).unwrap_or(0) * NODE;
        Ok(block.get(at..).and_then(place).filter(|p| p.block != 0))
    }

    /// The numbers of the inodes in use of one block of the table.
    pub fn inodes_of(&self, source: &Arc<dyn Source>, sb: &Super, number: u64) -> Result<Vec<u32>, ReadError> {
        let block = self.node_block(source, sb, number)?;
        let mut out = vec![];
        for (n, entry) in (number.saturating_mul(NODES)..).zip(block.chunks_exact(NODE)) {
            let Ok(n) = u32::try_from(n) else { break };
            let place = self.nodes.get(&n).copied().or_else(|| place(entry));
            // A node that is its own owner is an inode. What was kept and not written has no place yet.
            if place.is_some_and(|p| p.owner == n && !matches!(p.block, 0 | u32::MAX)) {
                out.push(n);
            }
        }
        Ok(out)
    }

    /// Blocks of the main area that nothing holds, and what lies behind the last segment.
    pub fn free(&self, source: &Arc<dyn Source>, sb: &Super) -> Result<Vec<Run>, ReadError> {
        let mut out = vec![];
        let per_segment = 1u64 << sb.segment_log;
        let copy = (u64::from(sb.segments_sit) / 2) << sb.segment_log;
        let mut held: Option<(u64, Vec<u8>)> = None;
        for segment in 0..sb.segments_main {
            let number = u64::from(segment) / SEGMENTS;
            if held.as_ref().is_none_or(|(n, _)| *n != number) {
                let other = if bit(&self.segment_map, number) { copy } else { 0 };
                let block = u64::from(sb.sit).saturating_add(number).saturating_add(other);
                held = Some((number, block_at(source, block.saturating_mul(BLOCK))?));
            }
            let at = usize::try_from(u64::from(segment) % SEGMENTS).unwrap_or(0) * SEGMENT;
            let map = match self.segments.get(&segment) {
                Some(map) => map.as_slice(),
                None => held.as_ref().and_then(|(_, b)| b.get(at + 2..at + 66)).unwrap_or_default(),
            };
            let first = u64::from(sb.main).saturating_add(u64::from(segment).saturating_mul(per_segment));
            if map.iter().all(|b| *b == 0) {
                out.push(Run { start: first.saturating_mul(BLOCK), length: per_segment * BLOCK });
                continue;
            }
            let free = (0..per_segment).filter(|n| !bit(map, *n));
            out.extend(free.map(|n| Run { start: first.saturating_add(n).saturating_mul(BLOCK), length: BLOCK }));
            if out.len() > 1 << 20 {
                out = union(out);
            }
        }
        let end = u64::from(sb.main).saturating_add(u64::from(sb.segments_main).saturating_mul(per_segment)) * BLOCK;
        out.push(Run { start: end, length: source.len().saturating_sub(end) });
        let cut = |r: Run| Run { length: r.length.min(source.len().saturating_sub(r.start)), ..r };
        Ok(union(out.into_iter().map(cut).filter(|r| r.length > 0).collect()))
    }
}

fn place(entry: &[u8]) -> Option<Place> {
    Some(Place { owner: le_u32(entry, 1)?, block: le_u32(entry, 5)? })
}
