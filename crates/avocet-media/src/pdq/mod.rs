//! PDQ, a 256-bit hash of how a picture looks.
//!
//! The rule is the published one (Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing
//! Algorithm", 2019); the order of the floating-point steps is that of the reference C++, so that identical pixels give
//! the identical hash. See `filter.rs` and `transform.rs` for the ported parts and their notice.
//!
//! The reference has two forms in use: the picture as it is, and the picture first made to fit 512 x 512. They differ
//! by up to 36 bits, so both are computed and looked up; [`ScalePath`] says which one a value is.

mod filter;
mod luma;
mod path;
mod reduced;
mod thumbnail;
mod transform;

pub use luma::Luma;
pub use path::ScalePath;
pub use thumbnail::{THUMBNAIL_SIDE, thumbnail_512, thumbnail_size};

use avocet_base::PdqHash;

use crate::{Pixels, jpeg};

/// Stored beside each value, so that a later change of this code can be told from a change of the picture.
pub const ALGORITHM: &str = "pdq-2019/avocet-2";

/// A picture with a side below this has the hash 0 and the quality 0, as in the reference.
pub const SMALLEST_SIDE: u32 = 5;

/// The eight positions of a picture, in the order of [`Hashed::turned`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Turn {
    /// As it is.
    Original = 0,
    /// Turned by a quarter, against the clock.
    Rotate90 = 1,
    /// Turned by a half.
    Rotate180 = 2,
    /// Turned by three quarters against the clock: a quarter with it.
    Rotate270 = 3,
    /// Top and bottom exchanged.
    FlipX = 4,
    /// Left and right exchanged: the mirror image.
    FlipY = 5,
    /// Mirrored at the diagonal from the top left: rows become columns.
    FlipPlus = 6,
    /// Mirrored at the diagonal from the top right.
    FlipMinus = 7,
}

impl Turn {
    /// All eight, in order.
    pub const ALL: [Turn; 8] = [
        Turn::Original,
        Turn::Rotate90,
        Turn::Rotate180,
        Turn::Rotate270,
        Turn::FlipX,
        Turn::FlipY,
        Turn::FlipPlus,
        Turn::FlipMinus,
    ];
}

/// What PDQ says of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashed {
    /// The hash of the picture as it stands.
    pub hash: PdqHash,
    /// How much there is to see, 0 to 100. Below [`PdqHash::USABLE_QUALITY`] the hash says little.
    pub quality: u8,
    /// What the hash of the picture would be if it were turned, in the order of [`Turn::ALL`]. For asking, not for storing.
    pub turned: [PdqHash; 8],
}

/// What is said of a picture too small to be hashed.
const NOTHING: Hashed = Hashed { hash: PdqHash([0; 32]), quality: 0, turned: [PdqHash([0; 32]); 8] };

/// PDQ of a plane of brightness.
pub fn hash(luma: &Luma) -> Hashed {
    let width = luma.width() as usize;
    let mut rows = luma.data().chunks_exact(width.max(1));
    hash_rows(luma.width(), luma.height(), |to| {
        if let Some(row) = rows.next() {
            to.copy_from_slice(row);
        }
    })
}

/// PDQ of a plane of brightness, one byte a pixel, rows from the top without padding. `None` where the plane has not
/// exactly `width * height` bytes. The same as [`hash`] of [`Luma::from_grey`] without the copy.
pub fn hash_grey(width: u32, height: u32, plane: &[u8]) -> Option<Hashed> {
    luma::fits(width, height, plane.len()).then_some(())?;
    let mut rows = plane.chunks_exact(width as usize);
    Some(hash_rows(width, height, |to| {
        if let Some(row) = rows.next() {
            luma::from_grey(row, to);
        }
    }))
}

/// PDQ of decoded pixels; alpha is dropped. The same as [`hash`] of [`Luma::from_pixels`] without the copy.
pub fn hash_pixels(pixels: &Pixels) -> Hashed {
    let mut rows = pixels.bytes().chunks_exact(pixels.width() as usize * pixels.layout().bytes());
    hash_rows(pixels.width(), pixels.height(), |to| {
        if let Some(row) = rows.next() {
            luma::from_row(pixels.layout(), row, to);
        }
    })
}

/// PDQ of a JPEG decoded at any scale, as near to the hash of the full picture as the scale allows, and its path.
pub fn hash_scaled(scaled: &jpeg::Scaled) -> Option<(Hashed, ScalePath)> {
    let per = usize::from(scaled.denominator);
    let along = |full: u32| reduced::weights(full as usize, per);
    let path = ScalePath::of_denominator(scaled.denominator)?;
    let sides = (scaled.full_width, scaled.full_height);
    Some((of_plane(scaled, sides, || Some((along(sides.0), along(sides.1))))?, path))
}

/// The second form of a JPEG decoded at any scale, and its path. Where the picture fits 512 x 512 as it is both forms
/// are one, and this is [`hash_scaled`].
pub fn hash_scaled_512(scaled: &jpeg::Scaled) -> Option<(Hashed, ScalePath)> {
    let full = (scaled.full_width, scaled.full_height);
    let Some(sides) = thumbnail_size(full.0, full.1) else { return hash_scaled(scaled) };
    let path = ScalePath::of_denominator(scaled.denominator)?.then_thumbnail();
    let along = || {
        let (across, down) = thumbnail::taps((scaled.luma.width, scaled.luma.height), full)?;
        Some((reduced::weights_512(&across), reduced::weights_512(&down)))
    };
    Some((of_plane(scaled, sides, along)?, path))
}

/// PDQ of a JPEG's brightness by the weights of one of the forms, across and down, which has these sides.
fn of_plane(
    scaled: &jpeg::Scaled,
    sides: (u32, u32),
    weights: impl FnOnce() -> Option<(reduced::Weights, reduced::Weights)>,
) -> Option<Hashed> {
    let plane = &scaled.luma;
    luma::fits(plane.width, plane.height, plane.samples.len()).then_some(())?;
    if sides.0.min(sides.1) < SMALLEST_SIDE {
        return Some(NOTHING);
    }
    let (across, down) = weights()?;
    Some(of_small(&reduced::to_64(&plane.samples, plane.width as usize, &across, &down)))
}

/// PDQ of rows given one after another from the top.
fn hash_rows(width: u32, height: u32, next_row: impl FnMut(&mut [f32])) -> Hashed {
    if width < SMALLEST_SIDE || height < SMALLEST_SIDE {
        return NOTHING;
    }
    of_small(&filter::to_64(width as usize, height as usize, next_row))
}

fn of_small(small: &transform::Small) -> Hashed {
    let quality = transform::quality(small);
    let turned = transform::dihedral(&transform::dct(small));
    let [original, ..] = turned;
    Hashed { hash: original, quality, turned }
}
