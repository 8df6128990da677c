//! What the facts of one exhibit add up to.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{ExhibitFact, Holder, PowerSource};
use super::finding::ExhibitFinding;
use crate::at::{At, Recorded};
use crate::correction;
use crate::ids::UserId;

/// What became of an exhibit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Fate {
    /// Nothing says that it was taken.
    #[default]
    Unknown,
    /// Seen and left.
    Excluded,
    /// With the team, or on its way.
    Held,
    /// Given back.
    Returned,
    /// Destroyed.
    Destroyed,
}

/// A line of the continuity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The fact, with its number, author and time of recording.
    pub recorded: Recorded<ExhibitFact>,
    /// The correction that says it is wrong.
    pub struck: Option<u64>,
}

/// The facts of one exhibit, and where it is by them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExhibitState {
    facts: BTreeMap<u64, Recorded<ExhibitFact>>,
}

/// Where the walk over the steps stands.
#[derive(Debug, Default)]
struct Walk<'a> {
    fate: Fate,
    holder: Option<Holder>,
    seal: Option<&'a str>,
    source: Option<&'a PowerSource>,
    withdrawn: Option<u64>,
    findings: Vec<ExhibitFinding>,
    waiting: BTreeMap<u64, &'a Holder>,
    confirmed: BTreeSet<u64>,
}

impl ExhibitState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<ExhibitFact>) {
        self.facts.insert(recorded.seq, recorded.clone());
    }

    /// The fact by which it was taken or left, where there is one that counts.
    #[must_use]
    pub fn origin(&self) -> Option<&ExhibitFact> {
        self.counting().map(|r| &r.fact).find(|f| matches!(f, ExhibitFact::Taken { .. } | ExhibitFact::Excluded { .. }))
    }

    /// The seals that were ever put on it.
    pub fn seals(&self) -> impl Iterator<Item = (&str, u64)> {
        self.counting().filter_map(|r| match &r.fact {
            ExhibitFact::Sealed { seal, .. } => Some((seal.as_str(), r.seq)),
            _ => None,
        })
    }

    /// Every fact in the order in which it happened; those recorded for the same moment in the order of the ledger. What
    /// was corrected is struck, not gone.
    #[must_use]
    pub fn continuity(&self) -> Vec<Step> {
        let struck = self.struck();
        let mut steps: Vec<Step> = self
            .facts
            .values()
            .map(|recorded| Step { recorded: recorded.clone(), struck: struck.get(&recorded.seq).copied() })
            .collect();
        steps.sort_by_key(|step| (step.recorded.fact.when().unwrap_or(step.recorded.at), step.recorded.seq));
        steps
    }

    /// What became of it.
    #[must_use]
    pub fn fate(&self) -> Fate {
        self.walk().fate
    }

    /// Who or what has it, where it is held.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        self.walk().holder
    }

    /// The seal on it, where it is sealed.
    #[must_use]
    pub fn seal(&self) -> Option<String> {
        self.walk().seal.map(str::to_owned)
    }

    /// Every gap and contradiction, in the order in which things happened.
    #[must_use]
    pub fn findings(&self) -> Vec<ExhibitFinding> {
        let mut walk = self.walk();
        if walk.fate == Fate::Unknown && !self.facts.is_empty() {
            walk.findings.push(ExhibitFinding::NeverTaken {});
        }
        let open: Vec<u64> = walk.waiting.keys().filter(|seq| !walk.confirmed.contains(seq)).copied().collect();
        walk.findings.extend(open.into_iter().map(|seq| ExhibitFinding::NotConfirmed { seq }));
        for recorded in self.facts.values() {
            if recorded.fact.when().is_some_and(|when| when > recorded.at) {
                walk.findings.push(ExhibitFinding::InTheFuture { seq: recorded.seq });
            }
            if let ExhibitFact::Corrected { wrong, .. } = &recorded.fact
                && !self.facts.contains_key(wrong)
            {
                walk.findings.push(ExhibitFinding::CorrectsNothing { seq: recorded.seq, wrong: *wrong });
            }
        }
        walk.findings
    }

    fn struck(&self) -> BTreeMap<u64, u64> {
        correction::struck(&self.facts, |fact| match fact {
            ExhibitFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        })
    }

    /// Facts that no correction strikes, in the order in which they happened.
    pub(crate) fn counting(&self) -> impl Iterator<Item = &Recorded<ExhibitFact>> {
        let struck = self.struck();
        let mut all: Vec<_> = self.facts.values().filter(|r| !struck.contains_key(&r.seq)).collect();
        all.sort_by_key(|r| (r.fact.when().unwrap_or(r.at), r.seq));
        all.into_iter()
    }

    fn walk(&self) -> Walk<'_> {
        let mut walk = Walk::default();
        let confirmations: BTreeMap<u64, &Recorded<ExhibitFact>> = self
            .counting()
            .filter_map(|r| match &r.fact {
                ExhibitFact::Received { handover, .. } => Some((*handover, r)),
                _ => None,
            })
            .collect();
        for recorded in self.counting() {
            walk.step(recorded, &confirmations);
        }
        walk
    }
}

impl<'a> Walk<'a> {
    fn step(&mut self, recorded: &'a Recorded<ExhibitFact>, confirmations: &BTreeMap<u64, &Recorded<ExhibitFact>>) {
        let seq = recorded.seq;
        if let ExhibitFact::Corrected { .. } = recorded.fact {
            return;
        }
        let begins = matches!(recorded.fact, ExhibitFact::Taken { .. } | ExhibitFact::Excluded { .. });
        match self.fate {
            Fate::Unknown if !begins => self.findings.push(ExhibitFinding::BeforeTaken { seq }),
            Fate::Returned | Fate::Destroyed => {
                self.findings.push(ExhibitFinding::AfterTheEnd { seq, fate: self.fate })
            }
            _ => {}
        }
        match &recorded.fact {
            ExhibitFact::Excluded { .. } => {
                if self.fate == Fate::Held {
                    self.findings.push(ExhibitFinding::TakenTwice { seq });
                }
                self.fate = Fate::Excluded;
            }
            ExhibitFact::Taken { officer, source, .. } => {
                if self.fate == Fate::Held {
                    self.findings.push(ExhibitFinding::TakenTwice { seq });
                }
                self.fate = Fate::Held;
                self.source = Some(source);
                self.holder = Some(Holder::Officer { user: *officer });
            }
            ExhibitFact::Sealed { officer, seal, .. } => {
                self.hands(seq, *officer);
                if let Some(old) = self.seal.replace(seal) {
                    self.findings.push(ExhibitFinding::SealedTwice { seq, old: old.to_owned(), new: seal.clone() });
                }
            }
            ExhibitFact::Opened { officer, seal, .. } => {
                self.hands(seq, *officer);
                match self.seal.take() {
                    None => self.findings.push(ExhibitFinding::OpenedUnsealed { seq, seal: seal.clone() }),
                    Some(on) if on != seal => {
                        let on = on.to_owned();
                        self.findings.push(ExhibitFinding::OtherSeal { seq, on, found: seal.clone() });
                    }
                    Some(_) => {}
                }
            }
            ExhibitFact::HandedOver { when, from, to } => {
                match &self.holder {
                    Some(holder) if holder != from => {
                        let (holder, from) = (holder.clone(), from.clone());
                        self.findings.push(ExhibitFinding::NotTheHolder { seq, holder, from });
                    }
                    _ => {}
                }
                self.holder = Some(to.clone());
                // A place confirms nothing: who puts a thing on a shelf, or takes it from there, says so alone.
                let place = |side: &Holder| matches!(side, Holder::Place { .. });
                if !place(from) && !place(to) {
                    self.waiting.insert(seq, to);
                }
                if let Some(confirmation) = confirmations.get(&seq) {
                    self.confirmed.insert(seq);
                    self.confirm(*when, from, to, recorded.by, confirmation);
                }
            }
            ExhibitFact::Received { handover, .. } => {
                if !self.waiting.contains_key(handover) && !self.confirmed.contains(handover) {
                    self.findings.push(ExhibitFinding::ConfirmsNothing { seq, handover: *handover });
                }
            }
            ExhibitFact::Examined { officer, within_scope, .. } => {
                self.hands(seq, *officer);
                if let Some(seal) = self.seal {
                    self.findings.push(ExhibitFinding::ExaminedSealed { seq, seal: seal.to_owned() });
                }
                if matches!(self.source, Some(PowerSource::Agreement { .. })) && *within_scope != Some(true) {
                    self.findings.push(ExhibitFinding::OutsideScope { seq, stated: within_scope.is_some() });
                }
                if let Some(withdrawn) = self.withdrawn {
                    self.findings.push(ExhibitFinding::AgreementGone { seq, withdrawn });
                }
            }
            ExhibitFact::AgreementWithdrawn { .. } => self.withdrawn = Some(seq),
            ExhibitFact::Retained { .. } | ExhibitFact::Corrected { .. } => {}
            ExhibitFact::Returned { officer, .. } => {
                self.hands(seq, *officer);
                self.end(Fate::Returned);
            }
            ExhibitFact::Destroyed { witness, .. } => {
                if *witness == recorded.by {
                    self.findings.push(ExhibitFinding::OwnWitness { seq });
                }
                self.end(Fate::Destroyed);
            }
        }
    }

    fn end(&mut self, fate: Fate) {
        self.fate = fate;
        self.holder = None;
    }

    /// Somebody did something with it: was it in their hands?
    fn hands(&mut self, seq: u64, officer: UserId) {
        let from = Holder::Officer { user: officer };
        if let Some(holder) = self.holder.as_ref().filter(|holder| **holder != from) {
            let holder = holder.clone();
            self.findings.push(ExhibitFinding::NotTheHolder { seq, holder, from });
        }
    }

    /// Both sides of a hand-over against one another.
    fn confirm(&mut self, when: At, from: &Holder, to: &Holder, by: UserId, confirmation: &Recorded<ExhibitFact>) {
        let seq = confirmation.seq;
        // The receiving officer confirms; for a body outside, anybody but who recorded the hand-over.
        let right = match (to, from) {
            (Holder::Officer { user }, _) => *user == confirmation.by,
            _ => confirmation.by != by,
        };
        if !right {
            self.findings.push(ExhibitFinding::ConfirmedByAnother { seq, by: confirmation.by });
        }
        if confirmation.fact.when().is_some_and(|received| received < when) {
            self.findings.push(ExhibitFinding::ReceivedBeforeGiven { seq });
        }
    }
}
