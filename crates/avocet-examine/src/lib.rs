//! Turns one exhibit's evidence into one sealed examination: enumerate, plan, read, digest, match, seal.
//!
//! # How it runs
//! One thread enumerates the file systems and hands out *windows* of entries. Within a window the files are taken in
//! the order of the disk, in tasks that workers read and digest, many files at a time. One writer takes finished
//! windows in the order they were enumerated, so that the rows, and with them the result digest, do not depend on the
//! number of threads. The number of windows in flight is bounded: memory does not grow with the device.
//!
//! A file that cannot be read costs itself: it is listed with its reason and has no digest.

mod archives;
mod camera;
mod image;
mod kind;
mod pictures;
mod pipeline;
mod progress;
mod recycle;
mod rematch;
mod scratch;
mod statement;
mod tasks;
mod wording;
mod write;

pub use image::{DigestVerdict, ImageDigests, Wanted, check_image};
pub use kind::{MediaKind, sniff};
pub use pictures::{Media, usable};
pub use pipeline::{ExamineError, Examined, Options, examine};
pub use progress::{Progress, Silent, Stage};
pub use rematch::{RematchOptions, Rematched, rematch};
pub use scratch::EncryptedScratch;
pub use tasks::digest_content;
