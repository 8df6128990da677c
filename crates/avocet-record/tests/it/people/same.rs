//! Records of one person: joined, parted, never lost.

use std::collections::{BTreeMap, BTreeSet};

use avocet_record::case::Case;
use avocet_record::event::Event;
use avocet_record::people::{PersonState, Same};
use avocet_record::{PersonId, Recorded};
use proptest::prelude::*;
use serde_json::json;

use super::{case, made, p, person, recorded};

fn join(a: u64, b: u64, same: bool) -> Event {
    person(a, json!({"fact": if same { "same_as" } else { "not_same_as" }, "other": p(b)}))
}

fn children(n: u64) -> Vec<Event> {
    (1..=n).map(|id| made(id, "child", "2026-11-24T09:00Z")).collect()
}

fn distinct(case: &Case) -> BTreeSet<PersonId> {
    let same = case.same();
    case.people.keys().map(|id| same.first_of(*id)).collect()
}

#[test]
fn two_records_of_one_child_are_counted_once_and_can_be_parted() {
    let mut events = children(4);
    events.push(join(2, 1, true));
    // Through another: 3 is 2, and 2 is 1.
    events.push(join(3, 2, true));
    assert_eq!(distinct(&case(&events)), BTreeSet::from([p(1), p(4)]));
    assert_eq!(case(&events).same().all_of(p(2)), BTreeSet::from([p(1), p(2), p(3)]));
    // Nobody is gone.
    assert_eq!(case(&events).people.len(), 4);
    events.push(join(1, 2, false));
    assert_eq!(distinct(&case(&events)), BTreeSet::from([p(1), p(2), p(4)]));
    // Corrected, the parting does not count: entries 1 to 4 made them, 5 and 6 joined, 7 parted.
    events.push(person(1, json!({"fact": "corrected", "wrong": 7, "reason": "another child was meant"})));
    assert_eq!(distinct(&case(&events)), BTreeSet::from([p(1), p(4)]));
}

#[test]
fn a_contradiction_is_shown() {
    let mut events = children(3);
    events.extend([join(1, 2, true), join(2, 3, true), join(1, 3, false)]);
    let case = case(&events);
    assert_eq!(case.same().contradictions(), [(p(1), p(3))]);
    let law = avocet_record::law::Law::load(None).unwrap();
    let about = |id| case.findings_of(p(id), &law).iter().any(|f| f.contains("P-1 and P-3 are said not to be"));
    assert!(about(1) && about(3) && !about(2));
}

proptest! {
    /// Against an oracle that paints every record of a joined pair in one colour, pair by pair, until nothing changes.
    #[test]
    fn joining_and_parting_do_not_depend_on_the_order_in_which_facts_are_read(
        pairs in prop::collection::vec((1u64..8, 1u64..8, any::<bool>()), 0..20),
        seed in any::<u64>()
    ) {
        let mut events = children(7);
        events.extend(pairs.iter().map(|(a, b, same)| join(*a, *b, *same)));
        let facts = recorded(&events);
        let mut last: BTreeMap<(u64, u64), bool> = BTreeMap::new();
        for (a, b, same) in &pairs {
            last.insert((*a.min(b), *a.max(b)), *same);
        }
        let mut colour: BTreeMap<u64, u64> = (1..=7).map(|id| (id, id)).collect();
        for _ in 0..7 {
            for (pair, same) in &last {
                if *same {
                    let least = colour[&pair.0].min(colour[&pair.1]);
                    colour.insert(pair.0, least);
                    colour.insert(pair.1, least);
                }
            }
        }
        let mut shuffled: Vec<Recorded<Event>> = facts.clone();
        let mut random = crate::support::Random(seed);
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at as u64 + 1) as usize);
        }
        for read in [&facts, &shuffled] {
            let case = Case::of(read);
            prop_assert_eq!(case.people.len(), 7);
            let same = case.same();
            for (id, colour) in &colour {
                prop_assert_eq!(same.first_of(p(*id)), p(*colour));
                prop_assert!(same.all_of(p(*id)).contains(&p(*id)));
            }
            let states: Vec<(PersonId, PersonState)> =
                case.people.iter().map(|(id, file)| (*id, file.person.clone())).collect();
            prop_assert_eq!(&Same::of(states.iter().rev().map(|(id, state)| (*id, state))), &same);
        }
    }
}
