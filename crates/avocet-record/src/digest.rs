//! The digest that documents and lists are named by.

use avocet_base::Sha256;
use sha2::Digest as _;

/// SHA-256 of these bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}
