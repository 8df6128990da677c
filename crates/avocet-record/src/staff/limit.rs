//! Limits of exposure, from the data file `staff-care`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::law::{LawRow, Row, WrongField, WrongTable};

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Measure {
    /// How long clear pictures were there, in whole minutes of one day.
    #[serde(rename = "clear minutes a day")]
    ClearMinutes,
    /// How many clear views of one day.
    #[serde(rename = "clear views a day")]
    ClearViews,
    /// How many contents were graded by viewing on one day.
    #[serde(rename = "contents graded a day")]
    Graded,
    /// How long somebody has looked without a break.
    #[serde(rename = "minutes without a break")]
    WithoutBreak,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Measure::ClearMinutes => "clear minutes a day",
            Measure::ClearViews => "clear views a day",
            Measure::Graded => "contents graded a day",
            Measure::WithoutBreak => "minutes without a break",
        })
    }
}

/// The two numbers of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// From here on a break is proposed.
    pub propose: u32,
    /// From here on no further batch is handed out; none where a break is only ever proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<u32>,
}

impl Bounds {
    /// The largest number.
    const MOST: u32 = 100_000;

    /// What is wrong with the numbers, and what to do, if anything is.
    #[must_use]
    pub fn wrong(self) -> Option<(&'static str, &'static str, &'static str)> {
        if !(1..=Self::MOST).contains(&self.propose) {
            return Some(("propose", "it is out of range", "Use 1 to 100000"));
        }
        match self.hold {
            Some(hold) if hold < self.propose => Some((
                "hold",
                "it lies below the number from which a break is proposed",
                "Use that or more, or leave it out",
            )),
            Some(hold) if hold > Self::MOST => Some(("hold", "it is out of range", "Use 1 to 100000, or leave it out")),
            _ => None,
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a break is proposed from {}", self.propose)?;
        match self.hold {
            Some(hold) => write!(f, ", nothing more is handed out from {hold}"),
            None => f.write_str(", nothing is held back"),
        }
    }
}

/// A row of `staff-care.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Its name on pages.
    pub title: String,
    /// What it counts.
    pub measure: Measure,
    /// From here on a break is proposed.
    pub propose: u32,
    /// From here on no further batch is handed out.
    #[serde(default)]
    pub hold: Option<u32>,
    /// How many minutes without looking count as a break even where none was recorded.
    #[serde(default)]
    pub pause_minutes: Option<u32>,
}

impl Limit {
    /// Its two numbers.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        Bounds { propose: self.propose, hold: self.hold }
    }
}

impl LawRow for Limit {
    const TABLE: &'static str = "staff-care";

    fn summary(&self) -> String {
        format!("{}: {}", self.title, self.bounds())
    }

    fn check(&self) -> Result<(), WrongField> {
        let wrong = |field, what: &str, next: &str| Err(WrongField { field, what: what.into(), next: next.into() });
        if let Some((field, what, next)) = self.bounds().wrong() {
            return wrong(field, what, next);
        }
        match (self.measure, self.pause_minutes) {
            (Measure::WithoutBreak, None) => wrong(
                "pause_minutes",
                "nothing says what counts as a break where none was recorded",
                "Add how many minutes without looking do",
            ),
            (Measure::WithoutBreak, Some(1..=480)) => Ok(()),
            (Measure::WithoutBreak, Some(_)) => wrong("pause_minutes", "it is out of range", "Use 1 to 480"),
            (_, Some(_)) => wrong("pause_minutes", "only minutes without a break have it", "Remove it"),
            (_, None) => Ok(()),
        }
    }

    fn check_table(rows: &[Row<Self>]) -> Result<(), WrongTable> {
        for (i, row) in rows.iter().enumerate() {
            if let Some(other) = rows.iter().take(i).find(|other| other.value.measure == row.value.measure) {
                return Err(WrongTable {
                    what: format!("the rows `{}` and `{}` count the same: {}", other.id, row.id, row.value.measure),
                    next: "Leave one of them out".to_owned(),
                });
            }
        }
        Ok(())
    }
}
