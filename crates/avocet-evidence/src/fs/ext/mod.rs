//! ext2, ext3 and ext4: live, deleted and orphaned files, written from the kernel's ext4 on-disk documentation.
//!
//! What an examiner should know:
//! - Deleting a file wipes its block pointers (ext3, ext4, and ext2 on Linux since the ext4 driver mounts it). Where the
//!   journal still holds a copy of the inode from before, its content is read from there and says so; otherwise the
//!   location is gone.
//! - Deleted names come from the slack of directory records and from older copies of directory blocks in the journal. A
//!   name whose inode belongs to a live file now is listed without content: renaming leaves such names too.
//! - Inodes without a name are listed under `/$Orphans/inode-N`: deleted ones, and ones in use that no directory names.
//!   An earlier file of a reused inode that only the journal knows is `/$Orphans/inode-N-generation-G`.
//! - The journal is never replayed; a volume that was not cleanly unmounted says so.
//! - A file whose size is more than four times the volume is not read: almost all of it would be holes.
//!
//! Problem codes: `superblock-copy-used`, `superblock-checksum`, `volume-truncated`, `inode-count-capped`,
//! `group-descriptor-damaged`, `journal-not-replayed`, `journal-external`, `journal-unreadable`, `inode-unreadable`,
//! `inode-checksum`, `directory-checksum`, `extent-checksum`, `directory-unreadable`, `directory-damaged`,
//! `directory-loop`, `entry-inode-out-of-range`, `path-too-deep`, `walk-budget-exhausted`, `recovered-bytes-capped`.

mod dir;
mod gone;
mod groups;
mod inode;
mod journal;
mod map;
mod reader;
mod recover;
mod superblock;
mod walk;

use std::sync::Arc;

use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::Source;
use groups::Group;
use superblock::{INCOMPAT_JOURNAL_DEV, INCOMPAT_KNOWN, Superblock};

const TIME_SOURCE: &str = "inode fields i_crtime (ext4 only), i_mtime, i_atime, i_ctime and i_dtime, stored in UTC with \
                           nanoseconds where the inode is large enough; times of a file recovered from the journal are \
                           those of the copy there";

/// An ext2, ext3 or ext4 file system.
pub struct Ext {
    volume: Arc<dyn Source>,
    sb: Superblock,
    groups: Vec<Option<Group>>,
    /// Inodes that the volume's bytes can hold.
    inodes: u32,
    facts: VolumeFacts,
    problems: Vec<Problem>,
}

impl Ext {
    /// Opens the file system that begins at byte 0 of `volume`.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where neither the superblock nor a copy of it makes sense, [`OpenError::Unsupported`]
    /// where it is an external journal or needs a feature that this reader does not know.
    pub fn open(volume: Arc<dyn Source>) -> Result<Self, OpenError> {
        let (sb, copy) = Superblock::find(&*volume).map_err(|reason| OpenError::malformed("ext", 1024, reason))?;
        let unsupported = |what: String| {
            let advice = "Examine it with another tool and record that it was not read here";
            OpenError::Unsupported { what, advice }
        };
        if sb.incompat & INCOMPAT_JOURNAL_DEV != 0 {
            return Err(unsupported("an external ext journal".to_owned()));
        }
        let unknown = sb.incompat & !INCOMPAT_KNOWN;
        if unknown != 0 {
            return Err(unsupported(format!("an ext file system with the unknown features {unknown:#x}")));
        }
        let mut problems = Vec::new();
        let mut problem = |code, offset, detail| problems.push(Problem::new("ext", code, Some(offset), detail));
        if let Some((reason, offset)) = copy {
            let detail = format!("the superblock is broken ({reason}); the copy at byte {offset} was used");
            problem("superblock-copy-used", 1024, detail);
        }
        if !sb.checksum_ok {
            problem("superblock-checksum", 1024, "the superblock's checksum does not agree with it".to_owned());
        }
        let size = sb.blocks.saturating_mul(sb.block_size);
        if size > volume.len() {
            let detail = format!("the file system declares {size} bytes and the volume has {}", volume.len());
            problem("volume-truncated", volume.len(), detail);
        }
        if sb.needs_recovery() {
            let detail = "the volume was not unmounted cleanly: its last changes stand only in the journal, which is not \
                          replayed; files of those last moments may show as deleted or with an older state";
            problem("journal-not-replayed", 1024, detail.to_owned());
        }
        let held = volume.len() / sb.inode_size as u64;
        let declared = u64::from(sb.inodes);
        let inodes = declared.min(held).min(sb.groups().saturating_mul(u64::from(sb.inodes_per_group)));
        if inodes < declared {
            let detail = format!("{declared} inodes are declared and there is room for {inodes}");
            problem("inode-count-capped", 1024, detail);
        }
        let groups = groups::read(&*volume, &sb, &mut problems);
        let facts = VolumeFacts {
            kind: sb.kind(),
            label: sb.label.clone(),
            serial: Some(sb.serial()),
            cluster_size: sb.block_size.saturating_mul(sb.cluster_blocks),
            size,
            time_source: TIME_SOURCE,
        };
        let inodes = u32::try_from(inodes).unwrap_or(u32::MAX);
        Ok(Self { volume, sb, groups, inodes, facts, problems })
    }

    /// Bytes of one block; with `bigalloc` a cluster holds several.
    pub fn block_size(&self) -> u64 {
        self.sb.block_size
    }

    /// Blocks that the superblock counts as free.
    pub fn declared_free_blocks(&self) -> u64 {
        self.sb.free_blocks
    }
}

impl FileSystem for Ext {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        walk::walk(self, visitor);
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        groups::free_runs(&*self.volume, &self.sb, &self.groups)
    }
}
