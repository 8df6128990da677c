//! What a user can get wrong: a sentence that says what and what to do, a code other than 0, nothing left that could be
//! taken for a result.

use std::fs;

use super::device::picture;
use super::support::{Place, Ran, skipped};

/// Asserts a refusal that says all of `words`, and that only `left` lies in the folder.
#[track_caller]
fn refused(place: &Place, ran: &Ran, words: &[&str], left: &[&str]) {
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "", "nothing but an answer belongs on standard output");
    assert!(ran.err.starts_with("avocet: ") && ran.err.trim_end().len() > 40, "{}", ran.err);
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is not in {}", ran.err);
    }
    assert_eq!(place.names(), left);
}

#[test]
fn a_path_that_is_not_there() {
    let place = Place::new();
    refused(&place, &place.examine("no.dd", "x", &[]), &["cannot open no.dd", "Check the path"], &[]);
}

#[test]
fn a_missing_segment_is_named() {
    let place = Place::new();
    place.device("whole");
    let whole = fs::read(place.path("whole")).unwrap();
    fs::remove_file(place.path("whole")).unwrap();
    for (name, part) in ["s.001", "s.002", "s.003"].iter().zip(whole.chunks(whole.len() / 3 + 1)) {
        fs::write(place.path(name), part).unwrap();
    }
    fs::remove_file(place.path("s.002")).unwrap();
    let ran = place.examine("s.001", "x", &[]);
    refused(&place, &ran, &["s.002 is missing", "Copy all segments"], &["s.001", "s.003"]);
}

#[test]
fn what_is_no_disk_image() {
    let place = Place::new();
    fs::write(place.path("a"), "").unwrap();
    refused(&place, &place.examine("a", "x", &[]), &["a holds no bytes"], &["a"]);
    let cases: [(&str, Vec<u8>, &str); 4] = [
        ("text", b"EWF acquisition log: everything went well\n".repeat(200), "it is text"),
        ("picture", picture(1, 2_000_000), "it is a picture"),
        ("odd length", vec![7; 70_001], "not a whole number of sectors"),
        ("RAR", [b"Rar!\x1a\x07\x01\0".to_vec(), vec![9; 1016]].concat(), "recognised but not read"),
    ];
    for (what, bytes, word) in cases {
        fs::write(place.path("a"), bytes).unwrap();
        for ran in [place.examine("a", "x", &[]), place.run(["evidence", "tree", "a"])] {
            refused(&place, &ran, &[word], &["a"]);
            assert!(!ran.err.contains("acquisition"), "{what}: an error holds content: {}", ran.err);
        }
    }
}

#[test]
fn a_disk_in_which_nothing_is_recognised_is_examined_and_says_so() {
    let place = Place::new();
    fs::write(place.path("a"), [7u8; 64 * 512]).unwrap();
    let ran = place.examine("a", "x", &[]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.out.contains("GAP    Volume whole (32.0 KiB) was NOT read: nothing known"), "{}", ran.out);
}

#[test]
fn what_looks_encrypted_is_never_taken_for_a_picture() {
    let place = Place::new();
    // The same bytes, but a whole number of sectors of them.
    fs::write(place.path("a"), picture(1, 4096 * 512 - 13)).unwrap();
    let ran = place.examine("a", "x", &[]);
    assert_eq!(ran.code, 4, "{}", ran.err);
    assert!(ran.out.contains("was NOT read: probably encrypted volume"), "{}", ran.out);
}

#[test]
fn what_a_killed_examination_leaves_is_no_result() {
    let place = Place::new();
    place.device("d");
    for kib in [8, 40] {
        // Without a trap the signal ends the program on the spot.
        place.shell(&format!("ulimit -f {kib}; \"$AVOCET\" examine d --no-media --exhibit JC/1 --out x; true"));
        // What was read is kept for another run.
        assert_eq!(place.names(), ["d", "x.journal", "x.partial"], "{kib} KiB");
        std::fs::remove_file(place.path("x.journal")).unwrap();
        for verb in ["list", "summary", "verify"] {
            let ran = place.run([verb, "x.partial"]);
            assert!(matches!(ran.code, 2 | 4), "{kib} KiB, {verb}: {}{}", ran.out, ran.err);
            // `verify` may answer, and then that it is not consistent.
            assert!(ran.out.is_empty() || ran.out.starts_with("Consistent with itself     NO"), "{verb}: {}", ran.out);
        }
    }
    assert_eq!(place.examine("d", "x", &[]).code, 0);
    assert_eq!(place.names(), ["d", "x", "x.seal"]);
}

#[test]
fn unreadable_evidence() {
    let place = Place::new();
    std::os::unix::fs::symlink("loop", place.path("loop")).unwrap();
    refused(&place, &place.examine("loop", "x", &[]), &["cannot open loop", "readable"], &["loop"]);
    let ran = place.examine("/dev/null", "x", &[]);
    refused(&place, &ran, &["neither a file nor a block device"], &["loop"]);
}

#[test]
fn known_sets_and_their_schemes() {
    let place = Place::new();
    place.device("d");
    place.csv("s.csv", "md5", &["d41d8cd98f00b204e9800998ecf8427f".into()]);
    fs::write(place.path("bad.toml"), "id = ").unwrap();
    let left = ["bad.toml", "d", "s.csv"];
    for (spec, words) in [
        ("s.csv", &["without a category scheme", "FILE=SCHEME", "us-vics-2.0", "known-good"][..]),
        ("s.csv=mine", &["no category scheme `mine`", "us-vics-2.0", "uk-2014", ".toml"]),
        ("s.csv=bad.toml", &["bad.toml cannot be used", "line 1"]),
        ("s.csv=none.toml", &["none.toml cannot be used"]),
        ("none.csv=alert", &["cannot open the set none.csv", "check the path"]),
        ("d=alert", &["d "]),
    ] {
        refused(&place, &place.examine("d", "x", &["--known", spec]), words, &left);
    }
}

#[test]
fn an_exhibit_reference_is_needed() {
    let place = Place::new();
    place.device("d");
    refused(&place, &place.run(["examine", "d", "--exhibit", "", "--out", "x"]), &["--exhibit", "JC/1"], &["d"]);
    let ran = place.run(["examine", "d", "--out", "x"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--exhibit <REF>"), "{}", ran.err);
    assert_eq!(place.names(), ["d"]);
}

#[test]
fn a_result_is_never_replaced() {
    let place = Place::new();
    place.device("d");
    fs::write(place.path("x"), "an earlier result").unwrap();
    // Seen before a set is loaded: this one is not even there.
    let ran = place.examine("d", "x", &["--known", "none.csv=alert"]);
    refused(&place, &ran, &["x is already there", "Choose another name"], &["d", "x"]);
    assert_eq!(fs::read(place.path("x")).unwrap(), b"an earlier result");
    fs::remove_file(place.path("x")).unwrap();
    // A seal without its file is somebody's as well.
    fs::write(place.path("x.seal"), "an earlier seal").unwrap();
    refused(&place, &place.examine("d", "x", &[]), &["x.seal is already there"], &["d", "x.seal"]);
    assert_eq!(fs::read(place.path("x.seal")).unwrap(), b"an earlier seal");
}

#[test]
fn a_folder_that_is_not_there() {
    let place = Place::new();
    place.device("d");
    refused(&place, &place.examine("d", "no/x", &[]), &["no folder no for the result", "Make it"], &["d"]);
    assert_eq!(place.examine("d", "x", &[]).code, 0);
    let ran = place.run(["report", "x", "--html", "no/r.html"]);
    refused(&place, &ran, &["no folder no for the report"], &["d", "x", "x.seal"]);
}

#[test]
fn a_limit_on_file_sizes_leaves_nothing_behind() {
    let place = Place::new();
    place.device("d");
    for kib in [0, 1, 8, 40] {
        let ran = place.shell(&format!(
            "trap '' XFSZ; ulimit -f {kib}; exec \"$AVOCET\" examine d --no-media --exhibit JC/1 --out x"
        ));
        assert!(matches!(ran.code, 1 | 2), "{kib} KiB: {}{}", ran.out, ran.err);
        let named = ran.err.contains("x.partial") || ran.err.contains("x.journal");
        assert!(ran.err.contains("avocet: ") && named, "{kib} KiB: {}", ran.err);
        // Nothing but what was read, for another run.
        let _ = std::fs::remove_file(place.path("x.journal"));
        assert_eq!(place.names(), ["d"], "{kib} KiB");
    }
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let place = Place::new();
    place.device("d");
    fs::create_dir(place.path("small")).unwrap();
    let script = |kib: u32| {
        format!(
            "unshare -m bash -c 'mount -t tmpfs -o size={kib}k none small || exit 99; \
             \"$AVOCET\" examine d --no-media --exhibit JC/1 --out small/x; rc=$?; ls -A small; exit $rc'"
        )
    };
    let large = place.shell(&script(4096));
    if !large.out.ends_with("x\nx.seal\n") {
        return skipped(2, "a small disk cannot be mounted here");
    }
    for kib in [4, 40] {
        let ran = place.shell(&script(kib));
        assert_eq!(ran.code, 2, "{kib} KiB: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("no space left") && ran.err.contains("Free some"), "{}", ran.err);
        assert!(matches!(ran.out.as_str(), "" | "x.journal\n"), "{kib} KiB: {} was left", ran.out);
    }
}

#[test]
fn a_report_on_a_full_disk_leaves_nothing_behind() {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "x", &[]).code, 0);
    let ran = place.shell("trap '' XFSZ; ulimit -f 1; exec \"$AVOCET\" report x --html r.html");
    refused(&place, &ran, &["cannot write the report r.html", "nothing half-written"], &["d", "x", "x.seal"]);
}

#[test]
fn an_answer_that_cannot_be_written_whole_is_an_error() {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "x", &[]).code, 0);
    for verb in ["list x --format csv", "summary x", "verify x", "evidence cat d mbr:1/Pictures/settings.txt"] {
        let ran = place.shell(&format!("\"$AVOCET\" {verb} > /dev/full"));
        assert_eq!(ran.code, 1, "{verb}: {}", ran.err);
        assert!(ran.err.contains("not complete"), "{verb}: {}", ran.err);
    }
}

#[test]
fn a_key_is_not_half_made() {
    let place = Place::new();
    fs::write(place.path("k.pub"), "someone's key").unwrap();
    refused(&place, &place.run(["key", "k"]), &["k.pub is already there"], &["k.pub"]);
}

#[test]
fn another_file_is_no_examination() {
    let place = Place::new();
    place.device("d");
    for verb in ["list", "summary", "verify"] {
        refused(&place, &place.run([verb, "d"]), &["d is not an examination file", "ending in"], &["d"]);
    }
}
