//! Volumes that TrueCrypt and VeraCrypt made (where `AVOCET_VOLUMES` names a folder of them), volumes built here, damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aes::cipher::consts::U16;
use aes::cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit};
use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::volume::tcrypt::{Brand, Facts, Locked, Unlocked, Work, may_be, unlock, unlock_system};
use avocet_evidence::{Evidence, MemorySource, Source, VolumeState, read_up_to};

use crate::support::{Random, collect, load, output_in, skipped, volumes};

/// What the authors of cryptsetup gave their volumes.
const PASSWORD: &str = "aaaaaaaaaaaa";
const HIDDEN: &str = "bbbbbbbbbbbb";
const LONG: &str = "aaaaaaaaaaaabbbbbbbbbbbbccccccccccccddddddddddddeeeeeeeeeeeeffffffffffff";
const WITH_PIM: &str = "cccccccccccccccccccc";

fn given(password: &str) -> Access {
    Access { password: Some(Secret::new(password.as_bytes().to_vec())), ..Access::default() }
}

fn pim(password: &str, pim: u32) -> Access {
    Access { veracrypt_pim: Some(pim), ..given(password) }
}

/// The number of a volume of FAT12 or FAT16.
fn serial(plain: &Arc<dyn Source>) -> u32 {
    let sector = read_up_to(plain, 0, 512).unwrap();
    assert_eq!(sector[510..], [0x55, 0xAA], "a boot sector");
    u32::from_le_bytes(sector[39..43].try_into().unwrap())
}

/// The volumes of a folder whose names begin so, in order.
fn named(folder: &Path, beginnings: &[&str]) -> Vec<(String, PathBuf)> {
    let mut out: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| (e.as_ref().unwrap().file_name().into_string().unwrap(), e.unwrap().path()))
        .filter(|(name, _)| beginnings.iter().any(|b| name.starts_with(b)) && name.contains("-xts-"))
        .collect();
    out.sort();
    out
}

/// Digest and ciphers that a name such as `vc_1-sha512-xts-aes-twofish-hidden` gives.
fn by_name(name: &str) -> (&'static str, String) {
    let mut parts = name.split('-').skip(1);
    let digest = match parts.next().unwrap() {
        "sha512" => "SHA-512",
        "sha256" => "SHA-256",
        "blake2s" => "BLAKE2s-256",
        "whirlpool" => "Whirlpool",
        "ripemd160" => "RIPEMD-160",
        "stribog512" => "Streebog",
        "argon2id" => "Argon2id",
        other => panic!("{other}"),
    };
    let capital = |word: &str| match word {
        "aes" => "AES".to_owned(),
        _ => word[..1].to_uppercase() + &word[1..],
    };
    let mut ciphers: Vec<String> = parts.skip(1).filter(|p| *p != "hidden").map(capital).collect();
    // Those with a cipher that only VeraCrypt has are named the other way round.
    if ciphers.iter().any(|c| c == "Kuznyechik") {
        ciphers.reverse();
    }
    (digest, ciphers.join("-"))
}

/// Opens a volume by the digest of its name, and checks what its header says and that a volume of FAT lies in it.
fn opens(name: &str, path: &Path, access: &Access, wanted: u32) -> Unlocked {
    let (digest, ciphers) = by_name(name);
    let source = load(path);
    assert!(may_be(&source), "{name}");
    let unlocked = unlock(&source, access, &mut Work::default().only(digest)).unwrap_or_else(|e| panic!("{name}: {e}"));
    let facts = &unlocked.facts;
    let brand = if name.starts_with('t') { Brand::TrueCrypt } else { Brand::VeraCrypt };
    assert_eq!((facts.brand, facts.digest, facts.ciphers), (brand, digest, ciphers.as_str()), "{name}");
    assert_eq!(facts.hidden, wanted == 0xCAFE_BABE, "{name}");
    assert_eq!(format!("{:08X}", serial(&unlocked.source)), format!("{wanted:08X}"), "{name}");
    unlocked
}

/// What cryptsetup prints of a header; `None` where it cannot read it without the kernel, as all but AES.
fn dumped(path: &Path, facts: &Facts, password: &str, hidden: bool) -> Option<()> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("pw"), password).unwrap();
    let hash = facts.digest.to_lowercase().replace("sha-", "sha").replace("md-", "md");
    let more = if hidden { "--tcrypt-hidden" } else { "--readonly" };
    let args = ["tcryptDump", "-q", "-h", &hash, "-c", "aes", "--disable-veracrypt", more];
    let dump = output_in(
        folder.path(),
        "sh",
        &["-c", &format!("cryptsetup {} \"$0\" < pw", args.join(" ")), path.to_str().unwrap()],
    )?;
    let shown = |name: &str| {
        let line = dump.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {dump}"));
        line.trim().to_owned()
    };
    assert_eq!(shown("Version:"), facts.version.to_string());
    assert_eq!(shown("Driver req.:"), format!("{:x}.{:x}", facts.needs >> 8, facts.needs & 0xFF));
    assert_eq!(shown("Sector size:"), facts.sector.to_string());
    assert_eq!(shown("PBKDF2 hash:"), hash);
    assert_eq!(shown("Cipher chain:"), facts.ciphers.to_lowercase());
    assert_eq!(shown("Cipher mode:"), "xts-plain64");
    assert_eq!(shown("MK bits:"), (facts.key_bytes * 8).to_string());
    // Where a hidden volume of version 3 begins is worked out, and cryptsetup prints what is written down.
    if facts.version > 3 || !hidden {
        assert_eq!(shown("MK offset:"), facts.offset.to_string());
    }
    Some(())
}

#[test]
fn volumes_that_truecrypt_made_open() {
    let Some(folder) = volumes("tcrypt-images") else {
        return skipped(41, "AVOCET_VOLUMES names no folder of volumes");
    };
    let mut hidden = 0;
    let mut compared = 0;
    let list = named(&folder, &["tc_3", "tc_4", "tc_5"]);
    assert_eq!(list.len(), 34);
    for (name, path) in &list {
        let unlocked = opens(name, path, &given(PASSWORD), 0xDEAD_BABE);
        let codes: Vec<_> = unlocked.problems.iter().map(|p| p.code).collect();
        assert_eq!(codes, ["tcrypt-may-hide"], "{name}");
        if unlocked.facts.ciphers == "AES" {
            compared += usize::from(dumped(path, &unlocked.facts, PASSWORD, false).is_some());
        }
        if name.ends_with("hidden") {
            hidden += 1;
            let unlocked = opens(name, path, &given(HIDDEN), 0xCAFE_BABE);
            assert!(unlocked.problems.is_empty() && unlocked.how.contains("(hidden volume, "), "{}", unlocked.how);
            if unlocked.facts.ciphers == "AES" {
                compared += usize::from(dumped(path, &unlocked.facts, HIDDEN, true).is_some());
            }
        }
        // As evidence, with nothing known of it.
        let evidence = Evidence::open_with(path, &given(PASSWORD)).unwrap();
        assert_eq!(evidence.volumes[0].layers, [opens(name, path, &given(PASSWORD), 0xDEAD_BABE).how]);
        let VolumeState::Read { fs, .. } = &evidence.volumes[0].state else { panic!("{name} {:?}", evidence.volumes) };
        assert!(fs.facts().kind.starts_with("fat"), "{name}");
    }
    assert_eq!(hidden, 6);
    let keys = ["keyfile1", "keyfile2"].map(|k| Secret::new(std::fs::read(folder.join(k)).unwrap()));
    let [first, second] = keys;
    let access = Access { key_file: Some(first), more_key_files: vec![second], ..given(PASSWORD) };
    let unlocked = opens("tck_5-sha512-xts-aes", &folder.join("tck_5-sha512-xts-aes"), &access, 0xDEAD_BABE);
    assert!(unlocked.how.contains("unlocked with the password and the key files"), "{}", unlocked.how);
    if compared == 0 {
        skipped(12, "no cryptsetup that reads the header");
    }
    println!("{} volumes, {hidden} hidden ones, {compared} headers as cryptsetup shows them", list.len() + 1);
}

/// Opens the volumes of VeraCrypt whose digest is among these, or is not; how many there were.
fn veracrypt(digests: &[&str], among: bool) -> Option<usize> {
    let folder = volumes("tcrypt-images")?;
    let mut list = named(&folder, &["vc_1"]);
    list.retain(|(name, _)| digests.contains(&by_name(name).0) == among);
    for (name, path) in &list {
        let unlocked = opens(name, path, &given(PASSWORD), 0xDEAD_BABE);
        assert!(unlocked.how.starts_with("VeraCrypt (") && unlocked.how.contains("password (outer volume, "));
    }
    Some(list.len())
}

#[test]
fn volumes_that_veracrypt_made_open() {
    let Some(found) = veracrypt(&["SHA-512"], true) else {
        return skipped(9, "AVOCET_VOLUMES names no folder of volumes");
    };
    assert_eq!(found, 8);
    let name = "vc_1-sha512-xts-aes-hidden";
    let path = volumes("tcrypt-images").unwrap().join(name);
    opens(name, &path, &given(HIDDEN), 0xCAFE_BABE);
}

#[test]
fn volumes_that_veracrypt_made_with_other_digests_open() {
    match veracrypt(&["SHA-512"], false) {
        Some(found) => assert_eq!(found, 6),
        None => skipped(6, "AVOCET_VOLUMES names no folder of volumes"),
    }
}

#[test]
fn volumes_with_key_files_open() {
    let Some(folder) = volumes("tcrypt-images") else {
        return skipped(10, "AVOCET_VOLUMES names no folder of volumes");
    };
    let keys = ["keyfile1", "keyfile2"].map(|k| Secret::new(std::fs::read(folder.join(k)).unwrap()));
    let list = named(&folder, &["vck_1"]);
    assert_eq!(list.len(), 10);
    let with = |order: [usize; 2], access: Access| Access {
        key_file: Some(keys[order[0]].clone()),
        more_key_files: vec![keys[order[1]].clone()],
        ..access
    };
    for (name, path) in &list {
        let access = match name.split(['_', '-']).nth(2) {
            Some("nopw") => with([1, 0], Access::default()),
            Some("pw72") => with([0, 1], given(LONG)),
            _ => with([0, 1], given(PASSWORD)),
        };
        opens(name, path, &access, 0xDEAD_BABE);
    }
}

#[test]
fn volumes_with_a_pim_open() {
    let Some(folder) = volumes("tcrypt-images") else { return skipped(3, "AVOCET_VOLUMES names no folder of volumes") };
    let list = named(&folder, &["vcpim_1"]);
    assert_eq!(list.len(), 3);
    for (name, path) in &list {
        let number = name.split(['_', '-']).nth(2).unwrap().parse().unwrap();
        opens(name, path, &pim(WITH_PIM, number), 0xDEAD_BABE);
    }
}

/// What one password costs for one header, for docs/validation/tcrypt.md.
#[test]
#[ignore = "measures"]
fn how_long_one_password_takes() {
    let mut random = Random(0x5EC0);
    let image = source((0..4096).map(|_| random.next() as u8).collect());
    for digest in ["SHA-512", "SHA-256", "BLAKE2s-256", "Whirlpool", "Argon2id", "RIPEMD-160", "Streebog"] {
        let begun = std::time::Instant::now();
        assert!(unlock(&image, &given("x"), &mut Work::default().only(digest)).is_err());
        println!("{digest}: {:.2} s", begun.elapsed().as_secs_f64());
    }
}

#[test]
fn systems_that_veracrypt_encrypted_open() {
    let Some(folder) = volumes("tcrypt-images") else { return skipped(3, "AVOCET_VOLUMES names no folder of volumes") };
    for (name, start, partition) in [
        ("sys_vc_1_gpt_part-sha512-xts-aes", 67584u64, "gpt:3"),
        ("sys_vc_1_mbr_full-sha256-xts-aes", 2048, "mbr:1"),
        ("sys_vc_1_mbr_part-sha256-xts-aes", 2048, "mbr:1"),
    ] {
        let path = folder.join(name);
        let source = load(&path);
        let work = &mut Work::default().only(by_name(name).0);
        let system = unlock_system(&source, &given(PASSWORD), work).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(system.how.contains("(encrypted system, "), "{}", system.how);
        let slot: Arc<dyn Source> =
            Arc::new(avocet_evidence::SubSource::new(Arc::clone(&source), start * 512, 32768 * 512));
        let plain = system.over(&slot, start * 512).unwrap();
        assert_eq!(format!("{:X}", serial(&plain)), "DEADBABE", "{name}");
        println!("{name}: {:?}", system.facts);
        if name.contains("gpt") {
            assert!(system.over(&slot, 4096 * 512).is_none(), "a partition beside the encrypted one");
            let evidence = Evidence::open_with(&path, &given(PASSWORD)).unwrap();
            let volume = evidence.volumes.iter().find(|v| v.name == partition).unwrap();
            assert_eq!((volume.layers.as_slice(), volume.state.word()), (&[system.how][..], "read"));
        }
    }
}

/// Encrypts one unit with one cipher in XTS mode.
pub fn one_way<C>(key: &[u8], tweak: &[u8], unit: u64, data: &mut [u8])
where
    C: KeyInit + BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut number = Array::from([0; 16]);
    number[..8].copy_from_slice(&unit.to_le_bytes());
    C::new_from_slice(tweak).unwrap().encrypt_block(&mut number);
    let (cipher, mut mask) = (C::new_from_slice(key).unwrap(), number);
    for part in data.chunks_exact_mut(16) {
        let mut block = Array::from(<[u8; 16]>::try_from(&*part).unwrap());
        block.iter_mut().zip(&mask).for_each(|(a, b)| *a ^= b);
        cipher.encrypt_block(&mut block);
        part.iter_mut().zip(block.iter().zip(&mask)).for_each(|(to, (a, b))| *to = a ^ b);
        let carry = mask[15] >> 7;
        for i in (1..16).rev() {
            mask[i] = (mask[i] << 1) | (mask[i - 1] >> 7);
        }
        mask[0] = (mask[0] << 1) ^ (carry * 0x87);
    }
}

/// Encrypts one unit under ciphers as the program names them: the last of the name comes first.
fn encrypt(ciphers: &str, keys: &[u8], unit: u64, data: &mut [u8]) {
    let names: Vec<&str> = ciphers.split('-').rev().collect();
    for (i, name) in names.iter().enumerate() {
        let (key, tweak) = (&keys[i * 32..][..32], &keys[(names.len() + i) * 32..][..32]);
        match *name {
            "AES" => one_way::<aes::Aes256>(key, tweak, unit, data),
            "Serpent" => one_way::<serpent::Serpent>(key, tweak, unit, data),
            "Twofish" => one_way::<twofish::Twofish>(key, tweak, unit, data),
            "Camellia" => one_way::<camellia::Camellia256>(key, tweak, unit, data),
            "Kuznyechik" => one_way::<kuznyechik::Kuznyechik>(key, tweak, unit, data),
            other => panic!("{other}"),
        }
    }
}

fn crc(data: &[u8]) -> u32 {
    let step = |crc: u32, _: u32| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
    !data.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// How a volume is made.
#[derive(Clone, Copy)]
struct How {
    truecrypt: bool,
    digest: &'static str,
    rounds: u32,
    ciphers: &'static str,
    password: &'static str,
}

const QUICK: How = How { truecrypt: true, digest: "SHA-512", rounds: 1000, ciphers: "AES", password: "correct horse" };

fn derived(how: How, salt: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, SimpleHmac};
    use pbkdf2::pbkdf2;
    let (word, rounds) = (how.password.as_bytes(), how.rounds);
    let mut key = vec![0; 192];
    match how.digest {
        "SHA-512" => pbkdf2::<Hmac<sha2::Sha512>>(word, salt, rounds, &mut key).unwrap(),
        "SHA-256" => pbkdf2::<Hmac<sha2::Sha256>>(word, salt, rounds, &mut key).unwrap(),
        "BLAKE2s-256" => pbkdf2::<SimpleHmac<blake2::Blake2s256>>(word, salt, rounds, &mut key).unwrap(),
        "Whirlpool" => pbkdf2::<Hmac<whirlpool::Whirlpool>>(word, salt, rounds, &mut key).unwrap(),
        "RIPEMD-160" => pbkdf2::<Hmac<ripemd::Ripemd160>>(word, salt, rounds, &mut key).unwrap(),
        "Streebog" => pbkdf2::<Hmac<streebog::Streebog512>>(word, salt, rounds, &mut key).unwrap(),
        _ => {
            let params = argon2::Params::new(64 << 10, rounds, 1, Some(192)).unwrap();
            let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            argon.hash_password_into(word, salt, &mut key).unwrap();
        }
    }
    key
}

/// The plain header of a volume of version 5.
fn header(how: How, random: &mut Random, hidden: u64, volume: u64, area: (u64, u64)) -> Vec<u8> {
    let mut out: Vec<u8> = (0..512).map(|_| random.next() as u8).collect();
    out[64..68].copy_from_slice(if how.truecrypt { b"TRUE" } else { b"VERA" });
    out[68..70].copy_from_slice(&5u16.to_be_bytes());
    out[70..72].copy_from_slice(&0x0700u16.to_be_bytes());
    out[76..256].fill(0);
    for (at, value) in [(92, hidden), (100, volume), (108, area.0), (116, area.1)] {
        out[at..at + 8].copy_from_slice(&value.to_be_bytes());
    }
    out[128..132].copy_from_slice(&512u32.to_be_bytes());
    out
}

/// Makes the sums of a plain header right and encrypts it.
fn sealed_header(how: How, mut plain: Vec<u8>, sums: bool) -> Vec<u8> {
    if sums {
        let keys = crc(&plain[256..]);
        plain[72..76].copy_from_slice(&keys.to_be_bytes());
        let sum = crc(&plain[64..252]);
        plain[252..256].copy_from_slice(&sum.to_be_bytes());
    }
    let key = derived(how, &plain[..64]);
    encrypt(how.ciphers, &key, 0, &mut plain[64..]);
    plain
}

/// Encrypts data that begin at a sector of the volume.
fn sealed_data(how: How, keys: &[u8], first: u64, data: &[u8]) -> Vec<u8> {
    let mut out = data.to_vec();
    out.chunks_exact_mut(512).zip(first..).for_each(|(unit, number)| encrypt(how.ciphers, keys, number, unit));
    out
}

/// A volume with these data, and perhaps a hidden one in its end.
fn volume(how: How, data: &[u8], hidden: Option<(How, &[u8])>) -> Vec<u8> {
    let mut random = Random(0x7C2_1997);
    let total = data.len() + 262_144;
    let mut out: Vec<u8> = (0..total).map(|_| random.next() as u8).collect();
    let plain = header(how, &mut random, 0, data.len() as u64, (131_072, data.len() as u64));
    out[..512].copy_from_slice(&sealed_header(how, plain.clone(), true));
    let mut copy = plain.clone();
    copy[..64].iter_mut().for_each(|b| *b ^= 0x5A);
    out[total - 131_072..][..512].copy_from_slice(&sealed_header(how, copy, true));
    out[131_072..][..data.len()].copy_from_slice(&sealed_data(how, &plain[256..], 256, data));
    if let Some((how, data)) = hidden {
        let start = total - 131_072 - data.len();
        let plain = header(how, &mut random, data.len() as u64, data.len() as u64, (start as u64, data.len() as u64));
        out[65_536..][..512].copy_from_slice(&sealed_header(how, plain.clone(), true));
        out[start..][..data.len()].copy_from_slice(&sealed_data(how, &plain[256..], start as u64 / 512, data));
    }
    out
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|i| (i / 512 + i % 7) as u8).collect()
}

fn source(bytes: Vec<u8>) -> Arc<dyn Source> {
    Arc::new(MemorySource(bytes))
}

/// Tried with the least of work: nothing that takes hundreds of thousands of rounds.
fn quickly(image: &Arc<dyn Source>, access: &Access) -> Result<Unlocked, Locked> {
    unlock(image, access, &mut Work::at_most(1_000_000))
}

#[test]
fn every_chain_and_digest_opens() {
    let data = content(40_000 / 512 * 512);
    for ciphers in [
        "AES",
        "Serpent",
        "Twofish",
        "Camellia",
        "Kuznyechik",
        "AES-Twofish",
        "AES-Twofish-Serpent",
        "Serpent-AES",
        "Serpent-Twofish-AES",
        "Twofish-Serpent",
        "Camellia-Kuznyechik",
        "Kuznyechik-Twofish",
        "Camellia-Serpent",
        "Kuznyechik-AES",
        "Kuznyechik-Serpent-Camellia",
    ] {
        let how = How { truecrypt: false, rounds: 16_000, ciphers, ..QUICK };
        let image = source(volume(how, &data, None));
        let unlocked = unlock(&image, &pim(QUICK.password, 1), &mut Work::default()).unwrap();
        assert!(read_up_to(&unlocked.source, 0, data.len() + 1).unwrap() == data, "{ciphers}");
        let how = format!("VeraCrypt ({ciphers} in XTS mode), unlocked with the password (outer volume, SHA-512)");
        assert_eq!(unlocked.how, how);
        assert_eq!((unlocked.facts.offset, unlocked.facts.length), (131_072, data.len() as u64));
    }
    for (digest, rounds) in
        [("SHA-256", 16_000), ("BLAKE2s-256", 16_000), ("Whirlpool", 16_000), ("RIPEMD-160", 16_000), ("Argon2id", 3)]
    {
        let how = How { truecrypt: false, digest, rounds, ..QUICK };
        let image = source(volume(how, &data, None));
        let unlocked = unlock(&image, &pim(QUICK.password, 1), &mut Work::default()).unwrap();
        assert!(read_up_to(&unlocked.source, 0, data.len()).unwrap() == data, "{digest}");
        assert_eq!(unlocked.facts.digest, digest);
    }
    let how = How { truecrypt: false, digest: "Streebog", rounds: 16_000, ..QUICK };
    let image = source(volume(how, &data, None));
    let unlocked = unlock(&image, &pim(QUICK.password, 1), &mut Work::default().only("Streebog")).unwrap();
    assert_eq!(unlocked.facts.digest, "Streebog");
    for (digest, rounds) in [("RIPEMD-160", 2000), ("RIPEMD-160", 1000), ("Whirlpool", 1000)] {
        let image = source(volume(How { digest, rounds, ..QUICK }, &data, None));
        assert_eq!(quickly(&image, &given(QUICK.password)).unwrap().facts.digest, digest);
    }
}

#[test]
fn the_outer_and_the_hidden_volume_open_with_their_own_password() {
    let (outer, inner) = (content(120_000 / 512 * 512), content(30_000 / 512 * 512));
    let inside = How { password: "battery staple", ciphers: "Twofish-Serpent", ..QUICK };
    let image = source(volume(QUICK, &outer, Some((inside, &inner))));
    let first = quickly(&image, &given(QUICK.password)).unwrap();
    let start = outer.len() - inner.len();
    assert!(read_up_to(&first.source, 0, start).unwrap() == outer[..start]);
    assert!(!first.facts.hidden && first.how.contains("(outer volume, "));
    assert_eq!(first.problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["tcrypt-may-hide"]);
    let second = quickly(&image, &given(inside.password)).unwrap();
    assert!(read_up_to(&second.source, 0, inner.len() + 1).unwrap() == inner);
    assert!(second.facts.hidden && second.how.contains("(hidden volume, ") && second.problems.is_empty());
    let shown = format!("{first:?} {second:?} {:?}", given(inside.password).password).to_lowercase();
    assert!(!shown.contains("battery") && !shown.contains("horse"));
}

#[test]
fn the_copy_of_a_header_serves_and_a_cut_volume_says_so() {
    let data = content(100 * 512);
    let mut bytes = volume(QUICK, &data, None);
    let mut random = Random(9);
    bytes[..512].iter_mut().for_each(|b| *b = random.next() as u8);
    let unlocked = quickly(&source(bytes.clone()), &given(QUICK.password)).unwrap();
    assert!(read_up_to(&unlocked.source, 0, data.len()).unwrap() == data);
    let codes = |u: &Unlocked| u.problems.iter().map(|p| p.code).collect::<Vec<_>>();
    assert_eq!(codes(&unlocked), ["tcrypt-backup-header-used", "tcrypt-may-hide"]);
    assert!(unlocked.how.contains("by the copy of its header"));
    // The beginning wiped: what is left is found by the copy as well.
    bytes[..512].fill(0);
    assert!(quickly(&source(bytes), &given(QUICK.password)).is_ok());
    let mut bytes = volume(QUICK, &data, None);
    bytes.truncate(131_072 + 50 * 512);
    let unlocked = quickly(&source(bytes), &given(QUICK.password)).unwrap();
    assert_eq!((codes(&unlocked), unlocked.source.len()), (vec!["tcrypt-cut", "tcrypt-may-hide"], 50 * 512));
    // Encrypted in place and not to the end.
    let plain = header(QUICK, &mut random, 0, data.len() as u64, (131_072, 512));
    let mut bytes = volume(QUICK, &data, None);
    bytes[..512].copy_from_slice(&sealed_header(QUICK, plain, true));
    let error = quickly(&source(bytes), &given(QUICK.password)).unwrap_err();
    assert!(matches!(&error, Locked::Damaged(why) if why.contains("not finished")), "{error}");
}

#[test]
fn what_does_not_open_stays_and_says_what_was_tried() {
    let image = source(volume(QUICK, &content(512), None));
    let error = unlock(&image, &pim("wrong", 1), &mut Work::default().only("SHA-256")).unwrap_err();
    let text = "no header opened with what was given: it is either a wrong key or no such volume";
    assert_eq!((error.to_string().as_str(), error.code()), (text, Some("tcrypt-not-opened")));
    let error = quickly(&image, &given("wrong")).unwrap_err();
    let Locked::NotTried(why) = &error else { panic!("{error}") };
    assert!(why.contains("ways to derive its key were not tried") && error.to_string().starts_with(text), "{why}");
    let error = quickly(&image, &Access::default()).unwrap_err();
    assert_eq!((error.clone(), error.code()), (Locked::NothingGiven, None));
    let error = quickly(&image, &given(&"x".repeat(129))).unwrap_err();
    assert!(error.to_string().contains("longer than any such volume takes"), "{error}");
    // A PIM that nobody waits for.
    let error = unlock(&image, &pim("wrong", u32::MAX), &mut Work::default()).unwrap_err();
    assert_eq!(error.code(), Some("tcrypt-not-tried"));
    // What is not random is no header, whatever is given.
    assert!(!may_be(&MemorySource(vec![0; 4096])) && !may_be(&MemorySource(content(4096))));
    assert!(!may_be(&MemorySource(vec![])) && may_be(&image));
    // Nor is what ends within a sector, such as a packed file.
    let all = read_up_to(&image, 0, 1 << 20).unwrap();
    assert!(may_be(&MemorySource(all.clone())) && !may_be(&MemorySource([&all[..], &[7]].concat())));
}

/// As evidence: unlocked, its file system read; without a password, or with another, named and left.
#[test]
fn a_container_and_a_partition_are_read_as_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    std::fs::create_dir(dir.join("tree")).unwrap();
    std::fs::write(dir.join("tree/one.txt"), "one").unwrap();
    if output_in(dir, "mke2fs", &["-q", "-t", "ext2", "-d", "tree", "plain.img", "1M"]).is_none() {
        return skipped(4, "no mke2fs");
    }
    let plain = std::fs::read(dir.join("plain.img")).unwrap();
    let image = volume(QUICK, &plain, None);
    std::fs::write(dir.join("container"), &image).unwrap();
    let open = |name: &str, access: &Access| Evidence::open_with(&dir.join(name), access).unwrap();
    let lists = |e: &Evidence, n: usize| {
        let VolumeState::Read { fs, .. } = &e.volumes[n].state else { panic!("{:?}", e.volumes) };
        assert!(collect(fs.as_ref()).entries.iter().any(|e| e.path == "/one.txt"));
    };
    let evidence = open("container", &given(QUICK.password));
    lists(&evidence, 0);
    assert!(evidence.volumes[0].layers[0].starts_with("TrueCrypt (AES in XTS mode), unlocked with the password"));
    assert_eq!((evidence.volumes.len(), evidence.locked), (1, 0));
    let evidence = open("container", &Access::default());
    let VolumeState::NotRead { certain: false, detail, .. } = &evidence.volumes[0].state else { panic!() };
    assert!(detail.ends_with("neither a password nor a key file was given"), "{detail}");
    assert_eq!((evidence.locked, evidence.problems.len()), (1, 0));
    let evidence = open("container", &pim("wrong", 1));
    let VolumeState::NotRead { certain: false, detail, .. } = &evidence.volumes[0].state else { panic!() };
    assert!(detail.ends_with("it is either a wrong key or no such volume"), "{detail}");
    assert_eq!(evidence.problems.iter().map(|p| p.code).collect::<Vec<_>>(), ["tcrypt-not-opened"]);

    // A disk whose system is encrypted: the table and the first partition are not.
    let mut random = Random(77);
    let how = How { truecrypt: false, digest: "SHA-256", rounds: 2048, ..QUICK };
    let sectors = plain.len() as u32 / 512;
    let (area, bytes) = (4096u64 * 512, plain.len() as u64);
    let mut disk = vec![0; 4096 * 512 + plain.len()];
    let head = header(how, &mut random, 0, bytes, (area, bytes));
    disk[62 * 512..63 * 512].copy_from_slice(&sealed_header(how, head.clone(), true));
    disk[area as usize..].copy_from_slice(&sealed_data(how, &head[256..], 4096, &plain));
    for (entry, first, sectors) in [(446, 64u32, 64u32), (462, 4096, sectors)] {
        disk[entry + 4] = 7;
        disk[entry + 8..entry + 12].copy_from_slice(&first.to_le_bytes());
        disk[entry + 12..entry + 16].copy_from_slice(&sectors.to_le_bytes());
    }
    disk[510..512].copy_from_slice(&[0x55, 0xAA]);
    std::fs::write(dir.join("disk"), &disk).unwrap();
    let evidence = open("disk", &pim(QUICK.password, 1));
    assert_eq!(evidence.volumes[0].state.word(), "empty");
    lists(&evidence, 1);
    assert!(evidence.volumes[1].layers[0].contains("(encrypted system, SHA-256)"), "{:?}", evidence.volumes[1].layers);
}

/// Headers changed before they are encrypted, and after: the right bytes or none, and no panic.
#[test]
fn damage_opens_to_the_same_bytes_or_not_at_all() {
    let data = content(100 * 512);
    let image = volume(QUICK, &data, None);
    let mut random = Random(0xDA3_A6E);
    let plain = header(QUICK, &mut random, 0, data.len() as u64, (131_072, data.len() as u64));
    let body = sealed_data(QUICK, &plain[256..], 256, &data);
    let (mut opened, mut locked, mut damaged) = (0, 0, 0);
    for round in 0..200 {
        let mut bytes = image.clone();
        let mut head = plain.clone();
        for _ in 0..=random.next() % 3 {
            let at = 68 + random.next() as usize % 64;
            head[at] =
                if random.next().is_multiple_of(2) { random.next() as u8 } else { head[at] ^ 1 << (random.next() % 8) };
        }
        let mut head = sealed_header(QUICK, head, round % 4 > 0);
        if round % 8 == 1 {
            head[random.next() as usize % 512] ^= 1;
        }
        bytes[..512].copy_from_slice(&head);
        bytes[131_072..][..body.len()].copy_from_slice(&body);
        let total = bytes.len();
        bytes[total - 131_072..][..512].fill(0);
        if random.next().is_multiple_of(10) {
            bytes.truncate(random.next() as usize % total);
        }
        let image = source(bytes);
        match unlock(&image, &given(QUICK.password), &mut Work::at_most(20_000).only("SHA-512")) {
            Ok(unlocked) => {
                opened += 1;
                assert!(unlocked.source.len() <= image.len());
                let n = unlocked.source.len().min(1 << 20) as usize;
                assert_eq!(read_up_to(&unlocked.source, 0, n).unwrap().len(), n);
            }
            Err(Locked::Damaged(_)) => damaged += 1,
            Err(_) => locked += 1,
        }
    }
    println!("{opened} opened, {damaged} contradict themselves, {locked} locked");
    assert!(opened > 0 && locked > 0 && damaged > 0, "{opened} {damaged} {locked}");
}
