//! A folder of the examiner's machine as evidence: files copied from a device, an extraction already unpacked.
//!
//! Links are listed and never followed; another file system mounted below is not entered. Files are opened read-only
//! and, where the system permits (for the owner or root), without changing the time of last access.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `directory-unreadable` | a folder could not be listed; what is below it is not known |
//! | `entry-unreadable` | an entry could not be looked at |
//! | `mount-point-not-entered` | another file system is mounted on this folder |
//! | `directory-loop` | a folder appears a second time (a bind mount); it is read once |
//! | `folder-changed` | a folder was replaced by something else while it was read |

use std::collections::BTreeSet;
use std::fs::{File, Metadata, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use avocet_base::{Stamp, escape_bytes, join_path};

use crate::entry::{
    AllocationState, Content, ContentRead, Entry, EntryKind, FileSystem, Note, OpenContent, Run, Times, Unreadable,
    Visitor, VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::Source;

/// Flags of open(2) on Linux (`asm-generic/fcntl.h`, the same on x86-64): no change of the access time, no following
/// of a final link, no waiting for the other end of a pipe.
#[cfg(any(target_arch = "x86_64", target_arch = "riscv64"))]
mod flags {
    pub(super) const NOATIME: i32 = 0o1_000_000;
    pub(super) const NOFOLLOW: i32 = 0o400_000;
    pub(super) const NONBLOCK: i32 = 0o4_000;
}
/// As above; ARM has its own value for not following links.
#[cfg(any(target_arch = "aarch64", target_arch = "arm"))]
mod flags {
    pub(super) const NOATIME: i32 = 0o1_000_000;
    pub(super) const NOFOLLOW: i32 = 0o100_000;
    pub(super) const NONBLOCK: i32 = 0o4_000;
}

const LAYER: &str = "folder";

/// Opens a file for reading; does not follow a link in its last component.
fn open_quietly(path: &Path) -> std::io::Result<File> {
    let open = |flags| OpenOptions::new().read(true).custom_flags(flags).open(path);
    let base = flags::NOFOLLOW | flags::NONBLOCK;
    match open(base | flags::NOATIME) {
        // Only the owner and root may read without a trace.
        Err(e) if e.kind() == ErrorKind::PermissionDenied => open(base),
        other => other,
    }
}

/// What tells whether a file is still the one that was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

impl Identity {
    fn of(m: &Metadata) -> Self {
        Self { device: m.dev(), inode: m.ino(), size: m.size(), modified: (m.mtime(), m.mtime_nsec()) }
    }
}

/// A folder and everything below it.
pub struct Folder {
    root: PathBuf,
    device: u64,
    facts: VolumeFacts,
}

impl Folder {
    /// Opens the folder at `root`. A link given as the root itself is followed.
    ///
    /// # Errors
    /// [`OpenError::File`] where it cannot be looked at or is no folder.
    pub fn open(root: &Path) -> Result<Self, OpenError> {
        let refused = |reason: String, advice| OpenError::File { path: root.display().to_string(), reason, advice };
        let advice = "Check the path and whether you may read it";
        let root = root.canonicalize().map_err(|e| refused(e.kind().to_string(), advice))?;
        let metadata = std::fs::metadata(&root).map_err(|e| refused(e.kind().to_string(), advice))?;
        if !metadata.is_dir() {
            return Err(refused("not a folder".into(), "Give a folder, or open the file as an image"));
        }
        std::fs::read_dir(&root).map_err(|e| refused(e.kind().to_string(), advice))?;
        let facts = VolumeFacts {
            kind: "folder",
            label: None,
            serial: None,
            cluster_size: 0,
            size: 0,
            time_source: "Times are those of the file system of the machine on which the folder was read (modified and, \
                          where it is kept, created; UTC): copying may have set both. The time of last access is left \
                          out.",
        };
        Ok(Self { root, device: metadata.dev(), facts })
    }

    fn list(path: &Path) -> std::io::Result<Vec<(std::ffi::OsString, std::io::Result<()>)>> {
        let mut names = vec![];
        for item in std::fs::read_dir(path)? {
            match item {
                Ok(item) => names.push((item.file_name(), Ok(()))),
                Err(error) => names.push((std::ffi::OsString::new(), Err(error))),
            }
        }
        names.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        Ok(names)
    }

    fn entry(&self, path: PathBuf, escaped: String, metadata: &Metadata) -> Entry {
        let kind_of = metadata.file_type();
        let mut notes = vec![];
        let (kind, content, size) = if kind_of.is_file() {
            if metadata.nlink() > 1 {
                notes.push(Note::HardLinks(u32::try_from(metadata.nlink()).unwrap_or(u32::MAX)));
            }
            (EntryKind::File, file_content(path, metadata), metadata.size())
        } else if kind_of.is_dir() {
            (EntryKind::Directory, Content::None, 0)
        } else if kind_of.is_symlink() {
            (EntryKind::Link, Content::None, 0)
        } else {
            let what = if kind_of.is_fifo() {
                "named pipe"
            } else if kind_of.is_socket() {
                "socket"
            } else {
                "device"
            };
            notes.push(Note::Other(what.into()));
            (EntryKind::Special, Content::None, 0)
        };
        let created = metadata.created().ok().and_then(|t| match t.duration_since(UNIX_EPOCH) {
            Ok(after) => Stamp::from_unix(i64::try_from(after.as_secs()).ok()?, after.subsec_nanos()),
            Err(_) => None,
        });
        let modified = u32::try_from(metadata.mtime_nsec())
            .ok()
            .and_then(|nanoseconds| Stamp::from_unix(metadata.mtime(), nanoseconds));
        Entry {
            path: escaped,
            stream: None,
            kind,
            state: AllocationState::Allocated,
            number: metadata.ino(),
            size,
            times: Times { created, modified, ..Times::default() },
            content,
            notes,
        }
    }
}

/// The content of a file of this machine, which must still be the one that `metadata` was taken of when it is read.
pub(super) fn file_content(path: PathBuf, metadata: &Metadata) -> Content {
    // Whether it may be read is asked now, so that a listing says so; the file is opened again when it is read.
    match open_quietly(&path) {
        Ok(_) => Content::Stream { open: Arc::new(HostFile { path, listed: Identity::of(metadata) }), extents: vec![] },
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Content::Unreadable(Unreadable::Unsupported("permission denied on this machine"))
        }
        // Anything else may pass; reading says what it is if it does not.
        Err(_) => {
            Content::Stream { open: Arc::new(HostFile { path, listed: Identity::of(metadata) }), extents: vec![] }
        }
    }
}

/// A file read at positions.
struct QuietFile {
    file: File,
    length: u64,
}

impl Source for QuietFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(left);
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            match self.file.read_at(rest, at) {
                Ok(0) => return Err(changed(at)),
                Ok(n) => done = done.saturating_add(n),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(ReadError::io(LAYER, at, &e)),
            }
        }
        Ok(done)
    }
}

/// Opens a file of a folder for reading at positions, without a trace where the system permits.
pub(super) fn quiet_source(path: &Path) -> std::io::Result<Arc<dyn Source>> {
    let file = open_quietly(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::from(ErrorKind::InvalidInput));
    }
    Ok(Arc::new(QuietFile { file, length: metadata.size() }))
}

struct HostFile {
    path: PathBuf,
    listed: Identity,
}

fn changed(offset: u64) -> ReadError {
    ReadError::new(LAYER, offset, ReadFault::Io, "the file changed after it was listed")
}

impl OpenContent for HostFile {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        let file = open_quietly(&self.path).map_err(|e| ReadError::io(LAYER, 0, &e))?;
        let metadata = file.metadata().map_err(|e| ReadError::io(LAYER, 0, &e))?;
        if !metadata.is_file() || Identity::of(&metadata) != self.listed {
            return Err(changed(0));
        }
        Ok(Box::new(HostReader { file, listed: self.listed, offset: 0 }))
    }

    fn source(&self) -> Result<Option<Arc<dyn Source>>, ReadError> {
        let file = open_quietly(&self.path).map_err(|e| ReadError::io(LAYER, 0, &e))?;
        let metadata = file.metadata().map_err(|e| ReadError::io(LAYER, 0, &e))?;
        if !metadata.is_file() || Identity::of(&metadata) != self.listed {
            return Err(changed(0));
        }
        Ok(Some(Arc::new(QuietFile { file, length: self.listed.size })))
    }
}

struct HostReader {
    file: File,
    listed: Identity,
    offset: u64,
}

impl ContentRead for HostReader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let left = self.listed.size.saturating_sub(self.offset);
        let wanted = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            match self.file.read_at(rest, self.offset) {
                Ok(0) => return Err(changed(self.offset)),
                Ok(n) => {
                    done = done.saturating_add(n);
                    self.offset = self.offset.saturating_add(n as u64);
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(ReadError::io(LAYER, self.offset, &e)),
            }
        }
        if self.offset == self.listed.size {
            // A file written to while it was read would give a digest of neither state.
            let now = self.file.metadata().map_err(|e| ReadError::io(LAYER, self.offset, &e))?;
            if Identity::of(&now) != self.listed {
                return Err(changed(self.offset));
            }
        }
        Ok(done)
    }
}

impl FileSystem for Folder {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Entries in the order of the bytes of their names, a folder before what it holds.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        // The folders still to be listed, by position in the tree: the deepest first, each level in order.
        let mut levels: Vec<std::vec::IntoIter<(std::ffi::OsString, std::io::Result<()>)>> = vec![];
        let mut places: Vec<(PathBuf, String)> = vec![];
        levels.push(Self::list(&self.root).map_err(|e| ReadError::io(LAYER, 0, &e))?.into_iter());
        places.push((self.root.clone(), String::new()));
        let root = std::fs::metadata(&self.root).map_err(|e| ReadError::io(LAYER, 0, &e))?;
        let mut visited = BTreeSet::from([(root.dev(), root.ino())]);
        while let (Some(level), Some((folder, escaped_folder))) = (levels.last_mut(), places.last()) {
            let Some((name, listed)) = level.next() else {
                levels.pop();
                places.pop();
                continue;
            };
            if let Err(error) = listed {
                visitor.problem(
                    Problem::new(LAYER, "directory-unreadable", None, error.kind().to_string())
                        .at_path(if escaped_folder.is_empty() { "/" } else { escaped_folder.as_str() }),
                );
                continue;
            }
            let path = folder.join(&name);
            let escaped = join_path(escaped_folder, &escape_bytes(name.as_bytes()));
            let metadata = match std::fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                Err(error) => {
                    let detail = format!("the entry could not be looked at: {}", error.kind());
                    visitor.problem(Problem::new(LAYER, "entry-unreadable", None, detail).at_path(escaped));
                    continue;
                }
            };
            let is_dir = metadata.is_dir();
            let entry = self.entry(path.clone(), escaped.clone(), &metadata);
            if visitor.entry(entry).is_break() {
                return Ok(());
            }
            if !is_dir {
                continue;
            }
            if metadata.dev() != self.device {
                let detail = "another file system is mounted on this folder and was not entered";
                visitor.problem(Problem::new(LAYER, "mount-point-not-entered", None, detail).at_path(escaped));
                continue;
            }
            // A bind mount can show a folder below itself.
            if !visited.insert((metadata.dev(), metadata.ino())) {
                let detail = "this folder was already read under another path";
                visitor.problem(Problem::new(LAYER, "directory-loop", None, detail).at_path(escaped));
                continue;
            }
            match Self::list(&path) {
                Ok(names) => {
                    // read_dir follows a link that took the folder's place meanwhile.
                    let same = std::fs::symlink_metadata(&path)
                        .is_ok_and(|m| m.is_dir() && m.ino() == metadata.ino() && m.dev() == metadata.dev());
                    if same {
                        levels.push(names.into_iter());
                        places.push((path, escaped));
                    } else {
                        let detail = "the folder was replaced while it was read";
                        visitor.problem(Problem::new(LAYER, "folder-changed", None, detail).at_path(escaped));
                    }
                }
                Err(error) => {
                    let detail = format!("the folder could not be listed: {}", error.kind());
                    visitor.problem(Problem::new(LAYER, "directory-unreadable", None, detail).at_path(escaped));
                }
            }
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}
