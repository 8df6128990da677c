//! ISO 9660 against what was put in, made by other programs, and against The Sleuth Kit.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::fs::iso::Iso;
use avocet_evidence::{EntryKind, Evidence, Note, VolumeState};

use crate::support::{collect, content, load, sha256, skipped};

fn ran(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|out| out.status.success())
}

/// Files of every size around a sector, long and foreign names, deep folders, two names of one content; path and digest.
fn populate(tree: &Path) -> BTreeMap<String, String> {
    let mut truth = BTreeMap::new();
    let mut put = |name: &str, data: Vec<u8>| {
        let path = tree.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &data).unwrap();
        truth.insert(format!("/{name}"), sha256(&data));
    };
    let bytes = |n: usize| (0..n).map(|i| (i * 31 + n) as u8).collect::<Vec<u8>>();
    for n in [0, 1, 2047, 2048, 2049, 70_000] {
        put(&format!("sizes/{n}.bin"), bytes(n));
    }
    for n in 0..120 {
        put(&format!("many/a rather long name for number {n:03}.txt"), bytes(n + 5));
    }
    put("names/Stra\u{df}e und \u{43c}\u{438}\u{440}.txt", bytes(77));
    put("names/two.dots.in.it", bytes(78));
    put("names/no extension", bytes(79));
    put("1/2/3/4/5/6/7/8/9/10/11/deep.txt", bytes(80));
    truth
}

fn found(image: &Path) -> (BTreeMap<String, String>, Vec<String>, Vec<avocet_evidence::Entry>) {
    let source = load(image);
    let iso = Iso::open(Arc::clone(&source)).unwrap();
    let collected = collect(&iso);
    let codes = collected.problems.iter().map(|p| p.code.to_owned()).collect();
    let files = collected.entries.iter().filter(|e| e.kind == EntryKind::File);
    let files =
        files.map(|e| (e.path.clone(), sha256(&content(e, &source, 1 << 20).unwrap().unwrap_or_default()))).collect();
    (files, codes, collected.entries)
}

#[test]
fn every_file_of_a_disc_is_there_with_its_own_name() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let truth = populate(&tree);
    std::os::unix::fs::symlink("sizes/1.bin", tree.join("link")).unwrap();
    let image = dir.path().join("disc.iso");
    let (to, from) = (image.to_str().unwrap(), tree.to_str().unwrap());
    let mut made = 0;
    for (program, options) in [
        ("genisoimage", &["-quiet", "-R"][..]),
        ("genisoimage", &["-quiet", "-R", "-J"]),
        ("xorriso", &["-as", "mkisofs", "-quiet", "-R"]),
        ("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-J", "-joliet-long"]),
    ] {
        let _ = std::fs::remove_file(&image);
        if !ran(program, &[options, &["-o", to, from]].concat()) {
            skipped(1, &format!("{program} is not installed"));
            continue;
        }
        made += 1;
        let (files, codes, entries) = found(&image);
        assert_eq!(codes, Vec::<String>::new(), "{program} {options:?}");
        assert_eq!(files, truth, "{program} {options:?}");
        assert_eq!(entries.iter().filter(|e| e.kind == EntryKind::Link).count(), 1, "{program} {options:?}");
        let folders = entries.iter().filter(|e| e.kind == EntryKind::Directory).count();
        // sizes, many, names and eleven deep; genisoimage keeps an empty folder from which deep ones were moved.
        assert!((14..=15).contains(&folders), "{program} {options:?}: {folders}");
        assert!(entries.iter().all(|e| e.times.modified.is_some()), "{program} {options:?}");
        // As evidence, down from the container, with everything accounted for.
        let evidence = Evidence::open(&image).unwrap();
        let VolumeState::Read { fs, .. } = &evidence.volumes[0].state else { panic!("not read") };
        let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
        assert_eq!((fs.facts().kind, fs.facts().cluster_size), ("iso9660", 2048));
        // Programs pad a disc with 150 sectors.
        assert!(free < 400 * 2048, "{program} {options:?}: {free} bytes free");
    }
    println!("{made} discs, {} files each", truth.len());
}

#[test]
fn names_of_joliet_and_plain_ones() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let truth = populate(&tree);
    let image = dir.path().join("disc.iso");
    let (to, from) = (image.to_str().unwrap(), tree.to_str().unwrap());
    if !ran("genisoimage", &["-quiet", "-J", "-joliet-long", "-D", "-o", to, from]) {
        return skipped(2, "genisoimage is not installed");
    }
    assert_eq!(found(&image).0, truth, "Joliet");
    std::fs::remove_file(&image).unwrap();
    assert!(ran("genisoimage", &["-quiet", "-iso-level", "1", "-D", "-o", to, from]));
    let (files, codes, _) = found(&image);
    assert_eq!(codes, Vec::<String>::new());
    // Names of eight and three letters are other names; the contents are the same.
    let digests = |files: &BTreeMap<String, String>| {
        let mut all: Vec<String> = files.values().cloned().collect();
        all.sort();
        all
    };
    assert_eq!(digests(&files), digests(&truth));
    assert!(files.contains_key("/SIZES/2047.BIN"), "{:?}", files.keys().take(5).collect::<Vec<_>>());
}

#[test]
fn a_file_hidden_from_one_tree_is_listed_with_a_note() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    for name in ["a.txt", "hidden.txt", "other.txt"] {
        std::fs::write(tree.join(name), name).unwrap();
    }
    let image = dir.path().join("disc.iso");
    let (to, from) = (image.to_str().unwrap(), tree.to_str().unwrap());
    let hide = ["-hide", "hidden.txt", "-hide-joliet", "other.txt"];
    if !ran("genisoimage", &[&["-quiet", "-R", "-J"], &hide[..], &["-o", to, from]].concat()) {
        return skipped(1, "genisoimage is not installed");
    }
    let (files, _, entries) = found(&image);
    assert_eq!(files.len(), 3, "{files:?}");
    let note = |name: &str| {
        let entry = entries.iter().find(|e| e.path == name).unwrap_or_else(|| panic!("{name} is not listed"));
        entry.notes.iter().map(Note::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(note("/hidden.txt"), "listed in the Joliet tree only");
    assert_eq!((note("/a.txt"), note("/other.txt")), (String::new(), String::new()));
}

/// A disc that a Mac reads by its map, and others by ISO 9660: both trees are listed, with the same contents.
#[test]
fn a_disc_with_an_apple_partition_map_is_read_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let truth = populate(&tree);
    let image = dir.path().join("disc.iso");
    let (to, from) = (image.to_str().unwrap(), tree.to_str().unwrap());
    if !ran("xorriso", &["-as", "mkisofs", "-quiet", "-R", "-hfsplus", "-o", to, from]) {
        return skipped(1, "xorriso is not installed");
    }
    let evidence = Evidence::open(&image).unwrap();
    assert_eq!(evidence.scheme, "apm");
    assert!(evidence.problems.is_empty(), "{:?}", evidence.problems);
    let mut seen = vec![];
    for volume in &evidence.volumes {
        let VolumeState::Read { fs, source } = &volume.state else { panic!("{volume:?}") };
        let collected = collect(&**fs);
        let mut digests: Vec<String> = collected
            .entries
            .iter()
            .filter(|e| e.kind == EntryKind::File && e.stream.is_none())
            .map(|e| sha256(&content(e, source, 1 << 20).unwrap().unwrap_or_default()))
            .collect();
        digests.sort();
        let mut expected: Vec<String> = truth.values().cloned().collect();
        expected.sort();
        assert_eq!(digests, expected, "{} {:?}", volume.name, collected.problems);
        seen.push((volume.name.clone(), fs.facts().kind));
    }
    assert_eq!(seen, [("disc".to_owned(), "iso9660"), ("apm:3".to_owned(), "hfs+")]);
}
