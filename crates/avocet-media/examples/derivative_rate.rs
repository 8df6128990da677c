//! Prints what derivatives cost: milliseconds a picture, and rates of the store.
//!
//! `cargo run --release -p avocet-media --example derivative_rate -- [ITEMS [small]]` with 100,000 items unless told
//! otherwise, in a temporary folder (TMPDIR says where). Pictures are generated; `small` stores the veiled one twice, to
//! count memory over many items without filling the disk.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people")]

use std::hint::black_box;
use std::time::Instant;

use avocet_base::Sha256;
use avocet_media::derivative::{KeyFile, Kind, Plane, Protector, Reader, Writer, make, make_from_ycc};
use avocet_media::{Layout, Pixels};

/// A picture with edges, gradients and grain: JPEG files of about the length of a photograph's.
fn picture(width: u32, height: u32, layout: Layout) -> Pixels {
    let mut state = 1u32;
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (state >> 28) as u8;
            let shape = if ((x * 23 / width) ^ (y * 17 / height)) & 1 == 0 { 60 } else { 0 };
            let rgb = [(x * 150 / width) as u8, (y * 150 / height) as u8, ((x + y) * 70 / width) as u8];
            bytes.extend(rgb.iter().take(layout.bytes()).map(|c| c.saturating_add(shape + grain)));
            if layout == Layout::Rgba {
                bytes.push((x % 256) as u8);
            }
        }
    }
    Pixels::new(width, height, layout, bytes).unwrap()
}

/// The fastest and the median of 51 rounds of 5, in milliseconds each: on a machine that others use, the fastest says
/// what the work costs and the median what was had.
fn milliseconds<T>(mut work: impl FnMut() -> T) -> String {
    let mut rounds: Vec<f64> = (0..51)
        .map(|_| {
            let start = Instant::now();
            (0..5).for_each(|_| drop(black_box(work())));
            start.elapsed().as_secs_f64() * 1000.0 / 5.0
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    let at = |i: usize| rounds.get(i).copied().unwrap_or_default();
    format!("{:.2} ms a picture at best, {:.2} ms median", at(0), at(25))
}

/// Resident memory in MiB, where Linux tells.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    line.and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let items: u64 = arguments.next().map_or(100_000, |n| n.parse().unwrap());
    for (width, height, layout) in [
        (1008, 756, Layout::Rgb),
        (1008, 756, Layout::Grey),
        (1008, 756, Layout::Rgba),
        (504, 378, Layout::Rgb),
        (4032, 3024, Layout::Rgb),
    ] {
        let pixels = picture(width, height, layout);
        let made = make(&pixels, 6).unwrap();
        let ms = milliseconds(|| make(&pixels, 6).unwrap());
        println!(
            "make {width}x{height} {layout:?}: {ms}; clear {} bytes, veiled {} bytes",
            made.clear.len(),
            made.veiled.len()
        );
    }
    for (width, height) in [(1008, 756), (504, 378)] {
        let luma = picture(width, height, Layout::Grey);
        let chroma = picture(width / 2, height / 2, Layout::Grey);
        let plane = |p: &Pixels, w: u32, h: u32| (w, h, p.bytes().to_vec());
        let (lw, lh, lb) = plane(&luma, width, height);
        let (cw, ch, cb) = plane(&chroma, width / 2, height / 2);
        let y = Plane::new(lw, lh, lw as usize, &lb).unwrap();
        let c = Plane::new(cw, ch, cw as usize, &cb).unwrap();
        let ms = milliseconds(|| make_from_ycc(y, Some((c, c)), 6).unwrap());
        println!("make_from_ycc {width}x{height}, chroma half: {ms}");
    }

    let made = make(&picture(1008, 756, Layout::Rgb), 1).unwrap();
    let clear = if arguments.next().as_deref() == Some("small") { &made.veiled } else { &made.clear };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rate.derivatives");
    let key = Protector::KeyFile(KeyFile::from_bytes(&[9; 32]).unwrap());
    let sha256 = |i: u64| {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(i.to_le_bytes()).for_each(|(b, v)| *b = v);
        Sha256(bytes)
    };
    let before = resident();
    let start = Instant::now();
    let mut writer = Writer::create(&path, &key, [0; 32]).unwrap();
    for i in 0..items {
        writer.put(&sha256(i), &made.veiled, clear).unwrap();
    }
    let put = start.elapsed().as_secs_f64();
    let memory = resident() - before;
    let start = Instant::now();
    let finished = writer.finish().unwrap();
    let finish = start.elapsed().as_secs_f64();
    println!(
        "put: {:.0} contents/s, {:.0} MB/s, {memory:.1} MiB more memory for {items} contents ({:.0} bytes each)",
        items as f64 / put,
        finished.bytes as f64 / put / 1e6,
        memory * 1024.0 * 1024.0 / items.max(1) as f64
    );
    println!("finish: {finish:.2} s with fsync; {} bytes, {} a content", finished.bytes, finished.bytes / items.max(1));

    let before = resident();
    let reader = Reader::open(&path, &key).unwrap();
    for kind in [Kind::Veiled, Kind::Clear] {
        let mut state = 5u64;
        let mut times: Vec<f64> = (0..items.min(50_000))
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let wanted = sha256((state >> 20) % items);
                let start = Instant::now();
                black_box(reader.get(&wanted, kind).unwrap().unwrap());
                start.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        let total: f64 = times.iter().sum();
        times.sort_by(f64::total_cmp);
        let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100).copied().unwrap_or_default();
        println!(
            "get {kind:?}: {:.0}/s; median {:.1} us, 95th percentile {:.1} us",
            times.len() as f64 / total * 1e6,
            at(50),
            at(95)
        );
    }
    let start = Instant::now();
    let absent = items.min(50_000);
    let found = (0..absent).filter(|i| reader.get(&sha256(items + i), Kind::Clear).unwrap().is_some()).count();
    println!("absent: {:.0}/s, {found} found", absent as f64 / start.elapsed().as_secs_f64());
    println!("reading took {:.1} MiB more memory", resident() - before);
    let start = Instant::now();
    let verified = reader.verify().unwrap();
    println!("verify: {} contents in {:.2} s", verified.items, start.elapsed().as_secs_f64());
}
