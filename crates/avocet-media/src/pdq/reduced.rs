//! The full-size hash from a picture of which only the means of 2 x 2, 4 x 4 or 8 x 8 pixels are known.
//!
//! Hashing the reduced plane as if it were the picture is not the same thing: the reference's windows are not centred,
//! and its samples are rounded down to whole pixels, so that both lie up to several pixels elsewhere at a quarter of the
//! scale. On some camera pictures that came to 16 bits. The filters are linear, though: each of the 64 x 64 values is a
//! weighted sum of the full picture's pixels. Here those weights are worked out for the full picture and summed over the
//! pixels that each mean stands for.

use super::filter::{sampled, span};
use super::transform::Small;

/// The 64 values along one side: for each, the first mean that counts and the weights from there on. `full` pixels are
/// known by the means of each `per` of them.
fn weights(full: usize, per: usize) -> Vec<(usize, Vec<f32>)> {
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

/// The picture at 64 x 64, from a plane of means whose rows are `width` long.
pub(super) fn to_64(plane: &[u8], width: usize, full: (usize, usize), per: usize) -> Small {
    let across = weights(full.0, per);
    let mut small = [[0.0; 64]; 64];
    let mut row = vec![0.0f32; width];
    for ((first, weights), to) in weights(full.1, per).iter().zip(&mut small) {
        row.fill(0.0);
        for (from, weight) in plane.chunks_exact(width).skip(*first).zip(weights) {
            row.iter_mut().zip(from).for_each(|(to, v)| *to += f32::from(*v) * weight);
        }
        for ((first, weights), to) in across.iter().zip(to) {
            let means = row.get(*first..).unwrap_or_default();
            *to = means.iter().zip(weights).map(|(m, w)| m * w).sum();
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With means of single pixels it is the reference's filter, but for rounding.
    #[test]
    fn means_of_one_pixel_give_the_filter_itself() {
        for (width, height) in [(65, 200), (300, 129), (1000, 751)] {
            let plane: Vec<u8> = (0..width * height).map(|i| (i * i / 7 + i / 3) as u8).collect();
            let mut rows = plane.chunks_exact(width);
            let expected = super::super::filter::to_64(width, height, |to| {
                to.iter_mut().zip(rows.next().unwrap()).for_each(|(to, v)| *to = f32::from(*v));
            });
            let got = to_64(&plane, width, (width, height), 1);
            for (a, b) in expected.as_flattened().iter().zip(got.as_flattened()) {
                assert!((a - b).abs() < 0.01, "{a} {b} {width} x {height}");
            }
        }
    }
}
