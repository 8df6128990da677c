//! Seeded corruptions: no panic, no hang, output that the image's own size bounds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_evidence::fs::exfat::ExFat;
use avocet_evidence::fs::fat::Fat;
use avocet_evidence::{AllocationState, Content, FileSystem, MemorySource, Source};

use super::build::{ExFatImage, FatImage, deleted, long, set, short};
use crate::support::{collect, content};

/// A small generator with a fixed sequence (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

fn name(text: &str) -> [u8; 11] {
    format!("{text:<11}").into_bytes()[..11].try_into().unwrap()
}

/// Directories in directories, fragmented and deleted files; every byte below the first value is metadata.
fn fat16() -> (Vec<u8>, usize) {
    let mut image = FatImage::new(16, 4200);
    let mut parent = (image.root, 0);
    for depth in 0..6u32 {
        let cluster = 2 + depth;
        image.chain(&[cluster]);
        image.directory(cluster, parent.1);
        image.slot(parent.0, &short(&name(&format!("DIR{depth}")), 0x10, cluster, 0));
        for n in 0..5u32 {
            let first = 20 + depth * 40 + n * 8;
            let at = parent.0 + 32 + n as usize * 64;
            let mut file = short(&name(&format!("F{depth}{n}")), 0x20, first, 1500);
            if n % 2 == 0 {
                image.chain(&[first, first + 2, first + 1]);
            } else {
                file[0] = 0xe5;
            }
            let mut piece = long(&format!("file {depth} {n}"), &name(&format!("F{depth}{n}")))[0];
            if n % 2 != 0 {
                piece[0] = 0xe5;
            }
            image.slot(at, &piece);
            image.slot(at + 32, &file);
            image.fill(&[first, first + 1, first + 2]);
        }
        parent = (image.at(cluster) + 64, cluster);
        if depth >= 1 {
            parent.0 = image.at(cluster) + 64;
        }
    }
    let end = image.at(8);
    (image.data, end)
}

fn exfat() -> (Vec<u8>, usize) {
    let mut image = ExFatImage::new(1000);
    let mut at = image.at(4) + 96;
    for depth in 0..6u32 {
        let cluster = 5 + depth;
        image.link(cluster, 0xffff_ffff);
        image.allocate(cluster, true);
        image.slots(at, &set(&format!("dir {depth}"), 0x10, cluster, 512, 512, depth % 2 == 0));
        for n in 0..3u32 {
            let first = 20 + depth * 40 + n * 8;
            let slots = set(&format!("file {n}"), 0x20, first, 1300, 900, n == 0);
            image.chain_free(&[first, first + 1, first + 2]);
            let slots = if n == 1 { deleted(slots) } else { slots };
            (0..3).for_each(|c| image.allocate(first + c, n != 1));
            image.slots(at + 96 + n as usize * 96, &slots);
            image.fill(&[first, first + 1, first + 2]);
        }
        at = image.at(cluster);
    }
    let end = image.at(11);
    (image.data, end)
}

/// Changes 1, 8, 64 or 512 bytes, three quarters of them in metadata, or cuts the image.
fn mutant(data: &[u8], metadata: usize, seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut out = data.to_vec();
    if seed.is_multiple_of(17) {
        out.truncate(random.below(data.len()));
        return out;
    }
    let changes = [1, 8, 64, 512][random.below(4)];
    for _ in 0..changes {
        let at = if random.below(4) > 0 { random.below(metadata) } else { random.below(data.len()) };
        out[at] = match random.below(4) {
            0 => 0xff,
            1 => 0,
            2 => out[at] ^ 1 << random.below(8),
            _ => random.next() as u8,
        };
    }
    out
}

/// Opens, lists and reads a mutant; says whether it opened and how many problems there were.
fn survive(data: Vec<u8>, exfat: bool, seed: u64) -> (bool, usize) {
    let started = Instant::now();
    let length = data.len() as u64;
    let volume: Arc<dyn Source> = Arc::new(MemorySource(data));
    let opened: Option<Box<dyn FileSystem>> = if exfat {
        ExFat::open(Arc::clone(&volume)).ok().map(|fs| Box::new(fs) as _)
    } else {
        Fat::open(Arc::clone(&volume)).ok().map(|fs| Box::new(fs) as _)
    };
    let Some(fs) = opened else { return (false, 0) };
    let all = collect(&*fs);
    // A slot gives at most one entry, and no slot is listed twice.
    assert!(all.entries.len() as u64 <= length / 32, "seed {seed}: {} entries", all.entries.len());
    let mut numbers: Vec<u64> = all.entries.iter().map(|e| e.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all.entries.len(), "seed {seed}: an entry was listed twice");
    let (mut live, mut dead) = (0u64, 0u64);
    for entry in &all.entries {
        let bytes = match &entry.content {
            Content::Mapped(_) => content(entry, &volume, 64 << 20),
            _ => continue,
        };
        if let Ok(Some(bytes)) = bytes {
            assert_eq!(bytes.len() as u64, entry.size, "seed {seed}");
            let sum = if entry.state == AllocationState::Allocated { &mut live } else { &mut dead };
            *sum += entry.size;
        }
    }
    let declared = fs.facts().size;
    assert!(dead <= declared, "seed {seed}: {dead} deleted bytes of {declared}");
    // Readable clusters are those that exist; crossed chains may double them.
    assert!(live <= length.max(declared).saturating_mul(2), "seed {seed}: {live} live bytes");
    let _ = fs.unallocated();
    assert!(started.elapsed() < Duration::from_secs(20), "seed {seed} took {:?}", started.elapsed());
    (true, all.problems.len())
}

fn suite(data: &[u8], metadata: usize, exfat: bool) {
    let (opened, problems) = survive(data.to_vec(), exfat, 0);
    assert!(opened && problems == 0, "the image itself is sound");
    // A longer run, for proofs: AVOCET_MUTANTS.
    let mutants = std::env::var("AVOCET_MUTANTS").ok().and_then(|n| n.parse().ok()).unwrap_or(200u64);
    let results = (1..=mutants).map(|seed| survive(mutant(data, metadata, seed), exfat, seed));
    let (opened, told) = results.fold((0, 0), |sum, r| (sum.0 + u64::from(r.0), sum.1 + u64::from(r.1 > 0)));
    println!("{mutants} mutants: {opened} opened, {told} of them with problems reported");
    assert!(opened > mutants / 2 && told > mutants / 4, "mutants must reach the walk: {opened} opened, {told} told");
}

#[test]
fn two_hundred_mutants_of_fat16() {
    let (data, metadata) = fat16();
    suite(&data, metadata, false);
}

#[test]
fn two_hundred_mutants_of_exfat() {
    let (data, metadata) = exfat();
    suite(&data, metadata, true);
}

/// A boot sector that declares the largest volume there can be costs only the bytes that exist.
#[test]
fn declared_sizes_cost_nothing() {
    let mut image = FatImage::new(32, 70_000);
    for at in [0, 6 * 512] {
        image.data[at + 32..at + 36].fill(0xff);
        image.data[at + 36..at + 40].copy_from_slice(&0x00ff_ffffu32.to_le_bytes());
    }
    image.data.truncate(1 << 20);
    let (opened, problems) = survive(image.data, false, 1);
    assert!(opened && problems > 0);
    let (mut data, _) = exfat();
    data[72..80].fill(0xff);
    data[84..88].fill(0xff);
    data[92..96].fill(0xff);
    let (opened, problems) = survive(data, true, 2);
    assert!(opened && problems > 0);
}
