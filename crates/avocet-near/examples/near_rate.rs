//! Measures the near index on hashes from a file, and writes its answers for a comparison with another program.
//!
//! usage: near_rate HASHES QUERIES ANSWERS [RADIUS [auto|scan|BANDS [plain|avx2|avx512]]]
//! HASHES and QUERIES hold 32 bytes a hash; ANSWERS gets three little-endian u32 each: query, item, distance.
//! One line of JSON goes to standard output.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a measuring program")]

use std::io::{BufWriter, Write};
use std::time::Instant;

use avocet_base::PdqHash;
use avocet_near::group::{Item, near_groups};
use avocet_near::{Index, Kernel, Layout, MAX_RADIUS, Settings};

fn read(path: &str) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if bytes.len() % 32 == 0 { Ok(bytes) } else { Err(std::io::Error::other("not a whole number of hashes")) }
}

fn hashes(bytes: &[u8]) -> impl Iterator<Item = PdqHash> {
    bytes.as_chunks::<32>().0.iter().map(|c| PdqHash(*c))
}

/// Resident memory of this process in bytes, from /proc.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |i: usize| arguments.get(i).map(String::as_str);
    let (Some(stored), Some(asked), Some(answers)) = (argument(0), argument(1), argument(2)) else {
        return Err("usage: near_rate HASHES QUERIES ANSWERS [RADIUS [auto|scan|BANDS [plain|avx2|avx512]]]".into());
    };
    let radius: u32 = argument(3).map_or(Ok(MAX_RADIUS), str::parse)?;
    let layout = match argument(4) {
        None | Some("auto") => Layout::Auto,
        Some("scan") => Layout::Scan,
        Some(bands) => Layout::Bands(bands.parse()?),
    };
    let kernel = match argument(5) {
        None => None,
        Some("plain") => Some(Kernel::Plain),
        Some("avx2") => Some(Kernel::Avx2),
        Some(_) => Some(Kernel::Avx512),
    };
    let queries: Vec<PdqHash> = hashes(&read(asked)?).collect();
    if answers == "group" {
        let items: Vec<Item> = hashes(&read(stored)?).map(|hash| Item { hash, quality: 100 }).collect();
        let start = Instant::now();
        let found = near_groups(&items, radius)?;
        let seconds = start.elapsed().as_secs_f64();
        let members: usize = found.groups.iter().map(|g| g.members.len()).sum();
        println!(
            "{} items, radius {radius}: {} groups, {members} members, {seconds:.2} s",
            items.len(),
            found.groups.len()
        );
        return Ok(());
    }
    let bytes = read(stored)?;
    let before = resident();
    let start = Instant::now();
    let index = Index::build(hashes(&bytes), Settings { layout, radius, kernel, ..Settings::default() })?;
    let build = start.elapsed().as_secs_f64();
    let grown = resident().saturating_sub(before);

    let mut found = Vec::new();
    let mut times = Vec::with_capacity(queries.len());
    let mut out = BufWriter::new(std::fs::File::create(answers)?);
    // One pass to bring the tables' pages in, as a running program has them.
    for query in &queries {
        index.within(query, radius, &mut found);
    }
    for (number, query) in queries.iter().enumerate() {
        let start = Instant::now();
        index.within(query, radius, &mut found);
        times.push(start.elapsed().as_nanos() as u64);
        for neighbour in &found {
            for value in [number as u32, neighbour.item, neighbour.distance] {
                out.write_all(&value.to_le_bytes())?;
            }
        }
    }
    out.flush()?;
    let start = Instant::now();
    let many: usize = index.within_many(&queries, radius).iter().map(Vec::len).sum();
    let batch = start.elapsed().as_nanos() as u64 / (queries.len() as u64).max(1);
    times.sort_unstable();
    let share = |part: usize| times.get(times.len() * part / 100).copied().unwrap_or(0);
    let mean = times.iter().sum::<u64>() / (times.len() as u64).max(1);
    println!(
        "{{\"hashes\":{},\"bands\":{},\"build_s\":{build:.2},\"bytes\":{},\"resident_bytes\":{grown},\"bytes_per_hash\":{:.1},\
         \"queries\":{},\"mean_ns\":{mean},\"median_ns\":{},\"p99_ns\":{},\"many_ns\":{batch},\"neighbours\":{many}}}",
        index.len(),
        index.bands(),
        index.bytes(),
        index.bytes() as f64 / (index.len() as f64).max(1.0),
        queries.len(),
        share(50),
        share(99),
    );
    Ok(())
}
