//! What can go wrong, with what to do about it. No error carries a path or content from the evidence; the paths named
//! are the user's own arguments.

/// Why a result could not be written. Nothing half-written is kept.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The result, its seal or something else of that name is there.
    #[error("{path} is already there. Choose another name for the result, or move it away; a result is never replaced")]
    AlreadyThere {
        /// The file in the way.
        path: String,
    },
    /// Another running examination writes to the same place.
    #[error("{path} is being written by another examination. Wait until it has finished, or choose another name")]
    InUse {
        /// The unfinished file.
        path: String,
    },
    /// No space left.
    #[error(
        "no space left while writing {path} (or in the temporary folder). Free some space or choose another disk, \
             then examine again; nothing half-written was kept"
    )]
    DiskFull {
        /// The unfinished file.
        path: String,
    },
    /// The operating system refused.
    #[error(
        "cannot write {path}: {reason}. Check that the folder is there, can be written to and that the disk is sound, \
             then examine again; nothing half-written was kept"
    )]
    Io {
        /// The file concerned.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// Rows that have an order were given in another.
    #[error("{table}: row {id} was given after row {after}; rows must come in strictly increasing order")]
    OutOfOrder {
        /// The table.
        table: &'static str,
        /// The row given.
        id: i64,
        /// The row before it.
        after: i64,
    },
    /// A row with this key is there.
    #[error("{table}: a row with the same key is already there")]
    Duplicate {
        /// The table.
        table: &'static str,
    },
    /// A row refers to one that is not there.
    #[error("{table}: a row refers to a row that is not there")]
    Dangling {
        /// The table that refers.
        table: &'static str,
    },
    /// A text is longer than the format takes.
    #[error("{table}: a row is longer than {} bytes", crate::read::MAX_VALUE)]
    TooLong {
        /// The table.
        table: &'static str,
    },
    /// An earlier row was refused, so the result would not hold everything.
    #[error("an earlier row could not be written, so the result cannot be sealed")]
    EarlierFailure,
    /// SQLite failed in another way.
    #[error("cannot write {path}: {detail}")]
    Database {
        /// The unfinished file.
        path: String,
        /// What SQLite said.
        detail: String,
    },
}

/// Why an examination file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read {path}: {reason}. Check the name and that you may read it")]
    Io {
        /// The file.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// It is something else.
    #[error(
        "{path} is not an examination file ({found}). Give the file that an examination wrote, ending in .examination"
    )]
    NotExamination {
        /// The file.
        path: String,
        /// What was found instead.
        found: &'static str,
    },
    /// A later version wrote it.
    #[error(
        "{path} has schema version {version}, this program reads up to {}. Use {program} or later",
        crate::SCHEMA_VERSION
    )]
    Newer {
        /// The file.
        path: String,
        /// The schema version found.
        version: i32,
        /// The program that wrote it, as far as the file says.
        program: String,
    },
    /// It holds tables, columns, indexes, triggers or views that an examination file has not, or lacks some.
    #[error("{path} is not as an examination file is made: {}. It was changed after it was sealed; do not rely on it", findings.join("; "))]
    Schema {
        /// The file.
        path: String,
        /// What differs.
        findings: Vec<String>,
    },
    /// Its content contradicts the format.
    #[error("the examination file is damaged or was changed: {0}")]
    Malformed(String),
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        // rusqlite's texts can carry values of a failed conversion; SQLite's own result texts carry none.
        Self::Malformed(match error.sqlite_error_code() {
            Some(code) => format!("SQLite reports {code:?}"),
            None => "a value is not of the type that its column has".to_owned(),
        })
    }
}

/// Why nothing could be said of a file. What was found wrong with an examination file is not an error but a finding.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read, is something else, or was written by a later version.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why a key could not be used. No error carries any part of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The operating system refused.
    #[error("cannot use the key file {path}: {reason}")]
    Io {
        /// The key file.
        path: String,
        /// What the operating system said.
        reason: String,
    },
    /// The file or text is no key.
    #[error("{what} is not a key: a key is 64 hexadecimal digits")]
    NotAKey {
        /// The key file, or what the text was given as.
        what: String,
    },
    /// The system has no random numbers.
    #[error("the operating system gave no random numbers, so no key was made")]
    NoRandom,
}
