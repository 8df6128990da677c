//! What needs the operating system's own calls. The only module of this crate that may hold `unsafe`.

mod landlock;
mod line;
mod memory;
mod process;
mod program;
mod seccomp;

pub(crate) use landlock::{Access, Ruleset, landlock_abi};
pub(crate) use line::{Pending, pending, read_line, set_nonblocking, wait_readable, write_line};
pub(crate) use memory::{Mapping, page_size, sealed_memory};
pub(crate) use process::{
    Resource, close_from, close_one, cpu_seconds_used, default_fault_signals, die_with_parent, drop_capabilities,
    forbid_dump, forbid_new_privileges, limit, limit_cpu, root_folder_is_refused,
};
pub(crate) use program::{Sentence, confine_before_exec};
pub(crate) use seccomp::apply as apply_filter;

use std::io;

/// Turns the `-1` of a system call into the error that goes with it.
fn check(result: libc::c_long) -> io::Result<libc::c_long> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
