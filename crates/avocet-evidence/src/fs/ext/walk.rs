//! Visits every name and every nameless inode, without recursion and with bounded memory.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use avocet_base::escape_bytes;

use super::Ext;
use super::dir::{Block, Form, Name};
use super::inode::{FLAG_CASEFOLD, FLAG_ENCRYPTED, FLAG_INDEXED, FLAG_INLINE_DATA, Inode};
use super::journal::Journal;
use super::reader::{Reader, Tally};
use crate::entry::{AllocationState, Content, Entry, EntryKind, Location, Note, Times, Unreadable, Visitor};
use crate::error::Problem;

const ROOT: u32 = 2;
/// Longest escaped path of a directory that is entered under its own name, and how many folders deep it may be; four
/// times what Linux allows a program to name. Deeper ones go on under `/$Deep/inode-N`.
const MAX_PATH: usize = 16 * 1024;
const MAX_DEPTH: usize = 1024;

/// One bit for each inode.
pub(super) struct Bits(Vec<u64>);

impl Bits {
    fn new(inodes: u32) -> Self {
        Self(vec![0; usize::try_from(inodes / 64 + 1).unwrap_or_default()])
    }

    pub fn get(&self, inode: u32) -> bool {
        let word = usize::try_from(inode / 64).ok().and_then(|i| self.0.get(i));
        word.is_some_and(|w| w >> (inode % 64) & 1 == 1)
    }

    /// Sets the bit; false where it was set before or is out of range.
    pub fn insert(&mut self, inode: u32) -> bool {
        let Some(word) = usize::try_from(inode / 64).ok().and_then(|i| self.0.get_mut(i)) else { return false };
        let new = *word >> (inode % 64) & 1 == 0;
        *word |= 1 << (inode % 64);
        new
    }
}

/// A folder's place in the tree: names are kept once, paths are put together when they are needed.
pub(super) struct Node {
    parent: Option<Rc<Node>>,
    name: String,
    depth: usize,
    length: usize,
}

impl Node {
    pub fn top(name: String) -> Rc<Self> {
        let length = name.len();
        Rc::new(Self { parent: None, name, depth: 0, length })
    }

    pub fn child(self: &Rc<Self>, name: &str) -> Rc<Self> {
        let length = self.length.saturating_add(1).saturating_add(name.len());
        Rc::new(Self { parent: Some(Rc::clone(self)), name: name.to_owned(), depth: self.depth + 1, length })
    }

    fn too_deep(&self) -> bool {
        self.depth > MAX_DEPTH || self.length > MAX_PATH
    }

    /// The path of a name in this folder; of the folder itself where `name` is `None`.
    pub fn path(&self, name: Option<&str>) -> String {
        let (mut names, mut node) = (Vec::new(), Some(self));
        while let Some(n) = node {
            names.push(n.name.as_str());
            node = n.parent.as_deref();
        }
        names.reverse();
        names.extend(name);
        names.join("/")
    }
}

/// A folder that is still to be entered.
pub(super) struct Pending {
    pub node: Rc<Node>,
    inode: Box<Inode>,
    /// What its names are: allocated, or orphaned with the folder; deleted where the folder is gone.
    pub state: AllocationState,
    /// Whether the folder itself is gone, and if its place is known from the journal, at which time.
    gone: Option<Option<i32>>,
}

/// A name that is not in use.
#[derive(Clone, Copy)]
pub(super) struct Former {
    pub kind: Option<EntryKind>,
    /// Newest time of the journal that has it; `None` where it stands in slack now.
    pub order: Option<i32>,
}

pub(super) struct Walker<'a, 'v> {
    pub reader: Reader<'a>,
    pub visitor: &'v mut dyn Visitor,
    stack: Vec<Pending>,
    /// Inodes that some name refers or referred to.
    pub named: Bits,
    /// Directory inodes that were entered.
    pub entered: Bits,
    /// Inode and generation of what was recovered from the journal by name.
    pub recovered: BTreeSet<(u32, u32)>,
    pub recovered_bytes: u64,
    pub capped: Tally,
    bad_directories: Tally,
    pub stopped: bool,
    /// Folders that were not entered because too many blocks were read.
    left_out: usize,
}

/// Walks the whole file system.
pub(super) fn walk(fs: &Ext, visitor: &mut dyn Visitor) {
    let mut walker = Walker {
        reader: Reader::new(fs),
        visitor,
        stack: Vec::new(),
        named: Bits::new(fs.inodes),
        entered: Bits::new(fs.inodes),
        recovered: BTreeSet::new(),
        recovered_bytes: 0,
        capped: Tally::default(),
        bad_directories: Tally::default(),
        stopped: false,
        left_out: 0,
    };
    fs.problems.iter().for_each(|p| walker.visitor.problem(p.clone()));
    walker.open_journal();
    walker.enter_root();
    walker.drain();
    walker.orphans();
    walker.earlier_files();
    walker.finish();
}

impl Walker<'_, '_> {
    pub fn fs(&self) -> &Ext {
        self.reader.fs
    }

    fn problem(&mut self, code: &'static str, offset: Option<u64>, detail: impl Into<String>, path: Option<String>) {
        let problem = Problem::new("ext", code, offset, detail);
        self.visitor.problem(match path {
            Some(path) => problem.at_path(path),
            None => problem,
        });
    }

    fn open_journal(&mut self) {
        let sb = &self.fs().sb;
        if !sb.has_journal() {
            return;
        }
        let number = sb.journal_inode;
        if number == 0 {
            let detail = "the journal is on another device; deleted files are not looked for in it";
            return self.problem("journal-external", None, detail, None);
        }
        let block_size = sb.block_size;
        let journal = match self.reader.inode(number) {
            Err(reason) => Err(reason),
            Ok(inode) => match self.reader.map(&inode, None) {
                Err(_) => Err("its block map cannot be followed".to_owned()),
                Ok(map) => {
                    Journal::read(&self.fs().volume, &map.pieces, block_size).map_err(|reason| reason.to_owned())
                }
            },
        };
        match journal {
            Ok(journal) => self.reader.journal = journal,
            Err(reason) => {
                let detail = format!("the journal cannot be read ({reason}); deleted files are not looked for in it");
                self.problem("journal-unreadable", self.reader.inode_offset(number), detail, None);
            }
        }
    }

    fn enter_root(&mut self) {
        self.named.insert(ROOT);
        self.entered.insert(ROOT);
        let root = self.reader.inode(ROOT).and_then(|inode| match inode.kind() {
            EntryKind::Directory => Ok(inode),
            _ => Err("the root inode is no directory".to_owned()),
        });
        match root {
            Ok(inode) => {
                self.check(&inode);
                let state = AllocationState::Allocated;
                self.stack.push(Pending { node: Node::top(String::new()), inode: Box::new(inode), state, gone: None });
            }
            Err(reason) => {
                let offset = self.reader.inode_offset(ROOT);
                self.problem("directory-unreadable", offset, format!("the root directory: {reason}"), None);
            }
        }
    }

    pub fn drain(&mut self) {
        while let Some(folder) = self.stack.pop() {
            if self.stopped {
                return;
            }
            if self.reader.exhausted() {
                self.left_out += self.stack.len() + 1;
                self.stack.clear();
                return;
            }
            let base = self.stack.len();
            self.folder(&folder);
            // Depth first, in the order of the directory.
            self.stack.get_mut(base..).into_iter().for_each(<[Pending]>::reverse);
        }
    }

    pub fn check(&mut self, inode: &Inode) {
        if !inode.checksum_ok {
            let offset = self.reader.inode_offset(inode.number).unwrap_or_default();
            self.reader.bad_inodes.add(offset);
        }
    }

    pub fn emit(&mut self, entry: Entry) {
        if !self.stopped {
            self.stopped = self.visitor.entry(entry).is_break();
        }
    }

    /// Visits the names of a folder.
    fn folder(&mut self, folder: &Pending) {
        let mut former = BTreeMap::new();
        if folder.inode.has(FLAG_INLINE_DATA) {
            let form = self.form(&folder.inode);
            // Inline: the parent's number, records, and more records in the attribute; there is no `.` or `..`.
            let parts = [folder.inode.block.get(4..).unwrap_or_default().to_vec(), folder.inode.inline_rest.clone()];
            let used = parts.map(|part| {
                let block = form.records(&part);
                self.names(folder, block, self.reader.inode_offset(folder.inode.number), &mut former)
            });
            used.into_iter().flatten().for_each(|key| {
                former.remove(&key);
            });
        } else {
            let Some(blocks) = self.folder_blocks(folder) else { return };
            for (i, block) in blocks.iter().enumerate() {
                self.folder_block(folder, *block, i == 0, &mut former);
            }
            if !former.is_empty() && folder.gone.is_none() {
                // Names that moved within the folder, or whose older copies stand in the journal, are still in use.
                let form = self.form(&folder.inode);
                for (i, block) in blocks.iter().enumerate() {
                    let Ok(data) = self.reader.block(*block) else { continue };
                    for name in form.block(&data, i == 0).live {
                        former.remove(&(name.bytes, name.inode));
                    }
                }
            }
        }
        for ((bytes, inode), what) in former {
            if self.stopped {
                return;
            }
            self.former(folder, &bytes, inode, what);
        }
    }

    fn form(&self, inode: &Inode) -> Form {
        let sb = &self.fs().sb;
        Form {
            file_type: sb.has_file_type(),
            behind: if inode.has(FLAG_ENCRYPTED) && inode.has(FLAG_CASEFOLD) { 8 } else { 0 },
            indexed: inode.has(FLAG_INDEXED),
            inodes: self.fs().inodes,
            first_inode: sb.first_inode,
            seed: inode.seed(sb),
        }
    }

    /// The blocks that a folder lies in.
    fn folder_blocks(&mut self, folder: &Pending) -> Option<Vec<u64>> {
        let map = self.reader.map(&folder.inode, folder.gone.flatten());
        let size = self.fs().sb.block_size;
        match map {
            Ok(map) => {
                let holes = map.pieces.iter().any(|p| p.location == Location::Zero);
                if holes && folder.gone.is_none() {
                    let offset = self.reader.inode_offset(folder.inode.number);
                    let path = folder.node.path(None);
                    self.problem("directory-damaged", offset, "a directory with holes", Some(path));
                }
                let mut blocks = Vec::new();
                for piece in map.pieces {
                    if let Location::At(start) = piece.location {
                        blocks.extend(start / size..start.saturating_add(piece.length).div_ceil(size));
                    }
                }
                Some(blocks)
            }
            Err(_) if folder.gone.is_some() => None,
            Err(fault) => {
                let offset = self.reader.inode_offset(folder.inode.number);
                let path = folder.node.path(None);
                self.problem(
                    "directory-unreadable",
                    offset,
                    format!("its map cannot be followed: {fault:?}"),
                    Some(path),
                );
                None
            }
        }
    }

    fn folder_block(
        &mut self,
        folder: &Pending,
        block: u64,
        first: bool,
        former: &mut BTreeMap<(Vec<u8>, u32), Former>,
    ) {
        if self.stopped || !self.reader.spend() {
            return;
        }
        let form = self.form(&folder.inode);
        let number = folder.inode.number;
        let offset = block.saturating_mul(self.fs().sb.block_size);
        // Of a folder that is gone, blocks that belong to something else now are no longer its own.
        if folder.gone.is_none() || !self.reader.block_used(block) {
            match self.reader.block(block) {
                Ok(data) => {
                    let parsed = form.block(&data, first);
                    if folder.gone.is_none() {
                        if !parsed.checksum_ok {
                            self.bad_directories.add(offset);
                        }
                        self.names(folder, parsed, Some(offset), former);
                    } else if own(&parsed, number, first) {
                        for name in parsed.live.into_iter().chain(parsed.deleted).filter(not_dots) {
                            let what = Former { kind: name.kind, order: None };
                            former.insert((name.bytes, name.inode), what);
                        }
                    }
                }
                Err(e) if folder.gone.is_none() => {
                    let path = folder.node.path(None);
                    self.problem("directory-unreadable", Some(offset), e.to_string(), Some(path));
                }
                Err(_) => {}
            }
        }
        let copies = self.reader.journal.copies(block).to_vec();
        for copy in copies {
            if !self.reader.spend() {
                return;
            }
            let Some(data) = self.reader.journal.bytes(&self.fs().volume, &copy) else { continue };
            let parsed = form.block(&data, first);
            if !own(&parsed, number, first) {
                continue;
            }
            for name in parsed.live.into_iter().filter(not_dots) {
                let what = Former { kind: name.kind, order: Some(copy.order) };
                // Copies come oldest first; what stands in slack now is known best.
                former
                    .entry((name.bytes, name.inode))
                    .and_modify(|f| f.order = f.order.and(what.order))
                    .or_insert(what);
            }
        }
    }

    /// Visits the names in use of a live block, and keeps the others. Returns those in use.
    fn names(
        &mut self,
        folder: &Pending,
        block: Block,
        offset: Option<u64>,
        former: &mut BTreeMap<(Vec<u8>, u32), Former>,
    ) -> Vec<(Vec<u8>, u32)> {
        if let Some(at) = block.damaged_at {
            let detail = format!("the records of a directory make no sense from byte {at} of the block on");
            self.problem("directory-damaged", offset, detail, Some(folder.node.path(None)));
        }
        for name in block.deleted {
            former.entry((name.bytes, name.inode)).or_insert(Former { kind: name.kind, order: None });
        }
        let mut used = Vec::new();
        for name in block.live.into_iter().filter(not_dots) {
            if self.stopped {
                break;
            }
            if folder.gone.is_some() {
                former.insert((name.bytes, name.inode), Former { kind: name.kind, order: None });
                continue;
            }
            self.live(folder, &name);
            used.push((name.bytes, name.inode));
        }
        used
    }

    fn live(&mut self, folder: &Pending, name: &Name) {
        let escaped = escape_bytes(&name.bytes);
        let mut entry = Entry {
            path: folder.node.path(Some(&escaped)),
            stream: None,
            kind: name.kind.unwrap_or(EntryKind::File),
            state: folder.state,
            number: u64::from(name.inode),
            size: 0,
            times: Times::default(),
            content: Content::None,
            notes: Vec::new(),
        };
        let inode = match self.reader.inode(name.inode) {
            Ok(inode) if inode.mode != 0 => inode,
            other => {
                let reason = other.err().unwrap_or_else(|| "the inode is empty".to_owned());
                let code = if name.inode > self.fs().inodes { "entry-inode-out-of-range" } else { "inode-unreadable" };
                let offset = self.reader.inode_offset(name.inode);
                self.problem(code, offset, format!("inode {}: {reason}", name.inode), Some(entry.path.clone()));
                entry.content = Content::Unreadable(Unreadable::Corrupt(reason));
                return self.emit(entry);
            }
        };
        self.check(&inode);
        self.named.insert(name.inode);
        entry.kind = inode.kind();
        entry.size = inode.size;
        entry.times = inode.times(false);
        let found = self.reader.live_content(&inode);
        (entry.content, entry.notes) = (found.content, found.notes);
        if folder.inode.has(FLAG_ENCRYPTED) {
            entry.notes.push(Note::Other("name encrypted (fscrypt)".to_owned()));
        }
        if inode.links > 1 && entry.kind != EntryKind::Directory {
            entry.notes.push(Note::HardLinks(u32::from(inode.links)));
        }
        if entry.kind == EntryKind::Directory {
            if self.entered.insert(name.inode) {
                self.push(folder.node.child(&escaped), inode, folder.state, None);
            } else {
                let offset = self.reader.inode_offset(name.inode);
                let detail = format!("directory inode {} has more than one name; entered once", name.inode);
                self.problem("directory-loop", offset, detail, Some(entry.path.clone()));
            }
        }
        // A file with many names in folders that nobody refers to any more is recovered once for each.
        if entry.state != AllocationState::Allocated {
            self.cap(&mut entry);
        }
        self.emit(entry);
    }

    pub fn push(&mut self, mut node: Rc<Node>, inode: Inode, state: AllocationState, gone: Option<Option<i32>>) {
        if node.too_deep() {
            let short = Node::top(format!("/$Deep/inode-{}", inode.number));
            let offset = self.reader.inode_offset(inode.number);
            let detail = format!("folders nested too deep; what is in inode {} stands under /$Deep", inode.number);
            self.problem("path-too-deep", offset, detail, Some(short.path(None)));
            node = short;
        }
        self.stack.push(Pending { node, inode: Box::new(inode), state, gone });
    }

    fn finish(&mut self) {
        if self.reader.exhausted() {
            let left = self.left_out;
            let detail = format!(
                "maps and directories claim far more blocks than the volume has; {left} folders were not entered, and \
                 the content of further files was not looked for"
            );
            self.problem("walk-budget-exhausted", None, detail, None);
        }
        let tallies = [
            (&self.reader.bad_inodes, "inode-checksum", "inodes fail their checksum"),
            (&self.bad_directories, "directory-checksum", "directory blocks fail their checksum"),
            (&self.reader.bad_extents, "extent-checksum", "files with extent blocks that fail their checksum"),
            (&self.capped, "recovered-bytes-capped", "deleted files left unread: more bytes than the volume can hold"),
        ];
        let problems: Vec<Problem> =
            tallies.iter().filter_map(|(tally, code, what)| tally.problem(code, what)).collect();
        problems.into_iter().for_each(|p| self.visitor.problem(p));
    }
}

fn not_dots(name: &Name) -> bool {
    !matches!(name.bytes.as_slice(), b"." | b"..")
}

/// Whether an older block is one of a directory's own: whole, right by its checksum, and as the first one with a `.` that
/// is the directory.
fn own(block: &Block, inode: u32, first: bool) -> bool {
    let dot = block.live.first();
    let own = !first || dot.is_some_and(|n| n.bytes == b"." && n.inode == inode);
    own && block.damaged_at.is_none() && block.checksum_ok
}
