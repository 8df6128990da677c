//! An examination that is killed at any moment, interrupted, or out of space is finished by `--resume`, with the result
//! digest of one that nobody disturbed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::device::zip_of_all;
use super::media::bmp;
use super::support::Place;

/// At how many moments the examination is killed; the long proofs take 50.
const POINTS: &str = "AVOCET_TEST_RESUME_POINTS";

/// A folder with pictures, copies of pictures, pictures that no decoder takes, texts, and a file larger than a task.
pub fn evidence(place: &Place) {
    let folder = place.path("e");
    for n in 0..14u32 {
        let sub = folder.join(format!("album {}", n % 3));
        std::fs::create_dir_all(&sub).unwrap();
        // Of each seed several: which of them is described first must not matter.
        std::fs::write(sub.join(format!("p{n}.bmp")), bmp(480, 320, n % 9, 0)).unwrap();
        std::fs::write(sub.join(format!("t{n}.txt")), format!("text {n}")).unwrap();
        std::fs::write(sub.join(format!("cut{n}.jpg")), b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0")
            .unwrap();
    }
    let large: Vec<u8> = (0..(17u32 << 20)).map(|i| (i >> 3) as u8).collect();
    std::fs::write(folder.join("large.bin"), large).unwrap();
}

pub fn examine(place: &Place, evidence: &str, out: &str, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_avocet"))
        .args(["--threads", "2", "--quiet", "examine", evidence, "--exhibit", "JC/1", "--out", out])
        .args(more)
        .current_dir(place.dir.path())
        .env("AVOCET_STORE", place.path("store"))
        .env_remove("AVOCET_KNOWN")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

pub fn digest(place: &Place, examination: &str) -> serde_json::Value {
    let summary = place.run(["summary", examination, "--json"]);
    serde_json::from_str::<serde_json::Value>(&summary.out).unwrap()["result_digest"].clone()
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// Ends the process at the moment that `now` says, or finds that it has ended.
pub fn kill_when(child: &mut Child, mut now: impl FnMut() -> bool) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        if now() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// How often an examination is killed where the run does not say it.
fn points(unless_told: u64) -> u64 {
    std::env::var(POINTS).ok().and_then(|n| n.parse().ok()).unwrap_or(unless_told)
}

/// An examination that nobody disturbed.
struct Whole {
    name: &'static str,
    digest: serde_json::Value,
    took: Duration,
    /// How many small pictures it makes; `None` where none.
    small: Option<usize>,
}

fn whole(place: &Place, name: &'static str, small: Option<usize>) -> Whole {
    let (began, out) = (Instant::now(), format!("{name}.whole"));
    assert_eq!(examine(place, name, &out, &[]).wait().unwrap().code(), Some(4), "{name}");
    Whole { name, digest: digest(place, &out), took: began.elapsed(), small }
}

/// Kills examinations at seeded points and finishes them; `choose` says which one by the number of the point.
fn killed_and_finished(place: &Place, all: &[Whole], points: u64, seed: u64, choose: impl Fn(u64) -> usize) {
    let (mut state, mut killed, mut resumed, mut at_length) = (seed, 0, 0, 0);
    for point in 0..points {
        let Whole { name, digest: expected, took, small } = &all[choose(point)];
        let out = format!("x{point}");
        let (result, journal) = (place.path(&out), place.path(&format!("{out}.journal")));
        // Killed once or twice, then finished.
        let mut runs = 0;
        loop {
            let resume: &[&str] = if runs > 0 { &["--resume"] } else { &[] };
            let mut child = examine(place, name, &out, resume);
            if runs > next(&mut state) % 2 + u64::from(killed == 0 && runs == 0) {
                let code = child.wait().unwrap().code();
                if result.try_exists().unwrap() {
                    // Killed between the seal and the removal of the journal, it had finished: code 2.
                    assert!(matches!(code, Some(2 | 4)), "point {point}: {code:?}");
                    break;
                }
                panic!("point {point}: not finished, {code:?}");
            }
            runs += 1;
            let ended = if point % 2 == 0 {
                let wait = took.mul_f64((next(&mut state) % 1000) as f64 / 900.0);
                let began = Instant::now();
                kill_when(&mut child, || began.elapsed() >= wait)
            } else {
                // By what the journal has reached: a place in the work, however fast the machine is.
                let length = next(&mut state) % 60_000;
                let there = |min| journal.metadata().is_ok_and(|m| m.len() > min);
                let ended = kill_when(&mut child, || there(length));
                at_length += u32::from(ended);
                ended
            };
            killed += u64::from(ended);
            if !ended && result.try_exists().unwrap() {
                break;
            }
            resumed += u32::from(journal.try_exists().unwrap());
        }
        assert_eq!(&digest(place, &out), expected, "{name}, point {point}");
        assert_eq!(place.run(["verify", &out]).code, 0, "{name}, point {point}");
        assert!(!journal.try_exists().unwrap(), "{name}, point {point}: the journal stays");
        let names = place.names();
        assert!(!names.iter().any(|n| n.starts_with(&out) && n.ends_with("partial")), "point {point}: {names:?}");
        if let Some(small) = small {
            let checked = place.run(["media", "verify", &out]);
            let opened = format!("{small} small pictures open");
            assert!(checked.out.starts_with(&opened), "{name}, point {point}: {}{}", checked.out, checked.err);
        }
        for path in [result, journal] {
            let _ = std::fs::remove_file(path);
        }
    }
    println!(
        "killed {killed} times at {points} points ({at_length} by the journal's length), resumed {resumed} journals"
    );
    assert!(killed >= points / 2 && resumed > 0, "killed {killed} of {points}, resumed {resumed}");
}

#[test]
fn an_examination_killed_at_seeded_points_finishes_with_the_same_digest() {
    let place = Place::new();
    evidence(&place);
    // As a raw image too, so that the digest of the whole image is there to be resumed.
    place.device("d");
    let all = [whole(&place, "e", Some(18)), whole(&place, "d", None)];
    // The folder with its pictures takes longer and is killed more often.
    killed_and_finished(&place, &all, points(6), 0x5eed, |point| usize::from(point % 6 == 5));
}

/// Pictures, texts and a picture that no decoder takes, some of them in an archive of their own, and that once more.
fn members(seed: u32, depth: usize) -> Vec<(String, Vec<u8>)> {
    let mut out = vec![];
    for n in seed..seed + 5 {
        out.push((format!("album/p{n}.bmp"), bmp(320, 240, n % 7, 0)));
        out.push((format!("t{n}.txt"), format!("text {n}").into_bytes()));
        out.push((format!("cut{n}.jpg"), b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec()));
    }
    if depth > 0 {
        out.push(("inner.zip".to_owned(), zip_of_all(&members(seed + 3, depth - 1))));
    }
    out
}

/// A FAT volume with archives in it, and archives in those.
pub fn volume_with_archives() -> Vec<u8> {
    let mut volume = std::io::Cursor::new(vec![0u8; 16 << 20]);
    let options = fatfs::FormatVolumeOptions::new().fat_type(fatfs::FatType::Fat16).volume_id(7);
    fatfs::format_volume(&mut volume, options).unwrap();
    let fs = fatfs::FileSystem::new(&mut volume, fatfs::FsOptions::new()).unwrap();
    for n in 0..4u32 {
        let archive = zip_of_all(&members(n * 2, 1));
        fs.root_dir().create_file(&format!("a{n}.zip")).unwrap().write_all(&archive).unwrap();
        fs.root_dir().create_file(&format!("t{n}.txt")).unwrap().write_all(b"beside it").unwrap();
    }
    fs.unmount().unwrap();
    volume.into_inner()
}

#[test]
fn archives_as_evidence_and_inside_it_are_resumed_too() {
    let place = Place::new();
    std::fs::write(place.path("z"), zip_of_all(&members(0, 2))).unwrap();
    std::fs::write(place.path("v"), volume_with_archives()).unwrap();
    let all = [whole(&place, "z", None), whole(&place, "v", None)];
    for one in &all {
        let rows = place.list(&format!("{}.whole", one.name), &[]);
        let embedded = rows.iter().filter(|row| row["state"] == "embedded").count();
        assert!(embedded >= 30, "{}: {embedded} members of {} rows", one.name, rows.len());
    }
    killed_and_finished(&place, &all, points(6), 0xa4c1, |point| (point / 2 % 2) as usize);
    killed_in_an_archive(&place, &all[1]);
}

/// Killed when at least so many windows were done that archives are being entered.
fn killed_in_an_archive(place: &Place, whole: &Whole) {
    let mut child = examine(place, whole.name, "last", &[]);
    // The volume itself is one window; whatever comes after it are members.
    let killed = kill_when(&mut child, || tasks_done(&place.path("last.journal")) > 4);
    assert!(killed, "it ended before a member was read");
    assert_eq!(examine(place, whole.name, "last", &["--resume"]).wait().unwrap().code(), Some(4));
    assert_eq!(digest(place, "last"), whole.digest);
}

/// How many records of finished tasks a journal holds whole. Its length alone would not tell: a kill can cut the record
/// that is being written, however long it is.
pub fn tasks_done(journal: &Path) -> usize {
    const DONE: u8 = 3;
    let bytes = std::fs::read(journal).unwrap_or_default();
    let (mut at, mut done) = (24, 0);
    while let Some(&[a, b, c, d, kind]) = bytes.get(at..at + 5) {
        at += 5 + u32::from_le_bytes([a, b, c, d]) as usize + 8;
        done += usize::from(kind == DONE && at <= bytes.len());
    }
    done
}

#[test]
fn what_was_read_is_not_read_again_and_nothing_else_is_taken_for_it() {
    let place = Place::new();
    evidence(&place);
    assert_eq!(examine(&place, "e", "whole", &["--no-small-pictures"]).wait().unwrap().code(), Some(4));
    let interrupted = || {
        let mut child = examine(&place, "e", "x", &["--no-small-pictures"]);
        assert!(kill_when(&mut child, || tasks_done(&place.path("x.journal")) > 0));
    };
    interrupted();
    // Without being asked, an unfinished examination is neither continued nor thrown away.
    let ran = place.run(["examine", "e", "--exhibit", "JC/1", "--out", "x", "--no-small-pictures"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("--resume") && ran.err.contains("x.journal"), "{}", ran.err);
    let resume = |more: &[&str]| {
        let mut args = vec!["examine", "e", "--out", "x", "--resume"];
        args.extend(more);
        place.run(args)
    };
    for (more, what) in [
        (&["--exhibit", "JC/2", "--no-small-pictures"][..], "another exhibit"),
        (&["--exhibit", "JC/1", "--no-media"], "another setting for pictures"),
        (&["--exhibit", "JC/1", "--no-small-pictures", "--no-image-digest"], "setting for the image digest"),
    ] {
        let ran = resume(more);
        assert!(ran.code == 2 && ran.err.contains(what), "{more:?}: {}", ran.err);
        assert!(place.path("x.journal").try_exists().unwrap(), "what was read is kept");
    }
    let ran = resume(&["--exhibit", "JC/1", "--no-small-pictures"]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.err.contains("going on with what"), "{}", ran.err);
    assert_eq!(digest(&place, "x"), digest(&place, "whole"));
    // With nothing to resume it begins, and a finished result is never touched.
    assert_eq!(resume(&["--exhibit", "JC/1", "--no-small-pictures"]).code, 2);
    for name in ["x", "x.seal"] {
        std::fs::remove_file(place.path(name)).unwrap();
    }
    let ran = resume(&["--exhibit", "JC/1", "--no-small-pictures"]);
    assert!(ran.code == 4 && ran.err.contains("no interrupted examination is there"), "{}", ran.err);
    for name in ["x", "x.seal"] {
        std::fs::remove_file(place.path(name)).unwrap();
    }
    // Evidence that changed in between is refused.
    interrupted();
    std::fs::write(place.path("e/album 0/a new first file.txt"), "new").unwrap();
    let ran = resume(&["--exhibit", "JC/1", "--no-small-pictures"]);
    assert!(ran.code == 2 && ran.err.contains("the evidence is not what it was"), "{}", ran.err);
    assert!(!place.path("x").try_exists().unwrap());
}

/// Ctrl-C is a signal that ends the program on the spot; what it leaves is what a kill leaves.
#[test]
fn an_interrupt_and_a_full_disk_are_resumed_too() {
    let place = Place::new();
    evidence(&place);
    assert_eq!(examine(&place, "e", "whole", &[]).wait().unwrap().code(), Some(4));
    let interrupted = (0..50).any(|_| {
        let mut child = examine(&place, "e", "x", &[]);
        while child.try_wait().unwrap().is_none() && tasks_done(&place.path("x.journal")) == 0 {
            std::thread::sleep(Duration::from_micros(300));
        }
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let ended = child.wait().unwrap();
        // The signal comes from a program that takes its time on a busy machine: by then the result may be sealed.
        if !place.path("x").try_exists().unwrap() {
            assert!(ended.code().is_none(), "ended by the signal, not with {ended}");
            return true;
        }
        for name in place.names().iter().filter(|n| *n == "x" || n.starts_with("x.")) {
            std::fs::remove_file(place.path(name)).unwrap();
        }
        false
    });
    assert!(interrupted, "every run was sealed before the signal came");
    let ran = place.run(["examine", "e", "--exhibit", "JC/1", "--out", "x", "--resume"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert_eq!(digest(&place, "x"), digest(&place, "whole"));
    // A limit on the size of files stands for a disk that fills. The workers need more than it allows, so no pictures.
    assert_eq!(examine(&place, "e", "plain", &["--no-media"]).wait().unwrap().code(), Some(0));
    let mut left = 0;
    for kib in [4, 8, 16, 24] {
        let ran = place.shell(&format!(
            "trap '' XFSZ; ulimit -f {kib}; exec \"$AVOCET\" --threads 2 examine e --no-media --exhibit JC/1 --out y --resume"
        ));
        assert!(matches!(ran.code, 1 | 2), "{kib} KiB: {}{}", ran.out, ran.err);
        if place.path("y.journal").try_exists().unwrap() {
            left += 1;
            assert!(ran.err.contains("--resume finishes"), "{kib} KiB: {}", ran.err);
        }
        let names = place.names();
        assert!(!names.iter().any(|n| n == "y" || n == "y.partial"), "{kib} KiB: {names:?}");
    }
    assert!(left > 0, "no run was cut off after it had read something");
    assert_eq!(examine(&place, "e", "y", &["--no-media", "--resume"]).wait().unwrap().code(), Some(0));
    assert_eq!(digest(&place, "y"), digest(&place, "plain"));
}
