//! The plain bytes of a volume: where each of its bytes comes from, and the ciphers.
//!
//! CBC with the diffuser is after Niels Ferguson, "AES-CBC + Elephant diffuser" (2006). AES is the library's, XTS that of
//! LUKS.

use std::sync::Arc;

use super::LAYER;
use super::metadata::{AREA, Block, CONVERTING};
use crate::crypto::BLOCK;
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_exact_at};
use crate::volume::luks::sectors::{Cipher as Xts, Decrypting, Encrypting, Spec};
use crate::volume::plain::{MOST_SECTOR, fill, from_sectors};

/// A cipher with its key. The key's schedules are erased when dropped.
pub(super) enum Cipher {
    Xts(Xts),
    /// The vector is the sector's place, encrypted with the same key.
    Cbc {
        data: Decrypting,
        vector: Encrypting,
        tweak: Option<Encrypting>,
    },
}

/// The name of a method; `None` for what is not read.
pub(super) fn name(method: u16) -> Option<&'static str> {
    Some(match method {
        0x8000 => "AES-CBC 128 with diffuser",
        0x8001 => "AES-CBC 256 with diffuser",
        0x8002 => "AES-CBC 128",
        0x8003 => "AES-CBC 256",
        0x8004 => "AES-XTS 128",
        0x8005 => "AES-XTS 256",
        _ => return None,
    })
}

impl Cipher {
    /// The cipher of a method; `None` where there is none, or its key has another length.
    pub(super) fn new(method: u16, key: &[u8]) -> Option<Self> {
        let half = |from: usize, length: usize| key.get(from..from.checked_add(length)?);
        let cbc = |data: &[u8], tweak: Option<&[u8]>| {
            let tweak = match tweak {
                Some(tweak) => Some(Encrypting::new(tweak)?),
                None => None,
            };
            Some(Self::Cbc { data: Decrypting::new(data)?, vector: Encrypting::new(data)?, tweak })
        };
        match (method, key.len()) {
            (0x8000, 64) => cbc(half(0, 16)?, Some(half(32, 16)?)),
            (0x8001, 64) => cbc(half(0, 32)?, Some(half(32, 32)?)),
            (0x8002, 16) | (0x8003, 32) => cbc(key, None),
            (0x8004, 32) | (0x8005, 64) => Some(Self::Xts(Spec::named("aes-xts-plain64")?.with_key(key)?)),
            _ => None,
        }
    }

    /// Decrypts one sector in place, which lies at a byte of the volume.
    fn sector(&self, at: u64, data: &mut [u8]) {
        let (cipher, vector, tweak) = match self {
            Self::Xts(xts) => {
                let number = at.checked_div(data.len() as u64).unwrap_or(0);
                return xts.sectors(number, data.len(), data);
            }
            Self::Cbc { data, vector, tweak } => (data, vector, tweak),
        };
        let mut place = [0u8; BLOCK];
        place.iter_mut().zip(at.to_le_bytes()).for_each(|(to, from)| *to = from);
        let mut sealed = [0; MOST_SECTOR];
        let Some(sealed) = sealed.get_mut(..data.len()) else { return };
        sealed.copy_from_slice(data);
        cipher.blocks(data);
        let chain = vector.block(place);
        data.iter_mut().zip(chain.iter().chain(sealed.iter())).for_each(|(byte, before)| *byte ^= before);
        if let Some(tweak) = tweak {
            let low = tweak.block(place);
            if let Some(last) = place.last_mut() {
                *last = 0x80;
            }
            let high = tweak.block(place);
            undiffuse(data);
            data.iter_mut().zip(low.iter().chain(&high).cycle()).for_each(|(byte, key)| *byte ^= key);
        }
    }
}

/// Takes both diffusers off a sector.
fn undiffuse(data: &mut [u8]) {
    let mut words = [0u32; MOST_SECTOR / 4];
    let Some(words) = words.get_mut(..data.len() / 4) else { return };
    for (word, bytes) in words.iter_mut().zip(data.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    pass(words, 3, [0, 10, 0, 25], |i, away, _| i.saturating_add(away));
    pass(words, 5, [9, 0, 13, 0], |i, away, count| i.saturating_add(count).saturating_sub(away));
    for (word, bytes) in words.iter().zip(data.as_chunks_mut::<4>().0) {
        *bytes = word.to_le_bytes();
    }
}

/// Rounds of one diffuser: each word has the sum of two others added, the one two and the one five words away in a ring.
fn pass(words: &mut [u32], rounds: usize, turns: [u32; 4], other: impl Fn(usize, usize, usize) -> usize) {
    let count = words.len();
    // Sectors are powers of two long.
    let ring = count.saturating_sub(1);
    for _ in 0..rounds {
        for i in 0..count {
            let word = |away| words.get(other(i, away, count) & ring).copied().unwrap_or_default();
            let turn = turns.get(i % 4).copied().unwrap_or_default();
            let add = word(2) ^ word(5).rotate_left(turn);
            if let Some(word) = words.get_mut(i) {
                *word = word.wrapping_add(add);
            }
        }
    }
}

/// Where a run of the plain bytes comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// Windows shows zeros where its own data lie.
    Zeros,
    /// Encrypted, at this byte of the volume.
    Sealed(u64),
    /// As it is, at this byte.
    Open(u64),
    /// It was being converted.
    Lost,
}

#[derive(Debug, Clone, Copy)]
struct Region {
    start: u64,
    end: u64,
    from: From,
}

/// How a volume is put together.
pub(super) struct Layout {
    regions: Vec<Region>,
    length: u64,
    /// Bytes that are not encrypted, or not yet.
    pub(super) open: u64,
    /// Bytes that cannot be read.
    pub(super) lost: u64,
}

impl Layout {
    /// Of a volume of so many bytes; a clause where the metadata contradict themselves.
    pub(super) fn new(block: &Block, sector: usize, there: u64) -> Result<Self, &'static str> {
        let size = sector as u64;
        let length = there / size * size;
        let whole = |at: u64| at.is_multiple_of(size);
        if !whole(block.moved_to) || !whole(block.moved) || !whole(block.encrypted) {
            return Err("its metadata name places that are no whole sectors");
        }
        if block.moved_to.checked_add(block.moved).is_none_or(|end| end > length) || block.moved_to < block.moved {
            return Err("its metadata name a place for the first sectors that cannot be");
        }
        let converting = if block.state == CONVERTING { u64::from(block.converting) } else { 0 };
        let lost = block.encrypted..block.encrypted.saturating_add(converting).next_multiple_of(size);
        let area = (AREA as u64).next_multiple_of(size);
        let mut hidden: Vec<_> = block.copies.iter().map(|at| *at..at.saturating_add(area)).collect();
        hidden.push(block.moved_to..block.moved_to.saturating_add(block.moved));
        let mut cuts: Vec<u64> = hidden.iter().chain([&lost]).flat_map(|r| [r.start, r.end]).collect();
        cuts.extend([0, block.moved, length, block.encrypted.saturating_sub(block.moved_to)]);
        cuts.retain(|cut| *cut <= length);
        cuts.sort_unstable();
        cuts.dedup();
        let mut out = Self { regions: vec![], length, open: 0, lost: 0 };
        for (start, end) in cuts.iter().copied().zip(cuts.iter().skip(1).copied()) {
            // The first sectors of the file system lie elsewhere, since the boot sector of BitLocker takes their place.
            let at = if start < block.moved { start.saturating_add(block.moved_to) } else { start };
            let from = if hidden.iter().any(|r| r.contains(&start)) {
                From::Zeros
            } else if lost.contains(&at) {
                From::Lost
            } else if at >= block.encrypted {
                From::Open(at)
            } else {
                From::Sealed(at)
            };
            let bytes = end.saturating_sub(start);
            match from {
                From::Open(_) => out.open = out.open.saturating_add(bytes),
                From::Lost => out.lost = out.lost.saturating_add(bytes),
                _ => {}
            }
            out.regions.push(Region { start, end, from });
        }
        Ok(out)
    }
}

/// The plain bytes of a volume, read at any place.
pub(super) struct Plain {
    sealed: Arc<dyn Source>,
    cipher: Cipher,
    sector: usize,
    layout: Layout,
}

impl Plain {
    pub(super) fn new(sealed: Arc<dyn Source>, cipher: Cipher, sector: usize, layout: Layout) -> Self {
        Self { sealed, cipher, sector: sector.clamp(512, MOST_SECTOR), layout }
    }

    fn region(&self, at: u64) -> Option<&Region> {
        let next = self.layout.regions.partition_point(|r| r.start <= at);
        self.layout.regions.get(next.checked_sub(1)?).filter(|r| at < r.end)
    }

    /// Whole sectors from a place of the encrypted volume.
    fn whole(&self, at: u64, data: &mut [u8]) -> Result<(), ReadError> {
        read_exact_at(&self.sealed, LAYER, at, data)?;
        for (place, sector) in (at..).step_by(self.sector).zip(data.chunks_exact_mut(self.sector)) {
            self.cipher.sector(place, sector);
        }
        Ok(())
    }
}

impl Source for Plain {
    fn len(&self) -> u64 {
        self.layout.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        fill(self.len(), offset, buf, |at, part| {
            let Some(region) = self.region(at) else { return Ok(0) };
            let inside = at.saturating_sub(region.start);
            let left = usize::try_from(region.end.saturating_sub(at)).unwrap_or(usize::MAX);
            let n = left.min(part.len());
            let Some(part) = part.get_mut(..n) else { return Ok(0) };
            // What fails below fails at a place of the encrypted volume; here it is this one.
            let here = |e: ReadError| ReadError { offset: at, ..e };
            match region.from {
                From::Zeros => {
                    part.fill(0);
                    Ok(n)
                }
                From::Open(from) => {
                    read_exact_at(&self.sealed, LAYER, from.saturating_add(inside), part).map_err(here)?;
                    Ok(n)
                }
                From::Sealed(from) => {
                    let whole = |begin, data: &mut [u8]| self.whole(begin, data);
                    from_sectors(self.sector, from.saturating_add(inside), part, whole).map_err(here)
                }
                From::Lost => {
                    let detail = "these bytes were being encrypted or decrypted when the volume was taken";
                    Err(ReadError::new(LAYER, at, ReadFault::Unsupported, detail))
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_take_keys_of_their_length_only() {
        for (method, length) in [(0x8000, 64), (0x8001, 64), (0x8002, 16), (0x8003, 32), (0x8004, 32), (0x8005, 64)] {
            assert!(name(method).is_some());
            for other in [0, 16, 24, 32, 48, 64, 128] {
                assert_eq!(Cipher::new(method, &vec![1; other]).is_some(), other == length, "{method:x} {other}");
            }
        }
        assert!(name(0x8006).is_none() && Cipher::new(0x8006, &[1; 32]).is_none());
    }
}
