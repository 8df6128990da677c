//! Lengths in days: how many, the median, the least and the most.

use std::fmt;

/// Lengths in whole days, by dates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Days(Vec<i64>);

impl Days {
    /// These lengths.
    #[must_use]
    pub fn new(mut days: Vec<i64>) -> Self {
        days.sort_unstable();
        Self(days)
    }

    /// How many lengths.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Twice the median: a whole number, as the median of an even number of lengths may end in a half.
    #[must_use]
    pub fn median_twice(&self) -> Option<i64> {
        let middle = self.0.len() / 2;
        let upper = self.0.get(middle)?;
        match self.0.len() % 2 {
            1 => upper.checked_mul(2),
            _ => self.0.get(middle.checked_sub(1)?)?.checked_add(*upper),
        }
    }

    /// The median as it is written: `12` or `12.5`.
    #[must_use]
    pub fn median(&self) -> Option<String> {
        let twice = self.median_twice()?;
        let sign = if twice < 0 { "-" } else { "" };
        let half = if twice % 2 == 0 { "" } else { ".5" };
        Some(format!("{sign}{}{half}", (twice / 2).unsigned_abs()))
    }

    /// The least and the most.
    #[must_use]
    pub fn range(&self) -> Option<(i64, i64)> {
        Some((*self.0.first()?, *self.0.last()?))
    }
}

/// `median 12.5 days (2 to 40, of 8)`
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.median().zip(self.range()) {
            None => f.write_str("none"),
            Some((median, (least, most))) => {
                write!(f, "median {median} days ({least} to {most}, of {})", self.0.len())
            }
        }
    }
}
