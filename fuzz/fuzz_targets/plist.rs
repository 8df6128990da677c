//! Property lists, binary and XML.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some(list) = avocet_evidence::plist::read(data) {
        let _ = avocet_evidence::plist::archive(&list);
    }
});
