//! Sixteen streams in one 512-bit register (AVX-512F and AVX-512BW).

use std::arch::x86_64::*;

/// One 32-bit word of each stream.
pub(super) type V = __m512i;
/// Streams in a register.
pub(super) const LANES: usize = 16;

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn splat(x: u32) -> V {
    _mm512_set1_epi32(x.cast_signed())
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn load(x: &[u32; LANES]) -> V {
    // SAFETY: the reference is to 64 readable bytes, and this load asks for no alignment.
    unsafe { _mm512_loadu_si512(x.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn store(x: &mut [u32; LANES], v: V) {
    // SAFETY: the reference is to 64 writable bytes, and this store asks for no alignment.
    unsafe { _mm512_storeu_si512(x.as_mut_ptr().cast(), v) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn add(a: V, b: V) -> V {
    _mm512_add_epi32(a, b)
}

/// Rotates to the left by `L`; `R` is 32 - `L`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn rol<const L: i32, const R: i32>(x: V) -> V {
    _mm512_rol_epi32::<L>(x)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn shr<const N: u32>(x: V) -> V {
    _mm512_srli_epi32::<N>(x)
}

/// Bits of `y` where `x` is set, of `z` elsewhere.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn choose(x: V, y: V, z: V) -> V {
    _mm512_ternarylogic_epi32::<0xca>(x, y, z)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn parity(x: V, y: V, z: V) -> V {
    _mm512_ternarylogic_epi32::<0x96>(x, y, z)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn majority(x: V, y: V, z: V) -> V {
    _mm512_ternarylogic_epi32::<0xe8>(x, y, z)
}

/// MD5's I: `y ^ (x | !z)`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn md5_i(x: V, y: V, z: V) -> V {
    _mm512_ternarylogic_epi32::<0x39>(x, y, z)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn xor(x: V, y: V) -> V {
    _mm512_xor_si512(x, y)
}

/// Reverses the bytes of every 32-bit word.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn swap_bytes(x: V) -> V {
    let order = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203));
    _mm512_shuffle_epi8(x, order)
}

/// Word `i` of every stream's block in element `i`: a 16 x 16 transposition.
///
/// # Safety
/// Each stream must hold at least `offset + 64` bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn words(streams: &[&[u8]; LANES], offset: usize) -> [V; 16] {
    let zero = _mm512_setzero_si512();
    let (mut r, mut t, mut w) = ([zero; 16], [zero; 16], [zero; 16]);
    for (row, stream) in r.iter_mut().zip(streams) {
        // SAFETY: the caller promises 64 bytes from `offset`; this load asks for no alignment.
        *row = unsafe { _mm512_loadu_si512(stream.as_ptr().add(offset).cast()) };
    }
    // Within every 128 bits: pairs of rows, then groups of four rows.
    for i in 0..8 {
        t[2 * i] = _mm512_unpacklo_epi32(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm512_unpackhi_epi32(r[2 * i], r[2 * i + 1]);
    }
    for i in 0..4 {
        r[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
        r[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
        r[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
    }
    // Now r[4 i + k] holds word 4 j + k of rows 4 i to 4 i + 3 in its 128-bit part j: a 4 x 4 transposition of parts.
    for k in 0..4 {
        let low = (_mm512_shuffle_i32x4::<0x44>(r[k], r[4 + k]), _mm512_shuffle_i32x4::<0x44>(r[8 + k], r[12 + k]));
        let high = (_mm512_shuffle_i32x4::<0xee>(r[k], r[4 + k]), _mm512_shuffle_i32x4::<0xee>(r[8 + k], r[12 + k]));
        w[k] = _mm512_shuffle_i32x4::<0x88>(low.0, low.1);
        w[4 + k] = _mm512_shuffle_i32x4::<0xdd>(low.0, low.1);
        w[8 + k] = _mm512_shuffle_i32x4::<0x88>(high.0, high.1);
        w[12 + k] = _mm512_shuffle_i32x4::<0xdd>(high.0, high.1);
    }
    w
}
