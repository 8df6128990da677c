//! Measures loading, memory and look-ups with generated records:
//! `cargo run --release -p avocet-known --example measure -- [RECORDS]`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program for people")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use avocet_base::{Digests, Md5, Sha1, Sha256};
use avocet_known::{KnownSets, KnownSpec};

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
        std::array::from_fn(|_| self.next() as u8)
    }

    fn digests(&mut self) -> Digests {
        Digests { md5: Md5(self.bytes()), sha1: Sha1(self.bytes()), sha256: Sha256(self.bytes()) }
    }
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn main() {
    let records: u64 = std::env::args().nth(1).map_or(1_000_000, |n| n.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("avocet-known-measure-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (csv, json) = (folder.join("set.csv"), folder.join("set.json"));
    {
        let mut random = Random(1);
        let mut rows = "md5,sha1,size\n".to_owned();
        let mut media = r#"{"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media","value":["#.to_owned();
        for i in 0..records {
            let d = random.digests();
            let size = 1 + i % 1_000_000;
            writeln!(rows, "{},{},{size}", d.md5, d.sha1).unwrap();
            let comma = if i == 0 { "" } else { "," };
            write!(media, r#"{comma}{{"MediaID":{i},"Category":{},"MD5":"{}","SHA1":"{}","MediaSize":"{size}","DateUpdated":"2023-06-07T02:31:49.8300Z","IsPrecategorized":"true","VictimIdentified":"false"}}"#, i % 6, d.md5, d.sha1).unwrap();
        }
        media += "]}";
        std::fs::write(&csv, rows).unwrap();
        std::fs::write(&json, media).unwrap();
    }
    for (path, scheme) in [(&csv, "known-good"), (&json, "us-vics-2.0")] {
        let spec = KnownSpec::parse(&format!("{}={scheme}", path.display())).unwrap();
        let before = resident();
        let started = Instant::now();
        let sets = KnownSets::load(&[spec], &mut |_| {}).unwrap();
        let load = started.elapsed().as_secs_f64();
        println!(
            "{}: {records} records in {load:.2} s = {:.0} records/s; table {:.1} bytes/record, resident +{:.1} bytes/record",
            sets.sets()[0].format,
            records as f64 / load,
            sets.memory() as f64 / records as f64,
            resident().saturating_sub(before) as f64 / records as f64,
        );
        let absent: Vec<Digests> = {
            let mut random = Random(2);
            (0..1_000_000).map(|_| random.digests()).collect()
        };
        let started = Instant::now();
        let hits: usize = absent.iter().map(|d| black_box(sets.lookup(d, 5)).len()).sum();
        let time = started.elapsed().as_secs_f64();
        println!("  absent: {:.0} look-ups/s (hits {hits})", absent.len() as f64 / time);
        let present: Vec<Digests> = {
            let mut random = Random(1);
            (0..records.min(1_000_000)).map(|_| random.digests()).collect()
        };
        let started = Instant::now();
        let hits: usize = present.iter().map(|d| black_box(sets.lookup(d, 5)).len()).sum();
        let time = started.elapsed().as_secs_f64();
        println!("  present: {:.0} look-ups/s (hits {hits} of {})", present.len() as f64 / time, present.len());
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
