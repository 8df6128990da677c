//! Raw and split raw images, and what a file is by its content.

use std::path::Path;
use std::process::Command;

use avocet_evidence::Source;
use avocet_evidence::container::raw::Raw;
use avocet_evidence::container::{self, Detected};

use super::{Random, media, read_all, save, writer};
use crate::support::{images, skipped, testdata};

fn pieces(bytes: &[u8], size: usize) -> Vec<Vec<u8>> {
    bytes.chunks(size).map(<[u8]>::to_vec).collect()
}

fn message(path: &Path) -> String {
    container::open(path).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn split_images_open_by_any_segment_and_read_across_borders() {
    let bytes = media(10_000);
    for names in [
        ["x.001", "x.002", "x.003", "x.004"],
        ["x.000", "x.001", "x.002", "x.003"],
        ["x.0001", "x.0002", "x.0003", "x.0004"],
        ["x.01", "x.02", "x.03", "x.04"],
        ["x.aa", "x.ab", "x.ac", "x.ad"],
        ["x.AAA", "x.AAB", "x.AAC", "x.AAD"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), &names, &pieces(&bytes, 3000));
        // Neighbours that are no segments.
        save(folder.path(), &["x.txt", "y.002", "x.01x"], &[vec![1], vec![2], vec![3]]);
        for name in names {
            let opened = container::open(&folder.path().join(name)).unwrap();
            assert_eq!((opened.kind, opened.segments.len(), &opened.problems[..]), ("split raw", 4, &[][..]), "{name}");
            assert_eq!(opened.segments, names.map(|n| folder.path().join(n)));
            for step in [7, 2999, 3000, 3001, 20_000] {
                assert!(read_all(&*opened.source, step).unwrap() == bytes, "{name} {step}");
            }
            let mut random = Random(1);
            for _ in 0..200 {
                let (offset, mut buf) = (random.below(10_100), vec![0; random.below(7000)]);
                let n = opened.source.read_at(offset as u64, &mut buf).unwrap();
                let end = bytes.len().min(offset + buf.len());
                assert!(buf[..n] == bytes[offset.min(end)..end]);
            }
            assert_eq!(opened.check(2), []);
        }
    }
}

#[test]
fn gaps_are_named_and_lone_files_are_images_of_their_own() {
    let parts = pieces(&media(10_000), 3000);
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), &["x.001", "x.003", "x.004"], &[parts[0].clone(), parts[2].clone(), parts[3].clone()]);
    for name in ["x.001", "x.004"] {
        assert_eq!(
            message(&folder.path().join(name)),
            format!(
                "segment {} is missing (3 of at least 4 found). Copy all segments into one folder and try again",
                folder.path().join("x.002").display()
            )
        );
    }
    save(folder.path(), &["y.002", "y.003"], &parts[1..3]);
    assert!(message(&folder.path().join("y.003")).contains("y.001 is missing (2 of at least 3 found)"));
    save(folder.path(), &["z.aa", "z.ac"], &parts[1..3]);
    assert!(Raw::open(&folder.path().join("z.aa")).is_err());

    save(folder.path(), &["lone.001", "later.002", "log.2023", "log.2024", "disk.dd"], &vec![vec![9; 512]; 5]);
    save(folder.path(), &["disk.aa"], &[vec![8; 512]]);
    for (name, codes) in
        [("lone.001", &[][..]), ("later.002", &["name-like-a-later-segment"]), ("log.2024", &[]), ("disk.dd", &[])]
    {
        let opened = container::open(&folder.path().join(name)).unwrap();
        assert_eq!((opened.kind, opened.source.len()), ("raw", 512), "{name}");
        assert_eq!(opened.problems.iter().map(|p| p.code).collect::<Vec<_>>(), codes, "{name}");
    }

    save(folder.path(), &["cut.001", "cut.002", "cut.003"], &[vec![1; 1000], vec![2; 999], vec![3; 10]]);
    let cut = container::open(&folder.path().join("cut.001")).unwrap();
    assert_eq!((cut.problems[0].code, cut.problems[0].offset), ("segment-sizes-differ", Some(1000)));
}

#[test]
fn user_errors_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let text = message(&folder.path().join("none.dd"));
    assert!(text.starts_with("cannot open ") && text.ends_with(". Check the path"), "{text}");
    assert!(message(folder.path()).contains("it is a folder"));
    assert_eq!(container::detect(folder.path()).unwrap(), Detected::Folder);
    assert!(message(Path::new("/dev/null")).contains("neither a file nor a block device"));
    save(folder.path(), &["empty.dd"], &[vec![]]);
    assert_eq!(container::open(&folder.path().join("empty.dd")).unwrap().problems[0].code, "empty");
}

#[test]
fn content_decides_what_a_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |offset: usize, bytes: &[u8]| [vec![0; offset], bytes.to_vec(), vec![0; 2000]].concat();
    let mut tar = at(257, b"ustar\0");
    tar[148..156].fill(b' ');
    let sum: u32 = tar[..512].iter().map(|b| u32::from(*b)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut no_tar = tar.clone();
    no_tar[148] = b'7';
    let koly = [vec![0; 512], b"koly\0\0\0\x04\0\0\x02\0".to_vec(), vec![0; 500]].concat();
    for (bytes, expected) in [
        (at(0, b"QFI\xfb"), "disk"),
        (at(0, b"KDMV"), "disk"),
        (at(0, b"# Disk DescriptorFile\nversion=1"), "disk"),
        (at(0, b"vhdxfile"), "disk"),
        (at(0, b"conectix"), "disk"),
        (at(0, b"COWD"), "a sparse VMDK image (COWD)"),
        (at(0, b"AFF10\r\n\0"), "an AFF image"),
        (at(0, b"PK\x03\x04 container.description"), "zip"),
        (koly, "disk"),
        (at(0, b"EVF2\r\n\x81\0"), "EWF version 2 (Ex01)"),
        (at(0, b"LVF\x09\r\n\xff\0"), "a logical EWF image (L01)"),
        (at(0, b"ADSEGMENTEDFILE\0"), "an AD1 logical image"),
        (at(0, b"ADCRYPT\0"), "an image encrypted by FTK Imager"),
        (at(0, b"7z\xbc\xaf\x27\x1c"), "7z"),
        (at(0, b"\x1f\x8b\x08\0"), "gzip"),
        (at(0, b"\x28\xb5\x2f\xfd"), "zstd"),
        (at(0, b"\xfd7zXZ\0"), "xz"),
        (at(0, b"BZh91AY&SY"), "bzip2"),
        (at(0, b"ANDROID BACKUP\n5\n"), "android"),
        (tar, "tar"),
        (at(0, b"PK\x03\x04 a.jpg"), "zip"),
        (no_tar, "raw"),
        (at(0, b"\x1f\x8b\x08\xff"), "raw"),
        (at(0, b"\xeb\x52\x90NTFS    "), "raw"),
    ] {
        // The name promises something else each time.
        save(folder.path(), &["x.E01"], &[bytes]);
        let path = folder.path().join("x.E01");
        match container::detect(&path).unwrap() {
            Detected::Unsupported { what, .. } => {
                assert_eq!(what, expected);
                assert!(
                    message(&path).starts_with(&format!("{expected} is recognised but not read by this version. "))
                );
            }
            Detected::Zip => assert_eq!("zip", expected),
            Detected::Tar => assert_eq!("tar", expected),
            Detected::AndroidBackup => assert_eq!("android", expected),
            Detected::Packed(packing) => assert_eq!(packing.as_str(), expected),
            Detected::SevenZip => assert_eq!("7z", expected),
            Detected::Disk => assert_eq!("disk", expected),
            Detected::Raw => assert_eq!("raw", expected),
            other => panic!("{other:?} instead of {expected}"),
        }
    }
    let image = writer::Image { tables_per_segment: 100, ..writer::Image::of(media(4096)) };
    save(folder.path(), &["photo.jpg"], &image.write());
    assert_eq!(container::detect(&folder.path().join("photo.jpg")).unwrap(), Detected::Ewf);
    assert!(read_all(&*container::open(&folder.path().join("photo.jpg")).unwrap().source, 999).unwrap() == image.media);
}

#[test]
fn real_files_of_other_kinds_are_named() {
    let (data, images) = (testdata(), images());
    let cases: &[(&Option<_>, &str, &str)] = &[
        (&data, "disk/aff4/Base-Linear.aff4", "disk"),
        (&data, "disk/aff4/dream.aff4", "aff4-l"),
        (&data, "disk/dissect/ad1_test.ad1", "an AD1 logical image"),
        (&data, "disk/dfvfs/ext2.qcow2", "disk"),
        (&data, "disk/dfvfs/ext2.vmdk", "disk"),
        (&data, "disk/dfvfs/hfsplus_zlib.dmg", "disk"),
        (&data, "disk/made/card-fat16.vhdx", "disk"),
        (&data, "disk/vmdk/flat.vmdk", "disk"),
        (&data, "disk/vmdk/stream_opt.vmdk", "disk"),
        (&data, "disk/tsk/image.qcow", "disk"),
        (&data, "disk/ewf/zeros_128s.Ex01", "EWF version 2 (Ex01)"),
        (&data, "disk/fs/test_disk1.bin.zst", "zstd"),
        (&data, "disk/ntfs-samples/ntfs-si-vs-fn.raw.gz", "gzip"),
        (&data, "disk/fs/SampleTinyNtfsVolume.zip", "zip"),
        (&data, "disk/tsk/image.iso", "raw"),
        (&data, "disk/vmdk/flat-f001.vmdk", "raw"),
        (&data, "disk/made/usb-ntfs.dd", "raw"),
        (&images, "gpt.vhd", "disk"),
        (&images, "gpt_fixed.vhdx", "disk"),
        (&images, "gpt_flat.vmdk", "disk"),
        (&images, "gpt.dd", "raw"),
    ];
    for (folder, name, expected) in cases {
        let Some(folder) = folder else {
            skipped(1, "no such folder of images");
            continue;
        };
        match container::detect(&folder.join(name)).unwrap() {
            Detected::Unsupported { what, .. } => assert_eq!(&what, expected, "{name}"),
            Detected::Zip => assert_eq!("zip", *expected, "{name}"),
            Detected::Aff4Logical => assert_eq!("aff4-l", *expected, "{name}"),
            Detected::Packed(packing) => assert_eq!(packing.as_str(), *expected, "{name}"),
            Detected::Disk => assert_eq!("disk", *expected, "{name}"),
            Detected::Raw => assert_eq!("raw", *expected, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_fixed_vhd_is_its_disk_without_the_footer_and_a_split_image_is_its_parts() {
    let Some(images) = images() else { return skipped(2, "no AVOCET_IMAGES") };
    let vhd = container::open(&images.join("gpt_fixed.vhd")).unwrap();
    assert_eq!((vhd.kind, vhd.problems[0].code), ("fixed vhd", "vhd-footer-left-out"));
    let compare = Command::new("qemu-img")
        .args(["compare", "-f", "raw", "-F", "vpc"])
        .args([images.join("gpt.dd"), images.join("gpt_fixed.vhd")])
        .output();
    match compare {
        Ok(out) => assert!(out.status.success(), "qemu-img finds other content"),
        Err(_) => skipped(1, "no qemu-img"),
    }
    let split = container::open(&images.join("gpt_split.003")).unwrap();
    assert_eq!((split.kind, split.segments.len()), ("split raw", 4));
    let whole = container::open(&images.join("gpt.dd")).unwrap();
    for other in [vhd.source, split.source] {
        let (mut a, mut b, mut at) = (vec![0; 1 << 20], vec![0; 1 << 20], 0);
        loop {
            let n = whole.source.read_at(at, &mut a).unwrap();
            other.read_at(at, &mut b[..n]).unwrap();
            assert!(a[..n] == b[..n], "near {at}");
            at += n as u64;
            if n == 0 {
                break;
            }
        }
    }
}
