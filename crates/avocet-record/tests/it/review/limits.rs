//! Limits of exposure: who sets them, what follows, and what never does.

use avocet_base::Sha256;
use avocet_record::desk::Desk;
use avocet_record::law::{Law, Origin, Table};
use avocet_record::review::Todo;
use avocet_record::risk::{Danger, RiskFact};
use avocet_record::staff::{Bounds, Reached, SetFor};
use avocet_record::store::Store;
use avocet_record::vote::{Policy, RequestReason};
use avocet_record::{At, RecordError};

use super::super::sealed::sha;
use super::super::support::on_each_database;
use super::{MINUTE, NOON, Team, category, file, team, unknown};

const TABLE: &str = r#"
table = "staff-care"
version = "test"
title = "Limits"
jurisdiction = "Test"
[[rows]]
id = "without-a-break"
title = "Minutes without a break"
measure = "minutes without a break"
propose = 20
hold = 40
pause_minutes = 10
source = "test"
checked = "2026-11-28"
status = "to be confirmed"
[[rows]]
id = "clear-minutes"
title = "Clear minutes"
measure = "clear minutes a day"
propose = 2
hold = 3
source = "test"
checked = "2026-11-28"
status = "to be confirmed"
"#;

fn law() -> Law {
    let mut law = Law::load(None).unwrap();
    law.staff_care = Table::parse(TABLE, Origin::BuiltIn).unwrap();
    law
}

async fn prepared<'s>(place: &super::super::support::Place, store: &'s Store, law: &'s Law) -> Team<'s> {
    let team = team(store, law, 2).await;
    team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=40))).await;
    team.policy(team.one, Policy::Unknown {}).await;
    team
}

/// Looks at one picture in each minute from `from` to `to` after noon, as somebody does who works on.
async fn look(store: &Store, team: &Team<'_>, desk: &Desk<'_>, from: i64, to: i64) {
    for minute in from..=to {
        store.set_clock(At::from_ns(NOON + minute * MINUTE));
        desk.tiles_shown(team.one, &[sha(1)]).await.unwrap();
    }
}

async fn batch(team: &Team<'_>, desk: &Desk<'_>, limit: u32) -> (Vec<Sha256>, Option<(bool, Vec<String>)>) {
    let batch = desk.review_next(team.one, Todo::Grade, limit).await.unwrap();
    (batch.items.iter().map(|item| item.sha256).collect(), batch.rest.map(|rest| (rest.held, rest.words)))
}

#[test]
fn a_break_is_proposed_and_then_nothing_more_is_handed_out_until_one_is_recorded() {
    on_each_database(async |place, store| {
        let law = law();
        let team = prepared(&place, &store, &law).await;
        let one = &team.graders[0];
        look(&store, &team, one, 0, 19).await;
        assert_eq!(batch(&team, one, 2).await.1, None);
        look(&store, &team, one, 20, 20).await;
        let (given, rest) = batch(&team, one, 3).await;
        assert_eq!(given.len(), 3);
        let words = "You have looked for 20 minutes without a break. A break now would be good.";
        assert_eq!(rest, Some((false, vec![words.to_owned()])));

        // What was before them already is given again and again, and nothing more once the limit is reached.
        let before = given;
        for (from, to) in [(21, 28), (29, 36), (37, 40)] {
            look(&store, &team, one, from, to).await;
            assert_eq!(batch(&team, one, 3).await.0, before);
        }
        let (given, rest) = batch(&team, one, 30).await;
        assert_eq!(given, before);
        let words = "You have looked for 40 minutes without a break. The next pictures come after a break.";
        assert_eq!(rest, Some((true, vec![words.to_owned()])));
        // Nothing else waits for it.
        let view = one.clear_began(team.one, given[0], "half").await.unwrap();
        one.clear_ended(team.one, given[0], view).await.unwrap();
        one.review_vote(team.one, given[0], &category("C")).await.unwrap();
        one.review_flag(team.one, given[1], RequestReason::Other, None).await.unwrap();
        one.review_identify(team.one, given[2], None, None).await.unwrap();
        one.review_note(team.one, given[2], "a note").await.unwrap();
        one.review_undo(team.one).await.unwrap();
        // Somebody else is not held.
        let (other, rest) = batch(&team, &team.graders[1], 3).await;
        assert_eq!((other.len(), rest), (3, None));

        one.take_break(team.one).await.unwrap();
        let (given, rest) = batch(&team, one, 3).await;
        assert_eq!((given.len(), rest), (3, None));
        assert!(store.rebuild(false).await.unwrap().is_empty());
    });
}

#[test]
fn nothing_is_held_back_where_a_child_may_be_in_danger() {
    on_each_database(async |place, store| {
        let law = law();
        let team = prepared(&place, &store, &law).await;
        let one = &team.graders[0];
        look(&store, &team, one, 0, 45).await;
        let (given, rest) = batch(&team, one, 3).await;
        assert_eq!((given.len(), rest.unwrap().0), (0, true));
        let reason = None;
        let danger = RiskFact::DangerStated { investigation: team.one, danger: Danger::Yes, reason };
        team.examiner.record_risk(danger, None).await.unwrap();
        let (given, rest) = batch(&team, one, 3).await;
        let (held, words) = rest.unwrap();
        assert_eq!((given.len(), held), (3, false));
        assert_eq!(words.last().unwrap(), "A child may be in danger here, so nothing is held back.");
    });
}

#[test]
fn a_supervisor_sets_limits_with_a_reason_and_lifts_one_for_the_day() {
    on_each_database(async |place, store| {
        let law = law();
        let team = prepared(&place, &store, &law).await;
        let (one, other, sup) = (&team.graders[0], &team.graders[1], &team.supervisor);
        let bounds = |propose, hold| Bounds { propose, hold };
        let of = |limits: avocet_record::staff::Limits, id: &str| {
            let limit = limits.limits.into_iter().find(|limit| limit.limit == id).unwrap();
            (limit.set_for, limit.bounds.propose, limit.bounds.hold)
        };
        for refused in [
            sup.set_care_limit(None, "no-such", bounds(1, None), "r").await,
            sup.set_care_limit(None, "clear-minutes", bounds(5, Some(4)), "r").await,
            sup.set_care_limit(None, "clear-minutes", bounds(0, None), "r").await,
            sup.set_care_limit(None, "clear-minutes", bounds(5, None), " ").await,
            sup.set_care_limit(Some(sup.user()), "clear-minutes", bounds(5, None), "r").await,
            sup.lift_care_limits(sup.user(), "r").await.map(|(seq, _)| seq),
        ] {
            assert!(matches!(refused, Err(RecordError::Refused(_))), "{refused:?}");
        }
        let nobody =
            sup.set_care_limit(Some(avocet_record::UserId::new(99)), "clear-minutes", bounds(5, None), "r").await;
        assert!(matches!(nobody, Err(RecordError::Unknown { .. })));
        let grader = one.set_care_limit(None, "clear-minutes", bounds(5, None), "r").await;
        assert!(matches!(grader, Err(RecordError::NotAllowed { .. })));

        sup.set_care_limit(None, "clear-minutes", bounds(4, None), "agreed").await.unwrap();
        sup.set_care_limit(Some(one.user()), "clear-minutes", bounds(1, Some(1)), "asked for it").await.unwrap();
        assert_eq!(of(one.care_limits(Some(one.user())).await.unwrap(), "clear-minutes"), (SetFor::Person, 1, Some(1)));
        assert_eq!(of(other.care_limits(Some(other.user())).await.unwrap(), "clear-minutes"), (SetFor::Team, 4, None));
        assert_eq!(of(other.care_limits(None).await.unwrap(), "without-a-break"), (SetFor::Table, 20, Some(40)));
        // Another's are not for a colleague.
        let another = other.care_limits(Some(one.user())).await;
        assert!(matches!(another, Err(RecordError::NotAllowed { .. })));
        assert!(matches!(other.care_limit_changes(Some(one.user())).await, Err(RecordError::NotAllowed { .. })));
        assert_eq!(of(sup.care_limits(Some(one.user())).await.unwrap(), "clear-minutes"), (SetFor::Person, 1, Some(1)));

        // A minute of clear pictures today.
        assert_eq!(batch(&team, one, 1).await.0.len(), 1);
        let view = one.clear_began(team.one, sha(1), "whole").await.unwrap();
        store.set_clock(At::from_ns(NOON + MINUTE));
        one.clear_ended(team.one, sha(1), view).await.unwrap();
        let standing = one.own_standing().await.unwrap();
        let clear = standing.iter().find(|one| one.limit.limit == "clear-minutes").unwrap();
        assert_eq!((clear.used, clear.reached), (1, Reached::Hold));
        one.take_break(team.one).await.unwrap();
        let (given, rest) = batch(&team, one, 3).await;
        let (held, words) = rest.unwrap();
        assert_eq!((given.len(), held), (0, true));
        assert_eq!(
            words,
            ["Clear pictures were before you for 1 minute today. That is enough for today: the next pictures come \
              tomorrow, or when whoever supervises lifts the limit."]
        );
        let (_, until) = sup.lift_care_limits(one.user(), "two left").await.unwrap();
        assert_eq!(until, At::read("2026-11-21T00:00Z").unwrap());
        let (given, rest) = batch(&team, one, 3).await;
        let (held, words) = rest.unwrap();
        assert_eq!((given.len(), held), (3, false));
        assert_eq!(words.last().unwrap(), "Whoever supervises has lifted the limit for now.");
        // The next day begins at nothing, and what was lifted holds again.
        store.set_clock(until);
        assert_eq!(batch(&team, one, 3).await.1, None);

        sup.reset_care_limit(Some(one.user()), "clear-minutes", "no longer needed").await.unwrap();
        assert_eq!(of(one.care_limits(Some(one.user())).await.unwrap(), "clear-minutes"), (SetFor::Team, 4, None));
        let changes = one.care_limit_changes(Some(one.user())).await.unwrap();
        let told: Vec<_> = changes.iter().map(|c| (c.kind.as_str(), c.by, c.reason.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("care-limit-set", sup.user(), Some("asked for it")),
                ("care-limit-lifted", sup.user(), Some("two left")),
                ("care-limit-reset", sup.user(), Some("no longer needed")),
            ]
        );
        let team_changes = other.care_limit_changes(None).await.unwrap();
        assert_eq!(team_changes[0].reason.as_deref(), Some("agreed"));
        // What the ledger holds of it is ids and numbers; the reasons are sealed.
        assert!(store.rebuild(false).await.unwrap().is_empty());
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}
