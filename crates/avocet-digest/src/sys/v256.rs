//! Eight streams in one 256-bit register (AVX2).

use std::arch::x86_64::*;

/// One 32-bit word of each stream.
pub(super) type V = __m256i;
/// Streams in a register.
pub(super) const LANES: usize = 8;

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn splat(x: u32) -> V {
    _mm256_set1_epi32(x.cast_signed())
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load(x: &[u32; LANES]) -> V {
    // SAFETY: the reference is to 32 readable bytes, and this load asks for no alignment.
    unsafe { _mm256_loadu_si256(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store(x: &mut [u32; LANES], v: V) {
    // SAFETY: the reference is to 32 writable bytes, and this store asks for no alignment.
    unsafe { _mm256_storeu_si256(x.as_mut_ptr().cast(), v) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add(a: V, b: V) -> V {
    _mm256_add_epi32(a, b)
}

/// Rotates to the left by `L`; `R` is 32 - `L`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn rol<const L: i32, const R: i32>(x: V) -> V {
    _mm256_or_si256(_mm256_slli_epi32::<L>(x), _mm256_srli_epi32::<R>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn shr<const N: i32>(x: V) -> V {
    _mm256_srli_epi32::<N>(x)
}

/// Bits of `y` where `x` is set, of `z` elsewhere.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn choose(x: V, y: V, z: V) -> V {
    _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn parity(x: V, y: V, z: V) -> V {
    _mm256_xor_si256(x, _mm256_xor_si256(y, z))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn majority(x: V, y: V, z: V) -> V {
    _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)))
}

/// MD5's I: `y ^ (x | !z)`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn md5_i(x: V, y: V, z: V) -> V {
    let not_z = _mm256_xor_si256(z, _mm256_set1_epi32(-1));
    _mm256_xor_si256(y, _mm256_or_si256(x, not_z))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn xor(x: V, y: V) -> V {
    _mm256_xor_si256(x, y)
}

/// Reverses the bytes of every 32-bit word.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn swap_bytes(x: V) -> V {
    let order = _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    _mm256_shuffle_epi8(x, order)
}

/// Word `i` of every stream's block in element `i`: two 8 x 8 transpositions.
///
/// # Safety
/// Each stream must hold at least `offset + 64` bytes.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) unsafe fn words(streams: &[&[u8]; LANES], offset: usize) -> [V; 16] {
    let zero = _mm256_setzero_si256();
    let mut w = [zero; 16];
    for half in 0..2 {
        let (mut r, mut t) = ([zero; 8], [zero; 8]);
        for (row, stream) in r.iter_mut().zip(streams) {
            // SAFETY: the caller promises 64 bytes from `offset`; this load asks for no alignment.
            *row = unsafe { _mm256_loadu_si256(stream.as_ptr().add(offset + 32 * half).cast()) };
        }
        // Within every 128 bits: pairs of rows, then groups of four rows.
        for i in 0..4 {
            t[2 * i] = _mm256_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm256_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
        }
        for i in 0..2 {
            r[4 * i] = _mm256_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
            r[4 * i + 1] = _mm256_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
            r[4 * i + 2] = _mm256_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
            r[4 * i + 3] = _mm256_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
        }
        // Now r[4 i + k] holds word 4 j + k of rows 4 i to 4 i + 3 in its 128-bit part j.
        for k in 0..4 {
            w[8 * half + k] = _mm256_permute2x128_si256::<0x20>(r[k], r[4 + k]);
            w[8 * half + 4 + k] = _mm256_permute2x128_si256::<0x31>(r[k], r[4 + k]);
        }
    }
    w
}
