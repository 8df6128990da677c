//! Clocks: what must be done by when, from the moments that facts state and the rows of `clocks.toml`.
//!
//! A fact states moments: that a referral was sent, that somebody was found to work with children. Which moments start a
//! clock, how long it runs and which end it is data. Nothing is stored of a clock but the moments, so a table that is put
//! right puts every clock right.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};

use crate::at::At;
use crate::law::{LawRow, Period, PeriodUnit, Row, Table, WrongField};

/// Something that starts or ends clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// A child's record began.
    ChildKnown,
    /// The first step to make the child safe was taken.
    ChildSafeguardingBegun,
    /// Work on who the child is rests: the child is looked after in another record, or is none.
    ChildRests,
    /// Police protection began.
    PoliceProtection,
    /// An emergency order was made.
    EmergencyOrder,
    /// An emergency order states until when it lasts.
    OrderUntilStated,
    /// A protection ended.
    ProtectionEnded,
    /// Somebody was found to work with children.
    WorkWithChildrenKnown,
    /// The designated officer was told of that work.
    DesignatedOfficerTold,
    /// A body was told.
    Sent,
    /// That body is the designated officer.
    DesignatedOfficerSent,
    /// The body acknowledged.
    Acknowledged,
    /// A target date was set.
    TargetSet,
    /// The progress was reviewed.
    Reviewed,
    /// Something came of it.
    SafeguardingOutcome,
    /// It was closed.
    SafeguardingClosed,
    /// Rights are to be told.
    NewsRights,
    /// An arrest or interview is to be told.
    NewsArrest,
    /// A release is to be told.
    NewsRelease,
    /// A decision on charge is to be told.
    NewsDecision,
    /// A hearing or its result is to be told.
    NewsCourt,
    /// Other news is to be told.
    NewsOther,
    /// It was told.
    NewsTold,
    /// It is not to be told.
    NewsWithheld,
    /// The child is to be heard.
    InterviewPlanned,
    /// The child was heard.
    Interviewed,
    /// Detention began to count.
    Detained,
    /// Detention was extended.
    DetentionExtended,
    /// Detention ended.
    Released,
    /// Bail was given.
    Bailed,
    /// Bail ended.
    BailEnded,
    /// The police came, or the suspect came to them.
    Contact,
    /// That contact ended.
    ContactEnded,
    /// The suspect was charged.
    Charged,
    /// The risk was assessed as the contact ended.
    WelfareAfterContact,
    /// The risk was assessed in the first days.
    WelfareFollowedUp,
    /// The risk was assessed at the charge.
    WelfareAtCharge,
    /// A date on which the risk rises was set.
    TriggerSet,
    /// The risk was assessed for that date.
    WelfareAtTrigger,
    /// The leaflet was given.
    LeafletGiven,
    /// A telephone was offered.
    PhoneOffered,
    /// A warrant was issued that is to be executed by a stated time.
    WarrantIssued,
    /// A warrant was executed, returned, refused or withdrawn.
    WarrantEnded,
    /// An item is open.
    ItemOpen,
    /// It was done.
    ItemDone,
}

/// One moment, as a fact states it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// What it is about: the ids and numbers of the thing, such as `S-2` or `P-1 work 2`; no personal content.
    pub of: String,
    /// What.
    pub mark: Mark,
    /// When it was.
    pub at: At,
    /// The number of the fact.
    pub seq: u64,
    /// When it says that something is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<At>,
}

/// A row of `clocks.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// What is due.
    pub title: String,
    /// The first of these starts it.
    pub starts: Vec<Mark>,
    /// The last of these starts it again.
    #[serde(default)]
    pub restarts: Vec<Mark>,
    /// The first of these ends it.
    pub ends: Vec<Mark>,
    /// How long it runs; none where the moment states when it is due.
    #[serde(default)]
    pub within: Option<Period>,
    /// Whether an investigation in which it has run out comes before others.
    pub ahead: bool,
}

impl LawRow for Clock {
    const TABLE: &'static str = "clocks";

    fn summary(&self) -> String {
        match &self.within {
            Some(within) => format!("{}: {within}", self.title),
            None => format!("{}: as stated", self.title),
        }
    }

    fn check(&self) -> Result<(), WrongField> {
        if let Some(within) = &self.within {
            within.check().map_err(|(what, next)| WrongField { field: "within", what, next })?;
        }
        let wrong = |field, what: &str, next: &str| Err(WrongField { field, what: what.into(), next: next.into() });
        if self.starts.is_empty() {
            return wrong("starts", "nothing starts the clock", "Name a moment");
        }
        if self.ends.is_empty() {
            return wrong("ends", "nothing ends the clock", "Name a moment, or it shows for ever");
        }
        if self.within.is_none() && !self.restarts.is_empty() {
            return wrong("restarts", "the clock has no length of its own", "Add `within`, or remove it");
        }
        Ok(())
    }
}

/// A row of `bank-holidays.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankHoliday {
    /// Its name.
    pub title: String,
    /// The date.
    #[serde(deserialize_with = "date")]
    pub date: Date,
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || serde::de::Error::custom(format!("{text:?} in `date` is no date; write it as YYYY-MM-DD"));
    Some(&text).filter(|text| text.len() == 10).and_then(|text| text.parse().ok()).ok_or_else(wrong)
}

impl LawRow for BankHoliday {
    const TABLE: &'static str = "bank-holidays";

    fn summary(&self) -> String {
        format!("{} {}", self.date, self.title)
    }
}

/// Leaves the bank holidays out of every clock of the same jurisdiction that counts working days.
pub(crate) fn leave_out(clocks: &mut Table<Clock>, holidays: &Table<BankHoliday>) {
    for row in &mut clocks.rows {
        let Some(within) = row.value.within.as_mut().filter(|within| within.unit == PeriodUnit::WorkingDays) else {
            continue;
        };
        let theirs = holidays.rows.iter().filter(|day| day.provenance.jurisdiction == row.provenance.jurisdiction);
        within.not_working.extend(theirs.map(|day| day.value.date));
    }
}

/// A clock that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started<'l> {
    /// Which.
    pub clock: &'l Row<Clock>,
    /// What it is about.
    pub of: String,
    /// When it was started.
    pub since: At,
    /// When it runs out.
    pub due: At,
    /// When what it asks for was done; none while it runs.
    pub done: Option<At>,
    /// It counts working days past the last date of the table of bank holidays: it may run out later than it says.
    pub past_the_table: bool,
}

impl Started<'_> {
    /// Whether it has run out without being done, or was done too late.
    #[must_use]
    pub fn is_late(&self, now: At) -> bool {
        self.done.unwrap_or(now) > self.due
    }

    /// What it is for, and of what.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} ({})", self.clock.value.title, self.of)
    }
}

/// Every clock that the moments start: those that run first, by when they run out. The order of the moments does not
/// matter.
#[must_use]
pub fn started<'l>(table: &'l Table<Clock>, moments: &[Moment]) -> Vec<Started<'l>> {
    each(table, moments.iter(), false)
}

/// Those of [`started`] that run.
#[must_use]
pub fn running<'l, 'm>(table: &'l Table<Clock>, moments: impl Iterator<Item = &'m Moment>) -> Vec<Started<'l>> {
    each(table, moments, true)
}

fn each<'l, 'm>(
    table: &'l Table<Clock>,
    moments: impl Iterator<Item = &'m Moment>,
    only_running: bool,
) -> Vec<Started<'l>> {
    let mut of: BTreeMap<&str, Vec<&Moment>> = BTreeMap::new();
    for moment in moments {
        of.entry(&moment.of).or_default().push(moment);
    }
    let mut all = vec![];
    for (name, moments) in of {
        all.extend(table.rows.iter().filter_map(|row| start(row, name, &moments, only_running)));
    }
    all.sort_by(|a, b| {
        (a.done.is_some(), a.due, &a.clock.id, &a.of).cmp(&(b.done.is_some(), b.due, &b.clock.id, &b.of))
    });
    all
}

fn start<'l>(row: &'l Row<Clock>, of: &str, moments: &[&Moment], only_running: bool) -> Option<Started<'l>> {
    let clock = &row.value;
    let those = |marks: &'l [Mark]| moments.iter().filter(|moment| marks.contains(&moment.mark));
    let done = those(&clock.ends).map(|moment| moment.at).min();
    // Days are counted only for what is asked: the queue asks for ten thousand investigations at once.
    if only_running && done.is_some() {
        return None;
    }
    let (since, due) = match &clock.within {
        Some(within) => {
            let first = those(&clock.starts).map(|moment| moment.at).min()?;
            let since = those(&clock.restarts).map(|moment| moment.at).max().map_or(first, |again| again.max(first));
            (since, within.after(since))
        }
        None => {
            let last = those(&clock.starts).filter(|moment| moment.due.is_some()).max_by_key(|moment| moment.seq)?;
            (last.at, last.due?)
        }
    };
    let past_the_table = clock.within.as_ref().is_some_and(|within| within.is_past_the_table(due));
    Some(Started { clock: row, of: of.to_owned(), since, due, done, past_the_table })
}
