//! Compiled files: the same bytes from the same sources, however little memory; damage never makes a record absent.

use std::path::{Path, PathBuf};

use avocet_known::{CompileJob, KnownSets, Scheme, SetFile, compile};

use crate::support::digests;

const ROWS: u64 = 3_000;

/// Compiles a list of all three digests, size and category.
fn made(folder: &Path, name: &str, memory: usize) -> PathBuf {
    let csv = folder.join("records.csv");
    let mut text = String::from("md5,sha1,sha256,size,category\n");
    for n in 0..ROWS {
        let d = digests(n);
        text.push_str(&format!("{},{},{},{},{}\n", d.md5, d.sha1, d.sha256, n + 1, n % 3));
    }
    std::fs::write(&csv, text).unwrap();
    let scheme = Scheme::find_builtin("us-vics-2.0").unwrap();
    let (out, paths) = (folder.join(name), [csv]);
    let job = CompileJob { memory, ..CompileJob::new("made", &paths, &scheme) };
    let info = compile(&job, &out, &mut |_| {}).unwrap();
    assert_eq!(info.kept, ROWS);
    out
}

#[test]
fn one_flipped_bit_in_any_block_never_makes_a_record_absent() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(made(folder.path(), "a.avset", 256 << 20)).unwrap();
    let path = folder.path().join("b.avset");
    let (mut refused, mut erred) = (0, 0u64);
    for block in 0..whole.len() / 65_536 {
        // Somewhere in the block's own bytes: near its beginning, where a section that is shorter than a block lies.
        let mut bytes = whole.clone();
        let at = block * 65_536 + (block * 37 + 11) % 400;
        bytes[at] ^= 1 << (block % 8);
        std::fs::write(&path, &bytes).unwrap();
        // Each way of asking in its turn, as what one has looked at the next finds checked.
        for way in 0..3 {
            let Ok(sets) = KnownSets::open(std::slice::from_ref(&path)) else {
                refused += 1;
                break;
            };
            for n in 0..ROWS {
                let answer = match way {
                    0 => sets.files()[0].lookup(&digests(n), n + 1),
                    1 => sets.lookup(&digests(n), n + 1),
                    _ => sets.lookup_many(&[(digests(n), n + 1)]).map(|hits| hits.into_iter().map(|h| h.1).collect()),
                };
                match answer {
                    Ok(hits) => assert_eq!(hits.len(), 1, "block {block}, record {n}, way {way}: absent"),
                    Err(_) => erred += 1,
                }
            }
        }
        let Ok(set) = SetFile::open(&path) else { continue };
        assert!(set.verify().is_err(), "block {block}: the whole check finds it");
        std::fs::remove_file(&path).unwrap();
    }
    assert!(refused >= 2 && erred > 0, "{refused} refused, {erred} look-ups ended: the test flips what matters");
}

#[test]
fn the_same_sources_give_the_same_bytes_however_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let large = std::fs::read(made(folder.path(), "a.avset", 256 << 20)).unwrap();
    for (name, memory) in [("b.avset", 256 << 20), ("c.avset", 1), ("d.avset", 100_000)] {
        assert!(std::fs::read(made(folder.path(), name, memory)).unwrap() == large, "{name}");
    }
}

#[test]
fn a_cut_or_longer_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(made(folder.path(), "a.avset", 256 << 20)).unwrap();
    let path = folder.path().join("b.avset");
    for length in [0, 1, 4_095, 65_536, whole.len() / 2, whole.len() - 1, whole.len() + 1, whole.len() + 65_536] {
        let mut bytes = whole.clone();
        bytes.resize(length, 0);
        std::fs::write(&path, &bytes).unwrap();
        assert!(SetFile::open(&path).is_err(), "{length} bytes");
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(SetFile::open(&path).unwrap().verify().is_ok());
}
