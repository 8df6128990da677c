//! Clocks by hand: weekends, bank holidays, the change of the clocks, midnight.

use avocet_record::clock::{Mark, Moment, Started, started};
use avocet_record::event::Event;
use avocet_record::law::{Law, PeriodUnit};
use avocet_record::{At, CustodyId};
use jiff::civil::Weekday;
use proptest::prelude::*;
use serde_json::json;

use super::{at, case, fact, for_child, for_work, made, p, sent, work};

fn law() -> Law {
    Law::load(None).unwrap()
}

/// Every clock that these facts start: `id of: due`, with `done` or `late` behind it, as at `now`.
fn clocks(law: &Law, events: &[Event], now: &str) -> Vec<String> {
    let case = case(events);
    let mut moments = vec![];
    let things = case.people.keys().map(ToString::to_string);
    let things = things.chain(case.safeguarding.keys().map(ToString::to_string));
    for thing in things.chain(case.custody.keys().map(ToString::to_string)) {
        moments.extend(case.moments_of(&thing));
    }
    let one = |clock: &Started<'_>| {
        let done = if clock.done.is_some() { ", done" } else { "" };
        let late = if clock.is_late(at(now)) { ", late" } else { "" };
        format!("{} {}: {}{done}{late}", clock.clock.id, clock.of, clock.due)
    };
    started(&law.clocks, &moments).iter().map(one).collect()
}

fn due_of_one_working_day(known: &str) -> String {
    let law = law();
    let within = law.clocks.row("designated-officer").unwrap().value.within.clone().unwrap();
    within.after(at(known)).to_string()
}

#[test]
fn one_working_day_by_hand() {
    for (known, due) in [
        // A Tuesday.
        ("2026-11-24T15:10+00:00", "2026-11-25T15:10:00Z"),
        // Over a weekend: Friday to Monday; from within it to Monday too.
        ("2026-11-27T15:10+00:00", "2026-11-30T15:10:00Z"),
        ("2026-11-28T15:10+00:00", "2026-11-30T15:10:00Z"),
        ("2026-11-29T23:59:59+00:00", "2026-11-30T23:59:59Z"),
        // Midnight belongs to the day that it begins: Thursday's last second, Friday's first, Saturday's first.
        ("2026-11-26T23:59:59+00:00", "2026-11-27T23:59:59Z"),
        ("2026-11-27T00:00+00:00", "2026-11-30T00:00:00Z"),
        ("2026-11-28T00:00+00:00", "2026-11-30T00:00:00Z"),
        // Christmas 2026: Friday 25 is a bank holiday, Monday 28 stands in for Saturday 26; so Tuesday 29.
        ("2026-12-24T16:00+00:00", "2026-12-29T16:00:00Z"),
        ("2026-12-26T10:00+00:00", "2026-12-29T10:00:00Z"),
        // Easter 2026, in summer time: Thursday 2 April 17:30 to Tuesday 7 April 17:30, which is 16:30 UTC.
        ("2026-04-02T17:30+01:00", "2026-04-07T16:30:00Z"),
        // The clocks go back on Sunday 25 October 2026: nine in the morning stays nine in the morning.
        ("2026-10-23T09:00+01:00", "2026-10-26T09:00:00Z"),
        // They go forward on Sunday 29 March 2026.
        ("2026-03-27T09:00+00:00", "2026-03-30T08:00:00Z"),
        // New year: Thursday 31 December 2026; Friday 1 January is a bank holiday; Monday.
        ("2026-12-31T12:00+00:00", "2027-01-04T12:00:00Z"),
        // Christmas 2027: Saturday and Sunday, with Monday 27 and Tuesday 28 in their stead; Wednesday 29.
        ("2027-12-24T12:00+00:00", "2027-12-29T12:00:00Z"),
    ] {
        assert_eq!(due_of_one_working_day(known), due, "{known}");
    }
}

#[test]
fn hours_are_hours_when_the_clocks_change() {
    let law = law();
    let protected = json!({"fact": "protected", "when": at("2026-10-24T20:00+01:00"), "protection": "police"});
    let events = [made(3, "child", "2026-10-24T19:00+01:00"), for_child(1, 3, protected)];
    // Saturday 20:00 summer time and 72 hours: Tuesday 19:00 winter time.
    assert_eq!(
        clocks(&law, &events, "2026-10-27T18:59Z"),
        [
            "police-protection S-1: 2026-10-27T19:00:00Z",
            // Saturday 19:00, one working day: Monday 19:00, in winter time by then.
            "child-to-refer P-3: 2026-10-26T19:00:00Z, done"
        ]
    );
    assert_eq!(clocks(&law, &events, "2026-10-27T19:00:01Z")[0], "police-protection S-1: 2026-10-27T19:00:00Z, late");
}

#[test]
fn a_referral_acknowledged_late_says_so_and_a_target_and_reviews_go_on_until_it_is_closed() {
    let law = law();
    let mut events = vec![
        made(1, "suspect", "2026-11-27T15:10Z"),
        work(1, 1, "2026-11-27T15:10Z", "yes"),
        work(1, 2, "2026-11-27T15:10Z", "unknown"),
    ];
    // Where nobody knows yet whether it is with children there is no clock, but a finding.
    assert_eq!(clocks(&law, &events, "2026-11-27T16:00Z"), ["designated-officer P-1 work 1: 2026-11-30T15:10:00Z"]);
    events.push(for_work(1, 1, 1, sent("2026-11-30T15:10Z", "designated_officer")));
    events.push(for_work(1, 1, 1, json!({"fact": "target_set", "due": at("2026-12-18T12:00Z")})));
    assert_eq!(
        clocks(&law, &events, "2026-12-01T15:10:01Z"),
        [
            "acknowledgement S-1: 2026-12-01T15:10:00Z, late",
            "target S-1: 2026-12-18T12:00:00Z",
            "review S-1: 2026-12-28T15:10:00Z",
            // Told in the very second in which the clock ran out: not late.
            "designated-officer P-1 work 1: 2026-11-30T15:10:00Z, done",
        ]
    );
    events.push(for_work(1, 1, 1, json!({"fact": "acknowledged", "when": at("2026-12-01T16:00Z")})));
    events.push(for_work(1, 1, 1, json!({"fact": "reviewed", "when": at("2026-12-20T10:00Z")})));
    // A later target takes the place of the first.
    events.push(for_work(1, 1, 1, json!({"fact": "target_set", "due": at("2027-01-15T12:00Z")})));
    let now = "2027-01-10T12:00Z";
    assert_eq!(
        clocks(&law, &events, now),
        [
            "target S-1: 2027-01-15T12:00:00Z",
            "review S-1: 2027-01-17T10:00:00Z",
            "designated-officer P-1 work 1: 2026-11-30T15:10:00Z, done",
            "acknowledgement S-1: 2026-12-01T15:10:00Z, done, late",
        ]
    );
    events.push(for_work(1, 1, 1, json!({"fact": "closed", "when": at("2027-01-12T10:00Z"), "reason": "plan"})));
    assert!(clocks(&law, &events, now).iter().all(|clock| clock.contains("done")), "{:?}", clocks(&law, &events, now));
    // Corrected, it runs again.
    events.push(for_work(1, 1, 1, json!({"fact": "corrected", "wrong": 9, "reason": "wrong line"})));
    assert_eq!(clocks(&law, &events, now)[0], "target S-1: 2027-01-15T12:00:00Z");
}

fn custody(value: serde_json::Value) -> Event {
    fact("custody", json!({"custody": CustodyId::new(1), "suspect": p(1)}), value)
}

fn welfare(value: serde_json::Value) -> Event {
    fact("welfare", json!({"person": p(1)}), value)
}

#[test]
fn custody_and_the_first_48_hours() {
    let law = law();
    let arrested =
        json!({"fact": "arrested", "when": at("2026-11-24T07:00Z"), "officer": "U-2", "offences": ["pca-1978-s1"]});
    let arrived = |when: &str| json!({"fact": "arrived", "when": at(when), "place": "Station 1"});
    let mut events =
        vec![made(1, "suspect", "2026-11-24T07:00Z"), custody(arrested), custody(arrived("2026-11-24T08:15Z"))];
    assert_eq!(
        clocks(&law, &events, "2026-11-24T09:00Z"),
        [
            "detention C-1: 2026-11-25T08:15:00Z",
            "leaflet C-1: 2026-11-26T07:00:00Z",
            "phone C-1: 2026-11-26T07:00:00Z",
            "welfare-48-hours C-1: 2026-11-26T07:00:00Z",
        ]
    );
    // Who arrives more than 24 hours after the arrest is counted from 24 hours after it.
    let late = [events[0].clone(), events[1].clone(), custody(arrived("2026-11-25T13:00Z"))];
    assert!(clocks(&law, &late, "2026-11-24T09:00Z").contains(&"detention C-1: 2026-11-26T07:00:00Z".into()));
    events.push(custody(json!({"fact": "extended", "until": at("2026-11-25T20:15Z"), "authority": "superintendent"})));
    assert!(
        clocks(&law, &events, "2026-11-25T09:00Z").contains(&"detention-extended C-1: 2026-11-25T20:15:00Z".into())
    );
    events.push(custody(json!({"fact": "bailed", "when": at("2026-11-25T18:00Z"), "until": at("2027-02-25T12:00Z")})));
    let running = |events: &[Event], now: &str| -> Vec<String> {
        clocks(&law, events, now).into_iter().filter(|clock| !clock.contains("done")).collect()
    };
    assert_eq!(
        running(&events, "2026-11-25T19:30Z"),
        [
            "welfare-after-contact C-1: 2026-11-25T19:00:00Z, late",
            "leaflet C-1: 2026-11-26T07:00:00Z",
            "phone C-1: 2026-11-26T07:00:00Z",
            "welfare-48-hours C-1: 2026-11-26T07:00:00Z",
            "bail C-1: 2027-02-25T12:00:00Z",
        ]
    );
    // What names no arrest counts for the one before it.
    for value in [
        json!({"fact": "assessed", "when": at("2026-11-25T17:50Z"), "stage": "after_contact", "level": "medium"}),
        json!({"fact": "assessed", "when": at("2026-11-26T06:00Z"), "stage": "follow_up", "level": "low"}),
        json!({"fact": "leaflet_given", "when": at("2026-11-25T18:00Z"), "leaflet": "suspect"}),
        json!({"fact": "leaflet_given", "when": at("2026-11-25T18:00Z"), "leaflet": "family"}),
        json!({"fact": "phone_offered", "when": at("2026-11-25T18:00Z"), "taken": false}),
        json!({"fact": "trigger_set", "trigger": 1, "kind": "court", "date": at("2027-03-02T10:00Z")}),
    ] {
        events.push(welfare(value));
    }
    assert_eq!(
        running(&events, "2026-11-27T12:00Z"),
        ["bail C-1: 2027-02-25T12:00:00Z", "welfare-trigger P-1 trigger 1: 2027-03-02T10:00:00Z"]
    );
    events.push(custody(json!({"fact": "ended", "when": at("2027-02-20T12:00Z"), "how": "charged"})));
    events.push(welfare(json!({"fact": "assessed", "when": at("2027-03-01T10:00Z"), "stage": "trigger", "trigger": 1,
        "level": "low", "custody": "C-1"})));
    assert_eq!(running(&events, "2027-03-01T12:00Z"), Vec::<String>::new());
    let charge = clocks(&law, &events, "2027-03-01T12:00Z").into_iter().find(|c| c.starts_with("welfare-charge"));
    // 48 hours after the charge were over when it was assessed.
    assert_eq!(charge.unwrap(), "welfare-charge C-1: 2027-02-22T12:00:00Z, done, late");
}

#[test]
fn news_for_the_child_and_what_is_not_told() {
    let law = law();
    let care = |value| fact("care", json!({"child": p(3)}), value);
    let mut events = vec![
        made(3, "child", "2026-11-23T09:00Z"),
        for_child(1, 3, json!({"fact": "acted", "when": at("2026-11-23T10:00Z"), "action": "child_seen"})),
        // A Friday; 5 working days for other news: the Friday after.
        care(json!({"fact": "to_tell", "when": at("2026-11-27T17:00Z"), "news": 1, "about": "arrest"})),
        care(json!({"fact": "to_tell", "when": at("2026-11-27T17:00Z"), "news": 2, "about": "other"})),
        care(json!({"fact": "to_tell", "when": at("2026-11-27T17:00Z"), "news": 3, "about": "release"})),
        care(json!({"fact": "interview_planned", "when": at("2026-12-02T14:00Z")})),
        care(json!({"fact": "told", "when": at("2026-11-30T09:00Z"), "news": 1})),
        care(json!({"fact": "not_to_tell", "news": 3, "reason": "would give the enquiry away"})),
    ];
    let now = "2026-12-01T12:00Z";
    assert_eq!(
        clocks(&law, &events, now)[..3],
        [
            "interview-of-child P-3: 2026-12-02T14:00:00Z",
            "news-other P-3 news 2: 2026-12-04T17:00:00Z",
            "child-to-refer P-3: 2026-11-24T09:00:00Z, done",
        ]
    );
    assert_eq!(clocks(&law, &events, now).len(), 5);
    events.push(care(json!({"fact": "interviewed", "when": at("2026-12-02T14:30Z"), "kind": "declined"})));
    assert!(clocks(&law, &events, now).iter().any(|c| c == "interview-of-child P-3: 2026-12-02T14:00:00Z, done, late"));
}

#[test]
fn what_lies_past_the_table_of_bank_holidays_says_so() {
    let law = law();
    let moment = |known: &str| Moment {
        of: "P-1 work 1".into(),
        mark: Mark::WorkWithChildrenKnown,
        at: at(known),
        seq: 1,
        due: None,
    };
    // 1 January 2028 is a Saturday: Monday 3 January may well be a bank holiday, and the table does not say.
    let moments = [moment("2027-12-31T12:00Z")];
    let clock = &started(&law.clocks, &moments)[0];
    assert_eq!((clock.due, clock.past_the_table), (at("2028-01-03T12:00Z"), true));
    let moments = [moment("2027-12-29T12:00Z")];
    assert!(!started(&law.clocks, &moments)[0].past_the_table);
}

#[test]
fn every_mark_is_used_and_every_clock_can_end() {
    let law = law();
    let rows = || law.clocks.rows.iter().map(|row| &row.value);
    let used: Vec<Mark> = rows().flat_map(|c| c.starts.iter().chain(&c.restarts).chain(&c.ends)).copied().collect();
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/clock.rs")).unwrap();
    let body = text.split("pub enum Mark {").nth(1).unwrap().split("\n}").next().unwrap();
    let marks = body.lines().map(str::trim).filter(|line| !line.starts_with("///")).filter_map(|l| l.strip_suffix(','));
    for mark in marks {
        assert!(used.iter().any(|used| format!("{used:?}") == mark), "no clock goes by {mark}");
    }
    for clock in rows().filter(|clock| clock.within.as_ref().is_some_and(|w| w.unit == PeriodUnit::WorkingDays)) {
        assert_eq!(clock.within.as_ref().unwrap().not_working.len(), law.bank_holidays.rows.len());
    }
}

const MARKS: [Mark; 8] = [
    Mark::Sent,
    Mark::Acknowledged,
    Mark::DesignatedOfficerSent,
    Mark::Reviewed,
    Mark::TargetSet,
    Mark::SafeguardingOutcome,
    Mark::SafeguardingClosed,
    Mark::PoliceProtection,
];

fn moments() -> impl Strategy<Value = Vec<Moment>> {
    // Some four years around the tables, to the minute.
    let one = (0usize..MARKS.len(), 29_450_000i64..31_600_000, 0i64..100_000, 0u64..3);
    prop::collection::vec(one, 0..14).prop_map(|all| {
        let make = |(seq, (mark, minute, due, of)): (u64, (usize, i64, i64, u64))| {
            let instant = |minute: i64| At::from_ns(minute * 60_000_000_000);
            let due = (MARKS[mark] == Mark::TargetSet).then(|| instant(minute + due));
            Moment { of: format!("S-{of}"), mark: MARKS[mark], at: instant(minute), seq, due }
        };
        (1u64..).zip(all).map(make).collect()
    })
}

/// One working day later, day by day, by the calendar that the tests' own list of dates makes.
fn next_working_day(start: At, holidays: &[jiff::civil::Date]) -> At {
    let zoned = start.timestamp().in_tz("Europe/London").unwrap();
    let mut date = zoned.date();
    loop {
        date = date.tomorrow().unwrap();
        if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !holidays.contains(&date) {
            break;
        }
    }
    let later = date.to_datetime(zoned.time()).in_tz("Europe/London").unwrap();
    At::from_ns(later.timestamp().as_nanosecond().try_into().unwrap())
}

proptest! {
    #[test]
    fn clocks_do_not_depend_on_the_order_of_moments_and_an_end_ends(
        (moments, shuffled) in moments().prop_flat_map(|m| (Just(m.clone()), Just(m).prop_shuffle()))
    ) {
        let law = law();
        let clocks = started(&law.clocks, &moments);
        prop_assert_eq!(&started(&law.clocks, &shuffled), &clocks);
        let holidays: Vec<_> = law.bank_holidays.rows.iter().map(|row| row.value.date).collect();
        for clock in &clocks {
            let row = &clock.clock.value;
            let those = |marks: &[Mark]| -> Vec<&Moment> {
                moments.iter().filter(|m| m.of == clock.of && marks.contains(&m.mark)).collect()
            };
            prop_assert!(!those(&row.starts).is_empty());
            prop_assert_eq!(clock.done, those(&row.ends).iter().map(|m| m.at).min());
            match row.within.as_ref().map(|w| (w.unit, w.count)) {
                Some((PeriodUnit::WorkingDays, 1)) => {
                    prop_assert_eq!(clock.due, next_working_day(clock.since, &holidays));
                }
                Some((PeriodUnit::Hours, hours)) => {
                    prop_assert_eq!(clock.due.ns() - clock.since.ns(), i64::from(hours) * 3_600_000_000_000);
                }
                Some(_) => prop_assert!(clock.due > clock.since),
                None => prop_assert_eq!(
                    Some(clock.due), those(&row.starts).iter().max_by_key(|m| m.seq).and_then(|m| m.due)
                ),
            }
        }
        // What runs comes first, and the earliest of it first.
        let order: Vec<_> = clocks.iter().map(|c| (c.done.is_some(), c.due)).collect();
        prop_assert!(order.is_sorted());
    }
}
