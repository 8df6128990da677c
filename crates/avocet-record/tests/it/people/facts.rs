//! What facts add up to, and what does not fit.

use avocet_record::CustodyId;
use avocet_record::event::Event;
use avocet_record::law::Law;
use avocet_record::safeguard::Step;
use serde_json::{Value, json};

use super::{at, case, fact, for_child, for_work, made, p, person, s, sent, work};

fn about(id: u64, events: &[Event]) -> Vec<String> {
    case(events).findings_of(p(id), &Law::load(None).unwrap())
}

fn line(id: u64, events: &[Event]) -> Vec<String> {
    case(events).findings_about(s(id), &Law::load(None).unwrap())
}

fn identify(value: Value) -> Event {
    fact("identification", json!({"child": p(3)}), value)
}

const DIGEST: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn from_a_picture_to_a_safe_child() {
    let unidentified =
        json!({"fact": "made", "known": at("2026-11-24T09:00Z"), "roles": ["child"], "unidentified": true});
    let mut events = vec![person(3, unidentified), identify(json!({"fact": "seen_in", "media": [DIGEST]}))];
    let step = |events: &[Event]| case(events).people[&p(3)].identification.step(true);
    assert_eq!(step(&events), Step::Unidentified);
    events.push(identify(json!({"fact": "lead", "lead": 1, "kind": "camera_serial", "strength": "moderate",
        "media": DIGEST})));
    events.push(identify(
        json!({"fact": "lead", "lead": 2, "kind": "seen_before", "strength": "weak", "seen_in": "I-9"}),
    ));
    assert_eq!(step(&events), Step::Lead);
    events.push(identify(json!({"fact": "lead_ended", "lead": 2, "held": false, "reason": "another camera"})));
    let reached = |step: &str, when: &str, leads: &[u32]| {
        identify(json!({"fact": "reached", "when": at(when), "step": step, "leads": leads, "media": [DIGEST]}))
    };
    events.push(reached("identified", "2026-11-25T09:00Z", &[1, 2]));
    let found = about(3, &events);
    assert!(found.contains(
        &"entry 6 identifies a child by leads alone, and a lead is no proof; record what confirms it".into()
    ));
    assert!(found.contains(&"entry 6 rests on lead 2, which did not hold; look at it again".into()));
    events.push(identify(json!({"fact": "uploaded", "when": at("2026-11-25T10:00Z"), "reach": "international",
        "system": "system 1", "reference": "17", "media": [DIGEST]})));
    events.push(reached("located", "2026-11-25T12:00Z", &[]));
    events.push(reached("safeguarded", "2026-11-25T15:00Z", &[]));
    let case = case(&events);
    let state = &case.people[&p(3)].identification;
    assert_eq!(state.step(true), Step::Safeguarded);
    // Each step with who, when and from what.
    let steps: Vec<_> =
        state.steps().iter().map(|s| format!("{} {} {} {}", s.step, s.when, s.by, s.media[0])).collect();
    assert_eq!(steps[1], format!("located 2026-11-25T12:00:00Z U-2 {DIGEST}"));
    assert_eq!((steps.len(), state.leads().len(), state.media().len(), state.uploads().len()), (3, 2, 1, 1));
    assert_eq!(state.leads()[&1].strength.to_string(), "moderate lead");
    // A child whose name is known from the first is identified.
    assert_eq!(
        super::case(&[made(3, "child", "2026-11-24T09:00Z")]).people[&p(3)].identification.step(false),
        Step::Identified
    );
    // A step that was wrong is corrected, and no longer counts.
    events.push(identify(json!({"fact": "corrected", "wrong": 9, "reason": "not seen yet"})));
    assert_eq!(step(&events), Step::Located);
    events.push(reached("lead", "2026-11-26T12:00Z", &[]));
    assert!(about(3, &events).iter().any(|f| f.contains("entry 11 goes back to lead")));
}

#[test]
fn only_what_was_acknowledged_or_done_counts() {
    let mut events =
        vec![made(3, "child", "2026-11-24T09:00Z"), for_child(1, 3, sent("2026-11-24T10:00Z", "social_care"))];
    let counts = |events: &[Event]| case(events).safeguarding[&s(1)].counts_from();
    assert_eq!(counts(&events), None);
    assert_eq!(case(&events).safeguarding[&s(1)].status(), "sent, not acknowledged");
    events.push(for_child(1, 3, json!({"fact": "acknowledged", "when": at("2026-11-24T12:00Z"), "reference": "17"})));
    assert_eq!(counts(&events), Some((3, at("2026-11-24T12:00Z"))));
    events.push(for_child(1, 3, json!({"fact": "corrected", "wrong": 3, "reason": "another child's"})));
    assert_eq!(counts(&events), None);
    // A designated officer who acknowledges makes no child safe by that.
    let work = vec![
        made(1, "suspect", "2026-11-24T09:00Z"),
        work(1, 1, "2026-11-24T09:00Z", "yes"),
        for_work(1, 1, 1, sent("2026-11-24T10:00Z", "designated_officer")),
        for_work(1, 1, 1, json!({"fact": "acknowledged", "when": at("2026-11-24T12:00Z")})),
    ];
    assert_eq!(counts(&work), None);
    for value in [
        json!({"fact": "protected", "when": at("2026-11-24T10:00Z"), "protection": "police"}),
        json!({"fact": "acted", "when": at("2026-11-24T10:00Z"), "action": "child_moved"}),
    ] {
        assert!(counts(&[made(3, "child", "2026-11-24T09:00Z"), for_child(1, 3, value)]).is_some());
    }
    // To tell somebody or to talk it over makes no child safe.
    for action in ["social_care_told", "strategy_discussion", "designated_officer_told", "other"] {
        let value = json!({"fact": "acted", "when": at("2026-11-24T10:00Z"), "action": action});
        assert_eq!(counts(&[made(3, "child", "2026-11-24T09:00Z"), for_child(1, 3, value)]), None, "{action}");
    }
}

#[test]
fn the_designated_officer_is_that_of_the_area_of_the_work() {
    let mut events = vec![made(1, "suspect", "2026-11-24T09:00Z"), work(1, 1, "2026-11-24T09:00Z", "yes")];
    let mut told = sent("2026-11-24T10:00Z", "designated_officer");
    told["area"] = json!("Suffolk");
    events.push(for_work(1, 1, 1, told.clone()));
    assert_eq!(
        line(1, &events),
        [
            "entry 3 told the designated officer for Suffolk, and the work is in Essex; tell the one where the person works"
        ]
    );
    told["area"] = json!(" essex");
    let same = [events[0].clone(), events[1].clone(), for_work(1, 1, 1, told)];
    assert_eq!(line(1, &same), Vec::<String>::new());
    let nowhere = [events[0].clone(), for_work(1, 1, 7, sent("2026-11-24T10:00Z", "designated_officer"))];
    assert_eq!(line(1, &nowhere), ["P-1 has no work 7 on record; record it"]);
}

#[test]
fn what_does_not_fit_is_said() {
    let child = made(3, "child", "2026-11-24T09:00Z");
    let acknowledged = json!({"fact": "acknowledged", "when": at("2026-11-24T09:30Z")});
    assert_eq!(
        line(1, &[child.clone(), for_child(1, 3, acknowledged.clone())]),
        ["entry 2 acknowledges what is not recorded as sent"]
    );
    let early =
        [child.clone(), for_child(1, 3, sent("2026-11-24T10:00Z", "social_care")), for_child(1, 3, acknowledged)];
    assert_eq!(line(1, &early), ["entry 3 acknowledges it before it was sent; check both times"]);
    let closed = json!({"fact": "closed", "when": at("2026-11-25T10:00Z"), "reason": "done"});
    assert_eq!(
        line(1, &[child.clone(), for_child(1, 3, closed)]),
        ["entry 2 closes it, and nobody has recorded what came of it"]
    );
    let future = for_child(1, 3, sent("2031-11-24T10:00Z", "social_care"));
    assert_eq!(
        line(1, &[child.clone(), future.clone()]),
        ["entry 2 was recorded before it happened, by its own time; correct the time"]
    );
    // Once it is corrected there is nothing to correct.
    let struck = for_child(1, 3, json!({"fact": "corrected", "wrong": 2, "reason": "a wrong year"}));
    assert!(line(1, &[child.clone(), future, struck]).iter().all(|found| !found.contains("before it happened")));
    let corrected = for_child(1, 3, json!({"fact": "corrected", "wrong": 77, "reason": "none"}));
    assert!(line(1, &[child, corrected])[0].contains("corrects entry 77, which is no fact of this kind about this"));
    let suspect = made(1, "suspect", "2026-11-24T09:00Z");
    assert!(about(1, std::slice::from_ref(&suspect))[0].contains("nothing is recorded of what the suspect does"));
    let mut nowhere = work(1, 1, "2026-11-24T09:00Z", "yes");
    let Event::Person { fact: avocet_record::people::PersonFact::Work { area, .. }, .. } = &mut nowhere else {
        panic!()
    };
    *area = None;
    assert!(about(1, &[suspect.clone(), nowhere])[0].contains("nobody has said in whose area it is"));
    assert!(about(1, &[suspect, work(1, 1, "2026-11-24T09:00Z", "unknown")])[0].contains("nobody knows yet whether"));
}

#[test]
fn a_child_who_is_none_after_all_stays_restricted_and_sides_are_kept_apart() {
    let mut events = vec![made(3, "child", "2026-11-24T09:00Z")];
    let found = about(3, &events);
    assert_eq!(
        found,
        [
            "no help has been offered",
            "nobody has recorded what the child wants",
            "no personal statement has been offered"
        ]
    );
    let care = |value| fact("care", json!({"child": p(3)}), value);
    events.extend([
        care(json!({"fact": "support_offered", "when": at("2026-11-24T10:00Z"), "offer": 1, "service": "service 1"})),
        care(json!({"fact": "wishes", "when": at("2026-11-24T10:00Z"), "wishes": {"key": "K-1", "sealed": "00"}})),
        care(json!({"fact": "statement", "when": at("2026-11-24T10:00Z"), "stage": "offered"})),
        care(json!({"fact": "measure", "when": at("2026-11-24T10:00Z"), "measure": "live link", "answer": "asked"})),
    ]);
    assert_eq!(
        about(3, &events),
        ["nobody has answered offer 1 (service 1)", "there is no answer yet about the special measure `live link`"]
    );
    events
        .push(care(json!({"fact": "support_answered", "when": at("2026-11-25T10:00Z"), "offer": 1, "taken_up": true})));
    events.push(care(
        json!({"fact": "measure", "when": at("2026-11-26T10:00Z"), "measure": "live link", "answer": "granted"}),
    ));
    assert_eq!(about(3, &events), Vec::<String>::new());
    let arrested = json!({"fact": "arrested", "when": at("2026-11-26T07:00Z"), "officer": "U-2", "offences": []});
    let custody = fact("custody", json!({"custody": CustodyId::new(1), "suspect": p(1)}), arrested);
    let with_arrest = [events.clone(), vec![custody]].concat();
    let found = about(3, &with_arrest);
    assert!(found.len() == 1 && found[0].starts_with("somebody was arrested or interviewed (C-1)"), "{found:?}");
    let news = care(json!({"fact": "to_tell", "when": at("2026-11-26T07:00Z"), "news": 1, "about": "arrest"}));
    let not = care(json!({"fact": "not_to_tell", "news": 1, "reason": "the family is not to know yet"}));
    assert_eq!(about(3, &[with_arrest, vec![news, not]].concat()), Vec::<String>::new());
    events.push(person(3, json!({"fact": "roles_stated", "roles": ["witness"], "reason": "of age"})));
    assert_eq!(
        about(3, &events),
        ["this was recorded as a child and is no longer; the record stays as restricted as it was"]
    );
    assert!(case(&events).is_child(p(3)));
}

#[test]
fn arrests_without_an_assessment_before_and_matters_that_end_without_a_word_to_the_employer() {
    let on = |events: &[Event]| case(events).findings_on(CustodyId::new(1));
    let custody = |value| fact("custody", json!({"custody": CustodyId::new(1), "suspect": p(1)}), value);
    let attended = json!({"fact": "attended", "when": at("2026-11-24T10:00Z"), "officer": "U-2", "offences": [], "reference": "V/1"});
    let mut events =
        vec![made(1, "suspect", "2026-11-24T09:00Z"), work(1, 1, "2026-11-24T09:00Z", "yes"), custody(attended)];
    let missing = "the suspect's own risk of death was not assessed before this contact, or that is not recorded";
    assert_eq!(on(&events), [missing]);
    let assessed = |when: &str| {
        fact(
            "welfare",
            json!({"person": p(1)}),
            json!({"fact": "assessed", "when": at(when),
        "stage": "before_contact", "level": "medium"}),
        )
    };
    // Afterwards is not before.
    assert_eq!(on(&[events.clone(), vec![assessed("2026-11-24T10:01Z")]].concat()), [missing]);
    events.push(assessed("2026-11-24T09:30Z"));
    assert_eq!(on(&events), Vec::<String>::new());
    events.push(for_work(1, 1, 1, sent("2026-11-24T11:00Z", "designated_officer")));
    events.push(custody(json!({"fact": "ended", "when": at("2027-03-01T10:00Z"), "how": "no_further_action"})));
    assert!(line(1, &events)[0].contains("what matters for discipline or employment is to be passed on without delay"));
    events.push(for_work(
        1,
        1,
        1,
        json!({"fact": "shared", "when": at("2027-03-01T12:00Z"), "with": "Council 1",
        "power": "common-law-disclosure", "what": {"key": "K-1", "sealed": "00"}}),
    ));
    assert_eq!(line(1, &events), Vec::<String>::new());
    let bailed = |when: &str, until: &str| json!({"fact": "bailed", "when": at(when), "until": at(until)});
    let on_bail = [
        events[0].clone(),
        events[2].clone(),
        assessed("2026-11-24T09:30Z"),
        custody(bailed("2026-11-24T12:00Z", "2026-12-24T12:00Z")),
        custody(bailed("2026-12-24T13:00Z", "2027-02-24T12:00Z")),
    ];
    assert_eq!(on(&on_bail), ["entry 5 carries bail on that had ended already; tell a supervisor"]);
    assert_eq!(case(&on_bail).custody[&CustodyId::new(1)].status(), "on bail until 2027-02-24T12:00:00Z");
}

#[test]
fn leaflets_say_what_is_known_and_name_nobody_guilty() {
    use avocet_record::custody::LeafletFor;
    use avocet_record::leaflet::html;
    let law = Law::load(None).unwrap();
    for leaflet in LeafletFor::ALL {
        let page = html(leaflet, &law.leaflets, &law.services).unwrap();
        let words = page.to_lowercase();
        for word in
            ["offender", "offence", "guilty", "crime", "victim", "perpetrator", "abuser", "<script", "http", "src="]
        {
            // The one `http` is the page's own rule that nothing is fetched.
            let allowed = usize::from(word == "http");
            assert_eq!(words.matches(word).count(), allowed, "{leaflet} says {word}");
        }
        assert!(page.contains("116 123") && page.contains("default-src 'none'"), "{leaflet}");
        // Everything listed says when it was looked at.
        assert_eq!(page.matches("<dt>").count(), page.matches("2026-11-2").count(), "{leaflet}");
    }
    let suspect = html(LeafletFor::Suspect, &law.leaflets, &law.services).unwrap();
    assert!(suspect.contains("It does not say that you have done anything."));
    assert!(suspect.contains("0808 1000 900") && !suspect.contains("Childline"));
    // What nobody has read says so.
    let family = html(LeafletFor::Family, &law.leaflets, &law.services).unwrap();
    assert!(family.contains("How to reach it is to be confirmed; ask the officer."));
    assert!(family.contains("(to be confirmed, looked at 2026-11-27)"));
    let folder = tempfile::tempdir().unwrap();
    let own = "table = \"services\"\nversion = \"2\"\ntitle = \"Ours\"\njurisdiction = \"England and Wales\"\n[[rows]]\n\
               id = \"x\"\ntitle = \"A <b>service</b>\"\nfor = [\"suspect\"]\nwhat = \"Help\"\nphone = \"01 <>\"\n\
               source = \"s\"\nchecked = \"2026-11-27\"\nstatus = \"confirmed\"\n";
    std::fs::write(folder.path().join("services.toml"), own).unwrap();
    let wrong = Law::load(Some(folder.path())).unwrap_err().to_string();
    assert!(wrong.contains("phone") && wrong.contains("digits"), "{wrong}");
    std::fs::write(folder.path().join("services.toml"), own.replace("01 <>", "01")).unwrap();
    let law = Law::load(Some(folder.path())).unwrap();
    let page = html(LeafletFor::Suspect, &law.leaflets, &law.services).unwrap();
    assert!(page.contains("A &#60;b&#62;service") && page.contains("services 2"), "{page}");
}
