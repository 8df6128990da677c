//! VHDX: the disks of Hyper-V since 2012. Little-endian; headers and region tables twice, each with a CRC-32C.
//!
//! After Microsoft's \[MS-VHDX\]. A log that was not applied is refused and not passed over: what it holds belongs to
//! the disk. Blocks that are absent, undefined, zero or unmapped read as zeros.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `header-copy-used` | one of the two headers or region tables is damaged; the other was used |

use std::sync::Arc;

use super::blocks::{Blocks, Map, Place, Tables};
use super::{Disk, Fault, refused};
use crate::bytes::{array, le_u16, le_u32, le_u64};
use crate::checksum::crc32c;
use crate::error::{OpenError, Problem, ReadFault};
use crate::source::{Source, read_up_to};
use crate::volume::guid_text;

const LAYER: &str = "vhdx";
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// The two headers and the two region tables, and their lengths.
const HEADERS: [u64; 2] = [64 * KIB, 128 * KIB];
const HEADER: usize = 4 << 10;
const REGIONS: [u64; 2] = [192 * KIB, 256 * KIB];
const REGION: usize = 64 << 10;
/// Entries of a region or metadata table that the format allows.
const MOST_ENTRIES: u32 = 2047;

const BAT: &str = "2DC27766-F623-4200-9D64-115E9BFD4A08";
const METADATA: &str = "8B7CA206-4790-4B9A-B8FE-575F050F886E";
const FILE_PARAMETERS: &str = "CAA16737-FA36-4D43-B3B6-33F0AA44E76B";
const DISK_SIZE: &str = "2FA54224-CD1B-4876-B211-5DBED83BF4B8";
const SECTOR_SIZE: &str = "8141BF1D-A96F-4709-BA47-F233A8FAAB5F";
/// Items that say nothing about where bytes lie: physical sector size, identifier of the disk, locator of a parent
/// (whether there is a parent, the file parameters say).
const OTHER_ITEMS: [&str; 3] = [
    "CDA348C7-445D-4471-9CC9-E9885251C556",
    "BECA12AB-B2E6-4523-93EF-C309E000C746",
    "A8D35F2D-B30B-454D-ABF7-D3D84834AB0C",
];

/// Where the blocks of the disk lie.
struct Table {
    tables: Tables,
    start: u64,
    entries: u64,
    /// Blocks between two entries that belong to maps of sectors.
    ratio: u64,
}

impl Map for Table {
    fn place(&self, block: u64) -> Result<Place, Fault> {
        let index = block.saturating_add(block.checked_div(self.ratio).unwrap_or(0));
        if index >= self.entries {
            return Err((ReadFault::Damaged, "the table of blocks is shorter than the disk needs"));
        }
        let entry = u64::from_le_bytes(self.tables.entry(self.start.saturating_add(index.saturating_mul(8)))?);
        match entry & 7 {
            0..=3 => Ok(Place::Zero),
            6 => Ok(Place::At((entry >> 20).saturating_mul(MIB))),
            7 => Err((ReadFault::Unsupported, "a part of it lies in another image")),
            _ => Err((ReadFault::Damaged, "its table entry has a state that does not exist")),
        }
    }
}

/// A structure with its signature and a CRC-32C of itself at byte 4.
fn checked(file: &Arc<dyn Source>, at: u64, length: usize, signature: &[u8; 4]) -> Option<Vec<u8>> {
    let bytes = read_up_to(file, at, length).ok().filter(|b| b.len() == length && b.starts_with(signature))?;
    let stored = le_u32(&bytes, 4)?;
    let sum = crc32c(crc32c(crc32c(!0, bytes.get(..4)?), &[0; 4]), bytes.get(8..)?);
    (stored == !sum).then_some(bytes)
}

/// What an entry of a region or metadata table names.
fn named(entry: &[u8]) -> Option<String> {
    array(entry, 0).map(|guid| guid_text(&guid))
}

/// A region of the file: its place and length.
type Region = (u64, u64);

/// The table of blocks and the metadata.
fn regions(table: &[u8]) -> Result<(Region, Region), OpenError> {
    let broken = |detail: &str| OpenError::malformed(LAYER, 192 * KIB, detail);
    let count = le_u32(table, 8).filter(|n| *n <= MOST_ENTRIES).ok_or_else(|| broken("it has too many regions"))?;
    let (mut bat, mut metadata) = (None, None);
    for entry in table.get(16..).unwrap_or_default().chunks_exact(32).take(usize::try_from(count).unwrap_or(0)) {
        let place = le_u64(entry, 16).zip(le_u32(entry, 24).map(u64::from));
        match named(entry).as_deref() {
            Some(BAT) => bat = place,
            Some(METADATA) => metadata = place,
            _ if le_u32(entry, 28).is_some_and(|flags| flags & 1 == 1) => {
                return Err(refused("a VHDX image with regions newer than this version", super::signature::CONVERT));
            }
            _ => {}
        }
    }
    bat.zip(metadata).ok_or_else(|| broken("the table of blocks or the metadata are not named in it"))
}

/// What the metadata say of the disk.
#[derive(Default)]
struct Facts {
    block: Option<u32>,
    flags: u32,
    size: Option<u64>,
    sector: Option<u32>,
}

fn facts(file: &Arc<dyn Source>, (start, _): Region) -> Result<Facts, OpenError> {
    let broken = |detail: &str| OpenError::malformed(LAYER, start, detail);
    let table = read_up_to(file, start, REGION)?;
    if !table.starts_with(b"metadata") {
        return Err(broken("the metadata are not where they should be"));
    }
    let count = le_u16(&table, 10).filter(|n| u32::from(*n) <= MOST_ENTRIES);
    let count = usize::from(count.ok_or_else(|| broken("the metadata have too many items"))?);
    let mut facts = Facts::default();
    for entry in table.get(32..).unwrap_or_default().chunks_exact(32).take(count) {
        let Some((item, (offset, flags))) = named(entry).zip(le_u32(entry, 16).zip(le_u32(entry, 24))) else {
            continue;
        };
        let body = || read_up_to(file, start.saturating_add(u64::from(offset)), 8);
        match item.as_str() {
            FILE_PARAMETERS => {
                let body = body()?;
                facts.block = le_u32(&body, 0);
                facts.flags = le_u32(&body, 4).unwrap_or_default();
            }
            DISK_SIZE => facts.size = le_u64(&body()?, 0),
            SECTOR_SIZE => facts.sector = le_u32(&body()?, 0),
            // Bit 2: whoever does not know the item must not read the image.
            _ if flags & 4 != 0 && !OTHER_ITEMS.contains(&item.as_str()) => {
                return Err(refused("a VHDX image with metadata newer than this version", super::signature::CONVERT));
            }
            _ => {}
        }
    }
    Ok(facts)
}

/// Opens a VHDX image from its bytes.
pub(super) fn open(file: &Arc<dyn Source>) -> Result<Disk, OpenError> {
    let headers = HEADERS.map(|at| checked(file, at, HEADER, b"head"));
    let tables = REGIONS.map(|at| checked(file, at, REGION, b"regi"));
    let mut problems = vec![];
    if headers.iter().chain(&tables).any(Option::is_none) {
        let detail = "a header or region table is damaged; its copy was used";
        problems.push(Problem::new(LAYER, "header-copy-used", None, detail));
    }
    let header = headers.into_iter().flatten().max_by_key(|h| le_u64(h, 8));
    let Some(header) = header else {
        return Err(OpenError::malformed(LAYER, 64 * KIB, "both headers are damaged"));
    };
    if array::<16>(&header, 48) != Some([0; 16]) {
        return Err(refused(
            "a VHDX image whose log was not applied (it was not closed cleanly)",
            "Have a copy of it repaired (for example by opening it once in Hyper-V, or with qemu-img check -r all) and \
             examine that",
        ));
    }
    let Some(table) = tables.into_iter().flatten().next() else {
        return Err(OpenError::malformed(LAYER, 192 * KIB, "both region tables are damaged"));
    };
    let (bat, metadata) = regions(&table)?;
    let facts = facts(file, metadata)?;
    let broken = |detail: &str| OpenError::malformed(LAYER, metadata.0, detail);
    if facts.flags & 2 != 0 {
        return Err(refused(
            "a differencing VHDX image, which holds only the changes to another one,",
            "Merge it with its parent and examine the result",
        ));
    }
    let block = facts.block.map(u64::from).filter(|b| b.is_power_of_two() && *b >= MIB);
    let block = block.ok_or_else(|| broken("the size of its blocks is missing or cannot be"))?;
    let sector = facts.sector.map(u64::from).filter(|s| matches!(s, 512 | 4096));
    let sector = sector.ok_or_else(|| broken("the size of its sectors is missing or cannot be"))?;
    let size = facts.size.ok_or_else(|| broken("the size of the disk is missing"))?;
    let ratio = (sector << 23).checked_div(block).unwrap_or(0).max(1);
    let table = Table { tables: Tables::new(Arc::clone(file)), start: bat.0, entries: bat.1 / 8, ratio };
    let source = Blocks::new(LAYER, Arc::clone(file), table, block, size)?;
    Ok(Disk { kind: "vhdx", source: Arc::new(source), problems, stored: (None, None) })
}
