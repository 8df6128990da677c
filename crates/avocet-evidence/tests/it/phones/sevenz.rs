//! 7z archives that 7-Zip makes, by every method and layout; refusals; bounds; damage.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::embedded::open_archive;
use avocet_evidence::fs::sevenz::SevenZip;
use avocet_evidence::scratch::{InMemory, Scratch};
use avocet_evidence::unpack::Limit;
use avocet_evidence::{AllocationState, Content, EntryKind, Evidence, MemorySource, Source, Unreadable};

use super::{codes, find, tree};
use crate::support::{Random, collect, content, skipped};

const PATH: &str = "7zz";

fn there() -> bool {
    Command::new(PATH).arg("i").output().is_ok_and(|o| o.status.success())
}

fn seven(folder: &Path, arguments: &[&str]) {
    let out = Command::new(PATH).args(arguments).current_dir(folder).output().unwrap();
    assert!(
        out.status.success(),
        "{arguments:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
}

/// The files that are packed: by path. A program among them, for the filters.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut random = Random(77);
    let mut out = BTreeMap::new();
    for i in 0..30u32 {
        let words: Vec<u8> = (0..i * 997).map(|n| ((n * n) >> 5 ^ i) as u8).collect();
        out.insert(format!("/tree/some words/{i}.txt"), words);
    }
    out.insert("/tree/noise.bin".into(), (0..150_000).map(|_| random.next() as u8).collect());
    out.insert("/tree/empty.dat".into(), vec![]);
    out.insert("/tree/schön 子.txt".into(), b"a name beyond ASCII".to_vec());
    let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    program.truncate(400_000);
    out.insert("/tree/program.exe".into(), program);
    for (path, bytes) in &out {
        let path = folder.join(&path[1..]);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::create_dir_all(folder.join("tree/empty folder")).unwrap();
    std::os::unix::fs::symlink("noise.bin", folder.join("tree/link")).unwrap();
    out
}

/// Holds what is in an archive against the files that went into it.
fn check(evidence: &Evidence, truth: &BTreeMap<String, Vec<u8>>, folder: &Path, what: &str) {
    let (fs, source) = tree(evidence);
    let found = collect(fs);
    assert_eq!(codes(&found), [""; 0], "{what}");
    let listed: BTreeMap<_, _> =
        found.entries.iter().filter(|e| e.kind == EntryKind::File).map(|e| (e.path.clone(), e)).collect();
    assert_eq!(listed.keys().collect::<Vec<_>>(), truth.keys().collect::<Vec<_>>(), "{what}");
    for (path, bytes) in truth {
        let entry = listed[path];
        assert_eq!(entry.size, bytes.len() as u64, "{what}: {path}");
        assert!(content(entry, source, 1 << 30).unwrap().unwrap() == *bytes, "{what}: {path}");
        let modified = std::fs::metadata(folder.join(&path[1..])).unwrap().modified().unwrap();
        let wanted = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i64 / 100 * 100;
        assert_eq!(entry.times.modified.unwrap().ns, wanted, "{what}: {path}");
        assert_eq!((entry.state, entry.notes.len()), (AllocationState::Allocated, 0), "{what}: {path}");
    }
    let folders: Vec<_> =
        found.entries.iter().filter(|e| e.kind == EntryKind::Directory).map(|e| e.path.as_str()).collect();
    assert!(folders.contains(&"/tree/empty folder") && folders.contains(&"/tree"), "{what}: {folders:?}");
    let link = find(&found, "/tree/link");
    assert_eq!((link.kind, content(link, source, 99).unwrap().unwrap()), (EntryKind::Link, b"noise.bin".to_vec()));
}

/// Ways of packing that are read.
const READ: &[&[&str]] = &[
    &[],
    &["-mx=9"],
    &["-ms=off"],
    &["-ms=5f"],
    &["-m0=LZMA"],
    &["-m0=LZMA:lc=0:lp=2:pb=0", "-ms=off"],
    &["-m0=BZip2"],
    &["-m0=Deflate"],
    &["-mx=0"],
    &["-mhc=off"],
    &["-mf=off"],
    &["-mf=BCJ"],
    &["-mf=BCJ2"],
    &["-mf=ARM64"],
    &["-mf=Delta:4"],
    &["-mtc=on", "-mta=on"],
];

#[test]
fn archives_of_every_method_hold_what_went_into_them() {
    if !there() {
        return skipped(READ.len(), "no 7zz");
    }
    let dir = tempfile::tempdir().unwrap();
    let truth = files(dir.path());
    for how in READ {
        let path = dir.path().join("made.7z");
        let _ = std::fs::remove_file(&path);
        seven(dir.path(), &[&["a", "-snl", "-mmt=1", "made.7z"], *how, &["tree"]].concat());
        let evidence = Evidence::open(&path).unwrap();
        assert_eq!((evidence.kind, evidence.volumes[0].name.as_str()), ("7z", "7z"));
        assert_eq!(
            evidence.source().unwrap().len(),
            std::fs::metadata(&path).unwrap().len(),
            "its digest is that of the file"
        );
        check(&evidence, &truth, dir.path(), &format!("{how:?}"));
        if how.contains(&"-mtc=on") {
            let found = collect(tree(&evidence).0);
            assert!(find(&found, "/tree/noise.bin").times.accessed.is_some());
        }
    }
    // In parts, by the first of them.
    let parts = tempfile::tempdir_in(dir.path()).unwrap();
    seven(dir.path(), &["a", "-snl", "-v50k", &parts.path().join("p.7z").display().to_string(), "tree"]);
    assert!(std::fs::read_dir(parts.path()).unwrap().count() > 3);
    check(&Evidence::open(&parts.path().join("p.7z.001")).unwrap(), &truth, dir.path(), "parts");
    // Within evidence: the same members, embedded.
    let bytes = std::fs::read(dir.path().join("made.7z")).unwrap();
    let scratch: Arc<dyn Scratch> = Arc::new(InMemory::new(64 << 20));
    let limit = Limit { ratio: 0, base: 32 << 20, most: u64::MAX };
    let archive = open_archive(Arc::new(MemorySource(bytes)), "made.7z", limit, &scratch).unwrap().unwrap();
    assert_eq!((archive.kind, archive.unpacked), ("7z", archive.source.len()));
    let found = collect(archive.fs.as_ref());
    assert!(found.entries.len() > truth.len() && found.entries.iter().all(|e| e.state == AllocationState::Embedded));
    let noise = content(find(&found, "/tree/noise.bin"), &archive.source, 1 << 20).unwrap().unwrap();
    assert!(noise == truth["/tree/noise.bin"]);
}

#[test]
fn methods_that_are_not_read_and_passwords_are_named_and_listed() {
    if !there() {
        return skipped(4, "no 7zz");
    }
    let dir = tempfile::tempdir().unwrap();
    let truth = files(dir.path());
    for (how, wanted) in [
        (&["-m0=PPMd"][..], Unreadable::Unsupported("7z method PPMd")),
        (&["-m0=Deflate64"], Unreadable::Unsupported("7z method deflate64")),
        (&["-pjust words"], Unreadable::Encrypted("7z password")),
    ] {
        let _ = std::fs::remove_file(dir.path().join("made.7z"));
        seven(dir.path(), &[&["a", "made.7z"], how, &["tree"]].concat());
        let evidence = Evidence::open(&dir.path().join("made.7z")).unwrap();
        let found = collect(tree(&evidence).0);
        assert!(!codes(&found).is_empty() && codes(&found).iter().all(|c| *c == "method-not-read"), "{how:?}");
        assert!(found.problems[0].detail.ends_with(&wanted.to_string()), "{}", found.problems[0].detail);
        let mut named = 0;
        for (path, bytes) in &truth {
            let entry = find(&found, path);
            assert_eq!(entry.size, bytes.len() as u64, "{how:?}: {path}");
            match &entry.content {
                Content::Unreadable(reason) => {
                    assert_eq!(*reason, wanted, "{how:?}");
                    named += 1;
                }
                // What is empty needs no method; a program may have a block of its own.
                _ => assert!(bytes.is_empty(), "{how:?}: {path}"),
            }
        }
        assert!(named > 30, "{how:?}: {named}");
    }
    let _ = std::fs::remove_file(dir.path().join("made.7z"));
    seven(dir.path(), &["a", "-mhe=on", "-pjust words", "made.7z", "tree"]);
    let text = Evidence::open(&dir.path().join("made.7z")).map(|_| ()).unwrap_err().to_string();
    assert!(text.starts_with("a 7z archive whose list of members is encrypted is recognised but not read"), "{text}");
}

fn open(bytes: Vec<u8>, limit: u64) -> Result<(SevenZip, Arc<dyn Source>), String> {
    let source: Arc<dyn Source> = Arc::new(MemorySource(bytes));
    let limit = Limit { ratio: 0, base: limit, most: u64::MAX };
    let opened = SevenZip::open(&source, AllocationState::Embedded, limit, &InMemory::new(64 << 20));
    opened.map(|o| (o.fs, o.plain)).map_err(|e| e.to_string())
}

fn crc32(bytes: &[u8]) -> [u8; 4] {
    let sum = !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
    });
    sum.to_le_bytes()
}

/// Puts right the sums over the list and the first header.
fn seal(bytes: &mut [u8]) {
    let number = |b: &[u8], at: usize| u64::from_le_bytes(b[at..at + 8].try_into().unwrap()) as usize;
    let (at, length) = (32 + number(bytes, 12), number(bytes, 20));
    if let Some(list) = at.checked_add(length).and_then(|end| bytes.get(at..end)) {
        let sum = crc32(list);
        bytes[28..32].copy_from_slice(&sum);
    }
    let sum = crc32(&bytes[12..32]);
    bytes[8..12].copy_from_slice(&sum);
}

#[test]
fn bounds_sums_and_cut_archives_are_said() {
    if !there() {
        return skipped(6, "no 7zz");
    }
    let dir = tempfile::tempdir().unwrap();
    for i in 0..8u8 {
        std::fs::write(dir.path().join(format!("{i}.bin")), vec![i; 4 << 20]).unwrap();
    }
    seven(
        dir.path(),
        &["a", "-mhc=off", "bomb.7z", "0.bin", "1.bin", "2.bin", "3.bin", "4.bin", "5.bin", "6.bin", "7.bin"],
    );
    let bomb = std::fs::read(dir.path().join("bomb.7z")).unwrap();
    assert!(bomb.len() < 20_000);
    let (fs, plain) = open(bomb.clone(), 10 << 20).unwrap();
    let found = collect(&fs);
    assert_eq!((codes(&found), plain.len()), (vec!["unpack-capped"], 8 << 20));
    let read = |e: &avocet_evidence::Entry| content(e, &plain, 1 << 30).unwrap();
    assert_eq!(found.entries.iter().filter(|e| read(e).is_some_and(|b| b.len() == 4 << 20)).count(), 2);
    let limited = |e: &&avocet_evidence::Entry| matches!(e.content, Content::Unreadable(Unreadable::ArchiveLimit));
    assert_eq!(found.entries.iter().filter(limited).count(), 6);
    // A scratch that is too small is an error, not a shorter archive.
    let source: Arc<dyn Source> = Arc::new(MemorySource(bomb.clone()));
    let full = SevenZip::open(&source, AllocationState::Embedded, Limit::EVIDENCE, &InMemory::new(1 << 20));
    assert!(full.map(|_| ()).unwrap_err().to_string().starts_with("scratch at offset"));

    // A list whose sum is wrong, one that is not there, and bytes behind it.
    let refusal = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bomb.clone();
        edit(&mut bytes);
        open(bytes, 1 << 30).map(|_| ()).unwrap_err()
    };
    assert!(refusal(&|b| *b.last_mut().unwrap() ^= 1).contains("the sum of its list is wrong"));
    assert!(refusal(&|b| b[13] ^= 1).contains("the sum of its first header is wrong"));
    assert!(refusal(&|b| b.truncate(b.len() - 1)).contains("the file ends before its list"));
    let unfinished = refusal(&|b| {
        b[12..32].fill(0);
        seal(b);
    });
    assert!(unfinished.contains("it was not finished"), "{unfinished}");
    let (fs, _) = open([bomb.as_slice(), b"more"].concat(), 1 << 30).unwrap();
    assert_eq!(codes(&collect(&fs)), ["bytes-after-archive"]);

    // A flipped bit in what is not packed costs its member; in what is packed, what lies behind it too.
    seven(dir.path(), &["a", "-mx=0", "plain.7z", "0.bin", "1.bin"]);
    let mut plain = std::fs::read(dir.path().join("plain.7z")).unwrap();
    plain[100] ^= 4;
    let (fs, source) = open(plain, 1 << 30).unwrap();
    let found = collect(&fs);
    assert_eq!(codes(&found), ["member-sum-differs"]);
    assert!(matches!(&found.entries[0].content, Content::Unreadable(Unreadable::Corrupt(_))));
    assert!(content(&found.entries[1], &source, 1 << 30).unwrap().unwrap() == vec![1; 4 << 20]);
    let mut packed = bomb.clone();
    packed[32 + 2000] ^= 4;
    let (fs, source) = open(packed, 1 << 30).unwrap();
    let found = collect(&fs);
    assert!(["block-damaged", "member-sum-differs"].contains(&codes(&found)[0]), "{:?}", codes(&found));
    assert!(content(&found.entries[0], &source, 1 << 30).unwrap().is_some(), "what came before is kept");
}

/// 200 damaged archives of each kind, lists with right sums among them: no panic, no hang, bounded.
#[test]
fn damaged_archives_cost_at_most_themselves() {
    if !there() {
        return skipped(1000, "no 7zz");
    }
    let dir = tempfile::tempdir().unwrap();
    let tree = dir.path().join("tree");
    std::fs::create_dir_all(&tree).unwrap();
    for i in 0..20u32 {
        let bytes: Vec<u8> = (0..i * 701).map(|n| ((n * n) >> 3) as u8).collect();
        std::fs::write(tree.join(format!("{i}.exe")), bytes).unwrap();
    }
    for how in [
        &["-mhc=off"][..],
        &["-m0=LZMA"],
        &["-mhc=off", "-ms=off", "-m0=BZip2"],
        &["-mhc=off", "-mf=BCJ2"],
        &["-m0=Deflate", "-ms=3f", "-mhc=off"],
    ] {
        let _ = std::fs::remove_file(dir.path().join("made.7z"));
        seven(dir.path(), &[&["a", "made.7z"], how, &["tree"]].concat());
        let base = std::fs::read(dir.path().join("made.7z")).unwrap();
        let list = 32 + u64::from_le_bytes(base[12..20].try_into().unwrap()) as usize;
        let (mut refused, mut said, mut read) = (0, 0, 0u64);
        for round in 0..200u64 {
            let mut random = Random(round * 7919 + 13);
            let mut bytes = base.clone();
            let (from, to) = if round % 2 == 0 { (list, bytes.len()) } else { (6, bytes.len()) };
            for _ in 0..[1, 4, 16][(round % 3) as usize] {
                let at = from + (random.next() % (to - from) as u64) as usize;
                bytes[at] = random.next() as u8;
            }
            if round % 10 == 9 {
                bytes.truncate(32 + (random.next() % (base.len() as u64 - 32)) as usize);
            } else if round % 4 != 3 {
                seal(&mut bytes);
            }
            let begun = Instant::now();
            match open(bytes, 8 << 20) {
                Ok((fs, source)) => {
                    assert!(source.len() <= 8 << 20);
                    let found = collect(&fs);
                    said += u32::from(!found.problems.is_empty());
                    for e in found.entries.iter().take(200) {
                        read += u64::from(content(e, &source, 1 << 20).is_ok_and(|b| b.is_some()));
                    }
                }
                Err(text) => {
                    assert!(!text.is_empty());
                    refused += 1;
                }
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{how:?} {round}: {:?}", begun.elapsed());
        }
        println!("{how:?}: {refused} refused, {said} with problems, {read} members read");
        assert!(refused > 20 && refused < 200 && said > 5 && read > 100, "{how:?}: {refused} {said} {read}");
    }
}
