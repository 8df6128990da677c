//! Opening an original: the gate, and the record of it.

use avocet_examination::Examination;
use avocet_record::law::Law;
use avocet_record::vote::Policy;
use avocet_record::{At, Day, RecordError};

use super::super::sealed::sha;
use super::super::support::on_each_database;
use super::{NOON, file, team, unknown};

#[test]
fn an_original_is_opened_with_a_reason_by_an_examination_of_the_investigation() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let team = team(&store, &law, 1).await;
        let here = file(place.folder.path(), "one", &unknown(1..=3));
        let elsewhere = file(place.folder.path(), "two", &unknown(2..=4));
        let nowhere = file(place.folder.path(), "three", &unknown(1..=4));
        let attached = team.attach(team.one, 1, &here).await;
        team.attach(team.two, 3, &elsewhere).await;
        team.policy(team.one, Policy::Unknown {}).await;
        let result = |path| Examination::open(path).unwrap().result_digest().unwrap();
        let (here, elsewhere, nowhere) = (result(&here), result(&elsewhere), result(&nowhere));
        let open = async |n, result, reason| team.examiner.original_opened(team.one, sha(n), result, reason).await;

        for (refused, why) in [
            (open(1, here, " ").await, "no reason"),
            (open(1, nowhere, "to compare").await, "attached nowhere"),
            (open(2, elsewhere, "to compare").await, "attached to another investigation"),
        ] {
            assert!(matches!(refused, Err(RecordError::Refused(_))), "{why}: {refused:?}");
        }
        assert!(matches!(open(4, here, "to compare").await, Err(RecordError::Unknown { .. })));
        let grader = team.graders[0].original_opened(team.one, sha(1), here, "to compare").await;
        assert!(matches!(grader, Err(RecordError::NotAllowed { .. })));
        assert!(!store.kinds_for_test().await.unwrap().contains_key("original-opened"), "nothing was recorded yet");

        let seq = open(1, here, "to compare with E-2").await.unwrap();
        let story = team.supervisor.story("E-1").await.unwrap();
        let told = story.iter().find(|told| told.recorded.seq == seq).unwrap();
        assert_eq!((told.kind, told.recorded.by), ("original-opened", team.examiner.user()));
        let fact = &told.recorded.fact["fact"];
        assert_eq!(fact["examination"], attached.to_string());
        assert_eq!(fact["reason"], "to compare with E-2");
        let day = Day::of(At::from_ns(NOON));
        let account = team.examiner.own_exposure(day, day).await.unwrap();
        assert_eq!(account.iter().map(|line| (line.what.as_str(), line.times)).collect::<Vec<_>>(), [("original", 1)]);
        assert!(store.rebuild(false).await.unwrap().is_empty());
    });
}
