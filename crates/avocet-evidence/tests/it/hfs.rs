//! HFS+: a real volume, and volumes built here by the published structures for what no program at hand can make.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use avocet_evidence::fs::hfs::Hfs;
use avocet_evidence::{AllocationState, Content, Entry, EntryKind, FileSystem, MemorySource, Note, Source};

use crate::support::{collect, content, load, sha256, skipped, testdata};

const BLOCK: usize = 4096;
const NODE: usize = 8192;

/// A fork as a record states it: size, then extents of first block and count.
fn fork(size: usize, extents: &[(u32, u32)]) -> Vec<u8> {
    let mut out = (size as u64).to_be_bytes().to_vec();
    out.extend(0u32.to_be_bytes());
    out.extend(extents.iter().map(|e| e.1).sum::<u32>().to_be_bytes());
    for i in 0..8 {
        let (first, count) = extents.get(i).copied().unwrap_or_default();
        out.extend(first.to_be_bytes());
        out.extend(count.to_be_bytes());
    }
    out
}

/// A leaf with these records, the only one of its tree, behind the header node.
fn tree(records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0; 2 * NODE];
    out[8] = 1;
    let header = [
        &1u16.to_be_bytes()[..],
        &1u32.to_be_bytes(),
        &(records.len() as u32).to_be_bytes(),
        &1u32.to_be_bytes(),
        &1u32.to_be_bytes(),
        &(NODE as u16).to_be_bytes(),
    ]
    .concat();
    out[14..14 + header.len()].copy_from_slice(&header);
    let leaf = &mut out[NODE..];
    leaf[8] = 0xff;
    leaf[9] = 1;
    leaf[10..12].copy_from_slice(&(records.len() as u16).to_be_bytes());
    let mut at = 14;
    for (i, record) in records.iter().enumerate() {
        leaf[at..at + record.len()].copy_from_slice(record);
        let end = NODE - 2 * (i + 1);
        leaf[end..end + 2].copy_from_slice(&(at as u16).to_be_bytes());
        at += record.len();
    }
    let end = NODE - 2 * (records.len() + 1);
    assert!(at <= end, "the leaf is full");
    leaf[end..end + 2].copy_from_slice(&(at as u16).to_be_bytes());
    out
}

fn keyed(parent: u32, name: &str, body: &[u8]) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let mut out = ((6 + 2 * units.len()) as u16).to_be_bytes().to_vec();
    out.extend(parent.to_be_bytes());
    out.extend((units.len() as u16).to_be_bytes());
    out.extend(units.iter().flat_map(|u| u.to_be_bytes()));
    out.extend(body);
    out
}

fn folder(parent: u32, name: &str, id: u32) -> Vec<u8> {
    let mut body = vec![0; 88];
    body[1] = 1;
    body[8..12].copy_from_slice(&id.to_be_bytes());
    keyed(parent, name, &body)
}

/// A file: flags of the owner, type and creator, what its links are, its two forks.
fn file(
    parent: u32,
    name: &str,
    id: u32,
    (flags, finder, special): (u8, &[u8; 8], u32),
    forks: [Vec<u8>; 2],
) -> Vec<u8> {
    let mut body = vec![0; 88];
    body[1] = 2;
    body[8..12].copy_from_slice(&id.to_be_bytes());
    body[12..16].copy_from_slice(&3_786_825_600u32.to_be_bytes());
    body[41] = flags;
    body[44..48].copy_from_slice(&special.to_be_bytes());
    body[48..56].copy_from_slice(finder);
    body.extend(forks.concat());
    keyed(parent, name, &body)
}

fn attribute(id: u32, name: &str, value: &[u8]) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let mut out = ((12 + 2 * units.len()) as u16).to_be_bytes().to_vec();
    out.extend([0, 0]);
    out.extend(id.to_be_bytes());
    out.extend(0u32.to_be_bytes());
    out.extend((units.len() as u16).to_be_bytes());
    out.extend(units.iter().flat_map(|u| u.to_be_bytes()));
    out.extend(0x10u32.to_be_bytes());
    out.extend([0; 8]);
    out.extend((value.len() as u32).to_be_bytes());
    out.extend(value);
    // Records lie at even places.
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

fn decmpfs(kind: u32, size: usize, inline: &[u8]) -> Vec<u8> {
    [b"fpmc", &kind.to_le_bytes()[..], &(size as u64).to_le_bytes(), inline].concat()
}

fn zlib(plain: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::default());
    out.write_all(plain).unwrap();
    out.finish().unwrap()
}

/// A resource fork of packed blocks, as the system writes it for zlib.
fn resource_zlib(plain: &[u8]) -> Vec<u8> {
    let blocks: Vec<Vec<u8>> =
        plain.chunks(65536).enumerate().map(|(i, b)| if i == 1 { [&[0xff], b].concat() } else { zlib(b) }).collect();
    let mut table = (blocks.len() as u32).to_le_bytes().to_vec();
    let mut at = 4 + 8 * blocks.len();
    for block in &blocks {
        table.extend((at as u32).to_le_bytes());
        table.extend((block.len() as u32).to_le_bytes());
        at += block.len();
    }
    let data = [table, blocks.concat()].concat();
    let mut out = [&256u32.to_be_bytes()[..], &[0; 12]].concat();
    out.resize(256, 0);
    out.extend((data.len() as u32).to_be_bytes());
    out.extend(data);
    out
}

/// One block of LZVN: literals only.
fn lzvn(plain: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    for piece in plain.chunks(271) {
        match piece.len() {
            0 => {}
            n @ 1..=15 => out.push(0xe0 | n as u8),
            n => out.extend([0xe0, (n - 16) as u8]),
        }
        out.extend(piece);
    }
    out.extend([6, 0, 0, 0, 0, 0, 0, 0]);
    out
}

/// LZFSE by the reference library; one plain block where Python has no `liblzfse`.
fn lzfse(plain: &[u8]) -> Vec<u8> {
    let script = "import sys,liblzfse;sys.stdout.buffer.write(liblzfse.compress(sys.stdin.buffer.read()))";
    let made = through("python3", &["-c", script], plain);
    made.unwrap_or_else(|| [b"bvx-", &(plain.len() as u32).to_le_bytes()[..], plain, b"bvx$"].concat())
}

/// What a program makes of its input; `None` where it is not there or fails.
fn through(program: &str, args: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input).ok()?;
    let out = child.wait_with_output().ok()?;
    out.status.success().then_some(out.stdout)
}

/// A fork as the system keeps blocks of LZVN and LZFSE: where each begins and the last ends, then the blocks.
fn fork_of(blocks: &[Vec<u8>]) -> Vec<u8> {
    let (mut table, mut at) = (vec![], 4 * (blocks.len() + 1));
    for block in blocks.iter().chain([&vec![]]) {
        table.extend((at as u32).to_le_bytes());
        at += block.len();
    }
    table.extend(blocks.concat());
    table
}

struct Built {
    image: Vec<u8>,
    plain: Vec<u8>,
}

/// A volume with every way of keeping content that this reader knows.
fn built() -> Built {
    let plain: Vec<u8> = (0..150_000u32).map(|i| (i / 7) as u8).collect();
    let small = b"the quick brown fox ".repeat(20);
    let mut image = vec![0; 128 * BLOCK];
    let mut put = |block: usize, bytes: &[u8]| image[block * BLOCK..block * BLOCK + bytes.len()].copy_from_slice(bytes);
    let zlib_fork = resource_zlib(&plain);
    let halves: Vec<Vec<u8>> = small.chunks(200).map(lzvn).collect();
    assert_eq!(halves.len(), 2);
    let lzvn_plain: Vec<u8> = (0..65536 + 100u32).map(|i| i as u8).collect();
    let lzvn_blocks: Vec<Vec<u8>> = lzvn_plain.chunks(65536).map(lzvn).collect();
    let lzvn_fork = fork_of(&lzvn_blocks);
    // The second block did not become smaller.
    let lzfse_fork = fork_of(&[lzfse(&plain[..65536]), [&[0xff], &plain[65536..65636]].concat()]);
    assert!(lzfse_fork.len() <= 24 * BLOCK);
    put(15, &lzfse_fork);
    put(40, &plain[..2 * BLOCK]);
    put(50, &plain[2 * BLOCK..3 * BLOCK]);
    put(60, &zlib_fork);
    put(80, &lzvn_fork);
    let empty = || fork(0, &[]);
    let none = (0, &[0; 8], 0);
    let packed = (0x20, &[0; 8], 0);
    let records = vec![
        folder(1, "Volume", 2),
        folder(2, "\0\0\0\0HFS+ Private Data", 16),
        folder(2, "a folder", 17),
        file(2, "inline zlib", 20, packed, [empty(), empty()]),
        file(2, "plain", 21, none, [fork(3 * BLOCK - 10, &[(40, 2), (50, 1)]), empty()]),
        file(
            2,
            "zlib fork",
            22,
            packed,
            [empty(), fork(zlib_fork.len(), &[(60, zlib_fork.len().div_ceil(BLOCK) as u32)])],
        ),
        file(16, "iNode7", 30, (0, &[0; 8], 2), [fork(100, &[(50, 1)]), empty()]),
        file(17, "a/slash", 31, (0, b"hlnkhfs+", 7), [empty(), empty()]),
        file(17, "broken link", 32, (0, b"hlnkhfs+", 8), [empty(), empty()]),
        file(17, "kept", 39, packed, [empty(), empty()]),
        file(17, "lzbitmap", 37, packed, [empty(), fork(10, &[(41, 1)])]),
        file(17, "lzfse", 33, packed, [empty(), empty()]),
        file(
            17,
            "lzfse fork",
            38,
            packed,
            [empty(), fork(lzfse_fork.len(), &[(15, lzfse_fork.len().div_ceil(BLOCK) as u32)])],
        ),
        file(17, "lzvn", 34, packed, [empty(), empty()]),
        file(
            17,
            "lzvn fork",
            35,
            packed,
            [empty(), fork(lzvn_fork.len(), &[(80, lzvn_fork.len().div_ceil(BLOCK) as u32)])],
        ),
        file(17, "with a fork", 36, none, [fork(5, &[(40, 1)]), fork(6, &[(41, 1)])]),
        file(99, "lost", 40, none, [fork(5, &[(40, 1)]), empty()]),
    ];
    let attributes = vec![
        attribute(20, "com.apple.decmpfs", &decmpfs(3, small.len(), &zlib(&small))),
        attribute(20, "com.apple.quarantine", b"0081;"),
        attribute(22, "com.apple.decmpfs", &decmpfs(4, plain.len(), &[])),
        attribute(33, "com.apple.decmpfs", &decmpfs(11, small.len(), &lzfse(&small))),
        attribute(34, "com.apple.decmpfs", &decmpfs(7, 200, &halves[0])),
        attribute(35, "com.apple.decmpfs", &decmpfs(8, lzvn_plain.len(), &[])),
        attribute(37, "com.apple.decmpfs", &decmpfs(14, 5000, &[])),
        attribute(38, "com.apple.decmpfs", &decmpfs(12, 65636, &[])),
        attribute(39, "com.apple.decmpfs", &decmpfs(9, 5, b"\xccplain")),
    ];
    let (catalogue, attributes) = (tree(&records), tree(&attributes));
    put(4, &catalogue);
    put(10, &attributes);
    // The first 100 blocks are in use.
    let mut map = vec![0xff; 12];
    map.extend([0xf0, 0, 0, 0]);
    put(2, &map);
    let mut header = b"H+\0\x04\0\0\x01\0".to_vec();
    header.resize(32, 0);
    header.extend(14u32.to_be_bytes());
    header.extend(2u32.to_be_bytes());
    header.extend(4096u32.to_be_bytes());
    header.extend(128u32.to_be_bytes());
    header.resize(104, 0);
    header.extend([0, 1, 2, 3, 4, 5, 6, 7]);
    header.extend(fork(16, &[(2, 1)]));
    header.extend(fork(0, &[]));
    header.extend(fork(2 * NODE, &[(4, 4)]));
    header.extend(fork(2 * NODE, &[(10, 4)]));
    header.extend(fork(0, &[]));
    image[1024..1024 + header.len()].copy_from_slice(&header);
    let end = image.len() - 1024;
    image[end..end + header.len()].copy_from_slice(&header);
    Built { image, plain }
}

/// A volume with one file in its root.
pub fn with_file(name: &str, content: &[u8]) -> Vec<u8> {
    let blocks = content.len().div_ceil(BLOCK);
    let mut image = vec![0; (24 + blocks) * BLOCK];
    let mut put = |block: usize, bytes: &[u8]| image[block * BLOCK..block * BLOCK + bytes.len()].copy_from_slice(bytes);
    put(20, content);
    let forks = [fork(content.len(), &[(20, blocks as u32)]), fork(0, &[])];
    put(4, &tree(&[folder(1, "Volume", 2), file(2, name, 21, (0, &[0; 8], 0), forks)]));
    put(2, &[0xff; 16]);
    let mut header = b"H+\0\x04\0\0\x01\0".to_vec();
    header.resize(32, 0);
    for number in [1, 0, BLOCK as u32, image.len() as u32 / BLOCK as u32] {
        header.extend(number.to_be_bytes());
    }
    header.resize(112, 0);
    for one in [fork(16, &[(2, 1)]), fork(0, &[]), fork(2 * NODE, &[(4, 4)]), fork(0, &[]), fork(0, &[])] {
        header.extend(one);
    }
    image[1024..1024 + header.len()].copy_from_slice(&header);
    let end = image.len() - 1024;
    image[end..end + header.len()].copy_from_slice(&header);
    image
}

fn open(image: Vec<u8>) -> (Hfs, Arc<dyn Source>) {
    let source: Arc<dyn Source> = Arc::new(MemorySource(image));
    (Hfs::open(Arc::clone(&source)).unwrap(), source)
}

fn named<'a>(entries: &'a [Entry], path: &str) -> &'a Entry {
    entries
        .iter()
        .find(|e| e.full_path() == path)
        .unwrap_or_else(|| panic!("{path} is not among {:?}", entries.iter().map(Entry::full_path).collect::<Vec<_>>()))
}

#[test]
fn every_way_of_keeping_content() {
    let Built { image, plain } = built();
    let (fs, source) = open(image);
    let facts = fs.facts();
    assert_eq!((facts.label.as_deref(), facts.serial.as_deref()), (Some("Volume"), Some("0001020304050607")));
    let found = collect(&fs);
    let read = |path: &str| content(named(&found.entries, path), &source, 1 << 20).map(Option::unwrap_or_default);
    assert_eq!(read("/plain").unwrap(), plain[..3 * BLOCK - 10]);
    let small = b"the quick brown fox ".repeat(20);
    assert_eq!(read("/inline zlib").unwrap(), small);
    assert_eq!(named(&found.entries, "/inline zlib").size, 400);
    assert!(named(&found.entries, "/zlib fork").notes.contains(&Note::Compressed));
    assert_eq!(sha256(&read("/zlib fork").unwrap()), sha256(&plain));
    assert_eq!(read("/a folder/lzvn").unwrap(), small[..200]);
    assert_eq!(read("/a folder/lzvn fork").unwrap(), (0..65636u32).map(|i| i as u8).collect::<Vec<_>>());
    if through("python3", &["-c", "import liblzfse"], b"").is_none() {
        skipped(1, "Python has no liblzfse: LZFSE was built as plain blocks");
    }
    assert_eq!(read("/a folder/lzfse").unwrap(), small);
    assert!(read("/a folder/lzfse fork").unwrap() == plain[..65636]);
    assert_eq!(read("/a folder/kept").unwrap(), b"plain");
    assert_eq!(read("/inline zlib:com.apple.quarantine").unwrap(), b"0081;");
    assert_eq!(read("/a folder/with a fork:rsrc").unwrap().len(), 6);
    let link = named(&found.entries, "/a folder/a\\u{2f}slash");
    assert_eq!((link.size, link.notes.clone()), (100, vec![Note::HardLinks(2)]));
    assert_eq!(content(link, &source, 1000).unwrap().unwrap(), plain[2 * BLOCK..2 * BLOCK + 100]);
    for (path, reason) in [
        ("/a folder/lzbitmap", "not supported (compressed by LZBITMAP)"),
        ("/a folder/broken link", "a hard link leads to no file"),
    ] {
        let Content::Unreadable(why) = &named(&found.entries, path).content else { panic!("{path}") };
        assert!(why.to_string().contains(reason), "{path}: {why}");
    }
    let lost = named(&found.entries, "/$Orphans/99/lost");
    assert_eq!(lost.state, AllocationState::Orphan);
    assert_eq!(named(&found.entries, "/plain").times.created.unwrap().to_string(), "2023-12-31T00:00:00Z");
    let mut codes: Vec<&str> = found.problems.iter().map(|p| p.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, ["link-broken", "parent-missing"], "{:?}", found.problems);
    let free = fs.unallocated().unwrap();
    assert_eq!((free.len(), free[0].start, free[0].length), (1, 100 * BLOCK as u64, 28 * BLOCK as u64));
}

#[test]
fn damage_is_said_and_costs_what_it_hits() {
    let Built { image, .. } = built();
    // The first header gone: the copy serves.
    let mut damaged = image.clone();
    damaged[1024..1536].fill(0);
    let (fs, _) = open(damaged);
    assert_eq!(collect(&fs).problems[0].code, "boot-sector-backup-used");
    // A packed block changed: that file is an error, and no zeros.
    let mut damaged = image.clone();
    damaged[60 * BLOCK + 256 + 4 + 4 + 24 + 40] ^= 0xff;
    let (fs, source) = open(damaged);
    let found = collect(&fs);
    assert!(content(named(&found.entries, "/zlib fork"), &source, 1 << 20).is_err());
    assert!(content(named(&found.entries, "/plain"), &source, 1 << 20).is_ok());
    // A block of LZFSE likewise.
    let mut damaged = image.clone();
    damaged[15 * BLOCK + 12] ^= 1;
    let (fs, source) = open(damaged);
    assert!(content(named(&collect(&fs).entries, "/a folder/lzfse fork"), &source, 1 << 20).is_err());
    // A leaf that leads to itself ends.
    let mut damaged = image.clone();
    damaged[4 * BLOCK + NODE..4 * BLOCK + NODE + 4].copy_from_slice(&1u32.to_be_bytes());
    let (fs, _) = open(damaged);
    assert!(collect(&fs).problems.iter().any(|p| p.code == "tree-damaged"));
    // Folders that contain each other.
    let mut damaged = image;
    let at = damaged
        .windows(16)
        .position(|w| w == "a folder".encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>())
        .unwrap();
    damaged[at - 6..at - 2].copy_from_slice(&17u32.to_be_bytes());
    let (fs, _) = open(damaged);
    let found = collect(&fs);
    assert!(found.problems.iter().any(|p| p.code == "directory-loop"), "{:?}", found.problems);
    assert!(found.entries.iter().any(|e| e.path.ends_with("/lzvn") && e.state == AllocationState::Orphan));
}

/// What The Sleuth Kit and the volume's maker say of it.
#[test]
fn a_real_volume() {
    let Some(image) = testdata().map(|t| t.join("disk/dfvfs/hfsplus.raw")) else {
        return skipped(1, "no shared test data");
    };
    let source = load(&image);
    let fs = Hfs::open(Arc::clone(&source)).unwrap();
    let found = collect(&fs);
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let paths: Vec<String> = found.entries.iter().map(Entry::full_path).collect();
    for path in
        ["/passwords.txt", "/a_directory/a_file", "/a_directory/another_file", "/a_link", "/.fseventsd/fseventsd-uuid"]
    {
        assert!(paths.iter().any(|p| p == path), "{path}: {paths:?}");
    }
    assert_eq!(named(&found.entries, "/a_link").kind, EntryKind::Link);
    let read = |path: &str| content(named(&found.entries, path), &source, 1 << 20).unwrap().unwrap();
    assert_eq!(read("/a_directory/a_file"), b"This is a text file.\n\nWe should be able to parse it.\n");
    assert!(read("/passwords.txt").starts_with(b"place,user,password\n"));
}
