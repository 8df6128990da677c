//! The four checksums that a volume may have been made with.

use sha2::Digest as _;

use crate::checksum::crc32c;

/// Which checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sum {
    Crc32c,
    XxHash,
    Sha256,
    Blake2b,
}

impl Sum {
    /// By its number in a superblock.
    pub fn of(number: u16) -> Option<Sum> {
        [Sum::Crc32c, Sum::XxHash, Sum::Sha256, Sum::Blake2b].get(usize::from(number)).copied()
    }

    /// Bytes of one.
    pub fn length(self) -> usize {
        match self {
            Self::Crc32c => 4,
            Self::XxHash => 8,
            Self::Sha256 | Self::Blake2b => 32,
        }
    }

    /// Whether bytes have this checksum; of a longer field its first bytes count.
    pub fn agrees(self, stored: &[u8], bytes: &[u8]) -> bool {
        let Some(stored) = stored.get(..self.length()) else { return false };
        match self {
            Self::Crc32c => stored == (!crc32c(!0, bytes)).to_le_bytes(),
            Self::XxHash => stored == twox_hash::XxHash64::oneshot(0, bytes).to_le_bytes(),
            Self::Sha256 => stored == sha2::Sha256::digest(bytes).as_slice(),
            Self::Blake2b => stored == blake2::Blake2b256::digest(bytes).as_slice(),
        }
    }
}
