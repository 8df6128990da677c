//! The keys of an encrypted backup: from the password to the key of each file.
//!
//! Apple publishes the key bag's ideas (Platform Security Guide, *Keybags for Data Protection*) and not its layout; this
//! follows what open tools agree on. `Manifest.plist` holds the key bag: fields of a four-letter tag, a length and a
//! value, big-endian; first those of the bag, then those of each class key. The password, stretched by PBKDF2-HMAC-SHA256
//! (`DPSL`, `DPIC`; since iOS 10.2) and PBKDF2-HMAC-SHA1 (`SALT`, `ITER`), unwraps the class keys (RFC 3394); a class key
//! unwraps the keys of the manifest and of each file, which are AES-256 in CBC mode with an IV of zeros.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bytes::{be_u32, le_u32};
use crate::crypto::{self, Decrypted, Key};
use crate::entry::{ContentRead, OpenContent, SourceReader};
use crate::error::ReadError;
use crate::fs::folder;
use crate::plist::Value;
use crate::source::{Source, SubSource};

/// Rounds of a derivation at most. iOS asks for ten million of the first.
const MOST_ROUNDS: u32 = 50_000_000;
/// Class keys at most; iOS writes some eleven.
const MOST_CLASSES: usize = 64;
/// The mark of a class key that the password protects.
const WITH_PASSWORD: u32 = 2;

/// Why there are no keys.
pub(super) enum Trouble {
    /// The password is another.
    WrongPassword,
    /// The key bag cannot be understood; one clause.
    Unreadable(&'static str),
}

/// The keys of the protection classes.
pub(super) struct Keys(BTreeMap<u32, Key>);

struct Class {
    class: Option<u32>,
    wrap: u32,
    wrapped: Vec<u8>,
}

/// What the bag holds.
struct Bag {
    salt: Vec<u8>,
    rounds: u32,
    first: Option<(Vec<u8>, u32)>,
    classes: Vec<Class>,
}

fn bag(bytes: &[u8]) -> Option<Bag> {
    let (mut salt, mut rounds, mut first_salt, mut first_rounds) = (None, None, None, None);
    let mut classes: Vec<Class> = vec![];
    let (mut rest, mut bags) = (bytes, 0);
    while !rest.is_empty() {
        let (tag, length) = (rest.get(..4)?, usize::try_from(be_u32(rest, 4)?).ok()?);
        let end = length.checked_add(8)?;
        let value = rest.get(8..end)?;
        rest = rest.get(end..)?;
        let number = || be_u32(value, 0).filter(|_| value.len() == 4);
        if tag == b"UUID" {
            bags += 1;
            // The first is that of the bag itself.
            if bags > 1 {
                classes.push(Class { class: None, wrap: 0, wrapped: vec![] });
            }
        }
        match (tag, classes.last_mut()) {
            (b"SALT", None) => salt = Some(value.to_vec()),
            (b"ITER", None) => rounds = number(),
            (b"DPSL", None) => first_salt = Some(value.to_vec()),
            (b"DPIC", None) => first_rounds = number(),
            (b"CLAS", Some(class)) => class.class = number(),
            (b"WRAP", Some(class)) => class.wrap = number()?,
            (b"WPKY", Some(class)) => class.wrapped = value.to_vec(),
            _ => {}
        }
        if classes.len() > MOST_CLASSES {
            return None;
        }
    }
    Some(Bag { salt: salt?, rounds: rounds?, first: first_salt.zip(first_rounds), classes })
}

impl Keys {
    /// Opens the key bag of `Manifest.plist` with a password; also gives the manifest's own key, where there is one
    /// (before iOS 10.2 the manifest is not encrypted).
    pub(super) fn open(list: &Value, password: &[u8]) -> Result<(Self, Option<Key>), Trouble> {
        let unreadable = Trouble::Unreadable;
        let Some(Value::Data(bytes)) = list.get("BackupKeyBag") else {
            return Err(unreadable("its key bag is missing"));
        };
        let bag = bag(bytes).ok_or(unreadable("its key bag cannot be understood"))?;
        let rounds = [bag.rounds, bag.first.as_ref().map_or(1, |f| f.1)];
        if !rounds.iter().all(|n| (1..=MOST_ROUNDS).contains(n)) {
            return Err(unreadable("its key bag asks for a number of rounds that no iOS does"));
        }
        let stretched = match &bag.first {
            Some((salt, rounds)) => {
                crypto::pbkdf2_sha1(&*crypto::pbkdf2_sha256(password, salt, *rounds), &bag.salt, bag.rounds)
            }
            None => crypto::pbkdf2_sha1(password, &bag.salt, bag.rounds),
        };
        let mut keys = BTreeMap::new();
        for class in bag.classes.iter().filter(|c| c.wrap & WITH_PASSWORD != 0) {
            let Some(number) = class.class else { continue };
            // One damaged class key costs its files; a wrong password opens none.
            if let Some(key) = crypto::unwrap_key(&stretched, &class.wrapped) {
                keys.insert(number, key);
            }
        }
        if keys.is_empty() {
            return Err(Trouble::WrongPassword);
        }
        let keys = Self(keys);
        let own = match list.get("ManifestKey") {
            Some(Value::Data(sealed)) => {
                Some(keys.key(sealed).ok_or(unreadable("the key of its manifest cannot be unwrapped"))?)
            }
            _ => None,
        };
        Ok((keys, own))
    }

    /// A key behind the number of its class.
    pub(super) fn key(&self, sealed: &[u8]) -> Option<Key> {
        crypto::unwrap_key(self.0.get(&le_u32(sealed, 0)?)?, sealed.get(4..)?)
    }
}

/// Bytes behind a key of this backup.
pub(super) fn plain(layer: &'static str, sealed: Arc<dyn Source>, key: &Key) -> Decrypted {
    Decrypted::new(layer, sealed, key, [0; crypto::BLOCK])
}

/// A file of an encrypted backup.
pub(super) struct Locked {
    pub(super) path: PathBuf,
    pub(super) key: Key,
    /// Bytes of the plain file.
    pub(super) size: u64,
}

impl Locked {
    fn plain(&self) -> Result<Arc<dyn Source>, ReadError> {
        let sealed = folder::quiet_source(&self.path).map_err(|e| ReadError::io(super::LAYER, 0, &e))?;
        let plain = plain(super::LAYER, sealed, &self.key);
        Ok(Arc::new(SubSource::new(Arc::new(plain), 0, self.size)))
    }
}

impl OpenContent for Locked {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        Ok(Box::new(SourceReader::new(self.plain()?)))
    }

    fn source(&self) -> Result<Option<Arc<dyn Source>>, ReadError> {
        self.plain().map(Some)
    }
}
