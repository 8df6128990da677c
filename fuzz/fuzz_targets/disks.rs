//! Virtual disks: QCOW, VHD, VHDX, VMDK, DMG, AFF4. A VMDK descriptor gets the input itself for each of its extents.
#![no_main]

use avocet_evidence::Source;
use avocet_evidence::container::open_disk;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let file = avocet_fuzz::source(data);
    let disk = match open_disk(file.clone(), &mut |_| Ok(file.clone())) {
        Ok(disk) => disk,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let (length, mut buffer) = (disk.source.len(), vec![0; 70_000]);
    for at in (0..16).map(|i| length / 16 * i).chain((0..16).map(|i| i * 65_536)).chain([length, u64::MAX]) {
        if let Ok(n) = disk.source.read_at(at, &mut buffer) {
            assert_eq!(n as u64, length.saturating_sub(at).min(70_000), "fewer bytes only at the end");
        }
    }
});
