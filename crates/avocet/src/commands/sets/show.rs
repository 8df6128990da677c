//! `avocet sets list` and `avocet sets show`

use avocet_base::{plural, size_text};
use avocet_known::{HistoryAction, SetInfo, SetRef};

use super::{refuse, set_ref, store};
use crate::args::Global;
use crate::{Outcome, output};

/// What could not be used or was read otherwise, one line each; empty where there is nothing.
pub fn troubles(info: &SetInfo) -> String {
    let mut text = String::new();
    let rejected: u64 = info.rejected.iter().map(|t| t.count).sum();
    if rejected > 0 {
        text.push_str(&format!("REJECTED: {}\n", plural(rejected, "record", "records")));
        for tally in &info.rejected {
            let first: Vec<String> = tally.first.iter().map(u64::to_string).collect();
            // Each source counts in its own way, and a number alone would not say in which.
            let source = info.sources.get(tally.source as usize);
            let label = source.map_or(info.place_label, |s| s.place_label);
            let of = source.filter(|_| info.sources.len() > 1).map_or_else(String::new, |s| format!(" of {}", s.name));
            let places = format!("first: {label} {}{of}", first.join(", "));
            text.push_str(&format!("  {} for: {} ({places})\n", tally.count, tally.reason));
        }
    }
    let lost = &info.deletions_without_record;
    if lost.count > 0 {
        text.push_str(&format!(
            "WITHOUT EFFECT: {} of what is not there\n",
            plural(lost.count, "deletion", "deletions")
        ));
    }
    for warning in &info.warnings {
        text.push_str(&format!("Note: {warning}\n"));
    }
    text
}

/// The numbers of a set in one sentence.
pub fn counts(info: &SetInfo) -> String {
    let mut text = format!("{} kept of {} read", plural(info.kept, "record", "records"), info.records_read);
    for (count, what) in [
        (info.duplicates, "that say the same as another"),
        (info.removed, "taken away by deletions"),
        (info.deletions, "deletions"),
        (info.rejected.iter().map(|t| t.count).sum(), "rejected"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {what}"));
        }
    }
    text.push('.');
    text
}

pub fn json(set: &SetRef, info: &SetInfo) -> serde_json::Value {
    let tally = |t: &avocet_known::Tally| {
        let source = info.sources.get(t.source as usize);
        serde_json::json!({
            "reason": t.reason, "count": t.count, "first": t.first, "source": source.map(|s| s.name.as_str()),
            "place_label": source.map_or(info.place_label, |s| s.place_label),
        })
    };
    serde_json::json!({
        "set": set.to_string(), "name": set.name, "version": set.version, "digest": info.digest,
        "publisher": info.publisher, "format": info.format, "scheme": info.scheme.as_str(),
        "scheme_version": info.scheme_version, "scheme_digest": info.scheme_digest,
        "records_read": info.records_read, "kept": info.kept, "duplicates": info.duplicates,
        "removed": info.removed, "deletions": info.deletions,
        "deletions_without_record": tally(&info.deletions_without_record),
        "rejected": info.rejected.iter().map(tally).collect::<Vec<_>>(),
        "rows": info.rows, "pdq": info.pdq, "photodna": info.photodna, "warnings": info.warnings,
        "categories": info.categories.iter().map(|c| serde_json::json!({
            "code": c.code, "meaning": c.meaning, "alerts": c.alerts, "records": c.records,
        })).collect::<Vec<_>>(),
        "sources": info.sources.iter().map(|s| serde_json::json!({
            "name": s.name, "sha256": s.sha256, "bytes": s.bytes, "format": s.format, "publisher": s.publisher,
            "records": s.records, "stated": s.stated,
        })).collect::<Vec<_>>(),
        "history": info.history.iter().map(|h| serde_json::json!({
            "action": action(h.action), "from": h.from, "scheme": h.scheme.as_str(),
            "scheme_version": h.scheme_version, "scheme_digest": h.scheme_digest, "note": h.note,
        })).collect::<Vec<_>>(),
        "importer": info.importer,
    })
}

fn action(action: HistoryAction) -> &'static str {
    match action {
        HistoryAction::Import => "import",
        HistoryAction::Update => "update",
        HistoryAction::Remap => "remap",
    }
}

pub fn list(global: &Global) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let mut rows = vec![];
    let mut broken = vec![];
    for name in store.names().map_err(refuse)? {
        for version in store.versions(&name).map_err(refuse)? {
            let set = SetRef { name: name.clone(), version: Some(version) };
            match store.open(&set) {
                Ok((_, file)) => rows.push((set, file.info().clone())),
                Err(e) => broken.push((set, e.to_string())),
            }
        }
    }
    if global.json {
        let mut values: Vec<serde_json::Value> = rows.iter().map(|(set, info)| json(set, info)).collect();
        values.extend(broken.iter().map(|(set, e)| serde_json::json!({"set": set.to_string(), "unusable": e})));
        output::answer(&serde_json::to_string_pretty(&values)?)?;
    } else if rows.is_empty() && broken.is_empty() {
        output::answer("There is no known set yet. Make one: avocet sets import FILE… --name NAME --scheme SCHEME")?;
    } else {
        let mut text = String::new();
        for (set, error) in &broken {
            text.push_str(&format!("UNUSABLE {set}: {error}\n"));
        }
        text.push_str(&format!("{:<24} {:>13}  {:<18} {:<12} FORMAT\n", "SET", "RECORDS", "SCHEME", "DIGEST"));
        for (set, info) in &rows {
            let digest: String = info.digest.to_string().chars().take(12).collect();
            text.push_str(&format!(
                "{:<24} {:>13}  {:<18} {digest} {}\n",
                set.to_string(),
                info.kept,
                info.scheme.as_str(),
                info.format
            ));
        }
        output::answer(&text)?;
    }
    Ok(if broken.is_empty() { Outcome::Finished } else { Outcome::Unreadable })
}

pub fn one(global: &Global, name: &str) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let (set, file) = store.open(&set_ref(name)?).map_err(refuse)?;
    let info = file.info();
    let log = store.log(&set.name).map_err(refuse)?;
    if global.json {
        let mut value = json(&set, info);
        value["log"] = serde_json::to_value(&log)?;
        output::answer(&serde_json::to_string_pretty(&value)?)?;
        return Ok(Outcome::Finished);
    }
    let mut text = troubles(info);
    let mut line = |label: &str, value: &str| text.push_str(&format!("{label:<12} {value}\n"));
    line("Set", &set.to_string());
    line("Digest", &info.digest.to_string());
    line("Publisher", info.publisher.as_deref().unwrap_or("not stated"));
    line("Format", &info.format);
    line("Scheme", &format!("{} (version {}, {})", info.scheme.as_str(), info.scheme_version, info.scheme_digest));
    line("Records", &counts(info));
    if info.pdq > 0 || info.photodna > 0 {
        line(
            "Pictures",
            &format!("{} with a PDQ hash, {} with a PhotoDNA value (kept, not compared)", info.pdq, info.photodna),
        );
    }
    line("Made by", &info.importer);
    text.push_str("\nCategories\n");
    for c in &info.categories {
        let code = c.code.as_deref().unwrap_or("(none)");
        let alerts = if c.alerts { "  ALERTS" } else { "" };
        text.push_str(&format!(
            "  {code:<8} {:>13}  {}{alerts}\n",
            c.records,
            c.meaning.as_deref().unwrap_or("not in the scheme")
        ));
    }
    text.push_str("\nMade from\n");
    for s in &info.sources {
        text.push_str(&format!(
            "  {} ({}, {}), SHA-256 {}\n",
            s.name,
            size_text(s.bytes),
            plural(s.records, "record", "records"),
            s.sha256
        ));
        for (key, value) in &s.stated {
            text.push_str(&format!("    {key}: {value}\n"));
        }
    }
    text.push_str("\nHistory of this version\n");
    for h in &info.history {
        let from = h.from.map_or_else(String::new, |d| format!(" from {d}"));
        let note = h.note.as_deref().map_or_else(String::new, |n| format!(" — {n}"));
        text.push_str(&format!(
            "  {}{from}, scheme {} version {}{note}\n",
            action(h.action),
            h.scheme.as_str(),
            h.scheme_version
        ));
    }
    text.push_str("\nLog of the set\n");
    for e in &log {
        let note = e.note.as_deref().map_or_else(String::new, |n| format!(" — {n}"));
        text.push_str(&format!("  {} {} version {} by {}{note}\n", e.time, e.act, e.version, e.user));
    }
    output::answer(&text)?;
    Ok(Outcome::Finished)
}
