//! Tests of the record.
#![cfg(test)]

mod sealed;
mod support;

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
mod people;
mod review;
mod risk;
mod store;
mod vote;
