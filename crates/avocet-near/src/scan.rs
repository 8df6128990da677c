//! The comparison with every hash.

use super::Bits;

/// How many queries go through the hashes side by side.
pub(crate) const BATCH: usize = 16;

/// A hash within the radius of one query of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub(crate) query: u32,
    pub(crate) distance: u32,
    pub(crate) item: u32,
}

/// Appends every hash within `radius` of each query, the first of `hashes` being item `first`. The kernels with wide registers are in `crate::sys`, and leave the last few hashes to this.
#[inline(always)]
pub(crate) fn plain(hashes: &[Bits], first: usize, queries: &[Bits], radius: u32, found: &mut Vec<Hit>) {
    for (i, hash) in hashes.iter().enumerate() {
        for (q, query) in queries.iter().enumerate() {
            let distance = hash.xor(query).count();
            if distance <= radius {
                found.push(Hit { query: q as u32, distance, item: (first + i) as u32 });
            }
        }
    }
}
