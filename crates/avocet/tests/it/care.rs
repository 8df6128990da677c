//! Limits of exposure, an original out of the evidence, and an investigation that is done, from the command line.

use crate::record::{by, good, team};

/// A picture's first bytes and a body: enough to be listed as one.
fn picture(n: u8) -> Vec<u8> {
    [&b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01"[..], &[n; 500]].concat()
}

#[test]
fn an_original_is_written_out_with_a_reason_and_only_where_its_bytes_are_the_ones_examined() {
    let place = team();
    std::fs::create_dir(place.path("ev")).unwrap();
    for n in 1..=3 {
        std::fs::write(place.path(&format!("ev/secret name {n}.jpg")), picture(n)).unwrap();
    }
    assert_eq!(place.examine("ev", "x.examination", &[]).code, 0);
    let taken = r#"{"event":"exhibit","investigation":"I-1","exhibit":{"new":"E"},"fact":{"fact":"taken",
        "when":{"time":"2026-11-20T10:00Z"},"officer":"U-3","reference":"JC/1","kind":"camera","description":"black",
        "place":"room 1","source":{"kind":"agreement","giver":"suspect","scope":"all"}}}"#;
    std::fs::write(place.path("taken.json"), taken).unwrap();
    good(by(&place, "det", &["record", "add", "taken.json"]));
    good(by(&place, "exam", &["grading", "attach", "I-1", "E-1", "x.examination"]));
    let policy = ["grading", "policy", "I-1", "--scheme", "uk-2014@1", "--unknown-only", "--reason", "as agreed"];
    good(by(&place, "sup", &policy));
    let next = good(by(&place, "exam", &["--json", "review", "next", "I-1"]));
    let next: serde_json::Value = serde_json::from_str(&next).unwrap();
    let contents: Vec<&str> =
        next["items"].as_array().unwrap().iter().map(|item| item["sha256"].as_str().unwrap()).collect();
    assert_eq!(contents.len(), 3);

    let open = |who: &str, evidence: &str, reason: &str, out: &str| {
        let args = ["review", "original", "I-1", contents[0], "--examination", "x.examination", "--evidence", evidence];
        let ran = by(&place, who, &[&args[..], &["--reason", reason, "--out", out]].concat());
        assert!(!format!("{}{}", ran.out, ran.err).contains("secret name"), "{}{}", ran.out, ran.err);
        ran
    };
    assert_eq!(open("grad", "ev", "to compare", "a").code, 2, "a grader does not have the right");
    assert_eq!(open("exam", "ev", " ", "a").code, 2, "no reason");
    assert!(!place.path("a").try_exists().unwrap());
    let written = good(open("exam", "ev", "to compare with E-2", "a"));
    assert!(written.contains("its SHA-256 is the one asked for"), "{written}");
    let bytes = std::fs::read(place.path("a")).unwrap();
    assert!((1..=3).any(|n| bytes == picture(n)));
    assert_eq!(open("exam", "ev", "to compare with E-2", "a").code, 2, "something is there");
    // A copy is the same evidence; one that was altered is not, and leaves nothing behind.
    for altered in [false, true] {
        let copy = format!("copy {altered}");
        std::fs::create_dir(place.path(&copy)).unwrap();
        for n in 1..=3 {
            let bytes = if altered { picture(n + 3) } else { picture(n) };
            std::fs::write(place.path(&format!("{copy}/secret name {n}.jpg")), bytes).unwrap();
        }
        let ran = open("exam", &copy, "to compare with E-2", &format!("out {altered}"));
        assert_eq!(ran.code, if altered { 2 } else { 0 }, "{}", ran.err);
        assert_eq!(place.path(&format!("out {altered}")).try_exists().unwrap(), !altered);
    }
    let story = good(by(&place, "sup", &["record", "show", "E-1"]));
    assert_eq!(story.matches("original-opened").count(), 3, "{story}");
    assert_eq!(story.matches("reason: to compare with E-2").count(), 3, "{story}");
}

#[test]
fn limits_are_set_with_a_reason_and_show_to_whom_they_concern() {
    let place = team();
    let set = |who: &str, more: &[&str]| {
        let args = ["care", "limits", "set", "clear-minutes", "--propose", "20", "--hold", "40", "--reason", "agreed"];
        by(&place, who, &[&args[..], more].concat())
    };
    assert_eq!(set("grad", &["--team"]).code, 2);
    assert_eq!(set("sup", &["--user", "U-2"]).code, 2, "one's own");
    good(set("sup", &["--user", "U-5"]));
    good(set("sup", &["--team"]));
    let own = good(by(&place, "grad", &["care", "limits", "show"]));
    assert!(own.contains("clear-minutes") && own.contains("set for this person by U-2"), "{own}");
    assert!(own.contains("now: 0") && own.contains("reason: agreed"), "{own}");
    assert!(own.contains("without-a-break") && own.contains("as the table says"), "{own}");
    let of = |who: &str, user: &str| by(&place, who, &["care", "limits", "show", "--user", user]);
    let seen = good(of("sup", "U-5"));
    assert!(seen.contains("set for this person") && !seen.contains("now: "), "{seen}");
    assert_eq!(of("grad", "U-4").code, 2);
    assert!(good(by(&place, "exam", &["care", "limits", "show", "--team"])).contains("set for the team by U-2"));
    let lifted = good(by(&place, "sup", &["care", "limits", "lift", "--user", "U-5", "--reason", "two left"]));
    assert!(lifted.contains("nothing is held back until"), "{lifted}");
    good(by(&place, "sup", &["care", "limits", "reset", "clear-minutes", "--user", "U-5", "--reason", "over"]));
    assert!(good(by(&place, "grad", &["care", "limits", "show"])).contains("set for the team by U-2"));
}

#[test]
fn an_investigation_that_is_done_leaves_the_queue() {
    let place = team();
    let close = |more: &[&str]| by(&place, "sup", &[&["investigation", "close", "I-1"][..], more].concat());
    good(by(&place, "grad", &["risk", "danger", "I-1", "yes"]));
    let refused = close(&["--reason", "done"]);
    assert!(refused.code == 2 && refused.err.contains("a child may be in danger"), "{}", refused.err);
    good(by(&place, "grad", &["risk", "danger", "I-1", "no"]));
    good(close(&["--reason", "done"]));
    assert!(!good(by(&place, "sup", &["queue"])).contains("I-1"));
    good(by(&place, "grad", &["risk", "danger", "I-1", "yes"]));
    assert!(good(by(&place, "sup", &["queue"])).contains("I-1"));
}
