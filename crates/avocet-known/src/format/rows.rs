//! The rows of a table with a header line. A row without a quotation mark is split where it lies; any other is read by
//! `csv-core`, which knows all that programs do with quotation marks.

use avocet_base::{Md5, PdqHash, Sha1, Sha256};
use csv_core::ReadRecordResult;
use memchr::{memchr, memchr2};

use super::delimited::{Column, Header, has_digest_cell};
use super::extra::{Extra, REPLACED};
use super::input::{Input, MAX_RECORD, Short};
use super::lines::Lines;
use super::plain::AnyDigest;
use super::{Parsed, photodna};
use crate::error::KnownError;
use crate::intake::Intake;
use crate::record::{Field, Flags, RawId, RawRecord, digest_field, flag_text, size_field};

/// Fields of a row with quotation marks, used again for every such row.
pub(super) struct Quoted {
    reader: csv_core::Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
    fields: usize,
}

impl Quoted {
    pub fn new(delimiter: u8) -> Quoted {
        // Left to itself the reader ends a record at the first byte of CR LF. The CR that stays on the last field is trimmed
        // with the blanks.
        let reader =
            csv_core::ReaderBuilder::new().delimiter(delimiter).terminator(csv_core::Terminator::Any(b'\n')).build();
        Quoted { reader, text: vec![0; 4096], ends: vec![0; 64], fields: 0 }
    }

    /// Reads the row at the beginning of `data`: how many bytes it takes, or `None` where it does not end there.
    pub fn read(&mut self, data: &[u8], ended: bool) -> Option<usize> {
        self.reader.reset();
        let (mut input, mut used, mut text, mut ends) = (data, 0, 0, 0);
        loop {
            let (result, read, wrote, fields) = self.reader.read_record(
                input,
                self.text.get_mut(text..).unwrap_or_default(),
                self.ends.get_mut(ends..).unwrap_or_default(),
            );
            used += read;
            text += wrote;
            ends += fields;
            input = input.get(read..).unwrap_or_default();
            match result {
                ReadRecordResult::InputEmpty if !ended => return None,
                // An empty input tells the reader that the file ends.
                ReadRecordResult::InputEmpty => input = &[],
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record | ReadRecordResult::End => {
                    self.fields = ends;
                    return Some(used);
                }
            }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().take(self.fields).map(move |end| {
            let field = self.text.get(start..*end).unwrap_or_default();
            start = *end;
            field
        })
    }
}

/// Fields of a row without quotation marks.
struct Plain<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Iterator for Plain<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        match memchr(self.delimiter, rest) {
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at)
            }
            None => self.rest.take(),
        }
    }
}

/// What is used again for every row.
#[derive(Default)]
struct Scratch {
    extra: Extra,
    photodna: Vec<u8>,
    category: String,
    series: String,
    id: String,
}

/// A row as it lies in the buffer.
enum Row {
    End,
    /// Bytes up to the end of the line, and with it.
    Plain(usize, usize),
    /// Bytes of a row that is in `Quoted` now.
    Quoted(usize),
}

pub(crate) fn read(input: &mut Input, header: &Header, intake: &mut Intake<'_>) -> Result<Parsed, KnownError> {
    intake.count_by("line");
    let mut quoted = Quoted::new(header.delimiter);
    let mut scratch = Scratch::default();
    let mut line = 1 + header.line;
    {
        let mut lines = Lines::new(input);
        for _ in 0..header.line {
            let at = lines.offset();
            lines.next().map_err(|e| e.error(intake, at))?;
        }
    }
    loop {
        let row = next_row(input, &mut quoted).map_err(|e| e.error(intake, input.offset()))?;
        let at = (line, input.offset());
        match row {
            Row::End => break,
            Row::Plain(length, used) => {
                let text = input.data().get(..length).unwrap_or_default();
                if !text.trim_ascii().is_empty() {
                    let fields = Plain { rest: Some(text), delimiter: header.delimiter };
                    take(fields, header, at, &mut scratch, intake)?;
                }
                input.consume(used);
                line += 1;
            }
            Row::Quoted(used) => {
                let text = input.data().get(..used).unwrap_or_default();
                if swallowed_records(&quoted) {
                    return Err(intake.malformed(
                        header.format,
                        format!("line {line}, byte {}", at.1),
                        "a quotation mark is not closed, so that later records are taken for part of this one"
                            .to_owned(),
                        "correct that line, or export the set again",
                    ));
                }
                if quoted.iter().any(|field| !field.trim_ascii().is_empty()) {
                    take(quoted.iter(), header, at, &mut scratch, intake)?;
                }
                line += memchr::memchr_iter(b'\n', text).count() as u64;
                input.consume(used);
            }
        }
    }
    Ok(Parsed { id_label: header.id_label, ..Parsed::new(header.format) })
}

fn next_row(input: &mut Input, quoted: &mut Quoted) -> Result<Row, Short> {
    let mut looked = 0;
    loop {
        let data = input.data();
        match memchr2(b'\n', b'"', data.get(looked..).unwrap_or_default()).map(|at| looked + at) {
            Some(at) if data.get(at) == Some(&b'\n') => return Ok(Row::Plain(at, at + 1)),
            Some(_) => loop {
                if let Some(used) = quoted.read(input.data(), input.ended()) {
                    return Ok(Row::Quoted(used));
                }
                input.more()?;
            },
            None => {
                looked = data.len();
                if looked > MAX_RECORD {
                    return Err(Short::TooLong);
                }
                if !input.more()? {
                    return Ok(if looked == 0 { Row::End } else { Row::Plain(looked, looked) });
                }
            }
        }
    }
}

/// Whether a field runs over several lines of which a later one holds a digest: then that line was meant as a record.
fn swallowed_records(row: &Quoted) -> bool {
    row.iter().any(|field| field.contains(&b'\n') && field.split(|b| *b == b'\n').skip(1).any(has_digest_cell))
}

/// Text without the blanks around it, in a buffer that is used again. Whether anything had to be replaced.
fn put_text(to: &mut String, field: &[u8]) -> bool {
    to.clear();
    match std::str::from_utf8(field.trim_ascii()) {
        Ok(text) => to.push_str(text),
        Err(_) => to.push_str(&String::from_utf8_lossy(field.trim_ascii())),
    }
    std::str::from_utf8(field).is_err()
}

fn take<'f>(
    fields: impl Iterator<Item = &'f [u8]>,
    header: &Header,
    (place, offset): (u64, u64),
    scratch: &mut Scratch,
    intake: &mut Intake<'_>,
) -> Result<(), KnownError> {
    let Scratch { extra, photodna: photo, category, series, id } = scratch;
    extra.clear();
    photo.clear();
    [&mut *category, series, id].into_iter().for_each(String::clear);
    let mut record = RawRecord { place, offset, ..RawRecord::default() };
    let (mut odd_flag, mut odd_photodna, mut odd_pdq, mut replaced) = (false, false, false, false);
    let mut columns = header.columns.iter().zip(&header.names);
    let mut too_many = 0;
    for field in fields {
        let Some((column, name)) = columns.next() else {
            // Some programs end every row with a delimiter.
            too_many += if field.trim_ascii().is_empty() && too_many == 0 { 1 } else { 2 };
            continue;
        };
        let good = match column {
            Column::Md5 => set(&mut record.md5, digest_field::<Md5>(field)),
            Column::Sha1 => set(&mut record.sha1, digest_field::<Sha1>(field)),
            Column::Sha256 => set(&mut record.sha256, digest_field::<Sha256>(field)),
            Column::AnyDigest => match AnyDigest::parse(field.trim_ascii()) {
                Some(digest) => {
                    digest.put(&mut record);
                    true
                }
                None => false,
            },
            Column::Pdq => {
                let good = set(&mut record.pdq, digest_field::<PdqHash>(field));
                odd_pdq |= !good;
                good
            }
            Column::PhotoDna => {
                let good = field.trim_ascii().is_empty() || photodna::decode(field, photo);
                odd_photodna |= !good;
                good
            }
            Column::Size => set(&mut record.size, size_field(field)),
            Column::Category => {
                replaced |= put_text(category, field);
                true
            }
            Column::Series => {
                replaced |= put_text(series, field);
                true
            }
            Column::Id => {
                replaced |= put_text(id, field);
                true
            }
            Column::Flag(flag) => match std::str::from_utf8(field).ok().and_then(flag_text) {
                Some(on) => {
                    record.flags.set(*flag, on);
                    true
                }
                None => {
                    odd_flag = true;
                    false
                }
            },
            Column::Flags => {
                let good = Flags::of_words(field).is_some_and(|flags| {
                    record.flags = flags;
                    true
                });
                odd_flag |= !good;
                good
            }
            Column::Further => extra.members(field.trim_ascii()),
            Column::Other(_) => false,
        };
        if !good && !field.trim_ascii().is_empty() {
            // The CR of the line's end is no part of the last field.
            extra.text(name, field.strip_suffix(b"\r").unwrap_or(field));
        }
    }
    if columns.next().is_some() || too_many > 1 {
        intake.reject("another number of fields than the header line", place);
        return Ok(());
    }
    let (extra, replaced_there) = extra.finish();
    for (on, note) in [
        (odd_flag, "a flag that is neither yes nor no; taken as no, and kept as it stands"),
        (odd_photodna, "a PhotoDNA value that is not of 144 bytes or several such; kept as it stands"),
        (odd_pdq, "a PDQ value that is not 64 hexadecimal digits; kept as it stands"),
        (replaced || replaced_there, REPLACED),
    ] {
        if on {
            intake.note(note, place);
        }
    }
    let stated = |text: &'_ String| !text.is_empty();
    record.category = Some(&**category).filter(|_| stated(category));
    record.series = Some(&**series).filter(|_| stated(series));
    record.id = RawId::of_text(id);
    record.photodna = photo;
    record.extra = extra;
    intake.add(&record)
}

/// Puts a field's value in its place; false where it is none.
fn set<T>(to: &mut Field<T>, value: Field<T>) -> bool {
    let good = !matches!(value, Field::Bad);
    *to = value;
    good
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `csv`, the usual reader, splits the same.
    #[test]
    fn quoted_rows_are_split_as_the_usual_reader_splits_them() {
        for text in [
            "a,\"b\"\"c\",d\n",
            "\"a,b\",\"\",\"x\ny\"\n",
            "a\"b,\"c\"d,e\n",
            "\"a\" ,b\n",
            "\"\"\"\"\n",
            "\"open,b\n",
            ",\"\",\n",
        ] {
            let mut reader = csv::ReaderBuilder::new();
            let mut reader = reader
                .has_headers(false)
                .flexible(true)
                .terminator(csv::Terminator::Any(b'\n'))
                .from_reader(text.as_bytes());
            let wanted = reader.byte_records().next().unwrap().unwrap();
            let mut quoted = Quoted::new(b',');
            assert_eq!(quoted.read(text.as_bytes(), true), Some(text.len()), "{text}");
            assert_eq!(quoted.iter().collect::<Vec<_>>(), wanted.iter().collect::<Vec<_>>(), "{text}");
        }
        let mut quoted = Quoted::new(b',');
        assert_eq!(quoted.read(b"\"a,b\nc", false), None);
        let long = format!("\"{}\",{}\n", "x".repeat(20_000), ",".repeat(300));
        assert_eq!(quoted.read(long.as_bytes(), true), Some(long.len()));
        assert_eq!(quoted.iter().map(<[u8]>::len).collect::<Vec<_>>()[..3], [20_000, 0, 0]);
        assert_eq!(quoted.iter().count(), 302);
    }

    #[test]
    fn plain_rows_are_split_at_every_delimiter() {
        for text in ["", "a", "a;b", ";", ";;x", "a,b;c"] {
            let fields = Plain { rest: Some(text.as_bytes()), delimiter: b';' };
            assert_eq!(fields.collect::<Vec<_>>(), text.split(';').map(str::as_bytes).collect::<Vec<_>>());
        }
    }
}
