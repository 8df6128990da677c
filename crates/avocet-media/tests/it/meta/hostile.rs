//! Hostile bytes: never a panic, never more than the stated bounds, always the same answer.

use std::fs;
use std::path::{Path, PathBuf};

use avocet_media::meta::{Metadata, ProblemCode, Source, read};

use super::build::*;
use crate::support::testdata;

fn check(bytes: &[u8]) -> Metadata {
    let meta = read(bytes);
    assert!(meta.facts.len() <= 512 && meta.problems.len() <= 32);
    assert!(meta.facts.iter().all(|f| !f.value.is_empty() && f.value.len() <= 1024));
    assert!(meta.facts.iter().all(|f| f.value.chars().all(|c| !c.is_control())));
    assert!(meta.facts.is_sorted_by_key(|f| (f.key, f.source)));
    assert!(meta.thumbnail.as_ref().is_none_or(|t| t.len() <= 4 << 20 && t.starts_with(&[0xff, 0xd8])));
    let _ = (meta.taken().map(|t| t.iso()), meta.camera(), meta.place());
    meta
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() { files(&entry, out) } else { out.push(entry) }
    }
}

/// xorshift64*: seeded, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n.max(1)
    }
}

/// One to twelve bytes changed, mostly near the beginning where the structures are, or a cut.
fn mutate(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if random.below(8) == 0 {
        out.truncate(random.below(bytes.len() + 1));
    }
    for _ in 0..=random.below(12) {
        let reach = if random.below(4) == 0 { out.len() } else { out.len().min(2048) };
        let at = random.below(reach);
        if let Some(byte) = out.get_mut(at) {
            *byte = [0, 0xff, 0x7f, 0x80, 1, random.below(256) as u8][random.below(6)];
        }
    }
    out
}

fn rounds() -> usize {
    std::env::var("AVOCET_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

#[test]
fn corrupt_files() {
    let Some(root) = testdata() else { return };
    let mut all = Vec::new();
    files(&root.join("pictures/corrupt"), &mut all);
    assert_eq!(all.len(), 333);
    for path in &all {
        let bytes = fs::read(path).expect("a file");
        assert_eq!(check(&bytes), check(&bytes));
    }
}

#[test]
fn mutants_of_real_files() {
    let Some(root) = testdata() else { return };
    let mut all = Vec::new();
    for folder in ["pictures/exif", "pictures/formats"] {
        files(&root.join(folder), &mut all);
    }
    let mut random = Random(0x5eed_0001);
    let mut count = 0;
    for path in &all {
        let bytes = fs::read(path).expect("a file");
        // What is read lies in the first part of nearly all; whole large files would only cost time.
        let head = &bytes[..bytes.len().min(300_000)];
        for _ in 0..rounds() {
            check(&mutate(head, &mut random));
            count += 1;
        }
    }
    println!("{count} mutants of {} files", all.len());
}

#[test]
fn mutants_of_made_files() {
    let gps = vec![(1, ascii("N")), (2, Value::Ratios(vec![(3, 1), (4, 1), (5, 1)]))];
    let exif = vec![
        (0x9003, ascii("2021:04:11 15:47:53")),
        (0x927c, Value::Bytes(b"Nikon\0\x02\0\0\0MM\0*\0\0\0\x08\0\0".to_vec())),
    ];
    let block = tiff_with_thumbnail(
        Order::Big,
        &[
            (0x010f, ascii("Canon")),
            (0x8769, Value::Dir(exif)),
            (0x8825, Value::Dir(gps)),
            (0x014a, Value::Dir(vec![])),
        ],
        &jpeg(&[]),
    );
    let packet = xmp("aux:SerialNumber='1'", "<dc:creator><rdf:Seq><rdf:li>a &amp; b</rdf:li></rdf:Seq></dc:creator>");
    let seeds = [
        jpeg(&[exif_segment(&block), xmp_segment(&packet)]),
        block.clone(),
        heif(&block, &packet),
        png(&[
            (b"eXIf", block.clone()),
            (b"zTXt", [&b"Raw profile type exif\0\0"[..], &deflated(b"\nexif\n4\n4d4d002a")].concat()),
        ]),
        [
            iso_box(b"JXL ", b"\r\n\x87\n"),
            iso_box(b"brob", &[&b"xml "[..], &brotli_stored(packet.as_bytes())].concat()),
        ]
        .concat(),
    ];
    let mut random = Random(0x5eed_0002);
    for seed in &seeds {
        for cut in 0..seed.len() {
            check(&seed[..cut]);
        }
        for _ in 0..rounds() * 1000 {
            check(&mutate(seed, &mut random));
        }
    }
}

fn has(meta: &Metadata, code: ProblemCode) -> bool {
    meta.problems.iter().any(|p| p.code == code)
}

#[test]
fn loops_and_floods() {
    // A directory that is its own EXIF directory and its own next one.
    let mut own = tiff(Order::Little, &[(0x8769, Value::Long(8))]);
    let end = own.len();
    own[end - 4..].copy_from_slice(&8u32.to_le_bytes());
    let meta = check(&jpeg(&[exif_segment(&own)]));
    assert_eq!(meta.problems.iter().map(|p| (p.code, p.count)).collect::<Vec<_>>(), [(ProblemCode::DirectoryLoop, 2)]);

    // Directories that overlap, each chained to the next byte pair.
    let mut chain = b"II*\0\x08\0\0\0".to_vec();
    for n in 0..2000u32 {
        chain.extend([0, 0]);
        chain.extend((8 + (n + 1) * 6).to_le_bytes());
    }
    assert!(has(&check(&chain), ProblemCode::TooMuch));

    // More values than anyone writes.
    let many: String = (0..5000).map(|n| format!("<rdf:li>person {n}</rdf:li>")).collect();
    let packet = xmp("", &format!("<dc:creator><rdf:Bag>{many}</rdf:Bag></dc:creator>"));
    let meta = check(&png(&[(b"iTXt", [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], packet.as_bytes()].concat())]));
    assert!(has(&meta, ProblemCode::TooMuch) && meta.facts.len() <= 512);

    // Elements without end, entities without end.
    let deep = "<a>".repeat(200_000);
    assert!(has(
        &check(&png(&[(b"iTXt", [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], deep.as_bytes()].concat())])),
        ProblemCode::TooMuch
    ));
    let entities = format!("<rdf:Description tiff:Make='{}'/>", "&".repeat(2_000_000));
    check(&png(&[(b"iTXt", [&b"XML:com.adobe.xmp\0\0\0\0\0"[..], entities.as_bytes()].concat())]));

    // 64 MiB of blanks in 64 KiB.
    let bomb = [&b"XML:com.adobe.xmp\0\x01\0\0\0"[..], &deflated(&vec![b' '; 64 << 20])].concat();
    assert!(has(&check(&png(&[(b"iTXt", bomb.clone()), (b"iTXt", bomb)])), ProblemCode::TooMuch));

    // Items that all name the whole file.
    let infe: Vec<u8> = (1..1000u16)
        .flat_map(|id| iso_box(b"infe", &[&[2, 0, 0, 0][..], &id.to_be_bytes(), &[0, 0], b"Exif\0"].concat()))
        .collect();
    let places: Vec<u8> =
        (1..1000u16).flat_map(|id| [&id.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]].concat()).collect();
    let iinf = iso_box(b"iinf", &[&[0, 0, 0, 0, 3, 231][..], &infe].concat());
    let iloc = iso_box(b"iloc", &[&[0, 0, 0, 0, 0x44, 0, 3, 231][..], &places].concat());
    let file =
        [iso_box(b"ftyp", b"heic\0\0\0\0"), iso_box(b"meta", &[&[0; 4][..], &iinf, &iloc].concat()), vec![0; 1 << 20]]
            .concat();
    let meta = check(&file);
    assert!(has(&meta, ProblemCode::TooMuch));
    assert!(meta.facts.iter().all(|f| f.source != Source::MakerNote));
}
