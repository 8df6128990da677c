//! Reading a whole image in order, decoded by several threads, so that what the caller does with the bytes (one running
//! digest cannot be split) is the slowest part.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::entry::{Run, VisitResult};
use crate::error::{ReadError, ReadFault};
use crate::source::Source;

/// Bytes of one job where nothing else decides: large enough to read sequentially, small enough that some per thread
/// fit into a few tens of MiB.
pub(super) const JOB_BYTES: u64 = 1 << 20;
/// A failed read is tried again in steps of so many bytes, so that one bad sector costs no more than its surroundings.
const RETRY_BYTES: usize = 4096;

/// A piece of an image, handed out in order, without gaps and without overlap.
#[derive(Debug)]
pub struct Piece<'a> {
    /// Byte offset within the image.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// The bytes, or why there are none. A digest of an image with such a piece is not the digest of the image.
    pub data: Result<&'a [u8], ReadError>,
}

/// A part of an image that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where, in bytes of the image.
    pub run: Run,
    /// The first error met there.
    pub error: ReadError,
}

/// What one job decoded: good bytes one after the other in `data`, and what each part is.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) data: Vec<u8>,
    parts: Vec<(u64, u64, Option<ReadError>)>,
}

impl Batch {
    fn clear(&mut self) {
        self.data.clear();
        self.parts.clear();
    }

    /// Says that the last `length` bytes appended to `data` are those at `offset` of the image.
    pub(super) fn good(&mut self, offset: u64, length: u64) {
        match self.parts.last_mut() {
            Some((start, before, None)) if start.saturating_add(*before) == offset => {
                *before = before.saturating_add(length);
            }
            _ => self.parts.push((offset, length, None)),
        }
    }

    /// Says that `length` bytes at `offset` of the image cannot be had.
    pub(super) fn bad(&mut self, offset: u64, length: u64, error: ReadError) {
        self.parts.push((offset, length, Some(error)));
    }

    fn hand_out(&self, sink: &mut dyn FnMut(Piece<'_>) -> VisitResult) -> VisitResult {
        let mut rest = self.data.as_slice();
        for (offset, length, error) in &self.parts {
            let data = match error {
                Some(error) => Err(error.clone()),
                None => {
                    let n = usize::try_from(*length).unwrap_or(usize::MAX);
                    let (bytes, after) = rest.split_at_checked(n).unwrap_or((rest, &[]));
                    rest = after;
                    Ok(bytes)
                }
            };
            sink(Piece { offset: *offset, length: *length, data })?;
        }
        VisitResult::Continue(())
    }
}

#[derive(Default)]
struct State {
    next: u64,
    handed_out: u64,
    done: BTreeMap<u64, Batch>,
    spare: Vec<Batch>,
    failed: bool,
    stop: bool,
}

struct Shared {
    state: Mutex<State>,
    room: Condvar,
    ready: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a worker ended by a panic, so that nobody waits for its job.
struct Leaving<'a>(&'a Shared);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().failed = true;
            self.0.ready.notify_all();
        }
    }
}

/// Stops the workers however the caller's sink ends, so that the scope can be left.
struct Stopping<'a>(&'a Shared);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.lock().stop = true;
        self.0.room.notify_all();
    }
}

/// Runs `work` for the jobs 0 to `jobs` on `threads` threads and hands their batches out in order on the calling
/// thread. At most two batches per thread and two more exist at a time.
pub(super) fn in_order(
    jobs: u64,
    threads: usize,
    work: &(dyn Fn(u64, &mut Batch) + Sync),
    sink: &mut dyn FnMut(Piece<'_>) -> VisitResult,
) -> VisitResult {
    let threads = threads.min(usize::try_from(jobs).unwrap_or(usize::MAX)).min(256);
    if threads == 0 {
        let mut batch = Batch::default();
        for job in 0..jobs {
            batch.clear();
            work(job, &mut batch);
            batch.hand_out(sink)?;
        }
        return VisitResult::Continue(());
    }
    let window = (threads as u64).saturating_mul(2).saturating_add(2);
    let shared = Shared { state: Mutex::default(), room: Condvar::new(), ready: Condvar::new() };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _leaving = Leaving(&shared);
                worker(&shared, jobs, window, work);
            });
        }
        let _stopping = Stopping(&shared);
        for job in 0..jobs {
            let mut state = shared.lock();
            let batch = loop {
                if let Some(batch) = state.done.remove(&job) {
                    break batch;
                }
                if state.failed {
                    // Only a defect in this crate leads here; leaving the scope passes the worker's panic on.
                    return VisitResult::Break(());
                }
                state = shared.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            state.handed_out = job.saturating_add(1);
            drop(state);
            shared.room.notify_all();
            batch.hand_out(sink)?;
            shared.lock().spare.push(batch);
        }
        VisitResult::Continue(())
    })
}

fn worker(shared: &Shared, jobs: u64, window: u64, work: &(dyn Fn(u64, &mut Batch) + Sync)) {
    let mut state = shared.lock();
    loop {
        if state.stop || state.next >= jobs {
            return;
        }
        if state.next >= state.handed_out.saturating_add(window) {
            state = shared.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let job = state.next;
        state.next = job.saturating_add(1);
        let mut batch = state.spare.pop().unwrap_or_default();
        drop(state);
        batch.clear();
        work(job, &mut batch);
        state = shared.lock();
        state.done.insert(job, batch);
        shared.ready.notify_all();
    }
}

/// Hands all bytes of a source to `sink` in order, read ahead by `threads` threads (0: by the calling one).
/// What cannot be read is handed over as an error piece, in steps of 4,096 bytes, and the reading goes on behind it.
/// `Break` from the sink ends the reading and is returned.
pub fn stream_source(
    source: &dyn Source,
    threads: usize,
    sink: &mut dyn FnMut(Piece<'_>) -> VisitResult,
) -> VisitResult {
    let total = source.len();
    let work = |job: u64, batch: &mut Batch| {
        let start = job.saturating_mul(JOB_BYTES);
        let length = total.saturating_sub(start).min(JOB_BYTES);
        batch.data.resize(usize::try_from(length).unwrap_or(0), 0);
        if source.read_at(start, &mut batch.data).is_ok_and(|n| n as u64 == length) {
            batch.good(start, length);
            return;
        }
        batch.data.clear();
        let mut step = [0; RETRY_BYTES];
        let mut at = start;
        let end = start.saturating_add(length);
        while at < end {
            let wanted = end.saturating_sub(at).min(RETRY_BYTES as u64);
            let part = step.get_mut(..usize::try_from(wanted).unwrap_or(0)).unwrap_or_default();
            match source.read_at(at, part) {
                Ok(n) if n as u64 == wanted => {
                    batch.data.extend_from_slice(part);
                    batch.good(at, wanted);
                }
                Ok(_) => {
                    batch.bad(at, wanted, ReadError::new("stream", at, ReadFault::Truncated, "the source ends early"));
                }
                Err(error) => batch.bad(at, wanted, error),
            }
            at = at.saturating_add(wanted);
        }
    };
    in_order(total.div_ceil(JOB_BYTES), threads, &work, sink)
}

/// Collects the damaged parts from a stream's pieces: neighbours with the same fault become one.
pub(super) fn add_damage(list: &mut Vec<Damage>, piece: &Piece<'_>) {
    let Err(error) = &piece.data else { return };
    match list.last_mut() {
        Some(last)
            if last.error.fault == error.fault && last.run.start.saturating_add(last.run.length) == piece.offset =>
        {
            last.run.length = last.run.length.saturating_add(piece.length);
        }
        _ => list.push(Damage { run: Run { start: piece.offset, length: piece.length }, error: error.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every read that touches one byte.
    struct OneBadByte(Vec<u8>, u64);

    impl Source for OneBadByte {
        fn len(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
            if (offset..offset + buf.len() as u64).contains(&self.1) {
                return Err(ReadError::new("test", self.1, ReadFault::Io, "bad"));
            }
            crate::source::MemorySource(self.0.clone()).read_at(offset, buf)
        }
    }

    #[test]
    fn one_bad_sector_costs_its_surroundings_and_nothing_else() {
        let bytes: Vec<u8> = (0..3 * JOB_BYTES as usize + 77).map(|i| (i / 7) as u8).collect();
        let source = OneBadByte(bytes.clone(), JOB_BYTES + 5000);
        for threads in [0, 1, 2, 8] {
            let (mut out, mut damage) = (vec![], vec![]);
            let end = stream_source(&source, threads, &mut |piece| {
                assert_eq!(piece.offset, out.len() as u64);
                match piece.data {
                    Ok(data) => out.extend_from_slice(data),
                    Err(_) => out.resize(out.len() + piece.length as usize, 0xEE),
                }
                add_damage(&mut damage, &piece);
                VisitResult::Continue(())
            });
            assert!(end.is_continue());
            let bad = Run { start: JOB_BYTES + 4096, length: 4096 };
            assert_eq!(damage.iter().map(|d| d.run).collect::<Vec<_>>(), [bad]);
            let (from, to) = (bad.start as usize, (bad.start + bad.length) as usize);
            assert_eq!((&out[..from], &out[to..]), (&bytes[..from], &bytes[to..]));
        }
    }

    #[test]
    fn a_break_ends_it_and_a_defect_in_a_worker_is_no_hang() {
        let source = crate::source::MemorySource(vec![1; 9 << 20]);
        let mut seen = 0;
        let end = stream_source(&source, 3, &mut |_| {
            seen += 1;
            if seen == 2 { VisitResult::Break(()) } else { VisitResult::Continue(()) }
        });
        assert!(end.is_break());
        assert_eq!(seen, 2);
        let defect = |job: u64, batch: &mut Batch| {
            assert!(job != 3, "meant");
            batch.data.push(1);
            batch.good(job, 1);
        };
        let all = || in_order(1000, 3, &defect, &mut |_| VisitResult::Continue(()));
        assert!(std::panic::catch_unwind(all).is_err());
    }
}
