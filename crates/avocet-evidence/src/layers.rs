//! What lies under what: a partition may be an encrypted volume, and that a disk of its own, and so on.
//!
//! [`open_all`] opens what a scan of a disk found, down to the file systems. How deep it goes and how many volumes it makes
//! is bounded, and so is the work that hostile headers of encrypted volumes can ask for (see [`Work`]).
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `volumes-capped` | there are more volumes, or they lie deeper in each other, than are opened |
//! | `inner-space` | bytes of an unlocked volume belong to no partition of the table in it |
//!
//! and those of [`crate::volume::luks`] and [`crate::volume`].

use std::sync::Arc;

use crate::error::Problem;
use crate::scratch::Access;
use crate::source::{Source, SubSource};
use crate::tree::{Volume, VolumeState};
use crate::volume::luks::{Locked, Luks, Work};
use crate::volume::signatures::LUKS;
use crate::volume::{self, Recognised, VolumeSlot};

/// Volumes in volumes.
const MOST_DEPTH: usize = 6;
/// Volumes of one piece of evidence.
const MOST_VOLUMES: usize = 4096;

/// A volume whose content is still to be opened.
pub(crate) struct Piece {
    pub(crate) name: String,
    /// First byte within the evidence of what it lies in.
    pub(crate) start: u64,
    pub(crate) type_name: String,
    pub(crate) label: Option<String>,
    pub(crate) layers: Vec<String>,
    pub(crate) source: Arc<dyn Source>,
    pub(crate) recognised: Recognised,
}

impl Piece {
    pub(crate) fn volume(self, state: VolumeState) -> Volume {
        Volume {
            name: self.name,
            start: self.start,
            length: self.source.len(),
            type_name: self.type_name,
            label: self.label,
            layers: self.layers,
            state,
        }
    }

    fn not_read(self, what: &str, detail: String) -> Volume {
        self.volume(VolumeState::NotRead { what: what.to_owned(), certain: true, detail })
    }
}

/// What was opened.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) volumes: Vec<Volume>,
    pub(crate) problems: Vec<Problem>,
    /// Volumes that a password or key file might have opened, and none was given.
    pub(crate) locked: usize,
}

/// Opens what a scan found.
pub(crate) fn open_all(whole: &Arc<dyn Source>, slots: Vec<VolumeSlot>, access: &Access) -> Opened {
    let mut opener = Opener { access, work: Work::default(), opened: Opened::default() };
    for slot in slots {
        let source = SubSource::new(Arc::clone(whole), slot.start, slot.length);
        let piece = Piece {
            name: slot.name,
            start: slot.start,
            type_name: slot.type_name,
            label: slot.label,
            layers: vec![],
            source: Arc::new(source),
            recognised: slot.recognised,
        };
        opener.piece(piece, 0);
    }
    opener.opened
}

struct Opener<'a> {
    access: &'a Access,
    work: Work,
    opened: Opened,
}

impl Opener<'_> {
    fn problem(&mut self, code: &'static str, detail: String) {
        self.opened.problems.push(Problem::new("volume", code, None, detail));
    }

    /// Opens a volume, and those in it.
    fn piece(&mut self, piece: Piece, depth: usize) {
        let sealed = matches!(&piece.recognised, Recognised::NotRead { what, certain: true, .. } if what == LUKS);
        if sealed {
            self.unlock(piece, depth);
        } else {
            self.opened.volumes.extend(Volume::open(piece));
        }
    }

    fn unlock(&mut self, mut piece: Piece, depth: usize) {
        let luks = match Luks::open(&piece.source) {
            Ok(luks) => luks,
            Err(error) => {
                let detail = format!("an encrypted volume was not tried: {error}");
                self.opened.problems.push(Problem::new("luks", "luks-header-damaged", None, detail));
                return self.opened.volumes.push(piece.not_read(LUKS, error.to_string()));
            }
        };
        let facts = luks.facts();
        let described = format!("version {}, {}", facts.version, facts.cipher);
        match luks.unlock(self.access, &mut self.work) {
            Ok(unlocked) => {
                self.opened.problems.extend(unlocked.problems);
                piece.layers.push(unlocked.how);
                piece.source = unlocked.source;
                self.inside(piece, depth);
            }
            Err(why) => {
                self.opened.problems.extend_from_slice(luks.problems());
                if why == Locked::NothingGiven {
                    self.opened.locked = self.opened.locked.saturating_add(1);
                }
                if let Some(code) = why.code() {
                    let detail = format!("an encrypted volume stayed locked: {why}");
                    self.opened.problems.push(Problem::new("luks", code, None, detail));
                }
                self.opened.volumes.push(piece.not_read(LUKS, format!("{described}; it stayed locked: {why}")));
            }
        }
    }

    /// Looks what lies in the plain bytes of a volume: a file system, or partitions.
    pub(crate) fn inside(&mut self, piece: Piece, depth: usize) {
        if depth >= MOST_DEPTH || self.opened.volumes.len() >= MOST_VOLUMES {
            let detail = "there are more volumes, or they lie deeper in each other, than are opened";
            self.problem("volumes-capped", detail.to_owned());
            return self.opened.volumes.push(piece.not_read("volume that was not opened", detail.to_owned()));
        }
        let scan = match volume::scan(Arc::clone(&piece.source)) {
            Ok(scan) => scan,
            Err(error) => {
                let what = "volume whose beginning cannot be read";
                return self.opened.volumes.push(piece.not_read(what, error.to_string()));
            }
        };
        self.opened.problems.extend(scan.problems);
        let gaps: u64 = scan.gaps.iter().map(|r| r.length).sum();
        if gaps > 0 {
            let detail = format!("{gaps} bytes of an unlocked volume belong to no partition of the table in it");
            self.problem("inner-space", detail);
        }
        if scan.volumes.is_empty() {
            let detail = "it holds no bytes or no partition".to_owned();
            return self.opened.volumes.push(piece.not_read("empty volume", detail));
        }
        for slot in scan.volumes {
            let divided = scan.scheme != "none";
            let inner = Piece {
                name: if divided { format!("{}.{}", piece.name, slot.name) } else { piece.name.clone() },
                start: piece.start,
                type_name: if divided { slot.type_name } else { piece.type_name.clone() },
                label: if divided { slot.label } else { piece.label.clone() },
                layers: piece.layers.clone(),
                source: Arc::new(SubSource::new(Arc::clone(&piece.source), slot.start, slot.length)),
                recognised: slot.recognised,
            };
            self.piece(inner, depth.saturating_add(1));
        }
    }
}
