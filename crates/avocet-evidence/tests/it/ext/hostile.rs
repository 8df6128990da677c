//! Images built or broken to attack the reader: it must end, within bounds, and say what it left out.

use super::*;
use avocet_evidence::{MemorySource, Problem, ReadError, VisitResult, Visitor};

/// An ext2 of 64 blocks of 1 KiB, written by hand so that these tests need no tool: root (inode 2) with `a.txt` (12),
/// `dir` (13) with `b.bin` (14), and the deleted name `gone.jpg` (15) whose inode still points to its block.
fn tiny() -> Vec<u8> {
    let mut raw = vec![0u8; 64 * 1024];
    let mut put = |at: usize, bytes: &[u8]| raw[at..at + bytes.len()].copy_from_slice(bytes);
    for (at, v) in
        [(0, 32u32), (4, 64), (12, 40), (20, 1), (32, 8192), (36, 8192), (40, 32), (0x4c, 1), (0x54, 11), (0x60, 2)]
    {
        put(1024 + at, &v.to_le_bytes());
    }
    put(1024 + 0x38, &[0x53, 0xef]);
    put(1024 + 0x58, &128u16.to_le_bytes());
    for (at, v) in [(0, 3u32), (4, 4), (8, 5)] {
        put(2048 + at, &v.to_le_bytes());
    }
    // Blocks 1 to 14 and inodes 1 to 14 are in use.
    put(3 * 1024, &[0xff, 0x3f]);
    put(4 * 1024, &[0xff, 0x3f]);
    let mut inode = |number: usize, mode: u16, size: u32, links: u16, dtime: u32, block: u32| {
        let at = 5 * 1024 + (number - 1) * 128;
        put(at, &mode.to_le_bytes());
        put(at + 4, &size.to_le_bytes());
        put(at + 0x14, &dtime.to_le_bytes());
        put(at + 0x1a, &links.to_le_bytes());
        put(at + 0x1c, &2u32.to_le_bytes());
        put(at + 0x28, &block.to_le_bytes());
    };
    inode(2, 0x41ed, 1024, 3, 0, 10);
    inode(12, 0x81a4, 5, 1, 0, 11);
    inode(13, 0x41ed, 1024, 2, 0, 12);
    inode(14, 0x81a4, 1000, 1, 0, 13);
    inode(15, 0x81a4, 700, 0, 1_000_000_000, 20);
    let mut name = |at: usize, inode: u32, record: u16, kind: u8, name: &[u8]| {
        put(at, &inode.to_le_bytes());
        put(at + 4, &record.to_le_bytes());
        put(at + 6, &[u8::try_from(name.len()).unwrap(), kind]);
        put(at + 8, name);
    };
    for (block, own, up) in [(10, 2, 2), (12, 13, 2)] {
        name(block * 1024, own, 12, 2, b".");
        name(block * 1024 + 12, up, 12, 2, b"..");
    }
    name(10 * 1024 + 24, 12, 16, 1, b"a.txt");
    name(10 * 1024 + 40, 13, 984, 2, b"dir");
    name(10 * 1024 + 52, 15, 972, 1, b"gone.jpg");
    name(12 * 1024 + 24, 14, 1000, 1, b"b.bin");
    put(11 * 1024, b"hello");
    put(13 * 1024, &[7; 1000]);
    put(20 * 1024, &[9; 700]);
    raw
}

fn volume(raw: Vec<u8>) -> Arc<dyn Source> {
    Arc::new(MemorySource(raw))
}

#[test]
fn a_hand_made_volume_reads_without_any_tool() {
    let volume = volume(tiny());
    let fs = Ext::open(Arc::clone(&volume)).unwrap();
    let all = support::collect(&fs);
    assert_eq!(all.problems, []);
    let found: Vec<(&str, AllocationState, Option<Vec<u8>>)> =
        all.entries.iter().map(|e| (e.path.as_str(), e.state, support::content(e, &volume, CAP).unwrap())).collect();
    assert_eq!(
        found,
        [
            ("/a.txt", AllocationState::Allocated, Some(b"hello".to_vec())),
            ("/dir", AllocationState::Allocated, None),
            ("/gone.jpg", AllocationState::Deleted, Some(vec![9; 700])),
            ("/dir/b.bin", AllocationState::Allocated, Some(vec![7; 1000])),
        ]
    );
    assert_eq!(all.entries[2].times.deleted.unwrap().to_string(), "2001-09-09T01:46:40Z");
    let free = fs.unallocated().unwrap();
    assert_eq!(free, [avocet_evidence::Run { start: 15 * 1024, length: 49 * 1024 }]);
}

#[test]
fn a_folder_that_holds_itself_is_entered_once() {
    let mut raw = tiny();
    let at = 12 * 1024 + 24;
    raw[at..at + 4].copy_from_slice(&13u32.to_le_bytes());
    raw[at + 7] = 2;
    let all = support::collect(&Ext::open(volume(raw)).unwrap());
    assert_eq!(codes(&all), BTreeSet::from(["directory-loop"]));
    assert!(all.entries.iter().any(|e| e.path == "/$Orphans/inode-14"), "what lost its name is still listed");
}

#[test]
fn more_deleted_bytes_than_the_volume_holds_are_capped() {
    let mut raw = tiny();
    // Inodes 16 to 32 are deleted copies of 15, each with 40 blocks from one indirect block.
    let list: Vec<u8> = (0..256u32).flat_map(|i| if i < 20 { (16 + i).to_le_bytes() } else { [0; 4] }).collect();
    raw[50 * 1024..51 * 1024].copy_from_slice(&list);
    let base = 5 * 1024;
    for number in 16..=32 {
        let from = base + 14 * 128;
        raw.copy_within(from..from + 128, base + (number - 1) * 128);
        let at = base + (number - 1) * 128;
        raw[at + 4..at + 8].copy_from_slice(&(32u32 * 1024).to_le_bytes());
        raw[at + 0x1c..at + 0x20].copy_from_slice(&66u32.to_le_bytes());
        for i in 0..12u32 {
            let p = at + 0x28 + i as usize * 4;
            raw[p..p + 4].copy_from_slice(&(36 + i).to_le_bytes());
        }
        raw[at + 0x58..at + 0x5c].copy_from_slice(&50u32.to_le_bytes());
    }
    let all = support::collect(&Ext::open(volume(raw)).unwrap());
    assert_eq!(codes(&all), BTreeSet::from(["recovered-bytes-capped"]));
    let gone = all.entries.iter().filter(|e| e.state != AllocationState::Allocated);
    let readable: u64 = gone.filter(|e| matches!(e.content, Content::Mapped(_))).map(|e| e.size).sum();
    assert_eq!(readable, 700 + 32 * 1024, "64 KiB hold the first two only");
}

/// Takes at most so many entries, and reads a little of each.
struct Limited {
    volume: Arc<dyn Source>,
    entries: u64,
    bytes: u64,
    problems: u64,
}

impl Visitor for Limited {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        self.entries += 1;
        assert!(entry.content.extents().len() as u64 <= self.volume.len() / 1024 * 2 + 2, "pieces");
        let mut at = 0;
        for e in entry.content.extents() {
            assert_eq!(e.logical, at, "pieces without gaps");
            at += e.length;
        }
        if !entry.content.extents().is_empty() {
            assert!(at >= entry.size, "pieces cover the size");
        }
        if let Ok(Some(bytes)) = support::content(&entry, &self.volume, 256 * 1024) {
            self.bytes += bytes.len() as u64;
        }
        if self.entries > 200_000 { VisitResult::Break(()) } else { VisitResult::Continue(()) }
    }

    fn problem(&mut self, _: Problem) {
        self.problems += 1;
    }
}

/// Changes a few bytes, three times of four inside blocks that hold metadata.
fn mutate(raw: &mut Vec<u8>, metadata: &[usize], block: usize, seed: u64) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 16).unwrap() % below
    };
    for _ in 0..1 + next(6) {
        let at = if next(4) > 0 { metadata[next(metadata.len())] * block + next(block) } else { next(raw.len()) };
        match next(6) {
            0 => raw[at] ^= 1 << next(8),
            1 => raw[at] = [0, 0xff, 0x7f, 0x80][next(4)],
            2 => raw.iter_mut().skip(at / 4 * 4).take(4).for_each(|b| *b = 0xff),
            3 => {
                // A number that makes sense somewhere: a block or an inode.
                let value = u32::try_from(next(raw.len() / block)).unwrap().to_le_bytes();
                raw.iter_mut().skip(at / 4 * 4).zip(value).for_each(|(b, v)| *b = v);
            }
            4 => {
                let from = metadata[next(metadata.len())] * block;
                raw.copy_within(from..from + block, at / block * block);
            }
            _ => {
                let length = 1 + next(64);
                raw.iter_mut().skip(at).take(length).for_each(|b| *b = 0);
            }
        }
    }
    if next(16) == 0 {
        let cut = next(raw.len());
        raw.truncate(cut);
    }
}

fn attack(name: &str, original: &[u8], block: usize, count: u64) {
    let used = |b: &usize| original[b * block..(b + 1) * block].iter().any(|v| *v != 0);
    let early = original.len() / block / 8;
    let metadata: Vec<usize> = (0..early.max(24)).filter(used).collect();
    let (mut opened, mut entries, mut problems) = (0, 0, 0);
    for seed in 0..count {
        let mut raw = original.to_vec();
        mutate(&mut raw, &metadata, block, seed + 1);
        let volume = volume(raw);
        let Ok(fs) = Ext::open(Arc::clone(&volume)) else { continue };
        opened += 1;
        let mut limited = Limited { volume: Arc::clone(&volume), entries: 0, bytes: 0, problems: 0 };
        let walked: Result<(), ReadError> = fs.walk(&mut limited);
        let _ = walked;
        if let Ok(runs) = fs.unallocated() {
            assert!(runs.iter().all(|r| r.start + r.length <= volume.len().max(1)), "{name} {seed}");
        }
        entries += limited.entries;
        problems += limited.problems;
    }
    println!("{name}: {opened} of {count} opened, {entries} entries, {problems} problems");
    assert!(opened > count / 2 && problems > 0);
}

#[test]
fn mutants_of_a_hand_made_volume() {
    attack("hand-made", &tiny(), 1024, 1000);
}

#[test]
fn mutants_of_made_images() {
    if !made::tools() {
        return support::skipped(800, "e2fsprogs is not installed");
    }
    let scratch = tempfile::tempdir().unwrap();
    let files = scratch.path().join("files");
    std::fs::create_dir(&files).unwrap();
    made::populate(&files);
    for (name, options) in [
        ("ext2", &["-t", "ext2", "-b", "1024"][..]),
        ("ext3", &["-t", "ext3", "-b", "1024", "-J", "size=1"]),
        ("ext4 without checksums", &["-t", "ext4", "-b", "1024", "-J", "size=1", "-O", "^metadata_csum,inline_data"]),
        ("ext4", &["-t", "ext4", "-b", "1024", "-J", "size=1", "-O", "inline_data"]),
    ] {
        let image = scratch.path().join("image");
        let _ = std::fs::remove_file(&image);
        assert!(made::mkfs(&image, options, &files, "4M"), "{name}");
        made::debugfs(&image, &["rm /sizes/300000.bin", "rm /sizes/1025.bin"]);
        attack(name, &std::fs::read(&image).unwrap(), 1024, 200);
    }
}
