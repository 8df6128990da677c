//! The files of a store's folder beside the database.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Init;
use crate::error::{RecordError, Result};
use crate::ids::KeyId;
use crate::ledger::Head;

/// Where the wrapped key lies.
pub fn key(dir: &Path) -> PathBuf {
    dir.join("store.key")
}

/// Where SQLite's file lies.
pub fn database(dir: &Path) -> PathBuf {
    dir.join("record.db")
}

/// Where the head lies.
pub fn head(dir: &Path) -> PathBuf {
    dir.join("ledger.head")
}

/// Where the numbers of destroyed keys lie, outside the database: a restored backup must not bring a key back.
pub fn erased(dir: &Path) -> PathBuf {
    dir.join("erased.keys")
}

/// Adds a destroyed key to the list, down to the disk.
pub fn add_erased(dir: &Path, key: KeyId) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let added = options.open(erased(dir)).and_then(|mut file| {
        writeln!(file, "{key}")?;
        file.sync_all()
    });
    added.map_err(|e| error("erased.keys cannot be written", e))
}

/// The keys of a list of destroyed keys; no list is an empty one.
pub fn read_erased(path: &Path) -> Result<Vec<KeyId>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(error("erased.keys cannot be read", e)),
    };
    let parse = |(at, line): (usize, &str)| {
        line.trim().parse().map_err(|_| {
            let at = at.saturating_add(1);
            RecordError::Refused(format!("line {at} of the list of erased keys is no key; give the list of the store"))
        })
    };
    text.lines().enumerate().map(parse).collect()
}

/// Where the address of a database elsewhere lies. It may hold a password: only the owner can read it.
fn address(dir: &Path) -> PathBuf {
    dir.join("record.address")
}

fn error(what: &str, source: std::io::Error) -> RecordError {
    RecordError::File { what: what.to_owned(), source }
}

/// Makes the folder ready for a new store.
pub fn prepare(init: &Init<'_>) -> Result<()> {
    private_dir(init.dir).map_err(|e| error("the store's folder cannot be made", e))?;
    if [key(init.dir), database(init.dir), head(init.dir)].iter().any(|p| p.symlink_metadata().is_ok()) {
        return Err(RecordError::StoreThere);
    }
    // There from the beginning, so that a list that was lost is not taken for an empty one.
    write(&erased(init.dir), "", "erased.keys")?;
    if let Some(url) = init.postgres {
        write(&address(init.dir), url, "record.address")?;
    }
    Ok(())
}

/// Makes a folder, with those above it, that only its owner can look into; one that is there stays as it is.
pub fn private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
    builder.create(dir)
}

/// Whether there is a store.
pub fn check(dir: &Path) -> Result<()> {
    if key(dir).is_file() { Ok(()) } else { Err(RecordError::NoStore) }
}

/// The address of the database, where it is elsewhere.
pub fn read_address(dir: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(address(dir)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(error("record.address cannot be read", e)),
    }
}

/// Waits until no other process writes to this store. The lock ends when the file is dropped.
pub async fn lock(dir: &Path) -> Result<std::fs::File> {
    let path = dir.join("record.lock");
    let locked = tokio::task::spawn_blocking(move || {
        let file = std::fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        file.lock()?;
        Ok(file)
    });
    let locked = locked.await.unwrap_or_else(|_| Err(std::io::Error::other("the wait was cut off")));
    locked.map_err(|e| error("record.lock cannot be taken", e))
}

/// The text of the head.
pub fn read_head(dir: &Path) -> Result<String> {
    std::fs::read_to_string(head(dir)).map_err(|e| error("ledger.head cannot be read", e))
}

/// Replaces the head.
pub fn write_head(dir: &Path, new: &Head) -> Result<()> {
    write(&head(dir), &new.to_text(), "ledger.head")
}

/// Replaces a file whole or not at all: beside it, down to the disk, then in its place.
fn write(path: &Path, text: &str, what: &str) -> Result<()> {
    let beside = path.with_added_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, path)
    });
    written.map_err(|e| error(&format!("{what} cannot be written"), e))
}
