//! Runs one piece of evidence through the whole chain under a watch, and holds the result against what must be true of
//! every result.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Once, mpsc};
use std::time::{Duration, Instant};

use avocet_evidence::scratch::{Access, Secret};
use avocet_evidence::{Content, Entry, EntryKind, Evidence, Problem, VisitResult, Visitor, VolumeState};
use avocet_examination::{Examination, FileFilter, ReadError, verify};
use avocet_examine::{Options, Silent, examine};
use avocet_known::KnownSets;

use crate::base::PASSWORD;

/// The longest that one mutant may take, from opening to the verified result.
pub const LONGEST: Duration = Duration::from_secs(10);
/// The most memory that the process may ever have used, in KiB.
pub const MOST_MEMORY_KIB: u64 = 600 * 1024;

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> Option<usize> {
        self.next().checked_rem(bound as u64).map(|n| n as usize)
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len()).unwrap()]
    }
}

/// What became of one mutant.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Refused with a sentence, as a whole.
    pub refused: bool,
    pub rows: u64,
    /// Rows of members of archives among the files.
    pub members: u64,
    pub problems: u64,
    /// The codes of the problems.
    pub codes: BTreeSet<String>,
    pub sealed_bytes: u64,
    pub took: Duration,
}

/// How to examine.
#[derive(Debug, Clone, Copy)]
pub struct How {
    pub image_digest: bool,
    /// Examine a second time with another number of threads, and compare.
    pub twice: bool,
    /// Whether the password of what is encrypted is given. What looks random is then tried as a volume that carries no mark,
    /// which takes its time.
    pub password: bool,
}

/// What the one panic says that is made on purpose.
pub const ON_PURPOSE: &str = "broken on purpose";

static PANICS: AtomicUsize = AtomicUsize::new(0);

/// Counts panics of every thread: one that a join swallowed would be no less of a defect.
fn watch_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A test's own assertion, and the panic that a test makes on purpose, are none of the product's.
            let thread = std::thread::current();
            let a_test = thread.name().is_some_and(|n| n.starts_with("hostile::") || n.starts_with("fixed::"));
            let on_purpose = info.payload_as_str().is_some_and(|text| text == ON_PURPOSE);
            PANICS.fetch_add(usize::from(!a_test && !on_purpose), Ordering::SeqCst);
            before(info);
        }));
    });
}

pub fn panics() -> usize {
    PANICS.load(Ordering::SeqCst)
}

/// The most memory this process ever had resident, in KiB.
pub fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

/// What the readers themselves say, walked without the pipeline.
#[derive(Default)]
struct Walked {
    entries: u64,
    /// Files that have no content by their nature, such as the list of bad clusters of an NTFS.
    contentless: u64,
    problems: Vec<Problem>,
}

impl Visitor for Walked {
    fn entry(&mut self, entry: Entry) -> VisitResult {
        self.entries += 1;
        self.contentless += u64::from(entry.kind == EntryKind::File && matches!(entry.content, Content::None));
        VisitResult::Continue(())
    }

    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }
}

pub fn options(out: PathBuf, how: How, threads: usize) -> Options {
    Options {
        media: None,
        exhibit: "HOSTILE/1".parse().unwrap(),
        out,
        image_digest: how.image_digest,
        threads: threads.try_into().unwrap(),
        key: None,
        archives: true,
        scratch: std::sync::Arc::new(avocet_evidence::scratch::InMemory::new(64 << 20)),
        run: vec![],
        corroborate: None,
        journal: None,
        begun_with: vec![],
    }
}

type Key = (Option<i64>, String, String, Option<u64>, Option<String>, String);

fn key(volume: Option<i64>, p: &Problem) -> Key {
    (volume, p.layer.into(), p.code.into(), p.offset, p.path.clone(), p.detail.clone())
}

/// Examines what lies at `path` and checks everything that must hold of any evidence. The errors are sentences.
fn chain(path: &Path, dir: &Path, input: u64, how: How) -> Result<Outcome, String> {
    let began = Instant::now();
    let password = how.password.then(|| Secret::new(PASSWORD.as_bytes().to_vec()));
    let evidence = match Evidence::open_with(path, &Access { password, ..Access::default() }) {
        Ok(evidence) => evidence,
        Err(error) => {
            let refused = !error.to_string().trim().is_empty();
            return Ok(Outcome { refused, took: began.elapsed(), ..Outcome::default() });
        }
    };
    let known = KnownSets::load(&[], &mut |_| {}).unwrap();
    let out = dir.join("out.examination");
    let done =
        examine(&evidence, &known, options(out.clone(), how, 3), &Silent).map_err(|e| format!("examine: {e}"))?;
    let verified = verify(&out, None, None).map_err(|e| format!("verify: {e}"))?;
    if !verified.passed() || verified.result_digest != Some(done.sealed.result_digest) {
        return Err(format!("the sealed file does not verify: {:?}", verified.findings));
    }
    let mut outcome =
        Outcome { sealed_bytes: std::fs::metadata(&out).map_err(|e| e.to_string())?.len(), ..Outcome::default() };
    if how.twice {
        let again = dir.join("again.examination");
        let second =
            examine(&evidence, &known, options(again, how, 1), &Silent).map_err(|e| format!("second run: {e}"))?;
        if second.sealed.result_digest != done.sealed.result_digest {
            return Err("one thread and three give different results".into());
        }
    }
    listed(&evidence, &out, input, &mut outcome)?;
    outcome.took = began.elapsed();
    Ok(outcome)
}

/// Holds the sealed rows against the evidence: every entry and problem is there, and nothing without bounds.
fn listed(evidence: &Evidence, out: &Path, input: u64, outcome: &mut Outcome) -> Result<(), String> {
    let sealed = Examination::open(out).map_err(|e| format!("open: {e}"))?;
    let mut stated: BTreeMap<Key, u64> = BTreeMap::new();
    for p in sealed.problems().map_err(|e| e.to_string())? {
        outcome.problems += 1;
        outcome.codes.insert(p.code.clone());
        *stated.entry((p.volume, p.layer, p.code, p.offset, p.path, p.detail)).or_default() += 1;
    }
    let mut expected: Vec<Key> = evidence.problems.iter().map(|p| key(None, p)).collect();
    let (mut entries, mut contentless, mut silent) = (0, 0, 0);
    for (id, volume) in (1i64..).zip(&evidence.volumes) {
        let VolumeState::Read { fs, .. } = &volume.state else { continue };
        let mut walked = Walked::default();
        let ended = fs.walk(&mut walked);
        entries += walked.entries;
        contentless += walked.contentless;
        // The list is cut at 10,000 of a kind, and the rest is counted.
        if walked.problems.len() <= 10_000 {
            expected.extend(walked.problems.iter().map(|p| key(Some(id), p)));
        }
        if let Err(e) = ended {
            let found = stated.keys().any(|k| k.0 == Some(id) && k.2 == "enumeration-ended" && k.3 == Some(e.offset));
            if !found {
                return Err("a walk that ended early is not listed".into());
            }
        }
    }
    for problem in expected {
        match stated.get_mut(&problem) {
            Some(n) if *n > 0 => *n -= 1,
            _ => return Err(format!("a problem is not listed: {}/{}", problem.1, problem.2)),
        }
    }
    let mut recovered: BTreeMap<i64, u64> = BTreeMap::new();
    let mut wrong = None;
    sealed
        .files::<ReadError>(&FileFilter::default(), &mut |view| {
            let f = view.file;
            // Members of archives are held against their archives elsewhere (`archives`).
            if f.parent.is_some() {
                if f.state != "embedded" || f.sha256.is_some() && f.unreadable.is_some() {
                    wrong = Some("a member of an archive is not as members are");
                }
                outcome.members += 1;
                return Ok(ControlFlow::Continue(()));
            }
            outcome.rows += 1;
            if f.kind == "file" && f.sha256.is_none() && f.unreadable.is_none() {
                silent += 1;
            }
            if f.sha256.is_some() && f.unreadable.is_some() {
                wrong = Some("a file has a digest and a reason why it has none");
            }
            if f.sha256.is_some() && f.state != "allocated" {
                let sum = recovered.entry(f.volume).or_default();
                *sum = sum.saturating_add(f.size);
            }
            Ok(ControlFlow::Continue(()))
        })
        .map_err(|e| format!("rows: {e}"))?;
    if let Some(wrong) = wrong {
        return Err(wrong.into());
    }
    if silent != contentless {
        return Err(format!("{silent} files have neither a digest nor a reason, and {contentless} have no content"));
    }
    if outcome.rows != entries {
        return Err(format!("{} rows for {entries} entries", outcome.rows));
    }
    // See `archives.rs`: so many for each archive, and there are no more archives than rows.
    if outcome.members > outcome.rows * 20_000 + input {
        return Err(format!("{} members of archives out of {input} bytes", outcome.members));
    }
    // No file system keeps a file in fewer than 32 bytes, and volumes may overlap once.
    if outcome.rows > input / 16 + 64 {
        return Err(format!("{} rows out of {input} bytes", outcome.rows));
    }
    if outcome.sealed_bytes > 16 * input + (8 << 20) {
        return Err(format!("a result of {} bytes out of {input}", outcome.sealed_bytes));
    }
    for (id, volume) in (1i64..).zip(&evidence.volumes) {
        let VolumeState::Read { fs, .. } = &volume.state else { continue };
        let bytes = recovered.get(&id).copied().unwrap_or(0);
        if bytes > volume.length.max(fs.facts().size) {
            return Err(format!("{bytes} bytes recovered out of a volume of {}", volume.length));
        }
    }
    Ok(())
}

/// Writes the files of an image and runs the chain on the first of them, under a watch. The error is a sentence.
pub fn watched(files: Vec<(String, Vec<u8>)>, how: How) -> Result<Outcome, String> {
    watch_panics();
    let before = panics();
    let (send, receive) = mpsc::channel();
    std::thread::Builder::new()
        .name("mutant".into())
        .spawn(move || {
            let result = std::panic::catch_unwind(|| {
                let dir = tempfile::tempdir().unwrap();
                let input: usize = files.iter().map(|f| f.1.len()).sum();
                for (name, bytes) in &files {
                    std::fs::write(dir.path().join(name), bytes).unwrap();
                }
                chain(&dir.path().join(&files[0].0), dir.path(), input as u64, how)
            });
            let _ = send.send(result.unwrap_or_else(|_| Err("a panic".into())));
        })
        .unwrap();
    // Twice the time where the work is done twice.
    let limit = if how.twice { LONGEST * 2 } else { LONGEST };
    let outcome = receive.recv_timeout(limit).unwrap_or_else(|_| Err(format!("no end after {limit:?}")))?;
    if panics() != before {
        return Err("a panic in a thread".into());
    }
    Ok(outcome)
}
