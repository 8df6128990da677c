//! The summary on a terminal: completeness first, then what matched, then what nobody knows.

use std::fmt::Write;

use crate::extract::{AlertLine, Extract};
use crate::{grouped, plural};

/// Alerting files shown in the summary; `avocet list --alerting` shows all.
const SHOWN: usize = 40;

struct Paint(bool);

impl Paint {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
    fn bold(&self, text: &str) -> String {
        self.wrap("1", text)
    }
    fn alarm(&self, text: &str) -> String {
        self.wrap("1;31", text)
    }
    fn dim(&self, text: &str) -> String {
        self.wrap("2", text)
    }
}

/// The summary as text, with ANSI colour where asked for.
pub fn text(extract: &Extract, colour: bool) -> String {
    let paint = Paint(colour);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = render(&mut out, extract, &paint);
    out
}

fn render(out: &mut String, x: &Extract, paint: &Paint) -> std::fmt::Result {
    writeln!(out, "{}", paint.bold(&format!("Exhibit {} · {}", x.exhibit, x.evidence_line())))?;
    writeln!(out)?;
    completeness(out, x, paint)?;
    matches(out, x, paint)?;
    unknown(out, x, paint)?;
    writeln!(out, "Result digest  {}", x.result_digest)
}

fn completeness(out: &mut String, x: &Extract, paint: &Paint) -> std::fmt::Result {
    writeln!(out, "{}", paint.bold("How complete this is"))?;
    for line in &x.completeness {
        let mark = match line.level.as_str() {
            "alarm" => paint.alarm("ALARM"),
            "gap" => paint.bold("GAP  "),
            "note" => "note ".to_owned(),
            _ => paint.dim("done "),
        };
        writeln!(out, "  {mark}  {}", line.text)?;
    }
    writeln!(out)
}

fn matches(out: &mut String, x: &Extract, paint: &Paint) -> std::fmt::Result {
    writeln!(out, "{}", paint.bold("Matches with known sets"))?;
    if x.summary.matches.is_empty() {
        let why = if x.known_sets.is_empty() { "No known set was given." } else { "No file matches a known set." };
        writeln!(out, "  {why}\n")?;
        return Ok(());
    }
    for m in &x.summary.matches {
        let category = m.category.as_deref().unwrap_or("none");
        let meaning = m.meaning.as_deref().unwrap_or("not in the scheme");
        let alerts = if m.alerts { paint.alarm("ALERT") } else { "     ".to_owned() };
        let hides = if m.hides { ", may be hidden from review" } else { "" };
        writeln!(
            out,
            "  {alerts}  {}: category {category} ({meaning}), by {}: {} with {}{hides}",
            m.set_name,
            m.basis,
            plural(m.files, "file", "files"),
            plural(m.digests, "content", "different contents"),
        )?;
    }
    writeln!(out)?;
    if x.summary.alerting_files > 0 {
        writeln!(out, "{}", paint.bold(&format!("{} to look at", plural(x.summary.alerting_files, "file", "files"))))?;
        for alert in x.alerts.iter().take(SHOWN) {
            alert_line(out, alert)?;
        }
        let rest = x.summary.alerting_files.saturating_sub(SHOWN as u64);
        if rest > 0 {
            writeln!(out, "  and {} more: avocet list FILE --alerting", grouped(rest))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn alert_line(out: &mut String, a: &AlertLine) -> std::fmt::Result {
    let what: Vec<String> = a
        .matches
        .iter()
        .map(|m| format!("category {} by {}", m.category.as_deref().unwrap_or("none"), m.basis))
        .collect();
    write!(out, "  {:<9}  {}:{}  [{}]", a.state, a.volume, a.path, what.join("; "))?;
    if let Some(original) = &a.original_path {
        write!(out, "  was {original}")?;
    }
    if !a.note.is_empty() {
        write!(out, "  ({})", a.note)?;
    }
    writeln!(out)
}

fn unknown(out: &mut String, x: &Extract, paint: &Paint) -> std::fmt::Result {
    let s = &x.summary;
    writeln!(out, "{}", paint.bold("Not known to any set"))?;
    for (one, many, m) in [("picture", "pictures", &s.pictures), ("video", "videos", &s.videos)] {
        let of = format!("of {}", grouped(m.total));
        writeln!(out, "  {:<24} {of:<14} {} in a known set", plural(m.unknown, one, many), grouped(m.known),)?;
    }
    let states: Vec<String> = s.by_state.iter().map(|c| format!("{} {}", grouped(c.files), c.name)).collect();
    writeln!(out, "  Entries by state: {}\n", states.join(", "))
}
