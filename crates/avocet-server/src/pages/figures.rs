//! Figures for a period: each number with its definition, a chart with the same numbers in a table, and the records behind it.

use avocet_record::Day;
use avocet_record::desk::Desk;
use avocet_record::figures::{self, Cutoff, Figure, Figures, Shape, Shown, Span, Value};
use avocet_record::law::Right;
use maud::{Markup, html};

use crate::form::{Form, Wrong};
use crate::route::{Answer, Ctx, Page, Route, Rule, route};
use crate::view::{self, Fields, error_summary, inset, table, words};

const FIGURES: Rule = Rule::Any(&[Right::SeeFigures]);

pub fn routes() -> Vec<Route> {
    vec![
        route("/figures", FIGURES, show),
        route("/figures/csv", FIGURES, csv),
        route("/figures/{figure}", FIGURES, records),
    ]
}

/// The period that is asked for: without one, the twelve months up to today.
fn span(ctx: &Ctx, desk: &Desk<'_>, wrong: &mut Wrong) -> Span {
    let today = Day::of(desk.now());
    let mut read = |name: &str, or: Day| match ctx.query(name) {
        None => or,
        Some(text) => text.parse().unwrap_or_else(|_| {
            wrong.add(name, "Enter a date, such as 2026-05-31");
            or
        }),
    };
    let span = Span { from: read("from", today.plus(-364)), to: read("to", today) };
    if span.from > span.to {
        wrong.add("to", "The last day lies before the first");
        return Span { from: span.to, to: span.to };
    }
    span
}

fn cutoff(ctx: &Ctx) -> Option<Cutoff> {
    ctx.query("cutoff").and_then(|entry| entry.parse().ok()).map(Cutoff::Entry)
}

fn again(span: Span, figures: &Figures) -> String {
    format!("from={}&to={}&cutoff={}", span.from, span.to, figures.cutoff)
}

async fn show(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let mut wrong = Wrong::default();
    let span = span(ctx, desk, &mut wrong);
    let figures = desk.figures(span, cutoff(ctx)).await?;
    let mut form = Form::default();
    form.or("from", span.from.to_string());
    form.or("to", span.to.to_string());
    let fields = Fields { form: &form, wrong: &wrong };
    let rest = again(span, &figures);
    let body = html! {
        (error_summary(&wrong))
        form.filter method="get" action="/figures" {
            (fields.date("from", "First day", ""))
            (fields.date("to", "Last day", ""))
            button.main type="submit" { "Show" }
        }
        p { (figures::sentence(&figures)) }
        (inset(&html! { p {
            "Both days belong to the period. As of entry " strong { (figures.cutoff) } ": with it the same numbers come out for ever. "
            a href={ "/figures?" (rest) } { "This page as of that entry" } ", "
            a href={ "/figures/csv?" (rest) } { "as CSV" } ". In breakdowns numbers of 1 to 4 are withheld, and so is what would give one away."
        } }))
        @for figure in &figures.all { (one(figure, &rest)) }
    };
    Ok(Answer::Html(view::page(ctx, desk, "Figures", &body)))
}

fn number(value: &Value) -> String {
    match value {
        Value::Count(n) => n.to_string(),
        Value::Days(days) => days.to_string(),
        Value::Waiting(days) => format!("{} waiting; {days}", days.count()),
        Value::Viewed { views, people } => {
            format!(
                "{} by {}",
                avocet_base::plural(*views, "view", "views"),
                avocet_base::plural(*people, "person", "people")
            )
        }
    }
}

fn one(figure: &Figure, rest: &str) -> Markup {
    let definition = &figure.definition;
    html! {
        section.figure {
            h2 { (definition.value.title) }
            p.big { a href={ "/figures/" (definition.id) "?" (rest) } { (number(&figure.counted.value)) span.unseen { ": the records behind " (definition.value.title) } } }
            p.quiet { (definition.value.sentence) ". Version " (definition.value.version) ", " (definition.provenance.status) "." }
            @match figure.published() {
                None => {}
                Some((by, None)) => p { "By " (by) ": withheld, because the total would give the parts away." },
                Some((by, Some(cells))) => (chart(&definition.value.title, by, &cells)),
            }
        }
    }
}

/// Bars of one breakdown, with the same numbers in a table.
fn chart(title: &str, by: &str, cells: &[(&str, Shown)]) -> Markup {
    let most = cells.iter().filter_map(|(_, shown)| match shown {
        Shown::Number(n) => Some(*n),
        Shown::Withheld => None,
    });
    let most = most.max().unwrap_or(0).max(1);
    let lines: Vec<Vec<Markup>> = cells
        .iter()
        .map(|(name, shown)| {
            let text = match shown {
                Shown::Number(n) => n.to_string(),
                Shown::Withheld => "withheld".to_owned(),
            };
            vec![html! { (words(name)) }, html! { (text) }]
        })
        .collect();
    let height = cells.len().saturating_mul(26).saturating_add(6);
    html! {
        @if !cells.is_empty() {
            svg.chart role="img" aria-label={ (title) " by " (by) "; the same numbers stand in the table" } viewBox={ "0 0 640 " (height) } {
                @for (row, (name, shown)) in cells.iter().enumerate() {
                    @let y = row.saturating_mul(26).saturating_add(6);
                    text x="190" y=(y.saturating_add(14)) text-anchor="end" { (words(name)) }
                    @match shown {
                        Shown::Number(n) => {
                            @let width = n.saturating_mul(380).checked_div(most).unwrap_or(0).max(1);
                            rect x="200" y=(y) width=(width) height="18" {}
                            text x=(width.saturating_add(208)) y=(y.saturating_add(14)) { (n) }
                        }
                        Shown::Withheld => text.quiet x="200" y=(y.saturating_add(14)) { "withheld" },
                    }
                }
            }
            details { summary { "The same as a table" } (table(&format!("{title} by {by}"), &[&words(by), "How many"], &lines)) }
        }
    }
}

async fn records(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let span = span(ctx, desk, &mut Wrong::default());
    let figures = desk.figures(span, cutoff(ctx)).await?;
    let wanted = ctx.raw("figure").unwrap_or_default();
    let figure =
        figures.all.iter().find(|figure| figure.definition.id == wanted).ok_or(crate::fault::Fault::Nothing)?;
    let link = |id: &String| html! { @if desk.holds(Right::RecordReferral) && id.starts_with("R-") { a href={ "/referrals/" (id) } { (id) } } @else { (id) } };
    let records = &figure.counted.records;
    let body = html! {
        p.big { (number(&figure.counted.value)) }
        p { (figure.definition.value.sentence) ". From " (span.from.in_words()) " to " (span.to.in_words()) ", as of entry " (figures.cutoff) "." }
        h2 { "The records that it counts" }
        @if records.is_empty() { p { "None." } } @else {
            p.quiet { (view::count(records.len(), "record", "records")) ". Ids only: what is in them is for who works on them." }
            ul.ids { @for id in records { li { (link(id)) } } }
        }
        p { a href={ "/figures?" (again(span, &figures)) } { "Back to the figures" } }
    };
    Ok(Answer::Html(view::page(ctx, desk, &figure.definition.value.title, &body)))
}

async fn csv(ctx: &Ctx, desk: &Desk<'_>) -> Page {
    let span = span(ctx, desk, &mut Wrong::default());
    let figures = desk.figures(span, cutoff(ctx)).await?;
    let text = figures::csv(&figures, Shape::default());
    let name = format!("figures-{}-{}-{}.csv", span.from, span.to, figures.cutoff);
    Ok(Answer::File { kind: "text/csv; charset=utf-8", name, bytes: text.into_bytes() })
}
