//! Writing a store: append only, one writer, valid only once finished.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use sha2::Digest;

use super::cipher::{Keys, NONCE, TAG, random, random_secret};
use super::error::{DerivativeError, io_error};
use super::layout::{
    END, ENTRIES, ENTRY, Header, Kind, LARGEST_PICTURE, PAGE, Place, bucket_for, bucket_size, fill, page_binding,
    pages_for, record_binding,
};
use super::protector::{Protector, wrap};

/// A finished store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Contents kept.
    pub items: u64,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file as it was finished; adding or destroying a key changes the file.
    pub file_sha256: Sha256,
}

/// Writes a store. What is not finished has the name `PATH.partial`, has no index, is refused by every reader, and is
/// removed when the writer is dropped or the next one begins at the same place.
///
/// Memory grows by one small index line per content, see `docs/validation/derivatives.md`.
pub struct Writer {
    out: BufWriter<File>,
    hash: sha2::Sha256,
    at: u64,
    target: PathBuf,
    partial: PathBuf,
    file_id: [u8; 32],
    fixed: Vec<u8>,
    keys: Keys,
    /// Sorted, because the index is: and no order of arrival reaches it.
    index: BTreeMap<[u8; 32], [u8; 8]>,
    piece: Vec<u8>,
    failed: bool,
    finished: bool,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} items)", self.index.len())
    }
}

fn refuse_existing(path: &Path) -> Result<(), DerivativeError> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(DerivativeError::AlreadyThere { path: path.display().to_string() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io_error(path, &e)),
    }
}

impl Writer {
    /// Begins a store at `path` under a new random key, wrapped by `protector`. `examination_id` says whose pictures
    /// these are; it stands in the file in clear. The file can be read by its owner only (mode 0600).
    ///
    /// # Errors
    /// [`DerivativeError`] where the store is there already, is being written, or the operating system refuses.
    pub fn create(path: &Path, protector: &Protector, examination_id: [u8; 32]) -> Result<Writer, DerivativeError> {
        let partial = path.with_added_extension("partial");
        refuse_existing(path)?;
        let file_id = random()?;
        let data_key = random_secret()?;
        let mut header = Header::new(&file_id, &examination_id);
        let wrapped = wrap(&header.fixed, protector, &data_key)?;
        header.slots.iter_mut().take(1).for_each(|slot| *slot = wrapped);

        let io = |e: std::io::Error| io_error(&partial, &e);
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&partial).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(DerivativeError::InUse { path: partial.display().to_string() });
            }
            // A file system without locks: two runs to one place cannot be told apart there.
            Err(TryLockError::Error(_)) => {}
        }
        // Whoever held the lock before may have finished in between: then this is its store.
        refuse_existing(path)?;
        file.set_len(0).map_err(io)?;
        let mut writer = Writer {
            out: BufWriter::with_capacity(1 << 18, file),
            hash: sha2::Sha256::new(),
            at: 0,
            target: path.to_owned(),
            partial,
            file_id,
            fixed: header.fixed.to_vec(),
            keys: Keys::new(&data_key, &file_id),
            index: BTreeMap::new(),
            piece: Vec::new(),
            failed: false,
            finished: false,
        };
        writer.append(&header.bytes())?;
        Ok(writer)
    }

    /// Adds the two pictures of a content. `false` where that content is there already: the first pair stays.
    ///
    /// # Errors
    /// [`DerivativeError::TooLarge`] above [`LARGEST_PICTURE`], and nothing is added; after any other error nothing more
    /// is taken.
    pub fn put(&mut self, sha256: &Sha256, veiled: &[u8], clear: &[u8]) -> Result<bool, DerivativeError> {
        if self.failed {
            return Err(DerivativeError::EarlierFailure);
        }
        let bucket = |picture: &[u8]| {
            bucket_for(picture.len())
                .ok_or(DerivativeError::TooLarge { bytes: picture.len() as u64, limit: LARGEST_PICTURE as u64 })
        };
        let place = Place { offset: self.at, veiled: bucket(veiled)?, clear: bucket(clear)? };
        let lookup = self.keys.lookup(sha256);
        if self.index.contains_key(&lookup) {
            return Ok(false);
        }
        self.record(&lookup, Kind::Veiled, place.veiled, veiled)?;
        self.record(&lookup, Kind::Clear, place.clear, clear)?;
        self.index.insert(lookup, place.pack());
        Ok(true)
    }

    /// Contents so far.
    pub fn len(&self) -> u64 {
        self.index.len() as u64
    }

    /// Whether there is none yet.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    fn record(&mut self, lookup: &[u8; 32], kind: Kind, bucket: u8, picture: &[u8]) -> Result<(), DerivativeError> {
        let padded = bucket_size(bucket).ok_or(DerivativeError::Cipher)?;
        let length = u32::try_from(picture.len()).map_err(|_| DerivativeError::Cipher)?;
        self.piece.clear();
        self.piece.resize(NONCE, 0);
        self.piece.extend_from_slice(&length.to_le_bytes());
        self.piece.extend_from_slice(picture);
        self.piece.resize(NONCE + padded + TAG, 0);
        let binding = record_binding(&self.file_id, lookup, kind, padded);
        let sealed = self.keys.record.seal(&binding, &mut self.piece);
        self.finish_piece(sealed)
    }

    fn finish_piece(&mut self, sealed: Result<(), DerivativeError>) -> Result<(), DerivativeError> {
        let piece = std::mem::take(&mut self.piece);
        let written = sealed.and_then(|()| self.append(&piece));
        self.piece = piece;
        self.failed |= written.is_err();
        written
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DerivativeError> {
        self.out.write_all(bytes).map_err(|e| {
            self.failed = true;
            io_error(&self.partial, &e)
        })?;
        self.hash.update(bytes);
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Ends the store: index, end, everything to the disk, then the name.
    ///
    /// # Errors
    /// [`DerivativeError`]; nothing is left then.
    pub fn finish(mut self) -> Result<Finished, DerivativeError> {
        if self.failed {
            return Err(DerivativeError::EarlierFailure);
        }
        let (items, start) = (self.len(), self.at);
        let pages = pages_for(items);
        let mut entries = std::mem::take(&mut self.index).into_iter();
        for page in 0..pages {
            self.piece.clear();
            self.piece.resize(NONCE, 0);
            for (lookup, place) in entries.by_ref().take(ENTRIES) {
                self.piece.extend_from_slice(&lookup);
                self.piece.extend_from_slice(&place);
            }
            debug_assert!(self.piece.len() <= NONCE + ENTRIES * ENTRY);
            self.piece.resize(PAGE, 0);
            let sealed = self.keys.page.seal(&page_binding(&self.file_id, page, pages, items), &mut self.piece);
            self.finish_piece(sealed)?;
        }
        let bytes = self.at.saturating_add(END as u64);
        self.piece.clear();
        self.piece.resize(END, 0);
        if let Some(text) = self.piece.get_mut(NONCE..) {
            fill(text, &[&items.to_le_bytes(), &start.to_le_bytes(), &pages.to_le_bytes(), &bytes.to_le_bytes()]);
        }
        let sealed = self.keys.end.seal(&self.fixed, &mut self.piece);
        self.finish_piece(sealed)?;
        self.publish()?;
        let file_sha256 = Sha256(std::mem::take(&mut self.hash).finalize().into());
        Ok(Finished { items, bytes, file_sha256 })
    }

    fn publish(&mut self) -> Result<(), DerivativeError> {
        let io = |e: std::io::Error| io_error(&self.partial, &e);
        self.out.flush().map_err(io)?;
        self.out.get_ref().sync_all().map_err(io)?;
        refuse_existing(&self.target)?;
        std::fs::rename(&self.partial, &self.target).map_err(|e| io_error(&self.target, &e))?;
        self.finished = true;
        // The name too must survive a power cut. Not every file system can promise that; the file itself is safe.
        let folder = self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|f| f.sync_all());
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}
