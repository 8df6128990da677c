//! Reports of phone extractions (UFDR) as trees: a zip archive with `report.xml`, which says what each file is.
//!
//! The paths shown are those of the phone, `/file system/path`, with the state and times that the report gives. What the
//! archive holds beside that (the report itself, files that it does not name) is shown below `/$Report`. The layout is not
//! published; this follows what open importers read: `file` elements with `fs`, `path`, `size`, `deleted`, `embedded`,
//! time stamps below `accessInfo`, and the place in the archive in the item `Local Path`.
//!
//! MD5, SHA-1 and SHA-256 that the report states of a file are notes of it ([`Note::Stated`]); whoever reads the file holds
//! them against its bytes.
//!
//! A path of the report is shown and never used: a file is looked for in the archive's own list. What the report lists and
//! the archive does not hold is a row without content.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `report-damaged` | the report breaks off or cannot be understood from there; files after that place are shown below `/$Report` |
//! | `report-capped` | the report names more files than are read |
//! | `size-differs` | a file has not the size that the report gives |
//! | `not-listed` | the archive holds files that the report does not name (below `files/` only, where such files lie) |
//!
//! and those of [`super::zip`].

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

use avocet_base::{Stamp, Zone, escape_bytes};
use quick_xml::events::{BytesStart, Event};

use super::zip::Zip;
use crate::entry::{
    AllocationState, Content, ContentRead, Entry, EntryKind, FileSystem, Note, Run, Stated, Times, Unreadable,
    VisitResult, Visitor, VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::Source;

const LAYER: &str = "ufdr";
/// The report's place in the archive.
const REPORT: &str = "/report.xml";
/// Where what the report does not name is shown.
const OWN: &str = "/$Report";
/// Where such archives keep files.
const FILES: &str = "/files/";
/// Files of a report at most.
const MOST_FILES: usize = 4_000_000;
/// Bytes of one element or text of the report at most.
const MOST_PIECE: u64 = 16 << 20;
/// Elements inside one another at most.
const MOST_DEPTH: u64 = 1000;
/// Digests of one file at most.
const MOST_DIGESTS: usize = 8;
/// Facts of the device at most, and bytes of each.
const MOST_FACTS: usize = 200;
const MOST_FACT: usize = 4096;

/// A report of a phone extraction.
pub struct Ufdr {
    members: Vec<Entry>,
    /// Numbers of members by path.
    by_path: BTreeMap<String, usize>,
    files: Vec<Listed>,
    facts: VolumeFacts,
    device: Vec<(String, String)>,
    problems: Vec<Problem>,
}

/// What the report says of one file.
#[derive(Default)]
struct Listed {
    path: String,
    size: Option<u64>,
    deleted: String,
    embedded: bool,
    times: Times,
    /// Its path in the archive, escaped.
    local: Option<String>,
    /// Its digests, as far as they are understood.
    stated: Vec<Stated>,
    /// Whether something that is named as a digest is none.
    odd: bool,
}

impl Listed {
    /// Takes a digest that the report gives, by the name of its item.
    fn digest(&mut self, name: &str, text: &str) {
        let plain = |c: &char| !matches!(c, '-' | '_' | ' ');
        let kind = match name.chars().filter(plain).collect::<String>().to_ascii_lowercase().as_str() {
            "md5" => "MD5",
            "sha1" => "SHA-1",
            "sha256" => "SHA-256",
            _ => return,
        };
        match Stated::parse(text).filter(|digest| digest.kind() == kind) {
            Some(digest) if self.stated.contains(&digest) => {}
            Some(digest) if self.stated.len() < MOST_DIGESTS => self.stated.push(digest),
            _ => self.odd = true,
        }
    }
}

/// The bytes of a member as a stream of text, with a bound on what may be read between two resets.
struct Bounded {
    inner: BufReader<Member>,
    left: Rc<Cell<u64>>,
}

struct Member(Box<dyn ContentRead>);

impl Read for Member {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buf).map_err(std::io::Error::other)
    }
}

impl Read for Bounded {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buf)
    }
}

impl BufRead for Bounded {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.left.get() == 0 {
            return Err(std::io::Error::other("an element is too long"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.left.set(self.left.get().saturating_sub(n as u64));
        self.inner.consume(n);
    }
}

/// Takes all entries of the archive.
#[derive(Default)]
struct All {
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

impl Visitor for All {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        self.entries.push(entry);
        VisitResult::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

/// An attribute's value; entities are resolved, and what cannot be is left out.
fn attribute(element: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let found = element.attributes().with_checks(false).flatten().find(|a| a.key.as_ref() == name)?;
    let text = std::str::from_utf8(&found.value).ok()?;
    Some(quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned))
}

/// A path of the phone, escaped part by part.
fn escaped(path: &str) -> String {
    let mut out = String::new();
    for part in path.split('/').filter(|p| !p.is_empty()) {
        out.push('/');
        out.push_str(&escape_bytes(part.as_bytes()));
    }
    out
}

/// `2024-04-01T07:30:00.000+00:00`, with or without fraction and offset.
pub(crate) fn stamp(text: &str) -> Option<Stamp> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u16>().ok();
    let small = |range| number(range).and_then(|n| u8::try_from(n).ok());
    let date = (number(0..4)?, small(5..7)?, small(8..10)?);
    let time = (small(11..13)?, small(14..16)?, small(17..19)?);
    let mut rest = text.get(19..)?;
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        nanoseconds = format!("{:0<9}", fraction.get(..end)?).get(..9)?.parse().ok()?;
        rest = fraction.get(end..)?;
    }
    let zone = match rest.chars().next() {
        None => return Stamp::from_civil(date, time, nanoseconds, Zone::Local),
        Some('Z') => 0,
        Some(sign @ ('+' | '-')) => {
            let minutes: i16 = rest.get(1..3)?.parse::<i16>().ok()?.checked_mul(60)?;
            let minutes = minutes.checked_add(rest.get(4..6)?.parse::<i16>().ok()?)?;
            if sign == '-' { minutes.checked_neg()? } else { minutes }
        }
        Some(_) => return None,
    };
    let civil = Stamp::from_civil(date, time, nanoseconds, Zone::Utc)?;
    let ns = civil.ns.checked_sub(i64::from(zone).checked_mul(60_000_000_000)?)?;
    Some(Stamp { ns, zone: if zone == 0 { Zone::Utc } else { Zone::Offset(zone) } })
}

/// What is read of the report.
#[derive(Default)]
struct Report {
    files: Vec<Listed>,
    device: Vec<(String, String)>,
    /// It begins as such a report does.
    is_report: bool,
    capped: u64,
    /// Where it broke off, and whether it did.
    broken: Option<u64>,
}

impl Report {
    fn read(content: Box<dyn ContentRead>) -> Self {
        let left = Rc::new(Cell::new(MOST_PIECE));
        let inner = BufReader::with_capacity(64 << 10, Member(content));
        let mut reader = quick_xml::Reader::from_reader(Bounded { inner, left: Rc::clone(&left) });
        let (mut report, mut buffer) = (Self::default(), vec![]);
        let mut file: Option<Listed> = None;
        // The section of metadata, the name of the item or time stamp, and its text so far.
        let (mut section, mut name, mut text) = (String::new(), None::<String>, String::new());
        let mut depth = 0u64;
        loop {
            left.set(MOST_PIECE);
            buffer.clear();
            let event = match reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) => {
                    report.broken = (depth > 0).then(|| reader.buffer_position());
                    break;
                }
                Ok(event) => event,
                Err(_) => {
                    report.broken = Some(reader.buffer_position());
                    break;
                }
            };
            match event {
                Event::Start(ref element) | Event::Empty(ref element) => {
                    let empty = matches!(event, Event::Empty(_));
                    if depth == 0 {
                        report.is_report = element.local_name().as_ref() == b"project";
                        if !report.is_report {
                            return report;
                        }
                    }
                    if !empty {
                        depth = depth.saturating_add(1);
                    }
                    // The parser remembers every element that is open.
                    if depth > MOST_DEPTH {
                        report.broken = Some(reader.buffer_position());
                        break;
                    }
                    match element.local_name().as_ref() {
                        b"file" => {
                            let path = attribute(element, b"path").unwrap_or_default();
                            let fs = attribute(element, b"fs").unwrap_or_default();
                            let listed = Listed {
                                path: format!("{}{}", escaped(&fs), escaped(&path)),
                                size: attribute(element, b"size").and_then(|s| s.parse().ok()),
                                deleted: attribute(element, b"deleted").unwrap_or_default(),
                                embedded: attribute(element, b"embedded")
                                    .is_some_and(|e| e.eq_ignore_ascii_case("true")),
                                ..Listed::default()
                            };
                            if empty { report.take(listed) } else { file = Some(listed) }
                        }
                        b"metadata" => section = attribute(element, b"section").unwrap_or_default(),
                        b"item" | b"timestamp" if !empty => {
                            name = attribute(element, b"name");
                            text.clear();
                        }
                        b"extractionInfo" => {
                            for (key, fact) in [(&b"type"[..], "extraction type"), (b"deviceName", "device name")] {
                                report.fact(fact, attribute(element, key).as_deref().unwrap_or_default());
                            }
                        }
                        _ => {}
                    }
                }
                Event::Text(ref part) if name.is_some() => {
                    text.push_str(&String::from_utf8_lossy(part));
                }
                Event::CData(ref part) if name.is_some() => text.push_str(&String::from_utf8_lossy(part)),
                Event::GeneralRef(ref part) if name.is_some() => {
                    let named = match &**part {
                        b"lt" => Some('<'),
                        b"gt" => Some('>'),
                        b"amp" => Some('&'),
                        b"apos" => Some('\''),
                        b"quot" => Some('"'),
                        _ => None,
                    };
                    text.extend(part.resolve_char_ref().ok().flatten().or(named));
                }
                Event::End(ref element) => {
                    depth = depth.saturating_sub(1);
                    match (element.local_name().as_ref(), &mut file) {
                        (b"file", taken) => {
                            if let Some(listed) = taken.take() {
                                report.take(listed);
                            }
                        }
                        (b"item", Some(listed)) => {
                            let named = name.take();
                            match named.as_deref() {
                                Some("Local Path") => {
                                    listed.local = Some(escaped(&text.trim().replace('\\', "/")));
                                }
                                Some(name) if !text.trim().is_empty() => listed.digest(name, &text),
                                _ => {}
                            }
                        }
                        (b"item", None) => {
                            if let Some(name) = name.take().filter(|_| section.eq_ignore_ascii_case("Device Info")) {
                                report.fact(&name, text.trim());
                            }
                        }
                        (b"timestamp", listed) => {
                            if let (Some(name), Some(listed)) = (name.take(), listed) {
                                let slot = match name.as_str() {
                                    "CreationTime" => Some(&mut listed.times.created),
                                    "ModifyTime" => Some(&mut listed.times.modified),
                                    "AccessTime" => Some(&mut listed.times.accessed),
                                    "ChangeTime" => Some(&mut listed.times.changed),
                                    "DeletedTime" | "DeleteTime" => Some(&mut listed.times.deleted),
                                    _ => None,
                                };
                                if let Some(slot) = slot {
                                    *slot = stamp(text.trim());
                                }
                            }
                        }
                        (b"metadata", _) => section.clear(),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        // A file whose element breaks off is known as far as it goes.
        if let Some(listed) = file {
            report.take(listed);
        }
        report
    }

    fn take(&mut self, listed: Listed) {
        if self.files.len() < MOST_FILES {
            self.files.push(listed);
        } else {
            self.capped = self.capped.saturating_add(1);
        }
    }

    fn fact(&mut self, name: &str, value: &str) {
        if value.is_empty() || self.device.len() >= MOST_FACTS {
            return;
        }
        let cut = |text: &str| escape_bytes(text.chars().take(MOST_FACT).collect::<String>().as_bytes());
        let fact = (cut(name), cut(value));
        if !self.device.contains(&fact) {
            self.device.push(fact);
        }
    }
}

impl Ufdr {
    /// Opens an archive as a report; `None` where it is a zip archive of another kind.
    ///
    /// # Errors
    /// [`OpenError::Unsupported`] where the report is protected with a password; as [`Zip::open`].
    pub fn open(source: Arc<dyn Source>, zip: &Zip) -> Result<Option<Self>, OpenError> {
        let mut all = All::default();
        zip.walk(&mut all)?;
        let Some(entry) = all.entries.iter().find(|e| e.path == REPORT && e.kind == EntryKind::File) else {
            return Ok(None);
        };
        if let Content::Unreadable(Unreadable::Encrypted(_)) = entry.content {
            return Err(OpenError::Unsupported {
                what: "the report of a phone extraction (UFDR) that is protected with a password".into(),
                advice: "Export it without a password from the tool that made it, and examine that",
            });
        }
        let Some(content) = entry.open(&source)? else { return Ok(None) };
        let report = Report::read(content);
        if !report.is_report {
            return Ok(None);
        }
        let mut problems = all.problems;
        if let Some(at) = report.broken {
            let detail = "the report of the extraction breaks off here; files that it does not name are shown under their \
                          names in the archive";
            problems.push(Problem::new(LAYER, "report-damaged", Some(at), detail).at_path(format!("{OWN}{REPORT}")));
        }
        if report.capped > 0 {
            let detail = format!("it names {} more files than are read", report.capped);
            problems.push(Problem::new(LAYER, "report-capped", None, detail).at_path(format!("{OWN}{REPORT}")));
        }
        // The first of several members with one name, as other readers take it; the others are shown below `/$Report`.
        let mut by_path = BTreeMap::new();
        for (i, member) in all.entries.iter().enumerate() {
            by_path.entry(member.path.clone()).or_insert(i);
        }
        let facts = VolumeFacts {
            kind: "ufdr",
            label: None,
            serial: None,
            cluster_size: 0,
            size: source.len(),
            time_source: "Times are those that the report of the extraction gives of the file on the phone, with their \
                          offset from UTC. Times below /$Report are those of the archive.",
        };
        Ok(Some(Self { members: all.entries, by_path, files: report.files, facts, device: report.device, problems }))
    }

    /// What the report says of the device, as name and escaped value.
    pub fn device(&self) -> &[(String, String)] {
        &self.device
    }

    fn entry(&self, listed: &Listed, number: u64, held: &mut BTreeSet<usize>) -> (Entry, Option<Problem>) {
        let mut notes = vec![Note::Other(format!("state given by the report: {}", state_word(&listed.deleted)))];
        let state = if listed.deleted.eq_ignore_ascii_case("Deleted") {
            AllocationState::Deleted
        } else {
            AllocationState::Allocated
        };
        if listed.embedded {
            notes.push(Note::Other("embedded in another file, says the report".into()));
        }
        notes.extend(listed.stated.iter().copied().map(Note::Stated));
        if listed.odd {
            notes.push(Note::Other("the report gives it a digest that is none of its kind".into()));
        }
        let member =
            listed.local.as_ref().and_then(|l| self.by_path.get(l)).and_then(|i| Some((*i, self.members.get(*i)?)));
        let (size, content) = match member {
            Some((i, member)) => {
                if !held.insert(i) {
                    notes.push(Note::Other("the report gives the same bytes to another file too".into()));
                }
                (member.size, member.content.clone())
            }
            None => (listed.size.unwrap_or(0), Content::Unreadable(Unreadable::NotHeld)),
        };
        let problem = listed.size.filter(|given| *given != size).map(|given| {
            notes.push(Note::Other(format!("the report gives it {given} bytes")));
            let detail = format!("the file has {size} bytes, the report says {given}");
            Problem::new(LAYER, "size-differs", None, detail).at_path(&listed.path)
        });
        let path = if listed.path.is_empty() { "/".to_owned() } else { listed.path.clone() };
        let (times, kind) = (listed.times, EntryKind::File);
        (Entry { path, stream: None, kind, state, number, size, times, content, notes }, problem)
    }
}

/// A word of the report as it is, where it is one of those that are known.
fn state_word(deleted: &str) -> &'static str {
    match deleted.to_ascii_lowercase().as_str() {
        "intact" => "intact",
        "deleted" => "deleted",
        "trash" => "trash",
        "unknown" => "unknown",
        "" => "none",
        _ => "another word",
    }
}

impl FileSystem for Ufdr {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// The files of the report in its order, then the rest of the archive.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        let mut held = BTreeSet::new();
        for (number, listed) in (1u64..).zip(&self.files) {
            let (entry, problem) = self.entry(listed, number, &mut held);
            if let Some(problem) = problem {
                visitor.problem(problem);
            }
            if visitor.entry(entry).is_break() {
                return Ok(());
            }
        }
        for (i, member) in self.members.iter().enumerate().filter(|(i, _)| !held.contains(i)) {
            let mut entry = member.clone();
            entry.path = format!("{OWN}{}", member.path);
            if entry.kind == EntryKind::File && member.path.starts_with(FILES) {
                let detail = "the report does not name this file of the archive";
                visitor.problem(Problem::new(LAYER, "not-listed", Some(i as u64), detail).at_path(&entry.path));
            }
            if visitor.entry(entry).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_fractions_and_offsets() {
        let read = |text: &str| stamp(text).map(|s| (s.ns, s.zone));
        let ns = 1_711_956_600_000_000_000;
        assert_eq!(read("2024-04-01T07:30:00.000+00:00"), Some((ns, Zone::Utc)));
        assert_eq!(read("2024-04-01T09:30:00.25+02:00"), Some((ns + 250_000_000, Zone::Offset(120))));
        assert_eq!(read("2024-04-01T02:00:00-05:30"), Some((ns, Zone::Offset(-330))));
        assert_eq!(read("2024-04-01T07:30:00Z"), Some((ns, Zone::Utc)));
        assert_eq!(read("2024-04-01T07:30:00"), Some((ns, Zone::Local)));
        assert_eq!((read("2024-04-01"), read(""), read("2024-04-01T07:30:00 x")), (None, None, None));
    }
}
