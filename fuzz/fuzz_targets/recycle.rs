//! Records of the Windows recycle bin.
#![no_main]

use avocet_evidence::fs::recycle::{parse_info, parse_info2};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = parse_info(data);
    assert!(parse_info2(data).len() <= data.len() / 280);
});
