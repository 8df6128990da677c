//! Virtual disks (QCOW, VHD, VHDX, VMDK, DMG, AFF4): our bytes against `qemu-img` and The Sleuth Kit; refusals; hostile input.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "helpers of tests, which write their own fixtures into temporary folders"
)]

mod aff4;
mod dmg;
mod hostile;
mod refused;

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use avocet_evidence::container::{self, Opened};
use avocet_evidence::{Source, VisitResult};
use sha2::Digest;

use crate::support::{Random, images, skipped, testdata};

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|b| format!("{b:02x}")).collect()
}

/// Length and SHA-256 of a disk as Avocet reads it, by three threads.
fn ours(opened: &Opened) -> (u64, String) {
    let (mut sum, mut at) = (sha2::Sha256::new(), 0);
    let _ = opened.stream(3, &mut |piece| {
        assert_eq!(piece.offset, at);
        at += piece.length;
        sum.update(piece.data.unwrap_or_else(|e| panic!("{e}")));
        VisitResult::Continue(())
    });
    assert_eq!(at, opened.source.len());
    (at, hex(&sum.finalize()))
}

/// Whether a program can be started.
pub fn has(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

pub fn run(program: &str, args: &[&str], folder: &Path) {
    let out = Command::new(program).args(args).current_dir(folder).output().unwrap();
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

/// Length and SHA-256 of what a reader gives, and of so many zeros behind it.
fn digest(mut reader: impl Read, zeros: usize) -> (u64, String) {
    let (mut sum, mut length, mut buf) = (sha2::Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let n = reader.read(&mut buf).unwrap();
        sum.update(&buf[..n]);
        length += n as u64;
        if n == 0 {
            sum.update(vec![0; zeros]);
            return (length + zeros as u64, hex(&sum.finalize()));
        }
    }
}

fn file_digest(path: &Path, zeros: usize) -> (u64, String) {
    digest(std::fs::File::open(path).unwrap(), zeros)
}

/// The disk as `qemu-img` unpacks it.
fn theirs(image: &Path, folder: &Path) -> (u64, String) {
    let raw = folder.join("theirs.raw");
    run("qemu-img", &["convert", "-O", "raw", image.to_str().unwrap(), raw.to_str().unwrap()], folder);
    let out = file_digest(&raw, 0);
    std::fs::remove_file(raw).unwrap();
    out
}

/// The disk as The Sleuth Kit reads it.
fn sleuthkit(image: &Path) -> (u64, String) {
    let mut child = Command::new("img_cat").arg(image).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let out = digest(child.stdout.take().unwrap(), 0);
    assert!(child.wait().unwrap().success());
    out
}

#[test]
fn public_images_give_the_bytes_of_qemu_img_and_the_sleuth_kit() {
    let Some(disk) = testdata().map(|d| d.join("disk")) else { return skipped(12, "no shared test data") };
    let table = std::fs::read_to_string(disk.join("container-hashes.tsv")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (qemu, tsk) = (has("qemu-img"), has("img_cat"));
    let mut stored = 0;
    for (name, kind) in [
        ("dfvfs/ext2.qcow2", "qcow2"),
        ("dfvfs/windows_volume.qcow2", "qcow2"),
        ("keramics/fat32.qcow2", "qcow2"),
        ("tsk/image.qcow", "qcow"),
        ("dfvfs/ext2.vhd", "vhd"),
        ("tsk/image.vhd", "vhd"),
        ("made/card-fat16.vhdx", "vhdx"),
        ("dfvfs/ext2.vmdk", "vmdk"),
        ("tsk/image.vmdk", "vmdk"),
        ("vmdk/flat.vmdk", "vmdk"),
        ("vmdk/stream_opt.vmdk", "vmdk"),
    ] {
        let path = disk.join(name);
        let opened = container::open(&path).unwrap();
        assert_eq!((opened.kind, &opened.problems[..]), (kind, &[][..]), "{name}");
        let found = ours(&opened);
        if qemu {
            assert_eq!(found, theirs(&path, folder.path()), "{name}: qemu-img");
        }
        if tsk && matches!(kind, "vhd" | "vmdk") {
            assert_eq!(found, sleuthkit(&path), "{name}: The Sleuth Kit");
        }
        // The table of the test data needs no program.
        for line in table.lines().filter(|l| l.starts_with(&format!("disk/{name}\t"))) {
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!((found.0.to_string().as_str(), found.1.as_str()), (cells[2], cells[3]), "{name}: table");
            stored += 1;
        }
    }
    assert_eq!(stored, 10);
    if !qemu || !tsk {
        skipped(11, "no qemu-img or no img_cat");
    }
}

#[test]
fn every_variant_of_one_disk_gives_the_same_bytes() {
    let Some(images) = images() else { return skipped(11, "no AVOCET_IMAGES") };
    let disk = images.join("gpt.dd");
    let length = std::fs::metadata(&disk).unwrap().len();
    for (name, kind, files) in [
        ("gpt.qcow2", "qcow2", 1),
        ("gpt_c.qcow2", "qcow2", 1),
        ("gpt_z.qcow2", "qcow2", 1),
        ("gpt.vhd", "vhd", 1),
        ("gpt_fixed.vhd", "fixed vhd", 1),
        ("gpt.vhdx", "vhdx", 1),
        ("gpt_fixed.vhdx", "vhdx", 1),
        ("gpt.vmdk", "vmdk", 1),
        ("gpt_so.vmdk", "vmdk", 1),
        ("gpt_flat.vmdk", "vmdk", 2),
        ("gpt_2g.vmdk", "vmdk", 2),
    ] {
        let path = images.join(name);
        let opened = container::open(&path).unwrap();
        assert_eq!((opened.kind, opened.segments.len()), (kind, files), "{name}");
        let found = ours(&opened);
        // qemu-img makes a VHD as long as its geometry says: zeros follow the disk.
        let zeros = if kind.ends_with("vhd") { found.0 - length } else { 0 };
        assert_eq!(found, file_digest(&disk, zeros as usize), "{name}");
    }
}

/// A disk with holes, zeros, text and noise, written as a file with holes.
pub fn disk(path: &Path, length: u64, places: &[u64]) {
    let mut file = std::fs::File::create(path).unwrap();
    file.set_len(length).unwrap();
    let mut random = Random(length | 1);
    for (i, &at) in places.iter().enumerate() {
        let size = [512, 4096, 70_000, 300_000][i % 4].min(length - at) as usize;
        let bytes: Vec<u8> = match i % 3 {
            0 => (0..size).map(|_| random.next() as u8).collect(),
            1 => (0..size).map(|n| (n / 100) as u8).collect(),
            _ => vec![0; size],
        };
        file.seek(SeekFrom::Start(at)).unwrap();
        file.write_all(&bytes).unwrap();
    }
}

/// Format, options, whether the image is packed.
const MADE: &[(&str, &str, bool)] = &[
    ("qcow", "", false),
    ("qcow2", "compat=0.10", false),
    ("qcow2", "compat=0.10", true),
    ("qcow2", "cluster_size=512", false),
    ("qcow2", "cluster_size=512", true),
    ("qcow2", "cluster_size=4096,lazy_refcounts=on", false),
    ("qcow2", "cluster_size=2M", false),
    ("qcow2", "cluster_size=2M", true),
    ("qcow2", "cluster_size=4096,compression_type=zstd", true),
    ("qcow2", "cluster_size=2M,compression_type=zstd", true),
    ("qcow2", "preallocation=falloc", false),
    ("vpc", "subformat=dynamic,force_size=on", false),
    ("vpc", "subformat=fixed,force_size=on", false),
    ("vhdx", "subformat=dynamic,block_size=1M", false),
    ("vhdx", "subformat=dynamic,block_size=32M", false),
    ("vhdx", "subformat=fixed", false),
    ("vmdk", "subformat=monolithicSparse", false),
    ("vmdk", "subformat=monolithicSparse,zeroed_grain=on", false),
    ("vmdk", "subformat=monolithicFlat", false),
    ("vmdk", "subformat=twoGbMaxExtentSparse", false),
    ("vmdk", "subformat=twoGbMaxExtentFlat", false),
    ("vmdk", "subformat=streamOptimized", false),
];

pub fn convert(format: &str, options: &str, packed: bool, folder: &Path) {
    let mut args = vec!["convert", "-f", "raw", "-O", format];
    if packed {
        args.push("-c");
    }
    if !options.is_empty() {
        args.extend(["-o", options]);
    }
    args.extend(["disk.raw", "made.img"]);
    run("qemu-img", &args, folder);
}

#[test]
fn what_qemu_img_makes_reads_as_what_it_was_made_of() {
    if !has("qemu-img") {
        return skipped(MADE.len(), "no qemu-img");
    }
    // An odd number of sectors, and one whose last block is whole in every format.
    for length in [5 * 1024 * 1024 + 3 * 512, 64 << 20] {
        let bytes = {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("disk.raw");
            let places: Vec<u64> = (0..24).map(|i| i * length / 24 / 512 * 512).chain([length - 512]).collect();
            disk(&path, length, &places);
            std::fs::read(path).unwrap()
        };
        for (format, options, packed) in MADE {
            let what = format!("{format} {options} {packed} {length}");
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("disk.raw"), &bytes).unwrap();
            convert(format, options, *packed, folder.path());
            let opened = container::open(&folder.path().join("made.img")).unwrap();
            let codes: Vec<_> =
                opened.problems.iter().map(|p| p.code).filter(|c| *c != "vhd-footer-left-out").collect();
            assert_eq!(codes, [""; 0], "{what}");
            // VHDX has whole MiB.
            let size = opened.source.len() as usize;
            assert!(
                size == bytes.len() || *format == "vhdx" && size == bytes.len().next_multiple_of(1 << 20),
                "{what}"
            );
            for step in [4096, 1 << 20, 3_000_001] {
                let (mut at, mut buf) = (0, vec![0; step]);
                loop {
                    let n = opened.source.read_at(at as u64, &mut buf).unwrap();
                    let wanted = bytes.get(at..bytes.len().min(at + n)).unwrap_or_default();
                    assert!(buf[..wanted.len()] == *wanted, "{what}: near {at}");
                    assert!(buf[wanted.len()..n].iter().all(|b| *b == 0), "{what}");
                    at += n;
                    if n == 0 {
                        break;
                    }
                }
                assert_eq!(at, size, "{what}");
            }
            let mut random = Random(3);
            for _ in 0..100 {
                let at = (random.next() % bytes.len() as u64) as usize;
                let mut buf = vec![0; (random.next() % 200_000) as usize];
                let n = opened.source.read_at(at as u64, &mut buf).unwrap();
                let wanted = &bytes[at..bytes.len().min(at + n)];
                assert!(buf[..wanted.len()] == *wanted, "{what}: at {at}");
            }
            assert_eq!(opened.check(3), [], "{what}");
            assert_eq!(opened.source.read_at(u64::MAX, &mut [0; 9]).unwrap(), 0);
        }
    }
}

/// A disk of version 1 with packed clusters, which `qemu-img` reads and does not make: three of 4 KiB, the second absent.
pub fn packed_qcow(first: &[u8; 4096], third: &[u8; 4096]) -> Vec<u8> {
    let mut out = vec![0; 512];
    out[..8].copy_from_slice(b"QFI\xfb\0\0\0\x01");
    out[24..32].copy_from_slice(&(3 * 4096u64).to_be_bytes());
    // Clusters of 2^12 bytes, second tables of 2^9 entries; the first table has one entry and follows the header.
    out[32..34].copy_from_slice(&[12, 9]);
    out[40..48].copy_from_slice(&48u64.to_be_bytes());
    out[48..56].copy_from_slice(&512u64.to_be_bytes());
    out.resize(512 + 4096, 0);
    for (cluster, bytes) in [(0, first), (2, third)] {
        let mut packed = vec![0; 8192];
        let mut deflate = flate2::Compress::new_with_window_bits(flate2::Compression::new(6), false, 12);
        deflate.compress(bytes, &mut packed, flate2::FlushCompress::Finish).unwrap();
        packed.truncate(deflate.total_out() as usize);
        let entry = 1 << 63 | (packed.len() as u64) << 51 | out.len() as u64;
        out[512 + cluster * 8..520 + cluster * 8].copy_from_slice(&entry.to_be_bytes());
        out.extend(packed);
    }
    out
}

#[test]
fn packed_clusters_of_version_1_are_read_as_qemu_img_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let (first, third) = (std::array::from_fn(|i| (i / 9) as u8), std::array::from_fn(|i| (i * i / 5) as u8));
    let path = folder.path().join("x.qcow");
    std::fs::write(&path, packed_qcow(&first, &third)).unwrap();
    let found = ours(&container::open(&path).unwrap());
    assert_eq!(found, digest(&[&first[..], &[0; 4096], &third].concat()[..], 0));
    if !has("qemu-img") {
        return skipped(1, "no qemu-img");
    }
    assert_eq!(found, theirs(&path, folder.path()));
}

/// Disks of more than one extent or table: data at both ends of each 2 GB border.
#[test]
fn disks_of_several_extents_read_across_their_borders() {
    const LENGTH: u64 = 5 << 30;
    if !has("qemu-img") {
        return skipped(6, "no qemu-img");
    }
    let folder = tempfile::tempdir().unwrap();
    let places: Vec<u64> = [0, 2 << 30, 2_146_435_072, 4 << 30, 4_292_870_144, LENGTH - 400_000]
        .into_iter()
        .flat_map(|border: u64| [border.saturating_sub(70_144) / 512 * 512, border])
        .collect();
    disk(&folder.path().join("disk.raw"), LENGTH, &places);
    let truth = container::open(&folder.path().join("disk.raw")).unwrap();
    for (format, options, files) in [
        ("vmdk", "subformat=twoGbMaxExtentSparse", 4),
        ("vmdk", "subformat=twoGbMaxExtentFlat", 4),
        ("vmdk", "subformat=streamOptimized", 1),
        ("qcow2", "cluster_size=64k", 1),
        ("vpc", "subformat=dynamic,force_size=on", 1),
        ("vhdx", "subformat=dynamic,block_size=1M", 1),
    ] {
        convert(format, options, false, folder.path());
        let opened = container::open(&folder.path().join("made.img")).unwrap();
        assert_eq!((opened.source.len(), opened.segments.len()), (LENGTH, files), "{format} {options}");
        let mut random = Random(9);
        for round in 0..200 {
            let near = places[round % places.len()] + random.next() % 200_000;
            let at = near.saturating_sub(100_000).min(LENGTH - 1);
            let (mut a, mut b) = (vec![0; 150_000], vec![0; 150_000]);
            let n = truth.source.read_at(at, &mut a).unwrap();
            assert_eq!(opened.source.read_at(at, &mut b).unwrap(), n);
            assert!(a == b, "{format} {options}: at {at}");
        }
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap().path();
            if file.file_name().unwrap() != "disk.raw" {
                std::fs::remove_file(file).unwrap();
            }
        }
    }
}
