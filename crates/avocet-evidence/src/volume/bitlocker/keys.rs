//! Keys: what is sealed with AES-CCM, passwords that are stretched, recovery passwords, startup keys.

use aes::Aes256;
use ccm::aead::AeadInOut;
use ccm::aead::consts::{U12, U16};
use ccm::{Ccm, KeyInit};
use zeroize::{Zeroize, Zeroizing};

use super::metadata::{entries, open_key};
use crate::bytes::{array, le_u16, le_u32, utf16_le};
use crate::crypto::{Hash, Key};

/// Rounds of a stretching; the format knows no other number. One is two blocks of SHA-256.
pub(super) const ROUNDS: u32 = 0x10_0000;
/// Bytes of a text in which a recovery password is looked for. Windows writes about a kilobyte.
const MOST_TEXT: usize = 64 << 10;
const GROUPS: usize = 8;
const GROUP: usize = 6;

/// Bytes sealed with AES-CCM.
#[derive(Clone)]
pub(super) struct Sealed {
    nonce: [u8; 12],
    tag: [u8; 16],
    data: Vec<u8>,
}

impl Sealed {
    /// As an entry keeps them.
    pub(super) fn from(data: &[u8]) -> Option<Self> {
        let rest = data.get(28..)?;
        Some(Self { nonce: array(data, 0)?, tag: array(data, 12)?, data: rest.to_vec() })
    }

    /// The bytes, where this is their key.
    pub(super) fn open(&self, key: &Key) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(self.data.clone());
        let cipher = Ccm::<Aes256, U16, U12>::new(&(**key).into());
        cipher.decrypt_inout_detached(&self.nonce.into(), b"", plain.as_mut_slice().into(), &self.tag.into()).ok()?;
        Some(plain)
    }

    /// The key among them, where they are one.
    pub(super) fn key(&self, with: &Key) -> Option<Zeroizing<Vec<u8>>> {
        let plain = self.open(with)?;
        let whole = le_u16(&plain, 0).map(usize::from) == Some(plain.len());
        plain.get(12..).filter(|_| whole).map(|key| Zeroizing::new(key.to_vec()))
    }

    /// The digest among them, where they are one.
    pub(super) fn digest(&self, with: &Key) -> Option<[u8; 32]> {
        let plain = self.open(with)?;
        array(&plain, 12).filter(|_| plain.len() == 44 && le_u16(&plain, 8) == Some(0x2005))
    }
}

/// Stretches a digest to a key: the state, the digest, a salt and a counter are digested over and over.
pub(super) fn stretch(initial: &[u8], salt: &[u8; 16]) -> Key {
    let mut last = Zeroizing::new([0u8; 32]);
    // 88 bytes take two blocks; the second ends with the padding that FIPS 180-4 gives for this length.
    let mut blocks = Zeroizing::new([[0u8; 64]; 2]);
    let [first, second] = &mut *blocks;
    first.iter_mut().skip(32).zip(initial).for_each(|(to, from)| *to = *from);
    second.iter_mut().zip(salt.iter().chain(&[0; 8]).chain(&[0x80])).for_each(|(to, from)| *to = *from);
    second.iter_mut().skip(56).zip((88u64 * 8).to_be_bytes()).for_each(|(to, from)| *to = from);
    for count in 0..u64::from(ROUNDS) {
        let [first, second] = &mut *blocks;
        first.iter_mut().zip(last.iter()).for_each(|(to, from)| *to = *from);
        second.iter_mut().skip(16).zip(count.to_le_bytes()).for_each(|(to, from)| *to = from);
        let mut state =
            [0x6a09_e667u32, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
        sha2::block_api::compress256(&mut state, &*blocks);
        last.chunks_exact_mut(4).zip(&state).for_each(|(to, word)| to.copy_from_slice(&word.to_be_bytes()));
        state.zeroize();
    }
    last
}

/// What a password is stretched from: the digest of the digest of its UTF-16; `None` where it is no text.
pub(super) fn of_password(password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(password).ok()?;
    let mut units = Zeroizing::new(Vec::with_capacity(text.len().saturating_mul(2)));
    text.encode_utf16().for_each(|unit| units.extend_from_slice(&unit.to_le_bytes()));
    Some(Hash::Sha256.of(&[&Hash::Sha256.of(&[&units])]))
}

/// A recovery password, if a text is one.
pub(super) enum Recovery {
    /// It has not the form of one.
    None,
    /// It has, and this group of digits, counted from 1, is mistyped.
    Mistyped(usize),
    /// What its key is stretched from.
    Digest(Zeroizing<Vec<u8>>),
}

/// Takes 48 digits as a recovery password, however they are divided.
pub(super) fn of_recovery(text: &[u8]) -> Recovery {
    let Ok(text) = std::str::from_utf8(text) else { return Recovery::None };
    let mut digits = Zeroizing::new(Vec::with_capacity(GROUPS.saturating_mul(GROUP)));
    for c in text.chars() {
        match c.to_digit(10) {
            Some(digit) if digits.len() < GROUPS.saturating_mul(GROUP) => digits.push(digit),
            None if c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2014}' | '\u{2212}') => {}
            _ => return Recovery::None,
        }
    }
    if digits.len() != GROUPS.saturating_mul(GROUP) {
        return Recovery::None;
    }
    let mut key = Zeroizing::new(Vec::with_capacity(GROUPS.saturating_mul(2)));
    for (number, group) in (1usize..).zip(digits.chunks_exact(GROUP)) {
        let value = group.iter().fold(0u32, |sum, digit| sum.saturating_mul(10).saturating_add(*digit));
        match u16::try_from(value / 11) {
            Ok(part) if value.is_multiple_of(11) => key.extend_from_slice(&part.to_le_bytes()),
            _ => return Recovery::Mistyped(number),
        }
    }
    Recovery::Digest(Hash::Sha256.of(&[&key]))
}

/// The recovery password in a text such as Windows saves one (UTF-16 or UTF-8): eight groups of six digits with dashes.
pub(super) fn recovery_in(file: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const LENGTH: usize = GROUPS * (GROUP + 1) - 1;
    let file = file.get(..MOST_TEXT).unwrap_or(file);
    let units = Zeroizing::new(match file.strip_prefix(&[0xFF, 0xFE]) {
        Some(rest) => utf16_le(rest),
        None if file.get(1) == Some(&0) => utf16_le(file),
        None => file.iter().map(|b| u16::from(*b)).collect(),
    });
    let digit = |unit: &u16| (0x30..=0x39).contains(unit);
    let fits = |window: &[u16]| {
        window.iter().enumerate().all(
            |(i, unit)| {
                if i % (GROUP + 1) == GROUP { *unit == u16::from(b'-') } else { digit(unit) }
            },
        )
    };
    let (start, found) = units.windows(LENGTH).enumerate().find(|(_, window)| fits(window))?;
    let beside = [start.checked_sub(1), start.checked_add(LENGTH)];
    if beside.iter().flatten().filter_map(|at| units.get(*at)).any(digit) {
        return None;
    }
    Some(Zeroizing::new(found.iter().filter_map(|unit| u8::try_from(*unit).ok()).collect()))
}

/// A startup key: the protector that it belongs to, and the key.
pub(super) struct Startup {
    pub(super) id: [u8; 16],
    pub(super) key: Key,
}

/// Reads a startup key file (`.BEK`).
pub(super) fn startup(file: &[u8]) -> Option<Startup> {
    let size = usize::try_from(le_u32(file, 0)?).ok()?;
    if le_u32(file, 4)? != 1 || le_u32(file, 8)? != 48 {
        return None;
    }
    let list = entries(file.get(48..size)?).0;
    let external = list.iter().find(|e| e.kind == 6 && e.value == 9)?;
    let inner = entries(external.data.get(24..)?).0;
    let key = inner.iter().find(|e| e.value == 1).and_then(|e| open_key(e.data))?;
    Some(Startup { id: array(external.data, 0)?, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccm::aead::consts::{U8, U13};

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// RFC 3610, packet vector 1: that the library's mode is the one of the standard.
    #[test]
    fn ccm_gives_the_published_vector() {
        let key: [u8; 16] = hex("C0C1C2C3C4C5C6C7C8C9CACBCCCDCECF").try_into().unwrap();
        let cipher = Ccm::<aes::Aes128, U8, U13>::new(&key.into());
        let nonce: [u8; 13] = hex("00000003020100A0A1A2A3A4A5").try_into().unwrap();
        let mut data = hex("588C979A61C663D2F066D0C2C0F989806D5F6B61DAC384");
        let tag: [u8; 8] = hex("17E8D12CFDF926E0").try_into().unwrap();
        let head = hex("0001020304050607");
        cipher.decrypt_inout_detached(&nonce.into(), &head, data.as_mut_slice().into(), &tag.into()).unwrap();
        assert_eq!(data, (8..=0x1E).collect::<Vec<u8>>());
    }

    /// The same by the whole digest, for the first rounds would hide an error of the padding.
    #[test]
    fn stretching_is_the_digest_of_88_bytes() {
        let (initial, salt) = ([7u8; 32], [9u8; 16]);
        let mut last = vec![0u8; 32];
        for count in 0..u64::from(ROUNDS) {
            let digest = Hash::Sha256.of(&[&last, &initial, &salt, &count.to_le_bytes()]);
            last.copy_from_slice(&digest);
        }
        assert_eq!(stretch(&initial, &salt).to_vec(), last);
    }

    #[test]
    fn recovery_passwords_are_taken_in_every_form() {
        let right = "042647-302313-590458-071500-554323-116567-412181-516978";
        let digest = |text: &str| match of_recovery(text.as_bytes()) {
            Recovery::Digest(digest) => Ok(digest.to_vec()),
            Recovery::Mistyped(group) => Err(group),
            Recovery::None => Err(0),
        };
        let plain = digest(right).unwrap();
        for text in
            [right.replace('-', ""), right.replace('-', " "), format!(" {right}\r\n"), right.replace('-', " – ")]
        {
            assert_eq!(digest(&text).unwrap(), plain);
        }
        assert_eq!(digest(&right.replace("590458", "590459")), Err(3));
        // 720896 is 11 times 65536: one more than a group can hold.
        assert_eq!(digest(&right.replace("516978", "720896")), Err(8));
        for other in ["", "042647", &right[1..], &format!("{right}1"), &right.replace('4', "x"), "anaconda"] {
            assert_eq!(digest(other), Err(0), "{other}");
        }
        let saved =
            format!("BitLocker\r\nIdentifier:\r\n\t3FD763F9-74C7-4E90-8FA2-1F6A2E2B4E0C\r\nKey:\r\n\t{right}\r\n");
        let utf16: Vec<u8> = saved.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for file in [saved.as_bytes().to_vec(), utf16.clone(), [&[0xFF, 0xFE][..], &utf16].concat()] {
            assert_eq!(recovery_in(&file).unwrap().to_vec(), right.as_bytes());
        }
        for none in [&b""[..], b"042647-302313", &[0; 200], saved.replace("-302313", "-3023131").as_bytes()] {
            assert!(recovery_in(none).is_none());
        }
    }
}
