//! LVM2, the logical volumes of Linux: physical volumes on a disk are joined to a group, and the group is divided anew.
//!
//! After the headers of the LVM2 project (`lib/format_text/layout.h`, `lib/label/label.h`), its manual page `lvmraid(7)`, and
//! the "Logical Volume Manager (LVM) format specification" of the libyal project. A label in one of the first four sectors
//! leads to metadata areas, each a ring of texts of which a header names the current one. Label, header and text are held
//! against their checksums. Of several texts of one group the one with the highest number counts.
//!
//! **Read:** linear and striped volumes; mirrors and RAID 1 by one of their copies, which is said; zeros. The physical
//! volumes of a group are looked for on the same disk, also in its encrypted volumes; bytes that lie on one which is not
//! there cannot be read, and it is said how many are missing.
//! **Not read:** thin, cached and compressed volumes, snapshots, RAID 0, 4, 5, 6 and 10, volumes that were being moved. Each is listed
//! by its name with the reason.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `lvm-metadata-copy-used` | a metadata area is damaged or older; another one was used |
//! | `lvm-volume-missing` | physical volumes of the group are not on this disk |
//! | `lvm-one-copy-read` | a mirrored volume was read by one copy; the others were not compared |
//! | `lvm-unassigned` | so many bytes of the group belong to no logical volume |
//! | `lvm-overlap` | logical volumes claim more than the group holds; the rest is listed and not read |

use std::sync::Arc;

use crate::bytes::{array, le_u32, le_u64};
use crate::checksum::crc32;
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_up_to};

mod group;
mod map;
mod text;

use group::Group;
pub use map::{Assembled, Logical, State, assemble};

const LAYER: &str = "lvm";
const SECTOR: u64 = 512;
/// What LVM2 begins its checksums with.
const SEED: u32 = 0xf597_a6cf;
/// Bytes of a text at most. One of a thousand volumes has about a million.
const MOST_TEXT: u64 = 16 << 20;
/// Metadata areas of one physical volume; LVM2 writes two at most.
const MOST_AREAS: usize = 8;
const MAGIC: &[u8] = b" LVM2 x[5A%r0N*>";
/// Bytes of the header of a metadata area.
const AREA_HEADER: u64 = 512;

/// A physical volume whose label was read.
pub struct Physical {
    source: Arc<dyn Source>,
    id: String,
    group: Option<Group>,
    /// Why it has no description of a group.
    without: Option<String>,
    problems: Vec<Problem>,
}

/// An identifier without the dashes that the text has.
fn plain(id: &str) -> String {
    id.chars().filter(|c| *c != '-').take(64).collect()
}

/// The current text of a metadata area: whether the area holds one, and the group that it describes.
fn area(source: &Arc<dyn Source>, start: u64, length: u64) -> Result<Option<Group>, OpenError> {
    let wrong = |at: u64, why: String| OpenError::malformed(LAYER, start.saturating_add(at), why);
    let header = read_up_to(source, start, 512)?;
    let sound = header.len() == 512
        && le_u32(&header, 0) == Some(crc32(SEED, header.get(4..).unwrap_or_default()))
        && header.get(4..20) == Some(MAGIC)
        && le_u32(&header, 20) == Some(1)
        && le_u64(&header, 24) == Some(start);
    let size = le_u64(&header, 32).unwrap_or(0);
    if !sound || size <= AREA_HEADER || size > length {
        return Err(wrong(0, "the header of a metadata area or its checksum is wrong".into()));
    }
    let number = |at| le_u64(&header, at).unwrap_or(0);
    let (offset, bytes) = (number(40), number(48));
    let (sum, flags) = (le_u32(&header, 56).unwrap_or(0), le_u32(&header, 60).unwrap_or(0));
    // An area may be kept out of use.
    if flags & 1 != 0 || offset == 0 || bytes == 0 {
        return Ok(None);
    }
    if !(AREA_HEADER..size).contains(&offset) || bytes > size.saturating_sub(AREA_HEADER) || bytes > MOST_TEXT {
        return Err(wrong(40, "the place of the metadata cannot be".into()));
    }
    let read = |at: u64, bytes: u64| -> Result<Vec<u8>, ReadError> {
        read_up_to(source, start.saturating_add(at), usize::try_from(bytes).unwrap_or(0))
    };
    // The area is a ring behind its header.
    let before = bytes.min(size.saturating_sub(offset));
    let mut text = read(offset, before)?;
    text.extend(read(AREA_HEADER, bytes.saturating_sub(before))?);
    if text.len() as u64 != bytes || crc32(SEED, &text) != sum {
        return Err(wrong(offset, "the checksum of the metadata does not agree".into()));
    }
    let parsed = text::parse(&text)
        .map_err(|(at, why)| wrong(offset.saturating_add(at as u64), format!("the metadata cannot be read: {why}")))?;
    Group::of(&parsed).map(Some).map_err(|why| wrong(offset, format!("the metadata cannot be read: {why}")))
}

impl Physical {
    /// Reads label and metadata.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where the label does not hold.
    pub fn open(source: &Arc<dyn Source>) -> Result<Self, OpenError> {
        let head = read_up_to(source, 0, 4 * 512)?;
        let mut error = OpenError::malformed(LAYER, 0, "there is no label of a physical volume");
        let mut found = None;
        for (number, sector) in (0u64..).zip(head.chunks_exact(512)) {
            if !sector.starts_with(b"LABELONE") {
                continue;
            }
            let sound = le_u64(sector, 8) == Some(number)
                && le_u32(sector, 16) == Some(crc32(SEED, sector.get(20..).unwrap_or_default()))
                && sector.get(24..32) == Some(b"LVM2 001");
            match le_u32(sector, 20).and_then(|o| sector.get(usize::try_from(o).ok()?..)) {
                Some(rest) if sound => {
                    found = Some(rest);
                    break;
                }
                _ => {
                    let why = "the label of the physical volume or its checksum is wrong";
                    error = OpenError::malformed(LAYER, number.saturating_mul(SECTOR), why);
                }
            }
        }
        let Some(header) = found else { return Err(error) };
        let id = array::<32>(header, 0).map(|id| String::from_utf8_lossy(&id).into_owned()).unwrap_or_default();
        // A list of data areas, and one of metadata areas; each ends with zeros.
        let mut places = header
            .get(40..)
            .unwrap_or_default()
            .chunks_exact(16)
            .map(|p| (le_u64(p, 0).unwrap_or(0), le_u64(p, 8).unwrap_or(0)));
        places.by_ref().find(|(offset, _)| *offset == 0);
        let areas: Vec<(u64, u64)> = places.take_while(|(offset, _)| *offset != 0).take(MOST_AREAS).collect();
        let mut newest: Option<Group> = None;
        let (mut damaged, mut older) = (None, false);
        for (start, length) in &areas {
            match area(source, *start, *length) {
                Ok(None) => {}
                Ok(Some(group)) => {
                    older |= newest.as_ref().is_some_and(|n| n.number != group.number);
                    if newest.as_ref().is_none_or(|n| n.number < group.number) {
                        newest = Some(group);
                    }
                }
                Err(error) => damaged = Some(error),
            }
        }
        let mut problems = vec![];
        if newest.is_some() && (damaged.is_some() || older) {
            let detail = "one of the metadata areas is damaged or older; another one was used";
            problems.push(Problem::new(LAYER, "lvm-metadata-copy-used", Some(0), detail));
        }
        let without = match (&newest, damaged) {
            (Some(_), _) => None,
            (None, Some(error)) => Some(error.to_string()),
            (None, None) if areas.is_empty() => Some("it carries no metadata of its own".into()),
            (None, None) => Some("it belongs to no volume group".into()),
        };
        Ok(Self { source: Arc::clone(source), id, group: newest, without, problems })
    }

    /// What was found wrong.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Why it describes no group, where it does not.
    pub fn without(&self) -> Option<&str> {
        self.without.as_deref()
    }
}
