//! SHA-1 and SHA-256 with the processor's SHA instructions (SHA-NI), on several streams at a time: one stream alone
//! leaves the unit idle while its own chain of rounds is waited for.

use std::arch::x86_64::*;

use super::{ShaNi, md5_block};
use crate::lanes::Bank;
use crate::rounds::SHA256_ROUND;
use crate::scalar::BLOCK;
use crate::state::State;

/// One block of each of `N` streams as four registers of four words each, big-endian.
///
/// # Safety
/// Each stream must hold at least `offset + 64` bytes.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
unsafe fn message<const N: usize>(streams: &[&[u8]; N], offset: usize, order: __m128i) -> [[__m128i; 4]; N] {
    let mut out = [[_mm_setzero_si128(); 4]; N];
    for (message, stream) in out.iter_mut().zip(streams) {
        for (i, part) in message.iter_mut().enumerate() {
            // SAFETY: the caller promises 64 bytes from `offset`; this load asks for no alignment.
            let bytes = unsafe { _mm_loadu_si128(stream.as_ptr().add(offset + 16 * i).cast()) };
            *part = _mm_shuffle_epi8(bytes, order);
        }
    }
    out
}

/// SHA-1's state in the instructions' order: A to D in one register (A highest), E on top of another.
#[derive(Clone, Copy)]
struct Sha1Registers(__m128i, __m128i);

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha1_load(state: &[u32; 5]) -> Sha1Registers {
    let [a, b, c, d, e] = state.map(u32::cast_signed);
    Sha1Registers(_mm_set_epi32(a, b, c, d), _mm_set_epi32(e, 0, 0, 0))
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha1_store(r: Sha1Registers) -> [u32; 5] {
    [
        _mm_extract_epi32::<3>(r.0),
        _mm_extract_epi32::<2>(r.0),
        _mm_extract_epi32::<1>(r.0),
        _mm_extract_epi32::<0>(r.0),
        _mm_extract_epi32::<3>(r.1),
    ]
    .map(i32::cast_unsigned)
}

/// One block of `N` streams through SHA-1.
///
/// # Safety
/// Each stream must hold at least `offset + 64` bytes.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
unsafe fn sha1_step<const N: usize>(state: &mut [Sha1Registers; N], streams: &[&[u8]; N], offset: usize) {
    // Word 0 of a block goes to the top of the register.
    let order = _mm_set_epi64x(0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f);
    // SAFETY: the caller's promise is the one asked for.
    let mut m = unsafe { message(streams, offset, order) };
    let (mut abcd, mut before, mut e) = ([_mm_setzero_si128(); N], [_mm_setzero_si128(); N], [_mm_setzero_si128(); N]);
    for n in 0..N {
        abcd[n] = state[n].0;
        before[n] = abcd[n];
        e[n] = _mm_add_epi32(state[n].1, m[n][0]);
    }
    // Four rounds: number of the group, and its function.
    macro_rules! rounds {
        ($($i:literal $f:literal),*) => {$(
            for n in 0..N {
                if $i >= 4 {
                    let mixed = _mm_sha1msg1_epu32(m[n][$i & 3], m[n][($i + 1) & 3]);
                    let mixed = _mm_xor_si128(mixed, m[n][($i + 2) & 3]);
                    m[n][$i & 3] = _mm_sha1msg2_epu32(mixed, m[n][($i + 3) & 3]);
                }
                if $i > 0 {
                    e[n] = _mm_sha1nexte_epu32(before[n], m[n][$i & 3]);
                    before[n] = abcd[n];
                }
                abcd[n] = _mm_sha1rnds4_epu32::<$f>(abcd[n], e[n]);
            }
        )*};
    }
    rounds!(0 0, 1 0, 2 0, 3 0, 4 0, 5 1, 6 1, 7 1, 8 1, 9 1);
    rounds!(10 2, 11 2, 12 2, 13 2, 14 2, 15 3, 16 3, 17 3, 18 3, 19 3);
    for n in 0..N {
        state[n].1 = _mm_sha1nexte_epu32(before[n], state[n].1);
        state[n].0 = _mm_add_epi32(abcd[n], state[n].0);
    }
}

/// SHA-256's state in the instructions' order: A, B, E, F in one register (A highest), C, D, G, H in the other.
#[derive(Clone, Copy)]
struct Sha256Registers(__m128i, __m128i);

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_load(state: &[u32; 8]) -> Sha256Registers {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    Sha256Registers(_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h))
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sha256_store(r: Sha256Registers) -> [u32; 8] {
    [
        _mm_extract_epi32::<3>(r.0),
        _mm_extract_epi32::<2>(r.0),
        _mm_extract_epi32::<3>(r.1),
        _mm_extract_epi32::<2>(r.1),
        _mm_extract_epi32::<1>(r.0),
        _mm_extract_epi32::<0>(r.0),
        _mm_extract_epi32::<1>(r.1),
        _mm_extract_epi32::<0>(r.1),
    ]
    .map(i32::cast_unsigned)
}

/// One block of `N` streams through SHA-256.
///
/// # Safety
/// Each stream must hold at least `offset + 64` bytes.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
unsafe fn sha256_step<const N: usize>(state: &mut [Sha256Registers; N], streams: &[&[u8]; N], offset: usize) {
    let order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    // SAFETY: the caller's promise is the one asked for.
    let mut m = unsafe { message(streams, offset, order) };
    let (mut abef, mut cdgh) = ([_mm_setzero_si128(); N], [_mm_setzero_si128(); N]);
    for n in 0..N {
        (abef[n], cdgh[n]) = (state[n].0, state[n].1);
    }
    // Four rounds: number of the group.
    macro_rules! rounds {
        ($($i:literal),*) => {$(
            let [k0, k1, k2, k3] = SHA256_ROUND.as_chunks::<4>().0[$i].map(u32::cast_signed);
            let constants = _mm_set_epi32(k3, k2, k1, k0);
            for n in 0..N {
                if $i >= 4 {
                    let mixed = _mm_sha256msg1_epu32(m[n][$i & 3], m[n][($i + 1) & 3]);
                    let far = _mm_alignr_epi8::<4>(m[n][($i + 3) & 3], m[n][($i + 2) & 3]);
                    m[n][$i & 3] = _mm_sha256msg2_epu32(_mm_add_epi32(mixed, far), m[n][($i + 3) & 3]);
                }
                let words = _mm_add_epi32(m[n][$i & 3], constants);
                cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], words);
                abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32::<0x0e>(words));
            }
        )*};
    }
    rounds!(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for n in 0..N {
        state[n].0 = _mm_add_epi32(state[n].0, abef[n]);
        state[n].1 = _mm_add_epi32(state[n].1, cdgh[n]);
    }
}

/// Defines one digest's kernel on `N` streams and its bank of lanes.
macro_rules! digest {
    ($kernel:ident, $bank:ident, $words:literal, $load:ident, $step:ident, $store:ident) => {
        #[target_feature(enable = "sha,ssse3,sse4.1")]
        fn $kernel<const N: usize>(rows: &mut [[u32; $words]; N], streams: &[&[u8]; N]) -> usize {
            let blocks = streams.iter().map(|s| s.len() / BLOCK).min().unwrap_or(0);
            let mut state = [$load(&[0; $words]); N];
            for (to, from) in state.iter_mut().zip(rows.iter()) {
                *to = $load(from);
            }
            for block in 0..blocks {
                // SAFETY: `blocks` whole blocks are held by every stream, and `block` is below it.
                unsafe { $step(&mut state, streams, block * BLOCK) };
            }
            for (to, from) in rows.iter_mut().zip(state) {
                *to = $store(from);
            }
            blocks
        }

        /// `N` interleaved streams.
        pub(crate) struct $bank<const N: usize>([[u32; $words]; N], ShaNi);

        impl<const N: usize> $bank<N> {
            pub(crate) fn new(token: ShaNi) -> Self {
                Self([[0; $words]; N], token)
            }
        }

        impl<const N: usize> Bank<$words, N> for $bank<N> {
            fn put(&mut self, lane: usize, state: &[u32; $words]) {
                self.0[lane] = *state;
            }

            fn get(&self, lane: usize) -> [u32; $words] {
                self.0[lane]
            }

            fn run(&mut self, streams: &[&[u8]; N]) -> usize {
                // SAFETY: the token is only made after the processor was asked for these instructions.
                unsafe { $kernel(&mut self.0, streams) }
            }
        }
    };
}

digest!(sha1_kernel, Sha1Interleaved, 5, sha1_load, sha1_step, sha1_store);
digest!(sha256_kernel, Sha256Interleaved, 8, sha256_load, sha256_step, sha256_store);

/// The whole blocks of one stream through SHA-1.
pub(crate) fn sha1(_: ShaNi, state: &mut [u32; 5], data: &[u8]) {
    let mut rows = [*state];
    // SAFETY: the token is only made after the processor was asked for these instructions.
    unsafe { sha1_kernel(&mut rows, &[data]) };
    [*state] = rows;
}

/// The whole blocks of one stream through SHA-256.
pub(crate) fn sha256(_: ShaNi, state: &mut [u32; 8], data: &[u8]) {
    let mut rows = [*state];
    // SAFETY: the token is only made after the processor was asked for these instructions.
    unsafe { sha256_kernel(&mut rows, &[data]) };
    [*state] = rows;
}

/// The whole blocks of one stream through all three digests, block by block. MD5 is one long chain of integer
/// instructions that fills a fraction of the processor; the two SHA digests, which use other units, run beside it.
pub(crate) fn triple(_: ShaNi, state: &mut State, data: &[u8]) {
    // SAFETY: the token is only made after the processor was asked for these instructions.
    unsafe { triple_kernel(state, data) }
}

#[target_feature(enable = "sha,ssse3,sse4.1")]
fn triple_kernel(state: &mut State, data: &[u8]) {
    let mut sha1 = [sha1_load(&state.sha1)];
    let mut sha256 = [sha256_load(&state.sha256)];
    let mut md5 = state.md5;
    for block in data.as_chunks::<BLOCK>().0 {
        // SAFETY: the stream is one whole block, read from its start.
        unsafe { sha1_step(&mut sha1, &[block.as_slice()], 0) };
        md5_block(&mut md5, block);
        // SAFETY: as above.
        unsafe { sha256_step(&mut sha256, &[block.as_slice()], 0) };
    }
    state.md5 = md5;
    [state.sha1] = sha1.map(|r| sha1_store(r));
    [state.sha256] = sha256.map(|r| sha256_store(r));
}
