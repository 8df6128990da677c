//! Where bytes go that have to be unpacked: memory first, then a file without a name, encrypted.
//!
//! What an archive holds is evidence. It must not be left on the examiner's disk, whatever happens to the program, so the
//! file never has a name (`O_TMPFILE`, or removed at once) and what is written to it is sealed with a key that only this
//! process knows and never writes. Each block of 64 KiB is sealed by itself with ChaCha20-Poly1305 under its number, so
//! that any place can be read, and a block that the disk gave back changed is an error and not another finding.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use avocet_evidence::scratch::{Kept, Scratch, ScratchWriter, Share};
use avocet_evidence::{ReadError, ReadFault, Source};
use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit};

/// Plain bytes of one sealed block.
const BLOCK: usize = 64 << 10;
/// What sealing adds to a block.
const TAG: usize = 16;
/// Bytes of one piece that are kept in memory before it goes to a file.
const SMALL: u64 = 16 << 20;
/// Bytes kept in memory, all pieces together.
const MEMORY: u64 = 256 << 20;

/// Small pieces in memory, large ones in nameless encrypted files of a folder.
pub struct EncryptedScratch {
    folder: PathBuf,
    memory: Arc<AtomicU64>,
    small: u64,
}

impl EncryptedScratch {
    /// Uses `folder` for what is too large for memory. Nothing is written before it is needed.
    pub fn new(folder: &Path) -> Self {
        Self::with_memory(folder, MEMORY, SMALL)
    }

    /// As [`EncryptedScratch::new`], with so much memory in all and for one piece.
    pub fn with_memory(folder: &Path, memory: u64, small: u64) -> Self {
        Self { folder: folder.to_owned(), memory: Arc::new(AtomicU64::new(memory)), small }
    }
}

impl Scratch for EncryptedScratch {
    fn begin(&self) -> Box<dyn ScratchWriter> {
        Box::new(Piece {
            folder: self.folder.clone(),
            small: self.small,
            memory: vec![],
            share: Share::new(Arc::clone(&self.memory)),
            file: None,
            length: 0,
        })
    }
}

fn failed(at: u64, error: &std::io::Error) -> ReadError {
    ReadError::io("scratch", at, error)
}

fn damaged(at: u64) -> ReadError {
    ReadError::new("scratch", at, ReadFault::Damaged, "the temporary file gave back other bytes than were written")
}

/// The nonce of a block: its number. A key seals one file only, so no number is used twice.
fn nonce(block: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    let [low @ .., _, _, _, _] = &mut nonce;
    low.copy_from_slice(&block.to_le_bytes());
    nonce
}

struct Sealed {
    file: File,
    cipher: ChaCha20Poly1305,
    /// Bytes of the block that is not full yet.
    tail: Vec<u8>,
    blocks: u64,
}

impl Sealed {
    fn create(folder: &Path) -> Result<Self, ReadError> {
        let file = tempfile::tempfile_in(folder).map_err(|e| failed(0, &e))?;
        let mut key = zeroize::Zeroizing::new([0u8; 32]);
        getrandom::fill(key.as_mut_slice())
            .map_err(|_| ReadError::new("scratch", 0, ReadFault::Io, "this machine gives no random bytes"))?;
        let cipher = ChaCha20Poly1305::new((&*key).into());
        Ok(Self { file, cipher, tail: Vec::with_capacity(BLOCK + TAG), blocks: 0 })
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), ReadError> {
        while !bytes.is_empty() {
            let n = bytes.len().min(BLOCK - self.tail.len());
            let (now, rest) = bytes.split_at(n);
            self.tail.extend_from_slice(now);
            bytes = rest;
            if self.tail.len() == BLOCK {
                self.seal()?;
            }
        }
        Ok(())
    }

    fn seal(&mut self) -> Result<(), ReadError> {
        let at = self.blocks * BLOCK as u64;
        self.cipher
            .encrypt_in_place(&nonce(self.blocks).into(), b"", &mut self.tail)
            .map_err(|_| ReadError::new("scratch", at, ReadFault::Io, "a block cannot be sealed"))?;
        self.file.write_all(&self.tail).map_err(|e| failed(at, &e))?;
        self.tail.clear();
        self.blocks += 1;
        Ok(())
    }
}

struct Piece {
    folder: PathBuf,
    small: u64,
    memory: Vec<u8>,
    share: Share,
    file: Option<Sealed>,
    length: u64,
}

impl ScratchWriter for Piece {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let length = self.length + bytes.len() as u64;
        if self.file.is_none() && length <= self.small && self.share.take(bytes.len() as u64) {
            self.memory.extend_from_slice(bytes);
            self.length = length;
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = Sealed::create(&self.folder)?;
                file.write(&self.memory)?;
                self.memory = vec![];
                none.insert(file)
            }
        };
        file.write(bytes)?;
        self.length = length;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Arc<dyn Source>, ReadError> {
        match self.file.take() {
            None => Ok(Arc::new(Kept::new(self.memory, self.share))),
            Some(mut file) => {
                if !file.tail.is_empty() {
                    file.seal()?;
                }
                let Sealed { file, cipher, .. } = file;
                Ok(Arc::new(SealedFile { file, cipher, length: self.length, last: Mutex::new((u64::MAX, vec![])) }))
            }
        }
    }
}

/// A finished file, read at any place.
struct SealedFile {
    file: File,
    cipher: ChaCha20Poly1305,
    length: u64,
    /// The block opened last: readers go forward in smaller steps.
    last: Mutex<(u64, Vec<u8>)>,
}

impl SealedFile {
    fn open(&self, block: u64) -> Result<Vec<u8>, ReadError> {
        let start = block * BLOCK as u64;
        let plain = usize::try_from(self.length.saturating_sub(start)).unwrap_or(usize::MAX).min(BLOCK);
        let mut bytes = vec![0; plain + TAG];
        self.file.read_exact_at(&mut bytes, block * (BLOCK + TAG) as u64).map_err(|e| failed(start, &e))?;
        self.cipher.decrypt_in_place(&nonce(block).into(), b"", &mut bytes).map_err(|_| damaged(start))?;
        Ok(bytes)
    }
}

impl Source for SealedFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            let at = offset + done as u64;
            let (block, inside) = (at / BLOCK as u64, usize::try_from(at % BLOCK as u64).unwrap_or(0));
            // Taken out while it is used, so that readers side by side do not wait for each other.
            let kept =
                std::mem::replace(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner), (u64::MAX, vec![]));
            let plain = if kept.0 == block { kept.1 } else { self.open(block)? };
            let part = plain.get(inside..).unwrap_or_default();
            let n = part.len().min(rest.len());
            let (Some(to), Some(from)) = (rest.get_mut(..n), part.get(..n)) else { return Err(damaged(at)) };
            if n == 0 {
                return Err(damaged(at));
            }
            to.copy_from_slice(from);
            done += n;
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (block, plain);
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(scratch: &EncryptedScratch, bytes: &[u8], step: usize) -> Arc<dyn Source> {
        let mut writer = scratch.begin();
        bytes.chunks(step).for_each(|part| writer.write(part).unwrap());
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read_at_any_place_from_memory_and_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for small in [1 << 20, 1000, 0] {
            let scratch = EncryptedScratch::with_memory(folder.path(), 1 << 20, small);
            let kept = keep(&scratch, &bytes, 7001);
            assert_eq!(kept.len(), bytes.len() as u64);
            for (start, length) in [(0, 300_000), (65_535, 2), (65_536, 65_536), (299_999, 5), (131_000, 100_000)] {
                let mut buf = vec![0; length];
                let n = kept.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(&buf[..n], &bytes[start..(start + length).min(bytes.len())], "{small} {start}");
            }
            assert_eq!(kept.read_at(300_000, &mut [0; 4]).unwrap(), 0);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file has a name");
    }

    #[test]
    fn nothing_of_the_content_is_on_the_disk_and_a_changed_block_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut sealed = Sealed::create(folder.path()).unwrap();
        let plain = b"words that must not be found ".repeat(5000);
        sealed.write(&plain).unwrap();
        sealed.seal().unwrap();
        let file = sealed.file.try_clone().unwrap();
        let mut stored = vec![0; file.metadata().unwrap().len() as usize];
        file.read_exact_at(&mut stored, 0).unwrap();
        assert!(!stored.windows(10).any(|w| w == b"words that"));
        let source = SealedFile {
            file: sealed.file,
            cipher: sealed.cipher,
            length: plain.len() as u64,
            last: Mutex::new((u64::MAX, vec![])),
        };
        let mut buf = vec![0; 100];
        source.read_at(70_000, &mut buf).unwrap();
        assert_eq!(buf, plain[70_000..70_100]);
        file.write_all_at(&[stored[70_000] ^ 1], 70_000).unwrap();
        assert!(source.read_at(10, &mut buf).is_ok(), "the block before is as it was");
        let error = source.read_at(70_000, &mut buf).unwrap_err();
        assert!(error.detail.contains("other bytes than were written"), "{error}");
    }
}
