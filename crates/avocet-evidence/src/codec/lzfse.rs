//! LZFSE: Apple's compression of disk images and files. Blocks of several kinds stand one after the other; the usual one
//! is LZ77 whose literals, lengths and distances are coded by finite-state entropy (FSE).
//!
//! After Apple's reference implementation (BSD licence); the code is our own. Blocks with tables that are not packed
//! (`bvx1`), which the reference never writes, are refused.

use super::lzvn;
use crate::bytes::{array, le_u32, le_u64};

/// Literals and matches of one block at most.
const MOST_LITERALS: usize = 40_000;
const MOST_MATCHES: usize = 10_000;
/// Symbols and states of literal runs, of matches, of distances and of literals.
const SYMBOLS: [usize; 4] = [20, 20, 64, 256];
const STATES: [u32; 4] = [64, 64, 256, 1024];
/// Header of a block before its packed tables.
const HEADER: usize = 32;
/// Bits behind the symbols of literal runs and matches.
const RUN_BITS: [u8; 20] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 5, 8];
const MATCH_BITS: [u8; 20] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 5, 8, 11];

/// Decodes a stream that yields at most `most` bytes; `None` where it contradicts itself or does not end.
pub(crate) fn decode(input: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(most.min(1 << 20));
    let mut at = 0usize;
    loop {
        let rest = input.get(at..)?;
        let made = || le_u32(rest, 4).and_then(|n| usize::try_from(n).ok());
        let room = most.checked_sub(out.len())?;
        at = at.checked_add(match &array::<4>(rest, 0)? {
            b"bvx$" => return Some(out),
            b"bvx-" => {
                let length = made().filter(|n| *n <= room)?;
                out.extend_from_slice(rest.get(8..length.checked_add(8)?)?);
                length.checked_add(8)?
            }
            b"bvxn" => {
                let length = made().filter(|n| *n <= room)?;
                let end = out.len().checked_add(length)?;
                let packed = usize::try_from(le_u32(rest, 8)?).ok()?.checked_add(12)?;
                lzvn::append(rest.get(12..packed)?, &mut out, end)?;
                if out.len() != end {
                    return None;
                }
                packed
            }
            b"bvx2" => {
                let length = made().filter(|n| *n <= room)?;
                let end = out.len().checked_add(length)?;
                let used = block(rest, &mut out, end)?;
                if out.len() != end {
                    return None;
                }
                used
            }
            _ => return None,
        })?;
    }
}

/// A step of a decoder: how many bits are taken, how many of them belong to the value, what is added.
#[derive(Clone, Copy, Default)]
struct Step {
    bits: u32,
    value_bits: u32,
    base: u32,
    delta: i32,
}

/// Spreads symbols over the states by their frequencies.
fn steps(states: u32, frequencies: &[u16], symbol: impl Fn(usize) -> Option<(u32, u32)>) -> Option<Vec<Step>> {
    let mut out = Vec::with_capacity(usize::try_from(states).ok()?);
    for (i, frequency) in frequencies.iter().enumerate().filter(|(_, f)| **f > 0) {
        let f = u32::from(*frequency);
        if f > states {
            return None;
        }
        let (value_bits, base) = symbol(i)?;
        let k = f.leading_zeros().checked_sub(states.leading_zeros())?;
        let border = (states.checked_mul(2)? >> k).checked_sub(f)?;
        for j in 0..f {
            let (bits, delta) = if j < border {
                (k, i32::try_from(f.checked_add(j)? << k).ok()?.checked_sub(i32::try_from(states).ok()?)?)
            } else {
                let bits = k.checked_sub(1)?;
                (bits, i32::try_from(j.checked_sub(border)? << bits).ok()?)
            };
            out.push(Step { bits: bits.checked_add(value_bits)?, value_bits, base, delta });
        }
        if out.len() > usize::try_from(states).ok()? {
            return None;
        }
    }
    Some(out)
}

/// Bits taken from the end of bytes.
struct Backwards<'a> {
    data: &'a [u8],
    left: usize,
}

impl<'a> Backwards<'a> {
    /// `surplus` bits of the last byte do not belong to the stream.
    fn new(data: &'a [u8], surplus: usize) -> Option<Self> {
        Some(Self { data, left: data.len().checked_mul(8)?.checked_sub(surplus)? })
    }

    /// The next `count` bits, at most 32.
    fn pull(&mut self, count: u32) -> Option<u32> {
        self.left = self.left.checked_sub(usize::try_from(count).ok()?)?;
        let from = self.left / 8;
        let word = match array::<8>(self.data, from) {
            Some(bytes) => u64::from_le_bytes(bytes),
            None => self.data.get(from..)?.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b)),
        };
        let mask = 1u64.checked_shl(count)?.wrapping_sub(1);
        u32::try_from(word >> (self.left % 8) & mask).ok()
    }

    /// Takes one value and moves `state` on.
    fn value(&mut self, table: &[Step], state: &mut u32) -> Option<u32> {
        let step = table.get(usize::try_from(*state).ok()?)?;
        let bits = self.pull(step.bits)?;
        *state = u32::try_from(i64::from(step.delta).checked_add(i64::from(bits >> step.value_bits))?).ok()?;
        step.base.checked_add(bits & 1u32.checked_shl(step.value_bits)?.wrapping_sub(1))
    }
}

/// The frequencies of all symbols, packed with 2 to 14 bits each.
fn frequencies(packed: &[u8]) -> Option<Vec<u16>> {
    let count = SYMBOLS.iter().sum();
    let mut out: Vec<u16> = vec![];
    if packed.is_empty() {
        return Some(vec![0; count]);
    }
    let (mut bits, mut held, mut bytes) = (0u32, 0u32, packed.iter());
    while out.len() < count {
        while held <= 24 {
            let Some(byte) = bytes.next() else { break };
            bits |= u32::from(*byte) << held;
            held = held.checked_add(8)?;
        }
        let (length, value) = match bits & 0xF {
            0xF => (14, (bits >> 4 & 0x3FF).checked_add(24)?),
            0x7 => (8, (bits >> 4 & 0xF).checked_add(8)?),
            0xB | 0x3 => (5, (bits >> 3 & 3).checked_add(4)?),
            low => match low & 7 {
                0 | 4 => (2, 0),
                2 | 6 => (2, 1),
                1 => (3, 2),
                _ => (3, 3),
            },
        };
        held = held.checked_sub(length)?;
        bits >>= length;
        out.push(u16::try_from(value).ok()?);
    }
    // What is left are the bits of the last byte.
    (held < 8 && bytes.next().is_none()).then_some(out)
}

/// Decodes a block with packed tables up to `end` bytes of `out`; says how long it is.
fn block(data: &[u8], out: &mut Vec<u8>, end: usize) -> Option<usize> {
    let fields = [le_u64(data, 8)?, le_u64(data, 16)?, le_u64(data, 24)?];
    let field = |n: usize, from: u32, bits: u32| -> Option<usize> {
        usize::try_from(fields.get(n)? >> from & 1u64.checked_shl(bits)?.wrapping_sub(1)).ok()
    };
    let state = |n, from| field(n, from, 10).and_then(|s| u32::try_from(s).ok());
    let (literal_count, literal_bytes) = (field(0, 0, 20)?, field(0, 20, 20)?);
    let (match_count, match_bytes) = (field(0, 40, 20)?, field(1, 40, 20)?);
    let header = field(2, 0, 32)?;
    if literal_count > MOST_LITERALS || match_count > MOST_MATCHES || literal_count % 4 != 0 || header < HEADER {
        return None;
    }
    // The surplus is written as seven less itself.
    let surplus = |n| field(n, 60, 3).and_then(|bits| 7usize.checked_sub(bits));
    let all = frequencies(data.get(HEADER..header)?)?;
    let (runs, rest) = all.split_at_checked(SYMBOLS[0])?;
    let (matches, rest) = rest.split_at_checked(SYMBOLS[1])?;
    let (distances, literals) = rest.split_at_checked(SYMBOLS[2])?;

    let literals = steps(STATES[3], literals, |i| Some((0, u32::try_from(i).ok()?)))?;
    let literal_end = header.checked_add(literal_bytes)?;
    let mut from = Backwards::new(data.get(header..literal_end)?, surplus(0)?)?;
    let mut states = [state(1, 0)?, state(1, 10)?, state(1, 20)?, state(1, 30)?];
    let mut plain = Vec::with_capacity(literal_count);
    while plain.len() < literal_count {
        for state in &mut states {
            plain.push(u8::try_from(from.value(&literals, state)?).ok()?);
        }
    }

    // What comes before a symbol is the sum of what the symbols before it reach.
    let ranged = |bits: &'static [u8]| {
        move |i: usize| {
            let reach = bits.get(..i)?.iter().try_fold(0u32, |n, b| n.checked_add(1u32.checked_shl(u32::from(*b))?));
            Some((u32::from(*bits.get(i)?), reach?))
        }
    };
    let runs = steps(STATES[0], runs, ranged(&RUN_BITS))?;
    let matches = steps(STATES[1], matches, ranged(&MATCH_BITS))?;
    let distances = steps(STATES[2], distances, |i| {
        let bits = |i: usize| u32::try_from(i / 4).ok();
        let reach = (0..i).try_fold(0u32, |n, i| n.checked_add(1u32.checked_shl(bits(i)?)?));
        Some((bits(i)?, reach?))
    })?;
    let match_end = literal_end.checked_add(match_bytes)?;
    let mut from = Backwards::new(data.get(literal_end..match_end)?, surplus(1)?)?;
    let (mut run, mut matched, mut far) = (state(2, 32)?, state(2, 42)?, state(2, 52)?);
    let (mut used, mut distance) = (0usize, 0usize);
    for _ in 0..match_count {
        let length = usize::try_from(from.value(&runs, &mut run)?).ok()?;
        let copied = usize::try_from(from.value(&matches, &mut matched)?).ok()?;
        let new = usize::try_from(from.value(&distances, &mut far)?).ok()?;
        if new > 0 {
            distance = new;
        }
        if out.len().checked_add(length)?.checked_add(copied)? > end {
            return None;
        }
        let until = used.checked_add(length)?;
        out.extend_from_slice(plain.get(used..until)?);
        used = until;
        if copied > 0 {
            let start = out.len().checked_sub(distance).filter(|_| distance > 0)?;
            for i in 0..copied {
                // A match may reach into what it makes.
                out.push(*out.get(start.checked_add(i)?)?);
            }
        }
    }
    Some(match_end)
}

#[cfg(test)]
mod tests {
    use super::{decode, frequencies};

    #[test]
    fn blocks_that_are_not_packed_by_entropy() {
        assert_eq!(decode(b"bvx$", 9).unwrap(), b"");
        assert_eq!(decode(b"bvx-\x03\0\0\0abcbvx$", 9).unwrap(), b"abc");
        let lzvn = b"bvxn\x04\0\0\0\x0b\0\0\0\x40\x01a\x06\0\0\0\0\0\0\0bvx$";
        assert_eq!(decode(lzvn, 9).unwrap(), b"aaaa");
        for bad in [&b"bvx-\x03\0\0\0abc"[..], b"bvx-\x03\0\0\0ab", b"bvx1", b"", b"bvx2\x04\0\0\0"] {
            assert_eq!(decode(bad, 9), None, "{bad:?}");
        }
        assert_eq!(decode(lzvn, 3), None, "more than allowed");
    }

    #[test]
    fn frequencies_of_every_length() {
        // 0, 1, 2, 3, 4, 7, 8, 23, 24, 1047, and zeros.
        let mut bits = String::new();
        let codes =
            ["00", "10", "001", "101", "00011", "11011", "00000111", "11110111", "00000000001111", "11111111111111"];
        for code in codes {
            bits.insert_str(0, code);
        }
        bits.insert_str(0, &"0".repeat(2 * (360 - codes.len())));
        let padded = format!("{:0>width$}", bits, width = bits.len().next_multiple_of(8));
        let bytes: Vec<u8> = padded
            .as_bytes()
            .rchunks(8)
            .map(|b| u8::from_str_radix(std::str::from_utf8(b).unwrap(), 2).unwrap())
            .collect();
        let found = frequencies(&bytes).unwrap();
        assert_eq!(found[..10], [0, 1, 2, 3, 4, 7, 8, 23, 24, 1047]);
        assert!(found[10..].iter().all(|f| *f == 0) && found.len() == 360);
        assert_eq!(frequencies(&bytes[..bytes.len() - 1]), None);
        assert_eq!(frequencies(&[&bytes[..], &[0, 0]].concat()), None);
        assert_eq!(frequencies(&[]).unwrap(), [0; 360]);
    }
}
