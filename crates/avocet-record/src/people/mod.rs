//! People of an investigation: suspects, children, parents, others. A person is an id; name, date of birth, addresses and
//! work stand as personal content under the person's own key and are gone when it is destroyed.
//!
//! A child whom nobody can name yet is a record from the first minute. Two records that turn out to be one person are
//! joined and can be parted again; neither is ever lost.

mod fact;
mod state;

pub use fact::{LinkKind, PersonFact, PersonRole, WorkKind, Yes};
pub use state::{Address, Described, PersonState, Same, Work, work_of};
