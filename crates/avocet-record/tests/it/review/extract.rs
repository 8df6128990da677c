//! The extract of what was graded, against a count by hand.

use avocet_record::RecordError;
use avocet_record::event::Act;
use avocet_record::law::Law;
use avocet_record::review::{Graded, GradedBy, GradingExtract};
use avocet_record::vote::Policy;

use super::super::sealed::{Content, sha};
use super::super::support::on_each_database;
use super::{category, file, next, scheme, team, unknown};

#[test]
fn the_counts_are_those_made_by_hand_and_the_same_bytes_come_again() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        // 1 to 3 look the same; 4 moves; 5 a set knows as A in the policy's scheme; 6 a set of harmless files; 7 two sets call
        // differently; 8 is deleted.
        let mut contents = unknown(1..=8);
        for content in &mut contents[..3] {
            content.group = Some((1, u64::from(content.n)));
        }
        contents[0].group = Some((1, 0));
        contents[3].video = true;
        contents[4].said = vec![(0, Some("A"), true, false)];
        contents[5].said = vec![(2, None, false, true)];
        contents[6].said = vec![(0, Some("A"), true, false), (1, Some("B"), true, false)];
        contents[7].deleted = true;
        for content in &mut contents {
            content.modified = 1_600_000_000 + i64::from(content.n);
        }
        let folder = place.folder.path();
        team.attach(team.one, 1, &file(folder, "one", &contents)).await;
        let second = [contents[0].clone(), Content { n: 4, video: true, ..Content::default() }];
        let second: Vec<Content> = second.into_iter().map(|c| Content { group: None, ..c }).collect();
        team.attach(team.one, 2, &file(folder, "two", &second)).await;
        let set = team.supervisor.set_policy_with(team.one, Policy::Unknown {}, scheme(), "default", Some(0), "test");
        set.await.unwrap();
        let grader = &team.graders[0];
        let refused = grader.grading_extract(team.one).await;
        assert!(matches!(refused, Err(RecordError::NotAllowed { .. })), "a grader extracts nothing");
        next(grader, team.one, 100).await;
        grader.review_vote(team.one, sha(1), &category("C")).await.unwrap();
        grader.tiles_shown(team.one, &[sha(1), sha(2), sha(3)]).await.unwrap();
        grader.review_accept(team.one, sha(1)).await.unwrap();
        grader.review_vote(team.one, sha(4), &category("B")).await.unwrap();
        grader.review_vote(team.one, sha(8), &category("C")).await.unwrap();

        let (text, digest) = team.supervisor.grading_extract(team.one).await.unwrap();
        let (again, same) = team.supervisor.grading_extract(team.one).await.unwrap();
        assert_eq!((&text, digest), (&again, same));
        assert_eq!(avocet_record::digest(text.as_bytes()), digest);
        let extract = GradingExtract::read(&text).unwrap();
        let totals: Vec<_> = extract.totals.iter().map(|t| (t.category.as_str(), t.moving, t.by, t.count)).collect();
        let by_hand = [
            ("A", false, GradedBy::ExactMatch, 1),
            ("B", true, GradedBy::Viewed, 1),
            ("C", false, GradedBy::Viewed, 2),
            ("C", false, GradedBy::AcceptedInGroup, 2),
        ];
        assert_eq!(totals, by_hand);
        let devices: Vec<_> = extract
            .by_device
            .iter()
            .map(|t| (t.category.as_str(), t.by, t.exhibit.unwrap().number(), t.state.as_deref().unwrap(), t.count))
            .collect();
        let by_hand = [
            ("A", GradedBy::ExactMatch, 1, "live", 1),
            ("B", GradedBy::Viewed, 1, "live", 1),
            ("B", GradedBy::Viewed, 2, "live", 1),
            ("C", GradedBy::Viewed, 1, "live", 1),
            ("C", GradedBy::Viewed, 1, "not live", 1),
            ("C", GradedBy::Viewed, 2, "live", 1),
            ("C", GradedBy::AcceptedInGroup, 1, "live", 2),
        ];
        assert_eq!(devices, by_hand);
        assert_eq!(extract.without.clone().into_iter().collect::<Vec<_>>(), [("undecided".to_owned(), 2)], "6 and 7");
        assert_eq!(extract.said_otherwise, 1, "7: two sets call it differently");
        let group = extract.totals.iter().find(|t| t.by == GradedBy::AcceptedInGroup).unwrap();
        assert_eq!((group.first, group.last), (Some(1_600_000_002_000_000_000), Some(1_600_000_003_000_000_000)));
        // It is kept: the same bytes come back by their digest, of this investigation only, and each look is an entry.
        let made = team.supervisor.grading_extracts(team.one).await.unwrap();
        assert_eq!(made.len(), 2, "made twice");
        assert!(made.iter().all(|m| m.kept && m.digest == digest && m.contents == 6), "{made:?}");
        assert!(matches!(grader.grading_extracts(team.one).await, Err(RecordError::NotAllowed { .. })));
        let (report, kept) =
            team.supervisor.grading_extract_kept(team.one, digest, Act::Exported, "VICS 2.0").await.unwrap();
        assert_eq!((&kept, report.digest, &report.extract), (&text, digest, &extract));
        let other = avocet_record::digest(b"something else");
        let nothing = team.supervisor.grading_extract_kept(team.one, other, Act::Viewed, "test").await;
        assert!(matches!(nothing, Err(RecordError::Unknown { .. })));
        assert_eq!(team.supervisor.grading_extracts(team.one).await.unwrap().len(), 2, "an export is no extract");
        // A count that was altered is found.
        assert!(GradingExtract::read(&text.replacen("\"count\":2", "\"count\":3", 1)).is_err());
        let _: &[Graded] = &extract.contents;
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}
