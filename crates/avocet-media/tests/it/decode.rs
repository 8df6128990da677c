//! Pictures of every kind: decoded, refused or partial, and equal to what other people's decoders make of them.

mod cut;
mod fixtures;
mod hostile;
mod shared;

use avocet_media::decode::{Failure, Image, Limits, Outcome, decode};
use avocet_media::{Layout, PictureKind};

/// What became of a file, and its pictures.
type Answer = Result<(Outcome, Vec<Image>), Failure>;

/// Everything that comes out of some bytes, by the kind that they show.
fn all(bytes: &[u8]) -> Option<(PictureKind, Answer)> {
    let kind = PictureKind::recognise(&bytes[..bytes.len().min(PictureKind::HEAD_LEN)])?;
    let mut images = Vec::new();
    let result = decode(bytes, kind, &Limits::default(), &mut |image| images.push(image));
    Some((kind, result.map(|outcome| (outcome, images))))
}

/// Red, green and blue of a pixel, over black where it is transparent.
fn rgb(image: &Image, x: usize, y: usize) -> [f64; 3] {
    let pixels = &image.pixels;
    let at = (y * pixels.width() as usize + x) * pixels.layout().bytes();
    let b = &pixels.bytes()[at..];
    match pixels.layout() {
        Layout::Grey => [f64::from(b[0]); 3],
        Layout::Rgb => [b[0], b[1], b[2]].map(f64::from),
        Layout::Rgba => [b[0], b[1], b[2]].map(|v| f64::from(v) * f64::from(b[3]) / 255.0),
    }
}
