//! NSRL RDS 3: databases, and deltas beside SQLite's own execution of the same text.

use std::collections::BTreeMap;
use std::path::Path;

use avocet_known::{Basis, Field, KnownError};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{Random, Rec, digests, load, md5, only, read, read_file, sha1, sha256, skipped, testdata};

const SCHEMA: &str = "
    CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR NOT NULL,
      file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL,
      CONSTRAINT PK_FILE__FILE PRIMARY KEY (sha256, sha1, md5, file_name, file_size, package_id));
    CREATE TABLE PKG (package_id INTEGER NOT NULL, name VARCHAR NOT NULL, version VARCHAR NOT NULL);
    CREATE TABLE VERSION (version VARCHAR UNIQUE NOT NULL, description VARCHAR NOT NULL);
    CREATE VIEW DISTINCT_HASH AS SELECT DISTINCT sha256, sha1, md5, crc32 FROM FILE;";

fn database(path: &Path, sql: &str) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;").unwrap();
    conn.execute_batch(sql).unwrap();
    conn
}

fn values(n: u64, name: &str, package: u64) -> String {
    let (sha256, sha1, md5) = (sha256(n).to_string(), sha1(n).to_string(), md5(n).to_string());
    format!("('{}','{}','{}','0A0B0C0D','{name}',{},{package})", sha256.to_uppercase(), sha1, md5, n + 1)
}

/// Reads the database that `sql` makes.
fn read_database(sql: &str) -> Result<(avocet_known::ReadSet, Vec<Rec>), KnownError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rds.db");
    drop(database(&path, sql));
    read_file(&path, None)
}

#[test]
fn minimal_databases_are_read_in_the_order_of_their_rows() {
    let rows: Vec<_> = (1..=300).rev().map(|n| values(n, "it''s.dll", n % 3)).collect();
    let sql = format!(
        "{SCHEMA} INSERT INTO FILE VALUES {}; INSERT INTO PKG VALUES (1,'a','1'),(2,'b','1');
         INSERT INTO VERSION VALUES ('2024.03.1',' of March\n');",
        rows.join(",")
    );
    let (info, got) = read_database(&sql).unwrap();
    assert_eq!((info.format.as_str(), info.place_label), ("NSRL RDS 3 minimal, version 2024.03.1", "row"));
    let stated = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(info.stated, [stated("description", "of March"), stated("version", "2024.03.1")]);
    assert_eq!(info.warnings, ["2 row(s) of the table PKG, which has no part in matching, are not kept"]);
    assert_eq!(got.len(), 300);
    for (record, n) in got.iter().zip((1..=300).rev()) {
        assert_eq!((record.sha256, record.sha1), (Field::Is(sha256(n)), Field::Is(sha1(n))));
        assert_eq!((record.md5, record.size, record.deletes), (Field::Is(md5(n)), Field::Is(n + 1), false));
        assert_eq!(record.extra, format!(r#"{{"crc32":"0A0B0C0D","file_name":"it's.dll","package_id":{}}}"#, n % 3));
    }
    assert_eq!(got[0].place, 1);
}

#[test]
fn full_databases_are_read_from_their_base_table() {
    // The view would give nothing: it must not be asked.
    let sql = format!(
        "CREATE TABLE METADATA (object_id INTEGER PRIMARY KEY, sha256 VARCHAR, sha1 VARCHAR, md5 VARCHAR, crc32 VARCHAR,
           file_name VARCHAR, extension VARCHAR, bytes INTEGER);
         CREATE VIEW FILE AS SELECT * FROM METADATA WHERE 0;
         CREATE VIEW PKG AS SELECT 1 AS package_id;
         INSERT INTO METADATA VALUES (9,'{}','{}','{}','00','b','dll',12),(3,NULL,'{}',NULL,'00','a','',5);",
        sha256(1),
        sha1(1),
        md5(1),
        sha1(2)
    );
    let (info, got) = read_database(&sql).unwrap();
    assert_eq!((info.format.as_str(), got.len()), ("NSRL RDS 3 full", 2));
    assert_eq!((got[0].sha1, got[0].sha256, got[0].size), (Field::Is(sha1(2)), Field::Absent, Field::Is(5)));
    assert_eq!((got[1].md5, got[1].size), (Field::Is(md5(1)), Field::Is(12)));
    assert_eq!(got[1].kept(), json!({"crc32": "00", "file_name": "b", "extension": "dll", "object_id": 9}));
}

#[test]
fn values_of_another_type_are_no_digests_and_are_kept() {
    let sql = format!(
        "CREATE TABLE FILE (sha1, md5, file_size, file_name, package_id);
         INSERT INTO FILE VALUES ('{}', x'00ff', '77', 12, 'seven'),(5, '{}', -1, x'6162', 1.5),(NULL,'{}',7.0,NULL,3);",
        sha1(1),
        md5(2),
        md5(3)
    );
    let (info, got) = read_database(&sql).unwrap();
    assert_eq!((got[0].sha1, got[0].md5, got[0].size), (Field::Is(sha1(1)), Field::Bad, Field::Is(77)));
    assert_eq!(got[0].kept(), json!({"md5": "00ff", "file_name": "12", "package_id": "seven"}));
    assert_eq!((got[1].sha1, got[1].size), (Field::Bad, Field::Bad));
    assert_eq!(got[1].kept(), json!({"sha1": "5", "file_size": "-1", "file_name": "6162", "package_id": "1.5"}));
    assert_eq!(got[2].size, Field::Is(7));
    assert_eq!(info.notes.len(), 2, "{:?}", info.notes);
}

#[test]
fn known_software_may_be_hidden_as_from_any_other_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rds.db");
    drop(database(&path, &format!("{SCHEMA} INSERT INTO FILE VALUES {};", values(1, "a", 1))));
    let sets = load(std::fs::read(&path).unwrap(), "known-good").unwrap();
    let hit = only(sets.lookup(&digests(1), 2));
    assert_eq!((hit.basis, hit.may_hide, hit.record.as_str()), (Basis::Sha256, true, "row 1"));
    use sha2::Digest;
    assert_eq!(sets.sets()[0].sha256.0[..], sha2::Sha256::digest(std::fs::read(&path).unwrap())[..]);
}

#[test]
fn the_shared_database_is_read_as_the_sqlite_program_reads_it() {
    let path = testdata().map(|t| t.join("formats/synthetic/nsrl-rds3-minimal.db"));
    let Some(path) = path else { return skipped(1, "AVOCET_TESTDATA is not there") };
    let output = std::process::Command::new("sqlite3")
        .args(["-readonly", "-separator", "|"])
        .arg(&path)
        .arg("SELECT sha256, sha1, md5, file_size, file_name, package_id FROM FILE ORDER BY rowid")
        .output();
    let Some(output) = output.ok().filter(|o| o.status.success()) else {
        return skipped(1, "the sqlite3 program is not installed");
    };
    let (info, got) = read_file(&path, None).unwrap();
    let ours: Vec<String> = got
        .iter()
        .map(|r| {
            let (Field::Is(sha256), Field::Is(sha1), Field::Is(md5), Field::Is(size)) =
                (r.sha256, r.sha1, r.md5, r.size)
            else {
                panic!("{r:?}")
            };
            let kept = r.kept();
            let name = kept["file_name"].as_str().unwrap().to_owned();
            format!("{sha256}|{sha1}|{md5}|{size}|{name}|{}", kept["package_id"])
        })
        .collect();
    let text = String::from_utf8(output.stdout).unwrap();
    let theirs: Vec<String> = text
        .lines()
        .map(|l| {
            let (digests, rest) = l.split_at(64 + 1 + 40 + 1 + 32);
            format!("{}{rest}", digests.to_lowercase())
        })
        .collect();
    assert!(ours.len() > 20 && ours == theirs, "{} and {}", ours.len(), theirs.len());
    assert!(info.format.starts_with("NSRL RDS 3 minimal, version 2024"), "{}", info.format);
}

#[test]
fn databases_that_are_something_else_or_not_whole_are_refused() {
    let file = |sql: &str| read_database(sql).unwrap_err().to_string();
    assert!(file("CREATE TABLE hashes (md5 TEXT);").contains("without a table FILE or METADATA"));
    assert!(file("CREATE TABLE FILE (name TEXT);").contains("no column sha256, sha1 or md5"));
    assert!(file("CREATE VIEW FILE AS SELECT 'x' AS md5;").contains("without a table FILE or METADATA"));
    let error = file(
        "CREATE TABLE FILE (a TEXT, md5 TEXT GENERATED ALWAYS AS (upper(a)) VIRTUAL);
         INSERT INTO FILE (a) VALUES ('00000000000000000000000000000001');",
    );
    assert!(error.contains("computed by the file itself"), "nothing of the file runs: {error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.db");
    drop(database(
        &path,
        "CREATE TABLE FILE (md5 TEXT, crc## TEXT); INSERT INTO FILE VALUES ('x', 'y');".replace("##", "é").as_str(),
    ));
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(2).position(|w| w == "é".as_bytes()).unwrap();
    bytes[at] = b'\xff';
    let error = read("x.db", &bytes).unwrap_err().to_string();
    assert!(error.contains("not UTF-8"), "{error}");
    let error = read("x.db", b"SQLite format 3\0 and nothing more").unwrap_err();
    assert!(matches!(error, KnownError::Malformed { .. }), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rds.db");
    drop(database(&path, &format!("{SCHEMA} INSERT INTO FILE VALUES {};", values(1, "a", 1))));
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let cut = read_file(&path, None);
    assert!(cut.is_err() || cut.unwrap().1.len() == 1);
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(read_file(&path, None).unwrap().1.len(), 1);
    std::fs::write(folder.path().join("rds.db-wal"), "changes").unwrap();
    let error = read_file(&path, None).unwrap_err().to_string();
    assert!(error.contains("not in it yet") && error.contains("rds.db-wal"), "{error}");
}

#[test]
fn a_table_without_row_numbers_is_read_too() {
    let sql = SCHEMA.replace("file_size, package_id));", "file_size, package_id)) WITHOUT ROWID;");
    let (_, got) = read_database(&format!("{sql} INSERT INTO FILE VALUES {};", values(1, "a", 1))).unwrap();
    assert_eq!((got.len(), got[0].md5), (1, Field::Is(md5(1))));
}

/// What of a row counts, as one text.
fn key(r: &Rec) -> String {
    format!("{:?} {:?} {:?} {:?} {}", r.sha256, r.sha1, r.md5, r.size, r.extra)
}

/// Random deltas: SQLite executes the text, and the rows that it leaves are those that our records leave.
#[test]
fn deltas_leave_the_rows_that_sqlite_leaves_when_it_runs_them() {
    const NAMES: [&str; 6] = ["a.dll", "it''s", "semi;colon -- no", "/* x */", "é\n\"b\"", ""];
    let folder = tempfile::tempdir().unwrap();
    let (mut inserted, mut deleted) = (0, 0);
    for seed in 0..40u64 {
        let mut random = Random(seed);
        let mut rows: Vec<(u64, &str, u64)> = vec![];
        for n in 0..30 {
            rows.push((n, NAMES[random.below(6) as usize], random.below(3)));
        }
        let start: Vec<_> = rows.iter().map(|(n, name, package)| values(*n, name, *package)).collect();
        let path = folder.path().join(format!("rds-{seed}.db"));
        let conn = database(&path, &format!("{SCHEMA} INSERT INTO FILE VALUES {};", start.join(",")));
        let (_, before) = read_file(&path, None).unwrap();
        let mut delta = String::from("-- delta 'x'\nBEGIN TRANSACTION;\nPRAGMA foreign_keys=OFF;\n");
        let condition = |(n, name, package): (u64, &str, u64)| {
            format!(
                "md5='{}' AND \"sha1\" = '{}' AND [sha256]=='{}'\n  AND file_name='{name}' AND file_size={} and package_id={package}",
                md5(n),
                sha1(n),
                sha256(n).to_string().to_uppercase(),
                n + 1
            ) + if n % 2 == 0 { " AND crc32='0A0B0C0D'" } else { " AND crc32 = '0A0B0C0D'" }
        };
        for step in 0..25 {
            match random.below(4) {
                0 => {
                    let many: Vec<_> = (0..1 + random.below(4))
                        .map(|i| {
                            let row = (1000 + step * 10 + i, NAMES[random.below(6) as usize], 9);
                            rows.push(row);
                            values(row.0, row.1, row.2)
                        })
                        .collect();
                    delta.push_str(&format!("INSERT INTO main.FILE VALUES {};\n", many.join(" ,\n ")));
                }
                1 => {
                    let n = 5000 + step;
                    delta.push_str(&format!(
                        "insert or ignore into \"FILE\"(package_id,md5,sha1,sha256,crc32,file_size,file_name) values\
                         (+7,'{}','{}','{}','00','{n}',12);\n",
                        md5(n),
                        sha1(n),
                        sha256(n)
                    ));
                }
                2 if !rows.is_empty() => {
                    let row = rows.swap_remove(random.below(rows.len() as u64) as usize);
                    delta.push_str(&format!("DELETE FROM FILE WHERE {};\n", condition(row)));
                }
                _ if !rows.is_empty() => {
                    let at = random.below(rows.len() as u64) as usize;
                    let row = rows[at];
                    delta.push_str(&format!(
                        "UPDATE FILE SET package_id = {}, file_name='{}' WHERE {};\n",
                        20 + step,
                        NAMES[1],
                        condition(row)
                    ));
                    rows[at] = (row.0, NAMES[1], 20 + step);
                }
                _ => {}
            }
        }
        delta.push_str("INSERT INTO PKG VALUES (1,'p','v'); UPDATE PKG SET name='q' WHERE package_id=1;\n");
        let version = format!("2024.06.{seed}");
        delta.push_str(&if seed % 2 == 0 {
            format!("INSERT INTO VERSION (version, description) VALUES ('{version}', 'd');\nCOMMIT")
        } else {
            format!("UPDATE VERSION SET version='{version}', description='d' WHERE version='2024.03.1';\nCOMMIT")
        });
        conn.execute_batch(&delta).unwrap_or_else(|e| panic!("seed {seed}: {e}\n{delta}"));
        drop(conn);
        let (_, after) = read_file(&path, None).unwrap();
        let (info, changes) = read("delta.sql", &delta).unwrap();
        assert_eq!((info.format.as_str(), info.warnings.len()), ("NSRL RDS 3 delta", 2), "{:?}", info.warnings);
        let mut stated = info.stated.clone();
        stated.sort();
        assert_eq!(stated, [("description".into(), "d".into()), ("version".into(), version)]);
        let mut ours: BTreeMap<String, i64> = BTreeMap::new();
        for record in before.iter().chain(&changes) {
            *ours.entry(key(record)).or_default() += if record.deletes { -1 } else { 1 };
            inserted += u32::from(!record.deletes);
            deleted += u32::from(record.deletes);
        }
        ours.retain(|_, count| *count != 0);
        let mut theirs: BTreeMap<String, i64> = BTreeMap::new();
        for record in &after {
            *theirs.entry(key(record)).or_default() += 1;
        }
        assert_eq!(ours, theirs, "seed {seed}\n{delta}");
        for record in &changes {
            let line = delta[..record.offset as usize].matches('\n').count() as u64 + 1;
            assert!(record.place >= line && record.place <= line + 2, "{record:?} {line}");
        }
    }
    assert!(inserted > 1000 && deleted > 100, "{inserted} {deleted}");
}

#[test]
fn anything_else_in_a_delta_is_an_error_with_its_line() {
    let good = format!("BEGIN;\nINSERT INTO FILE VALUES {};\n", values(1, "a", 1));
    let full = format!(
        "sha256='{}' AND sha1='{}' AND md5='{}' AND file_name='a' AND file_size=2 AND package_id=1",
        sha256(1),
        sha1(1),
        md5(1)
    );
    for (text, line, reason) in [
        ("CREATE TABLE x (y);".to_owned(), 3, "neither INSERT"),
        ("DROP TABLE FILE;".to_owned(), 3, "neither INSERT"),
        ("ATTACH 'x' AS y;".to_owned(), 3, "neither INSERT"),
        ("ROLLBACK;".to_owned(), 3, "neither INSERT"),
        ("SELECT load_extension('x');".to_owned(), 3, "neither INSERT"),
        ("DELETE FROM FILE;".to_owned(), 3, "WHERE"),
        ("\n\nDELETE FROM\n sqlite_master WHERE 1=1;".to_owned(), 6, "not a table of the RDS"),
        ("DELETE FROM temp.FILE WHERE md5='x';".to_owned(), 3, "not a table of the RDS"),
        ("DELETE FROM FILE WHERE md5='x';".to_owned(), 3, "cannot be told without the full set"),
        ("DELETE FROM FILE WHERE rowid=7;".to_owned(), 3, "cannot be told without the full set"),
        (format!("DELETE FROM FILE WHERE {full} OR 1=1;"), 3, "no other condition"),
        (format!("DELETE FROM FILE WHERE {full} AND md5 LIKE 'a%';"), 3, "no other comparison"),
        (format!("DELETE FROM FILE WHERE {full} AND crc32=upper('a');"), 3, "a value should stand here"),
        ("UPDATE FILE SET package_id=2 WHERE package_id=1;".to_owned(), 3, "cannot be told without the full set"),
        ("UPDATE METADATA SET bytes=2 WHERE object_id=1;".to_owned(), 3, "cannot be told without the full set"),
        ("UPDATE FILE SET package_id=2;".to_owned(), 3, "would change every row"),
        ("INSERT INTO FILE SELECT * FROM x;".to_owned(), 3, "VALUES should stand here"),
        ("INSERT INTO FILE VALUES ('a');".to_owned(), 3, "another number of values"),
        ("INSERT INTO METADATA VALUES ('a');".to_owned(), 3, "does not name its columns"),
        ("REPLACE INTO METADATA (md5) VALUES ('a');".to_owned(), 3, "does not say which row"),
        ("INSERT INTO FILE (md5, MD5) VALUES ('a','b');".to_owned(), 3, "named twice"),
        ("INSERT INTO FILE (file_name) VALUES ('a');".to_owned(), 3, "without a digest"),
        (format!("INSERT INTO FILE VALUES {} ON CONFLICT DO NOTHING;", values(2, "a", 1)), 3, "no other clause"),
        ("INSERT INTO FILE (md5) VALUES (x'00');".to_owned(), 3, "binary value"),
        ("INSERT INTO FILE (md5) VALUES (\"a\");".to_owned(), 3, "a value should stand here"),
        ("INSERT INTO FILE (md5) VALUES ('a\n".to_owned(), 3, "never closed"),
        ("INSERT INTO FILE (md5) VALUES ('a'".to_owned(), 4, "comma or a bracket"),
    ] {
        let error = read("delta.sql", format!("{good}{text}\n")).unwrap_err().to_string();
        assert!(error.contains(&format!("line {line}, byte")) && error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn a_change_of_a_digest_takes_the_old_one_away_and_brings_the_new_one() {
    let text = format!(
        "UPDATE METADATA SET md5='{}', extension=NULL WHERE sha256='{}' AND sha1='{}' AND md5='{}' AND bytes=5 AND extension IS NULL;",
        md5(9),
        sha256(1),
        sha1(1),
        md5(1)
    );
    let (_, got) = read("delta.sql", text).unwrap();
    let said: Vec<_> = got.iter().map(|r| (r.deletes, r.md5, r.sha1, r.size)).collect();
    let (sha1, size) = (Field::Is(sha1(1)), Field::Is(5));
    assert_eq!(said, [(true, Field::Is(md5(1)), sha1, size), (false, Field::Is(md5(9)), sha1, size)]);
}
