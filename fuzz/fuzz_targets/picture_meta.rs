//! What pictures say about themselves: every container, EXIF, XMP, maker notes.
#![no_main]

use avocet_media::meta::read;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let meta = read(data);
    assert!(meta.facts.len() <= 512);
    assert!(meta.facts.iter().all(|f| !f.value.is_empty() && f.value.len() <= 1024));
    assert!(meta.facts.is_sorted_by_key(|f| (f.key, f.source)));
    assert!(meta.thumbnail.as_ref().is_none_or(|t| t.len() <= data.len().max(16 << 20)));
    let _ = (meta.taken().map(|t| t.iso()), meta.camera(), meta.place());
});
