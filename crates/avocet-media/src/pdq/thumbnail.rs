//! The reference's second form: the picture made to fit 512 x 512, proportions kept, never enlarged.
//!
//! The sizes and the bicubic weights (a = -0.5, widened by the scale) are those of Pillow's `Image.thumbnail`, by whose
//! result the reference's own test is written. Values are not rounded to whole numbers between the steps as there.

use super::luma::Luma;

/// The longer side of the second form.
pub const THUMBNAIL_SIDE: u32 = 512;

/// The sides a picture of these sides is brought to; `None` where it fits as it is.
pub fn thumbnail_size(width: u32, height: u32) -> Option<(u32, u32)> {
    if width.max(height) <= THUMBNAIL_SIDE || width.min(height) == 0 {
        return None;
    }
    let side = f64::from(THUMBNAIL_SIDE);
    let aspect = f64::from(width) / f64::from(height);
    // The neighbouring whole number that keeps the proportions best; the lower one where both are as good.
    let nearest = |exact: f64, off: &dyn Fn(f64) -> f64| {
        let (low, high) = (exact.floor(), exact.ceil());
        (if off(high) < off(low) { high } else { low }).max(1.0) as u32
    };
    Some(if aspect <= 1.0 {
        (nearest(side * aspect, &|n| (aspect - n / side).abs()), THUMBNAIL_SIDE)
    } else {
        (THUMBNAIL_SIDE, nearest(side / aspect, &|n| if n == 0.0 { 0.0 } else { (aspect - side / n).abs() }))
    })
}

/// The second form of a picture. `full` are the sides of the whole picture where `luma` was decoded at a reduced
/// scale, else its own. `None` where the picture fits 512 x 512 as it is: then both forms are the same.
pub fn thumbnail_512(luma: &Luma, full: (u32, u32)) -> Option<Luma> {
    let (across, down) = taps((luma.width(), luma.height()), full)?;
    let width = luma.width() as usize;
    let (to_width, to_height) = (across.taps.len(), down.taps.len());
    let mut data = Vec::with_capacity(to_width * to_height);
    let mut row = vec![0.0f32; width];
    for (first, weights) in &down.taps {
        row.fill(0.0);
        let rows = luma.data().chunks_exact(width).skip(*first);
        for (from, weight) in rows.zip(weights) {
            row.iter_mut().zip(from).for_each(|(to, v)| *to += v * weight);
        }
        data.extend(across.taps.iter().map(|(first, weights)| {
            let values = row.get(*first..).unwrap_or_default();
            values.iter().zip(weights).map(|(v, w)| v * w).sum::<f32>().clamp(0.0, 255.0)
        }));
    }
    Luma::new(u32::try_from(to_width).ok()?, u32::try_from(to_height).ok()?, data)
}

/// How a plane of these sides, decoded at any scale from a picture of the sides `full`, is brought to the second form's
/// sides: across and down. `None` where the picture fits as it is.
pub(super) fn taps(sides: (u32, u32), full: (u32, u32)) -> Option<(Taps, Taps)> {
    let (to_width, to_height) = thumbnail_size(full.0, full.1)?;
    // Reduced scales round up: a part of the last row and column lies outside the picture.
    let inside = |side: u32, full: u32| {
        let side = f64::from(side);
        let per = (f64::from(full) / side).round().max(1.0);
        side.min(f64::from(full) / per)
    };
    let along = |side: u32, full: u32, to: u32| Taps::new(side, inside(side, full), to);
    Some((along(sides.0, full.0, to_width), along(sides.1, full.1, to_height)))
}

/// For each new value, the first old one and the weights from there on.
pub(super) struct Taps {
    pub taps: Vec<(usize, Vec<f32>)>,
}

impl Taps {
    fn new(count: u32, inside: f64, to: u32) -> Taps {
        let scale = inside / f64::from(to);
        let wide = scale.max(1.0);
        let reach = 2.0 * wide;
        let taps = (0..to).map(|i| {
            let centre = (f64::from(i) + 0.5) * scale;
            let first = (centre - reach + 0.5).max(0.0) as u32;
            let last = ((centre + reach + 0.5).max(0.0) as u32).min(count);
            let weights: Vec<f64> = (first..last).map(|x| bicubic((f64::from(x) - centre + 0.5) / wide)).collect();
            let sum: f64 = weights.iter().sum();
            let sum = if sum == 0.0 { 1.0 } else { sum };
            (first as usize, weights.iter().map(|w| (w / sum) as f32).collect())
        });
        Taps { taps: taps.collect() }
    }
}

/// The bicubic kernel with a = -0.5.
fn bicubic(x: f64) -> f64 {
    let x = x.abs();
    if x < 1.0 {
        (1.5 * x - 2.5) * x * x + 1.0
    } else if x < 2.0 {
        ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    } else {
        0.0
    }
}
