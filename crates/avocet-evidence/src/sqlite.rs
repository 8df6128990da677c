//! Reads the tables of an SQLite database through a [`Source`], after the published file format
//! (<https://www.sqlite.org/fileformat2.html>).
//!
//! Phones keep what matters in such databases. SQLite itself is not used on them: it wants a file with a name and may
//! write beside it (a journal, a shared-memory file), it is C code over bytes that the device's owner could choose, and
//! a table that it finds damaged it does not read at all. This reader reads at positions, one page at a time, never
//! writes, and goes on behind a damaged page.
//!
//! Read: ordinary tables, in the order of their row numbers, text in UTF-8 and UTF-16, rows that overflow their page.
//! Not read: deleted rows, indexes, tables `WITHOUT ROWID`, and what a `-wal` file beside the database holds.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `page-unreadable` | a page of a table cannot be read; its rows are not known |
//! | `page-damaged` | a page of a table is none, or some of its rows break off |
//! | `page-loop` | a page belongs to the table twice; it was read once |
//! | `row-damaged` | rows that cannot be read |

use std::sync::Arc;

use crate::bytes::{be_u16, be_u32, be_u64, u8_at};
use crate::entry::VisitResult;
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::source::{Source, read_up_to};

const LAYER: &str = "sqlite";
/// The first bytes of every database.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Pages from the root to a leaf; SQLite itself allows 20.
const MAX_DEPTH: usize = 20;
/// Bytes of one row read at most.
const MAX_ROW: u64 = 64 << 20;

/// A value of a row. Text is UTF-8, with half a surrogate pair of UTF-16 kept as the three bytes it would have.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// Text.
    Text(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// The whole number that this is.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            _ => None,
        }
    }

    /// The text that this is.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes that this is: a blob, or text.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Text(bytes) | Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// A table of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its root page.
    root: u32,
    /// The names of its columns, in their order.
    pub columns: Vec<String>,
}

impl Table {
    /// The place of a column in every row; names are compared as SQLite does, without regard to case.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.eq_ignore_ascii_case(name))
    }
}

/// A row: its number and its values, fewer than the table has columns where columns were added later.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The row number, which is also the value of a column `INTEGER PRIMARY KEY` (stored as [`Value::Null`]).
    pub id: i64,
    /// The values.
    pub values: Vec<Value>,
}

impl Row {
    /// The value in a column.
    pub fn get(&self, column: usize) -> &Value {
        self.values.get(column).unwrap_or(&Value::Null)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A database.
pub struct Database {
    source: Arc<dyn Source>,
    page: u32,
    /// Bytes of a page without the reserved ones at its end.
    usable: u32,
    pages: u32,
    encoding: Encoding,
}

/// Why a page or row is left out: the code of the problem, and what was found.
type Fault = (&'static str, &'static str);

const NO_PAGE: Fault = ("page-damaged", "a page of the table lies outside the database");
const BROKEN_ROW: Fault = ("row-damaged", "a row breaks off");

impl Database {
    /// Opens a database.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where the header is none of SQLite's; [`OpenError::Read`].
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        let head = read_up_to(&source, 0, 100)?;
        let malformed = |offset, detail: &str| OpenError::malformed(LAYER, offset, detail);
        if !head.starts_with(MAGIC) || head.len() < 100 {
            return Err(malformed(0, "this is no SQLite database"));
        }
        let page = match be_u16(&head, 16) {
            Some(1) => 65_536,
            Some(size) if size >= 512 && size.is_power_of_two() => u32::from(size),
            _ => return Err(malformed(16, "the database gives a page size that cannot be")),
        };
        let usable = page.saturating_sub(u32::from(u8_at(&head, 20).unwrap_or(0)));
        if usable < 480 {
            return Err(malformed(20, "the database keeps more of each page back than can be"));
        }
        let encoding = match be_u32(&head, 56) {
            Some(0 | 1) => Encoding::Utf8,
            Some(2) => Encoding::Utf16Le,
            Some(3) => Encoding::Utf16Be,
            _ => return Err(malformed(56, "the database gives a text encoding that cannot be")),
        };
        // A last page that is cut off is still looked at.
        let pages = u32::try_from(source.len().div_ceil(u64::from(page))).unwrap_or(u32::MAX);
        Ok(Self { source, page, usable, pages, encoding })
    }

    /// The tables that the schema names.
    ///
    /// # Errors
    /// [`ReadError`] where the schema cannot be read at all. Parts of it that cannot be are handed to `problem`.
    pub fn tables(&self, problem: &mut dyn FnMut(Problem)) -> Result<Vec<Table>, ReadError> {
        let schema = Table { name: "sqlite_schema".into(), root: 1, columns: vec![] };
        let mut tables = vec![];
        self.rows(&schema, problem, &mut |row| {
            let text = |i| row.get(i).text().map(|t| String::from_utf8_lossy(t).into_owned());
            let root = row.get(3).integer().and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0);
            if let (Some("table"), Some(name), Some(root), Some(sql)) = (text(0).as_deref(), text(1), root, text(4)) {
                tables.push(Table { name, root, columns: columns(&sql) });
            }
            VisitResult::Continue(())
        })?;
        Ok(tables)
    }

    /// The table of a name.
    ///
    /// # Errors
    /// As [`Database::tables`].
    pub fn table(&self, name: &str, problem: &mut dyn FnMut(Problem)) -> Result<Option<Table>, ReadError> {
        Ok(self.tables(problem)?.into_iter().find(|t| t.name.eq_ignore_ascii_case(name)))
    }

    /// Visits the rows of a table in the order of their numbers. Pages and rows that cannot be read are handed to
    /// `problem`, and the others follow.
    ///
    /// # Errors
    /// [`ReadError`] where the table's first page cannot be read.
    pub fn rows(
        &self,
        table: &Table,
        problem: &mut dyn FnMut(Problem),
        visit: &mut dyn FnMut(Row) -> VisitResult,
    ) -> Result<(), ReadError> {
        // Each page once, so that a table that contains itself ends.
        let mut seen = vec![0u64; usize::try_from(self.pages / 64).unwrap_or(0).saturating_add(1)];
        let mut levels: Vec<std::vec::IntoIter<u32>> = vec![vec![table.root].into_iter()];
        let mut first = true;
        while let Some(level) = levels.last_mut() {
            let Some(number) = level.next() else {
                levels.pop();
                continue;
            };
            let offset = u64::from(number.saturating_sub(1)).saturating_mul(u64::from(self.page));
            let mut report = |(code, detail): Fault| problem(Problem::new(LAYER, code, Some(offset), detail));
            let word = seen.get_mut(usize::try_from(number / 64).unwrap_or(usize::MAX));
            let bit = 1u64 << (number % 64);
            match word {
                Some(word) if *word & bit == 0 => *word |= bit,
                Some(_) => {
                    report(("page-loop", "a page belongs to the table twice; it was read once"));
                    continue;
                }
                None => {
                    report(NO_PAGE);
                    continue;
                }
            }
            let page = match self.read_page(number) {
                Ok(page) => page,
                Err(error) if first => return Err(error),
                Err(error) => {
                    let detail = format!("a page of the table cannot be read: {}", error.detail);
                    problem(Problem::new(LAYER, "page-unreadable", Some(offset), detail));
                    continue;
                }
            };
            let head = if number == 1 { 100 } else { 0 };
            let kind = u8_at(&page, head);
            if first && kind != Some(5) && kind != Some(13) {
                let detail = "the table's first page is no page of a table (or the table is one WITHOUT ROWID)";
                return Err(ReadError::new(LAYER, offset, ReadFault::Damaged, detail));
            }
            first = false;
            match kind {
                Some(13) => {
                    if self.leaf(&page, head, offset, problem, visit).is_break() {
                        return Ok(());
                    }
                }
                Some(5) if levels.len() < MAX_DEPTH => match children(&page, head) {
                    Some(children) => levels.push(children.into_iter()),
                    None => report(("page-damaged", "a page of the table breaks off")),
                },
                Some(5) => report(("page-damaged", "the pages of the table are nested too deep")),
                _ => report(("page-damaged", "a page of the table is none")),
            }
        }
        Ok(())
    }

    fn read_page(&self, number: u32) -> Result<Vec<u8>, ReadError> {
        let offset = u64::from(number.saturating_sub(1)).saturating_mul(u64::from(self.page));
        let page = read_up_to(&self.source, offset, usize::try_from(self.page).unwrap_or(0))?;
        if page.is_empty() {
            return Err(ReadError::new(LAYER, offset, ReadFault::Truncated, "it lies past the end of the database"));
        }
        Ok(page)
    }

    fn leaf(
        &self,
        page: &[u8],
        head: usize,
        offset: u64,
        problem: &mut dyn FnMut(Problem),
        visit: &mut dyn FnMut(Row) -> VisitResult,
    ) -> VisitResult {
        let count = usize::from(be_u16(page, head.saturating_add(3)).unwrap_or(0));
        let mut broken = 0u64;
        let mut why = BROKEN_ROW;
        for i in 0..count {
            let pointer = head.saturating_add(8).saturating_add(i.saturating_mul(2));
            let row = be_u16(page, pointer).ok_or(BROKEN_ROW).and_then(|at| self.row(page, usize::from(at)));
            match row {
                Ok(row) => visit(row)?,
                Err(fault) => {
                    broken = broken.saturating_add(1);
                    why = fault;
                }
            }
        }
        if broken > 0 {
            let detail = format!("{broken} of {count} rows of a page: {}", why.1);
            problem(Problem::new(LAYER, why.0, Some(offset), detail));
        }
        VisitResult::Continue(())
    }

    fn row(&self, page: &[u8], at: usize) -> Result<Row, Fault> {
        let (length, used) = varint(page, at).ok_or(BROKEN_ROW)?;
        let at = at.saturating_add(used);
        let (id, used) = varint(page, at).ok_or(BROKEN_ROW)?;
        let at = at.saturating_add(used);
        if length > MAX_ROW || length > self.source.len() {
            return Err(("row-damaged", "a row is longer than what is read"));
        }
        let length = usize::try_from(length).map_err(|_| BROKEN_ROW)?;
        let usable = usize::try_from(self.usable).map_err(|_| BROKEN_ROW)?;
        let most = usable.saturating_sub(35);
        let local = if length <= most {
            length
        } else {
            let least = usable.saturating_sub(12).saturating_mul(32) / 255;
            let least = least.saturating_sub(23);
            let rest = length.saturating_sub(least).checked_rem(usable.saturating_sub(4)).unwrap_or(0);
            let wanted = least.saturating_add(rest);
            if wanted <= most { wanted } else { least }
        };
        let here = page.get(at..at.saturating_add(local)).ok_or(BROKEN_ROW)?;
        let payload = if local == length {
            here.to_vec()
        } else {
            let next = be_u32(page, at.saturating_add(local)).ok_or(BROKEN_ROW)?;
            self.overflow(here, length, next)?
        };
        Ok(Row { id: id.cast_signed(), values: self.values(&payload)? })
    }

    /// Gathers a payload that goes on in other pages. Each adds bytes, so a chain that goes in circles ends.
    fn overflow(&self, here: &[u8], length: usize, mut next: u32) -> Result<Vec<u8>, Fault> {
        let mut payload = here.to_vec();
        let room = usize::try_from(self.usable.saturating_sub(4)).map_err(|_| BROKEN_ROW)?;
        while payload.len() < length {
            if next == 0 || next > self.pages {
                return Err(BROKEN_ROW);
            }
            let page = self.read_page(next).map_err(|_| ("row-damaged", "a row goes on where nothing can be read"))?;
            let wanted = length.saturating_sub(payload.len()).min(room);
            payload.extend_from_slice(page.get(4..wanted.saturating_add(4)).ok_or(BROKEN_ROW)?);
            next = be_u32(&page, 0).ok_or(BROKEN_ROW)?;
        }
        Ok(payload)
    }

    fn values(&self, payload: &[u8]) -> Result<Vec<Value>, Fault> {
        let (head, mut at) = varint(payload, 0).ok_or(BROKEN_ROW)?;
        let head = usize::try_from(head).ok().filter(|h| *h <= payload.len()).ok_or(BROKEN_ROW)?;
        let mut body = head;
        let mut values = vec![];
        while at < head {
            let (kind, used) = varint(payload, at).ok_or(BROKEN_ROW)?;
            at = at.saturating_add(used);
            let length = match kind {
                0 | 8 | 9 => 0,
                1..=4 => usize::try_from(kind).map_err(|_| BROKEN_ROW)?,
                5 => 6,
                6 | 7 => 8,
                10 | 11 => return Err(BROKEN_ROW),
                _ => usize::try_from(kind.saturating_sub(12) / 2).map_err(|_| BROKEN_ROW)?,
            };
            let end = body.checked_add(length).ok_or(BROKEN_ROW)?;
            let bytes = payload.get(body..end).ok_or(BROKEN_ROW)?;
            body = end;
            values.push(match kind {
                0 => Value::Null,
                8 => Value::Integer(0),
                9 => Value::Integer(1),
                1..=6 => Value::Integer(signed(bytes)),
                7 => Value::Real(f64::from_bits(be_u64(bytes, 0).ok_or(BROKEN_ROW)?)),
                _ if kind % 2 == 0 => Value::Blob(bytes.to_vec()),
                _ => Value::Text(self.utf8(bytes)),
            });
        }
        Ok(values)
    }

    fn utf8(&self, bytes: &[u8]) -> Vec<u8> {
        let pair: fn([u8; 2]) -> u16 = match self.encoding {
            Encoding::Utf8 => return bytes.to_vec(),
            Encoding::Utf16Le => u16::from_le_bytes,
            Encoding::Utf16Be => u16::from_be_bytes,
        };
        let units = bytes.chunks_exact(2).filter_map(|p| p.try_into().ok().map(pair));
        wide_text(units)
    }
}

/// UTF-16 as UTF-8; half a surrogate pair becomes the three bytes that it would have, which is no UTF-8 and stays visible.
pub(crate) fn wide_text(units: impl Iterator<Item = u16>) -> Vec<u8> {
    let mut out = vec![];
    for decoded in char::decode_utf16(units) {
        match decoded {
            Ok(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(e) => {
                let [high, low] = e.unpaired_surrogate().to_be_bytes();
                out.extend([0xE0 | high >> 4, 0x80 | (high & 0xF) << 2 | low >> 6, 0x80 | low & 0x3F]);
            }
        }
    }
    out
}

/// A number of 1 to 9 bytes: seven bits each, eight in the ninth; and how many bytes it took.
fn varint(data: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for i in 0..9usize {
        let byte = u8_at(data, at.checked_add(i)?)?;
        if i == 8 {
            return Some((value << 8 | u64::from(byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte < 0x80 {
            return Some((value, i.saturating_add(1)));
        }
    }
    None
}

/// A signed big-endian number of 1 to 8 bytes.
fn signed(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|b| *b >= 0x80) { -1i64 } else { 0 };
    bytes.iter().fold(start, |n, b| n << 8 | i64::from(*b))
}

/// The child pages of an inner page, in order; `None` where it breaks off.
fn children(page: &[u8], head: usize) -> Option<Vec<u32>> {
    let count = usize::from(be_u16(page, head.checked_add(3)?)?);
    let mut out = Vec::with_capacity(count.saturating_add(1));
    for i in 0..count {
        let pointer = head.checked_add(12)?.checked_add(i.checked_mul(2)?)?;
        out.push(be_u32(page, usize::from(be_u16(page, pointer)?))?);
    }
    out.push(be_u32(page, head.checked_add(8)?)?);
    Some(out)
}

/// The names of the columns of a `CREATE TABLE` statement, in their order.
fn columns(sql: &str) -> Vec<String> {
    let mut names = vec![];
    // The parenthesis that opens the list is the first one outside quotes.
    let (mut depth, mut quote, mut part) = (0u32, None, String::new());
    let mut finish = |part: &mut String| {
        if let Some(name) = column_name(part.trim()) {
            names.push(name);
        }
        part.clear();
    };
    for c in sql.chars() {
        if let Some(end) = quote {
            if c == end {
                quote = None;
            }
        } else {
            match c {
                '"' | '\'' | '`' => quote = Some(c),
                '[' => quote = Some(']'),
                '(' => {
                    depth = depth.saturating_add(1);
                    if depth == 1 {
                        part.clear();
                        continue;
                    }
                }
                ')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        finish(&mut part);
                        break;
                    }
                }
                ',' if depth == 1 => {
                    finish(&mut part);
                    continue;
                }
                _ => {}
            }
        }
        part.push(c);
    }
    names
}

/// The name at the beginning of a column's definition; `None` for a constraint of the table.
fn column_name(definition: &str) -> Option<String> {
    let first = definition.chars().next()?;
    let end = match first {
        '"' | '\'' | '`' => Some(first),
        '[' => Some(']'),
        _ => None,
    };
    if let Some(end) = end {
        let rest = definition.get(1..)?;
        return Some(rest.split(end).next().unwrap_or(rest).to_owned());
    }
    let word = definition.split(|c: char| c.is_whitespace() || c == '(').next()?;
    let constraint = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter();
    (!constraint.into_iter().any(|w| word.eq_ignore_ascii_case(w))).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_varying_length() {
        assert_eq!(varint(&[0x7F], 0), Some((127, 1)));
        assert_eq!(varint(&[0x81, 0x00], 0), Some((128, 2)));
        assert_eq!(varint(&[0xFF; 9], 0), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0xFF; 8], 0), None);
        assert_eq!(signed(&[0xFF]), -1);
        assert_eq!(signed(&[0x80, 0]), -32768);
        assert_eq!(signed(&[0x00, 0xFF]), 255);
        assert_eq!(signed(&[]), 0);
    }

    #[test]
    fn the_columns_of_a_table_are_named_in_order() {
        let sql = "CREATE TABLE \"a (b)\" (Z_PK INTEGER PRIMARY KEY, [two, words] TEXT DEFAULT (1+(2)), `x` DECIMAL(10, 5), \
                   plain, \"q\" BLOB, CONSTRAINT c UNIQUE (plain, q), PRIMARY KEY(x))";
        assert_eq!(columns(sql), ["Z_PK", "two, words", "x", "plain", "q"]);
        assert_eq!(columns("CREATE TABLE a"), [""; 0]);
    }

    #[test]
    fn half_a_pair_stays_visible() {
        let text = wide_text([0x41, 0xD83D, 0x42].into_iter());
        assert_eq!(avocet_base::escape_bytes(&text), "A\\xed\\xa0\\xbdB");
        assert_eq!(wide_text("ü€😀".encode_utf16()), "ü€😀".as_bytes());
    }
}
