//! Matches a finished examination against other known sets and seals a new one. No evidence is read: the digests of the
//! earlier examination are what is matched.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;

use avocet_base::Digests;
use avocet_examination::{
    ChangeRow, Examination, FileFilter, FileView, MatchRow, NearRow, PictureView, Sealed, SigningKey, Writer,
};
use avocet_known::{KnownSets, names_place};

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

/// A match in words that both examinations share.
struct Said {
    /// The record as its set calls it.
    record: String,
    text: String,
}

/// What the sets say of one file: by the name of the set, as sets are numbered anew in each examination, and by the name
/// of the record. A record that its set gives no name is called by its place, and places move when a set is updated or a
/// list is edited. Such a record is known by its digests, of which all matches of one file share one: they stand under
/// an empty name, and what each says tells them apart.
#[derive(Default)]
struct Matches(BTreeMap<(String, String), Vec<Said>>);

fn order(a: &Said, b: &Said) -> Ordering {
    (&a.text, &a.record).cmp(&(&b.text, &b.record))
}

impl Matches {
    fn of<T>(
        rows: &[T],
        sets: &BTreeMap<i64, String>,
        name: impl Fn(&T) -> (i64, &String),
        text: impl Fn(&T) -> String,
    ) -> Matches {
        let mut all = Matches::default();
        for row in rows {
            let (set, record) = name(row);
            let set = sets.get(&set).cloned().unwrap_or_default();
            let place = names_place(record);
            let said = all.0.entry((set, if place { String::new() } else { record.clone() })).or_default();
            match said.first_mut() {
                Some(first) if !place => {
                    first.text.push_str("; ");
                    first.text.push_str(&text(row));
                }
                _ => said.push(Said { record: record.clone(), text: text(row) }),
            }
        }
        all.0.values_mut().for_each(|said| said.sort_by(order));
        all
    }

    fn exact(rows: &[MatchRow], sets: &BTreeMap<i64, String>) -> Matches {
        Matches::of(
            rows,
            sets,
            |m| (m.set_id, &m.record),
            |m| {
                let category = m.category.as_deref().unwrap_or("none");
                let alerts = if m.alerts { ", alerts" } else { "" };
                let hides = if m.hides { ", hides" } else { "" };
                let series = m.series.as_deref().map_or_else(String::new, |s| format!(", series {s}"));
                let meaning = m.meaning.as_deref().map_or_else(String::new, |m| format!(" ({m})"));
                format!("by {}, category {category}{meaning}{alerts}{hides}{series}", m.basis)
            },
        )
    }

    fn near(rows: &[NearRow], sets: &BTreeMap<i64, String>) -> Matches {
        Matches::of(
            rows,
            sets,
            |n| (n.set_id, &n.record),
            |n| {
                let category = n.category.as_deref().unwrap_or("none");
                format!("{} bits, category {category}{}", n.distance, if n.alerts { ", alerts" } else { "" })
            },
        )
    }
}

/// Takes out, one for one, what `compare` finds the same on both sides, of which it gives the order.
fn without_same(old: &mut Vec<Said>, new: &mut Vec<Said>, compare: impl Fn(&Said, &Said) -> Ordering) {
    let mut ahead = std::mem::take(new).into_iter().peekable();
    old.retain(|old| {
        while let Some(before) = ahead.next_if(|n| compare(n, old).is_lt()) {
            new.push(before);
        }
        ahead.next_if(|n| compare(n, old).is_eq()).is_none()
    });
    new.extend(ahead);
}

/// Takes the differences between what was and what is, in order. Of matches without a name, those that say the same are
/// the same; what is left of them has changed, one for one.
fn differences(file_id: i64, how: &str, before: Matches, mut after: Matches, changes: &mut Vec<ChangeRow>) {
    let mut add = |set: &str, old: Option<Said>, new: Option<Said>| {
        let change = match (&old, &new) {
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "lost",
            _ => "gained",
        };
        let (old_record, before) = old.map(|o| (o.record, o.text)).unzip();
        let (new_record, after) = new.map(|n| (n.record, n.text)).unzip();
        changes.push(ChangeRow {
            file_id,
            change: change.to_owned(),
            how: how.to_owned(),
            known_set: set.to_owned(),
            record: new_record.or(old_record).unwrap_or_default(),
            before,
            after,
        });
    };
    for (name, mut old) in before.0 {
        let mut new = after.0.remove(&name).unwrap_or_default();
        // Where several say the same, those in the same place belong together.
        without_same(&mut old, &mut new, order);
        without_same(&mut old, &mut new, |a, b| a.text.cmp(&b.text));
        let mut new = new.into_iter();
        old.into_iter().for_each(|old| add(&name.0, Some(old), new.next()));
        new.for_each(|new| add(&name.0, None, Some(new)));
    }
    for (name, new) in after.0 {
        new.into_iter().for_each(|new| add(&name.0, None, Some(new)));
    }
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
        let (before, after) = (Matches::exact(&view.matches, &sets_before), Matches::exact(&matches, &sets_after));
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
        let (was, is) = (Matches::near(&view.near, sets_before), Matches::near(&after, sets_after));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn row(record: &str, category: &str) -> MatchRow {
        MatchRow {
            file_id: 1,
            set_id: 1,
            record: record.to_owned(),
            basis: "SHA-1".to_owned(),
            category: Some(category.to_owned()),
            meaning: None,
            alerts: false,
            hides: false,
            series: None,
        }
    }

    /// The changes between two examinations' matches of one file: what, record, category before and after.
    fn changes(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<String> {
        let sets = BTreeMap::from([(1, "pv".to_owned())]);
        let rows = |list: &[(&str, &str)]| list.iter().map(|(r, c)| row(r, c)).collect::<Vec<_>>();
        let mut found = vec![];
        let (before, after) = (Matches::exact(&rows(before), &sets), Matches::exact(&rows(after), &sets));
        differences(1, "exact", before, after, &mut found);
        let last =
            |t: Option<String>| t.and_then(|t| t.chars().last()).map_or_else(|| "-".to_owned(), |c| c.to_string());
        found.into_iter().map(|c| format!("{} {}: {} {}", c.change, c.record, last(c.before), last(c.after))).collect()
    }

    #[test]
    fn a_record_without_a_name_is_the_same_wherever_it_stands() {
        for (place, other) in [("line 2", "line 2 of a.csv"), ("line 2", "line 7"), ("row 1", "record 9 of b c.sql")] {
            assert_eq!(changes(&[(place, "1")], &[(other, "1")]), [""; 0]);
            assert_eq!(changes(&[(place, "1")], &[(other, "2")]), [format!("changed {other}: 1 2")]);
            assert_eq!(changes(&[(place, "1")], &[("line 3", "0"), (other, "1")]), ["gained line 3: - 0"]);
            assert_eq!(changes(&[("line 9", "2"), (place, "1")], &[(other, "1")]), ["lost line 9: 2 -"]);
            // Two that say the same are two.
            assert_eq!(changes(&[(place, "1")], &[(place, "1"), ("line 8", "1")]), ["gained line 8: - 1"]);
            assert_eq!(changes(&[(place, "1")], &[(other, "1"), ("line 8", "1")]).len(), 1);
        }
    }

    #[test]
    fn a_record_with_a_name_is_the_same_where_its_name_is() {
        assert_eq!(
            changes(&[("MediaID 1", "1")], &[("MediaID 2", "1")]),
            ["lost MediaID 1: 1 -", "gained MediaID 2: - 1"]
        );
        assert_eq!(changes(&[("MediaID 1", "1")], &[("MediaID 1", "2")]), ["changed MediaID 1: 1 2"]);
        assert_eq!(
            changes(&[("MediaID 1", "1")], &[("MediaID 1", "1"), ("MediaID 1", "2")]),
            ["changed MediaID 1: 1 2"]
        );
        // Very many of them, as a hostile list may have, take no longer for it.
        let many: Vec<(String, String)> = (0..50_000).map(|n| (format!("line {n}"), format!("c{n}"))).collect();
        let rows: Vec<(&str, &str)> = many.iter().map(|(r, c)| (r.as_str(), c.as_str())).collect();
        assert_eq!(changes(&rows, &rows[1..]).len(), 1);
        // A name that only looks like a place.
        assert_eq!(changes(&[("ID line 2", "1")], &[("ID line 3", "1")]).len(), 2);
    }
}
