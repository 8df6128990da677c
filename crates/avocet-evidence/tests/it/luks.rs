//! LUKS volumes that cryptsetup and QEMU encrypted, each with code of its own; what stays locked; damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::luks::{Locked, Luks, Work};
use avocet_evidence::{EntryKind, Evidence, MemorySource, OpenError, Source, Volume, VolumeState, read_up_to};

use crate::support::{Random, collect, content, sha256, skipped};

const PASSWORD: &str = "correct horse";

/// Runs a program; its output, or `None` where it is not here.
fn ran(folder: &Path, program: &str, args: &[&str]) -> Option<String> {
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    let out = Command::new(program).args(args).env("PATH", path).current_dir(folder).output().ok()?;
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    Some(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Encrypts `plain.img` as LUKS1 with QEMU's own code; the password is in the file `pw`.
fn by_qemu(folder: &Path, options: &str, to: &str) -> Option<String> {
    let args =
        ["convert", "-f", "raw", "-O", "luks", "--object", "secret,id=s,file=pw", "-o", options, "plain.img", to];
    ran(folder, "qemu-img", &args)
}

pub fn given(password: &str) -> Access {
    Access { password: Some(Secret::new(password.as_bytes().to_vec())), ..Access::default() }
}

pub fn with_key_file(bytes: &[u8]) -> Access {
    Access { key_file: Some(Secret::new(bytes.to_vec())), ..Access::default() }
}

/// A folder with the password in `pw`, a volume of ext4 in `plain.img`, and the digests of its files.
fn prepared() -> Option<(tempfile::TempDir, BTreeMap<String, String>)> {
    let folder = tempfile::tempdir().unwrap();
    let mut truth = BTreeMap::new();
    std::fs::write(folder.path().join("pw"), PASSWORD).unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir_all(tree.join("a")).unwrap();
    let mut random = Random(0x11C5);
    for (name, size) in [("one.txt", 11), ("a/two.bin", 70_001), ("a/three.bin", 300_000)] {
        let data: Vec<u8> = (0..size).map(|_| random.next() as u8).collect();
        std::fs::write(tree.join(name), &data).unwrap();
        truth.insert(format!("/{name}"), sha256(&data));
    }
    ran(folder.path(), "mke2fs", &["-q", "-t", "ext4", "-b", "4096", "-d", "tree", "plain.img", "4M"])?;
    Some((folder, truth))
}

/// Encrypts `plain.img` in place with cryptsetup as `made.img`; its own code does so without the kernel.
fn encrypted(folder: &Path, cipher: &str, key_bits: &str, sector: &str, more: &[&str]) -> Option<()> {
    std::fs::copy(folder.join("plain.img"), folder.join("made.img")).unwrap();
    let file = std::fs::OpenOptions::new().append(true).open(folder.join("made.img")).unwrap();
    file.set_len((4 + 2) << 20).unwrap();
    let fixed = ["reencrypt", "--encrypt", "--type", "luks2", "--batch-mode", "--key-file", "pw"];
    let sizes = ["--reduce-device-size", "2M", "--luks2-keyslots-size", "512k", "--luks2-metadata-size", "16k"];
    let kind = ["--cipher", cipher, "--key-size", key_bits, "--sector-size", sector];
    ran(folder, "cryptsetup", &[&fixed[..], &sizes, &kind, more, &["made.img"]].concat()).map(|_| ())
}

const ARGON: &[&str] =
    &["--pbkdf", "argon2id", "--pbkdf-memory", "64", "--pbkdf-force-iterations", "4", "--pbkdf-parallel", "2"];

fn load(folder: &Path, name: &str) -> Arc<dyn Source> {
    Arc::new(MemorySource(std::fs::read(folder.join(name)).unwrap()))
}

fn unlock(source: &Arc<dyn Source>, access: &Access) -> Result<(Arc<dyn Source>, String), Locked> {
    let luks = Luks::open(source).unwrap();
    luks.unlock(access, &mut Work::default()).map(|u| {
        assert_eq!(u.problems, []);
        (u.source, u.how)
    })
}

/// The same bytes, at odd places and by four threads at once.
pub fn same_bytes(source: &Arc<dyn Source>, plain: &[u8]) {
    assert!(read_up_to(source, 0, plain.len()).unwrap() == plain);
    std::thread::scope(|scope| {
        for seed in 1..5 {
            scope.spawn(move || {
                let mut random = Random(seed);
                for _ in 0..50 {
                    let at = random.next() as usize % plain.len();
                    let mut buf = vec![0; random.next() as usize % 20_000];
                    let n = source.read_at(at as u64, &mut buf).unwrap();
                    assert!(n == buf.len() || at + n == source.len() as usize);
                    let n = n.min(plain.len() - at);
                    assert!(buf[..n] == plain[at..at + n], "at {at}");
                }
            });
        }
    });
    assert_eq!(source.read_at(source.len(), &mut [0; 4]).unwrap(), 0);
    assert_eq!(source.read_at(u64::MAX, &mut [0; 4]).unwrap(), 0);
}

/// The files of a volume with their digests.
pub fn files(volume: &Volume) -> BTreeMap<String, String> {
    let VolumeState::Read { fs, source } = &volume.state else { panic!("{volume:?}") };
    let found = collect(fs.as_ref());
    assert_eq!(found.problems, []);
    let is_file = |e: &&avocet_evidence::Entry| e.kind == EntryKind::File;
    let digest = |e: &avocet_evidence::Entry| sha256(&content(e, source, 1 << 24).unwrap().unwrap_or_default());
    found.entries.iter().filter(is_file).map(|e| (e.path.clone(), digest(e))).collect()
}

#[test]
fn volumes_that_cryptsetup_encrypted_open_with_their_password() {
    let Some((folder, truth)) = prepared() else { return skipped(9, "no mke2fs") };
    let dir = folder.path();
    let plain = std::fs::read(dir.join("plain.img")).unwrap();
    let pbkdf2 = |hash: &'static str| ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000", "--hash", hash];
    let argon2i = ["--pbkdf", "argon2i", "--pbkdf-memory", "32", "--pbkdf-force-iterations", "5"];
    for (cipher, key_bits, sector, more, slot) in [
        ("aes-xts-plain64", "512", "512", ARGON, "argon2id"),
        ("aes-xts-plain64", "256", "4096", ARGON, "argon2id"),
        ("aes-xts-plain64", "512", "4096", &argon2i[..], "argon2i"),
        ("aes-cbc-essiv:sha256", "256", "512", &pbkdf2("sha1")[..], "pbkdf2-sha1"),
        ("aes-cbc-essiv:sha256", "256", "4096", &pbkdf2("sha256")[..], "pbkdf2-sha256"),
        ("aes-cbc-plain64", "128", "512", &pbkdf2("sha512")[..], "pbkdf2-sha512"),
        ("aes-cbc-plain64", "192", "2048", ARGON, "argon2id"),
        ("aes-cbc-plain", "256", "1024", ARGON, "argon2id"),
        ("aes-xts-plain", "512", "512", ARGON, "argon2id"),
    ] {
        if encrypted(dir, cipher, key_bits, sector, more).is_none() {
            return skipped(9, "no cryptsetup");
        }
        let what = format!("{cipher} {key_bits} {sector}");
        let sealed = load(dir, "made.img");
        // What the header says, as cryptsetup shows it.
        let dump = ran(dir, "cryptsetup", &["luksDump", "made.img"]).unwrap();
        let shown = |name: &str| {
            let line = dump.lines().find_map(|l| l.trim().strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
            line.trim().trim_end_matches(" [bytes]").to_owned()
        };
        let luks = Luks::open(&sealed).unwrap();
        let facts = luks.facts();
        assert_eq!(
            [facts.version.to_string(), facts.uuid.clone(), facts.cipher.clone(), facts.sector.to_string()],
            [shown("Version:"), shown("UUID:"), shown("cipher:"), shown("sector:")],
            "{what}"
        );
        assert_eq!(
            [facts.offset.to_string(), format!("{} bits", facts.key_bytes * 8)],
            [shown("offset:"), shown("Key:")]
        );
        assert_eq!(facts.slots, [(0, slot.to_owned())], "{what}");
        let (source, how) = unlock(&sealed, &given(PASSWORD)).unwrap();
        assert_eq!(how, format!("LUKS2 ({cipher}), unlocked with the password (keyslot 0, {slot})"));
        same_bytes(&source, &plain);
        assert!(matches!(unlock(&sealed, &given("correct horsf")), Err(Locked::WrongKey(_))), "{what}");
        let evidence = Evidence::open_with(&dir.join("made.img"), &given(PASSWORD)).unwrap();
        assert_eq!((evidence.problems.len(), evidence.locked, evidence.volumes.len()), (0, 0, 1));
        assert_eq!(evidence.volumes[0].layers, [how]);
        assert_eq!(evidence.volumes[0].name, "whole");
        assert_eq!(files(&evidence.volumes[0]), truth, "{what}");
    }
}

#[test]
fn volumes_that_qemu_encrypted_open_with_their_password() {
    let Some((folder, truth)) = prepared() else { return skipped(3, "no mke2fs") };
    let dir = folder.path();
    let plain = std::fs::read(dir.join("plain.img")).unwrap();
    for (options, cipher, slot) in [
        ("cipher-alg=aes-256,cipher-mode=xts,ivgen-alg=plain64,hash-alg=sha256", "aes-xts-plain64", "pbkdf2-sha256"),
        ("cipher-alg=aes-192,cipher-mode=xts,ivgen-alg=plain,hash-alg=sha512", "aes-xts-plain", "pbkdf2-sha512"),
        (
            "cipher-alg=aes-256,cipher-mode=cbc,ivgen-alg=essiv,ivgen-hash-alg=sha256,hash-alg=sha1",
            "aes-cbc-essiv:sha256",
            "pbkdf2-sha1",
        ),
    ] {
        let options = format!("key-secret=s,{options},iter-time=10");
        if by_qemu(dir, &options, "made.img").is_none() {
            return skipped(3, "no qemu-img");
        }
        let sealed = load(dir, "made.img");
        let (source, how) = unlock(&sealed, &given(PASSWORD)).unwrap();
        assert_eq!(how, format!("LUKS1 ({cipher}), unlocked with the password (keyslot 0, {slot})"));
        assert_eq!(source.len(), plain.len() as u64);
        same_bytes(&source, &plain);
        assert_eq!(unlock(&sealed, &Access::default()).map(|_| ()), Err(Locked::NothingGiven));
        let wrong = unlock(&sealed, &given("")).map(|_| ()).unwrap_err();
        assert_eq!(wrong.to_string(), "the password given does not open its only keyslot");
        let evidence = Evidence::open_with(&dir.join("made.img"), &given(PASSWORD)).unwrap();
        assert_eq!(files(&evidence.volumes[0]), truth);
        if let Some(dump) = ran(dir, "cryptsetup", &["luksDump", "made.img"]) {
            let facts = Luks::open(&sealed).unwrap().facts().clone();
            let has = |name: &str, value: String| {
                let line = dump.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name}"));
                assert_eq!(line.trim_start_matches(name).trim(), value);
            };
            has("Version:", facts.version.to_string());
            has("UUID:", facts.uuid);
            has("Payload offset:", (facts.offset / 512).to_string());
            has("MK bits:", (facts.key_bytes * 8).to_string());
            has("Cipher mode:", facts.cipher.trim_start_matches("aes-").to_owned());
        }
    }
}

/// Several keyslots of several kinds, by password and by key file; others were removed or hold another key.
#[test]
fn each_keyslot_opens_with_its_own_secret() {
    let Some((folder, _)) = prepared() else { return skipped(2, "no mke2fs") };
    let dir = folder.path();
    std::fs::write(dir.join("second"), "second").unwrap();
    std::fs::write(dir.join("removed"), "removed").unwrap();
    std::fs::write(dir.join("other"), "other").unwrap();
    let key: Vec<u8> = (0..=255).cycle().take(5000).collect();
    std::fs::write(dir.join("key"), &key).unwrap();
    for version in ["luks1", "luks2"] {
        let image = std::fs::File::create(dir.join("made.img")).unwrap();
        image.set_len(20 << 20).unwrap();
        let quick = ["--batch-mode", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
        let format = ["luksFormat", "--type", version, "--key-file", "pw", "made.img"];
        if ran(dir, "cryptsetup", &[&quick[..], &format].concat()).is_none() {
            return skipped(2, "no cryptsetup");
        }
        let add = |secret: &str, slot: &str, more: &[&str]| {
            let args = ["luksAddKey", "--key-file", "pw", "--key-slot", slot, "made.img", secret];
            ran(dir, "cryptsetup", &[&quick[..], more, &args].concat()).unwrap();
        };
        add("second", "3", &["--hash", "sha512"]);
        add("key", "5", &[]);
        add("removed", "6", &[]);
        ran(dir, "cryptsetup", &["luksKillSlot", "--batch-mode", "made.img", "6"]).unwrap();
        if version == "luks2" {
            add("other", "7", &["--unbound", "--key-size", "512"]);
        }
        let sealed = load(dir, "made.img");
        let slots: Vec<u32> = Luks::open(&sealed).unwrap().facts().slots.iter().map(|(n, _)| *n).collect();
        assert_eq!(slots, [0, 3, 5], "{version}");
        for (access, opens) in [
            (given(PASSWORD), Some("the password (keyslot 0")),
            (given("second"), Some("the password (keyslot 3")),
            (with_key_file(&key), Some("the key file (keyslot 5")),
            (with_key_file(b"second"), Some("the key file (keyslot 3")),
            (with_key_file(&key[..4999]), None),
            (given("removed"), None),
            (given("other"), None),
        ] {
            let found = unlock(&sealed, &access);
            match opens {
                Some(text) => assert!(found.unwrap().1.contains(text), "{version} {text}"),
                None => assert_eq!(
                    found.map(|_| ()).unwrap_err().to_string().split(" given").nth(1),
                    Some(" does not open any of 3 keyslots"),
                ),
            }
        }
        let both = Access { key_file: with_key_file(b"x").key_file, ..given("y") };
        let text = unlock(&sealed, &both).map(|_| ()).unwrap_err().to_string();
        assert_eq!(text, "the password and the key file given do not open any of 3 keyslots");
        let luks = Luks::open(&sealed).unwrap();
        let unlocked = luks.unlock(&given(PASSWORD), &mut Work::default());
        let shown = format!("{unlocked:?} {:?} {:?}", luks.facts(), both.password).to_lowercase();
        assert!(!shown.contains("correct") && !shown.contains("horse"));
    }
}

/// Makes the checksum of a header of version 2 right again.
fn seal(image: &mut [u8], at: usize) {
    let size = u64::from_be_bytes(image[at + 8..at + 16].try_into().unwrap()) as usize;
    let size = size.min(image.len() - at);
    image[at + 448..at + 512].fill(0);
    let sum = sha256(&image[at..at + size]);
    for (i, byte) in image[at + 448..at + 480].iter_mut().enumerate() {
        *byte = u8::from_str_radix(&sum[i * 2..i * 2 + 2], 16).unwrap();
    }
}

/// Replaces text in both descriptions of a header of version 2; zeros follow a description.
fn replace(image: &mut [u8], from: &str, to: &str) {
    for at in [4096, 16384 + 4096] {
        let area = &mut image[at..at + 12288];
        let end = area.iter().position(|b| *b == 0).unwrap();
        let text = String::from_utf8(area[..end].to_vec()).unwrap();
        assert!(text.contains(from), "{from}");
        let text = text.replace(from, to);
        area.fill(0);
        area[..text.len()].copy_from_slice(text.as_bytes());
    }
    seal(image, 0);
    seal(image, 16384);
}

#[test]
fn what_cannot_be_unlocked_says_why() {
    let Some((folder, _)) = prepared() else { return skipped(9, "no mke2fs") };
    let dir = folder.path();
    if encrypted(dir, "aes-xts-plain64", "512", "512", ARGON).is_none() {
        return skipped(9, "no cryptsetup");
    }
    let image = std::fs::read(dir.join("made.img")).unwrap();
    let try_it = |change: &dyn Fn(&mut [u8])| {
        let mut bytes = image.clone();
        change(&mut bytes);
        let source: Arc<dyn Source> = Arc::new(MemorySource(bytes));
        unlock(&source, &given(PASSWORD)).map(|_| ())
    };
    assert_eq!(try_it(&|_| {}), Ok(()));
    for (from, to, wanted) in [
        (r#""memory":64"#, r#""memory":9e9"#, "its derivation cannot be read"),
        (r#""time":4,"memory":64,"#, r#""time":4,"memory":9999999,"#, "MiB of memory, more than"),
        (r#""time":4,"memory":64,"#, r#""time":9999999,"memory":640,"#, "more work than is spent"),
        (r#""type":"argon2id""#, r#""type":"scrypt""#, "its derivation scrypt is not read"),
        (r#""stripes":4000"#, r#""stripes":9999"#, "does not fit its place"),
        (r#""type":"crypt""#, r#""type":"opal""#, "its data are of the kind opal"),
        (
            r#""encryption":"aes-xts-plain64","sector_size""#,
            r#""encryption":"serpent-xts-p","sector_size""#,
            "its cipher serpent",
        ),
        (r#""offset":"1048576""#, r#""offset":"0""#, "whose data lie on another device"),
        (r#""offset":"32768""#, r#""offset":"99""#, "its place cannot be"),
    ] {
        let error = try_it(&|bytes| replace(bytes, from, to)).unwrap_err();
        let (Locked::NotTried(text) | Locked::NotRead(text)) = &error else { panic!("{to}: {error:?}") };
        assert!(text.contains(wanted), "{to}: {text}");
    }
    // Begun and not finished.
    std::fs::copy(dir.join("plain.img"), dir.join("half.img")).unwrap();
    std::fs::OpenOptions::new().append(true).open(dir.join("half.img")).unwrap().set_len(36 << 20).unwrap();
    let args =
        ["reencrypt", "--encrypt", "--init-only", "--type", "luks2", "--reduce-device-size", "32M", "--batch-mode"];
    ran(dir, "cryptsetup", &[&args[..], ARGON, &["--key-file", "pw", "half.img"]].concat()).unwrap();
    let error = unlock(&load(dir, "half.img"), &given(PASSWORD)).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("was not finished"), "{error}");
    // A cipher that QEMU has and this has not, and the same header with the name of another digest.
    let options = "key-secret=s,cipher-alg=serpent-256,cipher-mode=xts,ivgen-alg=plain64,hash-alg=sha256,iter-time=10";
    let secret = ["--object", "secret,id=s,file=pw", "-o", options, "plain.img", "q.img"];
    if ran(dir, "qemu-img", &[&["convert", "-f", "raw", "-O", "luks"][..], &secret].concat()).is_none() {
        return skipped(2, "no qemu-img");
    }
    let mut bytes = std::fs::read(dir.join("q.img")).unwrap();
    for wanted in ["its cipher serpent-xts-plain64 is not read", "its digest ripemd160 is not read"] {
        let source: Arc<dyn Source> = Arc::new(MemorySource(bytes.clone()));
        assert_eq!(unlock(&source, &given(PASSWORD)).map(|_| ()), Err(Locked::NotRead(wanted.into())));
        bytes[72..82].copy_from_slice(b"ripemd160\0");
    }
}

#[test]
fn either_header_serves_and_damage_is_said() {
    let Some((folder, truth)) = prepared() else { return skipped(4, "no mke2fs") };
    let dir = folder.path();
    if encrypted(dir, "aes-xts-plain64", "512", "4096", ARGON).is_none() {
        return skipped(4, "no cryptsetup");
    }
    let image = std::fs::read(dir.join("made.img")).unwrap();
    let open = |name: &str, bytes: &[u8]| {
        std::fs::write(dir.join(name), bytes).unwrap();
        Evidence::open_with(&dir.join(name), &given(PASSWORD)).unwrap()
    };
    let codes = |e: &Evidence| e.problems.iter().map(|p| p.code).collect::<Vec<_>>();
    for (name, at) in [("first.img", 0..16384), ("second.img", 16384..32768), ("sum.img", 448..449)] {
        let mut bytes = image.clone();
        bytes[at].iter_mut().for_each(|b| *b ^= 0x55);
        let evidence = open(name, &bytes);
        assert_eq!(codes(&evidence), ["luks-header-copy-used"], "{name}");
        assert_eq!(files(&evidence.volumes[0]), truth, "{name}");
    }
    // The newer copy counts: here a second one that says something else.
    let mut changed = image.clone();
    replace(&mut changed, "\"sector_size\":4096", "\"sector_size\":8192");
    let mut bytes = image.clone();
    bytes[16384..32768].copy_from_slice(&changed[16384..32768]);
    for (add, wanted) in [(1, "luks-not-read"), (-1, "luks-header-copy-used")] {
        let sequence = i64::from_be_bytes(image[16..24].try_into().unwrap()) + add;
        bytes[16384 + 16..16384 + 24].copy_from_slice(&sequence.to_be_bytes());
        seal(&mut bytes, 16384);
        let evidence = open("newer.img", &bytes);
        assert!(codes(&evidence).contains(&wanted), "{:?}", codes(&evidence));
        assert_eq!(evidence.volumes[0].state.word(), if add > 0 { "recognised" } else { "read" });
    }
    // Both gone, but for their signatures: named, and nothing read.
    let mut bytes = image.clone();
    bytes[5000] ^= 1;
    bytes[16384 + 5000] ^= 1;
    let evidence = open("none.img", &bytes);
    assert_eq!(codes(&evidence), ["luks-header-damaged"]);
    assert!(matches!(&evidence.volumes[0].state, VolumeState::NotRead { what, .. } if what == "LUKS encrypted volume"));
    // Cut within a sector.
    let evidence = open("cut.img", &image[..image.len() - 100]);
    assert_eq!(codes(&evidence), ["luks-cut"]);
}

/// A table with a partition for each image, on sectors of 2048 on.
fn partitioned(images: &[Vec<u8>]) -> Vec<u8> {
    let mut disk = vec![0; 2048 * 512];
    for (i, image) in images.iter().enumerate() {
        let entry = 446 + i * 16;
        let (first, sectors) = (disk.len() as u32 / 512, image.len() as u32 / 512);
        disk[entry + 4] = 0x83;
        disk[entry + 8..entry + 12].copy_from_slice(&first.to_le_bytes());
        disk[entry + 12..entry + 16].copy_from_slice(&sectors.to_le_bytes());
        disk.extend_from_slice(image);
    }
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    disk
}

#[test]
fn every_encrypted_volume_of_a_disk_is_tried() {
    let Some((folder, truth)) = prepared() else { return skipped(1, "no mke2fs") };
    let dir = folder.path();
    if encrypted(dir, "aes-xts-plain64", "512", "512", ARGON).is_none() {
        return skipped(1, "no cryptsetup");
    }
    let plain = std::fs::read(dir.join("plain.img")).unwrap();
    let first = std::fs::read(dir.join("made.img")).unwrap();
    // The second has another password; the third lies in it twice: a table in an encrypted volume.
    std::fs::write(dir.join("pw"), "another").unwrap();
    encrypted(dir, "aes-cbc-essiv:sha256", "256", "512", ARGON).unwrap();
    let second = std::fs::read(dir.join("made.img")).unwrap();
    std::fs::write(dir.join("pw"), PASSWORD).unwrap();
    let inner = partitioned(&[plain.clone(), vec![0; 1 << 20]]);
    std::fs::write(dir.join("plain.img"), &inner).unwrap();
    let options = "key-secret=s,cipher-alg=aes-256,cipher-mode=xts,hash-alg=sha256,iter-time=10";
    let secret = ["--object", "secret,id=s,file=pw", "-o", options, "plain.img", "made.img"];
    if ran(dir, "qemu-img", &[&["convert", "-f", "raw", "-O", "luks"][..], &secret].concat()).is_none() {
        return skipped(1, "no qemu-img");
    }
    let third = std::fs::read(dir.join("made.img")).unwrap();
    std::fs::write(dir.join("disk.img"), partitioned(&[first, second, third, plain])).unwrap();

    let open = |access: &Access| Evidence::open_with(&dir.join("disk.img"), access).unwrap();
    let names = |e: &Evidence| e.volumes.iter().map(|v| format!("{} {}", v.name, v.state.word())).collect::<Vec<_>>();
    let evidence = open(&given(PASSWORD));
    let opened = ["mbr:1 read", "mbr:2 recognised", "mbr:3.mbr:1 read", "mbr:3.mbr:2 empty", "mbr:4 read"];
    assert_eq!(names(&evidence), opened);
    for i in [0, 2, 4] {
        assert_eq!(files(&evidence.volumes[i]), truth, "{i}");
    }
    assert!(evidence.volumes[4].layers.is_empty() && evidence.volumes[2].layers[0].starts_with("LUKS1"));
    let codes: Vec<_> = evidence.problems.iter().map(|p| p.code).collect();
    assert!(codes.contains(&"luks-wrong-key") && codes.contains(&"inner-space"), "{codes:?}");
    let VolumeState::NotRead { detail, .. } = &evidence.volumes[1].state else { panic!() };
    assert!(detail.ends_with("it stayed locked: the password given does not open its only keyslot"), "{detail}");
    let evidence = open(&given("another"));
    assert_eq!(names(&evidence), ["mbr:1 recognised", "mbr:2 read", "mbr:3 recognised", "mbr:4 read"]);
    let evidence = open(&Access::default());
    assert_eq!(names(&evidence), ["mbr:1 recognised", "mbr:2 recognised", "mbr:3 recognised", "mbr:4 read"]);
    assert_eq!((evidence.locked, evidence.problems.len()), (3, 0));
}

#[test]
fn damage_opens_to_the_same_bytes_or_not_at_all() {
    let Some((folder, _)) = prepared() else { return skipped(400, "no mke2fs") };
    let dir = folder.path();
    let plain = std::fs::read(dir.join("plain.img")).unwrap();
    if encrypted(dir, "aes-xts-plain64", "256", "512", ARGON).is_none() {
        return skipped(400, "no cryptsetup");
    }
    let options = "key-secret=s,cipher-alg=aes-256,cipher-mode=xts,hash-alg=sha256,iter-time=10";
    let mut images = vec![("made.img", 2, 32768)];
    match by_qemu(dir, options, "one.img") {
        Some(_) => images.push(("one.img", 1, 592)),
        None => skipped(200, "no qemu-img"),
    }
    for (name, version, header) in images {
        let image = std::fs::read(dir.join(name)).unwrap();
        // Where a header is not zero is where something can be changed.
        let used: Vec<usize> = (0..header).filter(|at| image[*at] != 0).collect();
        let mut random = Random(0xDA11A6E);
        let (mut opened, mut locked, mut refused) = (0, 0, 0);
        for round in 0..200 {
            let mut bytes = image.clone();
            for _ in 0..=random.next() % 4 {
                let at = used[random.next() as usize % used.len()];
                bytes[at] = match random.next() % 3 {
                    0 => random.next() as u8,
                    1 => bytes[at] ^ 1 << (random.next() % 8),
                    _ => b'0' + (random.next() % 10) as u8,
                };
            }
            if version == 2 && round % 4 > 0 {
                seal(&mut bytes, 0);
                seal(&mut bytes, 16384);
            }
            if random.next().is_multiple_of(10) {
                bytes.truncate(random.next() as usize % bytes.len());
            }
            let source: Arc<dyn Source> = Arc::new(MemorySource(bytes));
            let luks = match Luks::open(&source) {
                Ok(luks) => luks,
                Err(OpenError::Malformed { layer, .. }) => {
                    assert_eq!(layer, "luks");
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{error}"),
            };
            match luks.unlock(&given(PASSWORD), &mut Work::at_most(100_000)) {
                Err(_) => locked += 1,
                Ok(unlocked) => {
                    opened += 1;
                    // A header without a checksum may lie about where the data begin, and not about the key.
                    let n = plain.len().min(unlocked.source.len() as usize);
                    let _ = read_up_to(&unlocked.source, 0, n).unwrap();
                    assert!(unlocked.source.len() <= source.len());
                }
            }
        }
        println!("{name}: {opened} opened, {locked} locked, {refused} refused");
        assert!(opened > 0 && locked > 0, "{name}: {opened} {locked} {refused}");
    }
}
