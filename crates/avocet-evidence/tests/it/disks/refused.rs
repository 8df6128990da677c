//! Disks that are recognised and not read, and those that are damaged: refused by name, or read as far as they go.

use std::path::Path;

use avocet_evidence::container::{self, Detected};
use avocet_evidence::{OpenError, ReadFault, Source};

use super::{convert, disk, has, run};
use crate::support::skipped;

fn error(path: &Path) -> OpenError {
    assert_eq!(container::detect(path).unwrap(), Detected::Disk);
    container::open(path).map(|_| ()).unwrap_err()
}

fn refused(path: &Path, what: &str) {
    let error = error(path);
    let text = error.to_string();
    assert!(matches!(error, OpenError::Unsupported { .. }), "{text}");
    assert!(text.starts_with(what) && text.contains(" is recognised but not read by this version. "), "{text}");
}

/// CRC-32C bit by bit.
fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0x82f6_3b78 } else { c >> 1 })
    })
}

/// Puts right sums over both headers of a VHDX.
pub fn seal_vhdx(bytes: &mut [u8]) {
    for at in [64 << 10, 128 << 10] {
        bytes[at + 4..at + 8].fill(0);
        let sum = crc32c(&bytes[at..at + 4096]);
        bytes[at + 4..at + 8].copy_from_slice(&sum.to_le_bytes());
    }
}

/// Puts a right sum over a VHD footer or header.
pub fn seal_vhd(bytes: &mut [u8], at: usize) {
    bytes[at..at + 4].fill(0);
    let sum: u32 = bytes.iter().map(|b| u32::from(*b)).sum();
    bytes[at..at + 4].copy_from_slice(&(!sum).to_be_bytes());
}

#[test]
fn disks_that_depend_on_something_else_are_refused_by_name() {
    if !has("qemu-img") {
        return skipped(9, "no qemu-img");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    disk(&folder.join("disk.raw"), 1 << 20, &[0, 65536]);
    let secret = "secret,id=s,data=only for this test";
    let create = |args: &[&str]| run("qemu-img", &[&["create", "-q"], args].concat(), folder);
    create(&["-f", "qcow2", "-b", "disk.raw", "-F", "raw", "back.qcow2"]);
    refused(&folder.join("back.qcow2"), "a QCOW image that holds only the changes to another one");
    create(&["-f", "qcow2", "-o", "data_file=data.raw", "outside.qcow2", "1M"]);
    refused(&folder.join("outside.qcow2"), "a QCOW image whose data lie in another file");
    create(&["-f", "qcow2", "-o", "extended_l2=on", "long.qcow2", "1M"]);
    refused(&folder.join("long.qcow2"), "a QCOW image with extended tables");
    create(&[
        "-f",
        "qcow2",
        "--object",
        secret,
        "-o",
        "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10",
        "luks.qcow2",
        "1M",
    ]);
    refused(&folder.join("luks.qcow2"), "an encrypted QCOW image");
    create(&["-f", "vmdk", "base.vmdk", "1M"]);
    create(&["-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "delta.vmdk"]);
    refused(&folder.join("delta.vmdk"), "a VMDK image that holds only the changes to another one");

    let change = |name: &str, edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = std::fs::read(folder.join("made.img")).unwrap();
        edit(&mut bytes);
        std::fs::write(folder.join(name), bytes).unwrap();
        folder.join(name)
    };
    convert("vhdx", "", false, folder);
    let logged = change("log.vhdx", &|b| {
        for at in [64 << 10, 128 << 10] {
            b[at + 48] = 7;
        }
        seal_vhdx(b);
    });
    refused(&logged, "a VHDX image whose log was not applied");
    // The flag "has parent" in the file parameters, which `qemu-img` writes into the metadata's first item.
    let parent = change("parent.vhdx", &|b| {
        let at = b.windows(16).position(|w| w == b"\x37\x67\xa1\xca\x36\xfa\x43\x4d\xb3\xb6\x33\xf0\xaa\x44\xe7\x6b");
        let entry = at.unwrap();
        let start = entry / 65536 * 65536;
        let offset = u32::from_le_bytes(b[entry + 16..entry + 20].try_into().unwrap()) as usize;
        b[start + offset + 4] |= 2;
    });
    refused(&parent, "a differencing VHDX image");

    convert("vpc", "", false, folder);
    let differencing = change("delta.vhd", &|b| {
        let end = b.len() - 512;
        for at in [0, end] {
            b[at + 63] = 4;
            seal_vhd(&mut b[at..at + 512], 64);
        }
    });
    refused(&differencing, "a differencing VHD image");

    convert("vmdk", "subformat=twoGbMaxExtentSparse", false, folder);
    refused(&folder.join("made-s001.img"), "one extent of a VMDK image");
}

#[test]
fn earlier_states_and_unclean_ends_are_counted() {
    if !has("qemu-img") {
        return skipped(4, "no qemu-img");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    disk(&folder.join("disk.raw"), 1 << 20, &[0, 65536]);
    let truth = std::fs::read(folder.join("disk.raw")).unwrap();
    let codes = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).unwrap();
        let opened = container::open(&folder.join(name)).unwrap();
        let mut read = vec![0; truth.len()];
        opened.source.read_at(0, &mut read).unwrap();
        assert!(read == truth, "{name}");
        opened.problems.iter().map(|p| p.code).collect::<Vec<_>>()
    };
    convert("qcow2", "", false, folder);
    run("qemu-img", &["snapshot", "-c", "one", "made.img"], folder);
    run("qemu-img", &["snapshot", "-c", "two", "made.img"], folder);
    let opened = container::open(&folder.join("made.img")).unwrap();
    assert_eq!(opened.problems[0].detail, "2 earlier states of the disk were not read");
    let mut qcow = std::fs::read(folder.join("made.img")).unwrap();
    assert_eq!(codes("plain.qcow2", &qcow), ["snapshots-not-read"]);
    qcow[79] |= 3;
    assert_eq!(codes("dirty.qcow2", &qcow), ["not-closed-cleanly", "marked-corrupt", "snapshots-not-read"]);

    convert("vmdk", "", false, folder);
    let mut vmdk = std::fs::read(folder.join("made.img")).unwrap();
    vmdk[72] = 1;
    assert_eq!(codes("open.vmdk", &vmdk), ["not-closed-cleanly"]);
    vmdk[512] = b'?';
    assert_eq!(codes("lost.vmdk", &vmdk), ["descriptor-damaged", "not-closed-cleanly"]);

    convert("vpc", "force_size=on", false, folder);
    let vhd = std::fs::read(folder.join("made.img")).unwrap();
    assert_eq!(codes("cut.vhd", &vhd[..vhd.len() - 512]), ["footer-damaged"]);

    convert("vhdx", "", false, folder);
    let mut vhdx = std::fs::read(folder.join("made.img")).unwrap();
    vhdx[(192 << 10) + 20] ^= 1;
    assert_eq!(codes("table.vhdx", &vhdx), ["header-copy-used"]);
    vhdx[(256 << 10) + 20] ^= 1;
    std::fs::write(folder.join("tables.vhdx"), &vhdx).unwrap();
    assert!(error(&folder.join("tables.vhdx")).to_string().contains("both region tables are damaged"));
}

#[test]
fn a_disk_that_was_cut_off_is_an_error_where_it_ends_and_never_zeros() {
    if !has("qemu-img") {
        return skipped(7, "no qemu-img");
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    disk(&folder.join("disk.raw"), 8 << 20, &[0, 3 << 20, 4 << 20, 6 << 20]);
    let truth = std::fs::read(folder.join("disk.raw")).unwrap();
    for (format, options) in [
        ("qcow", ""),
        ("qcow2", ""),
        ("qcow2", "compression_type=zstd"),
        ("vhdx", ""),
        ("vpc", "force_size=on"),
        ("vmdk", ""),
        ("vmdk", "subformat=monolithicFlat"),
    ] {
        convert(format, options, options.contains("zstd"), folder);
        let data = if options.contains("Flat") { "made-flat.img" } else { "made.img" };
        let bytes = std::fs::read(folder.join(data)).unwrap();
        let (mut errors, mut opened_cut) = (0, 0);
        for part in 1..20 {
            std::fs::write(folder.join(data), &bytes[..bytes.len() * part / 20]).unwrap();
            let Ok(opened) = container::open(&folder.join("made.img")) else { continue };
            opened_cut += 1;
            for at in (0..truth.len()).step_by(65536) {
                let mut buf = vec![0; 65536];
                match opened.source.read_at(at as u64, &mut buf) {
                    Ok(_) => assert!(buf == truth[at..at + 65536], "{format} {options}: cut at {part}/20, {at}"),
                    Err(e) => {
                        assert!(matches!(e.fault, ReadFault::Truncated | ReadFault::Damaged), "{e}");
                        assert!((at..at + 65536).contains(&(e.offset as usize)), "{e}");
                        errors += 1;
                    }
                }
            }
        }
        assert!(errors > 0 && opened_cut > 5, "{format} {options}: {errors} errors of {opened_cut} opened");
    }
}

#[test]
fn extents_are_looked_for_beside_the_descriptor_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    std::fs::write(folder.path().join("secret.txt"), [7; 512]).unwrap();
    std::fs::write(inner.join("part one.bin"), [9; 1536]).unwrap();
    let write = |extents: &str| {
        let text = format!("# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\n{extents}\n");
        std::fs::write(inner.join("x.vmdk"), text).unwrap();
        container::open(&inner.join("x.vmdk"))
    };
    for name in ["../secret.txt", "/etc/passwd", "..", ".", "a/../x", "..\\secret.txt", "sub/part one.bin"] {
        let text = write(&format!("RW 1 FLAT \"{name}\" 0")).map(|_| ()).unwrap_err().to_string();
        assert!(text.contains("an extent in another folder, which is not followed"), "{name}: {text}");
        assert!(!text.contains("secret") && !text.contains("passwd"), "{text}");
    }
    let text =
        write("RW 1 FLAT \"part one.bin\" 0\nRW 1 FLAT \"gone\u{1b}.bin\" 0").map(|_| ()).unwrap_err().to_string();
    let wanted = format!(
        "segment {} is missing (1 of all that the descriptor names found)",
        inner.join("gone\\u{1b}.bin").display()
    );
    assert!(text.starts_with(&wanted), "{text}");
    assert!(write("# none").map(|_| ()).unwrap_err().to_string().contains("names no extent"));
    assert!(write("RW 1 VMFSRDM \"part one.bin\"").is_err());
    assert!(
        write("RW 1 SPARSE \"part one.bin\"").map(|_| ()).unwrap_err().to_string().contains("extents of another kind")
    );

    // Flat from a place on, zeros, and one that is longer than its file.
    let opened = write("RW 1 FLAT \"part one.bin\" 2\nRW 2 ZERO\nRW 4 FLAT \"part one.bin\" 0").unwrap();
    assert_eq!((opened.source.len(), opened.segments.len()), (7 * 512, 3));
    let mut buf = vec![1; 6 * 512];
    assert_eq!(opened.source.read_at(0, &mut buf).unwrap(), 6 * 512);
    assert!(buf[..512] == [9; 512] && buf[512..1536] == [0; 1024] && buf[1536..] == [9; 1536]);
    let error = opened.source.read_at(6 * 512, &mut buf).unwrap_err();
    assert_eq!((error.fault, error.offset), (ReadFault::Truncated, 6 * 512));
    // A line that is cut is said, and so is a disk of no plausible size.
    assert_eq!(write("RW 1 FLAT \"part one.bin\" 0\nRW 1 FLAT").unwrap().problems[0].code, "descriptor-damaged");
    let huge = write("RW 200000000000 ZERO").map(|_| ()).unwrap_err().to_string();
    assert!(huge.contains("more than 64 TiB cannot be"), "{huge}");
}
