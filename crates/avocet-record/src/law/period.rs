//! Lengths of time as a rule states them.

use std::fmt;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::at::At;

/// The longest period, in its own unit: ten years of days.
const MAX_COUNT: u32 = 3660;

/// What a period counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub enum PeriodUnit {
    /// Hours of 60 minutes; a change of the clocks does not matter.
    #[serde(rename = "hours")]
    Hours,
    /// Days: the same time of day on a later date.
    #[serde(rename = "calendar days")]
    CalendarDays,
    /// Months: the same day of a later month, or its last day where it has no such day.
    #[serde(rename = "calendar months")]
    CalendarMonths,
    /// Mondays to Fridays without the dates listed.
    #[serde(rename = "working days")]
    WorkingDays,
}

/// A length of time with its unit and the zone whose dates are meant.
///
/// One day after 15:10 on a Friday is 15:10 on the Saturday; one working day after it is 15:10 on the Monday, and so is
/// one working day after 15:10 on the Saturday or the Sunday. Where the clocks go forward over that time of day the
/// instant is one hour later by the clock; where they go back, it is the first of the two.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// How many units, from 1.
    pub count: u32,
    /// Of what.
    pub unit: PeriodUnit,
    /// Name of the time zone in which days are counted, such as `Europe/London`.
    pub zone: String,
    /// Dates that are no working days besides Saturdays and Sundays, `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "dates")]
    pub not_working: Vec<Date>,
}

fn dates<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Date>, D::Error> {
    let wrong = |text: &str| D::Error::custom(format!("{text:?} in `not_working` is no date; write it as YYYY-MM-DD"));
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(|_| wrong(text))).collect()
}

impl Period {
    /// Says what is wrong with the period.
    ///
    /// # Errors
    /// What is wrong and what to do, each a clause.
    pub fn check(&self) -> Result<(), (String, String)> {
        if self.count == 0 || self.count > MAX_COUNT {
            return Err((format!("the count is {}", self.count), format!("Use 1 to {MAX_COUNT}")));
        }
        if TimeZone::get(&self.zone).is_err() {
            let next = "Use a name such as Europe/London".to_owned();
            return Err((format!("the time zone {:?} is not known", self.zone), next));
        }
        if !self.not_working.is_empty() && self.unit != PeriodUnit::WorkingDays {
            let what = "not_working is given, and the unit is not working days".to_owned();
            return Err((what, "Remove it, or write unit = \"working days\"".to_owned()));
        }
        Ok(())
    }

    /// The instant that lies this long after `start`.
    #[must_use]
    pub fn after(&self, start: At) -> At {
        // A checked period always adds; the end of time stands for one that was made by hand and does not.
        self.add(start.timestamp()).map_or(At::from_ns(i64::MAX), At::from)
    }

    /// Whether an instant of a period of working days lies after the last year for which dates are listed: there may be
    /// more of them that nobody has listed yet.
    #[must_use]
    pub fn is_past_the_table(&self, at: At) -> bool {
        let Some(last) = self.not_working.iter().map(|date| date.year()).max() else { return false };
        TimeZone::get(&self.zone).is_ok_and(|zone| at.timestamp().to_zoned(zone).year() > last)
    }

    fn add(&self, start: Timestamp) -> Option<Timestamp> {
        let count = i64::from(self.count);
        if self.unit == PeriodUnit::Hours {
            return start.checked_add(Span::new().try_hours(count).ok()?).ok();
        }
        let zone = TimeZone::get(&self.zone).ok()?;
        let local = start.to_zoned(zone);
        if self.unit == PeriodUnit::CalendarMonths {
            return Some(local.checked_add(Span::new().try_months(count).ok()?).ok()?.timestamp());
        }
        let days = match self.unit {
            PeriodUnit::WorkingDays => self.days_to_working_day(local.date())?,
            _ => count,
        };
        Some(local.checked_add(Span::new().try_days(days).ok()?).ok()?.timestamp())
    }

    /// How many days after `first` the last of the working days lies.
    fn days_to_working_day(&self, first: Date) -> Option<i64> {
        let (mut date, mut days, mut left) = (first, 0i64, self.count);
        // Of three days at least one is no Saturday or Sunday, and each date listed takes one day at most.
        let most = i64::from(self.count).saturating_mul(3).saturating_add(i64::try_from(self.not_working.len()).ok()?);
        while left > 0 && days <= most.saturating_add(7) {
            date = date.tomorrow().ok()?;
            days += 1;
            let weekend = matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
            if !weekend && !self.not_working.contains(&date) {
                left -= 1;
            }
        }
        (left == 0).then_some(days)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match (self.unit, self.count) {
            (PeriodUnit::Hours, 1) => "hour",
            (PeriodUnit::Hours, _) => "hours",
            (PeriodUnit::CalendarDays, 1) => "calendar day",
            (PeriodUnit::CalendarDays, _) => "calendar days",
            (PeriodUnit::CalendarMonths, 1) => "calendar month",
            (PeriodUnit::CalendarMonths, _) => "calendar months",
            (PeriodUnit::WorkingDays, 1) => "working day",
            (PeriodUnit::WorkingDays, _) => "working days",
        };
        write!(f, "{} {unit}", self.count)
    }
}
