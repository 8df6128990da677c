//! What the row of an investigation repeats of an order, so that what is due of it is known without reading a fact.

use serde::{Deserialize, Serialize};

use super::state::{Due, OrderLaw};
use super::table::{Begins, LineClock};
use crate::at::At;

/// A line of an order that is an instance of a row of `order-lines.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumLine {
    /// Its number.
    pub line: u32,
    /// The row.
    pub row: String,
    /// When it was last notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified: Option<At>,
}

/// A breach of which nothing says what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBreach {
    /// Number of its fact.
    pub seq: u64,
    /// When it happened.
    pub when: At,
    /// Which line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
}

/// What an order that has not ended sums up to. No personal content is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSum {
    /// When it was made.
    pub made: At,
    /// What it is, a row of `orders.toml`.
    pub kind: String,
    /// When it ends, where it has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<At>,
    /// The level that says how often the person is visited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// The last visit on which the person was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<At>,
    /// The last check of a device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<At>,
    /// Its lines that are instances of a row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<SumLine>,
    /// Breaches that nothing came of yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<OpenBreach>,
}

impl OrderSum {
    /// What is due, what is unanswered, and when it ends, the earliest first.
    #[must_use]
    pub fn due(&self, now: At, law: OrderLaw<'_>) -> Vec<Due> {
        let mut due = vec![];
        let mut add = |late_from: At, what: String| due.push(Due { late_from, what, late: now >= late_from });
        let rows = || self.lines.iter().filter_map(|line| Some((line, &law.lines.row(&line.row)?.value)));
        if let Some(row) = self.level.as_deref().and_then(|level| law.visits.row(level)) {
            add(row.value.every.after(self.seen.unwrap_or(self.made)), format!("visit ({})", row.value.title));
            if let Some(every) = row.value.devices_every.as_ref().filter(|_| rows().any(|(_, row)| row.devices)) {
                add(every.after(self.checked.unwrap_or(self.made)), "check of devices".to_owned());
            }
        }
        let clocks = || rows().filter_map(|(line, row)| Some((line, row, row.clock.as_ref()?)));
        let last = clocks().filter_map(|(line, ..)| line.notified).max();
        for (line, row, clock) in clocks() {
            let clock: &LineClock = clock;
            let start = match clock.begins {
                Begins::Made if line.notified.is_none() => self.made,
                Begins::LastNotification => last.unwrap_or(self.made),
                Begins::Made | Begins::Change => continue,
            };
            add(clock.late_from(start), format!("line {}: {}", line.line, row.title));
        }
        for OpenBreach { seq, when, line } in &self.breaches {
            let of = line.map_or_else(String::new, |line| format!(" of line {line}"));
            add(*when, format!("nothing came yet of the breach{of} in entry {seq}"));
        }
        if let Some(until) = self.until {
            add(until, "the order ends: record that it ended, or that it was renewed".to_owned());
        }
        due.sort();
        due
    }
}
