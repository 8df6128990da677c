//! How much of a picture a veiled one still shows.

use std::f64::consts::PI;

use avocet_media::derivative::{VEILED_SIDE, make};
use avocet_media::{Layout, Pixels};

use super::{Seeded, Seen};
use crate::support::testdata;

/// From this many cycles along the long side upward nothing may be left.
const CYCLES: f64 = 6.0;

/// The root mean square of what lies at or above `CYCLES` cycles along the long side, in levels: from the cosine
/// transform (DCT-II), in which wave `k` along `n` pixels is `k / 2` cycles along them.
fn detail(grey: &[u8], width: usize, height: usize) -> f64 {
    let basis = |n: usize| -> Vec<f64> {
        (0..n * n)
            .map(|i| {
                let (k, x) = ((i / n) as f64, (i % n) as f64);
                let norm = if k == 0.0 { 1.0 } else { 2.0 } / n as f64;
                norm.sqrt() * (PI * (x + 0.5) * k / n as f64).cos()
            })
            .collect()
    };
    let (across, down) = (basis(width), basis(height));
    let rows: Vec<Vec<f64>> = grey
        .chunks(width)
        .map(|row| across.chunks(width).map(|b| b.iter().zip(row).map(|(b, v)| b * f64::from(*v)).sum()).collect())
        .collect();
    let long = width.max(height) as f64;
    let mut energy = 0.0;
    for (ky, wave) in down.chunks(height).enumerate() {
        for kx in 0..width {
            let cycles = (kx as f64 / width as f64).hypot(ky as f64 / height as f64) * long / 2.0;
            if cycles >= CYCLES {
                let value: f64 = wave.iter().zip(&rows).map(|(b, row)| b * row[kx]).sum();
                energy += value * value;
            }
        }
    }
    (energy / (width * height) as f64).sqrt()
}

/// Detail of a picture reduced to the veiled size without a blur, and of its veiled form.
fn before_and_after(pixels: &Pixels) -> (f64, f64) {
    let veiled = Seen::decode(&make(pixels, 1).unwrap().veiled).unwrap();
    let (w, h, n) = (pixels.width() as usize, pixels.height() as usize, pixels.layout().bytes());
    // Point samples: more detail than a mean would leave, but for the comparison only.
    let small: Vec<u8> = (0..veiled.width * veiled.height)
        .map(|i| {
            let (x, y) = (i % veiled.width * w / veiled.width, i / veiled.width * h / veiled.height);
            pixels.bytes()[(y * w + x) * n + n / 2]
        })
        .collect();
    (detail(&small, veiled.width, veiled.height), detail(&veiled.bytes, veiled.width, veiled.height))
}

fn grey(width: usize, height: usize, value: impl Fn(usize, usize) -> u8) -> Pixels {
    let bytes = (0..width * height).map(|i| value(i % width, i / width)).collect();
    Pixels::new(width as u32, height as u32, Layout::Grey, bytes).unwrap()
}

/// Half the difference between lightest and darkest, away from the border.
fn swing(seen: &Seen) -> u8 {
    (seen.bytes.iter().max().unwrap() - seen.bytes.iter().min().unwrap()) / 2
}

#[test]
fn waves_from_six_cycles_are_gone_and_slow_ones_stay() {
    for across in [true, false] {
        for cycles in [1.0, 2.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 16.0, 24.0, 40.0] {
            let wave = |at: usize| (127.5 + 127.0 * (2.0 * PI * cycles * (at as f64 + 0.5) / 960.0).cos()) as u8;
            let pixels = grey(960, 960, |x, y| wave(if across { x } else { y }));
            let veiled = Seen::decode(&make(&pixels, 1).unwrap().veiled).unwrap();
            if cycles < 6.0 {
                // Otherwise a plain grey picture would pass for a good veil.
                assert!(swing(&veiled) > 40, "{cycles} cycles: {}", swing(&veiled));
            } else {
                assert!(swing(&veiled) <= 1, "{cycles} cycles: {}", swing(&veiled));
            }
        }
    }
}

/// The most that may be left: rounding to 8 bits and the JPEG quantiser put about half a level there by themselves.
const LEFT: f64 = 1.0;

#[test]
fn no_detail_of_hard_patterns_is_left() {
    let mut seeded = Seeded(11);
    let noise = seeded.bytes(800 * 600);
    let blocks = seeded.bytes(40 * 30);
    let face = |x: usize, y: usize| {
        // A light disc with two dark discs and a bar, filling the picture.
        let near = |cx: f64, cy: f64, r: f64| (x as f64 - cx).hypot(y as f64 - cy) < r;
        if near(270.0, 300.0, 50.0) || near(530.0, 300.0, 50.0) || (y.abs_diff(560) < 25 && x.abs_diff(400) < 140) {
            0
        } else if near(400.0, 400.0, 380.0) {
            255
        } else {
            90
        }
    };
    let patterns = [
        ("noise", grey(800, 600, |x, y| noise[y * 800 + x])),
        ("black and white noise", grey(800, 600, |x, y| if noise[y * 800 + x] > 127 { 255 } else { 0 })),
        ("random blocks of 20", grey(800, 600, |x, y| if blocks[y / 20 * 40 + x / 20] > 127 { 255 } else { 0 })),
        ("checkerboard of 50", grey(800, 600, |x, y| if (x / 50 + y / 50) % 2 == 0 { 255 } else { 0 })),
        (
            "rings",
            grey(800, 800, |x, y| {
                if ((x as f64 - 400.0).hypot(y as f64 - 400.0) as usize / 30).is_multiple_of(2) { 255 } else { 0 }
            }),
        ),
        ("a drawn face", grey(800, 800, face)),
        ("one edge", grey(800, 600, |x, _| if x < 333 { 255 } else { 0 })),
        ("wide", grey(4000, 300, |x, y| if (x / 20 + y / 20) % 2 == 0 { 255 } else { 0 })),
        ("an icon", grey(16, 16, |x, y| if (x / 2 + y / 2) % 2 == 0 { 255 } else { 0 })),
    ];
    for (name, pixels) in patterns {
        let (before, after) = before_and_after(&pixels);
        println!("{name}: {before:.1} levels before, {after:.2} after");
        assert!(before > 15.0, "{name} has detail to lose: {before}");
        assert!(after <= LEFT, "{name}: {after}");
    }
}

#[test]
fn no_detail_of_photographs_is_left() {
    let Some(data) = testdata() else { return eprintln!("skipped 853 photographs") };
    let mut files = Vec::new();
    let mut folders = vec![data.join("pictures/corpus")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    let (mut seen, mut skipped, mut worst, mut sum_before, mut sum_after) = (0u32, 0u32, 0.0f64, 0.0, 0.0);
    for file in &files {
        let Some(photo) = Seen::decode(&std::fs::read(file).unwrap()) else {
            skipped += 1;
            continue;
        };
        let layout = if photo.channels == 1 { Layout::Grey } else { Layout::Rgb };
        let pixels = Pixels::new(photo.width as u32, photo.height as u32, layout, photo.bytes).unwrap();
        let long = pixels.width().max(pixels.height());
        assert!(long >= VEILED_SIDE);
        let (before, after) = before_and_after(&pixels);
        assert!(after <= LEFT, "photograph {seen}: {after}");
        (worst, sum_before, sum_after) = (worst.max(after), sum_before + before, sum_after + after);
        seen += 1;
    }
    let mean = |sum: f64| sum / f64::from(seen);
    println!(
        "{seen} photographs, {skipped} not decoded: detail {:.1} levels before, {:.2} after on average, {worst:.2} at most",
        mean(sum_before),
        mean(sum_after)
    );
    assert!(seen >= 800, "only {seen} of {} decoded", files.len());
}
