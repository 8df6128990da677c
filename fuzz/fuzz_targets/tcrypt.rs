//! Headers of TrueCrypt and VeraCrypt volumes, tried with a password; little work, so that each input is quick.
#![no_main]

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::tcrypt::{Work, unlock, unlock_system};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = avocet_fuzz::source(data);
    let access = Access { password: Some(Secret::new(b"123456".to_vec())), ..Access::default() };
    let mut buffer = vec![0; 70_000];
    let mut plain = vec![];
    match unlock(&source, &access, &mut Work::at_most(6_000).only("SHA-512")) {
        Err(why) => assert!(!why.to_string().is_empty()),
        Ok(unlocked) => plain.push(unlocked.source),
    }
    if let Ok(system) = unlock_system(&source, &access, &mut Work::at_most(6_000).only("SHA-512")) {
        plain.extend(system.over(&source, 0));
    }
    for source in plain {
        for at in [0, 1, 511, 4096, source.len().saturating_sub(1), source.len(), u64::MAX] {
            if let Ok(n) = source.read_at(at, &mut buffer) {
                assert_eq!(n as u64, source.len().saturating_sub(at).min(70_000));
            }
        }
    }
});
