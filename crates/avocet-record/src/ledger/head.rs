//! The head of the ledger: how many entries there are and the hash of the last, signed, in a file outside the database.

use avocet_base::Sha256;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::keys::{hex, unhex};

const TITLE: &str = "avocet ledger head v1";

/// Why a text is no head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The text has another form.
    #[error("ledger head: line {line} should read {wanted:?}; fetch an intact copy of the file")]
    Form {
        /// Which line, from 1.
        line: usize,
        /// What it should begin with.
        wanted: &'static str,
    },
    /// The signature does not fit.
    #[error("ledger head: the signature does not fit what it signs; the head was altered")]
    Signature,
}

/// A signed head. Copies of it kept elsewhere (on paper, in another system) are checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub count: u64,
    /// Hash of the last entry.
    pub hash: Sha256,
    /// The public key that signed it.
    pub key: [u8; 32],
    /// The Ed25519 signature over [`Head::signed_bytes`].
    pub signature: [u8; 64],
}

impl Head {
    /// Signs a head.
    #[must_use]
    pub fn sign(count: u64, hash: Sha256, key: &SigningKey) -> Self {
        let signature = key.sign(&Self::signed_bytes(count, &hash)).to_bytes();
        Self { count, hash, key: key.verifying_key().to_bytes(), signature }
    }

    /// What is signed: the title and a line feed, the count (u64, little-endian), the hash.
    #[must_use]
    pub fn signed_bytes(count: u64, hash: &Sha256) -> Vec<u8> {
        let mut bytes = format!("{TITLE}\n").into_bytes();
        bytes.extend(count.to_le_bytes());
        bytes.extend(hash.0);
        bytes
    }

    /// The text of the file: five lines.
    #[must_use]
    pub fn to_text(&self) -> String {
        let signature = hex(&self.signature);
        format!("{TITLE}\ncount {}\nhash {}\nkey {}\nsignature {signature}\n", self.count, self.hash, Sha256(self.key))
    }

    /// Reads a head and checks its signature with the key that it names.
    ///
    /// # Errors
    /// [`HeadError`] where a line is not as it must be or the signature does not fit.
    pub fn parse(text: &str) -> Result<Self, HeadError> {
        let mut lines = text.lines();
        let mut field = |line: usize, wanted: &'static str| {
            lines.next().and_then(|text| text.strip_prefix(wanted)).ok_or(HeadError::Form { line, wanted })
        };
        let form = |line, wanted| HeadError::Form { line, wanted };
        field(1, TITLE)?;
        let count = field(2, "count ")?.parse().map_err(|_| form(2, "count "))?;
        let hash: Sha256 = field(3, "hash ")?.parse().map_err(|_| form(3, "hash "))?;
        let key: Sha256 = field(4, "key ")?.parse().map_err(|_| form(4, "key "))?;
        let signature = unhex(field(5, "signature ")?).and_then(|s| s.try_into().ok());
        let head = Self { count, hash, key: key.0, signature: signature.ok_or_else(|| form(5, "signature "))? };
        VerifyingKey::from_bytes(&head.key)
            .and_then(|key| {
                key.verify_strict(&Self::signed_bytes(count, &hash), &Signature::from_bytes(&head.signature))
            })
            .map_err(|_| HeadError::Signature)?;
        Ok(head)
    }
}
