//! Matches a finished examination against other known sets and seals a new one. No evidence is read: the digests of the
//! earlier examination are what is matched.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use avocet_base::Digests;
use avocet_examination::{
    ChangeRow, Examination, FileFilter, FileView, MatchRow, NearRow, PictureView, Sealed, SigningKey, Writer,
};
use avocet_known::KnownSets;

use crate::pictures::Near;
use crate::pipeline::ExamineError;
use crate::statement::{KNOWN_LINES, Statement};
use crate::write::{known_set_row, match_row};

/// Settings that name the earlier examinations.
const EARLIER: &str = "rematch_of";
const FIRST: &str = "rematch_first";
/// The setting that says how near a near match is; it is there where pictures were described.
const RADIUS: &str = "pictures_near_radius";

/// What a rematch is to do.
pub struct RematchOptions {
    /// Where the new sealed result goes.
    pub out: PathBuf,
    /// Signs the seal, where given.
    pub key: Option<SigningKey>,
    /// Facts for the unhashed record of the run.
    pub run: Vec<(String, String)>,
}

/// A finished rematch.
#[derive(Debug)]
pub struct Rematched {
    /// The seal.
    pub sealed: Sealed,
    /// Matches that the earlier examination had not.
    pub gained: u64,
    /// Matches that this one has not.
    pub lost: u64,
    /// Matches with the same record of which something else is said.
    pub changed: u64,
    /// Files that match a record whose category alerts.
    pub alerting_files: u64,
    /// Whether something that should have been read could not be, as the earlier examination says.
    pub unreadable_parts: bool,
}

/// What a match is called in both examinations: sets are numbered anew in each.
type MatchName = (String, String);

fn names(matches: &[MatchRow], sets: &BTreeMap<i64, String>) -> BTreeMap<MatchName, String> {
    let said = |m: &MatchRow| {
        let category = m.category.as_deref().unwrap_or("none");
        let alerts = if m.alerts { ", alerts" } else { "" };
        let hides = if m.hides { ", hides" } else { "" };
        let series = m.series.as_deref().map_or_else(String::new, |s| format!(", series {s}"));
        let meaning = m.meaning.as_deref().map_or_else(String::new, |m| format!(" ({m})"));
        format!("by {}, category {category}{meaning}{alerts}{hides}{series}", m.basis)
    };
    let mut out = BTreeMap::new();
    for m in matches {
        let set = sets.get(&m.set_id).cloned().unwrap_or_default();
        let text: &mut String = out.entry((set, m.record.clone())).or_default();
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&said(m));
    }
    out
}

/// Takes the differences between what was and what is, in order.
fn differences(
    file_id: i64,
    how: &str,
    before: BTreeMap<MatchName, String>,
    mut after: BTreeMap<MatchName, String>,
    changes: &mut Vec<ChangeRow>,
) {
    let row = |change: &str, name: MatchName, before: Option<String>, after: Option<String>| ChangeRow {
        file_id,
        change: change.to_owned(),
        how: how.to_owned(),
        known_set: name.0,
        record: name.1,
        before,
        after,
    };
    for (name, old) in before {
        match after.remove(&name) {
            None => changes.push(row("lost", name, Some(old), None)),
            Some(new) if new != old => changes.push(row("changed", name, Some(old), Some(new))),
            Some(_) => {}
        }
    }
    changes.extend(after.into_iter().map(|(name, new)| row("gained", name, None, Some(new))));
}

/// Matches an examination anew.
///
/// # Errors
/// [`ExamineError`]; nothing that could be mistaken for a result is left at `options.out` then.
pub fn rematch(earlier: &Examination, known: &KnownSets, options: &RematchOptions) -> Result<Rematched, ExamineError> {
    let mut writer = Writer::create(&options.out)?;
    let digest = earlier.result_digest()?.to_string();
    let configs = earlier.configs()?;
    let first = configs.iter().find(|(k, _)| k == FIRST).map(|(_, v)| v.clone());
    for (key, value) in configs.iter().filter(|(k, _)| k != EARLIER && k != FIRST) {
        writer.config(key, value)?;
    }
    writer.config(EARLIER, &digest)?;
    writer.config(FIRST, first.as_deref().unwrap_or(&digest))?;
    for (key, value) in &options.run {
        writer.run(key, value)?;
    }
    earlier.evidence()?.iter().try_for_each(|row| writer.evidence(row))?;
    known.sets().iter().try_for_each(|set| writer.known_set(&known_set_row(set)))?;
    earlier.volumes()?.iter().try_for_each(|row| writer.volume(row))?;
    earlier.spaces()?.iter().try_for_each(|row| writer.space(row))?;
    earlier.problems()?.iter().try_for_each(|row| writer.problem(row))?;

    let sets_before: BTreeMap<i64, String> = earlier.known_sets()?.into_iter().map(|s| (s.id, s.name)).collect();
    let sets_after: BTreeMap<i64, String> =
        known.sets().iter().map(known_set_row).map(|row| (row.id, row.name)).collect();
    let mut changes = vec![];
    let mut alerting_files = 0u64;
    earlier.files(&FileFilter::default(), &mut |view: FileView| {
        let file = &view.file;
        writer.file(file, &earlier.extents(file.id)?)?;
        if let Some(original) = &view.original {
            writer.original(original)?;
        }
        let mut matches = vec![];
        if let (Some(md5), Some(sha1), Some(sha256)) = (file.md5, file.sha1, file.sha256) {
            let hits = known.lookup(&Digests { md5, sha1, sha256 }, file.size)?;
            let may_hide = avocet_known::may_hide(&hits);
            for mut hit in hits {
                hit.may_hide &= may_hide;
                matches.push(match_row(file.id, hit));
            }
        }
        matches.iter().try_for_each(|m| writer.hit(m))?;
        alerting_files += u64::from(matches.iter().any(|m| m.alerts));
        let (before, after) = (names(&view.matches, &sets_before), names(&matches, &sets_after));
        differences(file.id, "exact", before, after, &mut changes);
        Ok::<_, ExamineError>(ControlFlow::Continue(()))
    })?;
    let near = pictures(earlier, known, &mut writer, &configs, [&sets_before, &sets_after], &mut changes)?;
    changes.sort();
    changes.iter().try_for_each(|row| writer.change(row))?;
    let count = |what: &str| changes.iter().filter(|c| c.change == what).count() as u64;
    let (gained, lost, changed) = (count("gained"), count("lost"), count("changed"));

    let unreadable_parts = statement(earlier, known, &mut writer, &digest, [gained, lost, changed], near)?;
    let sealed = writer.seal(options.key.as_ref())?;
    Ok(Rematched { sealed, gained, lost, changed, alerting_files, unreadable_parts })
}

/// Carries the pictures over and looks for near matches anew. Returns how many known hashes there were and how many
/// pictures are near one; `None` where the
/// earlier examination did not describe pictures.
fn pictures(
    earlier: &Examination,
    known: &KnownSets,
    writer: &mut Writer,
    configs: &[(String, String)],
    [sets_before, sets_after]: [&BTreeMap<i64, String>; 2],
    changes: &mut Vec<ChangeRow>,
) -> Result<Option<(usize, u64)>, ExamineError> {
    let radius = configs.iter().find(|(k, _)| k == RADIUS).and_then(|(_, v)| v.parse().ok());
    let Some(radius) = radius else { return Ok(None) };
    let near = Near::build(known, radius)?;
    let mut found = 0;
    earlier.pictures(&mut |mut view: PictureView| {
        let after = near.find(&view.hashes)?;
        let said = |n: &NearRow| {
            let category = n.category.as_deref().unwrap_or("none");
            format!("{} bits, category {category}{}", n.distance, if n.alerts { ", alerts" } else { "" })
        };
        let names = |rows: &[NearRow], sets: &BTreeMap<i64, String>| -> BTreeMap<MatchName, String> {
            let name = |n: &NearRow| (sets.get(&n.set_id).cloned().unwrap_or_default(), n.record.clone());
            rows.iter().map(|n| (name(n), said(n))).collect()
        };
        let (was, is) = (names(&view.near, sets_before), names(&after, sets_after));
        differences(view.picture.file_id, "near", was, is, changes);
        found += u64::from(!after.is_empty());
        view.near = after;
        writer.picture(&view)?;
        Ok::<_, ExamineError>(ControlFlow::Continue(()))
    })?;
    let groups = earlier.groups()?;
    groups.chunk_by(|a, b| a.representative == b.representative).try_for_each(|group| writer.group(group))?;
    Ok(Some((near.len(), found)))
}

/// The earlier statement with what it says of known sets replaced. Returns whether anything in it is a gap.
fn statement(
    earlier: &Examination,
    known: &KnownSets,
    writer: &mut Writer,
    digest: &str,
    counts: [u64; 3],
    near: Option<(usize, u64)>,
) -> Result<bool, ExamineError> {
    let mut lines = Statement { rows: earlier.completeness()? };
    lines.rows.retain(|row| !KNOWN_LINES.contains(&row.code.as_str()));
    lines.known(known);
    if let Some((known_hashes, found)) = near {
        lines.near(known_hashes, found);
    }
    lines.rematched(digest, counts);
    Ok(lines.write(writer)?)
}
