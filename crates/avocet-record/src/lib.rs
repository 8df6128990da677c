//! The record of a child-protection team: from the referral to the vote, every change an event on a ledger that shows
//! tampering and holds no personal content.
//!
//! # How it is built
//! A change is a **fact** ([`Recorded`]): typed, stored once, never altered. The state of a referral, a warrant or an
//! exhibit is what its facts add up to, so it can be rebuilt and a contradiction between two facts is shown, not
//! refused: what happened must be recordable even where it should not have happened. Everything that decides
//! (`law`, `risk`, `vote`) is pure and knows no database.
#![deny(clippy::indexing_slicing)]

mod at;
pub mod case;
pub mod clock;
mod correction;
pub mod custody;
pub mod desk;
mod digest;
mod error;
pub mod event;
pub mod exhibit;
mod facts;
pub mod figures;
pub mod identifier;
mod ids;
pub mod intake;
pub mod ip;
mod json;
pub mod keys;
pub mod law;
pub mod leaflet;
pub mod ledger;
pub mod order;
pub mod outcome;
mod parts;
pub mod people;
mod personal;
pub mod review;
pub mod risk;
pub mod safeguard;
pub mod staff;
pub mod store;
pub mod time_text;
pub mod vote;
pub mod warrant;

pub use at::{At, Day, DayError, Recorded};
pub use digest::digest;
pub use error::{RecordError, Result};
pub use ids::{
    CustodyId, ExaminationId, ExhibitId, IdError, InvestigationId, IpEventId, KeyId, OrderId, OutcomeId, PersonId,
    ReferralId, SafeguardingId, UserId, WarrantId,
};
pub use personal::Personal;
