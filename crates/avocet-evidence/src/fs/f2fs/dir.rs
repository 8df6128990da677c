//! The entries of a folder, in blocks or inside its inode: a map of which are in use, the entries, and their names.

use std::sync::atomic::Ordering::Relaxed;

use crate::bytes::{le_u16, le_u32};
use crate::error::ReadError;

use super::node::{CLUSTER, Inode, NEW};
use super::{F2fs, damaged};

/// Bytes of an entry and of a piece of its name.
const ENTRY: usize = 11;
const SLOT: usize = 8;
/// Entries of a block, and bytes of its map with what is reserved.
const PER_BLOCK: usize = 214;
const HEAD: usize = 30;

/// A name and the inode that it leads to.
pub(super) struct Name {
    pub name: Vec<u8>,
    pub inode: u32,
}

impl F2fs {
    /// The entries of a folder without itself and the one above it, and what could not be read of it.
    pub(super) fn names(&self, folder: &Inode, budget: &std::sync::atomic::AtomicU64) -> (Vec<Name>, Vec<ReadError>) {
        let (mut out, mut troubles) = (vec![], vec![]);
        if let Some(area) = folder.inline_names() {
            // As many as fit, with a bit for each; what is over lies behind the map.
            let count = area.len() * 8 / ((ENTRY + SLOT) * 8 + 1);
            let head = area.len().saturating_sub(count * (ENTRY + SLOT));
            if entries(area, count, head, &mut out).is_none() {
                troubles.push(damaged(0, "a folder in its inode contradicts itself; the rest of it was left out"));
            }
            return (out, troubles);
        }
        let runs = match self.runs(folder) {
            Ok(runs) => runs,
            Err(e) => return (out, vec![e]),
        };
        for (count, first) in runs {
            if matches!(first, 0 | NEW | CLUSTER) {
                continue;
            }
            for n in 0..count {
                // Damaged folders may name the same blocks again and again.
                if budget.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_err() {
                    troubles.push(damaged(0, super::dir::CAPPED));
                    return (out, troubles);
                }
                let number = u32::try_from(n).unwrap_or(u32::MAX).saturating_add(first);
                match self.block(number) {
                    Ok(block) if entries(&block, PER_BLOCK, HEAD, &mut out).is_some() => {}
                    Ok(_) => {
                        let detail = "a block of a folder contradicts itself; the rest of it was left out";
                        troubles.push(damaged(u64::from(number).saturating_mul(super::BLOCK), detail));
                    }
                    Err(e) => troubles.push(e),
                }
            }
        }
        (out, troubles)
    }
}

/// Said where the folders together claim more blocks than there are.
pub(super) const CAPPED: &str = "the folders together claim more blocks than there are; the rest was not read";

fn entries(area: &[u8], count: usize, head: usize, out: &mut Vec<Name>) -> Option<()> {
    let names = head.checked_add(count.checked_mul(ENTRY)?)?;
    let mut n = 0;
    while n < count {
        // Unlike the maps of the volume, this one begins each byte with its lowest bit.
        if area.get(n / 8)? >> (n % 8) & 1 == 0 {
            n += 1;
            continue;
        }
        let at = head.checked_add(n.checked_mul(ENTRY)?)?;
        let (inode, length) = (le_u32(area, at + 4)?, usize::from(le_u16(area, at + 8)?));
        if length == 0 {
            n += 1;
            continue;
        }
        let start = names.checked_add(n.checked_mul(SLOT)?)?;
        let name = area.get(start..start.checked_add(length)?)?;
        if length > 255 {
            return None;
        }
        if !matches!(name, b"." | b"..") {
            out.push(Name { name: name.to_vec(), inode });
        }
        n = n.checked_add(length.div_ceil(SLOT))?;
    }
    Some(())
}
