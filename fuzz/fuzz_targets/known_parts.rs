//! Names of files that may be parts of one set.
#![no_main]

use std::path::PathBuf;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let paths: Vec<PathBuf> = text.split('\n').take(64).map(PathBuf::from).collect();
    let names: Vec<&str> = text.split('\n').skip(64).take(64).collect();
    if let Err(error) = avocet_known::check_parts(&paths, &names) {
        assert!(!error.to_string().is_empty());
    }
});
