//! Examinations attached, votes, totals.

use avocet_base::Sha256;
use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::store::Store;
use avocet_record::vote::{Basis, Policy, Purpose, SchemeRef, VoteFact};
use avocet_record::{At, ExhibitId, InvestigationId, RecordError};

use super::support::on_each_database;

const PASSWORD: &str = "a long enough password";

fn scheme() -> SchemeRef {
    serde_json::from_str(r#"{"id":"uk-2014","version":"1"}"#).unwrap()
}

fn content(n: u8) -> Sha256 {
    Sha256([n; 32])
}

/// A sealed examination with these pictures, each as often as stated.
fn sealed(path: &std::path::Path, pictures: &[(u8, u32)]) {
    super::sealed::write(path, pictures);
}

struct Team<'s> {
    supervisor: Desk<'s>,
    examiner: Desk<'s>,
    graders: Vec<Desk<'s>>,
    id: InvestigationId,
}

async fn team<'s>(store: &'s Store, law: &'s Law) -> Team<'s> {
    Desk::first_account(store, "admin", PASSWORD).await.unwrap();
    let admin = Desk::sign_in(store, law, "admin", PASSWORD).await.unwrap();
    let mut desks = vec![];
    for (login, role) in [("s", "supervisor"), ("e", "examiner"), ("g1", "grader"), ("g2", "grader"), ("g3", "grader")]
    {
        admin.add_account(login, &[role.to_owned()], None, PASSWORD).await.unwrap();
        desks.push(Desk::sign_in(store, law, login, PASSWORD).await.unwrap());
    }
    let graders = desks.split_off(2);
    let examiner = desks.pop().unwrap();
    let supervisor = desks.pop().unwrap();
    let opening =
        Opening { title: "Test".into(), owner: supervisor.user(), received: At::from_ns(0), referrals: vec![] };
    let id = supervisor.open_investigation(opening).await.unwrap();
    for desk in graders.iter().chain([&examiner]) {
        supervisor.set_member(id, desk.user(), true).await.unwrap();
    }
    for number in 1..=3 {
        let taken = serde_json::json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": {
            "fact": "taken", "when": {"time": "2026-11-20T09:30Z"}, "officer": supervisor.user(),
            "reference": format!("JC/{number}"), "kind": "phone", "description": "test", "place": "room 1",
            "source": {"kind": "power", "power": "test"}}});
        assert_eq!(supervisor.record(&taken, None).await.unwrap().made, [format!("E-{number}")]);
    }
    Team { supervisor, examiner, graders, id }
}

fn voted(investigation: InvestigationId, n: u8, category: &str) -> VoteFact {
    VoteFact::Voted {
        investigation,
        sha256: content(n),
        scheme: scheme(),
        category: category.parse().unwrap(),
        basis: Basis::Viewed {},
        purpose: Purpose::Grading,
        blind: true,
    }
}

#[test]
fn media_of_two_exhibits_are_one_item_with_two_places_and_votes_add_up() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let Team { supervisor, examiner, graders, id } = team(&store, &law).await;
        let (first, second) = (place.folder.path().join("one"), place.folder.path().join("two"));
        sealed(&first, &[(1, 1), (2, 3), (3, 1)]);
        sealed(&second, &[(2, 2), (4, 1)]);
        let attach = async |exhibit, file, replaces| {
            examiner.attach_examination(id, ExhibitId::new(exhibit), file, None, replaces).await
        };
        let x1 = attach(1, &first, None).await.unwrap().examination;
        let x2 = attach(2, &second, None).await.unwrap().examination;
        let twice = attach(2, &second, None).await.unwrap_err().to_string();
        assert!(twice.contains("attached already, as X-2"), "{twice}");
        let wrong = examiner.attach_examination(id, ExhibitId::new(3), &first, Some(content(9)), None).await;
        assert!(matches!(wrong, Err(RecordError::Refused(_))));

        let (row, standing, places) = graders[0].medium(id, content(2)).await.unwrap();
        assert_eq!((row.places, row.exhibits, row.outcome.as_str()), (5, 2, "undecided"));
        assert!(standing.is_none(), "without a policy nothing stands anywhere");
        let places: Vec<_> = places.iter().map(|p| (p.exhibit.to_string(), p.files)).collect();
        assert_eq!(places, [("E-1".to_owned(), 3), ("E-2".to_owned(), 2)]);

        supervisor.set_policy(id, Policy::EveryImage {}, scheme(), "default", "local rule").await.unwrap();
        graders[0].record_vote(id, voted(id, 2, "C")).await.unwrap();
        let stray = graders[0].record_vote(id, voted(id, 9, "C")).await;
        assert!(matches!(stray, Err(RecordError::Unknown { .. })), "a vote on what is not there");
        let (row, standing, _) = graders[0].medium(id, content(2)).await.unwrap();
        assert!(row.outcome.ends_with(" C"), "one grader decides by the default rule: {}", row.outcome);
        assert_eq!(standing.unwrap().outcome.category().unwrap().as_str(), "C");

        // A second grader differs: nothing is overwritten, a second view is needed.
        let unasked = graders[1].record_vote(id, voted(id, 2, "B")).await;
        assert!(matches!(unasked, Err(RecordError::Refused(_))), "a blind view is one that was asked for");
        let mut open = voted(id, 2, "B");
        if let VoteFact::Voted { blind, .. } = &mut open {
            *blind = false;
        }
        graders[1].record_vote(id, open).await.unwrap();
        let (row, _, _) = graders[0].medium(id, content(2)).await.unwrap();
        assert_eq!(row.outcome, "second-view");
        let totals = supervisor.media_totals(id).await.unwrap();
        let totals: Vec<_> = totals.into_iter().filter(|(_, n)| *n != 0).collect();
        assert_eq!(totals, [("picture second-view".to_owned(), 1), ("picture undecided".to_owned(), 3)]);
        let page = graders[0].media_with(id, "undecided", None, 2).await.unwrap();
        assert_eq!(page.iter().map(|m| m.sha256).collect::<Vec<_>>(), [content(1), content(3)]);
        let page = graders[0].media_with(id, "undecided", Some(content(3)), 2).await.unwrap();
        assert_eq!(page.iter().map(|m| m.sha256).collect::<Vec<_>>(), [content(4)]);

        // A repetition of the first examination takes its place; votes stay with the content.
        let third = place.folder.path().join("three");
        sealed(&third, &[(2, 4), (5, 1)]);
        // Not silently: two contents of the earlier one are not in it.
        let now = attach(1, &third, Some(x1)).await.unwrap();
        assert_eq!((now.interim, now.replaces, now.gone), (false, Some(x1), 2));
        assert_eq!(supervisor.overview(id).await.unwrap().examinations.last().unwrap().gone, 2);
        let (row, _, places) = graders[0].medium(id, content(2)).await.unwrap();
        assert_eq!((row.places, row.exhibits, row.outcome.as_str()), (6, 2, "second-view"));
        assert_eq!(places.len(), 2);
        assert!(graders[0].medium(id, content(1)).await.is_err(), "what only the old one held is gone");
        // A content that only the replaced examination held keeps its vote when the new one has it too.
        graders[0].record_vote(id, voted(id, 4, "A")).await.unwrap();
        let fourth = place.folder.path().join("four");
        sealed(&fourth, &[(4, 1), (6, 1)]);
        attach(2, &fourth, Some(x2)).await.unwrap();
        let (row, _, _) = graders[0].medium(id, content(4)).await.unwrap();
        assert!(row.outcome.ends_with(" A"), "{}", row.outcome);
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
    });
}

#[test]
fn a_damaged_examination_is_not_attached() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let Team { examiner, id, .. } = team(&store, &law).await;
        let file = place.folder.path().join("one");
        sealed(&file, &[(1, 1)]);
        let mut bytes = std::fs::read(&file).unwrap();
        let at = bytes.windows(32).position(|w| w == [1; 32]).unwrap();
        bytes[at] = 7;
        let damaged = place.folder.path().join("damaged");
        std::fs::write(&damaged, bytes).unwrap();
        let refused = examiner.attach_examination(id, ExhibitId::new(1), &damaged, None, None).await.unwrap_err();
        assert!(matches!(refused, RecordError::Refused(_)), "{refused}");
        assert_eq!(store.verify_ledger(&[]).await.unwrap().faults, []);
    });
}
