//! One line of the ledger and its encoding.

use avocet_base::Sha256;
use sha2::{Digest as _, Sha256 as Hasher};

use crate::at::At;

/// What the hashed bytes of an entry begin with.
pub const ENTRY_PREFIX: &[u8] = b"avocet ledger entry v1\n";
/// What the hashed bytes of a content begin with.
pub const CONTENT_PREFIX: &[u8] = b"avocet ledger content v1\n";
/// The hash that the first entry names as the one before it.
pub const GENESIS: Sha256 = Sha256([0; 32]);

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: At,
    /// Who made the change, as an id (`U-3`); `U-0` is the store itself.
    pub actor: String,
    /// What kind of change it is, as the event names itself.
    pub kind: String,
    /// The ids of what it is about, in the event's order.
    pub subjects: Vec<String>,
    /// Salted digest of the content: [`content_digest`].
    pub content: Sha256,
    /// Hash of the entry before, [`GENESIS`] for the first.
    pub previous: Sha256,
    /// Hash of this entry.
    pub hash: Sha256,
}

impl Entry {
    /// The same entry with the hash that its fields give.
    #[must_use]
    pub fn hashed(mut self) -> Self {
        self.hash = self.computed_hash();
        self
    }

    /// The hash that its fields give: SHA-256 over the prefix, number (u64), time (i64), actor, kind, number of subjects
    /// (u32) and subjects, content digest, previous hash. Integers are little-endian; a text is its length in bytes (u32)
    /// and its UTF-8 bytes.
    #[must_use]
    pub fn computed_hash(&self) -> Sha256 {
        let mut hasher = Hasher::new();
        hasher.update(ENTRY_PREFIX);
        hasher.update(self.seq.to_le_bytes());
        hasher.update(self.at.ns().to_le_bytes());
        text(&mut hasher, &self.actor);
        text(&mut hasher, &self.kind);
        hasher.update(len32(self.subjects.len()));
        for subject in &self.subjects {
            text(&mut hasher, subject);
        }
        hasher.update(self.content.0);
        hasher.update(self.previous.0);
        Sha256(hasher.finalize().into())
    }
}

fn text(hasher: &mut Hasher, text: &str) {
    hasher.update(len32(text.len()));
    hasher.update(text.as_bytes());
}

/// Kinds and ids are short and few; a length beyond 32 bits cannot come from this program.
fn len32(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

/// The digest of a content under its salt: SHA-256 over the prefix, the 32 bytes of the salt and the content as it is
/// stored. Without the salt, which lies beside the content and not on the ledger, a short content cannot be guessed.
#[must_use]
pub fn content_digest(salt: &[u8; 32], body: &[u8]) -> Sha256 {
    let mut hasher = Hasher::new();
    hasher.update(CONTENT_PREFIX);
    hasher.update(salt);
    hasher.update(body);
    Sha256(hasher.finalize().into())
}
