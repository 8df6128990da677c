//! LUKS, the encryption of Linux disks, versions 1 and 2: unlocked with a passphrase or a key file, then read like any disk.
//!
//! After the "LUKS1 On-Disk Format Specification" (version 1.2.3) and the "LUKS2 On-Disk Format Specification" (version
//! 1.1.1) of the cryptsetup project. A header holds keyslots. Each keeps the volume's key, spread over some 4000 stripes and
//! encrypted with a key that is derived of one passphrase; a digest of the volume's key in the header says for certain
//! whether the passphrase was the right one. LUKS2 keeps its header twice, with checksums; the newer sound one is used.
//!
//! **Read:** AES in XTS or CBC mode with the vectors `plain`, `plain64`, `plain64be` and `essiv:sha256`; sectors of 512 to
//! 4096 bytes; keys derived by PBKDF2 with SHA-1, SHA-256 or SHA-512, or by Argon2i or Argon2id.
//! **Not read:** other ciphers and digests, volumes with integrity tags, volumes that were being re-encrypted, headers whose
//! data lie on another device. Each stays locked, and what it asks for is said.
//!
//! **Bounds.** A header says how much work the derivation takes, and a hostile one would ask for years: see [`Work`].
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `luks-header-copy-used` | one of the two headers is damaged or older; the other was used |
//! | `luks-header-damaged` | the header contradicts itself; the volume was not tried |
//! | `luks-wrong-key` | what was given opens none of the keyslots that could be tried |
//! | `luks-slot-not-tried` | a keyslot asks for what is not read or is more work than is spent; the volume stayed locked |
//! | `luks-not-read` | the volume could not be unlocked whatever was given: its cipher or state is not read |
//! | `luks-cut` | the volume declares more bytes than there are, or ends within a sector |

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::{OpenError, Problem};
use crate::scratch::{Access, Secret};
use crate::source::{Source, SubSource};
use crate::volume::Unlocked;

mod first;
mod second;
pub(super) mod sectors;
mod slots;

use sectors::{Plain, Spec};
use slots::Slot;
pub use slots::Work;

const LAYER: &str = "luks";
/// Bytes of a volume's key at most. AES in XTS mode has 64; cryptsetup allows 512.
const MOST_KEY: usize = 512;

/// What a header says.
#[derive(Clone, PartialEq, Eq)]
pub struct Facts {
    /// 1 or 2.
    pub version: u16,
    /// The volume's own identifier; empty where it is none.
    pub uuid: String,
    /// The cipher of the data, such as `aes-xts-plain64`.
    pub cipher: String,
    /// Bytes of the volume's key.
    pub key_bytes: usize,
    /// Where the data begin.
    pub offset: u64,
    /// Bytes of a sector.
    pub sector: usize,
    /// Number and derivation of each keyslot that holds a key of the data, such as `argon2id`.
    pub slots: Vec<(u32, String)>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LUKS{} {} {:?} at {}", self.version, self.cipher, self.slots, self.offset)
    }
}

/// The part of the volume that is encrypted.
struct Segment {
    offset: u64,
    /// Its bytes; `None` for all that follow.
    length: Option<u64>,
    cipher: String,
    sector: usize,
    /// The number of its first sector.
    first: u64,
}

/// What either version's header gives.
struct Header {
    version: u16,
    uuid: String,
    key_bytes: usize,
    segment: Segment,
    slots: Vec<Slot>,
    /// Keyslots that cannot be tried, with the reason.
    refused: Vec<(u32, String)>,
    /// Why the volume cannot be unlocked whatever is given.
    hindrance: Option<String>,
    problems: Vec<Problem>,
}

/// A volume whose header was read; still locked.
pub struct Luks {
    source: Arc<dyn Source>,
    header: Header,
    facts: Facts,
}

/// Why a volume stayed locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// Nothing was given to open it with.
    NothingGiven,
    /// What was given opens none of its keyslots; the clause says how many were tried and which could not be.
    WrongKey(String),
    /// No keyslot could be tried, for the reasons in the clause.
    NotTried(String),
    /// It cannot be unlocked here, for the reason in the clause.
    NotRead(String),
}

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingGiven => f.write_str("neither a password nor a key file was given"),
            Self::WrongKey(why) | Self::NotTried(why) | Self::NotRead(why) => f.write_str(why),
        }
    }
}

impl Locked {
    /// The problem's code; `None` where nothing was tried because nothing was given.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NothingGiven => None,
            Self::WrongKey(_) => Some("luks-wrong-key"),
            Self::NotTried(_) => Some("luks-slot-not-tried"),
            Self::NotRead(_) => Some("luks-not-read"),
        }
    }
}

/// A word of a header as it may be shown: what else it holds is evidence of nothing.
fn word(text: &str) -> &str {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.()".contains(&b));
    if plain && (1..=64).contains(&text.len()) { text } else { "(an unreadable name)" }
}

impl Luks {
    /// Reads the header.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where it contradicts itself, and for what is no LUKS volume.
    pub fn open(source: &Arc<dyn Source>) -> Result<Self, OpenError> {
        let header = match first::read(source)? {
            Some(header) => header,
            None => second::read(source)?,
        };
        let slots = header.slots.iter().map(|s| (s.number, s.derivation.name().to_owned())).collect();
        let facts = Facts {
            version: header.version,
            uuid: header.uuid.clone(),
            cipher: word(&header.segment.cipher).to_owned(),
            key_bytes: header.key_bytes,
            offset: header.segment.offset,
            sector: header.segment.sector,
            slots,
        };
        Ok(Self { source: Arc::clone(source), header, facts })
    }

    /// What the header says.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// What was found wrong with the header.
    pub fn problems(&self) -> &[Problem] {
        &self.header.problems
    }

    /// Unlocks the volume with what is given: each secret is tried on each keyslot, in their order.
    ///
    /// # Errors
    /// [`Locked`] says why it stayed locked.
    pub fn unlock(&self, access: &Access, work: &mut Work) -> Result<Unlocked, Locked> {
        let segment = &self.header.segment;
        if let Some(why) = &self.header.hindrance {
            return Err(Locked::NotRead(why.clone()));
        }
        let spec = Spec::named(&segment.cipher)
            .ok_or_else(|| Locked::NotRead(format!("its cipher {} is not read", word(&segment.cipher))))?;
        let key_files = access.key_file.iter().chain(&access.more_key_files).map(|secret| ("key file", secret));
        let secrets: Vec<(&str, &Secret)> =
            access.password.iter().map(|secret| ("password", secret)).chain(key_files).collect();
        if secrets.is_empty() {
            return Err(Locked::NothingGiven);
        }
        let mut refused = self.header.refused.clone();
        let mut tried = 0u64;
        for slot in &self.header.slots {
            for (word, secret) in &secrets {
                match slot.open(&self.source, secret, work) {
                    Ok(None) => {}
                    Ok(Some(key)) => return self.unlocked(spec, &key, slot, word),
                    Err(why) => {
                        refused.push((slot.number, why));
                        break;
                    }
                }
            }
            tried = tried.saturating_add(u64::from(refused.last().is_none_or(|(n, _)| *n != slot.number)));
        }
        let rest: Vec<String> = refused.iter().map(|(n, why)| format!("keyslot {n} was not tried: {why}")).collect();
        let rest = rest.join("; ");
        let given = secrets.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" and the ");
        let verb = if secrets.len() == 1 { "does" } else { "do" };
        Err(match (tried, rest.is_empty()) {
            (0, true) => Locked::NotRead("it has no keyslot: its key was erased".into()),
            (0, false) => Locked::NotTried(rest),
            (n, _) => {
                let rest = if rest.is_empty() { rest } else { format!("; {rest}") };
                let of = if n == 1 { "its only keyslot".to_owned() } else { format!("any of {n} keyslots") };
                Locked::WrongKey(format!("the {given} given {verb} not open {of}{rest}"))
            }
        })
    }

    fn unlocked(&self, spec: Spec, key: &Zeroizing<Vec<u8>>, slot: &Slot, word_for: &str) -> Result<Unlocked, Locked> {
        let segment = &self.header.segment;
        let cipher = spec
            .with_key(key)
            .ok_or_else(|| Locked::NotRead(format!("its cipher takes no key of {} bytes", key.len())))?;
        let there = self.source.len().saturating_sub(segment.offset);
        let declared = segment.length.unwrap_or(there);
        let mut problems = self.header.problems.clone();
        if declared > there || !declared.is_multiple_of(segment.sector as u64) {
            let detail = "the encrypted volume declares more bytes than there are, or ends within a sector";
            problems.push(Problem::new(LAYER, "luks-cut", Some(self.source.len()), detail));
        }
        let sealed = SubSource::new(Arc::clone(&self.source), segment.offset, declared);
        Ok(Unlocked {
            source: Arc::new(Plain::new(Arc::new(sealed), cipher, segment.sector, segment.first)),
            how: format!(
                "LUKS{} ({}), unlocked with the {word_for} (keyslot {}, {})",
                self.header.version,
                word(&segment.cipher),
                slot.number,
                slot.derivation.name()
            ),
            problems,
        })
    }
}
