//! One test binary: what a worker can reach, what its faults cost, what becomes of it when others die.
#![cfg(test)]
mod faults;
mod ffmpeg;
mod lifetimes;
mod matrix;
mod outside;
mod program;
mod support;
