//! Goes through the folders from the root.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use avocet_base::join_path;

use crate::bytes::{le_u16, le_u32, u8_at};
use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, Location, Mapped, Note, Run, Times, Unreadable, VisitResult,
    Visitor,
};
use crate::error::Problem;
use crate::fs::climb::{LONGEST, LOOP, TOO_DEEP};

use super::icb::Icb;
use super::{LAYER, Udf, tag, text};

/// How many times the source's bytes files may claim in all.
const CLAIMS: u64 = 16;
const NAME: u16 = 257;
const STREAM_FOLDER: u8 = 13;

/// A folder still to be read.
struct Folder {
    path: String,
    place: (u16, u32),
    state: AllocationState,
}

/// One entry of a folder.
struct Name {
    name: Option<String>,
    flags: u8,
    place: (u16, u32),
}

pub(super) struct Walk<'a> {
    fs: &'a Udf,
    visitor: &'a mut dyn Visitor,
    listed: &'a mut BTreeSet<(u64, u64)>,
    others: bool,
    /// Folders that were read, by the byte of their entry.
    seen: BTreeSet<u64>,
    used: Vec<Run>,
    folder_bytes: u64,
    claimed: u64,
    pieces: u64,
}

impl<'a> Walk<'a> {
    pub fn new(fs: &'a Udf, visitor: &'a mut dyn Visitor, listed: &'a mut BTreeSet<(u64, u64)>, others: bool) -> Self {
        let (folder_bytes, claimed, pieces) = (0, 0, 0);
        Self { fs, visitor, listed, others, seen: BTreeSet::new(), used: vec![], folder_bytes, claimed, pieces }
    }

    pub fn used(self) -> Vec<Run> {
        self.used
    }

    fn problem(&mut self, code: &'static str, offset: u64, detail: &str, path: &str) {
        let path = if path.is_empty() { "/" } else { path };
        self.visitor.problem(Problem::new(LAYER, code, Some(offset), detail).at_path(path));
    }

    pub fn all(&mut self) -> VisitResult {
        let root = Folder { path: String::new(), place: self.fs.root, state: AllocationState::Allocated };
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            let mut below = vec![];
            for name in self.names(&folder) {
                below.extend(self.name(&folder, name)?);
            }
            // The first entry's folder is read first.
            below.reverse();
            folders.append(&mut below);
        }
        ControlFlow::Continue(())
    }

    fn names(&mut self, folder: &Folder) -> Vec<Name> {
        let read = Icb::read(&self.fs.map, folder.place);
        let icb = match read {
            Ok(icb) => icb,
            Err(e) => {
                self.problem("directory-damaged", e.offset, &e.detail, &folder.path);
                return vec![];
            }
        };
        if !self.seen.insert(icb.at) {
            self.problem(LOOP.0, icb.at, LOOP.1, &folder.path);
            return vec![];
        }
        self.folder_bytes = self.folder_bytes.saturating_add(icb.size);
        if self.folder_bytes > self.fs.source.len() {
            let detail = "the folders together claim more bytes than there are; this one was not read";
            self.problem("directories-capped", icb.at, detail, &folder.path);
            return vec![];
        }
        if folder.state == AllocationState::Allocated {
            self.used.extend(icb.runs(&self.fs.map));
        }
        let bytes = match icb.whole(&self.fs.map, u64::MAX) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.problem("directory-damaged", e.offset, &e.detail, &folder.path);
                return vec![];
            }
        };
        let (mut out, mut at) = (vec![], 0usize);
        while let Some(rest) = bytes.get(at..).filter(|r| !r.is_empty()) {
            let Some((name, length)) = parse(rest) else {
                let detail = "an entry of a folder does not hold; the rest of it was left out";
                self.problem("directory-damaged", icb.at, detail, &folder.path);
                break;
            };
            at = at.saturating_add(length);
            // The folder above.
            if name.flags & 8 == 0 {
                out.push(name);
            }
        }
        if (bytes.len() as u64) < icb.size {
            self.problem("directory-damaged", icb.at, "a folder ends before its declared size", &folder.path);
        }
        out
    }

    /// One name; gives the folder that it leads to.
    fn name(&mut self, folder: &Folder, name: Name) -> ControlFlow<(), Option<Folder>> {
        let deleted = name.flags & 4 != 0;
        let state = if deleted { AllocationState::Deleted } else { folder.state };
        // An entry that is free again has no name.
        let Some(text) = name.name else { return ControlFlow::Continue(None) };
        let path = join_path(&folder.path, &text);
        let mut entry = Entry {
            path: path.clone(),
            stream: None,
            kind: if name.flags & 2 != 0 { EntryKind::Directory } else { EntryKind::File },
            state,
            number: 0,
            size: 0,
            times: Times::default(),
            content: Content::None,
            notes: vec![],
        };
        if name.flags & 1 != 0 {
            entry.notes.push(Note::Other("marked as hidden".into()));
        }
        let icb = match Icb::read(&self.fs.map, name.place) {
            Ok(icb) => icb,
            Err(e) => {
                let content = if deleted {
                    Unreadable::NoLocation
                } else {
                    self.problem("inode-missing", e.offset, &e.detail, &path);
                    Unreadable::Corrupt(e.detail)
                };
                if entry.kind == EntryKind::File {
                    entry.content = Content::Unreadable(content);
                }
                if !self.others {
                    self.visitor.entry(entry)?;
                }
                return ControlFlow::Continue(None);
            }
        };
        let directory = name.flags & 2 != 0 || icb.kind == 4;
        entry.kind = match icb.kind {
            _ if directory => EntryKind::Directory,
            6 | 7 | 9 | 10 => EntryKind::Special,
            12 => EntryKind::Link,
            _ => EntryKind::File,
        };
        entry.number = icb.at;
        entry.times = Times {
            created: icb.created,
            modified: icb.modified,
            accessed: icb.accessed,
            changed: icb.changed,
            ..Times::default()
        };
        if deleted {
            entry.notes.push(Note::Other("deleted: its bytes may have been written over since".into()));
        }
        if entry.kind == EntryKind::File {
            if icb.links > 1 {
                entry.notes.push(Note::HardLinks(u32::from(icb.links)));
            }
            self.content(&icb, &mut entry);
        }
        if state == AllocationState::Allocated && !directory {
            self.used.extend(icb.runs(&self.fs.map));
        }
        let first = entry.content.first_offset();
        let new = match first {
            Some(at) => self.listed.insert((at, entry.size)),
            // Bytes in the entry itself are in no other tree; what is empty or a folder is told by the first.
            None => entry.kind == EntryKind::File && entry.size > 0,
        };
        if self.others {
            entry.notes.push(Note::Other("listed in the UDF tree only".into()));
        }
        if !self.others || new {
            self.visitor.entry(entry.clone())?;
            self.streams(&icb, &entry)?;
        }
        if !directory {
            return ControlFlow::Continue(None);
        }
        if path.len() > LONGEST {
            self.problem(TOO_DEEP.0, icb.at, TOO_DEEP.1, &path);
            return ControlFlow::Continue(None);
        }
        // What a folder held when it was deleted is not followed: its blocks may be another's.
        ControlFlow::Continue((!deleted).then_some(Folder { path, place: name.place, state }))
    }

    fn content(&mut self, icb: &Icb, entry: &mut Entry) {
        entry.size = icb.size;
        let corrupt = |detail: &str| Content::Unreadable(Unreadable::Corrupt(detail.into()));
        if icb.chained() {
            entry.content = Content::Unreadable(Unreadable::Unsupported("replaced through a chain of entries"));
            return;
        }
        if let Some(bytes) = icb.inside() {
            entry.content = if (bytes.len() as u64) < icb.size {
                corrupt("its bytes end before its size")
            } else {
                Content::Resident(bytes.to_vec())
            };
            return;
        }
        let pieces = match icb.pieces(&self.fs.map) {
            Ok(pieces) => pieces,
            Err(e) => {
                entry.content = Content::Unreadable(Unreadable::Corrupt(e.detail));
                return;
            }
        };
        self.pieces = self.pieces.saturating_add(pieces.len() as u64);
        let (mut extents, mut logical, mut holes) = (vec![], 0u64, false);
        for piece in pieces {
            let length = piece.length.min(icb.size.saturating_sub(logical));
            if length == 0 {
                continue;
            }
            let location = piece.at.map_or(Location::Zero, Location::At);
            if piece.at.is_some_and(|at| at.saturating_add(length) > self.fs.source.len()) {
                entry.content = corrupt("it lies outside the volume, or its end does");
                return;
            }
            holes |= piece.at.is_none();
            extents.push(Extent { logical, length, location });
            logical = logical.saturating_add(length);
            self.claimed = self.claimed.saturating_add(if piece.at.is_some() { length } else { 0 });
        }
        let length = self.fs.source.len();
        entry.content = if logical < icb.size {
            corrupt("its pieces end before its size")
        } else if self.claimed > length.saturating_mul(CLAIMS) || self.pieces > (length / 8).saturating_add(1 << 16) {
            corrupt("the files together claim far more bytes than the volume has")
        } else {
            Content::Mapped(Mapped { extents })
        };
        if holes {
            entry.notes.push(Note::Sparse);
        }
    }

    /// The named streams of a file.
    fn streams(&mut self, icb: &Icb, of: &Entry) -> VisitResult {
        let Some(place) = icb.streams.filter(|_| of.state == AllocationState::Allocated) else {
            return ControlFlow::Continue(());
        };
        match Icb::read(&self.fs.map, place) {
            // Streams belong to the file and not to each of its names.
            Ok(folder) if self.seen.contains(&folder.at) => return ControlFlow::Continue(()),
            Ok(folder) if folder.kind == STREAM_FOLDER => {}
            _ => {
                self.problem("directory-damaged", icb.at, "the list of a file's streams is none", &of.path);
                return ControlFlow::Continue(());
            }
        }
        let folder = Folder { path: of.path.clone(), place, state: of.state };
        for name in self.names(&folder) {
            let (Some(text), Ok(icb)) = (name.name, Icb::read(&self.fs.map, name.place)) else {
                self.problem("inode-missing", 0, "a stream of a file leads to nothing", &of.path);
                continue;
            };
            let mut entry = Entry {
                stream: Some(text),
                kind: EntryKind::File,
                number: icb.at,
                times: Times::default(),
                notes: vec![],
                ..of.clone()
            };
            self.content(&icb, &mut entry);
            self.used.extend(icb.runs(&self.fs.map));
            self.visitor.entry(entry)?;
        }
        ControlFlow::Continue(())
    }
}

/// The entry of a folder at the beginning of `bytes`, and its length. Where it lies it says in its own words, which are
/// not held against anything: it may cross blocks.
fn parse(bytes: &[u8]) -> Option<(Name, usize)> {
    let place = le_u32(bytes, 12)?;
    if tag(bytes, place)? != NAME {
        return None;
    }
    let (length, used) = (usize::from(u8_at(bytes, 19)?), usize::from(le_u16(bytes, 36)?));
    let start = 38usize.checked_add(used)?;
    let end = start.checked_add(length)?;
    let name = bytes.get(start..end)?;
    let name = Name {
        name: text(name).filter(|n| !n.is_empty()),
        flags: u8_at(bytes, 18)?,
        place: (le_u16(bytes, 28)?, le_u32(bytes, 24)?),
    };
    Some((name, end.next_multiple_of(4).min(bytes.len())))
}
