//! Known sets: formats, category schemes, exact look-up.
//!
//! A set is a list of files that somebody has seen before, each named by digests. This crate reads the formats in which
//! such sets are exchanged, applies the category scheme that the user names for each ([`Scheme`]), compiles them into
//! immutable files ([`compile`], [`SetFile`]), and answers which records know a file and on what that rests
//! ([`KnownSets::lookup`], [`Basis`]).
//!
//! - **No false negatives.** A record is found by any of its digests; what cannot be used is counted by reason.
//! - **A code means nothing by itself.** A set without a scheme is refused, and so is a code that its scheme lacks.
//! - **Nothing of a record is dropped.** What this crate does not model comes back as it stands ([`RawRecord::extra`]).
//!
//! Formats and rules are described in `docs/known-sets.md`.
#![deny(clippy::indexing_slicing)]

mod compiled;
mod error;
mod format;
mod grades;
mod hit;
mod intake;
mod record;
mod scheme;
mod sets;
mod spec;
mod store;
#[allow(unsafe_code)]
mod sys;

pub use compiled::{
    CategoryCount, CompileJob, DEFAULT_MEMORY, HistoryAction, HistoryEntry, Needle, Record, RecordId, Records, SetFile,
    SetInfo, SourceInfo, compile, remap,
};
pub use error::KnownError;
pub use format::{ListKind, ReadSet, check_parts, names_place, read_records};
pub use grades::{Grade, Grades, GradesError, MAX_GRADES, looks_like_vics, read_grades};
pub use hit::{Basis, Fields, Hit, Verdict, may_hide, verdict};
pub use intake::Tally;
pub use record::{Field, Flags, RawId, RawRecord};
pub use scheme::{Category, Scheme, SchemeError, SchemeId, Status, Unlisted};
pub use sets::{KnownSets, LoadProgress, Stage};
pub use spec::{KnownSpec, SchemeRef};
pub use store::{Act, LogEntry, Made, SetRef, SetStore, StoreError};
