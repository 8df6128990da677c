//! UDF of every revision. Its checksums stop much of what is made up; the tests give it descriptors whose tags are right.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| avocet_fuzz::walk(data, avocet_evidence::fs::udf::Udf::open));
