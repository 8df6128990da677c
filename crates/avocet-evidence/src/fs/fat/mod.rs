//! FAT12, FAT16 and FAT32, written from the Microsoft FAT specification (fatgen103).
//!
//! What is listed: every entry of every live directory; deleted entries in them; the contents of deleted directories
//! whose clusters are still free; and directories that no entry refers to, found by their `.` and `..` in free
//! clusters, under `/$Orphans/cluster-N`. So are clusters that hold nothing but entries, which are later parts of deleted
//! directories; those have no entry of their own. How the bytes of deleted files are found is told in the
//! `content::deleted` module.
//!
//! [`Entry::number`](crate::Entry::number) is the byte offset of the short directory entry within the volume.
//!
//! Problems of the layer `fat`:
//!
//! | code | meaning |
//! | --- | --- |
//! | `boot-sector-backup-used` | the first boot sector is broken and a backup was used |
//! | `boot-signature-missing` | the boot sector does not end in 55 AA |
//! | `volume-truncated` | the volume ends before the bytes the file system declares |
//! | `fat-too-short` | the table has fewer entries than the volume has clusters |
//! | `fat-first-copy-bad` | the first table does not begin as it must and the second was used |
//! | `fat-copies-differ` | entries of the two tables differ; those of the first are used |
//! | `fat-copy-unreadable`, `fat-unreadable` | a part of one table, or of all, cannot be read |
//! | `bad-clusters`, `lost-clusters`, `live-clusters-marked-free` | clusters no file can be read from, or at odds with the map |
//! | `directory-loop`, `directory-chain-broken`, `directory-too-large`, `directory-unreadable`, `directory-too-deep` | a directory not listed in full |
//! | `implausible-entries` | slots in live directories that hold no entry a system can have written |
//! | `long-name-orphaned` | pieces of long names that belong to no entry |
//! | `first-cluster-invalid`, `size-beyond-volume`, `chain-loop`, `chain-short`, `chain-broken`, `cross-linked`, `cross-linked-capped` | a live file whose content is not all readable, or shared |
//! | `recovered-bytes-capped` | deleted files claim more bytes than the volume has |
//! | `orphan-directory-implausible` | directories of an earlier file system, seen and not listed |
//! | `free-space-unreadable` | free clusters that could not be searched |

pub(super) mod bits;
mod boot;
pub(super) mod content;
mod entry;
mod name;
pub(super) mod scan;
pub(super) mod table;
mod walk;

use std::sync::Arc;

use self::bits::Bits;
use self::boot::Boot;
use self::content::{Claim, Clusters};
use self::entry::{Short, is_long};
use self::scan::Slots;
use self::table::{Table, Width};
use crate::entry::{FileSystem, Run, Visitor, VolumeFacts};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_up_to};

pub(super) use self::walk::{MAX_DEPTH, MAX_PATH};

const LAYER: &str = "fat";

/// An opened FAT12, FAT16 or FAT32 volume.
pub struct Fat {
    volume: Arc<dyn Source>,
    boot: Boot,
    table: Table,
    allocated: Bits,
    bad: u64,
    facts: VolumeFacts,
    /// Found when opening, reported by every walk.
    problems: Vec<Problem>,
}

/// The boot sector to use: the first, or of FAT32 the backup in sector 6, whichever agrees with the beginning of its
/// own table.
fn choose_boot(volume: &Arc<dyn Source>, problems: &mut Vec<Problem>) -> Result<Boot, OpenError> {
    let begins_as_it_must = |boot: &Boot| {
        let mut byte = [0];
        boot.copies.iter().any(|c| volume.read_at(*c, &mut byte).is_ok_and(|n| n == 1) && byte == [boot.media])
    };
    let first = read_up_to(volume, 0, 512)
        .map_err(OpenError::from)
        .and_then(|data| Boot::parse(&data, volume.len()).map_err(|detail| OpenError::malformed(LAYER, 0, detail)));
    match first {
        Ok(boot) if begins_as_it_must(&boot) => Ok(boot),
        other => {
            for sector in [512u64, 1024, 2048, 4096] {
                let at = sector.saturating_mul(6);
                let Some(boot) = read_up_to(volume, at, 512).ok().and_then(|d| Boot::parse(&d, volume.len()).ok())
                else {
                    continue;
                };
                if boot.width == Width::TwentyEight && boot.sector == sector && boot.signed && begins_as_it_must(&boot)
                {
                    problems.push(Problem::new(
                        LAYER,
                        "boot-sector-backup-used",
                        Some(0),
                        "The boot sector is broken; the backup in sector 6 was used.",
                    ));
                    return Ok(boot);
                }
            }
            match other {
                Ok(boot) if boot.signed => Ok(boot),
                Ok(_) => {
                    Err(OpenError::malformed(LAYER, 510, "neither the signature 55 AA nor the table's first byte"))
                }
                Err(e) => Err(e),
            }
        }
    }
}

impl Fat {
    /// Opens a volume. Reads the whole allocation table once.
    ///
    /// # Errors
    /// [`OpenError`] where neither the boot sector nor a backup describes a FAT volume, or it cannot be read.
    pub fn open(volume: Arc<dyn Source>) -> Result<Fat, OpenError> {
        let mut problems = vec![];
        let boot = choose_boot(&volume, &mut problems)?;
        let mut note = |code, offset, detail: String| problems.push(Problem::new(LAYER, code, offset, detail));
        if !boot.signed {
            note("boot-signature-missing", Some(510), "The boot sector does not end in 55 AA.".into());
        }
        if boot.size > volume.len() {
            let missing = boot.size.saturating_sub(volume.len());
            note(
                "volume-truncated",
                Some(volume.len()),
                format!("The file system declares {} bytes; {missing} of them are missing.", boot.size),
            );
        }
        if boot.table_too_short {
            let detail = format!("The allocation table has entries for {} clusters only.", boot.geometry.count());
            note("fat-too-short", boot.copies.first().copied(), detail);
        }
        let mut table = Table {
            volume: Arc::clone(&volume),
            layer: LAYER,
            width: boot.width,
            copies: boot.copies.clone(),
            last: boot.geometry.last,
        };
        if let [a, b, ..] = *boot.copies {
            let good = |copy| table.media_byte(copy) == Some(boot.media);
            if boot.mirrored && !good(a) && good(b) {
                table.copies.swap(0, 1);
                note(
                    "fat-first-copy-bad",
                    Some(a),
                    "The first allocation table does not begin as it must; the second was used.".into(),
                );
            }
        }
        let survey = table.survey(boot.mirrored);
        let place = table.copies.first().copied();
        if survey.differing.0 > 0 {
            note(
                "fat-copies-differ",
                place,
                format!("{} entries of the two allocation tables differ; those of one were used.", survey.differing.0),
            );
        }
        if survey.copy_unreadable > 0 {
            let detail = format!("{} entries of one allocation table are unreadable.", survey.copy_unreadable);
            note("fat-copy-unreadable", place, detail);
        }
        if survey.unreadable > 0 {
            note(
                "fat-unreadable",
                place,
                format!("{} entries are unreadable in every table; taken as in use.", survey.unreadable),
            );
        }
        if survey.bad > 0 {
            note("bad-clusters", place, format!("{} clusters are marked bad and were not searched.", survey.bad));
        }
        let kind = match boot.width {
            Width::Twelve => "fat12",
            Width::Sixteen => "fat16",
            Width::TwentyEight | Width::ThirtyTwo => "fat32",
        };
        let mut fat = Fat {
            facts: VolumeFacts {
                kind,
                label: boot.label.as_ref().and_then(name::label),
                serial: boot.serial.map(|s| format!("{:04X}-{:04X}", s >> 16, s & 0xffff)),
                cluster_size: boot.geometry.cluster,
                size: boot.size,
                time_source: "directory entry: created to 10 ms, modified to 2 s, accessed to the day, all in the \
                              device's local time without a zone",
            },
            volume,
            boot,
            table,
            allocated: survey.allocated,
            bad: survey.bad,
            problems,
        };
        if let Some(label) = fat.root_label() {
            fat.facts.label = Some(label);
        }
        Ok(fat)
    }

    fn clusters(&self) -> Clusters<'_> {
        Clusters::new(self.boot.geometry, &self.table, Some(&self.allocated), self.boot.size.min(self.volume.len()))
    }

    fn wide(&self) -> bool {
        self.boot.width == Width::TwentyEight
    }

    /// Where the root directory lies.
    fn root(&self, clusters: &mut Clusters<'_>) -> (Vec<Run>, Option<(&'static str, String)>) {
        match self.boot.root {
            Some(run) => (vec![run], None),
            None => {
                let claim = Claim { first: self.boot.root_cluster, size: 0, valid: 0, contiguous: false };
                clusters.live_directory(&claim, false)
            }
        }
    }

    fn root_label(&self) -> Option<String> {
        let (runs, _) = self.root(&mut self.clusters());
        Slots::new(&self.volume, runs)
            .filter_map(Result::ok)
            .take_while(|(_, slot)| slot.first() != Some(&0))
            .filter(|(_, slot)| !is_long(slot))
            .filter_map(|(_, slot)| Short::parse(&slot, false))
            .find(|short| short.is_label() && !short.is_deleted())
            .and_then(|short| name::label(&short.name))
    }
}

impl FileSystem for Fat {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        walk::Walk::new(self, visitor).run();
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(self.boot.geometry.free_runs(&self.allocated, self.volume.len()))
    }
}
