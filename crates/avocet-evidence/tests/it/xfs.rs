//! XFS on volumes that the kernel wrote, of every version that mkfs.xfs makes, and damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use avocet_evidence::fs::xfs::Xfs;
use avocet_evidence::{AllocationState, Entry, EntryKind, FileSystem, MemorySource, Note, Source};

use crate::support::{Patched, Random, collect, content, load, ran, sha256, skipped};

fn put(tree: &Path, truth: &mut BTreeMap<String, String>, name: &str, data: &[u8]) {
    crate::support::put(tree, name, data);
    truth.insert(format!("/{name}"), sha256(data));
}

/// Every form of folder and of file: in the inode, one block, several blocks; few extents, many extents, holes.
fn populate(tree: &Path) -> BTreeMap<String, String> {
    use std::os::unix::fs::FileExt as _;
    let mut truth = BTreeMap::new();
    let bytes = |n: usize| (0..n).map(|i| (i * 31 + n) as u8).collect::<Vec<u8>>();
    for n in [0, 1, 511, 512, 4095, 4096, 4097, 70_000, 1_000_000] {
        put(tree, &mut truth, &format!("sizes/{n}.bin"), &bytes(n));
    }
    for n in 0..30 {
        put(tree, &mut truth, &format!("one block/a name of some length {n:03}.txt"), &bytes(n));
    }
    for n in 0..1500 {
        put(
            tree,
            &mut truth,
            &format!("many blocks/a rather long name so that there are several blocks {n:05}.txt"),
            &bytes(n % 50),
        );
    }
    put(tree, &mut truth, "short/a", b"a");
    put(tree, &mut truth, "deep/1/2/3/4/5/6/7/8/x", b"deep");
    put(tree, &mut truth, "names/Stra\u{df}e \u{43c}\u{438}\u{440}.txt", b"names");
    // Holes, and so many extents that their map is a tree.
    let sparse = std::fs::File::create(tree.join("sparse.bin")).unwrap();
    let mut whole = vec![0; 4_000_000];
    for i in 0..400 {
        let at = i * 10_000;
        sparse.write_at(&bytes(100), at as u64).unwrap();
        whole[at..at + 100].copy_from_slice(&bytes(100));
    }
    sparse.set_len(whole.len() as u64).unwrap();
    truth.insert("/sparse.bin".into(), sha256(&whole));
    std::fs::hard_link(tree.join("sizes/70000.bin"), tree.join("second name.bin")).unwrap();
    truth.insert("/second name.bin".into(), truth["/sizes/70000.bin"].clone());
    std::os::unix::fs::symlink("sizes/1.bin", tree.join("link")).unwrap();
    std::os::unix::fs::symlink("x".repeat(600), tree.join("long link")).unwrap();
    truth
}

/// Makes a volume with these options and has the kernel fill it; `None` where that cannot be done here.
fn made(dir: &Path, options: &[&str]) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let (image, mount) = (dir.join("image"), dir.join("mount"));
    std::fs::create_dir_all(&mount).unwrap();
    std::fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
    let (image_text, mount_text) = (image.to_str().unwrap(), mount.to_str().unwrap());
    if !ran("mkfs.xfs", &[&["-q", "-f", "-L", "LABEL"], options, &[image_text]].concat()) {
        return None;
    }
    if !ran("mount", &["-o", "loop", image_text, mount_text]) {
        return None;
    }
    let truth = populate(&mount);
    assert!(ran("umount", &[mount_text]));
    Some((std::fs::read(&image).unwrap(), truth))
}

const VARIANTS: [&[&str]; 5] = [
    &[],
    &["-m", "crc=0"],
    &["-b", "size=1024", "-n", "size=4096"],
    &["-d", "agsize=64m", "-i", "size=1024"],
    &["-m", "bigtime=0,reflink=0", "-n", "size=16384"],
];

#[test]
fn every_layout_reads_back() {
    let mut read = 0;
    for options in VARIANTS {
        let dir = tempfile::tempdir().unwrap();
        let Some((image, truth)) = made(dir.path(), options) else {
            skipped(1, "mkfs.xfs or the right to mount is not here");
            continue;
        };
        let source: Arc<dyn Source> = Arc::new(MemorySource(image));
        let fs = Xfs::open(Arc::clone(&source)).unwrap();
        assert_eq!(fs.facts().label.as_deref(), Some("LABEL"));
        let found = collect(&fs);
        assert!(found.problems.is_empty(), "{options:?}: {:?}", found.problems);
        let files: BTreeMap<String, String> = found
            .entries
            .iter()
            .filter(|e| e.kind == EntryKind::File)
            .map(|e| (e.path.clone(), sha256(&content(e, &source, 1 << 23).unwrap().unwrap_or_default())))
            .collect();
        assert!(
            files == truth,
            "{options:?}: {:?}",
            files.iter().filter(|(k, v)| truth.get(*k) != Some(v)).take(3).collect::<Vec<_>>()
        );
        assert_eq!(found.entries.iter().filter(|e| e.kind == EntryKind::Link).count(), 2, "{options:?}");
        let sparse = found.entries.iter().find(|e| e.path == "/sparse.bin").unwrap();
        assert!(sparse.notes.contains(&Note::Sparse), "{options:?}");
        let two = found.entries.iter().filter(|e| e.notes.contains(&Note::HardLinks(2))).count();
        assert_eq!(two, 2, "{options:?}");
        assert!(found.entries.iter().all(|e| e.state == AllocationState::Allocated), "{options:?}");
        let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
        assert!(free > 200 << 20 && free < 320 << 20, "{options:?}: {free}");
        read += 1;
    }
    println!("{read} of {} layouts", VARIANTS.len());
}

#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let dir = tempfile::tempdir().unwrap();
    let Some((image, truth)) = made(dir.path(), &[]) else {
        return skipped(200, "mkfs.xfs or the right to mount is not here");
    };
    let image = Arc::new(image);
    let open = |changes: BTreeMap<usize, u8>| {
        let source: Arc<dyn Source> = Arc::new(Patched { base: Arc::clone(&image), changes });
        (Xfs::open(Arc::clone(&source)), source)
    };
    // The first superblock gone but for the place of the second.
    let (fs, source) = open([(104, image[104] ^ 0xff)].into());
    let found = collect(&fs.unwrap());
    assert_eq!(found.problems[0].code, "superblock-copy-used");
    let files: Vec<&Entry> = found.entries.iter().filter(|e| e.kind == EntryKind::File).collect();
    assert_eq!(files.len(), truth.len());
    drop(source);
    // A count of groups that no volume has ends, and is said once.
    let every = [(88, 0xff), (89, 0xff), (90, 0xff), (91, 0xff)];
    let (fs, _source) = open(every.into());
    let found = collect(&fs.unwrap());
    let behind = found.problems.iter().filter(|p| p.detail.contains("lie behind the end")).count();
    assert_eq!((behind, found.entries.iter().filter(|e| e.kind == EntryKind::File).count()), (1, truth.len()));
    let mut random = Random(0x0F5);
    let used: Vec<usize> = (0..image.len() / 512).filter(|b| image[b * 512..][..512].iter().any(|x| *x != 0)).collect();
    let mut noticed = 0;
    for _ in 0..200 {
        let mut changes = BTreeMap::new();
        for _ in 0..=random.next() % 64 {
            let sector = used[random.next() as usize % used.len()];
            changes.insert(sector * 512 + random.next() as usize % 512, random.next() as u8);
        }
        let (fs, source) = open(changes);
        let Ok(fs) = fs else {
            noticed += 1;
            continue;
        };
        let found = collect(&fs);
        noticed += usize::from(!found.problems.is_empty());
        assert!(found.entries.len() < 100_000);
        for entry in found.entries.iter().step_by(50) {
            let _ = content(entry, &source, 1 << 16);
        }
        let _ = fs.unallocated();
    }
    println!("{noticed} of 200 noticed");
    assert!(noticed > 20, "{noticed}");
}

/// A volume that was not unmounted says so.
#[test]
fn a_log_that_was_not_replayed_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let (image, mount) = (dir.path().join("image"), dir.path().join("mount"));
    std::fs::create_dir_all(&mount).unwrap();
    std::fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
    let (image_text, mount_text) = (image.to_str().unwrap(), mount.to_str().unwrap());
    if !ran("mkfs.xfs", &["-q", "-f", image_text]) || !ran("mount", &["-o", "loop", image_text, mount_text]) {
        return skipped(1, "mkfs.xfs or the right to mount is not here");
    }
    std::fs::write(mount.join("a"), "a").unwrap();
    assert!(ran("sync", &[]));
    let copy = dir.path().join("copy");
    std::fs::copy(&image, &copy).unwrap();
    assert!(ran("umount", &[mount_text]));
    let codes =
        |path: &Path| collect(&Xfs::open(load(path)).unwrap()).problems.iter().map(|p| p.code).collect::<Vec<_>>();
    assert!(codes(&copy).contains(&"log-not-replayed"), "{:?}", codes(&copy));
    assert_eq!(codes(&image), Vec::<&str>::new());
}
