//! Keys: one for the store, one for each person. The store's key is wrapped by a passphrase or a key file and lies in
//! `store.key`; a person's key is wrapped by the store's and lies in the database, where it can be destroyed.
//!
//! Everything is derived from 32 random bytes, the store's key, with HMAC-SHA-256 under a name for each purpose: wrapping
//! persons' keys, blind look-up tokens, signing the head of the ledger.

use std::io::{Read as _, Write as _};
use std::marker::PhantomData;
use std::path::Path;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use ed25519_dalek::SigningKey;
use hmac::{Hmac, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256 as Hasher;
use zeroize::Zeroizing;

use crate::ids::KeyId;
use crate::personal::Personal;

/// Why a key could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system gave no random bytes.
    #[error("keys: the system gave no random bytes; nothing was written")]
    NoRandom,
    /// A file could not be read or written.
    #[error("keys: {what} cannot be {verb}: {source}")]
    Io {
        /// Which file, by its role.
        what: &'static str,
        /// `read` or `written`.
        verb: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file holds no key.
    #[error("keys: {what} is not a key file of this program; fetch an intact copy")]
    NotAKey {
        /// Which file, by its role.
        what: &'static str,
    },
    /// Another passphrase or key file was given than the store was made with.
    #[error("keys: this passphrase or key file does not open the store; give the one it was made with")]
    Wrong,
    /// A passphrase of a length that is not taken.
    #[error("keys: a passphrase has 8 to 1024 bytes; choose another")]
    Passphrase,
    /// A value does not open under its key.
    #[error("keys: a value under {key} does not open: it was altered, or belongs to another store")]
    Altered {
        /// Under which key.
        key: KeyId,
    },
    /// A value could not be turned into bytes or back.
    #[error("keys: a value under {key} is not of the kind expected here")]
    Form {
        /// Under which key.
        key: KeyId,
    },
}

/// What opens a store.
pub enum Unlock {
    /// A passphrase of 8 to 1024 bytes.
    Passphrase(Zeroizing<String>),
    /// The 64 hexadecimal digits of a key file.
    KeyFile(Zeroizing<[u8; 32]>),
}

/// Says which way, never the secret.
impl std::fmt::Debug for Unlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Passphrase",
            Self::KeyFile(_) => "KeyFile",
        })
    }
}

impl Unlock {
    /// A passphrase of 8 to 1024 bytes; its UTF-8 bytes count as they are.
    #[must_use]
    pub fn passphrase(text: &str) -> Self {
        Self::Passphrase(Zeroizing::new(text.to_owned()))
    }

    /// Reads a key file: 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`KeyError`] where it cannot be read or holds no key.
    pub fn key_file(path: &Path) -> Result<Self, KeyError> {
        let what = "the key file";
        let mut text = Zeroizing::new(String::new());
        let file = std::fs::File::open(path).map_err(|source| KeyError::Io { what, verb: "read", source })?;
        file.take(1024).read_to_string(&mut text).map_err(|source| KeyError::Io { what, verb: "read", source })?;
        let key: avocet_base::Sha256 = text.trim().parse().map_err(|_| KeyError::NotAKey { what })?;
        Ok(Self::KeyFile(Zeroizing::new(key.0)))
    }

    /// Makes a new key file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`] where the file is there already or cannot be written.
    pub fn new_key_file(path: &Path) -> Result<Self, KeyError> {
        let key = Zeroizing::new(random()?);
        let text = Zeroizing::new(format!("{}\n", avocet_base::Sha256(*key)));
        write_private(path, text.as_bytes(), "the key file")?;
        Ok(Self::KeyFile(key))
    }

    fn wrapping_key(&self, salt: &[u8; 32], cost: (u32, u32)) -> Result<Secret, KeyError> {
        match self {
            Self::KeyFile(key) => Ok(derive(key, b"avocet store.key v1 key file\n", salt)),
            Self::Passphrase(text) => {
                if !(8..=1024).contains(&text.len()) {
                    return Err(KeyError::Passphrase);
                }
                stretch(text, salt, cost).ok_or(KeyError::NotAKey { what: "store.key" })
            }
        }
    }
}

/// 32 secret bytes, wiped when dropped.
pub type Secret = Zeroizing<[u8; 32]>;

/// 32 random bytes.
///
/// # Errors
/// [`KeyError::NoRandom`].
pub fn random() -> Result<[u8; 32], KeyError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::NoRandom)?;
    Ok(bytes)
}

/// argon2id over a passphrase or password; `None` for a cost or a salt that it does not take.
pub(crate) fn stretch(text: &str, salt: &[u8], cost: (u32, u32)) -> Option<Secret> {
    let mut out = Zeroizing::new([0u8; 32]);
    let params = Params::new(cost.0, cost.1, 1, Some(32)).ok()?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(text.as_bytes(), salt, out.as_mut())
        .ok()?;
    Some(out)
}

/// HMAC-SHA-256 under `key` over a name and a value.
fn derive(key: &[u8; 32], name: &[u8], value: &[u8]) -> Secret {
    // A key of 32 bytes is always taken.
    let Ok(mut mac) = <Hmac<Hasher> as KeyInit>::new_from_slice(key) else { return Zeroizing::new([0; 32]) };
    mac.update(name);
    mac.update(value);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The key of a store, and what is derived from it.
pub struct StoreKey {
    wrap: Secret,
    token: Secret,
    signer: SigningKey,
}

const TITLE: &str = "avocet store key v1";
/// Memory in KiB and passes of argon2id: RFC 9106's second choice, 210 ms on the machine where it was tried.
pub(crate) const COST: (u32, u32) = (64 * 1024, 3);

impl StoreKey {
    /// Makes a new store's key and writes it, wrapped, to `path`.
    ///
    /// # Errors
    /// [`KeyError`] where there is a file already or it cannot be written.
    pub fn create(path: &Path, unlock: &Unlock) -> Result<Self, KeyError> {
        let root = Zeroizing::new(random()?);
        let salt = random()?;
        let (how, cost) = match unlock {
            Unlock::Passphrase(_) => ("passphrase", COST),
            Unlock::KeyFile(_) => ("key-file", (0, 0)),
        };
        let wrapped = seal_bytes(&*unlock.wrapping_key(&salt, cost)?, root.as_ref(), TITLE.as_bytes())?;
        let text = format!(
            "{TITLE}\nopens {how} {} {}\nsalt {}\nkey {}\n",
            cost.0,
            cost.1,
            avocet_base::Sha256(salt),
            hex(&wrapped)
        );
        write_private(path, text.as_bytes(), "store.key")?;
        Ok(Self::from_root(&root))
    }

    /// Opens a store's key.
    ///
    /// # Errors
    /// [`KeyError::Wrong`] for another passphrase or key file; others where the file is damaged.
    pub fn open(path: &Path, unlock: &Unlock) -> Result<Self, KeyError> {
        let what = "store.key";
        let text = std::fs::read_to_string(path).map_err(|source| KeyError::Io { what, verb: "read", source })?;
        let parsed = Self::parse(&text).ok_or(KeyError::NotAKey { what })?;
        let matches = match unlock {
            Unlock::Passphrase(_) => parsed.how == "passphrase",
            Unlock::KeyFile(_) => parsed.how == "key-file",
        };
        if !matches {
            return Err(KeyError::Wrong);
        }
        let wrapping = unlock.wrapping_key(&parsed.salt, parsed.cost)?;
        let root = open_bytes(&wrapping, &parsed.wrapped, TITLE.as_bytes()).ok_or(KeyError::Wrong)?;
        let root: [u8; 32] = root.as_slice().try_into().map_err(|_| KeyError::NotAKey { what })?;
        Ok(Self::from_root(&Zeroizing::new(root)))
    }

    fn parse(text: &str) -> Option<Wrapped<'_>> {
        let mut lines = text.lines();
        if lines.next()? != TITLE {
            return None;
        }
        let mut opens = lines.next()?.strip_prefix("opens ")?.split(' ');
        let how = opens.next()?;
        let cost = (opens.next()?.parse().ok()?, opens.next()?.parse().ok()?);
        // A file that asks for more than this was not written by this program.
        if cost.0 > 1024 * 1024 || cost.1 > 64 {
            return None;
        }
        let salt: avocet_base::Sha256 = lines.next()?.strip_prefix("salt ")?.parse().ok()?;
        Some(Wrapped { how, cost, salt: salt.0, wrapped: unhex(lines.next()?.strip_prefix("key ")?)? })
    }

    fn from_root(root: &[u8; 32]) -> Self {
        let signer = SigningKey::from_bytes(&derive(root, b"avocet ledger signing v1\n", b""));
        Self {
            wrap: derive(root, b"avocet person keys v1\n", b""),
            token: derive(root, b"avocet identifiers v1\n", b""),
            signer,
        }
    }

    /// Signs the head of the ledger.
    #[must_use]
    pub fn signer(&self) -> &SigningKey {
        &self.signer
    }

    /// The token under which an identifier can be looked up without being readable in the database.
    #[must_use]
    pub fn token(&self, kind: &str, value: &str) -> [u8; 32] {
        let mut text = kind.as_bytes().to_vec();
        text.push(0);
        text.extend(value.as_bytes());
        *derive(&self.token, b"", &text)
    }

    /// Makes a key for a person and wraps it.
    ///
    /// # Errors
    /// [`KeyError::NoRandom`].
    pub fn new_person_key(&self, id: KeyId) -> Result<(PersonKey, Vec<u8>), KeyError> {
        let secret = Zeroizing::new(random()?);
        let wrapped = seal_bytes(&self.wrap, secret.as_ref(), id.to_string().as_bytes())?;
        Ok((PersonKey { id, secret }, wrapped))
    }

    /// Unwraps a person's key.
    ///
    /// # Errors
    /// [`KeyError::Altered`] where it is not as this store wrapped it.
    pub fn person_key(&self, id: KeyId, wrapped: &[u8]) -> Result<PersonKey, KeyError> {
        let secret = open_bytes(&self.wrap, wrapped, id.to_string().as_bytes())
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok())
            .ok_or(KeyError::Altered { key: id })?;
        Ok(PersonKey { id, secret: Zeroizing::new(secret) })
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKey")
    }
}

struct Wrapped<'t> {
    how: &'t str,
    cost: (u32, u32),
    salt: [u8; 32],
    wrapped: Vec<u8>,
}

/// The key under which everything personal of one person (or of one document) is encrypted.
#[derive(Clone)]
pub struct PersonKey {
    id: KeyId,
    secret: Secret,
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonKey({})", self.id)
    }
}

impl PersonKey {
    /// Which key it is.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Encrypts a value.
    ///
    /// # Errors
    /// [`KeyError`] where there are no random bytes or the value has no JSON form.
    pub fn seal<T: Serialize>(&self, value: &T) -> Result<Personal<T>, KeyError> {
        let bytes = Zeroizing::new(serde_json::to_vec(value).map_err(|_| KeyError::Form { key: self.id })?);
        Ok(Personal { key: self.id, sealed: hex(&self.seal_bytes(&bytes)?), of: PhantomData })
    }

    /// Decrypts a value.
    ///
    /// # Errors
    /// [`KeyError`] where it is under another key, was altered, or is of another type.
    pub fn open<T: DeserializeOwned>(&self, value: &Personal<T>) -> Result<T, KeyError> {
        let sealed = unhex(&value.sealed).filter(|_| value.key == self.id);
        let bytes = sealed.as_deref().ok_or(KeyError::Altered { key: value.key }).and_then(|s| self.open_bytes(s))?;
        serde_json::from_slice(&bytes).map_err(|_| KeyError::Form { key: self.id })
    }

    /// Encrypts bytes: a random nonce of 24 bytes, then ciphertext and tag, bound to the key's id.
    ///
    /// # Errors
    /// [`KeyError::NoRandom`].
    pub fn seal_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        seal_bytes(&self.secret, bytes, self.id.to_string().as_bytes())
    }

    /// Decrypts bytes.
    ///
    /// # Errors
    /// [`KeyError::Altered`].
    pub fn open_bytes(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        open_bytes(&self.secret, sealed, self.id.to_string().as_bytes()).ok_or(KeyError::Altered { key: self.id })
    }
}

fn seal_bytes(key: &[u8; 32], bytes: &[u8], binding: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0u8; 24];
    getrandom::fill(&mut nonce).map_err(|_| KeyError::NoRandom)?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg: bytes, aad: binding });
    let mut out = nonce.to_vec();
    out.extend(sealed.map_err(|_| KeyError::NoRandom)?);
    Ok(out)
}

fn open_bytes(key: &[u8; 32], sealed: &[u8], binding: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: binding }).ok().map(Zeroizing::new)
}

/// Writes a new file that only its owner can read, down to the disk.
fn write_private(path: &Path, bytes: &[u8], what: &'static str) -> Result<(), KeyError> {
    let io = |source| KeyError::Io { what, verb: "written", source };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(io)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(io)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: &u8| char::from(*b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    text.as_bytes()
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}
