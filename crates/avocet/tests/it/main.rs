//! The command as its users run it: one test binary.
#![cfg(test)]
mod demo;
mod differential;
mod support;
