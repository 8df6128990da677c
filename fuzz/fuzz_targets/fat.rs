//! FAT12, FAT16 and FAT32.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::fat::Fat::open));
