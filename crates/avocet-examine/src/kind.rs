//! What a file is by its first bytes. A name's extension is never asked.

use avocet_media::PictureKind;

/// The kinds of media that an examination counts apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// A still picture.
    Picture,
    /// A moving picture.
    Video,
    /// An archive or compressed file.
    Archive,
}

impl MediaKind {
    /// The word used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Video => "video",
            Self::Archive => "archive",
        }
    }
}

/// Bytes of a file's beginning that [`sniff`] wants to see.
pub const HEAD_LEN: usize = PictureKind::HEAD_LEN;

/// A repeated sync byte: MPEG transport streams have no magic number of their own (ISO/IEC 13818-1).
fn is_transport_stream(head: &[u8]) -> bool {
    let repeats = |first: usize, packet: usize| (0..2).all(|i| head.get(first + i * packet) == Some(&0x47));
    repeats(0, 188) || repeats(4, 192)
}

/// The brand of an ISO base media file, at offset 8 of its `ftyp` box (ISO/IEC 14496-12).
fn iso_brand(head: &[u8]) -> Option<&[u8]> {
    head.get(8..12).filter(|_| head.get(4..8) == Some(b"ftyp"))
}

/// The kind of media a file is and the name of its format, from its first bytes; `None` where it is neither picture,
/// video nor archive.
pub fn sniff(head: &[u8]) -> Option<(MediaKind, &'static str)> {
    if let Some(kind) = PictureKind::recognise(head) {
        return Some((MediaKind::Picture, kind.code()));
    }
    if let Some(brand) = iso_brand(head) {
        return match brand {
            b"qt  " => Some((MediaKind::Video, "mov")),
            [b'3', b'g', ..] => Some((MediaKind::Video, "3gp")),
            b"M4A " | b"M4B " => None,
            _ => Some((MediaKind::Video, "mp4")),
        };
    }
    if head.starts_with(b"FOVb") {
        return Some((MediaKind::Picture, "x3f"));
    }
    // QuickTime files of older cameras begin with another box than `ftyp`.
    if matches!(head.get(4..8), Some(b"moov" | b"mdat" | b"wide" | b"skip" | b"pnot")) {
        return Some((MediaKind::Video, "mov"));
    }
    if is_transport_stream(head) {
        return Some((MediaKind::Video, "mpeg-ts"));
    }
    if head.starts_with(b"ANDROID BACKUP\n") {
        return Some((MediaKind::Archive, "ab"));
    }
    let found = infer::get(head)?;
    let kind = match found.matcher_type() {
        infer::MatcherType::Image => MediaKind::Picture,
        infer::MatcherType::Video => MediaKind::Video,
        // A Word or Excel file is a document to the reader, but its pictures are members of a zip all the same.
        infer::MatcherType::Archive
            if !matches!(found.extension(), "pdf" | "swf" | "rtf" | "eot" | "ps" | "sqlite") =>
        {
            MediaKind::Archive
        }
        infer::MatcherType::Doc if matches!(found.extension(), "docx" | "xlsx" | "pptx" | "odt" | "ods" | "odp") => {
            MediaKind::Archive
        }
        infer::MatcherType::Book if found.extension() == "epub" => MediaKind::Archive,
        _ => return None,
    };
    Some((kind, found.extension()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let case = |head: &[u8]| sniff(head).map(|(k, f)| (k.as_str(), f));
        assert_eq!(case(b"\xff\xd8\xff\xe0\0\x10JFIF\0"), Some(("picture", "jpeg")));
        assert_eq!(case(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(("picture", "png")));
        assert_eq!(case(b"\0\0\0\x18ftypheic\0\0\0\0"), Some(("picture", "heif")));
        assert_eq!(case(b"\0\0\0\x18ftyp3gp4\0\0\0\0"), Some(("video", "3gp")));
        assert_eq!(case(b"\0\0\0\x18ftypisom\0\0\0\0"), Some(("video", "mp4")));
        assert_eq!(case(b"RIFF\0\0\0\0AVI LIST"), Some(("video", "avi")));
        assert_eq!(case(b"PK\x03\x04\x14\0\0\0\0\0aaaaaaaaaaaaaaaaaaaaaaaaa"), Some(("archive", "zip")));
        assert_eq!(case(b"ANDROID BACKUP\n5\n1\nnone\n"), Some(("archive", "ab")));
        assert_eq!(case(b"plain words"), None);
        assert_eq!(case(b""), None);
        let mut packets = vec![0u8; 400];
        packets[0] = 0x47;
        packets[188] = 0x47;
        assert_eq!(case(&packets), Some(("video", "mpeg-ts")));
    }
}
