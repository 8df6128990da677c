//! Headers of TrueCrypt and VeraCrypt volumes, tried with a password; little work, so that each input is quick.
#![no_main]

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::tcrypt::{Work, unlock, unlock_system};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = avocet_fuzz::source(data);
    let access = Access { password: Some(Secret::new(b"123456".to_vec())), ..Access::default() };
    let mut plain = vec![];
    match unlock(&source, &access, &mut Work::at_most(6_000).only("SHA-512")) {
        Err(why) => assert!(!why.to_string().is_empty()),
        Ok(unlocked) => plain.push(unlocked.source),
    }
    if let Ok(system) = unlock_system(&source, &access, &mut Work::at_most(6_000).only("SHA-512")) {
        plain.extend(system.over(&source, 0));
    }
    for source in plain {
        avocet_fuzz::read_around(&*source);
    }
});
