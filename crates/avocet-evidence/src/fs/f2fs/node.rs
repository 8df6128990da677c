//! Inodes, and the nodes that say where the blocks of a large file lie.

use std::collections::HashSet;

use avocet_base::Stamp;

use crate::bytes::{le_u16, le_u32, le_u64, u8_at};
use crate::checksum::crc32;
use crate::entry::{EntryKind, Times};
use crate::error::ReadError;

use super::{BLOCK, CREATED, F2fs, FLEXIBLE_ATTRIBUTES, INODE_SUMS, damaged};

/// Where an inode's addresses begin, how many there are, and where the numbers of further nodes stand.
const ADDRESSES: usize = 360;
const COUNT: usize = 923;
const NODES: usize = 4052;
/// Addresses, or numbers of nodes, of a node.
const PER_NODE: usize = 1018;
/// Where a node says which it is.
const FOOTER: usize = 4072;
/// Room for attributes inside an inode that does not say how much there is.
const ATTRIBUTES: usize = 50;
/// Flags of how content is kept.
const INLINE_ATTRIBUTES: u8 = 0x01;
const INLINE_DATA: u8 = 0x02;
const INLINE_NAMES: u8 = 0x04;
const EXTRA: u8 = 0x20;
/// The inode's flag for content that may be packed.
const PACKED: u32 = 4;
/// An address that is kept and was not written, and one that begins packed blocks.
pub(super) const NEW: u32 = u32::MAX;
pub(super) const CLUSTER: u32 = u32::MAX - 1;

pub(super) struct Inode {
    pub number: u32,
    pub size: u64,
    pub links: u32,
    pub times: Times,
    /// The content is encrypted; in a folder the names are.
    pub encrypted: bool,
    /// How content is packed, where some of it may be.
    pub packing: Option<u8>,
    /// Blocks that are packed together, or one.
    cluster: u64,
    /// What its checksum says, where it has one.
    pub agrees: bool,
    /// Its own name and folder, as they were when it was made or renamed.
    pub name: Vec<u8>,
    pub folder: u32,
    mode: u16,
    inline: u8,
    addresses: usize,
    start: usize,
    block: Vec<u8>,
}

impl Inode {
    pub fn kind(&self) -> EntryKind {
        match self.mode & 0xF000 {
            0x4000 => EntryKind::Directory,
            0x8000 => EntryKind::File,
            0xA000 => EntryKind::Link,
            _ => EntryKind::Special,
        }
    }

    /// The bytes of a file that lie in the inode.
    pub fn inline_data(&self) -> Option<&[u8]> {
        (self.inline & INLINE_DATA != 0).then(|| self.inside())
    }

    /// The entries of a folder that lie in the inode.
    pub fn inline_names(&self) -> Option<&[u8]> {
        (self.inline & INLINE_NAMES != 0).then(|| self.inside())
    }

    fn inside(&self) -> &[u8] {
        // The first address stays free.
        let end = self.start.saturating_add(self.addresses.saturating_mul(4));
        self.block.get(self.start.saturating_add(4)..end).unwrap_or_default()
    }
}

impl F2fs {
    /// A node by its number, which must belong to `owner`.
    fn node(&self, number: u32, owner: u32) -> Result<Vec<u8>, ReadError> {
        let place = self.tables.node(&self.source, &self.sb, number)?;
        let place = place.ok_or_else(|| damaged(u64::from(number), "a node is not in use"))?;
        let block = self.block(place.block)?;
        let own = le_u32(&block, FOOTER) == Some(number) && le_u32(&block, FOOTER + 4) == Some(owner);
        if own && place.owner == owner {
            Ok(block)
        } else {
            Err(damaged(u64::from(place.block).saturating_mul(BLOCK), "a node is not the one that was looked for"))
        }
    }

    pub(super) fn inode(&self, number: u32) -> Result<Inode, ReadError> {
        let block = self.node(number, number)?;
        let parse = || {
            let inline = u8_at(&block, 3)?;
            let extra = if inline & EXTRA != 0 { usize::from(le_u16(&block, ADDRESSES)?) } else { 0 };
            let has = |end: usize| extra >= end - ADDRESSES;
            let attributes = if self.sb.features & FLEXIBLE_ATTRIBUTES != 0 && has(364) {
                usize::from(le_u16(&block, 362)?)
            } else if inline & (INLINE_ATTRIBUTES | INLINE_NAMES) != 0 {
                ATTRIBUTES
            } else {
                0
            };
            let addresses = COUNT.checked_sub(extra / 4)?.checked_sub(attributes)?;
            let flags = le_u32(&block, 80)?;
            let stamp = |seconds: usize, nanos: usize| {
                Stamp::from_unix(le_u64(&block, seconds)?.cast_signed(), le_u32(&block, nanos)?)
            };
            let length = usize::try_from(le_u32(&block, 88)?).ok()?.min(255);
            let mode = le_u16(&block, 0)?;
            let packed = flags & PACKED != 0 && mode & 0xF000 == 0x8000 && has(396);
            Some(Inode {
                number,
                size: le_u64(&block, 16)?,
                links: le_u32(&block, 12)?,
                times: Times {
                    accessed: stamp(32, 56),
                    changed: stamp(40, 60),
                    modified: stamp(48, 64),
                    created: if self.sb.features & CREATED != 0 && has(384) { stamp(372, 380) } else { None },
                    ..Times::default()
                },
                encrypted: u8_at(&block, 2)? & 4 != 0,
                packing: if packed { u8_at(&block, 392) } else { None },
                cluster: if packed { 1 << u8_at(&block, 393)?.min(8) } else { 1 },
                agrees: self.sb.features & INODE_SUMS == 0
                    || !has(372)
                    || self.sum(&block, number)? == le_u32(&block, 368)?,
                name: block.get(92..92 + length)?.to_vec(),
                folder: le_u32(&block, 84)?,
                mode,
                inline,
                addresses,
                start: ADDRESSES.checked_add(extra)?,
                block: block.clone(),
            })
        };
        parse().ok_or_else(|| damaged(u64::from(number), "an inode contradicts itself"))
    }

    /// The checksum of an inode: over the volume's own number, its number and generation, and itself without the checksum.
    fn sum(&self, block: &[u8], number: u32) -> Option<u32> {
        let seed = crc32(crc32(u32::MAX, &self.sb.uuid), &number.to_le_bytes());
        let seed = crc32(seed, block.get(68..72)?);
        let sum = crc32(crc32(seed, block.get(..368)?), &[0; 4]);
        Some(crc32(sum, block.get(372..)?))
    }

    /// The blocks of a file in order: how many, and the address of the first or nothing. Runs of blocks are joined.
    pub(super) fn runs(&self, inode: &Inode) -> Result<Vec<(u64, u32)>, ReadError> {
        // Packed blocks do not cross the end of a node: the places that are over stay free.
        let step = inode.cluster;
        let mut runs = Runs { out: vec![], left: inode.size.div_ceil(BLOCK), seen: HashSet::new() };
        let whole = |count: usize| usize::try_from(count as u64 / step * step).unwrap_or(count);
        let end = inode.start.saturating_add(whole(inode.addresses).saturating_mul(4));
        runs.take(inode.block.get(inode.start..end).unwrap_or_default())?;
        let per_node = whole(PER_NODE);
        for (i, depth) in [0u8, 0, 1, 1, 2].into_iter().enumerate() {
            if runs.left == 0 {
                break;
            }
            let number = le_u32(&inode.block, NODES + 4 * i).unwrap_or(0);
            self.below(inode.number, number, depth, per_node, &mut runs)?;
        }
        if runs.left > 0 {
            return Err(damaged(u64::from(inode.number), "the file is longer than its nodes can hold"));
        }
        Ok(runs.out)
    }

    fn below(&self, owner: u32, number: u32, depth: u8, per_node: usize, runs: &mut Runs) -> Result<(), ReadError> {
        if number == 0 {
            // Nothing below it was written.
            let blocks = (per_node as u64).saturating_mul((PER_NODE as u64).saturating_pow(u32::from(depth)));
            return runs.push(blocks, 0);
        }
        if !runs.seen.insert(number) {
            return Err(damaged(u64::from(number), "a node of a file is in it twice"));
        }
        let block = self.node(number, owner)?;
        if depth == 0 {
            return runs.take(block.get(..per_node.saturating_mul(4)).unwrap_or_default());
        }
        for i in 0..PER_NODE {
            if runs.left == 0 {
                break;
            }
            self.below(owner, le_u32(&block, 4 * i).unwrap_or(0), depth - 1, per_node, runs)?;
        }
        Ok(())
    }
}

/// Runs of one file.
const RUNS: usize = 1 << 20;

struct Runs {
    out: Vec<(u64, u32)>,
    left: u64,
    seen: HashSet<u32>,
}

impl Runs {
    fn take(&mut self, addresses: &[u8]) -> Result<(), ReadError> {
        for address in addresses.chunks_exact(4) {
            if self.left == 0 {
                break;
            }
            self.push(1, le_u32(address, 0).unwrap_or(0))?;
        }
        Ok(())
    }

    fn push(&mut self, blocks: u64, address: u32) -> Result<(), ReadError> {
        let blocks = blocks.min(self.left);
        self.left = self.left.saturating_sub(blocks);
        if let Some((count, first)) = self.out.last_mut() {
            let follows = match *first {
                0 | NEW => address == *first,
                CLUSTER => false,
                first => {
                    !matches!(address, 0 | NEW | CLUSTER)
                        && u64::from(first).saturating_add(*count) == u64::from(address)
                }
            };
            if follows {
                *count = count.saturating_add(blocks);
                return Ok(());
            }
        }
        if self.out.len() >= RUNS {
            return Err(damaged(0, "it lies in more pieces than is read"));
        }
        self.out.push((blocks, address));
        Ok(())
    }
}
