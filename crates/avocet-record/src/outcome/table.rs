//! Offences and disposals, from the data files `offences` and `disposals`.

use serde::Deserialize;

use crate::law::LawRow;

/// An offence that can be charged.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offence {
    /// Its name on pages.
    pub title: String,
    /// Whether its schedule states categories.
    pub categories: bool,
}

impl LawRow for Offence {
    const TABLE: &'static str = "offences";

    fn summary(&self) -> String {
        let categories = if self.categories { "by category" } else { "without categories" };
        format!("{}; schedule {categories}", self.title)
    }
}

/// How a matter can end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disposal {
    /// Its name on pages.
    pub title: String,
    /// Whether the figure of positive outcomes counts it.
    pub positive: bool,
}

impl LawRow for Disposal {
    const TABLE: &'static str = "disposals";

    fn summary(&self) -> String {
        let positive =
            if self.positive { "counted as a positive outcome" } else { "not counted as a positive outcome" };
        format!("{}; {positive}", self.title)
    }
}
