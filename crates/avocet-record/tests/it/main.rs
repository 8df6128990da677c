//! Tests of the record.
#![cfg(test)]

mod sealed;
mod support;

mod close;
mod conflicts;
mod desk;
mod exhibit;
mod figures;
mod golden;
mod intake;
mod ip;
mod killed;
mod law;
mod ledger;
mod media;
mod order;
mod outcome;
mod paper;
mod people;
mod review;
mod risk;
mod roles;
mod store;
mod team;
mod vote;
