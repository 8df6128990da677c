//! The queue's order, against rules written down again here.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::Sha256;
use avocet_record::ExhibitId;
use avocet_record::law::Law;
use avocet_record::review::{Reason, Todo};
use avocet_record::vote::{Enough, Policy, StopRule, dip_drawn};

use super::super::sealed::{Content, sha};
use super::super::support::{Random, on_each_database};
use super::{Team, category, counted, file, next, scheme, team, unknown};

/// A queue worked out by looking at everything.
fn oracle(
    attached: &[(u64, Vec<Content>)],
    elsewhere: &BTreeSet<u32>,
    serials: &[&str],
    models: &[&str],
    everything: Option<(avocet_record::vote::Seed, u32, bool)>,
) -> Vec<(Sha256, u8)> {
    // Class by the words: 1 cameras of the devices, then seen nowhere else; 2 other unknown; 3 near matches; then
    // conflicts, the dip sample, everything else.
    let mut all: BTreeMap<u32, Vec<(u64, usize, &Content)>> = BTreeMap::new();
    for (examination, contents) in attached {
        for (at, content) in contents.iter().enumerate() {
            all.entry(content.n).or_default().push((*examination, at, content));
        }
    }
    let home = |n: u32| all[&n].iter().map(|(x, at, _)| (*x, *at)).min().unwrap();
    let mut queue = vec![];
    for (n, places) in &all {
        let said: BTreeSet<_> = places.iter().flat_map(|(_, _, c)| c.said.iter().copied()).collect();
        let known = said.iter().any(|(_, _, alerts, hides)| *alerts || *hides);
        let own = places.iter().any(|(_, _, c)| {
            c.serial.as_deref().is_some_and(|s| serials.contains(&s)) || c.camera.is_some_and(|m| models.contains(&m))
        });
        let near = places.iter().any(|(_, _, c)| c.near.is_some());
        let differ = {
            let stated: BTreeSet<_> = said.iter().filter(|s| s.0 < 2).filter_map(|s| s.1).collect();
            stated.len() > 1
        };
        let class = if !known {
            if own {
                1
            } else if near {
                4
            } else if elsewhere.contains(n) {
                3
            } else {
                2
            }
        } else if differ {
            5
        } else {
            match &everything {
                Some((seed, dip, _)) if dip_drawn(seed, *dip, &sha(*n)) => 6,
                Some((_, _, true)) => 7,
                _ => continue,
            }
        };
        let group = places.iter().min_by_key(|(x, at, _)| (*x, *at)).and_then(|(_, _, c)| c.group);
        let group = group.or_else(|| places.iter().find_map(|(_, _, c)| c.group));
        let head = group.map_or(home(*n), |(head, _)| home(head));
        queue.push((class, head, home(*n) != head, home(*n), sha(*n)));
    }
    queue.sort();
    queue.into_iter().map(|(class, _, _, _, sha256)| (sha256, class)).collect()
}

fn made_up(random: &mut Random, numbers: impl Iterator<Item = u32>) -> Vec<Content> {
    let mut contents: Vec<Content> = vec![];
    for n in numbers {
        let mut content = Content { n, files: random.below(3) as u32, ..Content::default() };
        match random.below(10) {
            0 => content.said.push((0, Some("A"), true, false)),
            1 => content.said.push((2, None, false, true)),
            2 => {
                content.said.push((0, Some("B"), true, false));
                content.said.push((1, Some(if random.below(2) == 0 { "B" } else { "C" }), true, false));
            }
            // Matched on a weak digest with a set of harmless files: spares nobody a look.
            3 => content.said.push((2, None, false, false)),
            4 | 5 => content.near = Some((0, random.below(31), "C")),
            _ => {}
        }
        match random.below(8) {
            0 => content.serial = Some("SN-001".into()),
            1 => content.serial = Some("SN-999".into()),
            2 => content.camera = Some("Example 5"),
            _ => {}
        }
        contents.push(content);
    }
    // Groups of neighbours; who stands for one is in no other.
    let mut at = 0;
    while at + 4 < contents.len() {
        if random.below(3) == 0 {
            let head = contents[at].n;
            contents[at].group = Some((head, 0));
            for member in &mut contents[at + 1..at + 4] {
                member.group = Some((head, 1 + random.below(30)));
            }
            at += 3;
        }
        at += 1;
    }
    contents
}

/// Everything that is before the graders, batch after batch, in the order in which they got it.
async fn whole(team: &Team<'_>) -> Vec<(Sha256, u8)> {
    let mut got = vec![];
    for desk in &team.graders {
        let batch = desk.review_next(team.one, Todo::Grade, 100).await.unwrap();
        got.extend(batch.items.iter().map(|item| (item.sha256, item.reason.unwrap().number() as u8)));
    }
    got
}

#[test]
fn the_queue_is_the_one_that_looking_at_everything_gives() {
    for seed in 1..=3u64 {
        on_each_database(async |place, store| {
            let law = Law::load(None).unwrap();
            let team = team(&store, &law, 4).await;
            let mut random = Random(seed);
            let folder = place.folder.path();
            let first = made_up(&mut random, 0..120);
            let second = made_up(&mut random, 100..220);
            let other = made_up(&mut random, (0..240).filter(|n| n % 5 == 0));
            let elsewhere: BTreeSet<u32> = other.iter().map(|c| c.n).collect();
            let x1 = team.attach(team.one, 1, &file(folder, "one", &first)).await;
            let x3 = team.attach(team.two, 3, &file(folder, "other", &other)).await;
            // The other investigation came later: what was alone before is not any more.
            let mut attached = vec![(x1.number(), first)];
            let expected = oracle(&attached, &elsewhere, &["SN-001", "SN-002"], &[], None);
            assert_eq!(whole(&team).await, expected);
            for desk in &team.graders {
                desk.review_leave(team.one).await.unwrap();
            }
            // A second examination of another device, and a camera that somebody states.
            let x2 = team.attach(team.one, 2, &file(folder, "two", &second)).await;
            assert!(x2 > x3);
            attached.push((x2.number(), second));
            team.examiner.state_camera(team.one, ExhibitId::new(2), "EXAMPLE  5").await.unwrap();
            let expected = oracle(&attached, &elsewhere, &["SN-001", "SN-002"], &["Example 5"], None);
            assert_eq!(whole(&team).await, expected);
            // With a policy there is a dip sample; set to grade everything, the rest comes last.
            for (policy, everything) in [(Policy::Unknown {}, false), (Policy::EveryImage {}, true)] {
                for desk in &team.graders {
                    desk.review_leave(team.one).await.unwrap();
                }
                let dip = if everything { 0 } else { 300 };
                let set = team.supervisor.set_policy_with(team.one, policy, scheme(), "default", Some(dip), "test");
                set.await.unwrap();
                let seed = seed_of(&store, team.one).await;
                let known = Some((seed, dip, everything));
                let expected = oracle(&attached, &elsewhere, &["SN-001", "SN-002"], &["Example 5"], known);
                assert_eq!(expected.iter().any(|(_, class)| *class == 6), !everything);
                assert_eq!(whole(&team).await, expected);
            }
            assert_eq!(store.rebuild(false).await.unwrap(), []);
        });
    }
}

async fn seed_of(store: &avocet_record::store::Store, id: avocet_record::InvestigationId) -> avocet_record::vote::Seed {
    // The seed is not shown to anybody; it stands in the content of the policy's entry.
    store.policy_for_test(id).await.unwrap().unwrap().seed
}

#[test]
fn a_dip_sample_of_none_queues_no_known_content_and_one_of_all_queues_all() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let known = |n| Content { n, said: vec![(0, Some("A"), true, false)], files: 3, ..Content::default() };
        let mut contents: Vec<_> = (1..=20).map(known).collect();
        contents.extend(unknown(21..=22));
        team.attach(team.one, 1, &file(place.folder.path(), "one", &contents)).await;
        for (dip, queued) in [(0, 2), (1000, 22)] {
            let set =
                team.supervisor.set_policy_with(team.one, Policy::Unknown {}, scheme(), "default", Some(dip), "test");
            set.await.unwrap();
            assert_eq!(next(&team.graders[0], team.one, 100).await.len(), queued);
            let progress = team.graders[0].progress(team.one).await.unwrap();
            assert_eq!(progress.left(), queued as u64);
            assert_eq!((progress.contents, progress.files, progress.spared_by_stacking), (22, 62, 40));
            assert_eq!(progress.spared_by_match, 22 - queued as u64);
        }
        // What the set says is kept from the person who checks it.
        let batch = team.graders[0].review_next(team.one, Todo::Grade, 100).await.unwrap();
        let drawn: Vec<_> = batch.items.iter().filter(|item| item.reason == Some(Reason::DipSample)).collect();
        assert_eq!(drawn.len(), 20);
        assert!(drawn.iter().all(|item| item.said.is_empty() && item.proposed.is_none()));
    });
}

#[test]
fn a_streamlined_grading_stops_when_its_criteria_are_met_and_not_before() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        let mut contents = unknown(1..=10);
        contents[8].serial = Some("SN-001".into());
        contents[9].serial = Some("sn 001".into());
        team.attach(team.one, 1, &file(place.folder.path(), "one", &contents)).await;
        let stop = StopRule {
            enough: vec![Enough { category: category("a"), count: 1 }, Enough { category: category("C"), count: 2 }],
            own_cameras_first: true,
        };
        let policy = Policy::Streamlined { criteria: "one A and two C, own camera first".into(), stop: Some(stop) };
        team.policy(team.one, policy).await;
        let grader = &team.graders[0];
        let first = next(grader, team.one, 2).await;
        assert_eq!(first, [sha(9), sha(10)], "pictures by the device's own camera come first");
        grader.review_vote(team.one, sha(9), &category("A")).await.unwrap();
        for n in 1..=2 {
            next(grader, team.one, 100).await;
            grader.review_vote(team.one, sha(n), &category("C")).await.unwrap();
        }
        assert!(!next(grader, team.one, 100).await.is_empty(), "one of the device's own camera is still to be seen");
        let last = grader.review_vote(team.one, sha(10), &category("none")).await.unwrap();
        assert!(last.outcome.ends_with(" none"), "{}", last.outcome);
        let batch = grader.review_next(team.one, Todo::Grade, 100).await.unwrap();
        assert!(batch.stopped && batch.items.is_empty());
        assert_eq!(batch.progress.to_grade, counted(&[(Reason::NowhereElse, 6)]), "what was left out is counted");
        // A vote that is taken back opens it again.
        grader.review_undo(team.one).await.unwrap();
        assert!(!grader.review_next(team.one, Todo::Grade, 100).await.unwrap().stopped);
    });
}

#[test]
fn a_content_that_people_and_a_set_call_differently_goes_to_a_moderator() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let contents = [Content { n: 1, said: vec![(0, Some("A"), true, false)], ..Content::default() }];
        team.attach(team.one, 1, &file(place.folder.path(), "one", &contents)).await;
        let set =
            team.supervisor.set_policy_with(team.one, Policy::EveryImage {}, scheme(), "default", Some(0), "test");
        set.await.unwrap();
        let grader = &team.graders[0];
        assert_eq!(next(grader, team.one, 10).await, [sha(1)]);
        grader.review_vote(team.one, sha(1), &category("B")).await.unwrap();
        assert_eq!(grader.progress(team.one).await.unwrap().to_moderate, 1);
        let refused = grader.review_next(team.one, Todo::Moderate, 10).await;
        assert!(refused.is_err(), "a grader does not moderate");
        let batch = team.supervisor.review_next(team.one, Todo::Moderate, 10).await.unwrap();
        assert_eq!(batch.items.len(), 1);
        let voted = team.supervisor.review_vote(team.one, sha(1), &category("B")).await.unwrap();
        assert_eq!(voted.outcome, "moderated B");
        assert_eq!(grader.progress(team.one).await.unwrap().left(), 0);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}
