//! What kind of picture some bytes are, by content.

use serde::{Deserialize, Serialize};

use crate::decode::bytes::{u16le, u32be, u32le};
use crate::decode::ifd::{Directory, Frame, tag};

/// A kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum PictureKind {
    Jpeg,
    Png,
    Gif,
    Bmp,
    Tiff,
    WebP,
    Heif,
    Avif,
    JpegXl,
    Jpeg2000,
    Ico,
    /// Camera RAW in a TIFF frame: DNG, CR2, NEF, ARW, ORF, RW2, PEF and the like.
    RawTiff,
    /// Canon CR3: RAW in an ISO base media frame.
    Cr3,
    /// Fujifilm RAF.
    Raf,
}

impl PictureKind {
    /// Every kind, in the order of their counts.
    pub const ALL: [PictureKind; 14] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Bmp,
        Self::Tiff,
        Self::WebP,
        Self::Heif,
        Self::Avif,
        Self::JpegXl,
        Self::Jpeg2000,
        Self::Ico,
        Self::RawTiff,
        Self::Cr3,
        Self::Raf,
    ];

    /// Bytes of a file's beginning that tell everything apart but a RAW file whose directory stands further back,
    /// which then is a [`PictureKind::Tiff`] until the whole file is there.
    pub const HEAD_LEN: usize = 4096;

    /// The word used in every output; it never changes.
    pub fn code(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::WebP => "webp",
            Self::Heif => "heif",
            Self::Avif => "avif",
            Self::JpegXl => "jxl",
            Self::Jpeg2000 => "jp2",
            Self::Ico => "ico",
            Self::RawTiff => "raw",
            Self::Cr3 => "cr3",
            Self::Raf => "raf",
        }
    }

    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
            Self::WebP => "WebP",
            Self::Heif => "HEIF",
            Self::Avif => "AVIF",
            Self::JpegXl => "JPEG XL",
            Self::Jpeg2000 => "JPEG 2000",
            Self::Ico => "Windows icon",
            Self::RawTiff => "camera RAW",
            Self::Cr3 => "Canon CR3",
            Self::Raf => "Fujifilm RAF",
        }
    }

    /// The kind that the first bytes of a file show ([`Self::HEAD_LEN`] are enough; more do no harm); `None` for
    /// everything that is no picture. A name's extension is never asked.
    pub fn recognise(head: &[u8]) -> Option<PictureKind> {
        const MAGIC: [(&[u8], PictureKind); 9] = [
            (b"\xff\xd8\xff", PictureKind::Jpeg),
            (b"\x89PNG\r\n\x1a\n", PictureKind::Png),
            (b"GIF87a", PictureKind::Gif),
            (b"GIF89a", PictureKind::Gif),
            (b"\xff\x0a", PictureKind::JpegXl),
            (b"\0\0\0\x0cJXL \r\n\x87\n", PictureKind::JpegXl),
            (b"\0\0\0\x0cjP  \r\n\x87\n", PictureKind::Jpeg2000),
            (b"\xff\x4f\xff\x51\0", PictureKind::Jpeg2000),
            (b"FUJIFILMCCD-RAW ", PictureKind::Raf),
        ];
        if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return Some(*kind);
        }
        if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            return Some(Self::WebP);
        }
        if head.get(4..8) == Some(b"ftyp") {
            return by_brand(head);
        }
        if let Some(frame) = Frame::open(head) {
            return Some(if is_raw(&frame) { Self::RawTiff } else { Self::Tiff });
        }
        if is_bitmap(head) {
            return Some(Self::Bmp);
        }
        is_icon(head).then_some(Self::Ico)
    }
}

/// By the brands of an ISO base media file: the major one first, and where it says nothing of pictures and is not one
/// of a film either, the compatible ones (ISO/IEC 23008-12 annex B, AV1 Image File Format 6).
fn by_brand(head: &[u8]) -> Option<PictureKind> {
    let length = u32be(head, 0)? as usize;
    let brands: Vec<&[u8]> = head.get(8..)?.chunks_exact(4).take(length.saturating_sub(8) / 4).take(64).collect();
    let (major, compatible) = (*brands.first()?, brands.get(2..).unwrap_or_default());
    let is_avif = |brand: &[u8]| matches!(brand, b"avif" | b"avis");
    let is_heif = |brand: &[u8]| {
        matches!(brand, b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs")
            || matches!(brand, b"avci" | b"avcs" | b"jpeg" | b"jpgs" | b"j2ki" | b"j2is" | b"vvic" | b"vvis")
    };
    let is_general = |brand: &[u8]| matches!(brand, b"mif1" | b"mif2" | b"mif3" | b"msf1" | b"miaf" | b"1pic");
    match major {
        b"crx " => return Some(PictureKind::Cr3),
        b"jp2 " | b"jpx " | b"jpm " => return Some(PictureKind::Jpeg2000),
        b"jxl " => return Some(PictureKind::JpegXl),
        _ if is_avif(major) => return Some(PictureKind::Avif),
        _ if is_heif(major) => return Some(PictureKind::Heif),
        b"qt  " | b"isom" | b"iso2" | b"iso3" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1" => {
            return None;
        }
        [b'3', b'g', ..] | [b'M', b'4', ..] => return None,
        _ => {}
    }
    if compatible.iter().any(|b| is_avif(b)) {
        Some(PictureKind::Avif)
    } else if is_general(major) || compatible.iter().any(|b| is_heif(b) || is_general(b)) {
        Some(PictureKind::Heif)
    } else {
        None
    }
}

/// Whether a TIFF frame is a camera's RAW file: its own magic number, Canon's mark, DNG's version, a sensor's pixels or
/// a camera's own compression in a directory in sight, or a camera maker's name with directories below the first. A
/// scan or an edited picture that merely names a camera is an ordinary TIFF.
fn is_raw(frame: &Frame<'_>) -> bool {
    if !matches!(frame.data.get(2..4), Some([42, 0] | [0, 42] | [43, 0] | [0, 43]))
        || frame.data.get(8..10) == Some(b"CR")
    {
        return true;
    }
    let (directories, _) = frame.directories();
    let sensor = |d: &Directory| {
        matches!(d.number(frame, tag::PHOTOMETRIC), Some(32_803 | 34_892))
            || matches!(d.number(frame, tag::COMPRESSION), Some(34_713 | 32_767 | 32_769 | 32_770 | 65_535 | 65_000))
            || d.entry(tag::DNG_VERSION).is_some()
    };
    if directories.iter().any(sensor) {
        return true;
    }
    const MAKERS: [&[u8]; 12] = [
        b"NIKON", b"SONY", b"PENTAX", b"RICOH", b"OLYMPUS", b"OM Dig", b"SAMSUNG", b"Panaso", b"LEICA", b"Hassel",
        b"Phase", b"Canon",
    ];
    directories.first().is_some_and(|first| {
        let make = first.entry(tag::MAKE).and_then(|e| e.bytes(frame.data)).unwrap_or_default();
        first.entry(tag::SUB_DIRECTORIES).is_some() && MAKERS.iter().any(|m| make.starts_with(m))
    })
}

/// `BM`, and a header of a length that some Windows or OS/2 has written: two letters alone begin many a text.
fn is_bitmap(head: &[u8]) -> bool {
    head.starts_with(b"BM") && matches!(u32le(head, 14), Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

/// An icon or cursor has no magic number; its directory must be possible, and its first picture begin as one where that
/// is in sight.
fn is_icon(head: &[u8]) -> bool {
    if !matches!(head.get(..4), Some([0, 0, 1 | 2, 0])) {
        return false;
    }
    let Some(count @ 1..=256) = u16le(head, 4) else { return false };
    let Some(entries) = head.get(6..) else { return false };
    let first_byte = 6u32.saturating_add(16u32.saturating_mul(u32::from(count)));
    let mut seen = 0u32;
    for entry in entries.chunks_exact(16).take(usize::from(count)) {
        let (Some(length), Some(at)) = (u32le(entry, 8), u32le(entry, 12)) else { return false };
        if !(12..=1 << 28).contains(&length) || !(first_byte..=1 << 30).contains(&at) {
            return false;
        }
        let begins = head.get(at as usize..).unwrap_or_default();
        if begins.len() >= 8
            && !begins.starts_with(b"\x89PNG")
            && !matches!(u32le(begins, 0), Some(12 | 40 | 52 | 56 | 108 | 124))
        {
            return false;
        }
        seen = seen.saturating_add(1);
    }
    seen > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_decide_and_films_are_no_pictures() {
        let ftyp = |brands: &[&[u8; 4]]| {
            let mut head = ((16 + 4 * (brands.len() as u32 - 1)).to_be_bytes()).to_vec();
            head.extend_from_slice(b"ftyp");
            head.extend_from_slice(brands[0]);
            head.extend_from_slice(&[0; 4]);
            brands[1..].iter().for_each(|b| head.extend_from_slice(*b));
            PictureKind::recognise(&head)
        };
        assert_eq!(ftyp(&[b"heic", b"mif1"]), Some(PictureKind::Heif));
        assert_eq!(ftyp(&[b"mif1", b"avif", b"miaf"]), Some(PictureKind::Avif));
        assert_eq!(ftyp(&[b"mif1", b"heic"]), Some(PictureKind::Heif));
        assert_eq!(ftyp(&[b"XXXX", b"heic"]), Some(PictureKind::Heif));
        assert_eq!(ftyp(&[b"crx ", b"isom"]), Some(PictureKind::Cr3));
        assert_eq!(ftyp(&[b"isom", b"mif1"]), None);
        assert_eq!(ftyp(&[b"qt  "]), None);
        assert_eq!(ftyp(&[b"3gp4", b"isom"]), None);
    }

    #[test]
    fn no_picture_by_accident() {
        for head in [
            &b"BM is how this text begins, and it goes on"[..],
            b"\0\0\x01\0\x01\0 not an icon directory at all, is it",
            b"\0\0\x01\0\0\0",
            b"\0\0\x01\xb3\x14\0\xf0\0 an MPEG stream",
            b"II plain words",
            b"RIFF\0\0\0\0AVI LIST",
            b"",
        ] {
            assert_eq!(PictureKind::recognise(head), None, "{head:?}");
        }
    }
}
