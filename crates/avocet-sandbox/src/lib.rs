//! Worker processes of the same binary, and the confinement that they run under.
//!
//! A picture, a container or a video from a seized device may be built to attack whoever opens it. What decodes such
//! bytes runs in a worker process that can open no file and no socket, start no process or thread, signal nobody, and
//! use only so much memory and time. One bad file costs one call, which comes back as a typed [`Fault`].
//!
//! ```no_run
//! use avocet_sandbox::{Pool, Profile, Spec};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // In the parent. The hidden verb makes `main` call `worker_main` and nothing else.
//! let spec = Spec::new(std::env::current_exe()?, Profile::Decoder).arg("worker").workers(2);
//! let pool = Pool::start(spec)?;
//! for sentence in pool.confinement().sentences() {
//!     // into the completeness statement
//! }
//! let reply = pool.call(1, &[b"bytes of ", b"a picture"])?;
//! # Ok(()) }
//! ```
//!
//! In the child, as the first thing that `main` does for that verb, before any thread is started:
//!
//! ```no_run
//! use avocet_sandbox::{Profile, worker_main};
//! fn worker() -> std::process::ExitCode {
//!     worker_main(Profile::Decoder, |request| request.payload.iter().rev().copied().collect())
//! }
//! ```
//!
//! # What a handler may do
//! Compute, allocate, panic. It may not start a thread, read a file (not even for the number of processors, so no
//! `available_parallelism`), sleep, or print. Whatever it needs from outside must be fetched before [`worker_main`].
//! A handler that breaks this dies by `SIGSYS` and the call ends as [`Fault::Forbidden`]; `strace -f` on the parent, or
//! the kernel's audit line, names the system call.
//!
//! # What a reply is worth
//! A worker that was taken over by one file can lie about that file and about the ones that it is given afterwards.
//! [`Limits::requests_per_worker`] bounds that number; no reply may be believed to be well formed.
#![deny(clippy::indexing_slicing)]

mod confinement;
mod fault;
mod filter;
mod frame;
mod host;
mod pool;
mod program;
mod spec;
#[allow(unsafe_code)]
mod sys;
mod worker;

pub use confinement::Confinement;
pub use fault::{Fault, StartError};
pub use pool::Pool;
pub use program::{Argument, Output, ProgramLimits, ProgramSpec, run_confined, stream_confined};
pub use spec::{Layers, Limits, Profile, Spec};
pub use worker::{Request, worker_main};
