//! The sealed examination file: schema, writer, reader, verifier.
//!
//! An examination is one SQLite file that holds everything found on one exhibit and no picture bytes. It is written
//! once by [`Writer`], sealed, and from then on only read: by [`Examination`], which trusts nothing that the file says
//! of itself, and by [`verify`], which says whether it is still what was sealed. The format is specified in
//! `docs/formats/examination.md`; `docs/formats/verify_examination.py` recomputes the result digest without this code.
//!
//! This crate knows the rows and not where they come from: it depends on no reader of evidence.

#![deny(clippy::indexing_slicing)]

mod canonical;
mod error;
mod key;
mod read;
mod rows;
mod schema;
mod seal;
mod summary;
mod verify;
mod write;

pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::{KeyError, ReadError, VerifyError, WriteError};
pub use key::{generate_key, load_key, parse_verifying_key, verifying_key_text};
pub use read::{Examination, FileFilter, FileView, INTERIM};
pub use rows::{
    ChangeRow, CompletenessRow, EvidenceRow, ExtentRow, FactRow, FileRow, GroupRow, HashRow, ImageRow, KnownSetRow,
    Level, MatchRow, NearRow, OriginalRow, PictureRow, PictureView, ProblemRow, SpaceRow, VolumeRow,
};
pub use schema::{APPLICATION_ID, SCHEMA_VERSION};
pub use seal::{file_sha256, seal_path};
pub use summary::{ALERT_LIMIT, Alert, Count, MatchCount, MediaCount, Summary};
pub use verify::{SealCheck, SignatureCheck, Verification, verify};
pub use write::{Sealed, Writer, clear_unfinished};
