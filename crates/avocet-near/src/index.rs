//! The index itself.

use avocet_base::PdqHash;

use super::bands::{self, FEWEST, MOST, Plan};
use super::tables::{Masks, Table};
use super::{BATCH, Bits, FormNeighbour, Hit, Layout, MAX_RADIUS, NearError, Neighbour, Query, Scratch, Settings};
use crate::sys::{Level, huge_pages};

/// A query that would compare more than this share of all hashes one by one is answered by the scan.
const SHARE: u64 = 16;
const AT_LEAST: u64 = 4096;

/// Hashes that several queries are compared with at one go, 256 KiB.
const PART: usize = 8192;

/// A set of PDQ hashes that answers which of them are near a query, exactly. Never changes once built, and may be asked
/// by several threads at once.
pub struct Index {
    hashes: Vec<Bits>,
    tables: Vec<Table>,
    masks: Masks,
    /// One plan for each radius from 0; `None` where the scan is cheaper.
    plans: Vec<Option<Plan>>,
    level: Level,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} hashes, {} bands)", self.hashes.len(), self.tables.len())
    }
}

impl Index {
    /// Builds an index of the hashes, whose items are numbered from 0 in their order. Duplicates are kept.
    ///
    /// # Errors
    /// [`NearError`], where there are too many hashes, too little memory, or the settings ask for what is not there.
    pub fn build(hashes: impl IntoIterator<Item = PdqHash>, settings: Settings) -> Result<Index, NearError> {
        let level = match settings.kernel {
            Some(kernel) => Level::of(kernel).ok_or(NearError::NoKernel(kernel))?,
            None => Level::detect(),
        };
        let hashes = gather(hashes.into_iter())?;
        let count = match settings.layout {
            Layout::Scan => None,
            Layout::Auto => bands::choose(hashes.len(), settings.radius, settings.bytes_per_hash),
            Layout::Bands(count) if (FEWEST..=MOST).contains(&count) => Some(count),
            Layout::Bands(count) => return Err(NearError::Bands(count)),
        };
        let Some(count) = count else {
            let masks = Masks::for_plans(&[], &[]);
            return Ok(Index { hashes, tables: Vec::new(), masks, plans: Vec::new(), level });
        };
        let bands = bands::cut(count);
        let plans: Vec<Plan> = (0..=MAX_RADIUS).map(|radius| bands::plan(&bands, hashes.len(), radius)).collect();
        // Bands asked for by number are used wherever they can be.
        let worth = |p: &Plan| settings.layout != Layout::Auto || p.cost < bands::scan_cost(hashes.len());
        let masks = Masks::for_plans(&bands, &plans);
        let plans = plans.into_iter().map(|p| worth(&p).then_some(p)).collect();
        let tables = bands.iter().map(|band| Table::build(*band, &hashes)).collect::<Result<_, _>>()?;
        Ok(Index { hashes, tables, masks, plans, level })
    }

    /// How many hashes there are.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// How many bands it has; 0 where every query is a scan.
    pub fn bands(&self) -> usize {
        self.tables.len()
    }

    /// Bytes of memory it holds, the hashes included.
    pub fn bytes(&self) -> u64 {
        let hashes = self.hashes.capacity() as u64 * size_of::<Bits>() as u64;
        hashes + self.tables.iter().map(Table::bytes).sum::<u64>() + self.masks.bytes()
    }

    /// The hash of an item.
    pub fn hash(&self, item: u32) -> Option<PdqHash> {
        self.hashes.get(item as usize).map(Bits::hash)
    }

    /// Puts every stored hash within `radius` of the query into `out`, in the order of distance, then item. What `out`
    /// held before is gone.
    pub fn within(&self, query: &PdqHash, radius: u32, out: &mut Vec<Neighbour>) {
        out.clear();
        self.collect(&Bits::of(query), radius, &mut Scratch::default(), out);
        out.sort_unstable();
    }

    /// The answers to many queries, in their order. The same as [`within`](Self::within) for each, and faster where
    /// scans are needed: those take 16 queries at a time.
    pub fn within_many(&self, queries: &[PdqHash], radius: u32) -> Vec<Vec<Neighbour>> {
        let bits: Vec<Bits> = queries.iter().map(Bits::of).collect();
        let mut answers = self.many(&bits, radius, usize::MAX);
        for answer in &mut answers {
            answer.sort_unstable();
        }
        answers
    }

    /// The hashes within `radius` of any of several forms of one picture (its orientations, its full-size and its
    /// reduced hash): each once, with its smallest distance and the form that gave it, in the order of distance, then
    /// item. What `out` held before is gone.
    pub fn within_any(&self, forms: &[PdqHash], radius: u32, out: &mut Vec<FormNeighbour>) {
        out.clear();
        for (form, answer) in self.within_many(forms, radius).into_iter().enumerate() {
            out.extend(answer.iter().map(|n| FormNeighbour { distance: n.distance, item: n.item, form: form as u32 }));
        }
        out.sort_unstable_by_key(|n| (n.item, n.distance, n.form));
        out.dedup_by_key(|n| n.item);
        out.sort_unstable();
    }

    /// Appends the neighbours, in no order.
    fn collect(&self, bits: &Bits, radius: u32, scratch: &mut Scratch, out: &mut Vec<Neighbour>) {
        if !self.look_up(bits, radius, usize::MAX, scratch, out) {
            let mut found = Vec::new();
            self.level.scan(&self.hashes, std::slice::from_ref(bits), radius, &mut found);
            out.extend(found.iter().map(|h| Neighbour { distance: h.distance, item: h.item }));
        }
    }

    /// The neighbours of each query in no order: all of them, or at least `limit`.
    pub(crate) fn many(&self, queries: &[Bits], radius: u32, limit: usize) -> Vec<Vec<Neighbour>> {
        let mut scratch = Scratch::default();
        let mut answers: Vec<Vec<Neighbour>> = Vec::new();
        answers.resize_with(queries.len(), Vec::new);
        let mut left: Vec<(&Bits, &mut Vec<Neighbour>)> = Vec::new();
        for (bits, answer) in queries.iter().zip(&mut answers) {
            if !self.look_up(bits, radius, limit, &mut scratch, answer) {
                left.push((bits, answer));
            }
        }
        for batch in left.chunks_mut(BATCH) {
            self.scan_batch(batch, radius, limit);
        }
        answers
    }

    /// Scans for several queries at once, a part of the hashes after the other, so that each part is read from memory
    /// once and a query that has enough is left out of the next.
    fn scan_batch(&self, batch: &mut [(&Bits, &mut Vec<Neighbour>)], radius: u32, limit: usize) {
        let mut found: Vec<Hit> = Vec::new();
        for (part, hashes) in self.hashes.chunks(PART).enumerate() {
            let mut open: Vec<_> = batch.iter_mut().filter(|(_, answer)| answer.len() < limit).collect();
            let bits: Vec<Bits> = open.iter().map(|(bits, _)| **bits).collect();
            if bits.is_empty() {
                return;
            }
            self.level.scan(hashes, &bits, radius, &mut found);
            for hit in found.drain(..) {
                if let Some((_, answer)) = open.get_mut(hit.query as usize).filter(|(_, a)| a.len() < limit) {
                    answer.push(Neighbour { distance: hit.distance, item: hit.item + (part * PART) as u32 });
                }
            }
        }
    }

    /// The bits of an item, for callers that ask with what is stored.
    pub(crate) fn bits(&self, item: u32) -> Option<&Bits> {
        self.hashes.get(item as usize)
    }

    /// Appends the neighbours by way of the tables; `false`, with nothing appended, where the scan is to answer.
    fn look_up(&self, bits: &Bits, radius: u32, limit: usize, scratch: &mut Scratch, out: &mut Vec<Neighbour>) -> bool {
        let Some(Some(plan)) = self.plans.get(radius as usize) else { return false };
        let most = (self.hashes.len() as u64 / SHARE).max(AT_LEAST);
        let (hashes, tables, masks) = (&self.hashes, &self.tables, &self.masks);
        self.level.search(&Query { hashes, tables, masks, plan, bits: *bits, radius, most, limit }, scratch, out)
    }
}

/// The hashes in the order of bands. Room for as many as the iterator announces is taken at once, and more as they come.
fn gather(hashes: impl Iterator<Item = PdqHash>) -> Result<Vec<Bits>, NearError> {
    let mut all: Vec<Bits> = Vec::new();
    let reserve = |all: &mut Vec<Bits>, more: usize| {
        let bytes = (all.len() as u64).saturating_add(more as u64).saturating_mul(size_of::<Bits>() as u64);
        all.try_reserve_exact(more).map_err(|_| NearError::NoMemory { bytes })?;
        huge_pages(all);
        Ok(())
    };
    // What an iterator announces is a hint; a wrong one must not take the machine's memory.
    reserve(&mut all, hashes.size_hint().0.min(1 << 28))?;
    for hash in hashes {
        if all.len() >= u32::MAX as usize {
            return Err(NearError::TooMany);
        }
        if all.len() == all.capacity() {
            let more = (all.len() / 2).max(1024);
            reserve(&mut all, more)?;
        }
        all.push(Bits::of(&hash));
    }
    all.shrink_to_fit();
    Ok(all)
}
