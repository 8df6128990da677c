//! The seal: a small JSON file beside the examination that says what the examination file was when it was sealed.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::Digest;

use crate::key;

/// Version of the seal file's format.
const SEAL_VERSION: u32 = 1;
/// A seal is below 1 KiB; more is not read.
const MAX_SEAL: u64 = 64 * 1024;
/// What is signed begins with this, so that a signature made for anything else is none here.
const DOMAIN: &[u8] = b"avocet-examination seal v1\n";

/// The seal of an examination file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seal {
    format: String,
    version: u32,
    /// The result digest.
    pub result_digest: Sha256,
    /// SHA-256 of the whole examination file.
    pub file_sha256: Sha256,
    /// Signature over both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SealSignature>,
}

/// A signature within a seal; both fields in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SealSignature {
    algorithm: String,
    pub public_key: String,
    value: String,
}

const FORMAT: &str = "avocet-seal";
const ALGORITHM: &str = "ed25519";

fn signed_bytes(result_digest: &Sha256, file_sha256: &Sha256) -> Vec<u8> {
    [DOMAIN, result_digest.as_bytes(), file_sha256.as_bytes()].concat()
}

impl Seal {
    /// A seal, signed where a key is given.
    pub fn new(result_digest: Sha256, file_sha256: Sha256, key: Option<&SigningKey>) -> Self {
        let signature = key.map(|key| {
            let bytes = key.sign(&signed_bytes(&result_digest, &file_sha256)).to_bytes();
            SealSignature {
                algorithm: ALGORITHM.into(),
                public_key: key::verifying_key_text(&key.verifying_key()),
                value: bytes.iter().map(|b| format!("{b:02x}")).collect(),
            }
        });
        Self { format: FORMAT.into(), version: SEAL_VERSION, result_digest, file_sha256, signature }
    }

    /// The text of the file.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// Reads a seal file; `Ok(None)` where there is none, the reason where it is none.
    pub fn read(path: &Path) -> Result<Option<Self>, String> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(format!("the seal cannot be read: {e}")),
        };
        let mut text = Vec::new();
        file.take(MAX_SEAL).read_to_end(&mut text).map_err(|e| format!("the seal cannot be read: {e}"))?;
        // The parser's own text would repeat content of the file; its position says enough.
        let value: serde_json::Value =
            serde_json::from_slice(&text).map_err(|e| format!("the seal is not JSON (line {})", e.line()))?;
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        if value.get("format").and_then(serde_json::Value::as_str) != Some(FORMAT) {
            return Err("the seal file is not a seal".into());
        }
        if version != Some(u64::from(SEAL_VERSION)) {
            return Err("the seal is of a version that this program does not read".into());
        }
        // From the bytes and not from the value: a field given twice is refused.
        serde_json::from_slice(&text).map(Some).map_err(|e| format!("the seal is malformed (line {})", e.line()))
    }

    /// Checks the signature with the key that the seal names; `None` where it is not signed.
    pub fn signer(&self) -> Option<Result<VerifyingKey, String>> {
        let signature = self.signature.as_ref()?;
        Some(self.check(signature))
    }

    fn check(&self, signature: &SealSignature) -> Result<VerifyingKey, String> {
        if signature.algorithm != ALGORITHM {
            return Err("the signature is of an algorithm that this program does not know".into());
        }
        let key = key::parse_verifying_key(&signature.public_key).map_err(|_| "the seal's public key is none")?;
        let (r, s) = signature.value.split_at_checked(64).ok_or("the signature is malformed")?;
        let (r, s) =
            (key::unhex(r).ok_or("the signature is malformed")?, key::unhex(s).ok_or("the signature is malformed")?);
        key.verify_strict(&signed_bytes(&self.result_digest, &self.file_sha256), &Signature::from_components(r, s))
            .map_err(|_| "the signature is not of this seal")?;
        Ok(key)
    }
}

/// Where the seal of an examination file lies: its name with `.seal` added.
pub fn seal_path(examination: &Path) -> PathBuf {
    with_suffix(examination, ".seal")
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// SHA-256 of a whole file, which is read piece by piece.
///
/// # Errors
/// Those of reading it.
pub fn file_sha256(path: &Path) -> std::io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut sha = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Sha256(sha.finalize().into())),
            Ok(n) => sha.update(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}
