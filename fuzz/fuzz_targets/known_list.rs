//! Lists: of digests, of PDQ hashes, and of hashdeep.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    avocet_fuzz::records("set.pdq", data);
    avocet_fuzz::records("set.sha256", data);
    avocet_fuzz::records("set", &[b"%%%% HASHDEEP-1.0\n%%%% size,md5,tiger,filename\n", data].concat());
});
