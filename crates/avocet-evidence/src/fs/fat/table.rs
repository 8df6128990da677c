//! The file allocation table of FAT12, FAT16, FAT32 and exFAT, read through windows so that a table of a gigabyte costs
//! no more memory than a small one.

use std::sync::Arc;

use super::bits::Bits;
use crate::bytes;
use crate::error::ReadError;
use crate::source::{Source, read_exact_at};

/// Bytes of one window: a multiple of 2, 3 and 4, so that no entry of any width crosses its border.
const WINDOW: u64 = 196_608;
/// Windows that one reader keeps at most: 32 MiB.
const SLOTS: u64 = 170;

/// How wide an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fs) enum Width {
    /// FAT12.
    Twelve,
    /// FAT16.
    Sixteen,
    /// FAT32: 32 bits of which the upper four are reserved (Microsoft FAT specification).
    TwentyEight,
    /// exFAT: all 32 bits.
    ThirtyTwo,
}

impl Width {
    /// Entries that fit in so many bytes.
    pub fn entries_in(self, bytes: u64) -> u64 {
        match self {
            Self::Twelve => bytes.saturating_mul(2) / 3,
            Self::Sixteen => bytes / 2,
            Self::TwentyEight | Self::ThirtyTwo => bytes / 4,
        }
    }

    fn bytes_for(self, entries: u64) -> u64 {
        match self {
            Self::Twelve => entries.saturating_mul(3).div_ceil(2),
            Self::Sixteen => entries.saturating_mul(2),
            Self::TwentyEight | Self::ThirtyTwo => entries.saturating_mul(4),
        }
    }

    fn raw(self, window: &[u8], index: usize) -> Option<u32> {
        match self {
            Self::Twelve => {
                let pair = bytes::le_u16(window, index.checked_mul(3)? / 2)?;
                Some(u32::from(if index.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 }))
            }
            Self::Sixteen => bytes::le_u16(window, index.checked_mul(2)?).map(u32::from),
            Self::TwentyEight => bytes::le_u32(window, index.checked_mul(4)?).map(|v| v & 0x0fff_ffff),
            Self::ThirtyTwo => bytes::le_u32(window, index.checked_mul(4)?),
        }
    }

    /// The mark of a bad cluster; every value above it ends a chain.
    fn bad(self) -> u32 {
        match self {
            Self::Twelve => 0xff7,
            Self::Sixteen => 0xfff7,
            Self::TwentyEight => 0x0fff_fff7,
            Self::ThirtyTwo => 0xffff_fff7,
        }
    }
}

/// What the table says of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::fs) enum Next {
    /// Not in use (exFAT: not part of a chain).
    Free,
    /// The chain goes on here.
    Cluster(u32),
    /// The chain ends.
    End,
    /// Marked as bad.
    Bad,
    /// A number that is no cluster of the volume.
    Invalid,
}

/// Where the copies of the table lie.
pub(in crate::fs) struct Table {
    pub volume: Arc<dyn Source>,
    pub layer: &'static str,
    pub width: Width,
    /// Byte offsets of the copies, the one to use first.
    pub copies: Vec<u64>,
    /// The highest cluster number.
    pub last: u32,
}

/// What one pass over the whole table found.
pub(in crate::fs) struct Survey {
    /// Clusters whose entry is not zero, and those whose entry cannot be read.
    pub allocated: Bits,
    /// Clusters marked bad.
    pub bad: u64,
    /// Entries that differ between the copies, and the first such cluster.
    pub differing: (u64, Option<u32>),
    /// Clusters whose entry was unreadable in the preferred copy, or whose second copy was.
    pub copy_unreadable: u64,
    /// Clusters whose entry is unreadable in every copy.
    pub unreadable: u64,
}

impl Table {
    fn per_window(&self) -> u64 {
        self.width.entries_in(WINDOW).max(1)
    }

    fn entries(&self) -> u64 {
        u64::from(self.last).saturating_add(1)
    }

    fn read(&self, copy: u64, window: u64) -> Result<Vec<u8>, ReadError> {
        let start = window.saturating_mul(WINDOW);
        let length = self.width.bytes_for(self.entries()).saturating_sub(start).min(WINDOW);
        let mut data = vec![0; usize::try_from(length).unwrap_or(0)];
        read_exact_at(&self.volume, self.layer, copy.saturating_add(start), &mut data)?;
        Ok(data)
    }

    /// One window from the first copy that can be read.
    fn window(&self, window: u64) -> Result<Vec<u8>, ReadError> {
        let mut failure = None;
        for copy in &self.copies {
            match self.read(*copy, window) {
                Ok(data) => return Ok(data),
                Err(e) => failure = failure.or(Some(e)),
            }
        }
        Err(failure.unwrap_or_else(|| {
            ReadError::new(self.layer, 0, crate::error::ReadFault::Unsupported, "the volume has no allocation table")
        }))
    }

    fn classify(&self, raw: u32) -> Next {
        match raw {
            0 => Next::Free,
            n if n > self.width.bad() => Next::End,
            n if n == self.width.bad() => Next::Bad,
            n if (2..=self.last).contains(&n) => Next::Cluster(n),
            _ => Next::Invalid,
        }
    }

    /// Reads the whole table once in order; `compare` also reads the second copy and counts where it differs.
    pub fn survey(&self, compare: bool) -> Survey {
        let mut out = Survey {
            allocated: Bits::new(self.last.saturating_add(1)),
            bad: 0,
            differing: (0, None),
            copy_unreadable: 0,
            unreadable: 0,
        };
        let _ = (out.allocated.set(0), out.allocated.set(1));
        let per_window = self.per_window();
        for window in 0..self.entries().div_ceil(per_window) {
            let first = window.saturating_mul(per_window);
            let count = self.entries().saturating_sub(first).min(per_window);
            let numbers = || (first..first.saturating_add(count)).filter_map(|n| u32::try_from(n).ok());
            let preferred = self.copies.first().map(|c| self.read(*c, window));
            let second = if compare { self.copies.get(1).map(|c| self.read(*c, window)) } else { None };
            let data = match (preferred, second) {
                (Some(Ok(a)), Some(Ok(b))) => {
                    if a != b {
                        for (number, index) in numbers().zip(0..) {
                            if self.width.raw(&a, index) != self.width.raw(&b, index) && number >= 2 {
                                out.differing.0 = out.differing.0.saturating_add(1);
                                out.differing.1 = out.differing.1.or(Some(number));
                            }
                        }
                    }
                    Ok(a)
                }
                (Some(Ok(a)), Some(Err(_))) => {
                    out.copy_unreadable = out.copy_unreadable.saturating_add(count);
                    Ok(a)
                }
                (Some(Ok(a)), None) => Ok(a),
                (Some(Err(_)), Some(Ok(b))) => {
                    out.copy_unreadable = out.copy_unreadable.saturating_add(count);
                    Ok(b)
                }
                _ => self.window(window),
            };
            let Ok(data) = data else {
                out.unreadable = out.unreadable.saturating_add(count);
                numbers().for_each(|n| {
                    let _ = out.allocated.set(n);
                });
                continue;
            };
            for (number, index) in numbers().zip(0..).skip_while(|(n, _)| *n < 2) {
                let raw = self.width.raw(&data, index).unwrap_or(1);
                if raw != 0 {
                    let _ = out.allocated.set(number);
                    out.bad = out.bad.saturating_add(u64::from(raw == self.width.bad()));
                }
            }
        }
        out
    }

    /// The entry 0 of a copy, which repeats the media byte; `None` where it cannot be read.
    pub fn media_byte(&self, copy: u64) -> Option<u8> {
        let mut byte = [0];
        read_exact_at(&self.volume, self.layer, copy, &mut byte).ok()?;
        byte.first().copied()
    }
}

/// A window that was read, or why it could not be.
type Window = (u64, Result<Vec<u8>, ReadError>);

/// Looks entries up, keeping the windows it has read: at most 32 MiB.
pub(in crate::fs) struct TableReader<'a> {
    table: &'a Table,
    slots: Vec<Option<Window>>,
}

impl<'a> TableReader<'a> {
    pub fn new(table: &'a Table) -> Self {
        let windows = table.entries().div_ceil(table.per_window()).clamp(1, SLOTS);
        Self { table, slots: (0..windows).map(|_| None).collect() }
    }

    /// What the table says of `cluster`.
    ///
    /// # Errors
    /// [`ReadError`] where no copy of the entry can be read.
    pub fn next(&mut self, cluster: u32) -> Result<Next, ReadError> {
        let per_window = self.table.per_window();
        let window = u64::from(cluster) / per_window;
        let slot = usize::try_from(window % (self.slots.len().max(1) as u64)).unwrap_or(0);
        let Some(slot) = self.slots.get_mut(slot) else { return Ok(Next::Invalid) };
        if slot.as_ref().is_none_or(|(w, _)| *w != window) {
            *slot = Some((window, self.table.window(window)));
        }
        match slot {
            Some((_, Ok(data))) => {
                let index = usize::try_from(u64::from(cluster) % per_window).unwrap_or(usize::MAX);
                Ok(self.table.width.raw(data, index).map_or(Next::Invalid, |raw| self.table.classify(raw)))
            }
            Some((_, Err(e))) => Err(e.clone()),
            None => Ok(Next::Invalid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    #[test]
    fn twelve_bit_entries_as_the_specification_packs_them() {
        // Entries F80 FFF 003 FF7 000 123 packed two in three bytes.
        let data = vec![0x80, 0xff, 0xff, 0x03, 0x70, 0xff, 0x00, 0x30, 0x12];
        let table = Table {
            volume: Arc::new(MemorySource(data)),
            layer: "fat",
            width: Width::Twelve,
            copies: vec![0],
            last: 5,
        };
        let mut reader = TableReader::new(&table);
        assert_eq!(reader.next(2).unwrap(), Next::Cluster(3));
        assert_eq!(reader.next(3).unwrap(), Next::Bad);
        assert_eq!(reader.next(4).unwrap(), Next::Free);
        assert_eq!(reader.next(5).unwrap(), Next::Invalid, "0x123 is past the last cluster");
        let survey = table.survey(false);
        assert_eq!((survey.bad, survey.unreadable), (1, 0));
        assert_eq!(survey.allocated.clear_runs(2).collect::<Vec<_>>(), [(4, 1)]);
    }

    #[test]
    fn a_table_larger_than_the_cache_reads_the_same() {
        let entries = 4_000u32 * 49_152 / 1_000; // several windows
        let mut data = vec![0; 8];
        for n in 2..entries {
            data.extend_from_slice(&(if n % 3 == 0 { 0x0fff_ffff } else { n ^ 1 }).to_le_bytes());
        }
        let table = Table {
            volume: Arc::new(MemorySource(data)),
            layer: "fat",
            width: Width::TwentyEight,
            copies: vec![0],
            last: entries - 1,
        };
        let mut reader = TableReader { table: &table, slots: vec![None, None] };
        for n in (2..entries).step_by(1009).chain((2..entries).rev().step_by(997)) {
            let expected = if n % 3 == 0 { Next::End } else { Next::Cluster(n ^ 1) };
            let expected = if n ^ 1 >= entries && n % 3 != 0 { Next::Invalid } else { expected };
            assert_eq!(reader.next(n).unwrap(), expected, "{n}");
        }
    }

    #[test]
    fn the_second_copy_answers_where_the_first_cannot_be_read() {
        let table = Table {
            volume: Arc::new(MemorySource(vec![0xf8, 0xff, 0xff, 0xff, 3, 0, 0xff, 0xff])),
            layer: "fat",
            width: Width::Sixteen,
            copies: vec![4096, 0],
            last: 3,
        };
        assert_eq!(TableReader::new(&table).next(2).unwrap(), Next::Cluster(3));
        let survey = table.survey(true);
        assert_eq!((survey.copy_unreadable, survey.unreadable), (4, 0));
        let gone = Table { copies: vec![4096], ..table };
        assert!(TableReader::new(&gone).next(2).is_err());
        assert_eq!(gone.survey(true).unreadable, 4);
    }
}
