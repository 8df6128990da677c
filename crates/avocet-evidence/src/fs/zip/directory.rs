//! The central directory and the local headers (APPNOTE sections 4.3.7, 4.3.12 to 4.3.16, 4.5).

use avocet_base::Stamp;

use super::LAYER;
use crate::bytes::{le_u16, le_u32, le_u64, u8_at};
use crate::entry::{Run, Times, Unreadable};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::{Source, read_up_to};

/// Bytes at the end in which the end record is looked for: its comment takes up to 64 KiB, and data may follow.
const END_WINDOW: u64 = 1 << 20;
/// Bytes of directory read at most: some five million members.
const MAX_DIRECTORY: u64 = 512 << 20;

/// What the directory says of one member, and what was found at its place.
pub(super) struct Member {
    pub(super) name: Box<[u8]>,
    pub(super) central_offset: u64,
    pub(super) local_offset: u64,
    pub(super) made_on: u8,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u16,
    pub(super) date: u16,
    pub(super) crc: u32,
    pub(super) compressed: u64,
    pub(super) size: u64,
    pub(super) attributes: u32,
    pub(super) comment: u16,
    pub(super) extra_times: Times,
    /// First byte of the compressed data; `None` where there is no local header.
    pub(super) data_start: Option<u64>,
    pub(super) header_problem: Option<&'static str>,
    /// Why the content is not read, beyond method and encryption.
    pub(super) refused: Option<Unreadable>,
}

/// The directory of an archive.
pub(super) struct Directory {
    pub(super) members: Vec<Member>,
    /// What is to be added to every stored offset: the bytes before the archive.
    pub(super) shift: u64,
    /// The bytes of the directory and the end records.
    pub(super) own: Vec<Run>,
}

struct End {
    /// Where the directory ends and the end records begin.
    directory_end: u64,
    /// Where the end records end, with the comment, which has so many bytes.
    end: u64,
    comment: u16,
    count: u64,
    size: u64,
    offset: u64,
    zip64: bool,
}

fn end_at(source: &dyn Source, record: &[u8], at: u64) -> Result<Option<End>, OpenError> {
    let short = || {
        let comment = le_u16(record, 20)?;
        let end = at.checked_add(22)?.checked_add(u64::from(comment)).filter(|end| *end <= source.len())?;
        let found = End {
            directory_end: at,
            end,
            comment,
            count: u64::from(le_u16(record, 10)?),
            size: u64::from(le_u32(record, 12)?),
            offset: u64::from(le_u32(record, 16)?),
            zip64: false,
        };
        Some((found, le_u16(record, 4)?, le_u16(record, 6)?))
    };
    let Some((mut end, mut disk, mut directory_disk)) = short() else { return Ok(None) };
    if let Some(large) = zip64_end(source, at)? {
        let fields = || Some((le_u64(&large.1, 32)?, le_u64(&large.1, 40)?, le_u64(&large.1, 48)?));
        if let Some((count, size, offset)) = fields() {
            end = End { directory_end: large.0, count, size, offset, zip64: true, ..end };
            (disk, directory_disk) = (0, 0);
            if le_u32(&large.1, 16) != Some(0) || le_u32(&large.1, 20) != Some(0) {
                disk = 1;
            }
        }
    }
    // Values of FFFF mean "see the ZIP64 record".
    if (disk != 0 && disk != 0xFFFF) || (directory_disk != 0 && directory_disk != 0xFFFF) {
        return Err(OpenError::Unsupported {
            what: "an archive in several parts (split zip)".into(),
            advice: "Join the parts into one archive first, for example with zip -s 0",
        });
    }
    Ok(Some(end))
}

/// The ZIP64 end record, by its locator before the end record, with its place.
fn zip64_end(source: &dyn Source, end: u64) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
    let Some(at) = end.checked_sub(20) else { return Ok(None) };
    let locator = read_up_to(source, at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    let stored = le_u64(&locator, 8);
    // Where bytes stand before the archive the stored place is too low; the record of 56 bytes then ends here.
    for place in [stored, at.checked_sub(56)].into_iter().flatten().filter(|p| *p < at) {
        let record = read_up_to(source, place, 56)?;
        if record.len() == 56 && record.starts_with(b"PK\x06\x06") {
            return Ok(Some((place, record)));
        }
    }
    Ok(None)
}

fn find_end(source: &dyn Source) -> Result<Option<(End, u64)>, OpenError> {
    let window_start = source.len().saturating_sub(END_WINDOW);
    let window = read_up_to(source, window_start, usize::try_from(END_WINDOW).unwrap_or(usize::MAX))?;
    let mut fallback = None;
    let mut tries = 0u32;
    for i in (0..window.len().saturating_sub(21)).rev() {
        let record = window.get(i..).unwrap_or_default();
        if !record.starts_with(b"PK\x05\x06") {
            continue;
        }
        // A comment made of such records would have each looked into.
        tries = tries.saturating_add(1);
        if tries > 1024 {
            break;
        }
        let Some(end) = end_at(source, record, window_start.saturating_add(i as u64))? else { continue };
        let expected = end.directory_end.checked_sub(end.size).and_then(|n| n.checked_sub(end.offset));
        for shift in [expected, Some(0)].into_iter().flatten() {
            let start = end.offset.saturating_add(shift);
            let first = read_up_to(source, start, 4)?;
            if end.size == 0 && end.count == 0 {
                fallback.get_or_insert((end, shift));
                break;
            }
            if first == *b"PK\x01\x02" {
                return Ok(Some((end, shift)));
            }
        }
    }
    Ok(fallback)
}

/// Bytes of a directory that is looked through for names.
const MAX_SOUGHT: u64 = 64 << 20;

/// Whether the comment begins with `comment`, or the directory lists all of `names`.
pub(super) fn is_marked(source: &dyn Source, comment: &[u8], names: &[&[u8]]) -> Result<bool, OpenError> {
    let Some((end, shift)) = find_end(source)? else { return Ok(false) };
    let written = read_up_to(source, end.end.saturating_sub(u64::from(end.comment)), usize::from(end.comment))?;
    if written.starts_with(comment) {
        return Ok(true);
    }
    let start = end.offset.saturating_add(shift);
    let length = end.size.min(end.directory_end.saturating_sub(start));
    if length > MAX_SOUGHT {
        return Ok(false);
    }
    let bytes = read_up_to(source, start, usize::try_from(length).unwrap_or(0))?;
    let (mut missing, mut at) = (names.to_vec(), 0usize);
    while let Some((member, next)) = bytes.get(at..).and_then(|b| central(b, 0)).filter(|_| !missing.is_empty()) {
        missing.retain(|name| *name != &*member.name);
        at = at.saturating_add(next);
    }
    Ok(missing.is_empty())
}

pub(super) fn read(source: &dyn Source, problems: &mut Vec<Problem>) -> Result<Directory, OpenError> {
    let Some((end, shift)) = find_end(source)? else {
        return Err(OpenError::malformed(
            LAYER,
            source.len(),
            "no central directory: not a zip archive, or one that was cut off at its end",
        ));
    };
    let start = end.offset.saturating_add(shift);
    // An overlong directory would run into the end records.
    let length = end.size.min(end.directory_end.saturating_sub(start));
    if length > MAX_DIRECTORY {
        let detail = format!("the directory has {length} bytes, of which {MAX_DIRECTORY} are read");
        problems.push(Problem::new(LAYER, "directory-capped", Some(start), detail));
    }
    let bytes = read_up_to(source, start, usize::try_from(length.min(MAX_DIRECTORY)).unwrap_or(usize::MAX))?;
    let mut members = vec![];
    let mut at = 0usize;
    while at < bytes.len() {
        let offset = start.saturating_add(at as u64);
        let Some((member, next)) = bytes.get(at..).and_then(|b| central(b, offset)) else {
            let detail = format!("the directory breaks off after {} members", members.len());
            problems.push(Problem::new(LAYER, "directory-damaged", Some(offset), detail));
            break;
        };
        members.push(member);
        at = at.saturating_add(next);
    }
    // Without ZIP64 the count is kept to 16 bits; some writers let it wrap.
    let listed = if end.zip64 { members.len() as u64 } else { members.len() as u64 & 0xFFFF };
    if listed != end.count {
        let detail = format!("the archive declares {} members, its directory lists {}", end.count, members.len());
        problems.push(Problem::new(LAYER, "entry-count-differs", Some(end.directory_end), detail));
    }
    let own = vec![
        Run { start, length },
        Run { start: end.directory_end, length: end.end.saturating_sub(end.directory_end) },
    ];
    Ok(Directory { members, shift, own })
}

/// One header of the directory, and its length.
fn central(bytes: &[u8], central_offset: u64) -> Option<(Member, usize)> {
    if !bytes.starts_with(b"PK\x01\x02") {
        return None;
    }
    let name_end = usize::from(le_u16(bytes, 28)?).checked_add(46)?;
    let extra_end = name_end.checked_add(usize::from(le_u16(bytes, 30)?))?;
    let comment = le_u16(bytes, 32)?;
    let end = extra_end.checked_add(usize::from(comment))?;
    let name = bytes.get(46..name_end)?;
    let extra = bytes.get(name_end..extra_end)?;
    bytes.get(..end)?;
    let mut member = Member {
        name: name.into(),
        central_offset,
        local_offset: u64::from(le_u32(bytes, 42)?),
        made_on: u8_at(bytes, 5)?,
        flags: le_u16(bytes, 8)?,
        method: le_u16(bytes, 10)?,
        time: le_u16(bytes, 12)?,
        date: le_u16(bytes, 14)?,
        crc: le_u32(bytes, 16)?,
        compressed: u64::from(le_u32(bytes, 20)?),
        size: u64::from(le_u32(bytes, 24)?),
        attributes: le_u32(bytes, 38)?,
        comment,
        extra_times: Times::default(),
        data_start: None,
        header_problem: None,
        refused: None,
    };
    for (id, body) in extra_fields(extra) {
        if id == 0x0001 {
            zip64_sizes(&mut member, body);
        }
    }
    times(extra, &mut member.extra_times);
    Some((member, end))
}

/// The ZIP64 field holds, in this order, only those values whose 32-bit field is FFFFFFFF.
fn zip64_sizes(member: &mut Member, body: &[u8]) {
    let mut at = 0;
    for value in [&mut member.size, &mut member.compressed, &mut member.local_offset] {
        if *value == u64::from(u32::MAX)
            && let Some(large) = le_u64(body, at)
        {
            *value = large;
            at = at.saturating_add(8);
        }
    }
}

fn extra_fields(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (id, length) = (le_u16(rest, 0)?, usize::from(le_u16(rest, 2)?));
        let body = rest.get(4..length.checked_add(4)?)?;
        rest = rest.get(length.checked_add(4)?..)?;
        Some((id, body))
    })
}

/// Times of the extra fields: NTFS (000A) before the extended timestamp (5455).
fn times(extra: &[u8], out: &mut Times) {
    for (id, body) in extra_fields(extra) {
        match id {
            0x000A => {
                for (tag, value) in extra_fields(body.get(4..).unwrap_or_default()) {
                    if tag == 1 {
                        let stamp = |at| le_u64(value, at).and_then(Stamp::from_filetime);
                        out.modified = stamp(0).or(out.modified);
                        out.accessed = stamp(8).or(out.accessed);
                        out.created = stamp(16).or(out.created);
                    }
                }
            }
            0x5455 => {
                let flags = u8_at(body, 0).unwrap_or(0);
                let mut at = 1;
                // The central copy has the flags of all three and only the first value.
                for (bit, slot) in [(1, &mut out.modified), (2, &mut out.accessed), (4, &mut out.created)] {
                    if flags & bit != 0
                        && let Some(seconds) = le_u32(body, at)
                    {
                        *slot = slot.or(Stamp::from_unix(i64::from(seconds.cast_signed()), 0));
                        at = at.saturating_add(4);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Member {
    /// Finds the data behind the local header and holds the header against the directory.
    pub(super) fn read_local_header(&mut self, source: &dyn Source, shift: u64) {
        self.local_offset = self.local_offset.saturating_add(shift);
        let length = self.name.len().saturating_add(30 + 128);
        let header = match read_up_to(source, self.local_offset, length) {
            Ok(header) => header,
            Err(_) => {
                self.header_problem = Some("the local header cannot be read");
                return;
            }
        };
        let parts = || {
            if !header.starts_with(b"PK\x03\x04") {
                return None;
            }
            let name = usize::from(le_u16(&header, 26)?);
            Some((name, usize::from(le_u16(&header, 28)?), le_u16(&header, 8)?))
        };
        let Some((name, extra, method)) = parts() else {
            self.header_problem = Some("there is no local header at the place that the directory gives");
            return;
        };
        let name_end = name.saturating_add(30);
        if header.get(30..name_end) != Some(&*self.name) {
            self.header_problem = Some("the local header has another name than the directory");
        } else if method != self.method {
            self.header_problem = Some("the local header has another method than the directory");
        }
        if let Some(extra) = header.get(name_end..name_end.saturating_add(extra)) {
            times_missing(extra, &mut self.extra_times);
        }
        let skip = (name_end as u64).saturating_add(extra as u64);
        self.data_start = Some(self.local_offset.saturating_add(skip));
    }
}

/// Adds the times that only the local header has.
fn times_missing(extra: &[u8], out: &mut Times) {
    let mut local = Times::default();
    times(extra, &mut local);
    out.modified = out.modified.or(local.modified);
    out.accessed = out.accessed.or(local.accessed);
    out.created = out.created.or(local.created);
}
