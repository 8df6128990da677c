//! What a picture says about itself: camera, serial numbers, times, place, orientation, software, identifiers, and the
//! thumbnail that its EXIF block carries.
//!
//! [`read`] takes the bytes of a whole file, finds out by content what holds the metadata, and gives every value with
//! the place it stood in ([`Source`]). Nothing is corrected: two places that disagree give two facts, an edited file may
//! carry an older file's serial number, and a time without a zone stays without one.
//!
//! Formats: EXIF 2.32 (CIPA DC-008), TIFF 6.0, XMP (ISO 16684-1), IPTC-IIM 4.2, PNG third edition, ISO/IEC 14496-12 and
//! 23008-12, ISO/IEC 18181-2, and for maker notes the public tag tables (names, numbers and layouts as facts).
//!
//! **Limits.** No thread, no file. Time is linear in the file's size for containers; nested structures are bounded by
//! the budgets in `gather`: 50,000 directory entries, 256 directories, 16 MiB of text and of unpacked data, 512 facts
//! of at most 1,024 bytes, one thumbnail of at most 4 MiB. Whatever is cut off is a [`Problem`].

mod canon;
mod directory;
mod fact;
mod flir;
mod gather;
mod gps;
mod iptc;
mod iso;
mod jpeg;
mod maker;
mod png;
mod problem;
mod reconyx;
mod small;
mod text;
mod tiff;
mod time;
mod view;
mod xmp;
mod xmp_map;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use fact::{Fact, Key, Source};
pub use problem::{Problem, ProblemCode};

use gather::Gather;

/// Everything [`read`] found.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Facts by key, then by source; within one key and source in the order of the file. No two are equal.
    pub facts: Vec<Fact>,
    /// The bytes of the JPEG that EXIF carries as thumbnail (tags 0x0201 and 0x0202 of a second directory); where it
    /// carries none, those of JFIF's extension, CIFF or Canon CR3. Begins with a start-of-image marker, at most 4 MiB.
    pub thumbnail: Option<Vec<u8>>,
    /// What could not be read, one for each code.
    pub problems: Vec<Problem>,
}

impl fmt::Debug for Metadata {
    /// Counts only: what a picture says about itself never reaches a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("facts", &self.facts.len())
            .field("thumbnail_bytes", &self.thumbnail.as_ref().map(Vec::len))
            .field("problems", &self.problems)
            .finish()
    }
}

/// When a picture was taken, as its file says.
#[derive(Clone, PartialEq, Eq)]
pub struct Taken<'a> {
    /// The text as stated, `2021:04:11 15:47:53` in EXIF, `2021-04-11T15:47:53-04:00` in XMP.
    pub text: &'a str,
    /// The zone as the same source states it, `-05:00` or `Z`; `None` where it states none.
    pub offset: Option<&'a str>,
    /// Where both stood.
    pub source: Source,
}

impl Taken<'_> {
    /// The same in ISO 8601, `2021-04-11T15:47:53-05:00`, without a zone where none is stated. `None` where the text is
    /// not a date with a time of day that exists.
    pub fn iso(&self) -> Option<String> {
        time::iso(self.text, self.offset)
    }
}

impl fmt::Debug for Taken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Taken({}{})", self.source.name(), if self.offset.is_some() { ", with zone" } else { "" })
    }
}

/// The camera a picture names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Camera<'a> {
    /// Its maker, where stated.
    pub make: Option<&'a str>,
    /// Its model, where stated.
    pub model: Option<&'a str>,
    /// The body's serial number, or the maker's internal number where no other is stated.
    pub serial: Option<&'a str>,
    /// What the serial number is ([`Key::BodySerial`] or [`Key::InternalSerial`]) and where it stood. The two kinds
    /// must not be compared with each other.
    pub serial_from: Option<(Key, Source)>,
}

impl fmt::Debug for Camera<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Camera(serial from {:?})", self.serial_from)
    }
}

impl Metadata {
    /// All facts of one key, the most trusted source first ([`Source`] says the order).
    pub fn all(&self, key: Key) -> impl Iterator<Item = &Fact> {
        self.facts.iter().filter(move |f| f.key == key)
    }

    /// The value of the most trusted source.
    pub fn first(&self, key: Key) -> Option<&str> {
        self.all(key).next().map(|f| f.value.as_str())
    }

    /// The time of taking by the most trusted source that states a time of day; where none does, by the most trusted
    /// that states anything but zeros (a camera whose clock was never set). The zone is taken from the same source
    /// only.
    pub fn taken(&self) -> Option<Taken<'_>> {
        let fact = self
            .all(Key::Taken)
            .find(|f| time::iso(&f.value, None).is_some())
            .or_else(|| self.all(Key::Taken).find(|f| time::is_set(&f.value)))?;
        let offset = self.all(Key::TakenOffset).find(|f| f.source == fact.source).map(|f| f.value.as_str());
        Some(Taken { text: &fact.value, offset, source: fact.source })
    }

    /// The camera: make, model and serial number, each by the most trusted source that states it. `None` where the file
    /// names neither.
    pub fn camera(&self) -> Option<Camera<'_>> {
        let serial = self.all(Key::BodySerial).next().or_else(|| self.all(Key::InternalSerial).next());
        let camera = Camera {
            make: self.first(Key::Make),
            model: self.first(Key::Model),
            serial: serial.map(|f| f.value.as_str()),
            serial_from: serial.map(|f| (f.key, f.source)),
        };
        (camera.make.is_some() || camera.model.is_some() || camera.serial.is_some()).then_some(camera)
    }

    /// Latitude and longitude in decimal degrees (north and east positive), by the most trusted source that states both.
    pub fn place(&self) -> Option<(f64, f64)> {
        self.all(Key::GpsLat).find_map(|lat| {
            let lon = self.all(Key::GpsLon).find(|lon| lon.source == lat.source)?;
            Some((lat.value.parse().ok()?, lon.value.parse().ok()?))
        })
    }
}

/// Reads what the bytes of a whole picture file say about it. Never fails: what cannot be read is in
/// [`Metadata::problems`].
pub fn read(bytes: &[u8]) -> Metadata {
    let mut gather = Gather::default();
    container(bytes, &mut gather);
    gather.finish()
}

/// Which container the bytes are, by their first bytes.
fn container(bytes: &[u8], out: &mut Gather) {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let brand = bytes.get(4..8);
    if starts(&[0xff, 0xd8]) {
        jpeg::read(bytes, out);
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        png::read(bytes, out);
    } else if starts(b"GIF8") {
        small::gif(bytes, out);
    } else if starts(b"RIFF") {
        small::riff(bytes, out);
    } else if starts(b"FUJIFILMCCD-RAW") {
        small::raf(bytes, out);
    } else if tiff::is_header(bytes) {
        tiff::file(bytes, out);
    } else if brand == Some(b"ftyp") || brand == Some(b"jP  ") || brand == Some(b"JXL ") || brand == Some(b"moov") {
        iso::read(bytes, out);
    } else if starts(b"BM") || starts(&[0, 0, 1, 0]) || starts(&[0, 0, 2, 0]) || starts(&[0xff, 0x0a]) {
        // Windows bitmaps, icons and bare JPEG XL code streams have no place for metadata.
    } else {
        out.problem(ProblemCode::UnknownContainer, 0);
    }
}
