//! A file of version 1 that is kept: every later program reads it, and writes the same for as long as the version is 1.

use std::path::Path;

use super::{Item, Making, Random, item_of, items};
use crate::compiled::SetFile;
use crate::compiled::layout::Kind;

/// The digest that names the kept file.
const DIGEST: &str = "eba87b9ca7061800bb2bbd7b583f236932d29a5a48363c0fe6955da2ab7af9e2";

#[test]
fn version_1_is_read_and_written_as_it_was() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/known-set-1.avset");
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(2026);
    let first = items(&mut random, 30, 120);
    // The same with numbers that need more bytes, and what is said more than once.
    let second: Vec<Item> = first
        .iter()
        .rev()
        .map(|i| Item { size: i.size.map(|s| s << 33), place: i.place + 70_000, ..i.clone() })
        .collect();
    let sources = [first, second];
    let out = folder.path().join("now.avset");
    let now = Making::of(&sources).make(&out).unwrap();
    if std::env::var_os("AVOCET_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::copy(&out, &kept).unwrap();
    }
    let then = SetFile::open(&kept).unwrap();
    then.verify().unwrap();
    assert_eq!(then.digest().to_string(), DIGEST);
    let rows = |set: &SetFile| set.records().map(|r| format!("{:?}", item_of(&r.unwrap()))).collect::<Vec<_>>();
    assert_eq!(rows(&now), rows(&then));
    // Every kind of section is in it, and but for META, which names the program's version, each is as it was.
    for kind in Kind::ALL {
        let section = |set: &SetFile| set.section(kind).map(|s| (s.length, s.count, s.param, s.sha256));
        assert!(section(&then).is_some(), "{}", kind.name());
        if kind != Kind::Meta && kind != Kind::Checksums {
            assert_eq!(section(&now), section(&then), "{}", kind.name());
        }
    }
}
