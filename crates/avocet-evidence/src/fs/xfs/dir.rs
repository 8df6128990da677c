//! The entries of a folder, in whichever of its forms it is kept.

use std::sync::atomic::Ordering::Relaxed;

use crate::bytes::{array, be_u16, be_u32, be_u64, u8_at};
use crate::error::ReadError;

use super::inode::{Form, Inode};
use super::{Xfs, damaged};

/// Where the index of a folder begins in its own space; entries lie before.
const INDEX: u64 = 32 << 30;

/// A name and the inode that it leads to.
pub(super) struct Name {
    pub name: Vec<u8>,
    pub inode: u64,
}

impl Xfs {
    /// The entries of a folder without itself and the one above it, and what could not be read of it.
    pub(super) fn names(&self, folder: &Inode) -> (Vec<Name>, Vec<ReadError>) {
        let (mut out, mut troubles) = (vec![], vec![]);
        match folder.form {
            Form::Local => {
                if self.short(folder, &mut out).is_none() {
                    troubles.push(damaged(0, "a folder in its inode contradicts itself"));
                }
            }
            Form::Extents | Form::Tree => match self.pieces(folder) {
                Ok(pieces) => {
                    let per_block = self.sb.folder_block / self.sb.block;
                    let blocks = pieces
                        .iter()
                        .filter(|p| p.written)
                        .flat_map(|p| (0..p.count).map(move |i| (p.logical + i, p.block + i)));
                    let mut whole: Vec<u8> = vec![];
                    for (logical, number) in blocks {
                        if logical.saturating_mul(self.sb.block) >= INDEX {
                            break;
                        }
                        // Damaged maps may name the same blocks again and again.
                        let spent = self.folder_blocks.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
                        if spent.is_err() {
                            troubles
                                .push(damaged(number, "the folders together claim more blocks than the volume has"));
                            break;
                        }
                        match self.block(number) {
                            // A folder's block may be made of several of the volume's.
                            Ok(block) => {
                                if logical.is_multiple_of(per_block) {
                                    whole.clear();
                                }
                                whole.extend(block);
                            }
                            Err(e) => {
                                troubles.push(e);
                                whole.clear();
                                continue;
                            }
                        }
                        if whole.len() as u64 == self.sb.folder_block {
                            if self.entries(&whole, &mut out).is_none() {
                                troubles.push(damaged(
                                    number,
                                    "a block of a folder contradicts itself; the rest of it was left out",
                                ));
                            }
                            whole.clear();
                        }
                    }
                }
                Err(e) => troubles.push(e),
            },
            Form::Other => troubles.push(damaged(0, "a folder is kept in a way that is not known")),
        }
        (out, troubles)
    }

    /// A folder small enough to lie in its inode.
    fn short(&self, folder: &Inode, out: &mut Vec<Name>) -> Option<()> {
        let bytes = &folder.fork;
        let (count, wide) = (u8_at(bytes, 0)?, u8_at(bytes, 1)? > 0);
        let number = |at: usize| if wide { be_u64(bytes, at) } else { be_u32(bytes, at).map(u64::from) };
        let width = if wide { 8 } else { 4 };
        let mut at = 2 + width;
        for _ in 0..count {
            let length = usize::from(u8_at(bytes, at)?);
            let start = at.checked_add(3)?;
            let end = start.checked_add(length)?;
            let name = bytes.get(start..end)?.to_vec();
            let inode = end.checked_add(usize::from(self.sb.kinds))?;
            out.push(Name { name, inode: number(inode)? });
            at = inode.checked_add(width)?;
        }
        Some(())
    }

    /// The entries of one block.
    fn entries(&self, block: &[u8], out: &mut Vec<Name>) -> Option<()> {
        let (start, alone) = match &array::<4>(block, 0)? {
            b"XD2B" => (16, true),
            b"XD2D" => (16, false),
            b"XDB3" => (64, true),
            b"XDD3" => (64, false),
            _ => return None,
        };
        // A folder of one block has its index at the end of it.
        let end = if alone {
            let count = usize::try_from(be_u32(block, block.len().checked_sub(8)?)?).ok()?;
            block.len().checked_sub(8)?.checked_sub(count.checked_mul(8)?)?
        } else {
            block.len()
        };
        let mut at = start;
        while at < end {
            if be_u16(block, at)? == 0xFFFF {
                let length = usize::from(be_u16(block, at + 2)?);
                if length < 8 {
                    return None;
                }
                at = at.checked_add(length)?;
                continue;
            }
            let inode = be_u64(block, at)?;
            let length = usize::from(u8_at(block, at + 8)?);
            let name = block.get(at + 9..at.checked_add(9)?.checked_add(length)?)?;
            if name.is_empty() {
                return None;
            }
            if !matches!(name, b"." | b"..") {
                out.push(Name { name: name.to_vec(), inode });
            }
            // Number, length, name, kind where there is one, and the entry's own place; in steps of eight.
            at = at.checked_add((9 + length + usize::from(self.sb.kinds) + 2).next_multiple_of(8))?;
        }
        Some(())
    }
}
