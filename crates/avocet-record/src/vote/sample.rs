//! The samples: which items a moderator looks at as well, and which known items somebody looks at all the same.

use std::fmt;

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

/// Says what the digest is for, so that it can never equal one made for something else.
const LABEL: &[u8] = b"avocet moderation sample 1";
/// With a label of its own the dip sample is independent of the moderation sample, though one seed draws both.
const DIP_LABEL: &[u8] = b"avocet dip sample 1";

/// Why a text is no seed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a seed has 64 hexadecimal digits; copy it whole")]
pub struct SeedError;

/// What a sample is drawn by: 32 bytes, chosen at random once for an investigation.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seed(pub [u8; 32]);

/// Never the seed: who knows it can tell which items are moderated.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(..)")
    }
}

impl TryFrom<String> for Seed {
    type Error = SeedError;

    fn try_from(text: String) -> Result<Self, SeedError> {
        text.parse::<Sha256>().map(|bytes| Self(*bytes.as_bytes())).map_err(|_| SeedError)
    }
}

impl From<Seed> for String {
    fn from(seed: Seed) -> Self {
        Sha256(seed.0).to_string()
    }
}

/// Whether the item belongs to the sample of so many in a thousand.
///
/// The first 8 bytes of SHA-256(`avocet moderation sample 1` ‖ seed ‖ SHA-256 of the item), as a big-endian number x:
/// the item is drawn when x / 2^64 is below the share. The answer depends on nothing else, so it is the same on every
/// machine and for every order of work, and an item drawn at one share is drawn at every larger one.
#[must_use]
pub fn drawn(seed: &Seed, per_1000: u32, item: &Sha256) -> bool {
    drawn_by(LABEL, seed, per_1000, item)
}

/// Whether a known item belongs to the dip sample: as [`drawn`], with the label `avocet dip sample 1`.
#[must_use]
pub fn dip_drawn(seed: &Seed, per_1000: u32, item: &Sha256) -> bool {
    drawn_by(DIP_LABEL, seed, per_1000, item)
}

fn drawn_by(label: &[u8], seed: &Seed, per_1000: u32, item: &Sha256) -> bool {
    let digest: [u8; 32] =
        sha2::Sha256::new().chain_update(label).chain_update(seed.0).chain_update(item.as_bytes()).finalize().into();
    let x = digest.iter().take(8).fold(0u64, |x, byte| x << 8 | u64::from(*byte));
    u128::from(x) * 1000 < u128::from(per_1000) << 64
}
