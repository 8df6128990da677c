//! Reads seized evidence: containers, volume systems and file systems.
//!
//! Three rules hold everywhere in this crate:
//! - **Evidence cannot be written to.** [`Source`] has no method that writes and no cursor; this crate's `clippy.toml`
//!   bans every call that could create or change a file.
//! - **Nothing is lost silently.** What a reader cannot read, caps or does not understand it reports as a [`Problem`]
//!   with a code, a place and a sentence.
//! - **Hostile bytes cost at most themselves.** Declared counts are capped by the bytes that exist, loops are cut, and
//!   nothing here panics: unchecked indexing is denied in the whole crate.
#![deny(clippy::indexing_slicing)]

pub mod bytes;
mod checksum;
mod codec;
pub mod container;
mod crypto;
pub mod embedded;
mod entry;
mod error;
pub mod fs;
mod layers;
pub mod plist;
pub mod reads;
pub mod scratch;
mod source;
pub mod sqlite;
mod tree;
pub mod unpack;
pub mod volume;

pub use entry::{
    AllocationState, Content, ContentRead, Entry, EntryKind, Extent, FileSystem, Location, Mapped, Note, OpenContent,
    Run, Stated, Times, Unreadable, VisitResult, Visitor, VolumeFacts,
};
pub use error::{OpenError, Problem, ReadError, ReadFault};
pub use source::{MemorySource, Source, SubSource, read_exact_at, read_up_to};
pub use tree::{Evidence, Volume, VolumeState};
