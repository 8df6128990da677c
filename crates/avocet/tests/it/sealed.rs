//! The sealed file: what `verify` says of it, and what its result digest depends on.

use std::fs;

use serde_json::Value;

use super::support::{Place, Ran, installed, skipped};

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err))
}

fn digest(place: &Place, file: &str) -> String {
    let ran = place.run(["verify", file, "--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    json(&ran)["result_digest"].as_str().unwrap().to_owned()
}

fn sealed(more: &[&str]) -> Place {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "x", more).code, 0);
    place
}

/// Changes a copy `y` of `x` with SQL and writes the digest that fits into it, as a forger would, by the script that the
/// specification comes with. `false` where there is no Python.
fn forge(place: &Place, sql: &str) -> bool {
    if !installed("python3") {
        skipped(1, "python3 is not installed");
        return false;
    }
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats");
    let script = format!(
        "import sys, sqlite3; sys.dont_write_bytecode = True; sys.path.insert(0, {docs:?})\n\
         import verify_examination as v\n\
         db = sqlite3.connect('y'); db.executescript({sql:?}); db.commit(); db.text_factory = v.Text\n\
         d = v.result_digest(db, 2); db.text_factory = str\n\
         db.execute('UPDATE result SET digest = ?', (bytes.fromhex(d),)); db.commit(); db.close()\n"
    );
    fs::write(place.path("forge.py"), script).unwrap();
    let ran = place.shell("cp x y && chmod u+w y && python3 forge.py");
    assert_eq!(ran.code, 0, "{}", ran.err);
    true
}

#[test]
fn says_what_was_checked_and_what_was_not() {
    let place = sealed(&[]);
    let plain = place.run(["verify", "x"]);
    assert_eq!(plain.code, 0);
    assert!(plain.out.contains("Consistent with itself     yes"), "{}", plain.out);
    assert!(plain.out.contains("not checked: no digest was given"), "{}", plain.out);
    assert!(plain.out.contains("not signed"), "{}", plain.out);
    let right = digest(&place, "x");
    let ran = place.run(["verify", "x", "--expect", &right.to_uppercase()]);
    assert_eq!((ran.code, ran.out.contains("Equal to the digest given  yes")), (0, true), "{}", ran.out);
    let ran = place.run(["verify", "x", "--expect", &"0".repeat(64)]);
    assert_eq!((ran.code, ran.out.contains("Equal to the digest given  NO")), (4, true), "{}", ran.out);
    assert_eq!(place.run(["verify", "x", "--expect", "12"]).code, 2);
}

#[test]
fn an_edited_row_with_a_new_inner_digest_fails_only_against_the_digest_kept_elsewhere() {
    let place = sealed(&[]);
    let kept = digest(&place, "x");
    if !forge(&place, "UPDATE file SET path = replace(path, 'IMG_0002', 'IMG_0009')") {
        return;
    }
    let ran = place.run(["verify", "y", "--json"]);
    assert_eq!((ran.code, json(&ran)["consistent"].as_bool()), (0, Some(true)), "the forgery is perfect: {}", ran.out);
    assert_ne!(json(&ran)["result_digest"], kept);
    let ran = place.run(["verify", "y", "--expect", &kept, "--json"]);
    assert_eq!((ran.code, json(&ran)["expected"].as_bool()), (4, Some(false)), "{}", ran.out);
    // The seal of the true file beside it tells as well.
    fs::copy(place.path("x.seal"), place.path("y.seal")).unwrap();
    let ran = place.run(["verify", "y"]);
    assert_eq!((ran.code, ran.out.contains("DIFFERS from the file")), (4, true), "{}", ran.out);
}

#[test]
fn an_added_table_view_trigger_or_column_fails() {
    let place = sealed(&[]);
    for sql in [
        "CREATE TABLE more (a)",
        "CREATE VIEW more AS SELECT 1",
        "CREATE TRIGGER more AFTER INSERT ON file BEGIN SELECT 1; END",
        "ALTER TABLE file ADD COLUMN more TEXT",
    ] {
        if !forge(&place, sql) {
            return;
        }
        let ran = place.run(["verify", "y"]);
        assert!(matches!(ran.code, 2 | 4), "{sql}: {}{}", ran.out, ran.err);
        assert!(!ran.out.contains("Consistent with itself     yes"), "{sql}: {}", ran.out);
    }
}

#[test]
fn a_signature_is_worth_what_the_key_is() {
    let place = Place::new();
    for key in ["team", "other"] {
        assert_eq!(place.run(["key", key]).code, 0);
    }
    place.device("d");
    assert_eq!(place.examine("d", "x", &["--key", "team"]).code, 0);
    let with = |signer: &str| place.run(["verify", "x", "--signer", signer]);
    let ran = with("team.pub");
    assert_eq!((ran.code, ran.out.contains("signed by the key given")), (0, true), "{}", ran.out);
    let ran = with("other.pub");
    assert_eq!((ran.code, ran.out.contains("ANOTHER key")), (4, true), "{}", ran.out);
    let ran = with("none.pub");
    assert_eq!((ran.code, ran.err.contains("cannot read the public key none.pub")), (2, true), "{}", ran.err);
    fs::remove_file(place.path("x.seal")).unwrap();
    let ran = with("team.pub");
    assert_eq!(ran.code, 4, "a signature was asked for and there is none: {}", ran.out);
}

#[test]
fn the_result_depends_on_evidence_settings_and_sets_and_on_nothing_else() {
    let place = Place::new();
    place.device("d");
    fs::create_dir(place.path("sub")).unwrap();
    place.device("sub/another name.img");
    place.csv("a.csv", "md5", &["d41d8cd98f00b204e9800998ecf8427a".into()]);
    place.csv("b.csv", "md5", &["d41d8cd98f00b204e9800998ecf8427b".into()]);
    let run = |out: &str, evidence: &str, more: &[&str]| {
        let mut all = vec!["--known", "a.csv=alert", "--known", "b.csv=known-good"];
        all.extend(more);
        let ran = place.examine(evidence, out, &all);
        // Parts that differ in size are a gap.
        let wanted = if evidence == "s.001" { 4 } else { 0 };
        assert_eq!(ran.code, wanted, "{}{}", ran.out, ran.err);
        digest(&place, out)
    };
    let first = run("1", "d", &["--threads", "1"]);
    assert_eq!(first, run("2", "d", &["--threads", "8"]), "threads");
    assert_eq!(first, run("3", "sub/another name.img", &[]), "the image's name and folder");
    assert_eq!(first, run("sub/4", "d", &[]), "the result's folder");
    assert_ne!(first, run("5", "d", &["--no-image-digest"]), "a setting");
    // The order in which sets are named is a setting: it numbers them and orders the matches.
    let ran = place.examine("d", "6", &["--known", "b.csv=known-good", "--known", "a.csv=alert"]);
    assert_eq!(ran.code, 0);
    assert_ne!(first, digest(&place, "6"), "the order of the sets");
    // So is what the evidence is stored in: the same disk in two parts is other evidence.
    let whole = fs::read(place.path("d")).unwrap();
    let (one, two) = whole.split_at(1 << 20);
    fs::write(place.path("s.001"), one).unwrap();
    fs::write(place.path("s.002"), two).unwrap();
    assert_ne!(first, run("7", "s.001", &[]), "the kind of container");
    // The findings are the same.
    let rows = |file: &str| place.run(["list", file, "--format", "csv"]).out;
    assert_eq!(rows("1"), rows("7"));
}
