//! Tests of pictures against other people's answers.
#![cfg(test)]

mod decode;
mod derivative;
mod group;
mod jpeg;
mod meta;
mod near;
mod pdq;
mod support;
