//! What the facts about one child's identity and side add up to.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::Sha256;

use super::care::{CareFact, CareKind, InterviewKind, MeasureAnswer, StatementStage};
use super::identify::{IdentificationFact, LeadKind, Step, Strength};
use crate::at::{At, Recorded};
use crate::clock::{Mark, Moment};
use crate::facts::{Facts, Stated};
use crate::ids::{InvestigationId, PersonId, UserId};

impl Stated for IdentificationFact {
    fn when(&self) -> Option<At> {
        match self {
            IdentificationFact::Reached { when, .. }
            | IdentificationFact::Uploaded { when, .. }
            | IdentificationFact::Rested { when, .. } => Some(*when),
            _ => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            IdentificationFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// A lead, as stated last. None is proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    /// The fact that states it.
    pub seq: u64,
    /// What it goes by.
    pub kind: LeadKind,
    /// How far it carries.
    pub strength: Strength,
    /// The medium that it comes from.
    pub media: Option<Sha256>,
    /// The investigation in which it was seen before.
    pub seen_in: Option<InvestigationId>,
    /// Whether it led on; none while it is open.
    pub held: Option<bool>,
}

/// A step, with who stated it, when it was and from what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepTaken {
    /// The fact that states it.
    pub seq: u64,
    /// By whom.
    pub by: UserId,
    /// When it was.
    pub when: At,
    /// How far it is.
    pub step: Step,
    /// The media that it rests on.
    pub media: Vec<Sha256>,
    /// The leads that it rests on.
    pub leads: Vec<u32>,
}

/// The facts about who one child is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdentificationState {
    facts: Facts<IdentificationFact>,
}

impl IdentificationState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<IdentificationFact>) {
        self.facts.add(recorded);
    }

    /// Whether nothing is recorded of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Every step, oldest first.
    #[must_use]
    pub fn steps(&self) -> Vec<StepTaken> {
        let of = |r: &Recorded<IdentificationFact>| match &r.fact {
            IdentificationFact::Reached { when, step, media, leads, .. } => Some(StepTaken {
                seq: r.seq,
                by: r.by,
                when: *when,
                step: *step,
                media: media.clone(),
                leads: leads.clone(),
            }),
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// How far it is: the step stated last; before any, `lead` where a lead is open, else where the record began.
    /// `unidentified` says whether nobody could name the child when its record began.
    #[must_use]
    pub fn step(&self, unidentified: bool) -> Step {
        let open = self.leads().values().any(|lead| lead.held != Some(false));
        let began = if unidentified { Step::Unidentified } else { Step::Identified };
        match self.steps().last().map_or(began, |taken| taken.step) {
            Step::Unidentified if open => Step::Lead,
            step => step,
        }
    }

    /// The media that the child is in, as far as stated.
    #[must_use]
    pub fn media(&self) -> BTreeSet<Sha256> {
        let mut media = BTreeSet::new();
        for r in self.facts.counting() {
            match &r.fact {
                IdentificationFact::SeenIn { media: seen } => media.extend(seen.iter().copied()),
                IdentificationFact::Lead { media: from, .. } => media.extend(*from),
                _ => {}
            }
        }
        media
    }

    /// The leads by number.
    #[must_use]
    pub fn leads(&self) -> BTreeMap<u32, Lead> {
        let mut leads: BTreeMap<u32, Lead> = BTreeMap::new();
        for r in self.facts.counting() {
            match &r.fact {
                IdentificationFact::Lead { lead, kind, strength, media, seen_in, .. } => {
                    let (kind, strength, media, seen_in) = (*kind, *strength, *media, *seen_in);
                    leads.insert(*lead, Lead { seq: r.seq, kind, strength, media, seen_in, held: None });
                }
                IdentificationFact::LeadEnded { lead, held, .. } => {
                    if let Some(lead) = leads.get_mut(lead) {
                        lead.held = Some(*held);
                    }
                }
                _ => {}
            }
        }
        leads
    }

    /// What was given to which system, oldest first: its reach and name.
    #[must_use]
    pub fn uploads(&self) -> Vec<(At, String)> {
        let of = |r: &Recorded<IdentificationFact>| match &r.fact {
            IdentificationFact::Uploaded { when, reach, system, .. } => Some((*when, format!("{reach}: {system}"))),
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// Since when work on it rests, where nothing was stated later.
    #[must_use]
    pub fn rests(&self) -> Option<(At, Option<PersonId>)> {
        match self.facts.counting().next_back().map(|r| &r.fact) {
            Some(IdentificationFact::Rested { when, see, .. }) => Some((*when, *see)),
            _ => None,
        }
    }

    /// The moments that clocks go by.
    #[must_use]
    pub fn moments(&self, child: PersonId) -> Vec<Moment> {
        let mut moments = vec![];
        for r in self.facts.counting() {
            if let IdentificationFact::Reached { when, step: Step::Safeguarded, .. } = &r.fact {
                let (of, mark) = (child.to_string(), Mark::ChildSafeguardingBegun);
                moments.push(Moment { of, mark, at: *when, seq: r.seq, due: None });
            }
        }
        if let (Some((at, _)), Some(last)) = (self.rests(), self.facts.counting().next_back()) {
            let (of, mark) = (child.to_string(), Mark::ChildRests);
            moments.push(Moment { of, mark, at, seq: last.seq, due: None });
        }
        moments
    }

    /// What does not fit, and what nobody has said.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let mut found = self.facts.findings();
        let leads = self.leads();
        for r in self.facts.counting() {
            match &r.fact {
                IdentificationFact::Reached { step, media, leads: on, note, .. } if *step > Step::Lead => {
                    if media.is_empty() && on.is_empty() && note.is_none() {
                        found.push(format!("entry {} says {step} and not from what; record what it rests on", r.seq));
                    }
                    if *step == Step::Identified && note.is_none() && !on.is_empty() {
                        found.push(format!(
                            "entry {} identifies a child by leads alone, and a lead is no proof; record what confirms \
                             it",
                            r.seq
                        ));
                    }
                    for lead in on {
                        match leads.get(lead) {
                            None => found.push(format!("entry {} rests on lead {lead}, which is not recorded", r.seq)),
                            Some(lead_state) if lead_state.held == Some(false) => found.push(format!(
                                "entry {} rests on lead {lead}, which did not hold; look at it again",
                                r.seq
                            )),
                            Some(_) => {}
                        }
                    }
                }
                IdentificationFact::LeadEnded { lead, .. } if !leads.contains_key(lead) => {
                    found.push(format!("entry {} ends lead {lead}, which is not recorded", r.seq));
                }
                _ => {}
            }
        }
        let mut before: Option<Step> = None;
        for taken in self.steps() {
            if before.is_some_and(|before| taken.step < before) {
                found.push(format!(
                    "entry {} goes back to {}; where the earlier step was wrong, correct it so that it no longer \
                     counts",
                    taken.seq, taken.step
                ));
            }
            before = Some(taken.step);
        }
        found
    }
}

impl Stated for CareFact {
    fn when(&self) -> Option<At> {
        match self {
            CareFact::SupportOffered { when, .. }
            | CareFact::SupportAnswered { when, .. }
            | CareFact::Wishes { when, .. }
            | CareFact::ToTell { when, .. }
            | CareFact::Told { when, .. }
            | CareFact::Interviewed { when, .. }
            | CareFact::Measure { when, .. }
            | CareFact::Statement { when, .. } => Some(*when),
            CareFact::NotToTell { .. } | CareFact::InterviewPlanned { .. } | CareFact::Corrected { .. } => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            CareFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// The facts about one child's side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CareState {
    facts: Facts<CareFact>,
}

impl CareState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<CareFact>) {
        self.facts.add(recorded);
    }

    /// The offers of help by number: which service, and whether it is taken up; none while nobody has answered.
    #[must_use]
    pub fn offers(&self) -> BTreeMap<u32, (String, Option<bool>)> {
        let mut offers = BTreeMap::new();
        for r in self.facts.counting() {
            match &r.fact {
                CareFact::SupportOffered { offer, service, .. } => {
                    offers.insert(*offer, (service.clone(), None));
                }
                CareFact::SupportAnswered { offer, taken_up, .. } => {
                    if let Some(offer) = offers.get_mut(offer) {
                        offer.1 = Some(*taken_up);
                    }
                }
                _ => {}
            }
        }
        offers
    }

    /// What is or was to be told by number, and when it was.
    #[must_use]
    pub fn news(&self) -> BTreeMap<u32, (CareKind, Option<At>)> {
        let mut news = BTreeMap::new();
        for r in self.facts.counting() {
            match &r.fact {
                CareFact::ToTell { news: number, about, .. } => {
                    news.insert(*number, (*about, None));
                }
                CareFact::Told { news: number, when, .. } => {
                    if let Some(news) = news.get_mut(number) {
                        news.1 = Some(*when);
                    }
                }
                _ => {}
            }
        }
        news
    }

    /// The special measures, as stated last.
    #[must_use]
    pub fn measures<'a>(&'a self) -> BTreeMap<&'a str, MeasureAnswer> {
        let of = |r: &'a Recorded<CareFact>| match &r.fact {
            CareFact::Measure { measure, answer, .. } => Some((measure.as_str(), *answer)),
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// Where the personal statement stands.
    #[must_use]
    pub fn statement(&self) -> Option<StatementStage> {
        self.facts.counting().rev().find_map(|r| match r.fact {
            CareFact::Statement { stage, .. } => Some(stage),
            _ => None,
        })
    }

    /// How and when the child was heard, oldest first.
    #[must_use]
    pub fn interviews(&self) -> Vec<(At, InterviewKind)> {
        let of = |r: &Recorded<CareFact>| match r.fact {
            CareFact::Interviewed { when, kind, .. } => Some((when, kind)),
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// How often the child's wishes were recorded.
    #[must_use]
    pub fn wishes(&self) -> usize {
        self.facts.counting().filter(|r| matches!(r.fact, CareFact::Wishes { .. })).count()
    }

    /// The moments that clocks go by.
    #[must_use]
    pub fn moments(&self, child: PersonId) -> Vec<Moment> {
        let mut moments = vec![];
        for r in self.facts.counting() {
            let mut add = |of: String, mark, at, due| moments.push(Moment { of, mark, at, seq: r.seq, due });
            let news_of = |news: u32| format!("{child} news {news}");
            match &r.fact {
                CareFact::ToTell { when, news, about } => {
                    let mark = match about {
                        CareKind::Rights => Mark::NewsRights,
                        CareKind::Arrest => Mark::NewsArrest,
                        CareKind::Release => Mark::NewsRelease,
                        CareKind::Decision => Mark::NewsDecision,
                        CareKind::Hearing | CareKind::Result => Mark::NewsCourt,
                        CareKind::Other => Mark::NewsOther,
                    };
                    add(news_of(*news), mark, *when, None);
                }
                CareFact::Told { when, news, .. } => add(news_of(*news), Mark::NewsTold, *when, None),
                CareFact::NotToTell { news, .. } => add(news_of(*news), Mark::NewsWithheld, r.at, None),
                CareFact::InterviewPlanned { when, .. } => {
                    add(child.to_string(), Mark::InterviewPlanned, r.at, Some(*when));
                }
                CareFact::Interviewed { when, .. } => add(child.to_string(), Mark::Interviewed, *when, None),
                _ => {}
            }
        }
        moments
    }

    /// What does not fit, and what nobody has done or said.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let mut found = self.facts.findings();
        let (offers, news) = (self.offers(), self.news());
        for r in self.facts.counting() {
            match &r.fact {
                CareFact::SupportAnswered { offer, .. } if !offers.contains_key(offer) => {
                    found.push(format!("entry {} answers offer {offer}, which is not recorded", r.seq));
                }
                CareFact::Told { news: number, .. } | CareFact::NotToTell { news: number, .. }
                    if !news.contains_key(number) =>
                {
                    found.push(format!("entry {} is about news {number}, which is not recorded", r.seq));
                }
                _ => {}
            }
        }
        if offers.is_empty() {
            found.push("no help has been offered".to_owned());
        }
        let open = offers.iter().filter(|(_, (_, taken))| taken.is_none());
        found.extend(open.map(|(offer, (service, _))| format!("nobody has answered offer {offer} ({service})")));
        if self.wishes() == 0 {
            found.push("nobody has recorded what the child wants".to_owned());
        }
        for (measure, answer) in self.measures() {
            if answer == MeasureAnswer::Asked {
                found.push(format!("there is no answer yet about the special measure `{measure}`"));
            }
        }
        if self.statement().is_none() {
            found.push("no personal statement has been offered".to_owned());
        }
        found
    }
}
