//! What is done to a photograph: one change each, then saved as a JPEG.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};

/// Quality at which everything is saved whose quality is not the change itself.
const SAVED: u8 = 90;

/// A change with its name; the quality it is saved at.
pub struct Edit {
    pub name: &'static str,
    pub change: fn(&RgbImage) -> RgbImage,
    pub quality: u8,
    /// The least share that is to be found within 31 bits, in percent; `None` where PDQ is not made for it.
    pub floor: Option<f64>,
}

const fn edit(name: &'static str, change: fn(&RgbImage) -> RgbImage, quality: u8, floor: Option<f64>) -> Edit {
    Edit { name, change, quality, floor }
}

/// All changes, in the order of the table.
pub const EDITS: &[Edit] = &[
    edit("resized to 50 %", |p| scaled(p, 1, 2), SAVED, Some(99.0)),
    edit("resized to 25 %", |p| scaled(p, 1, 4), SAVED, Some(95.0)),
    edit("resized to 200 %", |p| scaled(p, 2, 1), SAVED, Some(99.0)),
    edit("JPEG 90", RgbImage::clone, 90, Some(99.0)),
    edit("JPEG 70", RgbImage::clone, 70, Some(99.0)),
    edit("JPEG 50", RgbImage::clone, 50, Some(99.0)),
    edit("JPEG 30", RgbImage::clone, 30, Some(99.0)),
    edit("resized to 50 %, JPEG 50", |p| scaled(p, 1, 2), 50, Some(99.0)),
    edit("crop 5 %, all round", |p| centre(p, 5), SAVED, None),
    edit("crop 10 %, all round", |p| centre(p, 10), SAVED, None),
    edit("crop 20 %, all round", |p| centre(p, 20), SAVED, None),
    edit("crop 5 %, from one corner", |p| corner(p, 5), SAVED, None),
    edit("crop 10 %, from one corner", |p| corner(p, 10), SAVED, None),
    edit("crop 20 %, from one corner", |p| corner(p, 20), SAVED, None),
    edit("grey", grey, SAVED, Some(99.0)),
    edit("mirrored left to right", imageops::flip_horizontal, SAVED, Some(95.0)),
    edit("mirrored top to bottom", imageops::flip_vertical, SAVED, Some(95.0)),
    edit("rotated 90 degrees", imageops::rotate90, SAVED, Some(95.0)),
    edit("rotated 180 degrees", imageops::rotate180, SAVED, Some(95.0)),
    edit("rotated 270 degrees", imageops::rotate270, SAVED, Some(95.0)),
    edit("border of 2 %, black", |p| border(p, 2), SAVED, None),
    edit("border of 5 %, black", |p| border(p, 5), SAVED, None),
    edit("text, one line", |p| text(p, 16), SAVED, Some(95.0)),
    edit("text, one large line", |p| text(p, 8), SAVED, None),
];

/// A changed photograph as the bytes of a JPEG file.
pub fn saved(edit: &Edit, photograph: &RgbImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, edit.quality).encode_image(&(edit.change)(photograph)).ok()?;
    Some(bytes)
}

fn scaled(p: &RgbImage, times: u32, by: u32) -> RgbImage {
    imageops::resize(p, (p.width() * times / by).max(1), (p.height() * times / by).max(1), FilterType::Lanczos3)
}

/// `percent` of each side's length is gone, half of it at either end.
fn centre(p: &RgbImage, percent: u32) -> RgbImage {
    let (x, y) = (p.width() * percent / 100, p.height() * percent / 100);
    imageops::crop_imm(p, x / 2, y / 2, p.width() - x, p.height() - y).to_image()
}

/// `percent` of each side's length is gone, all of it at the left and the top.
fn corner(p: &RgbImage, percent: u32) -> RgbImage {
    let (x, y) = (p.width() * percent / 100, p.height() * percent / 100);
    imageops::crop_imm(p, x, y, p.width() - x, p.height() - y).to_image()
}

fn grey(p: &RgbImage) -> RgbImage {
    let grey = imageops::grayscale(p);
    RgbImage::from_fn(p.width(), p.height(), |x, y| Rgb([grey.get_pixel(x, y).0[0]; 3]))
}

/// A frame outside the picture, as wide on each side as `percent` of the longer side.
fn border(p: &RgbImage, percent: u32) -> RgbImage {
    let wide = p.width().max(p.height()) * percent / 100;
    let mut framed = RgbImage::new(p.width() + 2 * wide, p.height() + 2 * wide);
    imageops::replace(&mut framed, p, i64::from(wide), i64::from(wide));
    framed
}

/// Five columns of seven dots, the lowest bit at the top.
const LETTERS: [(char, [u8; 5]); 9] = [
    ('A', [0x7E, 0x09, 0x09, 0x09, 0x7E]),
    ('C', [0x3E, 0x41, 0x41, 0x41, 0x22]),
    ('E', [0x7F, 0x49, 0x49, 0x49, 0x41]),
    ('I', [0x00, 0x41, 0x7F, 0x41, 0x00]),
    ('N', [0x7F, 0x02, 0x0C, 0x10, 0x7F]),
    ('O', [0x3E, 0x41, 0x41, 0x41, 0x3E]),
    ('S', [0x26, 0x49, 0x49, 0x49, 0x32]),
    ('T', [0x01, 0x01, 0x7F, 0x01, 0x01]),
    ('V', [0x1F, 0x20, 0x40, 0x20, 0x1F]),
];

/// White letters with a black shadow on the lower edge, one over `part` of the height high, as wide as there is room.
fn text(p: &RgbImage, part: u32) -> RgbImage {
    let mut written = p.clone();
    let dot = (p.height() / part / 7).max(1);
    let top = p.height().saturating_sub(dot * 10);
    let mut left = dot * 3;
    for letter in "AVOCET IS ON TEST  ".chars().cycle() {
        if left + dot * 6 > p.width() {
            return written;
        }
        let columns = LETTERS.iter().find(|(l, _)| *l == letter).map_or([0; 5], |(_, columns)| *columns);
        for (shift, colour) in [(dot / 2 + 1, Rgb([0; 3])), (0, Rgb([255; 3]))] {
            for (column, bits) in (0u32..).zip(columns) {
                for row in (0..7).filter(|row| bits >> row & 1 == 1) {
                    for (x, y) in (0..dot * dot).map(|i| (i % dot, i / dot)) {
                        let (x, y) = (left + column * dot + x + shift, top + row * dot + y + shift);
                        if x < p.width() && y < p.height() {
                            written.put_pixel(x, y, colour);
                        }
                    }
                }
            }
        }
        left += dot * 6;
    }
    written
}
