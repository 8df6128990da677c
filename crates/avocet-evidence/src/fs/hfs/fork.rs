//! A fork's bytes: eight extents in its record, the rest in the extents tree.

use std::sync::Arc;

use crate::bytes::{be_u16, be_u32, be_u64, u8_at};
use crate::entry::{Extent, Location};
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_exact_at};

use super::LAYER;
use super::tree::Tree;

/// Where blocks lie.
pub(super) struct Place {
    pub source: Arc<dyn Source>,
    pub base: u64,
    pub block: u64,
}

/// Runs of blocks: first and count.
type Blocks = Vec<(u32, u32)>;

/// What a record says of a fork.
#[derive(Debug, Clone, Default)]
pub(super) struct ForkData {
    pub size: u64,
    pub blocks: u32,
    pub extents: Blocks,
}

fn blocks(bytes: &[u8]) -> Blocks {
    let pairs = bytes.get(..64).unwrap_or_default().chunks_exact(8);
    pairs.filter_map(|p| Some((be_u32(p, 0)?, be_u32(p, 4)?))).take_while(|p| p.1 > 0).collect()
}

impl ForkData {
    pub fn parse(bytes: &[u8]) -> Option<ForkData> {
        Some(ForkData { size: be_u64(bytes, 0)?, blocks: be_u32(bytes, 12)?, extents: blocks(bytes.get(16..80)?) })
    }

    fn here(&self) -> u64 {
        self.extents.iter().map(|e| u64::from(e.1)).sum()
    }

    /// Whether there are extents in the tree.
    pub fn is_longer(&self) -> bool {
        u64::from(self.blocks) > self.here()
    }
}

/// The extents of a fork that are in the tree.
pub(super) fn overflow(tree: &Tree, id: u32, resource: bool, data: &ForkData) -> Result<Blocks, ReadError> {
    let (mut out, mut next) = (vec![], data.here());
    if next >= u64::from(data.blocks) {
        return Ok(out);
    }
    let kind = if resource { 0xFF } else { 0 };
    let key = |record: &[u8]| Some((be_u32(record, 4)?, u8_at(record, 2)?, be_u32(record, 8)?));
    let start = u32::try_from(next).unwrap_or(u32::MAX);
    tree.from(&|record| key(record).map(|k| k.cmp(&(id, kind, start))), &mut |record| {
        let length = usize::from(be_u16(record, 0).unwrap_or(0)).saturating_add(2);
        match (key(record), record.get(length..)) {
            // Each record says at which block of the file it begins; one that leaves a gap belongs to nothing.
            (Some((file, fork, at)), Some(body)) if file == id && fork == kind && u64::from(at) == next => {
                let more = blocks(body);
                next = next.saturating_add(more.iter().map(|e| u64::from(e.1)).sum());
                let done = more.is_empty();
                out.extend(more);
                !done && next < u64::from(data.blocks)
            }
            _ => false,
        }
    })?;
    Ok(out)
}

/// A fork with all its extents.
#[derive(Clone)]
pub(crate) struct Fork {
    source: Arc<dyn Source>,
    pub(super) size: u64,
    pub(super) extents: Vec<Extent>,
}

fn bad(offset: u64, detail: &str) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Truncated, detail)
}

impl Fork {
    /// A fork whose extents are known to lie in the source.
    pub(crate) fn new(source: &Arc<dyn Source>, size: u64, extents: Vec<Extent>) -> Fork {
        Fork { source: Arc::clone(source), size, extents }
    }

    /// Joins the extents and holds them against the volume and the declared size.
    pub(super) fn of(place: &Place, data: &ForkData, more: &[(u32, u32)]) -> Result<Fork, ReadError> {
        let (mut extents, mut logical) = (vec![], 0u64);
        for (first, count) in data.extents.iter().chain(more) {
            if logical >= data.size {
                break;
            }
            let start = place.base.saturating_add(u64::from(*first).saturating_mul(place.block));
            let length = u64::from(*count).saturating_mul(place.block).min(data.size.saturating_sub(logical));
            if start.saturating_add(length) > place.source.len() {
                return Err(bad(start, "an extent lies outside the volume"));
            }
            extents.push(Extent { logical, length, location: Location::At(start) });
            logical = logical.saturating_add(length);
        }
        if logical < data.size {
            return Err(bad(0, "the extents end before the fork does"));
        }
        Ok(Fork { source: Arc::clone(&place.source), size: data.size, extents })
    }

    /// Up to so many bytes from an offset; fewer only at the end.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>, ReadError> {
        let wanted = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX).min(length);
        let mut out = vec![0; wanted];
        let mut done = 0usize;
        let first = self.extents.partition_point(|e| e.logical.saturating_add(e.length) <= offset);
        for extent in self.extents.get(first..).unwrap_or_default() {
            let Some(rest) = out.get_mut(done..).filter(|r| !r.is_empty()) else { break };
            let at = offset.saturating_add(done as u64);
            let inside = at.saturating_sub(extent.logical);
            let here = usize::try_from(extent.length.saturating_sub(inside)).unwrap_or(usize::MAX).min(rest.len());
            if let (Location::At(start), Some(part)) = (extent.location, rest.get_mut(..here)) {
                read_exact_at(&self.source, LAYER, start.saturating_add(inside), part)?;
            }
            done = done.saturating_add(here);
        }
        out.truncate(done);
        Ok(out)
    }
}
