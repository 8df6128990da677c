//! Measures compiling, opening and look-ups with generated records. Content is never hashed: digests are random bytes.
//!
//! `cargo run --release -p avocet-known --example measure -- COMMAND…`
//! - `generate FILE ROWS`: a CSV of MD5, SHA-1 and size
//! - `compile FILE OUT [MEMORY-MIB]`: rows a second, peak memory
//! - `lookup OUT ROWS LOOKUPS`: opening, absent digests, present digests
//! - `verify OUT`: reads everything
//! - `list FILE COUNT`: the absent MD5 digests that the first pass of `lookup` asks, one a line, for other programs
//! - `md5sum FILE ROWS`: the MD5 digests of the rows as `md5sum` writes them, for other programs
//! - `sqlite DB ROWS COUNT`: a table of the MD5 digests with an index, and the same absent digests asked of it
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

/// The seed of the absent digests of a pass: no two passes ask the same, so that none finds its pages and lines warm.
fn absent(pass: u64) -> u64 {
    (2 << 60) ^ (pass << 8)
}

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
        hex(&mut out, &digests(n, absent(1)).md5.0);
        out.push(b'\n');
    }
    std::fs::write(file, out).unwrap();
}

/// The digests of the rows, for a program that makes its own index of them.
fn md5sum(file: &Path, rows: u64) {
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(file).unwrap());
    let mut line = vec![];
    for n in 0..rows {
        hex(&mut line, &digests(n, PRESENT).md5.0);
        line.extend(format!("  {n}\n").bytes());
        out.write_all(&line).unwrap();
        line.clear();
    }
    out.flush().unwrap();
}

/// Asks so many digests, and prints how many a second that was; `ask` answers the hits.
fn timed(what: &str, lookups: u64, ask: impl FnOnce() -> u64) {
    let (started, before) = (Instant::now(), processor());
    let hits = ask();
    let (time, busy) = (started.elapsed().as_secs_f64(), processor() - before);
    println!(
        "{what}: {:.0} look-ups/s, {:.0} per processor second ({hits} hits of {lookups})",
        lookups as f64 / time,
        lookups as f64 / busy,
    );
}

/// SQLite at its best for this question: the digest is the table's own order, one prepared statement, a page cache that
/// holds everything.
fn sqlite(db: &Path, rows: u64, lookups: u64) {
    if !db.try_exists().unwrap() {
        let mut made = rusqlite::Connection::open(db).unwrap();
        made.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF").unwrap();
        made.execute_batch("CREATE TABLE known (md5 BLOB PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID").unwrap();
        let mut all: Vec<(Md5, u64)> = (0..rows).map(|n| (digests(n, PRESENT).md5, n)).collect();
        all.sort_unstable_by_key(|(md5, _)| md5.0);
        let change = made.transaction().unwrap();
        {
            let mut insert = change.prepare("INSERT INTO known VALUES (?1, ?2)").unwrap();
            for (md5, n) in all {
                insert.execute((md5.0.as_slice(), n.cast_signed())).unwrap();
            }
        }
        change.commit().unwrap();
    }
    let open = rusqlite::Connection::open(db).unwrap();
    open.execute_batch("PRAGMA cache_size = -2000000; PRAGMA mmap_size = 4000000000").unwrap();
    let mut ask = open.prepare("SELECT row FROM known WHERE md5 = ?1").unwrap();
    for pass in 1..=3 {
        let files: Vec<Md5> = (0..lookups).map(|n| digests(n, absent(pass)).md5).collect();
        timed(&format!("sqlite absent (pass {pass})"), lookups, || {
            files.iter().map(|md5| u64::from(black_box(ask.exists([md5.0.as_slice()])).unwrap())).sum()
        });
    }
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
    for pass in 1..=3 {
        let files: Vec<Digests> = (0..lookups).map(|n| digests(n, absent(pass))).collect();
        timed(&format!("absent (pass {pass})"), lookups, || {
            files.iter().map(|d| black_box(sets.lookup(black_box(d), 5)).unwrap().len() as u64).sum()
        });
    }
    for pass in 4..=6 {
        let files: Vec<(Digests, u64)> = (0..lookups).map(|n| (digests(n, absent(pass)), 5)).collect();
        timed(&format!("absent in windows of 4,096, as an examination asks (pass {pass})"), lookups, || {
            files.chunks(4096).map(|window| black_box(sets.lookup_many(black_box(window))).unwrap().len() as u64).sum()
        });
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
        ["md5sum", file, rows] => md5sum(Path::new(file), rows.parse().unwrap()),
        ["sqlite", db, rows, count] => sqlite(Path::new(db), rows.parse().unwrap(), count.parse().unwrap()),
        ["verify", out] => {
            let started = Instant::now();
            SetFile::open(Path::new(out)).unwrap().verify().unwrap();
            println!("verify: everything holds, {:.2} s", started.elapsed().as_secs_f64());
        }
        _ => panic!("usage: see the first lines of this file"),
    }
}
