//! Android backups (`adb backup`, `.ab`): a few lines of text, then a tar archive that may be compressed and encrypted.
//!
//! After the backup code of the Android Open Source Project (`PerformFullBackupTask`, `PasswordUtils`), versions 1 to 5.
//! The lines are: `ANDROID BACKUP`, the version, 1 where the archive is a zlib stream, and `none` or `AES-256`. Where it is
//! encrypted there follow the salt of the password, the salt of the check value, the rounds of PBKDF2, an IV, and the sealed
//! master key, in hexadecimal digits. The master key is sealed with a key that PBKDF2-HMAC-SHA1 derives of the password;
//! beside it lies a check value of its own, so a wrong password is known for certain.
//!
//! **The check value** is PBKDF2 of the master key's bytes taken as characters: Java widens a byte of 128 or more to
//! U+FF80 and above, and later versions encode that as UTF-8. Version 1 takes the low eight bits of every character, of the
//! password too. Both ways are tried for every version, because programs that are not Android's differ here.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `padding-wrong` | the encrypted data do not end as they should: the backup was cut off |
//!
//! and those of [`crate::unpack`].

use std::sync::Arc;

use crate::crypto::{self, Decrypted, Key};
use crate::error::{OpenError, Problem};
use crate::scratch::Access;
use crate::source::{Source, SubSource, read_up_to};
use crate::unpack::{Limit, Packing, unpack};

const LAYER: &str = "android-backup";
/// The first line.
pub(crate) const MAGIC: &[u8] = b"ANDROID BACKUP\n";
/// Bytes of the lines at most. Android writes some 600.
const MOST_HEADER: usize = 4096;
/// Rounds of PBKDF2 at most; Android asks for 10,000. More would only cost time.
const MOST_ROUNDS: u32 = 10_000_000;
const WHAT: &str = "an Android backup";

/// An opened backup.
pub struct AndroidBackup {
    /// The tar archive inside.
    pub tar: Arc<dyn Source>,
    /// What the header says, as name and value.
    pub facts: Vec<(String, String)>,
    /// What was wrong on the way.
    pub problems: Vec<Problem>,
}

/// The lines before the archive, and where it begins.
struct Header {
    version: u32,
    compressed: bool,
    lock: Option<Lock>,
    body: u64,
}

/// What the lines of an encrypted backup give.
struct Lock {
    salt: Vec<u8>,
    check_salt: Vec<u8>,
    rounds: u32,
    iv: [u8; crypto::BLOCK],
    sealed_key: Vec<u8>,
}

fn unhex(line: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(line).ok()?;
    let digits = line.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    let byte = |i: usize| u8::from_str_radix(text.get(i..i.checked_add(2)?)?, 16).ok();
    digits.then(|| (0..line.len()).step_by(2).map_while(byte).collect())
}

fn header(head: &[u8]) -> Result<Header, OpenError> {
    let mut at = 0usize;
    let mut line = |what: &str| {
        let rest = head.get(at..).unwrap_or_default();
        let Some(end) = rest.iter().position(|b| *b == b'\n') else {
            return Err(OpenError::malformed(LAYER, at as u64, format!("the header ends before its {what}")));
        };
        let found = (rest.get(..end).unwrap_or_default(), at as u64);
        at = at.saturating_add(end).saturating_add(1);
        Ok(found)
    };
    let wrong =
        |(_, at): (&[u8], u64), what: &str| OpenError::malformed(LAYER, at, format!("its {what} cannot be read"));
    let number = |line: (&[u8], u64), what: &str| {
        std::str::from_utf8(line.0).ok().and_then(|t| t.parse::<u32>().ok()).ok_or_else(|| wrong(line, what))
    };
    let bytes = |line: (&[u8], u64), what: &str| unhex(line.0).ok_or_else(|| wrong(line, what));
    line("first line")?;
    let version = number(line("version")?, "version")?;
    if !(1..=5).contains(&version) {
        return Err(OpenError::Unsupported {
            what: format!("an Android backup of version {version}"),
            advice: "Versions 1 to 5 are read. Unpack it with a tool that knows this one, and examine the folder",
        });
    }
    let compressed = number(line("mark of compression")?, "mark of compression")? != 0;
    let cipher = line("encryption")?;
    let lock = match cipher.0 {
        b"none" => None,
        b"AES-256" => {
            let salt = bytes(line("salt")?, "salt")?;
            let check_salt = bytes(line("second salt")?, "second salt")?;
            let rounds = line("number of rounds")?;
            let rounds = number(rounds, "number of rounds").and_then(|n| {
                if (1..=MOST_ROUNDS).contains(&n) { Ok(n) } else { Err(wrong(rounds, "number of rounds")) }
            })?;
            let iv_line = line("initial vector")?;
            let iv = bytes(iv_line, "initial vector")?.try_into().map_err(|_| wrong(iv_line, "initial vector"))?;
            Some(Lock { salt, check_salt, rounds, iv, sealed_key: bytes(line("sealed key")?, "sealed key")? })
        }
        _ => {
            return Err(OpenError::Unsupported {
                what: "an Android backup with an encryption of another kind than AES-256".into(),
                advice: "Decrypt it with the tool that made it, and examine the result",
            });
        }
    };
    Ok(Header { version, compressed, lock, body: at as u64 })
}

/// A password as bytes for the derivation: its UTF-8 as it is, or the low eight bits of each of its UTF-16 units.
fn low_bits(password: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(password).ok()?;
    Some(text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect())
}

/// The bytes of a key as Java's characters in UTF-8.
fn widened(key: &[u8]) -> Vec<u8> {
    let unit = |byte: &u8| {
        let code = u32::from(*byte) | if *byte >= 0x80 { 0xFF00 } else { 0 };
        char::from_u32(code).unwrap_or_default()
    };
    key.iter().map(unit).collect::<String>().into_bytes()
}

impl Lock {
    /// The master key and its IV; `None` where the password is another.
    fn open(&self, password: &[u8]) -> Option<(Key, [u8; crypto::BLOCK])> {
        let ways = [Some(password.to_vec()), low_bits(password).filter(|low| low != password)];
        ways.into_iter().flatten().find_map(|password| {
            let user = crypto::pbkdf2_sha1(&password, &self.salt, self.rounds);
            let blob = crypto::decrypt_padded(&user, &self.iv, &self.sealed_key)?;
            let mut rest: &[u8] = &blob;
            let mut part = || {
                let (length, after) = rest.split_first()?;
                let (part, after) = after.split_at_checked(usize::from(*length))?;
                rest = after;
                Some(part)
            };
            let (iv, master, check) = (part()?, part()?, part()?);
            let key = crypto::key(master)?;
            let derived = |bytes: &[u8]| crypto::pbkdf2_sha1(bytes, &self.check_salt, self.rounds);
            let agrees = *derived(&widened(master)) == *check || *derived(master) == *check;
            agrees.then_some((key, iv.try_into().ok()?))
        })
    }
}

impl AndroidBackup {
    /// Opens a backup.
    ///
    /// # Errors
    /// [`OpenError::Locked`] where it is encrypted and no password was given, [`OpenError::WrongPassword`] where another one
    /// was; [`OpenError::Unsupported`] and [`OpenError::Malformed`] for headers that are not understood.
    pub fn open(source: &Arc<dyn Source>, access: &Access) -> Result<Self, OpenError> {
        Self::open_within(source, access, Limit::EVIDENCE)
    }

    /// As [`AndroidBackup::open`], for one that may unpack to no more than `limit`.
    ///
    /// # Errors
    /// As there.
    pub fn open_within(source: &Arc<dyn Source>, access: &Access, limit: Limit) -> Result<Self, OpenError> {
        let head = read_up_to(source, 0, MOST_HEADER)?;
        if !head.starts_with(MAGIC) {
            return Err(OpenError::malformed(LAYER, 0, "this is no Android backup"));
        }
        let header = header(&head)?;
        let body: Arc<dyn Source> = Arc::new(SubSource::new(Arc::clone(source), header.body, u64::MAX));
        let yes_no = |yes| if yes { "yes" } else { "no" };
        let facts = vec![
            ("backup format".to_owned(), format!("Android backup, version {}", header.version)),
            ("compressed".to_owned(), yes_no(header.compressed).to_owned()),
            ("encrypted".to_owned(), yes_no(header.lock.is_some()).to_owned()),
        ];
        let mut problems = vec![];
        let plain: Arc<dyn Source> = match header.lock {
            None => body,
            Some(lock) => {
                let Some(password) = &access.password else { return Err(OpenError::locked(WHAT)) };
                let (key, iv) = lock.open(password.bytes()).ok_or_else(|| OpenError::wrong_password(WHAT))?;
                let mut plain = Decrypted::new(LAYER, body, &key, iv);
                if !plain.unpad()? {
                    let detail = "the encrypted data do not end as they should: the backup may have been cut off";
                    problems.push(Problem::new(LAYER, "padding-wrong", Some(source.len()), detail));
                }
                Arc::new(plain)
            }
        };
        let tar = if header.compressed {
            let unpacked = unpack(Packing::Zlib, &*plain, limit, &*access.scratch)?;
            problems.extend(unpacked.problems);
            unpacked.source
        } else {
            plain
        };
        Ok(Self { tar, facts, problems })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_of_java() {
        assert_eq!(widened(&[0x41, 0x80, 0xC1, 0xFF]), b"A\xef\xbe\x80\xef\xbf\x81\xef\xbf\xbf");
        assert_eq!(low_bits("aé€".as_bytes()).unwrap(), [b'a', 0xE9, 0xAC]);
        assert_eq!(unhex(b"00fF"), Some(vec![0, 255]));
        assert_eq!((unhex(b"0"), unhex(b"0g")), (None, None));
    }
}
