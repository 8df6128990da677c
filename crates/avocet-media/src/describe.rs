//! Everything that an examination says of one picture, made in one pass over its bytes.
//!
//! [`describe`] reads hostile bytes and is meant for the confined worker that [`crate::Decoders`] starts. What it gives
//! goes back to the examination as one message ([`Described::to_bytes`]).

mod thumbnail;

pub use thumbnail::{THUMBNAIL_DIFFERS, thumbnail_distance};

use avocet_base::PdqHash;
use serde::{Deserialize, Serialize};

use crate::decode::{self, Image, Limits, Role};
use crate::derivative::{self, Made};
use crate::meta::{self, Fact, Key};
use crate::names::names;
use crate::pdq::{self, Hashed, Luma, ScalePath};
use crate::{PictureKind, jpeg};

/// Shorter side that a JPEG keeps when it is decoded at a reduced scale, in pixels: PDQ hashes taken from there stay
/// within the published rule (`docs/validation/pdq.md`).
const SHORT_SIDE: u32 = 512;

names! {
    /// What became of a picture.
    Status {
        /// At least one of its images was decoded whole.
        Decoded = "decoded",
        /// Only a part of an image could be decoded.
        Partial = "partial",
        /// Nothing could be decoded.
        Undecodable = "undecodable",
    }
}

names! {
    /// What the thumbnail that a picture carries shows.
    Thumbnail {
        /// By its PDQ hash, the same as the picture.
        Same = "same",
        /// By its PDQ hash, something else: the picture may have been changed after the thumbnail was made. A lead, no
        /// proof.
        Differs = "differs",
        /// One of the two shows too little detail to be compared.
        NotComparable = "not-comparable",
        /// It cannot be decoded.
        Unreadable = "unreadable",
    }
}

/// One image of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFacts {
    /// What it is to the file.
    pub role: Role,
    /// Pixels in a row, as stored.
    pub width: u32,
    /// Rows, as stored.
    pub height: u32,
    /// What decoded it.
    pub decoder: String,
    /// Why it is not whole.
    pub partial: Option<String>,
}

names! {
    /// The two ways in which the reference prepares pixels for PDQ. They can differ by more than a match's radius, so both
    /// are kept and asked.
    Form {
        /// From the picture's own size.
        Full = "full",
        /// Made to fit 512 x 512 first. A picture that fits as it is has no such form.
        Fit512 = "512",
    }
}

/// One PDQ hash of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HashFacts {
    /// Place among the images, from 0.
    pub image: u32,
    /// Which of the two forms.
    pub form: Form,
    /// How the pixels came about: [`ScalePath::code`].
    pub path: String,
    /// PDQ quality, 0 to 100.
    pub quality: u8,
    /// The eight orientations in the order of [`pdq::Turn::ALL`]; the first is the picture as stored.
    pub turned: [PdqHash; 8],
}

/// What is said of one picture.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Its kind by content: [`PictureKind::code`].
    pub kind: String,
    /// What became of it.
    pub status: Status,
    /// Stable code of what is wrong, where something is.
    pub code: Option<String>,
    /// The same as a sentence without content.
    pub reason: Option<String>,
    /// EXIF orientation 1 to 8, where stated.
    pub orientation: Option<u8>,
    /// What its thumbnail shows; `None` where it has none.
    pub thumbnail: Option<Thumbnail>,
    /// Its images, as far as they were decoded.
    pub images: Vec<ImageFacts>,
    /// Their hashes. An image that is not whole has none.
    pub hashes: Vec<HashFacts>,
    /// What its metadata state.
    pub facts: Vec<Fact>,
}

impl std::fmt::Debug for Description {
    /// Counts only: what a picture says about itself never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Description")
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("images", &self.images.len())
            .field("facts", &self.facts.len())
            .finish_non_exhaustive()
    }
}

impl Description {
    /// A picture of which nothing could be decoded.
    pub fn undecodable(kind: &str, code: &str, reason: &str) -> Description {
        Description {
            kind: kind.to_owned(),
            status: Status::Undecodable,
            code: Some(code.to_owned()),
            reason: Some(reason.to_owned()),
            orientation: None,
            thumbnail: None,
            images: vec![],
            hashes: vec![],
            facts: vec![],
        }
    }
}

/// A description, and the small pictures where they were asked for and could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// What is said of the picture.
    pub description: Description,
    /// The veiled and the clear small picture.
    pub made: Option<Made>,
}

impl Described {
    /// One message: three parts, each with its length in bytes before it (32 bits, little-endian): the description as
    /// JSON, the veiled and the clear picture, both empty where there is none.
    pub fn to_bytes(&self) -> Vec<u8> {
        let json = serde_json::to_vec(&self.description).unwrap_or_default();
        let (veiled, clear) = self.made.as_ref().map_or((&[][..], &[][..]), |m| (&m.veiled, &m.clear));
        let mut out = Vec::with_capacity(json.len() + veiled.len() + clear.len() + 12);
        for part in [&json[..], veiled, clear] {
            out.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            out.extend_from_slice(part);
        }
        out
    }

    /// Takes such a message apart; `None` where it is none. The worker that sent it may have been taken over, so nothing
    /// in it is believed beyond its form.
    pub fn from_bytes(bytes: &[u8]) -> Option<Described> {
        let mut rest = bytes;
        let mut part = || {
            let (length, behind) = rest.split_first_chunk::<4>()?;
            let (part, behind) = behind.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
            rest = behind;
            Some(part)
        };
        let (json, veiled, clear) = (part()?, part()?, part()?);
        if !rest.is_empty() {
            return None;
        }
        let description: Description = serde_json::from_slice(json).ok()?;
        let made = match (veiled, clear) {
            ([], []) => None,
            _ => Some(Made { veiled: veiled.to_vec(), clear: clear.to_vec() }),
        };
        Some(Described { description, made })
    }
}

/// Hashes of one image in both forms.
fn hashes(image: u32, full: Hashed, path: ScalePath, small: Option<Hashed>) -> impl Iterator<Item = HashFacts> {
    let facts = move |form, path: ScalePath, h: Hashed| HashFacts {
        image,
        form,
        path: path.code().to_owned(),
        quality: h.quality,
        turned: h.turned,
    };
    let second = small.map(|h| facts(Form::Fit512, path.then_thumbnail(), h));
    std::iter::once(facts(Form::Full, path, full)).chain(second)
}

/// What is gathered of one picture.
struct Work {
    pictures: bool,
    orientation: Option<u8>,
    images: Vec<ImageFacts>,
    hashes: Vec<HashFacts>,
    made: Option<Made>,
}

impl Work {
    /// Takes a JPEG at a reduced scale; `false` where it has to be decoded the long way.
    fn quick(&mut self, bytes: &[u8]) -> bool {
        let Ok(scaled) = jpeg::decode_scaled(bytes, SHORT_SIDE, self.pictures, jpeg::Limits::default()) else {
            return false;
        };
        let luma = &scaled.luma;
        let Some((full, path)) = pdq::hash_scaled(&scaled) else { return false };
        let whole = (scaled.full_width, scaled.full_height);
        let small = pdq::thumbnail_size(whole.0, whole.1).and_then(|_| pdq::hash_scaled_512(&scaled)).map(|(h, _)| h);
        self.hashes.extend(hashes(0, full, path, small));
        self.images.push(ImageFacts {
            role: Role::Primary,
            width: whole.0,
            height: whole.1,
            decoder: jpeg::DECODER.to_owned(),
            partial: None,
        });
        if self.pictures {
            let chroma = scaled.chroma.as_ref().and_then(|c| Some((plane(&c.cb)?, plane(&c.cr)?)));
            let turn = self.orientation.unwrap_or(1);
            self.made = plane(luma).and_then(|luma| derivative::make_from_ycc(luma, chroma, turn).ok());
        }
        true
    }

    fn image(&mut self, image: &Image) {
        let pixels = &image.pixels;
        let number = u32::try_from(self.images.len()).unwrap_or(u32::MAX);
        if image.partial.is_none() {
            let full = pdq::hash_pixels(pixels);
            let small = pdq::thumbnail_size(pixels.width(), pixels.height())
                .and_then(|_| pdq::thumbnail_512(&Luma::from_pixels(pixels), (pixels.width(), pixels.height())))
                .map(|luma| pdq::hash(&luma));
            self.hashes.extend(hashes(number, full, ScalePath::Full, small));
        }
        self.images.push(ImageFacts {
            role: image.role,
            width: pixels.width(),
            height: pixels.height(),
            decoder: image.decoder.to_owned(),
            partial: image.partial.clone(),
        });
        // The first image stands for the picture: of a RAW file that is its largest preview.
        if self.made.is_none() && self.pictures {
            let turn = self.orientation.or(image.orientation).unwrap_or(1);
            self.made = derivative::make(pixels, turn).ok();
        }
    }
}

fn plane(plane: &jpeg::Plane) -> Option<derivative::Plane<'_>> {
    derivative::Plane::new(plane.width, plane.height, plane.width as usize, &plane.samples)
}

/// Describes one picture: decodes it, hashes every whole image in both forms, reads its metadata, compares its embedded
/// thumbnail, and with `pictures` makes the two small ones. Runs no thread and opens no file.
pub fn describe(bytes: &[u8], pictures: bool) -> Described {
    let metadata = meta::read(bytes);
    let Some(kind) = PictureKind::recognise(bytes) else {
        let mut description =
            Description::undecodable("unknown", "no-decoder", "no decoder of this program knows this kind of picture");
        description.facts = metadata.facts;
        return Described { description, made: None };
    };
    let orientation = metadata.first(Key::Orientation).and_then(|v| v.parse().ok()).filter(|o| (1..=8).contains(o));
    let mut work = Work { pictures, orientation, images: vec![], hashes: vec![], made: None };
    let mut stated = None;
    let wrong = if kind == PictureKind::Jpeg && work.quick(bytes) {
        None
    } else {
        let limits = Limits::default();
        let outcome = decode::decode(bytes, kind, &limits, &mut |image| {
            stated = stated.or(image.orientation);
            work.image(&image);
        });
        match outcome {
            Err(failure) => Some((failure.code.to_owned(), failure.sentence)),
            Ok(outcome) => left_out(&outcome),
        }
    };
    let status = if work.images.iter().any(|i| i.partial.is_none()) {
        Status::Decoded
    } else if work.images.is_empty() {
        Status::Undecodable
    } else {
        Status::Partial
    };
    let wrong = match (status, work.images.first().and_then(|i| i.partial.clone())) {
        (Status::Partial, Some(why)) => Some(("partial".to_owned(), why)),
        _ => wrong,
    };
    let thumbnail = thumbnail::compare(&metadata, &work.images, &work.hashes);
    let (code, reason) = wrong.unzip();
    let description = Description {
        kind: kind.code().to_owned(),
        status,
        code,
        reason,
        orientation: orientation.or(stated),
        thumbnail,
        images: work.images,
        hashes: work.hashes,
        facts: metadata.facts,
    };
    Described { description, made: work.made }
}

/// What of a picture was found and not handed over, in one sentence.
fn left_out(outcome: &decode::Outcome) -> Option<(String, String)> {
    let mut parts = vec![];
    let mut by_code: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for failed in &outcome.failed {
        *by_code.entry(failed.failure.code).or_default() += 1;
    }
    parts.extend(by_code.iter().map(|(code, n)| format!("{n} {code}")));
    // Maps of depth and the like are no pictures of their own, and sensor data are what a preview stands for.
    let quiet = ["auxiliary-image", "sensor-data"];
    let left = outcome.left_out.iter().filter(|(code, _)| !quiet.contains(code));
    parts.extend(left.map(|(code, n)| format!("{n} {code}")));
    (!parts.is_empty())
        .then(|| ("images-left-out".to_owned(), format!("of its images not decoded: {}", parts.join(", "))))
}
