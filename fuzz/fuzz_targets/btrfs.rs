//! btrfs. Its checksums stop most of what is made up; the test `hostile_nodes_end` gives it nodes whose checksums are right.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::btrfs::Btrfs::open));
