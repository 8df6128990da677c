//! NSRL Reference Data Set, version 3: SQLite databases and the SQL of their deltas.
//!
//! Sources: the minimal edition's schema as a public test rebuilds it; for the full edition what readers say that query
//! it (rds4xways: `FILE`, `MFG`, `OS` and `PKG` are views, the data lies in `METADATA` with `sha1` and `extension`).
//! Columns are therefore taken by their names, and all that are not modelled are kept. See `docs/known-sets.md`.

pub(crate) mod delta;
pub(crate) mod sql;
pub(crate) mod sqlite;

use std::borrow::Cow;

use super::extra::{Extra, REPLACED};
use crate::error::KnownError;
use crate::intake::Intake;
use crate::record::{Field, RawRecord, digest_field, size_field};

/// A table of files: each row becomes a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileTable {
    /// Minimal edition.
    File,
    /// Full edition.
    Metadata,
}

impl FileTable {
    pub fn of(name: &str) -> Option<FileTable> {
        if name.eq_ignore_ascii_case("FILE") {
            Some(FileTable::File)
        } else if name.eq_ignore_ascii_case("METADATA") {
            Some(FileTable::Metadata)
        } else {
            None
        }
    }
}

/// Tables that say of what software a file is part. A look-up of digests has no need of them.
pub(crate) const OTHER_TABLES: [&str; 4] = ["PKG", "OS", "MFG", VERSION];

/// The table in which an edition says which it is.
pub(crate) const VERSION: &str = "VERSION";

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, [u8]>),
    Blob(&'a [u8]),
}

impl Cell<'_> {
    /// As the text that a column of texts would hold.
    fn text(&self) -> Cow<'_, [u8]> {
        match self {
            Cell::Null => Cow::Borrowed(b""),
            Cell::Integer(number) => Cow::Owned(number.to_string().into_bytes()),
            Cell::Real(number) => Cow::Owned(number.to_string().into_bytes()),
            Cell::Text(text) => Cow::Borrowed(text),
            Cell::Blob(bytes) => Cow::Owned(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>().into_bytes()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Sha256,
    Sha1,
    Md5,
    Size,
    /// Kept, as a number where it is one.
    Number,
    /// Kept as text.
    Text,
}

/// What the columns of a row are, in the order in which they are kept: by name, so that a row says the same whether it
/// comes from a database, or from a delta that names its columns in another order.
#[derive(Debug)]
pub(crate) struct Columns(Vec<(String, Role, usize)>);

impl Columns {
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Columns {
        let names: Vec<String> = names.into_iter().map(str::to_ascii_lowercase).collect();
        let size = ["file_size", "bytes", "size"].into_iter().find(|size| names.iter().any(|n| n == size));
        let mut columns: Vec<(String, Role, usize)> = names
            .into_iter()
            .enumerate()
            .map(|(at, name)| {
                let role = match name.as_str() {
                    "sha256" => Role::Sha256,
                    "sha1" => Role::Sha1,
                    "md5" => Role::Md5,
                    name if Some(name) == size => Role::Size,
                    name if name.ends_with("_id") => Role::Number,
                    _ => Role::Text,
                };
                (name, role, at)
            })
            .collect();
        columns.sort_by(|a, b| a.0.cmp(&b.0));
        Columns(columns)
    }

    fn has(&self, role: Role) -> bool {
        self.0.iter().any(|(_, r, _)| *r == role)
    }

    pub fn has_digest(&self) -> bool {
        self.has(Role::Sha256) || self.has(Role::Sha1) || self.has(Role::Md5)
    }

    /// A name that stands twice.
    pub fn twice(&self) -> bool {
        self.0.windows(2).any(|pair| matches!(pair, [a, b] if a.0 == b.0))
    }

    /// Keeps what a row of VERSION says.
    pub fn state(&self, cells: &[Cell<'_>], stated: &mut Vec<(String, String)>) {
        for (name, _, at) in &self.0 {
            if let Some(cell) = cells.get(*at) {
                super::state(stated, name, &String::from_utf8_lossy(&cell.text()));
            }
        }
    }

    /// Makes a record of a row and hands it over.
    pub fn take(
        &self,
        cells: &[Cell<'_>],
        (place, offset): (u64, u64),
        deletes: bool,
        extra: &mut Extra,
        intake: &mut Intake<'_>,
    ) -> Result<(), KnownError> {
        extra.clear();
        let mut record = RawRecord { place, offset, deletes, ..RawRecord::default() };
        let (mut blob, mut odd) = (false, false);
        for (name, role, at) in &self.0 {
            let Some(cell) = cells.get(*at) else { continue };
            if *cell == Cell::Null {
                continue;
            }
            let text = cell.text();
            blob |= matches!(cell, Cell::Blob(_));
            let is_text = matches!(cell, Cell::Text(_));
            let good = match role {
                Role::Sha256 => set(&mut record.sha256, if is_text { digest_field(&text) } else { Field::Bad }),
                Role::Sha1 => set(&mut record.sha1, if is_text { digest_field(&text) } else { Field::Bad }),
                Role::Md5 => set(&mut record.md5, if is_text { digest_field(&text) } else { Field::Bad }),
                Role::Size => set(&mut record.size, size_field(&text)),
                Role::Number => match std::str::from_utf8(&text).ok().and_then(|t| t.trim().parse::<i64>().ok()) {
                    Some(number) => {
                        extra.json(name, &number.to_string());
                        true
                    }
                    None => false,
                },
                Role::Text => false,
            };
            odd |= !good && matches!(role, Role::Sha256 | Role::Sha1 | Role::Md5) && !is_text;
            if !good {
                extra.text(name, &text);
            }
        }
        let (extra, replaced) = extra.finish();
        for (on, note) in [
            (blob, "a binary value where text or a number should be; kept as hexadecimal digits"),
            (odd, "a digest that is not text; kept as it stands"),
            (replaced, REPLACED),
        ] {
            if on {
                intake.note(note, place);
            }
        }
        record.extra = extra;
        intake.add(&record)
    }
}

/// Puts a field's value in its place; false where it is none.
fn set<T>(to: &mut Field<T>, value: Field<T>) -> bool {
    let good = !matches!(value, Field::Bad);
    *to = value;
    good
}
