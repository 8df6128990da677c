//! `avocet review original`: an original file out of the evidence, with a reason.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use avocet_base::{Sha256, size_text};
use avocet_digest::TripleHasher;
use avocet_evidence::{Content, ContentRead, Entry, Evidence, VolumeState};
use avocet_examination::{Examination, FileFilter, FileRow, ReadError};
use avocet_record::InvestigationId;
use serde_json::json;

use super::{at_desk, print};
use crate::args::{Global, Opening, Who};
use crate::commands::{evidence, open_evidence};
use crate::{Outcome, Refusal};

/// What is to be written out, and why.
pub struct Wanted<'a> {
    pub investigation: InvestigationId,
    pub sha256: Sha256,
    pub examination: &'a Path,
    pub evidence: &'a Path,
    pub reason: &'a str,
    pub out: &'a Path,
    pub opening: &'a Opening,
}

/// Where the sealed examination says that a content is: volume and row of each file.
fn places(examination: &Examination, sha256: Sha256) -> anyhow::Result<Vec<(String, FileRow)>> {
    let volumes = examination.volumes()?;
    let mut found = vec![];
    examination.files(&FileFilter::default(), &mut |view| {
        if view.file.sha256 == Some(sha256)
            && let Some(volume) = volumes.iter().find(|volume| volume.id == view.file.volume)
        {
            found.push((volume.label.clone(), view.file));
        }
        Ok::<_, ReadError>(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

pub fn run(global: &Global, wanted: &Wanted<'_>, who: &Who) -> anyhow::Result<Outcome> {
    let refuse = |e: ReadError| Refusal(e.to_string());
    if wanted.out.try_exists().unwrap_or(true) {
        return Err(Refusal("there is something where the file is to be written; choose another name".into()).into());
    }
    let examination = Examination::open(wanted.examination).map_err(refuse)?;
    let result = examination.result_digest().map_err(refuse)?;
    let places = places(&examination, wanted.sha256)?;
    // Recorded before a byte of it is read: what cannot be recorded is not handed out.
    let entry = at_desk(global, who, async |desk| {
        desk.original_opened(wanted.investigation, wanted.sha256, result, wanted.reason).await
    })?;
    let evidence = open_evidence(wanted.evidence, wanted.opening, None)?;
    let mut why = "the evidence has no such file where the examination says: check that it is what was examined";
    for (volume, row) in &places {
        if row.parent.is_some() {
            why = "the file lies in an archive, and archives are not looked into here: have the archive written out";
            continue;
        }
        match write_out(&evidence, volume, row, wanted)? {
            Written::Yes(bytes) => {
                let json = json!({"entry": entry, "sha256": wanted.sha256, "bytes": bytes});
                return print(global, &json, || {
                    format!(
                        "{} written; its SHA-256 is the one asked for. The reason stands in entry {entry}.",
                        size_text(bytes)
                    )
                });
            }
            Written::NotThere => {}
            Written::Other => {
                why = "the bytes that lie there now are not those that were examined; nothing was written"
            }
        }
    }
    Err(Refusal(format!("{why}. Entry {entry} says that it was to be opened")).into())
}

enum Written {
    Yes(u64),
    NotThere,
    Other,
}

/// Writes a file of the evidence out, where its content is the one wanted.
fn write_out(evidence: &Evidence, volume: &str, row: &FileRow, wanted: &Wanted<'_>) -> anyhow::Result<Written> {
    let Some(volume) = evidence.volumes.iter().find(|one| one.name == volume) else { return Ok(Written::NotThere) };
    let VolumeState::Read { fs, source } = &volume.state else { return Ok(Written::NotThere) };
    // A copy of a folder numbers its files anew; what counts is the digest.
    let is_it =
        |entry: &Entry| entry.path == row.path && entry.stream == row.stream && entry.state.as_str() == row.state;
    let (mut entries, _) = evidence::gather(fs.as_ref(), is_it)?;
    entries.sort_by_key(|entry| entry.number != row.number);
    let mut found = Written::NotThere;
    for entry in entries.iter().filter(|entry| !matches!(entry.content, Content::None | Content::Unreadable(_))) {
        let Some(mut reader) = entry.open(source)? else { continue };
        // For nobody but who asked for it, and never over something that is there.
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).to_owned();
        let mut out = options.open(wanted.out).context("the file cannot be made")?;
        let copied = copy(&mut *reader, &mut out);
        if copied.as_ref().is_ok_and(|digest| *digest == wanted.sha256) {
            return Ok(Written::Yes(entry.size));
        }
        std::fs::remove_file(wanted.out)
            .context("what was written is not what was asked for, and cannot be removed")?;
        copied?;
        found = Written::Other;
    }
    Ok(found)
}

/// Copies, and answers the SHA-256 of what was copied.
fn copy(reader: &mut dyn ContentRead, out: &mut File) -> anyhow::Result<Sha256> {
    let (mut hasher, mut buffer) = (TripleHasher::new(), vec![0; 1 << 20]);
    loop {
        let n = reader.read(&mut buffer)?;
        let bytes = buffer.get(..n).unwrap_or_default();
        if bytes.is_empty() {
            out.sync_all().context("the file cannot be written")?;
            return Ok(hasher.finish().sha256);
        }
        hasher.update(bytes);
        out.write_all(bytes).context("the file cannot be written")?;
    }
}
