//! What a store's key is wrapped with: a passphrase or a key file.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use avocet_base::Redacted;
use zeroize::{Zeroize, Zeroizing};

use super::cipher::{Keys, NONCE, Sealer, Secret, TAG, hmac, random, random_secret};
use super::error::{DerivativeError, io_error};
use super::layout::{FIXED, Header, SLOT, field, fill};

/// argon2id, the second recommended option of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// What a header may ask for. All eight places at the limit cost 8 GiB of passes, some seconds.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;
const MOST_WORK_KIB: u64 = 1024 * 1024;

const BY_PASSPHRASE: u8 = 1;
const BY_KEY_FILE: u8 = 2;
/// Bytes of a slot that its wrapping binds: kind, parameters, salt.
const BOUND: usize = 48;

/// The secret that opens a store. Wiped when dropped, never shown by `Debug`.
#[derive(Debug)]
pub enum Protector {
    /// A passphrase of 1 to 1,024 bytes; its UTF-8 bytes count as they are, without normalising.
    Passphrase(Redacted<Zeroizing<String>>),
    /// A key file's content.
    KeyFile(KeyFile),
}

impl Protector {
    /// From a passphrase, which is taken over and wiped when dropped.
    pub fn passphrase(text: String) -> Protector {
        Protector::Passphrase(Redacted::new(Zeroizing::new(text)))
    }

    /// From a key file.
    ///
    /// # Errors
    /// As [`KeyFile::load`].
    pub fn key_file(path: &Path) -> Result<Protector, DerivativeError> {
        KeyFile::load(path).map(Protector::KeyFile)
    }

    fn number(&self) -> u8 {
        match self {
            Protector::Passphrase(_) => BY_PASSPHRASE,
            Protector::KeyFile(_) => BY_KEY_FILE,
        }
    }

    /// The key that wraps the data key.
    fn wrapping_key(&self, cost: Cost, salt: &[u8; 32]) -> Result<Secret, DerivativeError> {
        match self {
            Protector::KeyFile(key) => Ok(hmac(&key.0, &[b"avocet-derivatives v1 key file\n", salt])),
            Protector::Passphrase(text) => {
                let text = text.reveal().as_bytes();
                if text.is_empty() || text.len() > 1024 {
                    return Err(DerivativeError::Passphrase);
                }
                let costly = || cost.refusal();
                let params =
                    argon2::Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(|_| costly())?;
                let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
                let mut out = Secret::default();
                argon.hash_password_into(text, salt, out.as_mut_slice()).map_err(|_| costly())?;
                Ok(out)
            }
        }
    }
}

/// A key in a file: 32 random bytes, nothing else.
pub struct KeyFile(Secret);

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl KeyFile {
    /// Makes a new key and a new file for it that only its owner can read (mode 0600).
    ///
    /// # Errors
    /// [`DerivativeError`] where the file is there already or cannot be written.
    pub fn create(path: &Path) -> Result<KeyFile, DerivativeError> {
        let key = random_secret()?;
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(|e| io_error(path, &e))?;
        if let Err(e) = file.write_all(key.as_slice()).and_then(|()| file.sync_all()) {
            let _ = std::fs::remove_file(path);
            return Err(io_error(path, &e));
        }
        Ok(KeyFile(key))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`DerivativeError`] where it cannot be read or is not exactly 32 bytes.
    pub fn load(path: &Path) -> Result<KeyFile, DerivativeError> {
        let file = File::open(path).map_err(|e| io_error(path, &e))?;
        // A buffer of its own size from the start: growing would leave copies of the key behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(64));
        file.take(33).read_to_end(&mut bytes).map_err(|e| io_error(path, &e))?;
        KeyFile::from_bytes(&bytes).ok_or_else(|| DerivativeError::NotAKeyFile { path: path.display().to_string() })
    }

    /// From the 32 bytes of a key; `None` for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Option<KeyFile> {
        let mut key = Secret::default();
        (bytes.len() == key.len()).then(|| {
            key.copy_from_slice(bytes);
            KeyFile(key)
        })
    }

    /// Overwrites a key file and removes it. What [`super::NOT_COVERED`] says holds here too.
    ///
    /// # Errors
    /// [`DerivativeError`] where the file is no key file or cannot be overwritten; it is not removed then.
    pub fn destroy(path: &Path) -> Result<(), DerivativeError> {
        drop(KeyFile::load(path)?);
        let file = OpenOptions::new().write(true).open(path).map_err(|e| io_error(path, &e))?;
        for bytes in [random::<32>()?, [0; 32]] {
            file.write_all_at(&bytes, 0).and_then(|()| file.sync_all()).map_err(|e| io_error(path, &e))?;
        }
        std::fs::remove_file(path).map_err(|e| io_error(path, &e))
    }
}

/// What argon2id may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    fn refusal(self) -> DerivativeError {
        DerivativeError::Costly { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }

    fn check(self) -> Result<(), DerivativeError> {
        let work = u64::from(self.memory_kib).saturating_mul(u64::from(self.passes));
        let sane = self.memory_kib <= MOST_MEMORY_KIB
            && (1..=MOST_PASSES).contains(&self.passes)
            && (1..=MOST_LANES).contains(&self.lanes)
            && work <= MOST_WORK_KIB;
        if sane { Ok(()) } else { Err(self.refusal()) }
    }
}

/// Wraps the data key for one place of the header.
pub(super) fn wrap(
    fixed: &[u8; FIXED],
    protector: &Protector,
    data_key: &Secret,
) -> Result<[u8; SLOT], DerivativeError> {
    let salt = random::<32>()?;
    let cost = match protector {
        Protector::Passphrase(_) => Cost { memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES },
        Protector::KeyFile(_) => Cost { memory_kib: 0, passes: 0, lanes: 0 },
    };
    let mut slot = [0; SLOT];
    fill(
        &mut slot,
        &[
            &[protector.number(), 0, 0, 0],
            &cost.memory_kib.to_le_bytes(),
            &cost.passes.to_le_bytes(),
            &cost.lanes.to_le_bytes(),
            &salt,
        ],
    );
    let mut piece = Zeroizing::new([0u8; NONCE + 32 + TAG]);
    piece.iter_mut().skip(NONCE).zip(data_key.iter()).for_each(|(o, k)| *o = *k);
    Sealer::new(&protector.wrapping_key(cost, &salt)?).seal(&binding(fixed, &slot), piece.as_mut_slice())?;
    slot.iter_mut().skip(BOUND).zip(piece.iter()).for_each(|(o, b)| *o = *b);
    let check = Keys::new(data_key, &field(fixed, 24)).slot_check(fixed, &slot);
    slot.iter_mut().skip(SLOT - check.len()).zip(check).for_each(|(o, b)| *o = b);
    Ok(slot)
}

fn binding(fixed: &[u8; FIXED], slot: &[u8; SLOT]) -> [u8; FIXED + BOUND] {
    let mut out = [0; FIXED + BOUND];
    fill(&mut out, &[fixed, slot]);
    out
}

fn unwrap(fixed: &[u8; FIXED], slot: &[u8; SLOT], protector: &Protector) -> Result<Option<Secret>, DerivativeError> {
    let number = |at| u32::from_le_bytes(field(slot, at));
    if field::<4>(slot, 0) != [protector.number(), 0, 0, 0] {
        return Ok(None);
    }
    let cost = Cost { memory_kib: number(4), passes: number(8), lanes: number(12) };
    if matches!(protector, Protector::Passphrase(_)) {
        cost.check()?;
    }
    let key = Sealer::new(&protector.wrapping_key(cost, &field(slot, 16))?);
    let mut piece = Zeroizing::new(field::<{ NONCE + 32 + TAG }>(slot, BOUND));
    let Some(text) = key.open(&binding(fixed, slot), piece.as_mut_slice()) else { return Ok(None) };
    let mut data_key = Secret::default();
    data_key.iter_mut().zip(text.iter()).for_each(|(k, b)| *k = *b);
    text.zeroize();
    Ok(Some(data_key))
}

/// Finds the place that this protector opens, and the data key in it.
pub(super) fn open_header(header: &Header, protector: &Protector) -> Result<(usize, Secret), DerivativeError> {
    if header.slots.iter().flatten().all(|b| *b == 0) {
        return Err(DerivativeError::KeyDestroyed);
    }
    for (i, slot) in header.slots.iter().enumerate() {
        if let Some(key) = unwrap(&header.fixed, slot, protector)? {
            return Ok((i, key));
        }
    }
    Err(DerivativeError::WrongKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_cannot_ask_for_more_than_the_limits() {
        let cost = |memory_kib, passes, lanes| Cost { memory_kib, passes, lanes };
        for good in [cost(MEMORY_KIB, PASSES, LANES), cost(MOST_MEMORY_KIB, 4, 1), cost(8, 64, 1)] {
            assert_eq!(good.check(), Ok(()));
        }
        for bad in [
            cost(MOST_MEMORY_KIB + 1, 1, 1),
            cost(MOST_MEMORY_KIB, 5, 1),
            cost(8, 65, 1),
            cost(u32::MAX, u32::MAX, 1),
            cost(64, 0, 1),
            cost(64, 1, 0),
            cost(640, 1, 17),
        ] {
            assert!(matches!(bad.check(), Err(DerivativeError::Costly { .. })), "{bad:?}");
        }
    }
}
