//! What is recorded about votes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use super::policy::GradingPolicy;
use crate::ids::InvestigationId;
use crate::personal::Personal;

/// A category scheme in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemeRef {
    /// Its name, such as `uk-2014`.
    pub id: String,
    /// Its version.
    pub version: String,
}

impl fmt::Display for SchemeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.version)
    }
}

/// A known set in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRef {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl fmt::Display for SetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

/// Why a text is no category code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a category code has 1 to 64 characters without spaces around it; give the code as the scheme writes it")]
pub struct CategoryError;

/// A category's code as the scheme writes it. Codes are equal whatever the case of their letters, as in the schemes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Category(String);

impl Category {
    /// The code as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl TryFrom<String> for Category {
    type Error = CategoryError;

    fn try_from(text: String) -> Result<Self, CategoryError> {
        let fits = !text.is_empty() && text.len() <= 64 && text.trim() == text && !text.chars().any(char::is_control);
        if fits { Ok(Self(text)) } else { Err(CategoryError) }
    }
}

impl std::str::FromStr for Category {
    type Err = CategoryError;

    fn from_str(text: &str) -> Result<Self, CategoryError> {
        text.to_owned().try_into()
    }
}

impl From<Category> for String {
    fn from(category: Category) -> Self {
        category.0
    }
}

impl PartialEq for Category {
    fn eq(&self, other: &Self) -> bool {
        self.folded() == other.folded()
    }
}

impl Eq for Category {}

impl PartialOrd for Category {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Category {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(&other.folded())
    }
}

impl Hash for Category {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a vote rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Basis {
    /// The person viewed the item.
    Viewed {},
    /// The person accepted the item with a group after viewing the group's representative.
    AcceptedInGroup {
        /// The group, by the name that the investigation gave it.
        group: String,
        /// The item that was viewed.
        representative: Sha256,
    },
    /// The person took over the category of a set that has the very same content.
    ByExactMatch {
        /// The set.
        set: SetRef,
    },
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Viewed {} => f.write_str("viewed"),
            Basis::AcceptedInGroup { group, .. } => write!(f, "accepted in group {group}"),
            Basis::ByExactMatch { set } => write!(f, "by exact match with {set}"),
        }
    }
}

/// What a vote was cast for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Grading.
    #[default]
    Grading,
    /// A second view, on disagreement or on request.
    SecondView,
    /// Moderation.
    Moderation,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Purpose::Grading => "grading",
            Purpose::SecondView => "second view",
            Purpose::Moderation => "moderation",
        })
    }
}

/// Why a vote was withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawReason {
    /// The wrong key or the wrong row.
    Slip,
    /// The person is not sure any more.
    SecondThought,
    /// It was cast in the wrong scheme.
    WrongScheme,
    /// Something else, in the note.
    Other,
}

/// Why another view was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestReason {
    /// Whether it shows a child.
    WhetherAChild,
    /// What the scene is.
    Context,
    /// On which side of the law's line it lies.
    LegalLine,
    /// The picture is poor.
    Quality,
    /// Something else, in the note.
    Other,
}

/// A fact about votes. Who and when it was recorded stand around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum VoteFact {
    /// A vote.
    Voted {
        /// In which investigation it was cast.
        investigation: InvestigationId,
        /// On what.
        sha256: Sha256,
        /// In which scheme.
        scheme: SchemeRef,
        /// The category.
        category: Category,
        /// What it rests on.
        basis: Basis,
        /// What it was cast for.
        #[serde(default)]
        purpose: Purpose,
        /// Whether the person saw no earlier vote on the item.
        blind: bool,
    },
    /// A person withdraws a vote of their own.
    Withdrawn {
        /// On what.
        sha256: Sha256,
        /// Number of the vote's fact.
        vote: u64,
        /// Why.
        reason: WithdrawReason,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// A second, blind view is asked for.
    SecondViewRequested {
        /// In which investigation.
        investigation: InvestigationId,
        /// Of what.
        sha256: Sha256,
        /// In which scheme.
        scheme: SchemeRef,
        /// Why.
        reason: RequestReason,
        /// Anything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// A set that was imported has this very content. A later version of the set takes the place of this one.
    Imported {
        /// Of what.
        sha256: Sha256,
        /// In which scheme.
        scheme: SchemeRef,
        /// The set's category.
        category: Category,
        /// The set.
        set: SetRef,
        /// Whether the set itself says that the category is trusted.
        says_trusted: bool,
    },
    /// The policy of an investigation and the local rule it works by.
    PolicySet(GradingPolicy),
}
