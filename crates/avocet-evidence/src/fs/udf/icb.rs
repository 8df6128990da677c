//! A file entry: what a file is, and where its bytes lie.

use avocet_base::Stamp;

use crate::bytes::{le_u16, le_u32, u8_at};
use crate::entry::Run;
use crate::error::ReadError;
use crate::source::read_exact_at;

use super::map::Map;
use super::{LAYER, damaged, long, stamp, tag};

const FILE: u16 = 261;
const EXTENDED_FILE: u16 = 266;
const DESCRIPTORS: u16 = 258;
/// Pieces of one file.
const PIECES: usize = 1 << 16;
/// Blocks of further descriptors of one file.
const CONTINUED: usize = 4096;

/// A file entry whose tag holds.
pub(super) struct Icb {
    pub kind: u8,
    pub links: u16,
    pub size: u64,
    pub modified: Option<Stamp>,
    pub accessed: Option<Stamp>,
    pub changed: Option<Stamp>,
    pub created: Option<Stamp>,
    /// Where the folder of its named streams is.
    pub streams: Option<(u16, u32)>,
    /// Byte of the disc at which the entry lies.
    pub at: u64,
    partition: u16,
    form: u16,
    strategy: u16,
    /// The descriptors, or the bytes of the file itself.
    area: Vec<u8>,
}

/// A part of a file: bytes, and where they lie; nowhere if they were never written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub length: u64,
    pub at: Option<u64>,
}

impl Icb {
    /// The entry at a block.
    pub fn read(map: &Map, place: (u16, u32)) -> Result<Icb, ReadError> {
        let bytes = map.block(place)?;
        let at = map.run(place.0, place.1).map_or(0, |(at, _)| at);
        let kind = tag(&bytes, place.1).filter(|k| matches!(*k, FILE | EXTENDED_FILE));
        let kind = kind.ok_or_else(|| damaged(at, "a file entry is none"))?;
        let parse = || {
            let wide = kind == EXTENDED_FILE;
            let (times, lengths) = if wide { ((80, 92, 116), 208) } else { ((72, 84, 96), 168) };
            let attributes = usize::try_from(le_u32(&bytes, lengths)?).ok()?;
            let length = usize::try_from(le_u32(&bytes, lengths + 4)?).ok()?;
            let start = (lengths + 8).checked_add(attributes)?;
            let streams = if wide && le_u32(&bytes, 152)? & 0x3FFF_FFFF > 0 {
                Some((le_u16(&bytes, 160)?, le_u32(&bytes, 156)?))
            } else {
                None
            };
            Some(Icb {
                kind: u8_at(&bytes, 27)?,
                links: le_u16(&bytes, 48)?,
                size: long(&bytes, 56),
                accessed: stamp(&bytes, times.0),
                modified: stamp(&bytes, times.1),
                changed: stamp(&bytes, times.2),
                created: if wide { stamp(&bytes, 104) } else { None },
                streams,
                at,
                partition: place.0,
                form: le_u16(&bytes, 34)? & 7,
                strategy: le_u16(&bytes, 20)?,
                area: bytes.get(start..start.checked_add(length)?)?.to_vec(),
            })
        };
        parse().ok_or_else(|| damaged(at, "a file entry contradicts itself"))
    }

    /// The bytes of a file that lie in its entry.
    pub fn inside(&self) -> Option<&[u8]> {
        (self.form == 3).then_some(self.area.as_slice())
    }

    /// Whether the entry may be replaced by another that it does not lead to in a way that is read.
    pub fn chained(&self) -> bool {
        self.strategy == 4096
    }

    /// The parts of the file in order, in whole runs of the disc.
    pub fn pieces(&self, map: &Map) -> Result<Vec<Piece>, ReadError> {
        let bad = |detail: &str| damaged(self.at, detail);
        let width = match self.form {
            0 => 8,
            1 => 16,
            2 => 20,
            _ => return Err(bad("its bytes do not lie in pieces")),
        };
        let (mut out, mut area, mut continued): (Vec<Piece>, Vec<u8>, usize) = (vec![], self.area.clone(), 0);
        loop {
            let mut next = None;
            for entry in area.chunks_exact(width) {
                let head = le_u32(entry, 0).unwrap_or(0);
                let length = u64::from(head & 0x3FFF_FFFF);
                if length == 0 {
                    break;
                }
                let (partition, block) = match self.form {
                    0 => (self.partition, le_u32(entry, 4)),
                    1 => (le_u16(entry, 8).unwrap_or(0), le_u32(entry, 4)),
                    _ => (le_u16(entry, 16).unwrap_or(0), le_u32(entry, 12)),
                };
                let block = block.unwrap_or(0);
                match head >> 30 {
                    0 => {
                        let (mut left, mut block) = (length, block);
                        while left > 0 {
                            let run = map.run(partition, block);
                            let (at, bytes) = run.ok_or_else(|| bad("a piece of the file lies outside the volume"))?;
                            let length = left.min(bytes);
                            out.push(Piece { length, at: Some(at) });
                            if out.len() > PIECES {
                                return Err(bad("it lies in more pieces than any disc has"));
                            }
                            left = left.saturating_sub(length);
                            let blocks = u32::try_from(bytes.min(length).div_ceil(map.block)).unwrap_or(u32::MAX);
                            block = block.saturating_add(blocks);
                        }
                    }
                    3 => {
                        next = Some((partition, block));
                        break;
                    }
                    // Kept for the file and not written, or neither.
                    _ => out.push(Piece { length, at: None }),
                }
                if out.len() > PIECES {
                    return Err(bad("it lies in more pieces than any disc has"));
                }
            }
            let Some(place) = next else { return Ok(out) };
            continued = continued.saturating_add(1);
            if continued > CONTINUED {
                return Err(bad("its descriptors go on for ever"));
            }
            let bytes = map.block(place)?;
            if tag(&bytes, place.1) != Some(DESCRIPTORS) {
                return Err(bad("a block of its descriptors is none"));
            }
            let length = le_u32(&bytes, 20).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            area = bytes.get(24..24usize.saturating_add(length)).unwrap_or_default().to_vec();
        }
    }

    /// Where its bytes and the entry itself lie.
    pub fn runs(&self, map: &Map) -> Vec<Run> {
        let mut out = vec![Run { start: self.at, length: map.block }];
        if self.form != 3 {
            let pieces = self.pieces(map).unwrap_or_default();
            out.extend(pieces.iter().filter_map(|p| Some(Run { start: p.at?, length: p.length })));
        }
        out
    }

    /// All bytes of a folder or table.
    pub fn whole(&self, map: &Map, most: u64) -> Result<Vec<u8>, ReadError> {
        let size = usize::try_from(self.size.min(most).min(map.source.len())).unwrap_or(0);
        if let Some(bytes) = self.inside() {
            return Ok(bytes.get(..size.min(bytes.len())).unwrap_or_default().to_vec());
        }
        let mut out = vec![0; size];
        let mut done = 0usize;
        for piece in self.pieces(map)? {
            let length = usize::try_from(piece.length).unwrap_or(usize::MAX).min(size.saturating_sub(done));
            let Some(part) = out.get_mut(done..done.saturating_add(length)) else { break };
            if let Some(at) = piece.at {
                read_exact_at(&map.source, LAYER, at, part)?;
            }
            done = done.saturating_add(length);
        }
        out.truncate(done);
        Ok(out)
    }
}
