//! XFS, versions 4 and 5: the usual file system of larger Linux servers and of many network storages.
//!
//! After the Linux kernel's `xfs_format.h` and `xfs_da_format.h` and "XFS Algorithms & Data Structures". Folders are walked from the
//! root; then the tables of inodes say which inodes are in use that no folder led to: those are orphans. Copies that share
//! their blocks are files like any other. Extended attributes are not listed.
//!
//! **Deleted files are not looked for.** The names of removed files may be left in a folder, the place of their bytes is
//! not.
//!
//! **Limits.** A folder is read once. Files together may claim 256 times the volume, as copies that share their blocks do;
//! those beyond are listed as unreadable. Nesting ends where a path is longer than 16 KiB.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `superblock-copy-used` | the first superblock does not hold; that of the second group was used |
//! | `log-not-replayed` | the volume was in use: the last changes are in its log only |
//! | `directory-loop` | a folder read before; it was read once |
//! | `directory-damaged` | a folder cannot be read or contradicts itself: entries may be missing |
//! | `path-too-deep` | folders nest deeper than is read |
//! | `inode-missing` | a name leads to no file |
//! | `inode-table-damaged` | the table of inodes of a group cannot be read: files without a name may be missing |
//! | `realtime-not-read` | files on the real-time device, which is another disk |

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use avocet_base::{Stamp, escape_bytes};

use crate::bytes::{array, be_u16, be_u32, be_u64, u8_at};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_exact_at, read_up_to};

mod dir;
mod group;
mod inode;
mod walk;

const LAYER: &str = "xfs";

/// What the superblock says.
#[derive(Debug, Clone)]
pub(super) struct Super {
    pub block: u64,
    pub blocks: u64,
    pub root: u64,
    pub group_blocks: u64,
    pub groups: u64,
    pub inode_size: u64,
    pub per_block: u64,
    pub block_log: u32,
    pub per_block_log: u32,
    pub group_log: u32,
    pub sector: u64,
    /// Bytes of a block of a folder.
    pub folder_block: u64,
    pub version5: bool,
    /// Names carry the kind of what they name.
    pub kinds: bool,
    /// Counts of extents are 64 bits wide.
    pub wide_counts: bool,
    uuid: [u8; 16],
    label: Vec<u8>,
}

impl Super {
    fn parse(bytes: &[u8]) -> Option<Super> {
        let number = |at| be_u32(bytes, at).map(u64::from);
        let log = |at| u8_at(bytes, at).map(u32::from);
        let version = be_u16(bytes, 100)?;
        let version5 = version & 0xF == 5;
        let more = version & 0x8000 != 0 && be_u32(bytes, 200)? & 0x200 != 0;
        let incompatible = if version5 { be_u32(bytes, 216)? } else { 0 };
        let sb = Super {
            block: number(4)?,
            blocks: be_u64(bytes, 8)?,
            root: be_u64(bytes, 56)?,
            group_blocks: number(84)?,
            groups: number(88)?,
            inode_size: u64::from(be_u16(bytes, 104)?),
            per_block: u64::from(be_u16(bytes, 106)?),
            block_log: log(120)?,
            per_block_log: log(123)?,
            group_log: log(124)?,
            sector: u64::from(be_u16(bytes, 102)?),
            folder_block: number(4)?.checked_shl(log(192)?)?,
            version5,
            kinds: more || incompatible & 1 != 0,
            wide_counts: incompatible & 0x20 != 0,
            uuid: array(bytes, 32)?,
            label: bytes.get(108..120)?.split(|b| *b == 0).next()?.to_vec(),
        };
        let sound = array::<4>(bytes, 0)? == *b"XFSB"
            && matches!(version & 0xF, 4 | 5)
            && sb.block_log < 17
            && sb.block == 1 << sb.block_log
            && sb.block >= 512
            && matches!(sb.inode_size, 256 | 512 | 1024 | 2048)
            && sb.per_block == sb.block / sb.inode_size
            && sb.per_block_log < 17
            && sb.per_block == 1 << sb.per_block_log
            && sb.group_log <= 31
            && sb.group_blocks > 0
            && sb.group_blocks <= 1 << sb.group_log
            && sb.groups > 0
            && matches!(sb.sector, 512 | 1024 | 2048 | 4096)
            && sb.folder_block <= 65536;
        sound.then_some(sb)
    }

    /// The byte of a block by its number within the whole volume, which holds that of its group.
    pub fn byte(&self, number: u64) -> Option<u64> {
        let (group, inside) = (number >> self.group_log, number & ((1 << self.group_log) - 1));
        let good = group < self.groups && inside < self.group_blocks;
        good.then(|| group.checked_mul(self.group_blocks)?.checked_add(inside)?.checked_mul(self.block)).flatten()
    }

    /// The byte of an inode.
    pub fn inode_byte(&self, number: u64) -> Option<u64> {
        let start = self.byte(number >> self.per_block_log)?;
        start.checked_add((number & (self.per_block - 1)).checked_mul(self.inode_size)?)
    }
}

/// Whether the bytes are the beginning of a volume.
pub(crate) fn recognise(head: &[u8]) -> bool {
    Super::parse(head).is_some()
}

/// A volume of XFS.
pub struct Xfs {
    source: Arc<dyn Source>,
    sb: Super,
    facts: VolumeFacts,
    /// Inodes of the file system's own: real-time bitmap and summary, quotas.
    own: Vec<u64>,
    /// Blocks of folders that may still be read.
    folder_blocks: AtomicU64,
    problems: Vec<Problem>,
}

impl Xfs {
    /// Opens the volume that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where neither the first superblock holds nor that of the second group.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let mut problems = vec![];
        let first = read_up_to(&*source, 0, 512)?;
        let sb = match Super::parse(&first) {
            Some(sb) => sb,
            None => {
                // Where the second group begins only a superblock says: the damaged one may still.
                let place = be_u32(&first, 84).map(u64::from).zip(be_u32(&first, 4)).map(|(n, b)| n * u64::from(b));
                let copy = place.filter(|p| *p > 0).and_then(|p| read_up_to(&*source, p, 512).ok());
                let copy = copy.as_deref().and_then(Super::parse);
                let Some(sb) = copy else {
                    return Err(OpenError::malformed(LAYER, 0, "its superblock contradicts itself"));
                };
                let detail = "the first superblock does not hold; that of the second group was used";
                problems.push(Problem::new(LAYER, "superblock-copy-used", Some(0), detail));
                sb
            }
        };
        if let Some(problem) = unclean(&*source, &first, &sb) {
            problems.push(problem);
        }
        let facts = VolumeFacts {
            kind: "xfs",
            label: (!sb.label.is_empty()).then(|| escape_bytes(&sb.label)),
            serial: Some(super::uuid(&sb.uuid)),
            cluster_size: sb.block,
            size: sb.blocks.saturating_mul(sb.block),
            time_source: "Times come from the inode (UTC): modified, changed, accessed, and created where the volume is of \
                          version 5.",
        };
        // Project quotas have their place at the end of what version 5 added.
        let own = [64, 72, 160, 168, 232].iter().filter_map(|at| be_u64(&first, *at)).collect();
        // Each is read for the walk, and once more for whoever walks again.
        let folder_blocks = AtomicU64::new((source.len() / sb.block).saturating_mul(16).saturating_add(1 << 12));
        Ok(Self { source, sb, facts, own, folder_blocks, problems })
    }

    fn read(&self, offset: u64, length: u64) -> Result<Vec<u8>, ReadError> {
        // Nothing that is read whole is longer than a folder's block.
        let mut out = vec![0; usize::try_from(length.min(1 << 16)).unwrap_or(0)];
        read_exact_at(&self.source, LAYER, offset, &mut out)?;
        Ok(out)
    }

    /// A block by its number within the whole volume.
    fn block(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        let offset = self.sb.byte(number).ok_or_else(|| damaged(number, "a block lies outside the volume"))?;
        self.read(offset, self.sb.block)
    }
}

fn damaged(offset: u64, detail: impl Into<String>) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Damaged, detail)
}

/// Whether the log ends in anything but the record that unmounting writes.
fn unclean(source: &dyn Source, superblock: &[u8], sb: &Super) -> Option<Problem> {
    let (start, blocks) = (be_u64(superblock, 48)?, be_u32(superblock, 96)?);
    let offset = sb.byte(start).filter(|_| start != 0)?;
    let length = u64::from(blocks).checked_mul(sb.block)?;
    // The record with the highest cycle and, in it, the highest block is the last; it is looked for once, in steps of 512.
    let mut last: Option<(u64, u64)> = None;
    let mut at = 0u64;
    while at < length {
        let part = read_up_to(source, offset.checked_add(at)?, 1 << 16).ok()?;
        if part.is_empty() {
            return None;
        }
        for (i, sector) in part.chunks_exact(512).enumerate() {
            if be_u32(sector, 0) == Some(0xFEED_BABE) {
                let lsn = be_u64(sector, 16)?;
                let place = at.checked_add(i as u64 * 512)?;
                if last.is_none_or(|(l, _)| l <= lsn) {
                    last = Some((lsn, place));
                }
            }
        }
        at = at.checked_add(part.len() as u64)?;
    }
    let (_, place) = last?;
    let record = read_up_to(source, offset.checked_add(place)?, 1 << 14).ok()?;
    // A head of 512 bytes for each 32 KiB that a record may be long; then one operation, whose flags say unmount.
    let heads = usize::try_from(be_u32(&record, 320)?.div_ceil(1 << 15).clamp(1, 16)).ok()?;
    let flags = u8_at(&record, heads * 512 + 9).unwrap_or(0);
    let clean = be_u32(&record, 40) == Some(1) && flags & 0x20 != 0;
    let detail = "the volume was not unmounted; its last changes are in the log, which was not replayed";
    (!clean).then(|| Problem::new(LAYER, "log-not-replayed", Some(offset.saturating_add(place)), detail))
}

/// A time: seconds and nanoseconds, or, where the flag of the inode says so, nanoseconds since 1901.
fn stamp(bytes: &[u8], at: usize, wide: bool) -> Option<Stamp> {
    if wide {
        let ns = be_u64(bytes, at)?;
        let seconds = i64::try_from(ns / 1_000_000_000).ok()?.checked_sub(1 << 31)?;
        return Stamp::from_unix(seconds, u32::try_from(ns % 1_000_000_000).ok()?);
    }
    let seconds = be_u32(bytes, at)?.cast_signed();
    Stamp::from_unix(i64::from(seconds), be_u32(bytes, at + 4)?)
}

impl FileSystem for Xfs {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Folder by folder from the root, in the order of their entries; then inodes without a name, by number.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::walk(self, visitor);
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        group::free(self)
    }
}
