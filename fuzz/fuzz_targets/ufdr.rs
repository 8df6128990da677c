//! The report of a phone extraction: the input is `report.xml`, stored in a zip archive with one file beside it.
#![no_main]

use std::sync::Arc;

use avocet_evidence::fs::{ufdr::Ufdr, zip::Zip};

/// A zip archive of stored members.
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (vec![], vec![]);
    for (name, bytes) in members {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let size = (bytes.len() as u32).to_le_bytes();
        let sizes = [&crc.sum().to_le_bytes()[..], &size, &size, &(name.len() as u16).to_le_bytes(), &[0, 0]].concat();
        directory.extend(
            [
                &b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0"[..],
                &sizes,
                &[0; 10],
                &(out.len() as u32).to_le_bytes(),
                name.as_bytes(),
            ]
            .concat(),
        );
        out.extend([&b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0"[..], &sizes, name.as_bytes(), bytes].concat());
    }
    let count = (members.len() as u16).to_le_bytes();
    let end = [
        &b"PK\x05\x06\0\0\0\0"[..],
        &count,
        &count,
        &(directory.len() as u32).to_le_bytes(),
        &(out.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [out, directory, end].concat()
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let source = avocet_fuzz::source(&archive(&[("report.xml", data), ("files/Image/a.jpg", b"12345")]));
    let zip = Zip::open(Arc::clone(&source)).expect("the archive is whole");
    if let Ok(Some(report)) = Ufdr::open(Arc::clone(&source), &zip) {
        avocet_fuzz::walk_opened(&report, source, data.len() + 512);
    }
});
