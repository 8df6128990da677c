//! The metadata of BitLocker volumes, tried with a password and a startup key; no password is stretched, so that each input is
//! quick. Checksums are made right, or hardly an input would come past them.
#![no_main]

use avocet_evidence::bytes::{le_u16, le_u64};
use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::bitlocker::BitLocker;
use avocet_evidence::volume::luks::Work;

fn mended(data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    for place in [176, 184, 192, 440, 448, 456] {
        let at = le_u64(data, place).and_then(|at| usize::try_from(at).ok());
        let Some((at, block)) = at.and_then(|at| Some((at, data.get(at..)?))) else { continue };
        let size = usize::from(le_u16(block, 8).unwrap_or(0)) * 16;
        if let Some(body) = block.get(..size).filter(|b| b.starts_with(b"-FVE-FS-")) {
            let mut crc = flate2::Crc::new();
            crc.update(body);
            if let Some(sum) = out.get_mut(at + size + 4..at + size + 8) {
                sum.copy_from_slice(&crc.sum().to_le_bytes());
            }
        }
    }
    out
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let volume = match BitLocker::open(&avocet_fuzz::source(&mended(data))) {
        Ok(volume) => volume,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert!(!volume.asks_for().is_empty() && volume.facts().protectors.len() <= 32);
    let secret = |bytes: &[u8]| Some(Secret::new(bytes.to_vec()));
    // The input is a startup key as well.
    let access = Access { password: secret(b"123456"), key_file: secret(data), ..Access::default() };
    match volume.unlock(&access, &mut Work::at_most(1000)) {
        Err(why) => assert!(!why.to_string().is_empty()),
        Ok(unlocked) => avocet_fuzz::read_around(&*unlocked.source),
    }
});
