//! What opening evidence may need beside its path: a password, and a place for bytes that have to be unpacked.
//!
//! This crate writes no file. Where unpacked bytes go is decided by whoever opens the evidence; what is kept here is in
//! memory and bounded.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use crate::error::{ReadError, ReadFault};
use crate::source::{MemorySource, Source};

/// A password or key. It is erased when dropped and shown by nothing.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes of a password as they were typed, or of a key file.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Takes bytes in order and gives them back at any place.
pub trait ScratchWriter: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// [`ReadError`] where there is no more room: what was unpacked cannot be examined.
    fn write(&mut self, bytes: &[u8]) -> Result<(), ReadError>;

    /// The bytes that were appended.
    ///
    /// # Errors
    /// As [`ScratchWriter::write`].
    fn finish(self: Box<Self>) -> Result<Arc<dyn Source>, ReadError>;
}

/// A place for unpacked bytes.
pub trait Scratch: Send + Sync {
    /// Begins a piece of its own; its room is given back when the piece is dropped.
    fn begin(&self) -> Box<dyn ScratchWriter>;
}

/// Bytes kept in memory by [`InMemory`], all pieces together.
pub const DEFAULT_MEMORY: u64 = 256 << 20;

/// Keeps unpacked bytes in memory, and refuses what is more than its share.
pub struct InMemory {
    free: Arc<AtomicU64>,
    whole: u64,
}

impl InMemory {
    /// For at most so many bytes, all pieces together.
    pub fn new(bytes: u64) -> Self {
        Self { free: Arc::new(AtomicU64::new(bytes)), whole: bytes }
    }
}

/// A share of a bounded amount of memory, given back when dropped.
pub struct Share {
    free: Arc<AtomicU64>,
    taken: u64,
}

impl Share {
    /// No bytes yet of what `free` holds.
    pub fn new(free: Arc<AtomicU64>) -> Self {
        Self { free, taken: 0 }
    }

    /// Takes so many more; false where there are not that many.
    pub fn take(&mut self, bytes: u64) -> bool {
        let taken = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| free.checked_sub(bytes));
        if taken.is_ok() {
            self.taken = self.taken.saturating_add(bytes);
        }
        taken.is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.free.fetch_add(self.taken, Ordering::Relaxed);
    }
}

/// Bytes in memory with the share that they take.
pub struct Kept {
    bytes: MemorySource,
    _share: Share,
}

impl Kept {
    /// Bytes that take `share`.
    pub fn new(bytes: Vec<u8>, share: Share) -> Self {
        Self { bytes: MemorySource(bytes), _share: share }
    }
}

impl Source for Kept {
    fn len(&self) -> u64 {
        self.bytes.len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        self.bytes.read_at(offset, buf)
    }
}

struct Memory {
    bytes: Vec<u8>,
    share: Share,
    whole: u64,
}

impl ScratchWriter for Memory {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        if !self.share.take(bytes.len() as u64) {
            let detail = format!("more than the {} MiB that may be unpacked in memory", self.whole >> 20);
            return Err(ReadError::new("scratch", self.bytes.len() as u64, ReadFault::Unsupported, detail));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Arc<dyn Source>, ReadError> {
        Ok(Arc::new(Kept::new(self.bytes, self.share)))
    }
}

impl Scratch for InMemory {
    fn begin(&self) -> Box<dyn ScratchWriter> {
        Box::new(Memory { bytes: vec![], share: Share::new(Arc::clone(&self.free)), whole: self.whole })
    }
}

/// What evidence is opened with.
#[derive(Clone)]
pub struct Access {
    /// The password of a protected backup or volume.
    pub password: Option<Secret>,
    /// The content of a key file, which opens volumes as a password does.
    pub key_file: Option<Secret>,
    /// More key files. TrueCrypt and VeraCrypt take all of them together, others one by one.
    pub more_key_files: Vec<Secret>,
    /// The number that VeraCrypt calls PIM, where one was chosen; no volume is then tried without it.
    pub veracrypt_pim: Option<u32>,
    /// Where bytes go that have to be unpacked.
    pub scratch: Arc<dyn Scratch>,
}

impl Default for Access {
    /// No password, and [`DEFAULT_MEMORY`].
    fn default() -> Self {
        Self {
            password: None,
            key_file: None,
            more_key_files: vec![],
            veracrypt_pim: None,
            scratch: Arc::new(InMemory::new(DEFAULT_MEMORY)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_over_all_pieces_and_given_back() {
        let scratch = InMemory::new(10);
        let mut first = scratch.begin();
        first.write(&[1; 6]).unwrap();
        let kept = first.finish().unwrap();
        assert!(scratch.begin().write(&[2; 5]).is_err(), "together more than there is");
        drop(kept);
        let mut again = scratch.begin();
        again.write(&[3; 10]).unwrap();
        assert_eq!(again.finish().unwrap().len(), 10);
    }

    #[test]
    fn a_secret_is_shown_by_nothing() {
        assert_eq!(format!("{:?}", Secret::new(b"123456".to_vec())), "Secret(…)");
    }
}
