//! Reads and digests the files of a window, many at a time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use avocet_base::Digests;
use avocet_digest::{TripleHasher, digest_many, finish_many, update_many};
use avocet_evidence::{Content, ContentRead, Entry, Problem, ReadError, Source};
use avocet_examination::PictureView;
use avocet_known::{Hit, KnownSets};

use crate::archives::Parent;
use crate::kind::{HEAD_LEN, MediaKind, sniff};
use crate::pictures::{Describing, LARGEST, Trouble};
use crate::progress::Progress;

/// Files up to this size are read whole and digested side by side; larger ones are streamed side by side.
const SMALL: u64 = 8 << 20;
/// A task ends when its files together exceed this.
const TASK_BYTES: u64 = 16 << 20;
/// A task ends when it holds this many files, so that a window of empty files still keeps every worker busy.
const TASK_FILES: usize = 512;
/// Large files streamed side by side.
const STREAMS: usize = 16;
/// Bytes read from each stream in turn.
const STREAM_STEP: usize = 512 << 10;

/// A run of entries of one volume, in the order of enumeration.
pub(crate) struct Window {
    /// Running number, from 0.
    pub number: u64,
    /// Id of the first entry; the others follow without gaps.
    pub first_id: i64,
    /// The volume's id.
    pub volume: i64,
    /// The bytes the entries read their content from.
    pub source: Arc<dyn Source>,
    /// The entries.
    pub entries: Vec<Entry>,
    /// The archive that they are members of.
    pub parent: Option<Parent>,
}

/// Some entries of a window, by index, that one worker reads.
pub(crate) struct Task {
    pub window: Arc<Window>,
    pub indices: Vec<usize>,
    /// What an earlier run found out, by index: such a task reads nothing, and has no other entries.
    pub earlier: Vec<(usize, Found)>,
}

/// What was found out about one entry's content.
#[derive(Default)]
pub(crate) struct Found {
    pub digests: Option<Digests>,
    /// Why there is no digest although there is content.
    pub unreadable: Option<String>,
    /// Its content was not read when an interim result was written.
    pub waits: bool,
    /// A failed read, for the list of problems.
    pub problem: Option<Problem>,
    pub format: Option<(MediaKind, Cow<'static, str>)>,
    pub hits: Vec<Hit>,
    /// What is said of the picture that the content is, by the first that had it.
    pub picture: Option<Box<PictureView>>,
    /// Whether small pictures were made of it.
    pub small: bool,
    /// The examination cannot go on: a known set or the small pictures' store failed.
    pub trouble: Option<Trouble>,
    /// The content itself, kept only for recycle-bin records.
    pub recycle_record: Option<Vec<u8>>,
}

/// Gives every content of a window that `earlier` says nothing of as one that was not read yet.
pub(crate) fn wait_for_the_rest(window: &Window, earlier: &mut BTreeMap<usize, Found>) {
    for (i, _) in window.entries.iter().enumerate().filter(|(_, entry)| has_content(entry)) {
        earlier.entry(i).or_insert_with(|| Found {
            unreadable: Some("not read when this interim result was written".to_owned()),
            waits: true,
            ..Found::default()
        });
    }
}

fn format(head: &[u8]) -> Option<(MediaKind, Cow<'static, str>)> {
    sniff(head).map(|(kind, name)| (kind, name.into()))
}

fn has_content(entry: &Entry) -> bool {
    !matches!(entry.content, Content::None | Content::Unreadable(_))
}

/// A file made mostly of holes may claim to be larger than every disk; reading its zeros would take for ever and tell
/// nothing. Files that claim more than this many times their volume are listed and not read.
const HOLES_FACTOR: u64 = 16;

fn claims_too_much(entry: &Entry, source: &Arc<dyn Source>) -> bool {
    matches!(entry.content, Content::Mapped(_)) && entry.size > source.len().saturating_mul(HOLES_FACTOR)
}

/// Splits a window into tasks, less the entries that an earlier run has read: small files in the order of the disk, then large files in groups of like size.
pub(crate) fn plan(window: &Arc<Window>, earlier: BTreeMap<usize, Found>) -> Vec<Task> {
    let size = |i: &usize| window.entries.get(*i).map_or(0, |e| e.size);
    let (mut small, mut large): (Vec<usize>, Vec<usize>) = window
        .entries
        .iter()
        .enumerate()
        .filter(|(i, e)| has_content(e) && !earlier.contains_key(i))
        .map(|(i, _)| i)
        .partition(|i| size(i) <= SMALL);
    small.sort_by_key(|i| (window.entries.get(*i).and_then(|e| e.content.first_offset()), *i));
    large.sort_by_key(|i| (std::cmp::Reverse(size(i)), *i));

    let mut tasks = vec![];
    if !earlier.is_empty() {
        tasks.push(Task { window: Arc::clone(window), indices: vec![], earlier: earlier.into_iter().collect() });
    }
    let mut task = |indices: Vec<usize>| tasks.push(Task { window: Arc::clone(window), indices, earlier: vec![] });
    for group in large.chunks(STREAMS) {
        task(group.to_vec());
    }
    let (mut indices, mut bytes) = (vec![], 0);
    for i in small {
        bytes += size(&i);
        indices.push(i);
        if bytes > TASK_BYTES || indices.len() >= TASK_FILES {
            task(std::mem::take(&mut indices));
            bytes = 0;
        }
    }
    if !indices.is_empty() {
        task(indices);
    }
    tasks
}

/// What a worker reuses from task to task.
pub(crate) struct Worker<'a> {
    known: &'a KnownSets,
    describing: Option<&'a Describing<'a>>,
    progress: &'a dyn Progress,
    arena: Vec<u8>,
}

impl<'a> Worker<'a> {
    pub fn new(known: &'a KnownSets, describing: Option<&'a Describing<'a>>, progress: &'a dyn Progress) -> Self {
        Self { known, describing, progress, arena: Vec::new() }
    }

    /// Reads, digests, recognises and matches every entry of a task.
    ///
    /// # Errors
    /// [`Trouble`]: a known set is damaged, so what it would have said of a file cannot be told, or the small pictures
    /// cannot be stored.
    pub fn work(&mut self, mut task: Task) -> Result<Vec<(usize, Found)>, Trouble> {
        if !task.earlier.is_empty() {
            return self.earlier(&task.window, std::mem::take(&mut task.earlier));
        }
        let entries: Vec<(usize, &Entry)> =
            task.indices.iter().filter_map(|i| task.window.entries.get(*i).map(|e| (*i, e))).collect();
        let large = entries.first().is_some_and(|(_, e)| e.size > SMALL);
        let mut found = if large { self.stream(&task.window, &entries) } else { self.small(&task.window, &entries) };
        if large {
            self.describe_large(&task.window, &entries, &mut found);
        }
        if let Some(trouble) = found.iter_mut().find_map(|(_, one)| one.trouble.take()) {
            return Err(trouble);
        }
        self.match_known(&task.window, &mut found)?;
        Ok(found)
    }

    fn match_known(&self, window: &Window, found: &mut [(usize, Found)]) -> Result<(), Trouble> {
        let digested = found.iter_mut().filter_map(|(i, one)| {
            let digests = one.digests?;
            Some(((digests, window.entries.get(*i)?.size), one))
        });
        let (files, mut digested): (Vec<_>, Vec<_>) = digested.unzip();
        for (at, hit) in self.known.lookup_many(&files)? {
            if let Some(one) = digested.get_mut(at) {
                one.hits.push(hit);
            }
        }
        Ok(())
    }

    /// What an earlier run read is matched anew: the sets are those of this run.
    fn earlier(&self, window: &Window, mut found: Vec<(usize, Found)>) -> Result<Vec<(usize, Found)>, Trouble> {
        self.match_known(window, &mut found)?;
        for (_, one) in &mut found {
            if let (Some(picture), Some(describing)) = (&mut one.picture, self.describing) {
                picture.near = describing.near.find(&picture.hashes)?;
            }
        }
        let bytes = found.iter().filter_map(|(i, _)| window.entries.get(*i)).map(|e| e.size).sum();
        self.progress.add(found.len() as u64, bytes);
        Ok(found)
    }

    fn small(&mut self, window: &Window, entries: &[(usize, &Entry)]) -> Vec<(usize, Found)> {
        self.arena.clear();
        let mut found = Vec::with_capacity(entries.len());
        let mut spans = Vec::with_capacity(entries.len());
        for (i, entry) in entries {
            let start = self.arena.len();
            let mut one = Found::default();
            match read_whole(entry, &window.source, &mut self.arena) {
                Ok(()) => spans.push(start..self.arena.len()),
                Err(error) => {
                    self.arena.truncate(start);
                    spans.push(start..start);
                    one.fail(entry, &error);
                }
            }
            found.push((*i, one));
        }
        let buffers: Vec<&[u8]> = spans.iter().map(|s| self.arena.get(s.clone()).unwrap_or_default()).collect();
        let digests = digest_many(&buffers);
        for (((_, one), (digests, bytes)), (_, entry)) in
            found.iter_mut().zip(digests.into_iter().zip(&buffers)).zip(entries)
        {
            if one.unreadable.is_some() {
                continue;
            }
            one.digests = Some(digests);
            one.format = format(bytes.get(..HEAD_LEN).unwrap_or(bytes));
            if crate::recycle::is_record(entry) {
                one.recycle_record = Some(bytes.to_vec());
            }
            if let Some(describing) = self.describing {
                one.describe(describing, |_| Ok(bytes));
            }
        }
        let bytes = buffers.iter().map(|b| b.len() as u64).sum();
        self.progress.add(entries.len() as u64, bytes);
        found
    }

    fn stream(&mut self, window: &Window, entries: &[(usize, &Entry)]) -> Vec<(usize, Found)> {
        let mut streams: Vec<Stream<'_>> =
            entries.iter().map(|(i, entry)| Stream::open(*i, entry, &window.source)).collect();
        self.arena.clear();
        self.arena.resize(STREAM_STEP * streams.len(), 0);
        loop {
            let mut read = 0;
            let mut jobs = Vec::with_capacity(streams.len());
            for (stream, buffer) in streams.iter_mut().zip(self.arena.chunks_mut(STREAM_STEP)) {
                let n = stream.fill(buffer);
                read += n as u64;
                if let (Some(bytes), true) = (buffer.get(..n), n > 0) {
                    jobs.push((&mut stream.hasher, bytes));
                }
            }
            if jobs.is_empty() {
                break;
            }
            update_many(&mut jobs);
            self.progress.add(0, read);
        }
        self.progress.add(entries.len() as u64, 0);
        let (found, hashers): (Vec<_>, Vec<_>) = streams.into_iter().map(|s| ((s.index, s.found), s.hasher)).unzip();
        found
            .into_iter()
            .zip(finish_many(hashers))
            .map(|((i, mut one), digests)| {
                if one.unreadable.is_none() {
                    one.digests = Some(digests);
                }
                (i, one)
            })
            .collect()
    }

    /// Describes the large pictures, each read once more: while many files are digested side by side none is in memory.
    fn describe_large(&mut self, window: &Window, entries: &[(usize, &Entry)], found: &mut [(usize, Found)]) {
        let Some(describing) = self.describing else { return };
        for ((_, entry), (_, one)) in entries.iter().zip(found) {
            let arena = &mut self.arena;
            one.describe(describing, |one| {
                if entry.size > LARGEST {
                    return Err((
                        "too-large",
                        format!("larger than the {} MiB that a decoder is given", LARGEST >> 20),
                    ));
                }
                arena.clear();
                match read_whole(entry, &window.source, arena) {
                    Ok(()) => Ok(arena.as_slice()),
                    Err(error) => {
                        one.fail(entry, &error);
                        Err(("unreadable", "its bytes could not be read a second time".to_owned()))
                    }
                }
            });
        }
    }
}

impl Found {
    /// Describes the picture that this is, if it is one and nobody has described its content.
    fn describe<'b>(
        &mut self,
        describing: &Describing<'_>,
        bytes: impl FnOnce(&mut Found) -> Result<&'b [u8], (&'static str, String)>,
    ) {
        let (Some(digests), Some((MediaKind::Picture, format))) = (&self.digests, self.format.clone()) else { return };
        let sha256 = digests.sha256;
        if !describing.claim(sha256) {
            return;
        }
        let described = match bytes(self) {
            Ok(bytes) => describing.describe(sha256, &format, bytes),
            Err((code, reason)) => Ok((describing.refuse(sha256, &format, code, &reason), false)),
        };
        match described {
            Ok((picture, small)) => (self.picture, self.small) = (Some(Box::new(picture)), small),
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    fn fail(&mut self, entry: &Entry, error: &ReadError) {
        self.unreadable = Some(format!("content unreadable: {error}"));
        let problem = Problem::new(error.layer, "file-unreadable", Some(error.offset), error.detail.clone());
        self.problem = Some(problem.at_path(entry.full_path()));
        self.digests = None;
        self.format = None;
    }
}

/// A content that ended before or after its declared size.
fn wrong_length(entry: &Entry, got: u64) -> ReadError {
    let what = if got < entry.size { "fewer" } else { "more" };
    ReadError::new(
        "content",
        got,
        avocet_evidence::ReadFault::Truncated,
        format!("{what} bytes than the {} that the entry declares", entry.size),
    )
}

fn open(entry: &Entry, source: &Arc<dyn Source>) -> Result<Option<Box<dyn ContentRead>>, ReadError> {
    if claims_too_much(entry, source) {
        let detail = format!("declared size is more than {HOLES_FACTOR} times its volume; not read");
        return Err(ReadError::new("content", 0, avocet_evidence::ReadFault::Unsupported, detail));
    }
    entry.open(source)
}

/// Appends the whole content of a small entry to `out`.
fn read_whole(entry: &Entry, source: &Arc<dyn Source>, out: &mut Vec<u8>) -> Result<(), ReadError> {
    let Some(mut reader) = open(entry, source)? else { return Ok(()) };
    let start = out.len();
    let size = usize::try_from(entry.size).unwrap_or(usize::MAX);
    // One byte more than declared, to notice a decoder that yields too much.
    out.resize(start.saturating_add(size).saturating_add(1), 0);
    let mut got = 0;
    while let Some(rest) = out.get_mut(start + got..).filter(|r| !r.is_empty()) {
        match reader.read(rest)? {
            0 => break,
            n => got += n,
        }
    }
    out.truncate(start + got);
    if got == size { Ok(()) } else { Err(wrong_length(entry, got as u64)) }
}

/// A large file being read beside others.
struct Stream<'a> {
    index: usize,
    entry: &'a Entry,
    reader: Option<Box<dyn ContentRead>>,
    hasher: TripleHasher,
    done: u64,
    found: Found,
}

impl<'a> Stream<'a> {
    fn open(index: usize, entry: &'a Entry, source: &Arc<dyn Source>) -> Self {
        let mut found = Found::default();
        let reader = open(entry, source).unwrap_or_else(|error| {
            found.fail(entry, &error);
            None
        });
        Self { index, entry, reader, hasher: TripleHasher::new(), done: 0, found }
    }

    /// Reads the next bytes; 0 when the file has ended or failed.
    fn fill(&mut self, buffer: &mut [u8]) -> usize {
        let Some(reader) = &mut self.reader else { return 0 };
        let outcome = reader.read(buffer).and_then(|n| {
            let done = self.done + n as u64;
            let ended = n == 0 && done != self.entry.size;
            if ended || done > self.entry.size { Err(wrong_length(self.entry, done)) } else { Ok(n) }
        });
        match outcome {
            Ok(n) => {
                if self.done == 0 {
                    let head = buffer.get(..n.min(HEAD_LEN)).unwrap_or_default();
                    self.found.format = format(head);
                }
                self.done += n as u64;
                if n == 0 {
                    self.reader = None;
                }
                n
            }
            Err(error) => {
                self.found.fail(self.entry, &error);
                self.reader = None;
                0
            }
        }
    }
}

/// The digests of one entry's content; `None` where it has none to read.
///
/// # Errors
/// [`ReadError`] where bytes cannot be read or do not add up to the declared size.
pub fn digest_content(entry: &Entry, source: &Arc<dyn Source>) -> Result<Option<Digests>, ReadError> {
    let Some(mut reader) = open(entry, source)? else { return Ok(None) };
    let (mut hasher, mut buffer, mut done) = (TripleHasher::new(), vec![0; STREAM_STEP], 0u64);
    loop {
        let n = reader.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        hasher.update(buffer.get(..n).unwrap_or_default());
        done = done.saturating_add(n as u64);
    }
    if done == entry.size { Ok(Some(hasher.finish())) } else { Err(wrong_length(entry, done)) }
}
