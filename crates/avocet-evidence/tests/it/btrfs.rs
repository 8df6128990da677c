//! btrfs on volumes that the kernel wrote, against what the kernel reads of them, and damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use avocet_evidence::fs::btrfs::Btrfs;
use avocet_evidence::{
    AllocationState, Content, Entry, EntryKind, Evidence, FileSystem, MemorySource, Note, Source, VolumeState,
};

use crate::support::{
    Collected, Patched, Random, as_the_system_reads, collect, content, load, noise, output, put, ran, regular as bytes,
    sha256, skipped,
};

/// Files in their record and beside it, compressible and not, with holes, with several names, in folders of every size.
fn populate(tree: &Path, many: usize) {
    use std::os::unix::fs::FileExt as _;
    for n in [0, 1, 2047, 2048, 4095, 4096, 4097, 70_000, 131_072, 131_073, 600_000] {
        put(tree, &format!("sizes/{n}.bin"), &bytes(n));
    }
    for n in [100, 5000, 300_000] {
        put(tree, &format!("noise/{n}.bin"), &noise(n, n as u64));
    }
    // Partly compressible: runs of every length between noise.
    let mixed: Vec<u8> = (1..120).flat_map(|n| [noise(n, n as u64), vec![n as u8; n * 7]].concat()).collect();
    put(tree, "mixed.bin", &mixed);
    for n in 0..many {
        put(tree, &format!("many/a rather long name so that there are several nodes {n:05}.txt"), &bytes(n % 90));
    }
    put(tree, "deep/1/2/3/4/5/6/7/8/x", b"deep");
    put(tree, "names/Stra\u{df}e \u{43c}\u{438}\u{440}.txt", b"names");
    let sparse = std::fs::File::create(tree.join("sparse.bin")).unwrap();
    for i in 0..60u64 {
        sparse.write_at(&bytes(100), i * 30_000).unwrap();
    }
    sparse.set_len(2_000_000).unwrap();
    std::fs::hard_link(tree.join("sizes/70000.bin"), tree.join("second name.bin")).unwrap();
    std::os::unix::fs::symlink("sizes/1.bin", tree.join("link")).unwrap();
}

/// A volume that the kernel holds open.
struct Mounted {
    dir: tempfile::TempDir,
}

impl Mounted {
    /// Makes a volume and mounts it; `None` where that cannot be done here.
    fn new(made_with: &[&str], options: &str) -> Option<Mounted> {
        let dir = tempfile::tempdir().unwrap();
        let (image, mount) = (dir.path().join("image"), dir.path().join("mount"));
        std::fs::create_dir_all(&mount).unwrap();
        std::fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
        let image = image.to_str().unwrap();
        let made = ran("mkfs.btrfs", &[&["-q", "-f", "-L", "LABEL"], made_with, &[image]].concat())
            && ran("mount", &["-t", "btrfs", "-o", &format!("loop{options}"), image, mount.to_str().unwrap()]);
        made.then_some(Mounted { dir })
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("mount")
    }

    fn at(&self, name: &str) -> String {
        self.path().join(name).to_str().unwrap().to_owned()
    }

    fn unmount(self) -> Vec<u8> {
        assert!(ran("umount", &[self.path().to_str().unwrap()]));
        std::fs::read(self.dir.path().join("image")).unwrap()
    }
}

fn open(image: Vec<u8>) -> (Btrfs, Arc<dyn Source>) {
    let source: Arc<dyn Source> = Arc::new(MemorySource(image));
    (Btrfs::open(Arc::clone(&source)).unwrap(), source)
}

fn files(found: &Collected, source: &Arc<dyn Source>) -> BTreeMap<String, String> {
    let files = found.entries.iter().filter(|e| e.kind == EntryKind::File);
    files
        .map(|e| {
            let bytes = content(e, source, 1 << 23);
            (e.path.clone(), bytes.map_or_else(|e| e, |b| sha256(&b.unwrap_or_default())))
        })
        .collect()
}

fn same(ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>, what: &str) {
    let differ: Vec<_> = theirs.iter().filter(|(k, v)| ours.get(*k) != Some(v)).take(3).collect();
    let more: Vec<_> = ours.keys().filter(|k| !theirs.contains_key(*k)).take(3).collect();
    assert!(ours == theirs, "{what}: {} and {}; {differ:?}; {more:?}", ours.len(), theirs.len());
}

/// What `mkfs.btrfs` is told, how it is mounted, and whether what it holds is packed.
const VARIANTS: [(&[&str], &str, bool); 6] = [
    (&[], "", false),
    (&["-n", "4096", "--csum", "xxhash", "-m", "single"], ",compress-force=zlib", true),
    (&["--csum", "sha256"], ",compress-force=lzo", true),
    (&["--csum", "blake2", "-d", "dup"], ",compress-force=zstd", true),
    (&["-M", "-n", "4096"], ",max_inline=0", false),
    (&["-n", "65536", "-O", "no-holes"], ",nodatasum,nodatacow", false),
];

#[test]
fn every_layout_reads_as_the_kernel_reads_it() {
    let mut read = 0;
    for (made_with, options, packed) in VARIANTS {
        let Some(mounted) = Mounted::new(made_with, options) else {
            skipped(1, "mkfs.btrfs or the right to mount is not here");
            continue;
        };
        populate(&mounted.path(), 400);
        // Room that was kept and not written, and a file written over in the middle.
        ran("fallocate", &["-l", "200000", &mounted.at("kept.bin")]);
        assert!(ran("sync", &[]));
        let over = std::fs::File::options().write(true).open(mounted.at("sizes/600000.bin")).unwrap();
        std::os::unix::fs::FileExt::write_at(&over, &noise(9000, 5), 200_100).unwrap();
        drop(over);
        let truth = as_the_system_reads(&mounted.path());
        let (fs, source) = open(mounted.unmount());
        assert_eq!((fs.facts().kind, fs.facts().label.as_deref()), ("btrfs", Some("LABEL")));
        let found = collect(&fs);
        assert!(found.problems.is_empty(), "{made_with:?}: {:?}", found.problems);
        same(&files(&found, &source), &truth, &format!("{made_with:?}"));
        let noted = |note: &Note| found.entries.iter().filter(|e| e.notes.contains(note)).count();
        assert_eq!(noted(&Note::HardLinks(2)), 2, "{made_with:?}");
        assert_eq!(noted(&Note::Compressed) > 5, packed, "{made_with:?}");
        assert!(noted(&Note::Sparse) >= 2, "{made_with:?}");
        assert_eq!(found.entries.iter().filter(|e| e.kind == EntryKind::Link).count(), 1, "{made_with:?}");
        assert!(found.entries.iter().all(|e| e.state == AllocationState::Allocated), "{made_with:?}");
        assert!(found.entries.iter().all(|e| e.times.modified.is_some() && e.times.created.is_some()));
        let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
        assert!(free > 200 << 20 && free < 256 << 20, "{made_with:?}: {free}");
        // Where a plain file lies, as the record says it.
        let plain = found.entries.iter().find(|e| e.path == "/noise/300000.bin").unwrap();
        let [extent] = plain.content.extents() else { panic!("{made_with:?}: {:?}", plain.content) };
        let avocet_evidence::Location::At(at) = extent.location else { panic!("{made_with:?}") };
        let mut head = [0; 64];
        assert_eq!(source.read_at(at, &mut head).unwrap(), 64);
        if !packed {
            assert_eq!(head, noise(64, 300_000)[..], "{made_with:?}");
            // Those who read at any place get the same bytes.
            let Content::Stream { open, .. } = &plain.content else { panic!("{made_with:?}") };
            let whole = open.source().unwrap().unwrap();
            assert_eq!(whole.read_at(123_457, &mut head).unwrap(), 64);
            assert_eq!(head, noise(300_000, 300_000)[123_457..][..64], "{made_with:?}");
        }
        read += 1;
    }
    println!("{read} of {} layouts", VARIANTS.len());
}

/// Every subvolume and snapshot is listed where it is mounted, each file once in each of them.
#[test]
fn subvolumes_and_snapshots_have_their_path() {
    let Some(mounted) = Mounted::new(&[], "") else {
        return skipped(1, "mkfs.btrfs or the right to mount is not here");
    };
    let btrfs = |args: &[&str]| assert!(ran("btrfs", &[&["-q", "subvolume"], args].concat()), "{args:?}");
    std::fs::create_dir(mounted.at("folder")).unwrap();
    btrfs(&["create", &mounted.at("folder/home")]);
    btrfs(&["create", &mounted.at("folder/home/inner")]);
    put(&mounted.path(), "a.txt", b"a");
    put(&mounted.path(), "folder/home/first.bin", &noise(50_000, 9));
    put(&mounted.path(), "folder/home/inner/deep.txt", b"deep");
    btrfs(&["snapshot", "-r", &mounted.at("folder/home"), &mounted.at("folder/before")]);
    put(&mounted.path(), "folder/home/first.bin", &noise(50_000, 10));
    put(&mounted.path(), "folder/home/second.bin", b"second");
    btrfs(&["snapshot", &mounted.at("folder/home"), &mounted.at("after")]);
    std::fs::remove_file(mounted.at("after/second.bin")).unwrap();
    btrfs(&["snapshot", &mounted.at("after"), &mounted.at("after/again")]);
    btrfs(&["create", &mounted.at("gone")]);
    put(&mounted.path(), "gone/x", b"x");
    btrfs(&["delete", "-C", &mounted.at("gone")]);
    assert!(ran("btrfs", &["subvolume", "sync", &mounted.at("")]));
    let truth = as_the_system_reads(&mounted.path());
    assert_eq!(truth.len(), 7, "{truth:?}");
    let (fs, source) = open(mounted.unmount());
    let found = collect(&fs);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    same(&files(&found, &source), &truth, "subvolumes");
    let noted = |text: &str| {
        let note = Note::Other(text.into());
        let mut paths: Vec<&str> =
            found.entries.iter().filter(|e| e.notes.contains(&note)).map(|e| e.path.as_str()).collect();
        paths.sort_unstable();
        paths
    };
    assert_eq!(noted("subvolume"), ["/after", "/after/again", "/folder/before", "/folder/home", "/folder/home/inner"]);
    let absent = noted("place of a subvolume that is not part of this snapshot");
    assert_eq!(absent, ["/after/again/inner", "/after/inner", "/folder/before/inner"]);
    // What a copy of one name is, is said once: no path comes twice.
    let paths: std::collections::BTreeSet<&str> = found.entries.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths.len(), found.entries.len());
}

/// A file that is open while its name is removed, and changes that are in the log only.
#[test]
fn a_volume_in_use_says_so_and_keeps_its_orphans() {
    let Some(mounted) = Mounted::new(&[], "") else {
        return skipped(1, "mkfs.btrfs or the right to mount is not here");
    };
    let data = noise(30_000, 77);
    put(&mounted.path(), "doomed.bin", &data);
    let held = std::fs::File::open(mounted.at("doomed.bin")).unwrap();
    std::fs::remove_file(mounted.at("doomed.bin")).unwrap();
    assert!(ran("sync", &[]));
    let copy = std::fs::read(mounted.dir.path().join("image")).unwrap();
    let mut logged = std::fs::File::create(mounted.at("logged.txt")).unwrap();
    logged.write_all(b"logged").unwrap();
    logged.sync_all().unwrap();
    let later = std::fs::read(mounted.dir.path().join("image")).unwrap();
    drop((held, logged));
    mounted.unmount();
    let (fs, source) = open(copy);
    let found = collect(&fs);
    let [orphan] = found.entries.as_slice() else { panic!("{:?}", found.entries) };
    assert_eq!((orphan.state, orphan.path.as_str()), (AllocationState::Orphan, "/$Orphans/5-257"));
    assert_eq!(content(orphan, &source, 1 << 20).unwrap().unwrap(), data);
    let (fs, _) = open(later);
    let codes: Vec<_> = collect(&fs).problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["log-not-replayed"]);
}

/// Either half of a mirror is read alone; stripes and a part on another disk are refused by name.
#[test]
fn disks_of_several() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: usize| dir.path().join(n.to_string());
    let make = |profile: &str| {
        for n in 0..2 {
            std::fs::File::create(path(n)).unwrap().set_len(300 << 20).unwrap();
        }
        let (a, b) = (path(0), path(1));
        ran("mkfs.btrfs", &["-q", "-f", "-d", profile, "-m", "raid1", a.to_str().unwrap(), b.to_str().unwrap()])
    };
    if !make("raid0") {
        return skipped(3, "mkfs.btrfs is not installed");
    }
    let refused = |path: &Path| {
        let evidence = Evidence::open(path).unwrap();
        let VolumeState::Failed { what: "btrfs", error } = &evidence.volumes[0].state else {
            panic!("{:?}", evidence.volumes)
        };
        error.to_string()
    };
    assert!(refused(&path(0)).starts_with("btrfs in stripes over disks (RAID0) is recognised but not read"));
    assert!(make("single"));
    // Where the data lie on one of the two only, one of the two has no copy of them.
    let states: Vec<bool> = (0..2).map(|n| Btrfs::open(load(&path(n))).is_err()).collect();
    assert!(states.contains(&true), "{states:?}");
    assert!(make("raid1"));
    let mount = dir.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let loops: Vec<String> = (0..2)
        .filter_map(|n| output("losetup", &["-f", "--show", path(n).to_str().unwrap()]))
        .map(|device| device.trim().to_owned())
        .collect();
    let mounted = loops.len() == 2 && {
        let both = format!("device={},device={}", loops[0], loops[1]);
        ran("mount", &["-t", "btrfs", "-o", &both, &loops[0], mount.to_str().unwrap()])
    };
    let truth = mounted.then(|| {
        populate(&mount, 20);
        let truth = as_the_system_reads(&mount);
        assert!(ran("umount", &[mount.to_str().unwrap()]));
        truth
    });
    for device in &loops {
        ran("btrfs", &["device", "scan", "--forget", device]);
        ran("losetup", &["-d", device]);
    }
    let Some(truth) = truth else { return skipped(1, "there is no right to mount") };
    for n in 0..2 {
        let source = load(&path(n));
        let fs = Btrfs::open(Arc::clone(&source)).unwrap();
        let found = collect(&fs);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
        same(&files(&found, &source), &truth, "a half of a mirror");
    }
}

/// A volume by `mkfs.btrfs` alone, which needs no mount, and what was put in.
fn made(options: &[&str]) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("image"));
    std::fs::create_dir(&tree).unwrap();
    populate(&tree, 60);
    std::fs::File::create(&image).unwrap().set_len(128 << 20).unwrap();
    let (tree_text, image_text) = (tree.to_str().unwrap(), image.to_str().unwrap());
    let made = ran("mkfs.btrfs", &[&["-q", "-f", "--rootdir", tree_text], options, &[image_text]].concat());
    made.then(|| (std::fs::read(&image).unwrap(), as_the_system_reads(&tree)))
}

fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0x82f6_3b78 } else { c >> 1 })
    })
}

/// Every change is noticed or harmless: whatever can be read has the right bytes.
#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let Some((image, truth)) = made(&[]) else {
        return skipped(202, "mkfs.btrfs is not installed");
    };
    let image = Arc::new(image);
    let read = |changes: BTreeMap<usize, u8>| {
        let source: Arc<dyn Source> = Arc::new(Patched { base: Arc::clone(&image), changes });
        Btrfs::open(Arc::clone(&source)).map(|fs| {
            let found = collect(&fs);
            (found, fs, source)
        })
    };
    let (found, _, source) = read(BTreeMap::new()).unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    same(&files(&found, &source), &truth, "by mkfs.btrfs");
    // The first superblock gone, with and without its mark: the copy serves.
    for at in [65536 + 40, 65536 + 64] {
        let source: Arc<dyn Source> =
            Arc::new(Patched { base: Arc::clone(&image), changes: BTreeMap::from([(at, !image[at])]) });
        assert!(format!("{:?}", avocet_evidence::volume::recognise(&*source)).contains("Btrfs"), "{at}");
        let (found, ..) = read(BTreeMap::from([(at, !image[at])])).unwrap();
        assert_eq!(found.problems[0].code, "superblock-copy-used");
        assert_eq!(found.entries.iter().filter(|e| e.kind == EntryKind::File).count(), truth.len());
    }
    let mut random = Random(0xB7F5);
    let used: Vec<usize> =
        (0..image.len() / 4096).filter(|b| image[b * 4096..][..4096].iter().any(|x| *x != 0)).collect();
    let (mut noticed, mut refused) = (0, 0);
    for _ in 0..200 {
        let mut changes = BTreeMap::new();
        for _ in 0..=random.next() % 64 {
            let at = used[random.next() as usize % used.len()] * 4096 + random.next() as usize % 4096;
            changes.insert(at, image[at] ^ 1 << (random.next() % 8));
        }
        let Ok((found, fs, source)) = read(changes) else {
            refused += 1;
            continue;
        };
        let unchecked = found.problems.iter().any(|p| p.code == "data-checksums-missing");
        let mut bad = 0;
        for entry in found.entries.iter().filter(|e| e.kind == EntryKind::File) {
            match content(entry, &source, 1 << 23) {
                Ok(Some(bytes)) => {
                    let expected = truth.get(&entry.path);
                    let right = unchecked || expected.is_none_or(|e| *e == sha256(&bytes));
                    assert!(right, "wrong bytes given as good: {}", entry.path);
                }
                _ => bad += 1,
            }
        }
        noticed += usize::from(!found.problems.is_empty() || bad > 0);
        let _ = fs.unallocated();
    }
    println!("{noticed} of 200 noticed, {refused} refused");
    assert!(noticed + refused > 100, "{noticed} noticed, {refused} refused");
}

/// Nodes changed by somebody who also made their checksums right: nothing panics, nothing goes on for ever.
#[test]
fn hostile_nodes_end() {
    let Some((image, _)) = made(&["-m", "single", "-n", "4096"]) else {
        return skipped(200, "mkfs.btrfs is not installed");
    };
    let image = Arc::new(image);
    let uuid = image[65536 + 32..][..16].to_vec();
    let nodes: Vec<usize> = (0..image.len() / 4096)
        .map(|b| b * 4096)
        .filter(|at| *at != 65536 && image[at + 32..][..16] == uuid && image[at + 64..][..8] != *b"_BHRfS_M")
        .collect();
    assert!(nodes.len() > 20, "{}", nodes.len());
    let mut random = Random(0x1057);
    let (mut opened, mut troubled) = (0, 0);
    for _ in 0..200 {
        let mut changes = BTreeMap::new();
        for _ in 0..=random.next() % 3 {
            let at = nodes[random.next() as usize % nodes.len()];
            let mut node = image[at..at + 4096].to_vec();
            for _ in 0..=random.next() % 12 {
                // Mostly the head and the records; what they name lies behind.
                let inside = 32 + random.next() as usize % if random.next().is_multiple_of(2) { 400 } else { 4064 };
                let values = [0, 1, 0xff, node[inside] ^ 1 << (random.next() % 8), random.next() as u8];
                node[inside] = values[random.next() as usize % values.len()];
            }
            let sum = crc32c(&node[32..]);
            node[..4].copy_from_slice(&sum.to_le_bytes());
            changes.extend(node.iter().enumerate().filter(|(i, b)| image[at + i] != **b).map(|(i, b)| (at + i, *b)));
        }
        let source: Arc<dyn Source> = Arc::new(Patched { base: Arc::clone(&image), changes });
        let Ok(fs) = Btrfs::open(Arc::clone(&source)) else { continue };
        opened += 1;
        let found = collect(&fs);
        troubled += usize::from(!found.problems.is_empty());
        assert!(found.entries.len() < 10_000);
        let read = |entry: &Entry| drop(content(entry, &source, 1 << 16));
        found.entries.iter().for_each(read);
        let _ = fs.unallocated();
    }
    println!("{opened} of 200 opened, {troubled} with problems");
    assert!(opened > 50 && troubled > 20, "{opened} opened, {troubled} with problems");
}
