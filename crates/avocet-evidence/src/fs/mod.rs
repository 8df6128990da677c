//! File systems and trees like them, each behind [`crate::FileSystem`].
pub mod exfat;
pub mod ext;
pub mod fat;
pub mod folder;
pub mod ios;
pub mod ntfs;
pub mod recycle;
pub mod tar;
pub(crate) mod ufd;
pub mod ufdr;
pub mod zip;
