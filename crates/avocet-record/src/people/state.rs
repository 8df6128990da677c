//! What the facts of one person add up to, and which records are of one person.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{LinkKind, PersonFact, PersonRole, WorkKind, Yes};
use crate::at::{At, Recorded};
use crate::clock::{Mark, Moment};
use crate::facts::{Facts, Stated};
use crate::ids::PersonId;
use crate::personal::Personal;

impl Stated for PersonFact {
    fn when(&self) -> Option<At> {
        match self {
            PersonFact::Made { known, .. } | PersonFact::Work { known, .. } => Some(*known),
            PersonFact::WorkEnded { when, .. } => Some(*when),
            _ => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            PersonFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// What somebody does, as stated last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The fact that states it.
    pub seq: u64,
    /// How.
    pub kind: WorkKind,
    /// When the team first knew of it.
    pub known: At,
    /// Whether they work with children.
    pub with_children: Yes,
    /// Whether it is a position of trust.
    pub trust: Yes,
    /// The local authority in whose area they work.
    pub area: Option<String>,
    /// What and for whom.
    pub what: Option<Personal<String>>,
    /// Since when they no longer do it.
    pub ended: Option<At>,
}

/// An address, as stated last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub text: Personal<String>,
    /// The local authority whose area it is in.
    pub area: Option<String>,
    /// Until when.
    pub until: Option<At>,
}

/// What identifies somebody, as stated last, still sealed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// Their name.
    pub name: Option<Personal<String>>,
    /// When they were born.
    pub born: Option<Personal<String>>,
    /// How they are reached.
    pub contact: Option<Personal<String>>,
    /// Anything else.
    pub note: Option<Personal<String>>,
}

/// The facts of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonState {
    facts: Facts<PersonFact>,
}

impl PersonState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<PersonFact>) {
        self.facts.add(recorded);
    }

    /// Their roles.
    #[must_use]
    pub fn roles(&self) -> BTreeSet<PersonRole> {
        let last = self.facts.counting().rev().find_map(|r| match &r.fact {
            PersonFact::Made { roles, .. } | PersonFact::RolesStated { roles, .. } => Some(roles.clone()),
            _ => None,
        });
        last.unwrap_or_default()
    }

    /// When the team first knew of them, and whether nobody could say then who it was.
    #[must_use]
    pub fn made(&self) -> Option<(At, bool)> {
        self.facts.counting().find_map(|r| match &r.fact {
            PersonFact::Made { known, unidentified, .. } => Some((*known, *unidentified)),
            _ => None,
        })
    }

    /// What identifies them.
    #[must_use]
    pub fn described(&self) -> Described {
        let mut all = Described::default();
        for r in self.facts.counting() {
            if let PersonFact::Described { name, born, contact, note } = &r.fact {
                let put = |to: &mut Option<Personal<String>>, from: &Option<Personal<String>>| {
                    if from.is_some() {
                        to.clone_from(from);
                    }
                };
                put(&mut all.name, name);
                put(&mut all.born, born);
                put(&mut all.contact, contact);
                put(&mut all.note, note);
            }
        }
        all
    }

    /// Their addresses by number.
    #[must_use]
    pub fn addresses(&self) -> BTreeMap<u32, Address> {
        let of = |r: &Recorded<PersonFact>| match &r.fact {
            PersonFact::Address { address, text, area, until } => {
                Some((*address, Address { text: text.clone(), area: area.clone(), until: *until }))
            }
            _ => None,
        };
        self.facts.counting().filter_map(of).collect()
    }

    /// What they are to other persons, with the fact that states it last. What is over is left out.
    #[must_use]
    pub fn links(&self) -> BTreeMap<(PersonId, LinkKind), u64> {
        let mut links = BTreeMap::new();
        for r in self.facts.counting() {
            match &r.fact {
                PersonFact::Linked { other, link, .. } => {
                    links.insert((*other, *link), r.seq);
                }
                PersonFact::LinkEnded { other, link, .. } => {
                    links.remove(&(*other, *link));
                }
                _ => {}
            }
        }
        links
    }

    /// What they do or did, by number.
    #[must_use]
    pub fn works(&self) -> BTreeMap<u32, Work> {
        let mut works: BTreeMap<u32, Work> = BTreeMap::new();
        for r in self.facts.counting() {
            match &r.fact {
                PersonFact::Work { work, kind, known, with_children, trust, area, what } => {
                    let (area, what, ended) = (area.clone(), what.clone(), None);
                    let (kind, known, with_children, trust) = (*kind, *known, *with_children, *trust);
                    works.insert(*work, Work { seq: r.seq, kind, known, with_children, trust, area, what, ended });
                }
                PersonFact::WorkEnded { work, when } => {
                    if let Some(work) = works.get_mut(work) {
                        work.ended = Some(*when);
                    }
                }
                _ => {}
            }
        }
        works
    }

    /// The moments that clocks go by. Somebody who has stopped working with children is still to be told of: what was
    /// done there may concern children.
    #[must_use]
    pub fn moments(&self, id: PersonId) -> Vec<Moment> {
        let mut moments = vec![];
        if self.roles().contains(&PersonRole::Child)
            && let Some(r) = self.facts.counting().find(|r| matches!(r.fact, PersonFact::Made { .. }))
            && let PersonFact::Made { known, .. } = r.fact
        {
            moments.push(Moment { of: id.to_string(), mark: Mark::ChildKnown, at: known, seq: r.seq, due: None });
        }
        for (number, work) in self.works() {
            if work.with_children == Yes::Yes {
                let (of, mark) = (work_of(id, number), Mark::WorkWithChildrenKnown);
                moments.push(Moment { of, mark, at: work.known, seq: work.seq, due: None });
            }
        }
        moments
    }

    /// What does not fit, and what nobody has said.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let mut found = self.facts.findings();
        let made = self.facts.counting().filter(|r| matches!(r.fact, PersonFact::Made { .. })).count();
        if made > 1 {
            found.push("the record begins twice; correct one of the two".to_owned());
        }
        let works = self.works();
        for (number, work) in &works {
            if work.with_children == Yes::Unknown || work.trust == Yes::Unknown {
                found.push(format!(
                    "work {number}: nobody knows yet whether it is with children or a position of trust; find out, for \
                     the designated officer may have to be told within a working day"
                ));
            }
            if work.with_children == Yes::Yes && work.area.is_none() {
                found.push(format!(
                    "work {number} is with children and nobody has said in whose area it is; the designated officer of \
                     that area is to be told"
                ));
            }
        }
        for r in self.facts.counting() {
            if let PersonFact::WorkEnded { work, .. } = &r.fact
                && !works.contains_key(work)
            {
                found.push(format!("entry {} ends work {work}, which is not recorded", r.seq));
            }
        }
        if self.roles().contains(&PersonRole::Suspect) && works.is_empty() {
            found.push(
                "nothing is recorded of what the suspect does, paid or not; find out whether it is with children"
                    .to_owned(),
            );
        }
        found
    }
}

/// What clocks and lists call a person's work.
#[must_use]
pub fn work_of(person: PersonId, work: u32) -> String {
    format!("{person} work {work}")
}

/// Which records are of one person, by what was stated last of each two. Facts may be given in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Same {
    stated: BTreeMap<(PersonId, PersonId), (u64, bool)>,
}

impl Same {
    /// Reads the facts of persons: each person's counting facts that join or part two records.
    #[must_use]
    pub fn of<'a>(people: impl IntoIterator<Item = (PersonId, &'a PersonState)>) -> Self {
        let mut stated: BTreeMap<(PersonId, PersonId), (u64, bool)> = BTreeMap::new();
        for (person, state) in people {
            for r in state.facts.counting() {
                let (other, same) = match &r.fact {
                    PersonFact::SameAs { other, .. } => (*other, true),
                    PersonFact::NotSameAs { other, .. } => (*other, false),
                    _ => continue,
                };
                let said = stated.entry((person.min(other), person.max(other))).or_insert((r.seq, same));
                if said.0 < r.seq {
                    *said = (r.seq, same);
                }
            }
        }
        Self { stated }
    }

    /// The record that stands for a person in counts: the first of all that are of the same person.
    #[must_use]
    pub fn first_of(&self, person: PersonId) -> PersonId {
        self.all_of(person).into_iter().next().unwrap_or(person)
    }

    /// All records of the same person, this one too, whether joined directly or through others.
    #[must_use]
    pub fn all_of(&self, person: PersonId) -> BTreeSet<PersonId> {
        let (mut all, mut todo) = (BTreeSet::new(), vec![person]);
        while let Some(next) = todo.pop() {
            if !all.insert(next) {
                continue;
            }
            for ((a, b), (_, same)) in &self.stated {
                if *same && (*a == next || *b == next) {
                    todo.push(if *a == next { *b } else { *a });
                }
            }
        }
        all
    }

    /// Two records that were stated not to be of one person and are joined through others.
    #[must_use]
    pub fn contradictions(&self) -> Vec<(PersonId, PersonId)> {
        let apart = self.stated.iter().filter(|(_, (_, same))| !same).map(|(pair, _)| *pair);
        apart.filter(|(a, b)| self.all_of(*a).contains(b)).collect()
    }
}
