//! Memory: the readers hold one record at a time, and damage does not change that. A second process runs under a limit
//! that the system keeps (`ulimit -d`, the size of all memory that it may write to); it ends where more is asked for.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use avocet_known::{Scheme, read_records};

use crate::support::{md5, pdq, sha1, sha256, skipped};

/// Set in the second process: the folder to work in.
const INSIDE: &str = "AVOCET_TEST_BOUNDED";
/// KiB. The readers' threads and buffers take less than half of it; a file of [`LENGTH`] does not fit.
const LIMIT: u64 = 32 << 10;
const LENGTH: u64 = 64 << 20;

/// Runs one test of this binary again under a limit of this many KiB; `None` where that cannot be done here.
fn again(test: &str, kib: u64, folder: &Path) -> Option<(bool, String)> {
    let this = std::env::current_exe().ok()?;
    let output = Command::new("sh")
        .args(["-c", &format!("ulimit -d {kib} && exec \"$0\" --exact {test} --nocapture --test-threads=1")])
        .arg(this)
        .env(INSIDE, folder)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.success(), text))
}

fn inside() -> Option<std::path::PathBuf> {
    std::env::var_os(INSIDE).map(Into::into)
}

/// In the second process: fills more memory than it may have.
#[test]
fn takes_too_much() {
    if inside().is_none() {
        return;
    }
    let full = vec![1u8; LENGTH as usize];
    assert!(std::hint::black_box(full).iter().all(|b| *b == 1));
}

/// One large file of each format, by the name it needs.
fn large(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let vics = |n: u64| {
        let (md5, sha1) = (md5(n), sha1(n));
        format!(
            "{{\"MediaID\":{n},\"MD5\":\"{md5}\",\"SHA1\":\"{sha1}\",\"MediaFiles\":[{{\"FileName\":\"{n}.jpg\"}}],\"Category\":1}}"
        )
    };
    let context = "{\"@odata.context\":\"x/DataModels/2.0.xml/US/$metadata#Media\",\"value\":[";
    let icse = "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Series name;Baseline\r\n";
    type Row<'a> = &'a dyn Fn(u64) -> String;
    let formats: [(&str, &str, Row<'_>, &str); 8] = [
        ("vics", context, &|n| vics(n) + ",\n", "null]}"),
        ("csv", "md5,sha1,size\n", &|n| format!("{},{},{n}\n", md5(n), sha1(n)), ""),
        ("quoted", "name,md5\n", &|n| format!("\"a, {n}\",{}\r\n", md5(n)), ""),
        ("icse", icse, &|n| format!("{};{};{};{n};Y;S;Yes\r\n", md5(n), sha1(n), "1E".repeat(144)), ""),
        ("list", "", &|n| format!("{}  {n}\n", md5(n)), ""),
        ("list.pdq", "", &|n| format!("{}\n", pdq(n)), ""),
        ("deep", "%%%% HASHDEEP-1.0\n%%%% size,md5,filename\n", &|n| format!("{n},{},/a,b\n", md5(n)), ""),
        (
            "delta",
            "BEGIN;\n",
            &|n| format!("INSERT INTO FILE VALUES ('{}','{}','{}','0','a',{n},1);\n", sha256(n), sha1(n), md5(n)),
            "COMMIT;",
        ),
    ];
    formats
        .into_iter()
        .map(|(name, head, row, tail)| {
            let block: String = (1..2000).map(row).collect();
            let times = LENGTH / block.len() as u64;
            let path = folder.join(name);
            let mut file = std::fs::File::create(&path).unwrap();
            file.write_all(head.as_bytes()).unwrap();
            (0..times).for_each(|_| file.write_all(block.as_bytes()).unwrap());
            file.write_all(tail.as_bytes()).unwrap();
            (path, times * 1999)
        })
        .collect()
}

/// In the second process: reads every format's large file.
#[test]
fn reads_large_files() {
    let Some(folder) = inside() else { return };
    let scheme = Scheme::find_builtin("alert").unwrap();
    for (path, records) in large(&folder) {
        let mut count = 0u64;
        let set = read_records(&path, &scheme, None, &mut |_| count += 1).unwrap();
        assert!(set.bytes > LENGTH - (2 << 20), "{}", set.bytes);
        assert_eq!(count, records, "{}", set.format);
        std::fs::remove_file(path).unwrap();
        println!("{}: {count} records, {} bytes", set.format, set.bytes);
    }
}

#[test]
fn a_large_file_takes_no_more_memory_than_a_small_one() {
    if inside().is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some((ended_well, said)) = again("bounded::takes_too_much", LIMIT, folder.path()) else {
        return skipped(2, "there is no shell to set a limit with");
    };
    if ended_well {
        return skipped(2, "the limit is not kept here");
    }
    assert!(said.contains("memory allocation"), "the limit bites, and nothing else: {said}");
    let (ended_well, said) = again("bounded::reads_large_files", LIMIT, folder.path()).unwrap();
    assert!(ended_well && said.matches("records,").count() == 8, "{said}");
}

/// The seeded damage again, all formats, with SQLite and compiling.
#[test]
fn damage_takes_no_more_memory_than_a_bound() {
    if inside().is_some() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some((ended_well, _)) = again("bounded::takes_too_much", LIMIT * 2, folder.path()) else {
        return skipped(1, "there is no shell to set a limit with");
    };
    if ended_well {
        return skipped(1, "the limit is not kept here");
    }
    let test = "hostile::damaged_files_end_in_an_error_or_in_counts_that_add_up";
    let (ended_well, said) = again(test, LIMIT * 2, folder.path()).unwrap();
    assert!(ended_well && said.contains("1 passed"), "{said}");
}
