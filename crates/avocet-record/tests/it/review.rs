//! The review queue: its order, who has what before them, votes, groups, undoing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use avocet_record::desk::{Desk, Opening};
use avocet_record::law::Law;
use avocet_record::review::{Reason, Todo};
use avocet_record::store::Store;
use avocet_record::vote::{Category, Policy, SchemeRef};
use avocet_record::{At, ExaminationId, ExhibitId, InvestigationId};

use super::sealed::{Content, write_contents};

mod care;
mod extract;
mod groups;
mod interim;
mod lease;
mod limits;
mod order;
mod original;
mod work;

pub const PASSWORD: &str = "a long enough password";
/// Noon of a day, so that a few hours later it is still that day.
pub const NOON: i64 = 1_795_176_000_000_000_000;
pub const MINUTE: i64 = 60_000_000_000;

pub fn scheme() -> SchemeRef {
    SchemeRef { id: "uk-2014".into(), version: "1".into() }
}

pub fn category(code: &str) -> Category {
    code.parse().unwrap()
}

/// A supervisor, an examiner, graders, and two investigations with two devices each.
pub struct Team<'s> {
    pub supervisor: Desk<'s>,
    pub examiner: Desk<'s>,
    pub graders: Vec<Desk<'s>>,
    pub one: InvestigationId,
    pub two: InvestigationId,
}

pub async fn team<'s>(store: &'s Store, law: &'s Law, graders: usize) -> Team<'s> {
    store.set_clock(At::from_ns(NOON));
    Desk::first_account(store, "admin", PASSWORD).await.unwrap();
    let admin = Desk::sign_in(store, law, "admin", PASSWORD).await.unwrap();
    let names: Vec<String> = (1..=graders).map(|n| format!("g{n}")).collect();
    let mut desks = vec![];
    for (login, role) in
        [("s", "supervisor"), ("e", "examiner")].into_iter().chain(names.iter().map(|n| (n.as_str(), "grader")))
    {
        admin.add_account(login, &[role.to_owned()], None, PASSWORD).await.unwrap();
        desks.push(Desk::sign_in(store, law, login, PASSWORD).await.unwrap());
    }
    let graders = desks.split_off(2);
    let examiner = desks.pop().unwrap();
    let supervisor = desks.pop().unwrap();
    let mut ids = vec![];
    let mut exhibit = 0;
    for title in ["One", "Two"] {
        let (owner, received) = (supervisor.user(), At::from_ns(0));
        let opening = Opening { title: title.into(), owner, received, referrals: vec![] };
        let id = supervisor.open_investigation(opening).await.unwrap();
        for desk in graders.iter().chain([&examiner]) {
            supervisor.set_member(id, desk.user(), true).await.unwrap();
        }
        for _ in 0..2 {
            exhibit += 1;
            let taken = serde_json::json!({"event": "exhibit", "investigation": id, "exhibit": {"new": "E"}, "fact": {
                "fact": "taken", "when": {"time": "2026-11-20T09:30Z"}, "officer": supervisor.user(),
                "reference": format!("JC/{exhibit}"), "kind": "camera", "description": "test", "place": "room 1",
                "serials": [{"kind": "serial", "value": format!("SN-00{exhibit}")}],
                "source": {"kind": "power", "power": "test"}}});
            assert_eq!(supervisor.record(&taken, None).await.unwrap().made, [format!("E-{exhibit}")]);
        }
        ids.push(id);
    }
    Team { supervisor, examiner, graders, one: ids[0], two: ids[1] }
}

impl Team<'_> {
    pub async fn attach(&self, id: InvestigationId, exhibit: u64, file: &Path) -> ExaminationId {
        self.examiner.attach_examination(id, ExhibitId::new(exhibit), file, None, None).await.unwrap().examination
    }

    /// Without a dip sample: its seed is random, and one known item in a hundred would be queued.
    pub async fn policy(&self, id: InvestigationId, policy: Policy) {
        self.supervisor.set_policy_with(id, policy, scheme(), "default", Some(0), "local rule").await.unwrap();
    }
}

/// Writes an examination of these contents and says where.
pub fn file(folder: &Path, name: &str, contents: &[Content]) -> PathBuf {
    let path = folder.join(name);
    write_contents(&path, contents);
    path
}

/// Contents that no set knows, with these numbers.
pub fn unknown(numbers: std::ops::RangeInclusive<u32>) -> Vec<Content> {
    numbers.map(|n| Content { n, ..Content::default() }).collect()
}

pub async fn next(desk: &Desk<'_>, id: InvestigationId, limit: u32) -> Vec<Sha256> {
    let batch = desk.review_next(id, Todo::Grade, limit).await.unwrap();
    batch.items.iter().map(|item| item.sha256).collect()
}

pub fn counted(of: &[(Reason, u64)]) -> BTreeMap<Reason, u64> {
    of.iter().copied().collect()
}
