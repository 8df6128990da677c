//! What the facts of one order add up to.

use std::collections::BTreeMap;

use super::fact::{Held, OrderFact, OrderLine, Seen};
use super::sum::{OpenBreach, OrderSum, SumLine};
use super::table::{Begins, LineClock, LineKind, OrderKind, VisitLevel};
use crate::at::{At, Recorded};
use crate::facts::{Facts, Stated};
use crate::ids::{ExaminationId, ExhibitId, PersonId, UserId};
use crate::law::{Period, PeriodUnit, Table};

impl Stated for OrderFact {
    fn when(&self) -> Option<At> {
        match self {
            OrderFact::Made { when, .. }
            | OrderFact::Varied { when, .. }
            | OrderFact::Visited { when, .. }
            | OrderFact::Notified { when, .. }
            | OrderFact::DeviceChecked { when, .. }
            | OrderFact::Breached { when, .. }
            | OrderFact::BreachSettled { when, .. }
            | OrderFact::Ended { when, .. } => Some(*when),
            OrderFact::OfficerNamed { .. } | OrderFact::LevelStated { .. } | OrderFact::Corrected { .. } => None,
        }
    }

    fn wrong(&self) -> Option<u64> {
        match self {
            OrderFact::Corrected { wrong, .. } => Some(*wrong),
            _ => None,
        }
    }
}

/// The tables that an order is read by.
#[derive(Debug, Clone, Copy)]
pub struct OrderLaw<'a> {
    /// Kinds of orders.
    pub kinds: &'a Table<OrderKind>,
    /// Usual lines.
    pub lines: &'a Table<LineKind>,
    /// Levels of visits.
    pub visits: &'a Table<VisitLevel>,
}

/// A line of an order as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineState {
    /// The line.
    pub line: OrderLine,
    /// What was found of it last: number of the fact, when, and what.
    pub checked: Option<(u64, At, Held)>,
    /// When it was last notified.
    pub notified: Option<At>,
}

/// Something that is due, or that ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// From then on it is late.
    pub late_from: At,
    /// What.
    pub what: String,
    /// Whether it is late.
    pub late: bool,
}

/// The facts of one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderState {
    facts: Facts<OrderFact>,
}

/// What stands of the order itself.
#[derive(Debug, Clone, Copy)]
struct Terms<'a> {
    made: At,
    kind: &'a str,
    until: Option<At>,
    lines: &'a [OrderLine],
}

impl OrderState {
    /// Adds a fact. The order in which facts are added does not matter.
    pub fn apply(&mut self, recorded: &Recorded<OrderFact>) {
        self.facts.add(recorded);
    }

    /// Facts that no correction strikes, in the order of the ledger, without the corrections.
    pub fn counting(&self) -> impl DoubleEndedIterator<Item = &Recorded<OrderFact>> {
        self.facts.counting()
    }

    /// The facts that count, in the order in which things happened.
    fn happened(&self) -> Vec<&Recorded<OrderFact>> {
        let mut facts: Vec<_> = self.counting().collect();
        facts.sort_by_key(|recorded| (recorded.fact.when().unwrap_or(recorded.at), recorded.seq));
        facts
    }

    fn terms(&self) -> Option<Terms<'_>> {
        let mut terms: Option<Terms<'_>> = None;
        for recorded in self.happened() {
            match &recorded.fact {
                OrderFact::Made { when, kind, until, lines, .. } => {
                    terms = Some(Terms { made: *when, kind, until: *until, lines });
                }
                OrderFact::Varied { until, lines, .. } => {
                    terms = terms.map(|terms| Terms { until: *until, lines, ..terms });
                }
                _ => {}
            }
        }
        terms
    }

    /// What it is, a row of `orders.toml`.
    #[must_use]
    pub fn kind(&self) -> Option<&str> {
        self.terms().map(|terms| terms.kind)
    }

    /// Who is under it.
    #[must_use]
    pub fn subject(&self) -> Option<PersonId> {
        self.counting().find_map(|recorded| match &recorded.fact {
            OrderFact::Made { subject, .. } => *subject,
            _ => None,
        })
    }

    /// When it ends, where it has an end.
    #[must_use]
    pub fn until(&self) -> Option<At> {
        self.terms().and_then(|terms| terms.until)
    }

    /// When and how it ended.
    #[must_use]
    pub fn ended(&self) -> Option<(At, &str)> {
        self.counting().find_map(|recorded| match &recorded.fact {
            OrderFact::Ended { when, reason } => Some((*when, reason.as_str())),
            _ => None,
        })
    }

    /// Who manages the person.
    #[must_use]
    pub fn officer(&self) -> Option<UserId> {
        self.counting().rev().find_map(|recorded| match &recorded.fact {
            OrderFact::OfficerNamed { officer } => Some(*officer),
            _ => None,
        })
    }

    /// The level that says how often the person is visited.
    #[must_use]
    pub fn level(&self) -> Option<&str> {
        self.counting().rev().find_map(|recorded| match &recorded.fact {
            OrderFact::LevelStated { level, .. } => Some(level.as_str()),
            _ => None,
        })
    }

    /// The last visit on which the person was seen.
    #[must_use]
    pub fn last_seen(&self) -> Option<At> {
        self.happened().into_iter().rev().find_map(|recorded| match &recorded.fact {
            OrderFact::Visited { when, seen: Seen::Yes, .. } => Some(*when),
            _ => None,
        })
    }

    /// The examination with which the next check of a device is compared.
    #[must_use]
    pub fn last_check(&self, device: ExhibitId) -> Option<ExaminationId> {
        self.happened().into_iter().rev().find_map(|recorded| match &recorded.fact {
            OrderFact::DeviceChecked { exhibit, examination, .. } if *exhibit == device => Some(*examination),
            _ => None,
        })
    }

    /// The lines that stand, each with what was found of it last.
    #[must_use]
    pub fn lines(&self) -> Vec<LineState> {
        let Some(terms) = self.terms() else { return vec![] };
        let mut lines: Vec<LineState> =
            terms.lines.iter().map(|line| LineState { line: line.clone(), checked: None, notified: None }).collect();
        for Recorded { seq, fact, .. } in self.happened() {
            match fact {
                OrderFact::Visited { when, lines: checks, .. } => {
                    for check in checks {
                        for line in lines.iter_mut().filter(|line| line.line.line == check.line) {
                            line.checked = Some((*seq, *when, check.held));
                        }
                    }
                }
                OrderFact::Notified { when, line: number, .. } => {
                    for line in lines.iter_mut().filter(|line| line.line.line == *number) {
                        line.notified = Some(*when);
                    }
                }
                _ => {}
            }
        }
        lines
    }

    /// The number that a further line gets: one that no line ever had, since checks name lines by their number.
    #[must_use]
    pub fn next_line(&self) -> u32 {
        self.all_lines().map(|line| line.line).max().unwrap_or_default().saturating_add(1)
    }

    /// What is due, what is unanswered, and when it ends, the earliest first.
    #[must_use]
    pub fn due(&self, now: At, law: OrderLaw<'_>) -> Vec<Due> {
        self.sum().map_or_else(Vec::new, |sum| sum.due(now, law))
    }

    /// What it sums up to; none where it has ended, or nothing says when it was made.
    #[must_use]
    pub fn sum(&self) -> Option<OrderSum> {
        let terms = self.terms().filter(|_| self.ended().is_none())?;
        let settled: Vec<u64> = self
            .counting()
            .filter_map(|recorded| match &recorded.fact {
                OrderFact::BreachSettled { breach, .. } => Some(*breach),
                _ => None,
            })
            .collect();
        let open = self.counting().filter_map(|recorded| match &recorded.fact {
            OrderFact::Breached { when, line, .. } if !settled.contains(&recorded.seq) => {
                Some(OpenBreach { seq: recorded.seq, when: *when, line: *line })
            }
            _ => None,
        });
        let checked = self.counting().filter_map(|recorded| match &recorded.fact {
            OrderFact::DeviceChecked { when, .. } => Some(*when),
            _ => None,
        });
        let line =
            |line: LineState| Some(SumLine { line: line.line.line, row: line.line.row?, notified: line.notified });
        Some(OrderSum {
            made: terms.made,
            kind: terms.kind.to_owned(),
            until: terms.until,
            level: self.level().map(str::to_owned),
            seen: self.last_seen(),
            checked: checked.max(),
            lines: self.lines().into_iter().filter_map(line).collect(),
            breaches: open.collect(),
        })
    }

    /// What does not fit, in the order of the ledger, then what is missing.
    #[must_use]
    pub fn findings(&self, law: OrderLaw<'_>) -> Vec<String> {
        let mut found = self.facts.findings();
        let numbers: Vec<u32> = self.all_lines().map(|line| line.line).collect();
        let mut settled: Vec<u64> = vec![];
        let mut breaches: BTreeMap<u64, Option<u32>> = BTreeMap::new();
        let mut broken: Vec<(u64, u32)> = vec![];
        let ended = self.ended().map(|(when, _)| when);
        for Recorded { seq, fact, .. } in self.counting() {
            if ended.is_some_and(|ended| fact.when().is_some_and(|when| when > ended)) {
                found.push(format!("entry {seq} lies after the end of the order; check both times"));
            }
            let mut known = |line: u32| {
                if !numbers.contains(&line) {
                    found.push(format!("entry {seq} is about line {line}, which the order does not have; correct it"));
                }
            };
            match fact {
                OrderFact::Made { when, kind, until, lines, .. } => {
                    found.extend(made_findings(*seq, *when, kind, *until, law));
                    found.extend(line_findings(*seq, lines, law));
                }
                OrderFact::Varied { lines, .. } => found.extend(line_findings(*seq, lines, law)),
                OrderFact::LevelStated { level, .. } if law.visits.row(level).is_none() => {
                    found.push(format!("entry {seq}: no row of visits.toml is called {level}; correct it"));
                }
                OrderFact::Visited { lines, .. } => {
                    for check in lines {
                        known(check.line);
                        if check.held == Held::Broken {
                            broken.push((*seq, check.line));
                        }
                    }
                }
                OrderFact::Notified { when, line, change } => {
                    known(*line);
                    found.extend(self.late_notification(*seq, *when, *line, *change, law));
                }
                OrderFact::Breached { line, .. } => {
                    if let Some(line) = line {
                        known(*line);
                    }
                    breaches.insert(*seq, *line);
                }
                OrderFact::BreachSettled { breach, .. } => settled.push(*breach),
                _ => {}
            }
        }
        for settled in settled.iter().filter(|settled| !breaches.contains_key(settled)) {
            found.push(format!(
                "a breach of entry {settled} was settled, and no such breach counts; correct the number"
            ));
        }
        for seq in breaches.keys().filter(|seq| !settled.contains(seq)) {
            found.push(format!("the breach of entry {seq} is open"));
        }
        for (seq, line) in broken {
            if !breaches.values().any(|breached| *breached == Some(line)) {
                found.push(format!("entry {seq} found line {line} broken, and no breach of it is recorded"));
            }
        }
        if self.terms().is_none() {
            found.push("nothing says when and by whom it was made; record that first".to_owned());
        } else if ended.is_none() {
            if self.officer().is_none() {
                found.push("no officer is named; name one".to_owned());
            }
            if self.level().is_none() {
                found.push("no level is stated, so no visit is due; state one".to_owned());
            }
        }
        found
    }

    /// Every line that the order ever had.
    fn all_lines(&self) -> impl Iterator<Item = &OrderLine> {
        self.counting().flat_map(|recorded| match &recorded.fact {
            OrderFact::Made { lines, .. } | OrderFact::Varied { lines, .. } => lines.as_slice(),
            _ => &[],
        })
    }

    fn late_notification(
        &self,
        seq: u64,
        when: At,
        line: u32,
        change: Option<At>,
        law: OrderLaw<'_>,
    ) -> Option<String> {
        let row = self.all_lines().find(|known| known.line == line)?.row.as_deref()?;
        let clock: &LineClock = law.lines.row(row)?.value.clock.as_ref()?;
        let start = match clock.begins {
            Begins::Change => match change {
                Some(change) => change,
                None => {
                    return Some(format!(
                        "entry {seq} does not say when the change happened, so nobody can tell whether it was in time"
                    ));
                }
            },
            Begins::Made => self.terms()?.made,
            // Whether a renewal was in time is seen before it: it was late on the list of what is due.
            Begins::LastNotification => return None,
        };
        let late_from = clock.late_from(start);
        (when >= late_from).then(|| format!("entry {seq}: notified late; the last moment was before {late_from}"))
    }
}

fn made_findings(seq: u64, when: At, kind: &str, until: Option<At>, law: OrderLaw<'_>) -> Vec<String> {
    let mut found = vec![];
    match law.kinds.row(kind) {
        None => found.push(format!("entry {seq}: no row of orders.toml is called {kind}; correct it")),
        Some(row) => {
            if let (Some(least), Some(until)) = (row.value.least_months, until) {
                let zone = crate::at::Day::ZONE.to_owned();
                let least = Period { count: least, unit: PeriodUnit::CalendarMonths, zone, not_working: vec![] };
                if until < least.after(when) {
                    found.push(format!("entry {seq}: it ends before the shortest term, {least}; check the end"));
                }
            }
        }
    }
    found
}

fn line_findings(seq: u64, lines: &[OrderLine], law: OrderLaw<'_>) -> Vec<String> {
    let mut found = vec![];
    for (place, line) in (1u64..).zip(lines) {
        if let Some(row) = line.row.as_deref().filter(|row| law.lines.row(row).is_none()) {
            found.push(format!("entry {seq}, line {}: no row of order-lines.toml is called {row}", line.line));
        }
        if line.row.is_none() && line.text.is_none() {
            found.push(format!("entry {seq}, line {}: it says nothing; give a row or its words", line.line));
        }
        if lines.iter().zip(1u64..).any(|(other, at)| at < place && other.line == line.line) {
            found.push(format!("entry {seq}: two lines have the number {}; give each its own", line.line));
        }
    }
    found
}
