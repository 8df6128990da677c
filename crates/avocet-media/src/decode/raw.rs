//! Camera RAW files: the JPEG previews that they carry. Sensor data are not developed.

use super::boxes::{boxes, tracks};
use super::bytes::{Order, u32be, window, window_range};
use super::ifd::{Directory, Entry, Frame, tag};
use super::{Failure, Role, Run, jpeg, tiff};

/// Previews tried of one file.
const MAX_PREVIEWS: usize = 32;

/// Where a preview may lie.
type Place = (u64, u64);

/// A RAW file in a TIFF frame.
pub(super) fn tiff_frame(bytes: &[u8], run: &mut Run<'_>) {
    let Some(frame) = Frame::open(bytes) else {
        return run.give(Role::Preview, None, Err(Failure::damaged("no TIFF header")));
    };
    let (directories, capped) = frame.directories();
    if capped {
        run.leave_out("directory-limit", 1);
    }
    let mut places: Vec<Place> = Vec::new();
    let mut plain: Vec<&Directory> = Vec::new();
    for directory in &directories {
        let number = |tag| directory.number(&frame, tag);
        let before = places.len();
        if let (Some(at), Some(length)) = (number(tag::JPEG_OFFSET), number(tag::JPEG_LENGTH)) {
            places.push((at, length));
        }
        if let Some(whole) = directory.entry(tag::JPG_FROM_RAW).filter(|_| directory.in_chain) {
            places.extend(whole.bytes(bytes).map(|b| (whole.at(), b.len() as u64)));
        }
        if let Some(note) = directory.entry(tag::MAKER_NOTE) {
            places.extend(maker_note(&frame, note));
        }
        let strips = directory.numbers(&frame, tag::STRIP_OFFSETS);
        let tiled = directory.entry(tag::TILE_OFFSETS).is_some();
        let compression = number(tag::COMPRESSION);
        if let ([at], [length]) = (strips.as_slice(), directory.numbers(&frame, tag::STRIP_BYTES).as_slice())
            && matches!(compression, Some(6 | 7 | 99))
            && is_picture(window(bytes, *at, *length))
        {
            places.push((*at, *length));
        } else if !strips.is_empty() || tiled {
            let colours = matches!(number(tag::PHOTOMETRIC), Some(1 | 2 | 6));
            let reduced = number(tag::NEW_SUBFILE_TYPE).is_some_and(|v| v & 1 == 1);
            let lossless = matches!(compression, Some(7)) && !reduced;
            // Deflate and none are what an ordinary reader knows; lossy JPEG in tiles is not (DNG 1.4).
            if colours && reduced && !lossless && matches!(compression, Some(1 | 5 | 7 | 8)) {
                plain.push(directory);
            } else if places.len() == before {
                run.leave_out("sensor-data", 1);
            }
        }
    }
    let found = give_largest(bytes, places, run);
    for directory in plain {
        run.one(Role::Preview, tiff::orientation(&frame, directory), |limits| tiff::page(&frame, directory, limits));
    }
    if !found {
        search(bytes, run);
    }
}

/// Canon CR3: `THMB` and `PRVW` in Canon's own boxes, and the track whose sample is a JPEG.
pub(super) fn cr3(bytes: &[u8], run: &mut Run<'_>) {
    let mut places = Vec::new();
    let mut outer = boxes(bytes, 0..bytes.len());
    let inner: Vec<_> =
        outer.iter().filter(|b| &b.kind == b"moov").flat_map(|b| boxes(bytes, b.body.clone())).collect();
    outer.extend(inner);
    for canon in outer.iter().filter(|b| &b.kind == b"uuid") {
        // Sixteen bytes of identity; before the boxes of the preview eight more.
        for skip in [16usize, 24] {
            let start = canon.body.start.saturating_add(skip);
            for b in boxes(bytes, start..canon.body.end).iter().filter(|b| matches!(&b.kind, b"THMB" | b"PRVW")) {
                let body = bytes.get(b.body.clone()).unwrap_or_default();
                let header = body.get(..64).unwrap_or(body);
                if let Some(skip) = header.windows(3).position(|w| w == b"\xff\xd8\xff") {
                    let at = b.body.start.saturating_add(skip);
                    places.push((at as u64, b.body.end.saturating_sub(at) as u64));
                }
            }
        }
    }
    for track in tracks(bytes) {
        match track.first {
            Some((at, length)) if is_picture(window(bytes, at, length)) => places.push((at, length)),
            _ if &track.handler == b"vide" => run.leave_out("sensor-data", 1),
            _ => {}
        }
    }
    if !give_largest(bytes, places, run) {
        search(bytes, run);
    }
}

/// Fujifilm RAF: the header names the JPEG's place and length at 84 and 88.
pub(super) fn raf(bytes: &[u8], run: &mut Run<'_>) {
    run.leave_out("sensor-data", 1);
    let place = u32be(bytes, 84).zip(u32be(bytes, 88)).map(|(at, length)| (u64::from(at), u64::from(length)));
    if !give_largest(bytes, place.into_iter().collect(), run) {
        search(bytes, run);
    }
}

/// Whether bytes begin as a JPEG that shows something: a lossless one (SOF3) holds a sensor's data.
fn is_picture(data: Option<&[u8]>) -> bool {
    let Some(data) = data else { return false };
    if !data.starts_with(b"\xff\xd8\xff") {
        return false;
    }
    let mut at = 2usize;
    // Marker segments up to the frame header (ITU-T T.81, B.1.1).
    for _ in 0..256 {
        let (Some(0xff), Some(&marker)) = (data.get(at), data.get(at.saturating_add(1))) else { return false };
        match marker {
            0xc3 | 0xc7 | 0xcb | 0xcf => return false,
            0xc0..=0xc2 | 0xc5 | 0xc6 | 0xc9 | 0xca | 0xcd | 0xce => return true,
            0xff => at = at.saturating_add(1),
            _ => {
                let length = super::bytes::u16be(data, at.saturating_add(2)).unwrap_or(0);
                at = at.saturating_add(2).saturating_add(usize::from(length.max(2)));
            }
        }
    }
    false
}

/// Decodes the JPEGs at these places, each place once, the largest picture first; says whether there was one.
fn give_largest(bytes: &[u8], mut places: Vec<Place>, run: &mut Run<'_>) -> bool {
    places.retain(|&(at, length)| length > 0 && window(bytes, at, length).is_some());
    places.sort_unstable();
    places.dedup_by_key(|p| p.0);
    let mut sized: Vec<(u64, Place)> = places
        .into_iter()
        .filter(|&(at, length)| is_picture(window(bytes, at, length)))
        .map(|place| {
            let size = window(bytes, place.0, place.1).and_then(jpeg::size).unwrap_or((0, 0));
            (u64::from(size.0).saturating_mul(u64::from(size.1)), place)
        })
        .collect();
    sized.sort_by_key(|&(pixels, (at, length))| (std::cmp::Reverse(pixels), std::cmp::Reverse(length), at));
    let more = sized.len().saturating_sub(MAX_PREVIEWS);
    run.leave_out("image-limit", more as u64);
    let any = !sized.is_empty();
    for (_, (at, length)) in sized.into_iter().take(MAX_PREVIEWS) {
        run.one(Role::Preview, None, |limits| jpeg::decode(window(bytes, at, length).unwrap_or_default(), limits));
    }
    any
}

/// Where no tag names a preview: the beginnings of JPEGs anywhere in the file, each read to its own end.
fn search(bytes: &[u8], run: &mut Run<'_>) {
    let mut at = 0usize;
    let mut places: Vec<Place> = Vec::new();
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(3).position(|w| w == b"\xff\xd8\xff")) {
        let start = at.saturating_add(found);
        if places.len() >= MAX_PREVIEWS {
            break;
        }
        if is_picture(bytes.get(start..)) {
            places.push((start as u64, bytes.len().saturating_sub(start) as u64));
        }
        at = start.saturating_add(3);
    }
    give_largest(bytes, places, run);
}

/// The previews that a maker note names; each maker counts its offsets from another place.
fn maker_note(frame: &Frame<'_>, note: Entry) -> Vec<Place> {
    let data = frame.data;
    let bytes = note.bytes(data).unwrap_or_default();
    let base = note.at();
    let mut places = Vec::new();
    if bytes.starts_with(b"OLYMPUS\0") || bytes.starts_with(b"OM SYSTEM\0") {
        // The note is a frame of its own: offsets count from its beginning. The preview stands in the directory of
        // camera settings (0x2020) as start and length (0x0101, 0x0102); older notes have it at 0x0100.
        let start = if bytes.starts_with(b"OM SYSTEM\0") { 16 } else { 12 };
        if let Some(own) = own_frame(data, base, frame.order)
            && let Some(top) = own.directory(start, false)
        {
            let settings = top
                .number(&own, 0x2020)
                .or_else(|| top.entry(0x2020).map(Entry::at))
                .and_then(|at| own.directory(at, false));
            for d in settings.iter().chain([&top]) {
                if let (Some(at), Some(length)) = (d.number(&own, 0x0101), d.number(&own, 0x0102)) {
                    places.push((base.saturating_add(at), length));
                }
            }
            if let Some(whole) = top.entry(0x0100) {
                places.extend(whole.bytes(own.data).map(|b| (base.saturating_add(whole.at()), b.len() as u64)));
            }
        }
    } else if bytes.starts_with(b"Nikon\0") {
        // A TIFF header of its own ten bytes on; the preview's directory is 0x0011.
        let start = base.saturating_add(10);
        if let Some(own) = window(data, start, u64::MAX).and_then(Frame::open) {
            let (directories, _) = own.directories();
            let preview =
                directories.first().and_then(|d| d.number(&own, 0x0011)).and_then(|at| own.directory(at, false));
            if let Some(d) = preview
                && let (Some(at), Some(length)) = (d.number(&own, tag::JPEG_OFFSET), d.number(&own, tag::JPEG_LENGTH))
            {
                places.push((start.saturating_add(at), length));
            }
        }
    } else if bytes.starts_with(b"AOC\0") || bytes.starts_with(b"PENTAX \0") {
        // Length and start are tags 0x0003 and 0x0004, counted from the file's beginning (in the newer note from the
        // note's own).
        let (start, from_note) = if bytes.starts_with(b"AOC\0") { (6, 0) } else { (10, base) };
        if let Some(d) = frame.directory(base.saturating_add(start), false)
            && let (Some(length), Some(at)) = (d.number(frame, 0x0003), d.number(frame, 0x0004))
        {
            places.push((at.saturating_add(from_note), length));
        }
    } else if let Some(d) = frame.directory(base, false) {
        // Sony: the preview itself is the value of 0x2001, behind a short header.
        if let Some(whole) = d.entry(0x2001)
            && let Some(range) = whole.bytes(data).and_then(|b| window_range(data.len(), whole.at(), b.len() as u64))
            && let Some(skip) = data
                .get(range.clone())
                .and_then(|b| b.get(..64.min(b.len()))?.windows(3).position(|w| w == b"\xff\xd8\xff"))
        {
            let at = range.start.saturating_add(skip);
            places.push((at as u64, range.end.saturating_sub(at) as u64));
        }
    }
    places
}

/// A maker note read as a frame whose offsets count from the note's beginning.
fn own_frame(data: &[u8], base: u64, order: Order) -> Option<Frame<'_>> {
    let data = window(data, base, u64::MAX)?;
    let order = match data.get(8..10) {
        Some(b"II") => Order::Little,
        Some(b"MM") => Order::Big,
        _ => order,
    };
    Some(Frame::without_header(data, order))
}
