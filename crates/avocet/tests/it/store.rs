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
    assert_eq!(place.examine("d", "p", &["--no-image-digest"]).code, 0);
    let row = place.list("p", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    place.csv("a.csv", "id,sha1,size,category", &[format!("7,{},{},0", row["sha1"].as_str().unwrap(), row["size"])]);
    sets(&place, &["import", "a.csv", "--name", "pv", "--scheme", "us-vics-2.0"]);
    assert_eq!(place.examine("d", "x", &["--no-image-digest", "--known", "pv"]).code, 0);
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
    assert_eq!((ran.code, ran.err.contains("gained: 0; lost: 1; changed: 0")), (0, true), "{}", ran.err);
    // An edited examination is not carried on.
    place.shell("chmod u+w x && sqlite3 x 'UPDATE file SET size = 1 WHERE id = 1' || python3 -c \"import sqlite3; d = sqlite3.connect('x'); d.execute('UPDATE file SET size = 1 WHERE id = 1'); d.commit()\"");
    assert_eq!(place.run(["rematch", "x", "--known", "pv", "--out", "w"]).code, 2);
}

/// An import that must be refused, of files in `place`; what it said.
fn refused(place: &Place, files: &[&str], scheme: &str) -> String {
    let ran = place.run(["sets", "import"].iter().chain(files).chain(&["--name", "x", "--scheme", scheme]));
    assert_eq!(ran.code, 2, "{files:?}: {}{}", ran.out, ran.err);
    assert_eq!(json(place, &["list"]), serde_json::json!([]), "nothing is left of it");
    ran.err
}

#[test]
fn an_error_says_which_file_record_byte_and_field() {
    let place = Place::new();
    let [one, two] = [1, 2].map(|n| digests(n).0);
    let write = |name: &str, text: &str| std::fs::write(place.path(name), text).unwrap();
    let head = r#"{"@odata.context":"x/DataModels/2.0.xml/US/$metadata#Media","value":["#;

    let text = format!(r#"{head}{{"MediaID":1,"MD5":"{one}"}},{{"MediaID":02,"MD5":"{two}"}}]}}"#);
    write("bad.json", &text);
    let said = refused(&place, &["bad.json"], "us-vics-2.0");
    let at = text.find("02,").unwrap() + 1;
    assert!(said.contains("bad.json") && said.contains(&format!("after record 1, byte {at}, field MediaID")), "{said}");

    let text = format!(r#"{head}{{"MD5":"{one}"}},{{"MD5":"{two}","Category":77}}]}}"#);
    write("code.json", &text);
    let said = refused(&place, &["code.json"], "us-vics-2.0");
    let at = text.rfind("{\"MD5\"").unwrap();
    assert!(said.contains(&format!("`77` at record 2, byte {at}, field category")), "{said}");

    let text = format!("md5,category\n{one},1\n{two},x y\n");
    write("code.csv", &text);
    let said = refused(&place, &["code.csv"], "us-vics-2.0");
    let at = text.find(&two).unwrap();
    assert!(said.contains("code.csv") && said.contains(&format!("line 3, byte {at}, field category")), "{said}");

    write("cut.json", &format!(r#"{head}{{"MediaID":1,"MD5":"{}"#, one.get(..20).unwrap()));
    let said = refused(&place, &["cut.json"], "us-vics-2.0");
    assert!(said.contains("ends in the middle") && said.contains("field MD5"), "{said}");

    let text = format!("BEGIN;\nINSERT INTO FILE (md5) VALUES ('{one}');\nDROP TABLE FILE;\nCOMMIT;\n");
    write("delta.sql", &text);
    let said = refused(&place, &["delta.sql"], "known-good");
    let at = text.find("DROP").unwrap();
    assert!(said.contains(&format!("line 3, byte {at}: neither INSERT, UPDATE, DELETE")), "{said}");

    write("gold_1.json", &format!(r#"{head}{{"MD5":"{one}"}}]}}"#));
    write("gold_3.json", &format!(r#"{head}{{"MD5":"{two}"}}]}}"#));
    for files in [&["gold_1.json", "gold_3.json"][..], &["gold_3.json", "gold_1.json"]] {
        let said = refused(&place, files, "us-vics-2.0");
        assert!(said.contains("a part of the set is missing: gold_2.json"), "{said}");
    }
    write("gold_2.json", &format!(r#"{head}{{"MD5":"{}"}}]}}"#, digests(3).0));
    let said = refused(&place, &["gold_1.json", "gold_2.json"], "us-vics-2.0");
    assert!(said.contains("gold_3.json"), "a part that lies beside it: {said}");
    let ran = sets(
        &place,
        &["import", "gold_1.json", "gold_2.json", "gold_3.json", "--name", "x", "--scheme", "us-vics-2.0"],
    );
    assert!(ran.out.contains("3 records kept of 3 read"), "{}", ran.out);
}

#[test]
fn an_update_misses_a_part_as_an_import_does() {
    let place = Place::new();
    for n in 1..=6 {
        place.csv(&format!("gold_{n}.csv"), "md5,category", &[format!("{},1", digests(n).0)]);
    }
    let files = ["gold_1.csv", "gold_2.csv", "gold_3.csv"];
    let hidden: Vec<_> = (4..=6).map(|n| place.path(&format!("gold_{n}.csv"))).collect();
    let away = |from: &str, to: &str| {
        hidden.iter().for_each(|p| {
            std::fs::rename(p.with_extension(from), p.with_extension(to)).unwrap();
        })
    };
    away("csv", "away");
    sets(&place, &[&["import"], &files[..], &["--name", "pv", "--scheme", "us-vics-2.0"]].concat());
    away("away", "csv");

    for (given, missing) in [
        (&["gold_5.csv"][..], "gold_4.csv"),
        (&["gold_4.csv", "gold_6.csv"], "gold_5.csv"),
        (&["gold_4.csv", "gold_5.csv"], "gold_6.csv"),
        (&["gold_4.csv"], "gold_5.csv"),
    ] {
        let ran = place.run(["sets", "update", "pv"].iter().chain(given));
        assert_eq!(ran.code, 2, "{given:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(&format!("a part of the set is missing: {missing}")), "{given:?}: {}", ran.err);
    }
    assert_eq!(json(&place, &["list"]).as_array().unwrap().len(), 1, "no version is left of them");

    let ran = sets(&place, &["update", "pv", "gold_6.csv", "gold_4.csv", "gold_5.csv"]);
    assert!(ran.out.contains("6 records kept of 6 read"), "{}", ran.out);
    std::fs::rename(place.path("gold_1.csv"), place.path("gold_7.csv")).unwrap();
    sets(&place, &["update", "pv", "gold_7.csv"]);
    assert_eq!(json(&place, &["list"]).as_array().unwrap().len(), 3, "one part may follow by itself");
}

#[test]
fn what_was_not_understood_is_said_after_an_import() {
    let place = Place::new();
    let text = format!(
        r#"{{"Vendor":{{"a":1}},"odata.metadata":"x/DataModels/1.3.xml#Media","value":[
        {{"MediaID":1,"MD5":"{}","Votes":3}},{{"MediaID":2,"MD5":"short"}}]}}"#,
        digests(1).0
    );
    std::fs::write(place.path("a.json"), text).unwrap();
    let said = sets(&place, &["import", "a.json", "--name", "x", "--scheme", "us-vics-2.0"]).out;
    for part in [
        "keys beside `value` passed over: Vendor",
        "fields that this reader does not know, kept with their records: Votes",
        "1 for: no usable digest (first: record 2)",
        "1 record kept of 2 read, 1 rejected",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Of several sources, each with places of its own kind.
    place.csv("b.csv", "md5", &[digests(2).0, "long".to_owned()]);
    let said = sets(&place, &["update", "x", "b.csv"]).out;
    for part in
        ["1 for: no usable digest (first: record 2 of a.json)", "1 for: no usable digest (first: line 3 of b.csv)"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let rejected = json(&place, &["show", "x"])["rejected"].clone();
    let sources: Vec<_> = rejected.as_array().unwrap().iter().map(|r| (&r["source"], &r["place_label"])).collect();
    assert_eq!(sources, [(&"a.json".into(), &"record".into()), (&"b.csv".into(), &"line".into())]);
}

#[test]
fn the_numbers_of_uk_files_are_for_the_user_to_confirm() {
    let place = Place::new();
    let (md5, _) = digests(1);
    let text = format!(
        r#"{{"@odata.context":"x/DataModels/2.0.xml/UK/$metadata#Cases","value":[{{"CaseID":"1","Media":[{{"MediaID":1,"Category":1,"MD5":"{md5}"}}]}}]}}"#
    );
    std::fs::write(place.path("uk.json"), text).unwrap();
    let said = refused(&place, &["uk.json"], "us-vics-2.0");
    assert!(said.contains("region UK") && said.contains("us-vics-2.0 is for US, Default"), "{said}");
    let said = refused(&place, &["uk.json"], "uk-2014");
    assert!(said.contains("not public"), "{said}");
    let scheme = place.run(["schemes", "uk-vics"]);
    assert_eq!(scheme.code, 0, "{}", scheme.err);
    assert!(scheme.out.contains("not public") && scheme.out.contains("to be confirmed"), "{}", scheme.out);
    sets(&place, &["import", "uk.json", "--name", "x", "--scheme", "uk-vics"]);
    let answer = json(&place, &["lookup", &md5]);
    let hit = &answer["values"][0]["hits"][0];
    assert_eq!(hit["alerts"], true);
    assert!(hit["meaning"].as_str().unwrap().contains("not public and to be confirmed"), "{hit}");

    // The user writes what the publisher confirmed into a copy; the mapping is an event, and the earlier version stays.
    let own = r#"
id = "force-uk"
version = "1"
title = "Numbers as the publisher gave them"
jurisdiction = "England and Wales"
source = "Letter of the publisher"
date_checked = "2026-11-24"
vics_regions = ["UK"]
[default]
meaning = "None stated"
alerts = true
may_hide = false
status = "to be confirmed"
[[categories]]
code = "1"
meaning = "Category A"
alerts = true
may_hide = false
status = "confirmed"
"#;
    std::fs::write(place.path("force-uk.toml"), own).unwrap();
    sets(&place, &["remap", "x", "--scheme", "force-uk.toml", "--note", "letter of 3 March"]);
    let meaning = |set: &str| json(&place, &["lookup", &md5, "--set", set])["values"][0]["hits"][0]["meaning"].clone();
    assert_eq!(meaning("x@2"), "Category A");
    assert!(meaning("x@1").as_str().unwrap().contains("not public"));
    let show = json(&place, &["show", "x"]);
    let [import, remap] = &show["history"].as_array().unwrap()[..] else { panic!("{show}") };
    assert_eq!((&import["scheme"], &remap["scheme"]), (&"uk-vics".into(), &"force-uk".into()));
    assert_eq!((&remap["action"], &remap["note"]), (&"remap".into(), &"letter of 3 March".into()));
    assert_eq!((&show["log"][1]["act"], show["log"][1]["user"].is_string()), (&"remap".into(), true));
    // An update needs the same scheme again: a code does not change its meaning on the way.
    let ran = place.run(["sets", "update", "x", "uk.json"]);
    assert!(ran.code == 2 && ran.err.contains("--scheme FILE.toml"), "{}", ran.err);
    sets(&place, &["update", "x", "uk.json", "--scheme", "force-uk.toml"]);
    let ran = place.run(["sets", "update", "x", "uk.json", "--scheme", "uk-vics"]);
    assert!(ran.code == 2 && ran.err.contains("remap it first"), "{}", ran.err);
}

/// Everything that stands in a file comes back from an export, member for member, and a second way through changes
/// nothing more.
#[test]
fn an_export_gives_back_every_member_that_a_source_states() {
    let place = Place::new();
    let [one, two, three] = [1, 2, 3].map(|n| digests(n).0);
    let sha256 = "0f".repeat(32);
    let text = format!(
        r#"{{"@odata.context":"x/DataModels/2.0.xml/US/$metadata#Media","value":[
        {{"MediaID":7,"Category":1,"MD5":"{one}","SHA256":"{sha256}","MediaSize":"10","Vendor":{{"b":[1, 2.50],"a":null}},
          "IsDistributed":true,"SelfGenerated":true,"DateUpdated":"/Date(1325376000000)/","PhotoDNA":"{}",
          "AlternativeHashes":[{{"HashName":"EDK","HashValue":"x"}}],"Exifs":[
            {{"PropertyName":"Make",
              "PropertyValue":"{two}"}}]}},
        {{"MediaID":"b-8","MD5":"oops","AlternativeHashes":[{{"HashName":"MD5","HashValue":"{two}"}},{{"HashName":"EDK","HashValue":"y"}}],"MediaSize":"12 kB"}},
        {{"MediaID":9,"MD5":"{three}","MediaSize":1,"MediaSize":2,"Tags":"a","tags":"b","PDQ":"short"}}]}}"#,
        "A".repeat(192)
    );
    std::fs::write(place.path("a.json"), &text).unwrap();
    let value =
        |name: &str| -> Value { serde_json::from_str(&std::fs::read_to_string(place.path(name)).unwrap()).unwrap() };
    sets(&place, &["import", "a.json", "--name", "one", "--scheme", "us-vics-2.0"]);
    sets(&place, &["export", "one", "--format", "vics", "--out", "one.json"]);
    let (before, after) = (value("a.json"), value("one.json"));
    let mut compared = 0;
    for (old, new) in before["value"].as_array().unwrap().iter().zip(after["value"].as_array().unwrap()) {
        for (name, wanted) in old.as_object().unwrap() {
            let got = &new[name];
            let same = match (got, wanted) {
                _ if name == "MediaSize" && got.is_number() => true,
                (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
                _ => got == wanted,
            };
            let beside =
                || new["avocet:also"].as_array().is_some_and(|all| all.iter().any(|m| m.get(name) == Some(wanted)));
            assert!(same || beside(), "{name}: {got} {wanted} {new}");
            compared += 1;
        }
    }
    assert_eq!(compared, 22, "every member of three records");
    let third = &after["value"][2];
    // Names that differ in nothing but case are one name to many readers.
    let also = serde_json::json!([{"MediaSize": 2}, {"tags": "b"}]);
    assert_eq!((&third["MediaSize"], &third["Tags"], &third["avocet:also"]), (&1.into(), &"a".into(), &also));
    assert_eq!(after["value"][1]["avocet:also"][0]["MD5"], "oops");
    let written = std::fs::read_to_string(place.path("one.json")).unwrap();
    assert!(written.contains(r#"{"b":[1, 2.50],"a":null}"#), "a value stands as it stood: {written}");

    sets(&place, &["import", "one.json", "--name", "two", "--scheme", "us-vics-2.0"]);
    sets(&place, &["export", "two", "--format", "vics", "--out", "two.json"]);
    assert_eq!(value("two.json"), after, "a second time nothing changes");
    sets(&place, &["export", "two", "--format", "csv", "--out", "two.csv"]);
    sets(&place, &["import", "two.csv", "--name", "three", "--scheme", "us-vics-2.0"]);
    let diff = json(&place, &["diff", "one", "three"]);
    assert_eq!((&diff["same"], &diff["changed"], &diff["added"]), (&3.into(), &0.into(), &0.into()), "{diff}");
    sets(&place, &["export", "three", "--format", "vics", "--out", "three.json"]);
    assert_eq!(value("three.json"), after, "through a table it is the same");
}

#[test]
fn an_import_says_how_far_it_is() {
    if !super::support::installed("script") {
        return super::support::skipped(1, "the program script, which makes a terminal, is not installed");
    }
    let place = Place::new();
    let rows: Vec<String> = (0..400_000u32).map(|n| format!("{n:032x}")).collect();
    place.csv("a.csv", "md5", &rows);
    let ran = place.shell("script -qec \"$AVOCET sets import a.csv --name x --scheme alert\" /dev/null");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("Reading") && ran.out.contains(" records"), "{}", ran.out);
    // Not where nobody looks, and not where it was asked to be quiet.
    let quiet = place.shell("script -qec \"$AVOCET sets import a.csv --name y --scheme alert --quiet\" /dev/null");
    assert!(quiet.code == 0 && !quiet.out.contains("Reading"), "{}", quiet.out);
    let piped = sets(&place, &["import", "a.csv", "--name", "z", "--scheme", "alert"]);
    assert!(!piped.err.contains("Reading"), "{}", piped.err);
}

/// A list gives its records no names: they are called by their lines, which move when the set is updated or the list
/// is edited. The record is the same all the same.
#[test]
fn a_record_without_a_name_is_the_same_after_an_update() {
    let place = Place::new();
    place.device("d");
    assert_eq!(place.examine("d", "p", &["--no-image-digest"]).code, 0);
    let row = place.list("p", &["--under", "/Pictures/IMG_0002.JPG"]).remove(0);
    let (sha1, size) = (row["sha1"].as_str().unwrap(), &row["size"]);
    let head = "sha1,size,category";
    place.csv("a.csv", head, &[format!("{},5,2", digests(7).1), format!("{sha1},{size},1")]);
    sets(&place, &["import", "a.csv", "--name", "pv", "--scheme", "us-vics-2.0"]);
    assert_eq!(place.examine("d", "x", &["--no-image-digest", "--known", "pv"]).code, 3);
    let matched = |x: &str| place.list(x, &["--under", "/Pictures/IMG_0002.JPG"]).remove(0)["matches"].clone();
    assert_eq!(matched("x")[0]["record"], "line 3");

    // The update adds something else, and the record is called by its line and its source from then on.
    place.csv("b.csv", head, &[format!("{},6,2", digests(8).1)]);
    sets(&place, &["update", "pv", "b.csv"]);
    let ran = place.run(["rematch", "x", "--known", "pv", "--out", "y"]);
    assert_eq!(matched("y")[0]["record"], "line 3 of a.csv");
    assert!(ran.err.contains("Matches gained: 0; lost: 0; changed: 0"), "{}", ran.err);
    // The publisher's next list has lines in front, and says something else of it.
    sets(&place, &["remove", "pv@1", "--reason", "x"]);
    sets(&place, &["remove", "pv@2", "--reason", "x"]);
    let more = [format!("{},5,2", digests(9).1), format!("{},5,2", digests(7).1)];
    place.csv("c.csv", head, &[&more[..], &[format!("{sha1},{size},1")]].concat());
    sets(&place, &["import", "c.csv", "--name", "pv", "--scheme", "us-vics-2.0"]);
    let ran = place.run(["rematch", "y", "--known", "pv", "--out", "z"]);
    assert_eq!(matched("z")[0]["record"], "line 4");
    assert!(ran.err.contains("Matches gained: 0; lost: 0; changed: 0"), "{}", ran.err);
    place.csv("e.csv", head, &[format!("{sha1},{size},2")]);
    sets(&place, &["update", "pv", "e.csv"]);
    let ran = place.run(["rematch", "z", "--known", "pv", "--out", "w"]);
    assert!(ran.err.contains("Matches gained: 1; lost: 0; changed: 0"), "{}", ran.err);
}
