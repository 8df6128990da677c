//! Reports of a grading: each is rendered from an extract and from nothing else.

use std::fmt::Write as _;
use std::path::Path;

use avocet_record::review::{GradedBy, GradedCount, GradingExtract};
use avocet_record::{Day, digest};
use serde_json::json;

use super::{at_desk, parse, print};
use crate::args::{Global, Who};
use crate::commands::check_new;
use crate::{Outcome, Refusal};

/// `avocet grading extract`
pub fn extract(global: &Global, who: &Who, investigation: &str, out: &Path) -> anyhow::Result<Outcome> {
    let id = parse(investigation)?;
    check_new(out, "extract")?;
    let (text, digest) = at_desk(global, who, async |desk| desk.grading_extract(id).await)?;
    std::fs::write(out, text)?;
    print(global, &json!({"digest": digest}), || {
        format!("Written. Its SHA-256, which stands on the ledger too: {digest}")
    })
}

fn read(file: &Path) -> anyhow::Result<(GradingExtract, String)> {
    let text = std::fs::read_to_string(file).map_err(|e| Refusal(format!("{} cannot be read: {e}", file.display())))?;
    let extract = GradingExtract::read(&text).map_err(|e| Refusal(format!("{}: {e}", file.display())))?;
    Ok((extract, digest(text.as_bytes()).to_string()))
}

fn medium(moving: bool) -> &'static str {
    if moving { "moving" } else { "still" }
}

fn day(ns: Option<i64>) -> String {
    ns.map_or_else(|| "not known".to_owned(), |ns| Day::of(avocet_record::At::from_ns(ns)).to_string())
}

fn between(line: &GradedCount) -> String {
    if line.first.is_none() {
        "dates not known".to_owned()
    } else {
        format!("{} to {}", day(line.first), day(line.last))
    }
}

/// `avocet grading schedule`: the counts of a charge's schedule, still and moving apart.
pub fn schedule(global: &Global, file: &Path) -> anyhow::Result<Outcome> {
    let (extract, digest) = read(file)?;
    let json = json!({"extract": digest, "scheme": extract.scheme, "lines": extract.by_device});
    print(global, &json, || {
        let mut text = format!(
            "{}: indecent photographs or pseudo-photographs, by category ({}), still and moving apart\n",
            extract.investigation, extract.scheme
        );
        for line in &extract.by_device {
            let exhibit = line.exhibit.map_or_else(String::new, |exhibit| exhibit.to_string());
            let _ = writeln!(
                text,
                "{:>8}  category {}  {}  {exhibit}  {}  {}  {}",
                line.count,
                line.category,
                medium(line.moving),
                line.state.as_deref().unwrap_or_default(),
                line.by.words(),
                between(line)
            );
        }
        let _ = writeln!(
            text,
            "A content on several devices is counted for each. Whether the user could get at the files is for a person to state.\n\
             Extract: SHA-256 {digest}"
        );
        text
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// `avocet grading sfr`: one page in the manner of a streamlined forensic report.
pub fn sfr(global: &Global, file: &Path, html: &Path) -> anyhow::Result<Outcome> {
    let (extract, digest) = read(file)?;
    check_new(html, "page")?;
    let mut rows = String::new();
    for line in &extract.totals {
        let _ = writeln!(
            rows,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            escaped(&line.category),
            medium(line.moving),
            line.by.words(),
            line.count,
            escaped(&between(line))
        );
    }
    let without: u64 = extract.without.values().sum();
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>{id}: grading</title>\n<style>\
         body{{font:14px/1.4 sans-serif;max-width:180mm;margin:10mm auto}}table{{border-collapse:collapse;width:100%}}\
         td,th{{border:1px solid #666;padding:2px 6px;text-align:left}}.n{{text-align:right}}code{{word-break:break-all}}\
         </style></head><body>\n<h1>{id}: what was graded</h1>\n\
         <p>Indecent photographs or pseudo-photographs, by category in the scheme {scheme}, still and moving apart. Policy: {policy}. \
         Each number counts different contents (SHA-256), whatever the number of copies.</p>\n\
         <table><thead><tr><th>Category</th><th>Still or moving</th><th>On what it rests</th><th>Contents</th><th>File dates</th></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n\
         <p><em>By exact match</em>: a known set has the very same content; no person of this record viewed it. <em>Accepted in group</em>: \
         accepted with a picture that looks the same and was viewed. Dates are those that file systems state, as the device recorded them.</p>\n\
         <p>{without} further contents have no category. For {otherwise} of them a set says one that is not counted here, because it is of \
         another scheme or sets differ.</p>\n\
         <p>This page gives numbers and no opinion. It was rendered from the extract with SHA-256 <code>{digest}</code>, which stands on the \
         record's ledger.</p>\n</body></html>\n",
        id = escaped(&extract.investigation),
        scheme = escaped(&extract.scheme),
        policy = escaped(&extract.policy.replace('_', " ")),
        otherwise = extract.said_otherwise,
    );
    std::fs::write(html, page)?;
    print(global, &json!({"extract": digest}), || "Written.".to_owned())
}

/// `avocet grading export`: for other programs. What no person viewed is left out unless asked for.
pub fn export(
    global: &Global,
    file: &Path,
    vics: Option<&Path>,
    csv: Option<&Path>,
    unviewed: bool,
) -> anyhow::Result<Outcome> {
    let (extract, digest) = read(file)?;
    for out in [vics, csv].into_iter().flatten() {
        check_new(out, "export")?;
    }
    let kept: Vec<_> =
        extract.contents.iter().filter(|content| unviewed || content.by != GradedBy::ExactMatch).collect();
    let left_out = extract.contents.len().saturating_sub(kept.len());
    if let Some(out) = vics {
        let region = if extract.scheme.starts_with("uk") { "UK" } else { "Default" };
        let mut records = vec![];
        for (number, content) in (1u64..).zip(&kept) {
            let category = content.category.parse::<u32>().map_or_else(|_| json!(content.category), |n| json!(n));
            let mut record = json!({
                "MediaID": number,
                "Category": category,
                "MediaSize": content.bytes,
                "AlternativeHashes": [{"HashName": "SHA256", "HashValue": content.sha256.to_string()}],
                "avocet:scheme": extract.scheme,
                "avocet:basis": content.by.words(),
                "avocet:extract": digest,
            });
            if let Some(fields) = record.as_object_mut() {
                if let Some(md5) = content.md5 {
                    fields.insert("MD5".into(), json!(md5.to_string().to_uppercase()));
                }
                if let Some(sha1) = content.sha1 {
                    fields.insert("SHA1".into(), json!(sha1.to_string().to_uppercase()));
                }
            }
            records.push(record);
        }
        let context = format!("http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{region}/$metadata#Media");
        std::fs::write(out, format!("{}\n", json!({"@odata.context": context, "value": records})))?;
    }
    if let Some(out) = csv {
        let mut writer = csv::Writer::from_path(out)?;
        writer.write_record([
            "sha256", "sha1", "md5", "bytes", "medium", "category", "basis", "exhibits", "states", "files", "first",
            "last",
        ])?;
        for content in &kept {
            let exhibits: Vec<String> = content.exhibits.iter().map(ToString::to_string).collect();
            writer.write_record([
                content.sha256.to_string(),
                content.sha1.map(|d| d.to_string()).unwrap_or_default(),
                content.md5.map(|d| d.to_string()).unwrap_or_default(),
                content.bytes.to_string(),
                medium(content.moving).to_owned(),
                content.category.clone(),
                content.by.words().to_owned(),
                exhibits.join(" "),
                content.states.join(" "),
                content.files.to_string(),
                content.first.map(|_| day(content.first)).unwrap_or_default(),
                content.last.map(|_| day(content.last)).unwrap_or_default(),
            ])?;
        }
        writer.flush()?;
    }
    print(global, &json!({"written": kept.len(), "left_out": left_out, "extract": digest}), || {
        format!("{} written; {left_out} left out, because no person viewed them.", kept.len())
    })
}
