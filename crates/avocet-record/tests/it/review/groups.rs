//! Pictures of several devices that look the same.

use std::collections::BTreeMap;

use avocet_base::{PdqHash, Sha256};
use avocet_record::ExhibitId;
use avocet_record::law::Law;
use avocet_record::vote::Policy;

use super::super::sealed::{Content, sha};
use super::super::support::{Random, on_each_database};
use super::{Team, category, file, next, scheme, team};

/// The first radius at which two pictures are in no group together; stated here again.
const APART: u32 = 17;

/// A hash that differs from another in this many bits, the first ones behind a place.
fn changed(hash: PdqHash, from: usize, bits: usize) -> PdqHash {
    let mut out = hash;
    for bit in from..from + bits {
        out.0[bit / 8] ^= 1 << (bit % 8);
    }
    out
}

fn picture(n: u32, pdq: PdqHash, quality: u64) -> Content {
    Content { n, look: Some((pdq, quality)), ..Content::default() }
}

/// Bits that differ, counted one by one.
fn bits(a: PdqHash, b: PdqHash) -> u32 {
    (0..256).filter(|bit| (a.0[bit / 8] ^ b.0[bit / 8]) >> (bit % 8) & 1 == 1).count().try_into().unwrap()
}

#[test]
fn pictures_of_two_devices_that_look_the_same_are_one_group() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let folder = place.folder.path();
        let look = PdqHash([0x3c; 32]);
        let one = [picture(1, look, 90), picture(2, changed(look, 0, 4), 80), picture(9, PdqHash([0x55; 32]), 90)];
        let known = Content { said: vec![(0, Some("C"), true, false)], ..picture(6, look, 100) };
        let two = [
            picture(3, changed(look, 100, 8), 80),
            picture(4, PdqHash([0x0f; 32]), 80),
            // The same hash, but it shows too little; and one that a set has, so that nobody is asked about it.
            picture(5, look, 49),
            known,
            // On both devices: it is one content.
            picture(2, changed(look, 0, 4), 80),
        ];
        team.attach(team.one, 1, &file(folder, "one", &one)).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let grader = &team.graders[0];
        let members = async |n| {
            let group = grader.review_group(team.one, sha(n)).await.unwrap();
            group.members.iter().map(|m| (m.item.sha256, m.item.group.as_ref().unwrap().distance)).collect::<Vec<_>>()
        };
        assert_eq!(members(2).await, [(sha(1), 0), (sha(2), 4)]);
        team.attach(team.one, 2, &file(folder, "two", &two)).await;
        assert_eq!(members(3).await, [(sha(1), 0), (sha(2), 4), (sha(3), 8)]);
        for alone in [4, 5, 6, 9] {
            assert!(grader.review_group(team.one, sha(alone)).await.is_err(), "{alone} is in no group");
        }
        assert_eq!(grader.progress(team.one).await.unwrap().in_groups, 2);

        // One decision for what lies on two devices, each picture shown first.
        grader.review_leave(team.one).await.unwrap();
        assert_eq!(next(grader, team.one, 1).await, [sha(1)]);
        grader.review_vote(team.one, sha(1), &category("C")).await.unwrap();
        grader.tiles_shown(team.one, &[sha(1), sha(2)]).await.unwrap();
        assert!(grader.review_accept(team.one, sha(1)).await.is_err(), "the other device's picture was not shown");
        grader.tiles_shown(team.one, &[sha(3)]).await.unwrap();
        assert_eq!(grader.review_accept(team.one, sha(1)).await.unwrap().accepted, [sha(2), sha(3)]);
        // Another investigation's pictures are in no group of this one.
        team.attach(team.two, 3, &file(folder, "three", &[picture(7, look, 90)])).await;
        assert!(grader.review_group(team.two, sha(7)).await.is_err());
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

/// Of each content its representative and distance.
async fn groups(team: &Team<'_>, all: &[Sha256]) -> BTreeMap<Sha256, (Sha256, u64)> {
    let mut groups = BTreeMap::new();
    for of in all {
        let Ok(group) = team.graders[0].review_group(team.one, *of).await else { continue };
        let own = group.members.iter().find(|member| member.item.sha256 == *of).unwrap();
        groups.insert(*of, (group.representative, own.item.group.as_ref().unwrap().distance));
    }
    groups
}

#[test]
fn groups_of_an_investigation_hold_against_every_pair() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let folder = place.folder.path();
        let mut random = Random(11);
        let mut looks: BTreeMap<u32, PdqHash> = BTreeMap::new();
        let centres: Vec<PdqHash> =
            (0..6).map(|_| PdqHash(std::array::from_fn(|_| u8::try_from(random.below(256)).unwrap()))).collect();
        for n in 1..=120 {
            let centre = centres[usize::try_from(random.below(6)).unwrap()];
            let from = usize::try_from(random.below(200)).unwrap();
            looks.insert(n, changed(centre, from, usize::try_from(random.below(24)).unwrap()));
        }
        team.supervisor
            .set_policy_with(team.one, Policy::Unknown {}, scheme(), "default", Some(0), "test")
            .await
            .unwrap();
        for (device, numbers) in [(1, 1..=60), (2, 40..=120)] {
            let contents: Vec<Content> = numbers.map(|n| picture(n, looks[&n], 70)).collect();
            let file = file(folder, &format!("device {device}"), &contents);
            team.examiner.attach_examination(team.one, ExhibitId::new(device), &file, None, None).await.unwrap();
        }
        let all: Vec<Sha256> = looks.keys().map(|n| sha(*n)).collect();
        let groups = groups(&team, &all).await;
        let look = |of: &Sha256| *looks.iter().find(|(n, _)| sha(**n) == *of).unwrap().1;
        let heads: Vec<&Sha256> = all.iter().filter(|of| groups.get(of).is_some_and(|g| g.0 == **of)).collect();
        assert!(heads.len() > 6 && groups.len() > 90, "{} groups of {}", heads.len(), groups.len());
        let mut others = 0;
        for of in &all {
            let nearest = heads.iter().map(|head| bits(look(of), look(head))).min().unwrap();
            match groups.get(of) {
                Some((head, distance)) => {
                    assert_eq!(u64::from(bits(look(of), look(head))), *distance);
                    assert!(*distance < u64::from(APART));
                    assert_eq!(u64::from(nearest), *distance, "it is with the nearest");
                    assert!(heads.contains(&head));
                    others += usize::from(of != head);
                }
                None => assert!(nearest >= APART, "it is near what stands for a group and in none"),
            }
        }
        assert!(others > 60);
        for (at, a) in heads.iter().enumerate() {
            assert!(heads[..at].iter().all(|b| bits(look(a), look(b)) >= APART));
        }
    });
}
