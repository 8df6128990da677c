//! AFF4 volumes that hold files instead of a disk.
#![no_main]

use avocet_evidence::container::open_files;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = avocet_fuzz::source(data);
    match open_files(&source) {
        // The list of files may be packed as well as deflate can.
        Ok(fs) => avocet_fuzz::walk_opened(&*fs, source, data.len() * 1032),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
