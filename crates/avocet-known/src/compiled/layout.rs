//! The header of a compiled set: where its sections lie and how a row's facts are packed.

use avocet_base::Sha256;
use sha2::Digest as _;

/// Bytes of a block: the unit of alignment and of checksums.
pub(crate) const BLOCK: u64 = 64 * 1024;
/// Bytes of the header; the rest of its block is zero.
pub(crate) const HEADER: usize = 4096;
/// First bytes of every compiled set. The line ends show a transfer in text mode, as in PNG.
pub(crate) const MAGIC: [u8; 8] = *b"AVSET\r\n\x1a";
/// Version of the layout that is written, and the only one read.
pub(crate) const VERSION: u32 = 1;

const TABLE_AT: usize = 64;
const ENTRY: usize = 64;
/// Sections that fit into the header.
const MAX_SECTIONS: usize = (HEADER - 4 - TABLE_AT) / ENTRY;

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(crate) enum Kind {
    Meta = 1,
    Strings = 2,
    Md5 = 3,
    Sha1 = 4,
    Sha256 = 5,
    Facts = 6,
    Repeats = 7,
    Details = 8,
    Pdq = 9,
    Checksums = 10,
    More = 11,
    Md5Fan = 0x10,
    Sha1Fan = 0x11,
    Sha256Fan = 0x12,
    SizeFan = 0x13,
    PdqFan = 0x14,
    PhotoDnaFan = 0x15,
    Sha1Index = 0x21,
    Sha256Index = 0x22,
    SizeIndex = 0x23,
    PdqIndex = 0x24,
    PhotoDnaIndex = 0x25,
    Md5Filter = 0x30,
    Sha1Filter = 0x31,
    Sha256Filter = 0x32,
}

impl Kind {
    pub const ALL: [Kind; 25] = [
        Kind::Meta,
        Kind::Strings,
        Kind::Md5,
        Kind::Sha1,
        Kind::Sha256,
        Kind::Facts,
        Kind::Repeats,
        Kind::Details,
        Kind::Pdq,
        Kind::Checksums,
        Kind::More,
        Kind::Md5Fan,
        Kind::Sha1Fan,
        Kind::Sha256Fan,
        Kind::SizeFan,
        Kind::PdqFan,
        Kind::PhotoDnaFan,
        Kind::Sha1Index,
        Kind::Sha256Index,
        Kind::SizeIndex,
        Kind::PdqIndex,
        Kind::PhotoDnaIndex,
        Kind::Md5Filter,
        Kind::Sha1Filter,
        Kind::Sha256Filter,
    ];

    /// The name in the specification and in errors.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Meta => "META",
            Kind::Strings => "STRINGS",
            Kind::Md5 => "MD5",
            Kind::Sha1 => "SHA1",
            Kind::Sha256 => "SHA256",
            Kind::Facts => "FACTS",
            Kind::Repeats => "REPEATS",
            Kind::Details => "DETAILS",
            Kind::Pdq => "PDQ",
            Kind::Checksums => "CHECKSUMS",
            Kind::More => "MORE",
            Kind::Md5Fan => "MD5-FAN",
            Kind::Sha1Fan => "SHA1-FAN",
            Kind::Sha256Fan => "SHA256-FAN",
            Kind::SizeFan => "SIZE-FAN",
            Kind::PdqFan => "PDQ-FAN",
            Kind::PhotoDnaFan => "PHOTODNA-FAN",
            Kind::Sha1Index => "SHA1-INDEX",
            Kind::Sha256Index => "SHA256-INDEX",
            Kind::SizeIndex => "SIZE-INDEX",
            Kind::PdqIndex => "PDQ-INDEX",
            Kind::PhotoDnaIndex => "PHOTODNA-INDEX",
            Kind::Md5Filter => "MD5-FILTER",
            Kind::Sha1Filter => "SHA1-FILTER",
            Kind::Sha256Filter => "SHA256-FILTER",
        }
    }

    fn of(number: u32) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| *k as u32 == number)
    }
}

/// Where a section lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section {
    pub kind: Kind,
    /// What the kind needs beside the bytes: see the specification.
    pub param: u32,
    /// First byte in the file, a multiple of [`BLOCK`].
    pub offset: u64,
    /// Bytes, without the padding after them.
    pub length: u64,
    /// Items.
    pub count: u64,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
}

impl Section {
    /// Blocks that the section takes.
    pub fn blocks(&self) -> u64 {
        self.length.div_ceil(BLOCK)
    }
}

/// Fields of a row's facts that are read by themselves, by number. All of them, in order: bits, category, series (0 is
/// none, else one more than the string's number), size, source, place, id, details (0 is none, else one more than the
/// byte in DETAILS), PDQ (0 is none, else one more than the number in PDQ).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fact {
    Bits = 0,
    Size = 3,
}

/// Number of fields in a row's facts.
pub(crate) const FACTS: usize = 9;

/// How many bytes each field of a row's facts takes: no more than the largest value needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Widths(pub [u8; FACTS]);

impl Widths {
    /// Bytes of a row's facts.
    pub fn stride(&self) -> usize {
        self.0.iter().map(|w| usize::from(*w)).sum()
    }

    /// Where a field begins, and its width.
    pub fn field(&self, fact: Fact) -> (usize, usize) {
        let number = fact as usize;
        let at = self.0.iter().take(number).map(|w| usize::from(*w)).sum();
        (at, self.0.get(number).copied().map_or(0, usize::from))
    }
}

/// Bytes that a value needs.
pub(crate) fn width(value: u64) -> u8 {
    (64 - value.leading_zeros()).div_ceil(8) as u8
}

/// The header, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub file_length: u64,
    pub rows: u64,
    pub md5_rows: u64,
    pub widths: Widths,
    pub sections: Vec<Section>,
}

impl Header {
    /// The header's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend((BLOCK as u32).to_le_bytes());
        out.extend(self.file_length.to_le_bytes());
        out.extend(self.rows.to_le_bytes());
        out.extend(self.md5_rows.to_le_bytes());
        out.extend((self.sections.len() as u32).to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.widths.0);
        out.resize(TABLE_AT, 0);
        for s in &self.sections {
            out.extend((s.kind as u32).to_le_bytes());
            out.extend(s.param.to_le_bytes());
            out.extend(s.offset.to_le_bytes());
            out.extend(s.length.to_le_bytes());
            out.extend(s.count.to_le_bytes());
            out.extend(s.sha256.0);
        }
        out.resize(HEADER - 4, 0);
        let sum = crc32fast::hash(&out);
        out.extend(sum.to_le_bytes());
        out
    }

    /// Reads a header and checks everything about it that needs no other byte of the file: that the sections follow one
    /// another without gap or overlap from the second block to the end, and hold what their counts say.
    ///
    /// # Errors
    /// A clause that says what is wrong.
    pub fn decode(bytes: &[u8], file_length: u64) -> Result<Header, String> {
        let fixed = bytes.get(..HEADER).ok_or("it is shorter than a header")?;
        if fixed.get(..8) != Some(&MAGIC) {
            return Err("it does not begin as a compiled set does".to_owned());
        }
        let version = u32_at(fixed, 8);
        if version != VERSION {
            return Err(format!("it is of version {version} and this program reads version {VERSION}"));
        }
        let (body, sum) = fixed.split_at(HEADER - 4);
        if crc32fast::hash(body) != u32_at(sum, 0) {
            return Err("the checksum of its header does not fit".to_owned());
        }
        if u64::from(u32_at(fixed, 12)) != BLOCK {
            return Err("its blocks are not of 64 KiB".to_owned());
        }
        let stated = u64_at(fixed, 16);
        if stated != file_length {
            return Err(format!("it has {file_length} bytes and its header says {stated}"));
        }
        let count = u32_at(fixed, 40) as usize;
        if count > MAX_SECTIONS {
            return Err(format!("it states {count} sections"));
        }
        let mut widths = Widths::default();
        for (to, from) in widths.0.iter_mut().zip(fixed.get(48..).unwrap_or_default()) {
            if *from > 8 {
                return Err("a field of its facts is wider than 8 bytes".to_owned());
            }
            *to = *from;
        }
        let table = fixed.get(TABLE_AT..TABLE_AT + count * ENTRY).unwrap_or_default();
        let mut sections: Vec<Section> = Vec::with_capacity(count);
        let mut next = BLOCK;
        for entry in table.chunks_exact(ENTRY) {
            let number = u32_at(entry, 0);
            let kind = Kind::of(number).ok_or_else(|| format!("it has a section of the unknown kind {number}"))?;
            let mut sha256 = [0; 32];
            sha256.copy_from_slice(entry.get(32..).unwrap_or_default());
            let section = Section {
                kind,
                param: u32_at(entry, 4),
                offset: u64_at(entry, 8),
                length: u64_at(entry, 16),
                count: u64_at(entry, 24),
                sha256: Sha256(sha256),
            };
            if sections.iter().any(|s| s.kind == kind) {
                return Err(format!("it has two sections {}", kind.name()));
            }
            if section.offset != next || section.length > file_length {
                return Err(format!("its section {} lies where it cannot", kind.name()));
            }
            next = section.offset + section.blocks() * BLOCK;
            sections.push(section);
        }
        if next != file_length {
            return Err("its sections do not end where it does".to_owned());
        }
        let header = Header { file_length, rows: u64_at(fixed, 24), md5_rows: u64_at(fixed, 32), widths, sections };
        header.check()?;
        Ok(header)
    }

    pub fn section(&self, kind: Kind) -> Option<&Section> {
        self.sections.iter().find(|s| s.kind == kind)
    }

    /// Whether every section has the length that its count asks for.
    fn check(&self) -> Result<(), String> {
        if self.rows > u64::from(u32::MAX) || self.md5_rows > self.rows {
            return Err("it states more rows than can be numbered".to_owned());
        }
        for s in &self.sections {
            let fits = match s.kind {
                Kind::Md5 => s.count == self.md5_rows && whole(s, 16),
                Kind::Sha1 => s.count == self.rows && whole(s, 20),
                Kind::Sha256 => s.count == self.rows && whole(s, 32),
                Kind::Facts => s.count == self.rows && whole(s, self.widths.stride() as u64),
                Kind::Repeats | Kind::More => whole(s, 12),
                Kind::Pdq => s.count <= self.rows && whole(s, 36),
                Kind::Checksums => whole(s, 4) && s.count + 1 + s.blocks() == self.file_length / BLOCK,
                Kind::Md5Fan | Kind::Sha1Fan | Kind::Sha256Fan | Kind::SizeFan | Kind::PdqFan | Kind::PhotoDnaFan => {
                    s.count >= 2 && whole(s, 4)
                }
                Kind::Sha1Index | Kind::Sha256Index | Kind::SizeIndex | Kind::PdqIndex | Kind::PhotoDnaIndex => {
                    s.param <= 8 && s.count <= self.rows && whole(s, u64::from(s.param) + 4)
                }
                Kind::Md5Filter | Kind::Sha1Filter | Kind::Sha256Filter => s.count > 0 && whole(s, 32),
                Kind::Strings => s.count.checked_add(1).and_then(|n| n.checked_mul(8)).is_some_and(|n| n <= s.length),
                Kind::Meta | Kind::Details => true,
            };
            if !fits {
                return Err(format!("its section {} is not as long as its count says", s.kind.name()));
            }
        }
        let has = |kind| self.section(kind).is_some();
        let needs = |part, whole| !has(part) || has(whole);
        let together = has(Kind::Meta)
            && has(Kind::Checksums)
            && (self.rows == 0 || has(Kind::Facts))
            && has(Kind::Md5) == (self.md5_rows > 0)
            && has(Kind::Md5) == has(Kind::Md5Fan)
            && has(Kind::Sha1) == has(Kind::Sha1Index)
            && has(Kind::Sha256) == has(Kind::Sha256Index)
            && has(Kind::Pdq) == has(Kind::PdqIndex)
            && needs(Kind::PhotoDnaIndex, Kind::Details)
            && [
                (Kind::Sha1Index, Kind::Sha1Fan),
                (Kind::Sha256Index, Kind::Sha256Fan),
                (Kind::SizeIndex, Kind::SizeFan),
                (Kind::PdqIndex, Kind::PdqFan),
                (Kind::PhotoDnaIndex, Kind::PhotoDnaFan),
                (Kind::Md5, Kind::Md5Filter),
                (Kind::Sha1, Kind::Sha1Filter),
                (Kind::Sha256, Kind::Sha256Filter),
            ]
            .into_iter()
            .all(|(a, b)| has(a) == has(b));
        if together { Ok(()) } else { Err("a section is missing that belongs to another".to_owned()) }
    }
}

fn whole(section: &Section, item: u64) -> bool {
    section.count.checked_mul(item) == Some(section.length)
}

/// The digest that names a version: of the header's bytes.
pub(crate) fn digest(header: &[u8]) -> Sha256 {
    Sha256(sha2::Sha256::digest(header).into())
}

/// The four bytes at `at`, little-endian; 0 beyond the end.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
}

/// The eight bytes at `at`, little-endian; 0 beyond the end.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(|b| b.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b))
}

/// The first eight bytes as a number that sorts as they do; what is missing counts as zero.
pub(crate) fn prefix(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => bytes.iter().zip((0..8).rev()).fold(0, |sum, (b, i)| sum | u64::from(*b) << (8 * i)),
    }
}
