//! The same volumes read by The Sleuth Kit: its stored listing, and `fls`, `icat` and `istat` where installed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use avocet_base::{Stamp, Zone};
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

/// Labels, and files that The Sleuth Kit makes up for the file system's own structures.
fn made_up(path: &str) -> bool {
    let structures = ["$MBR", "$FAT1", "$FAT2", "$OrphanFiles", "$ALLOC_BITMAP", "$UPCASE_TABLE"];
    path.contains("(Volume Label Entry)") || structures.contains(&path)
}

/// The Sleuth Kit puts every orphan into one folder, we put it below the cluster it was found in.
fn same_place(theirs: &str, ours: &str) -> bool {
    match theirs.strip_prefix("/$OrphanFiles/") {
        Some(name) => {
            // The one orphan whose long name began in the cluster before: we show the piece that is left, with a note.
            let name = if name == "_EL_RE~1.TXT" { "del_resident." } else { name };
            ours.starts_with("/$Orphans/cluster-") && ours.rsplit('/').next() == Some(name)
        }
        None => theirs == ours,
    }
}

/// A tool's standard output; `None` where it is not installed or fails.
fn run(program: &str, arguments: &[&str], image: &Path, rest: &[&str]) -> Option<Vec<u8>> {
    let out = Command::new(program).args(arguments).arg(image).args(rest).output().ok()?;
    out.status.success().then_some(out.stdout)
}

/// A file of the shared test data as a raw disk: as it is, or converted into `folder`.
fn raw(path: &Path, folder: &Path) -> Option<PathBuf> {
    let target = folder.join(path.file_name()?);
    match path.extension()?.to_str()? {
        "dd" | "img" | "exfat" => Some(path.to_owned()),
        "E01" => {
            run("ewfexport", &["-q", "-u", "-f", "raw", "-t", target.to_str()?], path, &[])?;
            Some(PathBuf::from(format!("{}.raw", target.to_str()?)))
        }
        "qcow2" | "vhdx" => {
            run("qemu-img", &["convert", "-O", "raw"], path, &[target.to_str()?])?;
            Some(target)
        }
        _ => None,
    }
}

/// Rows of one volume by inode number.
type Rows = BTreeMap<u64, Row>;

/// The stored listing of every FAT and exFAT volume, by image and first sector.
fn stored_listing(folder: &Path) -> BTreeMap<(String, u64), Rows> {
    let mut images: BTreeMap<(String, u64), Rows> = BTreeMap::new();
    let text = std::fs::read_to_string(folder.join("listing-sleuthkit.tsv")).unwrap();
    for line in text.lines().skip(1) {
        let column: Vec<&str> = line.split('\t').collect();
        let [image, sector, system, state, _, inode, bytes, sha256, path] = column[..] else { panic!("{line}") };
        if !system.contains("FAT") || made_up(path) {
            continue;
        }
        let row = Row {
            deleted: state == "deleted",
            path: format!("/{path}"),
            bytes: bytes.parse().unwrap_or(0),
            sha256: (!sha256.is_empty()).then(|| sha256.into()),
        };
        images.entry((image.into(), sector.parse().unwrap())).or_default().insert(inode.parse().unwrap(), row);
    }
    images
}

/// Deleted entries on which the two differ: image, inode, what, why.
const EXCEPTIONS: &[(&str, u64, &str, &str)] = &[(
    "card-fat16",
    567,
    "content",
    "all clusters in use now: The Sleuth Kit gives the first one, we all with a note",
)];

/// Every row of the stored listing is ours and every entry of ours is in the listing: names, sizes and digests.
#[test]
fn shared_images_against_the_stored_listing() {
    let Some(folder) = testdata().map(|t| t.join("disk")) else { return skipped(1, "no shared test data") };
    let scratch = tempfile::tempdir().unwrap();
    let (mut compared, mut differences, mut used) = ((0, 0), vec![], 0);
    for ((name, sector), theirs) in stored_listing(&folder) {
        let Some(image) = raw(&folder.join(name.trim_start_matches("disk/")), scratch.path()) else {
            skipped(1, "the tool that converts this container is not installed");
            continue;
        };
        let volume = volume_at(&image, sector);
        let fs = open(&volume);
        let all = collect(&*fs);
        println!("{name}: problems {:?}", all.problems);
        let ours = ours(&volume, &*fs, &all);
        let inodes: BTreeSet<u64> = theirs.keys().chain(ours.keys()).copied().collect();
        for inode in inodes {
            let (a, b) = (theirs.get(&inode), ours.get(&inode).map(|(row, _)| row));
            let excepted = EXCEPTIONS.iter().any(|e| name.contains(e.0) && e.1 == inode);
            match (a, b) {
                _ if excepted && a.is_some_and(|r| r.deleted) && a != b => used += 1,
                (Some(a), Some(b)) if a == b => {
                    if a.deleted {
                        compared.1 += 1;
                    } else {
                        compared.0 += 1;
                    }
                }
                _ => differences.push(format!("{name} inode {inode}\n  theirs {a:?}\n  ours   {b:?}")),
            }
        }
    }
    println!("{} live and {} deleted entries equal, {used} pinned exceptions", compared.0, compared.1);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The rows of `fls -r -p`, without content.
fn fls(image: &Path) -> Option<Rows> {
    let text = String::from_utf8(run("fls", &["-r", "-p"], image, &[])?).ok()?;
    let mut rows = Rows::new();
    for line in text.lines() {
        let (head, path) = line.split_once(":\t")?;
        if made_up(path) {
            continue;
        }
        let inode = head.split(' ').next_back()?.trim_end_matches("(realloc)").parse().ok()?;
        let row = Row { deleted: head.contains('*'), path: format!("/{path}"), bytes: 0, sha256: None };
        rows.insert(inode, row);
    }
    Some(rows)
}

/// The built images, listed and read by The Sleuth Kit now: live entries equal in both directions by name; deleted ones
/// by name, and by content through `icat`.
#[test]
fn built_images_against_the_installed_sleuth_kit() {
    let Some(folder) = images() else { return skipped(4, "AVOCET_IMAGES is not set") };
    for name in ["fat12", "fat16", "fat32", "exfat"] {
        let image = folder.join(format!("{name}.dd"));
        let Some(theirs) = fls(&image) else { return skipped(4, "fls is not installed") };
        let volume = volume_at(&image, 0);
        let fs = open(&volume);
        let ours = ours(&volume, &*fs, &collect(&*fs));
        let (mut only, mut equal, mut nameless) = (vec![], 0, 0);
        for (inode, row) in &theirs {
            // The Sleuth Kit takes any slot in free space whose first byte is 05 for an orphan, without checksum: in exfat.dd
            // two of them lie in random content of deleted files.
            if row.path.starts_with("/$OrphanFiles/OrphanFile-") && !ours.contains_key(inode) {
                nameless += 1;
                continue;
            }
            let mine = ours.get(inode).map(|(row, _)| row);
            let same = mine.is_some_and(|r| r.deleted == row.deleted && same_place(&row.path, &r.path));
            assert!(same, "{name} inode {inode}\n  theirs {row:?}\n  ours   {mine:?}");
            if row.deleted && mine.is_some_and(|r| r.sha256.is_some()) {
                let bytes = run("icat", &[], &image, &[&inode.to_string()]).expect("icat reads it");
                assert_eq!(mine.and_then(|r| r.sha256.clone()), Some(sha256(&bytes)), "{name} {}", row.path);
                equal += 1;
            }
        }
        for (inode, (row, _)) in &ours {
            if !theirs.contains_key(inode) {
                only.push(format!("{inode} {row:?}"));
            }
        }
        assert!(only.is_empty(), "{name}: {only:?}");
        assert_eq!((equal, nameless), (27, if name == "exfat" { 2 } else { 0 }), "{name}");
        println!("{name}: {} entries, {equal} deleted contents equal", theirs.len());
    }
}

/// `istat` in UTC shows the same clock readings.
#[test]
fn times_against_istat() {
    let Some(folder) = testdata().map(|t| t.join("disk")) else { return skipped(3, "no shared test data") };
    for (name, sector) in [("made/card-fat16.dd", 63u64), ("made/card-exfat.dd", 0), ("fs/exfat.img", 0)] {
        let image = folder.join(name);
        let volume = volume_at(&image, sector);
        let fs = open(&volume);
        let mut compared = 0;
        for (inode, (_, entry)) in ours(&volume, &*fs, &collect(&*fs)) {
            let mut istat = Command::new("istat");
            istat.args(["-z", "UTC", "-o", &sector.to_string()]).arg(&image).arg(inode.to_string());
            let Ok(out) = istat.output() else { return skipped(3, "istat is not installed") };
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            for (label, stamp) in [
                ("Written:", entry.times.modified),
                ("Accessed:", entry.times.accessed),
                ("Created:", entry.times.created),
            ] {
                let Some(line) = text.lines().find_map(|l| l.strip_prefix(label)) else { continue };
                let theirs = line.trim().trim_end_matches(" (UTC)").replace(' ', "T");
                // istat shows the clock of the device without the offset that exFAT records beside it, and takes a 10 ms
                // field of exactly 100 for no second; exfat-fuse agrees with us on both.
                let clock = |less: i64| {
                    let stamp = stamp.map(|s| match s.zone {
                        Zone::Offset(minutes) => s.ns + i64::from(minutes) * 60_000_000_000,
                        _ => s.ns,
                    });
                    let whole = stamp.map(|ns| Stamp {
                        ns: (ns - less).div_euclid(1_000_000_000) * 1_000_000_000,
                        zone: Zone::Local,
                    });
                    whole.map_or("0000-00-00T00:00:00".into(), |s| s.to_string())
                };
                let off_by_one = fs.facts().kind == "exfat" && stamp.is_some_and(|s| s.ns % 1_000_000_000 == 0);
                let agree = clock(0) == theirs || (off_by_one && clock(1_000_000_000) == theirs);
                assert!(agree, "{name} {inode} {label} {theirs} and {stamp:?}");
                compared += 1;
            }
        }
        println!("{name}: {compared} times equal");
        assert!(compared > 20, "{name}");
    }
}
