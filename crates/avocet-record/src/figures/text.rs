//! Figures as a force publishes them: a sentence, and CSV.

use std::fmt::Write as _;

use super::definition::Measure;
use super::measure::{Figure, Figures, Value};
use super::suppress::Shown;

/// The sentence: `Between 1 June 2025 and 31 May 2026 the team executed 204 warrants, …`
#[must_use]
pub fn sentence(figures: &Figures) -> String {
    let number = |measure: Measure| {
        let figure = figures.all.iter().find(|figure| figure.definition.value.measure == measure)?;
        match figure.counted.value {
            Value::Count(n) => Some(n),
            _ => None,
        }
    };
    let mut parts = vec![];
    let mut say = |measure: Measure, before: &str, one: &str, more: &str| {
        if let Some(n) = number(measure) {
            parts.push(format!("{before} {} {}", grouped(n), if n == 1 { one } else { more }));
        }
    };
    say(Measure::WarrantsExecuted1, "executed", "warrant", "warrants");
    say(Measure::Arrests1, "made", "arrest", "arrests");
    say(Measure::DevicesSeized1, "seized", "device", "devices");
    say(Measure::ChildrenSafeguarded1, "safeguarded", "child", "children");
    let (from, to) = (figures.span.from.in_words(), figures.span.to.in_words());
    let last = parts.pop();
    match (parts.is_empty(), last) {
        (_, None) => format!("Between {from} and {to}: none of the published figures is defined."),
        (true, Some(last)) => format!("Between {from} and {to} the team {last}."),
        (false, Some(last)) => format!("Between {from} and {to} the team {} and {last}.", parts.join(", ")),
    }
}

/// A number with commas: `1,432`.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// What CSV holds besides what may be published.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shape {
    /// The small numbers of breakdowns too.
    pub small_numbers: bool,
    /// The ids of the records of each number.
    pub records: bool,
}

/// A line for each number: figure, version, definition, period, cut-off, part, number, unit.
#[must_use]
pub fn csv(figures: &Figures, shape: Shape) -> String {
    let mut text = String::new();
    let records = if shape.records { ",records" } else { "" };
    let _ = writeln!(text, "figure,version,status,from,to,cutoff,part,value,unit,definition{records}");
    for figure in &figures.all {
        let mut line = |part: &str, value: &str, unit: &str, records: Option<&[String]>| {
            let row = &figure.definition;
            let mut cells = vec![
                row.id.clone(),
                row.value.version.clone(),
                row.provenance.status.to_string(),
                figures.span.from.to_string(),
                figures.span.to.to_string(),
                figures.cutoff.to_string(),
                part.to_owned(),
                value.to_owned(),
                unit.to_owned(),
                row.value.sentence.clone(),
            ];
            if shape.records {
                cells.push(records.unwrap_or_default().join(" "));
            }
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            let _ = writeln!(text, "{}", cells.join(","));
        };
        let records = Some(figure.counted.records.as_slice());
        match &figure.counted.value {
            Value::Count(n) => line("", &n.to_string(), "records", records),
            Value::Days(days) | Value::Waiting(days) => {
                line("", &days.count().to_string(), "records", records);
                if let Some((median, (least, most))) = days.median().zip(days.range()) {
                    line("median", &median, "days", None);
                    line("least", &least.to_string(), "days", None);
                    line("most", &most.to_string(), "days", None);
                }
            }
            Value::Viewed { views, people } => {
                line("", &views.to_string(), "views", records);
                line("people", &people.to_string(), "people", None);
            }
        }
        for (part, value) in parts(figure, shape.small_numbers) {
            line(&part, &value, "records", None);
        }
    }
    text
}

/// The lines of a breakdown: what part, and its number or that it is withheld.
fn parts(figure: &Figure, small_numbers: bool) -> Vec<(String, String)> {
    let Some((by, cells)) = &figure.counted.breakdown else { return vec![] };
    if small_numbers {
        return cells.iter().map(|(part, n)| (format!("{by}: {part}"), n.to_string())).collect();
    }
    let published = figure.published().and_then(|(_, cells)| cells);
    let Some(published) = published else { return vec![(format!("{by}: all"), "withheld".to_owned())] };
    let value = |shown: Shown| match shown {
        Shown::Number(n) => n.to_string(),
        Shown::Withheld => "withheld".to_owned(),
    };
    published.into_iter().map(|(part, shown)| (format!("{by}: {part}"), value(shown))).collect()
}

/// A cell of CSV. One that a spreadsheet would take for a formula is written so that it does not.
pub(super) fn quoted(cell: &str) -> String {
    let risky =
        cell.starts_with(['=', '+', '@', '\t', '\r']) || (cell.starts_with('-') && cell.parse::<f64>().is_err());
    let safe = if risky { format!("'{cell}") } else { cell.to_owned() };
    match safe.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", safe.replace('"', "\"\"")),
        false => safe,
    }
}
