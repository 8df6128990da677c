//! What unlocked volumes have in common: their plain bytes, out of sectors that are decrypted when they are asked for.

use std::fmt;
use std::sync::Arc;

use crate::crypto::BLOCK;
use crate::error::{Problem, ReadError};
use crate::source::Source;

/// The largest sector.
pub(super) const MOST_SECTOR: usize = 4096;
/// Bytes decrypted at a time.
const PIECE: usize = 1 << 20;

/// An unlocked volume.
pub struct Unlocked {
    /// Its plain bytes.
    pub source: Arc<dyn Source>,
    /// What opened it, in a clause: never the key.
    pub how: String,
    /// What was found wrong.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlocked({})", self.how)
    }
}

/// Fills `buf` from `offset` on, as far as a source of `length` bytes has them. `some` gives bytes from a place on and says
/// how many; with 0 it ends.
pub(super) fn fill(
    length: u64,
    offset: u64,
    buf: &mut [u8],
    mut some: impl FnMut(u64, &mut [u8]) -> Result<usize, ReadError>,
) -> Result<usize, ReadError> {
    let wanted = usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
    let mut done = 0usize;
    while let Some(part) = buf.get_mut(done..wanted)
        && !part.is_empty()
    {
        match some(offset.saturating_add(done as u64), part)? {
            0 => break,
            n => done = done.saturating_add(n),
        }
    }
    Ok(done)
}

/// Bytes from any place on, out of whole sectors of `size` bytes, which `whole` reads and decrypts; says how many there are
/// now. Not empty where `buf` is not.
pub(super) fn from_sectors(
    size: usize,
    at: u64,
    buf: &mut [u8],
    whole: impl FnOnce(u64, &mut [u8]) -> Result<(), ReadError>,
) -> Result<usize, ReadError> {
    let skip = usize::try_from(at % size as u64).unwrap_or(0);
    if skip == 0 && buf.len() >= size {
        let n = buf.len().min(PIECE) / size * size;
        return match buf.get_mut(..n) {
            Some(part) => whole(at, part).map(|()| n),
            None => Ok(0),
        };
    }
    let mut one = [0; MOST_SECTOR];
    let Some(one) = one.get_mut(..size) else { return Ok(0) };
    whole(at.saturating_sub(skip as u64), one)?;
    let n = buf.len().min(size.saturating_sub(skip));
    if let (Some(to), Some(from)) = (buf.get_mut(..n), one.get(skip..skip.saturating_add(n))) {
        to.copy_from_slice(from);
    }
    Ok(n)
}

/// Takes XTS (IEEE 1619) off whole blocks in place: `first` is the encrypted tweak of the first of them, and `decrypt` takes
/// the block cipher off.
pub(super) fn xts(first: [u8; BLOCK], data: &mut [u8], decrypt: impl Fn(&mut [u8])) {
    // The tweak of each block is that of the one before, doubled in the field of 2^128 elements.
    let mut next = u128::from_le_bytes(first);
    let mut tweaks = [0; 512];
    for part in data.chunks_mut(tweaks.len()) {
        for place in tweaks.chunks_exact_mut(BLOCK).take(part.len() / BLOCK) {
            place.copy_from_slice(&next.to_le_bytes());
            next = (next << 1) ^ if next >> 127 == 1 { 0x87 } else { 0 };
        }
        part.iter_mut().zip(&tweaks).for_each(|(byte, tweak)| *byte ^= tweak);
        decrypt(part);
        part.iter_mut().zip(&tweaks).for_each(|(byte, tweak)| *byte ^= tweak);
    }
}
