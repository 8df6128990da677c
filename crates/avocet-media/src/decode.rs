//! Decodes pictures of every kind, one at a time, within declared limits.
//!
//! Everything here reads hostile bytes with other people's decoders: it is meant for a confined worker process. No file
//! is opened and no thread started. A size is checked against [`Limits`] before memory for it is asked for.
//!
//! One file can hold many pictures: the items of a HEIF file, the pages of a TIFF, the frames of an animation, the
//! sizes of an icon, the previews of a RAW file. Each is handed to the caller as an [`Image`]; what is not decoded
//! is counted in [`Outcome`] with its reason.

mod av1;
mod boxes;
pub(crate) mod bytes;
mod heif;
mod ico;
pub(crate) mod ifd;
mod jp2;
mod jpeg;
mod jxl;
mod raster;
mod raw;
mod tiff;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::names::names;
use crate::{Layout, PictureKind, Pixels};

/// How much may be asked for on behalf of one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pixels of one picture.
    pub max_pixels: u64,
    /// Pictures handed over of one file, of all roles together.
    pub max_images: u32,
    /// Frames of an animation handed over, the first one counted.
    pub max_frames: u32,
    /// Bytes that decoding one picture may take, by an estimate for its kind that errs to the high side.
    pub max_bytes_alloc: u64,
}

impl Default for Limits {
    /// Fits a worker with 2 GiB of address space, file included.
    fn default() -> Self {
        Self { max_pixels: 400_000_000, max_images: 64, max_frames: 8, max_bytes_alloc: 1_600 << 20 }
    }
}

names! {
    /// What a picture is to its file.
    Role {
        /// The one that the file shows first.
        Primary = "primary",
        /// Another picture of equal rank: an item of a HEIF file, a size of an icon.
        TopLevel = "top-level",
        /// A further page.
        Page = "page",
        /// A further frame of an animation.
        Frame = "frame",
        /// A smaller rendering for a quick look: a RAW file's embedded JPEG, a thumbnail item. It can show something else.
        Preview = "preview",
        /// One that a viewer does not show: a hidden item, a picture in a directory below a page.
        Alternative = "alternative",
    }
}

/// One decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What it is to its file.
    pub role: Role,
    /// Its place in the file, counted over all roles from 0, those that failed included.
    pub index: u32,
    /// As stored: neither rotated nor mirrored.
    pub pixels: Pixels,
    /// Crate and version that decoded it.
    pub decoder: &'static str,
    /// Why it is not whole, where it is not. A partial picture must not be hashed as if it were the picture.
    pub partial: Option<String>,
    /// How the container says it is to be turned for display, as an EXIF orientation (1 to 8); `None` where the
    /// container is silent. What EXIF itself says is the metadata reader's matter.
    pub orientation: Option<u8>,
}

/// Why a picture was not decoded. Neither word nor sentence holds content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {sentence}")]
pub struct Failure {
    /// One of [`FAILURES`].
    pub code: &'static str,
    /// What the decoder said.
    pub sentence: String,
}

/// The words of [`Failure::code`] with their meaning.
pub const FAILURES: [(&str, &str); 6] = [
    ("empty", "there is no picture in it"),
    ("damaged", "the file breaks the rules of its format, or ends early"),
    ("unsupported-feature", "the format allows it, but no decoder here can do it"),
    ("too-large", "it declares more pixels or needs more memory than the limits allow"),
    ("decoder-fault", "the decoder failed in itself; please report the file's kind"),
    ("no-preview", "a RAW file without an embedded preview; sensor data are not developed"),
];

impl Failure {
    pub(crate) fn new(code: &'static str, sentence: impl std::fmt::Display) -> Self {
        // Decoders name markers and numbers; whatever else might slip in is cut down to plain short text.
        let said = sentence.to_string();
        let sentence = said.chars().take(200).map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
        Self { code, sentence }
    }

    pub(crate) fn damaged(sentence: impl std::fmt::Display) -> Self {
        Self::new("damaged", sentence)
    }

    pub(crate) fn unsupported(sentence: impl std::fmt::Display) -> Self {
        Self::new("unsupported-feature", sentence)
    }
}

/// A picture of a file that was found but not decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// What it is to its file.
    pub role: Role,
    /// Its place in the file.
    pub index: u32,
    /// Why.
    pub failure: Failure,
}

/// What became of a file of which at least one picture was decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Pictures handed over.
    pub images: u32,
    /// Pictures found that could not be decoded.
    pub failed: Vec<Failed>,
    /// What was not tried, by reason (one of [`LEFT_OUT`]) in the order of the words, with how many.
    pub left_out: Vec<(&'static str, u64)>,
}

/// The words of [`Outcome::left_out`] with their meaning.
pub const LEFT_OUT: [(&str, &str); 7] = [
    ("auxiliary-image", "depth, gain and other maps that belong to a picture"),
    ("directory-limit", "TIFF directories behind the most that are read"),
    ("frame-limit", "frames of an animation behind the most that are handed over"),
    ("image-limit", "pictures behind the most that are handed over of one file"),
    ("sensor-data", "a RAW file's sensor data, which are not developed"),
    ("sequence-frame", "frames of an image sequence's track"),
    ("unread-frame", "frames behind a damaged frame of an animation"),
];

/// Decodes every picture of a file, the primary one first (of a RAW file the largest preview first), and hands each to
/// `sink`; only one is in memory at a time.
///
/// `kind` is what [`PictureKind::recognise`] said of the file's beginning. A TIFF that turns out to be a camera's RAW
/// file once all of it is seen is read as one.
///
/// # Errors
///
/// Where not one picture could be decoded: why the first could not.
pub fn decode(
    bytes: &[u8],
    kind: PictureKind,
    limits: &Limits,
    sink: &mut dyn FnMut(Image),
) -> Result<Outcome, Failure> {
    let mut run = Run { limits: *limits, sink, outcome: Outcome::default(), left_out: BTreeMap::new(), next: 0 };
    match kind {
        PictureKind::Jpeg => run.one(Role::Primary, None, |l| jpeg::decode(bytes, l)),
        PictureKind::Png => raster::png(bytes, &mut run),
        PictureKind::Gif => raster::gif(bytes, &mut run),
        PictureKind::Bmp => run.one(Role::Primary, None, |l| raster::bmp(bytes, l)),
        PictureKind::WebP => raster::webp(bytes, &mut run),
        PictureKind::Tiff if PictureKind::recognise(bytes) == Some(PictureKind::RawTiff) => {
            raw::tiff_frame(bytes, &mut run);
        }
        PictureKind::Tiff => tiff::decode(bytes, &mut run),
        PictureKind::Heif | PictureKind::Avif => heif::decode(bytes, &mut run),
        PictureKind::JpegXl => jxl::decode(bytes, &mut run),
        PictureKind::Jpeg2000 => run.one(Role::Primary, None, |l| jp2::decode(bytes, l)),
        PictureKind::Ico => ico::decode(bytes, &mut run),
        PictureKind::RawTiff => raw::tiff_frame(bytes, &mut run),
        PictureKind::Cr3 => raw::cr3(bytes, &mut run),
        PictureKind::Raf => raw::raf(bytes, &mut run),
    }
    run.end(kind)
}

/// A decoded picture before it has a place.
pub(crate) struct Decoded {
    pub(crate) pixels: Pixels,
    pub(crate) decoder: &'static str,
    pub(crate) partial: Option<String>,
}

impl Decoded {
    pub(crate) fn whole(pixels: Pixels, decoder: &'static str) -> Self {
        Self { pixels, decoder, partial: None }
    }
}

/// The decoding of one file.
pub(crate) struct Run<'s> {
    pub(crate) limits: Limits,
    sink: &'s mut dyn FnMut(Image),
    outcome: Outcome,
    left_out: BTreeMap<&'static str, u64>,
    next: u32,
}

impl Run<'_> {
    /// Decodes one picture with `how` and hands it over, or notes why it cannot be.
    pub(crate) fn one(
        &mut self,
        role: Role,
        orientation: Option<u8>,
        how: impl FnOnce(&Limits) -> Result<Decoded, Failure>,
    ) {
        if self.full() {
            return self.leave_out("image-limit", 1);
        }
        let limits = self.limits;
        let result = guarded(|| how(&limits));
        self.give(role, orientation, result);
    }

    /// Hands over a picture, or notes why it is missing.
    pub(crate) fn give(&mut self, role: Role, orientation: Option<u8>, result: Result<Decoded, Failure>) {
        if self.full() {
            return self.leave_out("image-limit", 1);
        }
        let index = self.next;
        self.next = self.next.saturating_add(1);
        match result {
            Ok(Decoded { pixels, decoder, partial }) => {
                self.outcome.images = self.outcome.images.saturating_add(1);
                (self.sink)(Image { role, index, pixels, decoder, partial, orientation });
            }
            Err(failure) => self.outcome.failed.push(Failed { role, index, failure }),
        }
    }

    /// Whether no further picture is handed over.
    pub(crate) fn full(&self) -> bool {
        self.next >= self.limits.max_images
    }

    pub(crate) fn leave_out(&mut self, code: &'static str, count: u64) {
        if count > 0 {
            let sum = self.left_out.entry(code).or_default();
            *sum = sum.saturating_add(count);
        }
    }

    fn end(self, kind: PictureKind) -> Result<Outcome, Failure> {
        let mut outcome = self.outcome;
        outcome.left_out = self.left_out.into_iter().collect();
        if outcome.images > 0 {
            return Ok(outcome);
        }
        if let Some(first) = outcome.failed.into_iter().next() {
            return Err(first.failure);
        }
        let raw = matches!(kind, PictureKind::RawTiff | PictureKind::Cr3 | PictureKind::Raf);
        Err(match outcome.left_out.first() {
            Some(("sequence-frame", _)) => Failure::unsupported("a sequence of images without a still picture"),
            _ if raw || outcome.left_out.iter().any(|(code, _)| *code == "sensor-data") => {
                Failure::new("no-preview", "no embedded preview found")
            }
            _ => Failure::new("empty", "no picture found in the file"),
        })
    }
}

/// A decoder that panics costs one picture, not the other pictures of the file.
fn guarded(how: impl FnOnce() -> Result<Decoded, Failure>) -> Result<Decoded, Failure> {
    catch_unwind(AssertUnwindSafe(how))
        .unwrap_or_else(|_| Err(Failure::new("decoder-fault", "the decoder stopped on an assertion of its own")))
}

impl Limits {
    /// Checks a declared size before anything is allocated for it. `working` is what decoding takes, in bytes for one
    /// pixel, the result included.
    pub(crate) fn check(&self, width: u32, height: u32, working: u64) -> Result<(), Failure> {
        let pixels = u64::from(width).saturating_mul(u64::from(height));
        if pixels == 0 {
            return Err(Failure::damaged("a side of the picture is 0 pixels long"));
        }
        if pixels > self.max_pixels || pixels.saturating_mul(working) > self.max_bytes_alloc {
            return Err(Failure::new(
                "too-large",
                format!("{width} x {height} pixels; at most {} are decoded, in {} bytes", self.max_pixels, {
                    self.max_bytes_alloc
                }),
            ));
        }
        Ok(())
    }
}

/// Pixels of a size and layout that the decoder promised.
pub(crate) fn pixels(width: u32, height: u32, layout: Layout, bytes: Vec<u8>) -> Result<Pixels, Failure> {
    Pixels::new(width, height, layout, bytes).ok_or_else(|| {
        Failure::new("decoder-fault", "the decoder gave another number of bytes than the picture's size asks for")
    })
}

/// Ink (0 is none) to red, green, blue by the plain rule, without a colour profile.
pub(crate) fn cmyk_to_rgb(cmyk: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(cmyk.len() / 4 * 3);
    for ink in cmyk.chunks_exact(4) {
        if let [colours @ .., black] = ink {
            let light = 255 - u32::from(*black);
            rgb.extend(colours.iter().map(|&c| ((255 - u32::from(c)) * light / 255) as u8));
        }
    }
    rgb
}

/// Keeps the first `keep` of every `of` bytes, in place.
pub(crate) fn drop_channels(bytes: &mut Vec<u8>, keep: usize, of: usize) {
    let mut to = 0usize;
    let mut from = 0usize;
    while let Some(end) = from.checked_add(keep).filter(|&end| end <= bytes.len()) {
        bytes.copy_within(from..end, to);
        to = to.saturating_add(keep);
        from = from.saturating_add(of);
    }
    bytes.truncate(to);
}
