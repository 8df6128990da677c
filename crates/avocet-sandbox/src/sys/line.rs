//! The line between parent and worker.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::Duration;

use super::check;

/// What waits on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pending {
    /// Nothing: the other side is there and silent.
    Nothing,
    /// Bytes that nobody asked for.
    Bytes,
    /// The other side is gone.
    End,
}

/// Looks at a socket without taking anything from it and without waiting.
pub(crate) fn pending(socket: BorrowedFd<'_>) -> Pending {
    let mut byte = 0u8;
    // SAFETY: the buffer is one byte long and lives through the call; the descriptor is borrowed, so it is open.
    let got = unsafe { libc::recv(socket.as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_PEEK | libc::MSG_DONTWAIT) };
    match got {
        0 => Pending::End,
        1.. => Pending::Bytes,
        _ if io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock => Pending::Nothing,
        _ => Pending::End,
    }
}

/// Reads exactly the buffer, or says that the line ended. For the worker, whose line is a number and not an owned
/// descriptor: it must stay open to the end of the process.
pub(crate) fn read_line(line: RawFd, buffer: &mut [u8]) -> io::Result<()> {
    let mut rest = buffer;
    while !rest.is_empty() {
        // SAFETY: pointer and length are those of one live, writable slice.
        let got = unsafe { libc::read(line, rest.as_mut_ptr().cast(), rest.len()) };
        match usize::try_from(got) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(got) => rest = rest.split_at_mut_checked(got).map(|(_, rest)| rest).unwrap_or_default(),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// Writes all of it.
pub(crate) fn write_line(line: RawFd, bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        // SAFETY: pointer and length are those of one live slice.
        let put = unsafe { libc::write(line, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(put) {
            Ok(put) => rest = rest.get(put..).unwrap_or_default(),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

/// Makes reads or writes of this open file return at once.
pub(crate) fn set_nonblocking(file: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: plain numbers; the descriptor is borrowed, so it is open.
    let flags = check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) }.into())?;
    let flags = libc::c_int::try_from(flags).unwrap_or(0) | libc::O_NONBLOCK;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFL, flags) }.into())?;
    Ok(())
}

/// Waits until one of two files has bytes or has ended, at most so long. An error or a signal counts as ready: the read
/// that follows says more.
pub(crate) fn wait_readable(files: [Option<BorrowedFd<'_>>; 2], at_most: Duration) {
    let mut entries = files.map(|file| libc::pollfd {
        fd: file.map_or(-1, |file| file.as_raw_fd()),
        events: libc::POLLIN,
        revents: 0,
    });
    let milliseconds = libc::c_int::try_from(at_most.as_millis()).unwrap_or(libc::c_int::MAX).max(1);
    // SAFETY: pointer and count are those of one live array; negative descriptors are skipped by the kernel.
    unsafe { libc::poll(entries.as_mut_ptr(), 2, milliseconds) };
}
