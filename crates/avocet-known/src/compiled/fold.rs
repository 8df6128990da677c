//! Turns sorted records into rows: what says exactly the same becomes one, deletions take away what came before.

use super::rec::{Rec, details, names, statement};

/// Deletions that wait for a record within one statement; beyond that they count as having found none.
const MAX_WAITING: usize = 4_096;

/// Takes finished rows.
pub(crate) trait Rows {
    /// Why a row cannot be taken.
    type Error;

    /// Takes the next row, with [`Rec::FIRST`] and [`Rec::REPEAT`] set as they apply.
    fn row(&mut self, rec: &Rec, blob: &[u8]) -> Result<(), Self::Error>;
}

/// What was counted on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Different statements.
    pub kept: u64,
    /// Records of the sources behind the rows.
    pub records: u64,
    /// Records that a deletion took away.
    pub removed: u64,
    /// Deletions that found no record.
    pub in_vain: u64,
    /// The first of them: source and place.
    pub first_in_vain: Vec<(u32, u64)>,
}

#[derive(Debug, Clone, Default)]
struct Held {
    rec: Rec,
    blob: Vec<u8>,
}

impl Held {
    fn set(&mut self, rec: &Rec, blob: &[u8]) {
        self.rec = *rec;
        self.blob.clear();
        self.blob.extend_from_slice(blob);
    }
}

/// A deletion that states no details, or none but a name, and found nothing that says exactly this when it came. It takes
/// away one record with the same statement (and name) that was there then: of several, the first in the order of rows.
#[derive(Debug)]
struct Waiting {
    at: (u32, u64),
    /// Only a record with the name of the records that are folded now.
    this_name: bool,
    used: bool,
}

/// Records come in the order of [`super::rec::compare`].
pub(crate) struct Fold<R> {
    rows: R,
    counts: Counts,
    /// Records that say exactly the same, as one; `count` is what is left of them.
    now: Held,
    any: bool,
    /// A row that waits for whether another with the same statement follows.
    ready: Held,
    has_ready: bool,
    /// In the order in which they came.
    waiting: Vec<Waiting>,
    /// How many of them have been tried on what is folded now.
    tried: usize,
}

impl<R: Rows> Fold<R> {
    pub fn new(rows: R) -> Fold<R> {
        Fold {
            rows,
            counts: Counts::default(),
            now: Held::default(),
            any: false,
            ready: Held::default(),
            has_ready: false,
            waiting: vec![],
            tried: 0,
        }
    }

    pub fn push(&mut self, rec: &Rec, blob: &[u8]) -> Result<(), R::Error> {
        let (mut same_statement, mut same_name, mut same) = (false, false, false);
        // Most neighbours differ at the first glance.
        if self.any && self.now.rec.md5 == rec.md5 {
            same_statement = statement(&self.now.rec, &self.now.blob, rec, blob).is_eq();
            same_name = same_statement && names(&self.now.rec, &self.now.blob, rec, blob).is_eq();
            same = same_name && details(&self.now.blob, blob).is_eq();
        }
        if !same {
            self.end_of_same()?;
            if !same_statement {
                self.end_of_statement();
            } else if !same_name {
                self.end_of_name();
            }
            self.now.set(rec, blob);
            self.now.rec.count = 0;
            self.now.rec.bits &= !Rec::RELATION;
            self.any = true;
        }
        self.try_waiting((rec.source, rec.place));
        if rec.has(Rec::DELETES) {
            self.delete(rec);
        } else {
            if self.now.rec.count == 0 {
                // What came before, if anything, was deleted.
                (self.now.rec.source, self.now.rec.place) = (rec.source, rec.place);
            }
            self.now.rec.count = self.now.rec.count.saturating_add(rec.count);
        }
        Ok(())
    }

    /// Lets the deletions that came before `until` take away what is there.
    fn try_waiting(&mut self, until: (u32, u64)) {
        if self.waiting.is_empty() {
            return;
        }
        let before = self.waiting.partition_point(|w| w.at < until);
        for waiting in self.waiting.get_mut(self.tried..before).unwrap_or_default() {
            if self.now.rec.count == 0 {
                break;
            }
            if !waiting.used {
                waiting.used = true;
                self.now.rec.count -= 1;
                self.counts.removed += 1;
            }
        }
        self.tried = self.tried.max(before);
    }

    fn delete(&mut self, rec: &Rec) {
        if self.now.rec.count > 0 {
            self.now.rec.count -= 1;
            self.counts.removed += 1;
            return;
        }
        // Only what states no details can mean a record that has some.
        let this_name = self.now.rec.has(Rec::ID_NUMBER | Rec::ID_TEXT);
        let at = (rec.source, rec.place);
        if details(&self.now.blob, &[]).is_eq() && self.waiting.len() < MAX_WAITING {
            let place = self.waiting.partition_point(|w| w.at <= at);
            self.waiting.insert(place, Waiting { at, this_name, used: false });
            self.tried = self.tried.max(place + 1);
        } else {
            self.in_vain(at);
        }
    }

    fn in_vain(&mut self, at: (u32, u64)) {
        self.counts.in_vain += 1;
        let first = &mut self.counts.first_in_vain;
        let place = first.partition_point(|f| *f <= at);
        first.insert(place, at);
        first.truncate(crate::intake::FIRST_PLACES);
    }

    fn end_of_same(&mut self) -> Result<(), R::Error> {
        if !self.any {
            return Ok(());
        }
        if !self.waiting.is_empty() {
            self.try_waiting((u32::MAX, u64::MAX));
            self.waiting.retain(|w| !w.used);
            self.tried = 0;
        }
        if self.now.rec.count > 0 { self.emit() } else { Ok(()) }
    }

    /// What waits for a record of this name has waited in vain.
    fn end_of_name(&mut self) {
        let gone: Vec<_> = self.waiting.extract_if(.., |w| w.this_name).collect();
        gone.iter().for_each(|w| self.in_vain(w.at));
    }

    /// What waits for a record with this statement has waited in vain.
    fn end_of_statement(&mut self) {
        let gone = std::mem::take(&mut self.waiting);
        gone.iter().for_each(|w| self.in_vain(w.at));
    }

    fn emit(&mut self) -> Result<(), R::Error> {
        let mut repeats = false;
        if self.has_ready {
            let (ready, now) = (&mut self.ready, &self.now);
            repeats = ready.rec.md5 == now.rec.md5 && statement(&ready.rec, &ready.blob, &now.rec, &now.blob).is_eq();
            if repeats && !ready.rec.has(Rec::REPEAT) {
                ready.rec.bits |= Rec::FIRST;
            }
            self.rows.row(&ready.rec, &ready.blob)?;
        }
        std::mem::swap(&mut self.ready, &mut self.now);
        // `now` still has to say what the records that follow are compared with.
        self.now.rec = self.ready.rec;
        self.now.rec.count = 0;
        self.now.blob.clear();
        self.now.blob.extend_from_slice(&self.ready.blob);
        self.has_ready = true;
        self.counts.records = self.counts.records.saturating_add(self.ready.rec.count);
        if repeats {
            self.ready.rec.bits |= Rec::REPEAT;
        } else {
            self.counts.kept += 1;
        }
        Ok(())
    }

    /// Ends; gives back who took the rows.
    pub fn finish(mut self) -> Result<(R, Counts), R::Error> {
        self.end_of_same()?;
        self.end_of_statement();
        if self.has_ready {
            self.rows.row(&self.ready.rec, &self.ready.blob)?;
        }
        Ok((self.rows, self.counts))
    }
}
