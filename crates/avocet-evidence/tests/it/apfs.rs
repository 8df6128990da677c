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
