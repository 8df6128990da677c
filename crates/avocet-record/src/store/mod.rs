//! Where the record lies: a folder with the database (or the address of one), the wrapped key and the ledger's head.

#[macro_use]
mod run;
mod apply;
mod backup;
mod db;
mod files;
mod many;
mod media;
mod permit;
mod queue;
mod read;
mod rebuild;
mod review;
pub(crate) mod schema;
pub(crate) mod sql;
mod tx;
mod votes;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use avocet_base::Sha256;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Row as _;
use tokio::sync::Mutex;

use crate::at::{At, Recorded};
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::event::Event;
use crate::figures::Cutoff;
use crate::ids::{KeyId, UserId};
use crate::json;
use crate::keys::{PersonKey, StoreKey, Unlock};
use crate::ledger::{Checked, Entry, Head, Verifier};
use crate::personal::Personal;

pub use db::Database;
pub use media::MediaRow;
pub use permit::Permit;
pub(crate) use read::InvestigationRow;
pub use read::{LedgerLine, ReferralRow};
pub use rebuild::Difference;
pub(crate) use review::{QueueRow, camera_text, scheme_text, totals_of};
pub use tx::Tx;

/// The store itself as the author of an entry.
pub const STORE: UserId = UserId::new(0);

/// How a store is made.
#[derive(Debug)]
pub struct Init<'a> {
    /// The folder; it may be there and hold other things.
    pub dir: &'a Path,
    /// Where the database is; `None` for SQLite in the folder.
    pub postgres: Option<&'a str>,
    /// What the team calls the store.
    pub title: &'a str,
}

/// A record that is open.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    db: db::Db,
    key: StoreKey,
    /// One writer in this process; other processes wait in the database.
    writer: Mutex<()>,
    /// The rows of investigations as they were read last.
    queue: Mutex<queue::Kept>,
    /// Nanoseconds that [`Store::now`] answers; `i64::MIN` for the system's clock.
    clock: AtomicI64,
}

impl Store {
    /// The version of the tables that this program writes.
    pub const SCHEMA_VERSION: i64 = schema::VERSION;

    /// Makes a store and writes the first entry of its ledger.
    ///
    /// # Errors
    /// [`RecordError::StoreThere`] where there is one; others where something cannot be written.
    pub async fn init(init: &Init<'_>, unlock: &Unlock) -> Result<Self> {
        files::prepare(init)?;
        let key = StoreKey::create(&files::key(init.dir), unlock)?;
        let store = Self::connect(init.dir, key).await?;
        store.db.migrate().await?;
        store.bring_rows().await?;
        let event = Event::StoreMade {
            key: Sha256(store.key.signer().verifying_key().to_bytes()).to_string(),
            title: init.title.to_owned(),
        };
        store.write(Permit::of_the_store(), async |tx| tx.record(&event).await).await?;
        Ok(store)
    }

    /// Opens a store, brings its tables to this program's version, and signs what a crash left unsigned.
    ///
    /// # Errors
    /// [`RecordError`] where there is none, the key does not open, or the head does not fit the database.
    pub async fn open(dir: &Path, unlock: &Unlock) -> Result<Self> {
        files::check(dir)?;
        let key = StoreKey::open(&files::key(dir), unlock)?;
        let store = Self::connect(dir, key).await?;
        store.db.migrate().await?;
        store.catch_up().await?;
        store.bring_rows().await?;
        Ok(store)
    }

    async fn connect(dir: &Path, key: StoreKey) -> Result<Self> {
        let db = db::Db::connect(dir).await?;
        Ok(Self {
            dir: dir.to_owned(),
            db,
            key,
            writer: Mutex::new(()),
            queue: Mutex::default(),
            clock: AtomicI64::new(i64::MIN),
        })
    }

    /// Checks that the head names an entry of the database, and signs the entries after it.
    async fn catch_up(&self) -> Result<()> {
        let head = files::read_head(&self.dir)?;
        let head = Head::parse(&head).map_err(|e| RecordError::Head { why: e.to_string() })?;
        if head.key != self.key.signer().verifying_key().to_bytes() {
            return Err(RecordError::Head { why: "it is signed by another key".into() });
        }
        let mut conn = self.db.reader().await?;
        let named = row!(conn, ENTRY_HASH, db::int(head.count)).map(|row| db::sha256(&row, 0)).transpose()?;
        if named != Some(head.hash) {
            return Err(RecordError::Head { why: format!("entry {} is not the one that it names", head.count) });
        }
        let (seq, hash) = tx::last_entry(&mut conn).await?;
        if seq != head.count {
            files::write_head(&self.dir, &Head::sign(seq, hash, self.key.signer()))?;
        }
        Ok(())
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Which database it is.
    #[must_use]
    pub fn database(&self) -> Database {
        self.db.kind
    }

    /// Now, by the system's clock or as [`Store::set_clock`] said.
    #[must_use]
    pub fn now(&self) -> At {
        match self.clock.load(Ordering::Relaxed) {
            i64::MIN => At::now(),
            ns => At::from_ns(ns),
        }
    }

    /// Stops the clock at an instant: for demonstrations of a year in minutes, and tests.
    pub fn set_clock(&self, at: At) {
        self.clock.store(at.ns(), Ordering::Relaxed);
    }

    /// Makes changes that stand or fall together. Writers wait for one another; when the changes are in the database the
    /// ledger's head is signed anew.
    ///
    /// # Errors
    /// Whatever `change` answers (then nothing was written), and [`RecordError::Database`].
    pub async fn write<R>(&self, permit: Permit, change: impl AsyncFnOnce(&mut Tx<'_>) -> Result<R>) -> Result<R> {
        let guard = self.writer.lock().await;
        let mut tx = Tx::begin(self, permit).await?;
        match change(&mut tx).await {
            Ok(answer) => {
                tx.commit().await?;
                drop(guard);
                Ok(answer)
            }
            Err(error) => {
                tx.rollback().await;
                Err(error)
            }
        }
    }

    /// The facts about a subject, oldest first.
    ///
    /// # Errors
    /// [`RecordError`] where the database or a content cannot be read.
    pub(crate) async fn facts(&self, subject: &str) -> Result<Vec<Recorded<Event>>> {
        tx::facts(&mut self.db.reader().await?, subject).await
    }

    /// A key, or `None` where it was destroyed.
    pub(crate) async fn person_key(&self, id: KeyId) -> Result<Option<PersonKey>> {
        let mut conn = self.db.reader().await?;
        let Some(row) = row!(conn, KEY, id.to_string()) else { return Ok(None) };
        let wrapped: Option<Vec<u8>> = row.try_get(0).when("read a key")?;
        Ok(wrapped.map(|wrapped| self.key.person_key(id, &wrapped)).transpose()?)
    }

    /// Opens a personal value, or `None` where its key was destroyed.
    pub(crate) async fn open_personal<T: DeserializeOwned>(&self, sealed: &Personal<T>) -> Result<Option<T>> {
        let key = self.person_key(sealed.key()).await?;
        Ok(key.map(|key| key.open(sealed)).transpose()?)
    }

    /// Opens everything personal in a JSON value: sealed values become their content, `{"erased": "K-3"}`, or
    /// `{"withheld": "K-3"}` where they stand under a key of one of these holders.
    pub(crate) async fn open_within(&self, value: &mut Value, withheld: &BTreeSet<String>) -> Result<()> {
        for value in json::pick(value, |value| Personal::within(value).is_some()) {
            let Some(personal) = Personal::within(value) else { continue };
            let key = personal.key();
            if !withheld.is_empty() && self.holder_of_key(key).await?.is_some_and(|holder| withheld.contains(&holder)) {
                *value = serde_json::json!({ "withheld": key });
                continue;
            }
            let erased = || serde_json::json!({ "erased": key });
            *value = self.open_personal(&personal).await?.unwrap_or_else(erased);
        }
        Ok(())
    }

    /// As [`Store::facts`], of one kind only: a story may be long where the question is short.
    pub(crate) async fn facts_of_kind(&self, subject: &str, kind: &str) -> Result<Vec<Recorded<Event>>> {
        tx::facts_of_kind(&mut self.db.reader().await?, subject, kind).await
    }

    /// Gives the facts that figures may count, up to a cut-off and in the order of the ledger, to `each`. Answers the last
    /// entry that counts: with it as the cut-off, the same facts are given for ever.
    pub(crate) async fn facts_to_count(
        &self,
        cutoff: Option<Cutoff>,
        mut each: impl FnMut(&Recorded<Event>),
    ) -> Result<u64> {
        let mut conn = self.db.reader().await?;
        let (end, _) = tx::last_entry(&mut conn).await?;
        let last = match cutoff {
            None => end,
            Some(Cutoff::Entry(entry)) => end.min(entry),
            // Up to the first entry that is later: a clock that was set back must not bring later ones in.
            Some(Cutoff::Instant(at)) => match row!(conn, FIRST_ENTRY_AFTER, at.ns()) {
                Some(row) => db::uint(&row, 0)?.saturating_sub(1),
                None => end,
            },
        };
        let mut after = 0;
        loop {
            let page = tx::page_to_count(&mut conn, after, last).await?;
            let Some(fact) = page.last() else { break };
            after = fact.seq;
            page.iter().for_each(&mut each);
        }
        Ok(last)
    }

    /// Prepares every statement on this store's database and says how many there are: for a test.
    ///
    /// # Errors
    /// [`RecordError::Database`] with the database's own words.
    #[doc(hidden)]
    pub async fn prepare_every_statement(&self) -> Result<usize> {
        use sqlx::{Executor as _, SqlSafeStr as _};
        let mut conn = self.db.reader().await?;
        for (name, text) in sql::ALL {
            (&mut *conn).prepare(text.into_sql_str()).await.when(name)?;
        }
        for many in many::ALL {
            let text = sqlx::AssertSqlSafe(many.text(many.rows));
            (&mut *conn).prepare(text.into_sql_str()).await.when(many.name)?;
        }
        Ok(sql::ALL.len().saturating_add(many::ALL.len()))
    }

    /// The policy of an investigation with its seed, which is shown to nobody: for a test.
    ///
    /// # Errors
    /// [`RecordError`].
    #[doc(hidden)]
    pub async fn policy_for_test(
        &self,
        investigation: crate::InvestigationId,
    ) -> Result<Option<crate::vote::GradingPolicy>> {
        self.policy(investigation).await
    }

    /// How many entries of each kind there are: for a test.
    ///
    /// # Errors
    /// [`RecordError`].
    #[doc(hidden)]
    pub async fn kinds_for_test(&self) -> Result<std::collections::BTreeMap<String, u64>> {
        let mut kinds = std::collections::BTreeMap::new();
        for line in self.ledger_page(0, u32::MAX).await? {
            let count: &mut u64 = kinds.entry(line.kind).or_default();
            *count = count.saturating_add(1);
        }
        Ok(kinds)
    }

    /// Checks the whole ledger against its head and these checkpoints, each a name and a text.
    ///
    /// # Errors
    /// [`RecordError`] where the database cannot be read; what does not fit is in the answer.
    pub async fn verify_ledger(&self, checkpoints: &[(String, String)]) -> Result<Checked> {
        verify(&self.db, &self.dir, checkpoints).await
    }

    /// As [`Store::verify_ledger`], without the store's key: an auditor needs none.
    ///
    /// # Errors
    /// [`RecordError`] where there is no store or the database cannot be read.
    pub async fn verify_locked(dir: &Path, checkpoints: &[(String, String)]) -> Result<Checked> {
        files::check(dir)?;
        let db = db::Db::connect(dir).await?;
        let checked = verify(&db, dir, checkpoints).await;
        db.close().await;
        checked
    }

    /// The signed head as it stands: kept elsewhere it is a checkpoint, against which a later ledger is verified.
    ///
    /// # Errors
    /// [`RecordError`] where there is no store here or its head cannot be read.
    pub fn checkpoint(dir: &Path) -> Result<String> {
        files::check(dir)?;
        files::read_head(dir)
    }
}

async fn verify(db: &db::Db, dir: &Path, checkpoints: &[(String, String)]) -> Result<Checked> {
    let mut heads = vec![("ledger.head".to_owned(), files::read_head(dir)?)];
    heads.extend_from_slice(checkpoints);
    let mut verifier = Verifier::new(&heads);
    let mut conn = db.reader().await?;
    let mut key = None;
    let mut after = i64::MIN;
    loop {
        let rows = rows!(conn, ENTRIES, after, 1000i64);
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let entry = entry(row)?;
            after = row.try_get(0).when("read an entry")?;
            let salt: Option<Vec<u8>> = row.try_get(8).when("read a content")?;
            let body: Option<String> = row.try_get(9).when("read a content")?;
            let salt: Option<[u8; 32]> = salt.map(|salt| salt.try_into().unwrap_or([0; 32]));
            verifier.entry(&entry, salt.as_ref().zip(body.as_ref().map(String::as_bytes)));
            if entry.seq == 1
                && let Some(Ok(Event::StoreMade { key: stated, .. })) = body.as_deref().map(serde_json::from_str)
            {
                key = stated.parse::<Sha256>().ok().map(|k| k.0);
            }
        }
    }
    let strays: Vec<u64> = rows!(conn, STRAYS).iter().map(|row| db::uint(row, 0)).collect::<Result<_>>()?;
    Ok(verifier.finish(key, &strays))
}

fn entry(row: &sqlx::any::AnyRow) -> Result<Entry> {
    let text = |at: usize| row.try_get::<String, _>(at).when("read an entry");
    Ok(Entry {
        seq: db::uint(row, 0)?,
        at: At::from_ns(row.try_get(1).when("read an entry")?),
        actor: text(2)?,
        kind: text(3)?,
        subjects: text(4)?.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
        content: db::sha256(row, 5)?,
        previous: db::sha256(row, 6)?,
        hash: db::sha256(row, 7)?,
    })
}
