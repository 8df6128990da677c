//! PDQ of JPEG files and how long it takes: `pdq_rate [--rounds N] [--min SIDE] FILE...`.
//!
//! Prints a line a file: hash, quality, scale, sides, and the best of N rounds in milliseconds: all, decoding, hashing,
//! and the decoder alone at 1/8 without chroma, which is entropy decoding and next to nothing else.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program")]

use std::hint::black_box;
use std::time::Instant;

use avocet_media::{jpeg, pdq};

fn best(rounds: u32, mut run: impl FnMut()) -> f64 {
    let times = (0..rounds.max(1)).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1000.0
    });
    times.fold(f64::INFINITY, f64::min)
}

fn main() -> std::process::ExitCode {
    let (mut rounds, mut min, mut colour) = (1, 512, false);
    let mut arguments = std::env::args().skip(1);
    println!(
        "file\thash\tquality\tpath\tsides\tms_all\tms_decode\tms_hash\tms_second_form\tms_entropy\tentropy_share\thash_512"
    );
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--rounds" => rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1),
            "--min" => min = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(512),
            "--colour" => colour = true,
            name => {
                let Ok(bytes) = std::fs::read(name) else {
                    eprintln!("{name}: cannot be read");
                    return std::process::ExitCode::FAILURE;
                };
                let limits = jpeg::Limits::default();
                let decode = || jpeg::decode_scaled(&bytes, min, colour, limits);
                let scaled = match decode() {
                    Ok(scaled) => scaled,
                    Err(e) => {
                        println!("{name}\t{}\t{}", e.code(), e.sentence());
                        continue;
                    }
                };
                let (Some((hashed, path)), Some((small, _))) =
                    (pdq::hash_scaled(&scaled), pdq::hash_scaled_512(&scaled))
                else {
                    continue;
                };
                let all = best(rounds, || {
                    if let Ok(scaled) = black_box(decode()) {
                        black_box(pdq::hash_scaled(&scaled));
                    }
                });
                let decoding = best(rounds, || drop(black_box(decode())));
                let hashing = best(rounds, || _ = black_box(pdq::hash_scaled(&scaled)));
                let second = best(rounds, || _ = black_box(pdq::hash_scaled_512(&scaled)));
                let entropy = best(rounds, || drop(black_box(jpeg::decode_scaled(&bytes, 1, false, limits))));
                println!(
                    "{name}\t{}\t{}\t{}\t{}x{}\t{all:.2}\t{decoding:.2}\t{hashing:.2}\t{second:.2}\t{entropy:.2}\t{:.0}%\t{}",
                    hashed.hash,
                    hashed.quality,
                    path.code(),
                    scaled.full_width,
                    scaled.full_height,
                    entropy / all * 100.0,
                    small.hash,
                );
            }
        }
    }
    std::process::ExitCode::SUCCESS
}
