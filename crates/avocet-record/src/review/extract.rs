//! What was graded, as one canonical document that every report is rendered from.

use std::collections::BTreeMap;

use avocet_base::{Md5, Sha1, Sha256};
use serde::{Deserialize, Serialize};

use crate::ids::{ExaminationId, ExhibitId};

/// On what a category rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GradedBy {
    /// Somebody viewed it, or a moderator decided by viewing it.
    Viewed,
    /// Somebody accepted it with the picture that stands for its group.
    AcceptedInGroup,
    /// A set has the very same content and says so; no person of this record looked.
    ExactMatch,
}

impl GradedBy {
    /// As pages write it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Viewed => "viewed",
            Self::AcceptedInGroup => "accepted in group",
            Self::ExactMatch => "by exact match",
        }
    }
}

/// One content with a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Graded {
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
    /// Whether it moves.
    pub moving: bool,
    /// The category, in the scheme of the extract.
    pub category: String,
    /// On what that rests.
    pub by: GradedBy,
    /// On which devices.
    pub exhibits: Vec<ExhibitId>,
    /// States of its files, such as `deleted`.
    pub states: Vec<String>,
    /// In how many files.
    pub files: u64,
    /// Earliest time that a file system states for it, nanoseconds since 1970 as the device recorded it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<i64>,
    /// Latest such time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<i64>,
}

/// Different contents that are alike in everything that is counted apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradedCount {
    /// The category.
    pub category: String,
    /// Whether they move.
    pub moving: bool,
    /// On what the category rests.
    pub by: GradedBy,
    /// The device; none where devices are counted together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhibit: Option<ExhibitId>,
    /// `live` where a file of it is allocated, else `not live`; none where states are counted together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How many different contents.
    pub count: u64,
    /// Earliest time, as for a content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<i64>,
    /// Latest time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<i64>,
}

/// The document. Its bytes are those of [`GradingExtract::to_text`]; its digest is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GradingExtract {
    /// `avocet grading 1`.
    pub extract: String,
    /// Of which investigation.
    pub investigation: String,
    /// The scheme of the categories, `NAME@VERSION`.
    pub scheme: String,
    /// What was to be graded: `every_image`, `unknown`, `streamlined`.
    pub policy: String,
    /// Examinations that had not ended: what they had not read yet is in no line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interim: Vec<ExaminationId>,
    /// Different contents by category, still or moving, and what it rests on.
    pub totals: Vec<GradedCount>,
    /// The same apart for each device and state. A content on two devices is in both.
    pub by_device: Vec<GradedCount>,
    /// Contents without a category, by where they stand.
    pub without: BTreeMap<String, u64>,
    /// Contents whose only categories are of sets in other schemes, or several: no category here is made of those.
    pub said_otherwise: u64,
    /// Each content with a category, in the order of SHA-256.
    pub contents: Vec<Graded>,
}

/// What [`GradingExtract::extract`] says.
pub const EXTRACT: &str = "avocet grading 1";

impl GradingExtract {
    /// Counts contents.
    #[must_use]
    pub fn counts(contents: &[Graded], apart: bool) -> Vec<GradedCount> {
        type Key = (String, bool, GradedBy, Option<ExhibitId>, Option<String>);
        let mut counts: BTreeMap<Key, GradedCount> = BTreeMap::new();
        for content in contents {
            let live = content.states.iter().any(|state| state == "allocated");
            let state = apart.then(|| if live { "live" } else { "not live" }.to_owned());
            let exhibits: Vec<Option<ExhibitId>> =
                if apart { content.exhibits.iter().copied().map(Some).collect() } else { vec![None] };
            for exhibit in exhibits {
                let key = (content.category.clone(), content.moving, content.by, exhibit, state.clone());
                let line = counts.entry(key).or_insert_with(|| GradedCount {
                    category: content.category.clone(),
                    moving: content.moving,
                    by: content.by,
                    exhibit,
                    state: state.clone(),
                    count: 0,
                    first: None,
                    last: None,
                });
                line.count = line.count.saturating_add(1);
                line.first = line.first.into_iter().chain(content.first).min();
                line.last = line.last.into_iter().chain(content.last).max();
            }
        }
        counts.into_values().collect()
    }

    /// The document's bytes: JSON on one line, members in the order of their definition.
    ///
    /// # Errors
    /// None in practice: everything in it has a text form.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(format!("{}\n", serde_json::to_string(self)?))
    }

    /// Reads a document and checks that its counts are those of its contents.
    ///
    /// # Errors
    /// What is wrong with it, a clause.
    pub fn read(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text)
            .map_err(|e| format!("it is no extract of a grading (line {}, column {})", e.line(), e.column()))?;
        if read.extract != EXTRACT {
            return Err("it is an extract of another kind or a later version".to_owned());
        }
        if Self::counts(&read.contents, false) != read.totals || Self::counts(&read.contents, true) != read.by_device {
            return Err("its counts are not those of the contents that it lists; extract it again".to_owned());
        }
        Ok(read)
    }
}
