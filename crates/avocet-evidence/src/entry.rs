//! What a file system says of one file or stream, and how its bytes are reached.

use std::fmt;
use std::sync::Arc;

use avocet_base::{Md5, Sha1, Sha256, Stamp};

use crate::error::{Problem, ReadError};
use crate::source::Source;

/// Whether the file system still refers to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AllocationState {
    /// Live: the file system lists it.
    Allocated,
    /// Deleted; its name and place in the tree are still recorded.
    Deleted,
    /// Deleted; its metadata remains but no directory refers to it. Its path begins with `/$Orphans/`.
    Orphan,
    /// Found by its content in unallocated space, without metadata.
    Carved,
    /// A member of another file (an archive).
    Embedded,
}

impl AllocationState {
    /// The word used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allocated => "allocated",
            Self::Deleted => "deleted",
            Self::Orphan => "orphan",
            Self::Carved => "carved",
            Self::Embedded => "embedded",
        }
    }
}

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A file, or a named stream of a file or directory.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, junction or mount point.
    Link,
    /// A device, pipe, socket or volume label: nothing to read.
    Special,
}

impl EntryKind {
    /// The word used in every output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Special => "special",
        }
    }
}

/// The times an entry carries. Which on-disk field each comes from is stated per file system in
/// [`VolumeFacts::time_source`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// When the entry was created on this volume.
    pub created: Option<Stamp>,
    /// When the content was last changed.
    pub modified: Option<Stamp>,
    /// When the content was last read, as far as the system kept it.
    pub accessed: Option<Stamp>,
    /// When the metadata last changed.
    pub changed: Option<Stamp>,
    /// When the entry was deleted, where the file system records it.
    pub deleted: Option<Stamp>,
    /// NTFS `$FILE_NAME` created time of this name; other file systems leave the four `name_` times empty.
    pub name_created: Option<Stamp>,
    /// NTFS `$FILE_NAME` modified time of this name.
    pub name_modified: Option<Stamp>,
    /// NTFS `$FILE_NAME` accessed time of this name.
    pub name_accessed: Option<Stamp>,
    /// NTFS `$FILE_NAME` metadata-changed time of this name.
    pub name_changed: Option<Stamp>,
}

/// Where a piece of a file lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    /// At this byte offset of the volume.
    At(u64),
    /// Nowhere: the file system defines these bytes as zero (a sparse hole, or past the initialised size).
    Zero,
}

/// A contiguous piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Byte offset within the file.
    pub logical: u64,
    /// Length in bytes.
    pub length: u64,
    /// Where the bytes lie.
    pub location: Location,
}

/// A contiguous run of a volume, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Run {
    /// Byte offset within the volume.
    pub start: u64,
    /// Length in bytes.
    pub length: u64,
}

/// Why a file's bytes cannot be had although its entry can. Such a file gets no digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// Encrypted by the file system (EFS, ext4 fscrypt): without the key the bytes mean nothing.
    Encrypted(&'static str),
    /// The bytes live somewhere else or in a form not read: CompactOS/WOF, deduplication, cloud placeholder.
    StoredElsewhere(&'static str),
    /// The metadata that says where the bytes are is gone (a deleted ext file, a zeroed entry).
    NoLocation,
    /// The metadata contradicts itself or points outside the volume.
    Corrupt(String),
    /// A form of storage this reader does not decode.
    Unsupported(&'static str),
    /// Reading would exceed the bytes this volume can hold (cap on recovered bytes).
    Capped,
    /// A backup or report lists the file and does not hold it.
    NotHeld,
    /// Beyond what is read of one archive (see `docs/validation/phones.md`).
    ArchiveLimit,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("content unreadable: ")?;
        match self {
            Self::Encrypted(how) => write!(f, "encrypted ({how})"),
            Self::StoredElsewhere(how) => write!(f, "stored elsewhere ({how})"),
            Self::NoLocation => f.write_str("location no longer recorded"),
            Self::Corrupt(detail) => write!(f, "metadata corrupt ({detail})"),
            Self::Unsupported(how) => write!(f, "not supported ({how})"),
            Self::Capped => f.write_str("more deleted data claimed than the volume can hold"),
            Self::NotHeld => f.write_str("listed, not held"),
            Self::ArchiveLimit => f.write_str("more than is read of one archive"),
        }
    }
}

/// A fact about an entry that an examiner must see beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A deleted file of whose clusters some now belong to other files: its bytes are not all its own.
    ClustersReused {
        /// Clusters now allocated to something else.
        reused: u64,
        /// Clusters of the file.
        of: u64,
    },
    /// A deleted file whose later clusters were taken to follow the first without a gap (FAT, exFAT): a guess.
    AssumedContiguous,
    /// A deleted file whose clusters were taken as the next free ones, skipping clusters in use (FAT, exFAT): a guess.
    AssumedNextFree,
    /// The first character of the name was overwritten on deletion; shown as `_`.
    FirstCharacterLost,
    /// Stored compressed by the file system; the digests are of the plain bytes.
    Compressed,
    /// Has holes that read as zero.
    Sparse,
    /// The bytes after this offset were never written and read as zero.
    ZeroAfter(u64),
    /// One of several names of the same file: this many names in all.
    HardLinks(u32),
    /// A stream belongs to a deleted entry whose metadata record was reused since.
    ParentReused,
    /// What the evidence itself states as a digest of this content. It is held against the bytes when they are read.
    Stated(Stated),
    /// Any other fact, as a short clause in lower case without names from the evidence.
    Other(String),
}

/// A digest of a content that whoever collected it wrote down beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// An MD5.
    Md5(Md5),
    /// A SHA-1.
    Sha1(Sha1),
    /// A SHA-256.
    Sha256(Sha256),
}

impl Stated {
    /// Takes a digest as it is written, by the length of its text; `None` where it is none of the three.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.len() {
            32 => text.parse().ok().map(Self::Md5),
            40 => text.parse().ok().map(Self::Sha1),
            64 => text.parse().ok().map(Self::Sha256),
            _ => None,
        }
    }

    /// Its kind, as people write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Md5(_) => "MD5",
            Self::Sha1(_) => "SHA-1",
            Self::Sha256(_) => "SHA-256",
        }
    }
}

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Md5(digest) => digest.fmt(f),
            Self::Sha1(digest) => digest.fmt(f),
            Self::Sha256(digest) => digest.fmt(f),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClustersReused { reused, of } => write!(f, "clusters reused: {reused} of {of}"),
            Self::AssumedContiguous => f.write_str("recovered: clusters assumed contiguous"),
            Self::AssumedNextFree => f.write_str("recovered: clusters assumed next free"),
            Self::FirstCharacterLost => f.write_str("first character of the name lost"),
            Self::Compressed => f.write_str("compressed by the file system"),
            Self::Sparse => f.write_str("sparse"),
            Self::ZeroAfter(offset) => write!(f, "never written after byte {offset}"),
            Self::HardLinks(n) => write!(f, "hard links: {n}"),
            Self::ParentReused => f.write_str("parent folder's record was reused"),
            Self::Stated(digest) => write!(f, "{} stated by the evidence: {digest}", digest.kind()),
            Self::Other(text) => f.write_str(text),
        }
    }
}

/// A file's bytes read from the beginning.
pub trait ContentRead: Send {
    /// Reads the next bytes into `buf`: all of it, or fewer only where the content ends; 0 means the end.
    ///
    /// # Errors
    /// [`ReadError`] where bytes cannot be read. The content has no digest then.
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError>;
}

/// Opens content that is not simply a list of extents: compressed files, zip members, host files.
pub trait OpenContent: Send + Sync {
    /// A reader from the first byte.
    ///
    /// # Errors
    /// [`ReadError`] where the content cannot be opened.
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError>;

    /// The bytes at any place, where they lie somewhere as they are; `None` where they have to be decoded.
    ///
    /// # Errors
    /// As [`OpenContent::open`].
    fn source(&self) -> Result<Option<Arc<dyn Source>>, ReadError> {
        Ok(None)
    }
}

/// Content that lies in extents of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The pieces in order, without gaps between them; together at least as long as the entry's size.
    pub extents: Vec<Extent>,
}

/// How an entry's bytes are reached.
#[derive(Clone)]
pub enum Content {
    /// There is nothing to read (directories, links, special entries).
    None,
    /// The bytes themselves, kept inside metadata (NTFS resident, ext inline data).
    Resident(Vec<u8>),
    /// In extents of the volume.
    Mapped(Mapped),
    /// Behind a decoder.
    Stream {
        /// Opens a reader of the plain bytes.
        open: Arc<dyn OpenContent>,
        /// Where the stored form lies, for the record; may be empty.
        extents: Vec<Extent>,
    },
    /// Cannot be read, and why.
    Unreadable(Unreadable),
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Resident(bytes) => write!(f, "Resident({} bytes)", bytes.len()),
            Self::Mapped(m) => m.fmt(f),
            Self::Stream { extents, .. } => write!(f, "Stream {{ extents: {extents:?} }}"),
            Self::Unreadable(reason) => write!(f, "Unreadable({reason})"),
        }
    }
}

impl Content {
    /// The extents the bytes lie in, for the record.
    pub fn extents(&self) -> &[Extent] {
        match self {
            Self::Mapped(m) => &m.extents,
            Self::Stream { extents, .. } => extents,
            _ => &[],
        }
    }

    /// Byte offset within the volume of the first stored byte, to read in the order of the disk.
    pub fn first_offset(&self) -> Option<u64> {
        self.extents().iter().find_map(|e| match e.location {
            Location::At(offset) => Some(offset),
            Location::Zero => None,
        })
    }
}

/// One file, directory or stream, as its file system records it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Escaped path from the volume's root, beginning with `/` (see `avocet_base::escape_utf16` for the rule).
    pub path: String,
    /// Escaped name of an alternate stream; `None` for the main content.
    pub stream: Option<String>,
    /// What it is.
    pub kind: EntryKind,
    /// Whether the file system still refers to it.
    pub state: AllocationState,
    /// The file system's own number for it: MFT record, inode, or the byte offset of a FAT directory entry.
    pub number: u64,
    /// Size of the content in bytes, as the metadata gives it.
    pub size: u64,
    /// Its times.
    pub times: Times,
    /// How its bytes are reached.
    pub content: Content,
    /// What an examiner must know beside it.
    pub notes: Vec<Note>,
}

/// What a file system says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFacts {
    /// `ntfs`, `fat12`, `fat16`, `fat32`, `exfat`, `ext2`, `ext3`, `ext4`, `folder`, `hfs+`, `apfs`, `xfs`, `btrfs`, `f2fs`, `iso9660`, `udf`, `zip`, `tar`, `ios-backup`.
    pub kind: &'static str,
    /// Escaped volume label, where there is one.
    pub label: Option<String>,
    /// Serial number or UUID as the field writes it, where there is one.
    pub serial: Option<String>,
    /// Bytes of one cluster or block; 0 where there is none.
    pub cluster_size: u64,
    /// Bytes the file system declares to span.
    pub size: u64,
    /// Which on-disk fields the times come from and their zone, in one sentence.
    pub time_source: &'static str,
}

/// Whether a walk goes on.
pub type VisitResult = std::ops::ControlFlow<()>;

/// Receives what a walk finds, in an order that depends only on the evidence.
pub trait Visitor {
    /// One entry or stream. `Break` ends the walk.
    fn entry(&mut self, entry: Entry) -> VisitResult;
    /// One problem; the walk goes on.
    fn problem(&mut self, problem: Problem);
}

/// A file system or a tree like one. All methods may be called from several threads.
pub trait FileSystem: Send + Sync {
    /// What it says of itself.
    fn facts(&self) -> &VolumeFacts;

    /// Visits every entry once: live ones, then deleted and orphaned ones or mixed, always in the same order. The root
    /// directory itself is not visited. A deleted entry that shares all its bytes with nothing recoverable is visited
    /// too, with unreadable content.
    ///
    /// # Errors
    /// [`ReadError`] only where nothing more can be enumerated; everything less is a [`Problem`].
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError>;

    /// The runs that belong to no live file, in order, merged; empty for trees without clusters.
    ///
    /// # Errors
    /// [`ReadError`] where the allocation map cannot be read.
    fn unallocated(&self) -> Result<Vec<Run>, ReadError>;
}

/// Reads extents one after the other.
struct MappedReader {
    volume: Arc<dyn Source>,
    extents: std::vec::IntoIter<Extent>,
    current: Option<Extent>,
    left: u64,
}

impl ContentRead for MappedReader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..).filter(|r| !r.is_empty() && self.left > 0) {
            let extent = match self.current.take().filter(|e| e.length > 0).or_else(|| self.extents.next()) {
                Some(extent) => extent,
                None => {
                    return Err(ReadError::new(
                        "extents",
                        0,
                        crate::error::ReadFault::Truncated,
                        format!("the extents end {} bytes before the file does", self.left),
                    ));
                }
            };
            let n = rest.len().min(usize::try_from(extent.length.min(self.left)).unwrap_or(usize::MAX));
            let Some(part) = rest.get_mut(..n) else { break };
            match extent.location {
                Location::Zero => part.fill(0),
                Location::At(offset) => crate::source::read_exact_at(&self.volume, "volume", offset, part)?,
            }
            let n64 = n as u64;
            self.left = self.left.saturating_sub(n64);
            self.current = Some(Extent {
                logical: extent.logical.saturating_add(n64),
                length: extent.length.saturating_sub(n64),
                location: match extent.location {
                    Location::At(offset) => Location::At(offset.saturating_add(n64)),
                    Location::Zero => Location::Zero,
                },
            });
            done = done.saturating_add(n);
        }
        Ok(done)
    }
}

/// Reads a source from its first byte to its last.
pub(crate) struct SourceReader {
    source: Arc<dyn Source>,
    at: u64,
}

impl SourceReader {
    pub(crate) fn new(source: Arc<dyn Source>) -> Self {
        Self { source, at: 0 }
    }
}

impl ContentRead for SourceReader {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        let n = self.source.read_at(self.at, buf)?;
        self.at = self.at.saturating_add(n as u64);
        Ok(n)
    }
}

impl ContentRead for std::io::Cursor<Vec<u8>> {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ReadError> {
        std::io::Read::read(self, buf).map_err(|e| ReadError::io("memory", self.position(), &e))
    }
}

impl Entry {
    /// The path with the stream behind a colon, as every output writes it.
    pub fn full_path(&self) -> String {
        match &self.stream {
            Some(stream) => format!("{}:{stream}", self.path),
            None => self.path.clone(),
        }
    }

    /// A reader of the entry's bytes from the first to `size`; `None` where there is nothing to read or it cannot be
    /// read (see [`Content::Unreadable`]). `volume` is the source the file system was opened on.
    ///
    /// # Errors
    /// [`ReadError`] where the content cannot be opened.
    pub fn open(&self, volume: &Arc<dyn Source>) -> Result<Option<Box<dyn ContentRead>>, ReadError> {
        Ok(match &self.content {
            Content::None | Content::Unreadable(_) => None,
            Content::Resident(bytes) => {
                let mut bytes = bytes.clone();
                bytes.truncate(usize::try_from(self.size).unwrap_or(usize::MAX));
                Some(Box::new(std::io::Cursor::new(bytes)))
            }
            Content::Mapped(mapped) => Some(Box::new(MappedReader {
                volume: Arc::clone(volume),
                extents: mapped.extents.clone().into_iter(),
                current: None,
                left: self.size,
            })),
            Content::Stream { open, .. } => Some(open.open()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::MemorySource;

    fn entry(size: u64, extents: Vec<Extent>) -> Entry {
        Entry {
            path: "/a".into(),
            stream: None,
            kind: EntryKind::File,
            state: AllocationState::Allocated,
            number: 1,
            size,
            times: Times::default(),
            content: Content::Mapped(Mapped { extents }),
            notes: vec![],
        }
    }

    fn read_all(entry: &Entry, step: usize) -> Result<Vec<u8>, ReadError> {
        let volume: Arc<dyn Source> = Arc::new(MemorySource((0..100).collect()));
        let mut reader = entry.open(&volume)?.unwrap();
        let (mut out, mut buf) = (vec![], vec![0; step]);
        loop {
            let n = reader.read(&mut buf)?;
            if n == 0 {
                return Ok(out);
            }
            out.extend_from_slice(&buf[..n]);
        }
    }

    #[test]
    fn extents_and_holes_read_in_order_at_any_step() {
        let e = entry(
            9,
            vec![
                Extent { logical: 0, length: 4, location: Location::At(10) },
                Extent { logical: 4, length: 3, location: Location::Zero },
                Extent { logical: 7, length: 8, location: Location::At(50) },
            ],
        );
        for step in 1..12 {
            assert_eq!(read_all(&e, step).unwrap(), [10, 11, 12, 13, 0, 0, 0, 50, 51]);
        }
    }

    #[test]
    fn extents_that_end_early_or_lie_outside_are_errors_not_zeros() {
        let short = entry(9, vec![Extent { logical: 0, length: 4, location: Location::At(10) }]);
        assert!(read_all(&short, 64).is_err());
        let outside = entry(9, vec![Extent { logical: 0, length: 9, location: Location::At(95) }]);
        assert!(read_all(&outside, 64).is_err());
    }
}
