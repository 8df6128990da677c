//! The report and the summary.

use std::fs;

use serde_json::Value;

use super::support::Place;

fn examined() -> Place {
    let place = Place::new();
    place.demo();
    let ran = place.run([
        "examine",
        "demo/demo-device.dd",
        "--exhibit",
        "DEMO/1",
        "--known",
        "demo/demo-known-pictures.json=us-vics-2.0",
        "--out",
        "x",
    ]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    place
}

fn html(place: &Place, name: &str, more: &[&str]) -> String {
    let mut args = vec!["report", "x", "--html", name];
    args.extend(more);
    let ran = place.run(args);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    fs::read_to_string(place.path(name)).unwrap()
}

#[test]
fn a_report_stands_alone_and_begins_with_completeness() {
    let place = examined();
    let html = html(&place, "r.html", &[]);
    for word in ["http:", "https:", " src=", "<script", "<link", "@import", "url(", "<img", "<iframe", "data:"] {
        assert!(!html.to_lowercase().contains(word), "{word}");
    }
    assert!(html.contains("DEMO0003.JPG"), "names are shown unless hidden");
    let at = |word: &str| html.find(word).unwrap_or_else(|| panic!("{word}"));
    assert!(at("How complete this is") < at("Matches with known sets"));
    let before = html.clone();
    let ran = place.run(["report", "x", "--html", "r.html"]);
    assert_eq!((ran.code, ran.err.contains("already there")), (2, true), "{}", ran.err);
    assert_eq!(fs::read_to_string(place.path("r.html")).unwrap(), before);
}

#[test]
fn hidden_names_are_nowhere_in_the_report() {
    let place = examined();
    let html = html(&place, "r.html", &["--hide-names"]);
    let mut words: Vec<String> = vec!["demo-device".into(), "demo-known-pictures.json".into()];
    for row in place.list("x", &[]) {
        let path = row["path"].as_str().unwrap();
        words.push(path.to_owned());
        // Single words of the wording ("home", "user") cannot be told from names; names with more to them can.
        words.extend(path.split('/').filter(|p| p.len() > 4).map(str::to_owned));
    }
    for volume in ["DEMO CARD", "“computer”", "camera card"] {
        words.push(volume.to_owned());
    }
    let db = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    words.extend(Some(db.trim().to_owned()).filter(|h| h.len() > 4));
    words.push(place.dir.path().display().to_string());
    words.sort();
    words.dedup();
    let found: Vec<&String> = words.iter().filter(|w| w.len() > 1 && html.contains(w.as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
    assert!(html.contains("How complete this is") && html.contains("Child abuse material"), "the rest is there");
}

#[test]
fn the_summary_is_the_same_again_and_as_json() {
    let place = examined();
    let text = place.run(["summary", "x"]).out;
    for words in [
        "Volume gpt:1 (40.0 MiB) was read: FAT32.",
        "Listed: 26 files, 8 folders, 4 files in archives, 1 other entry (volume label, device, pipe). Digested: 30 file contents",
        "note   Remains of long file names that belong to no entry any more (reported once) [fat: long-name-orphaned].",
        "Entered: 1 archive or compressed document (1 zip); 4 members were listed",
        "6 files to look at",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    let json: Value = serde_json::from_str(&place.run(["summary", "x", "--json"]).out).unwrap();
    assert_eq!(json["exhibit"], "DEMO/1");
    assert_eq!(json["summary"]["alerting_files"], 6);
    assert!(text.contains(json["result_digest"].as_str().unwrap()));
    assert_eq!(json["completeness"].as_array().unwrap()[0]["level"], "note", "worst first");
}
