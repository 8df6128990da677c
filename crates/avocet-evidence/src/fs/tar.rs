//! Tar archives as trees: extractions of a phone's whole file system, Android backups, archives inside evidence.
//!
//! After POSIX.1-2017 (`pax`, ustar) and the GNU tar manual (long names, sparse files, numbers in base 256). Nothing of
//! the archive is kept in memory but one header at a time, and content lies in extents of the archive: nothing is
//! unpacked.
//!
//! **Names** are the stored bytes, cut at `/`, each part escaped. `./` at the beginning is left out; `/` too, with the
//! note *absolute path*; `..` is a name like any other and is never used to open anything. Hard and symbolic links are
//! listed with their target as content.
//!
//! A header whose checksum is wrong ends nothing: the next one that is right is looked for, block by block, and what lies
//! between is counted. So are members behind the end of the archive and other bytes there.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `header-damaged` | a header is damaged; the bytes up to the next good one belong to members that are not known |
//! | `extended-header-damaged` | a long name or pax header cannot be read; the member has what its own header says |
//! | `member-truncated` | the archive ends before a member does |
//! | `no-end-marker` | the archive ends without its end marker: it may have been cut off between members |
//! | `members-after-end` | members follow the end of the archive; they are listed |
//! | `bytes-after-archive` | other bytes follow the end of the archive |
//! | `sparse-map-damaged` | a sparse file does not say where its pieces belong |

use std::sync::Arc;

use avocet_base::{Stamp, escape_bytes};

use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, FileSystem, Location, Mapped, Note, Run, Times, Unreadable,
    Visitor, VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_up_to};

mod header;

use header::{BLOCK, Header, Pax};

const LAYER: &str = "tar";
/// Bytes of a long name or pax header read at most.
const MAX_EXTENDED: u64 = 1 << 20;
/// Pieces of a sparse file at most.
const MAX_PIECES: usize = 1 << 16;
/// Bytes looked through at a time for the next header.
const STEP: usize = 256 * 1024;

/// A tar archive.
pub struct Tar {
    source: Arc<dyn Source>,
    state: AllocationState,
    facts: VolumeFacts,
}

/// What extended headers say of the member that follows.
#[derive(Default)]
struct Pending {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Pax,
    damaged: bool,
}

impl Tar {
    /// Opens an archive that is itself the evidence: its members are *allocated*.
    ///
    /// # Errors
    /// [`OpenError::Malformed`] where it begins with no header; [`OpenError::Read`].
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        Self::open_with_state(source, AllocationState::Allocated)
    }

    /// Opens an archive whose members have a given state.
    ///
    /// # Errors
    /// As [`Tar::open`].
    pub fn open_with_state(source: Arc<dyn Source>, state: AllocationState) -> Result<Self, OpenError> {
        let first = read_up_to(&source, 0, 512)?;
        // An archive without members begins with its end marker.
        if Header::read(&first).is_none() && !(first.len() == 512 && first.iter().all(|b| *b == 0)) {
            return Err(OpenError::malformed(LAYER, 0, "this is no tar archive: it begins with no header"));
        }
        let facts = VolumeFacts {
            kind: "tar",
            label: None,
            serial: None,
            cluster_size: 0,
            size: source.len(),
            time_source: "Times are those that the archive records of the file it was made from, UTC: modified from the \
                          header in whole seconds, or from its extended header, which may add accessed, changed and \
                          created and fractions of seconds.",
        };
        Ok(Self { source, state, facts })
    }

    /// The same archive as the inside of something else, which is named `kind`.
    #[must_use]
    pub fn inside(mut self, kind: &'static str) -> Self {
        self.facts.kind = kind;
        self
    }

    /// The next good header at or after `from`, which is at the beginning of a block, and whether bytes other than zero
    /// lie before it.
    fn next_header(&self, from: u64) -> Result<(Option<u64>, bool), ReadError> {
        let (mut at, mut other) = (from, false);
        loop {
            let bytes = read_up_to(&self.source, at, STEP)?;
            for (i, block) in bytes.chunks(512).enumerate() {
                // Only a header with the word in it: a checksum alone is right by chance now and then.
                if Header::read(block).is_some_and(|h| h.ustar) {
                    return Ok((Some(at.saturating_add((i as u64).saturating_mul(BLOCK))), other));
                }
                other |= block.iter().any(|b| *b != 0);
            }
            if bytes.len() < STEP {
                return Ok((None, other));
            }
            at = at.saturating_add(bytes.len() as u64);
        }
    }

    /// The content of a long name or pax header.
    fn extended(&self, header: &Header, data: u64) -> Option<Vec<u8>> {
        let size = header.size.filter(|s| *s <= MAX_EXTENDED)?;
        let bytes = read_up_to(&self.source, data, usize::try_from(size).ok()?).ok()?;
        (bytes.len() as u64 == size).then_some(bytes)
    }

    fn entry(
        &self,
        header: &Header,
        pending: &Pending,
        offset: u64,
        data: u64,
        stored: u64,
    ) -> (Entry, Option<Problem>) {
        let pax = &pending.pax;
        let name = pax.sparse_name.as_ref().or(pax.path.as_ref()).or(pending.name.as_ref()).unwrap_or(&header.name);
        let link = pax.link.as_ref().or(pending.link.as_ref()).unwrap_or(&header.link);
        let mut notes = vec![];
        let path = path_of(name, &mut notes);
        let mut problem = None;
        let mut size = stored;
        let mut content = Content::None;
        let kind = match header.kind {
            b'1' | b'2' => {
                notes
                    .push(Note::Other(if header.kind == b'1' { "hard link to another member" } else { "link" }.into()));
                if header.kind == b'2' {
                    notes.pop();
                }
                size = link.len() as u64;
                if !link.is_empty() {
                    content = Content::Resident(link.clone());
                }
                EntryKind::Link
            }
            b'3' | b'4' | b'6' | b'V' => {
                size = 0;
                EntryKind::Special
            }
            b'5' | b'D' => {
                size = 0;
                EntryKind::Directory
            }
            // Old archives mark a folder by its name alone.
            0 if name.ends_with(b"/") => {
                size = 0;
                EntryKind::Directory
            }
            _ => {
                match self.pieces(header, pax, data, stored) {
                    Ok((whole, extents)) => {
                        size = whole;
                        content = Content::Mapped(Mapped { extents });
                    }
                    Err(detail) => {
                        content = Content::Unreadable(Unreadable::Corrupt(detail.into()));
                        problem = Some(Problem::new(LAYER, "sparse-map-damaged", Some(offset), detail).at_path(&path));
                    }
                }
                if header.kind == b'S' || pax.sparse() {
                    notes.push(Note::Sparse);
                }
                match header.kind {
                    0 | b'0' | b'7' | b'S' => {}
                    b'M' => notes.push(Note::Other("the rest of a file from another part of the archive".into())),
                    _ => notes.push(Note::Other("of a kind that is not known, taken as a file".into())),
                }
                EntryKind::File
            }
        };
        let times = Times {
            modified: pax.modified.or(header.modified),
            accessed: pax.accessed.or(header.accessed),
            changed: pax.changed.or(header.changed),
            created: pax.created,
            ..Times::default()
        };
        (Entry { path, stream: None, kind, state: self.state, number: offset, size, times, content, notes }, problem)
    }

    /// The size of a file and where its bytes lie.
    fn pieces(&self, header: &Header, pax: &Pax, data: u64, stored: u64) -> Result<(u64, Vec<Extent>), &'static str> {
        const DAMAGED: &str = "the map of a sparse file is damaged";
        let (size, map, data) = if header.kind == b'S' {
            // The map goes on in blocks between header and data, which `data` already lies behind.
            (header.real_size.ok_or(DAMAGED)?, header.sparse.clone(), data)
        } else if pax.sparse_major == Some(1) {
            let (map, begins) = self.sparse_1_0(data, stored).ok_or(DAMAGED)?;
            (pax.real_size.ok_or(DAMAGED)?, map, begins)
        } else if pax.sparse() {
            (pax.real_size.ok_or(DAMAGED)?, pax.map.clone().ok_or(DAMAGED)?, data)
        } else {
            let whole = Extent { logical: 0, length: stored, location: Location::At(data) };
            return Ok((stored, if stored > 0 { vec![whole] } else { vec![] }));
        };
        let (mut extents, mut logical, mut at) = (vec![], 0u64, data);
        for (offset, length) in map {
            let end = offset.checked_add(length).filter(|end| *end <= size).ok_or(DAMAGED)?;
            let hole = offset.checked_sub(logical).ok_or(DAMAGED)?;
            if hole > 0 {
                extents.push(Extent { logical, length: hole, location: Location::Zero });
            }
            if length > 0 {
                extents.push(Extent { logical: offset, length, location: Location::At(at) });
            }
            at = at.checked_add(length).ok_or(DAMAGED)?;
            logical = end;
        }
        if logical < size {
            extents.push(Extent { logical, length: size.saturating_sub(logical), location: Location::Zero });
        }
        Ok((size, extents))
    }

    /// The map of a sparse file in pax format 1.0: numbers in decimal, one a line, before the data.
    fn sparse_1_0(&self, data: u64, stored: u64) -> Option<(Vec<(u64, u64)>, u64)> {
        let most = usize::try_from(stored.min(4 << 20)).ok()?;
        let text = read_up_to(&self.source, data, most).ok()?;
        let mut at = 0usize;
        let mut next = || {
            let rest = text.get(at..)?;
            let end = rest.iter().position(|b| *b == b'\n')?;
            let number: u64 = std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()?;
            at = at.checked_add(end)?.checked_add(1)?;
            Some(number)
        };
        let count = usize::try_from(next()?).ok().filter(|n| *n <= MAX_PIECES)?;
        let mut map = vec![];
        for _ in 0..count {
            map.push((next()?, next()?));
        }
        let used = (at as u64).div_ceil(BLOCK).checked_mul(BLOCK)?;
        Some((map, data.checked_add(used)?))
    }
}

/// The escaped path of a stored name.
fn path_of(name: &[u8], notes: &mut Vec<Note>) -> String {
    let mut rest = name;
    while let Some(inner) = rest.strip_prefix(b"./") {
        rest = inner;
    }
    if rest.starts_with(b"/") {
        notes.push(Note::Other("absolute path".into()));
    }
    let start = rest.iter().position(|b| *b != b'/').unwrap_or(rest.len());
    let end = rest.iter().rposition(|b| *b != b'/').map_or(start, |n| n.saturating_add(1));
    let inner = rest.get(start..end).unwrap_or_default();
    // The folder that was packed itself.
    let inner = if inner.is_empty() { b".".as_slice() } else { inner };
    let mut out = String::with_capacity(inner.len().saturating_add(1));
    for part in inner.split(|b| *b == b'/') {
        out.push('/');
        out.push_str(&escape_bytes(part));
    }
    out
}

impl FileSystem for Tar {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Members in the order of the archive.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        let length = self.source.len();
        let (mut at, mut pending, mut global) = (0u64, Pending::default(), Pax::default());
        // Set where the end marker was met.
        let mut ended = false;
        while at < length {
            let block = read_up_to(&self.source, at, 512)?;
            let Some(header) = Header::read(&block) else {
                let zero = block.iter().all(|b| *b == 0);
                let (next, other) = self.next_header(at.saturating_add(BLOCK))?;
                let skipped = next.unwrap_or(length).saturating_sub(at);
                if zero && !ended {
                    ended = true;
                    match (next, other) {
                        (Some(_), _) => {
                            let detail = format!("{skipped} bytes after the end of the archive members go on");
                            visitor.problem(Problem::new(LAYER, "members-after-end", next, detail));
                        }
                        (None, true) => {
                            let detail = format!("{skipped} bytes follow the last member, not all of them zero");
                            visitor.problem(Problem::new(LAYER, "bytes-after-archive", Some(at), detail));
                        }
                        (None, false) => {}
                    }
                } else if !zero || other {
                    let code = if ended && next.is_none() { "bytes-after-archive" } else { "header-damaged" };
                    let detail = format!("no header where one belongs; {skipped} bytes were skipped");
                    visitor.problem(Problem::new(LAYER, code, Some(at), detail));
                    ended |= next.is_none();
                }
                pending = Pending::default();
                match next {
                    Some(next) => at = next,
                    None => break,
                }
                continue;
            };
            // Further blocks of an old sparse map lie before the data.
            let mut header = header;
            let mut data = at.saturating_add(BLOCK);
            while header.more_sparse {
                let more = read_up_to(&self.source, data, 512)?;
                if more.len() < 512 || header.sparse.len() > MAX_PIECES {
                    break;
                }
                header.add_sparse(&more);
                data = data.saturating_add(BLOCK);
            }
            let stored = pending.pax.size.or(header.size);
            let Some(stored) = stored else {
                visitor.problem(Problem::new(LAYER, "header-damaged", Some(at), "a member's size is no number"));
                pending = Pending::default();
                at = data;
                continue;
            };
            // Links and folders have no data, whatever the size says.
            let held = if matches!(header.kind, b'1' | b'2' | b'3' | b'4' | b'5' | b'6') { 0 } else { stored };
            let end = data.saturating_add(held);
            let next = end.checked_next_multiple_of(BLOCK).unwrap_or(u64::MAX);
            match header.kind {
                b'L' | b'K' | b'x' | b'X' | b'g' => {
                    let read = self.extended(&header, data);
                    pending.damaged |= read.is_none();
                    match (header.kind, read) {
                        (b'L', Some(name)) => pending.name = Some(until_zero(name)),
                        (b'K', Some(name)) => pending.link = Some(until_zero(name)),
                        (b'g', Some(records)) => {
                            pending.damaged |= !global.read(&records);
                            pending.pax = global.clone();
                        }
                        (b'x' | b'X', Some(records)) => {
                            pending.pax = global.clone();
                            pending.damaged |= !pending.pax.read(&records);
                        }
                        _ => {}
                    }
                }
                _ => {
                    let (entry, problem) = self.entry(&header, &pending, at, data, held);
                    if pending.damaged {
                        let detail = "a long name or pax header of this member cannot be read";
                        let problem = Problem::new(LAYER, "extended-header-damaged", Some(at), detail);
                        visitor.problem(problem.at_path(&entry.path));
                    }
                    if end > length {
                        let detail = format!("{} of the member's {held} bytes are there", length.saturating_sub(data));
                        let problem = Problem::new(LAYER, "member-truncated", Some(at), detail);
                        visitor.problem(problem.at_path(&entry.path));
                    }
                    if let Some(problem) = problem {
                        visitor.problem(problem);
                    }
                    if visitor.entry(entry).is_break() {
                        return Ok(());
                    }
                    pending = Pending { pax: global.clone(), ..Pending::default() };
                }
            }
            if end > length {
                // A damaged size hides what follows: members are looked for in the bytes that it claims.
                let (found, _) = self.next_header(data)?;
                match found {
                    Some(found) => {
                        let detail = "members were found in the bytes that a member with a false size claims";
                        visitor.problem(Problem::new(LAYER, "header-damaged", Some(found), detail));
                        at = found;
                        continue;
                    }
                    None => return Ok(()),
                }
            }
            at = next;
        }
        if !ended {
            let detail = "the archive ends without its end marker";
            visitor.problem(Problem::new(LAYER, "no-end-marker", Some(length), detail));
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}

fn until_zero(mut name: Vec<u8>) -> Vec<u8> {
    let end = name.iter().position(|b| *b == 0).unwrap_or(name.len());
    name.truncate(end);
    name
}

/// A time of pax headers: seconds since 1970 in decimal, perhaps with a fraction.
fn pax_time(text: &[u8]) -> Option<Stamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let negative = whole.starts_with('-');
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanoseconds: u32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    if negative && nanoseconds > 0 {
        return Stamp::from_unix(seconds.checked_sub(1)?, 1_000_000_000u32.checked_sub(nanoseconds)?);
    }
    Stamp::from_unix(seconds, nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_paths_without_loss_or_escape_from_the_tree() {
        let mut notes = vec![];
        assert_eq!(path_of(b"./a/b.txt", &mut notes), "/a/b.txt");
        assert_eq!(path_of(b"../../x", &mut notes), "/../../x");
        assert_eq!(path_of(b"./", &mut notes), "/.");
        assert_eq!(path_of(b"dir\\a\xff/", &mut notes), "/dir\\\\a\\xff");
        assert_eq!(notes, []);
        assert_eq!(path_of(b"/etc/x", &mut notes), "/etc/x");
        assert_eq!(notes, [Note::Other("absolute path".into())]);
    }

    #[test]
    fn times_with_fractions_and_before_1970() {
        let ns = |text: &str| pax_time(text.as_bytes()).map(|s| s.ns);
        assert_eq!(ns("12.5"), Some(12_500_000_000));
        assert_eq!(ns("12.1234567891"), Some(12_123_456_789));
        assert_eq!(ns("-1.25"), Some(-1_250_000_000));
        assert_eq!((ns("x"), ns("1.x"), ns("")), (None, None, None));
    }
}
