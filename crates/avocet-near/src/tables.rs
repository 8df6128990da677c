//! The buckets of each band, and the search through them.

use super::bands::{Band, Plan, masks};
use super::{Bits, NearError, Neighbour};
use crate::sys::{huge_pages, line_start};

/// How many look-ups ahead memory is asked for.
const AHEAD: usize = 24;

/// Candidates compared at one go; their cache lines fit the second-level cache.
const CHUNK: usize = 1024;

/// The hashes by the value of one band, as flat arrays: the items of key `k` are `ids[starts[k]..starts[k + 1]]`.
pub(crate) struct Table {
    pub(crate) band: Band,
    starts: Vec<u32>,
    /// Entries of `starts` before key 0, so that sixteen keys share a cache line.
    lead: usize,
    ids: Vec<u32>,
}

fn zeroes(length: usize) -> Result<Vec<u32>, NearError> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(length).map_err(|_| NearError::NoMemory { bytes: length as u64 * 4 })?;
    huge_pages(&vec);
    vec.resize(length, 0);
    Ok(vec)
}

impl Table {
    /// Counting sort by key; items of a bucket stay in their order.
    pub(crate) fn build(band: Band, hashes: &[Bits]) -> Result<Table, NearError> {
        let keys = 1usize << band.width;
        let mut starts = zeroes(keys + 1 + 16)?;
        let lead = line_start(&starts).min(15);
        let mut ids = zeroes(hashes.len())?;
        let after = starts.get_mut(lead + 1..).unwrap_or_default();
        for hash in hashes {
            if let Some(count) = after.get_mut(band.key(hash) as usize) {
                *count += 1;
            }
        }
        // Each count becomes the bucket's start, shifted by one place; filling moves it to the bucket's end, which is
        // the start of the next: then entry `k` is the start of key `k`.
        let mut sum = 0u32;
        for slot in after.iter_mut() {
            let count = *slot;
            *slot = sum;
            sum += count;
        }
        for (item, hash) in hashes.iter().enumerate() {
            if let Some(next) = after.get_mut(band.key(hash) as usize) {
                if let Some(id) = ids.get_mut(*next as usize) {
                    *id = item as u32;
                }
                *next += 1;
            }
        }
        Ok(Table { band, starts, lead, ids })
    }

    pub(crate) fn bytes(&self) -> u64 {
        (self.starts.capacity() + self.ids.capacity()) as u64 * 4
    }
}

/// The masks of every width and number of changed bits that plans need.
pub(crate) struct Masks {
    by_width: Vec<(u32, Vec<Vec<u32>>)>,
}

impl Masks {
    pub(crate) fn for_plans(bands: &[Band], plans: &[Plan]) -> Masks {
        let mut most: Vec<(u32, u32)> = Vec::new();
        for (i, t) in plans.iter().flat_map(|p| &p.steps) {
            let Some(band) = bands.get(*i) else { continue };
            match most.iter_mut().find(|(w, _)| *w == band.width) {
                Some((_, m)) => *m = (*m).max(*t),
                None => most.push((band.width, *t)),
            }
        }
        Masks { by_width: most.into_iter().map(|(w, m)| (w, (0..=m).map(|t| masks(w, t)).collect())).collect() }
    }

    #[inline(always)]
    fn get(&self, width: u32, ones: u32) -> &[u32] {
        let of_width = self.by_width.iter().find(|(w, _)| *w == width);
        of_width.and_then(|(_, all)| all.get(ones as usize)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.by_width.iter().flat_map(|(_, all)| all).map(|m| m.capacity() as u64 * 4).sum()
    }
}

/// One search through the tables.
pub(crate) struct Query<'a> {
    pub(crate) hashes: &'a [Bits],
    pub(crate) tables: &'a [Table],
    pub(crate) masks: &'a Masks,
    pub(crate) plan: &'a Plan,
    pub(crate) bits: Bits,
    pub(crate) radius: u32,
    /// Give up where more hashes than this would be compared.
    pub(crate) most: u64,
    /// Stop once so many neighbours are there.
    pub(crate) limit: usize,
}

/// Memory of one search, kept from one to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    /// Non-empty buckets, band after band.
    buckets: Vec<(u32, u32)>,
    /// Up to where in `buckets` each step of the plan goes.
    ends: Vec<usize>,
    candidates: Vec<u32>,
}

/// Appends the neighbours, each once, in no order. `false`, with nothing appended, where too many hashes would have to be compared.
///
/// `prefetch` asks for the memory at a place that is read soon after; the search waits for memory nearly all of its
/// time, so it first asks for many places and then reads them.
#[inline(always)]
pub(crate) fn search<P: Prefetch>(
    query: &Query,
    scratch: &mut Scratch,
    found: &mut Vec<Neighbour>,
    prefetch: P,
) -> bool {
    scratch.buckets.clear();
    scratch.ends.clear();
    let mut total = 0u64;
    for (i, ones) in &query.plan.steps {
        let Some(table) = query.tables.get(*i) else { continue };
        let starts = table.starts.get(table.lead..).unwrap_or_default();
        let key = table.band.key(&query.bits);
        let masks = query.masks.get(table.band.width, *ones);
        let mut ahead = masks.iter();
        for mask in ahead.by_ref().take(AHEAD) {
            prefetch.at(starts, (key ^ mask) as usize);
        }
        for mask in masks {
            if let Some(mask) = ahead.next() {
                prefetch.at(starts, (key ^ mask) as usize);
            }
            let at = (key ^ mask) as usize;
            if let Some([start, end]) = starts.get(at..at + 2)
                && start < end
            {
                total += u64::from(end - start);
                scratch.buckets.push((*start, *end));
                prefetch.at(&table.ids, *start as usize);
            }
        }
        if total > query.most {
            return false;
        }
        scratch.ends.push(scratch.buckets.len());
    }
    let mut from = 0;
    for (step, end) in scratch.ends.iter().enumerate() {
        let ids = query.plan.steps.get(step).and_then(|(i, _)| query.tables.get(*i)).map_or(&[][..], |t| &t.ids);
        for (start, end) in scratch.buckets.get(from..*end).unwrap_or_default() {
            for id in ids.get(*start as usize..*end as usize).unwrap_or_default() {
                prefetch.at(query.hashes, *id as usize);
                scratch.candidates.push(*id);
            }
            if scratch.candidates.len() >= CHUNK {
                compare(query, step, &mut scratch.candidates, found);
            }
        }
        compare(query, step, &mut scratch.candidates, found);
        from = *end;
        if found.len() >= query.limit {
            break;
        }
    }
    true
}

/// Compares the candidates of one step in full, and forgets them.
#[inline(always)]
fn compare(query: &Query, step: usize, candidates: &mut Vec<u32>, found: &mut Vec<Neighbour>) {
    for id in candidates.drain(..) {
        let Some(hash) = query.hashes.get(id as usize) else { continue };
        let differing = hash.xor(&query.bits);
        let distance = differing.count();
        if distance <= query.radius && !seen_before(query, step, &differing) {
            found.push(Neighbour { distance, item: id });
            if found.len() >= query.limit {
                break;
            }
        }
    }
}

/// Whether an earlier step of the plan already met a hash that differs so.
fn seen_before(query: &Query, step: usize, differing: &Bits) -> bool {
    let earlier = query.plan.steps.iter().take(step);
    earlier
        .filter_map(|(i, t)| Some((query.tables.get(*i)?, t)))
        .any(|(table, t)| table.band.key(differing).count_ones() <= *t)
}

/// Asking for memory ahead of time, or not.
pub(crate) trait Prefetch: Copy {
    /// Asks for the entry at `index`, if there is one.
    fn at<T>(self, slice: &[T], index: usize);
}

/// Does nothing.
#[derive(Clone, Copy)]
pub(crate) struct NoPrefetch;

impl Prefetch for NoPrefetch {
    #[inline(always)]
    fn at<T>(self, _: &[T], _: usize) {}
}
