//! The result digest: one SHA-256 over every hashed row in one canonical encoding.
//!
//! ```text
//! digest = SHA-256( "avocet-examination result v1\n"  schema-version  table* )
//! table  = 0x54 'T'  text(name)  u32(number of columns)  text(column name)*  row*  0x45 'E'  u64(number of rows)
//! row    = 0x52 'R'  value*                       in the order of the columns; rows in the order of the key
//! value  = 0x00                                   NULL
//!        | 0x01 i64                               INTEGER
//!        | 0x02 u32(length in bytes) bytes        TEXT, UTF-8
//!        | 0x03 u32(length in bytes) bytes        BLOB
//! text   = u32(length in bytes) bytes
//! ```
//! `schema-version`, `u32`, `u64` and `i64` are little-endian; the schema version is an `i64`. Every value is tagged and
//! every length precedes its bytes, so two different results cannot have one encoding.

use avocet_base::Sha256;
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::Digest;

use crate::error::ReadError;
use crate::schema::{Key, Table, tables};

const DOMAIN: &[u8] = b"avocet-examination result v1\n";
/// Bytes gathered before they are hashed.
const CHUNK: usize = 64 * 1024;

struct Hasher {
    sha: sha2::Sha256,
    buffer: Vec<u8>,
}

impl Hasher {
    fn bytes(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn sized(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let length = u32::try_from(bytes.len()).map_err(|_| ReadError::Malformed("a value is too long".into()))?;
        self.bytes(&length.to_le_bytes());
        self.bytes(bytes);
        Ok(())
    }

    fn flush_if_full(&mut self) {
        if self.buffer.len() >= CHUNK {
            self.sha.update(&self.buffer);
            self.buffer.clear();
        }
    }

    fn finish(mut self) -> Sha256 {
        self.sha.update(&self.buffer);
        Sha256(self.sha.finalize().into())
    }
}

/// Checks that the keys of a table strictly increase. Rows that repeat or run backwards are the sign of a damaged or
/// hostile tree of pages, which could otherwise be walked without end.
pub(crate) struct KeyOrder {
    table: &'static Table,
    last: Option<(i64, i64)>,
    last_text: Option<Vec<u8>>,
}

impl KeyOrder {
    pub fn new(table: &'static Table) -> Self {
        Self { table, last: None, last_text: None }
    }

    /// Takes the next row, whose first columns are the key.
    pub fn next(&mut self, row: &rusqlite::Row<'_>) -> Result<(), ReadError> {
        let integer = |i: usize| match row.get_ref(i) {
            Ok(ValueRef::Integer(v)) => Ok(v),
            _ => Err(ReadError::Malformed(format!("{}: a key is not an integer", self.table.name))),
        };
        let increases = match self.table.key {
            Key::Text => {
                let Ok(ValueRef::Text(text)) = row.get_ref(0) else {
                    return Err(ReadError::Malformed(format!("{}: a key is not a text", self.table.name)));
                };
                let increases = self.last_text.as_deref().is_none_or(|last| last < text);
                self.last_text = Some(text.to_vec());
                increases
            }
            Key::Integer | Key::Pair => {
                let key = (integer(0)?, if self.table.key == Key::Pair { integer(1)? } else { 0 });
                let increases = self.last.is_none_or(|last| last < key);
                self.last = Some(key);
                increases
            }
        };
        if increases {
            Ok(())
        } else {
            Err(ReadError::Malformed(format!("{}: rows are not in the order of their key", self.table.name)))
        }
    }
}

fn table(hasher: &mut Hasher, conn: &Connection, table: &'static Table) -> Result<(), ReadError> {
    hasher.bytes(b"T");
    hasher.sized(table.name.as_bytes())?;
    hasher.bytes(&u32::try_from(table.columns.len()).unwrap_or(u32::MAX).to_le_bytes());
    table.columns.iter().try_for_each(|c| hasher.sized(c.as_bytes()))?;

    let mut statement = conn.prepare(&table.select())?;
    let mut rows = statement.query([])?;
    let mut order = KeyOrder::new(table);
    let mut count: u64 = 0;
    while let Some(row) = rows.next()? {
        order.next(row)?;
        count = count.saturating_add(1);
        hasher.bytes(b"R");
        for i in 0..table.columns.len() {
            match row.get_ref(i)? {
                ValueRef::Null => hasher.bytes(&[0]),
                ValueRef::Integer(v) => {
                    hasher.bytes(&[1]);
                    hasher.bytes(&v.to_le_bytes());
                }
                ValueRef::Text(text) => {
                    if std::str::from_utf8(text).is_err() {
                        return Err(ReadError::Malformed(format!("{}: a text is not UTF-8", table.name)));
                    }
                    hasher.bytes(&[2]);
                    hasher.sized(text)?;
                }
                ValueRef::Blob(blob) => {
                    hasher.bytes(&[3]);
                    hasher.sized(blob)?;
                }
                ValueRef::Real(_) => {
                    return Err(ReadError::Malformed(format!("{}: a value is a floating point number", table.name)));
                }
            }
        }
        hasher.flush_if_full();
    }
    hasher.bytes(b"E");
    hasher.bytes(&count.to_le_bytes());
    Ok(())
}

/// Recomputes the result digest from the rows of a file of this schema version.
pub(crate) fn result_digest(conn: &Connection, version: i32) -> Result<Sha256, ReadError> {
    let mut hasher = Hasher { sha: sha2::Sha256::new(), buffer: Vec::with_capacity(CHUNK * 2) };
    hasher.bytes(DOMAIN);
    hasher.bytes(&i64::from(version).to_le_bytes());
    for t in tables(version).iter().filter(|t| t.hashed) {
        table(&mut hasher, conn, t)?;
    }
    Ok(hasher.finish())
}
