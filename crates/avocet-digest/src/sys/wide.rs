//! The three digests on as many streams as registers hold, each stream in a lane of its own.
//!
//! The kernels are written once and instantiated for every register width. Columns hold word `i` of every lane's state.

use super::{Avx2, Avx512};
use crate::lanes::Bank;
use crate::rounds::{SHA256_ROUND, md5_rounds, sha1_rounds, sha256_rounds};
use crate::scalar::BLOCK;

/// Whole blocks that every stream holds.
fn common_blocks(streams: &[&[u8]]) -> usize {
    streams.iter().map(|s| s.len() / BLOCK).min().unwrap_or(0)
}

/// The kernels for one register width: `$v` is the module with its operations.
macro_rules! kernels {
    ($module:ident, $v:ident, $feature:literal) => {
        mod $module {
            use super::super::$v::*;
            use super::*;

            /// Columns of `W` words for `G` registers of lanes.
            pub(super) type Columns<const W: usize, const G: usize> = [[[u32; LANES]; G]; W];

            #[inline]
            #[target_feature(enable = $feature)]
            fn read<const W: usize, const G: usize>(columns: &Columns<W, G>) -> [[V; G]; W] {
                let mut out = [[splat(0); G]; W];
                for (to, from) in out.iter_mut().flatten().zip(columns.iter().flatten()) {
                    *to = load(from);
                }
                out
            }

            /// Adds the working variables to the state, the last step of every compression.
            #[inline]
            #[target_feature(enable = $feature)]
            fn add_to<const W: usize, const G: usize>(state: &mut [[V; G]; W], working: [[V; G]; W]) {
                for (old, new) in state.iter_mut().flatten().zip(working.into_iter().flatten()) {
                    *old = add(*old, new);
                }
            }

            #[inline]
            #[target_feature(enable = $feature)]
            fn write<const W: usize, const G: usize>(columns: &mut Columns<W, G>, state: &[[V; G]; W]) {
                for (to, from) in columns.iter_mut().flatten().zip(state.iter().flatten()) {
                    store(to, *from);
                }
            }

            /// MD5 on `G` registers of lanes at a time: one register alone leaves the units waiting for its chain.
            #[target_feature(enable = $feature)]
            pub(super) fn md5<const G: usize>(columns: &mut Columns<4, G>, streams: &[[&[u8]; LANES]; G]) -> usize {
                let blocks = common_blocks(streams.as_flattened());
                let mut state = read(columns);
                for block in 0..blocks {
                    let mut w = [[splat(0); 16]; G];
                    for (to, group) in w.iter_mut().zip(streams) {
                        // SAFETY: `blocks` whole blocks are held by every stream, and `block` is below it.
                        *to = unsafe { words(group, block * BLOCK) };
                    }
                    let [mut a, mut b, mut c, mut d] = state;
                    macro_rules! step {
                        ($f:ident $a:ident $b:ident $c:ident $d:ident, $k:literal, $s:literal, $t:literal) => {
                            for i in 0..G {
                                let sum = add(add($a[i], add(w[i][$k], splat($t))), step!(@$f $b[i], $c[i], $d[i]));
                                $a[i] = add(rol::<$s, { 32 - $s }>(sum), $b[i]);
                            }
                        };
                        (@F $b:expr, $c:expr, $d:expr) => { choose($b, $c, $d) };
                        (@G $b:expr, $c:expr, $d:expr) => { choose($d, $b, $c) };
                        (@H $b:expr, $c:expr, $d:expr) => { parity($b, $c, $d) };
                        (@I $b:expr, $c:expr, $d:expr) => { md5_i($b, $c, $d) };
                    }
                    md5_rounds!(step, a b c d);
                    add_to(&mut state, [a, b, c, d]);
                }
                write(columns, &state);
                blocks
            }

            /// SHA-1 on one register of lanes.
            #[target_feature(enable = $feature)]
            pub(super) fn sha1(columns: &mut Columns<5, 1>, streams: &[[&[u8]; LANES]; 1]) -> usize {
                let blocks = common_blocks(streams.as_flattened());
                let mut state = read(columns);
                let [group] = streams;
                for block in 0..blocks {
                    // SAFETY: `blocks` whole blocks are held by every stream, and `block` is below it.
                    let mut w = unsafe { words(group, block * BLOCK) };
                    for word in &mut w {
                        *word = swap_bytes(*word);
                    }
                    let [[mut a], [mut b], [mut c], [mut d], [mut e]] = state;
                    macro_rules! step {
                        ($f:ident $a:ident $b:ident $c:ident $d:ident $e:ident, $t:literal, $k:literal) => {
                            if $t >= 16 {
                                let mixed = parity(w[($t + 13) & 15], w[($t + 8) & 15], w[($t + 2) & 15]);
                                w[$t & 15] = rol::<1, 31>(xor(mixed, w[$t & 15]));
                            }
                            let sum = add(add($e, add(w[$t & 15], splat($k))), $f($b, $c, $d));
                            $e = add(sum, rol::<5, 27>($a));
                            $b = rol::<30, 2>($b);
                        };
                    }
                    sha1_rounds!(step, a b c d e);
                    add_to(&mut state, [[a], [b], [c], [d], [e]]);
                }
                write(columns, &state);
                blocks
            }

            /// SHA-256 on one register of lanes.
            #[target_feature(enable = $feature)]
            pub(super) fn sha256(columns: &mut Columns<8, 1>, streams: &[[&[u8]; LANES]; 1]) -> usize {
                let blocks = common_blocks(streams.as_flattened());
                let mut state = read(columns);
                let [group] = streams;
                for block in 0..blocks {
                    // SAFETY: `blocks` whole blocks are held by every stream, and `block` is below it.
                    let mut w = unsafe { words(group, block * BLOCK) };
                    for word in &mut w {
                        *word = swap_bytes(*word);
                    }
                    let [[mut a], [mut b], [mut c], [mut d], [mut e], [mut f], [mut g], [mut h]] = state;
                    // A rotation to the right by n is one to the left by 32 - n.
                    macro_rules! step {
                        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $t:literal) => {
                            if $t >= 16 {
                                let near = w[($t + 14) & 15];
                                let near = parity(rol::<15, 17>(near), rol::<13, 19>(near), shr::<10>(near));
                                let far = w[($t + 1) & 15];
                                let far = parity(rol::<25, 7>(far), rol::<14, 18>(far), shr::<3>(far));
                                w[$t & 15] = add(add(w[$t & 15], w[($t + 9) & 15]), add(near, far));
                            }
                            let sum = add(add($h, add(w[$t & 15], splat(SHA256_ROUND[$t]))), choose($e, $f, $g));
                            let sum = add(sum, parity(rol::<26, 6>($e), rol::<21, 11>($e), rol::<7, 25>($e)));
                            $d = add($d, sum);
                            let turned = parity(rol::<30, 2>($a), rol::<19, 13>($a), rol::<10, 22>($a));
                            $h = add(sum, add(turned, majority($a, $b, $c)));
                        };
                    }
                    sha256_rounds!(step, a b c d e f g h);
                    add_to(&mut state, [[a], [b], [c], [d], [e], [f], [g], [h]]);
                }
                write(columns, &state);
                blocks
            }
        }
    };
}

kernels!(k512, v512, "avx512f,avx512bw");
kernels!(k256, v256, "avx2");

/// A bank of lanes: the columns, and the proof that the processor has the instructions.
macro_rules! bank {
    ($(#[$doc:meta])* $name:ident, $token:ident, $words:literal x $lanes:literal ($groups:literal x $width:literal), $kernel:expr) => {
        $(#[$doc])*
        pub(crate) struct $name([[[u32; $width]; $groups]; $words], $token);

        impl $name {
            pub(crate) fn new(token: $token) -> Self {
                Self([[[0; $width]; $groups]; $words], token)
            }
        }

        impl Bank<$words, $lanes> for $name {
            fn put(&mut self, lane: usize, state: &[u32; $words]) {
                for (column, word) in self.0.iter_mut().zip(state) {
                    column[lane / $width][lane % $width] = *word;
                }
            }

            fn get(&self, lane: usize) -> [u32; $words] {
                let mut out = [0; $words];
                for (word, column) in out.iter_mut().zip(&self.0) {
                    *word = column[lane / $width][lane % $width];
                }
                out
            }

            fn run(&mut self, streams: &[&[u8]; $lanes]) -> usize {
                let (groups, _) = streams.as_chunks::<$width>();
                match groups.try_into() {
                    // SAFETY: the token is only made after the processor was asked for these instructions.
                    Ok(groups) => unsafe { $kernel(&mut self.0, groups) },
                    // Cannot be: the lanes are the groups times their width. No progress is a safe answer.
                    Err(_) => 0,
                }
            }
        }
    };
}

bank!(
    /// MD5, 2 x 16 lanes.
    Md5x32, Avx512, 4 x 32 (2 x 16), k512::md5::<2>);
bank!(
    /// MD5, 16 lanes in one register.
    Md5x16, Avx512, 4 x 16 (1 x 16), k512::md5::<1>);
bank!(
    /// SHA-1, 16 lanes.
    Sha1x16, Avx512, 5 x 16 (1 x 16), k512::sha1);
bank!(
    /// SHA-256, 16 lanes.
    Sha256x16, Avx512, 8 x 16 (1 x 16), k512::sha256);
bank!(
    /// MD5, 2 x 8 lanes.
    Md5x16Avx2, Avx2, 4 x 16 (2 x 8), k256::md5::<2>);
bank!(
    /// MD5, 8 lanes in one register.
    Md5x8Avx2, Avx2, 4 x 8 (1 x 8), k256::md5::<1>);
bank!(
    /// SHA-1, 8 lanes.
    Sha1x8Avx2, Avx2, 5 x 8 (1 x 8), k256::sha1);
bank!(
    /// SHA-256, 8 lanes.
    Sha256x8Avx2, Avx2, 8 x 8 (1 x 8), k256::sha256);
