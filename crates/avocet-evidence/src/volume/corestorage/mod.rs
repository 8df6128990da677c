//! CoreStorage, which Mac OS X 10.7 to 10.12 encrypted volumes with (FileVault 2): unlocked with a password or recovery key.
//!
//! After "FileVault Drive Encryption (FVDE)", the description of the format by Omar Choudary and Joachim Metz for libfvde. A
//! physical volume has a header with a key for its own list of what lies on it. In that list are the logical volumes with
//! their pieces, and for each family of them its users: a password derives a key (PBKDF2 with SHA-256) that unwraps another
//! (RFC 3394), and that the volume's. Both wrappings say for certain whether the key was right. The data are encrypted
//! sector by sector with AES-128 in XTS mode.
//!
//! **Read:** encrypted volumes whose users stand in that list, as of external disks, or in the file
//! `EncryptedRoot.plist.wipekey` of the recovery partition beside it, as of a system's own volume; volumes of several pieces.
//! Every user is tried with every password given.
//! **Not read:** volumes that were being encrypted or decrypted, or are not encrypted; groups over several disks (Fusion
//! Drive); keys in iCloud or of an institution; a recovery partition on another disk. Each stays locked, with the reason.
//!
//! **Bounds.** All users of one piece of evidence share [`Work`](crate::volume::luks::Work) with the keyslots of LUKS.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `corestorage-damaged` | the header or the list contradicts itself; nothing was tried |
//! | `corestorage-list-damaged` | blocks of the list do not agree with their sum and were left out |
//! | `corestorage-wrong-key` | what was given opens the volume for none of its users |
//! | `corestorage-not-tried` | a user asks for more work than is spent |
//! | `corestorage-not-read` | the volume could not be unlocked whatever was given |
//! | `corestorage-cut` | the volume lies partly past the end of the evidence |

use std::fmt;
use std::sync::Arc;

use aes::Aes128Dec;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use zeroize::Zeroizing;

use crate::bytes::{array, le_u32};
use crate::crypto::{BLOCK, Hash};
use crate::error::{OpenError, Problem, ReadError};
use crate::scratch::{Access, Secret};
use crate::source::{Joined, Source, SubSource};
use crate::volume::Unlocked;
use crate::volume::luks::Work;
use crate::volume::sealed::{Kind, SECTOR, Sealed, Xts};

mod layout;
pub(crate) mod roots;
mod text;

use layout::{Layout, Logical};
use text::Value;

const LAYER: &str = "corestorage";
/// Users of one family that are tried.
const MOST_USERS: usize = 64;
/// Bytes of a key.
const KEY: usize = 16;

type Key = Zeroizing<[u8; KEY]>;

/// What a logical volume says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The identifier of the physical volume.
    pub physical: [u8; 16],
    /// The identifier of its family.
    pub family: [u8; 16],
    /// First byte of its first piece.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
    /// Its pieces.
    pub pieces: usize,
    /// Rounds of PBKDF2 of each user that has a password.
    pub rounds: Vec<u32>,
}

/// A physical volume whose list was read; its logical volumes are still locked.
pub struct CoreStorage {
    source: Arc<dyn Source>,
    layout: Layout,
    /// Lists of users out of the recovery partition.
    roots: Vec<Value>,
}

/// Why a volume stayed locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// Nothing was given to open it with.
    NothingGiven,
    /// What was given opens it for none of so many users.
    WrongKey(usize),
    /// Not everything was tried, for the reason in the clause.
    NotTried(String),
    /// It cannot be unlocked here, for the reason in the clause.
    NotRead(String),
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingGiven => f.write_str("neither a password nor a key file was given"),
            Self::WrongKey(1) => f.write_str("what was given does not open it for its only user"),
            Self::WrongKey(n) => write!(f, "what was given does not open it for any of {n} users"),
            Self::NotTried(why) | Self::NotRead(why) => f.write_str(why),
        }
    }
}

impl Locked {
    /// The problem's code; `None` where nothing was tried because nothing was given.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NothingGiven => None,
            Self::WrongKey(_) => Some("corestorage-wrong-key"),
            Self::NotTried(_) => Some("corestorage-not-tried"),
            Self::NotRead(_) => Some("corestorage-not-read"),
        }
    }
}

/// Takes a key of 16 bytes out of its wrapping (RFC 3394); `None` where it does not belong to this key.
fn unwrapped(with: &Key, wrapped: &[u8; KEY + 8]) -> Option<Key> {
    let cipher = Aes128Dec::new(&Array::from(**with));
    let mut a: [u8; 8] = array(wrapped, 0)?;
    let mut halves: Zeroizing<[[u8; 8]; 2]> = Zeroizing::new([array(wrapped, 8)?, array(wrapped, 16)?]);
    for round in (1..=12u64).rev() {
        let half = halves.get_mut(usize::from(round % 2 == 0))?;
        let mut block = Zeroizing::new([0; BLOCK]);
        let (high, low) = block.split_at_mut(8);
        high.copy_from_slice(&(u64::from_be_bytes(a) ^ round).to_be_bytes());
        low.copy_from_slice(half);
        let mut one = Array::from(*block);
        cipher.decrypt_block(&mut one);
        a.copy_from_slice(one.get(..8)?);
        half.copy_from_slice(one.get(8..)?);
    }
    let mut out = Zeroizing::new([0; KEY]);
    out.iter_mut().zip(halves.iter().flatten()).for_each(|(to, from)| *to = *from);
    (a == [0xA6; 8]).then_some(out)
}

/// A user: what a password has to do to open the volume.
struct User {
    salt: [u8; 16],
    wrapped: [u8; KEY + 8],
    rounds: u32,
}

impl User {
    fn read(value: &Value) -> Option<Self> {
        let data = value.get("PassphraseWrappedKEKStruct")?.bytes()?;
        // Salt and key say their kind and size before them.
        let sizes = [(0, 3), (4, 16), (24, 16), (28, 24)];
        if data.len() != 284 || !sizes.iter().all(|(at, wanted)| le_u32(&data, *at) == Some(*wanted)) {
            return None;
        }
        // The description gives 172 for the rounds; a volume by macOS has them here.
        Some(Self { salt: array(&data, 8)?, wrapped: array(&data, 32)?, rounds: le_u32(&data, 168)? })
    }
}

/// What a family's list says of its keys.
struct Context {
    users: Vec<User>,
    /// Users that no password of their own opens.
    without: usize,
    wrapped: Vec<[u8; KEY + 8]>,
    hindrance: Option<String>,
}

impl Context {
    /// All of what the lists of a family give.
    fn of<'a>(lists: impl Iterator<Item = &'a Value>) -> Self {
        let mut out = Self { users: vec![], without: 0, wrapped: vec![], hindrance: None };
        let (mut seen, mut unfinished) = (false, false);
        for context in lists {
            seen = true;
            let all = context.get("CryptoUsers").map(Value::items).unwrap_or_default();
            let users: Vec<User> = all.iter().take(MOST_USERS).filter_map(User::read).collect();
            out.without = out.without.saturating_add(all.len().saturating_sub(users.len()));
            out.users.extend(users);
            let keys = context.get("WrappedVolumeKeys").map(Value::items).unwrap_or_default();
            let aes = keys.iter().filter(|key| key.get("BlockAlgorithm").and_then(Value::text) == Some("AES-XTS"));
            out.wrapped.extend(aes.filter_map(|key| {
                let data = key.get("KEKWrappedVolumeKeyStruct")?.bytes()?;
                let right = le_u32(&data, 0) == Some(2) && le_u32(&data, 4) == Some(24);
                array::<{ KEY + 8 }>(&data, 8).filter(|_| right)
            }));
            let status = context.get("ConversionInfo").and_then(|info| info.get("ConversionStatus"));
            unfinished |= !matches!(status.and_then(Value::text), None | Some("Complete"));
        }
        out.hindrance = if !seen {
            Some(
                "its users are not in its own list: they are in the file EncryptedRoot.plist.wipekey of a recovery \
                 partition that is not on this disk, or it is not encrypted",
            )
        } else if out.wrapped.is_empty() {
            Some("it has no key of its data that is read: it is not encrypted, or in another way")
        } else if unfinished {
            Some("it was being encrypted or decrypted, which was not finished")
        } else if out.users.is_empty() {
            Some("none of its users has a password")
        } else {
            None
        }
        .map(str::to_owned);
        out
    }

    fn open(&self, secret: &Secret, work: &mut Work) -> Result<Option<Key>, String> {
        for user in &self.users {
            work.take(u64::from(user.rounds))?;
            let mut derived: Key = Zeroizing::new([0; KEY]);
            Hash::Sha256.pbkdf2(secret.bytes(), &user.salt, user.rounds, derived.as_mut_slice());
            if let Some(between) = unwrapped(&derived, &user.wrapped)
                && let Some(key) = self.wrapped.iter().find_map(|wrapped| unwrapped(&between, wrapped))
            {
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

impl CoreStorage {
    /// Reads the header, the label and the list of what lies on the volume.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where they contradict themselves.
    pub fn open(source: &Arc<dyn Source>) -> Result<Self, OpenError> {
        Ok(Self { source: Arc::clone(source), layout: layout::read(source)?, roots: vec![] })
    }

    /// How many logical volumes there are.
    pub fn volumes(&self) -> usize {
        self.layout.logical.len()
    }

    /// What was found wrong with the list.
    pub fn problems(&self) -> Vec<Problem> {
        let detail =
            format!("{} blocks of the list do not agree with their sum and were left out", self.layout.damaged);
        let problem = Problem::new(LAYER, "corestorage-list-damaged", None, detail);
        if self.layout.damaged > 0 { vec![problem] } else { vec![] }
    }

    fn logical(&self, number: usize) -> Option<(&Logical, Context)> {
        let logical = self.layout.logical.get(number)?;
        let list = self.layout.families.iter().find(|(id, _)| *id == logical.family).map(|(_, list)| list);
        let own = list.and_then(|list| list.get("com.apple.corestorage.lvf.encryption.context"));
        Some((logical, Context::of(own.into_iter().chain(&self.roots))))
    }

    /// Whether a volume's users do not stand in the list of the physical volume.
    pub fn lacks_users(&self) -> bool {
        (0..self.volumes()).filter_map(|n| self.logical(n)).any(|(_, context)| context.users.is_empty())
    }

    /// Adds the content of an `EncryptedRoot.plist.wipekey`; false where it does not belong to this physical volume.
    pub fn add_root(&mut self, sealed: &[u8]) -> bool {
        let list = roots::opened(sealed, &self.layout.key);
        let belongs = list.is_some();
        self.roots.extend(list);
        belongs
    }

    /// What a logical volume says of itself.
    pub fn facts(&self, number: usize) -> Option<Facts> {
        let (logical, context) = self.logical(number)?;
        Some(Facts {
            physical: self.layout.physical,
            family: logical.family,
            offset: logical.pieces.first().map_or(0, |(_, place, _)| *place),
            size: logical.size,
            pieces: logical.pieces.len(),
            rounds: context.users.iter().map(|user| user.rounds).collect(),
        })
    }

    /// Unlocks a logical volume with what is given: each secret is tried for each user.
    ///
    /// # Errors
    /// [`Locked`] says why it stayed locked.
    pub fn unlock(&self, number: usize, access: &Access, work: &mut Work) -> Result<Unlocked, Locked> {
        let none = || Locked::NotRead("there is no such volume".into());
        let (logical, context) = self.logical(number).ok_or_else(none)?;
        if let Some(why) = logical.hindrance.as_ref().or(context.hindrance.as_ref()) {
            return Err(Locked::NotRead(why.clone()));
        }
        let key_files = access.key_file.iter().chain(&access.more_key_files).map(|secret| ("key file", secret));
        let secrets: Vec<_> = access.password.iter().map(|secret| ("password", secret)).chain(key_files).collect();
        if secrets.is_empty() {
            return Err(Locked::NothingGiven);
        }
        for (word, secret) in secrets {
            if let Some(key) = context.open(secret, work).map_err(Locked::NotTried)? {
                return self.unlocked(logical, &key, word).ok_or_else(none);
            }
        }
        Err(Locked::WrongKey(context.users.len().saturating_add(context.without)))
    }

    fn unlocked(&self, logical: &Logical, key: &Key, word: &str) -> Option<Unlocked> {
        let digest = Hash::Sha256.of(&[key.as_slice(), &logical.family]);
        let cipher = Xts::new(&[(Kind::Aes128, key.as_slice(), digest.get(..KEY)?)])?;
        let mut problems = vec![];
        if logical.pieces.iter().any(|(_, at, n)| at.saturating_add(*n) > self.source.len()) {
            let detail = "the encrypted volume lies partly past the end of the evidence";
            problems.push(Problem::new(LAYER, "corestorage-cut", Some(self.source.len()), detail));
        }
        let parts = logical
            .pieces
            .iter()
            .map(|(_, at, n)| Piece { source: SubSource::new(Arc::clone(&self.source), *at, *n), length: *n })
            .collect();
        let joined = Joined::new(LAYER, parts).ok()?;
        let whole = SubSource::new(Arc::new(joined), 0, logical.size / SECTOR as u64 * SECTOR as u64);
        Some(Unlocked {
            source: Arc::new(Sealed::new(LAYER, Arc::new(whole), Arc::new(cipher), 0)),
            how: format!("CoreStorage (FileVault 2, AES-128 in XTS mode), unlocked with the {word}"),
            problems,
        })
    }
}

/// A piece of a volume, which has the length that the list gives it also where its last bytes are not there.
struct Piece {
    source: SubSource,
    length: u64,
}

impl Source for Piece {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        self.source.read_at(offset, buf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3394, 4.1.
    #[test]
    fn a_wrapped_key_comes_out_with_its_own_key_only() {
        let with: Key = Zeroizing::new(std::array::from_fn(|i| i as u8));
        let wrapped = 0x1FA6_8B0A_8112_B447u64
            .to_be_bytes()
            .into_iter()
            .chain(0xAEF3_4BD8_FB5A_7B82_9D3E_8623_71D2_CFE5u128.to_be_bytes());
        let mut wrapped: [u8; 24] = wrapped.collect::<Vec<_>>().try_into().unwrap();
        let key = unwrapped(&with, &wrapped).unwrap();
        assert_eq!(*key, 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFFu128.to_be_bytes());
        wrapped[9] ^= 1;
        assert!(unwrapped(&with, &wrapped).is_none());
    }
}
