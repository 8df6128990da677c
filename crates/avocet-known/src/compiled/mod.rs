//! Compiled sets: one immutable, memory-mapped file for each version of a set. `docs/formats/known-set.md` specifies
//! it byte by byte.

mod columns;
mod file;
mod fold;
mod index;
mod info;
mod job;
mod layout;
mod merge;
mod meta;
mod part;
mod rec;
mod record;
mod search;
mod sort;
#[cfg(test)]
mod tests;
mod verify;

pub(crate) use columns::Most;
pub use file::SetFile;
pub use info::{CategoryCount, HistoryAction, HistoryEntry, SetInfo, SourceInfo};
pub(crate) use job::compile_into;
pub use job::{CompileJob, DEFAULT_MEMORY, compile, remap};
pub(crate) use rec::{Blob, Rec};
pub use record::{Record, RecordId, Records};
pub use search::Needle;
pub(crate) use sort::Sorter;
