//! Small pictures made here, one of each kind that can be written here: what goes in must come out.

use avocet_media::PictureKind;
use avocet_media::decode::{Image, Limits, Role, decode};
use image::{ExtendedColorType, ImageEncoder, RgbImage};

use super::{all, rgb};

/// A smooth picture with a sign of what is up and what is left.
pub(super) fn sample(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let corner = x < width / 4 && y < height / 4;
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, if corner { 255 } else { 40 }])
    })
}

fn encoded(with: impl FnOnce(&mut std::io::Cursor<Vec<u8>>, &RgbImage)) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    with(&mut out, &sample(61, 47));
    out.into_inner()
}

fn write(encoder: impl ImageEncoder, picture: &RgbImage) {
    encoder.write_image(picture.as_raw(), picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
}

pub(super) fn jpeg() -> Vec<u8> {
    encoded(|out, p| write(image::codecs::jpeg::JpegEncoder::new_with_quality(out, 95), p))
}

pub(super) fn gif(frames: u32) -> Vec<u8> {
    encoded(|out, p| {
        let mut encoder = image::codecs::gif::GifEncoder::new(out);
        for i in 0..frames {
            let mut picture = image::DynamicImage::from(p.clone()).into_rgba8();
            picture.pixels_mut().for_each(|p| p.0[2] = (i * 60) as u8);
            encoder.encode_frame(image::Frame::new(picture)).unwrap();
        }
    })
}

/// Each kind with how far its pixels may be from what went in.
pub(super) fn every() -> Vec<(PictureKind, Vec<u8>, f64)> {
    let heic = {
        let p = sample(64, 48);
        heifer::encode_rgb8(64, 48, p.as_raw(), &heifer::EncodeOptions::default()).unwrap()
    };
    vec![
        (PictureKind::Jpeg, jpeg(), 6.0),
        (PictureKind::Png, encoded(|out, p| write(image::codecs::png::PngEncoder::new(out), p)), 0.0),
        (PictureKind::Gif, gif(1), 12.0),
        (PictureKind::Bmp, encoded(|out, p| write(image::codecs::bmp::BmpEncoder::new(out), p)), 0.0),
        (PictureKind::Tiff, encoded(|out, p| write(image::codecs::tiff::TiffEncoder::new(out), p)), 0.0),
        (PictureKind::WebP, encoded(|out, p| write(image::codecs::webp::WebPEncoder::new_lossless(out), p)), 0.0),
        (PictureKind::Ico, encoded(|out, p| write(image::codecs::ico::IcoEncoder::new(out), p)), 0.0),
        (PictureKind::Heif, heic, 8.0),
    ]
}

fn one(bytes: &[u8]) -> Image {
    let (_, result) = all(bytes).expect("recognised");
    let (outcome, mut images) = result.expect("decoded");
    assert_eq!((outcome.images, images.len()), (1, 1));
    images.remove(0)
}

#[test]
fn what_went_in_comes_out() {
    for (kind, bytes, most) in every() {
        assert_eq!(all(&bytes).unwrap().0, kind);
        let image = one(&bytes);
        assert_eq!((image.role, image.index, &image.partial), (Role::Primary, 0, &None), "{kind:?}");
        let truth = sample(image.pixels.width(), image.pixels.height());
        let mut sum = 0.0;
        for (x, y, pixel) in truth.enumerate_pixels() {
            let ours = rgb(&image, x as usize, y as usize);
            let blue = if kind == PictureKind::Gif { 0.0 } else { f64::from(pixel.0[2]) };
            let theirs = [f64::from(pixel.0[0]), f64::from(pixel.0[1]), blue];
            sum += (0..3).map(|c| (ours[c] - theirs[c]).abs()).sum::<f64>();
        }
        let mean = sum / f64::from(truth.width() * truth.height() * 3);
        assert!(mean <= most, "{kind:?}: {mean}");
    }
}

#[test]
fn a_declared_size_above_the_limit_is_refused() {
    for (kind, bytes, _) in every() {
        for limits in
            [Limits { max_pixels: 1000, ..Limits::default() }, Limits { max_bytes_alloc: 3000, ..Limits::default() }]
        {
            let failure = decode(&bytes, kind, &limits, &mut |_| panic!("{kind:?}")).unwrap_err();
            assert_eq!(failure.code, "too-large", "{kind:?}: {failure}");
        }
    }
}

#[test]
fn frames_behind_the_limit_are_counted() {
    let bytes = gif(5);
    let limits = Limits { max_frames: 2, ..Limits::default() };
    let mut found = Vec::new();
    let outcome =
        decode(&bytes, PictureKind::Gif, &limits, &mut |i| found.push((i.role, i.index, rgb(&i, 30, 30)[2]))).unwrap();
    assert_eq!(outcome.left_out, [("frame-limit", 3)]);
    assert_eq!(found.iter().map(|f| (f.0, f.1)).collect::<Vec<_>>(), [(Role::Primary, 0), (Role::Frame, 1)]);
    assert!(found[0].2 < 20.0 && (40.0..80.0).contains(&found[1].2), "{found:?}");
    let (_, result) = all(&gif(5)).unwrap();
    assert_eq!(result.unwrap().0.images, 5);
}

#[test]
fn a_truncated_gif_or_png_is_partial_or_refused() {
    for (kind, bytes, _) in every() {
        if matches!(kind, PictureKind::Png | PictureKind::Gif | PictureKind::Bmp | PictureKind::WebP) {
            let (_, result) = all(&bytes[..bytes.len() * 6 / 10]).unwrap();
            match result {
                Ok((_, images)) => assert!(images[0].partial.is_some(), "{kind:?}"),
                Err(failure) => assert_eq!(failure.code, "damaged", "{kind:?}"),
            }
        }
    }
}

/// A TIFF directory's entries, as type, count and value.
struct Tiff(Vec<u8>);

impl Tiff {
    fn new() -> Self {
        Self(b"II\x2a\0\0\0\0\0".to_vec())
    }

    fn put(&mut self, bytes: &[u8]) -> u32 {
        let at = self.0.len() as u32;
        self.0.extend_from_slice(bytes);
        at
    }

    /// Writes a directory; numbers only, each one value.
    fn directory(&mut self, entries: &[(u16, u16, u32)], next: u32) -> u32 {
        let mut bytes = (entries.len() as u16).to_le_bytes().to_vec();
        for (tag, kind, value) in entries {
            bytes.extend_from_slice(&tag.to_le_bytes());
            bytes.extend_from_slice(&kind.to_le_bytes());
            bytes.extend_from_slice(&1u32.to_le_bytes());
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes.extend_from_slice(&next.to_le_bytes());
        self.put(&bytes)
    }

    fn finish(mut self, first: u32) -> Vec<u8> {
        self.0[4..8].copy_from_slice(&first.to_le_bytes());
        self.0
    }
}

#[test]
fn every_page_of_a_tiff_and_what_hangs_below_it() {
    let mut tiff = Tiff::new();
    let grey = |side: u32, value: u8, more: &[(u16, u16, u32)], next: u32, tiff: &mut Tiff| {
        let at = tiff.put(&vec![value; (side * side) as usize]);
        let mut entries = vec![
            (256, 4, side),
            (257, 4, side),
            (258, 3, 8),
            (259, 3, 1),
            (262, 3, 1),
            (273, 4, at),
            (277, 3, 1),
            (278, 4, side),
            (279, 4, side * side),
        ];
        entries.extend_from_slice(more);
        entries.sort_unstable();
        tiff.directory(&entries, next)
    };
    let below = grey(3, 30, &[], 0, &mut tiff);
    let second = grey(5, 20, &[], 0, &mut tiff);
    let first = grey(4, 10, &[(274, 3, 6), (330, 4, below)], second, &mut tiff);
    let bytes = tiff.finish(first);
    let (kind, result) = all(&bytes).unwrap();
    assert_eq!(kind, PictureKind::Tiff);
    let found: Vec<_> =
        result.unwrap().1.iter().map(|i| (i.role, i.pixels.width(), i.pixels.bytes()[0], i.orientation)).collect();
    assert_eq!(found, [(Role::Primary, 4, 10, Some(6)), (Role::Page, 5, 20, None), (Role::Alternative, 3, 30, None)]);
}

#[test]
fn previews_of_raw_files() {
    // A DNG: a small preview in the first directory, a larger one below it, and a sensor's data beside that.
    let mut tiff = Tiff::new();
    let small = {
        let mut out = std::io::Cursor::new(Vec::new());
        write(image::codecs::jpeg::JpegEncoder::new(&mut out), &sample(16, 12));
        out.into_inner()
    };
    let large = jpeg();
    let (small_at, large_at) = (tiff.put(&small), tiff.put(&large));
    let jpeg_at = |at: u32, length: usize, width: u32| {
        [(256, 4, width), (259, 3, 7), (262, 3, 6), (273, 4, at), (279, 4, length as u32)]
    };
    let sensor = tiff.directory(&[(256, 4, 4000), (257, 4, 3000), (259, 3, 1), (262, 3, 32_803), (273, 4, 8)], 0);
    let preview = tiff.directory(&jpeg_at(large_at, large.len(), 61), 0);
    let list = tiff.put(&[sensor.to_le_bytes(), preview.to_le_bytes()].concat());
    let mut entries = jpeg_at(small_at, small.len(), 16).to_vec();
    entries.extend([(330, 4, list), (0xc612, 4, 1)]);
    let first = tiff.directory(&entries, 0);
    let mut bytes = tiff.finish(first);
    // Two values below: the count of entry 330.
    let place = first as usize + 2 + 5 * 12 + 4;
    bytes[place] = 2;
    let (kind, result) = all(&bytes).unwrap();
    assert_eq!(kind, PictureKind::RawTiff);
    let (outcome, images) = result.unwrap();
    let found: Vec<_> = images.iter().map(|i| (i.role, i.pixels.width(), i.partial.is_some())).collect();
    assert_eq!(found, [(Role::Preview, 61, false), (Role::Preview, 16, false)]);
    assert_eq!(outcome.left_out, [("sensor-data", 1)]);

    let mut raf = b"FUJIFILMCCD-RAW 0201".to_vec();
    raf.resize(148, 0);
    raf[84..88].copy_from_slice(&148u32.to_be_bytes());
    raf[88..92].copy_from_slice(&(large.len() as u32).to_be_bytes());
    raf.extend_from_slice(&large);
    raf.extend_from_slice(&[7; 500]);
    let (kind, result) = all(&raf).unwrap();
    assert_eq!((kind, result.unwrap().1[0].pixels.width()), (PictureKind::Raf, 61));

    let boxed = |kind: &[u8], body: &[u8]| [&(body.len() as u32 + 8).to_be_bytes()[..], kind, body].concat();
    let thumb = boxed(b"THMB", &[&[0u8; 16][..], &large].concat());
    let canon = boxed(b"uuid", &[&[0x85; 16][..], &thumb].concat());
    let cr3 = [boxed(b"ftyp", b"crx \0\0\0\x01crx isom"), boxed(b"moov", &canon)].concat();
    let (kind, result) = all(&cr3).unwrap();
    assert_eq!((kind, result.unwrap().1[0].pixels.width()), (PictureKind::Cr3, 61));

    let (_, result) = all(&raf[..140]).unwrap();
    assert_eq!(result.unwrap_err().code, "no-preview");
}

/// A bitmap as it stands in an icon.
fn dib(side: u32, bits: u16, palette: &[u8], rows: &[u8]) -> Vec<u8> {
    let mut out = 40u32.to_le_bytes().to_vec();
    out.extend_from_slice(&side.to_le_bytes());
    out.extend_from_slice(&(side * 2).to_le_bytes());
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out.resize(40, 0);
    out.extend_from_slice(palette);
    out.extend_from_slice(rows);
    out
}

#[test]
fn every_picture_of_an_icon() {
    // Two by two of one bit, no mask behind it; one by one of 32 bits, its alpha empty, its mask set.
    let pictures = [
        dib(1, 32, &[], &[9, 8, 7, 0, 0x80, 0, 0, 0]),
        dib(2, 1, &[0, 0, 0, 0, 1, 2, 3, 0], &[0x80, 0, 0, 0, 0x40, 0, 0, 0]),
    ];
    let mut bytes = vec![0, 0, 1, 0, 2, 0];
    let mut at = 6 + 32;
    for (side, picture) in [1u8, 2].iter().zip(&pictures) {
        bytes.extend_from_slice(&[*side, *side, 0, 0, 1, 0, 0, 0]);
        bytes.extend_from_slice(&(picture.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&(at as u32).to_le_bytes());
        at += picture.len();
    }
    pictures.iter().for_each(|p| bytes.extend_from_slice(p));
    let (kind, result) = all(&bytes).unwrap();
    assert_eq!(kind, PictureKind::Ico);
    let (_, images) = result.unwrap();
    assert_eq!(images[0].role, Role::Primary);
    // The rows stand bottom up, the palette as blue, green, red.
    let expected = [[0, 0, 0, 255], [3, 2, 1, 255], [3, 2, 1, 255], [0, 0, 0, 255]].concat();
    assert_eq!(images[0].pixels.bytes(), expected);
    assert_eq!((images[1].role, images[1].pixels.bytes()), (Role::TopLevel, &[7, 8, 9, 0][..]));
}

#[test]
fn the_container_says_the_turn_and_the_pixels_stay() {
    let p = sample(64, 48);
    let bytes = heifer::encode_rgb8(64, 48, p.as_raw(), &heifer::EncodeOptions::default()).unwrap();
    let plain = one(&bytes);
    // One more property at the end of `ipco`, and every association list grows by it: simpler to make a picture that
    // has one, by turning the property that says the least into an `irot` of the same length.
    let Some(at) = bytes.windows(4).position(|w| w == b"pixi") else {
        panic!("the encoder writes a pixi property");
    };
    let mut turned = bytes.clone();
    turned[at..at + 5].copy_from_slice(b"irot\x01");
    let image = one(&turned);
    assert_eq!(image.orientation, Some(8));
    assert_eq!(image.pixels, plain.pixels);
    turned[at..at + 5].copy_from_slice(b"imir\x01");
    assert_eq!(one(&turned).orientation, Some(2));
}
