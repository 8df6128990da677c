//! TIFF: every page, and every picture in a directory below a page.

use std::io::Cursor;

use image::codecs::tiff::TiffDecoder;

use super::bytes::{Order, patch, window};
use super::ifd::{Directory, Frame, tag};
use super::{Decoded, Failure, Limits, Role, Run, jpeg, pixels, raster};
use crate::Layout;

pub(super) fn decode(bytes: &[u8], run: &mut Run<'_>) {
    let Some(frame) = Frame::open(bytes) else {
        return run.give(Role::Primary, None, Err(Failure::damaged("no TIFF header")));
    };
    let (directories, capped) = frame.directories();
    if capped {
        run.leave_out("directory-limit", 1);
    }
    // A directory without a width holds no picture (EXIF, GPS).
    let mut pages = 0u64;
    for directory in directories.iter().filter(|d| d.entry(tag::WIDTH).is_some() || d.entry(tag::JPEG_OFFSET).is_some())
    {
        let role = match (directory.in_chain, pages) {
            (true, 0) => Role::Primary,
            (true, _) => Role::Page,
            (false, _) => Role::Alternative,
        };
        pages = pages.saturating_add(1);
        run.one(role, orientation(&frame, directory), |limits| page(&frame, directory, limits));
    }
}

pub(super) fn orientation(frame: &Frame<'_>, directory: &Directory) -> Option<u8> {
    let value = directory.number(frame, tag::ORIENTATION)?;
    u8::try_from(value).ok().filter(|v| (1..=8).contains(v))
}

/// One directory's picture. The `image` crate reads the first directory only, so it is given a copy of the file whose
/// header names this one.
pub(super) fn page(frame: &Frame<'_>, directory: &Directory, limits: &Limits) -> Result<Decoded, Failure> {
    let number = |tag| directory.number(frame, tag);
    if let (None, Some(at)) = (number(tag::STRIP_OFFSETS), number(tag::JPEG_OFFSET)) {
        // A thumbnail as EXIF has it, or the older JPEG-in-TIFF: one whole JPEG.
        let data = window(frame.data, at, number(tag::JPEG_LENGTH).unwrap_or(u64::MAX));
        return jpeg::decode(data.unwrap_or_default(), limits);
    }
    let side = |tag| number(tag).and_then(|v| u32::try_from(v).ok()).unwrap_or(0);
    limits.check(side(tag::WIDTH), side(tag::HEIGHT), 8)?;
    let mut copy = frame.data.to_vec();
    let (at, offset) = match (frame.big, frame.order) {
        (true, Order::Little) => (8, directory.at.to_le_bytes().to_vec()),
        (true, Order::Big) => (8, directory.at.to_be_bytes().to_vec()),
        (false, Order::Little) => (4, (directory.at as u32).to_le_bytes().to_vec()),
        (false, Order::Big) => (4, (directory.at as u32).to_be_bytes().to_vec()),
    };
    patch(&mut copy, at, &offset);
    // RAW frames carry other magic numbers; their plain pictures are TIFF all the same.
    if !frame.big {
        let magic = if frame.order == Order::Little { [42, 0] } else { [0, 42] };
        patch(&mut copy, 2, &magic);
    }
    // A predictor belongs to LZW and Deflate (TIFF 6.0, section 14); with another compression the tag means nothing,
    // but the crate would obey it.
    if let Some(predictor) = directory.entry(tag::PREDICTOR)
        && !matches!(number(tag::COMPRESSION), Some(5 | 8 | 32_946 | 50_000))
        && let Ok(at) = usize::try_from(predictor.at())
    {
        patch(&mut copy, at, if frame.order == Order::Little { &[1, 0] } else { &[0, 1] });
    }
    let result = raster::still(TiffDecoder::new(Cursor::new(copy)), limits, raster::DECODER);
    match result {
        Err(failure) if number(tag::COMPRESSION) == Some(7) => {
            strips_of_jpeg(frame, directory, limits).map_err(|_| failure)
        }
        result => result,
    }
}

/// Strips of JPEG (TIFF Technical Note 2) that the `image` crate refuses: each strip is a JPEG, the tables it shares
/// with the others put in front. In red, green, blue whatever the file's colour space, as the JPEG decoder says it.
fn strips_of_jpeg(frame: &Frame<'_>, directory: &Directory, limits: &Limits) -> Result<Decoded, Failure> {
    let number = |tag| directory.number(frame, tag).and_then(|v| u32::try_from(v).ok());
    let (width, height) = (number(tag::WIDTH).unwrap_or(0), number(tag::HEIGHT).unwrap_or(0));
    limits.check(width, height, 16)?;
    let rows = number(tag::ROWS_PER_STRIP).unwrap_or(height).min(height);
    let offsets = directory.numbers(frame, tag::STRIP_OFFSETS);
    let lengths = directory.numbers(frame, tag::STRIP_BYTES);
    if rows == 0 || offsets.len() != lengths.len() || offsets.len() as u64 != u64::from(height.div_ceil(rows)) {
        return Err(Failure::unsupported("JPEG in tiles or planes"));
    }
    let tables = directory.entry(tag::JPEG_TABLES).and_then(|e| e.bytes(frame.data)).unwrap_or_default();
    let tables = tables.strip_suffix(b"\xff\xd9").unwrap_or(tables);
    let (mut out, mut layout, mut partial, mut decoder) = (Vec::new(), None, None, "");
    for (&at, &length) in offsets.iter().zip(&lengths) {
        let strip = window(frame.data, at, length).ok_or_else(|| Failure::damaged("a strip outside the file"))?;
        let mut whole = tables.to_vec();
        whole.extend_from_slice(if tables.is_empty() { strip } else { strip.get(2..).unwrap_or_default() });
        let strip = jpeg::decode(&whole, limits)?;
        if strip.pixels.width() != width || *layout.get_or_insert(strip.pixels.layout()) != strip.pixels.layout() {
            return Err(Failure::damaged("strips of different widths"));
        }
        out.extend_from_slice(strip.pixels.bytes());
        partial = partial.or(strip.partial);
        decoder = strip.decoder;
    }
    let layout = layout.unwrap_or(Layout::Rgb);
    out.truncate((width as usize).saturating_mul(height as usize).saturating_mul(layout.bytes()));
    Ok(Decoded { pixels: pixels(width, height, layout, out)?, decoder, partial })
}
