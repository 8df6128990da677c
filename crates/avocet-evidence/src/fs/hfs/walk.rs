//! Goes through the catalogue: once for the folders and what links lead to, once for everything.

use std::collections::{HashMap, HashSet};

use avocet_base::join_path;

use crate::entry::{AllocationState, Content, Entry, EntryKind, Mapped, Note, Times, Unreadable, VisitResult, Visitor};
use crate::error::{Problem, ReadError};
use crate::fs::climb::Climber;
use crate::source::Source;

use super::attributes::{self, Attribute, DECMPFS, Value};
use super::fork::ForkData;
use super::record::{ABOVE_ROOT, Item, ROOT};
use super::{Hfs, LAYER, packed};

/// How many times the volume's bytes files may claim in all: backups that share their files by links claim many times.
const CLAIMS: u64 = 256;
/// Compressed by the system (a flag that the owner may set).
const COMPRESSED: u8 = 0x20;
/// The folder of the files that links lead to, and the beginning of their names.
const LINKED: &str = "HFS+ Private Data";
const LINKED_NAME: &str = "iNode";

/// What a link leads to.
struct Target {
    item: Item,
}

struct Walk<'a> {
    fs: &'a Hfs,
    visitor: &'a mut dyn Visitor,
    folders: Climber<u32>,
    targets: HashMap<u32, Target>,
    /// Files whose attributes were listed: a number that several records claim has them once.
    attributed: HashSet<u32>,
    claimed: u64,
    files: u32,
    found_folders: u32,
}

pub(super) fn walk(fs: &Hfs, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
    let mut walk = Walk {
        fs,
        visitor,
        folders: Climber::new(&[ROOT]),
        targets: HashMap::new(),
        attributed: HashSet::new(),
        claimed: 0,
        files: 0,
        found_folders: 0,
    };
    let (mut private, mut records) = (None, 0u32);
    let gathered = fs.catalogue.all(&mut |record| {
        records = records.saturating_add(1);
        if let Some(item) = Item::parse(record) {
            walk.gather(item, &mut private);
        }
        true
    });
    if let Err(e) = gathered {
        walk.visitor.problem(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail));
    } else if records != fs.catalogue.records {
        let detail = format!("the catalogue declares {} records, and {records} were found", fs.catalogue.records);
        walk.visitor.problem(Problem::new(LAYER, "leaf-count-differs", None, detail));
    }
    let mut ended = false;
    // The same error as before, told already.
    let _ = fs.catalogue.all(&mut |record| {
        let taken = match Item::parse(record) {
            Some(item) => walk.item(&item),
            None if Item::is_one(record) => {
                let detail = "a record of the catalogue contradicts itself; what it describes is not known";
                walk.visitor.problem(Problem::new(LAYER, "tree-damaged", None, detail));
                VisitResult::Continue(())
            }
            None => VisitResult::Continue(()),
        };
        ended = taken.is_break();
        !ended
    });
    if !ended {
        walk.counts();
    }
    Ok(())
}

fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

impl Walk<'_> {
    fn gather(&mut self, item: Item, private: &mut Option<u32>) {
        if item.forks.is_none() {
            // The name begins with four characters of value zero, so that it comes first.
            if item.parent == ROOT && text(&item.name).trim_start_matches('\0') == LINKED {
                *private = Some(item.id);
            }
            self.folders.add(item.id, item.parent, item.escaped());
            return;
        }
        if *private == Some(item.parent) {
            let number = text(&item.name).strip_prefix(LINKED_NAME).and_then(|n| n.parse().ok());
            if let Some(number) = number {
                self.targets.entry(number).or_insert(Target { item });
            }
        }
    }

    fn item(&mut self, item: &Item) -> VisitResult {
        if item.parent == ABOVE_ROOT {
            return VisitResult::Continue(());
        }
        let (folder, rooted) = self.folders.path(item.parent);
        let path = join_path(&folder, &item.escaped());
        if !rooted {
            let missing = !self.folders.knows(item.parent);
            let (code, detail) = if missing {
                ("parent-missing", "the folder that it belongs to is not there")
            } else {
                ("directory-loop", "the folders above it lead to no root")
            };
            self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path(&path));
        }
        let state = if rooted { AllocationState::Allocated } else { AllocationState::Orphan };
        let mut entry = Entry {
            path,
            stream: None,
            kind: EntryKind::Directory,
            state,
            number: u64::from(item.id),
            size: 0,
            times: item.times,
            content: Content::None,
            notes: vec![],
        };
        let Some(forks) = &item.forks else {
            self.found_folders = self.found_folders.saturating_add(1);
            let attributes = self.attributes(item.id, &entry.path);
            self.visitor.entry(entry.clone())?;
            return self.streams(&entry, attributes);
        };
        self.files = self.files.saturating_add(1);
        entry.kind = kind(item.mode);
        // A link is listed under its own name with the content of what it leads to.
        let target = if item.is_link() { self.targets.get(&item.special).map(|t| t.item.clone()) } else { None };
        let (data, resource, holder) = match &target {
            Some(target) => {
                entry.times = target.times;
                entry.notes.push(Note::HardLinks(target.special.max(2)));
                let forks = target.forks.clone().unwrap_or_default();
                (forks.0, forks.1, target.id)
            }
            None => (forks.0.clone(), forks.1.clone(), item.id),
        };
        if item.finder == *b"fdrpMACS" {
            entry.kind = EntryKind::Link;
            entry.notes.push(Note::Other("a hard link to a folder".into()));
            return self.visitor.entry(entry);
        }
        if item.is_link() && target.is_none() {
            let detail = "a hard link leads to no file";
            self.visitor.problem(Problem::new(LAYER, "link-broken", None, detail).at_path(&entry.path));
            entry.content = Content::Unreadable(Unreadable::Corrupt(detail.into()));
            return self.visitor.entry(entry);
        }
        let flags = target.as_ref().map_or(item.owner_flags, |t| t.owner_flags);
        let attributes = self.attributes(holder, &entry.path);
        let mut plain_resource = true;
        match entry.kind {
            EntryKind::File => {
                let packed = attributes.iter().find(|a| a.name == DECMPFS).filter(|_| flags & COMPRESSED != 0);
                let unpacked = packed.and_then(|a| self.unpacked(a, holder, &resource));
                if let Some((content, size)) = unpacked {
                    // Small files have their bytes in the attribute, larger ones in the resource fork.
                    plain_resource = false;
                    (entry.content, entry.size) = (content, size);
                    entry.notes.push(Note::Compressed);
                } else {
                    (entry.content, entry.size) = self.mapped(holder, false, &data);
                }
            }
            // The target of a link is its content, as it is stored.
            _ => entry.content = Content::None,
        }
        self.visitor.entry(entry.clone())?;
        if plain_resource && resource.size > 0 && target.is_none() {
            let (content, size) = self.mapped(holder, true, &resource);
            let stream = Some("rsrc".to_owned());
            self.visitor.entry(Entry {
                stream,
                kind: EntryKind::File,
                content,
                size,
                notes: vec![],
                ..entry.clone()
            })?;
        }
        if target.is_some() { VisitResult::Continue(()) } else { self.streams(&entry, attributes) }
    }

    /// The content of a compressed file.
    fn unpacked(&self, attribute: &Attribute, id: u32, resource: &ForkData) -> Option<(Content, u64)> {
        let Value::Inline(bytes) = &attribute.value else { return None };
        let fork = match resource.size {
            0 => None,
            _ => self.fs.fork(id, true, resource).ok(),
        };
        packed::content(bytes, fork, self.fs.source.len())
    }

    fn attributes(&mut self, id: u32, path: &str) -> Vec<Attribute> {
        let Some(tree) = &self.fs.attributes else { return vec![] };
        match attributes::of(tree, id) {
            Ok(found) => found,
            Err(e) => {
                self.visitor.problem(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail).at_path(path));
                vec![]
            }
        }
    }

    /// Attributes as streams, those of a number once.
    fn streams(&mut self, entry: &Entry, attributes: Vec<Attribute>) -> VisitResult {
        let id = u32::try_from(entry.number).unwrap_or(0);
        if attributes.is_empty() || !self.attributed.insert(id) {
            return VisitResult::Continue(());
        }
        for attribute in attributes {
            // It says how the content is kept, and is part of it.
            if attribute.name == DECMPFS && entry.notes.contains(&Note::Compressed) {
                continue;
            }
            let (content, size) = match attribute.value {
                Value::Inline(bytes) => {
                    let size = bytes.len() as u64;
                    (Content::Resident(bytes), size)
                }
                Value::Fork(data) if data.is_longer() => {
                    (Content::Unreadable(Unreadable::Unsupported("an attribute in more than eight pieces")), data.size)
                }
                Value::Fork(data) => self.mapped(id, false, &data),
            };
            self.visitor.entry(Entry {
                stream: Some(attribute.name),
                kind: EntryKind::File,
                content,
                size,
                times: Times::default(),
                notes: vec![],
                ..entry.clone()
            })?;
        }
        VisitResult::Continue(())
    }

    fn mapped(&mut self, id: u32, resource: bool, data: &ForkData) -> (Content, u64) {
        if data.size == 0 {
            return (Content::Mapped(Mapped { extents: vec![] }), 0);
        }
        self.claimed = self.claimed.saturating_add(data.size);
        if self.claimed > self.fs.source.len().saturating_mul(CLAIMS) {
            let detail = "the files together claim far more bytes than the volume has";
            return (Content::Unreadable(Unreadable::Corrupt(detail.into())), data.size);
        }
        match self.fs.fork(id, resource, data) {
            Ok(fork) => (Content::Mapped(Mapped { extents: fork.extents }), data.size),
            Err(e) => (Content::Unreadable(Unreadable::Corrupt(e.detail)), data.size),
        }
    }

    /// What the volume header declares against what was found. The folder count leaves out the root.
    fn counts(&mut self) {
        let header = &self.fs.header;
        for (what, declared, found) in
            [("files", header.files, self.files), ("folders", header.folders, self.found_folders)]
        {
            if declared != found {
                let detail = format!("the volume header declares {declared} {what}, and {found} were found");
                self.visitor.problem(Problem::new(LAYER, "file-count-differs", None, detail));
            }
        }
    }
}

/// The kind that a mode of POSIX says; older systems leave it zero.
fn kind(mode: u16) -> EntryKind {
    match mode & 0o170_000 {
        0o120_000 => EntryKind::Link,
        0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => EntryKind::Special,
        _ => EntryKind::File,
    }
}
