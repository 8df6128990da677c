//! People and children: clocks worked out on paper, records joined and parted, what is restricted, the way from the first
//! minute to a safe child.

mod clocks;
mod desk;
mod facts;
mod same;

use avocet_record::case::Case;
use avocet_record::event::Event;
use avocet_record::{At, InvestigationId, PersonId, Recorded, SafeguardingId, UserId};
use serde_json::{Value, json};

const I: InvestigationId = InvestigationId::new(1);

fn at(text: &str) -> At {
    At::read(text).unwrap_or_else(|| panic!("{text}"))
}

fn p(n: u64) -> PersonId {
    PersonId::new(n)
}

fn s(n: u64) -> SafeguardingId {
    SafeguardingId::new(n)
}

/// A fact of this kind about this thing, from JSON, so that the names in stored contents are tested too.
fn fact(kind: &str, about: Value, fact: Value) -> Event {
    let mut event = json!({"event": kind, "investigation": I, "fact": fact});
    event.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
    let event: Event = serde_json::from_value(event).unwrap();
    // What is stored is what was read.
    let text = serde_json::to_value(&event).unwrap();
    assert_eq!(serde_json::from_value::<Event>(text).unwrap(), event);
    event
}

fn person(id: u64, value: Value) -> Event {
    fact("person", json!({"person": p(id)}), value)
}

fn made(id: u64, role: &str, known: &str) -> Event {
    person(id, json!({"fact": "made", "known": at(known), "roles": [role]}))
}

fn work(id: u64, work: u32, known: &str, with_children: &str) -> Event {
    person(
        id,
        json!({"fact": "work", "work": work, "kind": "volunteering", "known": at(known), "with_children": with_children,
            "trust": "yes", "area": "Essex"}),
    )
}

fn for_child(line: u64, child: u64, value: Value) -> Event {
    fact("safeguarding", json!({"safeguarding": s(line), "subject": {"of": "child", "child": p(child)}}), value)
}

fn for_work(line: u64, id: u64, work: u32, value: Value) -> Event {
    let subject = json!({"of": "work", "person": p(id), "work": work});
    fact("safeguarding", json!({"safeguarding": s(line), "subject": subject}), value)
}

fn sent(when: &str, to: &str) -> Value {
    json!({"fact": "sent", "when": at(when), "to": to, "body": "Council 1", "area": "Essex"})
}

fn recorded(events: &[Event]) -> Vec<Recorded<Event>> {
    let one = |(seq, event): (u64, &Event)| Recorded {
        seq,
        at: at("2030-01-01T00:00Z"),
        by: UserId::new(2),
        fact: event.clone(),
    };
    (1u64..).zip(events).map(one).collect()
}

fn case(events: &[Event]) -> Case {
    Case::of(&recorded(events))
}
