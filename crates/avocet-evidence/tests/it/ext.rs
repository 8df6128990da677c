//! ext2, ext3 and ext4 against digests taken before imaging, The Sleuth Kit, and e2fsprogs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests may fail loudly, and make their own images in a scratch folder"
)]

mod hostile;
mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::fs::ext::Ext;
use avocet_evidence::{AllocationState, Content, Entry, EntryKind, FileSystem, Note, Source};

use crate::support::{self, Collected};

const CAP: usize = 64 << 20;

fn open(path: &Path) -> (Ext, Arc<dyn Source>) {
    let volume = support::load(path);
    (Ext::open(Arc::clone(&volume)).expect("opens"), volume)
}

fn have(tool: &str) -> bool {
    Command::new(tool).arg("-V").output().is_ok()
}

fn run(tool: &str, args: &[&str]) -> String {
    let out = Command::new(tool).args(args).output().expect(tool);
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn live_files(all: &Collected) -> impl Iterator<Item = &Entry> {
    all.entries.iter().filter(|e| e.state == AllocationState::Allocated && e.kind == EntryKind::File)
}

fn digest(entry: &Entry, volume: &Arc<dyn Source>) -> Option<String> {
    support::content(entry, volume, CAP).expect("readable").map(|b| support::sha256(&b))
}

fn codes(all: &Collected) -> BTreeSet<&str> {
    all.problems.iter().map(|p| p.code).collect()
}

/// `digest  ./path` lines, as `/path` to digest.
fn truth(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).expect("truth");
    text.lines().map(|l| (l[66..].trim_start_matches('.').to_owned(), l[..64].to_owned())).collect()
}

/// The built images hold the same 478 files and the same 27 deleted ones.
#[test]
fn built_images_read_like_the_files_that_went_in() {
    let Some(dir) = support::images() else { return support::skipped(3, "AVOCET_IMAGES is not set") };
    let deleted = truth(&dir.join("../corpus/D.sha256"));
    assert_eq!(deleted.len(), 27);
    // Files recovered with their name and path, and by content alone. ext2 has no journal to recover from.
    for (name, kind, named, content) in [("ext2", "ext2", 0, 0), ("ext3", "ext3", 27, 27), ("ext4", "ext4", 27, 27)] {
        let (fs, volume) = open(&dir.join(format!("{name}.dd")));
        assert_eq!(fs.facts().kind, kind);
        assert_eq!(fs.facts().label.as_deref(), Some(format!("TEST{name}").as_str()));
        let all = support::collect(&fs);
        assert_eq!(all.problems, [], "{name}");
        let found: BTreeMap<String, String> =
            live_files(&all).map(|e| (e.path.clone(), digest(e, &volume).expect("content"))).collect();
        let expected = truth(&dir.join(format!("{name}.live.sha256")));
        assert_eq!(expected.len(), 478);
        assert_eq!(found, expected, "{name}");

        let gone: Vec<&Entry> = all.entries.iter().filter(|e| e.state != AllocationState::Allocated).collect();
        let files = gone.iter().filter(|e| e.kind == EntryKind::File).count();
        assert!(files >= 27, "{name}: {files}");
        let mut by_name = 0;
        let mut by_content = BTreeSet::new();
        for e in gone.iter().filter(|e| matches!(e.content, Content::Mapped(_) | Content::Resident(_))) {
            let sha = digest(e, &volume).expect("content");
            assert!(e.notes.contains(&Note::Other("location from the journal".to_owned())), "{name} {}", e.path);
            by_name += usize::from(deleted.get(&e.path) == Some(&sha));
            by_content.insert(sha);
        }
        let right = deleted.values().filter(|d| by_content.contains(*d)).count();
        println!("{name}: {} deleted files listed, {by_name} with name and content, {right} by content", files);
        assert_eq!((by_name, right), (named, content), "{name}");
    }
}

/// 20,000 files made by `mkfs.ext4 -d`.
#[test]
fn the_big_image_holds_every_file() {
    let Some(dir) = support::images() else { return support::skipped(1, "AVOCET_IMAGES is not set") };
    let path = dir.join("big_ext4.dd");
    if !path.is_file() {
        return support::skipped(1, "the large image was not built (make proof builds it)");
    }
    let volume = file_source(&path);
    let fs = Ext::open(Arc::clone(&volume)).expect("opens");
    let start = std::time::Instant::now();
    let all = support::collect(&fs);
    println!("walk of 20,000 files: {:?}", start.elapsed());
    assert_eq!(all.problems, []);
    let found: BTreeSet<String> = live_files(&all).map(|e| e.path.clone()).collect();
    let expected = truth(&dir.join("big.live.sha256"));
    assert_eq!(expected.len(), 20_000);
    assert_eq!(found, expected.keys().cloned().collect());
    assert!(all.entries.iter().all(|e| e.state == AllocationState::Allocated), "nothing was deleted");
    for entry in live_files(&all).step_by(97) {
        assert_eq!(digest(entry, &volume).as_ref(), expected.get(&entry.path), "{}", entry.path);
    }
}

/// A file that is read in place rather than loaded.
fn file_source(path: &Path) -> Arc<dyn Source> {
    struct InPlace(std::fs::File, u64);
    impl Source for InPlace {
        fn len(&self) -> u64 {
            self.1
        }
        fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, avocet_evidence::ReadError> {
            let mut done = 0;
            while done < buf.len() {
                match std::os::unix::fs::FileExt::read_at(&self.0, &mut buf[done..], offset + done as u64) {
                    Ok(0) => break,
                    Ok(n) => done += n,
                    Err(e) => return Err(avocet_evidence::ReadError::io("file", offset, &e)),
                }
            }
            Ok(done)
        }
    }
    let file = std::fs::File::open(path).expect("opens");
    let length = file.metadata().expect("metadata").len();
    Arc::new(InPlace(file, length))
}

/// What `fls -r -p` lists: allocated (path, kind, inode) and what is not.
#[derive(Default, Debug, PartialEq)]
struct Listing {
    allocated: BTreeSet<(String, char, u64)>,
    gone: BTreeSet<(String, u64)>,
}

fn fls(image: &Path) -> Listing {
    let mut out = Listing::default();
    for line in run("fls", &["-r", "-p", image.to_str().unwrap()]).lines() {
        let (head, path) = line.split_once('\t').expect("tab");
        let kind = head.chars().nth(2).unwrap();
        let deleted = head.contains('*');
        let number: String =
            head[3..].chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
        let path = comparable(&format!("/{path}"));
        if head.starts_with('V') {
            continue; // the folder that The Sleuth Kit makes up
        }
        let number = number.parse().unwrap();
        if deleted {
            out.gone.insert((path, number));
        } else {
            out.allocated.insert((path, kind, number));
        }
    }
    out
}

/// A path without the names that The Sleuth Kit does not print as they are (it writes `^` for control characters and
/// bytes that are no UTF-8): those are compared by inode only.
fn comparable(path: &str) -> String {
    let odd = |name: &str| name.contains(['^', '\\']) || !name.is_ascii();
    path.split('/').map(|n| if odd(n) { "?" } else { n }).collect::<Vec<_>>().join("/")
}

fn listing(all: &Collected) -> Listing {
    let mut out = Listing::default();
    for e in &all.entries {
        let path = comparable(&e.path);
        if e.state == AllocationState::Allocated {
            let kind = match e.kind {
                EntryKind::File => 'r',
                EntryKind::Directory => 'd',
                EntryKind::Link => 'l',
                EntryKind::Special => 's',
            };
            out.allocated.insert((path, kind, e.number));
        } else {
            out.gone.insert((path, e.number));
        }
    }
    out
}

/// An image of the shared test data as a plain file: itself, or unpacked with the tool that knows it.
fn plain(data: &Path, name: &str, scratch: &Path) -> Option<PathBuf> {
    let (from, to) = (data.join(name), scratch.join(name.replace('/', "_")));
    let made = match from.extension()?.to_str()? {
        "zst" => Command::new("zstd").args(["-q", "-d", "-f"]).arg(&from).arg("-o").arg(&to).status().ok()?.success(),
        "dd" => return Some(from),
        "raw" => {
            // A disk whose first partition begins at sector 352 (column `partition_sector`).
            std::fs::write(&to, &std::fs::read(&from).ok()?[352 * 512..]).ok()?;
            true
        }
        _ => Command::new("qemu-img").args(["convert", "-O", "raw"]).arg(&from).arg(&to).status().ok()?.success(),
    };
    made.then_some(to)
}

/// What The Sleuth Kit lists as deleted and this reader does not, by image: path, inode, reason.
const ONLY_THEIRS: &[(&str, &str, u64, &str)] = &[(
    "disk/fs/test_disk_ext3.bin.zst",
    "/medium_dir/?",
    2050,
    "part of the hash index of a directory, read as a name",
)];

/// Folders of the built images that have a hash index and hold no file with a name of one character. Which bytes of the
/// index The Sleuth Kit reads as such a name depends on the random seed of the image, so this is a rule and no table.
const INDEXED: [&str; 2] = ["/many/", "/photos/"];

/// What this reader lists as deleted and The Sleuth Kit does not.
const ONLY_OURS: &[(&str, &str, u64, &str)] = &[];

#[test]
fn shared_images_read_as_the_sleuth_kit_reads_them() {
    let Some(data) = support::testdata() else { return support::skipped(10, "no shared test data") };
    let table = std::fs::read_to_string(data.join("disk/listing-sleuthkit.tsv")).expect("listing");
    let scratch = tempfile::tempdir().expect("scratch");
    for name in [
        "disk/tsk/image.dd",
        "disk/tsk/image.qcow",
        "disk/tsk/image.vhd",
        "disk/tsk/image.vmdk",
        "disk/dfvfs/ext2.qcow2",
        "disk/dfvfs/ext2.vhd",
        "disk/dfvfs/ext2.vmdk",
        "disk/plaso/tsk_volume_system.raw",
        "disk/fs/test_disk1.bin.zst",
        "disk/fs/test_disk_ext3.bin.zst",
    ] {
        let Some(path) = plain(&data, name, scratch.path()) else {
            support::skipped(1, "its container's tool is not installed");
            continue;
        };
        let (fs, volume) = open(&path);
        let all = support::collect(&fs);
        assert_eq!(all.problems, [], "{name}");
        let ours: BTreeMap<&str, &Entry> = all.entries.iter().map(|e| (e.path.as_str(), e)).collect();
        let (mut rows, mut live) = (0, BTreeSet::new());
        for row in table.lines().map(|l| l.split('\t').collect::<Vec<_>>()).filter(|r| r[0] == name) {
            rows += 1;
            let path = format!("/{}", row[8]);
            let entry = ours.get(path.as_str()).unwrap_or_else(|| panic!("{name}: {path} is not listed"));
            assert_eq!(entry.state == AllocationState::Allocated, row[3] == "live", "{name} {path}");
            assert_eq!(entry.number.to_string(), row[5], "{name} {path}");
            if row[3] == "live" {
                live.insert(path.clone());
            }
            if !row[7].is_empty() {
                assert_eq!(digest(entry, &volume).as_deref(), Some(row[7]), "{name} {path}");
            }
        }
        assert!(rows > 0, "{name}: {rows}");
        if rows < 400 {
            let all_live = all.entries.iter().filter(|e| e.state == AllocationState::Allocated);
            assert_eq!(all_live.map(|e| e.path.clone()).collect::<BTreeSet<_>>(), live, "{name}");
        }
        if have("fls") {
            compare_with_fls(name, &path, &all);
        }
    }
}

fn compare_with_fls(name: &str, path: &Path, all: &Collected) {
    let (ours, theirs) = (listing(all), fls(path));
    let more: Vec<_> = ours.allocated.symmetric_difference(&theirs.allocated).collect();
    assert!(more.is_empty(), "{name}: listed by one only: {more:?}");
    // Orphans have made-up names on both sides, and names from the journal are orphans there: inodes are compared.
    let both = |from: &Listing, other: &Listing| -> BTreeSet<(String, u64)> {
        let numbers: BTreeSet<u64> = other.gone.iter().map(|g| g.1).filter(|n| *n != 0).collect();
        from.gone.iter().filter(|g| !numbers.contains(&g.1) && !other.gone.contains(*g)).cloned().collect()
    };
    let pinned = |list: &[(&str, &str, u64, &str)]| -> BTreeSet<(String, u64)> {
        list.iter().filter(|e| e.0 == name).map(|e| (e.1.to_owned(), e.2)).collect()
    };
    println!("{name}: {} deleted here, {} there", ours.gone.len(), theirs.gone.len());
    let (from_index, only_theirs): (BTreeSet<_>, BTreeSet<_>) = both(&theirs, &ours).into_iter().partition(|g| {
        let of_one = |folder: &&str| g.0.strip_prefix(*folder).is_some_and(|n| n.chars().count() == 1);
        !name.contains('/') && INDEXED.iter().any(of_one)
    });
    assert!(from_index.len() <= 8, "{name}: {from_index:?}");
    assert_eq!(only_theirs, pinned(ONLY_THEIRS), "{name}");
    assert_eq!(both(&ours, &theirs), pinned(ONLY_OURS), "{name}");
}

#[test]
fn built_images_list_as_the_sleuth_kit_lists_them() {
    let Some(dir) = support::images().filter(|_| have("fls")) else {
        return support::skipped(3, "AVOCET_IMAGES is not set or The Sleuth Kit is not installed");
    };
    for name in ["ext2", "ext3", "ext4"] {
        let path = dir.join(format!("{name}.dd"));
        let (fs, _) = open(&path);
        compare_with_fls(name, &path, &support::collect(&fs));
    }
}

/// `debugfs` and `istat` words for times, as this reader writes them.
fn stamp(text: &str) -> String {
    let text = text.trim().trim_end_matches(" (UTC)");
    let (date, time) = text.split_once(' ').expect("date and time");
    let time = if time.contains('.') { time.trim_end_matches('0').trim_end_matches('.') } else { time };
    format!("{date}T{time}Z")
}

#[test]
fn times_agree_with_the_sleuth_kit() {
    let Some(dir) = support::images().filter(|_| have("istat")) else {
        return support::skipped(3, "AVOCET_IMAGES is not set or The Sleuth Kit is not installed");
    };
    for name in ["ext2", "ext3", "ext4"] {
        let path = dir.join(format!("{name}.dd"));
        let (fs, _) = open(&path);
        let all = support::collect(&fs);
        let one = all.entries.iter().find(|e| e.path == "/one.bin").expect("one.bin");
        assert_eq!(one.times.modified.unwrap().to_string(), "2001-02-03T04:05:06.789Z", "{name}");
        let mut compared = 0;
        let recovered = |e: &&Entry| e.notes.contains(&Note::Other("location from the journal".to_owned()));
        for entry in all.entries.iter().step_by(23).chain(all.entries.iter().filter(|e| e.times.deleted.is_some())) {
            let text =
                Command::new("istat").env("TZ", "UTC").arg(&path).arg(entry.number.to_string()).output().unwrap();
            let text = String::from_utf8_lossy(&text.stdout).into_owned();
            let t = &entry.times;
            let fields = [
                ("Accessed:", t.accessed),
                ("File Modified:", t.modified),
                ("Inode Modified:", t.changed),
                ("File Created:", t.created),
                ("Deleted:", t.deleted),
            ];
            for (label, ours) in fields {
                // Times of a file recovered from the journal are those before it was deleted.
                if recovered(&entry) && label != "Deleted:" {
                    continue;
                }
                let theirs = text.lines().find_map(|l| l.strip_prefix(label)).map(stamp);
                // On ext2 and ext3 with 256-byte inodes The Sleuth Kit shows whole seconds and no time of creation.
                let (ours, theirs) = if name == "ext4" {
                    (ours.map(|s| s.to_string()), theirs)
                } else if label == "File Created:" {
                    continue;
                } else {
                    let cut = |s: String| format!("{}Z", &s[..19]);
                    (ours.map(|s| cut(s.to_string())), theirs.map(cut))
                };
                assert_eq!(ours, theirs, "{name} {} {label}", entry.number);
                compared += 1;
            }
        }
        println!("{name}: {compared} times compared");
        assert!(compared > 80, "{name}: {compared}");
    }
}
