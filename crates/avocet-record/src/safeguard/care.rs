//! The child's side: what was offered, what the child wants, what the child or the family was told and when.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::at::At;
use crate::personal::Personal;

/// What is to be told or offered, with its clock in `clocks.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareKind {
    /// That the offence is recorded, and what the rights are.
    Rights,
    /// That somebody was arrested or interviewed.
    Arrest,
    /// That somebody was released, on bail or not.
    Release,
    /// That somebody is to be charged or not.
    Decision,
    /// When and where a court sits.
    Hearing,
    /// What the court decided.
    Result,
    /// Something else.
    Other,
}

impl fmt::Display for CareKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CareKind::Rights => "rights",
            CareKind::Arrest => "arrest or interview",
            CareKind::Release => "release",
            CareKind::Decision => "decision on charge",
            CareKind::Hearing => "hearing",
            CareKind::Result => "result at court",
            CareKind::Other => "other news",
        })
    }
}

/// How a child is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterviewKind {
    /// Recorded on video.
    VideoRecorded,
    /// Written down.
    Written,
    /// The child was asked and did not want to be heard.
    Declined,
}

impl fmt::Display for InterviewKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InterviewKind::VideoRecorded => "recorded on video",
            InterviewKind::Written => "written down",
            InterviewKind::Declined => "not wanted",
        })
    }
}

/// What a court said to a special measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureAnswer {
    /// It was asked for, and there is no answer yet.
    Asked,
    /// It was granted.
    Granted,
    /// It was refused.
    Refused,
    /// The child does not want it.
    NotWanted,
}

impl fmt::Display for MeasureAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MeasureAnswer::Asked => "asked for",
            MeasureAnswer::Granted => "granted",
            MeasureAnswer::Refused => "refused",
            MeasureAnswer::NotWanted => "not wanted",
        })
    }
}

/// Where a personal statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementStage {
    /// It was offered.
    Offered,
    /// It was made.
    Made,
    /// It was added to.
    AddedTo,
    /// It is not wanted.
    Declined,
}

impl fmt::Display for StatementStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StatementStage::Offered => "offered",
            StatementStage::Made => "made",
            StatementStage::AddedTo => "added to",
            StatementStage::Declined => "not wanted",
        })
    }
}

/// A fact about the child's side. Who recorded it and when stand around it; `when` is when it happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case", deny_unknown_fields)]
pub enum CareFact {
    /// Help was offered.
    SupportOffered {
        /// When.
        when: At,
        /// Number of the offer among the child's, from 1.
        offer: u32,
        /// Which service; no person's name.
        service: String,
    },
    /// The offer was answered.
    SupportAnswered {
        /// When.
        when: At,
        /// Which offer.
        offer: u32,
        /// Whether it is taken up.
        taken_up: bool,
    },
    /// What the child wants, as far as possible in the child's own words.
    Wishes {
        /// When.
        when: At,
        /// What.
        wishes: Personal<String>,
    },
    /// Something happened that the child or the family is to be told.
    ToTell {
        /// When it happened.
        when: At,
        /// Number of the news among the child's, from 1.
        news: u32,
        /// What.
        about: CareKind,
    },
    /// They were told.
    Told {
        /// When.
        when: At,
        /// Which news.
        news: u32,
        /// Whom, and how.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whom: Option<Personal<String>>,
    },
    /// They are not to be told that, with a reason.
    NotToTell {
        /// Which news.
        news: u32,
        /// Why; no person's name.
        reason: String,
    },
    /// The child is to be heard.
    InterviewPlanned {
        /// For when.
        when: At,
        /// Anything else, such as who is to be there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal<String>>,
    },
    /// The child was heard, or did not want to be.
    Interviewed {
        /// When.
        when: At,
        /// How.
        kind: InterviewKind,
        /// The recording's reference; no person's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    },
    /// A special measure at court.
    Measure {
        /// When.
        when: At,
        /// Which: a screen, a live link, a recorded interview, an intermediary.
        measure: String,
        /// Where it stands.
        answer: MeasureAnswer,
    },
    /// The personal statement.
    Statement {
        /// When.
        when: At,
        /// Where it stands.
        stage: StatementStage,
    },
    /// An earlier fact is wrong. It stays visible and no longer counts.
    Corrected {
        /// Number of the wrong fact.
        wrong: u64,
        /// Why; no person's name.
        reason: String,
    },
}

impl CareFact {
    /// What the ledger calls it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            CareFact::SupportOffered { .. } => "support-offered",
            CareFact::SupportAnswered { .. } => "support-answered",
            CareFact::Wishes { .. } => "child-wishes-recorded",
            CareFact::ToTell { .. } => "news-to-tell",
            CareFact::Told { .. } => "news-told",
            CareFact::NotToTell { .. } => "news-not-to-tell",
            CareFact::InterviewPlanned { .. } => "child-interview-planned",
            CareFact::Interviewed { .. } => "child-interviewed",
            CareFact::Measure { .. } => "special-measure",
            CareFact::Statement { .. } => "personal-statement",
            CareFact::Corrected { .. } => "child-side-corrected",
        }
    }
}
