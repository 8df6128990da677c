//! Tar archives, against Python's `tarfile` and GNU tar.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::fs::tar::Tar;
use avocet_evidence::{Entry, EntryKind, Evidence, MemorySource, OpenError, Source};

use super::{codes, find, python};
use crate::support::{Collected, Random, collect, content, images, load, sha256, skipped};

fn block(name: &[u8], kind: u8, size: usize, link: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 512];
    out[..name.len()].copy_from_slice(name);
    out[100..107].copy_from_slice(b"0000644");
    out[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    out[136..147].copy_from_slice(b"14000000000");
    out[156] = kind;
    out[157..157 + link.len()].copy_from_slice(link);
    out[257..265].copy_from_slice(b"ustar\x0000");
    out[148..156].fill(b' ');
    let sum: u32 = out.iter().map(|b| u32::from(*b)).sum();
    out[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out
}

fn member(name: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let mut out = block(name, kind, data.len(), b"");
    out.extend(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [members.concat(), vec![0; 1024]].concat()
}

fn opened(bytes: Vec<u8>) -> (Collected, Arc<dyn Source>) {
    let source: Arc<dyn Source> = Arc::new(MemorySource(bytes));
    (collect(&Tar::open(Arc::clone(&source)).unwrap()), source)
}

fn bytes_of(entry: &Entry, source: &Arc<dyn Source>) -> Result<Vec<u8>, String> {
    content(entry, source, 64 << 20).map(Option::unwrap_or_default)
}

/// Every member of an archive by Python: name, kind, size, seconds, digest or target of a link.
const BY_PYTHON: &str = "import sys,tarfile,hashlib\n\
    t=tarfile.open(sys.argv[1])\n\
    for m in t:\n\
    \x20 n=m.name; n=n[2:] if n.startswith('./') else n\n\
    \x20 k='d' if m.isdir() else 'l' if m.issym() or m.islnk() else 'f' if m.isfile() else 's'\n\
    \x20 x=m.linkname if k=='l' else '-'\n\
    \x20 if k=='f': x=hashlib.sha256(t.extractfile(m).read()).hexdigest()\n\
    \x20 print(n.strip('/') or '.',k,m.size if k=='f' else 0,int(m.mtime//1),x,sep='\\t')\n";

fn ours(path: &Path) -> (Vec<String>, Collected) {
    let evidence = Evidence::open(path).unwrap();
    assert_eq!(evidence.kind, "tar");
    let (fs, source) = super::tree(&evidence);
    let found = collect(fs);
    let row = |e: &Entry| {
        let (kind, size, rest) = match e.kind {
            EntryKind::File => ("f", e.size, sha256(&bytes_of(e, source).unwrap())),
            EntryKind::Directory => ("d", 0, "-".into()),
            EntryKind::Link => ("l", 0, String::from_utf8(bytes_of(e, source).unwrap()).unwrap()),
            EntryKind::Special => ("s", 0, "-".into()),
        };
        let seconds = e.times.modified.map_or(0, |t| t.ns.div_euclid(1_000_000_000));
        format!("{}\t{kind}\t{size}\t{seconds}\t{rest}", &e.path[1..])
    };
    (found.entries.iter().map(row).collect(), found)
}

#[test]
fn archives_that_gnu_tar_writes_are_read_as_python_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    let long = format!("{}/{}/{}", "a".repeat(90), "b".repeat(90), "c".repeat(90));
    std::fs::create_dir_all(tree.join(&long)).unwrap();
    std::fs::write(tree.join(&long).join("d".repeat(120)), b"deep").unwrap();
    std::fs::write(tree.join("Gr\u{fc}\u{df}e.jpg"), vec![7; 70_000]).unwrap();
    std::fs::write(tree.join("empty"), b"").unwrap();
    std::os::unix::fs::symlink("empty", tree.join("link")).unwrap();
    std::os::unix::fs::symlink(&long, tree.join("long link")).unwrap();
    std::fs::hard_link(tree.join("empty"), tree.join("hard")).unwrap();
    let holes = std::fs::File::create(tree.join("sparse")).unwrap();
    for i in 0..40u64 {
        std::os::unix::fs::FileExt::write_all_at(&holes, b"piece", i * 1_000_000).unwrap();
    }
    holes.set_len(45_000_000).unwrap();
    drop(holes);
    let (mut done, mut sparse) = (0, 0);
    for options in [
        &["--format=gnu"][..],
        &["--format=pax"],
        &["--format=gnu", "--sparse"],
        &["--format=pax", "--sparse", "--sparse-version=0.0"],
        &["--format=pax", "--sparse", "--sparse-version=0.1"],
        &["--format=pax", "--sparse", "--sparse-version=1.0"],
    ] {
        let path = dir.path().join("made.tar");
        let made = Command::new("tar").args(options).arg("-cf").arg(&path).arg("-C").arg(&tree).arg(".").status();
        if !made.is_ok_and(|s| s.success()) {
            skipped(1, "no GNU tar");
            continue;
        }
        let (rows, found) = ours(&path);
        let Some(expected) = python(BY_PYTHON, &[&path]) else { return skipped(6, "no python3") };
        assert!(rows == expected, "{options:?}: {:?}", rows.iter().zip(&expected).find(|(a, b)| a != b));
        assert_eq!(codes(&found), [""; 0], "{options:?}");
        sparse += u64::from(std::fs::metadata(&path).unwrap().len() < 10_000_000);
        done += 1;
    }
    println!("{done} archives agreed with Python, {sparse} of them with a sparse file");
    if let Some(path) = images().map(|i| i.join("phone.tar")).filter(|p| p.is_file()) {
        let (rows, _) = ours(&path);
        let expected = python(BY_PYTHON, &[&path]).unwrap();
        assert!(rows == expected);
        println!("phone.tar: {} members agreed with Python", rows.len());
    } else {
        skipped(1, "no phone.tar");
    }
}

#[test]
fn names_are_shown_and_never_used() {
    let (found, source) = opened(archive(&[
        member(b"../../etc/passwd", b'0', b"not the machine's"),
        member(b"/abs/x", b'0', b"1"),
        member(b"d\\e\xff\n", b'0', b"2"),
        block(b"up", b'2', 0, b"../../.."),
        block(b"pipe", b'6', 0, b""),
        member(b"old", 0, b"3"),
        block(b"dir/", 0, 0, b""),
    ]));
    let listed: Vec<_> = found.entries.iter().map(|e| (e.path.as_str(), e.kind)).collect();
    use EntryKind::{Directory, File, Link, Special};
    assert_eq!(
        listed,
        [
            ("/../../etc/passwd", File),
            ("/abs/x", File),
            ("/d\\\\e\\xff\\u{a}", File),
            ("/up", Link),
            ("/pipe", Special),
            ("/old", File),
            ("/dir", Directory)
        ]
    );
    assert_eq!(found.problems, []);
    assert_eq!(bytes_of(&found.entries[0], &source).unwrap(), b"not the machine's");
    assert_eq!(bytes_of(&found.entries[3], &source).unwrap(), b"../../..");
    assert_eq!(found.entries[1].notes[0].to_string(), "absolute path");
}

#[test]
fn damage_is_counted_and_what_follows_is_found() {
    let three = [member(b"a", b'0', b"first"), member(b"b", b'0', b"second"), member(b"c", b'0', b"third")];
    let mut broken = archive(&three);
    broken[1024 + 3] = b'x';
    let (found, source) = opened(broken);
    assert_eq!(codes(&found), ["header-damaged"]);
    assert!(found.problems[0].detail.contains("1024 bytes were skipped"), "{}", found.problems[0].detail);
    assert_eq!(found.entries.len(), 2);
    assert_eq!(bytes_of(find(&found, "/c"), &source).unwrap(), b"third");
    // Cut in the middle of the last member, and after the second.
    let (found, source) = opened(archive(&three)[..2048 + 512 + 3].to_vec());
    assert_eq!(codes(&found), ["member-truncated"]);
    assert!(bytes_of(find(&found, "/c"), &source).is_err());
    assert_eq!(codes(&opened(archive(&three)[..2048].to_vec()).0), ["no-end-marker"]);
    // Two archives one after the other; something else behind the end.
    let (found, _) = opened([archive(&three), archive(&[member(b"later", b'0', b"4")])].concat());
    assert_eq!((found.entries.len(), codes(&found)), (4, vec!["members-after-end"]));
    let (found, _) = opened([archive(&three), b"remains".repeat(200)].concat());
    assert_eq!((found.entries.len(), codes(&found)), (3, vec!["bytes-after-archive"]));
    // A size that claims everything behind it.
    let mut false_size = vec![block(b"a", b'0', 1 << 30, b"")];
    false_size.extend(three[1..].iter().cloned());
    let (found, _) = opened(archive(&false_size));
    assert_eq!((found.entries.len(), codes(&found)), (3, vec!["member-truncated", "header-damaged"]));
    // A long name that is longer than what is read, and one that breaks off.
    let pax = member(b"x", b'x', b"99 path=a\n");
    assert_eq!(codes(&opened(archive(&[pax, three[0].clone()])).0), ["extended-header-damaged"]);
    assert_eq!(opened(archive(&[])).0.entries.len(), 0);
    for bytes in [vec![], vec![1; 512], b"short".to_vec()] {
        assert!(matches!(Tar::open(Arc::new(MemorySource(bytes))), Err(OpenError::Malformed { .. })));
    }
}

/// 200 damaged archives: no panic, no hang, most members still there.
#[test]
fn damaged_archives_cost_at_most_the_members_they_meet() {
    let members: Vec<Vec<u8>> =
        (0..60u32).map(|i| member(format!("f{i}").as_bytes(), b'0', &vec![i as u8; (i * 37) as usize])).collect();
    let base = archive(&members);
    let (mut whole, mut hurt) = (0u64, 0);
    for round in 0..200u64 {
        let mut random = Random(round * 6007 + 11);
        let mut bytes = base.clone();
        for _ in 0..[1, 8, 32][(round % 3) as usize] {
            // Half of the damage in the heads of blocks.
            let block = random.next() % (bytes.len() as u64 / 512) * 512;
            let at = if random.next().is_multiple_of(2) { block + random.next() % 157 } else { block };
            bytes[at as usize] = random.next() as u8;
        }
        if round % 10 == 9 {
            bytes.truncate((random.next() % base.len() as u64) as usize);
        }
        let begun = Instant::now();
        let source: Arc<dyn Source> = Arc::new(MemorySource(bytes));
        if let Ok(tar) = Tar::open(Arc::clone(&source)) {
            let found = collect(&tar);
            assert!(found.entries.len() <= base.len() / 512, "round {round}");
            for e in &found.entries {
                let read = bytes_of(e, &source);
                let number = e.path.strip_prefix("/f").and_then(|n| n.parse::<u32>().ok());
                whole += u64::from(number.is_some_and(|i| read == Ok(vec![i as u8; (i * 37) as usize])));
            }
            hurt += u64::from(!found.problems.is_empty());
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "round {round}");
    }
    println!("{whole} of {} members as they were, {hurt} of 200 with problems", 200 * 60);
    assert!(whole > 6000 && hurt > 60, "{whole} {hurt}");
}

/// What a header costs is bounded by the bytes that are there.
#[test]
fn an_archive_of_headers_alone_is_walked_in_time() {
    let bytes = archive(&vec![block(b"x", b'5', 0, b""); 20_000]);
    assert_eq!(load_entries(bytes), 20_000);
}

fn load_entries(bytes: Vec<u8>) -> usize {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    collect(&Tar::open(load(file.path())).unwrap()).entries.len()
}
