//! Kinds of orders, their usual lines and the levels of visits, from the data files `orders`, `order-lines` and `visits`.

use std::fmt;

use serde::Deserialize;

use crate::at::{At, Day};
use crate::law::{LawRow, Period, PeriodUnit, WrongField};

/// A kind of order, or notification requirements as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderKind {
    /// Its name on pages.
    pub title: String,
    /// The shortest term in months, where it is made for a term.
    #[serde(default)]
    pub least_months: Option<u32>,
    /// Whether every line of this kind belongs to it without being named.
    #[serde(default)]
    pub all_lines: bool,
    /// Whether an investigation comes before others in the queue once something of such an order is late.
    #[serde(default)]
    pub ahead: bool,
}

impl LawRow for OrderKind {
    const TABLE: &'static str = "orders";

    fn summary(&self) -> String {
        let least = self.least_months.map_or_else(String::new, |n| format!("; for a term of at least {n} months"));
        format!("{}{least}", self.title)
    }
}

/// What a clock counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum Begins {
    /// The day of the order, or of what the requirements follow from.
    #[serde(rename = "made")]
    Made,
    /// The change that is to be notified.
    #[serde(rename = "change")]
    Change,
    /// The last notification of any line of the order that has a clock.
    #[serde(rename = "last notification")]
    LastNotification,
}

/// How long there is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineClock {
    /// From when.
    pub begins: Begins,
    /// So many days, the day on which it begins being the first.
    #[serde(default)]
    pub days: Option<i32>,
    /// So many months after.
    #[serde(default)]
    pub months: Option<u32>,
}

impl LineClock {
    /// The instant from which it is late.
    #[must_use]
    pub fn late_from(&self, start: At) -> At {
        match (self.days, self.months) {
            (Some(days), _) => Day::of(start).plus(days).begin(),
            (None, Some(months)) => months_period(months).after(start),
            (None, None) => start,
        }
    }
}

fn months_period(count: u32) -> Period {
    Period { count, unit: PeriodUnit::CalendarMonths, zone: Day::ZONE.to_owned(), not_working: vec![] }
}

impl fmt::Display for LineClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match self.begins {
            Begins::Made => "the order",
            Begins::Change => "the change",
            Begins::LastNotification => "the last notification",
        };
        match (self.days, self.months) {
            (Some(days), _) => write!(f, "within {days} days, that of {from} being the first"),
            (None, months) => write!(f, "within {} months of {from}", months.unwrap_or_default()),
        }
    }
}

/// A usual condition or requirement.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineKind {
    /// Of which kind of order.
    pub order: String,
    /// What it says, one line.
    pub title: String,
    /// How long there is to do it; none for what always holds.
    #[serde(default)]
    pub clock: Option<LineClock>,
    /// Whether the person's devices are checked because of it.
    #[serde(default)]
    pub devices: bool,
}

impl LawRow for LineKind {
    const TABLE: &'static str = "order-lines";

    fn summary(&self) -> String {
        let clock = self.clock.as_ref().map_or_else(String::new, |clock| format!("; {clock}"));
        format!("{}: {}{clock}", self.order, self.title)
    }

    fn check(&self) -> Result<(), WrongField> {
        let Some(clock) = &self.clock else { return Ok(()) };
        let wrong =
            |what: &str, next: &str| Err(WrongField { field: "clock", what: what.to_owned(), next: next.to_owned() });
        match (clock.days, clock.months) {
            (Some(1..=3660), None) | (None, Some(1..=120)) => Ok(()),
            (Some(_), None) | (None, Some(_)) => {
                wrong("the length is out of range", "Use 1 to 3660 days or 1 to 120 months")
            }
            _ => wrong("days and months are both or neither given", "Give one of the two"),
        }
    }
}

/// How often a person is visited.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VisitLevel {
    /// Its name on pages.
    pub title: String,
    /// How long after a visit the next is due.
    pub every: Period,
    /// How long after a check of devices the next is due, where a line of the order has them checked.
    #[serde(default)]
    pub devices_every: Option<Period>,
}

impl LawRow for VisitLevel {
    const TABLE: &'static str = "visits";

    fn summary(&self) -> String {
        let devices = self.devices_every.as_ref();
        let devices =
            devices.map_or_else(String::new, |every| format!("; devices checked within {every} of the last check"));
        format!("{}: a visit within {} of the last{devices}", self.title, self.every)
    }

    fn check(&self) -> Result<(), WrongField> {
        self.every.check().map_err(|(what, next)| WrongField { field: "every", what, next })?;
        let devices = self.devices_every.as_ref().map_or(Ok(()), Period::check);
        devices.map_err(|(what, next)| WrongField { field: "devices_every", what, next })
    }
}
