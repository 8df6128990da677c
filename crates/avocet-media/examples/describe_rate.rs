//! How long it takes to describe pictures, on one core: `describe_rate [--rounds N] [--bare] FILE...`.
//!
//! Each file is described as an examination does it, with its two small pictures (`--bare`: without). Prints the best of
//! N rounds over all files: pictures, bytes, milliseconds a picture, megabytes a second.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::hint::black_box;
use std::time::Instant;

use avocet_media::describe::describe;

fn main() -> std::process::ExitCode {
    let (mut rounds, mut small, mut files) = (1u32, true, vec![]);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            "--bare" => small = false,
            name => match std::fs::read(name) {
                Ok(bytes) => files.push(bytes),
                Err(e) => {
                    eprintln!("{name}: {e}");
                    return std::process::ExitCode::FAILURE;
                }
            },
        }
    }
    let mut best = f64::INFINITY;
    for _ in 0..rounds.max(1) {
        let start = Instant::now();
        files.iter().for_each(|bytes| drop(black_box(describe(bytes, small))));
        best = best.min(start.elapsed().as_secs_f64());
    }
    let bytes: usize = files.iter().map(Vec::len).sum();
    println!(
        "{} pictures, {bytes} bytes, {:.2} ms each, {:.1} MB/s",
        files.len(),
        best * 1000.0 / files.len().max(1) as f64,
        bytes as f64 / best / 1e6
    );
    std::process::ExitCode::SUCCESS
}
