//! The directories of an EXIF block or a TIFF file (TIFF 6.0; EXIF 2.32; DNG 1.7 for its own tags).
//!
//! Tags are read in whatever main directory they stand: programs put tags of the EXIF directory into the main one.

use super::directory::{self, Directory, Entry};
use super::fact::{Key, Source};
use super::gather::Gather;
use super::gps::Gps;
use super::problem::ProblemCode;
use super::view::{Order, index, rest, slice};
use super::{iptc, jpeg, maker, text, time, xmp};

/// Chained directories (pages) that are read.
const MAX_CHAIN: usize = 64;
/// Sub-images of one directory that are read.
const MAX_SUB_IMAGES: usize = 16;
/// Depth of EXIF directories below EXIF directories: one in well-formed files.
const MAX_DEPTH: usize = 4;

/// What a TIFF structure is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The EXIF block of another container: its second directory describes the thumbnail.
    Exif,
    /// A file of its own: later directories are pages, previews or the RAW picture.
    File,
    /// Canon CR3's block of the maker's tags alone.
    MakerTags,
    /// Canon CR3's block of GPS tags alone.
    GpsTags,
}

/// Whether bytes begin as a TIFF file or one of its RAW relatives (Olympus ORF, Panasonic RW2).
pub(super) fn is_header(data: &[u8]) -> bool {
    let Some(order) = Order::from_mark(data, 0) else { return false };
    // 42; 43 BigTIFF; 0x55 RW2; "RO", "RS", "OR" and the like ORF.
    matches!(order.u16(data, 2), Some(42 | 43 | 0x55 | 0x4f52 | 0x5352 | 0x524f))
}

/// A file of its own.
pub(super) fn file(data: &[u8], out: &mut Gather) {
    let source = out.next_exif();
    block(data, Role::File, source, out);
}

/// The EXIF block of another container, with or without its `Exif` heading.
pub(super) fn exif(data: &[u8], out: &mut Gather) {
    let data = data.strip_prefix(b"Exif\0").and_then(|d| d.get(1..)).unwrap_or(data);
    if Order::from_mark(data, 0).is_none() {
        out.problem(ProblemCode::BadDirectory, 0);
        return;
    }
    let source = out.next_exif();
    block(data, Role::Exif, source, out);
}

/// One TIFF structure.
pub(super) fn block(data: &[u8], role: Role, source: Source, out: &mut Gather) {
    let Some(order) = Order::from_mark(data, 0) else {
        out.problem(ProblemCode::BadDirectory, 0);
        return;
    };
    if order.u16(data, 2) == Some(43) {
        out.problem(ProblemCode::BigTiff, 0);
        return;
    }
    let Some(first) = order.u32(data, 4).filter(|_| out.may_read_block(0)) else {
        out.problem(ProblemCode::Truncated, 0);
        return;
    };
    let mut walk = Walk {
        data,
        order,
        role,
        source,
        visited: Vec::new(),
        gps: Gps::default(),
        make: String::new(),
        model: String::new(),
        note: None,
        preview: None,
    };
    match role {
        Role::MakerTags => maker::canon_block(data, index(first), order, out),
        Role::GpsTags => {
            if let Some(d) = walk.directory(index(first), out) {
                d.entries.iter().for_each(|e| walk.gps.entry(e, out));
            }
        }
        Role::Exif | Role::File => walk.chain(index(first), out),
    }
    walk.gps.finish(source, out);
    if let Some((at, len)) = walk.note {
        maker::read(&maker::Note { data, at, len, order, make: &walk.make, model: &walk.model }, out);
    }
    if let Some(preview) = walk.preview {
        jpeg::read_embedded(preview, out);
    }
}

struct Walk<'a> {
    data: &'a [u8],
    order: Order,
    role: Role,
    source: Source,
    visited: Vec<usize>,
    gps: Gps,
    make: String,
    model: String,
    note: Option<(usize, usize)>,
    /// Panasonic RW2 keeps most of its EXIF in an embedded JPEG.
    preview: Option<&'a [u8]>,
}

impl<'a> Walk<'a> {
    fn directory(&mut self, at: usize, out: &mut Gather) -> Option<Directory<'a>> {
        if self.visited.contains(&at) {
            out.problem(ProblemCode::DirectoryLoop, at);
            return None;
        }
        self.visited.push(at);
        directory::read(self.data, at, 0, self.order, out)
    }

    fn chain(&mut self, first: usize, out: &mut Gather) {
        let mut at = first;
        for n in 0.. {
            if n == MAX_CHAIN {
                out.problem(ProblemCode::TooMuch, at);
                return;
            }
            let Some(directory) = self.directory(at, out) else { return };
            if n == 0 {
                self.main(&directory, 0, out);
            } else {
                self.other_image(&directory, n == 1 || self.role == Role::File, out);
            }
            match directory.next {
                None | Some(0) => return,
                Some(next) => at = index(next),
            }
        }
    }

    fn main(&mut self, directory: &Directory<'a>, depth: usize, out: &mut Gather) {
        for e in &directory.entries {
            match e.tag {
                0x8769 | 0x8825 | 0x014a => self.pointer(e, depth, out),
                _ if e.value.is_none() && is_wanted(e.tag) => out.problem(ProblemCode::ValueOutside, e.value_at),
                _ => self.tag(e, out),
            }
        }
    }

    fn pointer(&mut self, e: &Entry<'a>, depth: usize, out: &mut Gather) {
        for (n, at) in e.numbers().enumerate() {
            if n >= MAX_SUB_IMAGES || depth >= MAX_DEPTH {
                out.problem(ProblemCode::TooMuch, index(at));
                return;
            }
            let Some(directory) = self.directory(index(at), out) else { continue };
            match e.tag {
                0x8769 => self.main(&directory, depth.saturating_add(1), out),
                0x8825 => directory.entries.iter().for_each(|e| self.gps.entry(e, out)),
                _ => self.other_image(&directory, false, out),
            }
            if e.tag != 0x014a {
                return;
            }
        }
        if e.number().is_none() {
            out.problem(ProblemCode::BadDirectory, e.value_at);
        }
    }

    fn text(&self, key: Key, e: &Entry<'a>, out: &mut Gather) {
        match e.bytes() {
            Some(bytes) => out.text(key, self.source, bytes),
            None => out.problem(ProblemCode::BadValue, e.value_at),
        }
    }

    fn date(&self, key: Key, e: &Entry<'a>, out: &mut Gather) {
        match e.bytes() {
            Some(bytes) => time::stated(out, key, self.source, &text::from_bytes(bytes)),
            None => out.problem(ProblemCode::BadValue, e.value_at),
        }
    }

    fn offset(&self, key: Key, e: &Entry<'a>, out: &mut Gather) {
        let value = text::from_bytes(e.bytes().unwrap_or_default());
        if value.bytes().any(|b| b.is_ascii_alphanumeric()) {
            out.fact(key, self.source, value);
        }
    }

    fn number(&self, key: Key, e: &Entry<'a>, out: &mut Gather) {
        match e.number() {
            Some(n) => out.fact(key, self.source, n.to_string()),
            None => out.problem(ProblemCode::BadValue, e.value_at),
        }
    }

    fn tag(&mut self, e: &Entry<'a>, out: &mut Gather) {
        let source = self.source;
        match e.tag {
            0x010f => {
                self.make = text::from_bytes(e.bytes().unwrap_or_default());
                self.text(Key::Make, e, out);
            }
            0x0110 => {
                self.model = text::from_bytes(e.bytes().unwrap_or_default());
                self.text(Key::Model, e, out);
            }
            0x0112 => orientation(e, source, out),
            0x0131 => self.text(Key::Software, e, out),
            0x013b => self.text(Key::Artist, e, out),
            0x9c9d => {
                let units = e.bytes().unwrap_or_default().chunks_exact(2).filter_map(|c| Order::Little.u16(c, 0));
                out.fact(Key::Artist, source, text::from_utf16(units));
            }
            0xa430 => self.text(Key::OwnerName, e, out),
            // EXIF, and DNG's own place for the same.
            0xa431 | 0xc62f => self.text(Key::BodySerial, e, out),
            0xa434 => self.text(Key::LensModel, e, out),
            0xa435 => self.text(Key::LensSerial, e, out),
            0xa420 => self.text(Key::UniqueId, e, out),
            // Written into EXIF by Adobe's programs, each with a heading of its own.
            0xfde8 => self.after(Key::OwnerName, e, "Owner's Name:", out),
            0xfde9 => self.after(Key::BodySerial, e, "Serial Number:", out),
            0xfdea => self.after(Key::LensModel, e, "Lens:", out),
            0x9003 => self.date(Key::Taken, e, out),
            0x9004 => self.date(Key::Digitised, e, out),
            0x0132 => self.date(Key::Modified, e, out),
            0x9291 => self.text(Key::TakenSubsec, e, out),
            0x9010 => self.offset(Key::ModifiedOffset, e, out),
            0x9011 => self.offset(Key::TakenOffset, e, out),
            0x9012 => self.offset(Key::DigitisedOffset, e, out),
            0x0100 | 0xa002 => self.number(Key::ImageWidth, e, out),
            0x0101 | 0xa003 => self.number(Key::ImageHeight, e, out),
            0x02bc => xmp::read(e.value.unwrap_or_default(), out),
            0x83bb => iptc::records(e.value.unwrap_or_default(), out),
            0x8649 => iptc::resources(e.value.unwrap_or_default(), out),
            0x927c => {
                if let Some(value) = e.value {
                    self.note = Some((e.value_at, value.len()));
                }
            }
            0x002e if self.role == Role::File && self.order.u16(self.data, 2) == Some(0x55) => self.preview = e.value,
            0xc634 => maker::adobe_private(e.value.unwrap_or_default(), &self.make, &self.model, out),
            _ => {}
        }
    }

    fn after(&self, key: Key, e: &Entry<'a>, heading: &str, out: &mut Gather) {
        let value = text::from_bytes(e.bytes().unwrap_or_default());
        out.fact(key, self.source, value.strip_prefix(heading).unwrap_or(&value).trim());
    }

    /// A directory that describes another image than the picture itself: thumbnail, page, preview, RAW data.
    fn other_image(&mut self, directory: &Directory<'a>, thumbnail: bool, out: &mut Gather) {
        let source = Source::ExifOtherImage;
        let (mut at, mut len) = (None, None);
        for e in &directory.entries {
            match e.tag {
                0x010f => e.bytes().into_iter().for_each(|b| out.text(Key::Make, source, b)),
                0x0110 => e.bytes().into_iter().for_each(|b| out.text(Key::Model, source, b)),
                0x0131 => e.bytes().into_iter().for_each(|b| out.text(Key::Software, source, b)),
                0x0112 => orientation(e, source, out),
                0x0100 => e.number().into_iter().for_each(|n| out.fact(Key::ImageWidth, source, n.to_string())),
                0x0101 => e.number().into_iter().for_each(|n| out.fact(Key::ImageHeight, source, n.to_string())),
                0x0201 => at = e.number(),
                0x0202 => len = e.number(),
                _ => {}
            }
        }
        let (true, Some(at), Some(len)) = (thumbnail, at, len) else { return };
        let (at, len) = (index(at), index(len));
        let bytes = slice(self.data, at, len).unwrap_or_else(|| {
            // Some cameras state a few bytes more than the segment holds: what is there still shows something.
            out.problem(ProblemCode::Truncated, at);
            rest(self.data, at)
        });
        if len != 0 {
            out.thumbnail(bytes, at);
        }
    }
}

/// EXIF orientation is 1 to 8; 0 is what programs write for "not known".
fn orientation(e: &Entry<'_>, source: Source, out: &mut Gather) {
    match e.number() {
        Some(n @ 1..=8) => out.fact(Key::Orientation, source, n.to_string()),
        Some(0) => {}
        _ => out.problem(ProblemCode::BadValue, e.value_at),
    }
}

/// Whether a tag whose value cannot be reached would have given a fact.
fn is_wanted(tag: u16) -> bool {
    matches!(
        tag,
        0x010f | 0x0110 | 0x0112 | 0x0131 | 0x0132 | 0x013b | 0x02bc | 0x83bb | 0x8649 | 0x9003 | 0x9004 | 0x9010
            ..=0x9012 | 0x927c | 0x9291 | 0x9c9d | 0xa420 | 0xa430 | 0xa431 | 0xa434 | 0xa435 | 0xc62f | 0xc634
            | 0xfde8..=0xfdea
    )
}
