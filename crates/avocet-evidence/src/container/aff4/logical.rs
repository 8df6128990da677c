//! AFF4-L: an AFF4 volume that holds files instead of a disk.
//!
//! After the published description of AFF4 logical images (version 1.1 of the standard) and a volume by its reference
//! library. A file is a `FileImage` with its `originalFileName`, times and digests; its bytes are a member of the archive,
//! a stream of chunks, or a map. The paths shown are the original names. What else the archive holds is shown below
//! `/$AFF4`, so that every member is somewhere.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | `size-differs` | a file has not the size that the list gives it |
//! | `chunks-have-no-digest` | streams of chunks whose digests are not checked; how many |
//!
//! and those of [`super`].

use std::collections::BTreeSet;
use std::sync::Arc;

use avocet_base::escape_bytes;

use super::{Cache, Facts, LAYER, Members, Opening, Target};
use crate::entry::{
    AllocationState, Content, ContentRead, Entry, EntryKind, FileSystem, Note, OpenContent, Run, SourceReader, Stated,
    Times, Unreadable, Visitor, VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError};
use crate::fs::ufdr::stamp;
use crate::fs::zip;
use crate::source::Source;

/// Where what is no file of the list is shown.
const OWN: &str = "/$AFF4";
/// Chunks have 32 KiB as a rule; of larger ones more is kept, but no more than 256 MiB.
const USUAL_CHUNK: u64 = 1 << 20;

/// Whether a volume holds files and no disk.
pub(in super::super) fn is_logical(file: &Arc<dyn Source>) -> bool {
    let facts = Members::open(file).and_then(|members| Facts::read(&members));
    facts.is_ok_and(|facts| facts.disks().next().is_none() && facts.files() > 0)
}

/// The files of a volume.
pub(in super::super) struct Logical {
    facts: VolumeFacts,
    entries: Vec<Entry>,
    problems: Vec<Problem>,
}

/// A stream of chunks or a map as the content of a file.
struct Whole(Arc<dyn Source>);

impl OpenContent for Whole {
    fn open(&self) -> Result<Box<dyn ContentRead>, ReadError> {
        Ok(Box::new(SourceReader::new(Arc::clone(&self.0))))
    }

    fn source(&self) -> Result<Option<Arc<dyn Source>>, ReadError> {
        Ok(Some(Arc::clone(&self.0)))
    }
}

/// The escaped path of an original name, which may be one of Windows; `None` where it names nothing.
fn path_of(name: &str) -> Option<String> {
    let windows = name.starts_with("\\\\") || name.get(1..3) == Some(":\\");
    let parts = name.split(|c| c == '/' || windows && c == '\\').filter(|part| !matches!(*part, "" | "."));
    let path: String = parts.map(|part| format!("/{}", escape_bytes(part.as_bytes()))).collect();
    (!path.is_empty()).then_some(path)
}

impl Logical {
    /// Lists the files of a volume.
    ///
    /// # Errors
    /// [`OpenError`] where the archive or its list cannot be read.
    pub fn open(file: &Arc<dyn Source>) -> Result<Self, OpenError> {
        let mut members = Members::open(file)?;
        let facts = Facts::read(&members)?;
        let problems = std::mem::take(&mut members.problems);
        let mut opening = Opening::new(&members, &facts, problems);
        opening.shared = Some(Arc::new(Cache::new(USUAL_CHUNK)));
        let (mut entries, mut held, mut streams) = (vec![], BTreeSet::new(), BTreeSet::new());
        for name in facts.statements.keys() {
            if facts.is(name, "Map") || facts.is(name, "ImageStream") {
                streams.insert(zip::path_of(facts.path(name).as_bytes()));
            }
        }
        for (name, number) in facts.statements.keys().zip(1u64..) {
            let folder = facts.is(name, "Folder");
            if folder || facts.is(name, "FileImage") {
                entries.push(opening.entry(name, number, folder, &mut held));
            }
        }
        let first = u64::try_from(facts.statements.len()).unwrap_or(0).saturating_add(1);
        for (member, number) in members.by_path.values().zip(first..) {
            let chunks = member.path.rsplit_once('/').is_some_and(|(above, _)| streams.contains(above));
            if !held.contains(&member.path) && !chunks {
                entries.push(Entry { path: format!("{OWN}{}", member.path), number, ..member.clone() });
            }
        }
        let undigested = opening.problems.iter().filter(|p| p.code == "chunks-have-no-digest").count();
        let mut problems = opening.problems;
        if undigested > 1 {
            problems.retain(|p| p.code != "chunks-have-no-digest");
            let detail = format!(
                "{undigested} of its files are streams without a SHA-1, SHA-256 or SHA-512 of their chunks: damage is \
                 noticed by a digest of the file only"
            );
            problems.push(Problem::new(LAYER, "chunks-have-no-digest", None, detail));
        }
        let facts = VolumeFacts {
            kind: "aff4-l",
            label: None,
            serial: Some(escape_bytes(facts.volume.as_bytes())),
            cluster_size: 0,
            size: file.len(),
            time_source: "Times are those that the list of the volume gives of each file where it was copied, with their \
                          offset from UTC. Times below /$AFF4 are those of the archive.",
        };
        Ok(Self { facts, entries, problems })
    }
}

impl Opening<'_> {
    /// A file or folder of the list.
    fn entry(&mut self, name: &str, number: u64, folder: bool, held: &mut BTreeSet<String>) -> Entry {
        let facts = self.facts;
        let given = facts.one(name, "originalFileName").and_then(path_of);
        let own = || zip::path_of(name.strip_prefix(&facts.volume).unwrap_or(name).as_bytes());
        let path = given.unwrap_or_else(own);
        let time = |what| facts.one(name, what).and_then(stamp);
        let times = Times {
            created: time("birthTime"),
            modified: time("lastWritten"),
            accessed: time("lastAccessed"),
            changed: time("recordChanged"),
            ..Times::default()
        };
        let declared = facts.number(name, "size");
        let (kind, mut size, mut content, mut notes) = (EntryKind::Directory, 0, Content::None, vec![]);
        if !folder {
            (content, size) = match self.content(name, held) {
                Some(found) => found,
                None => (Content::Unreadable(Unreadable::NotHeld), declared.unwrap_or(0)),
            };
            if let Some(given) = declared.filter(|given| *given != size) {
                notes.push(Note::Other(format!("the list gives it {given} bytes")));
                let detail = format!("the file has {size} bytes, the list of the volume says {given}");
                self.problems.push(Problem::new(LAYER, "size-differs", None, detail).at_path(&path));
            }
            let stated = facts.all(name, "hash").filter(|hash| hash.literal.is_some());
            notes.extend(stated.filter_map(|hash| Stated::parse(&hash.object)).map(Note::Stated));
        }
        let kind = if folder { kind } else { EntryKind::File };
        Entry { path, stream: None, kind, state: AllocationState::Allocated, number, size, times, content, notes }
    }

    /// The bytes of a file and how many there are; `None` where the volume does not hold them.
    fn content(&mut self, name: &str, held: &mut BTreeSet<String>) -> Option<(Content, u64)> {
        let facts = self.facts;
        let stream = facts.one(name, "dataStream").unwrap_or(name);
        if facts.is(stream, "Map") || facts.is(stream, "ImageStream") {
            let size = facts.number(stream, "size").unwrap_or(0);
            return Some(match self.target(stream, 0) {
                Ok(Target::Stream(source)) => {
                    let size = source.len();
                    (Content::Stream { open: Arc::new(Whole(source)), extents: vec![] }, size)
                }
                Ok(_) => (Content::Unreadable(Unreadable::NotHeld), size),
                Err(OpenError::Unsupported { .. }) => {
                    (Content::Unreadable(Unreadable::Unsupported("packed in a way that is not known")), size)
                }
                Err(error) => (Content::Unreadable(Unreadable::Corrupt(error.to_string())), size),
            });
        }
        // Members keep their names with spaces; everything else is escaped as in the list.
        let path = facts.path(stream);
        let member = [path.replace("%20", " "), path].iter().find_map(|path| {
            let member = self.members.by_path.get(&zip::path_of(path.as_bytes()))?;
            Some((member.content.clone(), member.size, member.path.clone()))
        });
        let (content, size, path) = member?;
        held.insert(path);
        Some((content, size))
    }
}

impl FileSystem for Logical {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// The files of the list by their names in it, then the rest of the archive.
    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        self.problems.iter().for_each(|p| visitor.problem(p.clone()));
        for entry in &self.entries {
            if visitor.entry(entry.clone()).is_break() {
                break;
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
    fn original_names_become_paths() {
        assert_eq!(path_of("./a/b.txt").as_deref(), Some("/a/b.txt"));
        assert_eq!(path_of("/a/b\\c").as_deref(), Some("/a/b\\\\c"));
        assert_eq!(path_of("C:\\Users\\x y").as_deref(), Some("/C:/Users/x y"));
        assert_eq!(path_of("\\\\server\\share\\x").as_deref(), Some("/server/share/x"));
        assert_eq!(path_of("../x").as_deref(), Some("/../x"));
        assert_eq!((path_of("."), path_of("")), (None, None));
    }
}
