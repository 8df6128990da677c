//! Goes through the folders from the root, then through the inodes that none led to.

use std::collections::HashSet;
use std::ops::ControlFlow;

use avocet_base::{escape_bytes, join_path};

use crate::entry::{AllocationState, Content, Entry, EntryKind, Mapped, Note, Times, Unreadable, VisitResult, Visitor};
use crate::error::Problem;
use crate::fs::climb::not_entered;
use crate::source::Source;

use super::inode::Inode;
use super::{LAYER, Xfs};

/// How many times the volume's bytes files may claim in all.
const CLAIMS: u64 = 256;

struct Walk<'a> {
    fs: &'a Xfs,
    visitor: &'a mut dyn Visitor,
    seen: HashSet<u64>,
    claimed: u64,
    realtime: u64,
}

/// A folder still to be read.
struct Folder {
    path: String,
    inode: Inode,
    state: AllocationState,
}

pub(super) fn walk(fs: &Xfs, visitor: &mut dyn Visitor) {
    let mut walk = Walk { fs, visitor, seen: HashSet::new(), claimed: 0, realtime: 0 };
    walk.seen.insert(fs.sb.root);
    match fs.inode(fs.sb.root) {
        Ok(Some(inode)) => {
            let root = Folder { path: String::new(), inode, state: AllocationState::Allocated };
            if walk.tree(root).is_break() {
                return;
            }
        }
        missing => {
            let detail = missing.err().map_or_else(|| "the root folder is not in use".to_owned(), |e| e.detail);
            walk.problem("directory-damaged", &detail, "/");
        }
    }
    // What a damaged count names beyond the end is said once: there may be billions.
    let there = fs.groups_there();
    if there < fs.sb.groups {
        let detail = format!("{} of {} allocation groups lie behind the end", fs.sb.groups - there, fs.sb.groups);
        walk.visitor.problem(Problem::new(LAYER, "inode-table-damaged", None, detail));
    }
    for group in 0..there {
        match fs.inodes(group) {
            Ok(numbers) => {
                for number in numbers {
                    if walk.orphan(number).is_break() {
                        return;
                    }
                }
            }
            Err(e) => {
                walk.visitor.problem(Problem::new(LAYER, "inode-table-damaged", Some(e.offset), e.detail));
            }
        }
    }
    if walk.realtime > 0 {
        let detail = format!("{} files lie on the real-time device, which is another disk", walk.realtime);
        walk.visitor.problem(Problem::new(LAYER, "realtime-not-read", None, detail));
    }
}

impl Walk<'_> {
    fn problem(&mut self, code: &'static str, detail: &str, path: &str) {
        self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path(path));
    }

    fn tree(&mut self, first: Folder) -> VisitResult {
        let mut folders = vec![first];
        while let Some(folder) = folders.pop() {
            let (names, troubles) = self.fs.names(&folder.inode);
            let path = if folder.path.is_empty() { "/" } else { folder.path.as_str() };
            for e in troubles {
                let problem = Problem::new(LAYER, "directory-damaged", Some(e.offset), e.detail);
                self.visitor.problem(problem.at_path(path));
            }
            let mut below = vec![];
            for name in names {
                let path = join_path(&folder.path, &escape_bytes(&name.name));
                below.extend(self.name(path, name.inode, folder.state)?);
            }
            // The first entry's folder is read first.
            below.reverse();
            folders.append(&mut below);
        }
        ControlFlow::Continue(())
    }

    /// One name; gives the folder that it leads to, where it is one that was not read yet.
    fn name(&mut self, path: String, number: u64, state: AllocationState) -> ControlFlow<(), Option<Folder>> {
        let inode = match self.fs.inode(number) {
            Ok(Some(inode)) => inode,
            missing => {
                let detail = missing
                    .err()
                    .map_or_else(|| "the name leads to an inode that is not in use".to_owned(), |e| e.detail);
                self.problem("inode-missing", &detail, &path);
                let content = Content::Unreadable(Unreadable::Corrupt(detail));
                let kind = EntryKind::File;
                let (times, notes) = (Times::default(), vec![]);
                self.visitor.entry(Entry {
                    path,
                    stream: None,
                    kind,
                    state,
                    number,
                    size: 0,
                    times,
                    content,
                    notes,
                })?;
                return ControlFlow::Continue(None);
            }
        };
        let new = self.seen.insert(number);
        self.entry(path.clone(), number, &inode, state)?;
        if inode.kind() != EntryKind::Directory {
            return ControlFlow::Continue(None);
        }
        if let Some((code, detail)) = not_entered(new, &path) {
            self.problem(code, detail, &path);
            return ControlFlow::Continue(None);
        }
        ControlFlow::Continue(Some(Folder { path, inode, state }))
    }

    fn entry(&mut self, path: String, number: u64, inode: &Inode, state: AllocationState) -> VisitResult {
        let kind = inode.kind();
        let mut entry = Entry {
            path,
            stream: None,
            kind,
            state,
            number,
            size: 0,
            times: inode.times,
            content: Content::None,
            notes: vec![],
        };
        if kind == EntryKind::File {
            entry.size = inode.size;
            if inode.links > 1 {
                entry.notes.push(Note::HardLinks(inode.links));
            }
            entry.content = self.content(inode, &mut entry.notes);
        }
        self.visitor.entry(entry)
    }

    fn content(&mut self, inode: &Inode, notes: &mut Vec<Note>) -> Content {
        if inode.realtime && inode.size > 0 {
            self.realtime = self.realtime.saturating_add(1);
            return Content::Unreadable(Unreadable::StoredElsewhere("the real-time device"));
        }
        match self.fs.extents(inode) {
            Ok((extents, holes)) => {
                let stored = extents.iter().filter(|e| e.location != crate::entry::Location::Zero).map(|e| e.length);
                self.claimed = stored.fold(self.claimed, u64::saturating_add);
                if self.claimed > self.fs.source.len().saturating_mul(CLAIMS) {
                    let detail = "the files together claim far more bytes than the volume has";
                    return Content::Unreadable(Unreadable::Corrupt(detail.into()));
                }
                if holes {
                    notes.push(Note::Sparse);
                }
                Content::Mapped(Mapped { extents })
            }
            Err(e) => Content::Unreadable(Unreadable::Corrupt(e.detail)),
        }
    }

    /// An inode in use that no folder led to. The tables of quotas and of the real-time device have no name either.
    fn orphan(&mut self, number: u64) -> VisitResult {
        if self.seen.contains(&number) {
            return ControlFlow::Continue(());
        }
        if !matches!(self.fs.inode(number), Ok(Some(_))) {
            return ControlFlow::Continue(());
        }
        if self.fs.own.contains(&number) {
            return ControlFlow::Continue(());
        }
        let path = format!("/$Orphans/{number}");
        let state = AllocationState::Orphan;
        if let Some(folder) = self.name(path, number, state)? {
            self.tree(folder)?;
        }
        ControlFlow::Continue(())
    }
}
