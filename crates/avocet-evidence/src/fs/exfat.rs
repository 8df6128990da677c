//! exfat.
