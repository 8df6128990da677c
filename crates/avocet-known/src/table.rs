//! One set's records in memory: a row per record and, for each kind of digest, a sorted array of keys.
//!
//! This is the part that compiled, memory-mapped sets are to replace. It knows digests and numbers, nothing of formats
//! or schemes.

use avocet_base::Digests;

use crate::hit::{Basis, Fields};

/// Marks that a record has no digest of a kind.
const NONE: u32 = u32::MAX;

/// What a row holds beside its digests; categories and texts are numbers into the set's tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Bytes; meaningful with [`Row::HAS_SIZE`].
    pub size: u64,
    /// Number, text or place, see the bits.
    pub id: u64,
    /// Index of the first key equal to this record's digest, so that two rows with the same digest hold the same value.
    md5: u32,
    sha1: u32,
    sha256: u32,
    /// Text index, or [`Row::NO_SERIES`].
    pub series: u32,
    pub category: u16,
    /// [`crate::Flags`] in the low five bits, then the bits below.
    pub bits: u8,
}

impl Row {
    pub const HAS_SIZE: u8 = 1 << 5;
    pub const ID_IS_TEXT: u8 = 1 << 6;
    pub const ID_IS_PLACE: u8 = 1 << 7;
    pub const NO_SERIES: u32 = u32::MAX;

    pub fn new(size: Option<u64>, id: u64, series: u32, category: u16, bits: u8) -> Row {
        let bits = if size.is_some() { bits | Row::HAS_SIZE } else { bits };
        Row { size: size.unwrap_or(0), id, md5: NONE, sha1: NONE, sha256: NONE, series, category, bits }
    }

    /// Everything that makes two records say the same thing, whatever they are called.
    fn statement(&self) -> (u32, u32, u32, u64, u16, u32, u8) {
        let said = self.bits & !(Row::ID_IS_TEXT | Row::ID_IS_PLACE);
        (self.md5, self.sha1, self.sha256, self.size, self.category, self.series, said)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key<const N: usize> {
    digest: [u8; N],
    row: u32,
}

/// The keys of one kind of digest, sorted, with a table over their first bits.
#[derive(Debug, Default)]
struct Keys<const N: usize> {
    keys: Vec<Key<N>>,
    /// For each value of the first `bits` bits, the index of the first key that is not smaller; one more at the end.
    starts: Vec<u32>,
    bits: u32,
}

/// Most bits of a digest that the table of starts covers: 4 MiB for each kind of digest.
const MAX_BITS: u32 = 20;

impl<const N: usize> Keys<N> {
    fn prefix(&self, digest: &[u8; N]) -> usize {
        let head = digest.iter().take(4).fold(0u32, |acc, b| acc << 8 | u32::from(*b));
        // Shifting by 32 is what no bits at all would need; u64 makes it legal.
        (u64::from(head) >> (32 - self.bits)) as usize
    }

    /// Sorts, and builds the table of starts.
    fn index(&mut self) {
        self.keys.shrink_to_fit();
        self.keys.sort_unstable();
        self.bits = (self.keys.len().max(1).ilog2()).min(MAX_BITS);
        let mut starts = vec![0u32; (1usize << self.bits) + 1];
        for key in &self.keys {
            if let Some(count) = starts.get_mut(self.prefix(&key.digest) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for slot in &mut starts {
            sum += *slot;
            *slot = sum;
        }
        self.starts = starts;
    }

    fn group(&self, digest: &[u8; N]) -> &[Key<N>] {
        let prefix = self.prefix(digest);
        let (Some(from), Some(to)) = (self.starts.get(prefix), self.starts.get(prefix + 1)) else { return &[] };
        let bucket = self.keys.get(*from as usize..*to as usize).unwrap_or_default();
        let first = bucket.partition_point(|k| k.digest < *digest);
        let rest = bucket.get(first..).unwrap_or_default();
        let count = rest.iter().take_while(|k| k.digest == *digest).count();
        rest.get(..count).unwrap_or_default()
    }

    fn digest_at(&self, index: u32) -> Option<&[u8; N]> {
        if index == NONE { None } else { self.keys.get(index as usize).map(|k| &k.digest) }
    }

    /// Tells each row where its digest is: `place(row, index of the first equal key, whether others share it)`.
    fn place(&self, mut place: impl FnMut(u32, u32, bool)) {
        let mut index = 0u32;
        for group in self.keys.chunk_by(|a, b| a.digest == b.digest) {
            group.iter().for_each(|k| place(k.row, index, group.len() > 1));
            index += group.len() as u32;
        }
    }

    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<Key<N>>() + self.starts.capacity() * size_of::<u32>()
    }
}

/// A row's digests as handed in.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RowDigests {
    pub md5: Option<[u8; 16]>,
    pub sha1: Option<[u8; 20]>,
    pub sha256: Option<[u8; 32]>,
}

/// A set's records.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    md5: Keys<16>,
    sha1: Keys<20>,
    sha256: Keys<32>,
}

impl Table {
    /// Adds a row. `false` where the table is full: rows are numbered with 32 bits.
    pub fn push(&mut self, row: Row, digests: &RowDigests) -> bool {
        let Some(number) = u32::try_from(self.rows.len()).ok().filter(|n| *n != NONE) else { return false };
        self.rows.push(row);
        self.md5.keys.extend(digests.md5.map(|digest| Key { digest, row: number }));
        self.sha1.keys.extend(digests.sha1.map(|digest| Key { digest, row: number }));
        self.sha256.keys.extend(digests.sha256.map(|digest| Key { digest, row: number }));
        true
    }

    /// Sorts the keys and drops every row that says the same as an earlier one. Returns how many were dropped.
    pub fn finish(&mut self) -> u64 {
        self.rows.shrink_to_fit();
        let shared = self.index();
        let dropped = self.drop_repeated(shared);
        if dropped > 0 {
            self.index();
        }
        dropped
    }

    /// Sorts all keys and sets every row's places; returns the rows that share a digest with another, in no order.
    fn index(&mut self) -> Vec<u32> {
        let mut shared = vec![];
        self.md5.index();
        self.sha1.index();
        self.sha256.index();
        let rows = &mut self.rows;
        let mut at = |row: u32, many: bool, set: &dyn Fn(&mut Row)| {
            if many {
                shared.push(row);
            }
            if let Some(row) = rows.get_mut(row as usize) {
                set(row);
            }
        };
        self.md5.place(|row, index, many| at(row, many, &|r| r.md5 = index));
        self.sha1.place(|row, index, many| at(row, many, &|r| r.sha1 = index));
        self.sha256.place(|row, index, many| at(row, many, &|r| r.sha256 = index));
        shared
    }

    fn drop_repeated(&mut self, mut shared: Vec<u32>) -> u64 {
        let statement = |row: &u32| self.rows.get(*row as usize).map(Row::statement);
        shared.sort_unstable();
        shared.dedup();
        // A stable sort keeps the rows of one statement in their order, so the first of each group is the earliest.
        shared.sort_by_key(statement);
        let mut drop = vec![];
        for group in shared.chunk_by(|a, b| statement(a) == statement(b)) {
            drop.extend(group.iter().skip(1).copied());
        }
        if drop.is_empty() {
            return 0;
        }
        let mut gone = vec![false; self.rows.len()];
        for row in &drop {
            if let Some(gone) = gone.get_mut(*row as usize) {
                *gone = true;
            }
        }
        let mut next = 0u32;
        let new: Vec<u32> = gone
            .iter()
            .map(|gone| {
                let number = if *gone { NONE } else { next };
                next += u32::from(!*gone);
                number
            })
            .collect();
        let mut flags = gone.iter();
        self.rows.retain(|_| !flags.next().copied().unwrap_or(false));
        self.rows.shrink_to_fit();
        renumber(&mut self.md5.keys, &new);
        renumber(&mut self.sha1.keys, &new);
        renumber(&mut self.sha256.keys, &new);
        drop.len() as u64
    }

    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows that share at least one digest with a file, in record order, each with its basis. Allocates only when
    /// there is one.
    pub fn lookup(&self, digests: &Digests, size: u64) -> Vec<(&Row, Basis)> {
        let mut found: Vec<u32> = vec![];
        found.extend(self.sha256.group(&digests.sha256.0).iter().map(|k| k.row));
        found.extend(self.sha1.group(&digests.sha1.0).iter().map(|k| k.row));
        found.extend(self.md5.group(&digests.md5.0).iter().map(|k| k.row));
        found.sort_unstable();
        found.dedup();
        found
            .iter()
            .filter_map(|number| self.rows.get(*number as usize))
            .map(|row| (row, self.basis(row, digests, size)))
            .collect()
    }

    fn basis(&self, row: &Row, digests: &Digests, size: u64) -> Basis {
        let (mut agrees, mut differs) = (Fields::default(), Fields::default());
        let mut compare = |field: Fields, equal: Option<bool>| match equal {
            Some(true) => agrees = agrees.with(field),
            Some(false) => differs = differs.with(field),
            None => {}
        };
        compare(Fields::MD5, self.md5.digest_at(row.md5).map(|d| *d == digests.md5.0));
        compare(Fields::SHA1, self.sha1.digest_at(row.sha1).map(|d| *d == digests.sha1.0));
        compare(Fields::SHA256, self.sha256.digest_at(row.sha256).map(|d| *d == digests.sha256.0));
        compare(Fields::SIZE, (row.bits & Row::HAS_SIZE != 0).then_some(row.size == size));
        Basis::of(agrees, differs)
    }

    /// Bytes of memory that the table holds.
    pub fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.md5.bytes() + self.sha1.bytes() + self.sha256.bytes()
    }
}

fn renumber<const N: usize>(keys: &mut Vec<Key<N>>, new: &[u32]) {
    keys.retain_mut(|key| match new.get(key.row as usize) {
        Some(number) if *number != NONE => {
            key.row = *number;
            true
        }
        _ => false,
    });
}
