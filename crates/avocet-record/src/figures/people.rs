//! What figures need of children, safeguarding and arrests. No name, no text: ids and times.

use std::collections::{BTreeMap, BTreeSet};

use crate::at::{At, Recorded};
use crate::correction;
use crate::custody::CustodyFact;
use crate::event::Event;
use crate::ids::{CustodyId, InvestigationId, PersonId, SafeguardingId};
use crate::people::{PersonFact, PersonRole};
use crate::risk::SafeguardingAction;
use crate::safeguard::{IdentificationFact, SafeguardingFact, Step, Subject};

/// When a step of identification was reached, by which entry, and which.
type Reached = (At, u64, Step);

type Facts<F> = BTreeMap<u64, Recorded<F>>;

/// Children, safeguarding and arrests.
#[derive(Debug, Default)]
pub(super) struct People {
    persons: BTreeMap<PersonId, (InvestigationId, Facts<PersonFact>)>,
    /// Lines of safeguarding that are for a child.
    lines: BTreeMap<SafeguardingId, (PersonId, Facts<SafeguardingFact>)>,
    identification: BTreeMap<PersonId, Facts<IdentificationFact>>,
    custody: BTreeMap<CustodyId, Facts<CustodyFact>>,
    /// The lowest id of the records that are of one person; made when it is first asked for.
    same: std::cell::OnceCell<BTreeMap<PersonId, PersonId>>,
}

impl People {
    pub fn apply(&mut self, recorded: &Recorded<Event>) {
        match &recorded.fact {
            Event::Person { investigation, person, fact } => {
                let (_, facts) = self.persons.entry(*person).or_insert_with(|| (*investigation, Facts::new()));
                add(facts, recorded, fact);
                self.same.take();
            }
            Event::Safeguarding { safeguarding, subject: Subject::Child { child }, fact, .. } => {
                let (_, facts) = self.lines.entry(*safeguarding).or_insert_with(|| (*child, Facts::new()));
                add(facts, recorded, fact);
            }
            Event::Identification { child, fact, .. } => {
                add(self.identification.entry(*child).or_default(), recorded, fact);
            }
            Event::Custody { custody, fact, .. } => add(self.custody.entry(*custody).or_default(), recorded, fact),
            _ => {}
        }
    }

    /// When each child was safeguarded, by the lowest id of the records that are of that child.
    pub fn safeguarded(&self) -> BTreeMap<PersonId, Vec<At>> {
        let mut acts: BTreeMap<PersonId, Vec<At>> = BTreeMap::new();
        for (child, facts) in self.lines.values() {
            let counting = counting(facts, |fact| match fact {
                SafeguardingFact::Corrected { wrong, .. } => Some(*wrong),
                _ => None,
            });
            let times = counting.filter_map(|recorded| match &recorded.fact {
                SafeguardingFact::Acknowledged { when, .. } | SafeguardingFact::Protected { when, .. } => Some(*when),
                SafeguardingFact::Acted { when, action, .. } if protects(*action) => Some(*when),
                _ => None,
            });
            acts.entry(self.one(*child)).or_default().extend(times);
        }
        acts.retain(|_, times| !times.is_empty());
        acts
    }

    /// When each child whom nobody could name at first was first identified.
    pub fn identified(&self) -> BTreeMap<PersonId, At> {
        let unnamed: BTreeSet<PersonId> = self.children(true).map(|(id, _)| id).collect();
        let reached = self.reached().into_iter().filter(|(child, _)| unnamed.contains(child));
        let first = |steps: Vec<Reached>| {
            steps.into_iter().filter(|(.., step)| *step >= Step::Identified).map(|(when, ..)| when).min()
        };
        reached.filter_map(|(child, steps)| Some((child, first(steps)?))).collect()
    }

    /// The steps of identification that were reached, for each child.
    fn reached(&self) -> BTreeMap<PersonId, Vec<Reached>> {
        let mut reached: BTreeMap<PersonId, Vec<Reached>> = BTreeMap::new();
        for (child, facts) in &self.identification {
            let counting = counting(facts, |fact| match fact {
                IdentificationFact::Corrected { wrong, .. } => Some(*wrong),
                _ => None,
            });
            let steps = counting.filter_map(|recorded| match &recorded.fact {
                IdentificationFact::Reached { when, step, .. } => Some((*when, recorded.seq, *step)),
                _ => None,
            });
            reached.entry(self.one(*child)).or_default().extend(steps);
        }
        reached
    }

    /// The children known before an instant whom nobody could name at that instant.
    pub fn unidentified(&self, end: At) -> BTreeSet<PersonId> {
        // The step reached last counts: an identification can turn out to be wrong.
        let last = |steps: Vec<Reached>| {
            let before = steps.into_iter().filter(|(when, ..)| *when < end);
            before.max().is_some_and(|(.., step)| step >= Step::Identified)
        };
        let identified: BTreeSet<PersonId> =
            self.reached().into_iter().filter_map(|(child, steps)| last(steps).then_some(child)).collect();
        // Who turned out to be somebody with a name is known, whether or not anybody stated the step.
        let named: BTreeSet<PersonId> =
            self.children(false).filter(|(_, known)| *known < end).map(|(id, _)| id).collect();
        let known = self.children(true).filter(|(_, known)| *known < end).map(|(id, _)| id);
        known.filter(|id| !named.contains(id) && !identified.contains(id)).collect()
    }

    /// Arrests with when they were made.
    pub fn arrests(&self) -> impl Iterator<Item = (CustodyId, At)> {
        self.custody_at(|fact| match fact {
            CustodyFact::Arrested { when, .. } => Some(*when),
            _ => None,
        })
    }

    /// Arrests and voluntary interviews with when they were made or held.
    pub fn arrests_or_interviews(&self) -> impl Iterator<Item = (CustodyId, At)> {
        self.custody_at(|fact| match fact {
            CustodyFact::Arrested { when, .. } | CustodyFact::Attended { when, .. } => Some(*when),
            _ => None,
        })
    }

    /// The investigations of the records that are of each person.
    pub fn investigations(&self) -> BTreeMap<PersonId, BTreeSet<InvestigationId>> {
        let mut of: BTreeMap<PersonId, BTreeSet<InvestigationId>> = BTreeMap::new();
        for (id, (investigation, _)) in &self.persons {
            of.entry(self.one(*id)).or_default().insert(*investigation);
        }
        of
    }

    fn custody_at(&self, when: impl Fn(&CustodyFact) -> Option<At>) -> impl Iterator<Item = (CustodyId, At)> {
        self.custody.iter().filter_map(move |(id, facts)| {
            let counting = counting(facts, |fact| match fact {
                CustodyFact::Corrected { wrong, .. } => Some(*wrong),
                _ => None,
            });
            Some((*id, counting.filter_map(|recorded| when(&recorded.fact)).min()?))
        })
    }

    /// Children whom nobody could name when a record of theirs began, or whom somebody could, and when the team first knew
    /// of each so.
    fn children(&self, unnamed: bool) -> impl Iterator<Item = (PersonId, At)> {
        let mut first: BTreeMap<PersonId, At> = BTreeMap::new();
        for (id, (_, facts)) in &self.persons {
            let made = counting_of_person(facts).find_map(|recorded| match &recorded.fact {
                PersonFact::Made { known, roles, unidentified }
                    if *unidentified == unnamed && roles.contains(&PersonRole::Child) =>
                {
                    Some(*known)
                }
                _ => None,
            });
            if let Some(known) = made {
                first.entry(self.one(*id)).and_modify(|first| *first = known.min(*first)).or_insert(known);
            }
        }
        first.into_iter()
    }

    /// The lowest id of the records that are of the same person.
    fn one(&self, id: PersonId) -> PersonId {
        let same = self.same.get_or_init(|| self.merged());
        same.get(&id).copied().unwrap_or(id)
    }

    /// What was said last of each pair decides; who is the same as one who is the same is the same.
    fn merged(&self) -> BTreeMap<PersonId, PersonId> {
        let mut pairs: BTreeMap<(PersonId, PersonId), (u64, bool)> = BTreeMap::new();
        for (id, (_, facts)) in &self.persons {
            for recorded in counting_of_person(facts) {
                let (other, same) = match &recorded.fact {
                    PersonFact::SameAs { other, .. } => (*other, true),
                    PersonFact::NotSameAs { other, .. } => (*other, false),
                    _ => continue,
                };
                let said = pairs.entry((other.min(*id), other.max(*id))).or_default();
                if recorded.seq >= said.0 {
                    *said = (recorded.seq, same);
                }
            }
        }
        let mut one: BTreeMap<PersonId, PersonId> = BTreeMap::new();
        for ((low, high), _) in pairs.into_iter().filter(|(_, (_, same))| *same) {
            let of = |id: PersonId, one: &BTreeMap<PersonId, PersonId>| one.get(&id).copied().unwrap_or(id);
            let (a, b) = (of(low, &one), of(high, &one));
            let (keep, give) = (a.min(b), a.max(b));
            for held in one.values_mut().filter(|held| **held == give) {
                *held = keep;
            }
            one.insert(low, keep);
            one.insert(high, keep);
            one.insert(give, keep);
        }
        one
    }
}

/// Whether an action makes a child safe, rather than tells or asks somebody who may.
fn protects(action: SafeguardingAction) -> bool {
    match action {
        SafeguardingAction::ChildSeen | SafeguardingAction::ChildMoved | SafeguardingAction::SuspectKeptAway => true,
        SafeguardingAction::SocialCareTold
        | SafeguardingAction::StrategyDiscussion
        | SafeguardingAction::DesignatedOfficerTold
        | SafeguardingAction::Other => false,
    }
}

fn add<F: Clone>(facts: &mut Facts<F>, recorded: &Recorded<Event>, fact: &F) {
    let Recorded { seq, at, by, .. } = *recorded;
    facts.insert(seq, Recorded { seq, at, by, fact: fact.clone() });
}

/// The facts that no correction strikes.
fn counting<F>(facts: &Facts<F>, wrong: impl Fn(&F) -> Option<u64>) -> impl Iterator<Item = &Recorded<F>> {
    let struck = correction::struck(facts, wrong);
    facts.values().filter(move |recorded| !struck.contains_key(&recorded.seq))
}

fn counting_of_person(facts: &Facts<PersonFact>) -> impl Iterator<Item = &Recorded<PersonFact>> {
    counting(facts, |fact| match fact {
        PersonFact::Corrected { wrong, .. } => Some(*wrong),
        _ => None,
    })
}
