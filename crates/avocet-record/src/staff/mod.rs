//! Care for those who look: limits of exposure that a supervisor sets for the team or a person, and the breaks that follow
//! from them. Nobody is ranked, and nothing that protects a child waits for any of it.

mod fact;
mod limit;
mod state;

pub use fact::StaffFact;
pub use limit::{Bounds, Limit, Measure};
pub(crate) use state::MINUTE;
pub use state::{LimitSet, Limits, Reached, Rest, SetFor, Standing, Used, minutes_without_a_break};
