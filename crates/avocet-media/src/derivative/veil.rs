//! The blur of veiled pictures.
//!
//! A box of 15 pixels, four times in each direction, over a picture whose long side is 96, mirrored at its edges. A box
//! of `w` pixels keeps `sin(pi f w / L) / (w sin(pi f / L))` of a wave of `f` cycles along `L` pixels; four of them keep
//! its fourth power. Mirrored edges make that exact for every cosine wave of the picture. From 6 cycles along the long
//! side upward at most 0.25 % of any wave is left, in any direction, so everything finer is gone below the rounding to
//! 8 bits. What remains is where a picture is light and where it is dark.

/// Pixels of the box; odd, so that it has a middle.
const BOX: usize = 15;
const PASSES: usize = 4;

/// Blurs a grey picture.
pub(super) fn blur(grey: &[u8], width: usize, height: usize) -> Vec<u8> {
    // Eight more bits between the passes, or their rounding would add up to visible steps.
    let wide: Vec<u16> = grey.iter().map(|v| u16::from(*v) << 8).collect();
    let across = transpose(&blur_rows(wide, width), width);
    let both = transpose(&blur_rows(across, height), height);
    both.iter().map(|v| u8::try_from((u32::from(*v) + 128) >> 8).unwrap_or(u8::MAX)).collect()
}

fn blur_rows(mut values: Vec<u16>, width: usize) -> Vec<u16> {
    let places: Vec<usize> = (0..width + BOX - 1).map(|i| mirrored(i, width)).collect();
    let mut extended = Vec::with_capacity(places.len());
    for row in values.chunks_exact_mut(width.max(1)) {
        for _ in 0..PASSES {
            extended.clear();
            extended.extend(places.iter().map(|at| row.get(*at).copied().unwrap_or(0)));
            // The sum of the box, moved on by one pixel at a time.
            let mut sum: u32 = extended.iter().take(BOX - 1).map(|v| u32::from(*v)).sum();
            for ((out, enters), leaves) in row.iter_mut().zip(extended.iter().skip(BOX - 1)).zip(&extended) {
                sum += u32::from(*enters);
                *out = u16::try_from((sum + BOX as u32 / 2) / BOX as u32).unwrap_or(u16::MAX);
                sum -= u32::from(*leaves);
            }
        }
    }
    values
}

/// The position that place `i` of the extended row stands for: half a box before the row, mirrored with the edge pixel
/// repeated, as often as needed.
fn mirrored(i: usize, width: usize) -> usize {
    let period = 2 * width;
    let at = (i + period * BOX - BOX / 2) % period;
    if at < width { at } else { period - 1 - at }
}

fn transpose(values: &[u16], width: usize) -> Vec<u16> {
    (0..width).flat_map(|x| values.iter().skip(x).step_by(width.max(1)).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_repeat_the_edge_at_every_width() {
        let at = |width| (0..BOX + 3).map(|i| mirrored(i, width)).collect::<Vec<_>>();
        assert_eq!(at(1), [0; 18]);
        assert_eq!(at(3), [0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1, 2, 2, 1]);
        assert_eq!(at(96)[..9], [6, 5, 4, 3, 2, 1, 0, 0, 1]);
    }

    #[test]
    fn a_flat_picture_stays_and_a_dot_goes_into_the_flat() {
        assert_eq!(blur(&[200; 6], 3, 2), [200; 6]);
        let mut dot = vec![0; 96 * 96];
        dot[96 * 48 + 48] = 255;
        assert!(blur(&dot, 96, 96).iter().all(|v| *v <= 1));
    }
}
