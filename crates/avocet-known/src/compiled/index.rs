//! Makes indexes: pairs of a key and a row in order, a table over the keys' first bits, and a filter that answers for
//! most absent keys.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::part::{Done, Part};

/// Bits of a filter for each key. With eight bits set by a key about one absent key in two hundred passes.
const FILTER_BITS: u64 = 12;
/// Most bits of a key that its table covers: 64 MiB.
const MAX_FAN_BITS: u32 = 24;

/// Which line of a filter a key falls into. It rises with the key, so that a filter is written from beginning to end.
pub(crate) fn line_of(key: u64, lines: u64) -> u64 {
    ((u128::from(key) * u128::from(lines)) >> 64) as u64
}

/// Where a key has the number of its bit in each word of its line: the lowest eight groups of five bits. The line comes
/// from the highest bits.
pub(crate) const SHIFTS: [u32; 8] = [0, 5, 10, 15, 20, 25, 30, 35];

/// An index, complete. `entries` is absent where the column itself is in order.
pub(crate) struct Index {
    pub entries: Option<Done>,
    /// Bytes of a key in the entries.
    pub width: u32,
    pub keys: u64,
    pub fan: Done,
    /// How far a key is shifted to give its place in the table.
    pub shift: u32,
    pub slots: u64,
    pub filter: Option<Done>,
    pub lines: u64,
}

/// Takes keys in order.
pub(crate) struct Builder {
    entries: Option<Part>,
    width: u32,
    keys: u64,
    fan: Part,
    shift: u32,
    slots: u64,
    slot: u64,
    filter: Option<Part>,
    lines: u64,
    line: u64,
    words: [u32; 8],
}

impl Builder {
    /// For `keys` keys of which `largest` is the largest.
    pub fn new(folder: &Path, keys: u64, largest: u64, entries: bool, filter: bool) -> Builder {
        let bits = 64 - largest.leading_zeros();
        let fan_bits = keys.max(1).ilog2().saturating_sub(4).min(MAX_FAN_BITS).min(bits);
        Builder {
            entries: entries.then(|| Part::new(folder)),
            width: u32::from(super::layout::width(largest)),
            keys: 0,
            fan: Part::new(folder),
            shift: bits - fan_bits,
            slots: (1 << fan_bits) + 1,
            slot: 0,
            filter: filter.then(|| Part::new(folder)),
            lines: (keys.saturating_mul(FILTER_BITS) / 256).max(1),
            line: 0,
            words: [0; 8],
        }
    }

    pub fn push(&mut self, key: u64, row: u32) -> io::Result<()> {
        if let Some(entries) = &mut self.entries {
            let mut entry = [0; 12];
            let width = self.width as usize;
            if let Some(to) = entry.first_chunk_mut() {
                *to = key.to_le_bytes();
            }
            if let Some(to) = entry.get_mut(width..width + 4) {
                to.copy_from_slice(&row.to_le_bytes());
            }
            entries.write(entry.get(..width + 4).unwrap_or_default())?;
        }
        let slot = key.checked_shr(self.shift).unwrap_or(0);
        while self.slot <= slot {
            self.fan.write(&(self.keys as u32).to_le_bytes())?;
            self.slot += 1;
        }
        if self.filter.is_some() {
            let line = line_of(key, self.lines);
            while self.line < line {
                self.flush_line()?;
            }
            for (word, shift) in self.words.iter_mut().zip(SHIFTS) {
                *word |= 1 << ((key >> shift) & 31);
            }
        }
        self.keys += 1;
        Ok(())
    }

    fn flush_line(&mut self) -> io::Result<()> {
        let mut bytes = [0; 32];
        for (to, word) in bytes.chunks_exact_mut(4).zip(self.words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        self.words = [0; 8];
        self.line += 1;
        self.filter.as_mut().map_or(Ok(()), |f| f.write(&bytes))
    }

    pub fn finish(mut self) -> io::Result<Index> {
        while self.slot < self.slots {
            self.fan.write(&(self.keys as u32).to_le_bytes())?;
            self.slot += 1;
        }
        while self.filter.is_some() && self.line < self.lines {
            self.flush_line()?;
        }
        Ok(Index {
            entries: self.entries.map(Part::finish).transpose()?,
            width: self.width,
            keys: self.keys,
            fan: self.fan.finish()?,
            shift: self.shift,
            slots: self.slots,
            filter: self.filter.map(Part::finish).transpose()?,
            lines: self.lines,
        })
    }
}

/// Sorts pairs of key and row, beyond a number of pairs with a temporary file.
pub(crate) struct Pairs {
    folder: PathBuf,
    most: usize,
    pairs: Vec<(u64, u32)>,
    file: Option<File>,
    /// First byte and pairs of each run.
    runs: Vec<(u64, u64)>,
    written: u64,
    count: u64,
    largest: u64,
}

/// Bytes of a pair in the temporary file.
const PAIR: usize = 12;

impl Pairs {
    pub fn new(folder: &Path, memory: usize) -> Pairs {
        Pairs {
            folder: folder.to_owned(),
            most: (memory / size_of::<(u64, u32)>()).max(16),
            pairs: vec![],
            file: None,
            runs: vec![],
            written: 0,
            count: 0,
            largest: 0,
        }
    }

    pub fn push(&mut self, key: u64, row: u32) -> io::Result<()> {
        self.pairs.push((key, row));
        self.count += 1;
        self.largest = self.largest.max(key);
        if self.pairs.len() >= self.most { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pairs.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let mut out = io::BufWriter::with_capacity(1 << 20, file);
        for (key, row) in &self.pairs {
            let mut pair = [0; PAIR];
            let (k, r) = pair.split_at_mut(8);
            k.copy_from_slice(&key.to_le_bytes());
            r.copy_from_slice(&row.to_le_bytes());
            io::Write::write_all(&mut out, &pair)?;
        }
        io::Write::flush(&mut out)?;
        let count = self.pairs.len() as u64;
        self.runs.push((self.written, count));
        self.written += count * PAIR as u64;
        self.pairs.clear();
        Ok(())
    }

    /// Puts all pairs in order and makes an index of them; `None` where there are none.
    pub fn index(mut self, digests: bool) -> io::Result<Option<Index>> {
        if self.count == 0 {
            return Ok(None);
        }
        // A digest's table is laid out for all values, so that it does not depend on the largest one.
        let largest = if digests { u64::MAX } else { self.largest };
        let mut builder = Builder::new(&self.folder, self.count, largest, true, digests);
        if self.runs.is_empty() {
            self.pairs.sort_unstable();
            for (key, row) in &self.pairs {
                builder.push(*key, *row)?;
            }
            return builder.finish().map(Some);
        }
        if !self.pairs.is_empty() {
            self.flush()?;
        }
        self.pairs = vec![];
        let Some(file) = &self.file else { return Ok(None) };
        let chunk = (self.most * size_of::<(u64, u32)>() / self.runs.len()).clamp(4096, 1 << 20) / PAIR;
        let mut readers: Vec<PairReader<'_>> = self
            .runs
            .iter()
            .map(|(at, count)| PairReader { file, at: *at, left: *count, chunk, pairs: vec![].into_iter() })
            .collect();
        let mut heap = std::collections::BinaryHeap::new();
        for (number, reader) in readers.iter_mut().enumerate() {
            heap.extend(reader.next()?.map(|pair| std::cmp::Reverse((pair, number))));
        }
        while let Some(mut top) = heap.peek_mut() {
            let std::cmp::Reverse(((key, row), number)) = *top;
            builder.push(key, row)?;
            match readers.get_mut(number).map(PairReader::next).transpose()?.flatten() {
                Some(pair) => *top = std::cmp::Reverse((pair, number)),
                None => drop(std::collections::binary_heap::PeekMut::pop(top)),
            }
        }
        builder.finish().map(Some)
    }
}

struct PairReader<'a> {
    file: &'a File,
    at: u64,
    left: u64,
    chunk: usize,
    pairs: std::vec::IntoIter<(u64, u32)>,
}

impl PairReader<'_> {
    fn next(&mut self) -> io::Result<Option<(u64, u32)>> {
        if let Some(pair) = self.pairs.next() {
            return Ok(Some(pair));
        }
        let count = self.left.min(self.chunk as u64);
        if count == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; count as usize * PAIR];
        self.file.read_exact_at(&mut bytes, self.at)?;
        self.at += bytes.len() as u64;
        self.left -= count;
        let pair = |p: &[u8]| (super::layout::u64_at(p, 0), super::layout::u32_at(p, 8));
        self.pairs = bytes.chunks_exact(PAIR).map(pair).collect::<Vec<_>>().into_iter();
        Ok(self.pairs.next())
    }
}

/// Calls `take(row, item)` for each item of `size` bytes.
pub(crate) fn each(part: &Done, size: usize, mut take: impl FnMut(u32, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut reader = part.reader()?;
    let items = (part.length.checked_div(size as u64)).unwrap_or(0);
    let mut item = vec![0; size * 1024];
    let mut row = 0u32;
    let mut left = items;
    while left > 0 {
        let now = left.min(1024) as usize;
        let chunk = item.get_mut(..now * size).unwrap_or_default();
        reader.read_exact(chunk)?;
        for one in chunk.chunks_exact(size) {
            take(row, one)?;
            row = row.wrapping_add(1);
        }
        left -= now as u64;
    }
    Ok(())
}
