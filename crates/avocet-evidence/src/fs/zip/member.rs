//! Reads one member's bytes and holds them to the declared size and CRC-32.

use std::sync::Arc;

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::LAYER;
use crate::entry::{ContentRead, OpenContent};
use crate::error::{ReadError, ReadFault};
use crate::source::{Source, SubSource, read_exact_at};

const CHUNK: u64 = 64 * 1024;

/// Where a member's data lie and what they must come to.
pub(super) struct Packed {
    pub(super) source: Arc<dyn Source>,
    pub(super) start: u64,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) crc: u32,
    pub(super) deflated: bool,
}

impl OpenContent for Packed {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        Ok(Box::new(Reader {
            source: Arc::clone(&self.source),
            at: self.start,
            packed_left: self.compressed,
            left: self.size,
            crc: self.crc,
            sum: Crc::new(),
            // Some writers mark an empty member as deflated and write nothing.
            decoder: (self.deflated && self.compressed > 0).then(|| Decompress::new(false)),
            input: vec![],
            used: 0,
            ended: false,
        }))
    }

    fn source(&self) -> Result<Option<Arc<dyn Source>>, ReadError> {
        // Its CRC-32 was checked when it was digested.
        let stored = !self.deflated && self.compressed == self.size;
        let window = || SubSource::new(Arc::clone(&self.source), self.start, self.size);
        Ok(stored.then(|| Arc::new(window()) as Arc<dyn Source>))
    }
}

struct Reader {
    source: Arc<dyn Source>,
    /// Next byte of the archive to read.
    at: u64,
    packed_left: u64,
    /// Plain bytes still to come.
    left: u64,
    crc: u32,
    sum: Crc,
    decoder: Option<Decompress>,
    input: Vec<u8>,
    used: usize,
    /// The end was checked.
    ended: bool,
}

fn damaged(at: u64, detail: &str) -> ReadError {
    ReadError::new(LAYER, at, ReadFault::Damaged, detail)
}

impl Reader {
    fn stored(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let n = buf.len().min(usize::try_from(self.packed_left).unwrap_or(usize::MAX));
        let Some(part) = buf.get_mut(..n) else { return Ok(0) };
        read_exact_at(&self.source, LAYER, self.at, part)?;
        self.at = self.at.saturating_add(n as u64);
        self.packed_left = self.packed_left.saturating_sub(n as u64);
        Ok(n)
    }

    /// Inflates into `buf` until it is full or the stream ends.
    fn inflate(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|r| !r.is_empty()) {
            if self.used == self.input.len() && self.packed_left > 0 {
                let n = self.packed_left.min(CHUNK);
                self.input.resize(usize::try_from(n).unwrap_or(0), 0);
                read_exact_at(&self.source, LAYER, self.at, &mut self.input)?;
                self.at = self.at.saturating_add(n);
                self.packed_left = self.packed_left.saturating_sub(n);
                self.used = 0;
            }
            let Some(decoder) = self.decoder.as_mut() else { break };
            let input = self.input.get(self.used..).unwrap_or_default();
            let (in_before, out_before) = (decoder.total_in(), decoder.total_out());
            let status = decoder
                .decompress(input, rest, FlushDecompress::None)
                .map_err(|_| damaged(self.at, "the compressed data are not valid deflate data"))?;
            let taken = usize::try_from(decoder.total_in().saturating_sub(in_before)).unwrap_or(0);
            let made = usize::try_from(decoder.total_out().saturating_sub(out_before)).unwrap_or(0);
            self.used = self.used.saturating_add(taken);
            done = done.saturating_add(made);
            match status {
                Status::StreamEnd => break,
                // Nothing moved although there is room: the data end before the stream does.
                _ if taken == 0 && made == 0 && (self.packed_left == 0 || self.used < self.input.len()) => {
                    return Err(damaged(self.at, "the compressed data end before the member does"));
                }
                _ => {}
            }
        }
        Ok(done)
    }

    fn finish(&mut self) -> Result<(), ReadError> {
        // One byte more than declared is asked for: there must be none.
        if self.decoder.is_some() && self.inflate(&mut [0])? > 0 {
            return Err(damaged(self.at, "the member is longer than declared"));
        }
        if self.sum.sum() != self.crc {
            return Err(damaged(self.at, "the CRC-32 of the member does not agree"));
        }
        self.ended = true;
        Ok(())
    }
}

impl ContentRead for Reader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = buf.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let n = match buf.get_mut(..wanted).filter(|b| !b.is_empty()) {
            Some(part) => {
                let n = if self.decoder.is_some() { self.inflate(part)? } else { self.stored(part)? };
                if n < wanted {
                    return Err(damaged(self.at, "the member is shorter than declared"));
                }
                self.sum.update(part);
                n
            }
            None => 0,
        };
        self.left = self.left.saturating_sub(n as u64);
        // Checked with the last bytes, so that nobody takes them for good without having asked once more.
        if self.left == 0 && !self.ended {
            self.finish()?;
        }
        Ok(n)
    }
}
