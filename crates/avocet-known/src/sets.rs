//! Several known sets at once, and which of them know a file.

use std::path::{Path, PathBuf};

use avocet_base::Digests;

use crate::compiled::{CompileJob, SetFile, SetInfo, compile_into};
use crate::error::KnownError;
use crate::hit::Hit;
use crate::spec::{KnownSpec, SchemeRef};

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Sources are read.
    Reading,
    /// Records are put in order and written.
    Sorting,
    /// Indexes are made.
    Indexing,
}

/// How far loading has come.
#[derive(Debug, Clone, Copy)]
pub struct LoadProgress<'a> {
    /// What is being done.
    pub stage: Stage,
    /// The set being read, from 0.
    pub set: usize,
    /// How many sets there are.
    pub sets: usize,
    /// The set's file, as the user named it.
    pub path: &'a Path,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in the file; 0 where that is not known.
    pub total_bytes: u64,
    /// Records read, rejected ones included; after reading, rows done.
    pub records: u64,
    /// Whether the set has been read to its end.
    pub done: bool,
}

/// Known sets, each a compiled file. Look-ups need only a shared reference and may run on many threads at once.
#[derive(Debug, Default)]
pub struct KnownSets {
    infos: Vec<SetInfo>,
    files: Vec<SetFile>,
}

impl KnownSets {
    /// Opens compiled sets, and compiles the others into a temporary folder, in the order given. Nothing is left there,
    /// even where the program is killed.
    ///
    /// # Errors
    /// The first set that cannot be read completely stops the loading: a set that is half there would be taken for
    /// one that does not know a file. Single records that cannot be used do not stop it; they are counted.
    pub fn load(specs: &[KnownSpec], progress: &mut dyn FnMut(LoadProgress<'_>)) -> Result<KnownSets, KnownError> {
        // A wrong scheme in the last argument should not show only after the first set has been read.
        let open = |spec: &KnownSpec| match &spec.scheme {
            SchemeRef::Inside => Ok(None),
            scheme => scheme.open().map(Some),
        };
        let schemes = specs.iter().map(open).collect::<Result<Vec<_>, _>>()?;
        let mut sets = KnownSets::default();
        for (number, (spec, scheme)) in specs.iter().zip(&schemes).enumerate() {
            let Some(scheme) = scheme else {
                sets.push(SetFile::open(&spec.path)?);
                continue;
            };
            if SetFile::recognise(&spec.path) {
                let scheme = scheme.id.as_str().to_owned();
                return Err(KnownError::SchemeInside { path: spec.path.clone(), scheme });
            }
            let write = |e: std::io::Error| KnownError::Write {
                path: std::env::temp_dir(),
                reason: format!("the temporary folder cannot be used: {e}"),
            };
            let folder = tempfile::Builder::new().prefix("avocet-known-").tempdir().map_err(write)?;
            let name = spec.path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
            let job = CompileJob::new(&name, std::slice::from_ref(&spec.path), scheme);
            let out = folder.path().join("set.avset");
            compile_into(&job, &out, (number, specs.len()), false, progress)?;
            sets.push(SetFile::open(&out)?.called(&spec.path));
            // The map holds on to the file; its name is not needed any more.
            folder.close().map_err(write)?;
        }
        Ok(sets)
    }

    /// Opens compiled sets.
    ///
    /// # Errors
    /// As [`SetFile::open`].
    pub fn open(paths: &[PathBuf]) -> Result<KnownSets, KnownError> {
        let mut sets = KnownSets::default();
        paths.iter().try_for_each(|path| SetFile::open(path).map(|file| sets.push(file)))?;
        Ok(sets)
    }

    /// Adds a set behind the others.
    pub fn push(&mut self, file: SetFile) {
        self.infos.push(SetInfo { id: self.files.len(), ..file.info().clone() });
        self.files.push(file);
    }

    /// Says which version of its store a set is.
    pub fn set_version(&mut self, id: usize, version: Option<u32>) {
        if let Some(info) = self.infos.get_mut(id) {
            info.version = version;
        }
    }

    /// What the sets say of themselves, in the order in which they were named.
    pub fn sets(&self) -> &[SetInfo] {
        &self.infos
    }

    /// The sets' files, in the same order.
    pub fn files(&self) -> &[SetFile] {
        &self.files
    }

    /// Every statement of every set that shares at least one digest with a file of these digests and this size in
    /// bytes: by set, then by place in the set. Nothing is allocated where there is none. [`crate::verdict`] says what
    /// they come to.
    ///
    /// # Errors
    /// A damaged block in a compiled set on the way: nothing is answered from it.
    pub fn lookup(&self, digests: &Digests, size: u64) -> Result<Vec<Hit>, KnownError> {
        let mut hits = vec![];
        for (set, file) in self.files.iter().enumerate() {
            if file.surely_absent(digests) {
                continue;
            }
            hits.extend(file.lookup(digests, size)?.into_iter().map(|hit| Hit { set, ..hit }));
        }
        Ok(hits)
    }

    /// [`KnownSets::lookup`] for many files at once: each file's hits with its index in `files`, in order. Faster where
    /// the sets are larger than the processor's caches, as the waits for memory overlap.
    ///
    /// # Errors
    /// As [`KnownSets::lookup`].
    pub fn lookup_many(&self, files: &[(Digests, u64)]) -> Result<Vec<(usize, Hit)>, KnownError> {
        let mut hits = vec![];
        let mut first = 0;
        for chunk in files.chunks(TOGETHER) {
            for set in &self.files {
                chunk.iter().for_each(|(digests, _)| set.fetch(digests));
            }
            for (index, (digests, size)) in (first..).zip(chunk) {
                hits.extend(self.lookup(digests, *size)?.into_iter().map(|hit| (index, hit)));
            }
            first += chunk.len();
        }
        Ok(hits)
    }
}

/// Files whose lines are fetched together: enough for the waits to overlap, few enough for the nearest cache.
const TOGETHER: usize = 32;
