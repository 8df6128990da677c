//! From 64 x 64 values to the hash: quality, cosine transform, median, bits.
//!
//! A port to Rust of the published reference, `pdq/cpp/hashing/pdqhashing.cpp` of
//! <https://github.com/facebook/ThreatExchange>, which is under the BSD licence:
//!
//! > BSD License. For ThreatExchange software. Copyright (c) Meta Platforms, Inc. and affiliates. All rights reserved.
//! >
//! > Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
//! > following conditions are met: redistributions of source code must retain the above copyright notice, this list of
//! > conditions and the following disclaimer; redistributions in binary form must reproduce the above copyright notice,
//! > this list of conditions and the following disclaimer in the documentation and/or other materials provided with the
//! > distribution; neither the name Meta nor the names of its contributors may be used to endorse or promote products
//! > derived from this software without specific prior written permission.
//! >
//! > THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
//! > INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
//! > DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
//! > SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
//! > SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
//! > WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE
//! > USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
//!
//! Every sum is taken in the reference's order, because the last bit of a float can decide a bit of the hash.

use std::sync::LazyLock;

use avocet_base::PdqHash;

/// The picture at 64 x 64.
pub(super) type Small = [[f32; 64]; 64];
/// The cosine terms 1 to 16 each way, term 0 left out.
pub(super) type Terms = [[f32; 16]; 16];

/// Rows 1 to 16 of the 64-point cosine transform.
static MATRIX: LazyLock<[[f32; 64]; 16]> = LazyLock::new(|| {
    let scale = f64::from((2.0f64 / 64.0).sqrt() as f32);
    let mut matrix = [[0.0; 64]; 16];
    for (i, row) in (1u8..).zip(&mut matrix) {
        for (j, cell) in (0u8..).zip(row) {
            let angle = (std::f64::consts::PI / 2.0 / 64.0) * f64::from(i) * f64::from(2 * j + 1);
            *cell = (scale * angle.cos()) as f32;
        }
    }
    matrix
});

/// How much change there is between neighbours: differences in hundredths of the range, cut to whole ones so that weak
/// ones do not count, summed over both directions.
pub(super) fn quality(small: &Small) -> u8 {
    let step = |u: f32, v: f32| (((u - v) * 100.0 / 255.0) as i32).unsigned_abs();
    let down: u32 = small
        .iter()
        .zip(small.iter().skip(1))
        .map(|(above, below)| above.iter().zip(below).map(|(&u, &v)| step(u, v)).sum::<u32>())
        .sum();
    let across: u32 =
        small.iter().map(|row| row.iter().zip(row.iter().skip(1)).map(|(&u, &v)| step(u, v)).sum::<u32>()).sum();
    u8::try_from((down + across) / 90).unwrap_or(u8::MAX).min(100)
}

/// The 16 x 16 low terms of the two-dimensional cosine transform.
pub(super) fn dct(small: &Small) -> Terms {
    let matrix = &*MATRIX;
    let mut terms = [[0.0; 16]; 16];
    for (d_row, out_row) in matrix.iter().zip(&mut terms) {
        let mut middle = [0.0f32; 64];
        for (d, row) in d_row.iter().zip(small) {
            middle.iter_mut().zip(row).for_each(|(m, v)| *m += d * v);
        }
        for (d_col, out) in matrix.iter().zip(out_row) {
            *out = middle.iter().zip(d_col).fold(0.0f32, |sum, (m, d)| sum + m * d);
        }
    }
    terms
}

/// The hashes of the eight positions, from the terms of the first: turning a picture only exchanges rows and columns of
/// its terms and changes signs.
pub(super) fn dihedral(terms: &Terms) -> [PdqHash; 8] {
    // Whether rows and columns change places, and which terms change their sign, by (row, column) of the original.
    type Rule = (bool, fn(usize, usize) -> bool);
    let rules: [Rule; 8] = [
        (false, |_, _| false),
        (true, |_, j| j % 2 == 0),
        (false, |i, j| (i + j) % 2 == 1),
        (true, |i, _| i % 2 == 0),
        (false, |i, _| i % 2 == 0),
        (false, |_, j| j % 2 == 0),
        (true, |_, _| false),
        (true, |i, j| (i + j) % 2 == 1),
    ];
    rules.map(|(exchange, negative)| {
        let mut signed = *terms;
        for (i, row) in signed.iter_mut().enumerate() {
            for (j, term) in row.iter_mut().enumerate() {
                if negative(i, j) {
                    *term = -*term;
                }
            }
        }
        bits(&if exchange { transposed(&signed) } else { signed })
    })
}

fn transposed(terms: &Terms) -> Terms {
    let mut out = [[0.0; 16]; 16];
    for (i, row) in terms.iter().enumerate() {
        for (value, to) in row.iter().zip(&mut out) {
            if let Some(cell) = to.get_mut(i) {
                *cell = *value;
            }
        }
    }
    out
}

/// A bit for each term above the median; of an even number of terms the lower middle one is the median. Term 255 is the
/// highest bit of the first byte.
fn bits(terms: &Terms) -> PdqHash {
    let mut sorted = *terms.as_flattened().as_array::<256>().unwrap_or(&[0.0; 256]);
    let (_, median, _) = sorted.select_nth_unstable_by(127, f32::total_cmp);
    let mut hash = [0u8; 32];
    for (byte, eight) in hash.iter_mut().rev().zip(terms.as_flattened().chunks_exact(8)) {
        *byte = eight.iter().rev().fold(0, |b, term| (b << 1) | u8::from(*term > *median));
    }
    PdqHash(hash)
}
