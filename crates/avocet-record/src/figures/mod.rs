//! Figures: numbers that a force publishes, each with a named, versioned definition, for a period and a cut-off.
//!
//! A figure is what the facts recorded up to its cut-off add up to, and nothing else: run again with the same cut-off it
//! gives the same number after later corrections, merges and erasures. No definition needs personal content.

mod book;
mod days;
mod definition;
mod export;
mod measure;
mod people;
mod suppress;
mod text;

pub use book::{Book, Cutoff};
pub use days::Days;
pub use definition::{Definition, Measure};
pub use export::{Export, FILES};
pub use measure::{Cells, Counted, Figure, Figures, Value, compute};
pub use suppress::{LEAST_SHOWN, Shown, suppress};
pub use text::{Shape, csv, sentence};

use crate::at::{At, Day};

/// A period of whole days in [`Day::ZONE`], the last day included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub from: Day,
    /// The last day.
    pub to: Day,
}

impl Span {
    /// Whether an instant lies in it.
    #[must_use]
    pub fn contains(&self, at: At) -> bool {
        self.from.begin() <= at && at < self.end()
    }

    /// The first instant after it.
    #[must_use]
    pub fn end(&self) -> At {
        self.to.plus(1).begin()
    }
}
