//! Physical volumes of CoreStorage, whose list is read and whose volumes are tried with a password; little work.
#![no_main]

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::corestorage::CoreStorage;
use avocet_evidence::volume::luks::Work;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let store = match CoreStorage::open(&avocet_fuzz::source(data)) {
        Ok(store) => store,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let access = Access { password: Some(Secret::new(b"123456".to_vec())), ..Access::default() };
    let mut work = Work::at_most(5_000);
    for number in 0..store.volumes() {
        assert!(store.facts(number).is_some());
        match store.unlock(number, &access, &mut work) {
            Err(why) => assert!(!why.to_string().is_empty()),
            Ok(unlocked) => avocet_fuzz::read_around(&*unlocked.source),
        }
    }
});
