//! 7z archives as trees: as evidence and inside it.
//!
//! After `7zFormat.txt` of Igor Pavlov's LZMA SDK. Members lie in blocks, many of them in one, which can only be unpacked from
//! the front: all blocks are unpacked once, in order, into a [`Scratch`] within a [`Limit`], and members are extents of
//! what came out. Copy, LZMA, LZMA2, deflate and bzip2 are read, with the filters Delta, BCJ (x86, ARM, ARM64, Thumb, PowerPC,
//! IA-64, SPARC, RISC-V) and BCJ2. Members packed with PPMd or another method, and encrypted ones, are listed as
//! unreadable, by the method's name. Every member's CRC-32 is checked, where the archive has one.
//!
//! **Names** are UTF-16, cut at `/` and each part escaped; `..` is a name like any other.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `block-damaged` | a block does not unpack to its end; the members behind that place cannot be read |
//! | `member-sum-differs` | members whose CRC-32 does not agree; they are unreadable |
//! | `method-not-read` | blocks packed in a way that is not read, or encrypted; their members are listed without content |
//! | `unpack-capped` | the blocks unpack to more than is read; the rest was not |
//! | `members-differ` | the list names more or fewer members than the blocks hold |
//! | `bytes-after-archive` | bytes follow the archive that are not part of it |
//! | `duplicate-name` | several members have the same name; each is listed |

use std::collections::BTreeMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use avocet_base::{Stamp, escape_utf16};
use flate2::Crc;

use crate::bytes::{le_u32, le_u64, u8_at};
use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, FileSystem, Location, Mapped, Note, Run, Times, Unreadable,
    Visitor, VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError};
use crate::scratch::{Scratch, ScratchWriter};
use crate::source::{Source, read_up_to};
use crate::unpack::Limit;

mod coder;
mod header;

use coder::{Cannot, Places};
use header::{File, Parse, Streams};

const LAYER: &str = "7z";
/// The first bytes of an archive.
pub(crate) const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
/// The first header.
const START: u64 = 32;
/// Bytes of the list at most, packed or not.
const MOST_LIST: u64 = 64 << 20;
/// How often a list may be packed in turn.
const MOST_PACKED: usize = 4;
/// Bytes unpacked at a time.
const STEP: usize = 128 << 10;
const UNPACK: &str = "Unpack it with 7-Zip and its password, and examine the folder";

/// What became of a member's bytes.
#[derive(Debug, Clone)]
enum Part {
    /// They lie there.
    At(u64, u64, bool),
    /// They cannot be had.
    Lost(u64, Unreadable),
}

/// A 7z archive.
pub struct SevenZip {
    state: AllocationState,
    facts: VolumeFacts,
    files: Vec<File>,
    /// For each member with bytes, in their order.
    parts: Vec<Part>,
    problems: Vec<Problem>,
}

/// An archive that was opened, and what its blocks unpacked to.
pub struct Opened {
    /// The members.
    pub fs: SevenZip,
    /// What they read their content from.
    pub plain: Arc<dyn Source>,
}

fn sum(bytes: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(bytes);
    sum.sum()
}

fn refused(what: &str, advice: &'static str) -> OpenError {
    OpenError::Unsupported { what: what.to_owned(), advice }
}

/// The list, unpacked as often as it is packed.
fn list(source: &Arc<dyn Source>) -> Result<(Streams, Vec<File>, u64), OpenError> {
    let broken = |at: u64, detail: &str| OpenError::malformed(LAYER, at, detail);
    let head = read_up_to(source, 0, 32)?;
    if !head.starts_with(MAGIC) {
        return Err(broken(0, "this is no 7z archive"));
    }
    let short = || broken(0, "the file ends inside its first header");
    let stored = le_u32(&head, 8).ok_or_else(short)?;
    let (at, length) = le_u64(&head, 12).zip(le_u64(&head, 20)).ok_or_else(short)?;
    let wanted = le_u32(&head, 28).ok_or_else(short)?;
    if u8_at(&head, 6) != Some(0) {
        return Err(refused("a 7z archive of an unknown version", UNPACK));
    }
    if sum(head.get(12..32).unwrap_or_default()) != stored {
        return Err(broken(0, "the sum of its first header is wrong: its list cannot be found"));
    }
    if length == 0 {
        if source.len() > START {
            return Err(broken(0, "it has no list: it was not finished"));
        }
        return Ok((Streams::default(), vec![], START));
    }
    let at = at.checked_add(START).ok_or_else(|| broken(12, "its list lies at a place that cannot be"))?;
    let end = at.checked_add(length).filter(|end| *end <= source.len());
    let end = end.ok_or_else(|| broken(at, "the file ends before its list: it was cut off, or parts are missing"))?;
    if length > MOST_LIST {
        return Err(refused("a 7z archive with a list of more than 64 MiB", UNPACK));
    }
    let mut bytes = read_up_to(source, at, usize::try_from(length).unwrap_or(usize::MAX))?;
    let damaged = || broken(at, "its list is damaged");
    if sum(&bytes) != wanted {
        return Err(broken(at, "the sum of its list is wrong"));
    }
    for _ in 0..MOST_PACKED {
        let mut parse = Parse::new(&bytes);
        match parse.byte() {
            Some(1) => {
                let (streams, files) = header::list(&mut parse).ok_or_else(damaged)?;
                return Ok((streams, files, end));
            }
            Some(0x17) => {
                let streams = header::streams(&mut parse).ok_or_else(damaged)?;
                let streams = placed(streams).ok_or_else(damaged)?;
                let block = streams.blocks.first().ok_or_else(damaged)?;
                let size = block.size().ok_or_else(damaged)?;
                if size > MOST_LIST {
                    return Err(refused("a 7z archive with a list of more than 64 MiB", UNPACK));
                }
                let places = Places { source, packed: &streams.packed };
                // The decoders are not ours: a defect in one that ends in a panic costs this archive.
                let unpacked = catch_unwind(AssertUnwindSafe(|| {
                    let mut plain = vec![];
                    let read = coder::plain(block, &places)?.take(size).read_to_end(&mut plain);
                    read.map(|_| plain).map_err(|_| Cannot::Broken)
                }));
                let plain = match unpacked.unwrap_or(Err(Cannot::Broken)) {
                    Ok(plain) if plain.len() as u64 == size && block.sum.is_none_or(|s| s == sum(&plain)) => plain,
                    Err(Cannot::Encrypted) => {
                        return Err(refused("a 7z archive whose list of members is encrypted", UNPACK));
                    }
                    Err(Cannot::Method(_)) => {
                        return Err(refused("a 7z archive whose list is packed in a way that is not read", UNPACK));
                    }
                    _ => return Err(damaged()),
                };
                bytes = plain;
            }
            _ => return Err(damaged()),
        }
    }
    Err(damaged())
}

/// Packed streams by their place in the file, not behind the first header.
fn placed(mut streams: Streams) -> Option<Streams> {
    for (at, length) in &mut streams.packed {
        *at = at.checked_add(START)?;
        at.checked_add(*length)?;
    }
    Some(streams)
}

/// What unpacks blocks one after the other.
struct Unpacking<'a> {
    writer: Box<dyn ScratchWriter>,
    made: u64,
    limit: u64,
    places: Places<'a>,
    parts: Vec<Part>,
    /// Blocks that are damaged, blocks by the reason why they are not read, members with a wrong sum, members beyond the limit.
    damaged: u64,
    unread: BTreeMap<String, u64>,
    differ: u64,
    capped: u64,
}

impl Unpacking<'_> {
    /// Reads a block's bytes and holds them to the sums of its members.
    fn block(&mut self, block: &header::Block) -> Result<(), ReadError> {
        let reader = catch_unwind(AssertUnwindSafe(|| coder::plain(block, &self.places)));
        let mut reader = match reader.unwrap_or(Err(Cannot::Broken)) {
            Ok(reader) => reader,
            Err(why) => {
                let reason = match why {
                    Cannot::Encrypted => Unreadable::Encrypted("7z password"),
                    Cannot::Method(method) => Unreadable::Unsupported(method),
                    Cannot::Broken => {
                        Unreadable::Corrupt("what the archive says of its block contradicts itself".into())
                    }
                };
                let count = self.unread.entry(reason.to_string()).or_default();
                *count = count.saturating_add(1);
                self.parts.extend(block.parts.iter().map(|(size, _)| Part::Lost(*size, reason.clone())));
                return Ok(());
            }
        };
        let mut buffer = vec![0; STEP];
        let mut broken = false;
        for (size, wanted) in &block.parts {
            if broken {
                let lost = Unreadable::Corrupt("its block is damaged before it".into());
                self.parts.push(Part::Lost(*size, lost));
                continue;
            }
            if self.limit.saturating_sub(self.made) < *size {
                // What follows in the block lies behind it.
                self.limit = self.made;
                self.capped = self.capped.saturating_add(1);
                self.parts.push(Part::Lost(*size, Unreadable::ArchiveLimit));
                continue;
            }
            let (start, mut left, mut check) = (self.made, *size, Crc::new());
            while left > 0 {
                let n = usize::try_from(left).unwrap_or(usize::MAX).min(STEP);
                let Some(part) = buffer.get_mut(..n) else { break };
                let read = catch_unwind(AssertUnwindSafe(|| reader.read(part)));
                let got = read.ok().and_then(Result::ok).and_then(|n| part.get(..n)).filter(|b| !b.is_empty());
                let Some(bytes) = got else {
                    broken = true;
                    break;
                };
                check.update(bytes);
                self.writer.write(bytes)?;
                left = left.saturating_sub(bytes.len() as u64);
                self.made = self.made.saturating_add(bytes.len() as u64);
            }
            self.parts.push(if broken {
                self.damaged = self.damaged.saturating_add(1);
                Part::Lost(*size, Unreadable::Corrupt("its block is damaged, or cut off".into()))
            } else if wanted.is_some_and(|sum| sum != check.sum()) {
                self.differ = self.differ.saturating_add(1);
                Part::Lost(*size, Unreadable::Corrupt("its CRC-32 does not agree".into()))
            } else {
                Part::At(start, *size, wanted.is_some())
            });
        }
        Ok(())
    }
}

impl SevenZip {
    /// Opens an archive and unpacks it: members have the state `state`.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where its list cannot be read, [`OpenError::Unsupported`] where the list is encrypted or too
    /// long, [`OpenError::Read`] where the scratch has no room.
    pub fn open(
        source: &Arc<dyn Source>,
        state: AllocationState,
        limit: Limit,
        scratch: &dyn Scratch,
    ) -> Result<Opened, OpenError> {
        let (streams, files, end) = list(source)?;
        let streams = placed(streams).ok_or_else(|| OpenError::malformed(LAYER, START, "its list is damaged"))?;
        let limit = limit.bytes(source.len());
        let mut unpacking = Unpacking {
            writer: scratch.begin(),
            made: 0,
            limit,
            places: Places { source, packed: &streams.packed },
            parts: vec![],
            damaged: 0,
            unread: BTreeMap::new(),
            differ: 0,
            capped: 0,
        };
        for block in &streams.blocks {
            unpacking.block(block)?;
        }
        let mut problems = vec![];
        let mut say = |code, detail: String| problems.push(Problem::new(LAYER, code, None, detail));
        if unpacking.damaged > 0 {
            let detail =
                format!("{} blocks do not unpack to their end; members there cannot be read", unpacking.damaged);
            say("block-damaged", detail);
        }
        if unpacking.differ > 0 {
            say("member-sum-differs", format!("the CRC-32 of {} members does not agree", unpacking.differ));
        }
        for (reason, count) in &unpacking.unread {
            say("method-not-read", format!("{count} blocks are not unpacked: {reason}"));
        }
        if unpacking.capped > 0 {
            let detail = format!(
                "it unpacks to more than the {limit} bytes that are read; {} members were not",
                unpacking.capped
            );
            say("unpack-capped", detail);
        }
        let with_bytes = files.iter().filter(|f| f.stream).count();
        if with_bytes != unpacking.parts.len() {
            let detail =
                format!("{with_bytes} members with content are listed, the blocks hold {}", unpacking.parts.len());
            say("members-differ", detail);
        }
        let after = source.len().saturating_sub(end);
        if after > 0 {
            say("bytes-after-archive", format!("{after} bytes follow that are not part of it"));
        }
        let facts = VolumeFacts {
            kind: "7z",
            label: None,
            serial: None,
            cluster_size: 0,
            size: source.len(),
            time_source: "Times are those that the archive records of each file (modified; created and accessed where it \
                          was told to), UTC, in steps of 100 nanoseconds.",
        };
        let plain = unpacking.writer.finish()?;
        let fs = Self { state, facts, files, parts: unpacking.parts, problems };
        Ok(Opened { fs, plain })
    }

    fn entry(&self, number: u64, file: &File, part: Option<&Part>, path: String, same_name: u32) -> Entry {
        // The upper half is the mode where the archive was made on a Unix system.
        let attributes = file.attributes.unwrap_or_default();
        let mode = if attributes & 0x8000 != 0 { attributes >> 16 & 0o170_000 } else { 0 };
        let kind = match mode {
            0o120_000 => EntryKind::Link,
            0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => EntryKind::Special,
            _ if file.folder || attributes & 0x10 != 0 && !file.stream => EntryKind::Directory,
            _ => EntryKind::File,
        };
        let mut notes = vec![];
        if same_name > 1 {
            notes.push(Note::Other(format!("one of {same_name} members of this name")));
        }
        if file.anti {
            notes.push(Note::Other("says that a file of this name is to be deleted".into()));
        }
        let (size, content) = match (kind, part) {
            (EntryKind::Directory | EntryKind::Special, _) => (0, Content::None),
            (_, Some(Part::At(start, size, summed))) => {
                if !summed {
                    notes.push(Note::Other("the archive has no sum of it".into()));
                }
                let whole = Extent { logical: 0, length: *size, location: Location::At(*start) };
                (*size, Content::Mapped(Mapped { extents: if *size > 0 { vec![whole] } else { vec![] } }))
            }
            (_, Some(Part::Lost(size, reason))) => (*size, Content::Unreadable(reason.clone())),
            (_, None) if file.stream => (0, Content::Unreadable(Unreadable::NoLocation)),
            (_, None) => (0, Content::Mapped(Mapped { extents: vec![] })),
        };
        let time = |ticks: Option<u64>| ticks.filter(|t| *t > 0).and_then(Stamp::from_filetime);
        let times = Times {
            created: time(file.created),
            accessed: time(file.accessed),
            modified: time(file.modified),
            ..Times::default()
        };
        Entry { path, stream: None, kind, state: self.state, number, size, times, content, notes }
    }
}

/// The escaped path of a stored name.
fn path_of(name: &[u16]) -> String {
    let slash = u16::from(b'/');
    let start = name.iter().position(|u| *u != slash).unwrap_or(name.len());
    let end = name.iter().rposition(|u| *u != slash).map_or(start, |n| n.saturating_add(1));
    let mut out = String::new();
    for part in name.get(start..end).unwrap_or_default().split(|u| *u == slash) {
        out.push('/');
        out.push_str(&escape_utf16(part));
    }
    out
}

impl FileSystem for SevenZip {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Members in the order of the list.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        let mut same: BTreeMap<&[u16], u32> = BTreeMap::new();
        for file in &self.files {
            let count = same.entry(&file.name).or_default();
            *count = count.saturating_add(1);
        }
        let mut parts = self.parts.iter();
        for (number, file) in (0u64..).zip(&self.files) {
            let part = if file.stream { parts.next() } else { None };
            let path = path_of(&file.name);
            let same_name = same.get(&*file.name).copied().unwrap_or(1);
            if same_name > 1 {
                let detail = format!("{same_name} members have this name");
                visitor.problem(Problem::new(LAYER, "duplicate-name", None, detail).at_path(&path));
            }
            if visitor.entry(self.entry(number, file, part, path, same_name)).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}
