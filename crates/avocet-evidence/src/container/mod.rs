//! Containers: how an image, a folder or an archive on this machine becomes one [`Source`] or tree.
//!
//! What a file is, its content decides, never its name; names only say which files belong together.

mod aff4;
pub mod android;
mod blocks;
mod cache;
mod dmg;
pub mod ewf;
mod files;
mod qcow;
pub mod raw;
pub(crate) mod signature;
mod stream;
mod vhd;
mod vhdx;
mod vmdk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet_base::{Md5, Sha1};

pub(crate) use self::blocks::unzstd;
use self::ewf::Ewf;
use self::raw::Raw;
use self::signature::{Signature, recognise};
pub use self::stream::{Damage, Piece, stream_source};
use crate::entry::{FileSystem, VisitResult};
use crate::error::{OpenError, Problem, ReadFault};
use crate::source::Source;
use crate::unpack::Packing;

/// What is wrong with a chunk or a block.
pub(crate) type Fault = (ReadFault, &'static str);

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detected {
    /// A folder of files: see [`crate::fs::folder`].
    Folder,
    /// A zip archive that is no AFF4 image: see [`crate::fs::zip`].
    Zip,
    /// An AFF4 volume that holds files and no disk (AFF4-L).
    Aff4Logical,
    /// A tar archive that is not compressed: see [`crate::fs::tar`].
    Tar,
    /// An Android backup: see [`android`].
    AndroidBackup,
    /// A 7z archive: see [`crate::fs::sevenz`].
    SevenZip,
    /// A compressed stream, perhaps of a tar archive: see [`crate::unpack`].
    Packed(Packing),
    /// An EWF version 1 image: [`open`] reads it.
    Ewf,
    /// A raw image, split or not, or a block device: [`open`] reads it.
    Raw,
    /// A virtual disk (QCOW, VHD, VHDX, VMDK), an Apple disk image (DMG) or an AFF4 image: [`open`] reads it, or says which
    /// of their kinds is not read.
    Disk,
    /// Recognised and not read.
    Unsupported {
        /// The format's name.
        what: &'static str,
        /// What to do next.
        advice: &'static str,
    },
}

/// An opened image.
pub struct Opened {
    /// `raw`, `split raw`, `ewf`, `fixed vhd`, `vhd`, `vhdx`, `vmdk`, `qcow`, `qcow2`, `dmg` or `aff4`; a raw image that was packed: `raw.gz`
    /// and so on.
    pub kind: &'static str,
    /// The bytes of the medium.
    pub source: Arc<dyn Source>,
    /// The EWF image behind `source`, for its facts.
    pub ewf: Option<Arc<Ewf>>,
    /// The files that it was opened from, in order.
    pub segments: Vec<PathBuf>,
    /// What was found wrong on opening.
    pub problems: Vec<Problem>,
    /// The MD5 and SHA-1 that the container stores of its medium, where it is no EWF image.
    pub stored: (Option<Md5>, Option<Sha1>),
}

impl Opened {
    /// The MD5 and SHA-1 that the container stores of its medium.
    pub fn stored_digests(&self) -> (Option<Md5>, Option<Sha1>) {
        self.ewf.as_ref().map_or(self.stored, |ewf| (ewf.facts().stored_md5, ewf.facts().stored_sha1))
    }

    /// Hands all bytes of the medium to `sink` in order, read and decoded by `threads` threads: [`Ewf::stream`] or
    /// [`stream_source`]. What cannot be read is an error piece; `Break` from the sink ends the reading.
    pub fn stream(&self, threads: usize, sink: &mut dyn FnMut(Piece<'_>) -> VisitResult) -> VisitResult {
        match &self.ewf {
            Some(ewf) => ewf.stream(threads, sink),
            None => stream_source(&*self.source, threads, sink),
        }
    }

    /// Reads everything and lists the parts of the medium that cannot be read.
    pub fn check(&self, threads: usize) -> Vec<Damage> {
        let mut damage = vec![];
        let _ = self.stream(threads, &mut |piece| {
            stream::add_damage(&mut damage, &piece);
            VisitResult::Continue(())
        });
        damage
    }
}

/// Opens the raw view of a path and looks what it is. A later segment of a split image is judged by the first.
fn look(path: &Path) -> Result<(Signature, Raw), OpenError> {
    // An EWF segment may lie beside files that look like parts of a split image (`x.EAA`): its own content decides.
    let alone = Raw::open_alone(path)?;
    match recognise(&alone) {
        Signature::Ewf => Ok((Signature::Ewf, alone)),
        _ => {
            let whole = Raw::open(path)?;
            Ok((recognise(&whole), whole))
        }
    }
}

/// Says what a path leads to, by content.
///
/// # Errors
/// [`OpenError::File`] where it cannot be opened, [`OpenError::MissingSegment`] for a split image with a gap.
pub fn detect(path: &Path) -> Result<Detected, OpenError> {
    let metadata = std::fs::metadata(path).map_err(|e| files::cannot_open(path, &e))?;
    if metadata.is_dir() {
        return Ok(Detected::Folder);
    }
    let (signature, raw) = look(path)?;
    if signature == Signature::Aff4 {
        let file: Arc<dyn Source> = Arc::new(raw);
        return Ok(if aff4::logical::is_logical(&file) { Detected::Aff4Logical } else { Detected::Disk });
    }
    Ok(match signature {
        Signature::Ewf => Detected::Ewf,
        Signature::Zip => Detected::Zip,
        Signature::Tar => Detected::Tar,
        Signature::AndroidBackup => Detected::AndroidBackup,
        Signature::SevenZip => Detected::SevenZip,
        Signature::Packed(packing) => Detected::Packed(packing),
        Signature::Qcow | Signature::Vhd | Signature::Vhdx | Signature::Vmdk | Signature::Dmg | Signature::Aff4 => {
            Detected::Disk
        }
        Signature::Unsupported(what, advice) => Detected::Unsupported { what, advice },
        Signature::Raw => Detected::Raw,
    })
}

/// Opens an image by content: EWF by any of its segments, raw, split raw by any of its segments, a virtual disk (VMDK by
/// its descriptor), a block device.
///
/// # Errors
/// [`OpenError::Unsupported`] for a container that is recognised and not read, and for a zip or tar archive; otherwise as
/// [`Raw::open`] and [`Ewf::open`].
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    let (signature, raw) = look(path)?;
    let (segments, mut problems) = (raw.segments().to_vec(), raw.problems().to_vec());
    match signature {
        Signature::Ewf => {
            let ewf = Arc::new(Ewf::open(path)?);
            Ok(Opened {
                kind: "ewf",
                segments: ewf.facts().segments.clone(),
                problems: ewf.problems().to_vec(),
                source: Arc::<Ewf>::clone(&ewf),
                ewf: Some(ewf),
                stored: (None, None),
            })
        }
        Signature::Unsupported(what, advice) => Err(refused(what, advice)),
        Signature::Tar => Err(refused("a tar archive as a disk image", "Examine it as an archive, or unpack it")),
        Signature::AndroidBackup => Err(refused("an Android backup as a disk image", "Examine it as a backup")),
        Signature::SevenZip => Err(refused("a 7z archive as a disk image", "Examine it as an archive, or unpack it")),
        Signature::Packed(packing) => Err(packed_refused(packing)),
        Signature::Zip => Err(refused("a zip archive as a disk image", "Examine it as an archive, or unpack it")),
        Signature::Qcow | Signature::Vhd | Signature::Vhdx | Signature::Vmdk | Signature::Dmg | Signature::Aff4 => {
            let pool = Arc::new(files::Pool::default());
            let mut extents = vec![];
            let mut fetch = |name: &[u8]| {
                let extent = vmdk::extent_path(path, name)?;
                if !files::is_there(&extent)? {
                    return Err(vmdk::missing(path, name, extents.len()));
                }
                let file = files::HostFile::open("vmdk", &extent, extents.len(), &pool)?;
                extents.push(extent);
                Ok(Arc::new(file) as Arc<dyn Source>)
            };
            let disk = open_disk(Arc::new(raw), &mut fetch)?;
            problems.extend(disk.problems);
            let segments = segments.into_iter().chain(extents).collect();
            Ok(Opened { kind: disk.kind, source: disk.source, ewf: None, segments, problems, stored: disk.stored })
        }
        Signature::Raw => {
            let kind = if segments.len() > 1 { "split raw" } else { "raw" };
            if raw.is_empty() {
                problems.push(Problem::new("raw", "empty", None, "the image holds no bytes"));
            }
            Ok(Opened { kind, source: Arc::new(raw), ewf: None, segments, problems, stored: (None, None) })
        }
    }
}

/// A virtual disk: QCOW, VHD, VHDX, VMDK, DMG or AFF4.
pub struct Disk {
    /// `fixed vhd`, `vhd`, `vhdx`, `vmdk`, `qcow`, `qcow2`, `dmg` or `aff4`.
    pub kind: &'static str,
    /// The bytes of the disk.
    pub source: Arc<dyn Source>,
    /// What was found wrong on opening.
    pub problems: Vec<Problem>,
    /// The MD5 and SHA-1 that the image stores of its disk.
    pub stored: (Option<Md5>, Option<Sha1>),
}

/// Gives the file that a VMDK descriptor names, by the bytes of its name.
pub type FetchExtent<'a> = dyn FnMut(&[u8]) -> Result<Arc<dyn Source>, OpenError> + 'a;

/// Opens a virtual disk from its bytes. `extent` gives the files that a VMDK descriptor names, by the bytes of their
/// names; the other formats have one file.
///
/// # Errors
/// [`OpenError::Unsupported`] for those of their kinds that are not read: disks that hold only the changes to another
/// one, encrypted ones, a VHDX whose log was not applied; [`OpenError::Malformed`] for what is none of these formats, and
/// where what says where the bytes lie is damaged.
pub fn open_disk(file: Arc<dyn Source>, extent: &mut FetchExtent<'_>) -> Result<Disk, OpenError> {
    match recognise(&file) {
        Signature::Qcow => qcow::open(&file),
        Signature::Vhd => vhd::open(&file),
        Signature::Vhdx => vhdx::open(&file),
        Signature::Vmdk => vmdk::open(&file, extent),
        Signature::Dmg => dmg::open(&file),
        Signature::Aff4 => aff4::open(&file),
        _ => Err(OpenError::malformed("container", 0, "this is no QCOW, VHD, VHDX, VMDK, DMG or AFF4 image")),
    }
}

/// The files of an AFF4 volume that holds files and no disk (AFF4-L).
///
/// # Errors
/// [`OpenError`] where the archive or its list cannot be read.
pub fn open_files(file: &Arc<dyn Source>) -> Result<Box<dyn FileSystem>, OpenError> {
    Ok(Box::new(aff4::logical::Logical::open(file)?))
}

/// The error for something that is recognised and not read.
fn refused(what: &str, advice: &'static str) -> OpenError {
    OpenError::Unsupported { what: what.to_owned(), advice }
}

/// The error for a compressed file that holds no tar archive.
pub(crate) fn packed_refused(packing: Packing) -> OpenError {
    let name = match packing {
        Packing::Xz => "an xz-compressed file that holds no tar archive".to_owned(),
        other => format!("a {}-compressed file that holds no tar archive", other.as_str()),
    };
    OpenError::Unsupported { what: name, advice: signature::UNPACK }
}

/// Opens a file as plain bytes whatever it holds: an archive, which is read as a tree and not as a disk.
///
/// # Errors
/// As [`Raw::open`].
pub fn open_as_raw(path: &Path) -> Result<Opened, OpenError> {
    Ok(as_raw(Raw::open_alone(path)?))
}

/// As [`open_as_raw`], with the other parts of a file that was split (`x.7z.001` and so on).
///
/// # Errors
/// As [`Raw::open`].
pub fn open_parts_as_raw(path: &Path) -> Result<Opened, OpenError> {
    Ok(as_raw(Raw::open(path)?))
}

fn as_raw(raw: Raw) -> Opened {
    let (segments, problems) = (raw.segments().to_vec(), raw.problems().to_vec());
    Opened { kind: "raw", source: Arc::new(raw), ewf: None, segments, problems, stored: (None, None) }
}
