//! Risk and the order of work.

use std::collections::BTreeSet;

use avocet_record::law::Law;
use avocet_record::risk::{
    Answer, Danger, Factor, Flag, LevelId, OpenClock, QueueItem, Reason, RiskFact, RiskFinding, RiskState,
    SafeguardingAction, Tool, order,
};
use avocet_record::{At, InvestigationId, Personal, Recorded, UserId};
use proptest::prelude::*;

const I: InvestigationId = InvestigationId::new(7);

fn note() -> Option<Personal<String>> {
    Some(serde_json::from_str(r#"{"key":"K-1","sealed":"00"}"#).unwrap())
}

fn at(text: &str) -> At {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn recorded(seq: u64, by: u64, fact: RiskFact) -> Recorded<RiskFact> {
    Recorded { seq, at: At::from_ns(i64::try_from(seq).unwrap()), by: UserId::new(by), fact }
}

fn assessed(level: &str, reason: Option<Personal<String>>) -> RiskFact {
    let factors = vec![
        Factor { question: "1".to_owned(), answer: Answer::Yes {}, by: Some(UserId::new(9)), evidence: note() },
        Factor { question: "2".to_owned(), answer: Answer::Number { value: 2 }, by: None, evidence: None },
    ];
    let tool = Some(Tool { name: "KIRAT".to_owned(), version: "2".to_owned() });
    RiskFact::Assessed { investigation: I, tool, factors, level: LevelId::new(level), reason }
}

fn danger(danger: Danger, reason: Option<Personal<String>>) -> RiskFact {
    RiskFact::DangerStated { investigation: I, danger, reason }
}

fn acted() -> RiskFact {
    let (action, body) = (SafeguardingAction::SocialCareTold, Some("Anytown Council".to_owned()));
    RiskFact::SafeguardingActed { investigation: I, action, acted: At::from_ns(5), body, note: None }
}

fn overridden(level: &str, reason: Option<Personal<String>>) -> RiskFact {
    RiskFact::Overridden { investigation: I, level: LevelId::new(level), reason }
}

/// Number, person, fact.
type Facts = Vec<(u64, u64, RiskFact)>;

fn state(facts: &[(u64, u64, RiskFact)]) -> RiskState {
    let mut state = RiskState::default();
    for (seq, by, fact) in facts {
        state.apply(&recorded(*seq, *by, fact.clone()));
    }
    state
}

#[test]
fn facts_keep_their_stored_form() {
    let text = r#"{"fact":"assessed","investigation":"I-7","tool":{"name":"KIRAT","version":"2"},"factors":[{"question":"1","answer":{"kind":"yes"},"by":"U-9","evidence":{"key":"K-1","sealed":"00"}},{"question":"2","answer":{"kind":"number","value":2}}],"level":"high"}"#;
    assert_eq!(serde_json::to_string(&assessed("high", None)).unwrap(), text);
    for (fact, text) in [
        (
            overridden("low", note()),
            r#"{"fact":"overridden","investigation":"I-7","level":"low","reason":{"key":"K-1","sealed":"00"}}"#,
        ),
        (danger(Danger::Unknown, None), r#"{"fact":"danger_stated","investigation":"I-7","danger":"unknown"}"#),
        (
            acted(),
            r#"{"fact":"safeguarding_acted","investigation":"I-7","action":"social_care_told","acted":5,"body":"Anytown Council"}"#,
        ),
    ] {
        assert_eq!(serde_json::to_string(&fact).unwrap(), text);
        assert_eq!(serde_json::from_str::<RiskFact>(text).unwrap(), fact);
        assert_eq!(fact.investigation(), I);
        let more = text.replacen("{", r#"{"extra":1,"#, 1);
        assert!(serde_json::from_str::<RiskFact>(&more).is_err(), "{more}");
    }
    assert_eq!(serde_json::from_str::<RiskFact>(text).unwrap(), assessed("high", None));
    assert!(serde_json::from_str::<RiskFact>(&text.replace(r#""kind":"yes""#, r#""kind":"yes","x":1"#)).is_err());
}

#[test]
fn every_level_that_stood_is_kept_with_who_and_why() {
    let state = state(&[
        (1, 3, assessed("low", None)),
        (2, 4, assessed("high", note())),
        (3, 5, overridden("very-high", note())),
    ]);
    let history: Vec<_> = state
        .history()
        .map(|c| (c.seq, c.by.number(), c.level.as_str(), c.reason.is_some(), c.assessment.is_some()))
        .collect();
    assert_eq!(history, [(1, 3, "low", false, true), (2, 4, "high", true, true), (3, 5, "very-high", true, false)]);
    assert_eq!(state.level().unwrap().level.as_str(), "very-high");
    let assessment = state.assessment().unwrap();
    assert_eq!((assessment.seq, assessment.assessment.as_ref().unwrap().factors.len()), (2, 2));
    assert_eq!(assessment.assessment.as_ref().unwrap().tool.as_ref().unwrap().to_string(), "KIRAT 2");
}

#[test]
fn gaps_are_findings_and_every_fact_is_accepted() {
    use RiskFinding as F;
    let levels = Law::load(None).unwrap().risk_levels;
    let no = || danger(Danger::No, note());
    let high = || LevelId::new("grave");
    let cases: Vec<(Facts, Vec<RiskFinding>)> = vec![
        (vec![], vec![F::DangerNotStated, F::NotAssessed]),
        (vec![(1, 3, assessed("low", None)), (2, 3, no())], vec![]),
        (
            vec![(1, 3, assessed("low", None)), (2, 3, no()), (3, 3, assessed("high", None))],
            vec![F::ChangeWithoutReason { seq: 3 }],
        ),
        (
            vec![(1, 3, assessed("low", None)), (2, 3, no()), (3, 3, overridden("high", None))],
            vec![F::ChangeWithoutReason { seq: 3 }],
        ),
        (vec![(1, 3, overridden("high", note())), (2, 3, no())], vec![F::OverrideWithoutAssessment { seq: 1 }]),
        (
            vec![(1, 3, overridden("high", None)), (2, 3, no())],
            vec![F::OverrideWithoutAssessment { seq: 1 }, F::ChangeWithoutReason { seq: 1 }],
        ),
        (vec![(1, 3, assessed("grave", None)), (2, 3, no())], vec![F::LevelNotInTable { seq: 1, level: high() }]),
        (
            vec![(1, 3, assessed("low", None)), (2, 4, danger(Danger::Yes, None))],
            vec![F::DangerWithoutAction { seq: 2, by: UserId::new(4) }],
        ),
        (vec![(1, 3, assessed("low", None)), (2, 4, danger(Danger::Yes, None)), (3, 4, acted())], vec![]),
        // Stated again after the action: it is the same danger.
        (
            vec![
                (1, 3, assessed("low", None)),
                (2, 4, danger(Danger::Yes, None)),
                (3, 4, acted()),
                (4, 4, danger(Danger::Yes, None)),
            ],
            vec![],
        ),
        // Ended, with and without a reason; then a new danger, for which the earlier action does not count.
        (
            vec![
                (1, 3, assessed("low", None)),
                (2, 4, danger(Danger::Yes, None)),
                (3, 4, acted()),
                (4, 4, danger(Danger::No, note())),
            ],
            vec![],
        ),
        (
            vec![
                (1, 3, assessed("low", None)),
                (2, 4, danger(Danger::Yes, None)),
                (3, 4, acted()),
                (4, 4, danger(Danger::Unknown, None)),
            ],
            vec![F::DangerEndedWithoutReason { seq: 4 }],
        ),
        (
            vec![
                (1, 3, assessed("low", None)),
                (2, 4, danger(Danger::Yes, None)),
                (3, 4, acted()),
                (4, 4, no()),
                (5, 4, danger(Danger::Yes, None)),
            ],
            vec![F::DangerWithoutAction { seq: 5, by: UserId::new(4) }],
        ),
    ];
    for (facts, wanted) in cases {
        let found = state(&facts).findings(&levels);
        assert_eq!(found, wanted, "{facts:?}");
        for finding in found {
            let text = finding.to_string();
            assert!(text.contains(". ") && !text.contains("  "), "{text}");
        }
    }
    let RiskFact::Assessed { factors, .. } = &mut assessed("low", None) else { unreachable!() };
    factors[1].question = "1".to_owned();
    let twice = RiskFact::Assessed {
        investigation: I,
        tool: None,
        factors: factors.clone(),
        level: LevelId::new("low"),
        reason: None,
    };
    assert_eq!(
        state(&[(1, 3, twice), (2, 3, no())]).findings(&levels),
        [F::AnsweredTwice { seq: 1, question: "1".to_owned() }]
    );
}

fn item(id: u64, danger: Option<Danger>, level: Option<&str>, received: &str) -> QueueItem {
    QueueItem {
        investigation: InvestigationId::new(id),
        danger: danger.map(|d| (d, UserId::new(3), At::from_ns(0))),
        safeguarding_actions: 0,
        level: level.map(LevelId::new),
        received: at(received),
        flags: BTreeSet::new(),
        clocks: Vec::new(),
        closed: false,
    }
}

/// Twelve investigations whose order is worked out on paper; now is 20 November 2026, 12:00 (winter time: UTC).
#[test]
fn the_queue_by_hand() {
    let levels = Law::load(None).unwrap().risk_levels;
    let now = at("2026-11-20T12:00:00Z");
    let no = Some(Danger::No);
    let mut flagged = item(5, no, Some("high"), "2026-11-13T15:00:00Z");
    flagged.flags = BTreeSet::from([Flag::Viral, Flag::PotentialMeme, Flag::Escalated]);
    flagged.clocks = vec![
        OpenClock { due: at("2026-11-21T12:00:00Z"), name: "bail".to_owned(), ahead: true },
        OpenClock { due: at("2026-11-20T11:59:30Z"), name: "designated officer to be told".to_owned(), ahead: true },
    ];
    let mut acted_on = item(10, Some(Danger::Yes), Some("low"), "2026-11-01T12:00:00Z");
    acted_on.safeguarding_actions = 2;
    let items = vec![
        item(1, no, Some("low"), "2026-10-01T12:00:00+01:00"),
        item(2, None, None, "2026-11-20T08:00:00Z"),
        item(3, Some(Danger::Yes), Some("low"), "2026-11-19T12:00:00Z"),
        item(4, Some(Danger::Unknown), Some("medium"), "2026-11-06T12:00:00Z"),
        flagged,
        item(6, no, Some("very-high"), "2026-11-19T13:00:00Z"),
        item(7, no, Some("high"), "2026-11-13T15:00:00Z"),
        item(8, Some(Danger::Yes), Some("very-high"), "2026-11-20T11:00:00Z"),
        item(9, no, Some("very-high"), "2026-11-17T11:00:00Z"),
        acted_on,
        item(11, no, Some("grave"), "2026-11-20T11:30:00Z"),
        item(12, None, Some("low"), "2026-11-20T11:00:00Z"),
    ];
    let placed = order(items, &levels, now);
    let shown: Vec<String> = placed
        .iter()
        .map(|p| {
            format!(
                "{}: {}",
                p.item.investigation,
                p.reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join(" | ")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "I-8: a child may be in danger now, recorded by U-3; no safeguarding action recorded since | Very high; due in 23 h",
            // 1 December 12:00 before 19 December 12:00.
            "I-10: a child may be in danger now, recorded by U-3; 2 safeguarding actions recorded since | Low; due in 11 days",
            "I-3: a child may be in danger now, recorded by U-3; no safeguarding action recorded since | Low; due in 29 days",
            // A clock has run out: before everything but a child in danger.
            "I-5: High; due in 3 h | designated officer to be told: less than a minute late | bail: due in 24 h | escalated by the sender | viral; this does not lower its place | potential meme; this does not lower its place",
            // Due 18 November 11:00: 2 days and 1 hour ago.
            "I-9: Very high; 2 days late",
            "I-6: Very high; due in 1 h",
            "I-2: nobody has stated whether a child may be in danger now | not assessed yet: treated as Very high until it is; due in 20 h",
            "I-11: the level `grave` is not in the table: treated as Very high; due in 23 h",
            "I-7: High; due in 3 h",
            "I-4: whether a child is in danger now is not known, recorded by U-3 | Medium; due in less than a minute",
            // Received in summer time at 12:00, so due on 31 October at 12:00, which is winter time: 20 days ago.
            "I-1: Low; 20 days late",
            "I-12: nobody has stated whether a child may be in danger now | Low; due in 29 days",
        ]
    );
}

#[test]
fn an_item_takes_its_risk_from_what_was_recorded() {
    let levels = Law::load(None).unwrap().risk_levels;
    let risk = state(&[
        (1, 3, assessed("low", None)),
        (2, 4, danger(Danger::Yes, note())),
        (3, 4, acted()),
        (4, 5, overridden("high", note())),
    ]);
    let item = QueueItem::new(I, at("2026-11-20T12:00:00Z"), &risk);
    assert_eq!((item.danger.map(|d| (d.0, d.1.number())), item.safeguarding_actions), (Some((Danger::Yes, 4)), 1));
    assert_eq!(item.level.as_ref().unwrap().as_str(), "high");
    // The deadline counts from receipt, not from the assessment.
    assert_eq!(item.place(&levels, at("2026-11-20T12:00:00Z")).deadline, at("2026-11-27T12:00:00Z"));
    let bare = QueueItem::new(I, at("2026-11-20T12:00:00Z"), &RiskState::default());
    assert_eq!(bare.place(&levels, at("2026-11-20T12:00:00Z")).deadline, at("2026-11-21T12:00:00Z"));
}

#[test]
fn spans_are_rounded_down() {
    let levels = Law::load(None).unwrap().risk_levels;
    let one = item(1, Some(Danger::No), Some("very-high"), "2026-11-19T12:00:00Z");
    // Due on 20 November at 12:00.
    for (now, text) in [
        ("2026-11-20T12:00:00Z", "Very high; due in less than a minute"),
        ("2026-11-20T12:00:01Z", "Very high; less than a minute late"),
        ("2026-11-20T11:58:01Z", "Very high; due in 1 min"),
        ("2026-11-20T11:00:01Z", "Very high; due in 59 min"),
        ("2026-11-20T11:00:00Z", "Very high; due in 1 h"),
        ("2026-11-22T11:59:59Z", "Very high; 47 h late"),
        ("2026-11-22T12:00:00Z", "Very high; 2 days late"),
    ] {
        assert_eq!(order(vec![one.clone()], &levels, at(now))[0].reasons.last().unwrap().to_string(), text);
    }
    let ends = order(vec![one], &levels, At::from_ns(i64::MAX));
    assert!(ends[0].reasons.last().unwrap().to_string().ends_with(" days late"));
}

/// Danger, level, day of receipt, flags.
type Drawn = (Option<Danger>, Option<LevelId>, i64, BTreeSet<Flag>);

fn items() -> impl Strategy<Value = Vec<QueueItem>> {
    let danger = prop_oneof![Just(None), Just(Some(Danger::Yes)), Just(Some(Danger::No)), Just(Some(Danger::Unknown))];
    let level = prop_oneof![
        Just(None),
        prop::sample::select(vec!["very-high", "high", "medium", "low", "grave"]).prop_map(|l| Some(LevelId::new(l)))
    ];
    let flag = prop::sample::select(vec![Flag::Viral, Flag::PotentialMeme, Flag::Escalated, Flag::Generative]);
    // Few received times, so that many are equal and the id has to decide.
    let one = (danger, level, 0i64..5, prop::collection::btree_set(flag, 0..3));
    prop::collection::vec(one, 0..40).prop_map(|all| {
        let make = |(n, (danger, level, day, flags)): (u64, Drawn)| QueueItem {
            investigation: InvestigationId::new(n),
            danger: danger.map(|d| (d, UserId::new(1), At::from_ns(0))),
            safeguarding_actions: 0,
            level,
            received: At::from_ns(1_790_000_000_000_000_000 + day * 86_400_000_000_000),
            flags,
            clocks: Vec::new(),
            closed: false,
        };
        (0..).zip(all).map(make).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_is_total_and_does_not_depend_on_how_items_come(
        (items, shuffled) in items().prop_flat_map(|v| (Just(v.clone()), Just(v).prop_shuffle())),
        now in 0i64..3_000_000_000
    ) {
        let levels = Law::load(None).unwrap().risk_levels;
        let now = At::from_ns(now * 1_000_000_000);
        let placed = order(items.clone(), &levels, now);
        prop_assert_eq!(&order(shuffled, &levels, now), &placed);
        prop_assert_eq!(placed.len(), items.len());
        prop_assert!(placed.windows(2).all(|pair| pair[0].place < pair[1].place));
        // The rule again, written out: danger, then the level's rank by name, then received, then the id; with one
        // table the deadline orders as the time of receipt does.
        let mut plain = items.clone();
        plain.sort_by_key(|i| {
            let danger = matches!(i.danger, Some((Danger::Yes, ..)));
            let rank = match i.level.as_ref().map(LevelId::as_str) {
                Some("high") => 2,
                Some("medium") => 3,
                Some("low") => 4,
                _ => 1,
            };
            (!danger, rank, i.received, i.investigation)
        });
        let ids: Vec<_> = placed.iter().map(|p| p.item.investigation).collect();
        prop_assert_eq!(ids, plain.iter().map(|i| i.investigation).collect::<Vec<_>>());
        for p in &placed {
            prop_assert!(!p.reasons.is_empty());
            // Flags are shown and change nothing.
            let flags = p.reasons.iter().filter(|r| matches!(r, Reason::Flag(_))).count();
            prop_assert_eq!(flags, p.item.flags.len());
            let mut plain = p.item.clone();
            plain.flags.clear();
            prop_assert_eq!(plain.place(&levels, now), p.place);
        }
    }

    #[test]
    fn the_state_does_not_depend_on_the_order_of_applying(
        order in Just((1u64..=8).collect::<Vec<_>>()).prop_shuffle()
    ) {
        let fact = |seq: u64| match seq {
            1 => assessed("low", None),
            2 => danger(Danger::Yes, None),
            3 => acted(),
            4 => assessed("high", note()),
            5 => danger(Danger::No, None),
            6 => overridden("medium", None),
            7 => danger(Danger::Yes, note()),
            _ => assessed("grave", note()),
        };
        let levels = Law::load(None).unwrap().risk_levels;
        let in_order = state(&(1..=8).map(|seq| (seq, 3, fact(seq))).collect::<Vec<_>>());
        let shuffled = state(&order.into_iter().map(|seq| (seq, 3, fact(seq))).collect::<Vec<_>>());
        prop_assert_eq!(&shuffled, &in_order);
        prop_assert_eq!(shuffled.findings(&levels), in_order.findings(&levels));
    }
}
