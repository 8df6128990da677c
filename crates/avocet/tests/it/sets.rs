//! Known sets through the whole command: what a match rests on and what it may do.

use serde_json::Value;

use super::support::Place;

/// One file's row after an examination with one set of one record.
fn matched(header: &str, record: impl Fn(&Value) -> String, scheme: &str) -> (Value, i32, String) {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "p", &["--no-image-digest"]).code, 0);
    let before = place.list("p", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    assert_eq!(before["matches"], serde_json::json!([]));
    place.csv("s.csv", header, &[record(&before)]);
    let ran = place.examine("d", "x", &["--no-image-digest", "--known", &format!("s.csv={scheme}")]);
    (place.list("x", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0), ran.code, ran.out + &ran.err)
}

fn text(row: &Value, key: &str) -> String {
    row[key].as_str().unwrap().to_owned()
}

#[test]
fn md5_alone_alerts_and_is_said() {
    let (row, code, out) = matched("md5", |r| text(r, "md5"), "alert");
    assert_eq!(
        (code, &row["matches"][0]["basis"], &row["matches"][0]["alerts"]),
        (3, &"MD5 only".into(), &true.into())
    );
    assert!(out.contains("by MD5 only"), "{out}");
}

#[test]
fn a_digest_that_differs_is_a_conflict() {
    let record = |r: &Value| format!("{},{}", text(r, "md5"), "0123456789".repeat(4));
    let (row, code, out) = matched("md5,sha1", record, "alert");
    let basis = text(&row["matches"][0], "basis");
    assert!(basis.starts_with("digest conflict"), "{basis}");
    assert_eq!(code, 3, "{out}");
}

#[test]
fn known_good_hides_on_a_strong_basis_only() {
    type Record = fn(&Value) -> String;
    let cases: [(&str, Record, bool); 5] = [
        ("sha256", |r| text(r, "sha256"), true),
        ("sha1,size", |r| format!("{},{}", text(r, "sha1"), r["size"]), true),
        ("sha1", |r| text(r, "sha1"), false),
        ("md5,size", |r| format!("{},{}", text(r, "md5"), r["size"]), false),
        ("md5", |r| text(r, "md5"), false),
    ];
    for (header, record, hides) in cases {
        let (row, code, out) = matched(header, record, "known-good");
        assert_eq!(row["matches"][0]["hides"], hides, "{header}: {row}");
        assert_eq!((&row["matches"][0]["alerts"], code), (&false.into(), 0), "{header}: {out}");
    }
}

#[test]
fn category_0_is_not_ignorable() {
    let (row, code, out) = matched("sha256,category", |r| format!("{},0", text(r, "sha256")), "us-vics-2.0");
    assert_eq!((&row["matches"][0]["category"], &row["matches"][0]["hides"]), (&"0".into(), &false.into()), "{out}");
    assert_eq!((&row["matches"][0]["alerts"], code), (&false.into(), 0), "{out}");
    // What is called known good is not, where another set must stay in view.
    let place = Place::new();
    place.device("d");
    let sha256 = text(&row, "sha256");
    place.csv("zero.csv", "sha256,category", &[format!("{sha256},0")]);
    place.csv("good.csv", "sha256", &[sha256]);
    let sets = ["--known", "zero.csv=us-vics-2.0", "--known", "good.csv=known-good"];
    assert_eq!(place.examine("d", "x", &sets).code, 0);
    let row = place.list("x", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    let hides: Vec<&Value> = row["matches"].as_array().unwrap().iter().map(|m| &m["hides"]).collect();
    assert_eq!(hides, [&Value::Bool(false), &Value::Bool(false)], "{row}");
}

#[test]
fn sets_may_come_from_the_environment() {
    let place = Place::new();
    place.device("d");
    place.csv("a.csv", "md5", &["d41d8cd98f00b204e9800998ecf8427a".into()]);
    place.csv("b.csv", "md5", &["d41d8cd98f00b204e9800998ecf8427b".into()]);
    let ran = place.shell("AVOCET_KNOWN='a.csv=alert;b.csv=known-good' \"$AVOCET\" examine d --exhibit JC/1 --out x");
    assert!(ran.out.contains("Known set a (alert)") && ran.out.contains("Known set b (known-good)"), "{}", ran.out);
    let ran = place.shell("AVOCET_KNOWN= \"$AVOCET\" examine d --exhibit JC/1 --out y");
    assert!(ran.out.contains("No known set was given"), "an empty variable names no set: {}{}", ran.out, ran.err);
}
