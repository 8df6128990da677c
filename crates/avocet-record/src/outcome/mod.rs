//! What became of a suspect: charges with the counts of their schedules, disposal, and what is to happen to the devices.
//!
//! A count is for the schedule that goes with a charge: category, still or moving, device, range of dates, and whether the
//! user could get at the files. Whether a picture is indecent is for the court; prohibited images are another offence, so
//! a schedule that mixes the two is a finding.

mod fact;
mod state;
mod table;

pub use fact::{Accessible, DeviceDecision, Medium, OutcomeFact, ScheduleLine};
pub use state::{Charge, DeviceState, OutcomeState, Totals};
pub use table::{Disposal, Offence};
