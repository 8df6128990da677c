//! The report: one HTML file with its style inside, no script, no picture, nothing fetched from anywhere.

use askama::Template;

use crate::extract::{AlertLine, Extract};
use crate::{grouped, plural};

/// Whether names and paths of files appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// They appear.
    Shown,
    /// They do not: a name can itself distress, or identify a child.
    Hidden,
}

/// Why no report could be made.
#[derive(Debug, thiserror::Error)]
#[error("the report cannot be rendered: {0}")]
pub struct HtmlError(#[from] askama::Error);

#[derive(Template)]
#[template(path = "report.html")]
struct Report<'a> {
    x: &'a Extract,
    hidden: bool,
}

impl Report<'_> {
    fn name(&self, alert: &AlertLine) -> String {
        if self.hidden { format!("name hidden, file {}", alert.id) } else { alert.path.clone() }
    }

    fn path_of(&self, path: Option<&String>) -> String {
        match path {
            Some(_) if self.hidden => "hidden".to_owned(),
            Some(path) => path.clone(),
            None => String::new(),
        }
    }

    fn label(&self, label: Option<&String>) -> String {
        self.path_of(label)
    }

    fn size(&self, bytes: &u64) -> String {
        avocet_base::size_text(*bytes)
    }

    fn number(&self, n: &u64) -> String {
        grouped(*n)
    }

    fn count(&self, n: &u64, one: &str, many: &str) -> String {
        plural(*n, one, many)
    }

    fn level_word(&self, level: &str) -> &'static str {
        match level {
            "alarm" => "Alarm",
            "gap" => "Gap",
            "note" => "Note",
            _ => "Done",
        }
    }

    /// Facts of the run and of the acquisition that may name people or folders.
    fn fact(&self, value: &str) -> String {
        if self.hidden { "hidden".to_owned() } else { value.to_owned() }
    }
}

/// The report as one HTML text.
///
/// # Errors
/// [`HtmlError`] where the template cannot be rendered.
pub fn html(extract: &Extract, names: Names) -> Result<String, HtmlError> {
    Ok(Report { x: extract, hidden: names == Names::Hidden }.render()?)
}
