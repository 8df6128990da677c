//! Tests of pictures against other people's answers.
#![cfg(test)]

mod decode;
mod derivative;
mod jpeg;
mod meta;
mod pdq;
mod support;
