//! Confining a foreign program: what happens between fork and exec.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::process::{self, Resource};
use super::{Ruleset, landlock, seccomp};
use crate::filter::Instruction;

/// What the program is to be held to. Everything is made before the fork: after it, nothing may allocate.
pub(crate) struct Sentence {
    pub(crate) ruleset: Option<Ruleset>,
    pub(crate) filter: Vec<Instruction>,
    pub(crate) address_space: u64,
    pub(crate) cpu_seconds: u64,
    /// The one descriptor, beside the standard ones, that the program keeps.
    pub(crate) keep: Option<RawFd>,
}

/// Has the layers applied in the child before the program starts. A layer that fails keeps it from starting.
pub(crate) fn confine_before_exec(command: &mut Command, sentence: Sentence) {
    let filter = seccomp::lay_out(&sentence.filter);
    let confine = move || {
        process::die_with_parent()?;
        // The standard library's own descriptor for reporting a failed exec must stay until the exec.
        close_on_exec_from(3)?;
        if let Some(number) = sentence.keep {
            keep_over_exec(number)?;
        }
        process::limit(Resource::AddressSpace, sentence.address_space)?;
        process::limit_cpu(sentence.cpu_seconds)?;
        process::limit(Resource::FileSize, 0)?;
        process::limit(Resource::CoreSize, 0)?;
        process::limit(Resource::LockedMemory, 0)?;
        process::limit(Resource::MessageQueues, 0)?;
        process::forbid_new_privileges()?;
        process::drop_capabilities()?;
        if let Some(ruleset) = &sentence.ruleset {
            landlock::enforce_number(ruleset.number())?;
        }
        seccomp::apply_laid_out(&filter)
    };
    // SAFETY: the closure makes system calls on numbers and on memory that was laid out before the fork. It allocates
    // nothing, takes no lock and does not unwind.
    unsafe { command.pre_exec(confine) };
}

fn close_on_exec_from(first: libc::c_uint) -> io::Result<()> {
    const CLOSE_ON_EXEC: libc::c_uint = 4;
    // SAFETY: only a flag is set; no descriptor is closed under an owner.
    super::check(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, CLOSE_ON_EXEC) })?;
    Ok(())
}

fn keep_over_exec(number: RawFd) -> io::Result<()> {
    // SAFETY: clears a flag; a wrong number is an error.
    super::check(unsafe { libc::fcntl(number, libc::F_SETFD, 0) }.into())?;
    Ok(())
}
