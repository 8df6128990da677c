//! The outcomes of an investigation.

use std::collections::BTreeMap;

use super::{Desk, states};
use crate::at::Recorded;
use crate::error::Result;
use crate::event::{Act, Event};
use crate::exhibit::ExhibitState;
use crate::ids::{ExhibitId, InvestigationId, OutcomeId};
use crate::law::Right;
use crate::outcome::{Medium, OutcomeState};

/// One outcome.
#[derive(Debug, Clone)]
pub struct OutcomeShown {
    /// Which.
    pub id: OutcomeId,
    /// Its facts.
    pub state: OutcomeState,
    /// What does not fit, and what is still to do.
    pub findings: Vec<String>,
}

/// Contents of one device whose category is settled, for a schedule. Accessibility and dates are for a person to state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The category.
    pub category: String,
    /// Still or moving.
    pub medium: Medium,
    /// The device.
    pub exhibit: ExhibitId,
    /// How many different contents.
    pub count: u64,
}

impl Desk<'_> {
    /// Every outcome of an investigation. The look is recorded.
    ///
    /// # Errors
    /// [`crate::RecordError`].
    pub async fn outcomes(&self, investigation: InvestigationId) -> Result<Vec<OutcomeShown>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let shown = self.outcomes_in(&self.store.facts(&investigation.to_string()).await?);
        let records = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![investigation.to_string()], "its outcomes", records).await?;
        Ok(shown)
    }

    /// The outcomes of these facts, with what does not fit.
    pub(super) fn outcomes_in(&self, facts: &[Recorded<Event>]) -> Vec<OutcomeShown> {
        let of = |event: &Event| match event {
            Event::Outcome { outcome, fact, .. } => Some((*outcome, fact.clone())),
            _ => None,
        };
        let outcomes = states(facts, of, OutcomeState::apply);
        let of = |event: &Event| match event {
            Event::Exhibit { exhibit, fact, .. } => Some((*exhibit, fact.clone())),
            _ => None,
        };
        let exhibits = states(facts, of, ExhibitState::apply);
        let fates: BTreeMap<_, _> = exhibits.into_iter().map(|(id, state)| (id, state.fate())).collect();
        let now = self.store.now();
        let shown = |(id, state): (OutcomeId, OutcomeState)| {
            let findings = state.findings(now, &self.law.offences, &self.law.disposals, &fates);
            OutcomeShown { id, state, findings }
        };
        outcomes.into_iter().map(shown).collect()
    }

    /// The counts that votes and moderation have settled, by category, kind and device, and how many contents are not
    /// settled. The look is recorded.
    ///
    /// # Errors
    /// [`crate::RecordError`].
    pub async fn settled_counts(&self, investigation: InvestigationId) -> Result<(Vec<Settled>, u64)> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let purpose = "its counts for a schedule";
        self.looked(Act::Viewed, vec![investigation.to_string()], purpose, 1).await?;
        let mut counts: BTreeMap<(String, Medium, ExhibitId), u64> = BTreeMap::new();
        for (outcome, kind, exhibit, count) in self.store.settled(investigation).await? {
            let category = outcome.split_once(' ').map_or(String::new(), |(_, category)| category.to_owned());
            let medium = if kind == "video" { Medium::Moving } else { Medium::Still };
            let total = counts.entry((category, medium, exhibit)).or_default();
            *total = total.saturating_add(count);
        }
        let open = self.store.totals(&investigation.to_string()).await?;
        let open = open.iter().filter(|(what, _)| !what.contains(" decided ") && !what.contains(" moderated "));
        let open = open.map(|(_, n)| u64::try_from(*n).unwrap_or(0)).fold(0u64, u64::saturating_add);
        let settled = |((category, medium, exhibit), count)| Settled { category, medium, exhibit, count };
        Ok((counts.into_iter().map(settled).collect(), open))
    }
}
