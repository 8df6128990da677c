//! Leads as they come in: a CyberTip's XML, or a lead as CSV or JSON, read whole.
//!
//! Every leaf of the file (element text, attribute, cell, value) becomes a [`Field`] with its place, in the order of the
//! file; [`Field::what`] says what we take it for, `None` that it is kept and not modelled. So nothing can be dropped on
//! the way, and a newer schema only gives more fields without a meaning. Intake never fails: what cannot be read is a
//! [`Problem`], and the original is kept byte for byte by whoever calls this.

mod identifiers;
mod meaning;
mod table;
mod text;
mod xml;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identifier::Identifier;
use crate::risk::Flag;

pub use meaning::What;

/// How a lead is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// NCMEC's CyberTip report or file details (`cyber_tipline.xsd`), or any other XML.
    Xml,
    /// Comma-separated values with a header.
    Csv,
    /// JSON.
    Json,
    /// None of these: only the original is kept.
    Unread,
}

impl Format {
    /// The format that a file seems to have, by its first characters.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let text = text::decode(bytes).0;
        let start = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        match start.chars().next() {
            Some('<') => Self::Xml,
            Some('{' | '[') => Self::Json,
            Some(_) if start.lines().next().is_some_and(|line| line.contains(',')) => Self::Csv,
            _ => Self::Unread,
        }
    }
}

/// One leaf of the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Where it stands: names from the root, an attribute after `@`, the second of the same name with `[2]`.
    pub path: String,
    /// Line in the file, from 1; 0 where the format has none.
    pub line: u64,
    /// As it stands there.
    pub text: String,
    /// What we take it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<What>,
}

/// Says where, never what.
impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field({}, line {}, {:?})", self.path, self.line, self.what)
    }
}

/// Something that could not be read as it should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// Line in the file, from 1; 0 where there is none.
    pub line: u64,
    /// What, and what to do; nothing of the content.
    pub what: String,
}

/// An IP address as the source states it, with the texts as they stand there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IpEvent {
    /// Where it stands in the file.
    pub path: String,
    /// The address.
    pub address: String,
    /// The time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The time zone, where it stands apart from the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The source port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// What happened: login, upload, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
}

impl fmt::Debug for IpEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IpEvent({})", self.path)
    }
}

/// A lead as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lead {
    /// How it is written.
    pub format: Format,
    /// Every leaf, in the order of the file.
    pub fields: Vec<Field>,
    /// The IP addresses with their times.
    pub ip_events: Vec<IpEvent>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// A flag, and where the lead sets it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flagged {
    /// Which.
    pub flag: Flag,
    /// The field that says so.
    pub path: String,
}

/// The most leaves of one lead. The rest is counted and said; the original is whole.
pub const MAX_FIELDS: usize = 1_000_000;

/// Reads a lead.
#[must_use]
pub fn read(bytes: &[u8], format: Format) -> Lead {
    let mut reading = Reading::default();
    let (text, wrong) = match format {
        Format::Unread => Default::default(),
        _ => text::decode(bytes),
    };
    if let Some(wrong) = wrong {
        reading.problem(0, &format!("the file's text: {wrong}"));
    }
    match format {
        Format::Xml => xml::read(&text, &mut reading),
        Format::Csv => table::csv(&text, &mut reading),
        Format::Json => table::json(&text, &mut reading),
        Format::Unread => {
            reading.problem(
                0,
                "the file is neither XML, JSON nor CSV: only the original is kept. Enter by hand what it says",
            );
        }
    }
    if reading.over > 0 {
        let what = format!("{} more fields are not listed; read them in the original", reading.over);
        reading.problem(0, &what);
    }
    if reading.fields.is_empty() && reading.problems.is_empty() {
        // Text that is not what it was taken for, a header without rows, an empty file.
        reading.problem(0, "nothing in it could be read: only the original is kept. Enter by hand what it says");
    }
    let ip_events = identifiers::ip_events(&reading.fields);
    Lead { format, fields: reading.fields, ip_events, problems: reading.problems }
}

impl Lead {
    /// The first field that we take for this.
    #[must_use]
    pub fn first(&self, what: What) -> Option<&str> {
        self.fields.iter().find(|field| field.what == Some(what)).map(|field| field.text.trim())
    }

    /// The flags that it sets, each with the field that says so. A flag said to be false is not set.
    #[must_use]
    pub fn flags(&self) -> Vec<Flagged> {
        let mut set = BTreeSet::new();
        for field in &self.fields {
            let Some(What::Annotation) = field.what else { continue };
            if let Some(flag) = meaning::flag(&field.path)
                && !matches!(field.text.trim().to_lowercase().as_str(), "false" | "0" | "no")
            {
                set.insert(Flagged { flag, path: field.path.clone() });
            }
        }
        set.into_iter().collect()
    }

    /// What it can be found by in other records.
    #[must_use]
    pub fn identifiers(&self) -> Vec<Identifier> {
        identifiers::of(self)
    }
}

#[derive(Debug, Default)]
struct Reading {
    fields: Vec<Field>,
    problems: Vec<Problem>,
    over: u64,
}

impl Reading {
    fn field(&mut self, path: String, line: u64, text: String) {
        if self.fields.len() >= MAX_FIELDS {
            self.over = self.over.saturating_add(1);
            return;
        }
        let what = meaning::of(&path);
        self.fields.push(Field { path, line, text, what });
    }

    fn problem(&mut self, line: u64, what: &str) {
        self.problems.push(Problem { line, what: what.to_owned() });
    }
}
