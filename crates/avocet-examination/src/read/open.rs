//! Opens a file that claims to be an examination, believing nothing of it.
//!
//! The order matters: the file's header is read by plain reads before SQLite sees it; SQLite then opens it read-only and
//! immutable with everything off that a schema could use to run something; and the schema is compared with the one
//! expected, statement by statement, before any table is read.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::error::ReadError;
use crate::read::MAX_VALUE;
use crate::schema::{self, APPLICATION_ID, OLDEST_VERSION, SCHEMA_VERSION};
use crate::write::WRITTEN_BY;

/// What the first 100 bytes say ("The Database Header" in SQLite's file format description).
pub(crate) struct Header {
    page_size: u64,
    pages: u64,
    /// Whether the file says that a write-ahead log belongs to it.
    write_ahead: bool,
    encoding: u32,
    /// Schema version, one that can be read.
    pub version: i32,
    /// Bytes of the whole file.
    pub file_length: u64,
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_be_bytes(*b))
}

/// Reads the header and tells an examination file from everything else.
pub(crate) fn header(path: &Path) -> Result<Header, ReadError> {
    let display = || path.display().to_string();
    let io = |e: std::io::Error| ReadError::Io { path: display(), reason: e.to_string() };
    let not = |found| Err(ReadError::NotExamination { path: display(), found });
    let file = File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return not("it is not a file");
    }
    let mut bytes = Vec::with_capacity(100);
    file.take(100).read_to_end(&mut bytes).map_err(io)?;
    if bytes.is_empty() {
        return not("it is empty");
    }
    if bytes.len() < 100 || !bytes.starts_with(b"SQLite format 3\0") {
        return not("it is not an SQLite file");
    }
    if be32(&bytes, 68).cast_signed() != APPLICATION_ID {
        return not("it is another kind of SQLite file");
    }
    let version = be32(&bytes, 60).cast_signed();
    if version > SCHEMA_VERSION {
        return Err(ReadError::Newer { path: display(), version, program: written_by(path) });
    }
    if version < OLDEST_VERSION {
        return Err(ReadError::Schema { path: display(), findings: vec![format!("schema version {version}")] });
    }
    let page_size = match be32(&bytes, 14) & 0xffff {
        1 => 65_536,
        n => u64::from(n),
    };
    Ok(Header {
        page_size,
        pages: u64::from(be32(&bytes, 28)),
        write_ahead: be32(&bytes, 16) & 0xffff != 0x0101,
        encoding: be32(&bytes, 56),
        version,
        file_length: metadata.len(),
    })
}

/// Which program wrote a file of a later schema version. Later versions keep the table `run` and its key for this.
fn written_by(path: &Path) -> String {
    let version = connect(path).ok().and_then(|conn| {
        // Only of a table with our key: a search for the key then ends, whatever the pages say.
        let ours = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'run' AND sql = ?";
        conn.query_row(ours, [schema::RUN.sql], |_| Ok(())).ok()?;
        conn.query_row("SELECT value FROM run WHERE key = ?", [WRITTEN_BY], |row| row.get::<_, String>(0)).ok()
    });
    let harmless = |v: &String| v.len() <= 40 && v.bytes().all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b));
    version.filter(harmless).map_or_else(|| "the Avocet that wrote it".into(), |v| format!("Avocet {v}"))
}

/// A `file:` URI of a path, so that `immutable` can be said; any byte of the path survives.
fn uri(path: &Path) -> Result<String, ReadError> {
    let absolute = std::path::absolute(path)
        .map_err(|e| ReadError::Io { path: path.display().to_string(), reason: e.to_string() })?;
    let mut uri = String::from("file://");
    for byte in absolute.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => uri.push(char::from(*byte)),
            _ => uri.push_str(&format!("%{byte:02x}")),
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

/// Steps of SQLite's machine that one statement may take while a file is opened. Reading the schema of a good file takes
/// a few hundred; one whose pages repeat would take more than anyone can wait for.
const STEPS_TO_OPEN: i32 = 1_000_000;

/// Opens without looking at the schema yet. Nothing in the schema can run: no trigger, no view, no function that is not
/// harmless; and nothing beside the file (journal, write-ahead log) is read.
pub(crate) fn connect(path: &Path) -> Result<Connection, ReadError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(uri(path)?, flags)?;
    conn.progress_handler(STEPS_TO_OPEN, Some(|| true))?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    conn.pragma_update(None, "mmap_size", 0)?;
    Ok(conn)
}

/// Ends the limit on steps, once the schema is known to be ours.
pub(crate) fn opened(conn: &Connection) -> Result<(), ReadError> {
    Ok(conn.progress_handler(0, None::<fn() -> bool>)?)
}

/// At most this many differences are listed.
const MAX_FINDINGS: usize = 20;

/// What of the file is not as an examination file is made; empty where all is.
pub(crate) fn structure(header: &Header, conn: &Connection) -> Result<Vec<String>, ReadError> {
    let mut findings = Vec::new();
    if header.write_ahead {
        findings.push("it says that a write-ahead log belongs to it".to_owned());
    }
    if header.encoding != 1 {
        findings.push("its texts are not in UTF-8".to_owned());
    }
    if header.page_size.checked_mul(header.pages) != Some(header.file_length) {
        findings.push("its length is not that of its pages".to_owned());
    }

    let tables = schema::tables(header.version);
    let mut expected: Vec<(&str, &str, &str, &str)> = tables.iter().map(|t| ("table", t.name, t.name, t.sql)).collect();
    expected.push(("index", schema::INDEX.0, schema::INDEX.1, schema::INDEX.2));
    let mut statement = conn.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |i| row.get_ref(i).ok().and_then(|v| v.as_str().ok()).unwrap_or_default();
        let found = (text(0), text(1), text(2), text(3));
        if let Some(at) = expected.iter().position(|e| *e == found) {
            expected.swap_remove(at);
        } else {
            let known = tables.iter().any(|t| t.name == found.1) || found.1 == schema::INDEX.0;
            let what = if known { "was changed" } else { "was added" };
            findings.push(format!("{} {} {what}", printable(found.0), printable(found.1)));
        }
        if findings.len() >= MAX_FINDINGS {
            findings.push("and more".to_owned());
            return Ok(findings);
        }
    }
    // A changed one is named once, not as missing too.
    expected.sort_unstable();
    for (kind, name, ..) in expected {
        let changed = format!("{kind} {name} was changed");
        if !findings.contains(&changed) {
            findings.push(format!("{kind} {name} is missing"));
        }
    }
    Ok(findings)
}

/// A name that a file gives, fit to be printed.
fn printable(name: &str) -> String {
    name.chars().take(40).map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '?' }).collect()
}
