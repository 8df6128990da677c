//! exFAT, written from the Microsoft exFAT specification.
//!
//! What is listed: every file of every live directory; deleted sets in them, also partly overwritten ones; the contents
//! of deleted directories whose clusters are still free; and directories that no entry refers to, found by an entry set
//! with the right checksum at the beginning of a free cluster, under `/$Orphans/cluster-N`; those have no entry of their
//! own. How the bytes of deleted files are found is told in the `fat::content::deleted` module. The allocation bitmap,
//! the up-case table and the volume label are not files and are not listed.
//!
//! [`Entry::number`](crate::Entry::number) is the byte offset of the first slot of the entry set within the volume.
//!
//! Problems of the layer `exfat`, besides those that [`super::fat`] explains:
//!
//! | code | meaning |
//! | --- | --- |
//! | `boot-region-backup-used` | the first boot region is broken and the backup was used |
//! | `boot-checksum` | neither boot region has the right checksum; the first was used |
//! | `allocation-bitmap-missing` | the map of clusters in use is lost in whole or in part |
//! | `entry-set-checksum` | a live entry set does not have its checksum; it is listed |
//! | `entry-set-incomplete` | a live entry set has no stream extension or no name; it is not listed |
//! | `valid-length-beyond-size` | a live file claims more written bytes than it has |
//! | `unknown-critical-entry` | entries of a kind that a reader must know and this one does not |
//! | `deleted-directory-reused` | clusters of a deleted directory are in use and were not listed |
//! | `deleted-fragments` | pieces of deleted entry sets too small to list |

mod boot;
mod set;
mod walk;

use std::sync::Arc;

use avocet_base::escape_utf16;

use self::boot::{Boot, Region, region};
use crate::bytes::{u8_at, utf16_le};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::fs::fat::bits::Bits;
use crate::fs::fat::content::{Claim, Clusters};
use crate::fs::fat::scan::Slots;
use crate::fs::fat::table::{Table, Width};
use crate::source::{Source, read_exact_at};

const LAYER: &str = "exfat";

/// An opened exFAT volume.
pub struct ExFat {
    volume: Arc<dyn Source>,
    boot: Boot,
    table: Table,
    /// `None` where the bitmap is lost.
    allocated: Option<Bits>,
    /// The bitmap and the up-case table, which are in use and no files.
    system: Vec<Claim>,
    facts: VolumeFacts,
    /// Found when opening, reported by every walk.
    problems: Vec<Problem>,
}

fn choose_boot(volume: &Arc<dyn Source>, problems: &mut Vec<Problem>) -> Result<Boot, OpenError> {
    let first = region(volume, 0, None);
    if let Ok(Region::Sound(boot)) = first {
        return Ok(boot);
    }
    for sector in [512u64, 1024, 2048, 4096] {
        if let Ok(Region::Sound(boot)) = region(volume, sector.saturating_mul(12), Some(sector)) {
            let detail = "The first boot region is broken; the backup was used.";
            problems.push(Problem::new(LAYER, "boot-region-backup-used", Some(0), detail));
            return Ok(boot);
        }
    }
    match first? {
        Region::Sound(boot) | Region::Doubtful(boot) => {
            let detail = "Neither boot region has the checksum it states; the first was used.";
            problems.push(Problem::new(LAYER, "boot-checksum", Some(0), detail));
            Ok(boot)
        }
        Region::Not(why) => Err(OpenError::malformed(LAYER, 0, why)),
    }
}

impl ExFat {
    /// Opens a volume. Reads the boot region, the root directory and the allocation bitmap.
    ///
    /// # Errors
    /// [`OpenError`] where neither boot region describes an exFAT volume, or they cannot be read.
    pub fn open(volume: Arc<dyn Source>) -> Result<ExFat, OpenError> {
        let mut problems = vec![];
        let boot = choose_boot(&volume, &mut problems)?;
        let table = Table {
            volume: Arc::clone(&volume),
            layer: LAYER,
            width: Width::ThirtyTwo,
            copies: boot.tables.clone(),
            last: boot.geometry.last,
        };
        if boot.size > volume.len() {
            let missing = boot.size.saturating_sub(volume.len());
            problems.push(Problem::new(
                LAYER,
                "volume-truncated",
                Some(volume.len()),
                format!("The file system declares {} bytes; {missing} of them are missing.", boot.size),
            ));
        }
        if boot.clusters > boot.geometry.count() {
            problems.push(Problem::new(
                LAYER,
                "fat-too-short",
                boot.tables.first().copied(),
                format!("The allocation table has entries for {} clusters only.", boot.geometry.count()),
            ));
        }
        let mut exfat = ExFat {
            facts: VolumeFacts {
                kind: "exfat",
                label: None,
                serial: Some(format!("{:04X}-{:04X}", boot.serial >> 16, boot.serial & 0xffff)),
                cluster_size: boot.geometry.cluster,
                size: boot.size,
                time_source: "file directory entry: created and modified to 10 ms, accessed to 2 s, each with its own \
                              offset from UTC, or the device's local time where that is not recorded",
            },
            volume,
            boot,
            table,
            allocated: None,
            system: vec![],
            problems,
        };
        exfat.read_root();
        Ok(exfat)
    }

    fn clusters(&self) -> Clusters<'_> {
        Clusters::new(self.boot.geometry, &self.table, self.allocated.as_ref(), self.boot.size.min(self.volume.len()))
    }

    /// Finds label, bitmap and up-case table in the root directory.
    fn read_root(&mut self) {
        let (runs, _) = self.root(&mut self.clusters());
        let mut bitmap = None;
        let slots: Vec<_> = Slots::new(&self.volume, runs)
            .filter_map(Result::ok)
            .take_while(|(_, slot)| set::kind(slot) != 0)
            .filter(|(_, slot)| matches!(set::kind(slot), 0x81..=0x83))
            .take(16)
            .collect();
        for (_, slot) in slots {
            let claim = set::allocation(&slot, u64::MAX).map(|c| Claim { contiguous: false, valid: c.size, ..c });
            match set::kind(&slot) & !set::IN_USE {
                set::BITMAP => {
                    if u8_at(&slot, 1).is_some_and(|flags| flags & 1 == self.boot.active) {
                        bitmap = bitmap.or(claim);
                    }
                    self.system.extend(claim);
                }
                set::UPCASE => self.system.extend(claim),
                set::LABEL => {
                    // Section 7.3 allows 11 characters; some systems write up to the 15 that fit.
                    let count = usize::from(u8_at(&slot, 1).unwrap_or(0)).min(15);
                    let units: Vec<u16> =
                        utf16_le(slot.get(2..32).unwrap_or_default()).into_iter().take(count).collect();
                    self.facts.label = (!units.is_empty()).then(|| escape_utf16(&units));
                }
                _ => {}
            }
        }
        match bitmap.ok_or("no entry in the root directory leads to it").and_then(|claim| self.read_bitmap(&claim)) {
            Ok(bits) => self.allocated = Some(bits),
            Err(why) => self.problems.push(Problem::new(
                LAYER,
                "allocation-bitmap-missing",
                bitmap.map(|c| self.boot.geometry.offset(c.first)),
                format!("The map of clusters in use is lost: {why}. Unallocated space cannot be told."),
            )),
        }
    }

    /// The bitmap as a set of cluster numbers: bit 0 is cluster 2 (section 7.1.5).
    fn read_bitmap(&self, claim: &Claim) -> Result<Bits, &'static str> {
        let geometry = self.boot.geometry;
        let needed = geometry.count().div_ceil(8);
        if claim.size < needed {
            return Err("it is shorter than the volume needs");
        }
        let wanted = Claim { size: needed, valid: needed, ..*claim };
        let mut found = self.clusters().live(&wanted);
        if found.problem.is_some() {
            // Formatters lay it out in one piece; its chain in the table may still be broken.
            found = self.clusters().live(&Claim { contiguous: true, ..wanted });
        }
        if found.problem.is_some() {
            return Err("its clusters cannot be followed");
        }
        let mut bits = Bits::new(geometry.last.saturating_add(1));
        let _ = (bits.set(0), bits.set(1));
        let mut number = 2u32;
        for extent in found.content.extents() {
            let crate::entry::Location::At(start) = extent.location else { continue };
            let mut data = vec![0; usize::try_from(extent.length).unwrap_or(0)];
            read_exact_at(&self.volume, LAYER, start, &mut data).map_err(|_| "it cannot be read")?;
            for byte in data {
                for bit in 0..8u32 {
                    if byte >> bit & 1 != 0 {
                        let _ = bits.set(number);
                    }
                    number = number.saturating_add(1);
                }
            }
        }
        Ok(bits)
    }

    fn root(&self, clusters: &mut Clusters<'_>) -> (Vec<Run>, Option<(&'static str, String)>) {
        let claim = Claim { first: self.boot.root, size: 0, valid: 0, contiguous: false };
        clusters.live_directory(&claim, false)
    }
}

impl FileSystem for ExFat {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::Walk::new(self, visitor).run();
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        match &self.allocated {
            Some(bits) => Ok(self.boot.geometry.free_runs(bits, self.volume.len())),
            None => Err(ReadError::new(LAYER, 0, ReadFault::Damaged, "the allocation bitmap is lost")),
        }
    }
}
