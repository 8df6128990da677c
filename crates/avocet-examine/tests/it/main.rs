//! One test binary: the whole chain, from an image to its sealed examination, on evidence that was made to break it.
#![cfg(test)]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]
mod archives;
mod base;
mod camera;
mod fixed;
mod hostile;
mod mutate;
mod stated;
mod support;
