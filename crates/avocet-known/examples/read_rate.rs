//! Measures reading alone, with generated records: `cargo run --release -p avocet-known --example read_rate -- [RECORDS [PART-OF-NAME]]`.
//! Every record is handed over and counted, none is kept; the SHA-256 of the file is taken in the same run. The page
//! cache is warm, as the files have just been written. A whole import, reading and compiling, follows for a hash set in
//! JSON and for a table, each with the peak memory of the process so far.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measuring program for people")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use avocet_base::{Md5, Sha1, Sha256};
use avocet_known::{CompileJob, Field, Scheme, compile, read_records};

const SEED: u64 = 1;

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
}

/// Writes `records` rows with a head and a tail.
fn write(path: &Path, records: u64, head: &str, tail: &str, row: impl Fn(&mut String, u64, &mut Random)) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    let mut random = Random(SEED);
    let mut text = head.to_owned();
    for n in 0..records {
        row(&mut text, n, &mut random);
        if text.len() > 1 << 16 {
            file.write_all(text.as_bytes()).unwrap();
            text.clear();
        }
    }
    text.push_str(tail);
    file.write_all(text.as_bytes()).unwrap();
    file.flush().unwrap();
}

/// A whole import into a file that is thrown away.
fn import(path: &Path, scheme: &str, records: u64) {
    let scheme = Scheme::find_builtin(scheme).unwrap();
    let out = path.with_extension("avset");
    let paths = [path.to_owned()];
    let mut rates: Vec<f64> = (0..3)
        .map(|_| {
            let started = Instant::now();
            let info = compile(&CompileJob::new("x", &paths, &scheme), &out, &mut |_| {}).unwrap();
            let seconds = started.elapsed().as_secs_f64();
            assert_eq!(info.records_read, records);
            std::fs::remove_file(&out).unwrap();
            records as f64 / seconds
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("not known here").trim();
    println!(
        "  read and compiled: {:.0} records/s (median of 3; {:.0} to {:.0}), peak memory {peak}",
        rates[1], rates[0], rates[2]
    );
}

/// The same rows in a database.
fn database(path: &Path, records: u64) {
    let conn = rusqlite::Connection::open(path).unwrap();
    conn.execute_batch(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN; CREATE TABLE FILE (sha256 VARCHAR NOT NULL, \
         sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR NOT NULL, file_name VARCHAR NOT NULL, \
         file_size INTEGER NOT NULL, package_id INTEGER NOT NULL);",
    )
    .unwrap();
    let mut insert = conn.prepare("INSERT INTO FILE VALUES (?,?,?,'00000000',?,?,?)").unwrap();
    let mut random = Random(SEED);
    for n in 0..i64::try_from(records).unwrap() {
        let (sha256, sha1, md5) = (Sha256(random.bytes()), Sha1(random.bytes()), Md5(random.bytes()));
        let row = (sha256.to_string(), sha1.to_string(), md5.to_string(), format!("name {n}.dll"), n, n % 999);
        insert.execute(row).unwrap();
    }
    drop(insert);
    conn.execute_batch("COMMIT").unwrap();
}

fn measure(path: &PathBuf, records: u64) {
    let scheme = Scheme::find_builtin("alert").unwrap();
    let mut rates: Vec<f64> = (0..3)
        .map(|_| {
            let (mut usable, mut kept) = (0u64, 0u64);
            let started = Instant::now();
            let set = read_records(path, &scheme, None, &mut |record| {
                usable += u64::from(matches!((record.sha1, record.pdq), (Field::Is(_), _) | (_, Field::Is(_))));
                kept += record.extra.len() as u64;
            })
            .unwrap();
            let seconds = started.elapsed().as_secs_f64();
            assert_eq!((usable, set.records_read), (records, records));
            std::hint::black_box(kept);
            records as f64 / seconds
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let bytes = std::fs::metadata(path).unwrap().len();
    let name = path.file_name().unwrap().to_string_lossy();
    println!(
        "{name:20} {:10.0} records/s (median of 3; {:.0} to {:.0}), {:5.0} MB/s, {} bytes/record",
        rates[1],
        rates[0],
        rates[2],
        rates[1] * bytes as f64 / records as f64 / 1e6,
        bytes / records
    );
}

fn main() {
    let records: u64 = std::env::args().nth(1).map_or(1_000_000, |n| n.parse().unwrap());
    let folder = std::env::temp_dir().join(format!("avocet-known-read-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    println!("{records} records of each kind, seed {SEED}");
    let context = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media";
    let mut files = vec![];
    let mut file = |name: &str| {
        files.push(folder.join(name));
        folder.join(name)
    };
    write(
        &file("vics-2.0.json"),
        records,
        &format!("{{\"@odata.context\":\"{context}\",\"value\":["),
        "]}",
        |t, n, r| {
            let (md5, sha1) = (Md5(r.bytes()), Sha1(r.bytes()));
            let comma = if n == 0 { "" } else { "," };
            write!(
                t,
                "{comma}{{\"MediaID\":{n},\"Category\":{},\"MD5\":\"{md5}\",\"SHA1\":\"{sha1}\",\"MediaSize\":{},\
             \"DateUpdated\":\"2023-06-07T02:31:49.8300Z\",\"IsPrecategorized\":\"true\"}}",
                n % 6,
                1 + n % 1_000_000
            )
            .unwrap();
        },
    );
    write(
        &file("vics-2.0-case.json"),
        records / 4,
        &format!(
            "{{\"@odata.context\":\"{}\",\"value\":[{{\"CaseID\":\"{{1}}\",\"Media\":[",
            context.replace("#Media", "#Cases")
        ),
        "]}]}",
        |t, n, r| {
            let (md5, sha1) = (Md5(r.bytes()), Sha1(r.bytes()));
            let comma = if n == 0 { "" } else { "," };
            write!(
            t,
            "{comma}{{\"MediaID\":{n},\"Category\":{},\"MD5\":\"{md5}\",\"SHA1\":\"{sha1}\",\"MediaSize\":\"{}\",\"MimeType\":\"image/jpeg\",\
             \"RelativeFilePath\":\"Files\\\\{n}.jpg\",\"MediaFiles\":[{{\"MD5\":\"{md5}\",\"FileName\":\"{n}.jpg\",\"FilePath\":\"\\\\DCIM\\\\\",\
             \"Created\":\"2024-04-01T07:30:00.000Z\",\"SourceID\":\"EXHIBIT-1\",\"PhysicalLocation\":{n}}}],\"MediaMetadata\":[{{\"PropertyName\":\"Make\",\
             \"PropertyValue\":\"TestCam\"}}],\"AlternativeHashes\":[{{\"HashName\":\"SHA256\",\"HashValue\":\"{}\"}}],\"Exifs\":[]}}",
            n % 6,
            1 + n % 1_000_000,
            Sha256(r.bytes())
        )
        .unwrap();
        },
    );
    write(&file("md5-sha1-size.csv"), records, "md5,sha1,size\n", "", |t, n, r| {
        let (md5, sha1) = (Md5(r.bytes()), Sha1(r.bytes()));
        writeln!(t, "{md5},{sha1},{}", 1 + n % 1_000_000).unwrap();
    });
    write(&file("quoted-named.csv"), records, "\"sha1\",\"md5\",\"name\",\"size\"\r\n", "", |t, n, r| {
        let (md5, sha1) = (Md5(r.bytes()), Sha1(r.bytes()));
        write!(t, "\"{sha1}\",\"{md5}\",\"name, {n}.dll\",{n}\r\n").unwrap();
    });
    write(&file("sha1.txt"), records, "", "", |t, _, r| writeln!(t, "{}", Sha1(r.bytes())).unwrap());
    write(&file("list.pdq"), records, "", "", |t, _, r| writeln!(t, "{}", Sha256(r.bytes())).unwrap());
    let rows = |t: &mut String, n: u64, r: &mut Random| {
        let (sha256, sha1, md5) = (Sha256(r.bytes()), Sha1(r.bytes()), Md5(r.bytes()));
        writeln!(t, "INSERT INTO FILE VALUES ('{sha256}','{sha1}','{md5}','00000000','name {n}.dll',{n},{});", n % 999)
            .unwrap();
    };
    write(&file("delta.sql"), records, "BEGIN;\n", "COMMIT;\n", rows);
    let path = file("rds.db");
    database(&path, records);
    let only = std::env::args().nth(2).unwrap_or_default();
    for path in files.iter().filter(|p| p.to_string_lossy().contains(&only)) {
        let of = if path.ends_with("vics-2.0-case.json") { records / 4 } else { records };
        measure(path, of);
        match path.file_name().and_then(|n| n.to_str()) {
            Some("vics-2.0.json") => import(path, "us-vics-2.0", of),
            Some("md5-sha1-size.csv") => import(path, "known-good", of),
            _ => {}
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
