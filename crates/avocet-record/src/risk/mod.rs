//! Risk: what an officer assessed and decided, and the order of work that follows.
//!
//! Avocet never works out a level. KIRAT's weights are not public; what is recorded is the tool that was used, each
//! factor's answer and the officer's level. The level, a statement that a child may be in danger now, and the deadline
//! that the data file gives the level decide the order of the queue, and the queue says so for each item.

mod fact;
mod finding;
mod level;
mod queue;
mod state;

pub use fact::{Answer, Danger, Factor, RiskFact, SafeguardingAction, Tool};
pub use finding::RiskFinding;
pub use level::{LevelId, RiskLevel};
pub use queue::{Flag, OpenClock, Place, Placed, QueueItem, Reason, order, place};
pub use state::{Assessment, DangerStatement, LevelChange, RiskState, Safeguarding};
