//! ext2, ext3 and ext4.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::ext::Ext::open));
