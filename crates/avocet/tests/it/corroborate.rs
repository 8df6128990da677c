//! `examine --corroborate tsk`: what The Sleuth Kit says of the same image stands first where it differs.

use std::path::Path;

use super::support::{Place, installed, skipped, testdata};

/// The lines of the completeness statement about the second opinion, and the problems.
fn opinion(place: &Place, image: &str, out: &str, path: Option<&Path>) -> (Vec<String>, Vec<String>) {
    let path = path.map_or_else(String::new, |p| format!("PATH={}:$PATH ", p.display()));
    let ran = place.shell(&format!(
        "{path}\"$AVOCET\" examine '{image}' --no-media --no-image-digest --exhibit JC/1 --out {out} --corroborate tsk"
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
        let (lines, problems) = opinion(&place, image.to_str().unwrap(), &format!("x{at}"), None);
        let other: Vec<&String> = problems.iter().filter(|p| !differences.iter().any(|d| p.contains(d))).collect();
        assert!(other.is_empty(), "{name}: {other:?}");
        assert_eq!(problems.is_empty(), differences.is_empty(), "{name}: {problems:?}");
        let first = if differences.is_empty() { "says the same" } else { "DIFFERS" };
        assert!(lines.iter().any(|l| l.contains(first)), "{name}: {lines:?}");
    }
    // QCOW is a container that it does not open: that is said and no agreement.
    let (lines, _) = opinion(&place, disk.join("tsk/image.qcow").to_str().unwrap(), "q", None);
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
    let real = |program: &str| {
        let path = std::env::var("PATH").unwrap();
        std::env::split_paths(&path).map(|p| p.join(program)).find(|p| p.is_file()).unwrap()
    };
    let bin = place.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let script = |name: &str, text: String| {
        std::fs::write(bin.join(name), format!("#!/bin/bash\n{text}\n")).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    // One file is left out, one is said to be deleted, one has another size; another gets other bytes.
    script(
        "fls",
        format!(
            r#"{} "$@" | sed -e '/settings.txt/d' -e '/IMG_0002.JPG/s/^r\/r /r\/r * /' -e '/plain text/d' -e '/invoice/s/\t18\t0\t0$/\t19\t0\t0/'"#,
            real("fls").display()
        ),
    );
    script(
        "fiwalk",
        format!(
            r#"{} "$@" | sed -e "s/<hashdigest type='sha1'>./<hashdigest type='sha1'>f/""#,
            real("fiwalk").display()
        ),
    );
    let honest = opinion(&place, "d", "honest", None);
    let (lines, problems) = opinion(&place, "d", "x", Some(&bin));
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
