//! Goes through a tree of files: once for the folders, once for the names, once for files without a name.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use avocet_base::{escape_bytes, join_path};

use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, Location, Mapped, Note, Times, Unreadable, VisitResult, Visitor,
};
use crate::error::{Problem, ReadError};
use crate::fs::climb::Climber;
use crate::fs::hfs::{Fork, packed};
use crate::source::Source;

use super::record::{self, ABOVE_ROOT, Attribute, EXTENT, INODE, Inode, NAME, ROOT, XATTR};
use super::{Apfs, LAYER};

/// How many times the container's bytes files may claim in all.
const CLAIMS: u64 = 256;
/// Extents and attributes of one file.
const EXTENTS: usize = 1 << 20;
const ATTRIBUTES: usize = 4096;
/// Compressed by the system (a flag of the file).
const COMPRESSED: u32 = 0x20;
const DECMPFS: &[u8] = b"com.apple.decmpfs";
const RESOURCE: &[u8] = b"com.apple.ResourceFork";
/// The system keeps a second tree beside the root, for files that are being deleted.
const ROOTS: &[u64] = &[ROOT, ABOVE_ROOT];

struct Walk<'a> {
    fs: &'a Apfs,
    visitor: &'a mut dyn Visitor,
    folders: Climber<u64>,
    /// Numbers that a name led to.
    named: HashSet<u64>,
    /// Numbers whose attributes were listed.
    attributed: HashSet<u64>,
    claimed: u64,
    files: u64,
    found_folders: u64,
}

pub(super) fn walk(fs: &Apfs, visitor: &mut dyn Visitor) {
    let mut walk = Walk {
        fs,
        visitor,
        folders: Climber::new(ROOTS),
        named: HashSet::new(),
        attributed: HashSet::new(),
        claimed: 0,
        files: 0,
        found_folders: 0,
    };
    let mut troubles = vec![];
    let mut folders = Climber::new(ROOTS);
    let gathered = fs.tree.all(&mut |e| troubles.push(e), &mut |key, value| {
        // The low bits of a name's flags say what it leads to; 4 is a folder.
        let folder = crate::bytes::le_u16(value, 16).is_some_and(|flags| flags & 0xF == 4);
        if let (Some((parent, NAME)), true, Some(id), Some(name)) =
            (record::key(key), folder, record::target(value), record::name(key, fs.hashed))
        {
            folders.add(id, parent, escape_bytes(name));
        }
        ControlFlow::Continue(())
    });
    walk.folders = folders;
    troubles.extend(gathered.err());
    for e in troubles {
        walk.visitor.problem(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail));
    }
    // The troubles of the second and third pass are those of the first.
    let mut ended = false;
    let _ = fs.tree.all(&mut |_| {}, &mut |key, value| {
        let Some((parent, NAME)) = record::key(key) else { return ControlFlow::Continue(()) };
        let (Some(id), Some(name)) = (record::target(value), record::name(key, fs.hashed)) else {
            let detail = "a record of a folder contradicts itself; what it names is not known";
            walk.visitor.problem(Problem::new(LAYER, "tree-damaged", None, detail));
            return ControlFlow::Continue(());
        };
        let visited = walk.name(parent, id, name);
        ended = visited.is_break();
        visited
    });
    if ended {
        return;
    }
    let _ = fs.tree.all(&mut |_| {}, &mut |key, value| {
        let Some((id, INODE)) = record::key(key) else { return ControlFlow::Continue(()) };
        if id <= 3 || walk.named.contains(&id) {
            return ControlFlow::Continue(());
        }
        let Some(inode) = Inode::parse(value) else { return ControlFlow::Continue(()) };
        let name = inode.name.as_deref().map(escape_bytes).unwrap_or_default();
        let path = join_path(&format!("/$Orphans/{id}"), &name);
        walk.files = walk.files.saturating_add(u64::from(inode.kind() == EntryKind::File));
        let visited = walk.entry(path.trim_end_matches('/').to_owned(), AllocationState::Orphan, id, &inode);
        ended = visited.is_break();
        visited
    });
    if !ended {
        walk.counts();
    }
}

impl Walk<'_> {
    fn problem(&mut self, code: &'static str, detail: &str, path: &str) {
        self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path(path));
    }

    fn name(&mut self, parent: u64, id: u64, name: &[u8]) -> VisitResult {
        let first = self.named.insert(id);
        if parent == ABOVE_ROOT && id == ROOT {
            return ControlFlow::Continue(());
        }
        let (folder, rooted) = self.folders.path(parent);
        let path = join_path(&folder, &escape_bytes(name));
        if !rooted {
            if self.folders.knows(parent) {
                self.problem("directory-loop", "the folders above it lead to no root", &path);
            } else {
                self.problem("parent-missing", "the folder that it belongs to is not there", &path);
            }
        }
        let state = if rooted { AllocationState::Allocated } else { AllocationState::Orphan };
        match self.inode(id) {
            Ok(Some(inode)) => {
                // Files are counted, and not their names.
                self.files = self.files.saturating_add(u64::from(first && inode.kind() == EntryKind::File));
                self.entry(path, state, id, &inode)
            }
            missing => {
                let detail = missing.err().map_or_else(|| "a name leads to no file".to_owned(), |e| e.detail);
                self.problem("inode-missing", &detail, &path);
                self.visitor.entry(Entry {
                    path,
                    stream: None,
                    kind: EntryKind::File,
                    state,
                    number: id,
                    size: 0,
                    times: Times::default(),
                    content: Content::Unreadable(Unreadable::Corrupt(detail)),
                    notes: vec![],
                })
            }
        }
    }

    fn inode(&self, id: u64) -> Result<Option<Inode>, ReadError> {
        let mut found = None;
        self.fs.tree.from(&record::order(id, INODE), &mut |key, value| {
            if record::key(key) == Some((id, INODE)) {
                found = Inode::parse(value);
            }
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    fn entry(&mut self, path: String, state: AllocationState, id: u64, inode: &Inode) -> VisitResult {
        let kind = inode.kind();
        let mut entry = Entry {
            path,
            stream: None,
            kind,
            state,
            number: id,
            size: 0,
            times: inode.times,
            content: Content::None,
            notes: vec![],
        };
        let (attributes, trouble) = self.attributes(id);
        if let Some(e) = trouble {
            self.problem("tree-damaged", &e.detail, &entry.path);
        }
        let mut packed_file = false;
        match kind {
            EntryKind::Directory => self.found_folders = self.found_folders.saturating_add(1),
            EntryKind::File => {
                if inode.links > 1 {
                    entry.notes.push(Note::HardLinks(inode.links));
                }
                let unpacked = if inode.flags & COMPRESSED != 0 { self.unpacked(&attributes) } else { None };
                packed_file = unpacked.is_some();
                let (content, size) = match unpacked {
                    Some(unpacked) => unpacked,
                    None if inode.encrypted => (Content::Unreadable(Unreadable::Encrypted("APFS")), inode.size),
                    None => self.mapped(inode.private, inode.size, &mut entry.notes),
                };
                (entry.content, entry.size) = (content, size);
                if packed_file {
                    entry.notes.push(Note::Compressed);
                }
            }
            EntryKind::Link | EntryKind::Special => {}
        }
        self.visitor.entry(entry.clone())?;
        // Attributes belong to the file and not to each of its names.
        if attributes.is_empty() || !self.attributed.insert(id) {
            return ControlFlow::Continue(());
        }
        for (name, held) in attributes {
            // How the content is kept is part of it, and so is a link's target.
            let own = name == DECMPFS || name == RESOURCE;
            if own && packed_file || kind == EntryKind::Link && name == b"com.apple.fs.symlink" {
                continue;
            }
            let mut notes = vec![];
            let (content, size) = match held {
                Attribute::Inline(bytes) => {
                    let size = bytes.len() as u64;
                    (Content::Resident(bytes), size)
                }
                Attribute::Stream(object, size) => self.mapped(object, size, &mut notes),
            };
            self.visitor.entry(Entry {
                stream: Some(escape_bytes(&name)),
                kind: EntryKind::File,
                content,
                size,
                times: Times::default(),
                notes,
                ..entry.clone()
            })?;
        }
        ControlFlow::Continue(())
    }

    fn attributes(&self, id: u64) -> (Vec<(Vec<u8>, Attribute)>, Option<ReadError>) {
        let mut out = vec![];
        let read = self.fs.tree.from(&record::order(id, XATTR), &mut |key, value| {
            if record::key(key) != Some((id, XATTR)) || out.len() >= ATTRIBUTES {
                return ControlFlow::Break(());
            }
            out.extend(record::attribute(key, value));
            ControlFlow::Continue(())
        });
        (out, read.err())
    }

    /// The content of a compressed file.
    fn unpacked(&self, attributes: &[(Vec<u8>, Attribute)]) -> Option<(Content, u64)> {
        let held = |name: &[u8]| attributes.iter().find(|(n, _)| n == name).map(|(_, held)| held);
        let Some(Attribute::Inline(header)) = held(DECMPFS) else { return None };
        let fork = match held(RESOURCE) {
            Some(Attribute::Stream(object, size)) => {
                let extents = self.extents(*object, *size).ok()?;
                Some(Fork::new(&self.fs.container.source, *size, extents))
            }
            Some(Attribute::Inline(bytes)) => {
                let source: Arc<dyn Source> = Arc::new(crate::MemorySource(bytes.clone()));
                let size = bytes.len() as u64;
                let extents = vec![Extent { logical: 0, length: size, location: Location::At(0) }];
                Some(Fork::new(&source, size, extents))
            }
            None => None,
        };
        packed::content(header, fork, self.fs.container.source.len())
    }

    fn mapped(&mut self, object: u64, size: u64, notes: &mut Vec<Note>) -> (Content, u64) {
        if size == 0 {
            return (Content::Mapped(Mapped { extents: vec![] }), 0);
        }
        match self.extents(object, size) {
            Ok(extents) => {
                let stored = extents.iter().filter(|e| e.location != Location::Zero).map(|e| e.length);
                self.claimed = stored.fold(self.claimed, u64::saturating_add);
                if self.claimed > self.fs.container.source.len().saturating_mul(CLAIMS) {
                    let detail = "the files together claim far more bytes than the container has";
                    return (Content::Unreadable(Unreadable::Corrupt(detail.into())), size);
                }
                if extents.iter().any(|e| e.location == Location::Zero) {
                    notes.push(Note::Sparse);
                }
                (Content::Mapped(Mapped { extents }), size)
            }
            Err(e) => (Content::Unreadable(Unreadable::Corrupt(e.detail)), size),
        }
    }

    /// The extents of a stream of bytes, with holes where the records leave them.
    fn extents(&self, object: u64, size: u64) -> Result<Vec<Extent>, ReadError> {
        let container = &self.fs.container;
        let (mut out, mut logical, mut bad): (Vec<Extent>, u64, _) = (vec![], 0u64, None);
        self.fs.tree.from(&record::order(object, EXTENT), &mut |key, value| {
            if record::key(key) != Some((object, EXTENT)) || logical >= size {
                return ControlFlow::Break(());
            }
            let Some((at, length, block)) = record::extent(key, value) else {
                bad = Some("an extent contradicts itself");
                return ControlFlow::Break(());
            };
            if at < logical || length == 0 || out.len() >= EXTENTS {
                bad = Some("the extents overlap or are empty");
                return ControlFlow::Break(());
            }
            let end = at.min(size);
            if end > logical {
                out.push(Extent { logical, length: end - logical, location: Location::Zero });
                logical = end;
            }
            let length = length.min(size.saturating_sub(logical));
            let start = block.saturating_mul(container.block);
            let location = if block == 0 { Location::Zero } else { Location::At(start) };
            if block != 0 && start.saturating_add(length) > container.source.len() {
                bad = Some("an extent lies outside the container");
                return ControlFlow::Break(());
            }
            if length > 0 {
                out.push(Extent { logical, length, location });
                logical = logical.saturating_add(length);
            }
            ControlFlow::Continue(())
        })?;
        if let Some(detail) = bad {
            return Err(super::damaged(object, detail));
        }
        // The system leaves out what lies behind the last extent: it was never written.
        if logical < size {
            out.push(Extent { logical, length: size - logical, location: Location::Zero });
        }
        Ok(out)
    }

    /// What the superblock declares against what was found. It counts neither the root nor the folder beside it.
    fn counts(&mut self) {
        for (what, declared, found) in
            [("files", self.fs.files, self.files), ("folders", self.fs.folders, self.found_folders.saturating_sub(1))]
        {
            if declared != found {
                let detail = format!("the volume declares {declared} {what}, and {found} were found");
                self.visitor.problem(Problem::new(LAYER, "file-count-differs", None, detail));
            }
        }
    }
}
