//! Where members lie in an archive: overlaps, limits, and bytes that belong to no member.

use super::LAYER;
use super::directory::Member;
use crate::entry::{Run, Unreadable};
use crate::error::Problem;

/// The most bytes that deflate makes of one (zlib's technical details: 1032:1).
const DEFLATE_RATIO: u64 = 1032;
const RATIO_SLACK: u64 = 1024;
/// Declared bytes in all: this many times the archive, and as much again.
const TOTAL_RATIO: u64 = 256;
const TOTAL_SLACK: u64 = 64 << 30;
/// The longest data descriptor: signature, CRC-32 and two 64-bit sizes.
const DESCRIPTOR: u64 = 24;

fn end(run: Run) -> u64 {
    run.start.saturating_add(run.length)
}

/// Refuses what exceeds the limits and counts what no member claims.
pub(super) fn check(members: &mut [Member], own: &[Run], length: u64, problems: &mut Vec<Problem>) {
    limits(members, length, problems);
    let mut runs: Vec<(Run, bool)> = own.iter().map(|r| (*r, false)).collect();
    for m in members.iter() {
        if let Some(start) = m.data_start {
            let stop = start.saturating_add(m.compressed).min(length);
            let run = Run { start: m.local_offset, length: stop.saturating_sub(m.local_offset) };
            runs.push((run, m.flags & 0x8 != 0));
        }
    }
    runs.retain(|r| r.0.length > 0);
    runs.sort_unstable();
    let (mut at, mut slack, mut between, mut overlaps) = (0u64, 0, 0u64, 0u64);
    let first = runs.first().map_or(length, |r| r.0.start);
    if first > 0 {
        let detail = format!("{first} bytes stand before the archive");
        problems.push(Problem::new(LAYER, "bytes-before-archive", Some(0), detail));
        at = first;
    }
    for (run, described) in runs {
        if run.start < at {
            overlaps = overlaps.saturating_add(1);
        } else if run.start.saturating_sub(at) > slack {
            between = between.saturating_add(run.start.saturating_sub(at));
        }
        if end(run) >= at {
            at = end(run);
            slack = if described { DESCRIPTOR } else { 0 };
        }
    }
    if overlaps > 0 {
        let detail = format!("{overlaps} member(s) begin inside the bytes of another member or of the directory");
        problems.push(Problem::new(LAYER, "members-overlap", None, detail));
    }
    if between > 0 {
        let detail = format!("{between} bytes lie between members and belong to none that the directory lists");
        problems.push(Problem::new(LAYER, "bytes-between-members", None, detail));
    }
    if at < length {
        let detail = format!("{} bytes stand after the archive", length.saturating_sub(at));
        problems.push(Problem::new(LAYER, "bytes-after-archive", Some(at), detail));
    }
}

fn limits(members: &mut [Member], length: u64, problems: &mut Vec<Problem>) {
    let (mut packed, mut declared) = (0u64, 0u64);
    let (mut ratio, mut total) = (0u64, 0u64);
    let most = length.saturating_mul(TOTAL_RATIO).saturating_add(TOTAL_SLACK);
    for m in members.iter_mut() {
        if m.data_start.is_some_and(|start| start.saturating_add(m.compressed) > length) {
            m.refused = Some(Unreadable::Corrupt("its data reach past the end of the archive".into()));
            continue;
        }
        let possible = m.compressed.saturating_mul(DEFLATE_RATIO).saturating_add(RATIO_SLACK);
        if m.method == 8 && m.size > possible {
            ratio = ratio.saturating_add(1);
            m.refused = Some(Unreadable::Corrupt("more bytes declared than deflate can make of its data".into()));
            continue;
        }
        let (next_packed, next_declared) = (packed.saturating_add(m.compressed), declared.saturating_add(m.size));
        if next_packed > length.saturating_mul(2) || next_declared > most {
            total = total.saturating_add(1);
            m.refused = Some(Unreadable::Corrupt("the members in all claim more than an archive can hold".into()));
            continue;
        }
        (packed, declared) = (next_packed, next_declared);
    }
    if ratio > 0 {
        let detail = format!("{ratio} member(s) declare more bytes than deflate can make of their data");
        problems.push(Problem::new(LAYER, "zip-bomb", None, detail));
    }
    if total > 0 {
        let detail = format!("{total} member(s) were not read: the members in all claim more than the limits allow");
        problems.push(Problem::new(LAYER, "zip-bomb", None, detail));
    }
}
