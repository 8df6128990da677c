//! How one stream's bytes are reached, or why they cannot be.

use std::sync::Arc;

use super::compressed::Compressed;
use super::record::{Attribute, Body};
use super::runs::{DataRun, Geometry, decode, extents, stored_clusters};
use crate::entry::{Content, Extent, Location, Mapped, Note, Unreadable};
use crate::source::Source;

/// The largest compression unit decoded; Windows makes 64 KiB.
const LARGEST_UNIT: u64 = 4 * 1024 * 1024;

// Windows file attribute flags.
const OFFLINE: u32 = 0x1000;
const ENCRYPTED: u32 = 0x4000;
const RECALL_ON_OPEN: u32 = 0x4_0000;
const RECALL_ON_DATA_ACCESS: u32 = 0x40_0000;

// Reparse tags ([MS-FSCC] section 2.1.2.1).
const TAG_WOF: u32 = 0x8000_0017;
const TAG_DEDUP: u32 = 0x8000_0013;
const TAG_ONEDRIVE: u32 = 0x8000_0021;
const TAG_HSM: u32 = 0xc000_0004;
const TAG_HSM2: u32 = 0x8000_0006;
const TAG_STORAGE_SYNC: u32 = 0x8000_001e;
const TAG_PROJFS: u32 = 0x9000_001c;
const TAG_WCI: u32 = 0x8000_0018;
const TAG_WCI_1: u32 = 0x9000_1018;
const TAG_SYMLINK: u32 = 0xa000_000c;
const TAG_MOUNT_POINT: u32 = 0xa000_0003;
const TAG_LX_SYMLINK: u32 = 0xa000_001d;
const TAG_GLOBAL: u32 = 0xa000_0019;
const TAG_AF_UNIX: u32 = 0x8000_0023;
const TAG_LX_FIFO: u32 = 0x8000_0024;
const TAG_LX_CHARACTER: u32 = 0x8000_0025;
const TAG_LX_BLOCK: u32 = 0x8000_0026;

/// What a reparse tag makes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reparse {
    Link,
    Special,
    /// The bytes are elsewhere unless the file holds all of them itself.
    Elsewhere(&'static str),
    /// The bytes may be fetched from elsewhere when the file is opened.
    Placeholder(&'static str),
    Other,
}

impl Reparse {
    pub fn of(tag: u32) -> Self {
        match tag {
            TAG_SYMLINK | TAG_MOUNT_POINT | TAG_LX_SYMLINK | TAG_GLOBAL => Self::Link,
            TAG_AF_UNIX | TAG_LX_FIFO | TAG_LX_CHARACTER | TAG_LX_BLOCK => Self::Special,
            TAG_WOF => Self::Elsewhere("Windows Overlay Filter"),
            TAG_DEDUP => Self::Elsewhere("data deduplication"),
            TAG_WCI | TAG_WCI_1 => Self::Elsewhere("Windows container isolation"),
            TAG_ONEDRIVE => Self::Placeholder("OneDrive placeholder"),
            TAG_HSM | TAG_HSM2 => Self::Placeholder("hierarchical storage"),
            TAG_STORAGE_SYNC => Self::Placeholder("Azure File Sync"),
            TAG_PROJFS => Self::Placeholder("projected file system"),
            // Cloud Files: sixteen tags that differ in one digit.
            cloud if cloud & 0xffff_0fff == 0x9000_001a => Self::Placeholder("cloud placeholder"),
            _ => Self::Other,
        }
    }
}

/// What of a file bears on all its streams.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    /// Windows file attribute flags.
    pub flags: u32,
    pub reparse: Option<Reparse>,
    /// Whether it has an `$EFS` attribute.
    pub efs: bool,
    /// What is missing of its records, where something is.
    pub missing: Option<&'static str>,
}

/// A stream as found.
pub(super) struct Stream {
    pub size: u64,
    pub content: Content,
    pub notes: Vec<Note>,
    /// Where its stored bytes are, for counting.
    pub runs: Arc<[DataRun]>,
}

impl Stream {
    fn new(size: u64, content: Content) -> Self {
        Self { size, content, notes: vec![], runs: Arc::new([]) }
    }

    fn unreadable(size: u64, why: Unreadable) -> Self {
        Self::new(size, Content::Unreadable(why))
    }
}

/// Reads a stream's attribute pieces (all of one name, in any order).
pub(super) fn stream(
    pieces: &mut [&Attribute<'_>],
    file: &File,
    geometry: Geometry,
    source: &Arc<dyn Source>,
) -> Stream {
    pieces.sort_by_key(|a| match a.body {
        Body::Resident(_) => 0,
        Body::Mapped(m) => m.lowest,
    });
    let Some(first) = pieces.first() else { return Stream::new(0, Content::None) };
    let unnamed = first.name.is_empty();
    let encrypted = first.flags & Attribute::ENCRYPTED != 0 || file.efs;
    let head = match first.body {
        Body::Resident(value) => {
            let size = value.len() as u64;
            return if encrypted && size > 0 {
                Stream::unreadable(size, Unreadable::Encrypted("EFS"))
            } else {
                Stream::new(size, Content::Resident(value.to_vec()))
            };
        }
        Body::Mapped(head) => head,
    };
    if head.lowest != 0 {
        let detail = file.missing.unwrap_or("the stream's first part is missing");
        return Stream::unreadable(0, Unreadable::Corrupt(detail.into()));
    }
    let size = head.size;
    if size > i64::MAX as u64 {
        return Stream::unreadable(0, Unreadable::Corrupt("size out of range".into()));
    }
    if size == 0 {
        return Stream::new(0, Content::Resident(vec![]));
    }
    let mut runs = vec![];
    if let Err(detail) = all_runs(pieces, geometry, &mut runs) {
        return Stream::unreadable(size, Unreadable::Corrupt(file.missing.unwrap_or(detail).into()));
    }
    let beyond = |r: &DataRun| {
        let end = r.lcn.and_then(|lcn| lcn.checked_add(r.length)?.checked_mul(geometry.cluster));
        r.lcn.is_some() && end.is_none_or(|end| end > geometry.present)
    };
    if runs.iter().any(beyond) {
        return Stream::unreadable(size, Unreadable::Corrupt("clusters beyond the end of the image".into()));
    }
    let initialised = head.initialised.min(size);
    let cluster = geometry.cluster;
    let Some(mapped) = extents(&runs, cluster, size, initialised) else {
        let detail = file.missing.unwrap_or("the runs end before the stream does");
        return Stream::unreadable(size, Unreadable::Corrupt(detail.into()));
    };
    let clusters = size.div_ceil(cluster);
    let holes = runs.iter().any(|r| r.lcn.is_none() && r.vcn < clusters);
    let all_holes = runs.iter().all(|r| r.lcn.is_none() || r.vcn >= clusters);
    let compressed = first.flags & Attribute::COMPRESSION_MASK;

    let mut out = Stream::new(size, Content::None);
    out.runs = runs.into();
    if encrypted {
        out.content = Content::Unreadable(Unreadable::Encrypted("EFS"));
        return out;
    }
    if unnamed && let Some(place) = elsewhere(file, holes, all_holes, initialised < size) {
        out.content = Content::Unreadable(Unreadable::StoredElsewhere(place));
        return out;
    }
    if holes && size > geometry.present {
        // Legal, but a few bytes of metadata could claim years of reading.
        out.notes.push(Note::Sparse);
        out.content = Content::Unreadable(Unreadable::Unsupported("sparse stream larger than its volume"));
        return out;
    }
    if initialised < size {
        out.notes.push(Note::ZeroAfter(initialised));
    }
    if unnamed && file.flags & ENCRYPTED != 0 {
        out.notes.push(Note::Other("marked encrypted, but its data is not".into()));
    }
    if compressed == 0 || head.unit == 0 {
        if holes {
            out.notes.push(Note::Sparse);
        }
        out.content = Content::Mapped(Mapped { extents: mapped });
        return out;
    }
    out.notes.push(Note::Compressed);
    let unit = 1u64.checked_shl(u32::from(head.unit)).filter(|u| u.saturating_mul(cluster) <= LARGEST_UNIT);
    out.content = match unit {
        Some(unit) if compressed == Attribute::COMPRESSED => Content::Stream {
            extents: stored_extents(&out.runs, cluster),
            open: Arc::new(Compressed {
                source: Arc::clone(source),
                runs: Arc::clone(&out.runs),
                cluster,
                unit,
                size,
                initialised,
            }),
        },
        _ => Content::Unreadable(Unreadable::Unsupported("NTFS compression other than LZNT1")),
    };
    out
}

/// Decodes the pieces' runs one behind the other.
fn all_runs(pieces: &[&Attribute<'_>], geometry: Geometry, runs: &mut Vec<DataRun>) -> Result<(), &'static str> {
    let mut end = 0u64;
    for piece in pieces {
        let Body::Mapped(mapping) = piece.body else { return Err("a stream both in its record and in clusters") };
        if mapping.lowest != end {
            return Err("a part of the stream's run list is missing");
        }
        end = decode(mapping.pairs, end, geometry, runs)?;
        if mapping.highest.wrapping_add(1) != end {
            return Err("the run list and its stated length disagree");
        }
    }
    Ok(())
}

/// Where the main content is, when it is not in the file's own clusters.
fn elsewhere(file: &File, holes: bool, all_holes: bool, partly_written: bool) -> Option<&'static str> {
    let recalled = file.flags & (OFFLINE | RECALL_ON_DATA_ACCESS) != 0;
    match file.reparse {
        // These replace the whole content: it is in the file only where every byte is.
        Some(Reparse::Elsewhere(place)) if holes || partly_written => Some(place),
        // A placeholder that was filled has lost its recall flags; 0x40000 also means "has extended attributes", so
        // that it counts only together with such a tag.
        Some(Reparse::Placeholder(place)) if all_holes || holes && (recalled || file.flags & RECALL_ON_OPEN != 0) => {
            Some(place)
        }
        _ if recalled && all_holes => Some("offline storage"),
        _ => None,
    }
}

/// The clusters that hold the stored form.
fn stored_extents(runs: &[DataRun], cluster: u64) -> Vec<Extent> {
    let stored = |r: &DataRun| {
        Some(Extent {
            logical: r.vcn.saturating_mul(cluster),
            length: r.length.saturating_mul(cluster),
            location: Location::At(r.lcn?.saturating_mul(cluster)),
        })
    };
    runs.iter().filter_map(stored).collect()
}

/// Bytes of the volume that a stream's clusters take.
pub(super) fn stored_bytes(runs: &[DataRun], cluster: u64) -> u64 {
    stored_clusters(runs).saturating_mul(cluster)
}
