//! From the first cluster of a deleted file to its bytes.
//!
//! A deleted file on FAT keeps its first cluster and its size; the chain between is zeroed. Which clusters were its own
//! is therefore decided like this, and always said in a note:
//! 1. The first cluster is in use now: the clusters in a row from the first, with [`Note::ClustersReused`].
//! 2. All clusters in a row are free: those, with [`Note::AssumedContiguous`] where there is more than one.
//! 3. Some are in use: the next free ones from the first on ([`Note::AssumedNextFree`]), which is right where the file
//!    was written around files that are still there.
//! 4. Fewer free clusters follow than the file needs: the clusters in a row, with both notes of 1 and 2.
//!
//! exFAT records more: a file stored without gaps says so and needs no guess, and deleting clears the bitmap but
//! mostly leaves the chain in the table, which is followed where all of it is free.

use super::{Broken, Claim, Clusters, Found, MAX_DIRECTORY, Pieces, runs};
use crate::entry::{Content, Mapped, Note, Run, Unreadable};

impl Clusters<'_> {
    /// Whether so many more deleted bytes may be handed out; counts them.
    fn grant(&mut self, size: u64) -> bool {
        let total = self.recovered.saturating_add(size);
        if total > self.recoverable {
            self.capped = self.capped.saturating_add(1);
            return false;
        }
        self.recovered = total;
        true
    }

    fn reused(&self, first: u32, count: u32) -> u64 {
        match self.allocated {
            Some(bits) => bits.count_in(first, count),
            None => self.claimed.count_in(first, count),
        }
    }

    /// Clusters in a row, with the note that says how many are now another's.
    fn in_a_row(&self, pieces: &mut Pieces, first: u32, wanted: u64) -> Option<Vec<Note>> {
        let count = self.run(first, wanted)?;
        pieces.push(first, wanted);
        let reused = self.reused(first, count);
        Some(if reused > 0 { vec![Note::ClustersReused { reused, of: wanted }] } else { vec![] })
    }

    /// The next free clusters from `first` on; `None` where the volume ends before there are enough.
    fn next_free(&self, first: u32, wanted: u64) -> Option<Pieces> {
        let mut pieces = Pieces::new(self.geometry);
        let mut left = wanted;
        for (start, count) in self.in_use().clear_runs(first) {
            let take = left.min(u64::from(count));
            pieces.push(start, take);
            left = left.saturating_sub(take);
            if left == 0 {
                return Some(pieces);
            }
        }
        None
    }

    /// A chain that exFAT left in the table: `None` unless it has exactly the clusters needed and all are free.
    fn remaining_chain(&mut self, first: u32, wanted: u64) -> Option<Pieces> {
        let mut pieces = Pieces::new(self.geometry);
        let mut at = first;
        for done in 1..=wanted {
            if !self.is_free(at) {
                return None;
            }
            pieces.push(at, 1);
            at = match (self.step(at), done == wanted) {
                (Ok(next), false) => next,
                (Err(Broken::Short), true) => break,
                _ => return None,
            };
        }
        (!pieces.repeats()).then_some(pieces)
    }

    /// The bytes of a deleted file, as the module's head says. `keeps_chain`: exFAT, which does not zero chains.
    pub fn deleted(&mut self, claim: &Claim, keeps_chain: bool) -> Found {
        if claim.size == 0 {
            return Found::readable(Content::Mapped(Mapped { extents: vec![] }));
        }
        if let Some(mut refused) = self.refuse(claim) {
            refused.problem = None; // the entry itself says it; a deleted entry may well be in part overwritten
            return refused;
        }
        let wanted = self.geometry.clusters_for(claim.size);
        let recorded = claim.contiguous || wanted == 1;
        let searched = !recorded && !keeps_chain && self.is_free(claim.first);
        let past_end = || Found { problem: None, ..Found::corrupt("", "its clusters run past the end of the volume") };
        if (claim.contiguous || (!searched && !keeps_chain)) && self.run(claim.first, wanted).is_none() {
            return past_end();
        }
        // What follows takes time in proportion to the size, so a search that finds nothing counts as well.
        if !self.grant(claim.size) {
            return Found { content: Content::Unreadable(Unreadable::Capped), notes: vec![], problem: None };
        }
        let mut pieces = Pieces::new(self.geometry);
        let chain = if keeps_chain && !recorded { self.remaining_chain(claim.first, wanted) } else { None };
        let notes = if let Some(chain) = chain {
            pieces = chain;
            Some(vec![])
        } else if !searched {
            self.in_a_row(&mut pieces, claim.first, wanted).map(|mut notes| {
                if keeps_chain && !recorded {
                    notes.insert(0, Note::AssumedContiguous);
                }
                notes
            })
        } else {
            let free_in_a_row = self.run(claim.first, wanted).is_some_and(|n| self.reused(claim.first, n) == 0);
            let skipping = if free_in_a_row { None } else { self.next_free(claim.first, wanted) };
            match skipping {
                Some(skipping) => {
                    pieces = skipping;
                    Some(vec![Note::AssumedNextFree])
                }
                None => self.in_a_row(&mut pieces, claim.first, wanted).map(|mut notes| {
                    notes.insert(0, Note::AssumedContiguous);
                    notes
                }),
            }
        };
        let Some(mut notes) = notes else { return past_end() };
        if self.allocated.is_none() {
            notes
                .push(Note::Other("whether its clusters were reused is unknown: the allocation bitmap is lost".into()));
        }
        if claim.valid < claim.size {
            notes.push(Note::ZeroAfter(claim.valid));
        }
        Found { content: pieces.finish(claim.size, claim.valid), notes, problem: None }
    }

    /// The clusters of a deleted directory of recorded size (exFAT): those that are free and not listed yet, and how
    /// many are in use now.
    pub fn deleted_directory(&mut self, claim: &Claim) -> (Vec<Run>, u64) {
        let mut pieces = Pieces::new(self.geometry);
        if !self.grant(claim.size.min(MAX_DIRECTORY)) {
            return (vec![], 0); // counted among those listed without content
        }
        let wanted = self.geometry.clusters_for(claim.size.min(MAX_DIRECTORY));
        let chain = if claim.contiguous { None } else { self.remaining_chain(claim.first, wanted) };
        let spans: Vec<(u32, u64)> = match chain {
            Some(chain) => runs(&chain).iter().filter_map(|r| self.span(r)).collect(),
            None => vec![(claim.first, wanted)],
        };
        let mut reused = 0u64;
        for (first, count) in spans {
            for cluster in (first..).take(usize::try_from(count).unwrap_or(0)) {
                if !self.geometry.contains(cluster) {
                    break;
                }
                if !self.is_free(cluster) {
                    reused = reused.saturating_add(1);
                } else if !self.directories.set(cluster) {
                    pieces.push(cluster, 1);
                }
            }
        }
        (runs(&pieces), reused)
    }

    fn span(&self, run: &Run) -> Option<(u32, u64)> {
        let size = self.geometry.cluster.max(1);
        let first = run.start.saturating_sub(self.geometry.heap).checked_div(size)?.checked_add(2)?;
        Some((u32::try_from(first).ok()?, run.length.checked_div(size)?))
    }
}
