//! What needs the processor's own instructions. The only module of this crate that may hold `unsafe`.
//!
//! Every type that runs such instructions asks for a token, and a token is only made after the processor was asked.
#![allow(unsafe_code)]
#![expect(clippy::indexing_slicing, reason = "every index is a constant or a lane number, into arrays of fixed size")]

mod sha_ni;
mod v256;
mod v512;
mod wide;

pub(crate) use sha_ni::{Sha1Interleaved, Sha256Interleaved, sha1, sha256, triple};
pub(crate) use wide::{Md5x8Avx2, Md5x16, Md5x16Avx2, Md5x32, Sha1x8Avx2, Sha1x16, Sha256x8Avx2, Sha256x16};

use crate::scalar::{BLOCK, md5_block_with};

/// One block of MD5 of one stream.
#[inline(always)]
pub(crate) fn md5_block(state: &mut [u32; 4], block: &[u8; BLOCK]) {
    md5_block_with(state, block, |sum| {
        let mut sum = sum;
        // SAFETY: no instruction at all. It stands for an unknown one, so that the sum is complete at this place.
        unsafe { std::arch::asm!("/* {0:e} */", inout(reg) sum, options(pure, nomem, nostack, preserves_flags)) };
        sum
    });
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident: $($feature:tt),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name(());

        impl $name {
            /// Asks the processor.
            pub(crate) fn detect() -> Option<Self> {
                ($(std::arch::is_x86_feature_detected!($feature))&&+).then_some(Self(()))
            }
        }
    };
}

token!(
    /// The processor has AVX-512F and AVX-512BW, and AVX2, as all of those have.
    Avx512: "avx512f", "avx512bw", "avx2");

impl Avx512 {
    /// The narrower registers are there too.
    pub(crate) fn avx2(self) -> Avx2 {
        Avx2(())
    }
}
token!(
    /// The processor has AVX2.
    Avx2: "avx2");
token!(
    /// The processor has the SHA extensions and the shuffles that go with them.
    ShaNi: "sha", "ssse3", "sse4.1");
