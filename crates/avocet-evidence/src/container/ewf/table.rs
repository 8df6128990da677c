//! Where each chunk lies: the `table` and `table2` sections.

use super::section::{Section, adler, sums};
use crate::bytes::{le_u32, le_u64};
use crate::error::{Problem, ReadFault};
use crate::source::{Source, read_up_to};

use super::LAYER;
use crate::container::Fault;

const HEADER: u64 = 24;
const COMPRESSED: u32 = 1 << 31;

/// One of the two copies of a table, as far as it is intact.
pub(super) struct Copy {
    /// Offset of its section in the segment file.
    start: u64,
    /// Number of chunks and base offset, where the header's checksum is right.
    header: Option<(u32, u64)>,
    /// The entries, where their checksum is right.
    entries: Option<Box<[u32]>>,
    /// The writer stored no checksum of the entries.
    unchecked: bool,
    /// Where the entries and their checksum end.
    pub(super) end: Option<u64>,
}

impl Copy {
    /// Reads a table's header and entries and checks both checksums. A copy that cannot be read is a damaged one.
    /// In the layout of SMART (`old`) chunks follow the entries, and there is no checksum of these.
    pub(super) fn read(source: &dyn Source, section: &Section, old: bool) -> Self {
        let mut out = Self { start: section.start, header: None, entries: None, unchecked: false, end: None };
        let header = section.body(source, HEADER).unwrap_or_default();
        let (Some(count), Some(base), true) = (le_u32(&header, 0), le_u64(&header, 8), sums(&header, 20)) else {
            return out;
        };
        out.header = Some((count, base));
        let length = u64::from(count).saturating_mul(4);
        let room = section.length.saturating_sub(HEADER);
        if length > room {
            // More chunks than the section has room for: not a number to go by, and not one to go through either.
            out.header = None;
            return out;
        }
        let start = section.body_start().saturating_add(HEADER);
        let wanted = usize::try_from(length.saturating_add(4).min(room)).unwrap_or(usize::MAX);
        let data = read_up_to(source, start, wanted).unwrap_or_default();
        let Some((body, stored)) = usize::try_from(length).ok().and_then(|l| data.split_at_checked(l)) else {
            return out;
        };
        let end = start.saturating_add(length);
        out.end = Some(if old { end } else { end.saturating_add(4) });
        match le_u32(stored, 0) {
            _ if old => {}
            Some(stored) if stored == adler(body) => {}
            Some(_) => return out,
            None => out.unchecked = true,
        }
        out.entries = Some(body.chunks_exact(4).filter_map(|e| le_u32(e, 0)).collect());
        out
    }

    fn is_good(&self) -> bool {
        self.entries.is_some()
    }
}

/// Where a chunk is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) segment: usize,
    /// Offset in the segment file.
    pub(super) offset: u64,
    /// Most bytes it can have.
    pub(super) room: u64,
    pub(super) compressed: bool,
}

/// A run of chunks with consecutive numbers in one segment.
pub(super) struct Table {
    pub(super) first: u64,
    pub(super) count: u64,
    segment: usize,
    base: u64,
    /// The `sectors` section that the chunks lie in.
    data: std::ops::Range<u64>,
    /// `None`: both copies are damaged, only the number of chunks is known.
    entries: Option<Box<[u32]>>,
    /// Entries from this one on are plain 32-bit offsets of uncompressed chunks, see [`overflow`].
    plain_from: usize,
}

/// Where a table's offsets pass 2 GiB. EnCase 6 before 6.7 wrote larger segments with the same 31-bit offsets: once an
/// offset needs bit 31, that bit and all later ones no longer mean "compressed". libewf recognises the place by an
/// offset that falls although the full 32-bit value rises; so does this, where the data reaches that far (`length`
/// bytes from the base offset).
fn overflow(entries: &[u32], length: u64) -> usize {
    let falls = |(here, next): (&u32, &u32)| {
        let offset = here & !COMPRESSED;
        (next & !COMPRESSED) < offset && *next >= COMPRESSED && u64::from(*next) < length
    };
    let at = entries.iter().zip(entries.iter().skip(1)).position(falls);
    at.map_or(usize::MAX, |i| i.saturating_add(1))
}

impl Table {
    /// Chooses between the copies and says what is wrong with them; `None` where not even the number of chunks is known.
    pub(super) fn choose(
        copy: Copy,
        copy2: Option<Copy>,
        (segment, first, data): (usize, u64, std::ops::Range<u64>),
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let number = segment.saturating_add(1);
        let mut say = |code, at, text: &str| {
            problems.push(Problem::new(LAYER, code, Some(at), format!("segment {number}: {text}")));
        };
        match &copy2 {
            Some(copy2) if !copy.is_good() && copy2.is_good() => {
                say("table-damaged", copy.start, "a chunk table is damaged; its second copy is used");
            }
            Some(copy2) if copy.is_good() && !copy2.is_good() => {
                say("table2-damaged", copy2.start, "the second copy of a chunk table is damaged; the first is used");
            }
            Some(copy2) if copy.is_good() && (copy.header, &copy.entries) != (copy2.header, &copy2.entries) => {
                say("tables-disagree", copy.start, "a chunk table and its second copy differ; the first is used");
            }
            _ => {}
        }
        let start = copy.start;
        // Two intact headers that differ, without entries to go by, say nothing.
        let known = match (copy.header, copy2.as_ref().and_then(|c| c.header)) {
            (Some(one), Some(other)) if one != other => None,
            (one, other) => one.or(other),
        };
        let chosen = if copy.is_good() { Some(copy) } else { copy2.filter(Copy::is_good) };
        let unchecked = chosen.as_ref().is_some_and(|c| c.unchecked);
        let (count, base) = chosen.as_ref().and_then(|c| c.header).or(known)?;
        if unchecked {
            say("table-unchecked", start, "a chunk table is stored without a checksum of its offsets");
        }
        let entries = chosen.and_then(|c| c.entries);
        if entries.is_none() {
            let text = format!("both copies of a chunk table are damaged; its {count} chunks cannot be read");
            say("table-lost", start, &text);
        }
        let plain_from = entries.as_deref().map_or(usize::MAX, |e| overflow(e, data.end.saturating_sub(base)));
        Some(Self { first, count: u64::from(count), segment, base, data, entries, plain_from })
    }

    pub(super) fn compressed(&self) -> u64 {
        let entries = self.entries.as_deref().unwrap_or_default();
        entries.iter().take(self.plain_from).filter(|e| **e & COMPRESSED != 0).count() as u64
    }

    /// Where a chunk lies, or why that is not known.
    pub(super) fn place(&self, chunk: u64) -> Result<Place, Fault> {
        let entries = self.entries.as_deref().ok_or((ReadFault::Damaged, "both copies of its table are damaged"))?;
        let index = usize::try_from(chunk.saturating_sub(self.first)).unwrap_or(usize::MAX);
        let decode = |i: usize| {
            let entry = *entries.get(i)?;
            let plain = i >= self.plain_from;
            let offset = if plain { entry } else { entry & !COMPRESSED };
            Some((self.base.checked_add(u64::from(offset))?, !plain && entry & COMPRESSED != 0))
        };
        let (offset, compressed) = decode(index).ok_or((ReadFault::Damaged, "its table does not hold it"))?;
        if !self.data.contains(&offset) {
            return Err((ReadFault::Damaged, "its table points outside the stored data"));
        }
        // The next chunk's start ends this one; chunks need not lie in order, then only the section's end does.
        let end = index.checked_add(1).and_then(decode).map(|(next, _)| next);
        let end = end.filter(|next| *next > offset).map_or(self.data.end, |next| next.min(self.data.end));
        Ok(Place { segment: self.segment, offset, room: end.saturating_sub(offset), compressed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_past_two_gib_lose_the_compression_bit() {
        let c = COMPRESSED;
        let far = 1 << 32;
        // Rising as full 32-bit numbers from the entry that crosses: plain from there.
        assert_eq!(overflow(&[c | 0x7FFF_0000, 0x7FFF_F000, 0x8000_1000, 0x8000_9004], far), 2);
        // Falling where no data lies past 2 GiB: chunks that are not in order.
        assert_eq!(overflow(&[c | 900, c | 500], 1 << 20), usize::MAX);
        // Compressed chunks in order, mixed with uncompressed ones: none.
        assert_eq!(overflow(&[c | 10, 20, c | 30, c | 40], far), usize::MAX);
        assert_eq!(overflow(&[], far), usize::MAX);
    }
}
