//! People in a store: who may record and read what, the queue, personal texts under the person's own key, erasure.

use avocet_record::desk::{Desk, Opening, Told};
use avocet_record::law::Law;
use avocet_record::store::Store;
use avocet_record::{InvestigationId, RecordError, UserId};
use serde_json::{Value, json};

use super::at;
use crate::support::on_each_database;

const PASSWORD: &str = "a long enough password";
const NAME: &str = "Example Name-Of-Nobody";

/// The administrator, a supervisor, and what else a team needs.
struct Team<'s> {
    store: &'s Store,
    law: &'s Law,
    admin: Desk<'s>,
    supervisor: Desk<'s>,
    id: InvestigationId,
}

impl<'s> Team<'s> {
    async fn new(store: &'s Store, law: &'s Law) -> Self {
        store.set_clock(at("2026-11-27T15:00Z"));
        Desk::first_account(store, "admin", PASSWORD).await.unwrap();
        let admin = Desk::sign_in(store, law, "admin", PASSWORD).await.unwrap();
        admin.add_account("sup", &["supervisor".into()], None, PASSWORD).await.unwrap();
        let supervisor = Desk::sign_in(store, law, "sup", PASSWORD).await.unwrap();
        let id = open(&supervisor, supervisor.user(), "2026-11-27T12:00Z").await;
        Self { store, law, admin, supervisor, id }
    }

    /// Somebody of this role, who works on this investigation.
    async fn join(&self, role: &str, on: Option<InvestigationId>) -> Desk<'s> {
        let login = format!("{role}{}", on.map_or(0, InvestigationId::number));
        let user = self.admin.add_account(&login, &[role.to_owned()], None, PASSWORD).await.unwrap();
        if let Some(id) = on {
            self.supervisor.set_member(id, user, true).await.unwrap();
        }
        Desk::sign_in(self.store, self.law, &login, PASSWORD).await.unwrap()
    }
}

async fn open(supervisor: &Desk<'_>, owner: UserId, received: &str) -> InvestigationId {
    let opening = Opening { title: "Test".into(), owner, received: at(received), referrals: vec![] };
    supervisor.open_investigation(opening).await.unwrap()
}

fn draft(kind: &str, id: InvestigationId, about: Value, fact: Value) -> Value {
    let mut draft = json!({"event": kind, "investigation": id, "fact": fact});
    draft.as_object_mut().unwrap().extend(about.as_object().unwrap().clone());
    draft
}

async fn made(desk: &Desk<'_>, id: InvestigationId, role: &str) -> String {
    let fact = json!({"fact": "made", "known": at("2026-11-27T15:00Z"), "roles": [role]});
    let done = desk.record(&draft("person", id, json!({"person": {"new": "P"}}), fact), None).await.unwrap();
    done.made[0].clone()
}

fn described(id: InvestigationId, person: &str) -> Value {
    let fact = json!({"fact": "described", "name": {"personal": NAME}, "born": {"personal": "2015"}});
    draft("person", id, json!({"person": person}), fact)
}

fn told(story: &[Told]) -> String {
    story.iter().map(|told| format!("{} {}\n", told.kind, told.recorded.fact)).collect()
}

#[test]
fn nothing_holds_up_protecting_a_child_and_what_is_unanswered_comes_to_the_top() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let team = Team::new(&store, &law).await;
        let (supervisor, id) = (&team.supervisor, team.id);
        // Received earlier, so that it stands before the first at the same level.
        let other = open(supervisor, supervisor.user(), "2026-11-26T12:00Z").await;
        let order = async |desk: &Desk<'_>| -> Vec<InvestigationId> {
            desk.queue().await.unwrap().iter().map(|q| q.placed.item.investigation).collect()
        };
        assert_eq!(order(supervisor).await, [other, id]);
        // A grader who is not on the investigation hears of a child.
        let grader = team.join("grader", None).await;
        let child = made(&grader, id, "child").await;
        let subject = json!({"safeguarding": {"new": "S"}, "subject": {"of": "child", "child": child}});
        let sent = json!({"fact": "sent", "when": at("2026-11-27T15:05Z"), "to": "social_care", "body": "Council 1",
            "what": {"personal": NAME}});
        let done = grader.record(&draft("safeguarding", id, subject, sent), None).await.unwrap();
        assert_eq!(done.made, ["S-1"]);
        let about = json!({"safeguarding": "S-1", "subject": {"of": "child", "child": child}});
        // And may not say what came of it, nor read what was written.
        let closed = json!({"fact": "closed", "when": at("2026-11-27T15:10Z"), "reason": "done"});
        let refused = grader.record(&draft("safeguarding", id, about.clone(), closed), None).await.unwrap_err();
        assert!(matches!(refused, RecordError::NotAllowed { .. } | RecordError::Unknown { .. }), "{refused}");
        assert!(grader.person(child.parse().unwrap()).await.is_err() && grader.story(&child).await.is_err());
        // Friday 15:05, one working day: Monday 15:05. Then it is late, and comes first.
        store.set_clock(at("2026-11-30T15:05Z"));
        assert_eq!(order(supervisor).await, [other, id]);
        store.set_clock(at("2026-11-30T15:06Z"));
        assert_eq!(order(supervisor).await, [id, other]);
        let queue = supervisor.queue().await.unwrap();
        let reasons: Vec<String> = queue[0].placed.reasons.iter().map(ToString::to_string).collect();
        assert!(reasons.contains(&"Acknowledgement of the referral (S-1): 1 min late".to_owned()), "{reasons:?}");
        assert!(!reasons.iter().any(|reason| reason.contains("Children's social care")), "{reasons:?}");
        let acknowledged = json!({"fact": "acknowledged", "when": at("2026-11-30T15:07Z"), "reference": "17"});
        grader.record(&draft("safeguarding", id, about, acknowledged), None).await.unwrap();
        assert_eq!(order(supervisor).await, [other, id]);
        // A line of safeguarding stays with whom it is about.
        let somebody = made(supervisor, id, "child").await;
        let other = json!({"safeguarding": "S-1", "subject": {"of": "child", "child": somebody}});
        let again = json!({"fact": "sent", "when": at("2026-11-30T15:08Z"), "to": "school", "body": "School 1"});
        let refused = supervisor.record(&draft("safeguarding", id, other, again), None).await.unwrap_err();
        assert!(refused.to_string().contains("S-1 is about somebody else"), "{refused}");
        assert!(store.rebuild(false).await.unwrap().is_empty(), "the rows say what the facts say");
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}

#[test]
fn a_referral_counts_as_an_action_in_a_danger() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let team = Team::new(&store, &law).await;
        let (supervisor, id) = (&team.supervisor, team.id);
        let child = made(supervisor, id, "child").await;
        let danger = json!({"event": "risk", "fact": {"fact": "danger_stated", "investigation": id, "danger": "yes"}});
        supervisor.record(&danger, None).await.unwrap();
        let actions = async || supervisor.queue().await.unwrap()[0].placed.item.safeguarding_actions;
        assert_eq!(actions().await, 0);
        let subject = json!({"safeguarding": {"new": "S"}, "subject": {"of": "child", "child": child}});
        let protected = json!({"fact": "protected", "when": at("2026-11-27T15:05Z"), "protection": "police"});
        supervisor.record(&draft("safeguarding", id, subject, protected), None).await.unwrap();
        assert_eq!(actions().await, 1);
        let findings = supervisor.risk(id).await.unwrap().findings(&law.risk_levels);
        assert!(!findings.iter().any(|f| f.to_string().contains("no safeguarding action")), "{findings:?}");
    });
}

#[test]
fn a_childs_record_is_open_to_those_who_may_on_the_investigation_only() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let team = Team::new(&store, &law).await;
        let (supervisor, id) = (&team.supervisor, team.id);
        let child = made(supervisor, id, "child").await;
        let suspect = made(supervisor, id, "suspect").await;
        supervisor.record(&described(id, &child), None).await.unwrap();
        supervisor.record(&described(id, &suspect), None).await.unwrap();
        // A note about the suspect's device that names the child stands under the child's key.
        let exhibit = json!({"event": "risk", "fact": {"fact": "danger_stated", "investigation": id, "danger": "no",
            "reason": {"personal": NAME, "of": child}}});
        supervisor.record(&exhibit, None).await.unwrap();
        let subject = json!({"safeguarding": {"new": "S"}, "subject": {"of": "child", "child": child}});
        let sent = json!({"fact": "sent", "when": at("2026-11-27T15:05Z"), "to": "social_care", "body": "Council 1"});
        supervisor.record(&draft("safeguarding", id, subject, sent), None).await.unwrap();
        let child_id = child.parse().unwrap();
        for (role, reads, personal) in [
            ("detective", true, true),
            ("safeguarding", true, true),
            ("victim_identification", true, true),
            ("supervisor", true, true),
            ("examiner", false, false),
            ("grader", false, false),
            ("offender_manager", false, true),
        ] {
            let within = team.join(role, Some(id)).await;
            let people = within.people(id).await.unwrap();
            assert_eq!((people.shown.len(), people.withheld), if reads { (2, 0) } else { (1, 1) }, "{role}");
            assert_eq!(people.shown.last().unwrap().details.is_some(), personal, "{role}");
            assert!(!format!("{people:?}").contains(NAME), "{role}");
            let (lines, withheld) = within.safeguarding(id).await.unwrap();
            assert_eq!((lines.len(), withheld), if reads { (1, 0) } else { (0, 1) }, "{role}");
            assert_eq!(within.person(child_id).await.is_ok(), reads, "{role}");
            assert_eq!(within.story(&child).await.is_ok(), reads, "{role}");
            let story = within.story(&id.to_string()).await.unwrap();
            let child_facts: Vec<&Told> =
                story.iter().filter(|t| matches!(t.kind, "safeguarding-sent" | "child-protected")).collect();
            assert_eq!(told(&story).matches(NAME).count(), if reads { 3 } else { usize::from(personal) }, "{role}");
            assert_eq!(child_facts[0].recorded.fact == json!({"withheld": child}), !reads, "{role}");
            let facts = within.facts_of(id).await.unwrap();
            assert_eq!(facts.iter().any(|f| f.fact.child() == Some(child_id)), reads, "{role}");
            let outside = team.join(role, None).await;
            assert!(outside.person(child_id).await.is_err() && outside.people(id).await.is_err(), "{role}");
            assert!(outside.story(&child).await.is_err() && outside.safeguarding(id).await.is_err(), "{role}");
        }
        // A detective on it may record about the child; an examiner on it may not.
        let examiner = Desk::sign_in(&store, &law, "examiner1", PASSWORD).await.unwrap();
        let refused = examiner.record(&described(id, &child), None).await.unwrap_err();
        assert!(matches!(refused, RecordError::NotAllowed { .. }), "{refused}");
        let outside = Desk::sign_in(&store, &law, "detective0", PASSWORD).await.unwrap();
        assert!(matches!(outside.record(&described(id, &child), None).await, Err(RecordError::Unknown { .. })));
        // An offender manager records a suspect and no child.
        let manager = Desk::sign_in(&store, &law, "offender_manager1", PASSWORD).await.unwrap();
        manager.record(&described(id, &suspect), None).await.unwrap();
        assert!(manager.record(&described(id, &child), None).await.is_err());
    });
}

#[test]
fn one_person_erased_leaves_the_rest_and_the_ledger() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = Team::new(&store, &law).await;
        let (supervisor, id) = (&team.supervisor, team.id);
        let (child, suspect) = (made(supervisor, id, "child").await, made(supervisor, id, "suspect").await);
        for person in [&child, &suspect] {
            supervisor.record(&described(id, person), None).await.unwrap();
        }
        let linked = json!({"fact": "linked", "other": child, "link": "household"});
        supervisor.record(&draft("person", id, json!({"person": suspect}), linked), None).await.unwrap();
        // Nothing of a person's lies in the database as text.
        drop(store);
        let database = std::fs::read(place.dir().join("record.db")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&database).contains(NAME));
        let store = place.open().await.unwrap();
        store.set_clock(at("2026-11-27T16:00Z"));
        let supervisor = Desk::sign_in(&store, &law, "sup", PASSWORD).await.unwrap();
        let name = async |person: &str| -> Option<String> {
            let (_, shown) = supervisor.person(person.parse().unwrap()).await.unwrap();
            shown.details.unwrap().0[0].1.clone()
        };
        assert_eq!((name(&child).await.as_deref(), name(&suspect).await.as_deref()), (Some(NAME), Some(NAME)));
        assert_eq!(supervisor.erase(Some(id), &suspect, "order 1", "acquitted").await.unwrap().len(), 1);
        assert_eq!((name(&child).await.as_deref(), name(&suspect).await), (Some(NAME), None));
        let (_, shown) = supervisor.person(suspect.parse().unwrap()).await.unwrap();
        assert_eq!(shown.file.person.links().len(), 1, "what is no personal content stands");
        assert!(store.rebuild(false).await.unwrap().is_empty());
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}

#[test]
fn a_record_of_a_person_begins_once_and_joins_only_where_one_may_write() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let team = Team::new(&store, &law).await;
        let (supervisor, id) = (&team.supervisor, team.id);
        let described = described(id, "P-99");
        assert!(matches!(supervisor.record(&described, None).await, Err(RecordError::Unknown { .. })));
        let mut new = described.clone();
        new["person"] = json!({"new": "P"});
        let refused = supervisor.record(&new, None).await.unwrap_err().to_string();
        assert!(refused.contains("begins with the fact `made`"), "{refused}");
        let child = made(supervisor, id, "child").await;
        let again = json!({"fact": "made", "known": at("2026-11-27T15:00Z"), "roles": ["suspect"]});
        let again = supervisor.record(&draft("person", id, json!({"person": child}), again), None).await;
        assert!(again.unwrap_err().to_string().contains("begins with the fact `made`"));
        // The same child in an investigation that a detective is not on: joined by who may write in both.
        let other = open(supervisor, supervisor.user(), "2026-11-26T12:00Z").await;
        let twin = made(supervisor, other, "child").await;
        let same = draft(
            "person",
            id,
            json!({"person": child}),
            json!({"fact": "same_as", "other": twin,
            "reason": {"personal": NAME}}),
        );
        let detective = team.join("detective", Some(id)).await;
        assert!(matches!(detective.record(&same, None).await, Err(RecordError::Unknown { .. })));
        supervisor.record(&same, None).await.unwrap();
        let (_, shown) = supervisor.person(twin.parse().unwrap()).await.unwrap();
        assert!(shown.same.iter().map(ToString::to_string).eq([child.clone()]));
        // Why stands in the other investigation, and who is only on this one does not read it.
        let elsewhere = team.join("detective", Some(other)).await;
        let story = told(&elsewhere.story(&twin).await.unwrap());
        assert!(story.contains("person-same-as") && !story.contains(NAME), "{story}");
        assert!(told(&supervisor.story(&child).await.unwrap()).contains(NAME));
        let apart = draft("person", id, json!({"person": child}), json!({"fact": "not_same_as", "other": twin}));
        supervisor.record(&apart, None).await.unwrap();
        assert!(supervisor.person(twin.parse().unwrap()).await.unwrap().1.same.is_empty());
        assert_eq!(
            supervisor.people(id).await.unwrap().shown.len() + supervisor.people(other).await.unwrap().shown.len(),
            2
        );
    });
}
