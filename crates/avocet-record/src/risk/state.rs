//! The risk of one investigation, as its facts add up.

use std::collections::{BTreeMap, BTreeSet};

use super::fact::{Danger, Factor, RiskFact, SafeguardingAction, Tool};
use super::finding::RiskFinding;
use super::level::{LevelId, RiskLevel};
use crate::at::{At, Recorded};
use crate::ids::UserId;
use crate::law::Table;
use crate::personal::Personal;

/// The tool and factors of an assessment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The tool; none where the officer used none.
    pub tool: Option<Tool>,
    /// The factors, as recorded.
    pub factors: Vec<Factor>,
}

/// One entry of the level's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// Number of the fact.
    pub seq: u64,
    /// When it was recorded.
    pub at: At,
    /// By whom.
    pub by: UserId,
    /// The level that stood from then on.
    pub level: LevelId,
    /// What it rests on; none for an override.
    pub assessment: Option<Assessment>,
    /// Why.
    pub reason: Option<Personal<String>>,
}

/// Whether a child may be in danger now, as somebody stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DangerStatement {
    /// Number of the fact.
    pub seq: u64,
    /// When it was recorded.
    pub at: At,
    /// By whom.
    pub by: UserId,
    /// Whether.
    pub danger: Danger,
    /// Why.
    pub reason: Option<Personal<String>>,
}

/// What was done to make a child safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safeguarding {
    /// Number of the fact.
    pub seq: u64,
    /// By whom it was recorded.
    pub by: UserId,
    /// What.
    pub action: SafeguardingAction,
    /// When it was done.
    pub acted: At,
    /// With which body.
    pub body: Option<String>,
    /// Anything else.
    pub note: Option<Personal<String>>,
}

/// The risk of one investigation: everything that was recorded, ordered by the facts' numbers, whatever the order in
/// which they were applied.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RiskState {
    levels: BTreeMap<u64, LevelChange>,
    dangers: BTreeMap<u64, DangerStatement>,
    safeguarding: BTreeMap<u64, Safeguarding>,
    elsewhere: BTreeSet<u64>,
}

impl RiskState {
    /// Adds a fact. All facts must be about one investigation.
    pub fn apply(&mut self, recorded: &Recorded<RiskFact>) {
        let Recorded { seq, at, by, fact } = recorded;
        let (seq, at, by) = (*seq, *at, *by);
        match fact.clone() {
            RiskFact::Assessed { tool, factors, level, reason, .. } => {
                let assessment = Some(Assessment { tool, factors });
                self.levels.insert(seq, LevelChange { seq, at, by, level, assessment, reason });
            }
            RiskFact::Overridden { level, reason, .. } => {
                self.levels.insert(seq, LevelChange { seq, at, by, level, assessment: None, reason });
            }
            RiskFact::DangerStated { danger, reason, .. } => {
                self.dangers.insert(seq, DangerStatement { seq, at, by, danger, reason });
            }
            RiskFact::SafeguardingActed { action, acted, body, note, .. } => {
                self.safeguarding.insert(seq, Safeguarding { seq, by, action, acted, body, note });
            }
        }
    }

    /// Adds an action that a fact of another kind states, by its number: a referral, a protection.
    pub fn add_action(&mut self, seq: u64) {
        self.elsewhere.insert(seq);
    }

    /// Every level that stood, oldest first.
    pub fn history(&self) -> impl DoubleEndedIterator<Item = &LevelChange> {
        self.levels.values()
    }

    /// The level that stands now, and why.
    #[must_use]
    pub fn level(&self) -> Option<&LevelChange> {
        self.levels.values().next_back()
    }

    /// The latest assessment, which an override may have put aside.
    #[must_use]
    pub fn assessment(&self) -> Option<&LevelChange> {
        self.levels.values().rev().find(|change| change.assessment.is_some())
    }

    /// Every statement about danger, oldest first.
    pub fn danger_history(&self) -> impl DoubleEndedIterator<Item = &DangerStatement> {
        self.dangers.values()
    }

    /// What was stated last about danger. A safeguarding action alone never ends a danger: a person states that.
    #[must_use]
    pub fn danger(&self) -> Option<&DangerStatement> {
        self.dangers.values().next_back()
    }

    /// Every safeguarding action, in the order of recording.
    pub fn safeguarding(&self) -> impl DoubleEndedIterator<Item = &Safeguarding> {
        self.safeguarding.values()
    }

    /// Safeguarding actions done since a child was first stated to be in danger in the present run of such statements.
    pub fn actions_in_this_danger(&self) -> impl Iterator<Item = &Safeguarding> {
        let since = self.in_danger_since();
        // By the number of the fact: an action done before the statement was recorded belongs to it only if it was
        // recorded after it.
        self.safeguarding.values().filter(move |action| since.is_some_and(|since| action.seq > since))
    }

    /// How many actions of every kind were recorded since then.
    #[must_use]
    pub fn count_of_actions_in_this_danger(&self) -> u64 {
        let since = self.in_danger_since();
        let elsewhere = self.elsewhere.iter().filter(|seq| since.is_some_and(|since| **seq > since)).count();
        self.actions_in_this_danger().count().saturating_add(elsewhere) as u64
    }

    /// The fact that first stated the danger in the present run of such statements.
    fn in_danger_since(&self) -> Option<u64> {
        self.dangers.values().rev().take_while(|d| d.danger == Danger::Yes).last().map(|d| d.seq)
    }

    /// Gaps and contradictions, ordered by the facts they are about.
    #[must_use]
    pub fn findings(&self, levels: &Table<RiskLevel>) -> Vec<RiskFinding> {
        let mut out = Vec::new();
        let rank = |level: &LevelId| levels.row(level.as_str()).map(|row| row.value.rank);
        let mut before: Option<&LevelChange> = None;
        for change in self.levels.values() {
            let seq = change.seq;
            if rank(&change.level).is_none() {
                out.push(RiskFinding::LevelNotInTable { seq, level: change.level.clone() });
            }
            match (&change.assessment, before) {
                (None, None) => out.push(RiskFinding::OverrideWithoutAssessment { seq }),
                (_, Some(_)) if change.reason.is_none() => out.push(RiskFinding::ChangeWithoutReason { seq }),
                _ => {}
            }
            if change.assessment.is_none() && before.is_none() && change.reason.is_none() {
                out.push(RiskFinding::ChangeWithoutReason { seq });
            }
            if let Some(assessment) = &change.assessment {
                let mut seen: Vec<&str> = Vec::new();
                for factor in &assessment.factors {
                    if seen.contains(&factor.question.as_str()) {
                        out.push(RiskFinding::AnsweredTwice { seq, question: factor.question.clone() });
                    }
                    seen.push(&factor.question);
                }
            }
            before = Some(change);
        }
        let mut stated: Option<Danger> = None;
        for statement in self.dangers.values() {
            if stated == Some(Danger::Yes) && statement.danger != Danger::Yes && statement.reason.is_none() {
                out.push(RiskFinding::DangerEndedWithoutReason { seq: statement.seq });
            }
            stated = Some(statement.danger);
        }
        match self.danger() {
            Some(now) if now.danger == Danger::Yes && self.count_of_actions_in_this_danger() == 0 => {
                out.push(RiskFinding::DangerWithoutAction { seq: now.seq, by: now.by });
            }
            _ => {}
        }
        if self.danger().is_none() {
            out.push(RiskFinding::DangerNotStated);
        }
        if self.levels.is_empty() {
            out.push(RiskFinding::NotAssessed);
        }
        out
    }
}
