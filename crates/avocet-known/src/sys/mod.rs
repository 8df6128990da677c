//! Memory-mapped files: the only unsafe code of this crate.

use std::fs::File;
use std::io;

/// The bytes of a file, without reading them before they are touched.
#[derive(Debug)]
pub(crate) struct Map {
    /// Held for as long as the map: it carries the shared lock.
    _file: File,
    #[cfg(not(miri))]
    map: memmap2::Mmap,
    #[cfg(miri)]
    map: Vec<u8>,
}

impl Map {
    /// Maps a file of `length` bytes read-only, under a shared lock that lasts as long as the map. `length` is what the
    /// caller has found the file to be.
    #[cfg(not(miri))]
    pub fn open(file: File, length: u64) -> io::Result<Map> {
        // The lock is advice that our own writers heed. Some file systems have no locks, and a set there is still read.
        let _ = file.try_lock_shared();
        let length = usize::try_from(length).map_err(|_| io::Error::other("larger than the address space"))?;
        // SAFETY: the map is only ever read, and through `&[u8]`, so two things must hold while it lives.
        // The bytes must not change: compiled sets are written under another name, renamed when complete, and never
        // written again by Avocet; the shared lock keeps away others that ask for one. A process that writes into a set
        // all the same can make a block differ between its check and its use: the values read from it would be wrong,
        // but every one is plain bytes for which any value is valid, and every length and index taken from them is
        // checked before use.
        // The file must not become shorter than the map: reading beyond its end would end this process with SIGBUS,
        // which loses the run and can never give a wrong answer. The length is compared with the header at opening.
        let map = unsafe { memmap2::MmapOptions::new().len(length).map(&file) }?;
        Ok(Map { _file: file, map })
    }

    /// Under Miri, which has no memory maps, the file is read instead.
    #[cfg(miri)]
    pub fn open(mut file: File, length: u64) -> io::Result<Map> {
        let mut map = vec![];
        io::Read::read_to_end(&mut file, &mut map)?;
        if map.len() as u64 != length {
            return Err(io::Error::other("its length has changed"));
        }
        Ok(Map { _file: file, map })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }
}

/// Asks the processor to fetch a byte's line of memory meanwhile; a hint, which some processors do not take.
#[inline]
pub(crate) fn prefetch(byte: &u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: the instruction is in every x86-64 processor; it reads nothing that the program could see and cannot
    // fault, and the address is that of a reference besides.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(byte).cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = byte;
}
