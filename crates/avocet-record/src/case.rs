//! The people of one investigation, or of a part of it, and everything about them, as facts add up.

use std::collections::{BTreeMap, BTreeSet};

use crate::at::{At, Recorded};
use crate::clock::Moment;
use crate::custody::{CustodyState, WelfareState};
use crate::event::Event;
use crate::ids::{CustodyId, PersonId, SafeguardingId, WarrantId};
use crate::law::Law;
use crate::people::{PersonRole, PersonState, Same};
use crate::safeguard::{CareKind, CareState, IdentificationState, SafeguardingState, Subject};
use crate::warrant::WarrantState;

/// Everything about one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFile {
    /// Who they are.
    pub person: PersonState,
    /// How far it is with finding out who the child is.
    pub identification: IdentificationState,
    /// The child's side.
    pub care: CareState,
    /// Their own risk, and what was given to them.
    pub welfare: WelfareState,
}

/// The people of an investigation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Case {
    /// Each person.
    pub people: BTreeMap<PersonId, PersonFile>,
    /// Each line of safeguarding.
    pub safeguarding: BTreeMap<SafeguardingId, SafeguardingState>,
    /// Each arrest and voluntary interview.
    pub custody: BTreeMap<CustodyId, CustodyState>,
    /// Each warrant.
    pub warrants: BTreeMap<WarrantId, WarrantState>,
    children: BTreeSet<PersonId>,
}

impl Case {
    /// What facts add up to, in the order of the ledger.
    #[must_use]
    pub fn of(facts: &[Recorded<Event>]) -> Self {
        let mut case = Self::default();
        facts.iter().for_each(|fact| case.apply(fact));
        case
    }

    /// Adds a fact. The order in which facts are added does not matter but for warrants, whose facts come in the order of
    /// the ledger.
    pub fn apply(&mut self, recorded: &Recorded<Event>) {
        self.children.extend(recorded.fact.child());
        match &recorded.fact {
            Event::Person { person, fact, .. } => {
                self.people.entry(*person).or_default().person.apply(&recorded.with(fact.clone()));
            }
            Event::Identification { child, fact, .. } => {
                self.people.entry(*child).or_default().identification.apply(&recorded.with(fact.clone()));
            }
            Event::Care { child, fact, .. } => {
                self.people.entry(*child).or_default().care.apply(&recorded.with(fact.clone()));
            }
            Event::Welfare { person, fact, .. } => {
                self.people.entry(*person).or_default().welfare.apply(&recorded.with(fact.clone()));
            }
            Event::Safeguarding { safeguarding, subject, fact, .. } => {
                let line = self.safeguarding.entry(*safeguarding).or_default();
                line.apply(&recorded.with((*subject, fact.clone())));
            }
            Event::Custody { custody, suspect, fact, .. } => {
                let one = self.custody.entry(*custody).or_default();
                one.apply(&recorded.with((*suspect, fact.clone())));
            }
            Event::Warrant { warrant, fact, .. } => {
                self.warrants.entry(*warrant).or_default().apply(&recorded.with(fact.clone()));
            }
            _ => {}
        }
    }

    /// Whether somebody is, or ever was, stated to be a child: what was restricted stays so.
    #[must_use]
    pub fn is_child(&self, person: PersonId) -> bool {
        self.children.contains(&person)
    }

    /// Which records are of one person.
    #[must_use]
    pub fn same(&self) -> Same {
        Same::of(self.people.iter().map(|(id, file)| (*id, &file.person)))
    }

    /// When the police and a person met, by arrest or interview.
    fn contacts(&self, person: PersonId) -> BTreeMap<CustodyId, At> {
        let theirs = self.custody.iter().filter(|(_, state)| state.suspect() == Some(person));
        theirs.filter_map(|(id, state)| Some((*id, state.contact()?.1))).collect()
    }

    /// The moments that clocks go by, from the facts of one thing: a person, a line of safeguarding, an arrest, a
    /// warrant.
    #[must_use]
    pub fn moments_of(&self, thing: &str) -> Vec<Moment> {
        if let Ok(id) = thing.parse::<PersonId>() {
            let Some(file) = self.people.get(&id) else { return vec![] };
            let mut moments = file.person.moments(id);
            moments.extend(file.identification.moments(id));
            moments.extend(file.care.moments(id));
            moments.extend(file.welfare.moments(id, &self.contacts(id)));
            return moments;
        }
        if let Ok(id) = thing.parse::<SafeguardingId>() {
            return self.safeguarding.get(&id).map_or_else(Vec::new, |state| state.moments(id));
        }
        if let Ok(id) = thing.parse::<WarrantId>() {
            return self.warrants.get(&id).map_or_else(Vec::new, |state| state.moments(id));
        }
        let custody = thing.parse::<CustodyId>().ok().and_then(|id| Some((id, self.custody.get(&id)?)));
        custody.map_or_else(Vec::new, |(id, state)| state.moments(id))
    }

    /// What does not fit with one person, and what nobody has done or said.
    #[must_use]
    pub fn findings_of(&self, person: PersonId, law: &Law) -> Vec<String> {
        let Some(file) = self.people.get(&person) else { return vec![] };
        let mut found = file.person.findings();
        found.extend(file.identification.findings());
        found.extend(file.welfare.findings(&law.services));
        let roles = file.person.roles();
        if roles.contains(&PersonRole::Child) {
            found.extend(file.care.findings());
            let told = file.care.news().into_values().any(|(about, _)| about == CareKind::Arrest);
            let contact = self.custody.iter().find(|(_, custody)| custody.contact().is_some());
            if let Some((custody, _)) = contact.filter(|_| !told) {
                found.push(format!(
                    "somebody was arrested or interviewed ({custody}), and nothing says whether the child or the family \
                     is to be told; record it as news, to be told or not"
                ));
            }
        } else if self.is_child(person) {
            found
                .push("this was recorded as a child and is no longer; the record stays as restricted as it was".into());
        }
        if file.person.made().is_none() {
            found.push("the record of this person has no beginning".to_owned());
        }
        let apart = self.same().contradictions();
        found.extend(apart.iter().filter(|(a, b)| *a == person || *b == person).map(|(a, b)| {
            format!(
                "{a} and {b} are said not to be one person, and are joined through others; part those or join these"
            )
        }));
        found
    }

    /// What does not fit with a line of safeguarding, and what is still to do.
    #[must_use]
    pub fn findings_about(&self, id: SafeguardingId, law: &Law) -> Vec<String> {
        let Some(state) = self.safeguarding.get(&id) else { return vec![] };
        let work = match state.subject() {
            Some(Subject::Work { person, work }) => {
                self.people.get(&person).and_then(|file| file.person.works().get(&work).cloned())
            }
            _ => None,
        };
        let mut found = state.findings(work.as_ref().and_then(|work| work.area.as_deref()), &law.sharing_powers);
        if let Some(Subject::Work { person, work: number }) = state.subject() {
            if work.is_none() {
                found.push(format!("{person} has no work {number} on record; record it"));
            }
            // What ends without a trial, or with one, is to be passed on without delay.
            let ended = self.custody.values().filter(|custody| custody.suspect() == Some(person));
            let last = ended.filter_map(CustodyState::ended).max_by_key(|(when, _)| *when);
            if let Some((when, how)) = last
                && !state.told_since(when)
            {
                found.push(format!(
                    "the matter ended on {when} ({how}); what matters for discipline or employment is to be passed on \
                     without delay, and nothing is recorded since"
                ));
            }
        }
        found
    }

    /// What does not fit with an arrest or interview.
    #[must_use]
    pub fn findings_on(&self, id: CustodyId) -> Vec<String> {
        let Some(state) = self.custody.get(&id) else { return vec![] };
        let began = state.contact().map(|(_, when)| when);
        let welfare = state.suspect().and_then(|person| self.people.get(&person)).map(|file| &file.welfare);
        state.findings(welfare.is_some_and(|welfare| welfare.assessed_before(id, began)))
    }
}
