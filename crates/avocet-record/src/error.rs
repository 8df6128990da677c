//! What can go wrong with the record.

use crate::ids::KeyId;
use crate::keys::KeyError;

/// Why something was not done. No message holds personal content.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The database did not do what it was asked.
    #[error("record: the database could not {what}: {source}")]
    Database {
        /// What it was asked.
        what: &'static str,
        /// Its own words.
        source: sqlx::Error,
    },
    /// A file of the store could not be used.
    #[error("record: {what}: {source}")]
    File {
        /// Which file and what was tried.
        what: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A key could not be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no store here.
    #[error("record: there is no record in this folder; make one with `avocet init --store DIR`")]
    NoStore,
    /// There is a store here already.
    #[error("record: this folder holds a record already; choose another, or use this one")]
    StoreThere,
    /// Written by a later version.
    #[error("record: the database is of version {found}, and this program reads up to {known}; use a newer program")]
    Newer {
        /// The database's version.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// A content of the ledger is not what this program writes.
    #[error("record: the content of entry {seq} cannot be read: {why}; run `avocet ledger verify`")]
    Content {
        /// Which entry.
        seq: u64,
        /// Why.
        why: String,
    },
    /// There is no such thing, or it may not be seen.
    #[error("record: there is no {what}, or you may not see it")]
    Unknown {
        /// An id.
        what: String,
    },
    /// The role does not allow it.
    #[error("record: your role does not allow this ({right}); ask someone whose role does, or an administrator")]
    NotAllowed {
        /// The right that it takes.
        right: String,
    },
    /// Somebody else changed it in the meantime.
    #[error(
        "record: {what} was changed by {by} (entry {now}) after you read it (entry {seen}); nothing of yours was written. \
         Read it again and repeat what still holds"
    )]
    Changed {
        /// An id.
        what: String,
        /// Who changed it.
        by: String,
        /// The last entry that was read.
        seen: u64,
        /// The last entry there is.
        now: u64,
    },
    /// Sign-in failed.
    #[error("record: this name and password do not fit")]
    SignIn,
    /// Sign-in is locked for a while.
    #[error("record: too many wrong passwords; try again in {minutes} minutes, or ask an administrator")]
    LockedOut {
        /// How long.
        minutes: u64,
    },
    /// What was asked makes no sense.
    #[error("record: {0}")]
    Refused(String),
    /// A key is gone.
    #[error("record: what is under {key} was erased")]
    Erased {
        /// Which.
        key: KeyId,
    },
    /// The ledger's head is not what the database says.
    #[error(
        "record: ledger.head does not fit the database ({why}); nothing is written until `avocet ledger verify` was read"
    )]
    Head {
        /// Why.
        why: String,
    },
}

/// Result of the record's functions.
pub type Result<T> = std::result::Result<T, RecordError>;

/// Says what the database was asked when it refuses.
pub(crate) trait DatabaseResult<T> {
    /// Turns a refusal into an error that names what was asked.
    fn when(self, what: &'static str) -> Result<T>;
}

impl<T> DatabaseResult<T> for std::result::Result<T, sqlx::Error> {
    fn when(self, what: &'static str) -> Result<T> {
        self.map_err(|source| RecordError::Database { what, source })
    }
}
