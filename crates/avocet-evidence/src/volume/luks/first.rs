//! The header of version 1: 592 bytes with eight keyslots, big-endian.

use std::sync::Arc;

use super::slots::{Check, Derivation, Slot};
use super::{Header, LAYER, MOST_KEY, Segment, word};
use crate::bytes::{array, be_u16, be_u32};
use crate::crypto::Hash;
use crate::error::OpenError;
use crate::source::{Source, read_up_to};

pub(super) const MAGIC: &[u8] = b"LUKS\xba\xbe";
const LENGTH: usize = 592;
const SECTOR: u64 = 512;
const ENABLED: u32 = 0x00AC_71F3;

/// A field of text that ends with a zero.
pub(super) fn text(header: &[u8], at: usize, length: usize) -> String {
    let field = header.get(at..at.saturating_add(length)).unwrap_or_default();
    let end = field.iter().position(|b| *b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(field.get(..end).unwrap_or_default()).into_owned()
}

/// The UUID where the field holds one.
pub(super) fn uuid(header: &[u8]) -> String {
    let found = text(header, 168, 40);
    if found.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') { found } else { String::new() }
}

/// The header; `None` where it is not one of version 1.
pub(super) fn read(source: &Arc<dyn Source>) -> Result<Option<Header>, OpenError> {
    let head = read_up_to(source, 0, LENGTH)?;
    if !head.starts_with(MAGIC) || be_u16(&head, 6) != Some(1) {
        return Ok(None);
    }
    let ended = || OpenError::malformed(LAYER, head.len() as u64, "the header ends early");
    let number = |at| be_u32(&head, at).ok_or_else(ended);
    let cipher = format!("{}-{}", text(&head, 8, 32), text(&head, 40, 32));
    let hash_name = text(&head, 72, 32);
    let offset = u64::from(number(104)?).saturating_mul(SECTOR);
    let key_bytes = usize::try_from(number(108)?).unwrap_or(usize::MAX);
    if !(1..=MOST_KEY).contains(&key_bytes) {
        return Err(OpenError::malformed(LAYER, 108, format!("a key of {key_bytes} bytes cannot be")));
    }
    let hash = Hash::named(&hash_name);
    let mut hindrance = match hash {
        Some(_) => None,
        None => Some(format!("its digest {} is not read", word(&hash_name))),
    };
    if offset < LENGTH as u64 {
        hindrance = Some("this is the header of a volume whose data lie on another device".into());
    } else if offset >= source.len() {
        return Err(OpenError::malformed(LAYER, 104, "the data would begin past the end"));
    }
    let (mut slots, mut refused) = (vec![], vec![]);
    let check = Check {
        // Without a known digest nothing is tried.
        hash: hash.unwrap_or(Hash::Sha1),
        value: array::<20>(&head, 112).ok_or_else(ended)?.to_vec(),
        salt: array::<32>(&head, 132).ok_or_else(ended)?.to_vec(),
        rounds: number(164)?,
    };
    for (index, at) in (0u32..8).zip((208usize..).step_by(48)) {
        if number(at)? != ENABLED {
            continue;
        }
        let field = |inside: usize| number(at.saturating_add(inside));
        let salt = array::<32>(&head, at.saturating_add(8)).ok_or_else(ended)?.to_vec();
        let begin = u64::from(field(40)?).saturating_mul(SECTOR);
        if begin < LENGTH as u64 || begin >= source.len() {
            refused.push((index, "its place cannot be".to_owned()));
            continue;
        }
        slots.push(Slot {
            number: index,
            derivation: Derivation::Pbkdf2 { hash: check.hash, salt, rounds: field(4)? },
            offset: begin,
            room: source.len().saturating_sub(begin),
            cipher: cipher.clone(),
            cipher_key: key_bytes,
            key_bytes,
            stripes: usize::try_from(field(44)?).unwrap_or(usize::MAX),
            spread: check.hash,
            check: check.clone(),
        });
    }
    let segment = Segment { offset, length: None, cipher, sector: 512, first: 0 };
    let problems = vec![];
    Ok(Some(Header { version: 1, uuid: uuid(&head), key_bytes, segment, slots, refused, hindrance, problems }))
}
