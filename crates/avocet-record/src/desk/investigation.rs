//! Investigations: opening, who works on them, risk, and the order of work.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Desk;
use crate::at::{At, Recorded};
use crate::clock::{self, Mark, Moment};
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{InvestigationId, ReferralId, UserId};
use crate::law::Right;
use crate::risk::{self, Flag, OpenClock, Placed, QueueItem, RiskFact, RiskState};
use crate::store::InvestigationRow;

/// What an investigation is opened with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// What the team calls it; no name of a person.
    pub title: String,
    /// Who leads it.
    pub owner: UserId,
    /// When the first report was received; clocks count from here.
    pub received: At,
    /// The referrals it is opened on.
    pub referrals: Vec<ReferralId>,
}

/// An investigation in the queue.
#[derive(Debug)]
pub struct Queued {
    /// Its place and why it stands there.
    pub placed: Placed,
    /// What the team calls it.
    pub title: String,
    /// Who leads it.
    pub owner: UserId,
}

/// What the row of an investigation repeats of its facts, for the queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub title: String,
    pub risk: Vec<(u64, At, UserId, RiskFact)>,
    #[serde(default)]
    pub flags: BTreeSet<Flag>,
    /// The moments that clocks go by, of each thing whose facts state them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moments: BTreeMap<String, Vec<Moment>>,
}

impl Item {
    /// As the row holds it.
    pub fn to_text(&self) -> String {
        // Numbers, ids and sealed texts always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn state(&self) -> RiskState {
        let mut state = RiskState::default();
        for (seq, at, by, fact) in &self.risk {
            state.apply(&Recorded { seq: *seq, at: *at, by: *by, fact: fact.clone() });
        }
        let acts = [Mark::Sent, Mark::PoliceProtection, Mark::EmergencyOrder, Mark::ChildSafeguardingBegun];
        for moment in self.moments.values().flatten().filter(|moment| acts.contains(&moment.mark)) {
            state.add_action(moment.seq);
        }
        state
    }

    /// The moments of everything.
    pub fn moments(&self) -> Vec<Moment> {
        self.moments.values().flatten().cloned().collect()
    }
}

impl Desk<'_> {
    /// Opens an investigation.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn open_investigation(&self, opening: Opening) -> Result<InvestigationId> {
        let Opening { title, owner, received, referrals } = opening;
        self.write(Right::AssignInvestigation, None, async |tx| {
            if !tx.accounts().await?.iter().any(|account| account.user == owner && account.active) {
                return Err(RecordError::Unknown { what: owner.to_string() });
            }
            for referral in &referrals {
                if tx.referral(*referral).await?.investigation.is_some() {
                    return Err(RecordError::Refused(format!("{referral} belongs to an investigation already")));
                }
            }
            let investigation = InvestigationId::new(tx.give(InvestigationId::PREFIX).await?);
            tx.record(&Event::InvestigationOpened { investigation, owner, received, title, referrals }).await?;
            Ok(investigation)
        })
        .await
    }

    /// Puts someone on an investigation, or takes them off.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn set_member(&self, investigation: InvestigationId, user: UserId, on: bool) -> Result<()> {
        self.write(Right::AssignInvestigation, None, async |tx| {
            tx.investigation(investigation).await?;
            let event = match on {
                true => Event::MemberAdded { investigation, user },
                false => Event::MemberRemoved { investigation, user },
            };
            tx.record(&event).await.map(drop)
        })
        .await
    }

    /// Every fact of an investigation, oldest first, without those about children whose records the person may not read;
    /// [`Desk::story`] says where those stand. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn facts_of(&self, investigation: InvestigationId) -> Result<Vec<Recorded<Event>>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let hidden = self.hidden_children(investigation).await?;
        let mut facts = self.store.facts(&investigation.to_string()).await?;
        facts.retain(|recorded| recorded.fact.person().is_none_or(|person| !hidden.contains(&person)));
        self.looked(Act::Viewed, vec![investigation.to_string()], "facts of the investigation", 1).await?;
        Ok(facts)
    }

    /// Records a fact about the risk. `seen` is the last entry of the investigation that the person has read, where they
    /// change what they read; an urgent entry needs none.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn record_risk(&self, fact: RiskFact, seen: Option<u64>) -> Result<u64> {
        self.record_event(&Event::Risk { fact }, seen).await
    }

    /// The risk of an investigation as its facts add up.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn risk(&self, investigation: InvestigationId) -> Result<RiskState> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        Ok(self.store.investigation(investigation).await?.item.state())
    }

    /// Open investigations in the order of work. Titles are shown only to those who may see them.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn queue(&self) -> Result<Vec<Queued>> {
        self.may(Right::SeeQueue, None).await?;
        let rows = self.store.open_investigations().await?;
        let mine = self.store.memberships(self.user).await?;
        let item = |row: &InvestigationRow| {
            let flags = row.item.flags.clone();
            let started = clock::started(&self.law.clocks, &row.item.moments());
            let running = started.iter().filter(|clock| clock.done.is_none());
            let clocks = running
                .map(|running| OpenClock { due: running.due, name: running.name(), ahead: running.clock.value.ahead })
                .collect();
            QueueItem { flags, clocks, ..QueueItem::new(row.id, row.received, &row.item.state()) }
        };
        let items = rows.iter().map(item).collect();
        let placed = risk::order(items, &self.law.risk_levels, self.store.now());
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.id, row)).collect();
        Ok(placed
            .into_iter()
            .filter_map(|placed| {
                let id = placed.item.investigation;
                let row = rows.get(&id)?;
                let title = if mine.contains(&id) { row.item.title.clone() } else { String::new() };
                Some(Queued { placed, title, owner: row.owner })
            })
            .collect())
    }
}
