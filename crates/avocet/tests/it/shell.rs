//! What is the same for every verb: exit codes, quiet, JSON, help, completions, man pages.

use std::fs;

use serde_json::Value;

use super::support::Place;

#[test]
fn exit_codes() {
    let place = Place::new();
    fs::create_dir(place.path("f")).unwrap();
    fs::write(place.path("f/a"), "some text").unwrap();
    fs::create_dir(place.path("g")).unwrap();
    fs::write(place.path("g/x.7z"), [b"7z\xbc\xaf\x27\x1c".as_slice(), &[0; 500]].concat()).unwrap();
    place.csv("s.csv", "sha256", &[place.shell("sha256sum < f/a").out.split(' ').next().unwrap().to_owned()]);
    assert_eq!(place.examine("f", "0", &[]).code, 0, "finished");
    assert_eq!(place.examine("f", "3", &["--known", "s.csv=alert"]).code, 3, "alerts");
    assert_eq!(place.examine("g", "4", &[]).code, 4, "an archive was not opened");
    assert_eq!(place.examine("none", "2", &[]).code, 2, "refused");
    assert_eq!(place.shell("\"$AVOCET\" summary 0 > /dev/full").code, 1, "failed");
    assert_eq!(place.shell("\"$AVOCET\" list 4 | head -1 > /dev/null; exit ${PIPESTATUS[0]}").code, 0, "a pipe closed");
}

#[test]
fn quiet_says_nothing_but_the_answer_and_json_is_json() {
    let place = Place::new();
    place.device("d");
    let ran = place.examine("d", "x", &["-q"]);
    assert_eq!(ran.err, "");
    assert!(ran.out.starts_with("Exhibit JC/1"), "{}", ran.out);
    assert_eq!(place.examine("d", "y", &[]).err, "Sealed: y\n", "remarks go to standard error");
    for args in [
        &["examine", "d", "--exhibit", "JC/1", "--out", "z", "--json"][..],
        &["summary", "x", "--json"],
        &["verify", "x", "--json"],
        &["schemes", "--json"],
        &["evidence", "tree", "d", "--json"],
        &["evidence", "stat", "d", "/Papers", "--json"],
        &["evidence", "verify", "d", "--json"],
    ] {
        let ran = place.run(args);
        assert!(serde_json::from_str::<Value>(&ran.out).is_ok(), "{args:?}: {}{}", ran.out, ran.err);
    }
    for args in [&["list", "x", "--json"][..], &["evidence", "ls", "d", "/Papers", "--json"]] {
        let ran = place.run(args);
        assert!(ran.out.lines().count() > 3, "{args:?}");
        assert!(ran.out.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "{args:?}: {}", ran.out);
    }
}

#[test]
fn completions_and_man_pages_are_generated() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let ran = place.run(["completions", shell]);
        assert_eq!(ran.code, 0);
        for word in ["examine", "no-image-digest", "hide-names"] {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(place.run(["man", "m"]).code, 0);
    for page in ["avocet.1", "avocet-examine.1", "avocet-evidence-cat.1"] {
        let text = fs::read_to_string(place.path("m").join(page)).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}");
    }
    fs::write(place.path("file"), "").unwrap();
    let ran = place.run(["man", "file"]);
    assert_eq!((ran.code, ran.err.contains("Name a folder")), (2, true), "{}", ran.err);
}

#[test]
fn version_and_help() {
    let place = Place::new();
    assert_eq!(place.run(["--version"]).out, format!("avocet {}\n", env!("CARGO_PKG_VERSION")));
    assert!(place.run(["--help"]).out.contains("Exit codes: 0 finished"));
    assert!(place.run(["help", "evidence", "cat"]).out.contains("avocet evidence cat JC-1.E01"));
}
