//! Ed25519 keys in files. A key file holds 64 hexadecimal digits: the 32-byte secret seed of RFC 8032.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::path::Path;

use avocet_base::Sha256;
use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::error::KeyError;

/// Makes a new key, writes its secret half to a new file that only its owner can read, and gives the public half.
///
/// # Errors
/// [`KeyError`] where the file is there already or cannot be written.
pub fn generate_key(path: &Path) -> Result<VerifyingKey, KeyError> {
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|_| KeyError::NoRandom)?;
    let key = SigningKey::from_bytes(&seed);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let io = |e: std::io::Error| KeyError::Io { path: path.display().to_string(), reason: e.to_string() };
    let mut file = options.open(path).map_err(io)?;
    file.write_all(format!("{}\n", hex(&seed)).as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    Ok(key.verifying_key())
}

/// Reads the secret half of a key from its file.
///
/// # Errors
/// [`KeyError`] where the file cannot be read or holds no key.
pub fn load_key(path: &Path) -> Result<SigningKey, KeyError> {
    let io = |e: std::io::Error| KeyError::Io { path: path.display().to_string(), reason: e.to_string() };
    let mut text = Vec::new();
    std::fs::File::open(path).map_err(io)?.take(1024).read_to_end(&mut text).map_err(io)?;
    let seed = std::str::from_utf8(&text).ok().and_then(unhex);
    seed.map(|seed| SigningKey::from_bytes(&seed)).ok_or_else(|| KeyError::NotAKey { what: path.display().to_string() })
}

/// Reads the public half of a key from 64 hexadecimal digits.
///
/// # Errors
/// [`KeyError::NotAKey`] where the text is none.
pub fn parse_verifying_key(text: &str) -> Result<VerifyingKey, KeyError> {
    unhex(text)
        .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
        .filter(|key| !key.is_weak())
        .ok_or_else(|| KeyError::NotAKey { what: "the public key given".into() })
}

/// Writes the public half of a key as 64 hexadecimal digits.
pub fn verifying_key_text(key: &VerifyingKey) -> String {
    hex(key.as_bytes())
}

pub(crate) fn hex(bytes: &[u8; 32]) -> String {
    Sha256(*bytes).to_string()
}

/// 32 bytes from 64 hexadecimal digits; a `Sha256` has the same text form.
pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    text.trim().parse::<Sha256>().ok().map(|v| v.0)
}
