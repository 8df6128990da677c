//! The free blocks of a container, by its space manager.

use crate::bytes::{array, le_u32, le_u64};
use crate::entry::Run;
use crate::error::ReadError;

use super::{Container, checksum, damaged};

/// The block of an object that lives with a checkpoint: its maps follow each other before the superblock.
fn ephemeral(container: &Container, superblock: &[u8], oid: u64, xid: u64) -> Result<(u64, Vec<u8>), ReadError> {
    let count = u64::from(le_u32(superblock, 104).unwrap_or(0)).min(4096);
    let base = le_u64(superblock, 112).unwrap_or(0);
    for number in 0..count {
        let Ok(map) = container.object(base.saturating_add(number)) else { continue };
        // Type 12: a checkpoint's map; only of the checkpoint that is used.
        if le_u32(&map, 24).unwrap_or(0) & 0xFFFF != 12 || le_u64(&map, 16) != Some(xid) {
            continue;
        }
        let entries = usize::try_from(le_u32(&map, 36).unwrap_or(0)).unwrap_or(0).min(map.len() / 40);
        for i in 0..entries {
            let at = 40 + 40 * i;
            if le_u64(&map, at + 24) == Some(oid) {
                let place = le_u64(&map, at + 32).unwrap_or(u64::MAX);
                let blocks = u64::from(le_u32(&map, at + 8).unwrap_or(0)).div_ceil(container.block).clamp(1, 1024);
                // An object of several blocks has one checksum.
                let mut object = vec![];
                for number in 0..blocks {
                    object.extend(container.raw(place.saturating_add(number))?);
                }
                if le_u64(&object, 0) != Some(checksum(&object)) {
                    return Err(damaged(place, "the checksum of the space manager does not agree"));
                }
                return Ok((place, object));
            }
        }
    }
    Err(damaged(base, "the space manager is in no map of the checkpoint"))
}

/// Runs of free blocks of the main device.
pub(super) fn free(container: &Container, superblock: &[u8], xid: u64) -> Result<Vec<Run>, ReadError> {
    let oid = le_u64(superblock, 152).unwrap_or(0);
    let (place, manager) = ephemeral(container, superblock, oid, xid)?;
    let cut = || damaged(place, "the space manager is cut");
    let number = |at| le_u32(&manager, at).ok_or_else(cut);
    let per_chunk = u64::from(number(36)?);
    let (cibs, cabs) = (number(64)?, number(68)?);
    let offset = usize::try_from(number(80)?).unwrap_or(usize::MAX);
    if cabs > 0 {
        return Err(damaged(place, "the map of a container this large is kept in a way that is not read"));
    }
    let mut chunks = vec![];
    for i in 0..usize::try_from(cibs).unwrap_or(0) {
        let at = offset.checked_add(i.checked_mul(8).ok_or_else(cut)?).ok_or_else(cut)?;
        let info = container.object(le_u64(&manager, at).ok_or_else(cut)?)?;
        let count = usize::try_from(le_u32(&info, 36).unwrap_or(0)).unwrap_or(0);
        for j in 0..count {
            let Some(chunk) = info.get(40 + 32 * j..).and_then(array_of_chunk) else { break };
            chunks.push(chunk);
        }
    }
    let (mut out, mut open): (Vec<Run>, Option<u64>) = (vec![], None);
    let mut close = |open: &mut Option<u64>, end: u64| {
        if let Some(start) = open.take() {
            let run = Run { start: start * container.block, length: end.saturating_sub(start) * container.block };
            out.push(run);
        }
    };
    let mut last = 0;
    for (first, count, bitmap) in chunks {
        let count = u64::from(count).min(per_chunk).min(container.blocks.saturating_sub(first));
        // Chunks come in the order of their blocks; what lies between two belongs to neither.
        if first < last {
            return Err(damaged(place, "the chunks of the map overlap"));
        }
        if first > last {
            close(&mut open, last);
        }
        last = first.saturating_add(count);
        let map = if bitmap == 0 { vec![] } else { container.raw(bitmap)? };
        for i in 0..count {
            let byte = usize::try_from(i / 8).ok().and_then(|at| map.get(at)).copied().unwrap_or(0);
            let used = byte >> (i % 8) & 1 != 0;
            match (used, open) {
                (true, _) => close(&mut open, first + i),
                (false, None) => open = Some(first + i),
                (false, Some(_)) => {}
            }
        }
    }
    close(&mut open, last);
    Ok(out)
}

/// The first block of a chunk, how many there are, and the block of its map, 0 where all are free.
fn array_of_chunk(bytes: &[u8]) -> Option<(u64, u32, u64)> {
    let first = u64::from_le_bytes(array(bytes, 8)?);
    Some((first, le_u32(bytes, 16)?, le_u64(bytes, 24)?))
}
