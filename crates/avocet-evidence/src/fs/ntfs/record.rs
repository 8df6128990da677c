//! File records: the check that a record was written whole, its header, and its attributes.
//!
//! Layout after the public NTFS documentation of the Linux-NTFS project and Microsoft's "Master File Table"
//! (`FILE_RECORD_SEGMENT_HEADER`, `ATTRIBUTE_RECORD_HEADER`, `FILE_NAME`, `STANDARD_INFORMATION`).

use avocet_base::Stamp;

use crate::bytes::{le_u16, le_u32, le_u64, u8_at};

/// Attribute type codes.
pub(super) const STANDARD_INFORMATION: u32 = 0x10;
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const VOLUME_NAME: u32 = 0x60;
pub(super) const DATA: u32 = 0x80;
pub(super) const REPARSE_POINT: u32 = 0xc0;
pub(super) const LOGGED_UTILITY_STREAM: u32 = 0x100;

/// Record header flags.
pub(super) const IN_USE: u16 = 1;
pub(super) const DIRECTORY: u16 = 2;

/// Why a record cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// All-zero signature: never written.
    Never,
    /// Marked `BAAD` by a repair.
    Marked,
    /// Neither signature.
    NotARecord,
    /// The update sequence does not agree with the sectors' ends: a torn or damaged write.
    Torn,
    /// Its bytes could not be read.
    Unreadable,
}

impl Fault {
    /// Problem code and sentence part.
    pub fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::Never => ("record-never-written", "was never written"),
            Self::Marked => ("record-marked-bad", "is marked bad (BAAD)"),
            Self::NotARecord => ("record-signature", "does not begin with a record signature"),
            Self::Torn => ("record-fixup-mismatch", "fails its update sequence check"),
            Self::Unreadable => ("record-unreadable", "cannot be read"),
        }
    }
}

/// Checks a raw record's signature and update sequence, and puts the sectors' true last bytes back.
pub(super) fn fix_up(record: &mut [u8]) -> Result<(), Fault> {
    match record.get(..4) {
        Some(b"FILE") => {}
        Some(b"BAAD") => return Err(Fault::Marked),
        Some([0, 0, 0, 0]) => return Err(Fault::Never),
        _ => return Err(Fault::NotARecord),
    }
    let start = usize::from(le_u16(record, 4).ok_or(Fault::Torn)?);
    let strides = usize::from(le_u16(record, 6).ok_or(Fault::Torn)?).checked_sub(1).ok_or(Fault::Torn)?;
    // Windows protects every 512 bytes whatever the sector; other writers protect every sector.
    let stride = record.len().checked_div(strides).ok_or(Fault::Torn)?;
    if !stride.is_power_of_two() || !(256..=4096).contains(&stride) || stride.checked_mul(strides) != Some(record.len())
    {
        return Err(Fault::Torn);
    }
    let mark = le_u16(record, start).ok_or(Fault::Torn)?;
    let ends = (1..=strides).map(|i| (start + 2 * i, i * stride - 2));
    for (_, end) in ends.clone() {
        if le_u16(record, end) != Some(mark) {
            return Err(Fault::Torn);
        }
    }
    for (saved, end) in ends {
        let value: [u8; 2] = crate::bytes::array(record, saved).ok_or(Fault::Torn)?;
        record.get_mut(end..end + 2).ok_or(Fault::Torn)?.copy_from_slice(&value);
    }
    Ok(())
}

/// A reference to a record: its number and the sequence it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference {
    pub record: u64,
    pub sequence: u16,
}

impl Reference {
    pub fn read(data: &[u8], offset: usize) -> Option<Self> {
        let raw = le_u64(data, offset)?;
        Some(Self { record: raw & 0xffff_ffff_ffff, sequence: (raw >> 48) as u16 })
    }
}

/// A record's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub sequence: u16,
    pub flags: u16,
    /// The record this one extends; record 0 where it stands for itself.
    pub base: Reference,
}

impl Header {
    pub fn read(record: &[u8]) -> Option<Self> {
        Some(Self {
            sequence: le_u16(record, 0x10)?,
            flags: le_u16(record, 0x16)?,
            base: Reference::read(record, 0x20)?,
        })
    }

    pub fn in_use(&self) -> bool {
        self.flags & IN_USE != 0
    }

    pub fn is_directory(&self) -> bool {
        self.flags & DIRECTORY != 0
    }

    pub fn is_extension(&self) -> bool {
        self.base.record != 0 || self.base.sequence != 0
    }
}

/// Where an attribute's value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'a> {
    /// In the record.
    Resident(&'a [u8]),
    /// In clusters.
    Mapped(Mapping<'a>),
}

/// One piece of a value in clusters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mapping<'a> {
    /// First cluster of the value that this piece maps.
    pub lowest: u64,
    /// Last one; `lowest - 1` where it maps none.
    pub highest: u64,
    /// Encoded runs.
    pub pairs: &'a [u8],
    /// Clusters of a compression unit as a power of two; 0 where not compressed.
    pub unit: u8,
    /// Bytes of the value; only in the first piece.
    pub size: u64,
    /// Bytes that were ever written; only in the first piece.
    pub initialised: u64,
}

/// One attribute of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'a> {
    pub kind: u32,
    /// UTF-16 name in bytes, empty for the unnamed one.
    pub name: &'a [u8],
    pub flags: u16,
    pub body: Body<'a>,
}

impl<'a> Attribute<'a> {
    pub const COMPRESSED: u16 = 0x0001;
    pub const COMPRESSION_MASK: u16 = 0x00ff;
    pub const ENCRYPTED: u16 = 0x4000;

    pub fn resident(&self) -> Option<&'a [u8]> {
        match self.body {
            Body::Resident(value) => Some(value),
            Body::Mapped(_) => None,
        }
    }

    fn read(bytes: &'a [u8], kind: u32) -> Option<Self> {
        let name_length = usize::from(u8_at(bytes, 9)?) * 2;
        let name_offset = usize::from(le_u16(bytes, 10)?);
        let name = if name_length == 0 { &[] } else { bytes.get(name_offset..name_offset + name_length)? };
        let body = if u8_at(bytes, 8)? == 0 {
            let length = usize::try_from(le_u32(bytes, 0x10)?).ok()?;
            let offset = usize::from(le_u16(bytes, 0x14)?);
            Body::Resident(bytes.get(offset..offset.checked_add(length)?)?)
        } else {
            Body::Mapped(Mapping {
                lowest: le_u64(bytes, 0x10)?,
                highest: le_u64(bytes, 0x18)?,
                pairs: bytes.get(usize::from(le_u16(bytes, 0x20)?)..)?,
                unit: u8_at(bytes, 0x22)?,
                size: le_u64(bytes, 0x30)?,
                initialised: le_u64(bytes, 0x38)?,
            })
        };
        Some(Self { kind, name, flags: le_u16(bytes, 12)?, body })
    }
}

/// Appends a fixed-up record's attributes; false where the list is broken somewhere (what was readable is appended).
pub(super) fn attributes<'a>(record: &'a [u8], out: &mut Vec<Attribute<'a>>) -> bool {
    let used = le_u32(record, 0x18).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let Some(record) = record.get(..used.min(record.len())) else { return false };
    let mut at = le_u16(record, 0x14).map_or(0, usize::from);
    let mut whole = at >= 0x18;
    while whole {
        match le_u32(record, at) {
            Some(u32::MAX) => return true,
            Some(kind) => {
                let length = le_u32(record, at.saturating_add(4)).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
                let bytes = at.checked_add(length).and_then(|end| record.get(at..end)).filter(|b| b.len() >= 0x18);
                let Some(bytes) = bytes else { return false };
                match Attribute::read(bytes, kind) {
                    Some(attribute) => out.push(attribute),
                    None => whole = false,
                }
                at = at.saturating_add(length);
            }
            None => return false,
        }
    }
    false
}

/// A `$FILE_NAME` value.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileName<'a> {
    pub parent: Reference,
    /// Created, modified, changed, accessed.
    pub times: [Option<Stamp>; 4],
    /// UTF-16 in bytes.
    pub name: &'a [u8],
    /// A short 8.3 name that stands beside a long one.
    pub dos_only: bool,
}

impl<'a> FileName<'a> {
    pub fn read(value: &'a [u8]) -> Option<Self> {
        let length = usize::from(u8_at(value, 64)?) * 2;
        Some(Self {
            parent: Reference::read(value, 0)?,
            times: times(value, 8)?,
            name: value.get(66..66 + length)?,
            dos_only: u8_at(value, 65)? == 2,
        })
    }
}

/// Created, modified, changed and accessed as both attributes keep them, in Windows FILETIME; a time that is not set
/// or that no device can have meant is `None`.
fn times(value: &[u8], offset: usize) -> Option<[Option<Stamp>; 4]> {
    let at = |i: usize| le_u64(value, offset + 8 * i).map(Stamp::from_filetime);
    Some([at(0)?, at(1)?, at(2)?, at(3)?])
}

/// A `$STANDARD_INFORMATION` value.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standard {
    /// Created, modified, changed, accessed.
    pub times: [Option<Stamp>; 4],
    /// Windows file attribute flags.
    pub flags: u32,
}

impl Standard {
    pub fn read(value: &[u8]) -> Option<Self> {
        Some(Self { times: times(value, 0)?, flags: le_u32(value, 32)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(size: usize, stride: usize) -> Vec<u8> {
        let strides = size / stride;
        let mut r = vec![0xaa; size];
        r[..4].copy_from_slice(b"FILE");
        r[4..6].copy_from_slice(&0x30u16.to_le_bytes());
        r[6..8].copy_from_slice(&(strides as u16 + 1).to_le_bytes());
        r[0x30..0x32].copy_from_slice(&[7, 1]);
        for i in 1..=strides {
            r[0x30 + 2 * i..0x32 + 2 * i].copy_from_slice(&[i as u8, 0xee]);
            r[i * stride - 2..i * stride].copy_from_slice(&[7, 1]);
        }
        r
    }

    #[test]
    fn every_protected_sector_is_checked_and_restored() {
        for (size, stride) in [(1024, 512), (4096, 512), (4096, 4096), (4096, 1024), (2048, 2048)] {
            let mut good = raw(size, stride);
            fix_up(&mut good).unwrap();
            for i in 1..=size / stride {
                assert_eq!(good[i * stride - 2..i * stride], [i as u8, 0xee]);
                let mut torn = raw(size, stride);
                torn[i * stride - 1] ^= 1;
                assert_eq!(fix_up(&mut torn), Err(Fault::Torn));
            }
        }
    }

    #[test]
    fn other_signatures_are_told_apart() {
        assert_eq!(fix_up(&mut [0; 1024]), Err(Fault::Never));
        assert_eq!(fix_up(&mut [b'B', b'A', b'A', b'D', 0, 0, 0, 0]), Err(Fault::Marked));
        assert_eq!(fix_up(&mut [9; 64]), Err(Fault::NotARecord));
        let mut unprotected = raw(1024, 512);
        unprotected[6] = 1;
        assert_eq!(fix_up(&mut unprotected), Err(Fault::Torn));
    }
}
