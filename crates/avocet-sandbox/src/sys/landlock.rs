//! Landlock, by its system calls (`landlock(7)`, the kernel's `include/uapi/linux/landlock.h`).

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::check;

#[repr(C)]
struct Attributes {
    files: u64,
    net: u64,
    scoped: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: i32,
}

const VERSION_FLAG: u32 = 1;
const RULE_PATH_BENEATH: libc::c_int = 1;
const EXECUTE: u64 = 1;
const READ_FILE: u64 = 1 << 2;
const READ_FOLDER: u64 = 1 << 3;

/// What a path may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading, and listing where it is a folder.
    Read,
    /// Reading and executing.
    ReadExecute,
}

/// Version of the interface in this kernel; 0 where there is none.
pub(crate) fn landlock_abi() -> u32 {
    // SAFETY: with this flag the kernel takes a null pointer and size 0 and answers a number.
    let version = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<Attributes>(), 0usize, VERSION_FLAG)
    };
    u32::try_from(version).unwrap_or(0)
}

/// A set of rules that refuses everything that this kernel can refuse, less what is allowed.
#[derive(Debug)]
pub(crate) struct Ruleset(OwnedFd);

impl Ruleset {
    /// Refuses everything.
    pub(crate) fn refuse_all(abi: u32) -> io::Result<Self> {
        // 13 rights in the first version, then linking across folders (2), truncating (3) and device control (5).
        let rights = match abi {
            0 => return Err(io::ErrorKind::Unsupported.into()),
            1 => 13,
            2 => 14,
            3 | 4 => 15,
            _ => 16,
        };
        let attributes = Attributes {
            files: (1 << rights) - 1,
            net: if abi >= 4 { 3 } else { 0 },
            scoped: if abi >= 6 { 3 } else { 0 },
        };
        // Older kernels take a longer structure as long as what they do not know is zero.
        let size = std::mem::size_of::<Attributes>();
        // SAFETY: pointer and size are those of one live structure laid out as the kernel's header says.
        let number =
            check(unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size, 0u32) })?;
        let number = libc::c_int::try_from(number).map_err(io::Error::other)?;
        // SAFETY: the kernel has just given this descriptor to us and to nobody else.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(number) }))
    }

    /// Allows one file, or a folder and all below it.
    pub(crate) fn allow(&self, path: &Path, access: Access) -> io::Result<()> {
        let name = CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)?;
        // SAFETY: the name is a C string that lives through the call.
        let number = check(unsafe { libc::open(name.as_ptr(), libc::O_PATH | libc::O_CLOEXEC) }.into())?;
        let number = libc::c_int::try_from(number).map_err(io::Error::other)?;
        // SAFETY: the kernel has just given this descriptor to us and to nobody else.
        let file = std::fs::File::from(unsafe { OwnedFd::from_raw_fd(number) });
        let folder = if file.metadata()?.is_dir() { READ_FOLDER } else { 0 };
        let execute = if access == Access::ReadExecute { EXECUTE } else { 0 };
        let rule = PathBeneath { allowed: READ_FILE | folder | execute, parent: file.as_raw_fd() };
        // SAFETY: the structure is laid out as the kernel's header says and lives through the call.
        check(unsafe {
            libc::syscall(libc::SYS_landlock_add_rule, self.0.as_raw_fd(), RULE_PATH_BENEATH, &raw const rule, 0u32)
        })?;
        Ok(())
    }

    /// Puts the rules in force for the calling thread and all that it starts.
    pub(crate) fn enforce(&self) -> io::Result<()> {
        enforce_number(self.0.as_raw_fd())
    }

    pub(super) fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// A system call and nothing else: also for the moment between fork and exec.
pub(super) fn enforce_number(ruleset: RawFd) -> io::Result<()> {
    // SAFETY: plain numbers; a wrong descriptor is an error.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0u32) })?;
    Ok(())
}
