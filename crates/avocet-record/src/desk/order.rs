//! The orders of an investigation and their monitoring.

use std::collections::BTreeSet;

use avocet_base::Sha256;
use serde_json::{Value, json};

use super::{Desk, states};
use crate::at::{At, Recorded};
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{ExaminationId, ExhibitId, InvestigationId, OrderId};
use crate::law::Right;
use crate::order::{Due, OrderFact, OrderLaw, OrderState};

/// One order.
#[derive(Debug, Clone)]
pub struct OrderShown {
    /// Which.
    pub id: OrderId,
    /// Its facts.
    pub state: OrderState,
    /// What is due, the earliest first.
    pub due: Vec<Due>,
    /// What does not fit.
    pub findings: Vec<String>,
}

/// The pictures and videos of a device against those of the last check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The examination that it was compared with; none the first time.
    pub previous: Option<ExaminationId>,
    /// How many were there both times.
    pub same: u64,
    /// Digests of those that are new.
    pub new: BTreeSet<Sha256>,
    /// Digests of those that are gone.
    pub gone: BTreeSet<Sha256>,
}

impl Desk<'_> {
    /// Every order of an investigation with what is due. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn orders(&self, investigation: InvestigationId) -> Result<Vec<OrderShown>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let shown = self.orders_in(&self.store.facts(&investigation.to_string()).await?);
        let records = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        self.looked(Act::Viewed, vec![investigation.to_string()], "its orders", records).await?;
        Ok(shown)
    }

    /// The orders of these facts, with what is due and what does not fit.
    pub(super) fn orders_in(&self, facts: &[Recorded<Event>]) -> Vec<OrderShown> {
        let of = |event: &Event| match event {
            Event::Order { order, fact, .. } => Some((*order, fact.clone())),
            _ => None,
        };
        let orders = states(facts, of, OrderState::apply);
        let (now, law) = (self.store.now(), self.order_law());
        let shown = |(id, state): (OrderId, OrderState)| {
            let (due, findings) = (state.due(now, law), state.findings(law));
            OrderShown { id, state, due, findings }
        };
        orders.into_iter().map(shown).collect()
    }

    /// One order. The look is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn order(&self, id: OrderId) -> Result<(InvestigationId, OrderShown)> {
        let investigation = self.investigation_of(&id.to_string()).await?;
        let unknown = || RecordError::Unknown { what: id.to_string() };
        let shown = self.orders(investigation).await?.into_iter().find(|shown| shown.id == id).ok_or_else(unknown)?;
        Ok((investigation, shown))
    }

    /// The lines of a new or varied order as a draft: all that belong to its kind without being named, then these rows of
    /// `order-lines.toml`, then these words, which are sealed when the draft is recorded.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where there is no such kind or row.
    pub fn draft_lines(&self, kind: &str, rows: &[String], words: &[String]) -> Result<Vec<Value>> {
        let unknown = |what: &str, known: Vec<&str>| {
            RecordError::Refused(format!("there is no {what}; there are {}", known.join(", ")))
        };
        let kinds = &self.law.orders;
        let row = kinds.row(kind).ok_or_else(|| {
            unknown(&format!("kind of order {kind}"), kinds.rows.iter().map(|row| row.id.as_str()).collect())
        })?;
        let usual = &self.law.order_lines;
        let mut ids: Vec<&str> = vec![];
        if row.value.all_lines {
            ids.extend(usual.rows.iter().filter(|line| line.value.order == kind).map(|line| line.id.as_str()));
        }
        for id in rows {
            let known = || usual.rows.iter().filter(|line| line.value.order == kind).map(|line| line.id.as_str());
            let row = usual.row(id).ok_or_else(|| unknown(&format!("line {id}"), known().collect()))?;
            if !ids.contains(&row.id.as_str()) {
                ids.push(&row.id);
            }
        }
        let rows = ids.into_iter().map(|id| ("row", json!(id)));
        let texts = words.iter().map(|words| ("text", json!({"personal": words})));
        let lines = rows.chain(texts).zip(1u32..);
        Ok(lines.map(|((key, value), number)| json!({"line": number, key: value})).collect())
    }

    /// Compares a device's examination with that of the last check, or with `previous`, and records it.
    ///
    /// # Errors
    /// [`RecordError`] where one of them is not this investigation's.
    pub async fn check_device(
        &self,
        order: OrderId,
        exhibit: ExhibitId,
        examination: ExaminationId,
        previous: Option<ExaminationId>,
        when: At,
    ) -> Result<(u64, Comparison)> {
        let (investigation, shown) = self.order(order).await?;
        self.may(Right::RecordOrder, Some(investigation)).await?;
        let previous = previous.or_else(|| shown.state.last_check(exhibit));
        for id in previous.iter().chain([&examination]) {
            // Before the list of another investigation's media is read.
            if self.store.part_of(&id.to_string()).await? != Some(investigation) {
                return Err(RecordError::Unknown { what: id.to_string() });
            }
        }
        let now = self.store.media_of(examination).await?;
        let before = match previous {
            Some(previous) => self.store.media_of(previous).await?,
            None => BTreeSet::new(),
        };
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let comparison = Comparison {
            previous,
            same: count(now.intersection(&before).count()),
            new: now.difference(&before).copied().collect(),
            gone: before.difference(&now).copied().collect(),
        };
        let (same, new, gone) = (comparison.same, count(comparison.new.len()), count(comparison.gone.len()));
        let fact = OrderFact::DeviceChecked { when, exhibit, examination, previous, same, new, gone };
        let seq = self.record_event(&Event::Order { investigation, order, fact }, None).await?;
        Ok((seq, comparison))
    }

    pub(super) fn order_law(&self) -> OrderLaw<'_> {
        OrderLaw { kinds: &self.law.orders, lines: &self.law.order_lines, visits: &self.law.visits }
    }
}
