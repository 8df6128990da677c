//! Loads known sets and answers which of them know a file.

use std::fs::File;
use std::path::Path;
use std::rc::Rc;

use avocet_base::{Digests, Sha256};

use crate::error::KnownError;
use crate::format;
use crate::hit::{Basis, Hit};
use crate::intake::{Intake, Meter, Reporter, Rule, Tally};
use crate::record::Flags;
use crate::scheme::{Scheme, SchemeId};
use crate::spec::KnownSpec;
use crate::table::{Row, Table};

/// How far loading has come.
#[derive(Debug, Clone, Copy)]
pub struct LoadProgress<'a> {
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
    /// Records read, rejected ones included.
    pub records: u64,
    /// Whether the set has been read to its end.
    pub done: bool,
}

/// How many kept records have a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryCount {
    /// The code; `None` for records that state none.
    pub code: Option<String>,
    /// What the scheme says it means.
    pub meaning: Option<String>,
    /// Whether the scheme makes it an alert.
    pub alerts: bool,
    /// Kept records.
    pub records: u64,
}

/// A loaded set: where it came from, what was read and what was not. `records_read` is always `kept` + `duplicates` +
/// the sum of `rejected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetInfo {
    /// Index, in the order in which the user named the sets.
    pub id: usize,
    /// Name of the file without its extension.
    pub name: String,
    /// Who published it, where the file says so.
    pub publisher: Option<String>,
    /// What was read, such as `VICS 2.0 hash set`.
    pub format: String,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Bytes in the file.
    pub bytes: u64,
    /// The scheme's name.
    pub scheme: SchemeId,
    /// The scheme's version.
    pub scheme_version: String,
    /// SHA-256 of the scheme's text.
    pub scheme_digest: Sha256,
    /// Records in the file.
    pub records_read: u64,
    /// Records that a look-up can find.
    pub kept: u64,
    /// Records that say the same as an earlier one: same digests, size, category, series and flags.
    pub duplicates: u64,
    /// Records that cannot be used, by reason.
    pub rejected: Vec<Tally>,
    /// What the places in tallies count: `line` or `record`.
    pub place_label: &'static str,
    /// Sentences about what was read otherwise than it stands, or not at all.
    pub warnings: Vec<String>,
    /// Kept records by category, in the scheme's order; codes that are only kept follow in the order of the file.
    pub categories: Vec<CategoryCount>,
}

struct Set {
    table: Table,
    rules: Vec<Rule>,
    texts: Vec<Box<str>>,
    id_label: &'static str,
    place_label: &'static str,
}

/// Loaded sets. Look-ups need only a shared reference and may run on many threads at once.
pub struct KnownSets {
    infos: Vec<SetInfo>,
    sets: Vec<Set>,
}

impl std::fmt::Debug for KnownSets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownSets").field("sets", &self.infos).finish_non_exhaustive()
    }
}

impl KnownSets {
    /// Reads every set to its end, in the order given. One pass over each file; memory beside the kept records does
    /// not grow with the file.
    ///
    /// # Errors
    /// The first set that cannot be read completely stops the loading: a set that is half there would be taken for
    /// one that does not know a file. Single records that cannot be used do not stop it; they are counted.
    pub fn load(specs: &[KnownSpec], progress: &mut dyn FnMut(LoadProgress<'_>)) -> Result<KnownSets, KnownError> {
        let mut loaded = KnownSets { infos: vec![], sets: vec![] };
        // A wrong scheme in the last argument should not show only after the first set has been read.
        let schemes = specs.iter().map(|s| s.scheme.open()).collect::<Result<Vec<_>, _>>()?;
        for (id, (spec, scheme)) in specs.iter().zip(&schemes).enumerate() {
            let (info, set) = load_one(id, specs.len(), &spec.path, scheme, progress)?;
            loaded.infos.push(info);
            loaded.sets.push(set);
        }
        Ok(loaded)
    }

    /// The loaded sets, in the order in which they were named.
    pub fn sets(&self) -> &[SetInfo] {
        &self.infos
    }

    /// Every record of every set that shares at least one digest with a file of these digests and this size in bytes:
    /// by set, then by place in the set. Nothing is allocated where there is none.
    pub fn lookup(&self, digests: &Digests, size: u64) -> Vec<Hit> {
        let mut hits = vec![];
        for (number, set) in self.sets.iter().enumerate() {
            hits.extend(set.table.lookup(digests, size).into_iter().map(|(row, basis)| set.hit(number, row, basis)));
        }
        hits
    }

    /// Bytes of memory that the sets' tables hold, texts aside.
    pub fn memory(&self) -> usize {
        self.sets.iter().map(|s| s.table.bytes()).sum()
    }
}

impl Set {
    fn hit(&self, set: usize, row: &Row, basis: Basis) -> Hit {
        let rule = self.rules.get(usize::from(row.category));
        let text = |number: u64| usize::try_from(number).ok().and_then(|n| self.texts.get(n)).map_or("", |t| &**t);
        let record = if row.bits & Row::ID_IS_PLACE != 0 {
            format!("{} {}", self.place_label, row.id)
        } else if row.bits & Row::ID_IS_TEXT != 0 {
            format!("{} {}", self.id_label, text(row.id))
        } else {
            format!("{} {}", self.id_label, row.id)
        };
        let category_may_hide = rule.is_some_and(|r| r.may_hide);
        Hit {
            set,
            record,
            category: rule.and_then(|r| r.code.clone()),
            meaning: rule.and_then(|r| r.meaning.clone()),
            alerts: rule.is_some_and(|r| r.alerts),
            category_may_hide,
            may_hide: category_may_hide && basis.may_hide(),
            basis,
            series: (row.series != Row::NO_SERIES).then(|| text(u64::from(row.series)).to_owned()),
            flags: Flags(row.bits & 0x1f),
        }
    }
}

fn load_one(
    id: usize,
    sets: usize,
    path: &Path,
    scheme: &Scheme,
    progress: &mut dyn FnMut(LoadProgress<'_>),
) -> Result<(SetInfo, Set), KnownError> {
    let open = |e: std::io::Error| KnownError::Open { path: path.to_owned(), reason: e.to_string() };
    let file = File::open(path).map_err(open)?;
    let metadata = file.metadata().map_err(open)?;
    if metadata.is_dir() {
        return Err(KnownError::Open { path: path.to_owned(), reason: "it is a folder".to_owned() });
    }
    let meter = Rc::new(Meter::default());
    let reporter = Reporter { set: id, sets, total_bytes: metadata.len(), to: progress };
    let mut intake = Intake::new(path, scheme, Rc::clone(&meter), reporter);
    let found = format::read(file, &mut intake)?;
    let place_label = intake.place_label();
    let taken = intake.finish(&found.format)?;

    let mut counts = vec![0u64; taken.rules.len()];
    for row in taken.table.rows() {
        if let Some(count) = counts.get_mut(usize::from(row.category)) {
            *count += 1;
        }
    }
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
    let info = SetInfo {
        id,
        name: path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
        publisher: found.publisher,
        format: found.format,
        sha256: found.sha256,
        bytes: meter.bytes.get(),
        scheme: scheme.id.clone(),
        scheme_version: scheme.version.clone(),
        scheme_digest: scheme.digest,
        records_read: taken.read,
        kept: taken.table.rows().len() as u64,
        duplicates: taken.duplicates,
        rejected: taken.rejected,
        place_label,
        warnings,
        categories: taken
            .rules
            .iter()
            .zip(counts)
            .map(|(r, records)| CategoryCount {
                code: r.code.clone(),
                meaning: r.meaning.clone(),
                alerts: r.alerts,
                records,
            })
            .collect(),
    };
    let set = Set { table: taken.table, rules: taken.rules, texts: taken.texts, id_label: found.id_label, place_label };
    Ok((info, set))
}

/// The reason under which records for the empty file are rejected.
pub(crate) const EMPTY_CONTENT: &str = "digest of empty content";

fn list(places: &[u64]) -> String {
    places.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}
