//! Directory entry sets of exFAT (Microsoft exFAT specification, sections 6 and 7): one file entry, one stream
//! extension and the pieces of the name. Deleting clears the highest bit of each entry's type.

use avocet_base::{Stamp, Zone, escape_utf16};

use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at, utf16_le};
use crate::entry::Times;
use crate::fs::fat::content::{Claim, Geometry};
use crate::fs::fat::scan::Slot;

/// Types without the bit that says whether they are in use.
pub(super) const BITMAP: u8 = 0x01;
pub(super) const UPCASE: u8 = 0x02;
pub(super) const LABEL: u8 = 0x03;
pub(super) const FILE: u8 = 0x05;
const STREAM: u8 = 0x40;
const NAME: u8 = 0x41;
const VENDOR_ALLOCATION: u8 = 0x61;

/// The bit of a type that is set while the entry is in use.
pub(super) const IN_USE: u8 = 0x80;
const SECONDARY: u8 = 0x40;
const BENIGN: u8 = 0x20;

/// UTF-16 units in one piece of a name.
const UNITS_PER_NAME: usize = 15;

/// The type of a slot.
pub(super) fn kind(slot: &Slot) -> u8 {
    u8_at(slot, 0).unwrap_or(0)
}

/// The type of the slot that begins here.
pub(super) fn kind_of(data: &[u8]) -> u8 {
    u8_at(data, 0).unwrap_or(0)
}

/// Whether a type without its bit of use is one of those that make up a file's set.
pub(super) fn is_file_part(kind: u8) -> bool {
    matches!(kind, FILE | STREAM | NAME | 0x60 | VENDOR_ALLOCATION)
}

/// A set as it was gathered; parts may be missing where a deleted one was overwritten.
#[derive(Default)]
pub(super) struct Set {
    /// Byte offset of its first slot.
    pub offset: u64,
    slots: Vec<Slot>,
    wanted: usize,
}

/// What a set says.
pub(super) struct File {
    pub offset: u64,
    /// Escaped name.
    pub name: String,
    /// Fewer pieces of the name than its length needs.
    pub name_cut: bool,
    /// The file entry is gone: no times, no attributes.
    pub headless: bool,
    pub checksum_agrees: bool,
    pub directory: bool,
    pub times: Times,
    pub claim: Claim,
    /// Clusters that entries of a vendor hold beside the file's own.
    pub vendor: Vec<Claim>,
    /// More bytes are said to be written than there are.
    pub valid_too_long: bool,
    /// Whether sizes and cluster numbers make sense for the volume.
    pub plausible: bool,
}

/// What became of a slot.
pub(super) enum Taken {
    /// A set is complete or broken off; the slot may have begun the next.
    Set(Set),
    /// The slot was added to the set being gathered, or begins one.
    Kept,
    /// A primary entry that is no file: bitmap, table, label, volume GUID and the like.
    Primary,
    /// A secondary entry without a set.
    Stray,
}

impl Set {
    fn head(&self) -> u8 {
        self.slots.first().map_or(0, kind)
    }

    /// Whether the slot is the next of this set.
    fn fits(&self, slot: &Slot) -> bool {
        let kind = kind(slot);
        let same_use = (kind ^ self.head()) & IN_USE == 0;
        let in_order = match self.slots.len() {
            0 => false,
            1 if self.head() & !IN_USE == FILE => kind & !IN_USE == STREAM,
            _ => kind & !IN_USE != STREAM,
        };
        same_use && in_order && kind & SECONDARY != 0 && self.slots.len() < self.wanted
    }

    /// Takes the next slot of a directory. Where a set is returned, call again with the same slot if `again`.
    pub fn feed(&mut self, offset: u64, slot: &Slot) -> (Taken, bool) {
        if self.fits(slot) {
            self.slots.push(*slot);
            return if self.slots.len() >= self.wanted {
                (Taken::Set(std::mem::take(self)), false)
            } else {
                (Taken::Kept, false)
            };
        }
        if !self.slots.is_empty() {
            return (Taken::Set(std::mem::take(self)), true);
        }
        let kind = kind(slot);
        let wanted = match kind & !IN_USE {
            FILE => usize::from(u8_at(slot, 1).unwrap_or(0)).saturating_add(1),
            // The file entry before a deleted stream extension may have been overwritten.
            STREAM if kind == STREAM => {
                usize::from(u8_at(slot, 3).unwrap_or(0)).div_ceil(UNITS_PER_NAME).saturating_add(1)
            }
            _ if kind & SECONDARY != 0 => return (Taken::Stray, false),
            _ => return (Taken::Primary, false),
        };
        *self = Set { offset, slots: vec![*slot], wanted };
        if wanted <= 1 { (Taken::Set(std::mem::take(self)), false) } else { (Taken::Kept, false) }
    }

    /// What has been gathered so far, at the end of a directory or behind a gap.
    pub fn flush(&mut self) -> Option<Set> {
        let set = std::mem::take(self);
        (!set.slots.is_empty()).then_some(set)
    }

    /// Slots in the set.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn in_use(&self) -> bool {
        self.head() & IN_USE != 0
    }

    /// Whether all slots that the file entry counts are there.
    pub fn complete(&self) -> bool {
        self.slots.len() >= self.wanted
    }

    /// The checksum over the set as it was in use (section 6.3.3).
    fn checksum(&self) -> u16 {
        let mut sum = 0u16;
        for (number, slot) in self.slots.iter().enumerate() {
            for (at, byte) in slot.iter().enumerate() {
                let byte = if at == 0 { byte | IN_USE } else { *byte };
                if number > 0 || !matches!(at, 2 | 3) {
                    sum = sum.rotate_right(1).wrapping_add(u16::from(byte));
                }
            }
        }
        sum
    }

    /// Reads the set; `None` where there is no stream extension or no name.
    pub fn read(&self, geometry: &Geometry) -> Option<File> {
        let mut slots = self.slots.iter();
        let head = slots.next()?;
        let headless = kind(head) & !IN_USE == STREAM;
        let stream = if headless { head } else { slots.next()? };
        if kind(stream) & !IN_USE != STREAM {
            return None;
        }
        let units_wanted = usize::from(u8_at(stream, 3)?);
        let mut units: Vec<u16> = vec![];
        let mut vendor = vec![];
        for slot in slots {
            match kind(slot) & !IN_USE {
                NAME => units.extend(utf16_le(slot.get(2..).unwrap_or_default())),
                VENDOR_ALLOCATION => vendor.extend(allocation(slot, le_u64(slot, 24)?)),
                _ => {}
            }
        }
        units.truncate(units_wanted);
        if units.is_empty() {
            return None;
        }
        let valid = le_u64(stream, 8)?;
        let claim = allocation(stream, valid)?;
        let name_ok = units.iter().all(|u| *u >= 0x20);
        let placed = if claim.size == 0 {
            claim.first == 0 || geometry.contains(claim.first)
        } else {
            geometry.contains(claim.first) && geometry.clusters_for(claim.size) <= geometry.count()
        };
        let attributes = if headless { 0 } else { le_u16(head, 4)? };
        Some(File {
            offset: self.offset,
            name: escape_utf16(&units),
            name_cut: units.len() < units_wanted,
            headless,
            checksum_agrees: !headless && self.complete() && le_u16(head, 2)? == self.checksum(),
            directory: attributes & 0x10 != 0,
            times: if headless { Times::default() } else { times(head) },
            valid_too_long: valid > claim.size,
            plausible: name_ok && placed && valid <= claim.size && attributes & 0xffc8 == 0,
            claim: Claim { valid: claim.valid.min(claim.size), ..claim },
            vendor,
        })
    }
}

/// Cluster, length and kind of storage that a secondary entry gives (section 6.4).
pub(super) fn allocation(slot: &Slot, valid: u64) -> Option<Claim> {
    Some(Claim { first: le_u32(slot, 20)?, size: le_u64(slot, 24)?, valid, contiguous: u8_at(slot, 1)? & 2 != 0 })
}

/// Whether an entry in use may be ignored by a reader that does not know it: benign types, and secondary ones.
pub(super) fn may_be_ignored(kind: u8) -> bool {
    kind & BENIGN != 0
}

/// The times of a file entry (sections 7.4.5 to 7.4.10).
fn times(slot: &Slot) -> Times {
    let stamp = |at: usize, hundredths: u8, offset: usize| -> Option<Stamp> {
        let value: [u8; 4] = array(slot, at)?;
        let (time, date) = (le_u16(&value, 0)?, le_u16(&value, 2)?);
        Stamp::from_dos(date, time, hundredths, zone(u8_at(slot, offset)?))
    };
    let hundredths = |at| u8_at(slot, at).unwrap_or(0);
    Times {
        created: stamp(8, hundredths(20), 22),
        modified: stamp(12, hundredths(21), 23),
        accessed: stamp(16, 0, 24),
        ..Times::default()
    }
}

/// The offset from UTC: valid where the highest bit is set, then seven bits with sign, in quarters of an hour.
fn zone(byte: u8) -> Zone {
    if byte & 0x80 == 0 {
        return Zone::Local;
    }
    let quarters = i16::from(byte & 0x7f);
    let quarters = if quarters >= 64 { quarters.saturating_sub(128) } else { quarters };
    Zone::Offset(quarters.saturating_mul(15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_offsets_of_the_specification() {
        // Section 7.4.10, table 33: F8 is UTC-2, 80 UTC, 84 UTC+1, D0 UTC-12.
        assert_eq!(zone(0x80), Zone::Offset(0));
        assert_eq!(zone(0x84), Zone::Offset(60));
        assert_eq!(zone(0xf8), Zone::Offset(-120));
        assert_eq!(zone(0xd0), Zone::Offset(-720));
        assert_eq!(zone(0x04), Zone::Local);
    }

    fn slot(kind: u8, second: u8) -> Slot {
        let mut slot = [0; 32];
        slot[0] = kind;
        slot[1] = second;
        slot
    }

    #[test]
    fn overwritten_heads_and_strays_are_told_apart() {
        let mut set = Set::default();
        let mut stream = slot(0x40, 0);
        stream[3] = 16;
        assert!(matches!(set.feed(0, &stream), (Taken::Kept, false)));
        assert!(matches!(set.feed(32, &slot(0x41, 0)), (Taken::Kept, false)));
        let (Taken::Set(done), false) = set.feed(64, &slot(0x41, 0)) else { panic!("a set of three") };
        assert_eq!((done.len(), done.in_use()), (3, false));
        assert!(matches!(set.feed(96, &slot(0x41, 0)), (Taken::Stray, false)));
        assert!(matches!(set.feed(128, &slot(0x81, 0)), (Taken::Primary, false)));
        assert!(matches!(set.feed(160, &slot(0x85, 2)), (Taken::Kept, false)));
        assert!(matches!(set.feed(192, &slot(0x41, 0)), (Taken::Set(_), true)), "a name in use does not follow");
    }
}
