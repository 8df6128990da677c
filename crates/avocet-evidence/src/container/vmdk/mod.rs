//! VMDK: the disks of VMware. A descriptor names the extents of the disk; each is flat, zeros, or sparse (a directory
//! of tables of grains, which may be packed).
//!
//! After VMware's "Virtual Disk Format" 5.0. Extents lie beside the descriptor: a name that leads to another folder is
//! refused, because the descriptor may have been made by whoever owned the device.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `descriptor-damaged` | a line of the descriptor is not understood, or a sparse extent carries a damaged one |
//! | `extent-size-differs` | a sparse extent declares another size than the descriptor gives it |
//! | `not-closed-cleanly` | the program that used the image did not close it |

use std::path::{Path, PathBuf};
use std::sync::Arc;

use avocet_base::escape_bytes;

use super::blocks::{Blocks, Codec, Map, Place, Tables, check_disk_size};
use super::{Disk, Fault, FetchExtent, refused};
use crate::bytes::{array, le_u16, le_u32, le_u64};
use crate::error::{OpenError, Problem, ReadFault};
use crate::source::{Joined, MemorySource, Source, read_up_to};

mod descriptor;

use descriptor::{Descriptor, Kind};

const LAYER: &str = "vmdk";
const SECTOR: u64 = 512;
/// What a descriptor begins with.
pub(super) const DESCRIPTOR: &[u8] = b"# Disk DescriptorFile";
/// What a sparse extent begins with.
pub(super) const SPARSE: &[u8] = b"KDMV";
/// In place of the directory's place: it is in a second header at the end.
const AT_END: u64 = u64::MAX;
/// Bytes between the second header and the end of the file.
const FOOTER: u64 = 1024;
/// The block of an extent that has none of its own.
const PLAIN_BLOCK: u64 = 1 << 20;
const MERGE: &str =
    "Merge it with the disk it is based on (for example with qemu-img convert -O raw) and examine the result";

/// Where an extent's bytes lie.
enum Grains {
    Zero,
    Flat(u64),
    Sparse(Sparse),
}

/// The header of a sparse extent.
struct Sparse {
    tables: Tables,
    directory: u64,
    /// Entries of one table.
    per_table: u64,
    /// Tables that the directory has for the extent.
    tables_count: u64,
    grain_sectors: u64,
    /// An entry of 1 means zeros.
    zero_entries: bool,
    compressed: bool,
    markers: bool,
}

impl Map for Grains {
    fn place(&self, block: u64) -> Result<Place, Fault> {
        match self {
            Self::Zero => Ok(Place::Zero),
            Self::Flat(start) => Ok(Place::At(start.saturating_add(block.saturating_mul(PLAIN_BLOCK)))),
            Self::Sparse(sparse) => sparse.place(block),
        }
    }
}

impl Sparse {
    fn place(&self, grain: u64) -> Result<Place, Fault> {
        let upper = grain.checked_div(self.per_table).unwrap_or(0);
        let lower = grain.checked_rem(self.per_table).unwrap_or(0);
        if upper >= self.tables_count {
            return Err((ReadFault::Truncated, "the extent's own directory ends before it"));
        }
        let sector = |table: u64, entry: u64| {
            let at = table.saturating_mul(SECTOR).saturating_add(entry.saturating_mul(4));
            self.tables.entry(at).map(|bytes| u64::from(u32::from_le_bytes(bytes)))
        };
        let table = sector(self.directory, upper)?;
        if table == 0 {
            return Ok(Place::Zero);
        }
        let entry = sector(table, lower)?;
        if entry == 0 || entry == 1 && self.zero_entries {
            return Ok(Place::Zero);
        }
        let at = entry.saturating_mul(SECTOR);
        Ok(match (self.compressed, self.markers) {
            (false, _) => Place::At(at),
            (true, true) => {
                let sector = grain.saturating_mul(self.grain_sectors);
                Place::Packed { at, room: u64::MAX, codec: Codec::Grain { sector } }
            }
            (true, false) => Place::Packed { at, room: u64::MAX, codec: Codec::Zlib },
        })
    }
}

/// What the header of a sparse extent says beside where its grains lie.
struct Header {
    sparse: Sparse,
    capacity: u64,
    descriptor: (u64, u64),
    unclean: bool,
}

fn header(file: &Arc<dyn Source>) -> Result<Header, OpenError> {
    let first = read_up_to(file, 0, 512)?;
    let at_end = le_u64(&first, 56) == Some(AT_END);
    let place = if at_end { file.len().saturating_sub(FOOTER) } else { 0 };
    let bytes = if at_end { read_up_to(file, place, 512)? } else { first };
    let broken = |detail: &str| OpenError::malformed(LAYER, place, detail);
    if !bytes.starts_with(SPARSE) {
        return Err(broken("the extent was cut off: its last header is not there"));
    }
    let short = || broken("the header of a sparse extent ends early");
    let (u32_at, u64_at) = (|at| le_u32(&bytes, at).ok_or_else(short), |at| le_u64(&bytes, at).ok_or_else(short));
    if !(1..=3).contains(&u32_at(4)?) {
        return Err(refused("a VMDK image of an unknown version", super::signature::CONVERT));
    }
    let (flags, capacity, grain) = (u32_at(8)?, u64_at(12)?, u64_at(20)?);
    let per_table = u64::from(u32_at(44)?);
    // A transfer in text mode changes line ends: these four bytes show it.
    if flags & 1 != 0 && array::<4>(&bytes, 73) != Some(*b"\n \r\n") {
        return Err(broken(
            "the file was changed in a transfer as text: its line ends are not those that were written",
        ));
    }
    if !grain.is_power_of_two() || grain > 1 << 19 || per_table == 0 || per_table > 1 << 16 {
        return Err(broken("the size of its grains or tables cannot be"));
    }
    let compressed = flags & 1 << 16 != 0;
    match le_u16(&bytes, 77) {
        Some(0 | 1) => {}
        _ if compressed => return Err(refused("a VMDK image packed in an unknown way", super::signature::CONVERT)),
        _ => {}
    }
    let sparse = Sparse {
        tables: Tables::new(Arc::clone(file)),
        directory: u64_at(56)?,
        per_table,
        tables_count: capacity.div_ceil(grain.saturating_mul(per_table)),
        grain_sectors: grain,
        zero_entries: flags & 4 != 0,
        compressed,
        markers: flags & 1 << 17 != 0,
    };
    let descriptor = (u64_at(28)?, u64_at(36)?);
    Ok(Header { sparse, capacity, descriptor, unclean: bytes.get(72).is_some_and(|b| *b != 0) })
}

/// The extents of one disk being put together.
struct Disks<'a> {
    fetch: &'a mut FetchExtent<'a>,
    problems: Vec<Problem>,
}

impl Disks<'_> {
    fn say(&mut self, code: &'static str, detail: String) {
        self.problems.push(Problem::new(LAYER, code, None, detail));
    }

    fn sparse(&mut self, file: &Arc<dyn Source>, header: Header, sectors: u64) -> Result<Blocks<Grains>, OpenError> {
        if header.unclean {
            self.say("not-closed-cleanly", "the image was not closed cleanly by the program that used it".into());
        }
        let grain = header.sparse.grain_sectors.saturating_mul(SECTOR);
        let length = sectors.saturating_mul(SECTOR);
        Blocks::new(LAYER, Arc::clone(file), Grains::Sparse(header.sparse), grain, length)
    }

    /// A disk in one sparse file that carries its own descriptor.
    fn single(&mut self, file: &Arc<dyn Source>) -> Result<Blocks<Grains>, OpenError> {
        let header = header(file)?;
        let (start, sectors) = header.descriptor;
        let length = usize::try_from(sectors.saturating_mul(SECTOR)).unwrap_or(usize::MAX);
        let text = read_up_to(file, start.saturating_mul(SECTOR), length.min(descriptor::MOST_BYTES))?;
        // Room may be kept for a descriptor that is elsewhere.
        if start == 0 || text.iter().all(|b| *b == 0) {
            return Err(refused(
                "one extent of a VMDK image",
                "Give the descriptor, the small text file that names all extents of the disk",
            ));
        }
        match descriptor::parse(&text) {
            Some(found) if found.has_parent => return Err(differencing()),
            Some(_) => {}
            None => {
                let detail = "its descriptor is damaged: whether the image is based on another one is not known";
                self.say("descriptor-damaged", detail.into());
            }
        }
        let capacity = header.capacity;
        self.sparse(file, header, capacity)
    }

    fn extents(&mut self, found: Descriptor) -> Result<Vec<Blocks<Grains>>, OpenError> {
        if found.has_parent {
            return Err(differencing());
        }
        if found.broken {
            self.say("descriptor-damaged", "a line of the descriptor is no extent; the disk may lack a part".into());
        }
        let mut extents = vec![];
        for extent in found.extents {
            let length = extent.sectors.get().saturating_mul(SECTOR);
            let plain = |file, map| Blocks::new(LAYER, file, map, PLAIN_BLOCK, length);
            extents.push(match extent.kind {
                Kind::Zero => plain(Arc::new(MemorySource::default()), Grains::Zero)?,
                Kind::Flat(start) => plain((self.fetch)(&extent.file)?, Grains::Flat(start.saturating_mul(SECTOR)))?,
                Kind::Sparse => {
                    let file = (self.fetch)(&extent.file)?;
                    if !read_up_to(&file, 0, 4)?.starts_with(SPARSE) {
                        let what = "a VMDK image with extents of another kind";
                        return Err(refused(what, super::signature::CONVERT));
                    }
                    let header = header(&file)?;
                    if header.capacity != extent.sectors.get() {
                        let detail = format!(
                            "an extent holds {} sectors and the descriptor gives it {}",
                            header.capacity, extent.sectors
                        );
                        self.say("extent-size-differs", detail);
                    }
                    self.sparse(&file, header, extent.sectors.get())?
                }
                Kind::Other => {
                    return Err(refused("a VMDK image with extents of another kind", super::signature::CONVERT));
                }
            });
        }
        Ok(extents)
    }
}

fn differencing() -> OpenError {
    refused("a VMDK image that holds only the changes to another one", MERGE)
}

/// Opens a VMDK disk from a descriptor or from a sparse file with its own; `fetch` gives the files that a descriptor
/// names.
pub(super) fn open(file: &Arc<dyn Source>, fetch: &mut FetchExtent<'_>) -> Result<Disk, OpenError> {
    let mut disks = Disks { fetch, problems: vec![] };
    let head = read_up_to(file, 0, descriptor::MOST_BYTES)?;
    let extents = match descriptor::parse(&head) {
        Some(found) => disks.extents(found)?,
        None => vec![disks.single(file)?],
    };
    if extents.is_empty() {
        return Err(OpenError::malformed(LAYER, 0, "the descriptor names no extent"));
    }
    let source = Arc::new(Joined::new(LAYER, extents)?);
    check_disk_size(LAYER, source.len())?;
    Ok(Disk { kind: "vmdk", source, problems: disks.problems, stored: (None, None) })
}

/// The path of an extent beside its descriptor.
///
/// # Errors
/// [`OpenError::Malformed`] for a name that leads to another folder or to nowhere.
pub(super) fn extent_path(image: &Path, name: &[u8]) -> Result<PathBuf, OpenError> {
    use std::os::unix::ffi::OsStrExt;
    let elsewhere = name.iter().any(|b| matches!(b, b'/' | b'\\' | 0)) || matches!(name, b"" | b"." | b"..");
    if elsewhere {
        let detail = "the descriptor names an extent in another folder, which is not followed; put all extents beside \
                      the descriptor and correct a copy of it";
        return Err(OpenError::malformed(LAYER, 0, detail));
    }
    Ok(image.with_file_name(std::ffi::OsStr::from_bytes(name)))
}

/// The error for an extent that is not there.
pub(super) fn missing(image: &Path, name: &[u8], have: usize) -> OpenError {
    let path = image.with_file_name(escape_bytes(name));
    OpenError::MissingSegment {
        path: path.display().to_string(),
        have,
        expected: "all that the descriptor names".into(),
    }
}
