//! Every right of every role, against the file of roles read by the test itself.

use std::collections::{BTreeMap, BTreeSet};

use avocet_record::desk::{Desk, Opening};
use avocet_record::law::{Law, Right, RightScope};
use avocet_record::{At, RecordError};

use super::support::{admin, on_each_database};

const PASSWORD: &str = "a long enough password";

/// Role and rights as `roles.toml` says, without the code that reads it elsewhere.
fn file() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/data/roles.toml")).unwrap();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for part in text.split("[[rows]]").skip(1) {
        let id = part.split("id = \"").nth(1).unwrap().split('"').next().unwrap();
        let rights = part.split("rights = [").nth(1).unwrap().split(']').next().unwrap();
        let rights = rights.split('"').skip(1).step_by(2).map(str::to_owned).collect();
        all.insert(id.to_owned(), rights);
    }
    all
}

#[test]
fn each_role_may_what_the_file_says_and_nothing_else() {
    on_each_database(async |_place, store| {
        let law = Law::load(None).unwrap();
        let admin = admin(&store, &law).await;
        let roles = file();
        assert_eq!(roles.len(), law.roles.rows.len());
        let (mut allowed, mut refused) = (0, 0);
        admin.add_account("owner", &["supervisor".to_owned()], None, PASSWORD).await.unwrap();
        let owner = Desk::sign_in(&store, &law, "owner", PASSWORD).await.unwrap();
        let opening = |title: &str| Opening {
            title: title.into(),
            owner: owner.user(),
            received: At::from_ns(0),
            referrals: vec![],
        };
        let on = owner.open_investigation(opening("one")).await.unwrap();
        let off = owner.open_investigation(opening("two")).await.unwrap();
        for (role, rights) in &roles {
            let login = role.replace('_', "-");
            admin.add_account(&login, std::slice::from_ref(role), None, PASSWORD).await.unwrap();
            let desk = Desk::sign_in(&store, &law, &login, PASSWORD).await.unwrap();
            owner.set_member(on, desk.user(), true).await.unwrap();
            for right in Right::ALL.iter().copied() {
                let holds = rights.contains(right.id());
                assert_eq!(desk.holds(right), holds, "{role} {right}");
                let there = desk.may(right, Some(on)).await;
                let elsewhere = desk.may(right, Some(off)).await;
                let nowhere = desk.may(right, None).await;
                if !holds {
                    for answer in [there, elsewhere, nowhere] {
                        assert!(matches!(answer, Err(RecordError::NotAllowed { .. })), "{role} {right}");
                    }
                    refused += 1;
                    continue;
                }
                allowed += 1;
                assert!(there.is_ok(), "{role} {right}");
                match right.scope() {
                    RightScope::Everywhere => assert!(elsewhere.is_ok() && nowhere.is_ok(), "{role} {right}"),
                    RightScope::Investigation => {
                        // Not on it: as if there were none.
                        assert!(matches!(elsewhere, Err(RecordError::Unknown { .. })), "{role} {right}");
                        assert!(matches!(nowhere, Err(RecordError::NotAllowed { .. })), "{role} {right}");
                    }
                }
            }
            // Taken off, nothing of it is left.
            owner.set_member(on, desk.user(), false).await.unwrap();
            for right in Right::ALL.iter().copied().filter(|right| right.scope() == RightScope::Investigation) {
                assert!(desk.may(right, Some(on)).await.is_err(), "{role} {right}");
            }
        }
        let named: BTreeSet<&str> = roles.values().flatten().map(String::as_str).collect();
        assert!(named.iter().all(|name| Right::ALL.iter().any(|right| right.id() == *name)), "{named:?}");
        assert_eq!(allowed + refused, roles.len() * Right::ALL.len());
        assert_eq!(allowed, roles.values().map(BTreeSet::len).sum::<usize>());
    });
}
