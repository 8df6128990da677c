//! Reports of a grading: each is rendered from an extract and from nothing else.

use std::path::Path;

use avocet_known::Scheme;
use avocet_record::RecordError;
use avocet_record::review::GradingReport;
use serde_json::json;

use super::{at_desk, parse, print};
use crate::args::{Global, Who};
use crate::commands::check_new;
use crate::{Outcome, Refusal};

/// `avocet grading extract`
pub fn extract(global: &Global, who: &Who, investigation: &str, out: &Path, interim: bool) -> anyhow::Result<Outcome> {
    let id = parse(investigation)?;
    check_new(out, "extract")?;
    let (text, digest) = at_desk(global, who, async |desk| {
        if let (false, Some(first)) = (interim, desk.interim_results(id).await?.first()) {
            return Err(RecordError::Refused(format!(
                "{} of {} is interim: its examination had not ended. Attach the whole one in its place, or make the extract \
                 all the same with --interim",
                first.id, first.exhibit
            )));
        }
        desk.grading_extract(id).await
    })?;
    std::fs::write(out, text)?;
    print(global, &json!({"digest": digest}), || {
        format!("Written. Its SHA-256, which stands on the ledger too: {digest}")
    })
}

fn read(file: &Path) -> anyhow::Result<GradingReport> {
    let text = std::fs::read_to_string(file).map_err(|e| Refusal(format!("{} cannot be read: {e}", file.display())))?;
    let report = GradingReport::read(&text).map_err(|e| Refusal(format!("{}: {e}", file.display())))?;
    let scheme = Scheme::named(&report.extract.scheme);
    Ok(report.holding_apart(scheme.iter().flat_map(Scheme::silent)))
}

/// `avocet grading schedule`: the counts of a charge's schedule, still and moving apart.
pub fn schedule(global: &Global, file: &Path) -> anyhow::Result<Outcome> {
    let report = read(file)?;
    let lines: Vec<_> = report.scheduled().collect();
    let json = json!({"extract": report.digest, "scheme": report.extract.scheme, "lines": lines,
        "held_apart": report.held_apart()});
    print(global, &json, || report.schedule())
}

/// `avocet grading sfr`: one page in the manner of a streamlined forensic report.
pub fn sfr(global: &Global, file: &Path, html: &Path) -> anyhow::Result<Outcome> {
    let report = read(file)?;
    check_new(html, "page")?;
    std::fs::write(html, report.summary_file()?)?;
    print(global, &json!({"extract": report.digest}), || "Written.".to_owned())
}

/// `avocet grading export`: for other programs. What no person viewed is left out unless asked for.
pub fn export(
    global: &Global,
    file: &Path,
    vics: Option<&Path>,
    csv: Option<&Path>,
    unviewed: bool,
) -> anyhow::Result<Outcome> {
    let report = read(file)?;
    for out in [vics, csv].into_iter().flatten() {
        check_new(out, "export")?;
    }
    let as_csv = report.csv(unviewed)?;
    if let Some(out) = vics {
        std::fs::write(out, report.vics(unviewed).text)?;
    }
    if let Some(out) = csv {
        std::fs::write(out, &as_csv.text)?;
    }
    let (written, left_out) = (as_csv.written, as_csv.left_out);
    print(global, &json!({"written": written, "left_out": left_out, "extract": report.digest}), || {
        format!("{written} written; {left_out} left out, because no person viewed them.")
    })
}
