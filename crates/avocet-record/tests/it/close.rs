//! Investigations that are done leave the queue, and come back when something happens.

use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::{At, InvestigationId, RecordError};
use serde_json::{Value, json};

use super::support::on_each_database;

const PASSWORD: &str = "a long enough password";

fn at(text: &str) -> At {
    At::read(text).unwrap()
}

#[test]
fn a_closed_investigation_leaves_the_queue_and_what_happens_later_opens_it_again() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(at("2026-11-20T09:00Z"));
        Desk::first_account(&store, "adm", PASSWORD).await.unwrap();
        let adm = Desk::sign_in(&store, &law, "adm", PASSWORD).await.unwrap();
        for (login, role) in [("sup", "supervisor"), ("det", "detective")] {
            adm.add_account(login, &[role.to_owned()], None, PASSWORD).await.unwrap();
        }
        let desk = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        let detective = Desk::sign_in(&store, &law, "det", PASSWORD).await.unwrap();
        let received = at("2026-11-19T09:00Z");
        let opening = Opening { title: "One".into(), owner: desk.user(), received, referrals: vec![] };
        let id = desk.open_investigation(opening).await.unwrap();
        let record = async |draft: Value| desk.record(&draft, None).await.unwrap();
        let danger = |danger: &str| json!({"event": "risk", "fact": {"fact": "danger_stated", "investigation": id, "danger": danger}});
        let queue = async || {
            let queue = desk.queue().await.unwrap();
            queue.iter().flat_map(|one| one.placed.reasons.iter().map(ToString::to_string)).collect::<Vec<_>>()
        };
        let refused = async |what: &str| {
            let answer = desk.close_investigation(id, "done", false).await;
            let Err(RecordError::Refused(why)) = answer else { panic!("{answer:?}") };
            assert!(why.contains(what), "{why}");
        };

        // Not with a child in danger, not without a reason, not with a clock that runs, not by whoever may not.
        record(danger("yes")).await;
        refused("a child may be in danger").await;
        record(danger("no")).await;
        let sent = json!({"event": "safeguarding", "investigation": id, "safeguarding": {"new": "S"},
            "subject": {"of": "child", "child": "P-1"},
            "fact": {"fact": "sent", "when": {"time": "2026-11-20T08:00Z"}, "to": "social_care", "body": "County team"}});
        record(json!({"event": "person", "investigation": id, "person": {"new": "P"},
            "fact": {"fact": "made", "known": {"time": "2026-11-20T08:00Z"}, "roles": ["child"]}}))
        .await;
        record(sent.clone()).await;
        refused("Acknowledgement of the referral (S-1)").await;
        assert!(matches!(desk.close_investigation(id, " ", true).await, Err(RecordError::Refused(_))));
        assert!(matches!(detective.close_investigation(id, "done", true).await, Err(RecordError::NotAllowed { .. })));

        let seq = desk.close_investigation(id, "no child of ours; the other force has it", true).await.unwrap();
        assert_eq!(queue().await, Vec::<String>::new());
        let story = desk.story(&id.to_string()).await.unwrap();
        let closed = story.iter().find(|told| told.recorded.seq == seq).unwrap();
        assert_eq!(closed.recorded.fact["left"], json!(["Acknowledgement of the referral (S-1)"]));
        assert!(matches!(desk.close_investigation(id, "again", true).await, Err(RecordError::Refused(_))));
        assert_eq!(store.rebuild(false).await.unwrap(), []);

        // An order is still watched, behind everything else, and nothing else of it is shown.
        record(json!({"event": "order", "investigation": id, "order": {"new": "M"}, "fact": {"fact": "made",
            "when": {"time": "2026-11-20T08:00Z"}, "kind": "sro", "court": "Court 1", "lines": [],
            "until": {"time": "2026-11-22T08:00Z"}}}))
        .await;
        let ends = "the order ends: record that it ended, or that it was renewed (M-1): due in 47 h";
        assert_eq!(queue().await, ["closed; what an order asks is still watched".to_owned(), ends.to_owned()]);
        record(json!({"event": "order", "investigation": id, "order": "M-1",
            "fact": {"fact": "ended", "when": {"time": "2026-11-20T09:00Z"}, "reason": "discharged"}}))
        .await;
        assert_eq!(queue().await, Vec::<String>::new());

        // What is recorded about danger or a child opens it again by itself, and a person with a reason does.
        record(danger("unknown")).await;
        assert_eq!(queue().await.len(), 3);
        desk.close_investigation(id, "done", true).await.unwrap();
        record(sent).await;
        assert!(queue().await.iter().any(|reason| reason.contains("(S-2)")));
        desk.close_investigation(id, "done", true).await.unwrap();
        assert!(matches!(desk.reopen_investigation(id, "").await, Err(RecordError::Refused(_))));
        desk.reopen_investigation(id, "a new lead").await.unwrap();
        assert!(matches!(desk.reopen_investigation(id, "again").await, Err(RecordError::Refused(_))));
        assert!(!queue().await.is_empty());
        let unknown = desk.close_investigation(InvestigationId::new(9), "done", true).await;
        assert!(matches!(unknown, Err(RecordError::Unknown { .. })));
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}
