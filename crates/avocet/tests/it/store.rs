//! `avocet sets` and `avocet rematch`: a set is kept in versions, asked, compared, mapped anew, exported and removed.

use serde_json::Value;

use super::support::{Place, Ran};

fn digests(n: u8) -> (String, String) {
    (format!("{n:02x}").repeat(16), format!("{n:02x}").repeat(20))
}

fn line(n: u8, size: u32, category: &str) -> String {
    let (md5, sha1) = digests(n);
    format!("{md5},{sha1},{size},{category}")
}

fn sets(place: &Place, args: &[&str]) -> Ran {
    let ran = place.run(["sets"].iter().chain(args));
    assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
    ran
}

fn json(place: &Place, args: &[&str]) -> Value {
    let ran = place.run(["sets"].iter().chain(args).chain(&["--json"]));
    serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{args:?}: {e}: {}{}", ran.out, ran.err))
}

/// A place with a set of three versions: imported, updated, mapped anew.
fn kept() -> Place {
    let place = Place::new();
    place.csv("a.csv", "md5,sha1,size,category", &[line(1, 10, "1"), line(2, 20, "2"), line(3, 30, "0")]);
    sets(&place, &["import", "a.csv", "--name", "pv", "--scheme", "us-vics-2.0", "--note", "first"]);
    place.csv("b.csv", "md5,sha1,size,category", &[line(4, 40, "1"), line(2, 20, "2")]);
    sets(&place, &["update", "pv", "b.csv"]);
    sets(&place, &["remap", "pv", "--scheme", "alert", "--note", "asked for"]);
    place
}

#[test]
fn a_set_without_a_scheme_is_refused_with_the_list() {
    let place = Place::new();
    place.csv("a.csv", "md5,category", &[format!("{},1", digests(1).0)]);
    let ran = place.run(["sets", "import", "a.csv", "--name", "pv"]);
    assert_eq!(ran.code, 2);
    for scheme in ["us-vics-2.0", "uk-2014", "interpol-baseline", "known-good", "uncategorised"] {
        assert!(ran.err.contains(scheme), "{scheme}: {}", ran.err);
    }
    assert_eq!(json(&place, &["list"]), serde_json::json!([]), "nothing is left of it");
    for bad in ["../x", "", ".x", "a/b", "a@1"] {
        let ran = place.run(["sets", "import", "a.csv", "--name", bad, "--scheme", "alert"]);
        assert_eq!(ran.code, 2, "{bad}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn versions_are_kept_and_say_where_they_come_from() {
    let place = kept();
    let list = json(&place, &["list"]);
    let versions: Vec<_> = list.as_array().unwrap().iter().map(|s| s["set"].as_str().unwrap().to_owned()).collect();
    assert_eq!(versions, ["pv@1", "pv@2", "pv@3"]);
    assert_eq!((&list[0]["kept"], &list[1]["kept"], &list[2]["kept"]), (&3.into(), &4.into(), &4.into()));
    let show = json(&place, &["show", "pv"]);
    let acts: Vec<_> = show["history"].as_array().unwrap().iter().map(|h| h["action"].as_str().unwrap()).collect();
    assert_eq!(acts, ["import", "update", "remap"]);
    assert_eq!(show["history"][1]["from"], list[0]["digest"]);
    assert_eq!(show["history"][2]["from"], list[1]["digest"]);
    assert_eq!(show["history"][0]["note"], "first");
    assert_eq!(show["log"].as_array().unwrap().len(), 3);
    assert_eq!(show["duplicates"], 1);
    let text = sets(&place, &["show", "pv@1"]).out;
    assert!(text.contains("3 records kept of 3 read") && text.contains("us-vics-2.0"), "{text}");
    // The same name again, or an update of what is not there.
    assert_eq!(place.run(["sets", "import", "a.csv", "--name", "pv", "--scheme", "alert"]).code, 2);
    assert_eq!(place.run(["sets", "update", "other", "a.csv"]).code, 2);
    assert_eq!(place.run(["sets", "update", "pv@1", "a.csv"]).code, 2);
}

#[test]
fn the_same_files_give_the_same_version_everywhere() {
    let (one, two) = (kept(), kept());
    for n in 0..3 {
        assert_eq!(json(&one, &["list"])[n]["digest"], json(&two, &["list"])[n]["digest"]);
    }
}

#[test]
fn a_digest_is_looked_up_in_every_set() {
    let place = kept();
    let (md5, sha1) = digests(1);
    place.csv("good.csv", "sha1,size", &[format!("{sha1},10")]);
    sets(&place, &["import", "good.csv", "--name", "good", "--scheme", "known-good"]);
    let ran = place.run(["sets", "lookup", &md5, &digests(9).0, "--set", "pv@1", "--set", "good"]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("ALERT set pv@1") && ran.out.contains("not known"), "{}", ran.out);
    assert!(ran.out.contains("1 of 2 values known, 1 with a category that alerts"), "{}", ran.out);
    let both = json(&place, &["lookup", &sha1]);
    assert_eq!(both["alerts"], 1);
    let names: Vec<_> = both["values"][0]["hits"].as_array().unwrap().iter().map(|h| h["set"].clone()).collect();
    assert_eq!(names, ["good@1", "pv@3"]);
    place.shell(&format!("printf '# a list\\n{}\\n{}\\n\\nsize:40\\n' > list.txt", digests(2).0, digests(8).1));
    let ran = place.run(["sets", "lookup", "--hashes", "list.txt", "--count"]);
    assert_eq!((ran.code, ran.out.lines().count()), (3, 1));
    assert!(ran.out.contains("2 of 3 values known"), "{}", ran.out);
    let ran = place.run(["sets", "lookup", "xyz"]);
    assert_eq!((ran.code, ran.err.contains("value 1 is neither")), (2, true), "{}", ran.err);
}

#[test]
fn two_versions_are_compared() {
    let place = kept();
    let diff = json(&place, &["diff", "pv@1", "pv@2"]);
    assert_eq!(
        (&diff["added"], &diff["removed"], &diff["changed"], &diff["same"]),
        (&1.into(), &0.into(), &0.into(), &3.into())
    );
    let back = sets(&place, &["diff", "pv@2", "pv@1"]).out;
    assert!(back.contains(&format!("- md5 {}", digests(4).0)) && back.contains("1 removed"), "{back}");
}

#[test]
fn what_is_exported_comes_back_the_same() {
    let place = Place::new();
    let (md5, sha1) = digests(1);
    let vics = format!(
        r#"{{"@odata.context":"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media","value":[
        {{"MediaID":7,"Category":1,"MD5":"{md5}","SHA1":"{sha1}","MediaSize":10,"Series":"s","VictimIdentified":true,
          "Comments":"known picture 12","MediaFiles":[{{"FileName":"a.jpg","MD5":"{md5}"}}],"Unheard":{{"x":[1,2.50]}}}},
        {{"MediaID":8,"Category":2,"MD5":"{}","MediaSize":"20"}}]}}"#,
        digests(2).0
    );
    std::fs::write(place.path("a.json"), vics).unwrap();
    sets(&place, &["import", "a.json", "--name", "one", "--scheme", "us-vics-2.0"]);
    sets(&place, &["export", "one", "--format", "vics", "--out", "out.json"]);
    let out: Value = serde_json::from_str(&std::fs::read_to_string(place.path("out.json")).unwrap()).unwrap();
    let first = &out["value"][0];
    assert_eq!((&first["MediaID"], &first["Category"], &first["Series"]), (&7.into(), &1.into(), &"s".into()));
    assert_eq!((&first["Comments"], &first["VictimIdentified"]), (&"known picture 12".into(), &true.into()));
    assert_eq!(first["MediaFiles"][0]["FileName"], "a.jpg");
    assert!(
        std::fs::read_to_string(place.path("out.json")).unwrap().contains("2.50"),
        "values are given back as they stood"
    );
    sets(&place, &["import", "out.json", "--name", "two", "--scheme", "us-vics-2.0"]);
    let diff = json(&place, &["diff", "one", "two"]);
    assert_eq!((&diff["same"], &diff["changed"]), (&2.into(), &0.into()), "{diff}");
    sets(&place, &["export", "two", "--format", "csv", "--out", "out.csv"]);
    let csv = std::fs::read_to_string(place.path("out.csv")).unwrap();
    assert!(csv.starts_with("id,md5,sha1") && csv.contains("known picture 12"), "{csv}");
    assert_eq!(place.run(["sets", "export", "two", "--format", "csv", "--out", "out.csv"]).code, 2, "never replaced");
}

#[test]
fn a_damaged_version_is_found_and_answers_nothing() {
    let place = kept();
    assert_eq!(place.run(["sets", "verify"]).code, 0);
    let file = place.path("store/sets/pv/2.avset");
    let mut bytes = std::fs::read(&file).unwrap();
    let mut permissions = std::fs::metadata(&file).unwrap().permissions();
    #[allow(clippy::permissions_set_readonly_false)]
    permissions.set_readonly(false);
    std::fs::set_permissions(&file, permissions).unwrap();
    let (md5, _) = digests(4);
    let key = [4u8; 16];
    let at = bytes.windows(16).position(|w| w == key).unwrap();
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let ran = place.run(["sets", "verify"]);
    assert_eq!(ran.code, 4, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("DAMAGED pv@2"), "{}", ran.out);
    let ran = place.run(["sets", "lookup", &md5, "--set", "pv@2"]);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert!(!ran.out.contains("not known"), "{}", ran.out);
}

#[test]
fn a_removed_version_stays_in_the_log_and_its_number_is_not_given_again() {
    let place = kept();
    assert_eq!(place.run(["sets", "remove", "pv", "--reason", "x"]).code, 2, "a version must be named");
    sets(&place, &["remove", "pv@3", "--reason", "wrong scheme"]);
    assert_eq!(place.run(["sets", "show", "pv@3"]).code, 2);
    sets(&place, &["remap", "pv", "--scheme", "alert"]);
    let show = json(&place, &["show", "pv"]);
    assert_eq!(show["version"], 4);
    let acts: Vec<_> = show["log"].as_array().unwrap().iter().map(|e| e["act"].as_str().unwrap().to_owned()).collect();
    assert_eq!(acts, ["import", "update", "remap", "remove", "remap"]);
}

#[test]
fn an_examination_names_the_version_and_a_rematch_reads_no_evidence() {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "p", &["--no-image-digest"]).code, 4);
    let row = place.list("p", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    place.csv("a.csv", "id,sha1,size,category", &[format!("7,{},{},0", row["sha1"].as_str().unwrap(), row["size"])]);
    sets(&place, &["import", "a.csv", "--name", "pv", "--scheme", "us-vics-2.0"]);
    assert_eq!(place.examine("d", "x", &["--no-image-digest", "--known", "pv"]).code, 4);
    let summary = place.run(["summary", "x", "--json"]);
    let named: Value = serde_json::from_str(&summary.out).unwrap();
    let version = json(&place, &["list"])[0]["digest"].clone();
    assert!(summary.out.contains(version.as_str().unwrap()), "the exact version is named: {named}");

    // The set learns better, and the evidence is gone.
    place.csv("b.csv", "id,sha1,size,category", &[format!("8,{},{},1", row["sha1"].as_str().unwrap(), row["size"])]);
    sets(&place, &["update", "pv", "b.csv"]);
    place.shell("rm -rf d");
    let ran = place.run(["rematch", "x", "--known", "pv", "--out", "y"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("Matches gained: 1; lost: 0; changed: 0"), "{}", ran.err);
    assert_eq!(place.run(["verify", "y"]).code, 0);
    let first = named["result_digest"].as_str().unwrap();
    assert!(ran.out.contains(first), "it names the examination it came from: {}", ran.out);
    let later = place.list("y", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    assert_eq!(later["matches"].as_array().unwrap().len(), 2);
    assert_eq!((&later["sha256"], &later["path"]), (&row["sha256"], &row["path"]));
    assert_eq!(place.list("y", &[]).len(), place.list("x", &[]).len());
    // Back again: what was gained is lost.
    let ran = place.run(["rematch", "y", "--known", "pv@1", "--out", "z"]);
    assert_eq!((ran.code, ran.err.contains("gained: 0; lost: 1; changed: 0")), (4, true), "{}", ran.err);
    // An edited examination is not carried on.
    place.shell("chmod u+w x && sqlite3 x 'UPDATE file SET size = 1 WHERE id = 1' || python3 -c \"import sqlite3; d = sqlite3.connect('x'); d.execute('UPDATE file SET size = 1 WHERE id = 1'); d.commit()\"");
    assert_eq!(place.run(["rematch", "x", "--known", "pv", "--out", "w"]).code, 2);
}
