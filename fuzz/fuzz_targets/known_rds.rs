//! NSRL RDS 3 databases.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let rest = data.get(16..).unwrap_or_default();
    avocet_fuzz::records("set", &[b"SQLite format 3\0", rest].concat());
});
