//! `examine --corroborate tsk`: what The Sleuth Kit says of the same image stands first where it differs.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::support::{Place, installed, skipped, testdata};

/// Writes a program that is a shell script.
fn script(bin: &Path, name: &str, text: &str) {
    std::fs::write(bin.join(name), format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The line of a script that prints a text.
fn prints(text: &str) -> String {
    format!("printf '%s' '{}'", text.replace('\'', "'\\''"))
}

/// The lines of the completeness statement about the second opinion, and the problems.
fn opinion(place: &Place, image: &str, out: &str, path: Option<&Path>, more: &str) -> (Vec<String>, Vec<String>) {
    let path = path.map_or_else(String::new, |p| format!("PATH={}:$PATH ", p.display()));
    let ran = place.shell(&format!(
        "{path}\"$AVOCET\" examine '{image}' --no-media --no-image-digest --exhibit JC/1 --out {out} --corroborate tsk {more}"
    ));
    assert!(matches!(ran.code, 0 | 4), "{image}: {}{}", ran.out, ran.err);
    assert_eq!(place.run(["verify", out]).code, 0);
    let about = |line: &&str| line.contains("Sleuth Kit") || line.contains("second opinion");
    let lines = ran.out.lines().filter(about).map(|l| l.trim().to_owned()).collect();
    let problems = place.run(["list", out, "--problems", "--format", "jsonl"]);
    let problems = problems.out.lines().filter(|l| l.contains("second opinion")).map(str::to_owned).collect();
    (lines, problems)
}

#[test]
fn without_the_programs_it_is_refused_and_says_what_to_install() {
    let place = Place::new();
    place.device("d");
    std::fs::create_dir(place.path("empty")).unwrap();
    let ran = place.shell("PATH=$PWD/empty; \"$AVOCET\" examine d --no-media --exhibit JC/1 --out x --corroborate tsk");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("The Sleuth Kit is not installed") && ran.err.contains("leave out"), "{}", ran.err);
    assert_eq!(place.names(), ["d", "empty"]);
    // A folder is no image of a disk.
    if installed("fls") {
        let ran = place.run(["examine", "empty", "--exhibit", "JC/1", "--out", "x", "--corroborate", "tsk"]);
        assert!(ran.code == 2 && ran.err.contains("needs the image of a disk"), "{}", ran.err);
    }
}

#[test]
fn real_images_are_corroborated_and_the_known_differences_are_the_only_ones() {
    /// Image, and what the differences are about.
    const IMAGES: [(&str, &[&str]); 6] = [
        ("made/usb-ntfs.dd", &[]),
        ("made/card-fat12.dd", &[]),
        ("made/card-fat16.E01", &["Holiday album"]),
        ("made/card-exfat.dd", &[]),
        ("tsk/image.dd", &[]),
        ("tsk/image.iso", &[]),
    ];
    let Some(disk) = testdata().map(|t| t.join("disk")) else { return skipped(IMAGES.len(), "no shared test data") };
    if !["fls", "icat", "fiwalk"].iter().all(|t| installed(t)) {
        return skipped(IMAGES.len(), "The Sleuth Kit is not installed");
    }
    let place = Place::new();
    for (at, (name, differences)) in IMAGES.iter().enumerate() {
        let image = disk.join(name);
        let (lines, problems) = opinion(&place, image.to_str().unwrap(), &format!("x{at}"), None, "");
        let other: Vec<&String> = problems.iter().filter(|p| !differences.iter().any(|d| p.contains(d))).collect();
        assert!(other.is_empty(), "{name}: {other:?}");
        assert_eq!(problems.is_empty(), differences.is_empty(), "{name}: {problems:?}");
        let first = if differences.is_empty() { "says the same" } else { "DIFFERS" };
        assert!(lines.iter().any(|l| l.contains(first)), "{name}: {lines:?}");
    }
    // QCOW is a container that it does not open: that is said and no agreement.
    let (lines, _) = opinion(&place, disk.join("tsk/image.qcow").to_str().unwrap(), "q", None, "");
    assert!(lines.iter().any(|l| l.contains("was not asked about volume")), "{lines:?}");
}

/// A program that lies: every kind of lie is reported, first among the gaps.
#[test]
fn every_difference_is_reported_first() {
    if !["fls", "icat", "fiwalk"].iter().all(|t| installed(t)) {
        return skipped(1, "The Sleuth Kit is not installed");
    }
    let place = Place::new();
    place.device("d");
    let bin = place.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let image = place.path("d");
    // What the programs say is changed beforehand: a program that is run confined can start no other.
    let says = |program: &str, args: &[&str]| {
        let out =
            Command::new(program).args(args).arg(&image).env("TZ", "UTC").env("LC_ALL", "C.UTF-8").output().unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    // One file is left out, one is said to be deleted, one has another size; another gets other bytes.
    let listed: Vec<String> = says("fls", &["-r", "-p", "-l", "-o", "63"])
        .lines()
        .filter(|line| !line.contains("settings.txt") && !line.contains("plain text"))
        .map(|line| match line {
            line if line.contains("IMG_0002.JPG") => line.replacen("r/r ", "r/r * ", 1),
            line if line.contains("invoice") => line.replacen("\t18\t0\t0", "\t19\t0\t0", 1),
            line => line.to_owned(),
        })
        .collect();
    script(&bin, "fls", &prints(&format!("{}\n", listed.join("\n"))));
    let digest = "<hashdigest type='sha1'>";
    let pieces: Vec<String> = says("fiwalk", &["-x", "-G0", "-O"]).split(digest).map(str::to_owned).collect();
    let changed = pieces.iter().skip(1).map(|piece| format!("{digest}f{}", &piece[1..]));
    let report = pieces[..1].iter().cloned().chain(changed).collect::<String>();
    script(&bin, "fiwalk", &prints(&report));
    let honest = opinion(&place, "d", "honest", None, "");
    let (lines, problems) = opinion(&place, "d", "x", Some(&bin), "");
    let has = |code: &str, name: &str| problems.iter().any(|p| p.contains(code) && p.contains(name));
    assert!(has("second-opinion-only-ours", "settings.txt"), "{problems:#?}");
    assert!(has("second-opinion-state", "IMG_0002.JPG"), "{problems:#?}");
    assert!(has("second-opinion-content", "holiday at the lake"), "{problems:#?}");
    assert!(problems.len() > honest.1.len() + 3, "{problems:#?}");
    let ran = place.run(["summary", "x"]);
    let first = ran.out.lines().find(|l| l.contains("GAP")).unwrap();
    assert!(first.contains("DIFFERS from this examination"), "{}", ran.out);
    assert!(lines[0].contains("DIFFERS"), "{lines:?}");
}

/// A program that does not end is ended, the examination goes on, and what was not compared is said first.
#[test]
fn a_program_that_hangs_costs_the_comparison_and_is_said() {
    if !["fls", "icat", "fiwalk"].iter().all(|t| installed(t)) {
        return skipped(1, "The Sleuth Kit is not installed");
    }
    let place = Place::new();
    place.device("d");
    let bin = place.path("bin");
    std::fs::create_dir(&bin).unwrap();
    script(&bin, "fls", "while :; do :; done");
    let (lines, problems) = opinion(&place, "d", "x", Some(&bin), "--corroborate-limit 1");
    assert!(problems.is_empty(), "{problems:?}");
    assert!(lines.iter().any(|l| l.starts_with("GAP") && l.contains("was ended after 1 s")), "{lines:?}");
    assert!(lines.iter().any(|l| l.contains("was not asked about volume") && l.contains("was over")), "{lines:?}");
    assert!(!lines.iter().any(|l| l.contains("says the same")), "{lines:?}");
    // One that reads something else than the image gets nothing, and its listing counts for nothing.
    std::fs::write(place.path("other"), "r/r 5:\tpassed on\n").unwrap();
    script(&bin, "fls", &format!("read line < '{}' && echo \"$line\"", place.path("other").display()));
    let (lines, problems) = opinion(&place, "d", "y", Some(&bin), "");
    assert!(problems.is_empty(), "{problems:?}");
    assert!(lines.iter().any(|l| l.contains("was not asked about volume") && l.contains("status")), "{lines:?}");
}
