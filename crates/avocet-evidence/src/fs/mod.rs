//! File systems and trees like them, each behind [`crate::FileSystem`].
pub mod apfs;
pub mod exfat;
pub mod ext;
pub mod fat;
pub mod folder;
pub mod hfs;
pub mod ios;
pub mod iso;
pub mod ntfs;
pub mod recycle;
pub mod sevenz;
pub mod tar;
pub(crate) mod ufd;
pub mod ufdr;
pub mod xfs;
pub mod zip;
