//! Whether the thumbnail that a picture carries shows the picture.

use avocet_base::PdqHash;

use super::{Form, HashFacts, ImageFacts, SHORT_SIDE, Thumbnail};
use crate::decode::{self, Limits};
use crate::meta::Metadata;
use crate::pdq::{self, Luma};
use crate::{PictureKind, jpeg};

/// Bits from which on a thumbnail and its picture are said to differ. Between what was measured of true thumbnails and
/// of exchanged ones: `docs/validation/pictures-metadata.md`.
pub const THUMBNAIL_DIFFERS: u32 = 74;

/// Compares the embedded thumbnail with the first whole image: both are kept as stored.
pub(super) fn compare(metadata: &Metadata, images: &[ImageFacts], hashes: &[HashFacts]) -> Option<Thumbnail> {
    let bytes = metadata.thumbnail.as_ref()?;
    let main = hashes.iter().find(|h| h.form == Form::Full)?;
    let image = images.get(usize::try_from(main.image).ok()?)?;
    Some(match thumbnail_distance(bytes, main, (image.width, image.height)) {
        Ok(bits) if bits < THUMBNAIL_DIFFERS => Thumbnail::Same,
        Ok(_) => Thumbnail::Differs,
        Err(why) => why,
    })
}

/// Bits between a thumbnail, given as a JPEG file, and a picture, given by its full-size hash and its sides.
///
/// The nearest orientation counts, as some programs turn the picture and leave its thumbnail as it was. Cameras whose
/// thumbnails have other proportions than their pictures fill up with bars: where proportions differ, the middle of the
/// thumbnail with the picture's proportions is asked too.
///
/// # Errors
/// [`Thumbnail::Unreadable`] or [`Thumbnail::NotComparable`] where there is no such number.
pub fn thumbnail_distance(bytes: &[u8], main: &HashFacts, sides: (u32, u32)) -> Result<u32, Thumbnail> {
    let whole = luma(bytes).ok_or(Thumbnail::Unreadable)?;
    if main.quality < PdqHash::USABLE_QUALITY {
        return Err(Thumbnail::NotComparable);
    }
    let middles = [middle(&whole, sides), middle(&whole, (sides.1, sides.0))];
    std::iter::once(&whole)
        .chain(middles.iter().flatten())
        .map(pdq::hash)
        .filter(|hashed| hashed.quality >= PdqHash::USABLE_QUALITY)
        .flat_map(|hashed| main.turned.iter().map(move |h| h.distance(&hashed.hash)))
        .min()
        .ok_or(Thumbnail::NotComparable)
}

fn luma(bytes: &[u8]) -> Option<Luma> {
    if let Ok(scaled) = jpeg::decode_scaled(bytes, SHORT_SIDE, false, jpeg::Limits::default()) {
        return Luma::from_grey(scaled.luma.width, scaled.luma.height, &scaled.luma.samples);
    }
    let mut first = None;
    // What is wrong with it does not matter: no whole image, no comparison.
    let _ = decode::decode(bytes, PictureKind::Jpeg, &Limits::default(), &mut |image| {
        first = first.take().or_else(|| image.partial.is_none().then(|| Luma::from_pixels(&image.pixels)));
    });
    first
}

/// The largest part of these proportions, from the middle. `None` where that is nearly all, or less than half: no bars
/// are that thick.
fn middle(whole: &Luma, (wide, high): (u32, u32)) -> Option<Luma> {
    let (width, height) = (u64::from(whole.width()), u64::from(whole.height()));
    let (wide, high) = (u64::from(wide), u64::from(high));
    let fit_width = (height * wide).checked_div(high)?.min(width);
    let fit_height = (width * high).checked_div(wide)?.min(height);
    let (all, part) = (width * height, fit_width * fit_height);
    if part * 100 > all * 97 || part * 2 < all {
        return None;
    }
    let (left, top) = ((width - fit_width) / 2, (height - fit_height) / 2);
    let rows = whole.data().chunks_exact(usize::try_from(width).ok()?);
    let row = |row: &[f32]| row.iter().skip(left as usize).take(fit_width as usize).copied().collect::<Vec<_>>();
    let data = rows.skip(top as usize).take(fit_height as usize).flat_map(row).collect();
    Luma::new(u32::try_from(fit_width).ok()?, u32::try_from(fit_height).ok()?, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: u32, height: u32) -> Luma {
        let data = (0..width * height).map(|i| (i % width + 1000 * (i / width)) as f32).collect();
        Luma::new(width, height, data).unwrap()
    }

    #[test]
    fn bars_are_cut_from_the_middle() {
        let part = middle(&ramp(160, 120), (3000, 2000)).unwrap();
        assert_eq!((part.width(), part.height()), (160, 106));
        assert_eq!(part.data().first(), Some(&7000.0));
        let part = middle(&ramp(160, 120), (2000, 2000)).unwrap();
        assert_eq!((part.width(), part.height()), (120, 120));
        assert_eq!(part.data().first(), Some(&20.0));
    }

    #[test]
    fn nearly_all_and_too_little_are_left() {
        assert!(middle(&ramp(160, 120), (4000, 3000)).is_none());
        assert!(middle(&ramp(160, 120), (4000, 3050)).is_none());
        assert!(middle(&ramp(160, 120), (4000, 1)).is_none());
        assert!(middle(&ramp(160, 120), (0, 0)).is_none());
        assert!(middle(&ramp(160, 120), (u32::MAX, 1)).is_none());
    }
}
