//! Writes, seals, reads, summarises and verifies an examination of many files, and says how long each took.
//!
//! `cargo run --release -p avocet-examination --example million -- FILES FOLDER`; peak memory is the high-water mark that
//! the kernel keeps (Linux).
#![allow(clippy::print_stdout, reason = "an example says what it measured")]

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use avocet_base::{Md5, Sha1, Sha256};
use avocet_examination::{
    Examination, ExtentRow, FileFilter, FileRow, KnownSetRow, MatchRow, ReadError, VolumeRow, Writer, verify,
};

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Processor seconds of this process so far, its own and the kernel's for it (fields 14 and 15 of `/proc/self/stat`, in
/// hundredths). On a machine that does other things too, they say more than the clock.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn digest<const N: usize>(id: i64, salt: u8) -> [u8; N] {
    // Spread like a digest, so that the index is built from unordered values.
    let mut state = id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(salt);
    std::array::from_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, files, folder] = arguments.as_slice() else { return Err("give FILES and FOLDER".into()) };
    let files: i64 = files.parse()?;
    let path = Path::new(folder).join("million.examination");

    let mut start = (Instant::now(), processor_seconds());
    let mut step = |what: &str| {
        let (clock, processor) = (start.0.elapsed().as_secs_f64(), processor_seconds() - start.1);
        println!("{what:<14} {clock:6.2} s, processor {processor:6.2} s, peak so far {} MiB", peak_mib());
        start = (Instant::now(), processor_seconds());
    };
    let mut writer = Writer::create(&path)?;
    writer.known_set(&KnownSetRow { id: 1, name: "set".into(), ..KnownSetRow::default() })?;
    writer.volume(&VolumeRow { id: 1, label: "gpt:1".into(), status: "read".into(), ..VolumeRow::default() })?;
    for id in 1..=files {
        let time = Some(1_700_000_000_000_000_000 + id * 1_000_000_007);
        let row = FileRow {
            id,
            volume: 1,
            path: format!("/Users/someone/Pictures/album {}/picture-{id}.jpg", id / 200),
            kind: "file".into(),
            state: if id % 50 == 0 { "deleted" } else { "allocated" }.into(),
            number: id.cast_unsigned(),
            size: id.cast_unsigned() * 4099 % 5_000_000,
            created: time,
            modified: time,
            accessed: time,
            changed: time,
            name_created: time,
            name_modified: time,
            name_accessed: time,
            name_changed: time,
            zone: "utc".into(),
            md5: Some(Md5(digest(id, 1))),
            sha1: Some(Sha1(digest(id, 2))),
            sha256: Some(Sha256(digest(id, 3))),
            media: (id % 3 == 0).then(|| "picture".into()),
            format: (id % 3 == 0).then(|| "jpeg".into()),
            ..FileRow::default()
        };
        writer.file(&row, &[ExtentRow { logical: 0, length: row.size, start: Some(row.number << 20) }])?;
        if id % 10 == 0 {
            writer.hit(&MatchRow {
                file_id: id,
                set_id: 1,
                record: id.to_string(),
                basis: "sha256".into(),
                category: Some("1".into()),
                alerts: id % 1000 == 0,
                ..MatchRow::default()
            })?;
        }
    }
    step("write rows");
    let sealed = writer.seal(None)?;
    step("seal");

    let examination = Examination::open(&path)?;
    let mut count = 0;
    examination.files(&FileFilter { matched: true, ..FileFilter::default() }, &mut |_| {
        count += 1;
        Ok::<_, ReadError>(ControlFlow::Continue(()))
    })?;
    step("list matched");
    let summary = examination.summary()?;
    step("summary");
    let verification = verify(&path, Some(sealed.result_digest), None)?;
    step("verify");
    println!(
        "{count} matched, {} alerting, {} bytes, passed {}, result digest {}",
        summary.alerting_files,
        std::fs::metadata(&path)?.len(),
        verification.passed(),
        sealed.result_digest
    );
    Ok(())
}
