//! One test binary: what is written is read back, what is changed is found, what is hostile is refused.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]
mod golden;
mod hostile;
mod support;
mod tamper;
mod write;
