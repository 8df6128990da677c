//! VICS JSON: each quirk of real files is a test. The numbers are those of `docs/known-sets.md`.

use avocet_known::{Basis, Field, KnownError};

use serde_json::json;

use crate::support::{digests, load, md5, only, pdq, read, records, sha1, sha256};

const HASH_SET: &str =
    r#""@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/$metadata#Media""#;

fn set(media: &str) -> String {
    format!("{{{HASH_SET},\"value\":[{media}]}}")
}

fn media(n: u64, rest: &str) -> String {
    format!("{{\"MediaID\":{n},\"MD5\":\"{}\",\"SHA1\":\"{}\"{rest}}}", md5(n), sha1(n))
}

#[test]
fn quirk_01_booleans_as_strings() {
    let flags = r#","VictimIdentified":"false","OffenderIdentified":"true","IsDistributed":true,"IsSuspected":false"#;
    let sets = load(set(&media(1, flags)), "us-vics-2.0").unwrap();
    let flags = only(sets.lookup(&digests(1), 5)).flags;
    assert!(!flags.victim_identified() && flags.offender_identified() && flags.distributed() && !flags.suspected());
    assert_eq!(flags.words().collect::<Vec<_>>(), ["offender-identified", "distributed"]);
    let sets = load(set(&media(1, r#","IsDistributed":"perhaps""#)), "us-vics-2.0").unwrap();
    assert!(!only(sets.lookup(&digests(1), 5)).flags.distributed());
    assert!(sets.sets()[0].warnings[0].contains("neither true nor false"), "{:?}", sets.sets()[0].warnings);
}

#[test]
fn quirk_02_byte_order_mark() {
    let mut text = b"\xef\xbb\xbf".to_vec();
    text.extend(set(&media(1, "")).bytes());
    let sets = load(&text, "us-vics-2.0").unwrap();
    assert_eq!(sets.lookup(&digests(1), 5).len(), 1);
    // The digest of the source is that of the file as it is, with the mark.
    use sha2::Digest;
    assert_eq!(sets.sets()[0].sha256.0[..], sha2::Sha256::digest(&text)[..]);
    assert_eq!(sets.sets()[0].bytes, text.len() as u64);
}

#[test]
fn quirk_03_case_of_field_names() {
    let text = format!(
        "{{\"ODATA.METADATA\":\"http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media\",\"Value\":[\
         {{\"mediaid\":7,\"md5\":\"{}\",\"Sha1\":\"{}\",\"mediasize\":5,\"CATEGORY\":1,\"series\":\"S\"}}]}}",
        md5(1),
        sha1(1)
    );
    let sets = load(text, "us-vics-2.0").unwrap();
    let hit = only(sets.lookup(&digests(1), 5));
    assert_eq!((hit.record.as_str(), hit.category.as_deref(), hit.basis), ("MediaID 7", Some("1"), Basis::Sha1AndSize));
    assert_eq!(hit.series.as_deref(), Some("S"));
    assert_eq!(sets.sets()[0].format, "VICS 1.3 hash set");
    assert!(sets.sets()[0].warnings.is_empty());
}

#[test]
fn quirk_04_case_of_digests() {
    let lower = media(1, &format!(",\"SHA256\":\"{}\",\"PDQ\":\"{}\"", sha256(1), pdq(1)));
    let upper = lower
        .replace(&md5(1).to_string(), &md5(1).to_string().to_uppercase())
        .replace(&sha1(1).to_string(), &sha1(1).to_string().to_uppercase())
        .replace(&sha256(1).to_string(), &sha256(1).to_string().to_uppercase())
        .replace(&pdq(1).to_string(), &pdq(1).to_string().to_uppercase());
    for text in [lower, upper] {
        let (set, got) = read("x", set(&text)).unwrap();
        assert_eq!((got[0].md5, got[0].sha1), (Field::Is(md5(1)), Field::Is(sha1(1))), "{text}");
        assert_eq!((got[0].sha256, got[0].pdq), (Field::Is(sha256(1)), Field::Is(pdq(1))), "{text}");
        assert!(set.notes.is_empty() && got[0].extra.is_empty(), "{text}");
    }
}

#[test]
fn quirk_05_sizes_as_text_and_beyond_doubles() {
    for size in [161_713, 9_007_199_254_740_993, u64::MAX] {
        for text in [format!(",\"MediaSize\":{size}"), format!(",\"MediaSize\":\"{size}\"")] {
            let sets = load(set(&media(1, &text)), "us-vics-2.0").unwrap();
            assert_eq!(only(sets.lookup(&digests(1), size)).basis, Basis::Sha1AndSize);
            let other = only(sets.lookup(&digests(1), size - 1)).basis;
            assert_eq!(other.to_string(), "digest conflict (sha1+md5 agrees, size differs)");
        }
    }
}

#[test]
fn quirk_06_dates_of_every_kind_are_kept_as_they_stand() {
    for date in [
        "2024-03-02T10:11:12.1300Z",
        "2012-01-01T00:00:00-05:00",
        "/Date(1325376000000)/",
        "1/31/2012 1:02:03 PM",
        "2020-01-01T00:00:00.0000123+01:00Z",
        "",
        "nonsense",
    ] {
        let text = media(1, &format!(",\"DateUpdated\":\"{date}\",\"MediaFiles\":[{{\"Created\":\"{date}\"}}]"));
        let sets = load(set(&text), "us-vics-2.0").unwrap();
        assert_eq!((sets.sets()[0].kept, sets.sets()[0].warnings.len()), (1, 0), "{date}");
        let kept = records(set(&text)).remove(0).kept();
        assert_eq!(kept, json!({"DateUpdated": date, "MediaFiles": [{"Created": date}]}));
    }
}

#[test]
fn quirk_07_photodna_of_every_length_is_kept() {
    let value: Vec<u8> = (0..144u32).map(|i| (i * 7 + 1) as u8).collect();
    let hex: String = value.iter().map(|b| format!("{b:02X}")).collect();
    // The same bytes by a program that is not ours.
    let base64 = base64_of(&value);
    assert_eq!((base64.len(), hex.len()), (192, 288));
    let several = [value.clone(), value.iter().map(|b| b ^ 0x55).collect()].concat();
    for (text, wanted) in [
        (base64.clone(), &value),
        (hex.clone(), &value),
        (hex.to_lowercase(), &value),
        (base64_of(&several), &several),
        (several.iter().map(|b| format!("{b:02x}")).collect(), &several),
    ] {
        let direct = media(1, &format!(",\"PhotoDNA\":\"{text}\""));
        let entry = format!("{{\"HashName\":\"PhotoDNA\",\"HashValue\":\"{text}\"}}");
        let listed = media(1, &format!(",\"AlternativeHashes\":[{entry}]"));
        let both = media(1, &format!(",\"PhotoDNA\":\"{text}\",\"AlternativeHashes\":[{entry}]"));
        for record in [direct, listed, both] {
            let got = records(set(&record)).remove(0);
            assert_eq!((&got.photodna, got.extra.as_str()), (wanted, ""), "{text}");
        }
        let more = media(1, &format!(",\"AlternativeHashes\":[{{\"MD5\":\"x\",{}]", &entry[1..]));
        let got = records(set(&more)).remove(0);
        assert_eq!(&got.photodna, wanted);
        assert_eq!(got.kept()["AlternativeHashes"][0]["MD5"], "x", "an entry that says more is kept whole");
    }
    for odd in ["\"A\"", "[1,2]", "7", "\"====\""] {
        let (info, got) = read("x", set(&media(1, &format!(",\"PhotoDNA\":{odd}")))).unwrap();
        assert_eq!((got[0].photodna.len(), got[0].extra.as_str()), (0, &*format!("{{\"PhotoDNA\":{odd}}}")));
        assert!(info.notes[0].reason.contains("PhotoDNA value that is not of 144 bytes"), "{:?}", info.notes);
    }
    for nothing in ["null", "\"\""] {
        let (info, got) = read("x", set(&media(1, &format!(",\"PhotoDNA\":{nothing}")))).unwrap();
        assert_eq!((got[0].photodna.len(), info.notes.len(), got[0].extra.as_str()), (0, 0, ""));
    }
}

fn base64_of(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |i: usize| bytes[i / 8] >> (7 - i % 8) & 1;
    (0..bytes.len() * 8 / 6).map(|n| LETTERS[(0..6).fold(0, |v, i| v * 2 + bit(n * 6 + i) as usize)] as char).collect()
}

#[test]
fn quirk_08_left_out_flags_and_category() {
    let sets = load(
        set(&[media(1, ""), media(2, ",\"Category\":null"), media(3, ",\"Category\":\"\"")].join(",")),
        "us-vics-2.0",
    )
    .unwrap();
    for n in 1..=3 {
        let hit = only(sets.lookup(&digests(n), 5));
        assert_eq!((hit.category, hit.meaning.as_deref()), (None, Some("No category stated")));
        assert!(!hit.alerts && !hit.may_hide && !hit.category_may_hide);
        assert_eq!(hit.flags.words().count(), 0);
    }
}

#[test]
fn quirk_09_is_precategorized_says_nothing() {
    let with = load(set(&media(1, ",\"IsPrecategorized\":\"true\",\"PrecategorizationSource\":\"x\"")), "us-vics-2.0")
        .unwrap();
    let without = load(set(&media(1, "")), "us-vics-2.0").unwrap();
    assert_eq!(with.lookup(&digests(1), 5), without.lookup(&digests(1), 5));
    let got = records(set(&media(1, ",\"IsPrecategorized\":\"true\",\"PrecategorizationSource\":\"x\""))).remove(0);
    assert_eq!((got.category.as_deref(), got.flags.len()), (None, 0));
    assert_eq!(got.kept(), json!({"IsPrecategorized": "true", "PrecategorizationSource": "x"}));
}

#[test]
fn quirk_10_totals_are_not_believed() {
    let text = format!(
        "{{\"@odata.context\":\"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Cases\",\
         \"value\":[{{\"CaseID\":\"{{1}}\",\"TotalMediaFiles\":34731,\"ContactOrganization\":\"Unit\",\
         \"SourceApplicationName\":\"Tool\",\"SourceApplicationVersion\":\"7.1\",\"SeizureDate\":\"2024-04-01\",\"ContactName\":\"x\",\
         \"Media\":[{},{}]}},{{\"CaseID\":\"{{2}}\",\"SourceApplicationName\":\"Other\",\"Media\":[{}]}},{{\"CaseID\":\"{{3}}\",\"Media\":null}}]}}",
        media(1, ""),
        media(2, ""),
        media(3, "")
    );
    let sets = load(text, "us-vics-2.0").unwrap();
    let info = &sets.sets()[0];
    assert_eq!((info.format.as_str(), info.kept), ("VICS 2.0 case, region US", 3));
    assert_eq!(info.publisher.as_deref(), Some("Unit"));
    assert_eq!(info.warnings, ["fields of the case itself, which are not kept: ContactName, TotalMediaFiles"]);
    let stated: Vec<_> = info.sources[0].stated.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let context = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Cases";
    let wanted = [
        ("context", context),
        ("SourceApplicationName", "Tool"),
        ("SourceApplicationVersion", "7.1"),
        ("SeizureDate", "2024-04-01"),
    ];
    assert_eq!(stated, wanted, "of the first case that says it; no person is named");
    assert_eq!(only(sets.lookup(&digests(3), 5)).record, "MediaID 3");
}

#[test]
fn quirk_11_one_file_named_by_many_records() {
    let many: Vec<String> = (0..116)
        .map(|i| format!("{{\"MediaID\":{i},\"MD5\":\"{}\",\"MediaFiles\":[{{\"MD5\":\"{}\",\"FileName\":\"{i}.jpg\",\"FilePath\":\"/a\"}},{{\"FileName\":\"b\"}}]}}", md5(1), md5(1)))
        .collect();
    let sets = load(set(&many.join(",")), "us-vics-2.0").unwrap();
    let info = &sets.sets()[0];
    assert_eq!((info.records_read, info.kept, info.duplicates), (116, 1, 115));
    assert_eq!(only(sets.lookup(&digests(1), 5)).record, "MediaID 0");
    let all = records(set(&many.join(",")));
    for (i, record) in all.iter().enumerate() {
        assert_eq!(record.kept()["MediaFiles"][0]["FileName"], format!("{i}.jpg"), "every place of a file is kept");
    }
    assert_eq!(all.len(), 116);
}

#[test]
fn quirk_12_exif_vocabulary_is_kept_and_not_interpreted() {
    let text = media(
        1,
        ",\"Exifs\":[{\"PropertyName\":\"GPS Latitude Ref\",\"PropertyValue\":\"|\"},null,7],\"MediaMetadata\":{}",
    );
    assert_eq!(load(set(&text), "us-vics-2.0").unwrap().sets()[0].kept, 1);
    let kept = records(set(&text)).remove(0).extra;
    assert_eq!(
        kept,
        "{\"Exifs\":[{\"PropertyName\":\"GPS Latitude Ref\",\"PropertyValue\":\"|\"},null,7],\"MediaMetadata\":{}}"
    );
}

#[test]
fn quirk_13_only_the_category_says_that_there_is_a_verdict() {
    let text = [
        media(1, ",\"Category\":1,\"Comments\":\"ignorable\""),
        media(2, ",\"Category\":0,\"IsPrecategorized\":true"),
        media(
            3,
            ",\"Comments\":\"1\",\"Tags\":\"1\",\"Series\":\"1\",\"IsPrecategorized\":true,\"PrecategorizationSource\":\"1\"",
        ),
    ];
    let sets = load(set(&text.join(",")), "us-vics-2.0").unwrap();
    assert!(only(sets.lookup(&digests(1), 5)).alerts);
    let zero = only(sets.lookup(&digests(2), 5));
    assert_eq!(zero.meaning.as_deref(), Some("Uncategorised"));
    assert!(!zero.alerts && !zero.category_may_hide, "0 is not ignorable");
    let none = only(sets.lookup(&digests(3), 5));
    assert_eq!((none.category, none.alerts, none.meaning.as_deref()), (None, false, Some("No category stated")));
}

#[test]
fn unknown_keys_are_warnings() {
    let text = format!(
        "{{\"Vendor\":{{\"a\":[1,{{}}]}},{HASH_SET},\"value\":[{}],\"odata.nextLink\":\"page 2\"}}",
        media(1, ",\"Votes\":3")
    );
    let sets = load(text, "us-vics-2.0").unwrap();
    assert_eq!(
        sets.sets()[0].warnings,
        [
            "the file says that the set goes on elsewhere (nextLink): it is only a part",
            "keys beside `value` passed over: Vendor, odata.nextLink",
            "fields that this reader does not know, kept with their records: Votes",
        ]
    );
}

#[test]
fn quirk_14_large_files_are_a_stream() {
    // Records in a pretty-printed file of several read-ahead pieces, one of which is longer than a piece.
    let long = "x".repeat(3 << 20);
    let mut text = format!("{{\r\n  {HASH_SET},\r\n  \"value\" : [\r\n");
    for n in 0..9000u64 {
        let comment = if n == 4000 { long.as_str() } else { "" };
        let comma = if n == 0 { "" } else { ",\r\n" };
        text.push_str(comma);
        text.push_str(&format!(
            "    {{\r\n      \"MediaID\" : {n} ,\r\n      \"MD5\" : \"{}\",\r\n      \"MediaSize\" : \"{}\",\r\n      \
             \"Comments\" : \"{comment}\\u00e9\", \"MediaFiles\" : [ {{ \"FileName\" : \"{{[\\\"{n}\" }} ]\r\n    }}",
            md5(n),
            n + 1
        ));
    }
    text.push_str("\r\n  ]\r\n}\r\n");
    assert!(text.len() > 4 << 20);
    let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
    let got = records(&text);
    assert_eq!(got.len(), 9000);
    for (n, (record, wanted)) in got.iter().zip(whole["value"].as_array().unwrap()).enumerate() {
        let n = n as u64;
        assert_eq!((record.id.as_str(), record.place), (&*n.to_string(), n + 1));
        assert_eq!((record.md5, record.size), (Field::Is(md5(n)), Field::Is(n + 1)));
        let kept = record.kept();
        assert!(kept["Comments"] == wanted["Comments"] && kept["MediaFiles"] == wanted["MediaFiles"], "{n}");
        assert_eq!(text.as_bytes()[record.offset as usize], b'{');
        assert!(text[record.offset as usize..].contains(&format!("\"MediaID\" : {n} ")));
    }
}

#[test]
fn every_field_that_is_not_modelled_comes_back_as_it_stands() {
    let text = media(
        1,
        r#","Vendor" : {"a":[1, 2.50,1e2,"\u00e9\/"]},"MediaSize":"12 kB","IsDistributed":"perhaps","Tags":null,
            "Exifs":[] ,"odata.id":"Media(1)","Vi\u0063timIdentified":true,"Comments":"a\"b","PDQ":"short""#,
    );
    let got = records(set(&text)).remove(0);
    assert_eq!(
        got.extra,
        r#"{"Vendor":{"a":[1, 2.50,1e2,"\u00e9\/"]},"MediaSize":"12 kB","IsDistributed":"perhaps","Tags":null,"#
            .to_owned()
            + r#""Exifs":[],"odata.id":"Media(1)","Comments":"a\"b","PDQ":"short"}"#
    );
    assert_eq!((got.size, got.flags.as_slice()), (Field::Bad, &["victim-identified"][..]));
}

#[test]
fn pdq_is_read_wherever_an_entry_names_it() {
    let hash = pdq(1);
    let upper = hash.to_string().to_uppercase();
    for (rest, kept) in [
        (format!(",\"AlternativeHashes\":[{{\"HashName\":\"PDQ\",\"HashValue\":\"{upper}\"}}]"), false),
        (format!(",\"MediaMetadata\":[{{\"PropertyName\":\"pdq\",\"PropertyValue\":\"{hash}\"}}]"), true),
        (format!(",\"MediaMetadata\":[{{\"MD5\":\"x\",\"PropertyName\":\"PDQ\",\"PropertyValue\":\"{hash}\"}}]"), true),
        (format!(",\"PDQ\":\"{hash}\""), false),
    ] {
        let got = records(set(&media(1, &rest))).remove(0);
        assert_eq!((got.pdq, !got.extra.is_empty()), (Field::Is(hash), kept), "{rest}");
    }
    let odd = ",\"AlternativeHashes\":[{\"HashName\":\"PDQ\",\"HashValue\":\"12\"}]";
    let (info, got) = read("x", set(&media(1, odd))).unwrap();
    assert_eq!((got[0].pdq, got[0].extra.as_str()), (Field::Absent, &*format!("{{{}}}", &odd[1..])));
    assert!(info.notes[0].reason.contains("PDQ value"));
}

#[test]
fn records_of_a_case_say_which_case_they_are_of() {
    let text = format!(
        "{{\"value\":[{{\"CaseID\":\"{{A}}\",\"Media\":[{}],\"CaseNumber\":7}},{{\"Media\":[{}],\"CaseID\":\"{{B}}\"}}]}}",
        media(1, ",\"Tags\":\"t\""),
        media(2, "")
    );
    let (info, got) = read("x", &text).unwrap();
    assert_eq!(got[0].extra, r#"{"Tags":"t","avocet:case":{"number":1,"CaseID":"{A}"}}"#);
    // What stands behind the media comes too late for a stream; the number still tells the cases apart.
    assert_eq!(got[1].extra, r#"{"avocet:case":{"number":2}}"#);
    assert_eq!(info.warnings[1], "fields of the case itself, which are not kept: CaseNumber");
    let both = format!("{{\"value\":[{{\"MD5\":\"{}\",\"Media\":[{}]}}]}}", md5(3), media(1, ""));
    let error = read("x", both).unwrap_err().to_string();
    assert!(error.contains("neither case nor record"), "{error}");
}

#[test]
fn text_that_is_not_utf_8_costs_only_its_own_bytes() {
    let mut text = set(&[media(1, ",\"Comments\":\"caf#\",\"Series\":\"s#\""), media(2, "")].join(",")).into_bytes();
    text.iter_mut().filter(|b| **b == b'#').for_each(|b| *b = 0xe9);
    let at = text.windows(8).position(|w| w == b"metadata").unwrap();
    text[at - 1] = b'$';
    let (info, got) = read("x", &text).unwrap();
    assert_eq!((got.len(), got[0].series.as_deref()), (2, Some("s\u{fffd}")));
    assert_eq!(got[0].kept()["Comments"], "caf\u{fffd}");
    assert!(info.notes[0].reason.contains("not UTF-8"), "{:?}", info.notes);
}

#[test]
fn an_unreadable_digest_of_its_own_gives_way_to_an_alternative_one() {
    let text =
        format!("{{\"MD5\":\"oops\",\"AlternativeHashes\":[{{\"HashName\":\"MD5\",\"HashValue\":\"{}\"}}]}}", md5(1));
    let got = records(set(&text)).remove(0);
    assert_eq!(got.md5, Field::Is(md5(1)));
    assert_eq!(got.kept()["MD5"], "oops");
}

#[test]
fn the_context_may_come_last_be_new_or_be_absent() {
    let last = format!("{{\"value\":[{}],{HASH_SET}}}", media(1, ""));
    assert_eq!(load(last, "us-vics-2.0").unwrap().sets()[0].format, "VICS 2.0 hash set, region Default");
    let new = set(&media(1, "")).replace("2.0.xml", "3.1.xml");
    let sets = load(new, "us-vics-2.0").unwrap();
    assert!(sets.sets()[0].warnings[0].contains("VICS 3.1 is newer"), "{:?}", sets.sets()[0].warnings);
    let none = format!("{{\"value\":[{}]}}", media(1, ""));
    let sets = load(none, "us-vics-2.0").unwrap();
    assert_eq!(sets.sets()[0].format, "VICS hash set, version not stated");
    assert!(sets.sets()[0].warnings[0].contains("does not say which version"));
}

#[test]
fn the_region_of_the_file_must_fit_the_scheme() {
    let uk = set(&media(1, ",\"Category\":1")).replace("/Default/", "/UK/");
    let error = load(&uk, "us-vics-2.0").unwrap_err();
    assert!(matches!(error, KnownError::Region { .. }), "{error}");
    assert!(error.to_string().contains("those of region UK, but the scheme us-vics-2.0 is for US, Default"), "{error}");
    let error = load(&uk, "uk-2014").unwrap_err();
    assert!(matches!(error, KnownError::Category { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("category `1` at record 1")
            && text.contains("are not public")
            && text.contains("docs/known-sets.md"),
        "{text}"
    );
    // A scheme that interprets no code fits every region.
    let hit = only(load(&uk, "alert").unwrap().lookup(&digests(1), 5));
    assert_eq!((hit.category.as_deref(), hit.meaning, hit.alerts), (Some("1"), None, true));
}

#[test]
fn alternative_hashes_are_digests_too() {
    let text = format!(
        "{{\"MediaID\":1,\"MD5\":\"{}\",\"AlternativeHashes\":[{{\"HashName\":\"SHA-256\",\"HashValue\":\"{}\"}},\
         {{\"HashName\":\"SHA1\",\"HashValue\":\"{}\"}},{{\"HashName\":\"EDK\",\"HashValue\":\"x\"}},null,{{}}]}}",
        md5(1),
        sha256(1),
        sha1(1)
    );
    let sets = load(set(&text), "us-vics-2.0").unwrap();
    assert_eq!(only(sets.lookup(&digests(1), 5)).basis, Basis::Sha256);
    let mut other = digests(2);
    other.sha256 = sha256(1);
    assert_eq!(only(sets.lookup(&other, 5)).basis.to_string(), "digest conflict (sha256 agrees, sha1+md5 differs)");
    let differs =
        media(1, &format!(",\"AlternativeHashes\":[{{\"HashName\":\"SHA1\",\"HashValue\":\"{}\"}}]", sha1(9)));
    let sets = load(set(&differs), "us-vics-2.0").unwrap();
    assert!(sets.sets()[0].warnings[0].contains("alternative hash that differs"));
    assert_eq!(only(sets.lookup(&digests(1), 5)).basis, Basis::Sha1);
}

#[test]
fn records_that_cannot_be_used_are_counted_by_reason() {
    let text = [
        "{\"MediaID\":1}".to_owned(),
        "{\"MediaID\":2,\"MD5\":\"\",\"SHA1\":null}".to_owned(),
        "{\"MediaID\":3,\"MD5\":\"xyz\"}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "{\"MediaID\":6,\"MD5\":\"D41D8CD98F00B204E9800998ECF8427E\",\"MediaSize\":0,\"Category\":1}".to_owned(),
        media(7, ",\"MD5\":\"\""),
        format!("{{\"MediaID\":8,\"MD5\":\"zz\",\"SHA1\":\"{}\"}}", sha1(8)),
    ];
    let sets = load(set(&text.join(",")), "us-vics-2.0").unwrap();
    let info = &sets.sets()[0];
    let rejected: Vec<_> = info.rejected.iter().map(|t| (t.reason, t.count, t.first.clone())).collect();
    assert_eq!(
        rejected,
        [
            ("an element that is not an object", 2, vec![4, 5]),
            ("digest of empty content", 1, vec![6]),
            ("no usable digest", 3, vec![1, 2, 3]),
        ]
    );
    assert_eq!((info.records_read, info.kept), (8, 2));
    assert_eq!(only(sets.lookup(&digests(7), 5)).basis, Basis::Sha1);
    assert_eq!(only(sets.lookup(&digests(8), 5)).basis, Basis::Sha1);
    assert_eq!(
        info.warnings,
        [
            "1 record(s) for the empty file left out, as every empty file would match (first: record 6)",
            "2 record(s) with MD5 that is not 32 hexadecimal digits (first: record 3, 8)",
        ]
    );
}

#[test]
fn damaged_files_are_refused_with_their_place() {
    let whole = set(&[media(1, ""), media(2, "")].join(","));
    for end in [whole.len() - 1, whole.len() - 2, whole.len() / 2, HASH_SET.len() + 20] {
        let error = load(&whole[..end], "us-vics-2.0").unwrap_err();
        assert!(error.to_string().contains("it ends in the middle"), "{error}");
        assert!(error.to_string().contains(&format!("byte {end}")), "{error}");
    }
    let error = load(whole.replace(",\"SHA1\"", ",\"SHA1\":x\"SHA1\""), "us-vics-2.0").unwrap_err().to_string();
    assert!(error.contains("after record 0, byte") && error.contains("field SHA1"), "{error}");
    let error = load(whole.replace("\"MediaID\":2", "\"MediaID\":02"), "us-vics-2.0").unwrap_err().to_string();
    let at = whole.find("\"MediaID\":2").unwrap() + 11;
    assert!(
        error.contains(&format!("after record 1, byte {at}, field MediaID: a number that begins with 0")),
        "{error}"
    );
    let error = load(set(&media(1, ",\"Category\":77")), "us-vics-2.0").unwrap_err().to_string();
    let at = HASH_SET.len() + 11;
    assert!(error.contains(&format!("at record 1, byte {at}, field category")), "{error}");
    let error = load(format!("{whole} x"), "us-vics-2.0").unwrap_err();
    assert!(matches!(error, KnownError::Malformed { .. }), "{error}");
    for text in ["{}", "{\"value\":{}}", "{\"value\":7}", "{\"value\":null}", "{\"x\":[]}"] {
        let error = load(text, "us-vics-2.0").unwrap_err();
        assert!(error.to_string().contains("without an array `value`"), "{text}: {error}");
    }
    let error = load(set(""), "us-vics-2.0").unwrap_err();
    assert!(matches!(error, KnownError::Empty { read: 0, .. }), "{error}");
    let error = load(set("{\"CaseID\":\"1\",\"Media\":{\"1\":{}}}"), "us-vics-2.0").unwrap_err();
    assert!(error.to_string().contains("is an object and not an array"), "{error}");
    let deep = set(&format!("{{\"AlternativeHashes\":{}{}}}", "[".repeat(5000), "]".repeat(5000)));
    assert!(matches!(load(deep, "us-vics-2.0").unwrap_err(), KnownError::Malformed { .. }));
    let odd = set(&format!("{{\"Vendor\":{}{},\"MD5\":\"{}\"}}", "[".repeat(100), "]".repeat(100), md5(1)));
    assert_eq!(load(odd, "us-vics-2.0").unwrap().sets()[0].kept, 1);
}

#[test]
fn a_record_that_does_not_end_is_stopped() {
    let mut text = format!("{{{HASH_SET},\"value\":[{},{{\"Comments\":\"", media(1, ""));
    text.push_str(&"x".repeat(65 << 20));
    let error = load(text, "us-vics-2.0").unwrap_err().to_string();
    assert!(error.contains("one record is longer than 64 MiB") && error.contains("never closed"), "{error}");
}
