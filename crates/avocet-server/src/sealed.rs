//! The sealed examinations in the folder that the server was started with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use avocet_base::Sha256;
use avocet_examination::{CompletenessRow, EvidenceRow, Examination, KnownSetRow, ProblemRow, ReadError, Summary};

use crate::fault::Fault;
use crate::folders;

/// How the names of sealed results end.
pub const EXAMINATION: &str = ".examination";
/// Problems that a page lists; all are counted.
const PROBLEMS: usize = 100;

/// What a page says of one, the completeness first.
#[derive(Debug)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Names it.
    pub result: Sha256,
    /// The exhibit whose reference it states.
    pub exhibit: String,
    /// What was examined.
    pub evidence: EvidenceRow,
    /// When it began, as it says.
    pub started: String,
    /// How much had been read, where its examination had not ended when it was sealed.
    pub interim: Option<String>,
    /// How complete it is, in its order.
    pub completeness: Vec<CompletenessRow>,
    /// The sets that it was matched with.
    pub known: Vec<KnownSetRow>,
    /// The first problems.
    pub problems: Vec<ProblemRow>,
    /// How many there are.
    pub all_problems: usize,
}

type Key = (u64, Option<SystemTime>);
type Known = HashMap<PathBuf, (Key, Option<Arc<Found>>)>;

/// What was read of them before: a file that is the same is not read again.
#[derive(Debug, Default)]
pub struct Sealed(Mutex<Known>);

impl Sealed {
    /// Every examination in the folder, and how many files that look like one cannot be read.
    pub fn all(&self, folder: &Path) -> Result<(Vec<Arc<Found>>, usize), Fault> {
        let listed = folders::list(folder, |name, is_folder| !is_folder && name.ends_with(EXAMINATION))?;
        let (mut all, mut unreadable) = (vec![], listed.left_out.saturating_add(listed.more));
        for entry in listed.entries {
            match self.one(&entry.path) {
                Some(found) => all.push(found),
                None => unreadable = unreadable.saturating_add(1),
            }
        }
        Ok((all, unreadable))
    }

    /// One by its path.
    pub fn one(&self, path: &Path) -> Option<Arc<Found>> {
        let facts = std::fs::metadata(path).ok()?;
        let key = (facts.len(), facts.modified().ok());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some((_, found)) = known.filter(|(before, _)| *before == key) {
            return found;
        }
        let found = read(path).ok().map(Arc::new);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(path.to_owned(), (key, found.clone()));
        found
    }
}

fn read(path: &Path) -> Result<Found, ReadError> {
    let examination = Examination::open(path)?;
    let evidence = examination.evidence()?.into_iter().next().unwrap_or_default();
    let runs = examination.runs()?;
    let started = runs.into_iter().find(|(name, _)| name == "started").map_or_else(String::new, |(_, at)| at);
    let interim = examination.interim()?;
    let mut problems = examination.problems()?;
    let all_problems = problems.len();
    problems.truncate(PROBLEMS);
    Ok(Found {
        path: path.to_owned(),
        result: examination.result_digest()?,
        exhibit: evidence.exhibit.clone().unwrap_or_default(),
        evidence,
        started,
        interim,
        completeness: examination.completeness()?,
        known: examination.known_sets()?,
        problems,
        all_problems,
    })
}

/// What it found, in numbers: one pass over all its files.
pub fn summary(found: &Found) -> Result<Summary, Fault> {
    let read = Examination::open(&found.path).and_then(|examination| examination.summary());
    read.map_err(|_| Fault::Server("read the examination"))
}
