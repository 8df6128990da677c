//! `avocet sets lookup`

use std::fs::File;
use std::io::{BufRead, BufReader};

use avocet_base::plural;
use avocet_known::{Hit, Needle, SetFile, SetRef};

use super::{find, refuse_known};
use crate::args::{Global, LookupSets};
use crate::{Outcome, Refusal, output};

/// What a value's form says it is.
fn needle(text: &str) -> Option<Needle> {
    if let Some((kind, value)) = text.split_once(':') {
        return match kind {
            "pdq" => value.parse().ok().map(Needle::Pdq),
            "size" => value.parse().ok().map(Needle::Size),
            "photodna" => hex(value).map(Needle::PhotoDna),
            "md5" => value.parse().ok().map(Needle::Md5),
            "sha1" => value.parse().ok().map(Needle::Sha1),
            "sha256" => value.parse().ok().map(Needle::Sha256),
            _ => None,
        };
    }
    match text.len() {
        32 => text.parse().ok().map(Needle::Md5),
        40 => text.parse().ok().map(Needle::Sha1),
        64 => text.parse().ok().map(Needle::Sha256),
        _ => None,
    }
}

/// Bytes of hexadecimal text.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits.filter(|d| !d.is_empty() && d.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, d| byte << 4 | d)).collect())
}

struct Asked {
    asked: u64,
    found: u64,
    alerts: u64,
}

pub fn run(global: &Global, args: &LookupSets) -> anyhow::Result<Outcome> {
    let store = super::store(global)?;
    let names = if args.sets.is_empty() {
        let mut names = store.names().map_err(super::refuse)?;
        names.retain(|n| store.versions(n).is_ok_and(|v| !v.is_empty()));
        names
    } else {
        args.sets.clone()
    };
    if names.is_empty() {
        return Err(Refusal("there is no known set to ask: make one with `avocet sets import`".to_owned()).into());
    }
    let mut sets = vec![];
    for name in &names {
        let (set, path) = find(&store, name)?;
        sets.push((set, SetFile::open(&path).map_err(refuse_known)?));
    }
    let mut seen = Asked { asked: 0, found: 0, alerts: 0 };
    let mut rows = vec![];
    let mut ask = |text: &str, place: &dyn Fn() -> String| -> anyhow::Result<()> {
        let Some(needle) = needle(text) else {
            return Err(Refusal(format!(
                "{} is neither an MD5, SHA-1 or SHA-256 in hexadecimal nor pdq:HEX, photodna:HEX or size:BYTES",
                place()
            ))
            .into());
        };
        seen.asked += 1;
        let mut hits: Vec<(&SetRef, Hit)> = vec![];
        for (name, set) in &sets {
            hits.extend(set.find(&needle).map_err(refuse_known)?.into_iter().map(|h| (name, h)));
        }
        seen.found += u64::from(!hits.is_empty());
        seen.alerts += u64::from(hits.iter().any(|(_, h)| h.alerts));
        if !args.count {
            print(global, &mut rows, text, &hits)?;
        }
        Ok(())
    };
    for (number, value) in args.values.iter().enumerate() {
        ask(value.trim(), &|| format!("value {}", number + 1))?;
    }
    if let Some(path) = &args.hashes {
        let failed = |e: std::io::Error| anyhow::Error::new(e).context(format!("cannot read {}", path.display()));
        let file = File::open(path).map_err(|e| Refusal(format!("cannot read {}: {e}", path.display())))?;
        for (number, line) in BufReader::new(file).lines().enumerate() {
            let line = line.map_err(failed)?;
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') {
                ask(text, &|| format!("line {} of {}", number + 1, path.display()))?;
            }
        }
    }
    let names: Vec<String> = sets.iter().map(|(name, _)| name.to_string()).collect();
    if global.json {
        let value = serde_json::json!({
            "sets": names, "asked": seen.asked, "found": seen.found, "alerts": seen.alerts, "values": rows,
        });
        output::answer(&serde_json::to_string_pretty(&value)?)?;
    } else {
        output::answer(&format!(
            "{} of {} known, {} with a category that alerts; asked: {}",
            seen.found,
            plural(seen.asked, "value", "values"),
            seen.alerts,
            names.join(", ")
        ))?;
    }
    Ok(if seen.alerts > 0 { Outcome::Alerts } else { Outcome::Finished })
}

/// Prints one value's answer at once, or keeps it for the JSON at the end.
fn print(
    global: &Global,
    rows: &mut Vec<serde_json::Value>,
    text: &str,
    hits: &[(&SetRef, Hit)],
) -> anyhow::Result<()> {
    if global.json {
        let hits: Vec<_> = hits
            .iter()
            .map(|(set, h)| {
                serde_json::json!({
                    "set": set.to_string(), "record": h.record, "category": h.category, "meaning": h.meaning,
                    "alerts": h.alerts, "series": h.series, "flags": h.flags.words().collect::<Vec<_>>(),
                })
            })
            .collect();
        rows.push(serde_json::json!({"value": text, "hits": hits}));
        return Ok(());
    }
    if hits.is_empty() {
        return output::answer(&format!("{text}  not known"));
    }
    // What an officer must see comes first.
    for (set, h) in hits.iter().filter(|(_, h)| h.alerts).chain(hits.iter().filter(|(_, h)| !h.alerts)) {
        let category = h.category.as_deref().unwrap_or("none");
        let meaning = h.meaning.as_deref().map_or_else(String::new, |m| format!(" ({m})"));
        let series = h.series.as_deref().map_or_else(String::new, |s| format!(", series {s}"));
        let flags: String = h.flags.words().map(|w| format!(", {w}")).collect();
        let alert = if h.alerts { "ALERT " } else { "" };
        output::answer(&format!("{text}  {alert}set {set} {}, category {category}{meaning}{series}{flags}", h.record))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_known_by_its_form() {
        assert!(matches!(needle(&"A".repeat(32)), Some(Needle::Md5(_))));
        assert!(matches!(needle(&"a".repeat(40)), Some(Needle::Sha1(_))));
        assert!(matches!(needle(&"a".repeat(64)), Some(Needle::Sha256(_))));
        assert!(matches!(needle(&format!("pdq:{}", "a".repeat(64))), Some(Needle::Pdq(_))));
        assert_eq!(needle("size:17"), Some(Needle::Size(17)));
        assert_eq!(needle("photodna:00ff"), Some(Needle::PhotoDna(vec![0, 255])));
        for bad in ["", "abc", &"g".repeat(32), "pdq:00", "size:-1", "photodna:0", "x:1"] {
            assert_eq!(needle(bad), None, "{bad}");
        }
    }
}
