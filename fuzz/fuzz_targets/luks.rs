//! The headers of encrypted volumes, tried with a password; little work, so that each input is quick.
#![no_main]

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::luks::{Luks, Work};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let luks = match Luks::open(&avocet_fuzz::source(data)) {
        Ok(luks) => luks,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let access = Access { password: Some(Secret::new(b"123456".to_vec())), ..Access::default() };
    match luks.unlock(&access, &mut Work::at_most(20_000)) {
        Err(why) => assert!(!why.to_string().is_empty()),
        Ok(unlocked) => avocet_fuzz::read_around(&*unlocked.source),
    }
});
