//! Backups of iPhones: a folder with a manifest.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use avocet_evidence::{Content, EntryKind, Evidence, OpenError, Unreadable};
use rusqlite::Connection;
use sha1::{Digest, Sha1};

use super::{codes, find, python, read, walk};
use crate::support::{Random, sha256, skipped, testdata};

/// A value of a made binary property list.
enum Item<'a> {
    Number(i64),
    Text(&'a str),
    Uid(u8),
    List(Vec<Item<'a>>),
    Dict(Vec<(&'a str, Item<'a>)>),
}

/// Writes binary property lists (`bplist00`) with at most 255 objects.
fn bplist(root: &Item<'_>) -> Vec<u8> {
    fn put(item: &Item<'_>, objects: &mut Vec<Vec<u8>>) -> u8 {
        let sized = |marker: u8, n: usize| match n {
            0..15 => vec![marker | n as u8],
            _ => [&[marker | 15, 0x11][..], &(n as u16).to_be_bytes()].concat(),
        };
        let bytes = match item {
            Item::Number(n) => [&[0x13][..], &n.to_be_bytes()].concat(),
            Item::Uid(n) => vec![0x80, *n],
            Item::Text(t) if t.is_ascii() => [sized(0x50, t.len()), t.as_bytes().to_vec()].concat(),
            Item::Text(t) => {
                let units: Vec<u16> = t.encode_utf16().collect();
                let wide = units.iter().flat_map(|u| u.to_be_bytes());
                sized(0x60, units.len()).into_iter().chain(wide).collect()
            }
            Item::List(items) => {
                let refs: Vec<u8> = items.iter().map(|i| put(i, objects)).collect();
                [sized(0xA0, refs.len()), refs].concat()
            }
            Item::Dict(items) => {
                let keys: Vec<u8> = items.iter().map(|(k, _)| put(&Item::Text(k), objects)).collect();
                let values: Vec<u8> = items.iter().map(|(_, v)| put(v, objects)).collect();
                [sized(0xD0, keys.len()), keys, values].concat()
            }
        };
        objects.push(bytes);
        (objects.len() - 1) as u8
    }
    let mut objects = vec![];
    let top = put(root, &mut objects);
    let mut out = b"bplist00".to_vec();
    let mut offsets = vec![];
    for object in &objects {
        offsets.extend((out.len() as u16).to_be_bytes());
        out.extend(object);
    }
    let table = out.len() as u64;
    out.extend(&offsets);
    out.extend([0, 0, 0, 0, 0, 0, 2, 1]);
    for n in [objects.len() as u64, u64::from(top), table] {
        out.extend(n.to_be_bytes());
    }
    out
}

/// The record of a file as a backup archives it.
fn record(path: &str, size: usize, target: Option<&str>) -> Vec<u8> {
    let mut file = vec![
        ("Size", Item::Number(size as i64)),
        ("Mode", Item::Number(33188)),
        ("Birth", Item::Number(1_600_000_000)),
        ("LastModified", Item::Number(1_600_000_001)),
        ("LastStatusChange", Item::Number(1_600_000_002)),
        ("InodeNumber", Item::Number(4711)),
        ("RelativePath", Item::Uid(2)),
    ];
    if target.is_some() {
        file.push(("Target", Item::Uid(3)));
    }
    let objects = vec![Item::Text("$null"), Item::Dict(file), Item::Text(path), Item::Text(target.unwrap_or(""))];
    bplist(&Item::Dict(vec![
        ("$archiver", Item::Text("NSKeyedArchiver")),
        ("$top", Item::Dict(vec![("root", Item::Uid(1))])),
        ("$objects", Item::List(objects)),
    ]))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// One file of a made backup: domain, path, flags, content (`None`: listed, not held).
type Made<'a> = (&'a str, &'a str, i64, Option<&'a [u8]>);

fn id(domain: &str, path: &str) -> String {
    hex(&Sha1::digest(format!("{domain}-{path}")))
}

const INFO: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\
    <key>Device Name</key><string>Exhibit phone &amp; case</string><key>Serial Number</key><string>TEST0001</string>\
    <key>Product Type</key><string>iPhone0,0</string><key>Last Backup Date</key><date>2024-05-01T08:00:00Z</date>\
    </dict></plist>";

fn backup(root: &Path, files: &[Made<'_>]) {
    let db = Connection::open(root.join("Manifest.db")).unwrap();
    db.execute_batch(
        "PRAGMA synchronous=OFF; BEGIN;
         CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB);
         CREATE INDEX FilesDomainIdx ON Files(domain); CREATE TABLE Properties (key TEXT PRIMARY KEY, value BLOB);",
    )
    .unwrap();
    for (domain, path, flags, content) in files {
        let id = id(domain, path);
        let target = (*flags == 4).then(|| std::str::from_utf8(content.unwrap()).unwrap());
        let size = if *flags == 1 { content.map_or(5, <[u8]>::len) } else { 0 };
        db.execute(
            "INSERT INTO Files VALUES (?1, ?2, ?3, ?4, ?5)",
            rusqlite::params![id, domain, path, flags, record(path, size, target)],
        )
        .unwrap();
        if let (1, Some(content)) = (flags, content) {
            std::fs::create_dir_all(root.join(&id[..2])).unwrap();
            std::fs::write(root.join(&id[..2]).join(&id), content).unwrap();
        }
    }
    db.execute_batch("COMMIT").unwrap();
    std::fs::write(root.join("Info.plist"), INFO).unwrap();
    std::fs::write(root.join("Manifest.plist"), bplist(&Item::Dict(vec![("Version", Item::Text("10.0"))]))).unwrap();
}

const PICTURE: &[u8] = b"known picture 12";
const FILES: &[Made<'static>] = &[
    ("CameraRollDomain", "", 2, None),
    ("CameraRollDomain", "Media/DCIM", 2, None),
    ("CameraRollDomain", "Media/DCIM/100APPLE/IMG_0001.JPG", 1, Some(PICTURE)),
    ("CameraRollDomain", "Media/DCIM/100APPLE/IMG_0002.JPG", 1, None),
    ("HomeDomain", "Library/Gr\u{fc}\u{df}e \u{202e}x/\u{1f600}", 1, Some(b"second")),
    ("HomeDomain", "../../etc/passwd", 1, Some(b"not the machine's")),
    ("HomeDomain", "Library/link", 4, Some(b"/var/mobile/elsewhere")),
    ("HomeDomain", "Library/empty", 1, Some(b"")),
];

/// Every file below a folder with its length and time of modification.
fn inventory(root: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let (mut out, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let m = std::fs::symlink_metadata(&path).unwrap();
            if m.is_dir() {
                open.push(path.clone());
            }
            out.insert(path, (m.size(), m.mtime(), m.mtime_nsec()));
        }
    }
    out
}

#[test]
fn a_backup_shows_the_paths_of_the_device() {
    let dir = tempfile::tempdir().unwrap();
    backup(dir.path(), FILES);
    let before = inventory(dir.path());
    let evidence = Evidence::open(dir.path()).unwrap();
    assert_eq!((evidence.kind, evidence.volumes[0].name.as_str()), ("ios-backup", "ios-backup"));
    let found = walk(&evidence);
    let listed: Vec<_> = found.entries.iter().map(|e| (e.path.as_str(), e.kind)).collect();
    use EntryKind::{Directory, File, Link};
    assert_eq!(
        listed,
        [
            ("/CameraRollDomain", Directory),
            ("/CameraRollDomain/Media/DCIM", Directory),
            ("/CameraRollDomain/Media/DCIM/100APPLE/IMG_0001.JPG", File),
            ("/CameraRollDomain/Media/DCIM/100APPLE/IMG_0002.JPG", File),
            ("/HomeDomain/Library/Gr\u{fc}\u{df}e \\u{202e}x/\u{1f600}", File),
            ("/HomeDomain/../../etc/passwd", File),
            ("/HomeDomain/Library/link", Link),
            ("/HomeDomain/Library/empty", File),
            ("/$Backup/Info.plist", File),
            ("/$Backup/Manifest.db", File),
            ("/$Backup/Manifest.plist", File),
        ]
    );
    assert_eq!(found.problems, []);
    let picture = find(&found, "/CameraRollDomain/Media/DCIM/100APPLE/IMG_0001.JPG");
    assert_eq!(read(picture).unwrap().unwrap(), PICTURE);
    assert_eq!((picture.size, picture.number), (16, 4711));
    let times = [picture.times.created, picture.times.modified, picture.times.changed].map(|t| t.unwrap().to_string());
    assert_eq!(times, ["2020-09-13T12:26:40Z", "2020-09-13T12:26:41Z", "2020-09-13T12:26:42Z"]);
    let absent = find(&found, "/CameraRollDomain/Media/DCIM/100APPLE/IMG_0002.JPG");
    assert_eq!(absent.size, 5);
    match &absent.content {
        Content::Unreadable(reason @ Unreadable::NotHeld) => {
            assert_eq!(reason.to_string(), "content unreadable: listed, not held");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(read(find(&found, "/HomeDomain/../../etc/passwd")).unwrap().unwrap(), b"not the machine's");
    assert_eq!(read(find(&found, "/HomeDomain/Library/link")).unwrap().unwrap(), b"/var/mobile/elsewhere");
    assert_eq!(read(find(&found, "/HomeDomain/Library/empty")).unwrap().unwrap(), b"");
    let device: BTreeMap<_, _> = evidence.device.iter().cloned().collect();
    assert_eq!(device["device name"], "Exhibit phone & case");
    assert_eq!(device["last backup"], "2024-05-01T08:00:00Z");
    let facts = super::tree(&evidence).0.facts().clone();
    assert_eq!((facts.label.as_deref(), facts.serial.as_deref()), (Some("Exhibit phone & case"), Some("TEST0001")));
    assert_eq!(inventory(dir.path()), before, "the backup is as it was");
}

#[test]
fn what_does_not_fit_the_manifest_is_shown_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    backup(root, FILES);
    let place = |domain: &str, path: &str| {
        let id = id(domain, path);
        root.join(&id[..2]).join(id)
    };
    // A file that grew, one that nothing lists, one at the top, and a link in a file's place.
    std::fs::write(place("CameraRollDomain", "Media/DCIM/100APPLE/IMG_0001.JPG"), b"longer than it was listed")
        .unwrap();
    let stray = place("HomeDomain", "stray");
    std::fs::create_dir_all(stray.parent().unwrap()).unwrap();
    std::fs::write(&stray, b"stray").unwrap();
    std::fs::write(root.join("note.txt"), b"beside").unwrap();
    std::fs::write(root.join("Manifest.db-wal"), b"changes").unwrap();
    let linked = place("HomeDomain", "Library/empty");
    std::fs::remove_file(&linked).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", &linked).unwrap();
    let db = Connection::open(root.join("Manifest.db")).unwrap();
    db.execute("INSERT INTO Files VALUES ('../../../../etc/passwd', 'D', 'outside', 1, NULL)", []).unwrap();
    db.execute("INSERT INTO Files VALUES (?1, 'D', 'renamed', 1, x'00')", [id("D", "other")]).unwrap();
    db.execute("INSERT INTO Files VALUES (?1, 'D', 'odd', 9, NULL)", [id("D", "odd")]).unwrap();
    drop(db);
    std::fs::write(root.join("Manifest.db-wal"), b"changes").unwrap();
    let evidence = Evidence::open(root).unwrap();
    let found = walk(&evidence);
    let grown = find(&found, "/CameraRollDomain/Media/DCIM/100APPLE/IMG_0001.JPG");
    assert_eq!(read(grown).unwrap().unwrap(), b"longer than it was listed");
    assert!(grown.notes.iter().any(|n| n.to_string() == "the manifest gives it 16 bytes"));
    assert!(matches!(find(&found, "/HomeDomain/Library/empty").content, Content::Unreadable(Unreadable::NotHeld)));
    assert!(matches!(find(&found, "/D/outside").content, Content::Unreadable(Unreadable::Corrupt(_))));
    assert_eq!(find(&found, "/D/odd").kind, EntryKind::Special);
    let name = stray.file_name().unwrap().to_str().unwrap();
    assert_eq!(read(find(&found, &format!("/$Backup/{}/{name}", &name[..2]))).unwrap().unwrap(), b"stray");
    assert_eq!(read(find(&found, "/$Backup/note.txt")).unwrap().unwrap(), b"beside");
    let mut seen = codes(&found);
    seen.sort_unstable();
    assert_eq!(
        seen,
        ["file-id-differs", "metadata-damaged", "not-listed", "not-listed", "size-differs", "wal-not-applied"]
    );
    assert!(
        found.problems.iter().all(|p| !p.detail.contains("IMG") && !p.detail.contains("stray")),
        "no names in details"
    );
}

#[test]
fn an_encrypted_an_older_and_a_damaged_backup_are_named() {
    let locked = tempfile::tempdir().unwrap();
    backup(locked.path(), FILES);
    let encrypted = "<plist><dict><key>IsEncrypted</key><true/><key>ManifestKey</key><data>AAAA</data></dict></plist>";
    std::fs::write(locked.path().join("Manifest.plist"), encrypted).unwrap();
    std::fs::write(locked.path().join("Manifest.db"), vec![0x5A; 8192]).unwrap();
    let Err(error @ OpenError::Locked { .. }) = Evidence::open(locked.path()) else { panic!("not refused") };
    let text = error.to_string();
    assert!(text.starts_with("an encrypted iOS backup is protected with a password, and none was given. "), "{text}");

    let old = tempfile::tempdir().unwrap();
    std::fs::write(old.path().join("Manifest.mbdb"), b"mbdb\x05\0").unwrap();
    let evidence = Evidence::open(old.path()).unwrap();
    assert_eq!((evidence.kind, evidence.problems[0].code), ("folder", "backup-of-older-ios"));

    for damage in [&b"no database at all"[..], b"SQLite format 3\0 and no more"] {
        let damaged = tempfile::tempdir().unwrap();
        backup(damaged.path(), FILES);
        std::fs::write(damaged.path().join("Manifest.db"), damage).unwrap();
        let evidence = Evidence::open(damaged.path()).unwrap();
        assert_eq!((evidence.kind, evidence.problems[0].code), ("folder", "manifest-unreadable"));
        assert!(walk(&evidence).entries.len() >= 7, "its files are there all the same");
    }
    // A folder that only has a file of that name is a folder.
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join("Manifest.db"), b"notes").unwrap();
    let evidence = Evidence::open(other.path()).unwrap();
    assert_eq!((evidence.kind, evidence.problems.len()), ("folder", 0));
}

/// Every row by `sqlite3` and `plistlib`, every held file by `hashlib`.
const BY_PYTHON: &str = "import sys,sqlite3,plistlib,hashlib,os\n\
    root=sys.argv[1]\n\
    db=sqlite3.connect(f'file:{root}/Manifest.db?mode=ro&immutable=1',uri=True)\n\
    for i,d,p,f,b in db.execute('select fileID,domain,relativePath,flags,file from Files order by rowid'):\n\
    \x20 a=plistlib.loads(b); o=a['$objects']; r=o[a['$top']['root'].data]\n\
    \x20 path=f'{root}/{i[:2]}/{i}'; h='-'; n=r['Size'] if f==1 else 0\n\
    \x20 if f==1 and os.path.isfile(path): c=open(path,'rb').read(); h=hashlib.sha256(c).hexdigest(); n=len(c)\n\
    \x20 if f==4: n=len(o[r['Target'].data].encode())\n\
    \x20 print(d+('/'+p if p else ''),f,n,r['Birth'],r['LastModified'],r['LastStatusChange'],r['InodeNumber'],h,sep='\\t')\n";

#[test]
fn real_backups_are_read_as_python_reads_them() {
    let Some(data) = testdata() else { return skipped(2, "no test data") };
    for (name, listed, held, own) in [("ios_backup", 3721, 10, 3), ("ios_backup_camera", 9, 6, 4)] {
        let root = data.join("phones").join(name);
        let before = inventory(&root);
        let evidence = Evidence::open(&root).unwrap();
        let found = walk(&evidence);
        let Some(expected) = python(BY_PYTHON, &[&root]) else { return skipped(2, "no python3") };
        let (rows, rest): (Vec<_>, Vec<_>) = found.entries.iter().partition(|e| !e.path.starts_with("/$Backup"));
        let seconds = |t: Option<avocet_base::Stamp>| t.map_or(0, |t| t.ns / 1_000_000_000);
        let ours: Vec<String> = rows
            .iter()
            .map(|e| {
                let flags = match e.kind {
                    EntryKind::File => 1,
                    EntryKind::Directory => 2,
                    EntryKind::Link => 4,
                    EntryKind::Special => 0,
                };
                let digest = match read(e) {
                    Ok(Some(bytes)) if e.kind == EntryKind::File => sha256(&bytes),
                    _ => "-".into(),
                };
                let t = e.times;
                let times = [t.created, t.modified, t.changed].map(|t| seconds(t).to_string()).join("\t");
                format!("{}\t{flags}\t{}\t{times}\t{}\t{digest}", &e.path[1..], e.size, e.number)
            })
            .collect();
        assert_eq!(ours.len(), listed);
        assert!(ours == expected, "{name}: {:?}", ours.iter().zip(&expected).find(|(a, b)| a != b));
        let readable = rows.iter().filter(|e| matches!(e.content, Content::Stream { .. })).count();
        assert_eq!((readable, rest.len()), (held, own), "{name}");
        println!("{name}: {listed} rows agreed with Python, {held} files held, problems {:?}", codes(&found));
        assert_eq!(inventory(&root), before, "the backup is as it was");
    }
}

/// 200 damaged manifests: no panic, no hang, nothing written, and no file that the folder holds is lost.
#[test]
fn damaged_manifests_lose_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let many: Vec<String> = (0..400).map(|i| format!("Media/DCIM/1{:02}APPLE/IMG_{i:04}.JPG", i / 50)).collect();
    let contents: Vec<Vec<u8>> = (0..400u32).map(|i| format!("known picture {i}").into_bytes()).collect();
    let files: Vec<Made<'_>> = many
        .iter()
        .zip(&contents)
        .map(|(path, content)| ("CameraRollDomain", path.as_str(), 1, Some(content.as_slice())))
        .collect();
    backup(root, &files);
    let manifest = root.join("Manifest.db");
    let base = std::fs::read(&manifest).unwrap();
    let (mut by_name, mut hurt) = (0usize, 0);
    for round in 0..200u64 {
        let mut random = Random(round * 104_729 + 5);
        let mut bytes = base.clone();
        for _ in 0..[1, 16, 128][(round % 3) as usize] {
            let at = random.next() % bytes.len() as u64;
            bytes[at as usize] = random.next() as u8;
        }
        if round % 20 == 19 {
            bytes.truncate((random.next() % base.len() as u64) as usize);
        }
        std::fs::write(&manifest, &bytes).unwrap();
        let before = inventory(root);
        let begun = Instant::now();
        let evidence = Evidence::open(root).unwrap();
        let found = walk(&evidence);
        let mut got: Vec<Vec<u8>> =
            found.entries.iter().filter(|e| e.kind == EntryKind::File).filter_map(|e| read(e).unwrap()).collect();
        got.sort();
        assert!(contents.iter().all(|c| got.binary_search(c).is_ok()), "round {round}: a file is lost");
        assert!(begun.elapsed() < Duration::from_secs(5), "round {round}");
        assert_eq!(inventory(root), before, "round {round}: the backup is as it was");
        by_name += found.entries.iter().filter(|e| e.path.starts_with("/CameraRollDomain/Media/DCIM/1")).count();
        hurt += usize::from(!found.problems.is_empty() || !evidence.problems.is_empty());
    }
    println!("{by_name} of {} files under their paths, {hurt} of 200 with problems", 200 * 400);
    assert!(by_name > 40_000 && hurt > 50, "{by_name} {hurt}");
}
