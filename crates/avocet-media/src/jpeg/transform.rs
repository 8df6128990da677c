//! From coefficients to samples, at four scales.
//!
//! The reduced scales give the mean of the 2 x 2, 4 x 4 or 8 x 8 samples that the full transform would give, before it
//! rounds and clips. Everything that a mean does not need is left out: at a quarter only the DC and the odd terms
//! count, and each coefficient is added to the four results where it is decoded, so that no block is ever stored.
//! Coefficients are named by their place in zigzag order, 0 to 63; places above 63 are ignored.

/// The place in the block, row * 8 + column, of each coefficient in zigzag order.
pub(super) const NATURAL: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// A quantisation table in zigzag order.
pub(super) type Quantisation = [u16; 64];

/// Takes the coefficients of one block and writes its samples.
pub(super) trait Block {
    /// What a component's table comes to at this scale.
    type Weights;
    fn weights(quantisation: &Quantisation) -> Self::Weights;
    fn new() -> Self;
    /// Adds a coefficient other than the first.
    fn add(&mut self, weights: &Self::Weights, place: u8, value: i16);
    /// Writes the samples: `to` begins with the block's first, rows are `stride` apart. `last` is the place of the last
    /// coefficient added, 0 if there was none.
    fn store(self, weights: &Self::Weights, dc: i32, last: u32, to: &mut [u8], stride: usize);
}

/// A block of which nothing is wanted.
pub(super) struct Skip;

impl Block for Skip {
    type Weights = ();
    fn weights(_: &Quantisation) {}
    #[inline(always)]
    fn new() -> Self {
        Skip
    }
    #[inline(always)]
    fn add(&mut self, (): &(), _: u8, _: i16) {}
    #[inline(always)]
    fn store(self, (): &(), _: i32, _: u32, _: &mut [u8], _: usize) {}
}

/// One sample: the mean of all 64.
pub(super) struct Eighth;

impl Block for Eighth {
    type Weights = f32;
    fn weights(quantisation: &Quantisation) -> f32 {
        dc_weight(quantisation)
    }
    #[inline(always)]
    fn new() -> Self {
        Eighth
    }
    #[inline(always)]
    fn add(&mut self, _: &f32, _: u8, _: i16) {}
    #[inline(always)]
    fn store(self, weight: &f32, dc: i32, _: u32, to: &mut [u8], _: usize) {
        if let Some(to) = to.first_mut() {
            *to = sample(dc as f32 * weight);
        }
    }
}

/// Two by two samples.
pub(super) struct Quarter([f32; 4]);

pub(super) struct QuarterWeights {
    dc: f32,
    /// What a coefficient adds to each of the four.
    each: [[f32; 4]; 256],
}

impl Block for Quarter {
    type Weights = QuarterWeights;

    fn weights(quantisation: &Quantisation) -> QuarterWeights {
        let mut each = [[0.0; 4]; 256];
        let halves: [[f64; 2]; 8] = std::array::from_fn(means::<2>);
        for ((to, step), natural) in each.iter_mut().zip(quantisation).zip(NATURAL) {
            let down = halves.get(usize::from(natural / 8)).copied().unwrap_or_default();
            let across = halves.get(usize::from(natural % 8)).copied().unwrap_or_default();
            let ([top, bottom], [left, right]) = (down, across);
            let step = f64::from(*step);
            *to = [top * left, top * right, bottom * left, bottom * right].map(|w| (w * step) as f32);
        }
        QuarterWeights { dc: dc_weight(quantisation), each }
    }

    #[inline(always)]
    fn new() -> Self {
        Quarter([0.0; 4])
    }

    #[inline(always)]
    fn add(&mut self, weights: &QuarterWeights, place: u8, value: i16) {
        let value = f32::from(value);
        if let Some(each) = weights.each.get(usize::from(place)) {
            self.0.iter_mut().zip(each).for_each(|(s, w)| *s += value * w);
        }
    }

    #[inline(always)]
    fn store(self, weights: &QuarterWeights, dc: i32, _: u32, to: &mut [u8], stride: usize) {
        let dc = dc as f32 * weights.dc;
        let [a, b, c, d] = self.0.map(|v| sample(v + dc));
        put([[a, b], [c, d]], to, stride);
    }
}

/// Four by four samples. The eight frequencies fold into four: the mean of two neighbours cannot tell frequency 7 from
/// 1, 6 from 2 and 5 from 3, and does not see 4.
pub(super) struct Half([f32; 16]);

pub(super) struct HalfWeights {
    dc: f32,
    /// Which of the sixteen folded coefficients this one adds to, and how much of it.
    fold: [(u8, f32); 256],
}

impl Block for Half {
    type Weights = HalfWeights;

    fn weights(quantisation: &Quantisation) -> HalfWeights {
        let mut fold = [(0, 0.0); 256];
        for ((to, step), natural) in fold.iter_mut().zip(quantisation).zip(NATURAL) {
            let (row, down) = folded(natural / 8);
            let (column, across) = folded(natural % 8);
            *to = (row * 4 + column, (down * across * f64::from(*step)) as f32);
        }
        HalfWeights { dc: dc_weight(quantisation), fold }
    }

    #[inline(always)]
    fn new() -> Self {
        Half([0.0; 16])
    }

    #[inline(always)]
    fn add(&mut self, weights: &HalfWeights, place: u8, value: i16) {
        if let Some((to, weight)) = weights.fold.get(usize::from(place))
            && let Some(to) = self.0.get_mut(usize::from(*to & 15))
        {
            *to += f32::from(value) * weight;
        }
    }

    #[inline(always)]
    fn store(self, weights: &HalfWeights, dc: i32, last: u32, to: &mut [u8], stride: usize) {
        let dc = dc as f32 * weights.dc;
        if last == 0 {
            put([[sample(dc); 4]; 4], to, stride);
            return;
        }
        let [mut a, b, c, d] = *self.0.as_chunks::<4>().0.as_array::<4>().unwrap_or(&[[0.0; 4]; 4]);
        a[0] += dc;
        // Columns of the folded block are rows of the result and the other way round: both ways are the same sums.
        let rows = transpose4(inverse4([a, b, c, d]));
        let rows = transpose4(inverse4(rows));
        put(samples(rows), to, stride);
    }
}

/// All 64 samples.
pub(super) struct Full([f32; 64]);

pub(super) struct FullWeights {
    dc: f32,
    /// Where a coefficient goes, rows and columns exchanged, and what it is multiplied by.
    place: [(u8, f32); 256],
}

impl Block for Full {
    type Weights = FullWeights;

    fn weights(quantisation: &Quantisation) -> FullWeights {
        let mut place = [(0, 0.0); 256];
        let scale = |frequency: u8| match frequency {
            0 => 1.0,
            n => std::f64::consts::SQRT_2 * (f64::from(n) * std::f64::consts::PI / 16.0).cos(),
        };
        for ((to, step), natural) in place.iter_mut().zip(quantisation).zip(NATURAL) {
            let (row, column) = (natural / 8, natural % 8);
            *to = (column * 8 + row, (f64::from(*step) * scale(row) * scale(column) / 8.0) as f32);
        }
        FullWeights { dc: dc_weight(quantisation), place }
    }

    #[inline(always)]
    fn new() -> Self {
        Full([0.0; 64])
    }

    #[inline(always)]
    fn add(&mut self, weights: &FullWeights, place: u8, value: i16) {
        if let Some((to, weight)) = weights.place.get(usize::from(place))
            && let Some(to) = self.0.get_mut(usize::from(*to & 63))
        {
            *to += f32::from(value) * weight;
        }
    }

    #[inline(always)]
    fn store(mut self, weights: &FullWeights, dc: i32, last: u32, to: &mut [u8], stride: usize) {
        let dc = dc as f32 * weights.dc;
        if last == 0 {
            put([[sample(dc); 8]; 8], to, stride);
            return;
        }
        self.0[0] += dc;
        full(&self.0, to, stride);
    }
}

#[inline(always)]
fn full(block: &[f32; 64], to: &mut [u8], stride: usize) {
    let rows = *block.as_chunks::<8>().0.as_array::<8>().unwrap_or(&[[0.0; 8]; 8]);
    let rows = inverse8(transpose8(inverse8(rows)));
    put(samples(rows), to, stride);
}

/// What the DC coefficient adds to every sample.
fn dc_weight(quantisation: &Quantisation) -> f32 {
    let [first, ..] = quantisation;
    f32::from(*first) / 8.0
}

/// The basis function of a frequency, averaged over `N` equal parts of its eight samples.
fn means<const N: usize>(frequency: usize) -> [f64; N] {
    let scale = if frequency == 0 { (1.0f64 / 8.0).sqrt() } else { 0.5 };
    let each = 8 / N;
    std::array::from_fn(|part| {
        let samples = (part * each..(part + 1) * each)
            .map(|x| ((2 * x + 1) as f64 * frequency as f64 * std::f64::consts::PI / 16.0).cos());
        scale * samples.sum::<f64>() / each as f64
    })
}

/// The folded frequency (0 to 3) of a frequency, and the share of it. The share of frequency 2 holds the cosine of 45
/// degrees, so that the transform multiplies for frequencies 1 and 3 only.
fn folded(frequency: u8) -> (u8, f64) {
    let share = 0.5 * (f64::from(frequency) * std::f64::consts::PI / 16.0).cos();
    match frequency {
        0 => (0, (1.0f64 / 8.0).sqrt()),
        1 | 3 => (frequency, share),
        2 => (2, share * std::f64::consts::FRAC_1_SQRT_2),
        4 => (0, 0.0),
        6 => (2, -share * std::f64::consts::FRAC_1_SQRT_2),
        _ => (8 - frequency, -share),
    }
}

/// A sample from its value around 0: 128 added, rounded, kept within 0 to 255. Adding 1.5 * 2^23 leaves the rounded
/// number in the lowest bits of the float, which needs no conversion of a checked kind.
#[inline(always)]
fn sample(value: f32) -> u8 {
    ((value + 128.0).clamp(0.0, 255.0) + 12_582_912.0).to_bits() as u8
}

/// All samples of a block, in a loop that becomes vectors.
#[inline(always)]
fn samples<const N: usize>(rows: [[f32; N]; N]) -> [[u8; N]; N] {
    let mut out = [[0; N]; N];
    for (to, value) in out.as_flattened_mut().iter_mut().zip(rows.as_flattened()) {
        *to = sample(*value);
    }
    out
}

#[inline(always)]
fn put<const N: usize>(rows: [[u8; N]; N], to: &mut [u8], stride: usize) {
    let mut rest = to;
    for row in rows {
        if let Some(to) = rest.first_chunk_mut::<N>() {
            *to = row;
        }
        rest = match std::mem::take(&mut rest).split_at_mut_checked(stride) {
            Some((_, below)) => below,
            None => return,
        };
    }
}

#[inline(always)]
fn plus<const N: usize>(mut a: [f32; N], b: [f32; N]) -> [f32; N] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

#[inline(always)]
fn minus<const N: usize>(mut a: [f32; N], b: [f32; N]) -> [f32; N] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a -= b);
    a
}

#[inline(always)]
fn times<const N: usize>(mut a: [f32; N], by: f32) -> [f32; N] {
    a.iter_mut().for_each(|a| *a *= by);
    a
}

/// The four-point transform of each column, frequencies scaled as [`folded`] says.
#[inline(always)]
fn inverse4([f0, f1, f2, f3]: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    const COS1: f32 = 0.923_879_5;
    const COS3: f32 = 0.382_683_43;
    let (outer, inner) = (plus(f0, f2), minus(f0, f2));
    let far = plus(times(f1, COS1), times(f3, COS3));
    let near = minus(times(f1, COS3), times(f3, COS1));
    [plus(outer, far), plus(inner, near), minus(inner, near), minus(outer, far)]
}

#[inline(always)]
fn transpose4([a, b, c, d]: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    [[a[0], b[0], c[0], d[0]], [a[1], b[1], c[1], d[1]], [a[2], b[2], c[2], d[2]], [a[3], b[3], c[3], d[3]]]
}

/// The eight-point transform of each column, by Arai, Agui and Nakajima ("A fast DCT-SQ scheme for images", 1988): five
/// multiplications, the rest of them folded into the weights.
#[inline(always)]
fn inverse8([f0, f1, f2, f3, f4, f5, f6, f7]: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
    const SQRT2: f32 = std::f32::consts::SQRT_2;
    let (sum04, diff04) = (plus(f0, f4), minus(f0, f4));
    let sum26 = plus(f2, f6);
    let diff26 = minus(times(minus(f2, f6), SQRT2), sum26);
    let (e0, e3) = (plus(sum04, sum26), minus(sum04, sum26));
    let (e1, e2) = (plus(diff04, diff26), minus(diff04, diff26));

    let (sum53, diff53) = (plus(f5, f3), minus(f5, f3));
    let (sum17, diff17) = (plus(f1, f7), minus(f1, f7));
    let o0 = plus(sum17, sum53);
    let turn = times(plus(diff53, diff17), 1.847_759_1);
    let o1 = minus(minus(turn, times(diff53, 2.613_126)), o0);
    let o2 = minus(times(minus(sum17, sum53), SQRT2), o1);
    let o3 = minus(minus(turn, times(diff17, 1.082_392_2)), o2);
    [plus(e0, o0), plus(e1, o1), plus(e2, o2), plus(e3, o3), minus(e3, o3), minus(e2, o2), minus(e1, o1), minus(e0, o0)]
}

#[inline(always)]
fn transpose8(rows: [[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let [a, b, c, d, e, f, g, h] = rows;
    macro_rules! column {
        ($i:literal) => {
            [a[$i], b[$i], c[$i], d[$i], e[$i], f[$i], g[$i], h[$i]]
        };
    }
    [column!(0), column!(1), column!(2), column!(3), column!(4), column!(5), column!(6), column!(7)]
}

/// A component's scale with its weights.
pub(super) enum Scale {
    Skip,
    Eighth(f32),
    Quarter(Box<QuarterWeights>),
    Half(Box<HalfWeights>),
    Full(Box<FullWeights>),
}

impl Scale {
    /// The scale that gives `side` samples a block each way; 0 for none at all.
    pub(super) fn new(side: usize, quantisation: &Quantisation) -> Scale {
        match side {
            0 => Scale::Skip,
            1 => Scale::Eighth(Eighth::weights(quantisation)),
            2 => Scale::Quarter(Box::new(Quarter::weights(quantisation))),
            4 => Scale::Half(Box::new(Half::weights(quantisation))),
            _ => Scale::Full(Box::new(Full::weights(quantisation))),
        }
    }

    /// The samples of a block that was stored.
    #[inline(always)]
    pub(super) fn stored(&self, block: &[i16; 64], to: &mut [u8], stride: usize) {
        match self {
            Scale::Skip => {}
            Scale::Eighth(w) => stored::<Eighth>(w, block, to, stride),
            Scale::Quarter(w) => stored::<Quarter>(w, block, to, stride),
            Scale::Half(w) => stored::<Half>(w, block, to, stride),
            Scale::Full(w) => stored::<Full>(w, block, to, stride),
        }
    }
}

#[inline(always)]
fn stored<B: Block>(weights: &B::Weights, block: &[i16; 64], to: &mut [u8], stride: usize) {
    let [dc, rest @ ..] = block;
    let mut out = B::new();
    let mut last = 0;
    for (place, value) in (1u8..).zip(rest) {
        if *value != 0 {
            out.add(weights, place, *value);
            last = u32::from(place);
        }
    }
    out.store(weights, i32::from(*dc), last, to, stride);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform by its definition (T.81 A.3.3), then the mean of each part.
    fn by_definition(block: &[i16; 64], quantisation: &Quantisation, side: usize) -> Vec<f64> {
        let mut natural = [0.0; 64];
        for k in 0..64 {
            natural[usize::from(NATURAL[k])] = f64::from(block[k]) * f64::from(quantisation[k]);
        }
        let basis: Vec<[f64; 8]> = (0..8).map(means::<8>).collect();
        let at = |y: usize, x: usize| -> f64 {
            (0..64).map(|n| natural[n] * basis[n / 8][y] * basis[n % 8][x]).sum::<f64>() + 128.0
        };
        let part = 8 / side;
        let mean = |r: usize, c: usize| {
            (0..part * part).map(|i| at(r * part + i / part, c * part + i % part)).sum::<f64>() / (part * part) as f64
        };
        (0..side * side).map(|i| mean(i / side, i % side)).collect()
    }

    #[test]
    fn every_scale_is_the_mean_of_the_full_transform() {
        let mut state = 7u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i32
        };
        for round in 0..400 {
            let quantisation: Quantisation = std::array::from_fn(|_| (next() % 40 + 1) as u16);
            let mut block = [0i16; 64];
            block[0] = (next() % 400 - 200) as i16;
            for _ in 0..round % 24 {
                block[(next() % 64) as usize] = (next() % 31 - 15) as i16;
            }
            for side in [1, 2, 4, 8] {
                let expected = by_definition(&block, &quantisation, side);
                let mut got = vec![0u8; 8 * 11];
                Scale::new(side, &quantisation).stored(&block, &mut got, 11);
                for (i, expected) in expected.iter().enumerate() {
                    let got = f64::from(got[i / side * 11 + i % side]);
                    let off = (got - expected.clamp(0.0, 255.0)).abs();
                    assert!(off < 0.502, "side {side} round {round} sample {i}: {got} for {expected}");
                }
            }
        }
    }
}
