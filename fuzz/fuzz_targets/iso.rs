//! ISO 9660 with Rock Ridge and Joliet.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::iso::Iso::open));
