//! The label and the metadata of a physical volume of LVM2, put together twice: alone, and as two that name each other.
#![no_main]

use avocet_evidence::volume::lvm::{Physical, State, assemble};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = avocet_fuzz::source(data);
    let physical = match Physical::open(&source) {
        Ok(physical) => physical,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    for group in assemble(&[&physical]).into_iter().chain(assemble(&[&physical, &physical])) {
        for volume in group.volumes {
            assert!(!volume.name.is_empty() && !volume.name.contains('/'));
            let State::Mapped { source, .. } = volume.state else { continue };
            let mut buffer = vec![0; 70_000];
            for at in [0, 1, 65_535, source.len() / 2, source.len(), u64::MAX] {
                if let Ok(n) = source.read_at(at, &mut buffer) {
                    assert_eq!(n as u64, source.len().saturating_sub(at).min(70_000));
                }
            }
        }
    }
});
