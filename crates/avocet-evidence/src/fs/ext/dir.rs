//! Directory blocks: the names in use and those left behind in the slack of records, by the kernel's ext4 on-disk
//! documentation ("Directory Entries").

use crate::bytes::{le_u16, le_u32, u8_at};
use crate::checksum::crc32c;
use crate::entry::EntryKind;

/// One name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub inode: u32,
    pub bytes: Vec<u8>,
    /// Kind, where the directory records it.
    pub kind: Option<EntryKind>,
}

/// How names are recorded in a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Records hold a file type in the byte that else is the high half of the length of the name.
    pub file_type: bool,
    /// Bytes kept behind the name (8 for the hash of an encrypted, case-folded name).
    pub behind: usize,
    /// The directory has a hash index; some blocks hold no names.
    pub indexed: bool,
    /// Highest inode number.
    pub inodes: u32,
    /// Lowest inode number of an ordinary file.
    pub first_inode: u32,
    /// Seed of the block's checksum, where there is one.
    pub seed: Option<u32>,
}

/// What a directory block holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub live: Vec<Name>,
    pub deleted: Vec<Name>,
    /// Byte in the block from which its records make no sense.
    pub damaged_at: Option<usize>,
    pub checksum_ok: bool,
}

fn kind(file_type: u8) -> Option<EntryKind> {
    match file_type {
        1 => Some(EntryKind::File),
        2 => Some(EntryKind::Directory),
        7 => Some(EntryKind::Link),
        3..=6 => Some(EntryKind::Special),
        _ => None,
    }
}

impl Form {
    /// A record's length; 64 KiB blocks need a length that 16 bits do not hold.
    fn record_length(data: &[u8], at: usize, block: usize) -> Option<usize> {
        let stored = usize::from(le_u16(data, at + 4)?);
        Some(match stored {
            0 | 0xffff if block >= 65536 => block,
            _ if block >= 65536 => stored & 0xfffc | (stored & 3) << 16,
            _ => stored,
        })
    }

    fn name(&self, data: &[u8], at: usize, end: usize) -> Option<Name> {
        let inode = le_u32(data, at)?;
        let (length, kind) = if self.file_type {
            (usize::from(u8_at(data, at + 6)?), kind(u8_at(data, at + 7)?))
        } else {
            (usize::from(le_u16(data, at + 6)?), None)
        };
        let from = at.checked_add(8)?;
        let to = from.checked_add(length)?;
        if length == 0 || length > 255 || to.checked_add(self.behind)? > end {
            return None;
        }
        Some(Name { inode, bytes: data.get(from..to)?.to_vec(), kind })
    }

    fn span(&self, name: &Name) -> usize {
        (8 + name.bytes.len() + self.behind).next_multiple_of(4)
    }

    /// Whether a record found in slack can have been a name.
    fn plausible(&self, data: &[u8], at: usize, end: usize, name: &Name) -> bool {
        let record = Self::record_length(data, at, data.len()).unwrap_or_default();
        // Some systems wiped the inode number on deletion; then at least the kind must be there.
        let number = (self.first_inode..=self.inodes).contains(&name.inode) || (name.inode == 0 && self.file_type);
        number
            && (!self.file_type || name.kind.is_some())
            && record >= 8 + name.bytes.len()
            && record.is_multiple_of(4)
            && at.checked_add(record).is_some_and(|to| to <= data.len().max(end))
            && !matches!(name.bytes.as_slice(), b"." | b"..")
            && !name.bytes.iter().any(|b| *b == 0 || *b == b'/')
    }

    /// Reads one block; `first` is the directory's first one, which begins with `.` and `..`.
    pub fn block(&self, data: &[u8], first: bool) -> Block {
        if let Some(block) = self.index_block(data, first) {
            return block;
        }
        let mut out = self.records(data);
        out.checksum_ok = self.seed.is_none_or(|seed| {
            let end = data.len().saturating_sub(12);
            let marked = le_u32(data, end) == Some(0) && u8_at(data, end + 7) == Some(0xde);
            marked && data.get(..end).is_some_and(|d| le_u32(data, end + 8) == Some(crc32c(seed, d)))
        });
        out
    }

    /// Reads records up to the end of `data`, without a checksum (the parts of an inline directory).
    pub fn records(&self, data: &[u8]) -> Block {
        let mut out = Block { checksum_ok: true, ..Block::default() };
        let mut at = 0;
        while at + 8 <= data.len() {
            let length = Self::record_length(data, at, data.len()).unwrap_or_default();
            let end = at.saturating_add(length);
            if length < 8 || !length.is_multiple_of(4) || end > data.len() {
                out.damaged_at = Some(at);
                return out;
            }
            let name = self.name(data, at, end);
            let slack;
            match name {
                Some(name) if name.inode != 0 => {
                    slack = at.saturating_add(self.span(&name));
                    out.live.push(name);
                }
                // A record without an inode: unused. Its name may still be there.
                Some(name)
                    if !name.bytes.contains(&0)
                        && !name.bytes.contains(&b'/')
                        && (name.kind.is_some() || !self.file_type) =>
                {
                    slack = at.saturating_add(self.span(&name));
                    out.deleted.push(name);
                }
                _ if le_u32(data, at) == Some(0) => slack = at.saturating_add(8),
                _ => {
                    out.damaged_at = Some(at);
                    return out;
                }
            }
            self.slack(data, slack, end, &mut out.deleted);
            at = end;
        }
        out
    }

    fn slack(&self, data: &[u8], from: usize, end: usize, out: &mut Vec<Name>) {
        let mut at = from;
        while at + 8 < end {
            match self.name(data, at, end).filter(|n| self.plausible(data, at, end, n)) {
                Some(name) => {
                    at += self.span(&name);
                    out.push(name);
                }
                None => at += 4,
            }
        }
    }

    /// A block of the hash index, which holds no names but `.` and `..`; `None` where it is an ordinary block.
    fn index_block(&self, data: &[u8], first: bool) -> Option<Block> {
        if !self.indexed {
            return None;
        }
        let record = Self::record_length(data, if first { 12 } else { 0 }, data.len())?;
        let counts = if first {
            // The root: `.` in 12 bytes, `..` over the rest, then reserved zero, hash version, length 8.
            let root = le_u16(data, 4)? == 12
                && record == data.len().checked_sub(12)?
                && le_u32(data, 0x18)? == 0
                && u8_at(data, 0x1d)? == 8;
            root.then_some(0x20)
        } else {
            (le_u32(data, 0)? == 0 && record == data.len() && u8_at(data, 6)? == 0).then_some(8)
        }?;
        let limit = usize::from(le_u16(data, counts)?);
        let count = usize::from(le_u16(data, counts + 2)?);
        if count == 0 || count > limit || counts + limit * 8 > data.len() {
            return None;
        }
        let checksum_ok = self.seed.is_none_or(|seed| {
            let tail = counts + limit * 8;
            let parts = [data.get(..counts + count * 8), data.get(tail..tail + 4), Some(&[0; 4])];
            parts.into_iter().try_fold(seed, |c, p| Some(crc32c(c, p?))) == le_u32(data, tail + 4)
        });
        let form = Self { indexed: false, seed: None, ..*self };
        let mut out = Block { checksum_ok, ..Block::default() };
        if first {
            out.live = [0, 12].into_iter().filter_map(|at| form.name(data, at, at + 12)).collect();
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form { file_type: true, behind: 0, indexed: false, inodes: 1000, first_inode: 11, seed: None };

    fn record(inode: u32, length: u16, kind: u8, name: &[u8]) -> Vec<u8> {
        let mut out = inode.to_le_bytes().to_vec();
        out.extend(length.to_le_bytes());
        out.extend([u8::try_from(name.len()).unwrap(), kind]);
        out.extend(name);
        out.resize(out.len().next_multiple_of(4).max(12), 0);
        out
    }

    fn block(records: &[Vec<u8>]) -> Vec<u8> {
        let mut out = records.concat();
        out.resize(1024, 0);
        out
    }

    fn names(list: &[Name]) -> Vec<(u32, &str)> {
        list.iter().map(|n| (n.inode, str::from_utf8(&n.bytes).unwrap())).collect()
    }

    #[test]
    fn names_in_use_and_in_slack() {
        let data = block(&[
            record(2, 12, 2, b"."),
            record(2, 12, 2, b".."),
            record(11, 32, 1, b"kept.jpg"),
            record(12, 16, 1, b"gone.jpg"),
            record(0, 968, 1, b"first.gone"),
        ]);
        let found = FORM.block(&data, true);
        assert_eq!(names(&found.live), [(2, "."), (2, ".."), (11, "kept.jpg")]);
        assert_eq!(names(&found.deleted), [(12, "gone.jpg"), (0, "first.gone")]);
        assert_eq!(found.damaged_at, None);
    }

    #[test]
    fn slack_that_is_no_name_is_passed_over() {
        for noise in [
            record(5000, 20, 1, b"inode"),
            record(0, 20, 0, b"kindless"),
            record(3, 20, 1, b"reserved"),
            record(12, 20, 9, b"kind"),
            record(12, 21, 1, b"odd"),
            record(12, 2000, 1, b"long"),
            record(12, 20, 1, b"sla/sh"),
            record(12, 20, 1, b"n\0l"),
        ] {
            let data = block(&[record(11, 1024, 1, b"kept.jpg"), noise]);
            assert_eq!(FORM.block(&data, false).deleted, []);
        }
    }

    #[test]
    fn a_record_that_cannot_be_stops_the_block() {
        for length in [0, 4, 6, 13, 2000] {
            let data = block(&[record(11, 20, 1, b"kept.jpg"), record(12, length, 1, b"x")]);
            let found = FORM.block(&data, false);
            assert_eq!((found.live.len(), found.damaged_at), (1, Some(20)), "{length}");
        }
    }

    #[test]
    fn records_without_a_file_type_have_a_wide_length() {
        let mut form = FORM;
        form.file_type = false;
        let data = block(&[record(11, 1024, 0, b"old.txt")]);
        assert_eq!(form.block(&data, false).live, [Name { inode: 11, bytes: b"old.txt".to_vec(), kind: None }]);
    }
}
