//! `avocet figures`

use std::fmt::Write as _;
use std::path::Path;

use avocet_record::figures::{self, Cells, Cutoff, Days, Figure, Figures, Shape, Shown, Span, Value};
use avocet_record::law::Status;
use serde_json::json;

use super::{at_desk, instant, parse, print};
use crate::args::{FiguresArgs, FiguresVerb, Global, Who};
use crate::commands::write_new;
use crate::{Outcome, Refusal};

pub fn run(global: &Global, args: &FiguresArgs, who: &Who) -> anyhow::Result<Outcome> {
    if let Some(FiguresVerb::Export { csv, cutoff }) = &args.verb {
        return export(global, who, csv, cutoff.as_deref());
    }
    let day = |text: &Option<String>| parse(text.as_deref().unwrap_or_default());
    let span = Span { from: day(&args.from)?, to: day(&args.to)? };
    if span.from > span.to {
        return Err(Refusal(format!("the period ends on {}, before it begins on {}", span.to, span.from)).into());
    }
    let cutoff = args.cutoff.as_deref().map(self::cutoff).transpose()?;
    let figures = at_desk(global, who, async |desk| desk.figures(span, cutoff).await)?;
    let shape = Shape { small_numbers: args.small_numbers, records: args.records };
    if let Some(file) = &args.csv {
        write_new(file, figures::csv(&figures, shape).as_bytes(), "table of figures", 0o666)?;
    }
    print(global, &as_json(&figures, shape), || text(&figures, shape))
}

fn cutoff(text: &str) -> anyhow::Result<Cutoff> {
    match text.parse() {
        Ok(entry) => Ok(Cutoff::Entry(entry)),
        Err(_) => Ok(Cutoff::Instant(instant(text)?)),
    }
}

fn export(global: &Global, who: &Who, dir: &Path, cutoff: Option<&str>) -> anyhow::Result<Outcome> {
    let cutoff = cutoff.map(self::cutoff).transpose()?;
    // Before anything is given out.
    std::fs::create_dir(dir)
        .map_err(|e| Refusal(format!("{} cannot be made: {e}; name a new folder", dir.display())))?;
    let (last, export) = at_desk(global, who, async |desk| desk.export_counted(cutoff).await)?;
    for (name, content) in export.files() {
        write_new(&dir.join(format!("{name}.csv")), content.as_bytes(), "table of facts", 0o600)?;
    }
    let json = json!({"folder": dir, "cutoff": last, "rows": export.rows(), "files": export.files().len()});
    print(global, &json, || {
        format!(
            "{} in {} files in {}, as of entry {last}. The times of facts and ids are in them, and no text.",
            avocet_base::plural(export.rows(), "fact", "facts"),
            export.files().len(),
            dir.display()
        )
    })
}

fn value_json(value: &Value) -> serde_json::Value {
    let days = |days: &Days| {
        let range = days.range();
        json!({"count": days.count(), "median": days.median(), "least": range.map(|(least, _)| least),
            "most": range.map(|(_, most)| most)})
    };
    match value {
        Value::Count(n) => json!(n),
        Value::Days(d) | Value::Waiting(d) => days(d),
        Value::Viewed { views, people } => json!({"views": views, "people": people}),
    }
}

fn as_json(figures: &Figures, shape: Shape) -> serde_json::Value {
    let figure = |figure: &Figure| {
        let row = &figure.definition;
        let mut one = json!({"figure": row.id, "version": row.value.version, "title": row.value.title,
            "definition": row.value.sentence, "measure": row.value.measure, "status": row.provenance.status.to_string(),
            "value": value_json(&figure.counted.value)});
        if shape.records {
            one["records"] = json!(figure.counted.records);
        }
        if let Some((by, cells)) = breakdown(figure, shape) {
            let cells: Option<serde_json::Map<_, _>> = cells.map(|cells| {
                let number = |shown| match shown {
                    Shown::Number(n) => json!(n),
                    Shown::Withheld => json!("withheld"),
                };
                cells.into_iter().map(|(part, shown)| (part.to_owned(), number(shown))).collect()
            });
            one["by"] = json!({"what": by, "numbers": cells.map_or_else(|| json!("withheld"), |cells| json!(cells))});
        }
        one
    };
    json!({"from": figures.span.from, "to": figures.span.to, "cutoff": figures.cutoff, "tables": [figures.disposals],
        "sentence": figures::sentence(figures), "figures": figures.all.iter().map(figure).collect::<Vec<_>>()})
}

fn breakdown(figure: &Figure, shape: Shape) -> Option<(&'static str, Option<Cells<'_>>)> {
    if !shape.small_numbers {
        return figure.published();
    }
    let (by, cells) = figure.counted.breakdown.as_ref()?;
    Some((by, Some(cells.iter().map(|(part, n)| (part.as_str(), Shown::Number(*n))).collect())))
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Count(n) => n.to_string(),
        Value::Days(days) => days.to_string(),
        Value::Waiting(days) if days.count() == 0 => "0".to_owned(),
        Value::Waiting(days) => format!("{}, waiting: {days}", days.count()),
        Value::Viewed { views, people } => {
            format!("{views} by {}", avocet_base::plural(*people, "person", "people"))
        }
    }
}

fn text(figures: &Figures, shape: Shape) -> String {
    let mut text = format!("{}\n\n", figures::sentence(figures));
    let mut withheld = false;
    for figure in &figures.all {
        let row = &figure.definition;
        let title = format!("{} (version {})", row.value.title, row.value.version);
        let _ = writeln!(text, "{title:<48} {}", value_text(&figure.counted.value));
        if shape.records && !figure.counted.records.is_empty() {
            let _ = writeln!(text, "    records: {}", figure.counted.records.join(" "));
        }
        let Some((by, cells)) =
            breakdown(figure, shape).filter(|(_, cells)| cells.as_ref().is_none_or(|c| !c.is_empty()))
        else {
            continue;
        };
        match cells {
            None => {
                withheld = true;
                let _ = writeln!(text, "    by {by}: withheld");
            }
            Some(cells) => {
                let part = |(part, shown): &(&str, Shown)| match shown {
                    Shown::Number(n) => format!("{part} {n}"),
                    Shown::Withheld => format!("{part} withheld"),
                };
                withheld |= cells.iter().any(|(_, shown)| *shown == Shown::Withheld);
                let _ = writeln!(text, "    by {by}: {}", cells.iter().map(part).collect::<Vec<_>>().join(", "));
            }
        }
    }
    text.push('\n');
    if withheld {
        text.push_str(
            "Withheld: numbers of 1 to 4 in a breakdown, and what would give one away. --small-numbers shows them; that is \
             not for publication.\n",
        );
    }
    let _ = writeln!(
        text,
        "As of entry {} of the ledger: `--cutoff {}` gives the same numbers after later changes.",
        figures.cutoff, figures.cutoff
    );
    text.push_str("Definitions:\n");
    for figure in &figures.all {
        let row = &figure.definition;
        let doubt = match row.provenance.status {
            Status::Confirmed => String::new(),
            status => format!(" ({status})"),
        };
        let _ = writeln!(text, "  {}, version {}: {}{doubt}", row.id, row.value.version, row.value.sentence);
    }
    let _ = writeln!(text, "Counted with {}.", figures.disposals);
    text
}
