//! Small pictures for review, and the encrypted store that keeps them beside a sealed examination.
//!
//! [`make`] and [`make_from_ycc`] turn decoded pixels into two JPEG files: one *veiled* (small, grey, blurred beyond
//! recognition) and one *clear* (small, as it is). They are pure functions and run where the picture was decoded, in
//! the confined worker. [`Writer`] and [`Reader`] keep both for each distinct content in one file, `X.derivatives`,
//! whose key can be destroyed. [`write_index`] makes a small file through which what a store that is still being written
//! holds so far is read. The bytes of both are specified in `docs/formats/derivatives.md`.
//!
//! Nonces and keys are random: two stores of the same pictures differ in every byte that matters, so a store is no part
//! of a result digest.

mod cipher;
mod destroy;
mod error;
mod index;
mod layout;
mod make;
mod protector;
mod read;
mod scale;
mod veil;
mod write;

pub use destroy::{Destroyed, NOT_COVERED, add_protector, destroy, destroy_protector};
pub use error::DerivativeError;
pub use index::write_index;
pub use layout::{Kind, LARGEST_PICTURE, store_path};
pub use make::{CLEAR_SIDE, Made, Plane, VEILED_SIDE, halved, make, make_from_ycc};
pub use protector::{KeyFile, Protector};
pub use read::{Reader, Verified};
pub use write::{Finished, Writer};
