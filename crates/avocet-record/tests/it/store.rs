//! The store: keys, erasure, rebuilding, statements.

use avocet_record::event::Event;
use avocet_record::law::{Law, Right};
use avocet_record::{At, InvestigationId, RecordError, UserId};

use super::support::{admin, on_each_database};

/// Destroying a person's key erases that person; the chain still verifies and everything else can be rebuilt.
#[test]
fn an_erased_person_is_gone_and_the_ledger_still_verifies() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let desk = admin(&store, &law).await;
        let (key, value) = desk
            .write(Right::ManageUsers, None, async |tx| {
                let user = UserId::new(tx.give(UserId::PREFIX).await?);
                let key = tx.new_key(&user.to_string()).await?;
                let name = key.seal(&"Officer Example".to_owned())?;
                let value = name.clone();
                let login = "officer.1".to_owned();
                tx.record(&Event::AccountMade { user, login, roles: vec!["detective".into()], name: Some(name) })
                    .await?;
                Ok((key.id(), value))
            })
            .await
            .unwrap();
        let read = desk.write(Right::ManageUsers, None, async |tx| tx.open(&value).await).await.unwrap();
        assert_eq!(read.as_deref(), Some("Officer Example"));

        let erase =
            async |tx: &mut avocet_record::store::Tx<'_>| tx.destroy_key(key, "U-2", "retention rule 4", "left").await;
        desk.write(Right::ManageUsers, None, erase).await.unwrap();
        let read = desk.write(Right::ManageUsers, None, async |tx| tx.open(&value).await).await.unwrap();
        assert_eq!(read, None);
        assert!(store.verify_ledger(&[]).await.unwrap().is_sound());
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        drop(desk);
        drop(store);

        let store = place.open().await.unwrap();
        let desk = admin(&store, &law).await;
        let read = desk.write(Right::ManageUsers, None, async |tx| tx.open(&value).await).await.unwrap();
        assert_eq!(read, None, "also after a restart");
        drop(desk);
        if place.postgres.is_none() {
            drop(store);
            place.meddle("PRAGMA wal_checkpoint(TRUNCATE)").await;
            let bytes = std::fs::read(place.dir().join("record.db")).unwrap();
            assert!(!bytes.windows(7).any(|w| w == b"Officer"), "the name was never there in the clear");
        }
    });
}

#[test]
fn rows_that_repeat_facts_are_rebuilt_from_them() {
    on_each_database(async |place, store| {
        let law = Law::load(None).unwrap();
        let desk = admin(&store, &law).await;
        let investigation = InvestigationId::new(1);
        desk.write(Right::ManageUsers, None, async |tx| {
            for n in 11..=13 {
                let (user, login) = (UserId::new(n), format!("officer.{n}"));
                tx.record(&Event::AccountMade { user, login, roles: vec!["detective".into()], name: None }).await?;
            }
            let title = "Test".to_owned();
            let (owner, received) = (UserId::new(11), At::from_ns(5));
            tx.record(&Event::InvestigationOpened { investigation, owner, received, title, referrals: vec![] }).await?;
            tx.record(&Event::MemberAdded { investigation, user: UserId::new(12) }).await?;
            tx.record(&Event::MemberAdded { investigation, user: UserId::new(13) }).await?;
            tx.record(&Event::MemberRemoved { investigation, user: UserId::new(12) }).await?;
            tx.record(&Event::AccountClosed { user: UserId::new(13), reason: "moved".into() }).await
        })
        .await
        .unwrap();
        assert_eq!(store.rebuild(false).await.unwrap(), []);
        place
            .meddle(
                "DELETE FROM member WHERE account = 'U-13'; UPDATE account SET roles = 'administrator' WHERE id = 'U-12'",
            )
            .await;
        let found = store.rebuild(true).await.unwrap();
        let found: Vec<_> = found.iter().map(|d| (d.table, d.extra, d.missing)).collect();
        assert_eq!(found, [("account", 1, 1), ("member", 0, 1)]);
        assert_eq!(store.rebuild(false).await.unwrap(), [], "and the rows of the facts stand there now");
    });
}

#[test]
fn another_key_does_not_open_the_store() {
    on_each_database(async |place, store| {
        drop(store);
        let other = avocet_record::keys::Unlock::new_key_file(&place.folder.path().join("other")).unwrap();
        let refused = avocet_record::store::Store::open(&place.dir(), &other).await.unwrap_err();
        assert!(matches!(refused, RecordError::Key(avocet_record::keys::KeyError::Wrong)), "{refused}");
    });
}

/// The passphrase's own way; its cost is that of the real thing.
#[test]
fn a_store_can_be_opened_by_passphrase() {
    use avocet_record::keys::{KeyError, StoreKey, Unlock};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.key");
    let with = |text: &str| Unlock::passphrase(text);
    let made = StoreKey::create(&path, &with("nine words are better than one")).unwrap();
    let opened = StoreKey::open(&path, &with("nine words are better than one")).unwrap();
    assert_eq!(made.signer().verifying_key(), opened.signer().verifying_key());
    assert_eq!(made.token("email", "a@example.org"), opened.token("email", "a@example.org"));
    assert_ne!(made.token("email", "a@example.org"), opened.token("account", "a@example.org"));
    assert!(matches!(StoreKey::open(&path, &with("nine words are better than two")), Err(KeyError::Wrong)));
    assert!(
        matches!(StoreKey::create(&path, &with("nine words are better")), Err(KeyError::Io { .. })),
        "never replaced"
    );
    let short = folder.path().join("short.key");
    assert!(matches!(StoreKey::create(&short, &with("short")), Err(KeyError::Passphrase)));
}

#[test]
fn every_statement_is_prepared_on_both_databases() {
    on_each_database(async |_place, store| {
        let prepared = store.prepare_every_statement().await.unwrap();
        assert!(prepared > 40, "{prepared}");
    });
}
