//! How the 256 bits are cut into bands, and how far to look in each for a given radius.

use super::MAX_RADIUS;

/// What a step costs, in nanoseconds, as measured by `examples/near_rate.rs` on one processor. They choose between
/// ways that give the same answer, so a processor on which they are wrong is slower and not wrong.
const PROBE: f64 = 9.0;
const CANDIDATE: f64 = 12.0;
const SCAN: f64 = 1.0;
const START: f64 = 500.0;

/// Tables of so many bytes are allowed whatever the number of hashes.
const SMALL: u64 = 16 << 20;

/// The fewest and most bands that can be asked for: bands of 28 or 29 bits down to 10 or 11.
pub(crate) const FEWEST: u8 = 9;
pub(crate) const MOST: u8 = 24;

/// One band: `width` bits from bit `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Band {
    pub(crate) start: u32,
    pub(crate) width: u32,
}

impl Band {
    /// The bits of this band as a number below `2^width`.
    #[inline(always)]
    pub(crate) fn key(&self, bits: &super::Bits) -> u32 {
        let word = (self.start / 64) as usize;
        let shift = self.start % 64;
        let low = bits.0.get(word).copied().unwrap_or(0) >> shift;
        // The part in the next word, where there is one; shifted in two steps, since by 64 at once is not possible.
        let high = bits.0.get(word + 1).copied().unwrap_or(0) << 1 << (63 - shift);
        (low | high) as u32 & ((1 << self.width) - 1)
    }
}

/// `count` bands of as equal width as 256 allows, side by side.
pub(crate) fn cut(count: u8) -> Vec<Band> {
    let count = u32::from(count.max(1));
    let mut start = 0;
    (0..count)
        .map(|i| {
            let width = 256 / count + u32::from(i < 256 % count);
            let band = Band { start, width };
            start += width;
            band
        })
        .collect()
}

/// In which bands to look, and at up to how many changed bits in each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// (band, changed bits).
    pub(crate) steps: Vec<(usize, u32)>,
    /// The expected cost for evenly spread hashes, nanoseconds.
    pub(crate) cost: f64,
}

/// The cheapest plan that misses nothing within `radius`: looking at up to `t` changed bits in a band excludes
/// `t + 1` of the differences a neighbour must have to stay unseen, so `radius + 1` such exclusions are enough.
/// Each is bought where the next one costs least; that is optimal, since within a band each costs more than the one before.
pub(crate) fn plan(bands: &[Band], hashes: usize, radius: u32) -> Plan {
    // For each band how many exclusions were bought, and what the next costs.
    let next_cost = |band: &Band, bought: u32| {
        let probes = (0..bought).fold(1.0, |c, i| c * f64::from(band.width - i.min(band.width)) / f64::from(i + 1));
        probes * (PROBE + CANDIDATE * hashes as f64 / f64::from(band.width).exp2())
    };
    let mut bought: Vec<(u32, f64)> = bands.iter().map(|b| (0, next_cost(b, 0))).collect();
    let mut cost = START;
    for _ in 0..=radius {
        // The first of the cheapest.
        let cheapest = bought.iter_mut().zip(bands).reduce(|best, b| if b.0.1 < best.0.1 { b } else { best });
        if let Some((state, band)) = cheapest {
            cost += state.1;
            state.0 += 1;
            state.1 = next_cost(band, state.0);
        }
    }
    let steps = bought.iter().enumerate().filter_map(|(i, (n, _))| Some((i, n.checked_sub(1)?))).collect();
    Plan { steps, cost }
}

/// What a scan of so many hashes costs, nanoseconds.
pub(crate) fn scan_cost(hashes: usize) -> f64 {
    SCAN * hashes as f64
}

/// Bytes of the tables of such bands, the hashes themselves not included.
pub(crate) fn table_bytes(bands: &[Band], hashes: usize) -> u64 {
    bands.iter().map(|b| ((1u64 << b.width) + hashes as u64) * 4).sum()
}

/// How many bands are best for so many hashes; `None` where the scan is.
pub(crate) fn choose(hashes: usize, radius: u32, bytes_per_hash: u32) -> Option<u8> {
    let room = u64::from(bytes_per_hash).saturating_sub(32).saturating_mul(hashes as u64).saturating_add(SMALL);
    (FEWEST..=MOST)
        .map(|count| (count, cut(count)))
        .filter(|(_, bands)| table_bytes(bands, hashes) <= room)
        .map(|(count, bands)| (count, plan(&bands, hashes, radius.min(MAX_RADIUS)).cost))
        .reduce(|best, next| if next.1 < best.1 { next } else { best })
        .filter(|(_, cost)| *cost < scan_cost(hashes))
        .map(|(count, _)| count)
}

/// All numbers below `2^width` with at most `ones` bits set, ascending: keys changed by them stay in one cache line
/// of the table for as long as possible.
pub(crate) fn masks(width: u32, ones: u32) -> Vec<u32> {
    let mut all = vec![0u32];
    let mut latest = vec![0u32];
    for _ in 0..ones {
        // Each mask of one bit more is made once: by adding a bit above its highest.
        latest = latest.iter().flat_map(|m| (32 - m.leading_zeros()..width).map(move |bit| m | 1 << bit)).collect();
        all.extend(&latest);
    }
    all.sort_unstable();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bits;

    #[test]
    fn bands_cover_every_bit_once() {
        for count in FEWEST..=MOST {
            let bands = cut(count);
            let mut covered = 0u32;
            for bit in 0..256 {
                let mut bits = Bits([0; 4]);
                bits.0[bit / 64] = 1 << (bit % 64);
                covered += bands.iter().map(|b| b.key(&bits).count_ones()).sum::<u32>();
            }
            assert_eq!(covered, 256);
            assert_eq!(bands.iter().map(|b| b.width).sum::<u32>(), 256);
        }
    }

    #[test]
    fn plans_exclude_one_more_than_the_radius() {
        for count in FEWEST..=MOST {
            for hashes in [0, 1, 1_000, 1_000_000, 10_000_000] {
                for radius in 0..=MAX_RADIUS {
                    let plan = plan(&cut(count), hashes, radius);
                    assert_eq!(plan.steps.iter().map(|(_, t)| t + 1).sum::<u32>(), radius + 1);
                }
            }
        }
    }

    #[test]
    fn masks_are_all_and_once() {
        for width in [1, 5, 12] {
            for ones in 0..4 {
                let expected: Vec<u32> = (0..1u32 << width).filter(|m| m.count_ones() <= ones).collect();
                assert_eq!(masks(width, ones), expected);
            }
        }
    }

    #[test]
    fn ten_million_take_eleven_bands_within_the_memory() {
        assert_eq!(choose(10_000_000, 31, 130), Some(11));
        assert!(table_bytes(&cut(11), 10_000_000) + 320_000_000 <= 1_300_000_000);
        assert_eq!(choose(1_000_000, 31, 130), Some(13));
        assert_eq!(choose(20_000, 31, 130), Some(16));
        assert_eq!(choose(1_000, 31, 130), None);
        assert_eq!(choose(0, 31, 130), None);
    }
}
