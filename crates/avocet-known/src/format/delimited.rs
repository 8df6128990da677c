//! The header line of a table: CSV in general (`,`, `;` or tab), ICSE exports, HashKeeper and NSRL RDS 2 text. The
//! header's names decide, whatever their case and punctuation; columns that are not modelled are kept under their names.

use super::ListKind;
use super::plain::AnyDigest;
use crate::record::Flags;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    Md5,
    Sha1,
    Sha256,
    /// A digest whose kind follows from its length.
    AnyDigest,
    Pdq,
    PhotoDna,
    Size,
    Category,
    Series,
    Id,
    Flag(Flags),
    /// All flags in words, as `avocet sets export` writes them.
    Flags,
    /// What is kept beside the other columns, as `avocet sets export` writes it: one JSON object.
    Further,
    /// Kept under this name.
    Other(String),
}

impl Column {
    fn is_digest(&self) -> bool {
        matches!(self, Column::Md5 | Column::Sha1 | Column::Sha256 | Column::AnyDigest)
    }

    fn is_modelled(&self) -> bool {
        !matches!(self, Column::Other(_))
    }
}

/// What the header line says.
#[derive(Debug)]
pub(crate) struct Header {
    pub columns: Vec<Column>,
    /// The columns' names as they stand.
    pub names: Vec<String>,
    pub delimiter: u8,
    /// Its line, from 1.
    pub line: u64,
    pub format: &'static str,
    pub id_label: &'static str,
}

/// Why a header line cannot be used: what was found, and what to do.
type Refusal = (&'static str, &'static str);

/// A name without what people write differently.
fn plain_name(name: &[u8]) -> Vec<u8> {
    name.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// Splits one line, quoted or not; `None` where a quotation mark is not closed.
fn split(line: &[u8], delimiter: u8) -> Option<Vec<Vec<u8>>> {
    let mut fields = super::rows::Quoted::new(delimiter);
    let line = [line, b"\n"].concat();
    fields.read(&line, true)?;
    Some(fields.iter().map(<[u8]>::to_vec).collect())
}

impl Header {
    /// Reads a header line; `None` where the line is none, an error where it cannot be right.
    pub fn parse(line: &[u8], number: u64, list: Option<ListKind>) -> Option<Result<Header, Refusal>> {
        let names_hash = |name: &[u8]| {
            let column = column(&plain_name(name));
            column.is_digest() || column == Column::Pdq
        };
        // The delimiter is the one that brings most digest columns to light, and then most columns.
        let (_, _, delimiter, fields) = [b',', b';', b'\t']
            .into_iter()
            .filter_map(|delimiter| {
                let fields = split(line, delimiter)?;
                let digests = fields.iter().filter(|f| names_hash(f)).count();
                (digests > 0).then_some((digests, fields.len(), delimiter, fields))
            })
            .reduce(|best, next| if (next.0, next.1) > (best.0, best.1) { next } else { best })?;
        let names: Vec<Vec<u8>> = fields.iter().map(|f| plain_name(f)).collect();
        let has = |name: &[u8]| names.iter().any(|n| n == name);
        let icse = has(b"imageid") && has(b"baseline");
        let nsrl = has(b"crc32") && has(b"specialcode") && has(b"productcode");
        let hash_keeper = has(b"fileid") && has(b"hashsetid") && has(b"hash");
        let own = has(b"flags") && has(b"further") && has(b"photodna");
        let mut columns: Vec<Column> = names
            .iter()
            .map(|name| match name.as_slice() {
                b"baseline" if icse => Column::Category,
                b"specialcode" if nsrl => Column::Category,
                b"category" | b"cat" if icse || nsrl => Column::Other(String::new()),
                b"fileid" if hash_keeper => Column::Id,
                b"flags" if own => Column::Flags,
                b"further" if own => Column::Further,
                name => column(name),
            })
            .collect();
        if columns.iter().any(|c| matches!(c, Column::Md5 | Column::Sha1 | Column::Sha256)) {
            columns.iter_mut().filter(|c| **c == Column::AnyDigest).for_each(|c| *c = Column::Other(String::new()));
        } else if list == Some(ListKind::Pdq) {
            columns.iter_mut().filter(|c| **c == Column::AnyDigest).for_each(|c| *c = Column::Pdq);
        } else if has(b"quality") && columns.contains(&Column::AnyDigest) {
            return Some(Err(AMBIGUOUS_COLUMN));
        }
        let twice = |c: &Column| c.is_modelled() && columns.iter().filter(|d| *d == c).count() > 1;
        if columns.iter().any(twice) {
            return Some(Err((
                "its header line names one column twice (or two names for the same thing)",
                "rename or remove one of the two columns",
            )));
        }
        let names = own_names(&fields);
        for (column, name) in columns.iter_mut().zip(&names) {
            if let Column::Other(own) = column {
                own.clone_from(name);
            }
        }
        let pdq_only = columns.contains(&Column::Pdq) && !columns.iter().any(Column::is_digest);
        Some(Ok(Header {
            columns,
            names,
            delimiter,
            line: number,
            format: match (icse, nsrl, hash_keeper) {
                (true, ..) => "ICSE CSV",
                (_, true, _) => "NSRL RDS 2 text",
                (_, _, true) => "HashKeeper CSV",
                _ if pdq_only => "PDQ list",
                _ => "CSV",
            },
            id_label: match (icse, has(b"mediaid"), hash_keeper) {
                (true, ..) => "Image ID",
                (_, true, _) => "MediaID",
                (_, _, true) => "file_id",
                _ => "ID",
            },
        }))
    }
}

const AMBIGUOUS_COLUMN: Refusal = (
    "its column of hashes stands beside one named quality, as PDQ hashes do, but does not say whether it holds PDQ or SHA-256",
    "rename the column to pdq or sha256",
);

/// The columns' names as they stand, each only once.
fn own_names(fields: &[Vec<u8>]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for (number, field) in fields.iter().enumerate() {
        let own = match String::from_utf8_lossy(field.trim_ascii()) {
            name if name.is_empty() => format!("column {}", number + 1),
            name => name.into_owned(),
        };
        let mut name = own.clone();
        let mut again = 2;
        while names.contains(&name) {
            name = format!("{own} ({again})");
            again += 1;
        }
        names.push(name);
    }
    names
}

fn column(name: &[u8]) -> Column {
    match name {
        b"md5" | b"md5hash" | b"hashmd5" => Column::Md5,
        b"sha1" | b"sha1hash" | b"hashsha1" => Column::Sha1,
        b"sha256" | b"sha256hash" | b"hashsha256" => Column::Sha256,
        b"hash" | b"digest" | b"hashvalue" => Column::AnyDigest,
        b"pdq" | b"pdqhash" | b"hashpdq" => Column::Pdq,
        b"photodna" => Column::PhotoDna,
        b"size" | b"filesize" | b"mediasize" | b"sizebytes" | b"sizeinbytes" => Column::Size,
        b"category" | b"cat" => Column::Category,
        b"series" | b"seriesname" => Column::Series,
        b"id" | b"mediaid" | b"imageid" => Column::Id,
        b"victimidentified" => Column::Flag(Flags::VICTIM),
        b"offenderidentified" => Column::Flag(Flags::OFFENDER),
        b"isdistributed" | b"distributed" => Column::Flag(Flags::DISTRIBUTED),
        b"issuspected" | b"suspected" => Column::Flag(Flags::SUSPECTED),
        b"selfgenerated" => Column::Flag(Flags::SELF_GENERATED),
        _ => Column::Other(String::new()),
    }
}

/// Whether a line holds a digest among other things.
pub(crate) fn has_digest_cell(line: &[u8]) -> bool {
    line.split(|b| matches!(b, b',' | b';' | b'\t' | b'"' | b' ' | b'|')).any(|cell| AnyDigest::parse(cell).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(line: &str) -> (Vec<Column>, u8, &'static str) {
        let header = Header::parse(line.as_bytes(), 1, None).unwrap().unwrap();
        (header.columns, header.delimiter, header.format)
    }

    fn other(name: &str) -> Column {
        Column::Other(name.to_owned())
    }

    #[test]
    fn names_are_read_in_any_spelling_and_with_any_delimiter() {
        use Column as C;
        assert_eq!(columns("MD5,Sha-1,SHA_256"), (vec![C::Md5, C::Sha1, C::Sha256], b',', "CSV"));
        assert_eq!(columns("Name;\"md 5\";File Size"), (vec![other("Name"), C::Md5, C::Size], b';', "CSV"));
        assert_eq!(columns("a,b\tsha1\tcategory"), (vec![other("a,b"), C::Sha1, C::Category], b'\t', "CSV"));
        assert_eq!(columns("hash").0, [C::AnyDigest]);
        assert_eq!(columns("hash,md5").0, [other("hash"), C::Md5]);
        assert_eq!(columns("x,md5,x,,x").0, [other("x"), C::Md5, other("x (2)"), other("column 4"), other("x (3)")]);
        let nsrl = r#""SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode""#;
        let (found, _, format) = columns(nsrl);
        let [crc, name, product, system] = ["CRC32", "FileName", "ProductCode", "OpSystemCode"].map(other);
        assert_eq!(found, [C::Sha1, C::Md5, crc, name, C::Size, product, system, C::Category]);
        assert_eq!(format, "NSRL RDS 2 text");
    }

    #[test]
    fn hashes_are_pdq_only_where_something_says_so() {
        use Column as C;
        assert_eq!(columns("pdq"), (vec![C::Pdq], b',', "PDQ list"));
        assert_eq!(columns("PDQ Hash;quality").0, [C::Pdq, other("quality")]);
        assert_eq!(columns("md5,pdq").2, "CSV");
        let named = Header::parse(b"hash,quality,name", 1, Some(ListKind::Pdq)).unwrap().unwrap();
        assert_eq!((named.columns.first(), named.format), (Some(&C::Pdq), "PDQ list"));
        assert_eq!(Header::parse(b"hash,quality,name", 1, None).unwrap().unwrap_err(), AMBIGUOUS_COLUMN);
    }

    #[test]
    fn what_is_no_header_is_not_taken_for_one() {
        for line in ["name,size", "d41d8cd98f00b204e9800998ecf8427f", "MD5 (a) = d41d8cd98f00b204e9800998ecf8427f", ""]
        {
            assert!(Header::parse(line.as_bytes(), 1, None).is_none(), "{line}");
        }
        assert!(Header::parse(b"md5,MD-5", 1, None).unwrap().is_err());
        assert!(Header::parse(b"md5,size,filesize", 1, None).unwrap().is_err());
    }
}
