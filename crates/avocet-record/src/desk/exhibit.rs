//! The exhibits of an investigation.

use super::{Desk, states};
use crate::at::Recorded;
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::exhibit::{ExhibitFinding, ExhibitState, across};
use crate::ids::{ExhibitId, InvestigationId};
use crate::law::Right;

/// One exhibit, and everything that does not fit.
#[derive(Debug, Clone)]
pub struct Exhibit {
    /// Which.
    pub id: ExhibitId,
    /// Its facts.
    pub state: ExhibitState,
    /// Gaps and contradictions of its own, then those with other exhibits of the investigation.
    pub findings: Vec<ExhibitFinding>,
}

impl Desk<'_> {
    /// Every exhibit of an investigation, those left at a scene too, in the order of their numbers. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn exhibits(&self, investigation: InvestigationId) -> Result<Vec<Exhibit>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let shown = exhibits_in(&self.store.facts(&investigation.to_string()).await?);
        let records = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![investigation.to_string()], "its exhibits", records).await?;
        Ok(shown)
    }

    /// One exhibit with its findings. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn exhibit(&self, id: ExhibitId) -> Result<Exhibit> {
        let unknown = || RecordError::Unknown { what: id.to_string() };
        let investigation = self.investigation_of(&id.to_string()).await?;
        self.exhibits(investigation).await?.into_iter().find(|exhibit| exhibit.id == id).ok_or_else(unknown)
    }
}

/// The exhibits of these facts, with what does not fit within each and between them.
pub(super) fn exhibits_in(facts: &[Recorded<Event>]) -> Vec<Exhibit> {
    let of = |event: &Event| match event {
        Event::Exhibit { exhibit, fact, .. } => Some((*exhibit, fact.clone())),
        _ => None,
    };
    let states = states(facts, of, ExhibitState::apply);
    let mut others = across(states.iter().map(|(id, state)| (*id, state)));
    let exhibit = |(id, state): (ExhibitId, ExhibitState)| {
        let mut findings = state.findings();
        findings.extend(others.remove(&id).unwrap_or_default());
        Exhibit { id, state, findings }
    };
    states.into_iter().map(exhibit).collect()
}
