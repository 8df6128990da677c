//! What the facts up to a cut-off say, as far as figures need it.

use std::collections::BTreeMap;

use crate::at::{At, Recorded};
use crate::case::Case;
use crate::event::Event;
use crate::exhibit::ExhibitState;
use crate::ids::{ExhibitId, InvestigationId, OutcomeId, PersonId, ReferralId, UserId, WarrantId};
use crate::outcome::OutcomeState;
use crate::review::ReviewFact;
use crate::risk::{LevelId, RiskFact};
use crate::vote::{Basis, VoteFact};
use crate::warrant::WarrantFact;

/// The last fact that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    /// The entry with this number.
    Entry(u64),
    /// The last one before anything that was recorded after this instant.
    Instant(At),
}

/// A referral.
#[derive(Debug, Clone)]
pub(super) struct Referral {
    pub received: At,
    pub source: String,
    /// When it was put into an investigation.
    pub linked: Option<At>,
}

/// An investigation.
#[derive(Debug, Clone)]
pub(super) struct Investigation {
    pub received: At,
    pub level: Option<LevelId>,
}

/// A picture or video that somebody viewed.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub seq: u64,
    pub at: At,
    pub by: UserId,
}

/// Everything that figures are counted from.
#[derive(Debug, Default)]
pub struct Book {
    pub(super) referrals: BTreeMap<ReferralId, Referral>,
    pub(super) investigations: BTreeMap<InvestigationId, Investigation>,
    /// The entries under each warrant.
    pub(super) entries: BTreeMap<WarrantId, (InvestigationId, Vec<At>)>,
    pub(super) exhibits: BTreeMap<ExhibitId, ExhibitState>,
    /// When an examination of an exhibit was first attached.
    pub(super) examined: BTreeMap<ExhibitId, At>,
    pub(super) outcomes: BTreeMap<OutcomeId, (InvestigationId, OutcomeState)>,
    /// Persons, safeguarding, identification, arrests.
    pub(super) case: Case,
    /// The investigation of each record of a person.
    pub(super) investigation_of: BTreeMap<PersonId, InvestigationId>,
    pub(super) views: Vec<View>,
    /// Clear pictures that somebody was shown.
    pub(super) clear: Vec<View>,
}

impl Book {
    /// Adds a fact, in the order of the ledger.
    pub fn apply(&mut self, recorded: &Recorded<Event>) {
        let Recorded { seq, at, by, fact } = recorded;
        let (seq, at, by) = (*seq, *at, *by);
        match fact {
            Event::ReferralReceived { referral, source, received, .. } => {
                let row = Referral { received: *received, source: source.clone(), linked: None };
                self.referrals.insert(*referral, row);
            }
            Event::ReferralLinked { referral, .. } => self.link(*referral, at),
            Event::InvestigationOpened { investigation, received, referrals, .. } => {
                let row = Investigation { received: *received, level: None };
                self.investigations.insert(*investigation, row);
                for referral in referrals {
                    self.link(*referral, at);
                }
            }
            Event::Risk {
                fact:
                    RiskFact::Assessed { investigation, level, .. } | RiskFact::Overridden { investigation, level, .. },
            } => {
                if let Some(row) = self.investigations.get_mut(investigation) {
                    row.level = Some(level.clone());
                }
            }
            Event::Warrant { investigation, warrant, fact: WarrantFact::Entered { when, .. } } => {
                self.entries.entry(*warrant).or_insert((*investigation, vec![])).1.push(*when);
            }
            Event::Exhibit { exhibit, fact, .. } => {
                let fact = fact.clone();
                self.exhibits.entry(*exhibit).or_default().apply(&Recorded { seq, at, by, fact });
            }
            // An interim result is of an examination that still goes on.
            Event::ExaminationAttached { exhibit, interim: false, .. } => {
                self.examined.entry(*exhibit).or_insert(at);
            }
            Event::Outcome { investigation, outcome, fact } => {
                let (_, state) =
                    self.outcomes.entry(*outcome).or_insert_with(|| (*investigation, OutcomeState::default()));
                state.apply(&Recorded { seq, at, by, fact: fact.clone() });
            }
            Event::Vote { fact: VoteFact::Voted { basis: Basis::Viewed {}, .. }, .. } => {
                self.views.push(View { seq, at, by });
            }
            Event::Review { fact: ReviewFact::ClearBegan { .. }, .. } => self.clear.push(View { seq, at, by }),
            Event::Person { investigation, person, .. } => {
                self.investigation_of.insert(*person, *investigation);
                self.case.apply(recorded);
            }
            // What is not needed is not kept: a whole record is read.
            Event::Safeguarding { .. } | Event::Identification { .. } | Event::Custody { .. } => {
                self.case.apply(recorded)
            }
            _ => {}
        }
    }

    fn link(&mut self, referral: ReferralId, at: At) {
        if let Some(row) = self.referrals.get_mut(&referral) {
            row.linked.get_or_insert(at);
        }
    }
}
