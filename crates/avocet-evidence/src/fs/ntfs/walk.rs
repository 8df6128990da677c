//! The walk: directories first, then every entry.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use avocet_base::{escape_utf16, join_path};

use super::Ntfs;
use super::bitmap::Bitmap;
use super::content::{self, Reparse, Stream};
use super::record::{
    ATTRIBUTE_LIST, Attribute, DATA, FILE_NAME, Fault, FileName, Header, LOGGED_UTILITY_STREAM, REPARSE_POINT,
    Reference, STANDARD_INFORMATION, Standard, attributes, fix_up,
};
use super::table::{Allowance, next_sequence};
use super::tree::{ORPHANS, Paths, ROOT, Tree, Trouble};
use super::value::first_u32;
use crate::bytes::utf16_le;
use crate::entry::{AllocationState, Content, Entry, EntryKind, Note, Times, Unreadable, VisitResult, Visitor};
use crate::error::{Problem, ReadError};

/// Bytes of the table read at once.
const PIECE: usize = 4 * 1024 * 1024;
/// A table up to this size is kept between the two passes.
const KEPT: u64 = 64 * 1024 * 1024;
/// Problems of one code reported one by one.
const EACH: u64 = 64;
/// Records below this one are the file system's own.
const FIRST_USER: u64 = 24;
/// The record of bad clusters.
const BAD_CLUSTERS: u64 = 8;

/// Passes problems on, and counts those of a code that come too often.
struct Reporter<'a> {
    visitor: &'a mut dyn Visitor,
    counts: BTreeMap<&'static str, u64>,
}

impl Reporter<'_> {
    fn problem(&mut self, problem: Problem) {
        let count = self.counts.entry(problem.code).or_default();
        *count += 1;
        if *count <= EACH {
            self.visitor.problem(problem);
        }
    }

    fn finish(&mut self) {
        for (code, count) in &self.counts {
            if *count > EACH {
                let detail = format!("{} more problems of the kind {code}", count - EACH);
                self.visitor.problem(Problem::new("ntfs", "more-of-the-same", None, detail));
            }
        }
    }
}

/// Walks the whole volume.
pub(super) fn walk(fs: &Ntfs, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
    let mut reporter = Reporter { visitor, counts: BTreeMap::new() };
    fs.problems.iter().for_each(|p| reporter.problem(p.clone()));
    // Twice what an honest volume needs in each pass.
    let allowance = || Allowance(fs.table.records.saturating_mul(2).saturating_add(4096));

    let keep = fs.table.records.saturating_mul(fs.table.record_size as u64) <= KEPT;
    let mut kept = Kept { fs, pieces: vec![], keep };
    let mut tree = Tree::default();
    let mut first_pass = allowance();
    let mut scratch = vec![];
    // Nothing is reported here: the second pass meets the same records.
    let _ = kept.scan(&mut |number, raw| {
        let Ok(raw) = raw else { return ControlFlow::Continue(()) };
        let directory = Header::read(raw).is_some_and(|h| h.is_directory() && !h.is_extension());
        if directory && number != ROOT {
            scratch.clear();
            scratch.extend_from_slice(raw);
            if fix_up(&mut scratch).is_ok() {
                add_directory(fs, number, &scratch, &mut tree, &mut first_pass);
            }
        }
        ControlFlow::Continue(())
    });

    let volume_bytes = fs.geometry.present;
    let mut walk = Walk {
        fs,
        paths: Paths::new(&tree),
        bitmap: fs.bitmap.as_ref().ok().map(|value| Bitmap::new(value, &*fs.source)),
        allowance: allowance(),
        live_left: volume_bytes,
        recovered_left: volume_bytes,
        extensions_seen: 0,
        extensions_claimed: 0,
        last_parent: None,
        reporter,
    };
    let mut record = vec![];
    let ended = kept.scan(&mut |number, raw| {
        record.clear();
        let outcome = raw.and_then(|raw| {
            record.extend_from_slice(raw);
            fix_up(&mut record)
        });
        walk.visit(number, outcome, &mut record)
    });
    if ended.is_continue() {
        walk.finish();
    }
    Ok(())
}

/// Takes a record's number and its bytes as stored, or why there are none.
type RecordVisit<'a> = dyn FnMut(u64, Result<&[u8], Fault>) -> VisitResult + 'a;

/// Reads the table in pieces, keeping them for a second time where the table is small.
struct Kept<'a> {
    fs: &'a Ntfs,
    pieces: Vec<Vec<u8>>,
    keep: bool,
}

impl Kept<'_> {
    /// Calls `visit` with every record as stored, in order.
    fn scan(&mut self, visit: &mut RecordVisit<'_>) -> VisitResult {
        let table = &self.fs.table;
        let per_piece = (PIECE / table.record_size).max(1) as u64;
        let (mut number, mut index) = (0, 0);
        let mut piece = vec![];
        while number < table.records {
            let count = per_piece.min(table.records - number);
            let wanted = usize::try_from(count).unwrap_or(0).saturating_mul(table.record_size);
            if let Some(known) = self.pieces.get(index) {
                for (raw, n) in known.chunks_exact(table.record_size).zip(number..) {
                    visit(n, Ok(raw))?;
                }
            } else {
                piece.resize(wanted, 0);
                if table.read_raw(number, &mut piece).is_ok() {
                    for (raw, n) in piece.chunks_exact(table.record_size).zip(number..) {
                        visit(n, Ok(raw))?;
                    }
                    if self.keep {
                        self.pieces.push(std::mem::take(&mut piece));
                    }
                } else {
                    // Somewhere in this piece bytes are missing: find out where. Pieces are not kept any more, for
                    // they are found by their place.
                    self.keep = false;
                    let mut one = vec![0; table.record_size];
                    for n in number..number + count {
                        match table.read_raw(n, &mut one) {
                            Ok(()) => visit(n, Ok(&one))?,
                            Err(_) => visit(n, Err(Fault::Unreadable))?,
                        }
                    }
                }
            }
            number += count;
            index += 1;
        }
        ControlFlow::Continue(())
    }
}

/// Notes a directory by the name that is not its short one.
fn add_directory(fs: &Ntfs, number: u64, record: &[u8], tree: &mut Tree, allowance: &mut Allowance) {
    let Some(header) = Header::read(record) else { return };
    let mut found = vec![];
    attributes(record, &mut found);
    let extensions = match best_name(&found) {
        Some(name) if !name.dos_only => Default::default(),
        _ => fs.table.extensions(number, &header, &found, allowance),
    };
    for extension in &extensions.records {
        attributes(extension, &mut found);
    }
    if let Some(name) = best_name(&found) {
        let escaped = escape_utf16(&utf16_le(name.name));
        tree.push(number, header.sequence, header.in_use(), name.parent, &escaped);
    }
}

/// All `$FILE_NAME` values among attributes.
fn names<'a>(found: &'a [Attribute<'a>]) -> impl Iterator<Item = FileName<'a>> + 'a {
    found.iter().filter(|a| a.kind == FILE_NAME).filter_map(|a| FileName::read(a.resident()?))
}

fn best_name<'a>(found: &'a [Attribute<'a>]) -> Option<FileName<'a>> {
    names(found).find(|n| !n.dos_only).or_else(|| names(found).next())
}

struct Walk<'a> {
    fs: &'a Ntfs,
    paths: Paths<'a>,
    bitmap: Option<Bitmap<'a>>,
    allowance: Allowance,
    /// Bytes that live files may still claim: all together cannot hold more clusters than there are.
    live_left: u64,
    /// Bytes that deleted files may still yield.
    recovered_left: u64,
    extensions_seen: u64,
    extensions_claimed: u64,
    /// The record read last to see whether a lost folder's record was reused, and its sequence and use.
    last_parent: Option<(u64, Option<(u16, bool)>)>,
    reporter: Reporter<'a>,
}

/// A name with its place in the tree.
struct Placed {
    path: String,
    times: [Option<avocet_base::Stamp>; 4],
    lost: bool,
    reused: bool,
}

impl Walk<'_> {
    fn visit(&mut self, number: u64, outcome: Result<(), Fault>, record: &mut Vec<u8>) -> VisitResult {
        if let Err(fault) = outcome {
            let mirrored = if fault == Fault::Never { None } else { self.fs.table.mirrored(number) };
            let (code, what) = match (&mirrored, fault) {
                (_, Fault::Never) => return ControlFlow::Continue(()),
                (Some(_), _) => ("record-from-mirror", fault.describe().1),
                (None, _) => fault.describe(),
            };
            let end = if mirrored.is_some() { "its copy was used" } else { "what it described is not listed" };
            let detail = format!("file record {number} {what}; {end}");
            self.reporter.problem(Problem::new("ntfs", code, self.fs.table.offset(number), detail));
            match mirrored {
                Some(copy) => *record = copy,
                None => return ControlFlow::Continue(()),
            }
        }
        let Some(header) = Header::read(record) else { return ControlFlow::Continue(()) };
        if header.is_extension() {
            self.extensions_seen += 1;
            return ControlFlow::Continue(());
        }
        self.file(number, &header, record)
    }

    fn file(&mut self, number: u64, header: &Header, record: &[u8]) -> VisitResult {
        let fs = self.fs;
        let live = header.in_use();
        let mut found = vec![];
        let mut whole = attributes(record, &mut found);
        if found.is_empty() && whole {
            return ControlFlow::Continue(()); // formatted, never used
        }
        let has_list = found.iter().any(|a| a.kind == ATTRIBUTE_LIST);
        let extensions = if has_list {
            fs.table.extensions(number, header, &found, &mut self.allowance)
        } else {
            Default::default()
        };
        self.extensions_claimed += extensions.records.len() as u64;
        for extension in &extensions.records {
            whole &= attributes(extension, &mut found);
        }
        if !whole {
            self.about_record(number, "record-attributes-broken", "has broken attributes; those readable are listed");
        }
        if live && let Some(missing) = extensions.missing {
            let detail = format!("is incomplete ({missing}); what remains is listed");
            self.about_record(number, "record-incomplete", &detail);
        }

        let standard = found.iter().find(|a| a.kind == STANDARD_INFORMATION);
        let standard = standard.and_then(|a| Standard::read(a.resident()?)).unwrap_or_default();
        let reparse = found.iter().find(|a| a.kind == REPARSE_POINT);
        let reparse = reparse.and_then(|a| first_u32(a, fs.geometry, &*fs.source)).map(Reparse::of);
        let efs_name: Vec<u8> = "$EFS".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let file = content::File {
            flags: standard.flags,
            reparse,
            efs: found.iter().any(|a| a.kind == LOGGED_UTILITY_STREAM && a.name == efs_name),
            missing: extensions.missing.or((!whole).then_some("its record has broken attributes")),
        };
        let kind = match (reparse, header.is_directory()) {
            (Some(Reparse::Link), _) => EntryKind::Link,
            (_, true) => EntryKind::Directory,
            (Some(Reparse::Special), _) => EntryKind::Special,
            _ => EntryKind::File,
        };

        let streams = self.streams(number, live, kind, &found, &file);
        let places = self.places(number, live, &found, &streams);
        let links = u32::try_from(places.len()).unwrap_or(u32::MAX);
        let last_place = places.len().saturating_sub(1);
        let mut streams: Vec<(Option<String>, Option<Stream>)> =
            streams.into_iter().map(|(name, stream)| (name, Some(stream))).collect();
        for (i, place) in places.into_iter().enumerate() {
            for (name, slot) in &mut streams {
                if number == ROOT && name.is_none() {
                    continue; // the root directory itself
                }
                // The last name takes the content, those before it a copy.
                let stream = if i == last_place { slot.take() } else { slot.as_ref().map(copy) };
                let Some(stream) = stream else { continue };
                let mut notes = stream.notes;
                if links > 1 {
                    notes.push(Note::HardLinks(links));
                }
                if name.is_none() && kind == EntryKind::Link {
                    notes.push(Note::Other("link target recorded".into()));
                }
                if place.reused {
                    notes.push(Note::ParentReused);
                }
                if live && place.lost {
                    notes.push(Note::Other("in use, but its folder was not found".into()));
                }
                let state = match (live, place.lost) {
                    (true, _) => AllocationState::Allocated,
                    (false, false) => AllocationState::Deleted,
                    (false, true) => AllocationState::Orphan,
                };
                let [created, modified, changed, accessed] = standard.times;
                let [name_created, name_modified, name_changed, name_accessed] = place.times;
                self.reporter.visitor.entry(Entry {
                    path: place.path.clone(),
                    kind: if name.is_some() { EntryKind::File } else { kind },
                    stream: name.clone(),
                    state,
                    number,
                    size: stream.size,
                    times: Times {
                        created,
                        modified,
                        accessed,
                        changed,
                        deleted: None,
                        name_created,
                        name_modified,
                        name_accessed,
                        name_changed,
                    },
                    content: stream.content,
                    notes,
                })?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The main content first (for directories and links without any), then the named streams as they come.
    fn streams(
        &mut self,
        number: u64,
        live: bool,
        kind: EntryKind,
        found: &[Attribute<'_>],
        file: &content::File,
    ) -> Vec<(Option<String>, Stream)> {
        let mut groups: Vec<(&[u8], Vec<&Attribute<'_>>)> = vec![(&[], vec![])];
        for attribute in found.iter().filter(|a| a.kind == DATA) {
            match groups.iter_mut().find(|(name, _)| *name == attribute.name) {
                Some((_, pieces)) => pieces.push(attribute),
                None => groups.push((attribute.name, vec![attribute])),
            }
        }
        let mut out = Vec::with_capacity(groups.len());
        for (name, mut pieces) in groups {
            let named = !name.is_empty();
            let name = escape_utf16(&utf16_le(name));
            let mut stream = content::stream(&mut pieces, file, self.fs.geometry, &self.fs.source);
            if !named && kind != EntryKind::File {
                // Only a link of WSL has data here, and it is the target.
                stream.content = Content::None;
            } else if number == BAD_CLUSTERS && name == "$Bad" {
                self.bad_clusters(&stream);
                stream.content = Content::None;
                stream.notes = vec![Note::Sparse, Note::Other("map of bad clusters, not content".into())];
            } else if !named && pieces.is_empty() && (!live || file.missing.is_some()) {
                stream.content = Content::Unreadable(match file.missing {
                    Some(missing) => Unreadable::Corrupt(missing.into()),
                    None => Unreadable::NoLocation,
                });
            } else {
                self.account(number, live, &mut stream);
            }
            out.push((named.then_some(name), stream));
        }
        out
    }

    /// Holds a stream against what the volume can hold, and a deleted one against what is allocated now.
    fn account(&mut self, number: u64, live: bool, stream: &mut Stream) {
        if !matches!(stream.content, Content::Mapped(_) | Content::Stream { .. }) {
            return;
        }
        let stored = content::stored_bytes(&stream.runs, self.fs.geometry.cluster);
        if live {
            match self.live_left.checked_sub(stored) {
                Some(left) => self.live_left = left,
                None => {
                    let detail = "more clusters claimed by live files than the volume has";
                    self.about_record(
                        number,
                        "cross-linked-clusters",
                        &format!("shares clusters with others: {detail}"),
                    );
                    stream.content = Content::Unreadable(Unreadable::Corrupt(detail.into()));
                }
            }
            return;
        }
        match self.recovered_left.checked_sub(stream.size.max(stored)) {
            Some(left) => self.recovered_left = left,
            None => {
                if !self.reporter.counts.contains_key("recovered-bytes-capped") {
                    self.reporter.problem(Problem::new(
                        "ntfs",
                        "recovered-bytes-capped",
                        None,
                        "deleted files claim more bytes than the volume holds; those past its size are listed without \
                         content",
                    ));
                }
                stream.content = Content::Unreadable(Unreadable::Capped);
                return;
            }
        }
        let Some(bitmap) = &mut self.bitmap else { return };
        let (mut reused, mut of) = (0u64, 0u64);
        for run in stream.runs.iter() {
            let Some(lcn) = run.lcn else { continue };
            of = of.saturating_add(run.length);
            match bitmap.allocated(lcn, run.length) {
                Ok(n) => reused = reused.saturating_add(n),
                Err(error) => {
                    self.reporter.problem(Problem::new(
                        "ntfs",
                        "bitmap-unreadable",
                        Some(error.offset),
                        "part of the allocation map cannot be read; whether a deleted file's clusters were reused is \
                         not known",
                    ));
                    stream.notes.push(Note::Other("whether its clusters were reused is not known".into()));
                    return;
                }
            }
        }
        if reused > 0 {
            stream.notes.push(Note::ClustersReused { reused, of });
        }
    }

    fn bad_clusters(&mut self, stream: &Stream) {
        let clusters = super::runs::stored_clusters(&stream.runs);
        if clusters > 0 {
            let detail = format!("the volume marks {clusters} clusters as bad");
            self.reporter.problem(Problem::new("ntfs", "bad-clusters", None, detail));
        }
    }

    /// Every name with its path. A file without one is listed among the orphans by its number if there is anything
    /// to it.
    fn places(
        &mut self,
        number: u64,
        live: bool,
        found: &[Attribute<'_>],
        streams: &[(Option<String>, Stream)],
    ) -> Vec<Placed> {
        if number == ROOT {
            return vec![Placed { path: "/".into(), times: [None; 4], lost: false, reused: false }];
        }
        let any_long = names(found).any(|n| !n.dos_only);
        let mut out = vec![];
        for name in names(found).filter(|n| !(n.dos_only && any_long)) {
            let (mut folder, trouble) = self.paths.folder(name.parent, live);
            if folder.lost && !folder.reused && &*folder.path == ORPHANS {
                folder.reused = self.was_reused(name.parent);
            }
            let path = join_path(&folder.path, &escape_utf16(&utf16_le(name.name)));
            match trouble {
                Some(Trouble::Loop) => {
                    self.about_path(&path, "directory-loop", "the folders of this entry form a loop")
                }
                Some(Trouble::TooLong) => self.about_path(&path, "path-too-long", "listed without its folders"),
                None if live && folder.lost => {
                    self.about_path(&path, "parent-not-found", "in use, but its folder was not found");
                }
                None => {}
            }
            out.push(Placed { path, times: name.times, lost: folder.lost, reused: folder.reused });
        }
        let anything = streams.iter().any(|(_, s)| s.size > 0) || live && number >= FIRST_USER;
        if out.is_empty() && anything {
            let path = join_path(ORPHANS, &format!("OrphanFile-{number}"));
            out.push(Placed { path, times: [None; 4], lost: true, reused: false });
        }
        out
    }

    /// Whether the record of a folder that is not there any more holds something else now.
    fn was_reused(&mut self, parent: Reference) -> bool {
        let known = match self.last_parent {
            Some((record, known)) if record == parent.record => known,
            _ => {
                if !self.allowance.take(1) {
                    return false;
                }
                let header = self.fs.table.record(parent.record).ok().and_then(|r| Header::read(&r));
                let known = header.map(|h| (h.sequence, h.in_use()));
                self.last_parent = Some((parent.record, known));
                known
            }
        };
        known.is_some_and(|(sequence, live)| {
            sequence != parent.sequence && (live || sequence != next_sequence(parent.sequence))
        })
    }

    fn about_record(&mut self, number: u64, code: &'static str, what: &str) {
        let detail = format!("file record {number} {what}");
        self.reporter.problem(Problem::new("ntfs", code, self.fs.table.offset(number), detail));
    }

    fn about_path(&mut self, path: &str, code: &'static str, detail: &str) {
        self.reporter.problem(Problem::new("ntfs", code, None, detail).at_path(path));
    }

    fn finish(&mut self) {
        let unclaimed = self.extensions_seen.saturating_sub(self.extensions_claimed);
        if unclaimed > 0 {
            self.reporter.problem(Problem::new(
                "ntfs",
                "extension-records-unclaimed",
                None,
                format!("{unclaimed} extension records belong to no file any more; the parts they hold are not listed"),
            ));
        }
        self.reporter.finish();
    }
}

fn copy(stream: &Stream) -> Stream {
    Stream {
        size: stream.size,
        content: stream.content.clone(),
        notes: stream.notes.clone(),
        runs: std::sync::Arc::clone(&stream.runs),
    }
}
