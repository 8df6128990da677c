//! The state of the three digests of one stream, the bytes that wait for a block to fill, and the padding at the end.

use avocet_base::{Digests, Md5, Sha1, Sha256};

use crate::rounds::{MD5_START, SHA1_START, SHA256_START};
use crate::scalar::BLOCK;

/// The three digests' states after some whole blocks.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) md5: [u32; 4],
    pub(crate) sha1: [u32; 5],
    pub(crate) sha256: [u32; 8],
}

impl State {
    pub(crate) const START: Self = Self { md5: MD5_START, sha1: SHA1_START, sha256: SHA256_START };

    /// The digests, once the padding has been compressed.
    pub(crate) fn digests(&self) -> Digests {
        Digests { md5: md5_value(&self.md5), sha1: sha1_value(&self.sha1), sha256: sha256_value(&self.sha256) }
    }
}

fn value<const W: usize, const N: usize>(words: &[u32; W], bytes: fn(u32) -> [u8; 4]) -> [u8; N] {
    let mut out = [0; N];
    for (slot, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *slot = bytes(*word);
    }
    out
}

pub(crate) fn md5_value(words: &[u32; 4]) -> Md5 {
    Md5(value(words, u32::to_le_bytes))
}

pub(crate) fn sha1_value(words: &[u32; 5]) -> Sha1 {
    Sha1(value(words, u32::to_be_bytes))
}

pub(crate) fn sha256_value(words: &[u32; 8]) -> Sha256 {
    Sha256(value(words, u32::to_be_bytes))
}

/// Copies `bytes` to `to`, from `at` on. They fit, by the callers' sums.
fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(slot) = to.get_mut(at..at + bytes.len()) {
        slot.copy_from_slice(bytes);
    }
}

/// The bytes that do not fill a block yet, and the length of the whole stream so far.
#[derive(Clone)]
pub(crate) struct Pending {
    bytes: [u8; BLOCK],
    used: usize,
    total: u64,
}

impl Pending {
    pub(crate) const EMPTY: Self = Self { bytes: [0; BLOCK], used: 0, total: 0 };

    /// Bytes of the stream so far.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Takes `data` in: returns the block that it completed, if any, and the whole blocks that follow; keeps the rest.
    pub(crate) fn feed<'a>(&mut self, data: &'a [u8]) -> (Option<[u8; BLOCK]>, &'a [u8]) {
        self.total = self.total.wrapping_add(data.len() as u64);
        let mut data = data;
        let mut completed = None;
        if self.used > 0 {
            let (filling, rest) = data.split_at(data.len().min(BLOCK - self.used));
            self.keep(filling);
            if self.used < BLOCK {
                return (None, &[]);
            }
            completed = Some(self.bytes);
            self.used = 0;
            data = rest;
        }
        let (blocks, rest) = data.split_at(data.len() - data.len() % BLOCK);
        self.keep(rest);
        (completed, blocks)
    }

    fn keep(&mut self, bytes: &[u8]) {
        put(&mut self.bytes, self.used, bytes);
        self.used += bytes.len();
    }

    /// The last blocks of the stream.
    pub(crate) fn tail(&self) -> Tail {
        Tail::new(self.bytes.get(..self.used).unwrap_or(&[]), self.total)
    }
}

/// The last one or two blocks of a stream: what did not fill a block, a set bit, zeros, and the length in bits, which
/// MD5 writes little-endian (RFC 1321 section 3.2) and the two others big-endian (FIPS 180-4 section 5.1.1).
pub(crate) struct Tail {
    little: [u8; 2 * BLOCK],
    big: [u8; 2 * BLOCK],
    used: usize,
}

impl Tail {
    /// `rest` is shorter than a block; `total` is the length of the whole stream in bytes. A length of 2^61 bytes or
    /// more wraps, as MD5 wants it; the two others are not defined for it.
    pub(crate) fn new(rest: &[u8], total: u64) -> Self {
        let used = if rest.len() < BLOCK - 8 { BLOCK } else { 2 * BLOCK };
        let mut little = [0; 2 * BLOCK];
        put(&mut little, 0, rest);
        put(&mut little, rest.len(), &[0x80]);
        let mut big = little;
        let bits = total.wrapping_mul(8);
        put(&mut little, used - 8, &bits.to_le_bytes());
        put(&mut big, used - 8, &bits.to_be_bytes());
        Self { little, big, used }
    }

    /// The blocks for MD5.
    pub(crate) fn little(&self) -> &[u8] {
        self.little.get(..self.used).unwrap_or(&[])
    }

    /// The blocks for SHA-1 and SHA-256.
    pub(crate) fn big(&self) -> &[u8] {
        self.big.get(..self.used).unwrap_or(&[])
    }
}
