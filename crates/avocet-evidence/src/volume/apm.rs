//! The Apple partition map: older disks of a Mac, and discs and disk images for one.
//!
//! After Apple's "Inside Macintosh: Devices" and the kernel's `applepart.h`. The first block says how large blocks are,
//! each of the following names one partition and how many there are in all.

use std::sync::Arc;

use avocet_base::escape_bytes;

use super::{Claim, Table};
use crate::bytes::{array, be_u16, be_u32};
use crate::entry::Run;
use crate::error::Problem;
use crate::source::{Source, read_up_to};

/// Entries that are read; a map has a few dozen.
const MOST: u32 = 256;

/// The name of the volume that a disc is as a whole, where it also carries a map.
pub(super) const DISC: &str = "disc";

fn text(bytes: &[u8]) -> String {
    escape_bytes(bytes.split(|b| *b == 0).next().unwrap_or_default())
}

/// Reads the map, and with it how large a block is; `None` where there is none.
pub(super) fn find(source: &Arc<dyn Source>) -> Option<(Table, u64)> {
    let first = read_up_to(&**source, 0, 512).ok()?;
    if array::<2>(&first, 0)? != *b"ER" {
        return None;
    }
    let entry = |block: u64, number: u32| {
        let bytes = read_up_to(&**source, block.checked_mul(u64::from(number))?, 512).ok()?;
        (array::<2>(&bytes, 0)? == *b"PM").then_some(bytes)
    };
    // Discs are mapped twice, in blocks of 512 and of 2048 bytes; both name the same partitions.
    let declared = u64::from(be_u16(&first, 2)?);
    let block = [512, declared, 2048].into_iter().find(|b| *b >= 512 && entry(*b, 1).is_some())?;
    let count = be_u32(&entry(block, 1)?, 4)?;
    let mut table = Table::default();
    table.tables.push(Run { start: 0, length: block });
    if count > MOST {
        let detail = format!("the map declares {count} entries, of which {MOST} are read");
        table.problems.push(Problem::new("apm", "apm-entries-capped", Some(block), detail));
    }
    let iso = crate::fs::iso::recognise(&**source).is_some();
    if iso {
        table.claims.push(Claim {
            name: DISC.into(),
            start: 0,
            length: source.len(),
            type_name: String::new(),
            label: None,
            not_read: None,
        });
    }
    for number in 1..=count.min(MOST) {
        let place = block.saturating_mul(u64::from(number));
        let Some(bytes) = entry(block, number) else {
            let detail = format!("entry {number} of the map is none; the rest was not followed");
            table.problems.push(Problem::new("apm", "apm-broken", Some(place), detail));
            break;
        };
        table.tables.push(Run { start: place, length: block });
        let start = u64::from(be_u32(&bytes, 8).unwrap_or(0)).saturating_mul(block);
        let length = u64::from(be_u32(&bytes, 12).unwrap_or(0)).saturating_mul(block);
        let kind = text(bytes.get(48..80).unwrap_or_default());
        match kind.as_str() {
            // The map itself; what it calls free belongs to no volume; the pieces of a disc are read as the disc.
            "Apple_partition_map" => {
                table.tables.push(Run { start, length });
                continue;
            }
            "Apple_Free" | "Apple_Void" => continue,
            "ISO9660_data" if iso => continue,
            _ => {}
        }
        let label = text(bytes.get(16..48).unwrap_or_default());
        table.claims.push(Claim {
            name: format!("apm:{number}"),
            start,
            length,
            type_name: kind,
            label: (!label.is_empty()).then_some(label),
            not_read: None,
        });
    }
    Some((table, block))
}
