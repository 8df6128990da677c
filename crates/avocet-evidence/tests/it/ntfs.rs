//! ntfs.
