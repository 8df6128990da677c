//! PNG (third edition): `eXIf`, text chunks, and what programs hide in them as "raw profiles".

use std::io::Read;

use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::view::{Order, find, index, rest, slice};
use super::{iptc, text, tiff, time, xmp};

const SOURCE: Source = Source::PngText;

/// Chunks: length, name, bytes, checksum. Checksums are not asked: a changed one is no reason to lose a fact.
pub(super) fn read(data: &[u8], out: &mut Gather) {
    let mut at = 8usize;
    while let Some((len, name)) = Order::Big.u32(data, at).zip(slice(data, at.saturating_add(4), 4)) {
        let from = at.saturating_add(8);
        let body = match slice(data, from, index(len)) {
            Some(body) => body,
            None => {
                out.problem(ProblemCode::Truncated, at);
                rest(data, from)
            }
        };
        match name {
            b"IHDR" => {
                if let Some((w, h)) = Order::Big.u32(body, 0).zip(Order::Big.u32(body, 4)) {
                    out.fact(Key::ImageWidth, Source::Header, w.to_string());
                    out.fact(Key::ImageHeight, Source::Header, h.to_string());
                }
            }
            b"eXIf" | b"exIf" => tiff::exif(body, out),
            b"zxIf" => {
                // A proposal that some programs wrote: a zero, the size, deflated bytes.
                if let Some(bytes) = inflate(rest(body, 5), out) {
                    tiff::exif(&bytes, out);
                }
            }
            b"tEXt" => {
                let (keyword, value) = split(body);
                entry(keyword, value, out);
            }
            b"zTXt" => {
                let (keyword, value) = split(body);
                if is_wanted(keyword)
                    && let Some(bytes) = inflate(rest(value, 1), out)
                {
                    entry(keyword, &bytes, out);
                }
            }
            b"iTXt" => international(body, out),
            b"IEND" => return,
            _ => {}
        }
        at = from.saturating_add(index(len)).saturating_add(4);
    }
    out.problem(ProblemCode::Truncated, at);
}

/// Before and after the first NUL.
fn split(body: &[u8]) -> (&[u8], &[u8]) {
    let keyword = text::to_nul(body);
    (keyword, rest(body, keyword.len().saturating_add(1)))
}

fn international(body: &[u8], out: &mut Gather) {
    let (keyword, value) = split(body);
    let compressed = value.first() == Some(&1);
    let (_language, value) = split(rest(value, 2));
    let (_translated, value) = split(value);
    if !is_wanted(keyword) {
    } else if !compressed {
        entry(keyword, value, out);
    } else if let Some(bytes) = inflate(value, out) {
        entry(keyword, &bytes, out);
    }
}

/// Unpacks a zlib stream within the budget.
fn inflate(body: &[u8], out: &mut Gather) -> Option<Vec<u8>> {
    let limit = out.unpack_limit();
    let mut bytes = Vec::new();
    let mut reader = flate2::read::ZlibDecoder::new(body).take(limit as u64);
    let result = reader.read_to_end(&mut bytes);
    out.unpacked(bytes.len());
    if bytes.len() == limit {
        out.problem(ProblemCode::TooMuch, 0);
    }
    if result.is_err() {
        out.problem(ProblemCode::BadCompression, 0);
    }
    // What came before the fault is still good.
    (!bytes.is_empty()).then_some(bytes)
}

const RAW: &[u8] = b"Raw profile type ";

fn is_wanted(keyword: &[u8]) -> bool {
    keyword == b"XML:com.adobe.xmp" || keyword.starts_with(RAW) || plain(keyword).is_some()
}

/// Keywords of the PNG specification, and ImageMagick's copies of EXIF tags.
fn plain(keyword: &[u8]) -> Option<Key> {
    Some(match keyword {
        b"Software" | b"exif:Software" => Key::Software,
        b"Author" | b"exif:Artist" => Key::Artist,
        b"Creation Time" | b"exif:DateTimeOriginal" => Key::Taken,
        b"exif:DateTimeDigitized" => Key::Digitised,
        b"exif:DateTime" => Key::Modified,
        b"exif:OffsetTimeOriginal" => Key::TakenOffset,
        b"exif:Make" => Key::Make,
        b"exif:Model" => Key::Model,
        b"exif:Orientation" => Key::Orientation,
        b"exif:ImageUniqueID" => Key::UniqueId,
        b"exif:BodySerialNumber" => Key::BodySerial,
        b"exif:LensSerialNumber" => Key::LensSerial,
        b"exif:LensModel" => Key::LensModel,
        b"exif:CameraOwnerName" => Key::OwnerName,
        _ => return None,
    })
}

fn entry(keyword: &[u8], value: &[u8], out: &mut Gather) {
    if keyword == b"XML:com.adobe.xmp" {
        xmp::read(value, out);
    } else if let Some(name) = keyword.strip_prefix(RAW) {
        raw_profile(name, value, out);
    } else if let Some(key) = plain(keyword) {
        match key {
            Key::Taken | Key::Digitised | Key::Modified => {
                time::stated(out, key, SOURCE, &text::from_bytes(value));
            }
            Key::Orientation => {
                let n = text::from_bytes(value);
                if matches!(n.parse(), Ok(1..=8u8)) {
                    out.fact(key, SOURCE, n);
                }
            }
            _ => out.text(key, SOURCE, value),
        }
    }
}

/// ImageMagick's form: a line with a name, a line with the size, then hexadecimal in lines.
fn raw_profile(name: &[u8], value: &[u8], out: &mut Gather) {
    if !out.may_read_text(value.len()) {
        return;
    }
    let mut lines = value.trim_ascii_start().splitn(3, |b| *b == b'\n');
    let (_, _, Some(digits)) = (lines.next(), lines.next(), lines.next()) else {
        out.problem(ProblemCode::Truncated, 0);
        return;
    };
    let nibbles: Vec<u8> =
        digits.iter().filter_map(|b| char::from(*b).to_digit(16)).filter_map(|n| u8::try_from(n).ok()).collect();
    let bytes: Vec<u8> = nibbles.chunks_exact(2).map(|c| c.iter().fold(0u8, |n, d| n << 4 | d)).collect();
    match name {
        // APP1 is either.
        b"exif" | b"APP1" if !bytes.starts_with(b"http") => tiff::exif(&bytes, out),
        b"APP1" | b"xmp" => {
            let from = find(bytes.get(..64).unwrap_or_default(), b"\0").map_or(0, |n| n.saturating_add(1));
            xmp::read(rest(&bytes, from), out);
        }
        b"iptc" | b"8bim" => {
            let bytes = bytes.strip_prefix(b"Photoshop 3.0\0").unwrap_or(&bytes);
            if bytes.first() == Some(&0x1c) { iptc::records(bytes, out) } else { iptc::resources(bytes, out) }
        }
        _ => {}
    }
}
