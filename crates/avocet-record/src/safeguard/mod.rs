//! Making children safe: for each child, and for each job or voluntary role of a suspect, what was done under which power,
//! who was told, whether they answered, and what came of it. Figures count what was acknowledged or done, never what was
//! only sent.
//!
//! Nothing here waits for anything: what is urgent is recorded by whoever is there ([`SafeguardingFact::is_urgent`]).

mod care;
mod child;
mod fact;
mod identify;
mod state;
mod table;

pub use care::{CareFact, CareKind, InterviewKind, MeasureAnswer, StatementStage};
pub use child::{CareState, IdentificationState, Lead, StepTaken};
pub use fact::{Body, Protection, SafeguardingFact, SafeguardingOutcome, Subject};
pub use identify::{IdentificationFact, LeadKind, Reach, Step, Strength};
pub use state::SafeguardingState;
pub use table::SharingPower;
