//! MD5, SHA-1 and SHA-256 of many files at once.
//!
//! Every file of a device gets the three digests, so their speed is the speed of an examination. A digest of one stream
//! is one long chain in which every step waits for the one before; a processor spends most of that time idle. This
//! crate runs many streams beside each other: one stream per lane of a vector register, or several streams interleaved
//! through the processor's SHA instructions. As a stream ends, the next takes its lane.
//!
//! | what is at hand | use |
//! | --- | --- |
//! | whole small files in memory | [`digest_many`] |
//! | many files being read at once | a [`TripleHasher`] each, [`update_many`], [`finish_many`] |
//! | one file | [`TripleHasher`] |
//! | a whole image and one digest | [`Md5Hasher`], [`Sha1Hasher`], [`Sha256Hasher`] |
//!
//! Which instructions are used is decided when the program runs ([`implementation`]); results do not depend on it.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "no bank of lanes is written for this processor"))]
mod lanes;
mod level;
mod many;
mod rounds;
mod scalar;
mod state;
mod stream;
#[cfg(target_arch = "x86_64")]
mod sys;
#[cfg(test)]
mod tests;

pub use many::{digest_many, finish_many, update_many};
pub use stream::{Md5Hasher, Sha1Hasher, Sha256Hasher, TripleHasher};

/// Names the instructions in use on this processor, for the record of a run.
pub fn implementation() -> &'static str {
    level::Level::detect().name()
}
