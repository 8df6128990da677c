//! Opening: the segments of the set, their sections, and what is wrong with them.

use std::path::Path;
use std::sync::Arc;

use avocet_base::{Md5, Sha1};

use super::names::Names;
use super::section::{
    EVF, EVF2, FILE_HEADER, Kind, LEF2, LVF, Section, Volume, VolumeBody, acquisition_errors, segment_number, sums,
};
use super::table::{Copy, Table};
use super::{Ewf, EwfFacts, LAYER, header};
use crate::bytes::array;
use crate::container::Fault;
use crate::container::cache::Cache;
use crate::container::files::{HostFile, Pool, is_there};
use crate::error::{OpenError, Problem, ReadFault};
use crate::source::{Source, read_up_to};

/// Sections of one segment that are followed: a 2 TB segment of 32 KiB chunks has some 12,000.
const MOST_SECTIONS: u32 = 1_000_000;
/// Largest chunk: 32,768 sectors of 4,096 bytes, the most that EnCase offers.
const MOST_CHUNK: u64 = 128 << 20;
/// Header sections that are decoded.
const MOST_HEADERS: u32 = 8;
/// Longest body read of a section that is not a table.
const BODY_CAP: u64 = 64 << 20;
/// Problems kept in full; a hostile image must not be able to fill the memory with them.
const MOST_PROBLEMS: usize = 10_000;

/// Why a segment's sections ended.
enum End {
    Next,
    Done,
    Broken(Fault),
}

/// Refuses what is no EWF version 1 disk image.
fn check_signature(header: &[u8], number: u32) -> Result<(), OpenError> {
    let unsupported = |what: &str, advice| Err(OpenError::Unsupported { what: what.to_owned(), advice });
    const AGAIN: &str = "Export it to raw or E01 with the tool that made it, and try again";
    if header.starts_with(EVF2) {
        return unsupported("EWF version 2 (Ex01)", AGAIN);
    }
    if header.starts_with(LVF) || header.starts_with(LEF2) {
        return unsupported("a logical EWF image (L01, Lx01)", "Export its files to a folder and examine the folder");
    }
    if !header.starts_with(EVF) {
        return Err(OpenError::malformed(LAYER, 0, format!("segment {number} is not a segment of an EWF image")));
    }
    match segment_number(header) {
        Some(n) if u32::from(n) == number => Ok(()),
        Some(n) => {
            let detail = format!("the file named as segment {number} says that it is segment {n}");
            Err(OpenError::malformed(LAYER, 9, detail))
        }
        None => Err(OpenError::malformed(LAYER, 8, format!("segment {number} has a damaged file header"))),
    }
}

pub(super) fn from_path(path: &Path) -> Result<Ewf, OpenError> {
    let pool = Arc::new(Pool::default());
    // First the file that was named: its being of another format is the better answer than a missing segment.
    let file_header = read_up_to(&HostFile::open(LAYER, path, 0, &pool)?, 0, 13)?;
    let names = Names::of(path, segment_number(&file_header));
    check_signature(&file_header, names.number.unwrap_or(1))?;
    let find = |number: u32| -> Result<Option<std::path::PathBuf>, OpenError> {
        for candidate in names.candidates(number) {
            if is_there(&candidate)? {
                return Ok(Some(candidate));
            }
        }
        Ok(None)
    };
    let mut paths = vec![];
    let mut ewf = open(&mut |number| {
        let Some(found) = find(number)? else { return Ok(None) };
        let file = HostFile::open(LAYER, &found, paths.len(), &pool)?;
        paths.push(found);
        Ok(Some(Arc::new(file) as Arc<dyn Source>))
    })
    .map_err(|error| match error {
        OpenError::MissingSegment { have, .. } => missing(&names, have, &find),
        other => other,
    })?;
    ewf.facts.segments = paths;
    Ok(ewf)
}

/// The error for the segment after the first `have` ones, counting those that lie beyond the gap.
fn missing(
    names: &Names,
    have: usize,
    find: &dyn Fn(u32) -> Result<Option<std::path::PathBuf>, OpenError>,
) -> OpenError {
    let number = u32::try_from(have).unwrap_or(u32::MAX).saturating_add(1);
    let (mut have, mut highest) = (have, number);
    for later in number.saturating_add(1)..number.saturating_add(200) {
        if matches!(find(later), Ok(Some(_))) {
            (have, highest) = (have.saturating_add(1), later);
        }
    }
    let path = names.candidates(number).first().map(|p| p.display().to_string()).unwrap_or_default();
    OpenError::MissingSegment { path, have, expected: format!("at least {highest}") }
}

pub(super) fn from_sources(segments: Vec<Arc<dyn Source>>) -> Result<Ewf, OpenError> {
    open(&mut |number| {
        let index = usize::try_from(number).unwrap_or(usize::MAX).saturating_sub(1);
        Ok(segments.get(index).map(Arc::clone))
    })
}

/// Opens the set whose segments `fetch` gives by number, from 1.
fn open(fetch: &mut dyn FnMut(u32) -> Result<Option<Arc<dyn Source>>, OpenError>) -> Result<Ewf, OpenError> {
    let mut builder = Builder::default();
    let mut number = 1;
    let missing = loop {
        let Some(segment) = fetch(number)? else {
            let have = builder.segments.len();
            let expected = format!("at least {number}");
            return Err(OpenError::MissingSegment { path: format!("segment {number}"), have, expected });
        };
        check_signature(&read_up_to(&segment, 0, 13)?, number)?;
        builder.segments.push(Arc::clone(&segment));
        match builder.read_sections(&segment)? {
            End::Next => number = number.saturating_add(1),
            End::Done => {
                if fetch(number.saturating_add(1))?.is_some() {
                    let detail = format!("the image ends with segment {number}, but there is a file named as the next");
                    builder.say("extra-segment", None, detail);
                }
                break (ReadFault::Damaged, "the image's tables end before it");
            }
            End::Broken(fault) => break fault,
        }
    };
    builder.finish(missing)
}

#[derive(Default)]
struct Builder {
    segments: Vec<Arc<dyn Source>>,
    problems: Vec<Problem>,
    tables: Vec<Table>,
    chunks: u64,
    volume: Option<Volume>,
    md5: Option<Md5>,
    sha1: Option<Sha1>,
    header: Option<(String, Vec<(String, String)>)>,
    header2: Option<(String, Vec<(String, String)>)>,
    errors: Vec<(u64, u64)>,
    headers: u32,
}

impl Builder {
    fn say(&mut self, code: &'static str, at: Option<u64>, detail: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem::new(LAYER, code, at, detail));
        }
    }

    /// As [`Builder::say`], naming the segment that is being read.
    fn say_here(&mut self, code: &'static str, at: u64, detail: &str) {
        let number = self.segments.len();
        self.say(code, Some(at), format!("segment {number}: {detail}"));
    }

    fn read_sections(&mut self, segment: &Arc<dyn Source>) -> Result<End, OpenError> {
        let mut at = FILE_HEADER;
        let (mut sectors, mut inline) = (0..0, false);
        let mut pending: Option<Copy> = None;
        for _ in 0..MOST_SECTIONS {
            let section = Section::read(segment, at);
            let second = match &section {
                Ok(s) if s.kind == Kind::Table2 => Some(Copy::read(segment, s, false)),
                _ => None,
            };
            let paired = pending.is_some();
            if let Some(copy) = pending.take()
                && !self.add_table(copy, second, &sectors)
            {
                let fault = (ReadFault::Damaged, "a chunk table before it is damaged, so its place is not known");
                self.say_here("section-damaged", at, "a chunk table and its second copy are damaged beyond use");
                return Ok(End::Broken(fault));
            }
            let section = match section {
                Ok(section) => section,
                Err((fault, why)) => {
                    let code = if fault == ReadFault::Truncated { "segment-truncated" } else { "section-damaged" };
                    self.say_here(code, at, why);
                    return Ok(End::Broken((fault, why)));
                }
            };
            match section.kind {
                Kind::Next => return Ok(End::Next),
                Kind::Done => return Ok(End::Done),
                Kind::Sectors => (sectors, inline) = (section.body_start()..section.next, false),
                Kind::Table => {
                    // The first layouts have no section of sectors: chunks follow the table that places them.
                    let old = self.volume.is_some_and(|v| v.old);
                    let copy = Copy::read(segment, &section, old);
                    if old || inline || sectors.is_empty() {
                        sectors = copy.end.unwrap_or(section.next)..section.next;
                        inline = true;
                    }
                    pending = Some(copy);
                }
                Kind::Table2 if !paired => {
                    self.say_here("section-damaged", at, "a second copy of a chunk table has no first");
                    return Ok(End::Broken((ReadFault::Damaged, "the chunk tables before it are out of order")));
                }
                _ => self.small_section(segment, &section)?,
            }
            at = section.next;
        }
        self.say_here("section-damaged", at, "more sections than a segment can need; the rest is not read");
        Ok(End::Broken((ReadFault::Damaged, "its segment has more sections than it can need")))
    }

    /// Adds a table; `false` where the number of its chunks is lost, and with it the place of all later ones.
    fn add_table(&mut self, copy: Copy, second: Option<Copy>, sectors: &std::ops::Range<u64>) -> bool {
        let index = self.segments.len().saturating_sub(1);
        let mut problems = vec![];
        let table = Table::choose(copy, second, (index, self.chunks, sectors.clone()), &mut problems);
        for problem in problems {
            self.say(problem.code, problem.offset, problem.detail);
        }
        let Some(table) = table else { return false };
        self.chunks = self.chunks.saturating_add(table.count);
        self.tables.push(table);
        true
    }

    fn small_section(&mut self, segment: &Arc<dyn Source>, section: &Section) -> Result<(), OpenError> {
        let at = section.start;
        let body = || section.body(segment, BODY_CAP).unwrap_or_default();
        match section.kind {
            Kind::Header | Kind::Header2 => {
                // Each is small and may inflate to megabytes; images have at most four.
                self.headers = self.headers.saturating_add(1);
                if self.headers > MOST_HEADERS {
                    return Ok(());
                }
                let (decoded, slot) = match section.kind {
                    Kind::Header2 => (header::header2(&body()), &mut self.header2),
                    _ => (header::header(&body()), &mut self.header),
                };
                match decoded {
                    Some(found) if slot.is_none() => *slot = Some(found),
                    Some(_) => {}
                    None => self.say_here("header-damaged", at, "a header section cannot be decoded"),
                }
            }
            Kind::Volume | Kind::Data => match Volume::parse(&section.body(segment, 1052).unwrap_or_default()) {
                VolumeBody::Good(volume) => self.compare(at, volume)?,
                _ => self.say_here("volume-damaged", at, "a description of the medium is damaged"),
            },
            Kind::Hash | Kind::Digest => self.digests(section.kind, at, &body()),
            Kind::Error2 => match acquisition_errors(&body()) {
                Some(runs) => self.errors.extend(runs),
                None => {
                    let text = "the list of sectors that could not be read on acquisition is damaged";
                    self.say_here("acquisition-errors-damaged", at, text);
                }
            },
            Kind::Session => {
                self.say_here("sessions-not-read", at, "sessions of an optical disc are recorded and not interpreted");
            }
            Kind::Incomplete => {
                self.say_here("acquisition-incomplete", at, "the image says that its acquisition was not completed");
            }
            Kind::Unknown => self.say_here("unknown-section", at, "a section of an unknown kind is passed over"),
            _ => {}
        }
        Ok(())
    }

    /// Takes the first description of the medium and refuses segments whose own is of another.
    fn compare(&mut self, at: u64, found: Volume) -> Result<(), OpenError> {
        let Some(known) = self.volume else {
            self.volume = Some(found);
            return Ok(());
        };
        let number = self.segments.len();
        let foreign = |what: &str| {
            let detail =
                format!("segment {number} belongs to another image: its {what} differs from the first segment's");
            Err(OpenError::malformed(LAYER, at, detail))
        };
        let named = known.set_identifier != [0; 16] && found.set_identifier != [0; 16];
        if named && known.set_identifier != found.set_identifier {
            return foreign("set identifier");
        }
        let differs = |a: u32, b: u32| a != b && b != 0;
        if differs(known.sectors_per_chunk, found.sectors_per_chunk)
            || differs(known.bytes_per_sector, found.bytes_per_sector)
        {
            return foreign("chunk or sector size");
        }
        if found.sectors != 0 && found.sectors != known.sectors {
            // Without an identifier the size is all that tells images apart.
            if !named && number > 1 {
                return foreign("number of sectors");
            }
            self.say_here(
                "volume-disagrees",
                at,
                "two descriptions of the medium give different sizes; the first is used",
            );
        }
        Ok(())
    }

    fn digests(&mut self, kind: Kind, at: u64, body: &[u8]) {
        let length = if kind == Kind::Hash { 32 } else { 76 };
        if !sums(body, length) {
            self.say_here("digest-damaged", at, "a stored digest is damaged and not used");
            return;
        }
        let md5 = array(body, 0).filter(|d| *d != [0; 16]).map(Md5);
        if let (Some(known), Some(new)) = (self.md5, md5)
            && known != new
        {
            self.say_here("digests-disagree", at, "two stored MD5 digests differ; the first is used");
        }
        self.md5 = self.md5.or(md5);
        if kind == Kind::Digest {
            self.sha1 = self.sha1.or(array(body, 16).filter(|d| *d != [0; 20]).map(Sha1));
        }
    }

    fn finish(mut self, missing: Fault) -> Result<Ewf, OpenError> {
        let malformed = |detail: &str| Err(OpenError::malformed(LAYER, 0, detail));
        let Some(volume) = self.volume else {
            return malformed("no intact description of the medium's size; the image cannot be read");
        };
        let bytes_per_sector = volume.bytes_per_sector;
        let chunk_size = u64::from(volume.sectors_per_chunk).saturating_mul(u64::from(bytes_per_sector));
        if chunk_size == 0 || chunk_size > MOST_CHUNK {
            return malformed("the chunk size is 0 or above 128 MiB");
        }
        let Some(media_size) = volume.sectors.checked_mul(u64::from(bytes_per_sector)).filter(|s| *s > 0) else {
            return malformed("the medium has no sectors or more than can be addressed");
        };
        let needed = media_size.div_ceil(chunk_size);
        if u64::from(volume.chunk_count) != needed {
            let detail = format!("the image declares {} chunks, its size needs {needed}", volume.chunk_count);
            self.say("chunk-count-disagrees", None, detail);
        }
        if self.chunks < needed {
            let from = self.chunks.saturating_mul(chunk_size);
            let detail = format!(
                "tables for {} of {needed} chunks are there: the medium cannot be read from byte {from} on ({})",
                self.chunks, missing.1
            );
            self.say("chunks-missing", None, detail);
        } else if self.chunks > needed {
            let detail = format!("the tables hold {} chunks, the medium needs {needed}", self.chunks);
            self.say("chunks-extra", None, detail);
        }
        if !self.errors.is_empty() {
            let sectors = self.errors.iter().fold(0u64, |sum, (_, count)| sum.saturating_add(*count));
            let detail = format!(
                "{sectors} sectors in {} runs could not be read when the image was taken; it holds filling there",
                self.errors.len()
            );
            self.say("acquisition-errors", None, detail);
        }
        let format = match (&self.header2, &self.header) {
            _ if volume.old => "EWF-S01 (SMART)",
            (Some((categories, _)), _) if categories == "3" => "EWF-E01 as of EnCase 5",
            (Some(_), _) => "EWF-E01 as of EnCase 4",
            (None, Some(_)) => "EWF-E01 as of FTK Imager and EnCase 2 and 3",
            (None, None) => "EWF-E01 without a header",
        };
        let facts = EwfFacts {
            chunk_size,
            media_size,
            bytes_per_sector,
            segments: vec![],
            stored_md5: self.md5,
            stored_sha1: self.sha1,
            header: self.header2.or(self.header).map(|h| h.1).unwrap_or_default(),
            acquisition_errors: self.errors,
            compression: match volume.compression {
                0 => "none",
                1 => "fast",
                2 => "best",
                _ => "unknown",
            },
            compressed_chunks: self.tables.iter().fold(0, |sum, t| sum.saturating_add(t.compressed())),
            chunks: self.chunks,
            format,
            set_identifier: Some(volume.set_identifier).filter(|i| *i != [0; 16]),
        };
        let cache = Cache::new(chunk_size);
        Ok(Ewf { facts, problems: self.problems, segments: self.segments, tables: self.tables, missing, cache })
    }
}
