//! HFS+ and HFSX, also in an HFS wrapper: disks of a Mac, older iPods, and most disk images for a Mac.
//!
//! After Apple's Technical Note TN1150 and the kernel's `hfs_format.h`. The catalogue is read along its leaves, so a
//! damaged index costs nothing. Resource forks are streams named `rsrc`, extended attributes streams of their own name.
//! A hard link's content is that of the file it leads to, which is listed as well. Files that the system compressed are
//! decoded (zlib, LZVN and LZFSE, inline and in the resource fork); LZBITMAP is listed as unreadable.
//!
//! **Names** are UTF-16 as stored, which is decomposed: `e` and an accent are two characters. A `/` in a name is written
//! `\u{2f}`; the command line of a Mac shows it as a colon.
//!
//! **Deleted files are not looked for.** A removed record is overwritten by its neighbours at once.
//!
//! **Limits.** A tree is read to as many nodes as it has, each once. Files together may claim 256 times the volume, as hard
//! links of backups do; those beyond are listed as unreadable. A path longer than 16 KiB begins at `/$Orphans`.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `boot-sector-backup-used` | the volume header is damaged; the copy at the end was used |
//! | `not-closed-cleanly-hfs` | the volume was in use: changes may be in its journal only |
//! | `tree-damaged` | a node of a tree cannot be read or contradicts itself: entries may be missing |
//! | `leaf-count-differs` | the catalogue declares another number of records than were found |
//! | `parent-missing` | a file or folder whose folder is not there; it is listed under `/$Orphans` |
//! | `directory-loop` | folders contain each other; they are listed under `/$Orphans` |
//! | `link-broken` | a hard link leads to no file |
//! | `file-count-differs` | the volume header declares another number of files or folders than were found |

use std::sync::Arc;

use avocet_base::Stamp;

use crate::bytes::{array, be_u16, be_u32, be_u64};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_up_to};

mod attributes;
mod fork;
pub(crate) mod packed;
mod record;
mod tree;
mod walk;

pub(crate) use fork::Fork;
use fork::ForkData;
use tree::Tree;

const LAYER: &str = "hfs+";
/// Seconds from 1904-01-01 to 1970-01-01.
const EPOCH: i64 = 2_082_844_800;

/// What the volume header says.
#[derive(Debug, Clone)]
struct Header {
    block_size: u64,
    blocks: u64,
    files: u32,
    folders: u32,
    unmounted: bool,
    id: u64,
    allocation: ForkData,
    extents: ForkData,
    catalogue: ForkData,
    attributes: ForkData,
}

impl Header {
    fn parse(bytes: &[u8]) -> Option<Header> {
        let version = be_u16(bytes, 2)?;
        let known = matches!((array::<2>(bytes, 0)?, version), ([b'H', b'+'], 4) | ([b'H', b'X'], 5));
        let block_size = u64::from(be_u32(bytes, 40)?);
        let sound = known && block_size.is_power_of_two() && (512..=1 << 26).contains(&block_size);
        let fork = |at: usize| bytes.get(at..).and_then(ForkData::parse);
        sound.then_some(Header {
            block_size,
            blocks: u64::from(be_u32(bytes, 44)?),
            files: be_u32(bytes, 32)?,
            folders: be_u32(bytes, 36)?,
            unmounted: be_u32(bytes, 4)? & 0x100 != 0,
            id: be_u64(bytes, 104)?,
            allocation: fork(112)?,
            extents: fork(192)?,
            catalogue: fork(272)?,
            attributes: fork(352)?,
        })
    }
}

/// Where in a source the volume begins: behind the wrapper, where there is one.
fn wrapped(head: &[u8]) -> Option<u64> {
    let wrapper = array::<2>(head, 0)? == *b"BD" && array::<2>(head, 124)? == *b"H+";
    let block = u64::from(be_u32(head, 20)?);
    let first = u64::from(be_u16(head, 28)?) * 512;
    wrapper.then(|| be_u16(head, 126)).flatten().map(|at| first + u64::from(at) * block)
}

/// Whether the bytes from 1024 on are the header of a volume, or of a wrapper around one.
pub(crate) fn recognise(head: &[u8]) -> bool {
    Header::parse(head).is_some() || wrapped(head).is_some()
}

/// A volume of HFS+.
pub struct Hfs {
    source: Arc<dyn Source>,
    /// Where the volume begins in the source.
    base: u64,
    header: Header,
    facts: VolumeFacts,
    catalogue: Tree,
    extents: Option<Tree>,
    attributes: Option<Tree>,
    problems: Vec<Problem>,
}

impl Hfs {
    /// Opens the volume that begins at the source's first byte.
    ///
    /// # Errors
    /// [`OpenError`] where neither volume header holds, or the catalogue cannot be opened.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let mut problems = vec![];
        let head = read_up_to(&*source, 1024, 512)?;
        let base = wrapped(&head).unwrap_or(0);
        let first = Header::parse(&read_up_to(&*source, base.saturating_add(1024), 512)?);
        let header = match first {
            Some(header) => header,
            None => {
                let place = source.len().saturating_sub(1024);
                let detail = "the volume header does not hold; its copy at the end was used";
                problems.push(Problem::new(LAYER, "boot-sector-backup-used", Some(1024), detail));
                Header::parse(&read_up_to(&*source, place, 512)?)
                    .ok_or_else(|| OpenError::malformed(LAYER, 1024, "neither volume header holds"))?
            }
        };
        if !header.unmounted {
            let detail = "the volume was not unmounted; its last changes may be in the journal only";
            problems.push(Problem::new(LAYER, "not-closed-cleanly-hfs", Some(1028), detail));
        }
        let place = fork::Place { source: Arc::clone(&source), base, block: header.block_size };
        let extents = match header.extents.size {
            0 => None,
            _ => match Fork::of(&place, &header.extents, &[]).and_then(|fork| Tree::open(fork, "extents")) {
                Ok(tree) => Some(tree),
                Err(e) => {
                    problems.push(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail));
                    None
                }
            },
        };
        let whole = |data: &ForkData, id: u32| {
            let more = extents.as_ref().map_or(Ok(vec![]), |tree| fork::overflow(tree, id, false, data))?;
            Fork::of(&place, data, &more)
        };
        let catalogue = whole(&header.catalogue, 4).and_then(|fork| Tree::open(fork, "catalogue"))?;
        let attributes = match header.attributes.size {
            0 => None,
            _ => match whole(&header.attributes, 8).and_then(|fork| Tree::open(fork, "attributes")) {
                Ok(tree) => Some(tree),
                Err(e) => {
                    problems.push(Problem::new(LAYER, "tree-damaged", Some(e.offset), e.detail));
                    None
                }
            },
        };
        let label = record::volume_name(&catalogue);
        let facts = VolumeFacts {
            kind: "hfs+",
            label,
            serial: (header.id != 0).then(|| format!("{:016X}", header.id)),
            cluster_size: header.block_size,
            size: header.blocks.saturating_mul(header.block_size),
            time_source: "Times come from the catalogue record (UTC): created, content modified, accessed, and attributes \
                          modified as changed. The date 1904-01-01 means none.",
        };
        Ok(Self { source, base, header, facts, catalogue, extents, attributes, problems })
    }

    fn place(&self) -> fork::Place {
        fork::Place { source: Arc::clone(&self.source), base: self.base, block: self.header.block_size }
    }

    /// All extents of a file's fork.
    fn fork(&self, id: u32, resource: bool, data: &ForkData) -> Result<Fork, ReadError> {
        let more = match &self.extents {
            Some(tree) if data.is_longer() => fork::overflow(tree, id, resource, data)?,
            _ => vec![],
        };
        Fork::of(&self.place(), data, &more)
    }
}

/// A date of HFS+; 0 means none.
fn stamp(seconds: u32) -> Option<Stamp> {
    if seconds == 0 { None } else { Stamp::from_unix(i64::from(seconds) - EPOCH, 0) }
}

impl FileSystem for Hfs {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Files and folders in the order of the catalogue: by the number of their folder, then by name.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::walk(self, visitor)
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        let map = self.fork(6, false, &self.header.allocation)?;
        let block = self.header.block_size;
        let (mut out, mut free): (Vec<Run>, Option<u64>) = (vec![], None);
        let total = self.header.blocks.min(self.source.len().saturating_sub(self.base).div_ceil(block));
        let mut number = 0u64;
        while number < total {
            let bytes = map.read(number / 8, 1 << 16)?;
            if bytes.is_empty() {
                return Err(ReadError::new(
                    LAYER,
                    number / 8,
                    crate::error::ReadFault::Truncated,
                    "the allocation file ends before the volume does",
                ));
            }
            for byte in bytes {
                for bit in 0..8 {
                    let used = byte & (0x80 >> bit) != 0;
                    match (used || number >= total, free) {
                        (true, Some(start)) => {
                            out.push(run(self.base, block, start, number));
                            free = None;
                        }
                        (false, None) => free = Some(number),
                        _ => {}
                    }
                    number = number.saturating_add(1);
                    if number > total {
                        break;
                    }
                }
            }
        }
        if let Some(start) = free {
            out.push(run(self.base, block, start, total));
        }
        Ok(out)
    }
}

fn run(base: u64, block: u64, start: u64, end: u64) -> Run {
    Run {
        start: base.saturating_add(start.saturating_mul(block)),
        length: end.saturating_sub(start).saturating_mul(block),
    }
}
