//! NSRL RDS 3 as SQLite, minimal (`FILE` is a table) and full (`FILE` is a view over `METADATA`). The file is foreign: it
//! is opened read-only and immutable, views and triggers are off, and the only statements that SQLite accepts read the
//! base tables named here. Rows come in the order of their numbers, which is the order in which they lie in the file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::Digest as _;

use super::super::Found;
use super::super::extra::Extra;
use super::super::input::Short;
use super::{Cell, Columns, FileTable, OTHER_TABLES, VERSION};
use crate::error::{KnownError, shown};
use crate::intake::Intake;

const FORMAT: &str = "an NSRL RDS 3 database";
const DAMAGED: &str = "copy it again from its source";
/// Longest value, in bytes: a file's name and nothing larger.
const MAX_VALUE: i32 = 1 << 20;
/// Steps of SQLite's machine that a statement about the schema may take; a good one takes a few hundred.
const STEPS_TO_OPEN: i32 = 1_000_000;
/// Most tables that are looked at.
const MAX_TABLES: usize = 1000;
/// Most columns of a table of files.
const MAX_COLUMNS: usize = 256;

fn digest(mut file: File) -> std::io::Result<(Sha256, u64)> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0u64;
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((Sha256(hasher.finalize().into()), length));
        }
        length += n as u64;
        hasher.update(buffer.get(..n).unwrap_or_default());
    }
}

/// A `file:` URI of a path, so that `immutable` can be said; any byte of the path survives.
fn uri(path: &Path) -> std::io::Result<String> {
    let absolute = std::path::absolute(path)?;
    let mut uri = String::from("file://");
    let bytes = absolute.as_os_str().as_encoded_bytes();
    if !bytes.starts_with(b"/") {
        uri.push('/');
    }
    for byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b':' => uri.push(char::from(*byte)),
            b'\\' if cfg!(windows) => uri.push('/'),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

fn connect(uri: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri, flags)?;
    conn.progress_handler(STEPS_TO_OPEN, Some(|| true))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    Ok(conn)
}

/// Lets a statement read base tables by their names and count rows, and nothing else.
fn only_reads(context: AuthContext<'_>) -> Authorization {
    let readable = |name: &str| {
        name == "sqlite_master"
            || FileTable::of(name).is_some()
            || OTHER_TABLES.iter().any(|other| name.eq_ignore_ascii_case(other))
    };
    let allowed = context.accessor.is_none()
        && match context.action {
            AuthAction::Select => true,
            AuthAction::Read { table_name, .. } => readable(table_name),
            AuthAction::Function { function_name } => ["count", "max"].contains(&function_name),
            _ => false,
        };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

/// A base table.
struct Table {
    name: String,
    columns: Vec<String>,
}

/// Base tables with the names that are looked for. Views are no tables, whatever their names.
#[derive(Default)]
struct Schema {
    tables: Vec<Table>,
    /// One of the tables has a column whose name is not UTF-8.
    unreadable: bool,
    /// One of the tables has columns whose values are computed by an expression of the file.
    computed: bool,
}

/// The names of a table's columns, `None` for one that is not UTF-8, and whether their values are computed.
fn columns(conn: &Connection, table: &str) -> rusqlite::Result<Vec<(Option<String>, bool)>> {
    let mut statement = conn.prepare("SELECT name, hidden FROM pragma_table_xinfo(?)")?;
    let mut rows = statement.query([table])?;
    let mut columns = vec![];
    while let Some(row) = rows.next()? {
        let name = match row.get_ref(0)? {
            ValueRef::Text(name) => std::str::from_utf8(name).ok().map(str::to_owned),
            _ => None,
        };
        columns.push((name, row.get_ref(1)? != ValueRef::Integer(0)));
    }
    Ok(columns)
}

fn schema(conn: &Connection) -> rusqlite::Result<Schema> {
    let mut schema = Schema::default();
    let mut statement = conn.prepare("SELECT type, name, rootpage FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (ValueRef::Text(kind), ValueRef::Text(name)) = (row.get_ref(0)?, row.get_ref(1)?) else { continue };
        let Ok(name) = std::str::from_utf8(name) else { continue };
        let wanted = FileTable::of(name).is_some() || OTHER_TABLES.iter().any(|o| name.eq_ignore_ascii_case(o));
        // A virtual table has no page of its own, and would run code of its own.
        let base = matches!(row.get_ref(2)?, ValueRef::Integer(page) if page > 0);
        match kind {
            b"table" if wanted && base => {
                let columns = columns(conn, name)?;
                schema.computed |= columns.iter().any(|(_, hidden)| *hidden);
                // The library would end the program over a name that is not UTF-8, so none gets that far.
                schema.unreadable |= columns.iter().any(|(column, _)| column.is_none());
                schema.tables.push(Table {
                    name: name.to_owned(),
                    columns: columns.into_iter().filter_map(|(column, _)| column).collect(),
                });
            }
            _ => {}
        }
        if schema.tables.len() > MAX_TABLES {
            break;
        }
    }
    Ok(schema)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The files beside a database in which SQLite keeps changes that are not in it yet.
fn pending(path: &Path) -> Option<PathBuf> {
    ["-wal", "-journal"].into_iter().find_map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let beside = PathBuf::from(name);
        std::fs::metadata(&beside).is_ok_and(|m| m.len() > 0).then_some(beside)
    })
}

/// Reads a whole database.
pub(crate) fn read(file: File, intake: &mut Intake<'_>) -> Result<Found, KnownError> {
    intake.count_by("row");
    let path = intake.path();
    let io = |e: std::io::Error, intake: &Intake<'_>| Short::Io(e).error(intake, 0);
    if let Some(beside) = pending(path) {
        let reason = format!("changes that are not in it yet lie beside it in {}", beside.display());
        let advice = "let the program that wrote it close it, or copy the database without that file";
        return Err(intake.malformed(FORMAT, "the whole file".to_owned(), reason, advice));
    }
    let uri = uri(path).map_err(|e| io(e, intake))?;
    let length = file.metadata().map_err(|e| io(e, intake))?.len();
    let digesting = std::thread::Builder::new()
        .name("avocet-set-digest".to_owned())
        .spawn(move || digest(file))
        .map_err(|e| io(e, intake))?;
    let outcome = connect(&uri).map_err(|e| sqlite_error(&e, 0, intake)).and_then(|conn| tables(&conn, length, intake));
    let digested = digesting.join().unwrap_or_else(|_| Err(std::io::Error::other("the digesting thread failed")));
    let Edition { format, warnings, stated } = outcome?;
    let (sha256, digested) = digested.map_err(|e| io(e, intake))?;
    // Somebody who writes to it meanwhile would leave rows that do not belong to the digest.
    if digested != length || std::fs::metadata(path).is_ok_and(|m| m.len() != length) || pending(path).is_some() {
        let reason = "it changed while it was read".to_owned();
        return Err(intake.malformed(FORMAT, "the whole file".to_owned(), reason, "copy it and read the copy"));
    }
    intake.meter().bytes.set(length);
    Ok(Found { format, publisher: Some("NIST NSRL".to_owned()), warnings, id_label: "row", stated, sha256 })
}

/// Text of SQLite's own error without the set's content.
fn sqlite_error(error: &rusqlite::Error, rows: u64, intake: &Intake<'_>) -> KnownError {
    let reason = match error {
        rusqlite::Error::SqliteFailure(failure, _) => failure.to_string(),
        rusqlite::Error::SqlInputError { error, .. } => error.to_string(),
        other => other.to_string(),
    };
    intake.malformed(FORMAT, format!("after row {rows}"), shown(&reason), DAMAGED)
}

/// What a database says of itself.
struct Edition {
    format: String,
    warnings: Vec<String>,
    stated: Vec<(String, String)>,
}

/// One value of a row.
fn cell<'r>(row: &'r rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Cell<'r>> {
    Ok(match row.get_ref(at)? {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => Cell::Text(text.into()),
        ValueRef::Blob(bytes) => Cell::Blob(bytes),
    })
}

/// The first row of VERSION. A damaged table says nothing; it has no part in matching.
fn stated(conn: &Connection, table: &Table) -> rusqlite::Result<Vec<(String, String)>> {
    let Table { name, columns } = table;
    let list = columns.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(", ");
    let mut statement = conn.prepare(&format!("SELECT {list} FROM {} LIMIT 1", quoted(name)))?;
    let mut rows = statement.query([])?;
    let mut stated = vec![];
    if let Some(row) = rows.next()? {
        let cells = (0..columns.len()).map(|at| cell(row, at)).collect::<rusqlite::Result<Vec<_>>>()?;
        Columns::new(columns.iter().map(String::as_str)).state(&cells, &mut stated);
    }
    Ok(stated)
}

fn tables(conn: &Connection, length: u64, intake: &mut Intake<'_>) -> Result<Edition, KnownError> {
    let found = schema(conn).map_err(|e| sqlite_error(&e, 0, intake))?;
    let odd = match (found.computed, found.unreadable) {
        (true, _) => Some("it has columns whose values are computed by the file itself, which no edition has"),
        (_, true) => Some("it has columns whose names are not UTF-8, which no edition has"),
        _ => None,
    };
    if let Some(odd) = odd {
        let reason = odd.to_owned();
        return Err(intake.malformed(FORMAT, "the schema".to_owned(), reason, DAMAGED));
    }
    conn.authorizer(Some(only_reads)).map_err(|e| sqlite_error(&e, 0, intake))?;
    let files = |wanted: FileTable| found.tables.iter().find(|table| FileTable::of(&table.name) == Some(wanted));
    let (table, edition) = match (files(FileTable::File), files(FileTable::Metadata)) {
        (Some(table), _) => (table, "minimal"),
        (None, Some(table)) => (table, "full"),
        (None, None) => {
            return Err(KnownError::NotRecognised {
                path: intake.path().to_owned(),
                found: "it is an SQLite database without a table FILE or METADATA, so not one of NSRL RDS 3; hash databases \
                        of other programs (kdb, IPED) are not read"
                    .to_owned(),
                advice: "export its digests and sizes as CSV with a header line",
            });
        }
    };
    let mut warnings = vec![];
    if edition == "minimal" && files(FileTable::Metadata).is_some() {
        warnings.push("it has a table METADATA beside FILE, which was not read".to_owned());
    }
    for name in OTHER_TABLES {
        let Some(other) = found.tables.iter().find(|t| t.name.eq_ignore_ascii_case(name)) else { continue };
        // Rows of a table that is damaged are not counted, and the table has no part in matching.
        let counted: rusqlite::Result<i64> =
            conn.query_row(&format!("SELECT count(*) FROM {}", quoted(&other.name)), [], |row| row.get(0));
        let count = counted.map_or_else(|_| "some".to_owned(), |n| n.to_string());
        if name != VERSION {
            warnings.push(format!("{count} row(s) of the table {name}, which has no part in matching, are not kept"));
        }
    }
    let version = found.tables.iter().find(|t| t.name.eq_ignore_ascii_case(VERSION));
    let stated = version.and_then(|table| stated(conn, table).ok()).unwrap_or_default();
    let format = match stated.iter().find(|(name, _)| name == "version") {
        Some((_, version)) => format!("NSRL RDS 3 {edition}, version {}", shown(version)),
        None => format!("NSRL RDS 3 {edition}"),
    };
    rows(conn, table, length, intake)?;
    Ok(Edition { format, warnings, stated })
}

fn rows(conn: &Connection, table: &Table, length: u64, intake: &mut Intake<'_>) -> Result<(), KnownError> {
    let fail = |e: &rusqlite::Error, rows: u64, intake: &Intake<'_>| sqlite_error(e, rows, intake);
    let Table { name, columns: names } = table;
    let columns = Columns::new(names.iter().map(String::as_str));
    let odd = if names.len() > MAX_COLUMNS {
        Some("its table of files has more columns than any edition has")
    } else if !columns.has_digest() {
        Some("its table of files has no column sha256, sha1 or md5")
    } else if columns.twice() {
        Some("its table of files names a column twice")
    } else {
        None
    };
    if let Some(odd) = odd {
        return Err(intake.malformed(FORMAT, format!("table {}", shown(name)), odd.to_owned(), DAMAGED));
    }
    let list = names.iter().map(|n| quoted(n)).collect::<Vec<_>>().join(", ");
    let ordered = format!("SELECT rowid, {list} FROM {} NOT INDEXED ORDER BY rowid", quoted(name));
    // A table without row numbers lies in the order of its key.
    let unordered = format!("SELECT NULL, {list} FROM {}", quoted(name));
    let mut statement = match conn.prepare(&ordered) {
        Ok(statement) => statement,
        Err(_) => conn.prepare(&unordered).map_err(|e| fail(&e, 0, intake))?,
    };
    let last: i64 = conn
        .query_row(&format!("SELECT max(rowid) FROM {}", quoted(name)), [], |row| row.get::<_, Option<i64>>(0))
        .ok()
        .flatten()
        .unwrap_or(0);
    // Reading the schema was bounded in steps. Here the numbers of rows bound it: they must rise, and without them there
    // can be no more rows than bytes.
    conn.progress_handler(0, None::<fn() -> bool>).map_err(|e| fail(&e, 0, intake))?;
    let mut query = statement.query([]).map_err(|e| fail(&e, 0, intake))?;
    let (mut count, mut before) = (0u64, None);
    let mut extra = Extra::default();
    loop {
        let row = match query.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(e) => return Err(fail(&e, count, intake)),
        };
        let number = match row.get_ref(0).map_err(|e| fail(&e, count, intake))? {
            ValueRef::Integer(number) => Some(number),
            _ => None,
        };
        if (number.is_some() && before.is_some() && number <= before) || count >= length {
            let reason = "its rows are not in the order of their numbers, or repeat".to_owned();
            return Err(intake.malformed(FORMAT, format!("after row {count}"), reason, DAMAGED));
        }
        before = number;
        let mut cells = Vec::with_capacity(names.len());
        for at in 1..=names.len() {
            cells.push(cell(row, at).map_err(|e| fail(&e, count, intake))?);
        }
        count += 1;
        if let (Some(number @ 1..), 1..) = (number, last) {
            let share = u128::from(length) * number.unsigned_abs() as u128 / last.unsigned_abs() as u128;
            intake.meter().bytes.set(u64::try_from(share).unwrap_or(length).min(length));
        }
        columns.take(&cells, (count, 0), false, &mut extra, intake)?;
    }
}
