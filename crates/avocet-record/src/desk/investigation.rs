//! Investigations: opening, who works on them, risk, and the order of work.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Desk;
use crate::at::{At, Recorded};
use crate::clock::{self, Mark, Moment};
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{InvestigationId, OrderId, ReferralId, UserId};
use crate::law::Right;
use crate::order::{Due, OrderSum};
use crate::parts::in_parts;
use crate::risk::{self, Danger, Flag, LevelId, OpenClock, Placed, QueueItem, RiskFact, RiskState};
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

/// What the row of an investigation sums up of its facts, for the queue: the order of ten thousand is known without
/// reading a fact.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub title: String,
    /// The level that stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LevelId>,
    /// What was stated last about danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub danger: Option<(Danger, UserId, At)>,
    /// The fact that first stated the danger in the present run of such statements.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Actions recorded as risk since then; those of safeguarding stand in the moments.
    #[serde(default)]
    pub actions: u64,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub flags: BTreeSet<Flag>,
    /// The moments that clocks go by, of each thing whose facts state them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moments: BTreeMap<String, Vec<Moment>>,
    /// Whether it was closed and nothing opened it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
    /// What orders sum up to that have not ended.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub orders: BTreeMap<OrderId, OrderSum>,
}

impl Item {
    /// Whether the queue has it: what is open, and what an order watches.
    pub fn is_queued(&self) -> bool {
        !self.closed || !self.orders.is_empty()
    }

    /// As the row holds it.
    pub fn to_text(&self) -> String {
        // Numbers, ids and codes always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Adds a fact about risk. They come in the order of the ledger.
    pub fn add_risk(&mut self, recorded: &Recorded<RiskFact>) {
        match &recorded.fact {
            RiskFact::Assessed { level, .. } | RiskFact::Overridden { level, .. } => self.level = Some(level.clone()),
            RiskFact::DangerStated { danger, .. } => {
                let goes_on = matches!(self.danger, Some((Danger::Yes, ..))) && *danger == Danger::Yes;
                if !goes_on {
                    self.since = Some(recorded.seq).filter(|_| *danger == Danger::Yes);
                    self.actions = 0;
                }
                self.danger = Some((*danger, recorded.by, recorded.at));
            }
            RiskFact::SafeguardingActed { .. } if self.since.is_some() => self.actions = self.actions.saturating_add(1),
            RiskFact::SafeguardingActed { .. } => {}
        }
    }

    /// The facts of safeguarding that are actions, by their numbers.
    fn acts(&self) -> BTreeSet<u64> {
        const ACTS: [Mark; 4] =
            [Mark::Sent, Mark::PoliceProtection, Mark::EmergencyOrder, Mark::ChildSafeguardingBegun];
        self.moments.values().flatten().filter(|moment| ACTS.contains(&moment.mark)).map(|moment| moment.seq).collect()
    }

    /// Actions of every kind since the present danger was first stated.
    fn actions_in_this_danger(&self) -> u64 {
        let Some(since) = self.since else { return 0 };
        self.actions.saturating_add(self.acts().range(since.saturating_add(1)..).count() as u64)
    }

    /// The moments of everything.
    pub fn moments(&self) -> Vec<Moment> {
        self.moments.values().flatten().cloned().collect()
    }
}

fn has_reason(reason: &str) -> Result<()> {
    if reason.trim().is_empty() {
        return Err(RecordError::Refused("give the reason; it stands on the ledger's content for ever".into()));
    }
    Ok(())
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

    /// The clocks that run in an investigation; those of one that was closed were left running on purpose.
    fn running_in(&self, item: &Item) -> Vec<clock::Started<'_>> {
        match item.closed {
            true => vec![],
            false => clock::running(&self.law.clocks, item.moments.values().flatten()),
        }
    }

    /// Closes an investigation: it leaves the order of work, but for what its orders ask. Clocks that still run keep it open
    /// unless `leaving` says that they are left so; their names stand in the entry. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where a child may be in danger, clocks run that are not to be left, no reason is given, or it
    /// is closed already.
    pub async fn close_investigation(&self, id: InvestigationId, reason: &str, leaving: bool) -> Result<u64> {
        self.write(Right::AssignInvestigation, None, async |tx| {
            let item = tx.investigation(id).await?.item;
            has_reason(reason)?;
            if item.closed {
                return Err(RecordError::Refused(format!("{id} is closed already")));
            }
            if matches!(item.danger, Some((Danger::Yes, ..))) {
                return Err(RecordError::Refused(format!(
                    "a child may be in danger in {id}; `avocet risk danger {id} no` states that none is, once that is so"
                )));
            }
            let left: Vec<String> = self.running_in(&item).iter().map(clock::Started::name).collect();
            if !left.is_empty() && !leaving {
                return Err(RecordError::Refused(format!(
                    "{} still: {}. Record what was done, or close it with what is left (--leaving)",
                    avocet_base::plural(left.len() as u64, "clock runs", "clocks run"),
                    left.join("; ")
                )));
            }
            tx.record(&Event::InvestigationClosed { investigation: id, reason: reason.to_owned(), left }).await
        })
        .await
    }

    /// Opens a closed investigation again. Answers the number of the entry.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where it is open, or no reason is given.
    pub async fn reopen_investigation(&self, id: InvestigationId, reason: &str) -> Result<u64> {
        self.write(Right::AssignInvestigation, None, async |tx| {
            has_reason(reason)?;
            if !tx.investigation(id).await?.item.closed {
                return Err(RecordError::Refused(format!("{id} is open")));
            }
            tx.record(&Event::InvestigationReopened { investigation: id, reason: reason.to_owned() }).await
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
        self.risk_in(investigation, &self.store.facts(&investigation.to_string()).await?).await
    }

    /// The risk of an investigation whose facts these are.
    pub(super) async fn risk_in(&self, id: InvestigationId, facts: &[Recorded<Event>]) -> Result<RiskState> {
        let mut state = RiskState::default();
        for recorded in facts {
            if let Event::Risk { fact } = &recorded.fact {
                state.apply(&recorded.with(fact.clone()));
            }
        }
        self.store.investigation(id).await?.item.acts().into_iter().for_each(|seq| state.add_action(seq));
        Ok(state)
    }

    /// Open investigations in the order of work. Titles are shown only to those who may see them.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn queue(&self) -> Result<Vec<Queued>> {
        self.may(Right::SeeQueue, None).await?;
        let rows = self.store.open_investigations().await?;
        let mine = self.store.memberships(self.user).await?;
        let now = self.store.now();
        let placed = |row: Arc<InvestigationRow>| {
            let running = self.running_in(&row.item).into_iter();
            let clock = |running: clock::Started<'_>| OpenClock {
                due: running.due,
                name: running.name(),
                ahead: running.clock.value.ahead,
            };
            let item = QueueItem {
                investigation: row.id,
                danger: row.item.danger,
                safeguarding_actions: row.item.actions_in_this_danger(),
                level: row.item.level.clone(),
                received: row.received,
                flags: row.item.flags.clone(),
                closed: row.item.closed,
                clocks: running.map(clock).chain(self.order_clocks(&row.item.orders, now)).collect(),
            };
            let title = if mine.contains(&row.id) { row.item.title.clone() } else { String::new() };
            Queued { placed: risk::place(item, &self.law.risk_levels, now), title, owner: row.owner }
        };
        let mut queue = in_parts(rows, placed);
        queue.sort_by_key(|queued| queued.placed.place);
        Ok(queue)
    }

    /// What is due of orders, as clocks of the queue: what is late or unanswered, and what comes next.
    fn order_clocks(&self, orders: &BTreeMap<OrderId, OrderSum>, now: At) -> Vec<OpenClock> {
        let law = self.order_law();
        let of = |(id, sum): (&OrderId, &OrderSum)| {
            let ahead = law.kinds.row(&sum.kind).is_some_and(|row| row.value.ahead);
            let clock = |due: Due| OpenClock { due: due.late_from, name: format!("{} ({id})", due.what), ahead };
            let due = sum.due(now, law);
            let late = due.iter().filter(|due| due.late).count();
            due.into_iter().take(late.saturating_add(1)).map(clock).collect::<Vec<_>>()
        };
        orders.iter().flat_map(of).collect()
    }
}
