//! F2FS: the user's data of most Android phones, and some cards.
//!
//! After the Linux kernel's `f2fs_fs.h` and its documentation of the format. The newer of the two checkpoints that hold is
//! taken, with the changes to its tables that it keeps beside them. Folders are walked from the root; then the table of
//! nodes says which inodes are in use that no folder led to: those are orphans. Each node is held against its number and its
//! owner, and an inode against its checksum where it has one. Extended attributes are not listed; the hashes of names are
//! not held against the names.
//!
//! On a phone files are mostly encrypted one by one: such a file is listed with its size and times, without content, and its
//! name is as it is stored. A file of which something is compressed is listed in the same way, with how it is compressed.
//!
//! **Not read:** volumes over several disks, and those with blocks of another size than 4096 bytes, are refused by name. What
//! was written after the last checkpoint of a volume in use is not read, and said. **Deleted files are not looked for.**
//!
//! **Limits.** A folder is read once. Files together may claim 16 times the volume. A path longer than 16 KiB ends.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `superblock-copy-used` | the first superblock does not hold; the second was used |
//! | `checkpoint-older-used` | the newer checkpoint does not hold; the older one was used |
//! | `not-closed-cleanly-f2fs` | the volume was in use: what was written after the last checkpoint is not read |
//! | `inode-checksum-differs` | the checksum of an inode does not agree: what it says may be wrong |
//! | `inode-missing` | a name leads to no file |
//! | `inode-table-damaged` | a part of the table of nodes cannot be read: files without a name may be missing |
//! | `directory-damaged` | a folder cannot be read or contradicts itself: entries may be missing |
//! | `directory-loop` | a folder read before; it was read once |
//! | `directories-capped` | the folders together claim more blocks than there are; the rest was not read |
//! | `path-too-deep` | folders nest deeper than is read |
//! | `file-count-differs` | the volume declares another number of files and folders than were found |

use std::sync::Arc;

use avocet_base::escape_utf16;

use crate::bytes::{array, le_u32, le_u64, u8_at, utf16_le};
use crate::checksum::crc32;
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_exact_at, read_up_to};

mod content;
mod dir;
mod node;
mod table;
mod walk;

use table::Tables;

const LAYER: &str = "f2fs";
/// Bytes of a block, in every volume but those of systems with larger pages.
const BLOCK: u64 = 4096;
const MAGIC: u32 = 0xF2F5_2010;
/// Features.
const INODE_SUMS: u32 = 0x20;
const FLEXIBLE_ATTRIBUTES: u32 = 0x40;
const CREATED: u32 = 0x100;
const SUPER_SUM: u32 = 0x800;

fn damaged(offset: u64, detail: impl Into<String>) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Damaged, detail)
}

/// What a superblock says.
#[derive(Debug, Clone)]
struct Super {
    pub block_log: u32,
    pub segment_log: u32,
    pub blocks: u64,
    pub segments_main: u32,
    pub segments_sit: u32,
    pub segments_nat: u32,
    pub checkpoint: u32,
    pub sit: u32,
    pub nat: u32,
    pub main: u32,
    pub root: u32,
    /// Inodes of the file system's own.
    pub own: Vec<u32>,
    pub payload: u32,
    pub features: u32,
    /// Whether it names further disks.
    several: bool,
    uuid: [u8; 16],
    label: String,
}

impl Super {
    /// The superblock of 3072 bytes, held against more than its mark.
    fn parse(bytes: &[u8]) -> Option<Super> {
        let number = |at| le_u32(bytes, at);
        let label: Vec<u16> = utf16_le(bytes.get(124..1148)?).into_iter().take_while(|u| *u != 0).collect();
        let sb = Super {
            block_log: number(16)?,
            segment_log: number(20)?,
            blocks: le_u64(bytes, 36)?,
            segments_main: number(68)?,
            segments_sit: number(56)?,
            segments_nat: number(60)?,
            checkpoint: number(76)?,
            sit: number(80)?,
            nat: number(84)?,
            main: number(92)?,
            root: number(96)?,
            own: [100, 104, 2745, 2749, 2753].iter().filter_map(|at| number(*at)).collect(),
            payload: number(1664)?,
            features: number(2180)?,
            several: u8_at(bytes, 2201)? != 0,
            uuid: array(bytes, 108)?,
            label: escape_utf16(&label),
        };
        let order = sb.checkpoint < sb.sit && sb.sit < sb.nat && sb.nat < sb.main && u64::from(sb.main) < sb.blocks;
        let sound = number(0)? == MAGIC
            && (12..=16).contains(&sb.block_log)
            && sb.segment_log == 9
            && order
            && sb.root > 0
            && sb.segments_main > 0
            && u64::from(sb.segments_main).checked_shl(9)?.checked_add(u64::from(sb.main))? <= sb.blocks;
        let sum = sb.features & SUPER_SUM == 0 || number(3068)? == crc32(MAGIC, bytes.get(..3068)?);
        (sound && sum).then_some(sb)
    }
}

/// Whether the bytes are the beginning of a volume, by one of its superblocks.
pub(crate) fn recognise(head: &[u8]) -> bool {
    [1024, 5120].iter().any(|at| head.get(*at..).and_then(Super::parse).is_some())
}

/// A volume of F2FS.
pub struct F2fs {
    source: Arc<dyn Source>,
    sb: Super,
    tables: Tables,
    facts: VolumeFacts,
    problems: Vec<Problem>,
}

impl F2fs {
    /// Opens the volume that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where neither superblock holds or neither checkpoint, or the volume is of a kind that is not read.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let mut problems = vec![];
        let read = |at| read_up_to(&*source, at, 3072).ok().and_then(|bytes| Super::parse(&bytes));
        let sb = match read(1024) {
            Some(sb) => sb,
            None => {
                let detail = "the first superblock does not hold; the second was used";
                problems.push(Problem::new(LAYER, "superblock-copy-used", Some(1024), detail));
                read(5120).ok_or_else(|| OpenError::malformed(LAYER, 1024, "neither of its superblocks holds"))?
            }
        };
        let refused = |what: &str, advice| Err(OpenError::Unsupported { what: what.into(), advice });
        if sb.block_log != 12 {
            return refused(
                "F2FS with blocks of another size than 4096 bytes",
                "Read it on a system that mounts it, and examine a copy of its files",
            );
        }
        if sb.several {
            return refused("F2FS over several disks", "Image every disk of it, and examine a copy of its files");
        }
        let tables = Tables::open(&source, &sb, &mut problems)?;
        let facts = VolumeFacts {
            kind: "f2fs",
            label: (!sb.label.is_empty()).then(|| sb.label.clone()),
            serial: Some(super::uuid(&sb.uuid)),
            cluster_size: BLOCK,
            size: sb.blocks.saturating_mul(BLOCK),
            time_source: "Times come from the inode (UTC, nanoseconds): modified, changed, accessed, and created where the \
                          volume keeps it.",
        };
        Ok(Self { source, sb, tables, facts, problems })
    }

    /// A block of the main area.
    fn block(&self, number: u32) -> Result<Vec<u8>, ReadError> {
        let offset = self.byte(number).ok_or_else(|| damaged(u64::from(number), "a block lies outside the volume"))?;
        block_at(&self.source, offset)
    }

    /// The byte of a block of the main area.
    fn byte(&self, number: u32) -> Option<u64> {
        let offset = u64::from(number).checked_mul(BLOCK)?;
        let inside = number >= self.sb.main && u64::from(number) < self.sb.blocks;
        (inside && offset.checked_add(BLOCK)? <= self.source.len()).then_some(offset)
    }
}

fn block_at(source: &Arc<dyn Source>, offset: u64) -> Result<Vec<u8>, ReadError> {
    let mut out = vec![0; usize::try_from(BLOCK).unwrap_or(4096)];
    read_exact_at(source, LAYER, offset, &mut out)?;
    Ok(out)
}

/// A bit of a map whose bytes begin with their highest bit.
fn bit(map: &[u8], number: u64) -> bool {
    let byte = usize::try_from(number / 8).ok().and_then(|at| map.get(at)).copied().unwrap_or(0);
    byte >> (7 - number % 8) & 1 == 1
}

impl FileSystem for F2fs {
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
        self.tables.free(&self.source, &self.sb)
    }
}
