//! The rows of pictures and of a rematch.

use avocet_base::{PdqHash, Sha256};
use serde::Serialize;

/// One content that is a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PictureRow {
    /// The first file with this content, which also names the picture.
    pub file_id: i64,
    /// SHA-256 of the content.
    pub sha256: Sha256,
    /// Its kind by content, such as `jpeg`.
    pub kind: String,
    /// `decoded`, `partial` or `undecodable`.
    pub status: String,
    /// Stable short code of the reason why it could not be decoded, or not wholly.
    pub code: Option<String>,
    /// The same as a sentence.
    pub reason: Option<String>,
    /// How to turn it for a look: EXIF 1 to 8.
    pub orientation: Option<i64>,
    /// What the embedded thumbnail shows: `same`, `differs`, `unreadable`; `None` where there is none.
    pub thumbnail: Option<String>,
}

/// One image of a picture: most have one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImageRow {
    /// `primary`, `top-level`, `page`, `frame`, `preview` or `alternative`.
    pub role: String,
    /// Pixels in a row, as stored.
    pub width: u64,
    /// Rows of pixels, as stored.
    pub height: u64,
    /// What decoded it, with its version.
    pub decoder: String,
    /// Why only a part of it could be decoded.
    pub partial: Option<String>,
}

/// One PDQ hash of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HashRow {
    /// The image: place among the picture's images, from 0.
    pub image: u64,
    /// `full` or `512`: the reference's two ways to prepare the pixels.
    pub form: String,
    /// How the pixels were scaled before hashing.
    pub path: String,
    /// PDQ quality, 0 to 100. Below 50 the hash neither matches nor groups.
    pub quality: u64,
    /// The hash of the pixels as stored.
    pub pdq: PdqHash,
    /// The hashes of the seven other orientations.
    pub turned: [PdqHash; 7],
}

/// One fact that a picture's metadata states.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct FactRow {
    /// What it is about, such as `make`.
    pub key: String,
    /// The value as stated.
    pub value: String,
    /// Where it stands, such as `exif`.
    pub source: String,
}

/// One record of a known set that a picture nearly matches. The order of the fields is the order in which they are kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct NearRow {
    /// Bits in which the hashes differ, of 256.
    pub distance: u64,
    /// The set.
    pub set_id: i64,
    /// The record's own identifier in its set, or its line.
    pub record: String,
    /// The image of the picture that matches, from 0.
    pub image: u64,
    /// `full` or `512`.
    pub form: String,
    /// Which orientation matches: 0 as stored.
    pub turn: u64,
    /// The category as the set writes it, in the set's scheme.
    pub category: Option<String>,
    /// What the scheme says this category means.
    pub meaning: Option<String>,
    /// Whether an officer must see it.
    pub alerts: bool,
    /// Series as the set writes it.
    pub series: Option<String>,
}

/// A picture with everything that was found out about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PictureView {
    /// The picture.
    #[serde(flatten)]
    pub picture: PictureRow,
    /// Its images.
    pub images: Vec<ImageRow>,
    /// Their PDQ hashes.
    pub hashes: Vec<HashRow>,
    /// What its metadata states.
    pub facts: Vec<FactRow>,
    /// Near matches, the nearest first.
    pub near: Vec<NearRow>,
}

impl PictureView {
    /// The first value stated for a key.
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.facts.iter().find(|f| f.key == key).map(|f| f.value.as_str())
    }
}

/// A picture that looks the same as the representative of its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupRow {
    /// The picture that stands for the group.
    pub representative: i64,
    /// A picture in it. The representative itself is one, at distance 0.
    pub member: i64,
    /// Bits between the member's hash and that of the representative itself.
    pub distance: u64,
    /// The form of the hashes compared.
    pub form: String,
    /// The orientation of the member in which it is that near.
    pub turn: u64,
}

/// A match that a rematch gained, lost or found to be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct ChangeRow {
    /// The file; for near matches the first file of the picture.
    pub file_id: i64,
    /// `gained`, `lost` or `changed`.
    pub change: String,
    /// `exact` or `near`.
    pub how: String,
    /// Name of the set.
    pub known_set: String,
    /// The record.
    pub record: String,
    /// What the earlier examination said.
    pub before: Option<String>,
    /// What this one says.
    pub after: Option<String>,
}
