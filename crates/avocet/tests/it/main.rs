//! The command as its users run it: one test binary.
#![cfg(test)]
mod care;
mod corroborate;
mod demo;
mod device;
mod differential;
mod evidence;
mod figures;
mod golden;
mod graded;
mod interim;
mod list;
mod media;
mod people;
mod readme;
mod record;
mod refusals;
mod report;
mod resume;
mod sealed;
mod serve;
mod sets;
mod shell;
mod store;
mod support;
