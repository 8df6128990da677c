//! The server without its listener: requests in, answers out.
#![cfg(test)]

mod gate;
mod pages;
mod safety;
mod support;
