//! Collects what the readers find, within budgets.

use std::collections::BTreeMap;

use super::fact::{Fact, Key, Source};
use super::problem::{Problem, ProblemCode};
use super::{Metadata, text};

const MAX_FACTS: usize = 512;
/// No camera comes near any of these; hostile files are made to.
const MAX_ENTRIES: u32 = 50_000;
const MAX_DIRECTORIES: u32 = 256;
const MAX_BLOCKS: u32 = 64;
const MAX_TEXT: usize = 16 << 20;
const MAX_UNPACKED: usize = 16 << 20;
/// Largest thumbnail taken. EXIF thumbnails in JPEG are below 64 KiB; RAW files carry larger ones in the same tags.
const MAX_THUMBNAIL: usize = 4 << 20;

pub(super) struct Gather {
    facts: Vec<Fact>,
    thumbnail: Option<Vec<u8>>,
    other_thumbnail: Option<Vec<u8>>,
    problems: BTreeMap<ProblemCode, (u64, u64)>,
    entries: u32,
    directories: u32,
    blocks: u32,
    text: usize,
    unpacked: usize,
    exif_seen: bool,
}

impl Default for Gather {
    fn default() -> Gather {
        Gather {
            facts: Vec::new(),
            thumbnail: None,
            other_thumbnail: None,
            problems: BTreeMap::new(),
            entries: MAX_ENTRIES,
            directories: MAX_DIRECTORIES,
            blocks: MAX_BLOCKS,
            text: MAX_TEXT,
            unpacked: MAX_UNPACKED,
            exif_seen: false,
        }
    }
}

impl Gather {
    /// A value that is already text of the escaped form. An empty one is no value.
    pub(super) fn fact(&mut self, key: Key, source: Source, value: impl Into<String>) {
        let mut value = value.into();
        if value.is_empty() {
            return;
        }
        if text::cut(&mut value) {
            self.problem(ProblemCode::ValueCut, 0);
        }
        let fact = Fact { key, source, value };
        if self.facts.contains(&fact) {
            return;
        }
        if self.facts.len() >= MAX_FACTS {
            self.problem(ProblemCode::TooMuch, 0);
            return;
        }
        self.facts.push(fact);
    }

    /// Bytes of text: cut at the first NUL, trimmed, escaped.
    pub(super) fn text(&mut self, key: Key, source: Source, bytes: &[u8]) {
        self.fact(key, source, text::from_bytes(bytes));
    }

    pub(super) fn problem(&mut self, code: ProblemCode, offset: usize) {
        let (_, count) = self.problems.entry(code).or_insert((offset as u64, 0));
        *count = count.saturating_add(1);
    }

    /// A thumbnail out of EXIF: the first one counts.
    pub(super) fn thumbnail(&mut self, bytes: &[u8], at: usize) {
        if self.thumbnail.is_none() {
            self.thumbnail = self.checked_thumbnail(bytes, at);
        }
    }

    /// A thumbnail stored elsewhere: counts where EXIF has none.
    pub(super) fn other_thumbnail(&mut self, bytes: &[u8], at: usize) {
        if self.other_thumbnail.is_none() {
            self.other_thumbnail = self.checked_thumbnail(bytes, at);
        }
    }

    fn checked_thumbnail(&mut self, bytes: &[u8], at: usize) -> Option<Vec<u8>> {
        let good = bytes.starts_with(&[0xff, 0xd8]) && bytes.len() <= MAX_THUMBNAIL;
        if !good {
            self.problem(ProblemCode::BadThumbnail, at);
        }
        good.then(|| bytes.to_vec())
    }

    /// Asks for a directory of `entries` entries; `false` where a budget is spent.
    pub(super) fn may_read_directory(&mut self, entries: usize, at: usize) -> bool {
        let entries = u32::try_from(entries).unwrap_or(u32::MAX);
        match (self.entries.checked_sub(entries), self.directories.checked_sub(1)) {
            (Some(e), Some(d)) => {
                self.entries = e;
                self.directories = d;
                true
            }
            _ => {
                self.problem(ProblemCode::TooMuch, at);
                false
            }
        }
    }

    /// Asks for one more block (EXIF, XMP, IPTC, a record).
    pub(super) fn may_read_block(&mut self, at: usize) -> bool {
        if let Some(left) = self.blocks.checked_sub(1) {
            self.blocks = left;
            return true;
        }
        self.problem(ProblemCode::TooMuch, at);
        false
    }

    /// Asks for `bytes` bytes of text to be scanned or copied.
    pub(super) fn may_read_text(&mut self, bytes: usize) -> bool {
        if let Some(left) = self.text.checked_sub(bytes) {
            self.text = left;
            return true;
        }
        self.problem(ProblemCode::TooMuch, 0);
        false
    }

    /// How many bytes may still be unpacked.
    pub(super) fn unpack_limit(&self) -> usize {
        self.unpacked
    }

    /// Notes that `bytes` bytes were unpacked.
    pub(super) fn unpacked(&mut self, bytes: usize) {
        self.unpacked = self.unpacked.saturating_sub(bytes);
    }

    /// What the next EXIF block is: the first one, or a further one.
    pub(super) fn next_exif(&mut self) -> Source {
        if std::mem::replace(&mut self.exif_seen, true) { Source::ExifFurther } else { Source::Exif }
    }

    /// Whether values of a maker note were found already.
    pub(super) fn has(&self, key: Key, source: Source) -> bool {
        self.facts.iter().any(|f| f.key == key && f.source == source)
    }

    pub(super) fn finish(mut self) -> Metadata {
        // Stable: within one key and source the order of the file stays.
        self.facts.sort_by_key(|f| (f.key, f.source));
        Metadata {
            facts: self.facts,
            thumbnail: self.thumbnail.or(self.other_thumbnail),
            problems: self
                .problems
                .into_iter()
                .map(|(code, (offset, count))| Problem { code, offset, count, sentence: code.sentence().to_owned() })
                .collect(),
        }
    }
}
