//! Known sets of every format, which is found out by content.
#![no_main]

use avocet_known::{KnownSets, KnownSpec, SchemeRef};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let file = avocet_fuzz::file(data);
    for scheme in ["us-vics-2.0", "known-good"] {
        let spec = KnownSpec { path: file.path().to_owned(), scheme: SchemeRef::Builtin(scheme.to_owned()) };
        if let Ok(sets) = KnownSets::load(&[spec], &mut |_| {}) {
            let info = &sets.sets()[0];
            assert!(info.kept <= data.len() as u64, "no more records than bytes");
        }
    }
});
