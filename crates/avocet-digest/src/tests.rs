//! Every way of computing, forced one by one, against the crates `md-5`, `sha1` and `sha2`.

use avocet_base::{Digests, Md5, Sha1, Sha256};
use md5::Digest as _;

use crate::level::{Level, Sha, Wide};
use crate::many::{digest_many_at, finish_many_at, update_many_at};
use crate::{Md5Hasher, Sha1Hasher, Sha256Hasher, TripleHasher};

/// Every level that this processor can run; prints those it cannot.
fn levels() -> Vec<Level> {
    let mut wides = vec![Wide::None];
    let mut shas = vec![Sha::Scalar];
    #[cfg(target_arch = "x86_64")]
    {
        wides.extend(crate::sys::Avx2::detect().map(Wide::Avx2));
        wides.extend(crate::sys::Avx512::detect().map(Wide::Avx512));
        shas.extend(crate::sys::ShaNi::detect().map(Sha::Ni));
    }
    if wides.len() * shas.len() < 6 {
        println!("skipped: {} of 6 levels, which this processor lacks", 6 - wides.len() * shas.len());
    }
    wides.iter().flat_map(|wide| shas.iter().map(|sha| Level { wide: *wide, sha: *sha })).collect()
}

fn expected(data: &[u8]) -> Digests {
    Digests {
        md5: Md5(md5::Md5::digest(data).into()),
        sha1: Sha1(sha1::Sha1::digest(data).into()),
        sha256: Sha256(sha2::Sha256::digest(data).into()),
    }
}

/// A small generator of numbers (xorshift64*), so that every run sees the same cases.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 16) as usize % limit
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| (self.next() >> 32) as u8).collect()
    }

    /// Lengths as on a disk: most small, some around block borders, a few long.
    fn length(&mut self) -> usize {
        match self.below(8) {
            0 => self.below(3),
            1 => 64 * self.below(6) + self.below(3),
            2 | 3 => self.below(300),
            4 | 5 => self.below(5_000),
            6 => 64 * self.below(40) + 54 + self.below(4),
            _ => self.below(60_000),
        }
    }
}

#[test]
fn every_length_to_300_alone_and_in_lanes() {
    let data = Numbers(1).bytes(301);
    let buffers: Vec<&[u8]> = (0..=300).map(|n| &data[..n]).collect();
    let right: Vec<Digests> = buffers.iter().map(|b| expected(b)).collect();
    for level in levels() {
        assert_eq!(digest_many_at(level, &buffers), right, "{level:?}");
        for (buffer, right) in buffers.iter().zip(&right) {
            assert_eq!(digest_many_at(level, &[buffer]), [*right], "{level:?}, {} bytes", buffer.len());
            let mut hasher = TripleHasher::new();
            hasher.update_at(level, buffer);
            assert_eq!(hasher.len(), buffer.len() as u64);
            assert_eq!(hasher.finish_at(level), *right, "{level:?}, {} bytes", buffer.len());
        }
    }
}

/// The number of streams decides which banks run and when one hands over to the next.
#[test]
fn every_number_of_streams_to_70() {
    let mut numbers = Numbers(2);
    let all: Vec<Vec<u8>> = (0..70)
        .map(|_| {
            let length = numbers.length();
            numbers.bytes(length)
        })
        .collect();
    let buffers: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let right: Vec<Digests> = buffers.iter().map(|b| expected(b)).collect();
    for level in levels() {
        for n in 0..=buffers.len() {
            assert_eq!(digest_many_at(level, &buffers[..n]), right[..n], "{level:?}, {n} streams");
        }
    }
}

#[test]
fn random_lengths_over_refills_at_unaligned_addresses() {
    for level in levels() {
        let mut numbers = Numbers(3);
        for round in 0..6 {
            let data = numbers.bytes(200_000);
            let buffers: Vec<&[u8]> = (0..500)
                .map(|_| {
                    let length = numbers.length();
                    let start = numbers.below(data.len() - length);
                    &data[start..start + length]
                })
                .collect();
            let got = digest_many_at(level, &buffers);
            assert_eq!(got.len(), buffers.len());
            for (got, buffer) in got.iter().zip(&buffers) {
                assert_eq!(*got, expected(buffer), "{level:?}, round {round}, {} bytes", buffer.len());
            }
        }
    }
}

/// More streams than are scheduled together, in an order that sorting must undo.
#[test]
fn more_streams_than_one_group() {
    let data = Numbers(4).bytes(700);
    let mut numbers = Numbers(5);
    let buffers: Vec<&[u8]> = (0..9_000).map(|_| &data[..numbers.below(700)]).collect();
    let mut right: Vec<Option<Digests>> = vec![None; 700];
    let right: Vec<Digests> = buffers.iter().map(|b| *right[b.len()].get_or_insert_with(|| expected(b))).collect();
    for level in levels() {
        assert_eq!(digest_many_at(level, &buffers), right, "{level:?}");
        let mut hashers = vec![TripleHasher::new(); buffers.len()];
        let mut jobs: Vec<_> = hashers.iter_mut().zip(buffers.iter().copied()).collect();
        update_many_at(level, &mut jobs);
        assert_eq!(finish_many_at(level, hashers), right, "{level:?}");
    }
}

/// One and two streams far longer than the rest are taken out of the lanes in part.
#[test]
fn streams_far_longer_than_the_others() {
    let data = Numbers(6).bytes(400_000);
    for (longest, second, others) in
        [(400_000, 0, 0), (400_000, 399_999, 0), (400_000, 5, 40), (399_990, 300_000, 3), (65, 64, 1), (128, 1, 20)]
    {
        let mut buffers = vec![&data[..longest], &data[..second]];
        buffers.extend((0..others).map(|i| &data[i..i + 50 + 30 * i]));
        let right: Vec<Digests> = buffers.iter().map(|b| expected(b)).collect();
        for level in levels() {
            assert_eq!(digest_many_at(level, &buffers), right, "{level:?}, {longest} {second} {others}");
        }
    }
}

/// Hashers that are fed at random, alone and together, in pieces that split blocks anywhere.
#[test]
fn updates_split_at_random_positions() {
    for level in levels() {
        let mut numbers = Numbers(7);
        for round in 0..8 {
            let count = 1 + numbers.below(60);
            let files: Vec<Vec<u8>> = (0..count)
                .map(|_| {
                    let length = numbers.length();
                    numbers.bytes(length)
                })
                .collect();
            let mut hashers = vec![TripleHasher::new(); count];
            let mut fed = vec![0; count];
            while fed.iter().zip(&files).any(|(fed, file)| *fed < file.len()) {
                let mut jobs: Vec<(&mut TripleHasher, &[u8])> = Vec::new();
                for ((hasher, fed), file) in hashers.iter_mut().zip(&mut fed).zip(&files) {
                    let most = if numbers.below(3) == 0 { 20_000 } else { 150 };
                    let piece = numbers.below(most).min(file.len() - *fed);
                    let data = &file[*fed..*fed + piece];
                    *fed += piece;
                    match numbers.below(4) {
                        0 => hasher.update_at(level, data),
                        _ => jobs.push((hasher, data)),
                    }
                }
                update_many_at(level, &mut jobs);
            }
            let lengths: Vec<u64> = hashers.iter().map(TripleHasher::len).collect();
            assert_eq!(lengths, files.iter().map(|f| f.len() as u64).collect::<Vec<_>>());
            let right: Vec<Digests> = files.iter().map(|f| expected(f)).collect();
            let alone: Vec<Digests> = hashers.iter().cloned().map(|h| h.finish_at(level)).collect();
            assert_eq!(alone, right, "{level:?}, round {round}");
            assert_eq!(finish_many_at(level, hashers), right, "{level:?}, round {round}");
        }
    }
}

#[test]
fn single_digests_split_at_random_positions() {
    let data = Numbers(8).bytes(30_000);
    for level in levels() {
        let mut numbers = Numbers(9);
        for _ in 0..40 {
            let data = &data[..numbers.below(data.len())];
            let (mut md5, mut sha1, mut sha256) = (Md5Hasher::new(), Sha1Hasher::new(), Sha256Hasher::new());
            let mut rest = data;
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(numbers.below(500).min(rest.len()));
                md5.update_at(level, piece);
                sha1.update_at(level, piece);
                sha256.update_at(level, piece);
                rest = after;
            }
            let got =
                Digests { md5: md5.finish_at(level), sha1: sha1.finish_at(level), sha256: sha256.finish_at(level) };
            assert_eq!(got, expected(data), "{level:?}, {} bytes", data.len());
        }
    }
}

/// MD5 without the pins that x86-64 uses, which no level of this processor runs.
#[test]
fn md5_of_other_processors() {
    let data = Numbers(10).bytes(300);
    for length in 0..=data.len() {
        let (body, rest) = data[..length].split_at(length - length % 64);
        let tail = crate::state::Tail::new(rest, length as u64);
        let mut state = crate::rounds::MD5_START;
        for block in [body, tail.little()].into_iter().flat_map(|part| part.as_chunks().0) {
            crate::scalar::md5_block(&mut state, block);
        }
        assert_eq!(crate::state::md5_value(&state), expected(&data[..length]).md5, "{length} bytes");
    }
}

#[test]
fn the_length_is_counted_in_bits_over_32_bits_of_bytes() {
    // Half a GiB is 2^32 bits. No vector that short-circuits the data exists, so the padding itself is looked at.
    let tail = crate::state::Tail::new(b"ab", (1 << 29) + 2);
    assert_eq!(tail.little()[56..], [16, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(tail.big()[56..], [0, 0, 0, 1, 0, 0, 0, 16]);
}

#[test]
fn the_name_follows_the_level() {
    let names: Vec<&str> = levels().into_iter().map(Level::name).collect();
    let mut different = names.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), names.len());
    assert_eq!(Level::SCALAR.name(), "md5, sha1, sha256 scalar");
}

/// Rates of every bank with all its lanes in use, from the nearest caches: what the numbers in `level.rs` (when one
/// bank hands over to the next) were chosen by. `cargo test --release -p avocet-digest -- --ignored --nocapture rates`
#[test]
#[ignore = "prints rates and checks nothing"]
#[cfg(target_arch = "x86_64")]
fn rates_of_every_bank() {
    use crate::lanes::{Bank, Job, drive};
    use crate::sys;

    let data = vec![7_u8; 1 << 14];
    fn rate<const W: usize, const L: usize>(name: &str, data: &[u8], mut bank: impl Bank<W, L>) {
        let best = (0..200)
            .map(|_| {
                let mut states = vec![[0; W]; L];
                let start = std::time::Instant::now();
                for _ in 0..20 {
                    let jobs = states.iter_mut().map(|state| Job::new(state, [data, &[], &[]])).collect();
                    drive(&mut bank, jobs, 0);
                }
                (20 * data.len() * L) as f64 / start.elapsed().as_secs_f64() / 1e9
            })
            .fold(0.0, f64::max);
        println!("{name:<20} {best:6.2} GB/s, {:.3} a lane", best / L as f64);
    }
    if let Some(token) = sys::Avx512::detect() {
        rate("md5 avx512 x32", &data, sys::Md5x32::new(token));
        rate("md5 avx512 x16", &data, sys::Md5x16::new(token));
        rate("sha1 avx512 x16", &data, sys::Sha1x16::new(token));
        rate("sha256 avx512 x16", &data, sys::Sha256x16::new(token));
    }
    if let Some(token) = sys::Avx2::detect() {
        rate("md5 avx2 x16", &data, sys::Md5x16Avx2::new(token));
        rate("md5 avx2 x8", &data, sys::Md5x8Avx2::new(token));
        rate("sha1 avx2 x8", &data, sys::Sha1x8Avx2::new(token));
        rate("sha256 avx2 x8", &data, sys::Sha256x8Avx2::new(token));
    }
    if let Some(token) = sys::ShaNi::detect() {
        rate("sha1 sha-ni x1", &data, sys::Sha1Interleaved::<1>::new(token));
        rate("sha1 sha-ni x2", &data, sys::Sha1Interleaved::<2>::new(token));
        rate("sha1 sha-ni x4", &data, sys::Sha1Interleaved::<4>::new(token));
        rate("sha256 sha-ni x1", &data, sys::Sha256Interleaved::<1>::new(token));
        rate("sha256 sha-ni x2", &data, sys::Sha256Interleaved::<2>::new(token));
        rate("sha256 sha-ni x4", &data, sys::Sha256Interleaved::<4>::new(token));
    }
    let best = |name: &str, work: &mut dyn FnMut()| {
        let best = (0..200)
            .map(|_| {
                let start = std::time::Instant::now();
                (0..20).for_each(|_| work());
                (20 * data.len()) as f64 / start.elapsed().as_secs_f64() / 1e9
            })
            .fold(0.0, f64::max);
        println!("{name:<20} {best:6.2} GB/s");
    };
    let mut state = crate::state::State::START;
    best("md5 one stream", &mut || Level::SCALAR.md5(&mut state.md5, &data));
    best("sha1 scalar", &mut || Level::SCALAR.sha1(&mut state.sha1, &data));
    best("sha256 scalar", &mut || Level::SCALAR.sha256(&mut state.sha256, &data));
    best("triple", &mut || Level::detect().triple(&mut state, &data));
}
