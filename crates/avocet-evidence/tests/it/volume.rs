//! Volume systems and recognition: against `mmls`, `sfdisk` and `blkid`, on real images and on images made here.
//!
//! The images made here carry their own CRC-32, written bit by bit, so that the reader's is not tested by itself.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::volume::{FsKind, Recognised, VolumeScan, recognise, scan};
use avocet_evidence::{MemorySource, ReadError, ReadFault, Source};

use crate::support::{Random, images, skipped, testdata};

/// A file read in place, for images too large to load.
struct FileSource(File, u64);

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0;
        while done < buf.len() {
            match self
                .0
                .read_at(&mut buf[done..], offset + done as u64)
                .map_err(|e| ReadError::io("test", offset, &e))?
            {
                0 => break,
                n => done += n,
            }
        }
        Ok(done)
    }
}

fn open(path: &Path) -> Arc<dyn Source> {
    let file = File::open(path).unwrap();
    let length = file.metadata().unwrap().len();
    Arc::new(FileSource(file, length))
}

fn memory(bytes: Vec<u8>) -> Arc<dyn Source> {
    Arc::new(MemorySource(bytes))
}

/// Every byte is in a volume, a gap or a table, and in one only of the three.
fn account(scan: &VolumeScan, total: u64) {
    let volumes: u64 = scan.volumes.iter().map(|v| v.length).sum();
    let rest: u64 = scan.gaps.iter().chain(&scan.tables).map(|r| r.length).sum();
    assert_eq!(volumes + rest - scan.overlap, total, "{scan:?}");
    let mut runs: Vec<_> = scan.gaps.iter().chain(&scan.tables).map(|r| (r.start, r.length)).collect();
    runs.sort_unstable();
    assert!(runs.iter().all(|r| r.1 > 0));
    assert!(runs.windows(2).all(|w| w[0].0 + w[0].1 <= w[1].0), "gaps and tables overlap: {scan:?}");
    for v in &scan.volumes {
        assert!(v.length > 0 && v.start + v.length <= total, "{v:?}");
        assert!(runs.iter().all(|r| r.0 + r.1 <= v.start || v.start + v.length <= r.0), "{scan:?}");
    }
    if scan.overlap > 0 {
        assert!(codes(scan).contains(&"partitions-overlap"), "{scan:?}");
    }
}

fn scanned(bytes: Vec<u8>) -> VolumeScan {
    let total = bytes.len() as u64;
    let out = scan(memory(bytes)).unwrap();
    account(&out, total);
    out
}

fn codes(scan: &VolumeScan) -> Vec<&'static str> {
    scan.problems.iter().map(|p| p.code).collect()
}

fn names(scan: &VolumeScan) -> Vec<(&str, u64, u64)> {
    scan.volumes.iter().map(|v| (v.name.as_str(), v.start, v.length)).collect()
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn mbr_entry(image: &mut [u8], sector: usize, n: usize, kind: u8, first: u32, count: u32) {
    let at = sector + 446 + n * 16;
    image[at + 4] = kind;
    put(image, at + 8, &first.to_le_bytes());
    put(image, at + 12, &count.to_le_bytes());
    put(image, sector + 510, &[0x55, 0xAA]);
}

/// The boot sector of an NTFS volume of `sectors` sectors, with its backup in the last.
fn ntfs(image: &mut [u8], at: usize, sectors: usize) {
    let mut boot = vec![0u8; 512];
    put(&mut boot, 0, b"\xeb\x52\x90NTFS    ");
    put(&mut boot, 11, &512u16.to_le_bytes());
    boot[13] = 8;
    boot[21] = 0xF8;
    put(&mut boot, 0x28, &(sectors as u64 - 1).to_le_bytes());
    put(&mut boot, 0x30, &4u64.to_le_bytes());
    // Boot code where an MBR has its table.
    boot[440..510].fill(0x90);
    put(&mut boot, 510, &[0x55, 0xAA]);
    put(image, at, &boot);
    put(image, at + (sectors - 1) * 512, &boot);
}

/// The boot sector and first table entry of a FAT16 volume.
fn fat16(image: &mut [u8], at: usize, sectors: u16) {
    put(image, at, b"\xeb\x3c\x90MSDOS5.0");
    put(image, at + 11, &512u16.to_le_bytes());
    image[at + 13] = 1;
    put(image, at + 14, &1u16.to_le_bytes());
    image[at + 16] = 2;
    put(image, at + 17, &512u16.to_le_bytes());
    put(image, at + 19, &sectors.to_le_bytes());
    image[at + 21] = 0xF8;
    put(image, at + 22, &20u16.to_le_bytes());
    put(image, at + 54, b"FAT16   ");
    put(image, at + 510, &[0x55, 0xAA]);
    put(image, at + 512, &[0xF8, 0xFF, 0xFF, 0xFF]);
}

/// The superblock of an ext volume of `blocks` blocks of 1024 bytes.
fn ext(image: &mut [u8], at: usize, blocks: u32, group: u16) {
    let mut word = |offset: usize, value: u32| put(image, at + offset, &value.to_le_bytes());
    word(0, 1024);
    word(4, blocks);
    word(20, 1);
    word(32, 8192);
    word(36, 8192);
    word(40, 1024);
    word(76, 1);
    word(84, 11);
    word(88, 256);
    put(image, at + 56, &0xEF53u16.to_le_bytes());
    put(image, at + 90, &group.to_le_bytes());
}

/// CRC-32 as ISO 3309 defines it, one bit at a time.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

const BASIC_DATA: [u8; 16] =
    [0xA2, 0xA0, 0xD0, 0xEB, 0xE5, 0xB9, 0x33, 0x44, 0x87, 0xC0, 0x68, 0xB6, 0xB7, 0x26, 0x99, 0xC7];

/// A disk with a GPT of 128 entries and its backup.
fn gpt(sector: usize, sectors: usize, partitions: &[(u64, u64, &str)]) -> Vec<u8> {
    let mut image = vec![0u8; sector * sectors];
    mbr_entry(&mut image, 0, 0, 0xEE, 1, u32::MAX);
    let mut array = vec![0u8; 128 * 128];
    for (i, (first, last, name)) in partitions.iter().enumerate() {
        put(&mut array, i * 128, &BASIC_DATA);
        put(&mut array, i * 128 + 16, &[i as u8 + 1; 16]);
        put(&mut array, i * 128 + 32, &first.to_le_bytes());
        put(&mut array, i * 128 + 40, &last.to_le_bytes());
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        put(&mut array, i * 128 + 56, &units);
    }
    let array_sectors = array.len().div_ceil(sector);
    let last = sectors - 1;
    for (place, other, start) in [(1, last, 2), (last, 1, last - array_sectors)] {
        let mut header = vec![0u8; 92];
        put(&mut header, 0, b"EFI PART\0\0\x01\0\x5c\0\0\0");
        put(&mut header, 24, &(place as u64).to_le_bytes());
        put(&mut header, 32, &(other as u64).to_le_bytes());
        put(&mut header, 40, &(2 + array_sectors as u64).to_le_bytes());
        put(&mut header, 48, &((last - array_sectors - 1) as u64).to_le_bytes());
        put(&mut header, 72, &(start as u64).to_le_bytes());
        put(&mut header, 80, &128u32.to_le_bytes());
        put(&mut header, 84, &128u32.to_le_bytes());
        put(&mut header, 88, &crc(&array).to_le_bytes());
        let sum = crc(&header);
        put(&mut header, 16, &sum.to_le_bytes());
        put(&mut image, place * sector, &header);
        put(&mut image, start * sector, &array);
    }
    image
}

fn is_fs(recognised: &Recognised, kind: FsKind) -> bool {
    *recognised == Recognised::FileSystem(kind)
}

/// A primary partition, an extended one with two logical partitions, and gaps.
fn mbr_with_chain() -> Vec<u8> {
    let mut image = vec![0u8; 512 * 2000];
    mbr_entry(&mut image, 0, 0, 0x07, 63, 400);
    mbr_entry(&mut image, 0, 1, 0x05, 500, 1400);
    ntfs(&mut image, 63 * 512, 400);
    mbr_entry(&mut image, 500 * 512, 0, 0x06, 63, 300);
    mbr_entry(&mut image, 500 * 512, 1, 0x05, 600, 400);
    fat16(&mut image, 563 * 512, 300);
    mbr_entry(&mut image, 1100 * 512, 0, 0x83, 10, 300);
    ext(&mut image, 1110 * 512 + 1024, 150, 0);
    image
}

#[test]
fn logical_partitions_are_found_and_every_byte_is_accounted_for() {
    let out = scanned(mbr_with_chain());
    assert_eq!(out.scheme, "mbr");
    let expected = [("mbr:1", 63 * 512, 400 * 512), ("mbr:5", 563 * 512, 300 * 512), ("mbr:6", 1110 * 512, 300 * 512)];
    assert_eq!(names(&out), expected);
    assert!(is_fs(&out.volumes[0].recognised, FsKind::Ntfs));
    assert!(is_fs(&out.volumes[1].recognised, FsKind::Fat));
    assert!(is_fs(&out.volumes[2].recognised, FsKind::Ext));
    assert_eq!(out.volumes[0].type_name, "NTFS/exFAT/HPFS");
    assert_eq!(out.tables.iter().map(|r| r.start / 512).collect::<Vec<_>>(), [0, 500, 1100]);
    assert_eq!(out.problems, []);
}

#[test]
fn a_chain_that_loops_or_breaks_is_cut_and_said() {
    let mut image = mbr_with_chain();
    mbr_entry(&mut image, 1100 * 512, 1, 0x05, 0, 400);
    let out = scanned(image);
    assert_eq!(names(&out).len(), 3);
    assert_eq!(codes(&out), ["ebr-loop"]);

    let mut image = mbr_with_chain();
    image[1100 * 512 + 510] = 0;
    let out = scanned(image);
    assert_eq!(names(&out).len(), 2);
    assert_eq!(codes(&out), ["ebr-broken"]);

    // Each record links to the next sector, without end.
    let mut image = vec![0u8; 512 * 4000];
    mbr_entry(&mut image, 0, 0, 0x0F, 1, 3999);
    for sector in 1..4000usize {
        mbr_entry(&mut image, sector * 512, 1, 0x05, sector as u32, 1);
    }
    assert_eq!(codes(&scanned(image)), ["ebr-capped"]);
}

#[test]
fn partitions_past_the_end_and_overlaps_are_said() {
    let mut image = vec![0u8; 512 * 1000];
    mbr_entry(&mut image, 0, 0, 0x83, 100, 500);
    mbr_entry(&mut image, 0, 1, 0x83, 400, 5000);
    mbr_entry(&mut image, 0, 2, 0x83, 9000, 10);
    mbr_entry(&mut image, 0, 3, 0, 10, 10);
    let out = scanned(image);
    assert_eq!(names(&out), [("mbr:1", 100 * 512, 500 * 512), ("mbr:2", 400 * 512, 600 * 512)]);
    assert_eq!(out.overlap, 200 * 512);
    let mut found = codes(&out);
    found.sort_unstable();
    assert_eq!(found, ["partition-past-end", "partition-past-end", "partition-type-zero", "partitions-overlap"]);
}

#[test]
fn a_table_cannot_have_the_device_examined_many_times() {
    let partitions: Vec<_> = (0..100).map(|i| (40 + i, 900, "x")).collect();
    let out = scanned(gpt(512, 1000, &partitions));
    assert!(out.volumes.iter().map(|v| v.length).sum::<u64>() <= 2 * 512 * 1000);
    assert!(codes(&out).contains(&"partitions-capped"));
}

#[test]
fn a_gpt_is_read_with_either_sector_size() {
    for sector in [512usize, 4096] {
        let mut image = gpt(sector, 2048, &[(64, 563, "win"), (1000, 1999, "li\u{202e}n")]);
        ntfs(&mut image, 64 * sector, 500 * sector / 512);
        ext(&mut image, 1000 * sector + 1024, 500, 0);
        let out = scanned(image);
        assert_eq!((out.scheme, out.sector_size), ("gpt", sector as u64));
        let s = sector as u64;
        assert_eq!(names(&out), [("gpt:1", 64 * s, 500 * s), ("gpt:2", 1000 * s, 1000 * s)]);
        assert!(is_fs(&out.volumes[0].recognised, FsKind::Ntfs));
        assert!(is_fs(&out.volumes[1].recognised, FsKind::Ext));
        assert_eq!(out.volumes[0].type_name, "Microsoft basic data");
        assert_eq!(out.volumes[1].label.as_deref(), Some("li\\u{202e}n"));
        assert_eq!(out.problems, []);
        // MBR, header, 16 KiB of entries; entries and header again.
        let bytes: u64 = out.tables.iter().map(|r| r.length).sum();
        assert_eq!(bytes, 3 * s + 2 * 16384);
    }
}

#[test]
fn a_broken_gpt_gives_way_to_its_backup() {
    let image = gpt(512, 2048, &[(64, 563, "a"), (1000, 1999, "b")]);
    let good = scanned(image.clone());
    // A flipped bit in the header; in the array; the header gone.
    for damage in [512 + 73, 1024 + 33, 512] {
        let mut broken = image.clone();
        broken[damage] ^= 0x20;
        let out = scanned(broken);
        assert_eq!(names(&out), names(&good), "{damage}");
        assert_eq!(codes(&out), ["gpt-primary-broken"], "{damage}");
    }
    let mut broken = image.clone();
    broken[2047 * 512 + 20] ^= 1;
    let out = scanned(broken);
    assert_eq!(names(&out), names(&good));
    // A reserved field: only the checksum can notice.
    assert_eq!(codes(&out), ["gpt-backup-broken"]);
    let mut cut = image.clone();
    cut.truncate(1500 * 512);
    let out = scanned(cut);
    assert_eq!(names(&out), [("gpt:1", 64 * 512, 500 * 512), ("gpt:2", 1000 * 512, 500 * 512)]);
    assert_eq!(codes(&out), ["gpt-backup-broken", "partition-past-end"]);
    // No MBR at all, and no first table: the backup is all there is.
    let mut wiped = image.clone();
    wiped[..34 * 512].fill(0);
    let out = scanned(wiped);
    assert_eq!(names(&out), names(&good));
    assert_eq!(codes(&out), ["gpt-primary-broken"]);
}

#[test]
fn two_broken_tables_are_followed_as_far_as_they_read_and_none_falls_back() {
    let image = gpt(512, 2048, &[(64, 563, "a"), (1000, 1999, "b")]);
    let mut broken = image.clone();
    broken[512 + 20] ^= 1;
    broken[2047 * 512 + 20] ^= 1;
    let out = scanned(broken);
    assert_eq!(names(&out), [("gpt:1", 64 * 512, 500 * 512), ("gpt:2", 1000 * 512, 1000 * 512)]);
    assert_eq!(codes(&out), ["gpt-both-broken"]);

    let mut gone = image.clone();
    gone[512..34 * 512].fill(0xAB);
    gone[2015 * 512..].fill(0xAB);
    let out = scanned(gone);
    assert_eq!((out.scheme, names(&out)), ("none", vec![("whole", 0, 2048 * 512)]));
    assert_eq!(codes(&out), ["gpt-both-broken"]);

    // With an MBR that names a partition of its own, that one is followed.
    let mut hybrid = image;
    hybrid[512..34 * 512].fill(0xAB);
    hybrid[2015 * 512..].fill(0xAB);
    mbr_entry(&mut hybrid, 0, 1, 0x0C, 100, 500);
    let out = scanned(hybrid);
    assert_eq!((out.scheme, names(&out)), ("mbr", vec![("mbr:2", 100 * 512, 500 * 512)]));
    assert_eq!(codes(&out), ["gpt-both-broken"]);
}

#[test]
fn partitions_only_a_hybrid_mbr_lists_are_added() {
    let mut image = gpt(512, 2048, &[(64, 563, "a")]);
    mbr_entry(&mut image, 0, 1, 0x07, 64, 500);
    mbr_entry(&mut image, 0, 2, 0x0C, 1000, 500);
    let out = scanned(image);
    assert_eq!(names(&out), [("gpt:1", 64 * 512, 500 * 512), ("mbr:3", 1000 * 512, 500 * 512)]);
    assert_eq!(codes(&out), ["hybrid-mbr"]);
}

#[test]
fn an_old_gpt_does_not_hide_a_new_mbr() {
    let mut image = gpt(512, 2048, &[(64, 563, "a")]);
    image[..512].fill(0);
    mbr_entry(&mut image, 0, 0, 0x07, 700, 400);
    ntfs(&mut image, 700 * 512, 400);
    let out = scanned(image);
    assert_eq!((out.scheme, names(&out)), ("mbr", vec![("mbr:1", 700 * 512, 400 * 512)]));
    assert_eq!(codes(&out), ["gpt-ignored"]);
}

#[test]
fn a_volume_without_a_table_is_not_misread_as_one() {
    let mut image = vec![0u8; 512 * 1000];
    ntfs(&mut image, 0, 1000);
    let out = scanned(image);
    assert_eq!((out.scheme, names(&out)), ("none", vec![("whole", 0, 512_000)]));
    assert!(is_fs(&out.volumes[0].recognised, FsKind::Ntfs));

    let mut image = vec![0u8; 512 * 1000];
    fat16(&mut image, 0, 1000);
    let out = scanned(image);
    assert!(is_fs(&out.volumes[0].recognised, FsKind::Fat));
    assert_eq!(out.problems, []);

    // A partition table written into the boot sector of an old superfloppy: its partition is real.
    let mut image = vec![0u8; 512 * 2000];
    fat16(&mut image, 0, 1000);
    mbr_entry(&mut image, 0, 0, 0x07, 1200, 400);
    ntfs(&mut image, 1200 * 512, 400);
    let out = scanned(image);
    assert_eq!((out.scheme, names(&out)), ("mbr", vec![("mbr:1", 1200 * 512, 400 * 512)]));
    assert_eq!(codes(&out), ["signature-beside-table"]);

    let out = scanned(vec![]);
    assert_eq!((out.scheme, out.volumes.len()), ("none", 0));
    let out = scanned(vec![7; 100]);
    assert_eq!(out.volumes[0].recognised, Recognised::Unknown);
}

#[test]
fn an_mbr_of_4096_byte_sectors_is_recognised_by_what_its_partitions_hold() {
    let mut image = vec![0u8; 4096 * 400];
    mbr_entry(&mut image, 0, 0, 0x07, 64, 200);
    ntfs(&mut image, 64 * 4096, 1600);
    let out = scanned(image);
    assert_eq!((out.sector_size, names(&out)), (4096, vec![("mbr:1", 64 * 4096, 200 * 4096)]));
}

#[test]
fn volumes_whose_first_structure_is_gone_are_recognised_by_the_backup() {
    let mut image = vec![0u8; 512 * 1000];
    ntfs(&mut image, 0, 1000);
    image[..4096].fill(0);
    assert!(is_fs(&recognise(&MemorySource(image.clone())), FsKind::Ntfs));
    // The backup of another, smaller volume is no evidence.
    image.truncate(512 * 999);
    assert!(!is_fs(&recognise(&MemorySource(image.clone())), FsKind::Ntfs));

    let mut image = vec![0u8; 9000 * 1024];
    ext(&mut image, 8193 * 1024, 9000, 1);
    assert!(is_fs(&recognise(&MemorySource(image.clone())), FsKind::Ext));
    put(&mut image, 8193 * 1024 + 90, &[3, 0]);
    assert!(!is_fs(&recognise(&MemorySource(image)), FsKind::Ext));
}

/// Each signature by hand, with the name that `blkid` has for it where it recognises it by the same bytes.
fn signatures() -> Vec<(&'static str, Option<&'static str>, Vec<u8>)> {
    let blank = || vec![0u8; 4 << 20];
    let at = |offset: usize, bytes: &[u8]| {
        let mut image = blank();
        put(&mut image, offset, bytes);
        image
    };
    let two = |a: usize, x: &[u8], b: usize, y: &[u8]| {
        let mut image = at(a, x);
        put(&mut image, b, y);
        image
    };
    let mut md1 = two(4096, &0xA92B_4EFCu32.to_le_bytes(), 4100, &1u32.to_le_bytes());
    put(&mut md1, 4096 + 72, &1u32.to_le_bytes());
    put(&mut md1, 4096 + 144, &8u64.to_le_bytes());
    let place = (4 << 20) - 65536;
    let mut md0 = two(place, &0xA92B_4EFCu32.to_le_bytes(), place + 8, &90u32.to_le_bytes());
    put(&mut md0, place + 28, &5u32.to_le_bytes());
    put(&mut md0, place + 32, &(place as u32 / 1024).to_le_bytes());
    let mut zfs = blank();
    for i in 0..128 {
        put(&mut zfs, 131_072 + i * 1024, &0x00BA_B10Cu64.to_le_bytes());
    }
    let mut f2fs = two(1024, &0xF2F5_2010u32.to_le_bytes(), 1024 + 16, &12u32.to_le_bytes());
    put(&mut f2fs, 1024 + 4, &[1, 0, 15, 0]);
    let mut bitlocker_to_go = two(0, b"\xeb\x58\x90MSWIN4.1", 510, &[0x55, 0xAA]);
    put(&mut bitlocker_to_go, 424, b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01");
    let mut udf = two(32768, b"\0BEA01\x01", 34816, b"\0NSR02\x01");
    put(&mut udf, 36864, b"\0TEA01\x01");
    let mut bsd = two(512, &0x8256_4557u32.to_le_bytes(), 512 + 132, &0x8256_4557u32.to_le_bytes());
    put(&mut bsd, 512 + 138, &[1, 0]);
    let mut swap = two(4086, b"SWAPSPACE2", 1024, &1u32.to_le_bytes());
    put(&mut swap, 1028, &1023u32.to_le_bytes());
    vec![
        ("BitLocker volume", None, at(0, b"\xeb\x58\x90-FVE-FS-")),
        ("BitLocker volume", None, bitlocker_to_go),
        ("LUKS encrypted volume", Some("crypto_LUKS"), at(0, b"LUKS\xba\xbe\0\x01")),
        ("LUKS encrypted volume", Some("crypto_LUKS"), at(0x4000, b"SKUL\xba\xbe\0\x02")),
        ("Core Storage volume", None, two(8, &[1, 0, 0x10, 0], 88, b"CS")),
        ("XFS", None, at(0, b"XFSB")),
        ("btrfs", Some("btrfs"), at(65536 + 64, b"_BHRfS_M")),
        ("F2FS", Some("f2fs"), f2fs),
        ("ReFS", Some("ReFS"), at(0, b"\0\0\0ReFS\0\0\0\0")),
        ("UDF", None, udf),
        ("LVM2 physical volume", None, two(512, b"LABELONE\x01", 536, b"LVM2 001")),
        ("Linux RAID member", Some("linux_raid_member"), md1),
        ("Linux RAID member", Some("linux_raid_member"), md0),
        ("Linux swap", Some("swap"), swap),
        ("squashfs", Some("squashfs3"), at(0, b"hsqs")),
        ("ZFS pool member", None, zfs),
        ("bcache device", None, at(4120, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81")),
        ("JFS", None, at(32768, b"JFS1")),
        ("ReiserFS", None, at(65536 + 52, b"ReIsEr2Fs")),
        ("UFS2", Some("ufs"), at(65536 + 1372, &0x1954_0119u32.to_le_bytes())),
        ("VMware VMFS volume", Some("VMFS_volume_member"), at(0x10_0000, b"\x0d\xd0\x01\xc0")),
        ("GELI encrypted volume", None, at((4 << 20) - 512, b"GEOM::ELI")),
        ("Windows dynamic disk (LDM)", None, at(3072, b"PRIVHEAD")),
        ("Windows Storage Spaces", None, at(4096, b"SPACEDB ")),
        ("BSD disk label", None, bsd),
        ("Sun disk label", None, two(508, &[0xDA, 0xBE], 510, &[0xDA, 0xBE])),
        ("RAID member", Some("isw_raid_member"), at((4 << 20) - 1024, b"Intel Raid ISM Cfg Sig. 1.1.00")),
    ]
}

/// What `blkid` makes of an image; `None` where it is not installed.
fn blkid(path: &Path) -> Option<String> {
    let out = Command::new("blkid").args(["-p", "-o", "value", "-s", "TYPE"]).arg(path).output().ok()?;
    Some(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

#[test]
fn what_is_not_read_is_named_and_never_taken_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (mut agreed, mut unasked) = (0, 0);
    for (i, (what, oracle, image)) in signatures().into_iter().enumerate() {
        let path = dir.path().join(i.to_string());
        std::fs::write(&path, &image).unwrap();
        let out = scanned(image);
        assert_eq!((out.scheme, out.volumes.len()), ("none", 1), "{what}");
        match &out.volumes[0].recognised {
            Recognised::NotRead { what: found, certain: true, .. } => assert_eq!(found, what),
            other => panic!("{what} was taken for {other:?}"),
        }
        match oracle.zip(blkid(&path)) {
            Some((expected, found)) => {
                assert_eq!(found, expected, "blkid on {what}");
                agreed += 1;
            }
            None => unasked += 1,
        }
    }
    println!("{agreed} signatures agreed with blkid; {unasked} not asked (not installed, or it wants more than we do)");
}

#[test]
fn zeros_noise_and_text_are_told_apart() {
    assert!(matches!(recognise(&MemorySource(vec![0; 1 << 20])), Recognised::Empty { .. }));
    let mut late = vec![0; 1 << 20];
    *late.last_mut().unwrap() = 1;
    assert_eq!(recognise(&MemorySource(late)), Recognised::Unknown);
    let mut random = Random(42);
    let noise: Vec<u8> = (0..1 << 17).flat_map(|_| random.next().to_le_bytes()).collect();
    match recognise(&MemorySource(noise.clone())) {
        Recognised::NotRead { certain: false, what, .. } => assert!(what.contains("high entropy")),
        other => panic!("{other:?}"),
    }
    let mut part = noise;
    part[..1 << 16].fill(b'x');
    assert_eq!(recognise(&MemorySource(part)), Recognised::Unknown);
    let text = b"the quick brown fox ".repeat(50_000);
    assert_eq!(recognise(&MemorySource(text)), Recognised::Unknown);
}

/// A source whose first sectors cannot be read.
struct BadStart;

impl Source for BadStart {
    fn len(&self) -> u64 {
        1 << 20
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        if offset < 4096 {
            return Err(ReadError::new("test", offset, ReadFault::Damaged, "bad sector"));
        }
        buf.fill(0);
        Ok(buf.len())
    }
}

#[test]
fn a_volume_that_cannot_be_read_is_named_so() {
    assert!(matches!(recognise(&BadStart), Recognised::NotRead { certain: true, .. }));
    assert!(scan(Arc::new(BadStart)).is_err());
}

/// Partitions as `mmls` lists them: start and length in sectors.
fn mmls(path: &Path) -> Option<Vec<(u64, u64)>> {
    let out = Command::new("mmls").arg("-a").arg(path).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut found = vec![];
    for line in text.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if fields.len() < 5 || !fields[0].ends_with(':') || fields[1] == "Meta" || line.contains("Extended (0x") {
            continue;
        }
        let (Ok(start), Ok(length)) = (fields[2].parse(), fields[4].parse()) else { continue };
        found.push((start, length));
    }
    found.sort_unstable();
    Some(found)
}

fn same_as_mmls(image: &Path, oracle: &Path) -> bool {
    let Some(expected) = mmls(oracle) else { return false };
    let source = open(image);
    let out = scan(Arc::clone(&source)).unwrap();
    account(&out, source.len());
    let mut ours: Vec<(u64, u64)> =
        out.volumes.iter().map(|v| (v.start / out.sector_size, v.length / out.sector_size)).collect();
    ours.sort_unstable();
    assert!(!expected.is_empty(), "{oracle:?}");
    assert_eq!(ours, expected, "{oracle:?}");
    true
}

#[test]
fn real_images_have_the_partitions_that_mmls_finds() {
    let (mut done, mut left) = (0, 0);
    let dir = tempfile::tempdir().unwrap();
    let raw = |file: &Path, name: &str| {
        let target = dir.path().join(name);
        let ok = Command::new("ewfexport")
            .args(["-q", "-u", "-f", "raw", "-t"])
            .arg(&target)
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|s| s.success());
        ok.then(|| dir.path().join(format!("{name}.raw")))
    };
    let mut check = |image: Option<std::path::PathBuf>, oracle: std::path::PathBuf| match image {
        Some(image) if oracle.is_file() && same_as_mmls(&image, &oracle) => done += 1,
        _ => left += 1,
    };
    for name in ["plaso/tsk_volume_system.raw", "made/card-fat12.dd", "made/card-fat16.dd"] {
        let path = testdata().unwrap_or_default().join("disk").join(name);
        check(Some(path.clone()), path);
    }
    for (i, name) in ["tsk/imageformat_mmls_1.E01", "ewf/gpt_130_partitions.E01"].into_iter().enumerate() {
        let path = testdata().unwrap_or_default().join("disk").join(name);
        check(raw(&path, &format!("e{i}")), path);
    }
    for name in ["gpt.dd", "mbr.dd"] {
        let path = images().unwrap_or_default().join(name);
        check(Some(path.clone()), path);
    }
    println!("{done} image(s) agreed with mmls");
    if left > 0 {
        skipped(left, "image, ewfexport or mmls absent");
    }
}

#[test]
fn more_than_128_partitions_are_read() {
    let Some(path) = testdata().map(|t| t.join("disk/ewf/gpt_130_partitions.E01")) else {
        return skipped(1, "test data absent");
    };
    let Ok(out) = Command::new("ewfexport").args(["-q", "-u", "-f", "raw", "-t", "-"]).arg(path).output() else {
        return skipped(1, "ewfexport absent");
    };
    let scan = scanned(out.stdout);
    // Its name notwithstanding, `sgdisk -p` and `mmls` list 131 too.
    assert_eq!((scan.scheme, scan.volumes.len()), ("gpt", 131));
    assert_eq!(scan.problems, []);
}

#[test]
fn file_systems_of_real_images_are_recognised() {
    let (mut done, mut left) = (0, 0);
    let mut check = |path: std::path::PathBuf, expected: &[FsKind]| {
        if !path.is_file() {
            left += 1;
            return;
        }
        let source = open(&path);
        let out = scan(Arc::clone(&source)).unwrap();
        account(&out, source.len());
        let found: Vec<_> = out.volumes.iter().map(|v| v.recognised.clone()).collect();
        let expected: Vec<_> = expected.iter().map(|k| Recognised::FileSystem(*k)).collect();
        assert_eq!(found, expected, "{path:?}");
        done += 1;
    };
    let made = images().unwrap_or_default();
    for (name, kind) in [
        ("ntfs", FsKind::Ntfs),
        ("ext2", FsKind::Ext),
        ("ext3", FsKind::Ext),
        ("ext4", FsKind::Ext),
        ("fat12", FsKind::Fat),
        ("fat16", FsKind::Fat),
        ("fat32", FsKind::Fat),
        ("exfat", FsKind::ExFat),
    ] {
        check(made.join(format!("{name}.dd")), &[kind]);
    }
    check(made.join("gpt.dd"), &[FsKind::Ntfs, FsKind::Ext, FsKind::ExFat]);
    check(made.join("mbr.dd"), &[FsKind::Fat, FsKind::Ntfs]);
    let disk = testdata().unwrap_or_default().join("disk");
    for (name, kind) in [
        ("made/card-fat12.dd", FsKind::Fat),
        ("made/card-fat16.dd", FsKind::Fat),
        ("made/card-exfat.dd", FsKind::ExFat),
        ("made/usb-ntfs.dd", FsKind::Ntfs),
        ("fs/fat12.img", FsKind::Fat),
        ("fs/fat16.img", FsKind::Fat),
        ("fs/exfat.img", FsKind::ExFat),
        ("fs/test.exfat", FsKind::ExFat),
    ] {
        check(disk.join(name), &[kind]);
    }
    println!("{done} image(s) recognised");
    if left > 0 {
        skipped(left, "image absent");
    }
}

#[test]
fn real_volumes_with_a_wiped_beginning_are_recognised_by_their_backups() {
    let made = images().unwrap_or_default();
    let mut left = 0;
    for (name, kind, wiped) in [
        ("ntfs", FsKind::Ntfs, 512),
        ("fat32", FsKind::Fat, 512),
        ("exfat", FsKind::ExFat, 512),
        ("ext4", FsKind::Ext, 8192),
    ] {
        let path = made.join(format!("{name}.dd"));
        let Ok(mut image) = std::fs::read(&path) else {
            left += 1;
            continue;
        };
        image[..wiped].fill(0);
        assert!(is_fs(&recognise(&MemorySource(image)), kind), "{name}");
    }
    if left > 0 {
        skipped(left, "image absent");
    }
}

/// Tables written by `sfdisk`, which shares no code with us or with `mmls`.
#[test]
fn tables_that_sfdisk_writes_are_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let scripts = [
        "label: dos\n2048,4096,c\n,20480,5\n8192,2048,7\n12288,2048,83\n16384,2048,83\n",
        "label: gpt\n2048,4096\n6144,8192,L,\n,,S\n",
    ];
    for (i, script) in scripts.iter().enumerate() {
        let path = dir.path().join(i.to_string());
        File::create(&path).unwrap().set_len(20 << 20).unwrap();
        let child = Command::new("sfdisk")
            .args(["-q", "--no-reread"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let Ok(mut child) = child else { return skipped(scripts.len() - i, "sfdisk absent") };
        std::io::Write::write_all(child.stdin.as_mut().unwrap(), script.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        let dump = Command::new("sfdisk").arg("-d").arg(&path).output().unwrap();
        let number = |line: &str, key: &str| {
            let rest = line.split_once(key)?.1.trim_start();
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u64>().ok()
        };
        let expected: Vec<(u64, u64)> = String::from_utf8_lossy(&dump.stdout)
            .lines()
            .filter(|l| !l.contains("type=5") || l.contains("type=5-"))
            .filter_map(|l| Some((number(l, "start=")? * 512, number(l, "size=")? * 512)))
            .collect();
        let out = scan(open(&path)).unwrap();
        account(&out, 20 << 20);
        let ours: Vec<_> = out.volumes.iter().map(|v| (v.start, v.length)).collect();
        assert!(expected.len() >= 3);
        assert_eq!(ours, expected);
        assert_eq!(out.problems, []);
    }
}

/// 200 damaged tables, half of each damage inside the tables: no panic, no hang, every byte accounted for.
#[test]
fn damaged_tables_cost_at_most_themselves() {
    let mut gpt_image = gpt(512, 1024, &[(64, 563, "a"), (600, 900, "b")]);
    ntfs(&mut gpt_image, 64 * 512, 500);
    let bases = [mbr_with_chain(), gpt_image, gpt(4096, 128, &[(8, 50, "x")])];
    let mut random = Random(7);
    for round in 0..200 {
        let mut image = bases[round % bases.len()].clone();
        let length = image.len() as u64;
        for _ in 0..[1, 4, 16, 64][round % 4] {
            let meta = [446 + random.next() % 66, 512 + random.next() % 700, 500 * 512 + 446 + random.next() % 66];
            let at = match random.next() % 4 {
                0 => random.next() % length,
                1 => length - 1 - random.next() % 700,
                n => meta[(n as usize + round) % 3] % length,
            };
            image[at as usize] = random.next() as u8;
        }
        if round % 10 == 9 {
            image.truncate((random.next() % length) as usize);
        }
        let begun = Instant::now();
        scanned(image);
        assert!(begun.elapsed() < Duration::from_secs(5), "round {round}");
    }
}
