//! What lies across one's investigations: the search, orders, children who are not safe yet. Each sees only what the person
//! may, and each is one look.

use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::store::Store;
use avocet_record::{At, RecordError, UserId};
use serde_json::json;

use super::support::on_each_database;

const PASSWORD: &str = "a long enough password";

fn at(text: &str) -> At {
    At::read(text).unwrap()
}

async fn join<'s>(store: &'s Store, law: &'s Law, admin: &Desk<'s>, role: &str) -> Desk<'s> {
    admin.add_account(role, &[role.to_owned()], None, PASSWORD).await.unwrap();
    Desk::sign_in(store, law, role, PASSWORD).await.unwrap()
}

fn opening(title: &str, owner: UserId) -> Opening {
    Opening { title: title.into(), owner, received: at("2026-11-20T09:30Z"), referrals: vec![] }
}

/// An exhibit, an IP event, a suspect and a child, each with words that are sought below.
async fn fill(boss: &Desk<'_>, of: avocet_record::InvestigationId, mark: &str) {
    let known = at("2026-11-20T09:30Z");
    let person = |role: &str| {
        json!({"event": "person", "investigation": of, "person": {"new": "P"},
            "fact": {"fact": "made", "known": known, "roles": [role], "unidentified": role == "child"}})
    };
    let drafts = [
        json!({"event": "exhibit", "investigation": of, "exhibit": {"new": "E"}, "fact": {"fact": "taken", "when": known,
            "officer": boss.user(), "reference": "JC/17", "kind": "phone", "description": format!("black {mark}"),
            "place": "room 2", "make": "Maker", "model": "Model 5",
            "serials": [{"kind": "IMEI", "value": "49-015420-323751-8"}],
            "source": {"kind": "power", "power": "search-after-arrest"}}}),
        json!({"event": "ip", "investigation": of, "ip": {"new": "N"}, "fact": {"fact": "stated", "place": "line 1",
            "stated": {"personal": {"address": "192.0.2.17", "time": "2026-11-19T21:15:00Z"}}}}),
        person("suspect"),
        person("child"),
    ];
    for draft in drafts {
        let made = boss.record(&draft, None).await.unwrap().made;
        if let Some(person) = made.first().filter(|id| id.starts_with("P-")) {
            let name = if draft["fact"]["roles"][0] == "child" { "Child 3" } else { "Person 8" };
            let draft = json!({"event": "person", "investigation": of, "person": person,
                "fact": {"fact": "described", "name": {"personal": name}}});
            boss.record(&draft, None).await.unwrap();
        }
    }
}

#[test]
fn a_search_finds_what_one_may_read_where_one_works_and_is_one_entry_without_what_was_sought() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        Desk::first_account(&store, "admin", PASSWORD).await.unwrap();
        let admin = Desk::sign_in(&store, &law, "admin", PASSWORD).await.unwrap();
        let boss = join(&store, &law, &admin, "supervisor").await;
        let detective = join(&store, &law, &admin, "detective").await;
        let examiner = join(&store, &law, &admin, "examiner").await;
        let auditor = join(&store, &law, &admin, "auditor").await;
        let mine = boss.open_investigation(opening("Operation Heron", boss.user())).await.unwrap();
        let other = boss.open_investigation(opening("Operation Dunlin", boss.user())).await.unwrap();
        for user in [detective.user(), examiner.user()] {
            boss.set_member(mine, user, true).await.unwrap();
        }
        fill(&boss, mine, "cracked").await;
        fill(&boss, other, "whole").await;
        let told = async |desk: &Desk<'_>, text: &str| -> Vec<String> {
            let found = desk.search(text).await.unwrap();
            found
                .hits
                .iter()
                .map(|hit| format!("{} {}: {}", hit.investigation.unwrap(), hit.subject, hit.place))
                .collect()
        };
        // Each spelling, each place; the other investigation is not the detective's.
        assert_eq!(told(&detective, "HERON").await, ["I-1 I-1: its title or number"]);
        assert_eq!(told(&detective, "jc/17").await, ["I-1 E-1: its reference"]);
        assert_eq!(told(&detective, "model 5").await, ["I-1 E-1: make and model"]);
        assert_eq!(told(&detective, "490154203237518").await, ["I-1 E-1: the same device"]);
        assert_eq!(told(&detective, "192.0.2.17").await, ["I-1 N-1: its address as the source states it"]);
        assert_eq!(told(&detective, "person 8").await, ["I-1 P-1: what is recorded of them: name"]);
        assert_eq!(told(&detective, "child 3").await, ["I-1 P-2: what is recorded of them: name"]);
        assert_eq!(told(&detective, "e-2").await, Vec::<String>::new());
        assert_eq!(told(&detective, "dunlin").await, Vec::<String>::new());
        // Who is on both finds both.
        assert_eq!(told(&boss, "JC/17").await.len(), 2);
        assert_eq!(told(&boss, "whole").await, ["I-2 E-2: what it is"]);
        // Who reads no personal content and no child finds neither, by name or by number.
        for text in ["person 8", "child 3", "192.0.2.17", "P-2"] {
            assert_eq!(told(&examiner, text).await, Vec::<String>::new(), "{text}");
        }
        assert_eq!(told(&examiner, "P-1").await, ["I-1 P-1: the number of the record"]);
        assert_eq!(told(&examiner, "cracked").await, ["I-1 E-1: what it is"]);
        assert!(matches!(auditor.search("heron").await, Err(RecordError::NotAllowed { .. })));
        assert!(matches!(detective.search(" x ").await, Err(RecordError::Refused(_))));
        // One entry each, which does not say what was sought.
        let before = auditor.ledger(0, 1000).await.unwrap().len();
        detective.search("192.0.2.17").await.unwrap();
        let ledger = auditor.ledger(0, 1000).await.unwrap();
        assert_eq!(ledger.len(), before + 1);
        let last = ledger.last().unwrap();
        assert_eq!((last.kind.as_str(), last.by, last.subjects.as_str()), ("searched", detective.user(), "I-1"));
        let story = boss.story("I-1").await.unwrap();
        assert!(
            !story.iter().filter(|told| told.kind == "searched").any(|told| told
                .recorded
                .fact
                .to_string()
                .contains("192.0"))
        );
    });
}

#[test]
fn children_and_orders_of_ones_own_investigations_stand_by_what_is_least_known_and_first_due() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        Desk::first_account(&store, "admin", PASSWORD).await.unwrap();
        let admin = Desk::sign_in(&store, &law, "admin", PASSWORD).await.unwrap();
        let boss = join(&store, &law, &admin, "supervisor").await;
        let examiner = join(&store, &law, &admin, "examiner").await;
        let mine = boss.open_investigation(opening("Operation Heron", boss.user())).await.unwrap();
        let second = boss.open_investigation(opening("Operation Dunlin", boss.user())).await.unwrap();
        boss.set_member(mine, examiner.user(), true).await.unwrap();
        fill(&boss, mine, "x").await;
        fill(&boss, second, "y").await;
        let reached = |child: &str, step: &str| {
            json!({"event": "identification", "investigation": if child == "P-2" { mine } else { second }, "child": child,
                "fact": {"fact": "reached", "when": at("2026-11-21T09:00Z"), "step": step, "note": {"personal": "see the file"}}})
        };
        boss.record(&reached("P-2", "identified"), None).await.unwrap();
        let found = async |desk: &Desk<'_>| -> Vec<String> {
            let all = desk.children_to_find().await.unwrap();
            all.iter().map(|found| format!("{} {} {}", found.investigation, found.child, found.step)).collect()
        };
        assert_eq!(found(&boss).await, ["I-2 P-4 unidentified", "I-1 P-2 identified"]);
        assert_eq!(found(&examiner).await, Vec::<String>::new());
        boss.record(&reached("P-4", "safeguarded"), None).await.unwrap();
        assert_eq!(found(&boss).await, ["I-1 P-2 identified"]);
        for of in [mine, second] {
            let lines = boss.draft_lines("notification", &[], &[]).unwrap();
            let draft = json!({"event": "order", "investigation": of, "order": {"new": "M"}, "fact": {"fact": "made",
                "when": at("2026-11-20T09:30Z"), "kind": "notification", "court": "conviction", "lines": lines}});
            boss.record(&draft, None).await.unwrap();
        }
        assert_eq!(boss.orders_of_mine().await.unwrap().len(), 2);
        let own = examiner.orders_of_mine().await.unwrap();
        assert_eq!(own.iter().map(|(id, _, order)| format!("{id} {}", order.id)).collect::<Vec<_>>(), ["I-1 M-1"]);
    });
}
