//! Signatures of what is recognised and not read.
//!
//! Places and values are those that the formats' own documentation, the Linux kernel's headers (`magic.h` and the
//! headers of each file system) or, for the closed formats, the public descriptions of the libyal project give.

use crate::bytes::{array, be_u16, be_u32, le_u16, le_u32, le_u64};
use crate::source::{Source, read_up_to};

type Hit = (&'static str, String);

/// The identifier in the boot sector of BitLocker To Go, {4967D63B-2E29-4AD8-8399-F6A339E3D001}.
const BITLOCKER: [u8; 16] =
    [0x3B, 0xD6, 0x67, 0x49, 0x29, 0x2E, 0xD8, 0x4A, 0x83, 0x99, 0xF6, 0xA3, 0x39, 0xE3, 0xD0, 0x01];
const MD_MAGIC: u32 = 0xA92B_4EFC;
/// What is opened with a password where one is given.
pub(crate) const BITLOCKER_VOLUME: &str = "BitLocker volume";
/// The same.
pub(crate) const LUKS: &str = "LUKS encrypted volume";
/// What is opened with a password where one is given, too.
pub(crate) const CORE_STORAGE: &str = "Core Storage volume";
/// What is joined to a group.
pub(crate) const LVM: &str = "LVM2 physical volume";
pub(super) const APPLE_MAP: &str = "Apple partition map";
pub(super) const UDF: &str = "UDF";
const BSD_LABEL: u32 = 0x8256_4557;

fn plain(what: &'static str) -> Option<Hit> {
    Some((what, String::new()))
}

fn has(data: &[u8], offset: usize, signature: &[u8]) -> bool {
    offset.checked_add(signature.len()).and_then(|end| data.get(offset..end)) == Some(signature)
}

/// What owns the very first sector, so that it cannot be a boot sector or partition table too.
pub(super) fn at_first_sector(head: &[u8]) -> Option<Hit> {
    if has(head, 3, b"-FVE-FS-") {
        return plain(BITLOCKER_VOLUME);
    }
    if has(head, 3, b"MSWIN4.1") && has(head, 424, &BITLOCKER) {
        return Some((BITLOCKER_VOLUME, "BitLocker To Go".into()));
    }
    if has(head, 0, b"LUKS\xba\xbe") {
        return Some((LUKS, format!("version {}", be_u16(head, 6)?)));
    }
    for (offset, signature, what) in [
        (3, &b"ReFS\0\0\0\0"[..], "ReFS"),
        (0, b"hsqs", "squashfs"),
        (0, b"sqsh", "squashfs"),
        (0, b"-rom1fs-", "romfs"),
        (0, b"\x45\x3d\xcd\x28", "cramfs"),
        (0, b"bluestore block device", "Ceph BlueStore"),
        (0, b"dmvdo001", "Linux VDO volume"),
        (32, b"ORCLDISK", "Oracle ASM disk"),
    ] {
        if has(head, offset, signature) {
            return plain(what);
        }
    }
    if has(head, 88, b"CS") && le_u16(head, 8) == Some(1) && has(head, 10, &[0x10, 0x00]) {
        return Some((CORE_STORAGE, "used for FileVault 2".into()));
    }
    if has(head, 0, b"ER") && (has(head, 512, b"PM") || has(head, 2048, b"PM")) {
        return plain(APPLE_MAP);
    }
    let xor = head.get(..512).unwrap_or_default().chunks_exact(2).filter_map(|p| be_u16(p, 0)).fold(0, |a, b| a ^ b);
    if be_u16(head, 508) == Some(0xDABE) && xor == 0 {
        return plain("Sun disk label");
    }
    md1(head, 0, 0)
}

/// A version 1 superblock of Linux software RAID at `offset`, which the superblock repeats as `sector`.
fn md1(data: &[u8], offset: usize, sector: u64) -> Option<Hit> {
    let superblock = data.get(offset..)?;
    let ok = le_u32(superblock, 0)? == MD_MAGIC && le_u32(superblock, 4)? == 1 && le_u64(superblock, 144)? == sector;
    ok.then(|| le_u32(superblock, 72)).flatten().map(|level| ("Linux RAID member", raid_level(level)))
}

fn raid_level(level: u32) -> String {
    // Levels below zero are linear, multipath and faulty.
    format!("level {}", level.cast_signed())
}

/// What lies behind the first sector.
pub(super) fn further_in(source: &dyn Source, head: &[u8]) -> Option<Hit> {
    lvm(head)
        .or_else(|| md1(head, 4096, 8))
        .or_else(|| at_sector_two(head))
        .or_else(|| named_places(head))
        .or_else(|| swap(head))
        .or_else(|| iso_udf(source))
        .or_else(|| zfs(source))
        .or_else(|| ufs(source, head))
        .or_else(|| luks2_second(source))
        .or_else(|| vmfs(source))
}

fn lvm(head: &[u8]) -> Option<Hit> {
    (0..4)
        .any(|sector| has(head, sector * 512, b"LABELONE") && has(head, sector * 512 + 24, b"LVM2 001"))
        .then(|| (LVM, String::new()))
}

/// The file systems whose superblock stands at byte 1024.
fn at_sector_two(head: &[u8]) -> Option<Hit> {
    let sb = head.get(1024..)?;
    if le_u32(sb, 0) == Some(0xF2F5_2010) && le_u32(sb, 16).is_some_and(|log| (9..=16).contains(&log)) {
        return plain("F2FS");
    }
    if le_u32(sb, 0) == Some(0xE0F5_E1E2) {
        return plain("EROFS");
    }
    let allocation_block = be_u32(sb, 20).unwrap_or(0);
    if has(sb, 0, b"BD") && allocation_block > 0 && allocation_block.is_multiple_of(512) {
        return plain("HFS");
    }
    if le_u16(sb, 6) == Some(0x3434)
        && le_u32(sb, 0) == Some(2)
        && le_u16(sb, 8).is_some_and(|n| (256..=1024).contains(&n))
    {
        return plain("NILFS2");
    }
    let journal = le_u16(sb, 56) == Some(0xEF53) && le_u32(sb, 96).is_some_and(|f| f & 0x8 != 0);
    journal.then(|| ("ext journal device", String::new()))
}

/// Plain signatures at their places in the head.
fn named_places(head: &[u8]) -> Option<Hit> {
    const BCACHE: &[u8] = b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca\x82\x65\xf5\x7f\x48\xba\x6d\x81";
    const BCACHEFS: &[u8] = b"\xc6\x85\x73\xf6\x66\xce\x90\xa9\xd9\x6a\x60\xcf\x80\x3d\xf7\xef";
    let places: [(usize, &[u8], &'static str); 13] = [
        (65536 + 64, b"_BHRfS_M", "btrfs"),
        (4096 + 24, BCACHE, "bcache device"),
        (4096 + 24, BCACHEFS, "bcachefs"),
        (32768, b"JFS1", "JFS"),
        (65536 + 52, b"ReIsErFs", "ReiserFS"),
        (65536 + 52, b"ReIsEr2Fs", "ReiserFS"),
        (65536 + 52, b"ReIsEr3Fs", "ReiserFS"),
        (8192 + 52, b"ReIsErFs", "ReiserFS"),
        (65536, b"ReIsEr4", "Reiser4"),
        (4096, b"SPACEDB ", "Windows Storage Spaces"),
        (0, b"SPACEDB ", "Windows Storage Spaces"),
        (512 + 4, b"!Stra0tis", "Stratis pool member"),
        // The private header of a dynamic disk under an MBR.
        (6 * 512, b"PRIVHEAD", "Windows dynamic disk (LDM)"),
    ];
    if let Some((_, _, what)) = places.iter().find(|(offset, signature, _)| has(head, *offset, signature)) {
        return plain(what);
    }
    // One whose superblock holds is read, as is a btrfs.
    if has(head, 0, b"XFSB") {
        return plain("XFS");
    }
    let bsd = |at: usize| le_u32(head, at) == Some(BSD_LABEL) && le_u32(head, at + 132) == Some(BSD_LABEL);
    (bsd(512) || bsd(64) || bsd(0)).then(|| ("BSD disk label", String::new()))
}

fn swap(head: &[u8]) -> Option<Hit> {
    for page in [4096usize, 8192, 16384, 32768, 65536] {
        for (signature, detail) in [
            (b"SWAPSPACE2", ""),
            (b"SWAP-SPACE", ""),
            (b"S1SUSPEND\0", "holds a hibernated system"),
            (b"S2SUSPEND\0", "holds a hibernated system"),
            (b"ULSUSPEND\0", "holds a hibernated system"),
        ] {
            if has(head, page - 10, signature) {
                return Some(("Linux swap", detail.into()));
            }
        }
    }
    None
}

/// The volume recognition sequence of ECMA-167 from byte 32768: ISO 9660 has `CD001`, UDF has `NSR`.
fn iso_udf(source: &dyn Source) -> Option<Hit> {
    let sequence = read_up_to(source, 32768, 64 * 1024).ok()?;
    let mut iso = false;
    for descriptor in sequence.chunks_exact(2048) {
        match array::<5>(descriptor, 1)? {
            [b'C', b'D', b'0', b'0', b'1'] => iso = true,
            // Beside ISO 9660 it is that reader's; one whose anchor holds is read.
            [b'N', b'S', b'R', b'0', b'2' | b'3'] if !iso => return plain(UDF),
            [b'B', b'E', b'A', b'0', b'1'] | [b'B', b'O', b'O', b'T', b'2'] => {}
            _ => break,
        }
    }
    None
}

/// The uberblocks of the first ZFS label, from byte 131072; several must carry the magic number.
fn zfs(source: &dyn Source) -> Option<Hit> {
    let ring = read_up_to(source, 128 * 1024, 128 * 1024).ok()?;
    let magic = |u: &&[u8]| le_u64(u, 0) == Some(0x00BA_B10C) || le_u64(u, 0) == Some(0x0CB1_BA00_0000_0000);
    (ring.chunks_exact(1024).filter(magic).count() >= 2).then(|| ("ZFS pool member", String::new()))
}

fn ufs(source: &dyn Source, head: &[u8]) -> Option<Hit> {
    let either =
        |data: &[u8], at: usize, value: u32| le_u32(data, at) == Some(value) || be_u32(data, at) == Some(value);
    let (ufs1, ufs2) = (0x0001_1954, 0x1954_0119);
    if either(head, 8192 + 1372, ufs1) {
        return plain("UFS1");
    }
    let far = read_up_to(source, 262_144 + 1372, 4).unwrap_or_default();
    let second = either(head, 65536 + 1372, ufs2) || either(head, 8192 + 1372, ufs2) || either(&far, 0, ufs2);
    second.then(|| ("UFS2", String::new()))
}

/// The second header of LUKS2, where the first was overwritten.
fn luks2_second(source: &dyn Source) -> Option<Hit> {
    (14..=22)
        .any(|power| read_up_to(source, 1 << power, 8).is_ok_and(|b| has(&b, 0, b"SKUL\xba\xbe\0\x02")))
        .then(|| (LUKS, "version 2, by its second header; the first is damaged".into()))
}

fn vmfs(source: &dyn Source) -> Option<Hit> {
    let at = |offset, signature: &[u8]| read_up_to(source, offset, 4).is_ok_and(|b| b == signature);
    (at(0x10_0000, b"\x0d\xd0\x01\xc0") || at(0x20_0000, b"\x5e\xf1\xab\x2f"))
        .then(|| ("VMware VMFS volume", String::new()))
}

/// What is known by the end of a volume: members of arrays and GELI.
pub(super) fn at_end(source: &dyn Source) -> Option<Hit> {
    let length = source.len();
    let at = |offset: u64, bytes: usize| read_up_to(source, offset, bytes).unwrap_or_default();
    for sector in [512, 4096] {
        let last = at((length / sector).checked_sub(1)?.saturating_mul(sector), 512);
        if has(&last, 0, b"GEOM::ELI") {
            return plain("GELI encrypted volume");
        }
    }
    let last = at(length.saturating_sub(512), 512);
    if be_u32(&last, 0) == Some(0xDE11_DE11) {
        return Some(("RAID member", "DDF metadata".into()));
    }
    if has(&at(length.saturating_sub(1024), 32), 0, b"Intel Raid ISM Cfg Sig. ") {
        return Some(("RAID member", "Intel Matrix Storage metadata".into()));
    }
    // Version 1.0: at least 8 KiB from the end, aligned to 4 KiB, and the superblock repeats its own sector.
    let sector = (length / 512).checked_sub(16)? & !7;
    if let Some(hit) = md1(&at(sector.saturating_mul(512), 256), 0, sector) {
        return Some(hit);
    }
    // Version 0.90: in the last whole 64 KiB but one. It does not repeat its place; its size tells a leftover of
    // another partition from the true one.
    let place = (length & !0xFFFF).checked_sub(0x1_0000)?;
    let sb = at(place, 256);
    let (magic, major, minor) = (le_u32(&sb, 0)?, le_u32(&sb, 4)?, le_u32(&sb, 8)?);
    let (level, size) = (le_u32(&sb, 28)?, u64::from(le_u32(&sb, 32)?) * 1024);
    let fits = size == 0 || (size <= place && place - size < 1 << 20);
    (magic == MD_MAGIC && major == 0 && (90..=91).contains(&minor) && fits)
        .then(|| ("Linux RAID member", raid_level(level)))
}
