//! UDF on discs by genisoimage against what was put in and what 7-Zip lists, on empty volumes by mkudffs, and damage.
#![expect(clippy::disallowed_methods, reason = "these tests write the fixtures that they read")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use avocet_evidence::fs::iso::Iso;
use avocet_evidence::fs::udf::Udf;
use avocet_evidence::volume::{FsKind, Recognised, recognise};
use avocet_evidence::{AllocationState, Content, Entry, EntryKind, FileSystem, MemorySource, Note, OpenError, Source};

use crate::support::{
    Collected, Patched, Random, as_the_system_reads, collect, content, output, read_damaged, sha256, skipped,
};

fn bytes(n: usize) -> Vec<u8> {
    (0..n).map(|i| (i * 31 + n) as u8).collect()
}

fn populate(tree: &Path) {
    let put = |name: &str, data: &[u8]| {
        let path = tree.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, data).unwrap();
    };
    for n in [0, 1, 2047, 2048, 2049, 70_000] {
        put(&format!("sizes/{n}.bin"), &bytes(n));
    }
    for n in 0..120 {
        put(&format!("many/a rather long name for number {n:03}.txt"), &bytes(n + 5));
    }
    put("names/Stra\u{df}e und \u{43c}\u{438}\u{440}.txt", &bytes(77));
    put("1/2/3/4/5/6/7/8/9/10/11/deep.txt", &bytes(80));
}

/// A disc by genisoimage with these options, and the files of the folder that it was made of.
fn disc(options: &[&str], hidden: Option<&str>) -> Option<(Vec<u8>, BTreeMap<String, String>)> {
    let dir = tempfile::tempdir().unwrap();
    let (tree, image) = (dir.path().join("tree"), dir.path().join("disc.iso"));
    std::fs::create_dir(&tree).unwrap();
    populate(&tree);
    let mut args = vec!["-quiet", "-udf", "-D", "-o", image.to_str().unwrap()];
    args.extend(options);
    args.extend(hidden.iter().flat_map(|name| ["-hide", name]));
    args.push(tree.to_str().unwrap());
    output("genisoimage", &args)?;
    Some((std::fs::read(&image).unwrap(), as_the_system_reads(&tree)))
}

/// Only UDF is left of a disc that also carries ISO 9660.
fn without_iso(mut image: Vec<u8>) -> Vec<u8> {
    let first = (16..64).find(|n| image[n * 2048 + 1..][..5] == *b"BEA01").unwrap();
    // The sequence begins where UDF does.
    image.copy_within(first * 2048..(first + 3) * 2048, 32768);
    image[32768 + 3 * 2048..(first + 3) * 2048].fill(0);
    image
}

fn files(found: &Collected, source: &Arc<dyn Source>) -> BTreeMap<String, String> {
    let files = found.entries.iter().filter(|e| e.kind == EntryKind::File);
    files
        .map(|e| (e.path.clone(), content(e, source, 1 << 20).map_or_else(|e| e, |b| sha256(&b.unwrap_or_default()))))
        .collect()
}

#[test]
fn a_disc_reads_as_it_was_made() {
    let Some((image, truth)) = disc(&["-V", "A LABEL"], None) else {
        return skipped(1, "genisoimage is not installed");
    };
    let image = without_iso(image);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    std::fs::write(&path, &image).unwrap();
    let source: Arc<dyn Source> = Arc::new(MemorySource(image));
    assert_eq!(recognise(&*source), Recognised::FileSystem(FsKind::Udf));
    let fs = Udf::open(Arc::clone(&source)).unwrap();
    assert_eq!((fs.facts().kind, fs.facts().label.as_deref(), fs.facts().cluster_size), ("udf", Some("A LABEL"), 2048));
    let found = collect(&fs);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    assert_eq!(files(&found, &source), truth);
    assert!(found.entries.iter().all(|e| e.times.modified.is_some() && e.state == AllocationState::Allocated));
    let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
    assert!(free < 700 * 2048, "{free}");
    // Size and time of each as 7-Zip lists them.
    let Some(listed) = output("7zz", &["l", "-slt", "-tudf", path.to_str().unwrap()]) else {
        return skipped(1, "7-Zip is not installed");
    };
    let mut compared = 0;
    for block in listed.split("\n\n").filter(|b| b.contains("Folder = -")) {
        let field = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(" = ")).unwrap_or("");
        let path = format!("/{}", field("Path"));
        let entry = found.entries.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("{path} is not listed"));
        assert_eq!(field("Size"), entry.size.to_string(), "{path}");
        let ours = entry.times.modified.unwrap().to_string().replace('T', " ");
        assert_eq!(field("Modified").get(..19), ours.get(..19), "{path}");
        compared += 1;
    }
    assert_eq!(compared, truth.len());
}

/// One entry for each file, by the names that keep most; what only one tree leads to has a note.
#[test]
fn beside_iso_9660_each_file_is_listed_once() {
    for options in [&["-R"][..], &["-J", "-joliet-long"], &[]] {
        let Some((image, truth)) = disc(options, None) else {
            return skipped(3, "genisoimage is not installed");
        };
        let source: Arc<dyn Source> = Arc::new(MemorySource(image));
        assert_eq!(recognise(&*source), Recognised::FileSystem(FsKind::Iso));
        let fs = Iso::open(Arc::clone(&source)).unwrap();
        let found = collect(&fs);
        assert!(found.problems.is_empty(), "{options:?}: {:?}", found.problems);
        assert_eq!(files(&found, &source), truth, "{options:?}");
        assert!(found.entries.iter().all(|e| e.notes.is_empty()), "{options:?}");
        let free: u64 = fs.unallocated().unwrap().iter().map(|r| r.length).sum();
        assert!(free < 700 * 2048, "{options:?}: {free}");
    }
    let (image, truth) = disc(&["-R"], Some("70000.bin")).unwrap();
    let source: Arc<dyn Source> = Arc::new(MemorySource(image.clone()));
    let found = collect(&Iso::open(Arc::clone(&source)).unwrap());
    assert_eq!(files(&found, &source), truth);
    let noted: Vec<&Entry> = found.entries.iter().filter(|e| !e.notes.is_empty()).collect();
    assert_eq!(noted.len(), 1, "{noted:?}");
    let note = Note::Other("listed in the UDF tree only".into());
    assert_eq!((noted[0].path.as_str(), &noted[0].notes), ("/sizes/70000.bin", &vec![note]));
    // UDF of which no anchor holds is said.
    let mut broken = image;
    let last = broken.len() / 2048 - 1;
    for sector in [256, last, last.saturating_sub(256)] {
        broken[sector * 2048..][..16].fill(0);
    }
    let source: Arc<dyn Source> = Arc::new(MemorySource(broken));
    let codes: Vec<_> = collect(&Iso::open(source).unwrap()).problems.iter().map(|p| p.code).collect();
    assert_eq!(codes, ["udf-beside"]);
}

/// Every kind of disc that mkudffs makes, each empty: plain, rewritable, written once, with a metadata file.
const VOLUMES: [(&str, &[&str], u64); 10] = [
    ("hd 2.01", &["--media-type=hd", "--blocksize=512"], 512),
    ("hd 4096", &["--media-type=hd", "--blocksize=4096"], 4096),
    ("hd 1.02", &["--media-type=hd", "--blocksize=512", "--udfrev=1.02"], 512),
    ("dvd", &["--media-type=dvd"], 2048),
    ("dvdram", &["--media-type=dvdram"], 2048),
    ("dvdrw", &["--media-type=dvdrw"], 2048),
    ("cdrw", &["--media-type=cdrw"], 2048),
    ("cdr", &["--media-type=cdr", "--udfrev=1.50"], 2048),
    ("dvdr", &["--media-type=dvdr"], 2048),
    ("bdr", &["--media-type=bdr"], 2048),
];

#[test]
fn every_kind_of_volume_opens() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    for (name, options, block) in VOLUMES {
        std::fs::File::create(&path).unwrap().set_len(40 << 20).unwrap();
        let text = path.to_str().unwrap();
        if output("mkudffs", &[&["-l", "Ein \u{44f}"], options, &[text]].concat()).is_none() {
            skipped(1, &format!("mkudffs is not installed or does not make {name}"));
            continue;
        }
        let source = crate::support::load(&path);
        assert_eq!(recognise(&*source), Recognised::FileSystem(FsKind::Udf), "{name}");
        let fs = Udf::open(Arc::clone(&source)).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((fs.facts().label.as_deref(), fs.facts().cluster_size), (Some("Ein \u{44f}"), block), "{name}");
        let found = collect(&fs);
        let codes: Vec<_> = found.problems.iter().map(|p| p.code).collect();
        // A disc written once stays open.
        assert!(codes.iter().all(|c| *c == "not-closed-cleanly-udf"), "{name}: {:?}", found.problems);
        assert!(found.entries.iter().all(|e| e.path.starts_with("/lost+found")), "{name}: {:?}", found.entries);
        fs.unallocated().unwrap();
    }
}

fn tagged(kind: u16, place: u32, mut body: Vec<u8>, length: usize) -> Vec<u8> {
    body.resize(length - 16, 0);
    let crc = body.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |c, _| if c & 0x8000 != 0 { c << 1 ^ 0x1021 } else { c << 1 })
    });
    let mut out = [kind.to_le_bytes(), 3u16.to_le_bytes(), [0, 0], 1u16.to_le_bytes()].concat();
    out[6..8].copy_from_slice(&[0, 0]);
    out.extend(crc.to_le_bytes());
    out.extend((body.len() as u16).to_le_bytes());
    out.extend(place.to_le_bytes());
    out[4] = out.iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
    out.extend(body);
    out
}

/// The body of an extended file entry: how bytes are kept (0 short, 1 long, 3 in the entry), size and descriptors.
fn entry_body(kind: u8, form: u16, size: u64, streams: Option<u32>, area: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 200];
    body[4..6].copy_from_slice(&4u16.to_le_bytes());
    body[8..10].copy_from_slice(&1u16.to_le_bytes());
    body[11] = kind;
    body[18..20].copy_from_slice(&form.to_le_bytes());
    body[32..34].copy_from_slice(&1u16.to_le_bytes());
    body[40..48].copy_from_slice(&size.to_le_bytes());
    // Type 1, one hour east of UTC, 2 March 2021, 04:05:06.
    let stamp = [[60, 0x10].as_slice(), &2021u16.to_le_bytes(), &[3, 2, 4, 5, 6, 0, 0, 0]].concat();
    for at in [64, 76, 88, 100] {
        body[at..at + 12].copy_from_slice(&stamp);
    }
    if let Some(block) = streams {
        body[136..140].copy_from_slice(&2048u32.to_le_bytes());
        body[140..144].copy_from_slice(&block.to_le_bytes());
    }
    body[196..200].copy_from_slice(&(area.len() as u32).to_le_bytes());
    body.extend(area);
    body
}

fn name(place: u32, flags: u8, name: &str, target: u32) -> Vec<u8> {
    let mut text = vec![16];
    text.extend(name.encode_utf16().flat_map(u16::to_be_bytes));
    if name.is_empty() {
        text.clear();
    }
    let mut body = 1u16.to_le_bytes().to_vec();
    body.extend([flags, text.len() as u8]);
    body.extend(2048u32.to_le_bytes());
    body.extend(target.to_le_bytes());
    body.extend([0; 10]);
    body.extend(text);
    let length = (16 + body.len()).next_multiple_of(4);
    tagged(257, place, body, length)
}

fn short(pieces: &[(u32, u32)]) -> Vec<u8> {
    pieces.iter().flat_map(|(length, block)| [length.to_le_bytes(), block.to_le_bytes()].concat()).collect()
}

/// Forms that no program here writes, put by hand into an empty volume of mkudffs: bytes in the entry, pieces with a hole,
/// descriptors that go on in another block, a named stream, deleted entries, a folder that contains itself. 7-Zip is asked too.
#[test]
fn every_form_of_an_entry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("image");
    std::fs::File::create(&path).unwrap().set_len(8 << 20).unwrap();
    let options = ["--media-type=dvdram", "--udfrev=2.01", path.to_str().unwrap()];
    if output("mkudffs", &options).is_none() {
        return skipped(1, "mkudffs is not installed");
    }
    let mut image = std::fs::read(&path).unwrap();
    let root = root_of(&image);
    let start = root.0 - root.1 as usize * 2048;
    let mut put = |block: u32, bytes: &[u8]| {
        let at = start + block as usize * 2048;
        image[at..at + bytes.len()].copy_from_slice(bytes);
    };
    let data = bytes(3 * 2048);
    put(1000, &data);
    let entry = |block: u32, body: Vec<u8>| tagged(266, block, body, 2048);
    put(500, &entry(500, entry_body(5, 3, 12, None, b"in the entry")));
    let holes = short(&[(2048, 1000), (0x4000_0000 | 2048, 0), (100, 1001)]);
    put(501, &entry(501, entry_body(5, 0, 4196, None, &holes)));
    // The second piece stands in a block of descriptors.
    put(502, &entry(502, entry_body(5, 0, 4096, Some(505), &short(&[(2048, 1001), (0xC000_0000 | 2048, 503)]))));
    let more = [0u32.to_le_bytes(), 8u32.to_le_bytes()].concat();
    put(503, &tagged(258, 503, [more, short(&[(2048, 1000)])].concat(), 2048));
    let stream = name(505, 0x10, "a stream", 506);
    put(505, &entry(505, entry_body(13, 3, stream.len() as u64, None, &stream)));
    put(506, &entry(506, entry_body(5, 3, 6, None, b"stream")));
    let inner = [name(507, 0x0a, "", root.1), name(507, 2, "itself", 507)].concat();
    put(507, &entry(507, entry_body(4, 3, inner.len() as u64, None, &inner)));
    let good = [
        name(root.1, 0x0a, "", root.1),
        name(root.1, 0, "inside.txt", 500),
        name(root.1, 0, "holes \u{44f}.bin", 501),
        name(root.1, 0, "goes on.bin", 502),
    ]
    .concat();
    put(root.1, &entry(root.1, entry_body(4, 3, good.len() as u64, None, &good)));
    std::fs::write(&path, &image).unwrap();
    // 7-Zip opens no volume in which an entry leads nowhere, and reads no descriptors that go on elsewhere.
    let out = Command::new("7zz").args(["x", "-so", "-tudf", path.to_str().unwrap(), "inside.txt"]).output();
    let theirs = out.ok().filter(|out| out.status.success()).map(|out| out.stdout);
    let bad = [
        name(root.1, 2, "folder", 507),
        name(root.1, 4, "was.txt", 500),
        name(root.1, 4, "gone.txt", 0x00ff_0000),
        name(root.1, 0, "broken.txt", 999),
    ];
    let names = [good, bad.concat()].concat();
    let at = start + root.1 as usize * 2048;
    let body = entry(root.1, entry_body(4, 3, names.len() as u64, None, &names));
    image[at..at + body.len()].copy_from_slice(&body);
    let source: Arc<dyn Source> = Arc::new(MemorySource(image));
    let fs = Udf::open(Arc::clone(&source)).unwrap();
    let found = collect(&fs);
    let of = |path: &str| {
        let listed = || found.entries.iter().map(Entry::full_path).collect::<Vec<_>>();
        found.entries.iter().find(|e| e.full_path() == path).unwrap_or_else(|| panic!("{path} of {:?}", listed()))
    };
    let read = |path: &str| content(of(path), &source, 1 << 20).unwrap().unwrap();
    assert_eq!(read("/inside.txt"), b"in the entry");
    assert_eq!(read("/holes \u{44f}.bin"), [&data[..2048], &[0; 2048], &data[2048..2148]].concat());
    assert_eq!(read("/goes on.bin"), [&data[2048..4096], &data[..2048]].concat());
    assert_eq!(read("/goes on.bin:a stream"), b"stream");
    assert_eq!(of("/inside.txt").times.created.unwrap().to_string(), "2021-03-02T03:05:06Z");
    assert_eq!((of("/was.txt").state, read("/was.txt").len()), (AllocationState::Deleted, 12));
    assert!(matches!(of("/gone.txt").content, Content::Unreadable(_)));
    assert_eq!(of("/gone.txt").state, AllocationState::Deleted);
    let mut codes: Vec<_> = found.problems.iter().map(|p| p.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["directory-loop", "inode-missing"], "{:?}", found.problems);
    match theirs {
        Some(theirs) => assert_eq!(theirs, read("/inside.txt"), "7-Zip"),
        None => skipped(1, "7-Zip is not installed"),
    }
}

/// The byte of the root folder's entry, and its block, in a plain partition.
fn root_of(image: &[u8]) -> (usize, u32) {
    let word = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap());
    let anchor = 256 * 2048;
    let sequence = word(anchor + 20) as usize;
    let find = |kind: u16| {
        let mut blocks = (sequence..sequence + 16).map(|n| n * 2048);
        blocks.find(|at| image[*at..][..2] == kind.to_le_bytes()).unwrap()
    };
    let start = word(find(5) + 188) as usize * 2048;
    let set = start + word(find(6) + 252) as usize * 2048;
    let root = word(set + 404);
    (start + root as usize * 2048, root)
}

/// Every change is noticed or harmless, and nothing panics or goes on for ever; once as it falls, once with tags made right.
#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let Some((image, truth)) = disc(&[], None) else {
        return skipped(402, "genisoimage is not installed");
    };
    let image = Arc::new(without_iso(image));
    let read = |changes: BTreeMap<usize, u8>| -> Result<(Collected, Udf, Arc<dyn Source>), OpenError> {
        let source: Arc<dyn Source> = Arc::new(Patched { base: Arc::clone(&image), changes });
        Udf::open(Arc::clone(&source)).map(|fs| (collect(&fs), fs, source))
    };
    // The main descriptors gone: the reserve serves.
    let sequence = u32::from_le_bytes(image[256 * 2048 + 20..][..4].try_into().unwrap()) as usize * 2048;
    let (found, ..) =
        read((0..16).map(|n| (sequence + n * 2048 + 30, !image[sequence + n * 2048 + 30])).collect()).unwrap();
    assert_eq!(found.problems[0].code, "descriptors-reserve-used");
    assert_eq!(found.entries.iter().filter(|e| e.kind == EntryKind::File).count(), truth.len());
    let mut random = Random(0x0DF);
    let used: Vec<usize> =
        (0..image.len() / 2048).filter(|b| image[b * 2048..][..2048].iter().any(|x| *x != 0)).collect();
    let (noticed, refused) = read_damaged(400, |n| {
        let mut changes = BTreeMap::new();
        for _ in 0..=random.next() % 24 {
            let block = used[random.next() as usize % used.len()] * 2048;
            let mut bytes = image[block..block + 2048].to_vec();
            let at = random.next() as usize % if random.next().is_multiple_of(2) { 240 } else { 2048 };
            let values = [0, 0xff, bytes[at] ^ 1 << (random.next() % 8), random.next() as u8];
            bytes[at] = values[random.next() as usize % values.len()];
            if n % 2 == 1 {
                right(&mut bytes);
            }
            changes.extend(
                bytes.iter().enumerate().filter(|(i, b)| image[block + i] != **b).map(|(i, b)| (block + i, *b)),
            );
        }
        read(changes).ok()
    });
    println!("{noticed} of 400 noticed, {refused} refused");
    assert!(noticed + refused > 100, "{noticed} noticed, {refused} refused");
}

/// Makes the tag of a descriptor right again.
fn right(bytes: &mut [u8]) {
    let length = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
    let Some(body) = bytes.get(16..16 + length) else { return };
    let crc = body.iter().fold(0u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |c, _| if c & 0x8000 != 0 { c << 1 ^ 0x1021 } else { c << 1 })
    });
    bytes[8..10].copy_from_slice(&crc.to_le_bytes());
    bytes[4] = 0;
    bytes[4] = bytes[..16].iter().fold(0u8, |sum, b| sum.wrapping_add(*b));
}
