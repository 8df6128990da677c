//! What a file is by its content: the signatures of containers, compressed files and archives.
//!
//! Only formats that wrap a disk image are looked for. Whatever a raw disk may begin with (a boot sector, a file system,
//! an encrypted volume) is the business of the layers above.

use super::{aff4, dmg, vhd};
use crate::source::{Source, read_up_to};
use crate::unpack::Packing;

/// Bytes looked at from the beginning.
const HEAD: usize = 64 * 1024;
/// What a file is by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signature {
    Ewf,
    Zip,
    Tar,
    AndroidBackup,
    SevenZip,
    /// One compressed stream, perhaps of a tar archive.
    Packed(Packing),
    Qcow,
    /// Fixed, dynamic or differencing.
    Vhd,
    Vhdx,
    /// A descriptor, or a sparse extent.
    Vmdk,
    /// An Apple disk image with its trailer.
    Dmg,
    /// A zip archive that is an AFF4 volume.
    Aff4,
    /// A container that is not read: its name and what to do.
    Unsupported(&'static str, &'static str),
    /// None of these.
    Raw,
}

pub(super) const CONVERT: &str = "Convert it to raw (for example with qemu-img convert -O raw) and examine that";
pub(super) const REIMAGE: &str = "Export it to raw or E01 with the tool that made it, and examine that";
pub(super) const UNPACK: &str = "Unpack it and examine the image or folder inside";

/// Formats that are read, by their first bytes.
const READ: &[(&[u8], Signature)] = &[
    (super::ewf::section::EVF, Signature::Ewf),
    (b"QFI\xfb", Signature::Qcow),
    (b"vhdxfile", Signature::Vhdx),
    (b"conectix", Signature::Vhd),
    (super::vmdk::SPARSE, Signature::Vmdk),
    (super::vmdk::DESCRIPTOR, Signature::Vmdk),
    (super::android::MAGIC, Signature::AndroidBackup),
    (crate::fs::sevenz::MAGIC, Signature::SevenZip),
];

/// Formats that are not read, by their first bytes: (offset, bytes, name, advice).
const BEGINNINGS: &[(usize, &[u8], &str, &str)] = &[
    (0, super::ewf::section::EVF2, "EWF version 2 (Ex01)", REIMAGE),
    (0, super::ewf::section::LVF, "a logical EWF image (L01)", "Export its files to a folder and examine the folder"),
    (0, super::ewf::section::LEF2, "a logical EWF image (Lx01)", "Export its files to a folder and examine the folder"),
    (0, b"COWD", "a sparse VMDK image (COWD)", CONVERT),
    (0x40, b"\x7f\x10\xda\xbe", "a VirtualBox VDI image", CONVERT),
    (0, b"WithoutFreeSpace", "a Parallels image", CONVERT),
    (0, b"WithouFreSpacExt", "a Parallels image", CONVERT),
    (0, b"AFF10\r\n\0", "an AFF image", REIMAGE),
    (0, b"ADSEGMENTEDFILE", "an AD1 logical image", "Export its files to a folder and examine the folder"),
    (0, b"ADCRYPT\0", "an image encrypted by FTK Imager", "Decrypt it with FTK Imager, and examine the result"),
    (0, b"encrcdsa", "an encrypted Apple disk image", REIMAGE),
    (0, b"sprs", "an Apple sparse disk image", REIMAGE),
    (0, b"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (0, b"\x04\x22\x4d\x18", "an lz4-compressed file", UNPACK),
    (0, b"MSWIM\0\0\0", "a Windows image archive (WIM)", UNPACK),
];

fn is_at(data: &[u8], offset: usize, bytes: &[u8]) -> bool {
    data.get(offset..).is_some_and(|rest| rest.starts_with(bytes))
}

/// A tar header: the magic, and a checksum that is right (sum of the bytes, its own field taken as spaces; POSIX ustar).
pub(crate) fn is_tar(head: &[u8]) -> bool {
    let Some(header) = head.get(..512).filter(|_| is_at(head, 257, b"ustar")) else { return false };
    let sum: u32 =
        header.iter().enumerate().map(|(i, b)| u32::from(if (148..156).contains(&i) { b' ' } else { *b })).sum();
    let stored = header.get(148..156).unwrap_or_default().iter().filter(|b| (b'0'..=b'7').contains(b));
    stored.fold(0u32, |n, b| n.wrapping_mul(8).wrapping_add(u32::from(b & 7))) == sum
}

/// Recognises a file by its content. A part that cannot be read decides nothing: reading it will fail loudly.
pub(super) fn recognise(source: &dyn Source) -> Signature {
    let head = read_up_to(source, 0, HEAD).unwrap_or_default();
    for (bytes, found) in READ {
        if head.starts_with(bytes) {
            return *found;
        }
    }
    for (offset, bytes, name, advice) in BEGINNINGS {
        if is_at(&head, *offset, bytes) {
            return Signature::Unsupported(name, advice);
        }
    }
    if is_at(&head, 0, b"PK\x03\x04") || is_at(&head, 0, b"PK\x05\x06") {
        return if aff4::is_volume(source) { Signature::Aff4 } else { Signature::Zip };
    }
    let disk = source.len().saturating_sub(vhd::FOOTER);
    let tail = read_up_to(source, disk, 512).unwrap_or_default();
    // The trailer is asked for before compressed files, because such an image may begin with its first compressed piece.
    if dmg::is_trailer(&tail) {
        return Signature::Dmg;
    }
    if is_tar(&head) {
        return Signature::Tar;
    }
    if let Some(packing) = Packing::recognise(&head) {
        return Signature::Packed(packing);
    }
    if tail.get(504..) == Some(b"cdsaencr".as_slice()) {
        return Signature::Unsupported("an encrypted Apple disk image", REIMAGE);
    }
    // A footer that does not fit the length is the remains of one.
    match vhd::footer(&tail) {
        Some(footer) if footer.kind != 2 || footer.size == disk => Signature::Vhd,
        _ => Signature::Raw,
    }
}
