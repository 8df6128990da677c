//! The exhibits of an investigation.

use super::{Desk, states};
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
        let of = |event: &Event| match event {
            Event::Exhibit { exhibit, fact, .. } => Some((*exhibit, fact.clone())),
            _ => None,
        };
        let states = states(&self.store.facts(&investigation.to_string()).await?, of, ExhibitState::apply);
        let records = u64::try_from(states.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![investigation.to_string()], "its exhibits", records).await?;
        let mut others = across(states.iter().map(|(id, state)| (*id, state)));
        let exhibit = |(id, state): (ExhibitId, ExhibitState)| {
            let mut findings = state.findings();
            findings.extend(others.remove(&id).unwrap_or_default());
            Exhibit { id, state, findings }
        };
        Ok(states.into_iter().map(exhibit).collect())
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
