//! Deltas of the NSRL: one SQL file of INSERT, UPDATE and DELETE statements on the tables of the RDS. It is read, never
//! executed: what it says about rows of files becomes records and deletions, and anything else is an error with its
//! line, because a delta that is half understood would leave a set that nobody published.

use std::collections::BTreeMap;

use memchr::memchr_iter;

use super::super::Parsed;
use super::super::extra::Extra;
use super::super::input::{Input, Short};
use super::super::json::Stop;
use super::sql::{Lexer, Token};
use super::{Cell, Columns, FileTable, OTHER_TABLES, VERSION};
use crate::error::KnownError;
use crate::intake::Intake;

const FORMAT: &str = "an NSRL RDS 3 delta";
const ADVICE: &str = "nothing of it was applied; deltas are read as INSERT, UPDATE and DELETE on the tables FILE, METADATA, \
                      PKG, OS, MFG and VERSION only";

/// The columns of FILE, for an INSERT that names none.
const FILE_COLUMNS: [&str; 7] = ["sha256", "sha1", "md5", "crc32", "file_name", "file_size", "package_id"];
/// Columns that make a row of FILE the only one of its kind.
const FILE_KEY: [&str; 6] = ["sha256", "sha1", "md5", "file_name", "file_size", "package_id"];
/// Longest row or statement, in columns.
const MAX_COLUMNS: usize = 256;

/// Whether text begins as SQL does.
pub(crate) fn looks_like(text: &[u8]) -> bool {
    const WORDS: [&str; 15] = [
        "BEGIN", "INSERT", "UPDATE", "DELETE", "REPLACE", "PRAGMA", "COMMIT", "END", "CREATE", "DROP", "ALTER",
        "ATTACH", "SELECT", "WITH", "VACUUM",
    ];
    let mut lexer = Lexer::new(text, true);
    let Ok(first) = lexer.next() else { return false };
    if !WORDS.iter().any(|word| first.is(word)) {
        return false;
    }
    let rest = text.get(lexer.position()..).unwrap_or_default();
    // A list may begin with a word too, but not with one that a blank or a semicolon follows and then another of SQL's.
    let second = matches!(lexer.next(), Ok(Token::Word(_) | Token::Name(_) | Token::Sign(b';' | b'*' | b'(')));
    rest.first().is_none_or(|b| b.is_ascii_whitespace() || *b == b';') && second
}

/// Where rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Table {
    Files(FileTable),
    /// One of [`OTHER_TABLES`], counted.
    Other(&'static str),
}

impl Table {
    fn of(name: &str) -> Option<Table> {
        let other = || OTHER_TABLES.into_iter().find(|other| name.eq_ignore_ascii_case(other)).map(Table::Other);
        FileTable::of(name).map(Table::Files).or_else(other)
    }
}

/// What was read at the beginning of a statement.
enum Statement {
    End,
    /// BEGIN, COMMIT and the like.
    Transaction,
    Pragma,
    /// An INSERT up to its rows.
    Insert(Table, Columns, usize),
    /// A whole UPDATE or DELETE, and what became of it.
    Done(Table, Result<(), Box<KnownError>>),
}

struct Reader<'i> {
    input: &'i mut Input,
    /// Line at which `input` stands, from 1.
    line: u64,
}

/// Why reading stopped.
enum Fail {
    Short(Short),
    Bad { line: u64, at: u64, why: &'static str },
}

impl Reader<'_> {
    /// Reads one thing from the beginning of what is there; where it does not end there, reads on and begins again.
    fn unit<T>(&mut self, mut read: impl FnMut(&mut Lexer<'_>, u64) -> Result<T, Stop>) -> Result<T, Fail> {
        loop {
            let data = self.input.data();
            let lines = |to: usize| memchr_iter(b'\n', data.get(..to).unwrap_or_default()).count() as u64;
            let mut lexer = Lexer::new(data, self.input.ended());
            // The line of what is read next is that of its first word.
            let outcome = lexer.blank().and_then(|()| {
                let line = self.line + lines(lexer.position());
                read(&mut lexer, line)
            });
            match outcome {
                Ok(read) => {
                    let used = lexer.position();
                    self.line += lines(used);
                    self.input.consume(used);
                    return Ok(read);
                }
                Err(Stop::Bad(why)) => {
                    let begun = lexer.begun();
                    return Err(Fail::Bad {
                        line: self.line + lines(begun),
                        at: self.input.offset() + begun as u64,
                        why,
                    });
                }
                Err(Stop::More) => {
                    self.input.more().map_err(Fail::Short)?;
                }
            }
        }
    }
}

/// Reads a whole delta.
pub(crate) fn read(input: &mut Input, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("line");
    let mut reader = Reader { input, line: 1 };
    let mut extra = Extra::default();
    let mut others: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut pragmas = 0u64;
    let mut stated = vec![];
    loop {
        let offset = reader.input.offset();
        let statement = reader.unit(|lexer, line| statement(lexer, (line, offset), &mut extra, intake, &mut stated));
        let statement = statement.map_err(|f| error(f, intake, offset))?;
        match statement {
            Statement::End => break,
            Statement::Transaction => {}
            Statement::Pragma => pragmas += 1,
            Statement::Insert(table, columns, width) => loop {
                let offset = reader.input.offset();
                let row = reader.unit(|lexer, line| {
                    let mut cells = vec![];
                    tuple(lexer, width, &mut cells)?;
                    let more = match lexer.next()? {
                        Token::Sign(b',') => true,
                        Token::Sign(b';') | Token::End => false,
                        _ => {
                            return Err(Stop::Bad(
                                "a comma or a semicolon should follow a row; no other clause is read",
                            ));
                        }
                    };
                    let taken = match table {
                        Table::Files(_) => columns.take(&cells, (line, offset), false, &mut extra, intake),
                        Table::Other(VERSION) => {
                            columns.state(&cells, &mut stated);
                            Ok(())
                        }
                        Table::Other(_) => Ok(()),
                    };
                    Ok((more, taken.map_err(Box::new)))
                });
                let (more, taken) = row.map_err(|f| error(f, intake, offset))?;
                taken.map_err(|e| *e)?;
                if let Table::Other(name) = table {
                    *others.entry(name).or_default() += 1;
                }
                if !more {
                    break;
                }
            },
            Statement::Done(table, taken) => {
                taken.map_err(|e| *e)?;
                if let Table::Other(name) = table {
                    *others.entry(name).or_default() += 1;
                }
            }
        }
    }
    let mut parsed = Parsed { stated, ..Parsed::new("NSRL RDS 3 delta") };
    for (name, count) in others.into_iter().filter(|(name, _)| *name != VERSION) {
        parsed
            .warnings
            .push(format!("{count} change(s) of the table {name}, which has no part in matching, are not kept"));
    }
    if pragmas > 0 {
        parsed.warnings.push(format!("{pragmas} PRAGMA statement(s) passed over; nothing of the file is executed"));
    }
    Ok(parsed)
}

fn error(fail: Fail, intake: &Intake<'_>, offset: u64) -> KnownError {
    match fail {
        Fail::Short(short) => short.error(intake, offset),
        Fail::Bad { line, at, why } => {
            intake.malformed(FORMAT, format!("line {line}, byte {at}"), why.to_owned(), ADVICE)
        }
    }
}

fn statement(
    lexer: &mut Lexer<'_>,
    at: (u64, u64),
    extra: &mut Extra,
    intake: &mut Intake<'_>,
    stated: &mut Vec<(String, String)>,
) -> Result<Statement, Stop> {
    // Empty statements say nothing.
    while lexer.ahead()? == Token::Sign(b';') {
        lexer.next()?;
    }
    let first = lexer.next()?;
    if first == Token::End {
        return Ok(Statement::End);
    }
    if ["BEGIN", "COMMIT", "END"].iter().any(|word| first.is(word)) {
        let allowed = ["TRANSACTION", "DEFERRED", "IMMEDIATE", "EXCLUSIVE"];
        loop {
            match lexer.next()? {
                Token::Sign(b';') | Token::End => return Ok(Statement::Transaction),
                word if allowed.iter().any(|a| word.is(a)) => {}
                _ => return Err(Stop::Bad("a semicolon should end BEGIN or COMMIT")),
            }
        }
    }
    if first.is("PRAGMA") {
        loop {
            match lexer.next()? {
                Token::Sign(b';') | Token::End => return Ok(Statement::Pragma),
                _ => {}
            }
        }
    }
    if first.is("INSERT") || first.is("REPLACE") {
        return insert(lexer, first.is("REPLACE"));
    }
    if first.is("DELETE") {
        keyword(lexer, "FROM", "FROM should follow DELETE")?;
        let table = table(lexer)?;
        keyword(lexer, "WHERE", "a DELETE without WHERE would empty the table")?;
        let old = equalities(lexer)?;
        let taken = match table {
            Table::Files(files) => {
                states_enough(files, &old)?;
                emit(&old, at, true, extra, intake)
            }
            Table::Other(_) => Ok(()),
        };
        return Ok(Statement::Done(table, taken.map_err(Box::new)));
    }
    if first.is("UPDATE") {
        return update(lexer, at, extra, intake, stated);
    }
    Err(Stop::Bad("neither INSERT, UPDATE, DELETE nor a word of transactions"))
}

fn insert(lexer: &mut Lexer<'_>, mut replaces: bool) -> Result<Statement, Stop> {
    let mut next = lexer.next()?;
    if next.is("OR") {
        next = lexer.next()?;
        replaces |= next.is("REPLACE");
        if !["IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK"].iter().any(|word| next.is(word)) {
            return Err(Stop::Bad("no such conflict clause"));
        }
        next = lexer.next()?;
    }
    if !next.is("INTO") {
        return Err(Stop::Bad("INTO should follow INSERT"));
    }
    let table = table(lexer)?;
    if replaces && table == Table::Files(FileTable::Metadata) {
        // Which row goes depends on a key that the statement does not name.
        return Err(Stop::Bad("a REPLACE on METADATA does not say which row it takes away"));
    }
    let mut names: Vec<String> = vec![];
    if lexer.ahead()? == Token::Sign(b'(') {
        lexer.next()?;
        loop {
            let name = lexer.next()?.name().ok_or(Stop::Bad("the name of a column should stand here"))?;
            names.push(name);
            if names.len() > MAX_COLUMNS {
                return Err(Stop::Bad("more columns than any table of the RDS has"));
            }
            match lexer.next()? {
                Token::Sign(b',') => {}
                Token::Sign(b')') => break,
                _ => return Err(Stop::Bad("a comma or a bracket should follow the name of a column")),
            }
        }
    } else if table == Table::Files(FileTable::File) {
        names = FILE_COLUMNS.map(str::to_owned).to_vec();
    } else if table == Table::Files(FileTable::Metadata) {
        return Err(Stop::Bad("an INSERT into METADATA that does not name its columns; their order is not known here"));
    }
    keyword(lexer, "VALUES", "VALUES should stand here; no other source of rows is read")?;
    let columns = Columns::new(names.iter().map(String::as_str));
    if columns.twice() {
        return Err(Stop::Bad("one column is named twice"));
    }
    if matches!(table, Table::Files(_)) && !columns.has_digest() {
        return Err(Stop::Bad("rows of files without a digest"));
    }
    Ok(Statement::Insert(table, columns, names.len()))
}

/// A deletion and an addition, where the statement says what the row was before.
fn update(
    lexer: &mut Lexer<'_>,
    at: (u64, u64),
    extra: &mut Extra,
    intake: &mut Intake<'_>,
    stated: &mut Vec<(String, String)>,
) -> Result<Statement, Stop> {
    let table = table(lexer)?;
    keyword(lexer, "SET", "SET should stand here")?;
    let mut new = vec![];
    loop {
        let (name, value) = equality(lexer)?;
        if named(&new, &name).is_some() {
            return Err(Stop::Bad("one column is set twice"));
        }
        new.push((name, value));
        if new.len() > MAX_COLUMNS {
            return Err(Stop::Bad("more columns than any table of the RDS has"));
        }
        match lexer.next()? {
            Token::Sign(b',') => {}
            word if word.is("WHERE") => break,
            _ => {
                return Err(Stop::Bad(
                    "a comma or WHERE should follow; an UPDATE without WHERE would change every row",
                ));
            }
        }
    }
    let old = equalities(lexer)?;
    let Table::Files(files) = table else {
        if table == Table::Other(VERSION) {
            new.iter()
                .for_each(|(name, value)| super::super::state(stated, name, &String::from_utf8_lossy(&value.text())));
        }
        return Ok(Statement::Done(table, Ok(())));
    };
    states_enough(files, &old)?;
    for (name, value) in &old {
        if named(&new, name).is_none() {
            new.push((name.clone(), value.clone()));
        }
    }
    let taken = emit(&old, at, true, extra, intake).and_then(|()| emit(&new, at, false, extra, intake));
    Ok(Statement::Done(table, taken.map_err(Box::new)))
}

type Equalities<'a> = Vec<(String, Cell<'a>)>;

fn named<'c, 'a>(list: &'c Equalities<'a>, name: &str) -> Option<&'c Cell<'a>> {
    list.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether a condition names one row, and all of it that a look-up goes by.
fn states_enough(table: FileTable, old: &Equalities<'_>) -> Result<(), Stop> {
    let states = |name: &str| named(old, name).is_some_and(|value| *value != Cell::Null);
    match table {
        FileTable::File if !FILE_KEY.iter().all(|name| states(name)) => Err(Stop::Bad(
            "its condition does not state sha256, sha1, md5, file_name, file_size and package_id, so which row it means \
             cannot be told without the full set",
        )),
        FileTable::Metadata
            if !["sha256", "sha1", "md5"].iter().all(|name| states(name))
                || !["file_size", "bytes", "size"].iter().any(|name| states(name)) =>
        {
            Err(Stop::Bad(
                "its condition does not state sha256, sha1, md5 and the size, so which file it means cannot be told without \
                 the full set",
            ))
        }
        _ => Ok(()),
    }
}

fn emit(
    row: &Equalities<'_>,
    at: (u64, u64),
    deletes: bool,
    extra: &mut Extra,
    intake: &mut Intake<'_>,
) -> Result<(), KnownError> {
    let columns = Columns::new(row.iter().map(|(name, _)| name.as_str()));
    let cells: Vec<Cell<'_>> = row.iter().map(|(_, cell)| cell.clone()).collect();
    columns.take(&cells, at, deletes, extra, intake)
}

fn keyword(lexer: &mut Lexer<'_>, word: &str, why: &'static str) -> Result<(), Stop> {
    if lexer.next()?.is(word) { Ok(()) } else { Err(Stop::Bad(why)) }
}

/// A table's name, with or without `main.` in front.
fn table(lexer: &mut Lexer<'_>) -> Result<Table, Stop> {
    const WHY: Stop = Stop::Bad("not a table of the RDS");
    let mut name = lexer.next()?.name().ok_or(WHY)?;
    if lexer.ahead()? == Token::Sign(b'.') {
        if !name.eq_ignore_ascii_case("main") {
            return Err(WHY);
        }
        lexer.next()?;
        name = lexer.next()?.name().ok_or(WHY)?;
    }
    Table::of(&name).ok_or(WHY)
}

/// A value that is written out.
fn literal<'a>(lexer: &mut Lexer<'a>) -> Result<Cell<'a>, Stop> {
    const WHY: Stop = Stop::Bad("a value should stand here: text in single quotation marks, a number or NULL");
    let number = |digits: &[u8], negative: bool| {
        let text = std::str::from_utf8(digits).ok()?;
        let signed = if negative { format!("-{text}") } else { text.to_owned() };
        signed.parse().map(Cell::Integer).ok().or_else(|| signed.parse().map(Cell::Real).ok())
    };
    match lexer.next()? {
        Token::Text(text) => Ok(Cell::Text(text)),
        Token::Number(digits) => number(digits, false).ok_or(WHY),
        Token::Sign(sign @ (b'-' | b'+')) => match lexer.next()? {
            Token::Number(digits) => number(digits, sign == b'-').ok_or(WHY),
            _ => Err(WHY),
        },
        word if word.is("NULL") => Ok(Cell::Null),
        _ => Err(WHY),
    }
}

/// `( value, … )`, of which there must be `width` unless that is 0.
fn tuple<'a>(lexer: &mut Lexer<'a>, width: usize, cells: &mut Vec<Cell<'a>>) -> Result<(), Stop> {
    if lexer.next()? != Token::Sign(b'(') {
        return Err(Stop::Bad("a row in brackets should stand here"));
    }
    loop {
        cells.push(literal(lexer)?);
        if cells.len() > MAX_COLUMNS {
            return Err(Stop::Bad("more values than any table of the RDS has columns"));
        }
        match lexer.next()? {
            Token::Sign(b',') => {}
            Token::Sign(b')') => break,
            _ => return Err(Stop::Bad("a comma or a bracket should follow a value")),
        }
    }
    if width != 0 && cells.len() != width {
        return Err(Stop::Bad("another number of values than columns"));
    }
    Ok(())
}

/// `name = value` or `name IS NULL`.
fn equality<'a>(lexer: &mut Lexer<'a>) -> Result<(String, Cell<'a>), Stop> {
    let name = lexer.next()?.name().ok_or(Stop::Bad("the name of a column should stand here"))?;
    let sign = lexer.next()?;
    if sign.is("IS") {
        keyword(lexer, "NULL", "only NULL can follow IS")?;
        return Ok((name.to_ascii_lowercase(), Cell::Null));
    }
    if sign != Token::Sign(b'=') {
        return Err(Stop::Bad("an equals sign should follow the name of a column; no other comparison is read"));
    }
    if lexer.ahead()? == Token::Sign(b'=') {
        lexer.next()?;
    }
    Ok((name.to_ascii_lowercase(), literal(lexer)?))
}

/// `name = value AND name = value …` to the end of the statement.
fn equalities<'a>(lexer: &mut Lexer<'a>) -> Result<Equalities<'a>, Stop> {
    let mut list: Equalities<'a> = vec![];
    loop {
        let (name, value) = equality(lexer)?;
        if named(&list, &name).is_some() {
            return Err(Stop::Bad("one column is compared twice"));
        }
        list.push((name, value));
        if list.len() > MAX_COLUMNS {
            return Err(Stop::Bad("more columns than any table of the RDS has"));
        }
        match lexer.next()? {
            Token::Sign(b';') | Token::End => return Ok(list),
            word if word.is("AND") => {}
            _ => return Err(Stop::Bad("AND or a semicolon should follow; no other condition is read")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_as_sql_does() {
        for text in [
            "BEGIN TRANSACTION;",
            "-- delta\n/* x */ insert into FILE",
            "COMMIT;",
            "PRAGMA foreign_keys=OFF;",
            "DELETE FROM \"FILE\"",
            "CREATE TABLE x (y);",
            "select * from x",
        ] {
            assert!(looks_like(text.as_bytes()), "{text}");
        }
        for text in ["", "md5,sha1", "delete", "update,md5\n", "d41d8cd98f00b204e9800998ecf8427e  insert into", "'x'"] {
            assert!(!looks_like(text.as_bytes()), "{text}");
        }
    }
}
