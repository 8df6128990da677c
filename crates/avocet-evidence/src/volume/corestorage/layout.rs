//! What a physical volume says of itself: its header, its label, and the encrypted list of what lies on it.

use std::io::Read as _;
use std::sync::Arc;

use super::text::{self, Value};
use super::{Key, LAYER};
use crate::bytes::{array, le_u16, le_u32, le_u64};
use crate::checksum::crc32c;
use crate::error::OpenError;
use crate::source::{Source, read_exact_at, read_up_to};
use crate::volume::sealed::{Kind, Xts};

/// Bytes of a block of the label and of the list.
const BLOCK: usize = 8192;
/// Where a block's own data begin.
const DATA: usize = 64;
/// Blocks of the list that are read, and those that are kept.
const MOST_BLOCKS: u64 = 32_768;
const MOST_KEPT: usize = 2048;
/// Bytes of a list of properties.
const MOST_LIST: usize = 4 << 20;
/// Pieces of one logical volume.
const MOST_PIECES: usize = 4096;

/// A logical volume.
pub(super) struct Logical {
    /// Its bytes.
    pub(super) size: u64,
    /// The identifier of the family whose keys it has.
    pub(super) family: [u8; 16],
    /// Its pieces in their order: first byte in it, first byte on the disk, bytes.
    pub(super) pieces: Vec<(u64, u64, u64)>,
    /// Why it cannot be read, where it cannot.
    pub(super) hindrance: Option<String>,
}

/// What was found on a physical volume.
pub(super) struct Layout {
    /// The identifier of the physical volume.
    pub(super) physical: [u8; 16],
    /// The key of its own list.
    pub(super) key: Key,
    pub(super) logical: Vec<Logical>,
    /// The newest list of each family's keys.
    pub(super) families: Vec<([u8; 16], Value)>,
    /// Blocks of the list that do not agree with their sum.
    pub(super) damaged: u64,
}

/// A block of the list.
struct Block {
    kind: u16,
    transaction: u64,
    object: u64,
    bytes: Vec<u8>,
}

/// Whether a block agrees with its sum, a CRC-32C from all ones that is not inverted at its end.
fn holds(block: &[u8]) -> bool {
    let sum = block.get(8..).map(|rest| crc32c(!0, rest));
    le_u32(block, 4) == Some(u32::MAX) && le_u32(block, 0) == sum
}

fn malformed(offset: u64, detail: &str) -> OpenError {
    OpenError::malformed(LAYER, offset, detail)
}

/// Reads everything that can be read without a password.
pub(super) fn read(source: &Arc<dyn Source>) -> Result<Layout, OpenError> {
    let header = read_up_to(source, 0, 512)?;
    if header.get(88..90) != Some(b"CS") || !holds(&header) {
        return Err(malformed(0, "the header of the physical volume does not agree with its sum"));
    }
    let number = |at: usize| le_u32(&header, at).unwrap_or(0);
    let unit = u64::from(number(96));
    if !unit.is_power_of_two() || !(512..=1 << 20).contains(&unit) {
        return Err(malformed(96, "the size of a block cannot be"));
    }
    if number(168) != 16 || number(172) != 2 {
        return Err(malformed(168, "its own list is encrypted in a way that is not read"));
    }
    let (Some(key), Some(physical)) = (array::<16>(&header, 176), array::<16>(&header, 304)) else {
        return Err(malformed(0, "the header ends early"));
    };
    let key = Key::new(key);
    let cipher =
        Xts::new(&[(Kind::Aes128, key.as_slice(), &physical)]).ok_or_else(|| malformed(176, "the key cannot be"))?;
    let places = (0..4usize).filter_map(|i| le_u64(&header, 104 + i * 8)?.checked_mul(unit));
    let list = places.filter(|at| *at > 0).find_map(|at| descriptor(source, at));
    let Some((count, starts)) = list else {
        return Err(malformed(104, "none of the labels agrees with its sum"));
    };
    let mut last = None;
    // Its second copy, where the first has nothing that holds.
    for start in starts {
        let Some(at) = start.checked_mul(unit).filter(|at| *at > 0 && *at < source.len()) else { continue };
        let (blocks, damaged) = blocks(source, &cipher, at, count)?;
        let layout = lay_out(blocks, damaged, (physical, &key), unit, source.len());
        if !layout.logical.is_empty() {
            return Ok(layout);
        }
        last.get_or_insert(layout);
    }
    last.ok_or_else(|| malformed(104, "the list of what lies on it lies past its end"))
}

/// Number of blocks and both places of the list, from a label.
fn descriptor(source: &Arc<dyn Source>, at: u64) -> Option<(u64, [u64; 2])> {
    let label = read_up_to(source, at, BLOCK).ok()?;
    if label.len() != BLOCK || le_u16(&label, 10) != Some(0x11) || !holds(&label) {
        return None;
    }
    let found = read_up_to(source, at.checked_add(u64::from(le_u32(&label, DATA + 156)?))?, 48).ok()?;
    // The upper 16 bits are the number of the disk.
    let place = |at: usize| le_u64(&found, at).filter(|place| place >> 48 == 0).unwrap_or(0);
    Some((le_u64(&found, 8)?, [place(32), place(40)]))
}

fn blocks(source: &Arc<dyn Source>, cipher: &Xts, start: u64, count: u64) -> Result<(Vec<Block>, u64), OpenError> {
    let there = source.len().saturating_sub(start) / BLOCK as u64;
    let mut out = vec![];
    let mut damaged = 0u64;
    let mut one = vec![0; BLOCK];
    for number in 0..count.min(there).min(MOST_BLOCKS) {
        let at = start.saturating_add(number.saturating_mul(BLOCK as u64));
        read_exact_at(source, LAYER, at, &mut one)?;
        if one.iter().all(|b| *b == 0) {
            continue;
        }
        cipher.unit(number, &mut one);
        if !holds(&one) {
            damaged = damaged.saturating_add(1);
            continue;
        }
        let kind = le_u16(&one, 10).unwrap_or(0);
        if matches!(kind, 0x19 | 0x1A | 0x24 | 0x305 | 0x505) && out.len() < MOST_KEPT {
            let (transaction, object) = (le_u64(&one, 16).unwrap_or(0), le_u64(&one, 24).unwrap_or(0));
            out.push(Block { kind, transaction, object, bytes: one.clone() });
        }
    }
    Ok((out, damaged))
}

/// The newest block of a kind, of one object where it is given.
fn newest(blocks: &[Block], kind: u16, object: Option<u64>) -> Option<&Block> {
    let of_it = blocks.iter().filter(|b| b.kind == kind && object.is_none_or(|o| o == b.object));
    of_it.max_by_key(|b| b.transaction)
}

/// The list of properties in a block, which may be packed and go on in others.
fn properties(blocks: &[Block], block: &Block, sizes: usize, next: Option<usize>) -> Option<Value> {
    let number = |at: usize| le_u32(&block.bytes, DATA.checked_add(at)?).and_then(|n| usize::try_from(n).ok());
    let (packed, plain) = (number(sizes)?, number(sizes.checked_add(4)?)?);
    let (offset, size) = (number(sizes.checked_add(8)?)?, number(sizes.checked_add(12)?)?);
    let mut data = block.bytes.get(offset..offset.checked_add(size)?)?.to_vec();
    let mut next = next.and_then(|at| le_u64(&block.bytes, DATA.checked_add(at)?)).unwrap_or(0);
    // Each names the one that follows; there are at most so many.
    for _ in 0..MOST_KEPT {
        if next == 0 || data.len() > MOST_LIST {
            break;
        }
        let more = newest(blocks, 0x24, Some(next))?;
        let size = usize::try_from(le_u32(&more.bytes, DATA + 8)?).ok()?;
        data.extend_from_slice(more.bytes.get(DATA + 16..)?.get(..size)?);
        next = le_u64(&more.bytes, DATA)?;
    }
    if packed != plain {
        let packed = data.get(..packed).unwrap_or(&data).to_vec();
        data.clear();
        let limit = plain.min(MOST_LIST) as u64;
        flate2::read::ZlibDecoder::new(packed.as_slice()).take(limit).read_to_end(&mut data).ok()?;
    }
    text::read(&data)
}

fn lay_out(blocks: Vec<Block>, damaged: u64, (physical, key): ([u8; 16], &Key), unit: u64, total: u64) -> Layout {
    let mut families: Vec<([u8; 16], u64, Value)> = vec![];
    for block in blocks.iter().filter(|b| b.kind == 0x19) {
        let Some(list) = properties(&blocks, block, 40, Some(32)) else { continue };
        let Some(family) = list.get("com.apple.corestorage.lvf.uuid").and_then(Value::identifier) else { continue };
        match families.iter_mut().find(|(known, ..)| *known == family) {
            Some((_, newest, _)) if *newest > block.transaction => {}
            Some(known) => *known = (family, block.transaction, list),
            None => families.push((family, block.transaction, list)),
        }
    }
    let mut volumes: Vec<([u8; 16], u64, Logical)> = vec![];
    for block in blocks.iter().filter(|b| b.kind == 0x1A) {
        let Some(list) = properties(&blocks, block, 56, None) else { continue };
        let of = |name: &str| list.get(&format!("com.apple.corestorage.lv.{name}"));
        let (Some(id), Some(family)) =
            (of("uuid").and_then(Value::identifier), of("familyUUID").and_then(Value::identifier))
        else {
            continue;
        };
        let size = of("size").and_then(Value::number).unwrap_or(0);
        let mut logical = Logical { size, family, pieces: vec![], hindrance: None };
        let extents = le_u64(&block.bytes, DATA + 8).and_then(|object| newest(&blocks, 0x305, Some(object)));
        let extents = extents.or_else(|| newest(&blocks, 0x305, None));
        if let Err(why) = pieces(&mut logical, extents, &blocks, unit, total) {
            logical.hindrance = Some(why);
        }
        match volumes.iter_mut().find(|(known, ..)| *known == id) {
            Some((_, newest, _)) if *newest > block.transaction => {}
            Some(known) => *known = (id, block.transaction, logical),
            None => volumes.push((id, block.transaction, logical)),
        }
    }
    Layout {
        physical,
        key: key.clone(),
        logical: volumes.into_iter().map(|(.., logical)| logical).collect(),
        families: families.into_iter().map(|(id, _, list)| (id, list)).collect(),
        damaged,
    }
}

/// Where the pieces of a volume lie.
fn pieces(
    logical: &mut Logical,
    extents: Option<&Block>,
    blocks: &[Block],
    unit: u64,
    total: u64,
) -> Result<(), String> {
    let cannot = || "the places of its pieces cannot be".to_owned();
    let Some(extents) = extents else { return Err("nothing says where its pieces lie".into()) };
    // A system's volume counts from a place that another block gives.
    let base = newest(blocks, 0x505, None).and_then(|b| le_u64(&b.bytes, DATA + 16)).unwrap_or(0);
    let count = usize::try_from(le_u32(&extents.bytes, DATA).unwrap_or(0)).unwrap_or(usize::MAX);
    if count > MOST_PIECES {
        return Err(cannot());
    }
    let mut found = vec![];
    for i in 0..count {
        let at = i.checked_mul(40).and_then(|n| n.checked_add(DATA + 8)).ok_or_else(cannot)?;
        let Some(entry) = extents.bytes.get(at..).and_then(|rest| rest.get(..40)) else { return Err(cannot()) };
        let (Some(first), Some(n), Some(place)) = (le_u64(entry, 8), le_u32(entry, 16), le_u64(entry, 32)) else {
            return Err(cannot());
        };
        if place >> 48 != 0 || base >> 48 != 0 {
            return Err("a part of it lies on another disk".into());
        }
        let bytes = |blocks: u64| blocks.checked_mul(unit).ok_or_else(cannot);
        found.push((bytes(first)?, bytes(place.saturating_add(base))?, bytes(u64::from(n))?));
    }
    found.sort_unstable();
    let mut end = 0u64;
    for (first, place, length) in &found {
        if *first != end || *length == 0 || *place >= total {
            return Err("its pieces leave gaps, overlap or lie past the end".into());
        }
        end = end.checked_add(*length).ok_or_else(cannot)?;
    }
    if logical.size == 0 || end < logical.size {
        return Err("its pieces are fewer bytes than it has".into());
    }
    logical.pieces = found;
    Ok(())
}
