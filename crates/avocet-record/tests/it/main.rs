//! Tests of the record.
#![cfg(test)]

mod support;

mod exhibit;
mod intake;
mod ip;
mod law;
mod risk;
mod vote;
mod warrant;
