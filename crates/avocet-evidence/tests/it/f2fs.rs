//! F2FS on volumes by `mkfs.f2fs` and `sload.f2fs`, against what was put in and `dump.f2fs`, and damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::fs::f2fs::F2fs;
use avocet_evidence::volume::{FsKind, Recognised, recognise};
use avocet_evidence::{AllocationState, Content, EntryKind, FileSystem, MemorySource, Source, Unreadable};

use crate::support::{
    Collected, Patched, Random, as_the_system_reads, collect, content, noise, output_in, put, read_damaged,
    regular as bytes, sha256, skipped,
};

/// Files in their inode and beside it, some so large that their nodes are of every level that fits; folders of every size.
fn populate(tree: &Path, many: usize, large: usize) {
    for n in [0, 1, 3487, 3488, 3489, 3700, 4096, 4097, 70_000, 1_000_000] {
        put(tree, &format!("sizes/{n}.bin"), &bytes(n));
    }
    put(tree, "noise.bin", &noise(300_000, 3));
    put(tree, "large.bin", &bytes(large));
    let mixed: Vec<u8> = (1..120).flat_map(|n| [noise(n, n as u64), vec![n as u8; n * 7]].concat()).collect();
    put(tree, "mixed.bin", &mixed);
    for n in 0..many {
        put(tree, &format!("many/a rather long name so that there are several blocks {n:05}.txt"), &bytes(n % 90));
    }
    put(tree, "deep/1/2/3/4/5/6/7/8/x", b"deep");
    put(tree, "names/Stra\u{df}e \u{43c}\u{438}\u{440}.txt", b"names");
    std::os::unix::fs::symlink("sizes/1.bin", tree.join("link")).unwrap();
}

/// A volume made and loaded with these options, and what was put in.
fn made(options: &[&str], many: usize, large: usize) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
    std::fs::create_dir(&tree).unwrap();
    populate(&tree, many, large);
    std::fs::File::create(&image).unwrap().set_len(96 << 20).unwrap();
    let (tree_text, image_text) = (tree.to_str().unwrap(), image.to_str().unwrap());
    output_in(dir.path(), "mkfs.f2fs", &[&["-q", "-f", "-l", "LABEL \u{44f}"], options, &[image_text]].concat())?;
    // It says by its status whether its own check ran, and not whether it loaded.
    let _ = output_in(dir.path(), "sload.f2fs", &["-f", tree_text, image_text]);
    Some((std::fs::read(&image).unwrap(), as_the_system_reads(&tree)))
}

fn files(found: &Collected, source: &Arc<dyn Source>) -> BTreeMap<String, String> {
    let files = found.entries.iter().filter(|e| e.kind == EntryKind::File);
    files
        .map(|e| {
            let bytes = content(e, source, 1 << 25);
            (e.path.clone(), bytes.map_or_else(|e| e, |b| b.map_or_else(|| format!("{:?}", e.content), |b| sha256(&b))))
        })
        .collect()
}

fn same(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>, what: &str) {
    let differ: Vec<_> =
        theirs.iter().filter(|(k, v)| ours.get(*k) != Some(v)).map(|(k, _)| (k, ours.get(k))).take(3).collect();
    let more: Vec<_> = ours.keys().filter(|k| !theirs.contains_key(*k)).take(3).collect();
    assert!(ours == theirs, "{what}: {} and {}; {differ:?}; {more:?}", ours.len(), theirs.len());
}

// Not flexible_inline_xattr: `sload.f2fs` 1.15 forgets how much room it left for attributes, and its own check then cuts a
// large file. What `dump.f2fs` makes of such a volume is compared below.
const EXTRA: &str = "extra_attr,inode_checksum,inode_crtime,sb_checksum";
/// What `mkfs.f2fs` is told.
const VARIANTS: [&[&str]; 4] = [
    &[],
    &["-O", EXTRA],
    &["-O", "extra_attr,compression,casefold", "-C", "utf8"],
    &["-O", "extra_attr,encrypt,verity,quota"],
];

#[test]
fn every_layout_reads_as_it_was_loaded() {
    let mut read = 0;
    for (n, options) in VARIANTS.into_iter().enumerate() {
        // One with a file of more than 923 + 2 × 1018 blocks, whose nodes have another level.
        let large = if n == 0 { 20 << 20 } else { 5 << 20 };
        let Some((image, truth)) = made(options, 600, large) else {
            skipped(1, "f2fs-tools are not installed");
            continue;
        };
        let source: Arc<dyn Source> = Arc::new(MemorySource(image));
        assert!(matches!(recognise(&*source), Recognised::FileSystem(FsKind::F2fs)), "{options:?}");
        let fs = F2fs::open(Arc::clone(&source)).unwrap();
        assert_eq!((fs.facts().kind, fs.facts().label.as_deref()), ("f2fs", Some("LABEL \u{44f}")));
        let found = collect(&fs);
        assert!(found.problems.is_empty(), "{options:?}: {:?}", found.problems);
        same(&files(&found, &source), &truth, &format!("{options:?}"));
        assert_eq!(found.entries.iter().filter(|e| e.kind == EntryKind::Link).count(), 1, "{options:?}");
        assert!(found.entries.iter().all(|e| e.state == AllocationState::Allocated), "{options:?}");
        assert!(found.entries.iter().all(|e| e.times.modified.is_some()), "{options:?}");
        let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
        assert!(free > 40 << 20 && free < 90 << 20, "{options:?}: {free}");
        read += 1;
    }
    println!("{read} of {} layouts", VARIANTS.len());
}

/// What `dump.f2fs` says of the inode of this number, and the bytes that it writes to a file of this name.
fn dumped(image: &str, number: u64, name: &str, inside: &Path) -> Option<(String, Vec<u8>)> {
    use std::io::Write as _;
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new("dump.f2fs");
    command.args(["-i", &number.to_string(), image]).env("PATH", path).current_dir(inside);
    // It asks whether to write the file.
    let pipe = std::process::Stdio::piped;
    let mut child = command.stdin(pipe()).stdout(pipe()).stderr(pipe()).spawn().ok()?;
    // It may have ended without asking.
    let _ = child.stdin.take()?.write_all(b"Y\n");
    let said = String::from_utf8_lossy(&child.wait_with_output().ok()?.stdout).into_owned();
    Some((said, std::fs::read(inside.join("lost_found").join(name)).ok()?))
}

#[test]
fn inodes_are_what_dump_f2fs_says() {
    let flexible = format!("{EXTRA},flexible_inline_xattr");
    let Some((image, _)) = made(&["-O", &flexible], 5, 5 << 20) else {
        return skipped(1, "f2fs-tools are not installed");
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    std::fs::write(&path, &image).unwrap();
    let source: Arc<dyn Source> = Arc::new(MemorySource(image));
    let found = collect(&F2fs::open(Arc::clone(&source)).unwrap());
    let mut compared = 0;
    for entry in found.entries.iter().filter(|e| e.kind == EntryKind::File) {
        let name = entry.path.rsplit('/').next().unwrap();
        let Some((said, theirs)) = dumped(path.to_str().unwrap(), entry.number, name, dir.path()) else {
            panic!("dump.f2fs wrote nothing for {}", entry.path);
        };
        // Such as `i_size                        [0x       1 : 1]`.
        let number = |name: &str| {
            let line = said.lines().find(|l| l.split_whitespace().next() == Some(name))?;
            line.rsplit(": ").next()?.trim_end_matches(']').trim().parse::<u64>().ok()
        };
        assert_eq!(number("i_size"), Some(entry.size), "{said}");
        let seconds = entry.times.modified.unwrap().ns / 1_000_000_000;
        assert_eq!(number("i_mtime"), u64::try_from(seconds).ok(), "{said}");
        // Where there are extra attributes, this program takes bytes inside an inode from the wrong place (1.15).
        if !matches!(entry.content, Content::Resident(_)) {
            assert!(content(entry, &source, 1 << 25).unwrap().unwrap() == theirs, "{}", entry.path);
        }
        compared += 1;
    }
    println!("{compared} inodes compared");
    assert!(compared > 15);
}

/// Files that are encrypted or compressed are listed with their size, and named; marked by hand, as no program here makes them.
#[test]
fn what_is_encrypted_or_compressed_is_named() {
    let Some((mut image, _)) = made(&["-O", "extra_attr,compression"], 5, 1 << 20) else {
        return skipped(2, "f2fs-tools are not installed");
    };
    let inode = |image: &[u8], name: &[u8]| {
        let length = (name.len() as u32).to_le_bytes();
        let mut blocks = (0..image.len() / 4096).map(|b| b * 4096);
        blocks.find(|at| image[at + 92..][..name.len()] == *name && image[at + 88..][..4] == length).unwrap()
    };
    let (encrypted, compressed) = (inode(&image, b"noise.bin"), inode(&image, b"mixed.bin"));
    image[encrypted + 2] |= 4;
    image[compressed + 80] |= 4;
    // Zstandard, four blocks together; the first address is the mark of packed blocks.
    image[compressed + 392..compressed + 394].copy_from_slice(&[2, 2]);
    let extra = usize::from(image[compressed + 360]);
    image[compressed + 360 + extra..][..4].copy_from_slice(&0xffff_fffe_u32.to_le_bytes());
    let source: Arc<dyn Source> = Arc::new(MemorySource(image));
    let found = collect(&F2fs::open(source).unwrap());
    let of = |path: &str| found.entries.iter().find(|e| e.path == path).unwrap();
    for (path, why) in [
        ("/noise.bin", Unreadable::Encrypted("fscrypt")),
        ("/mixed.bin", Unreadable::Unsupported("compressed by F2FS with Zstandard")),
    ] {
        let Content::Unreadable(found) = &of(path).content else { panic!("{path}: {:?}", of(path)) };
        assert_eq!((found, of(path).size > 10_000), (&why, true), "{path}");
    }
}

/// Every change is noticed or harmless, and nothing panics or goes on for ever.
#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let Some((image, truth)) = made(&["-O", EXTRA], 60, 5 << 20) else {
        return skipped(202, "f2fs-tools are not installed");
    };
    let image = Arc::new(image);
    let read = |changes: BTreeMap<usize, u8>| {
        let source: Arc<dyn Source> = Arc::new(Patched { base: Arc::clone(&image), changes });
        F2fs::open(Arc::clone(&source)).map(|fs| (collect(&fs), fs, source))
    };
    // The first superblock gone: the second serves.
    let (found, ..) = read(BTreeMap::from([(1024, 0)])).unwrap();
    assert_eq!(found.problems[0].code, "superblock-copy-used");
    assert_eq!(found.entries.iter().filter(|e| e.kind == EntryKind::File).count(), truth.len());
    // The newer checkpoint gone: the older one, or nothing, and never without saying so.
    let start = u32::from_le_bytes(image[1024 + 76..1024 + 80].try_into().unwrap()) as usize * 4096;
    for at in [start, start + 512 * 4096] {
        if let Ok((found, ..)) = read(BTreeMap::from([(at + 8, !image[at + 8])])) {
            assert_eq!(found.problems[0].code, "checkpoint-older-used");
        }
    }
    // An inode changed where only its checksum tells.
    let name = b"noise.bin";
    let inode = (0..image.len() / 4096)
        .map(|b| b * 4096)
        .find(|at| image[at + 92..][..name.len()] == *name && image[at + 88..][..4] == [9, 0, 0, 0])
        .unwrap();
    let (found, ..) = read(BTreeMap::from([(inode + 48, !image[inode + 48])])).unwrap();
    let said = found.problems.iter().find(|p| p.code == "inode-checksum-differs").unwrap();
    assert_eq!(said.path.as_deref(), Some("/noise.bin"));
    let mut random = Random(0xF2F5);
    let used: Vec<usize> =
        (0..image.len() / 4096).filter(|b| image[b * 4096..][..4096].iter().any(|x| *x != 0)).collect();
    let (noticed, refused) = read_damaged(200, |_| {
        let mut changes = BTreeMap::new();
        for _ in 0..=random.next() % 200 {
            let at = used[random.next() as usize % used.len()] * 4096 + random.next() as usize % 4096;
            let values = [0, 0xff, image[at] ^ 1 << (random.next() % 8), random.next() as u8];
            changes.insert(at, values[random.next() as usize % values.len()]);
        }
        read(changes).ok()
    });
    println!("{noticed} of 200 noticed, {refused} refused");
    assert!(noticed + refused > 60, "{noticed} noticed, {refused} refused");
}
