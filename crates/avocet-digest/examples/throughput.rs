//! Prints how fast the digests are on this machine, beside the crates `md-5`, `sha1` and `sha2`:
//! `cargo run --release -p avocet-digest --example throughput`. Takes about 20 seconds and 300 MiB.
#![expect(clippy::print_stdout, reason = "prints a table")]

use std::hint::black_box;
use std::time::Instant;

use avocet_digest::{
    Md5Hasher, Sha1Hasher, Sha256Hasher, TripleHasher, digest_many, finish_many, implementation, update_many,
};
use md5::Digest as _;

/// Runs `work` over `bytes` bytes five times and prints the median and the best rate.
fn measure(name: &str, bytes: usize, mut work: impl FnMut()) {
    let mut rates: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            work();
            bytes as f64 / start.elapsed().as_secs_f64() / 1e9
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    if let [.., _, median, _, best] = rates.as_slice() {
        println!("{name:<62} {median:6.2} {best:6.2}");
    }
}

fn crates_one_after_another(data: &[u8]) {
    black_box(md5::Md5::digest(data));
    black_box(sha1::Sha1::digest(data));
    black_box(sha2::Sha256::digest(data));
}

/// Lengths from 50 bytes to 2 MB, evenly on a logarithmic scale, in a scattered order; always the same.
fn mixed_lengths(count: usize) -> Vec<usize> {
    let step = |i: usize| (i * 7919) % count;
    (0..count).map(|i| (50.0 * 40_000_f64.powf(step(i) as f64 / count as f64)) as usize).collect()
}

fn main() {
    let data: Vec<u8> = (0..256_u32 << 20).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    println!("{}", implementation());
    println!("{:<62} {:>6} {:>6}", "GB/s, one thread, 5 runs", "median", "best");

    let part = data.get(..64 << 20).unwrap_or(&data);
    let files: Vec<&[u8]> = part.chunks(64 << 10).collect();
    measure("crates md-5, sha1, sha2 one after another, files of 64 KiB", part.len(), || {
        files.iter().for_each(|file| crates_one_after_another(file));
    });
    measure("crate md-5, one stream", part.len(), || {
        black_box(md5::Md5::digest(part));
    });
    measure("crate sha1, one stream", part.len(), || {
        black_box(sha1::Sha1::digest(part));
    });
    measure("crate sha2 (SHA-256), one stream", part.len(), || {
        black_box(sha2::Sha256::digest(part));
    });
    macro_rules! single {
        ($name:literal, $hasher:ident) => {
            measure($name, part.len(), || {
                let mut hasher = $hasher::new();
                hasher.update(part);
                black_box(hasher.finish());
            });
        };
    }
    single!("Md5Hasher, one stream", Md5Hasher);
    single!("Sha1Hasher, one stream", Sha1Hasher);
    single!("Sha256Hasher, one stream", Sha256Hasher);
    single!("TripleHasher, one stream, three digests", TripleHasher);

    let files: Vec<&[u8]> = data.chunks(64 << 10).collect();
    measure("digest_many, 4096 buffers of 64 KiB", data.len(), || drop(black_box(digest_many(&files))));
    let near: Vec<&[u8]> = (0..4096).filter_map(|i| files.get(i % 8).copied()).collect();
    measure("digest_many, the same 512 KiB over and over (from cache)", data.len(), || {
        black_box(digest_many(&near));
    });
    let small: Vec<&[u8]> = part.chunks(1000).collect();
    measure("digest_many, 67109 buffers of 1000 bytes", part.len(), || drop(black_box(digest_many(&small))));
    let mut rest = data.as_slice();
    let mut mixed = Vec::new();
    for length in mixed_lengths(1200) {
        if let Some((file, after)) = rest.split_at_checked(length) {
            mixed.push(file);
            rest = after;
        }
    }
    let total = mixed.iter().map(|file| file.len()).sum();
    let name = format!("digest_many, {} buffers of 50 B to 2 MB, {} MB", mixed.len(), total / 1_000_000);
    measure(&name, total, || drop(black_box(digest_many(&mixed))));
    measure("crates one after another, the same buffers", total, || {
        mixed.iter().for_each(|file| crates_one_after_another(file));
    });

    for streams in [1, 2, 4, 8, 16, 32, 64] {
        let files: Vec<&[u8]> = data.chunks(data.len() / streams).collect();
        measure(&format!("update_many, {streams} streams, 1 MiB at a time"), data.len(), || {
            let mut hashers = vec![TripleHasher::new(); streams];
            let mut readers: Vec<_> = files.iter().map(|file| file.chunks(1 << 20)).collect();
            loop {
                let mut jobs: Vec<(&mut TripleHasher, &[u8])> =
                    hashers.iter_mut().zip(&mut readers).filter_map(|(h, reader)| Some((h, reader.next()?))).collect();
                if jobs.is_empty() {
                    break;
                }
                update_many(&mut jobs);
            }
            black_box(finish_many(hashers));
        });
    }
}
