//! How each figure is counted.

use std::collections::{BTreeMap, BTreeSet};

use super::book::{Book, View};
use super::days::Days;
use super::definition::{Definition, Measure};
use super::people::Children;
use super::{Shown, Span, suppress};
use crate::at::{At, Day};
use crate::custody::CustodyState;
use crate::exhibit::ExhibitFact;
use crate::ids::{ExhibitId, InvestigationId};
use crate::law::{Law, Row};
use crate::outcome::{Disposal, OutcomeFact};

/// What a figure says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// How many.
    Count(u64),
    /// How long.
    Days(Days),
    /// How many wait, and how long they have waited.
    Waiting(Days),
    /// How many were viewed, by how many people.
    Viewed {
        /// How many views.
        views: u64,
        /// By how many people.
        people: u64,
    },
}

/// A number with what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The number.
    pub value: Value,
    /// Ids of the records that it counts, in order.
    pub records: Vec<String>,
    /// What the parts of its breakdown are, such as kinds of device; and how many of each.
    pub breakdown: Option<(&'static str, BTreeMap<String, u64>)>,
}

/// A figure with its definition.
#[derive(Debug, Clone)]
pub struct Figure {
    /// The definition.
    pub definition: Row<Definition>,
    /// The number.
    pub counted: Counted,
}

impl Figure {
    /// The breakdown as it may be published: labels with numbers; `None` within where nothing may be shown.
    #[must_use]
    pub fn published(&self) -> Option<(&'static str, Option<Cells<'_>>)> {
        let (by, cells) = self.counted.breakdown.as_ref()?;
        let shown = suppress(&cells.values().copied().collect::<Vec<_>>());
        Some((by, shown.map(|shown| cells.keys().map(String::as_str).zip(shown).collect())))
    }
}

/// The cells of a breakdown as they may be published, each with its label.
pub type Cells<'a> = Vec<(&'a str, Shown)>;

/// Figures for a period, as of a cut-off.
#[derive(Debug, Clone)]
pub struct Figures {
    /// The period.
    pub span: Span,
    /// The last entry that counts: with this as the cut-off the same numbers come out.
    pub cutoff: u64,
    /// The table that says which disposals are positive, and its digest: another table is another figure.
    pub disposals: String,
    /// The figures, in the order of their table.
    pub all: Vec<Figure>,
}

/// Counts every figure of the law's table. `cutoff` is the last entry that the book was made of.
#[must_use]
pub fn compute(book: &Book, span: Span, cutoff: u64, law: &Law) -> Figures {
    let children = Children::of(book);
    let figure = |row: &Row<Definition>| {
        let counted = count(row.value.measure, book, &children, span, law);
        Figure { definition: row.clone(), counted }
    };
    let disposals = format!("disposals {} {}", law.disposals.version, law.disposals.digest);
    Figures { span, cutoff, disposals, all: law.figures.rows.iter().map(figure).collect() }
}

fn count(measure: Measure, book: &Book, children: &Children<'_>, span: Span, law: &Law) -> Counted {
    match measure {
        Measure::ReferralsReceived1 => {
            let counted = book.referrals.iter().filter(|(_, row)| span.contains(row.received));
            numbered("source", counted.map(|(id, row)| (id.to_string(), row.source.clone())))
        }
        Measure::WarrantsExecuted1 => {
            let first = book.entries.iter().filter_map(|(id, (of, entries))| Some((id, of, entries.iter().min()?)));
            let counted = first.filter(|(.., first)| span.contains(**first));
            let level = |of: &InvestigationId| {
                let level = book.investigations.get(of).and_then(|row| row.level.as_ref());
                level.map_or_else(|| "not assessed".to_owned(), ToString::to_string)
            };
            numbered("level of the investigation", counted.map(|(id, of, _)| (id.to_string(), level(of))))
        }
        Measure::DevicesSeized1 => {
            let device = |(id, fact): (&ExhibitId, &ExhibitFact)| match fact {
                ExhibitFact::Taken { when, parent: None, kind, .. } if span.contains(*when) => {
                    Some((id.to_string(), plain(kind)))
                }
                _ => None,
            };
            numbered("kind", origins(book).filter_map(device))
        }
        Measure::DevicesExcluded1 => {
            let device = |(id, fact): (&ExhibitId, &ExhibitFact)| match fact {
                ExhibitFact::Excluded { when, kind, .. } if span.contains(*when) => Some((id.to_string(), plain(kind))),
                _ => None,
            };
            numbered("kind", origins(book).filter_map(device))
        }
        Measure::Arrests1 => custody(book, span, CustodyState::arrested),
        Measure::ArrestsOrInterviews1 => custody(book, span, |state| Some(state.contact()?.1)),
        Measure::ChildrenSafeguarded1 => {
            let acts = children.safeguarded();
            listed(
                acts.iter()
                    .filter(|(_, acts)| acts.iter().any(|when| span.contains(*when)))
                    .map(|(id, _)| id.to_string()),
            )
        }
        Measure::ChildrenIdentified1 => listed(
            children.identified().into_iter().filter(|(_, when)| span.contains(*when)).map(|(id, _)| id.to_string()),
        ),
        Measure::ChildrenUnidentified1 => listed(children.unidentified(span.end()).iter().map(ToString::to_string)),
        Measure::Charges1 => {
            let charges =
                book.outcomes.iter().flat_map(|(id, (_, state))| state.charges().into_iter().map(move |c| (id, c)));
            let counted = charges.filter(|(_, charge)| span.contains(charge.when));
            numbered("offence", counted.map(|(id, charge)| (format!("{id}/{}", charge.number), charge.offence)))
        }
        Measure::PositiveOutcomes1 => {
            let positive =
                |disposal: &str| law.disposals.row(disposal).is_some_and(|row: &Row<Disposal>| row.value.positive);
            let first = book.outcomes.iter().filter_map(|(id, (_, state))| {
                let good = state.counting().filter_map(|recorded| match &recorded.fact {
                    OutcomeFact::Charged { when, .. } => Some(*when),
                    OutcomeFact::Disposed { when, disposal, .. } if positive(disposal) => Some(*when),
                    _ => None,
                });
                Some((id, good.min()?))
            });
            listed(first.filter(|(_, when)| span.contains(*when)).map(|(id, _)| id.to_string()))
        }
        Measure::DaysToSafeguarding1 => {
            let (acts, of) = (children.safeguarded(), children.investigations());
            let first = acts.iter().filter_map(|(id, acts)| Some((id, *acts.iter().min()?)));
            let known = first.filter(|(_, first)| span.contains(*first)).filter_map(|(id, first)| {
                let received = of.get(id)?.iter().filter_map(|of| book.investigations.get(of)).map(|row| row.received);
                Some((id.to_string(), days(received.min()?, first)))
            });
            lasting(known, Value::Days)
        }
        Measure::DaysToResult1 => {
            let mut first: BTreeMap<InvestigationId, At> = BTreeMap::new();
            for (of, state) in book.outcomes.values() {
                let results = state.counting().filter_map(|recorded| match &recorded.fact {
                    OutcomeFact::Charged { when, .. } | OutcomeFact::Disposed { when, .. } => Some(*when),
                    _ => None,
                });
                if let Some(result) = results.min() {
                    first.entry(*of).and_modify(|first| *first = result.min(*first)).or_insert(result);
                }
            }
            let known = first.into_iter().filter(|(_, first)| span.contains(*first));
            let known = known
                .filter_map(|(of, first)| Some((of.to_string(), days(book.investigations.get(&of)?.received, first))));
            lasting(known, Value::Days)
        }
        Measure::BacklogReferrals1 => {
            let end = span.end();
            let waiting =
                book.referrals.iter().filter(|(_, row)| row.received < end && row.linked.is_none_or(|at| at >= end));
            lasting(waiting.map(|(id, row)| (id.to_string(), age(row.received, span))), Value::Waiting)
        }
        Measure::BacklogDevices1 => {
            let end = span.end();
            let waiting = book.exhibits.iter().filter_map(|(id, state)| {
                let Some(ExhibitFact::Taken { when, parent: None, .. }) = state.origin() else { return None };
                let done = state.counting().any(|recorded| match &recorded.fact {
                    ExhibitFact::Examined { when, .. }
                    | ExhibitFact::Returned { when, .. }
                    | ExhibitFact::Destroyed { when, .. } => *when < end,
                    _ => false,
                });
                let examined = book.examined.get(id).is_some_and(|at| *at < end);
                (*when < end && !done && !examined).then(|| (id.to_string(), age(*when, span)))
            });
            lasting(waiting, Value::Waiting)
        }
        Measure::Exposure1 => viewed(&book.views, span),
        Measure::ExposureClear1 => viewed(&book.clear, span),
    }
}

/// How many of these views lie in a period, and by how many people.
fn viewed(views: &[View], span: Span) -> Counted {
    let views: Vec<_> = views.iter().filter(|view| span.contains(view.at)).collect();
    let people: BTreeSet<_> = views.iter().map(|view| view.by).collect();
    let value = Value::Viewed { views: number(views.len()), people: number(people.len()) };
    Counted { value, records: views.iter().map(|view| format!("entry {}", view.seq)).collect(), breakdown: None }
}

fn custody(book: &Book, span: Span, when: impl Fn(&CustodyState) -> Option<At>) -> Counted {
    let counted = book.case.custody.iter().filter(|(_, state)| when(state).is_some_and(|when| span.contains(when)));
    listed(counted.map(|(id, _)| id.to_string()))
}

fn origins(book: &Book) -> impl Iterator<Item = (&ExhibitId, &ExhibitFact)> {
    book.exhibits.iter().filter_map(|(id, state)| Some((id, state.origin()?)))
}

/// Days by dates.
fn days(from: At, to: At) -> i64 {
    Day::of(from).until(Day::of(to))
}

/// Days by dates up to the last day of the period.
fn age(since: At, span: Span) -> i64 {
    Day::of(since).until(span.to)
}

/// A kind as people write it differently: spaces around it and case do not matter.
fn plain(kind: &str) -> String {
    kind.trim().to_lowercase()
}

fn number(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn listed(records: impl Iterator<Item = String>) -> Counted {
    let records: Vec<String> = records.collect();
    Counted { value: Value::Count(number(records.len())), records, breakdown: None }
}

fn numbered(by: &'static str, records: impl Iterator<Item = (String, String)>) -> Counted {
    let mut cells: BTreeMap<String, u64> = BTreeMap::new();
    let mut ids = vec![];
    for (id, part) in records {
        ids.push(id);
        let cell = cells.entry(part).or_default();
        *cell = cell.saturating_add(1);
    }
    Counted { value: Value::Count(number(ids.len())), records: ids, breakdown: Some((by, cells)) }
}

fn lasting(records: impl Iterator<Item = (String, i64)>, value: impl Fn(Days) -> Value) -> Counted {
    let (records, days): (Vec<String>, Vec<i64>) = records.unzip();
    Counted { value: value(Days::new(days)), records, breakdown: None }
}
