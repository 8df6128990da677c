//! Arrests and voluntary interviews, bail and release under investigation, and the suspect's own risk of death, which is
//! highest soon after the police first come and again when something is decided (`domain.md` 2.4).

mod fact;
mod state;
mod welfare;

pub use fact::{CustodyEnd, CustodyFact};
pub use state::{CustodyState, WelfareState};
pub use welfare::{LeafletFor, Stage, TriggerKind, WelfareFact};
