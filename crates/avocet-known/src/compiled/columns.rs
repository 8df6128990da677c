//! Writes rows into their columns, then the indexes over them, then the file.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use avocet_base::Sha256;
use sha2::Digest as _;

use super::fold::Rows;
use super::index::{Builder, Index, Pairs, each};
use super::layout::{BLOCK, FACTS, Fact, HEADER, Header, Kind, Section, Widths, digest, prefix, width};
use super::part::{Done, Part};
use super::rec::{Blob, Rec, Scratch, value};

/// The largest value of each thing among all records, so that rows take no more room than they need.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Most {
    pub category: u64,
    pub series: u64,
    pub size: u64,
    pub source: u64,
    pub place: u64,
    pub id: u64,
    /// Bytes of all details.
    pub details: u64,
    /// Records with a PDQ hash.
    pub pdq: u64,
}

impl Most {
    fn widths(&self, base: Option<Widths>) -> Widths {
        let own = [
            2,
            width(self.category),
            width(self.series),
            width(self.size),
            width(self.source),
            width(self.place),
            width(self.id),
            width(self.details),
            width(self.pdq),
        ];
        let mut widths = base.unwrap_or_default();
        widths.0.iter_mut().zip(own).for_each(|(w, own)| *w = own.max(*w));
        widths
    }
}

/// The rows of one statement, while they are written.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    first: u32,
    rows: u32,
    shown: u32,
    earliest: (u32, u64),
}

/// Takes rows into columns.
pub(crate) struct Columns {
    rows: u32,
    md5_rows: u64,
    widths: Widths,
    md5: Part,
    sha1: Part,
    sha256: Part,
    /// Rows with a digest of each kind.
    sha1_rows: u64,
    sha256_rows: u64,
    keep_sha1: bool,
    keep_sha256: bool,
    facts: Part,
    details: Part,
    pdq: Part,
    pdq_rows: u32,
    repeats: Part,
    repeat_groups: u64,
    more: Part,
    more_rows: u64,
    group: Option<Group>,
    pdq_keys: Pairs,
    photodna_keys: Pairs,
    photodna_rows: u64,
    /// Statements by category.
    pub categories: Vec<u64>,
    scratch: Scratch,
    packed: Vec<u8>,
}

/// What is known before the first row.
pub(crate) struct Plan<'a> {
    pub folder: &'a Path,
    pub memory: usize,
    pub most: Most,
    pub base: Option<Widths>,
    /// All bits of all records.
    pub bits: u16,
    pub categories: usize,
}

impl Columns {
    pub fn new(plan: &Plan<'_>) -> Columns {
        let part = || Part::new(plan.folder);
        Columns {
            rows: 0,
            md5_rows: 0,
            widths: plan.most.widths(plan.base),
            md5: part(),
            sha1: part(),
            sha256: part(),
            sha1_rows: 0,
            sha256_rows: 0,
            keep_sha1: plan.bits & Rec::HAS_SHA1 != 0,
            keep_sha256: plan.bits & Rec::HAS_SHA256 != 0,
            facts: part(),
            details: part(),
            pdq: part(),
            pdq_rows: 0,
            repeats: part(),
            repeat_groups: 0,
            more: part(),
            more_rows: 0,
            group: None,
            pdq_keys: Pairs::new(plan.folder, plan.memory / 8),
            photodna_keys: Pairs::new(plan.folder, plan.memory / 8),
            photodna_rows: 0,
            categories: vec![0; plan.categories],
            scratch: Scratch::new(),
            packed: vec![],
        }
    }

    fn end_group(&mut self) -> io::Result<()> {
        if let Some(group) = self.group.take() {
            for value in [group.first, group.rows, group.shown] {
                self.repeats.write(&value.to_le_bytes())?;
            }
            self.repeat_groups += 1;
        }
        Ok(())
    }

    fn follow_group(&mut self, rec: &Rec) -> io::Result<()> {
        let place = (rec.source, rec.place);
        if rec.has(Rec::REPEAT) {
            if let Some(group) = &mut self.group {
                group.rows += 1;
                if place < group.earliest {
                    (group.shown, group.earliest) = (self.rows, place);
                }
            }
            return Ok(());
        }
        self.end_group()?;
        if rec.has(Rec::FIRST) {
            self.group = Some(Group { first: self.rows, rows: 1, shown: self.rows, earliest: place });
        }
        if let Some(count) = self.categories.get_mut(usize::from(rec.category)) {
            *count += 1;
        }
        Ok(())
    }
}

impl Rows for Columns {
    type Error = io::Error;

    fn row(&mut self, rec: &Rec, blob: &[u8]) -> io::Result<()> {
        if self.rows == u32::MAX {
            return Err(io::Error::other("a set can have 4,294,967,295 rows"));
        }
        self.follow_group(rec)?;
        if rec.has(Rec::HAS_MD5) {
            self.md5.write(&rec.md5)?;
            self.md5_rows += 1;
        }
        if self.keep_sha1 {
            self.sha1.write(&rec.sha1)?;
            self.sha1_rows += u64::from(rec.has(Rec::HAS_SHA1));
        }
        if self.keep_sha256 {
            self.sha256.write(&rec.sha256)?;
            self.sha256_rows += u64::from(rec.has(Rec::HAS_SHA256));
        }
        let mut bits = rec.bits & !(Rec::MORE | Rec::DELETES);
        if rec.count > 1 {
            bits |= Rec::MORE;
            self.more.write(&self.rows.to_le_bytes())?;
            self.more.write(&rec.count.to_le_bytes())?;
            self.more_rows += 1;
        }
        let (mut details, mut pdq) = (0, 0);
        if !blob.is_empty() {
            let parts = Blob::parse(blob);
            if let Some(hash) = parts.pdq {
                self.pdq.write(hash)?;
                self.pdq.write(&self.rows.to_le_bytes())?;
                self.pdq_keys.push(prefix(hash), self.pdq_rows)?;
                self.pdq_rows += 1;
                pdq = u64::from(self.pdq_rows);
            }
            if !parts.is_plain() {
                details = self.details.len() + 1;
                self.packed.clear();
                parts.pack_details(&mut self.packed);
                self.details.write(&self.packed)?;
            }
            if !parts.photodna.is_empty() {
                self.photodna_keys.push(photodna_key(parts.photodna), self.rows)?;
                self.photodna_rows += 1;
            }
        }
        let values: [u64; FACTS] = [
            u64::from(bits),
            u64::from(rec.category),
            u64::from(rec.series),
            rec.size,
            u64::from(rec.source),
            rec.place,
            rec.id,
            details,
            pdq,
        ];
        for (value, width) in values.into_iter().zip(self.widths.0) {
            self.scratch.put(value, width);
        }
        self.facts.write(self.scratch.take())?;
        self.rows += 1;
        Ok(())
    }
}

/// The key of a PhotoDNA value: values can begin alike, their digests do not.
pub(crate) fn photodna_key(value: &[u8]) -> u64 {
    prefix(&sha2::Sha256::digest(value))
}

/// Rows below which starting threads costs more than it saves.
const SMALL: u64 = 65_536;

/// A finished set of columns with its indexes.
pub(crate) struct Finished {
    pub rows: u64,
    md5_rows: u64,
    pub pdq_rows: u64,
    pub photodna_rows: u64,
    widths: Widths,
    /// In the order of the file, META and STRINGS to be put in front.
    sections: Vec<(Kind, u32, u64, Done)>,
}

impl Columns {
    /// Makes the indexes, several at a time.
    pub fn finish(mut self, folder: &Path, memory: usize) -> io::Result<Finished> {
        self.end_group()?;
        let rows = u64::from(self.rows);
        let widths = self.widths;
        let (md5, facts) = (self.md5.finish()?, self.facts.finish()?);
        let some = |part: Part, any: u64| if any > 0 { part.finish().map(Some) } else { Ok(None) };
        let sha1 = some(self.sha1, self.sha1_rows)?;
        let sha256 = some(self.sha256, self.sha256_rows)?;
        let (md5_rows, memory) = (self.md5_rows, memory / 4);
        let by_sha1 = || digests(sha1.as_ref(), 20, Rec::HAS_SHA1, &facts, widths, folder, memory);
        let by_sha256 = || digests(sha256.as_ref(), 32, Rec::HAS_SHA256, &facts, widths, folder, memory);
        let by_md5 = || md5_index(&md5, md5_rows, folder);
        let by_size = || sizes(&facts, widths, folder, memory);
        let (md5_index, sha1_index, sha256_index, size_index) = if rows < SMALL {
            (by_md5()?, by_sha1()?, by_sha256()?, by_size()?)
        } else {
            std::thread::scope(|scope| {
                let (sha1_index, sha256_index) = (scope.spawn(by_sha1), scope.spawn(by_sha256));
                let (md5_index, size_index) = (by_md5(), by_size());
                let join = |t: std::thread::ScopedJoinHandle<'_, io::Result<Option<Index>>>| {
                    t.join().unwrap_or_else(|_| Err(io::Error::other("an index could not be made")))
                };
                Ok::<_, io::Error>((md5_index?, join(sha1_index)?, join(sha256_index)?, size_index?))
            })?
        };
        let mut sections = vec![];
        let mut add = |kind, param, count, done: Option<Done>| {
            sections.extend(done.filter(|_| count > 0).map(|done| (kind, param, count, done)));
        };
        add(Kind::Md5, 0, md5_rows, Some(md5));
        add(Kind::Sha1, 0, rows, sha1);
        add(Kind::Sha256, 0, rows, sha256);
        add(Kind::Facts, 0, rows, Some(facts));
        add(Kind::Repeats, 0, self.repeat_groups, Some(self.repeats.finish()?));
        add(Kind::More, 0, self.more_rows, Some(self.more.finish()?));
        let details = self.details.finish()?;
        add(Kind::Details, 0, details.length, Some(details));
        add(Kind::Pdq, 0, u64::from(self.pdq_rows), Some(self.pdq.finish()?));
        let mut index = |index: Option<Index>, fan, entries: Option<Kind>, filter: Option<Kind>| {
            let Some(index) = index else { return };
            add(fan, index.shift, index.slots, Some(index.fan));
            if let Some(kind) = entries {
                add(kind, index.width, index.keys, index.entries);
            }
            if let Some(kind) = filter {
                add(kind, 0, index.lines, index.filter);
            }
        };
        index(md5_index, Kind::Md5Fan, None, Some(Kind::Md5Filter));
        index(sha1_index, Kind::Sha1Fan, Some(Kind::Sha1Index), Some(Kind::Sha1Filter));
        index(sha256_index, Kind::Sha256Fan, Some(Kind::Sha256Index), Some(Kind::Sha256Filter));
        index(size_index, Kind::SizeFan, Some(Kind::SizeIndex), None);
        index(self.pdq_keys.index(false)?, Kind::PdqFan, Some(Kind::PdqIndex), None);
        index(self.photodna_keys.index(false)?, Kind::PhotoDnaFan, Some(Kind::PhotoDnaIndex), None);
        Ok(Finished {
            rows,
            md5_rows,
            pdq_rows: u64::from(self.pdq_rows),
            photodna_rows: self.photodna_rows,
            widths,
            sections,
        })
    }
}

fn md5_index(md5: &Done, rows: u64, folder: &Path) -> io::Result<Option<Index>> {
    if rows == 0 {
        return Ok(None);
    }
    let mut builder = Builder::new(folder, rows, u64::MAX, false, true);
    each(md5, 16, |row, digest| builder.push(prefix(digest), row))?;
    builder.finish().map(Some)
}

/// Bits of every row, in order.
struct BitsOf<'a> {
    reader: Box<dyn io::Read + Send + 'a>,
    row: Vec<u8>,
}

impl<'a> BitsOf<'a> {
    fn new(facts: &'a Done, widths: Widths) -> io::Result<BitsOf<'a>> {
        Ok(BitsOf { reader: facts.reader()?, row: vec![0; widths.stride()] })
    }

    fn next(&mut self) -> io::Result<u16> {
        self.reader.read_exact(&mut self.row)?;
        Ok(value(&self.row, &mut 0, 2) as u16)
    }
}

fn digests(
    column: Option<&Done>,
    size: usize,
    bit: u16,
    facts: &Done,
    widths: Widths,
    folder: &Path,
    memory: usize,
) -> io::Result<Option<Index>> {
    let Some(column) = column else { return Ok(None) };
    let mut bits = BitsOf::new(facts, widths)?;
    let mut pairs = Pairs::new(folder, memory);
    each(column, size, |row, digest| {
        let bits = bits.next()?;
        if bits & bit != 0 && bits & Rec::REPEAT == 0 { pairs.push(prefix(digest), row) } else { Ok(()) }
    })?;
    pairs.index(true)
}

fn sizes(facts: &Done, widths: Widths, folder: &Path, memory: usize) -> io::Result<Option<Index>> {
    let (at, width) = widths.field(Fact::Size);
    let mut pairs = Pairs::new(folder, memory);
    each(facts, widths.stride(), |row, fact| {
        let bits = value(fact, &mut 0, 2) as u16;
        if bits & Rec::HAS_SIZE == 0 || bits & Rec::REPEAT != 0 {
            return Ok(());
        }
        pairs.push(value(fact, &mut { at }, width as u8), row)
    })?;
    pairs.index(false)
}

/// The section of texts: where each begins, one place more for the end, then the texts.
pub(crate) fn strings<'a>(
    texts: impl Iterator<Item = &'a str> + Clone,
    folder: &Path,
) -> io::Result<Option<(u64, Done)>> {
    let count = texts.clone().count() as u64;
    if count == 0 {
        return Ok(None);
    }
    let mut part = Part::new(folder);
    let mut at = (count + 1) * 8;
    part.write(&at.to_le_bytes())?;
    for text in texts.clone() {
        at += text.len() as u64;
        part.write(&at.to_le_bytes())?;
    }
    for text in texts {
        part.write(text.as_bytes())?;
    }
    Ok(Some((count, part.finish()?)))
}

impl Finished {
    /// Puts the file together.
    pub fn write(self, meta: &[u8], strings: Option<(u64, Done)>, folder: &Path, out: &mut File) -> io::Result<Sha256> {
        let mut part = Part::new(folder);
        part.write(meta)?;
        let mut all = vec![(Kind::Meta, 0, meta.len() as u64, part.finish()?)];
        all.extend(strings.map(|(count, done)| (Kind::Strings, 0, count, done)));
        all.extend(self.sections);
        let mut sums = Part::new(folder);
        let mut blocks = 0u64;
        for sum in all.iter().flat_map(|(.., done)| &done.sums) {
            sums.write(&sum.to_le_bytes())?;
            blocks += 1;
        }
        all.push((Kind::Checksums, 0, blocks, sums.finish()?));
        let mut sections: Vec<Section> = vec![];
        let mut at = BLOCK;
        for (kind, param, count, done) in &all {
            let section = Section {
                kind: *kind,
                param: *param,
                offset: at,
                length: done.length,
                count: *count,
                sha256: done.sha256,
            };
            at += section.blocks() * BLOCK;
            sections.push(section);
        }
        let header =
            Header { file_length: at, rows: self.rows, md5_rows: self.md5_rows, widths: self.widths, sections };
        let bytes = header.encode();
        debug_assert_eq!(bytes.len(), HEADER);
        out.write_all(&bytes)?;
        out.seek(SeekFrom::Start(BLOCK))?;
        for (.., done) in all {
            done.copy_to(out)?;
        }
        out.set_len(at)?;
        Ok(digest(&bytes))
    }
}
