//! Containers whose walk is short: GIF, RIFF (WebP), Fujifilm RAF.

use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::view::{Order, find, index, rest, slice};
use super::{jpeg, tiff, xmp};

/// GIF 89a: XMP stands raw in an application extension, followed by a trailer that ends the sub-blocks (XMP part 3).
pub(super) fn gif(data: &[u8], out: &mut Gather) {
    if let Some((w, h)) = Order::Little.u16(data, 6).zip(Order::Little.u16(data, 8)) {
        out.fact(Key::ImageWidth, Source::Header, w.to_string());
        out.fact(Key::ImageHeight, Source::Header, h.to_string());
    }
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3usize << ((flags & 7) + 1) };
    let Some(flags) = data.get(10) else {
        out.problem(ProblemCode::Truncated, 0);
        return;
    };
    let mut at = 13usize.saturating_add(table(*flags));
    loop {
        match data.get(at) {
            Some(0x21) => {
                at = at.saturating_add(2);
                if slice(data, at, 12) == Some(b"\x0bXMP DataXMP") {
                    let body = rest(data, at.saturating_add(12));
                    // No XMP holds the byte 1; the trailer begins with 1, 255, 254.
                    let end = find(body, &[1, 0xff, 0xfe]).unwrap_or(body.len());
                    xmp::read(body.get(..end).unwrap_or_default(), out);
                    at = at.saturating_add(12).saturating_add(end).saturating_add(1);
                }
            }
            Some(0x2c) => {
                let flags = data.get(at.saturating_add(9)).copied().unwrap_or_default();
                at = at.saturating_add(11).saturating_add(table(flags));
            }
            Some(0x3b) => return,
            _ => {
                out.problem(ProblemCode::Truncated, at);
                return;
            }
        }
        loop {
            match data.get(at) {
                Some(0) => {
                    at = at.saturating_add(1);
                    break;
                }
                Some(n) => at = at.saturating_add(usize::from(*n)).saturating_add(1),
                None => {
                    out.problem(ProblemCode::Truncated, at);
                    return;
                }
            }
        }
    }
}

/// RIFF: chunks of a name, a little-endian size and bytes padded to an even length (WebP container specification).
pub(super) fn riff(data: &[u8], out: &mut Gather) {
    if slice(data, 8, 4) != Some(b"WEBP") {
        out.problem(ProblemCode::UnknownContainer, 0);
        return;
    }
    let mut at = 12usize;
    while let Some((name, size)) = slice(data, at, 4).zip(Order::Little.u32(data, at.saturating_add(4))) {
        let from = at.saturating_add(8);
        let body = match slice(data, from, index(size)) {
            Some(body) => body,
            None => {
                out.problem(ProblemCode::Truncated, at);
                rest(data, from)
            }
        };
        match name {
            b"EXIF" => tiff::exif(body, out),
            b"XMP " => xmp::read(body, out),
            b"VP8X" => {
                let side = |n: usize| {
                    Order::Little
                        .u16(body, n)
                        .zip(body.get(n.saturating_add(2)))
                        .map(|(low, high)| (u32::from(*high) << 16 | u32::from(low)).saturating_add(1))
                };
                if let Some((w, h)) = side(4).zip(side(7)) {
                    out.fact(Key::ImageWidth, Source::Header, w.to_string());
                    out.fact(Key::ImageHeight, Source::Header, h.to_string());
                }
            }
            _ => {}
        }
        at = from.saturating_add(index(size)).saturating_add(index(size) % 2);
    }
}

/// Fujifilm RAF: a header that says where an embedded JPEG with all the metadata is (public description of the
/// format).
pub(super) fn raf(data: &[u8], out: &mut Gather) {
    let place = Order::Big.u32(data, 84).zip(Order::Big.u32(data, 88));
    match place.and_then(|(at, len)| Some((index(at), data.get(index(at)..)?, index(len)))) {
        Some((at, body, len)) => {
            if body.len() < len {
                out.problem(ProblemCode::Truncated, at);
            }
            jpeg::read_embedded(body.get(..len).unwrap_or(body), out);
        }
        None => out.problem(ProblemCode::Truncated, 84),
    }
}
