//! The header of a volume: which ciphers fit it, and what it says.

use zeroize::Zeroizing;

use super::{Brand, HEADER, LAYER};
use crate::bytes::{be_u16, be_u32, be_u64};
use crate::checksum::crc32;
use crate::error::OpenError;
use crate::volume::sealed::{Kind, SECTOR, Xts};

use Kind::{Aes, Camellia, Kuznyechik, Serpent, Twofish};

/// Bytes before what is encrypted: the salt.
pub(super) const SALT: usize = 64;
/// Bytes of a key of one cipher.
const KEY: usize = 32;
/// Where the keys of the data begin within a header.
const KEYS: usize = 256;

/// Ciphers one after the other.
struct Chain {
    name: &'static str,
    /// In the order in which they encrypt.
    ciphers: &'static [Kind],
    /// Whether only VeraCrypt has it.
    newer: bool,
}

/// Every chain, as TrueCrypt and VeraCrypt name them: the last that encrypts comes first.
const CHAINS: &[Chain] = &[
    Chain { name: "AES", ciphers: &[Aes], newer: false },
    Chain { name: "Serpent", ciphers: &[Serpent], newer: false },
    Chain { name: "Twofish", ciphers: &[Twofish], newer: false },
    Chain { name: "AES-Twofish", ciphers: &[Twofish, Aes], newer: false },
    Chain { name: "AES-Twofish-Serpent", ciphers: &[Serpent, Twofish, Aes], newer: false },
    Chain { name: "Serpent-AES", ciphers: &[Aes, Serpent], newer: false },
    Chain { name: "Serpent-Twofish-AES", ciphers: &[Aes, Twofish, Serpent], newer: false },
    Chain { name: "Twofish-Serpent", ciphers: &[Serpent, Twofish], newer: false },
    Chain { name: "Camellia", ciphers: &[Camellia], newer: true },
    Chain { name: "Kuznyechik", ciphers: &[Kuznyechik], newer: true },
    Chain { name: "Camellia-Kuznyechik", ciphers: &[Kuznyechik, Camellia], newer: true },
    Chain { name: "Kuznyechik-Twofish", ciphers: &[Twofish, Kuznyechik], newer: true },
    Chain { name: "Camellia-Serpent", ciphers: &[Serpent, Camellia], newer: true },
    Chain { name: "Kuznyechik-AES", ciphers: &[Aes, Kuznyechik], newer: true },
    Chain { name: "Kuznyechik-Serpent-Camellia", ciphers: &[Camellia, Serpent, Kuznyechik], newer: true },
];

impl Chain {
    /// The chain with its keys: those of the data one after the other, then those of the tweaks.
    fn with_keys(&self, keys: &[u8]) -> Option<Xts> {
        let n = self.ciphers.len();
        let key = |i: usize| keys.get(i.checked_mul(KEY)?..)?.get(..KEY);
        let parts: Option<Vec<_>> =
            self.ciphers.iter().enumerate().map(|(i, kind)| Some((*kind, key(i)?, key(i.checked_add(n)?)?))).collect();
        Xts::new(&parts?)
    }
}

/// What an opened header says.
pub(super) struct Header {
    pub(super) chain: &'static str,
    /// Bytes of all keys of the data.
    pub(super) key_bytes: usize,
    pub(super) version: u16,
    /// The oldest version of the program that can open it.
    pub(super) needs: u16,
    /// Bytes of the hidden volume; 0 for one that is not hidden.
    pub(super) hidden_bytes: u64,
    pub(super) volume_bytes: u64,
    /// The bytes that are encrypted.
    pub(super) area_start: u64,
    pub(super) area_bytes: u64,
    pub(super) sector: u32,
    pub(super) cipher: Xts,
}

/// Opens a header with a key; `None` where it does not fit under any chain of ciphers.
///
/// # Errors
/// [`OpenError::Malformed`] where the key fits and what the header says cannot be.
pub(super) fn open(header: &[u8; HEADER], key: &[u8], brand: Brand) -> Result<Option<Header>, OpenError> {
    for chain in CHAINS.iter().filter(|chain| brand == Brand::VeraCrypt || !chain.newer) {
        let Some(cipher) = chain.with_keys(key) else { continue };
        let mut plain = Zeroizing::new(*header);
        let Some(sealed) = plain.get_mut(SALT..) else { continue };
        cipher.unit(0, sealed);
        if let Some(found) = read(&plain, chain, brand)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Reads a decrypted header; `None` where its signature or one of its sums does not hold.
fn read(plain: &[u8; HEADER], chain: &Chain, brand: Brand) -> Result<Option<Header>, OpenError> {
    let magic: &[u8] = if brand == Brand::VeraCrypt { b"VERA" } else { b"TRUE" };
    let Some(keys) = plain.get(KEYS..).filter(|_| plain.get(SALT..SALT + 4) == Some(magic)) else { return Ok(None) };
    let sums = |version: u16| {
        let of_header = plain.get(SALT..252).map(|part| !crc32(!0, part));
        be_u32(plain, 72) == Some(!crc32(!0, keys)) && (version < 4 || be_u32(plain, 252) == of_header)
    };
    let Some(version) = be_u16(plain, 68).filter(|version| sums(*version)) else { return Ok(None) };
    let number = |at: usize| be_u64(plain, at).unwrap_or(0);
    let or = |value: u64, other: u64| if value == 0 { other } else { value };
    let wrong = |what: &str| OpenError::malformed(LAYER, 0, format!("the header opened, and {what}"));
    let Some(cipher) = chain.with_keys(keys) else { return Err(wrong("holds no key")) };
    let header = Header {
        chain: chain.name,
        key_bytes: chain.ciphers.len().saturating_mul(2 * KEY),
        version,
        needs: be_u16(plain, 70).unwrap_or(0),
        hidden_bytes: number(92),
        volume_bytes: number(100),
        // Before version 4 the data followed the header, and neither place nor size of a sector was written down.
        area_start: if version < 4 { or(number(108), SECTOR as u64) } else { number(108) },
        area_bytes: number(116),
        sector: if version < 5 { 512 } else { be_u32(plain, 128).unwrap_or(0) },
        cipher,
    };
    let sector = header.sector.is_power_of_two() && (512..=4096).contains(&header.sector);
    if !sector {
        return Err(wrong("its sectors have a size that cannot be"));
    }
    if !header.area_start.is_multiple_of(SECTOR as u64) || !header.area_bytes.is_multiple_of(SECTOR as u64) {
        return Err(wrong("its data begin or end within a sector"));
    }
    Ok(Some(header))
}
