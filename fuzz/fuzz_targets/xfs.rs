//! XFS of versions 4 and 5.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::xfs::Xfs::open));
