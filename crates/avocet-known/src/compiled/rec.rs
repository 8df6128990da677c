//! A record on its way into a compiled set: the order of rows, and how records are packed into temporary files.

use std::cmp::Ordering;

use super::layout::prefix;

/// One record. Digests that it lacks are zero.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rec {
    pub md5: [u8; 16],
    pub sha1: [u8; 20],
    pub sha256: [u8; 32],
    /// Bytes; meaningful with [`Rec::HAS_SIZE`].
    pub size: u64,
    /// The record's number; meaningful with [`Rec::ID_NUMBER`].
    pub id: u64,
    pub place: u64,
    /// Records of the sources that say exactly this.
    pub count: u64,
    pub source: u32,
    /// 0 is none; else one more than the string's number.
    pub series: u32,
    pub category: u16,
    /// [`crate::Flags`] in the low five bits, then the bits below.
    pub bits: u16,
    /// Length of the details, and where they lie in the batch.
    pub blob_len: u32,
    pub blob_at: u32,
}

impl Rec {
    pub const FLAGS: u16 = 0x1f;
    pub const HAS_SIZE: u16 = 1 << 5;
    pub const ID_NUMBER: u16 = 1 << 6;
    pub const ID_TEXT: u16 = 1 << 7;
    pub const HAS_MD5: u16 = 1 << 8;
    pub const HAS_SHA1: u16 = 1 << 9;
    pub const HAS_SHA256: u16 = 1 << 10;
    /// More rows with the same statement follow.
    pub const FIRST: u16 = 1 << 11;
    /// An earlier row makes the same statement.
    pub const REPEAT: u16 = 1 << 12;
    /// The row stands for several records; MORE says how many.
    pub const MORE: u16 = 1 << 13;
    /// A deletion; never in a finished file.
    pub const DELETES: u16 = 1 << 15;
    /// What says how a row stands to others, and not what it says.
    pub const RELATION: u16 = Rec::FIRST | Rec::REPEAT | Rec::MORE | Rec::DELETES;
    const ANY_DIGEST: u16 = Rec::HAS_MD5 | Rec::HAS_SHA1 | Rec::HAS_SHA256;
    const ID: u16 = Rec::ID_NUMBER | Rec::ID_TEXT;

    pub fn has(&self, bit: u16) -> bool {
        self.bits & bit != 0
    }

    /// A number that sorts as the beginning of [`compare`] does: two bits for the first kind of digest that the record
    /// has, then as much of that digest as fits.
    pub fn key(&self, blob: &[u8]) -> u64 {
        if self.has(Rec::HAS_MD5) {
            prefix(&self.md5) >> 2
        } else if self.has(Rec::HAS_SHA1) {
            (1 << 62) | prefix(&self.sha1) >> 2
        } else if self.has(Rec::HAS_SHA256) {
            (2 << 62) | prefix(&self.sha256) >> 2
        } else {
            let pdq = Blob::parse(blob).pdq;
            (3 << 62) | pdq.map_or(1 << 61, |pdq| prefix(pdq) >> 3)
        }
    }
}

/// What a record has that is not of fixed length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Blob<'a> {
    pub pdq: Option<&'a [u8; 32]>,
    pub id: &'a [u8],
    pub photodna: &'a [u8],
    pub extra: &'a [u8],
}

impl<'a> Blob<'a> {
    pub fn is_empty(&self) -> bool {
        *self == Blob::default()
    }

    /// Whether the part that goes into DETAILS is empty.
    pub fn is_plain(&self) -> bool {
        self.id.is_empty() && self.photodna.is_empty() && self.extra.is_empty()
    }

    /// Appends the packed form; nothing where there is nothing.
    pub fn pack(&self, out: &mut Vec<u8>) {
        if self.is_empty() {
            return;
        }
        out.push(u8::from(self.pdq.is_some()));
        out.extend(self.pdq.into_iter().flatten());
        self.pack_details(out);
    }

    /// Appends the form that a finished file holds: without the PDQ hash, which has a section of its own.
    pub fn pack_details(&self, out: &mut Vec<u8>) {
        for part in [self.id, self.photodna, self.extra] {
            varint(out, part.len() as u64);
            out.extend_from_slice(part);
        }
    }

    /// Reads what [`Blob::pack`] wrote.
    pub fn parse(mut bytes: &'a [u8]) -> Blob<'a> {
        let Some((has_pdq, rest)) = bytes.split_first() else { return Blob::default() };
        bytes = rest;
        let mut pdq = None;
        if *has_pdq == 1
            && let Some((value, rest)) = bytes.split_first_chunk()
        {
            pdq = Some(value);
            bytes = rest;
        }
        let mut part = || read_part(&mut bytes).unwrap_or_default();
        Blob { pdq, id: part(), photodna: part(), extra: part() }
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Reads a length of at most five bytes; `None` where it is not whole or too large.
pub(crate) fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn read_part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read_varint(bytes)?).ok()?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

/// Present before absent, then by value.
fn digest<const N: usize>(bit: u16, a: &Rec, b: &Rec, x: &[u8; N], y: &[u8; N]) -> Ordering {
    (b.bits & bit).cmp(&(a.bits & bit)).then_with(|| x.cmp(y))
}

/// The order of statements: digests from MD5 to SHA-256, each present before absent; for records without a digest the
/// PDQ hash and the PhotoDNA value; then size, category, series and flags.
pub(crate) fn statement(a: &Rec, a_blob: &[u8], b: &Rec, b_blob: &[u8]) -> Ordering {
    digest(Rec::HAS_MD5, a, b, &a.md5, &b.md5)
        .then_with(|| digest(Rec::HAS_SHA1, a, b, &a.sha1, &b.sha1))
        .then_with(|| digest(Rec::HAS_SHA256, a, b, &a.sha256, &b.sha256))
        .then_with(|| {
            if a.has(Rec::ANY_DIGEST) {
                return Ordering::Equal;
            }
            let (x, y) = (Blob::parse(a_blob), Blob::parse(b_blob));
            y.pdq.is_some().cmp(&x.pdq.is_some()).then_with(|| (x.pdq, x.photodna).cmp(&(y.pdq, y.photodna)))
        })
        .then_with(|| (b.bits & Rec::HAS_SIZE).cmp(&(a.bits & Rec::HAS_SIZE)))
        .then_with(|| (a.size, a.category, a.series).cmp(&(b.size, b.category, b.series)))
        .then_with(|| (a.bits & Rec::FLAGS).cmp(&(b.bits & Rec::FLAGS)))
}

/// The order of names: none, numbers, texts.
pub(crate) fn names(a: &Rec, a_blob: &[u8], b: &Rec, b_blob: &[u8]) -> Ordering {
    (a.bits & Rec::ID).cmp(&(b.bits & Rec::ID)).then_with(|| a.id.cmp(&b.id)).then_with(|| {
        if a.has(Rec::ID_TEXT) { Blob::parse(a_blob).id.cmp(Blob::parse(b_blob).id) } else { Ordering::Equal }
    })
}

/// The order of details within one statement and name; nothing comes first.
pub(crate) fn details(a_blob: &[u8], b_blob: &[u8]) -> Ordering {
    if a_blob.is_empty() && b_blob.is_empty() {
        return Ordering::Equal;
    }
    let (x, y) = (Blob::parse(a_blob), Blob::parse(b_blob));
    (x.pdq, x.photodna, x.extra).cmp(&(y.pdq, y.photodna, y.extra))
}

/// The order of rows: statement, name, details, place.
pub(crate) fn compare(a: &Rec, a_blob: &[u8], b: &Rec, b_blob: &[u8]) -> Ordering {
    statement(a, a_blob, b, b_blob)
        .then_with(|| names(a, a_blob, b, b_blob))
        .then_with(|| details(a_blob, b_blob))
        .then_with(|| (a.source, a.place).cmp(&(b.source, b.place)))
}

/// Longest packed record, details aside: three digests, two fields of 2 bytes and eight of up to 8, rounded up.
const PACKED: usize = 160;

/// Bytes being put together, of a bounded length.
pub(crate) struct Scratch {
    bytes: [u8; PACKED],
    at: usize,
}

impl Scratch {
    pub fn new() -> Scratch {
        Scratch { bytes: [0; PACKED], at: 0 }
    }

    /// The low `width` bytes of a value. Eight are written, and the next value begins over those beyond the width.
    pub fn put(&mut self, value: u64, width: u8) {
        if let Some(to) = self.bytes.get_mut(self.at..).and_then(|b| b.first_chunk_mut()) {
            *to = value.to_le_bytes();
        }
        self.at += usize::from(width);
    }

    fn digest(&mut self, bytes: &[u8], on: bool) {
        if on && let Some(to) = self.bytes.get_mut(self.at..self.at + bytes.len()) {
            to.copy_from_slice(bytes);
            self.at += bytes.len();
        }
    }

    /// What was put since the last call.
    pub fn take(&mut self) -> &[u8] {
        let end = std::mem::take(&mut self.at);
        self.bytes.get(..end).unwrap_or_default()
    }
}

/// Reads `width` bytes at `at` and moves on.
pub(crate) fn value(bytes: &[u8], at: &mut usize, width: u8) -> u64 {
    let from = bytes.get(*at..).unwrap_or_default();
    *at += usize::from(width);
    let mask = if width >= 8 { u64::MAX } else { (1 << (8 * u32::from(width))) - 1 };
    match from.first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight) & mask,
        None => {
            from.iter().take(usize::from(width)).zip((0..64).step_by(8)).fold(0, |v, (b, s)| v | u64::from(*b) << s)
        }
    }
}

/// How the records of one run are packed: what none of them has takes no space.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Packing {
    bits: u16,
    size: u8,
    id: u8,
    place: u8,
    count: u8,
    source: u8,
    series: u8,
    category: u8,
    blob: u8,
}

impl Packing {
    /// The packing that fits all of these.
    pub fn of(recs: &[Rec]) -> Packing {
        let mut most = Rec::default();
        for r in recs {
            most.bits |= r.bits;
            most.size |= r.size;
            most.id |= r.id;
            most.place |= r.place;
            most.count |= r.count;
            most.source |= r.source;
            most.series |= r.series;
            most.category |= r.category;
            most.blob_len |= r.blob_len;
        }
        let width = super::layout::width;
        Packing {
            bits: most.bits,
            size: width(most.size),
            id: width(most.id),
            place: width(most.place),
            count: width(most.count),
            source: width(u64::from(most.source)),
            series: width(u64::from(most.series)),
            category: width(u64::from(most.category)),
            blob: width(u64::from(most.blob_len)),
        }
    }

    /// Bytes of a packed record, details aside.
    pub fn stride(&self) -> usize {
        let digest = |bit: u16, bytes: usize| if self.bits & bit != 0 { bytes } else { 0 };
        let widths =
            [2, self.size, self.id, self.place, self.count, self.source, self.series, self.category, self.blob];
        digest(Rec::HAS_MD5, 16)
            + digest(Rec::HAS_SHA1, 20)
            + digest(Rec::HAS_SHA256, 32)
            + widths.iter().map(|w| usize::from(*w)).sum::<usize>()
    }

    pub fn pack(&self, rec: &Rec, to: &mut Scratch) {
        to.put(u64::from(rec.bits), 2);
        to.digest(&rec.md5, self.bits & Rec::HAS_MD5 != 0);
        to.digest(&rec.sha1, self.bits & Rec::HAS_SHA1 != 0);
        to.digest(&rec.sha256, self.bits & Rec::HAS_SHA256 != 0);
        to.put(rec.size, self.size);
        to.put(rec.id, self.id);
        to.put(rec.place, self.place);
        to.put(rec.count, self.count);
        to.put(u64::from(rec.source), self.source);
        to.put(u64::from(rec.series), self.series);
        to.put(u64::from(rec.category), self.category);
        to.put(u64::from(rec.blob_len), self.blob);
    }

    /// Reads a record from the beginning of `bytes`, which holds it whole.
    pub fn unpack(&self, bytes: &[u8]) -> Rec {
        let mut at = 0;
        let mut rec = Rec { bits: value(bytes, &mut at, 2) as u16, ..Rec::default() };
        fn digest<const N: usize>(bytes: &[u8], at: &mut usize, on: bool, to: &mut [u8; N]) {
            if on && let Some(from) = bytes.get(*at..).and_then(|b| b.first_chunk()) {
                *to = *from;
                *at += N;
            }
        }
        digest(bytes, &mut at, self.bits & Rec::HAS_MD5 != 0, &mut rec.md5);
        digest(bytes, &mut at, self.bits & Rec::HAS_SHA1 != 0, &mut rec.sha1);
        digest(bytes, &mut at, self.bits & Rec::HAS_SHA256 != 0, &mut rec.sha256);
        rec.size = value(bytes, &mut at, self.size);
        rec.id = value(bytes, &mut at, self.id);
        rec.place = value(bytes, &mut at, self.place);
        rec.count = value(bytes, &mut at, self.count);
        rec.source = value(bytes, &mut at, self.source) as u32;
        rec.series = value(bytes, &mut at, self.series) as u32;
        rec.category = value(bytes, &mut at, self.category) as u16;
        rec.blob_len = value(bytes, &mut at, self.blob) as u32;
        rec
    }
}
