//! Decoders of compressed data, bounded by what the caller says comes out: those that no well-kept crate of safe Rust has.

pub(crate) mod adc;
pub(crate) mod bzip2;
pub(crate) mod lz4;
pub(crate) mod lzfse;
pub(crate) mod lzvn;
pub(crate) mod snappy;
