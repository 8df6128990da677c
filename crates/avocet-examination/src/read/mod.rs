//! Reads an examination file.

mod columns;
mod open;
mod pictures;

use std::ops::ControlFlow;
use std::path::Path;

use avocet_base::Sha256;
use rusqlite::{Connection, Rows, Statement};
use serde::Serialize;

use crate::canonical::KeyOrder;
use crate::error::ReadError;
use crate::rows::{
    CompletenessRow, EvidenceRow, ExtentRow, FileRow, KnownSetRow, MatchRow, OriginalRow, ProblemRow, SpaceRow,
    VolumeRow,
};
use crate::schema::{self, Table};
use columns::Columns;
pub(crate) use open::{Header, connect, header, opened, structure};

/// Bytes of the longest row that is written or read. No name or path of any file system comes near; a hostile file
/// cannot ask for more memory than this for one value.
pub(crate) const MAX_VALUE: i32 = 16 * 1024 * 1024;

/// The setting that only an interim result has; its value says how far the examination was.
pub const INTERIM: &str = "interim";

/// An examination file, opened read-only. Opening it checks that it is made as one is; only [`crate::verify()`] checks
/// that it says what it said when it was sealed.
#[derive(Debug)]
pub struct Examination {
    conn: Connection,
    /// Schema version.
    version: i32,
    /// Bytes of the file: no more content than this can be in it.
    file_length: u64,
}

/// Which files are wanted; the default is all. Conditions add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileFilter {
    /// Only of this state, such as `deleted`.
    pub state: Option<String>,
    /// Only with a match of any set.
    pub matched: bool,
    /// Only with a match that alerts.
    pub alerting: bool,
    /// Only this escaped path and what lies under it, on any volume.
    pub under: Option<String>,
    /// Only on this volume.
    pub volume: Option<i64>,
    /// Only pictures and videos that no set knows.
    pub media_unknown: bool,
    /// Only files after this id, to go on where an earlier page ended.
    pub after: Option<i64>,
}

impl FileFilter {
    fn takes(&self, view: &FileView) -> bool {
        let file = &view.file;
        self.state.as_ref().is_none_or(|s| *s == file.state)
            && (!self.matched || !view.matches.is_empty())
            && (!self.alerting || view.alerts())
            && (!self.media_unknown || (file.media.is_some() && view.matches.is_empty()))
            && self.volume.is_none_or(|v| v == file.volume)
            && self.under.as_ref().is_none_or(|under| {
                let rest = file.path.strip_prefix(under.trim_end_matches('/'));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }
}

/// One file with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileView {
    /// The file.
    #[serde(flatten)]
    pub file: FileRow,
    /// Its matches, in canonical order.
    pub matches: Vec<MatchRow>,
    /// What a recycle bin says of it.
    pub original: Option<OriginalRow>,
}

impl FileView {
    /// Whether any match alerts.
    pub fn alerts(&self) -> bool {
        self.matches.iter().any(|m| m.alerts)
    }
}

/// Adds up the texts and digests read. Pages that several rows share could make a small file say more than any memory
/// holds; what it really holds is at most as long as the file.
struct Budget {
    left: u64,
}

impl Budget {
    fn take(&mut self, columns: &Columns<'_, '_>) -> Result<(), ReadError> {
        let left = self.left.checked_sub(columns.taken());
        self.left = left.ok_or_else(|| ReadError::Malformed("it says more than it has bytes".into()))?;
        Ok(())
    }
}

/// Reads a table whose rows belong to files, beside the table of files.
struct Beside<'s, T> {
    rows: Rows<'s>,
    table: &'static Table,
    order: KeyOrder,
    read: fn(&mut Columns<'_, '_>) -> Result<T, ReadError>,
    file_of: fn(&T) -> i64,
    budget: Budget,
    next: Option<T>,
}

impl<'s, T> Beside<'s, T> {
    fn new(
        statement: &'s mut Statement<'_>,
        table: &'static Table,
        after: i64,
        budget: Budget,
        read: fn(&mut Columns<'_, '_>) -> Result<T, ReadError>,
        file_of: fn(&T) -> i64,
    ) -> Result<Self, ReadError> {
        let rows = statement.query([after])?;
        let mut beside = Self { rows, table, order: KeyOrder::new(table), read, file_of, budget, next: None };
        beside.advance()?;
        Ok(beside)
    }

    fn advance(&mut self) -> Result<Option<T>, ReadError> {
        let next = match self.rows.next()? {
            Some(row) => {
                self.order.next(row)?;
                let mut columns = Columns::new(row, self.table);
                let read = (self.read)(&mut columns)?;
                self.budget.take(&columns)?;
                Some(read)
            }
            None => None,
        };
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// The next row if it belongs to this file. Files come in increasing order, so a row of an earlier one has none.
    fn of(&mut self, file: i64) -> Result<Option<T>, ReadError> {
        match self.next.as_ref().map(self.file_of) {
            Some(owner) if owner == file => self.advance(),
            Some(owner) if owner < file => Err(self.dangling()),
            _ => Ok(None),
        }
    }

    /// All rows of this file.
    fn all_of(&mut self, file: i64) -> Result<Vec<T>, ReadError> {
        let mut out = Vec::new();
        while let Some(row) = self.of(file)? {
            out.push(row);
        }
        Ok(out)
    }

    fn dangling(&self) -> ReadError {
        ReadError::Malformed(format!("{}: a row refers to a file that is not there", self.table.name))
    }

    /// After the last file nothing may be left.
    fn end(&self) -> Result<(), ReadError> {
        if self.next.is_some() { Err(self.dangling()) } else { Ok(()) }
    }
}

impl Examination {
    /// Opens an examination file.
    ///
    /// # Errors
    /// [`ReadError`]: it cannot be read, is something else, was written by a later version, or is not made as an
    /// examination file is.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let header = header(path)?;
        let conn = connect(path)?;
        let findings = structure(&header, &conn)?;
        if findings.is_empty() {
            opened(&conn)?;
            Ok(Self::from_checked(conn, &header))
        } else {
            Err(ReadError::Schema { path: path.display().to_string(), findings })
        }
    }

    pub(crate) fn from_checked(conn: Connection, header: &Header) -> Self {
        Self { conn, version: header.version, file_length: header.file_length }
    }

    fn budget(&self) -> Budget {
        Budget { left: self.file_length }
    }

    /// Visits the rows of a table in the order of its key.
    fn each(
        &self,
        table: &'static Table,
        mut visit: impl FnMut(&mut Columns<'_, '_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut statement = self.conn.prepare(&table.select())?;
        let mut rows = statement.query([])?;
        let mut order = KeyOrder::new(table);
        let mut budget = self.budget();
        while let Some(row) = rows.next()? {
            order.next(row)?;
            let mut columns = Columns::new(row, table);
            visit(&mut columns)?;
            budget.take(&columns)?;
        }
        Ok(())
    }

    fn all<T>(
        &self,
        table: &'static Table,
        read: fn(&mut Columns<'_, '_>) -> Result<T, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let mut out = Vec::new();
        self.each(table, |columns| {
            out.push(read(columns)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// The result digest that the file itself states. [`crate::verify()`] recomputes it.
    ///
    /// # Errors
    /// [`ReadError::Malformed`] where the file states none or several.
    pub fn result_digest(&self) -> Result<Sha256, ReadError> {
        let mut stated = Vec::new();
        self.each(&schema::RESULT, |columns| {
            let id = columns.integer()?;
            let digest = columns.optional_digest()?;
            stated.push((id, digest));
            if stated.len() > 1 { Err(ReadError::Malformed("result: more than one row".into())) } else { Ok(()) }
        })?;
        match stated.as_slice() {
            [(1, Some(digest))] => Ok(Sha256(*digest)),
            _ => Err(ReadError::Malformed("result: no result digest; the file was never sealed".into())),
        }
    }

    /// The settings that change what an examination finds.
    ///
    /// # Errors
    /// [`ReadError::Malformed`], as for all tables.
    pub fn configs(&self) -> Result<Vec<(String, String)>, ReadError> {
        self.all(&schema::CONFIG, |c| Ok((c.text()?, c.text()?)))
    }

    /// How far the examination was when this interim result was written; `None` where this is a whole result.
    ///
    /// # Errors
    /// As [`Examination::configs`].
    pub fn interim(&self) -> Result<Option<String>, ReadError> {
        Ok(self.configs()?.into_iter().find_map(|(key, how_far)| (key == INTERIM).then_some(how_far)))
    }

    /// The facts of the run, which the result digest does not cover.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn runs(&self) -> Result<Vec<(String, String)>, ReadError> {
        self.all(&schema::RUN, |c| Ok((c.text()?, c.text()?)))
    }

    /// The evidence examined.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn evidence(&self) -> Result<Vec<EvidenceRow>, ReadError> {
        let mut out = self.all(&schema::EVIDENCE, |c| c.evidence())?;
        self.each(&schema::EVIDENCE_FACT, |c| {
            let id = c.integer()?;
            c.integer()?;
            let fact = (c.text()?, c.text()?);
            let owner = out.iter_mut().find(|(owner, _)| *owner == id);
            let Some((_, row)) = owner else {
                return Err(ReadError::Malformed("evidence_fact: a row refers to evidence that is not there".into()));
            };
            row.facts.push(fact);
            Ok(())
        })?;
        Ok(out.into_iter().map(|(_, row)| row).collect())
    }

    /// The known sets that files were compared with.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn known_sets(&self) -> Result<Vec<KnownSetRow>, ReadError> {
        if self.version == 1 {
            self.all(&schema::KNOWN_SET_V1, |c| c.known_set(1))
        } else {
            self.all(&schema::KNOWN_SET, |c| c.known_set(schema::SCHEMA_VERSION))
        }
    }

    /// The volumes.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn volumes(&self) -> Result<Vec<VolumeRow>, ReadError> {
        self.all(&schema::VOLUME, |c| c.volume())
    }

    /// The runs of space that belong to no file.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn spaces(&self) -> Result<Vec<SpaceRow>, ReadError> {
        self.all(&schema::SPACE, |c| c.space())
    }

    /// The completeness statement, in its order.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn completeness(&self) -> Result<Vec<CompletenessRow>, ReadError> {
        self.all(&schema::COMPLETENESS, |c| c.completeness())
    }

    /// The problems, in their order.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn problems(&self) -> Result<Vec<ProblemRow>, ReadError> {
        self.all(&schema::PROBLEM, |c| c.problem())
    }

    /// Where the content of a file lies.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn extents(&self, file: i64) -> Result<Vec<ExtentRow>, ReadError> {
        let table = &schema::EXTENT;
        let mut statement = self.conn.prepare_cached(&table.select_where("file = ?"))?;
        let mut rows = statement.query([file])?;
        let mut order = KeyOrder::new(table);
        let mut out = Vec::new();
        while let Some(row) = rows.next()? {
            order.next(row)?;
            out.push(Columns::new(row, table).extent()?);
        }
        Ok(out)
    }

    /// Visits the files that a filter takes, in the order of their ids, holding one at a time. `Break` ends it.
    ///
    /// # Errors
    /// Whatever `each` gives, and [`ReadError::Malformed`] as `E`.
    pub fn files<E: From<ReadError>>(
        &self,
        filter: &FileFilter,
        each: &mut dyn FnMut(FileView) -> Result<ControlFlow<()>, E>,
    ) -> Result<(), E> {
        let prepare =
            |table: &Table, condition| self.conn.prepare(&table.select_where(condition)).map_err(ReadError::from);
        let mut files = prepare(&schema::FILE, "id > ?")?;
        let mut matches = prepare(&schema::KNOWN_MATCH, "file > ?")?;
        let mut originals = prepare(&schema::ORIGINAL_NAME, "file > ?")?;
        // No writer gives this very id, so nothing is lost by beginning after it.
        let after = filter.after.unwrap_or(i64::MIN);
        let mut matches = Beside::new(
            &mut matches,
            &schema::KNOWN_MATCH,
            after,
            self.budget(),
            |c| c.known_match(),
            |m: &MatchRow| m.file_id,
        )?;
        let mut originals = Beside::new(
            &mut originals,
            &schema::ORIGINAL_NAME,
            after,
            self.budget(),
            |c| c.original(),
            |o: &OriginalRow| o.file_id,
        )?;
        let mut rows = files.query([after]).map_err(ReadError::from)?;
        let mut order = KeyOrder::new(&schema::FILE);
        let mut budget = self.budget();
        while let Some(row) = rows.next().map_err(ReadError::from)? {
            order.next(row)?;
            let mut columns = Columns::new(row, &schema::FILE);
            let file = columns.file()?;
            budget.take(&columns)?;
            let view = FileView { original: originals.of(file.id)?, matches: matches.all_of(file.id)?, file };
            if filter.takes(&view) && each(view)?.is_break() {
                return Ok(());
            }
        }
        matches.end()?;
        Ok(originals.end()?)
    }
}
