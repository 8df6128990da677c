//! BitLocker volumes that Windows made, and such as code of the tests makes; what stays locked; damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet_evidence::scratch::Access;
use avocet_evidence::volume::Unlocked;
use avocet_evidence::volume::bitlocker::{BitLocker, Locked};
use avocet_evidence::volume::luks::Work;
use avocet_evidence::{Evidence, MemorySource, OpenError, Source, VolumeState, read_up_to};
use made::{Made, Plan, Way, digits, id_text, make, startup_file};

use crate::luks::{files, given, same_bytes, with_key_file};
use crate::support::{Random, noise, output, output_in, put, regular, sha256, skipped, some_reads_fail, volumes};

const GROUPS: [u16; 8] = [1, 2, 3, 65535, 0, 4711, 12345, 54321];
const STARTUP: [u8; 32] = [0x5A; 32];

/// A section of the list that lies beside the volumes of Windows.
type Section = BTreeMap<String, String>;

/// The volumes that Windows made and what is known of each. Without them it is said how many cases were skipped.
fn of_windows(skips: usize, fits: impl Fn(&str) -> bool) -> Vec<(PathBuf, Section)> {
    let Some(folder) = volumes("bitlk-images") else {
        skipped(skips, "AVOCET_VOLUMES names no folder with bitlk-images");
        return vec![];
    };
    let text = std::fs::read_to_string(folder.join("images.conf")).unwrap();
    let sections = text.split('[').skip(1).map(|section| {
        let (name, rest) = section.split_once(']').unwrap();
        let pairs = rest.lines().filter_map(|line| line.split_once('='));
        (name.to_owned(), pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect::<Section>())
    });
    let found: Vec<_> = sections
        .filter(|(name, _)| fits(name))
        .map(|(name, section)| (folder.join(format!("{name}.img")), section))
        .collect();
    assert_eq!(found.len(), skips, "as many volumes as are said to be skipped without them");
    found
}

fn source(path: &Path) -> Arc<dyn Source> {
    avocet_evidence::container::open(path).unwrap().source
}

fn memory(bytes: Vec<u8>) -> Arc<dyn Source> {
    Arc::new(MemorySource(bytes))
}

fn unlock(source: &Arc<dyn Source>, access: &Access) -> Result<Unlocked, Locked> {
    BitLocker::open(source).unwrap().unlock(access, &mut Work::default())
}

fn why(source: &Arc<dyn Source>, access: &Access) -> String {
    unlock(source, access).unwrap_err().to_string()
}

fn codes(unlocked: &Unlocked) -> Vec<&'static str> {
    unlocked.problems.iter().map(|p| p.code).collect()
}

/// SHA-256 of all bytes.
fn digest(source: &Arc<dyn Source>) -> String {
    use sha2::Digest;
    let mut sum = sha2::Sha256::new();
    let mut buf = vec![0; 1 << 20];
    let mut at = 0;
    while let n @ 1.. = source.read_at(at, &mut buf).unwrap() {
        sum.update(&buf[..n]);
        at += n as u64;
    }
    assert_eq!(at, source.len());
    sum.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Whether the plain bytes are those of the published digest, by whatever opens the volume; the digest is taken once, and the
/// other ways have to give the same key.
fn as_published(path: &Path, section: &Section) {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let sealed = source(path);
    let mut ways: Vec<(Access, String)> = vec![];
    let upper = |key: &str| section[key].to_uppercase();
    if section.contains_key("CLEARKEY_VMK_GUID") {
        ways.push((Access::default(), "the clear key that lies on it".into()));
        ways.push((given("whatever"), "the clear key that lies on it".into()));
    }
    if !section["PW"].is_empty() {
        ways.push((given(&section["PW"]), format!("the password (protector {})", upper("PW_VMK_GUID"))));
    }
    for (key, guid) in [("RP", "RP_VMK_GUID"), ("RP2", "RP2_VMK_GUID")] {
        if let Some(text) = section.get(key).filter(|t| !t.is_empty()) {
            let how = format!("the recovery password (identifier {})", upper(guid));
            ways.push((given(text), how.clone()));
            ways.push((with_key_file(text.as_bytes()), how));
        }
    }
    if section.contains_key("SK_VMK_GUID") {
        let file = path.with_file_name(format!("{}.BEK", upper("SK_VMK_GUID")));
        ways.push((with_key_file(&std::fs::read(file).unwrap()), format!("the startup key {}", upper("SK_VMK_GUID"))));
    }
    let mut first: Option<(String, Vec<u8>)> = None;
    for (access, how) in ways {
        let unlocked = unlock(&sealed, &access).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(unlocked.how.contains(&format!("unlocked with {how}")), "{name}: {}", unlocked.how);
        let wanted: &[&str] = if name.ends_with("-crc") { &["bitlocker-metadata-copy-used"] } else { &[] };
        assert_eq!(codes(&unlocked), wanted, "{name}");
        let begin = read_up_to(&unlocked.source, 0, 1 << 20).unwrap();
        match &first {
            None => {
                assert_eq!(digest(&unlocked.source), section["SHA256SUM"], "{name}");
                first = Some((how, begin));
            }
            Some((other, same)) => assert!(begin == *same, "{name}: {how} and {other} give different bytes"),
        }
    }
    assert!(first.is_some(), "{name}");
}

fn xts(name: &str) -> bool {
    name.starts_with("bitlk-aes-xts-128") && !name.ends_with("-eow")
}

#[test]
fn volumes_of_windows_by_xts_give_the_digest_that_is_published() {
    for (path, section) in of_windows(6, |name| xts(name) && name.len() <= "bitlk-aes-xts-128-smart-card".len()) {
        as_published(&path, &section);
    }
}

#[test]
fn more_volumes_of_windows_by_xts_give_the_digest_that_is_published() {
    for (path, section) in of_windows(5, |name| xts(name) && name.len() > "bitlk-aes-xts-128-smart-card".len()) {
        as_published(&path, &section);
    }
}

#[test]
fn volumes_of_windows_by_cbc_give_the_digest_that_is_published() {
    for (path, section) in of_windows(4, |name| {
        name.starts_with("bitlk-aes-cbc-128") || name.ends_with("-256") && !name.contains("elephant")
    }) {
        as_published(&path, &section);
    }
}

#[test]
fn volumes_of_windows_with_the_diffuser_give_the_digest_that_is_published() {
    for (path, section) in of_windows(2, |name| name.contains("elephant")) {
        as_published(&path, &section);
    }
}

#[test]
fn volumes_to_go_give_the_digest_that_is_published() {
    for (path, section) in of_windows(2, |name| name.contains("togo")) {
        as_published(&path, &section);
        let plain = unlock(&source(&path), &given(&section["PW"])).unwrap();
        assert!(plain.how.starts_with("BitLocker To Go ("), "{}", plain.how);
    }
}

/// What cryptsetup shows of each volume is what is read of it, and a volume that stays locked asks for the same.
#[test]
fn what_the_metadata_say_is_what_cryptsetup_says() {
    for (path, section) in of_windows(21, |_| true) {
        let path_text = path.to_str().unwrap();
        let Some(dump) = output("cryptsetup", &["bitlkDump", path_text]) else {
            // It takes the damaged copies for the end.
            skipped(1, "no cryptsetup that reads this volume");
            continue;
        };
        let sealed = source(&path);
        let volume = BitLocker::open(&sealed).unwrap();
        let facts = volume.facts();
        let shown = |name: &str| {
            let line = dump.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
            line.trim().split(" [").next().unwrap().split(' ').next().unwrap().to_owned()
        };
        let (mode, bits) = (shown("Cipher mode:"), shown("Cipher key:"));
        let cipher = match (mode.as_str(), bits.as_str()) {
            ("xts-plain64", "256") => "AES-XTS 128",
            ("xts-plain64", "512") => "AES-XTS 256",
            ("cbc-eboiv", "128") => "AES-CBC 128",
            ("cbc-eboiv", "256") => "AES-CBC 256",
            ("cbc-elephant", "256") => "AES-CBC 128 with diffuser",
            ("cbc-elephant", "512") => "AES-CBC 256 with diffuser",
            other => panic!("{other:?}"),
        };
        assert_eq!(facts.cipher, cipher);
        assert_eq!(facts.id, shown("GUID:").to_uppercase());
        assert_eq!(facts.sector.to_string(), shown("Sector size:"));
        assert_eq!(facts.encrypted.to_string(), shown("Volume size:"));
        let lines: Vec<&str> = dump.lines().map(str::trim).collect();
        let slots: BTreeSet<(String, String)> = lines
            .windows(2)
            .filter_map(|two| {
                let id = two[0].strip_prefix("GUID:")?.trim().to_uppercase();
                let word = match two[1].strip_prefix("Protection:")?.trim().strip_prefix("VMK protected with ")? {
                    "passphrase" => "password",
                    "recovery passphrase" => "recovery password",
                    "smart card" => "smart card or certificate",
                    other => other,
                };
                Some((word.to_owned(), id))
            })
            .collect();
        assert_eq!(facts.protectors.iter().cloned().collect::<BTreeSet<_>>(), slots, "{path_text}");
        if section.contains_key("CLEARKEY_VMK_GUID") || path_text.contains("partially") {
            continue;
        }
        let asks = why(&sealed, &Access::default());
        let identifier =
            format!("a recovery password of 48 digits (identifier {})", section["RP_VMK_GUID"].to_uppercase());
        assert!(asks.contains(&identifier), "{asks}");
        let card = path_text.contains("smart-card");
        assert_eq!(asks.contains("smart card or certificate (not read here)"), card, "{asks}");
        if let Some(id) = section.get("SK_VMK_GUID") {
            assert!(asks.contains(&format!("a startup key (file {}.BEK)", id.to_uppercase())), "{asks}");
        }
    }
}

#[test]
fn volumes_of_windows_stay_locked_and_say_what_opens_them() {
    let wanted = ["bitlk-aes-xts-128", "bitlk-aes-xts-128-startup-key", "bitlk-aes-xts-128-startup-key-win11"];
    let found = of_windows(3, |name| wanted.contains(&name));
    for (path, section) in &found {
        let sealed = source(path);
        for (access, text) in [
            (given("anacondb"), "the password given does not open it"),
            (given(&section["RP"].replacen('5', "6", 1)), "six digits is mistyped"),
            (given(&digits(&GROUPS)), "the recovery password in the password given does not open it"),
            (with_key_file(b"anaconda"), "is no startup key (.BEK) and holds no recovery password"),
        ] {
            let locked = unlock(&sealed, &access).unwrap_err();
            let shown = locked.to_string();
            assert!(shown.contains(text) && shown.contains("it opens with a password, or a recovery"), "{shown}");
            assert_eq!(locked.code(), Some("bitlocker-wrong-key"));
        }
        assert!(matches!(unlock(&sealed, &Access::default()), Err(Locked::NothingGiven(_))));
    }
    // The startup key of another volume.
    if let [_, (one, _), (_, other)] = found.as_slice() {
        let file = one.with_file_name(format!("{}.BEK", other["SK_VMK_GUID"].to_uppercase()));
        let shown = why(&source(one), &with_key_file(&std::fs::read(file).unwrap()));
        let id = other["SK_VMK_GUID"].to_uppercase();
        assert!(shown.contains(&format!("the startup key given ({id}) does not open it")), "{shown}");
    }
}

#[test]
fn volumes_that_are_encrypted_as_they_are_written_to_are_named() {
    for (path, section) in of_windows(2, |name| name.ends_with("-eow") || name.contains("partially")) {
        let sealed = source(&path);
        let Err(Locked::NotRead(text)) = unlock(&sealed, &given(&section["PW"])) else { panic!() };
        assert!(text.contains(" is the right key, but it is encrypted as it is written to"), "{text}");
        let locked = unlock(&sealed, &Access::default()).unwrap_err();
        assert!(matches!(&locked, Locked::NotRead(t) if t.contains("encrypted as it is written to")), "{locked}");
    }
}

/// The whole way down: what lies in the unlocked volume is recognised, though these hold no more than its first sectors.
#[test]
fn the_file_system_of_a_volume_of_windows_is_recognised() {
    for (path, section) in of_windows(3, |name| name == "bitlk-aes-xts-256" || name.contains("togo")) {
        let evidence = Evidence::open_with(&path, &given(&section["PW"])).unwrap();
        let volume = &evidence.volumes[0];
        assert_eq!((evidence.volumes.len(), evidence.locked), (1, 0));
        assert!(volume.layers[0].starts_with("BitLocker"), "{:?}", volume.layers);
        let to_go = path.to_str().unwrap().contains("togo");
        let plain = unlock(&source(&path), &given(&section["PW"])).unwrap().source;
        let boot = read_up_to(&plain, 0, 512).unwrap();
        let serial =
            |at: usize, n: usize| boot[at..at + n].iter().rev().map(|b| format!("{b:02X}")).collect::<String>();
        if to_go {
            let found = [serial(0x27, 4), serial(0x43, 4), serial(0x64, 4)];
            assert!(found.contains(&section["UUID"].replace('-', "")), "{found:?}");
        } else {
            assert_eq!(serial(0x48, 8), section["UUID"]);
        }
        match &volume.state {
            VolumeState::Read { fs, .. } => {
                let kind = fs.facts().kind;
                assert!(["fat12", "fat16", "fat32", "exfat", "ntfs"].contains(&kind), "{kind}");
            }
            VolumeState::Failed { what, .. } => assert!(["FAT", "exFAT", "NTFS"].contains(what), "{what}"),
            other => panic!("{}", other.word()),
        }
    }
}

/// A plain volume with files in it, by programs that share nothing with this; `None` where they are not here.
fn with_files(folder: &Path, to_go: bool) -> Option<BTreeMap<String, String>> {
    std::fs::File::create(folder.join("plain.img")).unwrap().set_len(12 << 20).unwrap();
    let mut truth = BTreeMap::new();
    match to_go {
        false => output_in(folder, "mkntfs", &["-F", "-q", "-Q", "-c", "4096", "plain.img"])?,
        true => output_in(folder, "mkfs.fat", &["-F", "16", "plain.img"])?,
    };
    for (name, data) in [("one.txt", regular(11)), ("two.bin", noise(70_001, 3)), ("three.bin", noise(300_000, 4))] {
        put(folder, name, &data);
        truth.insert(format!("/{name}"), sha256(&data));
        match to_go {
            false => output_in(folder, "ntfscp", &["-q", "-f", "plain.img", name, name])?,
            true => output_in(folder, "mcopy", &["-i", "plain.img", name, &format!("::{name}")])?,
        };
    }
    Some(truth)
}

fn ways() -> Vec<Way> {
    vec![Way::Password("pässwort €"), Way::Recovery(GROUPS), Way::Startup(STARTUP)]
}

/// Plain bytes of no file system, with zeros among them; as long as dislocker reads in whole pieces.
fn pattern() -> Vec<u8> {
    [noise(600_000 / 4096 * 4096, 9), vec![0; 1 << 20], noise(4096 * 30, 10)].concat()
}

/// What dislocker reads out of `made.img` with the key in `made.BEK`; `None` where it is not here.
fn by_dislocker(folder: &Path, more: &[&str]) -> Option<Vec<u8>> {
    let made = std::process::Command::new("dislocker-file")
        .args(more)
        .args(["-q", "-V", "made.img", "-f", "made.BEK", "--", "out.img"])
        .current_dir(folder)
        .output()
        .ok()?;
    assert!(made.status.success(), "dislocker-file: {}", String::from_utf8_lossy(&made.stdout));
    let out = folder.join("out.img");
    let bytes = std::fs::read(&out).unwrap();
    std::fs::remove_file(out).unwrap();
    Some(bytes)
}

/// Every method and size of a sector: all bytes, at odd places, by four threads; and dislocker reads the same out of the volume.
#[test]
fn volumes_that_are_made_here_open_by_every_way() {
    let folder = tempfile::tempdir().unwrap();
    let plain = pattern();
    let mut without = 0;
    for (method, sector, name) in [
        (0x8000, 512, "AES-CBC 128 with diffuser"),
        (0x8001, 512, "AES-CBC 256 with diffuser"),
        (0x8002, 512, "AES-CBC 128"),
        (0x8003, 4096, "AES-CBC 256"),
        (0x8004, 512, "AES-XTS 128"),
        (0x8005, 4096, "AES-XTS 256"),
    ] {
        // One is enough to stretch for.
        let ways = if method == 0x8004 { ways() } else { vec![Way::Startup(STARTUP)] };
        let startup = startup_file(ways.len() - 1, &STARTUP);
        let Made { image, .. } = make(&plain, &Plan { sector, ..Plan::new(method, &ways) });
        std::fs::write(folder.path().join("made.img"), &image).unwrap();
        std::fs::write(folder.path().join("made.BEK"), &startup).unwrap();
        let sealed = memory(image);
        let mut given_here = vec![(with_key_file(&startup), format!("the startup key {}", id_text(ways.len() - 1)))];
        if ways.len() > 1 {
            let recovery = format!("the recovery password (identifier {})", id_text(1));
            given_here.push((given("pässwort €"), format!("the password (protector {})", id_text(0))));
            given_here.push((given(&digits(&GROUPS)), recovery.clone()));
            given_here.push((given(&digits(&GROUPS).replace('-', " ")), recovery.clone()));
            given_here.push((with_key_file(format!("Key:\r\n{}\r\n", digits(&GROUPS)).as_bytes()), recovery));
        }
        for (access, how) in given_here {
            let unlocked = unlock(&sealed, &access).unwrap();
            assert_eq!(unlocked.how, format!("BitLocker ({name}), unlocked with {how}"));
            assert_eq!(codes(&unlocked), [""; 0]);
            same_bytes(&unlocked.source, &plain);
            let shown = format!("{unlocked:?} {:?} {:?}", access.password, BitLocker::open(&sealed).unwrap().facts());
            assert!(!shown.contains("pässwort") && !shown.contains("000011-"), "{shown}");
        }
        match by_dislocker(folder.path(), &[]) {
            Some(theirs) => assert!(theirs == plain, "{name}: dislocker reads {} other bytes", theirs.len()),
            None => without += 1,
        }
    }
    if without > 0 {
        skipped(without, "no dislocker-file");
    }
}

#[test]
fn files_of_unlocked_volumes_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    for to_go in [false, true] {
        let Some(truth) = with_files(dir, to_go) else {
            skipped(1, "no mkntfs and ntfscp, or no mkfs.fat and mcopy");
            continue;
        };
        let plain = std::fs::read(dir.join("plain.img")).unwrap();
        let plan =
            Plan { to_go, ..Plan::new(0x8004, &[Way::Startup(STARTUP), Way::Clear([3; 32]), Way::Other(0x0500)]) };
        std::fs::write(dir.join("made.img"), make(&plain, &plan).image).unwrap();
        let evidence = Evidence::open_with(&dir.join("made.img"), &Access::default()).unwrap();
        let how = &evidence.volumes[0].layers[0];
        let start = if to_go { "BitLocker To Go (" } else { "BitLocker (" };
        let rest = "AES-XTS 128), unlocked with the clear key that lies on it: its protection was suspended, and it asks for nothing";
        assert_eq!(*how, format!("{start}{rest}"));
        // The boot sector of the file system may read as a partition table too.
        assert!(evidence.problems.iter().all(|p| p.code == "table-beside-signature"), "{:?}", evidence.problems);
        assert_eq!(evidence.locked, 0);
        let found = files(&evidence.volumes[0]);
        let found: BTreeMap<_, _> = found.into_iter().filter(|(name, _)| truth.contains_key(name)).collect();
        assert_eq!(found, truth);

        // Without the clear key it stays locked, and says what it asks for.
        let plan = Plan { ways: vec![Way::Startup(STARTUP), Way::Other(0x0500)], ..plan };
        std::fs::write(dir.join("made.img"), make(&plain, &plan).image).unwrap();
        let evidence = Evidence::open_with(&dir.join("made.img"), &Access::default()).unwrap();
        assert!(evidence.problems.iter().all(|p| p.code == "table-beside-signature"), "{:?}", evidence.problems);
        assert_eq!(evidence.locked, 1);
        let VolumeState::NotRead { what, certain: true, detail } = &evidence.volumes[0].state else { panic!() };
        assert_eq!(what, "BitLocker volume");
        let id = id_text(0);
        let asks = format!("it opens with a startup key (file {id}.BEK), or TPM with PIN (not read here)");
        assert_eq!(
            *detail,
            format!("AES-XTS 128; it stayed locked: neither a password nor a key file was given; {asks}")
        );
        let evidence = Evidence::open_with(&dir.join("made.img"), &with_key_file(&startup_file(0, &STARTUP))).unwrap();
        assert!(files(&evidence.volumes[0]).contains_key("/two.bin"));
    }
}

/// What only a chip opens is not asked for.
#[test]
fn what_nothing_that_is_given_opens_is_named() {
    for (kind, word) in [
        (0x0100, "TPM"),
        (0x0300, "TPM with startup key"),
        (0x0700, "TPM with PIN with startup key"),
        (0x1000, "smart card or certificate"),
        (0x4000, "protector of the unknown kind 4000"),
    ] {
        let sealed = memory(make(&pattern(), &Plan::new(0x8004, &[Way::Other(kind)])).image);
        let locked = unlock(&sealed, &Access::default()).unwrap_err();
        assert_eq!(locked, Locked::NotRead(format!("it opens with {word} (not read here)")));
        let locked = unlock(&sealed, &given("x")).unwrap_err();
        let text = format!("the password given does not open it; it opens with {word} (not read here)");
        assert_eq!(locked, Locked::WrongKey(text));
    }
    let sealed = memory(make(&pattern(), &Plan::new(0x8004, &[])).image);
    assert_eq!(why(&sealed, &Access::default()), "nothing opens it: it has no key protector");
    // Work is bounded whatever is asked for.
    let sealed = memory(make(&pattern(), &Plan::new(0x8004, &[Way::Password("x")])).image);
    let volume = BitLocker::open(&sealed).unwrap();
    let locked = volume.unlock(&given("x"), &mut Work::at_most((1 << 20) - 1)).unwrap_err();
    assert!(locked.to_string().starts_with("the work that is spent"), "{locked}");
    let before = std::time::Instant::now();
    assert!(volume.unlock(&given("x"), &mut Work::at_most(1 << 20)).is_ok());
    println!("one password on one protector: {} ms", before.elapsed().as_millis());
}

/// Encryption or decryption that was paused or cut off: what is encrypted, what is not, and what was under way.
#[test]
fn volumes_that_are_encrypted_in_part_are_read_in_both_parts() {
    let plain = pattern();
    let access = with_key_file(&startup_file(0, &STARTUP));
    let base = Plan::new(0x8002, &[Way::Startup(STARTUP)]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("made.BEK"), startup_file(0, &STARTUP)).unwrap();
    for encrypted in [0, 4096, 300 * 512, 602_112, 700 << 10, plain.len() as u64 - 512, plain.len() as u64] {
        let plan = Plan { encrypted: Some(encrypted), state: 5, ..base.clone() };
        let made = make(&plain, &plan);
        std::fs::write(folder.path().join("made.img"), &made.image).unwrap();
        let unlocked = unlock(&memory(made.image), &access).unwrap();
        let open = encrypted < plain.len() as u64 - 512;
        assert_eq!(codes(&unlocked).contains(&"bitlocker-partly-encrypted"), open, "{encrypted}");
        same_bytes(&unlocked.source, &plain);
        // It takes what is encrypted for the whole volume, and nothing for no volume; with `-s` it reads one that was paused.
        if encrypted == 0 {
            continue;
        }
        match by_dislocker(folder.path(), &["-s"]) {
            Some(theirs) => {
                let n = theirs.len().min(encrypted as usize);
                assert!(n > 0 && theirs[..n] == plain[..n], "dislocker at {encrypted}: {n}");
            }
            None => skipped(1, "no dislocker-file"),
        }
    }
    // What was under way is an error where it is read, and nothing else is.
    let plan = Plan { encrypted: Some(400 << 10), converting: 10_000, state: 2, ..base.clone() };
    let unlocked = unlock(&memory(make(&plain, &plan).image), &access).unwrap();
    assert_eq!(codes(&unlocked), ["bitlocker-converting", "bitlocker-partly-encrypted"]);
    let (from, to) = (400 << 10, (400 << 10) + 10_240);
    assert!(read_up_to(&unlocked.source, 0, from).unwrap() == plain[..from]);
    assert!(read_up_to(&unlocked.source, to as u64, plain.len()).unwrap() == plain[to..]);
    for (at, bad) in [(from as u64 - 10, from as u64), (to as u64 - 1, to as u64 - 1)] {
        let error = unlocked.source.read_at(at, &mut [0; 100]).unwrap_err();
        assert_eq!((error.offset, error.layer), (bad, "bitlocker"));
    }
    // The other ways in which Windows says where the first sectors lie.
    let made = make(&plain, &Plan { moved_entry: false, ..base.clone() });
    same_bytes(&unlock(&memory(made.image), &access).unwrap().source, &plain);
    for (plan, text) in [
        (Plan { on_write: true, ..base.clone() }, "is the right key, but it is encrypted as it is written to"),
        (Plan { state: 3, ..base.clone() }, "is the right key, but it is in a state that is not known (3)"),
        (Plan { encrypted: Some(1000), ..base.clone() }, "name places that are no whole sectors"),
    ] {
        let shown = why(&memory(make(&plain, &plan).image), &access);
        assert!(shown.contains(text), "{shown}");
    }
    // Cut, and with more behind it.
    let mut image = make(&plain, &base).image;
    image.truncate(image.len() - 700);
    let unlocked = unlock(&memory(image.clone()), &access).unwrap();
    assert_eq!((codes(&unlocked), unlocked.source.len()), (vec!["bitlocker-cut"], plain.len() as u64 - 1024));
    image = make(&plain, &base).image;
    image.extend([7; 512]);
    let unlocked = unlock(&memory(image), &access).unwrap();
    assert_eq!(codes(&unlocked), [""; 0]);
    same_bytes(&unlocked.source, &[&plain[..], &[7; 512]].concat());
}

/// Changes each copy and makes its checksum right again.
fn change(made: &Made, what: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut image = made.image.clone();
    for at in made.copies {
        let body = &mut image[at..at + made.block];
        what(body);
        let sum = made::crc(body);
        image[at + made.block + 4..at + made.block + 8].copy_from_slice(&sum.to_le_bytes());
    }
    image
}

#[test]
fn any_copy_of_the_metadata_serves_and_damage_is_said() {
    let plain = pattern();
    let access = with_key_file(&startup_file(0, &STARTUP));
    let made = make(&plain, &Plan::new(0x8004, &[Way::Startup(STARTUP)]));
    for (bad, reasons) in [
        (vec![0], vec!["copy 1: its checksum does not agree"]),
        (vec![1, 2], vec!["copy 2: its checksum", "copy 3: its checksum"]),
        (vec![0, 1], vec!["copy 1: its checksum", "copy 2: its checksum"]),
    ] {
        let mut image = made.image.clone();
        bad.iter().for_each(|copy| image[made.copies[*copy] + 120] ^= 1);
        let unlocked = unlock(&memory(image), &access).unwrap();
        assert_eq!(codes(&unlocked), ["bitlocker-metadata-copy-used"]);
        assert!(reasons.iter().all(|r| unlocked.problems[0].detail.contains(r)), "{:?}", unlocked.problems);
        same_bytes(&unlocked.source, &plain);
    }
    // A copy that is gone, one at another place, and one that says something else.
    let mut image = made.image.clone();
    image[made.copies[0]..made.copies[0] + 65536].fill(0);
    image[160 + 16 + 8..160 + 16 + 16].copy_from_slice(&u64::MAX.to_le_bytes());
    let unlocked = unlock(&memory(image), &access).unwrap();
    let detail = &unlocked.problems[0].detail;
    assert!(detail.contains("copy 1: it is not there; copy 2: its place cannot be"), "{detail}");
    same_bytes(&unlocked.source, &plain);
    let newer = change(&made, |body| body[104] ^= 1);
    let mut image = made.image.clone();
    let second = made.copies[1]..made.copies[1] + 65536;
    image[second.clone()].copy_from_slice(&newer[second]);
    assert_eq!(codes(&unlock(&memory(image), &access).unwrap()), ["bitlocker-metadata-copies-differ"]);
    // All of them changed with their checksums: the digest that is sealed with the key tells.
    let unlocked = unlock(&memory(newer), &access).unwrap();
    assert_eq!(codes(&unlocked), ["bitlocker-metadata-altered"]);
    let wrong = change(&made, |body| body[100] = 6);
    let shown = why(&memory(wrong), &access);
    assert!(shown.contains("is the right key, but its cipher (method 8006) is not read"), "{shown}");
    let wrong = change(&made, |body| body[100] = 2);
    let shown = why(&memory(wrong), &access);
    assert!(shown.contains("opens the master key, but the key of the data does not fit"), "{shown}");
    // None holds: named, with the reason, and nothing read.
    let mut image = made.image.clone();
    made.copies.iter().for_each(|at| image[at + 120] ^= 1);
    let folder = tempfile::tempdir().unwrap();
    for (name, damage, code, text) in [
        (
            "copies.img",
            3usize,
            "bitlocker-metadata-damaged",
            "none of the three copies of its metadata holds (copy 1: its checksum",
        ),
        (
            "vista.img",
            1,
            "bitlocker-not-read",
            "a BitLocker volume as Windows Vista makes it is recognised but not read",
        ),
        ("guid.img", 165, "bitlocker-metadata-damaged", "the identifier in the boot sector is not known"),
        ("sector.img", 12, "bitlocker-metadata-damaged", "the size of a sector cannot be"),
    ] {
        let mut bytes = if damage == 3 { image.clone() } else { made.image.clone() };
        match damage {
            3 => {}
            at => bytes[at] = 0x52,
        }
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let evidence = Evidence::open_with(&path, &access).unwrap();
        assert_eq!(evidence.problems.iter().map(|p| p.code).collect::<Vec<_>>(), [code]);
        let VolumeState::NotRead { what, detail, .. } = &evidence.volumes[0].state else { panic!("{name}") };
        assert!(what == "BitLocker volume" && detail.contains(text), "{detail}");
    }
}

#[test]
fn damage_opens_to_the_same_bytes_or_says_so() {
    let plain = pattern();
    let access = with_key_file(&startup_file(2, &STARTUP));
    let made = make(&plain, &Plan::new(0x8001, &[Way::Clear([1; 32]), Way::Other(0x0800), Way::Startup(STARTUP)]));
    let mut random = Random(0xB17DA11);
    let (mut opened, mut locked, mut refused, mut failed) = (0, 0, 0, 0);
    for round in 0..200 {
        let mut image = made.image.clone();
        for _ in 0..=random.next() % 4 {
            // In the boot sector or in what a copy holds; most often in all of them alike.
            let (at, all) = match random.next() % 8 {
                0 => (random.next() as usize % 512, false),
                1 => (made.copies[random.next() as usize % 3] + random.next() as usize % (made.block + 96), false),
                _ => (random.next() as usize % made.block, true),
            };
            let value = random.next() as u8;
            let flip = random.next().is_multiple_of(2);
            let places: Vec<usize> = if all { made.copies.iter().map(|c| c + at).collect() } else { vec![at] };
            for place in places {
                image[place] = if flip { image[place] ^ (1 << (value % 8)) } else { value };
            }
        }
        if round % 8 > 0 {
            let damaged = Made { image: image.clone(), ..make_places(&made) };
            image = change(&damaged, |_| {});
        }
        if random.next().is_multiple_of(10) {
            image.truncate(random.next() as usize % image.len());
        }
        let source = memory(image);
        let volume = match BitLocker::open(&source) {
            Ok(volume) => volume,
            Err(OpenError::Malformed { layer, .. }) => {
                assert_eq!(layer, "bitlocker");
                refused += 1;
                continue;
            }
            Err(OpenError::Unsupported { .. }) => {
                refused += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        match volume.unlock(&access, &mut Work::at_most(100_000)) {
            Err(why) => {
                assert!(!why.to_string().is_empty());
                locked += 1;
            }
            Ok(unlocked) => {
                opened += 1;
                assert!(unlocked.source.len() <= source.len());
                failed += usize::from(some_reads_fail(&*unlocked.source, 70_000));
                let reported = codes(&unlocked);
                if reported.iter().all(|code| code.starts_with("bitlocker-metadata-cop")) {
                    assert!(
                        read_up_to(&unlocked.source, 0, plain.len()).unwrap() == plain,
                        "round {round}: {reported:?}"
                    );
                }
            }
        }
    }
    println!("{opened} opened, {locked} locked, {refused} refused, {failed} with reads that fail");
    assert!(opened > 20 && locked > 5 && refused > 5, "{opened} {locked} {refused}");
}

fn make_places(made: &Made) -> Made {
    Made { image: vec![], copies: made.copies, moved_to: made.moved_to, moved: made.moved, block: made.block }
}
