//! Items whose outcome is worked out on paper.

use avocet_base::Sha256;
use avocet_record::vote::{
    Basis, GradingPolicy, Moderation, Policy, Purpose, Seed, SettledBy, VoteBook, VoteEnd, VoteFact, VoteFinding,
};
use avocet_record::{At, InvestigationId, Recorded, UserId};

use super::Do::{Ask, Blind, Import, Moderate, Newer, On, Seeing, Vote, Withdraw};
use super::{Do, I, category, fact, item, policy, scheme, set, sha};

fn group(representative: u8) -> Basis {
    Basis::AcceptedInGroup { group: "G4".to_owned(), representative: sha(representative) }
}

fn exact() -> Basis {
    Basis::ByExactMatch { set: set("S", "1") }
}

/// What happened, and what it adds up to under the default rule (one grader, second views blind) without a sample.
#[test]
fn outcomes() {
    let table: Vec<(Vec<Do>, &str)> = vec![
        (vec![], "undecided: nobody has voted, 1 needed"),
        (vec![Vote(1, "A")], "decided: A, viewed"),
        (vec![On(1, "A", group(2))], "decided: A, accepted in group"),
        (vec![Import("S", "1", "B", false), On(1, "B", exact())], "decided: B, by exact match"),
        // A set that is not trusted decides nothing, nor do many.
        (
            vec![Import("S", "1", "B", false), Import("T", "1", "B", false), Import("U", "1", "B", false)],
            "undecided: nobody has voted, 1 needed",
        ),
        (vec![Import("S", "1", "A", true)], "decided: A, trusted by an imported set"),
        // The set's next version takes its word back.
        (vec![Import("S", "1", "A", true), Import("S", "2", "A", false)], "undecided: nobody has voted, 1 needed"),
        (
            vec![Vote(1, "A"), Import("S", "1", "B", true)],
            "needs a second view, as they differ: U-1 says A (viewed); S 1 says B (trusted)",
        ),
        (
            vec![Vote(1, "A"), Vote(2, "B")],
            "needs a second view, as they differ: U-1 says A (viewed); U-2 says B (viewed)",
        ),
        // Two against one, and a moderator decides, not the majority.
        (
            vec![Vote(1, "A"), Vote(2, "B"), Blind(3, "A")],
            "disagreement, for a moderator: U-1 says A (viewed); U-2 says B (viewed); U-3 says A (viewed)",
        ),
        (vec![Vote(1, "A"), Vote(2, "B"), Blind(3, "A"), Moderate(9, "B")], "moderated: B"),
        (vec![Vote(1, "A"), Ask(1)], "needs a second view, asked for in entry 2: U-1 says A (viewed)"),
        (vec![Vote(1, "A"), Ask(1), Blind(2, "A")], "decided: A, viewed"),
        // Not blind, or by the one who voted: the view is still needed.
        (
            vec![Vote(1, "A"), Ask(1), Seeing(2, "A")],
            "needs a second view, asked for in entry 2: U-1 says A (viewed); U-2 says A (viewed)",
        ),
        (vec![Vote(1, "A"), Ask(4), Blind(1, "A")], "needs a second view, asked for in entry 2: U-1 says A (viewed)"),
        // A changed mind, a withdrawn vote, and one that somebody else tried to withdraw.
        (vec![Vote(1, "A"), Vote(1, "B")], "decided: B, viewed"),
        (vec![Vote(1, "A"), Withdraw(1, 1)], "undecided: nobody has voted, 1 needed"),
        (vec![Vote(1, "A"), Withdraw(2, 1)], "decided: A, viewed"),
        // What was superseded does not come back when its successor is withdrawn.
        (vec![Vote(1, "A"), Vote(1, "B"), Withdraw(1, 2)], "undecided: nobody has voted, 1 needed"),
        // A different vote after the moderation opens the item again, a like one does not.
        (
            vec![Vote(1, "A"), Moderate(9, "B"), Vote(2, "A")],
            "needs a second view, as they differ: U-9 says B (viewed); U-2 says A (viewed)",
        ),
        (vec![Vote(1, "A"), Moderate(9, "B"), Vote(2, "B")], "moderated: B"),
        // A set that repeats in a new version what the moderator overruled is no news; one that starts to say it is.
        (vec![Import("S", "1", "A", true), Moderate(9, "B"), Import("S", "2", "A", true)], "moderated: B"),
        (
            vec![Import("S", "1", "A", false), Moderate(9, "B"), Import("S", "2", "A", true)],
            "needs a second view, as they differ: U-9 says B (viewed); S 2 says A (trusted)",
        ),
        (
            vec![Vote(1, "A"), Moderate(9, "B"), Ask(3)],
            "needs a second view, asked for in entry 3: U-9 says B (viewed)",
        ),
        // Who graded an item cannot moderate it: it is a changed vote.
        (
            vec![Vote(1, "A"), Vote(2, "B"), Moderate(2, "B")],
            "needs a second view, as they differ: U-1 says A (viewed); U-2 says B (viewed)",
        ),
        // The latest moderator decides.
        (vec![Vote(1, "A"), Moderate(9, "B"), Moderate(8, "C")], "moderated: C"),
        // Another version of the scheme is another scheme.
        (vec![Vote(1, "A"), Newer(2, "B")], "decided: A, viewed"),
        (vec![Newer(2, "B")], "undecided: nobody has voted, 1 needed"),
        // Letters of either case are one code.
        (vec![Vote(1, "A"), Vote(2, "a")], "decided: A, viewed"),
        // Viewing is the stronger ground.
        (vec![On(1, "A", group(2)), Vote(2, "A")], "decided: A, viewed"),
        // A request on which nobody has voted yet.
        (vec![Ask(1)], "undecided: nobody has voted, 1 needed"),
        // The blind view that was withdrawn was none.
        (
            vec![Vote(1, "A"), Ask(1), Blind(2, "A"), Withdraw(2, 3)],
            "needs a second view, asked for in entry 2: U-1 says A (viewed)",
        ),
        // A blind view before the request does not answer it.
        (
            vec![Vote(1, "A"), Blind(2, "A"), Ask(1)],
            "needs a second view, asked for in entry 3: U-1 says A (viewed); U-2 says A (viewed)",
        ),
    ];
    for (done, wanted) in &table {
        assert_eq!(item(done).standing(&policy(1, 0)).outcome.to_string(), *wanted, "{done:?}");
    }
    assert!(table.len() >= 20);
}

#[test]
fn other_local_rules() {
    let two = policy(2, 0);
    for (done, wanted) in [
        (vec![Vote(1, "A")], "undecided: 1 of 2 needed: U-1 says A (viewed)"),
        (vec![Vote(1, "A"), Vote(1, "A")], "undecided: 1 of 2 needed: U-1 says A (viewed)"),
        (vec![Vote(1, "A"), Vote(2, "A")], "decided: A, viewed"),
        (vec![Vote(1, "A"), Import("S", "1", "A", true)], "decided: A, viewed"),
        (vec![Vote(1, "A"), Moderate(9, "A")], "moderated: A"),
    ] {
        assert_eq!(item(&done).standing(&two).outcome.to_string(), wanted, "{done:?}");
    }
    let mut loose = policy(1, 0);
    (loose.rule.second_view_on_disagreement, loose.rule.second_view_on_request) = (false, false);
    loose.rule.trusted_decides = false;
    for (done, wanted) in [
        (vec![Vote(1, "A"), Vote(2, "B")], "disagreement, for a moderator: U-1 says A (viewed); U-2 says B (viewed)"),
        (vec![Vote(1, "A"), Ask(1)], "decided: A, viewed"),
        (vec![Import("S", "1", "A", true)], "undecided: nobody has voted, 1 needed"),
        (vec![Vote(1, "B"), Import("S", "1", "A", true)], "decided: B, viewed"),
    ] {
        assert_eq!(item(&done).standing(&loose).outcome.to_string(), wanted, "{done:?}");
    }
    // What a set says of itself is shown whatever the rule.
    assert_eq!(item(&[Import("S", "1", "A", true)]).standing(&loose).trusted_in, [set("S", "1")]);
    let mut seeing = policy(1, 0);
    seeing.rule.second_view_blind = false;
    let done = [Vote(1, "A"), Ask(1), Seeing(2, "A")];
    assert_eq!(item(&done).standing(&seeing).outcome.to_string(), "decided: A, viewed");
    // The parties that a moderator overruled stay named.
    let moderated = item(&[Vote(1, "A"), Vote(2, "B"), Moderate(9, "B")]).standing(&two).outcome;
    let avocet_record::vote::Outcome::Moderated(settled) = &moderated else { panic!("{moderated}") };
    assert_eq!((settled.by, settled.parties.len()), (SettledBy::Moderation, 3));
    assert_eq!(moderated.category(), Some(&category("b")));
}

#[test]
fn moderation_of_the_sample() {
    let all = policy(1, 1000);
    for (done, wanted) in [
        (vec![], Moderation::DrawnNotVoted),
        (vec![Import("S", "1", "A", true)], Moderation::DrawnNotVoted),
        (vec![Vote(1, "A")], Moderation::Due),
        (vec![Vote(1, "A"), Moderate(9, "A")], Moderation::Done { agreed: true }),
        (vec![Vote(1, "A"), Moderate(9, "B")], Moderation::Done { agreed: false }),
        // The vote that stood when the moderator looked is what counts, not what it became.
        (vec![Vote(1, "A"), Moderate(9, "B"), Vote(1, "B")], Moderation::Done { agreed: false }),
        (vec![Vote(1, "A"), Vote(1, "B"), Moderate(9, "B")], Moderation::Done { agreed: true }),
        (vec![Vote(1, "A"), Moderate(1, "A")], Moderation::Due),
        (vec![Vote(1, "A"), Moderate(9, "A"), Withdraw(9, 2)], Moderation::Due),
        (vec![Moderate(9, "A")], Moderation::Done { agreed: true }),
    ] {
        assert_eq!(item(&done).standing(&all).moderation, wanted, "{done:?}");
        assert_eq!(item(&done).standing(&policy(1, 0)).moderation, Moderation::NotDrawn);
    }
    // A moderation that is due does not hold the decision back.
    assert_eq!(item(&[Vote(1, "A")]).standing(&all).outcome.to_string(), "decided: A, viewed");
}

#[test]
fn nothing_is_overwritten() {
    let done = [Vote(1, "A"), Vote(1, "B"), Vote(1, "C"), Withdraw(1, 3), Withdraw(1, 1), Vote(2, "A")];
    let item = item(&done);
    let history: Vec<_> =
        item.history().map(|(v, end)| (v.seq, v.by.number(), v.category.as_str().to_owned(), end)).collect();
    let reason = avocet_record::vote::WithdrawReason::Slip;
    assert_eq!(
        history,
        [
            (1, 1, "A".to_owned(), Some(VoteEnd::Superseded { by: 2 })),
            (2, 1, "B".to_owned(), Some(VoteEnd::Superseded { by: 3 })),
            (3, 1, "C".to_owned(), Some(VoteEnd::Withdrawn { by: 4, reason })),
            (6, 2, "A".to_owned(), None),
        ]
    );
    assert!(item.has_voted(UserId::new(1)) && !item.has_voted(UserId::new(3)));
    // A vote after a withdrawal counts again, and the withdrawn one stays withdrawn.
    let again = super::item(&[Vote(1, "A"), Withdraw(1, 1), Vote(1, "B")]);
    let ends: Vec<_> = again.history().map(|(_, end)| end).collect();
    assert_eq!(ends, [Some(VoteEnd::Withdrawn { by: 2, reason }), None]);
}

#[test]
fn contradictions_are_findings() {
    use VoteFinding as F;
    let user = UserId::new;
    let cases: Vec<(Vec<Do>, Vec<VoteFinding>)> = vec![
        (vec![Vote(1, "A"), Blind(2, "B"), Moderate(3, "A")], vec![]),
        (vec![Vote(1, "A"), Withdraw(2, 1)], vec![F::AnotherWithdrew { seq: 2, vote: 1, voter: user(1) }]),
        (vec![Vote(1, "A"), Withdraw(1, 5)], vec![F::WithdrewNothing { seq: 2, vote: 5 }]),
        // A withdrawal cannot be of what comes after it.
        (vec![Withdraw(1, 2), Vote(1, "A")], vec![F::WithdrewNothing { seq: 1, vote: 2 }]),
        (vec![Vote(1, "A"), Vote(1, "B"), Withdraw(1, 1)], vec![F::WithdrewNothing { seq: 3, vote: 1 }]),
        (vec![Vote(1, "A"), Withdraw(1, 1), Withdraw(1, 1)], vec![F::WithdrewNothing { seq: 3, vote: 1 }]),
        (vec![Vote(1, "A"), Blind(1, "A")], vec![F::NotIndependent { seq: 2, purpose: Purpose::SecondView }]),
        (vec![Vote(1, "A"), Moderate(1, "A")], vec![F::NotIndependent { seq: 2, purpose: Purpose::Moderation }]),
        (
            vec![Newer(1, "A"), Blind(1, "A")],
            vec![
                F::NotIndependent { seq: 2, purpose: Purpose::SecondView },
                F::SeveralSchemes { schemes: vec![scheme("1"), scheme("2")] },
            ],
        ),
        (vec![Vote(1, "A"), Seeing(2, "A")], vec![F::NotBlind { seq: 2 }]),
        (vec![Moderate(9, "A"), Moderate(8, "B")], vec![F::ModeratorsDiffer { seq: 2 }]),
        (vec![Moderate(9, "A"), Moderate(9, "B")], vec![]),
        (vec![On(1, "A", group(1))], vec![F::RepresentativeIsItself { seq: 1 }]),
        (vec![Import("S", "1", "A", false), On(1, "A", exact())], vec![]),
        (vec![On(1, "A", exact())], vec![F::MatchNotInSet { seq: 1, set: set("S", "1") }]),
        (
            vec![Import("S", "1", "B", false), On(1, "A", exact())],
            vec![F::MatchNotInSet { seq: 2, set: set("S", "1") }],
        ),
        (
            vec![Import("S", "2", "A", false), On(1, "A", exact())],
            vec![F::MatchNotInSet { seq: 2, set: set("S", "1") }],
        ),
    ];
    for (done, wanted) in cases {
        let found = item(&done).findings(true);
        assert_eq!(found, wanted, "{done:?}");
        for finding in found {
            let text = finding.to_string();
            assert!(text.contains(". ") && !text.contains("  "), "{text}");
        }
    }
    let mut accepted = fact(2, &Vote(2, "A"));
    if let VoteFact::Voted { basis, purpose, .. } = &mut accepted.fact {
        (*basis, *purpose) = (group(2), Purpose::Moderation);
    }
    let mut item = item(&[Vote(1, "A")]);
    item.apply(&accepted);
    assert_eq!(item.findings(true), [F::NotViewed { seq: 2, purpose: Purpose::Moderation }]);
    assert_eq!(item.standing(&policy(1, 1000)).moderation, Moderation::Due);
}

fn voted(seq: u64, by: u64, sha256: Sha256, code: &str, basis: Basis, i: u64) -> Recorded<VoteFact> {
    let investigation = InvestigationId::new(i);
    let (scheme, category) = (scheme("1"), category(code));
    let fact =
        VoteFact::Voted { investigation, sha256, scheme, category, basis, purpose: Purpose::Grading, blind: false };
    Recorded { seq, at: At::from_ns(0), by: UserId::new(by), fact }
}

fn set_policy(seq: u64, policy: &GradingPolicy) -> Recorded<VoteFact> {
    Recorded { seq, at: At::from_ns(0), by: UserId::new(5), fact: VoteFact::PolicySet(policy.clone()) }
}

#[test]
fn a_book_of_items_and_policies() {
    use VoteFinding as F;
    let mut book = VoteBook::default();
    let viewed = || Basis::Viewed {};
    assert!(book.standing(&sha(1), I).is_none());
    book.apply(&voted(1, 1, sha(2), "A", viewed(), 7));
    book.apply(&voted(2, 1, sha(1), "A", group(2), 7));
    assert_eq!(book.findings(), [(None, F::NoPolicy { investigation: I })]);
    book.apply(&set_policy(3, &policy(1, 0)));
    assert_eq!(book.findings(), []);
    assert_eq!(book.standing(&sha(1), I).unwrap().outcome.to_string(), "decided: A, accepted in group");
    assert_eq!(book.standing(&sha(9), I).unwrap().outcome.to_string(), "undecided: nobody has voted, 1 needed");

    // Another category than the representative's; another person's view; accepted before viewing.
    book.apply(&voted(4, 1, sha(3), "B", group(2), 7));
    book.apply(&voted(5, 2, sha(4), "A", group(2), 7));
    book.apply(&voted(6, 1, sha(5), "A", group(6), 7));
    book.apply(&voted(7, 1, sha(6), "A", viewed(), 7));
    let missing = |item: u8, seq: u64, representative: u8| {
        (Some(sha(item)), F::RepresentativeNotViewed { seq, representative: sha(representative) })
    };
    assert_eq!(book.findings(), [missing(3, 4, 2), missing(4, 5, 2), missing(5, 6, 6)]);
    // The view was changed after the group was accepted: what was accepted was alike then.
    book.apply(&voted(8, 1, sha(2), "C", viewed(), 7));
    assert_eq!(book.findings().len(), 3);
    assert_eq!(book.items().map(|item| item.sha256()).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6].map(sha));

    let mut other = policy(1, 0);
    other.policy = Policy::Streamlined { criteria: " ".to_owned(), stop: None };
    (other.reason, other.seed, other.scheme) = (String::new(), Seed([6; 32]), scheme("2"));
    let mut book = VoteBook::default();
    book.apply(&set_policy(4, &other));
    book.apply(&set_policy(3, &policy(1, 0)));
    book.apply(&voted(5, 1, sha(1), "A", viewed(), 7));
    assert_eq!(
        book.findings(),
        [
            (Some(sha(1)), F::OtherScheme { seq: 5, scheme: scheme("1"), policy: scheme("2") }),
            (None, F::NoCriteria { seq: 4 }),
            (None, F::PolicyWithoutReason { seq: 4 }),
            (None, F::SeedChanged { seq: 4 }),
        ]
    );
    assert_eq!(book.policies(I).map(|p| p.seq).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(book.policy(I), Some(&other));
    for (_, finding) in book.findings() {
        assert!(finding.to_string().contains(". "), "{finding}");
    }
}

/// Investigations with their own policies see one item each by their own rule.
#[test]
fn a_vote_elsewhere_counts_here() {
    let mut book = VoteBook::default();
    let mut two = policy(2, 0);
    two.investigation = InvestigationId::new(8);
    book.apply(&set_policy(1, &policy(1, 0)));
    book.apply(&set_policy(2, &two));
    book.apply(&voted(3, 1, sha(1), "A", Basis::Viewed {}, 7));
    assert_eq!(book.standing(&sha(1), I).unwrap().outcome.to_string(), "decided: A, viewed");
    let there = book.standing(&sha(1), InvestigationId::new(8)).unwrap();
    assert_eq!(there.outcome.to_string(), "undecided: 1 of 2 needed: U-1 says A (viewed)");
    book.apply(&voted(4, 2, sha(1), "B", Basis::Viewed {}, 8));
    assert!(book.standing(&sha(1), I).unwrap().outcome.category().is_none());
}
