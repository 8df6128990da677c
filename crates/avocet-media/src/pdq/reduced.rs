//! Both forms of the hash from the brightness of a JPEG, of which perhaps only the means of 2 x 2, 4 x 4 or 8 x 8 pixels
//! are known.
//!
//! Hashing a reduced plane as if it were the picture is not the same thing: the reference's windows are not centred,
//! and its samples are rounded down to whole pixels, so that both lie up to several pixels elsewhere at a quarter of the
//! scale. On some camera pictures that came to 16 bits. The filters are linear, though: each of the 64 x 64 values is a
//! weighted sum of the full picture's pixels. Here those weights are worked out for the full picture and summed over the
//! pixels that each mean stands for; for the second form the weights that make the picture fit 512 x 512 are put through
//! them first. So either form meets each mean once or twice and nothing is stored between. Only the order of the sums
//! differs from `filter.rs`, and that the second form's values are not kept within 0 to 255 before they are averaged.

use super::filter::{sampled, span};
use super::thumbnail::Taps;
use super::transform::Small;
use crate::sys;

/// For each of the 64 values along a side, the first mean that counts and the weights from there on.
pub(super) type Weights = Vec<(usize, Vec<f32>)>;

/// The 64 values along one side: for each, the first mean that counts and the weights from there on. `full` pixels are
/// known by the means of each `per` of them.
pub(super) fn weights(full: usize, per: usize) -> Weights {
    let of_value = |at: usize| {
        // A box over boxes: the outer one's places, each spreading its share over an inner one.
        let outer = span(at, full);
        let first = span(outer.start, full).start;
        let end = span(outer.end.saturating_sub(1), full).end;
        let first_mean = first / per;
        let mut sums = vec![0.0f64; end.div_ceil(per).saturating_sub(first_mean)];
        for place in outer.clone() {
            let inner = span(place, full);
            let share = 1.0 / (outer.len() * inner.len()) as f64;
            for pixel in inner {
                if let Some(sum) = sums.get_mut(pixel / per - first_mean) {
                    *sum += share;
                }
            }
        }
        (first_mean, sums.into_iter().map(|s| s as f32).collect())
    };
    sampled(full).map(of_value).collect()
}

/// The 64 values along one side of the second form, whose values are made from the means by `taps`.
pub(super) fn weights_512(taps: &Taps) -> Weights {
    let of_value = |(first, shares): (usize, Vec<f32>)| {
        let made = || taps.taps.iter().skip(first).zip(&shares);
        let start = made().map(|((first, _), _)| *first).min().unwrap_or(0);
        let end = made().map(|((first, weights), _)| first + weights.len()).max().unwrap_or(0);
        let mut sums = vec![0.0f32; end.saturating_sub(start)];
        for ((first, weights), share) in made() {
            let to = sums.iter_mut().skip(first - start);
            to.zip(weights).for_each(|(to, weight)| *to += weight * share);
        }
        (start, sums)
    };
    weights(taps.taps.len(), 1).into_iter().map(of_value).collect()
}

/// Rows of the 64 that are worked out together.
const LANES: usize = 16;

/// The picture at 64 x 64, from a plane of means whose rows are `width` long.
pub(super) fn to_64(plane: &[u8], width: usize, across: &Weights, down: &Weights) -> Small {
    sys::widest(InLanes { plane, width, across, down })
}

struct InLanes<'a> {
    plane: &'a [u8],
    width: usize,
    across: &'a Weights,
    down: &'a Weights,
}

impl sys::Loops for InLanes<'_> {
    type Out = Small;

    #[inline(always)]
    fn run(self) -> Small {
        let InLanes { plane, width, across, down } = self;
        let mut small = [[0.0; 64]; 64];
        let mut row = vec![0.0f32; width];
        let mut side_by_side = vec![[0.0f32; LANES]; width];
        for (down, to) in down.chunks(LANES).zip(small.chunks_mut(LANES)) {
            for (lane, (first, weights)) in down.iter().enumerate() {
                row.fill(0.0);
                for (from, weight) in plane.chunks_exact(width).skip(*first).zip(weights) {
                    row.iter_mut().zip(from).for_each(|(to, v)| *to += f32::from(*v) * weight);
                }
                for (lanes, value) in side_by_side.iter_mut().zip(&row) {
                    if let Some(to) = lanes.get_mut(lane) {
                        *to = *value;
                    }
                }
            }
            for (column, (first, weights)) in across.iter().enumerate() {
                let mut sums = [0.0f32; LANES];
                for (lanes, weight) in side_by_side.get(*first..).unwrap_or_default().iter().zip(weights) {
                    sums.iter_mut().zip(lanes).for_each(|(sum, mean)| *sum += mean * weight);
                }
                for (to, sum) in to.iter_mut().filter_map(|row| row.get_mut(column)).zip(sums) {
                    *to = sum;
                }
            }
        }
        small
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With means of single pixels it is the reference's filter, but for rounding.
    #[test]
    fn means_of_one_pixel_give_the_filter_itself() {
        for (width, height) in [(5, 5), (7, 63), (64, 64), (65, 200), (300, 129), (1000, 751)] {
            let plane: Vec<u8> = (0..width * height).map(|i| (i * i / 7 + i / 3) as u8).collect();
            let mut rows = plane.chunks_exact(width);
            let expected = super::super::filter::to_64(width, height, |to| {
                to.iter_mut().zip(rows.next().unwrap()).for_each(|(to, v)| *to = f32::from(*v));
            });
            let got = to_64(&plane, width, &weights(width, 1), &weights(height, 1));
            for (a, b) in expected.as_flattened().iter().zip(got.as_flattened()) {
                assert!((a - b).abs() < 0.01, "{a} {b} {width} x {height}");
            }
        }
    }
    /// Where nothing has to be kept within 0 to 255, it is the second form made and then hashed.
    #[test]
    fn the_second_form_at_once_is_the_second_form_step_by_step() {
        for (width, height) in [(513u32, 40), (700, 1201), (1600, 1067)] {
            let at = |i: u32| {
                128.0 + 40.0 * (i % width) as f32 / width as f32 * if i / width % 90 < 45 { 1.0 } else { -1.0 }
            };
            let plane: Vec<u8> = (0..width * height).map(|i| at(i) as u8).collect();
            let luma = super::super::Luma::from_grey(width, height, &plane).unwrap();
            let made = super::super::thumbnail_512(&luma, (width, height)).unwrap();
            let mut rows = made.data().chunks_exact(made.width() as usize);
            let expected = super::super::filter::to_64(made.width() as usize, made.height() as usize, |to| {
                to.copy_from_slice(rows.next().unwrap());
            });
            let (across, down) = super::super::thumbnail::taps((width, height), (width, height)).unwrap();
            let got = to_64(&plane, width as usize, &weights_512(&across), &weights_512(&down));
            for (a, b) in expected.as_flattened().iter().zip(got.as_flattened()) {
                assert!((a - b).abs() < 0.01, "{a} {b} {width} x {height}");
            }
        }
    }
}
