//! Orders and notification requirements, and the monitoring of who is under them: every condition and requirement a line
//! that can be checked, visits due by risk, devices compared with the last check, breaches, expiry, a named officer.

mod fact;
mod state;
mod sum;
mod table;

pub use fact::{Held, LineCheck, OrderFact, OrderLine, Seen};
pub use state::{Due, LineState, OrderLaw, OrderState};
pub use sum::{OpenBreach, OrderSum, SumLine};
pub use table::{Begins, LineClock, LineKind, OrderKind, VisitLevel};
