//! Merges sorted runs, what stayed in memory and the rows of an earlier version into one order.

use std::cmp::Ordering;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::file::SetFile;
use super::rec::{Rec, compare};
use super::sort::{Batch, Run, Sorted};
use crate::error::KnownError;

/// Why merging stopped.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A temporary file cannot be read or written.
    Io(io::Error),
    /// The earlier version cannot be read.
    Base(KnownError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

enum Source<'a> {
    Memory { batch: Batch, order: std::vec::IntoIter<u32> },
    Run(RunReader),
    Base { set: &'a SetFile, rows: std::ops::Range<u32> },
}

/// One input and the record at its front.
struct Cursor<'a> {
    source: Source<'a>,
    rec: Rec,
    blob: Vec<u8>,
}

impl Cursor<'_> {
    fn blob(&self) -> &[u8] {
        match &self.source {
            Source::Memory { batch, .. } => batch.blob(&self.rec),
            _ => &self.blob,
        }
    }

    /// Moves to the next record; `false` at the end.
    fn advance(&mut self) -> Result<bool, Failure> {
        match &mut self.source {
            Source::Memory { batch, order } => {
                let next = order.next().and_then(|i| batch.recs.get(i as usize));
                self.rec = next.copied().unwrap_or_default();
                Ok(next.is_some())
            }
            Source::Run(run) => Ok(run.next(&mut self.rec, &mut self.blob)?),
            Source::Base { set, rows } => match rows.next() {
                Some(row) => {
                    self.rec = set.rec(row, &mut self.blob).map_err(Failure::Base)?;
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }
}

/// Reads a run through a buffer of its own.
struct RunReader {
    file: Arc<File>,
    run: Run,
    stride: usize,
    left: u64,
    /// Bytes of the run in the buffer or before it.
    read: u64,
    buffer: Vec<u8>,
    at: usize,
    chunk: usize,
}

impl RunReader {
    /// Makes `wanted` bytes from `at` on available.
    fn need(&mut self, wanted: usize) -> io::Result<()> {
        if self.buffer.len() - self.at >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.at);
        self.at = 0;
        let more = (self.run.bytes - self.read).min(self.chunk.max(wanted) as u64) as usize;
        let have = self.buffer.len();
        self.buffer.resize(have + more, 0);
        self.file.read_exact_at(self.buffer.get_mut(have..).unwrap_or_default(), self.run.at + self.read)?;
        self.read += more as u64;
        if self.buffer.len() < wanted { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn next(&mut self, rec: &mut Rec, blob: &mut Vec<u8>) -> io::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.need(self.stride)?;
        *rec = self.run.packing.unpack(self.buffer.get(self.at..).unwrap_or_default());
        self.at += self.stride;
        blob.clear();
        let length = rec.blob_len as usize;
        if length > 0 {
            self.need(length)?;
            blob.extend_from_slice(self.buffer.get(self.at..self.at + length).unwrap_or_default());
            self.at += length;
        }
        Ok(true)
    }
}

/// All inputs as one sorted stream.
pub(crate) struct Merge<'a> {
    cursors: Vec<Cursor<'a>>,
    /// A heap of cursors, the smallest record first, each with its record's key.
    heap: Vec<(u64, u32)>,
    started: bool,
}

impl<'a> Merge<'a> {
    /// Merges what was sorted with an earlier version's rows, through buffers of about `memory` bytes.
    pub fn new(base: Option<&'a SetFile>, sorted: Sorted, memory: usize) -> Result<Merge<'a>, Failure> {
        let mut sources = vec![];
        if let Some(set) = base {
            sources.push(Source::Base { set, rows: 0..set.rows() });
        }
        match sorted {
            Sorted::Memory(batch, order) => sources.push(Source::Memory { batch, order: order.into_iter() }),
            Sorted::Runs(file, runs) => {
                let chunk = (memory / 4 / runs.len().max(1)).clamp(4096, 1 << 20);
                sources.extend(runs.into_iter().map(|run| {
                    Source::Run(RunReader {
                        file: Arc::clone(&file),
                        stride: run.packing.stride(),
                        left: run.records,
                        run,
                        read: 0,
                        buffer: vec![],
                        at: 0,
                        chunk,
                    })
                }));
            }
        }
        let mut merge = Merge { cursors: vec![], heap: vec![], started: false };
        for source in sources {
            let mut cursor = Cursor { source, rec: Rec::default(), blob: vec![] };
            if cursor.advance()? {
                merge.heap.push((cursor.rec.key(cursor.blob()), merge.cursors.len() as u32));
                merge.cursors.push(cursor);
            }
        }
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sift(at);
        }
        Ok(merge)
    }

    fn order(&self, a: (u64, u32), b: (u64, u32)) -> Ordering {
        a.0.cmp(&b.0).then_with(|| {
            let (Some(x), Some(y)) = (self.cursors.get(a.1 as usize), self.cursors.get(b.1 as usize)) else {
                return Ordering::Equal;
            };
            // Runs are numbered in the order of the input, which decides where nothing else does.
            compare(&x.rec, x.blob(), &y.rec, y.blob()).then(a.1.cmp(&b.1))
        })
    }

    /// Lets the entry at `at` sink to its place.
    fn sift(&mut self, mut at: usize) {
        let Some(item) = self.heap.get(at).copied() else { return };
        loop {
            let child = at * 2 + 1;
            let Some(mut least) = self.heap.get(child).copied() else { break };
            let mut to = child;
            if let Some(right) = self.heap.get(child + 1).copied()
                && self.order(right, least).is_lt()
            {
                (least, to) = (right, child + 1);
            }
            if self.order(item, least).is_le() {
                break;
            }
            if let Some(slot) = self.heap.get_mut(at) {
                *slot = least;
            }
            at = to;
        }
        if let Some(slot) = self.heap.get_mut(at) {
            *slot = item;
        }
    }

    /// The next record with its details.
    pub fn next(&mut self) -> Result<Option<(&Rec, &[u8])>, Failure> {
        if self.started
            && let Some((_, top)) = self.heap.first().copied()
            && let Some(cursor) = self.cursors.get_mut(top as usize)
        {
            if cursor.advance()? {
                let key = cursor.rec.key(cursor.blob());
                if let Some(slot) = self.heap.first_mut() {
                    slot.0 = key;
                }
            } else {
                self.heap.swap_remove(0);
            }
            self.sift(0);
        }
        self.started = true;
        let top = self.heap.first().and_then(|(_, top)| self.cursors.get(*top as usize));
        Ok(top.map(|cursor| (&cursor.rec, cursor.blob())))
    }
}
