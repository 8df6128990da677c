//! One test for each rule of the readers, on volumes built in memory.

use avocet_evidence::fs::exfat::ExFat;
use avocet_evidence::fs::fat::Fat;
use avocet_evidence::{AllocationState, Content, Entry, FileSystem, Location, Note, Run, Unreadable};

use super::build::{ExFatImage, FatImage, deleted, long, set, short};
use super::open;
use crate::support::{Collected, collect, content};

fn find<'a>(all: &'a Collected, path: &str) -> &'a Entry {
    let hit = all.entries.iter().find(|e| e.path == path);
    hit.unwrap_or_else(|| panic!("no {path} in {:?}", all.entries.iter().map(|e| &e.path).collect::<Vec<_>>()))
}

fn codes(all: &Collected) -> Vec<&str> {
    all.problems.iter().map(|p| p.code).collect()
}

fn read(fat: &FatImage, entry: &Entry) -> Result<Vec<u8>, String> {
    content(entry, &fat.source(), 1 << 24)?.ok_or_else(|| format!("{:?}", entry.content))
}

fn listed(image: &FatImage) -> Collected {
    collect(&Fat::open(image.source()).unwrap())
}

/// A volume with `/A.BIN` in clusters 10, 12, 11.
fn with_file(bits: u32) -> (FatImage, Vec<u8>) {
    let clusters = match bits {
        12 => 400,
        16 => 5000,
        _ => 70_000,
    };
    let mut image = FatImage::new(bits, clusters);
    let mut bytes = image.fill(&[10, 12, 11]);
    bytes.truncate(1200);
    image.chain(&[10, 12, 11]);
    image.slot(image.root, &short(b"A       BIN", 0x20, 10, 1200));
    (image, bytes)
}

#[test]
fn every_width_reads_fragmented_files_and_names_its_facts() {
    for (bits, kind) in [(12, "fat12"), (16, "fat16"), (32, "fat32")] {
        let (mut image, bytes) = with_file(bits);
        let root = image.root;
        let parts = long("Fröhliche Weihnachten 2020.jpeg", b"FRHLIC~1JPE");
        parts.iter().enumerate().for_each(|(n, slot)| image.slot(root + 32 + n * 32, slot));
        image.slot(root + 128, &short(b"FRHLIC~1JPE", 0x20, 0, 0));
        image.slot(root + 160, &short(b"MY CARD    ", 0x08, 0, 0));
        let fs = Fat::open(image.source()).unwrap();
        assert_eq!((fs.facts().kind, fs.facts().serial.as_deref()), (kind, Some("1234-ABCD")));
        assert_eq!(fs.facts().label.as_deref(), Some("MY CARD"));
        let all = collect(&fs);
        assert_eq!(codes(&all), [""; 0], "{kind}");
        let file = find(&all, "/A.BIN");
        assert_eq!(read(&image, file).unwrap(), bytes);
        assert_eq!(file.number, root as u64);
        assert_eq!(file.content.extents().len(), 3);
        assert_eq!(file.times.modified.unwrap().to_string(), "2020-02-03T04:05:06");
        assert_eq!(file.times.accessed.unwrap().to_string(), "2020-02-03T00:00:00");
        find(&all, "/Fröhliche Weihnachten 2020.jpeg");
        let free = fs.unallocated().unwrap();
        let first_free = if bits == 32 { 3 } else { 2 };
        let before = Run { start: image.at(first_free) as u64, length: 512 * u64::from(10 - first_free) };
        let behind = Run { start: image.at(13) as u64, length: 512 * u64::from(image.clusters + 2 - 13) };
        assert_eq!(free, [before, behind], "{kind}");
    }
}

#[test]
fn the_backup_boot_sector_and_the_second_table_step_in() {
    let (mut image, bytes) = with_file(32);
    image.data[..512].fill(0);
    let all = listed(&image);
    assert_eq!(codes(&all), ["boot-sector-backup-used"]);
    assert_eq!(read(&image, find(&all, "/A.BIN")).unwrap(), bytes);
    let at = 6 * 512;
    image.data[at..at + 512].fill(0);
    assert!(Fat::open(image.source()).is_err());

    let (mut image, bytes) = with_file(16);
    let (table, length) = (image.table, image.table_bytes);
    image.data[table..table + length].fill(0x41);
    let all = listed(&image);
    assert_eq!(codes(&all), ["fat-first-copy-bad", "fat-copies-differ"]);
    assert_eq!(read(&image, find(&all, "/A.BIN")).unwrap(), bytes);

    let (mut image, bytes) = with_file(12);
    image.link_in(1, 12, 0);
    image.link_in(1, 300, 301);
    let all = listed(&image);
    assert_eq!(codes(&all), ["fat-copies-differ"]);
    assert!(all.problems[0].detail.starts_with("2 entries"), "{}", all.problems[0].detail);
    assert_eq!(read(&image, find(&all, "/A.BIN")).unwrap(), bytes);
}

#[test]
fn broken_chains_are_errors_and_never_other_bytes() {
    for (next, code) in [(0, "chain-broken"), (0x0fff_fff7, "chain-broken"), (0x0fff_ffff, "chain-short")] {
        let (mut image, bytes) = with_file(16);
        image.link(12, next);
        let all = listed(&image);
        assert!(codes(&all).contains(&code), "{:?}", all.problems);
        let file = find(&all, "/A.BIN");
        assert!(read(&image, file).is_err());
        assert_eq!(file.content.extents().iter().map(|e| e.length).sum::<u64>(), 1024);
        assert_eq!(bytes.len(), 1200);
    }
    let (mut image, _) = with_file(16);
    image.link(12, 10);
    let all = listed(&image);
    assert_eq!(codes(&all), ["chain-loop", "lost-clusters"]);
    assert!(matches!(find(&all, "/A.BIN").content, Content::Unreadable(Unreadable::Corrupt(_))));

    let (mut image, _) = with_file(16);
    let root = image.root;
    for (n, (first, size)) in [(9, u32::MAX), (60_000, 10), (0, 10)].into_iter().enumerate() {
        let name: [u8; 11] = format!("B{n}         ").into_bytes()[..11].try_into().unwrap();
        image.slot(root + 32 + n * 32, &short(&name, 0x20, first, size));
    }
    let all = listed(&image);
    assert_eq!(codes(&all), ["size-beyond-volume", "first-cluster-invalid", "first-cluster-invalid"]);
    assert_eq!(all.entries.iter().filter(|e| matches!(e.content, Content::Unreadable(_))).count(), 3);
}

#[test]
fn crossed_files_are_told_and_cannot_multiply_the_volume() {
    let (mut image, bytes) = with_file(16);
    image.slot(image.root + 32, &short(b"B       BIN", 0x20, 12, 1000));
    let all = listed(&image);
    assert_eq!(codes(&all), ["cross-linked"]);
    let b = find(&all, "/B.BIN");
    assert_eq!(
        read(&image, b).unwrap(),
        bytes[512..]
            .iter()
            .copied()
            .chain(image.data[image.at(11) + 176..image.at(11) + 488].iter().copied())
            .collect::<Vec<_>>()[..1000]
    );
    assert_eq!(b.notes, [Note::Other("shares 2 of 2 clusters with another live file".into())]);

    // 60 files over the same 400 of 500 clusters.
    let mut image = FatImage::new(12, 500);
    let chain: Vec<u32> = (2..402).collect();
    image.chain(&chain);
    for n in 0..60usize {
        let name: [u8; 11] = format!("F{n:02}        ").into_bytes()[..11].try_into().unwrap();
        image.slot(image.root + n * 32, &short(&name, 0x20, 2, 400 * 512));
    }
    let all = listed(&image);
    let readable: u64 = all.entries.iter().filter(|e| read(&image, e).is_ok()).map(|e| e.size).sum();
    assert_eq!(readable, 2 * 400 * 512, "{:?}", codes(&all));
    assert_eq!(all.entries.len(), 60);
    assert_eq!(codes(&all).iter().filter(|c| **c == "cross-linked-capped").count(), 58);
}

#[test]
fn directory_loops_are_cut() {
    let (mut image, _) = with_file(16);
    image.chain(&[20]);
    image.directory(20, 0);
    image.slot(image.root + 32, &short(b"D          ", 0x10, 20, 0));
    let at = image.at(20);
    image.slot(at + 64, &short(b"UP         ", 0x10, 20, 0));
    image.slot(at + 96, &short(b"X       TXT", 0x20, 0, 0));
    let all = listed(&image);
    assert_eq!(codes(&all), ["directory-loop"]);
    assert_eq!(all.problems[0].path.as_deref(), Some("/D/UP"));
    let paths: Vec<&str> = all.entries.iter().map(|e| e.path.as_str()).collect();
    assert_eq!(paths, ["/A.BIN", "/D", "/D/UP", "/D/X.TXT"]);
}

#[test]
fn deleted_names_come_back_from_their_long_pieces() {
    let (mut image, _) = with_file(16);
    let root = image.root;
    let mut at = root + 32;
    for slot in long("holiday in the mountains.jpg", b"HOLIDA~1JPG") {
        let mut slot = slot;
        slot[0] = 0xe5;
        image.slot(at, &slot);
        at += 32;
    }
    image.slot(at, &short(b"\xe5OLIDA~1JPG", 0x20, 0, 0));
    // Pieces of another name before a short name they do not belong to.
    let mut stray = long("zebra.jpg", b"ZEBRA   JPG")[0];
    stray[0] = 0xe5;
    image.slot(at + 32, &stray);
    image.slot(at + 64, &short(b"\xe5MG_0001JPG", 0x20, 0, 0));
    let all = listed(&image);
    assert_eq!(codes(&all), ["long-name-orphaned"]);
    assert_eq!(find(&all, "/holiday in the mountains.jpg").notes, []);
    let lost = find(&all, "/_MG_0001.JPG");
    assert_eq!(lost.notes, [Note::FirstCharacterLost]);
    assert_eq!(lost.state, AllocationState::Deleted);
}

#[test]
fn deleted_content_is_found_as_documented() {
    let (mut image, _) = with_file(16);
    let root = image.root;
    let mut add = |n: usize, name: &[u8; 11], first, size| image.slot(root + n * 32, &short(name, 0x20, first, size));
    add(1, b"\xe5ONE       ", 30, 500);
    add(2, b"\xe5ROW       ", 40, 1500);
    add(3, b"\xe5GAP       ", 8, 2000);
    add(4, b"\xe5USED      ", 11, 1000);
    add(5, b"\xe5TAIL      ", 5000, 1500);
    let one = image.fill(&[30]);
    let row = image.fill(&[40, 41, 42]);
    let gap = image.fill(&[8, 9, 13, 14]);
    let all = listed(&image);
    assert_eq!(codes(&all), [""; 0]);
    let notes = |path: &str| {
        find(&all, path).notes.iter().filter(|n| **n != Note::FirstCharacterLost).cloned().collect::<Vec<_>>()
    };
    assert_eq!(read(&image, find(&all, "/_ONE")).unwrap(), one[..500]);
    assert_eq!(notes("/_ONE"), []);
    assert_eq!(read(&image, find(&all, "/_ROW")).unwrap(), row[..1500]);
    assert_eq!(notes("/_ROW"), [Note::AssumedContiguous]);
    assert_eq!(read(&image, find(&all, "/_GAP")).unwrap(), gap[..2000]);
    assert_eq!(notes("/_GAP"), [Note::AssumedNextFree]);
    assert_eq!(notes("/_USED"), [Note::ClustersReused { reused: 2, of: 2 }]);
    assert!(matches!(find(&all, "/_TAIL").content, Content::Unreadable(Unreadable::Corrupt(_))));
}

/// Deleted and orphaned files may claim no more bytes than the volume has (The Sleuth Kit, issue 821).
#[test]
fn fat_orphans_bounded_by_fs_size() {
    let mut image = FatImage::new(16, 5000);
    image.directory(100, 3); // nothing refers to it
    let at = image.at(100);
    for n in 2..16usize {
        let name: [u8; 11] = format!("F{n:02}        ").into_bytes()[..11].try_into().unwrap();
        image.slot(at + n * 32, &short(&name, 0x20, 200, 2_000_000));
    }
    let fs = Fat::open(image.source()).unwrap();
    let all = collect(&fs);
    assert_eq!(codes(&all), ["recovered-bytes-capped"]);
    assert_eq!(find(&all, "/$Orphans/cluster-100").state, AllocationState::Orphan);
    let files: Vec<&Entry> = all.entries.iter().filter(|e| e.size > 0).collect();
    assert_eq!(files.len(), 14);
    let readable: u64 = files.iter().filter(|e| read(&image, e).is_ok()).map(|e| e.size).sum();
    assert_eq!(readable, 2_000_000, "the volume holds {}", fs.facts().size);
    let capped = files.iter().filter(|e| matches!(e.content, Content::Unreadable(Unreadable::Capped))).count();
    assert_eq!(capped, 13);
}

#[test]
fn deleted_and_orphaned_directories_are_walked() {
    let (mut image, _) = with_file(32);
    let root = image.root;
    // A deleted directory of two clusters, the second after one in use, and one below it.
    image.directory(20, 0);
    let at = image.at(20);
    (2..16usize).for_each(|n| {
        let name: [u8; 11] = format!("P{n:02}     JPG").into_bytes()[..11].try_into().unwrap();
        image.slot(at + n * 32, &short(&name, 0x20, 0, 0));
    });
    image.chain(&[21]);
    image.slot(root + 64, &short(b"USED       ", 0x20, 21, 512));
    image.slot(image.at(22), &short(b"SUB        ", 0x10, 25, 0));
    image.slot(root + 32, &short(b"\xe5IR        ", 0x10, 20, 0));
    image.directory(25, 20);
    let at = image.at(25);
    let name = long("inside.txt", b"INSIDE  TXT");
    image.slot(at + 64, &name[0]);
    image.slot(at + 96, &short(b"INSIDE  TXT", 0x20, 26, 100));
    let bytes = image.fill(&[26]);
    // A directory nothing refers to, with one below it in an earlier cluster, and a later part of another.
    image.directory(60, 9);
    image.slot(image.at(60) + 64, &short(b"BELOW      ", 0x10, 50, 0));
    image.directory(50, 60);
    image.slot(image.at(50) + 64, &short(b"Y       TXT", 0x20, 0, 0));
    image.slot(image.at(70), &short(b"PART    TXT", 0x20, 0, 0));
    let all = listed(&image);
    assert_eq!(codes(&all), [""; 0]);
    let inside = find(&all, "/_IR/SUB/inside.txt");
    assert_eq!(inside.state, AllocationState::Deleted);
    assert_eq!(read(&image, inside).unwrap(), bytes[..100]);
    find(&all, "/_IR/P15.JPG");
    find(&all, "/$Orphans/cluster-60/BELOW/Y.TXT");
    assert_eq!(find(&all, "/$Orphans/cluster-70/PART.TXT").state, AllocationState::Orphan);
    assert_eq!(all.entries.iter().filter(|e| e.path.contains("cluster-50")).count(), 0);
}

#[test]
fn the_cleared_upper_half_of_a_first_cluster_is_found_again() {
    let (mut image, _) = with_file(32);
    let root = image.root;
    let cluster = 0x1_0005;
    image.directory(cluster, 0);
    image.slot(image.at(cluster) + 64, &short(b"\xe5EEP    TXT", 0x20, 12, 40));
    image.slot(root + 32, &short(b"\xe5IR        ", 0x10, cluster & 0xffff, 0));
    let bytes = image.fill(&[0x1_000c]);
    let all = listed(&image);
    assert_eq!(codes(&all), [""; 0]);
    // Cluster 12 is in use; with the directory's upper half it is 1000C, which is free.
    let deep = find(&all, "/_IR/_EEP.TXT");
    assert_eq!(read(&image, deep).unwrap(), bytes[..40]);
    assert!(deep.notes.iter().any(|n| matches!(n, Note::Other(text) if text.contains("guess"))));
}

#[test]
fn cut_images_and_bad_slots_are_counted() {
    let (mut image, _) = with_file(16);
    let root = image.root;
    image.slot(root + 32, &short(b"\x01\x02\x03     BIN", 0x20, 0, 0));
    image.slot(root + 64, &short(b"LATE    BIN", 0x20, 4000, 512));
    image.chain(&[4000]);
    image.link(4001, 0x0fff_fff7);
    image.link(4002, 4003);
    let length = image.at(3000);
    image.data.truncate(length);
    let all = listed(&image);
    assert_eq!(codes(&all), ["volume-truncated", "bad-clusters", "implausible-entries", "lost-clusters"]);
    assert!(read(&image, find(&all, "/LATE.BIN")).is_err(), "bytes past the end of the image");
    let free = Fat::open(image.source()).unwrap().unallocated().unwrap();
    assert_eq!(free.last().map(|r| r.start + r.length), Some(image.data.len() as u64));
}

fn exfat_listed(image: &ExFatImage) -> Collected {
    collect(&ExFat::open(image.source()).unwrap())
}

fn exfat_read(image: &ExFatImage, entry: &Entry) -> Result<Vec<u8>, String> {
    content(entry, &image.source(), 1 << 24)?.ok_or_else(|| format!("{:?}", entry.content))
}

/// `/chained.bin` in 10, 12 and `/run.bin` in 20..=22, of which 700 bytes were written.
fn exfat_with_files() -> (ExFatImage, Vec<u8>, Vec<u8>) {
    let mut image = ExFatImage::new(400);
    let root = image.at(4) + 96;
    image.slots(root, &set("chained.bin", 0x20, 10, 900, 900, false));
    image.slots(root + 96, &set("run.bin", 0x20, 20, 1300, 700, true));
    image.link(10, 12);
    image.link(12, 0xffff_ffff);
    [10, 12, 20, 21, 22].iter().for_each(|c| image.allocate(*c, true));
    let chained = image.fill(&[10, 12])[..900].to_vec();
    let mut run = image.fill(&[20, 21, 22])[..1300].to_vec();
    run[700..].fill(0);
    (image, chained, run)
}

#[test]
fn exfat_chains_runs_valid_length_and_times() {
    let (image, chained, run) = exfat_with_files();
    let fs = ExFat::open(image.source()).unwrap();
    assert_eq!((fs.facts().label.as_deref(), fs.facts().serial.as_deref()), (Some("OK"), Some("1234-ABCD")));
    let all = collect(&fs);
    assert_eq!(codes(&all), [""; 0]);
    assert_eq!(exfat_read(&image, find(&all, "/chained.bin")).unwrap(), chained);
    let file = find(&all, "/run.bin");
    assert_eq!(exfat_read(&image, file).unwrap(), run);
    assert_eq!(file.notes, [Note::ZeroAfter(700)]);
    assert_eq!(file.content.extents().last().unwrap().location, Location::Zero);
    assert_eq!(file.times.created.unwrap().to_string(), "2020-02-03T03:05:07.5Z");
    let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length / 512).sum();
    assert_eq!(free, 400 - 8);
}

#[test]
fn exfat_boot_regions_and_bitmap() {
    let (mut image, chained, _) = exfat_with_files();
    image.data[200] ^= 1;
    let all = exfat_listed(&image);
    assert_eq!(codes(&all), ["boot-region-backup-used"]);
    assert_eq!(exfat_read(&image, find(&all, "/chained.bin")).unwrap(), chained);
    image.data[12 * 512 + 200] ^= 1;
    assert_eq!(codes(&exfat_listed(&image)), ["boot-checksum"]);
    image.data[3] = 0;
    assert!(ExFat::open(image.source()).is_err());

    let (mut image, chained, _) = exfat_with_files();
    let root = image.at(4);
    image.data[root] = 0x01;
    let fs = ExFat::open(image.source()).unwrap();
    assert!(fs.unallocated().is_err());
    let all = collect(&fs);
    assert_eq!(codes(&all), ["allocation-bitmap-missing"]);
    assert_eq!(exfat_read(&image, find(&all, "/chained.bin")).unwrap(), chained);
}

#[test]
fn exfat_checksums_and_unknown_entries() {
    let (mut image, chained, _) = exfat_with_files();
    let root = image.at(4) + 96;
    image.data[root + 4] ^= 1; // read-only
    let mut guid = [0; 32];
    guid[0] = 0xa0;
    let mut critical = [0; 32];
    critical[0] = 0x86;
    image.slots(root + 192, &[guid, critical]);
    let all = exfat_listed(&image);
    assert_eq!(codes(&all), ["entry-set-checksum", "unknown-critical-entry"]);
    assert_eq!(exfat_read(&image, find(&all, "/chained.bin")).unwrap(), chained);
}

#[test]
fn exfat_deleted_sets_whole_and_in_part() {
    let (mut image, ..) = exfat_with_files();
    image.link(4, 5);
    image.link(5, 0xffff_ffff);
    image.allocate(5, true);
    let root = image.at(4) + 96;
    let mut at = root + 192;
    let mut add = |image: &mut ExFatImage, slots: Vec<[u8; 32]>| {
        image.slots(at, &slots);
        at += slots.len() * 32;
    };
    add(&mut image, deleted(set("a run", 0x20, 30, 1000, 1000, true)));
    add(&mut image, deleted(set("a chain", 0x20, 40, 1000, 1000, false)));
    image.chain_free(&[40, 45]);
    // The file entry and the last piece of the name were overwritten by others.
    let cut = deleted(set("a long name that needs three pieces", 0x20, 50, 400, 400, true));
    add(&mut image, [set("x", 0x20, 0, 0, 0, false), cut[1..4].to_vec()].concat());
    let (run, chain, fifty) = (image.fill(&[30, 31]), image.fill(&[40, 45]), image.fill(&[50]));
    let all = exfat_listed(&image);
    assert_eq!(codes(&all), [""; 0]);
    let one = find(&all, "/a run");
    assert_eq!((exfat_read(&image, one).unwrap(), &one.notes), (run[..1000].to_vec(), &vec![]));
    let two = find(&all, "/a chain");
    assert_eq!((exfat_read(&image, two).unwrap(), &two.notes), (chain[..1000].to_vec(), &vec![]));
    let three = find(&all, "/a long name that needs three p");
    assert_eq!(exfat_read(&image, three).unwrap(), fifty[..400]);
    assert!(three.notes.len() >= 2, "{:?}", three.notes);
    assert!(three.times.modified.is_none());

    image.allocate(45, true);
    image.allocate(31, true);
    let all = exfat_listed(&image);
    assert_eq!(find(&all, "/a run").notes, [Note::ClustersReused { reused: 1, of: 2 }]);
    assert_eq!(find(&all, "/a chain").notes, [Note::AssumedContiguous]);
    assert_eq!(codes(&all), ["lost-clusters"]);
}

#[test]
fn exfat_deleted_and_orphaned_directories() {
    let (mut image, ..) = exfat_with_files();
    let root = image.at(4) + 96;
    image.slots(root + 192, &deleted(set("gone", 0x10, 60, 512, 512, true)));
    let at = image.at(60);
    image.slots(at, &deleted(set("child.txt", 0x20, 61, 100, 100, true)));
    image.slots(image.at(80), &deleted(set("lost.txt", 0x20, 81, 100, 100, true)));
    let (child, lost) = (image.fill(&[61]), image.fill(&[81]));
    let all = exfat_listed(&image);
    assert_eq!(codes(&all), [""; 0]);
    let entry = find(&all, "/gone/child.txt");
    assert_eq!((entry.state, exfat_read(&image, entry).unwrap()), (AllocationState::Deleted, child[..100].to_vec()));
    let entry = find(&all, "/$Orphans/cluster-80/lost.txt");
    assert_eq!((entry.state, exfat_read(&image, entry).unwrap()), (AllocationState::Orphan, lost[..100].to_vec()));
}

#[test]
fn exfat_directory_loops_are_cut() {
    let (mut image, ..) = exfat_with_files();
    let root = image.at(4) + 96;
    image.slots(root + 192, &set("loop", 0x10, 4, 512, 512, true));
    let all = exfat_listed(&image);
    assert_eq!(codes(&all), ["directory-loop"]);
    assert_eq!(all.entries.len(), 3);
}

#[test]
fn nothing_else_is_taken_for_a_volume() {
    for data in [vec![], vec![0; 511], vec![0; 1 << 16], vec![0xff; 1 << 16]] {
        let source: std::sync::Arc<dyn avocet_evidence::Source> =
            std::sync::Arc::new(avocet_evidence::MemorySource(data));
        assert!(Fat::open(source.clone()).is_err());
        assert!(ExFat::open(source).is_err());
    }
    let (image, ..) = exfat_with_files();
    assert!(Fat::open(image.source()).is_err());
    assert_eq!(open(&image.source()).facts().kind, "exfat");
}

/// Every sector size, by other programs: `mkfs.fat` formats, `mcopy` writes, `mdel` deletes.
#[test]
#[allow(clippy::disallowed_methods, reason = "the images it writes are its own, in a temporary folder")]
fn sector_sizes_as_mkfs_and_mtools_write_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let done = std::process::Command::new(program).args(arguments).env("MTOOLS_SKIP_CHECK", "1").output();
        done.is_ok_and(|o| o.status.success())
    };
    if !run("mkfs.fat", &["--help"]) || !run("mcopy", &["--version"]) {
        return crate::support::skipped(8, "mkfs.fat and mtools are not installed");
    }
    let bytes: Vec<u8> = (0..100_000u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    let file = folder.path().join("original.bin");
    std::fs::write(&file, &bytes).unwrap();
    for (sector, bits) in [512, 1024, 2048, 4096].into_iter().flat_map(|s| [(s, 16), (s, 32)]) {
        let image = folder.path().join(format!("{sector}-{bits}.img"));
        std::fs::File::create(&image).unwrap().set_len(400 << 20).unwrap();
        let (path, file) = (image.to_str().unwrap(), file.to_str().unwrap());
        let (s, b) = (sector.to_string(), bits.to_string());
        assert!(run("mkfs.fat", &["-S", &s, "-F", &b, "-n", "SECTORS", path]), "{sector} {bits}");
        assert!(run("mmd", &["-i", path, "::folder"]));
        assert!(run("mcopy", &["-i", path, file, "::folder/Kept with a long name.bin"]));
        assert!(run("mcopy", &["-i", path, file, "::gone.bin"]) && run("mdel", &["-i", path, "::gone.bin"]));
        let volume = crate::support::load(&image);
        let fs = Fat::open(volume.clone()).unwrap();
        assert_eq!(
            (fs.facts().kind, fs.facts().label.as_deref()),
            (if bits == 16 { "fat16" } else { "fat32" }, Some("SECTORS"))
        );
        let all = collect(&fs);
        assert_eq!(codes(&all), [""; 0], "{sector} {bits}");
        for path in ["/folder/Kept with a long name.bin", "/_one.bin"] {
            assert_eq!(content(find(&all, path), &volume, 1 << 24).unwrap().unwrap(), bytes, "{sector} {bits} {path}");
        }
        std::fs::remove_file(&image).unwrap();
    }
}
