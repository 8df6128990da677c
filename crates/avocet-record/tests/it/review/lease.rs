//! Nobody gets what somebody else has before them.

use std::collections::BTreeMap;
use std::sync::Mutex;

use avocet_base::Sha256;
use avocet_record::desk::{Desk, LEASE_MINUTES};
use avocet_record::law::Law;
use avocet_record::review::Todo;
use avocet_record::vote::Policy;
use avocet_record::{At, UserId};

use super::super::sealed::sha;
use super::super::support::{Random, on_each_database};
use super::{MINUTE, NOON, category, file, next, team, unknown};

/// A queue that is a list, as plain as can be.
#[derive(Default)]
struct Model {
    order: Vec<Sha256>,
    /// Who has it, and until when.
    leases: BTreeMap<Sha256, (UserId, i64)>,
    voted: BTreeMap<Sha256, Vec<UserId>>,
    passed: Vec<(UserId, Sha256)>,
    acts: BTreeMap<UserId, Vec<Sha256>>,
}

impl Model {
    fn next(&mut self, user: UserId, limit: usize, now: i64) -> Vec<Sha256> {
        let free = |sha256: &&Sha256| {
            let lease = self.leases.get(sha256);
            self.voted.get(sha256).is_none_or(Vec::is_empty)
                && lease.is_none_or(|(by, ends)| *by == user || *ends <= now)
        };
        let (passed, fresh): (Vec<Sha256>, Vec<Sha256>) =
            self.order.iter().filter(free).partition(|sha256| self.passed.contains(&(user, **sha256)));
        let got: Vec<Sha256> = fresh.into_iter().chain(passed).take(limit).collect();
        for sha256 in &got {
            self.leases.insert(*sha256, (user, now + LEASE_MINUTES * MINUTE));
        }
        got
    }
}

#[test]
fn work_in_any_order_gives_what_a_plain_list_gives() {
    for seed in 1..=4u64 {
        on_each_database(async |place, store| {
            let law = Law::load(None).unwrap();
            let team = team(&store, &law, 3).await;
            team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=40))).await;
            team.policy(team.one, Policy::Unknown {}).await;
            let mut model = Model { order: (1..=40).map(sha).collect(), ..Model::default() };
            let mut random = Random(seed);
            let mut now = NOON;
            for step in 0..150 {
                let desk = &team.graders[random.below(3) as usize];
                let user = desk.user();
                match random.below(10) {
                    0..=3 => {
                        let limit = 1 + random.below(8);
                        let got = next(desk, team.one, limit as u32).await;
                        assert_eq!(got, model.next(user, limit as usize, now), "step {step}");
                    }
                    4..=6 => {
                        let held = model.leases.iter().filter(|(_, (by, ends))| *by == user && *ends > now);
                        let held: Vec<Sha256> = held.map(|(sha256, _)| *sha256).collect();
                        if let Some(sha256) = held.get(random.below(held.len().max(1) as u64) as usize) {
                            let drawn = random.below(3);
                            if drawn == 0 {
                                desk.review_skip(team.one, *sha256).await.unwrap();
                                model.passed.push((user, *sha256));
                            } else {
                                desk.review_vote(team.one, *sha256, &category("C")).await.unwrap();
                                model.voted.entry(*sha256).or_default().push(user);
                                model.acts.entry(user).or_default().push(*sha256);
                                model.passed.retain(|passed| *passed != (user, *sha256));
                            }
                            model.leases.remove(sha256);
                        }
                    }
                    7 => {
                        let undone = desk.review_undo(team.one).await.unwrap().withdrawn;
                        let expected: Vec<Sha256> = model.acts.entry(user).or_default().pop().into_iter().collect();
                        assert_eq!(undone, expected, "step {step}");
                        for sha256 in undone {
                            model.voted.entry(sha256).or_default().retain(|by| *by != user);
                            model.leases.insert(sha256, (user, now + LEASE_MINUTES * MINUTE));
                        }
                    }
                    8 => {
                        desk.review_leave(team.one).await.unwrap();
                        model.leases.retain(|_, (by, _)| *by != user);
                    }
                    _ => {
                        now += random.below(6) as i64 * MINUTE;
                        store.set_clock(At::from_ns(now));
                    }
                }
            }
            assert_eq!(store.rebuild(false).await.unwrap(), []);
            assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
        });
    }
}

/// Several people at once, on two openings of the store as two programs would have them.
#[test]
fn people_at_work_side_by_side_never_have_the_same_content() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 4).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=120))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let second = place.open().await.unwrap();
        second.set_clock(At::from_ns(NOON));
        let mut others = vec![];
        for login in ["g1", "g2", "g3", "g4"] {
            others.push(Desk::sign_in(&second, &law, login, super::PASSWORD).await.unwrap());
        }
        // Two of them work through the one opening, two through the other.
        let desks = [&team.graders[0], &others[1], &team.graders[2], &others[3]];
        let held: Mutex<BTreeMap<Sha256, UserId>> = Mutex::new(BTreeMap::new());
        let votes: Mutex<BTreeMap<Sha256, UserId>> = Mutex::new(BTreeMap::new());
        let one = async |desk: &Desk<'_>, seed: u64| {
            let mut random = Random(seed);
            loop {
                let got = desk.review_next(team.one, Todo::Grade, 1 + random.below(7) as u32).await.unwrap().items;
                if got.is_empty() {
                    // What others have may come back; a few more tries, then the work is done.
                    if desk.progress(team.one).await.unwrap().to_grade.is_empty() {
                        return;
                    }
                    tokio::task::yield_now().await;
                    continue;
                }
                for item in &got {
                    let before = held.lock().unwrap().insert(item.sha256, desk.user());
                    assert!(before.is_none_or(|by| by == desk.user()), "{} is with {before:?}", item.sha256);
                }
                for item in got {
                    // Let go before the record lets go.
                    held.lock().unwrap().remove(&item.sha256);
                    if random.below(6) == 0 {
                        desk.review_skip(team.one, item.sha256).await.unwrap();
                    } else {
                        desk.review_vote(team.one, item.sha256, &category("C")).await.unwrap();
                        let before = votes.lock().unwrap().insert(item.sha256, desk.user());
                        assert!(before.is_none(), "two people graded {}", item.sha256);
                    }
                }
            }
        };
        tokio::join!(one(desks[0], 1), one(desks[1], 2), one(desks[2], 3), one(desks[3], 4));
        assert_eq!(votes.lock().unwrap().len(), 120, "every content was graded once");
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}

#[test]
fn what_somebody_left_comes_to_others_after_ten_minutes_and_a_rebuild_leaves_it_with_them() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=3))).await;
        team.attach(team.two, 3, &file(place.folder.path(), "two", &unknown(1..=4))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        team.policy(team.two, Policy::Unknown {}).await;
        let (a, b) = (&team.graders[0], &team.graders[1]);
        assert_eq!(next(a, team.one, 10).await, [sha(1), sha(2), sha(3)]);
        assert_eq!(next(b, team.two, 10).await, [sha(4)], "not in another investigation either");
        assert_eq!(store.rebuild(true).await.unwrap(), []);
        assert_eq!(next(b, team.one, 10).await, []);
        let refused = b.review_vote(team.one, sha(2), &category("C")).await.unwrap_err().to_string();
        assert!(refused.contains("somebody else has this content"), "{refused}");
        store.set_clock(At::from_ns(NOON + 9 * MINUTE));
        // Who asks again keeps what they have.
        assert_eq!(next(a, team.one, 1).await, [sha(1)]);
        store.set_clock(At::from_ns(NOON + 10 * MINUTE));
        assert_eq!(next(b, team.one, 10).await, [sha(2), sha(3)]);
        let leases: Vec<_> = team.supervisor.review_leases(team.one).await.unwrap().into_iter().collect();
        assert_eq!(leases, [(a.user().to_string(), 1), (b.user().to_string(), 2)]);
    });
}
