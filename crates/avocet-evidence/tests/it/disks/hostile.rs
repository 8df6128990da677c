//! Seeded damage in what says where blocks lie: no panic, no hang, no bytes from nowhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::container::open_disk;
use avocet_evidence::{MemorySource, OpenError, Source};

use super::{convert, disk, has};
use crate::support::{Random, skipped};

/// Mutants of each image.
const MUTANTS: u64 = 200;

/// The images that are damaged: format, options, packed.
const BASES: &[(&str, &str, bool)] = &[
    ("qcow", "", false),
    ("qcow2", "cluster_size=4096", false),
    ("qcow2", "cluster_size=4096", true),
    ("qcow2", "cluster_size=4096,compression_type=zstd", true),
    ("vpc", "force_size=on", false),
    ("vhdx", "block_size=1M", false),
    ("vmdk", "", false),
    ("vmdk", "subformat=streamOptimized", false),
];

fn open(bytes: Vec<u8>) -> Result<Arc<dyn Source>, OpenError> {
    let mut none = |_: &[u8]| Err(OpenError::malformed("test", 0, "no extents here"));
    open_disk(Arc::new(MemorySource(bytes)), &mut none).map(|d| d.source)
}

/// Reads the disk's beginning, middle and end; how many reads gave bytes.
fn read_some(source: &dyn Source) -> u32 {
    let (mut good, length) = (0, source.len());
    let mut buf = vec![0; 70_000];
    for at in (0..64).map(|i| length / 64 * i).chain((0..20).map(|i| i * 65_536)).chain([length - 1, u64::MAX]) {
        match source.read_at(at, &mut buf) {
            Ok(n) => {
                assert_eq!(n as u64, length.saturating_sub(at).min(70_000), "fewer bytes only at the end");
                good += 1;
            }
            Err(e) => assert!(e.offset >= at && e.offset < length && !e.detail.is_empty(), "{e}"),
        }
    }
    good
}

#[test]
fn seeded_damage_costs_at_most_the_disk_and_no_time() {
    if !has("qemu-img") {
        return skipped(BASES.len() * MUTANTS as usize, "no qemu-img");
    }
    for (format, options, packed) in BASES {
        let folder = tempfile::tempdir().unwrap();
        disk(&folder.path().join("disk.raw"), 3 << 20, &[0, 70_000 / 512 * 512, 1 << 20, 2 << 20, (3 << 20) - 512]);
        convert(format, options, *packed, folder.path());
        let bytes = std::fs::read(folder.path().join("made.img")).unwrap();
        let whole = read_some(&*open(bytes.clone()).unwrap());
        let places = metadata(&bytes);
        let (mut refused, mut different) = (0, 0);
        for seed in 1..=MUTANTS {
            let mut random = Random(seed * 0x9E37_79B9 + 1);
            let mut wrong = bytes.clone();
            for _ in 0..1 + random.next() % 4 {
                // Three of four in headers and tables, one anywhere.
                let (from, to) = match random.next() % 4 {
                    0 => (0, wrong.len()),
                    _ => places[(random.next() % places.len() as u64) as usize],
                };
                let at = from + (random.next() % (to - from) as u64) as usize;
                let value = [0, 0xFF, 0x80, random.next() as u8][(random.next() % 4) as usize];
                for byte in wrong.iter_mut().skip(at).take([1, 2, 8, 64][(random.next() % 4) as usize]) {
                    *byte = value;
                }
            }
            repair(&mut wrong);
            let began = Instant::now();
            match open(wrong) {
                Ok(source) => different += u32::from(read_some(&*source) != whole),
                Err(error) => {
                    assert!(!error.to_string().is_empty());
                    refused += 1;
                }
            }
            assert!(began.elapsed() < Duration::from_secs(5), "{format} {options}: seed {seed}");
        }
        println!("{format} {options} {packed}: {refused} refused, {different} with reads that fail, of {MUTANTS}");
        assert!((10..MUTANTS as u32).contains(&(refused + different)), "{format} {options}: {refused} {different}");
    }
}

/// Where the headers and tables of an image lie: the sectors that hold something and are not the pattern of the data.
fn metadata(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut out = vec![(0, 512.min(bytes.len()))];
    if bytes.starts_with(b"vhdxfile") {
        out.extend([(64 << 10, (64 << 10) + 96), (192 << 10, (192 << 10) + 96)]);
        for what in [&b"metadata"[..], b"\x06\0\x40\0\0\0\0\0", b"\x06\0\x30\0\0\0\0\0"] {
            out.extend(bytes.windows(what.len()).position(|w| w == what).map(|at| (at, at + 200)));
        }
    } else if bytes.starts_with(b"conectix") {
        out.extend([(512, 1536), (1536, 1600), (bytes.len() - 512, bytes.len())]);
    } else if bytes.starts_with(b"KDMV") {
        out.extend([(512, 1024), (bytes.len() - 1024, bytes.len() - 512)]);
        out.extend([(512 * 21, 512 * 31), (512 * 26, 512 * 27)]);
    } else {
        let at = u64::from_be_bytes(bytes[40..48].try_into().unwrap()) as usize;
        out.push((at, (at + 64).min(bytes.len())));
        let second = u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap()) & 0x00ff_ffff_ffff_fe00;
        out.push((second as usize, (second as usize + 400).min(bytes.len())));
    }
    out.retain(|(from, to)| from < to && *to <= bytes.len());
    out
}

/// Puts right sums over the headers of a VHD or VHDX, so that what lies behind them is met.
fn repair(bytes: &mut [u8]) {
    if bytes.starts_with(b"vhdxfile") {
        super::refused::seal_vhdx(bytes);
    } else if bytes.starts_with(b"conectix") {
        let end = bytes.len() - 512;
        super::refused::seal_vhd(&mut bytes[..512], 64);
        super::refused::seal_vhd(&mut bytes[512..1536], 36);
        super::refused::seal_vhd(&mut bytes[end..], 64);
    }
}

#[test]
fn an_absurd_disk_costs_no_memory() {
    // A first table of 2^29 entries over an empty file: read where it is asked for and nowhere else.
    let mut head = vec![0; 65536];
    head[..8].copy_from_slice(b"QFI\xfb\0\0\0\x02");
    head[20..24].copy_from_slice(&9u32.to_be_bytes());
    head[24..32].copy_from_slice(&(16u64 << 40).to_be_bytes());
    head[36..40].copy_from_slice(&u32::MAX.to_be_bytes());
    head[40..48].copy_from_slice(&512u64.to_be_bytes());
    let source = open(head.clone()).unwrap();
    assert_eq!(source.len(), 16 << 40);
    let mut buf = [1; 512];
    assert_eq!(source.read_at(0, &mut buf).unwrap(), 512);
    assert_eq!(buf, [0; 512], "an empty entry is zeros");
    assert!(source.read_at(15 << 40, &mut buf).unwrap_err().to_string().contains("lies past the end of the file"));
    // A table that leads to itself is read as a table, once.
    head[512..520].copy_from_slice(&512u64.to_be_bytes());
    let source = open(head).unwrap();
    assert_eq!(source.read_at(0, &mut buf).unwrap(), 512);
    assert_eq!(buf[..8], 512u64.to_be_bytes());
}
