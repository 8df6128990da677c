//! Adding and destroying the keys of a finished store. Only the header changes; the pictures stay where they are.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::cipher::random;
use super::error::{DerivativeError, io_error};
use super::layout::{FIXED, Header, SLOT, SLOTS};
use super::protector::{Protector, open_header, wrap};
use super::read::{need_store, read_header};

/// What destroying a key cannot reach, in one sentence to show with the act.
pub const NOT_COVERED: &str = "Destroyed are the wrapped keys in this file. Not reached: other copies and backups of the \
    store or of its key file, snapshots of the file system, old blocks that a solid-state disk or a copy-on-write file \
    system keeps, swapped-out memory, and programs that have the store open.";

/// What was destroyed. Show [`NOT_COVERED`] with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destroyed {
    /// Wrapped keys overwritten.
    pub wrappings: usize,
    /// Wrapped keys that still open the store; 0: the pictures of this file cannot be read again.
    pub left: usize,
}

fn open_to_change(path: &Path) -> Result<File, DerivativeError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|e| io_error(path, &e))
}

fn slot_offset(slot: usize) -> u64 {
    (FIXED + slot.min(SLOTS - 1) * SLOT) as u64
}

fn used(slot: &[u8; SLOT]) -> bool {
    slot.iter().any(|b| *b != 0)
}

/// Lets a further passphrase or key file open a finished store.
///
/// # Errors
/// [`DerivativeError::WrongKey`] where `opens` does not open it, [`DerivativeError::NoPlace`] with eight keys already,
/// and what the operating system refuses.
pub fn add_protector(path: &Path, opens: &Protector, new: &Protector) -> Result<(), DerivativeError> {
    let file = open_to_change(path)?;
    let header = read_header(&file, path)?;
    let (_, data_key) = open_header(&header, opens)?;
    let free = header.slots.iter().position(|slot| !used(slot)).ok_or(DerivativeError::NoPlace)?;
    let slot = wrap(&header.fixed, new, &data_key)?;
    file.write_all_at(&slot, slot_offset(free)).and_then(|()| file.sync_all()).map_err(|e| io_error(path, &e))
}

/// Destroys every wrapped key of a store, finished or not: without a copy made before, nobody can read its pictures
/// again. Needs no key.
///
/// # Errors
/// [`DerivativeError`] where the file is no store or cannot be overwritten. [`DerivativeError::IndexFile`] for an index
/// file, which holds no keys: they are in the store that it names, and destroying those closes every index file too.
pub fn destroy(path: &Path) -> Result<Destroyed, DerivativeError> {
    let file = open_to_change(path)?;
    need_store(&file, path)?;
    // Whatever else may be wrong with the file, its keys can be destroyed: so the rest of the header is not judged.
    let mut wrappings = 0;
    for i in 0..SLOTS {
        let mut slot = [0; SLOT];
        match file.read_exact_at(&mut slot, slot_offset(i)) {
            Ok(()) if used(&slot) => {
                overwrite(&file, path, i)?;
                wrappings += 1;
            }
            Err(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => return Err(io_error(path, &e)),
            _ => {}
        }
    }
    Ok(Destroyed { wrappings, left: 0 })
}

/// Destroys the one wrapped key that this protector opens.
///
/// # Errors
/// As [`destroy`], and [`DerivativeError::WrongKey`].
pub fn destroy_protector(path: &Path, protector: &Protector) -> Result<Destroyed, DerivativeError> {
    let file = open_to_change(path)?;
    let header: Header = read_header(&file, path)?;
    let (slot, _) = open_header(&header, protector)?;
    overwrite(&file, path, slot)?;
    let left = header.slots.iter().filter(|slot| used(slot)).count().saturating_sub(1);
    Ok(Destroyed { wrappings: 1, left })
}

/// Random bytes first, so that a disk which stores zeros as holes has to write; then zeros, the form of an unused place.
fn overwrite(file: &File, path: &Path, slot: usize) -> Result<(), DerivativeError> {
    for bytes in [random::<SLOT>()?, [0; SLOT]] {
        file.write_all_at(&bytes, slot_offset(slot)).and_then(|()| file.sync_all()).map_err(|e| io_error(path, &e))?;
    }
    Ok(())
}
