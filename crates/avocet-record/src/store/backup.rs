//! Copies of a store, and a store out of a copy.

use std::path::Path;

use sqlx::Executor as _;

use super::{Checked, Database, Permit, Store, files};
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::event::Event;
use crate::ids::KeyId;
use crate::keys::Unlock;

/// The files of a backup beside the database.
const BESIDE: [fn(&Path) -> std::path::PathBuf; 3] = [files::key, files::head, files::erased];

impl Store {
    /// Writes a copy of the store into a new folder while others work: the database as of one moment, the ledger's head
    /// of that moment, the wrapped key and the list of destroyed keys. Returns how many entries it holds.
    ///
    /// The copy opens with the same passphrase or key file. Keys that are destroyed later are still in it: see
    /// [`Store::restore`], and keep copies no longer than the law allows.
    ///
    /// # Errors
    /// [`RecordError::Refused`] for PostgreSQL, whose own tools make the copy, and where the folder is there already.
    pub(crate) async fn backup(&self, to: &Path, _permit: &Permit) -> Result<u64> {
        if self.db.kind == Database::Postgres {
            let why = "a record in PostgreSQL is copied with pg_dump while nobody works; copy store.key, ledger.head and \
                       erased.keys of the store's folder with it";
            return Err(RecordError::Refused(why.into()));
        }
        if to.symlink_metadata().is_ok() {
            return Err(RecordError::Refused("the folder for the backup is there already; name a new one".into()));
        }
        files::private_dir(to)
            .map_err(|source| RecordError::File { what: "the folder for the backup cannot be made".into(), source })?;
        let _writer = self.writer.lock().await;
        let _lock = files::lock(&self.dir).await?;
        let mut conn = self.db.reader().await?;
        let path = files::database(to);
        let path = path.to_str().ok_or_else(|| RecordError::Refused("the backup's path is no UTF-8".into()))?;
        let statement = format!("VACUUM INTO '{}'", path.replace('\'', "''"));
        conn.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(statement))).await.when("write the backup")?;
        for file in BESIDE {
            let from = file(&self.dir);
            if from.try_exists().unwrap_or(true) {
                let copied = std::fs::copy(&from, file(to)).and_then(|_| std::fs::File::open(file(to))?.sync_all());
                copied.map_err(|source| RecordError::File { what: "the backup cannot be written".into(), source })?;
            }
        }
        std::fs::File::open(files::database(to))
            .and_then(|file| file.sync_all())
            .map_err(|source| RecordError::File { what: "the backup cannot be written".into(), source })?;
        let checked = Self::verify_locked(to, &[]).await?;
        sound(&checked)?;
        Ok(checked.entries)
    }

    /// Makes a store in a new folder out of a backup. Its ledger is verified first. Keys on `erased` (the file
    /// `erased.keys` of the store that was lost, or of a later backup) are destroyed again, so that nobody who was erased
    /// comes back; `reason` is recorded.
    ///
    /// # Errors
    /// [`RecordError`] where the backup does not verify, the folder holds a store, or the key does not open it.
    pub async fn restore(
        backup: &Path,
        to: &Path,
        unlock: &Unlock,
        erased: Option<&Path>,
        reason: &str,
    ) -> Result<(Self, Vec<KeyId>)> {
        files::check(backup)?;
        let checked = Self::verify_locked(backup, &[]).await?;
        sound(&checked)?;
        // Read before anything is written: a list that cannot be read must not look like an empty one.
        let mut gone = files::read_erased(&files::erased(backup))?;
        if let Some(list) = erased {
            if !list.is_file() {
                return Err(RecordError::Refused("there is no such list of erased keys; nothing was restored".into()));
            }
            gone.extend(files::read_erased(list)?);
        }
        gone.sort_unstable();
        gone.dedup();
        files::prepare(&super::Init { dir: to, postgres: None, title: "" })?;
        for file in BESIDE.into_iter().chain([files::database as fn(&Path) -> _]) {
            let from = file(backup);
            if from.try_exists().unwrap_or(true) {
                std::fs::copy(&from, file(to))
                    .map_err(|source| RecordError::File { what: "the backup cannot be copied".into(), source })?;
            }
        }
        let store = Self::open(to, unlock).await?;
        let again = store
            .write(Permit::of_the_store(), async |tx| {
                let mut again = vec![];
                for key in gone {
                    if let Some(holder) = tx.holder_of_live_key(key).await? {
                        let (authority, reason) =
                            ("the erasure before the restore", "erased after the backup was made");
                        tx.destroy_key(key, &holder, authority, reason).await?;
                        again.push(key);
                    }
                }
                let erased_again = u64::try_from(again.len()).unwrap_or(u64::MAX);
                let entries = checked.entries;
                tx.record(&Event::Restored { entries, erased_again, reason: reason.to_owned() }).await?;
                Ok(again)
            })
            .await?;
        Ok((store, again))
    }
}

fn sound(checked: &Checked) -> Result<()> {
    match checked.faults.first() {
        None => Ok(()),
        Some(fault) => {
            let more = checked.faults.len().saturating_sub(1);
            Err(RecordError::Refused(format!("the copy's ledger does not verify: {fault} (and {more} more)")))
        }
    }
}
