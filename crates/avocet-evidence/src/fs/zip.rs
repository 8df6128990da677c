//! Zip archives as trees: phone extractions, and archives found inside evidence.
//!
//! After PKWARE's APPNOTE.TXT 6.3.10 and Info-ZIP's list of extra fields. The central directory says what the archive
//! holds; every member's local header is held against it. Written here rather than taken from a crate because the
//! crates key members by name (a second member of the same name vanishes) and refuse a whole archive for one damaged
//! entry. `stored` and `deflate` are read; other methods and encrypted members are listed as unreadable.
//!
//! **Names** are the stored bytes, cut at `/` and each part escaped by [`avocet_base::escape_bytes`]: bytes that are
//! not UTF-8 (code page 437 and others) stay visible as `\xNN`, a backslash is written `\\`, and `..` is a name like
//! any other. Slashes at the beginning and the end are left out; the note *absolute path* keeps the former.
//!
//! **Limits.** Deflate cannot produce more than 1032 bytes from one. A member that declares more than 1032 times its
//! compressed size and 1 KiB is unreadable. Members may claim compressed bytes of twice the archive in all (overlapping
//! members are the only way to exceed once), and 64 GiB and 256 times the archive in declared bytes; members beyond are
//! listed as unreadable. A member that yields more or fewer bytes than declared, or another CRC-32, is a read error.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `directory-damaged` | the central directory breaks off; members after that place are not known |
//! | `directory-capped` | the central directory is longer than what is read |
//! | `entry-count-differs` | the archive declares another number of members than its directory lists |
//! | `bytes-before-archive`, `bytes-after-archive` | bytes that do not belong to the archive |
//! | `bytes-between-members` | bytes that no member listed in the directory claims: removed members perhaps |
//! | `members-overlap` | members share compressed bytes |
//! | `zip-bomb` | members exceed the limits above |
//! | `local-header-differs` | a member's local header is missing or names another member |
//! | `duplicate-name` | several members have the same name; each is listed |

use std::collections::BTreeMap;
use std::sync::Arc;

use avocet_base::{Stamp, Zone, escape_bytes};

use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, FileSystem, Location, Note, Run, Times, Unreadable, Visitor,
    VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError};
use crate::source::Source;

mod directory;
mod layout;
mod member;

use directory::Member;

const LAYER: &str = "zip";

/// A zip archive.
pub struct Zip {
    source: Arc<dyn Source>,
    state: AllocationState,
    facts: VolumeFacts,
    members: Vec<Member>,
    problems: Vec<Problem>,
}

impl Zip {
    /// Opens an archive that is itself the evidence: its members are *allocated*.
    ///
    /// # Errors
    /// [`OpenError`] where there is no end-of-directory record, the archive is one part of several, or bytes cannot be
    /// read.
    pub fn open(source: Arc<dyn Source>) -> Result<Self, OpenError> {
        Self::open_with_state(source, AllocationState::Allocated)
    }

    /// Opens an archive whose members have a given state, such as *embedded* for an archive found in a file system.
    ///
    /// # Errors
    /// As [`Zip::open`].
    pub fn open_with_state(source: Arc<dyn Source>, state: AllocationState) -> Result<Self, OpenError> {
        let mut problems = vec![];
        let directory = directory::read(&*source, &mut problems)?;
        let mut members = directory.members;
        for member in &mut members {
            member.read_local_header(&*source, directory.shift);
        }
        layout::check(&mut members, &directory.own, source.len(), &mut problems);
        let facts = VolumeFacts {
            kind: "zip",
            label: None,
            serial: None,
            cluster_size: 0,
            size: source.len(),
            time_source: "Times come from the NTFS extra field or the extended timestamp where a member has one (UTC), \
                          else from its DOS date and time (modified only, in two-second steps, the packing device's \
                          clock without a zone).",
        };
        Ok(Self { source, state, facts, members, problems })
    }

    fn entry(&self, member: &Member, path: String, same_name: u32) -> Entry {
        let kind = member.kind();
        let mut notes = vec![];
        if same_name > 1 {
            notes.push(Note::Other(format!("one of {same_name} members of this name")));
        }
        if member.name.starts_with(b"/") {
            notes.push(Note::Other("absolute path".into()));
        }
        if member.comment > 0 {
            notes.push(Note::Other(format!("carries a comment of {} bytes", member.comment)));
        }
        Entry {
            path,
            stream: None,
            kind,
            state: self.state,
            number: member.central_offset,
            size: if kind == EntryKind::Directory { 0 } else { member.size },
            times: member.times(),
            content: self.content(member, kind),
            notes,
        }
    }

    fn content(&self, member: &Member, kind: EntryKind) -> Content {
        // The target of a link is its content; it is kept readable, as evidence.
        if kind == EntryKind::Directory && member.size == 0 || kind == EntryKind::Special {
            return Content::None;
        }
        if member.encrypted() {
            return Content::Unreadable(Unreadable::Encrypted("zip password"));
        }
        if let Some(method) = member.unsupported() {
            return Content::Unreadable(Unreadable::Unsupported(method));
        }
        if let Some(reason) = &member.refused {
            return Content::Unreadable(reason.clone());
        }
        let Some(start) = member.data_start else {
            return Content::Unreadable(Unreadable::Corrupt("local header missing".into()));
        };
        let extents = if member.compressed > 0 {
            vec![Extent { logical: 0, length: member.compressed, location: Location::At(start) }]
        } else {
            vec![]
        };
        if member.method == 0 && member.compressed != member.size {
            return Content::Unreadable(Unreadable::Corrupt("stored with two different sizes".into()));
        }
        let open = Arc::new(member::Packed {
            source: Arc::clone(&self.source),
            start,
            compressed: member.compressed,
            size: member.size,
            crc: member.crc,
            deflated: member.method == 8,
        });
        Content::Stream { open, extents }
    }
}

/// Whether the archive's comment begins with `comment`, or its directory lists all of `names`. A directory of more than
/// 64 MiB is not asked.
pub(crate) fn is_marked(archive: &dyn Source, comment: &[u8], names: &[&[u8]]) -> bool {
    directory::is_marked(archive, comment, names).unwrap_or(false)
}

/// The escaped path of a stored name.
pub(crate) fn path_of(name: &[u8]) -> String {
    let start = name.iter().position(|b| *b != b'/').unwrap_or(name.len());
    let end = name.iter().rposition(|b| *b != b'/').map_or(start, |n| n.saturating_add(1));
    let mut out = String::with_capacity(name.len().saturating_add(1));
    for part in name.get(start..end).unwrap_or_default().split(|b| *b == b'/') {
        out.push('/');
        out.push_str(&escape_bytes(part));
    }
    out
}

impl Member {
    fn kind(&self) -> EntryKind {
        // The upper half of the external attributes is the mode where the archive was made on a Unix system.
        let mode = if matches!(self.made_on, 3 | 19) { self.attributes >> 16 & 0o170_000 } else { 0 };
        match mode {
            0o120_000 => EntryKind::Link,
            0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => EntryKind::Special,
            _ if self.name.ends_with(b"/") => EntryKind::Directory,
            _ => EntryKind::File,
        }
    }

    fn encrypted(&self) -> bool {
        // Bit 0: encrypted; bit 13: parts of the headers masked too. Method 99 is WinZip's AES.
        self.flags & 0x2001 != 0 || self.method == 99
    }

    fn unsupported(&self) -> Option<&'static str> {
        Some(match self.method {
            0 | 8 => return None,
            1 => "zip method shrink",
            2..=5 => "zip method reduce",
            6 => "zip method implode",
            9 => "zip method deflate64",
            12 => "zip method bzip2",
            14 => "zip method LZMA",
            20 | 93 => "zip method Zstandard",
            94 => "zip method MP3",
            95 => "zip method XZ",
            96 => "zip method JPEG",
            97 => "zip method WavPack",
            98 => "zip method PPMd",
            _ => "zip method unknown",
        })
    }

    fn times(&self) -> Times {
        let mut times = self.extra_times;
        if times.modified.is_none() {
            times.modified = Stamp::from_dos(self.date, self.time, 0, Zone::Local);
        }
        times
    }
}

impl FileSystem for Zip {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Members in the order of the central directory.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        let mut same: BTreeMap<&[u8], u32> = BTreeMap::new();
        for member in &self.members {
            let count = same.entry(&member.name).or_default();
            *count = count.saturating_add(1);
        }
        for member in &self.members {
            let path = path_of(&member.name);
            let same_name = same.get(&*member.name).copied().unwrap_or(1);
            if let Some(detail) = member.header_problem {
                visitor.problem(
                    Problem::new(LAYER, "local-header-differs", Some(member.local_offset), detail).at_path(&path),
                );
            }
            if same_name > 1 {
                let detail = format!("{same_name} members have this name");
                visitor
                    .problem(Problem::new(LAYER, "duplicate-name", Some(member.central_offset), detail).at_path(&path));
            }
            if visitor.entry(self.entry(member, path, same_name)).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn names_become_paths_without_loss_or_escape_from_the_tree() {
        assert_eq!(path_of(b"a/b.txt"), "/a/b.txt");
        assert_eq!(path_of(b"/etc/x"), "/etc/x");
        assert_eq!(path_of(b"../../x"), "/../../x");
        assert_eq!(path_of(b"d\\e\x82"), "/d\\\\e\\x82");
        assert_eq!(path_of(b"dir/"), "/dir");
        assert_eq!(path_of(b"a//b"), "/a//b");
        assert_eq!(path_of(b""), "/");
        assert_eq!(path_of(b"//"), "/");
    }
}
