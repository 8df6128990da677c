//! Partition tables and the recognition of what lies in a volume.
#![no_main]

use avocet_evidence::volume::{recognise, scan};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = avocet_fuzz::source(data);
    let _ = recognise(&*source);
    let Ok(found) = scan(source) else { return };
    let volumes: u64 = found.volumes.iter().map(|v| v.length).sum();
    let rest: u64 = found.gaps.iter().chain(&found.tables).map(|r| r.length).sum();
    assert_eq!((volumes + rest).checked_sub(found.overlap), Some(data.len() as u64), "every byte is accounted for");
});
