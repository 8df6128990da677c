//! One value with its meaning and its place.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::names;

names! {
    /// What a value means.
    Key {
        /// The camera's maker.
        Make = "make",
        /// The camera's model.
        Model = "model",
        /// The serial number of the body.
        BodySerial = "body-serial",
        /// A number that the maker keeps inside, one for each camera, not the one engraved on it.
        InternalSerial = "internal-serial",
        /// The serial number of the lens.
        LensSerial = "lens-serial",
        /// The lens.
        LensModel = "lens-model",
        /// An identifier that the camera or program gave to the picture.
        UniqueId = "unique-id",
        /// When the picture was taken.
        Taken = "taken",
        /// Fractions of that second, digits only.
        TakenSubsec = "taken-subsec",
        /// The zone of that time, `+02:00` or `Z`.
        TakenOffset = "taken-offset",
        /// When the picture became digital.
        Digitised = "digitised",
        /// The zone of that time.
        DigitisedOffset = "digitised-offset",
        /// When the file was last changed, as a program wrote it.
        Modified = "modified",
        /// The zone of that time.
        ModifiedOffset = "modified-offset",
        /// Latitude in decimal degrees with six decimals, north positive.
        GpsLat = "gps-lat",
        /// Latitude as stated.
        GpsLatStated = "gps-lat-stated",
        /// Longitude in decimal degrees with six decimals, east positive.
        GpsLon = "gps-lon",
        /// Longitude as stated.
        GpsLonStated = "gps-lon-stated",
        /// Metres above the sea, negative below it, two decimals.
        GpsAlt = "gps-alt",
        /// Time of the satellites, UTC: `2021-04-11T19:47:52Z`, `2021-04-11` or `T19:47:52Z`.
        GpsTime = "gps-time",
        /// EXIF orientation, 1 to 8.
        Orientation = "orientation",
        /// The program or firmware that wrote the file.
        Software = "software",
        /// Who made the picture. Personal.
        Artist = "artist",
        /// Whose camera it is. Personal.
        OwnerName = "owner-name",
        /// Width as stated, pixels; the picture itself may differ.
        ImageWidth = "image-width",
        /// Height as stated, pixels.
        ImageHeight = "image-height",
        /// XMP: this document through all its versions.
        XmpDocumentId = "xmp-document-id",
        /// XMP: this saved version.
        XmpInstanceId = "xmp-instance-id",
        /// XMP: the document it was made from.
        XmpOriginalDocumentId = "xmp-original-document-id",
    }
}

names! {
    /// Where a value stood, the most trusted first: what the camera wrote before what programs add, the first EXIF
    /// block before any other.
    Source {
        /// The first EXIF block (TIFF structure): its main, EXIF and GPS directories.
        Exif = "exif",
        /// The maker's own block inside EXIF.
        MakerNote = "maker-note",
        /// Canon's block of the time before EXIF (CIFF).
        Ciff = "ciff",
        /// Text in JPEG segment APP12 of early cameras.
        App12 = "app12",
        /// The record of a FLIR thermal camera.
        Flir = "flir",
        /// GoPro's telemetry in JPEG segment APP6.
        GoPro = "gopro",
        /// Boxes of the ISO base media format.
        IsoBox = "iso-box",
        /// XMP, ISO 16684.
        Xmp = "xmp",
        /// IPTC-IIM.
        Iptc = "iptc",
        /// Text chunks of PNG.
        PngText = "png-text",
        /// A second or later EXIF block of the file.
        ExifFurther = "exif-further",
        /// Directories of an EXIF or TIFF block that describe another image: thumbnail, later page, sub-image.
        ExifOtherImage = "exif-other-image",
        /// The container's own header.
        Header = "header",
    }
}

/// A value, what it means and where it stood.
///
/// Values are valid Unicode without control characters: text is cut at its first NUL, blanks at the ends are dropped, a
/// backslash is `\\`, control and direction characters are `\u{..}`, bytes that are not UTF-8 are `\xff`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// What it means.
    pub key: Key,
    /// Where it stood.
    pub source: Source,
    /// The value, never empty, at most 1,024 bytes.
    pub value: String,
}

impl fmt::Debug for Fact {
    /// Without the value: names, places and serial numbers never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fact({}, {}, {} bytes)", self.key, self.source, self.value.len())
    }
}
