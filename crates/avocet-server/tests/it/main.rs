//! The server without its listener: requests in, answers out.

mod gate;
mod pages;
mod safety;
mod support;
