//! Reports of a grading, from an extract that is made up.

use avocet_base::Sha256;
use avocet_examination::{CompletenessRow, EvidenceRow, FileRow, Level, VolumeRow, Writer};

use crate::record::{TAKEN, by, good, team};
use crate::support::Place;

fn extract() -> String {
    let counted = |apart: &str| {
        format!(
            "[{{\"category\":\"B\",\"moving\":true,\"by\":\"exact-match\",{apart}\"count\":1}},\
             {{\"category\":\"C\",\"moving\":false,\"by\":\"viewed\",{apart}\"count\":1}}]"
        )
    };
    let content = |byte: &str, moving: bool, category: &str, by: &str| {
        format!(
            "{{\"sha256\":\"{}\",\"md5\":\"{}\",\"sha1\":\"{}\",\"bytes\":1000,\"moving\":{moving},\"category\":\"{category}\",\
             \"by\":\"{by}\",\"exhibits\":[\"E-1\"],\"states\":[\"allocated\"],\"files\":2}}",
            byte.repeat(32),
            byte.repeat(16),
            byte.repeat(20)
        )
    };
    format!(
        "{{\"extract\":\"avocet grading 1\",\"investigation\":\"I-1\",\"scheme\":\"uk-2014@1\",\"policy\":\"unknown\",\"totals\":{},\
         \"by_device\":{},\"without\":{{\"undecided\":3}},\"said_otherwise\":1,\"contents\":[{},{}]}}\n",
        counted(""),
        counted("\"exhibit\":\"E-1\",\"state\":\"live\","),
        content("11", false, "C", "viewed"),
        content("22", true, "B", "exact-match")
    )
}

#[test]
fn reports_say_what_the_extract_says_and_an_altered_one_is_refused() {
    let place = Place::new();
    std::fs::write(place.path("e.json"), extract()).unwrap();
    let schedule = place.run(["grading", "schedule", "e.json"]);
    assert_eq!(schedule.code, 0, "{}", schedule.err);
    assert!(schedule.out.contains("1  category C  still  E-1  live  viewed"), "{}", schedule.out);
    assert!(schedule.out.contains("1  category B  moving  E-1  live  by exact match"), "{}", schedule.out);
    assert!(schedule.out.contains("indecent photographs or pseudo-photographs"));
    let page = place.run(["grading", "sfr", "e.json", "--html", "e.html"]);
    assert_eq!(page.code, 0, "{}", page.err);
    let page = std::fs::read_to_string(place.path("e.html")).unwrap();
    assert!(page.contains("<td>C</td><td>still</td><td>viewed</td><td class=\"number\">1</td>"), "{page}");
    assert!(page.contains("3 further contents have no category"));
    // What was graded as none of the categories is no line of either, and is said.
    let none = extract().replace("\"category\":\"C\"", "\"category\":\"none\"");
    std::fs::write(place.path("none.json"), none).unwrap();
    let schedule = place.run(["grading", "schedule", "none.json"]).out;
    assert!(
        !schedule.contains("category none") && schedule.contains("Not counted above: 1 graded as none of these."),
        "{schedule}"
    );
    place.run(["grading", "sfr", "none.json", "--html", "none.html"]);
    let page = std::fs::read_to_string(place.path("none.html")).unwrap();
    assert!(
        !page.contains("<td>none</td>") && page.contains("Not counted above: 1 graded as none of these."),
        "{page}"
    );
    // So is a category on which its scheme does not alert: `Non-pertinent` is no line of a charge.
    let other = extract().replace("uk-2014@1", "us-vics-2.0@1").replace("\"category\":\"C\"", "\"category\":\"5\"");
    let other = other.replace("\"category\":\"B\"", "\"category\":\"1\"");
    std::fs::write(place.path("other.json"), other).unwrap();
    let schedule = place.run(["grading", "schedule", "other.json"]).out;
    assert!(schedule.contains("1  category 1  moving") && !schedule.contains("  category 5  "), "{schedule}");
    assert!(schedule.contains("1 in category 5, on which the scheme does not alert"), "{schedule}");
    std::fs::write(place.path("altered.json"), extract().replace("\"count\":1", "\"count\":2")).unwrap();
    let altered = place.run(["grading", "schedule", "altered.json"]);
    assert_eq!(altered.code, 2);
    assert!(altered.err.contains("its counts are not those of the contents"), "{}", altered.err);
}

/// Written as VICS, taken in as a known set, and given back: category, digests and the fields that only we write.
#[test]
fn a_grading_written_as_vics_comes_back_out_of_a_known_set_whole() {
    let place = Place::new();
    std::fs::write(place.path("e.json"), extract()).unwrap();
    let written = place.run(["grading", "export", "e.json", "--vics", "out.json", "--csv", "out.csv"]);
    assert_eq!(written.code, 0, "{}", written.err);
    assert!(written.out.contains("1 written; 1 left out"), "{}", written.out);
    let all = place.run(["grading", "export", "e.json", "--vics", "all.json", "--unviewed"]);
    assert!(all.out.contains("2 written; 0 left out"), "{}", all.out);
    assert_eq!(std::fs::read_to_string(place.path("out.csv")).unwrap().lines().count(), 2);
    let imported = place.run(["--store", "s", "sets", "import", "all.json", "--name", "own", "--scheme", "uk-2014"]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    let exported = place.run(["--store", "s", "sets", "export", "own", "--format", "vics", "--out", "back.json"]);
    assert_eq!(exported.code, 0, "{}", exported.err);
    let value = |name: &str| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(place.path(name)).unwrap();
        let all: serde_json::Value = serde_json::from_str(&text).unwrap();
        all["value"].as_array().unwrap().clone()
    };
    assert_eq!(value("back.json"), value("all.json"));
}

/// Seals a result that says of itself that its examination had not ended, or one that does not.
fn sealed(place: &Place, name: &str, interim: bool, pictures: &[u8]) {
    let mut writer = Writer::create(&place.path(name)).unwrap();
    writer.config("digests", "md5 sha1 sha256").unwrap();
    if interim {
        writer.config("interim", "1 of 3 files with content had been read").unwrap();
    }
    let evidence = EvidenceRow { kind: "raw".into(), media_size: 1 << 20, segments: 1, ..EvidenceRow::default() };
    writer.evidence(&evidence).unwrap();
    writer.volume(&VolumeRow { id: 1, label: "gpt:1".into(), ..VolumeRow::default() }).unwrap();
    for (id, byte) in (1..).zip(pictures) {
        let file = FileRow {
            id,
            volume: 1,
            path: format!("/{byte}"),
            kind: "file".into(),
            state: "allocated".into(),
            zone: "utc".into(),
            media: Some("picture".into()),
            sha256: Some(Sha256([*byte; 32])),
            ..FileRow::default()
        };
        writer.file(&file, &[]).unwrap();
    }
    let (code, text) = ("volume".to_owned(), "A line.".to_owned());
    writer.completeness(&CompletenessRow { seq: 1, level: Level::Done, code, count: 1, bytes: None, text }).unwrap();
    writer.seal(None).unwrap();
}

#[test]
fn an_interim_result_is_named_when_attached_extracted_and_reported_and_makes_way_for_the_whole() {
    let place = team();
    good(by(&place, "det", &TAKEN));
    sealed(&place, "interim.examination", true, &[1, 2]);
    sealed(&place, "whole.examination", false, &[1, 3, 4]);
    let said = good(by(&place, "exam", &["grading", "attach", "I-1", "E-1", "interim.examination"]));
    assert!(
        said.starts_with("X-1 is attached to E-1 as an interim result: ") && said.contains("had not ended"),
        "{said}"
    );
    good(by(&place, "sup", &["grading", "policy", "I-1", "--scheme", "uk-2014@1", "--reason", "local rule"]));
    let refused = by(&place, "sup", &["grading", "extract", "I-1", "--out", "e.json"]);
    assert!(refused.code == 2 && refused.err.contains("X-1 of E-1 is interim"), "{}", refused.err);
    assert!(!place.path("e.json").try_exists().unwrap());
    good(by(&place, "sup", &["grading", "extract", "I-1", "--out", "e.json", "--interim"]));
    let words = "X-1 is an interim result: its examination had not ended";
    let schedule = place.run(["grading", "schedule", "e.json"]);
    assert!(schedule.code == 0 && schedule.out.contains(words), "{}{}", schedule.out, schedule.err);
    assert_eq!(place.run(["grading", "sfr", "e.json", "--html", "e.html"]).code, 0);
    assert!(std::fs::read_to_string(place.path("e.html")).unwrap().contains(words));
    // The whole one takes its place without being told to, and says what of it is not there.
    let said = good(by(&place, "exam", &["grading", "attach", "I-1", "E-1", "whole.examination"]));
    assert!(said.starts_with("X-2 is attached to E-1: ") && said.contains("It takes the place of X-1"), "{said}");
    assert!(said.contains("1 content of X-1 is not in it"), "{said}");
    good(by(&place, "sup", &["grading", "extract", "I-1", "--out", "whole.json"]));
    assert!(!place.run(["grading", "schedule", "whole.json"]).out.contains("interim"));
}
