//! Seeded changes of an image. A seed gives the same mutant on every machine.

use std::ops::Range;

use crate::base::{Base, lvm_sums};
use crate::support::Random;

/// Values that a declared count, size or offset is most hostile at.
const EXTREMES: [u64; 14] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff8,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// A mutant, and how many of its changes lie in metadata.
pub struct Mutant {
    pub files: Vec<(String, Vec<u8>)>,
    pub changes: usize,
    pub in_metadata: usize,
}

fn inside(random: &mut Random, ranges: &[Range<usize>]) -> Option<usize> {
    let total: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    let mut at = random.below(total)?;
    for range in ranges {
        if at < range.len() {
            return Some(range.start + at);
        }
        at -= range.len();
    }
    None
}

fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    let end = (at + new.len()).min(bytes.len());
    if at < end {
        bytes[at..end].copy_from_slice(&new[..end - at]);
    }
}

/// Adler-32 (RFC 1950), which EWF guards its sections with.
fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65521;
        (a, (b + a) % 65521)
    });
    b << 16 | a
}

/// Makes checksums agree again, so that what lies behind them is reached.
fn reseal(base: &Base, files: &mut [(String, Vec<u8>)]) {
    for ((_, bytes), ranges) in files.iter_mut().zip(&base.metadata) {
        if bytes.starts_with(b"EVF") {
            for range in ranges.iter().filter(|r| r.start >= 13) {
                let Some(descriptor) = bytes.get(range.start..range.start + 76) else { continue };
                let sum = adler32(&descriptor[..72]);
                let table = descriptor.starts_with(b"table");
                put(bytes, range.start + 72, &sum.to_le_bytes());
                let head = range.start + 76;
                if let Some(header) = bytes.get(head..head + 20).filter(|_| table) {
                    let sum = adler32(header);
                    put(bytes, head + 20, &sum.to_le_bytes());
                    if range.end > head + 28 && range.end <= bytes.len() {
                        let sum = adler32(&bytes[head + 24..range.end - 4]);
                        put(bytes, range.end - 4, &sum.to_le_bytes());
                    }
                }
            }
        }
        if bytes.get(512..520) == Some(b"LABELONE") {
            lvm_sums(bytes);
        }
        for header in (512..bytes.len().saturating_sub(91)).step_by(512) {
            if !bytes[header..].starts_with(b"EFI PART") {
                continue;
            }
            let field = |at: usize| u64::from_le_bytes(bytes[header + at..header + at + 8].try_into().unwrap());
            let table = usize::try_from(field(72).saturating_mul(512)).unwrap_or(usize::MAX);
            let count = field(80) as u32 as usize;
            let size = (field(80) >> 32) as usize;
            let end = table.saturating_add(count.saturating_mul(size));
            if let Some(entries) = bytes.get(table..end) {
                let crc = crc32fast::hash(entries);
                put(bytes, header + 88, &crc.to_le_bytes());
            }
            put(bytes, header + 16, &[0; 4]);
            let crc = crc32fast::hash(&bytes[header..header + 92]);
            put(bytes, header + 16, &crc.to_le_bytes());
        }
        if bytes.get(3..11) == Some(b"EXFAT   ") && bytes.len() >= 12 * 512 {
            // Microsoft exFAT specification 3.4: of eleven sectors, without the flags and the percentage in use.
            let sum = (0..11 * 512)
                .filter(|i| !matches!(i, 106 | 107 | 112))
                .fold(0u32, |sum, i| sum.rotate_right(1).wrapping_add(u32::from(bytes[i])));
            let sector: Vec<u8> = sum.to_le_bytes().repeat(128);
            put(bytes, 11 * 512, &sector);
        }
    }
}

/// One change of one file at a place.
fn change(random: &mut Random, bytes: &mut [u8], at: usize, ranges: &[Range<usize>]) {
    match random.below(8).unwrap() {
        0 | 1 => bytes[at] ^= 1 << random.below(8).unwrap(),
        2 => bytes[at] = random.next() as u8,
        3 => {
            let (length, value) = (1 + random.below(64).unwrap(), *random.pick(&[0, 0xff, 0x41, 0xe5]));
            let run = vec![value; length];
            put(bytes, at, &run);
        }
        4 | 5 => {
            let width = *random.pick(&[2, 4, 4, 8]);
            let mut value = *random.pick(&EXTREMES);
            if random.below(4) == Some(0) {
                value = bytes.len() as u64 / *random.pick(&[1, 512, 1024]);
            }
            let order = if random.below(6) == Some(0) { value.to_be_bytes() } else { value.to_le_bytes() };
            put(bytes, at - at % width, &order[..width]);
        }
        6 => {
            // A reference taken from elsewhere: what makes directories contain themselves.
            let width = *random.pick(&[2, 4, 8]);
            let from = inside(random, ranges).unwrap_or(0);
            let from = from - from % width;
            let piece = bytes.get(from..from + width).unwrap_or_default().to_vec();
            put(bytes, at - at % width, &piece);
        }
        _ => {
            let width = *random.pick(&[32, 128, 512, 1024, 4096]);
            let from = inside(random, ranges).unwrap_or(0);
            let from = from - from % width;
            let piece = bytes.get(from..(from + width).min(bytes.len())).unwrap_or_default().to_vec();
            put(bytes, at - at % width, &piece);
        }
    }
}

/// The mutant of a seed.
pub fn mutant(base: &Base, seed: u64) -> Mutant {
    let mut random = Random::new(seed);
    let mut files = base.files.clone();
    let (mut changes, mut in_metadata) = (0, 0);
    for _ in 0..*random.pick(&[1, 1, 2, 4, 8, 16, 32]) {
        let which = random.below(files.len()).unwrap();
        let ranges = &base.metadata[which];
        let bytes = &mut files[which].1;
        // Three in four aim at metadata.
        let place = if random.below(4) == Some(0) { random.below(bytes.len()) } else { inside(&mut random, ranges) };
        let Some(at) = place else { continue };
        changes += 1;
        in_metadata += usize::from(ranges.iter().any(|r| r.contains(&at)));
        change(&mut random, bytes, at, ranges);
    }
    if random.below(2) == Some(0) {
        reseal(base, &mut files);
    }
    if random.below(10) == Some(0) {
        let which = random.below(files.len()).unwrap();
        let bytes = &mut files[which].1;
        let length = random.below(bytes.len()).unwrap_or(0);
        bytes.truncate(length - if random.below(2) == Some(0) { length % 512 } else { 0 });
    }
    Mutant { files, changes, in_metadata }
}
