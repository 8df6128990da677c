//! What a report says, taken out of an examination in one place.

use std::ops::ControlFlow;

use avocet_base::{Sha256, Stamp, Zone};
use avocet_examination::{
    EvidenceRow, Examination, FileFilter, KnownSetRow, MatchRow, ProblemRow, ReadError, Summary, VolumeRow,
};
use serde::Serialize;

/// Alerting files that a report lists one by one. All are counted, and `avocet list --alerting` lists all.
pub const ALERTS_LISTED: usize = 5_000;
/// Problems that a report lists one by one.
pub const PROBLEMS_LISTED: usize = 500;

/// Why nothing could be extracted.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The examination could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The examination holds no evidence row.
    #[error("the examination says nothing of its evidence; verify it with `avocet verify`")]
    NoEvidence,
}

/// One line of the completeness statement.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// `alarm` (the evidence itself is in doubt), `gap` (something was not examined), `note`, `done`.
    pub level: String,
    /// A stable short code.
    pub code: String,
    /// How many.
    pub count: u64,
    /// How many bytes, where that can be said.
    pub bytes: Option<u64>,
    /// The line.
    pub text: String,
}

/// One file that an officer must see.
#[derive(Debug, Clone, Serialize)]
pub struct AlertLine {
    /// Number within the examination.
    pub id: i64,
    /// The volume's name, such as `gpt:2`.
    pub volume: String,
    /// Escaped path with the stream behind a colon.
    pub path: String,
    /// Where it lay before it went into a recycle bin.
    pub original_path: Option<String>,
    /// Allocation state.
    pub state: String,
    /// Size in bytes.
    pub size: u64,
    /// When its content last changed, as the device recorded it.
    pub modified: Option<String>,
    /// SHA-256 of its content.
    pub sha256: Option<Sha256>,
    /// What an examiner must know beside it.
    pub note: String,
    /// What matched.
    pub matches: Vec<MatchRow>,
}

/// What a report says.
#[derive(Debug, Clone, Serialize)]
pub struct Extract {
    /// The exhibit reference.
    pub exhibit: String,
    /// The result digest that the file states; `avocet verify` recomputes it.
    pub result_digest: Sha256,
    /// The evidence.
    pub evidence: EvidenceRow,
    /// The completeness statement, in its order.
    pub completeness: Vec<Line>,
    /// Counts.
    pub summary: Summary,
    /// Files that alert, at most [`ALERTS_LISTED`].
    pub alerts: Vec<AlertLine>,
    /// The known sets.
    pub known_sets: Vec<KnownSetRow>,
    /// The volumes.
    pub volumes: Vec<VolumeRow>,
    /// Problems, at most [`PROBLEMS_LISTED`].
    pub problems: Vec<ProblemRow>,
    /// Problems in all.
    pub problems_total: u64,
    /// Settings that change what is found.
    pub config: Vec<(String, String)>,
    /// Facts of the run.
    pub run: Vec<(String, String)>,
}

/// A recorded time in words: the date and time, and what is known of its zone.
pub(crate) fn time_text(ns: i64, zone: &str) -> String {
    if zone == "local" {
        format!("{} (device clock)", Stamp { ns, zone: Zone::Local })
    } else {
        Stamp { ns, zone: Zone::Utc }.to_string()
    }
}

impl Extract {
    /// Takes the extract out of an examination.
    ///
    /// # Errors
    /// [`ExtractError`] where the examination cannot be read.
    pub fn of(examination: &Examination) -> Result<Extract, ExtractError> {
        let evidence = examination.evidence()?.into_iter().next().ok_or(ExtractError::NoEvidence)?;
        let volumes = examination.volumes()?;
        let volume_name =
            |id: i64| volumes.iter().find(|v| v.id == id).map_or_else(|| id.to_string(), |v| v.label.clone());
        let mut alerts = vec![];
        let alerting = FileFilter { alerting: true, ..FileFilter::default() };
        examination.files(&alerting, &mut |view| {
            let path = view.file.full_path();
            let file = view.file;
            alerts.push(AlertLine {
                id: file.id,
                volume: volume_name(file.volume),
                path,
                original_path: view.original.map(|o| o.original_path),
                state: file.state,
                size: file.size,
                modified: file.modified.map(|ns| time_text(ns, &file.zone)),
                sha256: file.sha256,
                note: file.note,
                matches: view.matches,
            });
            let full = alerts.len() >= ALERTS_LISTED;
            Ok::<_, ReadError>(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        let completeness = examination
            .completeness()?
            .into_iter()
            .map(|row| Line {
                level: row.level.as_str().to_owned(),
                code: row.code,
                count: row.count,
                bytes: row.bytes,
                text: row.text,
            })
            .collect();
        let mut problems = examination.problems()?;
        let problems_total = problems.len() as u64;
        problems.truncate(PROBLEMS_LISTED);
        Ok(Extract {
            exhibit: evidence.exhibit.clone().unwrap_or_default(),
            result_digest: examination.result_digest()?,
            evidence,
            completeness,
            summary: examination.summary()?,
            alerts,
            known_sets: examination.known_sets()?,
            volumes,
            problems,
            problems_total,
            config: examination.configs()?,
            run: examination.runs()?,
        })
    }

    /// A fact of the run by its key.
    pub fn run_fact(&self, key: &str) -> Option<&str> {
        self.run.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// What was examined and whether the copy is intact, in a sentence or two.
    pub fn evidence_sentence(&self) -> String {
        let line = self.evidence_line();
        let mut letters = line.chars();
        let capital: String = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        format!("{capital}{}. Whole image: {}.", letters.as_str(), self.evidence.verdict)
    }

    /// What was examined, in one line.
    pub fn evidence_line(&self) -> String {
        let e = &self.evidence;
        let segments = if e.segments > 1 { format!(", {} segments", e.segments) } else { String::new() };
        let size = || format!("{} ({} bytes)", avocet_base::size_text(e.media_size), crate::grouped(e.media_size));
        match e.kind.as_str() {
            "folder" => "a folder".to_owned(),
            // Its files lie one by one in a folder: it has no size of its own.
            "ios-backup" => {
                let own = || self.summary.by_state.iter().filter(|c| c.name != "embedded");
                let (entries, bytes) = (own().map(|c| c.files).sum(), own().map(|c| c.bytes).sum::<u128>());
                let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
                format!(
                    "an iOS backup, {} listed, {} in all",
                    avocet_base::plural(entries, "entry", "entries"),
                    avocet_base::size_text(bytes)
                )
            }
            "android-backup" => format!("an Android backup, {}", size()),
            "ufdr" => format!("a report of a phone extraction (UFDR), {}", size()),
            kind if matches!(kind, "zip" | "7z") || kind.starts_with("tar") => format!("{kind} archive, {}", size()),
            kind => format!("{kind} image, {}{segments}", size()),
        }
    }
}
