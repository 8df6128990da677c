//! What kind of picture some bytes are, by content.

use serde::{Deserialize, Serialize};

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
