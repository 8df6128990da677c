//! Archives that are files of the evidence: their bytes at any place, and their members as a tree.
//!
//! What a file is, its content decides: zip (office documents and apps of phones are zip archives too), tar, 7z, a
//! compressed tar, a compressed file, an Android backup without a password. Other archives are recognised by whoever names formats and
//! are not read.
//!
//! | problem code | meaning |
//! | --- | --- |
//! | those of [`crate::unpack`], [`crate::fs::zip`], [`crate::fs::tar`], [`crate::fs::sevenz`], [`crate::container::android`] | as there |

use std::sync::Arc;

use crate::container::android::{self, AndroidBackup};
use crate::container::signature::is_tar;
use crate::entry::{
    AllocationState, Content, Entry, EntryKind, Extent, FileSystem, Location, Mapped, Run, Times, Visitor, VolumeFacts,
};
use crate::error::{OpenError, Problem, ReadError, ReadFault};
use crate::fs::sevenz::{self, SevenZip};
use crate::fs::tar::Tar;
use crate::fs::zip::Zip;
use crate::scratch::{Access, Scratch};
use crate::source::{MemorySource, Source, read_exact_at, read_up_to};
use crate::unpack::{Limit, Packing, unpack};

/// Bytes copied at a time.
const STEP: usize = 256 << 10;

/// A file's extents as bytes at any place.
struct Pieces {
    volume: Arc<dyn Source>,
    extents: Vec<Extent>,
    size: u64,
}

impl Source for Pieces {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<usize, ReadError> {
        let wanted = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let mut index = self.extents.partition_point(|e| e.logical.saturating_add(e.length) <= offset);
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..wanted).filter(|r| !r.is_empty()) {
            let at = offset.saturating_add(done as u64);
            let inside = self.extents.get(index).and_then(|e| Some((e, at.checked_sub(e.logical)?)));
            let Some((extent, inside)) = inside.filter(|(e, inside)| *inside < e.length) else {
                return Err(ReadError::new(
                    "extents",
                    at,
                    ReadFault::Truncated,
                    "the extents end before the file does",
                ));
            };
            let left = usize::try_from(extent.length.saturating_sub(inside)).unwrap_or(usize::MAX);
            let n = left.min(rest.len());
            let Some(part) = rest.get_mut(..n) else { break };
            match extent.location {
                Location::Zero => part.fill(0),
                Location::At(start) => read_exact_at(&self.volume, "volume", start.saturating_add(inside), part)?,
            }
            done = done.saturating_add(n);
            index = index.saturating_add(1);
        }
        Ok(done)
    }
}

impl Entry {
    /// The entry's bytes at any place; `None` where there is nothing to read. Content behind a decoder is copied into
    /// `scratch`, unless it can be read at any place as it is. `volume` is the source the file system was opened on.
    ///
    /// # Errors
    /// [`ReadError`] where the content cannot be read, is not as long as declared, or the scratch has no room.
    pub fn source(
        &self,
        volume: &Arc<dyn Source>,
        scratch: &dyn Scratch,
    ) -> Result<Option<Arc<dyn Source>>, ReadError> {
        Ok(Some(match &self.content {
            Content::None | Content::Unreadable(_) => return Ok(None),
            Content::Resident(bytes) => {
                let mut bytes = bytes.clone();
                bytes.truncate(usize::try_from(self.size).unwrap_or(usize::MAX));
                Arc::new(MemorySource(bytes))
            }
            Content::Mapped(mapped) => {
                Arc::new(Pieces { volume: Arc::clone(volume), extents: mapped.extents.clone(), size: self.size })
            }
            Content::Stream { open, .. } => match open.source()? {
                Some(source) => source,
                None => {
                    let (mut reader, mut writer) = (open.open()?, scratch.begin());
                    let (mut buffer, mut done) = (vec![0; STEP], 0u64);
                    loop {
                        let n = reader.read(&mut buffer)?;
                        let Some(bytes) = buffer.get(..n).filter(|b| !b.is_empty()) else { break };
                        done = done.saturating_add(n as u64);
                        if done > self.size {
                            break;
                        }
                        writer.write(bytes)?;
                    }
                    if done != self.size {
                        let detail = format!("not the {} bytes that the entry declares", self.size);
                        return Err(ReadError::new("content", done, ReadFault::Truncated, detail));
                    }
                    writer.finish()?
                }
            },
        }))
    }
}

/// An archive that was opened.
pub struct Archive {
    /// `zip`, `tar`, `7z`, `tar.gz`, `tar.xz`, `tar.zst`, `tar.bz2`, `gzip`, `xz`, `zstd`, `bzip2` or `android-backup`.
    pub kind: &'static str,
    /// Its members, in the state *embedded*.
    pub fs: Box<dyn FileSystem>,
    /// The bytes that the members read their content from.
    pub source: Arc<dyn Source>,
    /// What was found wrong on opening.
    pub problems: Vec<Problem>,
    /// Bytes that were unpacked to open it.
    pub unpacked: u64,
}

/// Opens the archive that `source` holds. `name` is the file's name, for a compressed file that does not say its own.
/// `None` where it is none of those that are read.
///
/// # Errors
/// [`OpenError`] where it cannot be opened; [`OpenError::Locked`] for an Android backup with a password.
pub fn open_archive(
    source: Arc<dyn Source>,
    name: &str,
    limit: Limit,
    scratch: &Arc<dyn Scratch>,
) -> Result<Option<Archive>, OpenError> {
    let embedded = AllocationState::Embedded;
    let head = read_up_to(&source, 0, 512)?;
    let whole =
        |kind, fs: Box<dyn FileSystem>, source| Ok(Some(Archive { kind, fs, source, problems: vec![], unpacked: 0 }));
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        let zip = Zip::open_with_state(Arc::clone(&source), embedded)?;
        return whole("zip", Box::new(zip), source);
    }
    if head.starts_with(android::MAGIC) {
        let access = Access { scratch: Arc::clone(scratch), ..Access::default() };
        let backup = AndroidBackup::open_within(&source, &access, limit)?;
        let tar = Tar::open_with_state(Arc::clone(&backup.tar), embedded)?;
        let unpacked = backup.tar.len();
        let (fs, kind) = (Box::new(tar.inside("android-backup")), "android-backup");
        return Ok(Some(Archive { kind, fs, source: backup.tar, problems: backup.problems, unpacked }));
    }
    if is_tar(&head) {
        let tar = Tar::open_with_state(Arc::clone(&source), embedded)?;
        return whole("tar", Box::new(tar), source);
    }
    if head.starts_with(sevenz::MAGIC) {
        let sevenz::Opened { fs, plain } = SevenZip::open(&source, embedded, limit, &**scratch)?;
        let unpacked = plain.len();
        return Ok(Some(Archive { kind: "7z", fs: Box::new(fs), source: plain, problems: vec![], unpacked }));
    }
    let Some(packing) = Packing::recognise(&head) else { return Ok(None) };
    let unpacked = unpack(packing, &*source, limit, &**scratch)?;
    let inner = unpacked.source;
    let (kind, fs): (_, Box<dyn FileSystem>) = if is_tar(&read_up_to(&inner, 0, 512)?) {
        (packing.tar_kind(), Box::new(Tar::open_with_state(Arc::clone(&inner), embedded)?))
    } else {
        (packing.as_str(), Box::new(Single::new(packing, name, inner.len())))
    };
    let made = inner.len();
    Ok(Some(Archive { kind, fs, source: inner, problems: unpacked.problems, unpacked: made }))
}

/// The one content of a compressed file.
struct Single {
    path: String,
    facts: VolumeFacts,
}

impl Single {
    fn new(packing: Packing, name: &str, size: u64) -> Self {
        // The name that the file would have without its last extension; what is stored inside says nothing reliable.
        let inner = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let inner = if inner.is_empty() { "content" } else { inner };
        let facts = VolumeFacts {
            kind: packing.as_str(),
            label: None,
            serial: None,
            cluster_size: 0,
            size,
            time_source: "A compressed file gives its content no times of its own.",
        };
        Self { path: format!("/{inner}"), facts }
    }
}

impl FileSystem for Single {
    fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    fn walk(&self, visitor: &mut dyn Visitor) -> Result<(), ReadError> {
        let size = self.facts.size;
        let whole = Extent { logical: 0, length: size, location: Location::At(0) };
        let _ = visitor.entry(Entry {
            path: self.path.clone(),
            stream: None,
            kind: EntryKind::File,
            state: AllocationState::Embedded,
            number: 0,
            size,
            times: Times::default(),
            content: Content::Mapped(Mapped { extents: if size > 0 { vec![whole] } else { vec![] } }),
            notes: vec![],
        });
        Ok(())
    }

    fn unallocated(&self) -> Result<Vec<Run>, ReadError> {
        Ok(vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_read_at_any_place() {
        let volume: Arc<dyn Source> = Arc::new(MemorySource((0..100).collect()));
        let extents = vec![
            Extent { logical: 0, length: 4, location: Location::At(10) },
            Extent { logical: 4, length: 3, location: Location::Zero },
            Extent { logical: 7, length: 8, location: Location::At(50) },
        ];
        let pieces = Pieces { volume: Arc::clone(&volume), extents: extents.clone(), size: 9 };
        let whole = [10, 11, 12, 13, 0, 0, 0, 50, 51];
        for start in 0..=9usize {
            for length in 0..12 {
                let mut buf = vec![9; length];
                let n = pieces.read_at(start as u64, &mut buf).unwrap();
                assert_eq!(&buf[..n], &whole[start..(start + length).min(9)]);
            }
        }
        let short = Pieces { volume, extents, size: 20 };
        assert!(short.read_at(14, &mut [0; 4]).is_err(), "an extent that is missing is no zeros");
    }
}
