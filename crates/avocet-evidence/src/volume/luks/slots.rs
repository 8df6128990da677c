//! Keyslots: what derives a key of a passphrase, and how much of it is done.

use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::{Zeroize, Zeroizing};

use super::sectors::Spec;
use super::{MOST_KEY, word};
use crate::crypto::Hash;
use crate::scratch::Secret;
use crate::source::{Source, read_up_to};

/// Stripes at most; cryptsetup writes 4000.
const MOST_STRIPES: usize = 16_000;
/// Memory of one derivation at most, in KiB: what cryptsetup itself allows.
const MOST_MEMORY: u32 = 4 << 20;
/// Work of one keyslot at most.
const MOST_SLOT: u64 = 200_000_000;
/// Work of all keyslots of one piece of evidence.
const MOST_EVIDENCE: u64 = 1_000_000_000;

/// How much work is left for keyslots. A unit is about a microsecond: one block of PBKDF2 in one round, or one KiB of
/// Argon2 in one pass. One keyslot may take 200 million of them and use 4 GiB of memory (or what the machine has free), all
/// keyslots of one piece of evidence 1000 million. cryptsetup makes keyslots that take about two seconds.
#[derive(Debug)]
pub struct Work {
    left: u64,
}

impl Default for Work {
    fn default() -> Self {
        Self { left: MOST_EVIDENCE }
    }
}

impl Work {
    /// For less than evidence is given, as a test or a fuzzer wants.
    pub fn at_most(units: u64) -> Self {
        Self { left: units.min(MOST_EVIDENCE) }
    }

    pub(crate) fn take(&mut self, units: u64) -> Result<(), String> {
        if units > MOST_SLOT {
            return Err("it asks for more work than is spent on one keyslot".into());
        }
        self.left = self
            .left
            .checked_sub(units)
            .ok_or("the work that is spent on the keyslots of one piece of evidence was used up")?;
        Ok(())
    }
}

/// How a key is derived of a passphrase.
pub(super) enum Derivation {
    Pbkdf2 { hash: Hash, salt: Vec<u8>, rounds: u32 },
    Argon2 { algorithm: Algorithm, salt: Vec<u8>, time: u32, memory: u32, lanes: u32 },
}

/// Units of work of PBKDF2.
fn rounds_of(hash: Hash, rounds: u32, bytes: usize) -> u64 {
    u64::from(rounds).saturating_mul(bytes.div_ceil(hash.size()).max(1) as u64)
}

/// Memory that the machine has free, in KiB; `None` where it does not say.
fn free_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().split(' ').next()?.parse().ok()
}

impl Derivation {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Pbkdf2 { hash: Hash::Sha1, .. } => "pbkdf2-sha1",
            Self::Pbkdf2 { hash: Hash::Sha256, .. } => "pbkdf2-sha256",
            Self::Pbkdf2 { hash: Hash::Sha512, .. } => "pbkdf2-sha512",
            Self::Argon2 { algorithm: Algorithm::Argon2i, .. } => "argon2i",
            Self::Argon2 { .. } => "argon2id",
        }
    }

    fn derive(&self, secret: &Secret, length: usize, work: &mut Work) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut out = Zeroizing::new(vec![0; length]);
        match self {
            Self::Pbkdf2 { hash, salt, rounds } => {
                work.take(rounds_of(*hash, *rounds, length))?;
                hash.pbkdf2(secret.bytes(), salt, *rounds, &mut out);
            }
            Self::Argon2 { algorithm, salt, time, memory, lanes } => {
                let wants = format!("it asks for {} MiB of memory", memory / 1024);
                if *memory > MOST_MEMORY {
                    return Err(format!("{wants}, more than the {} MiB that are allowed", MOST_MEMORY / 1024));
                }
                if free_memory().is_some_and(|free| free < u64::from(*memory)) {
                    return Err(format!("{wants}, more than this machine has free"));
                }
                work.take(u64::from(*time).saturating_mul(u64::from(*memory)))?;
                let wrong = |_| "its settings of Argon2 contradict each other".to_owned();
                let params = Params::new(*memory, *time, *lanes, Some(length)).map_err(wrong)?;
                let mut blocks: Vec<Block> = vec![];
                // What cannot be had costs this keyslot and not the program.
                blocks.try_reserve_exact(params.block_count()).map_err(|_| format!("{wants}, which cannot be had"))?;
                blocks.resize(params.block_count(), Block::default());
                let argon = Argon2::new(*algorithm, Version::V0x13, params);
                let done = argon.hash_password_into_with_memory(secret.bytes(), salt, &mut out, &mut blocks);
                blocks.iter_mut().for_each(Zeroize::zeroize);
                done.map_err(|_| "its settings of Argon2 contradict each other".to_owned())?;
            }
        }
        Ok(out)
    }
}

/// The digest by which the right key is known.
#[derive(Clone)]
pub(super) struct Check {
    pub(super) hash: Hash,
    pub(super) salt: Vec<u8>,
    pub(super) rounds: u32,
    pub(super) value: Vec<u8>,
}

impl Check {
    fn agrees(&self, key: &[u8], work: &mut Work) -> Result<bool, String> {
        work.take(rounds_of(self.hash, self.rounds, self.value.len()))?;
        let mut found = Zeroizing::new(vec![0; self.value.len()]);
        self.hash.pbkdf2(key, &self.salt, self.rounds, &mut found);
        Ok(!self.value.is_empty() && *found == self.value)
    }
}

/// A place that keeps the volume's key.
pub(super) struct Slot {
    pub(super) number: u32,
    pub(super) derivation: Derivation,
    /// Where the stripes lie.
    pub(super) offset: u64,
    /// Bytes that they may take.
    pub(super) room: u64,
    /// The cipher over them.
    pub(super) cipher: String,
    /// Bytes of its key.
    pub(super) cipher_key: usize,
    /// Bytes of the volume's key.
    pub(super) key_bytes: usize,
    pub(super) stripes: usize,
    pub(super) spread: Hash,
    pub(super) check: Check,
}

impl Slot {
    /// The volume's key; `None` where the passphrase is another.
    ///
    /// # Errors
    /// A clause that says why it was not tried.
    pub(super) fn open(
        &self,
        source: &Arc<dyn Source>,
        secret: &Secret,
        work: &mut Work,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let spec = Spec::named(&self.cipher).ok_or_else(|| format!("its cipher {} is not read", word(&self.cipher)))?;
        let sizes = (1..=MOST_KEY).contains(&self.key_bytes) && (1..=MOST_KEY).contains(&self.cipher_key);
        if !sizes || !(1..=MOST_STRIPES).contains(&self.stripes) {
            return Err("its sizes cannot be".into());
        }
        let length = self.key_bytes.saturating_mul(self.stripes);
        let whole = length.next_multiple_of(512);
        if length as u64 > self.room {
            return Err("its key does not fit its place".into());
        }
        let mut stripes =
            Zeroizing::new(read_up_to(source, self.offset, whole).map_err(|_| "its place cannot be read".to_owned())?);
        if stripes.len() < length {
            return Err("its place lies past the end of the volume".into());
        }
        stripes.resize(whole, 0);
        let key = self.derivation.derive(secret, self.cipher_key, work)?;
        let cipher = spec.with_key(&key).ok_or_else(|| format!("its cipher takes no key of {} bytes", key.len()))?;
        cipher.sectors(0, 512, &mut stripes);
        stripes.truncate(length);
        let candidate = merge(self.spread, &stripes, self.key_bytes);
        Ok(self.check.agrees(&candidate, work)?.then_some(candidate))
    }
}

/// Puts a key together that was spread over stripes (the anti-forensic splitter of the specification).
fn merge(hash: Hash, stripes: &[u8], key_bytes: usize) -> Zeroizing<Vec<u8>> {
    let mut sum = Zeroizing::new(vec![0u8; key_bytes]);
    let mut stripes = stripes.chunks_exact(key_bytes.max(1)).peekable();
    while let Some(stripe) = stripes.next() {
        sum.iter_mut().zip(stripe).for_each(|(a, b)| *a ^= b);
        if stripes.peek().is_some() {
            for (number, part) in (0u32..).zip(sum.chunks_mut(hash.size())) {
                let digest = hash.of(&[&number.to_be_bytes(), part]);
                part.iter_mut().zip(digest.iter()).for_each(|(a, b)| *a = *b);
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_ends() {
        let mut work = Work::default();
        assert!(work.take(MOST_SLOT + 1).is_err());
        for _ in 0..MOST_EVIDENCE / MOST_SLOT {
            work.take(MOST_SLOT).unwrap();
        }
        assert!(work.take(1).is_err());
    }

    #[test]
    fn what_asks_for_too_much_is_not_begun() {
        let secret = Secret::new(b"test".to_vec());
        let argon = |time, memory, lanes| Derivation::Argon2 {
            algorithm: Algorithm::Argon2id,
            salt: vec![1; 32],
            time,
            memory,
            lanes,
        };
        for (derivation, why) in [
            (argon(4, u32::MAX, 1), "memory"),
            (argon(u32::MAX, 1 << 10, 1), "more work"),
            (argon(1, 8, 4), "contradict"),
            (argon(0, 1024, 1), "contradict"),
            (Derivation::Pbkdf2 { hash: Hash::Sha1, salt: vec![], rounds: u32::MAX }, "more work"),
        ] {
            let error = derivation.derive(&secret, 32, &mut Work::default()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(free_memory().is_none_or(|kib| kib > 1024));
    }
}
