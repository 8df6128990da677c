//! Which instructions are used, and in which order the ways of compressing take turns.

use crate::lanes::Job;
#[cfg(target_arch = "x86_64")]
use crate::lanes::drive;
#[cfg(not(target_arch = "x86_64"))]
use crate::scalar::md5_block;
use crate::scalar::{BLOCK, sha1_block, sha256_block};
use crate::state::State;
#[cfg(target_arch = "x86_64")]
use crate::sys::{self, md5_block};

/// Registers that hold one word of many streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wide {
    None,
    #[cfg(target_arch = "x86_64")]
    Avx2(sys::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(sys::Avx512),
}

/// How SHA-1 and SHA-256 of one stream are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sha {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Ni(sys::ShaNi),
}

/// The instructions in use. Results do not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) wide: Wide,
    pub(crate) sha: Sha,
}

fn each_block<const W: usize>(state: &mut [u32; W], data: &[u8], block: fn(&mut [u32; W], &[u8; BLOCK])) {
    data.as_chunks::<BLOCK>().0.iter().for_each(|bytes| block(state, bytes));
}

impl Level {
    /// Plain Rust alone.
    #[cfg(any(test, not(target_arch = "x86_64")))]
    pub(crate) const SCALAR: Self = Self { wide: Wide::None, sha: Sha::Scalar };

    /// The best that this processor has. The answer is remembered by the standard library.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn detect() -> Self {
        let avx512 = sys::Avx512::detect().map(Wide::Avx512);
        let avx2 = || sys::Avx2::detect().map(Wide::Avx2);
        Self {
            wide: avx512.or_else(avx2).unwrap_or(Wide::None),
            sha: sys::ShaNi::detect().map_or(Sha::Scalar, Sha::Ni),
        }
    }

    /// The best that this processor has.
    #[cfg(not(target_arch = "x86_64"))]
    pub(crate) fn detect() -> Self {
        Self::SCALAR
    }

    /// Names the ways in use, for a record of the run.
    pub(crate) fn name(self) -> &'static str {
        match (self.wide, self.sha) {
            (Wide::None, Sha::Scalar) => "md5, sha1, sha256 scalar",
            #[cfg(target_arch = "x86_64")]
            (Wide::None, Sha::Ni(_)) => "md5 scalar, sha1 sha-ni x4, sha256 sha-ni x4",
            #[cfg(target_arch = "x86_64")]
            (Wide::Avx2(_), Sha::Scalar) => "md5 avx2 x16, sha1 avx2 x8, sha256 avx2 x8",
            #[cfg(target_arch = "x86_64")]
            (Wide::Avx2(_), Sha::Ni(_)) => "md5 avx2 x16, sha1 sha-ni x4, sha256 sha-ni x4",
            #[cfg(target_arch = "x86_64")]
            (Wide::Avx512(_), Sha::Scalar) => "md5 avx512 x32, sha1 avx512 x16, sha256 avx512 x16",
            #[cfg(target_arch = "x86_64")]
            (Wide::Avx512(_), Sha::Ni(_)) => {
                "md5 avx512 x32, sha1 avx512 x16 and sha-ni x4, sha256 avx512 x16 and sha-ni x4"
            }
        }
    }

    /// The whole blocks of one stream through MD5.
    pub(crate) fn md5(self, state: &mut [u32; 4], data: &[u8]) {
        each_block(state, data, md5_block);
    }

    /// The whole blocks of one stream through SHA-1.
    pub(crate) fn sha1(self, state: &mut [u32; 5], data: &[u8]) {
        match self.sha {
            Sha::Scalar => each_block(state, data, sha1_block),
            #[cfg(target_arch = "x86_64")]
            Sha::Ni(token) => sys::sha1(token, state, data),
        }
    }

    /// The whole blocks of one stream through SHA-256.
    pub(crate) fn sha256(self, state: &mut [u32; 8], data: &[u8]) {
        match self.sha {
            Sha::Scalar => each_block(state, data, sha256_block),
            #[cfg(target_arch = "x86_64")]
            Sha::Ni(token) => sys::sha256(token, state, data),
        }
    }

    /// The whole blocks of one stream through all three digests.
    pub(crate) fn triple(self, state: &mut State, data: &[u8]) {
        match self.sha {
            Sha::Scalar => {
                // In pieces that stay in the nearest cache.
                for piece in data.chunks(64 * BLOCK) {
                    self.md5(&mut state.md5, piece);
                    self.sha1(&mut state.sha1, piece);
                    self.sha256(&mut state.sha256, piece);
                }
            }
            #[cfg(target_arch = "x86_64")]
            Sha::Ni(token) => sys::triple(token, state, data),
        }
    }

    /// Many streams through MD5, longest first.
    pub(crate) fn md5_many(self, jobs: Vec<Job<'_, 4>>) {
        let jobs = match self.wide {
            Wide::None => jobs,
            // One stream alone is faster without lanes; two are already slower. Up to eight lanes, the narrower
            // registers are faster.
            #[cfg(target_arch = "x86_64")]
            Wide::Avx2(token) => {
                let jobs = drive(&mut sys::Md5x16Avx2::new(token), jobs, 8);
                drive(&mut sys::Md5x8Avx2::new(token), jobs, 1)
            }
            #[cfg(target_arch = "x86_64")]
            Wide::Avx512(token) => {
                let jobs = drive(&mut sys::Md5x32::new(token), jobs, 16);
                let jobs = drive(&mut sys::Md5x16::new(token), jobs, 8);
                drive(&mut sys::Md5x8Avx2::new(token.avx2()), jobs, 1)
            }
        };
        jobs.into_iter().for_each(|job| job.finish(|state, data| self.md5(state, data)));
    }

    /// Many streams through SHA-1, longest first.
    pub(crate) fn sha1_many(self, jobs: Vec<Job<'_, 5>>) {
        #[cfg(target_arch = "x86_64")]
        let jobs = match (self.wide, self.sha) {
            (Wide::Avx512(token), Sha::Ni(_)) => drive(&mut sys::Sha1x16::new(token), jobs, 9),
            (Wide::Avx512(token), Sha::Scalar) => drive(&mut sys::Sha1x16::new(token), jobs, 1),
            (Wide::Avx2(token), Sha::Scalar) => drive(&mut sys::Sha1x8Avx2::new(token), jobs, 1),
            _ => jobs,
        };
        #[cfg(target_arch = "x86_64")]
        let jobs = match self.sha {
            Sha::Scalar => jobs,
            Sha::Ni(token) => {
                let jobs = drive(&mut sys::Sha1Interleaved::<4>::new(token), jobs, 2);
                drive(&mut sys::Sha1Interleaved::<2>::new(token), jobs, 1)
            }
        };
        jobs.into_iter().for_each(|job| job.finish(|state, data| self.sha1(state, data)));
    }

    /// Many streams through SHA-256, longest first.
    pub(crate) fn sha256_many(self, jobs: Vec<Job<'_, 8>>) {
        #[cfg(target_arch = "x86_64")]
        let jobs = match (self.wide, self.sha) {
            (Wide::Avx512(token), Sha::Ni(_)) => drive(&mut sys::Sha256x16::new(token), jobs, 12),
            (Wide::Avx512(token), Sha::Scalar) => drive(&mut sys::Sha256x16::new(token), jobs, 1),
            (Wide::Avx2(token), Sha::Scalar) => drive(&mut sys::Sha256x8Avx2::new(token), jobs, 1),
            _ => jobs,
        };
        #[cfg(target_arch = "x86_64")]
        let jobs = match self.sha {
            Sha::Scalar => jobs,
            Sha::Ni(token) => {
                let jobs = drive(&mut sys::Sha256Interleaved::<4>::new(token), jobs, 2);
                drive(&mut sys::Sha256Interleaved::<2>::new(token), jobs, 1)
            }
        };
        jobs.into_iter().for_each(|job| job.finish(|state, data| self.sha256(state, data)));
    }
}
