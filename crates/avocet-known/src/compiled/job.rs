//! Makes compiled sets: from sources, from an earlier version with changes, or under another scheme.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use avocet_base::Sha256;

use super::columns::{Columns, Plan, strings};
use super::fold::{Counts, Fold};
use super::layout::Kind;
use super::merge::{Failure, Merge};
use super::meta::{Meta, MetaCounts, MetaHistory, MetaScheme, MetaSource, MetaTally};
use super::rec::{Blob, Rec};
use super::sort::Sorter;
use super::{SetFile, SetInfo};
use crate::error::{KnownError, shown};
use crate::format::{self, check_parts};
use crate::intake::{EMPTY_CONTENT, Gather, Intake, Meter, Reporter, Tally};
use crate::scheme::Scheme;
use crate::sets::{LoadProgress, Stage};

/// Bytes of records that are held before they are sorted and written out, where nothing else is said.
pub const DEFAULT_MEMORY: usize = 256 << 20;

/// Records between two reports of progress.
const PROGRESS_EVERY: u64 = 65_536;

const IN_VAIN: &str = "deletion of a record that is not there";

/// What to compile.
#[derive(Debug, Clone, Copy)]
pub struct CompileJob<'a> {
    /// The set's name.
    pub name: &'a str,
    /// The sources; several are one set, read in this order.
    pub paths: &'a [PathBuf],
    /// What its categories mean. With a base it must be the base's scheme, word for word.
    pub scheme: &'a Scheme,
    /// Who published it, where the user knows better than the files.
    pub publisher: Option<&'a str>,
    /// The version that the sources change; its records come first.
    pub base: Option<&'a SetFile>,
    /// The user's remark for the history.
    pub note: Option<&'a str>,
    /// Bytes of records held before they are sorted and written out.
    pub memory: usize,
}

impl<'a> CompileJob<'a> {
    /// A first import with the usual memory.
    pub fn new(name: &'a str, paths: &'a [PathBuf], scheme: &'a Scheme) -> CompileJob<'a> {
        CompileJob { name, paths, scheme, publisher: None, base: None, note: None, memory: DEFAULT_MEMORY }
    }
}

/// Reads the sources and writes one compiled set to `out`, which must not be there yet. It appears under its name only
/// when it is complete; the same sources, scheme, base, name, publisher and note give the same bytes. Temporary files
/// lie in the folder of `out`, have no names, and need about as much room as the set itself.
///
/// # Errors
/// Whatever [`crate::KnownSets::load`] refuses; a base under another scheme; failures of writing. Nothing is left
/// behind then.
pub fn compile(
    job: &CompileJob<'_>,
    out: &Path,
    progress: &mut dyn FnMut(LoadProgress<'_>),
) -> Result<SetInfo, KnownError> {
    // Before anything is read: a set without one of its parts would not know the files that are listed there.
    let present = job.base.map_or(&[][..], |base| &base.meta.sources);
    check_parts(job.paths, &present.iter().map(|source| source.name.as_str()).collect::<Vec<_>>())?;
    compile_into(job, out, (0, 1), true, progress)
}

/// As [`compile`], as one of several sets. `lasting` makes sure that the file survives a loss of power.
pub(crate) fn compile_into(
    job: &CompileJob<'_>,
    out: &Path,
    number: (usize, usize),
    lasting: bool,
    progress: &mut dyn FnMut(LoadProgress<'_>),
) -> Result<SetInfo, KnownError> {
    // A part that cannot be opened should not show only after the parts before it have been read.
    job.paths.iter().try_for_each(|path| open(path).map(|_| ()))?;
    compile_with(job, out, number, lasting, progress, &mut read_source)
}

/// Reads one source into a set.
pub(super) type ReadSource<'r> = dyn FnMut(
        &Path,
        &CompileJob<'_>,
        &mut Work<'_>,
        (usize, usize),
        &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<Source, KnownError>
    + 'r;

/// As [`compile_into`], whatever reads the sources.
pub(super) fn compile_with(
    job: &CompileJob<'_>,
    out: &Path,
    number: (usize, usize),
    lasting: bool,
    progress: &mut dyn FnMut(LoadProgress<'_>),
    read: &mut ReadSource<'_>,
) -> Result<SetInfo, KnownError> {
    let mut work = Work::new(out, job.memory, lasting, job.base, job.scheme)?;
    if let Some(base) = job.base
        && base.info().scheme_digest != job.scheme.digest
    {
        let info = base.info();
        return Err(KnownError::BaseScheme {
            base: format!("{} {}", info.scheme, info.scheme_version),
            scheme: format!("{} {}", job.scheme.id, job.scheme.version),
        });
    }
    let mut meta = Meta {
        name: job.name.to_owned(),
        publisher: job.publisher.map(str::to_owned),
        importer: importer(),
        scheme: MetaScheme::of(job.scheme),
        kept_codes: vec![],
        sources: vec![],
        counts: MetaCounts::default(),
        rejected: vec![],
        deletions_without_record: MetaTally { source: 0, reason: IN_VAIN.to_owned(), count: 0, first: vec![] },
        warnings: vec![],
        categories: vec![],
        history: vec![],
    };
    if let Some(base) = job.base {
        let old = &base.meta;
        meta.publisher = meta.publisher.or_else(|| old.publisher.clone());
        meta.sources = old.sources.clone();
        meta.counts = old.counts.clone();
        meta.rejected = old.rejected.clone();
        meta.deletions_without_record = old.deletions_without_record.clone();
        meta.warnings = old.warnings.clone();
        meta.history = old.history.clone();
    }
    let mut publishers: Vec<String> = vec![];
    for path in job.paths {
        let source = read(path, job, &mut work, number, progress)?;
        publishers.extend(source.meta.publisher.clone().filter(|p| !publishers.contains(p)));
        meta.counts.read += source.meta.records;
        meta.rejected.extend(source.rejected.iter().map(MetaTally::of));
        let prefix =
            if job.paths.len() + meta.sources.len() > 1 { format!("{}: ", source.meta.name) } else { String::new() };
        meta.warnings.extend(source.warnings.into_iter().map(|w| prefix.clone() + &w));
        meta.sources.push(source.meta);
    }
    if meta.publisher.is_none() && !publishers.is_empty() {
        meta.publisher = Some(publishers.join(", "));
    }
    meta.history.push(MetaHistory {
        action: if job.base.is_some() { "update" } else { "import" }.to_owned(),
        from: job.base.map(SetFile::digest),
        scheme: job.scheme.id.as_str().to_owned(),
        scheme_version: job.scheme.version.clone(),
        scheme_sha256: job.scheme.digest,
        note: job.note.map(str::to_owned),
    });
    let path = job.paths.last().map_or(out, PathBuf::as_path);
    work.finish(meta, job.base, path, number, progress)
}

/// Writes a new version of a set whose categories are read by another scheme, code by code. Records without a category
/// become what that scheme makes of them.
///
/// # Errors
/// A code that the scheme does not define, as at import; damage in the set; failures of writing.
pub fn remap(
    set: &SetFile,
    scheme: &Scheme,
    note: Option<&str>,
    out: &Path,
    progress: &mut dyn FnMut(LoadProgress<'_>),
) -> Result<SetInfo, KnownError> {
    // The order of rows depends on the numbers of categories, so that everything is sorted anew.
    let mut work = Work::new(out, DEFAULT_MEMORY, true, None, scheme)?;
    let mut categories = vec![];
    let counts = set.info().categories.iter().map(|c| c.records);
    for (rule, records) in set.rules.iter().zip(counts) {
        let number = work.gather.category(rule.code.as_deref().filter(|_| records > 0));
        let number = number.map_err(|reason| KnownError::TooLarge { path: set.path().to_owned(), reason })?;
        categories.push(number.ok_or_else(|| KnownError::Category {
            path: set.path().to_owned(),
            place: format!("{records} record(s)"),
            code: shown(rule.code.as_deref().unwrap_or_default()),
            scheme: scheme.id.to_string(),
            advice: format!("(it has {}); {}", scheme.codes(), scheme.unlisted_advice()),
        })?);
    }
    for index in 0..set.section(Kind::Strings).map_or(0, |s| s.count) {
        let text = set.string(index as u32)?;
        let number = work.gather.series(text);
        number.map_err(|reason| KnownError::TooLarge { path: set.path().to_owned(), reason })?;
    }
    let mut blob = vec![];
    for row in 0..set.rows() {
        let rec = set.rec(row, &mut blob)?;
        let category = categories.get(usize::from(rec.category)).copied();
        let category =
            category.ok_or_else(|| set.damaged(Kind::Facts, 0, "a row has a category that is not defined"))?;
        work.gather.push(Rec { category, ..rec }, &Blob::parse(&blob)).map_err(|e| work.target.fail(&e))?;
    }
    let mut meta = set.meta.clone();
    meta.importer = importer();
    meta.scheme = MetaScheme::of(scheme);
    meta.history.push(MetaHistory {
        action: "remap".to_owned(),
        from: Some(set.digest()),
        scheme: scheme.id.as_str().to_owned(),
        scheme_version: scheme.version.clone(),
        scheme_sha256: scheme.digest,
        note: note.map(str::to_owned),
    });
    work.finish(meta, None, set.path(), (0, 1), progress)
}

fn importer() -> String {
    concat!("avocet-known ", env!("CARGO_PKG_VERSION")).to_owned()
}

/// Where a set goes.
pub(super) struct Target<'a> {
    pub out: &'a Path,
    folder: PathBuf,
}

impl Target<'_> {
    fn fail(&self, error: &io::Error) -> KnownError {
        KnownError::Write { path: self.out.to_owned(), reason: error.to_string() }
    }
}

/// A set in the making.
pub(super) struct Work<'a> {
    pub target: Target<'a>,
    memory: usize,
    lasting: bool,
    pub gather: Gather,
}

impl<'a> Work<'a> {
    fn new(
        out: &'a Path,
        memory: usize,
        lasting: bool,
        base: Option<&SetFile>,
        scheme: &Scheme,
    ) -> Result<Work<'a>, KnownError> {
        if out.symlink_metadata().is_ok() {
            return Err(KnownError::Exists { path: out.to_owned() });
        }
        let folder = out.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let mut gather = Gather::new(scheme, Sorter::new(memory, &folder));
        if let Some(base) = base {
            // The numbers of the base's categories and series stay what they are, and with them its order of rows.
            gather.kept_codes(&base.meta.kept_codes);
            for index in 0..base.section(Kind::Strings).map_or(0, |s| s.count) {
                let text = base.string(index as u32)?;
                let number = gather.series(text);
                number.map_err(|reason| KnownError::TooLarge { path: base.path().to_owned(), reason })?;
            }
            gather.source = base.meta.sources.len() as u32;
            gather.most.details = base.section(Kind::Details).map_or(0, |s| s.length);
            gather.most.pdq = base.pdq_count();
            gather.bits = base.section(Kind::Sha1).map_or(0, |_| Rec::HAS_SHA1)
                | base.section(Kind::Sha256).map_or(0, |_| Rec::HAS_SHA256);
        }
        Ok(Work { target: Target { out, folder }, memory, lasting, gather })
    }

    /// Merges, indexes and writes.
    fn finish(
        self,
        mut meta: Meta,
        base: Option<&SetFile>,
        path: &Path,
        number: (usize, usize),
        progress: &mut dyn FnMut(LoadProgress<'_>),
    ) -> Result<SetInfo, KnownError> {
        let Work { target, memory, lasting, gather } = self;
        let io = |e: io::Error| target.fail(&e);
        let categories = gather.categories();
        let plan = Plan {
            folder: &target.folder,
            memory,
            most: gather.most,
            base: base.map(|b| b.header.widths),
            bits: gather.bits,
            categories,
        };
        let bytes = meta.sources.iter().fold(0u64, |sum, s| sum.saturating_add(s.bytes));
        let mut report = |stage: Stage, records: u64, done: bool| {
            let (set, sets) = number;
            progress(LoadProgress { stage, set, sets, path, bytes, total_bytes: bytes, records, done });
        };
        let sorted = gather.sorter.finish().map_err(io)?;
        let failed = |e: Failure| match e {
            Failure::Io(e) => target.fail(&e),
            Failure::Base(e) => e,
        };
        let mut merge = Merge::new(base, sorted, memory).map_err(failed)?;
        let mut fold = Fold::new(Columns::new(&plan));
        let mut done = 0u64;
        while let Some((rec, blob)) = merge.next().map_err(failed)? {
            fold.push(rec, blob).map_err(io)?;
            done += 1;
            if done.is_multiple_of(PROGRESS_EVERY) {
                report(Stage::Sorting, done, false);
            }
        }
        drop(merge);
        let (mut columns, counts) = fold.finish().map_err(io)?;
        report(Stage::Sorting, done, true);
        meta.kept_codes = gather.kept_codes;
        meta.categories = std::mem::take(&mut columns.categories);
        report(Stage::Indexing, 0, false);
        let finished = columns.finish(&target.folder, memory).map_err(io)?;
        if finished.rows == 0 {
            return Err(KnownError::Empty {
                path: path.to_owned(),
                format: "after its deletions".to_owned(),
                read: meta.counts.read,
                rejected: String::new(),
            });
        }
        count(&mut meta, &counts, gather.deletions, finished.pdq_rows, finished.photodna_rows);
        let json = serde_json::to_vec(&meta).map_err(|e| target.fail(&io::Error::other(e)))?;
        let texts = strings(gather.series.texts(), &target.folder).map_err(io)?;
        let rows = finished.rows;
        let digest = place(&target, lasting, |file| finished.write(&json, texts, &target.folder, file))?;
        report(Stage::Indexing, rows, true);
        meta.info(rows, digest).map_err(|reason| KnownError::NotCompiled { path: target.out.to_owned(), reason })
    }
}

/// Writes a file beside `out` and gives it its name when it is complete.
fn place(
    target: &Target<'_>,
    lasting: bool,
    write: impl FnOnce(&mut File) -> io::Result<Sha256>,
) -> Result<Sha256, KnownError> {
    let io = |e: io::Error| target.fail(&e);
    let mut file = tempfile::Builder::new()
        .prefix(".avocet-")
        .suffix(".part")
        // As any new file: whoever runs this decides by their umask who else may read it.
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(&target.folder)
        .map_err(io)?;
    let digest = write(file.as_file_mut()).map_err(io)?;
    if lasting {
        file.as_file().sync_all().map_err(io)?;
    }
    match file.persist_noclobber(target.out) {
        Ok(_) => {}
        Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KnownError::Exists { path: target.out.to_owned() });
        }
        Err(e) => return Err(io(e.error)),
    }
    if lasting {
        // The name must survive too. Not every file system lets a folder be opened for that.
        let _ = File::open(&target.folder).and_then(|folder| folder.sync_all());
    }
    Ok(digest)
}

/// Adds up what was counted.
fn count(meta: &mut Meta, counts: &Counts, deletions: u64, pdq: u64, photodna: u64) {
    let total = &mut meta.counts;
    total.kept = counts.kept;
    total.duplicates = counts.records - counts.kept;
    total.removed += counts.removed;
    total.deletions += deletions;
    total.pdq = pdq;
    total.photodna = photodna;
    if counts.in_vain == 0 {
        return;
    }
    let name = |source: u32| meta.sources.get(source as usize).map_or("", |s| s.name.as_str());
    let places: Vec<String> =
        counts.first_in_vain.iter().map(|(source, place)| format!("{} {place}", name(*source))).collect();
    meta.warnings.push(format!(
        "{} deletion(s) of a record that is not there (first: {})",
        counts.in_vain,
        places.join(", ")
    ));
    let tally = &mut meta.deletions_without_record;
    tally.count += counts.in_vain;
    if tally.first.is_empty()
        && let Some((source, _)) = counts.first_in_vain.first()
    {
        tally.source = *source;
        tally.first = counts.first_in_vain.iter().filter(|(s, _)| s == source).map(|(_, place)| *place).collect();
    }
}

/// What one source gave beside its records.
pub(super) struct Source {
    pub meta: MetaSource,
    pub rejected: Vec<Tally>,
    pub warnings: Vec<String>,
}

/// Opens a source; its length too.
fn open(path: &Path) -> Result<(File, u64), KnownError> {
    let fail = |reason: String| KnownError::Open { path: path.to_owned(), reason };
    let file = File::open(path).map_err(|e| fail(e.to_string()))?;
    let metadata = file.metadata().map_err(|e| fail(e.to_string()))?;
    if metadata.is_dir() { Err(fail("it is a folder".to_owned())) } else { Ok((file, metadata.len())) }
}

fn read_source(
    path: &Path,
    job: &CompileJob<'_>,
    work: &mut Work<'_>,
    (set, sets): (usize, usize),
    progress: &mut dyn FnMut(LoadProgress<'_>),
) -> Result<Source, KnownError> {
    let (file, length) = open(path)?;
    let meter = Rc::new(Meter::default());
    let reporter = Reporter { set, sets, total_bytes: length, to: progress };
    let mut intake = Intake::new(path, job.scheme, work.target.out, Rc::clone(&meter), reporter, &mut work.gather);
    let found = format::read(file, &mut intake)?;
    let place_label = intake.place_label();
    let taken = intake.finish(&found.format)?;
    work.gather.source += 1;

    let list = |places: &[u64]| places.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let mut warnings = found.warnings;
    for tally in taken.rejected.iter().filter(|t| t.reason == EMPTY_CONTENT) {
        warnings.push(format!(
            "{} record(s) for the empty file left out, as every empty file would match (first: {} {})",
            tally.count,
            place_label,
            list(&tally.first)
        ));
    }
    for note in &taken.notes {
        warnings.push(format!(
            "{} record(s) with {} (first: {} {})",
            note.count,
            note.reason,
            place_label,
            list(&note.first)
        ));
    }
    Ok(Source {
        meta: MetaSource {
            name: path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            sha256: found.sha256,
            bytes: meter.bytes.get(),
            format: found.format,
            publisher: found.publisher,
            records: taken.read,
            place_label: place_label.to_owned(),
            id_label: found.id_label.to_owned(),
            stated: found.stated,
        },
        rejected: taken.rejected,
        warnings,
    })
}
