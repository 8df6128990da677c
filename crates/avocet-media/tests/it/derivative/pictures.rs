use avocet_media::derivative::{Made, Plane, halved, make, make_from_ycc};
use avocet_media::{Layout, Pixels};

use super::{Seeded, Seen};
use crate::support::testdata;

/// A smooth coloured picture without any symmetry, with an edge and a corner mark.
fn scene(width: usize, height: usize) -> Pixels {
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f64 / width as f64, y as f64 / height as f64);
            let mark = if u < 0.3 && v < 0.2 { 90.0 } else { 0.0 };
            bytes.push((40.0 + 120.0 * u + mark).min(255.0) as u8);
            bytes.push((30.0 + 150.0 * v * u + mark).min(255.0) as u8);
            bytes.push((200.0 - 140.0 * v) as u8);
        }
    }
    Pixels::new(width as u32, height as u32, Layout::Rgb, bytes).unwrap()
}

/// Turns a stored picture upright from the words of Exif 2.32, table 6: on which visual side row 0 and column 0 lie.
fn upright(p: &Pixels, orientation: u8) -> Pixels {
    let (w, h, n) = (p.width() as usize, p.height() as usize, p.layout().bytes());
    let (row0, column0) = match orientation {
        1 => ("top", "left"),
        2 => ("top", "right"),
        3 => ("bottom", "right"),
        4 => ("bottom", "left"),
        5 => ("left", "top"),
        6 => ("right", "top"),
        7 => ("right", "bottom"),
        _ => ("left", "bottom"),
    };
    let (out_w, out_h) = if ["left", "right"].contains(&row0) { (h, w) } else { (w, h) };
    let mut out = vec![0; out_w * out_h * n];
    for r in 0..h {
        for c in 0..w {
            let (mut x, mut y) = (0, 0);
            for (side, steps) in [(row0, r), (column0, c)] {
                match side {
                    "top" => y = steps,
                    "bottom" => y = out_h - 1 - steps,
                    "left" => x = steps,
                    _ => x = out_w - 1 - steps,
                }
            }
            let (from, to) = ((r * w + c) * n, (y * out_w + x) * n);
            out[to..to + n].copy_from_slice(&p.bytes()[from..from + n]);
        }
    }
    Pixels::new(out_w as u32, out_h as u32, p.layout(), out).unwrap()
}

fn seen(made: &Made) -> (Seen, Seen) {
    (Seen::decode(&made.veiled).unwrap(), Seen::decode(&made.clear).unwrap())
}

/// The segments of a JPEG file up to its scan, by hand: marker and content.
fn segments(jpeg: &[u8]) -> Vec<(u8, &[u8])> {
    assert_eq!(jpeg[..2], [0xff, 0xd8]);
    let (mut at, mut out) = (2, Vec::new());
    loop {
        assert_eq!(jpeg[at], 0xff);
        let length = usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        out.push((jpeg[at + 1], &jpeg[at + 4..at + 2 + length]));
        if jpeg[at + 1] == 0xda {
            return out;
        }
        at += 2 + length;
    }
}

#[test]
fn sizes_channels_and_no_metadata() {
    // Source size, veiled size, clear size.
    let cases = [
        ((1008, 756), (96, 72), (400, 300)),
        ((756, 1008), (72, 96), (300, 400)),
        ((401, 400), (96, 96), (400, 399)),
        ((400, 400), (96, 96), (400, 400)),
        ((64, 64), (96, 96), (64, 64)),
        ((20, 10), (96, 48), (20, 10)),
        ((1, 1), (96, 96), (1, 1)),
        ((2, 1), (96, 48), (2, 1)),
        ((1, 20_000), (1, 96), (1, 400)),
        ((20_000, 1), (96, 1), (400, 1)),
        ((65_535, 3), (96, 1), (400, 1)),
        ((3, 9_000), (1, 96), (1, 400)),
    ];
    for ((w, h), veiled_size, clear_size) in cases {
        for layout in [Layout::Grey, Layout::Rgb, Layout::Rgba] {
            let bytes = Seeded(w as u64).bytes(w * h * layout.bytes());
            let pixels = Pixels::new(w as u32, h as u32, layout, bytes).unwrap();
            let made = make(&pixels, 1).unwrap();
            let (veiled, clear) = seen(&made);
            assert_eq!((veiled.size(), veiled.channels), (veiled_size, 1), "{w}x{h} {layout:?}");
            let channels = if layout == Layout::Grey { 1 } else { 3 };
            assert_eq!((clear.size(), clear.channels), (clear_size, channels), "{w}x{h} {layout:?}");
            for jpeg in [&made.veiled, &made.clear] {
                for (marker, content) in segments(jpeg) {
                    match marker {
                        // JFIF: its name, version, density 1:1, and no thumbnail.
                        0xe0 => assert!(content.starts_with(b"JFIF\0") && content.ends_with(&[0, 0])),
                        // Tables, frame, scan.
                        0xdb | 0xc0 | 0xc4 | 0xda => {}
                        other => panic!("segment {other:02x}"),
                    }
                }
                assert_eq!(jpeg[jpeg.len() - 2..], [0xff, 0xd9]);
            }
        }
    }
}

#[test]
fn all_orientations_of_unscaled_pictures_are_exact() {
    let stored = scene(37, 23);
    for orientation in 1..=8 {
        let turned = upright(&stored, orientation);
        assert_eq!(make(&stored, orientation).unwrap(), make(&turned, 1).unwrap(), "orientation {orientation}");
        assert_eq!(turned == stored, orientation == 1);
    }
    for none in [0, 9, 255] {
        assert_eq!(make(&stored, none).unwrap(), make(&stored, 1).unwrap());
    }
}

#[test]
fn all_orientations_of_scaled_pictures_agree() {
    let stored = scene(1001, 747);
    let as_stored = seen(&make(&stored, 1).unwrap());
    for orientation in 1..=8 {
        let turned = seen(&make(&upright(&stored, orientation), 1).unwrap());
        let ours = seen(&make(&stored, orientation).unwrap());
        assert!(ours.1.difference(&turned.1) < 1.0, "orientation {orientation}: {}", ours.1.difference(&turned.1));
        assert!(ours.0.difference(&turned.0) < 1.0, "orientation {orientation}");
        if orientation != 1 && ours.1.size() == as_stored.1.size() {
            assert!(ours.1.difference(&as_stored.1) > 5.0, "orientation {orientation} changes the picture");
        }
    }
}

#[test]
fn photographs_stored_in_every_orientation_come_out_alike() {
    let Some(data) = testdata() else { return eprintln!("skipped 7 cases") };
    let folder = data.join("pictures/exif/exif-samples");
    let made = |n: u8| {
        let photo =
            Seen::decode(&std::fs::read(folder.join(format!("orientation_portrait_{n}.jpg"))).unwrap()).unwrap();
        let pixels = Pixels::new(photo.width as u32, photo.height as u32, Layout::Rgb, photo.bytes).unwrap();
        seen(&make(&pixels, n).unwrap())
    };
    let first = made(2);
    for n in 3..=8 {
        let other = made(n);
        let (veiled, clear) = (first.0.difference(&other.0), first.1.difference(&other.1));
        println!("orientation {n}: mean difference clear {clear:.2}, veiled {veiled:.2} levels");
        // The samples were compressed apart after turning: equal to some levels, not by bytes.
        assert!(clear < 6.0 && veiled < 3.0, "orientation {n}: {clear} {veiled}");
    }
}

#[test]
fn the_clear_picture_is_the_picture() {
    for (w, h) in [(1008, 756), (400, 300), (123, 77), (3000, 1000)] {
        let (_, clear) = seen(&make(&scene(w, h), 1).unwrap());
        // The same scene drawn at the small size is what a perfect reduction gives, but for the edge of the mark.
        let drawn = scene(clear.width, clear.height);
        let drawn = Seen { width: clear.width, height: clear.height, channels: 3, bytes: drawn.bytes().to_vec() };
        assert!(clear.difference(&drawn) < 2.0, "{w}x{h}: {}", clear.difference(&drawn));
    }
}

#[test]
fn the_same_pixels_give_the_same_bytes() {
    let make_both = || {
        let photo = scene(1008, 756);
        let luma: Vec<u8> = photo.bytes().iter().step_by(3).copied().collect();
        let plane = Plane::new(1008, 756, 1008, &luma).unwrap();
        (make(&photo, 6).unwrap(), make_from_ycc(plane, Some((plane, plane)), 6).unwrap())
    };
    let here = make_both();
    assert_eq!(std::thread::spawn(make_both).join().unwrap(), here);
}

#[test]
fn transparency_shows_mid_grey() {
    let rgba = |alpha: u8| {
        let bytes = [255, 0, 128, alpha].repeat(500 * 500);
        seen(&make(&Pixels::new(500, 500, Layout::Rgba, bytes).unwrap(), 1).unwrap())
    };
    let near = |seen: &Seen, wanted: [u8; 3]| {
        seen.bytes.chunks(3).all(|p| p.iter().zip(wanted).all(|(got, wanted)| got.abs_diff(wanted) <= 3))
    };
    let (veiled, clear) = rgba(0);
    assert!(near(&clear, [128; 3]) && veiled.bytes.iter().all(|v| v.abs_diff(128) <= 1));
    assert!(near(&rgba(255).1, [255, 0, 128]));
    assert!(near(&rgba(128).1, [192, 64, 128]));
}

/// Full-range YCbCr of JFIF 1.02 in floating point.
fn to_ycc([r, g, b]: [f64; 3]) -> [f64; 3] {
    let y = 0.299 * r + 0.587 * g + 0.114 * b;
    [y, 128.0 + (b - y) / 1.772, 128.0 + (r - y) / 1.402]
}

#[test]
fn planes_give_what_pixels_give() {
    for (w, h, half) in [(1008usize, 756usize, true), (505, 377, true), (333, 250, false)] {
        let photo = scene(w, h);
        let pixel = |x: usize, y: usize| {
            let at = (y.min(h - 1) * w + x.min(w - 1)) * 3;
            to_ycc([0, 1, 2].map(|c| f64::from(photo.bytes()[at + c])))
        };
        // Rows longer than the picture, as block-wise decoders leave them; what is behind must not be read.
        let stride = w.next_multiple_of(16) + 16;
        let mut luma = vec![255; stride * h];
        (0..w * h).for_each(|i| luma[i / w * stride + i % w] = pixel(i % w, i / w)[0].round() as u8);
        let step = if half { 2 } else { 1 };
        let (cw, ch) = (w.div_ceil(step), h.div_ceil(step));
        let chroma = |c: usize| -> Vec<u8> {
            (0..cw * ch).map(|i| pixel(i % cw * step, i / cw * step)[c].round().clamp(0.0, 255.0) as u8).collect()
        };
        let (cb, cr) = (chroma(1), chroma(2));
        let plane = |bytes| Plane::new(cw as u32, ch as u32, cw, bytes).unwrap();
        let y = Plane::new(w as u32, h as u32, stride, &luma).unwrap();
        for orientation in [1, 6] {
            let ours = seen(&make_from_ycc(y, Some((plane(&cb), plane(&cr))), orientation).unwrap());
            let reference = seen(&make(&photo, orientation).unwrap());
            assert!(ours.1.difference(&reference.1) < 2.0, "{w}x{h}: {}", ours.1.difference(&reference.1));
            assert!(ours.0.difference(&reference.0) < 1.0, "{w}x{h}: {}", ours.0.difference(&reference.0));
        }
        let grey: Vec<u8> = luma.chunks(stride).flat_map(|row| &row[..w]).copied().collect();
        let grey = Pixels::new(w as u32, h as u32, Layout::Grey, grey).unwrap();
        assert_eq!(make_from_ycc(y, None, 3).unwrap(), make(&grey, 3).unwrap());
    }
}

#[test]
fn planes_that_are_none_are_refused() {
    let bytes = [0; 100];
    assert!(Plane::new(10, 10, 10, &bytes).is_some());
    assert!(Plane::new(9, 10, 10, &bytes[..99]).is_some());
    let bad = [(0, 10, 10), (10, 0, 10), (10, 10, 9), (10, 11, 10), (11, 10, 11), (u32::MAX, u32::MAX, usize::MAX)];
    for (w, h, stride) in bad {
        assert!(Plane::new(w, h, stride, &bytes).is_none(), "{w} {h} {stride}");
    }
}

#[test]
fn half_of_a_clear_picture_is_the_same_scene_at_half_its_sides() {
    for (w, h) in [(1008, 756), (123, 77), (1, 1)] {
        let made = make(&scene(w, h), 1).unwrap();
        let (_, whole) = seen(&made);
        let half = Seen::decode(&halved(&made.clear).unwrap()).unwrap();
        assert_eq!((half.width, half.height), (whole.width.div_ceil(2), whole.height.div_ceil(2)));
        let drawn = scene(half.width, half.height);
        let drawn = Seen { width: half.width, height: half.height, channels: 3, bytes: drawn.bytes().to_vec() };
        assert!(half.difference(&drawn) < 4.0, "{w}x{h}: {}", half.difference(&drawn));
    }
    assert!(halved(b"no picture").is_err());
}
