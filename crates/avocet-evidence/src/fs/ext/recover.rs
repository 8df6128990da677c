//! The content of inodes, live and deleted, and the earlier versions of inodes that the journal still holds.

use super::inode::{FLAG_ENCRYPTED, FLAG_INLINE_DATA, Inode};
use super::map::{BlockMap, MapFault};
use super::reader::Reader;
use crate::entry::{Content, EntryKind, Location, Mapped, Note, Unreadable};

/// Blocks of the file are compressed (e2compr).
const FLAG_COMPRESSED_BLOCKS: u32 = 0x200;
/// Versions of one inode that are tried before its content is given up.
const TRIES: usize = 32;

/// Different versions kept of one inode, the newest ones.
const MAX_VERSIONS: usize = 64;
/// Blocks of the inode table whose versions are kept.
const KEPT_BLOCKS: usize = 16;

/// An inode as it was at a time of the journal.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub inode: Inode,
    /// When the journal has it first.
    pub since: i32,
    /// When the journal has it last.
    pub order: i32,
}

/// The versions of every inode of one block of the inode table, oldest first.
pub(super) type BlockVersions = (u64, Vec<Vec<Version>>);

/// What is to be said of an inode's content.
pub(super) struct Found {
    pub content: Content,
    pub notes: Vec<Note>,
}

impl Found {
    pub fn unreadable(reason: Unreadable) -> Self {
        Self { content: Content::Unreadable(reason), notes: Vec::new() }
    }
}

/// Content that needs no map, or cannot be had at all.
fn unmapped(inode: &Inode) -> Option<Content> {
    if inode.kind() != EntryKind::File {
        return Some(Content::None);
    }
    if inode.has(FLAG_ENCRYPTED) {
        return Some(Content::Unreadable(Unreadable::Encrypted("fscrypt")));
    }
    if inode.has(FLAG_COMPRESSED_BLOCKS) {
        return Some(Content::Unreadable(Unreadable::Unsupported("e2compr compression")));
    }
    if inode.has(FLAG_INLINE_DATA) {
        let mut bytes = inode.block.to_vec();
        bytes.extend_from_slice(&inode.inline_rest);
        return Some(match usize::try_from(inode.size) {
            Ok(size) if size <= bytes.len() => {
                bytes.truncate(size);
                Content::Resident(bytes)
            }
            _ => Content::Unreadable(Unreadable::Corrupt("inline data is shorter than the size".to_owned())),
        });
    }
    None
}

fn notes_of(inode: &Inode, map: &BlockMap) -> Vec<Note> {
    let mut notes = Vec::new();
    if map.has_holes {
        notes.push(Note::Sparse);
    }
    if map.has_unwritten {
        notes.push(Note::Other("some blocks are allocated but were never written and read as zero".to_owned()));
    }
    if !inode.checksum_ok {
        notes.push(Note::Other("inode checksum does not agree".to_owned()));
    }
    if map.bad_checksums > 0 {
        notes.push(Note::Other("extent block checksum does not agree".to_owned()));
    }
    notes
}

fn fault(fault: MapFault) -> Unreadable {
    match fault {
        MapFault::Corrupt(detail) => Unreadable::Corrupt(detail),
        MapFault::Unsupported(what) => Unreadable::Unsupported(what),
        MapFault::Read(error) => Unreadable::Corrupt(format!("its block map cannot be read: {error}")),
    }
}

impl Reader<'_> {
    /// The content of an inode in use.
    pub fn live_content(&mut self, inode: &Inode) -> Found {
        if let Some(content) = unmapped(inode) {
            return Found { content, notes: notes_of(inode, &BlockMap::default()) };
        }
        match self.map(inode, None) {
            Ok(map) => {
                let notes = notes_of(inode, &map);
                Found { content: Content::Mapped(Mapped { extents: map.pieces }), notes }
            }
            Err(e) => Found::unreadable(fault(e)),
        }
    }

    /// The content of a file that is gone, by one version of its inode. The location is refused where the map does not
    /// account for every block that the inode counts: then part of the map was wiped or reused.
    pub fn gone_content(&mut self, inode: &Inode, as_of: Option<i32>) -> Found {
        if inode.kind() == EntryKind::File && inode.size == 0 {
            return Found::unreadable(Unreadable::NoLocation);
        }
        if let Some(content) = unmapped(inode) {
            let wiped = matches!(&content, Content::Resident(b) if b.iter().all(|b| *b == 0));
            return match content {
                Content::Resident(_) if wiped => Found::unreadable(Unreadable::NoLocation),
                content => Found { content, notes: journal_note(as_of) },
            };
        }
        let map = match self.map(inode, as_of) {
            Ok(map) => map,
            Err(e) => return Found::unreadable(fault(e)),
        };
        // Nothing but holes and unwritten blocks: the map was wiped, or its blocks were not yet marked as written.
        if map.pieces.iter().all(|p| p.location == Location::Zero) {
            return Found::unreadable(Unreadable::NoLocation);
        }
        let mut notes = journal_note(as_of);
        let counted = map.data_blocks + map.metadata_blocks + u64::from(inode.has_attribute_block);
        match inode.blocks {
            Some(0) if as_of.is_none() => {
                notes.push(Note::Other("number of blocks was wiped; the location is not confirmed".to_owned()));
            }
            Some(blocks) if blocks == counted || self.fs.sb.cluster_blocks > 1 => {}
            _ => return Found::unreadable(Unreadable::NoLocation),
        }
        notes.extend(notes_of(inode, &map));
        let (reused, of) = self.reused(&map.pieces);
        if reused > 0 {
            notes.push(Note::ClustersReused { reused, of });
        }
        Found { content: Content::Mapped(Mapped { extents: map.pieces }), notes }
    }

    /// The versions of an inode in the journal, oldest first.
    pub fn versions(&mut self, number: u32) -> Vec<Version> {
        let sb = &self.fs.sb;
        let Some(offset) = self.inode_offset(number) else { return Vec::new() };
        let (block, within) = (offset / sb.block_size, offset % sb.block_size);
        if self.journal.copies(block).is_empty() {
            return Vec::new();
        }
        let index = usize::try_from(within).unwrap_or_default() / sb.inode_size;
        if let Some(at) = self.versions.iter().position(|(b, _)| *b == block) {
            self.versions.get_mut(..=at).into_iter().for_each(|v| v.rotate_right(1));
        } else {
            let first = number.saturating_sub(u32::try_from(index).unwrap_or_default());
            let read = self.block_versions(block, first);
            self.versions.truncate(KEPT_BLOCKS - 1);
            self.versions.insert(0, (block, read));
        }
        self.versions.first().and_then(|(_, all)| all.get(index)).cloned().unwrap_or_default()
    }

    /// Reads every copy of a block of the inode table once. Copies that leave an inode as it was add no version.
    fn block_versions(&self, block: u64, first: u32) -> Vec<Vec<Version>> {
        let sb = &self.fs.sb;
        let mut last: Vec<u8> = Vec::new();
        let mut all: Vec<Vec<Version>> = Vec::new();
        for copy in self.journal.copies(block) {
            let Some(data) = self.journal.bytes(&self.fs.volume, copy) else { continue };
            let before = last.chunks_exact(sb.inode_size).map(Some).chain(std::iter::repeat(None));
            for ((i, raw), before) in (0..).zip(data.chunks_exact(sb.inode_size)).zip(before) {
                let slot = usize::try_from(i).unwrap_or_default();
                if all.len() <= slot {
                    all.push(Vec::new());
                }
                let Some(versions) = all.get_mut(slot) else { continue };
                if before == Some(raw) {
                    // What an extent tree or a block map keeps outside the inode may have changed: the newest counts.
                    versions.last_mut().into_iter().for_each(|v| v.order = copy.order);
                    continue;
                }
                let inode = Inode::parse(raw, first.saturating_add(i), sb).filter(|i| i.mode != 0 && i.checksum_ok);
                if let Some(inode) = inode {
                    versions.push(Version { inode, since: copy.order, order: copy.order });
                    if versions.len() > MAX_VERSIONS {
                        versions.remove(0);
                    }
                }
            }
            last = data;
        }
        all
    }

    /// The newest version of one generation of an inode that still has its content. Deleting sets the size to 0 before
    /// it wipes the map, so a version with a size has its map.
    pub fn best_version(&mut self, versions: &[Version], generation: u32) -> Option<(Version, Found)> {
        let mut best = None;
        let whole = versions.iter().rev().filter(|v| v.inode.generation == generation && v.inode.size > 0);
        for version in whole.take(TRIES) {
            let found = self.gone_content(&version.inode, Some(version.order));
            let readable = !matches!(found.content, Content::Unreadable(_));
            if readable || best.is_none() {
                best = Some((version.clone(), found));
            }
            if readable {
                break;
            }
        }
        best
    }

    /// The content of the last file of a free inode: by the inode itself where its map is still there (it is newer than
    /// any copy), else by the journal.
    pub fn last_known(&mut self, current: &Inode, versions: &[Version]) -> (Version, Found) {
        let found = self.gone_content(current, None);
        let kept = current.size > 0 && !matches!(found.content, Content::Unreadable(_));
        let best = if kept { None } else { self.best_version(versions, current.generation) };
        best.filter(|(v, _)| v.inode.kind() == current.kind())
            .unwrap_or_else(|| (Version { inode: current.clone(), since: i32::MAX, order: i32::MAX }, found))
    }
}

fn journal_note(as_of: Option<i32>) -> Vec<Note> {
    as_of.map(|_| Note::Other("location from the journal".to_owned())).into_iter().collect()
}
