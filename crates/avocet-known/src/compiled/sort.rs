//! Puts any number of records in order with a bounded part of them in memory: sorted runs go to a temporary file while
//! the next records are read.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use super::rec::{Blob, Packing, Rec, Scratch, compare};

/// Records that are sorted together, with their details one after another.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub recs: Vec<Rec>,
    pub blobs: Vec<u8>,
}

impl Batch {
    pub fn blob(&self, rec: &Rec) -> &[u8] {
        let at = rec.blob_at as usize;
        self.blobs.get(at..at + rec.blob_len as usize).unwrap_or_default()
    }

    /// The order of the records, as indexes. What compares equal keeps its order.
    pub fn order(&self) -> Vec<u32> {
        let index = |k: &u128| *k as u32;
        let mut keys: Vec<u128> =
            (0u32..).zip(&self.recs).map(|(i, r)| u128::from(r.key(self.blob(r))) << 32 | u128::from(i)).collect();
        keys.sort_unstable();
        for group in keys.chunk_by_mut(|a, b| a >> 32 == b >> 32).filter(|g| g.len() > 1) {
            group.sort_by(|a, b| match (self.recs.get(index(a) as usize), self.recs.get(index(b) as usize)) {
                (Some(a), Some(b)) => compare(a, self.blob(a), b, self.blob(b)),
                _ => std::cmp::Ordering::Equal,
            });
        }
        keys.iter().map(index).collect()
    }

    fn clear(&mut self) {
        self.recs.clear();
        self.blobs.clear();
    }
}

/// A sorted run in the temporary file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub packing: Packing,
    /// First byte in the file.
    pub at: u64,
    pub bytes: u64,
    pub records: u64,
}

/// All records, sorted piece by piece.
pub(crate) enum Sorted {
    /// They fitted into memory.
    Memory(Batch, Vec<u32>),
    Runs(Arc<File>, Vec<Run>),
}

/// Takes records and sorts them, in a second thread where they do not fit into memory.
pub(crate) struct Sorter {
    folder: PathBuf,
    batch: Batch,
    /// Records and bytes of details in one batch; two batches are in memory at a time.
    most_records: usize,
    most_bytes: usize,
    worker: Option<Worker>,
}

struct Worker {
    to: SyncSender<Batch>,
    back: Receiver<Batch>,
    thread: JoinHandle<io::Result<(File, Vec<Run>)>>,
}

impl Sorter {
    /// A sorter that holds about `memory` bytes, with its temporary file in `folder`.
    pub fn new(memory: usize, folder: &Path) -> Sorter {
        // Two batches, each with the keys it is sorted by; an eighth for the details of each.
        let record = size_of::<Rec>() + size_of::<u128>() + size_of::<u32>();
        Sorter {
            folder: folder.to_owned(),
            batch: Batch::default(),
            most_records: (memory / 8 * 3 / record).max(16),
            most_bytes: (memory / 8).clamp(1024, u32::MAX as usize / 2),
            worker: None,
        }
    }

    /// Takes a record with its details.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn push(&mut self, mut rec: Rec, blob: &Blob<'_>) -> io::Result<()> {
        let at = self.batch.blobs.len();
        if !blob.is_empty() {
            blob.pack(&mut self.batch.blobs);
        }
        let end = self.batch.blobs.len();
        let fit = |n: usize| u32::try_from(n).map_err(|_| io::Error::other("a record's details are beyond 4 GiB"));
        rec.blob_at = fit(at)?;
        rec.blob_len = fit(end - at)?;
        self.batch.recs.push(rec);
        if self.batch.recs.len() >= self.most_records || end >= self.most_bytes {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.worker.is_none() {
            let file = tempfile::tempfile_in(&self.folder)?;
            let (to, from) = sync_channel::<Batch>(0);
            let (give, back) = channel();
            let thread = std::thread::spawn(move || write_runs(file, &from, &give));
            self.worker = Some(Worker { to, back, thread });
        }
        let batch = std::mem::take(&mut self.batch);
        let Some(worker) = &self.worker else { return Ok(()) };
        if worker.to.send(batch).is_err() {
            // The worker has stopped, which it does only on an error.
            return self.join().map(|_| ());
        }
        // The batch before this one has been written, or this is the first.
        self.batch = match worker.back.try_recv() {
            Ok(batch) => batch,
            Err(_) => Batch { recs: Vec::with_capacity(self.most_records.min(1 << 24)), blobs: vec![] },
        };
        Ok(())
    }

    fn join(&mut self) -> io::Result<(File, Vec<Run>)> {
        let Some(worker) = self.worker.take() else { return Err(io::Error::other("sorting has ended")) };
        drop(worker.to);
        worker.thread.join().unwrap_or_else(|_| Err(io::Error::other("sorting ended early")))
    }

    /// Sorts what is left.
    ///
    /// # Errors
    /// The temporary file cannot be written.
    pub fn finish(mut self) -> io::Result<Sorted> {
        if self.worker.is_none() {
            let order = self.batch.order();
            return Ok(Sorted::Memory(self.batch, order));
        }
        if !self.batch.recs.is_empty() {
            self.flush()?;
        }
        let (file, runs) = self.join()?;
        Ok(Sorted::Runs(Arc::new(file), runs))
    }
}

/// Records from one that is packed to the one that is fetched meanwhile.
const AHEAD: usize = 12;

fn write_runs(file: File, from: &Receiver<Batch>, give: &Sender<Batch>) -> io::Result<(File, Vec<Run>)> {
    let mut out = io::BufWriter::with_capacity(1 << 20, file);
    let mut runs: Vec<Run> = vec![];
    let mut at = 0;
    let mut scratch = Scratch::new();
    for mut batch in from {
        let packing = Packing::of(&batch.recs);
        let mut bytes = 0u64;
        let order = batch.order();
        for (at, index) in order.iter().enumerate() {
            // Records lie in the order in which they came. Touching a later one now hides the wait for it.
            if let Some(later) = order.get(at + AHEAD).and_then(|i| batch.recs.get(*i as usize)) {
                std::hint::black_box((later.bits, later.size));
            }
            let Some(rec) = batch.recs.get(*index as usize) else { continue };
            packing.pack(rec, &mut scratch);
            let packed = scratch.take();
            let blob = batch.blob(rec);
            bytes += (packed.len() + blob.len()) as u64;
            out.write_all(packed)?;
            out.write_all(blob)?;
        }
        runs.push(Run { packing, at, bytes, records: batch.recs.len() as u64 });
        at += bytes;
        batch.clear();
        // The other side may have ended; then nobody needs the batch.
        let _ = give.send(batch);
    }
    Ok((out.into_inner().map_err(io::IntoInnerError::into_error)?, runs))
}
