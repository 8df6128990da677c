//! Files that the system compressed: an attribute says how, the bytes lie in it or in the resource fork.
//!
//! After the kernel's `decmpfs.h` and the public descriptions of the formats; types 9 to 14 after the open driver of APFS
//! for Linux. Blocks hold 64 KiB of plain content each; a block that did not become smaller is kept plain behind one byte.
//! LZBITMAP is named and not read.

use std::io::Read;
use std::sync::Arc;

use crate::bytes::{array, be_u32, le_u32, le_u64};
use crate::codec::{lzfse, lzvn};
use crate::entry::{Content, ContentRead, Extent, OpenContent, Unreadable};
use crate::error::{ReadError, ReadFault};

use super::LAYER;
use super::fork::Fork;

/// Plain bytes of a block.
const BLOCK: u64 = 64 * 1024;
/// The largest packed block: plain ones are one byte longer than what they hold.
const PACKED: u64 = BLOCK + 4096;

/// How blocks are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Zlib,
    Lzvn,
    Lzfse,
    /// Every block as it is, behind one byte.
    Plain,
}

/// The content of a file whose attribute says that it is compressed, and its plain length; `None` where the attribute is
/// no such one.
pub(crate) fn content(attribute: &[u8], resource: Option<Fork>, volume: u64) -> Option<(Content, u64)> {
    if array::<4>(attribute, 0)? != *b"fpmc" {
        return None;
    }
    let (kind, size) = (le_u32(attribute, 4)?, le_u64(attribute, 8)?);
    let unreadable = |reason| Some((Content::Unreadable(reason), size));
    // Zlib makes at most 1032 bytes of one, LZVN fewer than 300.
    if size > volume.saturating_mul(1032) {
        return unreadable(Unreadable::Corrupt("more plain bytes are declared than the volume can hold".into()));
    }
    let inline = attribute.get(16..)?;
    let stream =
        |packed: Packed, extents: Vec<Extent>| Some((Content::Stream { open: Arc::new(packed), extents }, size));
    match (kind, resource) {
        // Kept plain in the attribute.
        (1, _) => Some((Content::Resident(inline.to_vec()), size)),
        (3 | 7 | 9 | 11, _) => {
            let method = method(kind.saturating_add(1))?;
            stream(Packed { method, size, place: Stored::Inline(inline.to_vec()) }, vec![])
        }
        (4 | 8 | 10 | 12, Some(fork)) => {
            let method = method(kind)?;
            let extents = fork.extents.clone();
            stream(Packed { method, size, place: Stored::Fork(fork) }, extents)
        }
        (4 | 8 | 10 | 12, None) => unreadable(Unreadable::Corrupt("its compressed bytes are not there".into())),
        (5, _) => unreadable(Unreadable::StoredElsewhere("a file whose content is held by the system")),
        (13 | 14, _) => unreadable(Unreadable::Unsupported("compressed by LZBITMAP")),
        _ => unreadable(Unreadable::Unsupported("compressed in a way that is not known")),
    }
}

/// What blocks in a fork of this type are packed with; the type before it keeps them in the attribute.
fn method(kind: u32) -> Option<Method> {
    Some(match kind {
        4 => Method::Zlib,
        8 => Method::Lzvn,
        10 => Method::Plain,
        12 => Method::Lzfse,
        _ => return None,
    })
}

#[derive(Clone)]
enum Stored {
    Inline(Vec<u8>),
    Fork(Fork),
}

#[derive(Clone)]
struct Packed {
    method: Method,
    size: u64,
    place: Stored,
}

fn bad(offset: u64, detail: &str) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Damaged, detail)
}

impl OpenContent for Packed {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        let blocks = match &self.place {
            Stored::Inline(_) => vec![],
            Stored::Fork(fork) => self.blocks(fork)?,
        };
        Ok(Box::new(Reader { packed: self.clone(), blocks, next: 0, plain: vec![], at: 0, given: 0 }))
    }
}

impl Packed {
    /// Where the blocks lie in the fork: offset and length.
    fn blocks(&self, fork: &Fork) -> Result<Vec<(u64, u64)>, ReadError> {
        let count = self.size.div_ceil(BLOCK);
        // A block has a place in a table of four or eight bytes: a table longer than the fork is none.
        if count.saturating_mul(4) > fork.size {
            return Err(bad(0, "the table of compressed blocks is longer than the fork"));
        }
        let number = usize::try_from(count).unwrap_or(0);
        let short = || bad(0, "the table of compressed blocks ends early");
        let mut out = Vec::with_capacity(number);
        match self.method {
            Method::Zlib | Method::Plain => {
                // A resource fork with one resource: its data begin with their length, then the table.
                let head = fork.read(0, 4)?;
                let data = u64::from(be_u32(&head, 0).ok_or_else(short)?).saturating_add(4);
                let table = fork.read(data, number.saturating_mul(8).saturating_add(4))?;
                if le_u32(&table, 0).map(u64::from) != Some(count) {
                    return Err(bad(data, "the table of compressed blocks has another length than the file needs"));
                }
                for i in 0..number {
                    let at = 4 + i * 8;
                    let (Some(offset), Some(length)) = (le_u32(&table, at), le_u32(&table, at + 4)) else {
                        return Err(short());
                    };
                    out.push((data.saturating_add(u64::from(offset)), u64::from(length)));
                }
            }
            Method::Lzvn | Method::Lzfse => {
                let table = fork.read(0, number.saturating_add(1).saturating_mul(4))?;
                for i in 0..number {
                    let (Some(from), Some(to)) = (le_u32(&table, i * 4), le_u32(&table, i * 4 + 4)) else {
                        return Err(short());
                    };
                    let length = to.checked_sub(from).ok_or_else(short)?;
                    out.push((u64::from(from), u64::from(length)));
                }
            }
        }
        Ok(out)
    }

    fn unpack(&self, bytes: &[u8], most: u64, offset: u64) -> Result<Vec<u8>, ReadError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let broken = || bad(offset, "a compressed block does not unpack");
        let first = bytes.first().copied().ok_or_else(broken)?;
        let plain = match self.method {
            Method::Zlib if first & 0xF == 0xF => bytes.get(1..).unwrap_or_default().to_vec(),
            Method::Lzvn if first == 6 => bytes.get(1..).unwrap_or_default().to_vec(),
            Method::Lzfse if first == 0xFF => bytes.get(1..).unwrap_or_default().to_vec(),
            Method::Plain => bytes.get(1..).unwrap_or_default().to_vec(),
            Method::Zlib => {
                let mut out = vec![];
                let limit = (most as u64).saturating_add(1);
                flate2::read::ZlibDecoder::new(bytes).take(limit).read_to_end(&mut out).map_err(|_| broken())?;
                out
            }
            Method::Lzvn => lzvn::decode(bytes, most).ok_or_else(broken)?,
            Method::Lzfse => lzfse::decode(bytes, most).ok_or_else(broken)?,
        };
        if plain.len() == most { Ok(plain) } else { Err(broken()) }
    }
}

struct Reader {
    packed: Packed,
    blocks: Vec<(u64, u64)>,
    next: usize,
    plain: Vec<u8>,
    at: usize,
    /// Plain bytes of the blocks unpacked so far.
    given: u64,
}

impl Reader {
    /// Unpacks the next block; `false` at the end.
    fn block(&mut self) -> Result<bool, ReadError> {
        let left = self.packed.size.saturating_sub(self.given);
        if left == 0 {
            return Ok(false);
        }
        let plain = match &self.packed.place {
            Stored::Inline(bytes) => self.packed.unpack(bytes, left, 0)?,
            Stored::Fork(fork) => {
                let Some((offset, length)) = self.blocks.get(self.next).copied() else {
                    return Err(bad(0, "the compressed blocks end before the file does"));
                };
                if length > PACKED {
                    return Err(bad(offset, "a compressed block is longer than any is"));
                }
                let wanted = usize::try_from(length).unwrap_or(0);
                let bytes = fork.read(offset, wanted)?;
                if bytes.len() != wanted {
                    return Err(bad(offset, "a compressed block lies outside the fork"));
                }
                self.packed.unpack(&bytes, left.min(BLOCK), offset)?
            }
        };
        self.next = self.next.saturating_add(1);
        self.given = self.given.saturating_add(plain.len() as u64);
        (self.plain, self.at) = (plain, 0);
        Ok(true)
    }
}

impl ContentRead for Reader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0usize;
        while let Some(rest) = buf.get_mut(done..).filter(|r| !r.is_empty()) {
            let here = self.plain.get(self.at..).unwrap_or_default();
            if here.is_empty() {
                if self.block()? {
                    continue;
                }
                break;
            }
            let n = here.len().min(rest.len());
            if let (Some(to), Some(from)) = (rest.get_mut(..n), here.get(..n)) {
                to.copy_from_slice(from);
            }
            self.at = self.at.saturating_add(n);
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}
