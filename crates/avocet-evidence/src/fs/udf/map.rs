//! From a block of a partition to a byte of the disc.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytes::{le_u16, le_u32, u8_at};
use crate::entry::Run;
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_exact_at, read_up_to};

use super::icb::Icb;
use super::{LAYER, damaged, tag};

/// Partitions of one volume.
const PARTITIONS: usize = 16;
/// Bytes of a table that is read whole.
const TABLE: u64 = 64 << 20;
/// Blocks from the end in which the table of a disc written once is looked for.
const LAST: u64 = 512;

/// How the blocks of a partition are found.
enum Part {
    Plain,
    /// Packets of so many blocks, some of which were moved elsewhere.
    Sparable {
        packet: u32,
        moved: BTreeMap<u32, u32>,
        tables: Vec<Run>,
    },
    /// Each block by a table.
    Virtual {
        table: Vec<u32>,
        entry: Vec<Run>,
    },
    /// In the blocks of a file: first block and count, and where they lie.
    Metadata {
        pieces: Vec<(u64, u64, u64)>,
    },
}

struct Partition {
    start: u64,
    blocks: u64,
    part: Part,
}

/// The partitions of a volume.
pub(super) struct Map {
    pub source: Arc<dyn Source>,
    pub block: u64,
    partitions: Vec<Partition>,
}

fn bad(detail: &str) -> OpenError {
    OpenError::malformed(LAYER, 0, detail)
}

impl Map {
    pub fn of(
        source: &Arc<dyn Source>,
        block: u64,
        logical: &[u8],
        described: &[Vec<u8>],
        problems: &mut Vec<Problem>,
    ) -> Result<Map, OpenError> {
        let mut map = Map { source: Arc::clone(source), block, partitions: vec![] };
        let count = le_u32(logical, 268).map_or(0, |n| usize::try_from(n).unwrap_or(0));
        if count == 0 || count > PARTITIONS {
            return Err(bad("it has no partition, or more than any has"));
        }
        let mut at = 440usize;
        let mut later = vec![];
        for _ in 0..count {
            let length = usize::from(u8_at(logical, at + 1).unwrap_or(0));
            let entry = logical.get(at..at.saturating_add(length)).filter(|e| e.len() >= 6);
            let entry = entry.ok_or_else(|| bad("its list of partitions is cut"))?;
            at = at.saturating_add(length);
            let kind = u8_at(entry, 0);
            let number = le_u16(entry, if kind == Some(1) { 4 } else { 38 });
            let found = described.iter().find(|p| le_u16(p, 22) == number);
            let found = found.ok_or_else(|| bad("a partition of it is not described: it lies on another disc"))?;
            let (start, blocks) =
                le_u32(found, 188).zip(le_u32(found, 192)).ok_or_else(|| bad("a descriptor is cut"))?;
            let name = entry.get(5..28).unwrap_or_default();
            let part = match kind {
                Some(1) => Part::Plain,
                Some(2) if name.starts_with(b"*UDF Sparable Partition") => map.sparable(entry)?,
                Some(2) if name.starts_with(b"*UDF Virtual Partition") => {
                    later.push((map.partitions.len(), entry.to_vec()));
                    Part::Virtual { table: vec![], entry: vec![] }
                }
                Some(2) if name.starts_with(b"*UDF Metadata Partition") => {
                    later.push((map.partitions.len(), entry.to_vec()));
                    Part::Metadata { pieces: vec![] }
                }
                _ => return Err(bad("a partition of it is of a kind that is not known")),
            };
            map.partitions.push(Partition { start: u64::from(start), blocks: u64::from(blocks), part });
        }
        // These two lie in a file of the plain partition of the same number, which is known by now.
        for (index, entry) in later {
            let start = map.partitions.get(index).map(|p| p.start);
            let under = map
                .partitions
                .iter()
                .position(|p| matches!(p.part, Part::Plain | Part::Sparable { .. }) && Some(p.start) == start);
            let under = under.and_then(|n| u16::try_from(n).ok());
            let under = under.ok_or_else(|| bad("a partition of it lies in one that is not there"))?;
            let part = match map.partitions.get(index).map(|p| &p.part) {
                Some(Part::Virtual { .. }) => map.virtual_table(under)?,
                _ => map.metadata(under, &entry, problems)?,
            };
            if let Some(partition) = map.partitions.get_mut(index) {
                partition.part = part;
            }
        }
        Ok(map)
    }

    fn sparable(&self, entry: &[u8]) -> Result<Part, OpenError> {
        let cut = || bad("its list of partitions is cut");
        let packet = u32::from(le_u16(entry, 40).filter(|n| *n > 0).ok_or_else(cut)?);
        let tables = usize::from(u8_at(entry, 42).ok_or_else(cut)?).min(4);
        let size = u64::from(le_u32(entry, 44).ok_or_else(cut)?).min(1 << 20);
        let mut runs = vec![];
        let mut moved = None;
        for n in 0..tables {
            let number = le_u32(entry, 48 + 4 * n).ok_or_else(cut)?;
            let start = u64::from(number).saturating_mul(self.block);
            runs.push(Run { start, length: size });
            let bytes = read_up_to(&*self.source, start, usize::try_from(size).unwrap_or(0))?;
            if moved.is_some()
                || tag(&bytes, number) != Some(0)
                || bytes.get(17..39) != Some(b"*UDF Sparing Table\0\0\0\0")
            {
                continue;
            }
            let count = usize::from(le_u16(&bytes, 48).unwrap_or(0));
            let pairs = bytes.get(56..).unwrap_or_default().chunks_exact(8).take(count);
            // Numbers from here on are places that are free or cannot be used.
            let pairs = pairs.filter_map(|p| le_u32(p, 0).filter(|n| *n < 0xFFFF_FFF0).zip(le_u32(p, 4)));
            moved = Some(pairs.collect());
        }
        let moved = moved.ok_or_else(|| bad("the table of its moved packets does not hold"))?;
        Ok(Part::Sparable { packet, moved, tables: runs })
    }

    /// The table of a disc written once is what was written last.
    fn virtual_table(&self, under: u16) -> Result<Part, OpenError> {
        let start = self.partitions.get(usize::from(under)).map_or(0, |p| p.start);
        let end = self.written()?.div_ceil(self.block);
        for number in (end.saturating_sub(LAST)..end).rev() {
            let Some(block) = number.checked_sub(start).and_then(|n| u32::try_from(n).ok()) else { break };
            let Ok(icb) = Icb::read(self, (under, block)) else { continue };
            let Ok(bytes) = icb.whole(self, TABLE) else { continue };
            let entries = if icb.kind == 248 {
                le_u16(&bytes, 0).and_then(|head| bytes.get(usize::from(head)..))
            } else {
                // Before UDF 2.00 the numbers come first, then a name and the place of the table before.
                let before = bytes.len().checked_sub(36).and_then(|n| bytes.split_at_checked(n));
                before.filter(|(_, end)| end.get(1..23) == Some(b"*UDF Virtual Alloc Tbl")).map(|(entries, _)| entries)
            };
            let Some(entries) = entries else { continue };
            let table = entries.chunks_exact(4).filter_map(|e| le_u32(e, 0)).collect();
            let mut entry = icb.runs(self);
            entry.push(Run { start: number.saturating_mul(self.block), length: self.block });
            return Ok(Part::Virtual { table, entry });
        }
        Err(bad("the table of a disc written once is not at its end: the image or the disc was not finished"))
    }

    /// Where the zeros begin that an image of a disc may end with.
    fn written(&self) -> Result<u64, ReadError> {
        const STEP: u64 = 1 << 20;
        let mut end = self.source.len();
        while end > 0 {
            let start = end.saturating_sub(1) / STEP * STEP;
            let bytes = read_up_to(&*self.source, start, usize::try_from(end.saturating_sub(start)).unwrap_or(0))?;
            if let Some(last) = bytes.iter().rposition(|b| *b != 0) {
                return Ok(start.saturating_add(last as u64).saturating_add(1));
            }
            end = start;
        }
        Ok(0)
    }

    fn metadata(&self, under: u16, entry: &[u8], problems: &mut Vec<Problem>) -> Result<Part, OpenError> {
        for (n, at) in [40, 44].into_iter().enumerate() {
            let Some(block) = le_u32(entry, at) else { continue };
            let Ok(icb) = Icb::read(self, (under, block)) else { continue };
            if !matches!(icb.kind, 250 | 251) {
                continue;
            }
            let mut pieces: Vec<(u64, u64, u64)> = vec![];
            let mut logical = 0;
            let known = icb.pieces(self).is_ok_and(|found| {
                for piece in found {
                    let count = piece.length.div_ceil(self.block);
                    pieces.extend(piece.at.map(|at| (logical, count, at)));
                    logical = logical.saturating_add(count);
                }
                true
            });
            if !known {
                continue;
            }
            if n > 0 {
                let detail = "the metadata file does not hold; its mirror was used";
                problems.push(Problem::new(LAYER, "metadata-mirror-used", None, detail));
            }
            return Ok(Part::Metadata { pieces });
        }
        Err(bad("neither its metadata file holds nor the mirror of it"))
    }

    /// Where a block lies, and how many bytes from there on follow in order.
    pub fn run(&self, partition: u16, block: u32) -> Option<(u64, u64)> {
        let found = self.partitions.get(usize::from(partition))?;
        let (start, blocks) = match &found.part {
            Part::Plain => (u64::from(block), found.blocks.checked_sub(u64::from(block))?),
            Part::Sparable { packet, moved, .. } => {
                let (first, inside) = (block - block % packet, block % packet);
                let left = u64::from(packet - inside);
                match moved.get(&first) {
                    // The place of a moved packet is one of the whole disc.
                    Some(to) => {
                        let at = u64::from(*to).checked_add(u64::from(inside))?.checked_mul(self.block)?;
                        return (at < self.source.len()).then_some((at, left * self.block));
                    }
                    None => (u64::from(block), left.min(found.blocks.checked_sub(u64::from(block))?)),
                }
            }
            Part::Virtual { table, .. } => (u64::from(*table.get(usize::try_from(block).ok()?)?), 1),
            Part::Metadata { pieces } => {
                let block = u64::from(block);
                let (logical, count, at) =
                    pieces.iter().find(|(l, n, _)| *l <= block && block < l.saturating_add(*n))?;
                let inside = block - logical;
                let at = at.checked_add(inside.checked_mul(self.block)?)?;
                return Some((at, (count - inside).saturating_mul(self.block)));
            }
        };
        let at = found.start.checked_add(start)?.checked_mul(self.block)?;
        (blocks > 0 && at < self.source.len()).then_some((at, blocks.saturating_mul(self.block)))
    }

    /// A block.
    pub fn block(&self, (partition, block): (u16, u32)) -> Result<Vec<u8>, ReadError> {
        let (at, _) = self.run(partition, block).ok_or_else(|| damaged(0, "a block lies outside the volume"))?;
        let mut out = vec![0; usize::try_from(self.block).unwrap_or(2048)];
        read_exact_at(&self.source, LAYER, at, &mut out)?;
        Ok(out)
    }

    /// Bytes that the partitions keep for themselves.
    pub fn own(&self) -> Vec<Run> {
        let mut out = vec![];
        for partition in &self.partitions {
            match &partition.part {
                Part::Plain => {}
                Part::Sparable { tables, .. } => out.extend_from_slice(tables),
                Part::Virtual { entry, .. } => out.extend_from_slice(entry),
                Part::Metadata { pieces } => {
                    out.extend(
                        pieces.iter().map(|(_, n, at)| Run { start: *at, length: n.saturating_mul(self.block) }),
                    );
                }
            }
        }
        out
    }

    /// Bytes up to the end of the last partition.
    pub fn size(&self) -> u64 {
        let ends = self.partitions.iter().map(|p| p.start.saturating_add(p.blocks).saturating_mul(self.block));
        ends.max().unwrap_or(0)
    }
}
