//! Goes through each tree of files from its root folder, then through the files that none led to.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;

use avocet_base::{Stamp, escape_bytes, join_path};

use crate::bytes::{le_u16, le_u32, le_u64};
use crate::entry::{AllocationState, Content, Entry, EntryKind, Note, Times, Unreadable, VisitResult, Visitor};
use crate::error::{Problem, ReadError};
use crate::fs::climb::{LONGEST, TOO_DEEP, not_entered};
use crate::source::Source as _;

use super::tree::{Key, Root};
use super::{Btrfs, FIRST_FREE, FS_TREE, LAST_FREE, LAYER, ROOT_ITEM, content};

/// How many times the volume's bytes files may claim in all.
const CLAIMS: u64 = 1024;
/// Kinds of items.
const INODE: u8 = 1;
const INODE_REF: u8 = 12;
const INODE_EXTREF: u8 = 13;
const DIR_ITEM: u8 = 84;
const DIR_INDEX: u8 = 96;
/// The first folder of every tree.
const TOP: u64 = FIRST_FREE;

struct Inode {
    size: u64,
    links: u32,
    mode: u32,
    flags: u64,
    times: Times,
}

impl Inode {
    fn parse(item: &[u8]) -> Option<Inode> {
        let stamp = |at: usize| {
            let seconds = le_u64(item, at)?.cast_signed();
            Stamp::from_unix(seconds, le_u32(item, at + 8)?)
        };
        Some(Inode {
            size: le_u64(item, 16)?,
            links: le_u32(item, 40)?,
            mode: le_u32(item, 52)?,
            flags: le_u64(item, 64)?,
            times: Times {
                accessed: stamp(112),
                changed: stamp(124),
                modified: stamp(136),
                // Volumes of old systems leave it zero.
                created: stamp(148).filter(|_| le_u64(item, 148) != Some(0)),
                ..Times::default()
            },
        })
    }

    fn kind(&self) -> EntryKind {
        match self.mode & 0xF000 {
            0x4000 => EntryKind::Directory,
            0x8000 => EntryKind::File,
            0xA000 => EntryKind::Link,
            _ => EntryKind::Special,
        }
    }
}

/// What a name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Inode(u64),
    Subvolume(u64),
}

/// A folder still to be read.
struct Folder {
    path: String,
    inode: u64,
    state: AllocationState,
}

/// A tree still to be gone through.
struct Pending {
    tree: u64,
    path: String,
    state: AllocationState,
}

struct Walk<'a> {
    fs: &'a Btrfs,
    visitor: &'a mut dyn Visitor,
    trees: HashSet<u64>,
    pending: VecDeque<Pending>,
    claimed: u64,
    /// Entries that may still be listed.
    left: u64,
}

/// One tree of a walk.
struct Here {
    tree: u64,
    root: Root,
    seen: HashSet<u64>,
}

pub(super) fn walk(fs: &Btrfs, visitor: &mut dyn Visitor) {
    let left = fs.shared.source.len() / 8;
    let mut walk = Walk { fs, visitor, trees: HashSet::new(), pending: VecDeque::new(), claimed: 0, left };
    walk.later(FS_TREE, String::new(), AllocationState::Allocated);
    if !fs.trees.contains_key(&FS_TREE) {
        walk.visitor.problem(Problem::new(LAYER, "tree-damaged", None, "the main tree of files is not there"));
    }
    let mut others = fs.trees.keys();
    loop {
        while let Some(next) = walk.pending.pop_front() {
            if walk.tree(&next).is_break() {
                return;
            }
        }
        // What no folder led to, one at a time: it may hold folders that lead to the next.
        let Some(tree) = others.find(|t| !walk.trees.contains(*t)) else { return };
        let named = fs.trees.get(tree).is_some_and(|t| t.named);
        let path = format!("/$Orphans/subvolume-{tree}");
        let detail = if named {
            "no folder leads to a subvolume; it is listed by its number"
        } else {
            "a subvolume that was being deleted; what is left of it is listed by its number"
        };
        walk.problem("subvolume-unnamed", detail, &path);
        walk.later(*tree, path, AllocationState::Orphan);
    }
}

impl Walk<'_> {
    fn problem(&mut self, code: &'static str, detail: &str, path: &str) {
        let path = if path.is_empty() { "/" } else { path };
        self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path(path));
    }

    fn later(&mut self, tree: u64, path: String, state: AllocationState) {
        if self.fs.trees.contains_key(&tree) && self.trees.insert(tree) {
            self.pending.push_back(Pending { tree, path, state });
        }
    }

    fn tree(&mut self, pending: &Pending) -> VisitResult {
        let Some(found) = self.fs.trees.get(&pending.tree) else { return ControlFlow::Continue(()) };
        let mut here = Here { tree: pending.tree, root: found.root, seen: HashSet::from([TOP]) };
        let top = Folder { path: pending.path.clone(), inode: TOP, state: pending.state };
        self.folders(&mut here, top)?;
        self.orphans(&mut here)
    }

    fn folders(&mut self, here: &mut Here, first: Folder) -> VisitResult {
        let mut folders = vec![first];
        while let Some(folder) = folders.pop() {
            let (names, troubles) = self.names(here, folder.inode);
            for e in troubles {
                let path = if folder.path.is_empty() { "/" } else { folder.path.as_str() };
                let problem = Problem::new(LAYER, "directory-damaged", Some(e.offset), e.detail);
                self.visitor.problem(problem.at_path(path));
            }
            let mut below = vec![];
            for (name, target) in names {
                let path = join_path(&folder.path, &escape_bytes(&name));
                below.extend(self.name(here, &folder, path, target)?);
            }
            // The first entry's folder is read first.
            below.reverse();
            folders.append(&mut below);
        }
        ControlFlow::Continue(())
    }

    /// The names of a folder in the order in which they were made. They are kept twice: what only the index by hash still
    /// holds comes last.
    fn names(&self, here: &Here, folder: u64) -> (Vec<(Vec<u8>, Target)>, Vec<ReadError>) {
        let (mut by_hash, mut in_order, mut troubles, mut bad) = (vec![], vec![], vec![], false);
        let (from, until) = (Key::new(folder, DIR_ITEM, 0), Key::new(folder, DIR_INDEX, u64::MAX));
        let read = self.fs.shared.scan(&here.root, from, until, &mut |e| troubles.push(e), &mut |key, item| {
            let into = match key.kind {
                DIR_ITEM => &mut by_hash,
                DIR_INDEX => &mut in_order,
                _ => return ControlFlow::Continue(()),
            };
            bad |= entries(item, into).is_none();
            ControlFlow::Continue(())
        });
        troubles.extend(read.err());
        if bad {
            troubles.push(super::damaged(0, "a record of a folder contradicts itself"));
        }
        if in_order.len() < by_hash.len() || !troubles.is_empty() {
            let known: HashSet<(Vec<u8>, Target)> = in_order.iter().cloned().collect();
            in_order.extend(by_hash.into_iter().filter(|name| !known.contains(name)));
        }
        (in_order, troubles)
    }

    /// One name; gives the folder that it leads to, where it is one of this tree that was not read yet.
    fn name(
        &mut self,
        here: &mut Here,
        folder: &Folder,
        path: String,
        target: Target,
    ) -> ControlFlow<(), Option<Folder>> {
        let number = match target {
            Target::Inode(number) => number,
            Target::Subvolume(tree) => return self.mounted(here, folder, path, tree).map_continue(|()| None),
        };
        let inode = match self.inode(&here.root, number) {
            Ok(Some(inode)) => inode,
            missing => {
                let detail = missing.err().map_or_else(|| "a name leads to no file".to_owned(), |e| e.detail);
                self.problem("inode-missing", &detail, &path);
                let content = Content::Unreadable(Unreadable::Corrupt(detail));
                self.visit(Entry { content, ..empty(path, EntryKind::File, folder.state, number) })?;
                return ControlFlow::Continue(None);
            }
        };
        let new = here.seen.insert(number);
        self.entry(here, path.clone(), number, &inode, folder.state)?;
        if inode.kind() != EntryKind::Directory {
            return ControlFlow::Continue(None);
        }
        if let Some((code, detail)) = not_entered(new, &path) {
            self.problem(code, detail, &path);
            return ControlFlow::Continue(None);
        }
        ControlFlow::Continue(Some(Folder { path, inode: number, state: folder.state }))
    }

    /// A name that leads to a subvolume. Its files are listed once this tree is.
    fn mounted(&mut self, here: &Here, folder: &Folder, path: String, tree: u64) -> VisitResult {
        let mut entry = empty(path.clone(), EntryKind::Directory, folder.state, tree);
        // A snapshot keeps the names of the subvolumes inside what it was taken of, but not these.
        if self.fs.mounted.get(&(here.tree, tree)) != Some(&folder.inode) {
            entry.notes.push(Note::Other("place of a subvolume that is not part of this snapshot".into()));
            return self.visit(entry);
        }
        let Some(found) = self.fs.trees.get(&tree).filter(|_| !self.trees.contains(&tree)) else {
            self.problem("subvolume-missing", "a name leads to no subvolume, or to one read before", &path);
            return self.visit(entry);
        };
        if let Ok(Some(inode)) = self.inode(&found.root, TOP) {
            entry.times = inode.times;
        }
        entry.notes.push(Note::Other("subvolume".into()));
        if path.len() > LONGEST {
            self.problem(TOO_DEEP.0, TOO_DEEP.1, &path);
        } else {
            self.later(tree, path, folder.state);
        }
        self.visit(entry)
    }

    fn inode(&self, root: &Root, number: u64) -> Result<Option<Inode>, ReadError> {
        let item = self.fs.shared.get(root, Key::new(number, INODE, 0))?;
        Ok(item.as_deref().and_then(Inode::parse))
    }

    fn entry(&mut self, here: &Here, path: String, number: u64, inode: &Inode, state: AllocationState) -> VisitResult {
        let kind = inode.kind();
        let mut entry = Entry { times: inode.times, ..empty(path, kind, state, number) };
        if kind == EntryKind::File {
            entry.size = inode.size;
            if inode.links > 1 {
                entry.notes.push(Note::HardLinks(inode.links));
            }
            let held = content::of(&self.fs.shared, &here.root, number, inode.size, inode.flags);
            entry.content = match held {
                Ok(held) => {
                    self.claimed = self.claimed.saturating_add(held.stored);
                    if held.packed {
                        entry.notes.push(Note::Compressed);
                    }
                    if held.holes {
                        entry.notes.push(Note::Sparse);
                    }
                    if self.claimed > self.fs.shared.source.len().saturating_mul(CLAIMS) {
                        let detail = "the files together claim far more bytes than the volume has";
                        Content::Unreadable(Unreadable::Corrupt(detail.into()))
                    } else {
                        held.content
                    }
                }
                Err(why) => Content::Unreadable(why),
            };
        }
        self.visit(entry)
    }

    fn visit(&mut self, entry: Entry) -> VisitResult {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => {
                let detail = "more entries than the volume can hold; the rest was left out";
                self.visitor.problem(Problem::new(LAYER, "entries-capped", None, detail));
                return ControlFlow::Break(());
            }
        }
        self.visitor.entry(entry)
    }

    /// Files of a tree that no folder led to: those deleted while they were open, and what hung on damaged folders.
    fn orphans(&mut self, here: &mut Here) -> VisitResult {
        let mut lost: HashMap<u64, Option<(u64, Vec<u8>)>> = HashMap::new();
        let mut order = vec![];
        let mut troubles = vec![];
        let read = self.fs.shared.scan(
            &here.root,
            Key::new(FIRST_FREE, 0, 0),
            Key::new(LAST_FREE, u8::MAX, u64::MAX),
            &mut |e| troubles.push(e),
            &mut |key, item| {
                match key.kind {
                    INODE if !here.seen.contains(&key.object) => {
                        order.push(key.object);
                        lost.insert(key.object, None);
                    }
                    INODE_REF | INODE_EXTREF => {
                        if let Some(first) = lost.get_mut(&key.object).filter(|first| first.is_none()) {
                            *first = name_of(key, item);
                        }
                    }
                    _ => {}
                }
                ControlFlow::Continue(())
            },
        );
        troubles.extend(read.err());
        for e in troubles {
            self.visitor.problem(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail));
        }
        // Those whose folder is lost too come with it; folders that only contain each other come in the second round.
        for round in 0..2 {
            for number in &order {
                if here.seen.contains(number) {
                    continue;
                }
                let name = lost.get(number).cloned().flatten();
                if round == 0 && name.as_ref().is_some_and(|(parent, _)| parent != number && lost.contains_key(parent))
                {
                    continue;
                }
                let mut path = format!("/$Orphans/{}-{number}", here.tree);
                if let Some((_, name)) = name {
                    path = join_path(&path, &escape_bytes(&name));
                }
                let folder = Folder { path: String::new(), inode: TOP, state: AllocationState::Orphan };
                if let Some(found) = self.name(here, &folder, path, Target::Inode(*number))? {
                    self.folders(here, found)?;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

fn empty(path: String, kind: EntryKind, state: AllocationState, number: u64) -> Entry {
    Entry {
        path,
        stream: None,
        kind,
        state,
        number,
        size: 0,
        times: Times::default(),
        content: Content::None,
        notes: vec![],
    }
}

/// The entries of a record of a folder: one, or several whose names have one hash.
fn entries(item: &[u8], out: &mut Vec<(Vec<u8>, Target)>) -> Option<()> {
    let mut rest = item;
    while !rest.is_empty() {
        let key = Key::parse(rest)?;
        let (data, name) = (usize::from(le_u16(rest, 25)?), usize::from(le_u16(rest, 27)?));
        let end = 30usize.checked_add(name)?;
        let bytes = rest.get(30..end).filter(|n| !n.is_empty())?;
        let target = if key.kind == ROOT_ITEM { Target::Subvolume(key.object) } else { Target::Inode(key.object) };
        out.push((bytes.to_vec(), target));
        rest = rest.get(end.checked_add(data)?..)?;
    }
    Some(())
}

/// The folder and the name that an inode keeps of itself.
fn name_of(key: Key, item: &[u8]) -> Option<(u64, Vec<u8>)> {
    // Beside the usual form there is one for names that no longer fit, which carries the folder.
    let (folder, at) = if key.kind == INODE_REF { (key.offset, 8) } else { (le_u64(item, 0)?, 16) };
    let length = usize::from(le_u16(item, at)?);
    let start = at + 2;
    Some((folder, item.get(start..start.checked_add(length)?)?.to_vec()))
}
