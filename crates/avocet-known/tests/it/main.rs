//! Tests of the crate as its users see it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "helpers of tests fail by panicking and say what they skipped"
)]

mod bounded;
mod compiled;
mod formats;
mod grades;
mod hostile;
mod lists;
mod lookup;
mod rds;
mod records;
mod schemes;
mod shared;
mod support;
mod vics;
