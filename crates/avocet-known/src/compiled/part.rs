//! One section while it is written: in memory while it is small, then in a temporary file. Checksums are taken on the
//! way, so that putting the sections together only copies.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use sha2::Digest as _;

use super::layout::BLOCK;

/// Bytes gathered before they are written out: whole blocks.
const GATHER: usize = 16 * BLOCK as usize;

/// A section that is being written.
pub(crate) struct Part {
    folder: PathBuf,
    file: Option<File>,
    buffer: Vec<u8>,
    sums: Vec<u32>,
    sha256: sha2::Sha256,
    length: u64,
}

/// A section that is complete.
#[derive(Debug)]
pub(crate) struct Done {
    file: Option<File>,
    /// The bytes, where there is no file.
    bytes: Vec<u8>,
    pub length: u64,
    /// One CRC-32 for each block, the last one padded with zeros.
    pub sums: Vec<u32>,
    pub sha256: Sha256,
}

impl Part {
    pub fn new(folder: &Path) -> Part {
        Part {
            folder: folder.to_owned(),
            file: None,
            buffer: vec![],
            sums: vec![],
            sha256: sha2::Sha256::new(),
            length: 0,
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.length
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        self.length += bytes.len() as u64;
        if self.buffer.len() >= GATHER { self.flush() } else { Ok(()) }
    }

    /// Writes out the whole blocks gathered.
    fn flush(&mut self) -> io::Result<()> {
        let whole = self.buffer.len() / BLOCK as usize * BLOCK as usize;
        let bytes = self.buffer.get(..whole).unwrap_or_default();
        self.sums.extend(bytes.chunks(BLOCK as usize).map(crc32fast::hash));
        self.sha256.update(bytes);
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.folder)?),
        };
        file.write_all(bytes)?;
        self.buffer.drain(..whole);
        Ok(())
    }

    pub fn finish(mut self) -> io::Result<Done> {
        let rest = std::mem::take(&mut self.buffer);
        self.sha256.update(&rest);
        for block in rest.chunks(BLOCK as usize) {
            let mut sum = crc32fast::Hasher::new();
            sum.update(block);
            sum.update(ZEROS.get(block.len()..).unwrap_or_default());
            self.sums.push(sum.finalize());
        }
        let bytes = match &mut self.file {
            Some(file) => {
                file.write_all(&rest)?;
                vec![]
            }
            None => rest,
        };
        Ok(Done {
            file: self.file,
            bytes,
            length: self.length,
            sums: self.sums,
            sha256: Sha256(self.sha256.finalize().into()),
        })
    }
}

static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];

impl Done {
    /// The bytes from the beginning. Several may read at once.
    pub fn reader(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match &self.file {
            Some(file) => Box::new(io::BufReader::with_capacity(1 << 20, Positioned { file, at: 0 })),
            None => Box::new(self.bytes.as_slice()),
        })
    }

    /// Appends the bytes to `to` and moves on to the next whole block; what is passed over reads as zeros.
    pub fn copy_to(mut self, to: &mut File) -> io::Result<()> {
        let copied = match &mut self.file {
            Some(file) => {
                file.seek(SeekFrom::Start(0))?;
                io::copy(file, to)?
            }
            None => {
                to.write_all(&self.bytes)?;
                self.bytes.len() as u64
            }
        };
        if copied != self.length {
            return Err(io::Error::other("a temporary file has changed"));
        }
        let padding = self.length.next_multiple_of(BLOCK) - self.length;
        to.seek(SeekFrom::Current(padding as i64)).map(|_| ())
    }
}

/// Reads a file without moving the place that others share.
struct Positioned<'a> {
    file: &'a File,
    at: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = std::os::unix::fs::FileExt::read_at(self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
