//! TrueCrypt and VeraCrypt volumes: tried with what was given, since nothing marks them, and read like any disk.
//!
//! After the "VeraCrypt Volume Format Specification" and TrueCrypt's of the same name, and VeraCrypt's documentation of
//! header key derivation, PIM, key files, hidden volumes and system encryption. A volume is random bytes from its first to
//! its last. Its header of 512 bytes is a salt and 448 encrypted bytes; only with the right password, the right digest and
//! the right ciphers do they begin with `TRUE` or `VERA` and agree with their two CRC-32 values. So every digest is tried,
//! and under each every chain of ciphers. A second header, at byte 65536, belongs to a hidden volume; copies of both lie at
//! the end. A disk that a system starts from has its header in sector 62 and its partitions encrypted in place.
//!
//! **Read:** XTS mode with AES, Serpent, Twofish, Camellia and Kuznyechik and all their chains; PBKDF2 with SHA-512, SHA-256,
//! BLAKE2s, Whirlpool, RIPEMD-160 and Streebog, Argon2id; a PIM; key files; hidden volumes; either header; partitions and
//! disks that a system starts from.
//! **Not read:** volumes that TrueCrypt 4 and earlier made (CBC and LRW mode, SHA-1, Blowfish, CAST5, Triple DES), passwords of
//! more than 128 bytes, the partition of an encrypted system without its disk. They stay what they were taken for.
//!
//! **Bounds.** One password is some 20 million units of work for each header (see [`Work`]): several seconds to a minute.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `tcrypt-not-opened` | no header opened with what was given: it is either a wrong key or no such volume |
//! | `tcrypt-not-tried` | the same, and not every way was tried: work or memory was used up, or the password is too long |
//! | `tcrypt-damaged` | a header opened and contradicts itself, or its volume was not encrypted to its end |
//! | `tcrypt-backup-header-used` | the header at the beginning did not open, its copy at the end did |
//! | `tcrypt-may-hide` | an outer volume was opened: what looks free in it may be a hidden one with another password |
//! | `tcrypt-part-encrypted` | only a part of a system is encrypted; the rest was read as it is |
//! | `tcrypt-cut` | the volume declares more bytes than there are |

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::error::{OpenError, Problem};
use crate::scratch::Access;
use crate::source::{Source, SubSource, read_up_to};

mod derive;
mod header;

use super::sealed::{SECTOR, Sealed, Xts};
use derive::{Candidate, Derivation, Job};
use header::{Header, SALT};

const LAYER: &str = "tcrypt";
/// Bytes of a header.
const HEADER: usize = 512;
/// Where the header of a hidden volume lies, and the copies of both before the end.
const HIDDEN: u64 = 65_536;
const COPY: u64 = 131_072;
/// Where the header of a hidden volume lay before TrueCrypt 6, before the end.
const OLD_HIDDEN: u64 = 1536;
/// Where the header of a disk lies that a system starts from.
const SYSTEM: u64 = 62 * 512;
/// Bits per byte that a header exceeds: 512 random bytes have 7.59 on average, and fall below 7.3 practically never.
const RANDOM: f64 = 7.3;
/// Work of one piece of evidence.
const MOST_WORK: u64 = 400_000_000;

/// Whose volume it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brand {
    /// TrueCrypt.
    TrueCrypt,
    /// VeraCrypt.
    VeraCrypt,
}

impl Brand {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrueCrypt => "TrueCrypt",
            Self::VeraCrypt => "VeraCrypt",
        }
    }
}

/// How much work is left for trying, and with which digest. A unit is about a microsecond: one block of PBKDF2 in one round,
/// or one KiB of Argon2 in one pass. A password without a PIM is some 20 million for each header, and a volume has up to four
/// places for one; all volumes of one piece of evidence may take 400 million.
#[derive(Debug)]
pub struct Work {
    left: u64,
    digest: Option<String>,
}

impl Default for Work {
    fn default() -> Self {
        Self::at_most(MOST_WORK)
    }
}

impl Work {
    /// For less than evidence is given, as a test or a fuzzer wants.
    pub fn at_most(units: u64) -> Self {
        Self { left: units.min(MOST_WORK), digest: None }
    }

    /// Where the digest is known, such as `SHA-512`: no other is tried.
    #[must_use]
    pub fn only(self, digest: &str) -> Self {
        Self { digest: Some(digest.to_owned()), ..self }
    }

    fn take(&mut self, units: u64) -> bool {
        let left = self.left.checked_sub(units);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }

    fn wants(&self, derivation: &Derivation) -> bool {
        self.digest.as_deref().is_none_or(|name| name == derivation.hash.name())
    }
}

/// Where a header lay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    First,
    Hidden,
    Copy,
    HiddenCopy,
    OldHidden,
    System,
}

impl Place {
    fn offset(self, length: u64) -> Option<u64> {
        match self {
            Self::First => Some(0),
            Self::Hidden => Some(HIDDEN),
            Self::Copy => length.checked_sub(COPY).filter(|at| *at > 0),
            Self::HiddenCopy => length.checked_sub(HIDDEN).filter(|at| *at > HIDDEN),
            Self::OldHidden => length.checked_sub(OLD_HIDDEN).filter(|at| *at > 0),
            Self::System => Some(SYSTEM),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::First => "outer volume",
            Self::Hidden | Self::OldHidden => "hidden volume",
            Self::Copy => "outer volume, by the copy of its header",
            Self::HiddenCopy => "hidden volume, by the copy of its header",
            Self::System => "encrypted system",
        }
    }

    fn is_hidden(self) -> bool {
        matches!(self, Self::Hidden | Self::OldHidden | Self::HiddenCopy)
    }

    fn is_copy(self) -> bool {
        matches!(self, Self::Copy | Self::HiddenCopy)
    }
}

/// What an opened header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whose volume it is.
    pub brand: Brand,
    /// Version of the header.
    pub version: u16,
    /// The oldest version of the program that can open it, as it is written: 0x0700 is 7.0.
    pub needs: u16,
    /// The digest, such as `SHA-512`.
    pub digest: &'static str,
    /// The ciphers as the program names them, such as `AES-Twofish-Serpent`.
    pub ciphers: &'static str,
    /// Bytes of all keys of the data.
    pub key_bytes: usize,
    /// Whether it is a hidden volume.
    pub hidden: bool,
    /// Where the data begin.
    pub offset: u64,
    /// Their bytes.
    pub length: u64,
    /// Bytes of a sector.
    pub sector: u32,
}

/// An unlocked volume.
pub struct Unlocked {
    /// Its plain bytes.
    pub source: Arc<dyn Source>,
    /// What opened it, in a clause: never the key.
    pub how: String,
    /// What its header says.
    pub facts: Facts,
    /// What was found wrong, and what else there may be.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for Unlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unlocked({})", self.how)
    }
}

/// A disk that a system starts from, unlocked.
pub struct System {
    cipher: Arc<Xts>,
    /// The bytes of the disk that are encrypted.
    area: Range<u64>,
    /// What opened it, in a clause: never the key.
    pub how: String,
    /// What its header says.
    pub facts: Facts,
    /// What was found wrong.
    pub problems: Vec<Problem>,
}

impl System {
    /// The plain bytes of a partition, which begins at `start` of the disk; `None` where none of it is encrypted.
    pub fn over(&self, partition: &Arc<dyn Source>, start: u64) -> Option<Arc<dyn Source>> {
        let end = start.saturating_add(partition.len());
        let (from, to) = (self.area.start.max(start), self.area.end.min(end));
        let whole = start.is_multiple_of(SECTOR as u64) && from < to;
        whole.then(|| {
            let encrypted = from.saturating_sub(start)..to.saturating_sub(start);
            let first = start / SECTOR as u64;
            let plain = Sealed::new(LAYER, Arc::clone(partition), Arc::clone(&self.cipher), first).only(encrypted);
            Arc::new(plain) as Arc<dyn Source>
        })
    }
}

/// Why a volume stayed locked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locked {
    /// Nothing was given to open it with.
    NothingGiven,
    /// No header opened with what was given.
    NotOpened,
    /// No header opened, and not every way was tried, for the reason in the clause.
    NotTried(String),
    /// A header opened and what it says is not read, as the clause says.
    Damaged(String),
}

const NOT_OPENED: &str = "no header opened with what was given: it is either a wrong key or no such volume";

impl fmt::Display for Locked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingGiven => f.write_str("neither a password nor a key file was given"),
            Self::NotOpened => f.write_str(NOT_OPENED),
            Self::NotTried(why) => write!(f, "{NOT_OPENED}; {why}"),
            Self::Damaged(why) => f.write_str(why),
        }
    }
}

impl Locked {
    /// The problem's code; `None` where nothing was tried because nothing was given.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::NothingGiven => None,
            Self::NotOpened => Some("tcrypt-not-opened"),
            Self::NotTried(_) => Some("tcrypt-not-tried"),
            Self::Damaged(_) => Some("tcrypt-damaged"),
        }
    }
}

/// Whether bytes may be a header: only what looks random can.
fn looks_random(bytes: &[u8]) -> bool {
    bytes.len() == HEADER && super::recognise::entropy(bytes) > RANDOM
}

/// Whether a volume may begin with a header: it is whole sectors, and its first looks random. Nothing else is worth the work.
pub fn may_be(source: &dyn Source) -> bool {
    source.len().is_multiple_of(SECTOR as u64) && read_up_to(source, 0, HEADER).is_ok_and(|bytes| looks_random(&bytes))
}

/// Whether a disk may have the header of a system.
pub fn may_be_system(source: &dyn Source) -> bool {
    read_up_to(source, SYSTEM, HEADER).is_ok_and(|bytes| looks_random(&bytes))
}

/// A header that may be tried.
struct Spot {
    place: Place,
    bytes: [u8; HEADER],
}

impl Spot {
    fn job<'a>(&'a self, derivation: Derivation, candidate: &'a Candidate) -> Job<'a> {
        let salt = self.bytes.get(..SALT).unwrap_or_default();
        Job { derivation, password: candidate.bytes.as_slice(), salt }
    }
}

/// The header that opened, and with what.
struct Hit {
    place: Place,
    header: Header,
    derivation: Derivation,
    word: &'static str,
}

/// The headers at these places that look random.
fn spots(source: &Arc<dyn Source>, places: &[Place]) -> Vec<Spot> {
    let read = |place: &Place| {
        let bytes = read_up_to(source, place.offset(source.len())?, HEADER).ok()?;
        let random = looks_random(&bytes);
        Some(Spot { place: *place, bytes: bytes.try_into().ok()? }).filter(|_| random)
    };
    places.iter().filter_map(read).collect()
}

/// What was not tried, and why.
#[derive(Default)]
struct Untried {
    why: Vec<String>,
    /// For lack of work.
    left_out: u64,
}

/// Tries one derivation with what was given on headers, as many at once as the machine can.
fn attempt(
    derivation: Derivation,
    pairs: &[(&Candidate, &Spot)],
    work: &mut Work,
    untried: &mut Untried,
) -> Result<Option<Hit>, Locked> {
    for pairs in pairs.chunks(derive::at_once(derivation)) {
        let jobs: Vec<Job<'_>> = pairs.iter().map(|(c, spot)| spot.job(derivation, c)).collect();
        for (key, (candidate, spot)) in derive::run(&jobs, work).into_iter().zip(pairs) {
            let key = match key {
                Some(Ok(key)) => key,
                Some(Err(why)) => {
                    if !untried.why.contains(&why) {
                        untried.why.push(why);
                    }
                    continue;
                }
                None => {
                    untried.left_out = untried.left_out.saturating_add(1);
                    continue;
                }
            };
            match header::open(&spot.bytes, &key, derivation.brand) {
                Ok(None) => {}
                Ok(Some(header)) => {
                    return Ok(Some(Hit { place: spot.place, header, derivation, word: candidate.word }));
                }
                Err(OpenError::Malformed { detail, .. }) => return Err(Locked::Damaged(detail)),
                Err(error) => return Err(Locked::Damaged(error.to_string())),
            }
        }
    }
    Ok(None)
}

/// Tries every derivation with everything that was given, on headers in groups: those of a later group only where none of
/// an earlier one opened.
fn search(groups: &[Vec<Spot>], access: &Access, system: bool, work: &mut Work) -> Result<Hit, Locked> {
    let (candidates, too_long) = derive::candidates(access);
    if candidates.is_empty() && !too_long {
        return Err(Locked::NothingGiven);
    }
    let mut untried = Untried::default();
    if too_long {
        untried.why.push("the password was not tried: it is longer than any such volume takes".into());
    }
    let all = derive::all(access.veracrypt_pim, system);
    let (quick, slow): (Vec<Derivation>, Vec<Derivation>) =
        all.into_iter().filter(|d| work.wants(d)).partition(|d| d.brand == Brand::TrueCrypt);
    for (derivations, truecrypt) in [(quick, true), (slow, false)] {
        for group in groups {
            let takes = |c: &&Candidate| c.truecrypt || !truecrypt;
            let fits = |spot: &&Spot| truecrypt || spot.place != Place::OldHidden;
            let mut pairs: Vec<(&Candidate, &Spot)> = vec![];
            for candidate in candidates.iter().filter(takes) {
                pairs.extend(group.iter().filter(fits).map(|spot| (candidate, spot)));
            }
            for derivation in &derivations {
                if let Some(hit) = attempt(*derivation, &pairs, work, &mut untried)? {
                    return Ok(hit);
                }
            }
        }
    }
    if untried.left_out > 0 {
        untried.why.push(format!(
            "{} of the ways to derive its key were not tried: the work that is spent on one piece of evidence was used up",
            untried.left_out
        ));
    }
    Err(if untried.why.is_empty() { Locked::NotOpened } else { Locked::NotTried(untried.why.join("; ")) })
}

impl Hit {
    fn facts(&self, hidden: bool, offset: u64, length: u64) -> Facts {
        Facts {
            brand: self.derivation.brand,
            version: self.header.version,
            needs: self.header.needs,
            digest: self.derivation.hash.name(),
            ciphers: self.header.chain,
            key_bytes: self.header.key_bytes,
            hidden,
            offset,
            length,
            sector: self.header.sector,
        }
    }

    fn how(&self) -> String {
        format!(
            "{} ({} in XTS mode), unlocked with the {} ({}, {})",
            self.derivation.brand.as_str(),
            self.header.chain,
            self.word,
            self.place.words(),
            self.derivation.hash.name()
        )
    }
}

/// Unlocks a volume with what is given.
///
/// # Errors
/// [`Locked`] says why it stayed locked.
pub fn unlock(source: &Arc<dyn Source>, access: &Access, work: &mut Work) -> Result<Unlocked, Locked> {
    use Place::{Copy, First, Hidden, HiddenCopy, OldHidden};
    let groups = [spots(source, &[First, Hidden, OldHidden]), spots(source, &[Copy, HiddenCopy])];
    let hit = search(&groups, access, false, work)?;
    let header = &hit.header;
    let hidden = hit.place.is_hidden();
    let damaged = |what: &str| Locked::Damaged(format!("the header opened, and {what}"));
    let declared = if hidden { header.hidden_bytes } else { header.volume_bytes };
    let total = source.len();
    let (offset, declared) = match (hit.place, header.version) {
        // Before version 4 a hidden volume ended where its header began.
        (OldHidden, _) => {
            let offset = total.checked_sub(OLD_HIDDEN).and_then(|end| end.checked_sub(declared));
            (offset.ok_or_else(|| damaged("its data are larger than the volume"))?, declared)
        }
        (_, ..4) if declared == 0 => (header.area_start, total.saturating_sub(header.area_start)),
        _ => (header.area_start, declared),
    };
    if declared == 0 || offset >= total || !offset.is_multiple_of(SECTOR as u64) {
        return Err(damaged("its data lie past the end, are none or begin within a sector"));
    }
    // Where the program encrypts a volume in place it works from the end, and opens nothing before it is done.
    if (1..declared).contains(&header.area_bytes) && header.version >= 4 {
        return Err(damaged("only a part of its data is encrypted: this was begun and not finished"));
    }
    let mut problems = vec![];
    let mut say = |code, offset, detail: &str| problems.push(Problem::new(LAYER, code, offset, detail));
    if hit.place.is_copy() {
        let detail = "the header at the beginning did not open with what was given; its copy at the end was used";
        say("tcrypt-backup-header-used", hit.place.offset(total), detail);
    }
    if declared > total.saturating_sub(offset) {
        say("tcrypt-cut", Some(total), "the encrypted volume declares more bytes than there are");
    }
    if !hidden {
        let detail = "the outer volume was opened; what looks free in it may be a hidden volume with another password";
        say("tcrypt-may-hide", None, detail);
    }
    let data = Arc::new(SubSource::new(Arc::clone(source), offset, declared));
    let facts = hit.facts(hidden, offset, declared);
    let how = hit.how();
    let plain = Sealed::new(LAYER, data, Arc::new(hit.header.cipher), offset / SECTOR as u64);
    Ok(Unlocked { source: Arc::new(plain), how, facts, problems })
}

/// Unlocks a disk that a system starts from.
///
/// # Errors
/// As [`unlock`].
pub fn unlock_system(disk: &Arc<dyn Source>, access: &Access, work: &mut Work) -> Result<System, Locked> {
    let hit = search(&[spots(disk, &[Place::System])], access, true, work)?;
    let header = &hit.header;
    // What has been encrypted so far, and never more than the system has.
    let (start, length) = (header.area_start, header.area_bytes.min(header.volume_bytes));
    let mut problems = vec![];
    if length < header.volume_bytes {
        let detail = "only a part of the system is encrypted; the rest was read as it is";
        problems.push(Problem::new(LAYER, "tcrypt-part-encrypted", None, detail));
    }
    if start.saturating_add(length) > disk.len() {
        let detail = "the encrypted system declares more bytes than there are";
        problems.push(Problem::new(LAYER, "tcrypt-cut", Some(disk.len()), detail));
    }
    let facts = hit.facts(false, start, length);
    let how = hit.how();
    let area = start..start.saturating_add(length);
    Ok(System { cipher: Arc::new(hit.header.cipher), area, how, facts, problems })
}
