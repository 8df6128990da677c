//! What the facts of one arrest or interview, and of one person's welfare, add up to.

use std::collections::BTreeMap;

use super::fact::{CustodyEnd, CustodyFact};
use super::welfare::{LeafletFor, Stage, TriggerKind, WelfareFact};
use crate::at::{At, Recorded};
use crate::clock::{Mark, Moment};
use crate::facts::{Facts, Stated};
use crate::ids::{CustodyId, PersonId};
use crate::law::Table;
use crate::leaflet::Service;

const HOUR: i64 = 3_600_000_000_000;

impl Stated for CustodyFact {
    fn when(&self) -> Option<At> {
        match self {
            CustodyFact::Arrested { when, .. }
            | CustodyFact::Attended { when, .. }
            | CustodyFact::Arrived { when, .. }
            | CustodyFact::Interviewed { when, .. }
            | CustodyFact::Bailed { when, .. }
            | CustodyFact::UnderInvestigation { when }
            | CustodyFact::Ended { when, .. } => Some(*when),
            CustodyFact::Extended { .. } | CustodyFact::Corrected { .. } => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            CustodyFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// The facts of one arrest or voluntary interview.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustodyState {
    suspect: Option<PersonId>,
    facts: Facts<CustodyFact>,
}

impl CustodyState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<(PersonId, CustodyFact)>) {
        let (suspect, fact) = recorded.fact.clone();
        self.suspect = Some(suspect);
        self.facts.add(&recorded.with(fact));
    }

    /// Whose.
    #[must_use]
    pub fn suspect(&self) -> Option<PersonId> {
        self.suspect
    }

    /// When the suspect was first arrested; none for a voluntary interview.
    #[must_use]
    pub fn arrested(&self) -> Option<At> {
        let arrests = self.facts.counting().filter_map(|r| match r.fact {
            CustodyFact::Arrested { when, .. } => Some(when),
            _ => None,
        });
        arrests.min()
    }

    /// When the police and the suspect first met here, with the number of the fact.
    #[must_use]
    pub fn contact(&self) -> Option<(u64, At)> {
        let meets = self.facts.counting().filter_map(|r| match r.fact {
            CustodyFact::Arrested { when, .. } | CustodyFact::Attended { when, .. } => Some((r.seq, when)),
            _ => None,
        });
        meets.min_by_key(|(seq, when)| (*when, *seq))
    }

    /// The custody record's or the interview's reference, as stated last.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.facts.counting().rev().find_map(|r| match &r.fact {
            CustodyFact::Arrested { reference, .. }
            | CustodyFact::Attended { reference, .. }
            | CustodyFact::Arrived { reference, .. } => reference.as_deref(),
            _ => None,
        })
    }

    /// How it ended, and when.
    #[must_use]
    pub fn ended(&self) -> Option<(At, CustodyEnd)> {
        self.facts.counting().rev().find_map(|r| match r.fact {
            CustodyFact::Ended { when, how, .. } => Some((when, how)),
            _ => None,
        })
    }

    /// In a few words: where it stands.
    #[must_use]
    pub fn status(&self) -> String {
        let last = self.facts.counting().rev().find_map(|r| {
            Some(match &r.fact {
                CustodyFact::Arrested { .. } => "arrested".to_owned(),
                CustodyFact::Attended { .. } => "voluntary interview".to_owned(),
                CustodyFact::Arrived { .. } | CustodyFact::Extended { .. } => "in custody".to_owned(),
                CustodyFact::Bailed { until, .. } => format!("on bail until {until}"),
                CustodyFact::UnderInvestigation { .. } => "released under investigation".to_owned(),
                CustodyFact::Ended { how, .. } => how.to_string(),
                CustodyFact::Interviewed { .. } | CustodyFact::Corrected { .. } => return None,
            })
        });
        last.unwrap_or_else(|| "begun".to_owned())
    }

    /// The moments that clocks go by.
    #[must_use]
    pub fn moments(&self, id: CustodyId) -> Vec<Moment> {
        let mut moments = vec![];
        let mut add = |mark, at, seq, due| moments.push(Moment { of: id.to_string(), mark, at, seq, due });
        if let Some((seq, when)) = self.contact() {
            add(Mark::Contact, when, seq, None);
        }
        let arrested = self.arrested();
        for r in self.facts.counting() {
            let seq = r.seq;
            match &r.fact {
                CustodyFact::Arrived { when, .. } => {
                    // The time counts from the arrival, and at the latest from 24 hours after the arrest.
                    let latest = arrested.map(|at| At::from_ns(at.ns().saturating_add(HOUR.saturating_mul(24))));
                    add(Mark::Detained, latest.map_or(*when, |latest| latest.min(*when)), seq, None);
                }
                CustodyFact::Extended { until, .. } => add(Mark::DetentionExtended, r.at, seq, Some(*until)),
                CustodyFact::Bailed { when, until, .. } => {
                    add(Mark::Released, *when, seq, None);
                    add(Mark::ContactEnded, *when, seq, None);
                    add(Mark::Bailed, *when, seq, Some(*until));
                }
                CustodyFact::UnderInvestigation { when } => {
                    add(Mark::Released, *when, seq, None);
                    add(Mark::ContactEnded, *when, seq, None);
                    add(Mark::BailEnded, *when, seq, None);
                }
                CustodyFact::Ended { when, how, .. } => {
                    add(Mark::Released, *when, seq, None);
                    add(Mark::ContactEnded, *when, seq, None);
                    add(Mark::BailEnded, *when, seq, None);
                    if *how == CustodyEnd::Charged {
                        add(Mark::Charged, *when, seq, None);
                    }
                }
                // Who came of their own will goes when the interview is over.
                CustodyFact::Interviewed { when, .. } if arrested.is_none() => {
                    add(Mark::ContactEnded, *when, seq, None);
                }
                CustodyFact::Arrested { .. }
                | CustodyFact::Attended { .. }
                | CustodyFact::Interviewed { .. }
                | CustodyFact::Corrected { .. } => {}
            }
        }
        moments
    }

    /// What does not fit, and what nobody has recorded. `before` says whether the suspect's own risk was assessed before
    /// this contact.
    #[must_use]
    pub fn findings(&self, before: bool) -> Vec<String> {
        let mut found = self.facts.findings();
        let contact = self.contact();
        let mut bail: Option<At> = None;
        for Recorded { seq, fact, .. } in self.facts.counting() {
            if let (Some(when), Some((_, first))) = (fact.when(), contact)
                && when < first
            {
                found.push(format!("entry {seq} lies before the suspect was arrested or came; check both times"));
            }
            match fact {
                CustodyFact::Bailed { when, until, .. } => {
                    if until <= when {
                        found.push(format!("entry {seq}: the bail ends before it begins; check both times"));
                    }
                    if bail.is_some_and(|bail| *when > bail) {
                        found.push(format!("entry {seq} carries bail on that had ended already; tell a supervisor"));
                    }
                    bail = Some(*until);
                }
                CustodyFact::Extended { .. } if self.arrested().is_none() => {
                    found.push(format!("entry {seq} extends a detention, and no arrest is recorded"));
                }
                _ => {}
            }
        }
        if contact.is_none() {
            found.push("neither an arrest nor a voluntary interview is recorded".to_owned());
        } else if !before {
            found.push(
                "the suspect's own risk of death was not assessed before this contact, or that is not recorded"
                    .to_owned(),
            );
        }
        if self.reference().is_none() {
            found.push("no custody or interview reference is recorded".to_owned());
        }
        found
    }
}

impl Stated for WelfareFact {
    fn when(&self) -> Option<At> {
        match self {
            WelfareFact::Assessed { when, .. }
            | WelfareFact::LeafletGiven { when, .. }
            | WelfareFact::SignPosted { when, .. }
            | WelfareFact::PhoneOffered { when, .. }
            | WelfareFact::ItemDone { when, .. } => Some(*when),
            WelfareFact::TriggerSet { .. } | WelfareFact::ToDo { .. } | WelfareFact::Corrected { .. } => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            WelfareFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// The facts of one person's welfare.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WelfareState {
    facts: Facts<WelfareFact>,
}

impl WelfareState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<WelfareFact>) {
        self.facts.add(recorded);
    }

    /// Every assessment, oldest first: when, at which point, and its level in the force's words.
    #[must_use]
    pub fn assessments(&self) -> Vec<(At, Stage, &str)> {
        self.facts
            .counting()
            .filter_map(|r| match &r.fact {
                WelfareFact::Assessed { when, stage, level, .. } => Some((*when, *stage, level.as_str())),
                _ => None,
            })
            .collect()
    }

    /// Whether the risk was assessed before a contact: for it by name, or at any time before it began.
    #[must_use]
    pub fn assessed_before(&self, contact: CustodyId, began: Option<At>) -> bool {
        self.facts.counting().any(|r| match &r.fact {
            WelfareFact::Assessed { when, stage: Stage::BeforeContact, custody, .. } => {
                custody.is_none_or(|custody| custody == contact) && began.is_none_or(|began| *when <= began)
            }
            _ => false,
        })
    }

    /// The dates on which the risk rises, by number.
    #[must_use]
    pub fn triggers(&self) -> BTreeMap<u32, (TriggerKind, At)> {
        let of = |r: &Recorded<WelfareFact>| match r.fact {
            WelfareFact::TriggerSet { trigger, kind, date } => Some((trigger, (kind, date))),
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// The leaflets given, oldest first.
    #[must_use]
    pub fn leaflets(&self) -> Vec<(At, LeafletFor)> {
        let of = |r: &Recorded<WelfareFact>| match r.fact {
            WelfareFact::LeafletGiven { when, leaflet, .. } => Some((when, leaflet)),
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// The moments that clocks go by. What names no arrest or interview counts for the last one before it, of `contacts`.
    #[must_use]
    pub fn moments(&self, person: PersonId, contacts: &BTreeMap<CustodyId, At>) -> Vec<Moment> {
        let mut moments = vec![];
        let belongs = |custody: &Option<CustodyId>, when: At| {
            let before = contacts.iter().filter(|(_, began)| **began <= when);
            custody.or_else(|| before.max_by_key(|(id, began)| (**began, **id)).map(|(id, _)| *id))
        };
        for r in self.facts.counting() {
            let mut add = |of: String, mark, at, due| moments.push(Moment { of, mark, at, seq: r.seq, due });
            match &r.fact {
                WelfareFact::Assessed { when, stage, custody, trigger, .. } => {
                    if let Some(trigger) = trigger {
                        add(format!("{person} trigger {trigger}"), Mark::WelfareAtTrigger, *when, None);
                    }
                    let mark = match stage {
                        Stage::BeforeContact => continue,
                        Stage::AfterContact => Mark::WelfareAfterContact,
                        Stage::FollowUp => Mark::WelfareFollowedUp,
                        Stage::Trigger => Mark::WelfareAtCharge,
                    };
                    if let Some(custody) = belongs(custody, *when) {
                        add(custody.to_string(), mark, *when, None);
                    }
                }
                WelfareFact::TriggerSet { trigger, date, .. } => {
                    add(format!("{person} trigger {trigger}"), Mark::TriggerSet, r.at, Some(*date));
                }
                WelfareFact::LeafletGiven { when, leaflet: LeafletFor::Suspect, custody, .. } => {
                    if let Some(custody) = belongs(custody, *when) {
                        add(custody.to_string(), Mark::LeafletGiven, *when, None);
                    }
                }
                WelfareFact::PhoneOffered { when, custody, .. } => {
                    if let Some(custody) = belongs(custody, *when) {
                        add(custody.to_string(), Mark::PhoneOffered, *when, None);
                    }
                }
                WelfareFact::ToDo { item, due, .. } => {
                    add(format!("{person} item {item}"), Mark::ItemOpen, r.at, Some(*due));
                }
                WelfareFact::ItemDone { item, when } => {
                    add(format!("{person} item {item}"), Mark::ItemDone, *when, None);
                }
                WelfareFact::LeafletGiven { .. } | WelfareFact::SignPosted { .. } | WelfareFact::Corrected { .. } => {}
            }
        }
        moments
    }

    /// What does not fit.
    #[must_use]
    pub fn findings(&self, services: &Table<Service>) -> Vec<String> {
        let mut found = self.facts.findings();
        let triggers = self.triggers();
        for Recorded { seq, fact, .. } in self.facts.counting() {
            match fact {
                WelfareFact::SignPosted { service, .. } if services.row(service).is_none() => found.push(format!(
                    "entry {seq} points to `{service}`, which the table of services does not have; record it again, \
                     or add it to services.toml"
                )),
                WelfareFact::Assessed { trigger: Some(trigger), .. } if !triggers.contains_key(trigger) => {
                    found.push(format!("entry {seq} is about date {trigger}, which is not recorded"));
                }
                WelfareFact::Assessed { level, .. } if level.trim().is_empty() => {
                    found.push(format!("entry {seq} assesses the risk and states no result"));
                }
                _ => {}
            }
        }
        found
    }
}
