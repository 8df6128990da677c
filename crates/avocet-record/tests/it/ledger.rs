//! The ledger: what it finds, what it survives.

use std::sync::Arc;

use avocet_record::event::{Act, Event, Look};
use avocet_record::law::{Law, Right};
use avocet_record::ledger::Fault;
use avocet_record::store::Store;
use avocet_record::{At, InvestigationId, RecordError, UserId};

use super::support::{Place, Random, admin, on_each_database};

fn look(n: u64) -> Event {
    let at = vec![InvestigationId::new(n % 3 + 1).to_string()];
    Event::Looked(Look { act: Act::Viewed, at, purpose: format!("test {n}"), records: n })
}

/// So many entries; in a new store the first of them is the administrator's account.
async fn fill(store: &Store, n: u64) {
    let law = Law::load(None).unwrap();
    let before = store.verify_ledger(&[]).await.unwrap().entries;
    let desk = admin(store, &law).await;
    let made = store.verify_ledger(&[]).await.unwrap().entries - before;
    for i in made..n {
        desk.write(Right::ManageUsers, None, async |tx| tx.record(&look(i)).await).await.unwrap();
    }
}

#[test]
fn a_new_ledger_is_sound_and_stays_so_when_it_is_opened_again() {
    on_each_database(async |place, store| {
        fill(&store, 20).await;
        drop(store);
        let store = place.open().await.unwrap();
        fill(&store, 3).await;
        let checked = store.verify_ledger(&[]).await.unwrap();
        assert_eq!((checked.entries, checked.unsigned, checked.faults), (24, 0, vec![]));
        let locked = Store::verify_locked(&place.dir(), &[]).await.unwrap();
        assert!(locked.is_sound(), "an auditor without the key sees the same");
    });
}

/// What somebody with access to the database does, and what must be found.
#[test]
fn edits_insertions_deletions_reordering_and_truncation_are_found() {
    on_each_database(async |place, store| {
        fill(&store, 9).await;
        drop(store);
        let sound = async || Store::verify_locked(&place.dir(), &[]).await.unwrap().faults;
        assert_eq!(sound().await, []);

        place.meddle("UPDATE ledger SET actor = 'U-9' WHERE seq = 4").await;
        assert_eq!(sound().await, [Fault::Hash { seq: 4 }]);
        place
            .meddle("UPDATE ledger SET actor = 'U-1' WHERE seq = 4; UPDATE ledger SET at = at + 1 WHERE seq = 5")
            .await;
        assert_eq!(sound().await, [Fault::Hash { seq: 5 }]);
        place.meddle("UPDATE ledger SET at = at - 1 WHERE seq = 5; UPDATE content SET body = replace(body, 'test 3', 'test 8') WHERE seq = 5").await;
        assert_eq!(sound().await, [Fault::Content { seq: 5 }]);
        place.meddle("UPDATE content SET body = replace(body, 'test 8', 'test 3') WHERE seq = 5").await;
        assert_eq!(sound().await, []);

        // Reordering: two neighbours change numbers.
        let swap = |a: u32, b: u32| {
            format!(
                "UPDATE ledger SET seq = 100 WHERE seq = {a}; UPDATE ledger SET seq = {a} WHERE seq = {b}; \
                 UPDATE ledger SET seq = {b} WHERE seq = 100"
            )
        };
        place.meddle(&swap(6, 7)).await;
        let faults = sound().await;
        assert!(faults.contains(&Fault::Hash { seq: 6 }) && faults.contains(&Fault::Hash { seq: 7 }), "{faults:?}");
        assert!(faults.contains(&Fault::Link { seq: 6 }), "{faults:?}");
        place.meddle(&swap(6, 7)).await;
        assert_eq!(sound().await, []);

        // Insertion: a copy of an entry after the last.
        place
            .meddle(
                "INSERT INTO ledger SELECT seq + 1, at, actor, kind, subjects, content, previous, salt FROM \
                 (SELECT l.*, c.salt FROM ledger l JOIN content c ON c.seq = l.seq WHERE l.seq = 10) AS x",
            )
            .await;
        let faults = sound().await;
        assert!(faults.contains(&Fault::Link { seq: 11 }), "{faults:?}");
        assert!(faults.contains(&Fault::ContentMissing { seq: 11 }), "{faults:?}");
        place.meddle("DELETE FROM ledger WHERE seq = 11").await;

        // Deletion in the middle, then of the tail.
        place.meddle("CREATE TABLE aside AS SELECT * FROM ledger; DELETE FROM ledger WHERE seq = 3").await;
        let faults = sound().await;
        assert!(faults.contains(&Fault::Number { wanted: 3, found: 4 }), "{faults:?}");
        assert!(faults.contains(&Fault::ContentWithoutEntry { seq: 3 }), "{faults:?}");
        place.meddle("DELETE FROM ledger; INSERT INTO ledger SELECT * FROM aside").await;
        assert_eq!(sound().await, []);
        place.meddle("DELETE FROM ledger WHERE seq > 8; DELETE FROM content WHERE seq > 8").await;
        let what = "ledger.head".to_owned();
        assert_eq!(sound().await, [Fault::Truncated { what, count: 10, found: 8 }]);
        assert!(matches!(place.open().await, Err(RecordError::Head { .. })), "nothing may be written on top of it");
    });
}

/// Who rewrites the whole chain and signs it with the store's own key is found by a checkpoint kept elsewhere.
#[test]
fn a_ledger_rewritten_with_the_stores_key_is_found_by_a_checkpoint() {
    on_each_database(async |place, store| {
        fill(&store, 5).await;
        let kept = std::fs::read_to_string(place.dir().join("ledger.head")).unwrap();
        fill(&store, 5).await;
        drop(store);
        let checkpoint = [("checkpoint".to_owned(), kept.clone())];
        assert!(Store::verify_locked(&place.dir(), &checkpoint).await.unwrap().is_sound());

        // The tail is cut off and written anew by the program itself, which signs it.
        place.meddle("DELETE FROM ledger WHERE seq > 3; DELETE FROM content WHERE seq > 3; DELETE FROM touched WHERE seq > 3").await;
        let store = {
            let short = cut_head(&place).await;
            std::fs::write(place.dir().join("ledger.head"), short).unwrap();
            place.open().await.unwrap()
        };
        fill(&store, 7).await;
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound(), "by itself it looks sound");
        let faults = store.verify_ledger(&checkpoint).await.unwrap().faults;
        assert_eq!(faults, [Fault::HeadHash { what: "checkpoint".into(), seq: 6 }]);

        let altered = kept.replacen("count 6", "count 7", 1);
        let faults = store.verify_ledger(&[("altered".to_owned(), altered)]).await.unwrap().faults;
        assert!(matches!(faults.as_slice(), [Fault::HeadUnusable { what, .. }] if what == "altered"), "{faults:?}");
    });
}

/// A head for the first three entries, signed with the store's key as a thief of that key could.
async fn cut_head(place: &Place) -> String {
    use avocet_record::keys::StoreKey;
    use avocet_record::ledger::Head;
    let key = StoreKey::open(&place.dir().join("store.key"), &place.unlock()).unwrap();
    let checked = Store::verify_locked(&place.dir(), &[]).await.unwrap();
    Head::sign(3, checked.last.unwrap(), key.signer()).to_text()
}

/// Eight writers with a thousand entries each: nothing is lost, doubled or out of order.
#[test]
fn eight_writers_at_once_lose_nothing() {
    on_each_database(async |_place, store| {
        let store = Arc::new(store);
        fill(&store, 1).await;
        let each: u64 = if store.database() == avocet_record::store::Database::Sqlite { 1000 } else { 250 };
        let writers: Vec<_> = (1..=8u64)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let law = Law::load(None).unwrap();
                    let desk = admin(&store, &law).await;
                    for i in 0..each {
                        desk.write(Right::ManageUsers, None, async |tx| tx.record(&look(i)).await).await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let checked = store.verify_ledger(&[]).await.unwrap();
        assert_eq!((checked.entries, checked.unsigned, checked.faults), (8 * each + 2, 0, vec![]));
    });
}

/// The entries that a crash between the database and the head left unsigned are signed at the next start; what the
/// database does not hold is never signed for.
#[test]
fn a_head_that_was_not_written_is_caught_up() {
    on_each_database(async |place, store| {
        fill(&store, 4).await;
        let old = std::fs::read_to_string(place.dir().join("ledger.head")).unwrap();
        fill(&store, 3).await;
        drop(store);
        std::fs::write(place.dir().join("ledger.head"), old).unwrap();
        assert_eq!(Store::verify_locked(&place.dir(), &[]).await.unwrap().unsigned, 3);
        let store = place.open().await.unwrap();
        let checked = store.verify_ledger(&[]).await.unwrap();
        assert_eq!((checked.entries, checked.unsigned, checked.faults), (8, 0, vec![]));
    });
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let desk = admin(&store, &law).await;
        let failed = desk
            .write(Right::ManageUsers, None, async |tx| {
                tx.record(&look(1)).await?;
                tx.new_key("P-1").await?;
                Err::<(), _>(RecordError::Refused("no".into()))
            })
            .await;
        assert!(failed.is_err());
        assert_eq!(store.verify_ledger(&[]).await.unwrap().entries, 2);
        let first = desk.write(Right::ManageUsers, None, async |tx| Ok(tx.new_key("P-1").await?.id())).await.unwrap();
        assert_eq!(first.to_string(), "K-1", "the number was not used up");
    });
}

/// Two people change one thing: the later is told, and nothing of either is lost.
#[test]
fn the_later_of_two_editors_is_told() {
    on_each_database(async |_place, store| {
        fill(&store, 1).await;
        let law = Law::load(None).unwrap();
        let desk = admin(&store, &law).await;
        let investigation = InvestigationId::new(7);
        let opened = Event::InvestigationOpened {
            investigation,
            owner: UserId::new(1),
            received: At::from_ns(0),
            title: "Test".into(),
            referrals: vec![],
        };
        let seen = desk.write(Right::ManageUsers, None, async |tx| tx.record(&opened).await).await.unwrap();
        let change = |user: u64| Event::MemberAdded { investigation, user: UserId::new(user) };
        let edit = async |by: u64| {
            desk.write(Right::ManageUsers, None, async |tx| {
                tx.unchanged_since("I-7", seen).await?;
                tx.record(&change(by)).await
            })
            .await
        };
        edit(2).await.unwrap();
        let told = edit(3).await.unwrap_err().to_string();
        assert!(told.contains("I-7 was changed by U-1 (entry 4) after you read it (entry 3)"), "{told}");
        assert_eq!(store.verify_ledger(&[]).await.unwrap().entries, 4);
        // A look is no change.
        fill(&store, 1).await;
    });
}

/// Random changes behind the store's back: each is found.
#[test]
fn a_hundred_random_alterations_are_all_found() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut random = Random(0x1ed9e4);
        let folder = tempfile::tempdir().unwrap();
        let unlock = avocet_record::keys::Unlock::new_key_file(&folder.path().join("store-key")).unwrap();
        let place = Place { folder, postgres: None };
        let init = avocet_record::store::Init { dir: &place.dir(), postgres: None, title: "Test team" };
        let store = Store::init(&init, &unlock).await.unwrap();
        fill(&store, 30).await;
        drop(store);
        place.meddle("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let good = std::fs::read(place.dir().join("record.db")).unwrap();
        for case in 0..100 {
            let seq = 1 + random.below(31);
            let other = 1 + random.below(31);
            let byte = format!("x'{:064x}'", random.next());
            let statement = match random.below(8) {
                0 => format!("UPDATE ledger SET at = at + {} WHERE seq = {seq}", 1 + random.below(1 << 40)),
                1 => format!("UPDATE ledger SET kind = kind || 'x' WHERE seq = {seq}"),
                2 => format!("UPDATE ledger SET subjects = subjects || ' I-9' WHERE seq = {seq}"),
                3 => format!("UPDATE ledger SET content = {byte} WHERE seq = {seq}"),
                4 => format!("UPDATE content SET salt = {byte} WHERE seq = {seq}"),
                5 => format!("UPDATE content SET body = body || ' ' WHERE seq = {seq}"),
                6 => format!("DELETE FROM ledger WHERE seq = {seq}"),
                _ if seq == other => continue,
                _ => format!(
                    "UPDATE content SET seq = 1000 WHERE seq = {seq}; UPDATE content SET seq = {seq} WHERE seq = {other}; \
                     UPDATE content SET seq = {other} WHERE seq = 1000"
                ),
            };
            place.meddle(&statement).await;
            let checked = Store::verify_locked(&place.dir(), &[]).await.unwrap();
            assert!(!checked.is_sound(), "case {case}: {statement}");
            for file in ["record.db-wal", "record.db-shm"] {
                let _ = std::fs::remove_file(place.dir().join(file));
            }
            std::fs::write(place.dir().join("record.db"), &good).unwrap();
        }
        assert!(Store::verify_locked(&place.dir(), &[]).await.unwrap().is_sound());
    });
}

/// The verifier of `docs/formats/verify_ledger.py`, which shares no code with this program, sees the same.
#[test]
fn an_independent_verifier_finds_the_same() {
    on_each_database(async |place, store| {
        if place.postgres.is_some() {
            return; // It reads SQLite.
        }
        fill(&store, 6).await;
        let early = place.folder.path().join("checkpoint");
        std::fs::copy(place.dir().join("ledger.head"), &early).unwrap();
        fill(&store, 6).await;
        drop(store);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/verify_ledger.py");
        let run = || {
            let ran = std::process::Command::new("python3")
                .args([script.as_ref(), place.dir().as_os_str(), early.as_os_str()])
                .output();
            ran.map(|o| (o.status.code(), String::from_utf8(o.stdout).unwrap(), String::from_utf8(o.stderr).unwrap()))
        };
        let Ok(sound) = run() else {
            println!("6 cases skipped: python3 is not there");
            return;
        };
        assert_eq!((sound.0, sound.1.as_str()), (Some(0), "sound: 13 entries\n"), "{}", sound.2);
        let alterations = [
            ("UPDATE ledger SET kind = 'exported' WHERE seq = 5", "entry 5 was altered\n"),
            ("UPDATE content SET body = body || ' ' WHERE seq = 6", "the content of entry 6 was altered or is gone\n"),
            ("DELETE FROM ledger WHERE seq = 3", "entry 4 stands where 3 should\n"),
            ("UPDATE ledger SET seq = 99 WHERE seq = 13", "content 13 belongs to no entry\n"),
            ("DELETE FROM ledger WHERE seq > 11", "ledger.head counts 13 entries but there are 11\n"),
        ];
        place.meddle("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let good = std::fs::read(place.dir().join("record.db")).unwrap();
        for (statement, finding) in alterations {
            place.meddle(statement).await;
            let (code, out, err) = run().unwrap();
            assert!(code == Some(1) && out.contains(finding), "{statement}: {out}{err}");
            assert!(!Store::verify_locked(&place.dir(), &[]).await.unwrap().is_sound(), "{statement}");
            for file in ["record.db-wal", "record.db-shm"] {
                let _ = std::fs::remove_file(place.dir().join(file));
            }
            std::fs::write(place.dir().join("record.db"), &good).unwrap();
        }
        let head = std::fs::read_to_string(place.dir().join("ledger.head")).unwrap();
        std::fs::write(place.dir().join("ledger.head"), head.replace("count 13", "count 12")).unwrap();
        let (code, out, _) = run().unwrap();
        assert!(code == Some(1) && out.contains("ledger.head is not signed by the store's key"), "{out}");
    });
}
