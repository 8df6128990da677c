//! Leads: intake always succeeds, and whatever it read can be kept, searched for and shown. The first byte says as which
//! format the rest is read; real programs take the format that the content seems to have.
#![no_main]

use avocet_record::intake::{Format, read};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let format = match first % 5 {
        0 => Format::Xml,
        1 => Format::Csv,
        2 => Format::Json,
        3 => Format::Unread,
        _ => Format::of(rest),
    };
    let lead = read(rest, format);
    assert!(rest.is_empty() || !lead.fields.is_empty() || !lead.problems.is_empty(), "nothing read and nothing said");
    for identifier in lead.identifiers() {
        assert!(!identifier.value.is_empty());
    }
    let _ = lead.flags();
    let text = serde_json::to_string(&lead).expect("a lead is kept as JSON");
    let again: avocet_record::intake::Lead = serde_json::from_str(&text).expect("and read from it");
    assert_eq!(again.fields.len(), lead.fields.len());
});
