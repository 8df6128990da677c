//! Children as figures count them: one child is one, however many records there are. No name, no text: ids and times.

use std::collections::{BTreeMap, BTreeSet};

use super::book::Book;
use crate::at::At;
use crate::ids::{InvestigationId, PersonId};
use crate::people::{PersonRole, Same};
use crate::safeguard::{Step, StepTaken, Subject};

/// Children, each by the first of the records that are of that child.
pub(super) struct Children<'a> {
    book: &'a Book,
    /// For each record of a child, the first record of the same child.
    first: BTreeMap<PersonId, PersonId>,
}

impl<'a> Children<'a> {
    /// The children of a book: persons who are a child by what was stated last in any of their records.
    pub fn of(book: &'a Book) -> Self {
        let people = &book.case.people;
        let same = Same::of(people.iter().map(|(id, file)| (*id, &file.person)));
        let mut first = BTreeMap::new();
        for (id, file) in people {
            if file.person.roles().contains(&PersonRole::Child) && !first.contains_key(id) {
                let all = same.all_of(*id);
                let one = all.first().copied().unwrap_or(*id);
                first.extend(all.into_iter().map(|id| (id, one)));
            }
        }
        Self { book, first }
    }

    /// When each child was made safe, one time for each act.
    pub fn safeguarded(&self) -> BTreeMap<PersonId, Vec<At>> {
        let mut acts: BTreeMap<PersonId, Vec<At>> = BTreeMap::new();
        for state in self.book.case.safeguarding.values() {
            let Some(Subject::Child { child }) = state.subject() else { continue };
            let mut times = state.made_safe().map(|(_, when)| when).peekable();
            if times.peek().is_some()
                && let Some(one) = self.first.get(&child)
            {
                acts.entry(*one).or_default().extend(times);
            }
        }
        acts
    }

    /// When each child whom nobody could name at first was first identified.
    pub fn identified(&self) -> BTreeMap<PersonId, At> {
        let unnamed = self.known(true);
        let first = |steps: Vec<StepTaken>| {
            steps.into_iter().filter(|taken| taken.step >= Step::Identified).map(|taken| taken.when).min()
        };
        let steps = self.steps().into_iter().filter(|(child, _)| unnamed.contains_key(child));
        steps.filter_map(|(child, steps)| Some((child, first(steps)?))).collect()
    }

    /// The children known before an instant whom nobody could name at that instant.
    pub fn unidentified(&self, end: At) -> BTreeSet<PersonId> {
        // The step reached last counts: an identification can turn out to be wrong.
        let last = |steps: Vec<StepTaken>| {
            let before = steps.into_iter().filter(|taken| taken.when < end);
            before.max_by_key(|taken| (taken.when, taken.seq)).is_some_and(|taken| taken.step >= Step::Identified)
        };
        let identified: BTreeSet<PersonId> =
            self.steps().into_iter().filter_map(|(child, steps)| last(steps).then_some(child)).collect();
        let before = |unnamed| self.known(unnamed).into_iter().filter(|(_, known)| *known < end).map(|(id, _)| id);
        // Who turned out to be somebody with a name is known, whether or not anybody stated the step.
        let named: BTreeSet<PersonId> = before(false).collect();
        before(true).filter(|id| !named.contains(id) && !identified.contains(id)).collect()
    }

    /// The investigations of each child's records.
    pub fn investigations(&self) -> BTreeMap<PersonId, BTreeSet<InvestigationId>> {
        let mut of: BTreeMap<PersonId, BTreeSet<InvestigationId>> = BTreeMap::new();
        for (id, one) in &self.first {
            of.entry(*one).or_default().extend(self.book.investigation_of.get(id));
        }
        of
    }

    /// The steps of identification that were reached, for each child.
    fn steps(&self) -> BTreeMap<PersonId, Vec<StepTaken>> {
        let mut steps: BTreeMap<PersonId, Vec<StepTaken>> = BTreeMap::new();
        for (id, one) in &self.first {
            let taken = self.book.case.people.get(id).map(|file| file.identification.steps());
            steps.entry(*one).or_default().extend(taken.into_iter().flatten());
        }
        steps
    }

    /// Children whom nobody could name when a record of theirs began, or whom somebody could, and when the team first knew
    /// of each so.
    fn known(&self, unnamed: bool) -> BTreeMap<PersonId, At> {
        let mut known: BTreeMap<PersonId, At> = BTreeMap::new();
        for (id, one) in &self.first {
            let made = self.book.case.people.get(id).and_then(|file| file.person.made());
            if let Some((at, _)) = made.filter(|(_, unidentified)| *unidentified == unnamed) {
                known.entry(*one).and_modify(|first| *first = at.min(*first)).or_insert(at);
            }
        }
        known
    }
}
