//! Records of the tree of files.

use std::cmp::Ordering;

use avocet_base::Stamp;

use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at};
use crate::entry::{EntryKind, Times};

pub(super) const INODE: u8 = 3;
pub(super) const XATTR: u8 = 4;
pub(super) const EXTENT: u8 = 8;
pub(super) const NAME: u8 = 9;

/// The root folder, and the folder above it.
pub(super) const ROOT: u64 = 2;
pub(super) const ABOVE_ROOT: u64 = 1;

/// The number and the type of a key.
pub(super) fn key(key: &[u8]) -> Option<(u64, u8)> {
    let both = le_u64(key, 0)?;
    Some((both & 0x0FFF_FFFF_FFFF_FFFF, u8::try_from(both >> 60).unwrap_or(0)))
}

/// Compares a key with the first of a number and type.
pub(super) fn order(id: u64, kind: u8) -> impl Fn(&[u8]) -> Ordering {
    move |bytes| key(bytes).map_or(Ordering::Less, |found| found.cmp(&(id, kind)))
}

fn time(bytes: &[u8], at: usize) -> Option<Stamp> {
    let ns = le_u64(bytes, at)?.cast_signed();
    (ns != 0)
        .then(|| {
            Stamp::from_unix(ns.div_euclid(1_000_000_000), u32::try_from(ns.rem_euclid(1_000_000_000)).unwrap_or(0))
        })
        .flatten()
}

/// A file or folder.
#[derive(Debug, Clone)]
pub(super) struct Inode {
    /// The number under which its bytes are filed.
    pub private: u64,
    pub times: Times,
    pub links: u32,
    pub flags: u32,
    pub mode: u16,
    /// The name that it had first, where it is recorded.
    pub name: Option<Vec<u8>>,
    pub size: u64,
    pub encrypted: bool,
}

impl Inode {
    pub fn parse(value: &[u8]) -> Option<Inode> {
        let mut inode = Inode {
            private: le_u64(value, 8)?,
            times: Times {
                created: time(value, 16),
                modified: time(value, 24),
                changed: time(value, 32),
                accessed: time(value, 40),
                ..Times::default()
            },
            links: le_u32(value, 56)?,
            flags: le_u32(value, 68)?,
            mode: le_u16(value, 80)?,
            name: None,
            size: 0,
            encrypted: false,
        };
        for (kind, data) in fields(value.get(92..).unwrap_or_default()) {
            match kind {
                4 => inode.name = data.split(|b| *b == 0).next().map(<[u8]>::to_vec),
                8 => {
                    inode.size = le_u64(data, 0)?;
                    inode.encrypted = le_u64(data, 16).is_some_and(|id| id != 0);
                }
                _ => {}
            }
        }
        Some(inode)
    }

    pub fn kind(&self) -> EntryKind {
        match self.mode & 0o170_000 {
            0o040_000 => EntryKind::Directory,
            0o120_000 => EntryKind::Link,
            0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => EntryKind::Special,
            _ => EntryKind::File,
        }
    }
}

/// Extended fields: how many, then type, flags and length of each, then their data in steps of eight bytes.
fn fields(blob: &[u8]) -> Vec<(u8, &[u8])> {
    let count = usize::from(le_u16(blob, 0).unwrap_or(0));
    let mut at = 4 + 4 * count;
    let mut out = vec![];
    for i in 0..count {
        let head = 4 + 4 * i;
        let (Some(kind), Some(length)) = (u8_at(blob, head), le_u16(blob, head + 2)) else { break };
        let length = usize::from(length);
        let Some(data) = blob.get(at..at.saturating_add(length)) else { break };
        out.push((kind, data));
        at = at.saturating_add(length.next_multiple_of(8));
    }
    out
}

/// The name in a key of a folder's record.
pub(super) fn name(key: &[u8], hashed: bool) -> Option<&[u8]> {
    let (length, start) = if hashed {
        (usize::try_from(le_u32(key, 8)? & 0x3FF).ok()?, 12usize)
    } else {
        (usize::from(le_u16(key, 8)?), 10)
    };
    let name = key.get(start..start.checked_add(length)?)?;
    Some(name.strip_suffix(&[0]).unwrap_or(name))
}

/// What a name leads to.
pub(super) fn target(value: &[u8]) -> Option<u64> {
    le_u64(value, 0)
}

/// An extended attribute: its name, and its bytes or the number under which they are filed, with their length.
pub(super) enum Attribute {
    Inline(Vec<u8>),
    Stream(u64, u64),
}

pub(super) fn attribute(key: &[u8], value: &[u8]) -> Option<(Vec<u8>, Attribute)> {
    let length = usize::from(le_u16(key, 8)?);
    let name = key.get(10..10usize.checked_add(length)?)?;
    let name = name.strip_suffix(&[0]).unwrap_or(name).to_vec();
    let (flags, length) = (le_u16(value, 0)?, usize::from(le_u16(value, 2)?));
    let data = value.get(4..4usize.checked_add(length)?)?;
    let held = if flags & 1 != 0 {
        Attribute::Stream(le_u64(data, 0)?, le_u64(data, 8)?)
    } else {
        Attribute::Inline(data.to_vec())
    };
    Some((name, held))
}

/// An extent: its place in the file, its length, its first block; block 0 is a hole.
pub(super) fn extent(key: &[u8], value: &[u8]) -> Option<(u64, u64, u64)> {
    let length = u64::from_le_bytes(array(value, 0)?) & 0x00FF_FFFF_FFFF_FFFF;
    Some((le_u64(key, 8)?, length, le_u64(value, 8)?))
}
