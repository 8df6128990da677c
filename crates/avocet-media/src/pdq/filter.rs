//! From any size to 64 x 64: two box filters along rows and columns, then every n-th value.
//!
//! The rule and the order of the sums are those of the published reference, `pdq/cpp/downscaling/downscaling.cpp` of
//! <https://github.com/facebook/ThreatExchange>, Copyright (c) Facebook, Inc. and its affiliates, BSD licence (whole
//! text in `transform.rs`). The way through memory is ours: eight rows at a time side by side, columns row by row with
//! only a window of rows held, and in the second round only the 64 columns and 64 rows that are sampled in the end.
//! Each sum still meets its values in the reference's order, so that the result is the same to the last bit.

use super::transform::Small;

/// Rows worked on together: two vectors of four on any x86-64.
const LANES: usize = 8;

type Lanes = [f32; LANES];

/// The picture at 64 x 64. `next_row` fills in one row after another, `height` times.
pub(super) fn to_64(width: usize, height: usize, mut next_row: impl FnMut(&mut [f32])) -> Small {
    let mut small = [[0.0; 64]; 64];
    if width == 64 && height == 64 {
        small.iter_mut().for_each(|row| next_row(row));
        return small;
    }
    let along_rows = window(width);
    let mut narrow = Narrow::new(width, height);
    let mut columns = Columns::new(width, window(height), &mut narrow);
    let mut rows: [Vec<f32>; LANES] = std::array::from_fn(|_| vec![0.0; width]);
    let mut side_by_side = vec![[0.0; LANES]; width];
    let mut filtered = vec![[0.0; LANES]; width];
    let mut left = height;
    while left > 0 {
        let now = left.min(LANES);
        rows.iter_mut().take(now).for_each(|row| next_row(row));
        to_lanes(&rows, &mut side_by_side);
        let mut to = filtered.iter_mut();
        box_filter(&side_by_side, along_rows, |sum, count| {
            if let Some(to) = to.next() {
                *to = sum.map(|s| s / count);
            }
        });
        from_lanes(&filtered, &mut rows);
        rows.iter().take(now).for_each(|row| columns.push(row));
        left -= now;
    }
    columns.finish();
    narrow.finish(window(height), &mut small);
    small
}

/// The window of one pass: half a block of the 64, rounded up.
fn window(side: usize) -> usize {
    side.div_ceil(128)
}

/// How many values before the centre's right edge are read without writing.
fn lead(window: usize) -> usize {
    (window + 2) / 2 - 1
}

/// The values that one pass takes the mean of for the value at `at`, of a row of `side` values.
pub(super) fn span(at: usize, side: usize) -> std::ops::Range<usize> {
    let end = at + lead(window(side)) + 1;
    end.saturating_sub(window(side))..end.min(side)
}

/// Which values stand for the 64 places.
pub(super) fn sampled(side: usize) -> impl Iterator<Item = usize> {
    (0..64u32).map(move |i| ((f64::from(i) + 0.5) * side as f64 / 64.0) as usize)
}

/// The running sums of a box filter over `values`, each with its count of values: small at both ends, the window's
/// length between them.
#[inline(always)]
fn box_filter<const N: usize>(values: &[[f32; N]], window: usize, mut emit: impl FnMut(&[f32; N], f32)) {
    let mut sum = [0.0f32; N];
    let mut count = 0.0f32;
    for value in values.iter().take(lead(window)) {
        plus(&mut sum, value);
        count += 1.0;
    }
    for value in values.iter().take(window).skip(lead(window)) {
        plus(&mut sum, value);
        count += 1.0;
        emit(&sum, count);
    }
    for (value, old) in values.iter().skip(window).zip(values) {
        plus(&mut sum, value);
        minus(&mut sum, old);
        emit(&sum, count);
    }
    for old in values.iter().skip(values.len().saturating_sub(window)).take(lead(window)) {
        minus(&mut sum, old);
        count -= 1.0;
        emit(&sum, count);
    }
}

#[inline(always)]
fn plus(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(s, v)| *s += v);
}

#[inline(always)]
fn minus(sum: &mut [f32], values: &[f32]) {
    sum.iter_mut().zip(values).for_each(|(s, v)| *s -= v);
}

/// Eight rows side by side.
fn to_lanes(rows: &[Vec<f32>; LANES], lanes: &mut [Lanes]) {
    let [a, b, c, d, e, f, g, h] = rows;
    let left = a.iter().zip(b).zip(c.iter().zip(d));
    let right = e.iter().zip(f).zip(g.iter().zip(h));
    for (to, (((a, b), (c, d)), ((e, f), (g, h)))) in lanes.iter_mut().zip(left.zip(right)) {
        *to = [*a, *b, *c, *d, *e, *f, *g, *h];
    }
}

/// And back.
fn from_lanes(lanes: &[Lanes], rows: &mut [Vec<f32>; LANES]) {
    let [a, b, c, d, e, f, g, h] = rows;
    let left = a.iter_mut().zip(b).zip(c.iter_mut().zip(d));
    let right = e.iter_mut().zip(f).zip(g.iter_mut().zip(h));
    for (from, (((a, b), (c, d)), ((e, f), (g, h)))) in lanes.iter().zip(left.zip(right)) {
        [*a, *b, *c, *d, *e, *f, *g, *h] = *from;
    }
}

/// The first filter along columns, row by row, with only the window's rows held.
struct Columns<'a> {
    window: usize,
    seen: usize,
    sum: Vec<f32>,
    /// The last `window` rows, row `n` in place `n % window`.
    ring: Vec<Vec<f32>>,
    next: &'a mut Narrow,
}

impl<'a> Columns<'a> {
    fn new(width: usize, window: usize, next: &'a mut Narrow) -> Self {
        Columns { window, seen: 0, sum: vec![0.0; width], ring: vec![vec![0.0; width]; window], next }
    }

    fn push(&mut self, row: &[f32]) {
        let full = self.seen >= self.window;
        let Some(old) = self.ring.get_mut(self.seen % self.window) else { return };
        self.seen += 1;
        if full {
            let count = self.window as f32;
            let out = self.next.row();
            for (((s, old), new), out) in self.sum.iter_mut().zip(old).zip(row).zip(out) {
                *s += new;
                *s -= *old;
                *old = *new;
                *out = *s / count;
            }
            self.next.filled();
            return;
        }
        plus(&mut self.sum, row);
        old.copy_from_slice(row);
        if self.seen > lead(self.window) {
            self.emit(self.seen);
        }
    }

    fn emit(&mut self, count: usize) {
        let count = count as f32;
        self.next.row().iter_mut().zip(&self.sum).for_each(|(out, s)| *out = s / count);
        self.next.filled();
    }

    fn finish(mut self) {
        let first = self.seen.saturating_sub(self.window);
        for gone in 0..lead(self.window) {
            if let Some(old) = self.ring.get((first + gone) % self.window) {
                minus(&mut self.sum, old);
            }
            self.emit(self.window - gone - 1);
        }
        self.next.flush();
    }
}

/// The second filter along rows, of which only the sampled columns are kept.
struct Narrow {
    window: usize,
    sampled: Vec<usize>,
    waiting: usize,
    rows: [Vec<f32>; LANES],
    side_by_side: Vec<Lanes>,
    kept: Vec<[f32; 64]>,
}

impl Narrow {
    fn new(width: usize, height: usize) -> Self {
        Narrow {
            window: window(width),
            sampled: sampled(width).collect(),
            waiting: 0,
            rows: std::array::from_fn(|_| vec![0.0; width]),
            side_by_side: vec![[0.0; LANES]; width],
            kept: Vec::with_capacity(height),
        }
    }

    /// Where the next row goes; then call [`Narrow::filled`].
    fn row(&mut self) -> &mut [f32] {
        self.rows.get_mut(self.waiting).map_or(&mut [], Vec::as_mut_slice)
    }

    fn filled(&mut self) {
        self.waiting += 1;
        if self.waiting == LANES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let mut kept = [[0.0; 64]; LANES];
        to_lanes(&self.rows, &mut self.side_by_side);
        let mut wanted = self.sampled.iter().enumerate().peekable();
        let mut at = 0;
        box_filter(&self.side_by_side, self.window, |sum, count| {
            while let Some((place, _)) = wanted.next_if(|(_, x)| **x == at) {
                for (row, s) in kept.iter_mut().zip(sum) {
                    if let Some(cell) = row.get_mut(place) {
                        *cell = s / count;
                    }
                }
            }
            at += 1;
        });
        self.kept.extend(kept.iter().take(self.waiting));
        self.waiting = 0;
    }

    /// The second filter along columns, of which only the sampled rows are kept.
    fn finish(self, window: usize, small: &mut Small) {
        let mut wanted = sampled(self.kept.len()).zip(small).peekable();
        let mut at = 0;
        box_filter(&self.kept, window, |sum, count| {
            while let Some((_, row)) = wanted.next_if(|(y, _)| *y == at) {
                *row = sum.map(|s| s / count);
            }
            at += 1;
        });
    }
}
