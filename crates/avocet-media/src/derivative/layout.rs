//! The bytes of a store, as `docs/formats/derivatives.md` specifies them. Integers are little-endian.

use std::path::{Path, PathBuf};

use super::cipher::{NONCE, TAG};
use super::error::DerivativeError;

/// Which of the two small pictures. The number goes into what is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Small, grey, blurred beyond recognition.
    Veiled,
    /// Small, as it is.
    Clear,
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Kind::Veiled => 1,
            Kind::Clear => 2,
        }
    }
}

/// Where the store of an examination lies: `X.derivatives` beside `X.examination`.
pub fn store_path(examination: &Path) -> PathBuf {
    examination.with_extension("derivatives")
}

/// What a store is called while it is being written.
pub(super) fn unfinished(store: &Path) -> PathBuf {
    store.with_added_extension("partial")
}

pub(super) const MAGIC: [u8; 16] = *b"AVOCET-DERIV\r\n\x1a\n";
pub(super) const VERSION: u32 = 1;
/// The part of the header that never changes.
pub(super) const FIXED: usize = 128;
pub(super) const SLOT: usize = 128;
pub(super) const SLOTS: usize = 8;
pub(super) const HEADER: usize = FIXED + SLOT * SLOTS;

/// One page of the index on disk, and what fits.
pub(super) const PAGE: usize = 4096;
pub(super) const ENTRY: usize = 40;
pub(super) const ENTRIES: usize = (PAGE - NONCE - TAG) / ENTRY;
/// The encrypted end of the file.
pub(super) const END: usize = NONCE + 32 + TAG;

/// The largest bucket number and the largest picture that fits it.
const LAST_BUCKET: u8 = 36;
/// The longest picture that a store keeps, in bytes: one MiB less its length field.
pub const LARGEST_PICTURE: usize = (1 << 20) - 4;

/// Bytes of padded text in a bucket: 2, 2.5, 3, 3.5 KiB, then each four twice the four before, up to 1 MiB. `None`
/// above the last.
pub(super) fn bucket_size(bucket: u8) -> Option<usize> {
    (bucket <= LAST_BUCKET).then(|| (usize::from(4 + bucket % 4) * 512) << (bucket / 4))
}

/// The smallest bucket for a picture and its length field.
pub(super) fn bucket_for(picture: usize) -> Option<u8> {
    let text = picture.checked_add(4)?;
    (0..=LAST_BUCKET).find(|b| bucket_size(*b).is_some_and(|size| size >= text))
}

/// Bytes of a whole record of that bucket in the file.
pub(super) fn record_size(bucket: u8) -> Option<usize> {
    bucket_size(bucket).map(|size| size + NONCE + TAG)
}

/// What a record's cipher binds: the file, whose content it is, which picture, and the padded length.
pub(super) fn record_binding(file_id: &[u8; 32], lookup: &[u8; 32], kind: Kind, padded: usize) -> [u8; 72] {
    let mut out = [0; 72];
    let padded = u32::try_from(padded).unwrap_or(u32::MAX);
    fill(&mut out, &[file_id, lookup, &[kind.number(), 0, 0, 0], &padded.to_le_bytes()]);
    out
}

/// What a page of the index binds: the file, which page, of how many, for how many items.
pub(super) fn page_binding(file_id: &[u8; 32], page: u64, pages: u64, items: u64) -> [u8; 56] {
    let mut out = [0; 56];
    fill(&mut out, &[file_id, &page.to_le_bytes(), &pages.to_le_bytes(), &items.to_le_bytes()]);
    out
}

/// Writes the parts one after the other; the rest stays as it is.
pub(super) fn fill(out: &mut [u8], parts: &[&[u8]]) {
    out.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(o, b)| *o = *b);
}

/// Pages for that many items.
pub(super) fn pages_for(items: u64) -> u64 {
    items.div_ceil(ENTRIES as u64)
}

/// The front of the file: what never changes, and the wrapped keys.
#[derive(Clone)]
pub(super) struct Header {
    pub fixed: [u8; FIXED],
    pub slots: [[u8; SLOT]; SLOTS],
}

impl Header {
    pub fn new(file_id: &[u8; 32], examination_id: &[u8; 32]) -> Header {
        let mut fixed = [0; FIXED];
        let slots = u32::try_from(SLOTS).unwrap_or(0);
        fill(&mut fixed, &[&MAGIC, &VERSION.to_le_bytes(), &slots.to_le_bytes(), file_id, examination_id]);
        Header { fixed, slots: [[0; SLOT]; SLOTS] }
    }

    /// Reads and checks a header that begins with the magic.
    pub fn parse(bytes: &[u8; HEADER]) -> Result<Header, DerivativeError> {
        let damaged = |offset: usize| DerivativeError::Damaged { part: "header", offset: offset as u64 };
        let (fixed, rest) = bytes.split_first_chunk::<FIXED>().ok_or_else(|| damaged(0))?;
        let found = u32::from_le_bytes(field(fixed, MAGIC.len()));
        if found != VERSION {
            return Err(DerivativeError::Version { found });
        }
        let mut header = Header { fixed: *fixed, slots: [[0; SLOT]; SLOTS] };
        if Header::new(&header.file_id(), &header.examination_id()).fixed != header.fixed {
            return Err(damaged(0));
        }
        for (i, (slot, found)) in header.slots.iter_mut().zip(rest.as_chunks::<SLOT>().0).enumerate() {
            *slot = *found;
            // An unused place is zeros.
            let [kind, ..] = *slot;
            if kind == 0 && slot.iter().any(|b| *b != 0) {
                return Err(damaged(FIXED + i * SLOT));
            }
        }
        Ok(header)
    }

    pub fn file_id(&self) -> [u8; 32] {
        field(&self.fixed, 24)
    }

    pub fn examination_id(&self) -> [u8; 32] {
        field(&self.fixed, 56)
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.fixed.iter().chain(self.slots.iter().flatten()).copied().collect()
    }
}

/// `N` bytes from a place; zeros where they are not all there, which the callers' fixed sizes rule out.
pub(super) fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()).copied().unwrap_or([0; N])
}

/// One line of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub lookup: [u8; 32],
    pub place: Place,
}

/// Where the two records of a content lie: the veiled one at `offset`, the clear one right behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub offset: u64,
    pub veiled: u8,
    pub clear: u8,
}

impl Place {
    /// Six bytes of offset, one byte for each bucket.
    pub fn pack(self) -> [u8; 8] {
        let [a, b, c, d, e, f, ..] = self.offset.to_le_bytes();
        [a, b, c, d, e, f, self.veiled, self.clear]
    }

    pub fn unpack(bytes: [u8; 8]) -> Place {
        let [a, b, c, d, e, f, veiled, clear] = bytes;
        Place { offset: u64::from_le_bytes([a, b, c, d, e, f, 0, 0]), veiled, clear }
    }

    /// Where one record begins and how long it is; `None` where the buckets are none.
    pub fn record(self, kind: Kind) -> Option<(u64, usize)> {
        let veiled = record_size(self.veiled)?;
        match kind {
            Kind::Veiled => Some((self.offset, veiled)),
            Kind::Clear => Some((self.offset.checked_add(veiled as u64)?, record_size(self.clear)?)),
        }
    }

    /// Where the second record ends.
    pub fn end(self) -> Option<u64> {
        let (offset, size) = self.record(Kind::Clear)?;
        offset.checked_add(size as u64)
    }
}

impl Entry {
    pub fn unpack(bytes: &[u8; ENTRY]) -> Entry {
        Entry { lookup: field(bytes, 0), place: Place::unpack(field(bytes, 32)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_grow_without_gaps_and_hold_the_largest_picture() {
        let sizes: Vec<usize> = (0..=LAST_BUCKET).map(|b| bucket_size(b).unwrap()).collect();
        assert_eq!(sizes[..9], [2048, 2560, 3072, 3584, 4096, 5120, 6144, 7168, 8192]);
        assert!(sizes.windows(2).all(|w| w[0] < w[1] && w[1] * 4 <= w[0] * 5));
        assert_eq!(*sizes.last().unwrap(), LARGEST_PICTURE + 4);
        assert_eq!(bucket_size(LAST_BUCKET + 1), None);
        for (picture, bucket) in [(0, Some(0)), (2044, Some(0)), (2045, Some(1)), (LARGEST_PICTURE, Some(36))] {
            assert_eq!(bucket_for(picture), bucket, "{picture}");
        }
        assert_eq!(bucket_for(LARGEST_PICTURE + 1), None);
    }

    #[test]
    fn a_place_survives_packing_up_to_48_bits() {
        for offset in [0, HEADER as u64, (1 << 48) - 1] {
            let place = Place { offset, veiled: 3, clear: 36 };
            assert_eq!(Place::unpack(place.pack()), place);
        }
        assert_eq!(ENTRIES, 101);
    }
}
