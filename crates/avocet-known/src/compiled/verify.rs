//! Reads a compiled set through and through.

use sha2::Digest as _;

use super::columns::photodna_key;
use super::file::SetFile;
use super::layout::{BLOCK, Kind, Section, prefix, u32_at};
use super::rec::{Rec, compare, statement};
use super::search::{Keys, PDQ, PHOTODNA, SHA1, SHA256, SIZE};
use crate::error::KnownError;

impl SetFile {
    /// Reads everything: every block against its checksum, every section against its SHA-256, the order and the facts
    /// of the rows, what they add up to, and that every key is found through its index.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self) -> Result<(), KnownError> {
        for section in &self.header.sections {
            let mut hasher = sha2::Sha256::new();
            let mut left = section.length;
            for number in 0..section.blocks() {
                let block = section.offset / BLOCK + number;
                if section.kind != Kind::Checksums {
                    self.check(section.kind, block)?;
                }
                let from = (block * BLOCK) as usize;
                let now = left.min(BLOCK);
                hasher.update(self.raw().get(from..from + now as usize).unwrap_or_default());
                left -= now;
            }
            if hasher.finalize()[..] != section.sha256.0[..] {
                return Err(self.wrong(section, 0, "its SHA-256 does not fit"));
            }
        }
        self.verify_rows()
    }

    fn verify_rows(&self) -> Result<(), KnownError> {
        let wrong = |kind: Kind, reason: &'static str| {
            let offset = self.section(kind).map_or(0, |s| s.offset);
            Err(self.damaged(kind, offset, reason))
        };
        let (mut before, mut before_blob) = (Rec::default(), vec![]);
        let mut blob = vec![];
        let (mut kept, mut records, mut pdq, mut photodna) = (0u64, 0u64, 0u64, 0u64);
        let mut categories = vec![0u64; self.rules.len()];
        // The first row of the present statement, and how many rows it has.
        let (mut first, mut rows) = (0, 0);
        for row in 0..self.rows() {
            let rec = self.rec(row, &mut blob)?;
            let facts = self.facts(row)?;
            let repeats = facts.has(Rec::REPEAT);
            if row > 0 && compare(&before, &before_blob, &rec, &blob).is_ge() {
                return wrong(Kind::Facts, "its rows are not in order");
            }
            let same = row > 0 && statement(&before, &before_blob, &rec, &blob).is_eq();
            if same != repeats || (u64::from(row) < self.header.md5_rows) != rec.has(Rec::HAS_MD5) {
                return wrong(Kind::Facts, "a row does not stand to its neighbours as it says");
            }
            if repeats {
                rows += 1;
            } else {
                self.verify_group(first, rows)?;
                (first, rows) = (row, 1);
                kept += 1;
                if let Some(count) = categories.get_mut(usize::from(facts.category)) {
                    *count += 1;
                }
            }
            records = records.saturating_add(rec.count);
            pdq += u64::from(facts.pdq > 0);
            let details = self.details(&facts)?;
            photodna += u64::from(!details.photodna.is_empty());
            // Texts, series, category and source are all read for this.
            self.record(row)?;
            self.hit(row, crate::hit::Basis::Size)?;
            std::mem::swap(&mut before_blob, &mut blob);
            before = rec;
        }
        self.verify_group(first, rows)?;
        self.verify_indexes()?;
        let counts = &self.meta.counts;
        let rejected = self.meta.rejected.iter().fold(0u64, |sum, t| sum.saturating_add(t.count));
        let read = [kept, counts.duplicates, counts.removed, counts.deletions, rejected];
        if kept != counts.kept
            || records != kept.saturating_add(counts.duplicates)
            || read.iter().try_fold(0u64, |a, b| a.checked_add(*b)) != Some(counts.read)
            || categories != self.meta.categories
            || (pdq, photodna) != (counts.pdq, counts.photodna)
            || pdq != self.pdq_count()
        {
            return wrong(Kind::Meta, "its counts are not those of its rows");
        }
        Ok(())
    }

    /// A statement of several rows has its entry, and shows the earliest.
    fn verify_group(&self, first: u32, rows: u32) -> Result<(), KnownError> {
        if rows < 2 {
            return Ok(());
        }
        let wrong =
            || self.damaged(Kind::Repeats, self.section(Kind::Repeats).map_or(0, |s| s.offset), "a group is wrong");
        let (stated, shown) = self.group(first)?;
        let mut earliest = (u32::MAX, u64::MAX, first);
        for row in first..first.saturating_add(rows) {
            let facts = self.facts(row)?;
            earliest = earliest.min((facts.source, facts.place, row));
        }
        let marked = self.bits(first)? & Rec::FIRST != 0;
        if marked && stated == rows && shown == earliest.2 { Ok(()) } else { Err(wrong()) }
    }

    /// Every index holds every key of its kind, in order, with a table and a filter that lead to it.
    fn verify_indexes(&self) -> Result<(), KnownError> {
        if let (Some(column), Some(fan), Some(filter)) =
            (self.section(Kind::Md5), self.section(Kind::Md5Fan), self.section(Kind::Md5Filter))
        {
            let key = |number| Ok(prefix(self.item::<16>(column, number)?));
            self.verify_fan(fan, column.count, key)?;
            for number in 0..column.count {
                self.verify_filter(filter, key(number)?)?;
            }
        }
        let shown = |row: u32, bit: u16| Ok(self.bits(row)? & (bit | Rec::REPEAT) == bit);
        self.verify_index(&SHA1, self.header.rows, |row| {
            if !shown(row, Rec::HAS_SHA1)? {
                return Ok(None);
            }
            Ok(self.sha1(row, Rec::HAS_SHA1)?.map(|d| prefix(d)))
        })?;
        self.verify_index(&SHA256, self.header.rows, |row| {
            if !shown(row, Rec::HAS_SHA256)? {
                return Ok(None);
            }
            Ok(self.sha256(row, Rec::HAS_SHA256)?.map(|d| prefix(d)))
        })?;
        self.verify_index(&SIZE, self.header.rows, |row| {
            let facts = self.facts(row)?;
            Ok((facts.has(Rec::HAS_SIZE) && !facts.has(Rec::REPEAT)).then_some(facts.size))
        })?;
        self.verify_index(&PDQ, self.pdq_count(), |number| {
            let item = self.item::<36>(self.need(Kind::Pdq)?, u64::from(number))?;
            let facts = self.facts(u32_at(item, 32))?;
            Ok((facts.pdq == u64::from(number) + 1).then(|| prefix(item)))
        })?;
        self.verify_index(&PHOTODNA, self.header.rows, |row| {
            let value = self.details(&self.facts(row)?)?.photodna;
            Ok((!value.is_empty()).then(|| photodna_key(value)))
        })
    }

    /// Compares an index with the keys of `items` items; `key` is that of an item, where it has one.
    fn verify_index(
        &self,
        keys: &Keys,
        items: u64,
        key: impl Fn(u32) -> Result<Option<u64>, KnownError>,
    ) -> Result<(), KnownError> {
        let mut wanted = 0u64;
        for item in 0..items {
            wanted += u64::from(key(item as u32)?.is_some());
        }
        let (Some(entries), Some(fan)) = (self.section(keys.entries), self.section(keys.fan)) else {
            return if wanted == 0 { Ok(()) } else { Err(self.damaged(keys.entries, 0, "it is not there")) };
        };
        let filter = keys.filter.and_then(|kind| self.section(kind));
        let mut before = None;
        for number in 0..entries.count {
            let entry = self.entry(entries, number)?;
            // As many different entries as keys, each of them right: none is missing.
            if before.is_some_and(|b| b >= entry) || key(entry.1)? != Some(entry.0) {
                return Err(self.wrong(entries, 0, "its entries are not those of the rows"));
            }
            filter.map_or(Ok(()), |filter| self.verify_filter(filter, entry.0))?;
            before = Some(entry);
        }
        self.verify_fan(fan, entries.count, |number| Ok(self.entry(entries, number)?.0))?;
        if entries.count == wanted { Ok(()) } else { Err(self.wrong(entries, 0, "it lacks a key")) }
    }

    fn verify_filter(&self, filter: &Section, key: u64) -> Result<(), KnownError> {
        if self.passes(filter, key)? { Ok(()) } else { Err(self.wrong(filter, 0, "it holds back a key that is there")) }
    }

    /// Each slot begins at the first key that falls into it or a later one.
    fn verify_fan(
        &self,
        fan: &Section,
        keys: u64,
        key: impl Fn(u64) -> Result<u64, KnownError>,
    ) -> Result<(), KnownError> {
        let mut number = 0u64;
        for slot in 0..fan.count {
            while number < keys && key(number)?.checked_shr(fan.param).unwrap_or(0) < slot {
                number += 1;
            }
            if u64::from(u32_at(self.item::<4>(fan, slot)?, 0)) != number {
                return Err(self.wrong(fan, slot * 4, "the table is not that of its keys"));
            }
        }
        if number == keys { Ok(()) } else { Err(self.wrong(fan, 0, "keys lie beyond the table")) }
    }
}
