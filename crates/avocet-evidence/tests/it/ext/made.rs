//! Images made by e2fsprogs in the test: every layout that mke2fs can write, deletion and damage by debugfs.

use super::*;
use avocet_evidence::{MemorySource, OpenError, Unreadable};

/// Whether the tools that make the images are there.
pub(super) fn tools() -> bool {
    have("mke2fs") && have("debugfs") && have("dumpe2fs")
}

/// Bytes that are the same for the same name and length, and not zero for long.
pub(super) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}

/// A folder of files in which every way of storing content occurs; returns path to digest.
pub(super) fn populate(dir: &Path) -> BTreeMap<String, String> {
    use std::os::unix::ffi::OsStrExt;
    let mut truth = BTreeMap::new();
    let mut put = |name: &[u8], data: &[u8], escaped: Option<&str>| {
        let path = dir.join(std::ffi::OsStr::from_bytes(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
        let shown = escaped.unwrap_or_else(|| str::from_utf8(name).unwrap());
        truth.insert(format!("/{shown}"), support::sha256(data));
    };
    // Around the bounds of inline data, of blocks, and of direct, single and double indirect maps of 1 KiB blocks.
    for size in [0, 1, 59, 60, 61, 100, 156, 157, 200, 1023, 1024, 1025, 12288, 12289, 70_000, 274_432, 300_000] {
        put(format!("sizes/{size}.bin").as_bytes(), &bytes(size as u64, size), None);
    }
    for i in 0..300 {
        put(format!("many/a rather long name for number {i:04}.txt").as_bytes(), format!("{i}").as_bytes(), None);
    }
    put(b"a/b/c/d/e/f/deep.txt", b"deep", None);
    put(b"odd/byte\xff.txt", b"odd", Some("odd/byte\\xff.txt"));
    put("odd/\u{202e}gpj.exe".as_bytes(), b"direction", Some("odd/\\u{202e}gpj.exe"));
    put(b"small/x", b"inline directory", None);
    std::fs::create_dir(dir.join("empty")).unwrap();
    let mut sparse = vec![0; 900_000];
    sparse[500_000..500_010].copy_from_slice(b"not a hole");
    let holes = std::fs::File::create(dir.join("sparse.bin")).unwrap();
    holes.set_len(sparse.len() as u64).unwrap();
    std::os::unix::fs::FileExt::write_at(&holes, b"not a hole", 500_000).unwrap();
    truth.insert("/sparse.bin".to_owned(), support::sha256(&sparse));
    std::fs::hard_link(dir.join("sizes/70000.bin"), dir.join("second-name.bin")).unwrap();
    truth.insert("/second-name.bin".to_owned(), truth["/sizes/70000.bin"].clone());
    std::os::unix::fs::symlink("sizes/1.bin", dir.join("fast")).unwrap();
    std::os::unix::fs::symlink("x".repeat(200), dir.join("slow")).unwrap();
    truth
}

pub(super) fn mkfs(image: &Path, options: &[&str], from: &Path, size: &str) -> bool {
    let out =
        Command::new("mke2fs").arg("-q").arg("-F").args(options).arg("-d").arg(from).arg(image).arg(size).output();
    let out = out.expect("mke2fs");
    if !out.status.success() {
        println!("mke2fs {options:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
    out.status.success()
}

pub(super) fn debugfs(image: &Path, commands: &[&str]) -> String {
    let script = image.with_extension("cmd");
    std::fs::write(&script, commands.join("\n")).unwrap();
    let out = Command::new("debugfs").arg("-w").arg("-f").arg(&script).arg(image).output().expect("debugfs");
    String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr)
}

/// Free blocks by `dumpe2fs`, which ends a range with the first block of its last cluster.
fn free_blocks(image: &Path, cluster: u64) -> BTreeSet<u64> {
    let text = run("dumpe2fs", &[image.to_str().unwrap()]);
    let lists = text.lines().filter_map(|l| l.strip_prefix("  Free blocks: "));
    lists
        .flat_map(|l| l.split(", "))
        .filter(|r| !r.is_empty())
        .flat_map(|r| {
            let (from, to) = r.split_once('-').unwrap_or((r, r));
            from.trim().parse::<u64>().unwrap()..=to.trim().parse::<u64>().unwrap() + cluster - 1
        })
        .collect()
}

fn assert_free_runs(name: &str, fs: &Ext, image: &Path) {
    let (runs, block) = (fs.unallocated().expect("bitmaps"), fs.block_size());
    assert!(runs.windows(2).all(|w| w[0].start + w[0].length < w[1].start), "{name}: merged and in order");
    let ours: BTreeSet<u64> = runs.iter().flat_map(|r| r.start / block..(r.start + r.length).div_ceil(block)).collect();
    let theirs = free_blocks(image, fs.facts().cluster_size / block);
    assert!(!theirs.is_empty());
    let differ: Vec<_> = ours.symmetric_difference(&theirs).take(10).collect();
    assert!(differ.is_empty(), "{name}: {differ:?}");
}

const LAYOUTS: &[(&str, &[&str])] = &[
    ("ext2 1K", &["-t", "ext2", "-b", "1024"]),
    ("ext2 4K, 128-byte inodes", &["-t", "ext2", "-b", "4096", "-I", "128"]),
    ("ext2 revision 0", &["-t", "ext2", "-b", "1024", "-r", "0"]),
    ("ext2 without file types", &["-t", "ext2", "-O", "^filetype"]),
    ("ext3", &["-t", "ext3"]),
    ("ext4 1K", &["-t", "ext4", "-b", "1024"]),
    ("ext4 4K", &["-t", "ext4", "-b", "4096"]),
    ("ext4 64K", &["-t", "ext4", "-b", "65536"]),
    ("block maps", &["-t", "ext4", "-b", "1024", "-O", "^extent,^64bit"]),
    ("32-bit", &["-t", "ext4", "-b", "1024", "-O", "^64bit"]),
    ("inline data", &["-t", "ext4", "-b", "1024", "-I", "256", "-O", "inline_data"]),
    ("inline data, 1K inodes", &["-t", "ext4", "-b", "4096", "-I", "1024", "-O", "inline_data"]),
    ("meta_bg", &["-t", "ext4", "-b", "1024", "-g", "1024", "-O", "meta_bg,^resize_inode"]),
    ("meta_bg 32-bit", &["-t", "ext2", "-b", "1024", "-g", "512", "-O", "meta_bg,^resize_inode"]),
    ("sparse_super2", &["-t", "ext4", "-b", "1024", "-O", "sparse_super2,^resize_inode"]),
    ("no sparse_super", &["-t", "ext2", "-b", "1024", "-O", "^sparse_super,^resize_inode"]),
    ("no flex_bg", &["-t", "ext4", "-b", "1024", "-O", "^flex_bg"]),
    ("crc16 groups", &["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg"]),
    ("no checksums", &["-t", "ext4", "-b", "1024", "-O", "^metadata_csum,^uninit_bg"]),
    ("checksum seed", &["-t", "ext4", "-b", "1024", "-O", "metadata_csum_seed"]),
    ("bigalloc", &["-t", "ext4", "-b", "1024", "-C", "16384", "-O", "bigalloc"]),
    ("bigalloc 4K", &["-t", "ext4", "-b", "4096", "-C", "16384", "-O", "bigalloc"]),
    ("small groups", &["-t", "ext4", "-b", "1024", "-g", "1024"]),
    (
        "features that change nothing here",
        &["-t", "ext4", "-O", "encrypt,casefold,ea_inode,large_dir,project,quota,verity,orphan_file"],
    ),
];

#[test]
fn every_layout_reads_back() {
    if !tools() {
        return support::skipped(LAYOUTS.len(), "e2fsprogs is not installed");
    }
    let scratch = tempfile::tempdir().unwrap();
    let files = scratch.path().join("files");
    std::fs::create_dir(&files).unwrap();
    let truth = populate(&files);
    let mut made = 0;
    for (name, options) in LAYOUTS {
        let image = scratch.path().join("image");
        let _ = std::fs::remove_file(&image);
        if !mkfs(&image, options, &files, if name.contains("64K") { "128M" } else { "16M" }) {
            support::skipped(1, "this mke2fs does not make it");
            continue;
        }
        made += 1;
        let (fs, volume) = open(&image);
        let all = support::collect(&fs);
        assert_eq!(all.problems, [], "{name}");
        let found: BTreeMap<String, String> =
            live_files(&all).map(|e| (e.path.clone(), digest(e, &volume).expect("content"))).collect();
        let mut truth = truth.clone();
        if name.contains("inline") {
            // This mke2fs writes a file that begins with a hole wrongly into a volume with inline data (1.47.0): what
            // debugfs reads there is the truth.
            let out = Command::new("debugfs").args(["-R", "cat /sparse.bin"]).arg(&image).output().unwrap();
            truth.insert("/sparse.bin".to_owned(), support::sha256(&out.stdout));
        }
        let wrong: Vec<_> = truth.iter().filter(|(p, d)| found.get(*p) != Some(*d)).map(|(p, _)| p).collect();
        assert!(wrong.is_empty() && found.len() == truth.len(), "{name}: {} files, wrong {wrong:?}", found.len());
        let others: BTreeSet<(String, EntryKind)> =
            all.entries.iter().filter(|e| e.kind != EntryKind::File).map(|e| (e.path.clone(), e.kind)).collect();
        let expected = ["/a", "/a/b", "/a/b/c", "/a/b/c/d", "/a/b/c/d/e", "/a/b/c/d/e/f", "/empty", "/lost+found"]
            .into_iter()
            .chain(["/many", "/odd", "/sizes", "/small"])
            .map(|p| (p.to_owned(), EntryKind::Directory))
            .chain([("/fast".to_owned(), EntryKind::Link), ("/slow".to_owned(), EntryKind::Link)])
            .collect();
        assert_eq!(others, expected, "{name}");
        assert!(all.entries.iter().all(|e| e.state == AllocationState::Allocated), "{name}: nothing was deleted");
        let linked = all.entries.iter().filter(|e| e.notes.contains(&Note::HardLinks(2))).count();
        assert_eq!(linked, 2, "{name}");
        let sparse = all.entries.iter().find(|e| e.path == "/sparse.bin").unwrap();
        assert!(sparse.notes.contains(&Note::Sparse), "{name}");
        let inline = live_files(&all).filter(|e| matches!(e.content, Content::Resident(_))).count();
        assert_eq!(inline > 0, name.contains("inline"), "{name}: {inline} inline files");
        assert_free_runs(name, &fs, &image);
    }
    println!("{made} of {} layouts made and read", LAYOUTS.len());
    assert!(made > LAYOUTS.len() / 2, "most layouts are made by any mke2fs");
}

/// A fresh image of some layout with the populated files.
struct Made {
    scratch: tempfile::TempDir,
    image: PathBuf,
    truth: BTreeMap<String, String>,
}

fn made(options: &[&str]) -> Made {
    let scratch = tempfile::tempdir().unwrap();
    let (files, image) = (scratch.path().join("files"), scratch.path().join("image"));
    std::fs::create_dir(&files).unwrap();
    let truth = populate(&files);
    assert!(mkfs(&image, options, &files, "16M"));
    Made { scratch, image, truth }
}

impl Made {
    fn open(&self) -> (Ext, Arc<dyn Source>, Collected) {
        let (fs, volume) = open(&self.image);
        let all = support::collect(&fs);
        (fs, volume, all)
    }

    /// The image with some bytes changed.
    fn changed(&self, change: impl FnOnce(&mut Vec<u8>)) -> (Result<Ext, OpenError>, Arc<dyn Source>) {
        let mut raw = std::fs::read(&self.image).unwrap();
        change(&mut raw);
        let volume: Arc<dyn Source> = Arc::new(MemorySource(raw));
        (Ext::open(Arc::clone(&volume)), volume)
    }

    /// Byte offset of the inode of a path, by debugfs.
    fn inode_at(&self, path: &str) -> usize {
        let text = run("debugfs", &["-R", &format!("imap {path}"), self.image.to_str().unwrap()]);
        let after = |word: &str| text.split(word).nth(1).unwrap().split([',', '\n']).next().unwrap().trim().to_owned();
        let block: usize = after("located at block ").parse().unwrap();
        block * self.block() + usize::from_str_radix(after("offset ").trim_start_matches("0x"), 16).unwrap()
    }

    /// First block of a path, by debugfs.
    fn first_block(&self, path: &str) -> usize {
        let text = run("debugfs", &["-R", &format!("blocks {path}"), self.image.to_str().unwrap()]);
        text.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn block(&self) -> usize {
        usize::try_from(self.open().0.block_size()).unwrap()
    }
}

fn digests(all: &Collected, volume: &Arc<dyn Source>) -> BTreeMap<String, String> {
    live_files(all).filter_map(|e| Some((e.path.clone(), digest(e, volume)?))).collect()
}

#[test]
fn a_file_that_debugfs_removes_is_found_with_name_and_content() {
    if !tools() {
        return support::skipped(3, "e2fsprogs is not installed");
    }
    // debugfs leaves the pointers in the inode, as ext2 of old did.
    for options in [&["-t", "ext2", "-b", "1024"][..], &["-t", "ext3", "-b", "1024"], &["-t", "ext4", "-b", "1024"]] {
        let made = made(options);
        debugfs(
            &made.image,
            &["rm /sizes/300000.bin", "rm /sizes/12289.bin", "rm /sizes/1025.bin", "rm /a/b/c/d/e/f/deep.txt"],
        );
        let (fs, volume, all) = made.open();
        assert_eq!(all.problems, [], "{options:?}");
        let gone: BTreeMap<&str, &Entry> =
            all.entries.iter().filter(|e| e.state == AllocationState::Deleted).map(|e| (e.path.as_str(), e)).collect();
        let expected = ["/a/b/c/d/e/f/deep.txt", "/sizes/1025.bin", "/sizes/12289.bin", "/sizes/300000.bin"];
        assert_eq!(gone.keys().copied().collect::<Vec<_>>(), expected, "{options:?}");
        for (path, entry) in &gone {
            assert_eq!(digest(entry, &volume).as_ref(), made.truth.get(*path), "{options:?} {path}");
            assert!(entry.times.deleted.is_some() && entry.notes.is_empty(), "{options:?} {path} {:?}", entry.notes);
        }
        assert_eq!(live_files(&all).count(), made.truth.len() - 4);
        assert_free_runs("after removal", &fs, &made.image);

        // Blocks taken since by another file are counted.
        let block = made.first_block("/sizes/70000.bin");
        let taken = gone["/sizes/300000.bin"].content.first_offset().unwrap() / 1024;
        assert_ne!(block as u64, taken);
        debugfs(&made.image, &[&format!("setb {taken} 3")]);
        let (_, _, all) = made.open();
        let entry = all.entries.iter().find(|e| e.path == "/sizes/300000.bin").unwrap();
        assert!(entry.notes.contains(&Note::ClustersReused { reused: 3, of: 293 }), "{:?}", entry.notes);
    }
}

#[test]
fn a_reused_inode_gives_a_name_without_content() {
    if !tools() {
        return support::skipped(1, "e2fsprogs is not installed");
    }
    let made = made(&["-t", "ext2", "-b", "1024"]);
    let new = made.scratch.path().join("new");
    std::fs::write(&new, b"another file").unwrap();
    debugfs(&made.image, &["rm /sizes/1025.bin", &format!("write {} new.bin", new.display())]);
    let (_, volume, all) = made.open();
    let live = all.entries.iter().find(|e| e.path == "/new.bin").expect("the new file");
    assert_eq!(digest(live, &volume).unwrap(), support::sha256(b"another file"));
    let gone = all.entries.iter().find(|e| e.path == "/sizes/1025.bin").expect("the old name");
    assert_eq!(
        (gone.state, gone.number),
        (AllocationState::Deleted, live.number),
        "debugfs takes the first free inode"
    );
    assert!(matches!(gone.content, Content::Unreadable(Unreadable::NoLocation)));
    assert!(gone.notes.iter().any(|n| n.to_string().contains("live file now")));
}

#[test]
fn inodes_without_a_name_are_orphans() {
    if !tools() {
        return support::skipped(2, "e2fsprogs is not installed");
    }
    let made = made(&["-t", "ext4", "-b", "1024"]);
    let number = |p: &str| made.open().2.entries.iter().find(|e| e.path == p).unwrap().number;
    let (file, folder) = (number("/sizes/12288.bin"), number("/a/b"));
    // Only the name goes: the inodes stay in use.
    debugfs(&made.image, &["unlink /sizes/12288.bin", "unlink /a/b"]);
    let (_, volume, all) = made.open();
    // While the names still stand in slack, they are names of inodes in use.
    assert!(all.entries.iter().any(|e| e.path == "/sizes/12288.bin" && e.state == AllocationState::Deleted));
    let path = format!("/$Orphans/inode-{file}");
    let orphan = all.entries.iter().find(|e| e.path == path).expect("orphan");
    assert_eq!(digest(orphan, &volume).as_ref(), made.truth.get("/sizes/12288.bin"));
    assert!(orphan.notes.iter().any(|n| n.to_string().contains("no directory names it")));
    let path = format!("/$Orphans/inode-{folder}/c/d/e/f/deep.txt");
    let inside = all.entries.iter().find(|e| e.path == path).expect("inside an orphaned folder");
    assert_eq!(
        (inside.state, digest(inside, &volume).as_ref()),
        (AllocationState::Orphan, made.truth.get("/a/b/c/d/e/f/deep.txt"))
    );
}

#[test]
fn a_wiped_inode_is_recovered_from_the_journal() {
    if !tools() {
        return support::skipped(3, "e2fsprogs is not installed");
    }
    for (name, options) in [
        ("checksums and 64 bits", &["-t", "ext4", "-b", "1024"][..]),
        ("32 bits", &["-t", "ext4", "-b", "1024", "-O", "^64bit,^metadata_csum"]),
        ("block maps", &["-t", "ext3", "-b", "1024"]),
    ] {
        let made = made(options);
        let offset = made.inode_at("/sizes/300000.bin");
        let copy = made.scratch.path().join("copy");
        let raw = std::fs::read(&made.image).unwrap();
        std::fs::write(&copy, &raw[offset / 1024 * 1024..offset / 1024 * 1024 + 1024]).unwrap();
        // e2fsprogs writes the block of the inode table to the journal, and replays it.
        let csum = if name.starts_with("checksums") { "jo -c" } else { "jo" };
        let write = format!("jw -b {} {}", offset / 1024, copy.display());
        let said = debugfs(&made.image, &[csum, &write, "jc", "jr"]);
        // Then the file is removed and its inode wiped, as the kernel does it.
        let number = made.open().2.entries.iter().find(|e| e.path == "/sizes/300000.bin").unwrap().number;
        debugfs(&made.image, &["rm /sizes/300000.bin", &format!("clri <{number}>")]);
        let (_, volume, all) = made.open();
        assert_eq!(all.problems, [], "{name}");
        let entry = all.entries.iter().find(|e| e.path == "/sizes/300000.bin").expect("the name in slack");
        assert_eq!(entry.state, AllocationState::Deleted);
        assert_eq!(entry.notes, [Note::Other("location from the journal".to_owned())], "{name}: {said}");
        assert_eq!(digest(entry, &volume).as_ref(), made.truth.get("/sizes/300000.bin"), "{name}");
        // Where the journal was not replayed, a file that only it knows may never have been deleted.
        debugfs(&made.image, &["feature needs_recovery"]);
        let (_, _, all) = made.open();
        let entry = all.entries.iter().find(|e| e.path == "/sizes/300000.bin").unwrap();
        assert!(entry.notes.iter().any(|n| n.to_string().contains("may be a live file")), "{name}");
    }
}

#[test]
fn damage_is_reported_and_costs_only_itself() {
    if !tools() {
        return support::skipped(7, "e2fsprogs is not installed");
    }
    let made = made(&["-t", "ext4", "-b", "1024", "-g", "8192"]);
    let whole = made.truth.len();
    let check = |name: &str, code: &str, lost: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let (fs, volume) = made.changed(change);
        let all = support::collect(&fs.unwrap_or_else(|e| panic!("{name}: {e}")));
        assert!(codes(&all).contains(code), "{name}: {:?}", all.problems);
        let found = digests(&all, &volume);
        let right = made.truth.iter().filter(|(path, sha)| found.get(*path) == Some(sha)).count();
        assert_eq!(right, whole - lost, "{name}");
        all
    };
    check("primary superblock", "superblock-copy-used", 0, &|raw| raw[1024..2048].fill(0));
    check("superblock field", "superblock-checksum", 0, &|raw| raw[1024 + 0x88] ^= 1);
    check("group descriptors", "group-descriptor-damaged", 0, &|raw| raw[2048..3072].fill(0xff));
    let inode = made.inode_at("/sizes/12288.bin");
    let all = check("a time in an inode", "inode-checksum", 0, &|raw| raw[inode + 0x10] ^= 1);
    let entry = all.entries.iter().find(|e| e.path == "/sizes/12288.bin").unwrap();
    assert!(entry.notes.iter().any(|n| n.to_string() == "inode checksum does not agree"));
    // A folder whose only block is gone: its file is an orphan, with content.
    let block = made.first_block("/a/b/c/d/e/f") * 1024;
    let all = check("directory block", "directory-damaged", 1, &|raw| raw[block..block + 1024].fill(0xff));
    assert!(codes(&all).contains("directory-checksum"));
    assert!(all.entries.iter().any(|e| e.path.starts_with("/$Orphans/") && e.size == 4));
    check("cut off", "volume-truncated", 0, &|raw| raw.truncate(15 << 20));
    // An extent that leaves the volume: 12 bytes of header, then the first extent's start at 8.
    let all = check("extent", "inode-checksum", 1, &|raw| raw[inode + 0x28 + 20..inode + 0x28 + 24].fill(0xff));
    let entry = all.entries.iter().find(|e| e.path == "/sizes/12288.bin").unwrap();
    assert!(matches!(entry.content, Content::Unreadable(Unreadable::Corrupt(_))));
}

#[test]
fn flags_that_make_content_unreadable_are_named() {
    if !tools() {
        return support::skipped(4, "e2fsprogs is not installed");
    }
    let made = made(&["-t", "ext4", "-b", "1024"]);
    debugfs(
        &made.image,
        &[
            "set_inode_field /sizes/1024.bin flags 0x80800",
            "set_inode_field /sizes/1025.bin flags 0x80200",
            "set_inode_field /sizes/12288.bin size 1099511627776",
            "link /a /a/b/again",
            "feature needs_recovery",
        ],
    );
    let (_, _, all) = made.open();
    let content = |p: &str| match &all.entries.iter().find(|e| e.path == p).unwrap().content {
        Content::Unreadable(why) => why.to_string(),
        _ => panic!("{p} is readable"),
    };
    assert_eq!(content("/sizes/1024.bin"), "content unreadable: encrypted (fscrypt)");
    assert_eq!(content("/sizes/1025.bin"), "content unreadable: not supported (e2compr compression)");
    assert!(content("/sizes/12288.bin").contains("more than four times the volume"));
    assert_eq!(codes(&all), BTreeSet::from(["directory-loop", "journal-not-replayed"]));
}

#[test]
fn features_that_are_not_known_are_refused_by_name() {
    if !tools() {
        return support::skipped(2, "e2fsprogs is not installed");
    }
    let made = made(&["-t", "ext4", "-b", "1024"]);
    for (bit, text) in [(0x4000_0000u32, "0x40000000"), (0x8, "external ext journal")] {
        let (fs, _) = made.changed(|raw| {
            let old = u32::from_le_bytes(raw[1024 + 0x60..1024 + 0x64].try_into().unwrap());
            raw[1024 + 0x60..1024 + 0x64].copy_from_slice(&(old | bit).to_le_bytes());
        });
        let error = fs.err().expect("refused");
        assert!(matches!(&error, OpenError::Unsupported { .. }) && error.to_string().contains(text), "{error}");
    }
}
