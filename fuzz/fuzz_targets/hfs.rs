//! HFS+ and HFSX, with compressed files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::hfs::Hfs::open));
