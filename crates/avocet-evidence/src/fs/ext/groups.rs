//! Group descriptors: where each group's bitmaps and inode table lie, and which blocks are free.

use super::superblock::{Checksums, Superblock};
use crate::bytes::{le_u16, le_u32, u8_at};
use crate::checksum::{crc16, crc32c};
use crate::entry::Run;
use crate::error::{Problem, ReadError};
use crate::source::{Source, read_exact_at, read_up_to};

const INODE_UNINIT: u16 = 1;
const BLOCK_UNINIT: u16 = 2;

/// One group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub block_bitmap: u64,
    pub inode_bitmap: u64,
    pub inode_table: u64,
    /// Neither the bitmap nor the table of inodes was ever written.
    pub inodes_unused: bool,
    /// The block bitmap was never written and follows from the layout.
    pub blocks_unwritten: bool,
    /// Inodes at the end of the table that were never used.
    pub never_used: u32,
}

impl Group {
    fn parse(raw: &[u8], sb: &Superblock) -> Option<Self> {
        let wide = sb.desc_size >= 64;
        let pair = |low, high| -> Option<u64> {
            Some(u64::from(le_u32(raw, low)?) | if wide { u64::from(le_u32(raw, high)?) << 32 } else { 0 })
        };
        // The flags and the count of unused inodes mean something only where checksums guard them.
        let guarded = sb.checksums != Checksums::None;
        let flags = if guarded { le_u16(raw, 0x12)? } else { 0 };
        let unused = u32::from(le_u16(raw, 0x1c)?) | if wide { u32::from(le_u16(raw, 0x32)?) << 16 } else { 0 };
        Some(Self {
            block_bitmap: pair(0x0, 0x20)?,
            inode_bitmap: pair(0x4, 0x24)?,
            inode_table: pair(0x8, 0x28)?,
            inodes_unused: flags & INODE_UNINIT != 0,
            blocks_unwritten: flags & BLOCK_UNINIT != 0,
            never_used: if guarded { unused } else { 0 },
        })
    }

    fn in_volume(&self, sb: &Superblock) -> bool {
        self.metadata(sb)
            .into_iter()
            .all(|(start, count)| start > 0 && start.checked_add(count).is_some_and(|end| end <= sb.blocks))
    }

    /// First block and number of blocks of the bitmaps and the inode table.
    fn metadata(&self, sb: &Superblock) -> [(u64, u64); 3] {
        [(self.block_bitmap, 1), (self.inode_bitmap, 1), (self.inode_table, table_blocks(sb))]
    }
}

fn table_blocks(sb: &Superblock) -> u64 {
    (u64::from(sb.inodes_per_group) * sb.inode_size as u64).div_ceil(sb.block_size)
}

fn checksum_ok(raw: &[u8], number: u64, sb: &Superblock) -> bool {
    let Some(stored) = le_u16(raw, 0x1e) else { return false };
    let number = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let (head, tail) = (raw.get(..0x1e).unwrap_or_default(), raw.get(0x20..).unwrap_or_default());
    match sb.checksums {
        Checksums::None => true,
        Checksums::All(seed) => {
            let crc = [&number[..], head, &[0, 0], tail].iter().fold(seed, |c, part| crc32c(c, part));
            crc & 0xffff == u32::from(stored)
        }
        Checksums::Groups => {
            [&sb.uuid[..], &number[..], head, tail].iter().fold(!0, |c, part| crc16(c, part)) == stored
        }
    }
}

/// Reads the descriptors of the groups that the volume's bytes can hold. A descriptor that fails is replaced by its copy
/// where there is one, and either way reported.
pub(super) fn read(volume: &dyn Source, sb: &Superblock, problems: &mut Vec<Problem>) -> Vec<Option<Group>> {
    let held = (volume.len() / sb.block_size).saturating_sub(sb.first_data_block).div_ceil(sb.blocks_per_group);
    let groups = sb.groups().min(held);
    let per_block = sb.descs_per_block();
    let bytes = usize::try_from(sb.block_size).unwrap_or_default();
    let mut out = Vec::new();
    let (mut failed, mut replaced, mut first) = (0u64, 0u64, None);
    for nr in 0..groups.div_ceil(per_block) {
        let block = |b: u64| read_up_to(volume, b.saturating_mul(sb.block_size), bytes).unwrap_or_default();
        let at = sb.desc_block(nr);
        let (main, mut copy) = (block(at), None);
        for i in 0..per_block.min(groups - nr * per_block) {
            let number = nr * per_block + i;
            let start = usize::try_from(i).unwrap_or_default() * sb.desc_size;
            let take = |raw: &[u8]| {
                let raw = raw.get(start..start + sb.desc_size)?;
                Some((Group::parse(raw, sb).filter(|g| g.in_volume(sb))?, checksum_ok(raw, number, sb)))
            };
            out.push(match take(&main) {
                Some((group, true)) => Some(group),
                other => {
                    failed += 1;
                    first = first.or(Some(at.saturating_mul(sb.block_size) + start as u64));
                    let copy = copy.get_or_insert_with(|| sb.desc_block_copy(nr).map(block).unwrap_or_default());
                    let spare = take(copy).filter(|(_, ok)| *ok).map(|(mut group, _)| {
                        replaced += 1;
                        // The copy's place is right; what was used since it was written it cannot know.
                        (group.inodes_unused, group.never_used) = (false, 0);
                        group
                    });
                    spare.or(other.map(|(group, _)| group))
                }
            });
        }
    }
    if failed > 0 {
        problems.push(Problem::new(
            "ext",
            "group-descriptor-damaged",
            first,
            format!(
                "{failed} of {groups} group descriptors fail their checksum or point outside the volume; {replaced} were \
                 read from the copy"
            ),
        ));
    }
    out
}

/// The bytes of a group's block bitmap, computed where it was never written.
fn block_bitmap(
    volume: &dyn Source,
    sb: &Superblock,
    group: Option<Group>,
    number: u64,
    metadata: &[(u64, u64)],
) -> Result<Vec<u8>, ReadError> {
    let bytes = usize::try_from(sb.block_size).unwrap_or_default();
    let mut map = vec![0; bytes];
    let Some(group) = group else {
        // Nothing says what is free here: nothing is claimed to be.
        map.fill(0xff);
        return Ok(map);
    };
    if !group.blocks_unwritten {
        read_exact_at(volume, "ext", group.block_bitmap.saturating_mul(sb.block_size), &mut map)?;
        return Ok(map);
    }
    let (start, end) = (sb.group_start(number), sb.group_start(number + 1));
    let mut mark = |from: u64, count: u64| {
        for block in from.max(start)..from.saturating_add(count).min(end) {
            let bit = (block - start) / sb.cluster_blocks;
            if let Some(byte) = usize::try_from(bit / 8).ok().and_then(|b| map.get_mut(b)) {
                *byte |= 1 << (bit % 8);
            }
        }
    };
    mark(start, sb.base_meta_blocks(number));
    // With flex_bg a group may hold the tables of its neighbours.
    let reach = start.saturating_sub(table_blocks(sb));
    let from = metadata.partition_point(|(at, _)| *at < reach);
    for (at, count) in metadata.iter().skip(from).take_while(|(at, _)| *at < end) {
        mark(*at, *count);
    }
    Ok(map)
}

/// Free runs in order, merged.
pub(super) fn free_runs(volume: &dyn Source, sb: &Superblock, groups: &[Option<Group>]) -> Result<Vec<Run>, ReadError> {
    let mut runs: Vec<Run> = Vec::new();
    let cluster = sb.cluster_blocks * sb.block_size;
    let last = sb.blocks.saturating_mul(sb.block_size).min(volume.len());
    let mut metadata: Vec<_> = groups.iter().flatten().flat_map(|g| g.metadata(sb)).collect();
    metadata.sort_unstable();
    for (number, group) in (0..).zip(groups) {
        let map = block_bitmap(volume, sb, *group, number, &metadata)?;
        let start = sb.group_start(number);
        let blocks = sb.blocks_per_group.min(sb.blocks.saturating_sub(start));
        for bit in 0..blocks.div_ceil(sb.cluster_blocks) {
            let byte = usize::try_from(bit / 8).ok().and_then(|b| u8_at(&map, b)).unwrap_or(0xff);
            if byte >> (bit % 8) & 1 == 1 {
                continue;
            }
            let from = start.saturating_mul(sb.block_size).saturating_add(bit.saturating_mul(cluster));
            let length = cluster.min(last.saturating_sub(from));
            match runs.last_mut() {
                Some(run) if run.start + run.length == from => run.length += length,
                _ if length > 0 => runs.push(Run { start: from, length }),
                _ => {}
            }
        }
    }
    Ok(runs)
}
