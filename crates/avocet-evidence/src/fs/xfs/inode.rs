//! An inode and where its content lies.

use crate::bytes::{array, be_u16, be_u32, be_u64, u8_at};
use crate::entry::{EntryKind, Extent, Location, Times};
use crate::error::ReadError;

use super::{Xfs, damaged, stamp};

/// Levels of a map of extents.
const LEVELS: u16 = 8;
/// Extents of one file.
const EXTENTS: usize = 1 << 20;

/// How content is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Local,
    Extents,
    Tree,
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Inode {
    pub mode: u16,
    pub links: u32,
    pub size: u64,
    pub times: Times,
    pub form: Form,
    pub realtime: bool,
    extents: u64,
    /// The part of the inode that holds the content, or the map of it.
    pub fork: Vec<u8>,
}

/// A run of blocks of a file: first block of the file, first of the volume, how many, whether they were written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub logical: u64,
    pub block: u64,
    pub count: u64,
    pub written: bool,
}

impl Piece {
    fn parse(bytes: &[u8]) -> Option<Piece> {
        let (high, low) = (be_u64(bytes, 0)?, be_u64(bytes, 8)?);
        Some(Piece {
            logical: high >> 9 & ((1 << 54) - 1),
            block: (high & 0x1FF) << 43 | low >> 21,
            count: low & 0x1F_FFFF,
            written: high >> 63 == 0,
        })
    }
}

impl Xfs {
    /// The inode of a number; `None` where it is not in use.
    pub(super) fn inode(&self, number: u64) -> Result<Option<Inode>, ReadError> {
        let offset = self.sb.inode_byte(number).ok_or_else(|| damaged(number, "an inode lies outside the volume"))?;
        let bytes = self.read(offset, self.sb.inode_size)?;
        if array::<2>(&bytes, 0) != Some(*b"IN") {
            return Err(damaged(offset, "an inode is none"));
        }
        let parse = || {
            let version = u8_at(&bytes, 4)?;
            let mode = be_u16(&bytes, 2)?;
            let (start, links) = if version >= 3 {
                (176, be_u32(&bytes, 16)?)
            } else {
                (100, if version == 1 { u32::from(be_u16(&bytes, 6)?) } else { be_u32(&bytes, 16)? })
            };
            let flags2 = if version >= 3 { be_u64(&bytes, 120)? } else { 0 };
            let wide = flags2 & 8 != 0;
            let attributes = usize::from(u8_at(&bytes, 82)?) * 8;
            let end = if attributes > 0 { start + attributes } else { bytes.len() };
            let wide_counts = version >= 3 && self.sb.wide_counts && flags2 & 0x10 != 0;
            Some(Inode {
                mode,
                links,
                size: be_u64(&bytes, 56)?,
                times: Times {
                    accessed: stamp(&bytes, 32, wide),
                    modified: stamp(&bytes, 40, wide),
                    changed: stamp(&bytes, 48, wide),
                    created: if version >= 3 { stamp(&bytes, 144, wide) } else { None },
                    ..Times::default()
                },
                form: match u8_at(&bytes, 5)? {
                    1 => Form::Local,
                    2 => Form::Extents,
                    3 => Form::Tree,
                    _ => Form::Other,
                },
                realtime: be_u16(&bytes, 90)? & 1 != 0,
                extents: if wide_counts { be_u64(&bytes, 24)? } else { u64::from(be_u32(&bytes, 76)?) },
                fork: bytes.get(start..end)?.to_vec(),
            })
        };
        let inode = parse().ok_or_else(|| damaged(offset, "an inode contradicts itself"))?;
        Ok((inode.mode != 0).then_some(inode))
    }

    /// The runs of blocks of an inode, in the order of the file.
    pub(super) fn pieces(&self, inode: &Inode) -> Result<Vec<Piece>, ReadError> {
        let mut out = vec![];
        match inode.form {
            Form::Extents => {
                let count = usize::try_from(inode.extents).unwrap_or(usize::MAX);
                if count > inode.fork.len() / 16 {
                    return Err(damaged(0, "an inode declares more extents than it holds"));
                }
                out.extend(inode.fork.chunks_exact(16).take(count).filter_map(Piece::parse));
            }
            Form::Tree => {
                let fork = &inode.fork;
                let (level, count) = (be_u16(fork, 0).unwrap_or(0), usize::from(be_u16(fork, 2).unwrap_or(0)));
                let room = fork.len().saturating_sub(4) / 16;
                if level == 0 || level > LEVELS || count > room {
                    return Err(damaged(0, "the root of a map of extents contradicts itself"));
                }
                for i in 0..count {
                    let below = be_u64(fork, 4 + 8 * room + 8 * i).unwrap_or(u64::MAX);
                    self.map(below, level - 1, &mut out)?;
                }
            }
            Form::Local | Form::Other => {}
        }
        let mut next = 0;
        for piece in &out {
            if piece.logical < next || piece.count == 0 {
                return Err(damaged(0, "the extents of a file overlap or are empty"));
            }
            next = piece.logical.saturating_add(piece.count);
        }
        Ok(out)
    }

    /// A block of a map of extents and what is below it: each level is one less, so that none is without end.
    fn map(&self, number: u64, level: u16, out: &mut Vec<Piece>) -> Result<(), ReadError> {
        let block = self.block(number)?;
        let header = if self.sb.version5 { 72 } else { 24 };
        let right = matches!(array::<4>(&block, 0), Some([b'B', b'M', b'A', b'P' | b'3']));
        if !right || be_u16(&block, 4) != Some(level) {
            return Err(damaged(number, "a block of a map of extents is none"));
        }
        let count = usize::from(be_u16(&block, 6).unwrap_or(0));
        let room = block.len().saturating_sub(header) / 16;
        if count > room {
            return Err(damaged(number, "a block of a map of extents contradicts itself"));
        }
        if level == 0 {
            if out.len().saturating_add(count) > EXTENTS {
                return Err(damaged(number, "a file lies in more pieces than are followed"));
            }
            out.extend(block.get(header..).unwrap_or_default().chunks_exact(16).take(count).filter_map(Piece::parse));
            return Ok(());
        }
        for i in 0..count {
            let below = be_u64(&block, header + 8 * room + 8 * i).unwrap_or(u64::MAX);
            self.map(below, level - 1, out)?;
            if out.len() > EXTENTS {
                return Err(damaged(number, "a file lies in more pieces than are followed"));
            }
        }
        Ok(())
    }

    /// The extents of a file in bytes, with its holes; the second says whether there are any, or bytes never written.
    pub(super) fn extents(&self, inode: &Inode) -> Result<(Vec<Extent>, bool), ReadError> {
        let (mut out, mut logical, mut holes) = (vec![], 0u64, false);
        let block = self.sb.block;
        let mut hole = |out: &mut Vec<Extent>, from: u64, to: u64| {
            if to > from {
                holes = true;
                out.push(Extent { logical: from, length: to - from, location: Location::Zero });
            }
        };
        for piece in self.pieces(inode)? {
            let start = piece.logical.saturating_mul(block);
            if start >= inode.size {
                break;
            }
            hole(&mut out, logical, start);
            let end = start.saturating_add(piece.count.saturating_mul(block)).min(inode.size);
            if !piece.written {
                hole(&mut out, start, end);
            } else {
                let last = piece.block.saturating_add(piece.count.saturating_sub(1));
                let place = self.sb.byte(piece.block).filter(|_| self.sb.byte(last).is_some());
                let place = place.filter(|p| p.saturating_add(end - start) <= self.source.len());
                let place = place.ok_or_else(|| damaged(piece.block, "an extent lies outside the volume"))?;
                out.push(Extent { logical: start, length: end - start, location: Location::At(place) });
            }
            logical = end;
        }
        hole(&mut out, logical, inode.size);
        Ok((out, holes))
    }
}

impl Inode {
    pub fn kind(&self) -> EntryKind {
        match self.mode & 0o170_000 {
            0o040_000 => EntryKind::Directory,
            0o120_000 => EntryKind::Link,
            0o100_000 => EntryKind::File,
            _ => EntryKind::Special,
        }
    }
}
