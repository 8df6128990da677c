//! Turns sorted records into rows: what says exactly the same becomes one, deletions take away what came before.

use super::rec::{Rec, details, names, statement};

/// Deletions that wait for a record within one statement; beyond that they count as having found none.
const MAX_WAITING: usize = 65_536;

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

/// A deletion that states no more than the statement, or no more than that and a name, and has found nothing that says
/// exactly this: it takes away the next record with the same statement (and name), if that came before it.
#[derive(Debug)]
struct Waiting {
    source: u32,
    place: u64,
    /// Only a record with the name of the records that are folded now.
    this_name: bool,
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
    waiting: Vec<Waiting>,
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

    fn delete(&mut self, rec: &Rec) {
        if self.now.rec.count > 0 {
            self.now.rec.count -= 1;
            self.counts.removed += 1;
            return;
        }
        // Only what states no details can mean a record that has some.
        let named = self.now.rec.has(Rec::ID_NUMBER | Rec::ID_TEXT);
        let bare = if named { details(&self.now.blob, &[]).is_eq() } else { self.now.blob.is_empty() };
        if bare && self.waiting.len() < MAX_WAITING {
            self.waiting.push(Waiting { source: rec.source, place: rec.place, this_name: named });
        } else {
            self.in_vain(rec.source, rec.place);
        }
    }

    fn in_vain(&mut self, source: u32, place: u64) {
        self.counts.in_vain += 1;
        let first = &mut self.counts.first_in_vain;
        let at = first.partition_point(|f| *f <= (source, place));
        first.insert(at, (source, place));
        first.truncate(crate::intake::FIRST_PLACES);
    }

    fn end_of_same(&mut self) -> Result<(), R::Error> {
        if !self.any || self.now.rec.count == 0 {
            return Ok(());
        }
        let now = (self.now.rec.source, self.now.rec.place);
        let mut left = self.now.rec.count;
        let mut removed = 0;
        self.waiting.retain(|w| {
            let hits = left > 0 && (w.source, w.place) > now;
            left -= u64::from(hits);
            removed += u64::from(hits);
            !hits
        });
        self.counts.removed += removed;
        self.now.rec.count = left;
        if left > 0 {
            self.emit()?;
        }
        Ok(())
    }

    fn end_of_name(&mut self) {
        let gone: Vec<_> = self.waiting.extract_if(.., |w| w.this_name).collect();
        gone.iter().for_each(|w| self.in_vain(w.source, w.place));
    }

    fn end_of_statement(&mut self) {
        let gone = std::mem::take(&mut self.waiting);
        gone.iter().for_each(|w| self.in_vain(w.source, w.place));
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
