//! Directories: the only thing kept of a volume while it is walked.

use std::collections::HashMap;
use std::rc::Rc;

use avocet_base::join_path;

use super::record::Reference;
use super::table::next_sequence;

/// The root directory's record.
pub(super) const ROOT: u64 = 5;
/// Where entries are listed whose folder is not known any more.
pub(super) const ORPHANS: &str = "/$Orphans";
/// Folders within folders followed; Windows allows paths of 32,767 units.
const DEEPEST: usize = 16_384;
/// Bytes of one escaped path; beyond it the entry is listed without its folders.
const LONGEST: usize = 128 * 1024;
/// Bytes of folder paths kept.
const CACHE: usize = 8 * 1024 * 1024;

#[derive(Debug)]
struct Directory {
    record: u64,
    parent: Reference,
    sequence: u16,
    live: bool,
    /// Place of the escaped name among all names.
    name: (usize, usize),
}

/// All directories, by record number.
#[derive(Debug, Default)]
pub(super) struct Tree {
    directories: Vec<Directory>,
    names: String,
}

/// A folder as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folder {
    /// Escaped path; `""` for the root.
    pub path: Rc<str>,
    /// Whether the chain of folders breaks somewhere, so that the path is below [`ORPHANS`].
    pub lost: bool,
    /// Whether it breaks at a record that was reused for something else.
    pub reused: bool,
}

impl Folder {
    fn lost(reused: bool) -> Self {
        Self { path: ORPHANS.into(), lost: true, reused }
    }
}

/// What went wrong on the way up, besides a folder that is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Loop,
    TooLong,
}

enum Step {
    Root,
    To(usize),
    Gone { reused: bool },
}

impl Tree {
    /// Adds a directory; record numbers must rise.
    pub fn push(&mut self, record: u64, sequence: u16, live: bool, parent: Reference, name: &str) {
        let start = self.names.len();
        self.names.push_str(name);
        self.directories.push(Directory { record, parent, sequence, live, name: (start, name.len()) });
    }

    fn name(&self, directory: &Directory) -> &str {
        let (start, length) = directory.name;
        self.names.get(start..start.saturating_add(length)).unwrap_or_default()
    }

    fn step(&self, parent: Reference, child_live: bool) -> Step {
        if parent.record == ROOT {
            return Step::Root;
        }
        let Ok(at) = self.directories.binary_search_by_key(&parent.record, |d| d.record) else {
            return Step::Gone { reused: false };
        };
        let Some(found) = self.directories.get(at) else { return Step::Gone { reused: false } };
        let same = found.sequence == parent.sequence;
        // Windows and ntfs-3g count the sequence on when they delete, other drivers when they reuse.
        let was = same || !found.live && next_sequence(parent.sequence) == found.sequence;
        let fits = if found.live { same || child_live && parent.sequence == 0 } else { was && !child_live };
        if fits { Step::To(at) } else { Step::Gone { reused: !was } }
    }
}

/// Finds folders' paths, keeping the latest.
pub(super) struct Paths<'a> {
    tree: &'a Tree,
    cache: HashMap<usize, Folder>,
    cached: usize,
}

impl<'a> Paths<'a> {
    pub fn new(tree: &'a Tree) -> Self {
        Self { tree, cache: HashMap::new(), cached: 0 }
    }

    /// The folder that an entry's name says it is in.
    pub fn folder(&mut self, parent: Reference, child_live: bool) -> (Folder, Option<Trouble>) {
        let mut chain: Vec<usize> = vec![];
        let (mut reference, mut live) = (parent, child_live);
        let mut folder = loop {
            match self.tree.step(reference, live) {
                Step::Root => break Folder { path: "".into(), lost: false, reused: false },
                Step::Gone { reused } => break Folder::lost(reused),
                Step::To(at) => {
                    if let Some(known) = self.cache.get(&at) {
                        break known.clone();
                    }
                    chain.push(at);
                    let Some(next) = self.tree.directories.get(at) else { break Folder::lost(false) };
                    (reference, live) = (next.parent, next.live);
                    if chain.len() >= DEEPEST {
                        return (self.cut_loop(&chain), Some(Trouble::Loop));
                    }
                }
            }
        };
        for at in chain.into_iter().rev() {
            let Some(directory) = self.tree.directories.get(at) else { continue };
            let name = self.tree.name(directory);
            if folder.path.len().saturating_add(name.len()) >= LONGEST {
                return (Folder::lost(false), Some(Trouble::TooLong));
            }
            folder.path = join_path(&folder.path, name).into();
            self.keep(at, folder.clone());
        }
        (folder, None)
    }

    /// Every directory of a loop is listed below the orphans by its own name.
    fn cut_loop(&mut self, chain: &[usize]) -> Folder {
        let mut members = chain.to_vec();
        members.sort_unstable();
        members.dedup();
        for at in members {
            if let Some(directory) = self.tree.directories.get(at) {
                let path = join_path(ORPHANS, self.tree.name(directory)).into();
                self.keep(at, Folder { path, lost: true, reused: false });
            }
        }
        chain.first().and_then(|at| self.cache.get(at)).cloned().unwrap_or_else(|| Folder::lost(false))
    }

    fn keep(&mut self, at: usize, folder: Folder) {
        let cost = folder.path.len().saturating_add(64);
        if self.cached.saturating_add(cost) > CACHE {
            self.cache.clear();
            self.cached = 0;
        }
        self.cached = self.cached.saturating_add(cost);
        self.cache.insert(at, folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(record: u64, sequence: u16) -> Reference {
        Reference { record, sequence }
    }

    fn tree() -> Tree {
        let mut t = Tree::default();
        t.push(30, 1, true, to(40, 1), "b"); // the parent comes later in the table
        t.push(40, 1, true, to(5, 5), "a");
        t.push(50, 3, false, to(30, 1), "gone"); // deleted: had sequence 2
        t.push(60, 8, true, to(5, 5), "new"); // reused
        t.push(70, 1, true, to(80, 1), "x");
        t.push(80, 1, true, to(70, 1), "y");
        t.push(90, 2, false, to(60, 4), "lost");
        t
    }

    #[test]
    fn chains_are_followed_while_sequences_agree() {
        let tree = tree();
        let mut paths = Paths::new(&tree);
        let mut at = |r, live| {
            let (folder, trouble) = paths.folder(r, live);
            (folder.path.to_string(), folder.lost, folder.reused, trouble)
        };
        for _ in 0..2 {
            assert_eq!(at(to(5, 5), true), (String::new(), false, false, None));
            assert_eq!(at(to(30, 1), true), ("/a/b".into(), false, false, None));
            assert_eq!(at(to(30, 1), false), ("/a/b".into(), false, false, None));
            assert_eq!(at(to(30, 0), true), ("/a/b".into(), false, false, None));
            assert_eq!(at(to(30, 2), false), (ORPHANS.into(), true, true, None));
            assert_eq!(at(to(50, 2), false), ("/a/b/gone".into(), false, false, None));
            assert_eq!(at(to(50, 3), false), ("/a/b/gone".into(), false, false, None));
            assert_eq!(at(to(50, 1), false), (ORPHANS.into(), true, true, None));
            assert_eq!(at(to(50, 2), true), (ORPHANS.into(), true, false, None));
            assert_eq!(at(to(60, 7), false), (ORPHANS.into(), true, true, None));
            assert_eq!(at(to(90, 1), false), ("/$Orphans/lost".into(), true, true, None));
            assert_eq!(at(to(99, 1), false), (ORPHANS.into(), true, false, None));
        }
    }

    #[test]
    fn loops_and_endless_paths_are_cut() {
        let tree = tree();
        let mut paths = Paths::new(&tree);
        let (folder, trouble) = paths.folder(to(70, 1), true);
        assert_eq!((&*folder.path, folder.lost, trouble), ("/$Orphans/x", true, Some(Trouble::Loop)));
        assert_eq!(paths.folder(to(80, 1), true).1, None, "known by now");

        let mut deep = Tree::default();
        let name = "n".repeat(255);
        for i in 0..1000 {
            deep.push(100 + i, 1, true, if i == 0 { to(5, 5) } else { to(99 + i, 1) }, &name);
        }
        let (folder, trouble) = Paths::new(&deep).folder(to(1099, 1), true);
        assert_eq!((&*folder.path, trouble), (ORPHANS, Some(Trouble::TooLong)));
        let (folder, trouble) = Paths::new(&deep).folder(to(199, 1), true);
        assert_eq!((folder.path.len(), trouble), (256 * 100, None));
    }
}
