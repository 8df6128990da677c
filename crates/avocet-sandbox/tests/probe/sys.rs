//! Raw system calls of the attempts. All `unsafe` of this program.

use std::io;
use std::os::fd::AsRawFd;

fn check(result: i64) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

pub fn fork() -> io::Result<()> {
    // SAFETY: the child ends at once and touches nothing; the parent waits for it.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(0);
        }
        check(child.into())?;
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
    Ok(())
}

pub fn signal_parent() -> io::Result<()> {
    // SAFETY: signal 0 only asks whether a signal would be allowed.
    check(unsafe { libc::kill(libc::getppid(), 0) }.into())
}

pub fn read_parent() -> io::Result<()> {
    let mut byte = 0u8;
    let here = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
    let there = libc::iovec { iov_base: std::ptr::without_provenance_mut(8), iov_len: 1 };
    // SAFETY: one writable byte here; the address there is checked by the kernel.
    let result = unsafe { libc::process_vm_readv(libc::getppid(), &raw const here, 1, &raw const there, 1, 0) };
    match check(result as i64) {
        // The address is wrong on purpose: the right to read was given.
        Err(error) if error.raw_os_error() == Some(libc::EFAULT) => Ok(()),
        other => other,
    }
}

pub fn write(descriptor: i32, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length are those of one live slice.
    check(unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) } as i64)
}

fn map(protection: i32) -> io::Result<*mut libc::c_void> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: the kernel chooses a free place.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), 4096, protection, flags, -1, 0) };
    if place == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(place) }
}

pub fn map_writable_executable() -> io::Result<()> {
    map(libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC).map(drop)
}

pub fn map_then_make_executable() -> io::Result<()> {
    let place = map(libc::PROT_READ | libc::PROT_WRITE)?;
    // SAFETY: a page that nobody else uses.
    check(unsafe { libc::mprotect(place, 4096, libc::PROT_READ | libc::PROT_EXEC) }.into())
}

pub fn raise_memory_limit() -> io::Result<()> {
    let all = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the structure is live.
    check(unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const all) }.into())
}

pub fn memory_file() -> io::Result<()> {
    // SAFETY: the name is a C string that lives for ever.
    check(unsafe { libc::memfd_create(c"probe".as_ptr(), 0) }.into())
}

pub fn new_user_namespace() -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::unshare(libc::CLONE_NEWUSER) }.into())
}

pub fn crash() -> ! {
    // SAFETY: none; an invalid write is what this is for. The kernel ends the process.
    unsafe { std::ptr::without_provenance_mut::<u8>(16).write_volatile(1) };
    std::process::exit(1)
}

/// A copy of a file's descriptor that programs started from here inherit.
pub fn leave_open(file: &std::fs::File, number: i32) -> io::Result<()> {
    // SAFETY: plain numbers; nothing in this program holds `number`.
    check(unsafe { libc::dup2(file.as_raw_fd(), number) }.into())
}

pub fn mapped_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmSize:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Processor time that this process has used.
pub fn cpu_milliseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is live and writable.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}
