//! The orders of an investigation and their monitoring.

use std::collections::{BTreeMap, BTreeSet};

use avocet_base::Sha256;
use serde_json::{Value, json};

use super::{Desk, states};
use crate::at::{At, Recorded};
use crate::error::{RecordError, Result};
use crate::event::{Act, Event};
use crate::ids::{ExaminationId, ExhibitId, InvestigationId, OrderId};
use crate::law::Right;
use crate::order::{Due, LineState, OrderFact, OrderLaw, OrderLine, OrderState};

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
    /// The words of its lines that stand, by their number, where they were opened.
    pub words: BTreeMap<u32, String>,
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

fn no_such<'a>(what: &str, known: impl Iterator<Item = &'a str>) -> RecordError {
    let known: Vec<&str> = known.collect();
    RecordError::Refused(format!("there is no {what}; there are {}", known.join(", ")))
}

/// Lines of a draft with their numbers.
fn numbered(rows: &[&str], words: &[String], first: u32) -> Vec<Value> {
    let rows = rows.iter().map(|id| ("row", json!(id)));
    let texts = words.iter().map(|words| ("text", json!({"personal": words})));
    rows.chain(texts).zip(first..).map(|((key, value), number)| json!({"line": number, key: value})).collect()
}

impl Desk<'_> {
    /// Every order of an investigation with what is due, and the words of its lines for those who may read them. The look
    /// is recorded.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn orders(&self, investigation: InvestigationId) -> Result<Vec<OrderShown>> {
        self.may(Right::ReadInvestigation, Some(investigation)).await?;
        let open = self.may(Right::ReadPersonal, Some(investigation)).await.is_ok();
        let mut shown = self.orders_in(&self.store.facts(&investigation.to_string()).await?);
        let records = u64::try_from(shown.len()).unwrap_or(u64::MAX);
        let purpose = if open { "its orders, with the words of their lines" } else { "its orders" };
        self.looked(Act::Viewed, vec![investigation.to_string()], purpose, records).await?;
        for order in shown.iter_mut().filter(|_| open) {
            for LineState { line, .. } in order.state.lines() {
                if let Some(text) = line.text
                    && let Some(words) = self.store.open_personal(&text).await?
                {
                    order.words.insert(line.line, words);
                }
            }
        }
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
            OrderShown { id, state, due, findings, words: BTreeMap::new() }
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

    /// The lines of a new order as a draft: all that belong to its kind without being named, then these rows of
    /// `order-lines.toml`, then these words, which are sealed when the draft is recorded.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where there is no such kind or row.
    pub fn draft_lines(&self, kind: &str, rows: &[String], words: &[String]) -> Result<Vec<Value>> {
        let kinds = &self.law.orders;
        let row = kinds
            .row(kind)
            .ok_or_else(|| no_such(&format!("kind of order {kind}"), kinds.rows.iter().map(|row| row.id.as_str())))?;
        let mut ids: Vec<&str> = vec![];
        if row.value.all_lines {
            ids.extend(self.lines_of(kind));
        }
        self.add_rows(kind, rows, &mut ids)?;
        Ok(numbered(&ids, words, 1))
    }

    /// The lines of an order as it is varied, as a draft: those that stand but `gone`, with their numbers and as they are
    /// sealed, then these rows of `order-lines.toml` and these words with numbers that no line of it had.
    ///
    /// # Errors
    /// [`RecordError::Refused`] where one of `gone` does not stand, or there is no such row.
    pub fn varied_lines(
        &self,
        order: &OrderState,
        gone: &[u32],
        rows: &[String],
        words: &[String],
    ) -> Result<Vec<Value>> {
        let standing: Vec<OrderLine> = order.lines().into_iter().map(|line| line.line).collect();
        for gone in gone {
            if !standing.iter().any(|line| line.line == *gone) {
                let known: Vec<String> = standing.iter().map(|line| line.line.to_string()).collect();
                return Err(no_such(&format!("line {gone} that stands"), known.iter().map(String::as_str)));
            }
        }
        let kept: Vec<&OrderLine> = standing.iter().filter(|line| !gone.contains(&line.line)).collect();
        let before: Vec<&str> = kept.iter().filter_map(|line| line.row.as_deref()).collect();
        let mut ids = vec![];
        self.add_rows(order.kind().unwrap_or_default(), rows, &mut ids)?;
        ids.retain(|id| !before.contains(id));
        // What is sealed is JSON already, and stays under the key that it has.
        let mut lines: Vec<Value> =
            kept.into_iter().map(|line| serde_json::to_value(line).unwrap_or_default()).collect();
        lines.extend(numbered(&ids, words, order.next_line()));
        Ok(lines)
    }

    fn lines_of(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.law.order_lines.rows.iter().filter(move |line| line.value.order == kind).map(|line| line.id.as_str())
    }

    /// Adds rows of `order-lines.toml`, each once.
    fn add_rows<'a>(&'a self, kind: &str, rows: &[String], ids: &mut Vec<&'a str>) -> Result<()> {
        for id in rows {
            let row = self.law.order_lines.row(id);
            let row = row.ok_or_else(|| no_such(&format!("line {id}"), self.lines_of(kind)))?;
            if !ids.contains(&row.id.as_str()) {
                ids.push(&row.id);
            }
        }
        Ok(())
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
        let interim = self.interim_results(investigation).await?;
        if interim.iter().any(|attached| attached.id == examination) {
            return Err(RecordError::Refused(format!(
                "{examination} is interim: what it has not read yet would count as gone. Attach the whole one in its place and \
                 compare that"
            )));
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
