//! Damaged and hostile files: no panic, no hang, and nothing wrong passed off as right.

use std::path::Path;
use std::time::{Duration, Instant};

use avocet_examination::{Examination, FileFilter, ReadError, VerifyError, verify};
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

/// Builds a tree of pages in which every interior page refers to the next level's one page many times: a few pages that
/// a naive walk would visit 300^12 times.
fn endless_tree(path: &Path, table: &str, leaf_cells: u16) {
    let conn = Connection::open(path).unwrap();
    let root: usize = conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?", [table], |r| r.get::<_, i64>(0))
        .unwrap() as usize;
    drop(conn);
    let page = 4096;
    let mut bytes = std::fs::read(path).unwrap();
    let mut leaf = bytes[(root - 1) * page..root * page].to_vec();
    leaf[3..5].copy_from_slice(&leaf_cells.to_be_bytes());
    let first_new = bytes.len() / page + 1;
    let (levels, cells) = (12, 300u16);
    let interior = |child: usize| {
        let mut p = vec![0u8; page];
        p[0] = 5;
        p[3..5].copy_from_slice(&cells.to_be_bytes());
        p[8..12].copy_from_slice(&(child as u32).to_be_bytes());
        let start = page - usize::from(cells) * 5;
        p[5..7].copy_from_slice(&(start as u16).to_be_bytes());
        for i in 0..usize::from(cells) {
            let at = start + i * 5;
            p[12 + i * 2..14 + i * 2].copy_from_slice(&(at as u16).to_be_bytes());
            p[at..at + 4].copy_from_slice(&(child as u32).to_be_bytes());
            p[at + 4] = 100;
        }
        p
    };
    bytes[(root - 1) * page..root * page].copy_from_slice(&interior(first_new));
    for level in 1..levels {
        bytes.extend(interior(first_new + level));
    }
    bytes.extend(leaf);
    let pages = (bytes.len() / page) as u32;
    bytes[28..32].copy_from_slice(&pages.to_be_bytes());
    std::fs::write(path, bytes).unwrap();
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
