//! Reads directories slot by slot and free clusters one after the other.

use std::sync::Arc;

use super::content::Clusters;
use crate::entry::Run;
use crate::error::ReadError;
use crate::source::{Source, read_exact_at};

/// Bytes read at once from a directory.
const PIECE: u64 = 64 << 10;
/// Bytes given up at once where a directory cannot be read.
const SECTOR: u64 = 512;
/// Bytes read at once from free space.
const BATCH: u64 = 1 << 20;
/// Bytes of a cluster that are enough to tell whether it begins a directory.
const HEAD: u64 = 1024;

/// A directory entry as it lies on the volume: FAT and exFAT both use 32 bytes.
pub(in crate::fs) type Slot = [u8; 32];

/// The 32-byte slots of a directory, with the byte offset of each.
pub(in crate::fs) struct Slots<'a> {
    volume: &'a Arc<dyn Source>,
    runs: std::vec::IntoIter<Run>,
    run: Run,
    piece: std::vec::IntoIter<Result<(u64, Slot), ReadError>>,
}

impl<'a> Slots<'a> {
    pub fn new(volume: &'a Arc<dyn Source>, runs: Vec<Run>) -> Self {
        Self { volume, runs: runs.into_iter(), run: Run { start: 0, length: 0 }, piece: vec![].into_iter() }
    }

    fn read(&self, start: u64, length: u64, out: &mut Vec<Result<(u64, Slot), ReadError>>) {
        let mut data = vec![0; usize::try_from(length).unwrap_or(0)];
        match read_exact_at(self.volume, "volume", start, &mut data) {
            Ok(()) => out.extend(
                (start..)
                    .step_by(32)
                    .zip(data.chunks_exact(32))
                    .filter_map(|(at, c)| Some(Ok((at, c.try_into().ok()?)))),
            ),
            Err(e) if length <= SECTOR => out.push(Err(e)),
            Err(_) => {
                // Only the sectors that fail are lost.
                let mut at = 0u64;
                while at < length {
                    let step = SECTOR.min(length.saturating_sub(at));
                    self.read(start.saturating_add(at), step, out);
                    at = at.saturating_add(step);
                }
            }
        }
    }
}

impl Iterator for Slots<'_> {
    type Item = Result<(u64, Slot), ReadError>;

    /// The next slot, or the error of 512 bytes that could not be read and are left out.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(slot) = self.piece.next() {
                return Some(slot);
            }
            while self.run.length < 32 {
                self.run = self.runs.next()?;
            }
            let Run { start, length } = self.run;
            let step = length.min(PIECE);
            self.run = Run { start: start.saturating_add(step), length: length.saturating_sub(step) };
            let mut piece = vec![];
            self.read(start, step, &mut piece);
            self.piece = piece.into_iter();
        }
    }
}

/// Shows the beginning of every free cluster not yet listed as a directory, in order. Returns how many clusters could
/// not be read.
pub(in crate::fs) fn free_clusters(
    volume: &Arc<dyn Source>,
    clusters: &Clusters<'_>,
    mut visit: impl FnMut(u32, &[u8]),
) -> u64 {
    let geometry = clusters.geometry;
    let mut unreadable = 0u64;
    // Small clusters are cheapest read in long stretches; of large ones only the beginning matters.
    let whole = geometry.cluster <= 64 << 10;
    let per_batch = if whole { (BATCH / geometry.cluster.max(1)).max(1) } else { 1 };
    let step = usize::try_from(if whole { geometry.cluster } else { HEAD }).unwrap_or(1).max(1);
    let mut buffer = vec![0u8; 0];
    for (first, count) in clusters.in_use().clear_runs(2) {
        let end = first.saturating_add(count);
        let mut at = first;
        while at < end {
            if geometry.offset(at) >= volume.len() {
                return unreadable; // a cut image: said once when it was opened
            }
            let n = u64::from(end.saturating_sub(at)).min(per_batch);
            buffer.resize(step.saturating_mul(usize::try_from(n).unwrap_or(1)), 0);
            let numbers = at..;
            match volume.read_at(geometry.offset(at), &mut buffer) {
                Ok(got) => {
                    let read = buffer.get(..got).unwrap_or_default();
                    for (cluster, head) in numbers.zip(read.chunks(step)) {
                        if !clusters.directories.get(cluster) {
                            visit(cluster, head);
                        }
                    }
                }
                Err(_) => {
                    for cluster in numbers.take(usize::try_from(n).unwrap_or(0)) {
                        let mut head = vec![0; step];
                        match read_exact_at(volume, "volume", geometry.offset(cluster), &mut head) {
                            Ok(()) if !clusters.directories.get(cluster) => visit(cluster, &head),
                            Ok(()) => {}
                            Err(_) => unreadable = unreadable.saturating_add(1),
                        }
                    }
                }
            }
            at = at.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
        }
    }
    unreadable
}
