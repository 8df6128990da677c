//! Disks stored in blocks that need not be there or are packed: what QCOW, VHD, VHDX and VMDK have in common.
//!
//! A format says with its [`Map`] where a block lies; [`Blocks`] reads it. Tables of blocks are read by pages when they
//! are asked for and never as a whole, so that what an image declares costs no memory. A block that cannot be read is
//! an error; only one that the format defines as zeros reads as zeros.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use flate2::{Decompress, FlushDecompress, Status};
use ruzstd::decoding::StreamingDecoder;

use super::Fault;
use super::cache::Cache;
use crate::bytes::{array, le_u32, le_u64};
use crate::error::{OpenError, ReadError, ReadFault};
use crate::source::{Source, read_up_to};

/// The largest block of any of these formats (VHDX).
const MOST_BLOCK: u64 = 256 << 20;
/// The largest block that may be packed, which is unpacked as a whole (QCOW has at most 2 MiB).
const MOST_PACKED: u64 = 16 << 20;
/// The largest disk: that of VHDX. A larger one is a damaged number, and reading its zeros would never end.
const MOST_DISK: u64 = 64 << 40;
/// Bytes of a table read at a time.
const PAGE: u64 = 16 << 10;

/// How a block is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Deflate without a header.
    Deflate,
    /// A zlib stream, with its checksum.
    Zlib,
    /// The sector it belongs to (8 bytes), the bytes that follow (4), a zlib stream.
    Grain {
        /// The sector that must stand there.
        sector: u64,
    },
    /// A Zstandard frame.
    Zstd,
}

/// Where a block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere: it reads as zeros.
    Zero,
    /// As it is, from this byte of the file.
    At(u64),
    /// Packed, in at most `room` bytes from `at`.
    Packed {
        /// First byte in the file.
        at: u64,
        /// Bytes it may take; the packed form ends by itself.
        room: u64,
        /// How it is packed.
        codec: Codec,
    },
}

/// Says where blocks lie.
pub(super) trait Map: Send + Sync {
    /// The place of a block.
    fn place(&self, block: u64) -> Result<Place, Fault>;
}

/// Numbers in a file that are looked up one by one, read by pages.
pub(super) struct Tables {
    file: Arc<dyn Source>,
    pages: Cache<Arc<[u8]>>,
}

const NO_TABLE: Fault = (ReadFault::Truncated, "the table with its place lies past the end of the file");

impl Tables {
    pub(super) fn new(file: Arc<dyn Source>) -> Self {
        Self { file, pages: Cache::new(PAGE) }
    }

    /// `N` bytes at an offset of the file.
    pub(super) fn entry<const N: usize>(&self, offset: u64) -> Result<[u8; N], Fault> {
        let number = offset / PAGE;
        let page = match self.pages.get(number) {
            Some(page) => page,
            None => {
                let length = usize::try_from(PAGE).unwrap_or(usize::MAX);
                let page = read_up_to(&self.file, number.saturating_mul(PAGE), length)
                    .map_err(|e| (e.fault, "the table with its place cannot be read"))?;
                let page: Arc<[u8]> = Arc::from(page);
                self.pages.put(number, Arc::clone(&page));
                page
            }
        };
        if let Some(found) = usize::try_from(offset % PAGE).ok().and_then(|at| array(&page, at)) {
            return Ok(found);
        }
        // Only where no writer puts a table does an entry lie across two pages.
        let across = read_up_to(&self.file, offset, N).map_err(|e| (e.fault, NO_TABLE.1))?;
        array(&across, 0).ok_or(NO_TABLE)
    }
}

/// Refuses a disk that is larger than any can be.
pub(super) fn check_disk_size(layer: &'static str, length: u64) -> Result<(), OpenError> {
    if length > MOST_DISK {
        let detail = format!("it declares a disk of {length} bytes; more than 64 TiB cannot be");
        return Err(OpenError::malformed(layer, 0, detail));
    }
    Ok(())
}

/// A disk, or an extent of one, in blocks of one file.
pub(super) struct Blocks<M> {
    layer: &'static str,
    file: Arc<dyn Source>,
    map: M,
    block: u64,
    length: u64,
    /// Unpacked blocks, and those that could not be unpacked, so that this is not tried for each part of them.
    unpacked: Cache<Result<Arc<[u8]>, Fault>>,
}

impl<M: Map> Blocks<M> {
    /// A disk of `length` bytes in blocks of `block` bytes.
    pub(super) fn new(
        layer: &'static str,
        file: Arc<dyn Source>,
        map: M,
        block: u64,
        length: u64,
    ) -> Result<Self, OpenError> {
        if block == 0 || block > MOST_BLOCK {
            return Err(OpenError::malformed(layer, 0, format!("its blocks have {block} bytes, which cannot be")));
        }
        check_disk_size(layer, length)?;
        Ok(Self { layer, file, map, block, length, unpacked: Cache::new(block) })
    }

    fn read_plain(&self, at: u64, out: &mut [u8]) -> Result<(), Fault> {
        let wanted = out.len();
        match self.file.read_at(at, out) {
            Ok(n) if n == wanted => Ok(()),
            Ok(_) => Err((ReadFault::Truncated, "the file ends before it does")),
            Err(error) => Err((error.fault, "the file cannot be read there")),
        }
    }

    fn unpack(&self, block: u64, at: u64, room: u64, codec: Codec) -> Result<Arc<[u8]>, Fault> {
        if let Some(known) = self.unpacked.get(block) {
            return known;
        }
        let result = self.unpack_now(block, at, room, codec).map(Arc::from);
        self.unpacked.put(block, result.clone());
        result
    }

    fn unpack_now(&self, block: u64, at: u64, room: u64, codec: Codec) -> Result<Vec<u8>, Fault> {
        if self.block > MOST_PACKED {
            return Err((ReadFault::Unsupported, "packed blocks of this size are not read"));
        }
        // Deflate's worst case is far below twice the block; 1 KiB for markers and frames.
        let most = self.block.saturating_mul(2).saturating_add(1024);
        let room = usize::try_from(room.min(most)).unwrap_or(usize::MAX);
        let stored = read_up_to(&self.file, at, room).map_err(|e| (e.fault, "the file cannot be read there"))?;
        let mut out = vec![0; usize::try_from(self.block).unwrap_or(usize::MAX)];
        let made = match codec {
            Codec::Deflate => inflate(false, &stored, &mut out)?,
            Codec::Zlib => inflate(true, &stored, &mut out)?,
            Codec::Grain { sector } => {
                let ended = (ReadFault::Truncated, "the file ends before it does");
                let (named, length) = le_u64(&stored, 0).zip(le_u32(&stored, 8)).ok_or(ended)?;
                if named != sector {
                    return Err((ReadFault::Damaged, "what is stored there says that it is another block"));
                }
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let packed = stored.get(12..length.saturating_add(12)).ok_or(ended)?;
                inflate(true, packed, &mut out)?
            }
            Codec::Zstd => unzstd(&stored, &mut out)?,
        };
        // The last block of a disk may end with the disk.
        let wanted = self.length.saturating_sub(block.saturating_mul(self.block)).min(self.block);
        if (made as u64) < wanted {
            return Err((ReadFault::Damaged, "it decompresses to fewer bytes than its block"));
        }
        Ok(out)
    }

    /// Reads a part of one block.
    fn read_part(&self, block: u64, inside: u64, out: &mut [u8]) -> Result<(), Fault> {
        match self.map.place(block)? {
            Place::Zero => out.fill(0),
            Place::At(start) => self.read_plain(start.saturating_add(inside), out)?,
            Place::Packed { at, room, codec } => {
                let data = self.unpack(block, at, room, codec)?;
                let from = usize::try_from(inside).unwrap_or(usize::MAX);
                let part = data.get(from..from.saturating_add(out.len()));
                out.copy_from_slice(part.ok_or((ReadFault::Damaged, "it is shorter than its block"))?);
            }
        }
        Ok(())
    }
}

/// Inflates into `out`, which must hold all that comes, and says how much came. What follows the stream in its room is
/// not looked at.
pub(super) fn inflate(zlib: bool, stored: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
    let mut decoder = Decompress::new(zlib);
    match decoder.decompress(stored, out, FlushDecompress::Finish) {
        Ok(Status::StreamEnd) => Ok(usize::try_from(decoder.total_out()).unwrap_or(0)),
        Ok(_) => Err((ReadFault::Damaged, "its compressed data does not end where its block does")),
        Err(_) => Err((ReadFault::Damaged, "its compressed data or checksum is wrong")),
    }
}

/// Unpacks a Zstandard frame into `out`, which must hold all that comes, and says how much came.
pub(crate) fn unzstd(stored: &[u8], out: &mut [u8]) -> Result<usize, Fault> {
    let damaged = (ReadFault::Damaged, "its compressed data or checksum is wrong");
    // The decoder is not ours: a defect in it that ends in a panic costs this block.
    let unpacked = catch_unwind(AssertUnwindSafe(|| {
        // A window larger than the block is of no use to it and would only take memory.
        let window = (out.len() as u64).max(128 << 10);
        let mut decoder = StreamingDecoder::new_with_max_window_size(stored, window).ok()?;
        let mut made = 0;
        while let Some(rest) = out.get_mut(made..).filter(|r| !r.is_empty()) {
            match decoder.read(rest).ok()? {
                0 => break,
                n => made = made.saturating_add(n),
            }
        }
        if decoder.read(&mut [0]).ok()? > 0 {
            return None;
        }
        let frame = decoder.into_frame_decoder();
        let sum = frame.get_checksum_from_data();
        (sum.is_none() || sum == frame.get_calculated_checksum()).then_some(made)
    }));
    unpacked.ok().flatten().ok_or(damaged)
}

impl<M: Map> Source for Blocks<M> {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buf.len().min(rest);
        let mut done = 0;
        while done < wanted {
            let at = offset.saturating_add(done as u64);
            let (block, inside) = (at.checked_div(self.block).unwrap_or(0), at.checked_rem(self.block).unwrap_or(0));
            let n = usize::try_from(self.block.saturating_sub(inside)).unwrap_or(usize::MAX);
            let n = n.min(wanted.saturating_sub(done));
            let Some(out) = buf.get_mut(done..done.saturating_add(n)).filter(|o| !o.is_empty()) else { break };
            self.read_part(block, inside, out).map_err(|(fault, why)| {
                ReadError::new(self.layer, at, fault, format!("block {block} of {} bytes: {why}", self.block))
            })?;
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}
