//! Tests of near matches and groups against exhaustive answers.
#![cfg(test)]

mod group;
mod near;
mod support;
