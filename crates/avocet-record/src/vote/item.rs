//! The votes on one content.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::Sha256;

use super::fact::{Basis, Category, Purpose, RequestReason, SchemeRef, SetRef, VoteFact, WithdrawReason};
use crate::at::{At, Recorded};
use crate::ids::{InvestigationId, UserId};

/// A vote as it was cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CastVote {
    /// Number of the fact.
    pub seq: u64,
    /// When.
    pub at: At,
    /// By whom.
    pub by: UserId,
    /// In which investigation.
    pub investigation: InvestigationId,
    /// In which scheme.
    pub scheme: SchemeRef,
    /// The category.
    pub category: Category,
    /// What it rests on.
    pub basis: Basis,
    /// What it was cast for.
    pub purpose: Purpose,
    /// Whether the person saw no earlier vote.
    pub blind: bool,
}

/// Why a vote counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VoteEnd {
    /// The same person voted again.
    Superseded {
        /// Number of the later vote's fact.
        by: u64,
    },
    /// The person withdrew it.
    Withdrawn {
        /// Number of the withdrawal's fact.
        by: u64,
        /// Why.
        reason: WithdrawReason,
    },
}

/// A request for a second view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Number of the fact.
    pub seq: u64,
    /// By whom.
    pub by: UserId,
    /// In which scheme.
    pub scheme: SchemeRef,
    /// Why.
    pub reason: RequestReason,
}

/// What an imported set says of the item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Number of the fact.
    pub seq: u64,
    /// In which scheme.
    pub scheme: SchemeRef,
    /// The category.
    pub category: Category,
    /// The set.
    pub set: SetRef,
    /// Whether the set says that the category is trusted.
    pub says_trusted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Withdrawal {
    pub(super) seq: u64,
    pub(super) by: UserId,
    pub(super) vote: u64,
    pub(super) reason: WithdrawReason,
}

/// Everything recorded about one content: nothing is ever removed, and the order of applying does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemVotes {
    sha256: Sha256,
    pub(super) votes: BTreeMap<u64, CastVote>,
    pub(super) withdrawals: BTreeMap<u64, Withdrawal>,
    pub(super) requests: BTreeMap<u64, Request>,
    pub(super) imports: BTreeMap<u64, Import>,
}

impl ItemVotes {
    /// A content on which nobody has voted.
    #[must_use]
    pub fn new(sha256: Sha256) -> Self {
        Self {
            sha256,
            votes: BTreeMap::new(),
            withdrawals: BTreeMap::new(),
            requests: BTreeMap::new(),
            imports: BTreeMap::new(),
        }
    }

    /// Which content.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// Adds a fact. Facts about other contents, and policies, do not belong here and are passed over; says whether it
    /// belonged.
    pub fn apply(&mut self, recorded: &Recorded<VoteFact>) -> bool {
        let Recorded { seq, at, by, fact } = recorded;
        let (seq, at, by) = (*seq, *at, *by);
        match fact.clone() {
            VoteFact::Voted { investigation, sha256, scheme, category, basis, purpose, blind }
                if sha256 == self.sha256 =>
            {
                let vote = CastVote { seq, at, by, investigation, scheme, category, basis, purpose, blind };
                self.votes.insert(seq, vote);
            }
            VoteFact::Withdrawn { sha256, vote, reason, .. } if sha256 == self.sha256 => {
                self.withdrawals.insert(seq, Withdrawal { seq, by, vote, reason });
            }
            VoteFact::SecondViewRequested { sha256, scheme, reason, .. } if sha256 == self.sha256 => {
                self.requests.insert(seq, Request { seq, by, scheme, reason });
            }
            VoteFact::Imported { sha256, scheme, category, set, says_trusted } if sha256 == self.sha256 => {
                self.imports.insert(seq, Import { seq, scheme, category, set, says_trusted });
            }
            _ => return false,
        }
        true
    }

    /// Every vote, oldest first, and why it counts no more.
    pub fn history(&self) -> impl Iterator<Item = (&CastVote, Option<VoteEnd>)> {
        self.votes.values().map(|vote| (vote, self.end(vote, u64::MAX)))
    }

    /// Every request for a second view, oldest first.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.values()
    }

    /// Everything that imported sets said, oldest first.
    pub fn imports(&self) -> impl Iterator<Item = &Import> {
        self.imports.values()
    }

    /// The schemes in which there are votes.
    #[must_use]
    pub fn schemes(&self) -> BTreeSet<&SchemeRef> {
        self.votes.values().map(|vote| &vote.scheme).collect()
    }

    /// Whether the person has ever voted on the item, in any scheme: who has cannot give it a blind view.
    #[must_use]
    pub fn has_voted(&self, user: UserId) -> bool {
        self.votes.values().any(|vote| vote.by == user)
    }

    /// Why the vote did not count any more just before the fact numbered `before`.
    fn end(&self, vote: &CastVote, before: u64) -> Option<VoteEnd> {
        let withdrawal = self.withdrawals.range(vote.seq..before).map(|(_, w)| w);
        let withdrawn = withdrawal.clone().find(|w| w.vote == vote.seq && w.by == vote.by);
        let later = self.votes.range(vote.seq.saturating_add(1)..before).map(|(_, v)| v);
        let superseded = later.clone().find(|v| v.by == vote.by && v.scheme == vote.scheme);
        match (withdrawn, superseded) {
            // What came first ended it; a vote that was superseded cannot be withdrawn any more.
            (Some(w), later) if later.is_none_or(|later| w.seq < later.seq) => {
                Some(VoteEnd::Withdrawn { by: w.seq, reason: w.reason })
            }
            (_, Some(later)) => Some(VoteEnd::Superseded { by: later.seq }),
            _ => None,
        }
    }

    /// The votes that counted in a scheme just before the fact numbered `before`, oldest first: one a person at most.
    pub(super) fn in_force(&self, scheme: &SchemeRef, before: u64) -> Vec<&CastVote> {
        let cast = self.votes.range(..before).map(|(_, vote)| vote).filter(|vote| vote.scheme == *scheme);
        cast.filter(|vote| self.end(vote, before).is_none()).collect()
    }

    /// Whether the person had not voted on the item before, other than as this counts: a moderator may change a
    /// moderation.
    pub(super) fn independent(&self, vote: &CastVote) -> bool {
        let mut earlier = self.votes.range(..vote.seq).map(|(_, v)| v).filter(|v| v.by == vote.by);
        match vote.purpose {
            Purpose::Moderation => earlier.all(|v| v.purpose == Purpose::Moderation),
            Purpose::Grading | Purpose::SecondView => earlier.next().is_none(),
        }
    }

    /// What a vote counts as: a second view or a moderation that does not meet its terms counts as a plain vote.
    pub(super) fn counts_as(&self, vote: &CastVote, second_view_blind: bool) -> Purpose {
        let viewed = matches!(vote.basis, Basis::Viewed {});
        match vote.purpose {
            Purpose::Moderation if viewed && self.independent(vote) => Purpose::Moderation,
            Purpose::SecondView if viewed && self.independent(vote) && (vote.blind || !second_view_blind) => {
                Purpose::SecondView
            }
            _ => Purpose::Grading,
        }
    }

    /// The latest word of each set in a scheme, ordered by set, with the number of the fact since which the set has
    /// said this: a new version that repeats it is no news.
    pub(super) fn latest_imports(&self, scheme: &SchemeRef) -> Vec<(u64, &Import)> {
        let mut latest: BTreeMap<&str, (u64, &Import)> = BTreeMap::new();
        for import in self.imports.values() {
            let slot = latest.entry(&import.set.name).or_insert((import.seq, import));
            let says = |i: &Import| (i.scheme.clone(), i.category.clone(), i.says_trusted);
            if says(slot.1) != says(import) {
                slot.0 = import.seq;
            }
            slot.1 = import;
        }
        latest.into_values().filter(|(_, import)| import.scheme == *scheme).collect()
    }
}
