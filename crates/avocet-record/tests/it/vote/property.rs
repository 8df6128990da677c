//! What holds for any facts in any order.

use std::collections::{BTreeMap, BTreeSet};

use avocet_record::vote::{Basis, ItemVotes, Moderation, Outcome, Party, SettledBy, VoteBook, VoteEnd};
use proptest::prelude::*;

use super::{Do, fact, item, policy, scheme, set, sha};

fn done() -> impl Strategy<Value = Do> {
    let code = || prop::sample::select(vec!["A", "a", "B", "C"]);
    let by = || 1u64..5;
    let basis = prop_oneof![
        Just(Basis::Viewed {}),
        Just(Basis::AcceptedInGroup { group: "G".to_owned(), representative: sha(2) }),
        Just(Basis::ByExactMatch { set: set("S", "1") })
    ];
    prop_oneof![
        4 => (by(), code()).prop_map(|(u, c)| Do::Vote(u, c)),
        2 => (by(), code(), basis).prop_map(|(u, c, b)| Do::On(u, c, b)),
        1 => (by(), code()).prop_map(|(u, c)| Do::Newer(u, c)),
        2 => (by(), code()).prop_map(|(u, c)| Do::Blind(u, c)),
        1 => (by(), code()).prop_map(|(u, c)| Do::Seeing(u, c)),
        2 => (by(), code()).prop_map(|(u, c)| Do::Moderate(u, c)),
        2 => (by(), 1u64..12).prop_map(|(u, v)| Do::Withdraw(u, v)),
        1 => by().prop_map(Do::Ask),
        1 => (prop::sample::select(vec!["S", "T"]), code(), any::<bool>()).prop_map(|(s, c, t)| Do::Import(s, "1", c, t)),
    ]
}

type Shuffled = (Vec<Do>, Vec<usize>);

fn histories() -> impl Strategy<Value = Shuffled> {
    prop::collection::vec(done(), 0..12).prop_flat_map(|all| {
        let order: Vec<usize> = (0..all.len()).collect();
        (Just(all), Just(order).prop_shuffle())
    })
}

/// The votes that count, worked out by replaying the facts in order.
fn counting(all: &[Do]) -> BTreeMap<u64, (u64, String)> {
    let mut last: BTreeMap<u64, (u64, String)> = BTreeMap::new();
    for (seq, done) in (1u64..).zip(all) {
        match done {
            Do::Vote(u, c) | Do::On(u, c, _) | Do::Blind(u, c) | Do::Seeing(u, c) | Do::Moderate(u, c) => {
                last.insert(*u, (seq, c.to_lowercase()));
            }
            Do::Withdraw(u, v) if last.get(u).is_some_and(|(seq, _)| seq == v) => {
                last.remove(u);
            }
            _ => {}
        }
    }
    last
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_arrival_does_not_matter((all, order) in histories(), graders in 1u32..4, share in prop::sample::select(vec![0u32, 1000])) {
        let in_order = item(&all);
        let mut shuffled = ItemVotes::new(sha(1));
        let mut book = VoteBook::default();
        for i in order {
            shuffled.apply(&fact(i as u64 + 1, &all[i]));
            book.apply(&fact(i as u64 + 1, &all[i]));
        }
        let policy = policy(graders, share);
        prop_assert_eq!(&shuffled, &in_order);
        prop_assert_eq!(shuffled.standing(&policy), in_order.standing(&policy));
        prop_assert_eq!(shuffled.findings(true), in_order.findings(true));
        if !all.is_empty() {
            prop_assert_eq!(book.item(&sha(1)), Some(&in_order));
        }
    }

    #[test]
    fn outcomes_keep_their_promises((all, _) in histories(), graders in 1u32..4) {
        let item = item(&all);
        let policy = policy(graders, 1000);
        let standing = item.standing(&policy);
        let counting = counting(&all);

        // Every vote is kept, and one a person counts.
        let cast = all.iter().filter(|d| !matches!(d, Do::Withdraw(..) | Do::Ask(..) | Do::Import(..))).count();
        prop_assert_eq!(item.history().count(), cast);
        let alive: BTreeMap<u64, (u64, String)> = item
            .history()
            .filter(|(vote, end)| end.is_none() && vote.scheme == scheme("1"))
            .map(|(vote, _)| (vote.by.number(), (vote.seq, vote.category.as_str().to_lowercase())))
            .collect();
        prop_assert_eq!(&alive, &counting);
        for (vote, end) in item.history() {
            if let Some(VoteEnd::Superseded { by } | VoteEnd::Withdrawn { by, .. }) = end {
                prop_assert!(by > vote.seq);
            }
        }

        // Trusted comes from imports only.
        let trusting = all.iter().any(|d| matches!(d, Do::Import(.., true)));
        prop_assert!(standing.trusted_in.is_empty() || trusting);

        let codes: BTreeSet<&str> = counting.values().map(|(_, c)| c.as_str()).collect();
        let moderated = all.iter().any(|d| matches!(d, Do::Moderate(..)));
        match &standing.outcome {
            Outcome::Decided(settled) => {
                prop_assert!(settled.parties.iter().all(|p| *p.category() == settled.category));
                prop_assert!(codes.len() <= 1);
                let voters = settled.parties.iter().filter(|p| matches!(p, Party::Voter { .. })).count();
                prop_assert_eq!(voters, counting.len());
                prop_assert!(voters >= graders as usize || !standing.trusted_in.is_empty());
                if settled.by == SettledBy::Trusted {
                    prop_assert!(!standing.trusted_in.is_empty());
                }
                prop_assert!(settled.by != SettledBy::Moderation);
            }
            Outcome::Moderated(settled) => {
                prop_assert!(moderated && settled.by == SettledBy::Moderation);
            }
            Outcome::Undecided { parties, needed } => {
                prop_assert_eq!(*needed, graders);
                prop_assert!(parties.len() < graders as usize && codes.len() <= 1);
                prop_assert!(standing.trusted_in.is_empty());
            }
            Outcome::NeedsSecondView { parties, .. } => prop_assert!(!parties.is_empty()),
            Outcome::Disagreement { parties } => {
                let said: BTreeSet<_> = parties.iter().map(Party::category).collect();
                prop_assert!(said.len() > 1);
            }
        }
        // With differing votes and no moderation there is never a category.
        if codes.len() > 1 && !moderated {
            prop_assert!(standing.outcome.category().is_none());
        }
        // Everything in the sample has a standing there.
        prop_assert!(standing.moderation != Moderation::NotDrawn);
        if counting.is_empty() {
            prop_assert_eq!(standing.moderation, Moderation::DrawnNotVoted);
        }
    }
}
