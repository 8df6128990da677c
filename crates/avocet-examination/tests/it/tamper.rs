//! Every change to a sealed file is found by what claims to find it, and by nothing that does not.

use std::path::Path;

use avocet_base::Sha256;
use avocet_examination::{
    Examination, ReadError, SealCheck, Sealed, SignatureCheck, SigningKey, VerifyError, generate_key, load_key,
    parse_verifying_key, seal_path, verify, verifying_key_text,
};
use rusqlite::Connection;

use crate::support::{change, sample, writable_copy, write_in};

/// Makes the digest inside agree with the rows again, as an attacker would.
fn recompute_inside(path: &Path) -> Sha256 {
    let digest = verify(path, None, None).unwrap().result_digest.expect("rows can be read");
    change(path, &format!("UPDATE result SET digest = x'{digest}'"));
    digest
}

/// Every column of every table with a change that keeps its type.
fn edits() -> Vec<(String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let conn = Connection::open(&sealed.path).unwrap();
    let mut tables = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut out = vec![];
    for table in tables {
        let mut columns = conn.prepare("SELECT name, type FROM pragma_table_info(?)").unwrap();
        let columns = columns.query_map([&table], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        for (column, kind) in columns.map(Result::<(String, String), _>::unwrap) {
            let value = match kind.as_str() {
                // Keys stay unique, references stay valid where they can: ids are moved far away together.
                "INTEGER" if column == "alerts" || column == "hides" => format!("1 - {column}"),
                "INTEGER" => format!("iif({column} = 9223372036854775807, 0, {column} + 1)"),
                "TEXT" => format!("{column} || 'x'"),
                _ => format!("CAST(x'ff' || substr({column}, 2) AS BLOB)"),
            };
            let row = format!("{column} = (SELECT max({column}) FROM {table})");
            out.push((table.clone(), column.clone(), format!("UPDATE {table} SET {column} = {value} WHERE {row}")));
        }
    }
    out
}

#[test]
fn any_edited_value_is_found_without_and_with_the_inner_digest_recomputed() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let edits = edits();
    assert!(edits.len() > 80, "{} columns", edits.len());
    let mut recomputed = 0;
    for (table, column, sql) in edits {
        let what = format!("{table}.{column}");
        let path = writable_copy(&sealed, "copy");
        change(&path, &sql);
        let before = verify(&path, Some(sealed.result_digest), None).unwrap();
        assert!(matches!(before.seal, SealCheck::Found { file_equal: false, .. }), "{what}");
        assert!(!before.passed(), "{what}");
        if table == "run" {
            // Not part of the result: only the seal finds it.
            assert!(before.consistent, "{what}: {:?}", before.findings);
            assert_eq!(before.expected, Some(true), "{what}");
            continue;
        }
        assert!(!before.consistent, "{what}");
        if table == "result" {
            continue;
        }
        if before.findings.iter().any(|f| f.contains("refers to")) {
            continue; // found in another way too
        }
        recomputed += 1;
        let forged = recompute_inside(&path);
        assert_ne!(forged, sealed.result_digest, "{what}");

        let alone = verify(&path, None, None).unwrap();
        assert!(alone.consistent, "{what}: {:?}", alone.findings);
        assert_eq!(alone.seal, SealCheck::Found { file_equal: false, result_equal: false }, "{what}");
        assert!(!alone.passed(), "{what}");

        std::fs::remove_file(seal_path(&path)).unwrap();
        let without_seal = verify(&path, None, None).unwrap();
        assert!(without_seal.passed() && without_seal.seal == SealCheck::Absent, "{what}: nothing is left to find it");
        let expected = verify(&path, Some(sealed.result_digest), None).unwrap();
        assert_eq!(expected.expected, Some(false), "{what}");
        assert!(!expected.passed(), "{what}");
    }
    assert!(recomputed > 60, "{recomputed} columns were forged");
}

#[test]
fn a_row_left_out_or_added_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    for sql in [
        "DELETE FROM known_match WHERE file = 2 AND seq = 0",
        "DELETE FROM problem WHERE seq = 2",
        "INSERT INTO completeness VALUES (3, 'done', 'all-read', 0, NULL, 'everything was read')",
        "DELETE FROM result",
        "INSERT INTO result VALUES (2, x'00')",
    ] {
        let path = writable_copy(&sealed, "copy");
        change(&path, sql);
        let v = verify(&path, Some(sealed.result_digest), None).unwrap();
        assert!(!v.consistent && !v.passed(), "{sql}");
    }
}

#[test]
fn anything_added_to_the_schema_or_taken_from_it_is_found_and_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let cases = [
        ("CREATE TABLE extra (a)", "table extra was added"),
        ("CREATE VIEW extra AS SELECT * FROM file", "view extra was added"),
        ("CREATE TRIGGER extra AFTER INSERT ON file BEGIN DELETE FROM file; END", "trigger extra was added"),
        ("CREATE INDEX extra ON file(path)", "index extra was added"),
        ("CREATE UNIQUE INDEX extra ON file(id)", "index extra was added"),
        ("ALTER TABLE file ADD COLUMN extra TEXT", "table file was changed"),
        ("ALTER TABLE file RENAME COLUMN note TO notes", "table file was changed"),
        ("ALTER TABLE problem DROP COLUMN path", "table problem was changed"),
        ("DROP INDEX file_sha256", "index file_sha256 is missing"),
        ("DROP TABLE problem", "table problem is missing"),
        ("DROP TABLE problem; CREATE VIEW problem AS SELECT * FROM completeness", "view problem was changed"),
        ("CREATE VIRTUAL TABLE extra USING fts5(a)", "table extra was added"),
        ("ANALYZE", "table sqlite_stat1 was added"),
        ("PRAGMA user_version = 0", "schema version 0"),
        ("PRAGMA user_version = -7", "schema version -7"),
        ("PRAGMA journal_mode = WAL", "it says that a write-ahead log belongs to it"),
    ];
    for (sql, finding) in cases {
        let path = writable_copy(&sealed, "copy");
        change(&path, sql);
        let v = verify(&path, None, None).unwrap();
        assert!(!v.consistent && !v.passed(), "{sql}");
        assert!(v.findings.iter().any(|f| f == finding), "{sql}: {:?}", v.findings);
        let error = Examination::open(&path).unwrap_err();
        assert!(
            matches!(&error, ReadError::Schema { findings, .. } if findings.iter().any(|f| f == finding)),
            "{sql}: {error}"
        );
    }
    // Hidden pages: content that no table shows.
    let path = writable_copy(&sealed, "copy");
    change(&path, "CREATE TABLE extra (a); INSERT INTO extra VALUES (randomblob(50000)); DROP TABLE extra");
    assert_eq!(verify(&path, None, None).unwrap().findings[0], "it holds unused pages, which no examination leaves");
    let path = writable_copy(&sealed, "copy");
    std::fs::write(&path, [std::fs::read(&path).unwrap(), vec![0; 4096]].concat()).unwrap();
    assert_eq!(verify(&path, None, None).unwrap().findings[0], "its length is not that of its pages");
    // What another program would read as part of it.
    for suffix in ["-wal", "-journal"] {
        let path = writable_copy(&sealed, "copy");
        let beside = folder.path().join(format!("copy{suffix}"));
        std::fs::write(&beside, "x").unwrap();
        assert!(!verify(&path, None, None).unwrap().consistent, "{suffix}");
        std::fs::remove_file(beside).unwrap();
    }
}

#[test]
fn an_index_that_lies_is_found_though_the_rows_are_right() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let edit =
        "UPDATE file SET sha256 = x'9999999999999999999999999999999999999999999999999999999999999999' WHERE id = 2";
    let honest = writable_copy(&sealed, "honest");
    change(&honest, edit);
    let digest = recompute_inside(&honest);
    assert!(verify(&honest, None, None).unwrap().consistent);

    let path = writable_copy(&sealed, "copy");
    let conn = Connection::open(&path).unwrap();
    let row = "type, name, tbl_name, rootpage, sql";
    conn.execute_batch(&format!(
        "PRAGMA writable_schema = ON;
         CREATE TEMP TABLE kept AS SELECT {row} FROM sqlite_schema WHERE name = 'file_sha256';
         DELETE FROM sqlite_schema WHERE name = 'file_sha256';
         PRAGMA writable_schema = RESET;
         {edit};
         UPDATE result SET digest = x'{digest}';
         PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema SELECT {row} FROM kept;"
    ))
    .unwrap();
    drop(conn);
    let v = verify(&path, Some(digest), None).unwrap();
    assert!(!v.consistent, "{:?}", v.findings);
    assert!(v.findings[0].contains("missing from index file_sha256"), "{:?}", v.findings);
}

#[test]
fn signatures_name_their_key_and_hold_for_one_seal_only() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("seal.key");
    let public = generate_key(&key_file).unwrap();
    let key = load_key(&key_file).unwrap();
    assert_eq!(key.verifying_key(), public);
    assert_eq!(parse_verifying_key(&verifying_key_text(&public)).unwrap(), public);
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key_file).unwrap().permissions()) & 0o777,
        0o600
    );
    assert!(generate_key(&key_file).is_err(), "a key is never replaced");
    assert!(generate_key(&folder.path().join("other.key")).unwrap() != public);

    let sealed = write_in(folder.path(), "a", &sample(), Some(&key));
    let signed_by = |path: &Path, signer| {
        let v = verify(path, None, signer).unwrap();
        (v.passed(), v.signature)
    };
    let name = verifying_key_text(&public);
    let by = |expected| SignatureCheck::SignedBy { key: name.clone(), expected };
    let other = SigningKey::from_bytes(&[9; 32]).verifying_key();
    assert_eq!(signed_by(&sealed.path, None), (true, by(None)));
    assert_eq!(signed_by(&sealed.path, Some(&public)), (true, by(Some(true))));
    assert_eq!(signed_by(&sealed.path, Some(&other)), (false, by(Some(false))));

    // Whoever rewrites file and seal cannot sign.
    let path = writable_copy(&sealed, "forged");
    let forged = rewrite(&path, &sealed);
    let (passed, signature) = signed_by(&path, Some(&public));
    assert!(!passed && matches!(signature, SignatureCheck::Invalid(_)), "{signature:?}");
    let unsigned = forged.split(",\n  \"signature\"").next().unwrap().to_owned() + "\n}\n";
    std::fs::write(seal_path(&path), unsigned).unwrap();
    assert_eq!(signed_by(&path, Some(&public)), (false, SignatureCheck::Absent));
    assert_eq!(signed_by(&path, None), (true, SignatureCheck::Absent), "without a key or digest nothing can tell");
    std::fs::remove_file(seal_path(&path)).unwrap();
    assert_eq!(signed_by(&path, Some(&public)), (false, SignatureCheck::Absent));

    // Every flipped character of the seal is found.
    let path = writable_copy(&sealed, "copy");
    let text = std::fs::read(seal_path(&path)).unwrap();
    for i in 0..text.len() {
        let mut changed = text.clone();
        changed[i] ^= 1;
        std::fs::write(seal_path(&path), &changed).unwrap();
        let harmless = text[i].is_ascii_whitespace() && changed[i].is_ascii_whitespace();
        assert!(harmless || !signed_by(&path, Some(&public)).0, "character {i}");
    }
}

/// Edits a row, then makes inner digest and seal agree with it; gives the seal's new text.
fn rewrite(path: &Path, sealed: &Sealed) -> String {
    change(path, "DELETE FROM known_match WHERE file = 2");
    let digest = recompute_inside(path);
    let file = verify(path, None, None).unwrap().file_sha256;
    let seal = std::fs::read_to_string(seal_path(path)).unwrap();
    let forged = seal
        .replace(&sealed.result_digest.to_string(), &digest.to_string())
        .replace(&sealed.file_sha256.to_string(), &file.to_string());
    std::fs::write(seal_path(path), &forged).unwrap();
    forged
}

#[test]
fn a_seal_that_is_none_is_said_and_no_key_file_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let path = writable_copy(&sealed, "copy");
    let text = std::fs::read_to_string(&sealed.seal_path).unwrap();
    let cases = [
        ("", "the seal is not JSON (line 1)"),
        ("{}", "the seal file is not a seal"),
        (&text.replace("avocet-seal", "other"), "the seal file is not a seal"),
        (&text.replace("\"version\": 1", "\"version\": 2"), "the seal is of a version that this program does not read"),
        (&text.replace("\"version\": 1", "\"version\": 1, \"more\": 1"), "the seal is malformed (line 3)"),
        (&"[".repeat(100_000), "the seal is not JSON (line 1)"),
    ];
    for (text, finding) in cases {
        std::fs::write(seal_path(&path), text).unwrap();
        let v = verify(&path, Some(sealed.result_digest), None).unwrap();
        assert_eq!(v.findings, [finding]);
        assert!(v.consistent && !v.passed() && v.seal == SealCheck::Unusable(finding.into()));
    }
    let key = folder.path().join("key");
    for bad in ["", "secret-words", &"ab".repeat(33), &"zz".repeat(32)] {
        std::fs::write(&key, bad).unwrap();
        let error = format!("{:?} {0}", load_key(&key).unwrap_err());
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
    }
    assert!(parse_verifying_key(&"00".repeat(32)).is_err(), "a weak key signs anything");
}

#[test]
fn other_files_and_later_versions_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    let said = |path: &Path| match verify(path, None, None) {
        Err(VerifyError::Read(e)) => {
            assert_eq!(e.to_string(), Examination::open(path).unwrap_err().to_string());
            e.to_string()
        }
        Ok(v) => panic!("{v:?}"),
    };
    assert!(said(&path).starts_with("cannot read"));
    assert!(said(folder.path()).contains("(it is not a file)"));
    std::fs::write(&path, "").unwrap();
    assert!(said(&path).contains("(it is empty)"));
    std::fs::write(&path, "x".repeat(5000)).unwrap();
    assert!(said(&path).contains("(it is not an SQLite file)"));
    std::fs::remove_file(&path).unwrap();
    change(&path, "CREATE TABLE a (b)");
    assert!(said(&path).contains("(it is another kind of SQLite file)"));

    let sealed = write_in(folder.path(), "a", &sample(), None);
    let copy = writable_copy(&sealed, "copy");
    change(&copy, "PRAGMA user_version = 3; UPDATE run SET value = '0.9.1' WHERE key = 'avocet-examination'");
    let text = said(&copy);
    assert!(text.ends_with("has schema version 3, this program reads up to 2. Use Avocet 0.9.1 or later"), "{text}");
    change(&copy, "UPDATE run SET value = 'rm -rf /; ' WHERE key = 'avocet-examination'");
    assert!(said(&copy).ends_with("Use the Avocet that wrote it or later"));
}
