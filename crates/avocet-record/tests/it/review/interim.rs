//! An interim result, sealed while its examination runs, and the whole one that takes its place.

use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use avocet_record::desk::{AttachedNow, Desk};
use avocet_record::event::Act;
use avocet_record::law::Law;
use avocet_record::review::{GradingExtract, Todo};
use avocet_record::vote::Policy;
use avocet_record::{ExaminationId, ExhibitId, RecordError, Result};

use super::super::sealed::{Content, sha, write_interim};
use super::super::support::on_each_database;
use super::{Team, category, file, next, team, unknown};

fn interim(folder: &Path, name: &str, contents: &[Content]) -> PathBuf {
    let path = folder.join(name);
    write_interim(&path, contents);
    path
}

async fn attach(team: &Team<'_>, exhibit: u64, file: &Path, replaces: Option<ExaminationId>) -> Result<AttachedNow> {
    team.examiner.attach_examination(team.one, ExhibitId::new(exhibit), file, None, replaces).await
}

async fn refused(team: &Team<'_>, exhibit: u64, file: &Path, replaces: Option<ExaminationId>) -> String {
    match attach(team, exhibit, file, replaces).await {
        Err(RecordError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// Everything that is queued for somebody, in its order.
async fn all(desk: &Desk<'_>, team: &Team<'_>) -> Vec<Sha256> {
    next(desk, team.one, 100).await
}

#[test]
fn grading_begins_on_an_interim_result_and_stays_when_the_whole_one_takes_its_place() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 2).await;
        let folder = place.folder.path();
        // Numbered as in the whole one: 2, 4, 6 and 8 had been read.
        let part: Vec<Content> = unknown(1..=8).into_iter().filter(|content| content.n % 2 == 0).collect();
        let first = attach(&team, 1, &interim(folder, "first", &part), None).await.unwrap();
        assert_eq!((first.interim, first.replaces, first.gone), (true, None, 0));
        let x1 = first.examination;
        team.policy(team.one, Policy::Unknown {}).await;
        let (a, b) = (&team.graders[0], &team.graders[1]);
        assert_eq!(next(a, team.one, 2).await, [sha(2), sha(4)]);
        assert_eq!(next(b, team.one, 1).await, [sha(6)]);
        a.review_vote(team.one, sha(2), &category("C")).await.unwrap();
        // It is said wherever something is missing, and in an extract.
        let standing: Vec<_> = team.supervisor.interim_results(team.one).await.unwrap();
        assert_eq!(standing.iter().map(|of| (of.id, of.exhibit.number())).collect::<Vec<_>>(), [(x1, 1)]);
        assert!(team.supervisor.overview(team.one).await.unwrap().examinations[0].awaits_the_whole());
        let extract = async || {
            let (text, _) = team.supervisor.grading_extract(team.one).await.unwrap();
            GradingExtract::read(&text).unwrap().interim
        };
        assert_eq!(extract().await, [x1]);

        let whole = file(folder, "whole", &unknown(1..=8));
        let why = refused(&team, 1, &whole, None).await;
        assert!(why.contains("X-1 is an interim result of E-1") && why.contains("count twice"), "{why}");
        // What was refused left nothing: the queue is what it was.
        assert_eq!(a.progress(team.one).await.unwrap().contents, 4);
        let now = attach(&team, 1, &whole, Some(x1)).await.unwrap();
        assert_eq!((now.interim, now.replaces, now.gone), (false, Some(x1), 0));
        assert_eq!(extract().await, []);
        assert!(team.supervisor.interim_results(team.one).await.unwrap().is_empty());

        // What somebody has before them is graded as if nothing had happened.
        a.review_vote(team.one, sha(4), &category("B")).await.unwrap();
        let other = a.review_vote(team.one, sha(6), &category("B")).await.unwrap_err().to_string();
        assert!(other.contains("somebody else has this content"), "{other}");
        b.review_vote(team.one, sha(6), &category("C")).await.unwrap();
        // The rest is queued once each, in the order of the device.
        assert_eq!(all(a, &team).await, [sha(1), sha(3), sha(5), sha(7), sha(8)]);
        let progress = a.progress(team.one).await.unwrap();
        assert_eq!((progress.contents, progress.files, progress.to_grade.values().sum::<u64>()), (8, 8, 5));
        for (n, by) in [(2, "C"), (4, "B"), (6, "C")] {
            let (row, _, places) = team.supervisor.medium(team.one, sha(n)).await.unwrap();
            assert!(row.outcome.ends_with(by), "{n}: {}", row.outcome);
            assert_eq!((row.places, places.len(), places[0].examination), (1, 1, now.examination));
        }
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}

#[test]
fn a_later_interim_result_that_has_less_says_how_much_and_its_votes_come_back() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let folder = place.folder.path();
        let x1 = attach(&team, 1, &interim(folder, "first", &unknown(1..=4)), None).await.unwrap().examination;
        team.policy(team.one, Policy::Unknown {}).await;
        let grader = &team.graders[0];
        assert_eq!(all(grader, &team).await.len(), 4);
        grader.review_vote(team.one, sha(4), &category("C")).await.unwrap();
        let second = interim(folder, "second", &unknown(2..=3));
        let now = attach(&team, 1, &second, Some(x1)).await.unwrap();
        assert_eq!((now.interim, now.gone), (true, 2));
        let attached = team.supervisor.overview(team.one).await.unwrap().examinations;
        assert_eq!(attached.iter().map(|of| (of.interim, of.gone)).collect::<Vec<_>>(), [(true, 0), (true, 2)]);
        assert_eq!(attached.iter().filter(|of| of.awaits_the_whole()).count(), 1);
        assert!(team.supervisor.medium(team.one, sha(4)).await.is_err(), "it is in no examination that stands");
        let whole = file(folder, "whole", &unknown(1..=5));
        let whole = attach(&team, 1, &whole, Some(now.examination)).await.unwrap();
        let (row, ..) = team.supervisor.medium(team.one, sha(4)).await.unwrap();
        assert!(row.outcome.ends_with(" C"), "{}", row.outcome);
        assert_eq!(all(grader, &team).await, [sha(1), sha(2), sha(3), sha(5)]);
        // An entry of a whole one says nothing that an earlier program would not know.
        let told = async |id: ExaminationId| {
            let story = team.supervisor.story(&id.to_string()).await.unwrap();
            story.into_iter().find(|told| told.kind == "examination-attached").unwrap().recorded.fact
        };
        assert_eq!(told(now.examination).await["interim"], true);
        let fact = told(whole.examination).await;
        assert!(fact.get("interim").is_none() && fact.get("gone").is_none(), "{fact}");
        assert_eq!(store.rebuild(false).await.unwrap(), []);
    });
}

#[test]
fn only_what_stands_of_the_same_exhibit_is_replaced_and_nothing_whole_by_something_interim() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let folder = place.folder.path();
        let x1 = attach(&team, 1, &interim(folder, "one", &unknown(1..=2)), None).await.unwrap().examination;
        let (two, three) = (file(folder, "two", &unknown(1..=3)), file(folder, "three", &unknown(1..=4)));
        let why = refused(&team, 2, &two, Some(x1)).await;
        assert!(why.contains("X-1 is of E-1"), "{why}");
        let why = refused(&team, 1, &two, Some(ExaminationId::new(9))).await;
        assert!(why.contains("X-9 is no examination of this investigation"), "{why}");
        let why = refused(&team, 1, &interim(folder, "more", &unknown(1..=3)), None).await;
        assert!(why.contains("X-1 is an interim result"), "interim beside interim: {why}");
        // Another exhibit has nothing to do with it.
        attach(&team, 2, &file(folder, "other", &unknown(8..=9)), None).await.unwrap();
        let whole = attach(&team, 1, &two, Some(x1)).await.unwrap().examination;
        let why = refused(&team, 1, &three, Some(x1)).await;
        assert!(why.contains(&format!("{whole} took the place of X-1 already")), "{why}");
        let late = interim(folder, "late", &unknown(1..=1));
        let why = refused(&team, 1, &late, Some(whole)).await;
        assert!(why.contains("is whole, and this one is interim"), "{why}");
        assert!(team.graders[0].interim_results(team.one).await.unwrap().is_empty());
        team.policy(team.one, Policy::Unknown {}).await;
        let batch = team.graders[0].review_next(team.one, Todo::Grade, 100).await.unwrap();
        assert_eq!(
            batch.items.iter().map(|item| item.sha256).collect::<Vec<_>>(),
            [8, 9, 1, 2, 3].map(sha),
            "by examination"
        );
        team.supervisor.looked(Act::Viewed, vec![team.one.to_string()], "test", 1).await.unwrap();
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}
