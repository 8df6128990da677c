//! The header of version 2: a binary part and JSON, with a checksum over both; twice.

use std::sync::Arc;

use argon2::Algorithm;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::first::{MAGIC, text, uuid};
use super::slots::{Check, Derivation, Slot};
use super::{Header, LAYER, MOST_KEY, Segment, word};
use crate::bytes::{array, be_u16, be_u64};
use crate::crypto::Hash;
use crate::error::{OpenError, Problem};
use crate::source::{Source, read_up_to};
use crate::volume::plain::MOST_SECTOR;

const SECOND_MAGIC: &[u8] = b"SKUL\xba\xbe";
/// Bytes of the binary part.
const BINARY: usize = 4096;
/// Powers of two that a header may be long, as powers: 16 KiB to 4 MiB.
const POWERS: std::ops::RangeInclusive<u32> = 14..=22;
/// Keyslots at most, as cryptsetup has it.
const MOST_SLOTS: usize = 32;
/// Bytes of a salt or digest at most.
const MOST_BYTES: usize = 512;

/// One of the two copies, whose checksum agrees.
struct Copy {
    sequence: u64,
    size: u64,
    uuid: String,
    json: Value,
}

fn wrong(at: u64, detail: impl Into<String>) -> OpenError {
    OpenError::malformed(LAYER, at, detail)
}

/// Reads the copy that begins at `at`.
fn copy(source: &Arc<dyn Source>, at: u64) -> Result<Copy, OpenError> {
    let binary = read_up_to(source, at, BINARY)?;
    let magic = if at == 0 { MAGIC } else { SECOND_MAGIC };
    if !binary.starts_with(magic) || be_u16(&binary, 6) != Some(2) {
        return Err(wrong(at, "there is no header"));
    }
    let size = be_u64(&binary, 8).unwrap_or(0);
    if !POWERS.map(|p| 1u64 << p).any(|s| s == size) || be_u64(&binary, 256) != Some(at) || (at != 0 && at != size) {
        return Err(wrong(at, "the header's size or place cannot be"));
    }
    let mut whole = read_up_to(source, at, usize::try_from(size).unwrap_or(usize::MAX))?;
    let name = text(&binary, 72, 32);
    let hash = Hash::named(&name)
        .ok_or_else(|| wrong(at.saturating_add(72), format!("its checksum {} is not known", word(&name))))?;
    let stored: Option<[u8; 64]> = array(&binary, 448);
    if let Some(field) = whole.get_mut(448..512) {
        field.fill(0);
    }
    let found = hash.of(&[&whole]);
    if whole.len() as u64 != size || stored.is_none_or(|s| !s.starts_with(&found)) {
        return Err(wrong(at, "the header's checksum does not agree"));
    }
    let area = whole.get(BINARY..).unwrap_or_default();
    let end = area.iter().position(|b| *b == 0).unwrap_or(area.len());
    let json = serde_json::from_slice(area.get(..end).unwrap_or_default())
        .map_err(|_| wrong(at.saturating_add(BINARY as u64), "the header's description is no JSON"))?;
    Ok(Copy { sequence: be_u64(&binary, 16).unwrap_or(0), size, uuid: uuid(&binary), json })
}

/// The newer of the copies that hold, and whether the other one does not or is another.
fn newest(source: &Arc<dyn Source>) -> Result<(Copy, bool), OpenError> {
    let primary = copy(source, 0);
    let second = match &primary {
        Ok(primary) => copy(source, primary.size).ok(),
        // Where the second lies is then not known.
        Err(_) => POWERS.map(|p| copy(source, 1 << p)).find_map(Result::ok),
    };
    match (primary, second) {
        (Ok(first), Some(second)) => {
            let differ = first.sequence != second.sequence;
            Ok((if second.sequence > first.sequence { second } else { first }, differ))
        }
        (Ok(one), None) | (Err(_), Some(one)) => Ok((one, true)),
        (Err(error), None) => Err(error),
    }
}

/// A member of an object; nothing where it is absent or of another kind.
fn member<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.get(name).unwrap_or(&Value::Null)
}

fn string<'v>(value: &'v Value, name: &str) -> &'v str {
    member(value, name).as_str().unwrap_or_default()
}

/// A number of 64 bits, which the format writes as a string.
fn long(value: &Value, name: &str) -> Option<u64> {
    string(value, name).parse().ok()
}

fn size(value: &Value, name: &str) -> Option<usize> {
    usize::try_from(member(value, name).as_u64()?).ok()
}

fn short(value: &Value, name: &str) -> Option<u32> {
    u32::try_from(member(value, name).as_u64()?).ok()
}

fn bytes(value: &Value, name: &str) -> Option<Vec<u8>> {
    STANDARD.decode(string(value, name)).ok().filter(|b| b.len() <= MOST_BYTES)
}

fn hash(value: &Value) -> Result<Hash, String> {
    let name = string(value, "hash");
    Hash::named(name).ok_or_else(|| format!("its digest {} is not read", word(name)))
}

/// Whether a list of names holds one.
fn lists(value: &Value, name: &str, key: &str) -> bool {
    member(value, name).as_array().is_some_and(|list| list.iter().any(|one| one.as_str() == Some(key)))
}

fn derivation(kdf: &Value) -> Result<Derivation, String> {
    const UNREADABLE: &str = "its derivation cannot be read";
    let salt = bytes(kdf, "salt").ok_or(UNREADABLE)?;
    let algorithm = match string(kdf, "type") {
        "pbkdf2" => {
            let rounds = short(kdf, "iterations").ok_or(UNREADABLE)?;
            return Ok(Derivation::Pbkdf2 { hash: hash(kdf)?, salt, rounds });
        }
        "argon2i" => Algorithm::Argon2i,
        "argon2id" => Algorithm::Argon2id,
        other => return Err(format!("its derivation {} is not read", word(other))),
    };
    let number = |name| short(kdf, name).ok_or(UNREADABLE);
    Ok(Derivation::Argon2 { algorithm, salt, time: number("time")?, memory: number("memory")?, lanes: number("cpus")? })
}

fn slot(number: u32, value: &Value, check: &Check) -> Result<Slot, String> {
    const UNREADABLE: &str = "its description cannot be read";
    let kind = string(value, "type");
    if kind != "luks2" {
        return Err(format!("its kind {} is not read", word(kind)));
    }
    let (area, spread) = (member(value, "area"), member(value, "af"));
    if string(area, "type") != "raw" || string(spread, "type") != "luks1" {
        return Err("it keeps its key in a way that is not read".into());
    }
    Ok(Slot {
        number,
        derivation: derivation(member(value, "kdf"))?,
        offset: long(area, "offset").ok_or(UNREADABLE)?,
        room: long(area, "size").ok_or(UNREADABLE)?,
        cipher: string(area, "encryption").to_owned(),
        cipher_key: size(area, "key_size").ok_or(UNREADABLE)?,
        key_bytes: size(value, "key_size").ok_or(UNREADABLE)?,
        stripes: size(spread, "stripes").ok_or(UNREADABLE)?,
        spread: hash(spread)?,
        check: check.clone(),
    })
}

/// The part of the volume that is encrypted, and why it cannot be read, if it cannot.
fn segment(json: &Value, size_of_headers: u64) -> Option<(String, Segment, Option<String>)> {
    let segments = member(json, "segments").as_object()?;
    let (name, value) = segments.iter().next()?;
    let mandatory = member(member(member(json, "config"), "requirements"), "mandatory");
    let mandatory: Vec<&str> = mandatory.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let kind = string(value, "type");
    let offset = long(value, "offset")?;
    let sector = size(value, "sector_size").unwrap_or(512);
    let length = match string(value, "size") {
        "dynamic" => None,
        number => Some(number.parse().ok()?),
    };
    let hindrance = if segments.len() > 1 || mandatory.iter().any(|m| m.contains("reencrypt")) {
        Some("it was being re-encrypted or decrypted, and that was not finished".to_owned())
    } else if let Some(first) = mandatory.first() {
        Some(format!("it requires {}, which is not known", word(first)))
    } else if kind != "crypt" {
        Some(format!("its data are of the kind {}, which is not read", word(kind)))
    } else if value.get("integrity").is_some() {
        Some("its data carry integrity tags, which are not read".into())
    } else if offset < size_of_headers {
        Some("this is the header of a volume whose data lie on another device".into())
    } else if !sector.is_power_of_two() || !(512..=MOST_SECTOR).contains(&sector) {
        Some(format!("sectors of {sector} bytes cannot be"))
    } else {
        None
    };
    let cipher = string(value, "encryption").to_owned();
    let first = long(value, "iv_tweak").unwrap_or(0);
    Some((name.clone(), Segment { offset, length, cipher, sector, first }, hindrance))
}

/// The digest that belongs to the segment.
fn check<'v>(json: &'v Value, segment: &str) -> Option<(&'v Value, Result<Check, String>)> {
    let digests = member(json, "digests").as_object()?;
    let digest = digests.values().find(|d| lists(d, "segments", segment))?;
    let made = || {
        let unreadable = "the digest of its key cannot be read";
        if string(digest, "type") != "pbkdf2" {
            return Err("the digest of its key is of a kind that is not read".to_owned());
        }
        Ok(Check {
            hash: hash(digest)?,
            salt: bytes(digest, "salt").ok_or(unreadable)?,
            rounds: short(digest, "iterations").ok_or(unreadable)?,
            value: bytes(digest, "digest").filter(|d| d.len() >= 16).ok_or(unreadable)?,
        })
    };
    Some((digest, made()))
}

/// The header.
pub(super) fn read(source: &Arc<dyn Source>) -> Result<Header, OpenError> {
    let (copy, differ) = newest(source)?;
    let description = BINARY as u64;
    let mut problems = vec![];
    if differ {
        let detail = "one of the two headers is damaged or older than the other, which was used";
        problems.push(Problem::new(LAYER, "luks-header-copy-used", Some(0), detail));
    }
    let headers = copy.size.saturating_mul(2);
    let (name, segment, mut hindrance) =
        segment(&copy.json, headers).ok_or_else(|| wrong(description, "the header describes no data"))?;
    if hindrance.is_none() && segment.offset >= source.len() {
        return Err(wrong(description, "the data would begin past the end"));
    }
    let (mut slots, mut refused, mut key_bytes) = (vec![], vec![], 0);
    match check(&copy.json, &name) {
        None => {
            hindrance.get_or_insert_with(|| "it has no digest of its key".into());
        }
        Some((_, Err(why))) => {
            hindrance.get_or_insert(why);
        }
        Some((digest, Ok(check))) => {
            let none = Map::new();
            let all = member(&copy.json, "keyslots").as_object().unwrap_or(&none);
            // Keyslots of no digest hold a key of something else.
            let mut ours: Vec<(u32, &Value)> = all
                .iter()
                .filter(|(name, _)| lists(digest, "keyslots", name))
                .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
                .collect();
            ours.sort_by_key(|(number, _)| *number);
            for (number, value) in ours.into_iter().take(MOST_SLOTS) {
                match slot(number, value, &check) {
                    Ok(slot) if slot.offset < headers || slot.offset >= segment.offset => {
                        refused.push((number, "its place cannot be".to_owned()));
                    }
                    Ok(slot) => {
                        key_bytes = slot.key_bytes.min(MOST_KEY);
                        slots.push(slot);
                    }
                    Err(why) => refused.push((number, why)),
                }
            }
        }
    }
    Ok(Header { version: 2, uuid: copy.uuid, key_bytes, segment, slots, refused, hindrance, problems })
}
