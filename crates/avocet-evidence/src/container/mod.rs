//! Containers: how an image, a folder or an archive on this machine becomes one [`Source`] or tree.
//!
//! What a file is, its content decides, never its name; names only say which files belong together.

pub mod ewf;
mod files;
pub mod raw;
mod signature;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet_base::{Md5, Sha1};

use self::ewf::Ewf;
use self::raw::Raw;
use self::signature::{Signature, recognise};
pub use self::stream::{Damage, Piece, stream_source};
use crate::entry::VisitResult;
use crate::error::{OpenError, Problem};
use crate::source::{Source, SubSource};

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detected {
    /// A folder of files: see [`crate::fs::folder`].
    Folder,
    /// A zip archive that is no AFF4 image: see [`crate::fs::zip`].
    Zip,
    /// An EWF version 1 image: [`open`] reads it.
    Ewf,
    /// A raw image, split or not, or a block device: [`open`] reads it.
    Raw,
    /// A fixed VHD: [`open`] reads it as raw without its footer.
    FixedVhd,
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
    /// `raw`, `split raw`, `fixed vhd` or `ewf`.
    pub kind: &'static str,
    /// The bytes of the medium.
    pub source: Arc<dyn Source>,
    /// The EWF image behind `source`, for its facts.
    pub ewf: Option<Arc<Ewf>>,
    /// The files that it was opened from, in order.
    pub segments: Vec<PathBuf>,
    /// What was found wrong on opening.
    pub problems: Vec<Problem>,
}

impl Opened {
    /// The MD5 and SHA-1 that the container stores of its medium.
    pub fn stored_digests(&self) -> (Option<Md5>, Option<Sha1>) {
        self.ewf.as_ref().map_or((None, None), |ewf| (ewf.facts().stored_md5, ewf.facts().stored_sha1))
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
    Ok(match look(path)?.0 {
        Signature::Ewf => Detected::Ewf,
        Signature::Zip => Detected::Zip,
        Signature::FixedVhd => Detected::FixedVhd,
        Signature::Unsupported(what, advice) => Detected::Unsupported { what, advice },
        Signature::Raw => Detected::Raw,
    })
}

/// Opens an image by content: EWF by any of its segments, raw, split raw by any of its segments, a fixed VHD, a block
/// device.
///
/// # Errors
/// [`OpenError::Unsupported`] for a container that is recognised and not read, and for a zip archive; otherwise as
/// [`Raw::open`] and [`Ewf::open`].
pub fn open(path: &Path) -> Result<Opened, OpenError> {
    let unsupported = |what: &str, advice| Err(OpenError::Unsupported { what: what.to_owned(), advice });
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
            })
        }
        Signature::Unsupported(what, advice) => unsupported(what, advice),
        Signature::Zip => unsupported("a zip archive as a disk image", "Examine it as an archive, or unpack it"),
        Signature::FixedVhd => {
            let disk = raw.len().saturating_sub(512);
            let detail = "a fixed VHD: its last 512 bytes are the footer of the format and not of the disk";
            problems.push(Problem::new("raw", "vhd-footer-left-out", Some(disk), detail));
            let source = Arc::new(SubSource::new(Arc::new(raw), 0, disk));
            Ok(Opened { kind: "fixed vhd", source, ewf: None, segments, problems })
        }
        Signature::Raw => {
            let kind = if segments.len() > 1 { "split raw" } else { "raw" };
            if raw.is_empty() {
                problems.push(Problem::new("raw", "empty", None, "the image holds no bytes"));
            }
            Ok(Opened { kind, source: Arc::new(raw), ewf: None, segments, problems })
        }
    }
}

/// Opens a file as plain bytes whatever it holds: an archive, which is read as a tree and not as a disk.
///
/// # Errors
/// As [`Raw::open`].
pub fn open_as_raw(path: &Path) -> Result<Opened, OpenError> {
    let raw = Raw::open_alone(path)?;
    let (segments, problems) = (raw.segments().to_vec(), raw.problems().to_vec());
    Ok(Opened { kind: "raw", source: Arc::new(raw), ewf: None, segments, problems })
}
