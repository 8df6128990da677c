//! Where a workplace keeps its compiled sets.
//!
//! ```text
//! FOLDER/NAME/1.avset      version 1, never changed
//! FOLDER/NAME/2.avset      version 2, made from version 1
//! FOLDER/NAME/log.jsonl    who made or removed which version, when and why; one line each, only ever appended to
//! ```
//! A compiled set says by itself what it was made from. What depends on the clock and the person stands in the log, so
//! that the same sources give the same set everywhere. A number is never given twice, not even after a removal.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use avocet_base::Sha256;
use serde::{Deserialize, Serialize};

use crate::compiled::{CompileJob, SetFile, SetInfo, compile, remap};
use crate::error::KnownError;
use crate::scheme::Scheme;
use crate::sets::LoadProgress;

/// Ending of a compiled set's file.
const EXTENSION: &str = "avset";

/// A set, and which version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetRef {
    /// Its name.
    pub name: String,
    /// The version; `None` for the latest.
    pub version: Option<u32>,
}

impl std::fmt::Display for SetRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}@{version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

impl std::str::FromStr for SetRef {
    type Err = StoreError;

    /// Reads `NAME` or `NAME@VERSION`. A name is 1 to 64 of the letters a to z, digits, `-`, `_` and `.`, and does not
    /// begin with a full stop: it is the name of a folder.
    fn from_str(text: &str) -> Result<SetRef, StoreError> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => {
                let number = version.parse().ok().filter(|n| *n > 0);
                (name, Some(number.ok_or_else(|| StoreError::Name { name: text.to_owned() })?))
            }
            None => (text, None),
        };
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.bytes().all(allowed) {
            return Err(StoreError::Name { name: text.to_owned() });
        }
        Ok(SetRef { name: name.to_owned(), version })
    }
}

/// Why a set could not be made, found or removed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not a set's name.
    #[error(
        "`{name}` is no name of a set: use 1 to 64 letters, digits, `-`, `_` or `.`, and NAME@VERSION for one version"
    )]
    Name {
        /// As given.
        name: String,
    },
    /// A set of that name is there.
    #[error("there is a set {name} already; use `avocet sets update {name} …` for a new version, or another name")]
    Exists {
        /// Its name.
        name: String,
    },
    /// No such set or version.
    #[error("there is no set {wanted}; {there}")]
    Missing {
        /// As asked for.
        wanted: String,
        /// What is there, a clause.
        there: String,
    },
    /// Somebody else is making a version of this set.
    #[error("another program is making a version of the set {name}; wait until it is done")]
    Busy {
        /// Its name.
        name: String,
    },
    /// The folder cannot be read or written.
    #[error("cannot use the folder of known sets {}: {reason}", path.display())]
    Io {
        /// Folder or file.
        path: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// The set itself.
    #[error(transparent)]
    Known(#[from] KnownError),
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    move |e| StoreError::Io { path: path.to_owned(), reason: e.to_string() }
}

/// What was done to the sets of one name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When, UTC.
    pub time: String,
    /// By whom.
    pub user: String,
    /// `import`, `update`, `remap` or `remove`.
    pub act: String,
    /// The version made or removed.
    pub version: u32,
    /// Names exactly that version.
    pub digest: Sha256,
    /// Why, where somebody said so.
    pub note: Option<String>,
}

/// Who does something, when and why.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// When, UTC, as it is to be written.
    pub time: &'a str,
    /// By whom.
    pub user: &'a str,
    /// Why.
    pub note: Option<&'a str>,
}

/// A version that was made.
#[derive(Debug)]
pub struct Made {
    /// The set and its version.
    pub set: SetRef,
    /// What it says of itself.
    pub info: SetInfo,
}

/// A folder of compiled sets.
#[derive(Debug, Clone)]
pub struct SetStore {
    folder: PathBuf,
}

impl SetStore {
    /// The sets in this folder, which need not be there yet.
    pub fn at(folder: &Path) -> SetStore {
        SetStore { folder: folder.to_owned() }
    }

    /// The names of the sets, sorted; those of which every version was removed included.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(e) => return Err(io(&self.folder)(e)),
        };
        let mut names = vec![];
        for entry in entries {
            let name = entry.map_err(io(&self.folder))?.file_name();
            names.extend(name.to_str().filter(|n| n.parse::<SetRef>().is_ok()).map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    /// The versions of a set that are there, in order.
    ///
    /// # Errors
    /// [`StoreError::Io`].
    pub fn versions(&self, name: &str) -> Result<Vec<u32>, StoreError> {
        let folder = self.folder.join(name);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(e) => return Err(io(&folder)(e)),
        };
        let mut versions = vec![];
        for entry in entries {
            let path = PathBuf::from(entry.map_err(io(&folder))?.file_name());
            if path.extension().is_some_and(|e| e == EXTENSION) {
                versions.extend(path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse::<u32>().ok()));
            }
        }
        versions.sort_unstable();
        Ok(versions)
    }

    fn file(&self, name: &str, version: u32) -> PathBuf {
        self.folder.join(name).join(format!("{version}.{EXTENSION}"))
    }

    /// The exact version that is meant, and its file.
    ///
    /// # Errors
    /// [`StoreError::Missing`], which says what is there.
    pub fn find(&self, wanted: &SetRef) -> Result<(SetRef, PathBuf), StoreError> {
        let versions = self.versions(&wanted.name)?;
        let version = match wanted.version {
            Some(version) => versions.iter().copied().find(|v| *v == version),
            None => versions.last().copied(),
        };
        match version {
            Some(version) => {
                Ok((SetRef { name: wanted.name.clone(), version: Some(version) }, self.file(&wanted.name, version)))
            }
            None => {
                let there = if versions.is_empty() {
                    let mut names = self.names()?;
                    names.retain(|n| self.versions(n).is_ok_and(|v| !v.is_empty()));
                    if names.is_empty() {
                        "there is none yet; make one with `avocet sets import`".to_owned()
                    } else {
                        format!("there are: {}", names.join(", "))
                    }
                } else {
                    let numbers: Vec<String> = versions.iter().map(u32::to_string).collect();
                    format!("its versions are {}", numbers.join(", "))
                };
                Err(StoreError::Missing { wanted: wanted.to_string(), there })
            }
        }
    }

    /// Opens a set.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and as [`SetFile::open`].
    pub fn open(&self, wanted: &SetRef) -> Result<(SetRef, SetFile), StoreError> {
        let (exact, path) = self.find(wanted)?;
        Ok((exact, SetFile::open(&path)?))
    }

    /// What was done to the sets of a name, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Io`]; a line that is no entry is one.
    pub fn log(&self, name: &str) -> Result<Vec<LogEntry>, StoreError> {
        let path = self.folder.join(name).join("log.jsonl");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(e) => return Err(io(&path)(e)),
        };
        let entry = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|e| StoreError::Io {
                path: path.clone(),
                reason: format!("line {} is damaged ({e}); the sets themselves are not concerned", number + 1),
            })
        };
        text.lines().enumerate().map(entry).collect()
    }

    /// Compiles files into the first version of a new set.
    ///
    /// # Errors
    /// [`StoreError::Exists`], and as [`compile`]. Nothing is left behind then.
    pub fn import(
        &self,
        name: &str,
        job: &CompileJob<'_>,
        act: Act<'_>,
        progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<Made, StoreError> {
        let set: SetRef = name.parse()?;
        if set.version.is_some() {
            return Err(StoreError::Name { name: name.to_owned() });
        }
        let fresh = !self.folder.join(name).is_dir();
        let lock = self.lock(name)?;
        if !self.versions(name)?.is_empty() {
            return Err(StoreError::Exists { name: name.to_owned() });
        }
        let made = self.make(name, "import", act, |out| compile(job, out, progress));
        drop(lock);
        if made.is_err() && fresh {
            // A folder without any version would stand in the list as a set that was removed.
            let folder = self.folder.join(name);
            let _ = fs::remove_file(folder.join("lock"));
            let _ = fs::remove_dir(folder);
        }
        made
    }

    /// Applies further files to the latest version of a set; deletions in them take records away. The categories are
    /// read with the scheme of that version, which the caller has opened.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and as [`compile`].
    pub fn update(
        &self,
        name: &str,
        paths: &[PathBuf],
        scheme: &Scheme,
        memory: usize,
        act: Act<'_>,
        progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<Made, StoreError> {
        let latest = SetRef { name: name.to_owned(), version: None };
        self.find(&latest)?;
        let _lock = self.lock(name)?;
        let (_, base) = self.open(&latest)?;
        let job = CompileJob { base: Some(&base), note: act.note, memory, ..CompileJob::new(name, paths, scheme) };
        self.make(name, "update", act, |out| compile(&job, out, progress))
    }

    /// Makes a version of a set whose categories are read with another scheme.
    ///
    /// # Errors
    /// [`StoreError::Missing`], and as [`remap`].
    pub fn remap(
        &self,
        name: &str,
        scheme: &Scheme,
        act: Act<'_>,
        progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<Made, StoreError> {
        let latest = SetRef { name: name.to_owned(), version: None };
        self.find(&latest)?;
        let _lock = self.lock(name)?;
        let (_, base) = self.open(&latest)?;
        self.make(name, "remap", act, |out| remap(&base, scheme, act.note, out, progress))
    }

    /// Removes one version. The log keeps that it was there, and its digest.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::Io`].
    pub fn remove(&self, wanted: &SetRef, act: Act<'_>) -> Result<SetRef, StoreError> {
        self.find(wanted)?;
        let _lock = self.lock(&wanted.name)?;
        let (exact, path) = self.find(wanted)?;
        let version = exact.version.unwrap_or_default();
        // A damaged set cannot say its digest, and must be removable all the same.
        let digest = match SetFile::open(&path) {
            Ok(set) => set.digest(),
            Err(_) => {
                let logged = self.log(&exact.name)?;
                logged.iter().rev().find(|e| e.version == version).map_or(Sha256([0; 32]), |e| e.digest)
            }
        };
        self.append(&exact.name, act, "remove", version, digest)?;
        fs::remove_file(&path).map_err(io(&path))?;
        Ok(exact)
    }

    fn make(
        &self,
        name: &str,
        what: &str,
        act: Act<'_>,
        write: impl FnOnce(&Path) -> Result<SetInfo, KnownError>,
    ) -> Result<Made, StoreError> {
        let logged = self.log(name)?.iter().map(|e| e.version).max().unwrap_or_default();
        let version = self.versions(name)?.last().copied().unwrap_or_default().max(logged).saturating_add(1);
        let path = self.file(name, version);
        let info = write(&path)?;
        if let Err(e) = self.append(name, act, what, version, info.digest) {
            let _ = fs::remove_file(&path);
            return Err(e);
        }
        Ok(Made { set: SetRef { name: name.to_owned(), version: Some(version) }, info })
    }

    fn append(&self, name: &str, act: Act<'_>, what: &str, version: u32, digest: Sha256) -> Result<(), StoreError> {
        let path = self.folder.join(name).join("log.jsonl");
        let entry = LogEntry {
            time: act.time.to_owned(),
            user: act.user.to_owned(),
            act: what.to_owned(),
            version,
            digest,
            note: act.note.map(str::to_owned),
        };
        let written = serde_json::to_string(&entry).map_err(std::io::Error::from).and_then(|line| {
            let mut file = OpenOptions::new().append(true).create(true).open(&path)?;
            file.write_all(format!("{line}\n").as_bytes())?;
            file.sync_all()
        });
        written.map_err(io(&path))
    }

    /// Holds other programs off until it is dropped.
    fn lock(&self, name: &str) -> Result<File, StoreError> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder).map_err(io(&folder))?;
        let path = folder.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StoreError::Busy { name: name.to_owned() }),
            Err(TryLockError::Error(e)) => Err(io(&path)(e)),
        }
    }
}
