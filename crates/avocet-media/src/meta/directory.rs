//! One TIFF directory: its entries with their values, wherever their offsets count from.

use super::gather::Gather;
use super::problem::ProblemCode;
use super::text;
use super::view::{Order, index, slice};

/// Entries of one directory that are looked at. No camera writes a tenth of it.
const MAX_ENTRIES: usize = 2048;

/// One entry (TIFF 6.0, section 2): tag, type, count, and the bytes of its value.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub tag: u16,
    pub kind: u16,
    pub count: usize,
    /// `None` where the value lies outside the block.
    pub value: Option<&'a [u8]>,
    /// Where the value lies in the block.
    pub value_at: usize,
    pub order: Order,
}

/// Bytes of one element of a type; 0 for types that do not exist.
fn width(kind: u16) -> usize {
    match kind {
        1 | 2 | 6 | 7 | 129 => 1,
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16 | 17 | 18 => 8,
        _ => 0,
    }
}

impl<'a> Entry<'a> {
    /// The first element as an unsigned number, of the types byte, short, long and undefined of one byte.
    pub fn number(&self) -> Option<u32> {
        self.numbers().next()
    }

    /// All elements as unsigned numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (order, kind, value) = (self.order, self.kind, self.value.unwrap_or_default());
        value.chunks_exact(width(kind).max(1)).map_while(move |c| match kind {
            1 | 7 => c.first().map(|b| u32::from(*b)),
            3 => order.u16(c, 0).map(u32::from),
            4 | 13 => order.u32(c, 0),
            9 => order.u32(c, 0).filter(|n| *n < 1 << 31),
            8 => order.u16(c, 0).filter(|n| *n < 1 << 15).map(u32::from),
            _ => None,
        })
    }

    /// All elements as real numbers with the text they are stated as; `None` in place of a number where its
    /// denominator is 0.
    pub fn reals(&self) -> Vec<(Option<f64>, String)> {
        let (order, kind) = (self.order, self.kind);
        let chunks = self.value.unwrap_or_default().chunks_exact(width(kind).max(1)).take(8);
        chunks
            .map_while(|c| {
                let ratio = |a: f64, b: f64| if b == 0.0 { None } else { Some(a / b) };
                Some(match kind {
                    5 => {
                        let (a, b) = (order.u32(c, 0)?, order.u32(c, 4)?);
                        (ratio(f64::from(a), f64::from(b)), format!("{a}/{b}"))
                    }
                    10 => {
                        let (a, b) = (order.u32(c, 0)?.cast_signed(), order.u32(c, 4)?.cast_signed());
                        (ratio(f64::from(a), f64::from(b)), format!("{a}/{b}"))
                    }
                    12 => {
                        let n = order.f64(c, 0)?;
                        (Some(n).filter(|n| n.is_finite()), n.to_string())
                    }
                    11 => {
                        let n = f64::from(f32::from_bits(order.u32(c, 0)?));
                        (Some(n).filter(|n| n.is_finite()), n.to_string())
                    }
                    1 => c.first().map(|n| (Some(f64::from(*n)), n.to_string()))?,
                    3 => order.u16(c, 0).map(|n| (Some(f64::from(n)), n.to_string()))?,
                    4 | 13 => order.u32(c, 0).map(|n| (Some(f64::from(n)), n.to_string()))?,
                    9 => order.u32(c, 0).map(|n| (Some(f64::from(n.cast_signed())), n.cast_signed().to_string()))?,
                    _ => return None,
                })
            })
            .collect()
    }

    /// Bytes of a text or of undefined bytes.
    pub fn bytes(&self) -> Option<&'a [u8]> {
        self.value.filter(|_| matches!(self.kind, 1 | 2 | 6 | 7 | 129))
    }
}

/// A directory as read.
pub(super) struct Directory<'a> {
    pub entries: Vec<Entry<'a>>,
    /// Offset of the next directory; 0 or `None` where there is none.
    pub next: Option<u32>,
    /// Where the table of entries ends.
    pub end: usize,
}

/// Reads the directory at `at` of `data`; its values' offsets count from `base`, which may lie before the block.
pub(super) fn read<'a>(data: &'a [u8], at: usize, base: i64, order: Order, out: &mut Gather) -> Option<Directory<'a>> {
    let Some(stated) = order.u16(data, at).map(usize::from) else {
        out.problem(ProblemCode::BadDirectory, at);
        return None;
    };
    let count = stated.min(MAX_ENTRIES);
    if count < stated {
        out.problem(ProblemCode::TooMuch, at);
    }
    if !out.may_read_directory(count, at) {
        return None;
    }
    let table_at = at.checked_add(2)?;
    let table = data.get(table_at..)?;
    let mut entries = Vec::with_capacity(count.min(table.len() / 12));
    for (n, raw) in table.chunks_exact(12).take(count).enumerate() {
        let entry_at = table_at.saturating_add(n.saturating_mul(12));
        let (tag, kind, count) = (order.u16(raw, 0)?, order.u16(raw, 2)?, index(order.u32(raw, 4)?));
        let size = width(kind).saturating_mul(count);
        let value_at = if size <= 4 {
            entry_at.saturating_add(8)
        } else {
            let offset = i64::from(order.u32(raw, 8)?);
            usize::try_from(base.saturating_add(offset)).unwrap_or(usize::MAX)
        };
        let value = if width(kind) == 0 { None } else { slice(data, value_at, size) };
        entries.push(Entry { tag, kind, count, value, value_at, order });
    }
    if entries.len() < count {
        out.problem(ProblemCode::Truncated, at);
    }
    let end = table_at.saturating_add(count.saturating_mul(12));
    let next = if entries.len() < stated { None } else { order.u32(data, end) };
    Some(Directory { entries, next, end })
}

/// How well a base fits: how many longer texts of the directory are texts from end to end, and how many are none.
/// Blank ones say nothing.
fn score(directory: &Directory<'_>) -> (usize, usize) {
    let (mut good, mut bad) = (0usize, 0usize);
    for e in directory.entries.iter().filter(|e| e.kind == 2 && e.count > 4) {
        match e.value {
            Some(v) if v.iter().all(|b| *b == 0) => {}
            Some(v) if text::is_whole(v) => good = good.saturating_add(1),
            _ => bad = bad.saturating_add(1),
        }
    }
    (good, bad)
}

/// Reads a directory whose values may count from one of several bases, because programs move maker notes without
/// changing the offsets in them: the base under which most texts are texts, the first of equals. A last candidate
/// assumes that the first value follows the directory at once, as cameras write it.
pub(super) fn read_fitting<'a>(
    data: &'a [u8],
    at: usize,
    bases: &[i64],
    order: Order,
    out: &mut Gather,
) -> Option<Directory<'a>> {
    let first = *bases.first()?;
    let mut best = read(data, at, first, order, out)?;
    let (mut good, mut bad) = score(&best);
    let texts = best.entries.iter().any(|e| e.kind == 2 && e.count > 4);
    if bad == 0 && (good > 0 || !texts) {
        return Some(best);
    }
    let lowest = data
        .get(at.checked_add(2)?..)?
        .chunks_exact(12)
        .take(best.entries.len())
        .zip(&best.entries)
        .filter(|(_, e)| width(e.kind).saturating_mul(e.count) > 4)
        .filter_map(|(raw, _)| order.u32(raw, 8))
        .min();
    // With the offset of a next directory between them, or without.
    let guesses = lowest.into_iter().flat_map(|n| {
        let end = i64::try_from(best.end).unwrap_or(i64::MAX).saturating_sub(i64::from(n));
        [end.saturating_add(4), end]
    });
    let guesses: Vec<i64> = guesses.collect();
    for base in bases.iter().skip(1).copied().chain(guesses) {
        let Some(other) = read(data, at, base, order, out) else { break };
        let (fits, fails) = score(&other);
        if fits > good && fails <= bad {
            (best, good, bad) = (other, fits, fails);
        }
    }
    Some(best)
}
