//! A compiled set, opened: its bytes, each block checked against its checksum before it is used for the first time.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use avocet_base::{PdqHash, Sha256};
use sha2::Digest as _;

use super::layout::{self, BLOCK, FACTS, Fact, HEADER, Header, Kind, Section, Widths, u32_at, u64_at};
use super::meta::Meta;
use super::rec::{Blob, Rec, read_varint, value};
use super::{Record, RecordId, Records, SetInfo};
use crate::error::KnownError;
use crate::intake::Rule;
use crate::record::Flags;
use crate::sys::Map;

/// Largest META that is read: what people can take in is a few hundred kilobytes at most.
const MAX_META: u64 = 64 << 20;
/// Kinds are smaller than this.
const KINDS: usize = 0x40;

/// A compiled set. Look-ups need only a shared reference and may run on many threads at once.
pub struct SetFile {
    path: PathBuf,
    map: Map,
    pub(super) header: Header,
    /// Sections by kind.
    sections: Vec<Option<Section>>,
    /// CRC-32 of every block from the second on, those of the checksums themselves left out.
    sums: Vec<u32>,
    /// The filters for MD5, SHA-1 and SHA-256.
    pub(super) filters: [Option<Section>; 3],
    /// One bit for each block that has been found to fit.
    checked: Vec<AtomicU64>,
    pub(super) meta: Meta,
    pub(super) rules: Vec<Rule>,
    info: SetInfo,
}

impl std::fmt::Debug for SetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetFile").field("info", &self.info).finish_non_exhaustive()
    }
}

/// A row's facts, read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Facts {
    pub bits: u16,
    pub category: u16,
    pub series: u32,
    pub size: u64,
    pub source: u32,
    pub place: u64,
    pub id: u64,
    pub details: u64,
    pub pdq: u64,
}

impl Facts {
    pub fn has(&self, bit: u16) -> bool {
        self.bits & bit != 0
    }
}

impl SetFile {
    /// Opens a compiled set: reads and checks its header, its checksums and what it says of itself, however large it is.
    /// Everything else is checked block by block when it is first used.
    ///
    /// # Errors
    /// A file that is no compiled set, is of another version, is cut short or longer than it should be, or is damaged in
    /// the parts named.
    pub fn open(path: &Path) -> Result<SetFile, KnownError> {
        let open = |e: std::io::Error| KnownError::Open { path: path.to_owned(), reason: e.to_string() };
        let refuse = |reason: String| KnownError::NotCompiled { path: path.to_owned(), reason };
        let file = File::open(path).map_err(open)?;
        let metadata = file.metadata().map_err(open)?;
        if !metadata.is_file() {
            return Err(refuse("it is not a regular file".to_owned()));
        }
        if metadata.len() < BLOCK {
            return Err(refuse("it is shorter than the smallest compiled set".to_owned()));
        }
        let map = Map::open(file, metadata.len()).map_err(open)?;
        let bytes = map.bytes();
        let header = Header::decode(bytes, metadata.len()).map_err(refuse)?;
        let first = bytes.get(..HEADER).unwrap_or_default();
        let digest = layout::digest(first);
        if bytes.get(HEADER..BLOCK as usize).unwrap_or_default().iter().any(|b| *b != 0) {
            return Err(refuse("the block of its header holds what does not belong there".to_owned()));
        }
        let mut sections = vec![None; KINDS];
        for section in &header.sections {
            if let Some(slot) = sections.get_mut(section.kind as usize) {
                *slot = Some(*section);
            }
        }
        let (Some(sums), Some(meta)) = (header.section(Kind::Checksums), header.section(Kind::Meta)) else {
            return Err(refuse("a section is missing that every set has".to_owned()));
        };
        let whole = |s: &Section| {
            let at = s.offset as usize;
            let data = bytes.get(at..at + s.length as usize).unwrap_or_default();
            let padding = bytes.get(at + s.length as usize..at + (s.blocks() * BLOCK) as usize).unwrap_or_default();
            let fits = s.sha256.0[..] == sha2::Sha256::digest(data)[..] && padding.iter().all(|b| *b == 0);
            fits.then_some(data).ok_or_else(|| refuse(format!("its section {} is damaged", s.kind.name())))
        };
        let sums: Vec<u32> = whole(sums)?.chunks_exact(4).map(|b| u32_at(b, 0)).collect();
        if meta.length > MAX_META {
            return Err(refuse("what it says of itself is longer than 64 MiB".to_owned()));
        }
        // The parser's own words could quote the content.
        let meta: Meta = serde_json::from_slice(whole(meta)?).map_err(|e| {
            refuse(format!("what it says of itself cannot be read (line {}, column {})", e.line(), e.column()))
        })?;
        let info = meta.info(header.rows, digest).map_err(refuse)?;
        let blocks = metadata.len() / BLOCK;
        let checked = (0..blocks.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        let rules = meta.rules();
        let filters = [Kind::Md5Filter, Kind::Sha1Filter, Kind::Sha256Filter].map(|kind| header.section(kind).copied());
        Ok(SetFile { path: path.to_owned(), map, header, sections, sums, filters, checked, meta, rules, info })
    }

    /// Whether a file begins as a compiled set does.
    pub(crate) fn recognise(path: &Path) -> bool {
        let mut head = [0; 8];
        let read = |mut f: File| std::io::Read::read_exact(&mut f, &mut head).map(|()| head);
        File::open(path).and_then(read).is_ok_and(|head| head == layout::MAGIC)
    }

    /// What the set says of itself.
    pub fn info(&self) -> &SetInfo {
        &self.info
    }

    /// Names exactly this version: SHA-256 of the first 4,096 bytes, which hold the SHA-256 of every section.
    pub fn digest(&self) -> Sha256 {
        self.info.digest
    }

    /// The set under the path by which the user knows it.
    pub(crate) fn called(self, path: &Path) -> SetFile {
        SetFile { path: path.to_owned(), ..self }
    }

    /// The path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file.
    pub fn file_length(&self) -> u64 {
        self.header.file_length
    }

    pub(crate) fn rows(&self) -> u32 {
        u32::try_from(self.header.rows).unwrap_or(u32::MAX)
    }

    pub(super) fn section(&self, kind: Kind) -> Option<&Section> {
        self.sections.get(kind as usize).and_then(Option::as_ref)
    }

    /// All bytes of the file, unchecked; for the check itself.
    pub(super) fn raw(&self) -> &[u8] {
        self.map.bytes()
    }

    /// Bytes of a section, in blocks that have been found to fit their checksums.
    #[inline]
    pub(super) fn bytes(&self, section: &Section, at: u64, length: usize) -> Result<&[u8], KnownError> {
        let end = at.saturating_add(length as u64);
        if end > section.length {
            return Err(self.damaged(section.kind, section.offset.saturating_add(at), BEYOND));
        }
        let from = section.offset + at;
        let last = (section.offset + end).saturating_sub(1) / BLOCK;
        for block in from / BLOCK..=last {
            if !self.is_checked(block) {
                self.check(section.kind, block)?;
            }
        }
        let bytes = self.map.bytes().get(from as usize..(section.offset + end) as usize);
        bytes.ok_or_else(|| self.damaged(section.kind, from, BEYOND))
    }

    #[inline]
    pub(super) fn is_checked(&self, block: u64) -> bool {
        let word = self.checked.get((block / 64) as usize);
        word.is_some_and(|w| w.load(Ordering::Relaxed) & (1 << (block % 64)) != 0)
    }

    /// Compares a block with its checksum. Threads that come at the same time all compare.
    #[cold]
    pub(super) fn check(&self, kind: Kind, block: u64) -> Result<(), KnownError> {
        let at = block * BLOCK;
        let bytes = self.map.bytes().get(at as usize..(at + BLOCK) as usize);
        let sum = block.checked_sub(1).and_then(|n| self.sums.get(n as usize));
        match (bytes, sum) {
            (Some(bytes), Some(sum)) if crc32fast::hash(bytes) == *sum => {
                if let Some(word) = self.checked.get((block / 64) as usize) {
                    word.fetch_or(1 << (block % 64), Ordering::Relaxed);
                }
                Ok(())
            }
            _ => Err(self.damaged(kind, at, "its checksum does not fit")),
        }
    }

    /// An error about the bytes at `offset` of the file.
    #[cold]
    pub(super) fn damaged(&self, kind: Kind, offset: u64, reason: &'static str) -> KnownError {
        KnownError::Damaged { path: self.path.clone(), section: kind.name(), block: offset / BLOCK, offset, reason }
    }

    /// An error about an item of a section.
    #[cold]
    pub(super) fn wrong(&self, section: &Section, at: u64, reason: &'static str) -> KnownError {
        self.damaged(section.kind, section.offset.saturating_add(at), reason)
    }

    pub(super) fn need(&self, kind: Kind) -> Result<&Section, KnownError> {
        self.section(kind).ok_or_else(|| self.damaged(kind, 0, "the section is not there"))
    }

    /// An item of fixed size.
    #[inline]
    pub(super) fn item<const N: usize>(&self, section: &Section, number: u64) -> Result<&[u8; N], KnownError> {
        let at = number.saturating_mul(N as u64);
        self.bytes(section, at, N)?.first_chunk().ok_or_else(|| self.wrong(section, at, BEYOND))
    }

    pub(super) fn facts(&self, row: u32) -> Result<Facts, KnownError> {
        let section = self.need(Kind::Facts)?;
        let Widths(widths) = self.header.widths;
        let stride = self.header.widths.stride();
        let bytes = self.bytes(section, u64::from(row) * stride as u64, stride)?;
        let mut at = 0;
        let mut values = [0u64; FACTS];
        for (to, width) in values.iter_mut().zip(widths) {
            *to = value(bytes, &mut at, width);
        }
        let [bits, category, series, size, source, place, id, details, pdq] = values;
        Ok(Facts {
            bits: bits as u16,
            category: category as u16,
            series: series as u32,
            size,
            source: source as u32,
            place,
            id,
            details,
            pdq,
        })
    }

    /// Only the bits of a row: what look-ups ask first.
    pub(super) fn bits(&self, row: u32) -> Result<u16, KnownError> {
        let section = self.need(Kind::Facts)?;
        let (at, width) = self.header.widths.field(Fact::Bits);
        let bytes = self.bytes(section, u64::from(row) * self.header.widths.stride() as u64 + at as u64, width)?;
        Ok(value(bytes, &mut 0, width as u8) as u16)
    }

    pub(super) fn md5(&self, row: u32, bits: u16) -> Result<Option<&[u8; 16]>, KnownError> {
        if bits & Rec::HAS_MD5 == 0 { Ok(None) } else { self.item(self.need(Kind::Md5)?, u64::from(row)).map(Some) }
    }

    pub(super) fn sha1(&self, row: u32, bits: u16) -> Result<Option<&[u8; 20]>, KnownError> {
        if bits & Rec::HAS_SHA1 == 0 { Ok(None) } else { self.item(self.need(Kind::Sha1)?, u64::from(row)).map(Some) }
    }

    pub(super) fn sha256(&self, row: u32, bits: u16) -> Result<Option<&[u8; 32]>, KnownError> {
        if bits & Rec::HAS_SHA256 == 0 {
            return Ok(None);
        }
        self.item(self.need(Kind::Sha256)?, u64::from(row)).map(Some)
    }

    /// A row's PDQ hash, by the number in its facts.
    pub(super) fn pdq(&self, facts: &Facts) -> Result<Option<&[u8; 32]>, KnownError> {
        let Some(number) = facts.pdq.checked_sub(1) else { return Ok(None) };
        let section = self.need(Kind::Pdq)?;
        Ok(self.item::<36>(section, number)?.first_chunk())
    }

    /// A row's identifier, PhotoDNA value and extra text.
    pub(super) fn details(&self, facts: &Facts) -> Result<Blob<'_>, KnownError> {
        let Some(mut at) = facts.details.checked_sub(1) else { return Ok(Blob::default()) };
        let section = self.need(Kind::Details)?;
        let mut part = || {
            let head = self.bytes(section, at, section.length.saturating_sub(at).min(5) as usize)?;
            let mut rest = head;
            let length = read_varint(&mut rest).ok_or_else(|| self.wrong(section, at, "a length is not whole"))?;
            at += (head.len() - rest.len()) as u64;
            let from = at;
            at = at.saturating_add(length);
            // A length beyond the section is refused before anything is made of it.
            self.bytes(section, from, usize::try_from(length).unwrap_or(usize::MAX))
        };
        Ok(Blob { pdq: None, id: part()?, photodna: part()?, extra: part()? })
    }

    /// The text of a number, 0 being none.
    pub(super) fn series(&self, number: u32) -> Result<Option<&str>, KnownError> {
        match number.checked_sub(1) {
            Some(index) => self.string(index).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn string(&self, index: u32) -> Result<&str, KnownError> {
        let section = self.need(Kind::Strings)?;
        let at = u64::from(index) * 8;
        if u64::from(index) >= section.count {
            return Err(self.wrong(section, at, "a text of this number is not there"));
        }
        let places = self.bytes(section, at, 16)?;
        let (from, to) = (u64_at(places, 0), u64_at(places, 8));
        let length = to.checked_sub(from).and_then(|n| usize::try_from(n).ok());
        let bytes = self.bytes(section, from, length.unwrap_or(usize::MAX))?;
        self.text(section, from, bytes)
    }

    pub(super) fn text<'a>(&self, section: &Section, at: u64, bytes: &'a [u8]) -> Result<&'a str, KnownError> {
        std::str::from_utf8(bytes).map_err(|_| self.wrong(section, at, "a text is not UTF-8"))
    }

    /// How many records of the sources a row stands for.
    pub(super) fn count(&self, row: u32, bits: u16) -> Result<u64, KnownError> {
        if bits & Rec::MORE == 0 {
            return Ok(1);
        }
        let section = self.need(Kind::More)?;
        let item = self.side::<12>(section, row)?;
        Ok(u64_at(item, 4))
    }

    /// The first row, number of rows and row to show of the statement that begins at `first`.
    pub(super) fn group(&self, first: u32) -> Result<(u32, u32), KnownError> {
        let section = self.need(Kind::Repeats)?;
        let item = self.side::<12>(section, first)?;
        let (rows, shown) = (u32_at(item, 4), u32_at(item, 8));
        let end = first.checked_add(rows).filter(|end| *end <= self.rows());
        if rows < 2 || !end.is_some_and(|end| (first..end).contains(&shown)) {
            return Err(self.wrong(section, 0, "a statement's rows are not where they can be"));
        }
        Ok((rows, shown))
    }

    /// The item for a row in a section of items that begin with their row, in order.
    fn side<const N: usize>(&self, section: &Section, row: u32) -> Result<&[u8; N], KnownError> {
        let (mut low, mut high) = (0, section.count);
        while low < high {
            let middle = low + (high - low) / 2;
            let item = self.item::<N>(section, middle)?;
            match u32_at(item, 0).cmp(&row) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(item),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(self.wrong(section, low.saturating_mul(N as u64), "a row has no entry here"))
    }

    /// A row as it was before it became one, for a new version of the set.
    pub(crate) fn rec(&self, row: u32, blob: &mut Vec<u8>) -> Result<Rec, KnownError> {
        let facts = self.facts(row)?;
        let mut rec = Rec {
            size: facts.size,
            id: facts.id,
            place: facts.place,
            count: self.count(row, facts.bits)?,
            source: facts.source,
            series: facts.series,
            category: facts.category,
            bits: facts.bits & !Rec::RELATION,
            ..Rec::default()
        };
        if let Some(digest) = self.md5(row, facts.bits)? {
            rec.md5 = *digest;
        }
        if let Some(digest) = self.sha1(row, facts.bits)? {
            rec.sha1 = *digest;
        }
        if let Some(digest) = self.sha256(row, facts.bits)? {
            rec.sha256 = *digest;
        }
        blob.clear();
        Blob { pdq: self.pdq(&facts)?, ..self.details(&facts)? }.pack(blob);
        rec.blob_len = blob.len() as u32;
        Ok(rec)
    }

    /// One whole record.
    ///
    /// # Errors
    /// A row that is not there; a damaged block on the way.
    pub fn record(&self, row: u32) -> Result<Record, KnownError> {
        let facts = self.facts(row)?;
        let details = self.details(&facts)?;
        let section = || self.need(Kind::Details);
        let text = |bytes| section().and_then(|s| self.text(s, facts.details, bytes)).map(str::to_owned);
        Ok(Record {
            row,
            md5: self.md5(row, facts.bits)?.map(|d| avocet_base::Md5(*d)),
            sha1: self.sha1(row, facts.bits)?.map(|d| avocet_base::Sha1(*d)),
            sha256: self.sha256(row, facts.bits)?.map(|d| Sha256(*d)),
            size: facts.has(Rec::HAS_SIZE).then_some(facts.size),
            category: self.rule(&facts)?.code.clone(),
            series: self.series(facts.series)?.map(str::to_owned),
            flags: Flags((facts.bits & Rec::FLAGS) as u8),
            id: if facts.has(Rec::ID_TEXT) {
                RecordId::Text(text(details.id)?)
            } else if facts.has(Rec::ID_NUMBER) {
                RecordId::Number(facts.id)
            } else {
                RecordId::None
            },
            source: facts.source,
            place: facts.place,
            pdq: self.pdq(&facts)?.map(|p| PdqHash(*p)),
            photodna: (!details.photodna.is_empty()).then(|| details.photodna.to_vec()),
            extra: if details.extra.is_empty() { None } else { Some(text(details.extra)?) },
            count: self.count(row, facts.bits)?,
            repeats: facts.has(Rec::REPEAT),
        })
    }

    pub(super) fn rule(&self, facts: &Facts) -> Result<&Rule, KnownError> {
        let rule = self.rules.get(usize::from(facts.category));
        rule.ok_or_else(|| self.damaged(Kind::Facts, 0, "a row has a category that the set does not define"))
    }

    /// All records in the order of rows.
    pub fn records(&self) -> Records<'_> {
        Records { set: self, rows: 0..self.rows() }
    }

    /// How many rows have a PDQ hash.
    pub fn pdq_count(&self) -> u64 {
        self.section(Kind::Pdq).map_or(0, |s| s.count)
    }

    /// Every PDQ hash with its row, by row.
    pub fn pdq_values(&self) -> impl Iterator<Item = Result<(PdqHash, u32), KnownError>> + '_ {
        (0..self.pdq_count()).map(|number| {
            let item = self.item::<36>(self.need(Kind::Pdq)?, number)?;
            Ok((PdqHash(item.first_chunk().copied().unwrap_or_default()), u32_at(item, 32)))
        })
    }
}

/// Why a place inside a section is refused.
pub(super) const BEYOND: &str = "something points beyond its end";
