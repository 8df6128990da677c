//! The same volumes read by The Sleuth Kit: its stored listing, and `fls`, `icat` and `istat` where installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::{AllocationState, Entry, EntryKind, FileSystem, Source};

use super::{digest, open, volume_at};
use crate::support::{Collected, collect, images, sha256, skipped, testdata};

/// One row of The Sleuth Kit's listing or of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    deleted: bool,
    path: String,
    bytes: u64,
    sha256: Option<String>,
}

/// Byte offset of the volume that The Sleuth Kit counts directory entries from: its inode 3 is the first slot there.
fn first_slot(volume: &Arc<dyn Source>, fs: &dyn FileSystem) -> u64 {
    let mut boot = [0; 128];
    volume.read_at(0, &mut boot).unwrap();
    let le = |at: usize, n: usize| boot[at..at + n].iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b));
    if fs.facts().kind == "exfat" {
        return le(88, 4) << boot[108];
    }
    let table = if le(22, 2) == 0 { le(36, 4) } else { le(22, 2) };
    (le(14, 2) + le(16, 1) * table) * le(11, 2)
}

/// Ours, by The Sleuth Kit's inode number.
fn ours(volume: &Arc<dyn Source>, fs: &dyn FileSystem, all: &Collected) -> BTreeMap<u64, (Row, Entry)> {
    let base = first_slot(volume, fs);
    let listed = all.entries.iter().filter(|e| e.kind != EntryKind::Special);
    listed
        .filter(|e| {
            !(e.state == AllocationState::Orphan && e.kind == EntryKind::Directory && e.path.matches('/').count() == 2)
        })
        .map(|e| {
            let row = Row {
                deleted: e.state != AllocationState::Allocated,
                path: e.path.clone(),
                bytes: e.size,
                sha256: if e.kind == EntryKind::File { digest(e, volume) } else { None },
            };
            ((e.number - base) / 32 + 3, (row, e.clone()))
        })
        .collect()
}

#[test]
fn scratch() {
    let _ = (Path::new(""), PathBuf::new(), Command::new("x"), images(), sha256(b""));
    let Some(folder) = testdata().map(|t| t.join("disk")) else { return skipped(1, "no shared test data") };
    let text = std::fs::read_to_string(folder.join("listing-sleuthkit.tsv")).unwrap();
    let mut images: BTreeMap<(String, u64), BTreeMap<u64, Row>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let c: Vec<&str> = line.split('\t').collect();
        let name = c[0];
        if !(c[2].contains("FAT")) || !(name.ends_with(".dd") || name.ends_with(".img") || name.ends_with(".exfat")) {
            continue;
        }
        if c[8].contains("(Volume Label Entry)") || c[8].starts_with('$') {
            continue;
        }
        let row = Row {
            deleted: c[3] == "deleted",
            path: format!("/{}", c[8]),
            bytes: c[6].parse().unwrap_or(0),
            sha256: (!c[7].is_empty()).then(|| c[7].into()),
        };
        images.entry((name.into(), c[1].parse().unwrap())).or_default().insert(c[5].parse().unwrap(), row);
    }
    for ((name, sector), theirs) in images {
        let volume = volume_at(&folder.join(name.trim_start_matches("disk/")), sector);
        let fs = open(&volume);
        let all = collect(&*fs);
        println!("== {name} {:?}", fs.facts());
        for p in &all.problems {
            println!("  problem {p:?}");
        }
        let ours = ours(&volume, &*fs, &all);
        for (inode, row) in &theirs {
            match ours.get(inode) {
                Some((o, _)) if o == row => {}
                other => println!("  inode {inode}\n    theirs {row:?}\n    ours {other:?}"),
            }
        }
        for (inode, row) in &ours {
            if !theirs.contains_key(inode) {
                println!("  only ours: {inode} {row:?}");
            }
        }
    }
}
