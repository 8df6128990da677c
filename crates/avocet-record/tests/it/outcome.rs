//! Outcomes: charges, counts of schedules, what is to happen to devices, and what does not fit.

use std::collections::BTreeMap;

use avocet_record::exhibit::Fate;
use avocet_record::law::Law;
use avocet_record::outcome::{Accessible, DeviceDecision, Medium, OutcomeFact, OutcomeState, ScheduleLine};
use avocet_record::{At, ExhibitId, PersonId, Recorded, UserId};

fn at(text: &str) -> At {
    At::read(text).unwrap()
}

fn now() -> At {
    at("2026-11-27T12:00Z")
}

fn exhibit(n: u64) -> ExhibitId {
    ExhibitId::new(n)
}

fn charged(charge: u32, offence: &str) -> OutcomeFact {
    OutcomeFact::Charged {
        when: at("2026-11-20T10:00Z"),
        suspect: Some(PersonId::new(1)),
        charge,
        offence: offence.into(),
        decided_by: "Crown Prosecution Service".into(),
    }
}

fn line(category: Option<&str>, medium: Medium, accessible: Accessible, count: u64) -> ScheduleLine {
    ScheduleLine {
        category: category.map(|c| c.parse().unwrap()),
        medium,
        exhibit: Some(exhibit(1)),
        from: Some("2024-01-03".parse().unwrap()),
        to: Some("2024-05-01".parse().unwrap()),
        accessible,
        count,
    }
}

fn scheduled(charge: u32, lines: Vec<ScheduleLine>) -> OutcomeFact {
    OutcomeFact::Scheduled { charge, lines }
}

fn disposed(charge: Option<u32>, disposal: &str) -> OutcomeFact {
    OutcomeFact::Disposed {
        when: at("2026-11-25T10:00Z"),
        suspect: None,
        charge,
        disposal: disposal.into(),
        authority: "Court 1".into(),
        note: None,
    }
}

fn device(exhibit: ExhibitId, decision: DeviceDecision, not_before: Option<At>) -> OutcomeFact {
    OutcomeFact::DeviceDecided {
        when: at("2026-11-25T10:00Z"),
        exhibit,
        decision,
        authority: "order 7".into(),
        not_before,
    }
}

fn corrected(wrong: u64) -> OutcomeFact {
    OutcomeFact::Corrected { wrong, reason: "wrong".into() }
}

/// The facts as entries 1, 2, …, recorded an hour before `now`.
fn state(facts: &[OutcomeFact]) -> OutcomeState {
    let mut state = OutcomeState::default();
    for (seq, fact) in (1u64..).zip(facts) {
        let at = at("2026-11-27T11:00Z");
        state.apply(&Recorded { seq, at, by: UserId::new(2), fact: fact.clone() });
    }
    state
}

fn findings(facts: &[OutcomeFact], fates: &[(u64, Fate)]) -> Vec<String> {
    let law = Law::load(None).unwrap();
    let fates: BTreeMap<_, _> = fates.iter().map(|(n, fate)| (exhibit(*n), *fate)).collect();
    state(facts).findings(now(), &law.offences, &law.disposals, &fates)
}

fn good_schedule() -> OutcomeFact {
    scheduled(1, vec![line(Some("A"), Medium::Still, Accessible::Yes, 12)])
}

#[test]
fn counts_are_added_up_by_category_medium_and_accessibility() {
    use Accessible::{No, Yes};
    let facts = [
        charged(1, "pca-1978-s1"),
        scheduled(1, vec![line(Some("A"), Medium::Still, Yes, 99)]),
        charged(2, "cja-1988-s160"),
        scheduled(2, vec![line(Some("a"), Medium::Still, Yes, 5), line(Some("C"), Medium::Moving, No, 2)]),
        // The later statement stands.
        scheduled(1, vec![line(Some("A"), Medium::Still, Yes, 12), line(Some("A"), Medium::Still, No, 3)]),
        charged(3, "pca-1978-s1"),
        scheduled(3, vec![line(Some("A"), Medium::Still, Yes, 1000)]),
        OutcomeFact::ChargeEnded { when: at("2026-11-21T10:00Z"), charge: 3, reason: "discontinued".into() },
    ];
    let totals: Vec<(String, Medium, Accessible, u64)> = state(&facts)
        .totals()
        .into_iter()
        .map(|((category, medium, accessible), n)| (category.unwrap().as_str().to_owned(), medium, accessible, n))
        .collect();
    assert_eq!(
        totals,
        [("A".into(), Medium::Still, Yes, 17), ("A".into(), Medium::Still, No, 3), ("C".into(), Medium::Moving, No, 2)]
    );
}

#[test]
fn an_outcome_in_order_has_no_finding_and_a_correction_strikes() {
    let whole = [charged(1, "pca-1978-s1"), good_schedule(), disposed(Some(1), "convicted")];
    assert_eq!(findings(&whole, &[]), Vec::<String>::new());
    assert!(state(&whole).is_final());
    // The disposal is struck: it is open again. The correction is struck in turn: it is final again.
    let struck = [whole.to_vec(), vec![corrected(3)]].concat();
    assert!(!state(&struck).is_final());
    assert!(state(&[struck, vec![corrected(4)]].concat()).is_final());
    // Without any charge a disposal of the whole ends it.
    assert!(state(&[disposed(None, "evidential-difficulties")]).is_final());
    assert!(!OutcomeState::default().is_final());
}

#[test]
fn each_mistake_is_named() {
    let one = |facts: &[OutcomeFact]| {
        let found = findings(facts, &[]);
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    };
    let charge = || charged(1, "pca-1978-s1");
    let with = |lines: Vec<ScheduleLine>| [charge(), scheduled(1, lines)];
    let good = || line(Some("A"), Medium::Still, Accessible::Yes, 12);
    assert!(one(&[charge()]).contains("charge 1 has no schedule"));
    assert!(one(&with(vec![line(None, Medium::Still, Accessible::Yes, 1)])).contains("no category is stated"));
    assert!(one(&with(vec![line(Some("A"), Medium::Still, Accessible::NotStated, 1)])).contains("nobody has said"));
    assert!(
        one(&with(vec![ScheduleLine { to: Some("2024-01-02".parse().unwrap()), ..good() }])).contains("ends before")
    );
    assert!(one(&with(vec![ScheduleLine { exhibit: None, ..good() }])).contains("no device is named"));
    assert!(one(&with(vec![good(), ScheduleLine { count: 0, ..good() }])).contains("line 2 of entry 2"));
    let mixed = [charged(1, "cja-2009-s62"), good_schedule()];
    assert!(one(&mixed).contains("do not mix the two"));
    assert!(
        one(&[charge(), good_schedule(), disposed(Some(2), "convicted")]).contains("charge 2, which is not recorded")
    );
    assert!(
        one(&[charge(), good_schedule(), charged(1, "pca-1978-s1")]).contains("entry 3: charge 1 was recorded already")
    );
    assert!(one(&[charged(1, "theft"), good_schedule()]).contains("offences.toml is called theft"));
    assert!(one(&[disposed(None, "won")]).contains("disposals.toml is called won"));
    assert!(
        one(&[disposed(None, "convicted"), corrected(9)]).contains("corrects entry 9, which is no fact of this kind")
    );
    let late = OutcomeFact::ChargeEnded { when: at("2026-11-28T10:00Z"), charge: 1, reason: "x".into() };
    assert!(one(&[charge(), good_schedule(), late]).contains("before it happened"));
    let mut other = disposed(None, "convicted");
    if let OutcomeFact::Disposed { suspect, .. } = &mut other {
        *suspect = Some(PersonId::new(2));
    }
    assert!(one(&[charge(), good_schedule(), other]).contains("names P-2, and an earlier one P-1"));
}

#[test]
fn devices_are_due_when_their_time_has_come_and_the_rest_is_decided() {
    use DeviceDecision::{Deprive, Destroy, Release};
    let ended = disposed(None, "convicted");
    // Nothing decided about E-2 while it is held; E-3 was left at the scene.
    let found = findings(std::slice::from_ref(&ended), &[(2, Fate::Held), (3, Fate::Excluded), (4, Fate::Returned)]);
    assert_eq!(found, ["E-2 is held and nothing is decided about it: order its destruction or release it"]);
    let appeal = Some(at("2026-12-20T00:00Z"));
    assert_eq!(
        findings(&[ended.clone(), device(exhibit(2), Destroy, appeal)], &[(2, Fate::Held)]),
        ["E-2: destruction, not before 2026-12-20T00:00:00Z"]
    );
    assert_eq!(
        findings(&[ended.clone(), device(exhibit(2), Release, None)], &[(2, Fate::Held)]),
        ["E-2: release is due (entry 2)"]
    );
    assert!(findings(&[ended.clone(), device(exhibit(2), Destroy, None)], &[(2, Fate::Destroyed)]).is_empty());
    assert!(
        findings(&[ended.clone(), device(exhibit(2), Deprive, None)], &[(2, Fate::Returned)])[0].contains("against")
    );
    assert!(
        findings(&[ended.clone(), device(exhibit(2), Release, None)], &[(2, Fate::Destroyed)])[0].contains("released")
    );
    // The last decision stands.
    let twice = [ended, device(exhibit(2), Destroy, None), device(exhibit(2), Release, None)];
    assert_eq!(findings(&twice, &[(2, Fate::Returned)]), Vec::<String>::new());
}
