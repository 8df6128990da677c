//! Pictures: decode, describe, near matches, groups, derivatives.
//!
//! Whatever reads the bytes of a picture ([`decode`], [`jpeg`], [`meta`]) runs in a confined worker process; nothing
//! here starts one.
#![deny(clippy::indexing_slicing)]

pub mod decode;
pub mod derivative;
pub mod group;
pub mod jpeg;
mod kind;
pub mod meta;
pub mod near;
pub mod pdq;
mod pixels;

pub use kind::PictureKind;
pub use pixels::{Layout, Pixels};
