//! Files and block devices of this machine as sources: opened to read only, read at positions, without a cursor.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{OpenError, ReadError, ReadFault};
use crate::source::Source;

/// So many files of a set stay open all the time. A 4 TB image in 640 MiB segments has more than 6,000 files, a process
/// may by default have 1,024 open.
const PINNED: usize = 128;
/// So many of the other files of a set are open at a time.
const POOLED: usize = 64;

/// Files beyond the first [`PINNED`], the last used first.
#[derive(Default)]
pub(super) struct Pool {
    open: Mutex<Vec<(usize, Arc<File>)>>,
}

impl Pool {
    fn get(&self, id: usize, path: &Path) -> std::io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(i, _)| *i == id) {
            let found = open.remove(at);
            let file = Arc::clone(&found.1);
            open.insert(0, found);
            return Ok(file);
        }
        let file = Arc::new(File::open(path)?);
        open.insert(0, (id, Arc::clone(&file)));
        open.truncate(POOLED);
        Ok(file)
    }
}

enum Handle {
    Pinned(File),
    Pooled(Arc<Pool>, usize),
}

/// One file or block device.
pub(super) struct HostFile {
    layer: &'static str,
    path: PathBuf,
    length: u64,
    handle: Handle,
}

fn file_error(path: &Path, reason: impl ToString, advice: &'static str) -> OpenError {
    OpenError::File { path: path.display().to_string(), reason: reason.to_string(), advice }
}

/// The error for a file that the operating system does not let us open.
pub(super) fn cannot_open(path: &Path, error: &std::io::Error) -> OpenError {
    let advice = match error.kind() {
        std::io::ErrorKind::NotFound => "Check the path",
        std::io::ErrorKind::PermissionDenied => "Run as a user who may read it, or copy it to where you may",
        _ => "Check that the disk or share it lies on is readable",
    };
    file_error(path, error, advice)
}

impl HostFile {
    /// Opens the file that is the `id`-th of its set.
    pub(super) fn open(layer: &'static str, path: &Path, id: usize, pool: &Arc<Pool>) -> Result<Self, OpenError> {
        let metadata = std::fs::metadata(path).map_err(|e| cannot_open(path, &e))?;
        let kind = metadata.file_type();
        if kind.is_dir() {
            return Err(file_error(path, "it is a folder", "Give an image file, or examine the folder as a folder"));
        }
        // Opening a pipe would wait for a writer; it has no positions to read at either.
        if !kind.is_file() && !kind.is_block_device() {
            return Err(file_error(path, "it is neither a file nor a block device", "Give an image file"));
        }
        let file = File::open(path).map_err(|e| cannot_open(path, &e))?;
        // A block device has no length in its metadata; its end is where a seek to the end goes.
        let length = match kind.is_file() {
            true => file.metadata().map(|m| m.len()),
            false => (&file).seek(SeekFrom::End(0)),
        }
        .map_err(|e| cannot_open(path, &e))?;
        let handle = if id < PINNED { Handle::Pinned(file) } else { Handle::Pooled(Arc::clone(pool), id) };
        Ok(Self { layer, path: path.to_owned(), length, handle })
    }

    fn read_file(&self, file: &File, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            match file.read_at(rest, at) {
                Ok(0) => {
                    let detail = "the file has become shorter since it was opened";
                    return Err(ReadError::new(self.layer, at, ReadFault::Truncated, detail));
                }
                Ok(n) => done = done.saturating_add(n),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(ReadError::io(self.layer, at, &e)),
            }
        }
        Ok(done)
    }
}

impl Source for HostFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let Some(buf) = buf.get_mut(..wanted).filter(|b| !b.is_empty()) else { return Ok(0) };
        match &self.handle {
            Handle::Pinned(file) => self.read_file(file, offset, buf),
            Handle::Pooled(pool, id) => {
                let file = pool.get(*id, &self.path).map_err(|e| ReadError::io(self.layer, offset, &e))?;
                self.read_file(&file, offset, buf)
            }
        }
    }
}

/// Whether a path leads to something; an error other than "not found" is an error.
pub(super) fn is_there(path: &Path) -> Result<bool, OpenError> {
    path.try_exists().map_err(|e| cannot_open(path, &e))
}
