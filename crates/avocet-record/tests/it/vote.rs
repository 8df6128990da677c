//! Votes.

use avocet_base::Sha256;
use avocet_record::law::Law;
use avocet_record::vote::{
    Basis, Category, GradingPolicy, ItemVotes, Policy, Purpose, RequestReason, SchemeRef, Seed, SetRef, VoteFact,
    WithdrawReason,
};
use avocet_record::{At, InvestigationId, Recorded, UserId};

mod agreement;
mod facts;
mod hand;
mod property;
mod sample;

pub const I: InvestigationId = InvestigationId::new(7);

pub fn sha(n: u8) -> Sha256 {
    Sha256([n; 32])
}

pub fn scheme(version: &str) -> SchemeRef {
    SchemeRef { id: "uk-2014".to_owned(), version: version.to_owned() }
}

pub fn set(name: &str, version: &str) -> SetRef {
    SetRef { name: name.to_owned(), version: version.to_owned() }
}

pub fn category(code: &str) -> Category {
    code.parse().unwrap()
}

/// What happens to item 1, by a person; the number of the fact is its place in the list.
#[derive(Debug, Clone)]
pub enum Do {
    /// A vote by viewing.
    Vote(u64, &'static str),
    /// A vote on this basis.
    On(u64, &'static str, Basis),
    /// A vote in version 2 of the scheme.
    Newer(u64, &'static str),
    /// A blind second view.
    Blind(u64, &'static str),
    /// A second view that was not blind.
    Seeing(u64, &'static str),
    /// A moderation.
    Moderate(u64, &'static str),
    /// A withdrawal of the vote with this number.
    Withdraw(u64, u64),
    /// A request for a second view.
    Ask(u64),
    /// An import: set, version, category, trusted.
    Import(&'static str, &'static str, &'static str, bool),
}

pub fn fact(seq: u64, done: &Do) -> Recorded<VoteFact> {
    let voted = |code: &str, version: &str, basis: Basis, purpose: Purpose, blind: bool| VoteFact::Voted {
        investigation: I,
        sha256: sha(1),
        scheme: scheme(version),
        category: category(code),
        basis,
        purpose,
        blind,
    };
    let viewed = || Basis::Viewed {};
    let (by, fact) = match done.clone() {
        Do::Vote(by, code) => (by, voted(code, "1", viewed(), Purpose::Grading, false)),
        Do::On(by, code, basis) => (by, voted(code, "1", basis, Purpose::Grading, false)),
        Do::Newer(by, code) => (by, voted(code, "2", viewed(), Purpose::Grading, false)),
        Do::Blind(by, code) => (by, voted(code, "1", viewed(), Purpose::SecondView, true)),
        Do::Seeing(by, code) => (by, voted(code, "1", viewed(), Purpose::SecondView, false)),
        Do::Moderate(by, code) => (by, voted(code, "1", viewed(), Purpose::Moderation, false)),
        Do::Withdraw(by, vote) => {
            (by, VoteFact::Withdrawn { sha256: sha(1), vote, reason: WithdrawReason::Slip, note: None })
        }
        Do::Ask(by) => {
            let reason = RequestReason::LegalLine;
            let (sha256, scheme) = (sha(1), scheme("1"));
            (by, VoteFact::SecondViewRequested { investigation: I, sha256, scheme, reason, note: None })
        }
        Do::Import(name, version, code, says_trusted) => {
            let (sha256, scheme, category, set) = (sha(1), scheme("1"), category(code), set(name, version));
            (99, VoteFact::Imported { sha256, scheme, category, set, says_trusted })
        }
    };
    Recorded { seq, at: At::from_ns(i64::try_from(seq).unwrap()), by: UserId::new(by), fact }
}

pub fn item(done: &[Do]) -> ItemVotes {
    let mut item = ItemVotes::new(sha(1));
    for (seq, done) in (1..).zip(done) {
        assert!(item.apply(&fact(seq, done)));
    }
    item
}

/// The built-in rule with this many graders and this sample.
pub fn policy(graders: u32, moderation_per_1000: u32) -> GradingPolicy {
    let table = Law::load(None).unwrap().grading;
    let row = table.row("default").unwrap();
    let mut rule = row.value.clone();
    (rule.graders, rule.moderation_per_1000) = (graders, moderation_per_1000);
    GradingPolicy {
        investigation: I,
        policy: Policy::EveryImage {},
        scheme: scheme("1"),
        rule,
        rule_from: GradingPolicy::reference(&table, row),
        seed: Seed([5; 32]),
        dip_per_1000: None,
        reason: "agreed at the start".to_owned(),
    }
}
