//! Putting a list of system calls in force (`seccomp(2)`).

use std::io;

use super::check;
use crate::filter::Instruction;

const SET_MODE_FILTER: libc::c_uint = 1;

/// Turns a program into the kernel's layout.
pub(super) fn lay_out(program: &[Instruction]) -> Vec<libc::sock_filter> {
    program.iter().map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect()
}

/// Puts a program in force for the calling thread, for good.
pub(crate) fn apply(program: &[Instruction]) -> io::Result<()> {
    apply_laid_out(&lay_out(program))
}

/// No allocation: also for the moment between fork and exec.
pub(super) fn apply_laid_out(instructions: &[libc::sock_filter]) -> io::Result<()> {
    let len = u16::try_from(instructions.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len, filter: instructions.as_ptr().cast_mut() };
    // SAFETY: the kernel copies `len` instructions from a live slice and does not write to it.
    check(unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, 0 as libc::c_uint, &raw const program) })?;
    Ok(())
}
