//! hashdeep's own format (hashdeep manual): `%%%% HASHDEEP-1.0`, a line `%%%% size,md5,…,filename` that names the
//! columns, comment lines that begin with `#`, then one line a file. The name is not quoted and may hold commas.

use super::extra::{Extra, REPLACED};
use super::input::Input;
use super::lines::{Line, Lines};
use super::{Parsed, is_blank_or_comment};
use crate::error::{KnownError, shown};
use crate::intake::Intake;
use crate::record::{Field, RawRecord, digest_field, size_field};

#[derive(Debug, Clone, PartialEq, Eq)]
enum Column {
    Size,
    Md5,
    Sha1,
    Sha256,
    /// The file's name, which is not quoted.
    Name,
    /// A digest of another kind, kept under its name.
    Other(String),
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
            other => Column::Other(String::from_utf8_lossy(other).into_owned()),
        })
        .collect()
}

pub(crate) fn read(input: &mut Input, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("line");
    let mut lines = Lines::new(input);
    let mut extra = Extra::default();
    let mut version = false;
    let mut header: Option<Vec<Column>> = None;
    loop {
        let begins = lines.offset();
        let Some(Line { number: place, offset, text }) = lines.next().map_err(|e| e.error(intake, begins))? else {
            break;
        };
        let Some(text) = text else {
            intake.reject("line longer than 64 KiB", place);
            continue;
        };
        if let Some(head) = header_text(text) {
            let at = format!("line {place}, byte {offset}");
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
            continue;
        }
        let Some(columns) = header.as_deref().filter(|_| version) else {
            let reason = "a record stands before both lines that begin with %%%%".to_owned();
            return Err(intake.malformed(
                FORMAT,
                format!("line {place}, byte {offset}"),
                reason,
                "copy the file again with its first lines",
            ));
        };
        extra.clear();
        let Some(record) = record(text, columns, &mut extra) else {
            intake.reject("fewer fields than the header names", place);
            continue;
        };
        let (extra, replaced) = extra.finish();
        if replaced {
            intake.note(REPLACED, place);
        }
        intake.add(&RawRecord { place, offset, extra, ..record })?;
    }
    Ok(Parsed::new("hashdeep 1.0"))
}

/// Splits a line: the fields before the name are taken from the left, those after it from the right.
fn record(line: &[u8], columns: &[Column], extra: &mut Extra) -> Option<RawRecord<'static>> {
    let name = columns.iter().position(|c| *c == Column::Name).unwrap_or(columns.len());
    let mut record = RawRecord::default();
    let mut put = |column: &Column, field: &[u8]| {
        let (odd, own) = match column {
            Column::Size => (set(&mut record.size, size_field(field)), "size"),
            Column::Md5 => (set(&mut record.md5, digest_field(field)), "md5"),
            Column::Sha1 => (set(&mut record.sha1, digest_field(field)), "sha1"),
            Column::Sha256 => (set(&mut record.sha256, digest_field(field)), "sha256"),
            Column::Name => (true, "filename"),
            Column::Other(own) => (true, own.as_str()),
        };
        if odd && !field.is_empty() {
            extra.text(own, field);
        }
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
    if name < columns.len() {
        put(&Column::Name, rest);
    }
    Some(record)
}

/// Puts a field's value in its place; true where it is none and has to be kept as it stands.
fn set<T>(to: &mut Field<T>, value: Field<T>) -> bool {
    let odd = matches!(value, Field::Bad);
    *to = value;
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut extra = Extra::default();
            let record = record(line.as_bytes(), &columns(head.as_bytes()), &mut extra).unwrap();
            assert_eq!((record.md5, record.size), (wanted, Field::Is(12)), "{head}");
            let kept = if head.contains("tiger") { "{\"tiger\":\"abc\"}" } else { "{\"filename\":\"/a,b,c.jpg\"}" };
            assert_eq!(extra.finish().0, kept, "{head}");
        }
        let mut extra = Extra::default();
        assert!(record(b"12", &columns(b"size,md5,filename"), &mut extra).is_none());
        assert!(record(b"a,12", &columns(b"filename,md5,size"), &mut extra).is_none());
    }
}
