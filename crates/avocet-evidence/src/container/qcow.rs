//! QCOW, versions 1 to 3: the disks of QEMU. Big-endian; a first table of second tables of clusters.
//!
//! After QEMU's `docs/interop/qcow2.rst`, and its `block/qcow.c` for version 1. Clusters are plain, zero, or packed with
//! deflate or Zstandard. Only the present state of the disk is read; internal snapshots are counted.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `snapshots-not-read` | the image keeps earlier states of the disk |
//! | `not-closed-cleanly` | the program that used the image did not close it |
//! | `marked-corrupt` | QEMU found contradictions in the image and marked it |

use std::sync::Arc;

use super::blocks::{Blocks, Codec, Map, Place, Tables};
use super::{Disk, Fault, refused};
use crate::bytes::{be_u32, be_u64, u8_at};
use crate::error::{OpenError, Problem, ReadFault};
use crate::source::{Source, read_up_to};

const LAYER: &str = "qcow";
/// Bits of a table entry that hold the offset of a cluster.
const OFFSET: u64 = 0x00ff_ffff_ffff_fe00;

/// Where the clusters of a disk lie.
struct Clusters {
    tables: Tables,
    version: u32,
    cluster_bits: u32,
    /// log2 of the entries of a second table.
    entries_bits: u32,
    first_table: u64,
    packing: Codec,
}

impl Map for Clusters {
    fn place(&self, block: u64) -> Result<Place, Fault> {
        let upper = block.checked_shr(self.entries_bits).unwrap_or(0);
        let first = self.first_table.saturating_add(upper.saturating_mul(8));
        let mut second = u64::from_be_bytes(self.tables.entry(first)?);
        if self.version > 1 {
            second &= OFFSET;
        }
        if second == 0 {
            return Ok(Place::Zero);
        }
        let lower = block & low_bits(self.entries_bits);
        let entry = u64::from_be_bytes(self.tables.entry(second.saturating_add(lower.saturating_mul(8)))?);
        let cluster = 1u64 << self.cluster_bits;
        let packed_bit = if self.version > 1 { 62 } else { 63 };
        if entry >> packed_bit & 1 == 1 {
            // Version 2 counts the sectors that follow the first, version 1 the bytes.
            let (bits, unit) = match self.version {
                1 => (63u32.saturating_sub(self.cluster_bits), 1),
                _ => (70u32.saturating_sub(self.cluster_bits), 512),
            };
            let at = entry & low_bits(bits);
            let count = (entry & low_bits(packed_bit)).checked_shr(bits).unwrap_or(0);
            let room = match self.version {
                1 => count,
                _ => count.saturating_add(1).saturating_mul(unit).saturating_sub(at % unit),
            };
            return Ok(Place::Packed { at, room, codec: self.packing });
        }
        let at = if self.version > 1 { entry & OFFSET } else { entry };
        if at == 0 || self.version > 2 && entry & 1 == 1 {
            return Ok(Place::Zero);
        }
        if at % cluster != 0 && self.version > 1 {
            return Err((ReadFault::Damaged, "its table entry does not name the beginning of a cluster"));
        }
        Ok(Place::At(at))
    }
}

/// The lowest `count` bits.
fn low_bits(count: u32) -> u64 {
    1u64.checked_shl(count).map_or(u64::MAX, |n| n.wrapping_sub(1))
}

/// Opens a QCOW image from its bytes.
pub(super) fn open(file: &Arc<dyn Source>) -> Result<Disk, OpenError> {
    let head = read_up_to(file, 0, 112)?;
    let short = || OpenError::malformed(LAYER, 0, "the file ends inside its header");
    let (u32_at, u64_at) = (|at| be_u32(&head, at).ok_or_else(short), |at| be_u64(&head, at).ok_or_else(short));
    let version = u32_at(4)?;
    let (backing, size) = (u64_at(8)?, u64_at(24)?);
    if backing != 0 {
        return Err(refused(
            "a QCOW image that holds only the changes to another one",
            "Merge it with the image it is based on (for example with qemu-img convert -O raw) and examine the result",
        ));
    }
    let mut problems = vec![];
    let mut say = |code, detail: String| problems.push(Problem::new(LAYER, code, None, detail));
    let (cluster_bits, entries_bits, encrypted, first_table, first_entries, packing) = match version {
        1 => {
            let cluster_bits = u32::from(u8_at(&head, 32).ok_or_else(short)?);
            let entries_bits = u32::from(u8_at(&head, 33).ok_or_else(short)?);
            // The first table's length is not stored: it is what the disk needs.
            (cluster_bits, entries_bits, u32_at(36)?, u64_at(40)?, u64::MAX, Codec::Deflate)
        }
        2 | 3 => {
            let features = if version == 3 { u64_at(72)? } else { 0 };
            let packing = match u8_at(&head, 104) {
                Some(1) if version == 3 && features & 8 != 0 => Codec::Zstd,
                Some(2..) if version == 3 && features & 8 != 0 => {
                    return Err(refused("a QCOW image packed in an unknown way", super::signature::CONVERT));
                }
                _ => Codec::Deflate,
            };
            if features & 4 != 0 {
                return Err(refused("a QCOW image whose data lie in another file", super::signature::CONVERT));
            }
            if features & 16 != 0 {
                return Err(refused("a QCOW image with extended tables", super::signature::CONVERT));
            }
            if features & !0x1f != 0 {
                return Err(refused("a QCOW image with features newer than this version", super::signature::CONVERT));
            }
            if features & 1 != 0 {
                say("not-closed-cleanly", "the image was not closed cleanly by the program that used it".into());
            }
            if features & 2 != 0 {
                say("marked-corrupt", "the image is marked as corrupt".into());
            }
            let snapshots = u32_at(60)?;
            if snapshots > 0 {
                say("snapshots-not-read", format!("{snapshots} earlier states of the disk were not read"));
            }
            let cluster_bits = u32_at(20)?;
            (cluster_bits, cluster_bits.saturating_sub(3), u32_at(32)?, u64_at(40)?, u64::from(u32_at(36)?), packing)
        }
        _ => return Err(refused("a QCOW image of an unknown version", super::signature::CONVERT)),
    };
    if encrypted != 0 {
        return Err(refused(
            "an encrypted QCOW image",
            "Decrypt it with its password (for example with qemu-img convert) and examine the result",
        ));
    }
    if !(9..=21).contains(&cluster_bits) || !(1..=18).contains(&entries_bits) {
        let detail = format!("clusters of 2^{cluster_bits} bytes, tables of 2^{entries_bits} entries cannot be");
        return Err(OpenError::malformed(LAYER, 20, detail));
    }
    let reach = 1u64 << cluster_bits.saturating_add(entries_bits);
    if size.div_ceil(reach) > first_entries {
        return Err(OpenError::malformed(LAYER, 36, "its first table is shorter than the disk needs"));
    }
    let tables = Tables::new(Arc::clone(file));
    let map = Clusters { tables, version, cluster_bits, entries_bits, first_table, packing };
    let source = Blocks::new(LAYER, Arc::clone(file), map, 1 << cluster_bits, size)?;
    let kind = if version == 1 { "qcow" } else { "qcow2" };
    Ok(Disk { kind, source: Arc::new(source), problems, stored: (None, None) })
}
