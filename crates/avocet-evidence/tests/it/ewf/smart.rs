//! SMART (`.s01`) and the first layout of EnCase, as libewf writes them: chunks behind the tables that place them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use avocet_evidence::Source;
use avocet_evidence::container;
use avocet_evidence::container::ewf::Ewf;

use super::{Random, media, memory, read_all, streamed};
use crate::support::{images, skipped};

/// Images a medium with libewf; `None` where it is not there.
fn acquire(folder: &Path, format: &str, how: &[&str]) -> Option<()> {
    let mut command = Command::new("ewfacquire");
    command.args(["-q", "-u", "-f", format, "-t", "x", "-b", "64", "-l", "/dev/null", "-d", "sha1"]);
    command.args(how).arg("medium.raw").current_dir(folder).stdin(Stdio::null());
    let out = command.output().ok()?;
    assert!(out.status.success(), "{format} {how:?}: {}", String::from_utf8_lossy(&out.stderr));
    Some(())
}

#[test]
fn smart_images_give_the_bytes_of_their_medium() {
    let folder = tempfile::tempdir().unwrap();
    let medium = media(5 * 1024 * 1024 + 7 * 512);
    std::fs::write(folder.path().join("medium.raw"), &medium).unwrap();
    for (format, how, first, segments, named) in [
        ("smart", &["-c", "deflate:fast"][..], "x.s01", 1, "EWF-S01 (SMART)"),
        ("smart", &["-c", "deflate:best", "-S", "1MiB"], "x.s01", 3, "EWF-S01 (SMART)"),
        ("encase1", &["-c", "none"], "x.E01", 1, "EWF-E01 as of FTK Imager and EnCase 2 and 3"),
        ("encase1", &["-c", "deflate:fast", "-S", "1MiB"], "x.E01", 3, "EWF-E01 as of FTK Imager and EnCase 2 and 3"),
    ] {
        for file in std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()) {
            if file.file_name().unwrap() != "medium.raw" {
                std::fs::remove_file(file).unwrap();
            }
        }
        if acquire(folder.path(), format, how).is_none() {
            return skipped(4, "no ewfacquire");
        }
        let opened = container::open(&folder.path().join(first)).unwrap();
        let ewf = opened.ewf.as_ref().unwrap();
        let what = format!("{format} {how:?}");
        assert_eq!((opened.kind, opened.problems.len()), ("ewf", 0), "{what}: {:?}", opened.problems);
        assert!(opened.segments.len() >= segments, "{what}: {}", opened.segments.len());
        assert_eq!((ewf.facts().format, ewf.len()), (named, medium.len() as u64), "{what}");
        assert!(streamed(ewf, 2).unwrap() == medium && read_all(&**ewf, 70_000).unwrap() == medium, "{what}");
        assert!(ewf.facts().stored_md5.is_some(), "{what}");
        // A flipped bit in a chunk is noticed by its own sum and costs that chunk.
        let path = folder.path().join(first);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 8;
        std::fs::write(&path, bytes).unwrap();
        let damage = container::open(&path).unwrap().check(2);
        assert_eq!(damage.iter().map(|d| d.run.length).collect::<Vec<_>>(), [64 * 512], "{what}");
    }
    match images() {
        Some(images) => {
            let smart = container::open(&images.join("gpt_smart.s01")).unwrap();
            let raw = container::open(&images.join("gpt.dd")).unwrap();
            assert!(read_all(&*smart.source, 1 << 20).unwrap() == read_all(&*raw.source, 1 << 20).unwrap());
        }
        None => skipped(1, "no AVOCET_IMAGES"),
    }
}

/// 200 damaged images: no panic, no hang, and never other bytes where a read succeeds in a chunk that has a sum.
#[test]
fn damaged_smart_images_cost_at_most_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let medium = media(300 * 1024);
    std::fs::write(folder.path().join("medium.raw"), &medium).unwrap();
    if acquire(folder.path(), "smart", &["-c", "deflate:fast"]).is_none() {
        return skipped(200, "no ewfacquire");
    }
    let base = std::fs::read(folder.path().join("x.s01")).unwrap();
    let (mut refused, mut noticed, mut equal) = (0, 0, 0);
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut bytes = base.clone();
        for _ in 0..[1, 4, 16][(seed % 3) as usize] {
            let within = if seed % 2 == 0 { 600.min(bytes.len()) } else { bytes.len() };
            let at = random.below(within);
            bytes[at] = random.next() as u8;
        }
        if seed % 10 == 9 {
            bytes.truncate(random.below(base.len()));
        }
        let begun = Instant::now();
        match Ewf::from_sources(memory(&[bytes])) {
            Ok(ewf) if ewf.len() <= 1 << 30 => match streamed(&ewf, 2) {
                Ok(out) if out == medium => equal += 1,
                Ok(_) => noticed += u32::from(!ewf.problems().is_empty() || ewf.len() != medium.len() as u64),
                Err(_) => noticed += 1,
            },
            Ok(_) => noticed += 1,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                refused += 1;
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(5), "{seed}: {:?}", begun.elapsed());
    }
    println!("{refused} refused, {noticed} noticed, {equal} equal, of 200");
    assert!(refused > 20 && noticed > 50 && refused + noticed + equal > 190, "{refused} {noticed} {equal}");
}
