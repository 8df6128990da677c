//! Folders and zip archives as evidence: against `find`, Python's `zipfile` and the `zip` crate.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_base::Zone;
use avocet_evidence::fs::folder::Folder;
use avocet_evidence::fs::zip::Zip;
use avocet_evidence::{
    AllocationState, Content, Entry, EntryKind, FileSystem, MemorySource, Note, OpenError, Source, Unreadable,
};

use crate::support::{Collected, Random, collect, content, images, load, sha256, skipped, testdata};

fn nothing() -> Arc<dyn Source> {
    Arc::new(MemorySource(vec![]))
}

fn bytes_of(entry: &Entry) -> Result<Option<Vec<u8>>, String> {
    content(entry, &nothing(), 1 << 30)
}

fn codes(found: &Collected) -> Vec<&'static str> {
    found.problems.iter().map(|p| p.code).collect()
}

fn find<'a>(found: &'a Collected, path: &str) -> &'a Entry {
    found.entries.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("no {path}"))
}

// ---------------------------------------------------------------- folders

fn sample_folder(root: &Path) {
    std::fs::create_dir_all(root.join("b/inner/deep")).unwrap();
    std::fs::create_dir(root.join("empty")).unwrap();
    std::fs::write(root.join("a.txt"), b"alpha").unwrap();
    std::fs::write(root.join("B.txt"), vec![7u8; 200_000]).unwrap();
    std::fs::write(root.join("b/inner/deep/z"), b"").unwrap();
    std::fs::write(root.join(std::ffi::OsStr::from_bytes(b"b/caf\xe9\\x")), b"latin").unwrap();
    std::fs::hard_link(root.join("a.txt"), root.join("b/again")).unwrap();
    std::os::unix::fs::symlink("/etc", root.join("b/link")).unwrap();
    std::os::unix::fs::symlink("..", root.join("b/up")).unwrap();
}

#[test]
fn a_folder_is_listed_whole_in_order_and_read() {
    let dir = tempfile::tempdir().unwrap();
    sample_folder(dir.path());
    let folder = Folder::open(dir.path()).unwrap();
    let found = collect(&folder);
    let listed: Vec<_> = found.entries.iter().map(|e| (e.path.as_str(), e.kind)).collect();
    use EntryKind::{Directory, File, Link};
    assert_eq!(
        listed,
        [
            ("/B.txt", File),
            ("/a.txt", File),
            ("/b", Directory),
            ("/b/again", File),
            ("/b/caf\\xe9\\\\x", File),
            ("/b/inner", Directory),
            ("/b/inner/deep", Directory),
            ("/b/inner/deep/z", File),
            ("/b/link", Link),
            ("/b/up", Link),
            ("/empty", Directory),
        ]
    );
    assert_eq!(found.problems, []);
    assert_eq!(bytes_of(find(&found, "/B.txt")).unwrap().unwrap(), vec![7; 200_000]);
    assert_eq!(bytes_of(find(&found, "/b/caf\\xe9\\\\x")).unwrap().unwrap(), b"latin");
    assert_eq!(bytes_of(find(&found, "/b/inner/deep/z")).unwrap().unwrap(), b"");
    assert!(find(&found, "/a.txt").notes.contains(&Note::HardLinks(2)));
    assert_eq!(find(&found, "/a.txt").number, find(&found, "/b/again").number);
    assert!(matches!(find(&found, "/b/link").content, Content::None));
    assert_eq!(folder.facts().kind, "folder");
}

/// GNU find prints type, size, modification time and name of all that is there.
#[test]
fn a_folder_holds_what_find_says() {
    let dir = tempfile::tempdir().unwrap();
    sample_folder(dir.path());
    let fifo = Command::new("mkfifo").arg(dir.path().join("pipe")).status().is_ok_and(|s| s.success());
    let Ok(out) =
        Command::new("find").arg(dir.path()).args(["-mindepth", "1", "-printf", "%y\t%s\t%T@\t%P\\0"]).output()
    else {
        return skipped(1, "find absent");
    };
    let mut expected = BTreeMap::new();
    for line in out.stdout.split(|b| *b == 0).filter(|l| !l.is_empty()) {
        let mut fields = line.splitn(4, |b| *b == b'\t').map(|f| String::from_utf8_lossy(f).into_owned());
        let (kind, size, time) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let name = line.splitn(4, |b| *b == b'\t').nth(3).unwrap();
        let path: String = name.split(|b| *b == b'/').map(|n| format!("/{}", avocet_base::escape_bytes(n))).collect();
        let (seconds, fraction) = time.split_once('.').unwrap();
        let ns: i64 = format!("{seconds}{}", &fraction[..9]).parse().unwrap();
        expected.insert(path, (kind, size.parse::<u64>().unwrap(), ns));
    }
    let found = collect(&Folder::open(dir.path()).unwrap());
    let ours: BTreeMap<_, _> = found
        .entries
        .iter()
        .map(|e| {
            let kind = match e.kind {
                EntryKind::File => "f",
                EntryKind::Directory => "d",
                EntryKind::Link => "l",
                EntryKind::Special => "p",
            };
            let size = if e.kind == EntryKind::File { e.size } else { expected[&e.path].1 };
            (e.path.clone(), (kind.to_owned(), size, e.times.modified.unwrap().ns))
        })
        .collect();
    assert_eq!(ours, expected);
    assert_eq!(ours.len(), 11 + usize::from(fifo));
}

#[test]
fn a_file_that_changes_or_goes_is_an_error_and_never_short() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["grows", "shrinks", "goes", "swapped", "same"] {
        std::fs::write(dir.path().join(name), vec![1u8; 100_000]).unwrap();
    }
    let found = collect(&Folder::open(dir.path()).unwrap());
    let mut open = find(&found, "/shrinks").open(&nothing()).unwrap().unwrap();
    let mut open_grows = find(&found, "/grows").open(&nothing()).unwrap().unwrap();
    let mut buf = vec![0; 50_000];
    assert_eq!(open.read(&mut buf).unwrap(), 50_000);
    assert_eq!(open_grows.read(&mut buf).unwrap(), 50_000);
    std::fs::write(dir.path().join("shrinks"), b"x").unwrap();
    std::fs::write(dir.path().join("grows"), vec![1u8; 200_000]).unwrap();
    std::fs::remove_file(dir.path().join("goes")).unwrap();
    std::fs::remove_file(dir.path().join("swapped")).unwrap();
    std::os::unix::fs::symlink("same", dir.path().join("swapped")).unwrap();
    assert!(open.read(&mut buf).is_err());
    assert!(open_grows.read(&mut buf).is_err(), "the last bytes of a changed file");
    for name in ["/grows", "/shrinks", "/goes", "/swapped"] {
        let error = bytes_of(find(&found, name)).unwrap_err();
        assert!(!error.contains(&name[1..]), "no name in an error: {error}");
    }
    assert_eq!(bytes_of(find(&found, "/same")).unwrap().unwrap().len(), 100_000);
}

#[test]
fn reading_leaves_the_access_time_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, b"content").unwrap();
    // An access time older than the modification, which even relatime would bring up to date.
    if !Command::new("touch").args(["-a", "-d", "2001-02-03"]).arg(&path).status().is_ok_and(|s| s.success()) {
        return skipped(1, "touch absent");
    }
    let before = std::fs::metadata(&path).unwrap().atime();
    let found = collect(&Folder::open(dir.path()).unwrap());
    assert_eq!(bytes_of(find(&found, "/f")).unwrap().unwrap(), b"content");
    assert_eq!(std::fs::metadata(&path).unwrap().atime(), before);
    // The test can fail: an ordinary read does change it, where the mount keeps access times at all.
    std::fs::read(&path).unwrap();
    println!("an ordinary read changes it here: {}", std::fs::metadata(&path).unwrap().atime() != before);
}

/// Root may read everything, so the test says when it could not refuse itself anything.
#[test]
fn what_may_not_be_read_is_said() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("closed")).unwrap();
    std::fs::write(dir.path().join("closed/in"), b"x").unwrap();
    std::fs::write(dir.path().join("file"), b"x").unwrap();
    let set = |name: &str, mode| {
        std::fs::set_permissions(dir.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("closed", 0);
    set("file", 0);
    let refused = std::fs::read(dir.path().join("file")).is_err();
    let found = collect(&Folder::open(dir.path()).unwrap());
    set("closed", 0o700);
    if !refused {
        return skipped(1, "run as root");
    }
    assert_eq!(codes(&found), ["directory-unreadable"]);
    assert_eq!(found.problems[0].path.as_deref(), Some("/closed"));
    assert!(matches!(find(&found, "/file").content, Content::Unreadable(_)));
}

#[test]
fn other_file_systems_below_are_not_entered() {
    let device = |p: &str| std::fs::metadata(p).map(|m| m.dev()).ok();
    let Some(inner) = ["/dev/shm", "/dev/pts"].into_iter().find(|p| device(p).is_some() && device(p) != device("/dev"))
    else {
        return skipped(1, "no file system is mounted below /dev");
    };
    let found = collect(&Folder::open(Path::new("/dev")).unwrap());
    let path = &inner["/dev".len()..];
    assert!(found.problems.iter().any(|p| p.code == "mount-point-not-entered" && p.path.as_deref() == Some(path)));
    assert!(!found.entries.iter().any(|e| e.path.starts_with(&format!("{path}/"))));
    assert_eq!(find(&found, "/null").kind, EntryKind::Special);
    assert!(Folder::open(Path::new("/dev/null")).is_err());
}

// ---------------------------------------------------------------- archives made by hand

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, b| {
        (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 })
    })
}

/// Deflate by hand: blocks without compression.
fn deflate_stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    let mut chunks = bytes.chunks(65_535).peekable();
    while let Some(chunk) = chunks.next() {
        out.push(u8::from(chunks.peek().is_none()));
        out.extend((chunk.len() as u16).to_le_bytes());
        out.extend((!(chunk.len() as u16)).to_le_bytes());
        out.extend(chunk);
    }
    out
}

#[derive(Clone)]
struct Made {
    name: Vec<u8>,
    method: u16,
    flags: u16,
    packed: Vec<u8>,
    size: u32,
    crc: u32,
    mode: u32,
    extra: Vec<u8>,
    /// Take the place of this member's local header instead of an own one.
    at_member: Option<usize>,
}

fn made(name: &[u8], content: &[u8]) -> Made {
    Made {
        name: name.to_vec(),
        method: 8,
        flags: 0,
        packed: deflate_stored(content),
        size: content.len() as u32,
        crc: crc(content),
        mode: 0o100_644,
        extra: vec![],
        at_member: None,
    }
}

fn archive(members: &[Made]) -> Vec<u8> {
    let (mut out, mut directory, mut places) = (vec![], vec![], vec![]);
    let both = |m: &Made| {
        let mut fields = vec![];
        fields.extend(20u16.to_le_bytes());
        fields.extend(m.flags.to_le_bytes());
        fields.extend(m.method.to_le_bytes());
        fields.extend((12u16 << 11 | 34 << 5 | 28).to_le_bytes());
        fields.extend((44u16 << 9 | 5 << 5 | 6).to_le_bytes());
        fields.extend(m.crc.to_le_bytes());
        fields.extend((m.packed.len() as u32).to_le_bytes());
        fields.extend(m.size.to_le_bytes());
        fields.extend((m.name.len() as u16).to_le_bytes());
        fields.extend((m.extra.len() as u16).to_le_bytes());
        fields
    };
    for m in members {
        let place = m.at_member.map_or(out.len() as u32, |i| places[i]);
        places.push(place);
        if m.at_member.is_none() {
            out.extend(b"PK\x03\x04");
            out.extend(both(m));
            out.extend(&m.name);
            out.extend(&m.extra);
            out.extend(&m.packed);
        }
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(both(m));
        directory.extend([0; 6]);
        directory.extend((m.mode << 16).to_le_bytes());
        directory.extend(place.to_le_bytes());
        directory.extend(&m.name);
        directory.extend(&m.extra);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

fn opened(bytes: Vec<u8>) -> Collected {
    collect(&Zip::open(Arc::new(MemorySource(bytes))).unwrap())
}

#[test]
fn members_are_listed_with_their_names_and_read() {
    let names: [&[u8]; 8] =
        [b"plain.txt", b"/abs/x", b"../../up", b"win\\dows", b"cp437\x82", "utf8é".as_bytes(), b"folder/", b"folder/f"];
    let mut members: Vec<Made> = names.iter().map(|n| made(n, b"content")).collect();
    members[6] = Made { method: 0, packed: vec![], ..made(b"folder/", b"") };
    members.push(Made { mode: 0o120_777, ..made(b"link", b"/etc/passwd") });
    members.push(Made { method: 0, packed: vec![9; 70_000], ..made(b"stored", &[9; 70_000]) });
    members.push(Made { packed: vec![], ..made(b"nothing", b"") });
    let bytes = archive(&members);
    let found = opened(bytes.clone());
    let paths: Vec<_> = found.entries.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/plain.txt",
            "/abs/x",
            "/../../up",
            "/win\\\\dows",
            "/cp437\\x82",
            "/utf8é",
            "/folder",
            "/folder/f",
            "/link",
            "/stored",
            "/nothing"
        ]
    );
    assert_eq!(found.problems, []);
    for e in &found.entries {
        assert_eq!(e.state, AllocationState::Allocated);
        let expected = match e.path.as_str() {
            "/folder" => None,
            "/link" => Some(b"/etc/passwd".to_vec()),
            "/stored" => Some(vec![9; 70_000]),
            "/nothing" => Some(vec![]),
            _ => Some(b"content".to_vec()),
        };
        assert_eq!(bytes_of(e).unwrap(), expected, "{}", e.path);
        assert_eq!(e.times.modified.unwrap().to_string(), "2024-05-06T12:34:56");
        assert_eq!(e.times.modified.unwrap().zone, Zone::Local);
        if let Some(extent) = e.content.extents().first() {
            let start = e.content.first_offset().unwrap() as usize;
            let stored = &bytes[start..start + extent.length as usize];
            assert!(members.iter().any(|m| m.packed == stored), "the extent is the member's data");
        }
    }
    assert!(find(&found, "/abs/x").notes.contains(&Note::Other("absolute path".into())));
    assert_eq!(find(&found, "/folder").kind, EntryKind::Directory);
    assert_eq!(find(&found, "/link").kind, EntryKind::Link);
    let embedded = Zip::open_with_state(Arc::new(MemorySource(bytes)), AllocationState::Embedded).unwrap();
    assert!(collect(&embedded).entries.iter().all(|e| e.state == AllocationState::Embedded));
}

#[test]
fn members_of_the_same_name_are_all_listed() {
    let found = opened(archive(&[made(b"a", b"first"), made(b"a", b"second")]));
    let read: Vec<_> = found.entries.iter().map(|e| bytes_of(e).unwrap().unwrap()).collect();
    assert_eq!(read, [b"first".to_vec(), b"second".to_vec()]);
    assert_eq!(codes(&found), ["duplicate-name", "duplicate-name"]);
}

#[test]
fn damage_and_lies_are_errors() {
    let good = made(b"f", &[5; 1000]);
    let read = |m: Made| bytes_of(&opened(archive(&[m])).entries[0]);
    assert_eq!(read(good.clone()).unwrap().unwrap(), [5; 1000]);
    let crc_error = read(Made { crc: good.crc ^ 1, ..good.clone() }).unwrap_err();
    assert!(crc_error.contains("CRC-32"), "{crc_error}");
    assert!(read(Made { size: 999, ..good.clone() }).unwrap_err().contains("longer"));
    assert!(read(Made { size: 0, ..good.clone() }).unwrap_err().contains("longer"));
    assert!(read(Made { size: 1001, ..good.clone() }).unwrap_err().contains("shorter"));
    let mut cut = good.clone();
    cut.packed.truncate(500);
    assert!(read(cut).unwrap_err().contains("end before"));
    let mut flipped = good.clone();
    flipped.packed[700] ^= 4;
    assert!(read(flipped).is_err());
    let mut stored = Made { method: 0, packed: vec![5; 1000], ..good.clone() };
    assert_eq!(read(stored.clone()).unwrap().unwrap(), [5; 1000]);
    stored.packed[10] = 6;
    assert!(read(stored.clone()).is_err());
    stored.size = 900;
    let found = opened(archive(&[stored]));
    assert!(matches!(found.entries[0].content, Content::Unreadable(Unreadable::Corrupt(_))));
    // The damage is found with the last bytes, whatever the size of the reads.
    for step in [1, 7, 999, 1000, 5000] {
        let found = opened(archive(&[Made { crc: 0, ..good.clone() }]));
        let mut reader = found.entries[0].open(&nothing()).unwrap().unwrap();
        let (mut buf, mut total) = (vec![0; step], 0);
        let failed = loop {
            match reader.read(&mut buf) {
                Ok(0) => break false,
                Ok(n) => total += n,
                Err(_) => break true,
            }
        };
        assert!(failed && total < 1000, "{step}");
    }
}

#[test]
fn what_is_not_decoded_says_so() {
    let member = |method, flags| Made { method, flags, ..made(b"f", b"secret") };
    for (m, expected) in [
        (member(8, 1), Unreadable::Encrypted("zip password")),
        (member(99, 1), Unreadable::Encrypted("zip password")),
        (member(12, 0), Unreadable::Unsupported("zip method bzip2")),
        (member(14, 0), Unreadable::Unsupported("zip method LZMA")),
        (member(93, 0), Unreadable::Unsupported("zip method Zstandard")),
        (member(9, 0), Unreadable::Unsupported("zip method deflate64")),
        (member(777, 0), Unreadable::Unsupported("zip method unknown")),
    ] {
        let found = opened(archive(&[m]));
        match &found.entries[0].content {
            Content::Unreadable(reason) => assert_eq!(*reason, expected),
            other => panic!("{other:?}"),
        }
        assert_eq!(found.entries[0].size, 6);
    }
}

#[test]
fn bombs_are_refused_and_named() {
    // More than deflate can make.
    let lie = Made { size: 2_000_000_000, ..made(b"lie", b"x") };
    let found = opened(archive(&[lie]));
    assert_eq!(codes(&found), ["zip-bomb"]);
    assert!(matches!(found.entries[0].content, Content::Unreadable(_)));
    // Many names for one member: each further one overlaps; only as many are read as twice the archive holds.
    let kernel = made(b"k", &[0; 60_000]);
    let mut members = vec![kernel.clone()];
    members.extend((0..100).map(|_| Made { at_member: Some(0), ..kernel.clone() }));
    let found = opened(archive(&members));
    assert_eq!(found.entries.len(), 101);
    let readable = found.entries.iter().filter(|e| matches!(e.content, Content::Stream { .. })).count();
    assert!((1..=3).contains(&readable), "{readable}");
    let found = codes(&found);
    assert!(found.contains(&"zip-bomb") && found.contains(&"members-overlap"), "{found:?}");
}

#[test]
fn bytes_that_no_member_claims_are_counted() {
    let base = archive(&[made(b"a", b"1"), made(b"b", b"22"), made(b"c", b"333")]);
    let detail = |found: &Collected, code| {
        let problem = found.problems.iter().find(|p| p.code == code).unwrap_or_else(|| panic!("no {code}"));
        problem.detail.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    let mut both = vec![b'#'; 33];
    both.extend(&base);
    both.extend([0xAA; 44]);
    let found = opened(both);
    assert_eq!(detail(&found, "bytes-before-archive"), 33);
    assert_eq!(detail(&found, "bytes-after-archive"), 44);
    assert_eq!(bytes_of(find(&found, "/c")).unwrap().unwrap(), b"333");
    // A comment that holds the signature of an end record.
    let mut commented = base.clone();
    let end = commented.len();
    commented[end - 2] = 30;
    commented.extend(b"PK\x05\x06 and twenty-six bytes more");
    commented.truncate(end + 30);
    let found = opened(commented);
    assert_eq!((found.entries.len(), codes(&found).len()), (3, 0));
    // The second member taken out of the directory only: 46 bytes of header and one of name.
    let at = base.windows(4).enumerate().filter(|w| w.1 == b"PK\x01\x02").nth(1).unwrap().0;
    let mut removed = base.clone();
    removed.drain(at..at + 47);
    let end = removed.len() - 22;
    removed[end + 8] = 2;
    removed[end + 10] = 2;
    let size = u32::from_le_bytes(removed[end + 12..end + 16].try_into().unwrap()) - 47;
    removed[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());
    let found = opened(removed);
    assert_eq!(found.entries.len(), 2);
    assert_eq!(detail(&found, "bytes-between-members"), 30 + 1 + 5 + 2);
}

#[test]
fn damaged_directories_give_what_they_still_say() {
    let base = archive(&[made(b"a", b"1"), made(b"b", b"22"), made(b"c", b"333")]);
    let at: Vec<usize> = base.windows(4).enumerate().filter(|w| w.1 == b"PK\x01\x02").map(|w| w.0).collect();
    let mut broken = base.clone();
    broken[at[1]] = 0;
    let found = opened(broken);
    assert_eq!(found.entries.len(), 1);
    assert!(codes(&found).contains(&"directory-damaged") && codes(&found).contains(&"entry-count-differs"));
    let mut no_header = base.clone();
    no_header[0] = 0;
    let found = opened(no_header);
    assert_eq!(bytes_of(&found.entries[0]), Ok(None));
    assert!(matches!(found.entries[0].content, Content::Unreadable(_)));
    assert!(codes(&found).contains(&"local-header-differs"));
    let mut renamed = base.clone();
    renamed[30] = b'Z';
    let found = opened(renamed);
    assert_eq!(codes(&found), ["local-header-differs"]);
    for bytes in [vec![], b"PK\x03\x04 and no more".to_vec(), base[..base.len() - 22].to_vec()] {
        assert!(matches!(Zip::open(Arc::new(MemorySource(bytes))), Err(OpenError::Malformed { .. })));
    }
    assert_eq!(opened(archive(&[])).entries.len(), 0);
}

#[test]
fn extra_fields_give_better_times() {
    let mut unix = made(b"unix", b"1");
    unix.extra = [&b"UT\x09\0\x03"[..], &981_173_106i32.to_le_bytes(), &(-1i32).to_le_bytes()].concat();
    let ticks = (981_173_106_789u64 * 10_000 + 116_444_736_000_000_000).to_le_bytes();
    let mut ntfs = made(b"ntfs", b"1");
    ntfs.extra = [&b"\x0a\0\x20\0\0\0\0\0\x01\0\x18\0"[..], &ticks, &ticks, &ticks].concat();
    let found = opened(archive(&[unix, ntfs]));
    let times = find(&found, "/unix").times;
    assert_eq!(times.modified.unwrap().to_string(), "2001-02-03T04:05:06Z");
    assert_eq!(times.accessed.unwrap().to_string(), "1969-12-31T23:59:59Z");
    assert_eq!(times.created, None);
    let times = find(&found, "/ntfs").times;
    assert_eq!(times.created.unwrap().to_string(), "2001-02-03T04:05:06.789Z");
}

// ---------------------------------------------------------------- archives against other readers

/// Size and SHA-256 of every member in the order of the directory, by Python; `-` where Python cannot read it.
fn python(path: &Path) -> Option<Vec<(String, u64, String)>> {
    let script = "import sys,zipfile,hashlib\n\
        z=zipfile.ZipFile(sys.argv[1])\n\
        for i in z.infolist():\n\
        \x20 if i.filename.endswith('/'): continue\n\
        \x20 try: h=hashlib.sha256(z.open(i).read()).hexdigest()\n\
        \x20 except Exception: h='-'\n\
        \x20 print(i.orig_filename.encode('utf-8' if i.flag_bits&0x800 else 'cp437').hex(),i.file_size,h)\n";
    let out = Command::new("python3").args(["-c", script]).arg(path).output().ok()?;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    Some(
        text.lines()
            .map(|l| {
                let mut f = l.split(' ');
                let name: Vec<u8> = f
                    .next()
                    .unwrap()
                    .as_bytes()
                    .chunks(2)
                    .map(|h| u8::from_str_radix(std::str::from_utf8(h).unwrap(), 16).unwrap())
                    .collect();
                let start = name.iter().take_while(|b| **b == b'/').count();
                let path: String =
                    name[start..].split(|b| *b == b'/').map(|n| format!("/{}", avocet_base::escape_bytes(n))).collect();
                (path, f.next().unwrap().parse().unwrap(), f.next().unwrap().to_owned())
            })
            .collect(),
    )
}

fn ours(source: &Arc<dyn Source>) -> (Vec<(String, u64, String)>, Collected) {
    let found = collect(&Zip::open(Arc::clone(source)).unwrap());
    let rows = found.entries.iter().filter(|e| e.kind != EntryKind::Directory).map(|e| {
        let digest = content(e, source, 1 << 30).ok().flatten().map_or("-".into(), |b| sha256(&b));
        (e.path.clone(), e.size, digest)
    });
    (rows.collect(), found)
}

#[test]
fn archives_that_python_writes_are_read_as_python_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let script = "import sys,zipfile,io,random\n\
        random.seed(5); d=sys.argv[1]\n\
        def put(z,n,b): z.writestr(zipfile.ZipInfo(n,(2020,1,2,3,4,6)),b,compress_type=z.compression)\n\
        blobs=[b'',b'a',bytes(300000),random.randbytes(200000),b'text '*50000]\n\
        for name,c in (('stored',0),('deflated',8)):\n\
        \x20 with zipfile.ZipFile(f'{d}/{name}.zip','w',c) as z:\n\
        \x20  for i,b in enumerate(blobs): put(z,f'd{i}/é{i}.bin',b)\n\
        with zipfile.ZipFile(f'{d}/large.zip','w',8) as z:\n\
        \x20 for i,b in enumerate(blobs):\n\
        \x20  with z.open(zipfile.ZipInfo(f'z{i}'),'w',force_zip64=True) as f: f.write(b)\n\
        with zipfile.ZipFile(f'{d}/many.zip','w',8) as z:\n\
        \x20 for i in range(66000): z.writestr(f'{i:x}',b'')\n\
        class NoSeek(io.RawIOBase):\n\
        \x20 def __init__(s,f): s.f=f\n\
        \x20 def write(s,b): return s.f.write(b)\n\
        \x20 def writable(s): return True\n\
        with open(f'{d}/streamed.zip','wb') as f, zipfile.ZipFile(NoSeek(f),'w',8) as z:\n\
        \x20 for i,b in enumerate(blobs): put(z,f's{i}',b)\n\
        with open(f'{d}/prefixed.zip','wb') as f:\n\
        \x20 f.write(b'MZ'+bytes(5000))\n\
        with zipfile.ZipFile(f'{d}/prefixed.zip','a',8) as z:\n\
        \x20 z.comment=b'hello'\n\
        \x20 for i,b in enumerate(blobs): put(z,f'p{i}',b)\n";
    let made = Command::new("python3").args(["-c", script]).arg(dir.path()).output();
    let Ok(made) = made else { return skipped(6, "python3 absent") };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for name in ["stored", "deflated", "large", "many", "streamed", "prefixed"] {
        let path = dir.path().join(format!("{name}.zip"));
        let (rows, found) = ours(&load(&path));
        assert_eq!(rows, python(&path).unwrap(), "{name}");
        assert!(rows.iter().all(|r| r.2 != "-"), "{name}");
        let expected: &[&str] = if name == "prefixed" { &["bytes-before-archive"] } else { &[] };
        assert_eq!(codes(&found), expected, "{name}");
    }
}

/// Info-ZIP's `zip`: encrypted members, and times in extra fields.
#[test]
fn archives_that_info_zip_writes_are_understood() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("f"), b"some content").unwrap();
    let zip = |args: &[&str]| Command::new("zip").current_dir(dir.path()).arg("-q").args(args).status();
    if !zip(&["plain.zip", "f"]).is_ok_and(|s| s.success()) {
        return skipped(1, "zip absent");
    }
    assert!(zip(&["-P", "password", "locked.zip", "f"]).unwrap().success());
    let (_, found) = ours(&load(&dir.path().join("plain.zip")));
    let modified = std::fs::metadata(dir.path().join("f")).unwrap().mtime();
    let stamp = found.entries[0].times.modified.unwrap();
    assert_eq!((stamp.ns / 1_000_000_000, stamp.zone), (modified, Zone::Utc));
    assert_eq!(found.problems, []);
    let (_, found) = ours(&load(&dir.path().join("locked.zip")));
    assert!(matches!(found.entries[0].content, Content::Unreadable(Unreadable::Encrypted("zip password"))));
    assert_eq!((found.entries[0].size, found.problems.len()), (12, 0));
}

#[test]
fn real_archives_are_read_as_python_reads_them() {
    let Some(data) = testdata() else { return skipped(4, "test data absent") };
    let mut paths: Vec<_> = [
        "pictures/corrupt/mp4-avif/invalid-avif-colr-multiple.zip",
        "disk/fs/SampleTinyNtfsVolume.zip",
        "phones/ios_fs/testdata.deviceName.deviceName.mvs_ios_2023.zip",
        "phones/ios_fs/testdata.appleWifiPlist.appleWifiKnownNetworks.josh_ios15_ffs.zip",
    ]
    .iter()
    .map(|p| data.join(p))
    .collect();
    paths.extend(images().map(|i| i.join("phone.zip")).filter(|p| p.is_file()));
    let (mut members, mut archives) = (0, 0);
    for path in paths.iter().filter(|p| p.is_file()) {
        let (rows, found) = ours(&load(path));
        let Some(expected) = python(path) else { return skipped(paths.len(), "python3 absent") };
        assert_eq!(rows, expected, "{path:?}");
        println!("{} member(s), problems {:?}", rows.len(), codes(&found));
        members += rows.len();
        archives += 1;
    }
    println!("{members} member(s) of {archives} archive(s) agreed with Python");
}

/// The `zip` crate needs nothing installed; it keeps one member of each name only, so names differ here.
#[test]
fn archives_are_read_as_the_zip_crate_reads_them() {
    let members: Vec<Made> = (0..50u8).map(|i| made(&[b'a' + i % 26, b'0' + i / 26], &vec![i; 2000])).collect();
    let bytes = archive(&members);
    let mut other = zip::ZipArchive::new(std::io::Cursor::new(bytes.clone())).unwrap();
    let found = opened(bytes);
    assert_eq!(other.len(), found.entries.len());
    for (i, e) in found.entries.iter().enumerate() {
        let mut file = other.by_index(i).unwrap();
        let mut expected = vec![];
        file.read_to_end(&mut expected).unwrap();
        assert_eq!(e.path, format!("/{}", file.name().unwrap()));
        assert_eq!(e.content.first_offset(), file.data_start());
        assert_eq!(bytes_of(e).unwrap().unwrap(), expected);
    }
}

/// 200 damaged archives: no panic, no hang, and no content that is not the member's.
#[test]
fn damaged_archives_cost_at_most_themselves() {
    let members: Vec<Made> = (0..20u8).map(|i| made(&[b'm', b'a' + i], &vec![i; 500 * usize::from(i)])).collect();
    let base = archive(&members);
    let directory = base.windows(4).position(|w| w == b"PK\x01\x02").unwrap() as u64;
    let known: BTreeMap<u32, Vec<u8>> = (0..20u8).map(|i| (crc(&vec![i; 500 * usize::from(i)]), vec![])).collect();
    let mut random = Random(11);
    let (mut whole, mut failed) = (0, 0);
    for round in 0..200 {
        let mut bytes = base.clone();
        let length = bytes.len() as u64;
        for _ in 0..[1, 8, 64][round % 3] {
            let at = if random.next().is_multiple_of(2) {
                random.next() % length
            } else {
                directory + random.next() % (length - directory)
            };
            bytes[at as usize] = random.next() as u8;
        }
        if round % 10 == 9 {
            bytes.drain(..(random.next() % length) as usize);
        }
        let begun = Instant::now();
        if let Ok(zip) = Zip::open(Arc::new(MemorySource(bytes))) {
            for e in collect(&zip).entries {
                match content(&e, &nothing(), 64 << 20) {
                    Ok(Some(read)) => {
                        assert_eq!(read.len() as u64, e.size);
                        whole += usize::from(known.contains_key(&crc(&read)));
                    }
                    Ok(None) => {}
                    Err(_) => failed += 1,
                }
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "round {round}");
    }
    assert!(whole > 500 && failed > 10, "{whole} whole, {failed} failed: the damage is of no use");
}
