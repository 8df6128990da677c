//! Seeded damage: whatever the bytes, a walk ends, reads end, and the same bytes give the same result.

use std::sync::Arc;

use avocet_evidence::fs::ntfs::Ntfs;
use avocet_evidence::{FileSystem, MemorySource, Source};

use super::builder::*;
use crate::support::{collect, content, load, skipped, testdata};

/// A small generator with a fixed seed (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % n
    }
}

/// Values that parsers trip over.
const EDGES: [u64; 9] = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX];

/// Changes a few places inside `areas` (offset, length), sometimes cuts the end off.
fn mutate(bytes: &mut Vec<u8>, areas: &[(usize, usize)], random: &mut Random) {
    for _ in 0..1 + random.below(12) {
        let (start, length) = areas[random.below(areas.len())];
        let at = start + random.below(length);
        match random.below(4) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.below(256) as u8,
            _ => {
                let value = EDGES[random.below(EDGES.len())].to_le_bytes();
                let n = [1, 2, 4, 8][random.below(4)].min(bytes.len() - at);
                bytes[at..at + n].copy_from_slice(&value[..n]);
            }
        }
    }
    if random.below(20) == 0 {
        bytes.truncate(random.below(bytes.len()));
    }
}

/// Walks, reads every content up to 1 MiB and asks for free space; the outcome as text.
fn exercise(bytes: &[u8]) -> String {
    let volume: Arc<dyn Source> = Arc::new(MemorySource(bytes.to_vec()));
    let fs = match Ntfs::open(Arc::clone(&volume)) {
        Ok(fs) => fs,
        Err(error) => return error.to_string(),
    };
    let found = collect(&fs);
    let contents: Vec<_> =
        found.entries.iter().map(|e| content(e, &volume, 1 << 20).map(|c| c.map(|c| c.len()))).collect();
    format!("{:?} {:?} {contents:?} {:?}", found.entries, found.problems, fs.unallocated())
}

fn mutants(original: &[u8], areas: &[(usize, usize)], count: u64) {
    let (mut opened, mut changed) = (0, 0);
    let undamaged = exercise(original);
    for seed in 1..=count {
        let mut bytes = original.to_vec();
        mutate(&mut bytes, areas, &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let first = exercise(&bytes);
        opened += u64::from(first.starts_with('['));
        changed += u64::from(first != undamaged);
        if seed % 8 == 0 {
            assert_eq!(first, exercise(&bytes), "seed {seed}");
        }
    }
    println!("{count} mutants: {opened} opened, {changed} with another outcome");
    assert!(opened > count / 4, "damage of this kind must reach the walk");
    assert!(changed > count / 4, "damage of this kind must be met");
}

fn built() -> Vec<u8> {
    let root = reference(5, 5);
    let mut image = Image::new();
    image.file(40, 1, IN_USE | DIRECTORY, &[standard(0), named(root, "a")]);
    image.file(41, 2, DIRECTORY, &[standard(0), named(reference(40, 1), "b")]);
    for number in 42..60 {
        let folder = [root, reference(40, 1), reference(41, 1)][number % 3];
        let flags = u16::from(number % 2 == 0);
        let first = 600 + number as u64;
        let content = match number % 4 {
            0 => resident(0x80, "", 0, b"resident"),
            1 => data(3000, &[(2, Some(first)), (3, None), (2, Some(first + 100))]),
            2 => mapped(&Mapped {
                kind: 0x80,
                name: "",
                flags: 1,
                lowest: 0,
                pieces: &[(1, Some(900)), (15, None), (16, None)],
                unit: 4,
                size: 12_000,
                initialised: 9000,
            }),
            _ => data(1000, &[(2, Some(first))]),
        };
        let attributes =
            [standard(0x20), named(folder, &format!("f{number}")), content, resident(0x80, "s", 0, b"side")];
        image.file(number, 2, flags, &attributes);
    }
    let list = [line(0x80, 0, reference(70, 1)), line(0x80, 4, reference(71, 1))].concat();
    image.file(
        70,
        1,
        IN_USE,
        &[standard(0), resident(0x20, "", 0, &list), named(root, "l"), data(3000, &[(4, Some(950))])],
    );
    let rest = Mapped {
        kind: 0x80,
        name: "",
        flags: 0,
        lowest: 4,
        pieces: &[(2, Some(980))],
        unit: 0,
        size: 0,
        initialised: 0,
    };
    image.extension(71, 1, IN_USE, reference(70, 1), &[mapped(&rest)]);
    let letters: Vec<u8> = b"ab".iter().flat_map(|c| [0x03, 0xb0, 0x02, *c, 0xfc, 0x0f]).collect();
    image.put(900, &letters);
    image.bytes
}

#[test]
fn damaged_built_volumes() {
    let table = TABLE * CLUSTER;
    // Boot sector, system records, the test's own records, the compressed unit; most of it in the records.
    let files = (table + 40 * RECORD, 32 * RECORD);
    mutants(&built(), &[(0, 0x60), (table, 7 * RECORD), files, files, files, files, (900 * CLUSTER, 16)], 400);
}

#[test]
fn damaged_real_volumes() {
    let Some(folder) = testdata() else { return skipped(100, "no shared test data") };
    let mut original = vec![0; 6 << 20];
    let volume = load(&folder.join("disk/made/usb-ntfs.dd"));
    let n = volume.read_at(0, &mut original).unwrap();
    original.truncate(n);
    let cluster = u16::from_le_bytes([original[0x0b], original[0x0c]]) as usize * original[0x0d] as usize;
    let table = original[0x30] as usize * cluster;
    let (system, files) = ((table, 16 * 1024), (table + 64 * 1024, 16 * 1024));
    mutants(&original, &[(0, 0x60), system, files, files], 100);
}
