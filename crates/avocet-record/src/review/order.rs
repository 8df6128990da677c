//! Why a content is queued, and where in the queue it stands.

use std::fmt;

use serde::Serialize;

use super::found::Found;
use crate::vote::{GradingPolicy, Policy, dip_drawn};

/// Why a content is to be looked at: the queue's order is the order of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// No set knows it, and it was taken with a camera of this investigation's devices.
    OwnCamera,
    /// No set knows it, and no other investigation of this record has it.
    NowhereElse,
    /// No set knows it.
    Unknown,
    /// It looks like a record of a set: to be confirmed.
    NearMatch,
    /// Sets say different things of it, or a set says another category than people here.
    Conflict,
    /// A set knows it, and it was drawn for a look all the same.
    DipSample,
    /// A set knows it, and the investigation is set to grade everything.
    Everything,
}

impl Reason {
    /// Every reason, in the queue's order.
    pub const ALL: [Self; 7] = [
        Self::OwnCamera,
        Self::NowhereElse,
        Self::Unknown,
        Self::NearMatch,
        Self::Conflict,
        Self::DipSample,
        Self::Everything,
    ];

    /// Its number in the rows: 1 is first; 0 there means that it is not queued.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::OwnCamera => 1,
            Self::NowhereElse => 2,
            Self::Unknown => 3,
            Self::NearMatch => 4,
            Self::Conflict => 5,
            Self::DipSample => 6,
            Self::Everything => 7,
        }
    }

    /// The reason with this number.
    #[must_use]
    pub fn of(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }

    /// Whether what a set says is kept from the person who looks: they check the set, and would lean on its word.
    #[must_use]
    pub fn hides_what_is_said(self) -> bool {
        matches!(self, Self::Conflict | Self::DipSample)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::OwnCamera => "unknown, from a camera of this investigation's devices",
            Reason::NowhereElse => "unknown, seen in no other investigation",
            Reason::Unknown => "unknown",
            Reason::NearMatch => "near match to confirm",
            Reason::Conflict => "what is said of it differs",
            Reason::DipSample => "known, drawn for a look",
            Reason::Everything => "known; everything is graded here",
        })
    }
}

/// What is to be done with a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Todo {
    /// Nothing.
    Nothing,
    /// It is to be graded.
    Grade,
    /// Somebody who has not voted on it is to look, without seeing what others said.
    SecondView,
    /// A moderator is to look.
    Moderate,
}

impl Todo {
    /// Its number in the rows.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Grade => 1,
            Self::SecondView => 2,
            Self::Moderate => 3,
        }
    }
}

/// What is to be done with a content that is queued or not, by where it stands (the text that rows repeat) and by what sets
/// of the policy's scheme say it is, if they say one thing.
#[must_use]
pub fn todo(queued: bool, outcome: &str, said: &str) -> Todo {
    let (word, category) = outcome.split_once(' ').unwrap_or((outcome, ""));
    match word {
        "undecided" if queued => Todo::Grade,
        "second-view" => Todo::SecondView,
        "disagreement" | "to-moderate" => Todo::Moderate,
        // People here said one thing and a set says another: neither is right by itself.
        "decided" if !said.is_empty() && said.to_lowercase() != category.to_lowercase() => Todo::Moderate,
        _ => Todo::Nothing,
    }
}

/// What the queue is made with, beside what was found.
#[derive(Debug, Clone, Copy)]
pub struct Queueing<'a> {
    /// The investigation's policy; none where none was set.
    pub policy: Option<&'a GradingPolicy>,
}

impl Queueing<'_> {
    /// Why a content is queued, if it is. `own_camera` says whether a device of the investigation took it, `elsewhere`
    /// whether another investigation has it.
    #[must_use]
    pub fn reason(&self, found: &Found, own_camera: bool, elsewhere: bool) -> Option<Reason> {
        if !found.is_known() {
            return Some(match found.near {
                // A picture by a device's own camera comes first even where it looks like a known one.
                _ if own_camera => Reason::OwnCamera,
                Some(_) => Reason::NearMatch,
                None if elsewhere => Reason::Unknown,
                None => Reason::NowhereElse,
            });
        }
        if found.contradicted() {
            return Some(Reason::Conflict);
        }
        let policy = self.policy?;
        if dip_drawn(&policy.seed, policy.dip(), &found.sha256) {
            return Some(Reason::DipSample);
        }
        matches!(policy.policy, Policy::EveryImage {}).then_some(Reason::Everything)
    }

    /// The category that sets of the policy's scheme say a content has; empty where they say none, or several.
    #[must_use]
    pub fn said(&self, found: &Found) -> String {
        let Some(policy) = self.policy else { return String::new() };
        let mut said = found.categories(&policy.scheme.id, &policy.scheme.version).into_iter();
        match (said.next(), said.next()) {
            (Some(one), None) => one.to_owned(),
            _ => String::new(),
        }
    }
}

/// Where in the queue a content stands among those with the same reason: groups lie together, each behind the picture that
/// stands for it; else the order is that of the examinations and of their files, so that what lay together stays together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The examination and file of the picture that stands for the group, or of the content itself.
    pub stack: i64,
    /// 0 for what stands for itself or for a group, else the content's own place.
    pub within: i64,
}

impl Place {
    /// How many files an examination can have before places of two examinations meet.
    const FILES: i64 = 1 << 40;

    /// The place of a file of an examination.
    #[must_use]
    pub fn of_file(examination: u64, file: i64) -> i64 {
        let examination = i64::try_from(examination).unwrap_or(i64::MAX).min(i64::MAX / Self::FILES - 1);
        examination.saturating_mul(Self::FILES).saturating_add(file.clamp(0, Self::FILES - 1))
    }
}
