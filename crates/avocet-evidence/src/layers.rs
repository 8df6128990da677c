//! What lies under what: a partition may be an encrypted volume, that the physical volume of LVM2, and so on.
//!
//! [`open_all`] opens what a scan of a disk found, down to the file systems. Physical volumes are joined to their groups
//! wherever on the disk they lie, in partitions or in unlocked volumes; the logical volumes stand where the first of them
//! stood, as `NAME.LOGICAL`. How deep it goes and how many volumes it makes
//! is bounded, and so is the work that hostile headers of encrypted volumes can ask for (see [`Work`]).
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `volumes-capped` | there are more volumes, or they lie deeper in each other, than are opened |
//! | `inner-space` | bytes of an unlocked or logical volume belong to no partition of the table in it |
//!
//! and those of [`crate::volume::luks`], [`crate::volume::bitlocker`], [`crate::volume::tcrypt`], [`crate::volume::corestorage`],
//! [`crate::volume::lvm`] and [`crate::volume`].

use std::sync::Arc;

use crate::error::{OpenError, Problem};
use crate::scratch::Access;
use crate::source::{MemorySource, Source, SubSource};
use crate::tree::{Volume, VolumeState};
use crate::volume::bitlocker::{self, BitLocker};
use crate::volume::corestorage::{self, CoreStorage};
use crate::volume::luks::{Locked, Luks, Work};
use crate::volume::lvm::{self, Assembled, Logical, Physical};
use crate::volume::signatures::{BITLOCKER_VOLUME, CORE_STORAGE, LUKS, LVM};
use crate::volume::tcrypt;
use crate::volume::{self, FsKind, Recognised, Unlocked, VolumeSlot};

/// Volumes in volumes.
const MOST_DEPTH: usize = 6;
/// Volumes of one piece of evidence.
const MOST_VOLUMES: usize = 4096;

/// A volume whose content is still to be opened.
#[derive(Clone)]
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
    let mut opener = Opener {
        access,
        work: Work::default(),
        tcrypt: tcrypt::Work::default(),
        opened: Opened::default(),
        looked_into: 0,
        recovery: slots
            .iter()
            .filter(|slot| slot.recognised == Recognised::FileSystem(FsKind::Hfs))
            .map(|slot| Arc::new(SubSource::new(Arc::clone(whole), slot.start, slot.length)) as Arc<dyn Source>)
            .collect(),
    };
    let mut found = vec![];
    let system = opener.system(whole, &slots);
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
        match &system {
            Some(system) if piece.recognised.is_not_known() => opener.of_system(piece, system, &mut found),
            _ => opener.piece(piece, 0, &mut found),
        }
    }
    opener.join(found, 0);
    opener.opened
}

/// What was found of a disk before its physical volumes are joined, in the order of the disk.
enum Found {
    Volume(Volume),
    Physical(Box<(Piece, Physical)>),
}

struct Opener<'a> {
    access: &'a Access,
    work: Work,
    tcrypt: tcrypt::Work,
    opened: Opened,
    looked_into: usize,
    /// Partitions of HFS+, one of which may keep the users of an encrypted system.
    recovery: Vec<Arc<dyn Source>>,
}

impl Opener<'_> {
    fn problem(&mut self, code: &'static str, detail: String) {
        self.opened.problems.push(Problem::new("volume", code, None, detail));
    }

    /// Opens a volume, and those in it.
    fn piece(&mut self, piece: Piece, depth: usize, found: &mut Vec<Found>) {
        let is =
            |name: &str| matches!(&piece.recognised, Recognised::NotRead { what, certain: true, .. } if what == name);
        if is(LUKS) {
            self.unlock(piece, depth, found);
        } else if is(BITLOCKER_VOLUME) {
            self.unlock_bitlocker(piece, depth, found);
        } else if is(CORE_STORAGE) {
            self.unlock_corestorage(piece, depth, found);
        } else if is(LVM) {
            match Physical::open(&piece.source) {
                Ok(physical) => {
                    self.opened.problems.extend_from_slice(physical.problems());
                    found.push(Found::Physical(Box::new((piece, physical))));
                }
                Err(error) => found.push(Found::Volume(piece.not_read(LVM, error.to_string()))),
            }
        } else if piece.recognised.is_not_known() && tcrypt::may_be(&*piece.source) {
            self.unlock_tcrypt(piece, depth, found);
        } else {
            found.extend(Volume::open(piece).into_iter().map(Found::Volume));
        }
    }

    /// Joins the physical volumes among what was found, and opens the logical ones.
    fn join(&mut self, found: Vec<Found>, depth: usize) {
        let (pieces, physical): (Vec<&Piece>, Vec<&Physical>) = found
            .iter()
            .filter_map(|one| match one {
                Found::Physical(both) => Some((&both.0, &both.1)),
                Found::Volume(_) => None,
            })
            .unzip();
        let mut groups: Vec<(Assembled, Vec<Piece>)> = vec![];
        for mut group in lvm::assemble(&physical) {
            self.opened.problems.append(&mut group.problems);
            let made = group.volumes.iter().filter_map(|one| logical(one, &group, &pieces)).collect();
            groups.push((group, made));
        }
        let mut number = 0usize;
        for one in found {
            let (piece, physical) = match one {
                Found::Volume(volume) => {
                    self.opened.volumes.push(volume);
                    continue;
                }
                Found::Physical(both) => *both,
            };
            let here = number;
            number = number.saturating_add(1);
            let Some((group, made)) = groups.iter_mut().find(|(group, _)| group.members.contains(&here)) else {
                let detail = physical.without().unwrap_or("no group on this disk names it").to_owned();
                self.opened.volumes.push(piece.not_read(LVM, detail));
                continue;
            };
            let first = group.members.first() == Some(&here);
            let used =
                group.volumes.iter().any(|v| matches!(&v.state, lvm::State::Mapped { on, .. } if on.contains(&here)));
            if first {
                let mut inner = vec![];
                let mut ready = std::mem::take(made).into_iter().peekable();
                for one in &group.volumes {
                    if inner.len() >= MOST_VOLUMES {
                        self.problem("volumes-capped", "a group has more logical volumes than are listed".to_owned());
                        break;
                    }
                    match &one.state {
                        lvm::State::NotRead { what, detail } => {
                            let listed = named(&piece, &group.name, &one.name);
                            inner.push(Found::Volume(listed.not_read(what, detail.clone())));
                        }
                        lvm::State::Mapped { .. } => {
                            if let Some(piece) = ready.next() {
                                self.inside(piece, depth.saturating_add(1), &mut inner);
                            }
                        }
                    }
                }
                self.join(inner, depth.saturating_add(1));
            }
            let shown = used || first && !group.volumes.is_empty();
            if !shown {
                let detail = format!("of the group {}; no volume that is read lies on it", group.name);
                self.opened.volumes.push(piece.not_read(LVM, detail));
            }
        }
    }

    fn unlock(&mut self, piece: Piece, depth: usize, found: &mut Vec<Found>) {
        let luks = match Luks::open(&piece.source) {
            Ok(luks) => luks,
            Err(error) => {
                let detail = format!("an encrypted volume was not tried: {error}");
                self.opened.problems.push(Problem::new("luks", "luks-header-damaged", None, detail));
                return found.push(Found::Volume(piece.not_read(LUKS, error.to_string())));
            }
        };
        let facts = luks.facts();
        let described = format!("version {}, {}", facts.version, facts.cipher);
        match luks.unlock(self.access, &mut self.work) {
            Ok(unlocked) => self.unlocked(piece, unlocked, depth, found),
            Err(why) => {
                self.opened.problems.extend_from_slice(luks.problems());
                let said = format!("an encrypted volume stayed locked: {why}");
                self.still_locked("luks", why == Locked::NothingGiven, why.code(), said);
                let detail = format!("{described}; it stayed locked: {why}");
                found.push(Found::Volume(piece.not_read(LUKS, detail)));
            }
        }
    }

    fn unlock_bitlocker(&mut self, piece: Piece, depth: usize, found: &mut Vec<Found>) {
        let what = BITLOCKER_VOLUME;
        let volume = match BitLocker::open(&piece.source) {
            Ok(volume) => volume,
            Err(error) => {
                let code = match error {
                    OpenError::Unsupported { .. } => "bitlocker-not-read",
                    _ => "bitlocker-metadata-damaged",
                };
                let detail = format!("a BitLocker volume was not tried: {error}");
                self.opened.problems.push(Problem::new("bitlocker", code, None, detail));
                return found.push(Found::Volume(piece.not_read(what, error.to_string())));
            }
        };
        match volume.unlock(self.access, &mut self.work) {
            Ok(unlocked) => self.unlocked(piece, unlocked, depth, found),
            Err(why) => {
                self.opened.problems.extend_from_slice(volume.problems());
                let said = format!("a BitLocker volume stayed locked: {why}");
                let nothing = matches!(why, bitlocker::Locked::NothingGiven(_));
                self.still_locked("bitlocker", nothing, why.code(), said);
                let detail = format!("{}; it stayed locked: {why}", volume.facts().cipher);
                found.push(Found::Volume(piece.not_read(what, detail)));
            }
        }
    }

    /// Tries a volume that nothing marks as what it may be.
    fn unlock_tcrypt(&mut self, mut piece: Piece, depth: usize, found: &mut Vec<Found>) {
        match tcrypt::unlock(&piece.source, self.access, &mut self.tcrypt) {
            Ok(tcrypt::Unlocked { source, how, problems, .. }) => {
                return self.unlocked(piece, Unlocked { source, how, problems }, depth, found);
            }
            Err(why) => {
                let recognised = matches!(piece.recognised, Recognised::NotRead { .. });
                self.not_opened(&why, recognised && why == tcrypt::Locked::NothingGiven);
                if let Recognised::NotRead { detail, .. } = &mut piece.recognised {
                    detail.push_str(&format!("; {why}"));
                }
            }
        }
        found.extend(Volume::open(piece).into_iter().map(Found::Volume));
    }

    fn unlock_corestorage(&mut self, piece: Piece, depth: usize, found: &mut Vec<Found>) {
        let mut store = match CoreStorage::open(&piece.source) {
            Ok(store) => store,
            Err(error) => {
                let detail = format!("an encrypted volume was not tried: {error}");
                self.opened.problems.push(Problem::new("corestorage", "corestorage-damaged", None, detail));
                return found.push(Found::Volume(piece.not_read(CORE_STORAGE, error.to_string())));
            }
        };
        self.opened.problems.extend(store.problems());
        if store.lacks_users() {
            for list in corestorage::roots::find(&self.recovery) {
                store.add_root(&list);
            }
        }
        if store.volumes() == 0 {
            let detail = "no logical volume is found in its list".to_owned();
            return found.push(Found::Volume(piece.not_read(CORE_STORAGE, detail)));
        }
        for number in 0..store.volumes().min(MOST_VOLUMES) {
            let name = match store.volumes() {
                1 => piece.name.clone(),
                _ => format!("{}.{}", piece.name, number.saturating_add(1)),
            };
            let one = Piece { name, ..piece.clone() };
            match store.unlock(number, self.access, &mut self.work) {
                Ok(unlocked) => self.unlocked(one, unlocked, depth, found),
                Err(why) => {
                    let said = format!("an encrypted volume stayed locked: {why}");
                    self.still_locked("corestorage", why == corestorage::Locked::NothingGiven, why.code(), said);
                    let detail = format!("used for FileVault 2; it stayed locked: {why}");
                    found.push(Found::Volume(one.not_read(CORE_STORAGE, detail)));
                }
            }
        }
    }

    fn not_opened(&mut self, why: &tcrypt::Locked, nothing_given: bool) {
        let said = format!("a volume that may be encrypted by TrueCrypt or VeraCrypt stayed as it is: {why}");
        self.still_locked("tcrypt", nothing_given, why.code(), said);
    }

    /// A disk whose system VeraCrypt or TrueCrypt encrypted: its partitions are encrypted and its table is not.
    fn system(&mut self, whole: &Arc<dyn Source>, slots: &[VolumeSlot]) -> Option<tcrypt::System> {
        let unknown = slots.iter().any(|slot| slot.start > 0 && slot.recognised.is_not_known());
        if !unknown || !tcrypt::may_be_system(&**whole) {
            return None;
        }
        match tcrypt::unlock_system(whole, self.access, &mut self.tcrypt) {
            Ok(mut system) => {
                self.opened.problems.append(&mut system.problems);
                Some(system)
            }
            Err(why) => {
                self.not_opened(&why, why == tcrypt::Locked::NothingGiven);
                None
            }
        }
    }

    fn of_system(&mut self, mut piece: Piece, system: &tcrypt::System, found: &mut Vec<Found>) {
        match system.over(&piece.source, piece.start) {
            Some(plain) => {
                piece.layers.push(system.how.clone());
                piece.source = plain;
                self.inside(piece, 1, found);
            }
            None => self.piece(piece, 0, found),
        }
    }

    /// Goes on with the plain bytes of a volume.
    fn unlocked(&mut self, mut piece: Piece, unlocked: Unlocked, depth: usize, found: &mut Vec<Found>) {
        self.opened.problems.extend(unlocked.problems);
        piece.layers.push(unlocked.how);
        piece.source = unlocked.source;
        self.inside(piece, depth.saturating_add(1), found);
    }

    /// A volume stayed locked: counts it where nothing was given that could open it, and says why where there is a code.
    fn still_locked(&mut self, layer: &'static str, nothing_given: bool, code: Option<&'static str>, detail: String) {
        self.opened.locked = self.opened.locked.saturating_add(usize::from(nothing_given));
        if let Some(code) = code {
            self.opened.problems.push(Problem::new(layer, code, None, detail));
        }
    }

    /// Looks what lies in the plain bytes of a volume: a file system, or partitions.
    fn inside(&mut self, piece: Piece, depth: usize, found: &mut Vec<Found>) {
        self.looked_into = self.looked_into.saturating_add(1);
        if depth >= MOST_DEPTH || self.looked_into > MOST_VOLUMES {
            let detail = "there are more volumes, or they lie deeper in each other, than are opened";
            self.problem("volumes-capped", detail.to_owned());
            return found.push(Found::Volume(piece.not_read("volume that was not opened", detail.to_owned())));
        }
        let scan = match volume::scan(Arc::clone(&piece.source)) {
            Ok(scan) => scan,
            Err(error) => {
                let what = "volume whose beginning cannot be read";
                return found.push(Found::Volume(piece.not_read(what, error.to_string())));
            }
        };
        self.opened.problems.extend(scan.problems);
        let gaps: u64 = scan.gaps.iter().map(|r| r.length).sum();
        if gaps > 0 {
            let detail =
                format!("{gaps} bytes of an unlocked or logical volume belong to no partition of the table in it");
            self.problem("inner-space", detail);
        }
        if scan.volumes.is_empty() {
            let detail = "it holds no bytes or no partition".to_owned();
            return found.push(Found::Volume(piece.not_read("empty volume", detail)));
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
            self.piece(inner, depth, found);
        }
    }
}

/// A logical volume as a piece without bytes yet: at the place of the first physical volume of its group.
fn named(first: &Piece, group: &str, name: &str) -> Piece {
    Piece {
        name: format!("{}.{name}", first.name),
        start: first.start,
        type_name: first.type_name.clone(),
        label: Some(format!("{group}/{name}")),
        layers: first.layers.clone(),
        source: Arc::new(MemorySource::default()),
        recognised: Recognised::Unknown,
    }
}

/// A logical volume whose bytes are there; what it lies in is what each of its physical volumes lies in.
fn logical(one: &Logical, group: &Assembled, pieces: &[&Piece]) -> Option<Piece> {
    let lvm::State::Mapped { source, how, on } = &one.state else { return None };
    let first = group.members.first().and_then(|n| pieces.get(*n))?;
    let on: Vec<&Piece> = on.iter().filter_map(|n| pieces.get(*n).copied()).collect();
    let mut layers: Vec<String> = vec![];
    for layer in on.iter().flat_map(|piece| &piece.layers) {
        if !layers.contains(layer) {
            layers.push(layer.clone());
        }
    }
    let places: Vec<&str> = on.iter().map(|piece| piece.name.as_str()).collect();
    let place = if places.is_empty() { String::new() } else { format!(" on {}", places.join(", ")) };
    layers.push(format!("LVM2 logical volume {}/{} ({how}{place})", group.name, one.name));
    Some(Piece { layers, source: Arc::clone(source), ..named(first, &group.name, &one.name) })
}
