//! Levels of risk, from the data file `risk-levels`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::law::{LawRow, Period, Row, Table, WrongField, WrongTable};

/// The id of a level's row, such as `very-high`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LevelId(String);

impl LevelId {
    /// The level of this id. Whether a table has it is for the table to say.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LevelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the table says of one level.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskLevel {
    /// Its name on pages.
    pub title: String,
    /// Its place in the order of work; 1 comes first.
    pub rank: u32,
    /// How long after the referral was received there is to act.
    pub within: Period,
}

impl LawRow for RiskLevel {
    const TABLE: &'static str = "risk-levels";

    fn summary(&self) -> String {
        format!("{}: to be acted on within {} of receipt", self.title, self.within)
    }

    fn check(&self) -> Result<(), WrongField> {
        self.within.check().map_err(|(what, next)| WrongField { field: "within", what, next })
    }

    fn check_table(rows: &[Row<Self>]) -> Result<(), WrongTable> {
        for (i, row) in rows.iter().enumerate() {
            if let Some(other) = rows.iter().take(i).find(|other| other.value.rank == row.value.rank) {
                return Err(WrongTable {
                    what: format!("the rows `{}` and `{}` have the same rank {}", other.id, row.id, row.value.rank),
                    next: "Give each level its own; 1 comes first".to_owned(),
                });
            }
        }
        Ok(())
    }
}

impl Table<RiskLevel> {
    /// The level that comes first. A table that was read always has one.
    #[must_use]
    pub fn first(&self) -> Option<&Row<RiskLevel>> {
        self.rows.iter().min_by_key(|row| row.value.rank)
    }

    /// The row that decides the order and the deadline: that of the level, or the first where there is no level or the
    /// table does not have it. What nobody has assessed must not sink below what somebody has.
    #[must_use]
    pub fn standing(&self, level: Option<&LevelId>) -> Option<&Row<RiskLevel>> {
        level.and_then(|level| self.row(level.as_str())).or_else(|| self.first())
    }

    /// When a referral received then is to be acted on at this level ([`standing`](Self::standing)).
    #[must_use]
    pub fn deadline(&self, level: Option<&LevelId>, received: At) -> At {
        self.standing(level).map_or(received, |row| row.value.within.after(received))
    }
}
