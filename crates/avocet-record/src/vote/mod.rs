//! Votes: who gave which category to a picture or film, on what basis, and what the votes add up to.
//!
//! A vote is on the SHA-256 of a content and is never overwritten: a later vote of the same person takes its place in
//! the count, and both stay. *Trusted* is what a set that was imported says of itself; no number of votes makes it.
//!
//! # How votes add up ([`ItemVotes::standing`])
//! 1. Only votes of one scheme **and version** are counted together. Codes of two schemes, or of two versions of one,
//!    are never compared or translated; an item voted on in several is a finding.
//! 2. Each person has one vote at most: their latest, unless they withdrew it.
//! 3. A second view or a moderation counts as one only if the person viewed the item and had not voted on it before; a
//!    second view must also be blind where the rule says so. Else it counts as an ordinary vote, and is a finding.
//! 4. A moderation decides over all votes before it, another moderator's included. A different vote, a set that newly
//!    calls another category trusted, or a request for another view opens the item again.
//! 5. Votes that differ, or differ from a trusted category, need a second view. If there has been one and they still
//!    differ, a moderator decides: a majority never outvotes anybody.
//! 6. Votes alike decide when there are as many as the rule asks for; a trusted category decides alone where the rule
//!    says so.

mod agreement;
mod book;
mod fact;
mod finding;
mod item;
mod outcome;
mod policy;
mod sample;

pub use agreement::{Agreement, Confusion, Kappa, NotDefined, PairSample, Panel, pairs, panel};
pub use book::VoteBook;
pub use fact::{Basis, Category, CategoryError, Purpose, RequestReason, SchemeRef, SetRef, VoteFact, WithdrawReason};
pub use finding::VoteFinding;
pub use item::{CastVote, Import, ItemVotes, Request, VoteEnd};
pub use outcome::{Moderation, Outcome, Party, Settled, SettledBy, Standing, Why};
pub use policy::{Enough, GradingPolicy, GradingRule, Policy, RuleRef, StopRule};
pub use sample::{Seed, SeedError, dip_drawn, drawn};
