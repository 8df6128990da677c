//! Leaflets: what is given to somebody under investigation, to families, to parents and to those who do this work. One
//! HTML file each, with its style inside, no script, nothing fetched, to be printed. Words and services are data; no
//! sentence reads as a finding of guilt (`domain.md` 2.4).

use std::collections::BTreeSet;

use askama::Template;
use serde::Deserialize;

use crate::custody::LeafletFor;
use crate::law::{LawRow, Row, Status, Table, WrongField, WrongTable};

/// A row of `services.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name.
    pub title: String,
    /// On which leaflets it stands.
    #[serde(rename = "for")]
    pub on: BTreeSet<LeafletFor>,
    /// What it does, one sentence or two without the last full stop.
    pub what: String,
    /// Its number.
    #[serde(default)]
    pub phone: Option<String>,
    /// When it answers, without a full stop.
    #[serde(default)]
    pub hours: Option<String>,
    /// Where it is on the web.
    #[serde(default)]
    pub web: Option<String>,
}

impl LawRow for Service {
    const TABLE: &'static str = "services";

    fn summary(&self) -> String {
        let reached = self.phone.iter().chain(&self.web).cloned().collect::<Vec<_>>().join(", ");
        let reached = if reached.is_empty() { "how it is reached is not known".to_owned() } else { reached };
        format!("{}: {reached}", self.title)
    }

    fn check(&self) -> Result<(), WrongField> {
        let digits = |phone: &String| phone.chars().all(|c| c.is_ascii_digit() || c == ' ');
        if self.phone.as_ref().is_some_and(|phone| !digits(phone)) {
            let what = "the number holds something else than digits and spaces".to_owned();
            return Err(WrongField { field: "phone", what, next: "Write it as it is dialled".to_owned() });
        }
        Ok(())
    }
}

/// A row of `leaflets.toml`: what a leaflet says. The row's id is for whom it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wording {
    /// Its heading.
    pub title: String,
    /// Its paragraphs.
    pub paragraphs: Vec<String>,
}

impl LawRow for Wording {
    const TABLE: &'static str = "leaflets";

    fn summary(&self) -> String {
        self.title.clone()
    }

    fn check_table(rows: &[Row<Self>]) -> Result<(), WrongTable> {
        for leaflet in LeafletFor::ALL {
            if !rows.iter().any(|row| row.id == leaflet.to_string()) {
                return Err(WrongTable {
                    what: format!("there is no row `{leaflet}`"),
                    next: "Add it with a title and paragraphs".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Why no leaflet could be made.
#[derive(Debug, thiserror::Error)]
pub enum LeafletError {
    /// The table has no wording for it.
    #[error("the table `leaflets` has no row `{0}`; add it")]
    NoWording(LeafletFor),
    /// The page could not be put together.
    #[error("the leaflet cannot be rendered: {0}")]
    Render(#[from] askama::Error),
}

struct Line {
    title: String,
    what: String,
    phone: Option<String>,
    hours: Option<String>,
    web: Option<String>,
    checked: String,
}

#[derive(Template)]
#[template(path = "leaflet.html")]
struct Page<'a> {
    title: &'a str,
    paragraphs: &'a [String],
    services: Vec<Line>,
    wording: &'a str,
    version: &'a str,
}

/// The leaflet as one HTML file.
///
/// # Errors
/// [`LeafletError`] where the table says nothing for it.
pub fn html(leaflet: LeafletFor, words: &Table<Wording>, services: &Table<Service>) -> Result<String, LeafletError> {
    let row = words.row(&leaflet.to_string()).ok_or(LeafletError::NoWording(leaflet))?;
    let line = |row: &Row<Service>| Line {
        title: row.value.title.clone(),
        what: row.value.what.clone(),
        phone: row.value.phone.clone(),
        hours: row.value.hours.clone(),
        web: row.value.web.clone(),
        checked: match row.provenance.status {
            Status::Confirmed => format!("checked {}", row.provenance.checked),
            status => format!("{status}, looked at {}", row.provenance.checked),
        },
    };
    let page = Page {
        title: &row.value.title,
        paragraphs: &row.value.paragraphs,
        services: services.rows.iter().filter(|row| row.value.on.contains(&leaflet)).map(line).collect(),
        wording: &words.version,
        version: &services.version,
    };
    Ok(page.render()?)
}
