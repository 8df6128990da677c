//! Tables with a header line, and the header line itself.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    avocet_fuzz::records("set", &[b"md5,sha1,size,pdq,photodna,category,id,name\n", data].concat());
    avocet_fuzz::records("set", &[b"md5;", data].concat());
});
