//! One record of a folder (ECMA-119, 9.1).

use avocet_base::{Stamp, Zone};

use crate::bytes::{array, be_u32, le_u32, u8_at};

/// A record as it stands there, with its system-use area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// First block, with the extended attributes.
    pub block: u32,
    /// Blocks of extended attributes in front of the data.
    pub attributes: u8,
    pub length: u32,
    pub flags: u8,
    /// Blocks of a unit and of the gap behind it, where a file is interleaved.
    pub interleaved: (u8, u8),
    pub recorded: Option<Stamp>,
    pub name: Vec<u8>,
    /// The system-use area.
    pub system: Vec<u8>,
    /// Whether the two byte orders of place and length agree.
    pub consistent: bool,
}

impl Record {
    /// The record at the beginning of `bytes` and its length.
    pub fn parse(bytes: &[u8]) -> Option<(Record, usize)> {
        let length = usize::from(u8_at(bytes, 0)?);
        let record = bytes.get(..length).filter(|r| r.len() >= 34)?;
        let name_length = usize::from(u8_at(record, 32)?);
        let name = record.get(33..33usize.checked_add(name_length)?)?.to_vec();
        if name.is_empty() {
            return None;
        }
        // A name of even length is followed by a byte that makes it odd.
        let system = 33 + name_length + usize::from(name_length.is_multiple_of(2));
        let (block, size) = (le_u32(record, 2)?, le_u32(record, 10)?);
        Some((
            Record {
                block,
                attributes: u8_at(record, 1)?,
                length: size,
                flags: u8_at(record, 25)?,
                interleaved: (u8_at(record, 26)?, u8_at(record, 27)?),
                recorded: stamp(array(record, 18)?),
                name,
                system: record.get(system..).unwrap_or_default().to_vec(),
                consistent: be_u32(record, 6) == Some(block) && be_u32(record, 14) == Some(size),
            },
            length,
        ))
    }

    pub fn is_directory(&self) -> bool {
        self.flags & 2 != 0
    }

    /// A fork of the file of the same name, as a Macintosh keeps it.
    pub fn is_associated(&self) -> bool {
        self.flags & 4 != 0
    }

    /// Whether another record goes on with the same file.
    pub fn goes_on(&self) -> bool {
        self.flags & 0x80 != 0
    }

    /// The folder itself, or the one above it.
    pub fn is_dot(&self) -> bool {
        matches!(self.name.as_slice(), [0 | 1])
    }

    /// Byte offset of the data.
    pub fn start(&self, block: u64) -> Option<u64> {
        u64::from(self.block).checked_add(u64::from(self.attributes))?.checked_mul(block)
    }
}

/// Seven bytes: years since 1900, month, day, hour, minute, second, quarters of an hour from UTC.
pub(super) fn stamp(bytes: [u8; 7]) -> Option<Stamp> {
    let [year, month, day, hour, minute, second, offset] = bytes;
    let zone = Zone::Offset(i16::from(offset.cast_signed()) * 15);
    Stamp::from_civil((1900 + u16::from(year), month, day), (hour, minute, second), 0, zone)
}

/// Seventeen bytes: digits of year, month, day, hour, minute, second and hundredths, then quarters of an hour from UTC.
pub(super) fn long_stamp(bytes: [u8; 17]) -> Option<Stamp> {
    let [digits @ .., offset] = bytes;
    let number = |from: usize, to: usize| std::str::from_utf8(digits.get(from..to)?).ok()?.parse::<u16>().ok();
    let small = |from: usize| number(from, from + 2).and_then(|n| u8::try_from(n).ok());
    let zone = Zone::Offset(i16::from(offset.cast_signed()) * 15);
    let date = (number(0, 4)?, small(4)?, small(6)?);
    Stamp::from_civil(date, (small(8)?, small(10)?, small(12)?), u32::from(small(14)?) * 10_000_000, zone)
}
