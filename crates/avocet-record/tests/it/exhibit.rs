//! Continuity: valid histories have no findings, each planted mistake is found, and the order of recording does not
//! matter.

use avocet_record::exhibit::{
    ExhibitFact, ExhibitFinding as F, ExhibitState, Fate, Holder, PowerSource, Serial, across,
};
use avocet_record::{At, ExhibitId, Recorded, UserId};
use proptest::prelude::*;

/// Facts, each with who records it.
type History = Vec<(u64, ExhibitFact)>;

const HOUR: i64 = 3_600_000_000_000;

fn at(hour: i64) -> At {
    At::from_ns(1_795_000_000_000_000_000 + hour * HOUR)
}

fn user(n: u64) -> UserId {
    UserId::new(n)
}

fn officer(n: u64) -> Holder {
    Holder::Officer { user: user(n) }
}

fn place(name: &str) -> Holder {
    Holder::Place { place: name.into() }
}

fn taken(hour: i64, by: u64, source: PowerSource) -> ExhibitFact {
    ExhibitFact::Taken {
        when: at(hour),
        officer: user(by),
        reference: "JC/1".parse().unwrap(),
        parent: None,
        kind: "phone".into(),
        description: "black".into(),
        make: None,
        model: None,
        serials: vec![],
        place: "room 2".into(),
        source,
    }
}

fn power() -> PowerSource {
    PowerSource::Power { power: "search-after-arrest".into() }
}

fn agreed() -> PowerSource {
    PowerSource::Agreement { giver: "witness".into(), scope: "messages of May".into(), return_by: None }
}

fn sealed(hour: i64, by: u64, seal: &str) -> ExhibitFact {
    ExhibitFact::Sealed { when: at(hour), officer: user(by), seal: seal.into() }
}

fn opened(hour: i64, by: u64, seal: &str) -> ExhibitFact {
    ExhibitFact::Opened { when: at(hour), officer: user(by), seal: seal.into(), reason: "imaging".into() }
}

fn handed(hour: i64, from: Holder, to: Holder) -> ExhibitFact {
    ExhibitFact::HandedOver { when: at(hour), from, to }
}

fn received(hour: i64, handover: u64) -> ExhibitFact {
    ExhibitFact::Received { when: at(hour), handover }
}

fn examined(hour: i64, by: u64, within_scope: Option<bool>) -> ExhibitFact {
    ExhibitFact::Examined { when: at(hour), officer: user(by), what: "imaged".into(), within_scope }
}

fn destroyed(hour: i64, witness: u64) -> ExhibitFact {
    ExhibitFact::Destroyed {
        when: at(hour),
        authority: "order 1".into(),
        method: "shredded".into(),
        witness: user(witness),
    }
}

/// Facts with the numbers 1, 2, … each recorded by somebody an hour after the last of them happened.
fn state(facts: &[(u64, ExhibitFact)]) -> ExhibitState {
    let mut state = ExhibitState::default();
    for (n, (by, fact)) in facts.iter().enumerate() {
        state.apply(&Recorded { seq: n as u64 + 1, at: at(1000), by: user(*by), fact: fact.clone() });
    }
    state
}

#[test]
fn a_phone_from_the_scene_to_its_destruction() {
    // Taken by U-1 at hour 0, bagged, handed to U-2 who confirms, put into the store, taken out by U-2, opened, examined,
    // bagged under a new seal, back into the store, destroyed by U-3 with U-4 as witness.
    let all = [
        (1, taken(0, 1, power())),
        (1, sealed(1, 1, "S100")),
        (1, handed(2, officer(1), officer(2))),
        (2, received(2, 3)),
        (2, handed(3, officer(2), place("store A"))),
        (2, handed(4, place("store A"), officer(2))),
        (2, opened(5, 2, "S100")),
        (2, examined(6, 2, None)),
        (2, sealed(7, 2, "S101")),
        (2, handed(8, officer(2), place("store A"))),
        (3, destroyed(9, 4)),
    ];
    let where_after = |n: usize| (state(&all[..n]).fate(), state(&all[..n]).holder(), state(&all[..n]).seal());
    assert_eq!(where_after(1), (Fate::Held, Some(officer(1)), None));
    assert_eq!(where_after(4), (Fate::Held, Some(officer(2)), Some("S100".into())));
    assert_eq!(where_after(5), (Fate::Held, Some(place("store A")), Some("S100".into())));
    assert_eq!(where_after(7), (Fate::Held, Some(officer(2)), None));
    assert_eq!(where_after(11), (Fate::Destroyed, None, Some("S101".into())));
    for n in [1, 2, 4, 5, 6, 7, 8, 9, 10, 11] {
        assert_eq!(state(&all[..n]).findings(), [], "after {n}");
    }
    assert_eq!(state(&all[..3]).findings(), [F::NotConfirmed { seq: 3 }], "U-2 has not confirmed yet");
    assert_eq!(state(&all).continuity().len(), 11);
}

/// Each planted mistake with the one finding that it gives, worked out by hand.
#[test]
fn each_mistake_is_found_and_nothing_else() {
    let (took, bag) = ((1, taken(0, 1, power())), (1, sealed(1, 1, "S1")));
    let to_two = (1, handed(2, officer(1), officer(2)));
    let cases: Vec<(History, Vec<F>)> = vec![
        (
            vec![(1, taken(0, 1, power())), bag.clone(), (1, sealed(2, 1, "S2"))],
            vec![F::SealedTwice { seq: 3, old: "S1".into(), new: "S2".into() }],
        ),
        (vec![took.clone(), (1, opened(1, 1, "S1"))], vec![F::OpenedUnsealed { seq: 2, seal: "S1".into() }]),
        (
            vec![took.clone(), bag.clone(), (1, opened(2, 1, "S9"))],
            vec![F::OtherSeal { seq: 3, on: "S1".into(), found: "S9".into() }],
        ),
        (
            vec![took.clone(), bag.clone(), (1, examined(2, 1, None))],
            vec![F::ExaminedSealed { seq: 3, seal: "S1".into() }],
        ),
        (
            vec![took.clone(), (3, examined(2, 3, None))],
            vec![F::NotTheHolder { seq: 2, holder: officer(1), from: officer(3) }],
        ),
        (
            vec![took.clone(), (3, handed(2, officer(3), place("A")))],
            vec![F::NotTheHolder { seq: 2, holder: officer(1), from: officer(3) }],
        ),
        (vec![took.clone(), to_two.clone()], vec![F::NotConfirmed { seq: 2 }]),
        (vec![took.clone(), to_two.clone(), (1, received(3, 2))], vec![F::ConfirmedByAnother { seq: 3, by: user(1) }]),
        (
            vec![took.clone(), to_two.clone(), (2, received(1, 2))],
            vec![F::ConfirmsNothing { seq: 3, handover: 2 }, F::ReceivedBeforeGiven { seq: 3 }],
        ),
        (vec![took.clone(), (2, received(1, 77))], vec![F::ConfirmsNothing { seq: 2, handover: 77 }]),
        (vec![bag.clone(), (1, taken(2, 1, power()))], vec![F::BeforeTaken { seq: 1 }]),
        (vec![bag.clone()], vec![F::BeforeTaken { seq: 1 }, F::NeverTaken {}]),
        (vec![took.clone(), (1, taken(3, 1, power()))], vec![F::TakenTwice { seq: 2 }]),
        (
            vec![took.clone(), (2, destroyed(3, 4)), (1, sealed(4, 1, "S1"))],
            vec![F::AfterTheEnd { seq: 3, fate: Fate::Destroyed }],
        ),
        (vec![took.clone(), (4, destroyed(3, 4))], vec![F::OwnWitness { seq: 2 }]),
        (vec![took.clone(), (1, sealed(2000, 1, "S1"))], vec![F::InTheFuture { seq: 2 }]),
        (vec![(1, taken(0, 1, agreed())), (1, examined(1, 1, Some(true)))], vec![]),
        (
            vec![(1, taken(0, 1, agreed())), (1, examined(1, 1, Some(false)))],
            vec![F::OutsideScope { seq: 2, stated: true }],
        ),
        (vec![(1, taken(0, 1, agreed())), (1, examined(1, 1, None))], vec![F::OutsideScope { seq: 2, stated: false }]),
        (
            vec![
                (1, taken(0, 1, agreed())),
                (1, ExhibitFact::AgreementWithdrawn { when: at(1) }),
                (1, examined(2, 1, Some(true))),
            ],
            vec![F::AgreementGone { seq: 3, withdrawn: 2 }],
        ),
        (
            vec![took.clone(), (1, ExhibitFact::Corrected { wrong: 9, reason: "slip".into() })],
            vec![F::CorrectsNothing { seq: 2, wrong: 9 }],
        ),
    ];
    for (n, (facts, wanted)) in cases.iter().enumerate() {
        assert_eq!(&state(facts).findings(), wanted, "case {n}");
        for finding in wanted {
            let text = finding.to_string();
            assert!(text.len() > 30 && !text.contains("Officer {"), "{text}");
        }
    }
}

#[test]
fn a_correction_strikes_and_can_be_struck() {
    let wrong = [
        (1, taken(0, 1, power())),
        (1, sealed(1, 1, "S1")),
        (1, sealed(2, 1, "S2")),
        (1, ExhibitFact::Corrected { wrong: 3, reason: "a slip".into() }),
        (1, ExhibitFact::Corrected { wrong: 4, reason: "it was none".into() }),
    ];
    let corrected = state(&wrong[..4]);
    assert_eq!((corrected.findings(), corrected.seal()), (vec![], Some("S1".into())));
    let step = corrected.continuity().into_iter().find(|s| s.recorded.seq == 3).unwrap();
    assert_eq!(step.struck, Some(4), "what is wrong stays visible");
    assert_eq!(state(&wrong).findings().len(), 1, "the correction was itself wrong");
}

#[test]
fn the_same_seal_serial_or_reference_on_two_exhibits() {
    let exhibit = |reference: &str, seal: &str, imei: &str| {
        let mut fact = taken(0, 1, power());
        if let ExhibitFact::Taken { reference: r, serials, .. } = &mut fact {
            *r = reference.parse().unwrap();
            serials.push(Serial { kind: "IMEI".into(), value: imei.into() });
        }
        state(&[(1, fact), (1, sealed(1, 1, seal))])
    };
    let (a, b, c) = (exhibit("JC/1", "S 10", "35-1"), exhibit("JC/2", "s10", "352"), exhibit("jc/1", "S11", "351"));
    let id = ExhibitId::new;
    let found = across([(id(1), &a), (id(2), &b), (id(3), &c)]);
    let kinds = |n| -> Vec<String> {
        found
            .get(&id(n))
            .into_iter()
            .flatten()
            .map(|f| format!("{f:?}").split(' ').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(1), ["SameReference", "SameSeal", "SameSerial"]);
    assert_eq!(kinds(2), ["SameSeal"]);
    assert_eq!(kinds(3), ["SameReference", "SameSerial"]);
}

/// A valid history: from a state, each choice makes one or two facts that are allowed there.
fn valid(choices: &[u8]) -> Vec<(u64, ExhibitFact)> {
    let mut facts = vec![(1, taken(0, 1, power()))];
    let (mut holder, mut seal, mut hour) = (officer(1), None::<String>, 1);
    for choice in choices {
        let hands = match holder {
            Holder::Officer { user } => Some(user.number()),
            _ => None,
        };
        match (choice % 5, hands) {
            (0, Some(by)) if seal.is_none() => {
                seal = Some(format!("S{hour}"));
                facts.push((by, sealed(hour, by, &format!("S{hour}"))));
            }
            (1, Some(by)) if seal.is_some() => {
                facts.push((by, opened(hour, by, &seal.take().unwrap())));
            }
            (2, Some(by)) if seal.is_none() => facts.push((by, examined(hour, by, None))),
            (3, Some(by)) => {
                let other = 1 + (by % 4);
                facts.push((by, handed(hour, holder.clone(), officer(other))));
                facts.push((other, received(hour, facts.len() as u64)));
                holder = officer(other);
            }
            (4, Some(by)) => {
                facts.push((by, handed(hour, holder.clone(), place("A"))));
                holder = place("A");
            }
            (_, None) => {
                facts.push((3, handed(hour, holder.clone(), officer(3))));
                holder = officer(3);
            }
            _ => {}
        }
        hour += 1;
    }
    facts
}

/// Where it is by a second, plain reading: the last hand-over that happened, else who took it.
fn plainly_with(facts: &[(u64, ExhibitFact)]) -> Holder {
    let last = facts.iter().rev().find_map(|(_, fact)| match fact {
        ExhibitFact::HandedOver { to, .. } => Some(to.clone()),
        _ => None,
    });
    last.unwrap_or(officer(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn valid_histories_have_no_findings_and_a_missing_link_is_found(choices in prop::collection::vec(0u8..5, 0..40), cut: prop::sample::Index) {
        let facts = valid(&choices);
        let whole = state(&facts);
        prop_assert_eq!(whole.findings(), vec![]);
        prop_assert_eq!(whole.holder(), Some(plainly_with(&facts)));
        // Without one of its hand-overs or openings something no longer fits, unless nothing came after it.
        let at = cut.index(facts.len());
        let mut fewer = facts.clone();
        let gone = fewer.remove(at);
        let later_touch = fewer.iter().skip(at).any(|(_, f)| matches!(f, ExhibitFact::HandedOver { .. } | ExhibitFact::Examined { .. }));
        if matches!(gone.1, ExhibitFact::HandedOver { to: Holder::Officer { .. }, .. }) && later_touch {
            prop_assert!(!state(&fewer).findings().is_empty());
        }
    }

    #[test]
    fn the_order_of_recording_does_not_matter(choices in prop::collection::vec(0u8..5, 0..30), keys in prop::collection::vec(any::<u64>(), 80)) {
        let facts = valid(&choices);
        let mut shuffled: Vec<_> = facts.iter().enumerate().collect();
        shuffled.sort_by_key(|(n, _)| keys.get(*n).copied().unwrap_or(0));
        let mut other = ExhibitState::default();
        for (n, (by, fact)) in shuffled {
            other.apply(&Recorded { seq: n as u64 + 1, at: at(1000), by: user(*by), fact: fact.clone() });
        }
        prop_assert_eq!(&other, &state(&facts));
        prop_assert_eq!(other.continuity(), state(&facts).continuity());
    }
}
