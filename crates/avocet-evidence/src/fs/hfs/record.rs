//! Records of the catalogue.

use avocet_base::escape_utf16;

use crate::bytes::{be_u16, be_u32, u8_at};
use crate::entry::Times;

use super::fork::ForkData;
use super::stamp;
use super::tree::Tree;

/// The number of the folder that holds the root, and of the root.
pub(super) const ABOVE_ROOT: u32 = 1;
pub(super) const ROOT: u32 = 2;

/// A record with its key.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub parent: u32,
    pub name: Vec<u16>,
    pub id: u32,
    pub times: Times,
    pub mode: u16,
    /// The number of links, or of what is linked to.
    pub special: u32,
    /// Flags that the owner may set: compressed, hidden.
    pub owner_flags: u8,
    /// Type and creator of the Finder.
    pub finder: [u8; 8],
    /// `None` for a folder.
    pub forks: Option<(ForkData, ForkData)>,
}

impl Item {
    /// A file or folder; `None` for threads and for what contradicts itself.
    pub fn parse(record: &[u8]) -> Option<Item> {
        let key = usize::from(be_u16(record, 0)?);
        let parent = be_u32(record, 2)?;
        let units = usize::from(be_u16(record, 6)?);
        let end = units.checked_mul(2)?.checked_add(8)?;
        if end > key.checked_add(2)? {
            return None;
        }
        let name = record.get(8..end)?.chunks_exact(2).filter_map(|p| be_u16(p, 0)).collect();
        let body = record.get(key.checked_add(2)?..)?;
        let forks = match be_u16(body, 0)? {
            1 => None,
            2 => Some((ForkData::parse(body.get(88..)?)?, ForkData::parse(body.get(168..)?)?)),
            _ => return None,
        };
        let time = |at| be_u32(body, at).and_then(stamp);
        Some(Item {
            parent,
            name,
            id: be_u32(body, 8)?,
            times: Times {
                created: time(12),
                modified: time(16),
                changed: time(20),
                accessed: time(24),
                ..Times::default()
            },
            mode: be_u16(body, 42)?,
            special: be_u32(body, 44)?,
            owner_flags: u8_at(body, 41)?,
            finder: crate::bytes::array(body, 48)?,
            forks,
        })
    }

    /// Whether a record is one that this reader has to understand: a thread only repeats what it says.
    pub fn is_one(record: &[u8]) -> bool {
        let key = usize::from(be_u16(record, 0).unwrap_or(0)).saturating_add(2);
        !matches!(record.get(key..).and_then(|b| be_u16(b, 0)), Some(3 | 4))
    }

    pub fn escaped(&self) -> String {
        escape_utf16(&self.name)
    }

    /// Whether it is a hard link to a file, or to a folder.
    pub fn is_link(&self) -> bool {
        self.finder == *b"hlnkhfs+" || self.finder == *b"fdrpMACS"
    }
}

/// The volume's name: that of its root.
pub(super) fn volume_name(catalogue: &Tree) -> Option<String> {
    let mut name = None;
    // An index that is damaged only costs the name.
    let _ = catalogue.from(&|record| be_u32(record, 2).map(|parent| parent.cmp(&ABOVE_ROOT)), &mut |record| {
        name = Item::parse(record).filter(|i| i.parent == ABOVE_ROOT).map(|i| i.escaped());
        false
    });
    name.filter(|n| !n.is_empty())
}
