//! APFS: a real container against The Sleuth Kit, empty ones of another maker, and damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::{EntryKind, Evidence, MemorySource, Source, VolumeState};

use crate::support::{Random, collect, content, sha256, skipped, testdata};

fn output(program: &str, args: &[&str]) -> Option<Vec<u8>> {
    let out = Command::new(program).args(args).output().ok()?;
    out.status.success().then_some(out.stdout)
}

/// Path to kind and digest, as The Sleuth Kit lists the first volume.
fn sleuth_kit(image: &str) -> Option<BTreeMap<String, String>> {
    let pool = String::from_utf8(output("pstat", &[image])?).ok()?;
    let block = pool.lines().find_map(|l| l.split("APSB Block Number: ").nth(1))?.trim().to_owned();
    let listing = String::from_utf8(output("fls", &["-r", "-p", "-P", "apfs", "-B", &block, image])?).ok()?;
    let mut out = BTreeMap::new();
    for line in listing.lines() {
        let (head, path) = line.split_once(":\t")?;
        let (kind, inode) = head.split_once(' ')?;
        let what = match kind {
            "d/d" => "folder".to_owned(),
            "l/l" => "link".to_owned(),
            _ => sha256(&output("icat", &["-P", "apfs", "-B", &block, image, inode])?),
        };
        out.insert(format!("/{path}"), what);
    }
    Some(out)
}

#[test]
fn a_real_container_is_what_the_sleuth_kit_says() {
    let Some(image) = testdata().map(|t| t.join("disk/dfvfs/apfs.raw")) else {
        return skipped(1, "no shared test data");
    };
    let evidence = Evidence::open(&image).unwrap();
    assert_eq!(evidence.volumes.len(), 1, "{:?}", evidence.volumes);
    let volume = &evidence.volumes[0];
    let VolumeState::Read { fs, source } = &volume.state else { panic!("{volume:?}") };
    let facts = fs.facts();
    assert_eq!((volume.name.as_str(), facts.kind, facts.label.as_deref()), ("whole.1", "apfs", Some("apfs_test")));
    assert_eq!(facts.serial.as_deref().map(str::to_lowercase).as_deref(), Some("458ed10d-8ac3-4af1-8dfd-3954d151a3f3"));
    let found = collect(&**fs);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let ours: BTreeMap<String, String> = found
        .entries
        .iter()
        .filter(|e| e.stream.is_none() && !e.path.starts_with("/private-dir"))
        .map(|e| {
            let what = match e.kind {
                EntryKind::Directory => "folder".to_owned(),
                EntryKind::Link => "link".to_owned(),
                _ => sha256(&content(e, source, 1 << 20).unwrap().unwrap_or_default()),
            };
            (e.path.clone(), what)
        })
        .collect();
    assert!(ours.len() >= 10, "{ours:?}");
    let passwords = found.entries.iter().find(|e| e.path == "/passwords.txt").unwrap();
    assert!(content(passwords, source, 1 << 20).unwrap().unwrap().starts_with(b"place,user,password\n"));
    assert_eq!(passwords.times.modified.unwrap().to_string().get(..10), Some("2022-01-14"));
    match sleuth_kit(image.to_str().unwrap()) {
        Some(theirs) => assert_eq!(ours, theirs),
        None => skipped(1, "The Sleuth Kit is not installed"),
    }
    // Of 1014 blocks 904 are free, as `pstat` says too.
    let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length / 4096).sum();
    assert_eq!(free, 904);
}

/// The checksum of an object, set.
fn sealed(mut block: Vec<u8>) -> Vec<u8> {
    const MODULUS: u64 = 0xFFFF_FFFF;
    let (mut first, mut second) = (0u64, 0u64);
    for word in block[8..].chunks_exact(4) {
        first = (first + u64::from(u32::from_le_bytes(word.try_into().unwrap()))) % MODULUS;
        second = (second + first) % MODULUS;
    }
    let low = MODULUS - (first + second) % MODULUS;
    let high = MODULUS - (first + low) % MODULUS;
    block[..8].copy_from_slice(&(high << 32 | low).to_le_bytes());
    block
}

/// The only node of a tree whose nodes lie at their numbers.
fn tree(place: u64, xid: u64, kind: u32, records: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut block = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(8, &place.to_le_bytes());
    put(16, &xid.to_le_bytes());
    put(24, &0x4000_0002u32.to_le_bytes());
    put(28, &kind.to_le_bytes());
    put(32, &3u16.to_le_bytes());
    put(36, &(records.len() as u32).to_le_bytes());
    put(42, &((records.len() * 8) as u16).to_le_bytes());
    let keys = 56 + records.len() * 8;
    let (mut key_at, mut value_end) = (0usize, 0usize);
    for (i, (key, value)) in records.iter().enumerate() {
        value_end += value.len();
        let places = [key_at, key.len(), value_end, value.len()].map(|n| n as u16);
        for (n, place) in places.iter().enumerate() {
            put(56 + i * 8 + n * 2, &place.to_le_bytes());
        }
        put(keys + key_at, key);
        put(4096 - 40 - value_end, value);
        key_at += key.len();
    }
    let longest = |of: fn(&(Vec<u8>, Vec<u8>)) -> usize| records.iter().map(of).max().unwrap_or(0) as u32;
    put(4096 - 36, &4096u32.to_le_bytes());
    put(4096 - 24, &longest(|r| r.0.len()).to_le_bytes());
    put(4096 - 20, &longest(|r| r.1.len()).to_le_bytes());
    put(4096 - 16, &(records.len() as u64).to_le_bytes());
    put(4096 - 8, &1u64.to_le_bytes());
    sealed(block)
}

fn key(id: u64, kind: u64) -> Vec<u8> {
    (kind << 60 | id).to_le_bytes().to_vec()
}

/// The record of a snapshot: its tree of extents, the copy of the superblock, its time and name.
fn snapshot(extents: u64, superblock: u64, made: u64, name: &str) -> Vec<u8> {
    let mut out: Vec<u8> = [extents, superblock, made, made, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
    out.extend(0x4000_0002u32.to_le_bytes());
    out.extend(0u32.to_le_bytes());
    out.extend((name.len() as u16 + 1).to_le_bytes());
    out.extend(name.as_bytes());
    out.push(0);
    out
}

/// A real volume, to which two snapshots were added by the published structures (tier 3); their names and times are what
/// The Sleuth Kit reads too.
#[test]
fn snapshots_are_listed_with_their_sizes() {
    let Some(image) = testdata().map(|t| t.join("disk/dfvfs/apfs.raw")) else {
        return skipped(1, "no shared test data");
    };
    let mut bytes = std::fs::read(&image).unwrap();
    let block = |bytes: &[u8], n: usize| bytes[n * 4096..][..4096].to_vec();
    let number = |b: &[u8], at: usize| u64::from_le_bytes(b[at..at + 8].try_into().unwrap());
    let volumes = (0..bytes.len() / 4096).filter(|n| bytes[n * 4096 + 32..][..4] == *b"APSB");
    let volume = volumes.max_by_key(|n| number(&block(&bytes, *n), 16)).unwrap();
    let current = block(&bytes, volume);
    let xid = number(&current, 16);
    let free: Vec<usize> = (500..1014).rev().filter(|n| block(&bytes, *n).iter().all(|b| *b == 0)).take(3).collect();
    let mut put = |n: usize, new: Vec<u8>| bytes[n * 4096..][..4096].copy_from_slice(&new);
    let mut then = current.clone();
    then[88..96].copy_from_slice(&7u64.to_le_bytes());
    put(free[0], sealed(then));
    let extent = |blocks: u64, kind: u64| {
        [&(kind << 60 | blocks).to_le_bytes()[..], &20u64.to_le_bytes(), &1u32.to_le_bytes()].concat()
    };
    // Two extents that were written, and one of which only the count of references changed.
    let extents = [(key(400, 2), extent(3, 1)), (key(410, 2), extent(5, 1)), (key(420, 2), extent(100, 2))];
    put(free[1], tree(free[1] as u64, xid, 0xF, &extents));
    let named = |xid: u64, name: &str| {
        let name = [&(name.len() as u16 + 1).to_le_bytes()[..], name.as_bytes(), &[0]].concat();
        ([key(0x0FFF_FFFF_FFFF_FFFF, 11), name].concat(), xid.to_le_bytes().to_vec())
    };
    let second = 1_700_000_000_000_000_000;
    let list = [
        (key(xid - 1, 1), snapshot(free[1] as u64, free[0] as u64, second, "before the trip")),
        (key(xid, 1), snapshot(0, 0, second + 3_600_000_000_000, "after it")),
        named(xid, "after it"),
        named(xid - 1, "before the trip"),
    ];
    put(free[2], tree(free[2] as u64, xid, 0x10, &list));
    let mut volume_now = current;
    volume_now[152..160].copy_from_slice(&(free[2] as u64).to_le_bytes());
    volume_now[216..224].copy_from_slice(&2u64.to_le_bytes());
    put(volume, sealed(volume_now.clone()));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    std::fs::write(&path, &bytes).unwrap();
    let problems = |path: &std::path::Path| {
        let evidence = Evidence::open(path).unwrap();
        let VolumeState::Read { fs, .. } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
        collect(&**fs).problems
    };
    let found = problems(&path);
    let said: Vec<_> = found.iter().map(|p| (p.code, p.path.as_deref().unwrap_or(""), p.detail.as_str())).collect();
    assert_eq!(
        said,
        [
            (
                "apfs-snapshots-not-read",
                "/$Snapshots/before the trip",
                "an earlier state of the volume (snapshot) made at 2023-11-14T22:13:20Z was not read; the volume took 28672 \
                 bytes then; 32768 bytes of content were written between the snapshot before it and this one"
            ),
            (
                "apfs-snapshots-not-read",
                "/$Snapshots/after it",
                "an earlier state of the volume (snapshot) made at 2023-11-14T23:13:20Z was not read; how large the volume \
                 was then cannot be read; what was written before it cannot be read"
            ),
        ]
    );
    match output("fsstat", &["-P", "apfs", "-B", &volume.to_string(), path.to_str().unwrap()]) {
        Some(theirs) => {
            let theirs = String::from_utf8(theirs).unwrap();
            for name in ["before the trip", "after it"] {
                assert!(theirs.contains(name), "{theirs}");
            }
        }
        None => skipped(1, "The Sleuth Kit is not installed"),
    }
    // More are declared than the list holds; then the list is damaged.
    volume_now[216..224].copy_from_slice(&3u64.to_le_bytes());
    bytes[volume * 4096..][..4096].copy_from_slice(&sealed(volume_now));
    std::fs::write(&path, &bytes).unwrap();
    let found = problems(&path);
    assert!(
        found.len() == 3 && found[2].detail.contains("declares 3") && found[2].detail.contains("holds 2"),
        "{found:?}"
    );
    bytes[free[2] * 4096 + 100] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let found = problems(&path);
    assert!(found.len() == 1 && found[0].detail.contains("their list is damaged"), "{found:?}");
}

/// Every change is noticed or harmless: what is listed as whole has the right bytes.
#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let Some(image) = testdata().map(|t| t.join("disk/dfvfs/apfs.raw")) else {
        return skipped(200, "no shared test data");
    };
    let good = std::fs::read(&image).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let mut random = Random(0xA9F5);
    let (mut noticed, mut refused) = (0, 0);
    let used: Vec<usize> =
        (0..good.len() / 4096).filter(|b| good[b * 4096..][..4096].iter().any(|x| *x != 0)).collect();
    for _ in 0..200 {
        let mut bytes = good.clone();
        for _ in 0..=random.next() % 8 {
            let block = used[random.next() as usize % used.len()];
            bytes[block * 4096 + random.next() as usize % 4096] ^= 1 << (random.next() % 8);
        }
        std::fs::write(&path, &bytes).unwrap();
        let Ok(evidence) = Evidence::open(&path) else {
            refused += 1;
            continue;
        };
        for volume in &evidence.volumes {
            let VolumeState::Read { fs, source } = &volume.state else {
                noticed += 1;
                continue;
            };
            let found = collect(&**fs);
            noticed += usize::from(!found.problems.is_empty());
            for entry in &found.entries {
                let _ = content(entry, source, 1 << 20);
            }
            let _ = fs.unallocated();
        }
    }
    println!("{noticed} of 200 noticed, {refused} refused");
    assert!(noticed + refused > 40, "{noticed} noticed, {refused} refused");
}

/// An empty container of another maker, in several sizes; `apfsck` says that it is one.
#[test]
fn containers_of_another_maker() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("a");
    let text = image.to_str().unwrap();
    for mib in [8u64, 64, 1024] {
        std::fs::File::create(&image).unwrap().set_len(mib << 20).unwrap();
        if output("mkapfs", &["-L", "A name", text]).is_none() {
            return skipped(3, "mkapfs is not installed");
        }
        let evidence = Evidence::open(&image).unwrap();
        let VolumeState::Read { fs, .. } = &evidence.volumes[0].state else { panic!("{:?}", evidence.volumes) };
        assert_eq!(fs.facts().label.as_deref(), Some("A name"), "{mib} MiB");
        let found = collect(&**fs);
        let codes: Vec<_> = found.problems.iter().map(|p| (p.code, &p.detail)).collect();
        assert!(codes.is_empty(), "{mib} MiB: {codes:?}");
        let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
        assert!(free > (mib << 20) * 8 / 10 && free < mib << 20, "{mib} MiB: {free} bytes free");
    }
}

#[test]
fn noise_and_cut_containers_end() {
    let mut random = Random(7);
    let mut head = vec![0; 1 << 20];
    for byte in &mut head {
        *byte = random.next() as u8;
    }
    head[32..36].copy_from_slice(b"NXSB");
    head[36..40].copy_from_slice(&4096u32.to_le_bytes());
    let source: Arc<dyn Source> = Arc::new(MemorySource(head));
    let found = avocet_evidence::volume::scan(source).unwrap();
    assert_eq!(found.volumes.len(), 1);
}
