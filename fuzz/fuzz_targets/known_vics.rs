//! VICS JSON: what stands in an array of records, and a whole file.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let set = [b"{\"odata.metadata\":\"DataModels/1.3.xml#Media\",\"value\":[", data, b"]}"].concat();
    avocet_fuzz::records("set", &set);
    avocet_fuzz::records("set", &[b"{\"value\":[{\"Media\":", data].concat());
});
