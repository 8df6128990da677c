//! Powers to share, from the data file `sharing-powers`.

use serde::Deserialize;

use crate::law::LawRow;

/// Under what something about a person is shared with another body.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingPower {
    /// Its name on pages.
    pub title: String,
}

impl LawRow for SharingPower {
    const TABLE: &'static str = "sharing-powers";

    fn summary(&self) -> String {
        self.title.clone()
    }
}
