//! Which limits hold for a person, and where that person stands. Pure: the same facts give the same answer.

use std::collections::BTreeMap;

use avocet_base::plural;
use serde::Serialize;

use super::fact::StaffFact;
use super::limit::{Bounds, Limit, Measure};
use crate::at::{At, Recorded};
use crate::ids::UserId;
use crate::law::Table;

/// For whom numbers were set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetFor {
    /// Nobody set any: those of the table hold.
    Table,
    /// For the team.
    Team,
    /// For this person.
    Person,
}

/// A limit as it holds for one person, or for the team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitSet {
    /// The row of `staff-care.toml`.
    pub limit: String,
    /// Its name.
    pub title: String,
    /// What it counts.
    pub measure: Measure,
    /// Its numbers.
    pub bounds: Bounds,
    /// For whom they were set.
    pub set_for: SetFor,
    /// Number of the entry that set them, who, and when.
    pub set: Option<(u64, UserId, At)>,
}

/// The limits of one person, or of the team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Each row of the table.
    pub limits: Vec<LimitSet>,
    /// Until when nothing is held back for this person.
    pub lifted_until: Option<At>,
    /// Limits that were set and that the table does not have: nothing follows from them.
    pub not_in_the_table: Vec<String>,
}

type Setting = (Bounds, u64, UserId, At);

/// What facts of one scope, in the order of the ledger, leave set.
fn settings(facts: &[Recorded<StaffFact>]) -> BTreeMap<&str, Setting> {
    let mut set = BTreeMap::new();
    for Recorded { seq, at, by, fact } in facts {
        match fact {
            StaffFact::LimitSet { limit, bounds, .. } => {
                set.insert(limit.as_str(), (*bounds, *seq, *by, *at));
            }
            StaffFact::LimitReset { limit, .. } => {
                set.remove(limit.as_str());
            }
            StaffFact::Lifted { .. } => {}
        }
    }
    set
}

impl Limits {
    /// The limits that the facts about the team, and those about one person, leave: the person's own before the team's,
    /// the team's before the table's. Both in the order of the ledger.
    #[must_use]
    pub fn of(table: &Table<Limit>, team: &[Recorded<StaffFact>], person: &[Recorded<StaffFact>]) -> Self {
        let (of_team, of_person) = (settings(team), settings(person));
        let limit = |row: &crate::law::Row<Limit>| {
            let id = row.id.as_str();
            let own = of_person.get(id).map(|setting| (SetFor::Person, setting));
            let set = own.or_else(|| of_team.get(id).map(|setting| (SetFor::Team, setting)));
            let (set_for, bounds, set) = match set {
                Some((set_for, (bounds, seq, by, at))) => (set_for, *bounds, Some((*seq, *by, *at))),
                None => (SetFor::Table, row.value.bounds(), None),
            };
            let (title, measure) = (row.value.title.clone(), row.value.measure);
            LimitSet { limit: row.id.clone(), title, measure, bounds, set_for, set }
        };
        let mut strange: Vec<String> = of_team.keys().chain(of_person.keys()).map(|id| (*id).to_owned()).collect();
        strange.retain(|id| table.row(id).is_none());
        strange.sort();
        strange.dedup();
        let lifted_until = person.iter().rev().find_map(|recorded| match &recorded.fact {
            StaffFact::Lifted { until, .. } => Some(*until),
            _ => None,
        });
        Self { limits: table.rows.iter().map(limit).collect(), lifted_until, not_in_the_table: strange }
    }
}

/// What a person has looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Used {
    /// How long clear pictures were there today, in thousandths of a second.
    pub clear_ms: u64,
    /// How many clear views today.
    pub clear_views: u64,
    /// How many contents were graded by viewing today.
    pub graded: u64,
    /// Minutes without a break until now.
    pub without_break: u64,
}

impl Used {
    /// What a limit counts of it.
    #[must_use]
    pub fn of(&self, measure: Measure) -> u64 {
        match measure {
            Measure::ClearMinutes => self.clear_ms / 60_000,
            Measure::ClearViews => self.clear_views,
            Measure::Graded => self.graded,
            Measure::WithoutBreak => self.without_break,
        }
    }
}

/// Whether a limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// Not yet.
    No,
    /// A break is proposed.
    Propose,
    /// Nothing more is handed out.
    Hold,
}

/// Where somebody stands against one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The limit.
    #[serde(flatten)]
    pub limit: LimitSet,
    /// How much of it is used.
    pub used: u64,
    /// Whether it is reached.
    pub reached: Reached,
}

impl Limits {
    /// Where somebody stands who looked at this.
    #[must_use]
    pub fn standing(&self, used: &Used) -> Vec<Standing> {
        let standing = |limit: &LimitSet| {
            let used = used.of(limit.measure);
            let reached = match limit.bounds {
                Bounds { hold: Some(hold), .. } if used >= u64::from(hold) => Reached::Hold,
                Bounds { propose, .. } if used >= u64::from(propose) => Reached::Propose,
                _ => Reached::No,
            };
            Standing { limit: limit.clone(), used, reached }
        };
        self.limits.iter().map(standing).collect()
    }
}

/// A break that is proposed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rest {
    /// Whether nothing more is handed out for now. What is before the person already can be finished.
    pub held: bool,
    /// What is said about it: calm sentences, the first of what weighs most.
    pub words: Vec<String>,
}

impl Rest {
    /// What follows from where somebody stands; none where no limit is reached. `urgent` says that a child may be in danger
    /// in the investigation: then nothing is held back.
    #[must_use]
    pub fn of(standing: &[Standing], lifted_until: Option<At>, now: At, urgent: bool) -> Option<Self> {
        let lifted = lifted_until.is_some_and(|until| now < until);
        let mut reached: Vec<&Standing> = standing.iter().filter(|one| one.reached != Reached::No).collect();
        reached.sort_by_key(|one| std::cmp::Reverse(one.reached));
        let hold = reached.iter().any(|one| one.reached == Reached::Hold);
        let held = hold && !urgent && !lifted;
        let mut words: Vec<String> = reached.iter().map(|one| sentence(one, held)).collect();
        if words.is_empty() {
            return None;
        }
        if hold && urgent {
            words.push("A child may be in danger here, so nothing is held back.".to_owned());
        } else if hold && lifted {
            words.push("Whoever supervises has lifted the limit for now.".to_owned());
        }
        Some(Self { held, words })
    }
}

fn sentence(one: &Standing, held: bool) -> String {
    let minutes = || plural(one.used, "minute", "minutes");
    let said = match one.limit.measure {
        Measure::WithoutBreak => format!("You have looked for {} without a break.", minutes()),
        Measure::ClearMinutes => format!("Clear pictures were before you for {} today.", minutes()),
        Measure::ClearViews => format!("You have had {} today.", plural(one.used, "clear view", "clear views")),
        Measure::Graded => format!("You have graded {} today.", plural(one.used, "content", "contents")),
    };
    let next = match (held && one.reached == Reached::Hold, one.limit.measure) {
        (false, Measure::WithoutBreak) => "A break now would be good.",
        (false, _) => "That is much for one day; a break, or other work, would be good.",
        (true, Measure::WithoutBreak) => "The next pictures come after a break.",
        (true, _) => {
            "That is enough for today: the next pictures come tomorrow, or when whoever supervises lifts the limit."
        }
    };
    format!("{said} {next}")
}

/// How many minutes somebody has looked without a break until `now`. `looked` are minutes since 1970 in which something was
/// looked at, the latest first, each with whether a break was recorded in it; `pause` is how many minutes without looking
/// count as a break.
#[must_use]
pub fn minutes_without_a_break(looked: &[(i64, bool)], now: At, pause: u32) -> u64 {
    let now = now.ns().div_euclid(MINUTE);
    let mut began = now;
    for (minute, rest) in looked {
        if *rest || began.saturating_sub(*minute) > i64::from(pause) {
            break;
        }
        began = (*minute).min(began);
    }
    u64::try_from(now.saturating_sub(began)).unwrap_or(0)
}

/// A minute in nanoseconds.
pub(crate) const MINUTE: i64 = 60_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn spell(looked: &[(i64, bool)], now: i64) -> u64 {
        minutes_without_a_break(looked, At::from_ns(now * MINUTE + 59_999_999_999), 10)
    }

    #[test]
    fn a_spell_begins_after_a_break_or_a_pause_and_ends_with_one() {
        assert_eq!(spell(&[], 100), 0);
        assert_eq!(spell(&[(100, false)], 100), 0);
        assert_eq!(spell(&[(95, false), (90, false), (80, false)], 100), 20);
        // Eleven minutes apart is a break; ten are none.
        assert_eq!(spell(&[(95, false), (84, false)], 100), 5);
        assert_eq!(spell(&[(95, false), (85, false)], 100), 15);
        assert_eq!(spell(&[(89, false), (80, false)], 100), 0);
        // A break that was recorded counts at once.
        assert_eq!(spell(&[(100, true), (99, false), (98, false)], 100), 0);
        assert_eq!(spell(&[(100, false), (99, false), (97, true), (96, false)], 100), 1);
    }
}
