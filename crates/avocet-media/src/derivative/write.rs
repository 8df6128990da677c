//! Writing a store: append only, one writer, valid only once finished.

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use sha2::Digest;

use super::cipher::{Keys, NONCE, TAG, random, random_secret};
use super::error::{DerivativeError, io_error};
use super::layout::{
    END, ENTRIES, ENTRY, HEADER, Header, Kind, LARGEST_PICTURE, PAGE, Place, bucket_for, bucket_size, fill,
    page_binding, pages_for, record_binding, unfinished,
};
use super::protector::{Protector, open_header, wrap};
use super::read::read_header;

/// A finished store, or a finished index file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// Contents kept, or pointed at.
    pub items: u64,
    /// Length of the file.
    pub bytes: u64,
    /// SHA-256 of the file as it was finished; adding or destroying a key changes a store.
    pub file_sha256: Sha256,
}

/// Writes a store. What is not finished has the name `PATH.partial`, has no index, is refused by every reader, and is
/// removed when the writer is dropped or the next one begins at the same place.
///
/// Memory grows by one small index line per content, see `docs/validation/derivatives.md`.
pub struct Writer {
    out: Out,
    file_id: [u8; 32],
    fixed: Vec<u8>,
    keys: Keys,
    /// Sorted, because the index is: and no order of arrival reaches it.
    index: BTreeMap<[u8; 32], [u8; 8]>,
    piece: Vec<u8>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Writer({} items)", self.index.len())
    }
}

pub(super) fn refuse_existing(path: &Path) -> Result<(), DerivativeError> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(DerivativeError::AlreadyThere { path: path.display().to_string() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io_error(path, &e)),
    }
}

/// Opens the unfinished file and takes its lock.
fn open_locked(partial: &Path, create: bool) -> Result<File, DerivativeError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(create).truncate(false).mode(0o600);
    let file = options.open(partial).map_err(|e| io_error(partial, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DerivativeError::InUse { path: partial.display().to_string() }),
        // A file system without locks: two runs to one place cannot be told apart there.
        Err(TryLockError::Error(_)) => Ok(file),
    }
}

/// A file on its way: under another name until it is whole, which is removed where it is given up.
pub(super) struct Out {
    file: BufWriter<File>,
    hash: sha2::Sha256,
    at: u64,
    target: PathBuf,
    partial: PathBuf,
    failed: bool,
    finished: bool,
    /// Whether what is not finished stays when it is dropped, to be gone on with.
    kept: bool,
}

impl Out {
    /// Begins at `partial` what will be `target`.
    pub fn create(target: &Path, partial: PathBuf) -> Result<Out, DerivativeError> {
        refuse_existing(target)?;
        let file = open_locked(&partial, true)?;
        // Whoever held the lock before may have finished in between: then this is its file.
        refuse_existing(target)?;
        file.set_len(0).map_err(|e| io_error(&partial, &e))?;
        let file = BufWriter::with_capacity(1 << 18, file);
        let (hash, target) = (sha2::Sha256::new(), target.to_owned());
        Ok(Out { file, hash, at: 0, target, partial, failed: false, finished: false, kept: false })
    }

    fn flush(&mut self) -> Result<(), DerivativeError> {
        self.file.flush().map_err(|e| {
            self.failed = true;
            io_error(&self.partial, &e)
        })
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<(), DerivativeError> {
        self.file.write_all(bytes).map_err(|e| {
            self.failed = true;
            io_error(&self.partial, &e)
        })?;
        self.hash.update(bytes);
        self.at = self.at.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// Index and end, then everything to the disk, then the name. `entries` come in strictly increasing order of their
    /// look-up keys; pages are bound to `id`, the end to `front`; `records` is where the records end in the store.
    pub fn finish(
        mut self,
        keys: &Keys,
        (id, front): (&[u8; 32], &[u8]),
        records: u64,
        mut entries: impl ExactSizeIterator<Item = ([u8; 32], [u8; 8])>,
    ) -> Result<Finished, DerivativeError> {
        let items = entries.len() as u64;
        let pages = pages_for(items);
        let mut piece = Vec::with_capacity(PAGE);
        for page in 0..pages {
            piece.clear();
            piece.resize(NONCE, 0);
            for (lookup, place) in entries.by_ref().take(ENTRIES) {
                piece.extend_from_slice(&lookup);
                piece.extend_from_slice(&place);
            }
            debug_assert!(piece.len() <= NONCE + ENTRIES * ENTRY);
            piece.resize(PAGE, 0);
            keys.page.seal(&page_binding(id, page, pages, items), &mut piece)?;
            self.append(&piece)?;
        }
        let bytes = self.at.saturating_add(END as u64);
        piece.clear();
        piece.resize(END, 0);
        if let Some(text) = piece.get_mut(NONCE..) {
            fill(text, &[&items.to_le_bytes(), &records.to_le_bytes(), &pages.to_le_bytes(), &bytes.to_le_bytes()]);
        }
        keys.end.seal(front, &mut piece)?;
        self.append(&piece)?;
        self.publish()?;
        let file_sha256 = Sha256(std::mem::take(&mut self.hash).finalize().into());
        Ok(Finished { items, bytes, file_sha256 })
    }

    fn publish(&mut self) -> Result<(), DerivativeError> {
        let io = |e: std::io::Error| io_error(&self.partial, &e);
        self.file.flush().map_err(io)?;
        self.file.get_ref().sync_all().map_err(io)?;
        refuse_existing(&self.target)?;
        std::fs::rename(&self.partial, &self.target).map_err(|e| io_error(&self.target, &e))?;
        self.finished = true;
        // The name too must survive a power cut. Not every file system can promise that; the file itself is safe.
        let _ = File::open(folder(&self.target)).and_then(|f| f.sync_all());
        Ok(())
    }
}

impl Drop for Out {
    fn drop(&mut self) {
        if !self.finished && !self.kept {
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

/// The folder that a path lies in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The two records of a content, which must begin at `at`; `None` where they are not there as they were written.
fn read_records(
    input: &mut impl Read,
    keys: &Keys,
    file_id: &[u8; 32],
    lookup: &[u8; 32],
    place: Place,
    at: u64,
) -> Option<Vec<u8>> {
    if place.offset != at {
        return None;
    }
    let mut out = vec![];
    for kind in [Kind::Veiled, Kind::Clear] {
        let (_, size) = place.record(kind)?;
        let mut piece = vec![0; size];
        input.read_exact(&mut piece).ok()?;
        out.extend_from_slice(&piece);
        let binding = record_binding(file_id, lookup, kind, size.checked_sub(NONCE + TAG)?);
        keys.record.open(&binding, &mut piece)?;
    }
    Some(out)
}

impl Writer {
    /// Begins a store at `path` under a new random key, wrapped by `protector`. `examination_id` says whose pictures
    /// these are; it stands in the file in clear. The file can be read by its owner only (mode 0600).
    ///
    /// # Errors
    /// [`DerivativeError`] where the store is there already, is being written, or the operating system refuses.
    pub fn create(path: &Path, protector: &Protector, examination_id: [u8; 32]) -> Result<Writer, DerivativeError> {
        refuse_existing(path)?;
        let file_id = random()?;
        let data_key = random_secret()?;
        let mut header = Header::new(&file_id, &examination_id);
        let wrapped = wrap(&header.fixed, protector, &data_key)?;
        header.slots.iter_mut().take(1).for_each(|slot| *slot = wrapped);

        let mut out = Out::create(path, unfinished(path))?;
        out.append(&header.bytes())?;
        let keys = Keys::new(&data_key, &file_id);
        Ok(Writer { out, file_id, fixed: header.fixed.to_vec(), keys, index: BTreeMap::new(), piece: Vec::new() })
    }

    /// Whose pictures an unfinished store at `path` keeps, or one that was finished there; `None` where there is none.
    ///
    /// # Errors
    /// [`DerivativeError`] where what is there is no store or cannot be read.
    pub fn begun(path: &Path) -> Result<Option<[u8; 32]>, DerivativeError> {
        for place in [unfinished(path), path.to_owned()] {
            match File::open(&place) {
                Ok(file) => return Ok(Some(read_header(&file, &place)?.examination_id())),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) => return Err(io_error(&place, &e)),
            }
        }
        Ok(None)
    }

    /// Goes on with a store that [`Writer::begun`] found. `items` are the contents with the places that
    /// [`Writer::put_placed`] gave, in that order. Each is decrypted; from the first that is not there as it was written
    /// the rest is cut off. Returns the contents that are in the store.
    ///
    /// # Errors
    /// [`DerivativeError`] where the protector does not open it, another run writes it, or the operating system refuses.
    pub fn resume(
        path: &Path,
        protector: &Protector,
        items: impl IntoIterator<Item = (Sha256, [u8; 8])>,
    ) -> Result<(Writer, HashSet<Sha256>), DerivativeError> {
        let partial = unfinished(path);
        let io = |e: std::io::Error| io_error(&partial, &e);
        // A store that was finished, while the result beside it was not, is gone on with like any other.
        if !partial.try_exists().map_err(io)? {
            std::fs::rename(path, &partial).map_err(|e| io_error(path, &e))?;
        }
        let mut file = open_locked(&partial, false)?;
        let header = read_header(&file, &partial)?;
        let (_, data_key) = open_header(&header, protector)?;
        let file_id = header.file_id();
        let keys = Keys::new(&data_key, &file_id);
        let (mut index, mut there, mut at) = (BTreeMap::new(), HashSet::new(), HEADER as u64);
        let mut hash = sha2::Sha256::new();
        hash.update(header.bytes());
        file.seek(SeekFrom::Start(at)).map_err(io)?;
        let mut input = BufReader::with_capacity(1 << 18, &file);
        for (sha256, packed) in items {
            let (place, lookup) = (Place::unpack(packed), keys.lookup(&sha256));
            let Some(bytes) = read_records(&mut input, &keys, &file_id, &lookup, place, at) else { break };
            hash.update(&bytes);
            at = at.saturating_add(bytes.len() as u64);
            index.insert(lookup, packed);
            there.insert(sha256);
        }
        drop(input);
        file.set_len(at).map_err(io)?;
        file.seek(SeekFrom::Start(at)).map_err(io)?;
        let (file, target) = (BufWriter::with_capacity(1 << 18, file), path.to_owned());
        let out = Out { file, hash, at, target, partial, failed: false, finished: false, kept: true };
        let writer = Writer { out, file_id, fixed: header.fixed.to_vec(), keys, index, piece: Vec::new() };
        Ok((writer, there))
    }

    /// Leaves what is not finished where it is when the writer is dropped, so that [`Writer::resume`] can go on.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn keep_unfinished(&mut self) -> Result<(), DerivativeError> {
        self.out.kept = true;
        self.flush()
    }

    /// Hands everything to the operating system: what was put outlives this process then.
    ///
    /// # Errors
    /// [`DerivativeError`]; nothing more is taken then.
    pub fn flush(&mut self) -> Result<(), DerivativeError> {
        self.out.flush()
    }

    /// Brings everything to the disk: what was put outlives a power cut then.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn sync(&mut self) -> Result<(), DerivativeError> {
        self.flush()?;
        self.out.file.get_ref().sync_data().map_err(|e| io_error(&self.out.partial, &e))
    }

    /// Adds the two pictures of a content. `false` where that content is there already: the first pair stays.
    ///
    /// # Errors
    /// [`DerivativeError::TooLarge`] above [`LARGEST_PICTURE`], and nothing is added; after any other error nothing more
    /// is taken.
    pub fn put(&mut self, sha256: &Sha256, veiled: &[u8], clear: &[u8]) -> Result<bool, DerivativeError> {
        Ok(self.put_placed(sha256, veiled, clear)?.is_some())
    }

    /// As [`Writer::put`]; where the pictures were added, returns their place, for [`Writer::resume`].
    ///
    /// # Errors
    /// As [`Writer::put`].
    pub fn put_placed(
        &mut self,
        sha256: &Sha256,
        veiled: &[u8],
        clear: &[u8],
    ) -> Result<Option<[u8; 8]>, DerivativeError> {
        if self.out.failed {
            return Err(DerivativeError::EarlierFailure);
        }
        let bucket = |picture: &[u8]| {
            bucket_for(picture.len())
                .ok_or(DerivativeError::TooLarge { bytes: picture.len() as u64, limit: LARGEST_PICTURE as u64 })
        };
        let place = Place { offset: self.out.at, veiled: bucket(veiled)?, clear: bucket(clear)? };
        let lookup = self.keys.lookup(sha256);
        if self.index.contains_key(&lookup) {
            return Ok(None);
        }
        self.record(&lookup, Kind::Veiled, place.veiled, veiled)?;
        self.record(&lookup, Kind::Clear, place.clear, clear)?;
        self.index.insert(lookup, place.pack());
        Ok(Some(place.pack()))
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
        self.out.failed |= sealed.is_err();
        sealed.and_then(|()| self.out.append(&self.piece))
    }

    /// Ends the store: index, end, everything to the disk, then the name.
    ///
    /// # Errors
    /// [`DerivativeError`]; nothing is left then.
    pub fn finish(self) -> Result<Finished, DerivativeError> {
        if self.out.failed {
            return Err(DerivativeError::EarlierFailure);
        }
        let records = self.out.at;
        self.out.finish(&self.keys, (&self.file_id, &self.fixed), records, self.index.into_iter())
    }
}
