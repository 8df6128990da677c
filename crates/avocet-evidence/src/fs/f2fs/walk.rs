//! Goes through the folders from the root, then through the inodes that none led to.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::atomic::AtomicU64;

use avocet_base::{escape_bytes, join_path};

use crate::entry::{AllocationState, Content, Entry, EntryKind, Note, Times, Unreadable, VisitResult, Visitor};
use crate::error::Problem;
use crate::fs::climb::not_entered;
use crate::source::Source as _;

use super::node::Inode;
use super::{BLOCK, F2fs, LAYER, dir};

/// How many times the volume's bytes files may claim in all.
const CLAIMS: u64 = 16;

struct Walk<'a> {
    fs: &'a F2fs,
    visitor: &'a mut dyn Visitor,
    seen: HashSet<u32>,
    claimed: u64,
    folder_blocks: AtomicU64,
}

/// A folder still to be read.
struct Folder {
    path: String,
    inode: Inode,
    state: AllocationState,
}

pub(super) fn walk(fs: &F2fs, visitor: &mut dyn Visitor) {
    let blocks = (fs.source.len() / BLOCK).saturating_add(64);
    let mut walk = Walk { fs, visitor, seen: HashSet::new(), claimed: 0, folder_blocks: AtomicU64::new(blocks) };
    let root = fs.sb.root;
    walk.seen.insert(root);
    match fs.inode(root) {
        Ok(inode) => {
            walk.checked(&inode, "/");
            let root = Folder { path: String::new(), inode, state: AllocationState::Allocated };
            if walk.tree(root).is_break() {
                return;
            }
        }
        Err(e) => walk.problem("directory-damaged", &e.detail, "/"),
    }
    let own = |number: &u32| *number == 0 || fs.sb.own.contains(number);
    for block in 0..fs.tables.node_blocks(&fs.sb) {
        match fs.tables.inodes_of(&fs.source, &fs.sb, block) {
            Ok(numbers) => {
                let lost: Vec<u32> = numbers.into_iter().filter(|n| !own(n)).collect();
                if walk.orphans(&lost).is_break() {
                    return;
                }
            }
            Err(e) => walk.visitor.problem(Problem::new(LAYER, "inode-table-damaged", Some(e.offset), e.detail)),
        }
    }
    // The checkpoint counts the root and the files of quotas, which are not among the entries, and not its own two.
    let own =
        fs.sb.own.iter().skip(2).filter(|n| **n != 0 && matches!(fs.tables.node(&fs.source, &fs.sb, **n), Ok(Some(_))));
    let found = walk.seen.len().saturating_add(own.count());
    let declared = fs.tables.inodes;
    if u64::from(declared) != found as u64 && fs.problems.is_empty() {
        let detail = format!("the volume declares {declared} files and folders, and {found} were found");
        walk.visitor.problem(Problem::new(LAYER, "file-count-differs", None, detail));
    }
}

impl Walk<'_> {
    fn problem(&mut self, code: &'static str, detail: &str, path: &str) {
        self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path(path));
    }

    fn checked(&mut self, inode: &Inode, path: &str) {
        if !inode.agrees {
            let detail = "the checksum of an inode does not agree: what it says may be wrong";
            self.problem("inode-checksum-differs", detail, path);
        }
    }

    fn tree(&mut self, first: Folder) -> VisitResult {
        let mut folders = vec![first];
        while let Some(folder) = folders.pop() {
            let (names, troubles) = self.fs.names(&folder.inode, &self.folder_blocks);
            let path = if folder.path.is_empty() { "/" } else { folder.path.as_str() };
            for e in troubles {
                let code = if e.detail == dir::CAPPED { "directories-capped" } else { "directory-damaged" };
                self.visitor.problem(Problem::new(LAYER, code, Some(e.offset), e.detail).at_path(path));
            }
            let mut below = vec![];
            for name in names {
                let path = join_path(&folder.path, &escape_bytes(&name.name));
                below.extend(self.name(path, name.inode, folder.state, folder.inode.encrypted)?);
            }
            // The first entry's folder is read first.
            below.reverse();
            folders.append(&mut below);
        }
        ControlFlow::Continue(())
    }

    /// One name; gives the folder that it leads to, where it is one that was not read yet.
    fn name(
        &mut self,
        path: String,
        number: u32,
        state: AllocationState,
        encrypted: bool,
    ) -> ControlFlow<(), Option<Folder>> {
        let mut entry = Entry {
            path: path.clone(),
            stream: None,
            kind: EntryKind::File,
            state,
            number: u64::from(number),
            size: 0,
            times: Times::default(),
            content: Content::None,
            notes: vec![],
        };
        if encrypted {
            entry.notes.push(Note::Other("name encrypted (fscrypt)".into()));
        }
        let inode = match self.fs.inode(number) {
            Ok(inode) => inode,
            Err(e) => {
                self.problem("inode-missing", &e.detail, &path);
                entry.content = Content::Unreadable(Unreadable::Corrupt(e.detail));
                self.visitor.entry(entry)?;
                return ControlFlow::Continue(None);
            }
        };
        self.checked(&inode, &path);
        let new = self.seen.insert(number);
        entry.kind = inode.kind();
        entry.times = inode.times;
        if entry.kind == EntryKind::File {
            entry.size = inode.size;
            if inode.links > 1 {
                entry.notes.push(Note::HardLinks(inode.links));
            }
            entry.content = self.content(&inode, &mut entry.notes);
        }
        let kind = entry.kind;
        self.visitor.entry(entry)?;
        if kind != EntryKind::Directory {
            return ControlFlow::Continue(None);
        }
        if let Some((code, detail)) = not_entered(new, &path) {
            self.problem(code, detail, &path);
            return ControlFlow::Continue(None);
        }
        ControlFlow::Continue(Some(Folder { path, inode, state }))
    }

    fn content(&mut self, inode: &Inode, notes: &mut Vec<Note>) -> Content {
        match self.fs.content(inode) {
            Ok(held) => {
                self.claimed = self.claimed.saturating_add(held.stored);
                if self.claimed > self.fs.source.len().saturating_mul(CLAIMS) {
                    let detail = "the files together claim far more bytes than the volume has";
                    return Content::Unreadable(Unreadable::Corrupt(detail.into()));
                }
                if held.holes {
                    notes.push(Note::Sparse);
                }
                held.content
            }
            Err(why) => Content::Unreadable(why),
        }
    }

    /// Inodes in use that no folder led to. Those whose folder is among them come with it.
    fn orphans(&mut self, numbers: &[u32]) -> VisitResult {
        let lost: HashMap<u32, (u32, Vec<u8>)> = numbers
            .iter()
            .filter(|n| !self.seen.contains(*n))
            .filter_map(|n| self.fs.inode(*n).ok().map(|inode| (*n, (inode.folder, inode.name))))
            .collect();
        for round in 0..2 {
            for number in numbers {
                let Some((folder, name)) = lost.get(number).filter(|_| !self.seen.contains(number)) else { continue };
                if round == 0 && folder != number && lost.contains_key(folder) {
                    continue;
                }
                let mut path = format!("/$Orphans/{number}");
                if !name.is_empty() {
                    path = join_path(&path, &escape_bytes(name));
                }
                let encrypted = self.fs.inode(*folder).is_ok_and(|folder| folder.encrypted);
                if let Some(folder) = self.name(path, *number, AllocationState::Orphan, encrypted)? {
                    self.tree(folder)?;
                }
            }
        }
        ControlFlow::Continue(())
    }
}
