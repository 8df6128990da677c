//! Clear views with their end, and the account of what was looked at.

use avocet_record::law::Law;
use avocet_record::vote::Policy;
use avocet_record::{At, Day, RecordError};

use super::super::sealed::sha;
use super::super::support::on_each_database;
use super::{MINUTE, NOON, category, file, next, team, unknown};

#[test]
fn a_clear_view_has_a_beginning_and_an_end_and_stands_in_the_account_of_who_looked() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=3))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let (one, other) = (&team.graders[0], &team.graders[1]);
        assert_eq!(next(one, team.one, 3).await.len(), 3);
        one.tiles_shown(team.one, &[sha(1), sha(2), sha(3)]).await.unwrap();

        let view = one.clear_began(team.one, sha(1), "half").await.unwrap();
        // A picture of this investigation is none of another's, whoever asks.
        let elsewhere = one.clear_began(team.two, sha(1), "half").await;
        assert!(matches!(elsewhere, Err(RecordError::Unknown { .. })));
        store.set_clock(At::from_ns(NOON + 2_500_000_000));
        let not_mine = other.clear_ended(team.one, sha(1), view).await;
        assert!(matches!(not_mine, Err(RecordError::Refused(_))));
        one.clear_ended(team.one, sha(1), view).await.unwrap();
        let twice = one.clear_ended(team.one, sha(1), view).await;
        assert!(matches!(twice, Err(RecordError::Refused(_))));

        one.review_vote(team.one, sha(1), &category("C")).await.unwrap();
        store.set_clock(At::from_ns(NOON + MINUTE));
        one.take_break(team.one).await.unwrap();
        // What was before them is given back at once.
        assert_eq!(next(other, team.one, 3).await.len(), 2);

        let day = Day::of(At::from_ns(NOON));
        let account: Vec<_> = one.own_exposure(day, day).await.unwrap();
        let lines: Vec<_> = account.iter().map(|line| (line.what.as_str(), line.times, line.ms)).collect();
        assert_eq!(lines, [("breaks", 1, 0), ("clear", 1, 2_500), ("graded", 1, 0), ("veiled", 3, 0)]);
        assert!(other.own_exposure(day, day).await.unwrap().is_empty());
        assert!(one.own_exposure(day.plus(1), day.plus(1)).await.unwrap().is_empty());
        // Totals are of all together, and only for whoever sees figures.
        assert!(matches!(one.team_exposure(day, day).await, Err(RecordError::NotAllowed { .. })));
        let totals = team.supervisor.team_exposure(day, day).await.unwrap();
        assert_eq!(
            totals.iter().map(|line| (line.times, line.people)).collect::<Vec<_>>(),
            [(1, 1), (1, 1), (1, 1), (3, 1)]
        );
        // The account is what the facts say.
        assert!(store.rebuild(false).await.unwrap().is_empty());
    });
}
