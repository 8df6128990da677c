//! hashdeep's own format (hashdeep manual): `%%%% HASHDEEP-1.0`, a line `%%%% size,md5,…,filename` that names the
//! columns, comment lines that begin with `#`, then one line a file. The name is not quoted and may hold commas.

use super::lines::{Line, Lines};
use super::{Input, Parsed, is_blank_or_comment, read_error};
use crate::error::{KnownError, shown};
use crate::intake::Intake;
use crate::record::{RawRecord, digest_field, size_field};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Size,
    Md5,
    Sha1,
    Sha256,
    Name,
    Other,
}

const FORMAT: &str = "hashdeep";

/// The text after `%%%%`, where a line begins so.
fn header_text(line: &[u8]) -> Option<&[u8]> {
    line.trim_ascii().strip_prefix(b"%%%%").map(<[u8]>::trim_ascii)
}

fn columns(line: &[u8]) -> Vec<Column> {
    line.split(|b| *b == b',')
        .map(|name| match name.trim_ascii().to_ascii_lowercase().as_slice() {
            b"size" => Column::Size,
            b"md5" => Column::Md5,
            b"sha1" => Column::Sha1,
            b"sha256" => Column::Sha256,
            b"filename" => Column::Name,
            _ => Column::Other,
        })
        .collect()
}

pub(crate) fn read(input: &mut Input<'_>, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("line");
    let mut lines = Lines::new(input);
    let mut version = false;
    let mut header: Option<Vec<Column>> = None;
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(e) => return Err(read_error(intake, &e)),
        };
        let (place, text) = match line {
            Line::TooLong(place) => {
                intake.reject("line longer than 64 KiB", place);
                continue;
            }
            Line::Text(place, text) => (place, text),
        };
        if let Some(head) = header_text(text) {
            let at = format!("line {place}");
            if head.to_ascii_uppercase().starts_with(b"HASHDEEP") {
                if !head.eq_ignore_ascii_case(b"HASHDEEP-1.0") {
                    let reason = format!("its version is `{}`", shown(&String::from_utf8_lossy(head)));
                    return Err(intake.malformed(FORMAT, at, reason, "version 1.0 is read; write it with hashdeep 4"));
                }
                version = true;
            } else {
                let found = columns(head);
                if !found.iter().any(|c| matches!(c, Column::Md5 | Column::Sha1 | Column::Sha256)) {
                    let reason = "no column is md5, sha1 or sha256".to_owned();
                    return Err(intake.malformed(FORMAT, at, reason, "write it again with `hashdeep -c md5,sha256`"));
                }
                header = Some(found);
            }
            continue;
        }
        if is_blank_or_comment(text) {
            intake.passed_over();
            continue;
        }
        let Some(columns) = header.as_deref().filter(|_| version) else {
            let reason = "a record stands before both lines that begin with %%%%".to_owned();
            return Err(intake.malformed(
                FORMAT,
                format!("line {place}"),
                reason,
                "copy the file again with its first lines",
            ));
        };
        match record(text, columns, place) {
            Some(record) => intake.add(&record)?,
            None => intake.reject("fewer fields than the header names", place),
        }
    }
    Ok(Parsed::new("hashdeep 1.0"))
}

/// Splits a line: the fields before the name are taken from the left, those after it from the right.
fn record(line: &[u8], columns: &[Column], place: u64) -> Option<RawRecord<'static>> {
    let name = columns.iter().position(|c| *c == Column::Name).unwrap_or(columns.len());
    let mut record = RawRecord { place, ..RawRecord::default() };
    let mut put = |column: &Column, field: &[u8]| match column {
        Column::Size => record.size = size_field(field),
        Column::Md5 => record.md5 = digest_field(field),
        Column::Sha1 => record.sha1 = digest_field(field),
        Column::Sha256 => record.sha256 = digest_field(field),
        Column::Name | Column::Other => {}
    };
    let mut rest = line;
    let mut left = columns.iter().take(name).peekable();
    while let Some(column) = left.next() {
        let last = left.peek().is_none() && name >= columns.len();
        let (field, after) = match rest.iter().position(|b| *b == b',') {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
            None if last => (rest, &b""[..]),
            None => return None,
        };
        put(column, field);
        rest = after;
    }
    for column in columns.iter().skip(name + 1).rev() {
        let at = rest.iter().rposition(|b| *b == b',')?;
        put(column, rest.get(at + 1..)?);
        rest = rest.get(..at)?;
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Field;

    #[test]
    fn the_name_may_hold_commas_wherever_its_column_is() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427f";
        let wanted = Field::Is(md5.parse().unwrap());
        for (head, line) in [
            ("size,md5,filename", format!("12,{md5},/a,b,c.jpg")),
            ("filename,md5,size", format!("/a,b,c.jpg,{md5},12")),
            ("md5,filename,size", format!("{md5},/a,b,c.jpg,12")),
            ("size,tiger,md5", format!("12,abc,{md5}")),
        ] {
            let record = record(line.as_bytes(), &columns(head.as_bytes()), 1).unwrap();
            assert_eq!((record.md5, record.size), (wanted, Field::Is(12)), "{head}");
        }
        assert!(record(b"12", &columns(b"size,md5,filename"), 1).is_none());
        assert!(record(b"a,12", &columns(b"filename,md5,size"), 1).is_none());
    }
}
