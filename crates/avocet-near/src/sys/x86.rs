//! AVX2 and AVX-512.

use std::arch::x86_64::*;

use super::{Bits, Hit, Neighbour, Query, Scratch, plain, search};
use crate::Prefetch;

/// The processor has AVX2 and POPCNT.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(());

/// The processor has AVX-512F with VPOPCNTDQ, and what [`Avx2`] asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx512(());

/// Asks for memory ahead of time.
#[derive(Clone, Copy)]
struct T0;

impl Prefetch for T0 {
    #[inline(always)]
    fn at<T>(self, slice: &[T], index: usize) {
        if let Some(entry) = slice.get(index) {
            // SAFETY: every x86-64 processor has the instruction, and it faults at no address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(entry).cast()) };
        }
    }
}

impl Avx2 {
    /// Asks the processor.
    pub(crate) fn detect() -> Option<Self> {
        let there = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("popcnt");
        there.then_some(Avx2(()))
    }

    pub(crate) fn scan(self, hashes: &[Bits], queries: &[Bits], radius: u32, found: &mut Vec<Hit>) {
        // SAFETY: the token says that the processor has the instructions.
        unsafe { scan_avx2(hashes, queries, radius, found) }
    }

    pub(crate) fn search(self, query: &Query, scratch: &mut Scratch, found: &mut Vec<Neighbour>) -> bool {
        // SAFETY: the token says that the processor has the instructions.
        unsafe { search_avx2(query, scratch, found) }
    }
}

impl Avx512 {
    /// Asks the processor.
    pub(crate) fn detect() -> Option<Self> {
        let wide = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vpopcntdq");
        (wide && Avx2::detect().is_some()).then_some(Avx512(()))
    }

    /// The narrower registers are there too.
    pub(crate) fn avx2(self) -> Avx2 {
        Avx2(())
    }

    pub(crate) fn scan(self, hashes: &[Bits], queries: &[Bits], radius: u32, found: &mut Vec<Hit>) {
        // SAFETY: the token says that the processor has the instructions.
        unsafe { scan_avx512(hashes, queries, radius, found) }
    }
}

/// The same code as without, compiled for the bit count instruction.
#[target_feature(enable = "avx2,popcnt")]
fn search_avx2(query: &Query, scratch: &mut Scratch, found: &mut Vec<Neighbour>) -> bool {
    search(query, scratch, found, T0)
}

/// Four hashes at a time, turned so that each register holds one word of all four.
#[target_feature(enable = "avx2,popcnt")]
fn scan_avx2(hashes: &[Bits], queries: &[Bits], radius: u32, found: &mut Vec<Hit>) {
    let (blocks, rest) = hashes.as_chunks::<4>();
    let radius_wide = _mm256_set1_epi64x(i64::from(radius));
    // How many bits are set in each value of half a byte.
    let table = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let low = _mm256_set1_epi8(15);
    let count = |v: __m256i| {
        let halves = (_mm256_and_si256(v, low), _mm256_and_si256(_mm256_srli_epi16::<4>(v), low));
        _mm256_add_epi8(_mm256_shuffle_epi8(table, halves.0), _mm256_shuffle_epi8(table, halves.1))
    };
    for (b, block) in blocks.iter().enumerate() {
        let [a, b_, c, d] = block.each_ref().map(|bits| {
            let [w, x, y, z] = bits.0.map(|word| word as i64);
            _mm256_setr_epi64x(w, x, y, z)
        });
        let (even01, odd01) = (_mm256_unpacklo_epi64(a, b_), _mm256_unpackhi_epi64(a, b_));
        let (even23, odd23) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
        let words = [
            _mm256_permute2x128_si256::<0x20>(even01, even23),
            _mm256_permute2x128_si256::<0x20>(odd01, odd23),
            _mm256_permute2x128_si256::<0x31>(even01, even23),
            _mm256_permute2x128_si256::<0x31>(odd01, odd23),
        ];
        for (q, query) in queries.iter().enumerate() {
            let [s, t, u, v] = [0, 1, 2, 3].map(|k: usize| {
                let (word, asked) = (words.get(k).copied(), query.0.get(k).copied());
                match (word, asked) {
                    (Some(word), Some(asked)) => count(_mm256_xor_si256(word, _mm256_set1_epi64x(asked as i64))),
                    _ => _mm256_setzero_si256(),
                }
            });
            // At most 32 in each byte, so bytes can be added before they are summed up.
            let bytes = _mm256_add_epi8(_mm256_add_epi8(s, t), _mm256_add_epi8(u, v));
            let distances = _mm256_sad_epu8(bytes, _mm256_setzero_si256());
            let beyond = _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpgt_epi64(distances, radius_wide)));
            if beyond != 15 {
                plain_block(block, b * 4, q, query, radius, found);
            }
        }
    }
    plain(rest, blocks.len() * 4, queries, radius, found);
}

/// Eight hashes at a time, turned so that each register holds one word of all eight.
#[target_feature(enable = "avx512f,avx512vpopcntdq,avx2,popcnt")]
fn scan_avx512(hashes: &[Bits], queries: &[Bits], radius: u32, found: &mut Vec<Hit>) {
    let (blocks, rest) = hashes.as_chunks::<8>();
    let radius_wide = _mm512_set1_epi64(i64::from(radius));
    let first = _mm512_setr_epi64(0, 1, 4, 5, 8, 9, 12, 13);
    let second = _mm512_setr_epi64(2, 3, 6, 7, 10, 11, 14, 15);
    for (b, block) in blocks.iter().enumerate() {
        let (pairs, _) = block.as_chunks::<2>();
        let mut wide = [_mm512_setzero_si512(); 4];
        for (register, pair) in wide.iter_mut().zip(pairs) {
            // SAFETY: `Bits` is 32 bytes without padding, so two of them are the 64 bytes that are read.
            *register = unsafe { _mm512_loadu_si512(pair.as_ptr().cast()) };
        }
        let [ab, cd, ef, gh] = wide;
        // The order of hashes within the registers is mixed, and the same in all four.
        let (even, odd) = (_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
        let (even2, odd2) = (_mm512_unpacklo_epi64(ef, gh), _mm512_unpackhi_epi64(ef, gh));
        let w0 = _mm512_permutex2var_epi64(even, first, even2);
        let w1 = _mm512_permutex2var_epi64(odd, first, odd2);
        let w2 = _mm512_permutex2var_epi64(even, second, even2);
        let w3 = _mm512_permutex2var_epi64(odd, second, odd2);
        for (q, query) in queries.iter().enumerate() {
            let [a, b_, c, d] = query.0.map(|word| _mm512_set1_epi64(word as i64));
            let counts = (
                _mm512_popcnt_epi64(_mm512_xor_si512(w0, a)),
                _mm512_popcnt_epi64(_mm512_xor_si512(w1, b_)),
                _mm512_popcnt_epi64(_mm512_xor_si512(w2, c)),
                _mm512_popcnt_epi64(_mm512_xor_si512(w3, d)),
            );
            let distances =
                _mm512_add_epi64(_mm512_add_epi64(counts.0, counts.1), _mm512_add_epi64(counts.2, counts.3));
            if _mm512_cmple_epu64_mask(distances, radius_wide) != 0 {
                plain_block(block, b * 8, q, query, radius, found);
            }
        }
    }
    plain(rest, blocks.len() * 8, queries, radius, found);
}

/// The hits of one query in a block that has some.
#[inline(always)]
fn plain_block(block: &[Bits], first: usize, q: usize, query: &Bits, radius: u32, found: &mut Vec<Hit>) {
    for (i, hash) in block.iter().enumerate() {
        let distance = hash.xor(query).count();
        if distance <= radius {
            found.push(Hit { query: q as u32, distance, item: (first + i) as u32 });
        }
    }
}
