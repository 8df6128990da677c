//! A change: events, the rows that repeat them, and the ledger, in one transaction.

use std::collections::BTreeMap;

use avocet_base::Sha256;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::pool::PoolConnection;
use sqlx::{Any, Executor as _, Row as _};

use super::{Permit, Store, db, files, sql};
use crate::at::{At, Recorded};
use crate::error::{DatabaseResult as _, RecordError, Result};
use crate::event::{Event, Token};
use crate::identifier::Identifier;
use crate::ids::{InvestigationId, KeyId, UserId};
use crate::keys::{self, PersonKey};
use crate::ledger::{Entry, GENESIS, Head, content_digest};
use crate::personal::Personal;

/// A change that is being made.
#[derive(Debug)]
pub struct Tx<'s> {
    store: &'s Store,
    pub(super) conn: PoolConnection<Any>,
    by: UserId,
    at: At,
    last: (u64, Sha256),
    wrote: bool,
    keys: BTreeMap<KeyId, Option<PersonKey>>,
    /// Keys that this change destroys.
    erased: Vec<KeyId>,
    /// Keeps other processes on this folder out until the head is written.
    _lock: std::fs::File,
}

/// The last entry: its number and hash, or 0 and [`GENESIS`].
pub async fn last_entry(conn: &mut PoolConnection<Any>) -> Result<(u64, Sha256)> {
    match row!(*conn, LAST_ENTRY) {
        None => Ok((0, GENESIS)),
        Some(row) => Ok((db::uint(&row, 0)?, db::sha256(&row, 1)?)),
    }
}

/// The facts about a subject, oldest first.
pub async fn facts(conn: &mut PoolConnection<Any>, subject: &str) -> Result<Vec<Recorded<Event>>> {
    rows!(*conn, FACTS, subject).iter().map(recorded).collect()
}

/// The facts of one kind about a subject, oldest first.
pub async fn facts_of_kind(conn: &mut PoolConnection<Any>, subject: &str, kind: &str) -> Result<Vec<Recorded<Event>>> {
    rows!(*conn, FACTS_OF_KIND, subject, kind).iter().map(recorded).collect()
}

/// A thousand facts after the entry `after`.
pub async fn page(conn: &mut PoolConnection<Any>, after: u64) -> Result<Vec<Recorded<Event>>> {
    rows!(*conn, FACTS_AFTER, db::int(after)).iter().map(recorded).collect()
}

/// Facts after the entry `after` and up to `last` that figures may count, a page of them.
pub async fn page_to_count(conn: &mut PoolConnection<Any>, after: u64, last: u64) -> Result<Vec<Recorded<Event>>> {
    rows!(*conn, FACTS_TO_COUNT, db::int(after), db::int(last)).iter().map(recorded).collect()
}

fn recorded(row: &sqlx::any::AnyRow) -> Result<Recorded<Event>> {
    let seq = db::uint(row, 0)?;
    let at = At::from_ns(row.try_get(1).when("read a fact")?);
    let actor: String = row.try_get(2).when("read a fact")?;
    let body: String = row.try_get(3).when("read a fact")?;
    let content = |why: String| RecordError::Content { seq, why };
    let by = actor.parse().map_err(|_| content("its author is no user".into()))?;
    let fact =
        serde_json::from_str(&body).map_err(|e| content(format!("{} at column {}", fault_of(&e), e.column())))?;
    Ok(Recorded { seq, at, by, fact })
}

/// What kind of fault JSON has, without the text itself: a content may hold what no error may repeat.
fn fault_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Io | serde_json::error::Category::Eof => "it is cut off",
        serde_json::error::Category::Syntax => "it is no JSON",
        serde_json::error::Category::Data => "a field is not of this version",
    }
}

impl<'s> Tx<'s> {
    /// Begins a change and waits for other writers.
    pub(super) async fn begin(store: &'s Store, permit: Permit) -> Result<Self> {
        let lock = files::lock(&store.dir).await?;
        let mut conn = store.db.reader().await?;
        db::begin(&mut conn, store.db.kind).await?;
        let last = match last_entry(&mut conn).await {
            Ok(last) => last,
            Err(e) => {
                let _ = conn.execute(sqlx::raw_sql("ROLLBACK")).await;
                return Err(e);
            }
        };
        Ok(Self {
            store,
            conn,
            by: permit.user(),
            at: store.now(),
            last,
            wrote: false,
            keys: BTreeMap::new(),
            erased: Vec::new(),
            _lock: lock,
        })
    }

    pub(super) async fn commit(mut self) -> Result<()> {
        // Before the database: a key that is on the list and not destroyed is destroyed by trying again; one that is
        // destroyed and not on the list would come back with a backup.
        for key in &self.erased {
            files::add_erased(&self.store.dir, *key)?;
        }
        // The head is written after the commit and before the next writer may begin, so that it never counts an entry
        // that is not there. After a crash between the two, the next start signs what is unsigned.
        self.conn.execute(sqlx::raw_sql("COMMIT")).await.when("keep a change")?;
        if self.wrote {
            let (seq, hash) = self.last;
            files::write_head(&self.store.dir, &Head::sign(seq, hash, self.store.key.signer()))?;
        }
        Ok(())
    }

    pub(super) async fn rollback(mut self) {
        // A connection that cannot even do this is thrown away by the pool, which undoes the change as well.
        let _ = self.conn.execute(sqlx::raw_sql("ROLLBACK")).await;
    }

    /// Who makes the change.
    #[must_use]
    pub fn by(&self) -> UserId {
        self.by
    }

    /// When the change is made.
    #[must_use]
    pub fn at(&self) -> At {
        self.at
    }

    /// A key of `holder`, an id, that still opens: the last one made, or a new one.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn key_of(&mut self, holder: &str) -> Result<PersonKey> {
        for id in self.keys_of(holder).await?.into_iter().rev() {
            if let Some(key) = self.key(id).await? {
                return Ok(key);
            }
        }
        self.new_key(holder).await
    }

    /// The investigation that a thing belongs to, by its id.
    ///
    /// # Errors
    /// [`RecordError::Database`].
    pub async fn part_of(&mut self, subject: &str) -> Result<Option<InvestigationId>> {
        let Some(row) = row!(self.conn, PART_OF, subject) else { return Ok(None) };
        let id: String = row.try_get(0).when("read whose it is")?;
        Ok(id.parse().ok())
    }

    /// Writes an event: its content, its line of the ledger, and the rows that repeat it. Returns its number.
    ///
    /// # Errors
    /// [`RecordError`] where the database refuses; then the whole change is undone.
    pub async fn record(&mut self, event: &Event) -> Result<u64> {
        let body = serde_json::to_string(event)
            .map_err(|e| RecordError::Refused(format!("the change has no text form: {e}")))?;
        let salt = keys::random()?;
        let subjects = event.subjects();
        let entry = Entry {
            seq: self.last.0.saturating_add(1),
            at: self.at,
            actor: self.by.to_string(),
            kind: event.kind().to_owned(),
            subjects,
            content: content_digest(&salt, body.as_bytes()),
            previous: self.last.1,
            hash: GENESIS,
        }
        .hashed();
        let seq = db::int(entry.seq);
        run!(
            self,
            ADD_ENTRY,
            seq,
            entry.at.ns(),
            &entry.actor,
            &entry.kind,
            entry.subjects.join(" "),
            entry.content.0.to_vec(),
            entry.previous.0.to_vec(),
            entry.hash.0.to_vec(),
        );
        run!(self, ADD_CONTENT, seq, salt.to_vec(), body);
        for subject in &entry.subjects {
            run!(self, ADD_TOUCHED, subject, seq);
        }
        self.last = (entry.seq, entry.hash);
        self.wrote = true;
        let recorded = Recorded { seq: entry.seq, at: self.at, by: self.by, fact: event };
        self.apply(&recorded).await?;
        Ok(entry.seq)
    }

    /// The next number for ids with this prefix.
    ///
    /// # Errors
    /// [`RecordError::Database`].
    pub async fn give(&mut self, prefix: &str) -> Result<u64> {
        let row = sqlx::query(sql::GIVE).bind(prefix).fetch_one(&mut *self.conn).await.when("give a number")?;
        db::uint(&row, 0)
    }

    /// Makes a key for `holder`, an id.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn new_key(&mut self, holder: &str) -> Result<PersonKey> {
        let id = KeyId::new(self.give(KeyId::PREFIX).await?);
        let (key, wrapped) = self.store.key.new_person_key(id)?;
        run!(self, ADD_KEY, id.to_string(), holder, wrapped);
        self.keys.insert(id, Some(key.clone()));
        self.record(&Event::KeyMade { key: id, holder: holder.to_owned() }).await?;
        Ok(key)
    }

    /// A key, or `None` where it was destroyed.
    ///
    /// # Errors
    /// [`RecordError`] where there never was one or it was altered.
    pub async fn key(&mut self, id: KeyId) -> Result<Option<PersonKey>> {
        if let Some(known) = self.keys.get(&id) {
            return Ok(known.clone());
        }
        let row = row!(self.conn, KEY, id.to_string()).ok_or_else(|| RecordError::Unknown { what: id.to_string() })?;
        let wrapped: Option<Vec<u8>> = row.try_get(0).when("read a key")?;
        let key = wrapped.map(|wrapped| self.store.key.person_key(id, &wrapped)).transpose()?;
        self.keys.insert(id, key.clone());
        Ok(key)
    }

    /// The token of an identifier in this store.
    #[must_use]
    pub fn token(&self, identifier: &Identifier) -> Token {
        let token = self.store.key.token(identifier.kind.as_str(), &identifier.value);
        Token { kind: identifier.kind, token: Sha256(token) }
    }

    /// Opens a personal value, or `None` where its key was destroyed.
    ///
    /// # Errors
    /// [`RecordError`] where it was altered.
    pub async fn open<T: Serialize + DeserializeOwned>(&mut self, value: &Personal<T>) -> Result<Option<T>> {
        match self.key(value.key()).await? {
            Some(key) => Ok(Some(key.open(value)?)),
            None => Ok(None),
        }
    }

    /// Destroys a key: everything personal under it is gone, here and in every later copy of the database.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn destroy_key(&mut self, id: KeyId, holder: &str, authority: &str, reason: &str) -> Result<()> {
        let done = run!(self, DESTROY_KEY, id.to_string(), self.at.ns());
        if done.rows_affected() == 0 {
            return Err(RecordError::Unknown { what: id.to_string() });
        }
        self.keys.insert(id, None);
        self.erased.push(id);
        let (holder, authority, reason) = (holder.to_owned(), authority.to_owned(), reason.to_owned());
        self.record(&Event::KeyDestroyed { key: id, holder, authority, reason }).await?;
        Ok(())
    }

    /// The keys of a holder.
    ///
    /// # Errors
    /// [`RecordError::Database`].
    pub async fn keys_of(&mut self, holder: &str) -> Result<Vec<KeyId>> {
        rows!(self.conn, KEYS_OF, holder)
            .iter()
            .map(|row| {
                let id: String = row.try_get(0).when("read keys")?;
                id.parse().map_err(|_| RecordError::Unknown { what: id })
            })
            .collect()
    }

    /// Stops where somebody changed `subject` after the entry `seen`.
    ///
    /// # Errors
    /// [`RecordError::Changed`].
    pub async fn unchanged_since(&mut self, subject: &str, seen: u64) -> Result<()> {
        let Some(row) = row!(self.conn, LAST_TOUCH, subject) else { return Ok(()) };
        let now = db::uint(&row, 0)?;
        if now <= seen {
            return Ok(());
        }
        let by = row.try_get(1).when("read the ledger")?;
        Err(RecordError::Changed { what: subject.to_owned(), by, seen, now })
    }

    /// The facts of one kind in an investigation, oldest first.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn facts_of_kind(&mut self, of: InvestigationId, kind: &str) -> Result<Vec<Recorded<Event>>> {
        facts_of_kind(&mut self.conn, &of.to_string(), kind).await
    }

    /// The facts about a subject, those of this change too.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn facts(&mut self, subject: &str) -> Result<Vec<Recorded<Event>>> {
        facts(&mut self.conn, subject).await
    }
}
