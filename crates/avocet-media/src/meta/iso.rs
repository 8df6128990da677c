//! Boxes: HEIF and AVIF (ISO/IEC 23008-12), JPEG XL (18181-2), JPEG 2000 (15444-1), Canon CR3 and QuickTime's keys.

use std::io::Read;

use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::tiff::Role;
use super::view::{Order, find, index, rest, slice};
use super::{gps, text, tiff, time, xmp};

const BE: Order = Order::Big;
const SOURCE: Source = Source::IsoBox;
const MAX_DEPTH: usize = 6;
/// Boxes of one level, items of one file, extents of one item.
const MAX_BOXES: usize = 4096;
const MAX_ITEMS: usize = 4096;
const MAX_EXTENTS: usize = 256;

const UUID_CANON: [u8; 16] = *b"\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
const UUID_XMP: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
const UUID_EXIF_JP2: [u8; 16] = *b"JpgTiffExif->JP2";
const UUID_IPTC_JP2: [u8; 16] = *b"\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";

struct IsoBox<'a> {
    name: [u8; 4],
    body: &'a [u8],
}

/// The boxes that follow each other in `data`; one that runs past the end is given as far as it goes.
fn boxes<'a>(data: &'a [u8], out: &mut Gather) -> Vec<IsoBox<'a>> {
    let mut found = Vec::new();
    let mut at = 0usize;
    while let Some((size, name)) = BE.u32(data, at).zip(slice(data, at.saturating_add(4), 4)) {
        if found.len() == MAX_BOXES {
            out.problem(ProblemCode::TooMuch, at);
            break;
        }
        let (head, size) = match size {
            0 => (8, data.len().saturating_sub(at)),
            1 => match BE.u64(data, at.saturating_add(8)) {
                Some(size) => (16, usize::try_from(size).unwrap_or(usize::MAX)),
                None => break,
            },
            n => (8, index(n)),
        };
        if size < head {
            // QuickTime ends some lists with a zero.
            if size != 0 {
                out.problem(ProblemCode::Truncated, at);
            }
            break;
        }
        let from = at.saturating_add(head);
        let body = slice(data, from, size.saturating_sub(head)).unwrap_or_else(|| {
            out.problem(ProblemCode::Truncated, at);
            rest(data, from)
        });
        found.push(IsoBox { name: name.try_into().unwrap_or_default(), body });
        at = at.saturating_add(size);
    }
    found
}

/// A file of boxes.
pub(super) fn read(data: &[u8], out: &mut Gather) {
    level(data, data, 0, out);
}

fn level(file: &[u8], data: &[u8], depth: usize, out: &mut Gather) {
    if depth >= MAX_DEPTH {
        out.problem(ProblemCode::TooMuch, 0);
        return;
    }
    if !out.may_read_directory(0, 0) {
        return;
    }
    for b in boxes(data, out) {
        let inner = depth.saturating_add(1);
        match &b.name {
            b"moov" | b"udta" => level(file, b.body, inner, out),
            b"meta" => meta(file, b.body, inner, out),
            b"uuid" => uuid(file, b.body, inner, out),
            b"CMT1" | b"CMT2" => tiff::block(b.body, Role::Exif, Source::Exif, out),
            b"CMT3" => tiff::block(b.body, Role::MakerTags, Source::Exif, out),
            b"CMT4" => tiff::block(b.body, Role::GpsTags, Source::Exif, out),
            b"THMB" => {
                let head = b.body.get(..32).unwrap_or_default();
                let at = find(head, &[0xff, 0xd8]).unwrap_or_default();
                out.other_thumbnail(rest(b.body, at), at);
            }
            b"Exif" => exif_item(b.body, out),
            b"xml " | b"XMP_" => xmp::read(b.body, out),
            b"brob" => brotli(b.body, out),
            b"\xa9mak" | b"\xa9mod" | b"\xa9swr" | b"\xa9day" | b"\xa9xyz" => user_data(&b, out),
            _ => {}
        }
    }
}

fn uuid(file: &[u8], body: &[u8], depth: usize, out: &mut Gather) {
    let Some(id) = slice(body, 0, 16) else { return };
    let body = rest(body, 16);
    if id == UUID_CANON {
        level(file, body, depth, out);
    } else if id == UUID_XMP {
        xmp::read(body, out);
    } else if id == UUID_EXIF_JP2 {
        tiff::exif(body, out);
    } else if id == UUID_IPTC_JP2 {
        super::iptc::records(body, out);
    }
}

/// An EXIF item: how many bytes to skip, then the block, in some files with its JPEG heading.
fn exif_item(body: &[u8], out: &mut Gather) {
    let skip = BE.u32(body, 0).map(index).unwrap_or_default();
    let block = rest(rest(body, 4), skip);
    let block = if block.starts_with(b"II") || block.starts_with(b"MM") || block.starts_with(b"Exif") {
        block
    } else {
        // The offset is wrong in some files; without it the block follows at once.
        rest(body, if Order::from_mark(body, 0).is_some() { 0 } else { 4 })
    };
    tiff::exif(block, out);
}

/// JPEG XL: a box's name, then its bytes in Brotli.
fn brotli(body: &[u8], out: &mut Gather) {
    let name = slice(body, 0, 4).unwrap_or_default();
    if name != b"Exif" && name != b"xml " {
        return;
    }
    let limit = out.unpack_limit();
    let mut bytes = Vec::new();
    let result = brotli_decompressor::Decompressor::new(rest(body, 4), 4096).take(limit as u64).read_to_end(&mut bytes);
    out.unpacked(bytes.len());
    if bytes.len() == limit {
        out.problem(ProblemCode::TooMuch, 0);
    }
    if result.is_err() {
        out.problem(ProblemCode::BadCompression, 0);
    }
    if name == b"Exif" { exif_item(&bytes, out) } else { xmp::read(&bytes, out) }
}

/// Where an item's bytes are.
struct Place {
    id: u32,
    in_idat: bool,
    extents: Vec<(u64, u64)>,
}

fn meta(file: &[u8], body: &[u8], depth: usize, out: &mut Gather) {
    // A full box but in QuickTime, where the first inner box follows at once.
    let body = if slice(body, 4, 4) == Some(b"hdlr") { body } else { rest(body, 4) };
    let inner = boxes(body, out);
    let first = |name: &[u8; 4]| inner.iter().find(|b| b.name == *name).map(|b| b.body);
    if let Some(keys) = first(b"keys") {
        quicktime(keys, first(b"ilst").unwrap_or_default(), out);
    }
    let items = first(b"iinf").map(|b| items(b, out)).unwrap_or_default();
    let places = first(b"iloc").map(|b| places(b, out)).unwrap_or_default();
    let idat = first(b"idat").unwrap_or_default();
    for (id, is_exif) in items {
        let Some(place) = places.iter().find(|p| p.id == id) else {
            out.problem(ProblemCode::Truncated, 0);
            continue;
        };
        let whole = if place.in_idat { idat } else { file };
        let mut bytes = Vec::new();
        for (from, len) in &place.extents {
            let from = usize::try_from(*from).unwrap_or(usize::MAX);
            let len = if *len == 0 { usize::MAX } else { usize::try_from(*len).unwrap_or(usize::MAX) };
            let part = slice(whole, from, len).unwrap_or_else(|| {
                if len != usize::MAX {
                    out.problem(ProblemCode::Truncated, from);
                }
                rest(whole, from)
            });
            if !out.may_read_text(part.len()) {
                break;
            }
            bytes.extend_from_slice(part);
        }
        if is_exif {
            exif_item(&bytes, out);
        } else {
            xmp::read(&bytes, out);
        }
    }
    if let Some(uuids) = first(b"uuid") {
        uuid(file, uuids, depth, out);
    }
}

/// Items of EXIF (`true`) and XMP (`false`) by id.
fn items(body: &[u8], out: &mut Gather) -> Vec<(u32, bool)> {
    let head = if body.first() == Some(&0) { 6 } else { 8 };
    let mut found = Vec::new();
    for b in boxes(rest(body, head), out) {
        if b.name != *b"infe" {
            continue;
        }
        let version = b.body.first().copied().unwrap_or_default();
        let (id, at) = match version {
            2 => (BE.u16(b.body, 4).map(u32::from), 8),
            3 => (BE.u32(b.body, 4), 10),
            _ => continue,
        };
        let Some((id, kind)) = id.zip(slice(b.body, at, 4)) else { continue };
        let texts = rest(b.body, at.saturating_add(4));
        match kind {
            b"Exif" => found.push((id, true)),
            // The item's name, then its media type.
            b"mime"
                if text::to_nul(rest(texts, text::to_nul(texts).len().saturating_add(1))) == b"application/rdf+xml" =>
            {
                found.push((id, false));
            }
            _ => {}
        }
    }
    found
}

/// A cursor over the numbers of an item location box.
struct Numbers<'a> {
    data: &'a [u8],
    at: usize,
}

impl Numbers<'_> {
    fn next(&mut self, bytes: u8) -> Option<u64> {
        let at = self.at;
        self.at = at.checked_add(usize::from(bytes))?;
        match bytes {
            0 => Some(0),
            2 => BE.u16(self.data, at).map(u64::from),
            4 => BE.u32(self.data, at).map(u64::from),
            8 => BE.u64(self.data, at),
            _ => None,
        }
    }
}

/// Item location box, ISO/IEC 14496-12 section 8.11.3.
fn places(body: &[u8], out: &mut Gather) -> Vec<Place> {
    let mut found = Vec::new();
    let read = (|| {
        let version = *body.first()?;
        let (a, b) = (*body.get(4)?, *body.get(5)?);
        let (offset_size, length_size, base_size) = (a >> 4, a & 15, b >> 4);
        let index_size = if version == 0 { 0 } else { b & 15 };
        let id_size = if version < 2 { 2 } else { 4 };
        let mut n = Numbers { data: body, at: 6 };
        let count = usize::try_from(n.next(id_size)?).ok()?;
        if count > MAX_ITEMS {
            out.problem(ProblemCode::TooMuch, 0);
        }
        for _ in 0..count.min(MAX_ITEMS) {
            let id = u32::try_from(n.next(id_size)?).ok()?;
            let method = if version == 0 { 0 } else { n.next(2)? & 15 };
            n.next(2)?;
            let base = n.next(base_size)?;
            let extents = usize::try_from(n.next(2)?).ok()?;
            let mut place = Place { id, in_idat: method == 1, extents: Vec::new() };
            for _ in 0..extents {
                n.next(index_size)?;
                let (from, len) = (n.next(offset_size)?, n.next(length_size)?);
                if place.extents.len() < MAX_EXTENTS {
                    place.extents.push((base.saturating_add(from), len));
                }
            }
            if extents > MAX_EXTENTS {
                out.problem(ProblemCode::TooMuch, n.at);
            }
            // Method 2 builds an item out of others; metadata is not stored so.
            if method < 2 {
                found.push(place);
            }
        }
        Some(())
    })();
    if read.is_none() {
        out.problem(ProblemCode::Truncated, 0);
    }
    found
}

/// Apple's metadata keys: names in `keys`, values in `ilst` by number (QuickTime File Format, "Metadata").
fn quicktime(keys: &[u8], list: &[u8], out: &mut Gather) {
    let names = boxes(rest(keys, 8), out);
    for item in boxes(list, out) {
        let number = usize::try_from(u32::from_be_bytes(item.name)).unwrap_or_default();
        let Some(name) = number.checked_sub(1).and_then(|n| names.get(n)) else { continue };
        let Some(data) = boxes(item.body, out).into_iter().find(|b| b.name == *b"data") else { continue };
        let value = rest(data.body, 8);
        match name.body {
            b"com.apple.quicktime.make" => out.text(Key::Make, SOURCE, value),
            b"com.apple.quicktime.model" => out.text(Key::Model, SOURCE, value),
            b"com.apple.quicktime.software" => out.text(Key::Software, SOURCE, value),
            b"com.apple.quicktime.creationdate" => {
                time::stated(out, Key::Taken, SOURCE, &text::from_bytes(value));
            }
            b"com.apple.quicktime.location.ISO6709" => iso6709(&text::from_bytes(value), out),
            _ => {}
        }
    }
}

/// International text of user data: size, language, text.
fn user_data(b: &IsoBox<'_>, out: &mut Gather) {
    let len = BE.u16(b.body, 0).map(usize::from).unwrap_or_default();
    let Some(value) = slice(b.body, 4, len) else { return };
    match &b.name {
        b"\xa9mak" => out.text(Key::Make, SOURCE, value),
        b"\xa9mod" => out.text(Key::Model, SOURCE, value),
        b"\xa9swr" => out.text(Key::Software, SOURCE, value),
        b"\xa9day" => time::stated(out, Key::Taken, SOURCE, &text::from_bytes(value)),
        _ => iso6709(&text::from_bytes(value), out),
    }
}

/// `+34.0596-084.6817+262.0/` in decimal degrees (ISO 6709 annex H; the forms with minutes are not used by cameras).
fn iso6709(value: &str, out: &mut Gather) {
    let value = value.trim_end_matches('/');
    let starts: Vec<usize> = value.match_indices(['+', '-']).map(|m| m.0).collect();
    let part = |n: usize| {
        let from = *starts.get(n)?;
        let to = starts.get(n.saturating_add(1)).copied().unwrap_or(value.len());
        value.get(from..to)
    };
    let (Some(lat), Some(lon)) = (part(0), part(1)) else { return };
    out.fact(Key::GpsLatStated, SOURCE, lat);
    out.fact(Key::GpsLonStated, SOURCE, lon);
    match (lat.parse(), lon.parse()) {
        (Ok(lat), Ok(lon)) => {
            gps::degrees_fact(Key::GpsLat, lat, SOURCE, out);
            gps::degrees_fact(Key::GpsLon, lon, SOURCE, out);
        }
        _ => out.problem(ProblemCode::BadPlace, 0),
    }
    if let Some(alt) = part(2).and_then(|a| a.parse::<f64>().ok()).filter(|a| a.is_finite()) {
        out.fact(Key::GpsAlt, SOURCE, format!("{alt:.2}"));
    }
}
