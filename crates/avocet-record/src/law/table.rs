//! A table of rows, each with where it comes from.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::Digest as _;

use super::error::LawError;

/// A table is written by people; one of this size is a wrong file.
const MAX_BYTES: u64 = 1 << 20;
/// Rows of one table.
const MAX_ROWS: usize = 4096;

/// How sure a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// The source named says so, and we have read it.
    #[serde(rename = "confirmed")]
    Confirmed,
    /// Somebody else says that the source says so.
    #[serde(rename = "second hand")]
    SecondHand,
    /// Not known for certain: check before relying on it.
    #[serde(rename = "to be confirmed")]
    ToBeConfirmed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Confirmed => "confirmed",
            Status::SecondHand => "second hand",
            Status::ToBeConfirmed => "to be confirmed",
        })
    }
}

/// Where a row comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// What was read.
    pub source: String,
    /// Whose law or practice it states.
    pub jurisdiction: String,
    /// The day on which the source was read.
    pub checked: Date,
    /// How sure it is.
    pub status: Status,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}; checked {}; source: {}", self.status, self.jurisdiction, self.checked, self.source)
    }
}

/// A field of a row whose value does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongField {
    /// The field.
    pub field: &'static str,
    /// What is wrong, a clause.
    pub what: String,
    /// What to do, a clause.
    pub next: String,
}

/// Rows that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongTable {
    /// What is wrong, a clause.
    pub what: String,
    /// What to do, a clause.
    pub next: String,
}

/// The fields of one kind of row. The type should deny unknown fields.
pub trait LawRow: DeserializeOwned {
    /// The table's name; its file is this name with `.toml`.
    const TABLE: &'static str;

    /// What the row says, as one plain line.
    fn summary(&self) -> String;

    /// Checks the values of one row.
    ///
    /// # Errors
    /// The first field that does not fit.
    fn check(&self) -> Result<(), WrongField> {
        Ok(())
    }

    /// Checks the rows together.
    ///
    /// # Errors
    /// The first contradiction or gap.
    fn check_table(rows: &[Row<Self>]) -> Result<(), WrongTable> {
        let _ = rows;
        Ok(())
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<T> {
    /// Its name within the table.
    pub id: String,
    /// Where it comes from.
    pub provenance: Provenance,
    /// What it says.
    pub value: T,
}

/// The row's own words; what is not confirmed says so.
impl<T: LawRow> fmt::Display for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.value.summary())?;
        match self.provenance.status {
            Status::Confirmed => Ok(()),
            status => write!(f, " ({status})"),
        }
    }
}

/// Which text a table was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The one that comes with Avocet.
    BuiltIn,
    /// A file of the user's.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::BuiltIn => f.write_str("built in"),
            Origin::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A table as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<T> {
    /// Its version, as the file states it.
    pub version: String,
    /// One line for lists.
    pub title: String,
    /// SHA-256 of the file's bytes, so that a decision can name exactly what it rested on.
    pub digest: Sha256,
    /// Where the text came from.
    pub origin: Origin,
    /// The rows, in the order of the file; ids are unique.
    pub rows: Vec<Row<T>>,
}

impl<T: LawRow> Table<T> {
    /// Reads a table: the file `NAME.toml` of `folder` where there is one, else the built-in text.
    ///
    /// # Errors
    /// A file that is there and cannot be used is an error, never passed over for the built-in one.
    pub fn load(folder: Option<&Path>, built_in: &str) -> Result<Self, LawError> {
        if let Some(folder) = folder {
            let path = folder.join(format!("{}.toml", T::TABLE));
            match read(&path) {
                Ok(text) => return Self::parse(&text, Origin::File(path)),
                Err(LawError::Read { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(other) => return Err(other),
            }
        }
        Self::parse(built_in, Origin::BuiltIn)
    }

    /// Reads a table's text.
    ///
    /// # Errors
    /// Names the row and the field that is wrong, and what to do.
    pub fn parse(text: &str, origin: Origin) -> Result<Self, LawError> {
        let file: Box<str> = match &origin {
            Origin::BuiltIn => format!("built-in table `{}`", T::TABLE).into(),
            Origin::File(path) => path.display().to_string().into(),
        };
        let digest = Sha256(sha2::Sha256::digest(text.as_bytes()).into());
        let mut document: toml::Table = toml::from_str(text).map_err(|e| LawError::Syntax {
            file: file.clone(),
            line: e.span().map_or(0, |span| text.bytes().take(span.start).filter(|b| *b == b'\n').count() + 1),
            what: e.message().trim().replace('\n', " ").into(),
        })?;
        let mut head = |field: &str| -> Result<String, LawError> {
            text_of(document.remove(field)).map_err(|what| LawError::Head {
                file: file.clone(),
                field: field.into(),
                what: what.into(),
                next: format!("Write {field} = \"...\" above the first row").into(),
            })
        };
        let (name, version, title, jurisdiction) =
            (head("table")?, head("version")?, head("title")?, head("jurisdiction")?);
        if name != T::TABLE {
            return Err(LawError::Head {
                file,
                field: "table".into(),
                what: format!("this is the table `{name}`, and `{}` is wanted here", T::TABLE).into(),
                next: format!("Give the file `{}`, or correct the name", T::TABLE).into(),
            });
        }
        let rows = match document.remove("rows") {
            Some(toml::Value::Array(rows)) if !rows.is_empty() && rows.len() <= MAX_ROWS => rows,
            _ => {
                return Err(LawError::Table {
                    file,
                    what: format!("the table needs 1 to {MAX_ROWS} rows").into(),
                    next: "Write each as [[rows]] with its fields below".into(),
                });
            }
        };
        if let Some((field, _)) = document.iter().next() {
            return Err(LawError::Head {
                file,
                field: field.as_str().into(),
                what: "no such field is known".into(),
                next: "Known are table, version, title, jurisdiction and rows; correct or remove it".into(),
            });
        }
        let mut out: Vec<Row<T>> = Vec::with_capacity(rows.len());
        for (number, row) in (1..).zip(rows) {
            let row = parse_row::<T>(row, &jurisdiction).map_err(|(id, wrong)| LawError::Row {
                file: file.clone(),
                row: number,
                id: id.into(),
                field: wrong.field.into(),
                what: wrong.what.into(),
                next: wrong.next.into(),
            })?;
            if out.iter().any(|other| other.id == row.id) {
                return Err(LawError::Row {
                    file,
                    row: number,
                    id: row.id.into(),
                    field: "id".into(),
                    what: "another row has this id".into(),
                    next: "Give each row its own".into(),
                });
            }
            out.push(row);
        }
        T::check_table(&out).map_err(|wrong| LawError::Table {
            file,
            what: wrong.what.into(),
            next: wrong.next.into(),
        })?;
        Ok(Self { version, title, digest, origin, rows: out })
    }

    /// The row with this id.
    #[must_use]
    pub fn row(&self, id: &str) -> Option<&Row<T>> {
        self.rows.iter().find(|row| row.id == id)
    }
}

struct Wrong {
    field: String,
    what: String,
    next: String,
}

fn parse_row<T: LawRow>(row: toml::Value, jurisdiction: &str) -> Result<Row<T>, (String, Wrong)> {
    let toml::Value::Table(mut fields) = row else {
        let wrong = ("rows", "is no row".to_owned(), "Write each as [[rows]] with its fields below".to_owned());
        return Err((String::new(), Wrong { field: wrong.0.to_owned(), what: wrong.1, next: wrong.2 }));
    };
    let id = fields.get("id").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
    let wrong = |field: &str, what: String, next: String| (id.clone(), Wrong { field: field.to_owned(), what, next });
    let has_jurisdiction = fields.contains_key("jurisdiction");
    let mut text = |field: &str| {
        text_of(fields.remove(field)).map_err(|what| wrong(field, what, format!("Write {field} = \"...\" in this row")))
    };
    text("id")?;
    if id.len() > 64 || !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_')) {
        let next = "Use 1 to 64 small letters, digits, - and _".to_owned();
        return Err(wrong("id", "it holds other characters or is too long".to_owned(), next));
    }
    let source = text("source")?;
    let checked = text("checked")?;
    let status = text("status")?;
    let checked = Some(checked.as_str())
        .filter(|t| t.len() == 10)
        .and_then(|t| t.parse::<Date>().ok())
        .ok_or_else(|| wrong("checked", format!("{checked:?} is no date"), "Write it as YYYY-MM-DD".to_owned()))?;
    let status = match status.as_str() {
        "confirmed" => Status::Confirmed,
        "second hand" => Status::SecondHand,
        "to be confirmed" => Status::ToBeConfirmed,
        other => {
            let next = "Write \"confirmed\", \"second hand\" or \"to be confirmed\"".to_owned();
            return Err(wrong("status", format!("{other:?} is no status"), next));
        }
    };
    let jurisdiction = if has_jurisdiction { text("jurisdiction")? } else { jurisdiction.to_owned() };
    let value: T = toml::Value::Table(fields).try_into().map_err(|e: toml::de::Error| {
        let message = e.to_string();
        let field = message.split('`').nth(1).unwrap_or("?").to_owned();
        let what = message.trim().replace('\n', " ");
        wrong(&field, what, "Correct, add or remove the field".to_owned())
    })?;
    value.check().map_err(|w| wrong(w.field, w.what, w.next))?;
    Ok(Row { id, provenance: Provenance { source, jurisdiction, checked, status }, value })
}

/// A text that says something; else what is wrong with it.
fn text_of(value: Option<toml::Value>) -> Result<String, String> {
    match value {
        None => Err("it is missing".to_owned()),
        Some(toml::Value::String(text)) if !text.trim().is_empty() => Ok(text),
        Some(toml::Value::String(_)) => Err("it is empty".to_owned()),
        Some(other) => Err(format!("it is a {}, not a text", other.type_str())),
    }
}

fn read(path: &Path) -> Result<String, LawError> {
    let file: Box<str> = path.display().to_string().into();
    let failed = |error| LawError::Read { file: file.clone(), error };
    let mut text = String::new();
    let opened = std::fs::File::open(path).map_err(failed)?;
    opened.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(LawError::TooLarge { file, limit: MAX_BYTES });
    }
    Ok(text)
}
