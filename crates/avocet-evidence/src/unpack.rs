//! Compressed streams, unpacked once into a [`Scratch`] within bounds.
//!
//! A stream that breaks off keeps what came before: the problem says where. A decoder is not ours, so a defect in it that
//! ends in a panic costs this stream and not the program.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `stream-damaged` | the compressed data are damaged or cut off; what could be unpacked up to there is used |
//! | `unpack-capped` | the data unpack to more than is read; the rest was not |
//! | `bytes-after-stream` | bytes follow the compressed data that are not part of them |

use std::io::{BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use flate2::bufread::{GzDecoder, ZlibDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use crate::codec::bzip2;
use crate::error::{Problem, ReadError};
use crate::scratch::Scratch;
use crate::source::Source;

/// Bytes read and unpacked at a time.
const STEP: usize = 128 << 10;
/// Memory that the window of a stream may take: xz in KiB, Zstandard in bytes. Both write windows of up to 64 and 128 MiB
/// at their strongest ordinary settings.
const MOST_XZ_KIB: u32 = 192 << 10;
const MOST_ZSTD: u64 = 128 << 20;

/// How a stream is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// gzip, of one or more members.
    Gzip,
    /// xz, of one or more streams.
    Xz,
    /// Zstandard, of one or more frames.
    Zstd,
    /// bzip2, of one or more streams.
    Bzip2,
    /// A zlib stream.
    Zlib,
}

impl Packing {
    /// Recognises a stream by its first bytes. A zlib stream has too weak a mark and is never found this way.
    pub fn recognise(head: &[u8]) -> Option<Self> {
        // gzip with deflate and no reserved flag.
        if head.starts_with(b"\x1f\x8b\x08") && head.get(3).is_some_and(|flags| *flags < 0x20) {
            return Some(Self::Gzip);
        }
        if head.starts_with(b"\xfd7zXZ\0") {
            return Some(Self::Xz);
        }
        // bzip2: the size of its blocks, then a block or, of nothing, the end.
        let bzip2 = head.starts_with(bzip2::MAGIC)
            && matches!(head.get(3), Some(b'1'..=b'9'))
            && matches!(head.get(4..10), Some(b"1AY&SY" | b"\x17\x72\x45\x38\x50\x90"));
        if bzip2 {
            return Some(Self::Bzip2);
        }
        head.starts_with(b"\x28\xb5\x2f\xfd").then_some(Self::Zstd)
    }

    /// The name used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Zlib => "zlib",
        }
    }

    /// The name of a raw disk image that is packed so.
    pub fn raw_kind(self) -> &'static str {
        match self {
            Self::Gzip | Self::Zlib => "raw.gz",
            Self::Xz => "raw.xz",
            Self::Zstd => "raw.zst",
            Self::Bzip2 => "raw.bz2",
        }
    }

    /// The name of a tar archive that is packed so.
    pub fn tar_kind(self) -> &'static str {
        match self {
            Self::Gzip | Self::Zlib => "tar.gz",
            Self::Xz => "tar.xz",
            Self::Zstd => "tar.zst",
            Self::Bzip2 => "tar.bz2",
        }
    }
}

/// How much a stream may unpack to.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// Times its packed size.
    pub ratio: u64,
    /// Bytes beside that.
    pub base: u64,
    /// Bytes in all, whatever the packed size.
    pub most: u64,
}

impl Limit {
    /// For evidence itself: 256 times its size and 1 GiB, at most 16 TiB.
    pub const EVIDENCE: Limit = Limit { ratio: 256, base: 1 << 30, most: 16 << 40 };

    /// Bytes that so many packed ones may unpack to.
    pub(crate) fn bytes(self, packed: u64) -> u64 {
        packed.saturating_mul(self.ratio).saturating_add(self.base).min(self.most)
    }
}

/// What a stream held.
pub struct Unpacked {
    /// The bytes.
    pub source: Arc<dyn Source>,
    /// What was wrong with it.
    pub problems: Vec<Problem>,
    /// Whether it was unpacked to its end and its checksums are right.
    pub whole: bool,
}

/// Bytes that are looked at before it is decided what follows.
const LOOK: usize = 16;

/// Reads a source from front to back, and keeps the error that the source gave. What it shows has at least [`LOOK`] bytes,
/// or all that are left, so that the beginning of a further stream is never cut.
struct Forward<'a> {
    source: &'a dyn Source,
    /// The next byte of the source to read.
    at: u64,
    failed: Option<ReadError>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl<'a> Forward<'a> {
    fn new(source: &'a dyn Source) -> Self {
        Self { source, at: 0, failed: None, buffer: vec![0; STEP], start: 0, end: 0 }
    }

    fn held(&self) -> usize {
        self.end.saturating_sub(self.start)
    }
}

impl BufRead for Forward<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.held() < LOOK && self.at < self.source.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.held());
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.source.read_at(self.at, room) {
                Ok(n) => {
                    self.at = self.at.saturating_add(n as u64);
                    self.end = self.end.saturating_add(n);
                }
                Err(error) => {
                    self.failed = Some(error);
                    return Err(std::io::Error::other("the evidence cannot be read"));
                }
            }
        }
        Ok(self.buffer.get(self.start..self.end).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.start = self.start.saturating_add(amount).min(self.end);
    }
}

impl Read for Forward<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let from = self.fill_buf()?;
        let n = from.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), from.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Ok(n)
    }
}

/// Why unpacking ended before the end.
enum Ended {
    /// More than the limit.
    Capped,
    /// The scratch has no room.
    Full(ReadError),
    /// The data are damaged.
    Damaged,
}

struct Sink<'a> {
    writer: &'a mut dyn crate::scratch::ScratchWriter,
    made: u64,
    limit: u64,
    buffer: Vec<u8>,
}

impl Sink<'_> {
    /// Takes all that a decoder gives.
    fn take(&mut self, mut from: impl Read) -> Result<(), Ended> {
        loop {
            let n = from.read(&mut self.buffer).map_err(|_| Ended::Damaged)?;
            let Some(bytes) = self.buffer.get(..n).filter(|b| !b.is_empty()) else { return Ok(()) };
            let room = usize::try_from(self.limit.saturating_sub(self.made)).unwrap_or(usize::MAX);
            let kept = bytes.get(..room.min(n)).unwrap_or(bytes);
            self.writer.write(kept).map_err(Ended::Full)?;
            self.made = self.made.saturating_add(kept.len() as u64);
            if kept.len() < n {
                return Err(Ended::Capped);
            }
        }
    }
}

/// Unpacks streams of one kind that stand one after the other. Says whether other bytes follow them.
fn run(packing: Packing, input: &mut Forward<'_>, sink: &mut Sink<'_>) -> Result<bool, Ended> {
    let mut first = true;
    loop {
        let head = input.fill_buf().map_err(|_| Ended::Damaged)?;
        if head.is_empty() {
            // Nothing at all is no stream.
            return if first { Err(Ended::Damaged) } else { Ok(false) };
        }
        match packing {
            Packing::Gzip if first || head.starts_with(b"\x1f\x8b") => sink.take(GzDecoder::new(&mut *input))?,
            Packing::Bzip2 if first || head.starts_with(bzip2::MAGIC) => sink.take(bzip2::Decoder::new(&mut *input))?,
            Packing::Zlib if first => sink.take(ZlibDecoder::new(&mut *input))?,
            Packing::Xz if first => {
                sink.take(XzReader::new_mem_limit(&mut *input, true, MOST_XZ_KIB))?;
            }
            Packing::Zstd if first || head.starts_with(b"\x28\xb5\x2f\xfd") => {
                let mut decoder =
                    StreamingDecoder::new_with_max_window_size(&mut *input, MOST_ZSTD).map_err(|_| Ended::Damaged)?;
                sink.take(&mut decoder)?;
                let frame = decoder.into_frame_decoder();
                let sum = frame.get_checksum_from_data();
                if sum.is_some() && sum != frame.get_calculated_checksum() {
                    return Err(Ended::Damaged);
                }
            }
            // Frames that hold nothing of the content (RFC 8878, 3.1.2).
            Packing::Zstd if matches!(head.first(), Some(0x50..=0x5f)) && head.get(1..4) == Some(b"\x2a\x4d\x18") => {
                let mut header = [0; 8];
                input.read_exact(&mut header).map_err(|_| Ended::Damaged)?;
                let [_, _, _, _, length @ ..] = header;
                let length = u64::from(u32::from_le_bytes(length));
                let skipped = std::io::copy(&mut Read::by_ref(input).take(length), &mut std::io::sink());
                if skipped.ok() != Some(length) {
                    return Err(Ended::Damaged);
                }
            }
            _ => return others_follow(input),
        }
        first = false;
    }
}

/// Whether bytes other than zeros follow.
fn others_follow(input: &mut Forward<'_>) -> Result<bool, Ended> {
    loop {
        let bytes = input.fill_buf().map_err(|_| Ended::Damaged)?;
        if bytes.is_empty() || bytes.iter().any(|b| *b != 0) {
            return Ok(!bytes.is_empty());
        }
        let n = bytes.len();
        input.consume(n);
    }
}

/// Unpacks a stream.
///
/// # Errors
/// [`ReadError`] where the source cannot be read, or the scratch has no room.
pub fn unpack(
    packing: Packing,
    source: &dyn Source,
    limit: Limit,
    scratch: &dyn Scratch,
) -> Result<Unpacked, ReadError> {
    let layer = packing.as_str();
    let mut writer = scratch.begin();
    let limit = limit.bytes(source.len());
    let mut sink = Sink { writer: &mut *writer, made: 0, limit, buffer: vec![0; STEP] };
    let mut input = Forward::new(source);
    let ended = catch_unwind(AssertUnwindSafe(|| run(packing, &mut input, &mut sink))).unwrap_or(Err(Ended::Damaged));
    let made = sink.made;
    let at = input.at.saturating_sub(input.held() as u64);
    if let Some(error) = input.failed {
        return Err(error);
    }
    let mut problems = vec![];
    let whole = ended.is_ok();
    match ended {
        Ok(false) => {}
        Ok(true) => {
            let detail = format!("{} bytes follow that are not part of it", source.len().saturating_sub(at));
            problems.push(Problem::new(layer, "bytes-after-stream", Some(at), detail));
        }
        Err(Ended::Full(error)) => return Err(error),
        Err(Ended::Capped) => {
            let detail = format!("it unpacks to more than the {limit} bytes that are read; the rest was not");
            problems.push(Problem::new(layer, "unpack-capped", Some(at), detail));
        }
        Err(Ended::Damaged) => {
            let detail = format!("the compressed data are damaged or cut off after {made} bytes of content");
            problems.push(Problem::new(layer, "stream-damaged", Some(at), detail));
        }
    }
    Ok(Unpacked { source: writer.finish()?, problems, whole })
}
