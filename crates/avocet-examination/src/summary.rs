//! Counts over an examination, in one pass over its files.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use avocet_base::Sha256;
use serde::Serialize;

use crate::error::ReadError;
use crate::read::{Examination, FileFilter, FileView};
use crate::rows::MatchRow;

/// At most this many alerting files are listed in a [`Summary`]; all are counted, and
/// [`Examination::files`] with [`FileFilter::alerting`] gives all.
pub const ALERT_LIMIT: usize = 1_000;

/// How many of something, and how many bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The word counted, as in the rows.
    pub name: String,
    /// Rows: files, directories and streams.
    pub files: u64,
    /// Sum of their sizes in bytes. Sizes that metadata only claims are in it, so it can be beyond the device's.
    pub bytes: u128,
}

/// Matches of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MatchCount {
    /// The set.
    pub set_id: i64,
    /// The set's name.
    pub set_name: String,
    /// The category as the set writes it.
    pub category: Option<String>,
    /// What it means in the set's scheme.
    pub meaning: Option<String>,
    /// What agreed.
    pub basis: String,
    /// Whether these alert.
    pub alerts: bool,
    /// Whether these hide.
    pub hides: bool,
    /// Files.
    pub files: u64,
    /// Different contents among them, by SHA-256.
    pub digests: u64,
}

/// Pictures or videos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct MediaCount {
    /// All.
    pub total: u64,
    /// With a match of any set.
    pub known: u64,
    /// With none.
    pub unknown: u64,
}

/// A file that an officer must see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alert {
    /// The file.
    pub id: i64,
    /// Its volume.
    pub volume: i64,
    /// Its escaped path.
    pub path: String,
    /// Its stream.
    pub stream: Option<String>,
    /// Its state.
    pub state: String,
    /// All its matches.
    pub matches: Vec<MatchRow>,
}

/// What an examination found, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Summary {
    /// Rows in all.
    pub files: u64,
    /// By allocation state, in the order of the words.
    pub by_state: Vec<Count>,
    /// By kind, in the order of the words.
    pub by_kind: Vec<Count>,
    /// Files whose content cannot be read, by reason.
    pub unreadable: Vec<Count>,
    /// Matches by set, category, meaning and basis.
    pub matches: Vec<MatchCount>,
    /// Pictures.
    pub pictures: MediaCount,
    /// Videos.
    pub videos: MediaCount,
    /// Files with a match that alerts.
    pub alerting_files: u64,
    /// The first [`ALERT_LIMIT`] of them.
    pub alerts: Vec<Alert>,
}

type Counts = BTreeMap<String, (u64, u128)>;

fn add(counts: &mut Counts, name: &str, size: u64) {
    // Looked up first: nearly every name is there already, and owning it anew for each file costs.
    if !counts.contains_key(name) {
        counts.insert(name.to_owned(), (0, 0));
    }
    if let Some((files, bytes)) = counts.get_mut(name) {
        *files = files.saturating_add(1);
        *bytes = bytes.saturating_add(u128::from(size));
    }
}

fn list(counts: Counts) -> Vec<Count> {
    counts.into_iter().map(|(name, (files, bytes))| Count { name, files, bytes }).collect()
}

/// Set, category, meaning, basis, alerts, hides.
type MatchKind = (i64, Option<String>, Option<String>, String, bool, bool);

#[derive(Default)]
struct Counting {
    summary: Summary,
    by_state: Counts,
    by_kind: Counts,
    unreadable: Counts,
    /// Files and their different contents. Only the sets' sizes are read, so their order reaches no output.
    matches: BTreeMap<MatchKind, (u64, HashSet<Sha256>)>,
}

impl Counting {
    fn file(&mut self, view: FileView) {
        let file = &view.file;
        self.summary.files = self.summary.files.saturating_add(1);
        add(&mut self.by_state, &file.state, file.size);
        add(&mut self.by_kind, &file.kind, file.size);
        if let Some(reason) = &file.unreadable {
            add(&mut self.unreadable, reason, file.size);
        }
        let media = match file.media.as_deref() {
            Some("picture") => Some(&mut self.summary.pictures),
            Some("video") => Some(&mut self.summary.videos),
            _ => None,
        };
        if let Some(media) = media {
            let side = if view.matches.is_empty() { &mut media.unknown } else { &mut media.known };
            *side = side.saturating_add(1);
            media.total = media.total.saturating_add(1);
        }
        // A file that two records of a set describe alike is one file of that kind.
        let mut kinds: Vec<MatchKind> = view
            .matches
            .iter()
            .map(|m| (m.set_id, m.category.clone(), m.meaning.clone(), m.basis.clone(), m.alerts, m.hides))
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        for kind in kinds {
            let (files, digests) = self.matches.entry(kind).or_default();
            *files = files.saturating_add(1);
            digests.extend(file.sha256);
        }
        if view.alerts() {
            self.summary.alerting_files = self.summary.alerting_files.saturating_add(1);
            if self.summary.alerts.len() < ALERT_LIMIT {
                let FileView { file, matches, .. } = view;
                self.summary.alerts.push(Alert {
                    id: file.id,
                    volume: file.volume,
                    path: file.path,
                    stream: file.stream,
                    state: file.state,
                    matches,
                });
            }
        }
    }
}

impl Examination {
    /// Counts what the examination found, in one pass.
    ///
    /// # Errors
    /// [`ReadError::Malformed`].
    pub fn summary(&self) -> Result<Summary, ReadError> {
        let mut counting = Counting::default();
        self.files(&FileFilter::default(), &mut |view| {
            counting.file(view);
            Ok::<_, ReadError>(ControlFlow::Continue(()))
        })?;
        let sets = self.known_sets()?;
        let name = |id| sets.iter().find(|s| s.id == id).map(|s| s.name.clone()).unwrap_or_default();
        let matches = counting
            .matches
            .into_iter()
            .map(|((set_id, category, meaning, basis, alerts, hides), (files, digests))| MatchCount {
                set_id,
                set_name: name(set_id),
                category,
                meaning,
                basis,
                alerts,
                hides,
                files,
                digests: digests.len() as u64,
            })
            .collect();
        Ok(Summary {
            by_state: list(counting.by_state),
            by_kind: list(counting.by_kind),
            unreadable: list(counting.unreadable),
            matches,
            ..counting.summary
        })
    }
}
