//! Damaged and hostile files: no panic, no hang, and nothing wrong passed off as right.

use std::path::Path;
use std::time::{Duration, Instant};

use avocet_examination::{Examination, FileFilter, ProblemRow, ReadError, VerifyError, verify};
use rusqlite::Connection;

use crate::support::{change, sample, writable_copy, write_in};
use crate::write::read_all;

/// A small generator with a fixed seed (splitmix64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Reads everything, whatever comes of it.
fn read_everything(path: &Path) {
    let Ok(e) = Examination::open(path) else { return };
    let _ = (e.result_digest(), e.configs(), e.runs(), e.evidence(), e.known_sets(), e.volumes(), e.spaces());
    let _ = (e.completeness(), e.problems(), e.summary(), e.extents(2));
    let _ = e.files(&FileFilter { after: Some(3), ..FileFilter::default() }, &mut |_| {
        Ok::<_, ReadError>(std::ops::ControlFlow::Continue(()))
    });
}

/// Returns whether a file passes; where it does, its rows must be the ones sealed.
fn passes(path: &Path) -> bool {
    read_everything(path);
    match verify(path, None, None) {
        Ok(v) if v.consistent => {
            assert_eq!(read_all(path), sample(), "consistent, and other rows");
            true
        }
        Ok(v) => {
            assert!(!v.findings.is_empty());
            false
        }
        Err(VerifyError::Read(_)) => false,
    }
}

#[test]
fn flipped_bits_never_change_a_row_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let good = std::fs::read(&sealed.path).unwrap();
    let path = folder.path().join("copy");
    let mut random = Random(1);
    let (mut found, mut harmless) = (0, 0);
    // Bytes that say something: most of a small file is unused room in its pages.
    let used: Vec<usize> = (0..good.len()).filter(|i| good[*i] != 0).collect();
    for round in 0..1200 {
        let mut bytes = good.clone();
        for _ in 0..[1, 1, 2, 8][round % 4] {
            let at = if round % 3 == 0 { random.below(good.len()) } else { used[random.below(used.len())] };
            bytes[at] ^= 1 << random.below(8);
        }
        std::fs::write(&path, &bytes).unwrap();
        if passes(&path) { harmless += 1 } else { found += 1 }
    }
    println!("{found} found, {harmless} changed no row of the result");
    assert!(found > 600, "{found} found, {harmless} harmless");
}

#[test]
fn truncated_and_shuffled_files_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    let good = std::fs::read(&sealed.path).unwrap();
    let path = folder.path().join("copy");
    for length in (0..good.len()).step_by(397).chain(0..110) {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(!passes(&path), "{length} bytes");
    }
    // Every page in the place of every other: trees that share pages, refer to themselves, or are of another kind.
    let page = 4096;
    for from in 0..good.len() / page {
        for to in 0..good.len() / page {
            let mut bytes = good.clone();
            bytes.copy_within(from * page..(from + 1) * page, to * page);
            std::fs::write(&path, &bytes).unwrap();
            passes(&path);
        }
    }
}

const PAGE: usize = 4096;

/// An interior page that refers to one child 301 times.
fn interior(child: usize) -> Vec<u8> {
    let cells = 300;
    let mut p = vec![0u8; PAGE];
    p[0] = 5;
    p[3..5].copy_from_slice(&(cells as u16).to_be_bytes());
    p[8..12].copy_from_slice(&(child as u32).to_be_bytes());
    let start = PAGE - cells * 5;
    p[5..7].copy_from_slice(&(start as u16).to_be_bytes());
    for i in 0..cells {
        let at = start + i * 5;
        p[12 + i * 2..14 + i * 2].copy_from_slice(&(at as u16).to_be_bytes());
        p[at..at + 4].copy_from_slice(&(child as u32).to_be_bytes());
        p[at + 4] = 100;
    }
    p
}

fn set_pages(bytes: &mut [u8]) {
    let pages = (bytes.len() / PAGE) as u32;
    bytes[28..32].copy_from_slice(&pages.to_be_bytes());
}

/// Builds a tree of pages in which every interior page refers to the next level's one page many times: a few pages that
/// a naive walk would visit 300^12 times.
fn endless_tree(path: &Path, table: &str, leaf_cells: u16) {
    let conn = Connection::open(path).unwrap();
    let root: usize = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table], |r| r.get::<_, i64>(0))
        .unwrap() as usize;
    drop(conn);
    let mut bytes = std::fs::read(path).unwrap();
    let mut leaf = bytes[(root - 1) * PAGE..root * PAGE].to_vec();
    leaf[3..5].copy_from_slice(&leaf_cells.to_be_bytes());
    let first_new = bytes.len() / PAGE + 1;
    let levels = 12;
    bytes[(root - 1) * PAGE..root * PAGE].copy_from_slice(&interior(first_new));
    for level in 1..levels {
        bytes.extend(interior(first_new + level));
    }
    bytes.extend(leaf);
    set_pages(&mut bytes);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_schema_that_repeats_its_pages_does_not_hang() {
    // SQLite itself reads the whole schema before it answers anything, and an index that a UNIQUE made may be listed
    // again and again without an error.
    for version in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        change(
            &path,
            &format!(
                "PRAGMA application_id = {}; PRAGMA user_version = {version}; CREATE TABLE a (b UNIQUE)",
                avocet_examination::APPLICATION_ID
            ),
        );
        let mut bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes[100], 13, "the schema is one leaf page");
        let leaf = |cell: usize| {
            let mut p = bytes[..PAGE].to_vec();
            let at = [p[108 + cell * 2], p[109 + cell * 2]];
            p[..10].copy_from_slice(&[13, 0, 0, 0, 1, at[0], at[1], 0, at[0], at[1]]);
            p
        };
        let (table, index) = (leaf(0), leaf(1));
        let first_new = bytes.len() / PAGE + 1;
        bytes[100..112].copy_from_slice(&[5, 0, 0, 0, 1, 0x0f, 0xf0, 0, 0, 0, 0, first_new as u8 + 1]);
        bytes[112..114].copy_from_slice(&[0x0f, 0xf0]);
        bytes[0xff0..0xff5].copy_from_slice(&[0, 0, 0, first_new as u8, 1]);
        bytes.extend(table);
        for level in 1..12 {
            bytes.extend(interior(first_new + level + 1));
        }
        bytes.extend(index);
        set_pages(&mut bytes);
        std::fs::write(&path, bytes).unwrap();
        let start = Instant::now();
        let error = Examination::open(&path).unwrap_err();
        match version {
            1 | 2 => assert!(!verify(&path, None, None).unwrap().consistent),
            _ => assert!(matches!(error, ReadError::Newer { .. }), "{error}"),
        }
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn rows_that_share_their_pages_do_not_fill_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = sample();
    // So long that the part kept with the row is short (SQLite file format, "Cell Payload Overflow Pages").
    let detail = "x".repeat(489 + 256 * (PAGE - 4));
    for seq in 10..14 {
        rows.problems.push(ProblemRow { seq, detail: detail.clone(), ..ProblemRow::default() });
    }
    let sealed = write_in(folder.path(), "a", &rows, None);
    let path = writable_copy(&sealed, "copy");
    // Every long row ends in the number of the page that goes on with it: let all go on with the first one's, and cut
    // off the pages of the others.
    let mut bytes = std::fs::read(&path).unwrap();
    let conn = Connection::open(&path).unwrap();
    let root_of = |name: &str| {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?";
        conn.query_row(sql, [name], |r| r.get::<_, i64>(0)).unwrap() as usize
    };
    let (root, index) = (root_of("problem"), root_of("file_sha256"));
    drop(conn);
    let leaf = &mut bytes[(root - 1) * PAGE..root * PAGE];
    assert_eq!(leaf[0], 13, "all rows lie on one page");
    let cells = u16::from_be_bytes([leaf[3], leaf[4]]) as usize;
    // Cells are written from the end of the page; the page number is the last thing in each long one.
    let starts: Vec<usize> =
        (0..cells).map(|i| u16::from_be_bytes([leaf[8 + i * 2], leaf[9 + i * 2]]) as usize).collect();
    let ends: Vec<usize> = (0..cells).map(|i| if i == 0 { PAGE } else { starts[i - 1] }).collect();
    let first: [u8; 4] = leaf[ends[2] - 4..ends[2]].try_into().unwrap();
    for end in &ends[3..] {
        leaf[end - 4..*end].copy_from_slice(&first);
    }
    let kept = u32::from_be_bytes(first) as usize + 260;
    std::fs::write(&path, &bytes).unwrap();
    change(
        &path,
        &format!(
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = {} WHERE name = 'file_sha256'",
            kept + 1
        ),
    );
    let mut bytes = std::fs::read(&path).unwrap();
    // The index was written last; it moves to what is now the last page.
    bytes.copy_within((index - 1) * PAGE..index * PAGE, kept * PAGE);
    bytes.truncate((kept + 1) * PAGE);
    set_pages(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let examination = Examination::open(&path).unwrap();
    let error = examination.problems().unwrap_err().to_string();
    assert!(error.ends_with("it says more than it has bytes"), "{error}");
    assert!(!verify(&path, None, None).unwrap().consistent);
}

#[test]
fn a_tree_that_repeats_its_pages_does_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    for (table, leaf_cells) in [("problem", 1), ("problem", 0), ("file", 1), ("file", 0), ("completeness", 2)] {
        let path = writable_copy(&sealed, "copy");
        endless_tree(&path, table, leaf_cells);
        let start = Instant::now();
        let examination = Examination::open(&path).expect("its schema is right");
        let error = match table {
            "problem" => examination.problems().map(drop),
            "completeness" => examination.completeness().map(drop),
            _ => examination.summary().map(drop),
        };
        assert!(matches!(error, Err(ReadError::Malformed(_))), "{table}: {error:?}");
        let v = verify(&path, None, None).unwrap();
        assert!(!v.consistent && v.findings.iter().any(|f| f.starts_with("damaged")), "{:?}", v.findings);
        // Not a measurement: a walk that goes on would take longer than the age of the universe.
        assert!(start.elapsed() < Duration::from_secs(60), "{table}");
    }
}

#[test]
fn values_of_another_type_or_form_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let sealed = write_in(folder.path(), "a", &sample(), None);
    for sql in [
        "UPDATE file SET sha256 = x'00' WHERE id = 2",
        "UPDATE file SET path = CAST(x'ff' AS TEXT) WHERE id = 2",
        "UPDATE known_match SET alerts = 2 WHERE file = 2",
        "UPDATE known_match SET file = 3 WHERE file = 2",
        "UPDATE known_match SET file = 99 WHERE file = 5",
        "UPDATE original_name SET file = 3",
    ] {
        let path = writable_copy(&sealed, "copy");
        change(&path, sql);
        let error = Examination::open(&path).unwrap().summary().expect_err(sql).to_string();
        assert!(error.starts_with("the examination file is damaged or was changed: "), "{error}");
        assert!(!verify(&path, None, None).unwrap().consistent, "{sql}");
    }
}
