//! What needs the processor's own instructions or the operating system. The only module of this crate that may hold
//! `unsafe`.
//!
//! Instructions are run through a token, and a token is only made after the processor was asked.

use crate::{Bits, Hit, Kernel, Neighbour, NoPrefetch, Query, Scratch, plain, search};

#[cfg(target_arch = "x86_64")]
mod x86;

/// The instructions in use. The variants with instructions can only be made with a token of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    Plain,
    #[cfg(target_arch = "x86_64")]
    Avx2(x86::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(x86::Avx512),
}

impl Level {
    /// `None` where this processor lacks them.
    pub(crate) fn of(kernel: Kernel) -> Option<Level> {
        match kernel {
            Kernel::Plain => Some(Level::Plain),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => x86::Avx2::detect().map(Level::Avx2),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => x86::Avx512::detect().map(Level::Avx512),
            #[cfg(not(target_arch = "x86_64"))]
            _ => None,
        }
    }

    /// The fastest this processor has.
    pub(crate) fn detect() -> Level {
        Level::of(Kernel::Avx512).or_else(|| Level::of(Kernel::Avx2)).unwrap_or(Level::Plain)
    }

    /// Appends every hash within `radius` of each query (at most 16 are meant), in no order.
    pub(crate) fn scan(self, hashes: &[Bits], queries: &[Bits], radius: u32, found: &mut Vec<Hit>) {
        match self {
            Level::Plain => plain(hashes, 0, queries, radius, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(token) => token.scan(hashes, queries, radius, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(token) => token.scan(hashes, queries, radius, found),
        }
    }

    /// [`search`] with these instructions.
    pub(crate) fn search(self, query: &Query, scratch: &mut Scratch, found: &mut Vec<Neighbour>) -> bool {
        match self {
            Level::Plain => search(query, scratch, found, NoPrefetch),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(token) => token.search(query, scratch, found),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(token) => token.avx2().search(query, scratch, found),
        }
    }
}

/// How many entries of the slice come before the first cache line that starts with one.
pub(crate) fn line_start<T>(slice: &[T]) -> usize {
    slice.as_ptr().align_offset(64)
}

/// Asks the system to back the memory of this vector, which may still be empty, with large pages: a search touches
/// thousands of places far apart, and with small pages each of them is looked up twice. A hint; refusal changes nothing
/// but speed.
pub(crate) fn huge_pages<T>(vec: &Vec<T>) {
    #[cfg(target_os = "linux")]
    {
        const LARGE: usize = 2 << 20;
        let start = vec.as_ptr() as usize;
        let end = start.saturating_add(vec.capacity().saturating_mul(size_of::<T>()));
        // Whole large pages inside the vector only: others may hold the memory of something else.
        let (start, end) = (start.next_multiple_of(LARGE), end / LARGE * LARGE);
        if start < end {
            // SAFETY: the range lies inside the allocation of `vec`, and this advice changes no content.
            unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = vec;
}
