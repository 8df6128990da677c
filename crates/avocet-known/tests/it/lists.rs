//! Lists, hashdeep and tables.

use avocet_known::{Basis, KnownError, may_hide};

use crate::support::{digests, load, load_all, md5, only, sha1, sha256, skipped};

fn rejected(sets: &avocet_known::KnownSets) -> Vec<(&'static str, u64, Vec<u64>)> {
    sets.sets()[0].rejected.iter().map(|t| (t.reason, t.count, t.first.clone())).collect()
}

#[test]
fn plain_lists_of_mixed_digests_with_bad_lines() {
    let text = format!(
        "# a comment\r\n{}\r\n\r\n{}  name with spaces.jpg\n{} *b\nMD5 (x) = {}\nhello\n{}\n{}\nd41d8cd98f00b204e9800998ecf8427e\n{}",
        md5(1),
        sha1(2),
        sha256(3),
        md5(4),
        "ab".repeat(64),
        "abc",
        md5(5)
    );
    let sets = load(text, "alert").unwrap();
    let info = &sets.sets()[0];
    assert_eq!((info.format.as_str(), info.records_read, info.kept), ("list of digests", 9, 5));
    assert_eq!(
        rejected(&sets),
        [
            ("digest of a kind that is not read (SHA-224, SHA-384, SHA-512 or the like)", 1, vec![8]),
            ("digest of empty content", 1, vec![10]),
            ("digest of the wrong length", 1, vec![9]),
            ("text that is not a digest", 1, vec![7]),
        ]
    );
    for (n, line, basis) in [
        (1, 2, Basis::Md5Only),
        (2, 4, Basis::Sha1),
        (3, 5, Basis::Sha256),
        (4, 6, Basis::Md5Only),
        (5, 11, Basis::Md5Only),
    ] {
        let hit = only(sets.lookup(&digests(n), 5));
        assert_eq!((hit.record, hit.basis, hit.alerts), (format!("line {line}"), basis, true));
    }
}

#[test]
fn what_the_usual_tools_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a, b.bin");
    std::fs::write(&file, b"not empty").unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let output = std::process::Command::new(program).args(arguments).arg(&file).output();
        output.ok().filter(|o| o.status.success()).map(|o| o.stdout)
    };
    let digest =
        |program: &str| run(program, &[]).and_then(|o| String::from_utf8(o).ok()?.split(' ').next().map(str::to_owned));
    let (Some(md5), Some(sha1), Some(sha256)) = (digest("md5sum"), digest("sha1sum"), digest("sha256sum")) else {
        return skipped(7, "md5sum, sha1sum or sha256sum is not installed");
    };
    let of_file = avocet_base::Digests {
        md5: md5.parse().unwrap(),
        sha1: sha1.parse().unwrap(),
        sha256: sha256.parse().unwrap(),
    };
    let mut absent = 0;
    for (program, arguments, basis) in [
        ("md5sum", &["--binary"][..], Basis::Md5Only),
        ("sha1sum", &["--tag"], Basis::Sha1),
        ("sha256sum", &["--tag"], Basis::Sha256),
        ("md5deep", &[], Basis::Md5Only),
        ("sha1deep", &["-b"], Basis::Sha1),
        ("hashdeep", &[], Basis::Sha256),
        ("hashdeep", &["-c", "md5,sha1"], Basis::Sha1AndSize),
    ] {
        let Some(output) = run(program, arguments) else {
            absent += 1;
            continue;
        };
        let sets = load(&output, "alert").unwrap();
        assert_eq!(only(sets.lookup(&of_file, 9)).basis, basis, "{program} {arguments:?}");
        assert_eq!(sets.sets()[0].kept, 1);
    }
    if absent > 0 {
        skipped(absent, "md5deep, sha1deep or hashdeep is not installed");
    }
}

#[test]
fn hashdeep_with_columns_in_any_order() {
    let body = |columns: &str, rows: &str| {
        format!("%%%% HASHDEEP-1.0\n%%%% {columns}\n## Invoked from: /x\n## $ hashdeep\n##\n{rows}")
    };
    let sets =
        load(body("md5,size,sha256,filename", &format!("{},5,{},/a,b.jpg\nshort\n", md5(1), sha256(1))), "known-good")
            .unwrap();
    assert!(only(sets.lookup(&digests(1), 5)).may_hide);
    assert_eq!(rejected(&sets), [("fewer fields than the header names", 1, vec![7])]);
    assert_eq!(sets.sets()[0].format, "hashdeep 1.0");
    for (text, part) in [
        (body("size,tiger,filename", ""), "no column is md5, sha1 or sha256"),
        (body("size,md5,filename", "").replace("1.0", "2.0"), "its version is `HASHDEEP-2.0`"),
        (format!("%%%% HASHDEEP-1.0\n5,{},x\n", md5(1)), "line 2, byte 18: a record stands before"),
    ] {
        let error = load(text, "alert").unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(matches!(load(body("size,md5,filename", ""), "alert").unwrap_err(), KnownError::Empty { .. }));
}

#[test]
fn csv_with_each_delimiter_and_quoted_fields() {
    for delimiter in [",", ";", "\t"] {
        let text = format!(
            "# exported\n\nName,\"File Size\",MD-5,SHA_1,Category,Series,Victim identified\n\
             \"a \"\"b\"\", c.jpg\",5,{},{},A,\"one, two\",Yes\n\"line\nbreak\",6,{},,b,,No\n\"x\",5\n",
            md5(1),
            sha1(1),
            md5(2)
        );
        // The comma inside quotes must stay.
        let text = text.replace(", ", "\u{1}").replace(',', delimiter).replace('\u{1}', ", ");
        let sets = load(&text, "uk-2014").unwrap();
        let first = only(sets.lookup(&digests(1), 5));
        assert_eq!(
            (first.record.as_str(), first.category.as_deref(), first.series.as_deref()),
            ("line 4", Some("A"), Some("one, two"))
        );
        assert_eq!((first.basis, first.flags.victim_identified()), (Basis::Sha1AndSize, true));
        let second = only(sets.lookup(&digests(2), 6));
        assert_eq!(
            (second.category.as_deref(), second.basis),
            (Some("B"), Basis::Md5AndSize),
            "as the scheme writes it"
        );
        assert!(second.basis.is_md5_only());
        assert_eq!(rejected(&sets), [("another number of fields than the header line", 1, vec![7])]);
    }
}

#[test]
fn a_quotation_mark_that_is_not_closed_does_not_hide_records() {
    let text = format!("md5,name\n{},\"foo\n{},\"bar\"\n{},baz\n", md5(1), md5(2), md5(3));
    let error = load(text, "alert").unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("quotation mark is not closed"), "{error}");
}

#[test]
fn icse_exports_use_the_baseline_column() {
    let text = format!(
        "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;Number of submissions;File Available;Media Type;Baseline\r\n\
         {};{};00;100001;Y;N;Y;S;1;Y;Image;Yes\r\n{};{};00;100002;N;N;N;;1;Y;Image;No\r\n{};;;;;;;;;;;\r\n",
        md5(1),
        sha1(1),
        md5(2),
        sha1(2),
        md5(3)
    );
    let sets = load(&text, "interpol-baseline").unwrap();
    let hit = only(sets.lookup(&digests(1), 5));
    assert_eq!(
        (hit.record.as_str(), hit.meaning.as_deref(), hit.series.as_deref()),
        ("Image ID 100001", Some("INTERPOL Baseline"), Some("S"))
    );
    assert!(hit.flags.distributed() && !hit.flags.victim_identified() && hit.flags.offender_identified());
    assert_eq!(only(sets.lookup(&digests(2), 5)).meaning.as_deref(), Some("In ICSE, not Baseline"));
    assert_eq!(only(sets.lookup(&digests(3), 5)).record, "line 4");
    assert_eq!(sets.sets()[0].format, "ICSE CSV");
    assert!(matches!(load(&text, "us-vics-2.0").unwrap_err(), KnownError::Category { .. }));
    let wide = text
        .replace("SHA1;PhotoDNA", "SHA1;ZZ40;PhotoDNA;Lace")
        .replace(";00;", ";z;00;l;")
        .replace(";;;;;;;;;;;", ";;;;;;;;;;;;;");
    assert_eq!(load(wide, "interpol-baseline").unwrap().sets()[0].kept, 3);
}

#[test]
fn nsrl_rows_with_a_special_code_stay_in_view() {
    let head = r#""SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode""#;
    let row = |n: u64, code: &str| {
        format!(
            "\"{}\",\"{}\",\"00000000\",\"a, b.dll\",5,1,\"362\",\"{code}\"\r\n",
            sha1(n).to_string().to_uppercase(),
            md5(n)
        )
    };
    let sets = load(format!("{head}\r\n{}{}{}", row(1, ""), row(2, "M"), row(1, "")), "known-good").unwrap();
    assert_eq!(
        (sets.sets()[0].format.as_str(), sets.sets()[0].kept, sets.sets()[0].duplicates),
        ("NSRL RDS 2 text", 2, 1)
    );
    assert!(may_hide(&sets.lookup(&digests(1), 5)));
    assert!(!may_hide(&sets.lookup(&digests(2), 5)));
    assert_eq!(only(sets.lookup(&digests(2), 5)).meaning.as_deref(), Some("NSRL special code M"));
}

#[test]
fn known_good_refuses_a_set_that_states_categories() {
    let error = load(format!("md5,category\n{},1\n", md5(1)), "known-good").unwrap_err();
    assert!(error.to_string().contains("is not a plain known-good list"), "{error}");
}

#[test]
fn a_file_is_hidden_only_where_no_hit_speaks_against_it() {
    let good = format!("md5,sha1,size\n{},{},5\n{},{},5\n{},{},5\n", md5(1), sha1(1), md5(2), sha1(2), md5(3), sha1(3));
    let bad = format!("{}\n", md5(2));
    let uncategorised = format!("md5,category\n{},0\n", md5(3));
    let sets = load_all(&[
        (good.as_bytes(), "known-good"),
        (bad.as_bytes(), "alert"),
        (uncategorised.as_bytes(), "us-vics-2.0"),
    ])
    .unwrap();
    assert!(may_hide(&sets.lookup(&digests(1), 5)));
    let alert = sets.lookup(&digests(2), 5);
    assert_eq!(
        alert.iter().map(|h| (h.set, h.may_hide, h.alerts)).collect::<Vec<_>>(),
        [(0, true, false), (1, false, true)]
    );
    assert!(!may_hide(&alert), "an alert beats known-good");
    assert!(!may_hide(&sets.lookup(&digests(3), 5)), "uncategorised beats known-good");
    assert!(!may_hide(&[]));
    // A colliding MD5 beside a record that fits.
    let mut collision = digests(1);
    collision.sha1 = sha1(7);
    assert!(!may_hide(&sets.lookup(&collision, 5)));
}

#[test]
fn what_is_no_set_is_named() {
    let bin = [1u8, 0, 2, 0].repeat(50);
    let cases: [(&[u8], &str); 14] = [
        (b"", "it is empty"),
        (b" \r\n\n", "it is empty"),
        (b"\xef\xbb\xbf", "it is empty"),
        (b"\xff\xfea\0b\0", "UTF-16"),
        (b"PK\x03\x04....", "zip archive"),
        (b"\x1f\x8b\x08.....", "gzip"),
        (b"HASH\x0d\x0a\xff\x00...", "EnCase hash set"),
        (b"EVF\x09\x0d\x0a\xff\x00...", "E01 image"),
        (b"<?xml version='1.0'?>", "XML"),
        (b"[{\"MD5\":1}]", "JSON array"),
        (&bin, "binary data"),
        (b"name,size\nx,5\n", "not that of a known set"),
        (b"x,d41d8cd98f00b204e9800998ecf8427f,5\n", "no header line"),
        (b"md5,name,MD5\n", "one column twice"),
    ];
    for (content, part) in cases {
        let error = load(content, "alert").unwrap_err();
        assert!(matches!(error, KnownError::NotRecognised { .. }), "{part}: {error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let spec = avocet_known::KnownSpec::parse("/nonexistent/set.json=alert").unwrap();
    let error = avocet_known::KnownSets::load(&[spec], &mut |_| {}).unwrap_err();
    assert!(matches!(error, KnownError::Open { .. }), "{error}");
    let spec = avocet_known::KnownSpec::parse("/tmp=alert").unwrap();
    assert!(avocet_known::KnownSets::load(&[spec], &mut |_| {}).unwrap_err().to_string().contains("it is a folder"));
    let error = load("md5\nxyz\n", "alert").unwrap_err().to_string();
    assert!(error.contains("1 read, rejected: 1 with no usable digest"), "{error}");
}

#[test]
fn digests_of_zeros_and_sizes_of_zero_count_as_not_stated() {
    let text = format!("md5,sha1,size\n{},{},0\n{},{},7\n", md5(1), "0".repeat(40), "0".repeat(32), sha1(2));
    let sets = load(text, "alert").unwrap();
    assert_eq!(only(sets.lookup(&digests(1), 5)).basis, Basis::Md5Only);
    assert_eq!(only(sets.lookup(&digests(2), 7)).basis, Basis::Sha1AndSize);
    assert_eq!(
        sets.sets()[0].warnings,
        [
            "2 record(s) with digest of zeros only; taken as not stated (first: line 2, 3)",
            "1 record(s) with size 0 beside a digest of content that is not empty; taken as not stated (first: line 2)",
        ]
    );
}

#[test]
fn no_record_of_empty_content_can_be_hit() {
    let empty = avocet_base::Digests {
        md5: "d41d8cd98f00b204e9800998ecf8427e".parse().unwrap(),
        sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709".parse().unwrap(),
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap(),
    };
    let text = format!(
        "md5,sha1,sha256,size\n{},{},{},0\n{},{},,0\n{},,,\n",
        empty.md5,
        empty.sha1,
        empty.sha256,
        empty.md5,
        sha1(1),
        md5(2)
    );
    let sets = load(text, "alert").unwrap();
    assert_eq!(sets.lookup(&empty, 0), []);
    assert_eq!(rejected(&sets), [("digest of empty content", 1, vec![2])]);
    // The digest beside it is still looked for.
    assert_eq!(only(sets.lookup(&digests(1), 5)).record, "line 3");
}
