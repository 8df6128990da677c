//! The segments of a JPEG before its first scan (ITU-T T.81 annex B), with what application segments hold.

use super::fact::{Key, Source};
use super::gather::Gather;
use super::problem::ProblemCode;
use super::view::{Order, find, rest, slice};
use super::{canon, flir, iptc, text, tiff, time, xmp};

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const XMP_MORE: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";

/// What comes in several segments.
#[derive(Default)]
struct Parts<'a> {
    exif: Vec<&'a [u8]>,
    /// Offset stated and bytes.
    xmp_more: Vec<(u32, &'a [u8])>,
    photoshop: Vec<&'a [u8]>,
    flir: Vec<(u8, &'a [u8])>,
}

/// A whole JPEG file.
pub(super) fn read(data: &[u8], out: &mut Gather) {
    segments(data, true, out);
}

/// A JPEG inside a RAW file that carries its metadata; its own size is not the picture's.
pub(super) fn read_embedded(data: &[u8], out: &mut Gather) {
    if data.starts_with(&[0xff, 0xd8]) {
        segments(data, false, out);
    } else {
        out.problem(ProblemCode::Truncated, 0);
    }
}

fn segments(data: &[u8], own_size: bool, out: &mut Gather) {
    let mut parts = Parts::default();
    let mut at = 2usize;
    loop {
        // Fill bytes and stray bytes may stand before a marker.
        let found = rest(data, at).windows(2).position(|w| matches!(w, [0xff, m] if !matches!(m, 0 | 0xff)));
        let Some(marker_at) = found.map(|n| at.saturating_add(n)) else {
            out.problem(ProblemCode::Truncated, at);
            break;
        };
        let Some(marker) = data.get(marker_at.saturating_add(1)).copied() else { break };
        at = marker_at.saturating_add(2);
        match marker {
            // A scan or the end: the headers are over.
            0xda | 0xd9 => break,
            // Markers without a segment.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(len) = Order::Big.u16(data, at).map(usize::from).filter(|n| *n >= 2) else {
            out.problem(ProblemCode::Truncated, at);
            continue;
        };
        let body = match slice(data, at, len) {
            Some(body) => rest(body, 2),
            None => {
                out.problem(ProblemCode::Truncated, at);
                rest(data, at.saturating_add(2))
            }
        };
        if own_size && matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            if let Some((h, w)) = Order::Big.u16(body, 1).zip(Order::Big.u16(body, 3)) {
                out.fact(Key::ImageWidth, Source::Header, w.to_string());
                out.fact(Key::ImageHeight, Source::Header, h.to_string());
            }
        } else {
            segment(marker, body, &mut parts, out);
        }
        at = at.saturating_add(len);
    }
    parts.finish(out);
}

fn segment<'a>(marker: u8, body: &'a [u8], parts: &mut Parts<'a>, out: &mut Gather) {
    match marker {
        0xe0 if slice(body, 6, 8) == Some(b"HEAPJPGM") => canon::ciff(body, out),
        // JFIF 1.02: extension code 0x10 is a thumbnail in JPEG.
        0xe0 if body.starts_with(b"JFXX\0\x10") => out.other_thumbnail(rest(body, 6), 6),
        0xe1 if body.starts_with(b"Exif\0") => parts.exif.push(body),
        0xe1 if body.starts_with(XMP) => xmp::read(rest(body, XMP.len()), out),
        0xe1 if body.starts_with(XMP_MORE) => {
            // A digest of 32 letters, the whole length, the offset of this piece.
            let from = XMP_MORE.len();
            if let Some(offset) = Order::Big.u32(body, from.saturating_add(36)) {
                parts.xmp_more.push((offset, rest(body, from.saturating_add(40))));
            }
        }
        0xe1 if body.starts_with(b"FLIR\0") => {
            if let Some(number) = body.get(6) {
                parts.flir.push((*number, rest(body, 8)));
            }
        }
        0xe1 => {
            let head = body.get(..256).unwrap_or(body);
            if find(head, b"<x:xmpmeta").is_some()
                || find(head, b"<rdf:RDF").is_some()
                || find(head, b"<?xpacket").is_some()
            {
                xmp::read(body, out);
            }
        }
        0xe6 if body.starts_with(b"GoPro\0") => flir::gpmf(rest(body, 6), out),
        0xec => app12(body, out),
        0xed if body.starts_with(PHOTOSHOP) => parts.photoshop.push(rest(body, PHOTOSHOP.len())),
        0xed if body.starts_with(b"Adobe_Photoshop2.5:") => parts.photoshop.push(rest(body, 27)),
        _ => {}
    }
}

impl Parts<'_> {
    fn finish(mut self, out: &mut Gather) {
        // A block above 64 KiB goes on in the next segment, without a header of its own.
        let mut blocks: Vec<Vec<&[u8]>> = Vec::new();
        for body in &self.exif {
            match blocks.last_mut() {
                Some(block) if Order::from_mark(body, 6).is_none() => block.push(rest(body, 6)),
                _ => blocks.push(vec![rest(body, 6)]),
            }
        }
        for block in blocks {
            match block.as_slice() {
                [one] => tiff::exif(one, out),
                more => tiff::exif(&more.concat(), out),
            }
        }
        self.xmp_more.sort_by_key(|p| p.0);
        let more: Vec<&[u8]> = self.xmp_more.iter().map(|p| p.1).collect();
        if !more.is_empty() {
            xmp::read(&more.concat(), out);
        }
        if !self.photoshop.is_empty() {
            iptc::resources(&self.photoshop.concat(), out);
        }
        self.flir.sort_by_key(|p| p.0);
        let flir: Vec<&[u8]> = self.flir.iter().map(|p| p.1).collect();
        if !flir.is_empty() {
            flir::fff(&flir.concat(), out);
        }
    }
}

/// Text of early Olympus, Agfa and Polaroid cameras: lines `name=value` under `[picture info]` and the like.
fn app12(body: &[u8], out: &mut Gather) {
    let head = body.get(..512).unwrap_or(body);
    if find(head, b"[picture info]").is_none() && find(head, b"Type=").is_none() {
        return;
    }
    for line in body.split(|b| matches!(b, b'\r' | b'\n' | 0)) {
        let Some(eq) = line.iter().position(|b| *b == b'=') else { continue };
        let (name, value) = (line.get(..eq).unwrap_or_default().trim_ascii(), rest(line, eq.saturating_add(1)));
        match name {
            b"Serial#" => out.text(Key::BodySerial, Source::App12, value),
            b"TimeDate" => {
                let value = text::from_bytes(value);
                // Seconds since 1970 on the camera's own clock.
                match value.parse::<u32>() {
                    Ok(0) => {}
                    Ok(n) => out.fact(Key::Taken, Source::App12, time::from_seconds(i64::from(n))),
                    Err(_) => time::stated(out, Key::Taken, Source::App12, &value),
                }
            }
            _ => {}
        }
    }
}
