//! BitLocker, the encryption of Windows: unlocked with a password, a recovery password or a startup key, then read like any
//! disk.
//!
//! The format is not published. This is after the descriptions of the libbde project ("BitLocker Drive Encryption (BDE)
//! format specification"), what cryptsetup and dislocker read of it, and Niels Ferguson's paper on the diffuser. A volume
//! carries its metadata three times. They hold the key of the data, sealed with a master key, and that key once for each
//! *protector*: sealed with a key that is stretched of a password or of a recovery password, or that lies in a file, in a
//! TPM, on a smart card, or open. AES-CCM says for certain whether a key was the right one. The first sectors of the file
//! system lie elsewhere, and where the metadata lie Windows shows zeros.
//!
//! **Read:** volumes of Windows 7 and later, also BitLocker To Go: AES in XTS and CBC mode, the latter also with the
//! diffuser; volumes of which only a part is encrypted, or is encrypted no more.
//! **Not read:** volumes of Windows Vista; those that were being encrypted in use (*encrypt on write*), where a map that is
//! not read says which sectors are encrypted. What only a TPM or a smart card opens stays locked, and is said.
//!
//! **Bounds.** A block of metadata is 64 KiB at most, 32 protectors are tried, and a stretching (2^20 rounds of SHA-256) is
//! done once for each protector and password, and taken off [`Work`].
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `bitlocker-metadata-copy-used` | a copy of the metadata is damaged; another was used |
//! | `bitlocker-metadata-copies-differ` | two copies hold and say different things; the first was used |
//! | `bitlocker-metadata-damaged` | no copy of the metadata holds; the volume was not tried |
//! | `bitlocker-metadata-altered` | the metadata agree with their checksum, and not with the digest that is sealed with the key |
//! | `bitlocker-wrong-key` | what was given opens none of the protectors |
//! | `bitlocker-not-read` | the volume could not be unlocked whatever was given: its kind, state or cipher is not read |
//! | `bitlocker-partly-encrypted` | a part of the volume is not encrypted; both parts were read |
//! | `bitlocker-converting` | sectors were being converted when the volume was taken; they cannot be read |
//! | `bitlocker-cut` | the volume declares more bytes than there are, or ends within a sector |

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::{Key, key};
use crate::error::{OpenError, Problem};
use crate::scratch::{Access, Secret};
use crate::source::Source;
use crate::volume::luks::Work;
use crate::volume::{Unlocked, guid_text};

mod keys;
mod metadata;
mod sectors;

use keys::{ROUNDS, Recovery, Sealed};
use metadata::{Metadata, Protector, by};
use sectors::{Cipher, Layout, Plain};

const LAYER: &str = "bitlocker";
/// Bytes of a file that is taken for a startup key.
const MOST_STARTUP: usize = 64 << 10;

/// What the metadata say.
#[derive(Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether it is BitLocker To Go: a volume of FAT that shows a program for older versions of Windows.
    pub to_go: bool,
    /// The volume's own identifier.
    pub id: String,
    /// The cipher of the data, such as `AES-XTS 128`.
    pub cipher: &'static str,
    /// Bytes of a sector.
    pub sector: usize,
    /// Bytes from the beginning that are encrypted.
    pub encrypted: u64,
    /// What protects the master key, such as `recovery password`, with the identifier of each.
    pub protectors: Vec<(String, String)>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BitLocker {} {:?}", self.cipher, self.protectors)
    }
}

/// A volume whose metadata were read; still locked.
pub struct BitLocker {
    source: Arc<dyn Source>,
    metadata: Metadata,
    facts: Facts,
}

/// Why a volume stayed locked. Each clause ends with what the volume asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// Nothing was given that could open it, and something could.
    NothingGiven(String),
    /// What was given does not open it.
    WrongKey(String),
    /// It cannot be unlocked here.
    NotRead(String),
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::NothingGiven(why) | Self::WrongKey(why) | Self::NotRead(why)) = self;
        f.write_str(why)
    }
}

impl Locked {
    /// The problem's code; `None` where nothing was tried because nothing was given.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NothingGiven(_) => None,
            Self::WrongKey(_) => Some("bitlocker-wrong-key"),
            Self::NotRead(_) => Some("bitlocker-not-read"),
        }
    }
}

/// What a protector is, in words.
fn word(kind: u16) -> String {
    let known = [
        (by::TPM, "TPM"),
        (by::PIN, "PIN"),
        (by::STARTUP, "startup key"),
        (by::RECOVERY, "recovery password"),
        (by::CARD, "smart card or certificate"),
        (by::PASSWORD, "password"),
    ];
    let words: Vec<&str> = known.iter().filter(|(bit, _)| kind & bit != 0).map(|(_, word)| *word).collect();
    let rest = known.iter().fold(kind, |rest, (bit, _)| rest & !bit);
    match (words.is_empty(), rest) {
        (true, 0) => "clear key".to_owned(),
        (false, 0) => words.join(" with "),
        _ => format!("protector of the unknown kind {kind:04x}"),
    }
}

/// Whether what is given to this program can open such a protector.
fn can_be_given(kind: u16) -> bool {
    [by::PASSWORD, by::RECOVERY, by::STARTUP].contains(&kind)
}

/// The master key and what opened it.
struct Master {
    key: Key,
    how: String,
}

impl BitLocker {
    /// Reads the metadata.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where no copy of them holds, [`OpenError::Unsupported`] for a volume of Windows Vista.
    pub fn open(source: &Arc<dyn Source>) -> Result<Self, OpenError> {
        let metadata = metadata::read(source)?;
        let block = &metadata.block;
        let facts = Facts {
            to_go: metadata.to_go,
            id: guid_text(&block.id),
            cipher: sectors::name(block.method).unwrap_or("an unknown cipher"),
            sector: metadata.sector,
            encrypted: block.encrypted,
            protectors: block.protectors.iter().map(|p| (word(p.kind), guid_text(&p.id))).collect(),
        };
        Ok(Self { source: Arc::clone(source), metadata, facts })
    }

    /// What the metadata say.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What was found wrong with the metadata.
    pub fn problems(&self) -> &[Problem] {
        &self.metadata.problems
    }

    /// What opens the volume, in a clause: with the identifiers that its owner, Microsoft or the owner's organisation keep the
    /// keys by.
    pub fn asks_for(&self) -> String {
        let protectors = &self.metadata.block.protectors;
        let one = |p: &Protector| {
            let id = guid_text(&p.id);
            match p.kind {
                by::RECOVERY => format!("a recovery password of 48 digits (identifier {id})"),
                by::STARTUP => format!("a startup key (file {id}.BEK)"),
                by::PASSWORD => "a password".to_owned(),
                // Those are no thing to be asked for.
                kind if can_be_given(kind) || kind == 0 => word(kind),
                kind => format!("{} (not read here)", word(kind)),
            }
        };
        let list: Vec<String> = protectors.iter().map(one).collect();
        if list.is_empty() {
            "nothing opens it: it has no key protector".into()
        } else {
            format!("it opens with {}", list.join(", or "))
        }
    }

    /// Unlocks the volume: a clear key opens it whatever is given; a startup key is tried on the protectors of its kind, 48
    /// digits on those with a recovery password, a password on those with one.
    ///
    /// # Errors
    /// [`Locked`] says why it stayed locked.
    pub fn unlock(&self, access: &Access, work: &mut Work) -> Result<Unlocked, Locked> {
        let block = &self.metadata.block;
        let hindrance = self.hindrance();
        let master = match (self.master(access, work), &hindrance) {
            (Ok(master), None) => master,
            // That the key is right is worth knowing: another program may read the volume with it.
            (Ok(master), Some(why)) => {
                return Err(Locked::NotRead(format!("{} is the right key, but {why}", master.how)));
            }
            (Err(Locked::NothingGiven(_)), Some(why)) => {
                return Err(Locked::NotRead(format!("{why}; {}", self.asks_for())));
            }
            (Err(locked), _) => return Err(locked),
        };
        let broken = |why: &str| Locked::NotRead(format!("{} opens the master key, but {why}", master.how));
        let data_key = block.data_key.as_ref().and_then(|sealed| sealed.key(&master.key));
        let data_key = data_key.ok_or_else(|| broken("it does not open the key of the data"))?;
        let cipher = Cipher::new(block.method, &data_key).ok_or_else(|| broken("the key of the data does not fit"))?;
        let layout = Layout::new(block, self.metadata.sector, self.source.len()).map_err(broken)?;
        let mut problems = self.metadata.problems.clone();
        let mut problem = |code, at, detail: String| problems.push(Problem::new(LAYER, code, at, detail));
        let digest = block.validation.as_ref().and_then(|sealed| sealed.digest(&master.key));
        if digest.is_none_or(|digest| digest.as_slice() != block.digest.as_slice()) {
            let detail = "the metadata agree with their checksum, but not with the digest that is sealed with the key: \
                          they were changed by another program than Windows";
            problem("bitlocker-metadata-altered", None, detail.to_owned());
        }
        if layout.lost > 0 {
            let detail = format!("{} bytes were being encrypted or decrypted when the volume was taken", layout.lost);
            problem("bitlocker-converting", Some(block.encrypted), detail);
        }
        let there = self.source.len();
        // A sector or two may lie behind what is encrypted: a volume is not always as long as its partition.
        if layout.open > (self.metadata.sector as u64).saturating_mul(2) {
            let detail = format!("{} bytes of the volume are not encrypted; they were read as they are", layout.open);
            problem("bitlocker-partly-encrypted", Some(block.encrypted), detail);
        }
        if !there.is_multiple_of(self.metadata.sector as u64) || block.state == ENCRYPTED && block.encrypted > there {
            let detail = "the encrypted volume declares more bytes than there are, or ends within a sector";
            problem("bitlocker-cut", Some(there), detail.to_owned());
        }
        let name = if self.metadata.to_go { "BitLocker To Go" } else { "BitLocker" };
        Ok(Unlocked {
            source: Arc::new(Plain::new(Arc::clone(&self.source), cipher, self.metadata.sector, layout)),
            how: format!("{name} ({}), unlocked with {}", self.facts.cipher, master.how),
            problems,
        })
    }

    /// Why the volume cannot be read whatever key is given.
    fn hindrance(&self) -> Option<String> {
        let block = &self.metadata.block;
        if sectors::name(block.method).is_none() {
            return Some(format!("its cipher (method {:04x}) is not read", block.method));
        }
        if self.metadata.on_write {
            return Some(
                "it is encrypted as it is written to, and which sectors are encrypted yet stands in a map that is not read"
                    .into(),
            );
        }
        // Decrypted, being converted, encrypted, converting paused.
        match block.state {
            1 | metadata::CONVERTING | ENCRYPTED | 5 => None,
            other => Some(format!("it is in a state that is not known ({other})")),
        }
    }

    fn protectors(&self, kind: u16) -> impl Iterator<Item = (&Protector, &Sealed)> {
        self.metadata
            .block
            .protectors
            .iter()
            .filter(move |p| p.kind == kind)
            .filter_map(|p| p.sealed.as_ref().map(|sealed| (p, sealed)))
    }

    /// Tries what was given on the protectors that it fits.
    fn master(&self, access: &Access, work: &mut Work) -> Result<Master, Locked> {
        let opens = |sealed: &Sealed, with: &Key| sealed.key(with).and_then(|found| key(&found));
        for (protector, sealed) in self.protectors(0) {
            if let Some(key) = protector.clear.as_ref().and_then(|clear| opens(sealed, clear)) {
                let how = "the clear key that lies on it: its protection was suspended, and it asks for nothing".into();
                return Ok(Master { key, how });
            }
        }
        let (mut notes, mut recovery) = (vec![], vec![]);
        let key_files: Vec<&Secret> = access.key_file.iter().chain(&access.more_key_files).collect();
        for file in key_files {
            let startup = keys::startup(file.bytes().get(..MOST_STARTUP).unwrap_or(file.bytes()));
            if let Some(startup) = &startup {
                for (protector, sealed) in self.protectors(by::STARTUP) {
                    if let Some(key) = opens(sealed, &startup.key) {
                        return Ok(Master { key, how: format!("the startup key {}", guid_text(&protector.id)) });
                    }
                }
                notes.push(format!("the startup key given ({}) does not open it", guid_text(&startup.id)));
            } else if let Some(text) = keys::recovery_in(file.bytes()) {
                recovery.push(("key file", text));
            } else {
                notes.push("the key file given is no startup key (.BEK) and holds no recovery password".to_owned());
            }
        }
        let password = access.password.as_ref();
        if let Some(password) = password {
            recovery.push(("password", Zeroizing::new(password.bytes().to_vec())));
        }
        let mut stretched = |protector: &Protector, sealed: &Sealed, from: &[u8]| {
            let Some(salt) = &protector.salt else { return Ok(None) };
            work.take(u64::from(ROUNDS)).map_err(|_| {
                let why = "the work that is spent on the keys of one piece of evidence was used up";
                Locked::NotRead(format!("{why}; {}", self.asks_for()))
            })?;
            Ok(opens(sealed, &keys::stretch(from, salt)))
        };
        for (given, text) in &recovery {
            match keys::of_recovery(text) {
                Recovery::None => {}
                Recovery::Mistyped(group) => notes.push(format!(
                    "the {given} given has the form of a recovery password, and its group {group} of six digits is mistyped"
                )),
                Recovery::Digest(digest) => {
                    for (protector, sealed) in self.protectors(by::RECOVERY) {
                        if let Some(key) = stretched(protector, sealed, &digest)? {
                            let how = format!("the recovery password (identifier {})", guid_text(&protector.id));
                            return Ok(Master { key, how });
                        }
                    }
                    notes.push(format!("the recovery password in the {given} given does not open it"));
                }
            }
        }
        if let Some(password) = password {
            match keys::of_password(password.bytes()) {
                Some(digest) => {
                    for (protector, sealed) in self.protectors(by::PASSWORD) {
                        if let Some(key) = stretched(protector, sealed, &digest)? {
                            let how = format!("the password (protector {})", guid_text(&protector.id));
                            return Ok(Master { key, how });
                        }
                    }
                    // Of 48 digits it was said already.
                    if matches!(keys::of_recovery(password.bytes()), Recovery::None) {
                        notes.push("the password given does not open it".to_owned());
                    }
                }
                None => notes.push("the password given is no text in UTF-8".to_owned()),
            }
        }
        let asks = self.asks_for();
        if !notes.is_empty() {
            return Err(Locked::WrongKey(format!("{}; {asks}", notes.join("; "))));
        }
        let fits = self.metadata.block.protectors.iter().any(|p| can_be_given(p.kind));
        Err(if fits {
            Locked::NothingGiven(format!("neither a password nor a key file was given; {asks}"))
        } else {
            Locked::NotRead(asks)
        })
    }
}

/// The state of a volume that is encrypted, and stays so.
const ENCRYPTED: u16 = 4;
