//! `avocet examine … --interim`: what a running or interrupted examination has read so far, as a sealed result of its own.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::process::{Child, Command};
use std::time::Duration;

use serde_json::Value;

use super::media::bmp;
use super::record::{TAKEN, by, good, team};
use super::resume::{digest, evidence, examine, tasks_done, volume_with_archives};
use super::support::{Place, Ran};

const NOT_READ: &str = "not read when this interim result was written";

fn interim(place: &Place, evidence: &str, running: &str, out: &str, more: &[&str]) -> Ran {
    let mut args = vec!["--threads", "2", "examine", evidence, "--exhibit", "JC/1", "--out", running, "--interim", out];
    args.extend(more);
    place.run(args)
}

/// Runs an examination to `x` up to a moment at which so many tasks were noted, and does `then` to the process.
fn up_to(
    place: &Place,
    evidence: &str,
    more: &[&str],
    tasks: RangeInclusive<usize>,
    then: impl Fn(&mut Child),
) -> Child {
    let noted = || tasks_done(&place.path("x.journal"));
    for _ in 0..50 {
        let mut child = examine(place, evidence, "x", more);
        while child.try_wait().unwrap().is_none() && noted() < *tasks.start() {
            std::thread::sleep(Duration::from_micros(300));
        }
        then(&mut child);
        if !place.path("x").try_exists().unwrap() && tasks.contains(&noted()) {
            return child;
        }
        // The machine was too busy: it had gone on by then.
        let _ = child.kill();
        child.wait().unwrap();
        for name in place.names().iter().filter(|n| *n == "x" || n.starts_with("x.")) {
            std::fs::remove_file(place.path(name)).unwrap();
        }
    }
    panic!("no run could be looked at in time");
}

/// Kills an examination to `x` at such a moment.
fn interrupted(place: &Place, evidence: &str, more: &[&str], tasks: RangeInclusive<usize>) {
    let kill = |child: &mut Child| {
        child.kill().unwrap();
        child.wait().unwrap();
    };
    up_to(place, evidence, more, tasks, kill).wait().unwrap();
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

fn by_id(rows: Vec<Value>) -> BTreeMap<i64, Value> {
    rows.into_iter().map(|row| (row["id"].as_i64().unwrap(), row)).collect()
}

/// Holds an interim result against the whole one: the same of everything that was read, and a reason for the rest.
/// Answers how many contents it has and how many wait.
fn held_against(place: &Place, part: &str, whole: &str) -> (usize, usize) {
    let ran = place.run(["verify", part]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let (mut rows, all) = (by_id(place.list(part, &[])), by_id(place.list(whole, &[])));
    let embedded = |row: &Value| row["state"] == "embedded";
    assert!(!rows.values().any(embedded), "nothing was entered");
    assert_eq!(rows.len(), all.values().filter(|row| !embedded(row)).count());
    let (mut read, mut waiting) = (0, 0);
    for (id, row) in &mut rows {
        let expected = &all[id];
        if row["unreadable"] == NOT_READ {
            waiting += 1;
            assert!(row["sha256"].is_null() && row["media"].is_null() && row["matches"] == Value::Array(vec![]));
            for same in ["path", "size", "state", "kind", "modified", "volume", "note"] {
                assert_eq!(row[same], expected[same], "{same}");
            }
        } else {
            assert_eq!(row, expected);
            read += usize::from(!row["sha256"].is_null());
        }
    }
    let pictures = |name: &str| -> BTreeMap<i64, Value> {
        let ran = place.run(["media", "list", name, "--format", "jsonl"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        by_id(ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    };
    let whole_pictures = pictures(whole);
    for (id, mut picture) in pictures(part) {
        let mut expected = whole_pictures[&id].clone();
        // Groups are of what is there.
        for one in [&mut picture, &mut expected] {
            one["group"] = Value::Null;
        }
        assert_eq!(picture, expected);
    }
    (read, waiting)
}

#[test]
fn an_interim_result_has_what_was_read_and_lists_the_rest() {
    let place = Place::new();
    evidence(&place);
    assert_eq!(examine(&place, "e", "whole", &[]).wait().unwrap().code(), Some(4));
    interrupted(&place, "e", &[], 1..=1);
    let journal = std::fs::read(place.path("x.journal")).unwrap();
    let ran = interim(&place, "e", "x", "part", &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let (read, waiting) = held_against(&place, "part", "whole");
    assert!(read > 0 && waiting > 0, "{read} read, {waiting} not");
    // First of all it says that it is none of the whole.
    let summary: Value = serde_json::from_str(&place.run(["summary", "part", "--json"]).out).unwrap();
    let first = &summary["completeness"][0];
    assert_eq!((&first["level"], &first["code"]), (&"gap".into(), &"interim".into()), "{summary}");
    let text = first["text"].as_str().unwrap();
    let counts = format!("{read} of {} file contents had been read", read + waiting);
    assert!(text.starts_with("INTERIM RESULT") && text.contains(&counts), "{text}");
    assert_eq!(first["count"], waiting);
    let opened = avocet_examination::Examination::open(&place.path("part")).unwrap();
    assert!(opened.interim().unwrap().is_some_and(|how_far| how_far.starts_with(&counts)));
    let whole = avocet_examination::Examination::open(&place.path("whole")).unwrap();
    assert_eq!(whole.interim().unwrap(), None);
    // The same again is the same, and whoever goes on finds everything as it was.
    assert_eq!(interim(&place, "e", "x", "again", &[]).code, 4);
    assert_eq!(digest(&place, "part"), digest(&place, "again"));
    assert_eq!(std::fs::read(place.path("x.journal")).unwrap(), journal);
    let mut child = examine(&place, "e", "x", &["--resume"]);
    assert_eq!(child.wait().unwrap().code(), Some(4));
    assert_eq!(digest(&place, "x"), digest(&place, "whole"));
}

/// Several tasks of pictures alone.
fn pictures(place: &Place) {
    std::fs::create_dir(place.path("e")).unwrap();
    for n in 0..80 {
        std::fs::write(place.path(&format!("e/p{n:02}.bmp")), bmp(480, 320, n, 0)).unwrap();
    }
}

/// From an examination that runs to the whole result in the record: what was graded meanwhile, and what it cost to look,
/// stays; what somebody has before them is graded as if nothing had happened; the rest is queued once.
#[test]
fn what_is_graded_on_an_interim_result_stands_when_the_whole_one_takes_its_place() {
    let place = team();
    pictures(&place);
    good(by(&place, "det", &TAKEN));
    let policy = ["grading", "policy", "I-1", "--scheme", "uk-2014@1", "--unknown-only", "--reason", "local rule"];
    good(by(&place, "sup", &policy));
    let mut child = up_to(&place, "e", &[], 1..=2, |child| signal(child, "-STOP"));
    // As the server asks for it.
    let ran = interim(&place, "e", "x", "part", &["--progress-lines"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let attach = |file: &str| good(by(&place, "exam", &["grading", "attach", "I-1", "E-1", file]));
    let said = attach("part");
    assert!(said.starts_with("X-1 is attached to E-1 as an interim result"), "{said}");
    let json = |login: &str, args: &[&str]| -> Value {
        serde_json::from_str(&good(by(&place, login, &[&["--json"], args].concat()))).unwrap()
    };
    let next = |limit: &str| json("grad", &["review", "next", "I-1", "--limit", limit]);
    let contents = |batch: &Value| -> Vec<String> {
        batch["items"].as_array().unwrap().iter().map(|item| item["sha256"].as_str().unwrap().to_owned()).collect()
    };
    let batch = next("4");
    let mine = contents(&batch);
    assert_eq!(mine.len(), 4);
    let part = batch["progress"]["contents"].as_u64().unwrap();
    assert!((4..80).contains(&part), "{part} are there to be graded, and more to come");
    let vote = |sha256: &str| good(by(&place, "grad", &["review", "vote", "I-1", sha256, "--category", "C"]));
    mine[..2].iter().for_each(|sha256| drop(vote(sha256)));
    // The examination ends, and its result takes the place of what it had read.
    signal(&child, "-CONT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let said = attach("x");
    assert!(said.starts_with("X-2 is attached to E-1: ") && said.contains("takes the place of X-1"), "{said}");
    assert!(!said.contains("no longer counted"), "everything that was read is in the whole: {said}");
    mine[2..].iter().for_each(|sha256| drop(vote(sha256)));
    let batch = next("100");
    let (rest, progress) = (contents(&batch), &batch["progress"]);
    assert_eq!((rest.len(), progress["contents"].as_u64()), (76, Some(80)), "{progress}");
    assert!(rest.iter().all(|sha256| !mine.contains(sha256)), "nothing is queued twice");
    assert_eq!(rest.iter().collect::<std::collections::BTreeSet<_>>().len(), 76);
    for sha256 in &mine {
        let shown = json("sup", &["grading", "show", "I-1", sha256]);
        assert_eq!((&shown["category"], &shown["places"][0]["examination"]), (&"C".into(), &"X-2".into()), "{shown}");
    }
    let looked = json("grad", &["care", "own", "--from", "2020-01-01", "--to", "2099-12-31"]);
    let graded = looked.as_array().unwrap().iter().filter(|line| line["what"] == "graded");
    assert_eq!(graded.map(|line| line["times"].as_u64().unwrap()).sum::<u64>(), 4, "{looked}");
    good(by(&place, "sup", &["ledger", "verify"]));
}

/// The small pictures that were stored by then open through the interim result, also when the examination has ended.
#[test]
fn small_pictures_of_an_interim_result_are_those_of_the_running_examination() {
    let place = Place::new();
    pictures(&place);
    // Stopped, it holds every lock that it holds while it runs.
    let mut child = up_to(&place, "e", &[], 1..=2, |child| signal(child, "-STOP"));
    let ran = interim(&place, "e", "x", "part", &[]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let rows = place.list("part", &[]);
    let shown = |examination: &str, id: i64| {
        let out = format!("{examination}-{id}.jpg");
        let small = ["--small", "clear", "--reason", "a test", "--out", &out];
        let ran = place.run(["media", "show", examination, &id.to_string()].into_iter().chain(small));
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        std::fs::read(place.path(&out)).unwrap()
    };
    let pictures: Vec<i64> =
        rows.iter().filter(|row| row["format"] == "bmp").map(|row| row["id"].as_i64().unwrap()).collect();
    assert!(!pictures.is_empty());
    let before: Vec<Vec<u8>> = pictures.iter().map(|id| shown("part", *id)).collect();
    assert_eq!(place.run(["media", "verify", "part"]).code, 0);
    signal(&child, "-CONT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for (id, before) in pictures.iter().zip(before) {
        std::fs::remove_file(place.path(&format!("part-{id}.jpg"))).unwrap();
        assert!(shown("x", *id) == before && shown("part", *id) == before, "{id}");
    }
    held_against(&place, "part", "x");
}

#[test]
fn archives_wait_for_the_whole_result() {
    let place = Place::new();
    std::fs::write(place.path("v"), volume_with_archives()).unwrap();
    assert_eq!(examine(&place, "v", "whole", &["--no-small-pictures"]).wait().unwrap().code(), Some(4));
    // The volume itself is one window; whatever comes after it are members.
    interrupted(&place, "v", &["--no-small-pictures"], 3..=usize::MAX);
    let ran = interim(&place, "v", "x", "part", &["--no-small-pictures"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    let (read, waiting) = held_against(&place, "part", "whole");
    assert!(read >= 8 && waiting == 0, "{read} {waiting}");
    let said = place.run(["summary", "part"]).out;
    assert!(said.contains("4 archives or compressed documents were read so far: what is inside is NOT in"), "{said}");
    assert!(said.contains("was not taken yet") || said.contains("no digest to compare with"), "{said}");
}

#[test]
fn an_interim_result_is_refused_where_there_is_nothing_to_look_at_or_something_differs() {
    let place = Place::new();
    evidence(&place);
    let refused = |more: &[&str], says: &str| {
        let ran = interim(&place, "e", "x", "part", more);
        assert!(ran.code == 2 && ran.err.contains(says), "{more:?}: {} {}", ran.code, ran.err);
        let left: Vec<String> = place.names().into_iter().filter(|n| n.starts_with("part")).collect();
        assert!(left.is_empty(), "{left:?}");
    };
    refused(&["--no-media"], "runs or was interrupted");
    interrupted(&place, "e", &["--no-media"], 1..=usize::MAX);
    refused(&["--no-media", "--no-archives"], "setting for archives");
    refused(&[], "setting for pictures");
    let ran = interim(&place, "e", "x", "x.journal", &["--no-media"]);
    assert!(ran.code == 2 && ran.err.contains("already there"), "{}", ran.err);
    std::fs::write(place.path("e/album 0/a new first file.txt"), "new").unwrap();
    refused(&["--no-media"], "the evidence is not what it was");
    std::fs::remove_file(place.path("e/album 0/a new first file.txt")).unwrap();
    std::fs::write(place.path("x.journal"), b"AVOCET").unwrap();
    refused(&["--no-media"], "has only begun");
    for name in place.names().iter().filter(|n| *n == "x" || n.starts_with("x.")) {
        std::fs::remove_file(place.path(name)).unwrap();
    }
    assert_eq!(examine(&place, "e", "x", &["--no-media"]).wait().unwrap().code(), Some(0));
    refused(&["--no-media"], "runs or was interrupted");
}
