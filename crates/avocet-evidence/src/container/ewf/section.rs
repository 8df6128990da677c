//! Sections of a segment file. Source: the EWF specification of the libewf project, checked on images by EnCase, FTK
//! Imager, Guymager's and libewf's writers. Little-endian throughout; every checksum is Adler-32 (RFC 1950).

use crate::bytes::{array, le_u16, le_u32, le_u64, u8_at};
use crate::container::Fault;
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, read_up_to};

pub(super) const FILE_HEADER: u64 = 13;
pub(super) const DESCRIPTOR: u64 = 76;
pub(in crate::container) const EVF: &[u8] = b"EVF\x09\x0d\x0a\xff\x00";
pub(in crate::container) const LVF: &[u8] = b"LVF\x09\x0d\x0a\xff\x00";
pub(in crate::container) const EVF2: &[u8] = b"EVF2\x0d\x0a\x81\x00";
pub(in crate::container) const LEF2: &[u8] = b"LEF2\x0d\x0a\x81\x00";

pub(super) fn adler(data: &[u8]) -> u32 {
    simd_adler32::adler32(&data)
}

/// Whether the four bytes at `at` are the checksum of all bytes before them.
pub(super) fn sums(data: &[u8], at: usize) -> bool {
    data.get(..at).zip(le_u32(data, at)).is_some_and(|(body, stored)| adler(body) == stored)
}

/// The segment number in a file header; `None` where it is not one of an EWF version 1 image.
pub(super) fn segment_number(header: &[u8]) -> Option<u16> {
    let fields = header.strip_prefix(EVF)?;
    (u8_at(fields, 0)? == 1 && le_u16(fields, 3)? == 0).then(|| le_u16(fields, 1))?
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Header,
    Header2,
    Volume,
    Data,
    Sectors,
    Table,
    Table2,
    Next,
    Done,
    Hash,
    Digest,
    Error2,
    Session,
    Incomplete,
    /// Known, and holds nothing this reader needs.
    Passed,
    Unknown,
}

/// One section's descriptor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Section {
    pub(super) kind: Kind,
    /// Offset of the descriptor in the segment file.
    pub(super) start: u64,
    /// Offset of the next descriptor; its own for the last.
    pub(super) next: u64,
    /// Length of the body after the descriptor.
    pub(super) length: u64,
}

impl Section {
    /// Reads the descriptor at `start`.
    pub(super) fn read(source: &dyn Source, start: u64) -> Result<Self, Fault> {
        let damaged = |why| (ReadFault::Damaged, why);
        let data = read_up_to(source, start, 76).map_err(|e| (e.fault, "a section descriptor could not be read"))?;
        if data.len() < 76 {
            return Err((ReadFault::Truncated, "the file ends before its last section"));
        }
        if !sums(&data, 72) {
            return Err(damaged("a section descriptor's checksum is wrong"));
        }
        let read = || Some((array::<16>(&data, 0)?, le_u64(&data, 16)?, le_u64(&data, 24)?));
        let (name, next, size) = read().ok_or(damaged("a section descriptor is cut off"))?;
        let kind = match name.split(|b| *b == 0).next().unwrap_or_default() {
            b"header" => Kind::Header,
            b"header2" => Kind::Header2,
            b"volume" | b"disk" => Kind::Volume,
            b"data" => Kind::Data,
            b"sectors" => Kind::Sectors,
            b"table" => Kind::Table,
            b"table2" => Kind::Table2,
            b"next" => Kind::Next,
            b"done" => Kind::Done,
            b"hash" => Kind::Hash,
            b"digest" => Kind::Digest,
            b"error2" => Kind::Error2,
            b"session" => Kind::Session,
            b"incomplete" => Kind::Incomplete,
            b"xheader" | b"xhash" | b"ltree" | b"ltypes" | b"map" => Kind::Passed,
            _ => Kind::Unknown,
        };
        let last = matches!(kind, Kind::Next | Kind::Done);
        if !last && next < start.saturating_add(DESCRIPTOR) {
            return Err(damaged("a section's successor does not lie behind it"));
        }
        if !last && next > source.len() {
            return Err((ReadFault::Truncated, "a section reaches past the end of the file"));
        }
        // Expert Witness 1.35 leaves the size 0; the successor bounds the body in any case.
        let room = next.saturating_sub(start);
        let size = if size == 0 { room } else { size.min(room) };
        Ok(Self { kind, start, next, length: size.saturating_sub(DESCRIPTOR) })
    }

    pub(super) fn body_start(&self) -> u64 {
        self.start.saturating_add(DESCRIPTOR)
    }

    /// The body, at most `cap` bytes of it.
    pub(super) fn body(&self, source: &dyn Source, cap: u64) -> Result<Vec<u8>, ReadError> {
        read_up_to(source, self.body_start(), usize::try_from(self.length.min(cap)).unwrap_or(usize::MAX))
    }
}

/// The size and make of the medium, from a `volume`, `disk` or `data` section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Volume {
    pub(super) chunk_count: u32,
    pub(super) sectors_per_chunk: u32,
    pub(super) bytes_per_sector: u32,
    pub(super) sectors: u64,
    pub(super) compression: u8,
    /// Zero where the writer sets none.
    pub(super) set_identifier: [u8; 16],
    /// The layout of 94 bytes.
    pub(super) old: bool,
}

/// What a `volume` body is.
pub(super) enum VolumeBody {
    /// Of the layout of EnCase, 1,052 bytes, or that of the first specification and SMART, 94 bytes.
    Good(Volume),
    /// The checksum is wrong.
    Damaged,
}

impl Volume {
    const LENGTH: usize = 1052;
    const OLD_LENGTH: usize = 94;
    /// The old layout does not say how hard chunks are compressed.
    const UNSAID: u8 = 255;

    pub(super) fn parse(data: &[u8]) -> VolumeBody {
        if data.len() < Self::LENGTH {
            let read = || {
                Some(Self {
                    chunk_count: le_u32(data, 4)?,
                    sectors_per_chunk: le_u32(data, 8)?,
                    bytes_per_sector: le_u32(data, 12)?,
                    sectors: u64::from(le_u32(data, 16)?),
                    compression: Self::UNSAID,
                    set_identifier: [0; 16],
                    old: true,
                })
            };
            let volume = read().filter(|_| sums(data, Self::OLD_LENGTH - 4));
            return volume.map_or(VolumeBody::Damaged, VolumeBody::Good);
        }
        if !sums(data, Self::LENGTH - 4) {
            return VolumeBody::Damaged;
        }
        let read = || {
            Some(Self {
                chunk_count: le_u32(data, 4)?,
                sectors_per_chunk: le_u32(data, 8)?,
                bytes_per_sector: le_u32(data, 12)?,
                sectors: le_u64(data, 16)?,
                compression: u8_at(data, 52)?,
                set_identifier: array(data, 64)?,
                old: false,
            })
        };
        read().map_or(VolumeBody::Damaged, VolumeBody::Good)
    }
}

/// The runs of sectors that could not be read on acquisition, as (first, count); `None` where a checksum is wrong.
pub(super) fn acquisition_errors(body: &[u8]) -> Option<Vec<(u64, u64)>> {
    const HEADER: usize = 520;
    if !sums(body, HEADER - 4) {
        return None;
    }
    let length = usize::try_from(le_u32(body, 0)?).ok()?.checked_mul(8)?;
    let rest = body.get(HEADER..)?;
    if !sums(rest, length) {
        return None;
    }
    let runs = rest.get(..length)?.chunks_exact(8);
    runs.map(|run| Some((u64::from(le_u32(run, 0)?), u64::from(le_u32(run, 4)?)))).collect()
}
