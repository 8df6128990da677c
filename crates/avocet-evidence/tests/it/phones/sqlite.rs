//! The reader of SQLite tables, against SQLite itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::sqlite::{Database, Row, Value};
use avocet_evidence::{MemorySource, VisitResult};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use crate::support::Random;

/// A database with rows of every kind, in pages of a size and text of an encoding.
fn made(path: &std::path::Path, page: u32, encoding: &str) -> Vec<u8> {
    let db = Connection::open(path).unwrap();
    db.execute_batch(&format!(
        "PRAGMA page_size={page}; PRAGMA encoding='{encoding}'; PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF; BEGIN;
         CREATE TABLE other (x);
         CREATE TABLE [odd name] (\"a, b\" TEXT, n INTEGER, r REAL, blob BLOB, PRIMARY KEY (n));
         CREATE TABLE keyed (k TEXT PRIMARY KEY, v) WITHOUT ROWID;"
    ))
    .unwrap();
    let mut random = Random(7);
    let mut insert = db.prepare("INSERT INTO [odd name] VALUES (?1, ?2, ?3, ?4)").unwrap();
    for i in 0..1500i64 {
        let text = format!("Zeile {i} ü€😀 {}", "x".repeat((random.next() % 700) as usize));
        // Some rows are far larger than a page.
        let long = if i % 97 == 0 { 70_000 } else { random.next() % 300 };
        let blob: Vec<u8> = (0..long).map(|_| random.next() as u8).collect();
        let n = [i, -i, i << 9, i << 20, i << 34, i << 44, i64::MIN + i, 0, 1][(i % 9) as usize];
        let text = (i % 11 > 0).then_some(text);
        insert.execute(rusqlite::params![text, n.wrapping_mul(1000).wrapping_add(i), i as f64 / 7.0, blob]).unwrap();
    }
    drop(insert);
    // Rows that are gone leave gaps in numbers and pages.
    db.execute_batch(
        "DELETE FROM [odd name] WHERE rowid % 5 = 2; ALTER TABLE [odd name] ADD COLUMN later INTEGER; COMMIT;",
    )
    .unwrap();
    db.execute("INSERT INTO [odd name] VALUES ('last', 5, 1, x'', 77)", []).unwrap();
    drop(db);
    std::fs::read(path).unwrap()
}

fn rows(bytes: Vec<u8>, name: &str) -> (Vec<Row>, Vec<&'static str>) {
    let (mut rows, mut problems) = (vec![], vec![]);
    let Ok(db) = Database::open(Arc::new(MemorySource(bytes))) else { return (rows, vec!["refused"]) };
    let table = match db.table(name, &mut |p| problems.push(p.code)) {
        Ok(Some(table)) => table,
        _ => return (rows, vec!["no-table"]),
    };
    let ended = db.rows(&table, &mut |p| problems.push(p.code), &mut |row| {
        rows.push(row);
        VisitResult::Continue(())
    });
    if ended.is_err() {
        problems.push("ended");
    }
    (rows, problems)
}

/// The rows as SQLite gives them.
fn by_sqlite(path: &std::path::Path) -> Vec<Row> {
    let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut all = db.prepare("SELECT rowid, * FROM [odd name] ORDER BY rowid").unwrap();
    let mut rows = all.query([]).unwrap();
    let mut out = vec![];
    while let Some(row) = rows.next().unwrap() {
        let value = |i| match row.get_ref(i).unwrap() {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(n) => Value::Integer(n),
            ValueRef::Real(r) => Value::Real(r),
            ValueRef::Text(t) => Value::Text(t.to_vec()),
            ValueRef::Blob(b) => Value::Blob(b.to_vec()),
        };
        out.push(Row { id: row.get(0).unwrap(), values: (1..6).map(value).collect() });
    }
    out
}

#[test]
fn every_row_is_read_as_sqlite_reads_it() {
    for (page, encoding) in [(512, "UTF-8"), (4096, "UTF-16le"), (1024, "UTF-16be"), (65_536, "UTF-8")] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("db");
        let bytes = made(&path, page, encoding);
        let (mut ours, problems) = rows(bytes, "ODD NAME");
        for row in &mut ours {
            // A column that was added later is absent from earlier rows; whole numbers may stand for REAL values.
            row.values.resize(5, Value::Null);
            if let Value::Integer(n) = row.values[2] {
                row.values[2] = Value::Real(n as f64);
            }
            // INTEGER in a PRIMARY KEY of the table is the row number.
            assert_eq!(row.values[1], Value::Null);
            row.values[1] = Value::Integer(row.id);
        }
        assert_eq!(problems, [""; 0], "{page} {encoding}");
        assert!(ours.len() > 1000);
        assert!(ours == by_sqlite(&path), "{page} {encoding}");
    }
}

#[test]
fn what_is_no_table_of_rows_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = made(&dir.path().join("db"), 4096, "UTF-8");
    assert_eq!(rows(bytes.clone(), "keyed"), (vec![], vec!["ended"]));
    assert_eq!(rows(bytes.clone(), "nothing").1, ["no-table"]);
    assert_eq!(rows(b"SQLite format 3\0".to_vec(), "x").1, ["refused"]);
    let mut cut = bytes;
    cut.truncate(cut.len() / 2);
    let (left, problems) = rows(cut, "odd name");
    assert!(!left.is_empty() && !problems.is_empty(), "{} {problems:?}", left.len());
}

/// 200 damaged databases: no panic, no hang, most rows still there.
#[test]
fn damage_costs_at_most_the_rows_it_meets() {
    let dir = tempfile::tempdir().unwrap();
    let base = made(&dir.path().join("db"), 1024, "UTF-8");
    let whole = rows(base.clone(), "odd name").0;
    let (mut kept, mut hurt) = (0usize, 0);
    for round in 0..200u64 {
        let mut random = Random(round * 7919 + 3);
        let mut bytes = base.clone();
        for _ in 0..[1, 8, 64][(round % 3) as usize] {
            // Half of the damage in the heads of pages.
            let page = random.next() % (bytes.len() as u64 / 1024) * 1024;
            let at = if random.next().is_multiple_of(2) {
                page + random.next() % 24
            } else {
                random.next() % bytes.len() as u64
            };
            bytes[at as usize] = random.next() as u8;
        }
        if round % 10 == 9 {
            bytes.truncate((random.next() % base.len() as u64) as usize);
        }
        let begun = Instant::now();
        let (found, problems) = rows(bytes, "odd name");
        assert!(begun.elapsed() < Duration::from_secs(5), "round {round}");
        assert!(found.len() <= 4 * whole.len(), "round {round}: rows from nowhere");
        kept += found
            .iter()
            .filter(|row| whole.binary_search_by_key(&row.id, |r| r.id).is_ok_and(|i| whole[i] == **row))
            .count();
        hurt += usize::from(!problems.is_empty());
    }
    println!("{kept} of {} rows as they were, {hurt} of 200 with problems", whole.len() * 200);
    assert!(kept > whole.len() * 100 && hurt > 60, "{kept} {hurt}");
}
