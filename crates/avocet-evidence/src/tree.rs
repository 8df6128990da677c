//! How a piece of evidence was opened: container, volume system, file systems, each layer with its own findings.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::container::android::AndroidBackup;
use crate::container::signature::is_tar;
use crate::container::{self, Detected, Opened, packed_refused};
use crate::entry::{AllocationState, FileSystem, Run};
use crate::error::{OpenError, Problem};
use crate::fs::ios::{IosBackup, Look};
use crate::fs::{
    apfs, btrfs::Btrfs, exfat::ExFat, ext::Ext, f2fs::F2fs, fat::Fat, folder::Folder, hfs::Hfs, iso::Iso, ntfs::Ntfs,
    sevenz::SevenZip, tar::Tar, udf::Udf, ufd, ufdr::Ufdr, xfs::Xfs, zip::Zip,
};
use crate::layers::{self, Piece};
use crate::scratch::Access;
use crate::source::{Source, read_up_to};
use crate::unpack::{Limit, Packing, Unpacked, unpack};
use crate::volume::recognise::{FsKind, Recognised};
use crate::volume::{self, VolumeScan};

/// A piece of evidence, opened read-only down to its file systems.
pub struct Evidence {
    /// `folder`, `ios-backup`, `android-backup`, `ufdr`, `aff4-l`, `zip`, `tar`, `tar.gz`, `tar.xz`, `tar.zst`, `tar.bz2`, `7z`, or the kind of the container (see [`Opened::kind`]).
    pub kind: &'static str,
    /// The container, where there is one (not for a folder).
    pub container: Option<Opened>,
    /// `gpt`, `mbr`, `apm` or `none`.
    pub scheme: &'static str,
    /// What lies in the evidence, in the order of the disk.
    pub volumes: Vec<Volume>,
    /// Bytes that belong to no volume and no partition table.
    pub gaps: Vec<Run>,
    /// Bytes taken by partition tables.
    pub tables: Vec<Run>,
    /// What was found on the way down.
    pub problems: Vec<Problem>,
    /// What the evidence says of the device it came from, as name and escaped value (phone backups and reports).
    pub device: Vec<(String, String)>,
    /// Volumes that a password or key file might open, and none was given.
    pub locked: usize,
}

/// One volume of the evidence.
pub struct Volume {
    /// `gpt:2`, `mbr:5`, `apm:3`, `whole`, `disc`, `folder`, `zip`, `tar`, `ios-backup`: the first part of an evidence path.
    pub name: String,
    /// First byte within the evidence.
    pub start: u64,
    /// Length in bytes.
    pub length: u64,
    /// The partition table's word for it.
    pub type_name: String,
    /// The partition's escaped label, where it has one.
    pub label: Option<String>,
    /// What it lies in beside a partition, from the outside in: an encrypted volume with what unlocked it. Where this is not
    /// empty, its bytes are not those of the evidence from `start`.
    pub layers: Vec<String>,
    /// What it holds.
    pub state: VolumeState,
}

/// What a volume holds and whether it was read.
pub enum VolumeState {
    /// A file system that is read.
    Read {
        /// The file system.
        fs: Box<dyn FileSystem>,
        /// The bytes it was opened on, which entries read their content from.
        source: Arc<dyn Source>,
    },
    /// Something recognised that is not read.
    NotRead {
        /// Its name, such as `BitLocker volume`.
        what: String,
        /// Whether its signature leaves no doubt.
        certain: bool,
        /// More, in one clause; may be empty.
        detail: String,
    },
    /// A file system that is read in general, and could not be opened here.
    Failed {
        /// Its name.
        what: &'static str,
        /// Why.
        error: OpenError,
    },
    /// Nothing but zeros where it was looked at.
    Empty,
    /// Nothing recognised.
    Unknown,
}

impl fmt::Debug for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {} ({} bytes): {}", self.name, self.start, self.length, self.state.word())
    }
}

impl VolumeState {
    /// `read`, `recognised`, `failed`, `empty` or `unknown`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Read { .. } => "read",
            Self::NotRead { .. } => "recognised",
            Self::Failed { .. } => "failed",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

impl Evidence {
    /// Opens an image (by any of its segments), a folder, a phone's backup, a zip or a tar: what it is is decided by its content.
    ///
    /// # Errors
    /// [`OpenError`] where the evidence as a whole cannot be opened. A volume that cannot is part of the result.
    pub fn open(path: &Path) -> Result<Evidence, OpenError> {
        Self::open_with(path, &Access::default())
    }

    /// As [`Evidence::open`], with a password and a place for bytes that have to be unpacked.
    ///
    /// # Errors
    /// As [`Evidence::open`]; [`OpenError::Locked`] and [`OpenError::WrongPassword`] for what is protected.
    pub fn open_with(path: &Path, access: &Access) -> Result<Evidence, OpenError> {
        match container::detect(path)? {
            Detected::Folder => {
                let nothing = Arc::new(crate::MemorySource::default());
                Ok(match IosBackup::look(path, access.password.as_ref())? {
                    Look::Backup(backup) => {
                        let device = backup.device().to_vec();
                        Evidence { device, ..Self::tree("ios-backup", None, backup, nothing) }
                    }
                    Look::AsFolder(problem) => {
                        let tree = Self::tree("folder", None, Box::new(Folder::open(path)?), nothing);
                        Evidence { problems: vec![problem], ..tree }
                    }
                    Look::Folder => Self::tree("folder", None, Box::new(Folder::open(path)?), nothing),
                })
            }
            Detected::Zip => {
                let opened = container::open_as_raw(path)?;
                let source = Arc::clone(&opened.source);
                let zip = Zip::open(Arc::clone(&source))?;
                let beside = ufd::beside(path);
                Ok(match Ufdr::open(Arc::clone(&source), &zip)? {
                    Some(report) => {
                        let device = [report.device(), &beside].concat();
                        Evidence { device, ..Self::tree("ufdr", Some(opened), Box::new(report), source) }
                    }
                    None => Evidence { device: beside, ..Self::tree("zip", Some(opened), Box::new(zip), source) },
                })
            }
            Detected::Aff4Logical => {
                let opened = container::open_as_raw(path)?;
                let source = Arc::clone(&opened.source);
                let files = container::open_files(&source)?;
                Ok(Self::tree("aff4-l", Some(opened), files, source))
            }
            Detected::Tar => {
                let opened = container::open_as_raw(path)?;
                let source = Arc::clone(&opened.source);
                let tar = Tar::open(Arc::clone(&source))?;
                Ok(Self::tree("tar", Some(opened), Box::new(tar), source))
            }
            Detected::AndroidBackup => {
                let opened = container::open_as_raw(path)?;
                let backup = AndroidBackup::open(&opened.source, access)?;
                let tar = Tar::open(Arc::clone(&backup.tar))?.inside("android-backup");
                let tree = Self::tree("android-backup", Some(opened), Box::new(tar), backup.tar);
                Ok(Evidence { problems: backup.problems, device: backup.facts, ..tree })
            }
            Detected::SevenZip => {
                let opened = container::open_parts_as_raw(path)?;
                let archive =
                    SevenZip::open(&opened.source, AllocationState::Allocated, Limit::EVIDENCE, &*access.scratch)?;
                Ok(Self::tree("7z", Some(opened), Box::new(archive.fs), archive.plain))
            }
            Detected::Packed(packing) => {
                let opened = container::open_as_raw(path)?;
                let unpacked = unpack(packing, &*opened.source, Limit::EVIDENCE, &*access.scratch)?;
                let head = read_up_to(&unpacked.source, 0, 512)?;
                if !is_tar(&head) {
                    if let Some(disk) = Self::packed_disk(packing, &opened, &unpacked, access)? {
                        return Ok(disk);
                    }
                    // What broke off before the first member says nothing of what was inside.
                    return Err(match unpacked.problems.iter().find(|_| head.len() < 512 && !unpacked.whole) {
                        Some(p) => OpenError::malformed(p.layer, p.offset.unwrap_or(0), p.detail.clone()),
                        None => packed_refused(packing),
                    });
                }
                let tar = Tar::open(Arc::clone(&unpacked.source))?;
                let facts = vec![
                    ("packed with".to_owned(), packing.as_str().to_owned()),
                    ("unpacked bytes".to_owned(), unpacked.source.len().to_string()),
                ];
                let mut tree = Self::tree(packing.tar_kind(), Some(opened), Box::new(tar), unpacked.source);
                tree.volumes.iter_mut().for_each(|v| v.name = "tar".to_owned());
                Ok(Evidence { problems: unpacked.problems, device: facts, ..tree })
            }
            Detected::Ewf | Detected::Raw | Detected::Disk | Detected::Unsupported { .. } => {
                Self::image(container::open(path)?, access)
            }
        }
    }

    fn tree(
        kind: &'static str,
        container: Option<Opened>,
        fs: Box<dyn FileSystem>,
        source: Arc<dyn Source>,
    ) -> Evidence {
        let volume = Volume {
            name: kind.to_owned(),
            start: 0,
            length: source.len(),
            type_name: kind.to_owned(),
            label: None,
            layers: vec![],
            state: VolumeState::Read { fs, source },
        };
        Evidence {
            kind,
            container,
            scheme: "none",
            volumes: vec![volume],
            gaps: vec![],
            tables: vec![],
            problems: vec![],
            device: vec![],
            locked: 0,
        }
    }

    /// A raw disk image that was packed; `None` where nothing in the bytes says that they are a disk.
    fn packed_disk(
        packing: Packing,
        packed: &Opened,
        unpacked: &Unpacked,
        access: &Access,
    ) -> Result<Option<Evidence>, OpenError> {
        let scan = volume::scan(Arc::clone(&unpacked.source))?;
        let known = scan.volumes.iter().any(|slot| match slot.recognised {
            Recognised::FileSystem(_) => true,
            Recognised::NotRead { certain, .. } => certain,
            _ => false,
        });
        if scan.scheme == "none" && !known {
            return Ok(None);
        }
        let disk = Opened {
            kind: packing.raw_kind(),
            source: Arc::clone(&unpacked.source),
            ewf: None,
            segments: packed.segments.clone(),
            problems: packed.problems.iter().chain(&unpacked.problems).cloned().collect(),
            stored: (None, None),
        };
        let facts = vec![("packed with".to_owned(), packing.as_str().to_owned())];
        Ok(Some(Evidence { device: facts, ..Self::scanned(disk, scan, access) }))
    }

    fn image(opened: Opened, access: &Access) -> Result<Evidence, OpenError> {
        let scan = volume::scan(Arc::clone(&opened.source))?;
        Ok(Self::scanned(opened, scan, access))
    }

    fn scanned(opened: Opened, scan: VolumeScan, access: &Access) -> Evidence {
        let mut problems = opened.problems.clone();
        problems.extend(scan.problems);
        let found = layers::open_all(&opened.source, scan.volumes, access);
        problems.extend(found.problems);
        Evidence {
            kind: opened.kind,
            scheme: scan.scheme,
            volumes: found.volumes,
            gaps: scan.gaps,
            tables: scan.tables,
            problems,
            device: vec![],
            locked: found.locked,
            container: Some(opened),
        }
    }

    /// The evidence's bytes; `None` for a folder, which has none of its own.
    pub fn source(&self) -> Option<&Arc<dyn Source>> {
        self.container.as_ref().map(|c| &c.source)
    }
}

impl Volume {
    /// Opens what a volume was recognised as: one volume, or those of the container that it is.
    pub(crate) fn open(piece: Piece) -> Vec<Volume> {
        let source = Arc::clone(&piece.source);
        if piece.recognised == Recognised::FileSystem(FsKind::Apfs) {
            return Self::container(&source, &piece);
        }
        let state = match &piece.recognised {
            Recognised::FileSystem(kind) => open_file_system(*kind, source),
            Recognised::NotRead { what, certain, detail } => {
                VolumeState::NotRead { what: what.clone(), certain: *certain, detail: detail.clone() }
            }
            Recognised::Empty { .. } => VolumeState::Empty,
            Recognised::Unknown => VolumeState::Unknown,
        };
        vec![piece.volume(state)]
    }

    /// The volumes of an APFS container: `NAME.1` and so on. They share its bytes.
    fn container(source: &Arc<dyn Source>, piece: &Piece) -> Vec<Volume> {
        let volume = |name: String, state: VolumeState| Volume {
            name,
            start: piece.start,
            length: source.len(),
            type_name: piece.type_name.clone(),
            label: piece.label.clone(),
            layers: piece.layers.clone(),
            state,
        };
        let failed = |error| VolumeState::Failed { what: "APFS", error };
        let found = match apfs::open_all(source) {
            Ok(found) => found,
            Err(error) => return vec![volume(piece.name.clone(), failed(error))],
        };
        if found.is_empty() {
            let what = "APFS container without a volume".to_owned();
            let state = VolumeState::NotRead { what, certain: true, detail: String::new() };
            return vec![volume(piece.name.clone(), state)];
        }
        let states = found.into_iter().map(|one| match one {
            apfs::Found::Volume(fs) => VolumeState::Read { fs, source: Arc::clone(source) },
            apfs::Found::NotRead(what, detail) => VolumeState::NotRead { what, certain: true, detail },
            apfs::Found::Failed(error) => failed(error),
        });
        (1..).zip(states).map(|(n, state)| volume(format!("{}.{n}", piece.name), state)).collect()
    }
}

fn open_file_system(kind: FsKind, source: Arc<dyn Source>) -> VolumeState {
    fn boxed<F: FileSystem + 'static>(fs: F) -> Box<dyn FileSystem> {
        Box::new(fs)
    }
    let copy = Arc::clone(&source);
    let (what, opened) = match kind {
        FsKind::Ntfs => ("NTFS", Ntfs::open(copy).map(boxed)),
        FsKind::Fat => ("FAT", Fat::open(copy).map(boxed)),
        FsKind::ExFat => ("exFAT", ExFat::open(copy).map(boxed)),
        FsKind::Ext => ("ext", Ext::open(copy).map(boxed)),
        // A container is opened by `Volume::container`.
        FsKind::Apfs => ("APFS", Err(OpenError::malformed("apfs", 0, "a container is no file system"))),
        FsKind::Xfs => ("XFS", Xfs::open(copy).map(boxed)),
        FsKind::Btrfs => ("btrfs", Btrfs::open(copy).map(boxed)),
        FsKind::F2fs => ("F2FS", F2fs::open(copy).map(boxed)),
        FsKind::Hfs => ("HFS+", Hfs::open(copy).map(boxed)),
        FsKind::Iso => ("ISO 9660", Iso::open(copy).map(boxed)),
        FsKind::Udf => ("UDF", Udf::open(copy).map(boxed)),
    };
    match opened {
        Ok(fs) => VolumeState::Read { fs, source },
        Err(error) => VolumeState::Failed { what, error },
    }
}
