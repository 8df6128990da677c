//! Gaps and contradictions in votes.

use std::fmt;

use avocet_base::Sha256;

use super::fact::{Basis, Purpose, SchemeRef, SetRef};
use super::item::ItemVotes;
use crate::ids::{InvestigationId, UserId};

/// Something to look at. Its text says what, what it means and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VoteFinding {
    /// Somebody withdrew another person's vote.
    AnotherWithdrew {
        /// Number of the withdrawal's fact.
        seq: u64,
        /// Number of the vote's fact.
        vote: u64,
        /// Whose vote it is.
        voter: UserId,
    },
    /// A withdrawal of something that is no vote on this item that still counted.
    WithdrewNothing {
        /// Number of the withdrawal's fact.
        seq: u64,
        /// What it names.
        vote: u64,
    },
    /// A second view or moderation by somebody who had voted on the item before.
    NotIndependent {
        /// Number of the vote's fact.
        seq: u64,
        /// What it was cast for.
        purpose: Purpose,
    },
    /// A second view by somebody who saw earlier votes.
    NotBlind {
        /// Number of the vote's fact.
        seq: u64,
    },
    /// A second view or moderation by somebody who did not view the item.
    NotViewed {
        /// Number of the vote's fact.
        seq: u64,
        /// What it was cast for.
        purpose: Purpose,
    },
    /// Moderators differ; the latest decides.
    ModeratorsDiffer {
        /// Number of the latest moderation's fact.
        seq: u64,
    },
    /// A vote accepted in a group names the item itself as the one that was viewed.
    RepresentativeIsItself {
        /// Number of the vote's fact.
        seq: u64,
    },
    /// A vote accepted in a group, where the same person did not view the representative and vote alike on it.
    RepresentativeNotViewed {
        /// Number of the vote's fact.
        seq: u64,
        /// The item that the vote names.
        representative: Sha256,
    },
    /// A vote by exact match with a set that was not imported for this item, or says something else.
    MatchNotInSet {
        /// Number of the vote's fact.
        seq: u64,
        /// The set.
        set: SetRef,
    },
    /// Votes on one item in several schemes or versions.
    SeveralSchemes {
        /// The schemes, in order.
        schemes: Vec<SchemeRef>,
    },
    /// Votes in an investigation without a policy.
    NoPolicy {
        /// Which.
        investigation: InvestigationId,
    },
    /// Votes in another scheme than the policy of their investigation.
    OtherScheme {
        /// Number of the vote's fact.
        seq: u64,
        /// The vote's scheme.
        scheme: SchemeRef,
        /// The policy's scheme.
        policy: SchemeRef,
    },
    /// A streamlined policy without its criteria.
    NoCriteria {
        /// Number of the policy's fact.
        seq: u64,
    },
    /// A policy without a reason.
    PolicyWithoutReason {
        /// Number of the policy's fact.
        seq: u64,
    },
    /// A later policy of an investigation draws another sample.
    SeedChanged {
        /// Number of the policy's fact.
        seq: u64,
    },
}

impl fmt::Display for VoteFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VoteFinding::AnotherWithdrew { seq, vote, voter } => write!(
                f,
                "entry {seq} withdraws the vote of {voter} (entry {vote}); only {voter} can, so the vote still counts. \
                 Ask {voter} to withdraw it, or ask for a second view"
            ),
            VoteFinding::WithdrewNothing { seq, vote } => write!(
                f,
                "entry {seq} withdraws entry {vote}, which is no vote on this item that still counted; nothing \
                 changed. Check which vote was meant"
            ),
            VoteFinding::NotIndependent { seq, purpose } => write!(
                f,
                "entry {seq} is a {purpose} by somebody who had voted on the item before; it counts as a changed \
                 vote. Ask somebody else"
            ),
            VoteFinding::NotBlind { seq } => write!(
                f,
                "entry {seq} is a second view by somebody who saw earlier votes; it counts as a plain vote, and the \
                 second view is still needed. Ask somebody else for a blind one"
            ),
            VoteFinding::NotViewed { seq, purpose } => write!(
                f,
                "entry {seq} is a {purpose} without viewing the item; it counts as a plain vote. View the item, or \
                 ask somebody else"
            ),
            VoteFinding::ModeratorsDiffer { seq } => write!(
                f,
                "moderators differ; the latest, entry {seq}, decides. Settle it between the moderators, so that the \
                 next such item is decided alike"
            ),
            VoteFinding::RepresentativeIsItself { seq } => write!(
                f,
                "entry {seq} accepts the item in a group with itself as the one that was viewed; it is not clear \
                 whether it was viewed. Vote on it again"
            ),
            VoteFinding::RepresentativeNotViewed { seq, representative } => write!(
                f,
                "entry {seq} accepts the item in a group, and the same person's vote on the representative \
                 {representative} is missing, was not by viewing or is different; nobody may have viewed any of the \
                 group. View the representative and accept the group again"
            ),
            VoteFinding::MatchNotInSet { seq, set } => write!(
                f,
                "entry {seq} takes over a category from {set}, which was not imported for this item before or says \
                 another category. Check the set, or view the item"
            ),
            VoteFinding::SeveralSchemes { schemes } => {
                let names: Vec<_> = schemes.iter().map(SchemeRef::to_string).collect();
                write!(
                    f,
                    "the item has votes in {}; they are counted apart, as a code can mean different things. Vote in \
                     the investigation's scheme",
                    names.join(" and ")
                )
            }
            VoteFinding::NoPolicy { investigation } => write!(
                f,
                "{investigation} has votes and no grading policy; it cannot be said what was to be graded, and no \
                 sample is drawn. Record the policy"
            ),
            VoteFinding::OtherScheme { seq, scheme, policy } => write!(
                f,
                "entry {seq} votes in {scheme}, and its investigation is graded in {policy}; the vote does not count \
                 there. Vote in {policy}"
            ),
            VoteFinding::NoCriteria { seq } => write!(
                f,
                "entry {seq} sets a streamlined policy without its criteria; it cannot be said what was left out. \
                 Record the policy again with them"
            ),
            VoteFinding::PolicyWithoutReason { seq } => {
                write!(f, "entry {seq} sets a grading policy without a reason. Record it again with the reason")
            }
            VoteFinding::SeedChanged { seq } => write!(
                f,
                "entry {seq} changes the seed of the moderation sample; other items are drawn from then on, and some \
                 that were moderated are not of the sample any more. Keep the seed unless it became known to graders"
            ),
        }
    }
}

impl ItemVotes {
    /// Gaps and contradictions in the votes on this item alone, ordered by the facts they are about.
    #[must_use]
    pub fn findings(&self, second_view_blind: bool) -> Vec<VoteFinding> {
        let mut out: Vec<(u64, VoteFinding)> = Vec::new();
        for w in self.withdrawals.values() {
            let (seq, vote) = (w.seq, w.vote);
            match self.votes.get(&vote).filter(|_| vote < seq) {
                Some(cast) if cast.by != w.by => {
                    out.push((seq, VoteFinding::AnotherWithdrew { seq, vote, voter: cast.by }));
                }
                Some(cast) if self.in_force(&cast.scheme, seq).iter().any(|counting| counting.seq == vote) => {}
                _ => out.push((seq, VoteFinding::WithdrewNothing { seq, vote })),
            }
        }
        for vote in self.votes.values() {
            let (seq, purpose) = (vote.seq, vote.purpose);
            if purpose != Purpose::Grading {
                if !self.independent(vote) {
                    out.push((seq, VoteFinding::NotIndependent { seq, purpose }));
                }
                if !matches!(vote.basis, Basis::Viewed {}) {
                    out.push((seq, VoteFinding::NotViewed { seq, purpose }));
                }
            }
            if purpose == Purpose::SecondView && second_view_blind && !vote.blind {
                out.push((seq, VoteFinding::NotBlind { seq }));
            }
            match &vote.basis {
                Basis::AcceptedInGroup { representative, .. } if *representative == self.sha256() => {
                    out.push((seq, VoteFinding::RepresentativeIsItself { seq }));
                }
                Basis::ByExactMatch { set } => {
                    let mut imports = self.imports.range(..seq).map(|(_, import)| import);
                    let alike = imports.any(|import| {
                        import.set == *set && import.scheme == vote.scheme && import.category == vote.category
                    });
                    if !alike {
                        out.push((seq, VoteFinding::MatchNotInSet { seq, set: set.clone() }));
                    }
                }
                _ => {}
            }
        }
        let schemes: Vec<SchemeRef> = self.schemes().into_iter().cloned().collect();
        for scheme in &schemes {
            let in_force = self.in_force(scheme, u64::MAX);
            let moderations: Vec<_> = in_force
                .into_iter()
                .filter(|vote| self.counts_as(vote, second_view_blind) == Purpose::Moderation)
                .collect();
            if let (Some(first), Some(last)) = (moderations.first(), moderations.last())
                && moderations.iter().any(|vote| vote.category != first.category)
            {
                out.push((last.seq, VoteFinding::ModeratorsDiffer { seq: last.seq }));
            }
        }
        out.sort_by_key(|(seq, _)| *seq);
        let mut out: Vec<VoteFinding> = out.into_iter().map(|(_, finding)| finding).collect();
        if schemes.len() > 1 {
            out.push(VoteFinding::SeveralSchemes { schemes });
        }
        out
    }
}
