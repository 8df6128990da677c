//! Lists a FAT volume: live directories, then deleted ones, then orphans.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use avocet_base::join_path;

use super::content::{Claim, Clusters, Found};
use super::entry::{Short, is_long, long_is_sound};
use super::name::{LongPieces, short_name};
use super::scan::{Slots, free_clusters};
use super::{Fat, LAYER};
use crate::entry::{AllocationState, Content, Entry, EntryKind, Note, Run, VisitResult, Visitor};
use crate::error::Problem;
use crate::source::read_exact_at;

/// Directories below each other at most, and bytes of a path. Systems stop at 260 characters.
pub(in crate::fs) const MAX_DEPTH: u32 = 256;
pub(in crate::fs) const MAX_PATH: usize = 64 << 10;
/// Slots of one deleted directory at most: the specification's limit for any directory.
const MAX_SLOTS: u64 = 65_536;

/// A directory still to be listed.
struct Pending {
    path: String,
    first: u32,
    /// First cluster of the directory it was found in; 0 for the root.
    parent: u32,
    state: AllocationState,
    depth: u32,
    /// Its own entry, where that is shown only once its clusters have been looked at. A part of a directory found in
    /// free space has none.
    entry: Option<Entry>,
}

/// Directories found in free clusters.
#[derive(Default)]
struct Heads {
    /// Those that begin with `.` and `..`: the cluster and what its `..` names.
    found: Vec<(u32, u32)>,
    /// The same as (lower half of the cluster, what `..` names, cluster), sorted.
    by_half: Vec<(u32, u32, u32)>,
    /// Those that begin with `.` and name another cluster as their own.
    elsewhere: u64,
    /// Clusters that hold nothing but entries: later parts of directories whose chain is gone.
    parts: Vec<u32>,
}

impl Heads {
    fn has(&self, cluster: u32) -> bool {
        self.found.binary_search_by_key(&cluster, |h| h.0).is_ok()
    }
}

pub(super) struct Walk<'a, 'v> {
    fat: &'a Fat,
    visitor: &'v mut dyn Visitor,
    clusters: Clusters<'a>,
    live: VecDeque<Pending>,
    dead: VecDeque<Pending>,
    orphaned_pieces: u64,
}

impl<'a, 'v> Walk<'a, 'v> {
    pub fn new(fat: &'a Fat, visitor: &'v mut dyn Visitor) -> Self {
        Self {
            fat,
            visitor,
            clusters: fat.clusters(),
            live: VecDeque::new(),
            dead: VecDeque::new(),
            orphaned_pieces: 0,
        }
    }

    pub fn run(mut self) {
        // A visitor that breaks wants nothing more, problems included.
        let _ = self.all();
    }

    fn all(&mut self) -> VisitResult {
        let (runs, problem) = self.fat.root(&mut self.clusters);
        if let Some((code, detail)) = problem {
            self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path("/"));
        }
        let root = Pending {
            path: String::new(),
            first: 0,
            parent: 0,
            state: AllocationState::Allocated,
            depth: 0,
            entry: None,
        };
        self.list(&root, runs)?;
        while let Some(directory) = self.live.pop_front() {
            self.live_directory(&directory)?;
        }
        let heads = self.search_free();
        self.dead_directories(&heads)?;
        self.orphans(&heads)?;
        self.totals();
        ControlFlow::Continue(())
    }

    fn live_directory(&mut self, directory: &Pending) -> VisitResult {
        let claim = Claim { first: directory.first, size: 0, valid: 0, contiguous: false };
        let (runs, problem) = self.clusters.live_directory(&claim, false);
        if let Some((code, detail)) = problem {
            let place = self.clusters.geometry.contains(directory.first);
            let place = place.then(|| self.clusters.geometry.offset(directory.first));
            self.visitor.problem(Problem::new(LAYER, code, place, detail).at_path(directory.path.as_str()));
        }
        self.list(directory, runs)
    }

    /// Lists the slots of one directory.
    fn list(&mut self, directory: &Pending, runs: Vec<Run>) -> VisitResult {
        let live = directory.state == AllocationState::Allocated;
        let (mut pieces, mut past_end) = (LongPieces::default(), false);
        let (mut implausible, mut unreadable) = (0u64, 0u64);
        let mut first_bad = None;
        for slot in Slots::new(&self.fat.volume, runs) {
            let (offset, slot) = match slot {
                Ok(read) => read,
                Err(e) => {
                    unreadable = unreadable.saturating_add(512);
                    first_bad = first_bad.or(Some(e.offset));
                    self.orphaned_pieces = self.orphaned_pieces.saturating_add(pieces.clear());
                    continue;
                }
            };
            if slot.first() == Some(&0) {
                let left = pieces.clear();
                if !past_end {
                    self.orphaned_pieces = self.orphaned_pieces.saturating_add(left);
                }
                past_end = true;
                continue;
            }
            if is_long(&slot) {
                let pushed_out = pieces.push(&slot);
                if !past_end {
                    self.orphaned_pieces = self.orphaned_pieces.saturating_add(pushed_out);
                }
                continue;
            }
            let Some(short) = Short::parse(&slot, self.fat.wide()) else { continue };
            let last = self.clusters.geometry.last;
            let accepted = match (live && !short.is_deleted(), past_end) {
                (true, false) => short.can_be_live(),
                (false, false) => short.plausible(last, !live),
                (_, true) => short.plausible(last, true),
            };
            if !accepted || short.dots() != 0 {
                let left = pieces.clear();
                if !past_end {
                    self.orphaned_pieces = self.orphaned_pieces.saturating_add(left);
                    implausible = implausible.saturating_add(u64::from(!accepted && short.dots() == 0));
                    first_bad = first_bad.or((!accepted).then_some(offset));
                }
                continue;
            }
            self.entry(directory, &short, &mut pieces, offset, past_end)?;
        }
        self.orphaned_pieces = self.orphaned_pieces.saturating_add(if past_end { 0 } else { pieces.clear() });
        if implausible > 0 {
            let detail = format!("{implausible} slots of the directory hold no entry that a system can have written.");
            self.problem_in(directory, "implausible-entries", first_bad, detail);
        }
        if unreadable > 0 {
            let detail = format!("{unreadable} bytes of the directory could not be read.");
            self.problem_in(directory, "directory-unreadable", first_bad, detail);
        }
        ControlFlow::Continue(())
    }

    fn problem_in(&mut self, directory: &Pending, code: &'static str, offset: Option<u64>, detail: String) {
        let path = if directory.path.is_empty() { "/" } else { &directory.path };
        self.visitor.problem(Problem::new(LAYER, code, offset, detail).at_path(path));
    }

    /// Shows one entry and remembers it where it is a directory.
    fn entry(
        &mut self,
        directory: &Pending,
        short: &Short,
        pieces: &mut LongPieces,
        offset: u64,
        past_end: bool,
    ) -> VisitResult {
        let lost = short.is_deleted();
        let mut notes = vec![];
        // A volume label has no long name.
        let name = if short.is_label() {
            self.orphaned_pieces = self.orphaned_pieces.saturating_add(pieces.clear());
            // Eleven characters in one piece, where a file's short name is eight and three.
            super::name::label_name(&short.name, lost)
        } else {
            let long = pieces.take(&short.name, lost);
            if !past_end {
                self.orphaned_pieces = self.orphaned_pieces.saturating_add(long.orphaned);
            }
            if long.end_uncertain {
                notes.push(Note::Other("the end of the long name may be lost".into()));
            }
            long.name
        };
        let name = name.unwrap_or_else(|| {
            if lost {
                notes.push(Note::FirstCharacterLost);
            }
            short_name(&short.name, if short.is_label() { 0 } else { short.case }, lost)
        });
        if past_end {
            notes.push(Note::Other("found behind the end of its directory".into()));
        }
        let state = match directory.state {
            AllocationState::Allocated if lost || past_end => AllocationState::Deleted,
            state => state,
        };
        let kind = match (short.is_directory(), short.is_label()) {
            (true, _) => EntryKind::Directory,
            (_, true) => EntryKind::Special,
            _ => EntryKind::File,
        };
        let path = join_path(&directory.path, &name);
        let mut entry = Entry {
            path,
            stream: None,
            kind,
            state,
            number: offset,
            size: if kind == EntryKind::File { u64::from(short.size) } else { 0 },
            times: short.times,
            content: Content::None,
            notes,
        };
        match kind {
            EntryKind::Directory => return self.directory(directory, short, entry),
            EntryKind::File => {
                let live = state == AllocationState::Allocated;
                let found = if live { self.live_file(short) } else { self.dead_file(directory, short) };
                entry.content = found.content;
                entry.notes.extend(found.notes);
                if let Some((code, detail)) = found.problem {
                    self.visitor.problem(Problem::new(LAYER, code, Some(offset), detail).at_path(entry.path.as_str()));
                }
            }
            _ => {}
        }
        self.visitor.entry(entry)
    }

    fn live_file(&mut self, short: &Short) -> Found {
        let size = u64::from(short.size);
        self.clusters.live(&Claim { first: short.first, size, valid: size, contiguous: false })
    }

    /// A deleted file of FAT32 may have lost the upper half of its first cluster: some systems clear it. Where
    /// what is left is in use, the upper half of the directory's own cluster is tried, since files mostly lie near it.
    fn dead_file(&mut self, directory: &Pending, short: &Short) -> Found {
        let mut first = short.first;
        let mut note = None;
        let high = directory.first & 0xffff_0000;
        if self.fat.wide() && short.size > 0 && first >> 16 == 0 && high != 0 {
            let likely = high | first;
            if !self.clusters.is_free(first) && self.clusters.is_free(likely) {
                first = likely;
                note = Some("upper half of the first cluster cleared on deletion; taken from its directory: a guess");
            } else if first != 0 {
                note = Some("upper half of the first cluster is zero and may have been cleared on deletion");
            }
        }
        let size = u64::from(short.size);
        let mut found = self.clusters.deleted(&Claim { first, size, valid: size, contiguous: false }, false);
        found.notes.extend(note.map(|text| Note::Other(text.into())));
        found
    }

    fn directory(&mut self, parent: &Pending, short: &Short, entry: Entry) -> VisitResult {
        let depth = parent.depth.saturating_add(1);
        let mut pending = Pending {
            path: entry.path.clone(),
            first: short.first,
            parent: parent.first,
            state: entry.state,
            depth,
            entry: None,
        };
        if depth > MAX_DEPTH || pending.path.len() > MAX_PATH {
            let detail = "The directory lies deeper than any system allows; its contents are not listed.".into();
            self.problem_in(&pending, "directory-too-deep", Some(entry.number), detail);
            return self.visitor.entry(entry);
        }
        if entry.state == AllocationState::Allocated {
            self.live.push_back(pending);
            self.visitor.entry(entry)
        } else {
            pending.entry = Some(entry);
            self.dead.push_back(pending);
            ControlFlow::Continue(())
        }
    }

    /// Finds the heads of directories in free clusters.
    fn search_free(&mut self) -> Heads {
        let mut heads = Heads::default();
        let (wide, last) = (self.fat.wide(), self.clusters.geometry.last);
        let unreadable = free_clusters(&self.fat.volume, &self.clusters, |cluster, head| match dots(head, wide) {
            Some((own, up)) if own == cluster => heads.found.push((cluster, up)),
            Some(_) => heads.elsewhere = heads.elsewhere.saturating_add(1),
            None if only_entries(head, wide, last) => heads.parts.push(cluster),
            None => {}
        });
        heads.by_half = heads.found.iter().map(|(cluster, up)| (cluster & 0xffff, *up, *cluster)).collect();
        heads.by_half.sort_unstable();
        if unreadable > 0 {
            self.visitor.problem(Problem::new(
                LAYER,
                "free-space-unreadable",
                None,
                format!("{unreadable} free clusters could not be searched for directories."),
            ));
        }
        heads
    }

    /// The cluster where a deleted directory begins, as far as it is still there.
    fn find_dead(&self, directory: &Pending, heads: &Heads) -> Option<u32> {
        if heads.has(directory.first) || directory.entry.is_none() {
            return Some(directory.first);
        }
        if !self.fat.wide() || directory.first >> 16 != 0 {
            return None;
        }
        // The upper half was cleared on deletion: a head with the same lower half whose `..` is the parent is its own.
        let key = (directory.first, directory.parent);
        let from = heads.by_half.partition_point(|h| (h.0, h.1) < key);
        let mut fits = heads.by_half.iter().skip(from).take_while(|h| (h.0, h.1) == key);
        fits.next().filter(|_| fits.next().is_none()).map(|h| h.2)
    }

    /// Lists deleted directories and those found below them.
    fn dead_directories(&mut self, heads: &Heads) -> VisitResult {
        while let Some(mut directory) = self.dead.pop_front() {
            let start = self.find_dead(&directory, heads);
            let listed = start.is_some_and(|c| self.clusters.directories.get(c));
            if let Some(mut entry) = directory.entry.take() {
                let note = match start {
                    Some(_) if listed => Some("its clusters are listed below another directory"),
                    Some(c) if c != directory.first => Some("upper half of the first cluster found by its contents"),
                    Some(_) => None,
                    None if !self.clusters.geometry.contains(directory.first) => Some("its contents are lost"),
                    None if !self.clusters.is_free(directory.first) => {
                        entry.notes.push(Note::ClustersReused { reused: 1, of: 1 });
                        None
                    }
                    None => Some("its contents were overwritten"),
                };
                entry.notes.extend(note.map(|text| Note::Other(text.into())));
                self.visitor.entry(entry)?;
            }
            if let Some(start) = start.filter(|_| !listed) {
                directory.first = start;
                let runs = self.dead_runs(start);
                self.list(&directory, runs)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The clusters of a deleted directory. Its chain is gone, so each next free cluster is taken as long as the one
    /// before was full and all of it reads as directory entries.
    fn dead_runs(&mut self, start: u32) -> Vec<Run> {
        let geometry = self.clusters.geometry;
        let mut out = vec![];
        let mut at = start;
        let mut slots = 0u64;
        let mut buffer = vec![0; usize::try_from(geometry.cluster).unwrap_or(0)];
        loop {
            let readable = read_exact_at(&self.fat.volume, LAYER, geometry.offset(at), &mut buffer).is_ok();
            let entries = || buffer.chunks_exact(32).filter_map(|c| <&[u8; 32]>::try_from(c).ok());
            if at != start {
                let own = |slot: &[u8; 32]| {
                    slot.first() == Some(&0)
                        || is_long(slot)
                        || Short::parse(slot, self.fat.wide())
                            .is_some_and(|s| s.plausible(geometry.last, true) && s.dots() == 0)
                };
                let begun = entries().next().is_some_and(|slot| slot.first() != Some(&0));
                if !readable || !begun || !entries().all(own) {
                    break;
                }
            }
            if self.clusters.directories.set(at) {
                break;
            }
            out.push(Run { start: geometry.offset(at), length: geometry.cluster });
            slots = slots.saturating_add(geometry.cluster / 32);
            let full = readable && entries().all(|slot| slot.first() != Some(&0));
            match self.clusters.in_use().next(at.saturating_add(1), false) {
                Some(next) if full && slots < MAX_SLOTS => at = next,
                _ => break,
            }
        }
        out
    }

    /// Lists the directories that nothing refers to: those whose parent is not among them first, so that the others are
    /// found below theirs.
    fn orphans(&mut self, heads: &Heads) -> VisitResult {
        for roots in [true, false] {
            for (cluster, up) in &heads.found {
                if self.clusters.directories.get(*cluster) || (roots && heads.has(*up)) {
                    continue;
                }
                let geometry = self.clusters.geometry;
                let mut slot = [0; 32];
                let read = read_exact_at(&self.fat.volume, LAYER, geometry.offset(*cluster), &mut slot);
                let times = read.ok().and_then(|()| Short::parse(&slot, self.fat.wide())).map(|s| s.times);
                let path = format!("/$Orphans/cluster-{cluster}");
                let entry = Entry {
                    path: path.clone(),
                    stream: None,
                    kind: EntryKind::Directory,
                    state: AllocationState::Orphan,
                    number: geometry.offset(*cluster),
                    size: 0,
                    times: times.unwrap_or_default(),
                    content: Content::None,
                    notes: vec![],
                };
                self.dead.push_back(Pending {
                    path,
                    first: *cluster,
                    parent: *up,
                    state: AllocationState::Orphan,
                    depth: 2,
                    entry: Some(entry),
                });
                self.dead_directories(heads)?;
            }
        }
        for cluster in &heads.parts {
            if self.clusters.directories.get(*cluster) {
                continue;
            }
            self.dead.push_back(Pending {
                path: format!("/$Orphans/cluster-{cluster}"),
                first: *cluster,
                parent: 0,
                state: AllocationState::Orphan,
                depth: 2,
                entry: None,
            });
            self.dead_directories(heads)?;
        }
        if heads.elsewhere > 0 {
            self.visitor.problem(Problem::new(
                LAYER,
                "orphan-directory-implausible",
                None,
                format!(
                    "{} free clusters begin like directories of an earlier file system; their entries are not listed.",
                    heads.elsewhere
                ),
            ));
        }
        ControlFlow::Continue(())
    }

    /// Says what was counted.
    fn totals(&mut self) {
        let mut report = |code, offset, detail| self.visitor.problem(Problem::new(LAYER, code, offset, detail));
        if self.orphaned_pieces > 0 {
            let detail = format!("{} pieces of long names belong to no entry.", self.orphaned_pieces);
            report("long-name-orphaned", None, detail);
        }
        let (lost, first) = self.fat.allocated.minus(&self.clusters.claimed);
        let lost = lost.saturating_sub(self.fat.bad);
        super::content::report_totals(&self.clusters, lost, first, &mut report);
    }
}

/// The clusters that the first two slots name as their own and their parent's, where they are `.` and `..`.
fn dots(head: &[u8], wide: bool) -> Option<(u32, u32)> {
    let mut slots = head.chunks_exact(32).filter_map(|c| <&[u8; 32]>::try_from(c).ok());
    let own = Short::parse(slots.next()?, wide).filter(|s| s.dots() == 1)?;
    let up = Short::parse(slots.next()?, wide).filter(|s| s.dots() == 2)?;
    Some((own.first, up.first))
}

/// Whether a cluster holds entries up to its end or to the first unused slot, and nothing behind that.
fn only_entries(head: &[u8], wide: bool, last_cluster: u32) -> bool {
    let (mut any, mut ended) = (false, false);
    for slot in head.chunks_exact(32).filter_map(|c| <&[u8; 32]>::try_from(c).ok()) {
        if ended || slot.first() == Some(&0) {
            ended = true;
            if slot.iter().any(|b| *b != 0) {
                return false;
            }
        } else if !is_long(slot) {
            if !Short::parse(slot, wide).is_some_and(|s| s.certain(last_cluster)) {
                return false;
            }
            any = true;
        } else if !long_is_sound(slot) {
            return false;
        }
    }
    any
}
