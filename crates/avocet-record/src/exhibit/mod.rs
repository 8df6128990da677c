//! Exhibits and their continuity: what was seen at a scene, what was taken, under which power, who held it since, which
//! seal it bears, and what does not fit together.
//!
//! Terms: an *exhibit* bears the reference of the person who produced it, such as `JC/1` (`domain.md` 2.6, common
//! practice); a part of it (a SIM, a card, an image file) is an exhibit of its own with a parent.

mod fact;
mod finding;
mod state;

pub use fact::{ExhibitFact, Holder, PowerSource, Serial};
pub use finding::{ExhibitFinding, across};
pub use state::{ExhibitState, Fate, Step};
