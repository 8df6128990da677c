//! Real-shaped files of the shared test data, read beside `serde_json`'s own tree of the same file.

use avocet_base::{Digests, Md5, Sha1};
use avocet_known::{KnownError, KnownSets, KnownSpec};
use serde_json::Value;

use crate::support::{digests, skipped, testdata};

fn load(file: &str, scheme: &str) -> Result<KnownSets, KnownError> {
    let path = testdata().unwrap().join("formats/synthetic").join(file);
    KnownSets::load(&[KnownSpec::parse(&format!("{}={scheme}", path.display())).unwrap()], &mut |_| {})
}

/// The media of a VICS file by a whole-file parse.
fn media(file: &str) -> Vec<Value> {
    let bytes = std::fs::read(testdata().unwrap().join("formats/synthetic").join(file)).unwrap();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let root: Value = serde_json::from_slice(bytes).unwrap();
    let value = root["value"].as_array().unwrap().clone();
    if value[0].get("Media").is_some() {
        value.iter().flat_map(|case| case["Media"].as_array().unwrap().clone()).collect()
    } else {
        value
    }
}

#[test]
fn vics_files_give_back_every_record_that_a_whole_parse_sees() {
    if testdata().is_none() {
        return skipped(5, "AVOCET_TESTDATA is not there");
    }
    for (file, format) in [
        ("caid-nist-1.2-hashset.json", "VICS 1.2 hash set"),
        ("vics-1.3-hashset.json", "VICS 1.3 hash set"),
        ("vics-2.0-hashset.json", "VICS 2.0 hash set, region Default"),
        ("vics-2.0-case.json", "VICS 2.0 case, region UK"),
        ("vics-2.0-case-bom.json", "VICS 2.0 case, region US"),
    ] {
        let sets = load(file, "alert").unwrap();
        let info = &sets.sets()[0];
        let media = media(file);
        assert_eq!((info.format.as_str(), info.records_read), (format, media.len() as u64));
        assert_eq!(info.kept + info.duplicates + info.rejected.iter().map(|t| t.count).sum::<u64>(), info.records_read);
        for m in &media {
            let text = |key: &str| m.get(key).and_then(Value::as_str).unwrap_or_default();
            let size = m["MediaSize"].as_u64().or_else(|| text("MediaSize").parse().ok()).unwrap();
            let (md5, sha1): (Md5, Sha1) = (text("MD5").parse().unwrap(), text("SHA1").parse().unwrap());
            let listed = m.get("AlternativeHashes").and_then(Value::as_array).into_iter().flatten();
            let sha256 = listed
                .filter(|h| h["HashName"] == "SHA256")
                .filter_map(|h| h["HashValue"].as_str()?.parse().ok())
                .next()
                .unwrap_or(digests(1).sha256);
            let hits = sets.lookup(&Digests { md5, sha1, sha256 }, size).unwrap();
            let category = m.get("Category").filter(|c| !c.is_null()).map(Value::to_string);
            let record = format!("MediaID {}", m["MediaID"]);
            assert!(hits.iter().any(|h| h.category == category && h.basis.may_hide()), "{file} {record}");
        }
    }
}

#[test]
fn schemes_fit_the_files_they_are_for() {
    if testdata().is_none() {
        return skipped(7, "AVOCET_TESTDATA is not there");
    }
    assert!(load("caid-nist-1.2-hashset.json", "known-good").is_ok());
    assert!(load("vics-1.3-hashset.json", "us-vics-2.0").is_ok());
    assert!(load("vics-2.0-case-bom.json", "us-vics-2.0").is_ok());
    assert!(matches!(load("vics-2.0-case.json", "us-vics-2.0").unwrap_err(), KnownError::Region { .. }));
    assert!(matches!(load("vics-2.0-case.json", "uk-2014").unwrap_err(), KnownError::Category { .. }));
    assert!(load("vics-2.0-case.json", "uk-vics").is_ok());
    assert!(load("nsrl-rds3-minimal.db", "known-good").is_ok());
}

#[test]
fn lists_and_tables_keep_every_line() {
    if testdata().is_none() {
        return skipped(3, "AVOCET_TESTDATA is not there");
    }
    for (file, scheme, format, headers) in [
        ("md5-list.txt", "uncategorised", "list of digests", 0),
        ("sha256-list.csv", "known-good", "CSV", 1),
        ("icse-hashset.csv", "interpol-baseline", "ICSE CSV", 1),
    ] {
        let text = std::fs::read_to_string(testdata().unwrap().join("formats/synthetic").join(file)).unwrap();
        let sets = load(file, scheme).unwrap();
        let info = &sets.sets()[0];
        assert_eq!((info.format.as_str(), info.kept), (format, (text.lines().count() - headers) as u64), "{file}");
        assert!(info.rejected.is_empty() && info.duplicates == 0);
    }
}

#[test]
fn every_field_of_every_record_comes_back() {
    if testdata().is_none() {
        return skipped(5, "AVOCET_TESTDATA is not there");
    }
    // Fields that have a place of their own; alternative hashes have one where they say nothing more than a hash.
    const MODELLED: [&str; 12] = [
        "MediaID",
        "Category",
        "MD5",
        "SHA1",
        "MediaSize",
        "Series",
        "VictimIdentified",
        "OffenderIdentified",
        "IsDistributed",
        "IsSuspected",
        "SelfGenerated",
        "PhotoDNA",
    ];
    let mut fields = 0;
    for file in [
        "caid-nist-1.2-hashset.json",
        "vics-1.3-hashset.json",
        "vics-2.0-hashset.json",
        "vics-2.0-case.json",
        "vics-2.0-case-bom.json",
    ] {
        let path = testdata().unwrap().join("formats/synthetic").join(file);
        let (set, records) = crate::support::read_file(&path, None).unwrap();
        assert!(set.notes.is_empty(), "{file}: {:?}", set.notes);
        let media = media(file);
        assert_eq!(records.len(), media.len());
        for (record, wanted) in records.iter().zip(&media) {
            let kept = record.kept();
            for (name, value) in wanted.as_object().unwrap() {
                let own_place = MODELLED.contains(&name.as_str());
                let hashes_only = name == "AlternativeHashes" && kept.get(name).is_none();
                assert!(own_place || hashes_only || kept.get(name) == Some(value), "{file} {} {name}", record.id);
                fields += usize::from(kept.get(name).is_some());
            }
            let dna = wanted.get("PhotoDNA").is_some_and(|p| !p.is_null())
                || wanted["AlternativeHashes"].as_array().into_iter().flatten().any(|h| h["HashName"] == "PhotoDNA");
            assert_eq!(record.photodna.len(), if dna { 144 } else { 0 }, "{file} {}", record.id);
        }
    }
    assert!(fields > 100, "{fields}");
}
