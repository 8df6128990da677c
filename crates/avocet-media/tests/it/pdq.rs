//! PDQ against the reference: the Python package `pdqhash` 0.2.8, which binds the reference C++.

use std::collections::BTreeMap;
use std::path::Path;

use avocet_base::PdqHash;
use avocet_media::{Layout, Pixels, jpeg, pdq};

use crate::jpeg::{drawing, zune_rgb};
use crate::support::testdata;

/// Pictures drawn by [`drawing`] and what `pdqhash` 0.2.8 says of the same pixels (width, height, seed, quality, hash).
const DRAWN: [(usize, usize, u64, u8, &str); 9] = [
    (64, 64, 1, 100, "cd27d592036639882f3983fbd9c77302449ae612f147a7fba63b4dc97322c4d0"),
    (63, 65, 2, 100, "004b0712e453454689598161c2f11ebe657a9e3e0ebc57f78f79594ec771e770"),
    (5, 5, 3, 64, "61d896a59e27695a9e27398c3c0fce7361d896a561d896a59627695a9e27398c"),
    (4, 200, 4, 0, "0000000000000000000000000000000000000000000000000000000000000000"),
    (200, 150, 5, 100, "aaba85c0f63d4c908553388fa6b2e3739944a373e6b3f88f255384904ff94be8"),
    (129, 640, 6, 100, "a783bba981e78e3a49cd063466b3594b1eac194d27f33636988d3e3eb1c74889"),
    (700, 257, 7, 100, "1c5417fb541fec973c9613e532268360e88b4b61122443e117f4b4975c1f7f3f"),
    (1024, 768, 8, 100, "6157a6a5c7d82ebb0c184768794e55d4b2a755d4b94ecb688c18ee3b85d872a6"),
    (6, 300, 9, 100, "de6cdebc16b1ec6e8f68b91b31c330973193309331c331938b69ce6c52b564c6"),
];

/// `pdqhash.compute_dihedral` of the 200 x 150 drawing.
const DRAWN_TURNED: [&str; 8] = [
    "aaba85c0f63d4c908553388fa6b2e3739944a373e6b3f88f255384904ff94be8",
    "ebf4c8cca778db6f949305d1a36336349637b634a3634491a4135b6f8f785085",
    "ffef2f6aa368e63af00e9225f3e749d9cc1109d9b3e6522570062e3a1aace142",
    "b8a16066b22d71c5c1c62e7bb6361c9e83621c9e7636ee3bb14671c5d22d582f",
    "aa9a5837f63cb36f8551077026b2188c99445c8ce6b3077025537b6f4ff9b417",
    "faead015a36819c5d0062ddab3e6b626cc11f626b3e6adda7006d1c51aac1ebd",
    "ebf43133a778249094937a2ea36349cbd63749cba363bb6ea41324908f782d7a",
    "bea19b99fa2d8e3ac1c6d084f636e3618362e361f63611c4f9468e3ada2d87d0",
];

fn pixels((width, height, rgb): (usize, usize, Vec<u8>)) -> Pixels {
    Pixels::new(width as u32, height as u32, Layout::Rgb, rgb).unwrap()
}

#[test]
fn drawn_pictures_hash_as_the_reference_says() {
    for (width, height, seed, quality, hash) in DRAWN {
        let pixels = pixels(drawing(width, height, seed));
        let hashed = pdq::hash(&pdq::Luma::from_pixels(&pixels));
        assert_eq!((hashed.hash.to_string().as_str(), hashed.quality), (hash, quality), "{width}x{height}");
        assert_eq!(hashed.turned[0], hashed.hash);
        assert_eq!(pdq::hash_pixels(&pixels), hashed, "without the copy");
    }
    let (width, height, seed, ..) = DRAWN[4];
    let hashed = pdq::hash_pixels(&pixels(drawing(width, height, seed)));
    assert_eq!(hashed.turned.map(|h| h.to_string()), DRAWN_TURNED);
}

/// Grey is the mean of equal channels exactly, and alpha is dropped: what stands behind a transparent pixel counts.
#[test]
fn layouts_agree() {
    let (width, height, rgb) = drawing(90, 70, 11);
    let grey: Vec<u8> = rgb.chunks_exact(3).map(|p| p[1]).collect();
    let tripled: Vec<u8> = grey.iter().flat_map(|v| [*v; 3]).collect();
    let clear: Vec<u8> = rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 0]).collect();
    let make = |layout, bytes| Pixels::new(width as u32, height as u32, layout, bytes).unwrap();
    let of_grey = pdq::hash_pixels(&make(Layout::Grey, grey.clone()));
    assert_eq!(of_grey, pdq::hash_pixels(&make(Layout::Rgb, tripled)));
    assert_eq!(Some(of_grey), pdq::hash_grey(width as u32, height as u32, &grey));
    assert_eq!(of_grey, pdq::hash(&pdq::Luma::from_grey(width as u32, height as u32, &grey).unwrap()));
    assert_eq!(pdq::hash_pixels(&make(Layout::Rgba, clear)), pdq::hash_pixels(&make(Layout::Rgb, rgb)));
    assert_eq!(pdq::hash_grey(90, 70, &grey[1..]), None);
    assert!(pdq::Luma::new(0, 0, Vec::new()).is_none());
    let odd = pdq::Luma::new(9, 9, vec![f32::NAN; 81]).unwrap();
    assert_eq!(pdq::hash(&odd).quality, 0);
}

#[test]
fn small_and_flat_pictures_have_no_quality() {
    for (width, height) in [(1, 1), (1, 500), (500, 1), (4, 4), (4, 5000), (300, 4)] {
        let hashed = pdq::hash_grey(width, height, &vec![200; (width * height) as usize]).unwrap();
        assert_eq!((hashed.hash, hashed.quality, hashed.turned), (PdqHash([0; 32]), 0, [PdqHash([0; 32]); 8]));
    }
    assert_eq!(pdq::hash_grey(500, 400, &vec![200; 200_000]).unwrap().quality, 0);
}

/// A drawing without noise, really turned, is nearest to the form of that name. (With the noise of the other drawings
/// the reference's own two ways differ by up to 48 bits.)
#[test]
fn turned_forms_are_those_of_turned_pixels() {
    let (side, grey) = (640usize, |x: usize, y: usize| {
        let (x, y) = (x as f64 / 640.0, y as f64 / 640.0);
        let waves =
            (9.0 * x + 2.0 * y * y).sin() + (14.0 * y * x + 1.0).cos() + (5.0 * (x - 0.3).abs() + 11.0 * y).sin();
        (127.5 + 42.0 * waves) as u8
    });
    let end = side - 1;
    // Where the pixel at (x, y) of the turned picture comes from.
    type Place = fn(usize, usize, usize) -> (usize, usize);
    let from: [Place; 8] = [
        |x, y, _| (x, y),
        |x, y, end| (end - y, x),
        |x, y, end| (end - x, end - y),
        |x, y, end| (y, end - x),
        |x, y, end| (x, end - y),
        |x, y, end| (end - x, y),
        |x, y, _| (y, x),
        |x, y, end| (end - y, end - x),
    ];
    let hash = |turn: usize| {
        let plane: Vec<u8> = (0..side * side)
            .map(|i| {
                let (x, y) = from[turn](i % side, i / side, end);
                grey(x, y)
            })
            .collect();
        pdq::hash_grey(side as u32, side as u32, &plane).unwrap()
    };
    let original = hash(0);
    for turn in pdq::Turn::ALL {
        let turned = hash(turn as usize).hash;
        let distances = original.turned.map(|h| h.distance(&turned));
        eprintln!("{turn:?}: {distances:?}");
        assert!(distances[turn as usize] <= 24, "{turn:?} {distances:?}");
        assert_eq!(distances.iter().min(), distances.get(turn as usize), "{turn:?} {distances:?}");
    }
}

#[test]
fn codes_are_stable() {
    let codes = pdq::ScalePath::ALL.map(pdq::ScalePath::code);
    let expected = [
        "full",
        "dct-1/2",
        "dct-1/4",
        "dct-1/8",
        "thumb-512",
        "dct-1/2+thumb-512",
        "dct-1/4+thumb-512",
        "dct-1/8+thumb-512",
    ];
    assert_eq!(codes, expected);
    for path in pdq::ScalePath::ALL {
        assert_eq!(pdq::ScalePath::from_code(path.code()), Some(path));
        assert!(path.then_thumbnail().is_thumbnail());
    }
    assert_eq!(pdq::ALGORITHM, "pdq-2019/avocet-2");
}

/// Sizes as Pillow 13 gives them for `Image.thumbnail((512, 512))`.
#[test]
fn thumbnail_sizes_are_pillows() {
    let expected = [
        ((512, 512), None),
        ((511, 3), None),
        ((513, 513), Some((512, 512))),
        ((1024, 768), Some((512, 384))),
        ((4032, 3024), Some((512, 384))),
        ((3024, 4032), Some((384, 512))),
        ((1600, 1004), Some((512, 321))),
        ((1001, 667), Some((512, 341))),
        ((5000, 1), Some((512, 1))),
        ((3, 2000), Some((1, 512))),
        ((777, 1333), Some((298, 512))),
    ];
    for ((width, height), size) in expected {
        assert_eq!(pdq::thumbnail_size(width, height), size, "{width}x{height}");
    }
}

/// One row of the reference table.
struct Row {
    path: String,
    width: u32,
    height: u32,
    full: (PdqHash, u8),
    small: (PdqHash, u8),
}

fn rows(folder: &Path) -> Vec<Row> {
    let table = std::fs::read_to_string(folder.join("perceptual/pdq/pdqhash-0.2.8-vectors.tsv")).unwrap();
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        Row {
            path: fields[0].to_owned(),
            width: fields[1].parse().unwrap(),
            height: fields[2].parse().unwrap(),
            full: (fields[3].parse().unwrap(), fields[4].parse().unwrap()),
            small: (fields[5].parse().unwrap(), fields[6].parse().unwrap()),
        }
    };
    table.lines().skip(1).map(row).filter(|row| folder.join(&row.path).is_file()).collect()
}

/// What a comparison came to.
#[derive(Default, PartialEq, Eq, Debug, Clone, Copy)]
struct Tally {
    pictures: u32,
    identical: u32,
    within_10: u32,
    most: u32,
}

impl Tally {
    fn add(&mut self, distance: u32) {
        self.pictures += 1;
        self.identical += u32::from(distance == 0);
        self.within_10 += u32::from(distance <= 10);
        self.most = self.most.max(distance);
    }
}

/// The table of `docs/validation/pdq.md`: run with `--nocapture`.
#[test]
fn the_reference_table() {
    let Some(folder) = testdata() else { return };
    let rows = rows(&folder);
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut note = |name, distance, quality: u8, path: &str| {
        if quality >= 80 {
            tallies.entry(name).or_default().add(distance);
            if distance > 10 {
                eprintln!("{name}: {distance} bits: {path}");
            }
        }
    };
    let mut other_sides = 0;
    for row in &rows {
        let bytes = std::fs::read(folder.join(&row.path)).unwrap();
        let pixels = if bytes.starts_with(&[0xFF, 0xD8]) {
            if let Ok(scaled) = jpeg::decode_scaled(&bytes, 512, false, jpeg::Limits::default()) {
                let (hashed, _) = pdq::hash_scaled(&scaled).unwrap();
                note("jpeg: ours, 512 or more, to full", hashed.hash.distance(&row.full.0), row.full.1, &row.path);
                if scaled.denominator > 1 {
                    note("jpeg: the same, reduced only", hashed.hash.distance(&row.full.0), row.full.1, &row.path);
                }
                let (small, _) = pdq::hash_scaled_512(&scaled).unwrap();
                note("jpeg: ours, then 512 form, to 512", small.hash.distance(&row.small.0), row.small.1, &row.path);
            }
            match zune_rgb(&bytes) {
                Some((width, height, rgb)) => Pixels::new(width, height, Layout::Rgb, rgb).unwrap(),
                None => continue,
            }
        } else {
            let Some(pixels) = plain(&bytes) else { continue };
            pixels
        };
        if (pixels.width(), pixels.height()) != (row.width, row.height) {
            // The table's values were taken from a reduced picture: no truth for the file as it is.
            other_sides += 1;
            continue;
        }
        let hashed = pdq::hash_pixels(&pixels);
        let luma = pdq::Luma::from_pixels(&pixels);
        let small = pdq::thumbnail_512(&luma, (row.width, row.height));
        let small = small.as_ref().map_or(hashed, pdq::hash);
        let [full, second] = match bytes.first() {
            Some(0xFF) => ["jpeg: zune RGB, to full", "jpeg: zune RGB, then 512 form, to 512"],
            Some(0x89) => ["png: 8-bit, to full", "png: 8-bit, 512 form, to 512"],
            _ => ["bmp: 24-bit, to full", "bmp: 24-bit, 512 form, to 512"],
        };
        note(full, hashed.hash.distance(&row.full.0), row.full.1, &row.path);
        note(second, small.hash.distance(&row.small.0), row.small.1, &row.path);
        if bytes.first() != Some(&0xFF) {
            // The same pixels: the same bits and the same quality, whatever it is.
            assert_eq!((hashed.hash, hashed.quality), row.full, "{}", row.path);
        }
    }
    for (name, tally) in &tallies {
        eprintln!("{name} | {} | {} | {} | {}", tally.pictures, tally.identical, tally.within_10, tally.most);
    }
    let pinned = [
        ("bmp: 24-bit, 512 form, to 512", [1, 1, 1, 0]),
        ("bmp: 24-bit, to full", [1, 1, 1, 0]),
        ("jpeg: ours, 512 or more, to full", [1044, 793, 1044, 8]),
        ("jpeg: ours, then 512 form, to 512", [1044, 795, 1044, 8]),
        ("jpeg: the same, reduced only", [32, 18, 32, 6]),
        ("jpeg: zune RGB, then 512 form, to 512", [1042, 973, 1042, 4]),
        ("jpeg: zune RGB, to full", [1042, 1008, 1042, 4]),
        ("png: 8-bit, 512 form, to 512", [46, 46, 46, 0]),
        ("png: 8-bit, to full", [46, 46, 46, 0]),
    ];
    let got = tallies.into_iter().map(|(name, t)| (name, [t.pictures, t.identical, t.within_10, t.most]));
    assert_eq!(got.collect::<Vec<_>>(), pinned);
    assert_eq!((rows.len(), other_sides), (1190, 5));
    eprintln!("rows with their file present: {}; made from other sides: {other_sides}", rows.len());
}

/// The pixels of a PNG or BMP whose channels are eight bits wide, so that no rounding and no palette stands between them
/// and Pillow's `convert("RGB")`.
fn plain(bytes: &[u8]) -> Option<Pixels> {
    if bytes.starts_with(b"BM") && bytes.get(28..30) != Some(&[24, 0]) {
        return None;
    }
    if !bytes.starts_with(b"BM") && !bytes.starts_with(b"\x89PNG") {
        return None;
    }
    let decoded = image::load_from_memory(bytes).ok()?;
    let (width, height) = (decoded.width(), decoded.height());
    let (layout, bytes) = match decoded {
        image::DynamicImage::ImageLuma8(i) => (Layout::Grey, i.into_raw()),
        image::DynamicImage::ImageRgb8(i) => (Layout::Rgb, i.into_raw()),
        image::DynamicImage::ImageRgba8(i) => (Layout::Rgba, i.into_raw()),
        _ => return None,
    };
    Pixels::new(width, height, layout, bytes)
}

/// The upstream pictures turned by hand: near to the form of the first picture that bears their name.
#[test]
fn turned_pictures_of_the_reference() {
    let Some(folder) = testdata() else { return };
    let hash = |name: &str| {
        let bytes = std::fs::read(folder.join("perceptual/pdq").join(name)).unwrap();
        let scaled = jpeg::decode_scaled(&bytes, u32::MAX, false, jpeg::Limits::default()).unwrap();
        pdq::hash_grey(scaled.luma.width, scaled.luma.height, &scaled.luma.samples).unwrap()
    };
    let original = hash("bridge-mods/aaa-orig.jpg");
    for (turn, name) in [(1, "2-rotate-90"), (2, "3-rotate-180"), (3, "4-rotate-270")] {
        let turned = hash(&format!("dih/bridge-{name}.jpg")).hash;
        let distances = original.turned.map(|h| h.distance(&turned));
        eprintln!("{name}: {distances:?}");
        assert_eq!(distances.iter().enumerate().min_by_key(|(_, d)| **d).map(|(i, _)| i), Some(turn));
    }
}
