//! `avocet list`: what scripts rely on.

use std::fs;

use serde_json::Value;

use super::support::Place;

/// The keys that issue 2 promises.
const REQUIRED: [&str; 12] = [
    "path",
    "volume",
    "state",
    "stream",
    "size",
    "md5",
    "sha1",
    "sha256",
    "modified",
    "matches",
    "note",
    "original_path",
];

fn examined() -> Place {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "p", &["--no-image-digest", "--no-archives"]).code, 0);
    let rows = place.list("p", &["--under", "/Pictures"]);
    let md5 = |name: &str| {
        let row = rows.iter().find(|r| r["path"].as_str().unwrap().ends_with(name)).unwrap();
        row["md5"].as_str().unwrap().to_owned()
    };
    place.csv("s.csv", "md5,category", &[format!("{},seen", md5("IMG_0002.JPG")), format!("{},seen", md5("GONE.JPG"))]);
    let ran = place.examine("d", "x", &["--no-image-digest", "--known", "s.csv=alert"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    place
}

fn paths(place: &Place, more: &[&str]) -> Vec<String> {
    place.list("x", more).iter().map(|r| r["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_row_has_the_promised_keys_in_both_formats() {
    let place = examined();
    let rows = place.list("x", &[]);
    assert!(rows.len() > 12, "{}", rows.len());
    for row in &rows {
        for key in REQUIRED {
            assert!(row.get(key).is_some(), "{key} is missing in {row}");
        }
    }
    let csv = place.run(["list", "x", "--format", "csv"]).out;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    for key in REQUIRED {
        assert!(header.iter().any(|h| h == key), "{key} is missing in {header:?}");
    }
    // The same values, row for row.
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), rows.len());
    for (record, row) in records.iter().zip(&rows) {
        for key in ["path", "volume", "state", "md5", "sha1", "sha256", "modified", "note", "original_path"] {
            assert_eq!(record[at(key)], *row[key].as_str().unwrap_or_default(), "{key}");
        }
        assert_eq!(record[at("size")], row["size"].to_string());
    }
}

#[test]
fn one_file_in_every_format() {
    let place = examined();
    let one = ["--under", "/Pictures/IMG_0002.JPG"];
    let row = &place.list("x", &one)[0];
    // Digests by md5sum, sha1sum and sha256sum of the same bytes.
    let content = super::device::files().swap_remove(1).1;
    fs::write(place.path("content"), content).unwrap();
    for (key, program) in [("md5", "md5sum"), ("sha1", "sha1sum"), ("sha256", "sha256sum")] {
        let theirs = place.shell(&format!("{program} < content")).out;
        assert_eq!(row[key].as_str(), theirs.split_whitespace().next(), "{key}");
    }
    assert_eq!(row["state"], "allocated");
    assert_eq!(row["size"], 9013);
    assert_eq!(row["modified"], "2024-02-29T12:34:56");
    assert_eq!(row["zone"], "local");
    assert_eq!(row["stream"], Value::Null);
    let m = &row["matches"][0];
    assert_eq!((&m["set_name"], &m["basis"], &m["category"]), (&"s".into(), &"MD5 only".into(), &"seen".into()));
    assert_eq!(m["alerts"], true);
    let table = place.run(["list", "x", one[0], one[1]]).out;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 2, "{table}");
    assert!(
        lines[1].ends_with("mbr:1:/Pictures/IMG_0002.JPG  [set s record line 2 category seen by MD5 only]"),
        "{table}"
    );
    let csv = place.run(["list", "x", one[0], one[1], "--format", "csv"]).out;
    assert!(csv.contains(",set s record line 2 category seen by MD5 only,"), "{csv}");
}

#[test]
fn filters() {
    let place = examined();
    assert_eq!(paths(&place, &["--state", "deleted"]), ["/Pictures/GONE.JPG"]);
    let both = ["/Pictures/IMG_0002.JPG", "/Pictures/GONE.JPG"];
    let mut matched = paths(&place, &["--matched"]);
    matched.sort_by_key(|p| both.iter().position(|b| b == p));
    assert_eq!(matched, both);
    assert_eq!(paths(&place, &["--alerting", "--state", "deleted"]), ["/Pictures/GONE.JPG"]);
    let under = paths(&place, &["--under", "/Pictures"]);
    assert_eq!(under.len(), 5, "the folder itself and four files: {under:?}");
    assert!(under.iter().all(|p| p.starts_with("/Pictures")));
    // With the volume, as `list` and `evidence` write it.
    assert_eq!(under, paths(&place, &["--under", "mbr:1/Pictures/"]));
    assert_eq!(under, paths(&place, &["--under", "mbr:1:/Pictures"]));
    // A folder whose name only begins alike is another.
    assert!(paths(&place, &["--under", "/Pict"]).is_empty());
    let ran = place.run(["list", "x", "--under", "/Pict"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "avocet: no file fits\n"));
    let ran = place.run(["list", "x", "--under", "gpt:7/Pictures"]);
    assert_eq!(ran.code, 2, "a wrong volume is not the same as nothing there");
    assert!(ran.err.contains("no volume gpt:7") && ran.err.contains("mbr:1"), "{}", ran.err);
}

#[test]
fn the_order_is_the_same_whatever_is_asked() {
    let place = examined();
    let all = place.list("x", &[]);
    let ids: Vec<i64> = all.iter().map(|r| r["id"].as_i64().unwrap()).collect();
    assert!(ids.windows(2).all(|w| w[0] < w[1]), "{ids:?}");
    assert_eq!(all, place.list("x", &["--threads", "1"]));
    let live: Vec<&Value> = all.iter().filter(|r| r["state"] == "allocated").collect();
    assert_eq!(live, place.list("x", &["--state", "allocated"]).iter().collect::<Vec<_>>());
}

#[test]
fn no_name_breaks_its_line() {
    let place = Place::new();
    fs::create_dir(place.path("f")).unwrap();
    for name in ["a\nb", "c,\"d\"", "e\u{202e}gpj.exe", "\u{1b}[31mred", "=cmd|' C calc'!A0", "back\\slash"] {
        fs::write(place.path("f").join(name), name).unwrap();
    }
    assert_eq!(place.examine("f", "x", &[]).code, 0);
    let mut names: Vec<String> =
        place.list("x", &[]).iter().map(|r| r["path"].as_str().unwrap().to_owned()).filter(|p| p.len() > 1).collect();
    names.sort();
    let mut wanted =
        ["/a\\u{a}b", "/c,\"d\"", "/e\\u{202e}gpj.exe", "/\\u{1b}[31mred", "/=cmd|' C calc'!A0", "/back\\\\slash"];
    wanted.sort_unstable();
    assert_eq!(names, wanted);
    for format in ["table", "csv", "jsonl"] {
        let out = place.run(["list", "x", "--format", format]).out;
        let files = out.lines().filter(|l| !l.contains("directory") && l.contains('/')).count();
        assert!(files >= 6, "{format}: {out}");
        assert!(!out.contains('\u{202e}') && !out.contains('\u{1b}'), "{format}: {out:?}");
    }
    let csv = place.run(["list", "x", "--format", "csv"]).out;
    let rows = csv::Reader::from_reader(csv.as_bytes()).records().count();
    assert_eq!(csv.lines().count(), rows + 1, "one line a row: {csv}");
}

#[test]
fn the_recycle_bin_tells_the_name_before() {
    let place = examined();
    let rows = place.list("x", &["--under", "/$RECYCLE.BIN"]);
    let row = rows.iter().find(|r| r["path"].as_str().unwrap().contains("$RABC")).unwrap();
    assert_eq!(row["original_path"], "C:/Users/kim/was here.jpg");
    place.csv("r.csv", "md5", &[row["md5"].as_str().unwrap().to_owned()]);
    let ran = place.examine("d", "y", &["--known", "r.csv=alert"]);
    assert_eq!(ran.code, 3);
    let line = ran.out.lines().find(|l| l.contains("$RABC123.JPG")).unwrap();
    assert!(line.contains("was C:/Users/kim/was here.jpg"), "{line}");
}

#[test]
fn problems_are_listed_with_place_and_reason() {
    let place = Place::new();
    place.demo();
    assert_eq!(place.examine("demo/demo-device.dd", "x", &["--no-image-digest", "--no-archives"]).code, 0);
    let ran = place.run(["list", "x", "--problems", "--format", "jsonl"]);
    let row: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!((&row["layer"], &row["code"]), (&"fat".into(), &"long-name-orphaned".into()));
    assert!(place.run(["list", "x", "--problems"]).out.contains("fat: long-name-orphaned"));
    let csv = place.run(["list", "x", "--problems", "--format", "csv"]).out;
    assert!(csv.starts_with("volume,layer,code,offset,path,detail\ngpt:1,fat,"), "{csv}");
}
