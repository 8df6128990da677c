//! Reads a set's file, whatever its name: what it is follows from its content.

mod delimited;
mod extra;
mod hashdeep;
mod input;
mod json;
mod lines;
mod parts;
mod pdq;
mod photodna;
mod plain;
mod rds;
mod records;
mod rows;
mod vics;

use std::fs::File;
use std::path::Path;

use avocet_base::Sha256;

pub use self::parts::check_parts;
pub(crate) use self::records::read_vics;
pub use self::records::{ReadSet, read_records};
pub(crate) use self::vics::{ALTERNATIVE_DIFFERS, TWICE, each_of};

use self::input::Input;
use crate::error::KnownError;
use crate::intake::Intake;

/// What the places of records count, in all formats.
const PLACES: [&str; 3] = ["line", "record", "row"];

/// Whether [`crate::Hit::record`] is a place (`line 4`, `row 7 of a.db`): what a record is called that its set gives no
/// name. A place is not the record's own. It is another when the set is updated or its list edited, so whoever compares
/// versions of a set goes by the digests instead.
pub fn names_place(record: &str) -> bool {
    let mut words = record.splitn(3, ' ');
    let label = words.next().is_some_and(|label| PLACES.contains(&label));
    let number = words.next().is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    label && number && words.next().is_none_or(|rest| rest.starts_with("of "))
}

/// Bytes at the beginning that decide what a file is.
const HEAD: usize = 64 * 1024;

/// What a list of 64 hexadecimal digits a line holds. Nothing in the digits tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// PDQ hashes of pictures.
    Pdq,
    /// SHA-256 digests of content.
    Sha256,
}

impl ListKind {
    /// What a file's name says: `pdq` or `sha256` as a word of its own or as its extension.
    pub fn of_name(path: &Path) -> Option<ListKind> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        words.find_map(ListKind::of_word)
    }

    fn of_word(word: &str) -> Option<ListKind> {
        match word {
            "pdq" => Some(ListKind::Pdq),
            "sha256" => Some(ListKind::Sha256),
            _ => None,
        }
    }

    /// What a comment in front says, such as `# PDQ hashes`.
    fn of_comment(line: &[u8]) -> Option<ListKind> {
        let text = String::from_utf8_lossy(line.trim_ascii().strip_prefix(b"#")?).to_ascii_lowercase();
        text.split(|c: char| !c.is_ascii_alphanumeric()).find_map(ListKind::of_word)
    }
}

/// What a reader says of the file as a whole.
pub(crate) struct Found {
    pub format: String,
    pub publisher: Option<String>,
    pub warnings: Vec<String>,
    /// What the set calls a record's identifier.
    pub id_label: &'static str,
    /// Dates and versions that the file states of itself.
    pub stated: Vec<(String, String)>,
    pub sha256: Sha256,
}

/// What one format's reader answers.
pub(crate) struct Parsed {
    pub format: String,
    pub publisher: Option<String>,
    pub warnings: Vec<String>,
    pub id_label: &'static str,
    pub stated: Vec<(String, String)>,
}

impl Parsed {
    pub fn new(format: impl Into<String>) -> Parsed {
        Parsed { format: format.into(), publisher: None, warnings: vec![], id_label: "record", stated: vec![] }
    }
}

/// Longest name and value of what a file states of itself, in characters; the rest is cut off.
const MAX_STATED: usize = 200;
/// Most of them from one file.
const MAX_FACTS: usize = 32;

/// Keeps what a file states of itself: the first value under each name, nothing that is empty.
fn state(stated: &mut Vec<(String, String)>, name: &str, value: &str) {
    let short = |text: &str| text.trim().chars().filter(|c| !c.is_control()).take(MAX_STATED).collect::<String>();
    let (name, value) = (short(name), short(value));
    if !value.is_empty() && stated.len() < MAX_FACTS && !stated.iter().any(|(n, _)| *n == name) {
        stated.push((name, value));
    }
}

/// Reads a whole set into `intake`. What a list of 64 digits holds follows from the file's name, if from anything.
pub(crate) fn read(file: File, intake: &mut Intake<'_>) -> Result<Found, KnownError> {
    read_as(file, intake, None)
}

/// Reads a whole set into `intake`, with what the user says a list of 64 digits holds.
pub(crate) fn read_as(file: File, intake: &mut Intake<'_>, list: Option<ListKind>) -> Result<Found, KnownError> {
    let list = list.or_else(|| ListKind::of_name(intake.path()));
    let again = file.try_clone().map_err(|e| input::Short::Io(e).error(intake, 0))?;
    let mut input = open(file, intake)?;
    let head = input.at_least(HEAD).map_err(|e| e.error(intake, 0))?;
    let head = head.get(..HEAD).unwrap_or(head);
    let kind = recognise(head, list).map_err(|(found, advice)| KnownError::NotRecognised {
        path: intake.path().to_owned(),
        found: found.to_owned(),
        advice,
    })?;
    pass_mark(&mut input, intake)?;
    let parsed = match kind {
        Kind::Json => vics::read(&mut input, intake),
        Kind::Hashdeep => hashdeep::read(&mut input, intake),
        Kind::Plain => plain::read(&mut input, intake),
        Kind::Pdq => pdq::read(&mut input, intake),
        Kind::Delimited(header) => rows::read(&mut input, &header, intake),
        Kind::Sql => rds::delta::read(&mut input, intake),
        Kind::Sqlite => {
            // SQLite reads the file itself; the digest is taken beside it.
            drop(input);
            return rds::sqlite::read(again, intake);
        }
    }?;
    found(input, parsed, intake)
}

/// As [`read_as`], of what is a VICS file or refused, and need not be a file.
fn read_as_vics(reader: impl std::io::Read + Send + 'static, intake: &mut Intake<'_>) -> Result<Found, KnownError> {
    let mut input = open(reader, intake)?;
    pass_mark(&mut input, intake)?;
    let parsed = vics::read(&mut input, intake)?;
    found(input, parsed, intake)
}

fn open(reader: impl std::io::Read + Send + 'static, intake: &Intake<'_>) -> Result<Input, KnownError> {
    Input::new(reader, intake.shared_meter()).map_err(|e| input::Short::Io(e).error(intake, 0))
}

/// A byte order mark in front is no content.
fn pass_mark(input: &mut Input, intake: &Intake<'_>) -> Result<(), KnownError> {
    if input.at_least(BOM.len()).map_err(|e| e.error(intake, 0))?.starts_with(BOM) {
        input.consume(BOM.len());
    }
    Ok(())
}

/// Every reader stops at the end of the file; this is so that the digest is of the whole file whatever they do.
fn found(input: Input, parsed: Parsed, intake: &Intake<'_>) -> Result<Found, KnownError> {
    let offset = input.offset();
    let sha256 = input.finish().map_err(|e| e.error(intake, offset))?;
    Ok(Found {
        format: parsed.format,
        publisher: parsed.publisher,
        warnings: parsed.warnings,
        id_label: parsed.id_label,
        stated: parsed.stated,
        sha256,
    })
}

pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

enum Kind {
    Json,
    Hashdeep,
    Plain,
    Pdq,
    Delimited(delimited::Header),
    Sql,
    Sqlite,
}

/// Decides what a file is; otherwise what it looks like and what to do.
fn recognise(head: &[u8], list: Option<ListKind>) -> Result<Kind, (&'static str, &'static str)> {
    const UNPACK: &str = "unpack it and name the file inside";
    const MAGIC: [(&[u8], &str, &str); 11] = [
        (b"\xff\xfe", "it is UTF-16 text", "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"),
        (b"\xfe\xff", "it is UTF-16 text", "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"),
        (b"PK\x03\x04", "it is a zip archive", UNPACK),
        (b"\x1f\x8b", "it is compressed with gzip", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive", UNPACK),
        (b"\xfd7zXZ\x00", "it is compressed with xz", UNPACK),
        (b"BZh", "it is compressed with bzip2", UNPACK),
        (b"\x28\xb5\x2f\xfd", "it is compressed with Zstandard", UNPACK),
        (
            b"HASH\x0d\x0a\xff\x00",
            "it is an EnCase hash set, which this version does not read",
            "export it as text or CSV",
        ),
        (b"EVF\x09\x0d\x0a\xff\x00", "it is an E01 image and not a set", "name the set's own file"),
        (b"<", "it looks like XML or HTML, which this version does not read as a set", "export it as VICS JSON or CSV"),
    ];
    const WHAT: &str = "known are VICS JSON, NSRL RDS 3 and its deltas, hashdeep, lists of MD5, SHA-1 or SHA-256 digests \
                        or of PDQ hashes, and CSV with a header line that names md5, sha1, sha256 or pdq";
    let text = head.strip_prefix(BOM).unwrap_or(head);
    if text.trim_ascii().is_empty() {
        return Err(("it is empty", "check that it was copied completely"));
    }
    let start = text.trim_ascii_start();
    if head.starts_with(b"SQLite format 3\0") {
        return Ok(Kind::Sqlite);
    }
    if let Some((_, found, advice)) =
        MAGIC.iter().find(|(magic, ..)| head.starts_with(magic) || start.starts_with(magic))
    {
        return Err((found, advice));
    }
    if start.starts_with(b"{") {
        return Ok(Kind::Json);
    }
    if start.starts_with(b"[") {
        return Err((
            "it is a JSON array; VICS JSON is an object with a `value` array",
            "export it as VICS 1.3 or 2.0 from the tool that wrote it",
        ));
    }
    if text.contains(&0) {
        return Err(("it is binary data of a kind that is not known here", WHAT));
    }
    if start.starts_with(b"%%%%") {
        return Ok(Kind::Hashdeep);
    }
    if rds::delta::looks_like(text) {
        return Ok(Kind::Sql);
    }
    // A last line that goes on beyond what was read decides nothing, unless it is the only one.
    let whole = text.iter().rposition(|b| *b == b'\n').filter(|_| head.len() >= HEAD);
    let text = whole.and_then(|end| text.get(..end)).unwrap_or(text);
    let all = || text.split(|b| *b == b'\n').zip(1u64..);
    let lines = || all().filter(|(line, _)| !is_blank_or_comment(line));
    let list = list.or_else(|| all().take(100).find_map(|(line, _)| ListKind::of_comment(line)));
    if let Some(header) = lines()
        .next()
        .and_then(|(line, number)| delimited::Header::parse(line.strip_suffix(b"\r").unwrap_or(line), number, list))
    {
        return Ok(Kind::Delimited(header?));
    }
    let sample = || lines().take(100).map(|(line, _)| line);
    if sample().any(pdq::is_own_pair_line) || (list == Some(ListKind::Pdq) && sample().any(pdq::is_ambiguous)) {
        return Ok(Kind::Pdq);
    }
    if sample().any(|line| plain::digest_of(line).is_some()) {
        let bare = sample().filter(|line| plain::digest_of(line).is_some()).all(pdq::is_ambiguous);
        if bare && list.is_none() {
            return Err((
                "its lines are 64 hexadecimal digits each, which may be SHA-256 digests or PDQ hashes; nothing says which",
                "put a first line `sha256` or `pdq` into a copy, or give the file a name that says so, such as `list.sha256`",
            ));
        }
        return Ok(Kind::Plain);
    }
    if sample().any(delimited::has_digest_cell) {
        return Err((
            "it has columns but no header line that says what they are",
            "put a header line in front, for example `md5,sha1,size` or `pdq,name`",
        ));
    }
    Err(("its content is not that of a known set", WHAT))
}

/// Whether a line of a list says nothing.
fn is_blank_or_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || line.starts_with(b"#")
}

#[cfg(test)]
mod tests {
    use super::names_place;

    #[test]
    fn places_are_told_from_names() {
        for place in ["line 4", "record 12", "row 7 of a.db", "line 1 of of it.csv"] {
            assert!(names_place(place), "{place}");
        }
        for name in ["MediaID 4", "line", "line x", "line ", "line 4 at", "ID line 4", "Line 4", "file_id 3", ""] {
            assert!(!names_place(name), "{name}");
        }
    }
}
