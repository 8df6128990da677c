//! Reads a set's file, whatever its name: what it is follows from its content.

mod delimited;
mod hashdeep;
mod lines;
mod plain;
mod scalar;
mod vics;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use avocet_base::Sha256;
use sha2::Digest as _;

use crate::error::KnownError;
use crate::intake::{Intake, Meter};

/// Bytes at the beginning that decide what a file is.
const HEAD: usize = 64 * 1024;
/// Most bytes between two complete records. It bounds memory: no parser here can hold more than one record.
const MAX_RECORD: u64 = 64 << 20;

/// What a reader says of the file as a whole.
pub(crate) struct Found {
    pub format: String,
    pub publisher: Option<String>,
    pub warnings: Vec<String>,
    /// What the set calls a record's identifier.
    pub id_label: &'static str,
    pub sha256: Sha256,
}

/// What one format's reader answers.
pub(crate) struct Parsed {
    pub format: String,
    pub publisher: Option<String>,
    pub warnings: Vec<String>,
    pub id_label: &'static str,
}

impl Parsed {
    pub fn new(format: impl Into<String>) -> Parsed {
        Parsed { format: format.into(), publisher: None, warnings: vec![], id_label: "record" }
    }
}

/// The file as it is read: digested, counted, and stopped where one record does not end.
struct Stream {
    file: File,
    hasher: sha2::Sha256,
    meter: Rc<Meter>,
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let meter = &self.meter;
        if meter.since_record.get() > MAX_RECORD {
            meter.too_long.set(true);
            return Err(io::Error::other("one record is longer than 64 MiB"));
        }
        let n = self.file.read(buf)?;
        self.hasher.update(buf.get(..n).unwrap_or_default());
        meter.bytes.set(meter.bytes.get() + n as u64);
        meter.since_record.set(meter.since_record.get() + n as u64);
        Ok(n)
    }
}

impl Stream {
    fn read_head(&mut self) -> io::Result<Vec<u8>> {
        let mut head = vec![];
        self.take(HEAD as u64).read_to_end(&mut head)?;
        Ok(head)
    }
}

/// Reads a whole set into `intake`.
pub(crate) fn read(file: File, intake: &mut Intake<'_>) -> Result<Found, KnownError> {
    let meter = intake.shared_meter();
    let mut stream = Stream { file, hasher: sha2::Sha256::new(), meter };
    let head = stream.read_head().map_err(|e| read_error(intake, &e))?;
    let kind = recognise(&head).map_err(|(found, advice)| KnownError::NotRecognised {
        path: intake.path().to_owned(),
        found: found.to_owned(),
        advice,
    })?;
    // A byte order mark in front is no content.
    let text = head.strip_prefix(BOM).unwrap_or(&head).to_vec();
    let mut reader = BufReader::with_capacity(256 * 1024, Cursor::new(text).chain(&mut stream));
    let parsed = match kind {
        Kind::Json => vics::read(&mut reader, intake),
        Kind::Hashdeep => hashdeep::read(&mut reader, intake),
        Kind::Plain => plain::read(&mut reader, intake),
        Kind::Delimited(header) => delimited::read(&mut reader, &header, intake),
    }?;
    // Every reader stops at the end of the file; this is so that the digest is of the whole file whatever they do.
    io::copy(&mut reader, &mut io::sink()).map_err(|e| read_error(intake, &e))?;
    drop(reader);
    Ok(Found {
        format: parsed.format,
        publisher: parsed.publisher,
        warnings: parsed.warnings,
        id_label: parsed.id_label,
        sha256: Sha256(stream.hasher.finalize().into()),
    })
}

/// Turns a failed read into an error: of the disk, or of a record that does not end.
fn read_error(intake: &Intake<'_>, error: &io::Error) -> KnownError {
    if intake.meter().too_long.get() {
        return intake.malformed(
            "a set that this version reads",
            format!("after byte {}", intake.meter().bytes.get().saturating_sub(MAX_RECORD)),
            "one record is longer than 64 MiB".to_owned(),
            "look for a quotation mark or bracket that is never closed",
        );
    }
    KnownError::Read { path: intake.path().to_owned(), bytes: intake.meter().bytes.get(), reason: error.to_string() }
}

const BOM: &[u8] = b"\xef\xbb\xbf";

enum Kind {
    Json,
    Hashdeep,
    Plain,
    Delimited(delimited::Header),
}

/// Decides what a file is; otherwise what it looks like and what to do.
fn recognise(head: &[u8]) -> Result<Kind, (&'static str, &'static str)> {
    const UNPACK: &str = "unpack it and name the file inside";
    const MAGIC: [(&[u8], &str, &str); 12] = [
        (b"\xff\xfe", "it is UTF-16 text", "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"),
        (b"\xfe\xff", "it is UTF-16 text", "save it as UTF-8, for example with `iconv -f UTF-16 -t UTF-8`"),
        (b"PK\x03\x04", "it is a zip archive", UNPACK),
        (b"\x1f\x8b", "it is compressed with gzip", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "it is a 7-Zip archive", UNPACK),
        (b"\xfd7zXZ\x00", "it is compressed with xz", UNPACK),
        (b"BZh", "it is compressed with bzip2", UNPACK),
        (b"\x28\xb5\x2f\xfd", "it is compressed with Zstandard", UNPACK),
        (
            b"SQLite format 3\x00",
            "it is an SQLite database, such as NSRL RDS 3 or a Sleuth Kit hash database, which this version does not read",
            "export its digests and sizes as CSV with a header line",
        ),
        (
            b"HASH\x0d\x0a\xff\x00",
            "it is an EnCase hash set, which this version does not read",
            "export it as text or CSV",
        ),
        (b"EVF\x09\x0d\x0a\xff\x00", "it is an E01 image and not a set", "name the set's own file"),
        (b"<", "it looks like XML or HTML, which this version does not read as a set", "export it as VICS JSON or CSV"),
    ];
    const WHAT: &str = "known are VICS JSON, hashdeep, lists of MD5, SHA-1 or SHA-256 digests, and CSV with a header \
                        line that names md5, sha1 or sha256";
    let text = head.strip_prefix(BOM).unwrap_or(head);
    if text.trim_ascii().is_empty() {
        return Err(("it is empty", "check that it was copied completely"));
    }
    let start = text.trim_ascii_start();
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
    let lines = || text.split(|b| *b == b'\n').zip(1u64..).filter(|(line, _)| !is_blank_or_comment(line));
    if let Some(header) = lines()
        .next()
        .and_then(|(line, number)| delimited::Header::parse(line.strip_suffix(b"\r").unwrap_or(line), number))
    {
        return Ok(Kind::Delimited(header?));
    }
    if lines().take(100).any(|(line, _)| plain::digest_of(line).is_some()) {
        return Ok(Kind::Plain);
    }
    if lines().take(100).any(|(line, _)| delimited::has_digest_cell(line)) {
        return Err((
            "it has columns but no header line that says what they are",
            "put a header line in front, for example `md5,sha1,size`",
        ));
    }
    Err(("its content is not that of a known set", WHAT))
}

/// Whether a line of a list says nothing.
fn is_blank_or_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || line.starts_with(b"#")
}

/// The trait object that the line-based readers take.
pub(crate) type Input<'a> = dyn BufRead + 'a;
