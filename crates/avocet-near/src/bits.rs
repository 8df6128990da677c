//! The 256 bits of a hash in the order in which bands cut them.

use std::sync::LazyLock;

use avocet_base::PdqHash;

/// Bands take bits of the hash in strides of this. Neighbouring bits of a PDQ hash depend on each other (they are
/// neighbouring frequencies), so consecutive bits as a band would fill some buckets far above the mean; measured in
/// `docs/decisions/0009-near-match.md`. Any odd number visits all 256 bits once.
const STRIDE: usize = 37;

/// A hash, bits in the order of bands: bit `j` (of word `j / 64`) is bit `37 * j mod 256` of the hash, counted from
/// the lowest bit of the first byte. Distances are the same in both orders.
///
/// Aligned so that none lies across two cache lines.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C, align(32))]
pub(crate) struct Bits(pub(crate) [u64; 4]);

/// For each of the 64 half bytes of a hash and each of its 16 values, where its bits go.
static SPREAD: LazyLock<Vec<[Bits; 16]>> = LazyLock::new(|| {
    let mut place = [0usize; 256];
    for j in 0..256 {
        if let Some(p) = place.get_mut(STRIDE * j % 256) {
            *p = j;
        }
    }
    place
        .chunks_exact(4)
        .map(|four| {
            let mut value = 0u32;
            [(); 16].map(|()| {
                let mut bits = Bits([0; 4]);
                for (bit, to) in four.iter().enumerate() {
                    if value >> bit & 1 == 1 {
                        bits.set(*to);
                    }
                }
                value += 1;
                bits
            })
        })
        .collect()
});

impl Bits {
    fn set(&mut self, bit: usize) {
        if let Some(word) = self.0.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn or(self, other: &Bits) -> Bits {
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = other.0;
        Bits([a | e, b | f, c | g, d | h])
    }

    /// In the order of bands.
    pub(crate) fn of(hash: &PdqHash) -> Bits {
        let mut bits = Bits([0; 4]);
        for (byte, pair) in hash.0.iter().zip(SPREAD.chunks_exact(2)) {
            if let [low, high] = pair {
                // Both places exist: a half byte has 16 values.
                for (table, half) in [(low, byte & 15), (high, byte >> 4)] {
                    if let Some(spread) = table.get(usize::from(half)) {
                        bits = bits.or(spread);
                    }
                }
            }
        }
        bits
    }

    /// Back in the order of the hash.
    pub(crate) fn hash(&self) -> PdqHash {
        let mut bytes = [0u8; 32];
        for j in 0..256 {
            let set = self.0.get(j / 64).is_some_and(|word| word >> (j % 64) & 1 == 1);
            let at = STRIDE * j % 256;
            if let Some(byte) = bytes.get_mut(at / 8).filter(|_| set) {
                *byte |= 1 << (at % 8);
            }
        }
        PdqHash(bytes)
    }

    /// Where the two differ.
    #[inline(always)]
    pub(crate) fn xor(&self, other: &Bits) -> Bits {
        let [a, b, c, d] = self.0;
        let [e, f, g, h] = other.0;
        Bits([a ^ e, b ^ f, c ^ g, d ^ h])
    }

    /// How many bits are set.
    #[inline(always)]
    pub(crate) fn count(&self) -> u32 {
        let [a, b, c, d] = self.0;
        a.count_ones() + b.count_ones() + c.count_ones() + d.count_ones()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_has_a_place_of_its_own() {
        let mut seen = Bits([0; 4]);
        for bit in 0..256 {
            let mut bytes = [0u8; 32];
            bytes[bit / 8] = 1 << (bit % 8);
            let bits = Bits::of(&PdqHash(bytes));
            assert_eq!(bits.count(), 1);
            let place = (0..256).find(|j| bits.0[j / 64] >> (j % 64) & 1 == 1).unwrap();
            assert_eq!(37 * place % 256, bit);
            assert_eq!(bits.hash(), PdqHash(bytes));
            seen = seen.or(&bits);
        }
        assert_eq!(seen.0, [u64::MAX; 4]);
    }
}
