//! People and children from the command line: from the first minute to a safe child, the suspect's side, leaflets.

use serde_json::Value;

use super::record::{by, good, team};
use super::support::Place;

const NAME: &str = "Example Name-Of-Nobody";

fn ran(place: &Place, login: &str, args: &str) -> String {
    let args: Vec<String> = args.split(' ').map(|arg| arg.replace('_', " ")).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    good(by(place, login, &args))
}

fn json(place: &Place, login: &str, args: &str) -> Value {
    serde_json::from_str(&ran(place, login, &format!("--json {args}"))).unwrap()
}

#[test]
fn from_the_first_minute_to_a_safe_child() {
    let place = team();
    let run = |login: &str, args: &str| ran(&place, login, args);
    assert!(run("det", "person add I-1 --role suspect --name A_Suspect --at 2026-11-20T10:00Z").starts_with("P-1 "));
    let unidentified = "person add I-1 --role child --unidentified --at 2026-11-20T10:00Z";
    assert!(run("grad", unidentified).starts_with("P-2 recorded as entry"));
    run(
        "det",
        "person work P-1 1 --kind volunteering --with-children yes --trust yes --area Essex --at 2026-11-20T10:00Z",
    );
    run("det", "person link P-1 household P-2");
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    run("det", &format!("child seen P-2 {digest}"));
    run("det", &format!("child lead P-2 1 --kind camera-serial --strength moderate --media {digest}"));
    let people = json(&place, "det", "person list I-1");
    assert_eq!(
        (&people["people"][1]["step"], &people["people"][1]["details"]),
        (&"lead".into(), &Value::Array(vec![]))
    );
    // Weeks later by the clock of this machine everything is late, and the queue says so first.
    let queue = run("det", "queue");
    assert!(queue.contains("Designated officer of the area of the work to be told (P-1 work 1): "), "{queue}");
    assert!(queue.contains("Children's social care to be told, or the child protected (P-2): "), "{queue}");
    let refused =
        by(&place, "det", &["safeguarding", "refer", "I-1", "--work", "P-1", "--to", "health", "--body", "x"]);
    assert!(refused.code == 2 && refused.err.contains("name the work as P-1/2"), "{}", refused.err);
    run("grad", "safeguarding refer I-1 --child P-2 --to social-care --body Council_1 --at 2026-11-20T11:00Z");
    run(
        "det",
        "safeguarding refer I-1 --work P-1/1 --to designated-officer --body Council_2 --area Suffolk --at 2026-11-23T09:00Z",
    );
    let listed = run("det", "safeguarding list I-1");
    assert!(listed.contains("S-1    P-2  children's social care: Council 1  sent, not acknowledged"), "{listed}");
    assert!(listed.contains("tell the one where the person works"), "{listed}");
    run("grad", "safeguarding acknowledged S-1 --reference 17 --at 2026-11-20T15:00Z");
    let lines = json(&place, "det", "safeguarding list I-1");
    assert_eq!(lines["lines"][0]["counts_from"], "2026-11-20T15:00:00Z");
    let clocks = run("det", "clocks I-1");
    assert!(clocks.contains("done 2026-11-20T15:00:00Z, in time  Acknowledgement of the referral (S-1)"), "{clocks}");
    assert!(clocks.contains("done 2026-11-23T09:00:00Z, in time  Designated officer"), "{clocks}");
    let confirmed = by(&place, "det", &["child", "reached", "P-2", "identified", "--lead", "1", "--note", NAME]);
    assert_eq!(confirmed.code, 0, "{}", confirmed.err);
    run("det", &format!("person describe P-2 --name {}", NAME.replace(' ', "_")));
    let shown = run("det", "person show P-2");
    assert!(shown.contains(NAME) && shown.contains("child  identified") && shown.contains("from lead 1"), "{shown}");
    // An examiner on the investigation sees that there is a child, and not who.
    let hidden = by(&place, "exam", &["person", "show", "P-2"]);
    assert!(hidden.code == 2 && hidden.err.contains("restricted about a child"), "{}", hidden.err);
    let list = run("exam", "person list I-1");
    assert!(list.contains("1 child not shown") && !list.contains("P-2  "), "{list}");
    let story = run("exam", "record show I-1");
    assert!(
        story.contains("child-identified\n      : (withheld: P-2)\n") || story.contains("(withheld: P-2)"),
        "{story}"
    );
    assert!(!story.contains(NAME) && !story.contains("Council 1"), "{story}");
    // Another record of the same child, joined and parted again.
    run("det", "person add I-1 --role child");
    run("det", "person same P-3 P-2");
    assert_eq!(json(&place, "det", "person show P-2")["same"], serde_json::json!(["P-3"]));
    run("det", "person apart P-2 P-3");
    assert_eq!(json(&place, "det", "person show P-2")["same"], serde_json::json!([]));
    run("sup", "investigation join I-1 U-2");
    let erased = run("sup", "record erase P-2 --investigation I-1 --authority order_1 --reason over");
    assert!(erased.contains("1 key destroyed"), "{erased}");
    let shown = run("det", "person show P-2");
    assert!(shown.contains("name: (erased)") && shown.contains("identified"), "{shown}");
    good(by(&place, "aud", &["ledger", "verify"]));
    assert!(run("adm", "record rebuild --check").contains("Every row says what the facts say."));
}

#[test]
fn the_suspects_side_and_what_was_given() {
    let place = team();
    let run = |login: &str, args: &str| ran(&place, login, args);
    run("det", "person add I-1 --role suspect");
    let arrest = ["custody", "arrest", "I-1", "P-1", "--offence", "pca-1978-s1", "--at", "2026-11-20T10:00Z"];
    let arrested = by(&place, "det", &arrest);
    assert!(arrested.out.starts_with("C-1 recorded as entry"), "{}", arrested.err);
    assert!(arrested.err.contains("was not assessed before this contact"), "{}", arrested.err);
    run("det", "welfare assess P-1 before-contact --level medium --at 2026-11-20T09:30Z");
    run("det", "custody arrived C-1 --place Station_1 --reference CR/17 --at 2026-11-20T11:00Z");
    run("det", "custody bail C-1 2099-02-20T12:00Z --at 2026-11-20T20:00Z");
    run("det", "welfare assess P-1 after-contact --level low --at 2026-11-20T20:05Z");
    let printed = run("det", "leaflet suspect --out suspect.html");
    assert!(printed.contains("avocet welfare leaflet"), "{printed}");
    let page = std::fs::read_to_string(place.path("suspect.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("It does not say that you have done anything."));
    run("det", "welfare leaflet P-1 suspect --file suspect.html --at 2026-11-20T20:00Z");
    run("det", "welfare phone P-1 yes --at 2026-11-20T20:00Z");
    run("det", "welfare signpost P-1 samaritans --at 2026-11-20T20:00Z");
    let refused = by(&place, "det", &["welfare", "signpost", "P-1", "nobody"]);
    assert!(
        refused.code == 2 && refused.err.contains("there is no service nobody; there are emergency"),
        "{}",
        refused.err
    );
    run("det", "welfare trigger P-1 1 court 2099-03-02T10:00Z");
    let listed = run("det", "custody list I-1");
    assert!(listed.starts_with("C-1    P-1  on bail until 2099-02-20T12:00:00Z  CR/17\n"), "{listed}");
    assert!(!listed.contains("       - "), "{listed}");
    let clocks = run("det", "clocks I-1");
    for line in [
        "done 2026-11-20T20:00:00Z, in time  Detention without charge ends (C-1)",
        "done 2026-11-20T20:05:00Z, in time  Suspect's risk of death to be assessed as the contact ends (C-1); to be confirmed",
        "done 2026-11-20T20:00:00Z, in time  Leaflet to be given to the suspect (C-1)",
        "Suspect's first 48 hours to be followed up (C-1)",
        "due 2099-03-02T10:00:00Z  Suspect's risk of death to be assessed by a date on which it rises (P-1 trigger 1)",
    ] {
        assert!(clocks.contains(line), "{line}\nin\n{clocks}");
    }
    let shown = run("det", "person show P-1");
    assert!(shown.contains("own risk before contact, 2026-11-20T09:30:00Z: medium"), "{shown}");
    assert!(shown.contains("leaflet for suspect given 2026-11-20T20:00:00Z"), "{shown}");
    assert_eq!(by(&place, "det", &["leaflet", "jury"]).code, 2);
}
