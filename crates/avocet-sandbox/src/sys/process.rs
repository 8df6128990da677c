//! What a process can give up about itself.

use std::io;
use std::os::fd::RawFd;

use super::check;

/// A limit that the kernel keeps (`setrlimit(2)`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resource {
    AddressSpace,
    FileSize,
    CoreSize,
    Descriptors,
    Processes,
    LockedMemory,
    MessageQueues,
}

fn set(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> io::Result<u64> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is live and writable.
    check(unsafe { libc::getrlimit(resource, &raw mut now) }.into())?;
    // A limit that is lower already stays.
    let hard = hard.min(now.rlim_max);
    let new = libc::rlimit { rlim_cur: soft.min(hard), rlim_max: hard };
    // SAFETY: the structure is live.
    check(unsafe { libc::setrlimit(resource, &raw const new) }.into())?;
    Ok(new.rlim_cur)
}

/// Sets a limit for good and gives what is in force: a lower limit that was there stays.
pub(crate) fn limit(resource: Resource, value: u64) -> io::Result<u64> {
    let number = match resource {
        Resource::AddressSpace => libc::RLIMIT_AS,
        Resource::FileSize => libc::RLIMIT_FSIZE,
        Resource::CoreSize => libc::RLIMIT_CORE,
        Resource::Descriptors => libc::RLIMIT_NOFILE,
        Resource::Processes => libc::RLIMIT_NPROC,
        Resource::LockedMemory => libc::RLIMIT_MEMLOCK,
        Resource::MessageQueues => libc::RLIMIT_MSGQUEUE,
    };
    set(number, value, value)
}

/// Processor time: `SIGXCPU` at the limit, which tells the parent why, and `SIGKILL` a second later for a worker that
/// blocks it.
pub(crate) fn limit_cpu(seconds: u64) -> io::Result<u64> {
    set(libc::RLIMIT_CPU, seconds, seconds.saturating_add(1))
}

fn control(option: libc::c_int, value: libc::c_ulong) -> io::Result<()> {
    // SAFETY: these options take a number and no pointer.
    check(unsafe { libc::prctl(option, value, 0 as libc::c_ulong, 0 as libc::c_ulong, 0 as libc::c_ulong) }.into())?;
    Ok(())
}

/// No program started from here can gain rights. Landlock and seccomp ask for it.
pub(crate) fn forbid_new_privileges() -> io::Result<()> {
    control(libc::PR_SET_NO_NEW_PRIVS, 1)
}

/// No core dump, and no other process of the same user may look inside.
pub(crate) fn forbid_dump() -> io::Result<()> {
    control(libc::PR_SET_DUMPABLE, 0)
}

/// The kernel ends this process when the thread that started it ends.
pub(crate) fn die_with_parent() -> io::Result<()> {
    control(libc::PR_SET_PDEATHSIG, libc::c_ulong::from(libc::SIGKILL.unsigned_abs()))
}

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// Gives up every capability (`capset(2)`, version 3 of its interface: two words of each of three sets).
pub(crate) fn drop_capabilities() -> io::Result<()> {
    let mut header = CapabilityHeader { version: 0x2008_0522, pid: 0 };
    let none = [0u32; 6];
    // SAFETY: both are live and laid out as the manual page says; the kernel may write the header's version.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, none.as_ptr()) })?;
    Ok(())
}

/// Closes every descriptor from this one on.
pub(crate) fn close_from(first: libc::c_uint) -> io::Result<()> {
    // SAFETY: for a process that owns none of these descriptors: the worker, before it does anything else.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0 as libc::c_uint) })?;
    Ok(())
}

/// Closes one descriptor that this process was started with.
pub(crate) fn close_one(number: RawFd) -> io::Result<()> {
    // SAFETY: only for standard descriptors of the worker, which no owned value stands for.
    check(unsafe { libc::close(number) }.into())?;
    Ok(())
}

/// The runtime's handler for stack overflow would print; without it the signal itself reaches the parent.
pub(crate) fn default_fault_signals() {
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the default action needs no handler that could be unsound.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Whether opening `/` is refused, as it must be under Landlock.
pub(crate) fn root_folder_is_refused() -> bool {
    // SAFETY: the name is a C string that lives for ever.
    let number = unsafe { libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC) };
    if number >= 0 {
        // SAFETY: the descriptor is ours, from the line above.
        unsafe { libc::close(number) };
        return false;
    }
    io::Error::last_os_error().raw_os_error() == Some(libc::EACCES)
}

/// Processor time that this process has used, in whole seconds.
pub(crate) fn cpu_seconds_used() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is live and writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    u64::try_from(time.tv_sec).unwrap_or(0)
}
