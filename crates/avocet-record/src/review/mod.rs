//! What is to be looked at, in which order, and what looking costs those who do it.
//!
//! An examination that is attached leaves a *list of what it found* with the record ([`Found`], one line for each content).
//! From the lists of an investigation, its policy and where its media stand follows the queue ([`Reason`], [`Todo`]): both
//! are pure functions here, and the rows of the store only repeat their answers.

mod extract;
mod fact;
mod found;
mod order;
mod report;

pub use extract::{EXTRACT, Graded, GradedBy, GradedCount, GradingExtract};
pub use fact::ReviewFact;
pub use found::{Found, FoundError, InGroup, Look, Near, Said, list, read_list};
pub use order::{Place, Queueing, Reason, Todo, todo};
pub use report::{Exported, GradingReport, NONE_OF_THESE, SCHEDULE_NOTE};
