//! The buffer that parent and worker both map, and memory files that cannot change any more.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

use super::check;

/// Size of a page of memory in bytes.
pub(crate) fn page_size() -> usize {
    // SAFETY: asks for a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|size| size.is_power_of_two()).unwrap_or(4096)
}

fn memory_file() -> io::Result<OwnedFd> {
    const NOEXEC_SEAL: libc::c_uint = 8;
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let make = |flags: libc::c_uint| {
        // SAFETY: the name is a C string that lives for ever.
        check(unsafe { libc::memfd_create(c"avocet".as_ptr(), flags) }.into())
    };
    // Kernels before 6.3 do not know the flag that keeps the file from being executed.
    let number = make(flags | NOEXEC_SEAL).or_else(|_| make(flags))?;
    let number = libc::c_int::try_from(number).map_err(io::Error::other)?;
    // SAFETY: the kernel has just given this descriptor to us and to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

fn seal(file: &OwnedFd, seals: libc::c_int) -> io::Result<()> {
    // SAFETY: plain numbers on an open descriptor.
    check(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) }.into())?;
    Ok(())
}

/// A file in memory with these bytes, which nobody can change, grow or shrink afterwards.
pub(crate) fn sealed_memory(parts: &[&[u8]]) -> io::Result<OwnedFd> {
    let mut file = File::from(memory_file()?);
    for part in parts {
        file.write_all(part)?;
    }
    let file = OwnedFd::from(file);
    seal(&file, libc::F_SEAL_WRITE | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL)?;
    Ok(file)
}

/// A stretch of memory that another process maps too.
///
/// The other process may be hostile and write at any moment, so the parent's side gives out no reference into it: bytes
/// are copied in and copied out, once.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping belongs to this value alone in this process, and is reached only through its methods.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Reserves `len` bytes and maps them. No page is taken before it is touched. The file's length is sealed: a worker
    /// that could shorten it could make the parent fault.
    pub(crate) fn create(len: usize) -> io::Result<(Self, OwnedFd)> {
        let file = File::from(memory_file()?);
        file.set_len(u64::try_from(len).map_err(io::Error::other)?)?;
        let file = OwnedFd::from(file);
        seal(&file, libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL)?;
        Ok((Self::map(file.as_raw_fd(), len)?, file))
    }

    /// Maps what the parent created. `len` must be the file's own length.
    pub(crate) fn open(file: BorrowedFd<'_>, len: usize) -> io::Result<Self> {
        let actual = File::from(file.try_clone_to_owned()?).metadata()?.len();
        if usize::try_from(actual).ok() != Some(len) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Self::map(file.as_raw_fd(), len)
    }

    fn map(file: libc::c_int, len: usize) -> io::Result<Self> {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
        // SAFETY: the kernel chooses a free place; nothing that exists is replaced. The file is open and `len` long.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, file, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, len })
    }

    fn inside(&self, offset: usize, len: usize) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.len)
    }

    /// Copies bytes in. `None` if they do not fit.
    pub(crate) fn write(&mut self, offset: usize, bytes: &[u8]) -> Option<()> {
        if !self.inside(offset, bytes.len()) {
            return None;
        }
        // SAFETY: the range lies inside the mapping (just checked), and a borrowed slice cannot lie inside it, as no
        // reference into it leaves the parent's side; in the worker, requests are borrowed while this needs `&mut`.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.as_ptr().add(offset), bytes.len()) };
        Some(())
    }

    /// Copies bytes out, once. `None` if the range is not inside or there is no memory for the copy.
    pub(crate) fn copy_out(&self, offset: usize, len: usize) -> Option<Vec<u8>> {
        if !self.inside(offset, len) {
            return None;
        }
        let mut out: Vec<u8> = Vec::new();
        out.try_reserve_exact(len).ok()?;
        // SAFETY: the source lies inside the mapping, the destination has room for `len` bytes, they cannot overlap,
        // and all `len` bytes are written before the length is set. What another process writes meanwhile can only
        // change which bytes are copied, and every byte is a valid `u8`.
        unsafe {
            std::ptr::copy_nonoverlapping(self.start.as_ptr().add(offset), out.as_mut_ptr(), len);
            out.set_len(len);
        }
        Some(out)
    }

    /// The bytes themselves. Only for the worker: the parent, which it trusts, does not write while a request runs.
    pub(crate) fn bytes(&self, offset: usize, len: usize) -> Option<&[u8]> {
        if !self.inside(offset, len) {
            return None;
        }
        // SAFETY: the range lies inside the mapping, which lives as long as `self`; the parent writes only before it
        // sends a request, and this process only through `&mut self`.
        Some(unsafe { std::slice::from_raw_parts(self.start.as_ptr().add(offset), len) })
    }

    /// Gives the pages of a range back to the system; they read as zero afterwards. A failure only costs memory.
    pub(crate) fn release(&mut self, offset: usize, len: usize) {
        if self.inside(offset, len) && len > 0 {
            // SAFETY: the range lies inside this mapping. A start that is not on a page is refused by the kernel.
            unsafe { libc::madvise(self.start.as_ptr().add(offset).cast(), len, libc::MADV_REMOVE) };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, and nobody holds a reference any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_file_keeps_its_length_and_bounds_hold() {
        let page = page_size();
        let (mut ours, file) = Mapping::create(4 * page).unwrap();
        let theirs = Mapping::open(std::os::fd::AsFd::as_fd(&file), 4 * page).unwrap();
        assert!(Mapping::open(std::os::fd::AsFd::as_fd(&file), 5 * page).is_err());
        let file = File::from(file);
        assert!(file.set_len(1).is_err(), "a shorter file would make the parent fault");
        assert!(file.set_len(64 * page as u64).is_err());
        assert_eq!(ours.write(page - 1, b"abc"), Some(()));
        assert_eq!(theirs.bytes(page - 1, 3).unwrap(), b"abc");
        assert_eq!(theirs.copy_out(page, 2).unwrap(), b"bc");
        for (offset, len) in [(4 * page - 1, 2), (4 * page + 1, 0), (usize::MAX, 1), (1, usize::MAX), (0, 4 * page + 1)]
        {
            assert!(ours.copy_out(offset, len).is_none(), "{offset} {len}");
            assert!(ours.bytes(offset, len).is_none());
        }
        assert_eq!(ours.write(4 * page - 2, b"abc"), None);
        assert_eq!(ours.write(usize::MAX, b"abc"), None);
        ours.release(page, page);
        assert_eq!(theirs.bytes(page - 1, 3).unwrap(), b"a\0\0");
    }

    #[test]
    fn a_sealed_file_holds_the_parts_and_never_changes() {
        use std::os::unix::fs::FileExt;
        let file = File::from(sealed_memory(&[b"ab", b"", b"c"]).unwrap());
        let mut bytes = [0; 3];
        file.read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"abc");
        assert!(file.write_at(b"x", 0).is_err());
        assert!(file.set_len(1).is_err());
        assert!(file.set_len(9).is_err());
    }
}
