//! Orders: clocks worked out on paper, visits by level, lines, breaches, and devices compared with the last check.

use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::order::{Due, Held, LineCheck, OrderFact, OrderLaw, OrderLine, OrderState, Seen};
use avocet_record::{At, PersonId, RecordError, Recorded, UserId};
use serde_json::json;

use super::sealed;
use super::support::on_each_database;

fn at(text: &str) -> At {
    At::read(text).unwrap_or_else(|| panic!("{text}"))
}

fn row(line: u32, row: &str) -> OrderLine {
    OrderLine { line, row: Some(row.into()), text: None }
}

fn made(when: &str, kind: &str, until: Option<&str>, lines: Vec<OrderLine>) -> OrderFact {
    OrderFact::Made {
        when: at(when),
        kind: kind.into(),
        subject: Some(PersonId::new(1)),
        court: "Court 1".into(),
        until: until.map(at),
        lines,
    }
}

fn notification(when: &str) -> OrderFact {
    made(when, "notification", None, vec![row(1, "initial"), row(2, "change"), row(3, "periodic"), row(4, "travel")])
}

fn notified(when: &str, line: u32, change: Option<&str>) -> OrderFact {
    OrderFact::Notified { when: at(when), line, change: change.map(at) }
}

fn visited(when: &str, seen: Seen, lines: &[(u32, Held)]) -> OrderFact {
    let lines = lines.iter().map(|(line, held)| LineCheck { line: *line, held: *held }).collect();
    OrderFact::Visited { when: at(when), officer: UserId::new(2), announced: false, seen, lines, note: None }
}

fn level(level: &str) -> OrderFact {
    OrderFact::LevelStated { level: level.into(), reason: None }
}

fn officer() -> OrderFact {
    OrderFact::OfficerNamed { officer: UserId::new(2) }
}

fn corrected(wrong: u64) -> OrderFact {
    OrderFact::Corrected { wrong, reason: "wrong".into() }
}

fn state(facts: &[OrderFact]) -> OrderState {
    let mut state = OrderState::default();
    for (seq, fact) in (1u64..).zip(facts) {
        let at = at("2031-01-01T00:00Z");
        state.apply(&Recorded { seq, at, by: UserId::new(2), fact: fact.clone() });
    }
    state
}

fn with_law<T>(ask: impl FnOnce(OrderLaw<'_>) -> T) -> T {
    let law = Law::load(None).unwrap();
    ask(OrderLaw { kinds: &law.orders, lines: &law.order_lines, visits: &law.visits })
}

fn due(facts: &[OrderFact], now: &str) -> Vec<(String, bool)> {
    let due: Vec<Due> = with_law(|law| state(facts).due(at(now), law));
    due.into_iter().map(|due| (format!("{} {}", due.late_from, due.what), due.late)).collect()
}

fn findings(facts: &[OrderFact]) -> Vec<String> {
    with_law(|law| state(facts).findings(law))
}

#[test]
fn the_first_notification_has_three_days_of_which_that_of_the_order_is_the_first() {
    // The order's moment, and the first moment that is too late: the midnight, in London, that ends the third day.
    for (when, late_from) in [
        ("2026-11-20T15:00Z", "2026-11-23T00:00:00Z"),
        // 27 March in winter time; the clocks go forward on the 29th, and the 30th begins in summer time.
        ("2026-03-27T12:00Z", "2026-03-29T23:00:00Z"),
        // 23 October in summer time; the clocks go back on the 25th.
        ("2026-10-23T12:00Z", "2026-10-26T00:00:00Z"),
        // Half past midnight in London is the next day, though not in UTC.
        ("2026-06-30T23:30Z", "2026-07-03T23:00:00Z"),
        // Over the end of a year and of a leap month.
        ("2026-12-30T09:00Z", "2027-01-02T00:00:00Z"),
        ("2028-02-28T09:00Z", "2028-03-02T00:00:00Z"),
    ] {
        let first = due(&[notification(when)], when).remove(0);
        assert_eq!(first, (format!("{late_from} line 1: First notification"), false), "{when}");
        // At that very instant it is late, a nanosecond before it is not.
        let edge = at(late_from);
        let late = |now: At| with_law(|law| state(&[notification(when)]).due(now, law).remove(0).late);
        assert!(late(edge) && !late(At::from_ns(edge.ns() - 1)), "{when}");
    }
}

#[test]
fn the_yearly_clock_runs_from_the_last_notification_of_any_line() {
    let order = || notification("2027-02-01T10:00Z");
    let periodic = |facts: &[OrderFact]| due(facts, "2027-03-01T00:00Z").pop().unwrap().0;
    // Nobody notified yet: it counts from the order.
    assert_eq!(periodic(&[order()]), "2028-02-01T10:00:00Z line 3: Notification every year");
    let first = notified("2027-02-02T10:00Z", 1, None);
    assert_eq!(periodic(&[order(), first.clone()]), "2028-02-02T10:00:00Z line 3: Notification every year");
    // A change notified on 29 February: the anniversary is the 28th.
    let change = notified("2028-02-29T10:00Z", 2, Some("2028-02-28T10:00Z"));
    assert_eq!(periodic(&[order(), first.clone(), change]), "2029-02-28T10:00:00Z line 3: Notification every year");
    // Once notified, the first notification is no longer due.
    assert_eq!(due(&[order(), first], "2027-03-01T00:00Z").len(), 1);
}

#[test]
fn a_change_notified_late_is_found() {
    let base = |change: OrderFact| vec![notification("2027-02-01T10:00Z"), officer(), level("low"), change];
    // Changed on Friday 5 March 2027: the last day is Sunday the 7th.
    let change = |when| findings(&base(notified(when, 2, Some("2027-03-05T18:00Z"))));
    assert_eq!(change("2027-03-07T23:59Z"), Vec::<String>::new());
    assert_eq!(
        change("2027-03-08T00:00Z"),
        ["entry 4: notified late; the last moment was before 2027-03-08T00:00:00Z"]
    );
    assert!(
        findings(&base(notified("2027-03-07T10:00Z", 2, None)))[0].contains("does not say when the change happened")
    );
    assert!(findings(&base(notified("2027-02-04T00:00Z", 1, None)))[0].contains("notified late"));
    assert!(
        findings(&base(notified("2027-02-04T00:00Z", 9, None)))[0].contains("line 9, which the order does not have")
    );
}

#[test]
fn visits_are_due_by_level_and_only_a_person_who_was_seen_was_visited() {
    let order = made("2026-08-31T09:00+01:00", "shpo", Some("2031-08-31T09:00+01:00"), vec![row(1, "keep-history")]);
    let visit = |facts: &[OrderFact]| due(facts, "2026-12-01T00:00Z").remove(0);
    // Six months after 31 August is the last day of February, at the same time of day, then in winter time.
    assert_eq!(visit(&[order.clone(), level("medium")]), ("2027-02-28T09:00:00Z visit (Medium)".into(), false));
    assert_eq!(visit(&[order.clone(), level("high")]), ("2026-11-30T09:00:00Z visit (High)".into(), true));
    // The level that was stated last.
    assert_eq!(
        visit(&[order.clone(), level("medium"), level("very-high")]).0,
        "2026-09-30T08:00:00Z visit (Very high)"
    );
    let missed = [order.clone(), level("high"), visited("2026-10-01T10:00+01:00", Seen::NotThere, &[])];
    assert_eq!(visit(&missed).0, "2026-11-30T09:00:00Z visit (High)");
    let seen = [order.clone(), level("high"), visited("2026-10-01T10:00+01:00", Seen::Yes, &[])];
    assert_eq!(visit(&seen).0, "2027-01-01T10:00:00Z visit (High)");
    // And the check of devices that the line has, six months after the order, and the end of the order.
    let rest: Vec<_> = due(&seen, "2026-12-01T00:00Z").into_iter().skip(1).map(|(due, _)| due).collect();
    assert_eq!(rest[0], "2027-02-28T09:00:00Z check of devices");
    assert!(rest[1].starts_with("2031-08-31T08:00:00Z the order ends") && rest.len() == 2, "{rest:?}");
    // A visit that was recorded by mistake no longer counts; after the end nothing is due.
    assert_eq!(visit(&[seen.to_vec(), vec![corrected(3)]].concat()).0, "2026-11-30T09:00:00Z visit (High)");
    let ended = OrderFact::Ended { when: at("2026-11-01T00:00Z"), reason: "discharged".into() };
    assert!(due(&[seen.to_vec(), vec![ended]].concat(), "2026-12-01T00:00Z").is_empty());
}

#[test]
fn lines_breaches_and_terms() {
    let lines = || vec![row(1, "keep-history"), row(2, "monitoring-software")];
    let order = made("2026-09-01T09:00Z", "shpo", None, lines());
    let base = vec![order.clone(), officer(), level("high")];
    assert_eq!(findings(&base), Vec::<String>::new());
    let broken = visited("2026-10-01T09:00Z", Seen::Yes, &[(1, Held::Kept), (2, Held::Broken)]);
    let facts = [base.clone(), vec![broken]].concat();
    assert_eq!(findings(&facts), ["entry 4 found line 2 broken, and no breach of it is recorded"]);
    let checked: Vec<_> = state(&facts).lines().into_iter().map(|l| (l.line.line, l.checked.map(|c| c.2))).collect();
    assert_eq!(checked, [(1, Some(Held::Kept)), (2, Some(Held::Broken))]);
    let breach: OrderFact =
        serde_json::from_value(json!({"fact": "breached", "when": at("2026-10-01T09:30Z"), "line": 2,
        "what": {"key": "K-1", "sealed": ""}, "action": "reported"}))
        .unwrap();
    let facts = [facts, vec![breach]].concat();
    assert_eq!(findings(&facts), ["the breach of entry 5 is open"]);
    let settled = |breach| OrderFact::BreachSettled { when: at("2026-11-01T09:00Z"), breach, result: "charged".into() };
    assert_eq!(findings(&[facts.clone(), vec![settled(5)]].concat()), Vec::<String>::new());
    assert!(findings(&[facts, vec![settled(4)]].concat())[0].contains("no such breach counts"));
    // A varied order has other lines and another end; a check of a line that is gone stays known.
    let varied = OrderFact::Varied {
        when: at("2026-10-15T09:00Z"),
        court: "Court 1".into(),
        until: Some(at("2032-01-01T00:00Z")),
        lines: vec![row(2, "monitoring-software")],
    };
    let state =
        state(&[base.clone(), vec![visited("2026-10-01T09:00Z", Seen::Yes, &[(1, Held::Kept)]), varied]].concat());
    assert_eq!((state.lines().len(), state.until()), (1, Some(at("2032-01-01T00:00Z"))));
    assert_eq!(state.next_line(), 3, "a number that was once given means one line for ever");
    assert_eq!(with_law(|law| state.findings(law)), Vec::<String>::new());
    // Five years less a day is too short; five years are not.
    let term = |until| findings(&[made("2026-09-01T09:00Z", "shpo", Some(until), lines()), officer(), level("low")]);
    assert_eq!(term("2031-09-01T09:00Z"), Vec::<String>::new());
    assert!(term("2031-08-31T09:00Z")[0].contains("shortest term"));
    assert_eq!(
        findings(&[order])[..],
        ["no officer is named; name one", "no level is stated, so no visit is due; state one"]
    );
    assert!(findings(&[officer(), level("low")])[0].contains("nothing says when"));
    let twice = made("2026-09-01T09:00Z", "shpo", None, vec![row(1, "keep-history"), row(1, "no-such")]);
    let found = findings(&[twice, officer(), level("low")]);
    assert!(found[0].contains("order-lines.toml is called no-such") && found[1].contains("two lines"), "{found:?}");
}

/// A device is compared with its last check: by the lists kept with the examinations, and only within the investigation.
#[test]
fn a_device_is_compared_with_its_last_check() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        const PASSWORD: &str = "a long enough password";
        Desk::first_account(&store, "adm", PASSWORD).await.unwrap();
        let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await.unwrap();
        let owner = adm.add_account("sup", &["supervisor".into()], None, PASSWORD).await.unwrap();
        let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        let mut of = vec![];
        for title in ["one", "two"] {
            let received = at("2026-11-20T09:30Z");
            let opening = Opening { title: title.into(), owner, received, referrals: vec![] };
            of.push(desk.open_investigation(opening).await.unwrap());
        }
        let taken = |investigation, reference: &str| {
            json!({"event": "exhibit", "investigation": investigation, "exhibit": {"new": "E"}, "fact": {
                "fact": "taken", "when": {"time": "2026-11-21T07:10Z"}, "officer": owner, "reference": reference,
                "kind": "phone", "description": "black", "place": "room 2",
                "source": {"kind": "agreement", "giver": "suspect", "scope": "device check"}}})
        };
        desk.record(&taken(of[0], "JC/1"), None).await.unwrap();
        desk.record(&taken(of[1], "JC/2"), None).await.unwrap();
        let lines = desk.draft_lines("shpo", &["keep-history".into()], &["see the order".into()]).unwrap();
        let order = json!({"event": "order", "investigation": of[0], "order": {"new": "M"}, "fact": {"fact": "made",
            "when": {"time": "2026-11-20T09:30Z"}, "kind": "shpo", "court": "Court 1", "lines": lines}});
        assert_eq!(desk.record(&order, None).await.unwrap().made, ["M-1"]);
        let (one, two) = ("E-1".parse().unwrap(), "E-2".parse().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let attach = async |investigation, exhibit, name: &str, pictures: &[(u8, u32)]| {
            let file = folder.path().join(name);
            sealed::write(&file, pictures);
            desk.attach_examination(investigation, exhibit, &file, None, None).await.unwrap().examination
        };
        let first = attach(of[0], one, "first", &[(1, 1), (2, 4), (3, 1)]).await;
        let second = attach(of[0], one, "second", &[(2, 1), (3, 2), (4, 1), (5, 1)]).await;
        let other = attach(of[1], two, "other", &[(9, 1)]).await;
        let m = "M-1".parse().unwrap();
        let check = async |examination| desk.check_device(m, one, examination, None, store.now()).await;
        let (_, found) = check(first).await.unwrap();
        assert_eq!((found.previous, found.same, found.new.len(), found.gone.len()), (None, 0, 3, 0));
        let (_, found) = check(second).await.unwrap();
        assert_eq!((found.previous, found.same, found.new.len(), found.gone.len()), (Some(first), 2, 2, 1));
        assert!(matches!(check(other).await, Err(RecordError::Unknown { .. })));
        // What an interim result has not read yet is not gone.
        let interim = folder.path().join("interim");
        sealed::write_interim(&interim, &[sealed::Content { n: 2, ..sealed::Content::default() }]);
        let interim = desk.attach_examination(of[0], one, &interim, None, None).await.unwrap().examination;
        let refused = check(interim).await.unwrap_err().to_string();
        assert!(refused.contains("X-4 is interim"), "{refused}");
        // The numbers are read from the examinations, never typed.
        let typed = json!({"event": "order", "investigation": of[0], "order": "M-1", "fact": {"fact": "device_checked",
            "when": {"time": "2026-11-21T07:10Z"}, "exhibit": "E-1", "examination": second, "same": 0, "new": 0, "gone": 0}});
        assert!(matches!(desk.record(&typed, None).await, Err(RecordError::Refused(_))));
        let story = desk.story("E-1").await.unwrap();
        assert_eq!(story.iter().filter(|told| told.kind == "order-device-checked").count(), 2);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

/// What is late or unanswered of an order comes into the queue, with what comes next, from the investigation's row.
#[test]
fn what_an_order_has_late_or_due_stands_in_the_queue() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        const PASSWORD: &str = "a long enough password";
        store.set_clock(at("2026-02-02T12:00Z"));
        Desk::first_account(&store, "adm", PASSWORD).await.unwrap();
        let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await.unwrap();
        let owner = adm.add_account("sup", &["supervisor".into()], None, PASSWORD).await.unwrap();
        let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        for (title, received, level) in [("one", "2026-01-02T09:00Z", "low"), ("two", "2026-05-03T08:00Z", "very-high")]
        {
            let opening = Opening { title: title.into(), owner, received: at(received), referrals: vec![] };
            let id = desk.open_investigation(opening).await.unwrap();
            for fact in [
                json!({"fact": "assessed", "investigation": id, "level": level}),
                json!({"fact": "danger_stated", "investigation": id, "danger": "no"}),
            ] {
                desk.record(&json!({"event": "risk", "fact": fact}), None).await.unwrap();
            }
        }
        let of_order = async |fact: serde_json::Value| {
            let order = if fact["fact"] == "made" { json!({"new": "M"}) } else { json!("M-1") };
            let draft = json!({"event": "order", "investigation": "I-1", "order": order, "fact": fact});
            desk.record(&draft, None).await.unwrap().seq
        };
        let queue = async |now: &str| {
            store.set_clock(at(now));
            let queue = desk.queue().await.unwrap();
            let first = queue[0].placed.item.investigation;
            let one = queue.iter().find(|queued| queued.title == "one").unwrap();
            let reasons: Vec<_> = one.placed.reasons.iter().map(ToString::to_string).collect();
            let orders: Vec<_> = reasons.into_iter().filter(|reason| reason.contains("(M-1)")).collect();
            (first.number(), orders)
        };
        let lines = desk.draft_lines("shpo", &["show-devices".into()], &["see the order".into()]).unwrap();
        of_order(json!({"fact": "made", "when": {"time": "2026-02-02T10:00Z"}, "kind": "shpo", "court": "Court 1",
            "until": {"time": "2031-02-02T10:00Z"}, "lines": lines}))
        .await;
        // No level, so nobody knows when a visit is due; the end of the order is what comes next.
        let end = "the order ends: record that it ended, or that it was renewed (M-1): due in 1826 days";
        assert_eq!(queue("2026-02-02T10:00Z").await, (2, vec![end.to_owned()]));
        of_order(json!({"fact": "level_stated", "level": "high"})).await;
        // Three months later it is ten o'clock in summer time, 09:00 UTC.
        assert_eq!(queue("2026-05-01T09:00Z").await, (2, vec!["visit (High) (M-1): due in 24 h".to_owned()]));
        // Late, it comes before a very high level that is not; the check of devices, after six months, is next.
        let devices = "check of devices (M-1): due in 91 days";
        let late = "visit (High) (M-1): 24 h late";
        assert_eq!(queue("2026-05-03T09:00Z").await, (1, vec![late.to_owned(), devices.to_owned()]));
        // Who was not there was not visited.
        for (seen, still) in [("not_there", true), ("yes", false)] {
            of_order(json!({"fact": "visited", "when": {"time": "2026-05-03T08:00Z"}, "officer": "U-2",
                "announced": false, "seen": seen}))
            .await;
            let (first, reasons) = queue("2026-05-03T09:00Z").await;
            assert_eq!((first, reasons.contains(&late.to_owned())), (if still { 1 } else { 2 }, still));
        }
        assert_eq!(queue("2026-05-03T09:00Z").await, (2, vec![devices.to_owned()]));
        let breach = of_order(json!({"fact": "breached", "when": {"time": "2026-05-03T07:00Z"}, "line": 1,
            "what": {"personal": "see note 4"}, "action": "reported"}))
        .await;
        let open = format!("nothing came yet of the breach of line 1 in entry {breach} (M-1): 2 h late");
        assert_eq!(queue("2026-05-03T09:00Z").await, (1, vec![open, devices.to_owned()]));
        of_order(json!({"fact": "breach_settled", "when": {"time": "2026-05-03T08:30Z"}, "breach": breach,
            "result": "warned"}))
        .await;
        assert_eq!(queue("2026-05-03T09:00Z").await, (2, vec![devices.to_owned()]));
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        // A correction brings it back, and an order that ended has nothing due.
        let story = desk.story("M-1").await.unwrap();
        let wrong = story.iter().find(|told| told.kind == "order-breach-settled").unwrap().recorded.seq;
        of_order(json!({"fact": "corrected", "wrong": wrong, "reason": "a slip"})).await;
        assert_eq!(queue("2026-05-03T09:00Z").await.0, 1);
        of_order(json!({"fact": "ended", "when": {"time": "2026-05-03T08:59Z"}, "reason": "discharged"})).await;
        assert_eq!(queue("2026-05-03T09:00Z").await, (2, vec![]));
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}
