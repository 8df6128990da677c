//! Known sets: formats, category schemes, exact look-up.
//!
//! A set is a list of files that somebody has seen before, each named by digests. This crate reads the formats in which
//! such sets are exchanged ([`KnownSets::load`]), applies the category scheme that the user names for each
//! ([`Scheme`]), and answers which records know a file and on what that rests ([`KnownSets::lookup`], [`Basis`]).
//!
//! - **No false negatives.** A record is found by any of its digests; what cannot be used is counted by reason.
//! - **A code means nothing by itself.** A set without a scheme is refused, and so is a code that its scheme lacks.
//! - **Names and paths in a set are not kept.** They can be personal data, and a look-up has no need of them.
//!
//! Formats and rules are described in `docs/known-sets.md`.
#![deny(clippy::indexing_slicing)]

mod error;
mod format;
mod hit;
mod intake;
mod record;
mod scheme;
mod sets;
mod spec;
mod table;

pub use error::KnownError;
pub use hit::{Basis, Fields, Hit, may_hide};
pub use intake::Tally;
pub use record::Flags;
pub use scheme::{Category, Scheme, SchemeError, SchemeId, Status, Unlisted};
pub use sets::{CategoryCount, KnownSets, LoadProgress, SetInfo};
pub use spec::{KnownSpec, SchemeRef};
