//! The key bag of an encrypted iOS backup: the input is `Manifest.plist`, beside a manifest that is no database.
#![no_main]

use avocet_evidence::fs::ios::IosBackup;
use avocet_evidence::scratch::Secret;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Millions of rounds are allowed, and would only take the fuzzer's time.
    let many = |tag: &[u8]| {
        let found = data.windows(12).filter(|w| w.starts_with(tag));
        found.into_iter().any(|w| w[8..] > [0, 0, 4, 0][..])
    };
    if many(b"ITER") || many(b"DPIC") {
        return;
    }
    let memory = std::path::Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(place).expect("a temporary folder");
    std::fs::write(folder.path().join("Manifest.plist"), data).expect("writes to it");
    std::fs::write(folder.path().join("Manifest.db"), [0x5A; 4096]).expect("writes to it");
    let _ = IosBackup::look(folder.path(), Some(&Secret::new(b"123456".to_vec())));
});
