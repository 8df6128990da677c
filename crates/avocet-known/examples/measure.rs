//! Measures compiling, opening and look-ups with generated records. Content is never hashed: digests are random bytes.
//!
//! `cargo run --release -p avocet-known --example measure -- COMMAND…`
//! - `generate FILE ROWS`: a CSV of MD5, SHA-1 and size
//! - `compile FILE OUT [MEMORY-MIB]`: rows a second, peak memory
//! - `lookup OUT ROWS LOOKUPS`: opening, absent digests, present digests
//! - `verify OUT`: reads everything
//! - `list FILE COUNT`: absent MD5 digests, one a line, for other programs
#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a measuring program for people")]

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use avocet_base::{Digests, Md5, Sha1, Sha256};
use avocet_known::{CompileJob, KnownSets, Scheme, SetFile, Stage, compile};

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(8) {
            let value = self.next().to_le_bytes();
            chunk.copy_from_slice(value.get(..chunk.len()).unwrap());
        }
        out
    }
}

/// Record or absent file number `n`.
fn digests(n: u64, seed: u64) -> Digests {
    let mut random = Random(n.wrapping_mul(0xd134_2543_de82_ef95) ^ seed);
    Digests { md5: Md5(random.bytes()), sha1: Sha1(random.bytes()), sha256: Sha256(random.bytes()) }
}

const PRESENT: u64 = 1;
const ABSENT: u64 = 2 << 60;

fn hex(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |n: u8| DIGITS.get(usize::from(n)).copied().unwrap();
    bytes.iter().for_each(|b| out.extend([digit(b >> 4), digit(b & 15)]));
}

fn generate(file: &Path, rows: u64) {
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(file).unwrap());
    let mut line = b"md5,sha1,size\n".to_vec();
    for n in 0..rows {
        let d = digests(n, PRESENT);
        hex(&mut line, &d.md5.0);
        line.push(b',');
        hex(&mut line, &d.sha1.0);
        line.extend(format!(",{}\n", size(n)).bytes());
        out.write_all(&line).unwrap();
        line.clear();
    }
    out.flush().unwrap();
}

fn size(n: u64) -> u64 {
    1 + n.wrapping_mul(7919) % 50_000_000
}

fn list(file: &Path, count: u64) {
    let mut out = vec![];
    for n in 0..count {
        hex(&mut out, &digests(n, ABSENT).md5.0);
        out.push(b'\n');
    }
    std::fs::write(file, out).unwrap();
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with(key)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// Processor seconds of this process and all its threads.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = stat.split_whitespace().skip(13).take(2).map(|n| n.parse::<f64>().unwrap()).sum::<f64>();
    ticks / 100.0
}

fn compile_file(file: &Path, out: &Path, memory: Option<usize>) {
    let _ = std::fs::remove_file(out);
    let scheme = Scheme::find_builtin("known-good").unwrap();
    let paths = [file.to_owned()];
    let mut job = CompileJob::new("generated", &paths, &scheme);
    job.memory = memory.map_or(job.memory, |mib| mib << 20);
    let started = Instant::now();
    let mut marks: Vec<(Stage, f64, f64)> = vec![];
    let info = compile(&job, out, &mut |p| {
        if p.done {
            marks.push((p.stage, started.elapsed().as_secs_f64(), processor()));
        }
    })
    .unwrap();
    let time = started.elapsed().as_secs_f64();
    let length = std::fs::metadata(out).unwrap().len();
    println!(
        "compile: {} rows in {time:.2} s = {:.0} rows/s; file {length} bytes = {:.1} a row; peak memory {} MiB; seconds and processor seconds at the end of each stage: {marks:.2?}",
        info.records_read,
        info.records_read as f64 / time,
        length as f64 / info.rows as f64,
        status("VmHWM:"),
    );
}

fn lookup(out: &Path, rows: u64, lookups: u64) {
    let started = Instant::now();
    let file = SetFile::open(out).unwrap();
    let open = started.elapsed().as_secs_f64() * 1000.0;
    let mut sets = KnownSets::default();
    sets.push(file);
    println!("open: {open:.2} ms; resident {} MiB", status("VmRSS:"));
    for round in ["first", "second", "third"] {
        let seed = ABSENT ^ round.len() as u64;
        let files: Vec<Digests> = (0..lookups).map(|n| digests(n, seed)).collect();
        let started = Instant::now();
        let before = processor();
        let mut hits = 0;
        for d in &files {
            hits += black_box(sets.lookup(black_box(d), 5)).unwrap().len();
        }
        let time = started.elapsed().as_secs_f64();
        println!(
            "absent ({round} pass): {:.0} look-ups/s, {:.0} per processor second ({hits} hits of {lookups})",
            lookups as f64 / time,
            lookups as f64 / (processor() - before),
        );
    }
    let count = lookups.min(rows);
    let files: Vec<(Digests, u64)> =
        (0..count).map(|n| n.wrapping_mul(0x9e37_79b1) % rows).map(|n| (digests(n, PRESENT), size(n))).collect();
    let started = Instant::now();
    let hits: usize = files.iter().map(|(d, size)| black_box(sets.lookup(d, *size)).unwrap().len()).sum();
    let time = started.elapsed().as_secs_f64();
    println!("present: {:.0} look-ups/s ({hits} hits of {count})", count as f64 / time);
    println!("resident {} MiB", status("VmRSS:"));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["generate", file, rows] => generate(Path::new(file), rows.parse().unwrap()),
        ["compile", file, out] => compile_file(Path::new(file), Path::new(out), None),
        ["compile", file, out, mib] => compile_file(Path::new(file), Path::new(out), Some(mib.parse().unwrap())),
        ["lookup", out, rows, lookups] => lookup(Path::new(out), rows.parse().unwrap(), lookups.parse().unwrap()),
        ["list", file, count] => list(Path::new(file), count.parse().unwrap()),
        ["verify", out] => {
            let started = Instant::now();
            SetFile::open(Path::new(out)).unwrap().verify().unwrap();
            println!("verify: everything holds, {:.2} s", started.elapsed().as_secs_f64());
        }
        _ => panic!("usage: see the first lines of this file"),
    }
}
