//! Android backups and compressed tar archives, against Python's `zlib`, `tarfile`, `hashlib` and OpenSSL.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use avocet_evidence::scratch::{Access, InMemory, Secret};
use avocet_evidence::unpack::{Limit, Packing, unpack};
use avocet_evidence::{Entry, EntryKind, Evidence, MemorySource, OpenError, ReadError, Source};

use super::{codes, python, tree};
use crate::support::{Collected, Random, collect, content, sha256, skipped, testdata};

/// Every member of a backup or a compressed archive by Python: name, kind, size, seconds, digest. Of an encrypted backup
/// Python derives the keys and the program `openssl` decrypts, so that no code is shared with what is checked.
const BY_PYTHON: &str = r#"
import sys,io,zlib,tarfile,hashlib,subprocess,binascii
def aes(key,iv,data):
    return subprocess.run(['openssl','enc','-d','-aes-256-cbc','-K',key.hex(),'-iv',iv.hex()],input=data,stdout=subprocess.PIPE,check=True).stdout
def utf8(b):
    return ''.join(chr(c if c<128 else 0xff00|c) for c in b).encode('utf-8')
d=open(sys.argv[1],'rb').read()
if d.startswith(b'ANDROID BACKUP\n'):
    f=io.BytesIO(d); f.readline(); v=int(f.readline()); z=int(f.readline()); e=f.readline().strip()
    if e!=b'none':
        h=lambda: binascii.unhexlify(f.readline().strip())
        us,cs=h(),h(); n=int(f.readline()); iv=h(); blob=h()
        k=hashlib.pbkdf2_hmac('sha1',sys.argv[2].encode(),us,n,32)
        m=io.BytesIO(aes(k,iv,blob))
        part=lambda: m.read(m.read(1)[0])
        iv,mk,ck=part(),part(),part()
        assert hashlib.pbkdf2_hmac('sha1',utf8(mk) if v>1 else mk,cs,n,32)==ck
        d=aes(mk,iv,f.read())
    else:
        d=f.read()
    if z: d=zlib.decompress(d)
    t=tarfile.open(fileobj=io.BytesIO(d))
elif d.startswith(b'\x28\xb5\x2f\xfd'):
    d=subprocess.run(['zstd','-dcq',sys.argv[1]],stdout=subprocess.PIPE,check=True).stdout
    t=tarfile.open(fileobj=io.BytesIO(d))
else:
    t=tarfile.open(sys.argv[1])
for m in t:
    n=m.name; n=n[2:] if n.startswith('./') else n
    k='d' if m.isdir() else 'l' if m.issym() or m.islnk() else 'f' if m.isfile() else 's'
    x=m.linkname if k=='l' else '-'
    if k=='f': x=hashlib.sha256(t.extractfile(m).read()).hexdigest()
    print(n.strip('/') or '.',k,m.size if k=='f' else 0,int(m.mtime//1),x,sep='\t')
"#;

fn with_password(password: &str) -> Access {
    Access { password: Some(Secret::new(password.as_bytes().to_vec())), ..Access::default() }
}

fn rows(evidence: &Evidence) -> (Vec<String>, Collected) {
    let (fs, source) = tree(evidence);
    let found = collect(fs);
    let row = |e: &Entry| {
        let bytes = || content(e, source, 64 << 20).unwrap().unwrap_or_default();
        let (kind, size, rest) = match e.kind {
            EntryKind::File => ("f", e.size, sha256(&bytes())),
            EntryKind::Directory => ("d", 0, "-".into()),
            EntryKind::Link => ("l", 0, String::from_utf8(bytes()).unwrap()),
            EntryKind::Special => ("s", 0, "-".into()),
        };
        let seconds = e.times.modified.map_or(0, |t| t.ns.div_euclid(1_000_000_000));
        format!("{}\t{kind}\t{size}\t{seconds}\t{rest}", &e.path[1..])
    };
    (found.entries.iter().map(row).collect(), found)
}

fn open(path: &Path, access: &Access) -> Result<Evidence, OpenError> {
    Evidence::open_with(path, access)
}

#[test]
fn android_backups_are_read_as_python_reads_them() {
    let Some(data) = testdata() else { return skipped(3, "no shared test data") };
    for (name, members) in [("backup.ab", 1), ("camera-s.ab", 3), ("backup2.ab", 1)] {
        let path = data.join("phones/android_backup").join(name);
        let evidence = open(&path, &with_password("123456")).unwrap();
        assert_eq!((evidence.kind, evidence.volumes[0].name.as_str()), ("android-backup", "android-backup"));
        assert!(evidence.problems.is_empty(), "{:?}", evidence.problems);
        let (ours, found) = rows(&evidence);
        assert!(ours.len() >= members, "{ours:?}");
        assert_eq!(codes(&found), [""; 0], "{name}");
        match python(BY_PYTHON, &[&path, Path::new("123456")]) {
            Some(theirs) => assert_eq!(ours, theirs, "{name}"),
            None => skipped(1, "no Python"),
        }
    }
    let camera = open(&data.join("phones/android_backup/camera-s.ab"), &Access::default()).unwrap();
    assert!(rows(&camera).0.iter().any(|row| row.starts_with("shared/0/DCIM/Camera/")));
    let facts = [("backup format", "Android backup, version 5"), ("compressed", "yes"), ("encrypted", "no")];
    assert_eq!(camera.device, facts.map(|(n, v)| (n.to_owned(), v.to_owned())));
}

#[test]
fn an_encrypted_backup_opens_with_its_password_alone() {
    let Some(data) = testdata() else { return skipped(1, "no shared test data") };
    let path = data.join("phones/android_backup/backup2.ab");
    let Err(error @ OpenError::Locked { .. }) = open(&path, &Access::default()) else { panic!("not locked") };
    assert!(error.to_string().starts_with("an Android backup is protected with a password, and none was given."));
    for wrong in ["1234567", "12345", "", "123456 "] {
        let Err(error @ OpenError::WrongPassword { .. }) = open(&path, &with_password(wrong)) else {
            panic!("{wrong}")
        };
        assert!(error.to_string().contains("does not open an Android backup; nothing of it was read"), "{error}");
        assert!(wrong.is_empty() || !error.to_string().contains(wrong));
    }
}

fn ab(header: &str, body: &[u8]) -> Vec<u8> {
    [b"ANDROID BACKUP\n", header.as_bytes(), body].concat()
}

/// A tar archive by GNU tar, or `None`.
fn made_tar(dir: &Path) -> Option<Vec<u8>> {
    let tree = dir.join("tree");
    std::fs::create_dir_all(tree.join("apps/com.example/f")).unwrap();
    for i in 0..40u32 {
        let bytes: Vec<u8> = (0..i * 251).map(|n| ((n * n) >> 3) as u8).collect();
        std::fs::write(tree.join(format!("apps/com.example/f/{i}")), bytes).unwrap();
    }
    let path = dir.join("made.tar");
    let made = Command::new("tar").arg("-cf").arg(&path).arg("-C").arg(&tree).arg("apps").status();
    made.is_ok_and(|s| s.success()).then(|| std::fs::read(&path).unwrap())
}

/// What a program makes of bytes; `None` where it is not there.
fn through(program: &str, arguments: &[&str], bytes: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut input = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(bytes));
        child.wait_with_output().unwrap()
    });
    output.status.success().then_some(output.stdout)
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    through(
        "python3",
        &["-c", "import sys,zlib;sys.stdout.buffer.write(zlib.compress(sys.stdin.buffer.read()))"],
        bytes,
    )
    .unwrap()
}

#[test]
fn headers_of_backups_that_are_not_understood_are_refused_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.ab");
    let ones = "11".repeat(64);
    for (bytes, says) in [
        (ab("6\n1\nnone\n", b""), "version 6 is recognised but not read by this version. Versions 1 to 5 are read."),
        (ab("0\n1\nnone\n", b""), "version 0 is recognised"),
        (ab("x\n1\nnone\n", b""), "at offset 15: its version cannot be read"),
        (ab("5\n1\nAES-512\n", b""), "of another kind than AES-256 is recognised"),
        (ab("5\n1\nAES-256\n", b""), "the header ends before its salt"),
        (ab("5\n1", b""), "the header ends before its mark of compression"),
        (ab(&format!("5\n1\nAES-256\n{ones}\n{ones}\n4000000000\n{ones}\n{ones}\n"), b""), "its number of rounds"),
        (ab(&format!("5\n1\nAES-256\n{ones}\n{ones}\n10000\n{ones}\n{ones}\n"), b""), "its initial vector"),
        (ab(&format!("5\n1\nAES-256\n{ones}\nxyz\n"), b""), "its second salt cannot be read"),
        (ab("5\n0\nnone\n", b"no archive at all"), "this is no tar archive"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let error = open(&path, &with_password("x")).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn packed_archives_are_read_as_python_and_zstd_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let Some(tar) = made_tar(dir.path()) else { return skipped(10, "no GNU tar") };
    let (first, rest) = tar.split_at(30_000);
    let gzip = |b: &[u8]| through("gzip", &["-c"], b);
    let zstd = |b: &[u8]| through("zstd", &["-qc"], b);
    let join = |parts: [Option<Vec<u8>>; 2]| parts.into_iter().collect::<Option<Vec<_>>>().map(|p| p.concat());
    let skip = b"\x50\x2a\x4d\x18\x04\0\0\0skip".to_vec();
    let mut done = 0;
    for (kind, bytes) in [
        ("tar.gz", gzip(&tar)),
        ("tar.gz", join([gzip(first), gzip(rest)])),
        ("tar.xz", through("xz", &["-c"], &tar)),
        ("tar.xz", through("xz", &["-c", "--block-size=20000", "-C", "sha256"], &tar)),
        ("tar.xz", join([through("xz", &["-c"], first), through("xz", &["-c", "--x86", "--lzma2"], rest)])),
        ("tar.bz2", through("bzip2", &["-c"], &tar)),
        ("tar.bz2", join([through("bzip2", &["-c1"], first), through("bzip2", &["-c9"], rest)])),
        ("tar.bz2", through("pbzip2", &["-c", "-b1"], &tar)),
        ("tar.zst", zstd(&tar)),
        ("tar.zst", join([zstd(first).map(|b| [b, skip].concat()), through("zstd", &["-qc", "-19"], rest)])),
    ] {
        let Some(bytes) = bytes else {
            skipped(1, "a program is missing");
            continue;
        };
        let path = dir.path().join("packed");
        std::fs::write(&path, &bytes).unwrap();
        let evidence = open(&path, &Access::default()).unwrap();
        assert_eq!((evidence.kind, evidence.volumes[0].name.as_str()), (kind, "tar"));
        assert!(evidence.problems.is_empty(), "{:?}", evidence.problems);
        assert_eq!(evidence.source().unwrap().len(), bytes.len() as u64, "its digest is that of the file");
        let (ours, found) = rows(&evidence);
        assert_eq!(codes(&found), [""; 0]);
        assert_eq!(ours.len(), 43);
        let Some(theirs) = python(BY_PYTHON, &[&path]) else { return skipped(10, "no Python") };
        assert_eq!(ours, theirs, "{kind}");
        done += 1;
    }
    println!("{done} packed archives");
}

#[test]
fn a_packed_disk_image_is_read_as_the_disk() {
    let Some(data) = testdata() else { return skipped(4, "no shared test data") };
    let dir = tempfile::tempdir().unwrap();
    let list = |evidence: &Evidence| -> Vec<String> {
        let one = |v: &avocet_evidence::Volume| match &v.state {
            avocet_evidence::VolumeState::Read { fs, source } => collect(fs.as_ref())
                .entries
                .iter()
                .map(|e| {
                    format!("{} {} {:?}", v.name, e.path, content(e, source, 1 << 24).map(|b| b.map(|b| sha256(&b))))
                })
                .collect(),
            other => vec![format!("{} {}", v.name, other.word())],
        };
        evidence.volumes.iter().flat_map(one).collect()
    };
    let raw = std::fs::read(data.join("disk/made/card-exfat.dd")).unwrap();
    let wanted = list(&Evidence::open(&data.join("disk/made/card-exfat.dd")).unwrap());
    assert!(wanted.len() > 5);
    for (_, program) in PROGRAMS {
        let Some(bytes) = through(program, &["-c"], &raw) else {
            skipped(1, "a program is missing");
            continue;
        };
        std::fs::write(dir.path().join("x"), &bytes).unwrap();
        let evidence = open(&dir.path().join("x"), &Access::default()).unwrap();
        assert!(evidence.kind.starts_with("raw.") && evidence.problems.is_empty(), "{program}");
        assert!(list(&evidence) == wanted, "{program}");
        assert_eq!(evidence.source().unwrap().len(), raw.len() as u64, "its digest is that of the disk");
        // Cut off, it is read as far as it goes, and says so.
        std::fs::write(dir.path().join("x"), &bytes[..bytes.len() - bytes.len() / 3]).unwrap();
        if let Ok(evidence) = open(&dir.path().join("x"), &Access::default()) {
            assert_eq!(evidence.problems[0].code, "stream-damaged", "{program}");
        }
    }
    // Real ones.
    for (name, kind) in [("disk/fs/test_disk_ext3.bin.zst", "raw.zst"), ("disk/fs/test_disk1.bin.zst", "raw.zst")] {
        let evidence = open(&data.join(name), &Access::default()).unwrap();
        assert_eq!((evidence.kind, &evidence.problems[..]), (kind, &[][..]), "{name}");
        let found = list(&evidence);
        assert!(found.len() > 5, "{name}: {found:?}");
    }
}

/// Without a tar archive or a disk inside it is no evidence, and what it is is said.
#[test]
fn other_compressed_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (program, name) in [("gzip", "a gzip"), ("xz", "an xz"), ("zstd", "a zstd"), ("bzip2", "a bzip2")] {
        let Some(bytes) = through(program, &["-c"], b"just words") else {
            skipped(1, "a program is missing");
            continue;
        };
        std::fs::write(dir.path().join("x"), bytes).unwrap();
        let error = open(&dir.path().join("x"), &Access::default()).map(|_| ()).unwrap_err().to_string();
        let says = format!("{name}-compressed file that holds no tar archive is recognised but not read");
        assert!(error.starts_with(&says), "{error}");
    }
}

/// Each way of packing, and the program that packs so.
const PROGRAMS: [(Packing, &str); 4] =
    [(Packing::Gzip, "gzip"), (Packing::Xz, "xz"), (Packing::Zstd, "zstd"), (Packing::Bzip2, "bzip2")];

/// Where one stream ends and the next begins, no border of what is read at a time may stand in the way.
#[test]
fn further_streams_are_found_wherever_they_begin() {
    for border in 131_060..131_090u32 {
        // A member of gzip that is as long as wanted, in two blocks that are kept plain; then an ordinary one.
        let plain: Vec<u8> = (0..border - 28).map(|n| n as u8).collect();
        let (one, two) = plain.split_at(65_535);
        let mut bytes = b"\x1f\x8b\x08\0\0\0\0\0\0\x03".to_vec();
        for (last, part) in [(0, one), (1, two)] {
            let length = u16::try_from(part.len()).unwrap();
            bytes.push(last);
            bytes.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
            bytes.extend(part);
        }
        let mut sum = flate2::Crc::new();
        sum.update(&plain);
        bytes.extend([sum.sum().to_le_bytes(), sum.amount().to_le_bytes()].concat());
        assert_eq!(bytes.len(), border as usize);
        let Some(second) = through("gzip", &["-c"], b"the second") else { return skipped(30, "no gzip") };
        bytes.extend(second);
        let unpacked = unpack(Packing::Gzip, &MemorySource(bytes), Limit::EVIDENCE, &InMemory::new(1 << 20)).unwrap();
        assert!(unpacked.problems.is_empty(), "{border}: {:?}", unpacked.problems);
        let mut out = vec![0; plain.len() + 99];
        let n = unpacked.source.read_at(0, &mut out).unwrap();
        assert!(out[..n] == [&plain[..], b"the second"].concat(), "{border}: {n}");
    }
}

#[test]
fn a_stream_that_breaks_off_or_goes_on_too_long_says_so_and_keeps_what_came_before() {
    let plain: Vec<u8> = (0..500_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let whole = Limit { ratio: 1000, base: 0, most: u64::MAX };
    for (packing, program) in PROGRAMS {
        let Some(bytes) = through(program, &["-c"], &plain) else {
            skipped(1, "a program is missing");
            continue;
        };
        let run = |bytes: &[u8], limit| {
            let unpacked = unpack(packing, &MemorySource(bytes.to_vec()), limit, &InMemory::new(1 << 20)).unwrap();
            let mut out = vec![0; unpacked.source.len() as usize];
            unpacked.source.read_at(0, &mut out).unwrap();
            assert_eq!(out, plain[..out.len()]);
            (out.len(), unpacked.problems.iter().map(|p| p.code).collect::<Vec<_>>())
        };
        assert_eq!(run(&bytes, whole), (plain.len(), vec![]));
        let (kept, said) = run(&bytes[..bytes.len() - 3], whole);
        // The decoder of Zstandard gives out its window (here all of it) only at the end of a frame.
        assert!((kept > 0 || packing == Packing::Zstd) && said == ["stream-damaged"], "{kept} {said:?}");
        assert_eq!(run(&bytes, Limit { ratio: 0, base: 100_000, most: u64::MAX }), (100_000, vec!["unpack-capped"]));
        let (kept, said) = run(&[bytes.clone(), b"other bytes".to_vec()].concat(), whole);
        let expected = if packing == Packing::Xz { "stream-damaged" } else { "bytes-after-stream" };
        assert_eq!((kept, said), (plain.len(), vec![expected]));
        assert_eq!(
            run(&[bytes.clone(), vec![0; 1024]].concat(), whole),
            (plain.len(), vec![]),
            "padding is no content"
        );
        let full: Result<_, ReadError> = unpack(packing, &MemorySource(bytes), whole, &InMemory::new(1000)).map(|_| ());
        assert_eq!(full.unwrap_err().layer, "scratch");
    }
}

/// Zeros by the gigabyte cost no more than the limit.
#[test]
fn bombs_cost_no_more_than_the_limit() {
    let zeros = vec![0; 64 << 20];
    for (packing, program) in PROGRAMS {
        let Some(once) = through(program, &["-c"], &zeros) else {
            skipped(1, "a program is missing");
            continue;
        };
        let bomb = once.repeat(200);
        let begun = Instant::now();
        let limit = Limit { ratio: 10, base: 8 << 20, most: u64::MAX };
        let unpacked = unpack(packing, &MemorySource(bomb), limit, &InMemory::new(1 << 30)).unwrap();
        assert_eq!(unpacked.problems[0].code, "unpack-capped");
        assert!(!unpacked.whole);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

/// 200 damaged files of each kind: no panic, no hang, bounded.
#[test]
fn damaged_packed_archives_and_backups_cost_at_most_themselves() {
    let dir = tempfile::tempdir().unwrap();
    let Some(tar) = made_tar(dir.path()) else { return skipped(1400, "no GNU tar") };
    let body = zlib(&tar);
    let mut bases = vec![("android", ab("5\n1\nnone\n", &body)), ("android plain", ab("1\n0\nnone\n", &tar))];
    if let Some(data) = testdata() {
        let sample = std::fs::read(data.join("phones/android_backup/backup2.ab")).unwrap();
        bases.push(("android encrypted", sample));
    }
    for (_, program) in PROGRAMS {
        match through(program, &["-c"], &tar) {
            Some(bytes) => bases.push((program, bytes)),
            None => skipped(200, "a program is missing"),
        }
    }
    for (name, base) in bases {
        let (mut opened, mut refused, mut said) = (0, 0, 0);
        for round in 0..200u64 {
            let mut random = Random(round * 7919 + 13);
            let mut bytes = base.clone();
            for _ in 0..[1, 8, 64][(round % 3) as usize] {
                let near = if random.next().is_multiple_of(2) { 600 } else { bytes.len() as u64 };
                let at = random.next() % near.min(bytes.len() as u64);
                bytes[at as usize] = random.next() as u8;
            }
            if round % 10 == 9 {
                bytes.truncate((random.next() % base.len() as u64) as usize);
            }
            let path = dir.path().join("mutant");
            std::fs::write(&path, &bytes).unwrap();
            let begun = Instant::now();
            match open(&path, &with_password("123456")) {
                Ok(evidence) => {
                    opened += 1;
                    if let Some(avocet_evidence::VolumeState::Read { fs, source }) =
                        evidence.volumes.first().map(|v| &v.state)
                    {
                        let found = collect(fs.as_ref());
                        assert!(found.entries.len() < 2000, "{name} {round}");
                        for e in &found.entries {
                            let _ = content(e, source, 1 << 20);
                        }
                        said += u64::from(!evidence.problems.is_empty() || !found.problems.is_empty());
                    }
                }
                Err(_) => refused += 1,
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{name} {round}: {:?}", begun.elapsed());
        }
        println!("{name}: {opened} opened, {said} with problems, {refused} refused");
        assert!(opened > 0, "{name}: nothing of it was reached");
    }
}
