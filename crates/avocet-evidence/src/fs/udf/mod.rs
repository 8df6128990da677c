//! UDF (OSTA Universal Disk Format 1.02 to 2.60 after ECMA-167): DVDs, Blu-ray discs, packet-written discs, some cards
//! and disks, and beside ISO 9660 on many discs.
//!
//! Read are plain partitions, those behind a sparing table (rewritable discs), behind the virtual allocation table of a
//! disc written once, and behind a metadata file (2.50 and later); file entries of both kinds, with their bytes in short,
//! long or extended descriptors or in the entry itself; named streams. Every descriptor is held against its tag: checksum,
//! CRC and place. Where the main descriptors do not hold, their reserve serves; where a metadata file does not, its mirror.
//!
//! **Deleted entries of folders** are listed where they still carry a name. Whether their bytes are still their own is not
//! known, and said.
//!
//! **Not read:** entries that are replaced through chains (strategy 4096, discs written once before UDF 1.50) beyond the
//! first, volumes over several discs, earlier sessions.
//!
//! **Limits.** A folder is read once; folders together hold no more bytes than the source. Files together may claim 16 times
//! the source, in no more pieces than one for every 8 bytes of it. A path longer than 16 KiB ends.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `descriptors-reserve-used` | the main descriptors of the volume do not hold; their reserve was used |
//! | `metadata-mirror-used` | the metadata file does not hold; its mirror was used |
//! | `not-closed-cleanly-udf` | the volume was in use: its last changes may be missing |
//! | `inode-missing` | a name leads to no file entry that holds |
//! | `directory-loop` | a folder read before; it was read once |
//! | `directory-damaged` | a folder cannot be read or contradicts itself: entries may be missing |
//! | `directories-capped` | the folders together claim more bytes than there are; the rest was not read |
//! | `path-too-deep` | folders nest deeper than is read |

use std::collections::BTreeSet;
use std::sync::Arc;

use avocet_base::{Stamp, Zone, escape_bytes, escape_utf16};

use crate::bytes::{le_u16, le_u32, le_u64, u8_at};
use crate::checksum::crc16_ccitt;
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_up_to};
use crate::volume::{subtract, union};

mod icb;
mod map;
mod walk;

use map::Map;

const LAYER: &str = "udf";
/// Where the recognition sequence begins, and bytes of it that are looked at.
const RECOGNITION: u64 = 32768;
/// Sizes of a block; discs have 2048.
const BLOCKS: [u64; 6] = [2048, 512, 4096, 1024, 8192, 16384];
/// Descriptors of a sequence, and how often one may point to another.
const SEQUENCE: u64 = 256;

/// Kinds of descriptors.
const VOLUME: u16 = 1;
const ANCHOR: u16 = 2;
const POINTER: u16 = 3;
const PARTITION: u16 = 5;
const LOGICAL: u16 = 6;
const END: u16 = 8;
const INTEGRITY: u16 = 9;
const FILE_SET: u16 = 256;

fn damaged(offset: u64, detail: impl Into<String>) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Damaged, detail)
}

/// The kind of a descriptor whose checksum and CRC agree and that says that it lies at `place`.
fn tag(bytes: &[u8], place: u32) -> Option<u16> {
    let head = bytes.get(..16)?;
    let sum = head.iter().enumerate().filter(|(i, _)| *i != 4).fold(0u8, |sum, (_, b)| sum.wrapping_add(*b));
    let length = usize::from(le_u16(head, 10)?);
    let body = bytes.get(16..16usize.checked_add(length)?)?;
    let good = u8_at(head, 4)? == sum && le_u16(head, 8)? == crc16_ccitt(body) && le_u32(head, 12)? == place;
    good.then(|| le_u16(head, 0)).flatten()
}

/// A text of a fixed field, whose last byte is its length.
fn field(bytes: &[u8]) -> Option<String> {
    let length = usize::from(*bytes.last()?);
    text(bytes.get(..length)?).filter(|t| !t.is_empty())
}

/// A text in the form that UDF uses: eight or sixteen bits for each character, as the first byte says.
fn text(bytes: &[u8]) -> Option<String> {
    let (kind, rest) = bytes.split_first()?;
    match kind {
        // Characters of eight bits are the first of Unicode.
        8 | 254 if rest.is_ascii() => Some(escape_bytes(rest)),
        8 | 254 => Some(escape_utf16(&rest.iter().map(|b| u16::from(*b)).collect::<Vec<_>>())),
        16 | 255 => {
            let units: Vec<u16> = rest.chunks_exact(2).filter_map(|p| crate::bytes::be_u16(p, 0)).collect();
            Some(escape_utf16(&units))
        }
        _ => None,
    }
}

fn stamp(bytes: &[u8], at: usize) -> Option<Stamp> {
    let zone = le_u16(bytes, at)?;
    // Twelve bits with a sign: minutes from UTC; the lowest number says that they are not known.
    let minutes = (zone << 4).cast_signed() >> 4;
    let part = |n: usize| u8_at(bytes, at + n);
    let (centi, hundreds, micro) = (part(9)?, part(10)?, part(11)?);
    let nanoseconds = (u32::from(centi) * 10_000 + u32::from(hundreds) * 100 + u32::from(micro)).min(999_999) * 1000;
    let zone = if minutes == -2047 || zone >> 12 != 1 { Zone::Local } else { Zone::Offset(minutes) };
    Stamp::from_civil((le_u16(bytes, at + 2)?, part(4)?, part(5)?), (part(6)?, part(7)?, part(8)?), nanoseconds, zone)
}

/// The first anchor that holds: size of a block, and where the two sequences of descriptors lie.
fn anchor(source: &dyn Source) -> Option<(u64, [(u64, u64); 2])> {
    for block in BLOCKS {
        let blocks = source.len() / block;
        // The last block of a disc may be followed by others that the image holds.
        let places = [Some(256), blocks.checked_sub(1), blocks.checked_sub(257), Some(512)];
        for place in places.into_iter().flatten() {
            let bytes = read_up_to(source, place.checked_mul(block)?, 512).ok()?;
            let Ok(number) = u32::try_from(place) else { continue };
            if tag(&bytes, number) != Some(ANCHOR) {
                continue;
            }
            let extent = |at| Some((u64::from(le_u32(&bytes, at + 4)?), u64::from(le_u32(&bytes, at)?) / block));
            return Some((block, [extent(16)?, extent(24)?]));
        }
    }
    None
}

/// Whether the source carries UDF: its mark in the recognition sequence, and an anchor.
pub(crate) fn recognise(source: &dyn Source) -> bool {
    let marked = || {
        let sequence = read_up_to(source, RECOGNITION, 64 << 10).ok()?;
        let mark = |at: usize| sequence.get(at + 1..at + 6);
        // The steps are 2048 bytes, or a block where that is longer.
        let found = (0..sequence.len() / 2048).any(|n| matches!(mark(n * 2048), Some(b"NSR02" | b"NSR03")));
        Some(found)
    };
    marked() == Some(true) && anchor(source).is_some()
}

/// The descriptors of a volume that matter: the newest of each.
#[derive(Default)]
struct Described {
    volume: Option<Vec<u8>>,
    logical: Option<Vec<u8>>,
    partitions: Vec<Vec<u8>>,
}

fn described(source: &dyn Source, block: u64, (mut start, mut count): (u64, u64)) -> Described {
    let mut out = Described::default();
    let newer = |held: &Option<Vec<u8>>, found: &[u8]| {
        held.as_ref().is_none_or(|held| le_u32(held, 16).unwrap_or(0) <= le_u32(found, 16).unwrap_or(0))
    };
    let (mut at, mut left) = (0, SEQUENCE);
    while at < count && left > 0 {
        left = left.saturating_sub(1);
        let number = start.saturating_add(at);
        at = at.saturating_add(1);
        let offset = number.saturating_mul(block);
        let Ok(bytes) = read_up_to(source, offset, usize::try_from(block).unwrap_or(2048)) else { continue };
        match u32::try_from(number).ok().and_then(|number| tag(&bytes, number)) {
            Some(VOLUME) if newer(&out.volume, &bytes) => out.volume = Some(bytes),
            Some(LOGICAL) if newer(&out.logical, &bytes) => out.logical = Some(bytes),
            Some(PARTITION) => {
                let same = |p: &Vec<u8>| le_u16(p, 22) == le_u16(&bytes, 22);
                match out.partitions.iter_mut().find(|p| same(p)) {
                    Some(held) if le_u32(held, 16) <= le_u32(&bytes, 16) => *held = bytes,
                    Some(_) => {}
                    None => out.partitions.push(bytes),
                }
            }
            Some(POINTER) => {
                let next = le_u32(&bytes, 24).zip(le_u32(&bytes, 20));
                if let Some((place, length)) = next {
                    (start, count, at) = (u64::from(place), u64::from(length) / block, 0);
                }
            }
            Some(END) => break,
            _ => {}
        }
    }
    out
}

/// A volume of UDF.
pub struct Udf {
    source: Arc<dyn Source>,
    facts: VolumeFacts,
    map: Map,
    root: (u16, u32),
    own: Vec<Run>,
    problems: Vec<Problem>,
}

impl Udf {
    /// Opens the volume that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where no anchor or descriptor of it holds, or it lies over several discs.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let bad = |detail: &str| OpenError::malformed(LAYER, 0, detail);
        let (block, [main, reserve]) = anchor(&*source).ok_or_else(|| bad("no anchor of it holds"))?;
        let mut problems = vec![];
        let whole = |d: &Described| d.logical.is_some() && !d.partitions.is_empty();
        let mut found = described(&*source, block, main);
        if !whole(&found) {
            found = described(&*source, block, reserve);
            if whole(&found) {
                let detail = "the main descriptors of the volume do not hold; their reserve was used";
                problems.push(Problem::new(LAYER, "descriptors-reserve-used", None, detail));
            }
        }
        let Some(logical) = found.logical.filter(|_| !found.partitions.is_empty()) else {
            return Err(bad("neither its descriptors hold nor their reserve"));
        };
        if le_u32(&logical, 212).map(u64::from) != Some(block) {
            return Err(bad("its blocks have another size than its sectors"));
        }
        let map = Map::of(&source, block, &logical, &found.partitions, &mut problems)?;
        // The folders hang on the set of files, which is a long descriptor away.
        let set_at = le_u16(&logical, 256).zip(le_u32(&logical, 252)).ok_or_else(|| bad("a descriptor is cut"))?;
        let set = map.block(set_at)?;
        if tag(&set, set_at.1) != Some(FILE_SET) {
            return Err(bad("its set of files is none"));
        }
        let root = le_u16(&set, 408).zip(le_u32(&set, 404)).ok_or_else(|| bad("a descriptor is cut"))?;
        let integrity = (u64::from(le_u32(&logical, 436).unwrap_or(0)), u64::from(le_u32(&logical, 432).unwrap_or(0)));
        problems.extend(unclean(&*source, block, integrity));
        let mut own = vec![Run { start: 0, length: RECOGNITION + 32768 }];
        own.extend(
            [main, reserve].map(|(at, n)| Run { start: at.saturating_mul(block), length: n.saturating_mul(block) }),
        );
        own.push(Run { start: integrity.0.saturating_mul(block), length: integrity.1 });
        let blocks = source.len() / block;
        own.extend(
            [256, blocks.saturating_sub(257), blocks.saturating_sub(1)]
                .map(|n| Run { start: n * block, length: block }),
        );
        own.extend(map.own());
        own.extend(map.run(set_at.0, set_at.1).map(|(start, _)| Run { start, length: block }));
        let set_id = found.volume.as_ref().and_then(|v| field(v.get(72..200)?));
        let facts = VolumeFacts {
            kind: "udf",
            label: logical.get(84..212).and_then(field),
            serial: set_id,
            cluster_size: block,
            size: map.size(),
            time_source: "Times come from the file entry and state their offset from UTC: modified, accessed, changed \
                          (attributes), and created where the entry is of the extended kind.",
        };
        Ok(Self { source, facts, map, root, own, problems })
    }

    /// Visits every entry, or, with `others`, only files that are not among those listed: first byte and length of each.
    pub(crate) fn visit(
        &self,
        visitor: &mut dyn Visitor,
        listed: &mut BTreeSet<(u64, u64)>,
        others: bool,
    ) -> crate::VisitResult {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::Walk::new(self, visitor, listed, others).all()
    }

    /// What belongs to the volume and its live files.
    pub(crate) fn used(&self) -> Vec<Run> {
        struct Nothing;
        impl Visitor for Nothing {
            fn entry(&mut self, _: crate::Entry) -> crate::VisitResult {
                crate::VisitResult::Continue(())
            }
            fn problem(&mut self, _: Problem) {}
        }
        let (mut nothing, mut listed) = (Nothing, BTreeSet::new());
        let mut walk = walk::Walk::new(self, &mut nothing, &mut listed, false);
        let _ = walk.all();
        let mut used = walk.used();
        used.extend_from_slice(&self.own);
        let block = self.facts.cluster_size;
        let whole = |r: Run| {
            let start = r.start / block * block;
            let end = r.start.saturating_add(r.length).div_ceil(block).saturating_mul(block);
            Run { start, length: end.saturating_sub(start) }
        };
        union(used.into_iter().map(whole).collect())
    }
}

/// Whether the last record of the volume's state says that it is open.
fn unclean(source: &dyn Source, block: u64, (start, length): (u64, u64)) -> Option<Problem> {
    let mut open = None;
    for number in start..start.saturating_add((length / block).min(SEQUENCE)) {
        let bytes = read_up_to(source, number.saturating_mul(block), usize::try_from(block).ok()?).ok()?;
        match tag(&bytes, u32::try_from(number).ok()?) {
            Some(INTEGRITY) => open = le_u32(&bytes, 28).map(|kind| kind == 0),
            _ => break,
        }
    }
    let detail = "the volume was not closed; its last changes may be missing";
    (open == Some(true)).then(|| Problem::new(LAYER, "not-closed-cleanly-udf", None, detail))
}

impl FileSystem for Udf {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Folder by folder from the root, in the order of their entries.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        let _ = self.visit(visitor, &mut BTreeSet::new(), false);
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(subtract(&[Run { start: 0, length: self.source.len() }], &self.used()))
    }
}

/// A number of eight bytes, for those that are not there nothing.
fn long(bytes: &[u8], at: usize) -> u64 {
    le_u64(bytes, at).unwrap_or(0)
}
