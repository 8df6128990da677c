//! `avocet sets diff`
//!
//! Both sets are read once, side by side, in the order of their rows. Records are the same file where they state the same
//! digests; what they say of it besides (size, category, series, flags) makes the difference.

use std::iter::Peekable;

use avocet_base::{Md5, Sha1, Sha256};
use avocet_known::{KnownError, Record, Records, SetFile};

use super::{refuse, refuse_known, set_ref, store};
use crate::args::{DiffSets, Global};
use crate::{Outcome, output};

/// Differences printed where not all are asked for.
const SHOWN: usize = 20;

/// The digests that a record states. The order is that of the rows: MD5 first, records without one last.
type Key = (bool, Option<Md5>, Option<Sha1>, Option<Sha256>);

fn key(record: &Record) -> Key {
    (record.md5.is_none(), record.md5, record.sha1, record.sha256)
}

/// What a set says of one file, in words.
fn said(record: &Record) -> String {
    let mut text = format!("category {}", record.category.as_deref().unwrap_or("none"));
    if let Some(size) = record.size {
        text.push_str(&format!(", {size} bytes"));
    }
    if let Some(series) = &record.series {
        text.push_str(&format!(", series {series}"));
    }
    record.flags.words().for_each(|w| text.push_str(&format!(", {w}")));
    text
}

fn named(key: &Key) -> String {
    let (_, md5, sha1, sha256) = key;
    let parts =
        [md5.map(|d| format!("md5 {d}")), sha1.map(|d| format!("sha1 {d}")), sha256.map(|d| format!("sha256 {d}"))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Everything one set says of the next file in its order.
type Group = (Key, Vec<String>);

struct Groups<'a> {
    records: Peekable<Records<'a>>,
    last: Option<Key>,
}

impl Groups<'_> {
    fn next(&mut self) -> Result<Option<Group>, KnownError> {
        let Some(first) = self.records.next().transpose()? else { return Ok(None) };
        let wanted = key(&first);
        debug_assert!(self.last.is_none_or(|last| last < wanted), "rows are in the order of their digests");
        self.last = Some(wanted);
        let mut all = vec![said(&first)];
        while let Some(Ok(next)) = self.records.peek() {
            if key(next) != wanted {
                break;
            }
            all.push(said(next));
            self.records.next();
        }
        all.sort();
        all.dedup();
        Ok(Some((wanted, all)))
    }
}

#[derive(Default)]
struct Differences {
    added: u64,
    removed: u64,
    changed: u64,
    same: u64,
}

pub fn run(global: &Global, args: &DiffSets) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let (from_name, from) = store.open(&set_ref(&args.from)?).map_err(refuse)?;
    let (to_name, to) = store.open(&set_ref(&args.to)?).map_err(refuse)?;
    let mut counts = Differences::default();
    let mut listed = 0usize;
    let mut each = |sign: char, key: &Key, text: &str| -> anyhow::Result<()> {
        if !global.json && (args.all || listed < SHOWN) {
            output::answer(&format!("{sign} {}: {text}", named(key)))?;
        }
        listed += 1;
        Ok(())
    };
    compare(&from, &to, &mut counts, &mut each)?;
    if global.json {
        let value = serde_json::json!({
            "from": from_name.to_string(), "to": to_name.to_string(), "added": counts.added,
            "removed": counts.removed, "changed": counts.changed, "same": counts.same,
        });
        output::answer(&serde_json::to_string_pretty(&value)?)?;
        return Ok(Outcome::Finished);
    }
    if !args.all && listed > SHOWN {
        output::answer(&format!("… and {} more; --all lists them", listed - SHOWN))?;
    }
    output::answer(&format!(
        "From {from_name} to {to_name}: {} added, {} removed, {} changed, {} the same.",
        counts.added, counts.removed, counts.changed, counts.same
    ))?;
    Ok(Outcome::Finished)
}

fn compare(
    from: &SetFile,
    to: &SetFile,
    counts: &mut Differences,
    each: &mut dyn FnMut(char, &Key, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let groups = |set| Groups { records: SetFile::records(set).peekable(), last: None };
    let (mut before, mut after) = (groups(from), groups(to));
    let (mut a, mut b) = (before.next().map_err(refuse_known)?, after.next().map_err(refuse_known)?);
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(()),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.0.cmp(&b.0),
        };
        match (order, &a, &b) {
            (std::cmp::Ordering::Equal, Some((key, old)), Some((_, new))) => {
                if old == new {
                    counts.same += 1;
                } else {
                    counts.changed += 1;
                    let (old, new) = (old.join(" / "), new.join(" / "));
                    each('~', key, &format!("{old} -> {new}"))?;
                }
            }
            (std::cmp::Ordering::Less, Some((key, old)), _) => {
                counts.removed += 1;
                each('-', key, &old.join(" / "))?;
            }
            (_, _, Some((key, new))) => {
                counts.added += 1;
                each('+', key, &new.join(" / "))?;
            }
            _ => return Ok(()),
        }
        if order.is_le() {
            a = before.next().map_err(refuse_known)?;
        }
        if order.is_ge() {
            b = after.next().map_err(refuse_known)?;
        }
    }
}
