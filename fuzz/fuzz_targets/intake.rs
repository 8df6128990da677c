//! Leads as they come in: every format is read as every other, as a sender may call them what they like.
#![no_main]

use avocet_record::intake::{Format, Lead, MAX_FIELDS, read};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = Format::of(data);
    for format in [Format::Xml, Format::Csv, Format::Json, Format::Unread] {
        let lead = read(data, format);
        assert!(!lead.fields.is_empty() || !lead.problems.is_empty(), "what says nothing says so");
        assert!(lead.fields.len() <= MAX_FIELDS);
        assert!(lead.problems.iter().all(|problem| !problem.what.is_empty()));
        for event in &lead.ip_events {
            assert!(!event.path.is_empty() && lead.fields.iter().any(|field| field.text.contains(&event.address)));
        }
        for flagged in lead.flags() {
            assert!(lead.fields.iter().any(|field| field.path == flagged.path));
        }
        let _ = lead.identifiers();
        // As it is kept.
        let kept = serde_json::to_string(&lead).unwrap();
        assert_eq!(serde_json::from_str::<Lead>(&kept).unwrap(), lead);
    }
});
