//! Cases built record by record: what the layout says must come out, without a tool to ask.

use std::sync::Arc;

use avocet_evidence::fs::ntfs::Ntfs;
use avocet_evidence::{
    AllocationState, Content, Entry, EntryKind, FileSystem, MemorySource, Note, ReadFault, Source, Unreadable,
};

use super::builder::*;
use crate::support::{Collected, collect, content};

fn open(image: Image) -> (Ntfs, Collected, Arc<dyn Source>) {
    let volume: Arc<dyn Source> = Arc::new(MemorySource(image.bytes));
    let fs = Ntfs::open(Arc::clone(&volume)).unwrap();
    let found = collect(&fs);
    (fs, found, volume)
}

fn entry<'a>(found: &'a Collected, path: &str) -> &'a Entry {
    stream(found, path, None)
}

fn stream<'a>(found: &'a Collected, path: &str, stream: Option<&str>) -> &'a Entry {
    let mut all = found.entries.iter().filter(|e| e.path == path && e.stream.as_deref() == stream);
    let first = all.next().unwrap_or_else(|| panic!("{path} is not among {:?}", paths(found)));
    assert!(all.next().is_none(), "{path} twice");
    first
}

fn paths(found: &Collected) -> Vec<&str> {
    found.entries.iter().map(|e| e.path.as_str()).collect()
}

fn codes(found: &Collected) -> Vec<&str> {
    found.problems.iter().map(|p| p.code).collect()
}

const ROOT: u64 = 5 | 5 << 48;

#[test]
fn the_empty_volume_is_clean() {
    let (fs, found, _) = open(Image::new());
    assert_eq!(paths(&found), ["/$MFT", "/$Bitmap"]);
    assert_eq!(codes(&found), [""; 0]);
    let facts = fs.facts();
    assert_eq!((facts.cluster_size, facts.size), (512, 4096 * 512));
    assert_eq!(facts.serial.as_deref(), Some("0123456789ABCDEF"));
    let free = fs.unallocated().unwrap();
    assert_eq!((free.len(), free[0].start, free[0].length), (1, 512 * 512, (4096 - 512) * 512));
}

#[test]
fn every_name_and_stream_is_an_entry() {
    let mut image = Image::new();
    // The folder comes after its file in the table, and has a stream of its own.
    image.file(
        40,
        1,
        IN_USE,
        &[
            standard(0x20),
            named(reference(41, 7), "long name.txt"),
            file_name(reference(41, 7), 2, &units("LONGNA~1.TXT")),
            file_name(ROOT, 0, &[0x41, 0xd83d, 0x5c, 0x202e]),
            resident(0x80, "", 0, b"main"),
            resident(0x80, "Zone.Identifier", 0, b"zone"),
        ],
    );
    image.file(
        41,
        7,
        IN_USE | DIRECTORY,
        &[standard(0), file_name(ROOT, 3, &units("DIR")), resident(0x80, "note", 0, b"of a folder")],
    );
    image.file(5, 5, IN_USE | DIRECTORY, &[standard(6), named(ROOT, "."), resident(0x80, "r", 0, b"root's")]);
    let (_, found, volume) = open(image);
    assert_eq!(codes(&found), [""; 0]);
    let surrogate = "/A\\u{d83d}\\\\\\u{202e}";
    for (path, name, bytes) in [
        ("/DIR/long name.txt", None, "main"),
        ("/DIR/long name.txt", Some("Zone.Identifier"), "zone"),
        (surrogate, None, "main"),
        (surrogate, Some("Zone.Identifier"), "zone"),
        ("/DIR", Some("note"), "of a folder"),
        ("/", Some("r"), "root's"),
    ] {
        let e = stream(&found, path, name);
        assert_eq!(content(e, &volume, 100).unwrap().unwrap(), bytes.as_bytes());
        assert_eq!((e.kind, e.state), (EntryKind::File, AllocationState::Allocated));
    }
    assert_eq!(found.entries.len(), 2 + 4 + 2 + 1);
    assert_eq!(entry(&found, surrogate).notes, [Note::HardLinks(2)]);
    assert_eq!(entry(&found, "/DIR").kind, EntryKind::Directory);
    assert!(matches!(entry(&found, "/DIR").content, Content::None));
    let times = entry(&found, surrogate).times;
    let text = |s: Option<avocet_base::Stamp>| s.unwrap().to_string();
    assert_eq!(text(times.created), "2001-02-03T04:05:06.789Z");
    assert_eq!(text(times.modified), "2001-02-03T04:05:07.789Z");
    assert_eq!(text(times.changed), "2001-02-03T04:05:08.789Z");
    assert_eq!(text(times.accessed), "2001-02-03T04:05:09.789Z");
    assert_eq!(text(times.name_created), "2001-02-03T04:05:06.7890001Z");
    assert_eq!(text(times.name_modified), "2001-02-03T04:05:06.7890002Z");
    assert_eq!(text(times.name_changed), "2001-02-03T04:05:06.7890003Z");
    assert_eq!(times.name_accessed, None, "not set");
}

fn compressed(size: u64, initialised: u64, pieces: &[Piece]) -> Vec<u8> {
    mapped(&Mapped { kind: 0x80, name: "", flags: 1, lowest: 0, pieces, unit: 4, size, initialised })
}

/// Chunks of one repeated byte, with the end mark.
fn chunks(letters: &[u8]) -> Vec<u8> {
    letters.iter().flat_map(|c| [0x03, 0xb0, 0x02, *c, 0xfc, 0x0f]).chain([0, 0]).collect()
}

#[test]
fn compression_units_of_every_kind() {
    // Sixteen clusters of 512 bytes a unit: compressed, all hole, plain, compressed in two runs and partly written.
    let unit = 16 * 512usize;
    let mut image = Image::new();
    image.put(600, &chunks(b"ab"));
    let plain: Vec<u8> = (0..unit).map(|i| (i / 7) as u8).collect();
    image.put(700, &plain);
    // Literals that fill more than one cluster, so that the unit lies in two runs.
    let mut literal: Vec<u8> = vec![];
    let tail: Vec<u8> = (0..4096).map(|i| (i * i / 3) as u8).collect();
    for group in tail.chunks(8) {
        literal.push(0);
        literal.extend(group);
    }
    // A compressed chunk cannot be longer than its plain form; store it plain instead, its header says so.
    let stored: Vec<u8> = [&[0xff, 0x3f][..], &tail, &chunks(b"z")].concat();
    assert!(literal.len() > 4096);
    image.put(800, &stored[..512]);
    image.put(900, &stored[512..]);
    let size = (3 * unit + 6000) as u64;
    let pieces = [(1, Some(600)), (15, None), (16, None), (16, Some(700)), (1, Some(800)), (8, Some(900)), (7, None)];
    image.file(40, 1, IN_USE, &[standard(0x820), named(ROOT, "c"), compressed(size, size - 500, &pieces)]);
    let (_, found, volume) = open(image);
    let e = entry(&found, "/c");
    assert_eq!(e.notes, [Note::ZeroAfter(size - 500), Note::Compressed]);
    let mut expected = [vec![b'a'; 4096], vec![b'b'; 4096], vec![0; unit], plain, tail, vec![b'z'; 1404]].concat();
    expected.resize(size as usize, 0);
    assert!(content(e, &volume, 1 << 20).unwrap().unwrap() == expected);
    assert_eq!(e.content.first_offset(), Some(600 * 512));
    // The same bytes at every step of reading.
    for step in [1usize, 511, 8192, 8193, 100_000] {
        let mut reader = e.open(&volume).unwrap().unwrap();
        let (mut got, mut buf) = (vec![], vec![0; step]);
        loop {
            let n = reader.read(&mut buf).unwrap();
            got.extend_from_slice(&buf[..n]);
            if n < step {
                break;
            }
        }
        assert!(got == expected, "step {step}");
    }
}

#[test]
fn damaged_compression_is_an_error_and_not_zeros() {
    for (what, stored, pieces) in [
        ("chunk", &[0x03, 0xb0, 0x03, 0, 0, 0, 0, 0][..], [(1, Some(600)), (15, None)]),
        ("early end", &chunks(b"a"), [(1, Some(600)), (15, None)]),
        ("nothing", &[], [(1, Some(600)), (15, None)]),
        ("clusters behind a hole", &chunks(b"ab"), [(15, None), (1, Some(600))]),
    ] {
        let mut image = Image::new();
        image.put(600, stored);
        image.file(40, 1, IN_USE, &[standard(0), named(ROOT, "c"), compressed(8000, 8000, &pieces)]);
        let (_, found, volume) = open(image);
        let mut reader = entry(&found, "/c").open(&volume).unwrap().unwrap();
        let fault = reader.read(&mut [0; 9000]).unwrap_err().fault;
        assert_eq!(fault, ReadFault::Damaged, "{what}");
    }
}

/// Content as a word: the bytes' length, or why there are none.
fn said(e: &Entry) -> String {
    match &e.content {
        Content::Unreadable(why) => why.to_string(),
        Content::None => "none".into(),
        _ => format!("{} bytes", e.size),
    }
}

#[test]
fn bytes_that_are_elsewhere_get_no_digest() {
    let hole: &[Piece] = &[(4, None)];
    let half: &[Piece] = &[(2, Some(600)), (2, None)];
    let full: &[Piece] = &[(4, Some(600))];
    let sparse = |pieces: &[Piece]| {
        mapped(&Mapped {
            kind: 0x80,
            name: "",
            flags: 0x8000,
            lowest: 0,
            pieces,
            unit: 0,
            size: 2000,
            initialised: 2000,
        })
    };
    let (wof, dedup, cloud, onedrive) = (0x8000_0017, 0x8000_0013, 0x9000_601a, 0x8000_0021);
    let (offline, recall) = (0x1000, 0x40_0000);
    let elsewhere = |what: &str| format!("content unreadable: stored elsewhere ({what})");
    for (tag, flags, pieces, expected) in [
        (wof, 0, hole, elsewhere("Windows Overlay Filter")),
        (wof, 0, half, elsewhere("Windows Overlay Filter")),
        (wof, 0, full, "2000 bytes".into()),
        (dedup, 0, half, elsewhere("data deduplication")),
        (cloud, offline | recall, hole, elsewhere("cloud placeholder")),
        (cloud, recall, half, elsewhere("cloud placeholder")),
        (cloud, 0, hole, elsewhere("cloud placeholder")),
        (cloud, 0, half, "2000 bytes".into()),
        (cloud, 0, full, "2000 bytes".into()),
        (onedrive, offline, hole, elsewhere("OneDrive placeholder")),
        (onedrive, 0, full, "2000 bytes".into()),
        (0xc000_0004, offline, hole, elsewhere("hierarchical storage")),
        (0, recall, hole, elsewhere("offline storage")),
        (0, offline, full, "2000 bytes".into()),
        (0, 0, hole, "2000 bytes".into()),
        (0xa000_000c, 0, full, "none".into()),
        (0x8000_0024, 0, full, "none".into()),
    ] {
        let mut image = Image::new();
        let mut attributes = vec![standard(flags), named(ROOT, "f"), sparse(pieces)];
        if tag != 0 {
            attributes.push(reparse(tag));
        }
        attributes.push(resident(0x80, "WofCompressedData", 0, b"stored form"));
        image.file(40, 1, IN_USE, &attributes);
        let (_, found, volume) = open(image);
        assert_eq!(said(entry(&found, "/f")), expected, "{tag:x} {flags:x} {pieces:?}");
        let side = stream(&found, "/f", Some("WofCompressedData"));
        assert_eq!(content(side, &volume, 100).unwrap().unwrap(), b"stored form");
    }
}

#[test]
fn links_say_so() {
    let mut image = Image::new();
    image.file(40, 1, IN_USE | DIRECTORY, &[standard(0x400), named(ROOT, "junction"), reparse(0xa000_0003)]);
    image.file(
        41,
        1,
        IN_USE,
        &[standard(0x400), named(ROOT, "link"), resident(0x80, "", 0, b""), reparse(0xa000_000c)],
    );
    image.file(42, 1, IN_USE, &[standard(4), named(ROOT, "interix"), resident(0x80, "", 0, b"IntxLNK\x01a\0")]);
    let (_, found, _) = open(image);
    for path in ["/junction", "/link"] {
        assert_eq!(entry(&found, path).kind, EntryKind::Link);
        assert_eq!(entry(&found, path).notes, [Note::Other("link target recorded".into())]);
    }
    assert_eq!((entry(&found, "/interix").kind, entry(&found, "/interix").size), (EntryKind::File, 10));
}

#[test]
fn encrypted_files_get_no_digest() {
    let mut image = Image::new();
    let secret = |flags| {
        mapped(&Mapped {
            kind: 0x80,
            name: "",
            flags,
            lowest: 0,
            pieces: &[(1, Some(600))],
            unit: 0,
            size: 100,
            initialised: 100,
        })
    };
    image.file(40, 1, IN_USE, &[standard(0x4000), named(ROOT, "a"), secret(0x4000)]);
    image.file(41, 1, IN_USE, &[standard(0), named(ROOT, "b"), secret(0), resident(0x100, "$EFS", 0, &[1; 20])]);
    image.file(42, 1, IN_USE, &[standard(0x4000), named(ROOT, "c"), secret(0)]);
    image.file(43, 1, IN_USE, &[standard(0), named(ROOT, "d"), secret(0), resident(0x100, "$TXF_DATA", 0, &[1; 20])]);
    let (_, found, _) = open(image);
    for path in ["/a", "/b"] {
        assert_eq!(said(entry(&found, path)), "content unreadable: encrypted (EFS)");
    }
    assert_eq!(said(entry(&found, "/c")), "100 bytes");
    assert_eq!(entry(&found, "/c").notes, [Note::Other("marked encrypted, but its data is not".into())]);
    assert_eq!(said(entry(&found, "/d")), "100 bytes");
}

/// Two pieces of a run list: the first in the base record, the second in extension record 50; the name in 51.
fn in_extensions(image: &mut Image, live: bool, list_in_clusters: bool) {
    let (sequence, flags) = if live { (3, IN_USE) } else { (4, 0) };
    let base = reference(40, 3);
    let piece = |lowest, pieces: &[Piece], size| {
        mapped(&Mapped { kind: 0x80, name: "", flags: 0, lowest, pieces, unit: 0, size, initialised: size })
    };
    let list =
        [line(0x10, 0, base), line(0x30, 0, reference(51, 3)), line(0x80, 0, base), line(0x80, 2, reference(50, 3))]
            .concat();
    let list = if list_in_clusters {
        image.put(620, &list);
        mapped(&Mapped {
            kind: 0x20,
            name: "",
            flags: 0,
            lowest: 0,
            pieces: &[(1, Some(620))],
            unit: 0,
            size: list.len() as u64,
            initialised: list.len() as u64,
        })
    } else {
        resident(0x20, "", 0, &list)
    };
    image.file(40, sequence, flags, &[standard(0), list, piece(0, &[(2, Some(600))], 1500)]);
    image.extension(50, sequence, flags, base, &[piece(2, &[(1, Some(610))], 0)]);
    image.extension(51, sequence, flags, base, &[named(ROOT, "ext")]);
    image.put(600, &[b'1'; 1024]);
    image.put(610, &[b'2'; 512]);
}

#[test]
fn attribute_lists_in_both_places_live_and_deleted() {
    for (live, in_clusters) in [(true, false), (true, true), (false, false), (false, true)] {
        let mut image = Image::new();
        in_extensions(&mut image, live, in_clusters);
        let (_, found, volume) = open(image);
        let e = entry(&found, "/ext");
        let expected = [vec![b'1'; 1024], vec![b'2'; 476]].concat();
        assert_eq!(content(e, &volume, 9999).unwrap().unwrap(), expected, "{live} {in_clusters}");
        assert_eq!(e.state, if live { AllocationState::Allocated } else { AllocationState::Deleted });
        assert_eq!(codes(&found), [""; 0]);
    }
}

#[test]
fn a_reused_extension_record_makes_the_content_unreadable() {
    for (live, code) in
        [(false, vec!["extension-records-unclaimed"]), (true, vec!["record-incomplete", "extension-records-unclaimed"])]
    {
        let mut image = Image::new();
        in_extensions(&mut image, live, false);
        image.extension(50, 9, IN_USE, reference(60, 1), &[data(512, &[(1, Some(610))])]);
        let (_, found, _) = open(image);
        assert_eq!(
            said(entry(&found, "/ext")),
            "content unreadable: metadata corrupt (an extension record was reused since)"
        );
        assert_eq!(codes(&found), code);
    }
}

#[test]
fn deleted_entries_and_their_folders() {
    let mut image = Image::new();
    image.file(40, 1, IN_USE | DIRECTORY, &[standard(0), named(ROOT, "live")]);
    image.file(41, 4, DIRECTORY, &[standard(0), named(reference(40, 1), "gone")]); // had sequence 3
    image.file(42, 9, IN_USE, &[standard(0), named(ROOT, "new"), resident(0x80, "", 0, b"n")]); // reused
    let deleted = |folder, name| [standard(0), named(folder, name), resident(0x80, "", 0, b"x")];
    image.file(50, 2, 0, &deleted(ROOT, "a"));
    image.file(51, 2, 0, &deleted(reference(40, 1), "b"));
    image.file(52, 2, 0, &deleted(reference(41, 3), "c"));
    image.file(53, 2, 0, &deleted(reference(41, 2), "d"));
    image.file(54, 2, 0, &deleted(reference(42, 3), "e"));
    image.file(55, 2, 0, &deleted(reference(999, 1), "f"));
    image.file(56, 2, 0, &[standard(0), resident(0x80, "", 0, b"nameless")]);
    image.file(57, 2, 0, &[standard(0), named(ROOT, "no data")]);
    image.file(58, 2, IN_USE, &deleted(reference(41, 3), "g")); // live in a deleted folder
    let (_, found, _) = open(image);
    let (deleted, orphan) = (AllocationState::Deleted, AllocationState::Orphan);
    for (path, state, notes) in [
        ("/live/gone", deleted, vec![]),
        ("/a", deleted, vec![]),
        ("/live/b", deleted, vec![]),
        ("/live/gone/c", deleted, vec![]),
        ("/$Orphans/d", orphan, vec![Note::ParentReused]),
        ("/$Orphans/e", orphan, vec![Note::ParentReused]),
        ("/$Orphans/f", orphan, vec![]),
        ("/$Orphans/OrphanFile-56", orphan, vec![]),
        ("/no data", deleted, vec![]),
        ("/$Orphans/g", AllocationState::Allocated, vec![Note::Other("in use, but its folder was not found".into())]),
    ] {
        assert_eq!((entry(&found, path).state, &entry(&found, path).notes), (state, &notes), "{path}");
    }
    assert_eq!(said(entry(&found, "/no data")), "content unreadable: location no longer recorded");
    assert_eq!(codes(&found), ["parent-not-found"]);
}

#[test]
fn reused_clusters_are_counted_and_recovery_is_capped() {
    let mut image = Image::new();
    image.file(40, 2, 0, &[standard(0), named(ROOT, "part"), data(2048, &[(4, Some(600))])]);
    image.allocate(602, 1);
    // Each claims the whole free area; the volume has 4096 clusters.
    let most = 3000u64;
    for number in 50..53 {
        let all = data(most * 512, &[(most, Some(1000))]);
        image.file(number, 2, 0, &[standard(0), named(ROOT, &format!("d{number}")), all.clone()]);
        image.file(number + 10, 2, IN_USE, &[standard(0), named(ROOT, &format!("l{number}")), all]);
    }
    let (_, found, _) = open(image);
    assert_eq!(entry(&found, "/part").notes, [Note::ClustersReused { reused: 1, of: 4 }]);
    assert_eq!(said(entry(&found, "/d50")), format!("{} bytes", most * 512));
    for path in ["/d51", "/d52"] {
        assert!(matches!(entry(&found, path).content, Content::Unreadable(Unreadable::Capped)));
    }
    for path in ["/l51", "/l52"] {
        assert!(matches!(entry(&found, path).content, Content::Unreadable(Unreadable::Corrupt(_))));
    }
    assert_eq!(codes(&found), ["recovered-bytes-capped", "cross-linked-clusters", "cross-linked-clusters"]);
}

#[test]
fn runs_outside_holes_and_bad_clusters() {
    let mut image = Image::new();
    image.file(40, 1, IN_USE, &[standard(0), named(ROOT, "beyond"), data(512, &[(1, Some(4096))])]);
    image.file(41, 1, IN_USE, &[standard(0), named(ROOT, "short"), data(5000, &[(1, Some(600))])]);
    image.file(42, 1, IN_USE, &[standard(0), named(ROOT, "huge"), data(1 << 50, &[(1 << 30, None)])]);
    image.file(43, 1, IN_USE, &[standard(0), named(ROOT, "vast"), data(1 << 38, &[(1 << 30, None)])]);
    let bad = mapped(&Mapped {
        kind: 0x80,
        name: "$Bad",
        flags: 0x8000,
        lowest: 0,
        pieces: &[(1000, None), (2, Some(1000)), (3094, None)],
        unit: 0,
        size: 4096 * 512,
        initialised: 0,
    });
    image.file(8, 8, IN_USE, &[standard(6), named(ROOT, "$BadClus"), resident(0x80, "", 0, b""), bad]);
    let (_, found, _) = open(image);
    assert_eq!(said(entry(&found, "/beyond")), "content unreadable: metadata corrupt (run beyond the volume)");
    assert_eq!(
        said(entry(&found, "/short")),
        "content unreadable: metadata corrupt (the runs end before the stream does)"
    );
    assert!(matches!(entry(&found, "/huge").content, Content::Unreadable(Unreadable::Corrupt(_))));
    assert_eq!(
        said(entry(&found, "/vast")),
        "content unreadable: not supported (sparse stream larger than its volume)"
    );
    assert!(matches!(stream(&found, "/$BadClus", Some("$Bad")).content, Content::None));
    assert_eq!(codes(&found), ["bad-clusters"]);
}

#[test]
fn unwritten_bytes_are_zero_whatever_the_clusters_hold() {
    let mut image = Image::new();
    image.put(600, &[b'x'; 2048]);
    let attribute = mapped(&Mapped {
        kind: 0x80,
        name: "",
        flags: 0,
        lowest: 0,
        pieces: &[(4, Some(600))],
        unit: 0,
        size: 2000,
        initialised: 700,
    });
    image.file(40, 1, IN_USE, &[standard(0), named(ROOT, "v"), attribute]);
    let (_, found, volume) = open(image);
    let expected = [vec![b'x'; 700], vec![0; 1300]].concat();
    assert_eq!(content(entry(&found, "/v"), &volume, 9999).unwrap().unwrap(), expected);
    assert_eq!(entry(&found, "/v").notes, [Note::ZeroAfter(700)]);
}

#[test]
fn damaged_records_cost_themselves_and_are_said() {
    let mut image = Image::new();
    for number in 40..45 {
        let name = format!("f{number}");
        image.file(number, 1, IN_USE, &[standard(0), named(ROOT, &name), resident(0x80, "", 0, b"x")]);
    }
    image.raw(41)[1023] ^= 1;
    image.raw(42)[..4].copy_from_slice(b"BAAD");
    image.raw(43)[..4].copy_from_slice(b"LOST");
    let at = image.raw(44).windows(4).rposition(|w| w == 0x80u32.to_le_bytes()).unwrap();
    image.raw(44)[at + 4..at + 8].copy_from_slice(&[0xff; 4]);
    let (_, found, _) = open(image);
    assert_eq!(paths(&found), ["/$MFT", "/$Bitmap", "/f40", "/f44"]);
    assert_eq!(
        codes(&found),
        ["record-fixup-mismatch", "record-marked-bad", "record-signature", "record-attributes-broken"]
    );
    let offsets: Vec<u64> = found.problems.iter().map(|p| p.offset.unwrap()).collect();
    assert_eq!(offsets, [41, 42, 43, 44].map(|n| 64 * 512 + n * 1024));
    assert_eq!(said(entry(&found, "/f44")), "content unreadable: metadata corrupt (its record has broken attributes)");
}

#[test]
fn the_mirror_and_the_backup_boot_sector_stand_in() {
    let mut image = Image::new();
    image.raw(0)[510] ^= 1;
    let (_, found, _) = open(image);
    assert_eq!(codes(&found), ["mft-from-mirror", "record-from-mirror"]);
    assert_eq!(paths(&found), ["/$MFT", "/$Bitmap"]);

    let mut image = Image::new();
    image.put(0, &[0; 512]);
    let (_, found, _) = open(image);
    assert_eq!(codes(&found), ["backup-boot-sector"]);
    assert_eq!(paths(&found), ["/$MFT", "/$Bitmap"]);

    // A boot sector that looks sound but points nowhere.
    let mut image = Image::new();
    image.bytes[0x30] = 0x41;
    image.bytes[0x38] = 0x41;
    let (_, found, _) = open(image);
    assert_eq!(codes(&found), ["backup-boot-sector"]);

    let mut image = Image::new();
    image.put(0, &[0; 512]);
    image.put(CLUSTERS, &[0; 512]);
    assert!(Ntfs::open(Arc::new(MemorySource(image.bytes))).is_err());
}

#[test]
fn a_fragmented_table_is_followed_through_its_own_attribute_list() {
    let mut image = Image::new();
    // Records 0 to 63 stay, 64 to 127 move to cluster 2000; record 20 maps them.
    let half = (RECORDS / 2 * RECORD / CLUSTER) as u64;
    let moved_to = 2000u64;
    let piece = |lowest, pieces: &[Piece], size| {
        mapped(&Mapped { kind: 0x80, name: "", flags: 0, lowest, pieces, unit: 0, size, initialised: size })
    };
    let list = [line(0x10, 0, reference(0, 1)), line(0x80, 0, reference(0, 1)), line(0x80, half, reference(20, 1))];
    image.file(
        0,
        1,
        IN_USE,
        &[
            standard(6),
            resident(0x20, "", 0, &list.concat()),
            named(ROOT, "$MFT"),
            piece(0, &[(half, Some(TABLE as u64))], (RECORDS * RECORD) as u64),
        ],
    );
    image.extension(20, 1, IN_USE, reference(0, 1), &[piece(half, &[(half, Some(moved_to))], 0)]);
    let far = record(100, 1, IN_USE, 0, &[standard(0), named(ROOT, "far"), resident(0x80, "", 0, b"x")]);
    let at = moved_to as usize * CLUSTER + (100 - RECORDS / 2) * RECORD;
    image.bytes[at..at + RECORD].copy_from_slice(&far);
    let mut torn = Image { bytes: image.bytes.clone() };
    let (_, found, _) = open(image);
    assert_eq!(codes(&found), [""; 0]);
    assert_eq!(paths(&found), ["/$MFT", "/$Bitmap", "/far"]);

    torn.raw(20)[510] ^= 1;
    let (_, found, _) = open(torn);
    assert_eq!(codes(&found), ["mft-incomplete", "record-incomplete", "record-fixup-mismatch"]);
    assert_eq!(paths(&found), ["/$MFT", "/$Bitmap"]);
}

#[test]
fn folders_that_hold_each_other_end() {
    let mut image = Image::new();
    image.file(40, 1, IN_USE | DIRECTORY, &[standard(0), named(reference(41, 1), "x")]);
    image.file(41, 1, IN_USE | DIRECTORY, &[standard(0), named(reference(40, 1), "y")]);
    image.file(42, 1, IN_USE, &[standard(0), named(reference(41, 1), "f"), resident(0x80, "", 0, b"x")]);
    let (_, found, _) = open(image);
    assert_eq!(paths(&found)[2..], ["/$Orphans/y/x", "/$Orphans/x/y", "/$Orphans/y/f"]);
    assert!(codes(&found).contains(&"directory-loop"));
}

#[test]
fn every_record_pointing_at_every_other_ends() {
    let mut image = Image::new();
    let list: Vec<u8> = (10..RECORDS as u64).flat_map(|n| line(0x80, 0, reference(n, 1))).collect();
    image.put(600, &list);
    for number in 10..RECORDS {
        let list = mapped(&Mapped {
            kind: 0x20,
            name: "",
            flags: 0,
            lowest: 0,
            pieces: &[(8, Some(600))],
            unit: 0,
            size: list.len() as u64,
            initialised: list.len() as u64,
        });
        image.file(number, 1, IN_USE, &[standard(0), named(ROOT, "f"), list]);
    }
    let (_, found, _) = open(image);
    assert_eq!(found.entries.len(), 2 + RECORDS - 10);
    assert!(codes(&found).contains(&"record-incomplete"));
    assert!(codes(&found).contains(&"more-of-the-same"));
}

#[test]
fn an_image_cut_off_keeps_what_is_there() {
    let mut image = Image::new();
    image.put(600, b"inside");
    image.file(40, 1, IN_USE, &[standard(0), named(ROOT, "inside"), data(6, &[(1, Some(600))])]);
    image.file(41, 1, IN_USE, &[standard(0), named(ROOT, "across"), data(51_200, &[(100, Some(950))])]);
    image.file(42, 1, IN_USE, &[standard(0), named(ROOT, "outside"), data(512_000, &[(1000, Some(2000))])]);
    image.bytes.truncate(1000 * CLUSTER);
    let (fs, found, volume) = open(image);
    assert_eq!(content(entry(&found, "/inside"), &volume, 99).unwrap().unwrap(), b"inside");
    for path in ["/across", "/outside"] {
        assert_eq!(
            said(entry(&found, path)),
            "content unreadable: metadata corrupt (clusters beyond the end of the image)"
        );
    }
    assert_eq!(codes(&found), ["volume-truncated"]);
    assert_eq!(fs.unallocated().unwrap().len(), 1, "the map itself is inside");
}

#[test]
fn a_boot_sector_that_declares_too_much_costs_no_time() {
    let mut image = Image::new();
    // 2^53 sectors; a table, a map and a file that reach as far, none of it ever written or all of it a hole.
    image.bytes[0x28..0x30].copy_from_slice(&(1u64 << 53).to_le_bytes());
    let vast: Vec<Piece> = vec![(0x4000_0000, Some(600)), (0x4000_0000, Some(600))];
    let unwritten = |size, pieces: &[Piece]| {
        mapped(&Mapped { kind: 0x80, name: "", flags: 0, lowest: 0, pieces, unit: 0, size, initialised: 0 })
    };
    image.file(6, 6, IN_USE, &[standard(6), named(ROOT, "$Bitmap"), unwritten(1 << 39, &vast)]);
    image.file(40, 1, IN_USE, &[standard(0), named(ROOT, "f"), unwritten(1 << 39, &vast)]);
    image.file(41, 1, IN_USE, &[standard(0), named(ROOT, "g"), unwritten(1 << 39, &[(0x4000_0000, None)])]);
    let table = [((RECORDS * RECORD / CLUSTER) as u64, Some(TABLE as u64)), (0x4000_0000, None)];
    let size = 1u64 << 39;
    image.file(0, 1, IN_USE, &[standard(6), named(ROOT, "$MFT"), data(size, &table)]);
    let (fs, found, volume) = open(image);
    for path in ["/f", "/g"] {
        assert!(matches!(entry(&found, path).content, Content::Unreadable(_)), "{path}");
        assert_eq!(content(entry(&found, path), &volume, 9).unwrap(), None);
    }
    assert!(fs.unallocated().is_err());
    assert_eq!(codes(&found), ["mft-incomplete", "volume-truncated", "bitmap-unreadable"]);
}
