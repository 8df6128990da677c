//! Writes an examination file once and seals it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use ed25519_dalek::SigningKey;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, ToSql, params};

use crate::canonical;
use crate::error::{ReadError, WriteError};
use crate::read::MAX_VALUE;
use crate::rows::{
    ChangeRow, CompletenessRow, EvidenceRow, ExtentRow, FileRow, GroupRow, KnownSetRow, MatchRow, NearRow, OriginalRow,
    PictureView, ProblemRow, SpaceRow, VolumeRow,
};
use crate::schema::{self, Table};
use crate::seal::{Seal, file_sha256, seal_path, with_suffix};

/// The key in the table `run` under which this crate writes its own version. Every later schema version keeps the table
/// and the key, so that an older program can say which program is needed.
pub(crate) const WRITTEN_BY: &str = "avocet-examination";

/// Bytes of a database page.
const PAGE_SIZE: u32 = 4096;

/// Tables whose rows may refer to rows that were never given. Extents and facts come with what they belong to.
const REFERRING: [&str; 9] = [
    "space",
    "file",
    "original_name",
    "known_match",
    "picture",
    "near_match",
    "picture_group",
    "match_change",
    "problem",
];

/// Statements in use at once: one for each table and a few more.
const STATEMENTS: usize = 32;

/// Writes an examination file. All rows go to `PATH.partial`, which becomes `PATH` only in [`Writer::seal`]; a writer
/// that is dropped, or that meets an error, leaves nothing.
#[derive(Debug)]
pub struct Writer {
    /// `None` only once closed.
    conn: Option<Connection>,
    target: PathBuf,
    partial: PathBuf,
    /// Holds the lock on the unfinished file.
    lock: File,
    failed: bool,
    sealed: bool,
    evidence: i64,
    space: i64,
    change: i64,
    last_file: Option<i64>,
    last_match: Option<i64>,
    /// Matches of one file, until the next file's come: they are written in their own order, whatever order they came in.
    matches: Vec<MatchRow>,
}

/// What sealing gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The examination file.
    pub path: PathBuf,
    /// Its seal.
    pub seal_path: PathBuf,
    /// The result digest.
    pub result_digest: Sha256,
    /// SHA-256 of the examination file.
    pub file_sha256: Sha256,
    /// Whether the files could be made read-only; a FAT-formatted stick cannot keep that.
    pub read_only: bool,
}

/// SQLite keeps signed integers: 2^63 and above become that value minus 2^64.
fn signed(value: u64) -> i64 {
    value.cast_signed()
}

/// A digest as a blob.
fn blob<const N: usize>(bytes: Option<&[u8; N]>) -> Option<&[u8]> {
    bytes.map(|b| b.as_slice())
}

fn refuse_existing(path: &Path) -> Result<(), WriteError> {
    match std::fs::symlink_metadata(path) {
        Ok(_) => Err(WriteError::AlreadyThere { path: path.display().to_string() }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(io_error(path, &e)),
    }
}

fn io_error(path: &Path, error: &std::io::Error) -> WriteError {
    let path = path.display().to_string();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => WriteError::DiskFull { path },
        _ => WriteError::Io { path, reason: error.to_string() },
    }
}

fn database_error(path: &Path, table: &'static str, error: &rusqlite::Error) -> WriteError {
    let display = || path.display().to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => WriteError::DiskFull { path: display() },
        Some(ErrorCode::TooBig) => WriteError::TooLong { table },
        Some(ErrorCode::ConstraintViolation) => WriteError::Duplicate { table },
        Some(ErrorCode::SystemIoFailure) => WriteError::Io { path: display(), reason: "input or output failed".into() },
        code => WriteError::Database {
            path: display(),
            detail: code.map_or_else(|| "a statement failed".into(), |code| format!("SQLite reports {code:?}")),
        },
    }
}

fn read_back_error(path: &Path, error: ReadError) -> WriteError {
    WriteError::Database { path: path.display().to_string(), detail: format!("reading back failed: {error}") }
}

/// Removes what an examination to `path` left that was cut off while it was written or sealed: nothing where the result
/// has its name already. Only for whoever knows that nobody is writing there.
///
/// # Errors
/// [`WriteError`] where the operating system refuses.
pub fn clear_unfinished(path: &Path) -> Result<(), WriteError> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let seal = seal_path(path);
    for left in [with_suffix(path, ".partial"), with_suffix(&seal, ".partial"), seal] {
        match std::fs::remove_file(&left) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(io_error(&left, &e)),
            _ => {}
        }
    }
    Ok(())
}

impl Writer {
    /// Begins an examination file at `path`. A leftover `PATH.partial` of an examination that did not finish is replaced.
    ///
    /// # Errors
    /// [`WriteError`] where the result or its seal is there already, another examination is writing to the same place,
    /// or the operating system refuses.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let partial = with_suffix(path, ".partial");
        refuse_existing(path)?;
        refuse_existing(&seal_path(path))?;
        let lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&partial)
            .map_err(|e| io_error(&partial, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(WriteError::InUse { path: partial.display().to_string() });
            }
            // A file system without locks: two examinations to one place cannot be told apart there.
            Err(TryLockError::Error(_)) => {}
        }
        // Whoever held the lock before may have finished in between: then this is its result.
        refuse_existing(path)?;
        lock.set_len(0).map_err(|e| io_error(&partial, &e))?;

        let conn = Connection::open(&partial).map_err(|e| database_error(&partial, "file", &e))?;
        let mut writer = Self {
            conn: Some(conn),
            target: path.to_owned(),
            partial,
            lock,
            failed: false,
            sealed: false,
            evidence: 0,
            space: 0,
            change: 0,
            last_file: None,
            last_match: None,
            matches: Vec::new(),
        };
        writer.begin()?;
        writer.run(WRITTEN_BY, env!("CARGO_PKG_VERSION"))?;
        Ok(writer)
    }

    fn begin(&mut self) -> Result<(), WriteError> {
        let mut set_up = format!(
            "PRAGMA page_size = {PAGE_SIZE};
             PRAGMA journal_mode = OFF;
             PRAGMA synchronous = OFF;
             PRAGMA foreign_keys = OFF;
             PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -32768;
             PRAGMA application_id = {};
             PRAGMA user_version = {};
             BEGIN;",
            schema::APPLICATION_ID,
            schema::SCHEMA_VERSION
        );
        for table in schema::tables(schema::SCHEMA_VERSION) {
            set_up.push_str(table.sql);
            set_up.push(';');
        }
        self.with("schema", |conn| {
            conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
            conn.set_prepared_statement_cache_capacity(STATEMENTS);
            conn.execute_batch(&set_up)
        })
    }

    /// Runs a step on the database; after a failure nothing more is written.
    fn with<T>(
        &mut self,
        table: &'static str,
        step: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, WriteError> {
        let Some(conn) = self.conn.as_ref().filter(|_| !self.failed) else { return Err(WriteError::EarlierFailure) };
        step(conn).map_err(|e| {
            self.failed = true;
            database_error(&self.partial, table, &e)
        })
    }

    fn insert(&mut self, table: &'static Table, values: &[&dyn ToSql]) -> Result<(), WriteError> {
        self.with(table.name, |conn| conn.prepare_cached(table.insert)?.execute(values).map(drop))
    }

    fn refuse(&mut self, error: WriteError) -> Result<(), WriteError> {
        self.failed = true;
        Err(error)
    }

    /// One setting of the examination that changes what it finds; part of the result digest.
    ///
    /// # Errors
    /// [`WriteError`] as for every row: a duplicate key, a full disk, a refusal by the operating system.
    pub fn config(&mut self, key: &str, value: &str) -> Result<(), WriteError> {
        self.insert(&schema::CONFIG, params![key, value])
    }

    /// One fact of this run that changes nothing in what it finds (host, user, clock, threads, input paths, tool
    /// version); not part of the result digest.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn run(&mut self, key: &str, value: &str) -> Result<(), WriteError> {
        self.insert(&schema::RUN, params![key, value])
    }

    /// One piece of evidence; numbered from 1 in the order given.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn evidence(&mut self, row: &EvidenceRow) -> Result<(), WriteError> {
        self.evidence = self.evidence.saturating_add(1);
        let id = self.evidence;
        self.insert(
            &schema::EVIDENCE,
            params![
                id,
                row.kind,
                signed(row.media_size),
                row.exhibit,
                signed(row.segments),
                blob(row.stored_md5.as_ref().map(|d| d.as_bytes())),
                blob(row.stored_sha1.as_ref().map(|d| d.as_bytes())),
                blob(row.md5.as_ref().map(|d| d.as_bytes())),
                blob(row.sha1.as_ref().map(|d| d.as_bytes())),
                blob(row.sha256.as_ref().map(|d| d.as_bytes())),
                row.verdict,
            ],
        )?;
        for (seq, (key, value)) in (0i64..).zip(&row.facts) {
            self.insert(&schema::EVIDENCE_FACT, params![id, seq, key, value])?;
        }
        Ok(())
    }

    /// One known set.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn known_set(&mut self, row: &KnownSetRow) -> Result<(), WriteError> {
        self.insert(
            &schema::KNOWN_SET,
            params![
                row.id,
                row.name,
                row.version,
                row.format,
                blob(row.source_sha256.as_ref().map(|d| d.as_bytes())),
                blob(row.set_sha256.as_ref().map(|d| d.as_bytes())),
                row.scheme,
                row.scheme_version,
                blob(row.scheme_digest.as_ref().map(|d| d.as_bytes())),
                signed(row.records_kept),
                signed(row.rejected),
            ],
        )
    }

    /// One volume.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn volume(&mut self, row: &VolumeRow) -> Result<(), WriteError> {
        self.insert(
            &schema::VOLUME,
            params![
                row.id,
                row.label,
                signed(row.start),
                signed(row.length),
                row.status,
                row.kind,
                row.fs_label,
                row.serial,
                signed(row.cluster_size),
                row.time_source,
                row.detail,
            ],
        )
    }

    /// One run of space; numbered from 1 in the order given.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn space(&mut self, row: &SpaceRow) -> Result<(), WriteError> {
        self.space = self.space.saturating_add(1);
        let id = self.space;
        self.insert(&schema::SPACE, params![id, row.volume, row.kind, signed(row.start), signed(row.length)])
    }

    /// One file and where its content lies. Ids must strictly increase.
    ///
    /// # Errors
    /// As [`Writer::config`]; [`WriteError::OutOfOrder`].
    pub fn file(&mut self, row: &FileRow, extents: &[ExtentRow]) -> Result<(), WriteError> {
        if let Some(after) = self.last_file.filter(|last| *last >= row.id) {
            return self.refuse(WriteError::OutOfOrder { table: "file", id: row.id, after });
        }
        self.last_file = Some(row.id);
        self.insert(
            &schema::FILE,
            params![
                row.id,
                row.volume,
                row.path,
                row.stream,
                row.kind,
                row.state,
                signed(row.number),
                signed(row.size),
                row.created,
                row.modified,
                row.accessed,
                row.changed,
                row.deleted,
                row.name_created,
                row.name_modified,
                row.name_accessed,
                row.name_changed,
                row.zone,
                blob(row.md5.as_ref().map(|d| d.as_bytes())),
                blob(row.sha1.as_ref().map(|d| d.as_bytes())),
                blob(row.sha256.as_ref().map(|d| d.as_bytes())),
                row.unreadable,
                row.media,
                row.format,
                row.note,
                row.parent,
            ],
        )?;
        for (seq, e) in (0i64..).zip(extents) {
            let start = e.start.map(signed);
            self.insert(&schema::EXTENT, params![row.id, seq, signed(e.logical), signed(e.length), start])?;
        }
        Ok(())
    }

    /// What a recycle bin says of a file. May come at any time.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn original(&mut self, row: &OriginalRow) -> Result<(), WriteError> {
        self.insert(&schema::ORIGINAL_NAME, params![row.file_id, row.original_path, row.deleted_ns, row.info_file_id])
    }

    /// One match. The matches of a file come together, files in increasing order; within a file any order gives the
    /// same result.
    ///
    /// # Errors
    /// As [`Writer::config`]; [`WriteError::OutOfOrder`].
    pub fn hit(&mut self, row: &MatchRow) -> Result<(), WriteError> {
        if let Some(after) = self.last_match.filter(|last| *last > row.file_id) {
            return self.refuse(WriteError::OutOfOrder { table: "known_match", id: row.file_id, after });
        }
        if self.last_match != Some(row.file_id) {
            self.flush_matches()?;
            self.last_match = Some(row.file_id);
        }
        if self.failed {
            return Err(WriteError::EarlierFailure);
        }
        self.matches.push(row.clone());
        Ok(())
    }

    fn flush_matches(&mut self) -> Result<(), WriteError> {
        let mut matches = std::mem::take(&mut self.matches);
        matches.sort();
        for (seq, row) in (0i64..).zip(&matches) {
            self.insert(
                &schema::KNOWN_MATCH,
                params![
                    row.file_id,
                    seq,
                    row.set_id,
                    row.record,
                    row.basis,
                    row.category,
                    row.meaning,
                    row.alerts,
                    row.hides,
                    row.series,
                ],
            )?;
        }
        matches.clear();
        self.matches = matches;
        Ok(())
    }

    /// One picture with everything found out about it, under the id of the first file with its content. Pictures may
    /// come in any order; near matches too.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn picture(&mut self, view: &PictureView) -> Result<(), WriteError> {
        let row = &view.picture;
        let id = row.file_id;
        self.insert(
            &schema::PICTURE,
            params![
                id,
                row.sha256.as_bytes().as_slice(),
                row.kind,
                row.status,
                row.code,
                row.reason,
                row.orientation,
                row.thumbnail
            ],
        )?;
        for (seq, i) in (0i64..).zip(&view.images) {
            self.insert(
                &schema::PICTURE_IMAGE,
                params![id, seq, i.role, signed(i.width), signed(i.height), i.decoder, i.partial],
            )?;
        }
        for (seq, h) in (0i64..).zip(&view.hashes) {
            let turned: Vec<u8> = h.turned.iter().flat_map(|t| t.0).collect();
            let (image, quality) = (signed(h.image), signed(h.quality));
            self.insert(
                &schema::PICTURE_HASH,
                params![id, seq, image, h.form, h.path, quality, h.pdq.0.as_slice(), turned],
            )?;
        }
        for (seq, f) in (0i64..).zip(&view.facts) {
            self.insert(&schema::PICTURE_FACT, params![id, seq, f.key, f.value, f.source])?;
        }
        let mut near: Vec<&NearRow> = view.near.iter().collect();
        near.sort();
        for (seq, n) in (0i64..).zip(near) {
            self.insert(
                &schema::NEAR_MATCH,
                params![
                    id,
                    seq,
                    signed(n.image),
                    n.form,
                    signed(n.turn),
                    n.set_id,
                    n.record,
                    signed(n.distance),
                    n.category,
                    n.meaning,
                    n.alerts,
                    n.series
                ],
            )?;
        }
        Ok(())
    }

    /// One group of pictures that look the same: all its rows, the representative's own first.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn group(&mut self, rows: &[GroupRow]) -> Result<(), WriteError> {
        for (seq, row) in (0i64..).zip(rows) {
            let (distance, turn) = (signed(row.distance), signed(row.turn));
            self.insert(
                &schema::PICTURE_GROUP,
                params![row.representative, seq, row.member, distance, row.form, turn],
            )?;
        }
        Ok(())
    }

    /// What a rematch changed; numbered from 1 in the order given.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn change(&mut self, row: &ChangeRow) -> Result<(), WriteError> {
        self.change = self.change.saturating_add(1);
        let seq = self.change;
        self.insert(
            &schema::MATCH_CHANGE,
            params![seq, row.file_id, row.change, row.how, row.known_set, row.record, row.before, row.after],
        )
    }

    /// One problem.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn problem(&mut self, row: &ProblemRow) -> Result<(), WriteError> {
        let offset = row.offset.map(signed);
        self.insert(&schema::PROBLEM, params![row.seq, row.volume, row.layer, row.code, offset, row.path, row.detail])
    }

    /// One line of the completeness statement.
    ///
    /// # Errors
    /// As [`Writer::config`].
    pub fn completeness(&mut self, row: &CompletenessRow) -> Result<(), WriteError> {
        let bytes = row.bytes.map(signed);
        self.insert(
            &schema::COMPLETENESS,
            params![row.seq, row.level.as_str(), row.code, signed(row.count), bytes, row.text],
        )
    }

    /// Ends the file: checks that no row refers to one that is not there, computes the result digest from what was
    /// written by reading it back, brings everything to the disk, gives the file its name, makes it read-only and
    /// writes the seal beside it.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is left then.
    pub fn seal(mut self, key: Option<&SigningKey>) -> Result<Sealed, WriteError> {
        self.flush_matches()?;
        let result_digest = self.finish_database()?;
        if let Some(conn) = self.conn.take() {
            conn.close().map_err(|(_, e)| database_error(&self.partial, "result", &e))?;
        }
        self.lock.sync_all().map_err(|e| io_error(&self.partial, &e))?;
        let file_sha256 = file_sha256(&self.partial).map_err(|e| io_error(&self.partial, &e))?;
        let seal = Seal::new(result_digest, file_sha256, key);
        self.publish(&seal)
    }

    fn finish_database(&mut self) -> Result<Sha256, WriteError> {
        let dangling = self.with("result", |conn| {
            conn.execute_batch(schema::INDEX.2)?;
            for table in REFERRING {
                if conn.prepare(&format!("PRAGMA foreign_key_check({table})"))?.query([])?.next()?.is_some() {
                    return Ok(Some(table));
                }
            }
            Ok(None)
        })?;
        if let Some(table) = dangling {
            return Err(WriteError::Dangling { table });
        }
        let Some(conn) = self.conn.as_ref() else { return Err(WriteError::EarlierFailure) };
        let digest =
            canonical::result_digest(conn, schema::SCHEMA_VERSION).map_err(|e| read_back_error(&self.partial, e))?;
        self.insert(&schema::RESULT, params![1, digest.as_bytes().as_slice()])?;
        self.with("result", |conn| conn.execute_batch("COMMIT"))?;
        Ok(digest)
    }

    /// Gives both files their names: the seal first, so that a file with the result's name is always complete.
    fn publish(mut self, seal: &Seal) -> Result<Sealed, WriteError> {
        let seal_path = seal_path(&self.target);
        let seal_partial = with_suffix(&seal_path, ".partial");
        let text = seal.to_text().map_err(|e| io_error(&seal_partial, &e.into()))?;
        let written = std::fs::write(&seal_partial, text)
            .and_then(|()| OpenOptions::new().append(true).open(&seal_partial)?.sync_all())
            .map_err(|e| io_error(&seal_partial, &e));
        let read_only = written
            .as_ref()
            .is_ok_and(|()| [&self.partial, &seal_partial].into_iter().all(|path| make_read_only(path).is_ok()));
        let placed = written
            .and_then(|()| refuse_existing(&self.target))
            .and_then(|()| refuse_existing(&seal_path))
            .and_then(|()| std::fs::rename(&seal_partial, &seal_path).map_err(|e| io_error(&seal_path, &e)));
        if let Err(error) = placed {
            let _ = std::fs::remove_file(&seal_partial);
            return Err(error);
        }
        if let Err(e) = std::fs::rename(&self.partial, &self.target) {
            let _ = std::fs::remove_file(&seal_path);
            return Err(io_error(&self.target, &e));
        }
        self.sealed = true;
        // The names too must survive a power cut. Not every file system can promise that; the files themselves are safe.
        let folder = self.target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = File::open(folder).and_then(|f| f.sync_all());
        Ok(Sealed {
            path: self.target.clone(),
            seal_path,
            result_digest: seal.result_digest,
            file_sha256: seal.file_sha256,
            read_only,
        })
    }
}

fn make_read_only(path: &Path) -> std::io::Result<()> {
    let mut permissions = std::fs::metadata(path)?.permissions();
    #[cfg(unix)]
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
    #[cfg(not(unix))]
    permissions.set_readonly(true);
    std::fs::set_permissions(path, permissions)
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.sealed {
            drop(self.conn.take());
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(writer: &mut Writer) -> Result<(), WriteError> {
        writer.volume(&VolumeRow { id: 1, ..VolumeRow::default() })?;
        (1..200_000).try_for_each(|id| {
            writer.file(&FileRow { id, volume: 1, path: "/a".repeat(40), ..FileRow::default() }, &[])
        })
    }

    #[test]
    fn a_full_disk_is_said_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.examination");
        let mut writer = Writer::create(&path).unwrap();
        // SQLite answers a page count above the limit exactly as a full disk: SQLITE_FULL.
        writer.conn.as_ref().unwrap().pragma_update(None, "max_page_count", 1000).unwrap();
        let error = fill(&mut writer).unwrap_err();
        assert!(matches!(&error, WriteError::DiskFull { .. }), "{error}");
        assert!(matches!(writer.seal(None), Err(WriteError::EarlierFailure)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
