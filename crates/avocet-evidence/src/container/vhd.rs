//! VHD: the disks of Virtual PC and Hyper-V. Big-endian; one table of blocks.
//!
//! After Microsoft's "Virtual Hard Disk Image Format Specification" 1.0. A fixed VHD is a raw image with a footer (see
//! `raw`). In a dynamic one each block is preceded by a map of the sectors that were ever written; its bytes are read
//! as they are stored, whatever that map says, as QEMU does too: it can only hide bytes that are there.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `footer-damaged` | the footer at the end is missing or damaged; its copy at the beginning was used |

use std::sync::Arc;

use super::blocks::{Blocks, Map, Place, Tables};
use super::{Disk, Fault, refused};
use crate::bytes::{be_u32, be_u64};
use crate::error::{OpenError, Problem};
use crate::source::{Source, SubSource, read_up_to};

const LAYER: &str = "vhd";
/// Bytes of a footer.
pub(super) const FOOTER: u64 = 512;
const SECTOR: u64 = 512;
const NOT_STORED: u32 = u32::MAX;

/// A footer whose checksum is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Footer {
    /// Where the header of a dynamic disk lies.
    header: u64,
    /// Bytes of the disk.
    pub(super) size: u64,
    /// 2 fixed, 3 dynamic, 4 differencing.
    pub(super) kind: u32,
}

/// Reads a footer; `None` where there is none or its checksum (the complement of the sum of its bytes) is wrong.
pub(super) fn footer(bytes: &[u8]) -> Option<Footer> {
    let bytes = bytes.get(..512).filter(|b| b.starts_with(b"conectix") && sum_agrees(b, 64))?;
    Some(Footer { header: be_u64(bytes, 16)?, size: be_u64(bytes, 48)?, kind: be_u32(bytes, 60)? })
}

fn sum_agrees(bytes: &[u8], at: usize) -> bool {
    let own = at..at.saturating_add(4);
    let sum = bytes.iter().enumerate().filter(|(i, _)| !own.contains(i)).fold(0u32, |n, (_, b)| n + u32::from(*b));
    be_u32(bytes, at) == Some(!sum)
}

/// Where the blocks of a dynamic disk lie.
struct Table {
    tables: Tables,
    start: u64,
    entries: u64,
    /// Bytes of the map of sectors before each block.
    sectors_map: u64,
}

impl Map for Table {
    fn place(&self, block: u64) -> Result<Place, Fault> {
        if block >= self.entries {
            return Ok(Place::Zero);
        }
        let entry = u32::from_be_bytes(self.tables.entry(self.start.saturating_add(block.saturating_mul(4)))?);
        Ok(match entry {
            NOT_STORED => Place::Zero,
            sector => Place::At(u64::from(sector).saturating_mul(SECTOR).saturating_add(self.sectors_map)),
        })
    }
}

/// Opens a VHD image from its bytes.
pub(super) fn open(file: &Arc<dyn Source>) -> Result<Disk, OpenError> {
    let end = file.len().saturating_sub(FOOTER);
    let last = footer(&read_up_to(file, end, 512)?);
    let first = footer(&read_up_to(file, 0, 512)?).filter(|f| f.kind != 2);
    let mut problems = vec![];
    let found = match (last, first) {
        (Some(last), _) => last,
        (None, Some(copy)) => {
            let detail = "the footer at the end is missing or damaged; its copy at the beginning was used";
            problems.push(Problem::new(LAYER, "footer-damaged", Some(end), detail));
            copy
        }
        (None, None) => return Err(OpenError::malformed(LAYER, end, "neither of its two footers is intact")),
    };
    match found.kind {
        2 => {
            let detail = "a fixed VHD: its last 512 bytes are the footer of the format and not of the disk";
            problems.push(Problem::new("raw", "vhd-footer-left-out", Some(end), detail));
            let source = Arc::new(SubSource::new(Arc::clone(file), 0, end));
            return Ok(Disk { kind: "fixed vhd", source, problems, stored: (None, None) });
        }
        3 => {}
        4 => {
            return Err(refused(
                "a differencing VHD image, which holds only the changes to another one,",
                "Merge it with its parent and examine the result",
            ));
        }
        _ => return Err(refused("a VHD image of an unknown kind", super::signature::CONVERT)),
    }
    let header = read_up_to(file, found.header, 1024)?;
    let parse = || {
        let intact = header.len() == 1024 && header.starts_with(b"cxsparse") && sum_agrees(&header, 36);
        intact.then_some((be_u64(&header, 16)?, be_u32(&header, 28)?, be_u32(&header, 32)?))
    };
    let Some((start, entries, block)) = parse() else {
        return Err(OpenError::malformed(LAYER, found.header, "the header of the dynamic disk is damaged"));
    };
    let (entries, block) = (u64::from(entries), u64::from(block));
    if block % SECTOR != 0 {
        return Err(OpenError::malformed(LAYER, found.header, "its blocks are not made of whole sectors"));
    }
    let sectors_map = (block / SECTOR).div_ceil(8).next_multiple_of(SECTOR);
    let map = Table { tables: Tables::new(Arc::clone(file)), start, entries, sectors_map };
    let source = Blocks::new(LAYER, Arc::clone(file), map, block, found.size)?;
    if entries < found.size.div_ceil(block) {
        return Err(OpenError::malformed(LAYER, found.header, "its table is shorter than the disk needs"));
    }
    Ok(Disk { kind: "vhd", source: Arc::new(source), problems, stored: (None, None) })
}
