//! Scaling by area and turning upright.
//!
//! Every output pixel is the average of the source area that it covers, in fixed-point arithmetic: the same pixels give
//! the same bytes on every machine. Rows are summed first, in 16-bit lanes that the compiler turns into SIMD.

use crate::sys;

/// Rows of a source, without alpha.
pub(super) enum Rows<'a> {
    /// Rows as they are: the bytes, the distance between rows, and the bytes of a row.
    Plain(&'a [u8], usize, usize),
    /// RGBA rows of that many bytes, composed on mid-grey into the buffer.
    Alpha(&'a [u8], usize, Vec<u8>),
}

/// What shows through where a picture is transparent.
const MID_GREY: u16 = 128;

impl Rows<'_> {
    fn row(&mut self, y: usize) -> &[u8] {
        match self {
            Rows::Plain(bytes, stride, length) => {
                let start = y.saturating_mul(*stride);
                bytes.get(start..start.saturating_add(*length)).unwrap_or_default()
            }
            Rows::Alpha(bytes, length, composed) => {
                let start = y.saturating_mul(*length);
                let row = bytes.get(start..start.saturating_add(*length)).unwrap_or_default();
                let pixels = row.as_chunks::<4>().0;
                composed.resize(pixels.len() * 3, 0);
                for (out, [r, g, b, a]) in composed.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
                    *out = [r, g, b].map(|c| over_grey(*c, *a));
                }
                composed
            }
        }
    }
}

/// `(c * a + grey * (255 - a)) / 255`, rounded.
fn over_grey(c: u8, a: u8) -> u8 {
    // At most 255 * 255 + 127: all in 16 bits, so that the compiler can work on many at once.
    let (c, a) = (u16::from(c), u16::from(a));
    ((c * a + MID_GREY * (255 - a) + 127) / 255) as u8
}

/// For each output position along one side: the first source position and the weights of it and those that follow, which
/// sum to 256. Above 256 source positions for one output position some have the weight 0: they are sampled.
struct Weights {
    spans: Vec<(usize, std::ops::Range<usize>)>,
    weights: Vec<u16>,
}

impl Weights {
    fn new(source: usize, target: usize) -> Weights {
        let (s, t) = (source as u64, target as u64);
        let mut out = Weights { spans: Vec::with_capacity(target), weights: Vec::new() };
        for i in 0..t {
            // In units of 1/target of a source position: the output covers s of them, a source position t.
            let (from, to) = (i * s, (i + 1) * s);
            let start = out.weights.len();
            let mut given = 0u64;
            for j in from / t..to.div_ceil(t) {
                let covered = ((j + 1) * t).min(to) - from;
                // Rounding what has been given so far, not each weight, makes the sum exact.
                let until = (covered * 256 + s / 2) / s;
                out.weights.push(u16::try_from(until - given).unwrap_or(0));
                given = until;
            }
            out.spans.push((usize::try_from(from / t).unwrap_or(0), start..out.weights.len()));
        }
        out
    }

    fn of(&self, range: &std::ops::Range<usize>) -> &[u16] {
        self.weights.get(range.clone()).unwrap_or_default()
    }
}

/// Scales to exactly `target` (width, height), smaller or larger, both at least 1. `CH` interleaved channels, worked
/// on in `LANES` (at least as many: 4 for 3).
pub(super) fn scale<const CH: usize, const LANES: usize>(
    rows: Rows<'_>,
    source: (usize, usize),
    target: (usize, usize),
) -> Vec<u8> {
    sys::widest(Scaling::<CH, LANES> { rows, source, target })
}

struct Scaling<'a, const CH: usize, const LANES: usize> {
    rows: Rows<'a>,
    source: (usize, usize),
    target: (usize, usize),
}

impl<const CH: usize, const LANES: usize> sys::Loops for Scaling<'_, CH, LANES> {
    type Out = Vec<u8>;

    #[inline(always)]
    fn run(self) -> Vec<u8> {
        let Scaling { mut rows, source, target } = self;
        let across = Weights::new(source.0, target.0);
        let down = Weights::new(source.1, target.1);
        let mut wide = Vec::with_capacity(source.0);
        let mut sums = vec![0u16; source.0.saturating_mul(CH)];
        let mut out = Vec::with_capacity(target.0.saturating_mul(target.1).saturating_mul(CH));
        let mut tile = if CH == 1 { vec![[0; TILE]; source.0] } else { vec![] };
        for (row, (first, range)) in down.spans.iter().enumerate() {
            sums.fill(0);
            for (y, weight) in (*first..).zip(down.of(range)) {
                if *weight == 0 {
                    continue;
                }
                // At most 255 * 256 in all: fits.
                for (sum, byte) in sums.iter_mut().zip(rows.row(y)) {
                    *sum = sum.wrapping_add(weight.wrapping_mul(u16::from(*byte)));
                }
            }
            if CH == 1 {
                let lane = row % TILE;
                tile.iter_mut()
                    .zip(&sums)
                    .for_each(|(column, sum)| column.get_mut(lane).into_iter().for_each(|to| *to = *sum));
                if lane + 1 == TILE || row + 1 == target.1 {
                    across_grey(&tile, lane + 1, &across, &mut out);
                }
            } else {
                across_row::<CH, LANES>(&sums, &mut wide, &across, &mut out);
            }
        }
        out
    }
}

/// Rows of one channel that are worked on together.
const TILE: usize = 16;

/// The first `count` rows of a tile of one channel, summed downwards, to their pixels. In whole numbers: the sums are
/// below 2^24.
#[inline(always)]
fn across_grey(tile: &[[u16; TILE]], count: usize, across: &Weights, out: &mut Vec<u8>) {
    let (before, width) = (out.len(), across.spans.len());
    out.resize(before + count * width, 0);
    let to = out.get_mut(before..).unwrap_or_default();
    for (column, (first, range)) in across.spans.iter().enumerate() {
        let mut totals = [1u32 << 15; TILE];
        for (sums, weight) in tile.get(*first..).unwrap_or_default().iter().zip(across.of(range)) {
            let weight = u32::from(*weight);
            totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += u32::from(*sum) * weight);
        }
        let column = to.get_mut(column..).unwrap_or_default();
        column.iter_mut().step_by(width).zip(totals).for_each(|(to, total)| *to = (total >> 16) as u8);
    }
}

/// One row, summed downwards, to its pixels. In floating point, because that is what every x86-64 processor multiplies
/// four at a time: all values are whole numbers of at most 255 * 256 * 256, below 2^24, so nothing is rounded before the
/// end.
#[inline(always)]
fn across_row<const CH: usize, const LANES: usize>(
    sums: &[u16],
    wide: &mut Vec<[f32; LANES]>,
    across: &Weights,
    out: &mut Vec<u8>,
) {
    // The sum of an f32 below 2^23 and 2^23 has no fraction: its lowest bits are the nearest whole number.
    const WHOLE: f32 = 8_388_608.0;
    wide.clear();
    wide.extend(sums.as_chunks::<CH>().0.iter().map(|pixel| {
        let mut lanes = [0.0; LANES];
        lanes.iter_mut().zip(pixel).for_each(|(lane, v)| *lane = f32::from(*v));
        lanes
    }));
    for (first, range) in &across.spans {
        let mut total = [0.0f32; LANES];
        for (pixel, weight) in wide.get(*first..).unwrap_or_default().iter().zip(across.of(range)) {
            let weight = f32::from(*weight);
            for (t, lane) in total.iter_mut().zip(pixel) {
                *t += lane * weight;
            }
        }
        let whole = total.map(|t| (t * (1.0 / 65_536.0) + WHOLE).to_bits() as u8);
        out.extend(whole.iter().take(CH));
    }
}

/// Whether an EXIF orientation exchanges width and height.
pub(super) fn exchanges(orientation: u8) -> bool {
    (5..=8).contains(&orientation)
}

/// Turns a picture of `width * height` upright, as EXIF tag 0x0112 (orientation) says: 2 mirrored, 3 turned by 180
/// degrees, 4 upside down, 5 mirrored along the falling diagonal, 6 to be turned clockwise, 7 mirrored along the rising
/// diagonal, 8 to be turned anticlockwise. Anything else stays as it is.
pub(super) fn turn<const CH: usize>(bytes: Vec<u8>, width: usize, height: usize, orientation: u8) -> Vec<u8> {
    if !(2..=8).contains(&orientation) {
        return bytes;
    }
    let pixels = bytes.as_chunks::<CH>().0;
    let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
    let (out_width, out_height) = if exchanges(orientation) { (height, width) } else { (width, height) };
    let mut out = vec![0; bytes.len()];
    for (y, row) in out.as_chunks_mut::<CH>().0.chunks_exact_mut(out_width.max(1)).take(out_height).enumerate() {
        // Where in the source this row begins, and whether it runs along a source row or down a column, to or fro.
        let (sx, sy, backwards) = match orientation {
            2 => (0, y, true),
            3 => (0, bottom.saturating_sub(y), true),
            4 => (0, bottom.saturating_sub(y), false),
            5 => (y, 0, false),
            6 => (y, 0, true),
            7 => (right.saturating_sub(y), 0, true),
            _ => (right.saturating_sub(y), 0, false),
        };
        let along = pixels.get(sy.saturating_mul(width).saturating_add(sx)..).unwrap_or_default();
        let step = if exchanges(orientation) { width.max(1) } else { 1 };
        let from = along.iter().step_by(step).take(out_width);
        if backwards {
            row.iter_mut().rev().zip(from).for_each(|(to, from)| *to = *from);
        } else {
            row.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_256_and_stay_inside_for_every_pair_of_sizes() {
        let sizes = (1..=40).chain([95, 96, 97, 399, 400, 401, 756, 1008, 4000, 65_535, 200_000]);
        for source in sizes {
            for target in [1, 2, 3, 7, 96, 100, 300, 399, 400] {
                let weights = Weights::new(source, target);
                assert_eq!(weights.spans.len(), target);
                for (first, range) in &weights.spans {
                    let of = weights.of(range);
                    assert_eq!(of.iter().map(|w| u32::from(*w)).sum::<u32>(), 256, "{source} to {target}");
                    assert!(first + of.len() <= source, "{source} to {target}");
                }
            }
        }
    }

    /// The mean over the covered area, from the definition and in floating point.
    fn exact(source: &[u8], (width, height): (usize, usize), (x, y): (usize, usize), target: (usize, usize)) -> f64 {
        let cover = |from: f64, to: f64, i: usize| (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0);
        let edge = |i: usize, s: usize, t: usize| i as f64 * s as f64 / t as f64;
        let (left, right) = (edge(x, width, target.0), edge(x + 1, width, target.0));
        let (top, bottom) = (edge(y, height, target.1), edge(y + 1, height, target.1));
        let mut sum = 0.0;
        for sy in 0..height {
            for sx in 0..width {
                let area = cover(left, right, sx) * cover(top, bottom, sy);
                sum += area * f64::from(source[sy * width + sx]);
            }
        }
        sum / ((right - left) * (bottom - top))
    }

    #[test]
    fn scaling_is_the_area_mean_within_two_levels() {
        let mut seed = 7u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let (mut worst, mut total, mut cases) = (0.0f64, 0.0, 0u32);
        for (source, target) in [((64, 48), (24, 18)), ((37, 91), (15, 36)), ((5, 3), (96, 58)), ((1, 200), (1, 33))] {
            let bytes: Vec<u8> = (0..source.0 * source.1).map(|_| noise()).collect();
            let scaled = scale::<1, 1>(Rows::Plain(&bytes, source.0, source.0), source, target);
            for (i, got) in scaled.iter().enumerate() {
                let error = f64::from(*got) - exact(&bytes, source, (i % target.0, i / target.0), target);
                (worst, total, cases) = (worst.max(error.abs()), total + error, cases + 1);
            }
        }
        // Two weights of 8 bits each: an error of up to about two levels in a noise of full range, and none on average.
        assert!(worst <= 2.0, "{worst}");
        assert!((total / f64::from(cases)).abs() < 0.05, "{total} over {cases}");
    }

    #[test]
    fn composition_is_the_rounded_mean() {
        for a in 0..=255u8 {
            for c in 0..=255u8 {
                let exact = (f64::from(c) * f64::from(a) + 128.0 * (255.0 - f64::from(a))) / 255.0;
                assert!((f64::from(over_grey(c, a)) - exact).abs() <= 0.5 + 1e-9, "{c} {a}");
            }
        }
    }
}
