//! Entropy-coded bytes, freed of their stuffing, read bit by bit.

use super::frame::{Reason, Unsuitable};

/// The entropy-coded data of one scan: the bytes without stuffing, in segments between restart markers.
pub(super) struct Segments {
    bytes: Vec<u8>,
    /// Where each segment ends in `bytes`.
    ends: Vec<usize>,
}

/// Bytes of zeros behind each segment: a reader that runs over the end reads these, not the next segment. A damaged
/// file can still run further; the check at the segment's end finds both.
const GUARD: usize = 16;

impl Segments {
    pub(super) fn new() -> Self {
        Segments { bytes: Vec::new(), ends: Vec::new() }
    }

    /// Takes the entropy-coded data that begins at `at` in the file; returns where the marker behind it stands. Restart
    /// markers must come in their order, and only where the file has announced them.
    pub(super) fn take(&mut self, file: &[u8], at: usize, restarts: bool) -> Result<usize, Unsuitable> {
        self.bytes.clear();
        self.ends.clear();
        self.bytes.reserve(file.len().saturating_sub(at) + 2 * GUARD);
        let mut rest = file.get(at..).unwrap_or_default();
        let mut expected = 0xD0u8;
        let offset = |rest: &[u8]| file.len() - rest.len();
        loop {
            let Some(found) = find_ff(rest) else { return Err(Reason::Cut.at(file.len())) };
            let (plain, behind) = rest.split_at_checked(found).unwrap_or((rest, &[]));
            self.bytes.extend_from_slice(plain);
            let marker = behind.get(1).copied();
            match marker {
                None => return Err(Reason::Cut.at(file.len())),
                Some(0) => self.bytes.push(0xFF),
                // A fill byte before a marker.
                Some(0xFF) => {
                    rest = behind.get(1..).unwrap_or_default();
                    if matches!(rest.get(1), Some(0)) {
                        return Err(Reason::Stray.at(offset(rest)));
                    }
                    continue;
                }
                Some(restart) if (0xD0..=0xD7).contains(&restart) => {
                    if !restarts || restart != expected {
                        return Err(Reason::Restart.at(offset(behind)));
                    }
                    expected = 0xD0 + ((restart + 1) & 7);
                    self.close();
                }
                Some(_) => {
                    self.close();
                    return Ok(offset(behind));
                }
            }
            rest = behind.get(2..).unwrap_or_default();
        }
    }

    fn close(&mut self) {
        self.ends.push(self.bytes.len());
        self.bytes.extend_from_slice(&[0; GUARD]);
    }

    /// How many segments there are.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes there are in all, without stuffing.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.ends.len() * GUARD
    }

    /// The reader of a segment.
    pub(super) fn reader(&self, segment: usize) -> Option<Reader<'_>> {
        let end = *self.ends.get(segment)?;
        let start = match segment.checked_sub(1) {
            None => 0,
            Some(before) => self.ends.get(before)? + GUARD,
        };
        Some(Reader { bytes: &self.bytes, position: start, bits: 0, left: 0, end })
    }
}

/// Where the next byte 0xFF stands: sixteen bytes a step, which compilers turn into one comparison of a vector.
fn find_ff(bytes: &[u8]) -> Option<usize> {
    let (chunks, rest) = bytes.as_chunks::<16>();
    let mut at = 0;
    for chunk in chunks {
        if chunk.iter().fold(0u8, |any, b| any | u8::from(*b == 0xFF)) != 0 {
            break;
        }
        at += 16;
    }
    let tail = bytes.get(at..).unwrap_or(rest);
    tail.iter().position(|b| *b == 0xFF).map(|found| at + found)
}

/// Reads bits from the highest of each byte on. Past the end it reads zeros for ever; [`Reader::finish`] tells.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The next bits, the first of them highest.
    bits: u64,
    /// How many of `bits` count.
    left: u32,
    end: usize,
}

impl Reader<'_> {
    /// Makes at least 56 bits ready. Eight bytes are loaded whatever is needed, and only whole bytes are moved past:
    /// no branch depends on the data.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let word = match self.bytes.get(self.position..).and_then(|b| b.first_chunk::<8>()) {
            Some(eight) => u64::from_be_bytes(*eight),
            None => 0,
        };
        self.bits |= word.wrapping_shr(self.left);
        self.position = self.position.wrapping_add(((63 ^ self.left) >> 3) as usize);
        self.left |= 56;
    }

    /// The next bits, the first of them highest.
    #[inline(always)]
    pub(super) fn bits(&self) -> u64 {
        self.bits
    }

    /// Moves past `count` bits, of those that the last refill made ready.
    #[inline(always)]
    pub(super) fn skip(&mut self, count: u32) {
        self.bits = self.bits.wrapping_shl(count);
        self.left = self.left.wrapping_sub(count);
    }

    /// The next `count` bits (0 to 16) as a number.
    #[inline(always)]
    pub(super) fn take(&mut self, count: u32) -> u32 {
        let value = (self.bits >> 1).wrapping_shr(63 - count) as u32;
        self.skip(count);
        value
    }

    /// Whether more was read than there is.
    pub(super) fn overrun(&self) -> bool {
        self.position.wrapping_sub((self.left / 8) as usize) > self.end
    }

    /// Whether everything was read but for the padding of the last byte.
    pub(super) fn finish(&self) -> bool {
        self.position.wrapping_sub((self.left / 8) as usize) == self.end
    }
}
