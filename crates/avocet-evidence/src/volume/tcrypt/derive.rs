//! How a key is derived of a password: which digests there are, how often each is used, and how key files are mixed in.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use hmac::{Hmac, SimpleHmac};
use zeroize::{Zeroize, Zeroizing};

use super::{Brand, Work};
use crate::checksum::crc32;
use crate::scratch::Access;

/// Bytes that the longest chain of ciphers takes.
pub(super) const KEY: usize = 192;
/// Bytes of a password at most: those of TrueCrypt and of VeraCrypt.
const SHORT: usize = 64;
const LONG: usize = 128;
/// Bytes of a key file that count.
const KEY_FILE: usize = 1 << 20;
/// Iterations of which nobody waits for the end: those of the largest PIM that VeraCrypt takes.
const MOST_PIM: u32 = 2_147_468;

/// A digest, or what stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha512,
    Sha256,
    Blake2s,
    Whirlpool,
    Ripemd160,
    Streebog,
    Argon2id,
}

impl Hash {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha512 => "SHA-512",
            Self::Sha256 => "SHA-256",
            Self::Blake2s => "BLAKE2s-256",
            Self::Whirlpool => "Whirlpool",
            Self::Ripemd160 => "RIPEMD-160",
            Self::Streebog => "Streebog",
            Self::Argon2id => "Argon2id",
        }
    }

    /// Bytes of a digest.
    fn size(self) -> usize {
        match self {
            Self::Sha512 | Self::Whirlpool | Self::Streebog | Self::Argon2id => 64,
            Self::Sha256 | Self::Blake2s => 32,
            Self::Ripemd160 => 20,
        }
    }
}

/// A way from a password to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Derivation {
    pub(super) brand: Brand,
    pub(super) hash: Hash,
    /// Rounds of PBKDF2, or passes of Argon2.
    pub(super) rounds: u32,
    /// KiB of Argon2.
    memory: u32,
}

/// Every way there is, the quickest first and then the likeliest. `system` adds those that only a disk is begun with.
pub(super) fn all(pim: Option<u32>, system: bool) -> Vec<Derivation> {
    use Hash::{Argon2id, Blake2s, Ripemd160, Sha256, Sha512, Streebog, Whirlpool};
    let mut out = vec![];
    let mut add = |brand, hash, rounds, memory| out.push(Derivation { brand, hash, rounds, memory });
    let Some(pim) = pim.map(|pim| pim.clamp(1, MOST_PIM)) else {
        for (hash, rounds) in [(Sha512, 1000), (Ripemd160, 2000), (Ripemd160, 1000), (Whirlpool, 1000)] {
            add(Brand::TrueCrypt, hash, rounds, 0);
        }
        add(Brand::VeraCrypt, Sha512, 500_000, 0);
        if system {
            add(Brand::VeraCrypt, Sha256, 200_000, 0);
            add(Brand::VeraCrypt, Blake2s, 200_000, 0);
        }
        for hash in [Sha256, Blake2s, Whirlpool] {
            add(Brand::VeraCrypt, hash, 500_000, 0);
        }
        add(Brand::VeraCrypt, Argon2id, 6, 416 << 10);
        if system {
            add(Brand::VeraCrypt, Ripemd160, 327_661, 0);
        }
        add(Brand::VeraCrypt, Ripemd160, 655_331, 0);
        if system {
            add(Brand::VeraCrypt, Streebog, 200_000, 0);
        }
        add(Brand::VeraCrypt, Streebog, 500_000, 0);
        return out;
    };
    let usual = pim.saturating_mul(1000).saturating_add(15_000);
    for hash in [Sha512, Sha256, Blake2s, Whirlpool] {
        add(Brand::VeraCrypt, hash, usual, 0);
    }
    if system {
        for hash in [Sha256, Blake2s, Ripemd160, Streebog] {
            add(Brand::VeraCrypt, hash, pim.saturating_mul(2048), 0);
        }
    }
    let (passes, mib) = if pim <= 31 { ((pim - 1) / 3 + 3, 64 + (pim - 1) * 32) } else { (pim - 18, 1024) };
    add(Brand::VeraCrypt, Argon2id, passes, mib << 10);
    for hash in [Ripemd160, Streebog] {
        add(Brand::VeraCrypt, hash, usual, 0);
    }
    out
}

/// Memory that the machine has free, in KiB; `None` where it does not say.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

impl Derivation {
    /// Units of work.
    pub(super) fn units(self) -> u64 {
        let rounds = u64::from(self.rounds);
        match self.hash {
            Hash::Argon2id => rounds.saturating_mul(u64::from(self.memory)),
            hash => rounds.saturating_mul(KEY.div_ceil(hash.size()) as u64),
        }
    }

    /// The key of a header.
    ///
    /// # Errors
    /// A clause that says why it was not derived.
    pub(super) fn derive(self, password: &[u8], salt: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut out = Zeroizing::new(vec![0; KEY]);
        let rounds = self.rounds;
        // HMAC takes keys of any length.
        let _ = match self.hash {
            Hash::Sha512 => pbkdf2::pbkdf2::<Hmac<sha2::Sha512>>(password, salt, rounds, &mut out),
            Hash::Sha256 => pbkdf2::pbkdf2::<Hmac<sha2::Sha256>>(password, salt, rounds, &mut out),
            Hash::Blake2s => pbkdf2::pbkdf2::<SimpleHmac<blake2::Blake2s256>>(password, salt, rounds, &mut out),
            Hash::Whirlpool => pbkdf2::pbkdf2::<Hmac<whirlpool::Whirlpool>>(password, salt, rounds, &mut out),
            Hash::Ripemd160 => pbkdf2::pbkdf2::<Hmac<ripemd::Ripemd160>>(password, salt, rounds, &mut out),
            Hash::Streebog => pbkdf2::pbkdf2::<Hmac<streebog::Streebog512>>(password, salt, rounds, &mut out),
            Hash::Argon2id => {
                self.argon(password, salt, &mut out)?;
                Ok(())
            }
        };
        Ok(out)
    }

    fn argon(self, password: &[u8], salt: &[u8], out: &mut [u8]) -> Result<(), String> {
        let wants = format!("Argon2id asks for {} MiB of memory", self.memory / 1024);
        if free_memory().is_some_and(|free| free < u64::from(self.memory)) {
            return Err(format!("{wants}, more than this machine has free"));
        }
        let wrong = |_| "its settings of Argon2 contradict each other".to_owned();
        let params = Params::new(self.memory, self.rounds, 1, Some(out.len())).map_err(wrong)?;
        let mut blocks: Vec<Block> = vec![];
        // What cannot be had costs this derivation and not the program.
        blocks.try_reserve_exact(params.block_count()).map_err(|_| format!("{wants}, which cannot be had"))?;
        blocks.resize(params.block_count(), Block::default());
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let done = argon.hash_password_into_with_memory(password, salt, out, &mut blocks);
        blocks.iter_mut().for_each(Zeroize::zeroize);
        done.map_err(wrong)
    }
}

/// What a header may have been made with.
pub(super) struct Candidate {
    /// What it is of, in words.
    pub(super) word: &'static str,
    pub(super) bytes: Arc<Zeroizing<Vec<u8>>>,
    /// Whether TrueCrypt takes one as long.
    pub(super) truecrypt: bool,
}

/// A password with key files mixed in: every byte of a file moves a running CRC-32, whose bytes are added to a pool.
fn mixed(password: &[u8], key_files: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    if key_files.is_empty() {
        return Zeroizing::new(password.to_vec());
    }
    let length = if password.len() > SHORT { LONG } else { SHORT };
    let mut pool = Zeroizing::new(vec![0u8; length]);
    for file in key_files {
        let (mut sum, mut place) = (!0u32, 0usize);
        for byte in file.iter().take(KEY_FILE) {
            sum = crc32(sum, &[*byte]);
            for part in sum.to_be_bytes() {
                if let Some(to) = pool.get_mut(place) {
                    *to = to.wrapping_add(part);
                }
                place = (place + 1) % length;
            }
        }
    }
    pool.iter_mut().zip(password).for_each(|(to, byte)| *to = to.wrapping_add(*byte));
    pool
}

/// What was given, in every way in which it makes sense; and whether a password was too long for any.
pub(super) fn candidates(access: &Access) -> (Vec<Candidate>, bool) {
    let files: Vec<&[u8]> = access.key_file.iter().chain(&access.more_key_files).map(|s| s.bytes()).collect();
    let password = access.password.as_ref().map(|s| s.bytes());
    let too_long = password.is_some_and(|p| p.len() > LONG);
    let password = password.filter(|p| !p.is_empty() && p.len() <= LONG);
    let keys = if files.len() > 1 { "key files" } else { "key file" };
    let both = if files.len() > 1 { "password and the key files" } else { "password and the key file" };
    let mut out = vec![];
    let mut add = |word, password: &[u8], files: &[&[u8]]| {
        let bytes = Arc::new(mixed(password, files));
        out.push(Candidate { word, bytes, truecrypt: password.len() <= SHORT });
    };
    if let Some(password) = password {
        if !files.is_empty() {
            add(both, password, &files);
        }
        add("password", password, &[]);
    }
    if !files.is_empty() {
        add(keys, &[], &files);
    }
    (out, too_long)
}

/// One derivation for one header, with the place of its answer.
pub(super) struct Job<'a> {
    pub(super) derivation: Derivation,
    pub(super) password: &'a [u8],
    pub(super) salt: &'a [u8],
}

/// How many derivations run at once.
pub(super) fn at_once(derivation: Derivation) -> usize {
    // Argon2 takes hundreds of MiB.
    if derivation.hash == Hash::Argon2id {
        return 1;
    }
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Runs derivations at once. The answers are in the order of the jobs; `None` where the work that is left is not enough.
pub(super) fn run(jobs: &[Job<'_>], work: &mut Work) -> Vec<Option<Result<Zeroizing<Vec<u8>>, String>>> {
    let allowed: Vec<bool> = jobs.iter().map(|job| work.take(job.derivation.units())).collect();
    let one = |(job, allowed): (&Job<'_>, &bool)| allowed.then(|| job.derivation.derive(job.password, job.salt));
    std::thread::scope(|scope| {
        let more: Vec<_> = jobs.iter().zip(&allowed).skip(1).map(|pair| scope.spawn(move || one(pair))).collect();
        let mut out: Vec<_> = jobs.iter().zip(&allowed).take(1).map(one).collect();
        // A thread that ended otherwise derived nothing.
        let failed = |_| Some(Err("a derivation broke off".to_owned()));
        out.extend(more.into_iter().map(|thread| thread.join().unwrap_or_else(failed)));
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Secret;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The pool after key files, by its definition in TrueCrypt's documentation, worked out with Python's `zlib.crc32`.
    #[test]
    fn key_files_move_the_pool() {
        let pool = mixed(b"", &[b"a"]);
        // crc32 of "a" without its last inversion.
        assert_eq!((hex(&pool[..4]), &pool[4..]), (format!("{:08x}", !0xe8b7_be43u32), &[0; 60][..]));
        let two = mixed(b"\x01", &[b"a", b"a"]);
        let twice: Vec<u8> = pool[..4].iter().map(|b| b.wrapping_mul(2)).collect();
        assert_eq!((two[0], &two[1..4]), (twice[0].wrapping_add(1), &twice[1..]));
        assert_eq!((mixed(&[1; 64], &[b"a"]).len(), mixed(&[1; 65], &[b"a"]).len()), (64, 128));
        // The place goes round.
        let long = mixed(b"", &[&[0; 17]]);
        let sums: Vec<u32> = (1..=17).map(|n| crc32(!0, &vec![0; n])).collect();
        let first: Vec<u8> =
            sums[0].to_be_bytes().iter().zip(sums[16].to_be_bytes()).map(|(a, b)| a.wrapping_add(b)).collect();
        assert_eq!(long[..4], first);
    }

    #[test]
    fn what_is_given_is_tried_in_every_way() {
        let words = |access: &Access| candidates(access).0.iter().map(|c| c.word).collect::<Vec<_>>();
        let secret = |n: usize| Some(Secret::new(vec![b'x'; n]));
        let mut access = Access { password: secret(9), ..Access::default() };
        assert_eq!(words(&access), ["password"]);
        access.key_file = secret(4);
        assert_eq!(words(&access), ["password and the key file", "password", "key file"]);
        access.more_key_files = vec![Secret::new(vec![1])];
        access.password = None;
        assert_eq!(words(&access), ["key files"]);
        access = Access { password: secret(129), ..Access::default() };
        assert!(candidates(&access).1 && candidates(&access).0.is_empty());
        access.password = secret(65);
        assert!(!candidates(&access).0[0].truecrypt);
    }

    /// VeraCrypt's documentation of the PIM gives these numbers.
    #[test]
    fn a_pim_sets_the_rounds() {
        let rounds = |pim, system, hash| {
            all(pim, system).iter().filter(|d| d.hash == hash).map(|d| (d.rounds, d.memory)).collect::<Vec<_>>()
        };
        assert_eq!(rounds(Some(485), false, Hash::Sha512), [(500_000, 0)]);
        assert_eq!(rounds(Some(98), true, Hash::Sha256), [(113_000, 0), (200_704, 0)]);
        assert_eq!(rounds(Some(12), false, Hash::Argon2id), [(6, 416 << 10)]);
        assert_eq!(rounds(Some(33), false, Hash::Argon2id), [(15, 1 << 20)]);
        assert_eq!(rounds(None, false, Hash::Argon2id), [(6, 416 << 10)]);
        assert!(all(Some(u32::MAX), true).iter().all(|d| d.units() > 1 << 30));
        assert!(all(Some(1), false).iter().all(|d| d.brand == Brand::VeraCrypt));
    }

    #[test]
    fn work_that_is_left_bounds_what_is_run() {
        let derivation = all(None, false)[0];
        let job = || Job { derivation, password: b"x", salt: &[0; 64] };
        let mut work = Work::at_most(derivation.units() * 2);
        let done: Vec<bool> = run(&[job(), job(), job()], &mut work).iter().map(Option::is_some).collect();
        assert_eq!(done, [true, true, false]);
    }
}
