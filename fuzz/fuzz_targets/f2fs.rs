//! F2FS.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::f2fs::F2fs::open));
