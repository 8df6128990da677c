//! Times as somebody wrote them, IP events and what keeps a warrant from resting on them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use avocet_base::Sha256;
use avocet_record::ip::{Answer, IpFact, IpState, Stated};
use avocet_record::time_text::{Reading, read};
use avocet_record::warrant::{Readiness, WarrantFact, WarrantState};
use avocet_record::{At, IpEventId, Personal, Recorded, UserId};

fn at(text: &str) -> At {
    At::read(text).unwrap()
}

#[test]
fn a_time_means_one_instant_or_says_what_is_missing() {
    let exact = |text: &str, zone: Option<&str>, wanted: &str| {
        assert_eq!(read(text, zone), Reading::Exact(at(wanted)), "{text} {zone:?}");
    };
    exact("2026-03-01T10:00:00Z", None, "2026-03-01T10:00:00Z");
    exact("2026-03-01 10:00:00 UTC", None, "2026-03-01T10:00:00Z");
    exact("2026-03-01 10:00:00 +0100", None, "2026-03-01T09:00:00Z");
    exact("2026-07-01 10:00", Some("Europe/London"), "2026-07-01T09:00:00Z");
    exact("2026-07-01 10:00", Some("+05:30"), "2026-07-01T04:30:00Z");
    exact("2026-07-01 10:00", Some("-03:00"), "2026-07-01T13:00:00Z");
    exact("25/07/2026 10:00:00", Some("UTC"), "2026-07-25T10:00:00Z");
    exact("07/25/2026 10:00:00", Some("UTC"), "2026-07-25T10:00:00Z");
    exact("2026-07-01T10:00:00+02:00", Some("UTC"), "2026-07-01T08:00:00Z");
    assert_eq!(read("2026-07-01 10:00", None), Reading::NeedsZone);
    assert_eq!(read("2026-07-01 10:00", Some(" ")), Reading::NeedsZone);
    assert_eq!(read("03/04/2026 10:00:00", Some("UTC")), Reading::DayOrMonth);
    assert_eq!(read("2026-07-01 10:00", Some("IST")), Reading::UnknownZone, "three zones are called so");
    assert_eq!(read("2026-07-01 10:00", Some("Mars/Base")), Reading::UnknownZone);
    for nothing in ["", "yesterday", "2026-13-01 10:00", "31/31/2026 10:00"] {
        assert_eq!(read(nothing, Some("UTC")), Reading::Unreadable, "{nothing}");
    }
    let london = Some("Europe/London");
    assert_eq!(read("2026-03-29 01:30", london), Reading::Never, "the clocks went forward");
    let twice = Reading::Twice(at("2026-10-25T00:30Z"), at("2026-10-25T01:30Z"));
    assert_eq!(read("2026-10-25 01:30", london), twice, "the clocks went back");
    assert_eq!(
        read("2026-10-25 01:30", Some("+00:00")),
        Reading::Exact(at("2026-10-25T01:30Z")),
        "a person says which"
    );
}

/// Every half hour of the days around each change of the clocks from 2020 to 2030, and noon of every day.
#[test]
fn civil_times_are_the_instants_that_zoneinfo_says() {
    let mut compared = 0;
    for zone in ["Europe/London", "America/New_York"] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/zones.py");
        let child = Command::new("python3").args([script, zone]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut child) = child else {
            println!("skipped 2 cases: python3 is not there");
            return;
        };
        let start = 1_577_836_800i64;
        let mut civil: Vec<i64> = (0..4018).map(|day| start + day * 86_400 + 43_200).collect();
        for day in 0..4018 {
            // March, October and November hold the changes of both zones.
            let text = At::from_ns((start + day * 86_400) * 1_000_000_000).to_string();
            if matches!(&text[5..7], "03" | "10" | "11") {
                civil.extend((0..10).map(|half| start + day * 86_400 + half * 1800));
            }
        }
        let lines: String = civil.iter().map(|seconds| format!("{seconds}\n")).collect();
        let mut stdin = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        assert!(output.status.success());
        let answers = String::from_utf8(output.stdout).unwrap();
        assert_eq!(answers.lines().count(), civil.len());
        for (seconds, answer) in civil.iter().zip(answers.lines()) {
            let text = At::from_ns(seconds * 1_000_000_000).to_string();
            let found = match read(text.trim_end_matches('Z'), Some(zone)) {
                Reading::Exact(at) => vec![at.ns() / 1_000_000_000],
                Reading::Twice(a, b) => vec![a.ns() / 1_000_000_000, b.ns() / 1_000_000_000],
                Reading::Never => vec![],
                other => panic!("{text}: {other:?}"),
            };
            let wanted: Vec<i64> = answer.split(' ').filter(|s| !s.is_empty()).map(|s| s.parse().unwrap()).collect();
            assert_eq!(found, wanted, "{text} {zone}");
            compared += 1;
        }
    }
    assert!(compared > 20_000, "{compared}");
}

fn sealed<T>() -> Personal<T> {
    serde_json::from_str(r#"{"key":"K-1","sealed":""}"#).unwrap()
}

fn stated(address: &str, time: &str, port: Option<&str>) -> Stated {
    let optional = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    Stated { address: address.into(), time: optional(time), zone: None, port: port.map(str::to_owned), event: None }
}

fn answer(address: &str, time: &str, port: Option<&str>, subscriber: &str) -> Answer {
    let (address, time, subscriber) = (address.to_owned(), time.to_owned(), subscriber.to_owned());
    Answer { address, time, port: port.map(str::to_owned), subscriber }
}

fn state(facts: Vec<(u64, IpFact)>) -> IpState {
    let mut state = IpState::default();
    for (n, (by, fact)) in facts.into_iter().enumerate() {
        state.apply(&Recorded { seq: n as u64 + 1, at: at("2026-11-20T00:00Z"), by: UserId::new(by), fact });
    }
    state
}

fn said() -> IpFact {
    IpFact::Stated { referral: None, place: "p".into(), stated: sealed() }
}

fn answered() -> IpFact {
    IpFact::Answered { when: at("2026-11-20T00:00Z"), document: Sha256([1; 32]), answer: sealed() }
}

fn confirmed(zone: bool) -> IpFact {
    IpFact::Confirmed { document: Sha256([1; 32]), address: true, port: true, time: true, zone }
}

fn corroborated() -> IpFact {
    IpFact::Corroborated { what: sealed(), source: "council tax".into() }
}

fn zone() -> IpFact {
    IpFact::ZoneStated { zone: "Europe/London".into(), reason: "page 2".into() }
}

/// Each case with the one reason it gives, by words of its sentence.
#[test]
fn an_ip_event_is_ready_only_when_everything_was_checked() {
    const IP: &str = "203.0.113.7";
    const TIME: &str = "2026-03-01T10:00:00Z";
    let good = || stated(IP, TIME, Some("40001"));
    let right = || answer(IP, "2026-03-01T10:00:00+00:00", Some("40001"), "Subscriber 1, Street 1");
    let whole = || vec![(1, said()), (1, answered()), (2, confirmed(true)), (1, corroborated())];
    let reasons = |facts, stated: &Stated, answer: Option<&Answer>| state(facts).not_ready(Some(stated), answer, &[]);
    assert_eq!(reasons(whole(), &good(), Some(&right())), Vec::<String>::new());
    let one = |facts, stated: Stated, answer: Option<Answer>, words: &str| {
        let found = reasons(facts, &stated, answer.as_ref());
        assert!(found.len() == 1 && found[0].contains(words), "{words}: {found:?}");
    };
    one(vec![(1, said()), (1, answered()), (1, corroborated())], good(), Some(right()), "no second person");
    one(
        vec![(1, said()), (1, answered()), (1, confirmed(true)), (1, corroborated())],
        good(),
        Some(right()),
        "own entry",
    );
    one(
        vec![(1, said()), (2, answered()), (2, confirmed(true)), (1, corroborated())],
        good(),
        Some(right()),
        "own entry",
    );
    one(
        vec![(1, said()), (1, answered()), (2, confirmed(false)), (1, corroborated())],
        good(),
        Some(right()),
        "did not confirm zone",
    );
    one(
        vec![(1, said()), (1, answered()), (2, confirmed(true)), (1, corroborated()), (1, zone())],
        good(),
        Some(right()),
        "confirmed again",
    );
    one(vec![(1, said()), (1, answered()), (2, confirmed(true))], good(), Some(right()), "nothing corroborates");
    one(whole(), good(), None, "no operator has answered");
    one(whole(), good(), Some(answer("203.0.113.8", TIME, Some("40001"), "x")), "another address");
    one(whole(), good(), Some(answer(IP, "2026-03-01T11:00:00Z", Some("40001"), "x")), "another time");
    one(whole(), good(), Some(answer(IP, "2026-03-01 10:00:00", Some("40001"), "x")), "has no zone");
    one(whole(), good(), Some(answer(IP, TIME, Some("40002"), "x")), "did not answer for the port");
    one(whole(), stated(IP, TIME, None), Some(answer(IP, TIME, None, "x")), "no source port");
    one(
        whole(),
        stated(IP, "2026-03-01 10:00", Some("1")),
        Some(answer(IP, TIME, Some("1"), "x")),
        "unresolved: the time has no zone",
    );
    for (private, words) in [("10.1.2.3", "RFC 1918"), ("100.64.0.1", "RFC 6598"), ("fd00::1", "RFC 4193")] {
        one(whole(), stated(private, TIME, Some("1")), Some(answer(private, TIME, Some("1"), "x")), words);
    }
    let mut wrong = whole();
    wrong.push((1, IpFact::FoundWrong { reason: "typing".into() }));
    one(wrong, good(), Some(right()), "found wrong");
    assert_eq!(state(whole()).not_ready(None, None, &[]).len(), 1, "erased");
    // The zone that a person states resolves the time.
    let resolved = vec![(1, said()), (1, zone()), (1, answered()), (2, confirmed(true)), (1, corroborated())];
    let civil = stated(IP, "2026-07-01 10:00", Some("1"));
    assert_eq!(
        reasons(resolved, &civil, Some(&answer(IP, "2026-07-01T09:00:00Z", Some("1"), "x"))),
        Vec::<String>::new()
    );
    // Events of one activity are compared.
    let other = |subscriber: Option<&str>| {
        let other = subscriber.map(|s| answer("203.0.113.9", TIME, None, s));
        state(whole()).not_ready(Some(&good()), Some(&right()), &[(IpEventId::new(2), other)])
    };
    assert_eq!(other(Some("subscriber 1,  street 1")), Vec::<String>::new());
    assert!(other(Some("Subscriber 2"))[0].contains("another answer"));
    assert!(other(None)[0].contains("no answer yet"));
}

#[test]
fn a_warrant_waits_for_what_it_rests_on_or_for_a_supervisor() {
    let drafted = || WarrantFact::Drafted {
        power: "pace-s8".into(),
        grounds: sealed(),
        rests_on: vec![IpEventId::new(1)],
        premises: vec![sealed()],
    };
    let issued =
        |expires: Option<&str>| WarrantFact::Issued { when: at("2026-11-20T10:00Z"), expires: expires.map(at) };
    let entered = |when: &str, premises| WarrantFact::Entered {
        when: at(when),
        premises,
        officer: UserId::new(1),
        result: "1 phone".into(),
        copy_left: true,
    };
    let state = |facts: Vec<(u64, WarrantFact)>| {
        let mut state = WarrantState::default();
        for (n, (by, fact)) in facts.into_iter().enumerate() {
            state.apply(&Recorded { seq: n as u64 + 1, at: at("2026-11-20T00:00Z"), by: UserId::new(by), fact });
        }
        state
    };
    let events = |reasons: &[&str]| {
        BTreeMap::from([(IpEventId::new(1), reasons.iter().map(ToString::to_string).collect::<Vec<_>>())])
    };
    let warrant = state(vec![(1, drafted())]);
    assert_eq!(warrant.readiness(&events(&[])), Readiness::Ready);
    assert_eq!(warrant.readiness(&events(&["no port"])), Readiness::NotReady(vec!["N-1: no port".into()]));
    assert!(matches!(warrant.readiness(&BTreeMap::new()), Readiness::NotReady(_)), "an event that is not there");
    let proceed = WarrantFact::Proceed { reason: "a child is there".into() };
    let decided = state(vec![(1, drafted()), (2, proceed.clone())]).readiness(&events(&["no port"]));
    let Readiness::Proceeds { by, reason, despite } = decided else { panic!("{decided:?}") };
    assert_eq!((by, reason.as_str(), despite.len()), (UserId::new(2), "a child is there", 1));
    let again = state(vec![(1, drafted()), (2, proceed), (1, drafted())]).readiness(&events(&["no port"]));
    assert!(matches!(again, Readiness::NotReady(_)), "a decision is for the draft that it was made on");

    let now = at("2026-12-01T00:00Z");
    let found = |facts| state(facts).findings(now);
    let one = |facts: Vec<(u64, WarrantFact)>, words: &str| {
        let found = found(facts);
        assert!(found.len() == 1 && found[0].contains(words), "{words}: {found:?}");
    };
    one(vec![(1, drafted()), (1, issued(None))], "until when");
    one(vec![(1, drafted()), (1, issued(Some("2027-01-01T00:00Z")))], "to be executed by");
    one(vec![(1, drafted()), (1, issued(Some("2026-11-25T00:00Z")))], "expired at");
    let back = WarrantFact::Returned { when: now };
    let until = Some("2026-11-25T00:00Z");
    one(vec![(1, drafted()), (1, issued(until)), (1, entered("2026-11-21T06:00Z", 1))], "not been returned");
    assert_eq!(
        found(vec![(1, drafted()), (1, issued(until)), (1, entered("2026-11-21T06:00Z", 1)), (1, back.clone())]),
        Vec::<String>::new()
    );
    one(
        vec![(1, drafted()), (1, issued(until)), (1, entered("2026-11-26T06:00Z", 1)), (1, back.clone())],
        "had expired",
    );
    one(vec![(1, drafted()), (1, entered("2026-11-21T06:00Z", 1)), (1, back.clone())], "before a warrant was recorded");
    one(
        vec![(1, drafted()), (1, issued(until)), (1, entered("2026-11-19T06:00Z", 1)), (1, back.clone())],
        "before the warrant was issued",
    );
    one(vec![(1, drafted()), (1, issued(until)), (1, entered("2026-11-21T06:00Z", 2)), (1, back)], "no premises 2");
}
