//! The list of what an examination found of pictures and videos: what the queue, its tiles and the counts are made from.
//!
//! Lines of JSON. The first says what it is: `{"list":"avocet review","version":2}`; lists of version 1, which have no
//! hashes, are read too. Each other line is one content, in the
//! order of SHA-256, with the fields of [`Found`] in their order and without those that are empty. The same examination
//! gives the same bytes in the same store. A camera's serial number stands in it only as the store's keyed token of it, so
//! the list holds no number by which a person can be found; no path and no name of a file is in it.

use std::collections::BTreeSet;

use avocet_base::{Md5, PdqHash, Sha1, Sha256};
use serde::{Deserialize, Serialize};

/// The first line.
const HEADER: &str = r#"{"list":"avocet review","version":2}"#;

/// The first line before pictures had their hashes in it.
const HEADER_1: &str = r#"{"list":"avocet review","version":1}"#;

/// What a known set says of a content that it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// The set.
    pub set: String,
    /// Its version, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The scheme of its categories.
    pub scheme: String,
    /// The scheme's version.
    pub scheme_version: String,
    /// The category, where the record has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// On which digests the match rests.
    pub basis: String,
    /// Whether somebody must see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alerts: bool,
    /// Whether it may be left out of review.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hides: bool,
}

/// The nearest record of a known set to a picture that none has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Near {
    /// Bits in which the hashes differ, of 256.
    pub distance: u64,
    /// The set.
    pub set: String,
    /// Its version, where it has one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// The scheme of its categories.
    pub scheme: String,
    /// The scheme's version.
    pub scheme_version: String,
    /// The category, where the record has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
}

/// The group of pictures that look the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InGroup {
    /// The picture that stands for it.
    pub representative: Sha256,
    /// Bits in which this one's hash differs from the representative's.
    pub distance: u64,
}

/// What a picture looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The PDQ hash from the picture's own size, as stored.
    pub pdq: PdqHash,
    /// PDQ quality, 50 to 100.
    pub quality: u8,
}

/// One content that an examination found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// SHA-256.
    pub sha256: Sha256,
    /// MD5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<Md5>,
    /// SHA-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<Sha1>,
    /// Bytes.
    pub bytes: u64,
    /// `picture` or `video`.
    pub kind: String,
    /// In how many files.
    pub files: u64,
    /// Number of the first file in the examination.
    pub file: i64,
    /// The states of its files, such as `allocated`, `deleted`.
    pub states: BTreeSet<String>,
    /// Earliest time that a file system states for one of its files, nanoseconds since 1970 as the device recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<i64>,
    /// Latest such time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<i64>,
    /// `jpeg` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// `decoded`, `partial` or `undecodable`; none where it was not described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Pixels in a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// Rows of pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// When the picture says that it was taken, as it says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Maker and model of the camera, in small letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<String>,
    /// Tokens of the camera's serial numbers.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub serials: BTreeSet<Sha256>,
    /// What known sets say that have this very content.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub said: BTreeSet<Said>,
    /// The nearest record of a set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<Near>,
    /// The group that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<InGroup>,
    /// The PDQ hash of the whole picture and its quality, where it shows enough to be compared. By it pictures of several
    /// examinations are grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
}

impl Found {
    /// A content of which nothing else is known.
    #[must_use]
    pub fn bare(sha256: Sha256, kind: &str, files: u64) -> Self {
        Self {
            sha256,
            md5: None,
            sha1: None,
            bytes: 0,
            kind: kind.to_owned(),
            files,
            file: 0,
            states: BTreeSet::new(),
            first: None,
            last: None,
            format: None,
            status: None,
            width: None,
            height: None,
            taken: None,
            camera: None,
            serials: BTreeSet::new(),
            said: BTreeSet::new(),
            near: None,
            group: None,
            look: None,
        }
    }

    /// Whether a set knows it, so that a look is spared: the set's record says what it is, or may hide it. A record without
    /// category that neither alerts nor hides, such as one of harmless files that matched on MD5 alone, spares nothing.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.said.iter().any(|said| said.hides || said.alerts)
    }

    /// What sets of a scheme say it is, each category once.
    #[must_use]
    pub fn categories(&self, scheme: &str, version: &str) -> BTreeSet<&str> {
        let of = self.said.iter().filter(|said| said.scheme == scheme && said.scheme_version == version);
        of.filter_map(|said| said.category.as_deref()).collect()
    }

    /// Whether sets that state categories in one scheme contradict one another.
    #[must_use]
    pub fn contradicted(&self) -> bool {
        let mut stated: Vec<(&str, &str, String)> = self
            .said
            .iter()
            .filter_map(|said| {
                Some((said.scheme.as_str(), said.scheme_version.as_str(), said.category.as_deref()?.to_lowercase()))
            })
            .collect();
        stated.sort();
        stated.dedup();
        stated.windows(2).any(|pair| matches!(pair, [a, b] if (a.0, a.1) == (b.0, b.1)))
    }
}

/// Why a list cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FoundError {
    /// It does not begin as one.
    #[error("it is no list of what an examination found, or one of a later version")]
    Header,
    /// A line is not one of it.
    #[error("line {0} is not a content of such a list")]
    Line(usize),
}

/// The list of these contents, which are in the order of their digests.
///
/// # Errors
/// Where a content has no text form, which none has.
pub fn list<'a>(contents: impl IntoIterator<Item = &'a Found>) -> Result<String, serde_json::Error> {
    let mut text = format!("{HEADER}\n");
    for content in contents {
        text.push_str(&serde_json::to_string(content)?);
        text.push('\n');
    }
    Ok(text)
}

/// Reads a list.
///
/// # Errors
/// [`FoundError`].
pub fn read_list(text: &str) -> Result<Vec<Found>, FoundError> {
    let mut lines = text.lines().enumerate();
    if !matches!(lines.next(), Some((_, HEADER | HEADER_1))) {
        return Err(FoundError::Header);
    }
    lines.map(|(at, line)| serde_json::from_str(line).map_err(|_| FoundError::Line(at.saturating_add(1)))).collect()
}
