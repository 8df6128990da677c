//! A FileVault 2 volume that macOS made (where `AVOCET_VOLUMES` names a folder of such), one built here, damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::sync::Arc;

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::Unlocked;
use avocet_evidence::volume::corestorage::{CoreStorage, Facts, Locked};
use avocet_evidence::volume::luks::Work;
use avocet_evidence::{Evidence, MemorySource, OpenError, Source, VolumeState, read_up_to};
use sha2::Digest;

use crate::hfs;
use crate::support::{Random, collect, output_in, skipped, volumes};
use crate::tcrypt::one_way;

fn given(password: &str) -> Access {
    Access { password: Some(Secret::new(password.as_bytes().to_vec())), ..Access::default() }
}

fn uuid(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn sha256(source: &Arc<dyn Source>) -> String {
    let (mut hasher, mut at, mut buf) = (sha2::Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        let n = source.read_at(at, &mut buf).unwrap();
        if n == 0 {
            return hasher.finalize().iter().map(|b| format!("{b:02x}")).collect();
        }
        hasher.update(&buf[..n]);
        at += n as u64;
    }
}

/// The volume of cryptsetup's own tests: what they say of it, and the digest of its plain bytes that they give.
#[test]
fn a_volume_that_macos_encrypted_opens_with_its_password() {
    let Some(folder) = volumes("fvault2-images") else {
        return skipped(1, "AVOCET_VOLUMES names no folder of volumes");
    };
    let path = folder.join("small");
    let evidence = Evidence::open_with(&path, &Access::default()).unwrap();
    assert_eq!((evidence.locked, evidence.volumes[0].state.word()), (1, "recognised"));
    let source = Arc::clone(evidence.source().unwrap());
    let store = CoreStorage::open(&source).unwrap();
    assert_eq!((store.volumes(), store.problems()), (1, vec![]));
    let facts = store.facts(0).unwrap();
    assert_eq!(uuid(facts.physical), "fc52bfae-5a1f-4f9b-b3a6-f33303a0e401");
    assert_eq!(uuid(facts.family), "33a76caa-1481-4bc5-8d04-1ac1707c19c0");
    assert_eq!((facts.offset, facts.size, facts.pieces), (67_108_864, 167_772_160, 1));
    assert_eq!(facts.rounds, [204_222]);
    dumped(&path, &facts);
    let unlocked = store.unlock(0, &given("heslo123"), &mut Work::default()).unwrap();
    assert_eq!(unlocked.source.len(), facts.size);
    let whole = "2c662e36c0f7e2f5583e6a939bbcbdc660805692d0fccaa45ad4052beb3b8e18";
    assert_eq!(sha256(&unlocked.source), whole);
    let wrong = store.unlock(0, &given("heslo124"), &mut Work::default()).unwrap_err();
    assert_eq!((wrong.clone(), wrong.code()), (Locked::WrongKey(1), Some("corestorage-wrong-key")));
    let evidence = Evidence::open_with(&path, &given("heslo123")).unwrap();
    assert_eq!(evidence.volumes[0].layers, [unlocked.how]);
    // Blocks of it were zeroed before it was packed, so that its catalogue is noise.
    let state = &evidence.volumes[0].state;
    assert!(matches!(state, VolumeState::Failed { what: "HFS+", .. }), "{:?}", evidence.volumes);
}

/// What cryptsetup prints of the volume, where it can read it.
fn dumped(path: &std::path::Path, facts: &Facts) {
    let Some(dump) = output_in(path.parent().unwrap(), "cryptsetup", &["fvault2Dump", "small"]) else {
        return skipped(1, "no cryptsetup that knows FileVault");
    };
    let shown = |name: &str| dump.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    assert_eq!(shown("Physical volume UUID:"), uuid(facts.physical));
    assert_eq!(shown("Family UUID:"), uuid(facts.family));
    assert_eq!(shown("Logical volume offset:"), format!("{} [bytes]", facts.offset));
    assert_eq!(shown("Logical volume size:"), format!("{} [bytes]", facts.size));
    assert_eq!(shown("PBKDF2 iterations:"), facts.rounds[0].to_string());
}

const PASSWORD: &str = "correct horse";
const RECOVERY: &str = "35AJ-AC98-TI1H-N4M3-HDUQ-UQFG";
const KEY: [u8; 16] = [0x11; 16];
const PHYSICAL: [u8; 16] = [0x22; 16];
const FAMILY: [u8; 16] = [0xAB; 16];
const BLOCK: usize = 4096;
/// Where the label, what it points to and the list begin, in blocks, and the pieces of the data.
const LABEL: usize = 1;
const LIST: usize = 8;
const FIRST: usize = 32;

fn crc32c(data: &[u8]) -> u32 {
    let step = |crc: u32, _: u32| if crc & 1 == 1 { (crc >> 1) ^ 0x82F6_3B78 } else { crc >> 1 };
    data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn summed(block: &mut [u8]) {
    block[4..8].fill(0xFF);
    let sum = crc32c(&block[8..]);
    block[..4].copy_from_slice(&sum.to_le_bytes());
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A block with its kind, transaction and object.
fn block(kind: u16, transaction: u64, object: u64) -> Vec<u8> {
    let mut out = vec![0; 8192];
    put(&mut out, 8, &1u16.to_le_bytes());
    put(&mut out, 10, &kind.to_le_bytes());
    put(&mut out, 16, &transaction.to_le_bytes());
    put(&mut out, 24, &object.to_le_bytes());
    out
}

/// Wraps a key of 16 bytes (RFC 3394).
fn wrapped(with: &[u8], key: &[u8; 16]) -> Vec<u8> {
    let cipher = aes::Aes128Enc::new_from_slice(with).unwrap();
    let mut a = [0xA6u8; 8];
    let mut halves = [<[u8; 8]>::try_from(&key[..8]).unwrap(), key[8..].try_into().unwrap()];
    for t in 1..=12u64 {
        let half = &mut halves[usize::from(t % 2 == 0)];
        let mut one = Array::from([0; 16]);
        one[..8].copy_from_slice(&a);
        one[8..].copy_from_slice(half);
        cipher.encrypt_block(&mut one);
        a = (u64::from_be_bytes(one[..8].try_into().unwrap()) ^ t).to_be_bytes();
        half.copy_from_slice(&one[8..]);
    }
    [a, halves[0], halves[1]].concat()
}

fn base64(data: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(data)
}

fn user(password: &str, rounds: u32, between: &[u8; 16]) -> String {
    let mut out = vec![0; 284];
    for (at, value) in [(0, 3u32), (4, 16), (24, 16), (28, 24), (168, rounds)] {
        put(&mut out, at, &value.to_le_bytes());
    }
    let salt = [password.len() as u8; 16];
    put(&mut out, 8, &salt);
    let mut key = [0; 16];
    pbkdf2::pbkdf2::<hmac::Hmac<sha2::Sha256>>(password.as_bytes(), &salt, rounds, &mut key).unwrap();
    put(&mut out, 32, &wrapped(&key, between));
    format!("<dict><key>PassphraseWrappedKEKStruct</key><data>{}</data></dict>", base64(&out))
}

/// What may be different in a list.
struct Options {
    status: &'static str,
    packed: bool,
    context: bool,
    disk: u16,
    /// As the file of a recovery partition has it.
    root: bool,
}

const USUAL: Options = Options { status: "Complete", packed: false, context: true, disk: 0, root: false };

fn list_of(options: &Options, key: &[u8; 16]) -> String {
    let between = [0x77; 16];
    let users = format!(
        "{}{}<dict><key>UserIdent</key><string>no password</string></dict>",
        user(RECOVERY, 900, &between),
        user(PASSWORD, 1000, &between)
    );
    let mut wrap = vec![0; 256];
    put(&mut wrap, 0, &2u32.to_le_bytes());
    put(&mut wrap, 4, &24u32.to_le_bytes());
    put(&mut wrap, 8, &wrapped(&between, key));
    let keys = format!(
        "<dict><key>BlockAlgorithm</key><string ID=\"5\">AES-XTS</string><key>KEKWrappedVolumeKeyStruct</key>\
         <data>{}</data></dict><dict><key>BlockAlgorithm</key><string>None</string></dict>",
        base64(&wrap)
    );
    let inner = format!(
        "<dict ID=\"1\"><key>CryptoUsers</key><array ID=\"2\">{users}</array><key>WrappedVolumeKeys</key><array>{keys}</array><key>ConversionInfo</key><dict>\
         <key>ConversionStatus</key><string>{}</string></dict></dict>",
        options.status
    );
    if options.root {
        return format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n{inner}\n</plist>\n");
    }
    let context = format!("<key>com.apple.corestorage.lvf.encryption.context</key>{inner}");
    let context = if options.context { context } else { String::new() };
    format!("<dict ID=\"0\">{context}<key>com.apple.corestorage.lvf.uuid</key><string>{}</string></dict>", uuid(FAMILY))
}

/// The blocks of the list, in plain.
fn blocks(options: &Options, bytes: usize, key: &[u8; 16]) -> Vec<Vec<u8>> {
    // An older one, whose keys open nothing.
    let mut old = block(0x19, 3, 10);
    let text = list_of(&USUAL, &[0; 16]);
    put(&mut old, 64 + 40, &[(text.len() as u32).to_le_bytes(); 2].concat());
    put(&mut old, 64 + 48, &[944u32.to_le_bytes(), (text.len() as u32).to_le_bytes()].concat());
    put(&mut old, 944, text.as_bytes());
    let mut family = block(0x19, 5, 10);
    let text = list_of(options, key);
    let stored = if options.packed {
        use std::io::Write as _;
        let mut encoder = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    } else {
        text.clone().into_bytes()
    };
    // Packed ones go on in another block.
    let here = if options.packed { stored.len() / 2 } else { stored.len() };
    put(&mut family, 64 + 40, &(stored.len() as u32).to_le_bytes());
    put(&mut family, 64 + 44, &(text.len() as u32).to_le_bytes());
    put(&mut family, 64 + 48, &[944u32.to_le_bytes(), (here as u32).to_le_bytes()].concat());
    put(&mut family, 944, &stored[..here]);
    let mut more = block(0x24, 5, 12);
    if here < stored.len() {
        put(&mut family, 64 + 32, &12u64.to_le_bytes());
        put(&mut more, 64 + 8, &((stored.len() - here) as u32).to_le_bytes());
        put(&mut more, 64 + 16, &stored[here..]);
    }
    let mut logical = block(0x1A, 5, 11);
    put(&mut logical, 64, &[10u64.to_le_bytes(), 8u64.to_le_bytes()].concat());
    let text = format!(
        "<dict><key>com.apple.corestorage.lv.uuid</key><string>{}</string><key>com.apple.corestorage.lv.familyUUID</key>\
         <string>{}</string><key>com.apple.corestorage.lv.size</key><integer size=\"64\">{bytes:#x}</integer></dict>",
        uuid([0xCD; 16]),
        uuid(FAMILY)
    );
    put(&mut logical, 64 + 56, &[(text.len() as u32).to_le_bytes(); 2].concat());
    put(&mut logical, 64 + 64, &[184u32.to_le_bytes(), (text.len() as u32).to_le_bytes()].concat());
    put(&mut logical, 184, text.as_bytes());
    // Two pieces, of which the second lies first.
    let mut extents = block(0x305, 5, 8);
    let total = bytes / BLOCK;
    let half = total / 2;
    put(&mut extents, 64, &2u32.to_le_bytes());
    for (i, (first, place, n)) in [(half, FIRST, total - half), (0, FIRST + total - half, half)].iter().enumerate() {
        let at = 64 + 8 + i * 40;
        put(&mut extents, at + 8, &(*first as u64).to_le_bytes());
        put(&mut extents, at + 16, &(*n as u32).to_le_bytes());
        put(&mut extents, at + 32, &((*place as u64) | (u64::from(options.disk) << 48)).to_le_bytes());
    }
    vec![old, family, more, logical, extents]
}

/// A physical volume with one logical volume, whose blocks of the list are changed before they get their sum.
fn volume(options: &Options, plain: &[u8], change: &dyn Fn(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let key = [0x42; 16];
    let mut list = blocks(options, plain.len(), &key);
    change(&mut list);
    let mut out = vec![0; FIRST * BLOCK];
    let mut header = vec![0; 512];
    put(&mut header, 8, &1u16.to_le_bytes());
    put(&mut header, 10, &0x10u16.to_le_bytes());
    put(&mut header, 88, b"CS");
    for (at, value) in [(90, 1u32), (96, BLOCK as u32), (100, 7 * BLOCK as u32), (168, 16), (172, 2)] {
        put(&mut header, at, &value.to_le_bytes());
    }
    put(&mut header, 104, &(LABEL as u64).to_le_bytes());
    put(&mut header, 176, &KEY);
    put(&mut header, 304, &PHYSICAL);
    summed(&mut header);
    put(&mut out, 0, &header);
    let mut label = block(0x11, 1, 0);
    put(&mut label, 64 + 156, &8192u32.to_le_bytes());
    summed(&mut label);
    put(&mut out, LABEL * BLOCK, &label);
    let at = LABEL * BLOCK + 8192;
    put(&mut out, at + 8, &12u64.to_le_bytes());
    put(&mut out, at + 32, &(LIST as u64).to_le_bytes());
    for (i, mut one) in list.into_iter().enumerate() {
        summed(&mut one);
        one_way::<aes::Aes128>(&KEY, &PHYSICAL, i as u64, &mut one);
        put(&mut out, LIST * BLOCK + i * 8192, &one);
    }
    let tweak = sha2::Sha256::digest([key, FAMILY].concat());
    let mut sealed = plain.to_vec();
    for (number, sector) in sealed.chunks_exact_mut(512).enumerate() {
        one_way::<aes::Aes128>(&key, &tweak[..16], number as u64, sector);
    }
    let (first, second) = sealed.split_at(plain.len() / BLOCK / 2 * BLOCK);
    [out, second.to_vec(), first.to_vec()].concat()
}

fn plain() -> Vec<u8> {
    (0..5 * BLOCK).map(|i| (i / 512 + i % 11) as u8).collect()
}

fn open(bytes: Vec<u8>) -> Result<CoreStorage, OpenError> {
    CoreStorage::open(&(Arc::new(MemorySource(bytes)) as Arc<dyn Source>))
}

fn unlock(bytes: Vec<u8>, access: &Access) -> Result<Unlocked, Locked> {
    open(bytes).unwrap().unlock(0, access, &mut Work::default())
}

#[test]
fn every_user_opens_a_volume_of_several_pieces() {
    let data = plain();
    for packed in [false, true] {
        let image = volume(&Options { packed, ..USUAL }, &data, &|_| {});
        for secret in [PASSWORD, RECOVERY] {
            let unlocked = unlock(image.clone(), &given(secret)).unwrap();
            assert!(read_up_to(&unlocked.source, 0, data.len() + 1).unwrap() == data, "{packed} {secret}");
            for (at, n) in [(1, 1), (511, 1025), (2 * BLOCK - 3, 700), (5 * BLOCK - 1, 9)] {
                let mut some = vec![0; n];
                let got = unlocked.source.read_at(at as u64, &mut some).unwrap();
                assert_eq!(some[..got], data[at..(at + n).min(data.len())]);
            }
            assert_eq!(unlocked.how, "CoreStorage (FileVault 2, AES-128 in XTS mode), unlocked with the password");
        }
        let key_file = Access { key_file: given(PASSWORD).password, ..Access::default() };
        assert!(unlock(image.clone(), &key_file).unwrap().how.ends_with("the key file"));
        let wrong = unlock(image.clone(), &given("wrong")).unwrap_err();
        assert_eq!(wrong.to_string(), "what was given does not open it for any of 3 users");
        assert_eq!(unlock(image, &Access::default()).unwrap_err(), Locked::NothingGiven);
    }
}

#[test]
fn what_cannot_be_unlocked_says_why() {
    let data = plain();
    let said = |options: &Options, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        unlock(volume(options, &data, change), &given(PASSWORD)).unwrap_err().to_string()
    };
    let nothing: &dyn Fn(&mut Vec<Vec<u8>>) = &|_| {};
    assert!(said(&Options { status: "Converting", ..USUAL }, nothing).contains("which was not finished"));
    assert!(said(&Options { context: false, ..USUAL }, nothing).contains("of a recovery partition"));
    assert!(said(&Options { disk: 1, ..USUAL }, nothing).contains("on another disk"));
    assert!(said(&USUAL, &|list| put(&mut list[4], 64 + 8 + 8, &3u64.to_le_bytes())).contains("leave gaps"));
    assert!(said(&USUAL, &|list| put(&mut list[4], 64, &1u32.to_le_bytes())).contains("leave gaps"));
    assert!(said(&USUAL, &|list| put(&mut list[4], 64, &9999u32.to_le_bytes())).contains("cannot be"));
    let image = volume(&USUAL, &data, &|_| {});
    let store = open(image.clone()).unwrap();
    let error = store.unlock(0, &given(PASSWORD), &mut Work::at_most(1000)).unwrap_err();
    assert_eq!(error.code(), Some("corestorage-not-tried"));
    // A block of the list, the label, the header.
    let broken = |at: usize| {
        let mut bytes = image.clone();
        bytes[at] ^= 1;
        open(bytes)
    };
    let store = broken(LIST * BLOCK + 100).unwrap();
    assert_eq!(store.problems()[0].code, "corestorage-list-damaged");
    assert!(store.unlock(0, &given(PASSWORD), &mut Work::default()).is_ok(), "the newer list is the other one");
    assert!(broken(LABEL * BLOCK + 100).err().unwrap().to_string().contains("none of the labels"));
    assert!(broken(100).err().unwrap().to_string().contains("does not agree with its sum"));
    let cut = unlock(image[..image.len() - 2000].to_vec(), &given(PASSWORD)).unwrap();
    assert_eq!(cut.problems[0].code, "corestorage-cut");
    assert!(cut.source.read_at(0, &mut vec![0; data.len()]).is_err());
}

/// A disk as a Mac starts from: the volume of the system, and the recovery partition with its users.
#[test]
fn the_volume_of_a_system_opens_by_the_list_in_the_recovery_partition() {
    let data = hfs::with_file("one.txt", b"one");
    let image = volume(&Options { context: false, ..USUAL }, &data, &|_| {});
    let text = list_of(&Options { root: true, ..USUAL }, &[0x42; 16]);
    let mut root = text.into_bytes();
    root.resize(root.len().next_multiple_of(16), b'\n');
    one_way::<aes::Aes128>(&KEY, &[0; 16], 0, &mut root);
    let disk = |recovery: Vec<u8>| {
        let mut disk = vec![0; 64 * 512];
        for (i, image) in [&image, &recovery].into_iter().enumerate() {
            let entry = 446 + i * 16;
            disk[entry + 4] = 0xAF;
            let (first, sectors) = (disk.len() as u32 / 512, image.len() as u32 / 512);
            put(&mut disk, entry + 8, &[first.to_le_bytes(), sectors.to_le_bytes()].concat());
            disk.extend_from_slice(image);
        }
        put(&mut disk, 510, &[0x55, 0xAA]);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("disk"), disk).unwrap();
        Evidence::open_with(&folder.path().join("disk"), &given(PASSWORD)).unwrap()
    };
    let evidence = disk(hfs::with_file("EncryptedRoot.plist.wipekey", &root));
    let VolumeState::Read { fs, .. } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
    assert!(collect(fs.as_ref()).entries.iter().any(|e| e.path == "/one.txt"));
    assert!(evidence.volumes[0].layers[0].starts_with("CoreStorage"));
    // Without it, or with that of another disk, the volume is named.
    root[40] ^= 1;
    for other in [hfs::with_file("EncryptedRoot.plist.wipekey", &root), hfs::with_file("else", &root)] {
        let evidence = disk(other);
        let VolumeState::NotRead { detail, .. } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
        assert!(detail.contains("EncryptedRoot.plist.wipekey of a recovery partition"), "{detail}");
    }
}

#[test]
fn damage_opens_to_the_same_bytes_or_not_at_all() {
    let data = plain();
    let mut random = Random(0xF11E_0A17);
    let (mut opened, mut locked, mut refused) = (0, 0, 0);
    for round in 0..200 {
        let seed = random.next();
        let mut image = volume(&Options { packed: round % 2 == 0, ..USUAL }, &data, &|list| {
            let mut random = Random(seed | 1);
            for _ in 0..=random.next() % 3 {
                let block = random.next() as usize % list.len();
                let block = &mut list[block];
                let used: Vec<usize> = (8..8192).filter(|at| block[*at] != 0).collect();
                let at = used[random.next() as usize % used.len()];
                block[at] = if random.next().is_multiple_of(2) { random.next() as u8 } else { block[at] ^ 1 };
            }
        });
        if round % 5 == 0 {
            let at = random.next() as usize % (FIRST * BLOCK);
            image[at] ^= 1 << (random.next() % 8);
        }
        if round % 10 == 3 {
            image.truncate(random.next() as usize % image.len());
        }
        match open(image) {
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
            Ok(store) => match store.unlock(0, &given(PASSWORD), &mut Work::at_most(200_000)) {
                Ok(unlocked) => {
                    opened += 1;
                    let n = unlocked.source.len().min(1 << 20) as usize;
                    let _ = read_up_to(&unlocked.source, 0, n);
                }
                Err(_) => locked += 1,
            },
        }
    }
    println!("{opened} opened, {locked} locked, {refused} refused");
    assert!(opened > 0 && locked > 0 && refused > 0, "{opened} {locked} {refused}");
}
