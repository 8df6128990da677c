//! Tables with a header line: CSV in general (`,`, `;` or tab), ICSE exports, and NSRL RDS 2 text. The header's names
//! decide, whatever their case and punctuation; columns that a look-up has no need of, such as names, are passed over.

use avocet_base::{Md5, Sha1, Sha256};

use super::lines::Lines;
use super::plain::AnyDigest;
use super::{Input, Parsed, read_error};
use crate::error::KnownError;
use crate::intake::Intake;
use crate::record::{Flags, RawId, RawRecord, digest_field, flag_text, size_field};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Md5,
    Sha1,
    Sha256,
    /// A digest whose kind follows from its length.
    AnyDigest,
    Size,
    Category,
    Series,
    Id,
    Flag(Flags),
    Other,
}

/// What the header line says.
#[derive(Debug)]
pub(crate) struct Header {
    columns: Vec<Column>,
    delimiter: u8,
    /// Its line, from 1.
    line: u64,
    format: &'static str,
    id_label: &'static str,
}

/// A name without what people write differently.
fn plain_name(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

fn split(line: &[u8], delimiter: u8) -> Option<csv::ByteRecord> {
    let mut record = csv::ByteRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line);
    reader.read_byte_record(&mut record).ok()?.then_some(record)
}

impl Header {
    /// Reads a header line; `None` where the line is none, an error where it cannot be right.
    pub fn parse(line: &[u8], number: u64) -> Option<Result<Header, (&'static str, &'static str)>> {
        let is_digest = |name: &[u8]| {
            matches!(column(&plain_name(name)), Column::Md5 | Column::Sha1 | Column::Sha256 | Column::AnyDigest)
        };
        // The delimiter is the one that brings most digest columns to light, and then most columns.
        let (_, _, delimiter, fields) = [b',', b';', b'\t']
            .into_iter()
            .filter_map(|delimiter| {
                let fields = split(line, delimiter)?;
                let digests = fields.iter().filter(|f| is_digest(f)).count();
                (digests > 0).then(|| (digests, fields.len(), delimiter, fields))
            })
            .reduce(|best, next| if (next.0, next.1) > (best.0, best.1) { next } else { best })?;
        let names: Vec<Vec<u8>> = fields.iter().map(plain_name).collect();
        let has = |name: &[u8]| names.iter().any(|n| n == name);
        let icse = has(b"imageid") && has(b"baseline");
        let nsrl = has(b"crc32") && has(b"specialcode") && has(b"productcode");
        let mut columns: Vec<Column> = names
            .iter()
            .map(|name| match name.as_slice() {
                b"baseline" if icse => Column::Category,
                b"specialcode" if nsrl => Column::Category,
                b"category" | b"cat" if icse || nsrl => Column::Other,
                name => column(name),
            })
            .collect();
        if columns.iter().any(|c| matches!(c, Column::Md5 | Column::Sha1 | Column::Sha256)) {
            columns.iter_mut().filter(|c| **c == Column::AnyDigest).for_each(|c| *c = Column::Other);
        }
        let twice = |c: &Column| *c != Column::Other && columns.iter().filter(|d| *d == c).count() > 1;
        if columns.iter().any(twice) {
            return Some(Err((
                "its header line names one column twice (or two names for the same thing)",
                "rename or remove one of the two columns",
            )));
        }
        Some(Ok(Header {
            columns,
            delimiter,
            line: number,
            format: match (icse, nsrl) {
                (true, _) => "ICSE CSV",
                (_, true) => "NSRL RDS 2 text",
                _ => "CSV",
            },
            id_label: match (icse, has(b"mediaid")) {
                (true, _) => "Image ID",
                (_, true) => "MediaID",
                _ => "ID",
            },
        }))
    }
}

fn column(name: &[u8]) -> Column {
    match name {
        b"md5" | b"md5hash" | b"hashmd5" => Column::Md5,
        b"sha1" | b"sha1hash" | b"hashsha1" => Column::Sha1,
        b"sha256" | b"sha256hash" | b"hashsha256" => Column::Sha256,
        b"hash" | b"digest" | b"hashvalue" => Column::AnyDigest,
        b"size" | b"filesize" | b"mediasize" | b"sizebytes" | b"sizeinbytes" => Column::Size,
        b"category" | b"cat" => Column::Category,
        b"series" | b"seriesname" => Column::Series,
        b"id" | b"mediaid" | b"imageid" => Column::Id,
        b"victimidentified" => Column::Flag(Flags::VICTIM),
        b"offenderidentified" => Column::Flag(Flags::OFFENDER),
        b"isdistributed" | b"distributed" => Column::Flag(Flags::DISTRIBUTED),
        b"issuspected" | b"suspected" => Column::Flag(Flags::SUSPECTED),
        b"selfgenerated" => Column::Flag(Flags::SELF_GENERATED),
        _ => Column::Other,
    }
}

/// Whether a line holds a digest among other things.
pub(crate) fn has_digest_cell(line: &[u8]) -> bool {
    line.split(|b| matches!(b, b',' | b';' | b'\t' | b'"' | b' ' | b'|')).any(|cell| AnyDigest::parse(cell).is_some())
}

pub(crate) fn read(input: &mut Input<'_>, header: &Header, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("line");
    let mut lines = Lines::new(&mut *input);
    for _ in 0..header.line {
        lines.next().map_err(|e| read_error(intake, &e))?;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(header.delimiter)
        // Left to itself the reader ends a record at the first byte of CR LF and then counts lines one short. The CR that
        // stays on the last field is trimmed with the blanks.
        .terminator(csv::Terminator::Any(b'\n'))
        .buffer_capacity(256 * 1024)
        .from_reader(input);
    let mut row = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut row) {
            Ok(true) => {}
            Ok(false) => break,
            Err(e) => return Err(csv_error(intake, e)),
        }
        let place = header.line + row.position().map_or(0, csv::Position::line);
        if swallowed_records(&row) {
            return Err(intake.malformed(
                header.format,
                format!("line {place}"),
                "a quotation mark is not closed, so that later records are taken for part of this one".to_owned(),
                "correct that line, or export the set again",
            ));
        }
        if row.iter().all(|field| field.trim_ascii().is_empty()) {
            intake.passed_over();
            continue;
        }
        let trailing = row.len() == header.columns.len() + 1
            && row.iter().next_back().is_some_and(|field| field.trim_ascii().is_empty());
        if row.len() != header.columns.len() && !trailing {
            intake.reject("another number of fields than the header line", place);
            continue;
        }
        add_row(&row, header, place, intake)?;
    }
    Ok(Parsed { id_label: header.id_label, ..Parsed::new(header.format) })
}

/// Whether a field runs over several lines of which a later one holds a digest: then that line was meant as a record.
fn swallowed_records(row: &csv::ByteRecord) -> bool {
    row.as_slice().contains(&b'\n') && row.iter().any(|field| field.split(|b| *b == b'\n').skip(1).any(has_digest_cell))
}

fn add_row(row: &csv::ByteRecord, header: &Header, place: u64, intake: &mut Intake<'_>) -> Result<(), KnownError> {
    let mut record = RawRecord { place, ..RawRecord::default() };
    let (mut category, mut series, mut id) = (None, None, None);
    for (column, field) in header.columns.iter().zip(row) {
        match column {
            Column::Md5 => record.md5 = digest_field::<Md5>(field),
            Column::Sha1 => record.sha1 = digest_field::<Sha1>(field),
            Column::Sha256 => record.sha256 = digest_field::<Sha256>(field),
            Column::AnyDigest => {
                if let Some(digest) = AnyDigest::parse(field.trim_ascii()) {
                    digest.put(&mut record);
                }
            }
            Column::Size => record.size = size_field(field),
            Column::Category => category = text(field),
            Column::Series => series = text(field),
            Column::Id => id = text(field),
            Column::Flag(flag) => match flag_text(&String::from_utf8_lossy(field)) {
                Some(on) => record.flags.set(*flag, on),
                None => intake.note("a flag that is neither yes nor no; taken as no", place),
            },
            Column::Other => {}
        }
    }
    record.category = category.as_deref();
    record.series = series.as_deref();
    record.id = id.as_deref().map_or(RawId::None, RawId::of_text);
    intake.add(&record)
}

fn text(field: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let field = field.trim_ascii();
    (!field.is_empty()).then(|| String::from_utf8_lossy(field))
}

fn csv_error(intake: &Intake<'_>, error: csv::Error) -> KnownError {
    let place = error.position().map_or_else(|| "unknown line".to_owned(), |p| format!("line {}", p.line()));
    match error.into_kind() {
        csv::ErrorKind::Io(e) => read_error(intake, &e),
        other => intake.malformed("CSV", place, format!("{other:?}"), "export the set again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(line: &str) -> (Vec<Column>, u8, &'static str) {
        let header = Header::parse(line.as_bytes(), 1).unwrap().unwrap();
        (header.columns, header.delimiter, header.format)
    }

    #[test]
    fn names_are_read_in_any_spelling_and_with_any_delimiter() {
        use Column as C;
        assert_eq!(columns("MD5,Sha-1,SHA_256"), (vec![C::Md5, C::Sha1, C::Sha256], b',', "CSV"));
        assert_eq!(columns("Name;\"md 5\";File Size"), (vec![C::Other, C::Md5, C::Size], b';', "CSV"));
        assert_eq!(columns("a,b\tsha1\tcategory"), (vec![C::Other, C::Sha1, C::Category], b'\t', "CSV"));
        assert_eq!(columns("hash").0, [C::AnyDigest]);
        assert_eq!(columns("hash,md5").0, [C::Other, C::Md5]);
        let nsrl = r#""SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode""#;
        let (found, _, format) = columns(nsrl);
        assert_eq!(found, [C::Sha1, C::Md5, C::Other, C::Other, C::Size, C::Other, C::Other, C::Category]);
        assert_eq!(format, "NSRL RDS 2 text");
    }

    #[test]
    fn what_is_no_header_is_not_taken_for_one() {
        for line in ["name,size", "d41d8cd98f00b204e9800998ecf8427f", "MD5 (a) = d41d8cd98f00b204e9800998ecf8427f", ""]
        {
            assert!(Header::parse(line.as_bytes(), 1).is_none(), "{line}");
        }
        assert!(Header::parse(b"md5,MD-5", 1).unwrap().is_err());
        assert!(Header::parse(b"md5,size,filesize", 1).unwrap().is_err());
    }
}
