//! Pictures: decode, describe, PDQ, derivatives.
//!
//! Whatever reads the bytes of a picture ([`decode`], [`jpeg`], [`meta`], put together in [`describe`]) runs in a confined
//! worker process, which [`Decoders`] starts.
#![deny(clippy::indexing_slicing)]

pub mod decode;
pub mod derivative;
pub mod describe;
mod host;
pub mod jpeg;
mod kind;
pub mod meta;
mod names;
pub mod pdq;
mod pixels;
mod sys;

pub use host::{Decoders, decoder_worker};
pub use kind::PictureKind;
pub use pixels::{Layout, Pixels};
