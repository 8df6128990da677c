//! What the votes on an item add up to, by the rules that the module states.

use std::fmt;

use super::fact::{Basis, Category, Purpose, SetRef};
use super::item::{CastVote, Import, ItemVotes};
use super::policy::GradingPolicy;
use super::sample::drawn;
use crate::ids::UserId;

/// Who says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// A person's vote that counts.
    Voter {
        /// Number of the vote's fact.
        seq: u64,
        /// Who.
        by: UserId,
        /// What.
        category: Category,
        /// On what basis.
        basis: Basis,
    },
    /// A set's trusted category.
    Set {
        /// Number of the fact since which the set has said so.
        seq: u64,
        /// The set.
        set: SetRef,
        /// What.
        category: Category,
    },
}

impl Party {
    /// The category that this party gives.
    #[must_use]
    pub fn category(&self) -> &Category {
        match self {
            Party::Voter { category, .. } | Party::Set { category, .. } => category,
        }
    }

    /// Number of the fact.
    #[must_use]
    pub fn seq(&self) -> u64 {
        match self {
            Party::Voter { seq, .. } | Party::Set { seq, .. } => *seq,
        }
    }

    fn voter(vote: &CastVote) -> Self {
        Party::Voter { seq: vote.seq, by: vote.by, category: vote.category.clone(), basis: vote.basis.clone() }
    }

    fn set(since: u64, import: &Import) -> Self {
        Party::Set { seq: since, set: import.set.clone(), category: import.category.clone() }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Voter { by, category, basis, .. } => write!(f, "{by} says {category} ({basis})"),
            Party::Set { set, category, .. } => write!(f, "{set} says {category} (trusted)"),
        }
    }
}

/// The strongest ground of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettledBy {
    /// A moderator viewed it.
    Moderation,
    /// Somebody viewed it.
    Viewed,
    /// A set says that its category is trusted.
    Trusted,
    /// Somebody accepted it in a group.
    AcceptedInGroup,
    /// Somebody took over the category of a set that is not trusted.
    ByExactMatch,
}

impl fmt::Display for SettledBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SettledBy::Moderation => "moderated",
            SettledBy::Viewed => "viewed",
            SettledBy::Trusted => "trusted by an imported set",
            SettledBy::AcceptedInGroup => "accepted in group",
            SettledBy::ByExactMatch => "by exact match",
        })
    }
}

/// A category and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The category, as its earliest party wrote it.
    pub category: Category,
    /// The strongest ground.
    pub by: SettledBy,
    /// Everyone who says so, and everyone whom a moderation overruled; by number of fact.
    pub parties: Vec<Party>,
}

/// Why a second view is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// Those who voted, or a trusted set, differ.
    Disagreement,
    /// Somebody asked for it.
    Requested {
        /// Number of the request's fact.
        seq: u64,
    },
}

/// What the votes add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Too few votes.
    Undecided {
        /// Those that there are, all alike.
        parties: Vec<Party>,
        /// How many people the rule asks for.
        needed: u32,
    },
    /// Decided by votes alike, or by a trusted category.
    Decided(Settled),
    /// A second view is needed, by somebody who has not voted on the item.
    NeedsSecondView {
        /// Why.
        why: Why,
        /// Who says what so far.
        parties: Vec<Party>,
    },
    /// They differ, and a second view has not changed that or is not asked for by the rule: a moderator decides.
    Disagreement {
        /// Who says what.
        parties: Vec<Party>,
    },
    /// A moderator has decided.
    Moderated(Settled),
}

impl Outcome {
    /// The category, where there is one.
    #[must_use]
    pub fn category(&self) -> Option<&Category> {
        match self {
            Outcome::Decided(settled) | Outcome::Moderated(settled) => Some(&settled.category),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |parties: &[Party]| parties.iter().map(Party::to_string).collect::<Vec<_>>().join("; ");
        match self {
            Outcome::Undecided { parties, needed } if parties.is_empty() => {
                write!(f, "undecided: nobody has voted, {needed} needed")
            }
            Outcome::Undecided { parties, needed } => {
                write!(f, "undecided: {} of {needed} needed: {}", parties.len(), list(parties))
            }
            Outcome::Decided(settled) => write!(f, "decided: {}, {}", settled.category, settled.by),
            Outcome::NeedsSecondView { why: Why::Disagreement, parties } => {
                write!(f, "needs a second view, as they differ: {}", list(parties))
            }
            Outcome::NeedsSecondView { why: Why::Requested { seq }, parties } => {
                write!(f, "needs a second view, asked for in entry {seq}: {}", list(parties))
            }
            Outcome::Disagreement { parties } => write!(f, "disagreement, for a moderator: {}", list(parties)),
            Outcome::Moderated(settled) => write!(f, "moderated: {}", settled.category),
        }
    }
}

/// Where an item stands in the moderation sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moderation {
    /// Not drawn.
    NotDrawn,
    /// Drawn; there is no vote to moderate yet.
    DrawnNotVoted,
    /// Drawn, and a moderator has yet to look.
    Due,
    /// Drawn, and a moderator has looked.
    Done {
        /// Whether the moderator's category was that of the vote that stood first.
        agreed: bool,
    },
}

/// An item in one investigation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the votes add up to. A moderation that is due does not hold a decision back.
    pub outcome: Outcome,
    /// Where it stands in the sample.
    pub moderation: Moderation,
    /// The sets whose latest word is that their category is trusted.
    pub trusted_in: Vec<SetRef>,
}

impl ItemVotes {
    /// Where the item stands under an investigation's policy: its scheme, rule and sample.
    #[must_use]
    pub fn standing(&self, policy: &GradingPolicy) -> Standing {
        let rule = &policy.rule;
        let latest = self.latest_imports(&policy.scheme);
        let trusted: Vec<(u64, &Import)> = latest.into_iter().filter(|(_, import)| import.says_trusted).collect();
        let in_force = self.in_force(&policy.scheme, u64::MAX);
        let moderation = if drawn(&policy.seed, rule.moderation_per_1000, &self.sha256()) {
            self.moderation(policy, &in_force)
        } else {
            Moderation::NotDrawn
        };
        let outcome = self.outcome(policy, &in_force, if rule.trusted_decides { &trusted } else { &[] });
        Standing { outcome, moderation, trusted_in: trusted.iter().map(|(_, import)| import.set.clone()).collect() }
    }

    fn moderation(&self, policy: &GradingPolicy, in_force: &[&CastVote]) -> Moderation {
        let counts_as = |vote: &CastVote| self.counts_as(vote, policy.rule.second_view_blind);
        let Some(moderated) = in_force.iter().find(|vote| counts_as(vote) == Purpose::Moderation) else {
            return if in_force.is_empty() { Moderation::DrawnNotVoted } else { Moderation::Due };
        };
        let before = self.in_force(&policy.scheme, moderated.seq);
        let first = before.into_iter().find(|vote| counts_as(vote) != Purpose::Moderation);
        // With nothing voted before, the moderator's is the first word, and there was nothing to differ from.
        Moderation::Done { agreed: first.is_none_or(|first| first.category == moderated.category) }
    }

    fn outcome(&self, policy: &GradingPolicy, in_force: &[&CastVote], trusted: &[(u64, &Import)]) -> Outcome {
        let rule = &policy.rule;
        let counts_as = |vote: &CastVote| self.counts_as(vote, rule.second_view_blind);
        let mut parties: Vec<Party> = in_force.iter().map(|vote| Party::voter(vote)).collect();
        parties.extend(trusted.iter().map(|(since, import)| Party::set(*since, import)));
        parties.sort_by_key(Party::seq);

        let moderation = in_force.iter().rev().find(|vote| counts_as(vote) == Purpose::Moderation);
        // What a moderation has decided over is no party to what comes after it.
        let since = moderation.map_or(0, |vote| vote.seq);
        let open: Vec<Party> = parties.iter().filter(|party| party.seq() >= since).cloned().collect();
        let second_views = || {
            let cast = self.votes.range(since..).map(|(_, vote)| vote).filter(|vote| vote.scheme == policy.scheme);
            cast.filter(|vote| counts_as(vote) == Purpose::SecondView && !self.was_withdrawn(vote))
        };
        let requests = self.requests.range(since..).map(|(_, request)| request);
        let unmet = requests
            .filter(|request| rule.second_view_on_request && request.scheme == policy.scheme)
            .find(|request| !second_views().any(|view| view.seq > request.seq));
        let differ = open.windows(2).any(|pair| match pair {
            [a, b] => a.category() != b.category(),
            _ => false,
        });
        if let Some(request) = unmet.filter(|_| !open.is_empty()) {
            return Outcome::NeedsSecondView { why: Why::Requested { seq: request.seq }, parties: open };
        }
        if differ {
            let view_first = rule.second_view_on_disagreement && second_views().next().is_none();
            return if view_first {
                Outcome::NeedsSecondView { why: Why::Disagreement, parties: open }
            } else {
                Outcome::Disagreement { parties: open }
            };
        }
        let Some(category) = open.first().map(|party| party.category().clone()) else {
            return Outcome::Undecided { parties: open, needed: rule.graders };
        };
        if moderation.is_some() {
            return Outcome::Moderated(Settled { category, by: SettledBy::Moderation, parties });
        }
        if trusted.is_empty() && in_force.len() < usize::try_from(rule.graders).unwrap_or(usize::MAX) {
            return Outcome::Undecided { parties: open, needed: rule.graders };
        }
        let ground = |party: &Party| match party {
            Party::Set { .. } => SettledBy::Trusted,
            Party::Voter { basis: Basis::Viewed {}, .. } => SettledBy::Viewed,
            Party::Voter { basis: Basis::AcceptedInGroup { .. }, .. } => SettledBy::AcceptedInGroup,
            Party::Voter { basis: Basis::ByExactMatch { .. }, .. } => SettledBy::ByExactMatch,
        };
        let by = open.iter().map(ground).min().unwrap_or(SettledBy::ByExactMatch);
        Outcome::Decided(Settled { category, by, parties })
    }

    fn was_withdrawn(&self, vote: &CastVote) -> bool {
        self.withdrawals.values().any(|w| w.vote == vote.seq && w.by == vote.by && w.seq > vote.seq)
    }
}
