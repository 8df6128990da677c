//! Digests that the evidence itself states of its files, held against the bytes.

use std::io::{Cursor, Write};

use crate::archives::{examined, line};

/// MD5 and SHA-256 of `12345`, by other programs.
const MD5: &str = "827ccb0eea8a706c4c34a16891f84e7b";
const SHA256: &str = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5";

fn file(name: &str, items: &[(&str, &str)]) -> String {
    let items: String = items.iter().map(|(name, text)| format!("<item name=\"{name}\">{text}</item>")).collect();
    format!(
        "<file fs=\"\" path=\"/{name}\" size=\"5\" deleted=\"Intact\"><metadata section=\"File\"><item name=\"Local Path\">\
         files/{name}</item>{items}</metadata></file>"
    )
}

#[test]
fn a_stated_digest_that_differs_is_a_problem_and_said_first() {
    let other = "0".repeat(64);
    let report = [
        "<?xml version=\"1.0\"?><project xmlns=\"http://pa.cellebrite.com/report/2.0\"><taggedFiles>",
        &file("same", &[("MD5", MD5), ("SHA256", SHA256)]),
        &file("changed", &[("MD5", MD5), ("SHA256", &other)]),
        &file("changed in part", &[("SHA256", SHA256)]),
        &file("not stated", &[]),
        "</taggedFiles></project>",
    ]
    .concat();
    let mut archive = zip::ZipWriter::new(Cursor::new(vec![]));
    let members: [(&str, &[u8]); 5] = [
        ("report.xml", report.as_bytes()),
        ("files/same", b"12345"),
        ("files/changed", b"12345"),
        ("files/changed in part", b"12346"),
        ("files/not stated", b"12345"),
    ];
    for (name, bytes) in members {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.ufdr");
    std::fs::write(&path, archive.finish().unwrap().into_inner()).unwrap();
    let result = examined(&path, true);
    assert_eq!(result.codes.get("stated-digest-differs"), Some(&2), "{:?}", result.codes);
    let note = |path: &str| result.rows.iter().find(|r| r.path == path).unwrap().note.clone();
    assert!(note("/changed").ends_with("DIFFERS from the stated SHA-256"), "{}", note("/changed"));
    assert!(note("/changed in part").ends_with("DIFFERS from the stated SHA-256"));
    for whole in ["/same", "/not stated"] {
        assert!(!note(whole).contains("DIFFERS"), "{}", note(whole));
    }
    assert!(note("/same").contains(&format!("MD5 stated by the evidence: {MD5}")));
    // A gap comes before what was done.
    let said = result.statement.iter().position(|(_, text)| text.contains("content: stated-digest-differs")).unwrap();
    assert!(result.statement[said].1.starts_with("Files have NOT the bytes"), "{:?}", result.statement[said]);
    let agree = result.statement.iter().position(|(code, _)| code == "stated-digests-agree").unwrap();
    assert!(said < agree);
    assert_eq!(
        line(&result, "stated-digests-agree"),
        "1 file has the bytes of which the evidence itself states a digest."
    );
}
