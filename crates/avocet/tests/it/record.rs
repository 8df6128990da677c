//! A team's record from the command line: accounts, investigations, risk, the queue, the ledger, erasing, copies.

use std::process::Command;

use serde_json::Value;

use super::support::{Place, Ran};

const PASSWORD: &str = "a long enough password";

/// Runs `avocet` as somebody on the store `team` of this folder.
pub fn by(place: &Place, login: &str, args: &[&str]) -> Ran {
    at(place, "team", login, args)
}

fn at(place: &Place, store: &str, login: &str, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_avocet"))
        .args(args)
        .current_dir(place.dir.path())
        .env("AVOCET_STORE", place.path(store))
        .env("AVOCET_STORE_KEY", "store-key")
        .env("AVOCET_USER", login)
        .env("AVOCET_PASSWORD", PASSWORD)
        .env("AVOCET_NEW_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    output.into()
}

pub const TAKEN: [&str; 17] = [
    "exhibit",
    "taken",
    "I-1",
    "--reference",
    "JC/1",
    "--kind",
    "phone",
    "--description",
    "black",
    "--place",
    "room 2",
    "--source",
    "power:search",
    "--serial",
    "IMEI=351",
    "--at",
    "2026-11-21T07:10Z",
];

/// A charge with its schedule, a disposal and a device; an order with its lines and a visit: told at once what is missing.
#[test]
fn outcome_and_order() {
    let place = team();
    let ran = |login: &str, args: &[&str]| good(by(&place, login, args));
    ran("det", &TAKEN);
    let charge = ["outcome", "charge", "I-1", "--offence", "pca-1978-s1", "--decided-by", "CPS"];
    assert!(ran("det", &charge).starts_with("O-1 recorded as entry"));
    let mut wrong = charge;
    wrong[4] = "theft";
    let refused = by(&place, "det", &wrong);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("there is no offence theft; there are pca-1978-s1"), "{}", refused.err);
    let bad = by(&place, "det", &["outcome", "schedule", "O-1", "--line", "A,drawn,E-1,12,yes"]);
    assert!(bad.code == 2 && bad.err.contains("neither still nor moving"), "{}", bad.err);
    let line = [
        "outcome",
        "schedule",
        "O-1",
        "--line",
        "A,still,E-1,12,yes,2024-01-03..2024-05-01",
        "--line",
        "B,moving,E-1,2,-",
    ];
    let told = by(&place, "det", &line);
    assert_eq!(told.code, 0, "{}", told.err);
    assert!(told.err.contains("charge 1, line 2 of entry") && told.err.contains("nobody has said"), "{}", told.err);
    let end = [
        "outcome",
        "dispose",
        "I-1",
        "--outcome",
        "O-1",
        "--charge",
        "1",
        "--disposal",
        "convicted",
        "--authority",
        "Court 1",
    ];
    ran("det", &end);
    // The device: for the supervisor to decide.
    let device = ["outcome", "device", "O-1", "E-1", "destroy", "--authority", "order 7"];
    assert_eq!(by(&place, "det", &device).code, 2);
    assert!(ran("sup", &["outcome", "list", "I-1"]).contains("E-1 is held and nothing is decided about it"));
    ran("sup", &device);
    let list: Value = serde_json::from_str(&ran("det", &["outcome", "list", "I-1", "--json"])).unwrap();
    assert_eq!(list[0]["final"], true);
    assert_eq!(
        list[0]["totals"][0],
        serde_json::json!({"category": "A", "medium": "still", "accessible": "yes", "count": 12})
    );
    assert_eq!(list[0]["devices"][0]["decision"], "destroy");
    assert!(list[0]["findings"].as_array().unwrap().iter().any(|f| f.as_str().unwrap().contains("destruction is due")));

    let made =
        ["order", "made", "I-1", "--kind", "notification", "--court", "conviction of O-1", "--at", "2026-11-20T15:00Z"];
    assert_eq!(by(&place, "det", &made).code, 2, "not a detective's");
    assert!(ran("sup", &made).starts_with("M-1 recorded as entry"));
    ran("sup", &["order", "officer", "M-1", "U-2"]);
    ran("sup", &["order", "level", "M-1", "high"]);
    ran("sup", &["order", "visited", "M-1", "--seen", "yes", "--check", "1=kept", "--at", "2026-11-21T10:00Z"]);
    let list = ran("sup", &["order", "list", "I-1"]);
    let first = "2026-11-23T00:00:00Z: line 1: First notification";
    assert!(list.contains(first) && list.contains("line 1  initial: kept on 2026-11-21T10:00:00Z"), "{list}");
    assert!(list.contains("2027-02-21T10:00:00Z: visit (High)"), "{list}");
    ran("sup", &["order", "notified", "M-1", "--line", "1", "--at", "2026-11-22T10:00Z"]);
    let list: Value = serde_json::from_str(&ran("sup", &["order", "list", "I-1", "--json"])).unwrap();
    let due: Vec<&str> = list[0]["due"].as_array().unwrap().iter().map(|due| due["what"].as_str().unwrap()).collect();
    assert_eq!(due, ["visit (High)", "line 4: Notification every year"]);
    assert_eq!(list[0]["findings"], serde_json::json!([]));
    // Varied: what stays keeps its number, its words and what was found of it; what is new gets a number of its own.
    let second = "order made I-1 --kind shpo --court Court_1 --until 2031-12-01T00:00Z --at 2026-11-20T15:00Z \
                  --line keep-history --line monitoring-software --words no_such_words";
    ran("sup", &second.split_whitespace().collect::<Vec<_>>());
    ran("sup", &["order", "visited", "M-2", "--seen", "yes", "--check", "3=unclear", "--at", "2026-11-21T10:00Z"]);
    let varied = |more: &'static str| {
        let args = "order varied M-2 --court Court_2 --at 2026-11-22T10:00Z ";
        by(&place, "sup", &args.split_whitespace().chain(more.split_whitespace()).collect::<Vec<_>>())
    };
    let refused = varied("--gone 4");
    assert!(refused.code == 2 && refused.err.contains("no line 4 that stands; there are 1, 2, 3"), "{}", refused.err);
    assert!(varied("--line no-such").err.contains("there is no line no-such"));
    good(varied("--gone 2 --words other_words"));
    let order = || -> Value {
        let list: Value = serde_json::from_str(&ran("sup", &["order", "list", "I-1", "--json"])).unwrap();
        list[1].clone()
    };
    let lines = |order: &Value| -> Vec<(u64, Value)> {
        let lines = order["lines"].as_array().unwrap().iter();
        lines.map(|line| (line["line"].as_u64().unwrap(), line["found"].clone())).collect()
    };
    let now = order();
    assert_eq!(lines(&now), [(1, Value::Null), (3, "unclear".into()), (4, Value::Null)]);
    assert_eq!(now["until"], "2031-12-01T00:00:00Z", "as before");
    good(varied("--gone 4 --line monitoring-software --until-further-order"));
    let now = order();
    assert_eq!(lines(&now), [(1, Value::Null), (3, "unclear".into()), (5, Value::Null)]);
    assert_eq!((&now["until"], &now["lines"][2]["row"]), (&Value::Null, &"monitoring-software".into()));
    assert_eq!(now["lines"][1]["words"], "no_such_words");
    let told = ran("sup", &["record", "show", "M-2"]);
    assert_eq!(told.matches("no_such_words").count(), 3, "the words are still readable in each: {told}");
}

pub fn good(ran: Ran) -> String {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran.out
}

/// A store with an administrator U-1, a supervisor U-2, a detective U-3, an examiner U-4, a grader U-5 and an auditor U-6,
/// and an investigation I-1 of the supervisor's with all but the auditor on it.
pub fn team() -> Place {
    let place = Place::new();
    let made = Command::new(env!("CARGO_BIN_EXE_avocet"))
        .args(["init", "--new-key", "store-key", "--admin", "adm", "--title", "Test team"])
        .current_dir(place.dir.path())
        .env("AVOCET_STORE", place.path("team"))
        .env("AVOCET_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    good(made.into());
    for (login, role) in
        [("sup", "supervisor"), ("det", "detective"), ("exam", "examiner"), ("grad", "grader"), ("aud", "auditor")]
    {
        good(by(&place, "adm", &["user", "add", login, "--role", role, "--name", "Person 1"]));
    }
    let open = ["investigation", "open", "--title", "Operation Heron", "--received", "2026-11-20T09:30Z"];
    assert!(good(by(&place, "sup", &open)).starts_with("I-1 is open"));
    for user in ["U-3", "U-4", "U-5"] {
        good(by(&place, "sup", &["investigation", "join", "I-1", user]));
    }
    place
}

#[test]
fn the_child_in_danger_comes_first_and_the_queue_says_why() {
    let place = team();
    let open = ["investigation", "open", "--title", "Operation Teal", "--received", "2026-11-23T09:30Z"];
    good(by(&place, "sup", &open));
    let assess = [
        "risk",
        "assess",
        "I-1",
        "--level",
        "high",
        "--tool",
        "KIRAT",
        "--tool-version",
        "2",
        "--factor",
        "q1=yes",
        "--factor",
        "q2=3",
        "--reason",
        "Note 17",
    ];
    good(by(&place, "det", &assess));
    let first = |ran: Ran| -> Value { serde_json::from_str::<Value>(&good(ran)).unwrap()[0]["investigation"].clone() };
    assert_eq!(first(by(&place, "det", &["queue", "--json"])), "I-2", "not assessed stands as very high");
    good(by(&place, "sup", &["risk", "override", "I-2", "--level", "low", "--reason", "Note 18"]));
    assert_eq!(first(by(&place, "det", &["queue", "--json"])), "I-1");
    // Not on I-2, and yet what protects a child is recorded.
    good(by(&place, "det", &["risk", "danger", "I-2", "yes"]));
    let queue = good(by(&place, "det", &["queue"]));
    assert!(queue.starts_with("  1. I-2  (not yours)"), "{queue}");
    assert!(queue.contains("a child may be in danger now, recorded by U-3"), "{queue}");
    let acted = ["risk", "acted", "I-2", "social-care-told", "--at", "2026-11-24T10:00Z", "--body", "Council 1"];
    good(by(&place, "det", &acted));
    assert!(good(by(&place, "sup", &["risk", "show", "I-2"])).contains("children's social care told"));

    let level = by(&place, "det", &["risk", "assess", "I-1", "--level", "huge"]);
    assert_eq!(level.code, 2);
    assert!(level.err.contains("very-high, high, medium, low"), "{}", level.err);
    let stale = by(&place, "det", &["risk", "assess", "I-1", "--level", "low", "--seen", "1"]);
    assert_eq!(stale.code, 2, "somebody changed it since");
    assert!(stale.err.contains("nothing of yours was written"), "{}", stale.err);
    let zone = by(&place, "sup", &["investigation", "open", "--title", "x", "--received", "2026-11-20T09:30"]);
    assert_eq!(zone.code, 2, "a time without its offset is not guessed");
}

#[test]
fn personal_text_is_read_by_those_who_may_and_by_nobody_once_erased() {
    let place = team();
    good(by(&place, "det", &["risk", "assess", "I-1", "--level", "high", "--reason", "Note 17 of Person 1"]));
    let shown = good(by(&place, "det", &["record", "show", "I-1"]));
    assert!(shown.contains("reason: Note 17 of Person 1"), "{shown}");
    let whole = std::fs::read(place.path("team/record.db")).unwrap();
    for clear in [&b"Person 1"[..], b"Note 17"] {
        assert!(!whole.windows(clear.len()).any(|w| w == clear), "personal text lies in the clear");
    }
    assert_eq!(by(&place, "aud", &["record", "show", "I-1"]).code, 2, "an auditor sees no content");
    let ledger = good(by(&place, "aud", &["ledger", "show"]));
    assert!(ledger.contains("risk-assessed") && ledger.contains("viewed") && !ledger.contains("Note"), "{ledger}");

    good(by(&place, "adm", &["record", "backup", "copy"]));
    let erase = ["record", "erase", "I-1", "--authority", "Order 1", "--reason", "asked for", "--investigation", "I-1"];
    assert_eq!(by(&place, "adm", &erase).code, 2, "an administrator does not decide this");
    good(by(&place, "sup", &erase));
    let shown = good(by(&place, "det", &["record", "show", "I-1"]));
    assert!(shown.contains("reason: (erased: K-") && !shown.contains("Person 1"), "{shown}");
    good(by(&place, "aud", &["ledger", "verify"]));

    // The copy was made before; out of it comes a record in which the erased stay erased.
    let restore = ["record", "restore", "copy", "--reason", "the disk failed"];
    assert_eq!(at(&place, "new", "adm", &restore).code, 2, "the list of erased keys is asked for");
    let lost = ["record", "restore", "copy", "--reason", "the disk failed", "--erased", "none"];
    assert_eq!(at(&place, "new", "adm", &lost).code, 2, "a list that is not there is no empty one");
    let list = ["record", "restore", "copy", "--reason", "the disk failed", "--erased", "team/erased.keys"];
    good(at(&place, "new", "adm", &list));
    let shown = good(at(&place, "new", "det", &["record", "show", "I-1"]));
    assert!(shown.contains("reason: (erased: K-") && !shown.contains("Note 17"), "{shown}");
    good(at(&place, "new", "adm", &["ledger", "verify"]));
    good(at(&place, "new", "adm", &["record", "rebuild", "--check"]));
    assert_eq!(at(&place, "new", "adm", &list).code, 2, "a record is never written over");
}

#[test]
fn the_ledger_shows_tampering_and_a_tail_cut_off() {
    let place = team();
    good(by(&place, "nobody", &["ledger", "verify"]));
    good(by(&place, "sup", &["risk", "danger", "I-1", "no"]));
    good(by(&place, "adm", &["ledger", "checkpoint", "kept"]));
    let copied = place.shell("cp -r team earlier && sqlite3 -version > /dev/null 2>&1; echo $?").out;
    good(by(&place, "sup", &["risk", "danger", "I-1", "unknown"]));
    good(by(&place, "adm", &["ledger", "checkpoint", "later"]));
    let whole = good(by(&place, "adm", &["ledger", "verify", "--checkpoint", "kept", "--checkpoint", "later"]));
    assert!(whole.starts_with("The ledger is whole"), "{whole}");
    // Head and database put back together to an earlier day: only a checkpoint kept elsewhere knows.
    good(at(&place, "earlier", "adm", &["ledger", "verify"]));
    let cut = at(&place, "earlier", "adm", &["ledger", "verify", "--checkpoint", "later"]);
    assert_eq!(cut.code, 3, "{}", cut.out);
    assert!(cut.out.contains("the end of the ledger was cut off"), "{}", cut.out);
    if copied.trim() != "0" {
        println!("1 case skipped: sqlite3 is not there");
        return;
    }
    let meddled =
        place.shell("sqlite3 team/record.db \"UPDATE content SET body = replace(body, '\\\"no\\\"', '\\\"yes\\\"')\"");
    assert_eq!(meddled.code, 0, "{}", meddled.err);
    let found = by(&place, "adm", &["ledger", "verify", "--json"]);
    assert_eq!(found.code, 3, "{}", found.out);
    let found: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!(found["sound"], false);
    assert!(found["faults"][0].as_str().unwrap().contains("was altered"), "{found}");
}

#[test]
fn an_examination_is_attached_and_its_media_are_voted_on() {
    let place = team();
    place.demo();
    let ran = place.examine("demo/demo-device.dd", "x.examination", &[]);
    assert!(matches!(ran.code, 0 | 3 | 4), "{}", ran.err);
    let attach = ["grading", "attach", "I-1", "E-1", "x.examination"];
    assert_eq!(by(&place, "exam", &attach).code, 2, "there is no such exhibit");
    good(by(&place, "det", &TAKEN));
    assert_eq!(by(&place, "grad", &attach).code, 2, "a grader does not attach");
    assert!(good(by(&place, "exam", &attach)).starts_with("X-1 is attached to E-1"));
    let policy = ["grading", "policy", "I-1", "--scheme", "uk-2014@1", "--reason", "local rule"];
    good(by(&place, "sup", &policy));
    let media: Value = serde_json::from_str(&good(by(&place, "grad", &["grading", "media", "I-1", "--json"]))).unwrap();
    let all = media.as_array().unwrap().len();
    assert!(all > 3, "{media}");
    let sha256 = media[0]["sha256"].as_str().unwrap();
    good(by(&place, "grad", &["grading", "vote", "I-1", sha256, "--category", "C"]));
    let totals: Value =
        serde_json::from_str(&good(by(&place, "sup", &["grading", "totals", "I-1", "--json"]))).unwrap();
    let sum: i64 = totals.as_object().unwrap().values().map(|n| n.as_i64().unwrap()).sum();
    assert_eq!(sum, all as i64, "{totals}");
    assert!(totals.as_object().unwrap().iter().any(|(what, n)| what.ends_with(" C") && *n == 1), "{totals}");
    let shown = good(by(&place, "grad", &["grading", "show", "I-1", sha256]));
    assert!(shown.contains("on E-1 (X-1)"), "{shown}");
    let stray = "0".repeat(64);
    assert_eq!(by(&place, "grad", &["grading", "vote", "I-1", &stray, "--category", "C"]).code, 2);

    // A second view is asked for and given by another person; agreement is told for the whole, to a supervisor only.
    let ran = |login: &str, args: &[&str]| good(by(&place, login, args));
    let outcome = || {
        let shown: Value = serde_json::from_str(&ran("grad", &["grading", "show", "I-1", sha256, "--json"])).unwrap();
        shown["outcome"].as_str().unwrap().to_owned()
    };
    ran("grad", &["grading", "second-view", "I-1", sha256, "--reason", "legal-line"]);
    assert_eq!(outcome(), "second-view");
    let unasked = ["grading", "vote", "I-1", sha256, "--category", "C", "--purpose", "second-view", "--blind"];
    assert_eq!(by(&place, "sup", &unasked).code, 2, "blind is only a view that was given without the votes");
    assert!(ran("sup", &["review", "next", "I-1", "--work", "second"]).contains(sha256));
    ran("sup", &unasked);
    assert!(outcome().ends_with(" C"), "{}", outcome());
    assert_eq!(by(&place, "grad", &["grading", "agreement", "I-1"]).code, 2, "a grader does not see agreement");
    let agreement: Value = serde_json::from_str(&ran("sup", &["grading", "agreement", "I-1", "--json"])).unwrap();
    assert_eq!(agreement["second_views"]["blind"]["first_second_count"], serde_json::json!([["C", "C", 1]]));
    assert_eq!(agreement["second_views"]["all"]["kappa"], Value::Null, "one category: kappa is not defined");
    assert!(ran("sup", &["grading", "agreement", "I-1"]).contains("kappa is not defined"));
    let sample: Value = serde_json::from_str(&ran("sup", &["grading", "sample", "I-1", "--json"])).unwrap();
    assert_eq!((&sample["voted"], &sample["per_1000"]), (&serde_json::json!(1), &serde_json::json!(100)));
    assert_eq!(by(&place, "grad", &["grading", "sample", "I-1"]).code, 2, "a grader does not see the sample");
    // One's own vote can be withdrawn, once.
    ran("grad", &["grading", "withdraw", "I-1", sha256, "--reason", "slip"]);
    let again = by(&place, "grad", &["grading", "withdraw", "I-1", sha256, "--reason", "slip"]);
    assert!(again.code == 2 && again.err.contains("only one's own"), "{}", again.err);

    // What a set says: only of what is there, and trusted only where the set says so.
    let other = media[1]["sha256"].as_str().unwrap();
    let third = media[2]["sha256"].as_str().unwrap();
    let list = format!("sha256,category,trusted\n{other},A,yes\n{third},A,no\n{stray},B,yes\n");
    std::fs::write(place.path("set.csv"), list).unwrap();
    let import = ["grading", "import", "I-1", "set.csv", "--set", "Set 1@3"];
    assert_eq!(by(&place, "grad", &import).code, 2, "a grader does not import");
    let said = ran("exam", &import);
    assert!(said.starts_with("2 categories recorded, 0 known from this version already, 1 of contents"), "{said}");
    let said = ran("exam", &import);
    assert!(said.starts_with("0 categories recorded, 2 known from this version already"), "{said}");
    let of = |sha256: &str| ran("grad", &["grading", "show", "I-1", sha256]);
    assert!(of(other).contains(" A\n"), "{}", of(other));
    assert!(of(third).contains("undecided"), "what is not trusted decides nothing: {}", of(third));
    // The same of a VICS file: what it says is the same fact.
    let media = |sha256: &str| {
        format!("{{\"Category\":\"A\",\"AlternativeHashes\":[{{\"HashName\":\"SHA256\",\"HashValue\":\"{sha256}\"}}]}}")
    };
    let vics = format!("{{\"value\":[{{\"Media\":[{},{}]}}]}}", media(third), media(&"1".repeat(64)));
    std::fs::write(place.path("case.json"), vics).unwrap();
    let import_vics = ["grading", "import", "I-1", "case.json", "--set", "Set 1@3"];
    let refused = by(&place, "exam", &import_vics);
    assert!(refused.code == 2 && refused.err.contains("does not say the scheme"), "{}", refused.err);
    let other_scheme = [&import_vics[..], &["--scheme", "us-vics-2.0@1"]].concat();
    let refused = by(&place, "exam", &other_scheme);
    assert!(refused.code == 2 && refused.err.contains("cannot be translated"), "{}", refused.err);
    let said = ran("exam", &[&import_vics[..], &["--scheme", "uk-2014@1"]].concat());
    assert!(
        said.starts_with("1 record left out: of contents that the investigation does not have.\n0 categories"),
        "{said}"
    );
    assert!(said.contains("0 categories recorded, 1 known from this version already"), "{said}");
    std::fs::write(place.path("set.csv"), "sha256,category,trusted\nnothing,A,yes\n").unwrap();
    let refused = by(&place, "exam", &import);
    assert!(refused.code == 2 && refused.err.contains("line 2"), "{}", refused.err);
}

#[test]
fn an_agreement_that_is_withdrawn_and_an_exhibit_that_is_kept() {
    let place = team();
    let ran = |login: &str, args: &[&str]| good(by(&place, login, args));
    let mut taken = TAKEN;
    taken[12] = "agreement:witness:messages of May";
    let took = by(&place, "det", &taken);
    assert_eq!(took.code, 0, "{}", took.err);
    ran("det", &["exhibit", "agreement-withdrawn", "E-1", "--at", "2026-11-22T10:00Z"]);
    let kept = [
        "exhibit",
        "retained",
        "E-1",
        "--authority",
        "order 7",
        "--review",
        "2027-01-24T10:00Z",
        "--at",
        "2026-11-22T10:01Z",
    ];
    ran("sup", &kept);
    let examined =
        ["exhibit", "examined", "E-1", "--what", "imaged", "--within-scope", "yes", "--at", "2026-11-22T11:00Z"];
    let said = by(&place, "det", &examined);
    assert!(said.err.contains("after its giver withdrew"), "{}{}", said.out, said.err);
}

#[test]
fn drafts_are_sealed_numbered_and_refused_without_repeating_them() {
    let place = team();
    let add = |text: &str, login: &str| {
        std::fs::write(place.path("draft.json"), text).unwrap();
        by(&place, login, &["record", "add", "draft.json"])
    };
    let fact = r#"{"event":"risk","fact":{"fact":"danger_stated","investigation":"I-1","danger":"unknown",
        "reason":{"personal":"Person 2 said so"}}}"#;
    good(add(fact, "det"));
    assert!(good(by(&place, "det", &["record", "show", "I-1"])).contains("Person 2 said so"));
    for wrong in [
        r#"{"event":"risk","fact":{"fact":"danger_stated","investigation":"I-1","danger":"Person 2"}}"#,
        r#"{"event":"key_made","key":"K-9","holder":"I-1"}"#,
        r#"{"event":"store_made","key":"00","title":"x"}"#,
        r#"{"event":"risk","fact":{"fact":"danger_stated","investigation":"I-9","danger":"yes"}}"#,
        r#"{"event":"risk","fact":{"fact":"danger_stated","investigation":"I-1","danger":"no","reason":{"personal":"x","of":"I-2"}}}"#,
        r#"{"event":"risk","fact":{"fact":"danger_stated","investigation":"I-1","danger":"heron"}}"#,
        r#"{"event":"risk","fact":{"fact":"heron","investigation":"I-1"}}"#,
        r#"{"event":"risk","fact":{"fact":"danger_stated","investigation":"I-1","danger":"no","heron":1}}"#,
        "not JSON: Person 2",
    ] {
        let ran = add(wrong, "det");
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.err);
        assert!(!ran.err.contains("Person 2") && !ran.err.contains("heron"), "{}", ran.err);
    }
    let ledger = good(by(&place, "aud", &["ledger", "show", "--json"]));
    assert_eq!(ledger.matches("\"danger-stated\"").count(), 1, "what was refused is not on the ledger");
}

#[test]
fn continuity_is_shown_and_what_does_not_fit_is_said_at_once() {
    let place = team();
    assert!(good(by(&place, "det", &TAKEN)).starts_with("E-1 recorded"));
    good(by(&place, "det", &["exhibit", "seal", "E-1", "S100", "--at", "2026-11-21T07:20Z"]));
    let handed =
        by(&place, "det", &["exhibit", "hand-over", "E-1", "--to", "U-4", "--at", "2026-11-21T09:00Z", "--json"]);
    let entry = serde_json::from_str::<Value>(&good(handed)).unwrap()["entry"].to_string();
    let listed = good(by(&place, "exam", &["exhibit", "list", "I-1"]));
    assert!(listed.starts_with("1 thing to look at:") && listed.contains("not confirmed"), "{listed}");
    good(by(&place, "exam", &["exhibit", "received", "E-1", &entry, "--at", "2026-11-21T09:00Z"]));
    let listed = good(by(&place, "exam", &["exhibit", "list", "I-1"]));
    assert!(listed.contains("E-1    JC/1  phone") && listed.contains("with U-4, sealed with S100"), "{listed}");
    assert!(!listed.contains("look at"), "{listed}");
    // A seal that was never put on.
    let wrong =
        by(&place, "exam", &["exhibit", "open", "E-1", "S999", "--reason", "imaging", "--at", "2026-11-21T10:00Z"]);
    assert!(wrong.err.contains("but seal S100 was put on"), "{}", wrong.err);
    let shown = good(by(&place, "sup", &["exhibit", "show", "E-1"]));
    assert!(shown.starts_with("Look at this: ") && shown.contains("seal S999 opened by U-4: imaging"), "{shown}");
    let left = [
        "exhibit",
        "excluded",
        "I-1",
        "--kind",
        "camera",
        "--description",
        "old",
        "--place",
        "attic",
        "--reason",
        "no storage",
    ];
    assert!(good(by(&place, "det", &left)).starts_with("E-2"));
    let part = [
        "exhibit",
        "taken",
        "I-1",
        "--reference",
        "JC/1/A",
        "--kind",
        "SIM",
        "--description",
        "white",
        "--place",
        "in JC/1",
        "--source",
        "parent",
        "--parent",
        "E-1",
    ];
    good(by(&place, "exam", &part));
    let listed = good(by(&place, "det", &["exhibit", "list", "I-1", "--json"]));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    assert_eq!(listed[1]["where"], "left at the scene");
    let elsewhere = [
        "exhibit",
        "taken",
        "I-1",
        "--reference",
        "JC/9",
        "--kind",
        "SIM",
        "--description",
        "x",
        "--place",
        "x",
        "--source",
        "parent",
        "--parent",
        "E-99",
    ];
    assert_eq!(by(&place, "exam", &elsewhere).code, 2, "no such parent");
    assert_eq!(by(&place, "aud", &["exhibit", "show", "E-1"]).code, 2);
    good(by(&place, "adm", &["record", "rebuild", "--check"]));
}

const TIP: &str = r#"<report><reportId>4711</reportId>
  <incidentSummary><incidentType>Test</incidentType><escalateToHighPriority>yes</escalateToHighPriority></incidentSummary>
  <personOrUserReported><espService>Example</espService><espIdentifier>User-17</espIdentifier>
    <ipCaptureEvent><ipAddress>192.0.2.7</ipAddress><dateTime>2026-03-01T10:00:00Z</dateTime><port>40001</port></ipCaptureEvent>
    <deviceId><idType>IMEI</idType><idValue>35-2099</idValue></deviceId>
    <newThing>kept</newThing></personOrUserReported></report>"#;

#[test]
fn a_lead_is_taken_in_whole_found_again_elsewhere_and_gone_when_erased() {
    let place = team();
    std::fs::write(place.path("tip.xml"), TIP).unwrap();
    std::fs::write(place.path("lead.csv"), "reference,service,account,ip\nB-2,Example,User-17,192.0.2.7\n").unwrap();
    std::fs::write(place.path("odd.bin"), [0u8, 1, 2]).unwrap();
    let add = |file: &str, source: &str| {
        by(&place, "det", &["referral", "add", file, "--source", source, "--received", "2026-11-21T08:00Z"])
    };
    let one = good(add("tip.xml", "ncmec-cybertip"));
    assert!(one.starts_with("R-1 is taken in.") && one.contains("Flag: escalated by the sender"), "{one}");
    assert!(one.contains("11 fields read, 1 of them kept without being modelled; 1 IP event"), "{one}");
    assert!(one.contains("192.0.2.7  port 40001  2026-03-01T10:00:00Z"), "{one}");
    // The same account and address: told at intake.
    let two = good(add("lead.csv", "partner-force"));
    assert!(two.contains("Same account: R-2 and R-1, in no investigation yet; nobody looked at it yet"), "{two}");
    assert!(two.contains("Same IP address (weak"), "{two}");
    assert!(good(add("odd.bin", "public")).contains("NOT READ: "), "anything is taken in");
    let unknown = add("tip.xml", "nowhere");
    assert!(unknown.code == 2 && unknown.err.contains("ncmec-cybertip"), "{}", unknown.err);

    // Opened on a referral, the investigation has its time and its flags.
    let open = ["investigation", "open", "--title", "Operation Teal", "--referral", "R-1"];
    assert!(good(by(&place, "sup", &open)).starts_with("I-2"));
    assert_eq!(by(&place, "sup", &open).code, 2, "a referral belongs to one investigation");
    let queue = good(by(&place, "det", &["queue"]));
    assert!(queue.contains("escalated by the sender"), "{queue}");
    // On a later addition: the device of the lead is seized in another investigation.
    let mut taken = TAKEN;
    taken[14] = "IMEI=352099";
    good(by(&place, "det", &taken));
    let found = good(by(&place, "det", &["conflicts", "show", "I-1"]));
    assert_eq!(found, "Same device: E-1 and R-1, in I-2, led by U-2; nobody looked at it yet\n");
    good(by(&place, "det", &["conflicts", "note", "E-1", "R-1", "seen", "--reason", "told U-2"]));
    for (who, id) in [("det", "I-1"), ("sup", "I-2")] {
        let found = good(by(&place, who, &["conflicts", "show", id]));
        assert!(found.contains("seen by U-3"), "{found}");
    }
    assert_eq!(by(&place, "det", &["conflicts", "note", "E-1", "R-3", "seen", "--reason", "x"]).code, 2);

    good(by(&place, "det", &["referral", "original", "R-1", "--out", "again.xml"]));
    assert_eq!(std::fs::read_to_string(place.path("again.xml")).unwrap(), TIP, "byte for byte");
    let shown = good(by(&place, "det", &["referral", "show", "R-1"]));
    assert!(shown.contains("report/personOrUserReported/newThing: kept  (kept, not modelled)"), "{shown}");
    let whole = std::fs::read(place.path("team/record.db")).unwrap();
    for clear in [&b"User-17"[..], b"192.0.2.7", b"newThing"] {
        assert!(!whole.windows(clear.len()).any(|w| w == clear), "what a lead says lies in the clear");
    }
    assert_eq!(by(&place, "aud", &["referral", "show", "R-1"]).code, 2);

    let erase = ["record", "erase", "R-1", "--authority", "Order 1", "--reason", "x", "--investigation", "I-2"];
    good(by(&place, "sup", &erase));
    assert!(good(by(&place, "det", &["referral", "show", "R-1"])).contains("What it says was erased."));
    assert_eq!(by(&place, "det", &["referral", "original", "R-1", "--out", "third.xml"]).code, 2);
    let found = good(by(&place, "det", &["conflicts", "show", "R-2"]));
    assert_eq!(found, "Nothing of R-2 stands in another record.\n", "who was erased is not found any more");
    good(by(&place, "adm", &["record", "rebuild", "--check"]));
    good(by(&place, "adm", &["ledger", "verify"]));
}

#[test]
fn a_warrant_rests_on_ip_events_that_a_second_person_confirmed() {
    let place = team();
    std::fs::write(place.path("tip.xml"), TIP).unwrap();
    std::fs::write(place.path("answer.pdf"), "the operator's answer").unwrap();
    good(by(
        &place,
        "det",
        &["referral", "add", "tip.xml", "--source", "ncmec-cybertip", "--received", "2026-11-21T08:00Z"],
    ));
    assert_eq!(by(&place, "det", &["ip", "take", "R-1"]).code, 2, "it belongs to no investigation yet");
    good(by(&place, "sup", &["referral", "link", "R-1", "I-1"]));
    assert_eq!(good(by(&place, "det", &["ip", "take", "R-1"])), "N-1 taken into I-1.\n");
    assert!(good(by(&place, "det", &["ip", "take", "R-1"])).contains("no IP event that I-1 does not have"));
    let draft = [
        "warrant",
        "draft",
        "I-1",
        "--power",
        "pace-s8",
        "--grounds",
        "see note 3",
        "--rests-on",
        "N-1",
        "--premises",
        "Street 1",
    ];
    assert!(good(by(&place, "det", &draft)).starts_with("W-1 recorded"));
    let listed = good(by(&place, "det", &["warrant", "list", "I-1"]));
    assert!(listed.starts_with("W-1  pace-s8  drafted  NOT READY") && listed.contains("N-1: no operator"), "{listed}");
    // What protects a child does not wait for it.
    good(by(&place, "det", &["risk", "acted", "I-1", "social-care-told", "--at", "2026-11-21T09:00Z"]));
    assert_eq!(by(&place, "det", &["warrant", "proceed", "W-1", "--reason", "x"]).code, 2, "a supervisor's decision");
    good(by(&place, "sup", &["warrant", "proceed", "W-1", "--reason", "a child may be there"]));
    let listed = good(by(&place, "det", &["warrant", "list", "I-1"]));
    assert!(listed.contains("proceeds by decision of U-2: a child may be there"), "{listed}");

    good(by(
        &place,
        "det",
        &["ip", "applied", "N-1", "--reference", "A-1", "--authority", "B-1", "--operator", "Operator 1"],
    ));
    let answered = [
        "ip",
        "answered",
        "N-1",
        "--document",
        "answer.pdf",
        "--address",
        "192.0.2.7",
        "--time",
        "2026-03-01T10:00:00Z",
        "--port",
        "40001",
        "--subscriber",
        "Person 3, Street 1",
    ];
    good(by(&place, "det", &answered));
    good(by(&place, "det", &["ip", "corroborate", "N-1", "--what", "the same surname", "--source", "council tax"]));
    let confirm = ["ip", "confirm", "N-1", "--document", "tip.xml", "--address", "--port", "--time", "--zone"];
    good(by(&place, "det", &confirm));
    assert!(good(by(&place, "det", &["ip", "list", "I-1"])).contains("confirmed an own entry"));
    good(by(&place, "sup", &confirm));
    let listed = good(by(&place, "det", &["ip", "list", "I-1"]));
    assert!(listed.starts_with("N-1    ready  192.0.2.7  port 40001"), "{listed}");
    assert!(good(by(&place, "det", &["warrant", "list", "I-1"])).contains("drafted  ready"));
    assert!(
        !good(by(&place, "exam", &["ip", "list", "I-1"])).contains("192.0.2.7"),
        "without the right to personal content"
    );
    let source = [
        "exhibit",
        "taken",
        "I-1",
        "--reference",
        "JC/1",
        "--kind",
        "phone",
        "--description",
        "x",
        "--place",
        "room 1",
        "--source",
        "warrant:W-2",
    ];
    assert_eq!(by(&place, "det", &source).code, 2, "there is no such warrant");
    let whole = std::fs::read(place.path("team/record.db")).unwrap();
    for clear in [&b"Street 1"[..], b"Person 3", b"192.0.2.7", b"see note 3", b"same surname"] {
        assert!(!whole.windows(clear.len()).any(|w| w == clear), "personal text lies in the clear");
    }
    good(by(&place, "adm", &["record", "rebuild", "--check"]));
}
