//! NTFS, and with it LZNT1 and the attribute lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::ntfs::Ntfs::open));
