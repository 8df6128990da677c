//! Goes through the folders of a tree.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use avocet_base::{escape_bytes, escape_utf16, join_path};

use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, Location, Mapped, Note, Run, Unreadable, VisitResult, Visitor,
};
use crate::error::Problem;
use crate::source::{Source, read_up_to};

use super::record::Record;
use super::susp::{self, Said};
use super::{LAYER, Names, SECTOR, Tree};

/// How deep folders may lie in each other.
const DEPTH: usize = 512;
/// How many times the volume's bytes files may claim in all.
const CLAIMS: u64 = 16;

/// Pieces of one file.
const EXTENTS: usize = 1 << 16;

/// A folder still to be read.
struct Folder {
    path: String,
    start: u64,
    length: u64,
    depth: usize,
}

pub(super) struct Walk<'a> {
    source: &'a Arc<dyn Source>,
    pub visitor: &'a mut dyn Visitor,
    /// Folders that were read, by the first byte of each.
    seen: BTreeSet<u64>,
    /// Files that were listed: first byte and length of each.
    pub listed: BTreeSet<(u64, u64)>,
    used: Vec<Run>,
    folder_bytes: u64,
    claimed: u64,
    capped: bool,
}

/// A record with what its system-use area says.
struct Read {
    record: Record,
    said: Said,
    /// Byte offset of the record itself: what the file is known by.
    at: u64,
}

impl<'a> Walk<'a> {
    pub fn new(source: &'a Arc<dyn Source>, visitor: &'a mut dyn Visitor) -> Self {
        Self {
            source,
            visitor,
            seen: BTreeSet::new(),
            listed: BTreeSet::new(),
            used: vec![],
            folder_bytes: 0,
            claimed: 0,
            capped: false,
        }
    }

    /// Bytes that files and folders take.
    pub fn used(self) -> Vec<Run> {
        self.used
    }

    fn problem(&mut self, code: &'static str, offset: u64, detail: &str, path: &str) {
        self.visitor.problem(Problem::new(LAYER, code, Some(offset), detail).at_path(path));
    }

    /// Visits a tree. With `other`, the name of the tree, only files that no tree before led to.
    pub fn tree(&mut self, tree: &Tree, other: Option<&str>) -> VisitResult {
        let mut folders = vec![];
        let mut moved: Vec<Folder> = vec![];
        let root = Folder {
            path: String::new(),
            start: tree.root.start(tree.block).unwrap_or(u64::MAX),
            length: u64::from(tree.root.length),
            depth: 0,
        };
        folders.push(root);
        loop {
            // A folder that was moved and that nothing leads to is listed where it lies.
            let Some(folder) = folders.pop().or_else(|| {
                let left = moved.pop()?;
                (!self.seen.contains(&left.start)).then_some(left)
            }) else {
                if moved.is_empty() {
                    return ControlFlow::Continue(());
                }
                continue;
            };
            let mut below = vec![];
            self.folder(tree, &folder, other, &mut below, &mut moved)?;
            // The first record's folder is read first.
            below.reverse();
            folders.append(&mut below);
        }
    }

    fn folder(
        &mut self,
        tree: &Tree,
        folder: &Folder,
        other: Option<&str>,
        below: &mut Vec<Folder>,
        moved: &mut Vec<Folder>,
    ) -> VisitResult {
        let path = if folder.path.is_empty() { "/" } else { folder.path.as_str() };
        if folder.depth > DEPTH {
            self.problem("directory-depth", folder.start, "folders are nested deeper than is read", path);
            return ControlFlow::Continue(());
        }
        if !self.seen.insert(folder.start) {
            self.problem("directory-loop", folder.start, "a folder read before; it was not read again", path);
            return ControlFlow::Continue(());
        }
        let available = self.source.len().saturating_sub(folder.start);
        if available == 0 || folder.length > available {
            let detail = "the folder, or the end of it, lies outside the volume";
            self.problem("directory-unreadable", folder.start, detail, path);
        }
        let length = folder.length.min(available);
        self.folder_bytes = self.folder_bytes.saturating_add(length);
        if self.folder_bytes > self.source.len() {
            if !self.capped {
                self.capped = true;
                let detail = "the folders together claim more bytes than the volume has; the rest was not read";
                self.problem("directories-capped", folder.start, detail, path);
            }
            return ControlFlow::Continue(());
        }
        self.used.push(Run { start: folder.start, length });
        let mut file: Vec<Read> = vec![];
        let mut at = 0;
        while at < length {
            let place = folder.start.saturating_add(at);
            let wanted = usize::try_from(length.saturating_sub(at).min(SECTOR)).unwrap_or(0);
            let sector = match read_up_to(&**self.source, place, wanted) {
                Ok(sector) => sector,
                Err(e) => {
                    self.problem("directory-unreadable", e.offset, &e.detail, path);
                    vec![]
                }
            };
            self.sector(tree, folder, place, &sector, other, &mut file, below, moved)?;
            at = at.saturating_add(SECTOR);
        }
        self.file(tree, folder, std::mem::take(&mut file), other)
    }

    /// Records do not cross the end of a sector; a length of zero ends it.
    #[allow(clippy::too_many_arguments, reason = "what a folder's reading hands on from sector to sector")]
    fn sector(
        &mut self,
        tree: &Tree,
        folder: &Folder,
        place: u64,
        sector: &[u8],
        other: Option<&str>,
        file: &mut Vec<Read>,
        below: &mut Vec<Folder>,
        moved: &mut Vec<Folder>,
    ) -> VisitResult {
        let mut at = 0usize;
        while sector.get(at).is_some_and(|length| *length != 0) {
            let offset = place.saturating_add(at as u64);
            let rest = sector.get(at..).unwrap_or_default();
            let Some((record, length)) = Record::parse(rest) else {
                let detail = "a record contradicts itself; the rest of its sector was left out";
                self.problem("directory-damaged", offset, detail, &folder.path);
                break;
            };
            at = at.saturating_add(length);
            if record.is_dot() {
                continue;
            }
            if !record.consistent {
                let detail = "the two byte orders of a place or length disagree; the little-endian one was taken";
                self.problem("numbers-differ", offset, detail, &folder.path);
            }
            let said = match tree.names {
                Names::RockRidge(skip) => susp::read(&**self.source, &record.system, skip, tree.block),
                _ => Said::default(),
            };
            if said.broken {
                let detail = "a continued system-use area cannot be followed; what it says is not known";
                self.problem("directory-damaged", offset, detail, &folder.path);
            }
            let read = Read { record, said, at: offset };
            if read.said.moved_to.is_some() || read.record.is_directory() {
                self.file(tree, folder, std::mem::take(file), other)?;
                self.subfolder(tree, folder, &read, other, below, moved)?;
                continue;
            }
            let same = file.first().is_none_or(|first| first.record.name == read.record.name);
            if !same {
                self.file(tree, folder, std::mem::take(file), other)?;
            }
            let goes_on = read.record.goes_on();
            file.push(read);
            if !goes_on {
                self.file(tree, folder, std::mem::take(file), other)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn subfolder(
        &mut self,
        tree: &Tree,
        folder: &Folder,
        read: &Read,
        other: Option<&str>,
        below: &mut Vec<Folder>,
        moved: &mut Vec<Folder>,
    ) -> VisitResult {
        let path = join_path(&folder.path, &name_of(tree.names, read));
        let mut next = Folder {
            path,
            start: read.record.start(tree.block).unwrap_or(u64::MAX),
            length: u64::from(read.record.length),
            depth: folder.depth.saturating_add(1),
        };
        if let Some(block) = read.said.moved_to {
            next.start = u64::from(block).saturating_mul(tree.block);
            // The folder's own first record says how long it is.
            let own = read_up_to(&**self.source, next.start, 255).ok().and_then(|b| Record::parse(&b));
            next.length = own.map_or(SECTOR, |(own, _)| u64::from(own.length));
        } else if read.said.was_moved {
            moved.push(next);
            return ControlFlow::Continue(());
        }
        if other.is_none() {
            let mut entry = self.entry(read, next.path.clone(), EntryKind::Directory);
            entry.notes.extend(hidden(&read.record));
            self.visitor.entry(entry)?;
        }
        below.push(next);
        ControlFlow::Continue(())
    }

    fn entry(&self, read: &Read, path: String, kind: EntryKind) -> Entry {
        let mut times = read.said.times;
        times.modified = times.modified.or(read.record.recorded);
        Entry {
            path,
            stream: read.record.is_associated().then(|| "associated".to_owned()),
            kind,
            state: AllocationState::Allocated,
            number: read.at,
            size: 0,
            times,
            content: Content::None,
            notes: vec![],
        }
    }

    /// One file, which lies in as many records as it has pieces.
    fn file(&mut self, tree: &Tree, folder: &Folder, pieces: Vec<Read>, other: Option<&str>) -> VisitResult {
        let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return ControlFlow::Continue(()) };
        let size: u64 = pieces.iter().map(|p| u64::from(p.record.length)).sum();
        let start = first.record.start(tree.block).unwrap_or(u64::MAX);
        let new = self.listed.insert((start, size));
        if other.is_some() && (!new || size == 0) {
            return ControlFlow::Continue(());
        }
        let kind = match first.said.mode.map(|m| m & 0o170_000) {
            _ if first.said.link => EntryKind::Link,
            Some(0o120_000) => EntryKind::Link,
            Some(0o010_000 | 0o020_000 | 0o060_000 | 0o140_000) => EntryKind::Special,
            _ => EntryKind::File,
        };
        let mut entry = self.entry(first, join_path(&folder.path, &name_of(tree.names, first)), kind);
        entry.notes.extend(hidden(&first.record));
        if let Some(which) = other {
            entry.notes.push(Note::Other(format!("listed in the {which} tree only")));
        }
        if let Some(links) = first.said.links.filter(|n| *n > 1 && kind == EntryKind::File) {
            entry.notes.push(Note::HardLinks(links));
        }
        if kind == EntryKind::File {
            entry.size = size;
            let (content, runs) = self.content(tree, &pieces, size);
            entry.content = content;
            self.used.extend(runs);
            if last.record.goes_on() {
                entry.content =
                    Content::Unreadable(Unreadable::Corrupt("the last piece of the file is not listed".into()));
            }
            if let Some(plain) = first.said.compressed {
                entry.size = u64::from(plain);
                entry.content = Content::Unreadable(Unreadable::Unsupported("compressed by zisofs"));
            } else if first.said.sparse {
                entry.content = Content::Unreadable(Unreadable::Unsupported("Rock Ridge sparse file"));
            }
        }
        self.visitor.entry(entry)
    }

    fn content(&mut self, tree: &Tree, pieces: &[Read], size: u64) -> (Content, Vec<Run>) {
        let (mut extents, mut runs, mut logical) = (vec![], vec![], 0u64);
        let corrupt = |detail: &str| (Content::Unreadable(Unreadable::Corrupt(detail.into())), vec![]);
        self.claimed = self.claimed.saturating_add(size);
        if self.claimed > self.source.len().saturating_mul(CLAIMS) {
            return corrupt("the files together claim far more bytes than the volume has");
        }
        for piece in pieces {
            let record = &piece.record;
            let Some(start) = record.start(tree.block) else { return corrupt("its place is no place") };
            let mut left = u64::from(record.length);
            let (unit, gap) = record.interleaved;
            // Without a unit the piece is one run.
            let unit = if unit == 0 { left } else { u64::from(unit).saturating_mul(tree.block) };
            let step = if unit == left { 0 } else { unit.saturating_add(u64::from(gap).saturating_mul(tree.block)) };
            let mut at = start;
            while left > 0 {
                let length = left.min(unit);
                if at.saturating_add(length) > self.source.len() {
                    return corrupt("it lies outside the volume, or its end does");
                }
                if extents.len() >= EXTENTS {
                    return corrupt("it lies in more pieces than any disc has");
                }
                extents.push(Extent { logical, length, location: Location::At(at) });
                runs.push(Run { start: at, length });
                logical = logical.saturating_add(length);
                left = left.saturating_sub(length);
                at = at.saturating_add(step);
            }
        }
        (Content::Mapped(Mapped { extents }), runs)
    }
}

fn hidden(record: &Record) -> Option<Note> {
    (record.flags & 1 != 0).then(|| Note::Other("marked as hidden".into()))
}

/// The escaped name.
fn name_of(names: Names, read: &Read) -> String {
    let stored = &read.record.name;
    match names {
        Names::RockRidge(_) if read.said.name.is_some() => escape_bytes(read.said.name.as_deref().unwrap_or_default()),
        Names::Joliet => {
            let units: Vec<u16> = stored.chunks_exact(2).filter_map(|p| crate::bytes::be_u16(p, 0)).collect();
            let plain = match units.as_slice() {
                [name @ .., 0x3b, 0x31] => name,
                all => all,
            };
            escape_utf16(plain)
        }
        _ => {
            let plain = stored.strip_suffix(b";1").unwrap_or(stored);
            escape_bytes(plain.strip_suffix(b".").filter(|p| !p.is_empty()).unwrap_or(plain))
        }
    }
}
