//! Brightness of pixels.

use crate::{Layout, Pixels};

/// A plane of brightness, 0 to 255, rows from the top without padding. Never empty.
#[derive(Clone, PartialEq)]
pub struct Luma {
    width: u32,
    height: u32,
    data: Vec<f32>,
}

impl Luma {
    /// `None` where there are not exactly `width * height` values, or one side is 0. Values that are not finite are
    /// taken as 0.
    pub fn new(width: u32, height: u32, mut data: Vec<f32>) -> Option<Luma> {
        data.iter_mut().filter(|v| !v.is_finite()).for_each(|v| *v = 0.0);
        fits(width, height, data.len()).then_some(Luma { width, height, data })
    }

    /// One byte a pixel. `None` where there are not exactly `width * height` bytes, or one side is 0.
    pub fn from_grey(width: u32, height: u32, plane: &[u8]) -> Option<Luma> {
        Luma::new(width, height, plane.iter().map(|&v| f32::from(v)).collect())
    }

    /// Rec. 601 brightness of pixels, with the weights and the rounding of the reference. Alpha is dropped and what
    /// stands behind transparent pixels counts, as in the reference's Python path (`convert("RGB")`).
    pub fn from_pixels(pixels: &Pixels) -> Luma {
        let mut data = vec![0.0; pixels.bytes().len() / pixels.layout().bytes()];
        from_row(pixels.layout(), pixels.bytes(), &mut data);
        Luma { width: pixels.width(), height: pixels.height(), data }
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The values.
    pub fn data(&self) -> &[f32] {
        &self.data
    }
}

impl std::fmt::Debug for Luma {
    /// Sizes only: the content of a picture never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Luma({}x{})", self.width, self.height)
    }
}

/// Whether a plane of this many values is a picture of these sides.
pub(super) fn fits(width: u32, height: u32, values: usize) -> bool {
    values > 0 && u64::from(width).checked_mul(u64::from(height)) == Some(values as u64)
}

pub(super) fn from_grey(row: &[u8], to: &mut [f32]) {
    to.iter_mut().zip(row).for_each(|(to, &v)| *to = f32::from(v));
}

pub(super) fn from_row(layout: Layout, row: &[u8], to: &mut [f32]) {
    match layout {
        Layout::Grey => from_grey(row, to),
        Layout::Rgb => to.iter_mut().zip(row.as_chunks().0).for_each(|(to, &[r, g, b])| *to = rec601(r, g, b)),
        Layout::Rgba => to.iter_mut().zip(row.as_chunks().0).for_each(|(to, &[r, g, b, _])| *to = rec601(r, g, b)),
    }
}

/// Summed in double precision and rounded once, as the reference's Python binding does. Equal channels give exactly
/// their value.
fn rec601(r: u8, g: u8, b: u8) -> f32 {
    (f64::from(r) * 0.299 + f64::from(g) * 0.587 + f64::from(b) * 0.114) as f32
}
