use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use avocet_base::Sha256;
use avocet_media::derivative::{
    DerivativeError, Destroyed, KeyFile, Kind, LARGEST_PICTURE, NOT_COVERED, Protector, Reader, Writer, add_protector,
    destroy, destroy_protector, store_path,
};
use sha2::Digest;

use super::Seeded;

pub(super) const HEADER: usize = 1152;
pub(super) const PAGE: usize = 4096;
/// A record whose picture is at most 2,044 bytes long.
pub(super) const SMALL: usize = 24 + 2048 + 16;

pub(super) fn key(seed: u8) -> Protector {
    Protector::KeyFile(KeyFile::from_bytes(&[seed; 32]).unwrap())
}

pub(super) fn sha(bytes: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

pub(super) fn content(i: usize) -> Sha256 {
    sha(&(i as u64).to_le_bytes())
}

pub(super) type Pictures = BTreeMap<Sha256, (Vec<u8>, Vec<u8>)>;

/// `n` contents with pictures of up to `longest` bytes, some empty, some just on a bucket's border.
pub(super) fn pictures(n: usize, longest: usize) -> Pictures {
    let mut seeded = Seeded(n as u64);
    let mut picture = |i: usize| {
        let length = match i % 10 {
            0 => 0,
            1 => 2044.min(longest),
            2 => 2045.min(longest),
            _ => seeded.next() as usize % (longest + 1),
        };
        seeded.bytes(length)
    };
    (0..n).map(|i| (content(i), (picture(i), picture(i + 3)))).collect()
}

pub(super) fn write(path: &Path, protector: &Protector, pictures: &Pictures) -> avocet_media::derivative::Finished {
    let mut writer = Writer::create(path, protector, [7; 32]).unwrap();
    for (sha256, (veiled, clear)) in pictures {
        assert!(writer.put(sha256, veiled, clear).unwrap());
    }
    writer.finish().unwrap()
}

pub(super) fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = store_path(&dir.path().join("a.examination"));
    assert_eq!(path, dir.path().join("a.derivatives"));
    (dir, path)
}

/// What a reader that opens and verifies says.
pub(super) fn judge(path: &Path, protector: &Protector) -> Result<u64, DerivativeError> {
    Ok(Reader::open(path, protector)?.verify()?.items)
}

#[test]
fn what_is_put_is_got() {
    for n in [0, 1, 101, 102, 1000] {
        let (_dir, path) = folder();
        let pictures = pictures(n, 9000);
        let mut writer = Writer::create(&path, &key(1), [7; 32]).unwrap();
        for (sha256, (veiled, clear)) in &pictures {
            assert!(writer.put(sha256, veiled, clear).unwrap());
            assert!(!writer.put(sha256, b"a second pair", b"is not taken").unwrap());
        }
        let finished = writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!((finished.items, finished.bytes), (n as u64, bytes.len() as u64));
        assert_eq!(finished.file_sha256, sha(&bytes));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let reader = Reader::open(&path, &key(1)).unwrap();
        assert_eq!((reader.len(), reader.is_empty(), reader.examination_id()), (n as u64, n == 0, [7; 32]));
        for (sha256, (veiled, clear)) in &pictures {
            assert_eq!(reader.get(sha256, Kind::Veiled).unwrap().as_ref(), Some(veiled));
            assert_eq!(reader.get(sha256, Kind::Clear).unwrap().as_ref(), Some(clear));
        }
        for absent in n..n + 1000 {
            assert_eq!(reader.get(&content(absent), Kind::Clear).unwrap(), None);
        }
        let verified = reader.verify().unwrap();
        let total: usize = pictures.values().map(|(v, c)| v.len() + c.len()).sum();
        assert_eq!((verified.items, verified.picture_bytes), (n as u64, total as u64));
    }
}

#[test]
fn the_order_of_arrival_changes_no_answer() {
    let (_dir, path) = folder();
    let all = pictures(300, 3000);
    let first = write(&path, &key(1), &all);
    let other = path.with_extension("other");
    let mut writer = Writer::create(&other, &key(1), [7; 32]).unwrap();
    for (sha256, (veiled, clear)) in all.iter().rev() {
        writer.put(sha256, veiled, clear).unwrap();
    }
    let second = writer.finish().unwrap();
    assert_eq!((first.items, first.bytes), (second.items, second.bytes));
    assert_ne!(first.file_sha256, second.file_sha256, "keys and nonces are new each time");
    let reader = Reader::open(&other, &key(1)).unwrap();
    assert!(all.iter().all(|(sha256, (v, _))| reader.get(sha256, Kind::Veiled).unwrap().as_ref() == Some(v)));
}

#[test]
fn several_threads_read_at_once() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let (_dir, path) = folder();
    let all = pictures(500, 4000);
    write(&path, &key(1), &all);
    let reader = shared(Reader::open(&path, &key(1)).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (sha256, (_, clear)) in &all {
                    assert_eq!(reader.get(sha256, Kind::Clear).unwrap().as_ref(), Some(clear));
                }
            });
        }
    });
}

#[test]
fn every_changed_byte_is_found() {
    let (_dir, path) = folder();
    write(&path, &key(1), &pictures(2, 500));
    let good = std::fs::read(&path).unwrap();
    assert_eq!(good.len(), HEADER + 4 * SMALL + PAGE + 72);
    every_changed_byte_of(&path, &good);
    assert_eq!(judge(&path, &key(1)), Ok(2));
}

/// Changes each byte of a file in turn, and each is found.
pub fn every_changed_byte_of(path: &Path, good: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    for (i, byte) in good.iter().enumerate() {
        file.write_all_at(&[byte ^ 1 << (i % 8)], i as u64).unwrap();
        let judged = judge(path, &key(1));
        assert!(judged.is_err(), "byte {i} changed: {judged:?}");
        file.write_all_at(&[*byte], i as u64).unwrap();
    }
}

#[test]
fn every_cut_and_every_extension_is_found() {
    let (_dir, path) = folder();
    write(&path, &key(1), &pictures(1, 500));
    let good = std::fs::read(&path).unwrap();
    for length in 0..good.len() {
        std::fs::write(&path, &good[..length]).unwrap();
        let judged = Reader::open(&path, &key(1));
        assert!(judged.is_err(), "cut to {length}");
    }
    for more in [1, 72, SMALL, PAGE, PAGE + 72] {
        let mut long = good.clone();
        long.extend_from_slice(&good[good.len() - more.min(good.len())..]);
        std::fs::write(&path, &long).unwrap();
        assert!(matches!(Reader::open(&path, &key(1)), Err(DerivativeError::Damaged { .. })), "{more} more");
        // Put in between, with the true end behind.
        let mut between = good[..good.len() - 72].to_vec();
        between.extend(vec![0; more]);
        between.extend_from_slice(&good[good.len() - 72..]);
        std::fs::write(&path, &between).unwrap();
        assert!(matches!(Reader::open(&path, &key(1)), Err(DerivativeError::Damaged { .. })), "{more} between");
    }
}

#[test]
fn exchanged_pieces_are_found() {
    let (_dir, path) = folder();
    let all = pictures(250, 500);
    write(&path, &key(1), &all);
    let good = std::fs::read(&path).unwrap();
    let record = |i: usize| HEADER + i * SMALL..HEADER + (i + 1) * SMALL;
    let page = |i: usize| HEADER + 500 * SMALL + i * PAGE..HEADER + 500 * SMALL + (i + 1) * PAGE;
    let exchange = |a: std::ops::Range<usize>, b: std::ops::Range<usize>| {
        let mut bytes = good.clone();
        let (first, second) = (good[a.clone()].to_vec(), good[b.clone()].to_vec());
        bytes[a].copy_from_slice(&second);
        bytes[b].copy_from_slice(&first);
        std::fs::write(&path, &bytes).unwrap();
        judge(&path, &key(1))
    };
    let damaged = |judged: Result<u64, DerivativeError>, wanted: &str| match judged {
        Err(DerivativeError::Damaged { part, .. }) => assert_eq!(part, wanted),
        other => panic!("{other:?}"),
    };
    // The veiled pictures of two contents; veiled and clear of one; the clear of one with the veiled of the next.
    damaged(exchange(record(0), record(2)), "record");
    damaged(exchange(record(0), record(1)), "record");
    damaged(exchange(record(1), record(2)), "record");
    damaged(exchange(page(0), page(1)), "index");
    damaged(exchange(page(1), page(2)), "index");

    // A record of another store under the same key file, of the same content and length.
    let other = path.with_extension("other");
    write(&other, &key(1), &all);
    let mut bytes = good.clone();
    bytes[record(0)].copy_from_slice(&std::fs::read(&other).unwrap()[record(0)]);
    std::fs::write(&path, &bytes).unwrap();
    damaged(judge(&path, &key(1)), "record");
    // Its header, with its key: opens, and nothing behind fits.
    let mut bytes = good.clone();
    bytes[..HEADER].copy_from_slice(&std::fs::read(&other).unwrap()[..HEADER]);
    std::fs::write(&path, &bytes).unwrap();
    damaged(judge(&path, &key(1)), "end of the file");
    std::fs::write(&path, &good).unwrap();
    assert_eq!(judge(&path, &key(1)), Ok(250));
}

#[test]
fn an_outsider_learns_neither_content_nor_length() {
    let (_dir, path) = folder();
    let small: Pictures = [(content(1), (b"veiled picture".repeat(3), b"clear picture".repeat(3)))].into();
    let large: Pictures = [(content(1), (vec![0; 2044], vec![0; 2044]))].into();
    write(&path, &key(1), &small);
    let first = std::fs::read(&path).unwrap();
    for secret in [content(1).as_bytes().as_slice(), b"veiled picture", b"clear picture", &[1; 32]] {
        assert!(!first.windows(secret.len()).any(|w| w == secret));
    }
    let other = path.with_extension("other");
    write(&other, &key(1), &large);
    let second = std::fs::read(&other).unwrap();
    assert_eq!(first.len(), second.len(), "one bucket, one length");
    // Behind the header nothing repeats, though content, key file and (padding) much of the text are the same: no
    // 8 bytes stand at the same place, and zeros of the padding never show.
    for (a, b) in first[HEADER..].chunks(8).zip(second[HEADER..].chunks(8)) {
        assert_ne!(a, b);
        assert!(a.len() < 8 || (a != [0; 8] && b != [0; 8]));
    }
}

#[test]
fn a_wrong_key_is_one_clear_sentence() {
    let (_dir, path) = folder();
    write(&path, &key(1), &pictures(3, 100));
    let passphrase = |text: &str| Protector::passphrase(text.to_owned());
    add_protector(&path, &key(1), &passphrase("three calm herons")).unwrap();
    assert_eq!(judge(&path, &passphrase("three calm herons")), Ok(3));

    let wrong: Vec<DerivativeError> = [key(2), passphrase("three calm heron"), passphrase("x")]
        .iter()
        .map(|p| judge(&path, p).unwrap_err())
        .collect();
    assert!(wrong.iter().all(|e| *e == DerivativeError::WrongKey), "{wrong:?}");
    // One that has rotted is found by whoever opens with another.
    let whole = std::fs::read(&path).unwrap();
    let mut bytes = whole.clone();
    bytes[256 + 90] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let reader = Reader::open(&path, &key(1)).unwrap();
    assert!(reader.get(&content(1), Kind::Clear).unwrap().is_some());
    assert_eq!(reader.verify(), Err(DerivativeError::Damaged { part: "one of the wrapped keys", offset: 256 }));
    std::fs::write(&path, &whole).unwrap();
    // A changed place answers the same as a wrong key: salt, nonce, key, tag.
    let good = std::fs::read(&path).unwrap();
    for at in [16, 47, 48, 71, 72, 103, 104, 119] {
        let mut bytes = good.clone();
        bytes[128 + at] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(judge(&path, &key(1)), Err(DerivativeError::WrongKey), "{at}");
    }
    let sentence = DerivativeError::WrongKey.to_string();
    assert!(sentence.contains("passphrase or key file") && !sentence.contains('\n'));
    for bad in [String::new(), "x".repeat(1025)] {
        assert_eq!(judge(&path, &Protector::passphrase(bad)).unwrap_err(), DerivativeError::Passphrase);
    }
}

#[test]
fn a_header_that_asks_for_too_much_is_refused_at_once() {
    let (_dir, path) = folder();
    let protector = Protector::passphrase("three calm herons".to_owned());
    write(&path, &protector, &pictures(1, 100));
    let good = std::fs::read(&path).unwrap();
    // RFC 9106's second recommended option.
    assert_eq!(good[128..144], [1, 0, 0, 0, 0, 0, 1, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
    for (memory, passes, lanes) in
        [(u32::MAX, 3, 4), (65_536, u32::MAX, 4), (65_536, 3, u32::MAX), (0, 3, 4), (8, 1, 16)]
    {
        let mut bytes = good.clone();
        for (i, value) in [memory, passes, lanes].into_iter().enumerate() {
            bytes[132 + i * 4..136 + i * 4].copy_from_slice(&value.to_le_bytes());
        }
        std::fs::write(&path, &bytes).unwrap();
        let error = Reader::open(&path, &protector).unwrap_err();
        assert_eq!(error, DerivativeError::Costly { memory_kib: memory, passes, lanes });
    }
}

#[test]
fn destroyed_keys_open_nothing() {
    let (_dir, path) = folder();
    write(&path, &key(1), &pictures(5, 500));
    for seed in 2..=8 {
        add_protector(&path, &key(1), &key(seed)).unwrap();
    }
    assert_eq!(add_protector(&path, &key(1), &key(9)), Err(DerivativeError::NoPlace));
    assert_eq!(add_protector(&path, &key(9), &key(9)), Err(DerivativeError::WrongKey));
    let before = std::fs::read(&path).unwrap();

    assert_eq!(destroy_protector(&path, &key(3)), Ok(Destroyed { wrappings: 1, left: 7 }));
    assert_eq!(judge(&path, &key(3)), Err(DerivativeError::WrongKey));
    assert_eq!(judge(&path, &key(8)), Ok(5));
    assert_eq!(destroy_protector(&path, &key(3)), Err(DerivativeError::WrongKey));
    add_protector(&path, &key(8), &key(9)).unwrap();
    assert_eq!(judge(&path, &key(9)), Ok(5));

    // A store whose header is damaged elsewhere can be destroyed all the same.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[16] = 99;
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(judge(&path, &key(1)), Err(DerivativeError::Version { found: 99 }));
    assert_eq!(destroy(&path), Ok(Destroyed { wrappings: 8, left: 0 }));
    let mut after = std::fs::read(&path).unwrap();
    after[16] = 1;
    std::fs::write(&path, &after).unwrap();
    for seed in 1..=9 {
        assert_eq!(judge(&path, &key(seed)), Err(DerivativeError::KeyDestroyed));
    }
    assert!(before[128..].chunks(128).take(8).all(|slot| !after.windows(32).any(|w| w == &slot[72..104])));
    assert_eq!(after[HEADER..], before[HEADER..], "only keys are destroyed");
    assert_eq!(destroy(&path), Ok(Destroyed { wrappings: 0, left: 0 }));
    assert!(NOT_COVERED.contains("copies") && NOT_COVERED.contains("snapshots") && NOT_COVERED.contains("solid-state"));

    std::fs::write(&path, b"a text that is not a store, long enough to be overwritten by mistake").unwrap();
    assert!(matches!(destroy(&path), Err(DerivativeError::NotAStore { .. })));
    assert!(std::fs::read(&path).unwrap().starts_with(b"a text"));
}

#[test]
fn nothing_unfinished_passes_for_whole() {
    let (_dir, path) = folder();
    let partial = path.with_extension("derivatives.partial");
    let mut writer = Writer::create(&path, &key(1), [7; 32]).unwrap();
    // Enough to reach the disk before the end.
    let big = vec![3; 200_000];
    for i in 0..5 {
        writer.put(&content(i), b"v", &big).unwrap();
    }
    assert_eq!(
        Writer::create(&path, &key(1), [7; 32]).unwrap_err(),
        DerivativeError::InUse { path: partial.display().to_string() }
    );
    assert!(!path.try_exists().unwrap());
    // What a crash would leave.
    let left = std::fs::read(&partial).unwrap();
    assert!(left.len() > 200_000);
    drop(writer);
    assert!(!partial.try_exists().unwrap(), "a writer that is given up leaves nothing");
    std::fs::write(&path, &left).unwrap();
    assert!(matches!(judge(&path, &key(1)), Err(DerivativeError::Damaged { part: "end of the file", .. })));
    assert_eq!(destroy(&path).unwrap().wrappings, 1, "its key can be destroyed too");
    assert!(matches!(Writer::create(&path, &key(1), [7; 32]), Err(DerivativeError::AlreadyThere { .. })));

    // A leftover is replaced; a store that appears meanwhile is not overwritten.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&partial, &left).unwrap();
    let mut writer = Writer::create(&path, &key(1), [7; 32]).unwrap();
    writer.put(&content(1), b"v", b"c").unwrap();
    std::fs::write(&path, b"somebody else's").unwrap();
    assert!(matches!(writer.finish(), Err(DerivativeError::AlreadyThere { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody else's");
    assert!(!partial.try_exists().unwrap());
}

#[test]
fn a_picture_that_is_not_small_is_refused_alone() {
    let (_dir, path) = folder();
    let mut writer = Writer::create(&path, &key(1), [7; 32]).unwrap();
    let (most, more) = (vec![1; LARGEST_PICTURE], vec![1; LARGEST_PICTURE + 1]);
    for (veiled, clear) in [(&more, &most), (&most, &more)] {
        let error = writer.put(&content(1), veiled, clear).unwrap_err();
        assert_eq!(error, DerivativeError::TooLarge { bytes: more.len() as u64, limit: most.len() as u64 });
    }
    assert!(writer.put(&content(1), &most, &most).unwrap());
    writer.finish().unwrap();
    assert_eq!(judge(&path, &key(1)), Ok(1));
}

#[test]
fn key_files_are_private_and_exact() {
    let (dir, path) = folder();
    let key_path = dir.path().join("a.key");
    let made = Protector::KeyFile(KeyFile::create(&key_path).unwrap());
    let metadata = std::fs::metadata(&key_path).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (32, 0o600));
    assert!(matches!(KeyFile::create(&key_path), Err(DerivativeError::AlreadyThere { .. })));
    write(&path, &made, &pictures(1, 10));
    assert_eq!(judge(&path, &Protector::key_file(&key_path).unwrap()), Ok(1));

    let bytes = std::fs::read(&key_path).unwrap();
    let shown =
        format!("{made:?} {:?} {:?}", Reader::open(&path, &made).unwrap(), Protector::passphrase("heron".into()));
    assert_eq!(shown, "KeyFile([redacted]) Reader(1 items) Passphrase([redacted])");
    let other = dir.path().join("other");
    for length in [0, 31, 33, 64] {
        std::fs::write(&other, &bytes.repeat(2)[..length]).unwrap();
        assert!(matches!(KeyFile::load(&other), Err(DerivativeError::NotAKeyFile { .. })), "{length}");
        assert!(KeyFile::destroy(&other).is_err() && other.try_exists().unwrap());
    }
    KeyFile::destroy(&key_path).unwrap();
    assert!(!key_path.try_exists().unwrap());
}

/// Why the Python reader of the specification cannot run here.
pub(super) fn python_lacks() -> Option<&'static str> {
    match Command::new("python3").args(["-c", "import cryptography.hazmat.primitives.kdf.argon2"]).output() {
        Err(_) => Some("python3 is not there"),
        Ok(probe) => (!probe.status.success()).then_some("Python has no cryptography package with argon2id"),
    }
}

/// What the Python reader is to list, in order of the lines.
pub(super) fn listing(all: &Pictures) -> Vec<String> {
    let line = |kind, picture: &[u8]| format!("{kind} {} {}", picture.len(), sha(picture));
    let mut lines: Vec<String> = all.values().flat_map(|(v, c)| [line("veiled", v), line("clear", c)]).collect();
    lines.sort_unstable();
    lines
}

/// Every picture as the Python reader of the specification sees it.
#[test]
fn a_reader_written_from_the_specification_agrees() {
    let (dir, path) = folder();
    let key_path = dir.path().join("a.key");
    let made = Protector::KeyFile(KeyFile::create(&key_path).unwrap());
    let all = pictures(230, 12_000);
    write(&path, &made, &all);
    add_protector(&path, &made, &Protector::passphrase("drei stille Störche".to_owned())).unwrap();
    let phrase_path = dir.path().join("phrase");
    std::fs::write(&phrase_path, "drei stille Störche\n").unwrap();

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/formats/read_derivatives.py");
    let run = |option: &str, secret: &Path, rest: &[&str]| {
        Command::new("python3").arg(&script).arg(option).arg(secret).arg(&path).args(rest).output()
    };
    if let Some(missing) = python_lacks() {
        return eprintln!("skipped 460 cases: {missing}");
    }
    for (option, secret) in [("--key-file", &key_path), ("--passphrase-file", &phrase_path)] {
        let output = run(option, secret, &["list"]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let listed = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<&str> = listed.lines().map(|line| line.split_once(' ').unwrap().1).collect();
        lines.sort_unstable();
        assert_eq!(lines, listing(&all));
    }
    let (sha256, (_, clear)) = all.iter().nth(100).unwrap();
    let got = run("--key-file", &key_path, &["get", &sha256.to_string(), "clear"]).unwrap();
    assert_eq!((got.status.code(), &got.stdout), (Some(0), clear));
    let absent = run("--key-file", &key_path, &["get", &content(9999).to_string(), "clear"]).unwrap();
    assert_eq!(absent.status.code(), Some(1));

    // It also refuses what is changed.
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[HEADER + 30] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    assert_ne!(run("--key-file", &key_path, &["list"]).unwrap().status.code(), Some(0));
}
