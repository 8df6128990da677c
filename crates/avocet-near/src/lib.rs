//! Near match: every stored PDQ hash within a distance of a query, with no miss.
//!
//! Two ways give the same answer. The *scan* compares the query with every hash, several at once in the processor's
//! wide registers. *Multi-index hashing* (Norouzi, Punjani, Fleet, "Fast search in Hamming space with multi-index
//! hashing", CVPR 2012) cuts the 256 bits into bands: two hashes that differ in at most 31 bits cannot differ in more
//! than `t` bits in every band at once where the sum of all `t + 1` is 32. So it is enough to look, band by band, at
//! the hashes whose band differs in at most `t` bits, and to compare those in full. The radii `t` need not be equal,
//! and they are chosen anew for every radius asked; see `docs/decisions/0009-near-match.md`.
//!
//! Where a query would look at too many hashes, because thousands of stored ones share a band, the scan takes over:
//! slower, and never a miss.
//!
//! An index holds hashes and nothing else. An item is the number of a hash in the order given; what it belongs to is
//! the caller's matter. Hashes of pictures whose PDQ quality is below [`MIN_QUALITY`] are to be left out by the
//! caller, who counts them.

#![deny(clippy::indexing_slicing)]

mod bands;
mod bits;
pub mod group;
mod index;
mod scan;
#[allow(unsafe_code)]
mod sys;
mod tables;

use avocet_base::PdqHash;

pub use index::Index;

pub(crate) use bits::Bits;
pub(crate) use scan::{BATCH, Hit, plain};
#[cfg(target_arch = "x86_64")]
pub(crate) use tables::Prefetch;
pub(crate) use tables::{NoPrefetch, Query, Scratch, search};

/// Pictures of a lower PDQ quality show too little detail to be compared.
pub const MIN_QUALITY: u8 = PdqHash::USABLE_QUALITY;

/// The largest radius the bands answer, and the usual one. Larger radii are answered by the scan.
/// Source: ThreatExchange, `pdq/README.md`.
pub const MAX_RADIUS: u32 = 31;

/// A stored hash near a query. Answers are in the order of distance, then item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Neighbour {
    /// In how many of the 256 bits it differs from the query.
    pub distance: u32,
    /// Which hash, counted from 0 in the order they were given to [`Index::build`].
    pub item: u32,
}

/// A stored hash near one of several forms of one picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FormNeighbour {
    /// The smallest distance to any of the forms.
    pub distance: u32,
    /// Which hash, counted from 0 in the order they were given to [`Index::build`].
    pub item: u32,
    /// Which form gave that distance: its place in the slice asked with; the first where several did.
    pub form: u32,
}

/// How the hashes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// By the number of hashes: the scan for few, bands for many.
    #[default]
    Auto,
    /// Always the scan: no memory beside the hashes, and the exact second opinion.
    Scan,
    /// This many bands, 9 to 24.
    Bands(u8),
}

/// The instructions that compare hashes. They change the speed, never the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kernel {
    /// Plain code.
    Plain,
    /// AVX2 and POPCNT.
    Avx2,
    /// AVX-512 with VPOPCNTDQ.
    Avx512,
}

impl Kernel {
    /// What this processor has, plain code first, the fastest last.
    pub fn available() -> Vec<Kernel> {
        [Kernel::Plain, Kernel::Avx2, Kernel::Avx512]
            .into_iter()
            .filter(|k| crate::sys::Level::of(*k).is_some())
            .collect()
    }
}

/// How an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Scan or bands.
    pub layout: Layout,
    /// The radius most queries will have; the number of bands is chosen for it. Every other radius is answered
    /// exactly as well.
    pub radius: u32,
    /// With [`Layout::Auto`], the most bytes a hash, its own 32 included, that the index may take; 16 MiB in all are
    /// always allowed on top.
    pub bytes_per_hash: u32,
    /// `None`: the fastest this processor has.
    pub kernel: Option<Kernel>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { layout: Layout::Auto, radius: MAX_RADIUS, bytes_per_hash: 130, kernel: None }
    }
}

/// Why an index or groups could not be made. Nothing here depends on the content of a hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NearError {
    /// Items are numbered in 32 bits.
    #[error("near match: more than {} hashes for one index; split the set into several", u32::MAX)]
    TooMany,
    /// The system refused the memory.
    #[error("near match: no memory for {bytes} bytes of an index; use the scan layout or split the set")]
    NoMemory {
        /// How much was asked for at once.
        bytes: u64,
    },
    /// The number of bands is out of range.
    #[error("near match: an index of {0} bands cannot be made; ask for 9 to 24")]
    Bands(u8),
    /// The processor lacks these instructions.
    #[error("near match: this processor has no {0:?}; leave the choice of instructions open")]
    NoKernel(Kernel),
    /// The radius of groups is out of range.
    #[error("groups: a radius of {0} bits is out of range; ask for 0 to {MAX_RADIUS}")]
    Radius(u32),
}
