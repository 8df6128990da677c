//! JPEG straight to a small plane of brightness: what a picture's hash and its thumbnail need, and no more.
//!
//! All entropy-coded data is decoded and checked, but only brightness is transformed, at the smallest scale that keeps
//! the shorter side at the wanted length; chroma only on request and coarser. Formats: baseline, extended sequential
//! and progressive Huffman coding with 8 bits (ITU-T T.81), one grey or three YCbCr components.
//!
//! The decoder is strict: it never repairs, guesses or fills in. Whatever is not a whole and regular file of these
//! kinds is [`Unsuitable`], and the caller turns to the general decoder, which can salvage and mark a picture partial.

mod bits;
mod frame;
mod huffman;
mod progressive;
mod sequential;
mod transform;

pub use frame::{Limits, Unsuitable};

/// Stored beside what was computed from pixels of this decoder.
pub const DECODER: &str = "avocet-jpeg/1";

/// A plane, one byte a sample, rows from the top without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Plane {
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height` samples.
    pub samples: Vec<u8>,
}

impl std::fmt::Debug for Plane {
    /// Sizes only: the content of a picture never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Plane({}x{})", self.width, self.height)
    }
}

/// The colour of a picture at a reduced scale, coarser than its brightness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chroma {
    /// Blue against brightness; 128 is neutral.
    pub cb: Plane,
    /// Red against brightness; of the same sides as `cb`.
    pub cr: Plane,
    /// Pixels of the whole picture that a sample covers, across and down.
    pub covers: (u32, u32),
}

/// A picture at a reduced scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaled {
    /// Brightness (Y of YCbCr, or grey), full range. Each sample is the mean of `denominator` x `denominator` pixels.
    pub luma: Plane,
    /// Cb and Cr, 128 is neutral, both of the same sides: a quarter of the brightness plane's or finer. Only where
    /// asked for and where the picture has colour.
    pub chroma: Option<Chroma>,
    /// The picture's width in pixels.
    pub full_width: u32,
    /// The picture's height in pixels.
    pub full_height: u32,
    /// 1, 2, 4 or 8: the picture's sides over this, rounded up, are the brightness plane's.
    pub denominator: u8,
    /// Whether the coding is progressive.
    pub progressive: bool,
    /// Bytes up to and with the end-of-image marker. What follows belongs to no picture (or to another one).
    pub used: usize,
}

/// Decodes at the smallest of the scales 1, 1/2, 1/4, 1/8 that keeps the shorter side at `min_short_side` pixels or
/// more; a picture smaller than that is decoded whole. Chroma is decoded with `colour` only.
pub fn decode_scaled(bytes: &[u8], min_short_side: u32, colour: bool, limits: Limits) -> Result<Scaled, Unsuitable> {
    frame::Decoder::new(bytes, min_short_side, colour, limits).decode()
}
