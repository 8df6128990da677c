//! Times reading an image end to end: decoding alone, and with an MD5 of it as `ewfverify` computes.
//!
//! `cargo run --release -p avocet-evidence --example ewf_speed -- IMAGE [THREADS]`
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program, not part of the product")]

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use avocet_evidence::container;
use md5::Digest;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap();
    let most: usize = args.next().map_or(2, |t| t.parse().unwrap());
    let start = Instant::now();
    let image = container::open(Path::new(&path)).unwrap();
    println!("open {:.3} s, {} bytes, {}", start.elapsed().as_secs_f64(), image.source.len(), image.kind);
    for threads in 1..=most {
        for hash in [false, true] {
            let (mut md5, mut bytes, start) = (md5::Md5::new(), 0u64, Instant::now());
            let _ = image.stream(threads, &mut |piece| {
                let data = piece.data.unwrap();
                bytes += data.len() as u64;
                if hash {
                    md5.update(data);
                }
                ControlFlow::Continue(())
            });
            let seconds = start.elapsed().as_secs_f64();
            let what = if hash { "decode and MD5" } else { "decode" };
            println!("{threads} thread(s), {what}: {seconds:.2} s, {:.2} GB/s", bytes as f64 / seconds / 1e9);
            if let (true, Some(ewf)) = (hash, &image.ewf) {
                println!(
                    "  MD5 equals the stored one: {}",
                    ewf.facts().stored_md5.map(|m| m.0) == Some(md5.finalize().into())
                );
            }
        }
    }
    let data = vec![7; 64 << 20];
    let start = Instant::now();
    let mut md5 = md5::Md5::new();
    (0..8).for_each(|_| md5.update(&data));
    println!("MD5 alone: {:.2} GB/s", 8.0 * data.len() as f64 / start.elapsed().as_secs_f64() / 1e9);
}
