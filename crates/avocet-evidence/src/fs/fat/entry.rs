//! The 32 bytes of a short directory entry (Microsoft FAT specification, "FAT Directory Structure").

use avocet_base::{Stamp, Zone};

use super::name::legal;
use super::scan::Slot;
use crate::bytes::{array, le_u16, le_u32, u8_at};
use crate::entry::Times;

const VOLUME_LABEL: u8 = 0x08;
const DIRECTORY: u8 = 0x10;
const LONG_NAME: u8 = 0x0f;

/// A slot that is not a piece of a long name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Short {
    pub name: [u8; 11],
    pub attributes: u8,
    /// Byte 12: which parts of the name are in lower case.
    pub case: u8,
    /// First cluster; of FAT12 and FAT16 only the lower half counts.
    pub first: u32,
    pub size: u32,
    pub times: Times,
    dated: bool,
}

/// Whether a slot holds a piece of a long name.
pub(super) fn is_long(slot: &Slot) -> bool {
    slot.get(11).is_some_and(|attributes| attributes & 0x3f == LONG_NAME)
}

/// Whether the fields of a long-name slot that are always zero are: its type and its first cluster.
pub(super) fn long_is_sound(slot: &Slot) -> bool {
    slot.get(12) == Some(&0) && le_u16(slot, 26) == Some(0)
}

impl Short {
    /// Reads a slot; `wide`: FAT32, where bytes 20 and 21 are the upper half of the first cluster.
    pub fn parse(slot: &Slot, wide: bool) -> Option<Short> {
        let at = |offset| le_u16(slot, offset);
        let high = if wide { u32::from(at(20)?) << 16 } else { 0 };
        let created = Stamp::from_dos(at(16)?, at(14)?, u8_at(slot, 13)?, Zone::Local);
        let modified = Stamp::from_dos(at(24)?, at(22)?, 0, Zone::Local);
        let accessed = Stamp::from_dos(at(18)?, 0, 0, Zone::Local);
        Some(Short {
            name: array(slot, 0)?,
            attributes: u8_at(slot, 11)?,
            case: u8_at(slot, 12)?,
            first: high | u32::from(at(26)?),
            size: le_u32(slot, 28)?,
            times: Times { created, modified, accessed, ..Times::default() },
            dated: modified.is_some() && (created.is_some() || at(16)? == 0) && (accessed.is_some() || at(18)? == 0),
        })
    }

    pub fn is_directory(&self) -> bool {
        self.attributes & (DIRECTORY | VOLUME_LABEL) == DIRECTORY
    }

    pub fn is_label(&self) -> bool {
        self.attributes & (DIRECTORY | VOLUME_LABEL) == VOLUME_LABEL
    }

    pub fn is_deleted(&self) -> bool {
        self.name.first() == Some(&0xe5)
    }

    /// Whether this is the directory's own entry `.` (1) or its parent's `..` (2), deleted or not; else 0.
    pub fn dots(&self) -> u8 {
        if !self.is_directory() {
            return 0;
        }
        match &self.name {
            b".          " => 1,
            b"..         " => 2,
            [0xe5, rest @ ..] if rest.iter().all(|b| *b == b' ') => 1,
            [0xe5, b'.', rest @ ..] if rest.iter().all(|b| *b == b' ') => 2,
            _ => 0,
        }
    }

    /// Whether a live entry can be one at all: a name without control characters that does not begin with a blank.
    pub fn can_be_live(&self) -> bool {
        let [first, rest @ ..] = &self.name;
        (*first == 0x05 || *first > b' ') && rest.iter().all(|b| *b >= b' ')
    }

    /// Whether a slot of a free cluster that is no known directory's reads as an entry: [`Self::plausible`], and the
    /// byte that Windows keeps two bits in holds nothing else. That byte sets entries apart from text.
    pub fn certain(&self, last_cluster: u32) -> bool {
        self.plausible(last_cluster, true) && self.case & !0x18 == 0 && self.dots() == 0
    }

    /// Whether bytes where no live entry is expected read as an entry: a legal name, known attributes, and at least
    /// dates or a first cluster that make sense; all of them where `strict`.
    pub fn plausible(&self, last_cluster: u32, strict: bool) -> bool {
        let [first, rest @ ..] = &self.name;
        // A label and old systems' names may hold blanks inside, but nothing else that is forbidden.
        let named = (matches!(*first, 0x05 | 0xe5) || (legal(*first) && *first != b' '))
            && rest.iter().all(|b| legal(*b))
            && self.attributes & 0xc0 == 0
            && self.attributes & (DIRECTORY | VOLUME_LABEL) != DIRECTORY | VOLUME_LABEL;
        let placed = self.first == 0 || (2..=last_cluster).contains(&self.first);
        let sound = !self.is_directory() || self.size == 0;
        named && if strict { self.dated && placed && sound } else { self.dated || placed }
    }
}
