//! The three compression functions on one stream, in plain Rust: the path of every machine without vector or SHA
//! instructions, and of MD5 wherever only one stream is left.

use crate::rounds::{SHA256_ROUND, md5_rounds, sha1_rounds, sha256_rounds};

/// Length in bytes of the block that all three digests work on.
pub(crate) const BLOCK: usize = 64;

fn words(block: &[u8; BLOCK], from: fn([u8; 4]) -> u32) -> [u32; 16] {
    let mut out = [0; 16];
    for (word, bytes) in out.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = from(*bytes);
    }
    out
}

/// One block of MD5, on processors other than x86-64.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(crate) fn md5_block(state: &mut [u32; 4], block: &[u8; BLOCK]) {
    md5_block_with(state, block, |sum| sum);
}

/// One block of MD5, with a `pin` through which sums pass that must be made before the newest value is known.
///
/// Every round waits for the one before, so the length of that chain is the speed. What does not need the newest value
/// is added first (in G that is half of the function), and `pin` keeps the compiler from moving it to the end.
#[inline(always)]
pub(crate) fn md5_block_with(state: &mut [u32; 4], block: &[u8; BLOCK], pin: impl Fn(u32) -> u32) {
    let w = words(block, u32::from_le_bytes);
    let [mut a, mut b, mut c, mut d] = *state;
    macro_rules! step {
        ($f:ident $a:ident $b:ident $c:ident $d:ident, $k:literal, $s:literal, $t:literal) => {
            let sum = $a.wrapping_add(w[$k]).wrapping_add($t);
            $a = step!(@$f sum, $b, $c, $d).rotate_left($s).wrapping_add($b);
        };
        (@F $sum:ident, $b:ident, $c:ident, $d:ident) => { pin($sum).wrapping_add($d ^ ($b & ($c ^ $d))) };
        (@G $sum:ident, $b:ident, $c:ident, $d:ident) => { pin($sum.wrapping_add($c & !$d)).wrapping_add($b & $d) };
        (@H $sum:ident, $b:ident, $c:ident, $d:ident) => { pin($sum).wrapping_add($b ^ pin($c ^ $d)) };
        (@I $sum:ident, $b:ident, $c:ident, $d:ident) => { pin($sum).wrapping_add($c ^ ($b | !$d)) };
    }
    md5_rounds!(step, a b c d);
    for (old, new) in state.iter_mut().zip([a, b, c, d]) {
        *old = old.wrapping_add(new);
    }
}

/// One block of SHA-1.
pub(crate) fn sha1_block(state: &mut [u32; 5], block: &[u8; BLOCK]) {
    let mut w = words(block, u32::from_be_bytes);
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    macro_rules! function {
        (choose, $b:ident, $c:ident, $d:ident) => {
            $d ^ ($b & ($c ^ $d))
        };
        (parity, $b:ident, $c:ident, $d:ident) => {
            $b ^ $c ^ $d
        };
        (majority, $b:ident, $c:ident, $d:ident) => {
            ($b & $c) | ($d & ($b | $c))
        };
    }
    macro_rules! step {
        ($f:ident $a:ident $b:ident $c:ident $d:ident $e:ident, $t:literal, $k:literal) => {
            if $t >= 16 {
                let mixed = w[($t + 13) & 15] ^ w[($t + 8) & 15] ^ w[($t + 2) & 15] ^ w[$t & 15];
                w[$t & 15] = mixed.rotate_left(1);
            }
            let sum = $e.wrapping_add(w[$t & 15]).wrapping_add($k).wrapping_add(function!($f, $b, $c, $d));
            $e = sum.wrapping_add($a.rotate_left(5));
            $b = $b.rotate_left(30);
        };
    }
    sha1_rounds!(step, a b c d e);
    for (old, new) in state.iter_mut().zip([a, b, c, d, e]) {
        *old = old.wrapping_add(new);
    }
}

/// One block of SHA-256.
pub(crate) fn sha256_block(state: &mut [u32; 8], block: &[u8; BLOCK]) {
    let mut w = words(block, u32::from_be_bytes);
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    macro_rules! step {
        ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $t:literal) => {
            if $t >= 16 {
                let near = w[($t + 14) & 15];
                let far = w[($t + 1) & 15];
                w[$t & 15] = w[$t & 15]
                    .wrapping_add(w[($t + 9) & 15])
                    .wrapping_add(near.rotate_right(17) ^ near.rotate_right(19) ^ (near >> 10))
                    .wrapping_add(far.rotate_right(7) ^ far.rotate_right(18) ^ (far >> 3));
            }
            $h = $h
                .wrapping_add(w[$t & 15])
                .wrapping_add(SHA256_ROUND[$t])
                .wrapping_add($g ^ ($e & ($f ^ $g)))
                .wrapping_add($e.rotate_right(6) ^ $e.rotate_right(11) ^ $e.rotate_right(25));
            $d = $d.wrapping_add($h);
            $h = $h
                .wrapping_add(($a & $b) | ($c & ($a | $b)))
                .wrapping_add($a.rotate_right(2) ^ $a.rotate_right(13) ^ $a.rotate_right(22));
        };
    }
    sha256_rounds!(step, a b c d e f g h);
    for (old, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *old = old.wrapping_add(new);
    }
}
