//! What an examination that did not finish leaves, so that another run can go on: a file of records beside the result.
//!
//! It holds what reading the evidence gave and nothing that follows from it: digests, formats, descriptions of pictures,
//! the digest of the whole image, and where small pictures lie in their store. Matches are looked up anew. Records are
//! chained by a check, so that a record cut off by a kill, a full disk or a power cut ends the file there. For the same
//! reason another process can read it while it is being written: an interim result is made of what it says by then.
//!
//! ```text
//! file    magic (24 bytes)  record*
//! record  u32 length of the body   u8 kind   body   8 bytes: SHA-256(the check before, kind, body), cut
//! ```

use std::collections::{BTreeMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use avocet_base::Sha256;
use avocet_digest::TripleHasher;

use crate::image::ImageDigests;
use crate::tasks::{Found, Window};

mod code;

use code::{In, Out};

const MAGIC: [u8; 24] = *b"AVOCET-JOURNAL 1\r\n\x1a\n\0\0\0\0";
const CHECK: usize = 8;
/// Longer than any record: 512 entries with a picture each whose metadata are long.
const LONGEST: u32 = 1 << 30;
/// How often everything is brought to the disk, which only a power cut makes necessary.
const SYNC_EVERY: Duration = Duration::from_secs(10);
/// How long a lock is waited for that another run may be giving up.
const LOCK_WAIT: Duration = Duration::from_secs(1);

const SETTINGS: u8 = 1;
const STORED: u8 = 2;
const DONE: u8 = 3;
const IMAGE: u8 = 4;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is one already, and nobody asked to go on.
    #[error(
        "an examination to this place did not finish: what it had read is in {path}. Add --resume to finish it, or remove \
         that file to begin anew"
    )]
    Unfinished {
        /// The journal.
        path: String,
    },
    /// Another run writes it.
    #[error("another examination is writing to the same place ({path}). Wait for it, or choose another name")]
    InUse {
        /// The journal.
        path: String,
    },
    /// What it says of the examination that was begun is not what is asked now.
    #[error(
        "the unfinished examination was begun with another {what}, and can only be finished as it was begun. Give the \
         same, or remove {path} to begin anew"
    )]
    Other {
        /// The journal.
        path: String,
        /// What differs.
        what: String,
    },
    /// An entry is not what it was.
    #[error(
        "the evidence is not what it was when the examination began: what is listed now differs from the journal {path}. \
         Find out what changed it; remove the journal to begin anew"
    )]
    Changed {
        /// The journal.
        path: String,
    },
    /// It is no journal of this version.
    #[error("{path} is no journal that this program can read. Remove it to begin anew")]
    NotAJournal {
        /// The file.
        path: String,
    },
    /// There is none to look at.
    #[error(
        "no examination to this place runs or was interrupted: there is no {path}. Where it has finished, its sealed result \
         says everything"
    )]
    Nothing {
        /// The journal.
        path: String,
    },
    /// It says nothing yet.
    #[error("the examination has only begun: no file was read yet. Ask again a little later")]
    OnlyBegun,
    /// The disk is full.
    #[error("no space left for {path}. Free some, then finish with --resume: what was read so far is kept")]
    DiskFull {
        /// The journal.
        path: String,
    },
    /// The operating system refuses.
    #[error("{path} cannot be read or written: {reason}. What was read so far is kept; --resume goes on with it")]
    Io {
        /// The journal.
        path: String,
        /// Why.
        reason: String,
    },
}

fn io_error(path: &Path, error: &std::io::Error) -> JournalError {
    let path = path.display().to_string();
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => JournalError::DiskFull { path },
        _ => JournalError::Io { path, reason: error.kind().to_string() },
    }
}

/// Where the journal of an examination lies: `X.journal` beside `X`.
pub fn journal_path(examination: &Path) -> PathBuf {
    examination.with_added_extension("journal")
}

/// The records of a run, and what an earlier one left.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<Tail>,
    earlier: Earlier,
    /// Whether it is another run's, which may be writing it now: it is read and never changed.
    watched: bool,
}

#[derive(Debug)]
struct Tail {
    file: File,
    check: [u8; CHECK],
    /// How long the file is, up to the last whole record.
    length: u64,
    records: u64,
    synced: Instant,
    broken: bool,
}

/// What an earlier run left.
#[derive(Debug, Default)]
struct Earlier {
    settings: Option<BTreeMap<String, String>>,
    /// Small pictures in the order in which they were stored.
    stored: Vec<(Sha256, [u8; 8])>,
    /// For each window the records of its entries: where the body begins and how long it is.
    windows: BTreeMap<u64, Vec<(u64, usize)>>,
    /// Contents that were described, and whether small pictures were made of them.
    described: Vec<(Sha256, bool)>,
    image: Option<ImageDigests>,
}

fn chained(before: &[u8; CHECK], kind: u8, body: &[u8]) -> [u8; CHECK] {
    let mut hasher = TripleHasher::new();
    hasher.update(before);
    hasher.update(&[kind]);
    hasher.update(body);
    let Sha256(digest) = hasher.finish().sha256;
    digest.first_chunk().copied().unwrap_or_default()
}

impl Tail {
    /// Nothing of the file is read yet.
    fn of(file: File) -> Self {
        Self { file, check: [0; CHECK], length: 0, records: 0, synced: Instant::now(), broken: false }
    }
}

impl Journal {
    /// Begins the journal of an examination at `examination`, or opens the one that is there where `resume` says so.
    /// Without one, resuming is beginning.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(examination: &Path, resume: bool) -> Result<Journal, JournalError> {
        let path = journal_path(examination);
        let io = |e: std::io::Error| io_error(&path, &e);
        if !resume && path.symlink_metadata().is_ok() {
            return Err(JournalError::Unfinished { path: path.display().to_string() });
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(io)?;
        match lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse { path: path.display().to_string() }),
            // A file system without locks: two runs to one place cannot be told apart there.
            Err(TryLockError::Error(_)) => {}
        }
        let length = file.metadata().map_err(io)?.len();
        let mut tail = Tail::of(file);
        // Killed while it was being begun: nothing had been read.
        if length < MAGIC.len() as u64 {
            let begun = tail.file.set_len(0).and_then(|()| tail.file.write_all_at(&MAGIC, 0));
            if let Err(e) = begun {
                let _ = std::fs::remove_file(&path);
                return Err(io(e));
            }
            tail.length = MAGIC.len() as u64;
            return Ok(Journal { path, file: Mutex::new(tail), earlier: Earlier::default(), watched: false });
        }
        let earlier = load(&path, &mut tail)?;
        tail.file.set_len(tail.length).map_err(io)?;
        Ok(Journal { path, file: Mutex::new(tail), earlier, watched: false })
    }

    /// Reads what the examination at `examination` has noted so far, up to the last record that is whole, whether it runs
    /// or was interrupted. Nothing is locked and nothing is written: whoever runs it notices nothing.
    ///
    /// # Errors
    /// [`JournalError::Nothing`] where there is none, [`JournalError::OnlyBegun`] where it says nothing yet, and what the
    /// operating system refuses.
    pub fn watch(examination: &Path) -> Result<Journal, JournalError> {
        let path = journal_path(examination);
        let file = File::open(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => JournalError::Nothing { path: path.display().to_string() },
            _ => io_error(&path, &e),
        })?;
        if file.metadata().map_err(|e| io_error(&path, &e))?.len() < MAGIC.len() as u64 {
            return Err(JournalError::OnlyBegun);
        }
        let mut tail = Tail::of(file);
        let earlier = load(&path, &mut tail)?;
        if earlier.windows.is_empty() {
            return Err(JournalError::OnlyBegun);
        }
        // What the interim result points at must not be cut off by whoever goes on after a power cut.
        tail.file.sync_data().map_err(|e| io_error(&path, &e))?;
        Ok(Journal { path, file: Mutex::new(tail), earlier, watched: true })
    }

    /// Whether it is another run's, of which an interim result is made.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// A setting of the examination that was begun.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.earlier.settings.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether an examination was begun before this run.
    pub fn is_resumed(&self) -> bool {
        self.earlier.settings.is_some()
    }

    /// The small pictures that were stored, each with its place, in the order of the store.
    pub fn stored(&self) -> &[(Sha256, [u8; 8])] {
        &self.earlier.stored
    }

    /// Takes note of what decides the result, or holds it against what an earlier run noted.
    pub(crate) fn bind(&self, settings: &[(String, String)]) -> Result<(), JournalError> {
        let wanted: BTreeMap<String, String> = settings.iter().cloned().collect();
        let Some(begun) = &self.earlier.settings else {
            let mut out = Out::default();
            out.number(wanted.len() as u64);
            for (key, value) in &wanted {
                out.text(key);
                out.text(value);
            }
            return self.append(SETTINGS, &out.0);
        };
        let differs = begun.keys().chain(wanted.keys()).find(|key| begun.get(*key) != wanted.get(*key));
        match differs {
            Some(what) => {
                Err(JournalError::Other { path: self.path.display().to_string(), what: what.replace('_', " ") })
            }
            None => Ok(()),
        }
    }

    /// Contents that need not be described again: those that were, and whose small pictures, where any were made and are
    /// wanted, are in the store.
    pub(crate) fn described(&self, stored: Option<&HashSet<Sha256>>) -> HashSet<Sha256> {
        let usable = |(sha256, made): &&(Sha256, bool)| !made || stored.is_none_or(|s| s.contains(sha256));
        self.earlier.described.iter().filter(usable).map(|(sha256, _)| *sha256).collect()
    }

    /// The digests of the whole image, where they were taken.
    pub(crate) fn image(&self) -> Option<&ImageDigests> {
        self.earlier.image.as_ref()
    }

    /// What was found out about the entries of a window, by index.
    ///
    /// # Errors
    /// [`JournalError::Changed`] where the window's entries are not what they were.
    pub(crate) fn window(&self, window: &Window) -> Result<BTreeMap<usize, Found>, JournalError> {
        let mut all: BTreeMap<usize, Found> = BTreeMap::new();
        let changed = || JournalError::Changed { path: self.path.display().to_string() };
        for (offset, length) in self.earlier.windows.get(&window.number).into_iter().flatten() {
            let mut body = vec![0; *length];
            let tail = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            tail.file.read_exact_at(&mut body, *offset).map_err(|e| io_error(&self.path, &e))?;
            drop(tail);
            let mut input = In(&body);
            let (_, found) = code::done(&mut input).ok_or_else(changed)?;
            for (index, mark, mut one) in found {
                let entry = window.entries.get(index).ok_or_else(changed)?;
                if code::mark(window, entry) != mark {
                    return Err(changed());
                }
                // A file that was read twice keeps the description that either reading gave.
                if let Some(before) = all.remove(&index)
                    && one.picture.is_none()
                    && before.digests == one.digests
                {
                    (one.picture, one.small) = (before.picture, before.small);
                }
                all.insert(index, one);
            }
        }
        Ok(all)
    }

    /// Small pictures were stored.
    pub(crate) fn put(&self, sha256: &Sha256, place: [u8; 8]) -> Result<(), JournalError> {
        let mut out = Out::default();
        out.bytes(sha256.as_bytes());
        out.bytes(&place);
        self.append(STORED, &out.0)
    }

    /// A task was done. What could not be read is not noted: it is tried again.
    pub(crate) fn done(&self, window: &Window, found: &[(usize, Found)]) -> Result<(), JournalError> {
        self.append(DONE, &code::done_bytes(window, found))
    }

    /// The whole image was digested.
    pub(crate) fn image_done(&self, image: &ImageDigests) -> Result<(), JournalError> {
        self.append(IMAGE, &code::image_bytes(image))
    }

    /// Whether it is time to bring everything to the disk.
    pub(crate) fn sync_due(&self) -> bool {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).synced.elapsed() >= SYNC_EVERY
    }

    /// Brings everything to the disk. The store of small pictures goes first: what the journal says is there must be.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        let mut tail = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        tail.synced = Instant::now();
        tail.file.sync_data().map_err(|e| io_error(&self.path, &e))
    }

    fn append(&self, kind: u8, body: &[u8]) -> Result<(), JournalError> {
        let mut tail = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let length = u32::try_from(body.len()).ok().filter(|l| *l <= LONGEST);
        let Some(length) = length.filter(|_| !tail.broken) else {
            let reason = if tail.broken { "an earlier write failed" } else { "a record is too long" };
            return Err(JournalError::Io { path: self.path.display().to_string(), reason: reason.into() });
        };
        let check = chained(&tail.check, kind, body);
        let mut record = Vec::with_capacity(body.len() + 5 + CHECK);
        record.extend_from_slice(&length.to_le_bytes());
        record.push(kind);
        record.extend_from_slice(body);
        record.extend_from_slice(&check);
        if let Err(e) = tail.file.write_all_at(&record, tail.length) {
            tail.broken = true;
            return Err(io_error(&self.path, &e));
        }
        tail.check = check;
        tail.length += record.len() as u64;
        tail.records += 1;
        Ok(())
    }

    /// The result is sealed: nothing is left to go on with. One that is only watched stays.
    pub(crate) fn finish(self) {
        if !self.watched {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl Drop for Journal {
    /// A journal that says no more than how an examination was begun is of no use to anybody.
    fn drop(&mut self) {
        let tail = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        if tail.records <= 1 && self.earlier.settings.is_none() && !self.watched {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Locks the file. One that a killed run held is free a moment later where that run was just starting a worker, which has
/// its files open until it becomes the other program: a person would have to ask twice.
fn lock(file: &File) -> Result<(), TryLockError> {
    let asked = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if asked.elapsed() < LOCK_WAIT => std::thread::sleep(LOCK_WAIT / 100),
            other => return other,
        }
    }
}

/// Reads every record up to the first that is not whole.
fn load(path: &Path, tail: &mut Tail) -> Result<Earlier, JournalError> {
    let not_one = || JournalError::NotAJournal { path: path.display().to_string() };
    let mut input = BufReader::with_capacity(1 << 18, &tail.file);
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic).map_err(|e| io_error(path, &e))?;
    if magic != MAGIC {
        return Err(not_one());
    }
    let mut earlier = Earlier::default();
    let (mut at, mut check, mut records) = (MAGIC.len() as u64, [0; CHECK], 0);
    while let Some((kind, body, next)) = record(&mut input, &check) {
        let start = at + 5;
        let taken = earlier.take(kind, &body, start);
        // A record that is whole and not understood was written by another program.
        taken.ok_or_else(not_one)?;
        at = start + body.len() as u64 + CHECK as u64;
        (check, records) = (next, records + 1);
    }
    drop(input);
    if records > 0 && earlier.settings.is_none() {
        return Err(not_one());
    }
    (tail.check, tail.length, tail.records) = (check, at, records);
    Ok(earlier)
}

fn record(input: &mut impl Read, before: &[u8; CHECK]) -> Option<(u8, Vec<u8>, [u8; CHECK])> {
    let mut head = [0; 5];
    input.read_exact(&mut head).ok()?;
    let [a, b, c, d, kind] = head;
    let length = u32::from_le_bytes([a, b, c, d]);
    if length > LONGEST {
        return None;
    }
    let mut body = vec![];
    let got = input.take(u64::from(length)).read_to_end(&mut body).ok()?;
    let mut check = [0; CHECK];
    input.read_exact(&mut check).ok()?;
    (got as u64 == u64::from(length) && chained(before, kind, &body) == check).then_some((kind, body, check))
}

impl Earlier {
    fn take(&mut self, kind: u8, body: &[u8], start: u64) -> Option<()> {
        let mut input = In(body);
        match kind {
            SETTINGS => {
                let count = input.number()?;
                let pairs = (0..count).map(|_| Some((input.text()?, input.text()?)));
                self.settings = Some(pairs.collect::<Option<_>>()?);
            }
            STORED => self.stored.push((Sha256(input.array()?), input.array()?)),
            DONE => {
                let (number, found) = code::done(&mut input)?;
                self.windows.entry(number).or_default().push((start, body.len()));
                let pictures = found.iter().filter_map(|(_, _, one)| Some((one.picture.as_ref()?, one.small)));
                self.described.extend(pictures.map(|(p, small)| (p.picture.sha256, small)));
            }
            IMAGE => self.image = Some(code::image(&mut input)?),
            _ => return None,
        }
        Some(())
    }
}

/// What distinguishes evidence of which the list of files alone would not tell that it is another: its length, its
/// layout, and samples of its bytes.
pub(crate) fn evidence_mark(evidence: &avocet_evidence::Evidence) -> String {
    const SAMPLES: u64 = 64;
    const SAMPLE: usize = 4096;
    let mut hasher = TripleHasher::new();
    let mut take = |text: String| hasher.update(text.as_bytes());
    take(format!("{} {}\n", evidence.kind, evidence.scheme));
    for volume in &evidence.volumes {
        take(format!("{} {} {} {}\n", volume.name, volume.start, volume.length, volume.state.word()));
    }
    if let Some(container) = &evidence.container {
        let source = &container.source;
        take(format!("{:?} {}\n", container.stored_digests(), source.len()));
        let step = (source.len() / SAMPLES).max(SAMPLE as u64);
        let mut at = 0;
        while at < source.len() {
            // A damaged chunk is a fact of this evidence as well.
            match avocet_evidence::read_up_to(&**source, at, SAMPLE) {
                Ok(bytes) => hasher.update(&bytes),
                Err(e) => hasher.update(e.to_string().as_bytes()),
            }
            at += step;
        }
    }
    hasher.finish().sha256.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(value: &str) -> Vec<(String, String)> {
        vec![("a_setting".into(), value.into())]
    }

    #[test]
    fn a_torn_record_ends_the_journal_and_the_rest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let result = folder.path().join("x");
        let journal = Journal::open(&result, false).unwrap();
        journal.bind(&settings("1")).unwrap();
        journal.put(&Sha256([1; 32]), [1; 8]).unwrap();
        journal.put(&Sha256([2; 32]), [2; 8]).unwrap();
        assert!(matches!(Journal::open(&result, true), Err(JournalError::InUse { .. })));
        drop(journal);
        assert!(matches!(Journal::open(&result, false), Err(JournalError::Unfinished { .. })));
        let whole = std::fs::read(journal_path(&result)).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(journal_path(&result), &whole[..cut]).unwrap();
            let journal = Journal::open(&result, true).unwrap();
            let kept = journal.stored().len();
            assert!(journal.is_resumed() || kept == 0);
            assert_eq!(kept == 2, cut == whole.len(), "cut at {cut}");
            journal.put(&Sha256([3; 32]), [3; 8]).unwrap();
            drop(journal);
            if kept > 0 {
                // What is appended after the cut is read again.
                let stored = Journal::open(&result, true).unwrap().stored().to_vec();
                assert_eq!(stored.last(), Some(&(Sha256([3; 32]), [3; 8])));
                assert_eq!(stored.len(), kept + 1);
            }
        }
        std::fs::write(journal_path(&result), &whole).unwrap();
        let journal = Journal::open(&result, true).unwrap();
        journal.bind(&settings("1")).unwrap();
        assert!(journal.bind(&settings("2")).unwrap_err().to_string().contains("another a setting"));
        drop(journal);
        // A changed byte anywhere behind the magic ends the file there.
        for at in MAGIC.len()..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            std::fs::write(journal_path(&result), &changed).unwrap();
            assert!(Journal::open(&result, true).unwrap().stored().len() < 2, "byte {at}");
        }
        std::fs::write(journal_path(&result), b"something else that is long enough").unwrap();
        assert!(matches!(Journal::open(&result, true), Err(JournalError::NotAJournal { .. })));
    }
}
