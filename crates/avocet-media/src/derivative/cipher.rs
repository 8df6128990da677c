//! The cipher and the keys of a store.
//!
//! XChaCha20-Poly1305: its 24-byte nonce is long enough to be drawn at random for every record. With 2^33 records under
//! one key (400 times ten million contents of two pictures) two nonces are equal with a chance of about 2^-127.

use chacha20poly1305::aead::AeadInOut;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::error::DerivativeError;
use super::layout::{FIXED, SLOT, field};

/// Bytes of a nonce, in front of each encrypted piece.
pub(super) const NONCE: usize = 24;
/// Bytes of a tag, behind each encrypted piece.
pub(super) const TAG: usize = 16;

/// A secret of 32 bytes, wiped when dropped, without `Debug`.
pub(super) type Secret = Zeroizing<[u8; 32]>;

pub(super) fn random<const N: usize>() -> Result<[u8; N], DerivativeError> {
    let mut out = [0; N];
    getrandom::fill(&mut out).map_err(|_| DerivativeError::NoRandom)?;
    Ok(out)
}

pub(super) fn random_secret() -> Result<Secret, DerivativeError> {
    let mut out = Secret::default();
    getrandom::fill(out.as_mut_slice()).map_err(|_| DerivativeError::NoRandom)?;
    Ok(out)
}

/// HMAC-SHA-256 (RFC 2104) of the parts one after the other.
pub(super) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Secret {
    // A key shorter than the block is padded with zeros (RFC 2104, section 2); done here, making one cannot fail.
    let mut block = Zeroizing::new([0u8; 64]);
    block.iter_mut().zip(key).for_each(|(b, k)| *b = *k);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    parts.iter().for_each(|part| mac.update(part));
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// A key that encrypts pieces in place: nonce, text, tag. The cipher wipes its key when dropped.
pub(super) struct Sealer(XChaCha20Poly1305);

impl Sealer {
    pub fn new(key: &Secret) -> Sealer {
        Sealer(XChaCha20Poly1305::new((&**key).into()))
    }

    /// Encrypts the text in the middle of `piece` under a random nonce, which goes in front; the tag goes behind.
    pub fn seal(&self, binding: &[u8], piece: &mut [u8]) -> Result<(), DerivativeError> {
        let (nonce, rest) = piece.split_first_chunk_mut::<NONCE>().ok_or(DerivativeError::Cipher)?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG>().ok_or(DerivativeError::Cipher)?;
        *nonce = random()?;
        let made = self.0.encrypt_inout_detached((&*nonce).into(), binding, text.into());
        *tag = made.map_err(|_| DerivativeError::Cipher)?.into();
        Ok(())
    }

    /// Decrypts in place; `None` where anything was changed.
    pub fn open<'a>(&self, binding: &[u8], piece: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let (nonce, rest) = piece.split_first_chunk_mut::<NONCE>()?;
        let (text, tag) = rest.split_last_chunk_mut::<TAG>()?;
        self.0.decrypt_inout_detached((&*nonce).into(), binding, (&mut *text).into(), (&*tag).into()).ok()?;
        Some(text)
    }
}

/// What a data key opens: one key for each use, so that no piece can pass for a piece of another use.
pub(super) struct Keys {
    pub record: Sealer,
    pub page: Sealer,
    pub end: Sealer,
    lookup: Secret,
    slot: Secret,
}

impl Keys {
    pub fn new(data_key: &Secret, file_id: &[u8; 32]) -> Keys {
        let derive = |label: &[u8]| hmac(data_key, &[b"avocet-derivatives v1 ", label, b"\n", file_id]);
        Keys {
            record: Sealer::new(&derive(b"record")),
            page: Sealer::new(&derive(b"page")),
            end: Sealer::new(&derive(b"end")),
            lookup: derive(b"lookup"),
            slot: derive(b"slot"),
        }
    }

    /// What a content is filed under: without the key nobody can tell whether a known content is there.
    pub fn lookup(&self, sha256: &avocet_base::Sha256) -> [u8; 32] {
        *hmac(&self.lookup, &[sha256.as_bytes()])
    }

    /// What shows, to whoever opens the store by any of its keys, that a place of the header is as it was written. It
    /// guards nothing, a wrapped key authenticates itself: so 8 bytes are enough to find what has rotted.
    pub fn slot_check(&self, fixed: &[u8; FIXED], slot: &[u8; SLOT]) -> [u8; 8] {
        let (bound, _) = slot.split_at(SLOT - 8);
        field(hmac(&self.slot, &[fixed, bound]).as_slice(), 0)
    }
}
