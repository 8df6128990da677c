//! File systems and trees like them, each behind [`crate::FileSystem`].
pub mod apfs;
pub mod btrfs;
mod climb;
pub mod exfat;
pub mod ext;
pub mod f2fs;
pub mod fat;
pub mod folder;
pub mod hfs;
pub mod ios;
pub mod iso;
pub mod ntfs;
pub mod recycle;
pub mod sevenz;
pub mod tar;
pub mod udf;
pub(crate) mod ufd;
pub mod ufdr;
pub mod xfs;
pub mod zip;

/// A UUID whose bytes stand in the order in which they are written.
pub(crate) fn uuid(b: &[u8; 16]) -> String {
    let hex = |range: std::ops::Range<usize>| {
        b.get(range).unwrap_or_default().iter().map(|b| format!("{b:02x}")).collect::<String>()
    };
    format!("{}-{}-{}-{}-{}", hex(0..4), hex(4..6), hex(6..8), hex(8..10), hex(10..16))
}
