//! Sectors of 512 bytes, each encrypted by itself under its number: XTS mode, with one block cipher or several in a row.
//!
//! After IEEE 1619 for XTS. The block ciphers are the libraries', the mode is ours.

use std::sync::Arc;

use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser, KeyInit};

use crate::crypto::BLOCK;
use crate::error::ReadError;
use crate::source::{Source, read_exact_at};
use crate::volume::plain::{fill, from_sectors, xts};

/// Bytes of a sector.
pub(crate) const SECTOR: usize = 512;

/// A block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AES with 128 bits.
    Aes128,
    /// AES with 256 bits, as are all that follow.
    Aes,
    Serpent,
    Twofish,
    Camellia,
    Kuznyechik,
}

/// A block cipher with its key, which is erased when dropped.
trait Block: Send + Sync {
    fn encrypt(&self, block: &mut [u8; BLOCK]);
    /// Decrypts whole blocks in place.
    fn decrypt(&self, data: &mut [u8]);
}

struct Keyed<C>(C);

impl<C> Block for Keyed<C>
where
    C: BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + Send + Sync,
{
    fn encrypt(&self, block: &mut [u8; BLOCK]) {
        let mut one = Array::from(*block);
        self.0.encrypt_block(&mut one);
        *block = one.into();
    }

    fn decrypt(&self, data: &mut [u8]) {
        let (blocks, _) = Array::slice_as_chunks_mut(data);
        self.0.decrypt_blocks(blocks);
    }
}

fn keyed<C>(key: &[u8]) -> Option<Box<dyn Block>>
where
    C: KeyInit + BlockCipherEncrypt + BlockCipherDecrypt + BlockSizeUser<BlockSize = U16> + Send + Sync + 'static,
{
    Some(Box::new(Keyed(C::new_from_slice(key).ok()?)))
}

impl Kind {
    /// Bytes of its key.
    pub(crate) fn key_bytes(self) -> usize {
        if self == Self::Aes128 { 16 } else { 32 }
    }

    fn with_key(self, key: &[u8]) -> Option<Box<dyn Block>> {
        if key.len() != self.key_bytes() {
            return None;
        }
        match self {
            Self::Aes128 => keyed::<aes::Aes128>(key),
            Self::Aes => keyed::<aes::Aes256>(key),
            Self::Serpent => keyed::<serpent::Serpent>(key),
            Self::Twofish => keyed::<twofish::Twofish>(key),
            Self::Camellia => keyed::<camellia::Camellia256>(key),
            Self::Kuznyechik => keyed::<kuznyechik::Kuznyechik>(key),
        }
    }
}

/// One cipher in XTS mode.
struct Layer {
    data: Box<dyn Block>,
    tweak: Box<dyn Block>,
}

/// Ciphers in XTS mode one after the other, with their keys.
pub(crate) struct Xts {
    /// In the order in which they are taken off.
    layers: Vec<Layer>,
}

impl Xts {
    /// Ciphers in the order in which they encrypt, each with the key of its data and that of its tweak; `None` where a key
    /// has another length than its cipher takes.
    pub(crate) fn new(parts: &[(Kind, &[u8], &[u8])]) -> Option<Self> {
        let layers = parts
            .iter()
            .rev()
            .map(|(kind, data, tweak)| Some(Layer { data: kind.with_key(data)?, tweak: kind.with_key(tweak)? }))
            .collect::<Option<_>>()?;
        Some(Self { layers })
    }

    /// Decrypts one unit of any length in place; what follows its last whole block stays as it is.
    pub(crate) fn unit(&self, number: u64, data: &mut [u8]) {
        let whole = data.len() / BLOCK * BLOCK;
        let Some(data) = data.get_mut(..whole) else { return };
        for layer in &self.layers {
            let mut first = [0; BLOCK];
            if let Some(low) = first.get_mut(..8) {
                low.copy_from_slice(&number.to_le_bytes());
            }
            layer.tweak.encrypt(&mut first);
            xts(first, data, |blocks| layer.data.decrypt(blocks));
        }
    }
}

/// The plain bytes of encrypted sectors, read at any place.
pub(crate) struct Sealed {
    layer: &'static str,
    sealed: Arc<dyn Source>,
    cipher: Arc<Xts>,
    /// The number of the first sector.
    first: u64,
    /// The bytes that are encrypted; the others are as they are.
    encrypted: std::ops::Range<u64>,
    length: u64,
}

impl Sealed {
    /// Over all whole sectors of `sealed`, the first of which has the number `first`. Errors are those of `layer`.
    pub(crate) fn new(layer: &'static str, sealed: Arc<dyn Source>, cipher: Arc<Xts>, first: u64) -> Self {
        let length = sealed.len() / SECTOR as u64 * SECTOR as u64;
        Self { layer, sealed, cipher, first, encrypted: 0..length, length }
    }

    /// The same where only the sectors within these bytes are encrypted.
    pub(crate) fn only(mut self, encrypted: std::ops::Range<u64>) -> Self {
        self.encrypted = encrypted;
        self
    }

    fn whole(&self, at: u64, data: &mut [u8]) -> Result<(), ReadError> {
        read_exact_at(&self.sealed, self.layer, at, data)?;
        let sector = SECTOR as u64;
        let mut place = at;
        for unit in data.chunks_exact_mut(SECTOR) {
            if self.encrypted.contains(&place) {
                self.cipher.unit(self.first.wrapping_add(place / sector), unit);
            }
            place = place.saturating_add(sector);
        }
        Ok(())
    }
}

impl Source for Sealed {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        fill(self.length, offset, buf, |at, part| from_sectors(SECTOR, at, part, |begin, data| self.whole(begin, data)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// IEEE 1619-2007, annex B, vectors 1 and 2 (128 bits) and the first block of vector 10 (256 bits).
    #[test]
    fn xts_gives_the_published_vectors() {
        let mut data = hex("917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e");
        Xts::new(&[(Kind::Aes128, &[0; 16], &[0; 16])]).unwrap().unit(0, &mut data);
        assert_eq!(data, [0; 32]);
        let mut data = hex("c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0");
        Xts::new(&[(Kind::Aes128, &[0x11; 16], &[0x22; 16])]).unwrap().unit(0x33_3333_3333, &mut data);
        assert_eq!(data, [0x44; 32]);
        let key = hex("2718281828459045235360287471352662497757247093699959574966967627");
        let tweak = hex("3141592653589793238462643383279502884197169399375105820974944592");
        let mut data = hex("1c3b3a102f770386e4836c99e370cf9b");
        Xts::new(&[(Kind::Aes, &key, &tweak)]).unwrap().unit(0xff, &mut data);
        assert_eq!(data, (0..16).collect::<Vec<u8>>());
    }

    #[test]
    fn every_cipher_takes_its_key_and_no_other() {
        for kind in [Kind::Aes128, Kind::Aes, Kind::Serpent, Kind::Twofish, Kind::Camellia, Kind::Kuznyechik] {
            assert!(kind.with_key(&vec![7; kind.key_bytes()]).is_some());
            assert!([0, 15, 24, 33, 64].iter().all(|n| kind.with_key(&vec![7; *n]).is_none()));
        }
    }

    #[test]
    fn what_is_not_encrypted_stays() {
        let plain: Vec<u8> = (0..4 * SECTOR + 100).map(|i| i as u8).collect();
        let cipher = Arc::new(Xts::new(&[(Kind::Aes, &[1; 32], &[2; 32])]).unwrap());
        let source = Sealed::new("test", Arc::new(MemorySource(plain.clone())), Arc::clone(&cipher), 9).only(512..1024);
        let mut all = vec![0; 3000];
        assert_eq!(source.read_at(0, &mut all).unwrap(), 4 * SECTOR);
        let mut second = plain[512..1024].to_vec();
        cipher.unit(10, &mut second);
        assert!(all[..512] == plain[..512] && all[512..1024] == second && all[1024..2048] == plain[1024..2048]);
        for (at, n) in [(0, 1), (511, 2), (1, 1500), (700, 5000), (2047, 9), (2048, 1)] {
            let mut some = vec![0; n];
            let got = source.read_at(at as u64, &mut some).unwrap();
            assert_eq!(some[..got], all[at..(at + n).min(4 * SECTOR)]);
        }
    }
}
