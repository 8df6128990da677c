//! Where the bytes of the volume's own address space lie on the disk.

use std::collections::BTreeMap;

use crate::bytes::{le_u16, le_u64};

use super::tree::Key;
use super::{CHUNK_ITEM, Super};

/// Copies of one chunk; the format knows at most four on different disks, and two on one.
const COPIES: usize = 8;

/// Why a volume cannot be read from this disk alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanting {
    /// Its bytes lie in stripes.
    Striped(&'static str),
    /// A chunk has no copy here.
    OtherDevice,
    /// The record at this address contradicts itself.
    Broken(u64),
}

/// A run of addresses and where its copies begin on this disk.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub start: u64,
    pub length: u64,
    pub copies: Vec<u64>,
}

impl Chunk {
    /// The chunk of an item, and how many bytes the item takes.
    pub fn parse(start: u64, item: &[u8], sb: &Super) -> Result<(Chunk, usize), Wanting> {
        let broken = Wanting::Broken(start);
        let length = le_u64(item, 0).filter(|n| *n > 0 && start.checked_add(*n).is_some()).ok_or(broken)?;
        let profile = le_u64(item, 24).ok_or(broken)?;
        let count = usize::from(le_u16(item, 44).ok_or(broken)?);
        if count == 0 {
            return Err(broken);
        }
        for (bit, name) in [(0x8, "RAID0"), (0x40, "RAID10"), (0x80, "RAID5"), (0x100, "RAID6")] {
            // One stripe alone is no stripe.
            if profile & bit != 0 && (count > 1 || bit != 0x8) {
                return Err(Wanting::Striped(name));
            }
        }
        let mut copies = vec![];
        for i in 0..count {
            let at = 48 + 32 * i;
            let (device, place) = le_u64(item, at).zip(le_u64(item, at + 8)).ok_or(broken)?;
            let fits = place.checked_add(length).is_some();
            if device == sb.device && fits && copies.len() < COPIES {
                copies.push(place);
            }
        }
        if copies.is_empty() {
            return Err(Wanting::OtherDevice);
        }
        Ok((Chunk { start, length, copies }, 48 + 32 * count))
    }
}

/// Every chunk, by its first address.
#[derive(Debug, Clone, Default)]
pub(super) struct Chunks(BTreeMap<u64, Chunk>);

impl Chunks {
    /// The chunks that the superblock names itself: those of the tree that names the others.
    pub fn system(sb: &Super) -> Result<Chunks, Wanting> {
        let mut chunks = Chunks::default();
        let mut rest = sb.system.as_slice();
        while !rest.is_empty() {
            let (key, item) = Key::parse(rest).zip(rest.get(17..)).ok_or(Wanting::Broken(0))?;
            if key.kind != CHUNK_ITEM {
                return Err(Wanting::Broken(key.offset));
            }
            let (chunk, taken) = Chunk::parse(key.offset, item, sb)?;
            chunks.add(chunk);
            rest = item.get(taken..).unwrap_or_default();
        }
        Ok(chunks)
    }

    pub fn add(&mut self, chunk: Chunk) {
        self.0.insert(chunk.start, chunk);
    }

    /// Where the copies of a run of addresses begin on the disk; `None` where it does not lie in one chunk.
    pub fn places(&self, at: u64, length: u64) -> Option<impl Iterator<Item = u64> + '_> {
        let chunk = self.0.range(..=at).next_back()?.1;
        let inside = at.checked_sub(chunk.start)?;
        let fits = inside.checked_add(length)? <= chunk.length;
        fits.then(|| chunk.copies.iter().map(move |place| place.saturating_add(inside)))
    }
}
