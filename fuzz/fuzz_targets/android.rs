//! Android backups, encrypted ones with a password.
#![no_main]

use std::sync::Arc;

use avocet_evidence::container::android::AndroidBackup;
use avocet_evidence::scratch::{Access, InMemory, Secret};
use avocet_evidence::unpack::Limit;

const MOST: u64 = 32 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Millions of rounds are allowed, and would only take the fuzzer's time.
    let head = &data[..data.len().min(4096)];
    let rounds = head.split(|b| *b == b'\n').nth(6).and_then(|l| std::str::from_utf8(l).ok()?.parse::<u32>().ok());
    if rounds.is_some_and(|n| n > 1000) {
        return;
    }
    let access = Access {
        password: Some(Secret::new(b"123456".to_vec())),
        scratch: Arc::new(InMemory::new(MOST)),
        ..Access::default()
    };
    let limit = Limit { ratio: 0, base: MOST, most: MOST };
    if let Ok(backup) = AndroidBackup::open_within(&avocet_fuzz::source(data), &access, limit) {
        assert!(backup.tar.len() <= MOST.max(data.len() as u64));
        if let Ok(tar) = avocet_evidence::fs::tar::Tar::open(Arc::clone(&backup.tar)) {
            let size = backup.tar.len() as usize;
            avocet_fuzz::walk_opened(&tar, backup.tar, size);
        }
    }
});
