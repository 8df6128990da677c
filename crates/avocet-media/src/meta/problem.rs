//! What could not be read, and what to do about it.

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $sentence:literal;)*) => {
        /// What kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl ProblemCode {
            /// Its stable name.
            pub fn name(self) -> &'static str {
                match self { $(ProblemCode::$variant => $name,)* }
            }

            /// One sentence for the examiner.
            pub(super) fn sentence(self) -> &'static str {
                match self { $(ProblemCode::$variant => $sentence,)* }
            }
        }
    };
}

codes! {
    /// No container known here.
    UnknownContainer = "unknown-container",
        "the file is of no kind whose metadata is read; look at it with another program";
    /// A structure runs past the end.
    Truncated = "truncated", "a structure runs past the end of its block; the file may be cut off";
    /// A directory that is none.
    BadDirectory = "bad-directory", "an EXIF directory lies outside its block or is no directory; its tags were not read";
    /// A directory met twice.
    DirectoryLoop = "directory-loop", "an EXIF directory points back to one already read; it was read once";
    /// A budget is spent.
    TooMuch = "too-much", "there is more metadata than any camera writes; the rest was not read, look at the file by hand";
    /// A value outside its block.
    ValueOutside = "value-outside", "a tag's value lies outside its block; the tag was not read";
    /// A value of a form its tag cannot have.
    BadValue = "bad-value", "a tag's value has a form or size that the tag cannot have; it was not used";
    /// A value was cut.
    ValueCut = "value-cut", "a value is longer than 1,024 bytes; it was cut there";
    /// Compressed metadata that does not unpack.
    BadCompression = "bad-compression", "compressed metadata could not be unpacked whole; it was not read";
    /// A thumbnail outside its block, too large or no JPEG.
    BadThumbnail = "bad-thumbnail", "a thumbnail is stated that is no JPEG within its block; it was not taken";
    /// A place off the earth or without its hemisphere.
    BadPlace = "bad-place", "a latitude or longitude is off the globe or without hemisphere; only its stated form was kept";
    /// A maker note of a layout not read here.
    MakerNoteUnknown = "maker-note-unknown",
        "the camera's own block (maker note) is of a layout that is not read; a serial number may be in it";
    /// BigTIFF.
    BigTiff = "big-tiff", "this is a BigTIFF, whose metadata is not read; look at it with another program";
}

/// Something that could not be read. Says nothing of the content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Problem {
    /// What kind.
    pub code: ProblemCode,
    /// Byte offset of the first one, within the block it was met in (the file, an EXIF block, a text chunk).
    pub offset: u64,
    /// How often it was met.
    pub count: u64,
    /// One sentence for the examiner: what it is and what was done.
    pub sentence: String,
}
