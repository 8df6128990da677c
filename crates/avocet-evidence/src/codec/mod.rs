//! Decoders of compressed data, bounded by what the caller says comes out: those that no well-kept crate of safe Rust has.

pub(crate) mod bzip2;
