//! Archives among the files of the evidence: zip, tar, 7z, packed tar, packed files (bzip2 too), Android backups.
#![no_main]

use std::sync::Arc;

use avocet_evidence::embedded::open_archive;
use avocet_evidence::scratch::{InMemory, Scratch};
use avocet_evidence::unpack::Limit;

const MOST: u64 = 32 << 20;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let scratch: Arc<dyn Scratch> = Arc::new(InMemory::new(4 * MOST));
    let limit = Limit { ratio: 0, base: MOST, most: MOST };
    if let Ok(Some(archive)) = open_archive(avocet_fuzz::source(data), "name.gz", limit, &scratch) {
        assert!(archive.unpacked <= MOST);
        avocet_fuzz::walk_opened(&*archive.fs, archive.source, data.len().max(archive.unpacked as usize));
    }
});
