//! Which XMP properties are facts, and how their values are read (Adobe XMP Specification part 2; CIPA DC-010 for
//! `exifEX`; Adobe's auxiliary schema `aux`; DJI's `drone-dji`).

use super::fact::{Key, Source};
use super::gather::Gather;
use super::gps::degrees_fact;
use super::problem::ProblemCode;
use super::{text, time};

const SOURCE: Source = Source::Xmp;

/// Vocabularies that hold facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    Rdf,
    Tiff,
    Exif,
    ExifEx,
    Aux,
    Xmp,
    XmpMm,
    Photoshop,
    Dc,
    Dji,
    Other,
}

use Namespace as N;

impl Namespace {
    /// By its name; a missing slash at the end and `https` are common mistakes.
    pub(super) fn from_uri(uri: &str) -> Namespace {
        let uri = uri.trim().trim_end_matches(['/', '#']);
        match uri.strip_prefix("http://").or(uri.strip_prefix("https://")).unwrap_or(uri) {
            "www.w3.org/1999/02/22-rdf-syntax-ns" => N::Rdf,
            "ns.adobe.com/tiff/1.0" => N::Tiff,
            "ns.adobe.com/exif/1.0" => N::Exif,
            "cipa.jp/exif/1.0" | "cipa.jp/exif/1.0/exifEX" => N::ExifEx,
            "ns.adobe.com/exif/1.0/aux" => N::Aux,
            "ns.adobe.com/xap/1.0" => N::Xmp,
            "ns.adobe.com/xap/1.0/mm" => N::XmpMm,
            "ns.adobe.com/photoshop/1.0" => N::Photoshop,
            "purl.org/dc/elements/1.1" => N::Dc,
            "www.dji.com/drone-dji/1.0" => N::Dji,
            _ => N::Other,
        }
    }

    /// For a prefix that nothing declares, as in packets put together from pieces.
    pub(super) fn from_usual_prefix(prefix: &str) -> Namespace {
        match prefix {
            "rdf" => N::Rdf,
            "tiff" => N::Tiff,
            "exif" => N::Exif,
            "exifEX" => N::ExifEx,
            "aux" => N::Aux,
            "xmp" | "xap" => N::Xmp,
            "xmpMM" | "xapMM" => N::XmpMm,
            "photoshop" => N::Photoshop,
            "dc" => N::Dc,
            "drone-dji" => N::Dji,
            _ => N::Other,
        }
    }
}

/// What a property means, and its rank among properties of the same meaning: lower ranks are nearer to the camera.
fn meaning(space: Namespace, local: &str) -> Option<(Key, u8)> {
    Some(match (space, local) {
        (N::Tiff, "Make") => (Key::Make, 0),
        (N::Exif, "Make") => (Key::Make, 1),
        (N::Tiff, "Model") => (Key::Model, 0),
        (N::Exif, "Model") => (Key::Model, 1),
        (N::ExifEx, "BodySerialNumber" | "SerialNumber") => (Key::BodySerial, 0),
        (N::Aux, "SerialNumber") => (Key::BodySerial, 1),
        (N::Exif, "BodySerialNumber" | "SerialNumber") => (Key::BodySerial, 2),
        (N::Dji, "CameraSerialNumber") => (Key::BodySerial, 3),
        (N::Dji, "DroneSerialNumber") => (Key::InternalSerial, 0),
        (N::ExifEx, "LensSerialNumber") => (Key::LensSerial, 0),
        (N::Aux, "LensSerialNumber") => (Key::LensSerial, 1),
        (N::Exif, "LensSerialNumber") => (Key::LensSerial, 2),
        (N::ExifEx, "LensModel") => (Key::LensModel, 0),
        (N::Aux, "Lens") => (Key::LensModel, 1),
        (N::Exif, "LensModel") => (Key::LensModel, 2),
        (N::Exif, "ImageUniqueID") => (Key::UniqueId, 0),
        (N::Exif, "DateTimeOriginal") => (Key::Taken, 0),
        (N::Photoshop, "DateCreated") => (Key::Taken, 1),
        (N::Exif, "SubSecTimeOriginal") => (Key::TakenSubsec, 0),
        (N::Exif | N::ExifEx, "OffsetTimeOriginal") => (Key::TakenOffset, 0),
        (N::Exif, "DateTimeDigitized") => (Key::Digitised, 0),
        (N::Xmp, "CreateDate") => (Key::Digitised, 1),
        (N::Exif | N::ExifEx, "OffsetTimeDigitized") => (Key::DigitisedOffset, 0),
        (N::Tiff, "DateTime") => (Key::Modified, 0),
        (N::Xmp, "ModifyDate") => (Key::Modified, 1),
        (N::Exif | N::ExifEx, "OffsetTime") => (Key::ModifiedOffset, 0),
        (N::Exif, "GPSLatitude") => (Key::GpsLat, 0),
        (N::Exif, "GPSLongitude") => (Key::GpsLon, 0),
        (N::Exif, "GPSAltitude") => (Key::GpsAlt, 0),
        (N::Exif, "GPSTimeStamp") => (Key::GpsTime, 0),
        (N::Tiff, "Orientation") => (Key::Orientation, 0),
        (N::Exif, "Orientation") => (Key::Orientation, 1),
        (N::Tiff, "Software") => (Key::Software, 0),
        (N::Exif, "Software") => (Key::Software, 1),
        (N::Xmp, "CreatorTool") => (Key::Software, 2),
        (N::Tiff, "Artist") => (Key::Artist, 0),
        (N::Dc, "creator") => (Key::Artist, 1),
        (N::ExifEx, "CameraOwnerName" | "OwnerName") => (Key::OwnerName, 0),
        (N::Aux, "OwnerName") => (Key::OwnerName, 1),
        (N::Exif, "PixelXDimension") => (Key::ImageWidth, 0),
        (N::Tiff, "ImageWidth") => (Key::ImageWidth, 1),
        (N::Exif, "PixelYDimension") => (Key::ImageHeight, 0),
        (N::Tiff, "ImageLength") => (Key::ImageHeight, 1),
        (N::XmpMm, "DocumentID") => (Key::XmpDocumentId, 0),
        (N::XmpMm, "InstanceID") => (Key::XmpInstanceId, 0),
        (N::XmpMm, "OriginalDocumentID") => (Key::XmpOriginalDocumentId, 0),
        _ => return None,
    })
}

/// Values of one packet that are kept; a packet of Adobe's programs has about thirty.
const MAX_VALUES: usize = 512;

/// The properties found in one packet.
#[derive(Default)]
pub(super) struct Properties {
    values: Vec<(Key, u8, String)>,
    below_sea: bool,
    more: bool,
}

impl Properties {
    pub(super) fn add(&mut self, space: Namespace, local: &str, raw: &str) {
        if (space, local) == (N::Exif, "GPSAltitudeRef") {
            self.below_sea = raw.trim() == "1";
        }
        let Some((key, rank)) = meaning(space, local) else { return };
        let value = text::from_bytes(raw.as_bytes());
        if value.is_empty() {
        } else if self.values.len() < MAX_VALUES {
            self.values.push((key, rank, value));
        } else {
            self.more = true;
        }
    }

    pub(super) fn finish(mut self, out: &mut Gather) {
        if self.more {
            out.problem(ProblemCode::TooMuch, 0);
        }
        self.values.sort_by_key(|v| (v.0, v.1));
        for (key, _, value) in &self.values {
            match key {
                Key::Taken | Key::Digitised | Key::Modified => time::stated(out, *key, SOURCE, value),
                Key::GpsLat => angle(Key::GpsLat, Key::GpsLatStated, ('N', 'S'), value, out),
                Key::GpsLon => angle(Key::GpsLon, Key::GpsLonStated, ('E', 'W'), value, out),
                Key::GpsAlt => match ratio(value) {
                    Some(n) => out.fact(*key, SOURCE, format!("{:.2}", if self.below_sea { -n } else { n })),
                    None => out.problem(ProblemCode::BadValue, 0),
                },
                Key::Orientation if !matches!(value.parse(), Ok(1..=8u8)) => {
                    if value != "0" {
                        out.problem(ProblemCode::BadValue, 0);
                    }
                }
                _ => out.fact(*key, SOURCE, value.as_str()),
            }
        }
    }
}

/// `1234/10` or `123.4`.
fn ratio(value: &str) -> Option<f64> {
    let number = match value.split_once('/') {
        Some((a, b)) => a.trim().parse::<f64>().ok()? / b.trim().parse::<f64>().ok()?,
        None => value.parse().ok()?,
    };
    number.is_finite().then_some(number)
}

/// `34,3.576N`, `34,3,34.5N` (XMP part 2, "GPSCoordinate"), or signed decimal degrees, which some programs write.
fn angle(key: Key, stated: Key, letters: (char, char), value: &str, out: &mut Gather) {
    out.fact(stated, SOURCE, value);
    let last = value.chars().last().map(|c| c.to_ascii_uppercase());
    let (number, sign) = match last {
        Some(c) if c == letters.0 => (value.get(..value.len().saturating_sub(1)), 1.0),
        Some(c) if c == letters.1 => (value.get(..value.len().saturating_sub(1)), -1.0),
        _ => (Some(value), 1.0),
    };
    let parts: Option<Vec<f64>> = number.unwrap_or_default().split(',').map(|p| p.trim().parse().ok()).collect();
    let degrees = match parts.as_deref() {
        Some([d]) => *d,
        Some([d, m]) => d + m / 60.0,
        Some([d, m, s]) => d + m / 60.0 + s / 3600.0,
        _ => f64::NAN,
    };
    degrees_fact(key, sign * degrees, SOURCE, out);
}
