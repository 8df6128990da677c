//! The people of an investigation, what is done to make children safe, arrests and interviews, and the clocks of it all.

use std::collections::BTreeSet;
use std::fmt;

use super::Desk;
use crate::case::{Case, PersonFile};
use crate::clock::{self, Started};
use crate::custody::CustodyState;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{CustodyId, InvestigationId, PersonId, SafeguardingId};
use crate::law::Right;
use crate::personal::Personal;
use crate::safeguard::{SafeguardingState, Subject};

/// Personal texts that were opened, each with what it is; none where its key was destroyed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Details(pub Vec<(String, Option<String>)>);

/// Says how many there are, never what.
impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Details({})", self.0.len())
    }
}

/// One person.
#[derive(Debug, Clone)]
pub struct PersonShown {
    /// Who.
    pub id: PersonId,
    /// Their facts.
    pub file: PersonFile,
    /// Whether they are, or ever were, stated to be a child.
    pub child: bool,
    /// Their personal texts, for those who may read them.
    pub details: Option<Details>,
    /// Other records of the same person.
    pub same: BTreeSet<PersonId>,
    /// What does not fit, and what nobody has done or said.
    pub findings: Vec<String>,
}

/// The people of an investigation, as far as one may see them.
#[derive(Debug, Clone)]
pub struct People {
    /// Those shown, by their ids.
    pub shown: Vec<PersonShown>,
    /// How many children are not shown, because the person may not read what is restricted.
    pub withheld: u64,
}

/// One line of safeguarding.
#[derive(Debug, Clone)]
pub struct SafeguardingShown {
    /// Which.
    pub id: SafeguardingId,
    /// Its facts.
    pub state: SafeguardingState,
    /// What does not fit, and what is still to do.
    pub findings: Vec<String>,
}

/// One arrest or voluntary interview.
#[derive(Debug, Clone)]
pub struct CustodyShown {
    /// Which.
    pub id: CustodyId,
    /// Its facts.
    pub state: CustodyState,
    /// What does not fit.
    pub findings: Vec<String>,
}

impl Desk<'_> {
    async fn case(&self, investigation: InvestigationId, purpose: &str, at: Vec<String>) -> Result<Case> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let case = Case::of(&self.store.facts(&investigation.to_string()).await?);
        self.looked(Act::Viewed, at, purpose, 1).await?;
        Ok(case)
    }

    /// Everybody in an investigation. Children are shown to those who may read what is restricted about a child. The look
    /// is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn people(&self, investigation: InvestigationId) -> Result<People> {
        let case = self.case(investigation, "its people", vec![investigation.to_string()]).await?;
        let mut people = People { shown: vec![], withheld: 0 };
        let restricted = self.may(Right::RestrictedChild, Some(investigation)).await.is_ok();
        for id in case.people.keys() {
            if case.is_child(*id) && !restricted {
                people.withheld = people.withheld.saturating_add(1);
            } else {
                people.shown.push(self.shown(investigation, &case, *id).await?);
            }
        }
        Ok(people)
    }

    /// One person with everything about them. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where there is no such person or who asks is not on the investigation;
    /// [`RecordError::NotAllowed`] for a child where they may not read what is restricted.
    pub async fn person(&self, id: PersonId) -> Result<(InvestigationId, PersonShown)> {
        let investigation = self.investigation_of(&id.to_string()).await?;
        if self.store.is_child(id).await? {
            self.may(Right::RestrictedChild, Some(investigation)).await?;
        }
        let case = self.case(investigation, "a person", vec![id.to_string()]).await?;
        let mut shown = self.shown(investigation, &case, id).await?;
        // Another investigation's record may have been joined to this one.
        shown.same.extend(Case::of(&self.store.facts(&id.to_string()).await?).same().all_of(id));
        shown.same.remove(&id);
        Ok((investigation, shown))
    }

    async fn shown(&self, investigation: InvestigationId, case: &Case, id: PersonId) -> Result<PersonShown> {
        let file = case.people.get(&id).cloned().ok_or_else(|| RecordError::Unknown { what: id.to_string() })?;
        let details = match self.may(Right::ReadPersonal, Some(investigation)).await {
            Ok(_) => Some(self.details(&file).await?),
            Err(_) => None,
        };
        let mut same = case.same().all_of(id);
        same.remove(&id);
        let (child, findings) = (case.is_child(id), case.findings_of(id, self.law));
        Ok(PersonShown { id, file, child, details, same, findings })
    }

    pub(super) async fn details(&self, file: &PersonFile) -> Result<Details> {
        let described = file.person.described();
        let mut sealed: Vec<(String, Personal<String>)> = vec![];
        let mut add = |what: String, text: Option<Personal<String>>| sealed.extend(text.map(|text| (what, text)));
        add("name".to_owned(), described.name);
        add("born".to_owned(), described.born);
        add("contact".to_owned(), described.contact);
        add("note".to_owned(), described.note);
        for (number, address) in file.person.addresses() {
            add(format!("address {number}"), Some(address.text));
        }
        for (number, work) in file.person.works() {
            add(format!("work {number}"), work.what);
        }
        let mut details = Details::default();
        for (what, text) in sealed {
            details.0.push((what, self.store.open_personal(&text).await?));
        }
        Ok(details)
    }

    /// Every line of safeguarding of an investigation. Those for children are shown to those who may read what is
    /// restricted about a child; the second number says how many are not shown. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn safeguarding(&self, investigation: InvestigationId) -> Result<(Vec<SafeguardingShown>, u64)> {
        let case = self.case(investigation, "its safeguarding", vec![investigation.to_string()]).await?;
        let restricted = self.may(Right::RestrictedChild, Some(investigation)).await.is_ok();
        let (mut shown, mut withheld) = (vec![], 0u64);
        for (id, state) in &case.safeguarding {
            if !restricted && !matches!(state.subject(), Some(Subject::Work { .. })) {
                withheld = withheld.saturating_add(1);
                continue;
            }
            let findings = case.findings_about(*id, self.law);
            shown.push(SafeguardingShown { id: *id, state: state.clone(), findings });
        }
        Ok((shown, withheld))
    }

    /// Every arrest and voluntary interview of an investigation. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn custody(&self, investigation: InvestigationId) -> Result<Vec<CustodyShown>> {
        let case = self.case(investigation, "its arrests and interviews", vec![investigation.to_string()]).await?;
        let shown = |(id, state): (&CustodyId, &CustodyState)| CustodyShown {
            id: *id,
            state: state.clone(),
            findings: case.findings_on(*id),
        };
        Ok(case.custody.iter().map(shown).collect())
    }

    /// Every clock of an investigation: those that run first, by when they run out. They hold ids and no personal content.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn clocks(&self, investigation: InvestigationId) -> Result<Vec<Started<'_>>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let moments = self.store.investigation(investigation).await?.item.moments();
        Ok(clock::started(&self.law.clocks, &moments))
    }

    /// The investigation of a line of safeguarding and for whom it is, ids only: so that whoever is there can record an
    /// answer, on the investigation or not.
    ///
    /// # Errors
    /// [`RecordError`] where there is no such line or the person may not record safeguarding.
    pub async fn line(&self, id: SafeguardingId) -> Result<(InvestigationId, Subject)> {
        self.may(Right::RecordSafeguarding, None).await?;
        let facts = self.store.facts(&id.to_string()).await?;
        let of = facts.iter().find_map(|recorded| match &recorded.fact {
            Event::Safeguarding { investigation, subject, .. } => Some((*investigation, *subject)),
            _ => None,
        });
        of.ok_or_else(|| RecordError::Unknown { what: id.to_string() })
    }

    /// The investigation of an arrest or interview, and whose it is.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] where there is none or the person is not on its investigation.
    pub async fn suspect_of(&self, id: CustodyId) -> Result<(InvestigationId, PersonId)> {
        let investigation = self.investigation_of(&id.to_string()).await?;
        let facts = self.store.facts(&id.to_string()).await?;
        let suspect = facts.iter().find_map(|recorded| match &recorded.fact {
            Event::Custody { suspect, .. } => Some(*suspect),
            _ => None,
        });
        Ok((investigation, suspect.ok_or_else(|| RecordError::Unknown { what: id.to_string() })?))
    }
}
