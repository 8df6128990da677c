//! btrfs: the file system of many Linux desktops and network storages.
//!
//! After the Linux kernel's `btrfs_tree.h` and the on-disk format pages of the btrfs documentation. Every node is held
//! against its checksum (CRC-32C, xxHash64, SHA-256 or BLAKE2b), its place, its level and its generation, and so is every
//! block of a file that has a checksum, on every read. Where a block is stored twice on this disk (DUP, RAID1), the copy
//! that holds is taken. Subvolumes and snapshots are listed where they are mounted into the tree; one that no folder
//! names is listed under `/$Orphans`. Snapshots share their bytes: each file of each snapshot is an entry of its own.
//! Extended attributes are not listed.
//!
//! **Not read:** file systems that lie in stripes over several disks (RAID0, RAID10, RAID5, RAID6), or of which a part
//! lies on another disk only: they are refused by name. The log of the last synchronised changes is not replayed.
//! **Deleted files are not looked for.** A file deleted while it was open is an orphan.
//!
//! **Limits.** Entries may be as many as one for every eight bytes of the volume; files together may claim 1024 times the
//! volume, as snapshots do that share their bytes. Both end in what is listed or said.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `superblock-copy-used` | the first superblock does not hold; a copy was used |
//! | `node-copy-used` | nodes of which one copy does not hold; another was used |
//! | `log-not-replayed` | the volume was in use: the last changes are in its log only |
//! | `tree-damaged` | a node cannot be read or contradicts itself: entries may be missing |
//! | `data-checksums-missing` | the tree of checksums cannot be read: contents were not held against them |
//! | `directory-damaged` | a folder cannot be read or contradicts itself: entries may be missing |
//! | `directory-loop` | a folder read before; it was read once |
//! | `path-too-deep` | folders nest deeper than is read |
//! | `inode-missing` | a name leads to no file |
//! | `subvolume-missing` | a name leads to a subvolume that is not there |
//! | `subvolume-unnamed` | a subvolume that no folder names, as one that was being deleted; it is listed under `/$Orphans` |
//! | `entries-capped` | more entries than the volume can hold; the rest was left out |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use avocet_base::escape_bytes;

use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_up_to};

mod chunk;
mod content;
mod lzo;
mod space;
mod sum;
mod tree;
mod walk;

use chunk::{Chunks, Wanting};
use sum::Sum;
use tree::{Key, Nodes, Root};

const LAYER: &str = "btrfs";
/// Where superblocks lie, and how long they are.
const SUPERBLOCKS: [u64; 3] = [64 << 10, 64 << 20, 256 << 30];
const SUPERBLOCK: usize = 4096;
/// Trees by their number.
const EXTENT_TREE: u64 = 2;
const FS_TREE: u64 = 5;
const CSUM_TREE: u64 = 7;
/// Numbers of subvolumes lie between these.
const FIRST_FREE: u64 = 256;
const LAST_FREE: u64 = u64::MAX - 255;
/// Kinds of items.
const ROOT_ITEM: u8 = 132;
const ROOT_REF: u8 = 156;
const CHUNK_ITEM: u8 = 228;
/// Features that change what is read here; what is not among them does not concern reading.
const METADATA_UUID: u64 = 1 << 10;
const EXTENT_TREE_2: u64 = 1 << 13;
const STRIPE_TREE: u64 = 1 << 14;

/// What a superblock says.
#[derive(Debug, Clone)]
struct Super {
    pub sum: Sum,
    pub sector: u64,
    pub node: u64,
    pub device: u64,
    pub total: u64,
    /// What nodes carry as the number of their file system.
    pub node_uuid: [u8; 16],
    uuid: [u8; 16],
    root: Root,
    chunk_root: Root,
    log: u64,
    devices: u64,
    features: u64,
    label: Vec<u8>,
    system: Vec<u8>,
}

impl Super {
    /// The fields of a superblock, plausible in themselves; its checksum is another matter.
    fn parse(bytes: &[u8]) -> Option<Super> {
        let number = |at| le_u64(bytes, at);
        let size = |at| le_u32(bytes, at).map(u64::from);
        if array::<8>(bytes, 64)? != *b"_BHRfS_M" {
            return None;
        }
        let (sector, node) = (size(144)?, size(148)?);
        let good = sector.is_power_of_two()
            && node.is_power_of_two()
            && (4096..=65536).contains(&sector)
            && (sector..=65536).contains(&node);
        if !good {
            return None;
        }
        let features = number(188)?;
        let uuid = array(bytes, 32)?;
        let system = usize::try_from(size(160)?).ok()?.min(2048);
        Some(Super {
            sum: Sum::of(le_u16(bytes, 196)?)?,
            sector,
            node,
            device: number(201)?,
            total: number(209)?,
            node_uuid: if features & METADATA_UUID != 0 { array(bytes, 571)? } else { uuid },
            uuid,
            root: Root { at: number(80)?, level: u8_at(bytes, 198)?, generation: number(72)? },
            chunk_root: Root { at: number(88)?, level: u8_at(bytes, 199)?, generation: number(164)? },
            log: number(96)?,
            devices: number(136)?,
            features,
            label: bytes.get(299..555)?.split(|b| *b == 0).next()?.to_vec(),
            system: bytes.get(811..811usize.checked_add(system)?)?.to_vec(),
        })
    }

    /// A superblock that stands where it says and agrees with its checksum.
    fn sound(bytes: &[u8], place: u64) -> Option<Super> {
        let found = Super::parse(bytes)?;
        let good = le_u64(bytes, 48)? == place && found.sum.agrees(bytes.get(..32)?, bytes.get(32..SUPERBLOCK)?);
        good.then_some(found)
    }
}

/// Whether the bytes are the beginning of a volume. A superblock that is damaged behind its mark has copies.
pub(crate) fn recognise(head: &[u8]) -> bool {
    head.get(64 << 10..).and_then(Super::parse).is_some()
}

/// Whether a copy of the superblock holds that belongs to a volume of this length.
pub(crate) fn by_copy(source: &dyn Source) -> bool {
    let [_, copies @ ..] = SUPERBLOCKS;
    copies.into_iter().any(|place| {
        let bytes = read_up_to(source, place, SUPERBLOCK).unwrap_or_default();
        Super::sound(&bytes, place).is_some_and(|sb| sb.total <= source.len())
    })
}

/// A tree of files: the main one, a subvolume or a snapshot.
#[derive(Debug, Clone)]
struct Subvolume {
    pub root: Root,
    /// Whether a folder still names it, and it is not being deleted.
    pub named: bool,
}

/// What is read of a volume while its files are.
struct Shared {
    pub source: Arc<dyn Source>,
    pub sb: Super,
    pub chunks: Chunks,
    pub nodes: Nodes,
    /// The tree of checksums of contents, where it is there.
    pub sums: Option<Root>,
}

/// A volume of btrfs.
pub struct Btrfs {
    shared: Arc<Shared>,
    facts: VolumeFacts,
    trees: BTreeMap<u64, Subvolume>,
    /// Which folder of which tree names which subvolume.
    mounted: BTreeMap<(u64, u64), u64>,
    extents: Option<Root>,
    problems: Vec<Problem>,
}

fn damaged(offset: u64, detail: impl Into<String>) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Damaged, detail)
}

/// The superblock to go by, and whether it is not the first.
fn superblock(source: &dyn Source) -> Result<(Super, bool), OpenError> {
    for (n, place) in SUPERBLOCKS.into_iter().enumerate() {
        // A copy that cannot be read is one that does not hold.
        let bytes = read_up_to(source, place, SUPERBLOCK).unwrap_or_default();
        if let Some(found) = Super::sound(&bytes, place) {
            return Ok((found, n > 0));
        }
    }
    Err(OpenError::malformed(LAYER, 64 << 10, "neither its superblock holds nor a copy of it"))
}

fn refused(what: &str) -> OpenError {
    OpenError::Unsupported {
        what: format!("btrfs {what}"),
        advice: "Put the disks together with the system that they belong to, image the whole, and examine that image",
    }
}

impl From<Wanting> for OpenError {
    fn from(why: Wanting) -> Self {
        match why {
            Wanting::Striped(profile) => refused(&format!("in stripes over disks ({profile})")),
            Wanting::OtherDevice => refused("over several disks, of which this one does not hold all"),
            Wanting::Broken(at) => {
                OpenError::malformed(LAYER, at, "a record of where its bytes lie contradicts itself")
            }
        }
    }
}

impl Btrfs {
    /// Opens the volume that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where no superblock holds, the trees that say where everything lies cannot be read, or the volume
    /// does not lie on this disk alone.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let (sb, copy) = superblock(&*source)?;
        let mut problems = vec![];
        if copy {
            let detail = "the first superblock does not hold; a copy was used";
            problems.push(Problem::new(LAYER, "superblock-copy-used", Some(64 << 10), detail));
        }
        if sb.features & (EXTENT_TREE_2 | STRIPE_TREE) != 0 {
            return Err(refused("with an experimental layout (second version of its trees, stripe tree)"));
        }
        if sb.log != 0 {
            let detail = "the volume was in use; its last changes are in the log, which was not replayed";
            problems.push(Problem::new(LAYER, "log-not-replayed", None, detail));
        }
        let chunks = Chunks::system(&sb)?;
        let mut shared = Shared { nodes: Nodes::new(source.len(), sb.node), source, sb, chunks, sums: None };
        let mut troubles = vec![];
        let (mut more, mut wanting) = (vec![], None);
        shared.scan(&shared.sb.chunk_root, Key::FIRST, Key::LAST, &mut |e| troubles.push(e), &mut |key, value| {
            if key.kind == CHUNK_ITEM {
                match chunk::Chunk::parse(key.offset, value, &shared.sb) {
                    Ok((chunk, _)) => more.push(chunk),
                    Err(why) => wanting = Some(why),
                }
            }
            std::ops::ControlFlow::Continue(())
        })?;
        if let Some(why) = wanting {
            return Err(why.into());
        }
        // A volume of several disks keeps parts that this one has no copy of.
        if shared.sb.devices > 1 && !troubles.is_empty() {
            return Err(refused("over several disks, of which this one does not hold all"));
        }
        more.into_iter().for_each(|chunk| shared.chunks.add(chunk));
        let (mut trees, mut mounted, mut extents, mut sums) = (BTreeMap::new(), BTreeMap::new(), None, None);
        shared.scan(&shared.sb.root, Key::FIRST, Key::LAST, &mut |e| troubles.push(e), &mut |key, value| {
            match key.kind {
                ROOT_ITEM => {
                    let tree = subvolume(value);
                    match (key.object, tree) {
                        (EXTENT_TREE, Some(tree)) => extents = Some(tree.root),
                        (CSUM_TREE, Some(tree)) => sums = Some(tree.root),
                        (FS_TREE | FIRST_FREE..=LAST_FREE, Some(tree)) => drop(trees.insert(key.object, tree)),
                        _ => {}
                    }
                }
                ROOT_REF => {
                    if let Some(folder) = le_u64(value, 0) {
                        mounted.insert((key.object, key.offset), folder);
                    }
                }
                _ => {}
            }
            std::ops::ControlFlow::Continue(())
        })?;
        for e in troubles {
            problems.push(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail));
        }
        let readable = |root: &Root| shared.node(root.at, root.level, Some(root.generation));
        if let Some(Err(e)) = sums.as_ref().map(readable) {
            let detail = format!("contents were not held against their checksums: {}", e.detail);
            problems.push(Problem::new(LAYER, "data-checksums-missing", Some(e.offset), detail));
            sums = None;
        }
        shared.sums = sums;
        let sb = &shared.sb;
        let facts = VolumeFacts {
            kind: "btrfs",
            label: (!sb.label.is_empty()).then(|| escape_bytes(&sb.label)),
            serial: Some(super::uuid(&sb.uuid)),
            cluster_size: sb.sector,
            size: sb.total,
            time_source: "Times come from the inode (UTC, nanoseconds): created, modified, changed, accessed.",
        };
        Ok(Self { shared: Arc::new(shared), facts, trees, mounted, extents, problems })
    }
}

fn subvolume(item: &[u8]) -> Option<Subvolume> {
    Some(Subvolume {
        root: Root { at: le_u64(item, 176)?, level: u8_at(item, 238)?, generation: le_u64(item, 160)? },
        named: le_u32(item, 216)? > 0,
    })
}

impl FileSystem for Btrfs {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// The main tree folder by folder from its root, in the order of their entries, with files that no folder names
    /// behind; then each subvolume the same way, in the order in which they were met; then those that none led to.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::walk(self, visitor);
        let copies = self.shared.nodes.other_copies.load(Relaxed);
        if copies > 0 {
            let detail = format!("{copies} times a node did not hold, and its other copy did");
            visitor.problem(Problem::new(LAYER, "node-copy-used", None, detail));
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        space::free(self)
    }
}
