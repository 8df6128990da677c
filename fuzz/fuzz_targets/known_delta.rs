//! Deltas of the NSRL.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    avocet_fuzz::records("set", &[b"BEGIN;\n", data].concat());
    avocet_fuzz::records("set", &[b"INSERT INTO FILE VALUES (", data].concat());
});
