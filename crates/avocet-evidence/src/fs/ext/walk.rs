//! Visits every name and every nameless inode, without recursion and with bounded memory.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use avocet_base::escape_bytes;

use super::Ext;
use super::dir::{Block, Form, Name};
use super::inode::{FLAG_CASEFOLD, FLAG_EA_INODE, FLAG_ENCRYPTED, FLAG_INDEXED, FLAG_INLINE_DATA, Inode};
use super::journal::Journal;
use super::reader::{Reader, Tally};
use super::recover::{Found, Version};
use crate::entry::{AllocationState, Content, Entry, EntryKind, Location, Note, Times, Unreadable, Visitor};
use crate::error::Problem;

const ROOT: u32 = 2;
/// Longest escaped path of a directory that is entered under its own name, and how many folders deep it may be; four
/// times what Linux allows a program to name. Deeper ones go on under `/$Deep/inode-N`.
const MAX_PATH: usize = 16 * 1024;
const MAX_DEPTH: usize = 1024;

/// One bit for each inode.
struct Bits(Vec<u64>);

impl Bits {
    fn new(inodes: u32) -> Self {
        Self(vec![0; usize::try_from(inodes / 64 + 1).unwrap_or_default()])
    }

    fn get(&self, inode: u32) -> bool {
        let word = usize::try_from(inode / 64).ok().and_then(|i| self.0.get(i));
        word.is_some_and(|w| w >> (inode % 64) & 1 == 1)
    }

    /// Sets the bit; false where it was set before or is out of range.
    fn insert(&mut self, inode: u32) -> bool {
        let Some(word) = usize::try_from(inode / 64).ok().and_then(|i| self.0.get_mut(i)) else { return false };
        let new = *word >> (inode % 64) & 1 == 0;
        *word |= 1 << (inode % 64);
        new
    }
}

/// A folder's place in the tree: names are kept once, paths are put together when they are needed.
struct Node {
    parent: Option<Rc<Node>>,
    name: String,
    depth: usize,
    length: usize,
}

impl Node {
    fn top(name: String) -> Rc<Self> {
        let length = name.len();
        Rc::new(Self { parent: None, name, depth: 0, length })
    }

    fn child(self: &Rc<Self>, name: &str) -> Rc<Self> {
        let length = self.length.saturating_add(1).saturating_add(name.len());
        Rc::new(Self { parent: Some(Rc::clone(self)), name: name.to_owned(), depth: self.depth + 1, length })
    }

    fn too_deep(&self) -> bool {
        self.depth > MAX_DEPTH || self.length > MAX_PATH
    }

    /// The path of a name in this folder; of the folder itself where `name` is `None`.
    fn path(&self, name: Option<&str>) -> String {
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
struct Pending {
    node: Rc<Node>,
    inode: Box<Inode>,
    /// What its names are: allocated, or orphaned with the folder; deleted where the folder is gone.
    state: AllocationState,
    /// Whether the folder itself is gone, and if its place is known from the journal, at which time.
    gone: Option<Option<i32>>,
}

/// A name that is not in use.
#[derive(Clone, Copy)]
struct Former {
    kind: Option<EntryKind>,
    /// Newest time of the journal that has it; `None` where it stands in slack now.
    order: Option<i32>,
}

struct Walker<'a, 'v> {
    reader: Reader<'a>,
    visitor: &'v mut dyn Visitor,
    stack: Vec<Pending>,
    /// Inodes that some name refers or referred to.
    named: Bits,
    /// Directory inodes that were entered.
    entered: Bits,
    /// Inode and generation of what was recovered from the journal by name.
    recovered: BTreeSet<(u32, u32)>,
    recovered_bytes: u64,
    capped: Tally,
    bad_directories: Tally,
    stopped: bool,
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
    fn fs(&self) -> &Ext {
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

    fn drain(&mut self) {
        while let Some(folder) = self.stack.pop() {
            if self.stopped {
                return;
            }
            if self.reader.exhausted() {
                let left = self.stack.len() + 1;
                let detail =
                    format!("more blocks of maps and directories than the volume has; {left} folders not entered");
                self.problem("walk-budget-exhausted", None, detail, None);
                self.stack.clear();
                return;
            }
            let base = self.stack.len();
            self.folder(&folder);
            // Depth first, in the order of the directory.
            self.stack.get_mut(base..).into_iter().for_each(<[Pending]>::reverse);
        }
    }

    fn check(&mut self, inode: &Inode) {
        if !inode.checksum_ok {
            let offset = self.reader.inode_offset(inode.number).unwrap_or_default();
            self.reader.bad_inodes.add(offset);
        }
    }

    fn emit(&mut self, entry: Entry) {
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
        self.emit(entry);
    }

    fn push(&mut self, mut node: Rc<Node>, inode: Inode, state: AllocationState, gone: Option<Option<i32>>) {
        if node.too_deep() {
            let short = Node::top(format!("/$Deep/inode-{}", inode.number));
            let offset = self.reader.inode_offset(inode.number);
            let detail = format!("folders nested too deep; what is in inode {} stands under /$Deep", inode.number);
            self.problem("path-too-deep", offset, detail, Some(short.path(None)));
            node = short;
        }
        self.stack.push(Pending { node, inode: Box::new(inode), state, gone });
    }

    /// A name that is no longer in use.
    fn former(&mut self, folder: &Pending, bytes: &[u8], number: u32, what: Former) {
        let escaped = escape_bytes(bytes);
        let orphan = folder.state == AllocationState::Orphan;
        let state = if orphan { AllocationState::Orphan } else { AllocationState::Deleted };
        let mut entry = Entry {
            path: folder.node.path(Some(&escaped)),
            stream: None,
            kind: what.kind.unwrap_or(EntryKind::File),
            state,
            number: u64::from(number),
            size: 0,
            times: Times::default(),
            content: Content::Unreadable(Unreadable::NoLocation),
            notes: Vec::new(),
        };
        if what.order.is_some() {
            entry.notes.push(Note::Other("name from the journal".to_owned()));
        }
        let ordinary = number >= self.fs().sb.first_inode;
        let Some(current) = self.reader.inode(number).ok().filter(|_| ordinary) else {
            if entry.kind != EntryKind::File {
                entry.content = Content::None;
            }
            return self.emit(entry);
        };
        let versions = self.reader.versions(number);
        let generation = match what.order {
            // In slack: the name of the inode's last file, as far as anything says.
            None if current.mode != 0 => Some(current.generation),
            None => versions.last().map(|v| v.inode.generation),
            // From the journal: the file that the inode was when the name stood there.
            Some(order) => {
                let before = versions.iter().rev().find(|v| v.order <= order && v.inode.links > 0);
                before.or_else(|| versions.iter().find(|v| v.inode.links > 0)).map(|v| v.inode.generation)
            }
        };
        let live = current.mode != 0 && current.links > 0 && self.reader.inode_used(number);
        if live && what.order.is_some() && generation.is_none_or(|g| g == current.generation) {
            return; // an older name of a live file that stands elsewhere now
        }
        let best = if live && what.order.is_none() {
            None
        } else {
            generation.and_then(|g| self.reader.best_version(&versions, g))
        };
        let wanted = entry.kind;
        let fits = |inode: &Inode| what.kind.is_none_or(|k| k == inode.kind()) && wanted != EntryKind::Special;
        if let Some((version, found)) = best.filter(|(v, _)| fits(&v.inode)) {
            if !live {
                self.named.insert(number);
            }
            self.recovered.insert((number, version.inode.generation));
            if live {
                entry.notes.push(Note::Other("inode reused".to_owned()));
            }
            return self.gone(entry, folder.node.child(&escaped), version, found, &current);
        }
        if live || !fits(&current) || generation.is_some_and(|g| g != current.generation) {
            if live {
                entry.notes.push(Note::Other("inode reused".to_owned()));
            }
            if entry.kind != EntryKind::File {
                entry.content = Content::None;
            }
            return self.emit(entry);
        }
        self.named.insert(number);
        let found = self.reader.gone_content(&current, None);
        let version = Version { inode: current.clone(), order: i32::MAX };
        self.gone(entry, folder.node.child(&escaped), version, found, &current);
    }

    /// Emits a deleted entry with the metadata of `version`, and enters it where it was a folder.
    fn gone(&mut self, mut entry: Entry, node: Rc<Node>, version: Version, found: Found, current: &Inode) {
        let Version { mut inode, order } = version;
        inode.deleted_at = if inode.generation == current.generation { current.deleted_at } else { 0 };
        entry.kind = inode.kind();
        entry.size = inode.size;
        entry.times = inode.times(true);
        entry.content = found.content;
        entry.notes.extend(found.notes);
        self.cap(&mut entry);
        let enter = entry.kind == EntryKind::Directory && !self.entered.get(inode.number);
        let state = entry.state;
        self.emit(entry);
        if enter {
            self.entered.insert(inode.number);
            let as_of = (order != i32::MAX).then_some(order);
            self.push(node, inode, state, Some(as_of));
        }
    }

    /// Holds recovered bytes to what the volume can hold.
    fn cap(&mut self, entry: &mut Entry) {
        if !matches!(entry.content, Content::Mapped(_) | Content::Resident(_)) {
            return;
        }
        let total = self.recovered_bytes.saturating_add(entry.size);
        if total > self.fs().volume.len() {
            entry.content = Content::Unreadable(Unreadable::Capped);
            self.capped.add(self.reader.inode_offset(u32::try_from(entry.number).unwrap_or(0)).unwrap_or_default());
        } else {
            self.recovered_bytes = total;
        }
    }

    /// Inodes without a name: folders first, so that what they hold gets its place.
    fn orphans(&mut self) {
        let sb = &self.fs().sb;
        let (per_group, system, first) = (sb.inodes_per_group, sb.system_inodes, sb.first_inode);
        let mut rest = Vec::new();
        let groups = u32::try_from(self.fs().groups.len()).unwrap_or(u32::MAX);
        for group in 0..groups {
            let base = group.saturating_mul(per_group);
            let Some((descriptor, _)) = self.reader.group_of(base.saturating_add(1)) else { continue };
            if descriptor.inodes_unused {
                continue;
            }
            let last = base.saturating_add(per_group.saturating_sub(descriptor.never_used)).min(self.fs().inodes);
            for number in base.saturating_add(1).max(first)..=last {
                if self.stopped {
                    return;
                }
                if self.named.get(number) || system.contains(&number) {
                    continue;
                }
                let Ok(inode) = self.reader.inode(number) else { continue };
                if inode.mode == 0 || inode.has(FLAG_EA_INODE) {
                    continue;
                }
                if inode.kind() == EntryKind::Directory {
                    self.orphan(number);
                    self.drain();
                } else {
                    rest.push(number);
                }
            }
        }
        for number in rest {
            if self.stopped {
                return;
            }
            if !self.named.get(number) {
                self.orphan(number);
            }
        }
    }

    fn orphan(&mut self, number: u32) {
        let Ok(current) = self.reader.inode(number) else { return };
        self.check(&current);
        let node = Node::top(format!("/$Orphans/inode-{number}"));
        let mut entry = Entry {
            path: node.path(None),
            stream: None,
            kind: current.kind(),
            state: AllocationState::Orphan,
            number: u64::from(number),
            size: current.size,
            times: current.times(true),
            content: Content::None,
            notes: Vec::new(),
        };
        self.named.insert(number);
        if self.reader.inode_used(number) {
            entry.times = current.times(false);
            let found = self.reader.live_content(&current);
            (entry.content, entry.notes) = (found.content, found.notes);
            let why = if current.links == 0 {
                "in use without a name: deleted while a program had it open"
            } else {
                "in use, but no directory names it"
            };
            entry.notes.push(Note::Other(why.to_owned()));
            let enter = entry.kind == EntryKind::Directory && self.entered.insert(number);
            self.emit(entry);
            if enter {
                self.push(node, current, AllocationState::Orphan, None);
            }
            return;
        }
        let versions = self.reader.versions(number);
        match self.reader.best_version(&versions, current.generation).filter(|(v, _)| v.inode.kind() == entry.kind) {
            Some((version, found)) => {
                self.recovered.insert((number, version.inode.generation));
                self.gone(entry, node, version, found, &current);
            }
            None => {
                let found = self.reader.gone_content(&current, None);
                let version = Version { inode: current.clone(), order: i32::MAX };
                self.gone(entry, node, version, found, &current);
            }
        }
    }

    /// Files that an inode was before the one that it is or was last, as far as the journal knows them.
    fn earlier_files(&mut self) {
        let sb = &self.fs().sb;
        let (per_group, first) = (sb.inodes_per_group, sb.first_inode);
        let per_block = u32::try_from(sb.block_size / sb.inode_size as u64).unwrap_or(1).max(1);
        let mut tables: Vec<(u64, u32)> =
            (0..).zip(&self.fs().groups).filter_map(|(n, g)| Some((g.as_ref()?.inode_table, n))).collect();
        tables.sort_unstable();
        let blocks: Vec<u64> = self.reader.journal.blocks().collect();
        for block in blocks {
            let Some((start, group)) =
                tables.partition_point(|t| t.0 <= block).checked_sub(1).and_then(|i| tables.get(i))
            else {
                continue;
            };
            let index = u32::try_from(block - start).unwrap_or(u32::MAX).saturating_mul(per_block);
            for i in index..index.saturating_add(per_block).min(per_group) {
                let number = group.saturating_mul(per_group).saturating_add(i).saturating_add(1);
                if self.stopped {
                    return;
                }
                if number >= first && number <= self.fs().inodes {
                    self.earlier_files_of(number);
                }
            }
        }
    }

    fn earlier_files_of(&mut self, number: u32) {
        let Ok(current) = self.reader.inode(number) else { return };
        let versions = self.reader.versions(number);
        let generations: BTreeSet<u32> = versions.iter().map(|v| v.inode.generation).collect();
        for generation in generations {
            let is_current = current.mode != 0 && generation == current.generation;
            if is_current || self.recovered.contains(&(number, generation)) || !self.reader.spend() {
                continue;
            }
            let Some((version, found)) = self.reader.best_version(&versions, generation) else { continue };
            if version.inode.kind() != EntryKind::File {
                continue;
            }
            let node = Node::top(format!("/$Orphans/inode-{number}-generation-{generation}"));
            let entry = Entry {
                path: node.path(None),
                stream: None,
                kind: EntryKind::File,
                state: AllocationState::Orphan,
                number: u64::from(number),
                size: 0,
                times: Times::default(),
                content: Content::None,
                notes: vec![Note::Other("inode reused".to_owned())],
            };
            self.recovered.insert((number, generation));
            self.gone(entry, node, version, found, &current);
        }
    }

    fn finish(&mut self) {
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
