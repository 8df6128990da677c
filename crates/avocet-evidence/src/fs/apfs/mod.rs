//! APFS: disks of every Mac since 2017, and of iPhones.
//!
//! After Apple's "Apple File System Reference". A container holds several volumes that share its space; each is a volume
//! of its own here. Every block is held against its Fletcher checksum. The newest checkpoint that holds is taken.
//! Extended attributes are streams of their own name; a file with several names is listed under each. Files that the
//! system compressed are decoded as those of HFS+ are. A file that no folder names any more, because it was deleted while
//! it was open, is an orphan.
//!
//! **Not read:** encrypted volumes (named as such), snapshots (listed with their time and sizes), containers over two disks (Fusion).
//! **Deleted files are not looked for.**
//!
//! **Limits.** A tree is read to as many nodes as the container has blocks. Files together may claim 256 times the
//! container, as copies that share their blocks do; those beyond are listed as unreadable. A path longer than 16 KiB
//! begins at `/$Orphans`.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `checkpoint-older-used` | the newest checkpoint does not hold; an older one was used |
//! | `tree-damaged` | a node cannot be read or contradicts itself: entries may be missing |
//! | `parent-missing` | a file or folder whose folder is not there; it is listed under `/$Orphans` |
//! | `directory-loop` | folders contain each other; they are listed under `/$Orphans` |
//! | `inode-missing` | a name leads to no file |
//! | `file-count-differs` | the volume declares another number of files or folders than were found |
//! | `apfs-snapshots-not-read` | the volume holds an earlier state of itself: one problem each, at `/$Snapshots/NAME` |

use std::sync::Arc;

use avocet_base::escape_bytes;

use crate::bytes::{array, le_u16, le_u32, le_u64};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_exact_at, read_up_to};
use crate::volume::guid_text;

mod record;
mod snapshot;
mod space;
mod tree;
mod walk;

use tree::Tree;

const LAYER: &str = "apfs";
/// Volumes of one container.
const VOLUMES: usize = 100;
/// Blocks of checkpoints that are looked at.
const CHECKPOINT_BLOCKS: u32 = 4096;

/// Whether the bytes are the beginning of a container.
pub(crate) fn recognise(head: &[u8]) -> bool {
    block_size(head).is_some()
}

fn block_size(head: &[u8]) -> Option<u64> {
    let block = le_u32(head, 36)?;
    let good = array::<4>(head, 32)? == *b"NXSB" && block.is_power_of_two() && (4096..=65536).contains(&block);
    good.then_some(u64::from(block))
}

/// The blocks of a container.
pub(crate) struct Container {
    pub source: Arc<dyn Source>,
    pub block: u64,
    pub blocks: u64,
}

fn damaged(block: u64, detail: impl Into<String>) -> ReadError {
    ReadError::new(LAYER, block, ReadFault::Damaged, detail)
}

/// The checksum of Fletcher over the block behind its own place, as the format uses it.
fn checksum(block: &[u8]) -> u64 {
    const MODULUS: u64 = 0xFFFF_FFFF;
    let (mut first, mut second) = (0u64, 0u64);
    for word in block.get(8..).unwrap_or_default().chunks_exact(4) {
        first = (first + u64::from(le_u32(word, 0).unwrap_or(0))) % MODULUS;
        second = (second + first) % MODULUS;
    }
    let low = MODULUS - (first + second) % MODULUS;
    let high = MODULUS - (first + low) % MODULUS;
    high << 32 | low
}

impl Container {
    /// A block as it is, without being held against its checksum.
    pub fn raw(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        let offset = number.checked_mul(self.block).filter(|_| number < self.blocks);
        let offset = offset.ok_or_else(|| damaged(number, "a block lies outside the container"))?;
        let mut out = vec![0; usize::try_from(self.block).unwrap_or(0)];
        read_exact_at(&self.source, LAYER, offset, &mut out)?;
        Ok(out)
    }

    /// An object, which begins with its checksum.
    pub fn object(&self, number: u64) -> Result<Vec<u8>, ReadError> {
        let block = self.raw(number)?;
        if le_u64(&block, 0) == Some(checksum(&block)) {
            Ok(block)
        } else {
            let offset = number.saturating_mul(self.block);
            Err(ReadError::new(LAYER, offset, ReadFault::Damaged, "the checksum of a block does not agree"))
        }
    }
}

/// The newest superblock that holds.
struct Checkpoint {
    superblock: Vec<u8>,
    problems: Vec<Problem>,
}

fn checkpoint(container: &Container, first: &[u8]) -> Result<Checkpoint, OpenError> {
    let count = le_u32(first, 104).unwrap_or(0);
    let base = le_u64(first, 112).unwrap_or(0);
    let mut problems = vec![];
    if count & 0x8000_0000 != 0 {
        return Err(OpenError::malformed(LAYER, 112, "its checkpoints lie in pieces, which is not read"));
    }
    let (mut best, mut newest): (Option<Vec<u8>>, u64) = (None, 0);
    for number in 0..count.min(CHECKPOINT_BLOCKS) {
        let Ok(block) = container.raw(base.saturating_add(u64::from(number))) else { continue };
        if array::<4>(&block, 32) != Some(*b"NXSB") {
            continue;
        }
        let xid = le_u64(&block, 16).unwrap_or(0);
        newest = newest.max(xid);
        let better = best.as_ref().is_none_or(|b| le_u64(b, 16) < Some(xid));
        if better && le_u64(&block, 0) == Some(checksum(&block)) {
            best = Some(block);
        }
    }
    // Block 0 is a copy, written when the container is unmounted.
    let copy = Some(first.to_vec()).filter(|b| le_u64(b, 0) == Some(checksum(b)));
    let superblock = match (best, copy) {
        (Some(best), _) => best,
        (None, Some(copy)) => copy,
        (None, None) => {
            return Err(OpenError::malformed(LAYER, 0, "no checkpoint holds, and neither does the first block"));
        }
    };
    if le_u64(&superblock, 16) < Some(newest) {
        let detail = "the newest checkpoint does not hold; an older one was used: the last changes may be missing";
        problems.push(Problem::new(LAYER, "checkpoint-older-used", None, detail));
    }
    Ok(Checkpoint { superblock, problems })
}

/// What a container holds.
pub(crate) enum Found {
    /// A volume that is read.
    Volume(Box<Apfs>),
    /// A volume that is not, with its name and why.
    NotRead(String, String),
    /// A volume whose superblock cannot be read.
    Failed(OpenError),
}

/// Opens every volume of the container that begins at the source's first byte.
///
/// # Errors
/// [`OpenError`] where no checkpoint of the container holds.
pub(crate) fn open_all(source: &Arc<dyn Source>) -> Result<Vec<Found>, OpenError> {
    let head = read_up_to(&**source, 0, 4096)?;
    let Some(block) = block_size(&head) else {
        return Err(OpenError::malformed(LAYER, 0, "no container begins here"));
    };
    let blocks = source.len() / block;
    let container = Arc::new(Container { source: Arc::clone(source), block, blocks });
    let first = container.raw(0)?;
    let Checkpoint { superblock, problems } = checkpoint(&container, &first)?;
    let number = |at| le_u64(&superblock, at).unwrap_or(0);
    if number(64) & 0x100 != 0 {
        let detail = "a Fusion drive: its other half lies on another disk";
        return Err(OpenError::malformed(LAYER, 64, detail));
    }
    let xid = number(16);
    let objects = Tree::object_map(&container, number(160))?;
    let count = le_u32(&superblock, 180).map_or(0, |n| usize::try_from(n).unwrap_or(0)).min(VOLUMES);
    let mut out = vec![];
    for i in 0..count {
        let oid = number(184 + 8 * i);
        if oid == 0 {
            continue;
        }
        let opened = Apfs::volume(&container, &objects, oid, xid);
        let mut found = opened.unwrap_or_else(|e| Found::Failed(e.into()));
        if let (Found::Volume(volume), true) = (&mut found, out.is_empty()) {
            // The container's own troubles and its free space are told once.
            volume.problems.splice(0..0, problems.iter().cloned());
            volume.spaceman = Some((superblock.clone(), xid));
        }
        out.push(found);
    }
    Ok(out)
}

/// One volume of a container.
pub struct Apfs {
    container: Arc<Container>,
    facts: VolumeFacts,
    tree: Tree,
    /// Whether names in keys carry a hash.
    hashed: bool,
    files: u64,
    folders: u64,
    problems: Vec<Problem>,
    /// The container's superblock, for the volume that tells its free space.
    spaceman: Option<(Vec<u8>, u64)>,
}

impl Apfs {
    /// The first volume that is read of the container that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where there is none.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let volume = open_all(&source)?.into_iter().find_map(|found| match found {
            Found::Volume(volume) => Some(*volume),
            _ => None,
        });
        volume.ok_or_else(|| OpenError::malformed(LAYER, 0, "the container holds no volume that is read"))
    }

    fn volume(container: &Arc<Container>, objects: &Tree, oid: u64, xid: u64) -> Result<Found, ReadError> {
        let place = objects.resolve(oid, xid)?;
        let sb = container.object(place)?;
        if array::<4>(&sb, 32) != Some(*b"APSB") {
            return Err(damaged(place, "a volume's superblock is none"));
        }
        let number = |at| le_u64(&sb, at).unwrap_or(0);
        let name = sb.get(704..960).unwrap_or_default().split(|b| *b == 0).next().unwrap_or_default();
        let label = (!name.is_empty()).then(|| escape_bytes(name));
        let incompatible = number(56);
        // Without the flag the volume's own data are encrypted, and its tree may be.
        if number(264) & 1 == 0 {
            return Ok(Found::NotRead("encrypted APFS volume".into(), role(&sb).into()));
        }
        let volume_objects = Tree::object_map(container, number(128))?;
        let root = number(136);
        let physical = le_u32(&sb, 116).unwrap_or(0) & 0xC000_0000 == 0x4000_0000;
        let tree = Tree::of(container, root, xid, (!physical).then_some(volume_objects))?;
        let mut problems = vec![];
        let snapshots = number(216);
        if snapshots > 0 {
            problems.extend(snapshot::problems(container, number(152), snapshots));
        }
        let facts = VolumeFacts {
            kind: "apfs",
            label,
            serial: array(&sb, 240).map(|id| uuid(&id)),
            cluster_size: container.block,
            size: container.blocks.saturating_mul(container.block),
            time_source: "Times come from the file's record (UTC, nanoseconds): created, modified, changed, accessed.",
        };
        Ok(Found::Volume(Box::new(Apfs {
            container: Arc::clone(container),
            facts,
            tree,
            hashed: incompatible & 0x9 != 0,
            files: number(184),
            folders: number(192),
            problems,
            spaceman: None,
        })))
    }
}

/// A UUID in the usual order of its bytes.
fn uuid(bytes: &[u8; 16]) -> String {
    let [a, b, c, d, e, f, g, h, rest @ ..] = *bytes;
    // The helper takes the first three groups little-endian, as a GPT stores them.
    let [i, j, k, l, m, n, o, p] = rest;
    guid_text(&[d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p])
}

/// What a volume is for.
fn role(superblock: &[u8]) -> &'static str {
    match le_u16(superblock, 964).unwrap_or(0) {
        0x01 => "the system",
        0x02 => "home folders",
        0x04 => "recovery",
        0x08 => "memory that was written out",
        0x10 => "preparing for a start",
        0x40 => "the user's data",
        _ => "",
    }
}

impl FileSystem for Apfs {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Names in the order of the tree: by the number of their folder, then by the key of the name; then files without one.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::walk(self, visitor);
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        match &self.spaceman {
            Some((superblock, xid)) => space::free(&self.container, superblock, *xid),
            None => Ok(vec![]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_written_in_the_order_of_its_bytes() {
        let bytes: [u8; 16] = std::array::from_fn(|i| i as u8);
        assert_eq!(uuid(&bytes).to_lowercase(), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
