//! The votes on many contents and the policies of investigations.

use std::collections::BTreeMap;

use avocet_base::Sha256;

use super::fact::{Basis, VoteFact};
use super::finding::VoteFinding;
use super::item::{CastVote, ItemVotes};
use super::outcome::Standing;
use super::policy::{GradingPolicy, Policy};
use crate::at::Recorded;
use crate::ids::InvestigationId;

/// Votes and policies together. A store that holds a million items folds one [`ItemVotes`] at a time instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoteBook {
    items: BTreeMap<Sha256, ItemVotes>,
    policies: BTreeMap<InvestigationId, BTreeMap<u64, Recorded<GradingPolicy>>>,
}

impl VoteBook {
    /// Adds a fact; the order of adding does not matter.
    pub fn apply(&mut self, recorded: &Recorded<VoteFact>) {
        let sha256 = match &recorded.fact {
            VoteFact::PolicySet(policy) => {
                let Recorded { seq, at, by, .. } = *recorded;
                let entry = Recorded { seq, at, by, fact: policy.clone() };
                self.policies.entry(policy.investigation).or_default().insert(seq, entry);
                return;
            }
            VoteFact::Voted { sha256, .. }
            | VoteFact::Withdrawn { sha256, .. }
            | VoteFact::SecondViewRequested { sha256, .. }
            | VoteFact::Imported { sha256, .. } => *sha256,
        };
        self.items.entry(sha256).or_insert_with(|| ItemVotes::new(sha256)).apply(recorded);
    }

    /// The votes on one content.
    #[must_use]
    pub fn item(&self, sha256: &Sha256) -> Option<&ItemVotes> {
        self.items.get(sha256)
    }

    /// Every content about which something was recorded, ordered by SHA-256.
    pub fn items(&self) -> impl Iterator<Item = &ItemVotes> {
        self.items.values()
    }

    /// The policy of an investigation that holds now.
    #[must_use]
    pub fn policy(&self, investigation: InvestigationId) -> Option<&GradingPolicy> {
        self.policies.get(&investigation).and_then(|all| all.values().next_back()).map(|entry| &entry.fact)
    }

    /// Every policy of an investigation, oldest first.
    pub fn policies(&self, investigation: InvestigationId) -> impl Iterator<Item = &Recorded<GradingPolicy>> {
        self.policies.get(&investigation).into_iter().flat_map(BTreeMap::values)
    }

    /// Where a content stands in an investigation; none where the investigation has no policy.
    #[must_use]
    pub fn standing(&self, sha256: &Sha256, investigation: InvestigationId) -> Option<Standing> {
        let policy = self.policy(investigation)?;
        Some(
            self.items
                .get(sha256)
                .map_or_else(|| ItemVotes::new(*sha256).standing(policy), |item| item.standing(policy)),
        )
    }

    /// Gaps and contradictions: those of each item with the content they are about, then those of investigations.
    #[must_use]
    pub fn findings(&self) -> Vec<(Option<Sha256>, VoteFinding)> {
        let mut out = Vec::new();
        let mut without_policy: Vec<InvestigationId> = Vec::new();
        for (sha256, item) in &self.items {
            // Blindness is the rule of the investigation in which the item was voted on last.
            let blind = item.history().last().and_then(|(vote, _)| self.policy(vote.investigation));
            let blind = blind.is_none_or(|policy| policy.rule.second_view_blind);
            out.extend(item.findings(blind).into_iter().map(|finding| (Some(*sha256), finding)));
            for (vote, end) in item.history() {
                match self.policy(vote.investigation) {
                    None => without_policy.push(vote.investigation),
                    Some(policy) if policy.scheme != vote.scheme && end.is_none() => {
                        let (scheme, policy) = (vote.scheme.clone(), policy.scheme.clone());
                        out.push((Some(*sha256), VoteFinding::OtherScheme { seq: vote.seq, scheme, policy }));
                    }
                    Some(_) => {}
                }
                if let Basis::AcceptedInGroup { representative, .. } = &vote.basis
                    && representative != sha256
                    && !self.viewed_alike(vote, representative)
                {
                    let (seq, representative) = (vote.seq, *representative);
                    out.push((Some(*sha256), VoteFinding::RepresentativeNotViewed { seq, representative }));
                }
            }
        }
        without_policy.sort();
        without_policy.dedup();
        out.extend(without_policy.into_iter().map(|investigation| (None, VoteFinding::NoPolicy { investigation })));
        for policies in self.policies.values() {
            let mut seed = None;
            for Recorded { seq, fact, .. } in policies.values() {
                let seq = *seq;
                if matches!(&fact.policy, Policy::Streamlined { criteria, .. } if criteria.trim().is_empty()) {
                    out.push((None, VoteFinding::NoCriteria { seq }));
                }
                if fact.reason.trim().is_empty() {
                    out.push((None, VoteFinding::PolicyWithoutReason { seq }));
                }
                if seed.is_some_and(|seed| seed != fact.seed) {
                    out.push((None, VoteFinding::SeedChanged { seq }));
                }
                seed = Some(fact.seed);
            }
        }
        out
    }

    /// Whether the voter had viewed the representative and voted alike on it when the group was accepted.
    fn viewed_alike(&self, vote: &CastVote, representative: &Sha256) -> bool {
        self.items.get(representative).is_some_and(|item| {
            let in_force = item.in_force(&vote.scheme, vote.seq);
            in_force.iter().any(|other| {
                other.by == vote.by && other.category == vote.category && matches!(other.basis, Basis::Viewed {})
            })
        })
    }
}
