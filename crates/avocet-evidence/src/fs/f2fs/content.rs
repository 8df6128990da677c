//! The bytes of a file: in its inode, or in blocks. Blocks that were packed together are named and not read.

use crate::entry::{Content, Extent, Location, Mapped, Unreadable};

use super::node::{CLUSTER, Inode, NEW};
use super::{BLOCK, F2fs};

/// What is said of a file's content.
pub(super) struct Held {
    pub content: Content,
    pub holes: bool,
    /// Bytes that reading it takes from the disk.
    pub stored: u64,
}

impl F2fs {
    pub(super) fn content(&self, inode: &Inode) -> Result<Held, Unreadable> {
        let corrupt = |detail: &str| Unreadable::Corrupt(detail.into());
        if inode.encrypted {
            return Err(Unreadable::Encrypted("fscrypt"));
        }
        if let Some(bytes) = inode.inline_data() {
            if (bytes.len() as u64) < inode.size {
                return Err(corrupt("its bytes end before its size"));
            }
            return Ok(Held { content: Content::Resident(bytes.to_vec()), holes: false, stored: 0 });
        }
        let (mut extents, mut logical, mut stored) = (vec![], 0u64, 0u64);
        for (count, first) in self.runs(inode).map_err(|e| Unreadable::Corrupt(e.detail))? {
            let length = count.saturating_mul(BLOCK).min(inode.size.saturating_sub(logical));
            if length == 0 {
                break;
            }
            let location = match first {
                0 | NEW => Location::Zero,
                // A file may be marked as one to be packed, of which nothing was.
                CLUSTER => return Err(packed(inode.packing)),
                first => {
                    let last = u32::try_from(count.saturating_sub(1)).ok().and_then(|n| first.checked_add(n));
                    let inside = last.and_then(|last| self.byte(last)).and_then(|_| self.byte(first));
                    stored = stored.saturating_add(length);
                    Location::At(inside.ok_or_else(|| corrupt("a block of the file lies outside the volume"))?)
                }
            };
            extents.push(Extent { logical, length, location });
            logical = logical.saturating_add(length);
        }
        if logical < inode.size {
            return Err(corrupt("its blocks end before its size"));
        }
        let holes = extents.iter().any(|e| e.location == Location::Zero);
        Ok(Held { content: Content::Mapped(Mapped { extents }), holes, stored })
    }
}

fn packed(method: Option<u8>) -> Unreadable {
    Unreadable::Unsupported(match method {
        Some(0) => "compressed by F2FS with LZO",
        Some(1) => "compressed by F2FS with LZ4",
        Some(2) => "compressed by F2FS with Zstandard",
        Some(3) => "compressed by F2FS with LZO-RLE",
        _ => "compressed by F2FS in a way that is not known",
    })
}
