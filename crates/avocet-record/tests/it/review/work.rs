//! Votes, groups, flags, notes and undoing.

use avocet_base::Sha256;
use avocet_record::law::Law;
use avocet_record::review::Todo;
use avocet_record::vote::{Basis, Policy, Purpose, RequestReason, VoteFact, drawn};
use avocet_record::{ExhibitId, InvestigationId, RecordError};

use super::super::sealed::{Content, sha};
use super::super::support::on_each_database;
use super::{category, file, next, scheme, team, unknown};

/// Picture 1 stands for 2, 3 and 4, which look the same; 5 and 6 stand alone.
fn with_a_group() -> Vec<Content> {
    let mut contents = unknown(1..=6);
    for content in &mut contents[..4] {
        content.group = Some((1, u64::from(content.n) * 3 - 3));
    }
    contents
}

fn accepted(investigation: InvestigationId, n: u32, representative: u32) -> VoteFact {
    VoteFact::Voted {
        investigation,
        sha256: sha(n),
        scheme: scheme(),
        category: category("C"),
        basis: Basis::AcceptedInGroup { group: "G".into(), representative: sha(representative) },
        purpose: Purpose::Grading,
        blind: false,
    }
}

#[test]
fn a_group_is_accepted_only_by_who_graded_what_stands_for_it_and_was_shown_all_of_it() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &with_a_group())).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let (grader, other) = (&team.graders[0], &team.graders[1]);
        // Any caller meets the same gate.
        let by_hand = grader.record_vote(team.one, accepted(team.one, 2, 1)).await.unwrap_err().to_string();
        assert!(by_hand.contains("4 pictures were of this group not shown"), "{by_hand}");
        let early = grader.review_accept(team.one, sha(1)).await.unwrap_err().to_string();
        assert!(early.contains("grade it first"), "{early}");

        assert_eq!(next(grader, team.one, 1).await, [sha(1)]);
        grader.review_vote(team.one, sha(1), &category("C")).await.unwrap();
        grader.tiles_shown(team.one, &[sha(1), sha(2), sha(3)]).await.unwrap();
        other.tiles_shown(team.one, &[sha(4)]).await.unwrap();
        let unseen = grader.review_accept(team.one, sha(1)).await.unwrap_err().to_string();
        assert!(unseen.contains("1 picture was of this group not shown"), "{unseen}");
        let by_hand = grader.record_vote(team.one, accepted(team.one, 2, 1)).await;
        assert!(matches!(by_hand, Err(RecordError::Refused(_))));

        let group = grader.review_group(team.one, sha(3)).await.unwrap();
        assert_eq!((group.representative, group.proposed.as_deref()), (sha(1), Some("C")));
        let members: Vec<_> = group.members.iter().map(|m| (m.item.sha256, m.shown)).collect();
        assert_eq!(members, [(sha(1), true), (sha(2), true), (sha(3), true), (sha(4), false)]);
        grader.tiles_shown(team.one, &[sha(4)]).await.unwrap();
        // Another who was shown it all and did not grade it cannot.
        other.tiles_shown(team.one, &[sha(1), sha(2), sha(3)]).await.unwrap();
        assert!(other.review_accept(team.one, sha(1)).await.is_err());
        let wrong = grader.record_vote(team.one, accepted(team.one, 5, 1)).await.unwrap_err().to_string();
        assert!(wrong.contains("look the same"), "{wrong}");

        assert_eq!(next(other, team.one, 1).await, [sha(5)], "the group is before the one who opened it");
        let done = grader.review_accept(team.one, sha(1)).await.unwrap();
        assert_eq!((done.category.as_str(), done.accepted.as_slice()), ("C", &[sha(2), sha(3), sha(4)][..]));
        assert_eq!(done.left_out, []);
        let (row, standing, _) = grader.medium(team.one, sha(4)).await.unwrap();
        assert!(row.outcome.ends_with(" C"), "{}", row.outcome);
        assert!(standing.unwrap().outcome.to_string().contains("accepted in group"));

        // Undone as the one decision that it was, then the vote before it.
        let undone = grader.review_undo(team.one).await.unwrap();
        assert_eq!(undone.withdrawn, [sha(4), sha(3), sha(2)]);
        let (row, _, _) = grader.medium(team.one, sha(4)).await.unwrap();
        assert_eq!(row.outcome, "undecided");
        assert_eq!(grader.review_undo(team.one).await.unwrap().withdrawn, [sha(1)]);
        assert_eq!(grader.review_undo(team.one).await.unwrap().withdrawn, [] as [Sha256; 0]);
        assert_eq!(next(grader, team.one, 4).await, [sha(1), sha(2), sha(3), sha(4)]);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

#[test]
fn undoing_goes_back_to_the_first_vote_and_overwrites_nothing() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=5))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let (grader, other) = (&team.graders[0], &team.graders[1]);
        for n in 1..=4 {
            assert_eq!(next(grader, team.one, 1).await, [sha(n)]);
            grader.review_vote(team.one, sha(n), &category("B")).await.unwrap();
        }
        assert_eq!(other.review_undo(team.one).await.unwrap().withdrawn, [], "nobody undoes another's vote");
        for n in (1..=4).rev() {
            assert_eq!(grader.review_undo(team.one).await.unwrap().withdrawn, [sha(n)]);
        }
        assert_eq!(next(grader, team.one, 10).await.len(), 5);
        grader.review_vote(team.one, sha(2), &category("C")).await.unwrap();
        let kinds = store.verify_ledger(&[]).await.unwrap();
        assert!(kinds.is_sound());
        // Five votes and four withdrawals stand on the ledger.
        let story = store.kinds_for_test().await.unwrap();
        assert_eq!((story["voted"], story["vote-withdrawn"]), (5, 4));
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

#[test]
fn votes_stay_with_a_content_when_an_examination_is_replaced_and_its_state_follows() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let folder = place.folder.path();
        // A part of the device first, the whole of it later, with matches that the part did not have.
        let x1 = team.attach(team.one, 1, &file(folder, "part", &unknown(1..=3))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let grader = &team.graders[0];
        next(grader, team.one, 2).await;
        grader.review_vote(team.one, sha(1), &category("C")).await.unwrap();
        let mut whole = unknown(1..=5);
        whole[2].said = vec![(2, None, false, true)];
        let whole = file(folder, "whole", &whole);
        let replaced = team
            .examiner
            .attach_examination(team.one, ExhibitId::new(1), &whole, None, Some(x1))
            .await
            .unwrap()
            .examination;
        assert_ne!(replaced, x1);
        assert_eq!(next(grader, team.one, 10).await, [sha(2), sha(4), sha(5)], "1 is graded, 3 is known now");
        let progress = grader.progress(team.one).await.unwrap();
        // One in ten is drawn for a moderator, by a seed that is drawn too.
        let policy = store.policy_for_test(team.one).await.unwrap().unwrap();
        let done = u64::from(!drawn(&policy.seed, policy.rule.moderation_per_1000, &sha(1)));
        assert_eq!((progress.contents, progress.done, progress.spared_by_match), (5, done, 1));
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

#[test]
fn a_second_view_is_blind_and_by_somebody_who_has_not_voted() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=2))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let (a, b) = (&team.graders[0], &team.graders[1]);
        next(a, team.one, 1).await;
        a.review_vote(team.one, sha(1), &category("B")).await.unwrap();
        a.review_flag(team.one, sha(1), RequestReason::LegalLine, Some("close to the line")).await.unwrap();
        assert_eq!(a.review_next(team.one, Todo::SecondView, 10).await.unwrap().items, []);
        // Without asking for it, a view is not blind.
        let blind = VoteFact::Voted {
            investigation: team.one,
            sha256: sha(1),
            scheme: scheme(),
            category: category("B"),
            basis: Basis::Viewed {},
            purpose: Purpose::SecondView,
            blind: true,
        };
        let refused = b.record_vote(team.one, blind.clone()).await.unwrap_err().to_string();
        assert!(refused.contains("asked for"), "{refused}");
        let batch = b.review_next(team.one, Todo::SecondView, 10).await.unwrap();
        let shown: Vec<_> = batch.items.iter().map(|i| (i.sha256, i.proposed.clone(), i.said.len())).collect();
        assert_eq!(shown, [(sha(1), None, 0)]);
        let voted = b.review_vote(team.one, sha(1), &category("B")).await.unwrap();
        assert!(voted.outcome.ends_with(" B"), "{}", voted.outcome);
        assert_eq!(b.progress(team.one).await.unwrap().second_views, 0);
    });
}

#[test]
fn what_is_passed_over_comes_last_and_notes_are_sealed() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=3))).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let grader = &team.graders[0];
        next(grader, team.one, 1).await;
        grader.review_skip(team.one, sha(1)).await.unwrap();
        assert_eq!(next(grader, team.one, 10).await, [sha(2), sha(3), sha(1)]);
        assert_eq!(grader.progress(team.one).await.unwrap().passed_over, 1);
        grader.review_leave(team.one).await.unwrap();
        assert_eq!(next(&team.graders[1], team.one, 1).await, [sha(1)]);

        grader.review_note(team.one, sha(2), "same room as in another").await.unwrap();
        assert!(grader.review_note(team.one, sha(2), "  ").await.is_err());
        assert!(grader.review_note(team.two, sha(2), "elsewhere").await.is_err(), "not of that investigation");
        let notes = team.supervisor.review_notes(team.one, sha(2)).await.unwrap();
        let notes: Vec<_> = notes.into_iter().map(|(_, _, by, note)| (by, note)).collect();
        assert_eq!(notes, [(grader.user(), Some("same room as in another".into()))]);
        if place.postgres.is_none() {
            drop(notes);
            let bytes = std::fs::read(place.dir().join("record.db")).unwrap();
            assert!(!bytes.windows(9).any(|w| w == b"same room"));
        }
    });
}

#[test]
fn who_grades_can_begin_the_record_of_a_child_who_may_be_found() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        team.attach(team.one, 1, &file(place.folder.path(), "one", &unknown(1..=3))).await;
        let grader = &team.graders[0];
        let child = grader.review_identify(team.one, sha(1), None, Some("a sign in the background")).await.unwrap();
        let again = grader.review_identify(team.one, sha(2), Some(child), None).await.unwrap();
        assert_eq!(child, again);
        assert!(grader.review_identify(team.two, sha(1), None, None).await.is_err(), "not a content of that one");
        assert!(grader.review_identify(team.two, sha(1), Some(child), None).await.is_err());
        let people = team.supervisor.people(team.one).await.unwrap();
        let file = &people.shown[0].file;
        assert_eq!(file.identification.media().into_iter().collect::<Vec<_>>(), {
            let mut both = vec![sha(1), sha(2)];
            both.sort();
            both
        });
        assert_eq!(people.shown.len(), 1);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}
