//! What protected phone backups and volumes are put together from: AES in cipher block chaining, key derivation, key wrapping. The
//! ciphers and digests are the libraries'.

use std::sync::Arc;

use aes::Aes256Dec;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use sha2::Digest;
use zeroize::Zeroizing;

use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_exact_at};

/// Bytes of a block of AES.
pub(crate) const BLOCK: usize = 16;

/// A key of 32 bytes; erased when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// A key from bytes; `None` where they are not 32.
pub(crate) fn key(bytes: &[u8]) -> Option<Key> {
    Some(Zeroizing::new(bytes.try_into().ok()?))
}

/// PBKDF2 with HMAC-SHA1.
pub(crate) fn pbkdf2_sha1(password: &[u8], salt: &[u8], rounds: u32) -> Key {
    let mut out = Zeroizing::new([0; 32]);
    // HMAC takes keys of any length.
    let _ = pbkdf2::pbkdf2::<hmac::Hmac<sha1::Sha1>>(password, salt, rounds, out.as_mut_slice());
    out
}

/// PBKDF2 with HMAC-SHA256.
pub(crate) fn pbkdf2_sha256(password: &[u8], salt: &[u8], rounds: u32) -> Key {
    let mut out = Zeroizing::new([0; 32]);
    let _ = pbkdf2::pbkdf2::<hmac::Hmac<sha2::Sha256>>(password, salt, rounds, out.as_mut_slice());
    out
}

/// A digest that a header names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

impl Hash {
    /// By the name that Linux gives it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Bytes of a digest.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// The digest of parts one after the other.
    pub(crate) fn of(self, parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
        fn digest<D: Digest>(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
            let mut hasher = D::new();
            parts.iter().for_each(|part| hasher.update(part));
            Zeroizing::new(hasher.finalize().as_slice().to_vec())
        }
        match self {
            Self::Sha1 => digest::<sha1::Sha1>(parts),
            Self::Sha256 => digest::<sha2::Sha256>(parts),
            Self::Sha512 => digest::<sha2::Sha512>(parts),
        }
    }

    /// PBKDF2 with HMAC and this digest, to as many bytes as `out` has.
    pub(crate) fn pbkdf2(self, password: &[u8], salt: &[u8], rounds: u32, out: &mut [u8]) {
        // HMAC takes keys of any length.
        let _ = match self {
            Self::Sha1 => pbkdf2::pbkdf2::<hmac::Hmac<sha1::Sha1>>(password, salt, rounds, out),
            Self::Sha256 => pbkdf2::pbkdf2::<hmac::Hmac<sha2::Sha256>>(password, salt, rounds, out),
            Self::Sha512 => pbkdf2::pbkdf2::<hmac::Hmac<sha2::Sha512>>(password, salt, rounds, out),
        };
    }
}

fn decryptor(key: &Key) -> Aes256Dec {
    Aes256Dec::new(&Array::from(**key))
}

/// Decrypts whole blocks in place, chained to the block of ciphertext before them; bytes that are no whole block stay.
fn decrypt_chained(cipher: &Aes256Dec, before: &[u8; BLOCK], data: &mut [u8]) {
    let sealed = data.to_vec();
    let (blocks, _) = Array::slice_as_chunks_mut(data);
    cipher.decrypt_blocks(blocks);
    let chain = before.iter().chain(&sealed);
    let whole = data.len() / BLOCK * BLOCK;
    data.iter_mut().take(whole).zip(chain).for_each(|(byte, before)| *byte ^= before);
}

/// Decrypts a short text whole: AES-256-CBC with PKCS#7 padding. `None` where length or padding is wrong.
pub(crate) fn decrypt_padded(key: &Key, iv: &[u8; BLOCK], data: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return None;
    }
    let mut plain = Zeroizing::new(data.to_vec());
    decrypt_chained(&decryptor(key), iv, &mut plain);
    let length = plain.len().checked_sub(padding(&plain)?)?;
    plain.truncate(length);
    Some(plain)
}

/// The length of a PKCS#7 padding.
fn padding(plain: &[u8]) -> Option<usize> {
    let last = *plain.last()?;
    let length = usize::from(last);
    let start = plain.len().checked_sub(length)?;
    let good = (1..=BLOCK).contains(&length) && plain.get(start..)?.iter().all(|b| *b == last);
    good.then_some(length)
}

/// Takes a wrapped key out of its wrapping (RFC 3394). `None` where it does not belong to this key.
pub(crate) fn unwrap_key(with: &Key, wrapped: &[u8]) -> Option<Key> {
    let cipher = decryptor(with);
    let mut a: [u8; 8] = wrapped.get(..8)?.try_into().ok()?;
    let mut r: Zeroizing<[u8; 32]> = Zeroizing::new(wrapped.get(8..)?.try_into().ok()?);
    for j in (0..6u64).rev() {
        for i in (0..4usize).rev() {
            let t = j.checked_mul(4)?.checked_add(i as u64)?.checked_add(1)?;
            let slot = r.get_mut(i.checked_mul(8)?..)?.get_mut(..8)?;
            let mut block = [0; BLOCK];
            let (high, low) = block.split_at_mut(8);
            high.copy_from_slice(&(u64::from_be_bytes(a) ^ t).to_be_bytes());
            low.copy_from_slice(slot);
            let mut block = Array::from(block);
            cipher.decrypt_block(&mut block);
            a.copy_from_slice(block.get(..8)?);
            slot.copy_from_slice(block.get(8..)?);
        }
    }
    (a == [0xA6; 8]).then_some(r)
}

/// Bytes behind AES-256-CBC, read at any place.
pub(crate) struct Decrypted {
    layer: &'static str,
    sealed: Arc<dyn Source>,
    cipher: Aes256Dec,
    iv: [u8; BLOCK],
    length: u64,
}

impl Decrypted {
    /// The plain bytes of `sealed`, all of them.
    pub(crate) fn new(layer: &'static str, sealed: Arc<dyn Source>, key: &Key, iv: [u8; BLOCK]) -> Self {
        // Bytes behind the last whole block cannot be decrypted.
        let length = sealed.len() / BLOCK as u64 * BLOCK as u64;
        Self { layer, sealed, cipher: decryptor(key), iv, length }
    }

    /// Takes the PKCS#7 padding off the end. False where there is none: the text was cut off, or the key is wrong.
    ///
    /// # Errors
    /// [`ReadError`] where the last block cannot be read.
    pub(crate) fn unpad(&mut self) -> Result<bool, ReadError> {
        let Some(last) = self.length.checked_sub(BLOCK as u64) else { return Ok(false) };
        let mut block = [0; BLOCK];
        read_exact_at(self, self.layer, last, &mut block)?;
        let Some(padding) = padding(&block) else { return Ok(false) };
        self.length = self.length.saturating_sub(padding as u64);
        Ok(true)
    }
}

impl Source for Decrypted {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let block = BLOCK as u64;
        let first = offset / block * block;
        let skip = usize::try_from(offset.saturating_sub(first)).unwrap_or(0);
        let whole = skip.saturating_add(wanted).next_multiple_of(BLOCK);
        if wanted == 0 {
            return Ok(0);
        }
        let mut before = self.iv;
        if let Some(at) = first.checked_sub(block) {
            read_exact_at(&self.sealed, self.layer, at, &mut before)?;
        }
        let mut data = vec![0; whole];
        read_exact_at(&self.sealed, self.layer, first, &mut data)?;
        decrypt_chained(&self.cipher, &before, &mut data);
        match (buf.get_mut(..wanted), data.get(skip..skip.saturating_add(wanted))) {
            (Some(to), Some(from)) => to.copy_from_slice(from),
            _ => return Err(ReadError::new(self.layer, offset, ReadFault::Truncated, "the encrypted bytes end early")),
        }
        Ok(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
    }

    /// RFC 3394, section 4.6.
    #[test]
    fn a_key_is_unwrapped_and_a_wrong_one_is_not() {
        let kek = key(&(0..32).collect::<Vec<u8>>()).unwrap();
        let wrapped = hex("28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21");
        let plain = unwrap_key(&kek, &wrapped).unwrap();
        assert_eq!(plain.to_vec(), hex("00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F"));
        assert!(unwrap_key(&key(&[7; 32]).unwrap(), &wrapped).is_none());
        assert!(unwrap_key(&kek, &wrapped[..39]).is_none());
    }

    /// NIST SP 800-38A, F.2.6 (CBC-AES256.Decrypt).
    #[test]
    fn chained_blocks_read_at_any_place() {
        let key = key(&hex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")).unwrap();
        let iv: [u8; 16] = hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap();
        let sealed = hex(
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
        );
        let plain = hex(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
        );
        let source = Decrypted::new("test", Arc::new(MemorySource(sealed)), &key, iv);
        for start in 0..64usize {
            for length in [1, 15, 16, 17, 64] {
                let mut buf = vec![0; length];
                let n = source.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(&buf[..n], &plain[start..(start + length).min(64)]);
            }
        }
        assert_eq!(source.read_at(64, &mut [0; 4]).unwrap(), 0);
    }

    /// RFC 6070, cut to 32 bytes where it has 20: the first 20 agree.
    #[test]
    fn keys_are_derived() {
        let key = pbkdf2_sha1(b"password", b"salt", 4096);
        assert_eq!(key[..20], hex("4b007901b765489abead49d926f721d065a429c1"));
    }
}
