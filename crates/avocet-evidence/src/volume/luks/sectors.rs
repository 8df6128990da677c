//! AES over the sectors of a volume, as `dm-crypt` has it: each sector by itself, with an initial vector made of its number.
//!
//! After the kernel's documentation of `dm-crypt` (`Documentation/admin-guide/device-mapper/dm-crypt.rst`) and IEEE 1619 for
//! XTS. The cipher is the library's, the modes are ours.

use std::sync::Arc;

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Aes192Dec, Aes192Enc, Aes256Dec, Aes256Enc};

use super::LAYER;
use crate::crypto::{BLOCK, Hash};
use crate::error::ReadError;
use crate::source::{Source, read_exact_at};
use crate::volume::plain::{MOST_SECTOR, fill, from_sectors, xts};

/// The unit in which `dm-crypt` counts whatever the size of a sector is.
const UNIT: u64 = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Xts,
    Cbc,
}

/// How the initial vector of a sector is made of its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Vector {
    /// Its low 32 bits, little-endian.
    Plain,
    /// All 64 bits, little-endian.
    Plain64,
    /// All 64 bits, big-endian, in the last bytes.
    Plain64Be,
    /// All 64 bits, encrypted with the SHA-256 of the key.
    Essiv,
}

/// A cipher as a header names it, such as `aes-xts-plain64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::volume) struct Spec {
    mode: Mode,
    vector: Vector,
}

impl Spec {
    /// `None` for what is not read here.
    pub(in crate::volume) fn named(name: &str) -> Option<Self> {
        let (mode, vector) = match name.strip_prefix("aes-")?.split_once('-')? {
            ("xts", vector) => (Mode::Xts, vector),
            ("cbc", vector) => (Mode::Cbc, vector),
            _ => return None,
        };
        let vector = match vector {
            "plain" => Vector::Plain,
            "plain64" => Vector::Plain64,
            "plain64be" => Vector::Plain64Be,
            "essiv:sha256" => Vector::Essiv,
            _ => return None,
        };
        Some(Self { mode, vector })
    }

    /// The cipher with a key; `None` where it takes none of this length.
    pub(in crate::volume) fn with_key(self, key: &[u8]) -> Option<Cipher> {
        let (data, tweak) = match self.mode {
            Mode::Cbc => (key, None),
            Mode::Xts => {
                let (data, tweak) = key.split_at_checked(key.len() / 2)?;
                (data, Some(Encrypting::new(tweak)?))
            }
        };
        let essiv = match self.vector {
            Vector::Essiv => Some(Encrypting::new(&Hash::Sha256.of(&[key]))?),
            _ => None,
        };
        Some(Cipher { data: Decrypting::new(data)?, tweak, essiv, vector: self.vector })
    }
}

pub(in crate::volume) enum Encrypting {
    Aes128(Box<Aes128Enc>),
    Aes192(Box<Aes192Enc>),
    Aes256(Box<Aes256Enc>),
}

impl Encrypting {
    pub(in crate::volume) fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(Box::new(Aes128Enc::new_from_slice(key).ok()?)),
            24 => Self::Aes192(Box::new(Aes192Enc::new_from_slice(key).ok()?)),
            32 => Self::Aes256(Box::new(Aes256Enc::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }

    pub(in crate::volume) fn block(&self, block: [u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = Array::from(block);
        match self {
            Self::Aes128(c) => c.encrypt_block(&mut block),
            Self::Aes192(c) => c.encrypt_block(&mut block),
            Self::Aes256(c) => c.encrypt_block(&mut block),
        }
        block.into()
    }
}

pub(in crate::volume) enum Decrypting {
    Aes128(Box<Aes128Dec>),
    Aes192(Box<Aes192Dec>),
    Aes256(Box<Aes256Dec>),
}

impl Decrypting {
    pub(in crate::volume) fn new(key: &[u8]) -> Option<Self> {
        Some(match key.len() {
            16 => Self::Aes128(Box::new(Aes128Dec::new_from_slice(key).ok()?)),
            24 => Self::Aes192(Box::new(Aes192Dec::new_from_slice(key).ok()?)),
            32 => Self::Aes256(Box::new(Aes256Dec::new_from_slice(key).ok()?)),
            _ => return None,
        })
    }

    /// Decrypts whole blocks in place.
    pub(in crate::volume) fn blocks(&self, data: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(data);
        match self {
            Self::Aes128(c) => c.decrypt_blocks(blocks),
            Self::Aes192(c) => c.decrypt_blocks(blocks),
            Self::Aes256(c) => c.decrypt_blocks(blocks),
        }
    }
}

/// A cipher with its key. The key's schedules are erased when dropped.
pub(in crate::volume) struct Cipher {
    data: Decrypting,
    tweak: Option<Encrypting>,
    essiv: Option<Encrypting>,
    vector: Vector,
}

impl Cipher {
    /// The initial vector of the sector that begins at so many units of 512 bytes.
    fn vector(&self, number: u64) -> [u8; BLOCK] {
        let mut out = [0; BLOCK];
        let (low, high) = out.split_at_mut(8);
        match self.vector {
            Vector::Plain => low.copy_from_slice(&(number & 0xFFFF_FFFF).to_le_bytes()),
            Vector::Plain64 | Vector::Essiv => low.copy_from_slice(&number.to_le_bytes()),
            Vector::Plain64Be => high.copy_from_slice(&number.to_be_bytes()),
        }
        match &self.essiv {
            Some(essiv) => essiv.block(out),
            None => out,
        }
    }

    /// Decrypts one sector, of at most [`MOST_SECTOR`] bytes, in place.
    fn sector(&self, number: u64, data: &mut [u8]) {
        let vector = self.vector(number);
        let Some(tweak) = &self.tweak else {
            let mut sealed = [0; MOST_SECTOR];
            let Some(sealed) = sealed.get_mut(..data.len()) else { return };
            sealed.copy_from_slice(data);
            self.data.blocks(data);
            data.iter_mut().zip(vector.iter().chain(sealed.iter())).for_each(|(byte, before)| *byte ^= before);
            return;
        };
        xts(tweak.block(vector), data, |blocks| self.data.blocks(blocks));
    }

    /// Decrypts whole sectors in place, the first of which begins at so many units of 512 bytes.
    pub(in crate::volume) fn sectors(&self, first: u64, size: usize, data: &mut [u8]) {
        let units = size as u64 / UNIT;
        let mut number = first;
        for sector in data.chunks_exact_mut(size.clamp(BLOCK, MOST_SECTOR)) {
            self.sector(number, sector);
            number = number.wrapping_add(units);
        }
    }
}

/// The plain bytes of encrypted sectors, read at any place.
pub(super) struct Plain {
    sealed: Arc<dyn Source>,
    cipher: Cipher,
    sector: usize,
    /// The number of the first sector, in units of 512 bytes.
    first: u64,
    length: u64,
}

impl Plain {
    /// Over all whole sectors of `sealed`.
    pub(super) fn new(sealed: Arc<dyn Source>, cipher: Cipher, sector: usize, first: u64) -> Self {
        let sector = sector.clamp(512, MOST_SECTOR);
        let length = sealed.len() / sector as u64 * sector as u64;
        Self { sealed, cipher, sector, first, length }
    }

    fn whole(&self, at: u64, data: &mut [u8]) -> Result<(), ReadError> {
        read_exact_at(&self.sealed, LAYER, at, data)?;
        self.cipher.sectors(self.first.wrapping_add(at / UNIT), self.sector, data);
        Ok(())
    }
}

impl Source for Plain {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        fill(self.length, offset, buf, |at, part| {
            from_sectors(self.sector, at, part, |begin, data| self.whole(begin, data))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// IEEE 1619-2007, annex B, vectors 1 and 2.
    #[test]
    fn xts_gives_the_published_vectors() {
        let spec = Spec::named("aes-xts-plain64").unwrap();
        let mut data = hex("917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e");
        spec.with_key(&[0; 32]).unwrap().sector(0, &mut data);
        assert_eq!(data, [0; 32]);
        let key = [[0x11; 16], [0x22; 16]].concat();
        let mut data = hex("c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0");
        spec.with_key(&key).unwrap().sector(0x33_3333_3333, &mut data);
        assert_eq!(data, [0x44; 32]);
    }

    #[test]
    fn what_is_not_read_is_told_apart() {
        for good in ["aes-xts-plain64", "aes-cbc-essiv:sha256", "aes-cbc-plain", "aes-cbc-plain64", "aes-xts-plain64be"]
        {
            assert!(Spec::named(good).is_some(), "{good}");
        }
        for other in ["serpent-xts-plain64", "aes-ecb", "aes-lrw-benbi", "aes-cbc-essiv:sha1", "aes", "", "null-null"] {
            assert!(Spec::named(other).is_none(), "{other}");
        }
        let xts = Spec::named("aes-xts-plain64").unwrap();
        assert!([32, 48, 64].iter().all(|n| xts.with_key(&vec![7; *n]).is_some()));
        assert!([0, 16, 31, 33, 128].iter().all(|n| xts.with_key(&vec![7; *n]).is_none()));
    }
}
