//! Look-ups in a compiled set.

use avocet_base::{Digests, Md5, PdqHash, Sha1, Sha256};

use super::columns::photodna_key;
use super::file::{Facts, SetFile};
use super::index::{SHIFTS, line_of};
use super::layout::{BLOCK, Kind, Section, prefix, u32_at};
use super::rec::{Rec, value};
use crate::error::KnownError;
use crate::hit::{Basis, Fields, Hit};
use crate::record::Flags;
use crate::sys;

/// One value that somebody wants looked up by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Needle {
    /// An MD5.
    Md5(Md5),
    /// A SHA-1.
    Sha1(Sha1),
    /// A SHA-256.
    Sha256(Sha256),
    /// A size in bytes.
    Size(u64),
    /// A PDQ hash, exactly.
    Pdq(PdqHash),
    /// A PhotoDNA value, exactly.
    PhotoDna(Vec<u8>),
}

/// Whether a line has every bit of a key. All words are looked at: a jump that is guessed wrongly costs more.
#[inline]
fn has_all(line: &[u8; 32], key: u64) -> bool {
    let words = line.as_chunks::<4>().0.iter();
    words.zip(SHIFTS).fold(1, |all, (word, shift)| all & (u32::from_le_bytes(*word) >> ((key >> shift) & 31))) != 0
}

/// The sections in which one kind of key is looked up.
pub(super) struct Keys {
    pub fan: Kind,
    pub entries: Kind,
    pub filter: Option<Kind>,
}

pub(super) const SHA1: Keys = Keys { fan: Kind::Sha1Fan, entries: Kind::Sha1Index, filter: Some(Kind::Sha1Filter) };
pub(super) const SHA256: Keys =
    Keys { fan: Kind::Sha256Fan, entries: Kind::Sha256Index, filter: Some(Kind::Sha256Filter) };
pub(super) const SIZE: Keys = Keys { fan: Kind::SizeFan, entries: Kind::SizeIndex, filter: None };
pub(super) const PDQ: Keys = Keys { fan: Kind::PdqFan, entries: Kind::PdqIndex, filter: None };
pub(super) const PHOTODNA: Keys = Keys { fan: Kind::PhotoDnaFan, entries: Kind::PhotoDnaIndex, filter: None };

impl SetFile {
    /// Every statement that shares at least one digest with a file of these digests and this size in bytes, by place.
    /// Nothing is allocated where there is none.
    ///
    /// # Errors
    /// A damaged block on the way: nothing is answered from it.
    pub fn lookup(&self, digests: &Digests, size: u64) -> Result<Vec<Hit>, KnownError> {
        if self.surely_absent(digests) {
            return Ok(vec![]);
        }
        let mut found = vec![];
        self.md5_rows(&digests.md5, &mut found)?;
        self.sha1_rows(&digests.sha1, &mut found)?;
        self.sha256_rows(&digests.sha256, &mut found)?;
        if found.is_empty() {
            return Ok(vec![]);
        }
        self.hits(found, true, |row, facts| self.basis(row, facts, digests, size))
    }

    /// Every statement with one digest or size, or every row with one PDQ hash or PhotoDNA value, by place. What else the
    /// records state is not compared. A size, PDQ hash or PhotoDNA value lets nothing be left out of review.
    ///
    /// # Errors
    /// As [`SetFile::lookup`].
    pub fn find(&self, needle: &Needle) -> Result<Vec<Hit>, KnownError> {
        let mut found = vec![];
        let basis = match needle {
            Needle::Md5(d) => {
                self.md5_rows(d, &mut found)?;
                Basis::Md5Only
            }
            Needle::Sha1(d) => {
                self.sha1_rows(d, &mut found)?;
                Basis::Sha1
            }
            Needle::Sha256(d) => {
                self.sha256_rows(d, &mut found)?;
                Basis::Sha256
            }
            Needle::Size(size) => {
                self.entries(&SIZE, *size, |row| {
                    found.push(row);
                    Ok(())
                })?;
                Basis::Size
            }
            Needle::Pdq(hash) => {
                self.entries(&PDQ, prefix(&hash.0), |number| {
                    let item = self.item::<36>(self.need(Kind::Pdq)?, u64::from(number))?;
                    if item.starts_with(&hash.0) {
                        found.push(u32_at(item, 32));
                    }
                    Ok(())
                })?;
                Basis::Pdq { distance: 0 }
            }
            Needle::PhotoDna(wanted) => {
                self.entries(&PHOTODNA, photodna_key(wanted), |row| {
                    if self.details(&self.facts(row)?)?.photodna == wanted.as_slice() {
                        found.push(row);
                    }
                    Ok(())
                })?;
                Basis::PhotoDna
            }
        };
        // Which of the rows with one statement has the value cannot be told from the statement.
        let statements = !matches!(needle, Needle::Pdq(_) | Needle::PhotoDna(_));
        self.hits(found, statements, |_, _| Ok(basis))
    }

    /// What a row says, as a hit on a basis that the caller has established, such as a PDQ hash nearby.
    ///
    /// # Errors
    /// A row that is not there, and as [`SetFile::lookup`].
    pub fn hit(&self, row: u32, basis: Basis) -> Result<Hit, KnownError> {
        self.hit_of(&self.facts(row)?, basis)
    }

    /// Hits for the rows found, by place; for a statement of several rows, its earliest.
    fn hits(
        &self,
        mut rows: Vec<u32>,
        statements: bool,
        basis: impl Fn(u32, &Facts) -> Result<Basis, KnownError>,
    ) -> Result<Vec<Hit>, KnownError> {
        rows.sort_unstable();
        rows.dedup();
        let mut hits = Vec::with_capacity(rows.len());
        for mut row in rows {
            let mut facts = self.facts(row)?;
            if statements && facts.has(Rec::FIRST) {
                let (_, shown) = self.group(row)?;
                if shown != row {
                    row = shown;
                    facts = self.facts(row)?;
                }
            }
            hits.push(((facts.source, facts.place, row), self.hit_of(&facts, basis(row, &facts)?)?));
        }
        hits.sort_by_key(|(place, _)| *place);
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }

    fn hit_of(&self, facts: &Facts, basis: Basis) -> Result<Hit, KnownError> {
        let rule = self.rule(facts)?;
        let source = self.meta.sources.get(facts.source as usize);
        let source =
            source.ok_or_else(|| self.damaged(Kind::Facts, 0, "a row has a source that the set does not name"))?;
        let record = if facts.has(Rec::ID_TEXT) {
            let bytes = self.details(facts)?.id;
            format!("{} {}", source.id_label, self.text(self.need(Kind::Details)?, facts.details, bytes)?)
        } else if facts.has(Rec::ID_NUMBER) {
            format!("{} {}", source.id_label, facts.id)
        } else if self.meta.sources.len() > 1 {
            format!("{} {} of {}", source.place_label, facts.place, source.name)
        } else {
            format!("{} {}", source.place_label, facts.place)
        };
        Ok(Hit {
            set: self.info().id,
            record,
            category: rule.code.clone(),
            meaning: rule.meaning.clone(),
            alerts: rule.alerts,
            category_may_hide: rule.may_hide,
            may_hide: rule.may_hide && basis.may_hide(),
            basis,
            series: self.series(facts.series)?.map(str::to_owned),
            flags: Flags((facts.bits & Rec::FLAGS) as u8),
        })
    }

    fn basis(&self, row: u32, facts: &Facts, file: &Digests, size: u64) -> Result<Basis, KnownError> {
        let (mut agrees, mut differs) = (Fields::default(), Fields::default());
        let mut compare = |field: Fields, equal: Option<bool>| match equal {
            Some(true) => agrees = agrees.with(field),
            Some(false) => differs = differs.with(field),
            None => {}
        };
        compare(Fields::MD5, self.md5(row, facts.bits)?.map(|d| *d == file.md5.0));
        compare(Fields::SHA1, self.sha1(row, facts.bits)?.map(|d| *d == file.sha1.0));
        compare(Fields::SHA256, self.sha256(row, facts.bits)?.map(|d| *d == file.sha256.0));
        compare(Fields::SIZE, facts.has(Rec::HAS_SIZE).then_some(facts.size == size));
        Ok(Basis::of(agrees, differs))
    }

    /// Whether the filters alone, in blocks that have been checked, show that no digest is here: the usual case, in a
    /// line of memory for each kind of digest. All are asked at once, so that their lines are fetched side by side.
    #[inline]
    pub(crate) fn surely_absent(&self, digests: &Digests) -> bool {
        let [md5, sha1, sha256] = &self.filters;
        self.holds_back(md5, prefix(&digests.md5.0))
            & self.holds_back(sha1, prefix(&digests.sha1.0))
            & self.holds_back(sha256, prefix(&digests.sha256.0))
    }

    /// Asks the processor for what [`SetFile::surely_absent`] will look at.
    #[inline]
    pub(crate) fn fetch(&self, digests: &Digests) {
        let [md5, sha1, sha256] = &self.filters;
        let keys =
            [(md5, prefix(&digests.md5.0)), (sha1, prefix(&digests.sha1.0)), (sha256, prefix(&digests.sha256.0))];
        for (filter, key) in keys {
            if let Some(filter) = filter
                && let Some(byte) = self.raw().get((filter.offset + line_of(key, filter.count) * 32) as usize)
            {
                sys::prefetch(byte);
            }
        }
    }

    /// Whether a filter, if there is one, shows that a key is absent. `false` also where its block has yet to be checked.
    #[inline]
    fn holds_back(&self, filter: &Option<Section>, key: u64) -> bool {
        let Some(filter) = filter else { return true };
        let at = filter.offset + line_of(key, filter.count) * 32;
        let Some(line) = self.raw().get(at as usize..).and_then(|b| b.first_chunk::<32>()) else { return false };
        self.is_checked(at / BLOCK) & !has_all(line, key)
    }

    /// Whether a filter lets a key through. It never holds one back that is there.
    pub(super) fn passes(&self, filter: &Section, key: u64) -> Result<bool, KnownError> {
        Ok(has_all(self.item::<32>(filter, line_of(key, filter.count))?, key))
    }

    /// From where to where a table says that a key is among `count` others.
    fn range(&self, fan: &Section, key: u64, count: u64) -> Result<(u64, u64), KnownError> {
        let slot = key.checked_shr(fan.param).unwrap_or(0);
        if slot >= fan.count - 1 {
            return Ok((0, 0));
        }
        let pair = self.bytes(fan, slot * 4, 8)?;
        let (from, to) = (u64::from(u32_at(pair, 0)), u64::from(u32_at(pair, 4)));
        if from > to || to > count {
            return Err(self.wrong(fan, slot * 4, "the table does not rise"));
        }
        Ok((from, to))
    }

    /// The first row of every statement with this MD5.
    pub(super) fn md5_rows(&self, digest: &Md5, found: &mut Vec<u32>) -> Result<(), KnownError> {
        let (Some(column), Some(fan), Some(filter)) =
            (self.section(Kind::Md5), self.section(Kind::Md5Fan), self.section(Kind::Md5Filter))
        else {
            return Ok(());
        };
        let key = prefix(&digest.0);
        if !self.passes(filter, key)? {
            return Ok(());
        }
        let (mut low, end) = self.range(fan, key, column.count)?;
        let mut high = end;
        while low < high {
            let middle = low + (high - low) / 2;
            if *self.item::<16>(column, middle)? < digest.0 {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while low < end && *self.item::<16>(column, low)? == digest.0 {
            let row = low as u32;
            found.push(row);
            let rows = if self.bits(row)? & Rec::FIRST != 0 { self.group(row)?.0 } else { 1 };
            low += u64::from(rows);
        }
        Ok(())
    }

    /// The first row of every statement with this SHA-1.
    pub(super) fn sha1_rows(&self, digest: &Sha1, found: &mut Vec<u32>) -> Result<(), KnownError> {
        self.entries(&SHA1, prefix(&digest.0), |row| {
            if *self.item::<20>(self.need(Kind::Sha1)?, u64::from(row))? == digest.0 {
                found.push(row);
            }
            Ok(())
        })
    }

    /// The first row of every statement with this SHA-256.
    pub(super) fn sha256_rows(&self, digest: &Sha256, found: &mut Vec<u32>) -> Result<(), KnownError> {
        self.entries(&SHA256, prefix(&digest.0), |row| {
            if *self.item::<32>(self.need(Kind::Sha256)?, u64::from(row))? == digest.0 {
                found.push(row);
            }
            Ok(())
        })
    }

    /// Calls `take` with the number that stands behind each entry of a key.
    fn entries(
        &self,
        keys: &Keys,
        key: u64,
        mut take: impl FnMut(u32) -> Result<(), KnownError>,
    ) -> Result<(), KnownError> {
        let (Some(entries), Some(fan)) = (self.section(keys.entries), self.section(keys.fan)) else { return Ok(()) };
        if let Some(filter) = keys.filter.and_then(|kind| self.section(kind))
            && !self.passes(filter, key)?
        {
            return Ok(());
        }
        let (mut low, end) = self.range(fan, key, entries.count)?;
        let mut high = end;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.entry(entries, middle)?.0 < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        while low < end {
            let (found, row) = self.entry(entries, low)?;
            if found != key {
                break;
            }
            take(row)?;
            low += 1;
        }
        Ok(())
    }

    /// An entry's key and the number behind it.
    #[inline]
    pub(super) fn entry(&self, entries: &Section, number: u64) -> Result<(u64, u32), KnownError> {
        let width = entries.param as usize;
        let bytes = self.bytes(entries, number * (width as u64 + 4), width + 4)?;
        Ok((value(bytes, &mut 0, width as u8), u32_at(bytes, width)))
    }
}
