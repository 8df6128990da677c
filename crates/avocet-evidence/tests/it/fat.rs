//! FAT and exFAT against The Sleuth Kit, against hashes of what was written, and against hostile bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "tests say what they compared")]

mod build;
mod hostile;
mod rules;
mod tsk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use avocet_evidence::fs::exfat::ExFat;
use avocet_evidence::fs::fat::Fat;
use avocet_evidence::{AllocationState, Entry, EntryKind, FileSystem, Source, SubSource};

use crate::support::{collect, content, images, load, sha256, skipped, testdata};

/// Larger than any file of the corpora.
const CAP: usize = 256 << 20;

fn open(volume: &Arc<dyn Source>) -> Box<dyn FileSystem> {
    match ExFat::open(Arc::clone(volume)) {
        Ok(fs) => Box::new(fs),
        Err(_) => Box::new(Fat::open(Arc::clone(volume)).expect("a FAT or exFAT volume")),
    }
}

fn volume_at(path: &Path, sector: u64) -> Arc<dyn Source> {
    let disk = load(path);
    let length = disk.len();
    Arc::new(SubSource::new(disk, sector * 512, length))
}

fn digest(entry: &Entry, volume: &Arc<dyn Source>) -> Option<String> {
    let bytes = content(entry, volume, CAP).ok()??;
    assert_eq!(bytes.len() as u64, entry.size, "{}", entry.path);
    Some(sha256(&bytes))
}

/// `sha256  ./path` lines as (path with a leading slash, digest).
fn truth(path: &Path) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(path).expect("truth file");
    let line = |l: &str| l.split_once("  ").map(|(d, p)| (p.trim_start_matches('.').to_owned(), d.to_owned()));
    text.lines().filter_map(line).collect()
}

/// Every live file of the built images has the digest of what was written, and all 27 deleted files come back.
#[test]
fn built_images_live_and_deleted_against_what_was_written() {
    let Some(folder) = images() else { return skipped(4, "AVOCET_IMAGES is not set") };
    let deleted_truth = truth(&folder.join("../corpus/D.sha256"));
    assert_eq!(deleted_truth.len(), 27);
    // mtools stored two names outside ASCII otherwise than they were given to it.
    for (name, kind, live, renamed) in
        [("fat12", "fat12", 15, 2), ("fat16", "fat16", 474, 2), ("fat32", "fat32", 474, 2), ("exfat", "exfat", 476, 0)]
    {
        let volume = load(&folder.join(format!("{name}.dd")));
        let fs = open(&volume);
        assert_eq!(fs.facts().kind, kind);
        let all = collect(&*fs);
        // FAT32 with clusters of one sector: a long name lies across the border of two clusters of a deleted directory,
        // between which the chain is gone.
        let codes: Vec<&str> = all.problems.iter().map(|p| p.code).collect();
        assert_eq!(codes, if name == "fat32" { vec!["long-name-orphaned"] } else { vec![] }, "{name}");
        let files = |state| {
            let of_state = move |e: &&Entry| e.state == state && e.kind == EntryKind::File;
            all.entries.iter().filter(of_state).map(|e| (e, digest(e, &volume))).collect::<Vec<_>>()
        };
        let truth = truth(&folder.join(format!("{name}.live.sha256")));
        assert_eq!(truth.len(), live);
        let found = files(AllocationState::Allocated);
        let mut ours: Vec<String> = found.iter().filter_map(|(_, d)| d.clone()).collect();
        let mut theirs: Vec<String> = truth.values().cloned().collect();
        ours.sort();
        theirs.sort();
        assert_eq!(ours, theirs, "{name}");
        let wrong = found.iter().filter(|(e, d)| truth.get(&e.path) != d.as_ref()).count();
        assert_eq!(wrong, renamed, "{name}: names");
        let mut recovered = files(AllocationState::Deleted);
        let orphans = files(AllocationState::Orphan);
        assert_eq!(orphans.len(), if name == "fat32" { 8 } else { 0 }, "{name}");
        recovered.extend(orphans);
        for (path, digest) in &deleted_truth {
            let hit = recovered.iter().find(|(_, d)| d.as_ref() == Some(digest));
            assert!(hit.is_some(), "{name}: {path} not recovered");
        }
        println!("{name}: {} live, {} deleted, {wrong} names differ", ours.len(), recovered.len());
    }
}

/// The made camera cards: every live and every intact deleted picture, by path and digest.
#[test]
fn made_camera_cards_against_their_truth_tables() {
    let Some(folder) = testdata().map(|t| t.join("disk/made")) else { return skipped(3, "no shared test data") };
    for (name, sector, kind) in [("card-fat12", 51, "fat12"), ("card-fat16", 63, "fat16"), ("card-exfat", 0, "exfat")] {
        let path = folder.join(format!("{name}.dd"));
        let volume = volume_at(&path, sector);
        let fs = open(&volume);
        assert_eq!(fs.facts().kind, kind);
        let all = collect(&*fs);
        let digests: Vec<(&Entry, Option<String>)> =
            all.entries.iter().filter(|e| e.kind == EntryKind::File).map(|e| (e, digest(e, &volume))).collect();
        let text = std::fs::read_to_string(folder.join(format!("{name}.truth.tsv"))).unwrap();
        let mut intact = 0;
        for line in text.lines().skip(1) {
            let column: Vec<&str> = line.split('\t').collect();
            let [file, state, .., sha] = column[..] else { panic!("{line}") };
            let mut hits = digests.iter().filter(|(_, d)| d.as_deref() == Some(sha));
            if state.starts_with("live") {
                assert!(hits.any(|(e, _)| e.state == AllocationState::Allocated && e.path == file), "{name} {file}");
            } else if state.contains("intact") {
                // A card may keep the bytes and no directory entry: only carving finds those.
                intact += usize::from(hits.any(|(e, _)| e.state == AllocationState::Deleted));
            } else {
                assert!(hits.next().is_none(), "{name} {file} is said to be overwritten");
            }
        }
        println!("{name}: {intact} intact deleted recovered; problems {:?}", all.problems);
        assert_eq!(intact, 2, "{name}");
    }
}
