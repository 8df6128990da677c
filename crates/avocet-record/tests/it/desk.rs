//! The gate: who may do what, and what a look leaves behind.

use avocet_record::desk::{Desk, Opening, Queued};
use avocet_record::event::{Act, Event};
use avocet_record::law::{Law, Right};
use avocet_record::risk::{Danger, LevelId, QueueItem, RiskFact};
use avocet_record::store::Store;
use avocet_record::{At, InvestigationId, RecordError, UserId};

use super::support::{Random, on_each_database};

const PASSWORD: &str = "a long enough password";
const HOUR: i64 = 3_600_000_000_000;

/// 24 November 2026, 09:00 UTC.
fn nine() -> At {
    At::from_ns(1_795_510_800_000_000_000)
}

fn later(hours: i64) -> At {
    At::from_ns(nine().ns() + hours * HOUR)
}

async fn team<'s>(store: &'s Store, law: &'s Law) -> Desk<'s> {
    Desk::first_account(store, "admin", PASSWORD).await.unwrap();
    Desk::sign_in(store, law, "admin", PASSWORD).await.unwrap()
}

async fn join<'s>(store: &'s Store, law: &'s Law, admin: &Desk<'s>, role: &str) -> Desk<'s> {
    admin.add_account(role, &[role.to_owned()], Some("Officer Example"), PASSWORD).await.unwrap();
    Desk::sign_in(store, law, role, PASSWORD).await.unwrap()
}

fn opening(owner: UserId) -> Opening {
    Opening { title: "Test case".into(), owner, received: nine(), referrals: vec![] }
}

fn danger(investigation: InvestigationId, danger: Danger) -> RiskFact {
    RiskFact::DangerStated { investigation, danger, reason: None }
}

#[test]
fn a_second_first_account_and_a_wrong_password_are_refused() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(nine());
        let admin = team(&store, &law).await;
        let again = Desk::first_account(&store, "other", PASSWORD).await;
        assert!(matches!(again, Err(RecordError::Refused(_))));
        assert!(matches!(Desk::sign_in(&store, &law, "nobody", PASSWORD).await, Err(RecordError::SignIn)));
        for _ in 0..5 {
            assert!(matches!(Desk::sign_in(&store, &law, "admin", "wrong password").await, Err(RecordError::SignIn)));
        }
        let locked = Desk::sign_in(&store, &law, "admin", PASSWORD).await.unwrap_err();
        assert!(matches!(locked, RecordError::LockedOut { minutes: 15 }), "{locked}");
        store.set_clock(later(1));
        Desk::sign_in(&store, &law, "admin", PASSWORD).await.unwrap();
        assert!(matches!(
            admin.add_account("x y", &["grader".into()], None, PASSWORD).await,
            Err(RecordError::Refused(_))
        ));
        assert!(matches!(
            admin.add_account("xy", &["king".into()], None, PASSWORD).await,
            Err(RecordError::Refused(_))
        ));
        assert!(matches!(
            admin.add_account("admin", &["grader".into()], None, PASSWORD).await,
            Err(RecordError::Refused(_))
        ));
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}

#[test]
fn who_is_not_on_an_investigation_does_not_see_it_and_a_supervisor_says_why() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(nine());
        let admin = team(&store, &law).await;
        let supervisor = join(&store, &law, &admin, "supervisor").await;
        let detective = join(&store, &law, &admin, "detective").await;
        let auditor = join(&store, &law, &admin, "auditor").await;
        let id = supervisor.open_investigation(opening(supervisor.user())).await.unwrap();

        let refused = detective.facts_of(id).await.unwrap_err().to_string();
        let none = detective.facts_of(InvestigationId::new(99)).await.unwrap_err().to_string();
        assert_eq!(refused.replace("I-1", "I-99"), none, "it is not said whether there is one");
        assert!(matches!(auditor.facts_of(id).await, Err(RecordError::NotAllowed { .. })));
        assert!(matches!(auditor.queue().await, Err(RecordError::NotAllowed { .. })));
        assert!(matches!(admin.facts_of(id).await, Err(RecordError::NotAllowed { .. })), "nor an administrator");

        supervisor.set_member(id, detective.user(), true).await.unwrap();
        let facts = detective.facts_of(id).await.unwrap();
        assert!(facts.iter().any(|f| matches!(f.fact, Event::InvestigationOpened { .. })));
        let facts = detective.facts_of(id).await.unwrap();
        let looks = |facts: &[avocet_record::Recorded<Event>]| {
            facts.iter().filter(|f| matches!(&f.fact, Event::Looked(look) if look.act == Act::Viewed)).count()
        };
        assert_eq!(looks(&facts), 1, "the first look is on the ledger");

        // Taken off, with the role of a supervisor: only with a reason, and for twelve hours.
        supervisor.set_member(id, supervisor.user(), false).await.unwrap();
        assert!(matches!(supervisor.facts_of(id).await, Err(RecordError::Unknown { .. })));
        assert!(matches!(supervisor.break_glass(id, " ").await, Err(RecordError::Refused(_))));
        assert!(matches!(detective.break_glass(id, "why not").await, Err(RecordError::NotAllowed { .. })));
        supervisor.break_glass(id, "urgent question of the duty officer").await.unwrap();
        supervisor.facts_of(id).await.unwrap();
        store.set_clock(later(13));
        assert!(matches!(supervisor.facts_of(id).await, Err(RecordError::Unknown { .. })));
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

#[test]
fn the_queue_puts_a_child_in_danger_first_and_says_why() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(nine());
        let admin = team(&store, &law).await;
        let supervisor = join(&store, &law, &admin, "supervisor").await;
        let safeguarding = join(&store, &law, &admin, "safeguarding").await;
        let mut ids = vec![];
        for _ in 0..4 {
            ids.push(supervisor.open_investigation(opening(supervisor.user())).await.unwrap());
        }
        let [low, high, unknown, child] = ids.as_slice() else { panic!() };
        let assessed = |investigation, level: &str| RiskFact::Assessed {
            investigation,
            tool: None,
            factors: vec![],
            level: LevelId::new(level),
            reason: None,
        };
        supervisor.record_risk(assessed(*low, "low"), None).await.unwrap();
        supervisor.record_risk(assessed(*high, "high"), None).await.unwrap();
        supervisor.record_risk(assessed(*child, "low"), None).await.unwrap();
        // Somebody who is on none of them says that a child may be in danger: nothing holds that up.
        safeguarding.record_risk(danger(*child, Danger::Yes), None).await.unwrap();
        store.set_clock(later(48));
        let order: Vec<_> =
            supervisor.queue().await.unwrap().into_iter().map(|q| q.placed.item.investigation).collect();
        assert_eq!(order, [*child, *unknown, *high, *low], "in danger; not assessed; high; low");
        let reasons: Vec<String> =
            supervisor.queue().await.unwrap()[0].placed.reasons.iter().map(ToString::to_string).collect();
        assert!(reasons[0].contains("child may be in danger now") && reasons[0].contains("U-3"), "{reasons:?}");
        let others = safeguarding.queue().await.unwrap();
        assert!(others.iter().all(|q| q.title.is_empty()), "titles are for those who work on them");
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

/// The queue keeps its rows between two looks: what another program writes is there at the next one all the same, and so
/// are rows that another program made anew.
#[test]
fn what_another_program_writes_is_in_the_next_look_at_the_queue() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(nine());
        let admin = team(&store, &law).await;
        let supervisor = join(&store, &law, &admin, "supervisor").await;
        let seen = async || {
            let queue = supervisor.queue().await.unwrap();
            let of =
                |q: Queued| (q.placed.item.investigation.number(), q.placed.item.danger.map(|(danger, ..)| danger));
            queue.into_iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(seen().await, []);
        for _ in 0..3 {
            supervisor.open_investigation(opening(supervisor.user())).await.unwrap();
        }
        assert_eq!(seen().await, [(1, None), (2, None), (3, None)]);
        let other = place.open().await.unwrap();
        other.set_clock(nine());
        let there = Desk::sign_in(&other, &law, "supervisor", PASSWORD).await.unwrap();
        there.record_risk(danger(InvestigationId::new(3), Danger::Yes), None).await.unwrap();
        assert_eq!(seen().await, [(3, Some(Danger::Yes)), (1, None), (2, None)]);
        // More entries than are looked through one by one.
        let many = async |tx: &mut avocet_record::store::Tx<'_>| {
            for _ in 0..600 {
                tx.record(&Event::Risk { fact: danger(InvestigationId::new(2), Danger::No) }).await?;
            }
            tx.record(&Event::Risk { fact: danger(InvestigationId::new(2), Danger::Yes) }).await
        };
        there.write(Right::RecordRisk, Some(InvestigationId::new(2)), many).await.unwrap();
        let all: Vec<_> = seen().await.into_iter().map(|(_, danger)| danger).collect();
        assert_eq!(all, [Some(Danger::Yes), Some(Danger::Yes), None]);
        // A row is wrong, is read, and is made anew by the other program, which writes no entry about it.
        place.meddle("UPDATE investigation SET open = 0 WHERE id = 'I-1'").await;
        let third = place.open().await.unwrap();
        let reader = Desk::sign_in(&third, &law, "supervisor", PASSWORD).await.unwrap();
        assert_eq!(reader.queue().await.unwrap().len(), 2);
        assert_eq!(other.rebuild(true).await.unwrap().len(), 1);
        assert_eq!(reader.queue().await.unwrap().len(), 3);
    });
}

#[test]
fn erasing_an_officers_name_keeps_the_ledger() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let admin = team(&store, &law).await;
        let grader = join(&store, &law, &admin, "grader").await;
        let supervisor = join(&store, &law, &admin, "supervisor").await;
        let who = grader.user().to_string();
        assert!(matches!(grader.erase(None, &who, "a", "b").await, Err(RecordError::NotAllowed { .. })));
        let id = supervisor.open_investigation(opening(supervisor.user())).await.unwrap();
        let able = if supervisor.erase(Some(id), &who, "retention rule", "left the team").await.is_ok() {
            true
        } else {
            admin.erase(Some(id), &who, "retention rule", "left the team").await.is_ok()
        };
        assert!(able, "some role may erase");
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

/// The row sums up what the facts add up to, whatever happened in which order.
#[test]
fn the_queue_reads_sums_that_are_what_the_facts_add_up_to() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(nine());
        let admin = team(&store, &law).await;
        let supervisor = join(&store, &law, &admin, "supervisor").await;
        let safeguarding = join(&store, &law, &admin, "safeguarding").await;
        let mut random = Random(5);
        let mut in_danger = 0;
        for _ in 0..12 {
            let id = supervisor.open_investigation(opening(supervisor.user())).await.unwrap();
            supervisor.set_member(id, safeguarding.user(), true).await.unwrap();
            for step in 0..random.below(24) {
                let desk = if random.below(2) == 0 { &supervisor } else { &safeguarding };
                store.set_clock(later(i64::try_from(step).unwrap()));
                let stated = [Danger::Yes, Danger::No, Danger::Yes, Danger::Unknown, Danger::Yes];
                let fact = match random.below(6) {
                    0 | 1 => danger(id, stated[usize::try_from(random.below(5)).unwrap()]),
                    2 => RiskFact::Assessed {
                        investigation: id,
                        tool: None,
                        factors: vec![],
                        level: LevelId::new(["low", "high"][usize::try_from(random.below(2)).unwrap()]),
                        reason: None,
                    },
                    3 => {
                        // A referral of a child is an action too, and no fact about risk.
                        let child = serde_json::json!({"event": "person", "investigation": id, "person": {"new": "P"},
                            "fact": {"fact": "made", "known": {"time": "2026-11-24T09:00Z"}, "roles": ["child"]}});
                        let child = safeguarding.record(&child, None).await.unwrap().made.remove(0);
                        let sent = serde_json::json!({"event": "safeguarding", "investigation": id,
                            "safeguarding": {"new": "S"}, "subject": {"of": "child", "child": child},
                            "fact": {"fact": "sent", "when": {"time": "2026-11-24T09:00Z"}, "to": "social_care",
                                "body": "County team"}});
                        safeguarding.record(&sent, None).await.unwrap();
                        continue;
                    }
                    _ => RiskFact::SafeguardingActed {
                        investigation: id,
                        action: avocet_record::risk::SafeguardingAction::ChildSeen,
                        acted: nine(),
                        body: None,
                        note: None,
                    },
                };
                desk.record_risk(fact, None).await.unwrap();
            }
        }
        for queued in supervisor.queue().await.unwrap() {
            let item = queued.placed.item;
            let state = supervisor.risk(item.investigation).await.unwrap();
            let wanted = QueueItem::new(item.investigation, item.received, &state);
            in_danger += u32::from(item.safeguarding_actions > 0);
            assert_eq!(QueueItem { clocks: vec![], ..item }, wanted);
        }
        assert!(in_danger > 1, "the histories are too plain to show anything");
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

/// Until when a warrant can be executed stands in the queue until it was, and never before a child.
#[test]
fn a_warrant_that_runs_out_shows_in_the_queue() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        store.set_clock(nine());
        let admin = team(&store, &law).await;
        let supervisor = join(&store, &law, &admin, "supervisor").await;
        let id = supervisor.open_investigation(opening(supervisor.user())).await.unwrap();
        let warrant = async |fact: serde_json::Value| {
            let number = if fact["fact"] == "drafted" { serde_json::json!({"new": "W"}) } else { "W-1".into() };
            let draft = serde_json::json!({"event": "warrant", "investigation": id, "warrant": number, "fact": fact});
            supervisor.record(&draft, None).await.unwrap();
        };
        let time = |text: &str| serde_json::json!({ "time": text });
        let said = async || -> Vec<String> {
            let queue = supervisor.queue().await.unwrap();
            let reasons = queue[0].placed.reasons.iter().map(ToString::to_string);
            reasons.filter(|reason| reason.contains("Warrant")).collect()
        };
        warrant(serde_json::json!({"fact": "drafted", "power": "pace-s8", "grounds": {"personal": "note 1"}})).await;
        warrant(serde_json::json!({"fact": "refused", "when": time("2026-11-24T09:00Z"), "reason": "note"})).await;
        assert_eq!(said().await, Vec::<String>::new());
        let issued = serde_json::json!({"fact": "issued", "when": time("2026-11-24T09:00Z"), "expires": time("2026-11-26T09:00Z")});
        warrant(issued).await;
        assert_eq!(said().await, ["Warrant to be executed (W-1): due in 2 days"]);
        store.set_clock(later(49));
        assert_eq!(said().await, ["Warrant to be executed (W-1): 1 h late"]);
        let entered = serde_json::json!({"fact": "entered", "when": time("2026-11-26T08:00Z"), "premises": 1,
            "officer": supervisor.user(), "result": "test", "copy_left": true});
        warrant(entered).await;
        assert_eq!(said().await, Vec::<String>::new());
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

#[test]
fn who_signed_in_comes_back_until_the_password_or_the_account_ends() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let adm = Desk::first_account(&store, "adm", "a good password").await.unwrap();
        let desk = Desk::sign_in(&store, &law, "adm", "a good password").await.unwrap();
        let user = desk.add_account("det", &["detective".to_owned()], None, "a good password").await.unwrap();
        let pass = Desk::sign_in(&store, &law, "det", "a good password").await.unwrap().pass().await.unwrap();
        assert_eq!((pass.user(), format!("{pass:?}")), (user, format!("Pass({user})")));
        assert!(Desk::resume(&store, &law, &pass).await.unwrap().holds(Right::RecordIp));
        // Roles count at once, and the same password set again is another.
        desk.set_roles(user, &["grader".to_owned()], "test").await.unwrap();
        assert!(!Desk::resume(&store, &law, &pass).await.unwrap().holds(Right::RecordIp));
        desk.set_password(user, "a good password").await.unwrap();
        assert!(matches!(Desk::resume(&store, &law, &pass).await, Err(RecordError::SignIn)));
        let pass = Desk::sign_in(&store, &law, "det", "a good password").await.unwrap().pass().await.unwrap();
        desk.close_account(user, "test").await.unwrap();
        assert!(matches!(Desk::resume(&store, &law, &pass).await, Err(RecordError::SignIn)));
        let all = desk.colleagues().await.unwrap();
        assert_eq!(
            all.iter().map(|account| (account.user, account.active)).collect::<Vec<_>>(),
            [(adm, true), (user, false)]
        );
    });
}
