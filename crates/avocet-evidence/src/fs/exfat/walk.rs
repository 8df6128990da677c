//! Lists an exFAT volume: live directories, then deleted ones, then orphans.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use avocet_base::join_path;

use super::set::{self, File, Set, Taken};
use super::{ExFat, LAYER};
use crate::entry::{AllocationState, Content, Entry, EntryKind, Note, Run, VisitResult, Visitor};
use crate::error::Problem;
use crate::fs::fat::content::{Claim, Clusters, MAX_DIRECTORY, report_totals};
use crate::fs::fat::scan::{Slots, free_clusters};
use crate::fs::fat::{MAX_DEPTH, MAX_PATH};
use crate::source::read_exact_at;

/// A directory still to be listed.
struct Pending {
    path: String,
    claim: Claim,
    state: AllocationState,
    depth: u32,
}

pub(super) struct Walk<'a, 'v> {
    exfat: &'a ExFat,
    visitor: &'v mut dyn Visitor,
    clusters: Clusters<'a>,
    live: VecDeque<Pending>,
    dead: VecDeque<Pending>,
    fragments: u64,
    critical: u64,
}

impl<'a, 'v> Walk<'a, 'v> {
    pub fn new(exfat: &'a ExFat, visitor: &'v mut dyn Visitor) -> Self {
        Self {
            exfat,
            visitor,
            clusters: exfat.clusters(),
            live: VecDeque::new(),
            dead: VecDeque::new(),
            fragments: 0,
            critical: 0,
        }
    }

    pub fn run(mut self) {
        // A visitor that breaks wants nothing more, problems included.
        let _ = self.all();
    }

    fn all(&mut self) -> VisitResult {
        for claim in &self.exfat.system {
            let _ = self.clusters.live(claim); // only to know whose the clusters are
        }
        let (runs, problem) = self.exfat.root(&mut self.clusters);
        if let Some((code, detail)) = problem {
            self.visitor.problem(Problem::new(LAYER, code, None, detail).at_path("/"));
        }
        let claim = Claim { first: self.exfat.boot.root, size: 0, valid: 0, contiguous: false };
        let root = Pending { path: String::new(), claim, state: AllocationState::Allocated, depth: 0 };
        self.list(&root, runs)?;
        while let Some(directory) = self.live.pop_front() {
            let (runs, problem) = self.clusters.live_directory(&directory.claim, true);
            if let Some((code, detail)) = problem {
                let place = self.clusters.geometry.offset(directory.claim.first);
                self.problem_in(&directory, code, Some(place), detail);
            }
            self.list(&directory, runs)?;
        }
        self.dead_directories()?;
        self.orphans()?;
        self.totals();
        ControlFlow::Continue(())
    }

    fn problem_in(&mut self, directory: &Pending, code: &'static str, offset: Option<u64>, detail: String) {
        let path = if directory.path.is_empty() { "/" } else { &directory.path };
        self.visitor.problem(Problem::new(LAYER, code, offset, detail).at_path(path));
    }

    /// Lists the slots of one directory.
    fn list(&mut self, directory: &Pending, runs: Vec<Run>) -> VisitResult {
        let mut gathered = Set::default();
        let mut past_end = false;
        let (mut unreadable, mut first_bad) = (0u64, None);
        for slot in Slots::new(&self.exfat.volume, runs) {
            let (offset, slot) = match slot {
                Ok(read) => read,
                Err(e) => {
                    unreadable = unreadable.saturating_add(512);
                    first_bad = first_bad.or(Some(e.offset));
                    self.flush(directory, &mut gathered, past_end)?;
                    continue;
                }
            };
            if set::kind(&slot) == 0 {
                self.flush(directory, &mut gathered, past_end)?;
                past_end = true;
                continue;
            }
            loop {
                let (taken, again) = gathered.feed(offset, &slot);
                let in_use = set::kind(&slot) & set::IN_USE != 0;
                match taken {
                    Taken::Set(done) => self.set(directory, &done, past_end)?,
                    Taken::Kept => {}
                    Taken::Primary | Taken::Stray if past_end => {}
                    Taken::Primary => {
                        let known = matches!(set::kind(&slot) & !set::IN_USE, set::BITMAP | set::UPCASE | set::LABEL);
                        let ignored = known || !in_use || set::may_be_ignored(set::kind(&slot));
                        self.critical = self.critical.saturating_add(u64::from(!ignored));
                    }
                    Taken::Stray if in_use => self.critical = self.critical.saturating_add(1),
                    Taken::Stray => self.fragments = self.fragments.saturating_add(1),
                }
                if !again {
                    break;
                }
            }
        }
        self.flush(directory, &mut gathered, past_end)?;
        if unreadable > 0 {
            let detail = format!("{unreadable} bytes of the directory could not be read.");
            self.problem_in(directory, "directory-unreadable", first_bad, detail);
        }
        ControlFlow::Continue(())
    }

    fn flush(&mut self, directory: &Pending, gathered: &mut Set, past_end: bool) -> VisitResult {
        match gathered.flush() {
            Some(done) => self.set(directory, &done, past_end),
            None => ControlFlow::Continue(()),
        }
    }

    /// Shows one entry set and remembers it where it is a directory.
    fn set(&mut self, directory: &Pending, set: &Set, past_end: bool) -> VisitResult {
        let live = directory.state == AllocationState::Allocated && set.in_use() && !past_end;
        let file = set.read(&self.clusters.geometry);
        let fragments = u64::try_from(set.len()).unwrap_or(0);
        let Some(file) = file else {
            if live {
                let detail = "An entry set has no stream extension or no name; it is not listed.".into();
                self.problem_in(directory, "entry-set-incomplete", Some(set.offset), detail);
            } else if !past_end {
                self.fragments = self.fragments.saturating_add(fragments);
            }
            return ControlFlow::Continue(());
        };
        if live {
            return self.live_set(directory, file);
        }
        // Behind the end of a directory lies whatever was there before: only a checksum tells an entry from chance.
        let accepted = if past_end { file.checksum_agrees } else { file.plausible };
        if !accepted {
            self.fragments = self.fragments.saturating_add(if past_end { 0 } else { fragments });
            return ControlFlow::Continue(());
        }
        self.dead_set(directory, file, past_end)
    }

    fn entry(directory: &Pending, file: &File, state: AllocationState) -> Entry {
        Entry {
            path: join_path(&directory.path, &file.name),
            stream: None,
            kind: if file.directory { EntryKind::Directory } else { EntryKind::File },
            state,
            number: file.offset,
            size: if file.directory { 0 } else { file.claim.size },
            times: file.times,
            content: Content::None,
            notes: vec![],
        }
    }

    fn live_set(&mut self, directory: &Pending, file: File) -> VisitResult {
        let mut entry = Self::entry(directory, &file, AllocationState::Allocated);
        let problem =
            |code, detail: &str, path: &str| Problem::new(LAYER, code, Some(file.offset), detail).at_path(path);
        if !file.checksum_agrees {
            let detail = "The entry set does not have the checksum it states.";
            self.visitor.problem(problem("entry-set-checksum", detail, &entry.path));
            entry.notes.push(Note::Other("the checksum of its directory entries does not agree".into()));
        }
        if file.valid_too_long {
            let detail = "The file claims more written bytes than it has.";
            self.visitor.problem(problem("valid-length-beyond-size", detail, &entry.path));
        }
        for claim in &file.vendor {
            let _ = self.clusters.live(claim);
            entry.notes.push(Note::Other(format!("{} bytes of a vendor's own data beside it, not read", claim.size)));
        }
        if file.directory {
            self.remember(directory, &file, &entry);
            return self.visitor.entry(entry);
        }
        let found = self.clusters.live(&file.claim);
        entry.content = found.content;
        entry.notes.extend(found.notes);
        if let Some((code, detail)) = found.problem {
            self.visitor.problem(problem(code, &detail, &entry.path));
        }
        self.visitor.entry(entry)
    }

    fn dead_set(&mut self, directory: &Pending, file: File, past_end: bool) -> VisitResult {
        let state = match directory.state {
            AllocationState::Allocated => AllocationState::Deleted,
            state => state,
        };
        let mut entry = Self::entry(directory, &file, state);
        let mut other = |condition: bool, text: &str| {
            if condition {
                entry.notes.push(Note::Other(text.into()));
            }
        };
        other(past_end, "found behind the end of its directory");
        other(file.headless, "its file entry was overwritten: no times, and it may have been a folder");
        other(file.name_cut, "part of the name was overwritten");
        let doubtful = !file.headless && !file.name_cut && !file.checksum_agrees;
        other(doubtful, "the checksum of its directory entries does not agree");
        if file.directory {
            self.remember(directory, &file, &entry);
        } else {
            let found = self.clusters.deleted(&file.claim, true);
            entry.content = found.content;
            entry.notes.extend(found.notes);
        }
        self.visitor.entry(entry)
    }

    fn remember(&mut self, parent: &Pending, file: &File, entry: &Entry) {
        let depth = parent.depth.saturating_add(1);
        let pending = Pending { path: entry.path.clone(), claim: file.claim, state: entry.state, depth };
        if depth > MAX_DEPTH || pending.path.len() > MAX_PATH {
            let detail = "The directory lies deeper than any system allows; its contents are not listed.".into();
            self.problem_in(&pending, "directory-too-deep", Some(file.offset), detail);
        } else if entry.state == AllocationState::Allocated {
            self.live.push_back(pending);
        } else {
            self.dead.push_back(pending);
        }
    }

    /// Lists deleted directories and those found below them: what of their clusters is free.
    fn dead_directories(&mut self) -> VisitResult {
        while let Some(directory) = self.dead.pop_front() {
            if !self.clusters.geometry.contains(directory.claim.first) {
                continue;
            }
            let (runs, reused) = self.clusters.deleted_directory(&directory.claim);
            if reused > 0 {
                let detail = format!("{reused} clusters of the deleted directory are in use now and were not listed.");
                let place = self.clusters.geometry.offset(directory.claim.first);
                self.problem_in(&directory, "deleted-directory-reused", Some(place), detail);
            }
            self.list(&directory, runs)?;
        }
        ControlFlow::Continue(())
    }

    /// Whether a piece of a cluster begins with an entry set that has its checksum.
    fn begins_with_set(&self, head: &[u8]) -> bool {
        let mut gathered = Set::default();
        for slot in head.chunks_exact(32).filter_map(|c| <&[u8; 32]>::try_from(c).ok()) {
            match gathered.feed(0, slot) {
                (Taken::Kept, _) => {}
                (Taken::Set(done), _) => {
                    return done.read(&self.clusters.geometry).is_some_and(|f| f.checksum_agrees && f.plausible);
                }
                _ => return false,
            }
        }
        false
    }

    /// Lists directories that nothing refers to. Those found below another are listed there, which takes a second look:
    /// a directory whose own entry lies in a cluster found later comes first in the order of the disk.
    fn orphans(&mut self) -> VisitResult {
        let mut heads = vec![];
        let unreadable = free_clusters(&self.exfat.volume, &self.clusters, |cluster, head| {
            if set::kind_of(head) & !set::IN_USE == set::FILE && self.begins_with_set(head) {
                heads.push(cluster);
            }
        });
        if unreadable > 0 {
            self.visitor.problem(Problem::new(
                LAYER,
                "free-space-unreadable",
                None,
                format!("{unreadable} free clusters could not be searched for directories."),
            ));
        }
        let below = self.named_by(&heads);
        for roots in [true, false] {
            for cluster in &heads {
                if self.clusters.directories.get(*cluster) || (roots && below.binary_search(cluster).is_ok()) {
                    continue;
                }
                let path = format!("/$Orphans/cluster-{cluster}");
                let runs = self.orphan_runs(*cluster);
                let claim = Claim { first: *cluster, size: 0, valid: 0, contiguous: true };
                let pending = Pending { path, claim, state: AllocationState::Orphan, depth: 2 };
                self.list(&pending, runs)?;
                self.dead_directories()?;
            }
        }
        ControlFlow::Continue(())
    }

    /// First clusters of the directories that the entries of these directories name, sorted.
    fn named_by(&self, heads: &[u32]) -> Vec<u32> {
        let geometry = self.clusters.geometry;
        let mut out = vec![];
        for cluster in heads {
            let run = Run { start: geometry.offset(*cluster), length: geometry.cluster };
            let mut gathered = Set::default();
            for (offset, slot) in Slots::new(&self.exfat.volume, vec![run]).filter_map(Result::ok) {
                loop {
                    let (taken, again) = gathered.feed(offset, &slot);
                    if let Taken::Set(done) = taken {
                        let file = done.read(&geometry).filter(|f| f.directory && f.plausible);
                        out.extend(file.map(|f| f.claim.first).filter(|c| heads.binary_search(c).is_ok()));
                    }
                    if !again {
                        break;
                    }
                }
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The clusters of a directory whose size is not known: each next free one, as long as the one before was full and
    /// this one holds nothing but entries.
    fn orphan_runs(&mut self, start: u32) -> Vec<Run> {
        let geometry = self.clusters.geometry;
        let length = usize::try_from(geometry.cluster).unwrap_or(0);
        let mut out = vec![];
        let (mut at, mut bytes) = (start, 0u64);
        loop {
            let mut data = vec![0; length];
            let readable = read_exact_at(&self.exfat.volume, LAYER, geometry.offset(at), &mut data).is_ok();
            let kinds = || data.chunks_exact(32).map(set::kind_of);
            let known = |kind: u8| kind == 0 || set::is_file_part(kind & !set::IN_USE);
            let begun = kinds().next().is_some_and(|kind| kind != 0);
            if (at != start && (!readable || !begun || !kinds().all(known))) || self.clusters.directories.set(at) {
                break;
            }
            out.push(Run { start: geometry.offset(at), length: geometry.cluster });
            bytes = bytes.saturating_add(geometry.cluster);
            match self.clusters.in_use().next(at.saturating_add(1), false) {
                Some(next) if readable && kinds().all(|kind| kind != 0) && bytes < MAX_DIRECTORY => at = next,
                _ => break,
            }
        }
        out
    }

    /// Says what was counted.
    fn totals(&mut self) {
        let mut report = |code, offset, detail| self.visitor.problem(Problem::new(LAYER, code, offset, detail));
        if self.critical > 0 {
            let detail = format!("{} entries in use are of a kind this version does not know.", self.critical);
            report("unknown-critical-entry", None, detail);
        }
        if self.fragments > 0 {
            let detail = format!("{} pieces of deleted entry sets were too small to list.", self.fragments);
            report("deleted-fragments", None, detail);
        }
        let (lost, first) = match &self.exfat.allocated {
            Some(allocated) => allocated.minus(&self.clusters.claimed),
            None => (0, None),
        };
        report_totals(&self.clusters, lost, first, &mut report);
    }
}
