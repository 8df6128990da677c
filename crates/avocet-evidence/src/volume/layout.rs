//! Holds what a partition table claims against the source: cuts, overlaps, gaps.

use std::sync::Arc;

use super::recognise::{Recognised, recognise};
use super::{Claim, Table, VolumeScan, VolumeSlot, window};
use crate::entry::Run;
use crate::error::Problem;
use crate::source::Source;

fn end(run: Run) -> u64 {
    run.start.saturating_add(run.length)
}

/// Sorts runs and joins those that touch or overlap.
pub(crate) fn union(mut runs: Vec<Run>) -> Vec<Run> {
    runs.retain(|r| r.length > 0);
    runs.sort_unstable();
    let mut out: Vec<Run> = Vec::with_capacity(runs.len());
    for run in runs {
        match out.last_mut() {
            Some(last) if run.start <= end(*last) => last.length = end(*last).max(end(run)).saturating_sub(last.start),
            _ => out.push(run),
        }
    }
    out
}

/// The parts of `from` outside `taken`; both sorted and merged.
pub(crate) fn subtract(from: &[Run], taken: &[Run]) -> Vec<Run> {
    let mut out = vec![];
    for run in from {
        let mut at = run.start;
        let first = taken.partition_point(|t| end(*t) <= run.start);
        for t in taken.iter().skip(first).take_while(|t| t.start < end(*run)) {
            if t.start > at {
                out.push(Run { start: at, length: t.start.saturating_sub(at) });
            }
            at = at.max(end(*t));
        }
        if at < end(*run) {
            out.push(Run { start: at, length: end(*run).saturating_sub(at) });
        }
    }
    out
}

fn sum(runs: &[Run]) -> u64 {
    runs.iter().fold(0, |n, r| n.saturating_add(r.length))
}

/// Cuts a claim at the end of the source; `None` where nothing of it is left.
fn cut(claim: &Claim, total: u64, problems: &mut Vec<Problem>) -> Option<u64> {
    let room = total.saturating_sub(claim.start);
    if claim.length > room {
        let missing = claim.length.saturating_sub(room);
        problems.push(Problem::new(
            "volume",
            "partition-past-end",
            Some(claim.start),
            format!("partition {} declares {} bytes, of which {missing} lie past the end", claim.name, claim.length),
        ));
    }
    let length = claim.length.min(room);
    (length > 0).then_some(length)
}

pub(super) fn lay_out(source: &Arc<dyn Source>, scheme: &'static str, sector_size: u64, table: Table) -> VolumeScan {
    let total = source.len();
    let Table { claims, tables, mut problems } = table;
    let tables: Vec<Run> = tables
        .into_iter()
        .map(|r| Run { start: r.start.min(total), length: r.length.min(total.saturating_sub(r.start)) })
        .collect();
    let mut tables = union(tables);
    let mut volumes: Vec<VolumeSlot> = vec![];
    let mut taken: Vec<Run> = vec![];
    let mut claimed = 0u64;
    for claim in claims {
        let Some(length) = cut(&claim, total, &mut problems) else { continue };
        // Overlaps are kept, for the second partition may be the true one; but a table cannot make the whole device
        // be examined a hundred times.
        if claimed.saturating_add(length) > total.saturating_mul(2) {
            problems.push(Problem::new(
                "volume",
                "partitions-capped",
                Some(claim.start),
                format!("partition {} was left out: the partitions claim over twice the source", claim.name),
            ));
            continue;
        }
        claimed = claimed.saturating_add(length);
        let recognised = match claim.not_read {
            Some(what) => Recognised::NotRead {
                what: what.into(),
                certain: true,
                detail: "by the partition type; the content may be spread over several disks".into(),
            },
            None => recognise(&window(source, claim.start, length)),
        };
        taken.push(Run { start: claim.start, length });
        let Claim { name, start, type_name, label, .. } = claim;
        volumes.push(VolumeSlot { name, start, length, type_name, label, recognised });
    }
    report_overlaps(&volumes, &tables, &mut problems);
    let merged = union(taken);
    let overlap = claimed.saturating_sub(sum(&merged));
    tables = subtract(&tables, &merged);
    let mut used = merged;
    used.extend_from_slice(&tables);
    let gaps = subtract(&[Run { start: 0, length: total }], &union(used));
    VolumeScan { scheme, sector_size, volumes, gaps, tables, overlap, problems }
}

fn report_overlaps(volumes: &[VolumeSlot], tables: &[Run], problems: &mut Vec<Problem>) {
    // A disc with a map holds the partitions of the map: that is how both kinds of computer read it.
    let mut order: Vec<&VolumeSlot> = volumes.iter().filter(|v| v.name != super::apm::DISC).collect();
    order.sort_by(|a, b| (a.start, a.length, &a.name).cmp(&(b.start, b.length, &b.name)));
    let mut furthest: Option<&VolumeSlot> = None;
    let end_of = |v: &VolumeSlot| v.start.saturating_add(v.length);
    for slot in order {
        if let Some(other) = furthest.filter(|o| end_of(o) > slot.start) {
            problems.push(Problem::new(
                "volume",
                "partitions-overlap",
                Some(slot.start),
                format!("partition {} begins inside partition {}", slot.name, other.name),
            ));
        }
        if tables.iter().any(|t| t.start < end_of(slot) && slot.start < end(*t)) {
            problems.push(Problem::new(
                "volume",
                "partitions-overlap",
                Some(slot.start),
                format!("partition {} covers bytes of the partition table", slot.name),
            ));
        }
        if furthest.is_none_or(|o| end_of(o) < end_of(slot)) {
            furthest = Some(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_merge_and_subtract() {
        let r = |start, length| Run { start, length };
        assert_eq!(union(vec![r(5, 5), r(0, 5), r(20, 0), r(12, 3), r(13, 1)]), [r(0, 10), r(12, 3)]);
        assert_eq!(subtract(&[r(0, 20)], &[r(2, 3), r(10, 10)]), [r(0, 2), r(5, 5)]);
        assert_eq!(subtract(&[r(0, 4), r(6, 4)], &[r(3, 5)]), [r(0, 3), r(8, 2)]);
        assert_eq!(subtract(&[r(3, 2)], &[r(0, 10)]), []);
    }
}
