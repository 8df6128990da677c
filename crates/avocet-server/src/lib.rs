//! The web app: a team's record in a browser, on one machine and without a network.
//!
//! # How it is built
//! - Every address is a line of one table ([`route`]): method, path, and the rule of who may ask for it. A line without a
//!   rule does not compile; what stands between a request and a page is one function, the gate.
//! - Pages read and write through [`avocet_record::desk::Desk`] only, so that what the web app may do is what the person
//!   may do at the command line.
//! - A page is a function that answers HTML, escaped unless it says otherwise. Every page works without JavaScript.
#![deny(clippy::indexing_slicing)]

mod app;
mod fault;
mod folders;
mod form;
mod jobs;
mod leads;
mod limit;
mod pages;
pub mod pictures;
pub mod route;
mod sealed;
mod serve;
mod session;
mod tls;
mod view;

pub use app::{App, Setup};
pub use pages::{router, routes};
pub use serve::{Files, Options, ServeError, serve};
