//! Puts the decoders of a block together.

use std::io::{BufRead, BufReader, Error, Read, Result};
use std::sync::Arc;

use flate2::bufread::DeflateDecoder;
use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::bcj2::Bcj2Reader;
use lzma_rust2::filter::delta::DeltaReader;
use lzma_rust2::{Lzma2Reader, LzmaReader};

use super::header::Block;
use crate::bytes::{le_u32, u8_at};
use crate::codec::bzip2;
use crate::source::Source;

/// Memory that the window of a block may take: 7-Zip's strongest ordinary setting takes 64 MiB.
const MOST_WINDOW: u64 = 192 << 20;
/// Bytes read of the archive at a time.
const STEP: usize = 64 << 10;

/// Why a block is not unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cannot {
    /// A method that is not read.
    Method(&'static str),
    /// A password is needed.
    Encrypted,
    /// What is said of it contradicts itself.
    Broken,
}

/// A stretch of the archive, read from front to back.
struct Window {
    source: Arc<dyn Source>,
    at: u64,
    left: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl BufRead for Window {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        if self.used >= self.buffer.len() {
            let n = self.left.min(STEP as u64);
            self.buffer.resize(usize::try_from(n).unwrap_or(0), 0);
            let got = self.source.read_at(self.at, &mut self.buffer);
            let got = got.map_err(|_| Error::other("the evidence cannot be read"))?;
            self.buffer.truncate(got);
            self.used = 0;
            self.at = self.at.saturating_add(got as u64);
            self.left = if got == 0 { 0 } else { self.left.saturating_sub(got as u64) };
        }
        Ok(self.buffer.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.used = self.used.saturating_add(amount).min(self.buffer.len());
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let from = self.fill_buf()?;
        let n = from.len().min(buf.len());
        if let (Some(to), Some(from)) = (buf.get_mut(..n), from.get(..n)) {
            to.copy_from_slice(from);
        }
        self.consume(n);
        Ok(n)
    }
}

type Plain = Box<dyn Read>;

/// The name of a method that is not read.
fn unread(method: u64) -> &'static str {
    match method {
        0x0003_0401 => "7z method PPMd",
        0x0004_0109 => "7z method deflate64",
        0x04f7_1101 => "7z method Zstandard",
        0x04f7_1102 => "7z method Brotli",
        0x04f7_1104 => "7z method LZ4",
        0x04f7_1105 => "7z method LZS",
        0x04f7_1106 => "7z method Lizard",
        _ => "7z method unknown",
    }
}

/// Where the packed streams of an archive lie, from the beginning of the file.
pub(super) struct Places<'a> {
    pub(super) source: &'a Arc<dyn Source>,
    pub(super) packed: &'a [(u64, u64)],
}

/// The plain bytes of a block.
pub(super) fn plain(block: &Block, places: &Places<'_>) -> std::result::Result<Plain, Cannot> {
    output(block, places, block.last().ok_or(Cannot::Broken)?, 0)
}

/// What one coder yields. A chain that is longer than there are coders leads to itself.
fn output(block: &Block, places: &Places<'_>, number: usize, depth: usize) -> std::result::Result<Plain, Cannot> {
    let broken = || Cannot::Broken;
    if depth > block.coders.len() {
        return Err(Cannot::Broken);
    }
    let coder = block.coders.get(number).ok_or_else(broken)?;
    let size = *block.sizes.get(number).ok_or_else(broken)?;
    let properties = coder.properties.as_slice();
    if coder.method == 0x06f1_0701 || coder.method == 0x06f1_0101 {
        return Err(Cannot::Encrypted);
    }
    let first = block.coders.get(..number).unwrap_or_default().iter().fold(0usize, |n, c| n.saturating_add(c.inputs));
    let input = |i: usize| -> std::result::Result<Plain, Cannot> {
        let index = first.saturating_add(i);
        if let Some((_, from)) = block.binds.iter().find(|(input, _)| *input == index) {
            return output(block, places, *from, depth.saturating_add(1));
        }
        let stream = block.packed.iter().position(|p| *p == index).ok_or_else(broken)?;
        let place = places.packed.get(block.first.saturating_add(stream)).ok_or_else(broken)?;
        let (at, left) = *place;
        Ok(Box::new(Window { source: Arc::clone(places.source), at, left, buffer: vec![], used: 0 }))
    };
    if coder.inputs != if coder.method == 0x0303_011b { 4 } else { 1 } {
        return Err(Cannot::Method(unread(coder.method)));
    }
    // A window that is larger than what comes out is of no use.
    let window = |declared: u64| {
        let needed = declared.min(size.max(4096));
        u32::try_from(needed).ok().filter(|_| needed <= MOST_WINDOW)
    };
    let large = Cannot::Method("7z window of more than 192 MiB");
    let start = usize::try_from(le_u32(properties, 0).unwrap_or(0)).unwrap_or(0);
    Ok(match coder.method {
        0 => input(0)?,
        0x0003_0101 => {
            let (props, declared) = u8_at(properties, 0).zip(le_u32(properties, 1)).ok_or_else(broken)?;
            let window = window(u64::from(declared)).ok_or(large)?;
            let reader = LzmaReader::new_with_props(input(0)?, size, props, window, None);
            Box::new(reader.map_err(|_| Cannot::Broken)?)
        }
        0x21 => {
            let bits = u8_at(properties, 0).filter(|b| *b <= 40).ok_or_else(broken)?;
            let declared = if bits == 40 { u64::from(u32::MAX) } else { (2 | u64::from(bits & 1)) << (bits / 2 + 11) };
            Box::new(Lzma2Reader::new(input(0)?, window(declared).ok_or(large)?, None))
        }
        0x0004_0108 => Box::new(DeflateDecoder::new(BufReader::new(input(0)?))),
        0x0004_0202 => Box::new(bzip2::Decoder::new(BufReader::new(input(0)?))),
        0x03 => Box::new(DeltaReader::new(input(0)?, usize::from(u8_at(properties, 0).unwrap_or(0)).saturating_add(1))),
        0x04 | 0x0303_0103 => Box::new(BcjReader::new_x86(input(0)?, start)),
        0x05 | 0x0303_0205 => Box::new(BcjReader::new_ppc(input(0)?, start)),
        0x06 | 0x0303_0401 => Box::new(BcjReader::new_ia64(input(0)?, start)),
        0x07 | 0x0303_0501 => Box::new(BcjReader::new_arm(input(0)?, start)),
        0x08 | 0x0303_0701 => Box::new(BcjReader::new_arm_thumb(input(0)?, start)),
        0x09 | 0x0303_0805 => Box::new(BcjReader::new_sparc(input(0)?, start)),
        0x0A => Box::new(BcjReader::new_arm64(input(0)?, start)),
        0x0B => Box::new(BcjReader::new_riscv(input(0)?, start)),
        0x0303_011b => {
            let inputs = vec![input(0)?, input(1)?, input(2)?, input(3)?];
            Box::new(Bcj2Reader::new(inputs, size))
        }
        other => return Err(Cannot::Method(unread(other))),
    })
}
