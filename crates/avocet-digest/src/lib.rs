//! MD5, SHA-1 and SHA-256 of many files at once.
