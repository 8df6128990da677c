//! Schemes of the user's own, and what they can do.

use avocet_known::{KnownError, KnownSets, KnownSpec};

use crate::support::{digests, md5, only, sha1};

const OWN: &str = r#"
id = "force-numbers"
version = "3"
title = "Numbers as our publisher gave them"
jurisdiction = "England and Wales"
source = "Letter of the publisher"
date_checked = "2026-11-23"

[default]
meaning = "None"
alerts = true
may_hide = false
status = "to be confirmed"

[[categories]]
code = "1"
meaning = "Category A (Sentencing Council 2014)"
alerts = true
may_hide = false
status = "to be confirmed"

[[categories]]
code = "9"
meaning = "Ignorable"
alerts = false
may_hide = true
status = "to be confirmed"
"#;

#[test]
fn a_mapping_file_of_the_user_gives_numbers_their_meaning() {
    let folder = tempfile::tempdir().unwrap();
    let (scheme, set) = (folder.path().join("own.toml"), folder.path().join("Gold disk 1.csv"));
    std::fs::write(&scheme, OWN).unwrap();
    std::fs::write(
        &set,
        format!("MD5,SHA1,Size,Category\n{},{},5,1\n{},{},6,9\n{},,6,9\n", md5(1), sha1(1), md5(2), sha1(2), md5(3)),
    )
    .unwrap();
    let spec = KnownSpec::parse(&format!("{}={}", set.display(), scheme.display())).unwrap();
    let mut last = None;
    let sets = KnownSets::load(&[spec], &mut |p| last = Some((p.records, p.bytes, p.total_bytes, p.done))).unwrap();
    let size = std::fs::metadata(&set).unwrap().len();
    assert_eq!(last, Some((3, size, size, true)));

    let info = &sets.sets()[0];
    assert_eq!(
        (info.name.as_str(), info.scheme.as_str(), info.scheme_version.as_str()),
        ("Gold disk 1", "force-numbers", "3")
    );
    use sha2::Digest;
    assert_eq!(info.scheme_digest.0[..], sha2::Sha256::digest(OWN.as_bytes())[..]);
    let counts: Vec<_> = info.categories.iter().map(|c| (c.code.as_deref(), c.records)).collect();
    assert_eq!(counts, [(Some("1"), 1), (Some("9"), 2), (None, 0)]);

    let hit = only(sets.lookup(&digests(1), 5).unwrap());
    assert_eq!(hit.meaning.as_deref(), Some("Category A (Sentencing Council 2014)"));
    assert!(hit.alerts && !hit.may_hide);
    assert!(only(sets.lookup(&digests(2), 6).unwrap()).may_hide);
    let weak = only(sets.lookup(&digests(3), 6).unwrap());
    assert!(weak.category_may_hide && !weak.may_hide, "MD5 with size never hides");
    // The size differs.
    assert!(!only(sets.lookup(&digests(2), 7).unwrap()).may_hide);
}

#[test]
fn a_wrong_scheme_file_is_named_before_any_set_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let scheme = folder.path().join("own.toml");
    std::fs::write(&scheme, OWN.replace("alerts = false", "alerts = true")).unwrap();
    let spec = KnownSpec::parse(&format!("/nonexistent={}", scheme.display())).unwrap();
    let error = KnownSets::load(&[spec], &mut |_| panic!("nothing is to be read")).unwrap_err();
    assert!(matches!(&error, KnownError::SchemeFile { path, .. } if *path == scheme));
    assert!(error.to_string().contains("row `9` both alerts and may be hidden"), "{error}");
}
